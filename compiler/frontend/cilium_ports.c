/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* toPorts and icmps of Cilium rules (reference 1.8): port strings, protocols, ICMP type names. */
#include <ctype.h>
#include <string.h>

#include "cilium.h"

#define PORTS_MAX 40

/* ---- protocols ---- */

static const struct protocol {
	const char *name;
	uint8_t bits;
	uint8_t number; /* OTHER: the IP protocol */
} protocols[] = {
	{"TCP", POLC_PROTO_TCP, 0},
	{"UDP", POLC_PROTO_UDP, 0},
	{"SCTP", POLC_PROTO_SCTP, 0},
	{"ANY", POLC_PROTO_ANY, 0},
	{"VRRP", POLC_PROTO_OTHER, 112},
	{"IGMP", POLC_PROTO_OTHER, 2},
	{"GRE", POLC_PROTO_OTHER, 47},
	{"IPIP", POLC_PROTO_OTHER, 4},
	{"IPV6", POLC_PROTO_OTHER, 41},
	{"ESP", POLC_PROTO_OTHER, 50},
	{"AH", POLC_PROTO_OTHER, 51},
};
static const struct protocol protocol_any = {"ANY", POLC_PROTO_ANY, 0};

static void report_protocol(
	struct polc *polc, struct polc_span span, const char *name, const char *path)
{
	const char *names[POLC_ARRAY_SIZE(protocols)], *nearest;
	struct polc_diagnostic *d = polc_error(polc, span, POLC_CODE_BAD_PROTOCOL,
		"%s.protocol: \"%s\" is not a protocol of ports", path, name);

	if (!strcasecmp(name, "ICMP") || !strcasecmp(name, "ICMPv6")) {
		polc_diagnostic_suggest(polc, d, "use the rule's field icmps for ICMP types");
		return;
	}
	for (size_t i = 0; i < POLC_ARRAY_SIZE(protocols); i++)
		names[i] = protocols[i].name;
	nearest = polc_nearest(name, names, POLC_ARRAY_SIZE(names));
	if (nearest)
		polc_diagnostic_did_you_mean(polc, d, nearest);
}

static const struct protocol *parse_protocol(
	struct polc *polc, const struct polc_yaml_entry *entry, const char *path)
{
	const char *name;

	if (!entry)
		return &protocol_any;
	if (!polc_field_string(polc, entry, path, &name))
		return NULL;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(protocols); i++)
		if (!strcmp(name, protocols[i].name))
			return &protocols[i];
	report_protocol(polc, entry->value->span, name, path);
	return NULL;
}

/* ---- port strings ---- */

/* RFC 6335: 1 to 15 letters, digits and single inner hyphens, at least one letter. */
static bool is_service_name(const char *s)
{
	size_t n = strlen(s);
	bool letter = false;

	if (!n || n > 15 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)s[i]) && (s[i] != '-' || s[i + 1] == '-'))
			return false;
		letter |= isalpha((unsigned char)s[i]) != 0;
	}
	return letter;
}

/* Digits in base 8 when there is a leading 0, as Cilium reads them, else 10; -1 when not a port. */
static int32_t port_number(const char *s)
{
	int32_t base = s[0] == '0' ? 8 : 10, value = 0;

	if (!*s)
		return -1;
	for (; *s; s++) {
		if (*s < '0' || *s >= '0' + base)
			return -1;
		value = value * base + (*s - '0');
		if (value > UINT16_MAX)
			return -1;
	}
	return value;
}

