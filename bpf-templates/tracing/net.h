/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sockets, packets and socket addresses as one structure, and tests on addresses. */
#ifndef POLT_NET_H
#define POLT_NET_H

#include "../lib/protocols.h"
#include "kernel.h"
#include "context.h"

enum { POLT_AF_INET = 2, POLT_AF_INET6 = 10 };

/* --- socks ---------------------------------------------------------------------------------------
 */

struct sock_common {
	__u32 skc_daddr, skc_rcv_saddr;
	__u16 skc_dport; /* network order */
	__u16 skc_num;   /* host order */
	__u16 skc_family;
	__u8 skc_state;
} POLT_KERNEL;
struct sock {
	struct sock_common __sk_common;
	__u16 sk_type, sk_protocol; /* whole fields since 5.6 */
	__u32 sk_mark, sk_priority;
} POLT_KERNEL;
struct socket {
	struct sock *sk;
} POLT_KERNEL;
struct sock_common___v6 {
	struct {
	} skc_v6_daddr, skc_v6_rcv_saddr; /* struct in6_addr */
} POLT_KERNEL;

#define polt_read_member(to, pointer, member)                                                      \
	bpf_probe_read_kernel(&(to), sizeof(to), &(pointer)->member)

/* These have no more than a struct sock_common. */
enum { POLT_TCP_TIME_WAIT = 6, POLT_TCP_NEW_SYN_RECV = 12, POLT_SOCK_STREAM = 1 };

/* The front of a struct sock_common, as it has always been; each read has its price. */
struct polt_sock_view {
	__u32 destination, source, hash;
	__u16 destination_port, source_port;
	__u16 family;
	__u8 state, rest;
};

static __always_inline bool polt_read_common(
	struct polt_sock_view *v, const struct sock_common *common)
{
	const __u64 first = polt_offset(struct sock_common, skc_daddr);

	if (polt_offset(struct sock_common, skc_rcv_saddr) == first + 4 &&
		polt_offset(struct sock_common, skc_dport) == first + 12 &&
		polt_offset(struct sock_common, skc_num) == first + 14 &&
		polt_offset(struct sock_common, skc_family) == first + 16 &&
		polt_offset(struct sock_common, skc_state) == first + 18)
		return !bpf_probe_read_kernel(v, sizeof(*v), (const void *)common + first);
	return !polt_read_member(v->family, common, skc_family) &&
	       !polt_read_member(v->state, common, skc_state) &&
	       !polt_read_member(v->source, common, skc_rcv_saddr) &&
	       !polt_read_member(v->destination, common, skc_daddr) &&
	       !polt_read_member(v->source_port, common, skc_num) &&
	       !polt_read_member(v->destination_port, common, skc_dport);
}

static __always_inline void polt_net_addresses(struct polb_payload_net *out,
	const struct polt_sock_view *v, const struct sock_common *common)
{
	const struct sock_common___v6 *v6 = (const void *)common;

	if (v->family == POLT_AF_INET) {
		out->source[0] = v->source;
		out->destination[0] = v->destination;
	} else if (v->family == POLT_AF_INET6) {
		bpf_probe_read_kernel(out->source, sizeof(out->source), &v6->skc_v6_rcv_saddr);
		bpf_probe_read_kernel(
			out->destination, sizeof(out->destination), &v6->skc_v6_daddr);
	} else {
		return;
	}
	out->source_port = v->source_port;
	out->destination_port = polt_ntohs(v->destination_port);
}

static __always_inline void polt_net_kind(struct polb_payload_net *out, const struct sock *from)
{
	__u16 protocol = 0, both[2] = {};

	if (polt_offset(struct sock, sk_protocol) == polt_offset(struct sock, sk_type) + 2) {
		polt_read_member(both, from, sk_type);
		out->type = both[0];
		out->protocol = both[1];
		return;
	}
	polt_read_member(protocol, from, sk_protocol);
	out->protocol = protocol;
	polt_read_member(out->type, from, sk_type);
}

/*
 * Each of the functions fills *out (a local variable is fine: 80 bytes); false: unreadable or NULL,
 * and *out is zero but for what could be read. A family without addresses is no error.
 */
