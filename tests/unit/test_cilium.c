/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The Cilium front end: the emptiness matrix, ports, peers, and what must be refused. */
#include "frontend.h"

#define SHELL(kind) "apiVersion: cilium.io/v2\nkind: " kind "\nmetadata: {name: p}\n"
#define CNP SHELL("CiliumNetworkPolicy")
#define CCNP SHELL("CiliumClusterwideNetworkPolicy")

static struct polc_ast_spec *first_spec(struct parsed *p)
{
	assert_int_equal(p->input.ast.policies.n, 1);
	assert_int_equal(p->input.ast.policies.items[0]->specs.n, 1);
	return &p->input.ast.policies.items[0]->specs.items[0];
}

static void parse_spec(struct parsed *p, const char *spec)
{
	char text[4096];

	snprintf(text, sizeof(text), CNP "spec: %s\n", spec);
	parse_text(p, text);
}

/* A rule in one of the four lists, in flow style. */
static void parse_rule(struct parsed *p, const char *list, const char *rule)
{
	char text[3072];

	snprintf(text, sizeof(text), "{endpointSelector: {}, %s: [%s]}", list, rule);
	parse_spec(p, text);
}

static const struct polc_ast_rule *first_rule(struct parsed *p)
{
	struct polc_ast_spec *spec = first_spec(p);

	assert_int_equal(spec->rules.n, 1);
	return &spec->rules.items[0];
}

/* Reference 1.4, row by row. -1 peers or ports: absent. */
static const struct {
	const char *list, *rule;
	int peers, ports;
	bool selects_nothing;
	unsigned warnings;
} matrix[] = {
	{"ingress", "{}", -1, -1, true, 0},
	{"ingressDeny", "{}", -1, -1, true, 1},
	{"ingress", "{toPorts: [{ports: [{port: \"80\"}]}]}", -1, 1, false, 0},
	{"ingress", "{icmps: [{fields: [{type: 8}]}]}", -1, 1, false, 0},
	{"ingress", "{fromEndpoints: []}", 0, -1, false, 1},
	{"ingress", "{fromEndpoints: [], toPorts: [{ports: [{port: \"80\"}]}]}", 0, 1, false, 1},
	{"ingress", "{fromEndpoints: [], fromCIDR: [10.0.0.0/8]}", 0, -1, false, 1},
	{"ingress", "{fromNodes: []}", 0, -1, false, 1},
	{"ingress", "{fromEntities: []}", 0, -1, false, 1},
	{"ingress", "{fromCIDR: []}", 0, -1, false, 1},
	{"ingress", "{fromCIDRSet: []}", 0, -1, false, 1},
	{"ingress", "{fromGroups: []}", -1, -1, true, 1},
	{"ingress", "{fromEndpoints: null}", -1, -1, true, 1},
	{"ingress", "{fromEndpoints: null, toPorts: [{ports: [{port: \"80\"}]}]}", -1, 1, false, 1},
	{"egress", "{toFQDNs: [], toPorts: [{ports: [{port: \"80\"}]}]}", -1, 1, false, 1},
	{"egress", "{toGroups: [], toPorts: [{ports: [{port: \"80\"}]}]}", -1, 1, false, 1},
	{"egress", "{toServices: [], toPorts: [{ports: [{port: \"80\"}]}]}", -1, 1, false, 1},
	{"egress", "{toServices: [{k8sService: {serviceName: x}}]}", 1, -1, false, 0},
	{"egress", "{toEndpoints: [{}]}", 1, -1, false, 0},
	{"egress", "{toEndpoints: [{}], toPorts: []}", 1, -1, false, 0},
	{"egress", "{toPorts: []}", -1, -1, true, 0},
	{"egress", "{toPorts: [{}]}", -1, 0, false, 1},
	{"egress", "{toEndpoints: [{}], toPorts: [{}]}", 1, 0, false, 1},
	{"egress", "{toPorts: [{rules: {}}]}", -1, 0, false, 1},
	{"egress", "{toPorts: [{}, {ports: [{port: \"80\"}]}]}", -1, 1, false, 0},
	{"egress", "{icmps: [{}]}", -1, 0, false, 1},
	{"egress", "{icmps: []}", -1, -1, true, 0},
};

