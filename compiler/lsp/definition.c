/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where the thing under the cursor is: pods that a selector selects, namespaces, services and
 * groups by name, lists and macros of tracing policies.
 */
#include <string.h>

#include "lsp.h"

enum { LOCATIONS_MAX = 200 };

struct search {
	struct lsp *lsp;
	const struct lsp_place *place;
	json_t *locations;
};

static void found(struct search *s, struct polc_span span)
{
	json_t *location =
		json_array_size(s->locations) < LOCATIONS_MAX ? lsp_location(s->lsp, span) : NULL;

	if (location)
		json_array_append_new(s->locations, location);
}

/* Selectors */

static bool is_around(const struct search *s, struct polc_span span)
{
	return span.source == s->place->file->source && span.source &&
	       span.begin <= s->place->offset && s->place->offset <= span.end;
}

static const char *label_value(const struct polb_label *labels, size_t n, const char *key)
{
	const char *colon = strchr(key, ':');

	for (size_t i = 0; i < n; i++)
		if (!strcmp(labels[i].key, colon ? colon + 1 : key))
			return labels[i].value;
	return NULL;
}

static bool requirement_holds(
	const struct polc_ast_requirement *r, const struct polb_label *labels, size_t n)
{
	const char *value = label_value(labels, n, r->key);
	bool in = false;

	for (size_t i = 0; value && i < r->values.n; i++)
		in |= !strcmp(value, r->values.items[i]);
	switch (r->op) {
	case POLB_OP_IN:
		return in;
	case POLB_OP_NOT_IN:
		return !in;
	case POLB_OP_EXISTS:
		return value;
	case POLB_OP_DOES_NOT_EXIST:
		return !value;
	}
	return false;
}

/* A pod's own labels, and the namespace that Cilium adds to them. */
static bool selects(const struct polc_ast_selector *selector, const struct polb_label *labels,
	size_t n, const char *namespace)
{
	for (size_t i = 0; selector && i < selector->requirements.n; i++) {
		const struct polc_ast_requirement *r = &selector->requirements.items[i];
		const struct polb_label of_namespace = {
			"k8s", "io.kubernetes.pod.namespace", namespace};
		bool about_namespace = namespace && strstr(r->key, "io.kubernetes.pod.namespace");

		if (about_namespace ? !requirement_holds(r, &of_namespace, 1)
				    : !requirement_holds(r, labels, n))
			return false;
	}
	return true;
}

static bool names_namespace(const struct polc_ast_selector *selector)
{
	for (size_t i = 0; selector && i < selector->requirements.n; i++)
		if (strstr(selector->requirements.items[i].key, "io.kubernetes.pod.namespace") ||
			strstr(selector->requirements.items[i].key,
				"io.cilium.k8s.namespace.labels"))
			return true;
	return false;
}

/* Does a pod belong to the namespaces that a peer speaks about? */
static bool in_scope(const struct search *s, const struct polc_ast_policy *policy,
	const struct polc_ast_peer *peer, const struct polc_pod *pod)
{
	const struct polc_inventory *inventory = &s->lsp->analysis->input.inventory;
	const struct polc_namespace *namespace =
		polc_inventory_namespace(inventory, pod->namespace);

	if (peer->namespace_selector)
		return namespace && selects(peer->namespace_selector, namespace->labels.items,
					    namespace->labels.n, NULL);
	return !policy->namespace || names_namespace(peer->selector) ||
	       !strcmp(policy->namespace, pod->namespace);
}

static void find_pods(
	struct search *s, const struct polc_ast_policy *policy, const struct polc_ast_peer *peer)
{
	const struct polc_inventory *inventory = &s->lsp->analysis->input.inventory;
	const struct polc_ast_selector *selector =
		peer->pod_selector ? peer->pod_selector : peer->selector;

	for (size_t i = 0; i < inventory->pods.n; i++) {
		const struct polc_pod *pod = &inventory->pods.items[i];

		if (in_scope(s, policy, peer, pod) &&
			selects(selector, pod->labels.items, pod->labels.n, pod->namespace))
			found(s, pod->span);
	}
}

static void find_namespaces(struct search *s, const struct polc_ast_selector *selector)
{
	const struct polc_inventory *inventory = &s->lsp->analysis->input.inventory;

	for (size_t i = 0; i < inventory->namespaces.n; i++) {
		const struct polc_namespace *namespace = &inventory->namespaces.items[i];

		if (selects(selector, namespace->labels.items, namespace->labels.n, NULL))
			found(s, namespace->span);
	}
}

#define FIND_BY_LABELS(s, objects, selector)                                                       \
	for (size_t i = 0; i < (objects).n; i++)                                                   \
		if (selects(selector, (objects).items[i].labels.items,                             \
			    (objects).items[i].labels.n, NULL))                                    \
	found(s, (objects).items[i].span)

static void find_peer(
	struct search *s, const struct polc_ast_policy *policy, const struct polc_ast_peer *peer)
{
	const struct polc_inventory *inventory = &s->lsp->analysis->input.inventory;

