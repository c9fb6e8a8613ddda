/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From tracing policies to their IR: what hooks, values, operators and actions mean, as text; what
 * is refused and where; which operators go with which types; what a small kernel of our own knows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <bpf/btf.h>

#include "compiler/ir/lower_tracing.h"
#include "frontend/reader.h"

/* --- a kernel ------------------------------------------------------------------------------------
 */

static char kernel_path[] = "/tmp/polc-test-btf-XXXXXX";

struct types {
	struct btf *btf;
	int integer, character, word, file_ptr, text_ptr;
};

static void must(int result)
{
	assert_true(result >= 0);
}

static void add_function(struct types *t, const char *name, const int *parameters, size_t n)
{
	int proto = btf__add_func_proto(t->btf, t->integer);

	must(proto);
	for (size_t i = 0; i < n; i++)
		must(btf__add_func_param(t->btf, "p", parameters[i]));
	must(btf__add_func(t->btf, name, BTF_FUNC_GLOBAL, proto));
}

static void add_types(struct types *t)
{
	struct btf *btf = t->btf;
	int inode, inode_ptr, comm, file;

	t->integer = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	t->character = btf__add_int(btf, "char", 1, BTF_INT_SIGNED);
	t->word = btf__add_int(btf, "long unsigned int", 8, 0);
	comm = btf__add_array(btf, t->word, t->character, 16);
	inode = btf__add_struct(btf, "inode", 24);
	must(btf__add_field(btf, "i_ino", t->word, 0, 0));
	must(btf__add_field(btf, "name", comm, 64, 0));
	inode_ptr = btf__add_ptr(btf, inode);
	file = btf__add_struct(btf, "file", 16);
	must(btf__add_field(btf, "f_inode", inode_ptr, 0, 0));
	must(btf__add_field(btf, "f_flags", t->integer, 64, 0));
	t->file_ptr = btf__add_ptr(btf, file);
	t->text_ptr = btf__add_ptr(btf, t->character);
	must(btf__add_struct(btf, "task_struct", 24));
	must(btf__add_field(btf, "pid", t->integer, 0, 0));
	must(btf__add_field(btf, "comm", comm, 64, 0));
}

static int make_kernel(void **state)
{
	struct types t = {.btf = btf__new_empty()};
	uint32_t size;
	int fd = mkstemp(kernel_path);

	(void)state;
	assert_true(fd >= 0);
	assert_non_null(t.btf);
	add_types(&t);
	const int op[] = {t.file_ptr, t.integer, t.text_ptr, t.word};

	add_function(&t, "vfs_op", op, 4);
	add_function(&t, "security_op", op, 1);
	add_function(&t, "bpf_lsm_file_op", op, 1);
	const void *data = btf__raw_data(t.btf, &size);

	assert_int_equal(write(fd, data, size), size);
	close(fd);
	btf__free(t.btf);
	return 0;
}

static int remove_kernel(void **state)
{
	(void)state;
	return unlink(kernel_path);
}

/* --- a run ---------------------------------------------------------------------------------------
 */

struct run {
	struct polc polc;
	struct polc_input input;
	struct polc_target *target;
	const struct polc_tracing *tracing;
	struct polc_buf text;
};

/* `spec`: what stands below "spec:", flow or block, indented by two. */
static void run(struct run *r, const char *spec, bool with_target)
{
	static const char head[] =
		"apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata: {name: p}\nspec:\n";
	struct polc_tracing_options options = {0};
	polc_yaml_documents documents = {0};

	memset(r, 0, sizeof(*r));
	polc_init(&r->polc);
	const char *text = polc_arena_printf(&r->polc.arena, "%s%s", head, spec);

	polc_yaml_parse_bytes(&r->polc,
		polc_source_add(&r->polc.arena, &r->polc.sources, "test.yaml", text, strlen(text)),
		&documents);
	for (size_t i = 0; i < documents.n; i++)
		polc_parse_tracing(&r->polc, &r->input.tracings, documents.items[i]);
	if (with_target) {
		assert_int_equal(polc_target_open(&r->polc, kernel_path, &r->target), 0);
		options.targets = &r->target;
		options.n_targets = 1;
	}
	r->tracing = polc_lower_tracing(&r->polc, &r->input, &options);
	r->text.arena = &r->polc.arena;
	if (!r->polc.n_errors)
		polc_tracing_print(r->tracing, &r->polc, &r->text);
}

static void end(struct run *r)
{
	polc_target_close(r->target);
	polc_free(&r->polc);
}

