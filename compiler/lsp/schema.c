/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The fields of network policies for people who write them: where each may stand, what it means,
 * and what it means to leave it out. Tracing policies: schema_trace.c, tests: schema_test.c. A test
 * compares the names with what the front end reads.
 */
#include <string.h>

#include "schema.h"

const char *const lsp_bools[] = {"true", "false", NULL};

static const char *const selector_operators[] = {"In", "NotIn", "Exists", "DoesNotExist", NULL};
static const struct lsp_field expression_fields[] = {
	VALUES("key", LSP_VALUES_LABEL_KEY, "The label that is asked about."),
	WORDS("operator", selector_operators,
		"`In` and `NotIn` compare with `values`; `Exists` and `DoesNotExist` take none. "
		"`NotIn` also holds where the label is absent."),
	VALUE_LIST("values", LSP_VALUES_LABEL_VALUE, "Alternatives for `In` and `NotIn`."),
};
static const struct lsp_shape expression = SHAPE(expression_fields);
#define SELECTOR_FIELDS                                                                            \
	VALUES("matchLabels", LSP_VALUES_LABELS, "Labels that must all have these values."),       \
		LIST("matchExpressions", expression, "Requirements that must all hold.")
static const struct lsp_field selector_fields[] = {SELECTOR_FIELDS};
const struct lsp_shape lsp_label_selector = SHAPE(selector_fields);
const struct lsp_shape lsp_cilium_selector = SHAPE(selector_fields);

/* NetworkPolicy */

static const char *const protocols[] = {"TCP", "UDP", "SCTP", NULL};
static const struct lsp_field np_port_fields[] = {
	WORDS("protocol", protocols, "Unwritten: `TCP`."),
	VALUES("port", LSP_VALUES_PORT,
		"A number, or the name of a container port of the destination. Unwritten: every "
		"port of the protocol."),
	TEXT("endPort",
		"The last port of a range that begins with `port`, which must be a number."),
};
static const struct lsp_shape np_port = SHAPE(np_port_fields);
static const struct lsp_field ip_block_fields[] = {
	TEXT("cidr", "The prefix, for example `10.0.0.0/8`."),
	TEXT_LIST("except", "Prefixes inside of `cidr` that are left out."),
};
static const struct lsp_shape ip_block = SHAPE(ip_block_fields);
static const struct lsp_field np_peer_fields[] = {
	BELOW("podSelector", lsp_label_selector,
		"Pods of the policy's namespace, or of those that `namespaceSelector` *in the same "
		"item* selects. `{}` is every pod."),
	BELOW("namespaceSelector", lsp_label_selector,
		"Namespaces; with `podSelector` in the same item only those pods in them. A `-` "
		"before `podSelector` makes it another, alternative peer."),
	BELOW("ipBlock", ip_block,
		"A range of addresses, meant for the outside of the cluster; stands alone."),
};
static const struct lsp_shape np_peer = SHAPE(np_peer_fields);
static const struct lsp_field np_ingress_fields[] = {
	LIST("from", np_peer, "Who may connect: alternatives. Unwritten or empty: everybody."),
	LIST("ports", np_port,
		"To which ports: alternatives. Unwritten or empty: every port and protocol."),
};
static const struct lsp_shape np_ingress = SHAPE(np_ingress_fields);
static const struct lsp_field np_egress_fields[] = {
	LIST("to", np_peer, "Where it may connect to: alternatives. Unwritten or empty: anywhere."),
	LIST("ports", np_port,
		"To which ports: alternatives. Unwritten or empty: every port and protocol."),
};
static const struct lsp_shape np_egress = SHAPE(np_egress_fields);
static const char *const policy_types[] = {"Ingress", "Egress", NULL};
static const struct lsp_field np_spec_fields[] = {
	BELOW("podSelector", lsp_label_selector,
		"The pods of this namespace that the policy governs. `{}` is all of them."),
	LIST("ingress", np_ingress,
		"Connections that may come in; each rule adds some. Empty or absent while "
		"`policyTypes` has Ingress: nothing comes in."),
	LIST("egress", np_egress,
		"Connections that may go out; each rule adds some. Empty while `policyTypes` has "
		"Egress: nothing goes out, not even DNS."),
	WORD_LIST("policyTypes", policy_types,
		"The directions that are denied but for what rules allow. Unwritten: Ingress, and "
		"Egress when the policy has egress rules."),
};
static const struct lsp_shape np_spec = SHAPE(np_spec_fields);

