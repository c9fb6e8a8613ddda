/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polc test`: unit tests of policies, and which rules they cover. */
#include <stdlib.h>
#include <string.h>

#include "test.h"

static const char *const engines[] = {"eval", "bpf", NULL};
static const char *const formats[] = {"text", "json", "junit", NULL};
static const char *const coverage_formats[] = {"text", "json", "lcov", NULL};

static const struct polc_option options[] = {
	POLC_CMD_POLICY_OPTIONS,
	{"engine", 0, POLC_OPTION_CHOICE, offsetof(struct polc_test_run, engine), NULL, engines,
		"evaluator, or the compiled programs in this kernel too"},
	{"filter", 0, POLC_OPTION_TEXT, offsetof(struct polc_test_run, filter), "TEXT", NULL,
		"only tests with this in their name"},
	{"coverage", 0, POLC_OPTION_OPTIONAL, offsetof(struct polc_test_run, coverage), "[=FILE]",
		NULL, "which rules and selectors decided nothing"},
	{"coverage-format", 0, POLC_OPTION_CHOICE, offsetof(struct polc_test_run, coverage_format),
		NULL, coverage_formats, "how that is printed"},
	{"min-coverage", 0, POLC_OPTION_TEXT, offsetof(struct polc_test_run, min_coverage),
		"PERCENT", NULL, "fail when fewer rules and selectors decided something"},
	{"verbose", 'v', POLC_OPTION_FLAG, offsetof(struct polc_test_run, verbose), NULL, NULL,
		"print passed tests too"},
	{"format", 0, POLC_OPTION_CHOICE, offsetof(struct polc_test_run, cmd.format), NULL, formats,
		"how results are printed"},
};

static const struct polc_command command = {
	.name = "test",
	.synopsis = "FILE... [--engine eval|bpf] [--filter TEXT] [--coverage[=FILE]] [OPTION]...",
	.summary = "Runs unit tests of policies",
	.options = options,
	.n_options = POLC_ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = SIZE_MAX,
};

/* Results */

bool polc_test_wanted(
	const struct polc_test_run *run, const struct polc_ast_test *test, const char *name)
{
	return !run->filter || strstr(name, run->filter) || strstr(test->name, run->filter);
}

struct polc_test_result *polc_test_begin(struct polc_test_run *run,
	const struct polc_ast_test *test, const struct polc_ast_case *one, const char *question)
{
	const char *name = one->name.text ? polc_arena_printf(&run->cmd.polc.arena, "%s: %s",
						    one->name.text, question)
					  : question;
	struct polc_test_result *result;

	if (!polc_test_wanted(run, test, name))
		return NULL;
	run->n_reported = run->cmd.polc.diagnostics.n;
	result = polc_vec_push(&run->cmd.polc.arena, &run->results);
	*result = (struct polc_test_result){.test = test, .span = one->span, .name = name};
	return result;
}

static void end(
	struct polc_test_run *run, struct polc_test_result *result, enum polc_test_status status)
{
	result->status = status;
	run->n[status]++;
}

void polc_test_pass(struct polc_test_run *run, struct polc_test_result *result)
{
	end(run, result, POLC_TEST_PASSED);
}

struct polc_diagnostic *polc_test_fail(struct polc_test_run *run, struct polc_test_result *result)
{
	end(run, result, POLC_TEST_FAILED);
	return polc_error(&run->cmd.polc, result->span, POLC_CODE_TEST_FAILED,
		"%s: expected %s, got %s", result->name, result->expected, result->actual);
}

void polc_test_error(struct polc_test_run *run, struct polc_test_result *result, const char *why)
{
	const struct polc *polc = &run->cmd.polc;

	/* what was reported says more */
	if (polc->diagnostics.n > run->n_reported)
		why = polc->diagnostics.items[run->n_reported]->message;
	result->expected = NULL;
	result->actual = why;
	end(run, result, POLC_TEST_ERROR);
}

const char *polc_test_place(struct polc_test_run *run, struct polc_span span)
{
	struct polc *polc = &run->cmd.polc;
	struct polc_position place =
		polc_source_position(&polc->arena, &polc->sources, span.source, span.begin);

	return polc_arena_printf(&polc->arena, "%s:%u",
		polc_source_get(&polc->sources, span.source)->path, place.line);
}

/* Running */

static void run_test(struct polc_test_run *run, const struct polc_ast_test *test)
{
	struct polc_test_world *world = polc_test_enter(run, test);

	for (size_t i = 0; i < test->cases.n; i++) {
		const struct polc_ast_case *one = &test->cases.items[i];

		(one->is_call ? polc_test_call : polc_test_connections)(run, world, test, one);
	}
}

/* The tests of the operands; what else is in them is kept in mind. */
static int read_tests(struct polc_test_run *run)
{
	struct polc_cmd *cmd = &run->cmd;
	struct polc_input input = {0};
	int result = 0;

	for (size_t i = 0; i < cmd->operands.n; i++)
		result |= polc_read_policies(&cmd->polc, &input, cmd->operands.items[i]);
	if (result < 0)
		return POLC_EXIT_ENVIRONMENT;
	run->tests = input.tests;
	run->policies_given = input.ast.policies.n || input.tracings.n;
	if (!run->tests.n && !cmd->polc.n_errors)
		polc_error(&cmd->polc, (struct polc_span){0}, POLC_CODE_BAD_TEST,
			"there is no test in %s%s", cmd->operands.items[0],
			cmd->operands.n > 1 ? " and the other files" : "");
	return cmd->polc.n_errors ? POLC_EXIT_BAD : POLC_EXIT_OK;
}

static void remember_command_line(struct polc_test_run *run)
{
	run->operands = run->cmd.operands;
	run->inventories = run->cmd.inventories;
	run->targets = run->cmd.target_names;
	run->dialect = run->cmd.dialect;
	run->posture = run->cmd.posture;
	run->cluster_name = run->cmd.cluster_name;
}

static int deliver(struct polc_test_run *run, const struct polc_coverage *coverage)
{
	struct polc_buf text = {.arena = &run->cmd.polc.arena};
	enum polc_test_format format = (enum polc_test_format)run->cmd.format;
	bool to_stdout = run->coverage && !strcmp(run->coverage, "-");

	polc_test_print(run, format, to_stdout ? coverage : NULL, &text);
	if (to_stdout && format == POLC_TEST_TEXT)
		polc_coverage_print(
			coverage, (enum polc_coverage_format)run->coverage_format, &text);
	fwrite(text.p, 1, text.n, stdout);
	if (!run->coverage || to_stdout)
		return POLC_EXIT_OK;
	text = (struct polc_buf){.arena = &run->cmd.polc.arena};
	polc_buf_puts(&text, "");
	polc_coverage_print(coverage, (enum polc_coverage_format)run->coverage_format, &text);
	return polc_cmd_write_file(run->coverage, text.p, text.n) < 0 ? POLC_EXIT_ENVIRONMENT
								      : POLC_EXIT_OK;
}

static int judge(struct polc_test_run *run, const struct polc_coverage *coverage, double minimum)
{
	int exit_code = run->cmd.polc.n_errors ? POLC_EXIT_BAD : POLC_EXIT_OK;

	if (polc_coverage_percent(coverage) < minimum) {
		polc_environment_error(
			"coverage %.1f%% is below %g%%", polc_coverage_percent(coverage), minimum);
		exit_code = POLC_EXIT_BAD;
	}
	if (!run->results.n) {
		polc_environment_error("no test matches '%s'", run->filter);
		exit_code = POLC_EXIT_BAD;
	}
	return run->environment ? POLC_EXIT_ENVIRONMENT : exit_code;
}

static int run_all(struct polc_test_run *run, double minimum)
{
	struct polc_coverage coverage;
	int exit_code = read_tests(run), delivered;

	remember_command_line(run);
	for (size_t i = 0; exit_code == POLC_EXIT_OK && i < run->tests.n; i++)
		run_test(run, run->tests.items[i]);
	polc_cmd_print_diagnostics(&run->cmd);
	if (exit_code != POLC_EXIT_OK)
		return exit_code;
	polc_test_coverage(run, &coverage);
	delivered = deliver(run, &coverage);
	exit_code = judge(run, &coverage, minimum);
	return exit_code == POLC_EXIT_OK ? delivered : exit_code;
}

static int check_usage(struct polc_test_run *run, double *minimum)
{
	char *last = NULL;

	for (size_t i = 0; i < run->cmd.operands.n; i++)
		if (!strcmp(run->cmd.operands.items[i], "-"))
			return polc_cmd_usage_error(
				&run->cmd, "tests are read from files: '-' is none");
	if (run->coverage && !strcmp(run->coverage, "-") && run->cmd.format == POLC_TEST_JUNIT)
		return polc_cmd_usage_error(
			&run->cmd, "--coverage=FILE is needed beside --format junit");
	if (run->min_coverage)
		*minimum = strtod(run->min_coverage, &last);
	if (last && (last == run->min_coverage || *last || !(*minimum >= 0 && *minimum <= 100)))
		return polc_cmd_usage_error(
			&run->cmd, "--min-coverage: '%s' is no percentage", run->min_coverage);
	return POLC_EXIT_OK;
}

int polc_cmd_test(int argc, char **argv)
{
	struct polc_test_run run = {0};
	double minimum = 0;
	int exit_code;

	if (polc_cmd_parse(&command, &run, argc, argv, &exit_code)) {
		exit_code = check_usage(&run, &minimum);
		if (exit_code == POLC_EXIT_OK)
			exit_code = run_all(&run, minimum);
	}
	polc_test_free_worlds(&run);
	polc_cmd_free(&run);
	return exit_code;
}
