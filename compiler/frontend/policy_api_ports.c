/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Ports of the policy API (reference 4.2, 4.3): v1alpha1 `ports` and v1alpha2 `protocols`. */
#include <string.h>

#include "policy_api.h"

static void push_port(
	struct polc *polc, struct polc_ast_rule *rule, const struct polc_ast_port *port)
{
	*polc_vec_push(&polc->arena, &rule->ports) = *port;
}

/* A name resolves to a port of any protocol on the destination. */
static void parse_named_port(struct polc *polc, struct polc_ast_rule *rule,
	const struct polc_yaml_entry *entry, const char *path)
{
	struct polc_ast_port port = {
		.kind = POLC_PORT_NAME, .protocols = POLC_PROTO_ANY, .span = entry->key->span};

	if (!polc_field_string(polc, entry, path, &port.name))
		return;
	if (*port.name)
		push_port(polc, rule, &port);
	else
		polc_error(polc, entry->value->span, POLC_CODE_BAD_PORT, "%s.%s is empty", path,
			entry->key->value);
}

struct range_fields {
	const struct polc_yaml_entry *start, *end, *protocol;
};

/* The ends of a range; equal ones only where `equal_ok`. */
static bool parse_range(struct polc *polc, const struct range_fields *fields, const char *path,
	bool equal_ok, struct polc_ast_port *port)
{
	port->kind = POLC_PORT_RANGE;
	if (!fields->start || !fields->end ||
		!polc_parse_port_number(polc, fields->start->value, false,
			polc_path_field(polc, path, "start"), &port->lo) ||
		!polc_parse_port_number(polc, fields->end->value, false,
			polc_path_field(polc, path, "end"), &port->hi))
		return false;
	if (port->lo < port->hi || (equal_ok && port->lo == port->hi))
		return true;
	polc_error(polc, fields->end->value->span, POLC_CODE_BAD_PORT,
		"%s.end must be above start (%u)", path, port->lo);
	return false;
}

static bool parse_number(struct polc *polc, const struct polc_yaml_entry *entry, const char *path,
	struct polc_ast_port *port)
{
	port->kind = POLC_PORT_RANGE;
	if (!polc_parse_port_number(polc, entry->value, false,
		    polc_path_field(polc, path, entry->key->value), &port->lo))
		return false;
	port->hi = port->lo;
	return true;
}

/* ---- v1alpha1 ---- */

/* TCP when it is not written; 0 (reported) when it is none of the three. */
static uint8_t parse_protocol_name(
	struct polc *polc, const struct polc_yaml_entry *entry, const char *path)
{
	static const char *const names[] = {"TCP", "UDP", "SCTP"};
	static const uint8_t bits[] = {POLC_PROTO_TCP, POLC_PROTO_UDP, POLC_PROTO_SCTP};
	const char *text, *nearest;
	int which;

	if (!entry)
		return POLC_PROTO_TCP;
	if (!polc_field_string(polc, entry, path, &text))
		return 0;
	which = polc_word_index(text, names, POLC_ARRAY_SIZE(names));
	if (which >= 0)
		return bits[which];
	struct polc_diagnostic *d = polc_error(polc, entry->value->span, POLC_CODE_BAD_PROTOCOL,
		"%s.protocol: \"%s\" is none of TCP, UDP, SCTP", path, text);
	nearest = polc_nearest(text, names, POLC_ARRAY_SIZE(names));
	if (nearest)
		polc_diagnostic_did_you_mean(polc, d, nearest);
	return 0;
}

struct number_fields {
	const struct polc_yaml_entry *port, *protocol;
};

static const struct polc_field number_table[] = {
	POLC_FIELD(struct number_fields, port, "port", POLC_REQUIRED),
	POLC_FIELD(struct number_fields, protocol, "protocol", POLC_OPTIONAL),
};

static void parse_port_number(struct polc *polc, struct polc_ast_rule *rule,
	const struct polc_yaml_entry *entry, const char *path)
{
	struct number_fields fields = {0};
	struct polc_ast_port port = {.span = entry->key->span};

	path = polc_path_field(polc, path, "portNumber");
	if (!POLC_FIELDS_READ(polc, entry->value, path, number_table, &fields) || !fields.port)
		return;
	port.protocols = parse_protocol_name(polc, fields.protocol, path);
	if (parse_number(polc, fields.port, path, &port) && port.protocols)
		push_port(polc, rule, &port);
}

static const struct polc_field old_range_table[] = {
	POLC_FIELD(struct range_fields, start, "start", POLC_REQUIRED),
	POLC_FIELD(struct range_fields, end, "end", POLC_REQUIRED),
	POLC_FIELD(struct range_fields, protocol, "protocol", POLC_OPTIONAL),
};