static const char *lower_case(struct polc *polc, const char *s)
{
	char *copy = polc_arena_strndup(&polc->arena, s, strlen(s));

	for (char *p = copy; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

struct port_fields {
	const struct polc_yaml_entry *port, *end_port, *protocol;
};

static const struct polc_field port_table[] = {
	POLC_FIELD(struct port_fields, port, "port", POLC_OPTIONAL),
	POLC_FIELD(struct port_fields, end_port, "endPort", POLC_OPTIONAL),
	POLC_FIELD(struct port_fields, protocol, "protocol", POLC_OPTIONAL),
};

/* The text of `port`; NULL (reported) when it is missing or written as a number. */
static const char *port_text(struct polc *polc, const struct polc_yaml *node,
	const struct polc_yaml_entry *entry, const char *path)
{
	const char *text;

	if (!entry) {
		polc_error(polc, polc_first_token(node), POLC_CODE_MISSING_FIELD,
			"%s.port is missing; \"0\" means every port", path);
		return NULL;
	}
	if (!polc_yaml_is_integer(entry->value))
		return polc_field_string(polc, entry, path, &text) ? text : NULL;
	struct polc_diagnostic *d = polc_error(
		polc, entry->value->span, POLC_CODE_WRONG_TYPE, "%s.port must be a string", path);
	polc_diagnostic_suggest(polc, d, "write it in quotes: \"%s\"", entry->value->value);
	polc_diagnostic_replace(
		polc, d, polc_arena_printf(&polc->arena, "\"%s\"", entry->value->value));
	return NULL;
}

static bool parse_end_port(
	struct polc *polc, const struct polc_yaml_entry *entry, const char *path, uint16_t *out)
{
	int64_t value;

	if (!polc_yaml_integer(polc, entry->value, polc_path_field(polc, path, "endPort"), &value))
		return false;
	if (value >= 0 && value <= UINT16_MAX) {
		*out = (uint16_t)value;
		return true;
	}
	polc_error(polc, entry->value->span, POLC_CODE_BAD_PORT,
		"%s.endPort must be between 0 and 65535", path);
	return false;
}

/* An end below the port is ignored, as Cilium does; port 0 with an end is a range from 0. */
static void apply_end_port(struct polc *polc, struct polc_ast_port *port,
	const struct polc_yaml_entry *entry, const char *path)
{
	uint16_t end;

	if (!parse_end_port(polc, entry, path, &end))
		return;
	if (port->kind == POLC_PORT_NAME)
		polc_warn(polc, entry->key->span, POLC_CODE_IGNORED_FIELD,
			"%s.endPort is ignored: \"%s\" is the name of a port", path, port->name);
	else if (end < port->lo)
		polc_warn(polc, entry->value->span, POLC_CODE_IGNORED_FIELD,
			"%s.endPort %u is below port %u: only port %u is meant", path, end,
			port->lo, port->lo);
	else
		port->hi = end;
}

static bool parse_port_text(struct polc *polc, struct polc_ast_port *port, const char *text,
	struct polc_span span, const char *path)
{
	int32_t number = port_number(text);

	if (is_service_name(text)) {
		port->kind = POLC_PORT_NAME;
		port->name = lower_case(polc, text);
		return true;
	}
	if (number < 0) {
		polc_error(polc, span, POLC_CODE_BAD_PORT,
			"%s.port: \"%s\" is neither a port number nor a port name", path, text);
		return false;
	}
	if (text[0] == '0' && number > 0)
		polc_warn(polc, span, POLC_CODE_BAD_PORT,
			"%s.port: \"%s\" is octal and means port %d", path, text, number);
	port->kind = POLC_PORT_RANGE;
	port->lo = port->hi = (uint16_t)number;
	return true;
}

/* "0" alone, or 0 to 65535. */
static void normalise_all(struct polc_ast_port *port)
{
	if (port->kind != POLC_PORT_RANGE || port->lo != 0 ||
		(port->hi != 0 && port->hi != UINT16_MAX))
		return;
	port->kind = POLC_PORT_ALL;
	port->hi = 0;
}

/* Protocols without ports: the port is empty or 0. */
static bool parse_other(struct polc *polc, const struct polc_yaml *node,
	const struct port_fields *fields, const struct protocol *protocol, const char *path,
	struct polc_ast_port *port)
{
	const char *text = fields->port ? port_text(polc, node, fields->port, path) : "";

	port->kind = POLC_PORT_ALL;
	port->lo = port->hi = protocol->number;
	if (!text)
		return false;
	if ((!*text || port_number(text) == 0) && !fields->end_port)
		return true;
	polc_error(polc, (fields->end_port ? fields->end_port : fields->port)->value->span,
		POLC_CODE_BAD_PORT, "%s: protocol %s has no ports", path, protocol->name);
	return false;
}

static bool parse_with_ports(struct polc *polc, const struct polc_yaml *node,
	const struct port_fields *fields, const char *path, struct polc_ast_port *port)
{
	const char *text = port_text(polc, node, fields->port, path);

	if (!text || !parse_port_text(polc, port, text, fields->port->value->span, path))
		return false;
	if (fields->end_port)
		apply_end_port(polc, port, fields->end_port, path);
	normalise_all(port);
	return true;
}

static void parse_port(struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path)
{
	struct port_fields fields = {0};
	struct polc_ast_port port = {.span = polc_first_token(node)};
	const struct protocol *protocol;
	bool ok;

	if (!POLC_FIELDS_READ(r->polc, node, path, port_table, &fields))
		return;
	protocol = parse_protocol(r->polc, fields.protocol, path);
	port.protocols = protocol ? protocol->bits : POLC_PROTO_ANY;
	if (protocol && protocol->bits == POLC_PROTO_OTHER)
		ok = parse_other(r->polc, node, &fields, protocol, path, &port);
	else
		ok = parse_with_ports(r->polc, node, &fields, path, &port);
	if (ok)
		*polc_vec_push(&r->polc->arena, &r->rule->ports) = port;
}

/* ---- one element of toPorts ---- */

struct port_rule_fields {
	const struct polc_yaml_entry *ports;
	struct polc_cilium_l7 l7;
};

static const struct polc_field port_rule_table[] = {
	POLC_FIELD(struct port_rule_fields, ports, "ports", POLC_OPTIONAL),
	POLC_FIELD(struct port_rule_fields, l7.rules, "rules", POLC_OPTIONAL),
	POLC_FIELD(struct port_rule_fields, l7.terminating_tls, "terminatingTLS", POLC_OPTIONAL),
	POLC_FIELD(struct port_rule_fields, l7.originating_tls, "originatingTLS", POLC_OPTIONAL),
	POLC_FIELD(struct port_rule_fields, l7.server_names, "serverNames", POLC_OPTIONAL),
	POLC_FIELD(struct port_rule_fields, l7.listener, "listener", POLC_OPTIONAL),
};

static void refuse_in_deny(struct polc *polc, const struct polc_yaml_entry *entry, const char *path)
{
	if (entry)
		polc_error(polc, entry->key->span, POLC_CODE_CONFLICTING_FIELDS,
			"%s.%s is not possible in a deny rule", path, entry->key->value);
}

static void refuse_l7_in_deny(struct polc *polc, const struct polc_cilium_l7 *l7, const char *path)
{
	refuse_in_deny(polc, l7->rules, path);
	refuse_in_deny(polc, l7->terminating_tls, path);
	refuse_in_deny(polc, l7->originating_tls, path);
	refuse_in_deny(polc, l7->server_names, path);
	refuse_in_deny(polc, l7->listener, path);
}

/* Without `ports`, or with none, an element adds no port (1.4). */
static void parse_ports(
	struct polc_cilium_rule *r, const struct polc_yaml_entry *entry, const char *path)
{
	if (!entry || !polc_field_list(r->polc, entry, path, PORTS_MAX, true))
		return;
	path = polc_path_field(r->polc, path, "ports");
	for (size_t i = 0; i < entry->value->n_items; i++)
		parse_port(r, entry->value->items[i], polc_path_item(r->polc, path, i));
}

void polc_cilium_parse_port_rule(
	struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path)
{
	struct port_rule_fields fields = {0};
	size_t first = r->rule->ports.n;

	if (!POLC_FIELDS_READ(r->polc, node, path, port_rule_table, &fields))
		return;
	parse_ports(r, fields.ports, path);
	if (r->deny)
		refuse_l7_in_deny(r->polc, &fields.l7, path);
	else
		polc_cilium_parse_l7(r, &fields.l7,
			r->rule->ports.n ? &r->rule->ports.items[first] : NULL,
			r->rule->ports.n - first, path);
}

/* ---- ICMP types ---- */

struct icmp_type {
	const char *name;
	uint8_t type;
};

static const struct icmp_type icmp_types_v4[] = {
	{"EchoReply", 0},
	{"DestinationUnreachable", 3},
	{"Redirect", 5},
	{"Echo", 8},
	{"EchoRequest", 8},
	{"RouterAdvertisement", 9},
	{"RouterSelection", 10},
	{"TimeExceeded", 11},
	{"ParameterProblem", 12},
	{"Timestamp", 13},
	{"TimestampReply", 14},
	{"Photuris", 40},
	{"ExtendedEchoRequest", 42},
	{"ExtendedEcho Request", 42}, /* Cilium's own spellings */
	{"ExtendedEchoReply", 43},
	{"ExtendedEcho Reply", 43},
};

static const struct icmp_type icmp_types_v6[] = {
	{"DestinationUnreachable", 1},
	{"PacketTooBig", 2},
	{"TimeExceeded", 3},
	{"ParameterProblem", 4},
	{"EchoRequest", 128},
	{"EchoReply", 129},
	{"MulticastListenerQuery", 130},
	{"MulticastListenerReport", 131},
	{"MulticastListenerDone", 132},
	{"RouterSolicitation", 133},
	{"RouterAdvertisement", 134},
	{"NeighborSolicitation", 135},
	{"NeighborAdvertisement", 136},
	{"RedirectMessage", 137},
	{"RouterRenumbering", 138},
	{"ICMPNodeInformationQuery", 139},
	{"ICMPNodeInformationResponse", 140},
	{"InverseNeighborDiscoverySolicitation", 141},
	{"InverseNeighborDiscoveryAdvertisement", 142},
	{"HomeAgentAddressDiscoveryRequest", 144},
	{"HomeAgentAddressDiscoveryReply", 145},
	{"MobilePrefixSolicitation", 146},
	{"MobilePrefixAdvertisement", 147},
	{"DuplicateAddressRequestCodeSuffix", 157},
	{"DuplicateAddressConfirmationCodeSuffix", 158},
	{"ExtendedEchoRequest", 160},
	{"ExtendedEchoReply", 161},
};

static const struct icmp_family {
	const char *name;
	uint8_t protocol;
	const struct icmp_type *types;
	size_t n_types;
} icmp_families[2] = {
	{"IPv4", POLC_PROTO_ICMP, icmp_types_v4, POLC_ARRAY_SIZE(icmp_types_v4)},
	{"IPv6", POLC_PROTO_ICMPV6, icmp_types_v6, POLC_ARRAY_SIZE(icmp_types_v6)},
};

static const struct icmp_type *icmp_type_find(const struct icmp_family *family, const char *name)
{
	for (size_t i = 0; i < family->n_types; i++)
		if (!strcmp(family->types[i].name, name))
			return &family->types[i];
	return NULL;
}

static void report_icmp_type(struct polc *polc, const struct icmp_family *family, const char *name,
	struct polc_span span, const char *path)
{
	const char *names[POLC_ARRAY_SIZE(icmp_types_v6) + POLC_ARRAY_SIZE(icmp_types_v4)],
		*nearest;
	const struct icmp_family *other = &icmp_families[family == &icmp_families[0]];
	struct polc_diagnostic *d = polc_error(polc, span, POLC_CODE_UNKNOWN_VALUE,
		"%s.type: \"%s\" is not an ICMP type of family %s", path, name, family->name);

	for (size_t i = 0; i < family->n_types; i++)
		names[i] = family->types[i].name;
	nearest = polc_nearest(name, names, family->n_types);
	if (icmp_type_find(other, name))
		polc_diagnostic_suggest(polc, d, "it is one of family %s", other->name);
	else if (nearest)
		polc_diagnostic_did_you_mean(polc, d, nearest);
}

/* A decimal number 0..255 in quotes; -1 when it is none. */
static int icmp_type_number(const char *s)
{
	int32_t value = s[0] == '0' && s[1] ? -1 : port_number(s);

	return value <= UINT8_MAX ? (int)value : -1;
}

static bool parse_icmp_name(struct polc *polc, const struct polc_yaml_entry *entry,
	const struct icmp_family *family, const char *path, uint16_t *out)
{
	const struct icmp_type *type;
	const char *text;

	if (!polc_field_string(polc, entry, path, &text))
		return false;
	type = icmp_type_find(family, text);
	if (!type && icmp_type_number(text) < 0) {
		report_icmp_type(polc, family, text, entry->value->span, path);
		return false;
	}
	*out = type ? type->type : (uint16_t)icmp_type_number(text);
	return true;
}

static bool parse_icmp_type(struct polc *polc, const struct polc_yaml_entry *entry,
	const struct icmp_family *family, const char *path, uint16_t *out)
{
	int64_t value;

	if (!polc_yaml_is_integer(entry->value))
		return parse_icmp_name(polc, entry, family, path, out);
	if (!polc_yaml_integer(polc, entry->value, polc_path_field(polc, path, "type"), &value))
		return false;
	if (value < 0 || value > UINT8_MAX) {
		polc_error(polc, entry->value->span, POLC_CODE_UNKNOWN_VALUE,
			"%s.type must be between 0 and 255", path);
		return false;
	}
	*out = (uint16_t)value;
	return true;
}

static const struct icmp_family *parse_icmp_family(
	struct polc *polc, const struct polc_yaml_entry *entry, const char *path)
{
	const char *name;

	if (!entry)
		return &icmp_families[0];
	if (!polc_field_string(polc, entry, path, &name))
		return NULL;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(icmp_families); i++)
		if (!strcmp(name, icmp_families[i].name))
			return &icmp_families[i];
	polc_error(polc, entry->value->span, POLC_CODE_UNKNOWN_VALUE,
		"%s.family must be IPv4 or IPv6", path);
	return NULL;
}

struct icmp_field_fields {
	const struct polc_yaml_entry *family, *type;
};

static const struct polc_field icmp_field_table[] = {
	POLC_FIELD(struct icmp_field_fields, family, "family", POLC_OPTIONAL),
	POLC_FIELD(struct icmp_field_fields, type, "type", POLC_REQUIRED),
};

static void parse_icmp_field(
	struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path)
{
	struct icmp_field_fields fields = {0};
	struct polc_ast_port port = {.kind = POLC_PORT_RANGE, .span = polc_first_token(node)};
	const struct icmp_family *family;

	if (!POLC_FIELDS_READ(r->polc, node, path, icmp_field_table, &fields))
		return;
	family = parse_icmp_family(r->polc, fields.family, path);
	if (!family || !fields.type ||
		!parse_icmp_type(r->polc, fields.type, family, path, &port.lo))
		return;
	port.protocols = family->protocol;
	port.hi = port.lo;
	*polc_vec_push(&r->polc->arena, &r->rule->ports) = port;
}

struct icmp_rule_fields {
	const struct polc_yaml_entry *fields;
};

static const struct polc_field icmp_rule_table[] = {
	POLC_FIELD(struct icmp_rule_fields, fields, "fields", POLC_OPTIONAL),
};

void polc_cilium_parse_icmp_rule(
	struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path)
{
	struct icmp_rule_fields fields = {0};

	if (!POLC_FIELDS_READ(r->polc, node, path, icmp_rule_table, &fields) || !fields.fields ||
		!polc_field_list(r->polc, fields.fields, path, PORTS_MAX, true))
		return;
	path = polc_path_field(r->polc, path, "fields");
	for (size_t i = 0; i < fields.fields->value->n_items; i++)
		parse_icmp_field(
			r, fields.fields->value->items[i], polc_path_item(r->polc, path, i));
}
