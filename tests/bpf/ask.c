// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Boundaries of a policy set, packets at them and after them, and their bytes.
#include "ask.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define PICK(rng, list) ((list)[rng_below((rng), POLC_ARRAY_SIZE(list))])

/* --- boundaries ----------------------------------------------------------------------------- */

static void add_addr(struct asker *asker, const struct polb_addr *addr)
{
	for (size_t i = 0; i < asker->addrs.n; i++)
		if (!polb_addr_compare(&asker->addrs.items[i], addr))
			return;
	*polc_vec_push(asker->arena, &asker->addrs) = *addr;
}

/* addr +/- 1; false when it wraps. */
static bool step_addr(struct polb_addr *addr, int by)
{
	int bytes = addr->family == 4 ? 4 : 16;

	for (int i = bytes - 1; i >= 0; i--) {
		addr->bytes[i] = (uint8_t)(addr->bytes[i] + by);
		if (by > 0 ? addr->bytes[i] != 0 : addr->bytes[i] != 255)
			return true;
	}
	return false;
}

static void add_prefix(struct asker *asker, const struct polb_prefix *prefix)
{
	struct polb_addr first = prefix->addr, last = prefix->addr, before, after;
	unsigned bits = prefix->addr.family == 4 ? 32 : 128;

	for (unsigned bit = prefix->len; bit < bits; bit++)
		last.bytes[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	before = first;
	after = last;
	add_addr(asker, &first);
	add_addr(asker, &last);
	if (step_addr(&before, -1))
		add_addr(asker, &before);
	if (step_addr(&after, 1))
		add_addr(asker, &after);
}

static void add_port(struct asker *asker, uint16_t port)
{
	for (int by = -1; by <= 1; by++) {
		int value = port + by;
		bool known = value < 0 || value > 65535;

		for (size_t i = 0; i < asker->ports.n; i++)
			known |= asker->ports.items[i] == value;
		if (!known)
			*polc_vec_push(asker->arena, &asker->ports) = (uint16_t)value;
	}
}

static void add_rule_ports(struct asker *asker, const struct polc_net_rule *rule)
{
	for (size_t i = 0; i < rule->n_ports; i++) {
		const struct polc_net_port *port = &rule->ports[i];

		if (port->kind != POLC_PORT_RANGE)
			continue;
		if (port->protocols & (POLC_PROTO_ICMP | POLC_PROTO_ICMPV6))
			*polc_vec_push(asker->arena, &asker->icmp_types) = port->lo;
		else {
			add_port(asker, port->lo);
			add_port(asker, port->hi);
		}
	}
}

static void add_fixed(struct asker *asker)
{
	static const char *const addrs[] = {"8.8.8.8", "2001:4860::8888", "127.0.0.1", "127.0.0.53",
		"::1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1", "fe80::1",
		"::ffff:10.1.2.3", "10.1.2.200", "fd00:1::ffff"};
	static const uint16_t types[] = {0, 3, 5, 8, 11, 12, 13, 14, 15, 17, 1, 2, 4, 128, 129, 130,
		135, 136, 137, 143, 144, 255};
	struct polb_addr addr;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(addrs); i++)
		if (!polb_addr_parse(addrs[i], &addr))
			add_addr(asker, &addr);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(types); i++)
		*polc_vec_push(asker->arena, &asker->icmp_types) = types[i];
	add_port(asker, 0);
	add_port(asker, 65535);
	add_port(asker, 12345);
}

void asker_init(
	struct asker *asker, struct polc_arena *arena, const struct subject *subject, uint64_t seed)
{
	const struct polc_network *network = subject->network;

	*asker = (struct asker){.rng = {seed}, .arena = arena, .fresh = 20000, .fragment_id = 1};
	for (size_t i = 0; i < subject->identities->addresses.n; i++)
		add_addr(asker, &subject->identities->addresses.items[i].addr);
	for (size_t i = 0; i < network->n_selectors; i++) {
		const struct polb_selector *selector = &network->selectors[i];

		if (selector->has_prefix)
			add_prefix(asker, &selector->prefix);
		for (size_t j = 0; j < selector->n_excepts; j++)
			add_prefix(asker, &selector->excepts[j]);
	}
	for (size_t i = 0; i < network->n_rules; i++)
		add_rule_ports(asker, &network->rules[i]);
	for (size_t i = 0; i < subject->identities->identities.n; i++) {
		const struct polc_identity *identity = &subject->identities->identities.items[i];

		for (size_t j = 0; j < identity->n_ports; j++)
			add_port(asker, identity->ports[j].port);
	}
	add_fixed(asker);
}

