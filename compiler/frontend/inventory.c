/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The inventory as a whole: sorted lists with fast lookup, duplicates, services joined with their
 * endpoints, addresses that two pods claim. Objects are read by inventory_objects.c. Knows nothing
 * of policies.
 */
#include <stdlib.h>
#include <string.h>

#include "inventory.h"

/* ---- lists sorted by namespace and name ---- */

#define NO_NAMESPACE SIZE_MAX

/* Where the list's items keep what they are sorted by. */
struct collection {
	const char *noun;
	size_t item_size, namespace_offset, name_offset, span_offset;
	enum on_duplicate { REFUSE, FIRST_COUNTS } on_duplicate;
	/* The first says all that the second says: a manifest beside its own object, for instance.
	 */
	bool (*covers)(const void *first, const void *second);
};

static bool has_label(const struct polb_label *labels, size_t n, const struct polb_label *wanted)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(labels[i].key, wanted->key) && !strcmp(labels[i].value, wanted->value))
			return true;
	return false;
}

static bool labels_cover(
	const struct polb_label *a, size_t n_a, const struct polb_label *b, size_t n_b)
{
	for (size_t i = 0; i < n_b; i++)
		if (!has_label(a, n_a, &b[i]))
			return false;
	return true;
}

static bool namespace_covers(const void *first, const void *second)
{
	const struct polc_namespace *a = first, *b = second;

	return labels_cover(a->labels.items, a->labels.n, b->labels.items, b->labels.n);
}

static bool pod_covers(const void *first, const void *second)
{
	const struct polc_pod *a = first, *b = second;

	return labels_cover(a->labels.items, a->labels.n, b->labels.items, b->labels.n) &&
	       !b->addrs.n && !b->cgroup && !b->interface;
}

static bool service_covers(const void *first, const void *second)
{
	const struct polc_service *a = first, *b = second;

	return labels_cover(a->labels.items, a->labels.n, b->labels.items, b->labels.n) &&
	       labels_cover(a->selector.items, a->selector.n, b->selector.items, b->selector.n) &&
	       a->selector.n == b->selector.n;
}

#define MEMBER(type, member) offsetof(struct type, member)

static const struct collection namespaces = {"namespace", sizeof(struct polc_namespace),
	NO_NAMESPACE, MEMBER(polc_namespace, name), MEMBER(polc_namespace, span), FIRST_COUNTS,
	namespace_covers};
static const struct collection pods = {"pod", sizeof(struct polc_pod), MEMBER(polc_pod, namespace),
	MEMBER(polc_pod, name), MEMBER(polc_pod, span), REFUSE, pod_covers};
static const struct collection nodes = {"node", sizeof(struct polc_node), NO_NAMESPACE,
	MEMBER(polc_node, name), MEMBER(polc_node, span), REFUSE, NULL};
static const struct collection services = {"service", sizeof(struct polc_service),
	MEMBER(polc_service, namespace), MEMBER(polc_service, name), MEMBER(polc_service, span),
	FIRST_COUNTS, service_covers};
static const struct collection cidr_groups = {"CiliumCIDRGroup", sizeof(struct polc_cidr_group),
	NO_NAMESPACE, MEMBER(polc_cidr_group, name), MEMBER(polc_cidr_group, span), REFUSE, NULL};

static const char *item_text(const void *item, size_t offset)
{
	const char *text = "";

	if (offset != NO_NAMESPACE)
		memcpy(&text, (const char *)item + offset, sizeof(text));
	return text;
}

static struct polc_span item_span(const void *item, const struct collection *c)
{
	struct polc_span span;

	memcpy(&span, (const char *)item + c->span_offset, sizeof(span));
	return span;
}

static int compare_key(
	const void *item, const struct collection *c, const char *namespace, const char *name)
{
	int order = strcmp(item_text(item, c->namespace_offset), namespace);

	return order ? order : strcmp(item_text(item, c->name_offset), name);
}

static int compare_names(const void *a, const void *b, const struct collection *c)
{
	return compare_key(a, c, item_text(b, c->namespace_offset), item_text(b, c->name_offset));
}

/* By name, then by place, so that of two the first one written stays. */
static int compare_items(const void *a, const void *b, void *collection)
{
	const struct collection *c = collection;
	struct polc_span x = item_span(a, c), y = item_span(b, c);
	int order = compare_names(a, b, c);

	if (!order)
		order = (x.source > y.source) - (x.source < y.source);
	return order ? order : (x.begin > y.begin) - (x.begin < y.begin);
}

