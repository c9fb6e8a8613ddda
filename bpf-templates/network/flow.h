/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Step 8: the flow table and the sockets' own copy of a TCP flow's verdict.
 *
 * An element of an LRU map may become another flow's between a lookup and a store (it is reused at
 * once). Verdicts are therefore only ever written with bpf_map_update_elem, by key; in place go the
 * age and the closing mark, where a stray write costs another flow at most an early end.
 */
#ifndef POLT_FLOW_H
#define POLT_FLOW_H

#include "report.h"

#define POLT_TCP_CLOSES (POLT_TCP_FIN | POLT_TCP_RST)
/* TCP packets that neither begin nor end anything: the ones worth a short path. */
#define POLT_TCP_SPECIAL (POLT_TCP_SYN | POLT_TCP_CLOSES)

/* What is known of a flow before a packet is decided. */
struct polt_known {
	__u64 state;
	__u8 live;
	__u8 in_table; /* the entry of the flow table is live, too */
	__u8 origin;
	__u8 closing;
};

static __always_inline __u32 polt_jiffies(void)
{
	return bpf_jiffies64();
}

static __always_inline bool polt_flow_live(const struct polb_flow *flow,
	const struct polt_packet *p, const struct polb_config *config, __u32 now)
{
	__u32 idle = now - flow->last_seen;

	if (p->key.protocol == POLT_PROTO_TCP)
		return !flow->closing || idle <= config->closing_timeout_jiffies;
	return idle <= config->udp_timeout_jiffies;
}

/* Only what ages is stored, and at most once a jiffy: an established flow's cache line stays
 * shared. */
static __always_inline void polt_flow_touch(
	struct polb_flow *flow, const struct polt_packet *p, bool tcp, __u32 now)
{
	if (tcp && p->byte & POLT_TCP_CLOSES && !flow->closing)
		WRITE_ONCE(flow->closing, 1);
	if ((!tcp || flow->closing) && flow->last_seen != now)
		WRITE_ONCE(flow->last_seen, now);
}

static __always_inline bool polt_same_key(
	const struct polb_flow_key *a, const struct polb_flow_key *b)
{
	const polt_word *x = (const polt_word *)a, *y = (const polt_word *)b;
	__u64 differ = 0;

	_Static_assert(sizeof(*a) == 48, "six words");
	for (int i = 0; i < 6; i++)
		differ |= x[i] ^ y[i];
	return !differ;
}

#if POLT_HOOK_CGROUP
/* The full socket of a TCP packet; 5.10 takes nothing less for its storage. */
static __always_inline struct bpf_sock *polt_socket(const struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	return sk ? bpf_sk_fullsock(sk) : NULL;
}

/*
 * Keeps a verdict in the socket. The key is part of the initial value, never written again, so
 * whoever sees the storage sees it whole; a socket that serves another flow (a listener) is left
 * alone.
 */
static __always_inline void polt_socket_keep(
	const struct __sk_buff *skb, const struct polt_packet *p, __u64 state, __u8 origin)
{
	struct bpf_sock *sk = polt_socket(skb);

	if (!sk || sk->state == POLT_SOCK_LISTEN)
		return;
	struct polb_socket_flow initial = {.key = p->key, .state = state, .origin = origin};
	struct polb_socket_flow *stored =
		bpf_sk_storage_get(&polt_sockets, sk, &initial, BPF_SK_STORAGE_GET_F_CREATE);
	if (stored && polt_same_key(&stored->key, &p->key) && stored->origin == origin &&
		stored->state != state)
		WRITE_ONCE(stored->state, state);
}
#endif

static __always_inline bool polt_uses_socket(const struct polt_packet *p)
{
	return POLT_HOOK_CGROUP && p->hook == POLT_CGROUP && p->key.protocol == POLT_PROTO_TCP;
}

/* A flow that the LRU has dropped may still be known to its socket. */
static __always_inline void polt_recall_socket(
	const struct __sk_buff *skb, const struct polt_packet *p, struct polt_known *known)
{
#if POLT_HOOK_CGROUP
	struct bpf_sock *sk = polt_socket(skb);
	if (!sk)
		return;
	struct polb_socket_flow *stored = bpf_sk_storage_get(&polt_sockets, sk, NULL, 0);
	if (!stored || !polt_same_key(&stored->key, &p->key))
		return;
	known->state = READ_ONCE(stored->state);
	known->origin = stored->origin;
	known->live = true;
#endif
}

