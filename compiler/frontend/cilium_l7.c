/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a Cilium rule may ask beyond L4 (reference 1.9): HTTP, DNS, TLS, names, authentication.
 * Mistakes are reported, the rest is marked as unsupported with its reason. Never drops a
 * restriction.
 */
#include <string.h>

#include "cilium.h"

/* ---- names ---- */

struct name_fields {
	const struct polc_yaml_entry *of[2]; /* matchName, matchPattern */
};

static const struct polc_field name_table[] = {
	POLC_FIELD(struct name_fields, of[0], "matchName", POLC_OPTIONAL),
	POLC_FIELD(struct name_fields, of[1], "matchPattern", POLC_OPTIONAL),
};

static void parse_name(struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path)
{
	struct name_fields fields = {0};
	const char *text;

	if (!POLC_FIELDS_READ(r->polc, node, path, name_table, &fields))
		return;
	if (!fields.of[0] && !fields.of[1])
		polc_error(r->polc, polc_first_token(node), POLC_CODE_MISSING_FIELD,
			"%s must have one of matchName, matchPattern", path);
	for (size_t i = 0; i < 2; i++)
		if (fields.of[i])
			polc_field_string(r->polc, fields.of[i], path, &text);
}

void polc_cilium_parse_fqdn(
	struct polc_cilium_rule *r, const struct polc_yaml *node, const char *path)
{
	parse_name(r, node, path);
	polc_cilium_unsupported(r, r->l3->key->span,
		"toFQDNs needs the answers of DNS, which this version does not follow");
}

/* ---- rules ---- */

struct l7_fields {
	const struct polc_yaml_entry *http, *dns, *kafka, *l7proto, *l7;
};

static const struct polc_field l7_table[] = {
	POLC_FIELD(struct l7_fields, http, "http", POLC_OPTIONAL),
	POLC_FIELD(struct l7_fields, dns, "dns", POLC_OPTIONAL),
	POLC_FIELD(struct l7_fields, kafka, "kafka", POLC_OPTIONAL),
	POLC_FIELD(struct l7_fields, l7proto, "l7proto", POLC_OPTIONAL),
	POLC_FIELD(struct l7_fields, l7, "l7", POLC_OPTIONAL),
};

static void check_http(struct polc_cilium_rule *r, const struct polc_yaml_entry *entry,
	const struct polc_ast_port *ports, size_t n_ports, const char *path)
{
	for (size_t i = 0; i < n_ports; i++) {
		if (ports[i].protocols != POLC_PROTO_TCP)
			polc_error(r->polc, ports[i].span, POLC_CODE_BAD_PROTOCOL,
				"%s.http needs 'protocol: TCP' at every port", path);
		else if (ports[i].kind == POLC_PORT_ALL)
			polc_error(r->polc, ports[i].span, POLC_CODE_BAD_PORT,
				"%s.http needs a port other than 0", path);
	}
	polc_cilium_unsupported(
		r, entry->key->span, "HTTP rules are not supported in this version");
}

static void parse_http(struct polc_cilium_rule *r, const struct polc_yaml_entry *entry,
	const struct polc_ast_port *ports, size_t n_ports, const char *path)
{
	static const char *const names[] = {"path", "method", "host", "headers", "headerMatches"};
	const char *list = polc_path_field(r->polc, path, "http");

	check_http(r, entry, ports, n_ports, path);
	if (!polc_yaml_expect(r->polc, entry->value, POLC_YAML_SEQUENCE, list))
		return;
	for (size_t i = 0; i < entry->value->n_items; i++) {
		const char *item = polc_path_item(r->polc, list, i);

		if (polc_yaml_expect(r->polc, entry->value->items[i], POLC_YAML_MAPPING, item))
			polc_yaml_check_fields(r->polc, entry->value->items[i], names,
				POLC_ARRAY_SIZE(names), item, POLC_ERROR);
	}
}

static void check_dns(struct polc_cilium_rule *r, const struct polc_yaml_entry *entry,
	const struct polc_ast_port *ports, size_t n_ports, const char *path)
{
	if (r->rule->direction == POLC_INGRESS)
		polc_error(r->polc, entry->key->span, POLC_CODE_CONFLICTING_FIELDS,
			"%s.dns is possible only in egress rules", path);
	for (size_t i = 0; i < n_ports; i++)
		if (ports[i].kind == POLC_PORT_RANGE && ports[i].lo != ports[i].hi)
			polc_error(r->polc, ports[i].span, POLC_CODE_BAD_PORT,
				"%s.dns does not go with a range of ports", path);
	polc_cilium_unsupported(r, entry->key->span, "DNS rules are not supported in this version");
}