static void expect_no_errors(struct run *r, const char *spec)
{
	if (!r->polc.n_errors)
		return;
	polc_diagnostics_print_text(&r->polc, stderr, false);
	fail_msg("refused:\n%s", spec);
}

/* --- meaning -------------------------------------------------------------------------------------
 */

struct meaning {
	const char *spec;
	const char *expected[8]; /* lines, anywhere */
};

static const struct meaning meanings[] = {
	/* widths, signs, bases, merged intervals */
	{"  kprobes:\n  - call: f\n    syscall: false\n    args: [{index: 2, type: int8}]\n"
	 "    selectors:\n    - matchArgs:\n"
	 "      - {index: 2, operator: Equal, values: [\"-1\", \"0x1\", \"010\", \"2\"]}\n"
	 "      - {index: 2, operator: GT, values: [\"-2\"]}\n"
	 "      - {index: 2, operator: LessThan, values: [\"5\"]}\n"
	 "      - {index: 2, operator: NotInRange, values: [\"-3:4\", \"5:6\"]}\n"
	 "      - {index: 2, operator: Mask, values: [\"1\", \"0x80\"]}\n",
		{"      v0 in -1 1..2 8\n", "      v0 in -1..127\n", "      v0 in -128..4\n",
			"      not v0 in -3..6\n", "      v0 & 0x81\n", "difference T10\n"}},
	{"  kprobes:\n  - call: f\n    syscall: false\n    args: [{index: 0, type: uint64}]\n"
	 "    selectors:\n    - matchArgs:\n"
	 "      - {index: 0, operator: InRange, values: "
	 "[\"0x8000000000000000:0xffffffffffffffff\"]}\n"
	 "      - {index: 0, operator: InMap, values: [\"3\", \"5:7\", \"4\"]}\n",
		{"      v0 in 9223372036854775808..18446744073709551615\n", "      v0 in 3..7\n"}},
	/* capabilities by name, on integers and on sets */
	{"  kprobes:\n  - call: cap_capable\n    syscall: false\n"
	 "    args: [{index: 2, type: int}, {index: 3, type: kernel_cap_t},"
	 " {index: 4, type: cap_effective}]\n"
	 "    selectors:\n    - matchArgs:\n"
	 "      - {index: 2, operator: Equal, values: [CAP_SYS_ADMIN]}\n"
	 "      - {index: 3, operator: Mask, values: [\"CAP_CHOWN,CAP_KILL\", CAP_SYS_ADMIN]}\n"
	 "      - {args: [1, 2], operator: CapabilitiesGained}\n"
	 "      matchActions: [{action: Sigkill}]\n",
		{"policy 0 p enforce\n", "      v0 in 21\n", "      v1 & 0x200021\n",
			"      v2 has what v1 has not\n", "      do Sigkill\n", "      do Post\n"}},
	/* strings, paths, NUL at the end */
	{"  kprobes:\n  - call: f\n    syscall: false\n"
	 "    args: [{index: 0, type: file}, {index: 1, type: filename},"
	 " {index: 2, type: char_buf, sizeArgIndex: 4}]\n"
	 "    selectors:\n    - matchArgs:\n"
	 "      - {index: 0, operator: NotPrefix, values: [/b, /a, /b]}\n"
	 "      - {index: 0, operator: FileType, values: [dir, sock]}\n"
	 "      - {index: 1, operator: Postfix, values: [\".so\\0\"]}\n"
	 "      - {index: 2, operator: SubStringIgnCase, values: [ABC]}\n",
		{"      not v0 prefix \"/a\" \"/b\"\n", "      v0 file type 040000 0140000\n",
			"      v1 postfix \".so\"\n", "      v2 substring-folded \"abc\"\n",
			"size in argument 3", "difference T9\n", "difference T42\n"}},
	/* network; mapped addresses are IPv4 */
	{"  kprobes:\n  - call: f\n    syscall: false\n    args: [{index: 0, type: sock}]\n"
	 "    selectors:\n    - matchArgs:\n"
	 "      - {index: 0, operator: NotDAddr, values: [10.1.0.0/16, 10.0.0.0/8,"
	 " \"::ffff:1.2.3.4\"]}\n"
	 "      - {index: 0, operator: SPort, values: [\"80\", \"81:90\"]}\n"
	 "      - {index: 0, operator: NotDPortPriv}\n"
	 "      - {index: 0, operator: Protocol, values: [IPPROTO_TCP]}\n"
	 "      - {index: 0, operator: State, values: [TCP_LISTEN]}\n",
		{"      not v0 destination address in 1.2.3.4/32 10.0.0.0/8\n",
			"      v0 source port in 80..90\n",
			"      not v0 destination port in 0..1023\n", "      v0 protocol in 6\n",
			"      v0 state in 10\n", "difference T36\n"}},
	/* the process */
	{"  kprobes:\n  - call: f\n    syscall: false\n    selectors:\n"
	 "    - matchPIDs:\n      - {operator: NotIn, values: [0, 1]}\n"
	 "      - {operator: In, followForks: true, isNamespacePID: true, values: [7]}\n"
	 "      matchBinaries: [{operator: In, followChildren: true, values: [/bin/b, /bin/a]}]\n"
	 "      matchNamespaces: [{namespace: Pid, operator: NotIn, values: [host_ns,"
	 " \"4026531836\"]}]\n"
	 "      matchCapabilities: [{operator: In, values: [CAP_BPF]}]\n"
	 "      matchNamespaceChanges: [{operator: In, values: [Mnt, Net]}]\n"
	 "      matchCapabilityChanges: [{type: Permitted, operator: NotIn,"
	 " isNamespaceCapability: true, values: [CAP_KILL]}]\n",
		{"    selector 0\n"
		 "      binary of it or an ancestor equal \"/bin/a\" \"/bin/b\"\n"
		 "      not pid in 0..1\n"
		 "      namespace pid of it or an ancestor in 7\n"
		 "      not namespace Pid in host 4026531836\n"
		 "      effective capability of CAP_BPF\n"
		 "      changed namespace of Mnt Net\n"
		 "      not changed permitted capability of (in another user namespace) CAP_KILL\n"
		 "      changed permitted capability of (in another user namespace) all but"
		 " CAP_KILL\n"
		 "      do Post\n",
			"difference T2\n"}},
	/* system calls, lists, 32 bits, the return */
	{"  lists:\n  - {name: l, type: syscalls, values: [sys_dup, i386/sys_dup, "
	 "__x64_sys_dup2]}\n"
	 "  kprobes:\n  - call: \"list:l\"\n    return: true\n    args: [{index: 0, type: int}]\n"
	 "    returnArg: {index: 0, type: int}\n    selectors:\n"
	 "    - matchReturnArgs: [{index: 0, operator: LT, values: [\"0\"]}]\n"
	 "      matchReturnActions: [{action: Sigkill}]\n      matchActions: [{action: NoPost}]\n",
		{"    on __x64_sys_dup\n    on __ia32_sys_dup\n    on __x64_sys_dup2\n",
			"      at return v1 in -2147483648..-1\n", "      at return do Sigkill\n",
			"      do NoPost\n", "difference T21\n", "difference T8\n",
			"difference T4\n"}},
	{"  lists:\n  - {name: l, type: syscalls, values: [sys_dup, i386/sys_dup]}\n"
	 "  enforcers: [{calls: [\"list:l\", security_file_open]}]\n"
	 "  tracepoints:\n  - subsystem: raw_syscalls\n    event: sys_enter\n"
	 "    args: [{index: 4, type: uint64}]\n    selectors:\n"
	 "    - matchArgs: [{index: 0, operator: InMap, values: [\"list:l\"]}]\n"
	 "      matchActions: [{action: NotifyEnforcer, argError: -1, argSig: 9}]\n",
		{"  enforcer on __ia32_sys_dup\n", "  enforcer on security_file_open\n",
			"    v0 syscall64: field 4 id", "      v0 in 32 2147483689\n",
			"      do NotifyEnforcer error -1 signal 9\n", "difference P1\n",
			"difference T12\n"}},
	{"  tracepoints:\n  - subsystem: syscalls\n    event: sys_enter_openat\n"
	 "    args: [{index: 6, type: auto}, {index: 5, type: auto}]\n",
		{"    v0 string: field 6", "user memory\n", "    v1 int32: field 5"}},
	/* macros */
	{"  selectorsMacros:\n    m:\n      label: hot\n"
	 "      matchBinaries: [{operator: Prefix, values: [/usr/]}]\n"
	 "  kprobes:\n  - call: f\n    syscall: false\n    selectors:\n    - macros: [m]\n"
	 "      matchPIDs: [{operator: In, values: [1]}]\n",
		{"    selector 0 hot\n      binary prefix \"/usr/\"\n      pid in 1\n"}},
	/* options, rate, uprobes */
	{"  options: [{name: policy-mode, value: monitor}]\n"
	 "  uprobes:\n  - path: /bin/sh\n    symbols: [main+0x10]\n    args: [{index: 0, type: "
	 "string}]\n"
	 "    selectors:\n    - matchActions:\n"
	 "      - {action: Override, argRegs: [\"rax=-1\", \"rip=(%rsp)\", \"rsp=8%rsp\"]}\n"
	 "      - {action: Post, rateLimit: 10m, rateLimitScope: global, userStackTrace: true}\n",
		{"policy 0 p monitor\n", "    on main+0x10\n    path /bin/sh\n",
			"    v0 string: argument 0, user memory\n",
			"      do Override [80:8]=-1 [128:8]=([152]) [152:8]=8+[152]\n",
			"      do Post every 600 s per global user-stack\n"}},
	{"  kprobes:\n  - call: a\n    syscall: false\n    args: [{index: 0, type: int}]\n"
	 "    selectors: [{matchArgs: [{index: 0, operator: InMap, values: [\"1\"]}]}]\n"
	 "  - call: b\n    syscall: false\n    args: [{index: 0, type: int}]\n"
	 "    selectors: [{matchArgs: [{index: 0, operator: InMap, values: [\"2\"]}]}]\n",
		{"difference T1\n"}},
};

