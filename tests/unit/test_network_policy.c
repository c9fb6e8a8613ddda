/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* NetworkPolicy: every field, every emptiness of reference 4.1, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/frontend/objects.h"

struct fixture {
	struct polc polc;
	struct polc_ast ast;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	polc_init(&f->polc);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	polc_free(&f->polc);
	free(f);
	return 0;
}

static void reset(struct fixture *f)
{
	f->ast.policies.n = 0;
	f->polc.diagnostics.n = 0;
	f->polc.n_errors = f->polc.n_warnings = 0;
}

static void parse(struct fixture *f, const char *text)
{
	polc_yaml_documents documents = {0};
	uint32_t source =
		polc_source_add(&f->polc.arena, &f->polc.sources, "t.yaml", text, strlen(text));

	reset(f);
	polc_yaml_parse(&f->polc, source, &documents);
	for (size_t i = 0; i < documents.n; i++)
		polc_parse_network_policy(&f->polc, &f->ast, documents.items[i]);
}

#define HEADER                                                                                     \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"                                  \
	"metadata: {name: a, namespace: prod}\n"

/* The only spec of a policy whose spec is this flow mapping, without errors. */
static const struct polc_ast_spec *good(struct fixture *f, const char *spec)
{
	parse(f, polc_arena_printf(&f->polc.arena, HEADER "spec: %s\n", spec));
	if (f->polc.n_errors)
		fail_msg("%s: %s", spec, f->polc.diagnostics.items[0]->message);
	assert_int_equal(f->ast.policies.n, 1);
	assert_int_equal(f->ast.policies.items[0]->specs.n, 1);
	return &f->ast.policies.items[0]->specs.items[0];
}

static const struct polc_ast_rule *good_rule(struct fixture *f, const char *rule)
{
	const struct polc_ast_spec *spec = good(
		f, polc_arena_printf(&f->polc.arena, "{podSelector: {}, ingress: [%s]}", rule));

	assert_int_equal(spec->rules.n, 1);
	return &spec->rules.items[0];
}

/* The object has exactly one diagnostic, an error of this code. */
static const struct polc_diagnostic *bad(struct fixture *f, const char *object, enum polc_code code)
{
	parse(f, object);
	if (f->polc.n_errors != 1 || f->polc.diagnostics.items[0]->code != code)
		fail_msg("%s: %u errors, first: %s", object, f->polc.n_errors,
			f->polc.n_errors ? f->polc.diagnostics.items[0]->message : "none");
	return f->polc.diagnostics.items[0];
}

static const struct polc_diagnostic *bad_spec(
	struct fixture *f, const char *spec, enum polc_code code)
{
	return bad(f, polc_arena_printf(&f->polc.arena, HEADER "spec: %s\n", spec), code);
}

static const struct polc_diagnostic *bad_rule(
	struct fixture *f, const char *rule, enum polc_code code)
{
	return bad_spec(f,
		polc_arena_printf(&f->polc.arena, "{podSelector: {}, egress: [%s]}", rule), code);
}

static void test_shell(void **state)
{
	struct fixture *f = *state;
	const struct polc_ast_policy *policy;

	parse(f, "kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nstatus: {}\n"
		 "metadata:\n  name: a.b-1\n  uid: x\n  resourceVersion: \"1\"\n"
		 "  creationTimestamp: null\n  generation: 1\n  managedFields: []\n"
		 "  labels: {a: b}\n  annotations: {a: }\nspec: {podSelector: {}}\n");
	assert_int_equal(f->polc.diagnostics.n, 0);
	policy = f->ast.policies.items[0];
	assert_string_equal(policy->name, "a.b-1");
	assert_string_equal(policy->namespace, "default");
	assert_false(policy->namespace_written);
	assert_int_equal(policy->span.begin, 0);
	assert_int_equal(policy->span.end, 4);
	good(f, "{podSelector: {}}");
	policy = f->ast.policies.items[0];
	assert_string_equal(policy->namespace, "prod");
	assert_true(policy->namespace_written);
}

