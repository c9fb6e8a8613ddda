/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names: who is cut off from DNS, and who may ask over UDP only. */
#include <string.h>

#include "lint_network.h"

#define DNS_PORT 53

static bool covers_dns(const struct polc_net_rule *rule, uint8_t protocol)
{
	for (size_t i = 0; i < rule->n_ports; i++)
		if (polc_lint_port_covers(&rule->ports[i], protocol, DNS_PORT))
			return true;
	return false;
}

/* May some peer be one of both rules? */
static bool peers_meet(const struct polc_network_lint *l, const struct polc_net_rule *a,
	const struct polc_net_rule *b)
{
	for (size_t i = 0; i < a->n_selectors; i++)
		for (size_t j = 0; j < b->n_selectors; j++)
			if (polc_lint_may_meet(&l->network->selectors[a->selectors[i]],
				    &l->network->selectors[b->selectors[j]]))
				return true;
	return false;
}

/* Does a policy allow DNS to or from anybody; given a rule, anybody of its peers? */
static bool allows(const struct polc_network_lint *l, uint32_t policy,
	enum polc_direction direction, uint8_t protocol, const struct polc_net_rule *like)
{
	const struct polc_net_policy *p = &l->network->policies[policy];

	for (uint32_t i = p->first_rule; i < p->first_rule + p->n_rules; i++) {
		const struct polc_net_rule *rule = &l->network->rules[i];

		if (rule->direction == direction && rule->action != POLC_DENY &&
			rule->n_selectors && covers_dns(rule, protocol) &&
			(!like || peers_meet(l, rule, like)))
			return true;
	}
	return false;
}

/* Does a policy that may have the same subjects allow it? */
static bool somebody_allows(const struct polc_network_lint *l, uint32_t policy,
	enum polc_direction direction, uint8_t protocol, const struct polc_net_rule *like)
{
	for (uint32_t i = 0; i < l->network->n_policies; i++)
		if (allows(l, i, direction, protocol, like) &&
			(i == policy || polc_lint_may_share(l, policy, i)))
			return true;
	return false;
}

/* An endpoint of a policy for which none of its policies allows DNS; -1: there is none. */
static int64_t cut_off(const struct polc_network_lint *l, uint32_t policy)
{
	const struct polc_lint_policy *p = &l->policies[policy];

	for (size_t i = 0; i < p->endpoints.n; i++) {
		const struct polc_lint_selected *selected = &l->selected[p->endpoints.items[i]];
		bool allowed = false;

		for (size_t k = 0; !allowed && k < selected->n; k++)
			allowed =
				allows(l, selected->policies[k], POLC_EGRESS, POLC_PROTO_UDP, NULL);
		if (!allowed)
			return p->endpoints.items[i];
	}
	return -1;
}

/* Are such peers reached by a name? Not addresses, nor what is no pod of the cluster. */
static bool needs_names(const struct polc_ast_rule *rule)
{
	static const char *const entities[] = {
		"all", "world", "world-ipv4", "world-ipv6", "cluster", "cluster-mesh"};

	if (rule->direction != POLC_EGRESS || rule->action != POLC_ALLOW || rule->selects_nothing)
		return false;
	for (size_t i = 0; i < rule->peers.n; i++) {
		const struct polc_ast_peer *peer = &rule->peers.items[i];

		if (peer->kind == POLC_PEER_CIDR)
			continue;
		if (peer->kind != POLC_PEER_ENTITY)
			return true;
		for (size_t k = 0; k < POLC_ARRAY_SIZE(entities); k++)
			if (!strcmp(peer->name, entities[k]))
				return true;
	}
	return false;
}

