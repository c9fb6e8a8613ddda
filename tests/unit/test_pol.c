/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The DSL: what it builds, where every word may be a name, and what it says about mistakes: exact
 * places, codes and messages, several per run. Printing is test_print.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/frontend/pol.h"
#include "pol_keywords.h"

struct reading {
	struct polc polc;
	struct polc_input input;
	uint32_t source;
};

static void parse(struct reading *r, const char *text)
{
	*r = (struct reading){0};
	polc_init(&r->polc);
	r->source = polc_source_add(&r->polc.arena, &r->polc.sources, "t.pol", text, strlen(text));
	polc_parse_pol(&r->polc, &r->input, r->source);
}

static void parse_good(struct reading *r, const char *text)
{
	parse(r, text);
	polc_diagnostics_print_text(&r->polc, stderr, false);
	assert_int_equal(r->polc.n_errors, 0);
}

/* What is built */

static void test_example(void **state)
{
	struct reading r;
	const struct polc_ast_policy *policy;
	const struct polc_ast_spec *spec;
	const struct polc_ast_rule *rules;

	(void)state;
	parse_good(&r, "network web-allow-api in prod {\n"
		       "    subject app = web-server;\n"
		       "    egress  deny  to cidr 169.254.169.254/32;\n"
		       "    ingress allow from app = api-server to tcp/80, tcp/8000-8100;\n"
		       "    ingress allow from cidr 10.0.0.0/8 except 10.1.0.0/16 to tcp/443;\n"
		       "    egress  allow to entity kube-dns-resolvers to udp/53, tcp/53;\n"
		       "}\n");
	assert_int_equal(r.input.ast.policies.n, 1);
	policy = r.input.ast.policies.items[0];
	assert_int_equal(policy->kind, POLC_KIND_CILIUM);
	assert_string_equal(policy->name, "web-allow-api");
	assert_string_equal(policy->namespace, "prod");
	assert_true(policy->namespace_written);
	assert_int_equal(policy->specs.n, 1);
	spec = policy->specs.items;
	assert_string_equal(spec->subject.selector->requirements.items[0].key, "app");
	assert_true(spec->has_rules[0] && spec->has_rules[1] && spec->section[0]);
	assert_int_equal(spec->rules.n, 4);
	rules = spec->rules.items;
	assert_int_equal(rules[0].ports.n, 2);
	assert_int_equal(rules[0].ports.items[1].lo, 8000);
	assert_int_equal(rules[0].ports.items[1].hi, 8100);
	assert_int_equal(rules[1].peers.items[0].excepts.n, 1);
	/* egress: allows stand before denies, as in YAML's two lists */
	assert_int_equal(rules[2].action, POLC_ALLOW);
	assert_int_equal(rules[2].peers.items[0].kind, POLC_PEER_ENDPOINTS);
	assert_int_equal(rules[2].peers.items[0].selector->requirements.n, 2);
	assert_int_equal(rules[3].action, POLC_DENY);
	assert_int_equal(rules[3].ports_presence, POLC_ABSENT);
	assert_int_equal(
		polc_source_position(&r.polc.arena, &r.polc.sources, r.source, rules[3].span.begin)
			.line,
		3);
	polc_free(&r.polc);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *text;
		enum polc_policy_kind kind;
		enum polc_tier tier;
		unsigned priority;
	} cases[] = {
		{"network n { subject all; ingress allow nothing; }", POLC_KIND_CILIUM_CLUSTERWIDE,
			POLC_TIER_MIDDLE, 0},
		{"kubernetes network n in p { subject all; }", POLC_KIND_NETWORK_POLICY,
			POLC_TIER_MIDDLE, 0},
		{"cluster network n tier baseline priority 7 { subject namespaces all; }",
			POLC_KIND_CLUSTER, POLC_TIER_BASELINE, 7},
		{"admin network n priority 1000 { subject namespaces all; }", POLC_KIND_ADMIN,
			POLC_TIER_ADMIN, 1000},
		{"baseline network default { subject namespaces all; }", POLC_KIND_BASELINE_ADMIN,
			POLC_TIER_BASELINE, 0},
	};

	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(cases); i++) {
		struct reading r;

		parse_good(&r, cases[i].text);
		assert_int_equal(r.input.ast.policies.items[0]->kind, cases[i].kind);
		assert_int_equal(r.input.ast.policies.items[0]->specs.items[0].tier, cases[i].tier);
		assert_int_equal(
			r.input.ast.policies.items[0]->specs.items[0].priority, cases[i].priority);
		polc_free(&r.polc);
	}
}

