/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sockets, packets and socket addresses of described calls. */
#include "described_objects.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

enum { HEADROOM = 64, PACKET = 128, ESTABLISHED = 1, TIME_WAIT = 6, NEW_SYN_RECV = 12 };

static uint64_t number_or(const struct polc_call_number *number, uint64_t otherwise)
{
	return number->said == POLC_SAID ? number->value : otherwise;
}

static uint64_t family_of(const struct polc_call_value *said)
{
	return number_or(&said->family, AF_INET);
}

/* 4 bytes, or 16: an IPv4 address in an IPv6 socket is mapped. */
static void address_bytes(const struct polc_call_address *address, uint64_t family, uint8_t out[16])
{
	memset(out, 0, 16);
	if (address->said != POLC_SAID)
		return;
	if (family == AF_INET6 && address->addr.family == 4) {
		memset(out + 10, 0xff, 2);
		memcpy(out + 12, address->addr.bytes, 4);
	} else {
		memcpy(out, address->addr.bytes, address->addr.family == 4 ? 4 : 16);
	}
}

static uint64_t common_offset(struct polc_layout *l, const char *member)
{
	return polc_layout_offset(l, "sock", "__sk_common") +
	       polc_layout_offset(l, "sock_common", member);
}

static void put_addresses(struct polc_layout *l, uint64_t sk, const struct polc_call_value *said)
{
	static const char *const members[2][2] = {
		{"skc_rcv_saddr", "skc_daddr"}, {"skc_v6_rcv_saddr", "skc_v6_daddr"}};
	uint64_t family = family_of(said);
	bool six = family == AF_INET6;
	uint8_t bytes[16];

	if (family != AF_INET && !six)
		return;
	for (unsigned side = 0; side < 2; side++) {
		address_bytes(&said->address[side], family, bytes);
		polc_layout_put(l, sk + common_offset(l, members[six][side]), bytes, six ? 16 : 4);
	}
	polc_layout_put_number(
		l, sk + common_offset(l, "skc_num"), number_or(&said->port[0], 0), 2);
	polc_layout_put_number(l, sk + common_offset(l, "skc_dport"),
		htons((uint16_t)number_or(&said->port[1], 0)), 2);
}

static uint64_t put_sock(struct polc_layout *l, const struct polc_call_value *said)
{
	uint64_t sk = polc_layout_new(l, "sock");
	uint64_t state = number_or(&said->state, ESTABLISHED);
	uint64_t protocol = number_or(&said->protocol, IPPROTO_TCP);

	if ((state == TIME_WAIT || state == NEW_SYN_RECV) && protocol != IPPROTO_TCP)
		polc_layout_fail(l, "only TCP has this state");
	polc_layout_put_number(l, sk + common_offset(l, "skc_family"), family_of(said), 2);
	polc_layout_put_number(l, sk + common_offset(l, "skc_state"), state, 1);
	polc_layout_set(l, sk, "sock", "sk_protocol", protocol, 2);
	put_addresses(l, sk, said);
	return sk;
}

/* ---- packets ---- */

static bool has_ports(uint64_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

static bool is_extension(uint64_t protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_AH ||
	       protocol == IPPROTO_DSTOPTS;
}

static void fill_packet(struct polc_layout *l, const struct polc_call_value *said,
	uint64_t protocol, uint8_t packet[PACKET])
{
	bool six = family_of(said) == AF_INET6;
	uint8_t *ip = packet + HEADROOM, *l4 = ip + (six ? 40 : 20), bytes[16];
	size_t size = six ? 16 : 4;
	uint16_t port;

	if (protocol > UINT8_MAX || (six && is_extension(protocol)))
		polc_layout_fail(l, "no packet has this protocol");
	ip[0] = six ? 0x60 : 0x45;
	ip[six ? 6 : 9] = (uint8_t)protocol;
	for (unsigned side = 0; side < 2; side++) {
		address_bytes(&said->address[side], six ? AF_INET6 : AF_INET, bytes);
		memcpy(ip + (six ? 8 : 12) + side * size, bytes, size);
		port = htons((uint16_t)number_or(&said->port[side], 0));
		if (has_ports(protocol))
			memcpy(l4 + 2 * side, &port, 2);
		else if (port)
			polc_layout_fail(l, "packets of this protocol have no ports");
	}
}

static uint64_t put_skb(struct polc_layout *l, const struct polc_call_value *said)
{
	uint64_t skb = polc_layout_new(l, "sk_buff"), head = polc_layout_take(l, PACKET);
	uint64_t family = family_of(said), protocol = number_or(&said->protocol, IPPROTO_TCP);
	uint16_t type = family == AF_INET ? ETH_P_IP : family == AF_INET6 ? ETH_P_IPV6 : ETH_P_ARP;
	uint8_t packet[PACKET] = {0};

	if (family && type == ETH_P_ARP)
		polc_layout_fail(l, "packets are IPv4, IPv6 or nothing known");
	if (type == ETH_P_ARP && said->protocol.said == POLC_SAID && said->protocol.value)
		polc_layout_fail(l, "packets that are not IP have no protocol");
	if (type != ETH_P_ARP)
		fill_packet(l, said, protocol, packet);
	polc_layout_put(l, head, packet, sizeof(packet));
	polc_layout_set(l, skb, "sk_buff", "head", head, 8);
	polc_layout_set(l, skb, "sk_buff", "len", PACKET - HEADROOM, 4);
	polc_layout_set(l, skb, "sk_buff", "network_header", HEADROOM, 2);
	polc_layout_set(l, skb, "sk_buff", "protocol", htons(type), 2);
	return skb;
}

static uint64_t put_sockaddr(struct polc_layout *l, const struct polc_trace_value *value,
	const struct polc_call_value *said)
{
	uint64_t family = family_of(said), address;
	uint16_t port = htons((uint16_t)number_or(&said->port[0], 0));
	uint8_t bytes[28] = {(uint8_t)family, (uint8_t)(family >> 8)}, ip[16];

	address_bytes(&said->address[0], family, ip);
	if (family == AF_INET || family == AF_INET6)
		memcpy(bytes + 2, &port, 2);
	if (family == AF_INET)
		memcpy(bytes + 4, ip, 4);
	else if (family == AF_INET6)
		memcpy(bytes + 8, ip, 16);
	if (value->user_memory)
		return polc_layout_take_user(l, bytes, sizeof(bytes));
	address = polc_layout_take(l, sizeof(bytes));
	polc_layout_put(l, address, bytes, sizeof(bytes));
	return address;
}

static bool any_unreadable(const struct polc_call_value *said)
{
	const struct polc_call_number *const numbers[] = {
		&said->port[0], &said->port[1], &said->protocol, &said->state, &said->family};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(numbers); i++)
		if (numbers[i]->said == POLC_UNREADABLE)
			return true;
	return false;
}

uint64_t polc_described_net(struct polc_layout *l, const struct polc_trace_value *value,
	const struct polc_call_value *said)
{
	uint64_t socket;

	if (any_unreadable(said))
		polc_layout_fail(l, "a socket is readable as a whole, or not at all");
	switch (value->type) {
	case POLB_TYPE_SOCKET:
		socket = polc_layout_new(l, "socket");
		polc_layout_set(l, socket, "socket", "sk", put_sock(l, said), 8);
		return socket;
	case POLB_TYPE_SKB:
		return put_skb(l, said);
	case POLB_TYPE_SOCKADDR:
		return put_sockaddr(l, value, said);
	default:
		return put_sock(l, said);
	}
}