static void test_emptiness(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(matrix); i++) {
		struct parsed p;

		parse_rule(&p, matrix[i].list, matrix[i].rule);
		expect_counts(&p, matrix[i].rule, 0, matrix[i].warnings);
		const struct polc_ast_rule *rule = first_rule(&p);
		int peers = rule->peers_presence == POLC_ABSENT ? -1 : (int)rule->peers.n;
		int ports = rule->ports_presence == POLC_ABSENT ? -1 : (int)rule->ports.n;

		if (peers != matrix[i].peers || ports != matrix[i].ports ||
			rule->selects_nothing != matrix[i].selects_nothing || rule->unsupported)
			fail_msg("%s: peers %d ports %d", matrix[i].rule, peers, ports);
		parsed_free(&p);
	}
}

#define ALL(bits) POLC_PORT_ALL, (bits), 0, 0, NULL
#define RANGE(bits, lo, hi) POLC_PORT_RANGE, (bits), (lo), (hi), NULL
#define NAME(bits, name) POLC_PORT_NAME, (bits), 0, 0, (name)
#define OTHER(number) POLC_PORT_ALL, POLC_PROTO_OTHER, (number), (number), NULL

static const struct {
	const char *port;
	enum polc_port_kind kind;
	uint8_t protocols;
	uint16_t lo, hi;
	const char *name;
	unsigned warnings;
} ports[] = {
	{"port: \"80\", protocol: TCP", RANGE(POLC_PROTO_TCP, 80, 80), 0},
	{"port: \"80\"", RANGE(POLC_PROTO_ANY, 80, 80), 0},
	{"port: \"80\", protocol: ANY", RANGE(POLC_PROTO_ANY, 80, 80), 0},
	{"port: \"0\", protocol: UDP", ALL(POLC_PROTO_UDP), 0},
	{"port: \"00\"", ALL(POLC_PROTO_ANY), 0},
	{"port: \"0\", endPort: 65535", ALL(POLC_PROTO_ANY), 0},
	{"port: \"0\", endPort: 1024", RANGE(POLC_PROTO_ANY, 0, 1024), 0},
	{"port: \"010\"", RANGE(POLC_PROTO_ANY, 8, 8), 1},
	{"port: \"0x10\"", NAME(POLC_PROTO_ANY, "0x10"), 0},
	{"port: \"Web-1\", protocol: SCTP", NAME(POLC_PROTO_SCTP, "web-1"), 0},
	{"port: web, endPort: 90", NAME(POLC_PROTO_ANY, "web"), 1},
	{"port: \"80\", endPort: 90", RANGE(POLC_PROTO_ANY, 80, 90), 0},
	{"port: \"80\", endPort: 80", RANGE(POLC_PROTO_ANY, 80, 80), 0},
	{"port: \"80\", endPort: 79", RANGE(POLC_PROTO_ANY, 80, 80), 1},
	{"port: \"65535\"", RANGE(POLC_PROTO_ANY, 65535, 65535), 0},
	{"protocol: VRRP", OTHER(112), 0},
	{"port: \"\", protocol: ESP", OTHER(50), 0},
	{"port: \"0\", protocol: IPV6", OTHER(41), 0},
};

static void test_ports(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(ports); i++) {
		char rule[256];
		struct parsed p;

		snprintf(rule, sizeof(rule), "{toPorts: [{ports: [{%s}]}]}", ports[i].port);
		parse_rule(&p, "ingress", rule);
		expect_counts(&p, rule, 0, ports[i].warnings);
		assert_int_equal(first_rule(&p)->ports.n, 1);
		const struct polc_ast_port *port = &first_rule(&p)->ports.items[0];

		if (port->kind != ports[i].kind || port->protocols != ports[i].protocols ||
			port->lo != ports[i].lo || port->hi != ports[i].hi)
			fail_msg("%s: kind %d protocols %u %u-%u", rule, (int)port->kind,
				port->protocols, port->lo, port->hi);
		if (ports[i].name)
			assert_string_equal(port->name, ports[i].name);
		parsed_free(&p);
	}
}

static const struct {
	const char *field;
	uint8_t protocol;
	uint16_t type;
} icmps[] = {
	{"type: 8", POLC_PROTO_ICMP, 8},
	{"type: \"0\"", POLC_PROTO_ICMP, 0},
	{"type: EchoRequest", POLC_PROTO_ICMP, 8},
	{"type: EchoRequest, family: IPv6", POLC_PROTO_ICMPV6, 128},
	{"type: 255, family: IPv6", POLC_PROTO_ICMPV6, 255},
	{"type: DestinationUnreachable, family: IPv4", POLC_PROTO_ICMP, 3},
	{"type: DestinationUnreachable, family: IPv6", POLC_PROTO_ICMPV6, 1},
};