/* Cilium */

static const char *const cilium_protocols[] = {
	"TCP", "UDP", "SCTP", "ANY", "ICMP", "ICMPv6", "VRRP", "IGMP", NULL};
static const struct lsp_field cilium_port_fields[] = {
	VALUES("port", LSP_VALUES_PORT,
		"A number in quotes, or the name of a container port. `\"0\"` is every port."),
	TEXT("endPort", "The last port of a range that begins with `port`."),
	WORDS("protocol", cilium_protocols, "Unwritten or `ANY`: TCP, UDP and SCTP."),
};
static const struct lsp_shape cilium_port = SHAPE(cilium_port_fields);
static const struct lsp_field http_fields[] = {
	TEXT("method", "A regular expression over the method."),
	TEXT("path", "A regular expression over the whole path."),
	TEXT("host", "A regular expression over the host."),
	TEXT_LIST("headers", "Headers that must be there."),
	{.name = "headerMatches",
		.values = LSP_VALUES_FREE_MAP,
		.list = true,
		.doc = "Headers that must have values."},
};
static const struct lsp_shape http = SHAPE(http_fields);
static const struct lsp_field name_fields[] = {
	TEXT("matchName", "One name."),
	TEXT("matchPattern", "Names with `*` for any characters of one label or more."),
};
static const struct lsp_shape names = SHAPE(name_fields);
static const struct lsp_field l7_fields[] = {
	LIST("http", http, "Requests that are allowed. polc does not enforce these yet."),
	LIST("dns", names, "Names that may be asked for. polc does not enforce these yet."),
	FREE("kafka", "Not enforced by polc."),
	TEXT("l7proto", "Not enforced by polc."),
	FREE("l7", "Not enforced by polc."),
};
static const struct lsp_shape l7 = SHAPE(l7_fields);
static const struct lsp_field port_rule_fields[] = {
	LIST("ports", cilium_port, "Alternatives, at most 40. Unwritten: every port."),
	BELOW("rules", l7, "Rules about what is inside of the connection."),
	FREE("terminatingTLS", "Not enforced by polc."),
	FREE("originatingTLS", "Not enforced by polc."),
	TEXT_LIST("serverNames", "TLS server names. Not enforced by polc."),
	FREE("listener", "Not enforced by polc."),
};
static const struct lsp_shape port_rule = SHAPE(port_rule_fields);
static const struct lsp_field cidr_rule_fields[] = {
	TEXT("cidr", "The prefix. Matches only addresses outside of the cluster."),
	VALUES("cidrGroupRef", LSP_VALUES_CIDR_GROUP, "The name of a CiliumCIDRGroup."),
	BELOW("cidrGroupSelector", lsp_label_selector, "CiliumCIDRGroups by their labels."),
	TEXT_LIST("except", "Prefixes inside that are left out."),
};
static const struct lsp_shape cidr_rule = SHAPE(cidr_rule_fields);
static const char *const families[] = {"IPv4", "IPv6", NULL};
static const struct lsp_field icmp_field_fields[] = {
	WORDS("family", families, "Unwritten: `IPv4`."),
	TEXT("type", "A number, or a name such as `EchoRequest`."),
};
static const struct lsp_shape icmp_field = SHAPE(icmp_field_fields);
static const struct lsp_field icmp_fields[] = {
	LIST("fields", icmp_field, "ICMP types: alternatives, at most 40."),
};
static const struct lsp_shape icmp = SHAPE(icmp_fields);
static const char *const authentication_modes[] = {
	"disabled", "required", "test-always-fail", NULL};
