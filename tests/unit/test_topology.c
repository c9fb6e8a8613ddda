/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The topology's decisions for all ports at once against the evaluator's for one, in a small world
 * with all tiers, both families, named ports and nested prefixes; port texts; the merge of two
 * sets.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "compiler/analysis/evaluate.h"
#include "compiler/analysis/topology_internal.h"

static const char inventory[] =
	"kind: List\napiVersion: v1\nitems:\n"
	"- {apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {team: red}}}\n"
	"- {apiVersion: v1, kind: Namespace, metadata: {name: b, labels: {team: blue}}}\n"
	"- {apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: "
	"[{type: InternalIP, address: 192.0.2.1}]}}\n"
	"- {apiVersion: v1, kind: Node, metadata: {name: n2}, status: {addresses: "
	"[{type: InternalIP, address: 192.0.2.2}]}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: p-0, namespace: a, labels: {app: p}}, "
	"spec: "
	"{nodeName: n1, containers: [{name: c, ports: [{name: http, containerPort: 81}]}]}, "
	"status: "
	"{podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: p-1, namespace: a, labels: {app: p}}, "
	"spec: "
	"{nodeName: n2, containers: [{name: c, ports: [{name: http, containerPort: 81}]}]}, "
	"status: "
	"{podIPs: [{ip: 10.0.0.2}, {ip: 'fd00::2'}]}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: q, namespace: b, labels: {app: q}}, spec: "
	"{nodeName: n1, containers: [{name: c, ports: [{name: http, containerPort: 82}]}]}, "
	"status: "
	"{podIPs: [{ip: 10.9.0.3}]}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: r, namespace: b, labels: {app: r}}, spec: "
	"{nodeName: n1}, status: {podIPs: [{ip: 'fd00::4'}]}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: s, namespace: b, labels: {app: s}}, spec: "
	"{nodeName: n2}, status: {podIPs: [{ip: 10.9.0.5}, {ip: 'fd00::5'}]}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: z, namespace: a, labels: {app: z}}, spec: "
	"{nodeName: n2}, status: {podIPs: [{ip: 10.0.0.6}]}}\n";

static const char *const policies[] = {
	/* nested prefixes, excepts, denials; both families */
	"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c, namespace: a}\n"
	"spec:\n  endpointSelector: {}\n  egress:\n"
	"  - toCIDRSet: [{cidr: 203.0.0.0/8, except: [203.0.113.0/24]}, {cidr: 203.0.113.9/32}]\n"
	"    toPorts: [{ports: [{port: '80', endPort: 90}]}]\n"
	"  - toCIDR: ['2001:db8::/32', '0.0.0.0/0']\n"
	"    toPorts: [{ports: [{port: '443', protocol: TCP}]}]\n"
	"  - toEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': b}}]\n"
	"  egressDeny:\n  - toCIDR: [203.0.113.0/28]\n"
	"  ingress:\n  - fromEntities: [world, remote-node]\n"
	"  - icmps: [{fields: [{type: 8}, {type: 128, family: IPv6}]}]\n",
	/* named ports on both sides */
	"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: d}\n"
	"spec:\n  endpointSelector: {matchLabels: {app: q}}\n  ingress:\n"
	"  - toPorts: [{ports: [{port: http}]}]\n"
	"  egress:\n  - toEndpoints: [{}]\n    toPorts: [{ports: [{port: http, protocol: TCP}]}]\n",
	/* ordered tiers around it */
	"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	"{name: t}\nspec:\n  tier: Admin\n  priority: 1\n  subject: {namespaces: {}}\n  ingress:\n"
	"  - {action: Pass, from: [{namespaces: {matchLabels: {team: blue}}}], protocols: [{tcp: "
	"{destinationPort: {number: 81}}}]}\n"
	"  - {action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {range: "
	"{start: 80, end: 85}}}}]}\n"
	"  - {action: Accept, from: [{namespaces: {matchLabels: {team: blue}}}]}\n",
	"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: "
	"BaselineAdminNetworkPolicy\nmetadata: "
	"{name: default}\nspec:\n  subject: {namespaces: {}}\n  egress:\n"
	"  - {action: Allow, to: [{networks: [203.0.113.0/30]}]}\n"
	"  - {action: Deny, to: [{networks: [203.0.0.0/8]}, {nodes: {}}]}\n",
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: k, namespace: b}\n"
	"spec: {podSelector: {matchLabels: {app: r}}, ingress: [{from: [{namespaceSelector: {}}, "
	"{ipBlock: {cidr: '::/0'}}], ports: [{port: 53, protocol: UDP}, {port: 53}]}]}\n",
};

