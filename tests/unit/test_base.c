/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Arena, text, did-you-mean, lines and columns, and the exact look of diagnostics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/base/diagnostic.h"

static int setup(void **state)
{
	struct polc *polc = malloc(sizeof(*polc));

	polc_init(polc);
	*state = polc;
	return 0;
}

static int teardown(void **state)
{
	polc_free(*state);
	free(*state);
	return 0;
}

static uint32_t add(struct polc *polc, const char *path, const char *text)
{
	return polc_source_add(&polc->arena, &polc->sources, path, text, strlen(text));
}

static void assert_text(struct polc *polc, const char *expected)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	polc_diagnostics_print_text(polc, out, false);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void assert_json(struct polc *polc, const char *expected)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	polc_diagnostics_print_json(polc, out);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void test_arena_is_zeroed_and_aligned(void **state)
{
	struct polc_arena *arena = &((struct polc *)*state)->arena;

	for (size_t size = 0; size < 300000; size = size * 3 + 1) {
		unsigned char *p = polc_arena_alloc(arena, size);

		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
}

static void test_vec_grows(void **state)
{
	struct polc_arena *arena = &((struct polc *)*state)->arena;
	POLC_VEC(int) v = {0};

	for (int i = 0; i < 1000; i++)
		*polc_vec_push(arena, &v) = i;
	assert_int_equal(v.n, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v.items[i], i);
}

static void test_buf(void **state)
{
	struct polc_buf b = {.arena = &((struct polc *)*state)->arena};

	polc_buf_puts(&b, "");
	assert_string_equal(b.p, "");
	for (int i = 0; i < 500; i++)
		polc_buf_printf(&b, "%d,", i);
	assert_memory_equal(b.p, "0,1,2,", 6);
	assert_string_equal(b.p + b.n - 8, "498,499,");
}

static void test_buf_json(void **state)
{
	struct polc_buf b = {.arena = &((struct polc *)*state)->arena};

	polc_buf_json(&b, "a\"b\\c\n\t\x01\x7f \xc3\xa9 \xff");
	assert_string_equal(b.p, "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f \xc3\xa9 \xef\xbf\xbd\"");
}

static void test_utf8(void **state)
{
	uint32_t c;

	(void)state;
	assert_int_equal(polc_utf8_decode("\xf0\x9f\x98\x80", 4, &c), 4);
	assert_int_equal(c, 0x1f600);
	assert_int_equal(polc_utf8_decode("\xf0\x9f\x98\x80", 3, &c), 0); /* cut short */
	assert_int_equal(polc_utf8_decode("\xc0\x80", 2, &c), 0);         /* overlong */
	assert_int_equal(polc_utf8_decode("\xe0\x80\x80", 3, &c), 0);     /* overlong */
	assert_int_equal(polc_utf8_decode("\xed\xa0\x80", 3, &c), 0);     /* surrogate */
	assert_int_equal(polc_utf8_decode("\xf4\x90\x80\x80", 4, &c), 0); /* above U+10FFFF */
	assert_int_equal(polc_utf8_decode("", 0, &c), 0);
}

static void test_nearest(void **state)
{
	static const char *const names[] = {
		"ingress", "egress", "podSelector", "policyTypes", "to"};

	(void)state;
	assert_string_equal(polc_nearest("ingres", names, 5), "ingress");
	assert_string_equal(polc_nearest("igress", names, 5), "ingress");
	assert_string_equal(polc_nearest("podselector", names, 5), "podSelector");
	assert_string_equal(polc_nearest("policyType", names, 5), "policyTypes");
	assert_string_equal(polc_nearest("To", names, 5), "to");
	assert_null(polc_nearest("x", names, 5));
	assert_null(polc_nearest("", names, 5));
	assert_null(polc_nearest("namespaceSelector", names, 5));
}

static void test_positions(void **state)
{
	struct polc *polc = *state;
	uint32_t source = add(polc, "a", "one\n\nthree");
	static const unsigned expected[][3] = {
		{0, 1, 1}, {3, 1, 4}, {4, 2, 1}, {5, 3, 1}, {10, 3, 6}, {99, 3, 6}};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(expected); i++) {
		struct polc_position p =
			polc_source_position(&polc->arena, &polc->sources, source, expected[i][0]);

		assert_int_equal(p.line, expected[i][1]);
		assert_int_equal(p.column, expected[i][2]);
	}
}

static void test_text_with_related_and_suggestion(void **state)
{
	struct polc *polc = *state;
	uint32_t source = add(polc, "p.yaml", "a: 1\nbcd: 2\n");
	struct polc_diagnostic *d = polc_error(polc, (struct polc_span){source, 5, 8},
		POLC_CODE_UNKNOWN_FIELD, "unknown field \"%s\"", "bcd");

	polc_diagnostic_relate(polc, d, (struct polc_span){source, 0, 1}, "beside this");
	polc_diagnostic_suggest(polc, d, "did you mean \"%s\"?", "b");
	assert_text(polc, "p.yaml:2:1: error[POLC0302]: unknown field \"bcd\"\n"
			  "   2 | bcd: 2\n"
			  "     | ^~~\n"
			  "p.yaml:1:1: note: beside this\n"
			  "   1 | a: 1\n"
			  "     | ^\n"
			  "suggestion: did you mean \"b\"?\n");
}