static const struct lsp_field authentication_fields[] = {
	WORDS("mode", authentication_modes,
		"Mutual authentication. polc enforces `disabled` only, which asks for nothing."),
};
static const struct lsp_shape authentication = SHAPE(authentication_fields);
static const struct lsp_field service_name_fields[] = {
	VALUES("serviceName", LSP_VALUES_SERVICE, "The name of the Service."),
	VALUES("namespace", LSP_VALUES_NAMESPACE, "Unwritten: any."),
};
static const struct lsp_shape service_name = SHAPE(service_name_fields);
static const struct lsp_field service_selector_fields[] = {
	BELOW("selector", lsp_cilium_selector, "Services by their labels."),
	VALUES("namespace", LSP_VALUES_NAMESPACE, "Unwritten: any."),
};
static const struct lsp_shape service_selector = SHAPE(service_selector_fields);
static const struct lsp_field service_fields[] = {
	BELOW("k8sService", service_name, "A Service by its name: the addresses behind it."),
	BELOW("k8sServiceSelector", service_selector, "Services by their labels."),
};
static const struct lsp_shape service = SHAPE(service_fields);
#define ENDPOINTS_DOC                                                                              \
	"Endpoints by labels: alternatives. Only the policy's namespace, unless a selector names " \
	"`k8s:io.kubernetes.pod.namespace`. `[]` is nobody, `- {}` every endpoint there."
#define CIDR_DOC "Prefixes, which match only addresses outside of the cluster."
#define PORTS_DOC                                                                                  \
	"Ports: alternatives. Unwritten: every protocol, ICMP too. Where several fields of a "     \
	"rule are given, peer and port must both match."
#define CILIUM_COMMON                                                                              \
	LIST("toPorts", port_rule, PORTS_DOC),                                                     \
		LIST("icmps", icmp, "ICMP types; not beside `toPorts`.")
#define INGRESS_PEERS                                                                              \
	LIST("fromEndpoints", lsp_cilium_selector, ENDPOINTS_DOC),                                 \
		TEXT_LIST("fromCIDR", CIDR_DOC),                                                   \
		LIST("fromCIDRSet", cidr_rule, "Prefixes with exceptions, or groups of them."),    \
		VALUE_LIST("fromEntities", LSP_VALUES_ENTITY, "Peers that have a name."),          \
		LIST("fromNodes", lsp_label_selector, "Nodes by labels. Not enforced by polc."),   \
		FREE("fromGroups", "Not enforced by polc."),                                       \
		FREE("fromRequires", "Removed from Cilium: an error.")
#define EGRESS_PEERS                                                                               \
	LIST("toEndpoints", lsp_cilium_selector, ENDPOINTS_DOC), TEXT_LIST("toCIDR", CIDR_DOC),    \
		LIST("toCIDRSet", cidr_rule, "Prefixes with exceptions, or groups of them."),      \
		VALUE_LIST("toEntities", LSP_VALUES_ENTITY, "Peers that have a name."),            \
		LIST("toServices", service, "The addresses behind Services."),                     \
		LIST("toNodes", lsp_label_selector, "Nodes by labels. Not enforced by polc."),     \
		FREE("toGroups", "Not enforced by polc."),                                         \
		FREE("toRequires", "Removed from Cilium: an error.")
#define AUTHENTICATION                                                                             \
	BELOW("authentication", authentication, "Mutual authentication of the two sides.")
