/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What all YAML front ends share: the shell of an object (apiVersion, kind, metadata), prefixes
 * and port numbers. Label selectors are in selectors.c.
 */
#include "objects.h"
#include "fields.h"

#include <string.h>

#define NAME_MAX_BYTES 253
#define NAMESPACE_MAX_BYTES 63

/* Names */

/* Lower-case letters, digits and '-', not at the ends: RFC 1123. */
static bool is_dns_label(const char *s, size_t n)
{
	if (!n || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '-'))
			return false;
	return true;
}

bool polc_is_dns_subdomain(const char *s, size_t n)
{
	const char *end = s + n;

	if (!n || n > NAME_MAX_BYTES)
		return false;
	for (;;) {
		const char *dot = memchr(s, '.', (size_t)(end - s));

		if (!is_dns_label(s, (size_t)((dot ? dot : end) - s)))
			return false;
		if (!dot)
			return true;
		s = dot + 1;
	}
}

static void check_name(struct polc *polc, const struct polc_yaml *node, const char *name)
{
	if (!polc_is_dns_subdomain(name, strlen(name)))
		polc_error(polc, node->span, POLC_CODE_BAD_NAME,
			"\"%s\" is not a valid name: lower-case letters, digits, '-' and '.', at "
			"most 253",
			name);
}

static void check_namespace(struct polc *polc, const struct polc_yaml *node, const char *name)
{
	size_t n = strlen(name);

	if (n > NAMESPACE_MAX_BYTES || !is_dns_label(name, n))
		polc_error(polc, node->span, POLC_CODE_BAD_NAME,
			"\"%s\" is not a valid namespace: lower-case letters, digits and '-', at "
			"most 63",
			name);
}

/* Metadata */

static void check_string_map(struct polc *polc, const struct polc_yaml *map, const char *what)
{
	const char *value;

	if (polc_yaml_is_null(map) || !polc_yaml_expect(polc, map, POLC_YAML_MAPPING, what))
		return;
	for (size_t i = 0; i < map->n_entries; i++)
		if (!polc_yaml_is_null(map->entries[i].value))
			polc_yaml_string(polc, map->entries[i].value,
				polc_arena_printf(&polc->arena, "value of %s.%s", what,
					map->entries[i].key->value),
				&value);
}

static void read_name(
	struct polc *polc, const struct polc_yaml *metadata, struct polc_ast_policy *policy)
{
	const struct polc_yaml *node = polc_yaml_get(metadata, "name");
	struct polc_diagnostic *d;

	if (polc_yaml_is_null(node)) {
		d = polc_error(polc, node ? node->span : metadata->span, POLC_CODE_MISSING_FIELD,
			"metadata.name is missing");
		if (polc_yaml_get(metadata, "generateName"))
			polc_diagnostic_suggest(polc, d,
				"generateName is only known to an API server, give a name");
		return;
	}
	policy->name_span = node->span;
	if (polc_yaml_string(polc, node, "metadata.name", &policy->name))
		check_name(polc, node, policy->name);
}

static void read_namespace(
	struct polc *polc, const struct polc_yaml *metadata, struct polc_ast_policy *policy)
{
	const struct polc_yaml *node = polc_yaml_get(metadata, "namespace");
	bool namespaced = polc_policy_kind_namespaced(policy->kind);
	const char *name;

	policy->namespace = namespaced ? "default" : NULL;
	if (polc_yaml_is_null(node) || !polc_yaml_string(polc, node, "metadata.namespace", &name))
		return;
	if (!namespaced) {
		polc_warn(polc, node->span, POLC_CODE_IGNORED_FIELD,
			"metadata.namespace is ignored: a %s belongs to no namespace",
			polc_policy_kind_name(policy->kind));
		return;
	}
	if (!*name) /* the API server takes it for absent */
		return;
	check_namespace(polc, node, name);
	policy->namespace = name;
	policy->namespace_written = true;
}

static void read_mode(
	struct polc *polc, const struct polc_yaml *metadata, struct polc_ast_policy *policy)
{
	const struct polc_yaml *annotations = polc_yaml_get(metadata, "annotations");
	const struct polc_yaml *node;
	const char *text;

