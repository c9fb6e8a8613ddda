/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The ports worth asking about when nobody says which. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "matrix.h"

static const struct {
	uint8_t bit, number;
} protocol_bits[] = {
	{POLC_PROTO_TCP, IPPROTO_TCP},
	{POLC_PROTO_UDP, IPPROTO_UDP},
	{POLC_PROTO_SCTP, IPPROTO_SCTP},
	{POLC_PROTO_ICMP, IPPROTO_ICMP},
	{POLC_PROTO_ICMPV6, IPPROTO_ICMPV6},
};

static void add(struct polc_cmd *cmd, uint8_t protocol, uint16_t port, polc_service_ports *out)
{
	*polc_vec_push(&cmd->polc.arena, out) =
		(struct polc_service_port){.protocol = protocol, .port = port};
}

static void add_range(
	struct polc_cmd *cmd, const struct polc_net_port *port, polc_service_ports *out)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(protocol_bits); i++) {
		if (!(port->protocols & protocol_bits[i].bit))
			continue;
		add(cmd, protocol_bits[i].number, port->lo, out);
		if (port->hi != port->lo)
			add(cmd, protocol_bits[i].number, port->hi, out);
	}
}

/* Names are resolved by the inventory's pods, all of whose ports are added anyway. */
static void add_rule_ports(
	struct polc_cmd *cmd, const struct polc_net_rule *rule, polc_service_ports *out)
{
	for (size_t i = 0; i < rule->n_ports; i++) {
		const struct polc_net_port *port = &rule->ports[i];

		if (port->kind == POLC_PORT_RANGE)
			add_range(cmd, port, out);
		else if (port->kind == POLC_PORT_ALL && port->protocols & POLC_PROTO_OTHER)
			add(cmd, (uint8_t)port->lo, 0, out);
	}
}

static int compare(const void *a, const void *b)
{
	const struct polc_service_port *x = a, *y = b;

	if (x->protocol != y->protocol)
		return x->protocol < y->protocol ? -1 : 1;
	return (x->port > y->port) - (x->port < y->port);
}

static void sort_unique(polc_service_ports *ports)
{
	size_t n = 0;

	qsort(ports->items, ports->n, sizeof(*ports->items), compare);
	for (size_t i = 0; i < ports->n; i++)
		if (!i || compare(&ports->items[i], &ports->items[n - 1]))
			ports->items[n++] = ports->items[i];
	ports->n = n;
}

void polc_matrix_default_ports(struct polc_cmd *cmd, polc_service_ports *out)
{
	const struct polc_inventory *inventory = &cmd->input.inventory;

	for (size_t i = 0; i < cmd->network->n_rules; i++)
		add_rule_ports(cmd, &cmd->network->rules[i], out);
	for (size_t i = 0; i < inventory->pods.n; i++)
		for (size_t j = 0; j < inventory->pods.items[i].ports.n; j++)
			add(cmd, inventory->pods.items[i].ports.items[j].protocol,
				inventory->pods.items[i].ports.items[j].port, out);
	if (!out->n)
		add(cmd, IPPROTO_TCP, 80, out);
	sort_unique(out);
}