/* `in .`: a namespaced policy that does not say where. */
static void test_unwritten_namespace(void **state)
{
	struct reading r;

	(void)state;
	parse_good(&r, "kubernetes network n in . { subject all; }");
	assert_string_equal(r.input.ast.policies.items[0]->namespace, "default");
	assert_false(r.input.ast.policies.items[0]->namespace_written);
	polc_free(&r.polc);
}

/* Labels given with '=' come first, as YAML's matchLabels do. */
static void test_requirements(void **state)
{
	const struct polc_ast_requirement *items;
	struct reading r;

	(void)state;
	parse_good(&r, "network n { subject not has a and b in (x, \"\"), c = d, e != f and"
		       " k8s:g not in (h), has in; ingress allow nothing; }");
	assert_int_equal(
		r.input.ast.policies.items[0]->specs.items[0].subject.selector->requirements.n, 6);
	items = r.input.ast.policies.items[0]->specs.items[0].subject.selector->requirements.items;
	assert_string_equal(items[0].key, "c");
	assert_true(items[0].from_match_labels);
	assert_int_equal(items[1].op, POLB_OP_DOES_NOT_EXIST);
	assert_int_equal(items[2].op, POLB_OP_IN);
	assert_int_equal(items[2].values.n, 2);
	assert_int_equal(items[3].op, POLB_OP_NOT_IN);
	assert_string_equal(items[4].key, "k8s:g");
	assert_string_equal(items[5].key, "in");
	polc_free(&r.polc);
}

/* Every keyword as a label's key and value, as an endpoint's name, after `has` and in lists. */
static void test_keywords_are_words(void **state)
{
	static const char *const words[] = {
#define X(token, text, follow) text,
		POL_KEYWORDS(X)
#undef X
	};

	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(words); i++) {
		const char *w = words[i];
		struct reading r;
		char text[2048];

		snprintf(text, sizeof(text),
			"network %s in %s { subject %s = %s, %s != %s and %s in (%s, %s), %s not "
			"in (%s);"
			" ingress allow from %s = %s or has %s and not has %s or %s in (a) to "
			"tcp/1;"
			" egress allow to service %s in %s or services %s = a in %s; labels %s = "
			"%s; }"
			"endpoint %s in %s { node %s; labels %s = %s, a = %s; }",
			w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w,
			w, w, w);
		parse_good(&r, text);
		assert_int_equal(r.input.ast.policies.items[0]->specs.items[0].rules.n, 2);
		polc_free(&r.polc);
	}
}

static void test_endpoint(void **state)
{
	const struct polc_pod *pod;
	struct reading r;

	(void)state;
	parse_good(&r,
		"endpoint web in prod { labels app = web; address 10.0.0.5, fd00::5;"
		" cgroup \"system.slice/web.service\"; interface veth0; port http tcp/8080; }"
		"endpoint b { host-network; service-account s; node n; }");
	assert_true(r.input.inventory.given);
	assert_int_equal(r.input.inventory.pods.n, 2);
	pod = r.input.inventory.pods.items;
	assert_string_equal(pod->namespace, "prod");
	assert_string_equal(pod->labels.items[0].source, "k8s");
	assert_int_equal(pod->addrs.n, 2);
	assert_int_equal(pod->addrs.items[1].family, 6);
	assert_string_equal(pod->cgroup, "system.slice/web.service");
	assert_string_equal(pod->interface, "veth0");
	assert_int_equal(pod->ports.items[0].port, 8080);
	assert_string_equal(pod->service_account, "default");
	assert_string_equal(pod[1].namespace, "default");
	assert_true(pod[1].host_network);
	polc_free(&r.polc);
}

/* Mistakes: text, and "line:column code message" of each error in order of place. */

