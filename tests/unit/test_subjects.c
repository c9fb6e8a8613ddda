/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Endpoints that were left out of the build's inventory: what the node finds for them in the bundle
 * (runtime/subjects.h) must decide as the evaluator does where they were built in, or deny.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "compiler/analysis/evaluate.h"
#include "compiler/backend/bundle.h"
#include "runtime/subjects.h"

enum { N_WORLDS = 120, N_PODS = 10, N_POLICIES = 6, N_TEMPLATES = 7 };

static uint32_t seed;

static unsigned pick(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 12) % n;
}

struct pod {
	unsigned namespace, app, tier, port;
	bool left_out;
};
struct policy {
	unsigned template, namespace, app, tier, peer;
};
/* What both worlds of a round are made of. */
struct script {
	struct pod pods[N_PODS];
	struct policy policies[N_POLICIES];
	enum polc_posture posture;
};

static const char *const apps[] = {"web", "db", "api"};
static const char *const tiers[] = {"tier: front", "tier: back", "other: x", "other: yy"};
static const char *const ports[] = {"", "ports: [{name: http, containerPort: 80}]",
	"ports: [{name: http, containerPort: 81}, {name: dns, containerPort: 53, protocol: UDP}]",
	"ports: [{name: unrelated, containerPort: 9}]"};

struct world {
	struct polc polc;
	struct polc_input input;
	const struct polc_network *network;
	const struct polc_identities *identities;
	const struct polc_plan *plan;
};

static void read_text(struct world *w, const char *text)
{
	uint32_t source =
		polc_source_add(&w->polc.arena, &w->polc.sources, "t", text, strlen(text));
	polc_yaml_documents docs = {0};

	polc_yaml_parse(&w->polc, source, &docs);
	for (size_t i = 0; i < docs.n; i++) {
		const char *kind = polc_yaml_get(docs.items[i], "kind")->value;
		if (!strcmp(kind, "CiliumNetworkPolicy"))
			polc_parse_cilium(&w->polc, &w->input.ast, docs.items[i], POLC_KIND_CILIUM);
		else if (!strcmp(kind, "CiliumClusterwideNetworkPolicy"))
			polc_parse_cilium(&w->polc, &w->input.ast, docs.items[i],
				POLC_KIND_CILIUM_CLUSTERWIDE);
		else if (!strcmp(kind, "NetworkPolicy"))
			polc_parse_network_policy(&w->polc, &w->input.ast, docs.items[i]);
		else if (!strcmp(kind, "ClusterNetworkPolicy"))
			polc_parse_policy_api(
				&w->polc, &w->input.ast, docs.items[i], POLC_KIND_CLUSTER);
		else
			polc_inventory_add(&w->polc, &w->input.inventory, docs.items[i]);
	}
}

#define TEXT(w, ...) read_text(w, polc_arena_printf(&(w)->polc.arena, __VA_ARGS__))
#define K8S "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: "
#define CILIUM "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: "

static void add_policy(struct world *w, unsigned i, const struct policy *p)
{
	const char *app = apps[p->app], *peer = apps[p->peer], *tier = tiers[p->tier];

	switch (p->template) {
	case 0:
		TEXT(w,
			K8S "{name: p%u, namespace: n%u}\nspec: {podSelector: {}, policyTypes: "
			    "[Ingress%s]}\n",
			i, p->namespace, p->tier & 1 ? ", Egress" : "");
		break;
	case 1:
		TEXT(w,
			K8S "{name: p%u, namespace: n%u}\nspec: {podSelector: {matchLabels: {app: "
			    "%s}}, "
			    "ingress: [{from: [{podSelector: {matchLabels: {app: %s}}}], ports: "
			    "[{port: 80}]}]}\n",
			i, p->namespace, app, peer);
		break;
	case 2:
		TEXT(w,
			K8S
			"{name: p%u, namespace: n%u}\nspec: {podSelector: {matchLabels: {%s}}, "
			"policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: "
			"{team: t%u}}}]}]}\n",
			i, p->namespace, tier, p->peer & 1);
		break;
	case 3:
		TEXT(w,
			K8S
			"{name: p%u, namespace: n%u}\nspec: {podSelector: {matchExpressions: "
			"[{key: "
			"app, operator: NotIn, values: [%s]}]}, ingress: [{from: [{podSelector: "
			"{}}], ports: [{port: http}]}]}\n",
			i, p->namespace, app);
		break;
	case 4:
		TEXT(w,
			CILIUM
			"{name: p%u, namespace: n%u}\nspec: {endpointSelector: {matchLabels: {%s}},"
			" ingressDeny: [{fromEndpoints: [{matchLabels: {app: %s}}]}]}\n",
			i, p->namespace, tier, peer);
		break;
	case 5:
		TEXT(w,
			"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: "
			"{name: p%u}\nspec: {endpointSelector: {matchExpressions: [{key: app, "
			"operator: "
			"Exists}]}, ingress: [{fromEntities: [world]}, {toPorts: [{ports: [{port: "
			"dns}]}]}]}\n",
			i);
		break;
	default:
		TEXT(w,
			"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: "
			"ClusterNetworkPolicy\n"
			"metadata: {name: p%u}\nspec: {tier: Admin, priority: %u, subject: {pods: "
			"{namespaceSelector: {matchLabels: {team: t%u}}, podSelector: "
			"{matchLabels: "
			"{app: %s}}}}, egress: [{action: Deny, to: [{namespaces: {matchLabels: "
			"{team: "
			"t%u}}}]}]}\n",
			i, i + 1, p->namespace, app, p->peer & 1);
		break;
	}
}

