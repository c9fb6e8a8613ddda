/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polc fmt`: lays policies out, or converts between YAML and the DSL. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../frontend/files.h"
#include "../frontend/pol.h"
#include "fmt.h"

struct fmt {
	struct polc_cmd cmd;
	unsigned to; /* index in `spellings` */
	bool write, check, diff;
	POLC_VEC(struct polc_fmt_file) files;
};

enum { TO_SAME, TO_POL, TO_YAML };
static const char *const spellings[] = {"same", "pol", "yaml", NULL};

static const struct polc_option options[] = {
	{"to", 0, POLC_OPTION_CHOICE, offsetof(struct fmt, to), NULL, spellings,
		"convert to the policy language or to YAML; without it each file keeps its own"},
	{"write", 'w', POLC_OPTION_FLAG, offsetof(struct fmt, write), NULL, NULL,
		"rewrite the files that change, instead of printing"},
	{"check", 0, POLC_OPTION_FLAG, offsetof(struct fmt, check), NULL, NULL,
		"print the names of files that would change, and exit with 1 when there are any"},
	{"diff", 'd', POLC_OPTION_FLAG, offsetof(struct fmt, diff), NULL, NULL,
		"print what would change, as a unified diff; with --check the exit code says if"},
};

static const struct polc_command command = {
	.name = "fmt",
	.synopsis = "FILE... [--to pol|yaml] [-w | --check] [--diff]",
	.summary = "Formats policies, or converts them to YAML or the policy language",
	.options = options,
	.n_options = POLC_ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = SIZE_MAX,
};

/* 0, or the exit code of a usage error. */
static int check_operand(struct fmt *fmt, const char *path)
{
	struct stat status;

	if (fmt->write && strcmp(path, "-") == 0)
		return polc_cmd_usage_error(&fmt->cmd, "-w cannot rewrite standard input");
	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return polc_cmd_usage_error(&fmt->cmd, "'%s' is a directory: name files", path);
	return POLC_EXIT_OK;
}

static int check_usage(struct fmt *fmt)
{
	int exit_code = POLC_EXIT_OK;

	if (fmt->write && fmt->check)
		return polc_cmd_usage_error(&fmt->cmd, "-w and --check exclude each other");
	if (fmt->write && fmt->diff)
		return polc_cmd_usage_error(&fmt->cmd, "-w and --diff exclude each other");
	if (fmt->to != TO_SAME && (fmt->write || fmt->check || fmt->diff))
		return polc_cmd_usage_error(&fmt->cmd,
			"--to converts to standard output: it excludes -w, --check and --diff");
	for (size_t i = 0; i < fmt->cmd.operands.n && exit_code == POLC_EXIT_OK; i++)
		exit_code = check_operand(fmt, fmt->cmd.operands.items[i]);
	return exit_code;
}

/* By the name, as the reader decides; standard input by how it begins. */
static enum polc_spelling spelling_of(struct polc *polc, const struct polc_source *source)
{
	size_t n = strlen(source->path);
	bool pol = n > 4 && strcmp(source->path + n - 4, ".pol") == 0;

	if (strcmp(source->path, POLC_STDIN_PATH) == 0)
		pol = pol_opens_block(&polc->arena, source->text, source->len);
	return pol ? POLC_SPELLING_POL : POLC_SPELLING_YAML;
}

static void note_lost_comments(const struct polc_fmt_file *file, size_t n)
{
	if (n > 0)
		polc_environment_error("%s: %zu comment%s inside of policies %s left out",
			file->path, n, n == 1 ? "" : "s", n == 1 ? "is" : "are");
}

static void format(struct fmt *fmt, struct polc_fmt_file *file)
{
	struct polc *polc = &fmt->cmd.polc;
	bool convert = (fmt->to == TO_POL && file->spelling == POLC_SPELLING_YAML) ||
		       (fmt->to == TO_YAML && file->spelling == POLC_SPELLING_POL);

	if (convert)
		note_lost_comments(file, polc_fmt_convert(polc, file));
	else
		polc_fmt_layout(polc, file);
}

static int read_file(struct fmt *fmt, const char *path)
{
	struct polc *polc = &fmt->cmd.polc;
	struct polc_fmt_file *file = polc_vec_push(&polc->arena, &fmt->files);
	unsigned errors = polc->n_errors;

	*file = (struct polc_fmt_file){.path = path,
		.source = (uint32_t)polc->sources.list.n,
		.out = {.arena = &polc->arena}};
	if (polc_read_policies(polc, &file->input, path) < 0)
		return POLC_EXIT_ENVIRONMENT;
	if (polc->n_errors != errors || file->source >= polc->sources.list.n)
		return POLC_EXIT_BAD;
	file->spelling = spelling_of(polc, polc_source_get(&polc->sources, file->source));
	format(fmt, file);
	return polc->n_errors != errors ? POLC_EXIT_BAD : POLC_EXIT_OK;
}

static bool changes(struct fmt *fmt, const struct polc_fmt_file *file)
{
	const struct polc_source *source = polc_source_get(&fmt->cmd.polc.sources, file->source);

	return source->len != file->out.n ||
	       (file->out.n && memcmp(source->text, file->out.p, file->out.n) != 0);
}

/* Through symbolic links, and with the mode that the file had. */
static int rewrite(const struct polc_fmt_file *file)
{
	char *path = realpath(file->path, NULL);
	struct stat status;
	int result = path && stat(path, &status) == 0 ? 0 : -errno;

	if (result == 0)
		result = polc_cmd_write_file(path, file->out.p, file->out.n);
	else
		polc_environment_error("cannot rewrite %s: %s", file->path, strerror(-result));
	if (result == 0)
		chmod(path, status.st_mode & 07777);
	free(path);
	return result;
}

/* Documents of several files stay apart when they are printed one after the other. */
static void print(struct fmt *fmt, size_t i)
{
	const struct polc_fmt_file *file = &fmt->files.items[i];
	bool yaml =
		fmt->to == TO_YAML || (fmt->to == TO_SAME && file->spelling == POLC_SPELLING_YAML);

	if (!file->out.n)
		return;
	if (i > 0)
		fputs(yaml ? "---\n" : "\n", stdout);
	fwrite(file->out.p, 1, file->out.n, stdout);
}

static void print_diff(struct fmt *fmt, const struct polc_fmt_file *file)
{
	struct polc_arena *arena = &fmt->cmd.polc.arena;
	const struct polc_source *source = polc_source_get(&fmt->cmd.polc.sources, file->source);
	struct polc_buf out = {.arena = arena};

	polc_fmt_diff(arena, file->path, source->text, source->len, file->out.p, file->out.n, &out);
	fwrite(out.p, 1, out.n, stdout);
}

/* A file that changes: shown, named or rewritten. */
static int deliver_change(struct fmt *fmt, const struct polc_fmt_file *file)
{
	if (fmt->write)
		return rewrite(file) < 0 ? POLC_EXIT_ENVIRONMENT : POLC_EXIT_OK;
	if (fmt->diff)
		print_diff(fmt, file);
	else
		puts(file->path);
	return fmt->check ? POLC_EXIT_BAD : POLC_EXIT_OK;
}

static int deliver(struct fmt *fmt)
{
	int exit_code = POLC_EXIT_OK;

	for (size_t i = 0; i < fmt->files.n; i++) {
		const struct polc_fmt_file *file = &fmt->files.items[i];
		int result = POLC_EXIT_OK;

		if (!fmt->check && !fmt->write && !fmt->diff)
			print(fmt, i);
		else if (changes(fmt, file))
			result = deliver_change(fmt, file);
		exit_code = result > exit_code ? result : exit_code;
	}
	return exit_code;
}

static int run(struct fmt *fmt)
{
	int exit_code = check_usage(fmt);

	if (exit_code != POLC_EXIT_OK)
		return exit_code;
	for (size_t i = 0; i < fmt->cmd.operands.n; i++) {
		int result = read_file(fmt, fmt->cmd.operands.items[i]);

		exit_code = result > exit_code ? result : exit_code;
	}
	polc_cmd_print_diagnostics(&fmt->cmd);
	return exit_code == POLC_EXIT_OK ? deliver(fmt) : exit_code;
}

int polc_cmd_fmt(int argc, char **argv)
{
	struct fmt fmt = {0};
	int exit_code;

	if (polc_cmd_parse(&command, &fmt, argc, argv, &exit_code))
		exit_code = run(&fmt);
	polc_cmd_free(&fmt);
	return exit_code;
}