static void test_bad_shell(void **state)
{
	static const struct {
		const char *object;
		enum polc_code code;
	} cases[] = {
		{"kind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector: {}}\n",
			POLC_CODE_MISSING_FIELD},
		{"apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: a}\n",
			POLC_CODE_UNKNOWN_KIND},
		{"apiVersion: networking.k8s.io/v1\nspec: {podSelector: {}}\n",
			POLC_CODE_MISSING_FIELD},
		{"apiVersion: networking.k8s.io/v1\nmetadata: {generateName: a-}\n"
		 "spec: {podSelector: {}}\n",
			POLC_CODE_MISSING_FIELD},
		{"apiVersion: networking.k8s.io/v1\nmetadata: {name: A}\nspec: {podSelector: {}}\n",
			POLC_CODE_BAD_NAME},
		{"apiVersion: networking.k8s.io/v1\nmetadata: {name: 1}\nspec: {podSelector: {}}\n",
			POLC_CODE_WRONG_TYPE},
		{"apiVersion: networking.k8s.io/v1\nmetadata: {name: a, namespace: b.c}\n"
		 "spec: {podSelector: {}}\n",
			POLC_CODE_BAD_NAME},
		{"apiVersion: networking.k8s.io/v1\nmetadata: {name: a, labels: {a: 1}}\n"
		 "spec: {podSelector: {}}\n",
			POLC_CODE_WRONG_TYPE},
		{HEADER, POLC_CODE_MISSING_FIELD},
		{HEADER "spec: []\n", POLC_CODE_WRONG_TYPE},
	};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(cases); i++)
		bad(*state, cases[i].object, cases[i].code);
}

static void test_unknown_fields_outside_spec_are_warnings(void **state)
{
	struct fixture *f = *state;

	parse(f, "apiVersion: networking.k8s.io/v1\nspec: {podSelector: {}}\ndescription: x\n"
		 "metadata: {name: a, namespac: b}\nspecs: []\n");
	assert_int_equal(f->polc.n_errors, 0);
	assert_int_equal(f->polc.n_warnings, 3);
	assert_int_equal(f->ast.policies.n, 1);
}

static void test_subject_and_types(void **state)
{
	struct fixture *f = *state;
	const struct polc_ast_spec *spec = good(f, "{podSelector: {matchLabels: {app: web}}}");

	assert_int_equal(spec->subject.kind, POLC_PEER_PODS);
	assert_int_equal(spec->subject.pod_selector->requirements.n, 1);
	assert_null(spec->subject.namespace_selector);
	assert_int_equal(spec->tier, POLC_TIER_MIDDLE);
	assert_int_equal(spec->policy_types_presence, POLC_ABSENT);
	assert_false(spec->section[POLC_INGRESS]);

	spec = good(f, "{podSelector: {}, policyTypes: [Egress], egress: []}");
	assert_int_equal(spec->policy_types_presence, POLC_PRESENT);
	assert_false(spec->policy_types[POLC_INGRESS]);
	assert_true(spec->policy_types[POLC_EGRESS]);
	assert_true(spec->section[POLC_EGRESS]);
	assert_false(spec->has_rules[POLC_EGRESS]);

	spec = good(f, "{podSelector: }"); /* in network-policy-api's conformance tests */
	assert_int_equal(spec->subject.pod_selector->requirements.n, 0);
	assert_int_equal(f->polc.n_warnings, 1);
	spec = good(f, "{podSelector: {}, policyTypes: []}");
	assert_int_equal(spec->policy_types_presence, POLC_ABSENT);
	good(f, "{podSelector: {}, policyTypes: [Egress], ingress: [{}]}");
	assert_int_equal(f->polc.n_warnings, 1);
	assert_int_equal(f->polc.diagnostics.items[0]->code, POLC_CODE_IGNORED_FIELD);
}

static void test_bad_spec(void **state)
{
	struct fixture *f = *state;

	bad_spec(f, "{}", POLC_CODE_MISSING_FIELD);
	bad_spec(f, "{podSelector: []}", POLC_CODE_WRONG_TYPE);
	bad_spec(f, "{podSelector: {}, policyTypes: [ingress]}", POLC_CODE_POLICY_TYPES);
	bad_spec(f, "{podSelector: {}, policyTypes: Ingress}", POLC_CODE_WRONG_TYPE);
	bad_spec(f, "{podSelector: {}, ingress: {}}", POLC_CODE_WRONG_TYPE);
	bad_spec(f, "{podSelector: {}, ingress: [null]}", POLC_CODE_WRONG_TYPE);
	bad_spec(f, "{podSelector: {}, ingres: []}", POLC_CODE_UNKNOWN_FIELD);
	assert_string_equal(f->polc.diagnostics.items[0]->suggestion, "did you mean \"ingress\"?");
}

