/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Step 3 for every packet that short.h does not take: options, extension headers, fragments, ICMP,
 * other protocols, VLAN, paged and broken packets. Reads with bpf_skb_load_bytes, which does not
 * care where the bytes are.
 *
 * The functions that branch are global and answer with one packed number. The verifier checks each
 * once, and takes the answer for any number: its callers look the same to it whatever was parsed.
 */
#ifndef POLT_PARSE_H
#define POLT_PARSE_H

#include "packet.h"

enum { POLT_MAX_EXTENSIONS = 8 };
enum polt_parsed { POLT_PARSED, POLT_MALFORMED, POLT_NOT_IP, POLT_ARP };

/* polt_link: where IP begins (bits 0-7), its version (8-15), enum polt_parsed (16-23). */
#define POLT_LINK(parsed, version, l3) ((__u32)(l3) | (__u32)(version) << 8 | (__u32)(parsed) << 16)
#define POLT_LINK_L3(x) ((x)&0xff)
#define POLT_LINK_VERSION(x) ((x) >> 8 & 0xff)
#define POLT_LINK_PARSED(x) ((x) >> 16)

/* polt_layout: protocol (bits 0-7), enum polt_fragment (8-15), offset behind IP (16-31), fragment
 * id. */
#define POLT_LAYOUT(protocol, fragment, l4, id)                                                    \
	((__u64)(__u8)(protocol) | (__u64)(fragment) << 8 | (__u64)(__u16)(l4) << 16 |             \
		(__u64)(id) << 32)
#define POLT_LAYOUT_PROTOCOL(x) ((__u8)(x))
#define POLT_LAYOUT_FRAGMENT(x) ((__u8)((x) >> 8))
#define POLT_LAYOUT_L4(x) ((__u16)((x) >> 16))
#define POLT_LAYOUT_ID(x) ((__u32)((x) >> 32))
#define POLT_LAYOUT_BROKEN (0xffull << 8)

/* polt_layer4: source and destination port (0-15, 16-31), then TCP flags or ICMP type, code, pair,
 * marks. */
#define POLT_L4_PORTS(src, dst) ((__u64)(src) | (__u64)(dst) << 16)
#define POLT_L4_BYTE(x) ((__u64)(x) << 32)
#define POLT_L4_CODE(x) ((__u64)(x) << 40)
#define POLT_L4_PAIR(x) ((__u64)(x) << 48)
#define POLT_L4_OPENING (1ull << 56)
#define POLT_L4_STATELESS (1ull << 57)
#define POLT_L4_QUERY (1ull << 58)
#define POLT_L4_REPLY (1ull << 59)
#define POLT_L4_BROKEN (1ull << 63)

/* Globals, see above. `quoted`: inside an ICMP error, where only the first bytes can be expected.
 */
__u32 polt_link(struct __sk_buff *skb, __u32 hook);
__u64 polt_layout(struct __sk_buff *skb, __u32 l3, __u32 version, __u32 quoted);
__u64 polt_layer4(struct __sk_buff *skb, __u32 l4, __u32 version, __u32 protocol, __u32 quoted);

/* Ethernet: at most one tag, be it in the bytes or already taken out by the kernel. */
static __always_inline __u32 polt_link_ethernet(struct __sk_buff *skb)
{
	__u32 l3 = POLT_ETH_HEADER;
	__u16 type;

	if (bpf_skb_load_bytes(skb, l3 - 2, &type, sizeof(type)))
		return POLT_LINK(POLT_MALFORMED, 0, 0);
	if (!skb->vlan_present && (type == polt_htons(POLT_ETHERTYPE_VLAN) ||
					  type == polt_htons(POLT_ETHERTYPE_QINQ))) {
		l3 += POLT_VLAN_TAG;
		if (bpf_skb_load_bytes(skb, l3 - 2, &type, sizeof(type)))
			return POLT_LINK(POLT_MALFORMED, 0, 0);
	}
	if (type == polt_htons(POLT_ETHERTYPE_IPV4))
		return POLT_LINK(POLT_PARSED, 4, l3);
	if (type == polt_htons(POLT_ETHERTYPE_IPV6))
		return POLT_LINK(POLT_PARSED, 6, l3);
	return POLT_LINK(type == polt_htons(POLT_ETHERTYPE_ARP) ? POLT_ARP : POLT_NOT_IP, 0, 0);
}

