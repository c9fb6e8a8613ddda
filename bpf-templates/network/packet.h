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
 * The verifier tells packets apart by what it knows of their fields, and by whether a byte was
 * stored alone, and goes over all that follows once for each kind. So the fields that paths set
 * differently are stored as whole words of which it knows nothing.
 */
typedef __u64 __attribute__((may_alias)) polt_word;
enum {
	POLT_WORD_PORTS = 4,
	POLT_WORD_LENGTH = 7,
	POLT_WORD_MARKS = 8,
	POLT_WORD_KIND = 9,
	POLT_PACKET_WORDS = 10
};
_Static_assert(sizeof(struct polt_packet) == POLT_PACKET_WORDS * sizeof(polt_word), "whole words");
_Static_assert(__builtin_offsetof(struct polt_packet, key.local_port) == POLT_WORD_PORTS * 8 &&
		       __builtin_offsetof(struct polt_packet, length) == POLT_WORD_LENGTH * 8 &&
		       __builtin_offsetof(struct polt_packet, l4) == POLT_WORD_MARKS * 8 &&
		       __builtin_offsetof(struct polt_packet, opening) == POLT_WORD_KIND * 8,
	"fields of the words");

/* 0, which the verifier does not know: made of any number that it does not know. */
static __always_inline __u64 polt_zero(__u64 unknown)
{
	__u64 same = unknown;

	polt_forget(same);
	return unknown - same;
}

/* All zero but for what is given. */
static __always_inline void polt_packet_init(
	struct polt_packet *p, __u32 length, __u8 hook, __u8 direction)
{
	polt_word *words = (polt_word *)p;
	__u64 zero = polt_zero(length);

	for (__u32 i = 0; i < POLT_PACKET_WORDS; i++)
		words[i] = zero;
	words[POLT_WORD_LENGTH] = length;
	p->hook = hook;
	p->direction = direction;
}

/* `ports`: the local one in the lower half. */
static __always_inline void polt_packet_ports(
	struct polt_packet *p, __u32 ports, __u8 family, __u8 protocol)
{
	((polt_word *)p)[POLT_WORD_PORTS] = ports | (__u64)family << 32 | (__u64)protocol << 40;
}

/* Of a packet without ICMP fields or fragments. Without branches: 0 or 1 would be known. */
static __always_inline void polt_packet_marks(
	struct polt_packet *p, __u8 hook, __u8 direction, __u64 byte)
{
	((polt_word *)p)[POLT_WORD_MARKS] = (__u64)hook << 16 | (__u64)direction << 24 | byte << 32;
	_Static_assert(POLT_TCP_SYN == 1 << 1 && POLT_TCP_ACK == 1 << 4, "shifted below");
	((polt_word *)p)[POLT_WORD_KIND] = byte >> 1 & ~(byte >> 4) & 1; /* SYN without ACK */
}

/* What parsing has set: from here on the verifier knows nothing of it. */
static __always_inline void polt_packet_forget(struct polt_packet *p)
{
	volatile polt_word *words = (volatile polt_word *)p;

	for (__u32 i = 0; i < POLT_PACKET_WORDS; i++)
		if (i <= POLT_WORD_PORTS || i >= POLT_WORD_LENGTH)
			words[i] = words[i];
}

/* Its argument; but the verifier takes what a global function returns for any number. */
__u64 polt_any(__u64 number);

__noinline __u64 polt_any(__u64 number)
{
	polt_forget(number);
	return number;
}

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
	((polt_word *)p->key.local)[0] = out ? src : dst;
	((polt_word *)p->key.remote)[0] = out ? dst : src;
}

static __always_inline void polt_set_addresses6(
	struct polt_packet *p, const polt_word src[2], const polt_word dst[2])
{
	bool out = p->direction == POLB_EGRESS;
	polt_word *local = (polt_word *)p->key.local, *remote = (polt_word *)p->key.remote;

	p->key.family = 6;
	for (int i = 0; i < 2; i++) {
		local[i] = out ? src[i] : dst[i];
		remote[i] = out ? dst[i] : src[i];
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
