/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The plan against the evaluator: every port and every address of a small world, all tiers mixed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "compiler/analysis/evaluate.h"
#include "compiler/backend/plan.h"

static const char inventory[] =
	"kind: List\napiVersion: v1\nitems:\n"
	"- {apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {team: xx}}}\n"
	"- {apiVersion: v1, kind: Namespace, metadata: {name: b, labels: {team: yy}}}\n"
	"- {apiVersion: v1, kind: Node, metadata: {name: nn, labels: {zone: z}}, status: "
	"{addresses: "
	"[{type: InternalIP, address: 192.0.2.1}]}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: p, namespace: a, labels: {app: p}}, spec: "
	"{nodeName: nn, containers: [{name: c, ports: [{name: http, containerPort: 81}]}]}, "
	"status: "
	"{podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: q, namespace: b, labels: {app: q}}, spec: "
	"{nodeName: m, containers: [{name: c, ports: [{name: http, containerPort: 82}]}]}, status: "
	"{podIPs: [{ip: 10.0.0.2}]}}\n";

static const char *const policies[] = {
	/* broad denial over a narrow allow, excepts, both families */
	"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c, namespace: a}\n"
	"spec:\n  endpointSelector: {}\n  egress:\n"
	"  - toCIDRSet: [{cidr: 203.0.0.0/8, except: [203.0.113.0/24]}, {cidr: 203.0.113.9/32}]\n"
	"    toPorts: [{ports: [{port: '80', endPort: 90}]}]\n"
	"  - toCIDR: ['2001:db8::/32', '0.0.0.0/0']\n"
	"    toPorts: [{ports: [{port: '443', protocol: TCP}]}]\n"
	"  egressDeny:\n  - toCIDR: [203.0.113.0/28]\n"
	"  ingress:\n  - fromEntities: [world]\n  - icmps: [{fields: [{type: 8}]}]\n",
	/* named ports on both sides */
	"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: d}\n"
	"spec:\n  endpointSelector: {}\n  ingress:\n  - toPorts: [{ports: [{port: http}]}]\n"
	"  egress:\n  - toEndpoints: [{}]\n    toPorts: [{ports: [{port: http, protocol: TCP}]}]\n",
	/* tiers */
	"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	"{name: t}\n"
	"spec:\n  tier: Admin\n  priority: 1\n  subject: {namespaces: {}}\n  ingress:\n"
	"  - {action: Pass, from: [{namespaces: {matchLabels: {team: yy}}}], protocols: [{tcp: "
	"{destinationPort: {number: 81}}}]}\n"
	"  - {action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {range: "
	"{start: 80, "
	"end: 85}}}}]}\n"
	"  - {action: Accept, from: [{namespaces: {matchLabels: {team: yy}}}]}\n",
	"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: "
	"BaselineAdminNetworkPolicy\nmetadata: {name: "
	"default}\nspec:\n  subject: {namespaces: {}}\n  egress:\n"
	"  - {action: Allow, to: [{networks: [203.0.113.0/30]}]}\n"
	"  - {action: Deny, to: [{networks: [203.0.0.0/8]}, {nodes: {}}]}\n",
	/* everything absent: no policy for b */
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: k, namespace: a}\n"
	"spec: {podSelector: {matchLabels: {app: p}}, ingress: [{from: [{ipBlock: {cidr: "
	"10.0.0.0/24, except: "
	"[10.0.0.2/32]}}], ports: [{port: 70, endPort: 75}, {protocol: UDP}]}]}\n",
};

static const char *const addresses[] = {"10.0.0.2", "10.0.0.1", "10.0.0.3", "fd00::1", "192.0.2.1",
	"203.0.113.0", "203.0.113.9", "203.0.113.15", "203.0.113.16", "203.0.112.255", "204.0.0.0",
	"202.255.255.255", "2001:db8::", "2001:db7::1", "2001:db9::", "127.0.0.9"};

static void read_text(struct polc *polc, struct polc_input *input, const char *text)
{
	uint32_t source = polc_source_add(&polc->arena, &polc->sources, "t", text, strlen(text));
	polc_yaml_documents docs = {0};

	polc_yaml_parse(polc, source, &docs);
	for (size_t i = 0; i < docs.n; i++) {
		const struct polc_yaml *items = polc_yaml_get(docs.items[i], "items");
		const char *kind = polc_yaml_get(docs.items[i], "kind")->value;
		for (size_t j = 0; items && j < items->n_items; j++)
			polc_inventory_add(polc, &input->inventory, items->items[j]);
		if (!strcmp(kind, "CiliumNetworkPolicy"))
			polc_parse_cilium(polc, &input->ast, docs.items[i], POLC_KIND_CILIUM);
		else if (!strcmp(kind, "CiliumClusterwideNetworkPolicy"))
			polc_parse_cilium(
				polc, &input->ast, docs.items[i], POLC_KIND_CILIUM_CLUSTERWIDE);
		else if (!strcmp(kind, "NetworkPolicy"))
			polc_parse_network_policy(polc, &input->ast, docs.items[i]);
		else if (!strcmp(kind, "ClusterNetworkPolicy"))
			polc_parse_policy_api(polc, &input->ast, docs.items[i], POLC_KIND_CLUSTER);
		else if (!strcmp(kind, "BaselineAdminNetworkPolicy"))
			polc_parse_policy_api(
				polc, &input->ast, docs.items[i], POLC_KIND_BASELINE_ADMIN);
	}
}