__noinline __u32 polt_link(struct __sk_buff *skb, __u32 hook)
{
	__u8 version;

	if (hook == POLT_TC)
		return polt_link_ethernet(skb);
	if (bpf_skb_load_bytes(skb, 0, &version, 1))
		return POLT_LINK(POLT_MALFORMED, 0, 0);
	version >>= 4;
	return POLT_LINK(version == 4 || version == 6 ? POLT_PARSED : POLT_MALFORMED, version, 0);
}

static __always_inline bool polt_is_extension(__u32 protocol)
{
	return protocol == POLT_PROTO_HOPBYHOP || protocol == POLT_PROTO_ROUTING ||
	       protocol == POLT_PROTO_FRAGMENT || protocol == POLT_PROTO_AH ||
	       protocol == POLT_PROTO_DESTINATION;
}

struct polt_extension {
	__u8 next;
	__u8 length;
	__u16 fragment;
	__u32 fragment_id;
};

static __always_inline __u64 polt_extensions(struct __sk_buff *skb, __u32 offset, __u32 next)
{
	struct polt_extension header;
	__u32 fragment = POLT_WHOLE, id = 0;
	bool fragmented = false;

	for (int i = 0; i < POLT_MAX_EXTENSIONS && polt_is_extension(next); i++) {
		if (bpf_skb_load_bytes(skb, offset, &header, sizeof(header)))
			return POLT_LAYOUT_BROKEN;
		if (next == POLT_PROTO_FRAGMENT) {
			__u32 place = polt_ntohs(header.fragment);

			if (fragmented)
				return POLT_LAYOUT_BROKEN;
			fragmented = true;
			id = header.fragment_id;
			offset += sizeof(header);
			if (place >> 3) /* what follows is data, whatever its type says */
				return POLT_LAYOUT(header.next, POLT_LATER, offset, id);
			fragment = place & 1 ? POLT_FIRST : POLT_WHOLE;
		} else if (next == POLT_PROTO_AH) {
			offset += (header.length + 2) * 4;
		} else {
			offset += (header.length + 1) * 8;
		}
		next = header.next;
	}
	if (polt_is_extension(next))
		return POLT_LAYOUT_BROKEN;
	return POLT_LAYOUT(next, fragment, offset, id);
}

/* The layout, and where the header says the packet ends. */
static __always_inline __u64 polt_layout4(struct __sk_buff *skb, __u32 l3, __u32 *end)
{
	struct polt_ipv4 ip;

	if (bpf_skb_load_bytes(skb, l3, &ip, sizeof(ip)))
		return POLT_LAYOUT_BROKEN;
	__u32 header = (ip.version_ihl & 15) * 4, total = polt_ntohs(ip.total_length);
	__u32 place = polt_ntohs(ip.fragment), fragment = POLT_WHOLE;
	if (ip.version_ihl >> 4 != 4 || header < sizeof(ip))
		return POLT_LAYOUT_BROKEN;
	/* BIG TCP (6.3): an aggregate beyond 64 KiB says 0 */
	if (!total && skb->len > 0xffff)
		total = skb->len - l3;
	if (place & POLT_IPV4_OFFSET)
		fragment = POLT_LATER;
	else if (place & POLT_IPV4_MORE)
		fragment = POLT_FIRST;
	*end = l3 + total;
	return POLT_LAYOUT(ip.protocol, fragment, l3 + header, ip.id);
}

