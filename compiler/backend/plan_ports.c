/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Port classes: the coarsest partition of all (protocol, port) pairs such that every port item is
 * a union of classes. Computed exactly by a sweep over the items' ends.
 */
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"

static bool same_port(const struct polc_net_port *a, const struct polc_net_port *b)
{
	return a->kind == b->kind && a->protocols == b->protocols && a->lo == b->lo &&
	       a->hi == b->hi;
}

uint32_t polc_plan_port_item(struct polc_planner *p, const struct polc_net_port *port)
{
	struct polc_net_port key = {.kind = port->kind, .protocols = port->protocols};

	if (port->kind == POLC_PORT_ALL && !port->protocols)
		return POLC_ITEM_ALL;
	if (port->kind == POLC_PORT_RANGE || (port->protocols & POLC_PROTO_OTHER)) {
		key.lo = port->lo;
		key.hi = port->hi;
	}
	for (size_t i = p->items.n; i-- > 0;)
		if (same_port(&p->items.items[i].port, &key))
			return (uint32_t)i;
	*polc_vec_push(p->arena, &p->items) = (struct polc_port_item){.port = key};
	return (uint32_t)p->items.n - 1;
}

/* The entries that an item covers: at most one range per protocol. */
static size_t item_ranges(const struct polc_net_port *port, struct polc_port_range out[6])
{
	static const struct {
		uint8_t protocol;
		uint32_t base, size;
	} sections[] = {
		{POLC_PROTO_TCP, POLB_PORTS_TCP, 65536},
		{POLC_PROTO_UDP, POLB_PORTS_UDP, 65536},
		{POLC_PROTO_SCTP, POLB_PORTS_SCTP, 65536},
		{POLC_PROTO_ICMP, POLB_PORTS_ICMP, 256},
		{POLC_PROTO_ICMPV6, POLB_PORTS_ICMPV6, 256},
	};
	size_t n = 0;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(sections); i++) {
		uint32_t base = sections[i].base, last = sections[i].size - 1;
		if (!(port->protocols & sections[i].protocol))
			continue;
		if (port->kind == POLC_PORT_ALL)
			out[n++] = (struct polc_port_range){base, base + last};
		else if (port->lo <= last)
			out[n++] = (struct polc_port_range){
				base + port->lo, base + (port->hi < last ? port->hi : last)};
	}
	if (port->protocols & POLC_PROTO_OTHER)
		out[n++] = (struct polc_port_range){
			POLB_PORTS_OTHER + port->lo, POLB_PORTS_OTHER + port->lo};
	return n;
}

struct event {
	uint32_t position;
	uint32_t item;
	bool begins;
};

static int compare_events(const void *pa, const void *pb)
{
	const struct event *a = pa, *b = pb;

	if (a->position != b->position)
		return a->position < b->position ? -1 : 1;
	return (a->item > b->item) - (a->item < b->item);
}

/* The items that cover the current position, ascending. */
struct active {
	uint32_t *items;
	size_t n;
};

static void toggle(struct active *active, const struct event *event)
{
	size_t i = 0;

	while (i < active->n && active->items[i] < event->item)
		i++;
	if (event->begins) {
		memmove(active->items + i + 1, active->items + i,
			(active->n - i) * sizeof(*active->items));
		active->items[i] = event->item;
		active->n++;
	} else {
		active->n--;
		memmove(active->items + i, active->items + i + 1,
			(active->n - i) * sizeof(*active->items));
	}
}

struct port_class {
	const uint32_t *items;
	size_t n;
	uint64_t hash;
};

struct classes {
	POLC_VEC(struct port_class) list;
	uint32_t *table; /* hash table of class + 1, power of two */
	size_t size;
};

static uint64_t hash_set(const struct active *active)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < active->n; i++) {
		h = (h ^ active->items[i]) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	return h;
}

