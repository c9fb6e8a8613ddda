/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tracing tables of bundles: round trip, every entry that points nowhere, hostile bytes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sodium.h>

#include "bundle_object.h"
#include "runtime/trace_tables.h"
#include "runtime/workload.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* Strings by offset. */
enum {
	POLICY = 1,      /* policy */
	SPACE = 8,       /* space */
	PROGRAM = 14,    /* polt_h0 */
	SYMBOL = 22,     /* do_it */
	EVENT = 28,      /* sched/exec */
	FILE_PATH = 39,  /* /bin/x */
	PROBE = 46,      /* prov:one */
	DIGEST = 55,     /* sha1:00 */
	BAD_SYMBOL = 63, /* a b */
	BAD_EVENT = 67,  /* ../../x */
	LONE_EVENT = 75, /* exec */
};
static const char strings[] = "\0policy\0space\0polt_h0\0do_it\0sched/exec\0/bin/x\0prov:one\0"
			      "sha1:00\0a b\0../../x\0exec";
static const char source_strings[] = "\0policy.yaml";

/* Writable: a test breaks one member and puts it back. */
static __u32 values[] = {DIGEST, POLICY};
static struct polb_bundle_label labels[] = {{POLICY, SPACE, POLICY}};
static struct polb_bundle_trace_policy trace_policies[] = {{.name = POLICY,
								   .namespace = SPACE,
								   .kind = POLICY,
								   .mode = POLB_MODE_ENFORCE,
								   .enforces = 1,
								   .file = 1,
								   .line = 4},
	{.name = POLICY, .kind = POLICY, .mode = POLB_MODE_MONITOR_ONLY}};
static struct polb_bundle_trace_spec trace_specs[] = {{.policy = 0,
							      .n_symbols = 1,
							      .n_values = 1,
							      .n_selectors = 2,
							      .message = POLICY,
							      .first_tag = 1,
							      .n_tags = 1},
	{.policy = 1, .section = 5, .path = FILE_PATH, .provider = POLICY, .name = POLICY}};
static struct polb_bundle_trace_symbol trace_symbols[] = {{SYMBOL}};
static struct polb_bundle_trace_value trace_values[] = {
	{POLB_ARGUMENT_RETURN, 0, 0, POLB_TYPE_FILE, POLICY, SPACE}};
static struct polb_bundle_trace_selector trace_selectors[] = {
	{.spec = 0, .position = 0, .actions = 1 << POLB_ACTION_SIGKILL, .label = POLICY},
	{.spec = 0, .position = 1, .url = POLICY, .fqdn = POLICY}};
static struct polb_bundle_trace_condition trace_conditions[] = {
	{.spec = 0, .selector = 1, .kind = POLB_CONDITION_BINARY, .bit = 63, .text = POLICY},
	{.spec = 1, .selector = ~0u, .kind = POLB_CONDITION_WORKLOAD, .word = 1}};
static struct polb_bundle_trace_hook trace_hooks[] = {
	{POLICY, 0, 2, POLB_TRACE_TRACKING}, {POLICY, 2, 1, POLB_TRACE_OPTIONAL}};
static struct polb_bundle_trace_alternative trace_alternatives[] = {
	{0, 1, POLICY}, {1, 1, POLICY}, {2, 1, POLICY}};
static struct polb_bundle_trace_program trace_programs[] = {
	{.name = PROGRAM, .mechanism = POLB_MECHANISM_FENTRY, .target = SYMBOL},
	{.name = PROGRAM, .mechanism = POLB_MECHANISM_TRACEPOINT, .target = EVENT},
	{.name = PROGRAM,
		.mechanism = POLB_MECHANISM_USDT,
		.target = FILE_PATH,
		.symbol = PROBE,
		.n_digests = 1}};
static struct polb_bundle_trace_string trace_strings[] = {
	{0, 0, 0, 6, 1}, {0, 1, 8, 5, 2}, {0, 2, 16, 2, 4}, {1, 0, 0, 6, 8}};