static __always_inline __u64 polt_layout6(struct __sk_buff *skb, __u32 l3, __u32 *end)
{
	struct {
		__u32 version_flow;
		__u16 payload_length;
		__u8 next_header;
		__u8 hop_limit;
	} ip;

	if (bpf_skb_load_bytes(skb, l3, &ip, sizeof(ip)) || (ip.version_flow & 0xf0) != 0x60)
		return POLT_LAYOUT_BROKEN;
	*end = l3 + sizeof(struct polt_ipv6) + polt_ntohs(ip.payload_length);
	/* BIG TCP (5.19): the length is 0, with a jumbo option or (6.x) without */
	if (!ip.payload_length && skb->len > 0xffff)
		*end = skb->len;
	return polt_extensions(skb, l3 + sizeof(struct polt_ipv6), ip.next_header);
}

static __always_inline bool polt_is_icmp(__u32 version, __u32 protocol)
{
	return protocol == (version == 4 ? POLT_PROTO_ICMP : POLT_PROTO_ICMPV6);
}

static __always_inline __u32 polt_layer4_size(__u32 version, __u32 protocol)
{
	if (polt_is_icmp(version, protocol))
		return POLT_ICMP_HEADER;
	if (protocol == POLT_PROTO_TCP)
		return POLT_TCP_HEADER;
	if (protocol == POLT_PROTO_UDP)
		return POLT_UDP_HEADER;
	return protocol == POLT_PROTO_SCTP ? POLT_SCTP_HEADER : 0;
}

__noinline __u64 polt_layout(struct __sk_buff *skb, __u32 l3, __u32 version, __u32 quoted)
{
	__u32 end = 0, needed;
	__u64 layout = version == 4 ? polt_layout4(skb, l3, &end) : polt_layout6(skb, l3, &end);

	if (quoted || layout == POLT_LAYOUT_BROKEN)
		return layout;
	needed = POLT_LAYOUT_L4(layout);
	if (POLT_LAYOUT_FRAGMENT(layout) != POLT_LATER)
		needed += polt_layer4_size(version, POLT_LAYOUT_PROTOCOL(layout));
	return needed > end || end > skb->len ? POLT_LAYOUT_BROKEN : layout;
}

/* The other half of a query's type, or -1: the type is none. */
static __always_inline int polt_icmp_pair(__u32 version, __u32 type)
{
	if (version == 6)
		return type == 128 || type == 129 ? (int)(type ^ 1) : -1;
	if (type == 0 || type == 8)
		return (int)(type ^ 8);
	return type >= 13 && type <= 18 ? (int)(((type - 13) ^ 1) + 13) : -1;
}

/* ICMP: queries form flows by their id; the rest is decided packet by packet. */
static __always_inline __u64 polt_icmp_fields(__u32 version, __u32 type, __u32 code, __u32 id)
{
	int pair = polt_icmp_pair(version, type);
	__u64 fields = POLT_L4_BYTE(type) | POLT_L4_CODE(code);

	if (pair < 0)
		return fields | POLT_L4_STATELESS;
	/* requests: 8, 13, 15, 17; 128 */
	bool reply = version == 6 ? type & 1 : !type || (type != 8 && !(type & 1));
	return fields | POLT_L4_PAIR(pair) | POLT_L4_PORTS(id, id) | POLT_L4_QUERY |
	       (reply ? POLT_L4_REPLY : POLT_L4_OPENING);
}

static __always_inline __u64 polt_transport_fields(
	struct __sk_buff *skb, __u32 l4, __u32 protocol, __u32 quoted)
{
	struct polt_ports ports;
	__u8 byte = 0;

	if (bpf_skb_load_bytes(skb, l4, &ports, sizeof(ports)))
		return POLT_L4_BROKEN;
	__u64 fields = POLT_L4_PORTS(polt_ntohs(ports.src), polt_ntohs(ports.dst));
	if (quoted || protocol == POLT_PROTO_UDP)
		return fields;
	if (protocol == POLT_PROTO_TCP) {
		if (bpf_skb_load_bytes(skb, l4 + POLT_TCP_FLAGS, &byte, 1))
			return POLT_L4_BROKEN;
		if ((byte & (POLT_TCP_SYN | POLT_TCP_ACK)) == POLT_TCP_SYN)
			fields |= POLT_L4_OPENING;
		return fields | POLT_L4_BYTE(byte);
	}
	if (!bpf_skb_load_bytes(skb, l4 + POLT_SCTP_HEADER, &byte, 1) && byte == POLT_SCTP_INIT)
		fields |= POLT_L4_OPENING;
	return fields;
}