	if (!annotations || annotations->kind != POLC_YAML_MAPPING)
		return;
	node = polc_yaml_get(annotations, POLC_MODE_ANNOTATION);
	if (!node || !polc_yaml_string(polc, node, "annotation " POLC_MODE_ANNOTATION, &text))
		return;
	policy->mode_span = node->span;
	if (!polc_policy_mode_parse(text, &policy->mode))
		polc_error(polc, node->span, POLC_CODE_UNKNOWN_VALUE,
			"annotation " POLC_MODE_ANNOTATION
			" is \"audit\" or \"enforce\", not '%.40s'",
			text);
}

static void read_metadata(
	struct polc *polc, const struct polc_yaml *object, struct polc_ast_policy *policy)
{
	static const char *const fields[] = {"name", "namespace", "labels", "annotations",
		"generateName", "uid", "resourceVersion", "creationTimestamp", "generation",
		"managedFields", "finalizers", "ownerReferences", "selfLink", "deletionTimestamp",
		"deletionGracePeriodSeconds", "clusterName", "initializers"};
	const struct polc_yaml *metadata = polc_yaml_get(object, "metadata");

	policy->name = "";
	policy->name_span = object->span;
	policy->namespace = polc_policy_kind_namespaced(policy->kind) ? "default" : NULL;
	if (polc_yaml_is_null(metadata)) {
		polc_error(polc, metadata ? metadata->span : object->span, POLC_CODE_MISSING_FIELD,
			"metadata.name is missing");
		return;
	}
	if (!polc_yaml_expect(polc, metadata, POLC_YAML_MAPPING, "metadata"))
		return;
	polc_yaml_check_fields(
		polc, metadata, fields, POLC_ARRAY_SIZE(fields), "metadata", POLC_WARNING);
	read_name(polc, metadata, policy);
	read_namespace(polc, metadata, policy);
	check_string_map(polc, polc_yaml_get(metadata, "labels"), "metadata.labels");
	check_string_map(polc, polc_yaml_get(metadata, "annotations"), "metadata.annotations");
	read_mode(polc, metadata, policy);
}

/* The object */

static bool check_api_version(
	struct polc *polc, const struct polc_yaml *object, enum polc_policy_kind kind)
{
	const struct polc_yaml *node = polc_yaml_get(object, "apiVersion");
	const char *api, *expected = polc_policy_kind_api(kind);
	struct polc_diagnostic *d;

	if (polc_yaml_is_null(node)) {
		d = polc_error(polc, node ? node->span : object->span, POLC_CODE_MISSING_FIELD,
			"apiVersion is missing");
		polc_diagnostic_suggest(polc, d, "apiVersion: %s", expected);
		return false;
	}
	if (!polc_yaml_string(polc, node, "apiVersion", &api))
		return false;
	if (!strcmp(api, expected))
		return true;
	polc_error(polc, node->span, POLC_CODE_UNKNOWN_KIND,
		"a %s of apiVersion %s is not known, expected %s", polc_policy_kind_name(kind), api,
		expected);
	return false;
}

static void check_top_level(
	struct polc *polc, const struct polc_yaml *object, enum polc_policy_kind kind)
{
	static const char *const fields[] = {
		"apiVersion", "kind", "metadata", "status", "spec", "specs"};
	bool cilium = kind == POLC_KIND_CILIUM || kind == POLC_KIND_CILIUM_CLUSTERWIDE;

	polc_yaml_check_fields(polc, object, fields, POLC_ARRAY_SIZE(fields) - !cilium,
		polc_policy_kind_name(kind), POLC_WARNING);
}

static const struct polc_yaml *get_unless_null(const struct polc_yaml *object, const char *name)
{
	const struct polc_yaml *node = polc_yaml_get(object, name);

	return polc_yaml_is_null(node) ? NULL : node;
}

struct polc_ast_policy *polc_parse_object(struct polc *polc, const struct polc_yaml *object,
	enum polc_policy_kind kind, const struct polc_yaml **spec, const struct polc_yaml **specs)
{
	struct polc_ast_policy *policy;

