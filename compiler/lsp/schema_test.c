/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The fields of PolicyTest and PolicyAssertion for people who write them, see polc-test(5). */
#include "schema.h"

static const char *const verdicts[] = {"allow", "deny", "audit", NULL};
static const struct lsp_field case_fields[] = {
	TEXT("name", "What the test is called in reports."),
	TEXT("from", "Who connects, one or a list: `namespace/pod`, `node:NAME`, an address or an "
		     "entity."),
	TEXT("to", "Whom, one or a list; each combination is a test."),
	TEXT("port", "To which port, one or a list: `tcp/80`, `icmp/8`, `ip/47`."),
	WORDS("egress", verdicts, "What the policies of the source must decide."),
	WORDS("ingress", verdicts, "What the policies of the destination must decide."),
	TEXT("rule", "What must decide: `namespace/policy`, `file:line` or a reason such as "
		     "`default-deny`."),
	TEXT("call", "Instead of a connection: a hook, as `kprobe cap_capable`, `lsm file_open` or "
		     "`syscall openat`."),
	FREE("with", "What is known of the call; what is not said is open."),
	TEXT("expect",
		"Of a connection `allow` or `deny`, by both sides. Of a call `nothing`, `passes`, "
		"`stopped`, or a mapping of `actions`, `outcome`, `error`, `signal`, `policy` and "
		"`selector`."),
};
static const struct lsp_shape test_case = SHAPE(case_fields);
static const struct lsp_field endpoint_fields[] = {
	TEXT("name", "The pod's name."),
	VALUES("namespace", LSP_VALUES_NAMESPACE, "Unwritten: `default`."),
	VALUES("labels", LSP_VALUES_LABELS, "Its labels."),
	FREE("namespaceLabels", "Labels of its namespace."),
	TEXT("ip", "Its address, or a list of them."),
	FREE("ports", "Named ports: `{http: tcp/8080}`."),
	TEXT("node", "The node that it runs on."),
	TEXT("serviceAccount", "The account that it runs as."),
	WORDS("hostNetwork", lsp_bools, "Does it share the network of its node?"),
	TEXT("cgroup", "Its cgroup, below the mount of cgroup2."),
	TEXT("interface", "The host's side of its interface."),
};
static const struct lsp_shape endpoint = SHAPE(endpoint_fields);
static const struct lsp_field namespace_fields[] = {
	VALUES("name", LSP_VALUES_NAMESPACE, "The namespace's name."),
	FREE("labels", "Its labels."),
};
static const struct lsp_shape namespace = SHAPE(namespace_fields);
static const char *const dialects[] = {"kubernetes", "cilium", NULL};
static const char *const postures[] = {"allow", "deny", "always", NULL};
static const struct lsp_field option_fields[] = {
	WORDS("dialect", dialects, "Do address ranges match pods and nodes too?"),
	WORDS("posture", postures, "What happens to endpoints that no policy selects."),
	TEXT("clusterName", "Value of the label `io.cilium.k8s.policy.cluster`."),
	TEXT("target", "The kernel that tracing policies are for."),
};
static const struct lsp_shape test_options = SHAPE(option_fields);
static const struct lsp_field test_fields[] = {
	TEXT_LIST("policies",
		"Files and directories, from the directory of this file, or whole policies. "
		"Unwritten: those of the command line, else those of this directory."),
	TEXT_LIST("inventory", "Inventories instead of those of the command line."),
	LIST("endpoints", endpoint, "More endpoints than the inventory has."),
	LIST("namespaces", namespace, "Labels of namespaces."),
	BELOW("options", test_options, "How the policies are read."),
	LIST("tests", test_case, "Connections and calls, with what must become of them."),
	TEXT_LIST("connections", "Short lines: `FROM -> TO PORT: allow`, `deny`, `deny by RULE`."),
};
const struct lsp_shape lsp_test_spec = SHAPE(test_fields);

static const struct lsp_field party_fields[] = {
	VALUES("namespace", LSP_VALUES_NAMESPACE, "Pods of this namespace."),
	BELOW("namespaceSelector", lsp_label_selector, "Pods of namespaces with these labels."),
	BELOW("podSelector", lsp_label_selector, "Pods with these labels."),
	TEXT("cidr", "Whoever has such an address, pods too."),
	TEXT_LIST("except", "Prefixes inside of `cidr` that are left out."),
	VALUES("entity", LSP_VALUES_ENTITY, "An entity, as in policies of Cilium."),
};
static const struct lsp_shape party = SHAPE(party_fields);
static const char *const claimed[] = {"allowed", "denied", NULL};
#define PATH_FIELDS                                                                                \
	BELOW("from", party, "Who connects."), BELOW("to", party, "Whom."),                        \
		TEXT_LIST("ports", "Only these: `tcp/80-90`, `udp/*`. Unwritten: all."),           \
		TEXT_LIST("exceptPorts", "All but these.")
static const struct lsp_field no_path_fields[] = {PATH_FIELDS};
static const struct lsp_shape no_path = SHAPE(no_path_fields);
static const struct lsp_field every_path_fields[] = {
	PATH_FIELDS, WORDS("is", claimed, "What must hold of each.")};
static const struct lsp_shape every_path = SHAPE(every_path_fields);
static const struct lsp_field call_fields[] = {
	TEXT("call", "The hook, as `kprobe cap_capable`, `lsm file_open` or `syscall openat`."),
	FREE("with", "What is said of the call; the claim is about all values of the rest."),
	FREE("except", "Alternatives; calls of which all facts of one hold are left out."),
};
static const struct lsp_shape claimed_call = SHAPE(call_fields);
static const struct lsp_field claim_fields[] = {
	BELOW("noPath", no_path, "No such connection is allowed."),
	BELOW("everyPath", every_path, "Every such connection is allowed, or denied."),
	BELOW("noCall", claimed_call, "Every such call is stopped."),
	BELOW("everyCall", claimed_call, "No such call is stopped."),
};
static const struct lsp_shape claim = SHAPE(claim_fields);
static const struct lsp_field assertion_fields[] = {
	LIST("assert", claim,
		"Claims about all connections and calls, checked against all policies together."),
};
const struct lsp_shape lsp_assertion_spec = SHAPE(assertion_fields);
