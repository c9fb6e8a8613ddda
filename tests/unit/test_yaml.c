/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* YAML trees: spans, limits, aliases, encodings, JSON and KYAML, and the meaning of scalars. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/frontend/yaml.h"

struct fixture {
	struct polc polc;
	uint32_t source;
	polc_yaml_documents documents;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	polc_init(&f->polc);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	polc_free(&f->polc);
	free(f);
	return 0;
}

static void parse_bytes(struct fixture *f, const char *text, size_t n)
{
	f->documents.n = 0;
	f->polc.diagnostics.n = 0;
	f->polc.n_errors = 0;
	f->source = polc_source_add(&f->polc.arena, &f->polc.sources, "t.yaml", text, n);
	polc_yaml_parse(&f->polc, f->source, &f->documents);
}

static void parse(struct fixture *f, const char *text)
{
	parse_bytes(f, text, strlen(text));
}

/* The text has exactly one error, of this code, whose place begins with these characters. */
static void assert_error_at(
	struct fixture *f, const char *text, enum polc_code code, const char *at)
{
	const struct polc_diagnostic *d;

	parse(f, text);
	assert_int_equal(f->polc.n_errors, 1);
	d = f->polc.diagnostics.items[0];
	assert_int_equal(d->code, code);
	assert_memory_equal(text + d->span.begin, at, strlen(at));
}

static const struct polc_yaml *only(struct fixture *f, const char *text)
{
	parse(f, text);
	assert_int_equal(f->polc.n_errors, 0);
	assert_int_equal(f->documents.n, 1);
	return f->documents.items[0];
}

/* The source text under a node. */
static const char *spelt(struct fixture *f, const struct polc_yaml *node)
{
	const struct polc_source *s = polc_source_get(&f->polc.sources, node->span.source);

	return polc_arena_strndup(
		&f->polc.arena, s->text + node->span.begin, node->span.end - node->span.begin);
}

static void test_tree_and_spans(void **state)
{
	struct fixture *f = *state;
	const struct polc_yaml *root = only(f, "a: 'x y'\nb:\n  - 1\n  - {c: d}\n# end\n\nz:\n");
	const struct polc_yaml *b = polc_yaml_get(root, "b");

	assert_int_equal(root->kind, POLC_YAML_MAPPING);
	assert_int_equal(root->n_entries, 3);
	assert_string_equal(polc_yaml_get(root, "a")->value, "x y");
	assert_false(polc_yaml_get(root, "a")->plain);
	assert_string_equal(spelt(f, polc_yaml_get(root, "a")), "'x y'");
	assert_string_equal(spelt(f, b), "- 1\n  - {c: d}");
	assert_string_equal(spelt(f, b->items[1]), "{c: d}");
	assert_true(polc_yaml_is_null(polc_yaml_get(root, "z")));
	assert_null(polc_yaml_get(root, "nope"));
	assert_null(polc_yaml_get(b, "a"));
}

static void test_spans_are_bytes(void **state)
{
	struct fixture *f = *state;
	const struct polc_yaml *root =
		only(f, "\xef\xbb\xbf\"\xc3\xa9\xf0\x9f\x98\x80\": x\r\nk: \xc3\xa9v\r\n");

	assert_string_equal(spelt(f, root->entries[0].key), "\"\xc3\xa9\xf0\x9f\x98\x80\"");
	assert_string_equal(spelt(f, root->entries[0].value), "x");
	assert_string_equal(spelt(f, root->entries[1].value), "\xc3\xa9v");
}

static void test_spans_are_bytes_far_into_a_file(void **state)
{
	struct fixture *f = *state;
	struct polc_buf b = {.arena = &f->polc.arena};
	const struct polc_yaml *root;

	for (int i = 0; i < 1000; i++)
		polc_buf_printf(&b, "k%d: \xc3\xa9%d # \xe2\x82\xac\n", i, i);
	root = only(f, b.p);
	assert_int_equal(root->n_entries, 1000);
	for (size_t i = 0; i < 1000; i++)
		assert_string_equal(
			spelt(f, root->entries[i].value), root->entries[i].value->value);
}

static void test_documents(void **state)
{
	struct fixture *f = *state;

	parse(f, "a: 1\n---\n---\n# nothing\n---\n~\n---\nb: 1\n...\n");
	assert_int_equal(f->polc.n_errors, 0);
	assert_int_equal(f->documents.n, 2);
	parse(f, "");
	assert_int_equal(f->documents.n, 0);
	assert_int_equal(f->polc.n_errors, 0);
}

