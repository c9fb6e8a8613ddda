/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * `polc target`: kernels that bundles are compiled and verified for, by name. What a target is made
 * of the kernel itself tells (loader/guest_facts.c), booted once; compiler/ir/target.h says what
 * the directory holds.
 */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../backend/target_files.h"
#include "../ir/target.h"
#include "verify.h"

struct target {
	struct polc_cmd cmd;
	struct polc_verify_flags flags;
	const char *image, *modules, *config, *system_map;
};

enum { FORMAT_TEXT, FORMAT_JSON };
static const char *const formats[] = {"text", "json", NULL};

#define ADD_OPTIONS                                                                                \
	{"image", 0, POLC_OPTION_TEXT, offsetof(struct target, image), "FILE", NULL,               \
		"the kernel's image, which is booted once"},                                       \
		{"modules", 0, POLC_OPTION_TEXT, offsetof(struct target, modules), "DIR", NULL,    \
			"its modules (/lib/modules/RELEASE): their types"},                        \
		{"config", 0, POLC_OPTION_TEXT, offsetof(struct target, config), "FILE", NULL,     \
			"its configuration (default: config-RELEASE or config beside the image)"}, \
		{"system-map", 0, POLC_OPTION_TEXT, offsetof(struct target, system_map), "FILE",   \
			NULL, "its symbols, where the kernel does not show them"},                 \
		POLC_CMD_VM_OPTIONS(target, flags)
#define LIST_OPTIONS                                                                               \
	{                                                                                          \
		"format", 0, POLC_OPTION_CHOICE, offsetof(struct target, cmd.format), NULL,        \
			formats, "how list prints targets"                                         \
	}
static const struct polc_option add_options[] = {ADD_OPTIONS};
static const struct polc_option list_options[] = {LIST_OPTIONS};
static const struct polc_option all_options[] = {ADD_OPTIONS, LIST_OPTIONS};

/* Of the command line that does not name an action. */
static const struct polc_command command = {
	.name = "target",
	.synopsis = "add|list|remove [NAME] [OPTION]...",
	.summary = "Makes, lists and removes kernels to compile and verify for (--target NAME)",
	.options = all_options,
	.n_options = POLC_ARRAY_SIZE(all_options),
	.min_operands = 1,
	.max_operands = SIZE_MAX,
};
static const struct polc_command add_command = {
	.name = "target add",
	.synopsis = "NAME --image VMLINUZ [OPTION]...",
	.summary = "Makes a target of a kernel image",
	.options = add_options,
	.n_options = POLC_ARRAY_SIZE(add_options),
	.min_operands = 1,
	.max_operands = 1,
};
static const struct polc_command list_command = {
	.name = "target list",
	.synopsis = "[--format text|json]",
	.summary = "Lists the targets that have a name",
	.options = list_options,
	.n_options = POLC_ARRAY_SIZE(list_options),
};
static const struct polc_command remove_command = {
	.name = "target remove",
	.synopsis = "NAME",
	.summary = "Removes a target",
	.min_operands = 1,
	.max_operands = 1,
};

/* ---- names ---- */

static bool is_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._+-";
	size_t n = strlen(name);

	return n > 0 && n < 128 && name[0] != '.' && name[0] != '-' && strspn(name, letters) == n &&
	       strcmp(name, "running") != 0;
}

/* Its directory, there or not; NULL: *code says why. */
static const char *own_directory(struct polc_cmd *cmd, int *code)
{
	const char *name = cmd->operands.items[0], *home = polc_target_home(&cmd->polc.arena);

	*code = POLC_EXIT_OK;
	if (!is_name(name))
		*code = polc_cmd_usage_error(cmd,
			"'%s' is no name of a target: letters, digits and ._+-, not \"running\"",
			name);
	else if (!home)
		*code = POLC_EXIT_ENVIRONMENT;
	if (*code == POLC_EXIT_ENVIRONMENT)
		polc_environment_error(
			"no place for targets: neither XDG_DATA_HOME nor HOME is set");
	return *code ? NULL : polc_arena_printf(&cmd->polc.arena, "%s/%s", home, name);
}

static bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path) ? -1 : 0;
}

static int remove_tree(const char *path)
{
	return nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) ? -errno : 0;
}

/* ---- add ---- */