static void parse_dns(struct polc_cilium_rule *r, const struct polc_yaml_entry *entry,
	const struct polc_ast_port *ports, size_t n_ports, const char *path)
{
	const char *list = polc_path_field(r->polc, path, "dns");

	check_dns(r, entry, ports, n_ports, path);
	if (!polc_yaml_expect(r->polc, entry->value, POLC_YAML_SEQUENCE, list))
		return;
	for (size_t i = 0; i < entry->value->n_items; i++)
		parse_name(r, entry->value->items[i], polc_path_item(r->polc, list, i));
}

static void refuse_removed(
	struct polc_cilium_rule *r, const struct polc_yaml_entry *entry, const char *path)
{
	if (entry)
		polc_error(r->polc, entry->key->span, POLC_CODE_REMOVED_FEATURE,
			"%s.%s was removed in Cilium 1.20", path, entry->key->value);
}

/* `rules: {}` asks for nothing. */
static void parse_rules(struct polc_cilium_rule *r, const struct polc_yaml_entry *entry,
	const struct polc_ast_port *ports, size_t n_ports, const char *path)
{
	struct l7_fields fields = {0};

	if (!POLC_FIELDS_READ(r->polc, entry->value, path, l7_table, &fields))
		return;
	refuse_removed(r, fields.kafka, path);
	refuse_removed(r, fields.l7proto, path);
	refuse_removed(r, fields.l7, path);
	if (fields.http && fields.dns)
		polc_error(r->polc, fields.dns->key->span, POLC_CODE_CONFLICTING_FIELDS,
			"%s has both http and dns", path);
	if (fields.http)
		parse_http(r, fields.http, ports, n_ports, path);
	if (fields.dns)
		parse_dns(r, fields.dns, ports, n_ports, path);
}

/* ---- beside the rules ---- */

static void parse_server_names(
	struct polc_cilium_rule *r, const struct polc_yaml_entry *entry, const char *path)
{
	const char *name;

	path = polc_path_field(r->polc, path, "serverNames");
	if (!polc_yaml_expect(r->polc, entry->value, POLC_YAML_SEQUENCE, path))
		return;
	for (size_t i = 0; i < entry->value->n_items; i++) {
		const struct polc_yaml *item = entry->value->items[i];

		if (polc_yaml_string(r->polc, item, polc_path_item(r->polc, path, i), &name) &&
			!*name)
			polc_error(r->polc, item->span, POLC_CODE_BAD_NAME, "%s[%zu] is empty",
				path, i);
	}
	if (entry->value->n_items)
		polc_cilium_unsupported(
			r, entry->key->span, "TLS server names are not supported in this version");
}

static void parse_mapping(struct polc_cilium_rule *r, const struct polc_yaml_entry *entry,
	const char *path, const char *reason)
{
	if (!entry)
		return;
	polc_yaml_expect(r->polc, entry->value, POLC_YAML_MAPPING,
		polc_path_field(r->polc, path, entry->key->value));
	polc_cilium_unsupported(r, entry->key->span, reason);
}

void polc_cilium_parse_l7(struct polc_cilium_rule *r, const struct polc_cilium_l7 *l7,
	const struct polc_ast_port *ports, size_t n_ports, const char *path)
{
	if (l7->rules)
		parse_rules(r, l7->rules, ports, n_ports, polc_path_field(r->polc, path, "rules"));
	if (l7->server_names)
		parse_server_names(r, l7->server_names, path);
	parse_mapping(r, l7->terminating_tls, path, "TLS termination needs a proxy");
	parse_mapping(r, l7->originating_tls, path, "TLS origination needs a proxy");
	parse_mapping(r, l7->listener, path, "redirection to a listener needs a proxy");
}

struct authentication_fields {
	const struct polc_yaml_entry *mode;
};

static const struct polc_field authentication_table[] = {
	POLC_FIELD(struct authentication_fields, mode, "mode", POLC_REQUIRED),
};

/* `mode: disabled` asks for nothing. */
void polc_cilium_parse_authentication(
	struct polc_cilium_rule *r, const struct polc_yaml_entry *entry, const char *path)
{
	static const char *const modes[] = {"disabled", "required", "test-always-fail"};
	struct authentication_fields fields = {0};
	const char *mode;
	int which;

	if (!POLC_FIELDS_READ(r->polc, entry->value, path, authentication_table, &fields) ||
		!fields.mode || !polc_field_string(r->polc, fields.mode, path, &mode))
		return;
	which = polc_word_index(mode, modes, POLC_ARRAY_SIZE(modes));
	if (which < 0)
		polc_error(r->polc, fields.mode->value->span, POLC_CODE_UNKNOWN_VALUE,
			"%s.mode must be disabled, required or test-always-fail", path);
	else if (which > 0)
		polc_cilium_unsupported(r, entry->key->span,
			"authentication of peers is not supported in this version");
}
