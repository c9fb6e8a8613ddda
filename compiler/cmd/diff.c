/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * `polc diff`: what changes between two sets of policies: every region of
 * connections that is decided otherwise, with one that shows it; calls that are
 * traced or stopped otherwise; and whether a node needs new programs for it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../backend/bundle.h"
#include "diff.h"
#include "graph.h"

struct diff {
	struct polc_cmd cmd;
	bool exit_code, graph;
	const char *output;
	unsigned graph_format;
};

enum { FORMAT_TEXT, FORMAT_JSON };
static const char *const formats[] = {"text", "json", NULL};
static const char *const graph_formats[] = {"svg", "dot", "mermaid", NULL};

static const struct polc_option options[] = {
	POLC_CMD_POLICY_OPTIONS,
	{"exit-code", 0, POLC_OPTION_FLAG, offsetof(struct diff, exit_code), NULL, NULL,
		"exit with 1 when some decision changes, or may"},
	{"format", 0, POLC_OPTION_CHOICE, offsetof(struct diff, cmd.format), NULL, formats,
		"how the differences are printed"},
	{"graph", 0, POLC_OPTION_FLAG, offsetof(struct diff, graph), NULL, NULL,
		"draw them instead: what is added, removed and changed, in colours"},
	{"graph-format", 0, POLC_OPTION_CHOICE, offsetof(struct diff, graph_format), NULL,
		graph_formats, "of --graph"},
	{"output", 'o', POLC_OPTION_TEXT, offsetof(struct diff, output), "FILE", NULL,
		"where the drawing goes (default: standard output)"},
};

static const struct polc_command command = {
	.name = "diff",
	.synopsis = "OLD NEW [--inventory FILE]... [--exit-code] [--format "
		    "text|json] [--graph]",
	.summary = "Shows which decisions change between two sets of policies, "
		   "with examples",
	.options = options,
	.n_options = POLC_ARRAY_SIZE(options),
	.min_operands = 2,
	.max_operands = 2,
};

/* Loads both, and prints the diagnostics of both before it gives up. */
static int load_sides(struct diff *diff, struct polc_diff_side sides[2])
{
	int worst = POLC_EXIT_OK;

	for (unsigned i = 0; i < 2; i++) {
		int exit_code =
			polc_diff_side_load(&sides[i], diff->cmd.operands.items[i], &diff->cmd);

		if (sides[i].cmd.polc.n_errors)
			polc_cmd_print_diagnostics(&sides[i].cmd);
		if (exit_code > worst)
			worst = exit_code;
	}
	return worst;
}

static void compare_network(struct polc_diff *diff)
{
	const struct polc_network *networks[2];

	for (unsigned i = 0; i < 2; i++)
		networks[i] = polc_network_view(
			&diff->polc->arena, diff->sides[i].cmd.network, POLC_VIEW_ENFORCED);

	polc_reach_changes(
		polc_reach_new(&diff->polc->arena, networks, 2, diff->sides[1].cmd.identities),
		&diff->network);
}

static void compare_tracing(struct polc_diff *diff)
{
	struct polc_traced_set sets[2];

	for (unsigned i = 0; i < 2; i++) {
		struct polc_cmd *cmd = &diff->sides[i].cmd;

		sets[i] = (struct polc_traced_set){&cmd->input, cmd->tracing};
	}
	polc_traced_diff(diff->polc, sets, &diff->tracing);
}

/* The C that a bundle of this side would be compiled from. NULL: a limit was
 * exceeded. */
static const char *programs_of(struct polc_diff_side *side)
{
	struct polc_cmd *cmd = &side->cmd;
	const struct polc_plan *plan = polc_plan_build(&cmd->polc, cmd->network, cmd->identities);
	const struct polc_tracing_plan *tracing =
		polc_plan_tracing(&cmd->polc, cmd->tracing, &cmd->tracing_options);
	const struct polc_build_options build_options = {
		.tracing = tracing,
		.inventory = &cmd->input.inventory,
		.only_tracing = tracing && !cmd->input.ast.policies.n,
	};

	if (!plan || cmd->polc.n_errors) {
		polc_cmd_print_diagnostics(cmd);
		return NULL;
	}
	return polc_bundle_programs(&cmd->polc, plan, &build_options);
}

