/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who somebody means by `namespace/pod`, `node:NAME`, an address, an entity or labels. */
#include <stdlib.h>
#include <string.h>

#include "flow.h"

static const struct polc_endpoint *endpoint_of(
	const struct polc_identities *identities, const struct polc_pod *pod)
{
	size_t lo = 0, hi = identities->endpoints.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct polc_pod *other = identities->endpoints.items[mid].pod;
		int order = strcmp(pod->namespace, other->namespace);

		if (!order)
			order = strcmp(pod->name, other->name);
		if (!order)
			return &identities->endpoints.items[mid];
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

void polc_party_of_pod(struct polc_cmd *cmd, const struct polc_pod *pod, struct polc_party *out)
{
	const struct polc_node *node = NULL;

	*out = (struct polc_party){
		.text = polc_arena_printf(&cmd->polc.arena, "%s/%s", pod->namespace, pod->name),
		.pod = pod,
		.endpoint = endpoint_of(cmd->identities, pod),
		.addrs = pod->addrs.items,
		.n_addrs = pod->addrs.n,
	};
	if (pod->host_network && !pod->addrs.n && pod->node)
		node = polc_inventory_node(&cmd->input.inventory, pod->node);
	if (node) {
		out->addrs = node->addrs.items;
		out->n_addrs = node->addrs.n;
	}
}

static void party_of_addr(
	struct polc_cmd *cmd, const struct polb_addr *addr, struct polc_party *out)
{
	struct polb_addr *copy = POLC_NEW(&cmd->polc.arena, struct polb_addr);
	char text[POLB_ADDR_TEXT];

	*copy = *addr;
	polb_addr_format(addr, text);
	*out = (struct polc_party){
		.text = polc_arena_printf(&cmd->polc.arena, "%s", text),
		.addrs = copy,
		.n_addrs = 1,
	};
	/*
	 * An endpoint's own address is that endpoint, so that both spellings get the same answer.
	 */
	for (size_t i = 0; i < cmd->identities->endpoints.n; i++) {
		const struct polc_endpoint *endpoint = &cmd->identities->endpoints.items[i];

		for (size_t j = 0; !endpoint->pod->host_network && j < endpoint->pod->addrs.n;
			j++) {
			if (!polb_addr_compare(&endpoint->pod->addrs.items[j], addr)) {
				out->pod = endpoint->pod;
				out->endpoint = endpoint;
			}
		}
	}
}

static void party_of_node(
	struct polc_cmd *cmd, const struct polc_node *node, struct polc_party *out)
{
	*out = (struct polc_party){
		.text = polc_arena_printf(&cmd->polc.arena, "node:%s", node->name),
		.addrs = node->addrs.items,
		.n_addrs = node->addrs.n,
	};
}

static bool find_pod(
	struct polc_cmd *cmd, const char *who, struct polc_span span, struct polc_party *out)
{
	const char *slash = strchr(who, '/');
	char *namespace = polc_arena_strndup(&cmd->polc.arena, who, (size_t)(slash - who));
	const struct polc_inventory *inventory = &cmd->input.inventory;
	const struct polc_pod *pod = polc_inventory_pod(inventory, namespace, slash + 1);

	if (pod) {
		polc_party_of_pod(cmd, pod, out);
		return true;
	}
	const char **names = POLC_NEW_ARRAY(&cmd->polc.arena, inventory->pods.n + 1, const char *);

	for (size_t i = 0; i < inventory->pods.n; i++)
		names[i] = polc_arena_printf(&cmd->polc.arena, "%s/%s",
			inventory->pods.items[i].namespace, inventory->pods.items[i].name);
	const char *near = polc_nearest(who, names, inventory->pods.n);
	struct polc_diagnostic *d = polc_error(
		&cmd->polc, span, POLC_CODE_QUESTION, "no pod '%s' in the inventory", who);

	if (near)
		polc_diagnostic_suggest(&cmd->polc, d, "did you mean '%s'?", near);
	return false;
}

static bool find_node(
	struct polc_cmd *cmd, const char *name, struct polc_span span, struct polc_party *out)
{
	const struct polc_inventory *inventory = &cmd->input.inventory;
	const struct polc_node *node = polc_inventory_node(inventory, name);

	if (node) {
		party_of_node(cmd, node, out);
		return true;
	}
	const char **names = POLC_NEW_ARRAY(&cmd->polc.arena, inventory->nodes.n + 1, const char *);

	for (size_t i = 0; i < inventory->nodes.n; i++)
		names[i] = inventory->nodes.items[i].name;
	const char *near = polc_nearest(name, names, inventory->nodes.n);
	struct polc_diagnostic *d = polc_error(
		&cmd->polc, span, POLC_CODE_QUESTION, "no node '%s' in the inventory", name);

	if (near)
		polc_diagnostic_suggest(&cmd->polc, d, "did you mean 'node:%s'?", near);
	return false;
}

/* One "k=v" of a label list; the text between commas. */
static bool has_label(const struct polc_pod *pod, const char *pair, size_t len)
{
	const char *equals = memchr(pair, '=', len);

	if (!equals)
		return false;
	size_t key_len = (size_t)(equals - pair), value_len = len - key_len - 1;

	for (size_t i = 0; i < pod->labels.n; i++) {
		const struct polb_label *label = &pod->labels.items[i];

		if (strlen(label->key) == key_len && !memcmp(label->key, pair, key_len) &&
			strlen(label->value) == value_len &&
			!memcmp(label->value, equals + 1, value_len))
			return true;
	}
	return false;
}

static bool has_labels(const struct polc_pod *pod, const char *list)
{
	while (*list) {
		size_t len = strcspn(list, ",");

		if (!has_label(pod, list, len))
			return false;
		list += len;
		list += *list == ',';
	}
	return true;
}

static const char *list_namespace(struct polc_cmd *cmd, const char *namespace)
{
	struct polc_buf list = {.arena = &cmd->polc.arena};

	for (size_t i = 0; i < cmd->identities->endpoints.n; i++) {
		const struct polc_pod *pod = cmd->identities->endpoints.items[i].pod;

		if (strcmp(pod->namespace, namespace))
			continue;
		polc_buf_printf(&list, "%s%s", list.n ? "; " : "", pod->name);
		for (size_t j = 0; j < pod->labels.n; j++)
			polc_buf_printf(&list, "%c%s=%s", j ? ',' : ' ', pod->labels.items[j].key,
				pod->labels.items[j].value);
	}
	return list.p;
}

static bool find_labels(
	struct polc_cmd *cmd, const char *who, struct polc_span span, struct polc_party *out)
{
	const char *colon = strchr(who, ':');
	char *namespace = polc_arena_strndup(&cmd->polc.arena, who, (size_t)(colon - who));

	for (size_t i = 0; i < cmd->identities->endpoints.n; i++) {
		const struct polc_pod *pod = cmd->identities->endpoints.items[i].pod;

		if (!strcmp(pod->namespace, namespace) && has_labels(pod, colon + 1)) {
			polc_party_of_pod(cmd, pod, out);
			return true;
		}
	}
	const char *list = list_namespace(cmd, namespace);
	struct polc_diagnostic *d = polc_error(&cmd->polc, span, POLC_CODE_QUESTION,
		"no endpoint of namespace '%s' has the labels '%s'", namespace, colon + 1);

	if (list)
		polc_diagnostic_suggest(&cmd->polc, d, "endpoints there: %s", list);
	else
		polc_diagnostic_suggest(&cmd->polc, d, "this namespace has no endpoints");
	return false;
}

/* An address of the documentation ranges that nobody in the inventory has. */
static bool find_outside(struct polc_cmd *cmd, uint8_t family, struct polb_addr *out)
{
	static const char *const v4[] = {"203.0.113.1", "198.51.100.1", "192.0.2.1"};
	static const char *const v6[] = {"2001:db8::1", "2001:db8:ffff::1", "3fff::1"};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(v4); i++) {
		struct polb_identity_view view;
		uint32_t number;

		if (polb_addr_parse(family == 4 ? v4[i] : v6[i], out))
			continue;
		polc_identity_view(cmd->identities, out, NULL, &view, &number);
		if (view.kinds & POLB_KIND_WORLD)
			return true;
	}
	return false;
}