/* Both ends of borders, inside and outside of what policies name. */
static const char *const outside[] = {"203.0.113.1", "203.0.113.9", "203.0.113.200", "203.1.0.1",
	"8.8.8.8", "2001:db8::7", "2a00::1"};

struct world {
	struct polc polc;
	struct polc_input input;
	struct polc_topology_set set;
	struct polb_addr externals[POLC_ARRAY_SIZE(outside)];
	struct polc_topology_options options;
};

static void add_documents(struct world *w, const char *text, bool inventory_only)
{
	polc_yaml_documents documents = {0};
	struct polc *polc = &w->polc;

	polc_yaml_parse(polc,
		polc_source_add(&polc->arena, &polc->sources, "test.yaml", text, strlen(text)),
		&documents);
	for (size_t i = 0; i < documents.n; i++) {
		const struct polc_yaml *kind = polc_yaml_get(documents.items[i], "kind");

		if (inventory_only) {
			const struct polc_yaml *items = polc_yaml_get(documents.items[i], "items");

			for (size_t j = 0; j < items->n_items; j++)
				polc_inventory_add(polc, &w->input.inventory, items->items[j]);
		} else if (!strncmp(kind->value, "Cilium", 6)) {
			polc_parse_cilium(polc, &w->input.ast, documents.items[i],
				strstr(kind->value, "Clusterwide") ? POLC_KIND_CILIUM_CLUSTERWIDE
								   : POLC_KIND_CILIUM);
		} else if (!strcmp(kind->value, "NetworkPolicy")) {
			polc_parse_network_policy(polc, &w->input.ast, documents.items[i]);
		} else {
			polc_parse_policy_api(polc, &w->input.ast, documents.items[i],
				!strncmp(kind->value, "Cluster", 7) ? POLC_KIND_CLUSTER
								    : POLC_KIND_BASELINE_ADMIN);
		}
	}
}

static void build_world(struct world *w, unsigned mask, enum polc_posture posture)
{
	const struct polc_lower_options lower = {.posture = posture};

	memset(w, 0, sizeof(*w));
	polc_init(&w->polc);
	add_documents(w, inventory, true);
	for (unsigned i = 0; i < POLC_ARRAY_SIZE(policies); i++)
		if (mask & 1u << i)
			add_documents(w, policies[i], false);
	polc_read_finish(&w->polc, &w->input);
	w->set.network = polc_lower_network(&w->polc, &w->input, &lower);
	w->set.identities = polc_identities_build(&w->polc, &w->input.inventory, NULL);
	w->set.inventory = &w->input.inventory;
	if (w->polc.n_errors)
		polc_diagnostics_print_text(&w->polc, stderr, false);
	assert_int_equal(w->polc.n_errors, 0);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(outside); i++)
		assert_int_equal(polb_addr_parse(outside[i], &w->externals[i]), 0);
	w->options.externals = w->externals;
	w->options.n_externals = POLC_ARRAY_SIZE(outside);
	w->options.denied = true;
}

/* ---- what the evaluator says ---- */

struct side {
	const struct polc_endpoint *endpoint;
	struct polb_addr addrs[2];
	size_t n_addrs;
	const char *node; /* of a node */
	bool is_remote;
};