static int draw(struct diff *diff, struct polc_diff_side sides[2])
{
	const struct polc_graph_options graph = {
		.format = (enum polc_graph_format)diff->graph_format};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		polc_environment_error("out of memory");
		return POLC_EXIT_ENVIRONMENT;
	}
	int exit_code = polc_graph_write_diff(&sides[0].cmd, &sides[1].cmd, &graph, out);

	fclose(out);
	if (exit_code == POLC_EXIT_OK && diff->output)
		exit_code = polc_cmd_write_file(diff->output, text, size) < 0
				    ? POLC_EXIT_ENVIRONMENT
				    : POLC_EXIT_OK;
	else if (exit_code == POLC_EXIT_OK)
		fwrite(text, 1, size, stdout);
	free(text);
	return exit_code;
}

static bool is_empty(const struct polc_diff *diff)
{
	return !diff->network.regions.n && !diff->network.unknown.n && !diff->tracing.list.n;
}

static int compare(struct diff *options_of, struct polc_diff_side sides[2])
{
	struct polc_diff diff = {.polc = &options_of->cmd.polc, .sides = sides};
	const char *programs[2] = {programs_of(&sides[0]), programs_of(&sides[1])};

	if (!programs[0] || !programs[1])
		return POLC_EXIT_BAD;
	diff.programs = strcmp(programs[0], programs[1]) != 0;
	compare_network(&diff);
	compare_tracing(&diff);
	if (options_of->cmd.format == FORMAT_JSON)
		polc_diff_print_json(&diff, stdout);
	else
		polc_diff_print_text(&diff, stdout);
	return options_of->exit_code && !is_empty(&diff) ? POLC_EXIT_BAD : POLC_EXIT_OK;
}

/* Something that ends when it was read: each side reads the inventory. */
static bool has_stream(const polc_text_list *inventories)
{
	struct stat info;

	for (size_t i = 0; i < inventories->n; i++)
		if (!strcmp(inventories->items[i], "-") ||
			(!stat(inventories->items[i], &info) && S_ISFIFO(info.st_mode)))
			return true;
	return false;
}

static int check_usage(const struct diff *diff)
{
	const struct polc_cmd *cmd = &diff->cmd;

	if (diff->output && !diff->graph)
		return polc_cmd_usage_error(cmd, "--output goes with --graph");
	if (diff->graph && (diff->exit_code || polc_cmd_given(cmd, "format")))
		return polc_cmd_usage_error(cmd, "--graph goes without --exit-code and --format");
	if (!strcmp(cmd->operands.items[0], "-") && !strcmp(cmd->operands.items[1], "-"))
		return polc_cmd_usage_error(cmd, "standard input is one side, not both");
	if (has_stream(&cmd->inventories))
		return polc_cmd_usage_error(
			cmd, "the inventory is read for both sides: it must be a file");
	return POLC_EXIT_OK;
}

static int run(struct diff *diff)
{
	struct polc_diff_side sides[2];
	int exit_code;

	memset(sides, 0, sizeof(sides));
	exit_code = check_usage(diff);
	if (exit_code != POLC_EXIT_OK)
		return exit_code;
	exit_code = load_sides(diff, sides);
	if (exit_code == POLC_EXIT_OK)
		exit_code = diff->graph ? draw(diff, sides) : compare(diff, sides);
	polc_diff_side_free(&sides[0]);
	polc_diff_side_free(&sides[1]);
	return exit_code;
}

int polc_cmd_diff(int argc, char **argv)
{
	struct diff diff = {0};
	int exit_code;

	if (polc_cmd_parse(&command, &diff, argc, argv, &exit_code))
		exit_code = run(&diff);
	polc_cmd_free(&diff);
	return exit_code;
}
