/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The fields of tracing policies, and the words of the policy language, for people. */
#include <string.h>

#include "schema.h"

/* Arguments */

static const char *const sources[] = {"current_task", "pt_regs", NULL};
#define ARGUMENT_FIELDS                                                                            \
	TEXT("index", "Which argument, from 0; of a tracepoint: which field of its format, the "   \
		      "common ones counted. Unwritten: 0."),                                       \
		VALUES("type", LSP_VALUES_TYPE,                                                    \
			"How the value is read, and so what it can be compared with. Unwritten: "  \
			"`auto`, which only tracepoints can do."),                                 \
		TEXT("label", "A name for the value, in events and in the policy language."),      \
		WORDS("source", sources, "Of `data`: where the value is looked up."),              \
		TEXT("resolve", "What to follow from the argument on: `mm.owner.comm`, "           \
				"`path[2].name`. The type is that of the last step."),             \
		TEXT("btfType", "The struct that the argument points to, where its own type does " \
				"not say."),                                                       \
		TEXT("btfTypeModule", "The kernel module that knows `btfType`."),                  \
		TEXT("sizeArgIndex", "Of a buffer: the argument that holds its size, from 1."),    \
		WORDS("returnCopy", lsp_bools,                                                     \
			"Read the buffer when the function returns. Unwritten: false."),           \
		WORDS("maxData", lsp_bools,                                                        \
			"Read up to 327,360 bytes of a buffer instead of 4,095. Unwritten: "       \
			"false.")
static const struct lsp_field argument_fields[] = {ARGUMENT_FIELDS};
static const struct lsp_shape argument = SHAPE(argument_fields);

/* Filters */

static const char *const argument_operators[] = {"Equal", "NotEqual", "Prefix", "NotPrefix",
	"Postfix", "NotPostfix", "GT", "LT", "Mask", "SPort", "NotSPort", "SPortPriv",
	"NotSportPriv", "DPort", "NotDPort", "DPortPriv", "NotDPortPriv", "SAddr", "NotSAddr",
	"DAddr", "NotDAddr", "Protocol", "Family", "State", "InMap", "NotInMap",
	"CapabilitiesGained", "InRange", "NotInRange", "SubString", "SubStringIgnCase", "CelExpr",
	"FileType", "NotFileType", NULL};
static const char *const binary_operators[] = {
	"In", "NotIn", "Prefix", "NotPrefix", "Postfix", "NotPostfix", NULL};
static const char *const set_operators[] = {"In", "NotIn", NULL};
static const char *const namespaces[] = {
#define X(name, text) text,
	POLB_NAMESPACES(X)
#undef X
		NULL};
static const char *const capability_sets[] = {"Effective", "Inheritable", "Permitted", NULL};
static const char *const error_meanings[] = {"match", "nomatch", "deny", NULL};
#define ON_ERROR                                                                                   \
	WORDS("onError", error_meanings,                                                           \
		"polc's own: what a value that cannot be read means. Unwritten: `nomatch`, so "    \
		"that what hides its arguments escapes.")
