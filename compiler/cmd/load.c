/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From the operands of a command line to a network and its identities and to the tracing IR; and
 * words for rules.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../analysis/lint.h"
#include "cmd.h"

static int read_all(struct polc_cmd *cmd)
{
	int result = 0;

	for (size_t i = 0; i < cmd->inventories.n; i++)
		if (polc_read_inventory(&cmd->polc, &cmd->input, cmd->inventories.items[i]) < 0)
			result = -1;
	for (size_t i = 0; i < cmd->operands.n; i++)
		if (polc_read_policies(&cmd->polc, &cmd->input, cmd->operands.items[i]) < 0)
			result = -1;
	return result;
}

static bool stdin_is_read_twice(const struct polc_cmd *cmd)
{
	unsigned n = 0;

	for (size_t i = 0; i < cmd->inventories.n; i++)
		n += !strcmp(cmd->inventories.items[i], "-");
	for (size_t i = 0; i < cmd->operands.n; i++)
		n += !strcmp(cmd->operands.items[i], "-");
	return n > 1;
}

static int open_targets(struct polc_cmd *cmd)
{
	size_t n = cmd->target_names.n;
	struct polc_target **targets =
		POLC_NEW_ARRAY(&cmd->polc.arena, n + 1, struct polc_target *);

	cmd->tracing_options.targets = targets;
	for (size_t i = 0; i < n; i++) {
		if (polc_target_open(&cmd->polc, cmd->target_names.items[i], &targets[i]) < 0)
			return -1;
		cmd->tracing_options.n_targets++;
	}
	/* without --target, the kernel that runs here lends its types where it can */
	if (!n && cmd->input.tracings.n && !access("/sys/kernel/btf/vmlinux", R_OK))
		return polc_target_open(&cmd->polc, "running", &cmd->tracing_options.fallback);
	return 0;
}

void polc_cmd_close_targets(struct polc_cmd *cmd)
{
	for (size_t i = 0; i < cmd->tracing_options.n_targets; i++)
		polc_target_close(cmd->tracing_options.targets[i]);
	polc_target_close(cmd->tracing_options.fallback);
	cmd->tracing_options = (struct polc_tracing_options){0};
}

int polc_cmd_lower(struct polc_cmd *cmd)
{
	const struct polc_lower_options options = {
		.dialect = (enum polc_dialect)cmd->dialect,
		.unsupported = (enum polc_unsupported)cmd->unsupported,
		.posture = (enum polc_posture)cmd->posture,
		.cluster_name = cmd->cluster_name,
	};

	polc_read_finish(&cmd->polc, &cmd->input);
	if (open_targets(cmd) < 0)
		return POLC_EXIT_ENVIRONMENT;
	polc_ast_set_modes(&cmd->polc, &cmd->input.ast, cmd->switchable.items, cmd->switchable.n,
		POLC_MODE_ENFORCE);
	polc_ast_set_modes(&cmd->polc, &cmd->input.ast, cmd->audit_policies.items,
		cmd->audit_policies.n, POLC_MODE_AUDIT);
	cmd->network = polc_lower_network(&cmd->polc, &cmd->input, &options);
	cmd->identities =
		polc_identities_build(&cmd->polc, &cmd->input.inventory, cmd->cluster_name);
	cmd->tracing = polc_lower_tracing(&cmd->polc, &cmd->input, &cmd->tracing_options);
	return cmd->polc.n_errors ? POLC_EXIT_BAD : POLC_EXIT_OK;
}

int polc_cmd_load(struct polc_cmd *cmd)
{
	if (stdin_is_read_twice(cmd))
		return polc_cmd_usage_error(cmd, "standard input can be read only once");
	return read_all(cmd) < 0 ? POLC_EXIT_ENVIRONMENT : polc_cmd_lower(cmd);
}

void polc_cmd_print_diagnostics(struct polc_cmd *cmd)
{
	const char *no_colour = getenv("NO_COLOR");
	bool colour = isatty(STDERR_FILENO) && !(no_colour && *no_colour);

	if (!cmd->settled) {
		polc_suppress(&cmd->polc, NULL, false);
		polc_diagnostics_settle(&cmd->polc, false);
	}
	cmd->settled = true;
	polc_diagnostics_print_text(&cmd->polc, stderr, colour);
}

int polc_cmd_load_and_print(struct polc_cmd *cmd)
{
	int exit_code = polc_cmd_load(cmd);

	polc_cmd_print_diagnostics(cmd);
	return exit_code;
}

const char *polc_reserved_rule_name(uint32_t rule_id)
{
	static const char *const names[POLB_RULE_FIRST] = {
		[POLB_RULE_NONE] = "default-allow",
		[POLB_RULE_DEFAULT_DENY] = "default-deny",
		[POLB_RULE_LOCAL_NODE] = "local-node",
		[POLB_RULE_SELF] = "self",
		[POLB_RULE_MALFORMED] = "malformed",
		[POLB_RULE_FRAGMENT] = "fragment",
		[POLB_RULE_RELATED] = "related",
		[POLB_RULE_PROTOCOL_NEED] = "protocol-need",
		[POLB_RULE_NO_ENDPOINT] = "no-endpoint",
		[POLB_RULE_NOT_IP] = "not-ip",
		[POLB_RULE_EXPIRED] = "expired",
	};

	if (rule_id >= POLB_RULE_FIRST)
		return NULL;
	return names[rule_id] ? names[rule_id] : "reserved";
}

const char *polc_verdict_name(enum polb_verdict verdict)
{
	switch (verdict) {
	case POLB_VERDICT_NONE:
		return "none";
	case POLB_VERDICT_ALLOW:
		return "allow";
	case POLB_VERDICT_DENY:
		return "deny";
	case POLB_VERDICT_PASS:
		return "pass";
	case POLB_VERDICT_AUDIT:
		return "audit";
	}
	return "none";
}

static const char *place_text(struct polc_cmd *cmd, struct polc_span span)
{
	const struct polc_source *source = polc_source_get(&cmd->polc.sources, span.source);
	struct polc_position position =
		polc_source_position(&cmd->polc.arena, &cmd->polc.sources, span.source, span.begin);

	return polc_arena_printf(&cmd->polc.arena, "%s:%u", source->path, position.line);
}

const char *polc_cmd_rule_text(struct polc_cmd *cmd, uint32_t rule_id)
{
	const char *name = polc_reserved_rule_name(rule_id);
	size_t index = rule_id - POLB_RULE_FIRST, n = cmd->network->n_rules;

	if (name)
		return name;
	if (polc_isolation_find(cmd->network, rule_id))
		return polc_reserved_rule_name(POLB_RULE_DEFAULT_DENY);
	if (index >= n)
		return "unknown";
	if (!cmd->rule_texts)
		cmd->rule_texts = POLC_NEW_ARRAY(&cmd->polc.arena, n, const char *);
	if (!cmd->rule_texts[index])
		cmd->rule_texts[index] = place_text(cmd, cmd->network->rules[index].span);
	return cmd->rule_texts[index];
}