static void test_icmps(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(icmps); i++) {
		char rule[256];
		struct parsed p;

		snprintf(rule, sizeof(rule), "{icmps: [{fields: [{%s}]}]}", icmps[i].field);
		parse_rule(&p, "egressDeny", rule);
		expect_counts(&p, rule, 0, 0);
		const struct polc_ast_rule *r = first_rule(&p);

		assert_int_equal(r->action, POLC_DENY);
		assert_int_equal(r->ports.n, 1);
		assert_int_equal(r->ports.items[0].protocols, icmps[i].protocol);
		assert_int_equal(r->ports.items[0].lo, icmps[i].type);
		assert_int_equal(r->ports.items[0].hi, icmps[i].type);
		parsed_free(&p);
	}
}

static const struct report_case rule_reports[] = {
	{"{toPorts: [{ports: [{port: 80}]}]}", POLC_ERROR, POLC_CODE_WRONG_TYPE, "\"80\""},
	{"{toPorts: [{ports: [{port: \"\"}]}]}", POLC_ERROR, POLC_CODE_BAD_PORT, NULL},
	{"{toPorts: [{ports: [{port: \"08\"}]}]}", POLC_ERROR, POLC_CODE_BAD_PORT, NULL},
	{"{toPorts: [{ports: [{port: \"65536\"}]}]}", POLC_ERROR, POLC_CODE_BAD_PORT, NULL},
	{"{toPorts: [{ports: [{port: \"1_0\"}]}]}", POLC_ERROR, POLC_CODE_BAD_PORT, NULL},
	{"{toPorts: [{ports: [{port: \"-80\"}]}]}", POLC_ERROR, POLC_CODE_BAD_PORT, NULL},
	{"{toPorts: [{ports: [{protocol: TCP}]}]}", POLC_ERROR, POLC_CODE_MISSING_FIELD, NULL},
	{"{toPorts: [{ports: [{port: \"1\", endPort: 65536}]}]}", POLC_ERROR, POLC_CODE_BAD_PORT,
		NULL},
	{"{toPorts: [{ports: [{port: \"1\", endPort: \"2\"}]}]}", POLC_ERROR, POLC_CODE_WRONG_TYPE,
		NULL},
	{"{toPorts: [{ports: [{port: \"1\", protocol: tcp}]}]}", POLC_ERROR, POLC_CODE_BAD_PROTOCOL,
		"TCP"},
	{"{toPorts: [{ports: [{port: \"8\", protocol: ICMP}]}]}", POLC_ERROR,
		POLC_CODE_BAD_PROTOCOL, "icmps"},
	{"{toPorts: [{ports: [{port: \"8\", protocol: GRE}]}]}", POLC_ERROR, POLC_CODE_BAD_PORT,
		NULL},
	{"{icmps: [{fields: [{type: 256}]}]}", POLC_ERROR, POLC_CODE_UNKNOWN_VALUE, NULL},
	{"{icmps: [{fields: [{type: PacketTooBig}]}]}", POLC_ERROR, POLC_CODE_UNKNOWN_VALUE,
		"IPv6"},
	{"{icmps: [{fields: [{type: EchoRequst}]}]}", POLC_ERROR, POLC_CODE_UNKNOWN_VALUE,
		"EchoRequest"},
	{"{icmps: [{fields: [{family: ipv4, type: 1}]}]}", POLC_ERROR, POLC_CODE_UNKNOWN_VALUE,
		NULL},
	{"{icmps: [{fields: [{family: IPv4}]}]}", POLC_ERROR, POLC_CODE_MISSING_FIELD, NULL},
	{"{icmps: [{fields: [{type: 8}]}], toPorts: [{ports: [{port: \"1\"}]}]}", POLC_ERROR,
		POLC_CODE_CONFLICTING_FIELDS, NULL},
	{"{fromCIDR: [10.0.0.0/8], fromCIDRSet: [{cidr: 10.0.0.0/8}]}", POLC_ERROR,
		POLC_CODE_CONFLICTING_FIELDS, NULL},
	{"{fromCIDR: [10.0.0.1]}", POLC_ERROR, POLC_CODE_BAD_CIDR, "/32"},
	{"{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/16]}]}", POLC_ERROR,
		POLC_CODE_EXCEPT_OUTSIDE, NULL},
	{"{fromCIDRSet: [{except: [11.0.0.0/16]}]}", POLC_ERROR, POLC_CODE_MISSING_FIELD, NULL},
	{"{fromCIDRSet: [{cidr: 10.0.0.0/8, cidrGroupRef: x}]}", POLC_ERROR,
		POLC_CODE_CONFLICTING_FIELDS, NULL},
	{"{fromEntities: [wrld]}", POLC_ERROR, POLC_CODE_UNKNOWN_VALUE, "world"},
	{"{fromEndpoint: [{}]}", POLC_ERROR, POLC_CODE_UNKNOWN_FIELD, "fromEndpoints"},
	{"{fromRequires: [{matchLabels: {a: b}}]}", POLC_ERROR, POLC_CODE_REMOVED_FEATURE, NULL},
	{"{fromEntities: [all], fromRequires: []}", POLC_WARNING, POLC_CODE_IGNORED_FIELD, NULL},
	{"{toPorts: [{ports: [{port: \"1\"}], rules: {kafka: []}}]}", POLC_ERROR,
		POLC_CODE_REMOVED_FEATURE, NULL},
	{"{toPorts: [{ports: [{port: \"1\"}], rules: {l7proto: x}}]}", POLC_ERROR,
		POLC_CODE_REMOVED_FEATURE, NULL},
	{"{toPorts: [{ports: [{port: \"1\"}], rules: {http: [{}]}}]}", POLC_ERROR,
		POLC_CODE_BAD_PROTOCOL, NULL},
	{"{toPorts: [{ports: [{port: \"53\"}], rules: {dns: [{matchPattern: \"*\"}]}}]}",
		POLC_ERROR, POLC_CODE_CONFLICTING_FIELDS, NULL},
	{"{authentication: {mode: on-demand}}", POLC_ERROR, POLC_CODE_UNKNOWN_VALUE, NULL},
	{"{fromEndpoints: [{matchLabels: {k8s.io.kubernetes.pod.namespace: x}}]}", POLC_WARNING,
		POLC_CODE_SELECTOR_KEY_DOT, "k8s:io.kubernetes.pod.namespace"},
	{"{fromEndpoints: [{matchLabels: {reserved.init: \"\"}}]}", POLC_WARNING,
		POLC_CODE_SELECTOR_KEY_DOT, "reserved:init"},
	{"{fromEndpoints: [{matchLabels: {k8s.io/app: x, k8s-app: z}}]}", POLC_ERROR, 0, NULL},
	{"{fromEndpoints: [null]}", POLC_ERROR, POLC_CODE_WRONG_TYPE, NULL},
	{"{fromEndpoints: {}}", POLC_ERROR, POLC_CODE_WRONG_TYPE, NULL},
	{"null", POLC_ERROR, POLC_CODE_WRONG_TYPE, NULL},
};