static void make_world(struct world *w, const struct script *script, bool complete)
{
	struct polc_lower_options options = {.posture = script->posture};

	polc_init(&w->polc);
	for (unsigned i = 0; i < 2; i++)
		TEXT(w,
			"apiVersion: v1\nkind: Namespace\nmetadata: {name: n%u, labels: {team: "
			"t%u}}\n",
			i, i);
	for (unsigned i = 0; i < N_PODS; i++) {
		const struct pod *p = &script->pods[i];
		if (complete || !p->left_out)
			TEXT(w,
				"apiVersion: v1\nkind: Pod\nmetadata: {name: p%u, namespace: n%u, "
				"labels: {app: %s, %s}}\nspec: {containers: [{name: c, "
				"%s}]}\nstatus: "
				"{podIPs: [{ip: 10.0.0.%u}]}\n",
				i, p->namespace, apps[p->app], tiers[p->tier], ports[p->port],
				i + 1);
	}
	for (unsigned i = 0; i < N_POLICIES; i++)
		add_policy(w, i, &script->policies[i]);
	polc_inventory_finish(&w->polc, &w->input.inventory);
	w->network = polc_lower_network(&w->polc, &w->input, &options);
	if (w->polc.n_errors)
		polc_diagnostics_print_text(&w->polc, stderr, false);
	assert_int_equal(w->polc.n_errors, 0);
	w->identities = polc_identities_build(&w->polc, &w->input.inventory, NULL);
	w->plan = polc_plan_build(&w->polc, w->network, w->identities);
	assert_non_null(w->plan);
}

static struct script make_script(unsigned round)
{
	struct script s = {.posture = (enum polc_posture)(round % 3)};

	seed = round + 1;
	for (unsigned i = 0; i < N_PODS; i++)
		s.pods[i] = (struct pod){pick(2), pick(3), pick(4), pick(4), i >= N_PODS - 3};
	for (unsigned i = 0; i < N_POLICIES; i++)
		s.policies[i] =
			(struct policy){pick(N_TEMPLATES), pick(2), pick(3), pick(4), pick(3)};
	return s;
}

struct counts {
	unsigned exact, other, allow, deny;
};

/* Peers that both worlds know, and the outside. */
static void ask_all(struct world *full, struct world *less, const struct polc_endpoint *endpoint,
	const struct polb_subject_tables *tables, struct counts *counts)
{
	static const uint16_t numbers[] = {9, 53, 79, 80, 81, 82};
	struct polc_plan plan = *less->plan;
	struct polc_plan_endpoint one = {
		.pod = endpoint->pod, .table = {tables->table[0], tables->table[1]}};

	plan.endpoints = &one;
	plan.n_endpoints = 1;
	for (unsigned i = 0; i < (N_PODS - 2) * POLC_ARRAY_SIZE(numbers) * 4; i++) {
		struct polc_arena arena = {0};
		struct polc_decision d;
		struct polc_question q = {.endpoint = endpoint,
			.direction = (enum polc_direction)(i & 1),
			.peer = {4, {10, 0, 0, (uint8_t)(i / 4 % (N_PODS - 2) + 1)}},
			.protocol = i & 2 ? 17 : 6,
			.port = numbers[i / 4 / (N_PODS - 2)]};
		uint32_t rule = 0;

		if (q.peer.bytes[3] == N_PODS - 2)
			q.peer.bytes[0] = 203;
		/* the endpoint itself is not a matter of tables */
		polc_evaluate(&arena, full->network, full->identities, &q, &d);
		enum polb_verdict v =
			polc_plan_decide(&plan, 0, q.direction, &q.peer, q.protocol, q.port, &rule);
		if (d.rule != POLB_RULE_SELF &&
			v != (tables->exact[q.direction] ? d.verdict : POLB_VERDICT_DENY))
			fail_msg("seed %u %s %s port %u: evaluator %d, node %d (table %u, %s)",
				seed, endpoint->pod->name, q.direction ? "egress" : "ingress",
				q.port, (int)d.verdict, (int)v, one.table[q.direction],
				tables->exact[q.direction] ? "exact" : "other");
		counts->allow += v == POLB_VERDICT_ALLOW;
		counts->deny += v == POLB_VERDICT_DENY;
		polc_arena_free(&arena);
	}
}