static const struct lsp_field cilium_ingress_fields[] = {
	INGRESS_PEERS,
	CILIUM_COMMON,
	AUTHENTICATION,
};
static const struct lsp_shape cilium_ingress = SHAPE(cilium_ingress_fields);
static const struct lsp_field cilium_ingress_deny_fields[] = {INGRESS_PEERS, CILIUM_COMMON};
static const struct lsp_shape cilium_ingress_deny = SHAPE(cilium_ingress_deny_fields);
static const struct lsp_field cilium_egress_fields[] = {
	EGRESS_PEERS,
	LIST("toFQDNs", names,
		"Names whose DNS answers are allowed. polc does not enforce these "
		"yet."),
	CILIUM_COMMON,
	AUTHENTICATION,
};
static const struct lsp_shape cilium_egress = SHAPE(cilium_egress_fields);
static const struct lsp_field cilium_egress_deny_fields[] = {EGRESS_PEERS, CILIUM_COMMON};
static const struct lsp_shape cilium_egress_deny = SHAPE(cilium_egress_deny_fields);
static const struct lsp_field default_deny_fields[] = {
	WORDS("ingress", lsp_bools, "Unwritten: true as soon as the policy has ingress rules."),
	WORDS("egress", lsp_bools, "Unwritten: true as soon as the policy has egress rules."),
};
static const struct lsp_shape default_deny = SHAPE(default_deny_fields);
static const struct lsp_field log_fields[] = {
	TEXT("value", "At most 32 characters, which go with the events of the rules."),
};
static const struct lsp_shape log_shape = SHAPE(log_fields);
static const struct lsp_field cilium_label_fields[] = {
	TEXT("key", "The label."),
	TEXT("value", "Its value; unwritten: empty."),
	TEXT("source", "Where it comes from; unwritten: `unspec`."),
};
static const struct lsp_shape cilium_label = SHAPE(cilium_label_fields);
static const struct lsp_field cilium_spec_fields[] = {
	BELOW("endpointSelector", lsp_cilium_selector,
		"The endpoints that the policy governs: of this namespace, or of the cluster for a "
		"CiliumClusterwideNetworkPolicy. `{}` is all of them."),
	BELOW("nodeSelector", lsp_label_selector,
		"Nodes, for host policies of a CiliumClusterwideNetworkPolicy. Not enforced by "
		"polc yet."),
	LIST("ingress", cilium_ingress,
		"Connections that may come in. As soon as there is a rule, all else is denied (see "
		"`enableDefaultDeny`). `- {}` denies all, and allows nobody."),
	LIST("ingressDeny", cilium_ingress_deny,
		"Connections that must not come in, whatever other policies allow."),
	LIST("egress", cilium_egress,
		"Connections that may go out. As soon as there is a rule, all else is denied, DNS "
		"too."),
	LIST("egressDeny", cilium_egress_deny,
		"Connections that must not go out, whatever other policies allow."),
	LIST("labels", cilium_label, "Labels of the policy itself: without effect."),
	BELOW("enableDefaultDeny", default_deny,
		"Whether what no rule allows is denied, by direction."),
	BELOW("log", log_shape, "What goes with the events of the rules."),
	TEXT("description", "For people: without effect."),
};
static const struct lsp_shape cilium_spec = SHAPE(cilium_spec_fields);

/* Policy API */

static const struct lsp_field api_pods_fields[] = {
	BELOW("namespaceSelector", lsp_label_selector, "Required; `{}` is every namespace."),
	BELOW("podSelector", lsp_label_selector, "Required; `{}` is every pod in them."),
};
static const struct lsp_shape api_pods = SHAPE(api_pods_fields);
#define NAMESPACES_AND_PODS                                                                        \
	BELOW("namespaces", lsp_label_selector, "Every pod of these namespaces. `{}` is all."),    \
		BELOW("pods", api_pods, "Pods by the labels of their namespace and their own.")
static const struct lsp_field subject_fields[] = {NAMESPACES_AND_PODS};
static const struct lsp_shape subject = SHAPE(subject_fields);
#define OUTSIDE_PEERS                                                                              \
	NAMESPACES_AND_PODS, BELOW("nodes", lsp_label_selector, "Nodes by their labels."),         \
		TEXT_LIST("networks", "Prefixes: at most 25.")