/* One address of each family that the entity has; the question's port and other side choose. */
static bool find_world(struct polc_cmd *cmd, const char *entity, struct polc_party *out)
{
	struct polb_addr *addrs = POLC_NEW_ARRAY(&cmd->polc.arena, 2, struct polb_addr);
	size_t n = 0;

	if (strcmp(entity, "world-ipv6"))
		n += find_outside(cmd, 4, &addrs[n]);
	if (strcmp(entity, "world-ipv4"))
		n += find_outside(cmd, 6, &addrs[n]);
	*out = (struct polc_party){.text = entity, .addrs = addrs, .n_addrs = n};
	return n > 0;
}

static const char *local_node(const struct polc_party *other)
{
	return other && other->pod ? other->pod->node : NULL;
}

/* `host`: the other side's own node; `remote-node`: the first of the others. */
static bool find_node_entity(
	struct polc_cmd *cmd, bool local, const struct polc_party *other, struct polc_party *out)
{
	const char *name = local_node(other);

	for (size_t i = 0; name && i < cmd->input.inventory.nodes.n; i++) {
		const struct polc_node *node = &cmd->input.inventory.nodes.items[i];

		if (!strcmp(node->name, name) == local) {
			party_of_node(cmd, node, out);
			return true;
		}
	}
	return false;
}