void asker_endpoint(struct asker *asker, const struct polc_endpoint *endpoint)
{
	asker->endpoint = endpoint;
	asker->n_history = 0;
}

/* --- fresh packets -------------------------------------------------------------------------- */

static struct polb_addr local_address(const struct asker *asker, uint8_t family)
{
	const struct polc_pod *pod = asker->endpoint->pod;
	struct polb_addr addr;

	for (size_t i = 0; i < pod->addrs.n; i++)
		if (pod->addrs.items[i].family == family)
			return pod->addrs.items[i];
	polb_addr_parse(family == 4 ? "10.99.0.1" : "fd99::1", &addr);
	return addr;
}

static uint16_t next_port(struct asker *asker)
{
	if (rng_chance(&asker->rng, 15))
		return asker->ports.items[rng_below(&asker->rng, (unsigned)asker->ports.n)];
	return asker->ports.items[asker->next_port++ % asker->ports.n];
}

/* Never an extension header of IPv6: those are not what the packet is about. */
static uint8_t other_protocol(struct asker *asker, uint8_t family)
{
	static const uint8_t four[] = {2, 4, 41, 47, 50, 51, 58, 59, 112, 254, 0, 255};
	static const uint8_t six[] = {2, 4, 41, 47, 50, 1, 59, 112, 254, 255};

	return family == 4 ? PICK(&asker->rng, four) : PICK(&asker->rng, six);
}

static void choose_protocol(struct asker *asker, struct polc_packet_spec *spec)
{
	unsigned dice = rng_below(&asker->rng, 20);

	if (dice < 8)
		spec->protocol = IPPROTO_TCP;
	else if (dice < 12)
		spec->protocol = IPPROTO_UDP;
	else if (dice < 14)
		spec->protocol = IPPROTO_SCTP;
	else if (dice < 18)
		spec->protocol = spec->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	else
		spec->protocol = other_protocol(asker, spec->family);
	spec->tcp_flags = POLC_TCP_SYN;
	spec->sctp_chunk = POLC_SCTP_INIT;
	if (rng_chance(&asker->rng, 15)) {
		spec->tcp_flags = POLC_TCP_ACK | (rng_chance(&asker->rng, 30) ? POLC_TCP_SYN : 0);
		spec->sctp_chunk = POLC_SCTP_DATA;
	}
	spec->icmp_type = (uint8_t)asker->icmp_types
				  .items[rng_below(&asker->rng, (unsigned)asker->icmp_types.n)];
	if (rng_chance(&asker->rng, 20))
		spec->icmp_code = (uint8_t)rng_below(&asker->rng, 6);
}

static void choose_extras(struct asker *asker, struct packet *packet)
{
	static const uint8_t extensions[] = {0, 43, 51, 60};
	struct polc_packet_spec *spec = &packet->spec;

	if (spec->family == 4 && rng_chance(&asker->rng, 10))
		spec->ip_options_bytes = (uint8_t)(4 + 4 * rng_below(&asker->rng, 10));
	if (spec->family == 6 && rng_chance(&asker->rng, 15)) {
		spec->n_extensions = (uint8_t)(1 + rng_below(&asker->rng, 4));
		if (rng_chance(&asker->rng, 15))
			spec->n_extensions = 8;
		for (unsigned i = 0; i < spec->n_extensions; i++)
			spec->extensions[i] = i ? extensions[1 + rng_below(&asker->rng, 3)]
						: PICK(&asker->rng, extensions);
	}
	if (rng_chance(&asker->rng, 6) && spec->n_extensions < 8) {
		spec->fragment = true;
		spec->more_fragments = true;
		spec->fragment_id = asker->fragment_id++;
		if (rng_chance(&asker->rng, 20))
			spec->fragment_offset = 64;
	}
}

static void fresh_packet(struct asker *asker, struct packet *packet)
{
	struct polc_packet_spec *spec = &packet->spec;
	struct polb_addr remote = asker->addrs.items[asker->next_addr++ % asker->addrs.n];
	bool out = packet->direction == POLC_EGRESS;

	if (rng_chance(&asker->rng, 20))
		remote = asker->addrs.items[rng_below(&asker->rng, (unsigned)asker->addrs.n)];
	spec->family = remote.family;
	spec->src = out ? local_address(asker, remote.family) : remote;
	spec->dst = out ? remote : local_address(asker, remote.family);
	spec->sport = spec->icmp_id = asker->fresh;
	asker->fresh = asker->fresh == 65500 ? 1024 : (uint16_t)(asker->fresh + 1);
	spec->dport = next_port(asker);
	choose_protocol(asker, spec);
	choose_extras(asker, packet);
}

