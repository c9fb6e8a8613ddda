/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Rules and policies in the words of people, for messages about sets of connections. */
#include <string.h>

#include "../ir/labels.h"
#include "reach_private.h"

enum { ALTERNATIVES_SHOWN = 3 };

static bool is_namespace(const struct polb_requirement *r)
{
	return !strcmp(r->key, POLC_LABEL_NAMESPACE) ||
	       !strcmp(r->key, POLC_LABEL_NAMESPACE_LABELS "kubernetes.io/metadata.name");
}

static void add_values(const struct polb_requirement *r, struct polc_buf *out)
{
	polc_buf_puts(out, "(");
	for (size_t i = 0; i < r->n_values; i++)
		polc_buf_printf(out, "%s%s", i ? ", " : "", r->values[i]);
	polc_buf_puts(out, ")");
}

static void add_requirement(const char *key, const struct polb_requirement *r, struct polc_buf *out)
{
	switch (r->op) {
	case POLB_OP_IN:
	case POLB_OP_NOT_IN:
		if (r->n_values == 1) {
			polc_buf_printf(
				out, "%s%s%s", key, r->op == POLB_OP_IN ? "=" : "!=", r->values[0]);
			return;
		}
		polc_buf_printf(out, "%s %s ", key, r->op == POLB_OP_IN ? "in" : "not in");
		add_values(r, out);
		return;
	case POLB_OP_EXISTS:
		polc_buf_puts(out, key);
		return;
	case POLB_OP_DOES_NOT_EXIST:
		polc_buf_printf(out, "no %s", key);
		return;
	}
}

/* Requirements on the party itself; false: there are none. */
static bool add_own_labels(const struct polb_selector *s, struct polc_buf *out)
{
	bool any = false;

	for (size_t i = 0; i < s->n_requirements; i++) {
		const struct polb_requirement *r = &s->requirements[i];
		if (is_namespace(r) || !strcmp(r->key, POLC_LABEL_CLUSTER) ||
			!strncmp(r->key, POLC_LABEL_NAMESPACE_LABELS,
				strlen(POLC_LABEL_NAMESPACE_LABELS)))
			continue;
		polc_buf_puts(out, any ? ", " : "");
		add_requirement(
			!strcmp(r->key, POLC_LABEL_SERVICE_ACCOUNT) ? "service account" : r->key, r,
			out);
		any = true;
	}
	return any;
}

static void add_namespaces(const struct polb_selector *s, struct polc_buf *out)
{
	const char *separator = " in namespaces with ";

	for (size_t i = 0; i < s->n_requirements; i++) {
		const struct polb_requirement *r = &s->requirements[i];
		size_t prefix = strlen(POLC_LABEL_NAMESPACE_LABELS);
		if (is_namespace(r) && r->op == POLB_OP_IN && r->n_values == 1) {
			polc_buf_printf(out, " in %s", r->values[0]);
		} else if (is_namespace(r) && r->n_values) {
			polc_buf_puts(out, r->op == POLB_OP_IN ? " in one of " : " not in ");
			add_values(r, out);
		} else if (!is_namespace(r) &&
			   !strncmp(r->key, POLC_LABEL_NAMESPACE_LABELS, prefix)) {
			polc_buf_puts(out, separator);
			add_requirement(r->key + prefix, r, out);
			separator = ", ";
		}
	}
}

static void add_kinds(uint32_t kinds, struct polc_buf *out)
{
	static const char *const names[] = {
#define X(bit, name, text) [bit] = text,
		POLB_KINDS(X)
#undef X
	};
	const uint32_t world = POLB_KIND_WORLD | POLB_KIND_WORLD_IPV4 | POLB_KIND_WORLD_IPV6;
	const uint32_t node = POLB_KIND_NODE | POLB_KIND_HOST | POLB_KIND_REMOTE_NODE;

	if (kinds == POLB_KIND_ANY)
		polc_buf_puts(out, "anyone");
	else if (kinds == POLB_KIND_POD)
		polc_buf_puts(out, "any pod");
	else if (kinds == world || kinds == POLB_KIND_WORLD)
		polc_buf_puts(out, "the world");
	else if (kinds == node)
		polc_buf_puts(out, "nodes");
	else if (kinds & (kinds - 1))
		polc_buf_puts(out, "the cluster");
	else
		polc_buf_puts(out, names[__builtin_ctz(kinds)]);
}

static void add_prefix(const struct polb_selector *s, struct polc_buf *out)
{
	char text[POLB_ADDR_TEXT];

	polb_prefix_format(&s->prefix, text);
	polc_buf_puts(out, text);
	for (size_t i = 0; i < s->n_excepts; i++) {
		polb_prefix_format(&s->excepts[i], text);
		polc_buf_printf(out, "%s%s", i ? ", " : " except ", text);
	}
}

static void add_selector(const struct polb_selector *s, struct polc_buf *out)
{
	if (s->has_prefix) {
		add_prefix(s, out);
		return;
	}
	if (!add_own_labels(s, out))
		add_kinds(s->n_requirements && s->kinds == POLB_KIND_ANY ? POLB_KIND_POD : s->kinds,
			out);
	add_namespaces(s, out);
}

static void add_alternatives(
	const struct polc_network *network, const uint32_t *ids, size_t n, struct polc_buf *out)
{
	for (size_t i = 0; i < n && i < ALTERNATIVES_SHOWN; i++) {
		polc_buf_puts(out, i ? " or " : "");
		add_selector(&network->selectors[ids[i]], out);
	}
	if (n > ALTERNATIVES_SHOWN)
		polc_buf_printf(out, " or %zu others", n - ALTERNATIVES_SHOWN);
	if (!n)
		polc_buf_puts(out, "nobody");
}

static void add_port_names(const struct polc_net_rule *rule, struct polc_buf *out)
{
	for (size_t i = 0; rule && i < rule->n_ports; i++)
		if (rule->ports[i].kind == POLC_PORT_NAME)
			polc_buf_printf(out, ", port %s", rule->ports[i].name);
}

void reach_describe(const struct reach_side *side, enum polc_direction direction,
	const struct polc_net_policy *policy, const struct polc_net_rule *rule,
	const struct polc_set *ports, struct polc_buf *out)
{
	const struct polc_space *space = side->reach->space;
	bool in = direction == POLC_INGRESS;

	polc_buf_puts(out, in ? "ingress of " : "egress of ");
	if (policy)
		add_alternatives(side->network, policy->subjects, policy->n_subjects, out);
	else
		polc_buf_puts(out, "pods that no policy selects");
	if (rule) {
		polc_buf_puts(out, in ? " from " : " to ");
		add_alternatives(side->network, rule->selectors, rule->n_selectors, out);
	}
	if (ports && !polc_set_within(space->everything[POLC_SLOT_PORT], ports)) {
		struct polc_buf text = {.arena = out->arena};
		polc_line_print(ports, &text);
		polc_buf_printf(out, ", %s", text.p);
	}
	add_port_names(rule, out);
}
