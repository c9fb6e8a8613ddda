/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Questions about all connections, by hand: one case for each of the things that people ask. That
 * answers are exact is the business of the random oracle (tests/reach).
 */
#include "frontend.h"

#include "analysis/reach.h"

struct world {
	struct parsed parsed[2];
	const struct polc_network *networks[2];
	struct polc_reach *reach;
	struct polc_witness witness;
};

#define SHOP(name)                                                                                 \
	"---\nkind: CiliumNetworkPolicy\napiVersion: cilium.io/v2\nmetadata: {name: " name         \
	", namespace: shop}\nspec:\n  endpointSelector: {matchLabels: {app: api}}\n"
#define FROM(app, port)                                                                            \
	"  - {fromEndpoints: [{matchLabels: {app: " app "}}], toPorts: [{ports: [{port: \"" port   \
	"\", protocol: TCP}]}]}\n"
#define FROM_ALL(app) "  - {fromEndpoints: [{matchLabels: {app: " app "}}]}\n"

/* `new` may be NULL. */
static void open_world(struct world *w, const char *old, const char *new)
{
	const struct polc_lower_options options = {.dialect = POLC_DIALECT_CILIUM};
	const char *texts[] = {old, new};
	size_t n = new ? 2 : 1;

	for (size_t i = 0; i < n; i++) {
		parse_text(&w->parsed[i], texts[i]);
		w->networks[i] =
			polc_lower_network(&w->parsed[i].polc, &w->parsed[i].input, &options);
		if (w->parsed[i].polc.n_errors)
			polc_diagnostics_print_text(&w->parsed[i].polc, stderr, false);
		assert_int_equal(w->parsed[i].polc.n_errors, 0);
	}
	w->reach = polc_reach_new(&w->parsed[0].polc.arena, w->networks, n,
		polc_identities_build(&w->parsed[0].polc, &w->parsed[0].input.inventory, NULL));
}

static void close_world(struct world *w, bool two)
{
	parsed_free(&w->parsed[0]);
	if (two)
		parsed_free(&w->parsed[1]);
}

static void shadowed_by_a_denial(void **state)
{
	struct world w;
	uint32_t cover[4];
	size_t n;

	(void)state;
	open_world(&w,
		SHOP("p") "  ingress:\n" FROM("web", "80")
			FROM("db", "80") "  ingressDeny:\n" FROM_ALL("web"),
		NULL);
	assert_int_equal(polc_reach_rule_decides(w.reach, 0, 0, &w.witness), POLC_NO);
	assert_int_equal(polc_reach_rule_decides(w.reach, 0, 1, &w.witness), POLC_YES);
	assert_string_equal(w.witness.peer.text, "pod of namespace shop with app=db");
	assert_string_equal(w.witness.port_text, "tcp/80");
	assert_int_equal(polc_reach_rule_matters(w.reach, 0, 0, NULL, cover, 4, &n), POLC_NO);
	assert_int_equal(n, 1);
	assert_int_equal(cover[0], 2);
	/* the denial matters: its policy isolates, but port 80 from web would be allowed */
	assert_int_equal(
		polc_reach_rule_matters(w.reach, 0, 2, &w.witness, cover, 4, &n), POLC_YES);
	assert_string_equal(w.witness.peer.text, "pod of namespace shop with app=web");
	assert_int_equal(polc_reach_rules_meet(w.reach, 0, 0, 2, &w.witness), POLC_YES);
	assert_int_equal(polc_reach_rules_meet(w.reach, 0, 0, 1, &w.witness), POLC_NO);
	close_world(&w, false);
}

/* Two rules that only together cover a third. */
static void redundant_by_two(void **state)
{
	struct world w;
	uint32_t cover[4];
	size_t n;

	(void)state;
	open_world(&w,
		SHOP("p") "  ingress:\n" FROM(
			"web", "80") "  - {fromEndpoints: [{matchExpressions: [{key: tier, "
				     "operator: Exists}]}]}\n"
				     "  - {fromEndpoints: [{matchExpressions: [{key: tier, "
				     "operator: DoesNotExist}]}]}\n",
		NULL);
	assert_int_equal(polc_reach_rule_decides(w.reach, 0, 0, NULL), POLC_YES);
	assert_int_equal(polc_reach_rule_matters(w.reach, 0, 0, NULL, cover, 4, &n), POLC_NO);
	assert_int_equal(n, 2);
	assert_int_equal(cover[0], 1);
	assert_int_equal(cover[1], 2);
	assert_int_equal(
		polc_reach_rule_matters(w.reach, 0, 1, &w.witness, cover, 4, &n), POLC_YES);
	close_world(&w, false);
}

/* --- paths ---------------------------------------------------------------------------------- */

static struct polb_requirement in_namespace(const char *const *name)
{
	return (struct polb_requirement){POLB_OP_IN, "k8s", "io.kubernetes.pod.namespace", name, 1};
}

