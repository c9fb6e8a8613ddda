/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The front end of tracing policies: defaults, normal forms, what is refused and what is only
 * warned about; and both spellings there and back, over hand-written policies and, when it is
 * there, the corpus of real ones ($POLC_SHARED/corpus, else ../shared/corpus).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ftw.h>
#include <unistd.h>

#include "compiler/frontend/pol.h"
#include "tracing_equal.h"

struct reading {
	struct polc polc;
	struct polc_input input;
};

static void parse_yaml(struct reading *r, uint32_t source)
{
	polc_yaml_documents documents = {0};

	polc_yaml_parse_bytes(&r->polc, source, &documents);
	for (size_t i = 0; i < documents.n; i++) {
		const struct polc_yaml *kind = polc_yaml_get(documents.items[i], "kind");

		if (kind && kind->value && !strncmp(kind->value, "TracingPolicy", 13))
			polc_parse_tracing(&r->polc, &r->input.tracings, documents.items[i]);
	}
}

static void parse(struct reading *r, const char *text, size_t n, bool pol)
{
	uint32_t source;

	polc_init(&r->polc);
	r->input = (struct polc_input){0};
	source = polc_source_add(&r->polc.arena, &r->polc.sources, "test", text, n);
	if (pol)
		polc_parse_pol(&r->polc, &r->input, source);
	else
		parse_yaml(r, source);
}

static struct polc_buf print(struct reading *r, bool pol)
{
	struct polc_buf raw = {.arena = &r->polc.arena}, out = {.arena = &r->polc.arena};

	for (size_t i = 0; i < r->input.tracings.n; i++) {
		polc_buf_puts(&raw, i && !pol ? "---\n" : "");
		(pol ? polc_tracing_print_pol : polc_tracing_print_yaml)(
			r->input.tracings.items[i], &raw);
	}
	if (!pol || !raw.n)
		return raw;
	pol_layout(raw.p, raw.n, &out);
	return out;
}

/* Prints in one spelling, reads that, compares, prints again. */
static void check_print(struct reading *r, const char *name, bool pol)
{
	struct polc_buf text = print(r, pol), second;
	struct reading again;

	parse(&again, text.p, text.n, pol);
	if (again.polc.n_errors || again.polc.n_warnings) {
		polc_diagnostics_print_text(&again.polc, stderr, false);
		fail_msg("%s: what was printed is refused:\n%s", name, text.p);
	}
	assert_int_equal(again.input.tracings.n, r->input.tracings.n);
	for (size_t i = 0; i < again.input.tracings.n; i++)
		if (!same_tracing(r->input.tracings.items[i], again.input.tracings.items[i]))
			fail_msg("%s: the tree differs:\n%s", name, text.p);
	second = print(&again, pol);
	assert_string_equal(second.p, text.p);
	polc_free(&again.polc);
}

static void check_text(const char *text, size_t n, bool pol)
{
	struct reading r;

	parse(&r, text, n, pol);
	if (r.polc.n_errors)
		polc_diagnostics_print_text(&r.polc, stderr, false);
	assert_int_equal(r.polc.n_errors, 0);
	assert_int_equal(r.input.tracings.n, 1);
	check_print(&r, text, true);
	check_print(&r, text, false);
	polc_free(&r.polc);
}

#define HEAD "apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata:\n  name: p\n"
#define SPEC HEAD "spec:\n"
#define KPROBE SPEC "  kprobes:\n  - call: f\n    syscall: false\n"
#define WHEN KPROBE "    args: [{index: 0, type: int}]\n    selectors:\n    - "

/* Defaults and normal forms */