/* Who serves names to others: by the labels that DNS servers of clusters carry. */
static bool serves_names(const struct polc_network_lint *l, const struct polc_net_policy *p)
{
	for (size_t i = 0; i < p->n_subjects; i++) {
		const struct polb_selector *s = &l->network->selectors[p->subjects[i]];

		for (size_t k = 0; k < s->n_requirements; k++)
			for (size_t v = 0; v < s->requirements[k].n_values; v++)
				if (s->requirements[k].op == POLB_OP_IN &&
					strstr(s->requirements[k].values[v], "dns"))
					return true;
	}
	return false;
}

/* What one policy is blamed for, others with the same subjects are not. */
static bool blamed_before(const struct polc_network_lint *l, const bool *blamed, uint32_t policy)
{
	const struct polc_net_policy *p = &l->network->policies[policy];

	for (uint32_t i = 0; i < policy; i++) {
		const struct polc_net_policy *q = &l->network->policies[i];

		if (blamed[i] && p->n_subjects == q->n_subjects &&
			!memcmp(p->subjects, q->subjects, p->n_subjects * sizeof(*p->subjects)))
			return true;
	}
	return false;
}

static void lint_cut_off(const struct polc_network_lint *l, bool *blamed, uint32_t policy)
{
	const struct polc_lint_policy *p = &l->policies[policy];
	const struct polc_ast_rule *rule = NULL;
	struct polc_diagnostic *d;
	int64_t endpoint = -1;

	for (size_t i = 0; !rule && i < p->net->n_rules; i++)
		rule = needs_names(p->rules[i]) ? p->rules[i] : NULL;
	if (!p->net->isolates[POLC_EGRESS] || !rule || serves_names(l, p->net) ||
		blamed_before(l, blamed, policy))
		return;
	if (p->endpoints.n)
		endpoint = cut_off(l, policy);
	if (p->endpoints.n ? endpoint < 0
			   : somebody_allows(l, policy, POLC_EGRESS, POLC_PROTO_UDP, NULL))
		return;
	blamed[policy] = true;
	d = polc_lint_report(l->polc, rule->span, POLC_CODE_DEFAULT_DENY_WITHOUT_DNS,
		"'%s' isolates egress, and no policy here allows %s to ask for names (udp/53): "
		"nothing can be reached by its name",
		p->net->name,
		endpoint < 0 ? "its subjects" : polc_lint_endpoint_name(l, (uint32_t)endpoint));
	polc_diagnostic_suggest(
		l->polc, d, "allow egress to the cluster's DNS servers on udp/53 and tcp/53");
}

/* UDP only */

static bool is_dns_over_udp(const struct polc_ast_port *port)
{
	return port->kind == POLC_PORT_RANGE && port->lo == DNS_PORT && port->hi == DNS_PORT &&
	       port->protocols == POLC_PROTO_UDP;
}

static size_t count(const char *text, size_t n, const char *word)
{
	size_t found = 0, length = strlen(word);

	for (const char *p = text; (p = memmem(p, n - (size_t)(p - text), word, length));
		p += length)
		found++;
	return found;
}

/* The item again with TCP; NULL when it is not as simple as it should be. */
static const char *as_tcp(
	struct polc_arena *arena, const char *text, size_t n, const char *udp, const char *tcp)
{
	char *copy = polc_arena_strndup(arena, text, n), *at;

	if (count(text, n, udp) != 1 || memchr(text, '#', n) || memchr(text, '&', n) ||
		memchr(text, '*', n))
		return NULL;
	at = strstr(copy, udp);
	memcpy(at, tcp, strlen(tcp));
	return copy;
}

/* A block item's first and last line, by its dash and indentation. */
static bool block_item(
	const struct polc_source *source, uint32_t at, uint32_t *begin, uint32_t *end)
{
	uint32_t line = at, dash;

	while (line && source->text[line - 1] != '\n')
		line--;
	dash = line + (uint32_t)strspn(source->text + line, " ");
	if (source->text[dash] != '-' || strspn(source->text + dash + 1, " ") != at - dash - 1)
		return false;
	*begin = line;
	for (*end = line;;) {
		const char *next = memchr(source->text + *end, '\n', source->len - *end);
		size_t indent;

		if (!next)
			return false;
		*end = (uint32_t)(next + 1 - source->text);
		indent = strspn(source->text + *end, " ");
		if (indent <= dash - line || strchr("\r\n", source->text[*end + indent]))
			return true;
	}
}

