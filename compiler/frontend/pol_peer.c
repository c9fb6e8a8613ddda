/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Selectors and peers of the DSL. Which kind of policy may hold which peer: pol_network.c. */
#include "pol.h"
#include "objects.h"

#include <string.h>

/* Selectors */

struct polc_ast_selector *pol_selector(struct pol_parser *p, struct polc_span span)
{
	struct polc_ast_selector *selector = POLC_NEW(&p->polc->arena, struct polc_ast_selector);

	selector->span = span;
	return selector;
}

/* matchLabels is a mapping: its keys come first and only once. */
struct polc_ast_selector *pol_require(struct pol_parser *p, struct polc_ast_selector *selector,
	const struct polc_ast_requirement *requirement)
{
	struct polc_ast_requirement *items;
	size_t at = 0;

	*polc_vec_push(&p->polc->arena, &selector->requirements) = *requirement;
	selector->span = polc_span_join(selector->span, requirement->span);
	items = selector->requirements.items;
	if (!requirement->from_match_labels)
		return selector;
	for (; items[at].from_match_labels && at + 1 < selector->requirements.n; at++) {
		if (strcmp(items[at].key, requirement->key) == 0) {
			struct polc_diagnostic *d = polc_error(p->polc, requirement->key_span,
				POLC_CODE_DSL_DUPLICATE,
				"label '%s' cannot have two values at once", requirement->key);

			polc_diagnostic_relate(p->polc, d, items[at].span, "first asked for here");
			polc_diagnostic_suggest(
				p->polc, d, "write alternatives with 'or', or 'in (...)'");
		}
	}
	memmove(&items[at + 1], &items[at], (selector->requirements.n - 1 - at) * sizeof(items[0]));
	items[at] = *requirement;
	return selector;
}

/*
 * Cilium keys may carry a source, "k8s:app"; only labels of Kubernetes have its syntax, those of
 * other sources are free.
 */
static bool has_sources(const struct pol_parser *p)
{
	return p->tracing || (p->policy && pol_is_cilium(p->policy->kind));
}

static bool is_free_key(const struct pol_parser *p, const char *key)
{
	const char *colon = strchr(key, ':');

	return has_sources(p) && colon && colon > key && colon[1] && strncmp(key, "k8s:", 4) != 0 &&
	       strncmp(key, "any:", 4) != 0;
}

static bool check_key(struct pol_parser *p, const struct pol_token *key)
{
	bool source = has_sources(p) &&
		      (strncmp(key->text, "k8s:", 4) == 0 || strncmp(key->text, "any:", 4) == 0);

	if (is_free_key(p, key->text) || polc_is_label_key(key->text + (source ? 4 : 0)))
		return true;
	polc_error(p->polc, key->span, POLC_CODE_BAD_SELECTOR, "'%.80s' is not a valid label key",
		key->text);
	return false;
}

static bool check_value(
	struct pol_parser *p, const struct pol_token *key, const struct pol_token *value)
{
	bool image = p->tracing && !strcmp(key->text, "repo"); /* where a container's is from */

	if (image || is_free_key(p, key->text) || polc_is_label_value(value->text))
		return true;
	polc_error(p->polc, value->span, POLC_CODE_BAD_SELECTOR,
		"'%.80s' is not a valid label value: at most 63 letters, digits, '-', '_' and '.'",
		value->text);
	return false;
}

struct polc_ast_requirement *pol_requirement(struct pol_parser *p, enum polb_operator op,
	const struct pol_token *key, const pol_words *values, struct polc_span span)
{
	struct polc_ast_requirement *requirement =
		POLC_NEW(&p->polc->arena, struct polc_ast_requirement);

	check_key(p, key);
	requirement->op = op;
	requirement->key = key->text;
	requirement->span = span;
	requirement->key_span = key->span;
	for (size_t i = 0; values && i < values->n; i++) {
		check_value(p, key, values->items[i]);
		*polc_vec_push(&p->polc->arena, &requirement->values) = values->items[i]->text;
	}
	return requirement;
}