static const struct {
	const char *text, *errors;
} bad[] = {
	{"netwrok a in b { subject all; }",
		"1:1 201 unexpected 'netwrok', expected 'network', 'kubernetes', 'cluster', "
		"'admin', 'baseline', 'endpoint', 'tracing', 'test', 'assert' or the end of the "
		"file\n"},
	{"network a in b { subject all; ingres allow from x = y; }",
		"1:31 201 unexpected 'ingres', expected 'spec', 'subject', 'ingress', 'egress', "
		"'isolate', 'log', 'description', 'labels', 'mode' or '}'\n"},
	{"network a in b { subject all; ingress allow from x = y to 80; }",
		"1:59 308 a port needs its protocol\n"},
	{"network a in b { subject all; ingress allow from x = y to tpc/80; }",
		"1:59 309 unknown protocol 'tpc'\n"},
	{"network a in b { subject all; ingress allow from x = y to tcp/99999; }",
		"1:63 308 '99999' is no port: a number 1 to 65535, a range, a name, or '*'\n"},
	{"network a in b { subject all; ingress allow from x = y to tcp; }",
		"1:59 308 which ports of tcp?\n"},
	{"network a in b { subject all; ingress allow from entity wrld; }",
		"1:57 312 unknown entity 'wrld'\n"},
	{"network a in b { subject all; ingress allow from cidr 10.0.0.0/33; }",
		"1:55 306 '10.0.0.0/33' is no prefix such as 10.0.0.0/8 or fd00::/8\n"},
	{"network a in b { subject all; ingress allow from cidr 10.0.0.0/8 except "
	 "11.0.0.0/16; }",
		"1:73 307 11.0.0.0/16 is not inside the prefix it is taken from\n"},
	{"network a in b { subject all; egress allow to tcp/80; }",
		"1:53 201 unexpected ';', expected '!=', 'in', 'not' or '='\n"},
	{"network a in b { subject all; ingress allow from any; }",
		"1:31 313 a rule of a CiliumNetworkPolicy names peers or ports\n"},
	{"network a in b { ingress allow from x = y; }",
		"1:9 303 no subject: which endpoints does this govern?\n"},
	{"network a in b { subject all; }", "1:9 502 no rule: a CiliumNetworkPolicy needs at least "
					    "one; 'ingress allow nothing;' isolates ingress\n"},
	{"network a in b { subject all; subject x = y; ingress allow nothing; }",
		"1:31 203 the subject is given twice\n"},
	{"network a in b { subject all; ingress allow from x = y or cidr 10.0.0.0/8; }",
		"1:64 313 'endpoints' and 'cidr' peers cannot be in one rule of a "
		"CiliumNetworkPolicy\n"},
	{"kubernetes network a in b { subject all; ingress deny from x = y; }",
		"1:42 602 rules of a NetworkPolicy only allow\n"},
	{"kubernetes network a { subject all; }", "1:22 201 unexpected '{', expected 'in'\n"},
	{"network A_b in b { subject all; ingress allow nothing; }",
		"1:9 305 a policy's name holds lower-case letters, digits, '-' and '.', has a "
		"letter or digit at both ends, and at most 253 characters\n"},
	{"network a in b { subject all; ingress allow from x = y and x = z; }",
		"1:60 203 label 'x' cannot have two values at once\n"},
	{"network a in b { subject all; ingress allow from x == y; egress allow to x ~ y; "
	 "}",
		"1:52 201 unexpected '==', expected '!=', 'in', 'not' or '='\n"
		"1:76 202 '~' has no place here\n"},
	{"network a in b { description \"abc; \n subject all; }",
		"1:30 202 a string ends on its line: the closing '\"' is missing\n"},
	{"network a in b { description \"a\\q\"; subject all; ingress allow nothing; }",
		"1:32 202 there is no escape '\\q' in strings\n"},
	{"network a in b { subject all; ingress allow from x = y",
		"1:55 201 unexpected end of file, expected 'to', 'as', 'or', 'and', ';' or ','\n"},
	{"network a in b { subject all ingress allow from x = y; }",
		"1:30 201 unexpected 'ingress', expected ';'\n"},
	{"cluster network a tier middle priority 5000 { subject all; ingress allow from x "
	 "= y; }",
		"1:24 312 a tier is 'admin' or 'baseline', not 'middle'\n"
		"1:40 601 a priority is a number 0 to 1000, not '5000'\n"
		"1:55 603 the subject of a ClusterNetworkPolicy is 'namespaces ...', or pods in "
		"them: 'namespaces ... pods ...'\n"
		"1:79 313 ingress rules of a ClusterNetworkPolicy have no 'pods' peers\n"},
	{"tracing t { on kprobe x(y: int) when a == 1 do sigkill; } network a in b { subject "
	 "all; ingress allow nothing; }",
		"1:38 1002 'a' is not the label of an argument\n"},
	{"network a in b { subject all; ingress allow from all; }",
		"1:50 201 unexpected 'all', expected a peer, 'none' or 'any'\n"},
	{"network a in b { subject all; ingress allow from x = y to tcp/80, icmp/8; }",
		"1:67 313 ICMP types and ports cannot be in one rule of a CiliumNetworkPolicy: "
		"write two rules\n"},
	{"network a in b { foo; bar; ingress allow from; egress allow to x; }\nnetwork c in "
	 "d { subject ; ingress allow nothing }\nnetwork e { subject all; ingress allow "
	 "from has; }",
		"1:18 201 unexpected 'foo', expected 'spec', 'subject', 'ingress', 'egress', "
		"'isolate', 'log', 'description', 'labels', 'mode' or '}'\n"
		"1:23 201 unexpected 'bar', expected 'spec', 'subject', 'ingress', 'egress', "
		"'isolate', 'log', 'description', 'labels', 'mode' or '}'\n"
		"1:46 201 unexpected ';', expected a peer, 'none' or 'any'\n"
		"1:65 201 unexpected ';', expected '!=', 'in', 'not' or '='\n"
		"2:26 201 unexpected ';', expected a label, 'all', 'endpoints', 'pods' or "
		"'namespaces'\n"
		"2:50 201 unexpected '}', expected ';'\n"
		"3:48 201 unexpected ';', expected a label\n"},
	{"endpoint a { address 1.2.3; port http tcp/http; labels a = b, a = c; cgroup \"\"; "
	 "adress 1.2.3.4; }",
		"1:22 702 '1.2.3' is no address\n"
		"1:39 308 an endpoint's port is one number of one protocol, such as tcp/80\n"
		"1:63 203 label 'a' cannot have two values at once\n"
		"1:77 701 a cgroup is a path below the cgroup2 mount\n"
		"1:81 201 unexpected 'adress', expected 'labels', 'address', 'cgroup', "
		"'interface', 'port', 'node', 'service-account', 'host-network' or '}'\n"},
	{"network a in b { subject all; ingress default deny; ingress default allow; "
	 "ingress pass from a = b as x; }",
		"1:53 203 the default of a direction is given twice\n"
		"1:76 602 rules of a CiliumNetworkPolicy cannot pass\n"
		"1:103 313 rules of a CiliumNetworkPolicy have no names\n"},
	{"network a in b { subject x in (a, ; ingress allow nothing; }",
		"1:35 201 unexpected ';', expected a word\n"},
	{"admin network a priority 10 { subject pods x = y; egress allow to nodes all to "
	 "any/http, icmp/8; }",
		"1:39 603 the subject of an AdminNetworkPolicy is 'namespaces ...', or pods in "
		"them: 'namespaces ... pods ...'\n"
		"1:80 313 a named port needs peers that are pods, not prefixes or nodes\n"
		"1:90 309 an AdminNetworkPolicy cannot say anything but TCP, UDP and SCTP\n"},
	{"endpoint a { cgroup \"/a/../b\"; interface \"a/b\"; address ::ffff:1.2.3.4; }",
		"1:21 701 a cgroup is a path below the cgroup2 mount\n"
		"1:42 701 'a/b' cannot be the name of an interface\n"
		"1:57 702 '::ffff:1.2.3.4' is no address\n"},
	{"}", "1:1 201 unexpected '}', expected 'network', 'kubernetes', 'cluster', 'admin', "
	      "'baseline', 'endpoint', 'tracing', 'test', 'assert' or the end of the file\n"},
	{"network a in b { subject all; ingress allow from x = \"a b\" to tcp/a_b, icmp/300, "
	 "icmp; }",
		"1:54 310 'a b' is not a valid label value: at most 63 letters, digits, '-', '_' "
		"and '.'\n"
		"1:67 308 'a_b' is no port: a number 1 to 65535, a range, a name, or '*'\n"
		"1:77 308 an ICMP type is a number 0 to 255\n"
		"1:82 308 which ports of icmp?\n"},
	{"network a in b { spec { subject all; ingress allow nothing; } subject all; }",
		"1:63 313 statements cannot stand beside 'spec' blocks: put them into one\n"},
};