static void test_defaults(void **state)
{
	struct reading r;
	const struct polc_ast_hook *hook;
	const struct polc_ast_filter *filter;
	static const char text[] =
		SPEC "  kprobes:\n"
		     "  - call: sys_openat\n"
		     "    args: [{index: 2}]\n"
		     "    selectors:\n"
		     "    - matchCapabilities: [{operator: in, values: [CAP_SYS_ADMIN]}]\n"
		     "      matchArgs: [{operator: lt, values: [7]}]\n";

	(void)state;
	parse(&r, text, strlen(text), false);
	assert_int_equal(r.polc.n_errors + r.polc.n_warnings, 0);
	hook = &r.input.tracings.items[0]->hooks.items[0];
	assert_true(hook->syscall);
	assert_false(hook->syscall_written);
	assert_string_equal(hook->args.items[0].type.text, "auto");
	assert_int_equal(hook->args.items[0].index.value, 2);
	/* by kind, not as written; words as in the schema; the index that is meant */
	filter = hook->selectors.items[0].filters.items;
	assert_int_equal(filter[0].kind, POLC_FILTER_ARGS);
	assert_string_equal(filter[0].op.text, "LT");
	assert_true(filter[0].index.written);
	assert_string_equal(filter[0].values.items[0].text, "7");
	assert_string_equal(filter[1].op.text, "In");
	assert_string_equal(filter[1].type.text, "Effective");
	polc_free(&r.polc);
}

static void test_order_of_sections(void **state)
{
	struct reading r;
	static const char text[] = SPEC "  lsmhooks: [{hook: file_open}]\n"
					"  kprobes: [{call: a}, {call: b}]\n"
					"  loader: true\n";
	const struct polc_ast_tracing *policy;

	(void)state;
	parse(&r, text, strlen(text), false);
	policy = r.input.tracings.items[0];
	assert_int_equal(policy->hooks.n, 3);
	assert_string_equal(policy->hooks.items[0].call.text, "a");
	assert_string_equal(policy->hooks.items[1].call.text, "b");
	assert_int_equal(policy->hooks.items[2].section, POLC_SECTION_LSM);
	assert_true(policy->loader);
	polc_free(&r.polc);
}

static void test_values_with_nul(void **state)
{
	struct reading r;
	static const char text[] =
		WHEN "matchArgs: [{index: 0, operator: Equal, values: [\"a\\0b\\0\"]}]\n";
	const struct polc_ast_text *value;

	(void)state;
	parse(&r, text, strlen(text), false);
	assert_int_equal(r.polc.n_errors, 0);
	value = r.input.tracings.items[0]
			->hooks.items[0]
			.selectors.items[0]
			.filters.items[0]
			.values.items;
	assert_int_equal(value->n, 4);
	assert_memory_equal(value->text, "a\0b\0", 5);
	polc_free(&r.polc);
	check_text(text, strlen(text), false);
}

/* Reports: the only one about a text; severity 0 is an error */

struct report_case {
	const char *text;
	enum polc_severity severity;
	enum polc_code code;
	const char *part; /* of message or suggestion */
};

static void expect_report(const struct report_case *c, bool pol)
{
	const struct polc_diagnostic *d;
	struct reading r;

	parse(&r, c->text, strlen(c->text), pol);
	if (r.polc.diagnostics.n != 1 || r.polc.diagnostics.items[0]->code != c->code ||
		r.polc.diagnostics.items[0]->severity != c->severity) {
		polc_diagnostics_print_text(&r.polc, stderr, false);
		fail_msg("expected POLC%04d: %s", c->code, c->text);
	}
	d = r.polc.diagnostics.items[0];
	if (!strstr(d->message, c->part) && !(d->suggestion && strstr(d->suggestion, c->part)))
		fail_msg("not \"%s\": %s (%s)", c->part, d->message, d->suggestion);
	polc_free(&r.polc);
}

