/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Port classes: the ports between two borders that some rule or named port of any set draws are
 * treated alike by all of them, so that one bit stands for them. And how a set of them reads.
 */
#include <netinet/in.h>
#include <stdlib.h>

#include "topology_internal.h"

static const struct {
	const char *name;
	uint8_t number, bit;
	uint16_t last; /* port or ICMP type */
} protocols[] = {
	{"tcp", IPPROTO_TCP, POLC_PROTO_TCP, 65535},
	{"udp", IPPROTO_UDP, POLC_PROTO_UDP, 65535},
	{"sctp", IPPROTO_SCTP, POLC_PROTO_SCTP, 65535},
	{"icmp", IPPROTO_ICMP, POLC_PROTO_ICMP, 255},
	{"icmpv6", IPPROTO_ICMPV6, POLC_PROTO_ICMPV6, 255},
};
enum { N_PROTOCOLS = POLC_ARRAY_SIZE(protocols) };

/* First ports of classes, and protocols without ports; to be sorted. */
struct borders {
	struct polc_arena *arena;
	POLC_VEC(uint32_t) starts[N_PROTOCOLS];
	bool others[256];
};

static bool is_plain(unsigned protocol)
{
	for (size_t i = 0; i < N_PROTOCOLS; i++)
		if (protocols[i].number == protocol)
			return false;
	return true;
}

static void add_range(struct borders *b, size_t protocol, uint32_t lo, uint32_t hi)
{
	*polc_vec_push(b->arena, &b->starts[protocol]) = lo;
	*polc_vec_push(b->arena, &b->starts[protocol]) = hi + 1;
}

static void add_port(struct borders *b, const struct polc_net_port *port)
{
	if (port->kind == POLC_PORT_ALL && port->protocols & POLC_PROTO_OTHER && port->lo < 256 &&
		is_plain(port->lo))
		b->others[port->lo] = true;
	if (port->kind != POLC_PORT_RANGE)
		return;
	for (size_t i = 0; i < N_PROTOCOLS; i++)
		if (port->protocols & protocols[i].bit)
			add_range(b, i, port->lo, port->hi);
}