static const char *listing(struct reading *r)
{
	struct polc_buf out = {.arena = &r->polc.arena};
	uint32_t last = 0;

	for (size_t n = r->polc.diagnostics.n; n > 0; n--) {
		const struct polc_diagnostic *next = NULL;
		struct polc_position at;

		/* the first that is not listed yet */
		for (size_t i = 0; i < r->polc.diagnostics.n; i++) {
			const struct polc_diagnostic *d = r->polc.diagnostics.items[i];

			if (d->span.begin + 1 > last && (!next || d->span.begin < next->span.begin))
				next = d;
		}
		if (!next)
			break;
		last = next->span.begin + 1;
		at = polc_source_position(
			&r->polc.arena, &r->polc.sources, next->span.source, next->span.begin);
		polc_buf_printf(
			&out, "%u:%u %u %s\n", at.line, at.column, next->code, next->message);
	}
	return out.p ? out.p : "";
}

static void test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(bad); i++) {
		struct reading r;

		parse(&r, bad[i].text);
		if (strcmp(listing(&r), bad[i].errors) != 0)
			print_message("in: %s\n", bad[i].text);
		assert_string_equal(listing(&r), bad[i].errors);
		assert_true(r.polc.n_errors > 0);
		polc_free(&r.polc);
	}
}

