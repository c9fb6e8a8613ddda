/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The decisions of a pair for all its ports at once. The order of steps is the evaluator's
 * (analysis/evaluate.c), with a set of ports where that has one port; tests compare the two.
 */
#include "topology_internal.h"

enum { N_SIDE_SETS = 4 };

void polc_topology_side_init(struct polc_topology_builder *b, struct polc_topology_side *side)
{
	size_t words = b->space.words;
	uint64_t *bits = POLC_NEW_ARRAY(b->arena, N_SIDE_SETS * words, uint64_t);

	*side = (struct polc_topology_side){
		.rule_allow = bits,
		.default_allow = bits + words,
		.rule_deny = bits + 2 * words,
		.default_deny = bits + 3 * words,
	};
}

/* One side under decision. */
struct deciding {
	struct polc_topology_builder *b;
	const struct polc_topology_world *world;
	const struct polc_topology_subject *subject;
	const struct polc_topology_view *view;
	enum polc_direction direction;
	struct polc_topology_side *side;
	uint64_t *open, *covered; /* undecided ports; those of the rule looked at */
};

static void note_used(struct deciding *d, uint32_t id, bool allows, const uint64_t *ports)
{
	size_t words = d->b->space.words;
	struct polc_topology_used *used = polc_vec_push(d->b->arena, &d->side->used);

	if (!used->ports) /* else of an earlier decision */
		used->ports = POLC_NEW_ARRAY(d->b->arena, words, uint64_t);
	used->id = id;
	used->allows = allows;
	memcpy(used->ports, ports, words * sizeof(*ports));
}

/* Puts the rule's still open ports into d->covered; false when there are none. */
static bool covers(struct deciding *d, const struct polc_net_rule *rule, const uint64_t *open)
{
	size_t index = (size_t)(rule - d->world->set->network->rules), words = d->b->space.words;
	bool in = d->direction == POLC_INGRESS;

	if (rule->direction != d->direction || !polc_bits_has(d->view->rules, index))
		return false;
	memcpy(d->covered, d->world->rule_ports[index], words * sizeof(uint64_t));
	for (size_t i = 0; d->world->rule_has_names[index] && i < rule->n_ports; i++)
		if (rule->ports[i].kind == POLC_PORT_NAME)
			polc_port_space_cover(&d->b->space, &rule->ports[i],
				in ? d->subject->ports : d->view->ports,
				in ? d->subject->n_ports : d->view->n_ports, d->covered);
	for (size_t i = 0; i < words; i++)
		d->covered[i] &= open[i];
	return polc_bits_any(d->covered, words);
}

static void close_ports(uint64_t *open, const uint64_t *ports, size_t words)
{
	for (size_t i = 0; i < words; i++)
		open[i] &= ~ports[i];
}

static void settle(struct deciding *d, const struct polc_net_rule *rule, bool allows)
{
	size_t words = d->b->space.words;

	polc_bits_add(allows ? d->side->rule_allow : d->side->rule_deny, d->covered, words);
	note_used(d, rule->id, allows, d->covered);
	close_ports(d->open, d->covered, words);
}

/* The first rule that covers a port decides it; Admin's Pass leaves it to the next tier. */
static void ordered_tier(struct deciding *d, enum polc_tier tier)
{
	size_t words = d->b->space.words, n = d->subject->policies[d->direction].n;
	uint64_t *passed = POLC_NEW_ARRAY(d->b->arena, words, uint64_t);

	for (size_t i = 0; i < n; i++) {
		const struct polc_net_policy *p = d->subject->policies[d->direction].items[i];

		for (uint32_t j = 0; p->tier == tier && j < p->n_rules; j++) {
			const struct polc_net_rule *r =
				&d->world->set->network->rules[p->first_rule + j];

			if (!covers(d, r, d->open))
				continue;
			if (r->action == POLC_PASS && tier == POLC_TIER_ADMIN) {
				polc_bits_add(passed, d->covered, words);
				close_ports(d->open, d->covered, words);
			} else {
				settle(d, r, r->action != POLC_DENY);
			}
		}
	}
	polc_bits_add(d->open, passed, words);
}

