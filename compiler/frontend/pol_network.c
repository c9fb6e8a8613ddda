/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Network and endpoint blocks of the DSL: opens and closes them, takes their statements, and checks
 * what each kind of policy can say, so that every DSL policy has a spelling in YAML.
 */
#include "pol.h"

#include <string.h>

#define PRIORITY_MAX 1000

static void given_twice(
	struct pol_parser *p, struct polc_span *seen, struct polc_span span, const char *what)
{
	if (seen->source) {
		struct polc_diagnostic *d = polc_error(
			p->polc, span, POLC_CODE_DSL_DUPLICATE, "%s is given twice", what);

		polc_diagnostic_relate(p->polc, d, *seen, "first here");
	}
	*seen = span;
}

/* Blocks */

static void spec_start(struct pol_parser *p, struct polc_span span)
{
	static const enum polc_tier tiers[] = {
		[POLC_KIND_NETWORK_POLICY] = POLC_TIER_MIDDLE,
		[POLC_KIND_CILIUM] = POLC_TIER_MIDDLE,
		[POLC_KIND_CILIUM_CLUSTERWIDE] = POLC_TIER_MIDDLE,
		[POLC_KIND_CLUSTER] = POLC_TIER_ADMIN,
		[POLC_KIND_ADMIN] = POLC_TIER_ADMIN,
		[POLC_KIND_BASELINE_ADMIN] = POLC_TIER_BASELINE,
	};

	p->spec = POLC_NEW(&p->polc->arena, struct polc_ast_spec);
	p->spec->span = span;
	p->errors_before = p->polc->n_errors;
	p->spec->tier = tiers[p->policy->kind];
	p->subject_span = p->log_span = p->description_span = p->isolate_span =
		(struct polc_span){0};
	p->default_span[0] = p->default_span[1] = (struct polc_span){0};
}

/* The word '.' for a namespace: none is written, the object goes where it is applied. */
static void namespace_read(struct pol_parser *p, const struct pol_token *namespace)
{
	if (!polc_policy_kind_namespaced(p->policy->kind))
		return;
	p->policy->namespace = "default";
	if (strcmp(namespace->text, ".") == 0)
		return;
	pol_check_name(p, namespace, "a namespace", false);
	p->policy->namespace = namespace->text;
	p->policy->namespace_written = true;
}

void pol_network_open(struct pol_parser *p, enum polc_policy_kind kind,
	const struct pol_token *name, const struct pol_token *namespace, struct polc_span span)
{
	p->policy = POLC_NEW(&p->polc->arena, struct polc_ast_policy);
	*p->policy = (struct polc_ast_policy){
		.kind = kind, .name = name->text, .name_span = name->span, .span = span};
	pol_check_name(p, name, "a policy's name", true);
	namespace_read(p, namespace);
	if (kind == POLC_KIND_BASELINE_ADMIN && strcmp(name->text, "default") != 0)
		polc_error(p->polc, name->span, POLC_CODE_BAD_NAME,
			"the one baseline network is called 'default'");
	spec_start(p, span);
}

void pol_network_tier(struct pol_parser *p, const struct pol_token *tier)
{
	if (strcmp(tier->text, "admin") == 0)
		p->spec->tier = POLC_TIER_ADMIN;
	else if (strcmp(tier->text, "baseline") == 0)
		p->spec->tier = POLC_TIER_BASELINE;
	else
		polc_error(p->polc, tier->span, POLC_CODE_UNKNOWN_VALUE,
			"a tier is 'admin' or 'baseline', not '%.40s'", tier->text);
}

void pol_network_priority(struct pol_parser *p, const struct pol_token *priority)
{
	if (!pol_number(priority->text, strlen(priority->text), PRIORITY_MAX, &p->spec->priority))
		polc_error(p->polc, priority->span, POLC_CODE_BAD_PRIORITY,
			"a priority is a number 0 to %d, not '%.40s'", PRIORITY_MAX,
			priority->text);
}

void pol_network_mode(struct pol_parser *p, const struct pol_token *mode)
{
	given_twice(p, &p->policy->mode_span, mode->span, "the mode");
	if (!polc_policy_mode_parse(mode->text, &p->policy->mode))
		polc_error(p->polc, mode->span, POLC_CODE_UNKNOWN_VALUE,
			"a mode is 'audit' or 'enforce', not '%.40s'", mode->text);
}

/* The tree's order: ingress, egress; in Cilium's unordered lists allows before denies. */
static unsigned rule_place(const struct pol_parser *p, const struct polc_ast_rule *rule)
{
	bool deny = pol_is_cilium(p->policy->kind) && rule->action == POLC_DENY;

	return rule->direction * 2u + deny;
}