static const struct meaning known_meanings[] = {
	{"  kprobes:\n  - call: vfs_op\n    syscall: false\n    return: true\n"
	 "    args: [{index: 0, type: file}, {index: 1, type: auto}, {index: 2, type: auto},"
	 " {index: 0, resolve: f_inode.i_ino}, {index: 0, type: string, resolve: f_inode.name}]\n"
	 "    data: [{source: current_task, resolve: comm}, {source: pt_regs, resolve: rip}]\n"
	 "    returnArg: {index: 0, type: auto}\n",
		{"    v0 file: argument 0, typed\n", "    v1 int32: argument 1\n",
			"    v2 string: argument 2\n",
			"    v3 uint64: argument 0->(file)f_inode->(inode)i_ino\n",
			"    v4 string: argument 0->(file)f_inode->(inode)name\n",
			"    v5 string: task->(task_struct)comm\n",
			"    v6 uint64: register at 128 size 8\n", "    v7 int32: result\n"}},
	{"  kprobes:\n  - call: gone\n    syscall: false\n    ignore: {callNotFound: true}\n"
	 "    args: [{index: 0, type: auto}]\n  - call: security_op\n    syscall: false\n"
	 "    selectors: [{matchActions: [{action: Override, argError: -13}]}]\n",
		{"    on gone (missing)\n", "      do Override -13\n", "difference T24\n"}},
};