static __always_inline struct polt_known polt_recall(const struct __sk_buff *skb,
	const struct polt_packet *p, const struct polb_flow *flow, const struct polb_config *config,
	__u32 now)
{
	struct polt_known known = {};

	if (flow && polt_flow_live(flow, p, config, now)) {
		known.state = READ_ONCE(flow->state);
		known.origin = flow->origin;
		known.closing = flow->closing;
		known.live = known.in_table = true;
	} else if (polt_uses_socket(p)) {
		polt_recall_socket(skb, p, &known);
	}
	/* a new connection on old ports; after a close even in the same direction */
	if (p->opening && (known.origin != p->direction || known.closing))
		known.live = false;
	return known;
}

/* A connection older than polc may show its replying side first. Sets *origin when so taken. */
static __always_inline __u32 polt_adopt(const struct polt_packet *p,
	const struct polb_endpoint *endpoint, const struct polb_config *config, __u32 denied,
	__u8 *origin)
{
	if (p->key.protocol != POLT_PROTO_TCP || p->opening || !config->adopt_until_ns ||
		bpf_ktime_get_ns() >= config->adopt_until_ns)
		return denied;
	__u32 result = polt_judge_packet(p, endpoint, !p->direction);
	if (polt_verdict(result) == POLB_VERDICT_DENY)
		return denied;
	*origin = !p->direction;
	return result;
}

/* The epoch that a verdict is kept under: never the present one while that has the mark. */
static __always_inline __u64 polt_state(const struct polt_packet *p, __u32 result)
{
	return (__u64)(p->epoch & ~POLB_EPOCH_CHANGING) << 32 | result;
}

static __always_inline void polt_flow_store(
	const struct polt_packet *p, __u64 state, __u8 origin, bool closing, __u32 now)
{
	struct polb_flow flow = {
		.state = state, .last_seen = now, .origin = origin, .closing = closing};

	bpf_map_update_elem(&polt_flows, &p->key, &flow, BPF_ANY);
}

/*
 * A connection that is denied from now on. Its other end may go on sending: in its direction that
 * is no new flow, so TCP is remembered, in a state of no current epoch, which lets nothing pass
 * undecided. Other protocols have no beginning to tell a new flow by.
 */
static __always_inline void polt_flow_deny(
	const struct polt_packet *p, const struct polt_known *known, __u32 result, __u32 now)
{
	if (p->key.protocol != POLT_PROTO_TCP)
		bpf_map_delete_elem(&polt_flows, &p->key);
	else if (!known->in_table || polt_verdict(known->state) != POLB_VERDICT_DENY)
		polt_flow_store(p, polt_state(p, result) - (1ull << 32), known->origin,
			known->closing, now);
}

/* What is known, or the table's word, or (a connection older than polc) the other direction's. */
static __always_inline __u32 polt_flow_result(const struct polt_packet *p,
	const struct polb_endpoint *endpoint, const struct polb_config *config,
	const struct polt_known *known, __u8 *origin)
{
	if (known->live && (__u32)(known->state >> 32) == p->epoch)
		return known->state;
	__u32 result = polt_judge_packet(p, endpoint, *origin);
	if (!known->live && polt_verdict(result) == POLB_VERDICT_DENY)
		result = polt_adopt(p, endpoint, config, result, origin);
	return polt_audit(result, endpoint);
}

/*
 * A packet whose flow (NULL: none) did not settle it: begins a flow, re-decides one, or closes one.
 * The outcome.
 */
static __noinline __u64 polt_flow_packet(
	struct __sk_buff *skb, const struct polt_packet *p, struct polb_flow *flow)
{
	struct polb_endpoint *endpoint = polt_at(&polt_endpoints, p->endpoint);
	struct polb_config *config = polt_at(&polt_config, 0);

	if (!endpoint || !config)
		return polt_no_endpoint();
	__u32 now = polt_jiffies();
	struct polt_known known = polt_recall(skb, p, flow, config, now);
	__u8 origin = known.live ? known.origin : p->direction;
	__u32 result = polt_flow_result(p, endpoint, config, &known, &origin);
	__u64 state = polt_state(p, result);
	bool tcp = p->key.protocol == POLT_PROTO_TCP, cached = known.live && state == known.state;

	if (polt_verdict(result) == POLB_VERDICT_DENY) {
		if (known.live)
			polt_flow_deny(p, &known, result, now);
		return result | POLT_DECIDED;
	}
	if (cached && known.in_table && flow)
		polt_flow_touch(flow, p, tcp, now);
	else
		polt_flow_store(p, state, origin,
			tcp && (p->byte & POLT_TCP_CLOSES || (known.live && known.closing)), now);
#if POLT_HOOK_CGROUP
	if (polt_uses_socket(p) && !(p->byte & POLT_TCP_SPECIAL))
		polt_socket_keep(skb, p, state, origin);
#endif
	return result | (cached ? 0 : POLT_DECIDED) | (known.live ? 0 : POLT_OPENED) |
	       (origin == p->direction ? 0 : POLT_REPLY);
}

#endif