/* What the machine answers: the archive of facts. */
static int ask(struct target *t, struct polc_vm_question *question)
{
	struct polc *polc = &t->cmd.polc;
	struct polc_verify_options read;
	int code = polc_verify_flags_read(&t->cmd, &t->flags, &read);
	const struct polc_vm_options options = {
		.polload = code ? NULL : polc_polload_find(polc, t->flags.polload, true),
		.accelerator = read.accelerator,
		.timeout_s = read.timeout_s,
		.jobs = 1,
		.progress = read.progress,
		.context = read.context};

	if (code)
		return code;
	if (!options.polload || polc_vm_ask(polc, &options, question, 1))
		return POLC_EXIT_ENVIRONMENT;
	polc_verify_progress_end();
	if (!question->failure)
		return POLC_EXIT_OK;
	polc_environment_error("%s did not tell: %s", question->kernel.release, question->failure);
	return POLC_EXIT_ENVIRONMENT;
}

static const char *find_config(
	struct polc_arena *arena, const struct target *t, const char *release)
{
	const char *slash = strrchr(t->image, '/');
	size_t n = slash ? (size_t)(slash - t->image) + 1 : 0;
	const char *path = polc_arena_printf(arena, "%.*sconfig-%s", (int)n, t->image, release);

	if (t->config)
		return t->config;
	if (exists(path))
		return path;
	path = polc_arena_printf(arena, "%.*sconfig", (int)n, t->image);
	return exists(path) ? path : NULL;
}

/* Everything of the target, in a directory that is not the target yet. */
static int fill(struct target *t, const struct polc_vm_question *question, const char *directory)
{
	const struct polc_target_sources sources = {.archive = question->answer,
		.archive_size = question->answer_size,
		.image = question->kernel.path,
		.config = find_config(&t->cmd.polc.arena, t, question->kernel.release),
		.system_map = t->system_map,
		.modules = t->modules};

	return polc_target_write(&t->cmd.polc, directory, &sources) ? POLC_EXIT_ENVIRONMENT
								    : POLC_EXIT_OK;
}

/* Whole or not at all: filled under another name, then renamed. */
static int install(struct target *t, const struct polc_vm_question *question, const char *directory)
{
	struct polc_arena *arena = &t->cmd.polc.arena;
	const char *slash = strrchr(directory, '/');
	char *temporary =
		polc_arena_printf(arena, "%.*s/.new-XXXXXX", (int)(slash - directory), directory);
	int err = polc_make_directories(temporary), code;

	if (err || !mkdtemp(temporary)) {
		polc_environment_error(
			"cannot make %s: %s", temporary, strerror(err ? -err : errno));
		return POLC_EXIT_ENVIRONMENT;
	}
	code = fill(t, question, temporary);
	if (!code && (chmod(temporary, 0755) || rename(temporary, directory))) {
		polc_environment_error("cannot make %s: %s", directory, strerror(errno));
		code = POLC_EXIT_ENVIRONMENT;
	}
	if (code)
		remove_tree(temporary);
	return code;
}

static int add(struct target *t)
{
	struct polc *polc = &t->cmd.polc;
	struct polc_vm_question question = {.word = "facts"};
	const char *directory;
	int code;

	directory = own_directory(&t->cmd, &code);
	if (!directory)
		return code;
	if (!t->image)
		return polc_cmd_usage_error(&t->cmd, "--image is missing: which kernel?");
	if (exists(directory)) {
		polc_environment_error("there is a target %s already (polc target remove %s)",
			t->cmd.operands.items[0], t->cmd.operands.items[0]);
		return POLC_EXIT_ENVIRONMENT;
	}
	if (polc_kernel_image_find(polc, t->image, &question.kernel))
		return POLC_EXIT_ENVIRONMENT;
	code = ask(t, &question);
	return code ? code : install(t, &question, directory);
}

/* ---- list, remove ---- */

static size_t count_files(const char *directory, const char *suffix)
{
	DIR *open = opendir(directory);
	const struct dirent *entry;
	size_t n = 0;

	while (open && (entry = readdir(open))) {
		const char *dot = strrchr(entry->d_name, '.');

		n += dot && dot > entry->d_name && !strcmp(dot, suffix);
	}
	if (open)
		closedir(open);
	return n;
}