static void check_meanings(const struct meaning *list, size_t n, bool with_target)
{
	for (size_t i = 0; i < n; i++) {
		const struct meaning *m = &list[i];
		struct run r;

		run(&r, m->spec, with_target);
		expect_no_errors(&r, m->spec);
		for (size_t j = 0; j < POLC_ARRAY_SIZE(m->expected) && m->expected[j]; j++)
			if (!strstr(r.text.p, m->expected[j]))
				fail_msg("not there: %s\n%s", m->expected[j], r.text.p);
		end(&r);
	}
}

static void means(void **state)
{
	(void)state;
	check_meanings(meanings, POLC_ARRAY_SIZE(meanings), false);
	check_meanings(known_meanings, POLC_ARRAY_SIZE(known_meanings), true);
}

/* Two spellings, one meaning. */
static void spellings(void **state)
{
	static const char *const pairs[][2] = {
		{"GreaterThan, values: [\"1\"]", "GT, values: [\"0x1\"]"},
		{"Equal, values: [\"1\", \"2\", \"3\"]", "InRange, values: [\"1:3\"]"},
		{"InMap, values: [\"1:3\", \"2\"]", "Equal, values: [\"3\", \"2\", \"1\", \"1\"]"},
		{"NotEqual, values: [\"8\"]", "NotInMap, values: [\"8:8\"]"},
		{"LT, values: [\"8\", \"3\"]", "LessThan, values: [\"8\"]"},
	};

	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(pairs); i++) {
		struct run r[2];

		for (size_t j = 0; j < 2; j++) {
			char spec[512];

			snprintf(spec, sizeof(spec),
				"  kprobes:\n  - call: f\n    syscall: false\n"
				"    args: [{index: 0, type: uint32}]\n    selectors:\n"
				"    - matchArgs: [{index: 0, operator: %s}]\n",
				pairs[i][j]);
			run(&r[j], spec, false);
			expect_no_errors(&r[j], spec);
		}
		assert_string_equal(r[0].text.p, r[1].text.p);
		end(&r[0]);
		end(&r[1]);
	}
}

/* --- refusals ------------------------------------------------------------------------------------
 */