static const struct report_case yaml_reports[] = {
	{HEAD, POLC_ERROR, POLC_CODE_MISSING_FIELD, "spec is missing"},
	{HEAD "spec: {}\n", POLC_ERROR, POLC_CODE_EMPTY_SPEC, "no hook"},
	{SPEC "  loader: maybe\n", POLC_ERROR, POLC_CODE_WRONG_TYPE, "spec.loader"},
	{SPEC "  kprobe: []\n", POLC_ERROR, POLC_CODE_UNKNOWN_FIELD, "kprobes"},
	{SPEC "  kprobes: [{}]\n", POLC_ERROR, POLC_CODE_MISSING_FIELD, "spec.kprobes[0].call"},
	{SPEC "  tracepoints: [{subsystem: a, event: b, return: true}]\n", POLC_ERROR,
		POLC_CODE_UNKNOWN_FIELD, "return"},
	{KPROBE "    return: true\n", POLC_ERROR, POLC_CODE_MISSING_FIELD, "returnArg"},
	{KPROBE "    returnArg: {index: 0, type: int}\n", POLC_WARNING, POLC_CODE_IGNORED_FIELD,
		"returnArg"},
	{KPROBE "    args: [{type: int}]\n", POLC_ERROR, POLC_CODE_MISSING_FIELD, "index"},
	{KPROBE "    args: [{index: 0, type: strng}]\n", POLC_ERROR, POLC_CODE_UNKNOWN_VALUE,
		"did you mean \"string\""},
	{KPROBE "    args: [{index: -1, type: int}]\n", POLC_ERROR, POLC_CODE_TRACE_VALUE, "index"},
	{KPROBE "    args: [{index: 0, type: int, source: current_task}]\n", POLC_ERROR,
		POLC_CODE_TRACE_ARGUMENT, "data"},
	{KPROBE "    data: [{index: 0, type: int, source: current_task}]\n", POLC_ERROR,
		POLC_CODE_MISSING_FIELD, "resolve"},
	{KPROBE "    message: x\n", POLC_ERROR, POLC_CODE_TRACE_VALUE, "2 to 256"},
	{WHEN "matchArgs: [{index: 0, operator: Equals, values: [\"1\"]}]\n", POLC_ERROR,
		POLC_CODE_UNKNOWN_VALUE, "Equal"},
	{WHEN "matchArgs: [{index: 0, operator: Equal}]\n", POLC_ERROR, POLC_CODE_MISSING_FIELD,
		"needs values"},
	{WHEN "matchArgs: [{index: 0, operator: SPortPriv, values: [\"1\"]}]\n", POLC_WARNING,
		POLC_CODE_IGNORED_FIELD, "no values"},
	{WHEN "matchArgs: [{index: 0, operator: Equal, values: [true]}]\n", POLC_ERROR,
		POLC_CODE_WRONG_TYPE, "quote it"},
	{WHEN "matchArgs: [{index: 0, operator: Equal, values: [\"1\"], onError: maybe}]\n",
		POLC_ERROR, POLC_CODE_UNKNOWN_VALUE, "nomatch"},
	{WHEN "matchPIDs: [{operator: In, values: [\"1\"]}]\n", POLC_ERROR, POLC_CODE_WRONG_TYPE,
		"quotes"},
	{WHEN "matchPIDs: [{operator: In, values: [-1]}]\n", POLC_ERROR, POLC_CODE_TRACE_VALUE,
		"number of a process"},
	{WHEN "matchNamespaces: [{namespace: pids, operator: In, values: [\"1\"]}]\n", POLC_ERROR,
		POLC_CODE_UNKNOWN_VALUE, "Pid"},
	{WHEN "matchWorkloads: [{}]\n", POLC_ERROR, POLC_CODE_MISSING_FIELD, "podSelector"},
	{WHEN "matchActions: [{action: Post, argFd: 0}]\n", POLC_WARNING, POLC_CODE_IGNORED_FIELD,
		"argFd"},
	{WHEN "matchActions: [{action: CopyFD}]\n", POLC_ERROR, POLC_CODE_REMOVED_FEATURE,
		"leave it out"},
	{WHEN "matchActions: [{action: SigKil}]\n", POLC_ERROR, POLC_CODE_UNKNOWN_VALUE, "Sigkill"},
	{WHEN "matchActions: [{action: Post, rateLimitScope: cpu}]\n", POLC_ERROR,
		POLC_CODE_UNKNOWN_VALUE, "thread"},
	{SPEC "  uprobes: [{path: /bin/a}]\n", POLC_ERROR, POLC_CODE_MISSING_FIELD, "exactly one"},
	{SPEC "  uprobes: [{path: /bin/a, symbols: [a], offsets: [1]}]\n", POLC_ERROR,
		POLC_CODE_CONFLICTING_FIELDS, "exactly one"},
	{SPEC "  uprobes: [{path: /bin/a, symbols: [a, b], refCtrOffsets: [1]}]\n", POLC_ERROR,
		POLC_CODE_CONFLICTING_FIELDS, "for 2 places"},
	{SPEC "  usdts: [{path: /bin/a, provider: a}]\n", POLC_ERROR, POLC_CODE_MISSING_FIELD,
		"name"},
	{SPEC "  loader: true\n  lists: [{name: a, type: generated_ftrace}]\n", POLC_ERROR,
		POLC_CODE_TRACE_LIST, "pattern"},
	{SPEC "  loader: true\n  lists: [{name: a, type: generated_syscalls, values: [b]}]\n",
		POLC_ERROR, POLC_CODE_TRACE_LIST, "values"},
	{SPEC "  loader: true\n  lists: [{name: a, values: [b]}, {name: a, values: [b]}]\n",
		POLC_ERROR, POLC_CODE_TRACE_LIST, "twice"},
	{SPEC "  loader: true\n  hostSelector: {matchLabels: {a: b}}\n", POLC_ERROR,
		POLC_CODE_BAD_SELECTOR, "{}"},
	{"apiVersion: cilium.io/v1alpha1\nkind: TracingPolicyNamespaced\nmetadata: {name: p}\n"
	 "spec: {loader: true, hostSelector: {}}\n",
		POLC_ERROR, POLC_CODE_CONFLICTING_FIELDS, "hostSelector"},
	{"apiVersion: cilium.io/v1\nkind: TracingPolicy\nmetadata: {name: p}\nspec: {}\n",
		POLC_ERROR, POLC_CODE_UNKNOWN_KIND, "cilium.io/v1alpha1"},
	{"apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata: {name: P_}\n"
	 "spec: {loader: true}\n",
		POLC_ERROR, POLC_CODE_BAD_NAME, "P_"},
	{"apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\n"
	 "metadata: {name: p, annotations: {polc.dev/event-rate: often}}\nspec: {loader: true}\n",
		POLC_ERROR, POLC_CODE_TRACE_VALUE, "100/s burst 500"},
	{KPROBE "    message: \"a\\0b\"\n", POLC_ERROR, POLC_CODE_ENCODING, "NUL"},
};