static void check_suggestion(const char *text, const char *suggestion)
{
	struct reading r;

	parse(&r, text);
	assert_true(r.polc.diagnostics.n > 0);
	assert_non_null(r.polc.diagnostics.items[0]->suggestion);
	assert_string_equal(r.polc.diagnostics.items[0]->suggestion, suggestion);
	polc_free(&r.polc);
}

static void test_suggestions(void **state)
{
	(void)state;
	check_suggestion("netwrok a in b {}", "did you mean 'network'?");
	check_suggestion("network a { subjct all; }", "did you mean 'subject'?");
	check_suggestion("network a { subject all; egress allow to tcp/80; }",
		"'to' names peers first: write 'to any to tcp/80'");
	check_suggestion("network a { subject all; ingress allow from entity hots; }",
		"did you mean 'host'?");
	check_suggestion("network a { subject all; ingress allow from a = b to 53; }",
		"did you mean 'tcp/53'?");
}

/* Every prefix of a text that uses the whole grammar is read without a crash. */
static void test_truncated(void **state)
{
	static const char text[] =
		"network a in b { description \"x\\n\\x41\"; log y; labels k8s:a = b; # c\n"
		"subject a in (b, c), not has d; ingress default deny; egress none;"
		" ingress allow from cidr ::/0, 10.0.0.0/8 or cidr-group g except 1.2.3.4/32 or"
		" cidr-groups all to tcp/*, any/53, esp; }\n"
		"network c { spec { subject all; ingress allow nothing; } }\n"
		"cluster network d tier admin priority 1 { subject namespaces all pods a = b;"
		" egress pass to nodes all to any/http as \"n\"; }\n"
		"tracing t { mode a; pods a = b; list l = syscalls (c); macro m when all; on "
		"kprobe f("
		"1: a: int size 1) returns int data (b: int from current_task resolve c) when a in "
		"1"
		" and workload pods (x in (y)) host and capability in C on-error deny as d do "
		"signal 9"
		" then post every 5m; } endpoint e { address 1.2.3.4; port a udp/1; }";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		char copy[sizeof(text)];
		struct reading r;

		memcpy(copy, text, n);
		copy[n] = '\0';
		parse(&r, copy);
		polc_free(&r.polc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_unwritten_namespace),
		cmocka_unit_test(test_requirements),
		cmocka_unit_test(test_keywords_are_words),
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_suggestions),
		cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
