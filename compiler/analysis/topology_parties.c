/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who can be one end of a connection: endpoints, nodes, the API server, addresses asked for. Those
 * that every rule of every set treats alike get one class.
 */
#include <stdlib.h>

#include "topology_internal.h"

struct polc_topology_party *polc_topology_add_party(
	struct polc_topology_builder *b, const char *namespace, const char *name)
{
	struct polc_topology_party *party = polc_vec_push(b->arena, &b->parties);

	*party = (struct polc_topology_party){
		.namespace = namespace, .name = name, .parent = POLC_NO_PARENT};
	for (size_t set = 0; set < 2; set++)
		party->faces[set].subject = POLC_NO_SUBJECT;
	return party;
}

/* A view that differs from one already there by its family only joins it. */
static bool join_view(struct polc_topology_world *w, struct polc_topology_face *face, uint32_t view,
	struct polc_topology_builder *b)
{
	const struct polc_topology_view *fresh = &w->views.items[view];

	for (unsigned i = 0; i < face->n_views; i++) {
		const struct polc_topology_view *old = &w->views.items[face->views[i]];

		if (face->views[i] == view)
			return true;
		if (old->host != fresh->host || old->n_ports || fresh->n_ports ||
			memcmp(old->rules, fresh->rules, w->rule_words * sizeof(uint64_t)))
			continue;
		struct polc_topology_view both = *old;
		struct polc_buf key = {.arena = b->arena};

		both.families |= fresh->families;
		polc_buf_add(&key, (const char *)both.rules, w->rule_words * sizeof(uint64_t));
		polc_buf_printf(&key, "%u%d ", both.families, both.host);
		face->views[i] = polc_intern(&w->view_table, key.p, key.n);
		if (face->views[i] == w->views.n)
			*polc_vec_push(b->arena, &w->views) = both;
		return true;
	}
	return false;
}

void polc_topology_add_view(struct polc_topology_builder *b, struct polc_topology_party *party,
	size_t set, const struct polb_addr *addr, const char *node)
{
	struct polc_topology_face *face = &party->faces[set];
	uint32_t view = polc_topology_view_of(b, set, addr, node);

	face->present = true;
	if (!join_view(&b->worlds[set], face, view, b) && face->n_views < POLC_MAX_VIEWS)
		face->views[face->n_views++] = view;
	if (b->options->focus_addr.family && !party->pod &&
		!polb_addr_compare(addr, &b->options->focus_addr))
		party->focus = true;
}

/* ---- workloads ---- */

static const char *label(const struct polc_pod *pod, const char *key)
{
	for (size_t i = 0; i < pod->labels.n; i++)
		if (!strcmp(pod->labels.items[i].key, key) && *pod->labels.items[i].value)
			return pod->labels.items[i].value;
	return NULL;
}

/* The name without "-SUFFIX"; the name itself when it does not end so. */
static const char *without_suffix(struct polc_arena *arena, const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	if (n > m + 1 && name[n - m - 1] == '-' && !strcmp(name + n - m, suffix))
		return polc_arena_strndup(arena, name, n - m - 1);
	return name;
}

static const char *without_last_word(struct polc_arena *arena, const char *name)
{
	const char *dash = strrchr(name, '-');

	return dash && dash != name ? polc_arena_strndup(arena, name, (size_t)(dash - name)) : name;
}

static const char *without_ordinal(struct polc_arena *arena, const char *name)
{
	const char *dash = strrchr(name, '-');

	if (dash && dash != name && dash[1] && strspn(dash + 1, "0123456789") == strlen(dash + 1))
		return polc_arena_strndup(arena, name, (size_t)(dash - name));
	return name;
}

/*
 * The inventory has no owners: controllers leave their marks in labels and names. Deployments:
 * NAME-HASH-RANDOM and pod-template-hash; stateful sets: NAME-ORDINAL; daemon sets: NAME-RANDOM and
 * controller-revision-hash. Else the label that says what the program is, else the pod's name.
 */
