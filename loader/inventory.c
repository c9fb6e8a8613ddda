/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The inventory as a whole: objects sorted, duplicates, who claims which address, and the
 * identities that follow (the rules of compiler/ir/identity.c; tests/sync compares).
 */
#include "inventory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory_addresses.h"
#include "inventory_objects.h"
#include "inventory_plain.h"
#include "loader.h"

#define ERRORS_MAX 20

enum {
	NUMBER_HOST = 1,
	NUMBER_HEALTH = 4,
	NUMBER_REMOTE_NODE = 6,
	NUMBER_KUBE_APISERVER = 7,
	NUMBER_INGRESS = 8,
};

struct builder {
	struct pold_inventory *inventory;
	struct pold_pool *pool; /* the inventory's */
	const struct pold_inventory_known *known;
	uint32_t *table; /* identities by hash: index + 1 */
	size_t n_slots;
};

void pold_inventory_error(
	struct pold_inventory *inventory, struct pold_at at, const char *format, ...)
{
	char text[512];
	va_list args;

	if (inventory->n_errors++ >= ERRORS_MAX)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	pold_note("%s:%u: error: %s", at.path, at.line, text);
	if (inventory->n_errors == ERRORS_MAX)
		pold_note("%s: more errors are not shown", at.path);
}

/* An address is no YAML: it holds '.' or ':' between hexadecimal digits only. */
static bool is_plain(const char *text, size_t size)
{
	size_t i = 0, begin;
	bool any = false;

	while (i < size && text[i] && strchr(" \t\r\n#", text[i])) {
		if (text[i] == '#')
			while (i < size && text[i] != '\n')
				i++;
		else
			i++;
	}
	for (begin = i; i < size && text[i] && strchr("0123456789abcdefABCDEF.:", text[i]); i++)
		any |= text[i] == '.' || text[i] == ':';
	if (begin == size || (any && i == size))
		return true;
	/* "a: b" is YAML, "fd00:: b" is not */
	return any && strchr(" \t\r\n", text[i]) &&
	       (text[i - 1] != ':' || (i - begin > 1 && text[i - 2] == ':'));
}

int pold_inventory_read(struct pold_inventory *inventory, const char *path, const char *text,
	size_t size, uint32_t read_s)
{
	uint32_t before = inventory->n_errors;

	path = pold_pool_text(&inventory->pool, path, strlen(path));
	*pold_list_push(&inventory->pool, &inventory->sources) = (struct pold_source){path, read_s};
	if (is_plain(text, size))
		pold_inventory_plain(inventory, path, text, size);
	else
		pold_inventory_objects(inventory, path, text, size);
	return inventory->n_errors == before ? POLD_OK : POLD_BAD;
}

void pold_inventory_free(struct pold_inventory *inventory)
{
	pold_pool_free(&inventory->pool);
	*inventory = (struct pold_inventory){0};
}

/* ---- objects: sorted, each once ---- */

static int by_order(const struct pold_at *a, const struct pold_at *b)
{
	return (a->order > b->order) - (a->order < b->order);
}

static int compare_pods(const void *pa, const void *pb)
{
	const struct pold_inventory_pod *a = pa, *b = pb;
	int order = strcmp(a->namespace, b->namespace);

	if (!order)
		order = strcmp(a->name, b->name);
	return order ? order : by_order(&a->at, &b->at);
}

static int compare_namespaces(const void *pa, const void *pb)
{
	const struct pold_inventory_namespace *a = pa, *b = pb;
	int order = strcmp(a->name, b->name);

	return order ? order : by_order(&a->at, &b->at);
}

static int compare_nodes(const void *pa, const void *pb)
{
	const struct pold_inventory_node *a = pa, *b = pb;
	int order = strcmp(a->name, b->name);

	return order ? order : by_order(&a->at, &b->at);
}

static bool has_label(const pold_labels *labels, const struct polb_label *wanted)
{
	for (size_t i = 0; i < labels->n; i++)
		if (strcmp(labels->items[i].key, wanted->key) == 0 &&
			strcmp(labels->items[i].value, wanted->value) == 0)
			return true;
	return false;
}