/* --- packets that follow from others -------------------------------------------------------- */

static void reverse(struct packet *packet)
{
	struct polc_packet_spec *spec = &packet->spec;
	struct polb_addr addr = spec->src;
	uint16_t port = spec->sport;

	spec->src = spec->dst;
	spec->dst = addr;
	spec->sport = spec->dport;
	spec->dport = port;
	packet->direction = packet->direction == POLC_INGRESS ? POLC_EGRESS : POLC_INGRESS;
}

static void reply(struct packet *packet)
{
	int partner = packet_icmp_partner(&packet->spec);

	reverse(packet);
	packet->spec.tcp_flags =
		packet->spec.tcp_flags == POLC_TCP_SYN ? POLC_TCP_SYN | POLC_TCP_ACK : POLC_TCP_ACK;
	packet->spec.sctp_chunk = POLC_SCTP_DATA;
	if (partner >= 0)
		packet->spec.icmp_type = (uint8_t)partner;
	packet->inner = NULL;
}

static void icmp_error(struct asker *asker, struct packet *packet)
{
	static const uint8_t types4[] = {3, 11, 12}, types6[] = {1, 3, 4};
	struct packet *inner = POLC_NEW(asker->arena, struct packet);

	*inner = *packet;
	inner->spec.n_extensions = 0;
	inner->spec.ip_options_bytes = 0;
	inner->spec.fragment = inner->spec.more_fragments = false;
	inner->spec.fragment_offset = 0;
	inner->inner = NULL;
	reverse(packet);
	if (rng_chance(&asker->rng, 20)) /* about a packet that went the other way */
		reverse(inner);
	if (rng_chance(&asker->rng, 30)) { /* from a router on the way */
		struct polb_addr *remote =
			packet->direction == POLC_INGRESS ? &packet->spec.src : &packet->spec.dst;
		polb_addr_parse(remote->family == 4 ? "198.51.100.1" : "2001:db8:ffff::1", remote);
	}
	packet->inner = inner;
	packet->spec.protocol = packet->spec.family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	packet->spec.icmp_type =
		packet->spec.family == 4 ? PICK(&asker->rng, types4) : PICK(&asker->rng, types6);
	packet->spec.icmp_code = (uint8_t)rng_below(&asker->rng, 4);
	packet->spec.icmp_id = 0;
	packet->spec.fragment = packet->spec.more_fragments = false;
	packet->spec.fragment_offset = 0;
}

/* A packet of, or about, a flow that was seen before. */
static void derived_packet(struct asker *asker, struct packet *packet)
{
	*packet = asker->history[rng_below(&asker->rng, (unsigned)asker->n_history)];
	packet->damage = DAMAGE_NONE;
	switch (rng_below(&asker->rng, 9)) {
	case 0: /* again */
		break;
	case 1: /* in mid-stream */
		packet->spec.tcp_flags = POLC_TCP_ACK | POLC_TCP_PSH;
		packet->spec.sctp_chunk = POLC_SCTP_DATA;
		break;
	case 2:
	case 3:
		reply(packet);
		break;
	case 4: /* the other side opens a flow with the same addresses and ports */
		reverse(packet);
		packet->spec.tcp_flags = POLC_TCP_SYN;
		packet->spec.sctp_chunk = POLC_SCTP_INIT;
		packet->inner = NULL;
		break;
	case 5:
		if (rng_chance(&asker->rng, 50))
			reverse(packet);
		packet->spec.tcp_flags =
			rng_chance(&asker->rng, 50) ? POLC_TCP_RST : POLC_TCP_FIN | POLC_TCP_ACK;
		packet->spec.sctp_chunk = POLC_SCTP_DATA;
		packet->inner = NULL;
		break;
	case 6:
	case 7:
		if (!packet->inner && !packet->spec.fragment)
			icmp_error(asker, packet);
		break;
	case 8: /* the rest of a datagram */
		if (packet->spec.fragment) {
			packet->spec.fragment_offset =
				(uint16_t)(8 + 8 * rng_below(&asker->rng, 100));
			packet->spec.more_fragments = rng_chance(&asker->rng, 50);
		}
		break;
	}
	if (!packet->spec.fragment)
		choose_extras(asker, packet);
}

/* --- broken and foreign frames -------------------------------------------------------------- */