/* Every rule of the action counts as used on the ports that the action decides. */
static void middle_action(struct deciding *d, enum polc_action action)
{
	size_t words = d->b->space.words, n = d->subject->policies[d->direction].n;
	uint64_t *before = POLC_NEW_ARRAY(d->b->arena, words, uint64_t);

	memcpy(before, d->open, words * sizeof(*before));
	for (size_t i = 0; i < n; i++) {
		const struct polc_net_policy *p = d->subject->policies[d->direction].items[i];

		for (uint32_t j = 0; p->tier == POLC_TIER_MIDDLE && j < p->n_rules; j++) {
			const struct polc_net_rule *r =
				&d->world->set->network->rules[p->first_rule + j];

			if (r->action == action && covers(d, r, before))
				settle(d, r, action == POLC_ALLOW);
		}
	}
}

static void isolate(struct deciding *d)
{
	size_t words = d->b->space.words;
	bool own_node = d->direction == POLC_INGRESS && d->view->host;

	if (!d->subject->isolated[d->direction])
		return;
	polc_bits_add(own_node ? d->side->default_allow : d->side->default_deny, d->open, words);
	memset(d->open, 0, words * sizeof(uint64_t));
}

void polc_topology_decide(struct polc_topology_builder *b, size_t set, uint32_t subject,
	enum polc_direction direction, uint32_t view, unsigned families,
	struct polc_topology_side *side)
{
	size_t words = b->space.words;
	struct polc_arena scratch = {0};
	struct deciding d = {.b = b,
		.world = &b->worlds[set],
		.view = &b->worlds[set].views.items[view],
		.direction = direction,
		.side = side};

	memset(side->rule_allow, 0, N_SIDE_SETS * words * sizeof(uint64_t));
	side->used.n = 0;
	if (subject == POLC_NO_SUBJECT) {
		polc_bits_add(side->default_allow, b->space.families[families], words);
		return;
	}
	d.subject = &b->worlds[set].subjects.items[subject];
	d.open = POLC_NEW_ARRAY(&scratch, words, uint64_t);
	d.covered = POLC_NEW_ARRAY(&scratch, words, uint64_t);
	polc_bits_add(d.open, b->space.families[families], words);
	ordered_tier(&d, POLC_TIER_ADMIN);
	middle_action(&d, POLC_DENY);
	middle_action(&d, POLC_ALLOW);
	isolate(&d);
	ordered_tier(&d, POLC_TIER_BASELINE);
	polc_bits_add(side->default_allow, d.open, words);
	polc_arena_free(&scratch);
}

/* ---- pairs ---- */

struct pairing {
	struct polc_topology_builder *b;
	struct polc_topology_side egress, ingress;
	uint64_t *styles[POLC_TOPOLOGY_N_STYLES]; /* of one combination of views */
	struct polc_topology_pair pair;
	bool any;
};

static void combine(struct pairing *p)
{
	const struct polc_topology_side *e = &p->egress, *i = &p->ingress;

	for (size_t w = 0; w < p->b->space.words; w++) {
		uint64_t permitted = (e->rule_allow[w] | e->default_allow[w]) &
				     (i->rule_allow[w] | i->default_allow[w]);
		uint64_t by_default = e->default_allow[w] & i->default_allow[w];

		p->styles[POLC_TOPOLOGY_DEFAULT][w] = by_default;
		p->styles[POLC_TOPOLOGY_ALLOW][w] =
			p->b->n_sets == 2 ? permitted : permitted & ~by_default;
		p->styles[POLC_TOPOLOGY_DENY][w] = e->rule_deny[w] | i->rule_deny[w];
		p->styles[POLC_TOPOLOGY_ONE_SIDED][w] = (e->rule_allow[w] & i->default_deny[w]) |
							(e->default_deny[w] & i->rule_allow[w]);
	}
}

static void add_rule(struct pairing *p, enum polc_topology_style style, size_t set, uint32_t id,
	enum polc_direction direction)
{
	*polc_vec_push(p->b->arena, &p->pair.rules[style]) =
		(struct polc_topology_rule){.set = (uint32_t)set, .id = id, .direction = direction};
}