static void test_next_document_after_an_error(void **state)
{
	struct fixture *f = *state;

	parse(f, "a: [}\n---\n\xc3\xa9: \"open\n---\nb: c\n---\nd: 1\nd: 2\n---\ne: f\n");
	assert_int_equal(f->polc.n_errors, 3);
	assert_int_equal(f->documents.n, 2);
	assert_string_equal(spelt(f, f->documents.items[0]), "b: c");
	assert_string_equal(spelt(f, f->documents.items[1]), "e: f");
}

static void test_duplicate_keys(void **state)
{
	struct fixture *f = *state;
	struct polc_buf b = {.arena = &f->polc.arena};
	const struct polc_diagnostic *d;

	assert_error_at(f, "a: 1\nb: 1\n\"a\": 2\n", POLC_CODE_YAML_DUPLICATE_KEY, "\"a\": 2");
	d = f->polc.diagnostics.items[0];
	assert_int_equal(d->n_related, 1);
	assert_int_equal(d->related[0].span.begin, 0);
	assert_int_equal(f->documents.n, 0);
	for (int i = 0; i < 100; i++)
		polc_buf_printf(&b, "k%d: x\n", i);
	polc_buf_puts(&b, "k50: again\n");
	assert_error_at(f, b.p, POLC_CODE_YAML_DUPLICATE_KEY, "k50: again");
}

static void test_aliases(void **state)
{
	struct fixture *f = *state;
	const struct polc_yaml *root = only(f, "a: &x {k: v}\nb: *x\nc: &x 1\nd: *x\n");

	assert_ptr_equal(polc_yaml_get(root, "b"), polc_yaml_get(root, "a"));
	assert_string_equal(polc_yaml_get(root, "d")->value, "1");
	assert_error_at(f, "a: *nope\n", POLC_CODE_YAML_ALIAS, "*nope");
	assert_error_at(f, "a: &a [1, *a]\n", POLC_CODE_YAML_ALIAS, "*a");
	/* anchors do not reach into the next document */
	assert_error_at(f, "a: &a 1\n---\nb: *a\n", POLC_CODE_YAML_ALIAS, "*a");
}

static void test_alias_bomb(void **state)
{
	struct fixture *f = *state;
	struct polc_buf b = {.arena = &f->polc.arena};
	size_t before;

	polc_buf_puts(&b, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 30; i++) {
		polc_buf_printf(&b, "a%d: &a%d [", i, i);
		for (int k = 0; k < 10; k++)
			polc_buf_printf(&b, "*a%d,", i - 1);
		polc_buf_puts(&b, "]\n");
	}
	before = f->polc.arena.allocated_bytes;
	parse(f, b.p);
	assert_int_equal(f->polc.n_errors, 1);
	assert_int_equal(f->polc.diagnostics.items[0]->code, POLC_CODE_YAML_LIMIT);
	assert_true(f->polc.arena.allocated_bytes - before < (1 << 20));
}

static void test_depth(void **state)
{
	struct fixture *f = *state;
	char text[6000];

	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	text[128] = '\0';
	only(f, text);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	text[130] = '\0';
	assert_error_at(f, text, POLC_CODE_YAML_LIMIT, "[]");
	/* deeper than libyaml itself goes, and the next document is still found */
	memset(text, '[', 5000);
	strcpy(text + 5000, "\n---\na: b\n");
	parse(f, text);
	assert_int_equal(f->polc.n_errors, 1);
	assert_int_equal(f->documents.n, 1);
	assert_error_at(f,
		"a: &a "
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"
		"b: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a "
		"]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
		POLC_CODE_YAML_LIMIT, "*a");
}