struct world {
	struct polc polc;
	struct polc_input input;
	const struct polc_network *network;
	const struct polc_identities *identities;
	const struct polc_plan *plan;
};

static void make_world(struct world *w, unsigned set, enum polc_posture posture)
{
	struct polc_lower_options options = {.posture = posture};

	polc_init(&w->polc);
	read_text(&w->polc, &w->input, inventory);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(policies); i++)
		if (set >> i & 1)
			read_text(&w->polc, &w->input, policies[i]);
	polc_inventory_finish(&w->polc, &w->input.inventory);
	w->network = polc_lower_network(&w->polc, &w->input, &options);
	if (w->polc.n_errors)
		polc_diagnostics_print_text(&w->polc, stderr, false);
	assert_int_equal(w->polc.n_errors, 0);
	w->identities = polc_identities_build(&w->polc, &w->input.inventory, NULL);
	w->plan = polc_plan_build(&w->polc, w->network, w->identities);
	assert_non_null(w->plan);
}

static bool is_candidate(const struct polc_decision *d, uint32_t rule)
{
	if (rule == d->rule)
		return true;
	for (size_t i = 0; i < d->n_candidates; i++)
		if (d->candidates[i] == rule)
			return true;
	return false;
}

/* Answers by verdict: agreement on one verdict alone would say little. */
static unsigned long answers[POLB_VERDICT_AUDIT + 1];

static void ask(struct world *w, const struct polc_question *q, uint32_t endpoint)
{
	struct polc_arena arena = {0};
	struct polc_decision d;
	uint32_t rule = 0;

	polc_evaluate(&arena, w->network, w->identities, q, &d);
	if (d.rule != POLB_RULE_SELF) {
		enum polb_verdict v = polc_plan_decide(
			w->plan, endpoint, q->direction, &q->peer, q->protocol, q->port, &rule);
		answers[v]++;
		if (v != d.verdict || !is_candidate(&d, rule))
			fail_msg("%s %s protocol %u port %u family %u: evaluator %d (rule %u), "
				 "plan %d (rule %u)",
				q->endpoint->pod->name, q->direction ? "egress" : "ingress",
				q->protocol, q->port, q->peer.family, (int)d.verdict, d.rule,
				(int)v, rule);
	}
	polc_arena_free(&arena);
}

static void ask_all(struct world *w)
{
	static const uint16_t ports[] = {
		0, 1, 8, 69, 70, 75, 76, 79, 80, 81, 82, 85, 86, 90, 91, 128, 442, 443, 444, 65535};
	static const uint8_t protocols[] = {1, 6, 17, 58, 132, 47};

	for (uint32_t e = 0; e < w->identities->endpoints.n; e++)
		for (size_t a = 0; a < POLC_ARRAY_SIZE(addresses); a++)
			for (size_t i = 0; i < POLC_ARRAY_SIZE(protocols) * 2; i++)
				for (size_t j = 0; j < POLC_ARRAY_SIZE(ports); j++) {
					struct polc_question q = {
						.endpoint = &w->identities->endpoints.items[e],
						.direction = (enum polc_direction)(i & 1),
						.protocol = protocols[i / 2],
						.port = ports[j]};
					assert_int_equal(polb_addr_parse(addresses[a], &q.peer), 0);
					if (protocols[i / 2] == 1 || protocols[i / 2] == 58)
						q.port &= 0xff;
					ask(w, &q, e);
				}
}

static void test_agrees(void **state)
{
	(void)state;
	for (unsigned set = 0; set < 1u << POLC_ARRAY_SIZE(policies); set++)
		for (int posture = 0; posture < 3; posture++) {
			struct world w = {0};
			make_world(&w, set, (enum polc_posture)posture);
			ask_all(&w);
			polc_free(&w.polc);
		}
	assert_true(answers[POLB_VERDICT_ALLOW] > 10000 && answers[POLB_VERDICT_DENY] > 10000);
}

/* The order in which policies are read must not change the plan. */
static void test_order_does_not_matter(void **state)
{
	(void)state;
	struct world a = {0}, b = {0};
	struct polc_lower_options options = {0};
	struct polc_buf x = {.arena = &a.polc.arena}, y = {.arena = &b.polc.arena};

	make_world(&a, 31, POLC_POSTURE_ALLOW);
	polc_init(&b.polc);
	for (size_t i = POLC_ARRAY_SIZE(policies); i-- > 0;)
		read_text(&b.polc, &b.input, policies[i]);
	read_text(&b.polc, &b.input, inventory);
	polc_inventory_finish(&b.polc, &b.input.inventory);
	b.network = polc_lower_network(&b.polc, &b.input, &options);
	b.identities = polc_identities_build(&b.polc, &b.input.inventory, NULL);
	polc_plan_print(a.plan, &x);
	polc_plan_print(polc_plan_build(&b.polc, b.network, b.identities), &y);
	assert_string_equal(x.p, y.p);
	polc_free(&a.polc);
	polc_free(&b.polc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees),
		cmocka_unit_test(test_order_does_not_matter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