static void sort_rules(struct pol_parser *p)
{
	size_t n = p->spec->rules.n, out = 0;
	struct polc_ast_rule *sorted = POLC_NEW_ARRAY(&p->polc->arena, n, struct polc_ast_rule);

	for (unsigned place = 0; place < 4; place++)
		for (size_t i = 0; i < n; i++)
			if (rule_place(p, &p->spec->rules.items[i]) == place)
				sorted[out++] = p->spec->rules.items[i];
	p->spec->rules.items = sorted;
	p->spec->rules.cap = n;
}

/* What a spec lacks is not worth a word when something in it was not understood. */
static void check_complete(struct pol_parser *p, struct polc_span place)
{
	struct polc_ast_spec *spec = p->spec;

	if (p->polc->n_errors != p->errors_before)
		return;
	if (!p->subject_span.source) {
		struct polc_diagnostic *d = polc_error(p->polc, place, POLC_CODE_MISSING_FIELD,
			"no subject: which endpoints does this govern?");

		polc_diagnostic_suggest(p->polc, d, "'%s;' selects every one",
			pol_is_policy_api(p->policy->kind) ? "subject namespaces all"
							   : "subject all");
	}
	if (pol_is_cilium(p->policy->kind) && !spec->has_rules[0] && !spec->has_rules[1])
		polc_error(p->polc, place, POLC_CODE_EMPTY_SPEC,
			"no rule: %s needs at least one; 'ingress allow nothing;' isolates ingress",
			pol_kind_text(p));
}

static void spec_finish(struct pol_parser *p, struct polc_span place)
{
	check_complete(p, place);
	sort_rules(p);
	*polc_vec_push(&p->polc->arena, &p->policy->specs) = *p->spec;
	spec_start(p, place);
}

/* A statement of the network block itself, or no place. */
static struct polc_span stray_statement(const struct pol_parser *p)
{
	const struct polc_span spans[] = {p->subject_span, p->log_span, p->description_span,
		p->isolate_span, p->default_span[0], p->default_span[1]};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(spans); i++)
		if (spans[i].source)
			return spans[i];
	if (p->spec->rules.n)
		return p->spec->rules.items[0].span;
	if (p->spec->section[0] || p->spec->section[1] || p->spec->labels.n)
		return p->policy->name_span;
	return (struct polc_span){0};
}

static void refuse_stray(struct pol_parser *p)
{
	struct polc_span span = stray_statement(p);

	if (span.source)
		polc_error(p->polc, span, POLC_CODE_CONFLICTING_FIELDS,
			"statements cannot stand beside 'spec' blocks: put them into one");
}

void pol_spec_open(struct pol_parser *p, struct polc_span span)
{
	if (!pol_is_cilium(p->policy->kind))
		polc_error(p->polc, span, POLC_CODE_CONFLICTING_FIELDS,
			"%s has one subject: 'spec' blocks are Cilium's", pol_kind_text(p));
	spec_start(p, span);
}

void pol_spec_close(struct pol_parser *p)
{
	spec_finish(p, p->spec->span);
}

/* Without spec blocks the statements of the network block are its one spec. */
void pol_network_close(struct pol_parser *p)
{
	if (p->policy->specs.n == 0)
		spec_finish(p, p->policy->name_span);
	else
		refuse_stray(p);
	*polc_vec_push(&p->polc->arena, &p->input->ast.policies) = p->policy;
	p->policy = NULL;
	p->spec = NULL;
}

/* Statements */

static bool api_selection(const struct polc_ast_peer *peer)
{
	return peer->kind == POLC_PEER_NAMESPACES ||
	       (peer->kind == POLC_PEER_PODS && peer->namespace_selector && peer->pod_selector);
}

void pol_subject(struct pol_parser *p, const struct polc_ast_peer *subject, struct polc_span span)
{
	const char *wanted = NULL;

	given_twice(p, &p->subject_span, span, "the subject");
	if (pol_is_cilium(p->policy->kind) && subject->kind != POLC_PEER_ENDPOINTS)
		wanted = "endpoints by their labels";
	else if (pol_is_policy_api(p->policy->kind) && !api_selection(subject))
		wanted = "'namespaces ...', or pods in them: 'namespaces ... pods ...'";
	else if (p->policy->kind == POLC_KIND_NETWORK_POLICY &&
		 (subject->kind != POLC_PEER_PODS || subject->namespace_selector))
		wanted = "pods of its namespace by their labels";
	if (wanted)
		polc_error(p->polc, subject->span, POLC_CODE_BAD_SUBJECT, "the subject of %s is %s",
			pol_kind_text(p), wanted);
	p->spec->subject = *subject;
}