/*
 * GitOps directories hold Namespace and Service manifests beside policies: these are warnings only,
 * and the inventory, which is read first, counts.
 */
static void report_duplicate(
	struct polc *polc, const struct collection *c, const void *first, const void *second)
{
	const char *namespace = item_text(second, c->namespace_offset);
	bool refuse = c->on_duplicate == REFUSE;

	if (c->covers && c->covers(first, second))
		return;
	struct polc_diagnostic *d = (refuse ? polc_error : polc_warn)(polc, item_span(second, c),
		POLC_CODE_INVENTORY_CONFLICT, "%s \"%s%s%s\" is in the inventory twice%s", c->noun,
		namespace, *namespace ? "/" : "", item_text(second, c->name_offset),
		refuse ? "" : " and differs: the first one counts");
	polc_diagnostic_relate(polc, d, item_span(first, c), "here first");
}

/* Sorts; of equal names only the first stays, the others are reported. Returns the new length. */
static size_t sort_unique(struct polc *polc, const struct collection *c, void *items, size_t n)
{
	size_t size = c->item_size, kept = 0;
	char *base = items;

	if (n)
		qsort_r(items, n, size, compare_items, (void *)c);
	for (size_t i = 0; i < n; i++) {
		if (kept && !compare_names(base + (kept - 1) * size, base + i * size, c)) {
			report_duplicate(polc, c, base + (kept - 1) * size, base + i * size);
			continue;
		}
		if (kept != i)
			memcpy(base + kept * size, base + i * size, size);
		kept++;
	}
	return kept;
}

static void *find(const struct collection *c, const void *items, size_t n, const char *namespace,
	const char *name)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *item = (const char *)items + middle * c->item_size;
		int order = compare_key(item, c, namespace, name);

		if (!order)
			return (void *)(uintptr_t)item;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct polc_namespace *polc_inventory_namespace(
	const struct polc_inventory *inventory, const char *name)
{
	return find(&namespaces, inventory->namespaces.items, inventory->namespaces.n, "", name);
}

const struct polc_pod *polc_inventory_pod(
	const struct polc_inventory *inventory, const char *namespace, const char *name)
{
	return find(&pods, inventory->pods.items, inventory->pods.n, namespace, name);
}

const struct polc_node *polc_inventory_node(
	const struct polc_inventory *inventory, const char *name)
{
	return find(&nodes, inventory->nodes.items, inventory->nodes.n, "", name);
}

/* ---- namespaces that only their pods speak of ---- */

static void add_implicit_namespaces(struct polc *polc, struct polc_inventory *inventory)
{
	size_t n_explicit = inventory->namespaces.n;
	const char *last = NULL;

	for (size_t i = 0; i < inventory->pods.n; i++) { /* sorted: one namespace's pods adjoin */
		const char *name = inventory->pods.items[i].namespace;

		if (last && !strcmp(name, last))
			continue;
		last = name;
		if (!find(&namespaces, inventory->namespaces.items, n_explicit, "", name))
			*polc_vec_push(&polc->arena, &inventory->namespaces) =
				(struct polc_namespace){.name = name};
	}
}

/* The API server sets this label on every namespace. */
static void add_name_label(struct polc *polc, struct polc_namespace *namespace)
{
	for (size_t i = 0; i < namespace->labels.n; i++)
		if (!strcmp(namespace->labels.items[i].key, "kubernetes.io/metadata.name"))
			return;
	*polc_vec_push(&polc->arena, &namespace->labels) =
		(struct polb_label){"k8s", "kubernetes.io/metadata.name", namespace->name};
}

static void finish_namespaces(struct polc *polc, struct polc_inventory *inventory)
{
	inventory->namespaces.n = sort_unique(
		polc, &namespaces, inventory->namespaces.items, inventory->namespaces.n);
	add_implicit_namespaces(polc, inventory);
	inventory->namespaces.n = sort_unique(
		polc, &namespaces, inventory->namespaces.items, inventory->namespaces.n);
	for (size_t i = 0; i < inventory->namespaces.n; i++)
		add_name_label(polc, &inventory->namespaces.items[i]);
}

/* ---- services and their endpoints ---- */

static int compare_addrs(const void *a, const void *b)
{
	return polb_addr_compare(a, b);
}