#define PLAIN "  kprobes:\n  - call: f\n    syscall: false\n"
#define SELECT(filters) "    selectors:\n    - " filters "\n"
#define ARGUMENT(type, filter)                                                                     \
	PLAIN "    args: [{index: 0, type: " type "}]\n" SELECT("matchArgs: [" filter "]")
#define ACTION(action) PLAIN SELECT("matchActions: [" action "]")

struct refusal {
	const char *spec;
	int code;
	const char *message;
};

static const struct refusal refusals[] = {
	{ARGUMENT("int", "{index: 0, operator: Equal, values: [\"2147483648\"]}"),
		POLC_CODE_TRACE_VALUE, "'2147483648' does not fit into 'int'"},
	{ARGUMENT("uint8", "{index: 0, operator: Equal, values: [\"-1\"]}"), POLC_CODE_TRACE_VALUE,
		"'-1' does not fit into 'uint8'"},
	{ARGUMENT("int", "{index: 0, operator: Equal, values: [CAP_NONE]}"), POLC_CODE_TRACE_VALUE,
		"'CAP_NONE' is no number"},
	{ARGUMENT("int", "{index: 0, operator: GT, values: [\"2147483647\"]}"),
		POLC_CODE_TRACE_VALUE, "no 'int' is greater than 2147483647"},
	{ARGUMENT("uint32", "{index: 0, operator: LT, values: [\"0\"]}"), POLC_CODE_TRACE_VALUE,
		"no 'uint32' is less than 0"},
	{ARGUMENT("int", "{index: 0, operator: InRange, values: [\"5:1\"]}"), POLC_CODE_TRACE_VALUE,
		"the range '5:1' is empty"},
	{ARGUMENT("int", "{index: 0, operator: InRange, values: [\"5\"]}"), POLC_CODE_TRACE_VALUE,
		"'5' is no range"},
	{ARGUMENT("int", "{index: 0, operator: Mask, values: [\"0\"]}"), POLC_CODE_TRACE_VALUE,
		"a mask without bits"},
	{ARGUMENT("int", "{index: 0, operator: InMap, values: [\"list:l\"]}"), POLC_CODE_TRACE_LIST,
		"no list 'l'"},
	{"  lists: [{name: l, type: syscalls, values: [sys_dup]}]\n" ARGUMENT(
		 "int", "{index: 0, operator: InMap, values: [\"list:l\"]}"),
		POLC_CODE_TRACE_VALUE, "needs type 'syscall64', not 'int'"},
	{ARGUMENT("file", "{index: 0, operator: Prefix, values: [\"\"]}"), POLC_CODE_TRACE_VALUE,
		"an empty text"},
	{ARGUMENT("string", "{index: 0, operator: Equal, values: [\"a\\0b\"]}"),
		POLC_CODE_TRACE_VALUE, "never holds a NUL"},
	{ARGUMENT("file", "{index: 0, operator: FileType, values: [exe]}"), POLC_CODE_TRACE_VALUE,
		"'exe' is no type of file"},
	{ARGUMENT("sock", "{index: 0, operator: SAddr, values: [10.0.0.256]}"),
		POLC_CODE_TRACE_VALUE, "neither an address nor a network"},
	{ARGUMENT("sock", "{index: 0, operator: DPort, values: [\"70000\"]}"),
		POLC_CODE_TRACE_VALUE, "neither a port"},
	{ARGUMENT("sock", "{index: 0, operator: Family, values: [AF_X]}"), POLC_CODE_TRACE_VALUE,
		"no address family"},
	{ARGUMENT("int", "{index: 1, operator: Equal, values: [\"1\"]}"), POLC_CODE_TRACE_INDEX,
		"index 1 is none of the hook's args"},
	{ARGUMENT("int", "{args: [1], operator: Equal, values: [\"1\"]}"), POLC_CODE_TRACE_INDEX,
		"position 1: the hook has 1 args"},
	{ARGUMENT("int", "{operator: CelExpr, values: [\"arg0\"]}"), POLC_CODE_TRACE_EXPRESSION,
		"must be a condition"},
	{PLAIN "    args: [{index: 12, type: int}]\n", POLC_CODE_TRACE_INDEX,
		"the last one that can be read is 11"},
	{"  kprobes:\n  - call: sys_openat\n    args: [{index: 6, type: int}]\n",
		POLC_CODE_TRACE_INDEX, "the last one that can be read is 5"},
	{"  kprobes:\n  - call: sys_lseek\n    args: [{index: 3, type: int}]\n",
		POLC_CODE_TRACE_INDEX, "'lseek' has 3 arguments"},
	{"  kprobes:\n  - call: sys_lseek\n    args: [{index: 0, type: string}]\n",
		POLC_CODE_TRACE_SIGNATURE, "is 'unsigned int', not 'string'"},
	{PLAIN "    args: [{index: 0, type: char_buf}]\n", POLC_CODE_TRACE_ARGUMENT,
		"the size of 'char_buf' is not known"},
	{PLAIN "    args: [{index: 0, type: auto}]\n", POLC_CODE_TRACE_TARGET,
		"needs the types of a kernel"},
	{PLAIN "    args: [{index: 0, type: int, resolve: a.b}]\n", POLC_CODE_TRACE_TARGET,
		"'resolve' needs the types of a kernel"},
	{PLAIN "    data: [{source: current_task, resolve: comm}]\n", POLC_CODE_TRACE_TARGET,
		"the current task needs"},
	{"  kprobes:\n  - call: sys_dupp\n", POLC_CODE_TRACE_FUNCTION, "no system call 'sys_dupp'"},
	{"  kprobes:\n  - call: security_file_open\n", POLC_CODE_TRACE_HOOK,
		"is a function of the kernel"},
	{"  lsmhooks:\n  - hook: security_file_open\n", POLC_CODE_TRACE_HOOK,
		"named without 'security_'"},
	{"  lists: [{name: l, type: syscalls, values: [sys_dup, sys_dupp]}]\n  loader: true\n",
		POLC_CODE_TRACE_LIST, "'sys_dupp' is no system call"},
	{"  kprobes:\n  - call: \"list:none\"\n", POLC_CODE_TRACE_LIST, "no list 'none'"},
	{PLAIN SELECT("macros: [m]"), POLC_CODE_TRACE_MACRO, "no macro 'm'"},
	{"  selectorsMacros: {m: {matchPIDs: [{operator: In, values: [1]}]}}\n" PLAIN SELECT(
		 "{macros: [m], matchPIDs: [{operator: In, values: [2]}]}"),
		POLC_CODE_TRACE_MACRO, "matchPIDs is already there"},
	{PLAIN SELECT("matchReturnActions: [{action: Post}]"), POLC_CODE_TRACE_SELECTOR,
		"matchReturnActions without the return"},
	{ACTION("{action: Override, argError: -1}"), POLC_CODE_TRACE_OVERRIDE,
		"the result of 'f' cannot be overridden"},
	{"  kprobes:\n  - call: sys_dup\n" SELECT(
		 "matchActions: [{action: Override, argError: 2}]"),
		POLC_CODE_TRACE_ACTION, "argError 2 is no error"},
	{"  options: [{name: override-method, value: override-return}]\n"
	 "  kprobes:\n  - call: security_x\n    syscall: false\n" SELECT(
		 "matchActions: [{action: Override, argError: -1}]"),
		POLC_CODE_TRACE_OVERRIDE, "with override-method override-return"},
	{"  tracepoints:\n  - {subsystem: raw_syscalls, event: sys_enter, selectors: "
	 "[{matchActions: [{action: Override, argError: -1}]}]}\n",
		POLC_CODE_TRACE_OVERRIDE, "nothing can be overridden at a tracepoint"},
	{ACTION("{action: Signal, argSig: 65}"), POLC_CODE_TRACE_ACTION, "argSig 65 is no signal"},
	{ACTION("{action: NotifyEnforcer, argError: -1}"), POLC_CODE_TRACE_ENFORCER,
		"needs an enforcer"},
	{ACTION("{action: TrackSock, argSock: 0}"), POLC_CODE_TRACE_INDEX,
		"none of the hook's args"},
	{PLAIN "    args: [{index: 0, type: int}]\n" SELECT(
		 "matchActions: [{action: UntrackSock, argSock: 0}]"),
		POLC_CODE_TRACE_ACTION, "must be an argument of type 'sock', not 'int'"},
	{ACTION("{action: Set, argIndex: 0, argValue: 1}"), POLC_CODE_TRACE_ACTION, "is for usdts"},
	{ACTION("{action: Post}, {action: NoPost}"), POLC_CODE_TRACE_ACTION, "exclude each other"},
	{"  options: [{name: policy-mode, value: none}]\n" PLAIN, POLC_CODE_TRACE_OPTION,
		"'none' is no value of option 'policy-mode'"},
};

