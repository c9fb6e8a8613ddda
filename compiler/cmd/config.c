/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* .polc.yaml, and -W: see config.h. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "../analysis/lint.h"
#include "../frontend/fields.h"
#include "../frontend/files.h"

#define DIRECTORIES_MAX 64 /* above the working directory */

static const char file_name[] = ".polc.yaml";

/* Finding it */

static bool exists(struct polc_arena *arena, const char *directory, const char *name)
{
	return !access(polc_arena_printf(arena, "%s/%s", directory, name), F_OK);
}

/* How often ".." leads from a directory to the root of its git work tree; -1: it is in none. */
static int steps_to_git_root(struct polc_arena *arena, const char *directory)
{
	for (int steps = 0; steps < DIRECTORIES_MAX; steps++) {
		if (exists(arena, directory, ".git"))
			return steps;
		directory = polc_arena_printf(arena, "%s/..", directory);
	}
	return -1;
}

const char *polc_config_find(struct polc_arena *arena, const char *directory)
{
	int steps = steps_to_git_root(arena, directory);

	for (int i = 0; i <= (steps < 0 ? 0 : steps); i++) {
		if (exists(arena, directory, file_name))
			return !strcmp(directory, ".")
				       ? file_name
				       : polc_arena_printf(arena, "%s/%s", directory, file_name);
		directory = !strcmp(directory, ".") ? ".."
						    : polc_arena_printf(arena, "%s/..", directory);
	}
	return NULL;
}

/* Levels */

static void set_level(struct polc_levels *levels, enum polc_code code, enum polc_severity severity)
{
	levels->of[code] = (uint8_t)(severity + 1);
}

static void read_level(struct polc *polc, const struct polc_yaml_entry *entry, const char *path,
	struct polc_config *out)
{
	static const char *const words[] = {"error", "warning", "note", "off"};
	const char *name = entry->key->value, *near = NULL, *word;
	enum polc_code code = polc_code_find(name, &near);
	struct polc_diagnostic *d;
	int level;

	if (!code) {
		d = polc_error(polc, entry->key->span, POLC_CODE_BAD_CONFIGURATION,
			"there is no warning and no lint called \"%s\"", name);
		if (near)
			polc_diagnostic_did_you_mean(polc, d, near);
		return;
	}
	if (!out->levels.defaults[code]) {
		polc_error(polc, entry->key->span, POLC_CODE_BAD_CONFIGURATION,
			"%s is always an error: only warnings and lints have a level", name);
		return;
	}
	/* `off` is a boolean to YAML 1.1 */
	if (entry->value->kind == POLC_YAML_SCALAR && !strcmp(entry->value->value, "off"))
		word = "off";
	else if (!polc_field_string(polc, entry, path, &word))
		return;
	level = polc_word_index(word, words, POLC_ARRAY_SIZE(words));
	if (level >= 0) {
		set_level(&out->levels, code, (enum polc_severity)level);
		return;
	}
	d = polc_error(polc, entry->value->span, POLC_CODE_BAD_CONFIGURATION,
		"\"%s\" is none of error, warning, note, off", word);
	near = polc_nearest(word, words, POLC_ARRAY_SIZE(words));
	if (near)
		polc_diagnostic_did_you_mean(polc, d, near);
}

/* The file */

struct config_fields {
	const struct polc_yaml_entry *lints, *strict, *inventory, *target, *dialect, *posture,
		*unsupported, *cluster_name;
};

static const struct polc_field config_table[] = {
	POLC_FIELD(struct config_fields, lints, "lints", POLC_OPTIONAL),
	POLC_FIELD(struct config_fields, strict, "warnings-are-errors", POLC_OPTIONAL),
	POLC_FIELD(struct config_fields, inventory, "inventory", POLC_OPTIONAL),
	POLC_FIELD(struct config_fields, target, "target", POLC_OPTIONAL),
	POLC_FIELD(struct config_fields, dialect, "dialect", POLC_OPTIONAL),
	POLC_FIELD(struct config_fields, posture, "posture", POLC_OPTIONAL),
	POLC_FIELD(struct config_fields, unsupported, "unsupported", POLC_OPTIONAL),
	POLC_FIELD(struct config_fields, cluster_name, "cluster-name", POLC_OPTIONAL),
};

