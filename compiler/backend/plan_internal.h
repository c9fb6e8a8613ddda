/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The state of building a plan, shared by the plan_*.c files. */
#ifndef POLC_PLAN_INTERNAL_H
#define POLC_PLAN_INTERNAL_H

#include "../ir/labels.h"
#include "../ir/selector_index.h"
#include "plan.h"

/* Entry indices [first, last] of the port_class value. */
struct polc_port_range {
	uint32_t first, last;
};

/* A distinct set of ports that some rule names, after named ports are resolved. */
struct polc_port_item {
	struct polc_net_port port; /* never NAME */
	const uint32_t *classes;   /* the classes it is made of, ascending */
	size_t n_classes;
};

/* One rule restricted to one port item: the unit that rows are made of. */
struct polc_rule_part {
	uint32_t rule;        /* index into network->rules */
	uint32_t item;        /* index into items, or POLC_ITEM_ALL */
	const uint32_t *bits; /* selector bits, ascending */
	size_t n_bits;
};
#define POLC_ITEM_ALL UINT32_MAX

typedef POLC_VEC(struct polc_rule_part) polc_rule_parts;

/* What one kind of endpoint may do in one direction. */
struct polc_table {
	enum polc_direction direction;
	bool isolated;
	bool closed; /* denies everything, the local node too: for what has no table of its own */
	const uint32_t *policies; /* indices, in order of evaluation */
	size_t n_policies;
	/* named ports of the endpoint, only when the table depends on them */
	const struct polb_named_port *ports;
	size_t n_ports;
	/*
	 * Only for posture "deny" with switchable policies: those that select the endpoint in the
	 * other direction alone, and whether an always enforced one selects it at all.
	 */
	const uint32_t *elsewhere;
	size_t n_elsewhere;
	bool governed;
	polc_rule_parts parts; /* in order of evaluation */
	uint64_t hash;
};

struct polc_planner {
	struct polc *polc;
	struct polc_arena *arena;
	const struct polc_network *network;
	const struct polc_identities *identities;
	struct polc_plan *plan;

	/* bits (plan_peers.c) */
	POLC_VEC(struct polb_selector) selectors;
	uint32_t *selector_bit; /* network selector -> bit + 1, 0: not a peer */
	uint32_t host_bit; /* the local node, when some ingress table isolates; else UINT32_MAX */
	bool failed;       /* a limit was exceeded and reported */

	POLC_VEC(struct polc_port_item) items;
	POLC_VEC(struct polc_table) tables; /* tables.items[0] is "no policy" */
	uint32_t *endpoint_tables;          /* two per endpoint */
};

void polc_planner_limit(struct polc_planner *p, const char *what, uint64_t is, uint64_t limit);

/* plan_tables.c: endpoints to tables, tables to rule parts. */
void polc_plan_tables(struct polc_planner *p);
/* All policies that select somebody, each once, in order of evaluation. */
struct polc_selection {
	const struct polc_net_policy **policies; /* until the next selection */
	size_t n;
};
/* How plan_tables.c finds policies and makes tables, for plan_combinations.c. */
struct polc_table_maker {
	void *context;
	struct polc_selection (*select)(void *context, const struct polb_identity_view *view);
	/* `ports`: the endpoint's named ports. */
	uint32_t (*table)(void *context, const struct polc_selection *selection,
		const struct polb_named_port *ports, size_t n_ports, enum polc_direction direction);
	/* Those of `ports` that the selected policies' ingress rules name, sorted; into `out`. */
	size_t (*named)(void *context, const struct polc_selection *selection,
		const struct polb_named_port *ports, size_t n_ports, struct polb_named_port *out);
	uint32_t (*closed)(void *context); /* the table that denies everything */
};
/*
 * plan_combinations.c: subjects, and tables for endpoints that are not in the inventory. First the
 * inventory's own are added, then those that its labels and the policies' make possible.
 */
struct polc_combinations;
struct polc_combinations *polc_combinations_begin(
	struct polc_planner *p, const struct polc_table_maker *maker);
void polc_combinations_add(struct polc_combinations *c, const struct polc_selection *selection,
	const struct polb_named_port *ports, size_t n_ports);
void polc_combinations_end(struct polc_combinations *c);
/* plan_vocabulary.c: label sets that endpoints may have, most likely first, to `call`; until it
 * returns false. */
typedef bool polc_vocabulary_call(
	void *context, const struct polb_label *labels, size_t n, unsigned distance);
void polc_plan_vocabulary(struct polc_planner *p, polc_vocabulary_call *call, void *context);
/*
 * plan_variants.c: for each table that switchable policies have a part in, the tables that stand
 * for it by their modes; made by `intern`, which numbers a table by its key (borrowed until it
 * returns).
 */
typedef uint32_t polc_table_intern(void *context, const struct polc_table *key);
void polc_plan_variants(struct polc_planner *p, polc_table_intern *intern, void *context);
/* The default rule of a table that isolates. */
uint32_t polc_plan_isolation_rule(
	const struct polc_network *network, const struct polc_table *table);
/* plan_peers.c: bits of a rule; classes, exact peers and prefixes. */
void polc_plan_number_selectors(struct polc_planner *p);
const uint32_t *polc_plan_rule_bits(
	struct polc_planner *p, const struct polc_net_rule *rule, size_t *n);
/* The bit of "selector and named port"; new ones are numbered after all others. */
uint32_t polc_plan_port_bit(struct polc_planner *p, uint32_t selector, const char *name,
	uint8_t protocol, uint16_t number);
void polc_plan_peers(struct polc_planner *p);
/* plan_ports.c: interning of port items; the partition into classes. */
uint32_t polc_plan_port_item(struct polc_planner *p, const struct polc_net_port *port);
void polc_plan_ports(struct polc_planner *p);
/* plan_rows.c: rows, steps and the index. */
void polc_plan_rows(struct polc_planner *p);

static inline void polc_bit_set(uint64_t *bits, uint32_t bit)
{
	bits[bit / 64] |= 1ull << (bit % 64);
}
static inline bool polc_bit_test(const uint64_t *bits, uint32_t bit)
{
	return bits[bit / 64] >> (bit % 64) & 1;
}

#endif
