/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The policy API front end: both versions, what differs between them, and what must be refused. */
#include "frontend.h"

#define V1ALPHA1 "apiVersion: policy.networking.k8s.io/v1alpha1\n"
#define V1ALPHA2 "apiVersion: policy.networking.k8s.io/v1alpha2\n"
#define ANP V1ALPHA1 "kind: AdminNetworkPolicy\nmetadata: {name: p}\nspec: "
#define BANP V1ALPHA1 "kind: BaselineAdminNetworkPolicy\nmetadata: {name: default}\nspec: "
#define KCNP V1ALPHA2 "kind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec: "
#define ALL_NS "subject: {namespaces: {}}"
#define ANP_RULE(rule) ANP "{priority: 5, " ALL_NS ", ingress: [" rule "]}"
#define ANP_EGRESS(rule) ANP "{priority: 5, " ALL_NS ", egress: [" rule "]}"
#define BANP_EGRESS(rule) BANP "{" ALL_NS ", egress: [" rule "]}"
#define KCNP_RULE(rule) KCNP "{tier: Admin, priority: 5, " ALL_NS ", ingress: [" rule "]}"
#define KCNP_EGRESS(rule) KCNP "{tier: Admin, priority: 5, " ALL_NS ", egress: [" rule "]}"

static const struct polc_ast_spec *first_spec(struct parsed *p)
{
	assert_int_equal(p->input.ast.policies.n, 1);
	return &p->input.ast.policies.items[0]->specs.items[0];
}

static const struct {
	const char *text;
	enum polc_tier tier;
	uint32_t priority;
	enum polc_action action;
} shells[] = {
	{ANP_RULE("{action: Allow, from: [{namespaces: {}}]}"), POLC_TIER_ADMIN, 5, POLC_ALLOW},
	{ANP_RULE("{action: Pass, from: [{namespaces: {}}]}"), POLC_TIER_ADMIN, 5, POLC_PASS},
	{BANP_EGRESS("{action: Deny, to: [{namespaces: {}}]}"), POLC_TIER_BASELINE, 0, POLC_DENY},
	{KCNP_RULE("{action: Accept, from: [{namespaces: {}}]}"), POLC_TIER_ADMIN, 5, POLC_ALLOW},
	{KCNP "{tier: Baseline, priority: 1000, " ALL_NS
	      ", egress: [{action: Pass, to: [{namespaces: {}}]}]}",
		POLC_TIER_BASELINE, 1000, POLC_PASS},
};

static void test_tiers_and_actions(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(shells); i++) {
		struct parsed p;

		parse_text(&p, shells[i].text);
		expect_counts(&p, shells[i].text, 0, 0);
		assert_int_equal(first_spec(&p)->tier, shells[i].tier);
		assert_int_equal(first_spec(&p)->priority, shells[i].priority);
		assert_int_equal(first_spec(&p)->rules.items[0].action, shells[i].action);
		assert_int_equal(first_spec(&p)->rules.items[0].ports_presence, POLC_ABSENT);
		parsed_free(&p);
	}
}

#define PEER(fields) "{action: Deny, to: [{namespaces: {}}], " fields "}"

static const struct {
	const char *text;
	enum polc_port_kind kind;
	uint8_t protocols;
	uint16_t lo, hi;
} ports[] = {
	{ANP_EGRESS(PEER("ports: [{portNumber: {port: 80}}]")), POLC_PORT_RANGE, POLC_PROTO_TCP, 80,
		80},
	{ANP_EGRESS(PEER("ports: [{portNumber: {port: 80, protocol: SCTP}}]")), POLC_PORT_RANGE,
		POLC_PROTO_SCTP, 80, 80},
	{ANP_EGRESS(PEER("ports: [{portRange: {start: 1, end: 2, protocol: UDP}}]")),
		POLC_PORT_RANGE, POLC_PROTO_UDP, 1, 2},
	{ANP_EGRESS(PEER("ports: [{namedPort: dns}]")), POLC_PORT_NAME, POLC_PROTO_ANY, 0, 0},
	{KCNP_EGRESS(PEER("protocols: [{tcp: {destinationPort: {number: 80}}}]")), POLC_PORT_RANGE,
		POLC_PROTO_TCP, 80, 80},
	{KCNP_EGRESS(
		 PEER("protocols: [{udp: {destinationPort: {range: {start: 1, end: 65535}}}}]")),
		POLC_PORT_RANGE, POLC_PROTO_UDP, 1, 65535},
	{KCNP_EGRESS(PEER("protocols: [{sctp: {destinationPort: {number: 1}}}]")), POLC_PORT_RANGE,
		POLC_PROTO_SCTP, 1, 1},
	{KCNP_EGRESS(PEER("protocols: [{destinationNamedPort: web}]")), POLC_PORT_NAME,
		POLC_PROTO_ANY, 0, 0},
};

