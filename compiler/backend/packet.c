/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Synthetic packets, written front to back into a bounded buffer; checksums and lengths last. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "packet.h"

enum {
	TCP_BYTES = 20,
	UDP_BYTES = 8,
	SCTP_BYTES = 12,
	SCTP_CHUNK_BYTES = 20,
	ICMP_BYTES = 8,
	IPV4_BYTES = 20,
	IPV6_BYTES = 40,
};

struct writer {
	uint8_t *bytes;
	size_t n, capacity;
	bool overflow;
};

/* Room for n zeroed bytes, or NULL when the buffer is full. */
static uint8_t *reserve(struct writer *w, size_t n)
{
	uint8_t *p = w->bytes + w->n;

	if (w->overflow || n > w->capacity - w->n) {
		w->overflow = true;
		return NULL;
	}
	w->n += n;
	return memset(p, 0, n);
}

static void put16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, (uint16_t)(value >> 16));
	put16(p + 2, (uint16_t)value);
}

static uint32_t sum_bytes(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static size_t address_bytes(const struct polc_packet_spec *spec)
{
	return spec->family == 4 ? 4 : 16;
}

static uint16_t checksum_with_pseudo_header(
	const struct polc_packet_spec *spec, const uint8_t *l4, size_t n)
{
	uint32_t sum = (uint32_t)n + spec->protocol;

	sum = sum_bytes(sum, spec->src.bytes, address_bytes(spec));
	sum = sum_bytes(sum, spec->dst.bytes, address_bytes(spec));
	return fold(sum_bytes(sum, l4, n));
}

/* CRC32c, bit by bit: SCTP's checksum. */
static uint32_t crc32c(const uint8_t *p, size_t n)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void add_ethernet(struct writer *w, const struct polc_packet_spec *spec)
{
	static const uint8_t dst[] = {2, 0, 0, 0, 0, 2}, src[] = {2, 0, 0, 0, 0, 1};
	uint8_t *p = reserve(w, POLC_ETHERNET_BYTES);
	uint16_t type = spec->family == 4 ? 0x0800 : 0x86dd;

	if (!p)
		return;
	memcpy(p, dst, sizeof(dst));
	memcpy(p + 6, src, sizeof(src));
	put16(p + 12, spec->has_vlan ? 0x8100 : type);
	uint8_t *tag = spec->has_vlan ? reserve(w, 4) : NULL;

	if (tag) {
		put16(tag, spec->vlan & 0x0fff);
		put16(tag + 2, type);
	}
}

static uint8_t *add_ipv4(struct writer *w, const struct polc_packet_spec *spec)
{
	size_t options = (spec->ip_options_bytes + 3u) & ~3u;
	uint8_t *p = reserve(w, IPV4_BYTES + options);

	if (!p)
		return NULL;
	p[0] = (uint8_t)(0x40 | (IPV4_BYTES + options) / 4);
	put16(p + 4, (uint16_t)spec->fragment_id);
	put16(p + 6, (uint16_t)((spec->more_fragments ? 0x2000 : 0) | spec->fragment_offset / 8));
	p[8] = 64;
	p[9] = spec->protocol;
	memcpy(p + 12, spec->src.bytes, 4);
	memcpy(p + 16, spec->dst.bytes, 4);
	memset(p + IPV4_BYTES, 1, options);
	return p;
}

/*

 * Extension headers: each says what follows. AH counts its length in words, the others in 8 bytes.

 */
static void add_extension(struct writer *w, uint8_t kind, uint8_t next)
{
	uint8_t *p = reserve(w, kind == IPPROTO_AH ? 16 : 8);

	if (!p)
		return;
	p[0] = next;
	if (kind == IPPROTO_AH)
		p[1] = 2;
	else if (kind == IPPROTO_HOPOPTS || kind == IPPROTO_DSTOPTS)
		p[2] = 1, p[3] = 4; /* PadN */
}

static void add_fragment_header(struct writer *w, const struct polc_packet_spec *spec)
{
	uint8_t *p = reserve(w, 8);

	if (!p)
		return;
	p[0] = spec->protocol;
	put16(p + 2, (uint16_t)((spec->fragment_offset & ~7u) | spec->more_fragments));
	put32(p + 4, spec->fragment_id);
}

static uint8_t *add_ipv6(struct writer *w, const struct polc_packet_spec *spec)
{
	uint8_t *p = reserve(w, IPV6_BYTES);
	uint8_t last = spec->fragment ? IPPROTO_FRAGMENT : spec->protocol;

	if (!p)
		return NULL;
	p[0] = 0x60;
	p[6] = spec->n_extensions ? spec->extensions[0] : last;
	p[7] = 64;
	memcpy(p + 8, spec->src.bytes, 16);
	memcpy(p + 24, spec->dst.bytes, 16);
	for (uint8_t i = 0; i < spec->n_extensions; i++)
		add_extension(w, spec->extensions[i],
			i + 1 < spec->n_extensions ? spec->extensions[i + 1] : last);
	if (spec->fragment)
		add_fragment_header(w, spec);
	return p;
}

static void add_ports(uint8_t *p, const struct polc_packet_spec *spec)
{
	put16(p, spec->sport);
	put16(p + 2, spec->dport);
}

static void add_tcp(struct writer *w, const struct polc_packet_spec *spec)
{
	uint8_t *p = reserve(w, TCP_BYTES);

	if (!p)
		return;
	add_ports(p, spec);
	put32(p + 4, 1);
	p[12] = TCP_BYTES / 4 << 4;
	p[13] = spec->tcp_flags;
	put16(p + 14, 65535);
}

static void add_udp(struct writer *w, const struct polc_packet_spec *spec)
{
	uint8_t *p = reserve(w, UDP_BYTES);

	if (!p)
		return;
	add_ports(p, spec);
	put16(p + 4, (uint16_t)(UDP_BYTES + spec->payload_bytes));
}

static void add_sctp(struct writer *w, const struct polc_packet_spec *spec)
{
	uint8_t *p = reserve(w, SCTP_BYTES + SCTP_CHUNK_BYTES);

	if (!p)
		return;
	add_ports(p, spec);
	put32(p + 4, spec->sctp_chunk == POLC_SCTP_INIT ? 0 : 1); /* verification tag */
	p[SCTP_BYTES] = spec->sctp_chunk;
	put16(p + SCTP_BYTES + 2, SCTP_CHUNK_BYTES);
}

static void add_icmp(struct writer *w, const struct polc_packet_spec *spec)
{
	uint8_t *p = reserve(w, ICMP_BYTES);

	if (!p)
		return;
	p[0] = spec->icmp_type;
	p[1] = spec->icmp_code;
	put16(p + 4, spec->icmp_id);
}

static bool is_later_fragment(const struct polc_packet_spec *spec)
{
	return spec->fragment && spec->fragment_offset >= 8;
}

static void add_layer4(struct writer *w, const struct polc_packet_spec *spec)
{
	if (is_later_fragment(spec))
		return;
	if (spec->protocol == IPPROTO_TCP)
		add_tcp(w, spec);
	else if (spec->protocol == IPPROTO_UDP)
		add_udp(w, spec);
	else if (spec->protocol == IPPROTO_SCTP)
		add_sctp(w, spec);
	else if (spec->protocol == IPPROTO_ICMP || spec->protocol == IPPROTO_ICMPV6)
		add_icmp(w, spec);
}

/* A first fragment's checksum would cover bytes that are not here; it is computed over what is. */
static void finish_layer4(const struct polc_packet_spec *spec, uint8_t *l4, size_t n)
{
	if (is_later_fragment(spec))
		return;
	if (spec->protocol == IPPROTO_TCP)
		put16(l4 + 16, checksum_with_pseudo_header(spec, l4, n));
	else if (spec->protocol == IPPROTO_UDP) {
		uint16_t sum = checksum_with_pseudo_header(spec, l4, n);

		put16(l4 + 6, sum ? sum : 0xffff);
	} else if (spec->protocol == IPPROTO_SCTP) {
		uint32_t crc = crc32c(l4, n);

		for (int i = 0; i < 4; i++)
			l4[8 + i] = (uint8_t)(crc >> 8 * i);
	} else if (spec->protocol == IPPROTO_ICMP)
		put16(l4 + 2, fold(sum_bytes(0, l4, n)));
	else if (spec->protocol == IPPROTO_ICMPV6)
		put16(l4 + 2, checksum_with_pseudo_header(spec, l4, n));
}

static void finish_layer3(const struct polc_packet_spec *spec, uint8_t *l3, size_t n)
{
	if (spec->family == 6) {
		put16(l3 + 4, (uint16_t)(n - IPV6_BYTES));
		return;
	}
	put16(l3 + 2, (uint16_t)n);
	put16(l3 + 10, fold(sum_bytes(0, l3, (size_t)(l3[0] & 15) * 4)));
}

static bool is_consistent(const struct polc_packet_spec *spec)
{
	if (spec->family != 4 && spec->family != 6)
		return false;
	if (spec->src.family != spec->family || spec->dst.family != spec->family)
		return false;
	return spec->ip_options_bytes <= 40 && spec->n_extensions <= POLC_PACKET_MAX_EXTENSIONS &&
	       spec->payload_bytes <= UINT16_MAX - 512;
}

int polc_packet_build(const struct polc_packet_spec *spec, void *out, size_t capacity, size_t *size)
{
	struct writer w = {.bytes = out, .capacity = capacity};

	if (!is_consistent(spec))
		return -EINVAL;
	add_ethernet(&w, spec);
	uint8_t *l3 = spec->family == 4 ? add_ipv4(&w, spec) : add_ipv6(&w, spec);
	size_t l4_offset = w.n;

	add_layer4(&w, spec);
	uint8_t *payload = reserve(&w, spec->payload_bytes);

	if (w.overflow || !l3)
		return -ENOSPC;
	if (spec->payload && spec->payload_bytes)
		memcpy(payload, spec->payload, spec->payload_bytes);
	finish_layer4(spec, w.bytes + l4_offset, w.n - l4_offset);
	finish_layer3(spec, l3, (size_t)(w.bytes + w.n - l3));
	*size = spec->truncate_to && spec->truncate_to < w.n ? spec->truncate_to : w.n;
	return 0;
}
