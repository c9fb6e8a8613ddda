/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How a network decides, as sets (shared by the reach files). Per direction a network is six levels
 * of items, strongest first; an item is a union of products, and what decides a point is given by
 * the items it is in and the items before that it is not in:
 *
 *   ADMIN      rules in order; the first that matches decides, Pass leads on
 *   DENIES     rules of the middle tier; the first of them in source order is the decider
 *   ALLOWS     likewise
 *   ISOLATORS  subjects of policies that isolate, then what the posture does
 *   SELECTED   subjects of all policies (posture deny isolates those that nothing selects)
 *   BASELINE   rules in order, where nothing isolates; then the default
 *
 * That mirrors evaluate.c; the random oracle says whether it does.
 */
#ifndef POLC_REACH_PRIVATE_H
#define POLC_REACH_PRIVATE_H

#include "../ir/space.h"
#include "reach.h"

/* Products looked at in one question about one rule, or for one cause of changes. */
#define POLC_REACH_STEPS ((uint64_t)1 << 22)
/* What a search costs of the budget for all questions before it looks at anything. */
#define POLC_REACH_SEARCH_STEPS 32

enum reach_level_kind {
	REACH_ADMIN,
	REACH_DENIES,
	REACH_ALLOWS,
	REACH_ISOLATORS,
	REACH_SELECTED,
	REACH_BASELINE,
	REACH_LEVELS,
	REACH_DEFAULT = REACH_LEVELS, /* of deciders: nothing decides */
};

#define REACH_NO_RULE UINT32_MAX
struct reach_item {
	uint32_t rule;   /* index, or REACH_NO_RULE */
	uint32_t policy; /* or POLC_NO_POLICY: the posture */
	enum polb_verdict verdict;
	uint32_t content; /* equal for what means the same, in all networks of the reach */
	bool common;      /* for changes: stands in the other network as well */
};

/* The products of a level's items, for one class of peers. */
struct reach_products {
	bool built;
	POLC_VEC(struct polc_product) list; /* in order of items */
	uint32_t *first;                    /* of item i; n_items + 1 */
	struct reach_index *index;
};

struct reach_side;
struct reach_level {
	enum reach_level_kind kind;
	enum polc_direction direction;
	struct reach_side *side;
	POLC_VEC(struct reach_item) items;
	struct reach_products products[POLC_CLASSES]; /* by class of the peer */
};

struct reach_compiled { /* a selector as literals */
	bool done, possible;
	polc_literals literals;
};
/* One network. */
struct reach_side {
	struct polc_reach *reach;
	const struct polc_network *network;
	uint32_t *policies; /* in order of evaluation */
	struct reach_level levels[2][REACH_LEVELS];
	struct reach_place { /* of a rule */
		struct reach_level *level;
		uint32_t item;
	} * places;
	struct reach_compiled *subjects[2];            /* by direction, selector */
	struct reach_compiled *peers[2][POLC_CLASSES]; /* by direction, class, selector */
};

struct polc_reach {
	struct polc_arena *arena;
	struct polc_arena scratch; /* of one question */
	uint64_t steps;            /* left for all questions */
	struct polc_space *space;
	struct reach_side *sides;
	size_t n_sides;
	const struct polc_identities *inventory; /* or NULL */
	struct polc_name_table *contents;
	uint32_t n_contents;
	/* by number of product */
	POLC_VEC(struct reach_place) owners;
	POLC_VEC(uint32_t) stamps;
	uint32_t stamp;
	/* Values of the inventory's pods by endpoint, then variable; built on first use. */
	uint32_t *pod_values;
	size_t n_pod_variables;
};

static inline enum polc_party_side reach_subject(enum polc_direction direction)
{
	return direction == POLC_EGRESS ? POLC_SOURCE : POLC_DESTINATION;
}
static inline enum polc_party_side reach_peer(enum polc_direction direction)
{
	return direction == POLC_EGRESS ? POLC_DESTINATION : POLC_SOURCE;
}

/* --- levels (reach_levels.c, reach_products.c) ------------------------------------------------ */

void reach_side_build(
	struct reach_side *side, struct polc_reach *reach, const struct polc_network *network);
/* The products of a level for peers of a class, built on first use. */
const struct reach_products *reach_level_products(
	struct reach_level *level, enum polc_class peer_class);
typedef POLC_VEC(const struct polc_product *) reach_list;
/* Appends products of items before `upto`, but for item `skip`, that meet the box and are not
 * stamped with the reach's current stamp; stamps them. */
void reach_level_meeting(struct reach_level *level, const struct polc_box *box, uint32_t upto,
	uint32_t skip, reach_list *out);
/* Subjects and ports of a rule, whatever its peers. */
void reach_rule_without_peers(struct reach_side *side, uint32_t rule, reach_list *out);

/* --- regions and deciders (reach_regions.c) -------------------------------------------------- */

#define REACH_ANY_ITEM UINT32_MAX
#define REACH_NO_ITEM UINT32_MAX
/* Points in all of `in` and none of `out`. */
struct reach_region {
	struct reach_in {
		struct reach_level *level;
		uint32_t item; /* REACH_ANY_ITEM: any of the level's */
	} in[4];
	size_t n_in;
	struct reach_out {
		struct reach_level *level;
		uint32_t upto, skip; /* items before upto, but skip */
	} out[8];
	size_t n_out;
	enum polc_party_side peer;
	uint32_t peer_kinds;     /* rows of polc_kinds_rows; 0: all */
	const reach_list *avoid; /* and none of these, or NULL */
};
typedef POLC_VEC(struct reach_region) reach_regions;

