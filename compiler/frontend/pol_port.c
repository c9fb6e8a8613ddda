/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Ports of the DSL: tcp/80, tcp/8000-8100, tcp/http, tcp/ * (every port), any/53 (TCP, UDP and
 * SCTP), icmp/8, icmpv6/128, and bare IP protocols such as gre.
 */
#include "pol.h"

#include <ctype.h>
#include <string.h>

#include <netinet/in.h>

static const struct {
	const char *name;
	uint8_t bits;
} protocols[] = {
	{"tcp", POLC_PROTO_TCP},
	{"udp", POLC_PROTO_UDP},
	{"sctp", POLC_PROTO_SCTP},
	{"any", POLC_PROTO_ANY},
	{"icmp", POLC_PROTO_ICMP},
	{"icmpv6", POLC_PROTO_ICMPV6},
};

static void bad_port(struct pol_parser *p, const struct pol_token *word, size_t at)
{
	size_t len = strlen(word->text) - at;

	polc_error(p->polc, pol_subspan(word->span, at, len), POLC_CODE_BAD_PORT,
		"'%.*s' is no port: a number 1 to 65535, a range, a name, or '*'",
		(int)(len < 40 ? len : 40), word->text + at);
}

#define PORT_NAME_MAX 15

/* A port name: letters, digits and single inner dashes, at least one letter, at most 15 long. */
static bool is_port_name(const char *text, bool upper_ok)
{
	size_t len = strlen(text);
	bool letter = false;

	if (len == 0 || len > PORT_NAME_MAX || text[0] == '-' || text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '-' && text[i + 1] == '-')
			return false;
		if (text[i] != '-' && !isalnum((unsigned char)text[i]))
			return false;
		if (isupper((unsigned char)text[i]) && !upper_ok)
			return false;
		letter |= isalpha((unsigned char)text[i]) != 0;
	}
	return letter;
}

static const char *lower_case(struct pol_parser *p, const char *text)
{
	char *copy = polc_arena_strndup(&p->polc->arena, text, strlen(text));

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* Cilium's ranges may begin at 0: from there to the end they are every port. */
static bool range_fill(
	const struct pol_parser *p, struct polc_ast_port *port, uint32_t lo, uint32_t hi)
{
	bool zero_ok = p->policy && pol_is_cilium(p->policy->kind);

	port->lo = (uint16_t)lo;
	port->hi = (uint16_t)hi;
	if (lo == 0 && hi == 65535) {
		port->kind = POLC_PORT_ALL;
		port->hi = 0;
	}
	return lo <= hi && hi > 0 && (lo > 0 || zero_ok);
}

/* The part behind tcp/, udp/, sctp/ or any/. */
static bool port_read(
	struct pol_parser *p, const struct pol_token *word, size_t at, struct polc_ast_port *port)
{
	const char *text = word->text + at;
	size_t digits = strspn(text, "0123456789");
	uint32_t lo, hi;

	if (strcmp(text, "*") == 0) {
		port->kind = POLC_PORT_ALL;
		return true;
	}
	port->kind = POLC_PORT_RANGE;
	if (pol_number(text, strlen(text), 65535, &lo) && lo > 0) {
		port->lo = port->hi = (uint16_t)lo;
		return true;
	}
	if (text[digits] == '-' && pol_number(text, digits, 65535, &lo) &&
		pol_number(text + digits + 1, strlen(text + digits + 1), 65535, &hi))
		return range_fill(p, port, lo, hi);
	port->kind = POLC_PORT_NAME;
	port->name = p->policy && pol_is_cilium(p->policy->kind) ? lower_case(p, text) : text;
	return is_port_name(text, p->policy && pol_is_cilium(p->policy->kind));
}

static bool icmp_read(
	struct pol_parser *p, const struct pol_token *word, size_t at, struct polc_ast_port *port)
{
	uint32_t type;

	if (!pol_number(word->text + at, strlen(word->text + at), 255, &type)) {
		polc_error(p->polc, pol_subspan(word->span, at, strlen(word->text + at)),
			POLC_CODE_BAD_PORT, "an ICMP type is a number 0 to 255");
		return false;
	}
	port->kind = POLC_PORT_RANGE;
	port->lo = port->hi = (uint16_t)type;
	return true;
}

static bool protocol_read(const char *text, size_t len, uint8_t *bits)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(protocols); i++) {
		if (strlen(protocols[i].name) == len && memcmp(protocols[i].name, text, len) == 0) {
			*bits = protocols[i].bits;
			return true;
		}
	}
	return false;
}

static void bad_protocol(struct pol_parser *p, const struct pol_token *word, size_t len)
{
	const char *names[POLC_ARRAY_SIZE(protocols)], *nearest;
	char *text = polc_arena_strndup(&p->polc->arena, word->text, len);
	struct polc_diagnostic *d = polc_error(p->polc, pol_subspan(word->span, 0, len),
		POLC_CODE_BAD_PROTOCOL, "unknown protocol '%.40s'", text);

	for (size_t i = 0; i < POLC_ARRAY_SIZE(protocols); i++)
		names[i] = protocols[i].name;
	nearest = polc_nearest(text, names, POLC_ARRAY_SIZE(protocols));
	if (nearest)
		polc_diagnostic_suggest(p->polc, d, "did you mean '%s'?", nearest);
}

