/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Between the files of the topology: bit sets, port classes, parties and their classes, decisions
 * for all ports of a pair at once, and the edges under construction.
 */
#ifndef POLC_TOPOLOGY_INTERNAL_H
#define POLC_TOPOLOGY_INTERNAL_H

#include <string.h>

#include "../../runtime/abi.h"
#include "topology.h"

/* ---- bit sets of a fixed number of words ---- */

static inline size_t polc_bits_words(size_t n)
{
	return (n + 63) / 64;
}
static inline bool polc_bits_has(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}
static inline void polc_bits_set(uint64_t *bits, size_t i)
{
	bits[i / 64] |= UINT64_C(1) << (i % 64);
}
static inline bool polc_bits_any(const uint64_t *bits, size_t words)
{
	for (size_t i = 0; i < words; i++)
		if (bits[i])
			return true;
	return false;
}
static inline bool polc_bits_meet(const uint64_t *a, const uint64_t *b, size_t words)
{
	for (size_t i = 0; i < words; i++)
		if (a[i] & b[i])
			return true;
	return false;
}
static inline void polc_bits_add(uint64_t *to, const uint64_t *from, size_t words)
{
	for (size_t i = 0; i < words; i++)
		to[i] |= from[i];
}

/* Numbers for byte strings, in order of first appearance. */
struct polc_intern {
	struct polc_arena *arena;
	uint32_t *slots; /* index + 1, or 0 */
	size_t n_slots;
	POLC_VEC(struct {
		const void *bytes;
		size_t n;
	})
	list;
};
uint32_t polc_intern(struct polc_intern *table, const void *bytes, size_t n);

/* ---- ports ---- */

/* Ports of one protocol that every rule and every named port treats alike. */
struct polc_port_class {
	uint8_t protocol;
	bool others; /* every protocol that no rule names, but TCP, UDP, SCTP and ICMP */
	uint16_t lo, hi;
};
struct polc_port_space {
	struct polc_arena *arena;
	POLC_VEC(struct polc_port_class) classes; /* by protocol, then port; `others` last */
	size_t words;
	bool restricted; /* by --ports: single ports, never "all" */
	const uint64_t
		*families[4]; /* by mask of 1 (IPv4) and 2 (IPv6): classes that exist there */
};
void polc_port_space_build(struct polc_port_space *space, struct polc_arena *arena,
	const struct polc_topology_set *sets, size_t n_sets,
	const struct polc_topology_options *options);
/* Adds the classes that a rule's port item covers; names are those of the owner. */
void polc_port_space_cover(const struct polc_port_space *space, const struct polc_net_port *port,
	const struct polb_named_port *owner, size_t n_owner, uint64_t *out);
/* "tcp/80,443; udp/53", "all", "all but tcp/22". */
const char *polc_port_space_text(const struct polc_port_space *space, const uint64_t *bits);

/* ---- parties ---- */

#define POLC_NO_SUBJECT UINT32_MAX
#define POLC_NO_PARENT UINT32_MAX

/* An endpoint as policies of one set govern it. */
struct polc_topology_subject {
	POLC_VEC(const struct polc_net_policy *) policies[2]; /* in order of tiers */
	bool isolated[2];
	const struct polb_named_port *ports;
	size_t n_ports;
};
/* A peer as rules of one set see it, in some families. */
struct polc_topology_view {
	uint8_t families; /* mask: 1 IPv4, 2 IPv6 */
	bool host;
	const uint64_t *rules; /* bit per rule: one of its selectors matches */
	const struct polb_named_port *ports;
	size_t n_ports;
};

enum { POLC_MAX_VIEWS = 4 };

struct polc_topology_face { /* a party in one set */
	bool present;
	uint32_t subject; /* or POLC_NO_SUBJECT */
	uint32_t views[POLC_MAX_VIEWS];
	unsigned n_views;
};
struct polc_topology_party {
	const struct polc_pod *pod;              /* of the newest set that has it; or NULL */
	const char *namespace, *name, *workload; /* outside: name alone */
	bool external;                           /* asked for by the user */
	bool focus;
	uint32_t parent; /* region: the party that it was cut out of, or POLC_NO_PARENT */
	struct polc_topology_face faces[2];
	uint32_t class_id;
};

/* What is known of one set. */
struct polc_topology_world {
	const struct polc_topology_set *set;
	size_t rule_words, selector_words;
	uint64_t **rule_ports; /* per rule: classes, without named ports */
	const bool *rule_has_names;
	bool names_matter; /* some rule has */
	struct polc_intern view_table, subject_table;
	POLC_VEC(struct polc_topology_view) views;
	POLC_VEC(struct polc_topology_subject) subjects;
	/* by identity number: matches of selectors without address and port; the subject */
	POLC_VEC(const uint64_t *) label_matches;
	POLC_VEC(uint32_t) subjects_of;
};

struct polc_topology_builder {
	struct polc_arena *arena;
	const struct polc_topology_options *options;
	struct polc_topology_world worlds[2];
	size_t n_sets;
	struct polc_port_space space;
	POLC_VEC(struct polc_topology_party) parties;
	unsigned families; /* mask: of the endpoints' addresses */
	uint32_t n_classes;
};