	*spec = NULL;
	if (specs)
		*specs = NULL;
	if (!polc_yaml_expect(polc, object, POLC_YAML_MAPPING, polc_policy_kind_name(kind)))
		return NULL;
	check_top_level(polc, object, kind);
	if (!check_api_version(polc, object, kind))
		return NULL;
	policy = POLC_NEW(&polc->arena, struct polc_ast_policy);
	policy->kind = kind;
	policy->span = polc_first_token(object);
	read_metadata(polc, object, policy);
	*spec = get_unless_null(object, "spec");
	if (specs)
		*specs = get_unless_null(object, "specs");
	return policy;
}

/* Prefixes */

static void bad_prefix(
	struct polc *polc, const struct polc_yaml *node, const char *what, const char *text)
{
	struct polc_diagnostic *d = polc_error(polc, node->span, POLC_CODE_BAD_CIDR,
		"%s \"%s\" is not an address prefix", what, text);
	struct polb_addr addr;

	if (!polb_addr_parse(text, &addr))
		polc_diagnostic_suggest(
			polc, d, "%s/%d for one address", text, addr.family == 4 ? 32 : 128);
}

/* Host bits are cleared everywhere; the author may have meant the address. */
static void warn_host_bits(struct polc *polc, const struct polc_yaml *node, const char *text,
	const struct polb_prefix *prefix)
{
	const char *slash = strchr(text, '/');
	char clean[POLB_ADDR_TEXT];
	struct polb_addr addr;

	if (!slash ||
		polb_addr_parse(
			polc_arena_strndup(&polc->arena, text, (size_t)(slash - text)), &addr))
		return;
	if (!polb_addr_compare(&addr, &prefix->addr))
		return;
	polb_prefix_format(prefix, clean);
	polc_warn(polc, node->span, POLC_CODE_BAD_CIDR,
		"prefix %s has bits set behind its length, it means %s", text, clean);
}

bool polc_parse_prefix(struct polc *polc, const struct polc_yaml *node, bool bare_ok,
	const char *what, struct polb_prefix *out)
{
	struct polb_prefix prefix;
	const char *text;

	if (!polc_yaml_string(polc, node, what, &text))
		return false;
	if (polb_prefix_parse(text, bare_ok, &prefix)) {
		bad_prefix(polc, node, what, text);
		return false;
	}
	if (prefix.addr.family == 6 && prefix.len >= 96 && polb_addr_is_v4_mapped(&prefix.addr)) {
		polc_error(polc, node->span, POLC_CODE_BAD_CIDR,
			"%s \"%s\" is an IPv4-mapped IPv6 address, which no packet carries", what,
			text);
		return false;
	}
	warn_host_bits(polc, node, text, &prefix);
	*out = prefix;
	return true;
}

static bool read_except(struct polc *polc, const struct polc_yaml *node, struct polc_ast_peer *peer)
{
	char outer[POLB_ADDR_TEXT];
	struct polb_prefix prefix;

	if (!polc_parse_prefix(polc, node, false, "except", &prefix))
		return false;
	if (peer->kind == POLC_PEER_CIDR && !polb_prefix_covers(&peer->cidr, &prefix)) {
		polb_prefix_format(&peer->cidr, outer);
		polc_error(polc, node->span, POLC_CODE_EXCEPT_OUTSIDE,
			"except \"%s\" is not inside %s", node->value, outer);
		return false;
	}
	*polc_vec_push(&polc->arena, &peer->excepts) = prefix;
	return true;
}

bool polc_parse_excepts(struct polc *polc, const struct polc_yaml *node, struct polc_ast_peer *peer)
{
	bool ok = true;

	if (polc_yaml_is_null(node))
		return true;
	if (!polc_yaml_expect(polc, node, POLC_YAML_SEQUENCE, "except"))
		return false;
	for (size_t i = 0; i < node->n_items; i++)
		ok &= read_except(polc, node->items[i], peer);
	return ok;
}

bool polc_parse_port_number(struct polc *polc, const struct polc_yaml *node, bool zero_ok,
	const char *what, uint16_t *out)
{
	int64_t value;

	if (!polc_yaml_integer(polc, node, what, &value))
		return false;
	if (value < !zero_ok || value > UINT16_MAX) {
		polc_error(polc, node->span, POLC_CODE_BAD_PORT, "%s %s is not in %d..65535", what,
			node->value, !zero_ok);
		return false;
	}
	*out = (uint16_t)value;
	return true;
}