static const struct lsp_field to_fields[] = {
	OUTSIDE_PEERS,
	TEXT_LIST(
		"domainNames", "Names, `*.` first for any below. polc does not enforce these yet."),
};
static const struct lsp_field baseline_to_fields[] = {OUTSIDE_PEERS};
static const struct lsp_shape baseline_to_peer = SHAPE(baseline_to_fields);
static const struct lsp_shape to_peer = SHAPE(to_fields);
static const struct lsp_field range_fields[] = {
	TEXT("start", "The first port."),
	TEXT("end", "The last port, above `start`."),
};
static const struct lsp_shape range = SHAPE(range_fields);
static const struct lsp_field destination_fields[] = {
	TEXT("number", "One port."),
	BELOW("range", range, "A range of ports."),
};
static const struct lsp_shape destination = SHAPE(destination_fields);
static const struct lsp_field transport_fields[] = {
	BELOW("destinationPort", destination, "Required."),
};
static const struct lsp_shape transport = SHAPE(transport_fields);
static const struct lsp_field api_protocol_fields[] = {
	BELOW("tcp", transport, "A port of TCP."),
	BELOW("udp", transport, "A port of UDP."),
	BELOW("sctp", transport, "A port of SCTP."),
	VALUES("destinationNamedPort", LSP_VALUES_PORT, "The name of a container port."),
};
static const struct lsp_shape api_protocol = SHAPE(api_protocol_fields);
static const struct lsp_field old_number_fields[] = {
	WORDS("protocol", protocols, "Required."),
	TEXT("port", "Required."),
};
static const struct lsp_shape old_number = SHAPE(old_number_fields);
static const struct lsp_field old_range_fields[] = {
	WORDS("protocol", protocols, "Unwritten: `TCP`."),
	TEXT("start", "The first port."),
	TEXT("end", "The last port, above `start`."),
};
static const struct lsp_shape old_range = SHAPE(old_range_fields);
static const struct lsp_field old_port_fields[] = {
	BELOW("portNumber", old_number, "One port of one protocol."),
	BELOW("portRange", old_range, "A range of ports."),
	VALUES("namedPort", LSP_VALUES_PORT, "The name of a container port."),
};
static const struct lsp_shape old_port = SHAPE(old_port_fields);
static const char *const api_actions[] = {"Accept", "Deny", "Pass", NULL};
static const char *const old_actions[] = {"Allow", "Deny", "Pass", NULL};
static const char *const baseline_actions[] = {"Allow", "Deny", NULL};
#define RULE_NAME TEXT("name", "For people and events; at most 100 characters.")
#define ACTION(words)                                                                              \
	WORDS("action", words,                                                                     \
		"The first rule that matches decides. `Pass` leaves it to the policies below "     \
		"(NetworkPolicy, then the baseline).")
#define API_PORTS LIST("protocols", api_protocol, "Ports: alternatives. Unwritten: every protocol.")
#define OLD_PORTS LIST("ports", old_port, "Ports: alternatives. Unwritten: every protocol.")
#define FROM LIST("from", subject, "Who connects: alternatives, at least one.")
#define TO(peer) LIST("to", peer, "Where the connection goes: alternatives, at least one.")
static const struct lsp_field api_ingress_fields[] = {
	RULE_NAME, ACTION(api_actions), FROM, API_PORTS};
static const struct lsp_shape api_ingress = SHAPE(api_ingress_fields);
static const struct lsp_field api_egress_fields[] = {
	RULE_NAME, ACTION(api_actions), TO(to_peer), API_PORTS};
static const struct lsp_shape api_egress = SHAPE(api_egress_fields);
static const struct lsp_field old_ingress_fields[] = {
	RULE_NAME, ACTION(old_actions), FROM, OLD_PORTS};
