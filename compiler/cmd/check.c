/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polc check`: everything that is wrong with policies, without clang and without a kernel. */
#include <string.h>
#include <unistd.h>

#include "../analysis/lint.h"
#include "../backend/plan.h"
#include "../backend/plan_tracing.h"
#include "config.h"
#include "fix.h"

struct check {
	struct polc_cmd cmd;
	polc_text_list warnings; /* -W... */
	const char *root;
	bool fix, dump_ir, dump_plan;
};

enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF };
static const char *const formats[] = {"text", "json", "sarif", NULL};

static const struct polc_option options[] = {
	POLC_CMD_POLICY_OPTIONS,
	POLC_CMD_MODE_OPTIONS,
	{"format", 0, POLC_OPTION_CHOICE, offsetof(struct check, cmd.format), NULL, formats,
		"how diagnostics are printed: text on stderr, the others on stdout"},
	{NULL, 'W', POLC_OPTION_LIST, offsetof(struct check, warnings), "NAME", NULL,
		"NAME, no-NAME, error=NAME, note=NAME; error: warnings fail; all: every lint"},
	{"fix", 0, POLC_OPTION_FLAG, offsetof(struct check, fix), NULL, NULL,
		"mend in the files what has a certain fix, then check again"},
	{"root", 0, POLC_OPTION_TEXT, offsetof(struct check, root), "DIR", NULL,
		"where the files are that tracing policies name"},
	{"dump-ir", 0, POLC_OPTION_FLAG, offsetof(struct check, dump_ir), NULL, NULL,
		"print the network and the traces that the policies mean"},
	{"dump-plan", 0, POLC_OPTION_FLAG, offsetof(struct check, dump_plan), NULL, NULL,
		"print bits, classes, rows and tables, and the hooks of traces"},
};

static const struct polc_command command = {
	.name = "check",
	.synopsis = "POLICY... [--inventory FILE]... [-W NAME]... [--format text|json|sarif] "
		    "[--fix]",
	.summary = "Reports everything that is wrong with policies",
	.options = options,
	.n_options = POLC_ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = SIZE_MAX,
};

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

static void lint(struct check *check)
{
	struct polc_cmd *cmd = &check->cmd;
	const struct polc_lint_context context = {.polc = &cmd->polc,
		.input = &cmd->input,
		.network = polc_network_view(&cmd->polc.arena, cmd->network, POLC_VIEW_ALL),
		.identities = cmd->identities,
		.tracing = cmd->tracing,
		.tracing_options = &cmd->tracing_options,
		.root = check->root,
		.cluster_name = cmd->cluster_name,
		.has_inventory = cmd->input.inventory.given && cmd->input.inventory.pods.n};
	bool dumps = check->dump_ir || check->dump_plan; /* who looks inside wants no advice */
	bool complete = !cmd->polc.n_errors && !dumps;

	if (!dumps)
		polc_lint(&context);
	polc_suppress(&cmd->polc, &context, complete);
	polc_diagnostics_settle(&cmd->polc, true);
	cmd->settled = true;
}

/* Loads, plans and lints; then all that is to be said is in cmd.polc. */
static int examine(struct check *check)
{
	int exit_code = polc_cmd_load(&check->cmd);

	if (exit_code == POLC_EXIT_ENVIRONMENT || exit_code == POLC_EXIT_USAGE)
		return exit_code;
	if (exit_code == POLC_EXIT_OK) {
		plan_and_dump(check);
		polc_cmd_check_assertions(&check->cmd);
	}
	lint(check);
	return POLC_EXIT_OK;
}

/* For people: how much was said. */
static void print_summary(const struct check *check)
{
	const struct polc *polc = &check->cmd.polc;
	unsigned n_fixes = 0;

	if (!isatty(STDERR_FILENO) || check->cmd.format != FORMAT_TEXT || !polc->diagnostics.n)
		return;
	for (size_t i = 0; i < polc->diagnostics.n; i++)
		n_fixes += polc->diagnostics.items[i]->fix &&
			   polc_diagnostic_shown(polc->diagnostics.items[i]);
	fprintf(stderr, "%u error%s, %u warning%s", polc->n_errors, polc->n_errors == 1 ? "" : "s",
		polc->n_warnings, polc->n_warnings == 1 ? "" : "s");
	if (n_fixes)
		fprintf(stderr, "; --fix mends %u", n_fixes);
	fputc('\n', stderr);
}

static int report(struct check *check)
{
	struct polc_cmd *cmd = &check->cmd;

	if (cmd->format == FORMAT_JSON)
		polc_diagnostics_print_json(&cmd->polc, stdout);
	else if (cmd->format == FORMAT_SARIF)
		polc_diagnostics_print_sarif(&cmd->polc, POLC_VERSION, stdout);
	else
		polc_cmd_print_diagnostics(cmd);
	print_summary(check);
	if (cmd->polc.n_errors || (cmd->warnings_are_errors && cmd->polc.n_warnings))
		return POLC_EXIT_BAD;
	return POLC_EXIT_OK;
}

/* Fixes are written to files, and what is dumped would come twice. */
static int refuse_fix(const struct check *check)
{
	const struct polc_cmd *cmd = &check->cmd;

	if (!check->fix)
		return POLC_EXIT_OK;
	if (check->dump_ir || check->dump_plan)
		return polc_cmd_usage_error(cmd, "--fix prints no dumps");
	for (size_t i = 0; i < cmd->operands.n; i++)
		if (!strcmp(cmd->operands.items[i], "-"))
			return polc_cmd_usage_error(cmd, "--fix cannot mend standard input");
	return POLC_EXIT_OK;
}

static bool parse(struct check *check, int argc, char **argv, int *exit_code)
{
	if (!polc_cmd_parse(&command, check, argc, argv, exit_code))
		return false;
	for (size_t i = 0; i < check->warnings.n && *exit_code == POLC_EXIT_OK; i++)
		*exit_code = polc_cmd_warning_option(&check->cmd, check->warnings.items[i]);
	if (*exit_code == POLC_EXIT_OK)
		*exit_code = refuse_fix(check);
	return *exit_code == POLC_EXIT_OK;
}

static int fix(struct check *check, bool *again)
{
	struct polc_fixed fixed;

	if (polc_fix_apply(&check->cmd.polc, &fixed) < 0)
		return POLC_EXIT_ENVIRONMENT;
	*again = fixed.n_fixes;
	if (*again)
		fprintf(stderr, "polc: mended %u place%s in %u file%s\n", fixed.n_fixes,
			fixed.n_fixes == 1 ? "" : "s", fixed.n_files,
			fixed.n_files == 1 ? "" : "s");
	return POLC_EXIT_OK;
}

/* One run over the files as they are. *again: they were mended, nothing is said about them yet. */
static int check_once(int argc, char **argv, bool may_fix, bool *again)
{
	struct check check = {0};
	int exit_code;

	*again = false;
	if (parse(&check, argc, argv, &exit_code)) {
		exit_code = examine(&check);
		if (exit_code == POLC_EXIT_OK && check.fix && may_fix)
			exit_code = fix(&check, again);
		if (exit_code == POLC_EXIT_OK && !*again)
			exit_code = report(&check);
	}
	polc_cmd_free(&check);
	return exit_code;
}

int polc_cmd_check(int argc, char **argv)
{
	bool again;
	int exit_code = check_once(argc, argv, true, &again);

	return again ? check_once(argc, argv, false, &again) : exit_code;
}