static uint32_t find_class(struct polc_planner *p, struct classes *c, const struct active *active)
{
	uint64_t hash = hash_set(active);
	size_t bytes = active->n * sizeof(uint32_t);
	size_t slot = hash & (c->size - 1);

	for (; c->table[slot]; slot = (slot + 1) & (c->size - 1)) {
		struct port_class *k = &c->list.items[c->table[slot] - 1];
		if (k->hash == hash && k->n == active->n &&
			(!bytes || !memcmp(k->items, active->items, bytes)))
			return c->table[slot] - 1;
	}
	uint32_t *items = POLC_NEW_ARRAY(p->arena, active->n, uint32_t);
	if (bytes)
		memcpy(items, active->items, bytes);
	*polc_vec_push(p->arena, &c->list) = (struct port_class){items, active->n, hash};
	c->table[slot] = (uint32_t)c->list.n;
	return (uint32_t)c->list.n - 1;
}

static struct event *make_events(struct polc_planner *p, size_t *n)
{
	struct event *events = POLC_NEW_ARRAY(p->arena, p->items.n * 12, struct event);

	*n = 0;
	for (size_t i = 0; i < p->items.n; i++) {
		struct polc_port_range ranges[6];
		size_t n_ranges = item_ranges(&p->items.items[i].port, ranges);
		for (size_t j = 0; j < n_ranges; j++) {
			events[(*n)++] = (struct event){ranges[j].first, (uint32_t)i, true};
			events[(*n)++] = (struct event){ranges[j].last + 1, (uint32_t)i, false};
		}
	}
	if (*n)
		qsort(events, *n, sizeof(*events), compare_events);
	return events;
}

static void add_interval(
	struct polc_plan_ports *out, uint32_t *n, uint32_t first, uint32_t last, uint32_t class_id)
{
	if (*n && out[*n - 1].class_id == class_id) {
		out[*n - 1].last = last;
		return;
	}
	out[(*n)++] = (struct polc_plan_ports){first, last, (uint16_t)class_id};
}

static void sweep(struct polc_planner *p, struct classes *c)
{
	size_t n_events, at = 0;
	struct event *events = make_events(p, &n_events);
	struct active active = {.items = POLC_NEW_ARRAY(p->arena, p->items.n + 1, uint32_t)};
	struct polc_plan_ports *out =
		POLC_NEW_ARRAY(p->arena, n_events + 1, struct polc_plan_ports);
	uint32_t n_out = 0, position = 0;

	for (c->size = 64; c->size < n_events * 2 + 2;)
		c->size *= 2;
	c->table = POLC_NEW_ARRAY(p->arena, c->size, uint32_t);
	find_class(p, c, &active); /* class 0: ports that no rule names */
	while (position < POLB_PORTS_END) {
		for (; at < n_events && events[at].position == position; at++)
			toggle(&active, &events[at]);
		uint32_t next = at < n_events ? events[at].position : POLB_PORTS_END;
		add_interval(out, &n_out, position, next - 1, find_class(p, c, &active));
		position = next;
	}
	p->plan->ports = out;
	p->plan->n_ports = n_out;
}

/* The classes of every item, from the items of every class. */
static void invert(struct polc_planner *p, const struct classes *c)
{
	for (size_t k = 0; k < c->list.n; k++)
		for (size_t i = 0; i < c->list.items[k].n; i++)
			p->items.items[c->list.items[k].items[i]].n_classes++;
	for (size_t i = 0; i < p->items.n; i++) {
		struct polc_port_item *item = &p->items.items[i];
		item->classes = POLC_NEW_ARRAY(p->arena, item->n_classes, uint32_t);
		item->n_classes = 0;
	}
	for (size_t k = 0; k < c->list.n; k++)
		for (size_t i = 0; i < c->list.items[k].n; i++) {
			struct polc_port_item *item = &p->items.items[c->list.items[k].items[i]];
			((uint32_t *)item->classes)[item->n_classes++] = (uint32_t)k;
		}
}

void polc_plan_ports(struct polc_planner *p)
{
	struct classes classes = {0};

	sweep(p, &classes);
	if (classes.list.n > UINT16_MAX) {
		polc_planner_limit(p, "port classes", classes.list.n, UINT16_MAX);
		return;
	}
	invert(p, &classes);
	p->plan->n_port_classes = (uint32_t)classes.list.n;
	p->plan->uses_ports = p->items.n > 0;
}