static void test_ports(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(ports); i++) {
		struct parsed p;

		parse_text(&p, ports[i].text);
		expect_counts(&p, ports[i].text, 0, 0);
		const struct polc_ast_rule *rule = &first_spec(&p)->rules.items[0];

		assert_int_equal(rule->ports_presence, POLC_PRESENT);
		assert_int_equal(rule->ports.n, 1);
		assert_int_equal(rule->ports.items[0].kind, ports[i].kind);
		assert_int_equal(rule->ports.items[0].protocols, ports[i].protocols);
		assert_int_equal(rule->ports.items[0].lo, ports[i].lo);
		assert_int_equal(rule->ports.items[0].hi, ports[i].hi);
		parsed_free(&p);
	}
}

static void test_peers(void **state)
{
	struct parsed p;

	(void)state;
	parse_text(&p, KCNP_EGRESS("{name: r, action: Deny, to: [{namespaces: {}},"
				   "{pods: {namespaceSelector: {}, podSelector: {}}}, {nodes: {}},"
				   "{networks: [10.0.0.0/8, \"::/0\"]}]}"));
	expect_counts(&p, "", 0, 0);
	const struct polc_ast_rule *rule = &first_spec(&p)->rules.items[0];
	static const enum polc_peer_kind kinds[] = {POLC_PEER_NAMESPACES, POLC_PEER_PODS,
		POLC_PEER_NODES, POLC_PEER_CIDR, POLC_PEER_CIDR};

	assert_string_equal(rule->name, "r");
	assert_int_equal(rule->peers.n, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(rule->peers.items[i].kind, kinds[i]);
	assert_int_equal(rule->peers.items[4].cidr.addr.family, 6);
	parsed_free(&p);
}

/* v1alpha1 before v0.1.2: peers name namespaces one level deeper. */
static void test_old_peers(void **state)
{
	struct parsed p;

	(void)state;
	parse_text(&p, ANP_RULE("{action: Deny, from: ["
				"{namespaces: {namespaceSelector: {matchLabels: {a: b}}}},"
				"{pods: {namespaces: {namespaceSelector: {matchLabels: {a: b}}},"
				"podSelector: {}}}]}"));
	expect_counts(&p, "", 0, 0);
	const struct polc_ast_rule *rule = &first_spec(&p)->rules.items[0];

	assert_int_equal(rule->peers.n, 2);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(
			rule->peers.items[i].namespace_selector->requirements.items[0].key, "a");
	assert_non_null(rule->peers.items[1].pod_selector);
	parsed_free(&p);
}

static void test_domain_names(void **state)
{
	static const char *const actions[] = {"Accept", "Deny", "Pass"};

	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(actions); i++) {
		struct parsed p;
		char text[512];

		snprintf(text, sizeof(text),
			KCNP "{tier: Admin, priority: 1, " ALL_NS ", egress: [{action: %s, "
			     "to: [{networks: [10.0.0.0/8]}, {domainNames: [\"*.example\"]}]}]}",
			actions[i]);
		parse_text(&p, text);
		expect_counts(&p, text, 0, 0);
		assert_non_null(first_spec(&p)->rules.items[0].unsupported);
		assert_int_equal(first_spec(&p)->rules.items[0].peers_presence, POLC_PRESENT);
		parsed_free(&p);
	}
}

#define NS_RULE(action) "{action: " action ", from: [{namespaces: {}}]}"