static __u8 trace_bytes[24] = "/bin/x\0\0/bin/\0\0\0/x";
static __u32 trace_automata[] = {1, 2, 3};
static struct polb_bundle_trace_interval trace_intervals[] = {{1, 1}, {5, 9}};
static struct polb_bundle_trace_net trace_nets[] = {{0, {{10}, 4, 8, {0}}}};
static struct polb_bundle_trace_cgroup trace_cgroups[] = {
	{FILE_PATH, 0, SPACE, POLICY, POLICY, POLICY, 0, 0, 1},
	{0, POLICY, SPACE, POLICY, POLICY, POLICY, 2, 0, 0}};
static __u64 trace_words[] = {1, 2, 3, 4};
static struct polb_bundle_requirement requirements[] = {
	{.op = POLB_OP_IN, .key = POLICY, .n_values = 2}, {.op = POLB_OP_EXISTS, .key = SPACE}};
/* as many as need two words */
static struct polb_bundle_trace_workload trace_workloads[65] = {
	{.namespace = SPACE,
		.flags = POLB_WORKLOAD_PODS | POLB_WORKLOAD_CONTAINERS,
		.n_pods = 1,
		.first_container = 1,
		.n_containers = 1},
	{.flags = POLB_WORKLOAD_HOST}};

static struct polb_bundle sample(void)
{
	struct polb_bundle b = {.manifest = {.magic = POLB_BUNDLE_MAGIC,
					.version = POLB_BUNDLE_VERSION,
					.abi_version = POLB_ABI_VERSION,
					.hooks = POLB_HOOK_TRACE,
					.binary_words = 1,
					.workload_words = 2,
					.n_trace_selectors = N(trace_selectors),
					.string_seed = 7}};

#define X(field, name, type)                                                                       \
	b.field = field;                                                                           \
	b.n_##field = N(field);
	POLB_BUNDLE_TRACE_TABLES(X)
#undef X
	b.requirements = requirements;
	b.n_requirements = N(requirements);
	b.values = values;
	b.n_values = N(values);
	b.labels = labels;
	b.n_labels = N(labels);
	b.strings = strings;
	b.strings_size = sizeof(strings);
	b.source_strings = source_strings;
	b.source_strings_size = sizeof(source_strings);
	return b;
}

static int write_bundle(
	const struct polb_bundle *bundle, void **out, size_t *size, char error[POLB_ERROR_TEXT])
{
	struct object object;

	*out = NULL;
	object_make(&object);
	return polb_bundle_write(&object, sizeof(object), bundle, out, size, error);
}

