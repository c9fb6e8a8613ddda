/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Bundles: round trip, and hostile bytes with and without a matching digest. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bundle_object.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* Strings by offset: 1 "k8s", 5 "app", 9 "web", 13 "prod" */
static const char strings[] = "\0k8s\0app\0web\0prod";
static const char source_strings[] = "\0policy.yaml";
static const struct polb_bundle_selector selectors[] = {
	{.kinds = POLB_KIND_POD, .n_requirements = 1},
	{.kinds = POLB_KIND_WORLD, .has_prefix = 1, .prefix = {{10}, 4, 8, {0}}, .n_excepts = 1}};
static const struct polb_bundle_requirement requirements[] = {{POLB_OP_IN, 1, 5, 0, 1}};
static const __u32 values[] = {9};
static const struct polb_bundle_prefix prefixes[] = {{{10, 1}, 4, 16, {0}}};
static const struct polb_bundle_rule rules[] = {
	{1, 13, 9, 0, 0, POLB_INGRESS, POLB_VERDICT_ALLOW, 0},
	{1, 13, 9, 0, 1, POLB_INGRESS, POLB_VERDICT_DENY, 0}};
static const struct polb_bundle_source sources[] = {{1, 7, 3}, {1, 9, 3}};
static const struct polb_bundle_endpoint endpoints[] = {{13, 9, 0, 5, 0, 256, {1, 0}, 0}};
static const struct polb_bundle_peer peers[] = {
	{{10, 0, 0, 1}, 4, 256, 2, 2, 0}, {{10, 0, 0, 2}, 4, 1, 1, 2, 5}};
static const struct polb_bundle_cidr cidrs[] = {{{{10}, 4, 8, {0}}, 2, 2}};
static const struct polb_bundle_ports ports[] = {
	{0, 79, 0}, {80, 80, 1}, {81, POLB_PORTS_END - 1, 0}};
static const struct polb_row rows[] = {{.default_verdict = POLB_VERDICT_ALLOW},
	{.n_steps = 2, .pass_to = 1, .default_rule = 1, .default_verdict = POLB_VERDICT_DENY}};
static const __u32 rows_index[] = {0, 0, 1, 1};
static const __u32 rule_ids[] = {16, 17};
static const struct polb_bundle_identity identities[] = {{256, POLB_KIND_POD, 0, 1}};
static const struct polb_bundle_label labels[] = {{1, 5, 9}};
static const struct {
	struct polb_class_head head;
	struct polb_class_word words[1];
} classes[] = {{{0, 0}, {{0, 0, 0}}}, {{0, 0}, {{0, 0, 0}}}, {{1, 0}, {{3, 0, 0}}}};
static const struct {
	struct polb_step_head head;
	__u16 slots[4];
} steps[] = {{{POLB_VERDICT_PASS, 0}, {1}}, {{POLB_VERDICT_ALLOW, 1}, {1}}};
static const struct polb_step_word step_words[] = {{1, 0, 0}, {2, 1, 0}};

static const __u8 policy[] = {'k', 'i', 'n', 'd', ':'};

static struct polb_bundle sample(void)
{
	struct polb_bundle b = {.manifest = {.magic = POLB_BUNDLE_MAGIC,
					.version = POLB_BUNDLE_VERSION,
					.abi_version = POLB_ABI_VERSION,
					.hooks = POLB_HOOK_CGROUP,
					.n_words = 1,
					.class_words = 1,
					.n_port_classes = 2,
					.n_tables = 2,
					.has_cidr4 = 1,
					.n_rules = N(rules),
					.flow_entries = 1024,
					.udp_timeout_s = 30}};

#define X(field, name, type)                                                                       \
	b.field = field;                                                                           \
	b.n_##field = N(field);
	POLB_BUNDLE_NETWORK_TABLES(X)
#undef X
	b.strings = strings;
	b.strings_size = sizeof(strings);
	b.source_strings = source_strings;
	b.source_strings_size = sizeof(source_strings);
	b.classes = classes;
	b.n_classes = N(classes);
	b.steps = steps;
	b.n_steps = N(steps);
	return b;
}

static void *write_sample(const struct polb_bundle *bundle, size_t *size)
{
	struct object object;
	char error[POLB_ERROR_TEXT] = "";
	void *out = NULL;
	int err;

	object_make(&object);
	err = polb_bundle_write(&object, sizeof(object), bundle, &out, size, error);
	if (err)
		print_error("%s\n", error);
	assert_int_equal(err, 0);
	return out;
}

