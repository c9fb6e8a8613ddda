/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Described calls: policies, what is said about a call, and what becomes of it, as text. Every kind
 * of test with what matches, what does not, what cannot be read and what was not said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "compiler/analysis/call.h"
#include "frontend/reader.h"

struct world {
	struct polc polc;
	struct polc_input input;
	const struct polc_tracing *tracing;
};

static const char inventory[] =
	"apiVersion: v1\nkind: Pod\nmetadata: {namespace: shop, name: web, labels: {app: web}}\n"
	"spec: {nodeName: node, containers: [{name: c, image: \"r.io/web:1\"}]}\n"
	"status: {podIP: 10.0.0.1, containerStatuses: [{name: c, image: \"r.io/web:1\", "
	"containerID: \"containerd://0123456789abcdef0123456789abcdef\"}]}\n";

/* `text`: specs of policies p0, p1, ... with a line "---" between them. */
static void open_world(struct world *w, const char *text)
{
	struct polc_tracing_options options = {0};
	polc_yaml_documents documents = {0}, pods = {0};
	struct polc_arena *arena;
	unsigned n = 0;

	memset(w, 0, sizeof(*w));
	polc_init(&w->polc);
	arena = &w->polc.arena;
	struct polc_buf out = {.arena = arena};

	for (const char *p = text; p; n++) {
		const char *end = strstr(p, "---\n");

		polc_buf_printf(&out,
			"apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\n"
			"metadata: {name: p%u}\nspec:\n%.*s%s",
			n, (int)(end ? end - p : (long)strlen(p)), p, end ? "---\n" : "");
		p = end ? end + 4 : NULL;
	}
	polc_yaml_parse_bytes(&w->polc,
		polc_source_add(arena, &w->polc.sources, "test.yaml", out.p, out.n), &documents);
	for (size_t i = 0; i < documents.n; i++)
		polc_parse_tracing(&w->polc, &w->input.tracings, documents.items[i]);
	polc_yaml_parse(&w->polc,
		polc_source_add(arena, &w->polc.sources, "pods.yaml", inventory, strlen(inventory)),
		&pods);
	for (size_t i = 0; i < pods.n; i++)
		polc_inventory_add(&w->polc, &w->input.inventory, pods.items[i]);
	polc_inventory_finish(&w->polc, &w->input.inventory);
	w->tracing = polc_lower_tracing(&w->polc, &w->input, &options);
	if (w->polc.n_errors) {
		polc_diagnostics_print_text(&w->polc, stderr, false);
		fail_msg("refused: %s", text);
	}
}

/* "key=value|key=value"; NULL when the call is refused. */
static const struct polc_call *make(struct world *w, const char *hook, const char *said)
{
	struct polc_call_fact facts[16] = {0};
	size_t n = 0;

	for (const char *p = said; *p; n++) {
		size_t size = strcspn(p, "|"), key = strcspn(p, "=");

		facts[n].key = polc_arena_strndup(&w->polc.arena, p, key);
		facts[n].value = polc_arena_strndup(&w->polc.arena, p + key + 1, size - key - 1);
		p += size + (p[size] == '|');
	}
	struct polc_call_fact *kept = POLC_NEW_ARRAY(&w->polc.arena, n + 1, struct polc_call_fact);

	memcpy(kept, facts, n * sizeof(*kept));
	return polc_call_make(
		&w->polc, w->tracing, &w->input.inventory, hook, (struct polc_span){0}, kept, n);
}

struct row {
	const char *said, *expected;
};

static void expect(struct world *w, const char *hook, const struct row *row)
{
	const struct polc_call *call = make(w, hook, row->said);
	struct polc_call_decision decision;

	if (!call) {
		polc_diagnostics_print_text(&w->polc, stderr, false);
		fail_msg("refused: %s with %s", hook, row->said);
	}
	polc_call_decide(&w->polc, &w->polc.arena, w->tracing, call, &decision);
	const char *text = polc_call_decision_text(&w->polc.arena, &decision);

	if (strcmp(text, row->expected) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", polc_call_text(&w->polc.arena, call), text,
			row->expected);
	assert_true(decision.certain == !decision.depends_on.n);
	assert_true(decision.may_pass || !decision.passes);
}