static void add_names(struct borders *b, const struct polc_inventory *inventory)
{
	for (size_t i = 0; i < inventory->pods.n; i++) {
		const struct polc_pod *pod = &inventory->pods.items[i];

		for (size_t j = 0; j < pod->ports.n; j++)
			for (size_t k = 0; k < N_PROTOCOLS; k++)
				if (protocols[k].number == pod->ports.items[j].protocol)
					add_range(b, k, pod->ports.items[j].port,
						pod->ports.items[j].port);
	}
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Neighbour discovery and the like, which no policy decides (the evaluator's protocol-need). */
static bool is_always_allowed(uint8_t protocol, uint32_t type)
{
	return protocol == IPPROTO_ICMPV6 &&
	       (type == 2 || (type >= 130 && type <= 136) || type == 143);
}

static void add_class(struct polc_port_space *space, uint8_t protocol, uint32_t lo, uint32_t hi)
{
	*polc_vec_push(space->arena, &space->classes) = (struct polc_port_class){
		.protocol = protocol, .lo = (uint16_t)lo, .hi = (uint16_t)hi};
}

static void cut_protocol(struct polc_port_space *space, struct borders *b, size_t i)
{
	uint32_t last = protocols[i].last;

	if (protocols[i].number == IPPROTO_ICMPV6) {
		add_range(b, i, 2, 2);
		add_range(b, i, 130, 136);
		add_range(b, i, 143, 143);
	}
	add_range(b, i, 0, last);
	qsort(b->starts[i].items, b->starts[i].n, sizeof(uint32_t), compare_numbers);
	for (size_t k = 0; k + 1 < b->starts[i].n; k++) {
		uint32_t lo = b->starts[i].items[k], next = b->starts[i].items[k + 1];

		if (lo < next && lo <= last && !is_always_allowed(protocols[i].number, lo))
			add_class(space, protocols[i].number, lo,
				(next > last + 1 ? last + 1 : next) - 1);
	}
}

static void cut_all(struct polc_port_space *space, const struct polc_topology_set *sets, size_t n)
{
	struct borders b = {.arena = space->arena};

	for (size_t s = 0; s < n; s++) {
		for (size_t i = 0; i < sets[s].network->n_rules; i++)
			for (size_t j = 0; j < sets[s].network->rules[i].n_ports; j++)
				add_port(&b, &sets[s].network->rules[i].ports[j]);
		add_names(&b, sets[s].inventory);
	}
	for (size_t i = 0; i < N_PROTOCOLS; i++)
		cut_protocol(space, &b, i);
	for (unsigned i = 0; i < 256; i++)
		if (b.others[i])
			add_class(space, (uint8_t)i, 0, 0);
	polc_vec_push(space->arena, &space->classes)->others = true;
}

static int compare_classes(const void *pa, const void *pb)
{
	const struct polc_port_class *a = pa, *b = pb;

	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	return (a->lo > b->lo) - (a->lo < b->lo);
}

static void take_listed(struct polc_port_space *space, const struct polc_topology_options *options)
{
	size_t n = 0;

	space->restricted = true;
	for (size_t i = 0; i < options->n_ports; i++)
		add_class(space, options->ports[i].protocol, options->ports[i].port,
			options->ports[i].port);
	qsort(space->classes.items, space->classes.n, sizeof(struct polc_port_class),
		compare_classes);
	for (size_t i = 0; i < space->classes.n; i++)
		if (!i || compare_classes(&space->classes.items[i], &space->classes.items[n - 1]))
			space->classes.items[n++] = space->classes.items[i];
	space->classes.n = n;
}

static void find_families(struct polc_port_space *space)
{
	for (unsigned mask = 0; mask < 4; mask++) {
		uint64_t *bits = POLC_NEW_ARRAY(space->arena, space->words, uint64_t);

		for (size_t i = 0; mask && i < space->classes.n; i++) {
			const struct polc_port_class *c = &space->classes.items[i];

			if ((c->protocol != IPPROTO_ICMP || mask & 1) &&
				(c->protocol != IPPROTO_ICMPV6 || mask & 2))
				polc_bits_set(bits, i);
		}
		space->families[mask] = bits;
	}
}

void polc_port_space_build(struct polc_port_space *space, struct polc_arena *arena,
	const struct polc_topology_set *sets, size_t n_sets,
	const struct polc_topology_options *options)
{
	*space = (struct polc_port_space){.arena = arena};
	if (options->n_ports)
		take_listed(space, options);
	else
		cut_all(space, sets, n_sets);
	space->words = polc_bits_words(space->classes.n);
	find_families(space);
}

/* The bit of a protocol number as rules know it; OTHER is decided by number. */
static bool protocol_covered(const struct polc_port_class *c, const struct polc_net_port *port)
{
	for (size_t i = 0; i < N_PROTOCOLS; i++)
		if (protocols[i].number == c->protocol && !c->others)
			return port->protocols & protocols[i].bit;
	return !c->others && port->protocols & POLC_PROTO_OTHER && port->lo == c->protocol;
}

static bool is_named(const struct polc_port_class *c, const struct polc_net_port *port,
	const struct polb_named_port *owner, size_t n_owner)
{
	for (size_t i = 0; i < n_owner; i++)
		if (owner[i].protocol == c->protocol && owner[i].port == c->lo && c->lo == c->hi &&
			!strcmp(owner[i].name, port->name))
			return true;
	return false;
}

void polc_port_space_cover(const struct polc_port_space *space, const struct polc_net_port *port,
	const struct polb_named_port *owner, size_t n_owner, uint64_t *out)
{
	bool everything = port->kind == POLC_PORT_ALL && !port->protocols;

	for (size_t i = 0; i < space->classes.n; i++) {
		const struct polc_port_class *c = &space->classes.items[i];

		if (!everything && !protocol_covered(c, port))
			continue;
		if (port->kind == POLC_PORT_RANGE && (c->lo < port->lo || c->lo > port->hi))
			continue;
		if (port->kind == POLC_PORT_NAME && !is_named(c, port, owner, n_owner))
			continue;
		polc_bits_set(out, i);
	}
}

/* ---- text ---- */

struct protocol_text {
	const char *name;
	const char *ports; /* "80,443"; NULL: the whole protocol */
};

static size_t end_of_protocol(const struct polc_port_space *space, size_t i)
{
	const struct polc_port_class *classes = space->classes.items;
	size_t end = i + 1;

	while (end < space->classes.n && !classes[end].others &&
		classes[end].protocol == classes[i].protocol)
		end++;
	return end;
}

static const char *ranges_text(
	const struct polc_port_space *space, const uint64_t *bits, size_t begin, size_t end)
{
	struct polc_buf text = {.arena = space->arena};

	for (size_t i = begin; i < end; i++) {
		if (!polc_bits_has(bits, i))
			continue;
		unsigned lo = space->classes.items[i].lo, hi = space->classes.items[i].hi;

		while (i + 1 < end && polc_bits_has(bits, i + 1) &&
			space->classes.items[i + 1].lo == hi + 1)
			hi = space->classes.items[++i].hi;
		polc_buf_printf(&text, hi > lo ? "%s%u-%u" : "%s%u", text.n ? "," : "", lo, hi);
	}
	return text.p;
}

static const char *protocol_name(const struct polc_port_space *space, uint8_t number)
{
	for (size_t i = 0; i < N_PROTOCOLS; i++)
		if (protocols[i].number == number)
			return protocols[i].name;
	return polc_arena_printf(space->arena, "ip/%u", number);
}

/* False when nothing of the protocol is in the set. */
static bool describe(const struct polc_port_space *space, const uint64_t *bits, size_t begin,
	size_t end, struct protocol_text *out)
{
	size_t n = 0;
	const struct polc_port_class *first = &space->classes.items[begin];

	for (size_t i = begin; i < end; i++)
		n += polc_bits_has(bits, i);
	*out = (struct protocol_text){
		.name = first->others ? "others" : protocol_name(space, first->protocol)};
	if (n && !first->others && is_plain(first->protocol) == false &&
		(n < end - begin || space->restricted))
		out->ports = ranges_text(space, bits, begin, end);
	return n > 0;
}

static bool alike(const struct protocol_text *a, const struct protocol_text *b)
{
	return (!a->ports && !b->ports) || (a->ports && b->ports && !strcmp(a->ports, b->ports));
}

static void list_protocols(
	const struct polc_port_space *space, const uint64_t *bits, struct polc_buf *out)
{
	struct protocol_text held = {0}, next;
	struct polc_buf names = {.arena = space->arena};

	for (size_t i = 0; i < space->classes.n; i = end_of_protocol(space, i)) {
		if (!describe(space, bits, i, end_of_protocol(space, i), &next))
			continue;
		if (held.name && alike(&held, &next)) {
			polc_buf_printf(&names, "+%s", next.name);
			continue;
		}
		if (held.name)
			polc_buf_printf(out, "%s%s%s; ", names.p, held.ports ? "/" : "",
				held.ports ? held.ports : "");
		names = (struct polc_buf){.arena = space->arena};
		polc_buf_puts(&names, next.name);
		held = next;
	}
	if (held.name)
		polc_buf_printf(out, "%s%s%s", names.p, held.ports ? "/" : "",
			held.ports ? held.ports : "");
}

/* A pair of one family has no ICMP of the other: that is not missed. */
static void add_absent_icmp(const struct polc_port_space *space, uint64_t *bits)
{
	bool has[2] = {false, false};

	for (size_t i = 0; i < space->classes.n; i++) {
		uint8_t protocol = space->classes.items[i].protocol;

		if (polc_bits_has(bits, i) && !space->classes.items[i].others)
			has[0] |= protocol == IPPROTO_ICMP, has[1] |= protocol == IPPROTO_ICMPV6;
	}
	for (size_t i = 0; i < space->classes.n; i++) {
		uint8_t protocol = space->classes.items[i].protocol;

		if ((protocol == IPPROTO_ICMP && !has[0] && has[1]) ||
			(protocol == IPPROTO_ICMPV6 && !has[1] && has[0]))
			polc_bits_set(bits, i);
	}
}

const char *polc_port_space_text(const struct polc_port_space *space, const uint64_t *bits)
{
	struct polc_buf text = {.arena = space->arena};
	uint64_t *missing = POLC_NEW_ARRAY(space->arena, space->words, uint64_t);
	size_t last = space->classes.n - 1;

	if (space->restricted || !polc_bits_has(bits, last)) {
		list_protocols(space, bits, &text);
		return text.n ? text.p : "none";
	}
	memcpy(missing, bits, space->words * sizeof(*bits));
	add_absent_icmp(space, missing);
	for (size_t i = 0; i < space->words; i++)
		missing[i] = ~missing[i];
	list_protocols(space, missing, &text);
	return text.n ? polc_arena_printf(space->arena, "all but %s", text.p) : "all";
}
