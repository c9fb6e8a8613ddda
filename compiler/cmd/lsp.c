/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polc lsp`: the command line of the language server. What it does is in compiler/lsp/. */
#include <stdlib.h>
#include <unistd.h>

#include "../lsp/server.h"
#include "cmd.h"
#include "config.h"

struct lsp_cmd {
	struct polc_cmd cmd;
	bool stdio; /* what many clients say to every server; there is no other way */
	struct polc_lsp_options options;
};

static const struct polc_option options[] = {
	POLC_CMD_POLICY_OPTIONS,
	{"stdio", 0, POLC_OPTION_FLAG, offsetof(struct lsp_cmd, stdio), NULL, NULL,
		"serve over standard input and output, as is done without it too"},
};

static const struct polc_command command = {
	.name = "lsp",
	.synopsis = "[POLICY...] [--inventory FILE]... [--target KERNEL]...",
	.summary = "Serves an editor: diagnostics, completion, hover, definitions, formatting",
	.options = options,
	.n_options = POLC_ARRAY_SIZE(options),
	.max_operands = SIZE_MAX,
};

/* The working directory changes: names of files must not depend on it. Other names stay. */
static void make_absolute(struct polc_cmd *cmd, polc_text_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		char *path = realpath(list->items[i], NULL);

		if (path)
			list->items[i] = polc_arena_printf(&cmd->polc.arena, "%s", path);
		free(path);
	}
}

static void fill_options(struct lsp_cmd *lsp);

/* The workspace's own .polc.yaml counts where the directory that polc was started in has none. */
static void configure(void *data, const char *root)
{
	struct lsp_cmd *lsp = data;

	if (!root || lsp->cmd.config_file || chdir(root) < 0)
		return;
	if (polc_cmd_configure(&lsp->cmd) == POLC_EXIT_OK)
		fill_options(lsp);
}

/* As `polc check` does: on a command that has read the same. */
static void check_assertions(void *data, const struct polc_lsp_world *world)
{
	struct lsp_cmd *lsp = data;
	struct polc_cmd cmd = {
		.command = lsp->cmd.command,
		.polc = *world->polc,
		.inventories = lsp->cmd.inventories,
		.dialect = lsp->cmd.dialect,
		.unsupported = lsp->cmd.unsupported,
		.posture = lsp->cmd.posture,
		.cluster_name = lsp->cmd.cluster_name,
		.input = *world->input,
		.network = world->network,
		.identities = world->identities,
		.tracing_options = *world->tracing_options,
		.tracing = world->tracing,
	};

	if (world->input->assertions.n)
		polc_cmd_check_assertions(&cmd);
	*world->polc = cmd.polc;
}

static void fill_options(struct lsp_cmd *lsp)
{
	struct polc_cmd *cmd = &lsp->cmd;

	make_absolute(cmd, &cmd->operands);
	make_absolute(cmd, &cmd->inventories);
	make_absolute(cmd, &cmd->target_names);
	lsp->options = (struct polc_lsp_options){
		.policies = cmd->operands.items,
		.n_policies = cmd->operands.n,
		.inventories = cmd->inventories.items,
		.n_inventories = cmd->inventories.n,
		.targets = cmd->target_names.items,
		.n_targets = cmd->target_names.n,
		.lowering = {.dialect = (enum polc_dialect)cmd->dialect,
			.unsupported = (enum polc_unsupported)cmd->unsupported,
			.posture = (enum polc_posture)cmd->posture,
			.cluster_name = cmd->cluster_name},
		.levels = &cmd->levels,
		.configure = configure,
		.check = check_assertions,
		.data = lsp,
	};
}

int polc_cmd_lsp(int argc, char **argv)
{
	struct lsp_cmd lsp = {0};
	int exit_code;

	if (polc_cmd_parse(&command, &lsp, argc, argv, &exit_code)) {
		fill_options(&lsp);
		polc_cmd_print_diagnostics(&lsp.cmd); /* of .polc.yaml */
		exit_code = polc_lsp_serve(&lsp.options);
	}
	polc_cmd_free(&lsp);
	return exit_code;
}