/* `{port: "53", protocol: UDP}` in a list of its like; `at` is at the brace or behind it. */
static bool flow_item(const struct polc_source *source, uint32_t at, uint32_t *begin, uint32_t *end)
{
	const char *close = memchr(source->text + at, '}', source->len - at);

	at += source->text[at] == '{';
	while (at && source->text[at - 1] == ' ')
		at--;
	if (!at || source->text[at - 1] != '{' || !close)
		return false;
	*begin = at - 1;
	*end = (uint32_t)(close + 1 - source->text);
	return !memchr(source->text + *begin, '\n', *end - *begin);
}

/* What stands before a flow item: "[" or "," means that another may precede it. */
static bool in_flow_list(const struct polc_source *source, uint32_t begin)
{
	while (begin && strchr(" \n", source->text[begin - 1]))
		begin--;
	return begin && strchr("[,", source->text[begin - 1]);
}

static void offer_tcp(const struct polc_network_lint *l, const struct polc_ast_port *port,
	struct polc_diagnostic *d)
{
	const struct polc_source *source = polc_source_get(&l->polc->sources, port->span.source);
	struct polc_span place = port->span;
	const char *copy = NULL, *between = "";
	uint32_t begin, end, brace;

	if (port->span.end - port->span.begin == 6 &&
		!memcmp(source->text + port->span.begin, "udp/53", 6)) {
		copy = "tcp/53, ";
	} else if (flow_item(source, port->span.begin, &begin, &end)) {
		brace = begin;
		if (in_flow_list(source, brace)) {
			copy = as_tcp(l->arena, source->text + begin, end - begin, "UDP", "TCP");
			between = ", ";
		} else if (block_item(source, brace, &begin, &end)) {
			copy = as_tcp(l->arena, source->text + begin, end - begin, "UDP", "TCP");
		}
		place.begin = begin;
	} else if (block_item(source, port->span.begin, &begin, &end)) {
		copy = as_tcp(l->arena, source->text + begin, end - begin, "UDP", "TCP");
		place.begin = begin;
	}
	if (!copy)
		return;
	place.end = place.begin;
	polc_diagnostic_fix(l->polc, d, "allow tcp/53 beside it");
	polc_diagnostic_edit(l->polc, d, place, "%s%s", copy, between);
}

static void lint_udp_only(const struct polc_network_lint *l, uint32_t policy, uint32_t index)
{
	const struct polc_ast_rule *rule = l->policies[policy].rules[index];
	const struct polc_net_rule *meaning =
		&l->network->rules[l->network->policies[policy].first_rule + index];

	if (rule->action != POLC_ALLOW || rule->unsupported)
		return;
	for (size_t i = 0; i < rule->ports.n; i++) {
		const struct polc_ast_port *port = &rule->ports.items[i];
		struct polc_diagnostic *d;

		if (!is_dns_over_udp(port) ||
			somebody_allows(l, policy, rule->direction, POLC_PROTO_TCP, meaning))
			continue;
		d = polc_lint_report(l->polc, port->span, POLC_CODE_DNS_UDP_ONLY,
			"DNS is allowed over UDP only: answers that do not fit into a packet are "
			"asked for again over TCP, which no policy here allows");
		offer_tcp(l, port, d);
	}
}

void polc_lint_dns(const struct polc_network_lint *l)
{
	bool *blamed = POLC_NEW_ARRAY(l->arena, l->network->n_policies, bool);

	for (uint32_t i = 0; i < l->network->n_policies; i++) {
		lint_cut_off(l, blamed, i);
		for (uint32_t k = 0; k < l->policies[i].net->n_rules; k++)
			lint_udp_only(l, i, k);
	}
}