const char *polc_topology_workload(struct polc_arena *arena, const struct polc_pod *pod)
{
	static const char *const keys[] = {"app.kubernetes.io/name", "app", "k8s-app", "run"};
	const char *hash = label(pod, "pod-template-hash");

	if (hash) {
		const char *set = without_last_word(arena, pod->name);
		const char *name = without_suffix(arena, set, hash);

		if (name != set)
			return name;
	}
	if (label(pod, "statefulset.kubernetes.io/pod-name"))
		return without_ordinal(arena, pod->name);
	if (label(pod, "controller-revision-hash"))
		return without_last_word(arena, pod->name);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(keys); i++)
		if (label(pod, keys[i]))
			return label(pod, keys[i]);
	return without_ordinal(arena, pod->name);
}

/* ---- endpoints ---- */

/* A pod of the host's network is at its node's addresses, for its own node and for others. */
static void add_host_network_views(struct polc_topology_builder *b,
	struct polc_topology_party *party, size_t set, const struct polb_addr *addr)
{
	polc_topology_add_view(b, party, set, addr, party->pod->node);
	polc_topology_add_view(b, party, set, addr, NULL);
}

static void add_pod_views(
	struct polc_topology_builder *b, struct polc_topology_party *party, size_t set)
{
	const struct polc_pod *pod = party->pod;
	const struct polb_addr *addrs = pod->addrs.items;
	size_t n = pod->addrs.n;
	bool seen[2] = {false, false};
	const struct polc_node *node =
		pod->host_network && !n && pod->node
			? polc_inventory_node(b->worlds[set].set->inventory, pod->node)
			: NULL;

	if (node) {
		addrs = node->addrs.items;
		n = node->addrs.n;
	}
	for (size_t i = 0; i < n; i++) { /* the first of each family, as in polc matrix */
		bool *family = &seen[addrs[i].family == 6];

		if (*family)
			continue;
		*family = true;
		b->families |= addrs[i].family == 4 ? 1 : 2;
		if (pod->host_network)
			add_host_network_views(b, party, set, &addrs[i]);
		else
			polc_topology_add_view(b, party, set, &addrs[i], pod->node);
	}
}

static int compare_pods(const struct polc_pod *a, const struct polc_pod *b)
{
	int order = strcmp(a->namespace, b->namespace);

	return order ? order : strcmp(a->name, b->name);
}

/* Endpoints are sorted in each set: those of the same name become one party. */
static void add_endpoints(struct polc_topology_builder *b)
{
	size_t at[2] = {0, 0};

	for (;;) {
		const struct polc_endpoint *next[2] = {NULL, NULL};
		const struct polc_pod *pod = NULL;

		for (size_t s = 0; s < b->n_sets; s++)
			if (at[s] < b->worlds[s].set->identities->endpoints.n)
				next[s] = &b->worlds[s].set->identities->endpoints.items[at[s]];
		for (size_t s = 0; s < b->n_sets; s++)
			if (next[s] && (!pod || compare_pods(next[s]->pod, pod) <= 0))
				pod = next[s]->pod;
		if (!pod)
			return;
		struct polc_topology_party *party =
			polc_topology_add_party(b, pod->namespace, pod->name);

		party->workload = polc_topology_workload(b->arena, pod);
		for (size_t s = 0; s < b->n_sets; s++) {
			if (!next[s] || compare_pods(next[s]->pod, pod))
				continue;
			at[s]++;
			party->pod = next[s]->pod;
			party->focus |= next[s]->pod == b->options->focus_pod;
			party->faces[s].present = true;
			party->faces[s].subject = polc_topology_subject_of(b, s, next[s]);
			add_pod_views(b, party, s);
		}
	}
}

/* ---- what is around them ---- */

static struct polc_topology_party *find_outside(struct polc_topology_builder *b, const char *name)
{
	for (size_t i = 0; i < b->parties.n; i++)
		if (!b->parties.items[i].namespace && !strcmp(b->parties.items[i].name, name))
			return &b->parties.items[i];
	return NULL;
}