static const char *release_of(struct polc_arena *arena, const char *directory)
{
	char line[256] = "";
	FILE *file = fopen(polc_arena_printf(arena, "%s/release", directory), "re");

	if (file && !fgets(line, sizeof(line), file))
		line[0] = '\0';
	if (file)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return polc_arena_strndup(arena, line, strlen(line));
}

/* What a target holds besides its types. */
static const struct {
	const char *file, *word;
} parts[] = {{"kallsyms", "symbols"}, {"error_injection", "overrides"}, {"events", "tracepoints"},
	{"config", "configuration"}, {"vmlinuz", "image"}};

static void print_target(
	struct polc_arena *arena, const char *name, const char *directory, bool json, bool first)
{
	size_t modules = count_files(polc_arena_printf(arena, "%s/modules", directory), ".btf");
	struct polc_buf b = {.arena = arena};
	const char *separator = "";

	if (json) {
		polc_buf_puts(&b, first ? "{" : ",{");
		polc_buf_json_member(&b, "name", name);
		polc_buf_json_member(&b, "release", release_of(arena, directory));
		polc_buf_printf(&b, "\"modules\":%zu,\"has\":[", modules);
	} else {
		polc_buf_printf(&b, "%-16s %-32s ", name, release_of(arena, directory));
	}
	for (size_t i = 0; i < POLC_ARRAY_SIZE(parts); i++)
		if (exists(polc_arena_printf(arena, "%s/%s", directory, parts[i].file))) {
			polc_buf_printf(&b, json ? "%s\"%s\"" : "%s%s", separator, parts[i].word);
			separator = json ? "," : ", ";
		}
	if (json)
		polc_buf_puts(&b, "]}");
	else if (modules)
		polc_buf_printf(&b, "%s%zu modules\n", separator, modules);
	else
		polc_buf_puts(&b, "\n");
	fwrite(b.p, 1, b.n, stdout);
}

static int list(struct target *t)
{
	struct polc_arena *arena = &t->cmd.polc.arena;
	const char *home = polc_target_home(arena);
	struct dirent **entries = NULL;
	int n = home ? scandir(home, &entries, NULL, alphasort) : 0;
	bool json = t->cmd.format == FORMAT_JSON, first = true;

	if (json)
		fputs("{\"targets\":[", stdout);
	for (int i = 0; i < n; i++) {
		if (is_name(entries[i]->d_name)) {
			print_target(arena, entries[i]->d_name,
				polc_arena_printf(arena, "%s/%s", home, entries[i]->d_name), json,
				first);
			first = false;
		}
		free(entries[i]);
	}
	free(entries);
	if (json)
		fputs("]}\n", stdout);
	return POLC_EXIT_OK;
}

static int remove_target(struct target *t)
{
	int code, err;
	const char *directory = own_directory(&t->cmd, &code);

	if (!directory)
		return code;
	if (!exists(directory)) {
		polc_environment_error("no target %s", t->cmd.operands.items[0]);
		return POLC_EXIT_ENVIRONMENT;
	}
	err = remove_tree(directory);
	if (err)
		polc_environment_error("cannot remove %s: %s", directory, strerror(-err));
	return err ? POLC_EXIT_ENVIRONMENT : POLC_EXIT_OK;
}

/* ---- which ---- */

static const struct {
	const char *word;
	const struct polc_command *command;
	int (*run)(struct target *target);
} actions[] = {{"add", &add_command, add}, {"list", &list_command, list},
	{"remove", &remove_command, remove_target}};

static int run(
	const struct polc_command *parsed, int (*action)(struct target *), int argc, char **argv)
{
	struct target target = {0};
	int exit_code;

	if (polc_cmd_parse(parsed, &target, argc, argv, &exit_code))
		exit_code = action(&target);
	polc_cmd_free(&target);
	return exit_code;
}

static int no_action(struct target *t)
{
	return polc_cmd_usage_error(
		&t->cmd, "'%s' is none of add, list, remove", t->cmd.operands.items[0]);
}

int polc_cmd_target(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < POLC_ARRAY_SIZE(actions); i++)
		if (!strcmp(actions[i].word, argv[1]))
			return run(actions[i].command, actions[i].run, argc - 1, argv + 1);
	return run(&command, no_action, argc, argv);
}