static void test_rule_reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(rule_reports); i++) {
		struct parsed p;

		parse_rule(&p, "ingress", rule_reports[i].text);
		expect_report(&p, &rule_reports[i]);
		parsed_free(&p);
	}
}

static const struct report_case egress_deny_reports[] = {
	{"{toEndpoints: [{}]}", POLC_ERROR, 0, NULL},
	{"{toEndpoints: [{}], toFQDNs: [{matchName: a.b}]}", POLC_ERROR,
		POLC_CODE_CONFLICTING_FIELDS, NULL},
	{"{toEndpoints: [{}], authentication: {mode: required}}", POLC_ERROR,
		POLC_CODE_CONFLICTING_FIELDS, NULL},
	{"{toPorts: [{ports: [{port: \"1\"}], rules: {http: [{}]}}]}", POLC_ERROR,
		POLC_CODE_CONFLICTING_FIELDS, NULL},
	{"{toServices: [{}]}", POLC_ERROR, POLC_CODE_MISSING_FIELD, NULL},
	{"{toServices: [{k8sService: {namespace: x}}]}", POLC_ERROR, POLC_CODE_MISSING_FIELD, NULL},
};

static void test_egress_deny_reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(egress_deny_reports); i++) {
		struct parsed p;

		parse_rule(&p, "egressDeny", egress_deny_reports[i].text);
		expect_report(&p, &egress_deny_reports[i]);
		parsed_free(&p);
	}
}

