/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tables of strings against a matcher that does the obvious, over random sets and texts from a
 * small alphabet, so that things begin, end and contain each other; then the BPF functions of the
 * templates against the tables, in this kernel. What the dentries of a path say must hold for every
 * text that matches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/backend/backend.h"
#include "compiler/backend/plan_tracing.h"
#include "runtime/trace_tables.h"

enum { DOMAINS = 6, SETS = 64, TEXT_BYTES = 5000, ROUNDS = 40, TEXTS = 250, PROGRAM_TEXTS = 3000 };

/* --- random strings
 * ------------------------------------------------------------------------------- */

static uint64_t state = 0x5eed;

static unsigned below(unsigned n)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(state >> 33) % n;
}

/* Few different bytes, some of them special: NUL, '/', upper case, above 127. */
static char random_byte(void)
{
	static const char bytes[] = {
		'/', 'a', 'b', 'A', 'B', '.', 0, (char)0xff, 'z', 'a', '/', 'b'};

	return bytes[below(sizeof(bytes))];
}

static size_t random_text(char *text, size_t max)
{
	size_t n = below(4) ? below(12) : below((unsigned)max + 1);

	for (size_t i = 0; i < n; i++)
		text[i] = random_byte();
	return n;
}

/* --- a random world
 * ------------------------------------------------------------------------------- */

struct strings_world {
	struct polc polc;
	struct polc_string_domain domains[DOMAINS];
	struct polc_string_tables tables;
};

static const size_t longest[POLC_N_STRING_OPS] = {4096, 252, 124, 60, 60};

static void fill_set(struct strings_world *w, struct polc_string_set *set)
{
	polc_strings *strings = POLC_NEW(&w->polc.arena, polc_strings);
	char text[TEXT_BYTES];

	set->op = (enum polc_string_op)below(POLC_N_STRING_OPS);
	for (unsigned n = 1 + below(below(4) ? 3 : 30); n; n--) {
		size_t size = random_text(text, longest[set->op]);

		for (size_t i = 0; set->op == POLC_STRING_SUBSTRING_FOLDED && i < size; i++)
			if (text[i] >= 'A' && text[i] <= 'Z')
				text[i] = (char)(text[i] - 'A' + 'a');
		*polc_vec_push(&w->polc.arena, strings) =
			(struct polc_string){polc_arena_strndup(&w->polc.arena, text, size), size};
	}
	set->strings = strings;
}

static void world_init(struct strings_world *w)
{
	memset(w, 0, sizeof(*w));
	polc_init(&w->polc);
	for (uint32_t i = 0; i < DOMAINS; i++) {
		struct polc_string_set *sets =
			POLC_NEW_ARRAY(&w->polc.arena, SETS, struct polc_string_set);
		struct polc_string_domain *d = &w->domains[i];

		d->id = i + 3;
		d->path = i % 2;
		d->n_sets = 1 + below(below(2) ? 4 : SETS);
		for (uint32_t k = 0; k < d->n_sets; k++)
			fill_set(w, &sets[k]);
		d->sets = sets;
	}
	assert_true(polc_string_tables_build(&w->polc, w->domains, DOMAINS, &w->tables));
	assert_int_equal(w->polc.n_errors, 0);
}

/* A text that has to do with the strings: one of them with something before, behind, or changed. */
static size_t world_text(
	const struct strings_world *w, const struct polc_string_domain *d, char *text)
{
	const polc_strings *strings = d->sets[below(d->n_sets)].strings;
	const struct polc_string *s = &strings->items[below((unsigned)strings->n)];
	size_t n = 0;

	(void)w;
	if (!below(5))
		return random_text(text, POLB_PATH_BYTES);
	if (!below(3))
		n = random_text(text, POLB_PATH_BYTES - s->n);
	memcpy(text + n, s->bytes, s->n);
	n += s->n;
	if (!below(3))
		n += random_text(text + n, POLB_PATH_BYTES - n);
	if (n && !below(4))
		text[below((unsigned)n)] = random_byte();
	for (size_t i = 0; i < n; i++)
		if (text[i] >= 'a' && text[i] <= 'z' && !below(16))
			text[i] = (char)(text[i] - 'a' + 'A');
	return n;
}

/* --- the obvious
 * ------------------------------------------------------------------------------------ */

static bool contains(const char *text, size_t n, const struct polc_string *s, bool fold)
{
	for (size_t at = 0; at + s->n <= n; at++) {
		size_t same = 0;

		while (same < s->n) {
			char c = text[at + same];

			if (fold && c >= 'A' && c <= 'Z')
				c = (char)(c - 'A' + 'a');
			if (c != s->bytes[same])
				break;
			same++;
		}
		if (same == s->n)
			return true;
	}
	return false;
}