static const struct lsp_field argument_filter_fields[] = {
	TEXT("index", "The argument's `index`. Unwritten: 0."),
	TEXT_LIST("args", "Positions in the list `args`, from 0, instead of `index`."),
	WORDS("operator", argument_operators,
		"How to compare. Positive ones hold when one value matches, negated ones when none "
		"does."),
	VALUE_LIST("values", LSP_VALUES_FILTER, "Alternatives, as strings."),
	ON_ERROR,
};
static const struct lsp_shape argument_filter = SHAPE(argument_filter_fields);
static const struct lsp_field pid_fields[] = {
	WORDS("operator", set_operators, "`In` or `NotIn`."),
	WORDS("isNamespacePID", lsp_bools,
		"The numbers are those of the process' own namespace. Unwritten: false."),
	WORDS("followForks", lsp_bools, "Children count too. Unwritten: false."),
	TEXT_LIST("values", "Numbers of processes."),
	ON_ERROR,
};
static const struct lsp_shape pid_filter = SHAPE(pid_fields);
static const struct lsp_field binary_fields[] = {
	WORDS("operator", binary_operators,
		"Compared with the path that was executed, links resolved."),
	WORDS("followChildren", lsp_bools,
		"Children of such processes count too. Unwritten: false."),
	TEXT_LIST("values", "Absolute paths, or parts of them for `Prefix` and `Postfix`."),
	ON_ERROR,
};
static const struct lsp_shape binary_filter = SHAPE(binary_fields);
static const struct lsp_field namespace_fields[] = {
	WORDS("namespace", namespaces, "Which namespace of the process."),
	WORDS("operator", set_operators, "`In` or `NotIn`."),
	TEXT_LIST("values", "Numbers of namespaces, or `host_ns`: that of the host."),
	ON_ERROR,
};
static const struct lsp_shape namespace_filter = SHAPE(namespace_fields);
static const struct lsp_field namespace_change_fields[] = {
	WORDS("operator", set_operators, "`In` or `NotIn`."),
	WORD_LIST("values", namespaces, "Namespaces that changed since the program was started."),
	ON_ERROR,
};
static const struct lsp_shape namespace_change_filter = SHAPE(namespace_change_fields);
static const struct lsp_field capability_fields[] = {
	WORDS("type", capability_sets, "Which set. Unwritten: `Effective`."),
	WORDS("operator", set_operators, "`In`: the process has one of them; `NotIn`: none."),
	WORDS("isNamespaceCapability", lsp_bools,
		"Only where the process is not in the host's user namespace. Unwritten: false."),
	VALUE_LIST("values", LSP_VALUES_CAPABILITY, "Capabilities: `CAP_SYS_ADMIN`."),
	ON_ERROR,
};
static const struct lsp_shape capability_filter = SHAPE(capability_fields);
#define HOST FREE("hostSelector", "Only `{}`: what runs on the host, outside of pods.")
static const struct lsp_field workload_fields[] = {
	BELOW("podSelector", lsp_cilium_selector, "Pods by labels."),
	BELOW("containerSelector", lsp_cilium_selector, "Containers by `name` and `repo`."),
	HOST,
};
static const struct lsp_shape workload_filter = SHAPE(workload_fields);

/* Actions */

static const char *const actions[] = {
#define X(name, text) text,
	POLB_TRACE_ACTIONS(X)
#undef X
		NULL};
static const char *const scopes[] = {"thread", "process", "global", NULL};
static const struct lsp_field action_fields[] = {
	WORDS("action", actions,
		"`Post` an event (also done when there is no action); `Sigkill` or `Signal` the "
		"process; `Override` the result, so that the call is not made; and others."),
	TEXT("argError", "Of `Override` and `NotifyEnforcer`: the result, for example -1 (EPERM)."),
	TEXT("argSig", "Of `Signal` and `NotifyEnforcer`: the signal's number."),
	TEXT("rateLimit", "Of `Post`: at most one event in that time: `5s`, `1m`, `1h`."),
	WORDS("rateLimitScope", scopes, "Whose events are counted together. Unwritten: `thread`."),
	WORDS("kernelStackTrace", lsp_bools, "Of `Post`: the kernel's stack. Unwritten: false."),
	WORDS("userStackTrace", lsp_bools, "Of `Post`: the program's stack. Unwritten: false."),
	WORDS("imaHash", lsp_bools, "Of `Post` on LSM hooks: the file's hash. Unwritten: false."),
	TEXT("argUrl", "Of `GetUrl`: what to ask for."),
	TEXT("argFqdn", "Of `DnsLookup`: the name."),
	TEXT("argSock", "Of `TrackSock`, `UntrackSock`: the index of the socket."),
	TEXT("argIndex", "Of `Set`: which argument of the USDT probe."),
	TEXT("argValue", "Of `Set`: what it becomes."),
	TEXT_LIST("argRegs", "Of `Override` in programs: registers: `rax=1`."),
	TEXT("argNewSymbol", "Of `Override` in programs: the function to go on in."),
	TEXT("argNewAddr", "Of `Override` in programs: the address to go on at."),
	TEXT("argNewOffset", "Of `Override` in programs: the offset in the file to go on at."),
	TEXT("argFd", "Of actions that do not exist any more."),
	TEXT("argName", "Of actions that do not exist any more."),
};
static const struct lsp_shape action = SHAPE(action_fields);