static void expect_all(const char *policies, const char *hook, const struct row *rows, size_t n)
{
	struct world w;

	open_world(&w, policies);
	for (size_t i = 0; i < n; i++)
		expect(&w, hook, &rows[i]);
	polc_free(&w.polc);
}
#define EXPECT(policies, hook, ...)                                                                \
	do {                                                                                       \
		static const struct row rows_[] = {__VA_ARGS__};                                   \
		expect_all(policies, hook, rows_, POLC_ARRAY_SIZE(rows_));                         \
	} while (0)

#define F(args, matches)                                                                           \
	"  kprobes:\n  - call: f\n    syscall: false\n    args: [" args "]\n"                      \
	"    selectors:\n    - " matches "\n"
#define ARG(type, operator, values)                                                                \
	F("{index: 0, type: " type "}",                                                            \
		"matchArgs: [{index: 0, operator: " operator", values: [" values "]}]")
#define PROCESS(filter) F("", filter)

static void numbers(void **state)
{
	(void)state;
	EXPECT(ARG("int8", "Equal", "\"-1\", \"5\""), "kprobe f", {"arg0=-1", "event only"},
		{"arg0=0xff", "event only"}, {"arg0=5", "event only"}, {"arg0=4", "passes"},
		{"arg0=?", "passes"},
		{"", "open: at least \"passes\", at most \"event only\"; depends on arg0"});
	EXPECT(ARG("uint64", "GT", "\"0x7fffffffffffffff\""), "kprobe f",
		{"arg0=0x8000000000000000", "event only"}, {"arg0=0x7fffffffffffffff", "passes"},
		{"arg0=-1", "event only"});
	EXPECT(ARG("int64", "LT", "\"0\""), "kprobe f", {"arg0=-EPERM", "event only"},
		{"arg0=0", "passes"}, {"arg0=AF_INET", "passes"});
	EXPECT(ARG("uint16", "NotInRange", "\"10:20\""), "kprobe f", {"arg0=9", "event only"},
		{"arg0=10", "passes"}, {"arg0=20", "passes"}, {"arg0=21", "event only"},
		{"arg0=?", "passes"});
	EXPECT(ARG("int", "Mask", "\"0x6\""), "kprobe f", {"arg0=4", "event only"},
		{"arg0=9", "passes"}, {"arg0=-1", "event only"});
	EXPECT(ARG("capability", "Equal", "CAP_SYS_ADMIN"), "kprobe f",
		{"arg0=CAP_SYS_ADMIN", "event only"}, {"arg0=21", "event only"},
		{"arg0=CAP_BPF", "passes"});
}

static void expressions(void **state)
{
	(void)state;
	EXPECT(F("{index: 0, type: int}, {index: 2, type: uint64}",
		       "matchArgs: [{args: [0, 1], operator: CelExpr, values: "
		       "[\"arg0 < -1 || and(arg1, 0xf0u) == 16u\"]}]"),
		"kprobe f", {"arg0=-2|arg2=0", "event only"}, {"arg0=0xffffffff|arg2=0", "passes"},
		{"arg0=0|arg2=0x1f", "event only"}, {"arg0=?|arg2=0x1f", "passes"},
		{"arg0=-2", "open: at least \"passes\", at most \"event only\"; depends on arg2"});
	EXPECT(F("{index: 0, type: uint8}, {index: 1, type: uint64}",
		       "matchArgs: [{args: [0, 1], operator: CelExpr, values: "
		       "[\"int8(arg0) == -1 && !(arg1 < 0x8000000000000000u)\"]}]"),
		"kprobe f", {"arg0=255|arg1=-1", "event only"}, {"arg0=255|arg1=1", "passes"},
		{"arg0=127|arg1=-1", "passes"});
}