/* The first says all that the second says: a manifest beside its own object. */
static bool pod_covers(
	const struct pold_inventory_pod *first, const struct pold_inventory_pod *second)
{
	for (size_t i = 0; i < second->labels.n; i++)
		if (!has_label(&first->labels, &second->labels.items[i]))
			return false;
	return !second->addrs.n && !second->cgroup && !second->interface;
}

static void twice(struct pold_inventory *inventory, struct pold_at at, const char *noun,
	const char *namespace, const char *name, uint32_t first)
{
	pold_inventory_error(inventory, at, "%s %s%s%s is there twice, first in line %u", noun,
		namespace, *namespace ? "/" : "", name, first);
}

static void sort_pods(struct pold_inventory *inventory)
{
	struct pold_inventory_pod *pods = inventory->pods.items;
	size_t n = 0;

	if (inventory->pods.n)
		qsort(pods, inventory->pods.n, sizeof(*pods), compare_pods);
	for (size_t i = 0; i < inventory->pods.n; i++) {
		if (!n || strcmp(pods[n - 1].namespace, pods[i].namespace) != 0 ||
			strcmp(pods[n - 1].name, pods[i].name) != 0)
			pods[n++] = pods[i];
		else if (!pod_covers(&pods[n - 1], &pods[i]))
			twice(inventory, pods[i].at, "pod", pods[i].namespace, pods[i].name,
				pods[n - 1].at.line);
	}
	inventory->pods.n = n;
}

/* Of two namespaces the first counts, as in the compiler. */
static void sort_namespaces(struct pold_inventory *inventory)
{
	struct pold_inventory_namespace *list = inventory->namespaces.items;
	size_t n = 0;

	if (inventory->namespaces.n)
		qsort(list, inventory->namespaces.n, sizeof(*list), compare_namespaces);
	for (size_t i = 0; i < inventory->namespaces.n; i++)
		if (!n || strcmp(list[n - 1].name, list[i].name) != 0)
			list[n++] = list[i];
	inventory->namespaces.n = n;
}

static void sort_nodes(struct pold_inventory *inventory)
{
	struct pold_inventory_node *nodes = inventory->nodes.items;
	size_t n = 0;

	if (inventory->nodes.n)
		qsort(nodes, inventory->nodes.n, sizeof(*nodes), compare_nodes);
	for (size_t i = 0; i < inventory->nodes.n; i++) {
		if (!n || strcmp(nodes[n - 1].name, nodes[i].name) != 0)
			nodes[n++] = nodes[i];
		else
			twice(inventory, nodes[i].at, "node", "", nodes[i].name,
				nodes[n - 1].at.line);
	}
	inventory->nodes.n = n;
}