static bool satisfies(
	const char *text, size_t n, const struct polc_string *s, enum polc_string_op op)
{
	switch (op) {
	case POLC_STRING_EQUAL:
		return n == s->n && !memcmp(text, s->bytes, n);
	case POLC_STRING_PREFIX:
		return n >= s->n && !memcmp(text, s->bytes, s->n);
	case POLC_STRING_POSTFIX:
		return n >= s->n && !memcmp(text + n - s->n, s->bytes, s->n);
	case POLC_STRING_SUBSTRING:
	case POLC_STRING_SUBSTRING_FOLDED:
		return contains(text, n, s, op == POLC_STRING_SUBSTRING_FOLDED);
	case POLC_N_STRING_OPS:
		break;
	}
	return false;
}

static uint64_t obvious(const struct polc_string_domain *d, const char *text, size_t n)
{
	uint64_t bits = 0;

	for (uint32_t set = 0; set < d->n_sets; set++)
		for (size_t i = 0; i < d->sets[set].strings->n; i++)
			if (satisfies(text, n, &d->sets[set].strings->items[i], d->sets[set].op))
				bits |= 1ull << set;
	return bits;
}

/* --- paths: what the dentries say
 * ------------------------------------------------------------------- */

static uint64_t little(const char *bytes, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n && i < 8; i++)
		word |= (uint64_t)(uint8_t)bytes[i] << 8 * i;
	return word;
}

static bool one_of(
	uint64_t word, uint32_t n, const uint64_t *values, const uint64_t *masks, uint64_t known)
{
	for (uint32_t i = 0; i < n; i++)
		if (!((word ^ values[i]) & masks[i] & known))
			return true;
	return false;
}

static bool leaf_passes(const struct polc_string_domain *d, const char *name, size_t n)
{
	uint64_t tail = n < 8 ? little(name, n) << (n ? 8 * (8 - n) : 0) : little(name + n - 8, 8);

	if (!d->leaf_only)
		return true;
	if (!(d->leaf_lengths[n / 64] >> n % 64 & 1))
		return false;
	return !d->n_tails || one_of(tail, d->n_tails, d->tails, d->tail_masks, ~0ull);
}

/* As path.h asks: the name below the root, and '/' when it is not the last. */
static bool root_passes(const struct polc_string_domain *d, const char *path, size_t n)
{
	const char *slash = memchr(path + 1, '/', n - 1);
	size_t known = slash ? (size_t)(slash - path) : n - 1;

	if (!d->n_roots)
		return true;
	return one_of(little(path + 1, known), d->n_roots, d->roots, d->root_masks,
		known < 8 ? (1ull << 8 * known) - 1 : ~0ull);
}

/* A path as a walk makes it: names without '/', not empty; `name`: where the last one begins. */
static size_t random_path(
	const struct strings_world *w, const struct polc_string_domain *d, char *path, size_t *name)
{
	size_t n = world_text(w, d, path + 1), end = 1;

	path[0] = '/';
	for (size_t i = 1; i <= n && i < 200; i++)
		if (path[i] && (path[i] != '/' || path[end - 1] != '/'))
			path[end++] = path[i];
	while (end > 1 && path[end - 1] == '/')
		end--;
	*name = 0;
	for (size_t i = 0; i < end; i++)
		if (path[i] == '/')
			*name = i + 1;
	return end;
}

static void dentries_reject_no_match(void **unused)
{
	static const char *const tails[] = {"", " (deleted)"};
	unsigned rejected = 0, matched = 0;
	struct strings_world w;
	char path[TEXT_BYTES];
	size_t name;

	(void)unused;
	for (int round = 0; round < ROUNDS; round++) {
		world_init(&w);
		for (int i = 0; i < TEXTS * DOMAINS; i++) {
			const struct polc_string_domain *d = &w.domains[1 + 2 * below(DOMAINS / 2)];
			size_t n = random_path(&w, d, path, &name);
			bool passes = n == 1 || (leaf_passes(d, path + name, n - name) &&
							root_passes(d, path, n));

			for (int deleted = 0; deleted < (n == 1 ? 1 : 2); deleted++) {
				strcpy(path + n, tails[deleted]);
				bool matches = polc_string_tables_classify(
					&w.tables, d, path, n + strlen(tails[deleted]));

				assert_true(passes || !matches);
				rejected += !passes;
				matched += matches;
			}
		}
		polc_free(&w.polc);
	}
	assert_true(rejected > 100 && matched > 100);
}

/* --- the tables
 * ------------------------------------------------------------------------------------- */