static void capability_sets(void **state)
{
	(void)state;
	EXPECT(F("{index: 0, type: kernel_cap_t}, {index: 1, type: cap_effective}",
		       "matchArgs: [{args: [0, 1], operator: CapabilitiesGained}]"),
		"kprobe f", {"arg0=CAP_CHOWN|arg1=CAP_CHOWN,CAP_KILL", "event only"},
		{"arg0=all|arg1=CAP_KILL", "passes"}, {"arg0=none|arg1=?", "passes"},
		{"arg0=none",
			"open: at least \"passes\", at most \"event only\"; depends on arg1"});
}

static void strings(void **state)
{
	(void)state;
	EXPECT(ARG("string", "Equal", "ab, \"\""), "kprobe f", {"arg0=ab", "event only"},
		{"arg0=", "event only"}, {"arg0=abc", "passes"}, {"arg0=a", "passes"},
		{"arg0=ab\\0c", "event only"});
	EXPECT(ARG("string", "NotPrefix", "/etc/, /x"), "kprobe f", {"arg0=/etc", "event only"},
		{"arg0=/etc/passwd", "passes"}, {"arg0=/xyz", "passes"}, {"arg0=", "event only"},
		{"arg0=?", "passes"});
	EXPECT(ARG("filename", "Postfix", ".so, ld"), "kprobe f", {"arg0=/lib/a.so", "event only"},
		{"arg0=so", "passes"}, {"arg0=ld", "event only"}, {"arg0=ld.", "passes"});
	EXPECT(ARG("string", "SubString", "aab"), "kprobe f", {"arg0=xaaab", "event only"},
		{"arg0=aaAb", "passes"});
	EXPECT(ARG("string", "SubStringIgnCase", "aAb"), "kprobe f", {"arg0=xAaAB", "event only"},
		{"arg0=aa", "passes"});
	EXPECT(F("{index: 0, type: char_buf, sizeArgIndex: 2}",
		       "matchArgs: [{index: 0, operator: Equal, values: [\"a\\0b\"]}]"),
		"kprobe f", {"arg0=a\\x00b", "event only"}, {"arg0=a\\0b\\0", "passes"},
		{"arg0=a", "passes"});
	EXPECT(ARG("sockaddr_un", "Prefix", "\"@age\""), "kprobe f", {"arg0=@agent", "event only"},
		{"arg0=/run/x", "passes"}, {"arg0.family=AF_INET", "passes"});
	EXPECT(ARG("sockaddr_un", "Family", "AF_UNIX"), "kprobe f", {"arg0=@a", "event only"},
		{"arg0.family=inet", "passes"}, {"arg0=?", "passes"});
}

static void files(void **state)
{
	(void)state;
	EXPECT(ARG("file", "NotPrefix", "/etc/"), "kprobe f", {"arg0=/etc/passwd", "passes"},
		{"arg0=/tmp/x", "event only"}, {"arg0=", "passes"}, {"arg0=?", "passes"});
	EXPECT(ARG("path", "FileType", "reg, lnk"), "kprobe f", {"arg0.type=reg", "event only"},
		{"arg0.type=dir", "passes"}, {"arg0.mode=0120777", "event only"},
		{"arg0.mode=0777", "passes"}, {"arg0=/x|arg0.type=symlink", "event only"},
		{"arg0=/x",
			"open: at least \"passes\", at most \"event only\"; depends on arg0.type"});
	EXPECT(ARG("path", "NotFileType", "reg"), "kprobe f", {"arg0.mode=0777", "passes"},
		{"arg0.type=dir", "event only"});
}