static const struct report_case reports[] = {
	/* the spec */
	{ANP "{" ALL_NS ", ingress: [" NS_RULE("Deny") "]}", POLC_ERROR, POLC_CODE_MISSING_FIELD,
		NULL},
	{ANP "{priority: 1001, " ALL_NS ", ingress: [" NS_RULE("Deny") "]}", POLC_ERROR,
		POLC_CODE_BAD_PRIORITY, NULL},
	{ANP "{priority: -1, " ALL_NS ", ingress: [" NS_RULE("Deny") "]}", POLC_ERROR,
		POLC_CODE_BAD_PRIORITY, NULL},
	{BANP "{priority: 1, " ALL_NS ", ingress: [" NS_RULE("Deny") "]}", POLC_ERROR,
		POLC_CODE_UNKNOWN_FIELD, NULL},
	{KCNP "{priority: 1, " ALL_NS ", ingress: [" NS_RULE("Deny") "]}", POLC_ERROR,
		POLC_CODE_MISSING_FIELD, NULL},
	{KCNP "{priority: 1, tier: admin, " ALL_NS ", ingress: [" NS_RULE("Deny") "]}", POLC_ERROR,
		POLC_CODE_UNKNOWN_VALUE, "Admin"},
	{KCNP "{priority: 1, tier: Admin, " ALL_NS "}", POLC_WARNING, POLC_CODE_NO_EFFECT, NULL},
	{KCNP "null", POLC_ERROR, POLC_CODE_MISSING_FIELD, NULL},
	{V1ALPHA1 "kind: BaselineAdminNetworkPolicy\nmetadata: {name: other}\n"
		  "spec: {" ALL_NS ", ingress: [" NS_RULE("Deny") "]}",
		POLC_ERROR, POLC_CODE_BAD_NAME, NULL},
	/* subjects */
	{ANP "{priority: 1, ingress: [" NS_RULE("Deny") "]}", POLC_ERROR, POLC_CODE_MISSING_FIELD,
		NULL},
	{ANP "{priority: 1, subject: {}, ingress: [" NS_RULE("Deny") "]}", POLC_ERROR,
		POLC_CODE_BAD_SUBJECT, NULL},
	{ANP "{priority: 1, subject: {namespaces: {}, pods: {namespaceSelector: {}, "
	     "podSelector: {}}}, ingress: [" NS_RULE("Deny") "]}",
		POLC_ERROR, POLC_CODE_BAD_SUBJECT, NULL},
	{ANP "{priority: 1, subject: {pods: {podSelector: {}}}, ingress: [" NS_RULE("Deny") "]}",
		POLC_ERROR, POLC_CODE_MISSING_FIELD, NULL},
	/* actions */
	{ANP_RULE(NS_RULE("Accept")), POLC_ERROR, POLC_CODE_BAD_ACTION, "Allow"},
	{KCNP_RULE(NS_RULE("Allow")), POLC_ERROR, POLC_CODE_BAD_ACTION, "Accept"},
	{BANP "{" ALL_NS ", ingress: [" NS_RULE("Pass") "]}", POLC_ERROR, POLC_CODE_BAD_ACTION,
		NULL},
	{ANP_RULE("{from: [{namespaces: {}}]}"), POLC_ERROR, POLC_CODE_MISSING_FIELD, NULL},
	/* peers */
	{ANP_RULE("{action: Deny}"), POLC_ERROR, POLC_CODE_MISSING_FIELD, NULL},
	{ANP_RULE("{action: Deny, from: []}"), POLC_ERROR, POLC_CODE_MISSING_FIELD, NULL},
	{ANP_RULE("{action: Deny, from: [{}]}"), POLC_ERROR, POLC_CODE_MISSING_FIELD, NULL},
	{ANP_RULE("{action: Deny, from: [{namespaces: {}, pods: {namespaceSelector: {}, "
		  "podSelector: {}}}]}"),
		POLC_ERROR, POLC_CODE_CONFLICTING_FIELDS, NULL},
	{ANP_RULE("{action: Deny, from: [{namespaces: {sameLabels: [a]}}]}"), POLC_ERROR,
		POLC_CODE_REMOVED_FEATURE, NULL},
	{KCNP_RULE("{action: Deny, from: [{namespaces: {namespaceSelector: {}}}]}"), POLC_ERROR,
		POLC_CODE_UNKNOWN_FIELD, NULL},
	{KCNP_RULE("{action: Deny, from: [{pods: {podSelector: {}}}]}"), POLC_ERROR,
		POLC_CODE_MISSING_FIELD, NULL},
	{KCNP_EGRESS("{action: Deny, to: [{networks: []}]}"), POLC_ERROR, POLC_CODE_MISSING_FIELD,
		NULL},
	{KCNP_EGRESS("{action: Deny, to: [{networks: [POD_CIDR]}]}"), POLC_ERROR,
		POLC_CODE_BAD_CIDR, NULL},
	{KCNP_EGRESS("{action: Deny, to: [{nodes: {matchExpressions: [{key: a, operator: notIn, "
		     "values: [b]}]}}]}"),
		POLC_ERROR, POLC_CODE_UNKNOWN_VALUE, "NotIn"},
	/* ports */
	{ANP_EGRESS(PEER("ports: []")), POLC_ERROR, POLC_CODE_MISSING_FIELD, NULL},
	{ANP_EGRESS(PEER("protocols: [{tcp: {destinationPort: {number: 1}}}]")), POLC_ERROR,
		POLC_CODE_UNKNOWN_FIELD, NULL},
	{ANP_EGRESS(PEER("ports: [{portNumber: {port: 0}}]")), POLC_ERROR, POLC_CODE_BAD_PORT,
		NULL},
	{ANP_EGRESS(PEER("ports: [{portNumber: {port: 1, protocol: ANY}}]")), POLC_ERROR,
		POLC_CODE_BAD_PROTOCOL, NULL},
	{ANP_EGRESS(PEER("ports: [{portRange: {start: 2, end: 1}}]")), POLC_ERROR,
		POLC_CODE_BAD_PORT, NULL},
	{KCNP_EGRESS(PEER("protocols: [{tcp: {destinationPort: {range: {start: 2, end: 2}}}}]")),
		POLC_ERROR, POLC_CODE_BAD_PORT, NULL},
	{KCNP_EGRESS(PEER("protocols: [{tcp: {}}]")), POLC_ERROR, POLC_CODE_MISSING_FIELD, NULL},
	{KCNP_EGRESS(PEER("protocols: [{icmp: {}}]")), POLC_ERROR, 0, NULL},
	{KCNP_EGRESS("{action: Deny, to: [{networks: [10.0.0.0/8]}], "
		     "protocols: [{destinationNamedPort: web}]}"),
		POLC_ERROR, POLC_CODE_CONFLICTING_FIELDS, NULL},
	{ANP_EGRESS("{action: Deny, to: [{nodes: {}}], ports: [{namedPort: web}]}"), POLC_ERROR,
		POLC_CODE_CONFLICTING_FIELDS, NULL},
};