static const char top[] = "the configuration";

/* As seen from the file: absolute, or beside it. */
static const char *beside(struct polc *polc, const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');

	if (path[0] == '/' || !slash)
		return path;
	return polc_arena_printf(&polc->arena, "%.*s/%s", (int)(slash - file), file, path);
}

/* A target may be a name; it is a path when it has a slash. Standard input is nobody's default. */
static void read_paths(struct polc *polc, const struct polc_yaml_entry *entry, const char *file,
	bool names_too, polc_text_list *out)
{
	const char *path;

	if (!entry || !polc_field_list(polc, entry, top, SIZE_MAX, true))
		return;
	for (size_t i = 0; i < entry->value->n_items; i++) {
		const struct polc_yaml *item = entry->value->items[i];

		if (!polc_yaml_string(polc, item, entry->key->value, &path))
			continue;
		if (!strcmp(path, "-") || !*path)
			polc_error(polc, item->span, POLC_CODE_BAD_CONFIGURATION,
				"\"%s\" is no file", path);
		else
			*polc_vec_push(&polc->arena, out) =
				names_too && !strchr(path, '/') ? path : beside(polc, file, path);
	}
}

static bool read_choice(struct polc *polc, const struct polc_yaml_entry *entry,
	const char *const *words, unsigned *out)
{
	struct polc_buf list = {.arena = &polc->arena};
	const char *word;
	size_t n = 0;
	int i;

	if (!entry || !polc_field_string(polc, entry, top, &word))
		return false;
	for (; words[n]; n++)
		polc_buf_printf(&list, "%s%s", n ? ", " : "", words[n]);
	i = polc_word_index(word, words, n);
	*out = i < 0 ? 0 : (unsigned)i;
	if (i < 0)
		polc_error(polc, entry->value->span, POLC_CODE_BAD_CONFIGURATION,
			"\"%s\" is none of %s", word, list.p);
	return i >= 0;
}

static void read_lints(
	struct polc *polc, const struct polc_yaml_entry *entry, struct polc_config *out)
{
	if (!entry || !polc_yaml_expect(polc, entry->value, POLC_YAML_MAPPING, "lints"))
		return;
	for (size_t i = 0; i < entry->value->n_entries; i++)
		read_level(polc, &entry->value->entries[i], "lints", out);
}

static void read_document(
	struct polc *polc, const struct polc_yaml *node, const char *file, struct polc_config *out)
{
	struct config_fields f = {0};

	if (!POLC_FIELDS_READ(polc, node, top, config_table, &f))
		return;
	read_lints(polc, f.lints, out);
	if (f.strict)
		polc_yaml_bool(
			polc, f.strict->value, "warnings-are-errors", &out->warnings_are_errors);
	read_paths(polc, f.inventory, file, false, &out->inventories);
	read_paths(polc, f.target, file, true, &out->target_names);
	out->has_dialect = read_choice(polc, f.dialect, polc_dialect_names, &out->dialect);
	out->has_posture = read_choice(polc, f.posture, polc_posture_names, &out->posture);
	out->has_unsupported =
		read_choice(polc, f.unsupported, polc_unsupported_names, &out->unsupported);
	if (f.cluster_name)
		polc_field_string(polc, f.cluster_name, top, &out->cluster_name);
}

static void note_source(void *data, uint32_t source, bool named)
{
	(void)named;
	*(uint32_t *)data = source;
}

int polc_config_read(struct polc *polc, const char *path, struct polc_config *out)
{
	polc_yaml_documents documents = {0};
	uint32_t source = 0;
	int result = polc_files_read(polc, path, note_source, &source);

	*out = (struct polc_config){0};
	polc_lint_defaults(&out->levels);
	if (result < 0 || !source)
		return result;
	polc_yaml_parse(polc, source, &documents);
	if (documents.n > 1)
		polc_error(polc, documents.items[1]->span, POLC_CODE_BAD_CONFIGURATION,
			"a configuration is one document");
	if (documents.n)
		read_document(polc, documents.items[0], path, out);
	return 0;
}