static void network(void **state)
{
	(void)state;
	EXPECT(ARG("sock", "DAddr", "10.0.0.0/8, \"fd00::/16\""), "kprobe f",
		{"arg0=->10.1.2.3:80/tcp", "event only"}, {"arg0=10.0.0.1->11.0.0.1", "passes"},
		{"arg0=->[::ffff:10.9.9.9]:1", "event only"}, {"arg0=->fd00::1", "event only"},
		{"arg0.daddr=fd01::1", "passes"}, {"arg0.family=AF_UNIX", "passes"},
		{"arg0=->:80", "open: at least \"passes\", at most \"event only\"; depends on "
			       "arg0.daddr"});
	EXPECT(ARG("sock", "NotDAddr", "10.0.0.0/8"), "kprobe f", {"arg0=->fd00::1", "event only"},
		{"arg0=->10.0.0.1", "passes"}, {"arg0.family=AF_UNIX", "passes"});
	EXPECT(ARG("skb", "SPort", "\"80\", \"1024:2000\""), "kprobe f",
		{"arg0=1.1.1.1:80->2.2.2.2:5/udp", "event only"}, {"arg0=:1023->", "passes"},
		{"arg0.sport=2000", "event only"}, {"arg0.family=0", "passes"});
	EXPECT(F("{index: 0, type: sock}", "matchArgs: [{index: 0, operator: NotDPortPriv}]"),
		"kprobe f", {"arg0.dport=1023", "passes"}, {"arg0.dport=1024", "event only"});
	EXPECT(ARG("sock", "Protocol", "IPPROTO_UDP"), "kprobe f",
		{"arg0=->1.1.1.1/udp", "event only"}, {"arg0.protocol=tcp", "passes"});
	EXPECT(ARG("skb", "Protocol", "IPPROTO_IP"), "kprobe f",
		{"arg0.protocol=0|arg0.family=0", "passes"},
		{"arg0.protocol=0|arg0.family=inet", "event only"});
	EXPECT(ARG("sock", "State", "TCP_LISTEN"), "kprobe f", {"arg0.state=LISTEN", "event only"},
		{"arg0.state=1", "passes"}, {"arg0.state=0", "passes"});
	EXPECT(ARG("sockaddr", "SAddr", "10.0.0.1"), "kprobe f",
		{"arg0=10.0.0.1:443", "event only"}, {"arg0=10.0.0.2", "passes"});
	EXPECT(ARG("sock", "Family", "AF_INET6"), "kprobe f",
		{"arg0=->[::ffff:1.2.3.4]:1", "event only"}, {"arg0=->1.2.3.4", "passes"},
		{"arg0.daddr=1.2.3.4|arg0.family=AF_INET6", "event only"});
}

static void binaries(void **state)
{
	(void)state;
	EXPECT(PROCESS("matchBinaries: [{operator: In, values: [/bin/sh, /bin/bash]}]"), "kprobe f",
		{"binary=/bin/sh", "event only"}, {"binary=/bin/shell", "passes"},
		{"binary=?", "passes"}, {"process=?", "passes"},
		{"parent=/bin/sh",
			"open: at least \"passes\", at most \"event only\"; depends on binary"});
	EXPECT(PROCESS("matchBinaries: [{operator: NotPostfix, values: [sh], onError: match}]"),
		"kprobe f", {"binary=/bin/sh", "passes"}, {"binary=/bin/ls", "event only"},
		{"binary=?", "event only"});
	EXPECT(PROCESS("matchBinaries: [{operator: NotIn, values: [/sshd], followChildren: true}]"),
		"kprobe f", {"binary=/a|parent=/b|ancestors=/c,/d", "event only"},
		{"binary=/a|parent=/b|ancestors=/c,/sshd", "passes"},
		{"binary=/a|parent=/sshd", "passes"}, {"binary=/sshd", "passes"},
		{"binary=/a|ancestors=",
			"open: at least \"passes\", at most \"event only\"; depends on parent"},
		{"binary=?|parent=/sshd", "passes"}, {"binary=?|parent=/b|ancestors=", "passes"});
	EXPECT(PROCESS("matchParentBinaries: [{operator: Prefix, values: [/usr/]}]"), "kprobe f",
		{"parent=/usr/bin/x", "event only"}, {"parent=/bin/x", "passes"});
}

