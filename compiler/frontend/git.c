/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads what git has: one process lists the tree, one prints all blobs. Nothing is checked out and
 * no shell is involved.
 */
#include "git.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../runtime/cleanup.h"

extern char **environ;

struct blob {
	const char *id, *name; /* object name in hexadecimal; path below the tree */
};
typedef POLC_VEC(struct blob) blob_list;

static int read_to_end(int fd, char **out, size_t *n_out)
{
	size_t n = 0, cap = 0;

	for (;;) {
		if (cap - n < 65536) {
			char *bigger = realloc(*out, cap = cap ? cap * 2 : 1 << 20);

			if (!bigger)
				return -ENOMEM;
			*out = bigger;
		}
		/* one byte stays free for a NUL */
		ssize_t got = read(fd, *out + n, cap - n - 1);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (!got)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	(*out)[n] = 0;
	*n_out = n;
	return 0;
}

static int start(const char *const *arguments, int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int err = posix_spawn_file_actions_init(&actions);

	if (err)
		return -err;
	if (in >= 0)
		err = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	else
		err = posix_spawn_file_actions_addopen(
			&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!err)
		err = posix_spawnp(pid, "git", &actions, NULL, (char *const *)arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

/* Runs git; its output is malloc'd. 0 or -errno; -EIO when git failed (it said why). */
static int run_git(const char *const *arguments, int in, char **out, size_t *n)
{
	int ends[2], status = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	POLB_FD from = ends[0];
	int result = start(arguments, in, ends[1], &pid);

	close(ends[1]);
	if (result == -ENOENT)
		polc_environment_error("git is not installed");
	if (result)
		return result;
	result = read_to_end(from, out, n);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!result && (!WIFEXITED(status) || WEXITSTATUS(status)))
		result = -EIO;
	return result;
}

static bool is_hidden(const char *name)
{
	return name[0] == '.' || strstr(name, "/.");
}

static int compare_blobs(const void *a, const void *b)
{
	return strcmp(((const struct blob *)a)->name, ((const struct blob *)b)->name);
}

/* In the working tree these are read: without them the set would be another one. */
static void refuse_entry(struct polc *polc, const char *mode, const char *name)
{
	bool link = !strncmp(mode, "120", 3) && polc_files_has_policy_suffix(name);

	if (!is_hidden(name) && (link || !strncmp(mode, "160", 3)))
		polc_error(polc, (struct polc_span){0}, POLC_CODE_FILE_UNREADABLE,
			"%s is a %s, which is not followed in git", name,
			link ? "symbolic link" : "submodule");
}

/* Records "MODE TYPE ID\tNAME\0" of ls-tree. */
static void parse_tree(struct polc *polc, const char *text, size_t n, blob_list *blobs)
{
	for (const char *at = text; at < text + n; at += strlen(at) + 1) {
		const char *tab = strchr(at, '\t'), *space = strchr(at, ' ');

		if (!tab || !space)
			continue;
		if (strncmp(at, "100", 3) || strncmp(space, " blob ", 6)) {
			refuse_entry(polc, at, tab + 1);
			continue;
		}
		if (!polc_files_has_policy_suffix(tab + 1) || is_hidden(tab + 1))
			continue;
		*polc_vec_push(&polc->arena, blobs) = (struct blob){
			.id = polc_arena_strndup(
				&polc->arena, space + 6, (size_t)(tab - space - 6)),
			.name = polc_arena_strndup(&polc->arena, tab + 1, strlen(tab + 1)),
		};
	}
	if (blobs->n)
		qsort(blobs->items, blobs->n, sizeof(*blobs->items), compare_blobs);
}

/* The names of objects, one per line, in memory, to be read from its beginning. */
static int list_of(const blob_list *blobs)
{
	POLB_FD fd = memfd_create("polc-git", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < blobs->n; i++)
		if (dprintf(fd, "%s\n", blobs->items[i].id) < 0)
			return -EIO;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return polb_take_fd(&fd);
}

struct reading {
	struct polc *polc;
	polc_file_function *function;
	void *data;
};

static void add_source(
	const struct reading *r, const char *path, const char *text, size_t n, bool named)
{
	if (polc_files_too_large(r->polc, path, n))
		return;
	r->function(
		r->data, polc_source_add(&r->polc->arena, &r->polc->sources, path, text, n), named);
}

/* "ID blob SIZE\n", the bytes, "\n", for each. */
static int parse_blobs(const struct reading *r, const char *revision_path, const blob_list *blobs,
	const char *text, size_t n)
{
	const char *at = text, *end = text + n;
	size_t length = strlen(revision_path);
	const char *joint = strchr(":/", revision_path[length - 1]) ? "" : "/";

	for (size_t i = 0; i < blobs->n; i++) {
		const char *line = memchr(at, '\n', (size_t)(end - at));
		const char *space = line ? memrchr(at, ' ', (size_t)(line - at)) : NULL;

		if (!space)
			return -EPROTO;
		unsigned long size = strtoul(space + 1, NULL, 10);

		if (space[1] < '0' || space[1] > '9' || size >= (unsigned long)(end - line) - 1)
			return -EPROTO; /* "ID missing" */
		add_source(r,
			polc_arena_printf(&r->polc->arena, "%s%s%s", revision_path, joint,
				blobs->items[i].name),
			line + 1, size, false);
		at = line + 1 + size + 1;
	}
	return 0;
}

static int read_tree(const struct reading *r, const char *revision_path)
{
	const char *const list[] = {
		"git", "ls-tree", "-r", "-z", "--full-tree", revision_path, NULL};
	const char *const print[] = {"git", "cat-file", "--batch", NULL};
	POLB_FREE char *tree = NULL, *text = NULL;
	blob_list blobs = {0};
	size_t n;
	int result = run_git(list, -1, &tree, &n);

	if (result)
		return result;
	parse_tree(r->polc, tree, n, &blobs);
	POLB_FD names = list_of(&blobs);

	if (names < 0)
		return names;
	result = run_git(print, names, &text, &n);
	return result ? result : parse_blobs(r, revision_path, &blobs, text, n);
}

int polc_git_read(
	struct polc *polc, const char *revision_path, polc_file_function *function, void *data)
{
	const struct reading r = {polc, function, data};
	const char *const ask[] = {"git", "cat-file", "-t", revision_path, NULL};
	const char *const print[] = {"git", "cat-file", "blob", revision_path, NULL};
	POLB_FREE char *type = NULL, *text = NULL;
	size_t n;
	int result = run_git(ask, -1, &type, &n);

	if (!result && !strcmp(type, "tree\n")) {
		result = read_tree(&r, revision_path);
	} else if (!result) {
		result = run_git(print, -1, &text, &n);
		if (!result)
			add_source(&r, revision_path, text, n, true);
	}
	if (result)
		polc_environment_error("cannot read %s from git", revision_path);
	return result;
}
