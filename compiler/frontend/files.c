/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finding and reading the files behind a command line argument: see files.h. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)64 << 20)

struct walk {
	struct polc *polc;
	polc_file_function *function;
	void *data;
};

/* The directories that the walk is in, to find symbolic links that lead back. */
struct directory {
	const struct directory *parent;
	dev_t device;
	ino_t inode;
};

static int unreadable(const char *path, int error)
{
	polc_environment_error("cannot read %s: %s", path, strerror(error));
	return -error;
}

static void free_text(char **text)
{
	free(*text);
}

static void close_file(int *fd)
{
	if (*fd > STDIN_FILENO)
		close(*fd);
}

/* Reads to the end, or one byte more than is allowed. Returns -errno. */
static int read_all(int fd, char **out, size_t *n_out)
{
	size_t n = 0, cap = 0;

	for (;;) {
		ssize_t got;

		if (cap - n < 4096) {
			char *bigger = realloc(*out, cap = cap ? cap * 2 : 16384);

			if (!bigger)
				return -ENOMEM;
			*out = bigger;
		}
		got = read(fd, *out + n, cap - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		n += (size_t)got;
		if (!got || n > FILE_BYTES_MAX)
			break;
	}
	*n_out = n;
	return 0;
}

bool polc_files_too_large(struct polc *polc, const char *shown, size_t n)
{
	if (n <= FILE_BYTES_MAX)
		return false;
	polc_error(polc, (struct polc_span){0}, POLC_CODE_YAML_LIMIT, "%s is larger than 64 MiB",
		shown);
	return true;
}

static int read_descriptor(
	struct walk *walk, int fd, const char *path, const char *shown, bool named)
{
	__attribute__((cleanup(free_text))) char *text = NULL;
	struct polc *polc = walk->polc;
	size_t n = 0;
	uint32_t source;
	int result = read_all(fd, &text, &n);

	if (result < 0)
		return unreadable(path, -result);
	if (polc_files_too_large(polc, shown, n))
		return 0;
	source = polc_source_add(&polc->arena, &polc->sources, shown, text, n);
	if (fd != STDIN_FILENO)
		polc->sources.list.items[source].file =
			polc_arena_strndup(&polc->arena, path, strlen(path));
	walk->function(walk->data, source, named);
	return 0;
}

static int read_file(struct walk *walk, const char *path, const char *shown, bool named)
{
	__attribute__((cleanup(close_file))) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return unreadable(path, errno);
	return read_descriptor(walk, fd, path, shown, named);
}

bool polc_files_has_policy_suffix(const char *name)
{
	static const char *const suffixes[] = {".yaml", ".yml", ".json", ".pol"};
	size_t length = strlen(name);

	for (size_t i = 0; i < POLC_ARRAY_SIZE(suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (length > n && !strcmp(name + length - n, suffixes[i]))
			return true;
	}
	return false;
}

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* By bytes: alphasort would ask the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static const char *join(struct polc *polc, const char *directory, const char *name)
{
	size_t n = strlen(directory);

	if (!n)
		return polc_arena_printf(&polc->arena, "%s", name);
	return polc_arena_printf(
		&polc->arena, "%s%s%s", directory, directory[n - 1] == '/' ? "" : "/", name);
}

static int read_directory(struct walk *walk, const char *path, const char *shown,
	const struct directory *parent, const struct stat *info);

static bool leads_back(const struct directory *directory, const struct stat *info)
{
	for (; directory; directory = directory->parent)
		if (directory->device == info->st_dev && directory->inode == info->st_ino)
			return true;
	return false;
}

static int read_entry(
	struct walk *walk, const char *path, const char *shown, const struct directory *directory)
{
	struct stat info;

	if (stat(path, &info)) {
		if (!polc_files_has_policy_suffix(path) &&
			errno == ENOENT) /* a dangling link to elsewhere */
			return 0;
		return unreadable(path, errno);
	}
	if (S_ISDIR(info.st_mode))
		return leads_back(directory, &info)
			       ? 0
			       : read_directory(walk, path, shown, directory, &info);
	if (!polc_files_has_policy_suffix(path))
		return 0;
	if (S_ISREG(info.st_mode))
		return read_file(walk, path, shown, false);
	polc_error(walk->polc, (struct polc_span){0}, POLC_CODE_FILE_UNREADABLE,
		"%s is not a regular file", shown);
	return 0;
}

/* Goes on after an unreadable entry, so that all of them are named; returns the first error. */
static int read_directory(struct walk *walk, const char *path, const char *shown,
	const struct directory *parent, const struct stat *info)
{
	struct directory self = {parent, info->st_dev, info->st_ino};
	struct dirent **entries;
	int n = scandir(path, &entries, is_shown, by_name), result = 0;

	if (n < 0)
		return unreadable(path, errno);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		int entry_result = read_entry(
			walk, join(walk->polc, path, name), join(walk->polc, shown, name), &self);

		if (!result)
			result = entry_result;
		free(entries[i]);
	}
	free(entries);
	return result;
}

/* How the files of an argument are shown: openable when relative, never absolute. */
static const char *shown_path(struct polc *polc, const char *path)
{
	size_t n = strlen(path);
	const char *shown, *slash;

	while (n && path[n - 1] == '/')
		n--;
	shown = polc_arena_strndup(&polc->arena, path, n);
	if (!strcmp(shown, "."))
		return "";
	if (path[0] != '/')
		return shown;
	slash = strrchr(shown, '/');
	return slash ? slash + 1 : "";
}

int polc_files_read(struct polc *polc, const char *path, polc_file_function *function, void *data)
{
	struct walk walk = {polc, function, data};
	struct stat info;

	if (!strcmp(path, "-"))
		return read_descriptor(&walk, STDIN_FILENO, POLC_STDIN_PATH, POLC_STDIN_PATH, true);
	if (stat(path, &info))
		return unreadable(path, errno);
	if (S_ISDIR(info.st_mode))
		return read_directory(&walk, path, shown_path(polc, path), NULL, &info);
	return read_file(&walk, path, shown_path(polc, path), true);
}