static void pids(void **state)
{
	(void)state;
	EXPECT(PROCESS("matchPIDs: [{operator: NotIn, values: [1, 7]}]"), "kprobe f",
		{"pid=1", "passes"}, {"pid=2", "event only"}, {"process=?|pid=2", "event only"});
	EXPECT(PROCESS("matchPIDs: [{operator: In, values: [7], followForks: true}]"), "kprobe f",
		{"pid=7", "event only"}, {"pid=8|ancestor-pids=9,7", "event only"},
		{"pid=8|ancestor-pids=9,1", "passes"}, {"pid=8|ancestor-pids=7", "event only"},
		{"pid=8", "open: at least \"passes\", at most \"event only\"; depends on "
			  "ancestor-pids"});
	/* every chain ends at number 0 */
	EXPECT(PROCESS("matchPIDs: [{operator: In, values: [0], followForks: true}]"), "kprobe f",
		{"pid=8|ancestor-pids=1", "event only"});
	EXPECT(PROCESS("matchPIDs: [{operator: NotIn, values: [0, 1], followForks: true, "
		       "isNamespacePID: true}]"),
		"kprobe f", {"nspid=0|ancestor-nspids=", "passes"},
		{"nspid=5|ancestor-nspids=1", "passes"},
		{"nspid=5|ancestor-nspids=4,0", "event only"});
}

static void namespaces(void **state)
{
	(void)state;
	EXPECT(PROCESS("matchNamespaces: [{namespace: Pid, operator: NotIn, values: [host_ns, "
		       "\"7\"]}]"),
		"kprobe f", {"ns.Pid=host", "passes"}, {"ns.Pid=7", "passes"},
		{"ns.Pid=8", "event only"}, {"ns.Pid=other", "event only"}, {"ns.Pid=?", "passes"});
	EXPECT(PROCESS("matchNamespaceChanges: [{operator: In, values: [Net, Pid]}]"), "kprobe f",
		{"ns.Net=5|old-ns.Net=host", "event only"},
		{"ns.Net=5|old-ns.Net=5|ns.Pid=host|old-ns.Pid=host", "passes"},
		{"changed-ns=Pid", "event only"}, {"changed-ns=Mnt", "passes"},
		{"ns.Net=?|ns.Pid=1|old-ns.Pid=1", "passes"});
	EXPECT(PROCESS("matchCapabilities: [{type: Effective, operator: In, values: "
		       "[CAP_SYS_ADMIN], "
		       "isNamespaceCapability: true}]"),
		"kprobe f", {"effective=CAP_SYS_ADMIN|user-namespace=other", "event only"},
		{"effective=CAP_SYS_ADMIN|ns.User=host", "passes"}, {"effective=none", "passes"},
		{"effective=all", "open: at least \"passes\", at most \"event only\"; depends on "
				  "ns.User"});
	EXPECT(PROCESS("matchCapabilityChanges: [{type: Permitted, operator: NotIn, values: "
		       "[CAP_KILL]}]"),
		"kprobe f", {"permitted=CHOWN|old-permitted=none", "event only"},
		{"permitted=CHOWN,KILL|old-permitted=", "passes"},
		{"permitted=KILL|old-permitted=KILL", "passes"});
}

static void workloads(void **state)
{
	(void)state;
	EXPECT(PROCESS("matchWorkloads: [{podSelector: {matchLabels: {app: web}}, "
		       "containerSelector: "
		       "{matchExpressions: [{key: name, operator: In, values: [c]}]}}]"),
		"kprobe f", {"pod=shop/web|container=c", "event only"},
		{"pod=shop/web|container=d", "passes"}, {"labels=app=db", "passes"},
		{"workload=host", "passes"},
		{"labels=app=web,tier=x",
			"open: at least \"passes\", at most \"event only\"; depends on container, "
			"namespace"});
	EXPECT("  hostSelector: {}\n  kprobes:\n  - call: f\n    syscall: false\n", "kprobe f",
		{"workload=host", "event only"}, {"pod=shop/web", "passes"},
		{"", "open: at least \"passes\", at most \"event only\"; depends on pod"});
}