static void test_text_is_sorted_and_without_repetitions(void **state)
{
	struct polc *polc = *state;
	uint32_t first = add(polc, "a", "xy\n"), second = add(polc, "b", "z");

	polc_warn(polc, (struct polc_span){second, 0, 1}, POLC_CODE_NO_EFFECT, "third");
	polc_error(polc, (struct polc_span){first, 1, 2}, POLC_CODE_BAD_NAME, "second");
	polc_error(polc, (struct polc_span){first, 0, 1}, POLC_CODE_BAD_NAME, "first");
	polc_error(polc, (struct polc_span){first, 1, 2}, POLC_CODE_BAD_NAME, "second");
	polc_error(polc, (struct polc_span){0}, POLC_CODE_NO_POLICY, "no place");
	assert_text(polc, "error[POLC0107]: no place\n"
			  "a:1:1: error[POLC0305]: first\n   1 | xy\n     | ^\n"
			  "a:1:2: error[POLC0305]: second\n   1 | xy\n     |  ^\n"
			  "b:1:1: warning[POLC0807]: third\n   1 | z\n     | ^\n");
	assert_int_equal(polc->n_errors, 4);
	assert_int_equal(polc->n_warnings, 1);
}

static void test_text_tabs_breaks_and_controls(void **state)
{
	struct polc *polc = *state;
	uint32_t source = add(polc, "a\033[31m", "\tk\xc3\xa9y:\tv\033\r\nnext");

	/* the span runs over the end of the line: carets stop there */
	polc_error(polc, (struct polc_span){source, 7, 14}, POLC_CODE_BAD_NAME, "a\nb\033[0m");
	assert_text(polc, "a\\x1b[31m:1:8: error[POLC0305]: a b\\x1b[0m\n"
			  "   1 |         k\xc3\xa9y:    v?\n"
			  "     |                 ^~\n");
}

static void test_text_long_line_is_cut(void **state)
{
	struct polc *polc = *state;
	char line[5001];
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	memset(line, 'x', sizeof(line) - 1);
	line[4000] = 'Y';
	line[5000] = '\0';
	polc_error(polc, (struct polc_span){add(polc, "a", line), 4000, 4001}, POLC_CODE_BAD_NAME,
		"m");
	polc_diagnostics_print_text(polc, out, false);
	fclose(out);
	assert_true(n < 500);
	assert_int_equal(*(strchr(text, 'Y') + 1), 'x');
	free(text);
}

static void test_many_diagnostics_are_counted(void **state)
{
	struct polc *polc = *state;

	for (unsigned i = 0; i < 30000; i++)
		polc_error(polc, (struct polc_span){0}, POLC_CODE_BAD_NAME, "same");
	assert_int_equal(polc->n_errors, 30000);
	assert_text(polc, "error[POLC0305]: same\nnote: 10000 more are not shown\n");
}

static void test_json(void **state)
{
	struct polc *polc = *state;
	uint32_t source = add(polc, "p.yaml", "a: 1\nbcd: 2\n");
	struct polc_diagnostic *d = polc_error(
		polc, (struct polc_span){source, 5, 8}, POLC_CODE_UNKNOWN_FIELD, "no \"bcd\"");

	polc_diagnostic_relate(polc, d, (struct polc_span){source, 0, 1}, "r");
	polc_warn(polc, (struct polc_span){source, 8, 12}, POLC_CODE_NO_EFFECT, "w");
	assert_json(polc,
		"[{\"file\":\"p.yaml\",\"line\":2,\"column\":1,\"end_line\":2,\"end_column\":4,"
		"\"severity\":\"error\",\"code\":\"POLC0302\",\"name\":\"unknown-field\","
		"\"message\":\"no \\\"bcd\\\"\","
		"\"suggestion\":null,\"fix\":null,\"related\":[{\"file\":\"p.yaml\",\"line\":1,"
		"\"column\":1,"
		"\"end_line\":1,\"end_column\":2,\"message\":\"r\"}]},\n"
		" {\"file\":\"p.yaml\",\"line\":2,\"column\":4,\"end_line\":3,\"end_column\":1,"
		"\"severity\":\"warning\",\"code\":\"POLC0807\",\"name\":\"no-effect\",\"message\":"
		"\"w\","
		"\"suggestion\":null,\"fix\":null,\"related\":[]}]\n");
}

static void test_json_empty(void **state)
{
	assert_json(*state, "[]\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_arena_is_zeroed_and_aligned),
		TEST(test_vec_grows),
		TEST(test_buf),
		TEST(test_buf_json),
		TEST(test_utf8),
		TEST(test_nearest),
		TEST(test_positions),
		TEST(test_text_with_related_and_suggestion),
		TEST(test_text_is_sorted_and_without_repetitions),
		TEST(test_text_tabs_breaks_and_controls),
		TEST(test_text_long_line_is_cut),
		TEST(test_many_diagnostics_are_counted),
		TEST(test_json),
		TEST(test_json_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
