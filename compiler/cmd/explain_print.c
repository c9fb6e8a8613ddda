/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* An explanation as text for people and as one JSON object for programs. */
#include <string.h>

#include "explain.h"

static const char *tier_name(enum polc_tier tier)
{
	switch (tier) {
	case POLC_TIER_ADMIN:
		return "admin";
	case POLC_TIER_MIDDLE:
		return "middle";
	case POLC_TIER_BASELINE:
		return "baseline";
	}
	return "middle";
}

static const char *action_name(enum polc_action action)
{
	switch (action) {
	case POLC_ALLOW:
		return "allow";
	case POLC_DENY:
		return "deny";
	case POLC_PASS:
		return "pass";
	}
	return "allow";
}

static const char *direction_name(enum polc_direction direction)
{
	return direction == POLC_EGRESS ? "egress" : "ingress";
}

static const char *policy_name(struct polc_cmd *cmd, const struct polc_net_policy *policy)
{
	return polc_arena_printf(&cmd->polc.arena, "%s %s%s%s", polc_policy_kind_name(policy->kind),
		policy->namespace ? policy->namespace : "", policy->namespace ? "/" : "",
		policy->name);
}

static const char *file_of(const struct polc_cmd *cmd, struct polc_span span)
{
	return polc_source_get(&cmd->polc.sources, span.source)->path;
}

static unsigned line_of(struct polc_cmd *cmd, struct polc_span span)
{
	return polc_source_position(&cmd->polc.arena, &cmd->polc.sources, span.source, span.begin)
		.line;
}

/* The source line a span starts on, without the white space around it. */
static const char *text_of(struct polc_cmd *cmd, struct polc_span span)
{
	const struct polc_source *source = polc_source_get(&cmd->polc.sources, span.source);
	size_t begin = span.begin, end = span.begin;

	while (begin > 0 && source->text[begin - 1] != '\n')
		begin--;
	while (end < source->len && source->text[end] != '\n' && source->text[end] != '\r')
		end++;
	while (begin < end && strchr(" \t", source->text[begin]))
		begin++;
	return polc_arena_strndup(&cmd->polc.arena, source->text + begin, end - begin);
}

static const char *default_deny(struct polc_cmd *cmd, uint32_t isolation)
{
	const struct polc_isolation *by = polc_isolation_find(cmd->network, isolation);

	if (!by)
		return "default deny: it is isolated in this direction, and no rule allows this";
	return polc_arena_printf(&cmd->polc.arena,
		"default deny: %s isolates it in this direction, and no rule allows this",
		policy_name(cmd, &cmd->network->policies[by->policy]));
}

/* Why, in words; for rules that somebody wrote their place says it. */
static const char *why(struct polc_cmd *cmd, const struct polc_explained_side *side)
{
	switch (side->decision.rule) {
	case POLB_RULE_NONE:
		return "default allow: nothing isolates it in this direction, and no rule decides";
	case POLB_RULE_DEFAULT_DENY:
		return default_deny(cmd, side->decision.isolation);
	case POLB_RULE_LOCAL_NODE:
		return "local node: an endpoint's own node may always reach it, unless denied";
	case POLB_RULE_SELF:
		return "self: an endpoint may always talk to itself";
	case POLB_RULE_PROTOCOL_NEED:
		return "protocol need: IPv6 does not work without these messages";
	default:
		return polc_arena_printf(&cmd->polc.arena, "by the rule at %s",
			polc_cmd_rule_text(cmd, side->decision.rule));
	}
}

static const char *reason_of(struct polc_cmd *cmd, const struct polc_explained_side *side)
{
	if (!side->governed)
		return "not governed here";
	if (side->decision.verdict != POLB_VERDICT_AUDIT)
		return why(cmd, side);
	return polc_arena_printf(&cmd->polc.arena,
		"passes, as policies in audit mode decide nothing; enforced: %s", why(cmd, side));
}

static void print_match(struct polc_cmd *cmd, const struct polc_match *match, FILE *out)
{
	const struct polc_net_rule *rule = &cmd->network->rules[match->rule];

	fprintf(out, "      %-5s  %s:%u: %s%s\n", action_name(rule->action),
		file_of(cmd, rule->span), line_of(cmd, rule->span), text_of(cmd, rule->span),
		match->decides ? "   <- decides" : "");
}

static void print_policy(
	struct polc_cmd *cmd, const struct polc_explained_policy *explained, FILE *out)
{
	const struct polc_net_policy *policy = explained->policy;

	fprintf(out, "    %s (%s:%u)%s%s", policy_name(cmd, policy), file_of(cmd, policy->span),
		line_of(cmd, policy->span),
		polc_policy_is_audited(cmd->network, policy) ? " in audit mode" : "",
		explained->isolates ? " isolates" : "");
	if (!explained->matches.n && explained->n_rules)
		fprintf(out, "%s %u rule%s here, none decides\n", explained->isolates ? "," : ":",
			explained->n_rules, explained->n_rules == 1 ? "" : "s");
	else
		fprintf(out, "%s\n", explained->n_rules ? "" : ", no rules here");
	for (size_t i = 0; i < explained->matches.n; i++)
		print_match(cmd, &explained->matches.items[i], out);
}