static __noinline bool polt_net_sock(struct polb_payload_net *out, __u64 sk)
{
	const struct sock *from = (const void *)sk;
	struct polt_sock_view v = {};

	*out = (struct polb_payload_net){};
	if (!sk || !polt_read_common(&v, &from->__sk_common))
		return false;
	out->family = v.family;
	out->state = v.state;
	out->cookie = polt_scalar(sk);
	polt_net_addresses(out, &v, &from->__sk_common);
	if (out->state == POLT_TCP_TIME_WAIT || out->state == POLT_TCP_NEW_SYN_RECV) {
		out->protocol = POLT_PROTO_TCP;
		out->type = POLT_SOCK_STREAM;
		return true;
	}
	polt_net_kind(out, from);
	polt_read_member(out->mark, from, sk_mark);
	polt_read_member(out->priority, from, sk_priority);
	return true;
}

/* struct socket * */
static __noinline bool polt_net_socket(struct polb_payload_net *out, __u64 socket)
{
	struct sock *sk = NULL;

	polt_read_member(sk, (const struct socket *)socket, sk);
	return polt_net_sock(out, (__u64)sk);
}

/* --- packets -------------------------------------------------------------------------------------
 */

struct skb_ext {
	__u8 offset[1]; /* by enum skb_ext_id, in units of 8 bytes */
} POLT_KERNEL;
enum skb_ext_id { SKB_EXT_SEC_PATH = 1 };
struct sk_buff {
	unsigned int len;
	__u32 priority, hash, mark;
	__u16 network_header;
	__u16 protocol; /* network order */
	unsigned char *head;
	__u8 active_extensions;
	struct skb_ext *extensions;
} POLT_KERNEL;
struct sec_path { /* int before 6.19 or so, u8 since */
	int len, olen;
} POLT_KERNEL;

/* Ports of the first fragment of TCP, UDP and SCTP. */
static __always_inline void polt_net_ports(struct polb_payload_net *out, const void *l4)
{
	struct polt_ports ports = {};

	if (out->protocol != POLT_PROTO_TCP && out->protocol != POLT_PROTO_UDP &&
		out->protocol != POLT_PROTO_SCTP)
		return;
	bpf_probe_read_kernel(&ports, sizeof(ports), l4);
	out->source_port = polt_ntohs(ports.src);
	out->destination_port = polt_ntohs(ports.dst);
}

static __always_inline bool polt_net_ipv4(struct polb_payload_net *out, const void *header)
{
	struct polt_ipv4 ip = {};

	if (bpf_probe_read_kernel(&ip, sizeof(ip), header) || ip.version_ihl >> 4 != 4)
		return false;
	out->family = POLT_AF_INET;
	out->protocol = ip.protocol;
	out->source[0] = ip.src;
	out->destination[0] = ip.dst;
	if (!(polt_ntohs(ip.fragment) & POLT_IPV4_OFFSET))
		polt_net_ports(out, header + (ip.version_ihl & 15) * 4);
	return true;
}

static __always_inline bool polt_net_is_extension(__u8 protocol)
{
	return protocol == POLT_PROTO_HOPBYHOP || protocol == POLT_PROTO_ROUTING ||
	       protocol == POLT_PROTO_FRAGMENT || protocol == POLT_PROTO_AH ||
	       protocol == POLT_PROTO_DESTINATION;
}

enum { POLT_EXTENSIONS = 8 };
/* Over the extension headers to the protocol; NULL: not the first fragment, or no end. */
static __always_inline const void *polt_net_extensions(__u8 *protocol, const void *at)
{
	for (int i = 0; i < POLT_EXTENSIONS && polt_net_is_extension(*protocol); i++) {
		__u8 h[4] = {};
		__u64 size;

		if (bpf_probe_read_kernel(h, sizeof(h), at))
			return NULL;
		if (*protocol == POLT_PROTO_FRAGMENT)
			size = 8;
		else if (*protocol == POLT_PROTO_AH)
			size = (h[1] + 2) * 4;
		else
			size = (h[1] + 1) * 8;
		bool later = *protocol == POLT_PROTO_FRAGMENT && (h[2] << 8 | h[3]) & 0xfff8;
		*protocol = h[0];
		if (later)
			return NULL;
		at += size;
	}
	return polt_net_is_extension(*protocol) ? NULL : at;
}