static size_t transport_bytes(const struct polc_packet_spec *spec)
{
	if (spec->fragment && spec->fragment_offset)
		return 0;
	if (spec->protocol == IPPROTO_TCP || spec->protocol == IPPROTO_UDP ||
		spec->protocol == IPPROTO_SCTP || packet_is_icmp(spec))
		return 4;
	return 0;
}

static bool cuts_network(enum damage damage)
{
	return damage == DAMAGE_CUT_NETWORK || damage == DAMAGE_TOTAL_LENGTH;
}

static void choose_damage(struct asker *asker, bool tc, struct packet *packet)
{
	packet->damage = 1 + rng_below(&asker->rng, DAMAGE_EXTENSIONS);
	if (packet->damage == DAMAGE_OTHER_VERSION && !tc) /* the first byte is all that says it */
		packet->damage = DAMAGE_VERSION;
	if ((packet->damage == DAMAGE_HEADER_LENGTH && packet->spec.family == 6) ||
		(packet->damage == DAMAGE_CUT_TRANSPORT && !transport_bytes(&packet->spec)))
		packet->damage = DAMAGE_CUT_NETWORK;
	/* BPF_PROG_TEST_RUN refuses short packets that say they are IP: see packet_bytes() */
	packet->spec.has_vlan |= tc && cuts_network(packet->damage);
	if (packet->damage != DAMAGE_EXTENSIONS)
		return;
	if (packet->spec.family == 4 || packet->spec.fragment) {
		packet->damage = DAMAGE_VERSION;
		return;
	}
	packet->spec.n_extensions = 9;
	memset(packet->spec.extensions, 60, 9);
}

void asker_next(struct asker *asker, bool tc, struct packet *packet)
{
	*packet = (struct packet){
		.direction = rng_chance(&asker->rng, 50) ? POLC_INGRESS : POLC_EGRESS};
	if (asker->n_history && rng_chance(&asker->rng, 45))
		derived_packet(asker, packet);
	else
		fresh_packet(asker, packet);
	packet->spec.has_vlan = tc && rng_chance(&asker->rng, 8);
	packet->spec.vlan = 7;
	if (rng_chance(&asker->rng, 3))
		choose_damage(asker, tc, packet);
	else if (tc && rng_chance(&asker->rng, 1))
		packet->frame = rng_chance(&asker->rng, 50) ? FRAME_ARP : FRAME_OTHER;
	if (packet->damage == DAMAGE_NONE && packet->frame == FRAME_IP && !packet->inner)
		asker->history[asker->n_history < HISTORY ? asker->n_history++
							  : rng_below(&asker->rng, HISTORY)] =
			*packet;
}

void asker_question(struct asker *asker, struct polc_question *question)
{
	struct packet packet = {
		.direction = rng_chance(&asker->rng, 50) ? POLC_INGRESS : POLC_EGRESS};

	fresh_packet(asker, &packet);
	*question = (struct polc_question){.endpoint = asker->endpoint,
		.direction = packet.direction,
		.peer = packet.direction == POLC_EGRESS ? packet.spec.dst : packet.spec.src,
		.protocol = packet.spec.protocol,
		.port = packet_is_icmp(&packet.spec) ? packet.spec.icmp_type : packet.spec.dport};
	if (question->protocol != IPPROTO_TCP && question->protocol != IPPROTO_UDP &&
		question->protocol != IPPROTO_SCTP && !packet_is_icmp(&packet.spec))
		question->port = 0;
}

/* --- bytes ---------------------------------------------------------------------------------- */

static size_t network_bytes(const struct polc_packet_spec *spec)
{
	size_t n = spec->family == 4 ? 20u + ((spec->ip_options_bytes + 3u) & ~3u) : 40u;

	for (unsigned i = 0; spec->family == 6 && i < spec->n_extensions; i++)
		n += spec->extensions[i] == 51 ? 16 : 8;
	return n + (spec->family == 6 && spec->fragment ? 8 : 0);
}