struct polc_ast_requirement *pol_equal(struct pol_parser *p, const struct pol_token *key,
	const struct pol_token *value, struct polc_span span)
{
	struct polc_ast_requirement *requirement =
		pol_requirement(p, POLB_OP_IN, key, pol_word_list(p, NULL, value), span);

	requirement->from_match_labels = true;
	return requirement;
}

pol_words *pol_word_list(struct pol_parser *p, pol_words *list, const struct pol_token *word)
{
	if (!list)
		list = POLC_NEW(&p->polc->arena, pol_words);
	*polc_vec_push(&p->polc->arena, list) = word;
	return list;
}

static struct polb_label label_make(struct pol_parser *p, const struct pol_token *key,
	const struct pol_token *value, const char *source)
{
	const char *colon = source ? NULL : strchr(key->text, ':');
	struct polb_label label = {.source = source ? source : "", .key = key->text};

	check_key(p, key);
	check_value(p, key, value);
	if (colon) {
		label.source =
			polc_arena_strndup(&p->polc->arena, key->text, (size_t)(colon - key->text));
		label.key = colon + 1;
	}
	label.value = value->text;
	return label;
}

void pol_label(struct pol_parser *p, const struct pol_token *key, const struct pol_token *value)
{
	if (!pol_is_cilium(p->policy->kind)) {
		polc_error(p->polc, key->span, POLC_CODE_CONFLICTING_FIELDS,
			"%s has no labels in its spec", pol_kind_text(p));
		return;
	}
	*polc_vec_push(&p->polc->arena, &p->spec->labels) = label_make(p, key, value, NULL);
}

struct polb_label pol_kubernetes_label(
	struct pol_parser *p, const struct pol_token *key, const struct pol_token *value)
{
	return label_make(p, key, value, "k8s");
}

void pol_endpoint_label(
	struct pol_parser *p, const struct pol_token *key, const struct pol_token *value)
{
	for (size_t i = 0; i < p->pod->labels.n; i++)
		if (strcmp(p->pod->labels.items[i].key, key->text) == 0)
			polc_error(p->polc, key->span, POLC_CODE_DSL_DUPLICATE,
				"label '%s' cannot have two values at once", key->text);
	*polc_vec_push(&p->polc->arena, &p->pod->labels) = pol_kubernetes_label(p, key, value);
}

/* Peers */

struct pol_peer_clause *pol_peers_none(struct pol_parser *p, struct polc_span span)
{
	struct pol_peer_clause *clause = POLC_NEW(&p->polc->arena, struct pol_peer_clause);

	clause->presence = POLC_PRESENT;
	clause->span = span;
	return clause;
}

struct pol_peer_clause *pol_peer(
	struct pol_parser *p, const struct polc_ast_peer *peer, struct polc_span span)
{
	struct pol_peer_clause *clause = pol_peers_none(p, span);

	*polc_vec_push(&p->polc->arena, &clause->list) = *peer;
	return clause;
}

struct pol_peer_clause *pol_peers_join(
	struct pol_parser *p, struct pol_peer_clause *a, const struct pol_peer_clause *b)
{
	for (size_t i = 0; i < b->list.n; i++)
		*polc_vec_push(&p->polc->arena, &a->list) = b->list.items[i];
	a->span = polc_span_join(a->span, b->span);
	return a;
}

static bool prefix_read(struct pol_parser *p, const struct pol_token *word, struct polb_prefix *out)
{
	if (polb_prefix_parse(word->text, true, out) != 0) {
		polc_error(p->polc, word->span, POLC_CODE_BAD_CIDR,
			"'%.80s' is no prefix such as 10.0.0.0/8 or fd00::/8", word->text);
		return false;
	}
	if (polb_addr_is_v4_mapped(&out->addr) && out->len >= 96) {
		polc_error(p->polc, word->span, POLC_CODE_BAD_CIDR,
			"write the IPv4 prefix itself, not the IPv6 address it is mapped to");
		return false;
	}
	return true;
}

/* Of the policy that is open; assertions have parties without one. */
static bool is_kind(const struct pol_parser *p, enum polc_policy_kind kind)
{
	return p->policy && p->policy->kind == kind;
}