static __always_inline bool polt_net_ipv6(struct polb_payload_net *out, const void *header)
{
	struct polt_ipv6 ip = {};

	if (bpf_probe_read_kernel(&ip, sizeof(ip), header) ||
		(polt_ntohs((__u16)ip.version_flow) >> 12) != 6)
		return false;
	out->family = POLT_AF_INET6;
	__builtin_memcpy(out->source, ip.src, sizeof(ip.src));
	__builtin_memcpy(out->destination, ip.dst, sizeof(ip.dst));
	__u8 protocol = ip.next_header;
	const void *l4 = polt_net_extensions(&protocol, header + sizeof(ip));
	out->protocol = protocol;
	if (l4)
		polt_net_ports(out, l4);
	return true;
}

/* What IPsec has done to it. */
static __always_inline void polt_net_secpath(
	struct polb_payload_net *out, const struct sk_buff *skb)
{
	const struct skb_ext *extensions = NULL;
	const __u32 id = polt_enum_value(enum skb_ext_id, SKB_EXT_SEC_PATH);
	__u8 active = 0, at = 0;

	polt_read_member(active, skb, active_extensions);
	if (!(active >> id & 1) || polt_read_member(extensions, skb, extensions) ||
		bpf_probe_read_kernel(&at, 1, (const char *)&extensions->offset + id))
		return;
	const struct sec_path *path = (const void *)extensions + at * 8;
	__u32 size = polt_field_size(path->len);
	if (size > sizeof(out->secpath_len))
		return;
	bpf_probe_read_kernel(&out->secpath_len, size, &path->len);
	bpf_probe_read_kernel(&out->secpath_olen, size, &path->olen);
}

enum { POLT_NO_HEADER = 0xffff };
/* Packets that are not IP have family 0: tests on addresses, ports and protocol are unknown. */
static __noinline bool polt_net_skb(struct polb_payload_net *out, __u64 address)
{
	const struct sk_buff *skb = (const void *)address;
	unsigned char *head = NULL;
	__u16 at = POLT_NO_HEADER, protocol = 0;

	*out = (struct polb_payload_net){};
	if (!address || polt_read_member(out->length, skb, len))
		return false;
	polt_read_member(out->mark, skb, mark);
	polt_read_member(out->priority, skb, priority);
	polt_read_member(out->hash, skb, hash);
	polt_read_member(head, skb, head);
	polt_read_member(at, skb, network_header);
	polt_read_member(protocol, skb, protocol);
	protocol = polt_ntohs(protocol);
	if (polt_field_exists(skb->active_extensions))
		polt_net_secpath(out, skb);
	if (at == POLT_NO_HEADER || at == 0)
		return true;
	/* 0: on its way out, not yet set */
	if (protocol == POLT_ETHERTYPE_IPV4 || protocol == 0)
		if (polt_net_ipv4(out, head + at))
			return true;
	if (protocol == POLT_ETHERTYPE_IPV6 || protocol == 0)
		polt_net_ipv6(out, head + at);
	return true;
}

/* --- socket addresses ----------------------------------------------------------------------------
 */

static __always_inline bool polt_read_either(void *to, __u32 size, const void *from, bool user)
{
	return (user ? bpf_probe_read_user(to, size, from)
		     : bpf_probe_read_kernel(to, size, from)) == 0;
}

/* struct sockaddr *: address and port are the source's. */
static __noinline bool polt_net_sockaddr(struct polb_payload_net *out, __u64 address, bool user)
{
	const void *from = (const void *)address;
	bool ok = true;

	*out = (struct polb_payload_net){};
	if (!address || !polt_read_either(&out->family, 2, from, user))
		return false;
	if (out->family == POLT_AF_INET)
		ok = polt_read_either(out->source, 4, from + 4, user);
	else if (out->family == POLT_AF_INET6)
		ok = polt_read_either(out->source, 16, from + 8, user);
	else
		return true;
	ok = ok && polt_read_either(&out->source_port, 2, from + 2, user);
	out->source_port = polt_ntohs(out->source_port);
	return ok;
}

/* --- tests ---------------------------------------------------------------------------------------
 */

