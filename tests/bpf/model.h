/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What must happen to a packet: bpf-templates/datapath.md written down a second time, slowly, over
 * the reference evaluator. One model per endpoint; it remembers flows and fragments as the kernel
 * should.
 */
#ifndef ORACLE_MODEL_H
#define ORACLE_MODEL_H

#include "compiler/analysis/evaluate.h"
#include "compiler/backend/packet.h"

/* Ways to break a packet, each of which must end in MALFORMED. */
#define DAMAGES(X)                                                                                 \
	X(NONE, "none")                                                                            \
	X(VERSION, "IP version 5")                                                                 \
	X(OTHER_VERSION, "the other IP version than the frame says")                               \
	X(HEADER_LENGTH, "IPv4 header length below 20")                                            \
	X(TOTAL_LENGTH, "total length shorter than the headers")                                   \
	X(CUT_NETWORK, "cut within the network header")                                            \
	X(CUT_TRANSPORT, "cut within the transport header")                                        \
	X(CUT_TAIL, "cut before its end")                                                          \
	X(EXTENSIONS, "more than eight extension headers")

enum damage {
#define X(name, text) DAMAGE_##name,
	DAMAGES(X)
#undef X
};

/* Frames that are not IP (tc only). */
enum frame { FRAME_IP, FRAME_ARP, FRAME_OTHER };

struct packet {
	struct polc_packet_spec spec;
	enum polc_direction direction; /* as the endpoint sees it */
	enum frame frame;
	enum damage damage;
	const struct packet *inner; /* ICMP errors: the packet they are about, or NULL */
};

struct expectation {
	bool pass;
	bool counted;              /* adds to the counter of one of the candidates */
	enum polb_verdict verdict; /* as in events: ALLOW, DENY, AUDIT */
	const uint32_t *candidates;
	size_t n_candidates;
	const char *step; /* of bpf-templates/datapath.md, for people */
	bool has_flow;    /* this packet has a flow key, and the entry... */
	struct polb_flow_key key;
	bool flow_exists; /* ...exists afterwards */
	bool flow_left;   /* ...or is a dead one that nobody removed */
	uint32_t flow_epoch;
	enum polb_verdict flow_verdict;
	enum polc_direction flow_origin;
};

struct model_flow {
	struct polb_flow_key key;
	bool used, deleted, expired, closing;
	uint32_t epoch;
	enum polc_direction origin;
	enum polb_verdict verdict;
	const uint32_t *candidates;
	size_t n_candidates;
};
struct model_fragment {
	struct polb_fragment_key key;
	struct polb_fragment ports;
};

struct model_fragments {
	struct model_fragment *items;
	size_t n, cap;
};

struct model {
	struct polc_arena *arena;
	const struct polc_network *network;
	const struct polc_identities *identities;
	const struct polc_endpoint *endpoint;
	uint64_t endpoint_key;
	bool no_policy[2];     /* nothing enforced governs the endpoint in that direction */
	bool no_policy_all[2]; /* nor anything in audit mode */
	bool host_netns;
	bool audit, adopt;
	uint32_t epoch;
	/* A node-side identity change: `alias_from` now is what `alias_to` is. */
	bool aliased;
	struct polb_addr alias_from, alias_to;
	struct model_flow *flows; /* open hash */
	size_t n_slots;
	struct model_fragments fragments;
};

void model_init(struct model *model, struct polc_arena *arena);
void model_packet(struct model *model, const struct packet *packet, struct expectation *out);

/* The packet's flow has not been seen for longer than any timeout. False: it has none. */
bool model_age(struct model *model, const struct packet *packet, struct polb_flow_key *key);

bool packet_is_opening(const struct polc_packet_spec *spec);
bool packet_is_icmp(const struct polc_packet_spec *spec);
/* The other of a pair of ICMP query types, or -1. */
int packet_icmp_partner(const struct polc_packet_spec *spec);
bool packet_is_icmp_request(const struct polc_packet_spec *spec);

#endif
