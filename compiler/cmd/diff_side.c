/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One side of `polc diff`: policies from files, from a bundle, or from a
 * revision of git. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../runtime/bundle.h"
#include "diff.h"

enum side_kind { SIDE_FILES, SIDE_BUNDLE, SIDE_REVISION };

static bool is_elf(const char *path)
{
	char magic[SELFMAG] = "";
	FILE *file = fopen(path, "rb");

	if (!file)
		return false;
	bool is = fread(magic, 1, SELFMAG, file) == SELFMAG && !memcmp(magic, ELFMAG, SELFMAG);

	fclose(file);
	return is;
}

static enum side_kind kind_of(const char *name)
{
	struct stat info;

	if (!strcmp(name, "-"))
		return SIDE_FILES;
	if (stat(name, &info) < 0)
		return strchr(name, ':') && *name != '-' ? SIDE_REVISION : SIDE_FILES;
	return S_ISREG(info.st_mode) && is_elf(name) ? SIDE_BUNDLE : SIDE_FILES;
}

static int bundle_is_bad(const char *name, const char *why)
{
	polc_environment_error("%s: %s", name, why);
	return POLC_EXIT_BAD;
}

/* Rules have the numbers that they have in the bundle: its places are theirs.
 */
static void take_places(struct polc_cmd *cmd, const struct polb_bundle *bundle)
{
	struct polc_arena *arena = &cmd->polc.arena;

	if (bundle->n_sources != cmd->network->n_rules + cmd->network->n_isolations ||
		!bundle->n_sources)
		return;
	cmd->rule_texts = POLC_NEW_ARRAY(arena, bundle->n_sources, const char *);
	for (size_t i = 0; i < bundle->n_sources; i++)
		if (bundle->sources[i].line)
			cmd->rule_texts[i] = polc_arena_printf(arena, "%s:%u",
				bundle->source_strings + bundle->sources[i].file,
				bundle->sources[i].line);
}

/* Options that decide what the policies mean are the bundle's own. */
static void take_options(struct polc_cmd *cmd, const struct polb_bundle *bundle)
{
	const struct polb_manifest *manifest = &bundle->manifest;

	cmd->posture = manifest->posture;
	cmd->dialect = manifest->dialect;
	if (manifest->cluster_name)
		cmd->cluster_name = polb_bundle_string(bundle, manifest->cluster_name);
}

static int load_bundle(struct polc_diff_side *side)
{
	struct polc_cmd *cmd = &side->cmd;
	struct polb_bundle bundle;
	char error[POLB_ERROR_TEXT] = "";
	size_t size;

	if (polb_file_read(side->name, &side->bundle, &size) < 0)
		return bundle_is_bad(side->name, "cannot be read");
	if (polb_bundle_read(side->bundle, size, &bundle, error) < 0)
		return bundle_is_bad(side->name, error);
	if (!bundle.n_policy)
		return bundle_is_bad(side->name,
			"does not carry its policies: it was built with --no-source or "
			"--unsupported=deny");
	take_options(cmd, &bundle);
	polc_read_text(
		&cmd->polc, &cmd->input, side->name, (const char *)bundle.policy, bundle.n_policy);
	int exit_code = polc_cmd_lower(cmd);

	if (exit_code == POLC_EXIT_OK)
		take_places(cmd, &bundle);
	return exit_code;
}

static int read_inventories(struct polc_cmd *cmd)
{
	for (size_t i = 0; i < cmd->inventories.n; i++)
		if (polc_read_inventory(&cmd->polc, &cmd->input, cmd->inventories.items[i]) < 0)
			return POLC_EXIT_ENVIRONMENT;
	return POLC_EXIT_OK;
}

static int load_revision(struct polc_diff_side *side)
{
	struct polc_cmd *cmd = &side->cmd;

	if (polc_read_revision(&cmd->polc, &cmd->input, side->name) < 0)
		return POLC_EXIT_ENVIRONMENT;
	return polc_cmd_lower(cmd);
}

static int load_files(struct polc_diff_side *side)
{
	struct polc_cmd *cmd = &side->cmd;

	if (strcmp(side->name, "/dev/null") != 0 &&
		polc_read_policies(&cmd->polc, &cmd->input, side->name) < 0)
		return POLC_EXIT_ENVIRONMENT;
	return polc_cmd_lower(cmd);
}

int polc_diff_side_load(
	struct polc_diff_side *side, const char *name, const struct polc_cmd *options)
{
	struct polc_cmd *cmd = &side->cmd;

	*cmd = *options;
	cmd->input = (struct polc_input){0};
	cmd->operands = (polc_text_list){0};
	polc_init(&cmd->polc);
	side->name = name;
	*polc_vec_push(&cmd->polc.arena, &cmd->operands) = name;
	int exit_code = read_inventories(cmd);

	if (exit_code != POLC_EXIT_OK)
		return exit_code;
	switch (kind_of(name)) {
	case SIDE_FILES:
		return load_files(side);
	case SIDE_BUNDLE:
		return load_bundle(side);
	case SIDE_REVISION:
		return load_revision(side);
	}
	POLC_BUG("unknown kind of side");
}

void polc_diff_side_free(struct polc_diff_side *side)
{
	if (!side->name)
		return;
	polc_cmd_free(&side->cmd);
	free(side->bundle);
}