static void assertion(void **state)
{
	const char *const dev[] = {"dev"}, *const shop[] = {"shop"};
	struct polb_requirement requirements[] = {in_namespace(dev), in_namespace(shop)};
	const struct polb_selector from = {
		.kinds = POLB_KIND_POD, .requirements = &requirements[0], .n_requirements = 1};
	const struct polb_selector to = {
		.kinds = POLB_KIND_POD, .requirements = &requirements[1], .n_requirements = 1};
	const struct polc_port_range https = {6, 443, 443};
	struct polc_path_question question = {.from = {&from, 1},
		.to = {&to, 1},
		.except = &https,
		.n_except = 1,
		.verdict = POLB_VERDICT_ALLOW};
	struct world w;

	(void)state;
	open_world(&w,
		"---\nkind: CiliumNetworkPolicy\napiVersion: cilium.io/v2\n"
		"metadata: {name: p, namespace: shop}\nspec:\n  endpointSelector: {}\n  ingress:\n"
		"  - {fromEndpoints: [{matchLabels: {io.kubernetes.pod.namespace: dev}}],\n"
		"     toPorts: [{ports: [{port: \"443\", protocol: TCP}]}]}\n",
		NULL);
	assert_int_equal(polc_reach_path(w.reach, 0, &question, &w.witness), POLC_NO);
	question.n_except = 0;
	assert_int_equal(polc_reach_path(w.reach, 0, &question, &w.witness), POLC_YES);
	assert_int_equal(w.witness.direction, POLC_EGRESS);
	assert_string_equal(w.witness.port_text, "tcp/443");
	assert_string_equal(w.witness.subject.text, "pod of namespace dev");
	assert_string_equal(w.witness.peer.text, "pod of namespace shop");
	/* and the other way everything goes */
	question.from.selectors = &to;
	question.to.selectors = &from;
	question.verdict = POLB_VERDICT_DENY;
	assert_int_equal(polc_reach_path(w.reach, 0, &question, NULL), POLC_NO);
	close_world(&w, false);
}

/* An end that is no endpoint does not decide: the witness is the other's. */
static void path_from_outside(void **state)
{
	const struct polb_selector world = {.kinds = POLB_KIND_WORLD},
				   pods = {.kinds = POLB_KIND_POD};
	struct polc_path_question question = {
		.from = {&world, 1}, .to = {&pods, 1}, .verdict = POLB_VERDICT_DENY};
	struct world w;

	(void)state;
	open_world(&w, SHOP("p") "  ingress:\n  - {fromCIDR: [198.51.100.0/24]}\n", NULL);
	assert_int_equal(polc_reach_path(w.reach, 0, &question, &w.witness), POLC_YES);
	assert_int_equal(w.witness.direction, POLC_INGRESS);
	assert_string_equal(w.witness.subject.text, "pod of namespace shop with app=api");
	assert_string_equal(w.witness.peer.text, "203.0.113.1 (world)");
	close_world(&w, false);
}

/* Nobody talks to another at the address of its own. */
static void path_to_itself(void **state)
{
	struct polb_selector at = {.kinds = POLB_KIND_ANY, .has_prefix = true};
	struct polc_path_question question = {
		.from = {&at, 1}, .to = {&at, 1}, .verdict = POLB_VERDICT_ALLOW};
	struct world w;

	(void)state;
	open_world(&w, SHOP("p") "  ingress:\n  - {fromCIDR: [198.51.100.0/24]}\n", NULL);
	assert_int_equal(polb_prefix_parse("10.1.2.2/31", false, &at.prefix), 0);
	assert_int_equal(polc_reach_path(w.reach, 0, &question, &w.witness), POLC_YES);
	assert_int_equal(polb_prefix_parse("10.1.2.3/32", false, &at.prefix), 0);
	assert_int_equal(polc_reach_path(w.reach, 0, &question, &w.witness), POLC_NO);
	assert_int_equal(polc_reach_path(w.reach, 0, &question, NULL), POLC_NO);
	close_world(&w, false);
}

/* --- changes -------------------------------------------------------------------------------- */

static void names_and_order_are_nothing(void **state)
{
	struct polc_changes changes;
	struct world w;

	(void)state;
	open_world(&w, SHOP("p") "  ingress:\n" FROM("web", "80") FROM("db", "81"),
		SHOP("a") "  ingress:\n" FROM("db", "81")
			SHOP("z") "  ingress:\n" FROM("web", "80"));
	polc_reach_changes(w.reach, &changes);
	assert_int_equal(changes.regions.n, 0);
	assert_int_equal(changes.unknown.n, 0);
	close_world(&w, true);
}