static void test_emptiness(void **state)
{
	static const char *const everything[] = {
		"{}", "{from: []}", "{ports: []}", "{from: , ports: }"};
	struct fixture *f = *state;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(everything); i++) {
		const struct polc_ast_rule *rule = good_rule(f, everything[i]);

		assert_int_equal(rule->peers_presence, POLC_ABSENT);
		assert_int_equal(rule->ports_presence, POLC_ABSENT);
		assert_int_equal(rule->action, POLC_ALLOW);
		assert_int_equal(rule->direction, POLC_INGRESS);
	}
	assert_int_equal(f->polc.n_warnings, 2); /* the nulls are worth a word */
	assert_int_equal(good_rule(f, "{ports: [{}]}")->ports.items[0].kind, POLC_PORT_ALL);
	bad_rule(f, "{to: [{}]}", POLC_CODE_EMPTY_PEER);
	bad_rule(f, "{to: [{podSelector: }]}", POLC_CODE_EMPTY_PEER);
	bad_rule(f, "{to: [null]}", POLC_CODE_WRONG_TYPE);
	bad_rule(f, "{to: {}}", POLC_CODE_WRONG_TYPE);
	bad_rule(f, "{from: []}", POLC_CODE_UNKNOWN_FIELD);
}

static void test_peers(void **state)
{
	struct fixture *f = *state;
	const struct polc_ast_rule *rule = good_rule(f,
		"{from: [{podSelector: {}}, {namespaceSelector: {}},"
		" {podSelector: {matchLabels: {a: b}}, namespaceSelector: {matchLabels: {c: d}}},"
		" {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.2.0.0/16]}},"
		" {ipBlock: {cidr: '2001:db8::/32'}}]}");
	const struct polc_ast_peer *peers = rule->peers.items;

	assert_int_equal(rule->peers_presence, POLC_PRESENT);
	assert_int_equal(rule->peers.n, 5);
	assert_non_null(peers[0].pod_selector);
	assert_null(peers[0].namespace_selector);
	assert_int_equal(peers[0].pod_selector->requirements.n, 0);
	assert_null(peers[1].pod_selector);
	assert_non_null(peers[1].namespace_selector);
	assert_string_equal(peers[2].pod_selector->requirements.items[0].key, "a");
	assert_string_equal(peers[2].namespace_selector->requirements.items[0].key, "c");
	assert_int_equal(peers[3].kind, POLC_PEER_CIDR);
	assert_int_equal(peers[3].cidr.len, 8);
	assert_int_equal(peers[3].excepts.n, 2);
	assert_int_equal(peers[4].cidr.addr.family, 6);
}

static void test_bad_peers(void **state)
{
	struct fixture *f = *state;

	bad_rule(f, "{to: [{podSelector: {}, ipBlock: {cidr: 1.0.0.0/8}}]}",
		POLC_CODE_CONFLICTING_FIELDS);
	bad_rule(f, "{to: [{ipBlock: {}}]}", POLC_CODE_MISSING_FIELD);
	bad_rule(f, "{to: [{ipBlock: {cidr: 10.0.0.1}}]}", POLC_CODE_BAD_CIDR);
	assert_string_equal(
		f->polc.diagnostics.items[0]->suggestion, "10.0.0.1/32 for one address");
	bad_rule(f, "{to: [{ipBlock: {cidr: 10.0.0.0/33}}]}", POLC_CODE_BAD_CIDR);
	bad_rule(f, "{to: [{ipBlock: {cidr: '::ffff:10.0.0.1/128'}}]}", POLC_CODE_BAD_CIDR);
	bad_rule(f, "{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}",
		POLC_CODE_EXCEPT_OUTSIDE);
	bad_rule(f, "{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}",
		POLC_CODE_EXCEPT_OUTSIDE);
	bad_rule(f, "{to: [{ipBlock: {cidr: 10.0.0.0/8, except: ['2001:db8::/64']}}]}",
		POLC_CODE_EXCEPT_OUTSIDE);
	bad_rule(f, "{to: [{ipBlock: {cidr: 10.0.0.0/8, exept: []}}]}", POLC_CODE_UNKNOWN_FIELD);
	bad_rule(f, "{to: [{podselector: {}}]}", POLC_CODE_UNKNOWN_FIELD);
	good_rule(f, "{from: [{ipBlock: {cidr: 10.0.0.1/8}}]}");
	assert_int_equal(f->polc.n_warnings, 1);
}