	switch (peer->kind) {
	case POLC_PEER_PODS:
	case POLC_PEER_ENDPOINTS:
		find_pods(s, policy, peer);
		break;
	case POLC_PEER_NAMESPACES:
		find_namespaces(s, peer->namespace_selector);
		break;
	case POLC_PEER_CIDR_GROUP:
		for (size_t i = 0; i < inventory->cidr_groups.n; i++)
			if (!strcmp(inventory->cidr_groups.items[i].name, peer->name))
				found(s, inventory->cidr_groups.items[i].span);
		break;
	case POLC_PEER_CIDR_GROUP_SELECTOR:
		FIND_BY_LABELS(s, inventory->cidr_groups, peer->selector);
		break;
	case POLC_PEER_SERVICE:
		for (size_t i = 0; i < inventory->services.n; i++)
			if (!strcmp(inventory->services.items[i].name, peer->name) &&
				(!peer->namespace || !strcmp(inventory->services.items[i].namespace,
							     peer->namespace)))
				found(s, inventory->services.items[i].span);
		break;
	case POLC_PEER_SERVICE_SELECTOR:
		FIND_BY_LABELS(s, inventory->services, peer->selector);
		break;
	case POLC_PEER_NODES:
		FIND_BY_LABELS(s, inventory->nodes, peer->selector);
		break;
	case POLC_PEER_CIDR:
	case POLC_PEER_ENTITY:
		break;
	}
}

/* The selector that is smallest around the cursor: of namespaces alone, or the peer's pods. */
static bool is_at_peer(const struct search *s, const struct polc_ast_peer *peer)
{
	return is_around(s, peer->span) || (peer->selector && is_around(s, peer->selector->span)) ||
	       (peer->pod_selector && is_around(s, peer->pod_selector->span)) ||
	       (peer->namespace_selector && is_around(s, peer->namespace_selector->span));
}

static void look_at_peer(
	struct search *s, const struct polc_ast_policy *policy, const struct polc_ast_peer *peer)
{
	if (!is_at_peer(s, peer))
		return;
	if (peer->namespace_selector && is_around(s, peer->namespace_selector->span) &&
		!(peer->pod_selector && is_around(s, peer->pod_selector->span)))
		find_namespaces(s, peer->namespace_selector);
	else
		find_peer(s, policy, peer);
}

static void look_at_policies(struct search *s)
{
	const struct polc_ast *ast = &s->lsp->analysis->input.ast;

	for (size_t i = 0; i < ast->policies.n; i++) {
		const struct polc_ast_policy *policy = ast->policies.items[i];

		if (policy->span.source != s->place->file->source)
			continue;
		for (size_t j = 0; j < policy->specs.n; j++) {
			const struct polc_ast_spec *spec = &policy->specs.items[j];

			look_at_peer(s, policy, &spec->subject);
			for (size_t r = 0; r < spec->rules.n; r++)
				for (size_t p = 0; p < spec->rules.items[r].peers.n; p++)
					look_at_peer(
						s, policy, &spec->rules.items[r].peers.items[p]);
		}
	}
}

/* Names: lists, macros, namespaces, policies */

static bool is_text(const struct polc_ast_text *text, const char *word)
{
	return text->text && !strcmp(text->text, word);
}

static void look_at_tracing(struct search *s, const char *word)
{
	const struct polc_input *input = &s->lsp->analysis->input;
	const char *list = strncmp(word, "list:", 5) ? NULL : word + 5;

	for (size_t i = 0; i < input->tracings.n; i++) {
		const struct polc_ast_tracing *policy = input->tracings.items[i];

		if (policy->span.source != s->place->file->source)
			continue;
		for (size_t j = 0; list && j < policy->lists.n; j++)
			if (is_text(&policy->lists.items[j].name, list))
				found(s, policy->lists.items[j].name.span);
		for (size_t j = 0; !list && j < policy->macros.n; j++)
			if (is_text(&policy->macros.items[j].name, word))
				found(s, policy->macros.items[j].name.span);
	}
}

static void look_at_names(struct search *s, const char *word)
{
	const struct lsp_analysis *a = s->lsp->analysis;
	const struct polc_namespace *namespace =
		polc_inventory_namespace(&a->input.inventory, word);

	for (size_t i = 0; i < a->input.ast.policies.n; i++)
		if (!strcmp(a->input.ast.policies.items[i]->name, word))
			found(s, a->input.ast.policies.items[i]->name_span);
	for (size_t i = 0; i < a->input.tracings.n; i++)
		if (a->input.tracings.items[i]->name &&
			!strcmp(a->input.tracings.items[i]->name, word))
			found(s, a->input.tracings.items[i]->name_span);
	if (!json_array_size(s->locations) && namespace && namespace->span.source)
		found(s, namespace->span);
}

static const char *word_at(struct lsp *lsp, const struct lsp_place *place)
{
	struct lsp_yaml_place yaml;
	struct lsp_pol_place pol;
	size_t begin, end;

	if (lsp_is_pol(place->file)) {
		lsp_pol_place(
			&lsp->scratch, place->file->text, place->file->n, place->offset, &pol);
		begin = pol.word_begin;
		end = pol.word_end;
	} else {
		lsp_yaml_place(
			&lsp->scratch, place->file->text, place->file->n, place->offset, &yaml);
		begin = yaml.word_begin;
		end = yaml.word_end;
	}
	return polc_arena_strndup(&lsp->scratch, place->file->text + begin, end - begin);
}

json_t *lsp_definition(struct lsp *lsp, const json_t *params)
{
	struct lsp_place place;
	struct search s = {.lsp = lsp, .place = &place};
	const char *word;

	if (!lsp_place_read(lsp, params, &place))
		return NULL;
	s.locations = json_array();
	word = word_at(lsp, &place);
	if (*word)
		look_at_tracing(&s, word);
	if (!json_array_size(s.locations))
		look_at_policies(&s);
	if (!json_array_size(s.locations) && *word)
		look_at_names(&s, word);
	return s.locations;
}