/* Selectors and hooks */

static const struct lsp_field selector_fields[] = {
	TEXT("label", "A name for the selector, in counters and events."),
	VALUE_LIST(
		"macros", LSP_VALUES_MACRO, "Names in `selectorsMacros` whose filters hold too."),
	LIST("matchArgs", argument_filter, "Arguments; all must hold."),
	LIST("matchData", argument_filter, "Entries of `data`; all must hold."),
	LIST("matchReturnArgs", argument_filter, "The return value; all must hold."),
	LIST("matchPIDs", pid_filter, "The process."),
	LIST("matchBinaries", binary_filter, "The program that the process runs."),
	LIST("matchParentBinaries", binary_filter, "The program of its parent."),
	LIST("matchNamespaces", namespace_filter, "Namespaces that the process is in."),
	LIST("matchNamespaceChanges", namespace_change_filter, "Namespaces that it changed."),
	LIST("matchCapabilities", capability_filter, "Capabilities that it has."),
	LIST("matchCapabilityChanges", capability_filter, "Capabilities that it changed."),
	LIST("matchWorkloads", workload_filter, "The pod or container that it runs in."),
	LIST("matchActions", action, "What is done. Unwritten: an event is posted."),
	LIST("matchReturnActions", action, "What is done when the function returns."),
};
static const struct lsp_shape selector = SHAPE(selector_fields);
static const struct lsp_field ignore_fields[] = {
	WORDS("callNotFound", lsp_bools, "Do without the hook where the function does not exist."),
};
static const struct lsp_shape ignore = SHAPE(ignore_fields);
static const struct lsp_field user_ignore_fields[] = {
	WORDS("digestVerificationFailure", lsp_bools, "Hook files with another digest too."),
};
static const struct lsp_shape user_ignore = SHAPE(user_ignore_fields);
static const char *const return_actions[] = {"TrackSock", "UntrackSock", "Post", NULL};
#define HOOK_COMMON                                                                                \
	TEXT("message", "Goes with the events: 2 to 256 characters."),                             \
		TEXT_LIST("tags", "Go with the events: at most 16."),                              \
		LIST("args", argument, "The arguments that are read, shown and compared."),        \
		LIST("selectors", selector,                                                        \
			"Tried in order: the first whose filters all hold acts. Unwritten: every " \
			"call posts an event.")
#define HOOK_RETURN                                                                                \
	WORDS("return", lsp_bools, "Look at the return too. Unwritten: false."),                   \
		LIST("data", argument, "Values from elsewhere: of the task, or registers."),       \
		BELOW("returnArg", argument, "The return value; needs `return: true`."),           \
		WORDS("returnArgAction", return_actions, "What is done with the return value.")
#define FUNCTION_HOOK                                                                              \
	VALUES("call", LSP_VALUES_FUNCTION,                                                        \
		"The kernel's function, a system call (`sys_openat`) or `list:NAME`."),            \
		WORDS("syscall", lsp_bools, "It is a system call. Unwritten: **true**."),          \
		HOOK_RETURN, HOOK_COMMON, BELOW("ignore", ignore, "What is no error.")
