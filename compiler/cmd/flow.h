/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One connection as people ask about it - who, to whom, on which port - and its decision by the
 * reference evaluator: egress at the source, ingress at the destination. Shared by explain and
 * matrix.
 */
#ifndef POLC_FLOW_H
#define POLC_FLOW_H

#include "../analysis/evaluate.h"
#include "cmd.h"

/* One side of a connection. */
struct polc_party {
	const char *text;                     /* canonical: "ns/pod", "node:name", an address */
	const struct polc_pod *pod;           /* or NULL */
	const struct polc_endpoint *endpoint; /* NULL: not governed */
	const struct polb_addr *addrs;
	size_t n_addrs;
};

/* A destination port: `port` is the type for ICMP and 0 for protocols without ports. */
struct polc_service_port {
	uint8_t protocol;
	uint16_t port;
};

struct polc_flow {
	const struct polc_party *src, *dst;
	struct polc_service_port port;
	struct polb_addr src_addr, dst_addr;
};

struct polc_side {
	bool governed;
	enum polb_verdict verdict; /* ALLOW when not governed */
	bool rule_known;
	uint32_t rule;
};

struct polc_flow_answer {
	struct polc_side side[2]; /* by enum polc_direction: INGRESS at dst, EGRESS at src */
	enum polb_verdict verdict;
};

/*
 * Finds who `who` is: namespace/pod, node:NAME, an address (also ip:ADDRESS), an entity, or
 * ns:k=v,k=v (the first endpoint of that namespace with these labels). `other`, if known, says
 * whose node is the local one for `host` and `remote-node`. Reports POLC_CODE_QUESTION at `span`
 * and returns false when there is no such party.
 */
bool polc_party_find(struct polc_cmd *cmd, const char *who, const struct polc_party *other,
	struct polc_span span, struct polc_party *out);
/*
 * The party that a pod is; a pod of the host's network without addresses of its own has its node's.
 */
void polc_party_of_pod(struct polc_cmd *cmd, const struct polc_pod *pod, struct polc_party *out);

/* "tcp/80", "icmp/8", "icmpv6/128", "ip/47"; false when it is nothing of the kind. */
bool polc_service_port_parse(const char *text, struct polc_service_port *out);
/* False for an ICMP type above 255. */
bool polc_service_port_valid(struct polc_service_port port);
/* A protocol's name or number, case-insensitive; false when it is neither. */
bool polc_protocol_parse(const char *text, uint8_t *out);
/* "tcp", "icmpv6", or the number of a protocol that has no short name here. Arena-owned. */
const char *polc_protocol_text(struct polc_arena *arena, uint8_t protocol);

/* Chooses addresses of one family (ICMP decides which); false when the two have none in common. */
bool polc_flow_make(const struct polc_party *src, const struct polc_party *dst,
	struct polc_service_port port, struct polc_flow *out);
/* The question that one side of a flow is. The side must be governed. */
struct polc_question polc_flow_question(
	const struct polc_flow *flow, enum polc_direction direction);
bool polc_flow_governed(const struct polc_flow *flow, enum polc_direction direction);

/*
 * One governed side by the reference evaluator, but for what the programs let through before any
 * policy (IPv6 neighbour discovery and the like).
 */
void polc_flow_decide(struct polc_cmd *cmd, struct polc_arena *arena, const struct polc_flow *flow,
	enum polc_direction direction, struct polc_decision *decision);
/* Decides both sides. `scratch` is filled; the caller frees it between questions. */
void polc_flow_evaluate(struct polc_cmd *cmd, struct polc_arena *scratch,
	const struct polc_flow *flow, struct polc_flow_answer *answer);
/* Of both sides together: denied when one denies, audited when one would. */
enum polb_verdict polc_flow_verdict(enum polb_verdict egress, enum polb_verdict ingress);
/* Verdict of both sides together. */
void polc_flow_conclude(struct polc_flow_answer *answer);
/* The deciding rule to show: of the denying side, else of the governed ingress, else egress; NULL:
 * unknown. */
const struct polc_side *polc_flow_deciding_side(const struct polc_flow_answer *answer);

/*
 * The same by the compiled programs in this kernel (backend/run.h). Opening is POLC_EXIT_OK, BAD or
 * ENVIRONMENT (reported); asking 0, or -errno (printed), -EILSEQ when hooks disagree.
 */
struct polc_run;
int polc_flow_run_open(struct polc_cmd *cmd, struct polc_run **out);
int polc_flow_run(
	struct polc_run *run, const struct polc_flow *flow, struct polc_flow_answer *answer);

#endif