static const struct refusal known_refusals[] = {
	{"  kprobes:\n  - call: vfs_op\n    syscall: true\n", POLC_CODE_TRACE_HOOK,
		"is a function of the kernel"},
	{"  kprobes:\n  - call: gone\n    syscall: false\n", POLC_CODE_TRACE_FUNCTION,
		"has no function 'gone'"},
	{"  lsmhooks:\n  - hook: gone\n", POLC_CODE_TRACE_FUNCTION, "has no LSM hook 'gone'"},
	{"  kprobes:\n  - call: vfs_op\n    syscall: false\n    args: [{index: 4, type: int}]\n",
		POLC_CODE_TRACE_INDEX, "has 4 arguments"},
	{"  kprobes:\n  - call: vfs_op\n    syscall: false\n    args: [{index: 0, type: int}]\n",
		POLC_CODE_TRACE_SIGNATURE, "is 'struct file *', not 'int'"},
	{"  kprobes:\n  - call: vfs_op\n    syscall: false\n    args: [{index: 1, type: file}]\n",
		POLC_CODE_TRACE_SIGNATURE, "is 'int', not 'file'"},
	{"  kprobes:\n  - call: vfs_op\n    syscall: false\n"
	 "    args: [{index: 0, type: int, resolve: f_inode.nothing}]\n",
		POLC_CODE_TRACE_RESOLVE, "nothing"},
	{"  kprobes:\n  - call: vfs_op\n    syscall: false\n" SELECT(
		 "matchActions: [{action: Override, argError: -1}]"),
		POLC_CODE_TRACE_OVERRIDE, "the result of 'vfs_op' cannot be overridden"},
};