static const struct polc_endpoint *endpoint_of(const struct world *w, const struct polc_pod *pod)
{
	for (size_t i = 0; i < w->set.identities->endpoints.n; i++)
		if (w->set.identities->endpoints.items[i].pod == pod)
			return &w->set.identities->endpoints.items[i];
	return NULL;
}

/* "host n1" and "remote-node n1": the node as its own endpoints and as those of others see it. */
static bool side_of_node(const struct world *w, const char *name, struct side *out)
{
	for (size_t i = 0; i < w->input.inventory.nodes.n; i++) {
		const struct polc_node *node = &w->input.inventory.nodes.items[i];

		if (strcmp(strchr(name, ' ') + 1, node->name) != 0)
			continue;
		out->addrs[0] = node->addrs.items[0];
		out->node = node->name;
		out->is_remote = !strncmp(name, "remote", 6);
		return true;
	}
	return false;
}

static bool side_of(
	const struct world *w, const struct polc_topology_party *party, struct side *out)
{
	*out = (struct side){0};
	if (party->pod) {
		out->endpoint = endpoint_of(w, party->pod);
		out->n_addrs = party->pod->addrs.n;
		memcpy(out->addrs, party->pod->addrs.items, out->n_addrs * sizeof(out->addrs[0]));
		return true;
	}
	out->n_addrs = 1;
	if (strchr(party->name, ' ') && !strchr(party->name, '('))
		return side_of_node(w, party->name, out);
	return party->external && !polb_addr_parse(party->name, &out->addrs[0]);
}

/* A node's two faces are for endpoints on it and on others. */
static bool can_meet(const struct side *a, const struct side *b)
{
	const struct side *node = a->node ? a : b, *pod = a->node ? b : a;

	if (!a->endpoint && !b->endpoint)
		return false;
	return !node->node ||
	       node->is_remote == (strcmp(node->node, pod->endpoint->pod->node) != 0);
}

static struct polc_decision ask(struct world *w, struct polc_arena *scratch,
	const struct side *self, enum polc_direction direction, const struct polb_addr *peer,
	uint8_t protocol, uint16_t port)
{
	struct polc_decision decision = {.verdict = POLB_VERDICT_ALLOW};
	const struct polc_question question = {self->endpoint, direction, *peer, protocol, port};

	if (self->endpoint)
		polc_evaluate(scratch, w->set.network, w->set.identities, &question, &decision);
	return decision;
}

struct expected {
	bool allowed, by_default, denied, one_sided;
};

static void join(
	struct expected *e, const struct polc_decision *egress, const struct polc_decision *ingress)
{
	bool out = egress->verdict == POLB_VERDICT_ALLOW,
	     in = ingress->verdict == POLB_VERDICT_ALLOW;
	bool out_rule = egress->rule >= POLB_RULE_FIRST, in_rule = ingress->rule >= POLB_RULE_FIRST;

	if (out && in && (out_rule || in_rule))
		e->allowed = true;
	else if (out && in)
		e->by_default = true;
	if ((!out && out_rule) || (!in && in_rule))
		e->denied = true;
	if ((out && out_rule && !in && !in_rule) || (in && in_rule && !out && !out_rule))
		e->one_sided = true;
}

static struct expected expect(struct world *w, struct polc_arena *scratch, const struct side *from,
	const struct side *to, uint8_t protocol, uint16_t port)
{
	struct expected e = {0};

	for (size_t i = 0; i < from->n_addrs; i++) {
		for (size_t j = 0; j < to->n_addrs; j++) {
			uint8_t family = from->addrs[i].family;

			if (family != to->addrs[j].family ||
				(protocol == IPPROTO_ICMP && family != 4) ||
				(protocol == IPPROTO_ICMPV6 && family != 6))
				continue;
			struct polc_decision egress =
				ask(w, scratch, from, POLC_EGRESS, &to->addrs[j], protocol, port);
			struct polc_decision ingress =
				ask(w, scratch, to, POLC_INGRESS, &from->addrs[i], protocol, port);

			join(&e, &egress, &ingress);
		}
	}
	return e;
}

