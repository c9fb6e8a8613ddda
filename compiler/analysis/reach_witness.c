/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From a box of points to one connection with two parties: of the inventory where some fit, else
 * made up; and what the evaluator says about it.
 */
#include <string.h>

#include "reach_private.h"

enum { CANDIDATES_TRIED = 32 };

struct making {
	struct polc_reach *reach;
	struct polc_box *box;
	uint8_t family;
	uint8_t protocol;
	uint16_t port;
	struct reach_party subject, peer;
};

static const struct polc_ranges *addresses(
	const struct polc_box *box, enum polc_party_side side, uint8_t family)
{
	return &box->sets[POLC_SLOT_ADDRESS + side]->ranges[family == 6];
}

static bool is_point(const struct polc_ranges *r)
{
	return r->n == 1 && r->items[0].lo == r->items[0].hi;
}

static bool can_differ(const struct polc_box *box, uint8_t family)
{
	const struct polc_ranges *a = addresses(box, POLC_SOURCE, family);
	const struct polc_ranges *b = addresses(box, POLC_DESTINATION, family);

	if (!a->n || !b->n)
		return false;
	return !is_point(a) || !is_point(b) || a->items[0].lo != b->items[0].lo;
}

/* --- ports ---------------------------------------------------------------------------------- */

static bool choose_port(struct making *m)
{
	static const uint32_t liked[] = {POLC_LINE_TCP + 80, POLC_LINE_TCP + 443,
		POLC_LINE_TCP + 8080, POLC_LINE_UDP + 53, POLC_LINE_ICMP + 8,
		POLC_LINE_ICMPV6 + 128};
	const struct polc_set *set = m->box->sets[POLC_SLOT_PORT];
	uint32_t position = (uint32_t)set->ranges[0].items[0].lo;

	if (!position && set->ranges[0].items[0].hi) /* tcp/0 is unlike people */
		position = 1;
	for (size_t i = POLC_ARRAY_SIZE(liked); i-- > 0;) {
		const struct polc_set *one = polc_set_of_range(m->box->arena, liked[i], liked[i]);
		if (polc_set_within(one, set))
			position = liked[i];
	}
	polc_line_port(position, &m->protocol, &m->port);
	return polc_box_narrow(
		m->box, POLC_SLOT_PORT, polc_set_of_range(m->box->arena, position, position));
}

/* --- parties -------------------------------------------------------------------------------- */

static uint32_t first_row(const struct making *m, enum polc_party_side side)
{
	return (uint32_t)__builtin_ctz(m->box->sets[POLC_SLOT_KINDS + side]->mask);
}

/* HOST is the subject's own node, REMOTE_NODE another one. */
static bool choose_nodes(struct making *m)
{
	uint32_t kinds = polc_kinds_rows[m->peer.row].kinds;
	bool local = kinds & POLB_KIND_HOST, remote = kinds & POLB_KIND_REMOTE_NODE;

	m->subject.node = m->subject.real ? m->subject.real->node : "node-1";
	m->peer.node = m->peer.real ? m->peer.real->node : NULL;
	if (m->peer.real && local && !m->subject.real)
		m->subject.node = m->peer.node;
	if (m->peer.real && remote && !m->subject.real && m->peer.node &&
		!strcmp(m->peer.node, m->subject.node))
		m->subject.node = "node-2";
	if (!m->peer.real && local)
		m->peer.node = m->subject.node;
	if (!m->peer.real && !local && m->box->class[m->peer.side] != POLC_CLASS_OTHER)
		m->peer.node =
			m->subject.node && !strcmp(m->subject.node, "node-2") ? "node-1" : "node-2";
	if (!local && !remote)
		return true;
	bool same = m->subject.node && m->peer.node && !strcmp(m->subject.node, m->peer.node);
	return m->peer.node && same == local;
}

static bool choose_addresses(struct making *m)
{
	struct reach_party *first = &m->peer, *second = &m->subject;
	const struct polc_pod *pod = m->subject.real ? m->subject.real->pod : NULL;

	if (is_point(addresses(m->box, second->side, m->family))) {
		first = &m->subject;
		second = &m->peer;
	}
	/* a pod may always talk to any of its own addresses */
	if (first == &m->peer && pod)
		return reach_party_address(first, m->family, pod->addrs.items, pod->addrs.n) &&
		       reach_party_address(second, m->family, &first->addr, 1);
	if (!reach_party_address(first, m->family, NULL, 0))
		return false;
	return pod ? reach_party_address(second, m->family, pod->addrs.items, pod->addrs.n)
		   : reach_party_address(second, m->family, &first->addr, 1);
}

static bool complete(struct making *m)
{
	if (!m->subject.real && !reach_party_invent(&m->subject))
		return false;
	if (!m->peer.real && !reach_party_invent(&m->peer))
		return false;
	m->subject.row = first_row(m, m->subject.side);
	m->peer.row = first_row(m, m->peer.side);
	return choose_nodes(m) && choose_addresses(m);
}