/* Kubernetes wants each exception to leave something of the prefix. */
static bool leaves_something(const struct pol_parser *p, const struct polc_ast_peer *peer,
	const struct polb_prefix *except)
{
	return !is_kind(p, POLC_KIND_NETWORK_POLICY) ||
	       polb_prefix_compare(&peer->cidr, except) != 0;
}

static void excepts_read(struct pol_parser *p, const pol_words *words, struct polc_ast_peer *peer)
{
	for (size_t i = 0; words && i < words->n; i++) {
		struct polb_prefix except;

		if (!prefix_read(p, words->items[i], &except))
			continue;
		if (peer->kind == POLC_PEER_CIDR && !leaves_something(p, peer, &except))
			polc_error(p->polc, words->items[i]->span, POLC_CODE_EXCEPT_OUTSIDE,
				"%.80s is the whole prefix it is taken from",
				words->items[i]->text);
		if (peer->kind == POLC_PEER_CIDR && !polb_prefix_covers(&peer->cidr, &except)) {
			struct polc_diagnostic *d =
				polc_error(p->polc, words->items[i]->span, POLC_CODE_EXCEPT_OUTSIDE,
					"%.80s is not inside the prefix it is taken from",
					words->items[i]->text);

			polc_diagnostic_relate(p->polc, d, peer->span, "the prefix");
		}
		*polc_vec_push(&p->polc->arena, &peer->excepts) = except;
	}
}

struct pol_peer_clause *pol_peers_cidr(struct pol_parser *p, const pol_words *prefixes,
	const pol_words *excepts, struct polc_span span)
{
	struct pol_peer_clause *clause = pol_peers_none(p, span);

	if (excepts && prefixes->n > 1)
		polc_error(p->polc, span, POLC_CODE_CONFLICTING_FIELDS,
			"'except' belongs to one prefix: join several with 'or cidr'");
	for (size_t i = 0; i < prefixes->n; i++) {
		struct polc_ast_peer peer = {
			.kind = POLC_PEER_CIDR, .span = prefixes->items[i]->span};

		if (!prefix_read(p, prefixes->items[i], &peer.cidr))
			continue;
		excepts_read(p, prefixes->n == 1 ? excepts : NULL, &peer);
		*polc_vec_push(&p->polc->arena, &clause->list) = peer;
	}
	return clause;
}

struct pol_peer_clause *pol_peers_group(struct pol_parser *p, const struct pol_token *name,
	const struct polc_ast_selector *selector, const pol_words *excepts, struct polc_span span)
{
	struct polc_ast_peer peer = {
		.kind = name ? POLC_PEER_CIDR_GROUP : POLC_PEER_CIDR_GROUP_SELECTOR,
		.span = span,
		.name = name ? name->text : NULL,
		.selector = selector,
	};

	if (name)
		pol_check_name(p, name, "a CIDR group's name", true);
	excepts_read(p, excepts, &peer);
	return pol_peer(p, &peer, span);
}

/* Entities */

#define RESOLVERS "kube-dns-resolvers"

static const char *const entities[] = {"all", "world", "world-ipv4", "world-ipv6", "host",
	"remote-node", "cluster", "cluster-mesh", "init", "ingress", "health", "unmanaged",
	"kube-apiserver", "none", RESOLVERS};

static struct polc_ast_selector *label_selector(
	struct pol_parser *p, struct polc_span span, const char *const (*labels)[2], size_t n)
{
	struct polc_ast_selector *selector = pol_selector(p, span);

	for (size_t i = 0; i < n; i++) {
		struct polc_ast_requirement r = {.op = POLB_OP_IN,
			.key = labels[i][0],
			.from_match_labels = true,
			.span = span,
			.key_span = span};

		*polc_vec_push(&p->polc->arena, &r.values) = labels[i][1];
		*polc_vec_push(&p->polc->arena, &selector->requirements) = r;
	}
	return selector;
}

