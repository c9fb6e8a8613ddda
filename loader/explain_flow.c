/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the flow table remembers of connections that a question is about. */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "explain.h"
#include "runtime/cleanup.h"
#include "runtime/instance_private.h"

static bool is_remote(const struct polb_live *live, const struct polb_flow_key *key,
	const struct polb_question *question, const struct polb_decision *decision)
{
	struct polb_addr addr = {.family = key->family};
	enum polb_peer_source source;
	struct polb_peer peer;

	memcpy(addr.bytes, key->remote, key->family == 4 ? 4 : 16);
	if (!question->peer)
		return polb_addr_compare(&addr, &question->remote) == 0;
	return polb_live_peer(live, &addr, &peer, &source) == 0 &&
	       peer.identity == decision->peer.identity;
}

/* ICMP queries are kept by their id: any of the peer's. */
static bool is_asked(const struct polb_flow_key *key, const struct polb_flow *flow,
	const struct polb_question *q, const struct pold_party *own)
{
	uint16_t port = q->direction == POLB_EGRESS ? key->remote_port : key->local_port;
	bool icmp = q->protocol == IPPROTO_ICMP || q->protocol == IPPROTO_ICMPV6;

	return key->endpoint && (key->endpoint == own->keys[0] || key->endpoint == own->keys[1]) &&
	       key->protocol == q->protocol && flow->origin == q->direction &&
	       (icmp || port == q->port);
}

static uint32_t jiffies_now(uint32_t hz)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now); /* jiffies begin at -300 s */
	return (uint32_t)((uint64_t)now.tv_sec * hz + (uint64_t)now.tv_nsec * hz / 1000000000u) -
	       300 * hz;
}

static void take(const struct polb_flow *flow, uint32_t epoch, struct pold_cached *out)
{
	uint32_t hz = polb_kernel_hz();
	int32_t ticks = (int32_t)(jiffies_now(hz) - flow->last_seen);
	double idle_s = ticks > 0 ? (double)ticks / hz : 0;

	out->current += flow->state >> 32 == epoch;
	if (out->flows++ && idle_s > out->idle_s)
		return;
	out->verdict = (uint8_t)flow->state;
	out->rule = (uint32_t)(flow->state >> 8) & 0xffffff;
	out->epoch = (uint32_t)(flow->state >> 32);
	out->idle_s = idle_s;
}

void pold_cached_find(const struct pold_state *state, const struct polb_live *live,
	const struct pold_party *own, const struct polb_question *question,
	const struct polb_decision *decision, struct pold_cached *out)
{
	POLB_FD fd = pold_pin_get(POLD_ROOT "/%s/flows_v%u", state->name, POLB_ABI_VERSION);
	struct polb_flow_key key, *previous = NULL;

	*out = (struct pold_cached){0};
	while (fd >= 0 && bpf_map_get_next_key(fd, previous, &key) == 0) {
		struct polb_flow flow;

		previous = &key;
		if (bpf_map_lookup_elem(fd, &key, &flow) == 0 &&
			is_asked(&key, &flow, question, own) &&
			is_remote(live, &key, question, decision))
			take(&flow, state->epoch, out);
	}
}
