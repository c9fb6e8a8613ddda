/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Synthetic packets for BPF_PROG_TEST_RUN: from a description to bytes with an Ethernet header,
 * right lengths and checksums. Used by the bpf engine, the oracle test and the benchmarks. Knows
 * nothing of policies.
 */
#ifndef POLC_PACKET_H
#define POLC_PACKET_H

#include "../../runtime/address.h"

#define POLC_PACKET_MAX 2048 /* bytes that are always enough for a packet without payload */
#define POLC_PACKET_MAX_EXTENSIONS 16

enum {
	POLC_TCP_FIN = 1,
	POLC_TCP_SYN = 2,
	POLC_TCP_RST = 4,
	POLC_TCP_PSH = 8,
	POLC_TCP_ACK = 16,
};

/* SCTP chunk types that matter to a flow table. */
enum { POLC_SCTP_DATA = 0, POLC_SCTP_INIT = 1, POLC_SCTP_ABORT = 6 };

struct polc_packet_spec {
	uint8_t family; /* 4 or 6 */
	struct polb_addr src, dst;
	uint8_t protocol; /* IP protocol; layer 4 headers are made for TCP, UDP, SCTP, ICMP, ICMPv6
			   */
	uint16_t sport, dport;
	uint8_t tcp_flags;  /* POLC_TCP_* */
	uint8_t sctp_chunk; /* POLC_SCTP_* */
	uint8_t icmp_type, icmp_code;
	uint16_t icmp_id; /* echo and its like; other types have it in the same place */
	/* IPv4: bytes of options, rounded up to a multiple of four, at most 40; filled with
	 * no-operations. */
	uint8_t ip_options_bytes;
	/* IPv6: extension headers in order: 0 hop-by-hop, 43 routing, 51 AH, 60 destination
	 * options. */
	uint8_t extensions[POLC_PACKET_MAX_EXTENSIONS];
	uint8_t n_extensions;
	/* Fragments: IPv6 gets a fragment header after the extensions. A later one has no layer 4
	 * header. */
	bool fragment;
	uint16_t fragment_offset; /* bytes, a multiple of 8 */
	bool more_fragments;
	uint32_t fragment_id;
	bool has_vlan;
	uint16_t vlan; /* 802.1Q id, in the packet's bytes */
	/* After the layer 4 header; an ICMP error's inner packet goes here. NULL: zeros. */
	const void *payload;
	size_t payload_bytes;
	size_t truncate_to; /* cut the frame here, headers still claiming everything; 0: whole */
};

/*
 * Builds the frame; *size is its length. 0; -EINVAL when the description contradicts itself
 * (families, more than 40 bytes of options); -ENOSPC when `capacity` is too small.
 */
int polc_packet_build(
	const struct polc_packet_spec *spec, void *out, size_t capacity, size_t *size);

#define POLC_ETHERNET_BYTES 14 /* where layer 3 starts in a frame without a VLAN tag */

#endif