/* The peer: one of the inventory, or one made up. */
static bool with_peer(struct making *m, bool real)
{
	size_t start = m->box->trail.n, tried = 0;

	m->peer.real = NULL;
	if (!real) {
		if (complete(m))
			return true;
		polc_box_rewind(m->box, start);
		return false;
	}
	for (size_t i = 0; i < reach_party_candidates(&m->peer) && tried < CANDIDATES_TRIED; i++) {
		if (reach_party_take(&m->peer, i)) {
			tried++;
			if (complete(m))
				return true;
		}
		polc_box_rewind(m->box, start);
	}
	m->peer.real = NULL;
	return false;
}

static bool with_subject(struct making *m, bool real, bool real_peer)
{
	size_t start = m->box->trail.n, tried = 0;

	m->subject.real = NULL;
	if (!real)
		return with_peer(m, real_peer);
	for (size_t i = 0; i < reach_party_candidates(&m->subject) && tried < CANDIDATES_TRIED;
		i++) {
		if (reach_party_take(&m->subject, i)) {
			tried++;
			if (with_peer(m, real_peer))
				return true;
		}
		polc_box_rewind(m->box, start);
	}
	m->subject.real = NULL;
	return false;
}

static bool choose_parties(struct making *m)
{
	bool peers = reach_party_candidates(&m->peer) > 0;

	return (peers && with_subject(m, true, true)) || with_subject(m, true, false) ||
	       (peers && with_subject(m, false, true)) || with_subject(m, false, false);
}

/* --- the whole ------------------------------------------------------------------------------ */

static const char *port_text(struct polc_arena *arena, const struct making *m)
{
	uint32_t position = polc_line_position(m->protocol, m->port, m->family);
	struct polc_buf text = {.arena = arena};

	polc_line_print(polc_set_of_range(arena, position, position), &text);
	return text.p;
}

static bool make_of_family(struct making *m, struct polc_witness *out)
{
	const struct polc_set *any = m->box->space->everything[POLC_SLOT_ADDRESS];
	struct polc_set *family = POLC_NEW(m->box->arena, struct polc_set);
	size_t start = m->box->trail.n;

	*family = *any;
	family->ranges[m->family == 4].n = 0;
	if (!polc_box_narrow(m->box, POLC_SLOT_ADDRESS, family) || !choose_port(m) ||
		!choose_parties(m)) {
		polc_box_rewind(m->box, start);
		return false;
	}
	*out = (struct polc_witness){.direction = out->direction,
		.protocol = m->protocol,
		.port = m->port,
		.port_text = port_text(m->reach->arena, m)};
	reach_party_finish(&m->subject, m->protocol, m->port, &out->subject);
	reach_party_finish(&m->peer, m->protocol, m->port, &out->peer);
	return true;
}

bool reach_witness_make(struct polc_reach *reach, struct polc_box *box,
	enum polc_direction direction, struct polc_witness *witness)
{
	struct making m = {.reach = reach, .box = box};

	if (!witness)
		return can_differ(box, 4) || can_differ(box, 6);
	m.subject =
		(struct reach_party){.reach = reach, .box = box, .side = reach_subject(direction)};
	m.peer = (struct reach_party){.reach = reach, .box = box, .side = reach_peer(direction)};
	witness->direction = direction;
	for (m.family = 4; m.family <= 6; m.family += 2)
		if (can_differ(box, m.family) && make_of_family(&m, witness))
			return true;
	return false;
}

void reach_witness_turn(const struct polc_witness *witness, struct polc_witness *out)
{
	*out = *witness;
	out->direction = witness->direction == POLC_EGRESS ? POLC_INGRESS : POLC_EGRESS;
	out->subject = witness->peer;
	out->peer = witness->subject;
}

/* --- what the evaluator says ----------------------------------------------------------------- */

static void add_identity(struct polc_arena *arena, struct polc_identities *ids,
	const struct polc_witness_party *party, bool has_entry)
{
	if (has_entry)
		*polc_vec_push(arena, &ids->addresses) = (struct polc_address_entry){
			.addr = party->addr, .identity = (uint32_t)ids->identities.n};
	*polc_vec_push(arena, &ids->identities) = party->identity;
}

void polc_witness_decide(struct polc_arena *arena, const struct polc_network *network,
	const struct polc_witness *witness, struct polc_decision *decision)
{
	struct polc_identities ids = {0};
	struct polc_endpoint endpoint = {.pod = witness->subject.pod, .identity = 0};
	const struct polc_question question = {.endpoint = &endpoint,
		.direction = witness->direction,
		.peer = witness->peer.addr,
		.protocol = witness->protocol,
		.port = witness->port};

	add_identity(arena, &ids, &witness->subject, true);
	/* an endpoint is a pod to its own policies, whatever else others see in it */
	ids.identities.items[0].kinds = POLB_KIND_POD;
	/* what no inventory knows is the world */
	add_identity(
		arena, &ids, &witness->peer, !(witness->peer.identity.kinds & POLB_KIND_WORLD));
	if (ids.addresses.n == 2 &&
		polb_addr_compare(&ids.addresses.items[0].addr, &ids.addresses.items[1].addr) > 0) {
		struct polc_address_entry first = ids.addresses.items[0];
		ids.addresses.items[0] = ids.addresses.items[1];
		ids.addresses.items[1] = first;
	}
	polc_evaluate(arena, network, &ids, &question, decision);
}