static const struct report_case pol_reports[] = {
	{"tracing p { }", POLC_ERROR, POLC_CODE_EMPTY_SPEC, "no hook"},
	{"tracing p { on kprob f; }", POLC_ERROR, POLC_CODE_DSL_SYNTAX, "did you mean 'kprobe'"},
	{"tracing p { on kprobe f(int) when flags == 1; }", POLC_ERROR, POLC_CODE_TRACE_ARGUMENT,
		"(flags: int)"},
	{"tracing p { on kprobe f(flags: int) when flag == 1; }", POLC_ERROR,
		POLC_CODE_TRACE_ARGUMENT, "did you mean 'flags'"},
	{"tracing p { on kprobe f(int) when arg0 mask; }", POLC_ERROR, POLC_CODE_DSL_SYNTAX,
		"a value"},
	{"tracing p { on kprobe f(int) when arg0 not mask 1; }", POLC_ERROR,
		POLC_CODE_UNKNOWN_VALUE, "NotMask"},
	{"tracing p { on kprobe f(int) when arg0 == 1 follow; }", POLC_ERROR,
		POLC_CODE_UNKNOWN_FIELD, "binaries"},
	{"tracing p { on kprobe f(int siz 3); }", POLC_ERROR, POLC_CODE_DSL_SYNTAX,
		"did you mean 'size'"},
	{"tracing p { on kprobe f(int size x); }", POLC_ERROR, POLC_CODE_WRONG_TYPE, "no number"},
	{"tracing p { on kprobe f(int size 1 size 2); }", POLC_ERROR, POLC_CODE_DSL_DUPLICATE,
		"size"},
	{"tracing p { on kprobe f do sigkil; }", POLC_ERROR, POLC_CODE_UNKNOWN_VALUE,
		"did you mean 'sigkill'"},
	{"tracing p { on kprobe f do sigkill 9; }", POLC_ERROR, POLC_CODE_DSL_SYNTAX,
		"no argument"},
	{"tracing p { on lsm f returns int; }", POLC_ERROR, POLC_CODE_UNKNOWN_FIELD, "returns"},
	{"tracing p { on tracepoint f; }", POLC_ERROR, POLC_CODE_DSL_SYNTAX, "subsystem/event"},
	{"tracing p { on kprobe f symbol a; }", POLC_ERROR, POLC_CODE_UNKNOWN_FIELD, "symbol"},
	{"tracing p { loader; host; host; }", POLC_ERROR, POLC_CODE_DSL_DUPLICATE, "twice"},
	{"tracing p { loader; list a = calls (b); }", POLC_ERROR, POLC_CODE_UNKNOWN_VALUE,
		"syscalls"},
	{"tracing p { loader; limit often; }", POLC_ERROR, POLC_CODE_TRACE_VALUE, "100/s"},
	{"tracing p { on kprobe f tags \"a\\x00b\"; }", POLC_ERROR, POLC_CODE_DSL_LEXICAL, "NUL"},
	{"tracing p { on kprobe f(int) when arg0 == \"\\xff\"; }", POLC_ERROR,
		POLC_CODE_DSL_LEXICAL, "UTF-8"},
};