static const struct lsp_field function_fields[] = {FUNCTION_HOOK};
static const struct lsp_shape function = SHAPE(function_fields);
static const struct lsp_field tracepoint_fields[] = {
	TEXT("subsystem", "As in tracefs: `syscalls`, `sched`."),
	TEXT("event", "As in tracefs: `sys_enter_openat`."),
	WORDS("raw", lsp_bools,
		"Take the raw arguments instead of the fields of the format. Unwritten: false."),
	HOOK_COMMON,
};
static const struct lsp_shape tracepoint = SHAPE(tracepoint_fields);
static const struct lsp_field lsm_fields[] = {
	VALUES("hook", LSP_VALUES_LSM_HOOK, "The hook without `security_`: `file_open`."),
	HOOK_COMMON,
};
static const struct lsp_shape lsm = SHAPE(lsm_fields);
static const struct lsp_field uprobe_fields[] = {
	TEXT("path", "The program or library."),
	TEXT("btfPath", "A file with BTF of its types, for `resolve`."),
	TEXT_LIST("symbols", "Its functions; or `offsets`, or `addrs`."),
	TEXT_LIST("offsets", "Places in the file."),
	TEXT_LIST("addrs", "Addresses in the program."),
	TEXT_LIST("refCtrOffsets", "Places of the counters that switch probes on; one for each."),
	TEXT_LIST("binaryDigests", "Digests of which the file must have one: `sha256:...`."),
	HOOK_RETURN,
	HOOK_COMMON,
	BELOW("ignore", user_ignore, "What is no error."),
};
static const struct lsp_shape uprobe = SHAPE(uprobe_fields);
static const struct lsp_field usdt_fields[] = {
	TEXT("path", "The program or library."),
	TEXT("provider", "The probe's provider."),
	TEXT("name", "The probe's name."),
	TEXT("btfPath", "A file with BTF of its types, for `resolve`."),
	TEXT_LIST("binaryDigests", "Digests of which the file must have one: `sha256:...`."),
	HOOK_COMMON,
	BELOW("ignore", user_ignore, "What is no error."),
};
static const struct lsp_shape usdt = SHAPE(usdt_fields);

/* Policies */

static const char *const list_types[] = {
	"syscalls", "generated_syscalls", "generated_ftrace", NULL};
static const struct lsp_field list_fields[] = {
	TEXT("name", "Used as `list:NAME`."),
	WORDS("type", list_types,
		"`syscalls`: names of system calls; `generated_syscalls`: all of them; "
		"`generated_ftrace`: the functions that match `pattern`. Unwritten: functions."),
	TEXT("pattern", "A regular expression, of `generated_ftrace`."),
	VALUE_LIST("values", LSP_VALUES_FUNCTION, "The names."),
	TEXT("validated", "An agent's note to itself: without effect."),
};
static const struct lsp_shape list = SHAPE(list_fields);
static const char *const option_names[] = {"disable-kprobe-multi", "disable-uprobe-multi",
	"override-method", "policy-mode", "sleepable-preload-size", NULL};
static const struct lsp_field option_fields[] = {
	WORDS("name", option_names,
		"`policy-mode` (`enforce` or `monitor`) says whether signals and results take "
		"effect; `override-method` (`fmod-ret` or `override-return`) how results do."),
	TEXT("value", "What the option is set to."),
};
static const struct lsp_shape option = SHAPE(option_fields);
static const struct lsp_field enforcer_fields[] = {
	VALUE_LIST("calls", LSP_VALUES_FUNCTION,
		"System calls (`sys_prctl`, `list:NAME`) or `security_` functions."),
};
static const struct lsp_shape enforcer = SHAPE(enforcer_fields);
static const struct lsp_field trace_fields[] = {
	LIST("kprobes", function, "Functions of the kernel, and system calls."),
	LIST("fentries", function, "The same through fentry."),
	LIST("tracepoints", tracepoint, "Tracepoints of the kernel."),
	LIST("lsmhooks", lsm, "Hooks of the security modules."),
	LIST("uprobes", uprobe, "Functions of programs and libraries."),
	LIST("usdts", usdt, "Probes that programs and libraries have built in."),
	LIST("lists", list, "Names of functions, for use as `list:NAME`."),
	LIST("enforcers", enforcer, "Calls at which `NotifyEnforcer` takes effect."),
	LIST("options", option, "Settings of the policy."),
	{.name = "selectorsMacros",
		.below = &selector,
		.values = LSP_VALUES_MACROS,
		.doc = "Filters and actions with a name, for `macros` of selectors."},
	BELOW("podSelector", lsp_cilium_selector, "Only processes of these pods."),
	BELOW("containerSelector", lsp_cilium_selector,
		"Only processes of these containers, by `name` and `repo`."),
	HOST,
	BELOW("nodeSelector", lsp_label_selector, "Only on these nodes."),
	WORDS("loader", lsp_bools, "Report the libraries that are loaded. Unwritten: false."),
};
const struct lsp_shape lsp_trace_spec = SHAPE(trace_fields);

