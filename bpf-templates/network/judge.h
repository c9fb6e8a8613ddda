/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Step 9, from a packet: who the peer is, which port counts, what the endpoint's table says. Global
 * functions of numbers, as in match.h: five places ask, on many paths each, and the verifier looks
 * at what is asked once.
 */
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

static __always_inline struct polb_peer polt_peer(__u64 low, __u64 high, bool v4)
{
	union {
		__u64 halves[2];
		__u32 words[4];
	} remote = {{low, high}};
	struct polb_peer *peer = v4 ? polt_peer4(remote.words) : polt_peer6(remote.words);
	struct polb_peer world = {
		.identity = POLT_IDENTITY_WORLD,
		.class_id = v4 ? POLB_CLASS_WORLD_IPV4 : POLB_CLASS_WORLD_IPV6,
	};

	return peer ? *peer : world;
}

/* The remote address as two numbers. */
#define POLT_REMOTE(key)                                                                           \
	((const polt_word *)(key)->remote)[0], ((const polt_word *)(key)->remote)[1]
_Static_assert(__builtin_offsetof(struct polb_flow_key, remote) % 8 == 0, "whole words");

/* What a packet asks for: protocol, destination port, or type of an ICMP message. */
#define POLT_ASKED(family, protocol, port, type)                                                   \
	((__u64)(family) | (__u64)(protocol) << 8 | (__u64)(port) << 16 | (__u64)(type) << 32)
#define POLT_ASKED_FAMILY(x) ((__u8)(x))
#define POLT_ASKED_PROTOCOL(x) ((__u8)((x) >> 8))
#define POLT_ASKED_PORT(x) ((__u16)((x) >> 16))
#define POLT_ASKED_TYPE(x) ((__u8)((x) >> 32))

/* Not inlined: globals, see above. `tables`: as POLB_TABLES() makes it. */
__u32 polt_judge(__u64 remote_low, __u64 remote_high, __u64 asked, __u64 tables);
__u32 polt_peer_identity(__u64 remote_low, __u64 remote_high, __u32 family);

__noinline __u32 polt_peer_identity(__u64 remote_low, __u64 remote_high, __u32 family)
{
	return polt_peer(remote_low, remote_high, family == 4).identity;
}

/* Of a flow that begins in `direction`. */
static __always_inline __u64 polt_asked(const struct polt_packet *p, __u32 direction)
{
	__u16 port = direction == POLB_EGRESS ? p->key.remote_port : p->key.local_port;
	/* against the packet's own direction: the other half of a query */
	__u8 type = direction == p->direction ? p->byte : p->icmp_pair;

	return POLT_ASKED(p->key.family, p->key.protocol, port, type);
}

/* Its entry in the port table. */
static __always_inline __u32 polt_port_entry(__u64 asked)
{
	__u32 protocol = POLT_ASKED_PROTOCOL(asked), port = POLT_ASKED_PORT(asked);
	bool v4 = POLT_ASKED_FAMILY(asked) == 4;

	if (polt_is_icmp(POLT_ASKED_FAMILY(asked), protocol))
		return (v4 ? POLB_PORTS_ICMP : POLB_PORTS_ICMPV6) + POLT_ASKED_TYPE(asked);
	if (protocol == POLT_PROTO_TCP)
		return POLB_PORTS_TCP + port;
	if (protocol == POLT_PROTO_UDP)
		return POLB_PORTS_UDP + port;
	if (protocol == POLT_PROTO_SCTP)
		return POLB_PORTS_SCTP + port;
	return POLB_PORTS_OTHER + protocol;
}

/* The kernel is asked for the time only where an entry has one. */
static __always_inline bool polt_peer_expired(const struct polb_peer *peer)
{
	return peer->expires_s && !(peer->flags & POLB_PEER_KEEP) &&
	       bpf_ktime_get_boot_ns() >= peer->expires_s * 1000000000ull;
}

static __always_inline __u32 polt_judge_table(__u32 class_id, __u32 table, __u32 port_entry)
{
	if (!table)
		return POLT_RESULT(POLB_RULE_NONE, POLB_VERDICT_ALLOW);
	if (class_id == POLB_CLASS_EXPIRED)
		return POLT_RESULT(POLB_RULE_EXPIRED, POLB_VERDICT_DENY);
	return polt_decide(class_id, table, port_entry);
}

/* With policies in audit mode: what passes without them and would not with them is AUDIT. */
__noinline __u32 polt_judge(__u64 remote_low, __u64 remote_high, __u64 asked, __u64 tables)
{
	__u32 port_entry = polt_port_entry(asked), class_id, result;

	if (!tables)
		return POLT_RESULT(POLB_RULE_NONE, POLB_VERDICT_ALLOW);
	struct polb_peer peer = polt_peer(remote_low, remote_high, POLT_ASKED_FAMILY(asked) == 4);
	class_id = polt_peer_expired(&peer) ? POLB_CLASS_EXPIRED : peer.class_id;
	result = polt_judge_table(class_id, tables, port_entry);
#if POLT_HAS_SWITCHABLE
	if (polt_verdict(result) == POLB_VERDICT_ALLOW && (__u32)tables != tables >> 32) {
		__u32 all = polt_judge_table(class_id, tables >> 32, port_entry);

		if (polt_verdict(all) == POLB_VERDICT_DENY)
			return (all & ~0xffu) | POLB_VERDICT_AUDIT;
	}
#endif
	return result;
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

static __always_inline __u32 polt_judge_packet(
	const struct polt_packet *p, const struct polb_endpoint *endpoint, __u32 direction)
{
	return polt_judge(POLT_REMOTE(&p->key), polt_asked(p, direction),
		polt_tables_of(endpoint, direction));
}

#endif
