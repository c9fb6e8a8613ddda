/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A packet as the steps see it, and what they say about it. */
#ifndef POLT_PACKET_H
#define POLT_PACKET_H

#include "runtime/abi.h"
#include "../lib/protocols.h"
#include "../lib/skb.h"
#include "config.h"

enum polt_hook { POLT_CGROUP, POLT_TC };
enum polt_fragment { POLT_WHOLE, POLT_FIRST, POLT_LATER };

struct polt_packet {
	struct polb_flow_key key;
	__u32 endpoint; /* number */
	__u32 epoch;
	__u32 length; /* skb->len */
	__u32 fragment_id;
	__u16 l4; /* offset of the header behind IP */
	__u8 hook;
	__u8 direction;
	__u8 byte; /* TCP: flags; ICMP: type */
	__u8 icmp_code;
	__u8 icmp_pair; /* ICMP queries: the type that answers it, or that it answers */
	__u8 fragment;
	__u8 opening;   /* asks for a new flow */
	__u8 stateless; /* ICMP that is no query: leaves no flow */
	__u8 pad[6];
};

/*
 * An outcome: rule and verdict in the low half as in POLB_STATE, marks above. 0: nothing decided
 * yet.
 */
#define POLT_RESULT(rule, verdict) (((__u32)(rule) << 8) | (__u32)(verdict))
#define POLT_DECIDED (1ull << 32) /* just now, not read from a cache */
#define POLT_OPENED (1ull << 33)  /* and it began a flow */
#define POLT_REPLY (1ull << 34)   /* the packet goes against the direction that was decided */
static __always_inline __u8 polt_verdict(__u32 result)
{
	return (__u8)result;
}

static __always_inline void polt_set_addresses4(struct polt_packet *p, __u32 src, __u32 dst)
{
	bool out = p->direction == POLB_EGRESS;

	p->key.family = 4;
	p->key.local[0] = out ? src : dst;
	p->key.remote[0] = out ? dst : src;
}

static __always_inline void polt_set_addresses6(
	struct polt_packet *p, const __u32 src[4], const __u32 dst[4])
{
	bool out = p->direction == POLB_EGRESS;

	p->key.family = 6;
	for (int i = 0; i < 4; i++) {
		p->key.local[i] = out ? src[i] : dst[i];
		p->key.remote[i] = out ? dst[i] : src[i];
	}
}

static __always_inline bool polt_same_address(const struct polb_flow_key *key)
{
	__u32 differ = 0;

	for (int i = 0; i < 4; i++)
		differ |= key->local[i] ^ key->remote[i];
	return !differ;
}

static __always_inline bool polt_loopback_address(__u8 family, const __u32 address[4])
{
	if (family == 4)
		return (address[0] & 0xff) == 127;
	return !(address[0] | address[1] | address[2] | (address[3] ^ polt_htonl(1)));
}

static __always_inline bool polt_loopback(const struct polb_flow_key *key)
{
	return polt_loopback_address(key->family, key->local) ||
	       polt_loopback_address(key->family, key->remote);
}

#endif