static void round_trip(void **state)
{
	struct polb_bundle bundle = sample(), read;
	size_t size, again_size;
	void *file = write_sample(&bundle, &size), *again = write_sample(&bundle, &again_size);
	char error[POLB_ERROR_TEXT], text[64];

	(void)state;
	assert_int_equal(size, again_size);
	assert_memory_equal(file, again, size);
	assert_int_equal(polb_bundle_read(file, size, &read, error), 0);
	assert_memory_equal(&read.manifest, &bundle.manifest, sizeof(read.manifest));
#define X(field, name, type)                                                                       \
	assert_int_equal(read.n_##field, bundle.n_##field);                                        \
	assert_memory_equal(read.field, bundle.field, bundle.n_##field * sizeof(type));
	POLB_BUNDLE_TABLES(X)
#undef X
	assert_memory_equal(read.classes, classes, sizeof(classes));
	assert_memory_equal(read.steps, steps, sizeof(steps));
	polb_bundle_rule_text(&read, POLB_RULE_FIRST + 1, text, sizeof(text));
	assert_string_equal(text, "prod/web (policy.yaml:9)");
	polb_bundle_rule_text(&read, POLB_RULE_DEFAULT_DENY, text, sizeof(text));
	assert_string_equal(text, "default deny");
	polb_bundle_rule_text(&read, 0xffffff, text, sizeof(text));
	assert_string_equal(text, "unknown rule");
	free(file);
	free(again);
}

static void object_is_kept_without_debug(void **state)
{
	struct polb_bundle bundle = sample();
	size_t size;
	void *file = write_sample(&bundle, &size);
	struct polb_elf elf;
	uint32_t symtab, rel;
	const Elf64_Sym *symbols;
	const Elf64_Rel *relocation;

	(void)state;
	assert_null(polb_elf_open(file, size, &elf));
	assert_int_equal(polb_elf_find(&elf, ".debug_info"), 0);
	assert_int_equal(polb_elf_find(&elf, ".rel.debug_info"), 0);
	assert_int_not_equal(polb_elf_find(&elf, ".text"), 0);
	symtab = polb_elf_find(&elf, ".symtab");
	rel = polb_elf_find(&elf, ".rel.text");
	assert_int_equal(elf.sections[symtab].sh_size, 3 * sizeof(Elf64_Sym));
	assert_int_equal(elf.sections[symtab].sh_info, 2);
	assert_int_equal(elf.sections[rel].sh_link, symtab);
	assert_int_equal(elf.sections[rel].sh_info, polb_elf_find(&elf, ".text"));
	symbols = polb_elf_content(&elf, symtab);
	relocation = polb_elf_content(&elf, rel);
	assert_int_equal(ELF64_R_SYM(relocation->r_info), 2);
	assert_string_equal((const char *)polb_elf_content(&elf, elf.sections[symtab].sh_link) +
				    symbols[2].st_name,
		"prog");
	free(file);
}

static void selectors_come_back(void **state)
{
	struct polb_bundle bundle = sample(), read;
	size_t size;
	void *file = write_sample(&bundle, &size), *scratch;
	char error[POLB_ERROR_TEXT];
	const struct polb_label web = {"k8s", "app", "web"};
	struct polb_identity_view view = {.kinds = POLB_KIND_POD, .labels = &web, .n_labels = 1};
	struct polb_selector selector;

	(void)state;
	assert_int_equal(polb_bundle_read(file, size, &read, error), 0);
	assert_int_equal(polb_bundle_selector(&read, 0, &selector, &scratch), 0);
	assert_true(polb_selector_matches(&selector, &view));
	view.n_labels = 0;
	assert_false(polb_selector_matches(&selector, &view));
	free(scratch);
	assert_int_equal(polb_bundle_selector(&read, 1, &selector, &scratch), 0);
	view.kinds = POLB_KIND_WORLD;
	polb_addr_parse("10.2.0.0", &view.addr);
	assert_true(polb_selector_matches(&selector, &view));
	polb_addr_parse("10.1.0.0", &view.addr);
	assert_false(polb_selector_matches(&selector, &view));
	free(scratch);
	assert_int_equal(polb_bundle_selector(&read, 2, &selector, &scratch), -EINVAL);
	free(file);
}

/* Reads a copy that ends exactly at its allocation, so that a tool sees any byte read behind it. */
static int read_copy(const void *file, size_t size)
{
	void *copy = malloc(size ? size : 1);
	char error[POLB_ERROR_TEXT] = "";
	struct polb_bundle read;
	int err;

	memcpy(copy, file, size);
	err = polb_bundle_read(copy, size, &read, error);
	if (err) {
		assert_int_equal(err, -EINVAL);
		assert_true(error[0] && !strchr(error, '\n'));
	}
	free(copy);
	return err;
}

static void every_truncation(void **state)
{
	struct polb_bundle bundle = sample();
	size_t size;
	void *file = write_sample(&bundle, &size);

	(void)state;
	for (size_t n = 0; n < size; n++)
		assert_int_equal(read_copy(file, n), -EINVAL);
	free(file);
}

static void every_flip(void **state)
{
	struct polb_bundle bundle = sample();
	size_t size;
	char *file = write_sample(&bundle, &size);

	(void)state;
	/* what the digest does not cover, room for signatures, is zeros */
	for (size_t i = 0; i < size; i++) {
		char *flipped = memcpy(malloc(size), file, size);

		flipped[i] ^= (char)(1 << (i % 8));
		assert_int_equal(read_copy(flipped, size), -EINVAL);
		free(flipped);
	}
	free(file);
}

/* Makes the digest match again when the file still has one; the reader must then rely on its own
 * checks. */
static void reseal(char *file, size_t size)
{
	struct polb_elf elf;
	uint32_t digest, signature;

	if (polb_elf_open(file, size, &elf))
		return;
	digest = polb_elf_find(&elf, POLB_SECTION_DIGEST);
	signature = polb_elf_find(&elf, POLB_SECTION_SIGNATURE);
	if (!digest || digest == UINT32_MAX || signature == UINT32_MAX ||
		elf.sections[digest].sh_size != 32 || elf.sections[digest].sh_type == SHT_NOBITS)
		return;
	if (signature && elf.sections[signature].sh_type == SHT_NOBITS)
		return;
	uint8_t sum[32];
	polb_bundle_digest(&elf, digest, signature, sum);
	memcpy(file + elf.sections[digest].sh_offset, sum, 32);
}

/* Touches what a user of an accepted bundle touches. */
static void use(const struct polb_bundle *b)
{
	char text[100];

	for (size_t i = 0; i < b->n_selectors; i++) {
		struct polb_identity_view view = {.kinds = POLB_KIND_POD};
		struct polb_selector selector;
		void *scratch;

		if (polb_bundle_selector(b, i, &selector, &scratch))
			continue;
		polb_selector_matches(&selector, &view);
		free(scratch);
	}
	for (__u32 i = 0; i < b->n_rules + 20; i++)
		polb_bundle_rule_text(b, i, text, sizeof(text));
}

static void flips_with_matching_digest(void **state)
{
	struct polb_bundle bundle = sample(), read;
	size_t size, accepted = 0;
	char *file = write_sample(&bundle, &size), error[POLB_ERROR_TEXT];
	static const unsigned char patterns[] = {0x01, 0x80, 0xff, 0x7f};

	(void)state;
	for (size_t i = 0; i < size; i++)
		for (size_t p = 0; p < N(patterns); p++) {
			char *flipped = memcpy(malloc(size), file, size);

			flipped[i] ^= (char)patterns[p];
			reseal(flipped, size);
			if (!polb_bundle_read(flipped, size, &read, error)) {
				accepted++;
				use(&read);
			}
			free(flipped);
		}
	assert_true(accepted > 0); /* the digest was made to match: some changes are legal values */
	free(file);
}

static void refuses_tables(void **state)
{
	static const struct polb_row bad_pass[] = {{.default_verdict = POLB_VERDICT_ALLOW},
		{.n_steps = 2, .pass_to = 0, .default_verdict = POLB_VERDICT_DENY}};
	static const __u32 bad_index[] = {1, 0, 1, 1};
	struct object object;
	struct polb_bundle b;
	char error[POLB_ERROR_TEXT];
	void *out = NULL;
	size_t size;

	(void)state;
	object_make(&object);
#define REFUSED(change)                                                                            \
	b = sample();                                                                              \
	change;                                                                                    \
	assert_int_equal(                                                                          \
		polb_bundle_write(&object, sizeof(object), &b, &out, &size, error), -EINVAL);      \
	assert_null(out)
	REFUSED(b.rows = bad_pass);        /* a PASS that goes back */
	REFUSED(b.rows_index = bad_index); /* table 0 is not "no policy" */
	REFUSED(b.n_rows_index = 3);
	REFUSED(b.n_ports = 2);   /* uncovered ports */
	REFUSED(b.n_classes = 2); /* peers name class 2 */
	REFUSED(b.manifest.n_tables = 1);
	REFUSED(b.manifest.n_rules = 1);
	REFUSED(b.n_steps = 1);
	REFUSED(b.n_rule_ids = 1);
	REFUSED(b.n_step_words = 1);
	REFUSED(b.manifest.has_cidr4 = 0);
	REFUSED(b.strings_size--); /* unterminated */
	REFUSED(b.manifest.n_words = 0);
	REFUSED(b.manifest.n_words = 1u << 31);
	REFUSED(b.manifest.abi_version++);
	REFUSED(object.sections[1].sh_size = 1u << 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(object_is_kept_without_debug),
		cmocka_unit_test(selectors_come_back),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(every_flip),
		cmocka_unit_test(flips_with_matching_digest),
		cmocka_unit_test(refuses_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
