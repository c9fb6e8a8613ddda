/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The graph of policies alone: subjects and peers as they are written, an edge for what each rule
 * says about its own side. Selectors that bind a namespace stand in its cluster.
 */
#include <stdlib.h>

#include "../ir/labels.h"
#include "topology_internal.h"

struct selector_text {
	const char *namespace; /* or NULL */
	const char *name;
	enum polc_topology_kind kind;
};

static const struct {
	uint32_t kind;
	const char *text;
} kind_names[] = {
#define X(bit, name, text) {POLB_KIND_##name, text},
	POLB_KINDS(X)
#undef X
};

static const struct {
	uint32_t kinds;
	const char *text;
} entity_names[] = {
	{POLB_KIND_ANY, "any peer"},
	{POLB_KIND_POD, "all pods"},
	{POLB_KIND_WORLD | POLB_KIND_WORLD_IPV4 | POLB_KIND_WORLD_IPV6, "world"},
	{POLB_KIND_ANY & ~(POLB_KIND_WORLD | POLB_KIND_WORLD_IPV4 | POLB_KIND_WORLD_IPV6),
		"cluster"},
	{POLB_KIND_POD | POLB_KIND_HOST | POLB_KIND_REMOTE_NODE | POLB_KIND_KUBE_APISERVER |
			POLB_KIND_HEALTH | POLB_KIND_INIT | POLB_KIND_INGRESS | POLB_KIND_UNMANAGED,
		"cluster"},
	{POLB_KIND_NODE | POLB_KIND_HOST | POLB_KIND_REMOTE_NODE, "nodes"},
};

static const char *kinds_text(struct polc_arena *arena, uint32_t kinds)
{
	struct polc_buf text = {.arena = arena};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(entity_names); i++)
		if (entity_names[i].kinds == kinds)
			return entity_names[i].text;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(kind_names); i++)
		if (kinds & kind_names[i].kind)
			polc_buf_printf(&text, "%s%s", text.n ? ", " : "", kind_names[i].text);
	return text.n ? text.p : "nothing";
}

static bool binds_namespace(const struct polb_requirement *r)
{
	return r->op == POLB_OP_IN && r->n_values == 1 &&
	       (!strcmp(r->key, POLC_LABEL_NAMESPACE) ||
		       !strcmp(r->key, POLC_LABEL_NAMESPACE_LABELS "kubernetes.io/metadata.name"));
}

/* Said of every selector, of no interest. */
static bool is_usual(const struct polb_requirement *r)
{
	return !strcmp(r->key, POLC_LABEL_CLUSTER) ||
	       (r->op == POLB_OP_EXISTS && !strcmp(r->key, POLC_LABEL_NAMESPACE));
}

static void add_values(struct polc_buf *text, const struct polb_requirement *r)
{
	for (size_t i = 0; i < r->n_values; i++)
		polc_buf_printf(text, "%s%s", i ? "|" : "", r->values[i]);
}

static void add_requirement(struct polc_buf *text, const struct polb_requirement *r)
{
	size_t prefix = strlen(POLC_LABEL_NAMESPACE_LABELS);
	bool of_namespace = !strncmp(r->key, POLC_LABEL_NAMESPACE_LABELS, prefix);
	const char *key = of_namespace ? r->key + prefix : r->key;

	if (!strcmp(key, POLC_LABEL_NAMESPACE))
		key = "namespace";
	polc_buf_printf(text, "%s%s%s%s", text->n ? ", " : "", of_namespace ? "ns:" : "",
		r->op == POLB_OP_DOES_NOT_EXIST ? "no " : "", key);
	if (r->op == POLB_OP_IN || r->op == POLB_OP_NOT_IN) {
		polc_buf_puts(text, r->op == POLB_OP_IN ? "=" : "!=");
		add_values(text, r);
	}
}

static void add_prefix(struct polc_buf *text, const struct polb_selector *s)
{
	char prefix[POLB_ADDR_TEXT];

	if (s->has_prefix) {
		polb_prefix_format(&s->prefix, prefix);
		polc_buf_printf(text, "%s%s", text->n ? ", " : "", prefix);
	}
	for (size_t i = 0; i < s->n_excepts; i++) {
		polb_prefix_format(&s->excepts[i], prefix);
		polc_buf_printf(text, "%s %s", i ? "," : " but", prefix);
	}
}

