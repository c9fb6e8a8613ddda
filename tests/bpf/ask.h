/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Packets to ask: from the boundaries of a policy set, and derived from packets asked before. */
#ifndef ORACLE_ASK_H
#define ORACLE_ASK_H

#include "battery.h"
#include "model.h"

enum { HISTORY = 24, FRAME_BYTES = 2048, INNER_BYTES = 256 };

struct asker {
	struct rng rng;
	struct polc_arena *arena;
	POLC_VEC(struct polb_addr)
	addrs; /* everything that some selector or the inventory draws a line at */
	POLC_VEC(uint16_t) ports;
	POLC_VEC(uint16_t) icmp_types;
	uint16_t fresh; /* source ports and ICMP ids: a new one per flow */
	uint32_t fragment_id;
	size_t next_addr, next_port; /* so that every one has its turn */
	const struct polc_endpoint *endpoint;
	struct packet history[HISTORY];
	size_t n_history;
};

void asker_init(struct asker *asker, struct polc_arena *arena, const struct subject *subject,
	uint64_t seed);
/* Forgets the history; packets now are those of `endpoint`. */
void asker_endpoint(struct asker *asker, const struct polc_endpoint *endpoint);
void asker_next(struct asker *asker, bool tc, struct packet *packet);
/* A question of the evaluator at a boundary. */
void asker_question(struct asker *asker, struct polc_question *question);

/* The frame's bytes, damage included. 0 or -errno. */
int packet_bytes(const struct packet *packet, uint8_t frame[FRAME_BYTES], size_t *size);
void packet_print(const struct packet *packet, struct polc_buf *out);

#endif
