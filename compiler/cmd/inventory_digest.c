/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The inventory as canonical text, hashed: the same objects give the same digest whatever files
 * they came from. One line per fact, texts quoted as JSON so that no two inventories look alike.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

static void add_word(struct polc_buf *b, const char *word)
{
	polc_buf_puts(b, " ");
	if (word)
		polc_buf_json(b, word);
	else
		polc_buf_puts(b, "-");
}

static void add_addrs(struct polc_buf *b, const char *what, const struct polb_addr *addrs, size_t n)
{
	char text[POLB_ADDR_TEXT];

	for (size_t i = 0; i < n; i++) {
		polb_addr_format(&addrs[i], text);
		polc_buf_printf(b, " %s %s\n", what, text);
	}
}

static int compare_labels(const void *a, const void *b)
{
	const struct polb_label *x = a, *y = b;
	int order = strcmp(x->source, y->source);

	if (!order)
		order = strcmp(x->key, y->key);
	return order ? order : strcmp(x->value, y->value);
}

static void add_labels(
	struct polc_buf *b, const char *what, const struct polb_label *labels, size_t n)
{
	struct polb_label *sorted = POLC_NEW_ARRAY(b->arena, n + 1, struct polb_label);

	if (n)
		memcpy(sorted, labels, n * sizeof(*labels));
	qsort(sorted, n, sizeof(*sorted), compare_labels);
	for (size_t i = 0; i < n; i++) {
		polc_buf_printf(b, " %s", what);
		add_word(b, sorted[i].source);
		add_word(b, sorted[i].key);
		add_word(b, sorted[i].value);
		polc_buf_puts(b, "\n");
	}
}

static void add_pod(struct polc_buf *b, const struct polc_pod *pod)
{
	polc_buf_puts(b, "pod");
	add_word(b, pod->namespace);
	add_word(b, pod->name);
	add_word(b, pod->node);
	add_word(b, pod->service_account);
	add_word(b, pod->cgroup);
	add_word(b, pod->interface);
	polc_buf_printf(b, " %d %d\n", pod->host_network, pod->finished);
	add_labels(b, "label", pod->labels.items, pod->labels.n);
	add_addrs(b, "address", pod->addrs.items, pod->addrs.n);
	for (size_t i = 0; i < pod->containers.n; i++) {
		polc_buf_puts(b, " container");
		add_word(b, pod->containers.items[i].name);
		add_word(b, pod->containers.items[i].image);
		add_word(b, pod->containers.items[i].id);
		add_word(b, pod->containers.items[i].cgroup);
		polc_buf_puts(b, "\n");
	}
	for (size_t i = 0; i < pod->ports.n; i++) {
		polc_buf_puts(b, " port");
		add_word(b, pod->ports.items[i].name);
		polc_buf_printf(
			b, " %u %u\n", pod->ports.items[i].protocol, pod->ports.items[i].port);
	}
}

static void add_node(struct polc_buf *b, const struct polc_node *node)
{
	polc_buf_puts(b, "node");
	add_word(b, node->name);
	polc_buf_puts(b, "\n");
	add_labels(b, "label", node->labels.items, node->labels.n);
	add_addrs(b, "address", node->addrs.items, node->addrs.n);
	add_addrs(b, "health", node->health_addrs.items, node->health_addrs.n);
	add_addrs(b, "ingress", node->ingress_addrs.items, node->ingress_addrs.n);
}

static void add_service(struct polc_buf *b, const struct polc_service *service)
{
	polc_buf_puts(b, "service");
	add_word(b, service->namespace);
	add_word(b, service->name);
	polc_buf_printf(b, " %d\n", service->has_selector);
	add_labels(b, "label", service->labels.items, service->labels.n);
	add_labels(b, "selector", service->selector.items, service->selector.n);
	add_addrs(b, "backend", service->backends.items, service->backends.n);
}

static void add_cidr_group(struct polc_buf *b, const struct polc_cidr_group *group)
{
	char text[POLB_ADDR_TEXT];

	polc_buf_puts(b, "cidr-group");
	add_word(b, group->name);
	polc_buf_puts(b, "\n");
	add_labels(b, "label", group->labels.items, group->labels.n);
	for (size_t i = 0; i < group->cidrs.n; i++) {
		polb_prefix_format(&group->cidrs.items[i], text);
		polc_buf_printf(b, " cidr %s\n", text);
	}
}

static void add_inventory(struct polc_buf *b, const struct polc_inventory *inventory)
{
	for (size_t i = 0; i < inventory->namespaces.n; i++) {
		const struct polc_namespace *namespace = &inventory->namespaces.items[i];

		polc_buf_puts(b, "namespace");
		add_word(b, namespace->name);
		polc_buf_puts(b, "\n");
		add_labels(b, "label", namespace->labels.items, namespace->labels.n);
	}
	for (size_t i = 0; i < inventory->pods.n; i++)
		add_pod(b, &inventory->pods.items[i]);
	for (size_t i = 0; i < inventory->nodes.n; i++)
		add_node(b, &inventory->nodes.items[i]);
	for (size_t i = 0; i < inventory->services.n; i++)
		add_service(b, &inventory->services.items[i]);
	for (size_t i = 0; i < inventory->cidr_groups.n; i++)
		add_cidr_group(b, &inventory->cidr_groups.items[i]);
	add_addrs(b, "apiserver", inventory->apiserver_addrs.items, inventory->apiserver_addrs.n);
}

void polc_inventory_digest(
	struct polc_arena *arena, const struct polc_inventory *inventory, uint8_t out[32])
{
	struct polc_buf text = {.arena = arena};

	polc_buf_puts(&text, "polc inventory 1\n");
	add_inventory(&text, inventory);
	crypto_hash_sha256(out, (const unsigned char *)text.p, text.n);
}
