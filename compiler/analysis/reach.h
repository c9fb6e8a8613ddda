/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Questions about all connections at once: not "may A reach B", but "is there any subject, peer and
 * port such that ...". Answers are exact over every label set, kind of identity, address, named
 * port, protocol and port (ir/space.h), not only over those of the inventory, and every yes comes
 * with a witness that the reference evaluator confirms. Lints, assertions and diff stand on this.
 *
 * A search has a budget (POLC_REACH_STEPS); what it cannot settle is UNKNOWN, which callers must
 * say, never take for a no.
 */
#ifndef POLC_REACH_H
#define POLC_REACH_H

#include "evaluate.h"

/* One side of a witness: an identity that may exist, at an address. */
struct polc_witness_party {
	struct polc_identity identity; /* kinds, labels, named ports; number 0 */
	struct polb_addr addr;
	const char *node;           /* node it is on or is; equal to the other's: the same node */
	const struct polc_pod *pod; /* of the inventory when one fits; else one made up */
	bool invented;              /* not from the inventory */
	const char *text; /* "shop/web", "10.0.0.1", "pod of shop with app=web": for people */
};
/* One connection as its subject sees it. */
struct polc_witness {
	enum polc_direction direction; /* EGRESS: subject sends to peer */
	struct polc_witness_party subject, peer;
	uint8_t protocol;
	uint16_t port;
	const char *port_text; /* "tcp/80", "icmp/8", "ip/47" */
};
/*
 * What the evaluator decides for a witness; the identities are made of the two parties alone.
 * The decision is arena-owned.
 */
void polc_witness_decide(struct polc_arena *arena, const struct polc_network *network,
	const struct polc_witness *witness, struct polc_decision *decision);

/*
 * One or more networks over one space of identities; borrows all. `inventory` (may be NULL) lends
 * witnesses names and addresses.
 */
struct polc_reach;
struct polc_reach *polc_reach_new(struct polc_arena *arena,
	const struct polc_network *const *networks, size_t n_networks,
	const struct polc_identities *inventory);
/* Bounds all questions together, in products looked at: those beyond are UNKNOWN. */
void polc_reach_limit(struct polc_reach *reach, uint64_t steps);

/*
 * Lints. Rules are indices into networks[network]->rules. A witness may always be NULL: that is
 * much cheaper, and enough where a yes is the normal answer.
 */

/* Is there a connection for which this rule is among the deciding ones (candidates)? An Admin Pass:
 * which it is the first to match. */
enum polc_answer polc_reach_rule_decides(
	struct polc_reach *reach, size_t network, uint32_t rule, struct polc_witness *witness);
/*
 * Is there a connection whose verdict changes when the rule is taken out (its policy still
 * selects and isolates)? When NO, `cover` receives rules that together decide the same without
 * it: at most `max`, the number in *n_cover.
 */
enum polc_answer polc_reach_rule_matters(struct polc_reach *reach, size_t network, uint32_t rule,
	struct polc_witness *witness, uint32_t *cover, size_t max, size_t *n_cover);
/* Is there a connection that both rules match? */
enum polc_answer polc_reach_rules_meet(struct polc_reach *reach, size_t network, uint32_t a,
	uint32_t b, struct polc_witness *witness);

/* Assertions. A set of parties: alternatives of selectors. */
struct polc_parties {
	const struct polb_selector *selectors;
	size_t n;
};
struct polc_port_range { /* of one protocol; ICMP: type; protocols without ports: 0..0 */
	uint8_t protocol;
	uint16_t lo, hi;
};
struct polc_path_question {
	struct polc_parties from, to;
	/* ports asked about; none: all */
	const struct polc_port_range *ports;
	size_t n_ports;
	/* and not these */
	const struct polc_port_range *except;
	size_t n_except;
	enum polb_verdict verdict; /* of both sides together: ALLOW or DENY */
};
/*
 * Is there a connection from one of `from` to one of `to` with this verdict: egress at the source
 * if it is an endpoint and ingress at the destination if it is one. The witness is the source's
 * side (EGRESS), or the destination's when only that is an endpoint. Endpoints are pods with a
 * network namespace of their own here: one in the host's is a node to others. Selectors are as
 * peers have them, of any kinds, and stay borrowed.
 */
enum polc_answer polc_reach_path(struct polc_reach *reach, size_t network,
	const struct polc_path_question *question, struct polc_witness *witness);

/* Diff of networks[0] (old) and networks[1] (new). */

/* What decides on one side: a rule's index, or a reserved reason. */
struct polc_decider {
	uint32_t rule; /* id: >= POLB_RULE_FIRST, or POLB_RULE_NONE, _DEFAULT_DENY, _LOCAL_NODE */
	/* a policy that isolates, when rule is DEFAULT_DENY or LOCAL_NODE (POLC_NO_POLICY: the
	 * posture does) */
	uint32_t policy;
};
#define POLC_NO_POLICY UINT32_MAX
/* All connections that one pair of deciders treats differently. */
struct polc_changed_region {
	enum polb_verdict verdict[2]; /* ALLOW or DENY; different */
	struct polc_decider decider[2];
	/* the change that caused it: a rule or policy that stands in one network only (or
	 * elsewhere in an ordered tier): in networks[cause_network] */
	unsigned cause_network;
	struct polc_decider cause;
	struct polc_witness witness;
	/* what all its connections have in common, for people: "ingress of app=api in shop from
	 * ns dev, tcp/80"; arena-owned */
	const char *text;
};
struct polc_changes {
	/* newly allowed first, then by cause, then by place */
	POLC_VEC(struct polc_changed_region) regions;
	/* causes for which the budget was spent: their connections may change in ways not listed */
	POLC_VEC(struct polc_changed_region) unknown; /* witness and deciders unset */
};
/*
 * Every changed decision belongs to a region that is listed (or to an unknown cause): for each
 * pair of deciders with different verdicts that some connection has. With several equal deciders
 * it is the first, as polc_decision.rule says. One region per pair; when both deciders are
 * changes, what stands in the new network is the cause.
 */
void polc_reach_changes(struct polc_reach *reach, struct polc_changes *changes);

#endif
