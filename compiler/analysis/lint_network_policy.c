/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The lints that look at one policy as it is written, and at nothing else. */
#include <ctype.h>
#include <string.h>

#include "../ir/labels.h"
#include "lint_network.h"

static const char *const direction_names[] = {"ingress", "egress"};

/*
 * A direction with denials alone isolates its subjects (reference 1.2), which surprises who meant
 * to add a denial to what is open. Not when the default is written, or a rule is there to isolate.
 */
static void lint_deny_only(const struct polc_network_lint *l, const struct polc_ast_spec *spec,
	enum polc_direction direction)
{
	const char *name = direction_names[direction];
	const struct polc_ast_rule *first = NULL;
	struct polc_diagnostic *d;

	if (spec->default_deny[direction] != POLC_UNSET)
		return;
	for (size_t i = 0; i < spec->rules.n; i++) {
		const struct polc_ast_rule *rule = &spec->rules.items[i];

		if (rule->direction != direction)
			continue;
		if (rule->action != POLC_DENY || rule->selects_nothing)
			return;
		first = first ? first : rule;
	}
	if (!first)
		return;
	d = polc_lint_report(l->polc, first->span, POLC_CODE_DENY_ONLY,
		"this policy only denies %s, and by that isolates its subjects: what no policy "
		"allows is denied too",
		name);
	polc_diagnostic_suggest(l->polc, d,
		"if only these denials are meant, write 'enableDefaultDeny: {%s: false}', in the "
		"DSL '%s default allow;'",
		name, name);
}

/* What words in a name or description lead a reader to expect */

/* Is one of the words in the text, as a word of its own? "-", "_" and blanks part words. */
static bool mentions(const char *text, const char *const *words, size_t n)
{
	while (text && *text) {
		size_t length = 0;

		while (isalnum((unsigned char)text[length]))
			length++;
		for (size_t i = 0; i < n; i++)
			if (strlen(words[i]) == length && !strncasecmp(text, words[i], length))
				return true;
		text += length + (text[length] != '\0');
	}
	return false;
}