static size_t sort_addrs(struct polb_addr *addrs, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(addrs, n, sizeof(*addrs), compare_addrs);
	for (size_t i = 0; i < n; i++)
		if (!kept || polb_addr_compare(&addrs[kept - 1], &addrs[i]))
			addrs[kept++] = addrs[i];
	return kept;
}

static void join_endpoint_set(
	struct polc *polc, struct polc_inventory *inventory, const struct polc_endpoint_set *set)
{
	bool apiserver = !strcmp(set->namespace, "default") && !strcmp(set->service, "kubernetes");
	struct polc_service *service = find(&services, inventory->services.items,
		inventory->services.n, set->namespace, set->service);

	for (size_t i = 0; i < set->addrs.n; i++) {
		if (service)
			*polc_vec_push(&polc->arena, &service->backends) = set->addrs.items[i];
		if (apiserver)
			*polc_vec_push(&polc->arena, &inventory->apiserver_addrs) =
				set->addrs.items[i];
	}
}

static void finish_services(struct polc *polc, struct polc_inventory *inventory)
{
	inventory->services.n =
		sort_unique(polc, &services, inventory->services.items, inventory->services.n);
	for (size_t i = 0; i < inventory->endpoint_sets.n; i++)
		join_endpoint_set(polc, inventory, &inventory->endpoint_sets.items[i]);
	for (size_t i = 0; i < inventory->services.n; i++) {
		struct polc_service *service = &inventory->services.items[i];

		service->backends.n = sort_addrs(service->backends.items, service->backends.n);
	}
	inventory->apiserver_addrs.n =
		sort_addrs(inventory->apiserver_addrs.items, inventory->apiserver_addrs.n);
}

/* ---- addresses that two pods claim ---- */

struct claim {
	struct polb_addr addr;
	const struct polc_pod *pod;
};

static int compare_claims(const void *pa, const void *pb)
{
	const struct claim *a = pa, *b = pb;
	int order = polb_addr_compare(&a->addr, &b->addr);

	return order ? order : (a->pod > b->pod) - (a->pod < b->pod); /* in one sorted array */
}

static size_t collect_claims(const struct polc_inventory *inventory, struct claim *claims)
{
	size_t n = 0;

	for (size_t i = 0; i < inventory->pods.n; i++) {
		const struct polc_pod *pod = &inventory->pods.items[i];

		if (pod->finished || pod->host_network)
			continue;
		for (size_t j = 0; j < pod->addrs.n; j++, n++)
			if (claims)
				claims[n] = (struct claim){pod->addrs.items[j], pod};
	}
	return n;
}

static void report_claims(struct polc *polc, const struct claim *first, const struct claim *second)
{
	char text[POLB_ADDR_TEXT];

	polb_addr_format(&first->addr, text);
	struct polc_diagnostic *d =
		polc_error(polc, second->pod->span, POLC_CODE_INVENTORY_CONFLICT,
			"pods \"%s/%s\" and \"%s/%s\" both have address %s", first->pod->namespace,
			first->pod->name, second->pod->namespace, second->pod->name, text);
	polc_diagnostic_relate(polc, d, first->pod->span, "the other pod");
}

static void check_claims(struct polc *polc, struct polc_inventory *inventory)
{
	size_t n = collect_claims(inventory, NULL);
	struct claim *claims = POLC_NEW_ARRAY(&polc->arena, n + 1, struct claim);

	collect_claims(inventory, claims);
	qsort(claims, n, sizeof(*claims), compare_claims);
	for (size_t i = 1; i < n; i++) {
		const struct claim *a = &claims[i - 1], *b = &claims[i];

		if (a->pod == b->pod || polb_addr_compare(&a->addr, &b->addr))
			continue;
		report_claims(polc, a, b);
		inventory->local_address_conflicts++;
	}
}

void polc_inventory_finish(struct polc *polc, struct polc_inventory *inventory)
{
	inventory->pods.n = sort_unique(polc, &pods, inventory->pods.items, inventory->pods.n);
	inventory->nodes.n = sort_unique(polc, &nodes, inventory->nodes.items, inventory->nodes.n);
	inventory->cidr_groups.n = sort_unique(
		polc, &cidr_groups, inventory->cidr_groups.items, inventory->cidr_groups.n);
	finish_namespaces(polc, inventory);
	finish_services(polc, inventory);
	check_claims(polc, inventory);
}