/* An address to be tested: IPv4-mapped IPv6 addresses are IPv4 (reference T36). */
struct polt_address {
	__u32 family;  /* POLT_AF_INET, POLT_AF_INET6; 0: none, tests are unknown */
	__u32 word[4]; /* network order */
};
static __always_inline void polt_net_address(
	const struct polb_payload_net *net, const bool destination, struct polt_address *out)
{
	const __u32 *from = destination ? net->destination : net->source;

	*out = (struct polt_address){.family = net->family};
	__builtin_memcpy(out->word, from, sizeof(out->word));
	if (net->family == POLT_AF_INET)
		return;
	if (net->family != POLT_AF_INET6)
		out->family = 0;
	else if (!out->word[0] && !out->word[1] && out->word[2] == polt_htonl(0xffff)) {
		out->family = POLT_AF_INET;
		out->word[0] = out->word[3];
	}
}

/* 1, 0, -1 unknown. network and mask are as in memory: network order read as little-endian. */
static __always_inline int polt_net_in4(
	const struct polt_address *address, const __u32 network, const __u32 mask)
{
	if (!address->family)
		return -1;
	return address->family == POLT_AF_INET && (address->word[0] & mask) == network;
}

/* Bits of word n that a prefix covers, in network order. */
static __always_inline __u32 polt_net_mask(const __u32 bits, const int n)
{
	const int covered = (int)bits - 32 * n;

	return covered <= 0 ? 0 : covered >= 32 ? ~0u : polt_htonl(~0u << (32 - covered));
}

/* n0..n3: the network's words likewise, `bits` its length. */
static __always_inline int polt_net_in6(const struct polt_address *address, const __u32 n0,
	const __u32 n1, const __u32 n2, const __u32 n3, const __u32 bits)
{
	if (!address->family)
		return -1;
	return address->family == POLT_AF_INET6 &&
	       (address->word[0] & polt_net_mask(bits, 0)) == n0 &&
	       (address->word[1] & polt_net_mask(bits, 1)) == n1 &&
	       (address->word[2] & polt_net_mask(bits, 2)) == n2 &&
	       (address->word[3] & polt_net_mask(bits, 3)) == n3;
}

/* Keys of the maps of networks: `bits` counts the set's 32 as well. */
struct polt_net4 {
	__u32 bits, set, address;
};
struct polt_net6 {
	__u32 bits, set, address[4];
};
#if POLT_HAS_NETS4
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct polt_net4);
	__type(value, __u32);
} polt_nets4 SEC(".maps");
#endif
#if POLT_HAS_NETS6
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct polt_net6);
	__type(value, __u32);
} polt_nets6 SEC(".maps");
#endif

/* In the networks of a set (polt_nets4, polt_nets6; the set number is kept as it is,
 * little-endian). A set without networks of the address's family does not contain it. */
static __noinline int polt_net_set(const struct polt_address *address, __u32 set)
{
	if (!address->family)
		return -1;
#if POLT_HAS_NETS4
	struct polt_net4 key4 = {64, set, address->word[0]};
	if (address->family == POLT_AF_INET)
		return bpf_map_lookup_elem(&polt_nets4, &key4) != NULL;
#endif
#if POLT_HAS_NETS6
	struct polt_net6 key6 = {.bits = 160, .set = set};
	__builtin_memcpy(key6.address, address->word, sizeof(key6.address));
	if (address->family == POLT_AF_INET6)
		return bpf_map_lookup_elem(&polt_nets6, &key6) != NULL;
#endif
	return 0;
}

static __always_inline bool polt_net_is_ip(const struct polb_payload_net *net)
{
	return net->family == POLT_AF_INET || net->family == POLT_AF_INET6;
}

/* Host order; -1: unknown, the family has no ports. */
static __always_inline int polt_net_port(const struct polb_payload_net *net, const bool destination)
{
	if (!polt_net_is_ip(net))
		return -1;
	return destination ? net->destination_port : net->source_port;
}

/* AF_*, IPPROTO_*, TCP state; -1: unknown. */
static __always_inline int polt_net_family(const struct polb_payload_net *net)
{
	return net->family ? net->family : -1;
}
static __always_inline int polt_net_protocol(const struct polb_payload_net *net)
{
	return net->family ? net->protocol : -1;
}
static __always_inline int polt_net_state(const struct polb_payload_net *net)
{
	return net->state ? net->state : -1;
}

#endif
