/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The short path: whole TCP and UDP packets with plain headers in linear memory, of a flow whose
 * verdict is known. It decides nothing and refuses nothing: what is unusual goes to polt_parse,
 * what is not cached to polt_flow_packet. Direct packet access in tc and (since 4.20) cgroup_skb.
 */
#ifndef POLT_SHORT_H
#define POLT_SHORT_H

#include "full.h"

static __always_inline bool polt_short_l4(struct polt_packet *p, __u8 family, __u8 protocol,
	const void *l4, const void *data_end, __u32 room)
{
	__u8 hook = p->hook, direction = p->direction;
	__u32 size = protocol == POLT_PROTO_TCP ? POLT_TCP_HEADER : POLT_UDP_HEADER;

	if (protocol != POLT_PROTO_TCP && protocol != POLT_PROTO_UDP)
		return false;
	if (room < size || l4 + POLT_UDP_HEADER > data_end)
		return false;
	__u32 ports = polt_htonl(*(const __u32 *)l4); /* the source in the upper half */
	if (direction == POLB_EGRESS)
		ports = ports << 16 | ports >> 16;
	polt_packet_ports(p, ports, family, protocol);
	if (protocol == POLT_PROTO_TCP) {
		if (l4 + POLT_TCP_HEADER > data_end)
			return false;
		polt_packet_marks(p, hook, direction, ((const __u8 *)l4)[POLT_TCP_FLAGS]);
	} else {
		polt_packet_marks(p, hook, direction, polt_zero(room));
	}
	return true;
}

static __always_inline bool polt_short_ipv4(
	struct polt_packet *p, const struct polt_ipv4 *ip, const void *data_end, __u32 room)
{
	if ((const void *)(ip + 1) > data_end)
		return false;
	__u32 total = polt_ntohs(ip->total_length);
	if (ip->version_ihl != 0x45 || total > room || total < sizeof(*ip) ||
		ip->fragment & polt_htons(POLT_IPV4_MORE | POLT_IPV4_OFFSET))
		return false;
	polt_set_addresses4(p, ip->src, ip->dst);
	if (p->key.local[0] == p->key.remote[0] || polt_loopback(&p->key))
		return false;
	return polt_short_l4(p, 4, ip->protocol, ip + 1, data_end, total - sizeof(*ip));
}

static __always_inline bool polt_short_ipv6(
	struct polt_packet *p, const struct polt_ipv6 *ip, const void *data_end, __u32 room)
{
	if ((const void *)(ip + 1) > data_end)
		return false;
	__u32 payload = polt_ntohs(ip->payload_length);
	if (((const __u8 *)ip)[0] >> 4 != 6 || payload + sizeof(*ip) > room)
		return false;
	polt_set_addresses6(p, (const polt_word *)ip->src, (const polt_word *)ip->dst);
	if (polt_same_address(&p->key) || polt_loopback(&p->key))
		return false;
	return polt_short_l4(p, 6, ip->next_header, ip + 1, data_end, payload);
}

static __always_inline bool polt_short_parse(const struct __sk_buff *skb, struct polt_packet *p)
{
	const void *data = polt_data(skb), *data_end = polt_data_end(skb);
	__u32 l3 = p->hook == POLT_TC ? POLT_ETH_HEADER : 0;

	/* the shortest header either way needs 20 bytes: one check covers what says which it is */
	if (data + l3 + sizeof(struct polt_ipv4) > data_end)
		return false;
	if (p->hook == POLT_TC) {
		__u16 type = *(const __u16 *)(data + POLT_ETH_HEADER - 2);

		if (type == polt_htons(POLT_ETHERTYPE_IPV4))
			return polt_short_ipv4(p, data + l3, data_end, p->length - l3);
		if (type == polt_htons(POLT_ETHERTYPE_IPV6))
			return polt_short_ipv6(p, data + l3, data_end, p->length - l3);
		return false;
	}
	if (*(const __u8 *)data >> 4 == 4)
		return polt_short_ipv4(p, data, data_end, p->length);
	return polt_short_ipv6(p, data, data_end, p->length);
}

enum polt_hit { POLT_MISS, POLT_HIT, POLT_KEEP };

/*
 * The socket's own verdict. KEEP: the socket has none yet, and polt_flow_packet should give it one;
 * a listener's packets are the only ones that come back for it.
 */
static __always_inline enum polt_hit polt_socket_hit(
	const struct __sk_buff *skb, const struct polt_packet *p)
{
#if POLT_HOOK_CGROUP
	if (!polt_uses_socket(p) || p->byte & POLT_TCP_SPECIAL)
		return POLT_MISS;
	struct bpf_sock *sk = polt_socket(skb);
	if (!sk)
		return POLT_MISS;
	struct polb_socket_flow *stored = bpf_sk_storage_get(&polt_sockets, sk, NULL, 0);
	if (!stored)
		return POLT_KEEP;
	if (!polt_same_key(&stored->key, &p->key))
		return POLT_MISS;
	__u64 state = READ_ONCE(stored->state);
	/* another epoch: polt_flow_packet decides again and stores here too */
	if ((__u32)(state >> 32) != p->epoch)
		return POLT_KEEP;
	polt_count((__u32)state >> 8, p->length);
	return POLT_HIT;
#else
	return POLT_MISS;
#endif
}

static __always_inline bool polt_flow_hit(struct polb_flow *flow, const struct polt_packet *p)
{
	__u64 state = READ_ONCE(flow->state);
	bool tcp = p->key.protocol == POLT_PROTO_TCP;

	if ((__u32)(state >> 32) != p->epoch)
		return false;
	if (tcp) {
		if (flow->closing || p->byte & POLT_TCP_SPECIAL)
			return false;
	} else {
		struct polb_config *config = polt_at(&polt_config, 0);
		__u32 now = polt_jiffies();

		if (!config || !polt_flow_live(flow, p, config, now))
			return false;
		if (flow->last_seen != now)
			WRITE_ONCE(flow->last_seen, now);
	}
	polt_count((__u32)state >> 8, p->length);
	return true;
}

/* A packet of an endpoint, from parsing on. Whether it passes. */
static __always_inline int polt_packet(struct __sk_buff *skb, struct polt_packet *p)
{
	bool plain = polt_short_parse(skb, p);
	enum polt_hit hit = POLT_KEEP;
	__u64 outcome = 0;

	if (likely(plain)) {
		hit = polt_socket_hit(skb, p);
		if (hit == POLT_HIT)
			return true;
	} else {
		int parsed = polt_parse(skb, p);

		if (parsed == POLT_ARP)
			return true;
		polt_packet_forget(p);
		outcome = polt_before_flow(p, parsed);
		polt_packet_forget(p);
		if (!outcome && p->stateless)
			outcome = polt_stateless(skb, p);
	}
	if (!outcome) {
		struct polb_flow *flow = bpf_map_lookup_elem(&polt_flows, &p->key);

		if (flow && hit == POLT_MISS && polt_flow_hit(flow, p))
			return true;
		outcome = polt_flow_packet(skb, p, flow);
	}
	int passes = polt_finish(p, polt_any(outcome));
	if (passes && p->fragment == POLT_FIRST)
		polt_keep_fragment(p);
	return passes;
}

#endif
