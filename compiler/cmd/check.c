/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polc check`: everything that is wrong with policies, without clang and without a kernel. */
#include <string.h>

#include "../backend/plan.h"
#include "../backend/plan_tracing.h"
#include "cmd.h"

struct check {
	struct polc_cmd cmd;
	polc_text_list warnings; /* -W... */
	bool dump_ir, dump_plan;
};

enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF };
static const char *const formats[] = {"text", "json", "sarif", NULL};

static const struct polc_option options[] = {
	POLC_CMD_POLICY_OPTIONS,
	{"format", 0, POLC_OPTION_CHOICE, offsetof(struct check, cmd.format), NULL, formats,
		"how diagnostics are printed: text on stderr, json on stdout"},
	{NULL, 'W', POLC_OPTION_LIST, offsetof(struct check, warnings), "error", NULL,
		"-Werror: warnings fail the check"},
	{"dump-ir", 0, POLC_OPTION_FLAG, offsetof(struct check, dump_ir), NULL, NULL,
		"print the network and the traces that the policies mean"},
	{"dump-plan", 0, POLC_OPTION_FLAG, offsetof(struct check, dump_plan), NULL, NULL,
		"print bits, classes, rows and tables, and the hooks of traces"},
};

static const struct polc_command command = {
	.name = "check",
	.synopsis = "POLICY... [--inventory FILE]... [-Werror] [--format text|json]",
	.summary = "Reports everything that is wrong with policies",
	.options = options,
	.n_options = POLC_ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = SIZE_MAX,
};

/* 0, or the exit code of a usage error. */
static int read_warning_options(struct check *check, bool *warnings_are_errors)
{
	for (size_t i = 0; i < check->warnings.n; i++) {
		if (strcmp(check->warnings.items[i], "error"))
			return polc_cmd_usage_error(&check->cmd,
				"unknown option '-W%s'; did you mean '-Werror'?",
				check->warnings.items[i]);
		*warnings_are_errors = true;
	}
	if (check->cmd.format == FORMAT_SARIF)
		return polc_cmd_usage_error(&check->cmd, "--format sarif is not supported yet");
	return 0;
}

static void print_ir(struct polc_cmd *cmd, struct polc_buf *text)
{
	if (cmd->input.ast.policies.n || !cmd->input.tracings.n)
		polc_network_print(&cmd->polc, cmd->network, text);
	if (cmd->input.tracings.n && !cmd->polc.n_errors)
		polc_tracing_print(cmd->tracing, &cmd->polc, text);
}

/*
 * The plans are made even if nobody prints them: they report the limits that a build would hit.
 * Input with errors has no plan.
 */
static void plan_and_dump(struct check *check)
{
	struct polc *polc = &check->cmd.polc;
	struct polc_buf text = {.arena = &polc->arena};
	const struct polc_plan *plan =
		polc_plan_build(polc, check->cmd.network, check->cmd.identities);
	const struct polc_tracing_plan *tracing =
		polc_plan_tracing(polc, check->cmd.tracing, &check->cmd.tracing_options);

	if (check->dump_ir)
		print_ir(&check->cmd, &text);
	if (check->dump_plan && plan)
		polc_plan_print(plan, &text);
	if (check->dump_plan && tracing)
		polc_plan_tracing_print(tracing, polc, &text);
	if (text.n)
		fwrite(text.p, 1, text.n, stdout);
}

static int run(struct check *check)
{
	bool warnings_are_errors = false;
	int exit_code = read_warning_options(check, &warnings_are_errors);

	if (exit_code)
		return exit_code;
	exit_code = polc_cmd_load(&check->cmd);
	if (exit_code == POLC_EXIT_OK)
		plan_and_dump(check);
	if (check->cmd.format == FORMAT_JSON)
		polc_diagnostics_print_json(&check->cmd.polc, stdout);
	else
		polc_cmd_print_diagnostics(&check->cmd);
	if (exit_code == POLC_EXIT_OK && check->cmd.polc.n_errors)
		exit_code = POLC_EXIT_BAD;
	if (exit_code == POLC_EXIT_OK && warnings_are_errors && check->cmd.polc.n_warnings)
		exit_code = POLC_EXIT_BAD;
	return exit_code;
}

int polc_cmd_check(int argc, char **argv)
{
	struct check check = {0};
	int exit_code;

	if (polc_cmd_parse(&command, &check, argc, argv, &exit_code))
		exit_code = run(&check);
	polc_cmd_free(&check);
	return exit_code;
}