static void test_reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(reports); i++) {
		struct parsed p;

		parse_text(&p, reports[i].text);
		if (reports[i].code)
			expect_report(&p, &reports[i]);
		else
			assert_int_not_equal(p.polc.n_errors, 0);
		parsed_free(&p);
	}
}

static void test_peers_by_direction(void **state)
{
	static const char *const peers[] = {
		"{nodes: {}}", "{networks: [10.0.0.0/8]}", "{domainNames: [a]}"};

	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(peers); i++) {
		struct parsed p;
		char text[512];

		snprintf(text, sizeof(text),
			KCNP "{tier: Admin, priority: 1, " ALL_NS
			     ", ingress: [{action: Deny, from: [%s]}]}",
			peers[i]);
		parse_text(&p, text);
		assert_int_equal(count_reports(&p, POLC_ERROR, POLC_CODE_UNKNOWN_FIELD), 1);
		parsed_free(&p);
	}
}

/* 100 peers per rule in v1alpha1, 25 in v1alpha2. */
static unsigned errors_with_peers(const char *before, unsigned n)
{
	char text[8192];
	struct parsed p;

	snprintf(text, sizeof(text), "%s, ingress: [{action: Deny, from: [", before);
	for (unsigned i = 0; i < n; i++)
		strcat(text, "{namespaces: {}},");
	strcat(text, "]}]}");
	parse_text(&p, text);
	unsigned n_errors = p.polc.n_errors;

	assert_int_equal(count_reports(&p, POLC_ERROR, POLC_CODE_TOO_MANY), n_errors);
	parsed_free(&p);
	return n_errors;
}

static void test_too_many(void **state)
{
	(void)state;
	assert_int_equal(errors_with_peers(ANP "{priority: 1, " ALL_NS, 100), 0);
	assert_int_equal(errors_with_peers(ANP "{priority: 1, " ALL_NS, 101), 1);
	assert_int_equal(errors_with_peers(KCNP "{tier: Admin, priority: 1, " ALL_NS, 25), 0);
	assert_int_equal(errors_with_peers(KCNP "{tier: Admin, priority: 1, " ALL_NS, 26), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tiers_and_actions),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_old_peers),
		cmocka_unit_test(test_domain_names),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_peers_by_direction),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