__noinline __u64 polt_layer4(
	struct __sk_buff *skb, __u32 l4, __u32 version, __u32 protocol, __u32 quoted)
{
	struct polt_icmp icmp;

	if (protocol == POLT_PROTO_TCP || protocol == POLT_PROTO_UDP || protocol == POLT_PROTO_SCTP)
		return polt_transport_fields(skb, l4, protocol, quoted);
	if (!polt_is_icmp(version, protocol))
		return 0;
	if (bpf_skb_load_bytes(skb, l4, &icmp, sizeof(icmp)))
		return POLT_L4_BROKEN;
	return polt_icmp_fields(version, icmp.type, icmp.code, polt_ntohs(icmp.id));
}

static __always_inline void polt_apply_layer4(struct polt_packet *p, __u64 fields)
{
	bool out = p->direction == POLB_EGRESS, reply = fields & POLT_L4_REPLY;
	__u16 src = fields, dst = fields >> 16;

	p->key.local_port = out ? src : dst;
	p->key.remote_port = out ? dst : src;
	p->byte = fields >> 32;
	p->icmp_code = fields >> 40;
	p->icmp_pair = fields >> 48;
	p->opening = !!(fields & POLT_L4_OPENING);
	p->stateless = !!(fields & POLT_L4_STATELESS);
	/* the kind of query, and the direction of the request: an allowed echo answers for no other
	 * kind */
	if (fields & POLT_L4_QUERY)
		p->key.origin_hint =
			1 + (p->direction ^ reply) + 2 * ((reply ? p->icmp_pair : p->byte) & 0x7f);
}

static __always_inline bool polt_load_addresses(
	struct __sk_buff *skb, struct polt_packet *p, __u32 l3, __u32 version)
{
	polt_word pair[4];

	if (version == 4) {
		if (bpf_skb_load_bytes(skb, l3 + 12, pair, 8))
			return false;
		polt_set_addresses4(p, pair[0], pair[0] >> 32);
		return true;
	}
	if (bpf_skb_load_bytes(skb, l3 + 8, pair, 32))
		return false;
	polt_set_addresses6(p, pair, pair + 2);
	return true;
}

/* IP and what follows at l3. p->direction is set; on failure the addresses may be, for the report.
 */
static __always_inline bool polt_parse_ip(
	struct __sk_buff *skb, struct polt_packet *p, __u32 l3, __u32 version, bool quoted)
{
	if (!polt_load_addresses(skb, p, l3, version))
		return false;
	__u64 layout = polt_layout(skb, l3, version, quoted), fields = 0;
	if (POLT_LAYOUT_FRAGMENT(layout) == 0xff)
		return false;
	p->key.protocol = POLT_LAYOUT_PROTOCOL(layout);
	p->fragment = POLT_LAYOUT_FRAGMENT(layout);
	p->fragment_id = POLT_LAYOUT_ID(layout);
	p->l4 = POLT_LAYOUT_L4(layout);
	if (p->fragment != POLT_LATER)
		fields = polt_layer4(skb, p->l4, version, p->key.protocol, quoted);
	if (fields & POLT_L4_BROKEN)
		return false;
	polt_apply_layer4(p, fields);
	return true;
}

static __noinline int polt_parse(struct __sk_buff *skb, struct polt_packet *p)
{
	__u32 link = polt_link(skb, p->hook);

	if (POLT_LINK_PARSED(link) != POLT_PARSED)
		return POLT_LINK_PARSED(link);
	return polt_parse_ip(skb, p, POLT_LINK_L3(link), POLT_LINK_VERSION(link), false)
		       ? POLT_PARSED
		       : POLT_MALFORMED;
}

#endif