static bool is_reserved(const struct polb_requirement *r)
{
	return !strcmp(r->source, "reserved");
}

static struct selector_text describe(struct polc_arena *arena, const struct polb_selector *s)
{
	struct polc_buf text = {.arena = arena};
	struct selector_text out = {.kind = POLC_TOPOLOGY_OUTSIDE};
	bool labels = false;

	for (size_t i = 0; i < s->n_requirements; i++) {
		const struct polb_requirement *r = &s->requirements[i];

		labels |= !is_reserved(r) && strcmp(r->source, "node");
		if (binds_namespace(r) && !out.namespace)
			out.namespace = r->values[0];
		else if (!is_usual(r))
			add_requirement(&text, r);
	}
	add_prefix(&text, s);
	if (labels || s->kinds == POLB_KIND_POD)
		out.kind = POLC_TOPOLOGY_PODS;
	if (!text.n && (labels || out.namespace))
		polc_buf_puts(&text, "all pods");
	else if (!text.n)
		polc_buf_puts(&text, kinds_text(arena, s->kinds));
	out.name = text.p;
	return out;
}

/* What the rules of each set say about one pair of nodes. */
struct statement {
	uint32_t from, to;
	enum polc_topology_style style;
	uint64_t *ports[2];
	struct polc_buf names[2]; /* ports known by name alone */
	POLC_VEC(struct polc_topology_rule) rules;
};

struct drawing {
	struct polc_topology_draft *d;
	struct polc_intern names;          /* "namespace\1name" */
	POLC_VEC(const char *) namespaces; /* by node, or NULL */
	uint32_t *node_of[2];              /* by set and selector */
	POLC_VEC(unsigned) sets;           /* by node: mask of sets that speak of it */
	struct polc_intern keys;
	POLC_VEC(struct statement) statements;
};

static uint32_t node_of(struct drawing *w, size_t set, uint32_t selector)
{
	struct polc_topology_draft *d = w->d;
	struct polc_arena *arena = d->builder->arena;
	const struct polc_network *network = d->builder->worlds[set].set->network;
	struct selector_text text = describe(arena, &network->selectors[selector]);
	const char *key =
		polc_arena_printf(arena, "%s\1%s", text.namespace ? text.namespace : "", text.name);
	uint32_t node = polc_intern(&w->names, key, strlen(key));

	if (node == d->out->nodes.n) {
		*polc_vec_push(arena, &d->out->nodes) = (struct polc_topology_node){
			.kind = text.kind, .name = text.name, .cluster = POLC_TOPOLOGY_NO_CLUSTER};
		*polc_vec_push(arena, &w->namespaces) = text.namespace;
		*polc_vec_push(arena, &w->sets) = 0;
	}
	w->sets.items[node] |= 1u << set;
	return node;
}

static struct statement *statement_of(
	struct drawing *w, uint32_t from, uint32_t to, enum polc_topology_style style)
{
	struct polc_arena *arena = w->d->builder->arena;
	const uint32_t key[3] = {from, to, style};
	uint32_t index = polc_intern(&w->keys, key, sizeof(key));

	if (index == w->statements.n)
		*polc_vec_push(arena, &w->statements) = (struct statement){.from = from,
			.to = to,
			.style = style,
			.names = {{.arena = arena}, {.arena = arena}}};
	return &w->statements.items[index];
}

static void add_names(struct polc_buf *names, const struct polc_net_rule *rule)
{
	for (size_t i = 0; i < rule->n_ports; i++)
		if (rule->ports[i].kind == POLC_PORT_NAME &&
			(!names->n || !strstr(names->p, rule->ports[i].name)))
			polc_buf_printf(names, "%s%s", names->n ? "," : "", rule->ports[i].name);
}

static void state(struct drawing *w, size_t set, const struct polc_net_rule *rule, uint32_t subject,
	uint32_t peer)
{
	struct polc_topology_builder *b = w->d->builder;
	bool in = rule->direction == POLC_INGRESS;
	struct statement *s = statement_of(w, in ? peer : subject, in ? subject : peer,
		rule->action == POLC_DENY ? POLC_TOPOLOGY_DENY : POLC_TOPOLOGY_ALLOW);

	if (!s->ports[set])
		s->ports[set] = POLC_NEW_ARRAY(b->arena, b->space.words, uint64_t);
	polc_bits_add(s->ports[set], b->worlds[set].rule_ports[rule->id - POLB_RULE_FIRST],
		b->space.words);
	add_names(&s->names[set], rule);
	*polc_vec_push(b->arena, &s->rules) = (struct polc_topology_rule){
		.set = (uint32_t)set, .id = rule->id, .direction = rule->direction};
}