static void parse_port_range(struct polc *polc, struct polc_ast_rule *rule,
	const struct polc_yaml_entry *entry, const char *path)
{
	struct range_fields fields = {0};
	struct polc_ast_port port = {.span = entry->key->span};

	path = polc_path_field(polc, path, "portRange");
	if (!POLC_FIELDS_READ(polc, entry->value, path, old_range_table, &fields))
		return;
	port.protocols = parse_protocol_name(polc, fields.protocol, path);
	if (parse_range(polc, &fields, path, true, &port) && port.protocols)
		push_port(polc, rule, &port);
}

struct port_fields {
	const struct polc_yaml_entry *of[3];
};

static const struct polc_field port_table[] = {
	POLC_FIELD(struct port_fields, of[0], "portNumber", POLC_OPTIONAL),
	POLC_FIELD(struct port_fields, of[1], "portRange", POLC_OPTIONAL),
	POLC_FIELD(struct port_fields, of[2], "namedPort", POLC_OPTIONAL),
};

void polc_api_parse_port(struct polc *polc, struct polc_ast_rule *rule,
	const struct polc_yaml *node, const char *path)
{
	struct port_fields fields = {0};

	if (!POLC_FIELDS_READ(polc, node, path, port_table, &fields) ||
		!polc_fields_exactly_one(
			polc, node, path, fields.of, 3, "portNumber, portRange, namedPort"))
		return;
	if (fields.of[0])
		parse_port_number(polc, rule, fields.of[0], path);
	else if (fields.of[1])
		parse_port_range(polc, rule, fields.of[1], path);
	else
		parse_named_port(polc, rule, fields.of[2], path);
}

/* ---- v1alpha2 ---- */

static const struct polc_field range_table[] = {
	POLC_FIELD(struct range_fields, start, "start", POLC_REQUIRED),
	POLC_FIELD(struct range_fields, end, "end", POLC_REQUIRED),
};

static bool parse_destination_range(struct polc *polc, const struct polc_yaml_entry *entry,
	const char *path, struct polc_ast_port *port)
{
	struct range_fields fields = {0};

	path = polc_path_field(polc, path, "range");
	return POLC_FIELDS_READ(polc, entry->value, path, range_table, &fields) &&
	       parse_range(polc, &fields, path, false, port);
}

struct destination_fields {
	const struct polc_yaml_entry *of[2];
};

static const struct polc_field destination_table[] = {
	POLC_FIELD(struct destination_fields, of[0], "number", POLC_OPTIONAL),
	POLC_FIELD(struct destination_fields, of[1], "range", POLC_OPTIONAL),
};

static bool parse_destination(struct polc *polc, const struct polc_yaml_entry *entry,
	const char *path, struct polc_ast_port *port)
{
	struct destination_fields fields = {0};

	path = polc_path_field(polc, path, "destinationPort");
	if (!POLC_FIELDS_READ(polc, entry->value, path, destination_table, &fields) ||
		!polc_fields_exactly_one(polc, entry->value, path, fields.of, 2, "number, range"))
		return false;
	if (fields.of[0])
		return parse_number(polc, fields.of[0], path, port);
	return parse_destination_range(polc, fields.of[1], path, port);
}

struct transport_fields {
	const struct polc_yaml_entry *destination;
};

static const struct polc_field transport_table[] = {
	POLC_FIELD(struct transport_fields, destination, "destinationPort", POLC_REQUIRED),
};

static void parse_transport(struct polc *polc, struct polc_ast_rule *rule, uint8_t protocol,
	const struct polc_yaml_entry *entry, const char *path)
{
	struct transport_fields fields = {0};
	struct polc_ast_port port = {.protocols = protocol, .span = entry->key->span};

	path = polc_path_field(polc, path, entry->key->value);
	if (POLC_FIELDS_READ(polc, entry->value, path, transport_table, &fields) &&
		fields.destination && parse_destination(polc, fields.destination, path, &port))
		push_port(polc, rule, &port);
}

struct protocol_fields {
	const struct polc_yaml_entry *of[4];
};

static const struct polc_field protocol_table[] = {
	POLC_FIELD(struct protocol_fields, of[0], "tcp", POLC_OPTIONAL),
	POLC_FIELD(struct protocol_fields, of[1], "udp", POLC_OPTIONAL),
	POLC_FIELD(struct protocol_fields, of[2], "sctp", POLC_OPTIONAL),
	POLC_FIELD(struct protocol_fields, of[3], "destinationNamedPort", POLC_OPTIONAL),
};

void polc_api_parse_protocol(struct polc *polc, struct polc_ast_rule *rule,
	const struct polc_yaml *node, const char *path)
{
	static const uint8_t bits[] = {POLC_PROTO_TCP, POLC_PROTO_UDP, POLC_PROTO_SCTP};
	struct protocol_fields fields = {0};

	if (!POLC_FIELDS_READ(polc, node, path, protocol_table, &fields) ||
		!polc_fields_exactly_one(
			polc, node, path, fields.of, 4, "tcp, udp, sctp, destinationNamedPort"))
		return;
	if (fields.of[3])
		parse_named_port(polc, rule, fields.of[3], path);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(bits); i++)
		if (fields.of[i])
			parse_transport(polc, rule, bits[i], fields.of[i], path);
}