static void print_side(struct polc_cmd *cmd, const struct polc_explained_side *side, FILE *out)
{
	fprintf(out, "\n%s %s %s: %s\n  %s\n", direction_name(side->direction),
		side->direction == POLC_EGRESS ? "from" : "to", side->party->text,
		polc_verdict_name(side->decision.verdict), reason_of(cmd, side));
	for (size_t i = 0; i < side->policies.n; i++) {
		enum polc_tier tier = side->policies.items[i].policy->tier;

		if (!i || tier != side->policies.items[i - 1].policy->tier)
			fprintf(out, "  %s tier\n", tier_name(tier));
		print_policy(cmd, &side->policies.items[i], out);
	}
}

static const char *final_verdict(const struct polc_explained_side sides[2])
{
	return polc_verdict_name(polc_flow_verdict(
		sides[POLC_EGRESS].decision.verdict, sides[POLC_INGRESS].decision.verdict));
}

void polc_explain_print_text(struct polc_cmd *cmd, const struct polc_flow *flow,
	const struct polc_explained_side sides[2], FILE *out)
{
	char src[POLB_ADDR_TEXT], dst[POLB_ADDR_TEXT];

	polb_addr_format(&flow->src_addr, src);
	polb_addr_format(&flow->dst_addr, dst);
	fprintf(out, "%s [%s] -> %s [%s], %s/%u\n", flow->src->text, src, flow->dst->text, dst,
		polc_protocol_text(&cmd->polc.arena, flow->port.protocol), flow->port.port);
	print_side(cmd, &sides[POLC_EGRESS], out);
	print_side(cmd, &sides[POLC_INGRESS], out);
	fprintf(out, "\nverdict: %s\n", final_verdict(sides));
}

static void add_match(struct polc_cmd *cmd, const struct polc_match *match, struct polc_buf *b)
{
	const struct polc_net_rule *rule = &cmd->network->rules[match->rule];

	polc_buf_puts(b, "{");
	polc_buf_json_member(b, "action", action_name(rule->action));
	polc_buf_json_member(b, "file", file_of(cmd, rule->span));
	polc_buf_printf(b, "\"line\":%u,", line_of(cmd, rule->span));
	polc_buf_json_member(b, "text", text_of(cmd, rule->span));
	polc_buf_printf(b, "\"decides\":%s}", match->decides ? "true" : "false");
}

static void add_policy(
	struct polc_cmd *cmd, const struct polc_explained_policy *explained, struct polc_buf *b)
{
	const struct polc_net_policy *policy = explained->policy;

	polc_buf_puts(b, "{");
	polc_buf_json_member(b, "kind", polc_policy_kind_name(policy->kind));
	polc_buf_json_member(b, "namespace", policy->namespace);
	polc_buf_json_member(b, "name", policy->name);
	polc_buf_json_member(b, "tier", tier_name(policy->tier));
	polc_buf_json_member(b, "file", file_of(cmd, policy->span));
	if (policy->switchable)
		polc_buf_json_member(b, "mode",
			polc_policy_is_audited(cmd->network, policy) ? "audit" : "enforce");
	polc_buf_printf(b, "\"line\":%u,\"isolates\":%s,\"rules\":%u,\"matches\":[",
		line_of(cmd, policy->span), explained->isolates ? "true" : "false",
		explained->n_rules);
	for (size_t i = 0; i < explained->matches.n; i++) {
		polc_buf_puts(b, i ? "," : "");
		add_match(cmd, &explained->matches.items[i], b);
	}
	polc_buf_puts(b, "]}");
}

static void add_side(
	struct polc_cmd *cmd, const struct polc_explained_side *side, struct polc_buf *b)
{
	polc_buf_printf(b, "\"%s\":{\"governed\":%s,", direction_name(side->direction),
		side->governed ? "true" : "false");
	polc_buf_json_member(b, "verdict", polc_verdict_name(side->decision.verdict));
	polc_buf_json_member(b, "rule",
		side->governed ? polc_cmd_rule_text(cmd, side->decision.rule) : "not-governed");
	polc_buf_json_member(b, "reason", reason_of(cmd, side));
	polc_buf_printf(
		b, "\"isolated\":%s,\"policies\":[", side->decision.isolated ? "true" : "false");
	for (size_t i = 0; i < side->policies.n; i++) {
		polc_buf_puts(b, i ? "," : "");
		add_policy(cmd, &side->policies.items[i], b);
	}
	polc_buf_puts(b, "]},");
}

void polc_explain_print_json(struct polc_cmd *cmd, const struct polc_flow *flow,
	const struct polc_explained_side sides[2], FILE *out)
{
	struct polc_buf b = {.arena = &cmd->polc.arena};
	char address[POLB_ADDR_TEXT];

	polc_buf_puts(&b, "{");
	polc_buf_json_member(&b, "src", flow->src->text);
	polb_addr_format(&flow->src_addr, address);
	polc_buf_json_member(&b, "src_address", address);
	polc_buf_json_member(&b, "dst", flow->dst->text);
	polb_addr_format(&flow->dst_addr, address);
	polc_buf_json_member(&b, "dst_address", address);
	polc_buf_json_member(
		&b, "proto", polc_protocol_text(&cmd->polc.arena, flow->port.protocol));
	polc_buf_printf(&b, "\"port\":%u,", flow->port.port);
	add_side(cmd, &sides[POLC_EGRESS], &b);
	add_side(cmd, &sides[POLC_INGRESS], &b);
	polc_buf_printf(&b, "\"verdict\":\"%s\"}\n", final_verdict(sides));
	fwrite(b.p, 1, b.n, out);
}
