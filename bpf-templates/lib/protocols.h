/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Headers on the wire. Every field is bytes or network order; all are read without alignment. */
#ifndef POLT_LIB_PROTOCOLS_H
#define POLT_LIB_PROTOCOLS_H

#include "types.h"

/* BPF objects are built for little-endian targets only (the bundle is little-endian). */
#define polt_ntohs(x) ((__u16)__builtin_bswap16(x))
#define polt_htons(x) ((__u16)__builtin_bswap16(x))
#define polt_htonl(x) ((__u32)__builtin_bswap32(x))

enum {
	POLT_ETH_HEADER = 14,
	POLT_VLAN_TAG = 4,
	POLT_ETHERTYPE_IPV4 = 0x0800,
	POLT_ETHERTYPE_ARP = 0x0806,
	POLT_ETHERTYPE_VLAN = 0x8100,
	POLT_ETHERTYPE_IPV6 = 0x86dd,
	POLT_ETHERTYPE_QINQ = 0x88a8,
};

enum {
	POLT_PROTO_HOPBYHOP = 0,
	POLT_PROTO_ICMP = 1,
	POLT_PROTO_TCP = 6,
	POLT_PROTO_UDP = 17,
	POLT_PROTO_ROUTING = 43,
	POLT_PROTO_FRAGMENT = 44,
	POLT_PROTO_AH = 51,
	POLT_PROTO_ICMPV6 = 58,
	POLT_PROTO_DESTINATION = 60,
	POLT_PROTO_SCTP = 132,
};

struct polt_ipv4 {
	__u8 version_ihl;
	__u8 tos;
	__u16 total_length;
	__u16 id;
	__u16 fragment; /* flags and offset */
	__u8 ttl;
	__u8 protocol;
	__u16 checksum;
	__u32 src;
	__u32 dst;
} __attribute__((packed, aligned(2)));
#define POLT_IPV4_MORE 0x2000
#define POLT_IPV4_OFFSET 0x1fff

struct polt_ipv6 {
	__u32 version_flow;
	__u16 payload_length;
	__u8 next_header;
	__u8 hop_limit;
	__u32 src[4];
	__u32 dst[4];
} __attribute__((packed, aligned(2)));

struct polt_ports {
	__u16 src;
	__u16 dst;
};

struct polt_icmp {
	__u8 type;
	__u8 code;
	__u16 checksum;
	__u16 id;
	__u16 sequence;
};

enum { POLT_TCP_FLAGS = 13, POLT_TCP_HEADER = 20, POLT_UDP_HEADER = 8 };
enum { POLT_TCP_FIN = 1, POLT_TCP_SYN = 2, POLT_TCP_RST = 4, POLT_TCP_ACK = 16 };
enum { POLT_SCTP_HEADER = 12, POLT_SCTP_INIT = 1, POLT_ICMP_HEADER = 8 };

#endif