static const struct lsp_shape old_ingress = SHAPE(old_ingress_fields);
static const struct lsp_field old_egress_fields[] = {
	RULE_NAME, ACTION(old_actions), TO(to_peer), OLD_PORTS};
static const struct lsp_shape old_egress = SHAPE(old_egress_fields);
static const struct lsp_field baseline_ingress_fields[] = {
	RULE_NAME, ACTION(baseline_actions), FROM, OLD_PORTS};
static const struct lsp_shape baseline_ingress = SHAPE(baseline_ingress_fields);
static const struct lsp_field baseline_egress_fields[] = {
	RULE_NAME, ACTION(baseline_actions), TO(baseline_to_peer), OLD_PORTS};
static const struct lsp_shape baseline_egress = SHAPE(baseline_egress_fields);
static const char *const tiers[] = {"Admin", "Baseline", NULL};
#define SUBJECT BELOW("subject", subject, "The pods that the policy governs.")
#define RULES(in, out)                                                                             \
	LIST("ingress", in, "Rules about what comes in, tried in order; at most 25."),             \
		LIST("egress", out, "Rules about what goes out, tried in order; at most 25.")
#define PRIORITY TEXT("priority", "0 to 1000; policies with lower numbers are tried first.")
static const struct lsp_field cluster_spec_fields[] = {SUBJECT,
	WORDS("tier", tiers,
		"`Admin` is tried before every NetworkPolicy, `Baseline` only where none of them "
		"selects the pod."),
	PRIORITY, RULES(api_ingress, api_egress)};
static const struct lsp_shape cluster_spec = SHAPE(cluster_spec_fields);
static const struct lsp_field admin_spec_fields[] = {
	SUBJECT, PRIORITY, RULES(old_ingress, old_egress)};
static const struct lsp_shape admin_spec = SHAPE(admin_spec_fields);
static const struct lsp_field baseline_spec_fields[] = {
	SUBJECT, RULES(baseline_ingress, baseline_egress)};
static const struct lsp_shape baseline_spec = SHAPE(baseline_spec_fields);

/* CiliumCIDRGroup */

static const struct lsp_field group_spec_fields[] = {
	TEXT_LIST("externalCIDRs", "The prefixes of the group."),
};
static const struct lsp_shape group_spec = SHAPE(group_spec_fields);

/* Objects */