static void check_action(struct pol_parser *p, enum polc_action action, struct polc_span span)
{
	enum polc_policy_kind kind = p->policy->kind;

	if (kind == POLC_KIND_NETWORK_POLICY && action != POLC_ALLOW)
		polc_error(p->polc, span, POLC_CODE_BAD_ACTION, "rules of %s only allow",
			pol_kind_text(p));
	else if (action == POLC_PASS &&
		 (!pol_is_policy_api(kind) || kind == POLC_KIND_BASELINE_ADMIN))
		polc_error(p->polc, span, POLC_CODE_BAD_ACTION, "rules of %s cannot pass",
			pol_kind_text(p));
}

/* Peers that one rule of a Cilium policy may mix have the same number; 0: not for Cilium. */
static unsigned cilium_group(const struct polc_ast_peer *peer)
{
	switch (peer->kind) {
	case POLC_PEER_ENDPOINTS:
		return 1;
	case POLC_PEER_CIDR:
	case POLC_PEER_CIDR_GROUP:
	case POLC_PEER_CIDR_GROUP_SELECTOR:
		return 2;
	case POLC_PEER_ENTITY:
		return 3;
	case POLC_PEER_SERVICE:
	case POLC_PEER_SERVICE_SELECTOR:
		return 4;
	case POLC_PEER_PODS:
	case POLC_PEER_NAMESPACES:
	case POLC_PEER_NODES:
		return 0;
	}
	return 0;
}

static bool peer_fits(
	const struct pol_parser *p, const struct polc_ast_peer *peer, enum polc_direction direction)
{
	unsigned group = cilium_group(peer);

	if (pol_is_cilium(p->policy->kind))
		return group != 0 && (group != 4 || direction == POLC_EGRESS);
	if (p->policy->kind == POLC_KIND_NETWORK_POLICY)
		return peer->kind == POLC_PEER_PODS || peer->kind == POLC_PEER_CIDR;
	if (direction == POLC_EGRESS &&
		(peer->kind == POLC_PEER_NODES || peer->kind == POLC_PEER_CIDR))
		return peer->excepts.n == 0;
	return api_selection(peer);
}

static const char *peer_kind_text(enum polc_peer_kind kind)
{
	static const char *const texts[] = {
#define X(name, text) [POLC_PEER_##name] = text,
		POLC_PEER_KINDS(X)
#undef X
	};

	return texts[kind];
}

static void peer_misfit(
	struct pol_parser *p, const struct polc_ast_peer *peer, enum polc_direction direction)
{
	struct polc_diagnostic *d = polc_error(p->polc, peer->span, POLC_CODE_CONFLICTING_FIELDS,
		"%s rules of %s have no '%s' peers%s",
		direction == POLC_INGRESS ? "ingress" : "egress", pol_kind_text(p),
		peer_kind_text(peer->kind), peer->excepts.n ? " with 'except'" : "");

	if (pol_is_policy_api(p->policy->kind) && peer->kind == POLC_PEER_PODS)
		polc_diagnostic_suggest(
			p->polc, d, "say in which namespaces: 'namespaces all pods ...'");
}

static void check_peers(
	struct pol_parser *p, enum polc_direction direction, const struct pol_peer_clause *peers)
{
	const struct polc_ast_peer *first = peers->list.items;
	bool cilium = pol_is_cilium(p->policy->kind);

	for (size_t i = 0; i < peers->list.n; i++) {
		const struct polc_ast_peer *peer = &peers->list.items[i];
		struct polc_diagnostic *d;

		if (!peer_fits(p, peer, direction)) {
			peer_misfit(p, peer, direction);
		} else if (cilium && cilium_group(peer) != cilium_group(first)) {
			d = polc_error(p->polc, peer->span, POLC_CODE_CONFLICTING_FIELDS,
				"'%s' and '%s' peers cannot be in one rule of %s",
				peer_kind_text(first->kind), peer_kind_text(peer->kind),
				pol_kind_text(p));
			polc_diagnostic_suggest(
				p->polc, d, "write two rules: what either allows is allowed");
			return;
		}
	}
}

static bool is_icmp(const struct polc_ast_port *port)
{
	return port->protocols & (POLC_PROTO_ICMP | POLC_PROTO_ICMPV6);
}