static struct polc_topology_party *outside(struct polc_topology_builder *b, const char *name)
{
	struct polc_topology_party *party = find_outside(b, name);

	return party ? party : polc_topology_add_party(b, NULL, name);
}

static void add_addresses(struct polc_topology_builder *b, const char *name, size_t set,
	const struct polb_addr *addrs, size_t n, const char *node)
{
	for (size_t i = 0; i < n; i++)
		polc_topology_add_view(b, outside(b, name), set, &addrs[i], node);
}

/* Each node twice: as its own endpoints see it, and as those of other nodes do. */
static void add_nodes(struct polc_topology_builder *b, size_t set)
{
	const struct polc_inventory *inventory = b->worlds[set].set->inventory;

	for (size_t i = 0; i < inventory->nodes.n; i++) {
		const struct polc_node *node = &inventory->nodes.items[i];
		const char *own = polc_arena_printf(b->arena, "host %s", node->name);
		const char *remote = polc_arena_printf(b->arena, "remote-node %s", node->name);

		add_addresses(b, own, set, node->addrs.items, node->addrs.n, node->name);
		add_addresses(b, remote, set, node->addrs.items, node->addrs.n, NULL);
		add_addresses(
			b, "health", set, node->health_addrs.items, node->health_addrs.n, NULL);
		add_addresses(
			b, "ingress", set, node->ingress_addrs.items, node->ingress_addrs.n, NULL);
	}
}

static bool is_pod_address(const struct polc_topology_set *set, const struct polb_addr *addr)
{
	struct polb_identity_view view;

	polc_identity_view(set->identities, addr, NULL, &view, NULL);
	return view.kinds & POLB_KIND_POD;
}

static void add_apiservers(struct polc_topology_builder *b, size_t set)
{
	const struct polc_topology_set *s = b->worlds[set].set;

	for (size_t i = 0; i < s->inventory->apiserver_addrs.n; i++)
		if (!is_pod_address(s, &s->inventory->apiserver_addrs.items[i]))
			add_addresses(b, "kube-apiserver", set,
				&s->inventory->apiserver_addrs.items[i], 1, NULL);
}

static void add_external(struct polc_topology_builder *b, const struct polb_addr *addr)
{
	char text[POLB_ADDR_TEXT];

	polb_addr_format(addr, text);
	struct polc_topology_party *party = outside(b, polc_arena_printf(b->arena, "%s", text));

	party->external = true;
	for (size_t set = 0; set < b->n_sets; set++)
		polc_topology_add_view(b, party, set, addr, NULL);
}

/* ---- classes ---- */

static void find_classes(struct polc_topology_builder *b)
{
	struct polc_intern table = {.arena = b->arena};

	for (size_t i = 0; i < b->parties.n; i++) {
		struct polc_topology_party *party = &b->parties.items[i];
		struct polc_buf key = {.arena = b->arena};

		polc_buf_printf(&key, "%d%d", party->pod != NULL, party->external);
		for (size_t set = 0; set < b->n_sets; set++) {
			const struct polc_topology_face *face = &party->faces[set];

			polc_buf_printf(&key, "/%d:%u", face->present, face->subject);
			for (unsigned j = 0; j < face->n_views; j++)
				polc_buf_printf(&key, ",%u", face->views[j]);
		}
		party->class_id = polc_intern(&table, key.p, key.n);
	}
	b->n_classes = (uint32_t)table.list.n;
}

void polc_topology_find_parties(struct polc_topology_builder *b)
{
	add_endpoints(b);
	for (size_t set = 0; set < b->n_sets; set++) {
		add_nodes(b, set);
		add_apiservers(b, set);
	}
	polc_topology_add_regions(b);
	for (size_t i = 0; i < b->options->n_externals; i++)
		add_external(b, &b->options->externals[i]);
	find_classes(b);
}
