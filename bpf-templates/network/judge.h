/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Step 9, from a packet: who the peer is, which port counts, what the endpoint's table says. */
#ifndef POLT_JUDGE_H
#define POLT_JUDGE_H

#include "match.h"
#include "parse.h"

enum { POLT_IDENTITY_WORLD = 2 }; /* Cilium's number, reference 1.7 */

static __always_inline struct polb_peer *polt_peer4(const __u32 remote[4])
{
	struct polb_peer *peer = bpf_map_lookup_elem(&polt_peers4, remote);

#if POLT_HAS_CIDR4
	if (!peer) {
		struct polb_lpm4 prefix = {.prefix_len = 32};

		__builtin_memcpy(prefix.addr, remote, sizeof(prefix.addr));
		peer = bpf_map_lookup_elem(&polt_cidrs4, &prefix);
	}
#else
	/* all of 127.0.0.0/8 is the host, as its one entry says; with prefixes it has a prefix
	 * entry */
	if (!peer && (remote[0] & 0xff) == 127) {
		__u32 localhost = polt_htonl(0x7f000001);

		peer = bpf_map_lookup_elem(&polt_peers4, &localhost);
	}
#endif
	return peer;
}

static __always_inline struct polb_peer *polt_peer6(const __u32 remote[4])
{
	struct polb_peer *peer = bpf_map_lookup_elem(&polt_peers6, remote);

#if POLT_HAS_CIDR6
	if (!peer) {
		struct polb_lpm6 prefix = {.prefix_len = 128};

		__builtin_memcpy(prefix.addr, remote, sizeof(prefix.addr));
		peer = bpf_map_lookup_elem(&polt_cidrs6, &prefix);
	}
#endif
	return peer;
}

static __always_inline struct polb_peer polt_peer(const struct polb_flow_key *key)
{
	bool v4 = key->family == 4;
	struct polb_peer *peer = v4 ? polt_peer4(key->remote) : polt_peer6(key->remote);
	struct polb_peer world = {
		.identity = POLT_IDENTITY_WORLD,
		.class_id = v4 ? POLB_CLASS_WORLD_IPV4 : POLB_CLASS_WORLD_IPV6,
	};

	return peer ? *peer : world;
}

/* The destination's entry in the port table, for a flow that begins in `direction`. */
static __always_inline __u32 polt_port_entry(const struct polt_packet *p, __u32 direction)
{
	__u32 port = direction == POLB_EGRESS ? p->key.remote_port : p->key.local_port;

	if (polt_is_icmp(p->key.family, p->key.protocol)) {
		__u32 base = p->key.family == 4 ? POLB_PORTS_ICMP : POLB_PORTS_ICMPV6;

		/* against the packet's own direction: the other half of a query */
		return base + (direction == p->direction ? p->byte : p->icmp_pair);
	}
	if (p->key.protocol == POLT_PROTO_TCP)
		return POLB_PORTS_TCP + port;
	if (p->key.protocol == POLT_PROTO_UDP)
		return POLB_PORTS_UDP + port;
	if (p->key.protocol == POLT_PROTO_SCTP)
		return POLB_PORTS_SCTP + port;
	return POLB_PORTS_OTHER + p->key.protocol;
}

/* The kernel is asked for the time only where an entry has one. */
static __always_inline bool polt_peer_expired(const struct polb_peer *peer)
{
	return peer->expires_s && !(peer->flags & POLB_PEER_KEEP) &&
	       bpf_ktime_get_boot_ns() >= peer->expires_s * 1000000000ull;
}

/* Apart, so that its keys are not on the stack while steps are matched. */
static __noinline __u32 polt_class_of(const struct polt_packet *p)
{
	struct polb_peer peer = polt_peer(&p->key);

	return polt_peer_expired(&peer) ? POLB_CLASS_EXPIRED : peer.class_id;
}

/* POLB_TABLES() of a direction. */
static __always_inline __u64 polt_tables_of(const struct polb_endpoint *endpoint, __u32 direction)
{
	__u32 table = endpoint->table[direction == POLB_EGRESS];

#if POLT_HAS_SWITCHABLE
	__u64 *entry = polt_at(&polt_tables, table);
	__u64 tables = entry ? READ_ONCE(*entry) : 0;

	if (tables) /* 0 where nobody has written: that opens nothing */
		return tables;
#endif
	return POLB_TABLES(table, table);
}

static __always_inline __u32 polt_judge_table(
	const struct polt_packet *p, __u32 table, __u32 direction)
{
	__u32 class;

	if (!table)
		return POLT_RESULT(POLB_RULE_NONE, POLB_VERDICT_ALLOW);
	class = polt_class_of(p);
	if (class == POLB_CLASS_EXPIRED)
		return POLT_RESULT(POLB_RULE_EXPIRED, POLB_VERDICT_DENY);
	return polt_decide(class, table, polt_port_entry(p, direction));
}

/* With policies in audit mode: what passes without them and would not with them is AUDIT. */
static __always_inline __u32 polt_judge(
	const struct polt_packet *p, const struct polb_endpoint *endpoint, __u32 direction)
{
	__u64 tables = polt_tables_of(endpoint, direction);
	__u32 result = polt_judge_table(p, tables, direction);

#if POLT_HAS_SWITCHABLE
	if (polt_verdict(result) == POLB_VERDICT_ALLOW && (__u32)tables != tables >> 32) {
		__u32 all = polt_judge_table(p, tables >> 32, direction);

		if (polt_verdict(all) == POLB_VERDICT_DENY)
			return (all & ~0xffu) | POLB_VERDICT_AUDIT;
	}
#endif
	return result;
}

#endif