static const struct polc_diagnostic *find_report(const struct run *r, int code, const char *message)
{
	for (size_t i = 0; i < r->polc.diagnostics.n; i++) {
		const struct polc_diagnostic *d = r->polc.diagnostics.items[i];

		if ((int)d->code == code && strstr(d->message, message))
			return d;
	}
	return NULL;
}

static void check_refusals(const struct refusal *list, size_t n, bool with_target)
{
	for (size_t i = 0; i < n; i++) {
		struct run r;

		run(&r, list[i].spec, with_target);
		const struct polc_diagnostic *d = find_report(&r, list[i].code, list[i].message);

		if (!d || d->severity != POLC_ERROR || r.polc.n_errors != 1 || !d->span.source) {
			polc_diagnostics_print_text(&r.polc, stderr, false);
			fail_msg("%zu: %s\n%s", i, list[i].message, list[i].spec);
		}
		end(&r);
	}
}

static void refuses(void **state)
{
	(void)state;
	check_refusals(refusals, POLC_ARRAY_SIZE(refusals), false);
	check_refusals(known_refusals, POLC_ARRAY_SIZE(known_refusals), true);
}

static const struct {
	const char *spec;
	int code;
	const char *message;
} warnings[] = {
	{"  options: [{name: polici-mode, value: monitor}]\n" PLAIN, POLC_CODE_TRACE_OPTION,
		"unknown option 'polici-mode'"},
	{ACTION("{action: Sigkill, argError: -1}"), POLC_CODE_IGNORED_FIELD,
		"argError has no effect"},
	{"  kprobes:\n  - call: __x64_sys_dup\n    syscall: false\n", POLC_CODE_TRACE_HOOK,
		"are not those of the system call"},
	{"  kprobes:\n  - call: sys_lseek\n    args: [{index: 1, type: int}]\n" SELECT(
		 "matchArgs: [{index: 1, operator: Equal, values: [\"1\"]}]"),
		POLC_CODE_TRACE_SIGNATURE, "only the low 4 of 8 bytes"},
	{"  kprobes:\n  - call: sys_lseek\n    args: [{index: 0, type: int64}]\n",
		POLC_CODE_TRACE_SIGNATURE, "of 4 bytes"},
	{"  kprobes:\n  - call: sys_lseek\n    args: [{index: 0, type: int}]\n" SELECT(
		 "matchArgs: [{index: 0, operator: LT, values: [\"0\"]}]"),
		POLC_CODE_TRACE_SIGNATURE, "compared with sign"},
	{"  tracepoints:\n  - {subsystem: syscalls, event: sys_enter_dup3, args: [{index: 5, type: "
	 "int}, {index: 1, type: int}], selectors: [{matchArgs: [{index: 1, operator: Equal, "
	 "values: "
	 "[\"1\"]}]}]}\n",
		POLC_CODE_TRACE_INDEX, ""},
};