static void tables_do_the_obvious(void **unused)
{
	struct strings_world w;
	char text[TEXT_BYTES];
	unsigned matches = 0;

	(void)unused;
	for (int round = 0; round < ROUNDS; round++) {
		world_init(&w);
		for (int i = 0; i < TEXTS; i++) {
			const struct polc_string_domain *d = &w.domains[below(DOMAINS)];
			size_t n = world_text(&w, d, text);
			uint64_t expected = obvious(d, text, n);

			assert_int_equal(
				polc_string_tables_classify(&w.tables, d, text, n), expected);
			matches += expected != 0;
		}
		polc_free(&w.polc);
	}
	assert_true(matches > ROUNDS * TEXTS / 8);
}

static void too_long_is_reported(void **unused)
{
	static char text[5000];
	polc_strings strings = {0};
	struct polc_string_set set = {.strings = &strings};
	struct polc_string_domain domain = {.sets = &set, .n_sets = 1};
	struct polc_string_tables tables;
	struct polc polc;

	(void)unused;
	memset(text, 'x', sizeof(text));
	for (int op = 0; op < POLC_N_STRING_OPS; op++) {
		size_t most = op > POLC_STRING_POSTFIX ? POLB_PATH_BYTES : longest[op];

		for (size_t n = most; n <= most + 1; n++) {
			polc_init(&polc);
			strings = (polc_strings){0};
			*polc_vec_push(&polc.arena, &strings) = (struct polc_string){text, n};
			set.op = (enum polc_string_op)op;
			assert_int_equal(
				polc_string_tables_build(&polc, &domain, 1, &tables), n == most);
			assert_int_equal(polc.n_errors, n != most);
			polc_free(&polc);
		}
	}
}

/* --- the programs
 * ----------------------------------------------------------------------------------- */

struct question { /* the value of polt_question, below */
	uint32_t domain, size;
	uint64_t bits;
	char text[POLB_PATH_BYTES];
};
static const char program_head[] =
	"struct polt_test_question { __u32 domain, size; __u64 bits; char text[4096]; };\n"
	"struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32);\n"
	"\t__type(value, struct polt_test_question); } polt_question SEC(\".maps\");\n"
	"SEC(\"raw_tp/sys_enter\") int polt_test_classify(void *ctx)\n{\n"
	"\tstruct polt_test_question *q = polt_at(&polt_question, 0);\n"
	"\tstruct polt_scratch *s = polt_scratch_claim();\n"
	"\tif (!s)\n\t\treturn 0;\n"
	"\t__u32 size = q ? q->size : 0;\n"
	"\tif (q && size <= POLB_PATH_BYTES) {\n"
	"\t\tbpf_probe_read_kernel(s->text, size, q->text);\n"
	"\t\tq->bits = ~0ull;\n";
static const char program_tail[] = "\t}\n\tpolt_scratch_release(s);\n\treturn 1;\n}\n";

static void emit_program(const struct strings_world *w, struct polc_buf *out)
{
	polc_buf_puts(out, program_head);
	for (int i = 0; i < DOMAINS; i++) {
		const struct polc_string_domain *d = &w->domains[i];

		polc_buf_printf(out,
			"\t\tif (q->domain == %u) {\n\t\t\tconst struct polt_domain d = {.id = %u, "
			".equal = %d, .prefix = %d, .postfix = %d, .automaton = %u, "
			".folded = %u};\n\t\t\tq->bits = polt_classify(s, POLT_TEXT, size, "
			"&d);\n\t\t}\n",
			d->id, d->id, d->equal, d->prefix, d->postfix, d->automaton, d->folded);
	}
	polc_buf_puts(out, program_tail);
}

static uint32_t automata_words(const struct strings_world *w)
{
	uint32_t words = 64;

	while (words < w->tables.automata.n)
		words *= 2;
	return words;
}

static struct bpf_object *open_program(struct strings_world *w)
{
	struct polc_build_options options = {.no_cache = true};
	LIBBPF_OPTS(bpf_object_open_opts, open_options, .object_name = "strings");
	struct polc_buf program = {.arena = &w->polc.arena}, config = {.arena = &w->polc.arena};
	struct bpf_object *object;
	void *data;
	size_t size;

	emit_program(w, &program);
	polc_buf_printf(&config,
		"#define POLT_NETWORK 0\n#define POLT_TRACING 1\n#define POLT_AUTOMATA_WORDS %u\n",
		automata_words(w));
	struct polc_generated generated = {config.p, program.p};
	assert_int_equal(
		polc_clang_compile_generated(&w->polc, &generated, &options, &data, &size), 0);
	object = bpf_object__open_mem(data, size, &open_options);
	free(data);
	assert_non_null(object);
	return object;
}

