/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polc inspect`: what a bundle holds. The file is hostile until the one reader has checked it. */
#include <stdlib.h>
#include <string.h>

#include "inspect.h"

enum { FORMAT_TEXT, FORMAT_JSON };
static const char *const formats[] = {"text", "json", NULL};

static const struct polc_option options[] = {
	{"format", 0, POLC_OPTION_CHOICE, offsetof(struct polc_cmd, format), NULL, formats,
		"how the bundle is printed"},
};

static const struct polc_command command = {
	.name = "inspect",
	.synopsis = "BUNDLE [--format text|json]",
	.summary = "Shows what a bundle holds",
	.options = options,
	.n_options = POLC_ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = 1,
};

const char *polc_inspect_rule_place(
	struct polc_arena *arena, const struct polb_bundle *bundle, size_t index)
{
	if (index >= bundle->n_sources)
		return NULL;
	const struct polb_bundle_source *source = &bundle->sources[index];

	if (source->file >= bundle->source_strings_size)
		return NULL;
	return polc_arena_printf(
		arena, "%s:%u", bundle->source_strings + source->file, source->line);
}

static int inspect(struct polc_cmd *cmd, const char *path)
{
	struct polb_bundle bundle;
	char error[POLB_ERROR_TEXT] = "";
	void *data;
	size_t size;
	int result = polb_file_read(path, &data, &size);

	if (result < 0) {
		polc_environment_error("cannot read %s: %s", path, strerror(-result));
		return POLC_EXIT_ENVIRONMENT;
	}
	result = polb_bundle_read(data, size, &bundle, error);
	if (result < 0)
		fprintf(stderr, "polc inspect: %s: not a bundle of this version: %s\n", path,
			error);
	else if (cmd->format == FORMAT_JSON)
		polc_inspect_print_json(&cmd->polc.arena, &bundle, stdout);
	else
		polc_inspect_print_text(&cmd->polc.arena, &bundle, stdout);
	free(data);
	return result < 0 ? POLC_EXIT_BAD : POLC_EXIT_OK;
}

int polc_cmd_inspect(int argc, char **argv)
{
	struct polc_cmd cmd = {0};
	int exit_code;

	if (polc_cmd_parse(&command, &cmd, argc, argv, &exit_code))
		exit_code = inspect(&cmd, cmd.operands.items[0]);
	polc_cmd_free(&cmd);
	return exit_code;
}