static void test_big_scalar(void **state)
{
	struct fixture *f = *state;
	size_t n = (1 << 20) + 1;
	char *text = malloc(n + 3);

	memset(text, 'x', n);
	memcpy(text + n, "\n", 2);
	assert_error_at(f, text, POLC_CODE_YAML_LIMIT, "xxx");
	memcpy(text + n - 1, "\n", 2);
	only(f, text);
	free(text);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;

	assert_error_at(f, "a: &a {x: 1}\nb:\n  <<: *a\n", POLC_CODE_YAML_SYNTAX, "<<");
	assert_error_at(f, "{a: b}: c\n", POLC_CODE_YAML_SYNTAX, "{a: b}");
	assert_error_at(f, "a: !foo b\n", POLC_CODE_YAML_SYNTAX, "!foo");
	assert_error_at(f, "a: !!binary aGk=\n", POLC_CODE_YAML_SYNTAX, "!!binary");
	assert_error_at(f, "a: !!int x\n", POLC_CODE_YAML_SYNTAX, "!!int");
	assert_error_at(f, "a: \"x\\0y\"\n", POLC_CODE_ENCODING, "\"x");
	assert_error_at(f, "a: \x01\n", POLC_CODE_ENCODING, "\x01");
	assert_error_at(f, "a: \xff\n", POLC_CODE_ENCODING, "\xff");
	assert_error_at(f,
		"\xff\xfe"
		"a",
		POLC_CODE_ENCODING, "");
	parse_bytes(f, "a\0:\0", 4);
	assert_int_equal(f->polc.diagnostics.items[0]->code, POLC_CODE_ENCODING);
	parse_bytes(f, "a: b\0", 5);
	assert_int_equal(f->polc.diagnostics.items[0]->code, POLC_CODE_ENCODING);
	only(f, "\"<<\": x\n");
}

static void test_templates(void **state)
{
	static const char *const texts[] = {"{{- if .Values.x }}\na: b\n{{- end }}\n",
		"a: {{ .Values.x }}\nb: {{ .Values.y }}\n", "a:\n  {{- include \"x\" . }}\n"};
	struct fixture *f = *state;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(texts); i++) {
		parse(f, texts[i]);
		assert_int_equal(f->polc.n_errors, 1);
		assert_int_equal(f->polc.diagnostics.items[0]->code, POLC_CODE_YAML_SYNTAX);
		assert_non_null(strstr(f->polc.diagnostics.items[0]->suggestion, "template"));
		assert_int_equal(f->documents.n, 0);
	}
}

static void test_json(void **state)
{
	struct fixture *f = *state;
	const struct polc_yaml *root = only(f, "{\n\t\"a\":\t[\n\t\t1,\t2\n\t],\n\t\"t\\\"\": "
					       "\"x\ty\",\n\t'q': 'it''s\t' # \"c\n\t}\n");

	assert_int_equal(polc_yaml_get(root, "a")->n_items, 2);
	assert_string_equal(polc_yaml_get(root, "t\"")->value, "x\ty");
	assert_string_equal(polc_yaml_get(root, "q")->value, "it's\t");
	assert_string_equal(spelt(f, polc_yaml_get(root, "a")), "[\n\t\t1,\t2\n\t]");
}

static void test_kyaml(void **state)
{
	struct fixture *f = *state;
	const struct polc_yaml *root = only(f, "---\n{\n  a: \"b\", # comment\n  \"no\": [{\n"
					       "    c: 1,\n  }, {\n    d: true,\n  },],\n}\n");

	assert_int_equal(root->n_entries, 2);
	assert_int_equal(polc_yaml_get(root, "no")->n_items, 2);
}

static enum polc_yaml_scalar resolved(struct fixture *f, const char *text)
{
	return polc_yaml_resolve(
		only(f, polc_arena_printf(&f->polc.arena, "[%s]", text))->items[0]);
}

static void test_scalars(void **state)
{
	static const struct {
		const char *text;
		enum polc_yaml_scalar type;
	} cases[] = {{"~", POLC_YAML_NULL}, {"Null", POLC_YAML_NULL}, {"nULL", POLC_YAML_STRING},
		{"yes", POLC_YAML_BOOL}, {"Off", POLC_YAML_BOOL}, {"y", POLC_YAML_BOOL},
		{"tRUE", POLC_YAML_STRING}, {"80", POLC_YAML_INT}, {"-1", POLC_YAML_INT},
		{"010", POLC_YAML_INT}, {"0x1F", POLC_YAML_INT}, {"0o7", POLC_YAML_INT},
		{"0b1", POLC_YAML_INT}, {"1_000", POLC_YAML_INT}, {"0x", POLC_YAML_STRING},
		{"1.5", POLC_YAML_FLOAT}, {"1e3", POLC_YAML_FLOAT}, {".5", POLC_YAML_FLOAT},
		{"12e4", POLC_YAML_FLOAT}, {".inf", POLC_YAML_FLOAT}, {"1.2.3", POLC_YAML_STRING},
		{"10.0.0.0/8", POLC_YAML_STRING}, {"-", POLC_YAML_STRING}, {".", POLC_YAML_STRING},
		{"e3", POLC_YAML_STRING}, {"\"80\"", POLC_YAML_STRING}, {"'yes'", POLC_YAML_STRING},
		{"!!str 80", POLC_YAML_STRING}, {"!!int \"80\"", POLC_YAML_INT},
		{"2001-01-01", POLC_YAML_STRING}, {"_1", POLC_YAML_STRING}};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(cases); i++)
		if (strcmp(cases[i].text, "-"))
			assert_int_equal(resolved(*state, cases[i].text), cases[i].type);
}