static const struct report_case spec_reports[] = {
	{"{endpointSelector: {}, ingress: []}", POLC_ERROR, POLC_CODE_EMPTY_SPEC, "ingress: [{}]"},
	{"{endpointSelector: {}}", POLC_ERROR, POLC_CODE_EMPTY_SPEC, NULL},
	{"{endpointSelector: {}, ingress: [{}], egress: []}", POLC_WARNING, POLC_CODE_NO_EFFECT,
		"egress: [{}]"},
	{"{endpointSelector: {}, ingress: [{}], egress: null}", POLC_WARNING,
		POLC_CODE_IGNORED_FIELD, NULL},
	{"{endpointSelector: {}, ingress: [], ingressDeny: [{fromEntities: [world]}]}", POLC_ERROR,
		0, NULL},
	{"{ingress: [{}]}", POLC_ERROR, POLC_CODE_MISSING_FIELD, NULL},
	{"{nodeSelector: {}, ingress: [{}]}", POLC_ERROR, POLC_CODE_NODE_SELECTOR, NULL},
	{"{endpointSelector: {}, ingres: [{}], egress: [{}]}", POLC_ERROR, POLC_CODE_UNKNOWN_FIELD,
		"ingress"},
	{"{endpointSelector: {}, ingress: [{}], enableDefaultDeny: {egress: true}}", POLC_WARNING,
		POLC_CODE_NO_EFFECT, NULL},
	{"{endpointSelector: {}, ingress: [{}], enableDefaultDeny: {ingress: \"no\"}}", POLC_ERROR,
		POLC_CODE_WRONG_TYPE, NULL},
	{"{endpointSelector: {}, ingress: [{}], log: {value: "
	 "123456789-123456789-123456789-123}}",
		POLC_ERROR, POLC_CODE_UNKNOWN_VALUE, NULL},
	{"{endpointSelector: {}, ingress: [{}], log: {value: \"a\\tb\"}}", POLC_ERROR,
		POLC_CODE_UNKNOWN_VALUE, NULL},
	{"{endpointSelector: {}, ingress: [{}], labels: [{value: x}]}", POLC_ERROR,
		POLC_CODE_MISSING_FIELD, NULL},
	{"null", POLC_ERROR, POLC_CODE_MISSING_FIELD, NULL},
};

static void test_spec_reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(spec_reports); i++) {
		struct parsed p;

		parse_spec(&p, spec_reports[i].text);
		expect_report(&p, &spec_reports[i]);
		parsed_free(&p);
	}
}

/* Known, sound, and beyond this version: no error here, refused when lowered. */
static const char *const unsupported[] = {
	"{toFQDNs: [{matchName: a.example}]}",
	"{toGroups: [{aws: {}}]}",
	"{toNodes: [{}]}",
	"{toEndpoints: [{}], authentication: {mode: required}}",
	"{toPorts: [{ports: [{port: \"80\", protocol: TCP}], rules: {http: [{path: /}]}}]}",
	"{toPorts: [{ports: [{port: \"53\"}], rules: {dns: [{matchPattern: \"*\"}]}}]}",
	"{toPorts: [{ports: [{port: \"443\"}], serverNames: [a.example]}]}",
	"{toPorts: [{ports: [{port: \"443\"}], terminatingTLS: {}}]}",
	"{toPorts: [{ports: [{port: \"443\"}], originatingTLS: {}}]}",
	"{toPorts: [{ports: [{port: \"443\"}], listener: {name: x}}]}",
};

static void test_unsupported(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(unsupported); i++) {
		struct parsed p;

		parse_rule(&p, "egress", unsupported[i]);
		expect_counts(&p, unsupported[i], 0, 0);
		assert_non_null(first_rule(&p)->unsupported);
		assert_int_not_equal(first_rule(&p)->unsupported_span.end, 0);
		assert_false(first_rule(&p)->selects_nothing);
		parsed_free(&p);
	}
}

static void test_authentication_disabled(void **state)
{
	struct parsed p;

	(void)state;
	parse_rule(&p, "ingress", "{fromEndpoints: [{}], authentication: {mode: disabled}}");
	expect_counts(&p, "", 0, 0);
	assert_null(first_rule(&p)->unsupported);
	parsed_free(&p);
}

static void test_too_many_ports(void **state)
{
	char rule[2048] = "{toPorts: [{ports: [";
	struct parsed p;

	(void)state;
	for (int i = 0; i < 41; i++)
		strcat(rule, "{port: \"1\"},");
	strcat(rule, "]}]}");
	parse_rule(&p, "ingress", rule);
	expect_report(&p, &(struct report_case){rule, POLC_ERROR, POLC_CODE_TOO_MANY, NULL});
	parsed_free(&p);
}