static void test_reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(yaml_reports); i++)
		expect_report(&yaml_reports[i], false);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(pol_reports); i++)
		expect_report(&pol_reports[i], true);
}

static void test_long_message(void **state)
{
	char text[1024] = KPROBE "    message: ";
	struct reading r;

	(void)state;
	memset(text + strlen(text), 'm', 300);
	strcat(text, "\n");
	parse(&r, text, strlen(text), false);
	assert_int_equal(r.polc.n_errors, 0);
	assert_int_equal(r.polc.n_warnings, 1);
	assert_int_equal(r.input.tracings.items[0]->hooks.items[0].message.n, 256);
	polc_free(&r.polc);
}

/* There and back */

static const char *const pol_cases[] = {
	"tracing p in prod { mode monitor; option a = \"1\"; option b; limit 100/s burst 5 sample "
	"2; "
	"loader; pods app = web and tier in (a, in) and not has when; containers repo = "
	"\"docker.io/library/a\"; "
	"nodes on = not; list l = syscalls (sys_a, when); list g = (a); list f = ftrace \"^k\"; "
	"list s = all-syscalls; enforce sys_a, list:l; enforce do; }",
	"tracing p { host; macro m when namespace-pid in 0 follow and macro n as label do sigkill; "
	"on kprobe f when macro m; }",
	"tracing p { on kprobe on(when: int, 7: \"1\": file, fd) returns 3: int then untrack-sock "
	"data (a: int from pt_regs resolve di, 2: string from current_task resolve \"a[0].b\" btf "
	"task_struct module m) message \"a \\\"b\\\" \\x01\" tags when, do optional; }",
	"tracing p { on syscall f(char_buf size 3 return-copy max-data, mask: int, mask: int); "
	"on fentry \"syscall\"(a: int) when a == 1; on fentry syscall f; }",
	"tracing p { on kprobe f(a: int resolve x, 0: b: int resolve y) when b != 1, 2 and a < -1 "
	"and args (0, 1) gains and arg0 > 5 and result not in-range 1:2; }",
	"tracing p { on kprobe f(mask: int) data (d: int from current_task resolve pid) "
	"when mask mask 1, and and d in-map mask and data-args (0, 1) gains "
	"and arg0 in-range 1:2 on-error deny; }",
	"tracing p { on lsm f(file, sock) when arg0 file-type reg and arg0 not prefix /a/ "
	"and arg1 saddr 10.0.0.0/8 and arg1 not sport-priv and arg1 not dport 1, 2:3 "
	"and arg1 state TCP_LISTEN and arg0 == \"a\\x00\", \"\\x00\", \"\\x00b\" "
	"and arg0 substring-ignore-case x and arg0 expression \"arg0 == 1\"; }",
	"tracing p { on kprobe f when pid not in 0, 0x10 follow and binary postfix in follow "
	"on-error match and parent not in and and namespace Net not in host_ns "
	"and namespace-changes in mnt and capability permitted in CAP_BPF namespaced "
	"and capability-changes not in CAP_BPF "
	"and workload pods (a = b and c in (d)) containers (name = x) host as first "
	"do signal 9, override -1, override to-symbol x, override to-address 0x10 "
	"then no-post when all when workload host then post when all as last; }",
	"tracing p { on kprobe f do post every 5m per process kernel-stack user-stack ima-hash, "
	"set index 0 value 3, track-sock 1, notify-enforcer error -1 signal 9, get-url "
	"http://example.com/b, "
	"dns-lookup \"error\", sigkill error 4, cleanup-enforcer, no-post, "
	"override registers (\"rax=1\", rdi) to-offset 2; }",
	"tracing p { on uprobe /bin/a symbol a, b ref-counter 1, 0x2 digest sha256:a btf-file /b "
	"(int) unverified; on uprobe /bin/a offset 1; on uprobe /bin/a address 0xffffffffffffffff "
	"(x: int) returns int when x == 1; on usdt /bin/a provider:name (0: x: int32); "
	"on tracepoint a/b(7: auto, 5: auto); on raw tracepoint a/b; }",
};