static void check_ports(struct pol_parser *p, const struct pol_port_clause *ports)
{
	if (ports->list.n == 0 && !pol_is_cilium(p->policy->kind) && p->polc->n_errors == 0)
		polc_error(p->polc, ports->span, POLC_CODE_CONFLICTING_FIELDS,
			"a rule of %s with 'to none' would say nothing: leave it out",
			pol_kind_text(p));
	for (size_t i = 1; pol_is_cilium(p->policy->kind) && i < ports->list.n; i++) {
		if (is_icmp(&ports->list.items[i]) == is_icmp(&ports->list.items[0]))
			continue;
		polc_error(p->polc, ports->list.items[i].span, POLC_CODE_CONFLICTING_FIELDS,
			"ICMP types and ports cannot be in one rule of %s: write two rules",
			pol_kind_text(p));
		return;
	}
}

/* Who `from any` and `from none` are, depends on the kind; some cannot be said at all. */
static void check_presence(struct pol_parser *p, const struct polc_ast_rule *rule)
{
	bool none = rule->peers_presence == POLC_PRESENT && rule->peers.n == 0;
	struct polc_diagnostic *d;

	if (pol_is_cilium(p->policy->kind)) {
		if (rule->peers_presence == POLC_PRESENT || rule->ports_presence == POLC_PRESENT)
			return;
		d = polc_error(p->polc, rule->span, POLC_CODE_CONFLICTING_FIELDS,
			"a rule of %s names peers or ports", pol_kind_text(p));
		polc_diagnostic_suggest(p->polc, d,
			"'%s entity all' is everyone, 'nothing' is nobody",
			rule->direction == POLC_INGRESS ? "from" : "to");
	} else if (pol_is_policy_api(p->policy->kind) && (!rule->peers.n || none)) {
		polc_error(p->polc, rule->span, POLC_CODE_MISSING_FIELD,
			"a rule of %s names its peers", pol_kind_text(p));
	} else if (none) {
		polc_error(p->polc, rule->span, POLC_CODE_CONFLICTING_FIELDS,
			"a rule of %s with 'none' would say nothing: leave it out",
			pol_kind_text(p));
	}
}

/* The policy API's limits: 25 in v1alpha2, 100 in v1alpha1, names of 100 bytes. */
static size_t list_max(const struct pol_parser *p)
{
	return p->policy->kind == POLC_KIND_CLUSTER ? 25 : 100;
}

static void check_count(struct pol_parser *p, size_t n, const char *what, struct polc_span span)
{
	if (pol_is_policy_api(p->policy->kind) && n == list_max(p) + 1)
		polc_error(p->polc, span, POLC_CODE_TOO_MANY, "%s has at most %zu %s",
			pol_kind_text(p), list_max(p), what);
}

/* Neighbouring prefixes are one peer, up to 25 of them. */
static size_t count_api_peers(const struct pol_peer_clause *peers)
{
	size_t n = 0, networks = 0;

	for (size_t i = 0; i < peers->list.n; i++) {
		networks = peers->list.items[i].kind == POLC_PEER_CIDR ? networks + 1 : 0;
		n += networks % 25 == (networks > 0);
	}
	return n;
}

static void check_named_ports(struct pol_parser *p, const struct polc_ast_rule *rule)
{
	bool addresses = false;

	for (size_t i = 0; i < rule->peers.n; i++)
		addresses |= rule->peers.items[i].kind == POLC_PEER_CIDR ||
			     rule->peers.items[i].kind == POLC_PEER_NODES;
	for (size_t i = 0; addresses && i < rule->ports.n; i++)
		if (rule->ports.items[i].kind == POLC_PORT_NAME)
			polc_error(p->polc, rule->ports.items[i].span, POLC_CODE_CONFLICTING_FIELDS,
				"a named port needs peers that are pods, not prefixes or nodes");
}

static void check_api_limits(struct pol_parser *p, const struct polc_ast_rule *rule,
	const struct pol_peer_clause *peers, const struct pol_token *name)
{
	size_t n = 1;

	for (size_t i = 0; i < p->spec->rules.n; i++)
		n += p->spec->rules.items[i].direction == rule->direction;
	check_count(p, n, "rules in one direction", rule->span);
	check_count(p, rule->ports.n > list_max(p) ? list_max(p) + 1 : 0, "ports in a rule",
		rule->span);
	if (peers)
		check_count(p, count_api_peers(peers) > list_max(p) ? list_max(p) + 1 : 0,
			"peers in a rule", rule->span);
	if (name && strlen(name->text) > 100)
		polc_error(p->polc, name->span, POLC_CODE_TOO_MANY,
			"a rule's name has at most 100 characters");
	check_named_ports(p, rule);
}