const struct pold_inventory_pod *pold_inventory_pod(
	const struct pold_inventory *inventory, const char *namespace, const char *name)
{
	size_t low = 0, high = inventory->pods.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct pold_inventory_pod *pod = &inventory->pods.items[middle];
		int order = strcmp(pod->namespace, namespace);

		if (!order)
			order = strcmp(pod->name, name);
		if (!order)
			return pod;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static const pold_labels *namespace_object(const struct builder *b, const char *name)
{
	const struct pold_inventory *inventory = b->inventory;
	size_t low = 0, high = inventory->namespaces.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(inventory->namespaces.items[middle].name, name);

		if (!order)
			return &inventory->namespaces.items[middle].labels;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static const struct pold_inventory_node *find_node(const struct builder *b, const char *name)
{
	size_t low = 0, high = b->inventory->nodes.n;

	while (name && low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(b->inventory->nodes.items[middle].name, name);

		if (!order)
			return &b->inventory->nodes.items[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* ---- identities, each once ---- */

static void grow_table(struct builder *b)
{
	const struct pold_who *list = b->inventory->identities.items;

	if (b->inventory->identities.n * 2 < b->n_slots)
		return;
	b->n_slots = b->n_slots ? b->n_slots * 2 : 1024;
	b->table = pold_pool_new(b->pool, b->n_slots * sizeof(*b->table));
	for (size_t i = 0; i < b->inventory->identities.n; i++) {
		size_t slot = list[i].hash & (b->n_slots - 1);

		while (b->table[slot])
			slot = (slot + 1) & (b->n_slots - 1);
		b->table[slot] = (uint32_t)i + 1;
	}
}

/* Sorts nothing: labels and ports are sorted. */
static uint32_t identity_of(struct builder *b, struct pold_who *who, struct pold_at at)
{
	size_t slot;

	pold_who_record(b->pool, who);
	if (who->record_bytes > POLD_RECORD_MAX)
		pold_inventory_error(b->inventory, at, "more than %u bytes of labels and ports",
			POLD_RECORD_MAX);
	grow_table(b);
	for (slot = who->hash & (b->n_slots - 1); b->table[slot];
		slot = (slot + 1) & (b->n_slots - 1)) {
		const struct pold_who *other = &b->inventory->identities.items[b->table[slot] - 1];

		if (other->hash == who->hash && other->record_bytes == who->record_bytes &&
			memcmp(other->record, who->record, who->record_bytes) == 0)
			return b->table[slot] - 1;
	}
	*pold_list_push(b->pool, &b->inventory->identities) = *who;
	b->table[slot] = (uint32_t)b->inventory->identities.n;
	return (uint32_t)b->inventory->identities.n - 1;
}

static bool has_key(const pold_labels *labels, const char *key)
{
	for (size_t i = 0; i < labels->n; i++)
		if (strcmp(labels->items[i].key, key) == 0)
			return true;
	return false;
}

static void add_label(struct builder *b, pold_labels *labels, const char *key, const char *value)
{
	if (!has_key(labels, key))
		*pold_list_push(b->pool, labels) = (struct polb_label){"k8s", key, value};
}

static void add_namespace_labels(struct builder *b, const char *namespace, pold_labels *out)
{
	const pold_labels *own = namespace_object(b, namespace);
	pold_labels known = {0};

	if (!own && b->known && b->known->namespace_labels)
		b->known->namespace_labels(b->known->context, namespace, b->pool, &known);
	own = own ? own : &known;
	for (size_t i = 0; i < own->n; i++) {
		const char *key = own->items[i].key;
		size_t prefix = sizeof(POLD_LABEL_NAMESPACE_LABELS) - 1, n = strlen(key);
		char *derived = pold_pool_new(b->pool, prefix + n + 1);

		memcpy(derived, POLD_LABEL_NAMESPACE_LABELS, prefix);
		memcpy(derived + prefix, key, n);
		add_label(b, out, derived, own->items[i].value);
	}
	add_label(b, out, POLD_LABEL_NAMESPACE_NAME, namespace);
}

/* Derived labels behind a pod's own ones, all sorted. */
static void derive_labels(struct builder *b, const char *namespace, const char *service_account,
	pold_labels *labels, struct pold_who *who)
{
	const char *cluster = b->known ? b->known->cluster_name : NULL;

	add_label(b, labels, POLD_LABEL_NAMESPACE, namespace);
	add_label(b, labels, POLD_LABEL_CLUSTER, cluster && *cluster ? cluster : "default");
	add_label(b, labels, POLD_LABEL_SERVICE_ACCOUNT, service_account);
	add_namespace_labels(b, namespace, labels);
	pold_labels_sort(labels->items, labels->n);
	who->labels = labels->items;
	who->n_labels = labels->n;
}

/* A pod could otherwise claim another namespace's labels for itself. */
static uint32_t pod_identity(struct builder *b, const struct pold_inventory_pod *pod)
{
	struct pold_who who = {
		.kinds = POLB_KIND_POD, .ports = pod->ports.items, .n_ports = pod->ports.n};
	pold_labels labels = {0};

	for (size_t i = 0; i < pod->labels.n; i++)
		if (!pold_label_is_derived(pod->labels.items[i].key))
			*pold_list_push(b->pool, &labels) = pod->labels.items[i];
	pold_ports_sort(pod->ports.items, pod->ports.n);
	derive_labels(b, pod->namespace, pod->service_account, &labels, &who);
	return identity_of(b, &who, pod->at);
}

static uint32_t plain_identity(struct builder *b, const struct pold_plain_draft *draft)
{
	struct pold_who who = {.kinds = draft->kinds, .number = draft->number, .node = draft->node};
	pold_labels labels = draft->labels;

	if (draft->namespace) {
		derive_labels(b, draft->namespace, "default", &labels, &who);
	} else {
		pold_labels_sort(labels.items, labels.n);
		who.labels = labels.items;
		who.n_labels = labels.n;
	}
	return identity_of(b, &who, (struct pold_at){.path = "identity"});
}

static uint32_t reserved_identity(struct builder *b, uint32_t kinds, uint32_t number)
{
	struct pold_who who = {.kinds = kinds, .number = number};

	return identity_of(b, &who, (struct pold_at){.path = "identity"});
}

static uint32_t node_identity(struct builder *b, const char *name, const pold_labels *labels)
{
	struct pold_who who = {.kinds = POLB_KIND_NODE, .number = NUMBER_REMOTE_NODE, .node = name};

	if (labels) {
		pold_labels_sort(labels->items, labels->n);
		who.labels = labels->items;
		who.n_labels = labels->n;
	}
	return identity_of(b, &who, (struct pold_at){.path = name ? name : "node"});
}

/* ---- claims ---- */

static void check_claims(struct builder *b, const struct pold_inventory_address *first,
	const struct pold_inventory_address *second)
{
	char text[POLB_ADDR_TEXT];
	bool lines = first->rank == POLD_RANK_LINE || second->rank == POLD_RANK_LINE;
	bool pods = first->rank == POLD_RANK_POD && second->rank == POLD_RANK_POD &&
		    first->at.order != second->at.order;

	if (!lines && !pods)
		return;
	polb_addr_format(&first->addr, text);
	pold_inventory_error(b->inventory, second->at, "%s is claimed twice, first in %s:%u", text,
		first->at.path ? first->at.path : "loopback", first->at.line);
}

/* Claims come most specific first: the first one counts. */
static void claim(struct builder *b, const struct pold_inventory_address *wanted)
{
	struct pold_inventory *inventory = b->inventory;
	struct pold_address_slot *slot;

	pold_addresses_grow(inventory);
	slot = pold_addresses_slot(inventory, &wanted->addr);
	if (slot->index) {
		check_claims(b, &inventory->addresses.items[slot->index - 1], wanted);
		return;
	}
	*pold_list_push(b->pool, &inventory->addresses) = *wanted;
	slot->index = (uint32_t)inventory->addresses.n;
	slot->tag = pold_addresses_tag(pold_addr_hash(&wanted->addr));
}

static void claim_all(struct builder *b, const pold_addrs *addrs, enum pold_rank rank,
	uint32_t identity, struct pold_at at)
{
	for (size_t i = 0; i < addrs->n; i++) {
		const struct pold_inventory_address wanted = {.addr = addrs->items[i],
			.rank = (uint8_t)rank,
			.identity = identity,
			.ttl_s = POLD_TTL_DEFAULT,
			.at = at};

		claim(b, &wanted);
	}
}

static void add_nodes(struct builder *b)
{
	for (size_t i = 0; i < b->inventory->nodes.n; i++) {
		const struct pold_inventory_node *node = &b->inventory->nodes.items[i];

		claim_all(b, &node->addrs, POLD_RANK_NODE,
			node_identity(b, node->name, &node->labels), node->at);
		if (node->health_addrs.n)
			claim_all(b, &node->health_addrs, POLD_RANK_NODE,
				reserved_identity(b, POLB_KIND_HEALTH, NUMBER_HEALTH), node->at);
		if (node->ingress_addrs.n)
			claim_all(b, &node->ingress_addrs, POLD_RANK_NODE,
				reserved_identity(b, POLB_KIND_INGRESS, NUMBER_INGRESS), node->at);
	}
}

/* The host as it reaches its own services: loopback, from every node's own point of view. */
static void add_loopback(struct builder *b)
{
	struct polb_addr items[2];
	pold_addrs addrs = {.items = items, .n = 2};
	uint32_t identity = reserved_identity(b, POLB_KIND_HOST, NUMBER_HOST);

	polb_addr_parse("127.0.0.1", &items[0]);
	polb_addr_parse("::1", &items[1]);
	claim_all(b, &addrs, POLD_RANK_LOOPBACK, identity, (struct pold_at){0});
}

static void add_lines(struct builder *b)
{
	const struct pold_plain *plain = b->inventory->plain;
	uint32_t *identities;

	if (!plain)
		return;
	identities = pold_pool_new(b->pool, plain->drafts.n * sizeof(*identities));
	for (size_t i = 0; i < plain->drafts.n; i++)
		identities[i] = plain_identity(b, &plain->drafts.items[i]);
	pold_list_reserve(b->pool, &b->inventory->addresses, plain->lines.n);
	for (size_t i = 0; i < plain->lines.n; i++) {
		const struct pold_plain_line *line = &plain->lines.items[i];
		const struct pold_inventory_address wanted = {.addr = line->addr,
			.rank = POLD_RANK_LINE,
			.identity = identities[line->draft],
			.ttl_s = line->ttl_s,
			.at = line->at};

		claim(b, &wanted);
	}
}

static bool pod_is_endpoint(const struct pold_inventory_pod *pod)
{
	return !pod->finished && (!pod->host_network || pod->cgroup || pod->interface);
}

static void add_pods(struct builder *b)
{
	for (size_t i = 0; i < b->inventory->pods.n; i++) {
		struct pold_inventory_pod *pod = &b->inventory->pods.items[i];

		if (!pod_is_endpoint(pod))
			continue;
		pod->identity = pod_identity(b, pod);
		claim_all(b, &pod->addrs, POLD_RANK_POD, pod->identity, pod->at);
	}
}

/* hostNetwork pods are their node, also when the inventory lacks the Node object. */
static void add_host_network_pods(struct builder *b)
{
	for (size_t i = 0; i < b->inventory->pods.n; i++) {
		const struct pold_inventory_pod *pod = &b->inventory->pods.items[i];
		const struct pold_inventory_node *node = find_node(b, pod->node);

		if (pod->finished || pod_is_endpoint(pod))
			continue;
		claim_all(b, &pod->addrs, POLD_RANK_HOST_NETWORK,
			node_identity(b, pod->node, node ? &node->labels : NULL), pod->at);
	}
}

/*
 * The API server keeps what it is otherwise (usually a node) and is kube-apiserver besides; outside
 * the inventory it is kube-apiserver alone.
 */
static void add_apiservers(struct builder *b)
{
	struct pold_inventory *inventory = b->inventory;

	for (size_t i = 0; i < inventory->apiserver_addrs.n; i++) {
		const struct polb_addr *addr = &inventory->apiserver_addrs.items[i];
		uint32_t index = pold_addresses_slot(inventory, addr)->index;
		const pold_addrs one = {.items = &inventory->apiserver_addrs.items[i], .n = 1};
		struct pold_who who;

		if (!index) {
			claim_all(b, &one, POLD_RANK_APISERVER,
				reserved_identity(
					b, POLB_KIND_KUBE_APISERVER, NUMBER_KUBE_APISERVER),
				(struct pold_at){.path = "kubernetes"});
			continue;
		}
		who = inventory->identities.items[inventory->addresses.items[index - 1].identity];
		who.kinds |= POLB_KIND_KUBE_APISERVER;
		if (!(who.kinds & POLB_KIND_POD))
			who.number = NUMBER_KUBE_APISERVER;
		inventory->addresses.items[index - 1].identity =
			identity_of(b, &who, (struct pold_at){.path = "kubernetes"});
	}
}

int pold_inventory_finish(
	struct pold_inventory *inventory, const struct pold_inventory_known *known)
{
	struct builder b = {.inventory = inventory, .pool = &inventory->pool, .known = known};

	sort_pods(inventory);
	sort_namespaces(inventory);
	sort_nodes(inventory);
	add_nodes(&b);
	add_loopback(&b);
	add_lines(&b);
	add_pods(&b);
	add_host_network_pods(&b);
	add_apiservers(&b);
	return inventory->n_errors ? POLD_BAD : POLD_OK;
}