/* The first that matches, in order; what is open before it leaves both. */
static void selectors(void **state)
{
	static const char two[] = "  kprobes:\n  - call: security_file_open\n    syscall: false\n"
				  "    args: [{index: 0, type: file}]\n    selectors:\n"
				  "    - matchBinaries: [{operator: In, values: [/a]}]\n"
				  "      matchActions: [{action: NoPost}]\n"
				  "    - matchArgs: [{index: 0, operator: Prefix, values: [/s/]}]\n"
				  "      matchActions: [{action: Override, argError: -13}, "
				  "{action: Signal, argSig: 15}]\n";
	static const char monitor[] = "  options: [{name: policy-mode, value: monitor}]\n  "
				      "lsmhooks:\n  - hook: file_open\n"
				      "    selectors:\n    - matchActions: [{action: Sigkill}, "
				      "{action: Override, argError: -1}]\n";

	(void)state;
	EXPECT(two, "kprobe security_file_open", {"binary=/a|arg0=/s/x", "passes"},
		{"binary=/b|arg0=/s/x", "sent SIGTERM, returns -EACCES, event"},
		{"binary=/b|arg0=/t", "passes"}, {"binary=/a", "passes"},
		{"arg0=/s/x", "open: at least \"passes\", at most \"sent SIGTERM, returns -EACCES, "
			      "event\"; depends on binary"});
	EXPECT(monitor, "lsm file_open", {"", "event only (monitor mode)"});
	EXPECT("  lsmhooks:\n  - hook: file_open\n    selectors:\n"
	       "    - matchActions: [{action: Override, argError: 0}, {action: NoPost}]\n",
		"file_open", {"", "passes"});
}

/* Every policy judges; the first error in order of policies is the result. */
static void several_policies(void **state)
{
	static const char both[] =
		"  lsmhooks:\n  - hook: file_open\n    args: [{index: 0, type: file}]\n    "
		"selectors:\n"
		"    - matchArgs: [{index: 0, operator: Equal, values: [/a]}]\n"
		"      matchActions: [{action: Override, argError: -13}, {action: NoPost}]\n---\n"
		"  lsmhooks:\n  - hook: file_open\n    selectors:\n"
		"    - matchActions: [{action: Override, argError: -1}]\n";

	(void)state;
	EXPECT(both, "lsm file_open", {"arg0=/a", "returns -EACCES, event"},
		{"arg0=/b", "returns -EPERM, event"},
		{"", "open: at least \"returns -EPERM, event\", at most \"returns -EACCES, "
		     "event\"; depends on arg0"});
}

static void returns(void **state)
{
	static const char back[] =
		"  kprobes:\n  - call: sys_openat\n    return: true\n"
		"    returnArg: {index: 0, type: int}\n    args: [{index: 2, type: int}]\n"
		"    selectors:\n    - matchArgs: [{index: 2, operator: Mask, values: [\"1\"]}]\n"
		"      matchReturnArgs: [{operator: LT, values: [\"0\"]}]\n"
		"      matchReturnActions: [{action: Sigkill}]\n";
	static const char replaced[] =
		"  kprobes:\n  - call: sys_openat\n    return: true\n"
		"    returnArg: {index: 0, type: int}\n    selectors:\n"
		"    - matchReturnArgs: [{operator: Equal, values: [\"-1\"]}]\n"
		"      matchActions: [{action: Override, argError: -1}]\n";

	(void)state;
	EXPECT(back, "syscall openat", {"arg2=1|return=-ENOENT", "killed with SIGKILL, event"},
		{"arg2=1|return=3", "passes"}, {"arg2=2", "passes"}, {"arg2=1|return=?", "passes"},
		{"arg2=1", "open: at least \"passes\", at most \"killed with SIGKILL, event\"; "
			   "depends on return"});
	EXPECT(replaced, "kprobe sys_openat", {"", "returns -EPERM, event"},
		{"return=0", "returns -EPERM"});
}

static void enforcers(void **state)
{
	static const char policy[] =
		"  enforcers: [{calls: [sys_write]}]\n  kprobes:\n"
		"  - call: sys_write\n    args: [{index: 0, type: int}]\n    selectors:\n"
		"    - matchArgs: [{index: 0, operator: Equal, values: [\"1\"]}]\n"
		"      matchActions: [{action: NotifyEnforcer, argError: -1}]\n"
		"  - call: vfs_write\n    syscall: false\n    selectors:\n"
		"    - matchActions: [{action: NotifyEnforcer, argError: -2, argSig: 9}]\n";

	(void)state;
	EXPECT(policy, "syscall write", {"arg0=1", "returns -EPERM, event"}, {"arg0=2", "passes"});
	EXPECT(policy, "kprobe vfs_write",
		{"", "killed with SIGKILL, the enforcer's call returns -ENOENT, event"});
}