static void assert_port(const struct polc_ast_port *port, enum polc_port_kind kind,
	uint8_t protocols, uint16_t lo, uint16_t hi)
{
	assert_int_equal(port->kind, kind);
	assert_int_equal(port->protocols, protocols);
	if (kind != POLC_PORT_RANGE)
		return;
	assert_int_equal(port->lo, lo);
	assert_int_equal(port->hi, hi);
}

static void test_ports(void **state)
{
	const struct polc_ast_rule *rule =
		good_rule(*state, "{ports: [{port: 80}, {protocol: UDP}, {port: 53, protocol: UDP},"
				  " {port: 1, endPort: 65535, protocol: SCTP}, {port: 8-http}, "
				  "{port: 7, endPort: 7}]}");
	const struct polc_ast_port *ports = rule->ports.items;

	assert_int_equal(rule->ports_presence, POLC_PRESENT);
	assert_int_equal(rule->ports.n, 6);
	assert_port(&ports[0], POLC_PORT_RANGE, POLC_PROTO_TCP, 80, 80);
	assert_port(&ports[1], POLC_PORT_ALL, POLC_PROTO_UDP, 0, 0);
	assert_port(&ports[2], POLC_PORT_RANGE, POLC_PROTO_UDP, 53, 53);
	assert_port(&ports[3], POLC_PORT_RANGE, POLC_PROTO_SCTP, 1, 65535);
	assert_port(&ports[4], POLC_PORT_NAME, POLC_PROTO_TCP, 0, 0);
	assert_string_equal(ports[4].name, "8-http");
	assert_port(&ports[5], POLC_PORT_RANGE, POLC_PROTO_TCP, 7, 7);
}

static void test_bad_ports(void **state)
{
	static const struct {
		const char *port;
		enum polc_code code;
	} cases[] = {
		{"{port: 0}", POLC_CODE_BAD_PORT},
		{"{port: 65536}", POLC_CODE_BAD_PORT},
		{"{port: -1}", POLC_CODE_BAD_PORT},
		{"{port: '80'}", POLC_CODE_BAD_PORT},
		{"{port: HTTP}", POLC_CODE_BAD_PORT},
		{"{port: a--b}", POLC_CODE_BAD_PORT},
		{"{port: a-name-of-16-chr}", POLC_CODE_BAD_PORT},
		{"{port: 010}", POLC_CODE_WRONG_TYPE},
		{"{port: 80.0}", POLC_CODE_WRONG_TYPE},
		{"{port: yes}", POLC_CODE_WRONG_TYPE},
		{"{port: [80]}", POLC_CODE_WRONG_TYPE},
		{"{port: 80, endPort: 79}", POLC_CODE_BAD_PORT},
		{"{port: 80, endPort: 65536}", POLC_CODE_BAD_PORT},
		{"{port: 80, endPort: http}", POLC_CODE_WRONG_TYPE},
		{"{port: http, endPort: 90}", POLC_CODE_CONFLICTING_FIELDS},
		{"{endPort: 90}", POLC_CODE_CONFLICTING_FIELDS},
		{"{protocol: tcp}", POLC_CODE_BAD_PROTOCOL},
		{"{protocol: ICMP}", POLC_CODE_BAD_PROTOCOL},
		{"{protocol: 6}", POLC_CODE_WRONG_TYPE},
		{"{prot: TCP}", POLC_CODE_UNKNOWN_FIELD},
		{"80", POLC_CODE_WRONG_TYPE},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(cases); i++)
		bad_rule(f, polc_arena_printf(&f->polc.arena, "{ports: [%s]}", cases[i].port),
			cases[i].code);
}

static void test_selectors(void **state)
{
	const struct polc_ast_spec *spec = good(*state,
		"{podSelector: {matchLabels: {a.b/c_d: '', e: F-1}, matchExpressions: ["
		"{key: f, operator: In, values: [g, h]}, {key: i, operator: NotIn, values: [j]},"
		"{key: k, operator: Exists}, {key: l, operator: DoesNotExist, values: []}]}}");
	const struct polc_ast_requirement *r = spec->subject.pod_selector->requirements.items;

	assert_int_equal(spec->subject.pod_selector->requirements.n, 6);
	assert_true(r[0].from_match_labels);
	assert_string_equal(r[0].values.items[0], "");
	assert_string_equal(r[1].values.items[0], "F-1");
	assert_int_equal(r[2].op, POLB_OP_IN);
	assert_int_equal(r[2].values.n, 2);
	assert_false(r[2].from_match_labels);
	assert_int_equal(r[3].op, POLB_OP_NOT_IN);
	assert_int_equal(r[4].op, POLB_OP_EXISTS);
	assert_int_equal(r[5].op, POLB_OP_DOES_NOT_EXIST);
}

