/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Small parsers and checks of words that the DSL's constructors share. */
#include "pol.h"
#include "objects.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define LABEL_MAX_BYTES 63

struct polc_span pol_subspan(struct polc_span span, size_t begin, size_t len)
{
	span.begin += (uint32_t)begin;
	span.end = span.begin + (uint32_t)len;
	return span;
}

/* Decimal, no sign, no leading zero, at most max. */
bool pol_number(const char *text, size_t len, uint32_t max, uint32_t *out)
{
	uint32_t value = 0;

	if (len == 0 || len > 9 || (len > 1 && *text == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return false;
		value = value * 10 + (uint32_t)(text[i] - '0');
	}
	*out = value;
	return value <= max;
}

bool pol_check_name(struct pol_parser *p, const struct pol_token *name, const char *what, bool dots)
{
	size_t len = strlen(name->text);

	if (polc_is_dns_subdomain(name->text, len) &&
		(dots || (len <= LABEL_MAX_BYTES && !strchr(name->text, '.'))))
		return true;
	polc_error(p->polc, name->span, POLC_CODE_BAD_NAME,
		"%s holds lower-case letters, digits%s, has a letter or digit at both ends, and at "
		"most %d characters",
		what, dots ? ", '-' and '.'" : " and '-'", dots ? 253 : LABEL_MAX_BYTES);
	return false;
}

const char *pol_kind_text(const struct pol_parser *p)
{
	const char *name = polc_policy_kind_name(p->policy->kind);

	return polc_arena_printf(
		&p->polc->arena, "%s %s", strchr("AEIOU", *name) ? "an" : "a", name);
}

bool pol_is_policy_api(enum polc_policy_kind kind)
{
	return kind == POLC_KIND_CLUSTER || kind == POLC_KIND_ADMIN ||
	       kind == POLC_KIND_BASELINE_ADMIN;
}

bool pol_is_cilium(enum polc_policy_kind kind)
{
	return kind == POLC_KIND_CILIUM || kind == POLC_KIND_CILIUM_CLUSTERWIDE;
}

static const struct {
	const char *name;
	unsigned number;
} protocols[] = {{"IGMP", 2}, {"IPIP", 4}, {"IPV6", 41}, {"GRE", 47}, {"ESP", 50}, {"AH", 51},
	{"VRRP", 112}};

const char *pol_protocol_name(unsigned number)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == number)
			return protocols[i].name;
	return NULL;
}

bool pol_protocol_number(const char *name, unsigned *number)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(protocols); i++) {
		if (strcasecmp(protocols[i].name, name) == 0) {
			*number = protocols[i].number;
			return true;
		}
	}
	return false;
}