static const struct polc_topology_pair *find_pair(
	const polc_topology_pairs *pairs, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (pairs->items[i].from == from && pairs->items[i].to == to)
			return &pairs->items[i];
	return NULL;
}

static bool has(const struct polc_topology_pair *pair, enum polc_topology_style style, size_t class)
{
	return pair && pair->ports[0][style] && polc_bits_has(pair->ports[0][style], class);
}

static unsigned n_asked, n_allowed, n_denied, n_one_sided;

static void compare_port(struct world *w, const struct polc_topology_pair *pair,
	const struct side *from, const struct side *to, size_t class, uint8_t protocol,
	uint16_t port)
{
	struct polc_arena scratch = {0};
	struct expected e = expect(w, &scratch, from, to, protocol, port);

	assert_int_equal(has(pair, POLC_TOPOLOGY_ALLOW, class), e.allowed);
	assert_int_equal(has(pair, POLC_TOPOLOGY_DEFAULT, class), e.by_default && !e.allowed);
	assert_int_equal(
		has(pair, POLC_TOPOLOGY_DENY, class), e.denied && !e.allowed && !e.by_default);
	assert_int_equal(has(pair, POLC_TOPOLOGY_ONE_SIDED, class),
		e.one_sided && !e.allowed && !e.by_default && !e.denied);
	n_asked++;
	n_allowed += e.allowed;
	n_denied += e.denied;
	n_one_sided += e.one_sided;
	polc_arena_free(&scratch);
}

static void compare_pair(struct world *w, const struct polc_topology_builder *b,
	const polc_topology_pairs *pairs, const struct polc_topology_party *a,
	const struct polc_topology_party *z)
{
	struct side from, to;
	const struct polc_topology_pair *pair = find_pair(pairs, a->class_id, z->class_id);

	if (!side_of(w, a, &from) || !side_of(w, z, &to) || !can_meet(&from, &to))
		return;
	for (size_t c = 0; c < b->space.classes.n; c++) {
		const struct polc_port_class *class = &b->space.classes.items[c];
		uint8_t protocol = class->others ? 253 : class->protocol;

		compare_port(w, pair, &from, &to, c, protocol, class->lo);
		compare_port(w, pair, &from, &to, c, protocol, class->hi);
	}
}

static void agrees_with_evaluator(void **state)
{
	(void)state;
	for (unsigned mask = 0; mask < 1u << POLC_ARRAY_SIZE(policies); mask++) {
		struct world w;
		struct polc_topology_builder b;
		polc_topology_pairs pairs = {0};

		build_world(&w, mask, (enum polc_posture)(mask % 3));
		assert_true(polc_topology_prepare(&b, &w.polc.arena, &w.set, 1, &w.options));
		polc_topology_find_pairs(&b, &pairs);
		for (size_t i = 0; i < b.parties.n; i++)
			for (size_t j = 0; j < b.parties.n; j++)
				if (i != j)
					compare_pair(&w, &b, &pairs, &b.parties.items[i],
						&b.parties.items[j]);
		polc_free(&w.polc);
	}
	assert_true(n_asked > 10000);
	assert_true(n_allowed > 1000 && n_denied > 500 && n_one_sided > 500);
}

/* ---- bundles ---- */

/* Connections between endpoints as lines of text, to be sorted. */
struct lines {
	struct polc_arena *arena;
	POLC_VEC(const char *) list;
};

static void add_line(
	struct lines *lines, const char *from, const char *to, int style, const char *ports)
{
	if (strcmp(from, to) != 0)
		*polc_vec_push(lines->arena, &lines->list) =
			polc_arena_printf(lines->arena, "%s %s %d %s", from, to, style, ports);
}

static bool is_of(const struct polc_topology *t, struct polc_topology_end end, uint32_t node)
{
	return end.is_cluster ? t->nodes.items[node].cluster == end.index : node == end.index;
}

static const char *pod_name(const struct polc_topology *t, uint32_t i)
{
	return t->nodes.items[i].kind == POLC_TOPOLOGY_PODS ? t->nodes.items[i].members.items[0]
							    : NULL;
}