static void test_host_policy(void **state)
{
	struct parsed p;

	(void)state;
	parse_text(&p, CCNP "spec:\n  nodeSelector: {}\n  ingress:\n  - fromEntities: [wrong]\n");
	expect_counts(&p, "the rest is still checked", 1, 0);
	assert_non_null(first_spec(&p)->unsupported);
	parsed_free(&p);
}

static void test_specs(void **state)
{
	struct parsed p;

	(void)state;
	parse_text(&p, CNP "spec: {endpointSelector: {}, ingress: [{}]}\n"
			   "specs:\n- {endpointSelector: {}, egress: [{}]}\n"
			   "- {endpointSelector: {}, egressDeny: [{toEntities: [world]}]}\n");
	expect_counts(&p, "spec and specs", 0, 0);
	const struct polc_ast_policy *policy = p.input.ast.policies.items[0];

	assert_int_equal(policy->specs.n, 3);
	assert_true(policy->specs.items[0].has_rules[POLC_INGRESS]);
	assert_false(policy->specs.items[0].has_rules[POLC_EGRESS]);
	assert_true(policy->specs.items[2].has_rules[POLC_EGRESS]);
	assert_int_equal(policy->specs.items[2].rules.items[0].action, POLC_DENY);
	parsed_free(&p);
	parse_text(&p, CNP "specs: []\n");
	assert_int_equal(count_reports(&p, POLC_ERROR, POLC_CODE_MISSING_FIELD), 1);
	parsed_free(&p);
}

static void test_whole_spec(void **state)
{
	struct parsed p;

	(void)state;
	parse_spec(&p, "{endpointSelector: {matchLabels: {app: web}}, description: text,\n"
		       "  enableDefaultDeny: {ingress: false}, log: {value: hello},\n"
		       "  labels: [{key: a, value: b, source: c}],\n"
		       "  ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]},\n"
		       "    {cidrGroupRef: g, except: [10.1.0.0/16]}, {cidrGroupSelector: {}}]}],\n"
		       "  egress: [{toServices: [{k8sService: {serviceName: s, namespace: ns}},\n"
		       "    {k8sServiceSelector: {selector: {}, namespace: \"\"}}]}]}");
	expect_counts(&p, "", 0, 0);
	const struct polc_ast_spec *spec = first_spec(&p);

	assert_int_equal(spec->subject.kind, POLC_PEER_ENDPOINTS);
	assert_string_equal(spec->subject.selector->requirements.items[0].key, "app");
	assert_int_equal(spec->default_deny[POLC_INGRESS], POLC_FALSE);
	assert_int_equal(spec->default_deny[POLC_EGRESS], POLC_UNSET);
	assert_string_equal(spec->log, "hello");
	assert_string_equal(spec->description, "text");
	assert_string_equal(spec->labels.items[0].source, "c");
	assert_int_equal(spec->tier, POLC_TIER_MIDDLE);
	const struct polc_ast_peer *peers = spec->rules.items[0].peers.items;

	assert_int_equal(spec->rules.items[0].peers.n, 3);
	assert_int_equal(peers[0].kind, POLC_PEER_CIDR);
	assert_int_equal(peers[0].excepts.n, 1);
	assert_int_equal(peers[1].kind, POLC_PEER_CIDR_GROUP);
	assert_int_equal(peers[1].excepts.n, 1);
	assert_int_equal(peers[2].kind, POLC_PEER_CIDR_GROUP_SELECTOR);
	peers = spec->rules.items[1].peers.items;
	assert_string_equal(peers[0].name, "s");
	assert_string_equal(peers[0].namespace, "ns");
	assert_int_equal(peers[1].kind, POLC_PEER_SERVICE_SELECTOR);
	assert_null(peers[1].namespace);
	parsed_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emptiness),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_icmps),
		cmocka_unit_test(test_rule_reports),
		cmocka_unit_test(test_egress_deny_reports),
		cmocka_unit_test(test_spec_reports),
		cmocka_unit_test(test_unsupported),
		cmocka_unit_test(test_authentication_disabled),
		cmocka_unit_test(test_too_many_ports),
		cmocka_unit_test(test_host_policy),
		cmocka_unit_test(test_specs),
		cmocka_unit_test(test_whole_spec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
