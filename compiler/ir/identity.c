/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who has which address: the inventory turned into identities with Cilium's label grammar
 * (reference 1.5, 1.7). Knows nothing of policies.
 */
#include <stdlib.h>
#include <string.h>

#include "labels.h"
#include "network.h"

enum {
	NUMBER_HOST = 1,
	NUMBER_WORLD = 2,
	NUMBER_HEALTH = 4,
	NUMBER_REMOTE_NODE = 6,
	NUMBER_KUBE_APISERVER = 7,
	NUMBER_INGRESS = 8,
	NUMBER_FIRST_CLUSTER = 256
};

struct builder {
	struct polc *polc;
	const struct polc_inventory *inventory;
	const char *cluster_name;
	struct polc_identities *out;
};

static int compare_strings(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_labels(const void *pa, const void *pb)
{
	const struct polb_label *a = pa, *b = pb;
	int c = strcmp(a->source, b->source);
	if (!c)
		c = strcmp(a->key, b->key);
	return c ? c : strcmp(a->value, b->value);
}

int polc_named_port_compare(const void *pa, const void *pb)
{
	const struct polb_named_port *a = pa, *b = pb;
	int c = strcmp(a->name, b->name);
	if (!c)
		c = (a->protocol > b->protocol) - (a->protocol < b->protocol);
	return c ? c : (a->port > b->port) - (a->port < b->port);
}

/*
 * Pod labels under the prefixes that Cilium derives itself must not be taken from the pod: a pod
 * could otherwise claim another namespace's labels for itself.
 */
static bool label_is_derived(const char *key)
{
	return !strcmp(key, POLC_LABEL_NAMESPACE) ||
	       !strncmp(key, POLC_LABEL_CILIUM_PREFIX, strlen(POLC_LABEL_CILIUM_PREFIX));
}

static void pod_labels(struct builder *b, const struct polc_pod *pod, struct polc_identity *id)
{
	const struct polc_namespace *ns = polc_inventory_namespace(b->inventory, pod->namespace);
	size_t n_max = pod->labels.n + (ns ? ns->labels.n : 0) + 3;
	struct polb_label *labels = POLC_NEW_ARRAY(&b->polc->arena, n_max, struct polb_label);
	size_t n = 0;

	for (size_t i = 0; i < pod->labels.n; i++)
		if (!label_is_derived(pod->labels.items[i].key))
			labels[n++] = pod->labels.items[i];
	labels[n++] = (struct polb_label){"k8s", POLC_LABEL_NAMESPACE, pod->namespace};
	labels[n++] = (struct polb_label){"k8s", POLC_LABEL_CLUSTER, b->cluster_name};
	if (pod->service_account)
		labels[n++] = (struct polb_label){
			"k8s", POLC_LABEL_SERVICE_ACCOUNT, pod->service_account};
	for (size_t i = 0; ns && i < ns->labels.n; i++)
		labels[n++] = (struct polb_label){"k8s",
			polc_arena_printf(&b->polc->arena, POLC_LABEL_NAMESPACE_LABELS "%s",
				ns->labels.items[i].key),
			ns->labels.items[i].value};
	qsort(labels, n, sizeof(*labels), compare_labels);
	id->labels = labels;
	id->n_labels = n;
}

static uint32_t add_pod_identity(struct builder *b, const struct polc_pod *pod)
{
	struct polc_identity *id = polc_vec_push(&b->polc->arena, &b->out->identities);

	*id = (struct polc_identity){.kinds = POLB_KIND_POD, .node = pod->node, .pod = pod};
	pod_labels(b, pod, id);
	if (pod->ports.n) {
		struct polb_named_port *ports =
			POLC_NEW_ARRAY(&b->polc->arena, pod->ports.n, struct polb_named_port);
		memcpy(ports, pod->ports.items, pod->ports.n * sizeof(*ports));
		qsort(ports, pod->ports.n, sizeof(*ports), polc_named_port_compare);
		id->ports = ports;
		id->n_ports = pod->ports.n;
	}
	return (uint32_t)(b->out->identities.n - 1);
}

static uint32_t add_plain_identity(struct builder *b, uint32_t kinds, uint32_t number,
	const char *node, const struct polb_label *labels, size_t n_labels)
{
	struct polc_identity *id = polc_vec_push(&b->polc->arena, &b->out->identities);

	*id = (struct polc_identity){.kinds = kinds,
		.number = number,
		.node = node,
		.labels = labels,
		.n_labels = n_labels};
	return (uint32_t)(b->out->identities.n - 1);
}

static void add_address(struct builder *b, const struct polb_addr *addr, uint32_t identity)
{
	*polc_vec_push(&b->polc->arena, &b->out->addresses) =
		(struct polc_address_entry){.addr = *addr, .identity = identity};
}

static bool pod_is_endpoint(const struct polc_pod *pod)
{
	return !pod->finished && (!pod->host_network || pod->cgroup || pod->interface);
}

/* Addresses are added most specific first; the first claim of an address wins (see unique()). */
static void add_nodes(struct builder *b)
{
	const struct polc_inventory *inv = b->inventory;

	for (size_t i = 0; i < inv->nodes.n; i++) {
		const struct polc_node *node = &inv->nodes.items[i];
		uint32_t id = add_plain_identity(b, POLB_KIND_NODE, NUMBER_REMOTE_NODE, node->name,
			node->labels.items, node->labels.n);
		for (size_t j = 0; j < node->addrs.n; j++)
			add_address(b, &node->addrs.items[j], id);
		id = add_plain_identity(b, POLB_KIND_HEALTH, NUMBER_HEALTH, NULL, NULL, 0);
		for (size_t j = 0; j < node->health_addrs.n; j++)
			add_address(b, &node->health_addrs.items[j], id);
		id = add_plain_identity(b, POLB_KIND_INGRESS, NUMBER_INGRESS, NULL, NULL, 0);
		for (size_t j = 0; j < node->ingress_addrs.n; j++)
			add_address(b, &node->ingress_addrs.items[j], id);
	}
}

/* The host as it reaches its own services: loopback, from every node's own point of view. */
static void add_loopback(struct builder *b)
{
	struct polb_addr addr;
	uint32_t id = add_plain_identity(b, POLB_KIND_HOST, NUMBER_HOST, NULL, NULL, 0);

	if (!polb_addr_parse("127.0.0.1", &addr))
		add_address(b, &addr, id);
	if (!polb_addr_parse("::1", &addr))
		add_address(b, &addr, id);
}

static void add_pods(struct builder *b)
{
	const struct polc_inventory *inv = b->inventory;

	for (size_t i = 0; i < inv->pods.n; i++) {
		const struct polc_pod *pod = &inv->pods.items[i];
		if (!pod_is_endpoint(pod))
			continue;
		uint32_t id = add_pod_identity(b, pod);
		*polc_vec_push(&b->polc->arena, &b->out->endpoints) =
			(struct polc_endpoint){.pod = pod, .identity = id};
		for (size_t j = 0; j < pod->addrs.n; j++)
			add_address(b, &pod->addrs.items[j], id);
	}
}

/* hostNetwork pods are their node, also when the inventory lacks the Node object. */
static void add_host_network_pods(struct builder *b)
{
	const struct polc_inventory *inv = b->inventory;

	for (size_t i = 0; i < inv->pods.n; i++) {
		const struct polc_pod *pod = &inv->pods.items[i];
		if (pod->finished || pod_is_endpoint(pod))
			continue;
		const struct polc_node *node =
			pod->node ? polc_inventory_node(inv, pod->node) : NULL;
		uint32_t id = add_plain_identity(b, POLB_KIND_NODE, NUMBER_REMOTE_NODE, pod->node,
			node ? node->labels.items : NULL, node ? node->labels.n : 0);
		for (size_t j = 0; j < pod->addrs.n; j++)
			add_address(b, &pod->addrs.items[j], id);
	}
}

struct claim {
	struct polc_address_entry entry;
	size_t order;
};

static int compare_claims(const void *pa, const void *pb)
{
	const struct claim *a = pa, *b = pb;
	int c = polb_addr_compare(&a->entry.addr, &b->entry.addr);
	return c ? c : (a->order > b->order) - (a->order < b->order);
}

/* Sorts the addresses and keeps the first claim of each: nodes, loopback, pods, host-network pods.
 */
static void unique(struct builder *b)
{
	size_t n = b->out->addresses.n, kept = 0;
	struct claim *claims = POLC_NEW_ARRAY(&b->polc->arena, n, struct claim);

	for (size_t i = 0; i < n; i++)
		claims[i] = (struct claim){b->out->addresses.items[i], i};
	qsort(claims, n, sizeof(*claims), compare_claims);
	for (size_t i = 0; i < n; i++)
		if (!i || polb_addr_compare(&claims[i].entry.addr, &claims[i - 1].entry.addr))
			b->out->addresses.items[kept++] = claims[i].entry;
	b->out->addresses.n = kept;
}

static struct polc_address_entry *find(const struct polc_identities *ids, const struct polb_addr *a)
{
	size_t lo = 0, hi = ids->addresses.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = polb_addr_compare(&ids->addresses.items[mid].addr, a);
		if (!c)
			return &ids->addresses.items[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/*
 * The API server keeps what it is otherwise (usually a node) and is kube-apiserver besides. Outside
 * the inventory it is kube-apiserver alone: CIDR rules do not match it (reference 1.6).
 */
static void add_apiservers(struct builder *b)
{
	const struct polc_inventory *inv = b->inventory;

	for (size_t i = 0; i < inv->apiserver_addrs.n; i++) {
		struct polc_address_entry *known = find(b->out, &inv->apiserver_addrs.items[i]);
		if (!known) {
			add_address(b, &inv->apiserver_addrs.items[i],
				add_plain_identity(b, POLB_KIND_KUBE_APISERVER,
					NUMBER_KUBE_APISERVER, NULL, NULL, 0));
			continue;
		}
		struct polc_identity copy = b->out->identities.items[known->identity];
		copy.kinds |= POLB_KIND_KUBE_APISERVER;
		if (!(copy.kinds & POLB_KIND_POD))
			copy.number = NUMBER_KUBE_APISERVER;
		*polc_vec_push(&b->polc->arena, &b->out->identities) = copy;
		known->identity = (uint32_t)(b->out->identities.n - 1);
	}
	unique(b);
}

static int compare_label_sets(const struct polc_identity *a, const struct polc_identity *b)
{
	for (size_t i = 0; i < a->n_labels && i < b->n_labels; i++) {
		int c = compare_labels(&a->labels[i], &b->labels[i]);
		if (c)
			return c;
	}
	return (a->n_labels > b->n_labels) - (a->n_labels < b->n_labels);
}

static int compare_identity_pointers(const void *pa, const void *pb)
{
	return compare_label_sets(
		*(struct polc_identity *const *)pa, *(struct polc_identity *const *)pb);
}

/* One number per distinct label set, in the order of the sets. */
static void number_pods(struct builder *b)
{
	size_t n = 0;
	struct polc_identity **pods =
		POLC_NEW_ARRAY(&b->polc->arena, b->out->identities.n, struct polc_identity *);

	for (size_t i = 0; i < b->out->identities.n; i++)
		if (b->out->identities.items[i].kinds & POLB_KIND_POD)
			pods[n++] = &b->out->identities.items[i];
	qsort(pods, n, sizeof(*pods), compare_identity_pointers);
	uint32_t number = NUMBER_FIRST_CLUSTER;
	for (size_t i = 0; i < n; i++) {
		if (i && compare_label_sets(pods[i - 1], pods[i]))
			number++;
		pods[i]->number = number;
	}
}

static int compare_endpoints(const void *pa, const void *pb)
{
	const struct polc_endpoint *a = pa, *b = pb;
	int c = compare_strings(a->pod->namespace, b->pod->namespace);
	return c ? c : compare_strings(a->pod->name, b->pod->name);
}

const struct polc_identities *polc_identities_build(
	struct polc *polc, const struct polc_inventory *inventory, const char *cluster_name)
{
	struct builder b = {.polc = polc,
		.inventory = inventory,
		.cluster_name = cluster_name ? cluster_name : POLC_DEFAULT_CLUSTER,
		.out = POLC_NEW(&polc->arena, struct polc_identities)};

	add_nodes(&b);
	add_loopback(&b);
	add_pods(&b);
	add_host_network_pods(&b);
	unique(&b);
	add_apiservers(&b);
	number_pods(&b);
	if (b.out->endpoints.n)
		qsort(b.out->endpoints.items, b.out->endpoints.n, sizeof(struct polc_endpoint),
			compare_endpoints);
	return b.out;
}

static bool is_local(const struct polc_identity *id, const char *local_node)
{
	return id->node && local_node && !strcmp(id->node, local_node);
}

bool polc_addr_is_loopback(const struct polb_addr *addr)
{
	static const uint8_t one[16] = {[15] = 1};

	return addr->family == 4 ? addr->bytes[0] == 127 : !memcmp(addr->bytes, one, sizeof(one));
}

void polc_identity_view(const struct polc_identities *identities, const struct polb_addr *addr,
	const char *local_node, struct polb_identity_view *view, uint32_t *number)
{
	const struct polc_address_entry *entry = find(identities, addr);
	uint32_t ignored;

	if (!number)
		number = &ignored;
	*view = (struct polb_identity_view){.addr = *addr};
	if (!entry) {
		bool loopback = polc_addr_is_loopback(addr);
		view->kinds = loopback ? POLB_KIND_HOST : polb_kinds_world(addr);
		*number = loopback ? NUMBER_HOST : NUMBER_WORLD;
		return;
	}
	const struct polc_identity *id = &identities->identities.items[entry->identity];
	bool local = is_local(id, local_node);
	view->kinds = polb_kinds_localise(id->kinds, local);
	view->labels = id->labels;
	view->n_labels = id->n_labels;
	view->ports = id->ports;
	view->n_ports = id->n_ports;
	*number = id->number == NUMBER_REMOTE_NODE && local ? NUMBER_HOST : id->number;
}