static bool find_node_addr(struct polc_cmd *cmd, const char *entity, struct polc_party *out)
{
	for (size_t i = 0; i < cmd->input.inventory.nodes.n; i++) {
		const struct polc_node *node = &cmd->input.inventory.nodes.items[i];
		bool health = !strcmp(entity, "health");
		size_t n = health ? node->health_addrs.n : node->ingress_addrs.n;

		if (n) {
			party_of_addr(cmd,
				health ? node->health_addrs.items : node->ingress_addrs.items, out);
			return true;
		}
	}
	return false;
}

static bool find_apiserver(struct polc_cmd *cmd, struct polc_party *out)
{
	if (!cmd->input.inventory.apiserver_addrs.n)
		return false;
	party_of_addr(cmd, &cmd->input.inventory.apiserver_addrs.items[0], out);
	return true;
}

static const char *const entities[] = {"world", "world-ipv4", "world-ipv6", "host", "remote-node",
	"kube-apiserver", "health", "ingress"};

static bool is_entity(const char *who)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(entities); i++)
		if (!strcmp(entities[i], who))
			return true;
	return false;
}

static bool resolve_entity(struct polc_cmd *cmd, const char *who, const struct polc_party *other,
	struct polc_party *out)
{
	if (!strncmp(who, "world", 5))
		return find_world(cmd, who, out);
	if (!strcmp(who, "host") || !strcmp(who, "remote-node"))
		return find_node_entity(cmd, !strcmp(who, "host"), other, out);
	if (!strcmp(who, "kube-apiserver"))
		return find_apiserver(cmd, out);
	return find_node_addr(cmd, who, out);
}

static bool find_entity(struct polc_cmd *cmd, const char *who, const struct polc_party *other,
	struct polc_span span, struct polc_party *out)
{
	if (!resolve_entity(cmd, who, other, out)) {
		polc_error(&cmd->polc, span, POLC_CODE_QUESTION,
			"no address in the inventory is the entity '%s' here", who);
		return false;
	}
	if (strcmp(who, out->text))
		out->text = polc_arena_printf(&cmd->polc.arena, "%s (%s)", who, out->text);
	return true;
}

static bool unknown_party(struct polc_cmd *cmd, const char *who, struct polc_span span)
{
	const char *near = polc_nearest(who, entities, POLC_ARRAY_SIZE(entities));
	struct polc_diagnostic *d = polc_error(&cmd->polc, span, POLC_CODE_QUESTION,
		"'%s' is neither namespace/pod, node:NAME, an address, an entity nor ns:k=v", who);

	if (near)
		polc_diagnostic_suggest(&cmd->polc, d, "did you mean '%s'?", near);
	return false;
}

bool polc_party_find(struct polc_cmd *cmd, const char *who, const struct polc_party *other,
	struct polc_span span, struct polc_party *out)
{
	struct polb_addr addr;
	const char *address_text = strncmp(who, "ip:", 3) ? who : who + 3;

	if (!polb_addr_parse(address_text, &addr)) {
		party_of_addr(cmd, &addr, out);
		return true;
	}
	if (is_entity(who))
		return find_entity(cmd, who, other, span, out);
	if (!strncmp(who, "node:", 5))
		return find_node(cmd, who + 5, span, out);
	size_t before = strcspn(who, ":/=");

	if (who[before] == '/')
		return find_pod(cmd, who, span, out);
	if (who[before] == ':')
		return find_labels(cmd, who, span, out);
	return unknown_party(cmd, who, span);
}