static void test_typed_access(void **state)
{
	struct fixture *f = *state;
	const struct polc_yaml *root = only(
		f, "s: x\ni: 80\nq: \"80\"\no: 010\nb: on\nm: {}\nbig: 99999999999999999999\n");
	const char *s;
	int64_t i = 0;
	bool b = false;

	assert_true(polc_yaml_string(&f->polc, polc_yaml_get(root, "s"), "s", &s));
	assert_true(polc_yaml_string(&f->polc, polc_yaml_get(root, "q"), "q", &s));
	assert_string_equal(s, "80");
	assert_true(polc_yaml_integer(&f->polc, polc_yaml_get(root, "i"), "i", &i));
	assert_int_equal(i, 80);
	assert_true(polc_yaml_bool(&f->polc, polc_yaml_get(root, "b"), "b", &b));
	assert_true(b);
	assert_int_equal(f->polc.n_errors, 0);

	assert_false(polc_yaml_string(&f->polc, polc_yaml_get(root, "i"), "i", &s));
	assert_string_equal(
		f->polc.diagnostics.items[0]->message, "i must be a string, not an integer");
	assert_string_equal(f->polc.diagnostics.items[0]->suggestion, "quote it: \"80\"");
	assert_false(polc_yaml_string(&f->polc, polc_yaml_get(root, "b"), "b", &s));
	assert_false(polc_yaml_string(&f->polc, polc_yaml_get(root, "m"), "m", &s));
	assert_false(polc_yaml_string(&f->polc, NULL, "none", &s));
	assert_false(polc_yaml_integer(&f->polc, polc_yaml_get(root, "q"), "q", &i));
	assert_false(polc_yaml_integer(&f->polc, polc_yaml_get(root, "o"), "o", &i));
	assert_false(polc_yaml_integer(&f->polc, polc_yaml_get(root, "big"), "big", &i));
	assert_false(polc_yaml_bool(&f->polc, polc_yaml_get(root, "s"), "s", &b));
	assert_false(polc_yaml_expect(&f->polc, root, POLC_YAML_SEQUENCE, "root"));
	assert_int_equal(f->polc.n_errors, 9);
	assert_int_equal(i, 80); /* untouched on failure */
}

static void test_unknown_fields(void **state)
{
	static const char *const names[] = {"ingress", "egress"};
	struct fixture *f = *state;
	const struct polc_yaml *root = only(f, "ingres: 1\negress: 2\nqqq: 3\n");

	polc_yaml_check_fields(&f->polc, root, names, 2, "spec", POLC_ERROR);
	assert_int_equal(f->polc.n_errors, 2);
	assert_string_equal(
		f->polc.diagnostics.items[0]->message, "unknown field \"ingres\" in spec");
	assert_string_equal(f->polc.diagnostics.items[0]->suggestion, "did you mean \"ingress\"?");
	assert_null(f->polc.diagnostics.items[1]->suggestion);
	polc_yaml_check_fields(&f->polc, root, names, 2, "spec", POLC_WARNING);
	assert_int_equal(f->polc.n_warnings, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tree_and_spans),
		TEST(test_spans_are_bytes),
		TEST(test_spans_are_bytes_far_into_a_file),
		TEST(test_documents),
		TEST(test_next_document_after_an_error),
		TEST(test_duplicate_keys),
		TEST(test_aliases),
		TEST(test_alias_bomb),
		TEST(test_depth),
		TEST(test_big_scalar),
		TEST(test_refused),
		TEST(test_templates),
		TEST(test_json),
		TEST(test_kyaml),
		TEST(test_scalars),
		TEST(test_typed_access),
		TEST(test_unknown_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