static void ask_left_out(
	const struct script *script, struct world *full, struct world *less, struct counts *counts)
{
	const struct polc_build_options options = {.hooks = POLB_HOOK_TC};
	const struct polb_bundle *bundle = polc_bundle_describe(&less->polc, less->plan, &options);

	for (size_t i = 0; i < full->identities->endpoints.n; i++) {
		const struct polc_endpoint *e = &full->identities->endpoints.items[i];
		const struct polc_identity *id = &full->identities->identities.items[e->identity];
		const struct polb_identity_view view = {.kinds = id->kinds,
			.labels = id->labels,
			.n_labels = id->n_labels,
			.ports = id->ports,
			.n_ports = id->n_ports};
		bool left_out = script->pods[atoi(e->pod->name + 1)].left_out;
		struct polb_subject_tables tables;

		assert_int_equal(polb_subject_tables(bundle, &view, &tables), 0);
		for (int d = 0; d < 2; d++) {
			counts->exact += left_out && tables.exact[d];
			counts->other += left_out && !tables.exact[d];
			assert_true(left_out || tables.exact[d]);
		}
		ask_all(full, less, e, &tables, counts);
	}
}

static void test_left_out_is_as_built_in(void **state)
{
	struct counts counts = {0};

	(void)state;
	for (unsigned round = 0; round < N_WORLDS; round++) {
		const struct script script = make_script(round);
		struct world full = {0}, less = {0};

		make_world(&full, &script, true);
		make_world(&less, &script, false);
		ask_left_out(&script, &full, &less, &counts);
		polc_free(&full.polc);
		polc_free(&less.polc);
	}
	print_message("%u tables exact, %u not; %u allowed, %u denied\n", counts.exact,
		counts.other, counts.allow, counts.deny);
	assert_true(counts.allow > 10000 && counts.deny > 10000);
	assert_true(counts.exact > 20 * counts.other);
}

/* A named port that no endpoint of the build had: nothing was compiled for it. */
static void test_unknown_is_denied(void **state)
{
	struct script script = {0};
	const struct polb_named_port port = {"http", 6, 8080};
	const struct polb_label labels[] = {{"k8s", "io.kubernetes.pod.namespace", "n0"}};
	struct polb_identity_view view = {.kinds = POLB_KIND_POD,
		.labels = labels,
		.n_labels = 1,
		.ports = &port,
		.n_ports = 1};
	const struct polc_build_options options = {.hooks = POLB_HOOK_TC};
	struct polb_subject_tables tables;
	struct world w = {0};

	(void)state;
	for (unsigned i = 0; i < N_POLICIES; i++)
		script.policies[i].template = 3;
	make_world(&w, &script, true);
	const struct polb_bundle *bundle = polc_bundle_describe(&w.polc, w.plan, &options);
	assert_int_equal(polb_subject_tables(bundle, &view, &tables), 0);
	assert_false(tables.exact[POLC_INGRESS]);
	assert_true(tables.exact[POLC_EGRESS]);
	assert_int_equal(tables.table[POLC_EGRESS], 0);
	assert_int_equal(
		tables.table[POLC_INGRESS], bundle->combinations[bundle->n_combinations - 1].table);
	view.n_ports = 0;
	assert_int_equal(polb_subject_tables(bundle, &view, &tables), 0);
	assert_true(tables.exact[POLC_INGRESS] && tables.table[POLC_INGRESS]);
	polc_free(&w.polc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_left_out_is_as_built_in),
		cmocka_unit_test(test_unknown_is_denied),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