static void rule_add(struct pol_parser *p, const struct polc_ast_rule *rule)
{
	p->spec->section[rule->direction] = true;
	p->spec->has_rules[rule->direction] = true;
	*polc_vec_push(&p->polc->arena, &p->spec->rules) = *rule;
}

void pol_rule(struct pol_parser *p, enum polc_direction direction, enum polc_action action,
	const struct pol_peer_clause *peers, const struct pol_port_clause *ports,
	const struct pol_token *name, struct polc_span first)
{
	struct polc_ast_rule rule = {.direction = direction, .action = action, .span = first};
	unsigned errors = p->polc->n_errors;

	check_action(p, action, first);
	if (name && !pol_is_policy_api(p->policy->kind))
		polc_error(p->polc, name->span, POLC_CODE_CONFLICTING_FIELDS,
			"rules of %s have no names", pol_kind_text(p));
	if (peers) {
		check_peers(p, direction, peers);
		rule.peers_presence = POLC_PRESENT;
		rule.peers.items = peers->list.items;
		rule.peers.n = rule.peers.cap = peers->list.n;
	}
	if (ports) {
		check_ports(p, ports);
		rule.ports_presence = POLC_PRESENT;
		rule.ports.items = ports->list.items;
		rule.ports.n = rule.ports.cap = ports->list.n;
	}
	rule.name = name ? name->text : NULL;
	if (pol_is_policy_api(p->policy->kind))
		check_api_limits(p, &rule, peers, name);
	if (errors == p->polc->n_errors)
		check_presence(p, &rule);
	rule_add(p, &rule);
}

void pol_rule_nothing(struct pol_parser *p, enum polc_direction direction, enum polc_action action,
	struct polc_span first, struct polc_span all)
{
	struct polc_ast_rule rule = {
		.direction = direction, .action = action, .span = first, .selects_nothing = true};

	if (!pol_is_cilium(p->policy->kind))
		polc_error(p->polc, all, POLC_CODE_CONFLICTING_FIELDS,
			"'nothing' is for Cilium policies; in %s leave the rule out",
			pol_kind_text(p));
	check_action(p, action, first);
	rule_add(p, &rule);
}

void pol_default(struct pol_parser *p, enum polc_direction direction, enum polc_tristate deny,
	struct polc_span span)
{
	given_twice(p, &p->default_span[direction], span, "the default of a direction");
	if (!pol_is_cilium(p->policy->kind))
		polc_error(p->polc, span, POLC_CODE_CONFLICTING_FIELDS,
			"%s has no default of its own", pol_kind_text(p));
	p->spec->default_deny[direction] = deny;
}

void pol_section(struct pol_parser *p, enum polc_direction direction)
{
	p->spec->section[direction] = true;
}

void pol_isolate(struct pol_parser *p, unsigned directions, struct polc_span span)
{
	given_twice(p, &p->isolate_span, span, "'isolate'");
	if (p->policy->kind != POLC_KIND_NETWORK_POLICY)
		polc_error(p->polc, span, POLC_CODE_CONFLICTING_FIELDS,
			"'isolate' is for Kubernetes network policies");
	p->spec->policy_types_presence = POLC_PRESENT;
	p->spec->policy_types[POLC_INGRESS] = directions & 1u << POLC_INGRESS;
	p->spec->policy_types[POLC_EGRESS] = directions & 1u << POLC_EGRESS;
}

static bool cilium_text(struct pol_parser *p, const char *what, struct polc_span span)
{
	if (pol_is_cilium(p->policy->kind))
		return true;
	polc_error(p->polc, span, POLC_CODE_CONFLICTING_FIELDS, "%s has no %s", pol_kind_text(p),
		what);
	return false;
}

/* Counts characters; a byte that continues one is none. */
static bool log_value_ok(const char *text)
{
	size_t n = 0;

	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c < ' ' || *c == 0x7f)
			return false;
		n += (*c & 0xc0) != 0x80;
	}
	return n <= 32;
}

void pol_log(struct pol_parser *p, const struct pol_token *value, struct polc_span span)
{
	given_twice(p, &p->log_span, span, "'log'");
	if (!cilium_text(p, "log value", span))
		return;
	if (!log_value_ok(value->text))
		polc_error(p->polc, value->span, POLC_CODE_UNKNOWN_VALUE,
			"a log value is at most 32 printable characters");
	p->spec->log = value->text;
}

void pol_description(struct pol_parser *p, const struct pol_token *text, struct polc_span span)
{
	given_twice(p, &p->description_span, span, "'description'");
	if (cilium_text(p, "description", span))
		p->spec->description = text->text;
}