/* The command line */

static bool has_option(const struct polc_command *command, const char *name)
{
	for (size_t i = 0; i < command->n_options; i++)
		if (command->options[i].name && !strcmp(command->options[i].name, name))
			return true;
	return false;
}

static void fill_in(struct polc_cmd *cmd, const struct polc_config *config)
{
	for (unsigned i = 0; i < POLC_CODES_END; i++)
		if (!cmd->levels.of[i])
			cmd->levels.of[i] = config->levels.of[i];
	cmd->warnings_are_errors |= config->warnings_are_errors;
	if (!cmd->inventories.n)
		cmd->inventories = config->inventories;
	if (!cmd->target_names.n)
		cmd->target_names = config->target_names;
	if (config->has_dialect && !polc_cmd_given(cmd, "dialect"))
		cmd->dialect = config->dialect;
	if (config->has_posture && !polc_cmd_given(cmd, "posture"))
		cmd->posture = config->posture;
	if (config->has_unsupported && !polc_cmd_given(cmd, "unsupported"))
		cmd->unsupported = config->unsupported;
	if (!cmd->cluster_name)
		cmd->cluster_name = config->cluster_name;
}

int polc_cmd_configure(struct polc_cmd *cmd)
{
	struct polc_config *config = POLC_NEW(&cmd->polc.arena, struct polc_config);
	const char *path = cmd->config_file;

	polc_lint_defaults(&cmd->levels);
	cmd->polc.levels = &cmd->levels;
	if (!has_option(cmd->command, "config"))
		return POLC_EXIT_OK;
	if (cmd->config_file && cmd->no_config)
		return polc_cmd_usage_error(cmd, "--config and --no-config exclude each other");
	if (!path && !cmd->no_config)
		path = polc_config_find(&cmd->polc.arena, ".");
	if (!path)
		return POLC_EXIT_OK;
	if (polc_config_read(&cmd->polc, path, config) < 0)
		return POLC_EXIT_ENVIRONMENT;
	fill_in(cmd, config);
	return POLC_EXIT_OK;
}

static int unknown_warning(const struct polc_cmd *cmd, const char *word, const char *near)
{
	if (near)
		return polc_cmd_usage_error(
			cmd, "there is no warning '-W%s'; did you mean '%s'?", word, near);
	return polc_cmd_usage_error(cmd, "there is no warning '-W%s'", word);
}

/* "-W" and a name with this level. */
static int warning_level(
	struct polc_cmd *cmd, const char *word, const char *name, enum polc_severity severity)
{
	const char *near = NULL;
	enum polc_code code = polc_code_find(name, &near);

	if (!code)
		return unknown_warning(cmd, word, near);
	if (!cmd->levels.defaults[code])
		return polc_cmd_usage_error(cmd,
			"'-W%s': %s is always an error, only warnings and lints have a level", word,
			name);
	set_level(&cmd->levels, code, severity);
	return POLC_EXIT_OK;
}

/* "no-effect" is a name and stands for itself, "no-no-effect" switches it off. */
int polc_cmd_warning_option(struct polc_cmd *cmd, const char *word)
{
	const char *near;

	if (!strcmp(word, "error"))
		cmd->warnings_are_errors = true;
	else if (!strcmp(word, "all"))
		cmd->levels.all = true;
	else if (!strncmp(word, "error=", 6))
		return warning_level(cmd, word, word + 6, POLC_ERROR);
	else if (!strncmp(word, "note=", 5))
		return warning_level(cmd, word, word + 5, POLC_NOTE);
	else if (!strncmp(word, "no-", 3) && !polc_code_find(word, &near))
		return warning_level(cmd, word, word + 3, POLC_OFF);
	else
		return warning_level(cmd, word, word, POLC_WARNING);
	return POLC_EXIT_OK;
}