/* A word without a slash: an extended IP protocol, or a mistake. */
static bool bare_read(
	struct pol_parser *p, const struct pol_token *word, struct polc_ast_port *port)
{
	struct polc_diagnostic *d;
	unsigned number;
	uint32_t value;
	uint8_t bits;

	if (pol_protocol_number(word->text, &number)) {
		port->protocols = POLC_PROTO_OTHER;
		port->kind = POLC_PORT_ALL;
		port->lo = port->hi = (uint16_t)number;
		return true;
	}
	if (protocol_read(word->text, strlen(word->text), &bits)) {
		d = polc_error(
			p->polc, word->span, POLC_CODE_BAD_PORT, "which ports of %s?", word->text);
		if (!(bits & (POLC_PROTO_ICMP | POLC_PROTO_ICMPV6)))
			polc_diagnostic_suggest(p->polc, d, "'%s/*' is every %s port", word->text,
				bits == POLC_PROTO_ANY ? "TCP, UDP and SCTP" : word->text);
		return false;
	}
	if (pol_number(word->text, strlen(word->text), 65535, &value)) {
		d = polc_error(
			p->polc, word->span, POLC_CODE_BAD_PORT, "a port needs its protocol");
		polc_diagnostic_suggest(p->polc, d, "did you mean 'tcp/%u'?", value);
		return false;
	}
	bad_protocol(p, word, strlen(word->text));
	return false;
}

static bool item_read(
	struct pol_parser *p, const struct pol_token *word, struct polc_ast_port *port)
{
	const char *slash = strchr(word->text, '/');
	size_t len = slash ? (size_t)(slash - word->text) : 0;

	port->span = word->span;
	if (!slash)
		return bare_read(p, word, port);
	if (!protocol_read(word->text, len, &port->protocols)) {
		bad_protocol(p, word, len);
		return false;
	}
	if (port->protocols & (POLC_PROTO_ICMP | POLC_PROTO_ICMPV6))
		return icmp_read(p, word, len + 1, port);
	if (port_read(p, word, len + 1, port))
		return true;
	bad_port(p, word, len + 1);
	return false;
}

static void not_sayable(struct pol_parser *p, const struct polc_ast_port *port, const char *what)
{
	polc_error(p->polc, port->span, POLC_CODE_BAD_PROTOCOL, "%s cannot say %s",
		pol_kind_text(p), what);
}

/* What the kind of policy can say; every port of a protocol is a range in the policy API. */
static void fit_to_kind(struct pol_parser *p, struct polc_ast_port *port)
{
	bool any = port->protocols == POLC_PROTO_ANY;
	enum polc_policy_kind kind;

	if (!p->policy || pol_is_cilium(p->policy->kind)) /* assertions have no policy */
		return;
	kind = p->policy->kind;
	if (port->protocols & (POLC_PROTO_ICMP | POLC_PROTO_ICMPV6 | POLC_PROTO_OTHER))
		not_sayable(p, port, "anything but TCP, UDP and SCTP");
	else if (kind == POLC_KIND_NETWORK_POLICY && any)
		not_sayable(p, port, "'any': name the protocol");
	else if (pol_is_policy_api(kind) && any != (port->kind == POLC_PORT_NAME))
		not_sayable(p, port,
			any ? "'any' but before a port's name"
			    : "the protocol of a named port: use 'any'");
	if (pol_is_policy_api(kind) && port->kind == POLC_PORT_ALL) {
		port->kind = POLC_PORT_RANGE;
		port->lo = 1;
		port->hi = 65535;
	}
}

struct pol_port_clause *pol_ports_none(struct pol_parser *p, struct polc_span span)
{
	struct pol_port_clause *clause = POLC_NEW(&p->polc->arena, struct pol_port_clause);

	clause->presence = POLC_PRESENT;
	clause->span = span;
	return clause;
}

struct pol_port_clause *pol_port(
	struct pol_parser *p, struct pol_port_clause *list, const struct pol_token *word)
{
	struct polc_ast_port port = {0};

	if (!list)
		list = pol_ports_none(p, word->span);
	list->span.end = word->span.end;
	if (!item_read(p, word, &port))
		return list;
	fit_to_kind(p, &port);
	*polc_vec_push(&p->polc->arena, &list->list) = port;
	return list;
}

/* `port NAME PROTOCOL/NUMBER` of an endpoint. */
void pol_endpoint_port(
	struct pol_parser *p, const struct pol_token *name, const struct pol_token *word)
{
	struct polc_ast_port port = {0};
	uint8_t protocol = IPPROTO_TCP;

	if (!is_port_name(name->text, true)) {
		polc_error(p->polc, name->span, POLC_CODE_BAD_NAME,
			"a port's name is at most 15 letters, digits and dashes");
		return;
	}
	if (!item_read(p, word, &port))
		return;
	if (port.protocols == POLC_PROTO_UDP)
		protocol = IPPROTO_UDP;
	else if (port.protocols == POLC_PROTO_SCTP)
		protocol = IPPROTO_SCTP;
	if (port.kind != POLC_PORT_RANGE || port.lo != port.hi ||
		port.protocols == POLC_PROTO_ANY || port.protocols > POLC_PROTO_SCTP) {
		polc_error(p->polc, word->span, POLC_CODE_BAD_PORT,
			"an endpoint's port is one number of one protocol, such as tcp/80");
		return;
	}
	*polc_vec_push(&p->polc->arena, &p->pod->ports) =
		(struct polb_named_port){.name = name->text, .protocol = protocol, .port = port.lo};
}