static bool is_hub(const struct polc_topology *t, struct polc_topology_end end)
{
	return !end.is_cluster && t->nodes.items[end.index].kind == POLC_TOPOLOGY_ANY_OPEN;
}

static void expand(const struct polc_topology *t, struct polc_topology_end from,
	struct polc_topology_end to, const struct polc_topology_edge *edge, struct lines *lines)
{
	for (uint32_t i = 0; i < t->nodes.n; i++)
		for (uint32_t j = 0; j < t->nodes.n; j++)
			if (is_of(t, from, i) && is_of(t, to, j) && pod_name(t, i) &&
				pod_name(t, j))
				add_line(lines, pod_name(t, i), pod_name(t, j), edge->style,
					edge->ports);
}

static unsigned n_hubs, n_bundles, n_both;

/* What the edges of the graph say, one by one. */
static void lines_of_graph(const struct polc_topology *t, struct lines *lines)
{
	for (size_t i = 0; i < t->edges.n; i++) {
		const struct polc_topology_edge *e = &t->edges.items[i];

		n_bundles += e->from.is_cluster || e->to.is_cluster;
		n_both += e->both;
		n_hubs += is_hub(t, e->to) || is_hub(t, e->from);
		expand(t, e->from, e->to, e, lines);
		if (e->both)
			expand(t, e->to, e->from, e, lines);
		for (size_t j = 0; j < t->edges.n; j++) {
			const struct polc_topology_edge *f = &t->edges.items[j];

			if (is_hub(t, e->to) && is_hub(t, f->from))
				expand(t, e->from, f->to, e, lines);
			else if (is_hub(t, e->to) && is_hub(t, f->to) && f->both)
				expand(t, e->from, f->from, e, lines);
		}
	}
}

static void lines_of_pairs(struct world *w, struct lines *lines)
{
	struct polc_topology_builder b;
	polc_topology_pairs pairs = {0};

	polc_topology_prepare(&b, &w->polc.arena, &w->set, 1, &w->options);
	polc_topology_find_pairs(&b, &pairs);
	for (size_t i = 0; i < b.parties.n * b.parties.n; i++) {
		const struct polc_topology_party *from = &b.parties.items[i / b.parties.n];
		const struct polc_topology_party *to = &b.parties.items[i % b.parties.n];
		const struct polc_topology_pair *pair =
			find_pair(&pairs, from->class_id, to->class_id);

		for (int style = 0; pair && style < POLC_TOPOLOGY_N_STYLES; style++)
			if (from->pod && to->pod && pair->ports[0][style])
				add_line(lines,
					polc_arena_printf(
						lines->arena, "%s/%s", from->namespace, from->name),
					polc_arena_printf(
						lines->arena, "%s/%s", to->namespace, to->name),
					style,
					polc_port_space_text(&b.space, pair->ports[0][style]));
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Bundles, hubs and double arrows say what the single edges say: no more, no less. */
static void bundles_say_the_same(void **state)
{
	(void)state;
	for (unsigned mask = 0; mask < 1u << POLC_ARRAY_SIZE(policies); mask++) {
		struct world w;

		build_world(&w, mask, POLC_POSTURE_ALLOW);
		struct lines drawn = {.arena = &w.polc.arena}, decided = {.arena = &w.polc.arena};

		w.options.group = POLC_TOPOLOGY_POD;
		lines_of_graph(polc_topology_build(&w.polc.arena, &w.set, 1, &w.options), &drawn);
		lines_of_pairs(&w, &decided);
		assert_int_equal(drawn.list.n, decided.list.n);
		assert_true(drawn.list.n > 0);
		qsort(drawn.list.items, drawn.list.n, sizeof(char *), compare_lines);
		qsort(decided.list.items, decided.list.n, sizeof(char *), compare_lines);
		for (size_t i = 0; i < drawn.list.n; i++)
			assert_string_equal(drawn.list.items[i], decided.list.items[i]);
		polc_free(&w.polc);
	}
	assert_true(n_hubs > 0 && n_bundles > 0 && n_both > 0);
}

/* ---- texts ---- */

static void add(
	struct polc_port_space *space, uint64_t *bits, uint8_t protocols, uint16_t lo, uint16_t hi)
{
	const struct polc_net_port port = {.kind = hi ? POLC_PORT_RANGE : POLC_PORT_ALL,
		.protocols = protocols,
		.lo = lo,
		.hi = hi};

	polc_port_space_cover(space, &port, NULL, 0, bits);
}

static void words_ports(void **state)
{
	struct world w;
	struct polc_topology_builder b;

	(void)state;
	build_world(&w, 31, POLC_POSTURE_ALLOW);
	assert_true(polc_topology_prepare(&b, &w.polc.arena, &w.set, 1, &w.options));
	uint64_t *bits = POLC_NEW_ARRAY(&w.polc.arena, b.space.words, uint64_t);

	assert_string_equal(polc_port_space_text(&b.space, bits), "none");
	add(&b.space, bits, POLC_PROTO_TCP | POLC_PROTO_UDP, 53, 53);
	assert_string_equal(polc_port_space_text(&b.space, bits), "tcp+udp/53");
	add(&b.space, bits, POLC_PROTO_TCP, 80, 90);
	assert_string_equal(polc_port_space_text(&b.space, bits), "tcp/53,80-90; udp/53");
	add(&b.space, bits, POLC_PROTO_ANY, 0, 0);
	assert_string_equal(polc_port_space_text(&b.space, bits), "tcp+udp+sctp");
	memcpy(bits, b.space.families[1], b.space.words * sizeof(*bits));
	assert_string_equal(polc_port_space_text(&b.space, bits), "all");
	bits[0] &= ~UINT64_C(1); /* tcp, up to the first border */
	assert_string_equal(polc_port_space_text(&b.space, bits), "all but tcp/0-52");
	polc_free(&w.polc);
}

/* ---- merges ---- */

static unsigned count_changes(const struct polc_topology *t, enum polc_topology_change change)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->edges.n; i++)
		n += t->edges.items[i].change == change;
	return n;
}