/* Words of the policy language */

static const struct {
	const char *word, *doc;
} network_words[] =
	{
		{"network",
			"A CiliumNetworkPolicy (`network NAME in NAMESPACE`), or without `in` a "
			"CiliumClusterwideNetworkPolicy."},
		{"kubernetes", "`kubernetes network NAME in NAMESPACE`: a NetworkPolicy."},
		{"cluster",
			"`cluster network NAME tier admin priority 10`: a ClusterNetworkPolicy."},
		{"admin", "`admin network NAME priority 10`: an AdminNetworkPolicy."},
		{"baseline", "`baseline network default`: the BaselineAdminNetworkPolicy."},
		{"endpoint", "What exists on a host: joins the inventory as a pod."},
		{"tracing", "A TracingPolicy; with `in NAMESPACE` a TracingPolicyNamespaced."},
		{"tier", "`admin` is tried before every other policy, `baseline` behind them."},
		{"priority", "0 to 1000; lower numbers are tried first."},
		{"mode", "`audit` or `enforce`: the policy can be switched on the node, and starts "
			 "so."},
		{"spec", "One of several policies in one object, of Cilium."},
		{"subject", "Whom the policy governs; `subject all` is everybody in scope."},
		{"ingress",
			"A rule about what comes in: `ingress allow from app = api to tcp/80;`"},
		{"egress", "A rule about what goes out: the first `to` names peers, the second "
			   "ports."},
		{"allow", "What matches may pass, unless something denies it."},
		{"deny", "What matches must not pass, whatever other rules allow."},
		{"pass", "Leaves the decision to the policies below, of the policy API."},
		{"default", "`ingress default deny;`: Cilium's enableDefaultDeny. Unwritten: deny "
			    "as soon "
			    "as the direction has a rule."},
		{"none", "Nobody, or no port at all."},
		{"nothing", "A Cilium rule that is empty: isolates, and lets nobody through."},
		{"any", "Every peer: the same as leaving the clause out."},
		{"all", "The empty selector: everything in scope."},
		{"from", "The peers of an ingress rule: alternatives joined by `or`."},
		{"to", "Peers of an egress rule, or ports."},
		{"as", "A name for the rule, of the policy API."},
		{"or", "Joins alternative peers."},
		{"and", "Joins labels: all must hold."},
		{"has", "The label is there, whatever its value."},
		{"endpoints", "Endpoints by labels, of Cilium."},
		{"pods", "Pods by labels, of NetworkPolicy and the policy API."},
		{"namespaces", "Namespaces by labels, or with `pods` pods in them."},
		{"nodes", "Nodes by labels."},
		{"cidr", "Address prefixes; `except` belongs to one prefix."},
		{"cidr-group", "A CiliumCIDRGroup by its name."},
		{"cidr-groups", "CiliumCIDRGroups by their labels."},
		{"except", "Prefixes that are left out."},
		{"entity", "Peers that have a name: `world`, `host`, `kube-apiserver`."},
		{"service", "The addresses behind a Service."},
		{"services", "The addresses behind Services with these labels."},
		{"isolate",
			"NetworkPolicy's policyTypes: the directions that are denied but for what "
			"rules allow."},
		{"log", "At most 32 characters that go with the events of the rules."},
		{"description", "For people: without effect."},
		{"labels", "Labels of the policy, without effect; of an endpoint, those it has."},
		{"address", "The addresses of the endpoint."},
		{"cgroup", "Its cgroup: a path below the cgroup2 mount."},
		{"interface", "The host's side of its interface."},
		{"port", "A named port: `port http tcp/8080;`"},
		{"node", "The node that it runs on."},
		{"service-account", "Its service account."},
		{"host-network", "It has no network namespace of its own."},
},
  tracing_words[] = {
	  {"mode", "`enforce`, or `monitor`: signals and results take no effect."},
	  {"option", "A setting of the policy: `option disable-kprobe-multi = 1;`"},
	  {"limit", "Bounds the events of the policy: `limit 100/s burst 500 sample 10;`"},
	  {"loader", "Report the libraries that are loaded."},
	  {"pods", "Only processes of these pods."},
	  {"containers", "Only processes of these containers, by `name` and `repo`."},
	  {"host", "Only processes of the host, outside of pods."},
	  {"nodes", "Only on these nodes."},
	  {"list", "Names of functions, used as `list:NAME`."},
	  {"enforce", "Calls at which `notify-enforcer` takes effect."},
	  {"macro", "Tests and actions with a name."},
	  {"on", "Where to look: `on kprobe`, `syscall`, `fentry`, `lsm`, `tracepoint`, `uprobe`, "
		 "`usdt`."},
	  {"kprobe", "A function of the kernel."},
	  {"syscall", "A system call."},
	  {"fentry", "A function of the kernel, through fentry."},
	  {"lsm", "A hook of the security modules, without `security_`."},
	  {"tracepoint",
		  "A tracepoint: `subsystem/event`; `raw tracepoint` has its raw arguments."},
	  {"uprobe", "A function of a program: `on uprobe /bin/bash symbol readline`."},
	  {"usdt", "A probe of a program: `on usdt /bin/app provider:name`."},
	  {"returns", "The return value is looked at, as this type."},
	  {"data", "Values from elsewhere: `data (comm: string resolve comm from current_task)`."},
	  {"message", "Goes with the events."},
	  {"tags", "Go with the events."},
	  {"optional", "Do without the hook where the function does not exist."},
	  {"unverified", "Hook files with another digest too."},
	  {"when", "Tests that must all hold; selectors are tried in order."},
	  {"do", "What is done when the tests hold; without it an event is posted."},
	  {"then", "What is done when the function returns."},
	  {"binary", "The program that the process runs; `follow`: its children too."},
	  {"parent", "The program of the process' parent."},
	  {"pid", "The process; `follow`: its children too."},
	  {"namespace", "A namespace of the process: `namespace Net not in host_ns`."},
	  {"capability", "Capabilities of the process: effective ones, unless said."},
	  {"workload", "The pod or container that the process runs in."},
	  {"result", "The return value."},
	  {"on-error", "What a value that cannot be read means: `match`, `nomatch` or `deny`."},
	  {"every", "At most one event in that time."},
	  {"per", "Whose events are counted together: `thread`, `process`, `global`."},
	  {"post", "An event."},
	  {"no-post", "No event."},
	  {"sigkill", "Kills the process."},
	  {"signal", "Sends the process a signal."},
	  {"override", "The function is not called and returns this."},
	  {"notify-enforcer", "At the calls that `enforce` names: a result, a signal."},
};

const char *lsp_keyword_doc(const char *word, bool tracing)
{
	for (size_t i = 0; tracing && i < POLC_ARRAY_SIZE(tracing_words); i++)
		if (!strcmp(tracing_words[i].word, word))
			return tracing_words[i].doc;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(network_words); i++)
		if (!strcmp(network_words[i].word, word))
			return network_words[i].doc;
	return NULL;
}