static void warns(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(warnings); i++) {
		struct run r;

		run(&r, warnings[i].spec, false);
		expect_no_errors(&r, warnings[i].spec);
		/* the last one is not ambiguous: position and field are the same argument */
		bool expected = *warnings[i].message;

		if (!find_report(&r, warnings[i].code, warnings[i].message) == expected) {
			polc_diagnostics_print_text(&r.polc, stderr, false);
			fail_msg("%s\n%s", warnings[i].message, warnings[i].spec);
		}
		end(&r);
	}
}

/* --- operators by type ---------------------------------------------------------------------------
 */

/* A letter for each operator that a type has. */
static const struct {
	char letter;
	const char *op, *value;
} operators[] = {
	{'e', "Equal", NULL},
	{'e', "NotEqual", NULL},
	{'s', "Prefix", "a"},
	{'s', "NotPrefix", "a"},
	{'s', "Postfix", "a"},
	{'s', "NotPostfix", "a"},
	{'s', "SubString", "a"},
	{'s', "SubStringIgnCase", "a"},
	{'n', "GT", "1"},
	{'n', "LessThan", "1"},
	{'n', "Mask", "1"},
	{'n', "InRange", "1:2"},
	{'n', "NotInRange", "1:2"},
	{'n', "InMap", "1"},
	{'n', "NotInMap", "1"},
	{'a', "SAddr", "1.1.1.1"},
	{'a', "NotSAddr", "1.1.1.1"},
	{'a', "SPort", "1"},
	{'a', "NotSPort", "1"},
	{'a', "SPortPriv", ""},
	{'a', "NotSportPriv", ""},
	{'d', "DAddr", "1.1.1.1"},
	{'d', "NotDAddr", "1.1.1.1"},
	{'d', "DPort", "1"},
	{'d', "NotDPort", "1"},
	{'d', "DPortPriv", ""},
	{'d', "NotDPortPriv", ""},
	{'d', "Protocol", "IPPROTO_UDP"},
	{'t', "State", "TCP_CLOSE"},
	{'f', "Family", "AF_INET"},
	{'m', "FileType", "reg"},
	{'m', "NotFileType", "reg"},
};

static const struct {
	const char *type, *letters;
} types[] = {
	{"int", "en"},
	{"int8", "en"},
	{"uint16", "en"},
	{"size_t", "en"},
	{"unsigned long", "en"},
	{"syscall64", "en"},
	{"bpf_cmd", "en"},
	{"capability", "en"},
	{"kernel_cap_t", "en"},
	{"cap_inheritable", "en"},
	{"string", "es"},
	{"filename", "es"},
	{"net_device", "es"},
	{"char_buf, sizeArgIndex: 2", "es"},
	{"char_iovec, sizeArgIndex: 2", "es"},
	{"iov_iter", "es"},
	{"fd", "esm"},
	{"file", "esm"},
	{"path", "esm"},
	{"dentry", "esm"},
	{"linux_binprm", "esm"},
	{"kiocb", "esm"},
	{"sock", "adtf"},
	{"socket", "adtf"},
	{"skb", "adf"},
	{"sockaddr", "af"},
	{"sockaddr_un", "esf"},
	{"cred", ""},
	{"user_namespace", ""},
	{"bpf_attr", ""},
	{"bpf_prog", ""},
	{"bpf_map", ""},
	{"perf_event", ""},
	{"module", ""},
	{"load_info", ""},
	{"nop", ""},
};

static void try_operator(size_t type, size_t op)
{
	bool expected = strchr(types[type].letters, operators[op].letter);
	const char *value = operators[op].value ? operators[op].value : "1";
	char spec[512];
	struct run r;

	snprintf(spec, sizeof(spec),
		PLAIN "    args: [{index: 0, type: %s}]\n    selectors:\n"
		      "    - matchArgs: [{index: 0, operator: %s%s%s%s}]\n",
		types[type].type, operators[op].op, *value ? ", values: [\"" : "", value,
		*value ? "\"]" : "");
	run(&r, spec, false);
	const struct polc_diagnostic *d =
		find_report(&r, POLC_CODE_TRACE_OPERATOR, "does not apply to type");

	if (expected != !d || r.polc.n_errors != !expected) {
		polc_diagnostics_print_text(&r.polc, stderr, false);
		fail_msg("%s on %s", operators[op].op, types[type].type);
	}
	end(&r);
}

static void operators_by_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(types); i++)
		for (size_t j = 0; j < POLC_ARRAY_SIZE(operators); j++)
			try_operator(i, j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(means),
		cmocka_unit_test(spellings),
		cmocka_unit_test(refuses),
		cmocka_unit_test(warns),
		cmocka_unit_test(operators_by_type),
	};

	return cmocka_run_group_tests(tests, make_kernel, remove_kernel);
}