/* A network in one direction, maybe without one item. */
struct reach_view {
	struct reach_side *side;
	enum polc_direction direction;
	struct reach_level *skip_level; /* or NULL */
	uint32_t skip_item;
	const bool *admin; /* items of the Admin tier that are looked at; NULL: all */
};
struct reach_decider {
	enum reach_level_kind level;
	uint32_t item; /* of ISOLATORS too */
	bool local_node;
	enum polb_verdict verdict;
};
typedef POLC_VEC(struct reach_decider) reach_deciders;

/* What `decider` decides, as a union of regions: one per way through the Admin tier. `shared`:
 * where equal deciders of a tier decide as well; `pass`: only what this Admin Pass leads to
 * (REACH_NO_ITEM: all). */
void reach_decider_regions(const struct reach_view *view, const struct reach_decider *decider,
	bool shared, uint32_t pass, reach_regions *out);
/* Deciders with a verdict whose items meet the box, of levels from `from` on, in order. */
void reach_deciders_meeting(const struct reach_view *view, const struct polc_box *box,
	enum polb_verdict verdict, enum reach_level_kind from, reach_deciders *out);
struct polc_decider reach_decider_public(const struct reach_side *side,
	enum polc_direction direction, const struct reach_decider *d);
enum polb_verdict reach_item_verdict(const struct reach_level *level, uint32_t item);

/* --- searches (reach_find.c) ------------------------------------------------------------------ */

struct reach_search {
	struct polc_reach *reach;
	uint64_t steps;                     /* left */
	uint64_t *used;                     /* see polc_box; or NULL */
	enum polc_direction direction;      /* of the witness */
	struct polc_witness *witness;       /* or NULL */
	const struct polc_product *more[3]; /* unions that a point must be in as well... */
	size_t n_more[3];                   /* ...of so many products */
};
/* A point in all the regions, for parties of these classes. */
enum polc_answer reach_find_in(struct reach_search *search, enum polc_class source,
	enum polc_class destination, const struct reach_region *const *regions, size_t n);
/* One-sided: for peers of every class. */
enum polc_answer reach_find(
	struct reach_search *search, const struct reach_region *const *regions, size_t n);
void reach_search_init(struct reach_search *search, struct polc_reach *reach,
	enum polc_direction direction, struct polc_witness *witness);
void reach_box_init(struct polc_box *box, struct polc_reach *reach, enum polc_direction direction,
	enum polc_class peer_class);

/* --- pairs of deciders (reach_pairs.c) -------------------------------------------------------- */

/*
 * What one item changes: pairs of a decider of `with`, where the item stands, and one of
 * `without`, that differ in verdict somewhere where the item has a say.
 */
struct reach_pairs {
	struct reach_view with, without;
	struct reach_level *level; /* of the item */
	uint32_t item;
	struct reach_search *search;
	/* Whether a pair need not be looked for; or NULL. */
	bool (*known)(struct reach_pairs *pairs, const struct reach_decider *with,
		const struct reach_decider *without);
	/* For every pair, the search's witness being set; true: enough. NULL: one is enough. */
	bool (*found)(struct reach_pairs *pairs, const struct reach_decider *with,
		const struct reach_decider *without);
	void *context;
	bool unknown; /* set when the budget did not do */
};
enum polc_answer reach_pairs_find(struct reach_pairs *pairs);

/* --- words (reach_text.c) --------------------------------------------------------------------- */

/* "ingress of app=api in shop from app=web in shop, tcp/80": what a rule, or NULL, and a policy
 * speak of; ports as given (NULL: not said). */
void reach_describe(const struct reach_side *side, enum polc_direction direction,
	const struct polc_net_policy *policy, const struct polc_net_rule *rule,
	const struct polc_set *ports, struct polc_buf *out);

/* --- witnesses (reach_witness.c, reach_party.c) ------------------------------------------------
 */

/*
 * Makes a witness of some point of the box, narrowing it; false when the parties cannot have
 * different addresses. `witness` may be NULL.
 */
bool reach_witness_make(struct polc_reach *reach, struct polc_box *box,
	enum polc_direction direction, struct polc_witness *witness);
/* The same connection from the other end. */
void reach_witness_turn(const struct polc_witness *witness, struct polc_witness *out);

/* A party while its witness is made. */
struct reach_party {
	struct polc_reach *reach;
	struct polc_box *box;
	enum polc_party_side side;
	const struct polc_identity *real; /* of the inventory, or NULL */
	struct polb_addr addr;
	const char *node;
	uint32_t row; /* of polc_kinds_rows */
};
/* Makes the box agree with an identity of the inventory; false when it does not fit. */
bool reach_party_take(struct reach_party *party, size_t index);
/* How many identities of the inventory there are for the party's class. */
size_t reach_party_candidates(const struct reach_party *party);
/* Chooses labels for one that is made up. */
bool reach_party_invent(struct reach_party *party);
/* An address of the family that is none of `not`. */
bool reach_party_address(
	struct reach_party *party, uint8_t family, const struct polb_addr * not, size_t n_not);
/* What the caller gets, all else being chosen. */
void reach_party_finish(
	struct reach_party *party, uint8_t protocol, uint16_t port, struct polc_witness_party *out);

#endif
