/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The plan: the network IR turned into the data of design 5 - selector bits, port classes, rows,
 * steps, tables - and the constants that specialise the templates. Everything a bundle carries,
 * nothing about ELF or clang.
 */
#ifndef POLC_PLAN_H
#define POLC_PLAN_H

#include "../../runtime/abi.h"
#include "../ir/network.h"

/* Ports [lo, hi] of one section (POLB_PORTS_* base) belong to class `class_id`; unlisted ports are
 * class 0 of nothing: every section is covered completely, ascending. */
struct polc_plan_ports {
	uint32_t first, last; /* entry indices into the port_class value, inclusive */
	uint16_t class_id;
};
struct polc_plan_step {
	uint32_t action;           /* enum polb_verdict */
	const uint64_t *mask;      /* n_words */
	const uint32_t *rule_base; /* n_words: index into rule_ids of each word's first bit */
};
struct polc_plan_class {
	const uint64_t *bits; /* n_words */
};
struct polc_plan_peer { /* exact address */
	struct polb_addr addr;
	uint32_t identity_number;
	uint32_t class_id;       /* when the address is not the local node's */
	uint32_t local_class_id; /* when its node is the local one; == class_id for others */
	const char *node;        /* the node it belongs to, or NULL */
};
struct polc_plan_cidr {
	struct polb_prefix prefix;
	uint32_t identity_number;
	uint32_t class_id;
};
/* What stands for a table, by the modes of the switchable policies that have a part in it. */
struct polc_plan_variant {
	uint32_t table;
	const uint32_t *policies; /* indices into network->switchables, ascending */
	uint32_t n_policies;
	const uint32_t *tables; /* 2^n_policies; bit i of the position: policies[i] is enforced */
};
/* Whom some policies govern (runtime/subjects.h); subject number = index. */
struct polc_plan_subject {
	const uint32_t *selectors; /* indices into network->selectors: alternatives */
	size_t n_selectors;
	/* what their ingress rules call by name; port 0 */
	const struct polb_named_port *ports;
	size_t n_ports;
	uint32_t directions; /* bit 1 << enum polc_direction */
};
/* The table in one direction of endpoints that satisfy exactly these subjects. */
struct polc_plan_combination {
	uint32_t direction; /* enum polc_direction, or POLB_COMBINATION_OTHER */
	const uint32_t *subjects;
	size_t n_subjects;
	const struct polb_named_port *ports;
	size_t n_ports;
	uint32_t table;
};
struct polc_plan_endpoint {
	const struct polc_pod *pod;
	uint32_t identity_number;
	uint32_t table[2];
};
struct polc_plan {
	/* Peer predicates that got a bit; bit i = selectors[i]. Derived named-port selectors
	 * included. */
	const struct polb_selector *selectors;
	uint32_t n_selectors;
	uint32_t n_words;     /* u64 words of a full bit vector, at least 1 */
	uint32_t class_words; /* capacity of a sparse class */
	const struct polc_plan_class *classes;
	uint32_t n_classes;
	const struct polc_plan_ports *ports;
	uint32_t n_ports;
	uint32_t n_port_classes;
	const struct polc_plan_step *steps;
	uint32_t n_steps;
	const struct polb_row *rows;
	uint32_t n_rows;
	const uint32_t *rows_index; /* n_tables * n_port_classes */
	uint32_t n_tables;
	const struct polc_plan_variant *variants; /* sorted by table */
	uint32_t n_variants;
	const struct polc_plan_subject *subjects;
	uint32_t n_subjects;
	const struct polc_plan_combination *combinations; /* in the bundle's order */
	uint32_t n_combinations;
	const uint32_t *rule_ids;
	uint32_t n_rule_ids;
	uint32_t max_row_steps;
	const struct polc_plan_peer *peers; /* sorted by address */
	uint32_t n_peers;
	const struct polc_plan_cidr *cidrs; /* sorted by prefix */
	uint32_t n_cidrs;
	const struct polc_plan_endpoint *endpoints; /* endpoint number = index + 1 */
	uint32_t n_endpoints;
	/* What the set uses (specialisation). */
	bool uses_ipv4_cidr, uses_ipv6_cidr, uses_pass, uses_icmp_types, uses_ports, uses_tiers;
	const struct polc_network *network;
	const struct polc_identities *identities;
};

/* Builds the plan. Reports POLC_CODE_LIMIT and returns NULL when a limit of the data path is
 * exceeded. */
const struct polc_plan *polc_plan_build(struct polc *polc, const struct polc_network *network,
	const struct polc_identities *identities);
/* The variants of a table; NULL: it stands for itself. */
const struct polc_plan_variant *polc_plan_variant_of(const struct polc_plan *plan, uint32_t table);
/*
 * Decides as the programs do, with the modes that the policies start in (verdict AUDIT: passed),
 * from the plan's data alone: endpoint is an index into plan->endpoints, port the destination port
 * or the ICMP type. What is decided before the tables (self, fragments, ...) is not looked at.
 */
enum polb_verdict polc_plan_decide(const struct polc_plan *plan, uint32_t endpoint,
	enum polc_direction direction, const struct polb_addr *peer, uint8_t protocol,
	uint16_t port, uint32_t *rule);
void polc_plan_verify(const struct polc_plan *plan);
void polc_plan_print(const struct polc_plan *plan, struct polc_buf *out);

#endif