static void add_rules(struct pairing *p, enum polc_topology_style style, size_t set,
	const struct polc_topology_side *side, enum polc_direction direction)
{
	size_t words = p->b->space.words;
	const uint64_t *ports = p->styles[style];

	for (size_t i = 0; i < side->used.n; i++)
		if (side->used.items[i].allows == (style != POLC_TOPOLOGY_DENY) &&
			polc_bits_meet(side->used.items[i].ports, ports, words))
			add_rule(p, style, set, side->used.items[i].id, direction);
	if (style == POLC_TOPOLOGY_ONE_SIDED && polc_bits_meet(side->default_deny, ports, words))
		add_rule(p, style, set, POLB_RULE_DEFAULT_DENY, direction);
}

static bool wants(const struct polc_topology_builder *b, enum polc_topology_style style)
{
	bool denies = style == POLC_TOPOLOGY_DENY || style == POLC_TOPOLOGY_ONE_SIDED;

	return !denies || (b->options->denied && b->n_sets == 1);
}

static void accumulate(struct pairing *p, size_t set)
{
	size_t words = p->b->space.words;

	combine(p);
	for (int style = 0; style < POLC_TOPOLOGY_N_STYLES; style++) {
		uint64_t **ports = &p->pair.ports[set][style];

		if (!wants(p->b, style) || !polc_bits_any(p->styles[style], words))
			continue;
		p->any = true;
		if (!*ports)
			*ports = POLC_NEW_ARRAY(p->b->arena, words, uint64_t);
		polc_bits_add(*ports, p->styles[style], words);
		if (style == POLC_TOPOLOGY_DEFAULT)
			continue;
		add_rules(p, style, set, &p->egress, POLC_EGRESS);
		add_rules(p, style, set, &p->ingress, POLC_INGRESS);
	}
}

static void decide_pair(struct pairing *p, size_t set, const struct polc_topology_face *from,
	const struct polc_topology_face *to)
{
	const struct polc_topology_view *views = p->b->worlds[set].views.items;

	for (unsigned i = 0; i < from->n_views; i++) {
		for (unsigned j = 0; j < to->n_views; j++) {
			unsigned families =
				views[from->views[i]].families & views[to->views[j]].families;

			if (!families)
				continue;
			polc_topology_decide(p->b, set, from->subject, POLC_EGRESS, to->views[j],
				families, &p->egress);
			polc_topology_decide(p->b, set, to->subject, POLC_INGRESS, from->views[i],
				families, &p->ingress);
			accumulate(p, set);
		}
	}
}

/* Allowed in one family and denied in the other is allowed. */
static void remove_permitted(struct pairing *p)
{
	uint64_t **ports = p->pair.ports[0];

	if (p->b->n_sets == 2)
		return;
	for (int style = 0; style < POLC_TOPOLOGY_N_STYLES; style++)
		for (int better = 0; better < style && ports[style]; better++)
			if (ports[better])
				close_ports(ports[style], ports[better], p->b->space.words);
	for (int style = 0; style < POLC_TOPOLOGY_N_STYLES; style++)
		if (ports[style] && !polc_bits_any(ports[style], p->b->space.words))
			ports[style] = NULL;
}

void polc_topology_find_pairs(struct polc_topology_builder *b, polc_topology_pairs *out)
{
	struct pairing p = {.b = b};
	const struct polc_topology_party **first =
		POLC_NEW_ARRAY(b->arena, b->n_classes, const struct polc_topology_party *);

	polc_topology_side_init(b, &p.egress);
	polc_topology_side_init(b, &p.ingress);
	for (int style = 0; style < POLC_TOPOLOGY_N_STYLES; style++)
		p.styles[style] = POLC_NEW_ARRAY(b->arena, b->space.words, uint64_t);
	for (size_t i = b->parties.n; i-- > 0;)
		first[b->parties.items[i].class_id] = &b->parties.items[i];
	for (uint32_t from = 0; from < b->n_classes; from++) {
		for (uint32_t to = 0; to < b->n_classes; to++) {
			if (!first[from]->pod && !first[to]->pod)
				continue;
			p.pair = (struct polc_topology_pair){.from = from, .to = to};
			p.any = false;
			for (size_t set = 0; set < b->n_sets; set++)
				if (first[from]->faces[set].present &&
					first[to]->faces[set].present)
					decide_pair(&p, set, &first[from]->faces[set],
						&first[to]->faces[set]);
			if (p.any) {
				remove_permitted(&p);
				*polc_vec_push(b->arena, out) = p.pair;
			}
		}
	}
}