static void a_port_moves(void **state)
{
	struct polc_changes changes;
	struct world w;

	(void)state;
	open_world(&w, SHOP("p") "  ingress:\n" FROM("web", "80"),
		SHOP("p") "  ingress:\n" FROM("web", "81"));
	polc_reach_changes(w.reach, &changes);
	assert_int_equal(changes.regions.n, 2);
	const struct polc_changed_region *opened = &changes.regions.items[0], *shut = opened + 1;
	assert_int_equal(opened->verdict[1], POLB_VERDICT_ALLOW);
	assert_int_equal(opened->decider[0].rule, POLB_RULE_DEFAULT_DENY);
	assert_int_equal(opened->decider[0].policy, 0);
	assert_int_equal(opened->decider[1].rule, POLB_RULE_FIRST);
	assert_int_equal(opened->cause_network, 1);
	assert_string_equal(
		opened->text, "ingress of app=api in shop from app=web in shop, tcp/81");
	assert_string_equal(opened->witness.port_text, "tcp/81");
	assert_int_equal(shut->verdict[1], POLB_VERDICT_DENY);
	assert_int_equal(shut->cause_network, 0);
	assert_string_equal(shut->witness.port_text, "tcp/80");
	close_world(&w, true);
}

/* Isolation comes with the first policy: what was allowed by default is no more. */
static void isolation_begins(void **state)
{
	struct polc_changes changes;
	struct world w;

	(void)state;
	open_world(&w, "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
		SHOP("p") "  ingress:\n" FROM("web", "80"));
	polc_reach_changes(w.reach, &changes);
	assert_int_equal(changes.regions.n, 1);
	assert_int_equal(changes.regions.items[0].decider[0].rule, POLB_RULE_NONE);
	assert_int_equal(changes.regions.items[0].decider[1].rule, POLB_RULE_DEFAULT_DENY);
	assert_int_equal(changes.regions.items[0].cause.policy, 0);
	assert_string_equal(changes.regions.items[0].text, "ingress of app=api in shop");
	close_world(&w, true);
}

#define ADMIN(name, priority, action)                                                              \
	"---\nkind: AdminNetworkPolicy\napiVersion: policy.networking.k8s.io/v1alpha1\n"           \
	"metadata: {name: " name "}\nspec:\n  priority: " priority                                 \
	"\n  subject: {namespaces: {}}\n  ingress:\n"                                              \
	"  - {name: r, action: " action ", from: [{namespaces: {}}]}\n"

/* The same rules in another order: the one that went up is to blame, and every rule is common. */
static void an_order_changes(void **state)
{
	struct polc_changes changes;
	struct world w;

	(void)state;
	open_world(&w, ADMIN("a", "1", "Allow") ADMIN("b", "2", "Deny"),
		ADMIN("a", "3", "Allow") ADMIN("b", "2", "Deny"));
	polc_reach_changes(w.reach, &changes);
	assert_int_equal(changes.regions.n, 1);
	assert_int_equal(changes.regions.items[0].verdict[1], POLB_VERDICT_DENY);
	close_world(&w, true);
}

/* --- witnesses ------------------------------------------------------------------------------ */

static void witnesses_of_the_inventory(void **state)
{
	struct world w;

	(void)state;
	open_world(&w,
		SHOP("p") "  ingress:\n" FROM("web",
			"http") "  - {fromEntities: [host]}\n"
				"---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
				"---\napiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: "
				"{addresses: "
				"[{type: InternalIP, address: 192.168.1.1}]}\n"
				"---\napiVersion: v1\nkind: Pod\nmetadata: {name: api-0, "
				"namespace: shop, "
				"labels: {app: api}}\n"
				"spec: {nodeName: n1, containers: [{name: c, ports: [{name: "
				"http, containerPort: 80}]}]}\nstatus: {podIP: 10.1.0.1}\n"
				"---\napiVersion: v1\nkind: Pod\nmetadata: {name: web-0, "
				"namespace: shop, "
				"labels: {app: web}}\n"
				"spec: {nodeName: n1}\nstatus: {podIP: 10.1.0.2}\n",
		NULL);
	assert_int_equal(polc_reach_rule_decides(w.reach, 0, 0, &w.witness), POLC_YES);
	assert_string_equal(w.witness.subject.text, "shop/api-0");
	assert_string_equal(w.witness.peer.text, "shop/web-0");
	assert_false(w.witness.peer.invented);
	assert_int_equal(polc_reach_rule_decides(w.reach, 0, 1, &w.witness), POLC_YES);
	assert_string_equal(w.witness.peer.text, "node n1");
	assert_string_equal(w.witness.subject.node, "n1");
	close_world(&w, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shadowed_by_a_denial),
		cmocka_unit_test(redundant_by_two),
		cmocka_unit_test(assertion),
		cmocka_unit_test(path_from_outside),
		cmocka_unit_test(path_to_itself),
		cmocka_unit_test(names_and_order_are_nothing),
		cmocka_unit_test(a_port_moves),
		cmocka_unit_test(isolation_begins),
		cmocka_unit_test(an_order_changes),
		cmocka_unit_test(witnesses_of_the_inventory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