static void test_bad_selectors(void **state)
{
	static const struct {
		const char *selector;
		enum polc_code code;
	} cases[] = {
		{"{matchLabels: {a: 1}}", POLC_CODE_WRONG_TYPE},
		{"{matchLabels: {a: true}}", POLC_CODE_WRONG_TYPE},
		{"{matchLabels: {a: }}", POLC_CODE_WRONG_TYPE},
		{"{matchLabels: {on: x}}", POLC_CODE_WRONG_TYPE},
		{"{matchLabels: [a]}", POLC_CODE_WRONG_TYPE},
		{"{matchLabels: {a/b/c: d}}", POLC_CODE_BAD_SELECTOR},
		{"{matchLabels: {-a: d}}", POLC_CODE_BAD_SELECTOR},
		{"{matchLabels: {A.b/c: d}}", POLC_CODE_BAD_SELECTOR},
		{"{matchLabels: {'k8s:a': d}}", POLC_CODE_BAD_SELECTOR},
		{"{matchLabels: {a: 'b c'}}", POLC_CODE_BAD_SELECTOR},
		{"{matchLabels: {a: "
		 "a123456789a123456789a123456789a123456789a123456789a123456789abcd}}",
			POLC_CODE_BAD_SELECTOR},
		{"{matchlabels: {a: b}}", POLC_CODE_UNKNOWN_FIELD},
		{"{app: b}", POLC_CODE_UNKNOWN_FIELD},
		{"{matchExpressions: [{operator: Exists}]}", POLC_CODE_MISSING_FIELD},
		{"{matchExpressions: [{key: a}]}", POLC_CODE_MISSING_FIELD},
		{"{matchExpressions: [{key: a, operator: in, values: [b]}]}",
			POLC_CODE_UNKNOWN_VALUE},
		{"{matchExpressions: [{key: a, operator: In}]}", POLC_CODE_BAD_SELECTOR},
		{"{matchExpressions: [{key: a, operator: NotIn, values: []}]}",
			POLC_CODE_BAD_SELECTOR},
		{"{matchExpressions: [{key: a, operator: Exists, values: [b]}]}",
			POLC_CODE_BAD_SELECTOR},
		{"{matchExpressions: [{key: a, operator: In, values: [1]}]}", POLC_CODE_WRONG_TYPE},
		{"{matchExpressions: [{key: a, operator: In, values: b}]}", POLC_CODE_WRONG_TYPE},
		{"{matchExpressions: {key: a}}", POLC_CODE_WRONG_TYPE},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(cases); i++)
		bad_spec(f,
			polc_arena_printf(&f->polc.arena, "{podSelector: %s}", cases[i].selector),
			cases[i].code);
}

static void test_rule_spans(void **state)
{
	static const char text[] =
		HEADER "spec:\n  podSelector: {}\n  ingress:\n  - from:\n"
		       "    - podSelector: {}\n    ports: [{port: 80}]\n  - {}\n";
	struct fixture *f = *state;
	const struct polc_ast_spec *spec;

	parse(f, text);
	assert_int_equal(f->polc.n_errors, 0);
	spec = &f->ast.policies.items[0]->specs.items[0];
	assert_int_equal(spec->rules.n, 2);
	assert_memory_equal(text + spec->rules.items[0].span.begin, "from:", 5);
	assert_memory_equal(text + spec->rules.items[1].span.begin, "{}", 2);
	assert_memory_equal(
		text + spec->rules.items[0].peers.items[0].span.begin, "podSelector", 11);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_shell),
		TEST(test_bad_shell),
		TEST(test_unknown_fields_outside_spec_are_warnings),
		TEST(test_subject_and_types),
		TEST(test_bad_spec),
		TEST(test_emptiness),
		TEST(test_peers),
		TEST(test_bad_peers),
		TEST(test_ports),
		TEST(test_bad_ports),
		TEST(test_selectors),
		TEST(test_bad_selectors),
		TEST(test_rule_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