static void test_pol_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(pol_cases); i++)
		check_text(pol_cases[i], strlen(pol_cases[i]), true);
}

/* A label that looks like something else is still found. */
static void test_labels(void **state)
{
	static const char text[] =
		KPROBE "    args: [{index: 0, type: int, label: binary}, {index: 1, type: int, "
		       "label: arg0}, {index: 2, type: int, label: \"a:b\"}, {index: 3, type: int, "
		       "label: \"7\"}]\n    selectors:\n    - matchArgs:\n"
		       "      - {index: 0, operator: Equal, values: [\"1\"]}\n"
		       "      - {index: 1, operator: Equal, values: [\"1\"]}\n"
		       "      - {index: 2, operator: Equal, values: [\"1\"]}\n"
		       "      - {index: 3, operator: Equal, values: [\"1\"]}\n";

	(void)state;
	check_text(text, strlen(text), false);
}

/* The corpus */

static struct {
	unsigned policies, refused;
} corpus;

static char *read_file(const char *path, size_t *n)
{
	FILE *file = fopen(path, "rb");
	char *text;

	assert_non_null(file);
	text = calloc(1, 1 << 20);
	*n = fread(text, 1, (1 << 20) - 1, file);
	fclose(file);
	return text;
}

static int check_corpus_file(const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
	struct reading r;
	char *text;
	size_t n;

	(void)status;
	(void)ftw;
	if (flag != FTW_F || !(strstr(path, ".yaml") || strstr(path, ".yml")))
		return 0;
	text = read_file(path, &n);
	parse(&r, text, n, false);
	if (r.polc.n_errors) {
		corpus.refused++;
	} else if (r.input.tracings.n) {
		corpus.policies += (unsigned)r.input.tracings.n;
		check_print(&r, path, true);
		check_print(&r, path, false);
	}
	polc_free(&r.polc);
	free(text);
	return 0;
}

static void test_corpus(void **state)
{
	const char *shared = getenv("POLC_SHARED");
	char path[4096];

	(void)state;
	snprintf(path, sizeof(path), "%s/corpus/tetragon", shared ? shared : "../shared");
	if (access(path, R_OK) != 0) {
		print_message("no corpus at %s\n", path);
		skip();
	}
	assert_int_equal(nftw(path, check_corpus_file, 16, FTW_PHYS), 0);
	print_message("corpus: %u tracing policies there and back, %u files refused\n",
		corpus.policies, corpus.refused);
	/* three lack what the schema's rules ask for, one is a template */
	assert_int_equal(corpus.refused, 4);
	assert_true(corpus.policies >= 94);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_order_of_sections),
		cmocka_unit_test(test_values_with_nul),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_long_message),
		cmocka_unit_test(test_pol_cases),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