/* Port space, worlds, parties and classes. False: there is no endpoint, and no party then. */
bool polc_topology_prepare(struct polc_topology_builder *b, struct polc_arena *arena,
	const struct polc_topology_set *sets, size_t n_sets,
	const struct polc_topology_options *options);
void polc_topology_world_init(struct polc_topology_builder *b, size_t set);
/* The number of a view of `addr`; `node` is the local node. Localises NODE kinds. */
uint32_t polc_topology_view_of(struct polc_topology_builder *b, size_t set,
	const struct polb_addr *addr, const char *node);
uint32_t polc_topology_subject_of(
	struct polc_topology_builder *b, size_t set, const struct polc_endpoint *endpoint);
/* Fills parties and their classes. */
void polc_topology_find_parties(struct polc_topology_builder *b);
/* Regions of the outside: world, and every prefix that a rule names, without what lies in it. */
void polc_topology_add_regions(struct polc_topology_builder *b);
struct polc_topology_party *polc_topology_add_party(
	struct polc_topology_builder *b, const char *namespace, const char *name);
void polc_topology_add_view(struct polc_topology_builder *b, struct polc_topology_party *party,
	size_t set, const struct polb_addr *addr, const char *node);
const char *polc_topology_workload(struct polc_arena *arena, const struct polc_pod *pod);

/* ---- decisions ---- */

struct polc_topology_used { /* a rule and the ports it decides */
	uint32_t id;
	bool allows;
	uint64_t *ports;
};
/* One side of a pair for all ports. Disjoint. */
struct polc_topology_side {
	uint64_t *rule_allow, *default_allow, *rule_deny, *default_deny;
	POLC_VEC(struct polc_topology_used) used;
};
void polc_topology_side_init(struct polc_topology_builder *b, struct polc_topology_side *side);
/*
 * Decides all ports that exist in `families`. A party without subject allows all by default. The
 * side is reset first; its memory is reused.
 */
void polc_topology_decide(struct polc_topology_builder *b, size_t set, uint32_t subject,
	enum polc_direction direction, uint32_t view, unsigned families,
	struct polc_topology_side *side);

/* What two classes have to do with each other. NULL: nothing of that style. */
struct polc_topology_pair {
	uint32_t from, to;                          /* classes */
	uint64_t *ports[2][POLC_TOPOLOGY_N_STYLES]; /* [set][style] */
	POLC_VEC(struct polc_topology_rule) rules[POLC_TOPOLOGY_N_STYLES];
};
typedef POLC_VEC(struct polc_topology_pair) polc_topology_pairs;
/* Every pair of classes with at least one style that is to be drawn. */
void polc_topology_find_pairs(struct polc_topology_builder *b, polc_topology_pairs *out);

/* ---- edges under construction ---- */

struct polc_topology_link {
	struct polc_topology_end from, to;
	enum polc_topology_style style;
	enum polc_topology_change change;
	bool both;
	uint32_t ports[2];    /* interned bit sets of old and new; with one set only [0] */
	const char *names[2]; /* ports known by name alone (SELECTORS); or NULL */
	POLC_VEC(struct polc_topology_rule) rules;
};
typedef POLC_VEC(struct polc_topology_link) polc_topology_links;

struct polc_topology_draft {
	struct polc_topology_builder *builder;
	struct polc_topology *out;
	struct polc_intern port_sets;
	polc_topology_links links;
	POLC_VEC(uint32_t) cluster_sizes; /* nodes before some were filtered out */
	/* by node */
	bool *focus, *keep; /* is the focus; is shown even without edges */
	bool *dropped;
};
/* For at most `max` nodes. */
void polc_topology_draft_flags(struct polc_topology_draft *d, size_t max);
void polc_topology_add_link(struct polc_topology_draft *d, uint32_t from, uint32_t to,
	enum polc_topology_style style, const uint64_t *const ports[2], const char *const names[2],
	const struct polc_topology_rule *rules, size_t n_rules);
/*
 * Regions that were cut out of others, in the directions in which they are treated as those are:
 * their edges go. Where they are not, the other's name says "but". `node_of`: by party.
 */
void polc_topology_nest_regions(struct polc_topology_draft *d, const uint32_t *node_of);
/* Default edges by way of "any open endpoint" where there are too many of them. */
void polc_topology_hub(struct polc_topology_draft *d);
/* Only what options.namespace and the focus leave. False: there is no such thing. */
bool polc_topology_filter(struct polc_topology_draft *d);
/* Edges that all nodes of a cluster share become the cluster's; both directions become one. */
void polc_topology_bundle(struct polc_topology_draft *d);
/* Drops outside nodes without edges, sorts, and makes the public edges. */
void polc_topology_finish(struct polc_topology_draft *d);
/* Without an inventory: subjects and peers of the rules themselves. */
void polc_topology_of_selectors(struct polc_topology_draft *d);

#endif