/* Of several errors that are left to the enforcer the first policy's counts. */
static void enforcers_of_two_policies(void **state)
{
	static const char two_policies[] =
		"  enforcers: [{calls: [sys_write]}]\n  kprobes:\n  - call: vfs_write\n"
		"    syscall: false\n    selectors:\n"
		"    - matchActions: [{action: NotifyEnforcer, argError: -5}]\n---\n"
		"  enforcers: [{calls: [sys_write]}]\n  kprobes:\n  - call: vfs_write\n"
		"    syscall: false\n    selectors:\n"
		"    - matchActions: [{action: NotifyEnforcer, argError: -6}]\n";

	(void)state;
	EXPECT(two_policies, "vfs_write", {"", "the enforcer's call returns -EIO, event"});
}

/* --- what is refused -----------------------------------------------------------------------------
 */

struct refusal {
	const char *hook, *said, *message, *suggestion;
};

static const struct refusal refusals[] = {
	{"kprobe tcp_conect", "", "no policy is on the hook", "did you mean 'kprobe tcp_connect'?"},
	{"lsm tcp_connect", "", "no policy is on the hook", "did you mean"},
	{"tcp_connect", "arg1=3", "could ask for 'arg1'", "did you mean 'arg0'?"},
	{"tcp_connect", "binry=/x", "could ask for 'binry'", "did you mean 'binary'?"},
	{"tcp_connect", "pid=x", "'x' is no pid", NULL},
	{"tcp_connect", "pid=1|pid=2", "pid is said twice", NULL},
	{"tcp_connect", "arg0=->1.2.3", "is no connection", NULL},
	{"tcp_connect", "arg0=->1.2.3.4:99999", "is no connection", NULL},
	{"tcp_connect", "arg0.saddr=fd00::1|arg0.daddr=1.2.3.4", "different families", NULL},
	{"tcp_connect", "arg0.family=AF_UNIX|arg0.dport=1", "neither addresses nor ports", NULL},
	{"tcp_connect", "num=300", "does not fit into 'uint8'", NULL},
	{"tcp_connect", "num=1|num.x=2", "could ask for 'num.x'", NULL},
	{"tcp_connect", "ns.Net=nowhere", "is no namespace", NULL},
	{"tcp_connect", "effective=CAP_NONSENSE", "is no list of capabilities", NULL},
	{"tcp_connect", "pod=shop/db", "no pod 'shop/db'", NULL},
	{"tcp_connect", "pod=shop/web|workload=host", "a process of the host is in no pod", NULL},
	{"tcp_connect", "user-namespace=host|ns.User=host", "are the same", NULL},
};

static void refuses(void **state)
{
	static const char policy[] =
		"  kprobes:\n  - call: tcp_connect\n    syscall: false\n"
		"    args: [{index: 0, type: sock}, {index: 2, type: uint8, label: num}]\n";

	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct world w;

		open_world(&w, policy);
		if (make(&w, r->hook, r->said))
			fail_msg("taken: %s with %s", r->hook, r->said);
		assert_int_equal(w.polc.n_errors, 1);
		const struct polc_diagnostic *d = w.polc.diagnostics.items[0];

		if (!strstr(d->message, r->message) ||
			(r->suggestion &&
				(!d->suggestion || !strstr(d->suggestion, r->suggestion))))
			fail_msg("%s: %s (%s)", r->said, d->message, d->suggestion);
		polc_free(&w.polc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(expressions),
		cmocka_unit_test(capability_sets),
		cmocka_unit_test(strings),
		cmocka_unit_test(files),
		cmocka_unit_test(network),
		cmocka_unit_test(binaries),
		cmocka_unit_test(pids),
		cmocka_unit_test(namespaces),
		cmocka_unit_test(workloads),
		cmocka_unit_test(selectors),
		cmocka_unit_test(several_policies),
		cmocka_unit_test(returns),
		cmocka_unit_test(enforcers),
		cmocka_unit_test(enforcers_of_two_policies),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