static void damage_bytes(const struct packet *packet, uint8_t *frame, size_t *size)
{
	size_t start = POLC_ETHERNET_BYTES + (packet->spec.has_vlan ? 4u : 0);
	uint8_t *ip = frame + start;

	switch (packet->damage) {
	case DAMAGE_NONE:
	case DAMAGE_EXTENSIONS:
		break;
	case DAMAGE_VERSION:
		ip[0] = (uint8_t)((ip[0] & 0x0f) | 0x50);
		break;
	case DAMAGE_OTHER_VERSION:
		ip[0] = (uint8_t)((ip[0] & 0x0f) | (packet->spec.family == 4 ? 0x60 : 0x40));
		break;
	case DAMAGE_CUT_TAIL:
		*size -= 1;
		break;
	case DAMAGE_HEADER_LENGTH:
		ip[0] = 0x44;
		break;
	case DAMAGE_TOTAL_LENGTH:
		if (packet->spec.family == 4)
			ip[2] = 0, ip[3] = 19;
		else
			*size = start + 39;
		break;
	case DAMAGE_CUT_NETWORK:
		*size = start + network_bytes(&packet->spec) - 1;
		break;
	case DAMAGE_CUT_TRANSPORT:
		*size = start + network_bytes(&packet->spec) + 3;
		break;
	}
}

int packet_bytes(const struct packet *packet, uint8_t frame[FRAME_BYTES], size_t *size)
{
	static const uint8_t filler[32] = "what the packet carries";
	struct polc_packet_spec spec = packet->spec;
	uint8_t inner[INNER_BYTES];
	size_t inner_size = 0;

	spec.payload = filler;
	spec.payload_bytes = sizeof(filler);
	if (packet->inner) {
		struct polc_packet_spec quoted = packet->inner->spec;

		quoted.has_vlan = false;
		int status = polc_packet_build(&quoted, inner, sizeof(inner), &inner_size);

		if (status < 0)
			return status;
		spec.payload = inner + POLC_ETHERNET_BYTES;
		spec.payload_bytes = inner_size - POLC_ETHERNET_BYTES;
	}
	int status = polc_packet_build(&spec, frame, FRAME_BYTES, size);

	if (status < 0)
		return status;
	if (packet->frame != FRAME_IP) {
		size_t at = spec.has_vlan ? 16 : 12;

		frame[at] = packet->frame == FRAME_ARP ? 0x08 : 0x88;
		frame[at + 1] = packet->frame == FRAME_ARP ? 0x06 : 0xcc; /* LLDP */
	}
	/* cgroup programs do not see the frame's type; BPF_PROG_TEST_RUN does */
	if (cuts_network(packet->damage) && !spec.has_vlan)
		memcpy(frame + 12, "\x88\xb5", 2);
	damage_bytes(packet, frame, size);
	return 0;
}

/* --- text ----------------------------------------------------------------------------------- */

static const char *const damage_texts[] = {
#define X(name, text) text,
	DAMAGES(X)
#undef X
};

static void print_spec(const struct polc_packet_spec *spec, struct polc_buf *out)
{
	char src[POLB_ADDR_TEXT], dst[POLB_ADDR_TEXT];

	polb_addr_format(&spec->src, src);
	polb_addr_format(&spec->dst, dst);
	polc_buf_printf(out, "%s -> %s protocol %u", src, dst, spec->protocol);
	if (packet_is_icmp(spec))
		polc_buf_printf(out, " type %u code %u id %u", spec->icmp_type, spec->icmp_code,
			spec->icmp_id);
	else
		polc_buf_printf(out, " ports %u -> %u", spec->sport, spec->dport);
	if (spec->protocol == IPPROTO_TCP)
		polc_buf_printf(out, " flags 0x%02x", spec->tcp_flags);
	if (spec->protocol == IPPROTO_SCTP)
		polc_buf_printf(out, " chunk %u", spec->sctp_chunk);
	if (spec->ip_options_bytes)
		polc_buf_printf(out, " options %u", spec->ip_options_bytes);
	for (unsigned i = 0; i < spec->n_extensions; i++)
		polc_buf_printf(out, "%s%u", i ? "," : " extensions ", spec->extensions[i]);
	if (spec->fragment)
		polc_buf_printf(out, " fragment id %u offset %u%s", spec->fragment_id,
			spec->fragment_offset, spec->more_fragments ? " more" : "");
	if (spec->has_vlan)
		polc_buf_printf(out, " vlan %u", spec->vlan);
}

void packet_print(const struct packet *packet, struct polc_buf *out)
{
	polc_buf_printf(out, "%s ", packet->direction == POLC_INGRESS ? "ingress" : "egress");
	if (packet->frame != FRAME_IP)
		polc_buf_puts(out, packet->frame == FRAME_ARP ? "ARP over " : "LLDP over ");
	print_spec(&packet->spec, out);
	if (packet->damage != DAMAGE_NONE)
		polc_buf_printf(out, " (%s)", damage_texts[packet->damage]);
	if (packet->inner) {
		polc_buf_puts(out, " about { ");
		print_spec(&packet->inner->spec, out);
		polc_buf_puts(out, " }");
	}
}