#define MENTIONS(policy, spec, ...)                                                                \
	mentions_either((policy), (spec), (const char *const[]){__VA_ARGS__},                      \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static bool mentions_either(const struct polc_ast_policy *policy, const struct polc_ast_spec *spec,
	const char *const *words, size_t n)
{
	return mentions(policy->name, words, n) || mentions(spec->description, words, n);
}

static void report_meaning(const struct polc_network_lint *l, const struct polc_ast_policy *policy,
	struct polc_span span, const char *meaning, const char *suggestion)
{
	struct polc_diagnostic *d = polc_lint_report(l->polc, span, POLC_CODE_EMPTY_PEER_MEANING,
		"%s, which '%s' does not suggest", meaning, policy->name);

	polc_diagnostic_suggest(l->polc, d, "%s", suggestion);
}

static bool allows_everything(const struct polc_ast_rule *rule)
{
	return rule->action == POLC_ALLOW && rule->peers_presence == POLC_ABSENT &&
	       rule->ports_presence == POLC_ABSENT && !rule->selects_nothing;
}

static bool is_everything(const struct polc_ast_selector *selector)
{
	return selector && !selector->requirements.n;
}

/* `- {}`: everything to a NetworkPolicy, nothing to Cilium (reference 1.4, trap 2). */
static void lint_empty_rule(const struct polc_network_lint *l, const struct polc_ast_policy *policy,
	const struct polc_ast_spec *spec, const struct polc_ast_rule *rule)
{
	const char *direction = direction_names[rule->direction];

	if (policy->kind == POLC_KIND_NETWORK_POLICY && allows_everything(rule) &&
		!MENTIONS(policy, spec, "allow", "permit", "open") &&
		MENTIONS(policy, spec, "deny", "denyall", "isolate", "isolation", "block", "drop",
			"restrict"))
		report_meaning(l, policy, rule->span,
			polc_arena_printf(l->arena,
				"an empty rule of a NetworkPolicy allows all %s", direction),
			polc_arena_printf(l->arena, "'%s: []' with the policy type allows nothing",
				direction));
	if (rule->selects_nothing && rule->action == POLC_ALLOW &&
		MENTIONS(policy, spec, "allow", "permit", "open") &&
		!MENTIONS(policy, spec, "deny", "isolate", "block"))
		report_meaning(l, policy, rule->span,
			polc_arena_printf(l->arena, "an empty rule of a Cilium policy allows no %s",
				direction),
			"'fromEntities: [all]' or 'toEntities: [all]' allows everything");
}

/* `fromEndpoints: [{}]`: pods of the namespace, or pods of all; never what is no pod. */
static void lint_empty_peer(const struct polc_network_lint *l, const struct polc_ast_policy *policy,
	const struct polc_ast_spec *spec, const struct polc_ast_rule *rule)
{
	const struct polc_ast_peer *peer = rule->peers.items;
	bool clusterwide = policy->kind == POLC_KIND_CILIUM_CLUSTERWIDE;

	if (rule->action != POLC_ALLOW || rule->peers.n != 1 || peer->kind != POLC_PEER_ENDPOINTS ||
		!is_everything(peer->selector))
		return;
	if (MENTIONS(policy, spec, "namespace", "ns", "same", "intra", "local", "pod", "pods",
		    "endpoint", "endpoints"))
		return;
	if (!MENTIONS(policy, spec, "all", "any", "everything", "everyone", "anywhere", "world",
		    "external", "internet") &&
		(clusterwide || !MENTIONS(policy, spec, "cluster", "clusterwide", "global")))
		return;
	report_meaning(l, policy, peer->span,
		clusterwide ? "'{}' is every pod, but no node and nothing outside the cluster"
			    : "'{}' is every pod of the policy's own namespace, and nothing else",
		clusterwide ? "the entity 'all' is everything, 'cluster' is all that is in it"
			    : "for pods of every namespace: matchExpressions: [{key: "
			      "k8s:io.kubernetes.pod.namespace, operator: Exists}]");
}

/* `- fromEndpoints: ...` and `- toPorts: ...` as two items allow either (reference 1.3). */

static bool has_peers_only(const struct polc_ast_rule *rule)
{
	return rule->peers_presence == POLC_PRESENT && rule->ports_presence == POLC_ABSENT;
}

static bool has_ports_only(const struct polc_ast_rule *rule)
{
	return rule->peers_presence == POLC_ABSENT && rule->ports_presence == POLC_PRESENT;
}

/* Ports before peers are seldom an accident: "DNS to anybody, and everything to these". */
static bool were_one(const struct polc_ast_rule *a, const struct polc_ast_rule *b)
{
	return a->direction == b->direction && a->action == POLC_ALLOW && b->action == POLC_ALLOW &&
	       has_peers_only(a) && has_ports_only(b);
}

static void lint_separate_rules(const struct polc_network_lint *l, const struct polc_ast_rule *a,
	const struct polc_ast_rule *b)
{
	struct polc_diagnostic *d;

	if (!were_one(a, b))
		return;
	d = polc_lint_report(l->polc, b->span, POLC_CODE_SEPARATE_ITEMS,
		"two rules, one with peers and one with ports: either is enough, so %s on these "
		"ports is allowed with everybody, and these peers on every port",
		direction_names[b->direction]);
	polc_diagnostic_relate(l->polc, d, a->span, "the other rule");
	polc_diagnostic_suggest(l->polc, d,
		"for these peers on these ports write both into one rule (in YAML: without the "
		"second '-')");
}

/*
 * `- namespaceSelector: ...` and `- podSelector: ...` as two items of one list: pods of other
 * namespaces were probably meant, but a podSelector alone is about the policy's own namespace.
 */
static void lint_separate_peers(const struct polc_network_lint *l, const struct polc_ast_rule *rule)
{
	for (size_t i = 1; i < rule->peers.n; i++) {
		const struct polc_ast_peer *a = &rule->peers.items[i - 1],
					   *b = &rule->peers.items[i];
		struct polc_diagnostic *d;

		if (a->kind != POLC_PEER_PODS || b->kind != POLC_PEER_PODS || a->pod_selector ||
			b->namespace_selector || rule->peers.n != 2 ||
			is_everything(a->namespace_selector) || is_everything(b->pod_selector))
			continue;
		d = polc_lint_report(l->polc, b->span, POLC_CODE_SEPARATE_ITEMS,
			"two peers: all pods of those namespaces, and these pods of the policy's "
			"own namespace");
		polc_diagnostic_relate(l->polc, d, a->span, "the other peer");
		polc_diagnostic_suggest(l->polc, d,
			"for these pods of those namespaces write both selectors into one peer (in "
			"YAML: without the second '-')");
	}
}

/* Namespaces of Cilium's peers */

static const char *key_of(const char *written, bool *reserved)
{
	const char *colon = strchr(written, ':');

	*reserved = !strncmp(written, "reserved:", 9);
	return colon ? colon + 1 : written;
}

static bool is_negative(const struct polc_ast_requirement *r)
{
	return r->op == POLB_OP_NOT_IN || r->op == POLB_OP_DOES_NOT_EXIST;
}

static bool is_about_namespace(const struct polc_ast_requirement *r)
{
	bool reserved;
	const char *key = key_of(r->key, &reserved);

	return !reserved &&
	       (!strcmp(key, POLC_LABEL_NAMESPACE) || !strncmp(key, POLC_LABEL_NAMESPACE_LABELS,
							      strlen(POLC_LABEL_NAMESPACE_LABELS)));
}

static const char *what_widens(const struct polc_ast_requirement *r)
{
	bool reserved;

	key_of(r->key, &reserved);
	if (reserved && is_negative(r))
		return "a reserved label, even excluded, removes the restriction to the policy's "
		       "namespace and cluster: this peer is nearly everything, nodes and the world "
		       "included";
	if (is_about_namespace(r) && r->op == POLB_OP_DOES_NOT_EXIST)
		return "a namespace label, even excluded, removes the restriction to the policy's "
		       "namespace: this peer is in every namespace without that label";
	return NULL;
}

/* A selector that also says where its pods are is not widened by what it excludes. */
static void lint_widened(const struct polc_network_lint *l, const struct polc_ast_policy *policy,
	const struct polc_ast_peer *peer)
{
	const struct polc_ast_selector *s = peer->selector;

	if (peer->kind != POLC_PEER_ENDPOINTS || policy->kind != POLC_KIND_CILIUM || !s)
		return;
	for (size_t i = 0; i < s->requirements.n; i++)
		if (is_about_namespace(&s->requirements.items[i]) &&
			!is_negative(&s->requirements.items[i]))
			return;
	for (size_t i = 0; i < s->requirements.n; i++) {
		const char *why = what_widens(&s->requirements.items[i]);
		struct polc_diagnostic *d;

		if (!why)
			continue;
		d = polc_lint_report(l->polc, s->requirements.items[i].span,
			POLC_CODE_NAMESPACE_WIDENED, "%s", why);
		polc_diagnostic_suggest(l->polc, d,
			"say where the pods are: \"k8s:io.kubernetes.pod.namespace\": %s",
			policy->namespace);
		return;
	}
}

/* Ingress from anywhere */

static bool is_world(const struct polc_ast_peer *peer)
{
	static const char *const entities[] = {"all", "world", "world-ipv4", "world-ipv6"};

	if (peer->kind == POLC_PEER_CIDR)
		return !peer->cidr.len && !peer->excepts.n;
	for (size_t i = 0; peer->kind == POLC_PEER_ENTITY && i < POLC_ARRAY_SIZE(entities); i++)
		if (!strcmp(peer->name, entities[i]))
			return true;
	return false;
}

static void lint_world_open(const struct polc_network_lint *l, const struct polc_ast_rule *rule)
{
	struct polc_span span = rule->span;
	bool open = rule->peers_presence == POLC_ABSENT && !rule->selects_nothing;

	if (rule->direction != POLC_INGRESS || rule->action != POLC_ALLOW || rule->unsupported ||
		(rule->ports_presence == POLC_PRESENT && !rule->ports.n))
		return;
	for (size_t i = 0; !open && i < rule->peers.n; i++) {
		open = is_world(&rule->peers.items[i]);
		span = open ? rule->peers.items[i].span : span;
	}
	if (open)
		polc_lint_report(l->polc, span, POLC_CODE_WORLD_OPEN_INGRESS,
			"this allows ingress from everywhere, the world outside the cluster "
			"included%s",
			rule->ports_presence == POLC_ABSENT ? ", on every port" : "");
}

void polc_lint_policy_alone(const struct polc_network_lint *l, const struct polc_ast_policy *policy,
	const struct polc_ast_spec *spec)
{
	bool cilium = polc_lint_is_cilium(policy->kind);

	for (unsigned d = 0; d < 2 && cilium; d++)
		lint_deny_only(l, spec, (enum polc_direction)d);
	for (size_t i = 0; i < spec->rules.n; i++) {
		const struct polc_ast_rule *rule = &spec->rules.items[i];

		lint_empty_rule(l, policy, spec, rule);
		if (cilium)
			lint_empty_peer(l, policy, spec, rule);
		/* on a node, which has more clients than a pod, either is usual */
		if (i && !spec->unsupported)
			lint_separate_rules(l, &spec->rules.items[i - 1], rule);
		if (policy->kind == POLC_KIND_NETWORK_POLICY)
			lint_separate_peers(l, rule);
		for (size_t k = 0; k < rule->peers.n; k++)
			lint_widened(l, policy, &rule->peers.items[k]);
		lint_world_open(l, rule);
	}
}