static void round_trip(void **state)
{
	struct polb_bundle bundle = sample(), read;
	char error[POLB_ERROR_TEXT] = "";
	void *file;
	size_t size;

	(void)state;
	if (write_bundle(&bundle, &file, &size, error))
		fail_msg("%s", error);
	assert_int_equal(polb_bundle_read(file, size, &read, error), 0);
	assert_memory_equal(&read.manifest, &bundle.manifest, sizeof(read.manifest));
#define X(field, name, type)                                                                       \
	assert_int_equal(read.n_##field, bundle.n_##field);                                        \
	assert_memory_equal(read.field, bundle.field, bundle.n_##field * sizeof(type));
	POLB_BUNDLE_TRACE_TABLES(X)
#undef X
	free(file);
}

/* --- broken entries --------------------------------------------------------------------------- */

static void expect_refused(const struct polb_bundle *bundle, const char *what)
{
	char error[POLB_ERROR_TEXT] = "";
	void *file;
	size_t size;

	if (write_bundle(bundle, &file, &size, error) != -EINVAL)
		fail_msg("%s: not refused", what);
	assert_null(file);
}

/* A member takes a bad value; the bundle is refused; the member is as before. */
#define BROKEN(member, bad)                                                                        \
	do {                                                                                       \
		__typeof__(member) kept_ = (member);                                               \
		struct polb_bundle broken_ = sample();                                             \
		(member) = (bad);                                                                  \
		expect_refused(&broken_, #member " = " #bad);                                      \
		(member) = kept_;                                                                  \
	} while (0)
#define NOWHERE 0xffffff00u

static void strings_that_are_nowhere(void **state)
{
	(void)state;
	BROKEN(trace_policies[0].name, NOWHERE);
	BROKEN(trace_policies[0].namespace, NOWHERE);
	BROKEN(trace_policies[1].kind, (__u32)sizeof(strings));
	BROKEN(trace_policies[0].file, NOWHERE);
	BROKEN(trace_specs[0].message, NOWHERE);
	BROKEN(trace_specs[1].path, NOWHERE);
	BROKEN(trace_specs[1].provider, NOWHERE);
	BROKEN(trace_specs[1].name, NOWHERE);
	BROKEN(trace_symbols[0].name, NOWHERE);
	BROKEN(trace_values[0].label, NOWHERE);
	BROKEN(trace_values[0].resolve, NOWHERE);
	BROKEN(trace_selectors[0].label, NOWHERE);
	BROKEN(trace_selectors[0].url, NOWHERE);
	BROKEN(trace_selectors[0].fqdn, NOWHERE);
	BROKEN(trace_conditions[0].text, NOWHERE);
	BROKEN(trace_conditions[0].spec, NOWHERE);
	BROKEN(trace_conditions[0].selector, NOWHERE);
	BROKEN(trace_conditions[0].word, 1);
	BROKEN(trace_conditions[0].bit, 64);
	BROKEN(trace_conditions[1].kind, 0);
	BROKEN(trace_hooks[0].text, NOWHERE);
	BROKEN(trace_alternatives[0].reason, NOWHERE);
	BROKEN(trace_programs[0].name, NOWHERE);
	BROKEN(trace_programs[0].target, NOWHERE);
	BROKEN(trace_programs[0].symbol, NOWHERE);
	BROKEN(trace_programs[0].same_as, NOWHERE);
	BROKEN(trace_cgroups[0].cgroup, NOWHERE);
	BROKEN(trace_cgroups[0].container_id, NOWHERE);
	BROKEN(trace_cgroups[0].namespace, NOWHERE);
	BROKEN(trace_cgroups[0].image, NOWHERE);
	BROKEN(trace_workloads[0].namespace, NOWHERE);
	BROKEN(requirements[0].key, NOWHERE);
	BROKEN(values[1], NOWHERE);
	BROKEN(labels[0].value, NOWHERE);
}

static void ranges_that_leave_their_table(void **state)
{
	(void)state;
	BROKEN(trace_specs[0].policy, 2);
	BROKEN(trace_specs[0].n_symbols, 2);
	BROKEN(trace_specs[0].first_symbol, UINT32_MAX);
	BROKEN(trace_specs[0].n_values, 2);
	BROKEN(trace_specs[0].first_value, UINT32_MAX);
	BROKEN(trace_specs[0].n_selectors, 3);
	BROKEN(trace_specs[0].first_selector, UINT32_MAX);
	BROKEN(trace_specs[0].n_tags, 2);
	BROKEN(trace_selectors[1].spec, 2);
	BROKEN(trace_selectors[1].spec, 1); /* spec 0 says that it is its own */
	BROKEN(trace_hooks[0].n_alternatives, 4);
	BROKEN(trace_hooks[0].n_alternatives, 0);
	BROKEN(trace_hooks[1].first_alternative, 3);
	BROKEN(trace_alternatives[2].n_programs, 2);
	BROKEN(trace_alternatives[2].n_programs, 0);
	BROKEN(trace_alternatives[2].first_program, UINT32_MAX);
	BROKEN(trace_programs[2].n_digests, 3);
	BROKEN(trace_programs[2].first_digest, UINT32_MAX);
	BROKEN(trace_strings[0].offset, 24);
	BROKEN(trace_strings[0].size, 25);
	BROKEN(trace_cgroups[1].first_word, 3);
	BROKEN(trace_cgroups[0].n_labels, 2);
	BROKEN(trace_workloads[0].n_pods, 3);
	BROKEN(trace_workloads[0].first_pod, UINT32_MAX);
	BROKEN(trace_workloads[0].n_containers, 2);
	BROKEN(trace_workloads[0].first_container, UINT32_MAX);
	BROKEN(trace_conditions[1].bit, 1); /* the 66th workload */
}

static void values_that_mean_nothing(void **state)
{
	(void)state;
	BROKEN(trace_policies[0].mode, 3);
	BROKEN(trace_policies[0].enforces, 2);
	BROKEN(trace_specs[0].section, 6);
	BROKEN(trace_specs[0].raw, 2);
	BROKEN(trace_values[0].place, POLB_ARGUMENT_RETURN + 1);
	BROKEN(trace_values[0].type, POLB_N_TRACE_TYPES);
	BROKEN(trace_values[0].type, POLB_TYPE_AUTO);
	BROKEN(trace_selectors[0].actions, 1ull << POLB_N_TRACE_ACTIONS);
	BROKEN(trace_selectors[0].return_actions, 1ull << 63);
	BROKEN(trace_hooks[0].flags, 1u << 31);
	BROKEN(trace_programs[0].mechanism, POLB_N_MECHANISMS);
	BROKEN(trace_programs[0].flags, 1u << 31);
	BROKEN(trace_programs[2].usdt, 65536);
	BROKEN(trace_strings[0].domain, 65536);
	BROKEN(trace_strings[0].op, 3);
	BROKEN(trace_strings[0].offset, 1);
	BROKEN(trace_strings[2].size, 125);
	BROKEN(trace_intervals[0].lo, 2);
	BROKEN(trace_nets[0].set, 65536);
	BROKEN(trace_nets[0].prefix.len, 33);
	BROKEN(trace_nets[0].prefix.addr[1], 1);
	BROKEN(trace_nets[0].prefix.family, 5);
	BROKEN(trace_workloads[0].flags, 8);
	BROKEN(trace_workloads[0].flags, POLB_WORKLOAD_CONTAINERS);
	BROKEN(trace_workloads[0].flags, POLB_WORKLOAD_PODS);
}

/* They become paths and symbols. */
static void names_that_are_none(void **state)
{
	(void)state;
	BROKEN(trace_programs[0].name, 0);
	BROKEN(trace_programs[0].name, BAD_SYMBOL);
	BROKEN(trace_programs[0].target, 0);
	BROKEN(trace_programs[0].target, BAD_SYMBOL);
	BROKEN(trace_programs[0].target, FILE_PATH);
	BROKEN(trace_programs[1].target, BAD_EVENT);
	BROKEN(trace_programs[1].target, LONE_EVENT);
	BROKEN(trace_programs[2].target, 0);
	BROKEN(trace_programs[2].symbol, SYMBOL);
}

#define REFUSED(change)                                                                            \
	do {                                                                                       \
		struct polb_bundle b = sample();                                                   \
		change;                                                                            \
		expect_refused(&b, #change);                                                       \
	} while (0)

static void manifests_and_tables(void **state)
{
	struct polb_row row = {.default_verdict = POLB_VERDICT_ALLOW};

	(void)state;
	REFUSED(b.manifest.hooks = 16);
	REFUSED(b.manifest.hooks = POLB_HOOK_CGROUP);
	REFUSED(b.manifest.hooks |= POLB_HOOK_CGROUP);
	REFUSED(b.manifest.binary_words = 1025);
	REFUSED(b.manifest.workload_words = 1025);
	REFUSED(b.manifest.workload_words = 3);
	REFUSED(b.manifest.n_trace_selectors = 1);
	REFUSED(b.manifest.n_trace_selectors = 5);
	REFUSED(b.manifest.n_rules = 1);
	REFUSED(b.n_trace_hooks = 0);
	REFUSED(b.n_trace_policies = 1);
	REFUSED(b.n_trace_words = 3);
	REFUSED(b.n_trace_workloads = 64);
	REFUSED(b.n_trace_bytes = 5);
	REFUSED(b.rows = &row; b.n_rows = 1);
}

/* Tracing tables in a bundle that says it does not trace. */
static void tables_without_programs(void **state)
{
	(void)state;
#define X(field, name, type)                                                                       \
	{                                                                                          \
		struct polb_bundle b = sample(), from = b;                                         \
		size_t size = 0;                                                                   \
		char error[POLB_ERROR_TEXT];                                                       \
		void *file = NULL;                                                                 \
		memset(&b, 0, sizeof(b));                                                          \
		b.manifest = from.manifest;                                                        \
		b.manifest.binary_words = b.manifest.workload_words = 0;                           \
		b.manifest.n_trace_selectors = 0;                                                  \
		b.manifest.hooks = POLB_HOOK_TC;                                                   \
		b.strings = strings;                                                               \
		b.strings_size = sizeof(strings);                                                  \
		b.field = from.field;                                                              \
		b.n_##field = from.n_##field;                                                      \
		assert_int_equal(write_bundle(&b, &file, &size, error), -EINVAL);                  \
		assert_string_equal(error, "tracing tables without tracing programs");             \
	}
	POLB_BUNDLE_TRACE_TABLES(X)
#undef X
}

/* --- hostile bytes ---------------------------------------------------------------------------- */

static void ask_workloads(const struct polb_bundle *b)
{
	const struct polb_label label = {"k8s", "policy", "space"};
	const struct polb_workload workload = {.namespace = "space",
		.labels_known = true,
		.labels = &label,
		.n_labels = 1,
		.image = "a:1"};
	__u64 *words = calloc(b->manifest.workload_words + 1, sizeof(*words));

	assert_non_null(words);
	polb_workload_bits(b, &workload, words);
	polb_workload_is_uncertain(b, &workload);
	free(words);
}

/* The reader survives, and so does whoever believes it. */
static void use(const struct polb_bundle *b)
{
	char text[64];

	for (__u32 i = 0; i <= b->n_trace_policies; i++)
		polb_trace_policy_text(b, i, text, sizeof(text));
	polb_trace_classify(b, 0, "/bin/x", 6);
	polb_trace_same_binaries(b, b);
	ask_workloads(b);
	for (size_t i = 0; i < b->n_trace_strings; i++)
		polb_trace_hash(b->manifest.string_seed,
			(const char *)b->trace_bytes + b->trace_strings[i].offset,
			b->trace_strings[i].size);
}

static void seal(__u8 *file, size_t size)
{
	struct polb_elf elf;
	__u32 digest;

	if (polb_elf_open(file, size, &elf))
		return;
	digest = polb_elf_find(&elf, POLB_SECTION_DIGEST);
	if (!digest || digest == UINT32_MAX || elf.sections[digest].sh_size != 32)
		return;
	memset(file + elf.sections[digest].sh_offset, 0, 32);
	polb_bundle_digest(&elf, digest, polb_elf_find(&elf, POLB_SECTION_SIGNATURE),
		file + elf.sections[digest].sh_offset);
}

static void flips_with_matching_digest(void **state)
{
	struct polb_bundle bundle = sample(), read;
	char error[POLB_ERROR_TEXT];
	__u8 *file, *copy;
	size_t size;
	void *out;

	(void)state;
	assert_int_equal(write_bundle(&bundle, &out, &size, error), 0);
	file = out;
	for (size_t i = 0; i < size; i++) {
		copy = malloc(size);
		assert_non_null(copy);
		memcpy(copy, file, size);
		copy[i] ^= i % 3 == 0 ? 0xff : i % 3 == 1 ? 0x80 : 1;
		seal(copy, size);
		if (polb_bundle_read(copy, size, &read, error) == 0)
			use(&read);
		free(copy);
	}
	free(file);
}

/* --- questions -------------------------------------------------------------------------------- */

static void classifies(void **state)
{
	const struct polb_bundle b = sample();

	(void)state;
	assert_int_equal(polb_trace_classify(&b, 0, "/bin/x", 6), 7);
	assert_int_equal(polb_trace_classify(&b, 0, "/bin/xy", 7), 2);
	assert_int_equal(polb_trace_classify(&b, 0, "/x", 2), 4);
	assert_int_equal(polb_trace_classify(&b, 0, "", 0), 0);
	assert_int_equal(polb_trace_classify(&b, 1, "/bin/x", 6), 8);
	assert_int_equal(polb_trace_classify(&b, 2, "/bin/x", 6), 0);
}

static void same_binaries(void **state)
{
	struct polb_bundle a = sample(), b = sample();
	struct polb_bundle_trace_string other[N(trace_strings)];

	(void)state;
	assert_true(polb_trace_same_binaries(&a, &b));
	memcpy(other, trace_strings, sizeof(other));
	b.trace_strings = other;
	other[3].bits = 1; /* not a binary's */
	assert_true(polb_trace_same_binaries(&a, &b));
	other[2].bits = 8;
	assert_false(polb_trace_same_binaries(&a, &b));
	b = sample();
	b.n_trace_strings = 2;
	assert_false(polb_trace_same_binaries(&a, &b));
}

/* Selector 0: pods of "space" labelled policy in (sha1:00, policy), in containers (it asks "space",
 * which no container has). 1: the host. 2: all. */
static void workloads(void **state)
{
	struct polb_bundle b = sample();
	struct polb_bundle_trace_workload asked[65];
	const struct polb_label label = {"k8s", "policy", "policy"};
	struct polb_workload web = {.namespace = "space",
		.labels_known = true,
		.container_known = true,
		.labels = &label,
		.n_labels = 1,
		.container = "main"};
	__u64 words[2] = {~0ull, ~0ull};

	(void)state;
	memcpy(asked, trace_workloads, sizeof(asked));
	b.trace_workloads = asked;
	assert_int_equal(polb_workload_bits(&b, &web, words), 0);
	/* the 63 without any selector hold for all but the host */
	assert_int_equal(words[0], ~3ull);
	assert_int_equal(words[1], 1);
	asked[0].n_containers = 0;
	asked[0].flags = POLB_WORKLOAD_PODS;
	assert_int_equal(polb_workload_bits(&b, &web, words), 0);
	assert_int_equal(words[0], ~2ull);
	web.namespace = "other";
	assert_int_equal(polb_workload_bits(&b, &web, words), 0);
	assert_int_equal(words[0], ~3ull);
	web.namespace = NULL;
	assert_int_equal(polb_workload_is_uncertain(&b, &web), 1);
	web = (struct polb_workload){.host = true};
	assert_int_equal(polb_workload_bits(&b, &web, words), 0);
	assert_int_equal(words[0], 2);
	assert_int_equal(words[1], 0);
	b.n_trace_workloads = 0;
	assert_true(polb_bundle_asks_workloads(&b));
	assert_false(polb_bundle_knows_workloads(&b));
	assert_int_equal(polb_workload_bits(&b, &web, words), -ENOENT);
}

/* The truth table of one selector and one workload. */
static void workload_selectors(void **state)
{
	const char *const side_values[] = {"registry:5000/side"};
	const struct polb_requirement repo = {POLB_OP_IN, "", "repo", side_values, 1};
	const struct polb_requirement no_repo = {POLB_OP_NOT_IN, "", "repo", side_values, 1};
	struct polb_workload_selector s = {
		.has_containers = true, .containers = &repo, .n_containers = 1};
	struct polb_workload w = {.namespace = "n", .labels_known = true};
	static const struct {
		const char *image;
		int in, not_in;
	} table[] = {{"registry:5000/side", 1, 0}, {"registry:5000/side:2", 1, 0},
		{"registry:5000/side@sha256:00", 1, 0}, {"registry:5000/side:2@sha256:00", 1, 0},
		{"registry:5000/sidecar", 0, 1}, {"registry:5000/other", 0, 1}, {"registry", 0, 1},
		{NULL, -1, -1}};

	(void)state;
	for (size_t i = 0; i < N(table); i++) {
		w.image = table[i].image;
		s.containers = &repo;
		assert_int_equal(polb_workload_holds(&s, &w), table[i].in);
		s.containers = &no_repo;
		assert_int_equal(polb_workload_holds(&s, &w), table[i].not_in);
	}
	w.container_known = true; /* a pod's own cgroup: there is none */
	assert_int_equal(polb_workload_holds(&s, &w), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(strings_that_are_nowhere),
		cmocka_unit_test(ranges_that_leave_their_table),
		cmocka_unit_test(values_that_mean_nothing),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(manifests_and_tables),
		cmocka_unit_test(tables_without_programs),
		cmocka_unit_test(flips_with_matching_digest),
		cmocka_unit_test(classifies),
		cmocka_unit_test(same_binaries),
		cmocka_unit_test(workloads),
		cmocka_unit_test(workload_selectors),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