static void draw_rule(struct drawing *w, size_t set, const struct polc_net_policy *policy,
	const struct polc_net_rule *rule)
{
	const struct polc_topology_options *options = w->d->builder->options;
	bool denies = rule->action == POLC_DENY;

	if (rule->action == POLC_PASS || (denies && !options->denied && w->d->builder->n_sets < 2))
		return;
	for (size_t i = 0; i < policy->n_subjects; i++)
		for (size_t j = 0; j < rule->n_selectors; j++)
			state(w, set, rule, node_of(w, set, policy->subjects[i]),
				node_of(w, set, rule->selectors[j]));
}

static void draw_policy(struct drawing *w, size_t set, const struct polc_net_policy *policy)
{
	const struct polc_network *network = w->d->builder->worlds[set].set->network;

	for (size_t i = 0; i < policy->n_subjects; i++) {
		uint32_t n = node_of(w, set, policy->subjects[i]);
		struct polc_topology_node *node = &w->d->out->nodes.items[n];

		node->kind = POLC_TOPOLOGY_PODS;
		for (int dir = 0; dir < 2; dir++)
			if (policy->isolates[dir])
				node->isolation[set][dir] = POLC_TOPOLOGY_ISOLATED;
	}
	for (uint32_t i = 0; i < policy->n_rules; i++)
		draw_rule(w, set, policy, &network->rules[policy->first_rule + i]);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void make_clusters(struct drawing *w)
{
	struct polc_topology *t = w->d->out;
	struct polc_arena *arena = w->d->builder->arena;
	const char **names = POLC_NEW_ARRAY(arena, t->nodes.n, const char *);
	size_t n = 0;

	for (size_t i = 0; i < t->nodes.n; i++)
		if (w->namespaces.items[i])
			names[n++] = w->namespaces.items[i];
	qsort(names, n, sizeof(*names), compare_texts);
	for (size_t i = 0; i < n; i++)
		if (!i || strcmp(names[i], names[i - 1]))
			*polc_vec_push(arena, &t->clusters) =
				(struct polc_topology_cluster){.name = names[i]};
	for (size_t i = 0; i < t->nodes.n; i++)
		for (uint32_t c = 0; c < t->clusters.n && w->namespaces.items[i]; c++)
			if (!strcmp(t->clusters.items[c].name, w->namespaces.items[i]))
				t->nodes.items[i].cluster = c;
}

static void find_changes(struct drawing *w)
{
	struct polc_topology *t = w->d->out;

	for (size_t i = 0; i < t->nodes.n && w->d->builder->n_sets == 2; i++) {
		struct polc_topology_node *node = &t->nodes.items[i];

		if (w->sets.items[i] != 3)
			node->change =
				w->sets.items[i] == 2 ? POLC_TOPOLOGY_ADDED : POLC_TOPOLOGY_REMOVED;
		else if (memcmp(node->isolation[0], node->isolation[1], sizeof(node->isolation[0])))
			node->change = POLC_TOPOLOGY_CHANGED;
	}
}

void polc_topology_of_selectors(struct polc_topology_draft *d)
{
	struct polc_topology_builder *b = d->builder;
	struct drawing w = {.d = d, .names = {.arena = b->arena}, .keys = {.arena = b->arena}};

	for (size_t set = 0; set < b->n_sets; set++)
		for (size_t i = 0; i < b->worlds[set].set->network->n_policies; i++)
			draw_policy(&w, set, &b->worlds[set].set->network->policies[i]);
	polc_topology_draft_flags(d, d->out->nodes.n + 1);
	memset(d->keep, 1, d->out->nodes.n);
	make_clusters(&w);
	find_changes(&w);
	for (size_t i = 0; i < w.statements.n; i++) {
		const struct statement *s = &w.statements.items[i];
		const uint64_t *const ports[2] = {s->ports[0], s->ports[1]};
		const char *const names[2] = {s->names[0].p, s->names[1].p};

		polc_topology_add_link(
			d, s->from, s->to, s->style, ports, names, s->rules.items, s->rules.n);
	}
}