/* The cluster's DNS servers, in the words of each kind of policy. */
static struct polc_ast_peer resolvers(struct pol_parser *p, struct polc_span span)
{
	static const char *const cilium[][2] = {
		{"k8s:io.kubernetes.pod.namespace", "kube-system"}, {"k8s:k8s-app", "kube-dns"}};
	static const char *const namespaces[][2] = {{"kubernetes.io/metadata.name", "kube-system"}};
	static const char *const pods[][2] = {{"k8s-app", "kube-dns"}};
	struct polc_ast_peer peer = {.kind = POLC_PEER_ENDPOINTS, .span = span};

	if (p->policy && pol_is_cilium(p->policy->kind)) {
		peer.selector = label_selector(p, span, cilium, 2);
		return peer;
	}
	peer.kind = POLC_PEER_PODS;
	peer.namespace_selector = label_selector(p, span, namespaces, 1);
	peer.pod_selector = label_selector(p, span, pods, 1);
	return peer;
}

static bool entity_known(struct pol_parser *p, const struct pol_token *name)
{
	struct polc_diagnostic *d;
	const char *nearest;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(entities); i++)
		if (strcmp(entities[i], name->text) == 0)
			return true;
	d = polc_error(
		p->polc, name->span, POLC_CODE_UNKNOWN_VALUE, "unknown entity '%.40s'", name->text);
	nearest = polc_nearest(name->text, entities, POLC_ARRAY_SIZE(entities));
	if (nearest)
		polc_diagnostic_suggest(p->polc, d, "did you mean '%s'?", nearest);
	return false;
}

struct pol_peer_clause *pol_peers_entity(
	struct pol_parser *p, const pol_words *names, struct polc_span span)
{
	struct pol_peer_clause *clause = pol_peers_none(p, span);

	for (size_t i = 0; i < names->n; i++) {
		const struct pol_token *name = names->items[i];
		struct polc_ast_peer peer = {
			.kind = POLC_PEER_ENTITY, .span = name->span, .name = name->text};

		if (!entity_known(p, name))
			continue;
		if (strcmp(name->text, RESOLVERS) == 0)
			peer = resolvers(p, name->span);
		*polc_vec_push(&p->polc->arena, &clause->list) = peer;
	}
	return clause;
}

/* Selections */

struct polc_ast_peer *pol_selection(struct pol_parser *p, enum polc_peer_kind kind,
	const struct polc_ast_selector *namespaces, const struct polc_ast_selector *selector,
	struct polc_span span)
{
	struct polc_ast_peer *peer = POLC_NEW(&p->polc->arena, struct polc_ast_peer);

	/* a NetworkPolicy's peer with namespaces alone is still one of pods */
	if (kind == POLC_PEER_NAMESPACES && p->policy->kind == POLC_KIND_NETWORK_POLICY)
		kind = POLC_PEER_PODS;
	peer->kind = kind;
	peer->span = span;
	peer->namespace_selector = namespaces;
	if (kind == POLC_PEER_PODS)
		peer->pod_selector = selector;
	else
		peer->selector = selector;
	return peer;
}

struct polc_ast_peer *pol_bare(
	struct pol_parser *p, const struct polc_ast_selector *selector, struct polc_span span)
{
	bool cilium = pol_is_cilium(p->policy->kind);

	return pol_selection(
		p, cilium ? POLC_PEER_ENDPOINTS : POLC_PEER_PODS, NULL, selector, span);
}

struct polc_ast_peer *pol_service(struct pol_parser *p, const struct pol_token *name,
	const struct polc_ast_selector *selector, const struct pol_token *namespace,
	struct polc_span span)
{
	struct polc_ast_peer *peer = POLC_NEW(&p->polc->arena, struct polc_ast_peer);

	if (name)
		pol_check_name(p, name, "a service's name", false);
	if (namespace)
		pol_check_name(p, namespace, "a namespace", false);
	peer->kind = name ? POLC_PEER_SERVICE : POLC_PEER_SERVICE_SELECTOR;
	peer->span = span;
	peer->name = name ? name->text : NULL;
	peer->selector = selector;
	peer->namespace = namespace ? namespace->text : NULL;
	return peer;
}