static void merges_two_sets(void **state)
{
	struct world old, new;

	(void)state;
	build_world(&old, 1, POLC_POSTURE_ALLOW);
	build_world(&new, 1 | 16, POLC_POSTURE_ALLOW);
	const struct polc_topology_set more[] = {old.set, new.set}, less[] = {new.set, old.set},
				       same[] = {old.set, old.set};
	const struct polc_topology *t = polc_topology_build(&new.polc.arena, more, 2, &old.options);
	unsigned lost = count_changes(t, POLC_TOPOLOGY_REMOVED),
		 narrower = count_changes(t, POLC_TOPOLOGY_CHANGED);

	/* r was open and is isolated but for port 53 */
	assert_true(lost + narrower > 0);
	assert_int_equal(count_changes(t, POLC_TOPOLOGY_ADDED), 0);
	for (size_t i = 0; i < t->edges.n; i++)
		if (t->edges.items[i].change == POLC_TOPOLOGY_CHANGED) {
			assert_null(t->edges.items[i].gained);
			assert_string_equal(t->edges.items[i].lost, "all but tcp+udp/53");
			assert_string_equal(t->edges.items[i].ports, "tcp+udp/53");
		}
	t = polc_topology_build(&new.polc.arena, less, 2, &old.options);
	assert_int_equal(count_changes(t, POLC_TOPOLOGY_ADDED), lost);
	assert_int_equal(count_changes(t, POLC_TOPOLOGY_CHANGED), narrower);
	t = polc_topology_build(&new.polc.arena, same, 2, &old.options);
	assert_int_equal(count_changes(t, POLC_TOPOLOGY_SAME), t->edges.n);
	polc_free(&old.polc);
	polc_free(&new.polc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_evaluator),
		cmocka_unit_test(bundles_say_the_same),
		cmocka_unit_test(words_ports),
		cmocka_unit_test(merges_two_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