static void set_sizes(const struct strings_world *w, struct bpf_object *object)
{
	struct bpf_program *program;
	struct bpf_map *map;

	bpf_object__for_each_program(program, object) bpf_program__set_autoload(
		program, !strcmp(bpf_program__name(program), "polt_test_classify"));
	bpf_object__for_each_map(map, object)
	{
		if (!strcmp(bpf_map__name(map), "polt_string_pieces"))
			bpf_map__set_max_entries(
				map, (uint32_t)(w->tables.bytes.n / POLB_STRING_PIECE + 1));
		else if (!strncmp(bpf_map__name(map), "polt_str", 8) ||
			 !strcmp(bpf_map__name(map), "polt_prefixes") ||
			 !strcmp(bpf_map__name(map), "polt_postfixes"))
			bpf_map__set_max_entries(map, (uint32_t)w->tables.strings.n + 1);
	}
}

static int map_fd(const struct bpf_object *object, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(object, name);

	assert_true(fd >= 0);
	return fd;
}

static void put_lpm(int fd, const struct polb_bundle_trace_string *s, const char *text)
{
	struct polb_prefix_key key = {.bits = 32 + 8 * s->size, .domain = s->domain};

	for (uint32_t i = 0; i < s->size; i++)
		key.text[i] = (uint8_t)text[s->op == POLC_STRING_POSTFIX ? s->size - 1 - i : i];
	assert_int_equal(bpf_map_update_elem(fd, &key, &s->bits, 0), 0);
}

static void put_string(const struct strings_world *w, const struct bpf_object *object,
	const struct polb_bundle_trace_string *s)
{
	const char *text = (const char *)w->tables.bytes.items + s->offset;
	struct polb_string_key key = {
		s->domain, s->size, polb_trace_hash(w->tables.seed, text, s->size)};
	struct polb_string_value value = {s->bits, s->offset / POLB_STRING_PIECE, 0};

	if (s->op == POLC_STRING_EQUAL)
		assert_int_equal(bpf_map_update_elem(
					 map_fd(object, "polt_strings"), &key, &value, BPF_NOEXIST),
			0);
	else
		put_lpm(map_fd(object,
				s->op == POLC_STRING_PREFIX ? "polt_prefixes" : "polt_postfixes"),
			s, text);
}

static void fill_maps(struct strings_world *w, const struct bpf_object *object)
{
	uint32_t *words = POLC_NEW_ARRAY(&w->polc.arena, automata_words(w), uint32_t), zero = 0;

	for (size_t i = 0; i < w->tables.strings.n; i++)
		put_string(w, object, &w->tables.strings.items[i]);
	for (uint32_t i = 0; i < w->tables.bytes.n / POLB_STRING_PIECE; i++)
		assert_int_equal(bpf_map_update_elem(map_fd(object, "polt_string_pieces"), &i,
					 w->tables.bytes.items + i * POLB_STRING_PIECE, 0),
			0);
	if (w->tables.automata.n)
		memcpy(words, w->tables.automata.items,
			w->tables.automata.n * sizeof(*w->tables.automata.items));
	assert_int_equal(bpf_map_update_elem(map_fd(object, "polt_automata"), &zero, words, 0), 0);
}

static uint64_t ask(const struct bpf_object *object, int program, struct question *q)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int fd = map_fd(object, "polt_question");
	uint32_t zero = 0;

	assert_int_equal(bpf_map_update_elem(fd, &zero, q, 0), 0);
	assert_int_equal(bpf_prog_test_run_opts(program, &run), 0);
	assert_int_equal(run.retval, 1);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, q), 0);
	return q->bits;
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return getenv("POLC_VERBOSE") ? vfprintf(stderr, fmt, ap) : ((void)level, 0);
}

static void programs_do_as_the_tables(void **unused)
{
	struct question q;
	struct strings_world w;

	(void)unused;
	if (geteuid() || system("clang --version >/dev/null 2>&1"))
		skip();
	libbpf_set_print(quiet);
	world_init(&w);
	struct bpf_object *object = open_program(&w);
	set_sizes(&w, object);
	assert_int_equal(bpf_object__load(object), 0);
	fill_maps(&w, object);
	int program =
		bpf_program__fd(bpf_object__find_program_by_name(object, "polt_test_classify"));
	for (int i = 0; i < PROGRAM_TEXTS; i++) {
		char text[TEXT_BYTES];
		const struct polc_string_domain *d = &w.domains[below(DOMAINS)];

		q.domain = d->id;
		q.size = (uint32_t)world_text(&w, d, text);
		memset(q.text, 'q', sizeof(q.text));
		memcpy(q.text, text, q.size);
		assert_int_equal(ask(object, program, &q),
			polc_string_tables_classify(&w.tables, d, text, q.size));
	}
	bpf_object__close(object);
	polc_free(&w.polc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_do_the_obvious),
		cmocka_unit_test(too_long_is_reported),
		cmocka_unit_test(dentries_reject_no_match),
		cmocka_unit_test(programs_do_as_the_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