static const struct lsp_field metadata_fields[] = {
	TEXT("name", "Required. Policies of one kind and namespace have different names."),
	FREE("labels", "Labels of the object itself: without effect on what it decides."),
	FREE("annotations", "For programs: without effect on what it decides."),
};
static const struct lsp_shape metadata = SHAPE(metadata_fields);
static const struct lsp_field namespaced_metadata_fields[] = {
	TEXT("name", "Required. Policies of one kind and namespace have different names."),
	VALUES("namespace", LSP_VALUES_NAMESPACE,
		"Where the policy belongs, and whose pods it speaks about. Unwritten: `default`."),
	FREE("labels", "Labels of the object itself: without effect on what it decides."),
	FREE("annotations", "For programs: without effect on what it decides."),
};
static const struct lsp_shape namespaced_metadata = SHAPE(namespaced_metadata_fields);
#define OBJECT(name, meta, spec)                                                                   \
	static const struct lsp_field name##_fields[] = {                                          \
		TEXT("apiVersion", "The version of the API that this object is written for."),     \
		TEXT("kind", "What the object is."),                                               \
		BELOW("metadata", meta, "What the object is called."),                             \
		BELOW("spec", spec, "What the policy says."),                                      \
	};                                                                                         \
	static const struct lsp_shape name = SHAPE(name##_fields)
#define OBJECT_WITH_SPECS(name, meta, spec)                                                        \
	static const struct lsp_field name##_fields[] = {                                          \
		TEXT("apiVersion", "The version of the API that this object is written for."),     \
		TEXT("kind", "What the object is."),                                               \
		BELOW("metadata", meta, "What the object is called."),                             \
		BELOW("spec", spec, "What the policy says."),                                      \
		LIST("specs", spec, "Several policies in one object."),                            \
	};                                                                                         \
	static const struct lsp_shape name = SHAPE(name##_fields)
OBJECT(network_policy, namespaced_metadata, np_spec);
OBJECT_WITH_SPECS(cilium_policy, namespaced_metadata, cilium_spec);
OBJECT_WITH_SPECS(clusterwide_policy, metadata, cilium_spec);
OBJECT(cluster_policy, metadata, cluster_spec);
OBJECT(admin_policy, metadata, admin_spec);
OBJECT(baseline_policy, metadata, baseline_spec);
OBJECT(tracing_policy, metadata, lsp_trace_spec);
OBJECT(namespaced_tracing_policy, namespaced_metadata, lsp_trace_spec);
OBJECT(cidr_group, metadata, group_spec);
OBJECT(policy_test, metadata, lsp_test_spec);
OBJECT(policy_assertion, metadata, lsp_assertion_spec);

const struct lsp_kind lsp_kinds[] = {
	{"NetworkPolicy", "networking.k8s.io/v1", &network_policy,
		"Kubernetes' own policy: allows connections of some pods of a namespace; what it "
		"governs is denied otherwise."},
	{"CiliumNetworkPolicy", "cilium.io/v2", &cilium_policy,
		"Cilium's policy for the endpoints of one namespace: allows and denies."},
	{"CiliumClusterwideNetworkPolicy", "cilium.io/v2", &clusterwide_policy,
		"Cilium's policy for the endpoints of all namespaces."},
	{"ClusterNetworkPolicy", "policy.networking.k8s.io/v1alpha2", &cluster_policy,
		"A policy of the cluster's administrator, before or behind all others."},
	{"AdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1", &admin_policy,
		"The predecessor of ClusterNetworkPolicy with tier Admin."},
	{"BaselineAdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1", &baseline_policy,
		"The predecessor of ClusterNetworkPolicy with tier Baseline; there is one, named "
		"`default`."},
	{"TracingPolicy", "cilium.io/v1alpha1", &tracing_policy,
		"Where in the kernel or in programs to look, at what, and what to do then."},
	{"TracingPolicyNamespaced", "cilium.io/v1alpha1", &namespaced_tracing_policy,
		"A tracing policy for the pods of one namespace."},
	{"CiliumCIDRGroup", "cilium.io/v2", &cidr_group, "Prefixes with a name."},
	{"PolicyTest", "polc.dev/v1", &policy_test,
		"Unit tests of policies, for `polc test`: connections and calls, and what must "
		"become of them."},
	{"PolicyAssertion", "polc.dev/v1", &policy_assertion,
		"Claims about all connections and calls, which `polc check` proves or refutes."},
};
const size_t lsp_n_kinds = POLC_ARRAY_SIZE(lsp_kinds);

const struct lsp_kind *lsp_kind_find(const char *name)
{
	for (size_t i = 0; name && i < lsp_n_kinds; i++)
		if (!strcmp(lsp_kinds[i].name, name))
			return &lsp_kinds[i];
	return NULL;
}

const struct lsp_field *lsp_shape_find(const struct lsp_shape *shape, const char *name)
{
	for (size_t i = 0; shape && i < shape->n; i++)
		if (!strcmp(shape->fields[i].name, name))
			return &shape->fields[i];
	return NULL;
}

const struct lsp_shape *lsp_schema_walk(const struct lsp_shape *shape, const char *const *path,
	size_t n, const struct lsp_field **field)
{
	*field = NULL;
	for (size_t i = 0; i < n; i++) {
		if (*field && (*field)->values == LSP_VALUES_MACROS && shape == (*field)->below &&
			!lsp_shape_find(shape, path[i]))
			continue; /* the name of a macro */
		*field = lsp_shape_find(shape, path[i]);
		if (!*field)
			return NULL;
		shape = (*field)->below;
	}
	return shape;
}
