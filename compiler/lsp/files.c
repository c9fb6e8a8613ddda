/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The files that the server knows: those below the workspace's folders that hold policies, the
 * inventories of the command line, and documents that are open. Texts are kept, so that a change
 * in one document reads no other again.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../frontend/files.h"
#include "lsp.h"

/* URIs */

static int hex(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static const char *unescape(struct polc_arena *arena, const char *text)
{
	struct polc_buf out = {.arena = arena};

	for (; *text; text++) {
		int high = *text == '%' ? hex(text[1]) : -1, low = high >= 0 ? hex(text[2]) : -1;
		char c = low >= 0 ? (char)(high << 4 | low) : *text;

		if (!c)
			return NULL;
		polc_buf_add(&out, &c, 1);
		text += low >= 0 ? 2 : 0;
	}
	return out.p ? out.p : "";
}

/* file:///path or file://host/path, whose host is this one. */
const char *lsp_path_of_uri(struct polc_arena *arena, const char *uri)
{
	const char *path;

	if (strncmp(uri, "file://", 7))
		return NULL;
	path = strchr(uri + 7, '/');
	return path ? unescape(arena, path) : NULL;
}

static const char *uri_of_path(struct polc_arena *arena, const char *path)
{
	struct polc_buf out = {.arena = arena};

	polc_buf_puts(&out, "file://");
	for (; *path; path++) {
		if (isalnum((unsigned char)*path) || strchr("/-._~", *path))
			polc_buf_add(&out, path, 1);
		else
			polc_buf_printf(&out, "%%%02X", (unsigned char)*path);
	}
	return out.p;
}

/* The list */

static const char *shown_path(const struct lsp *lsp, struct polc_arena *arena, const char *path)
{
	size_t n = lsp->root ? strlen(lsp->root) : 0;

	if (n && !strncmp(path, lsp->root, n) && path[n] == '/')
		return polc_arena_printf(arena, "%s", path + n + 1);
	return polc_arena_printf(arena, "%s", path);
}

/* Documents that are no files are shown by the end of their name. */
static const char *shown_uri(struct polc_arena *arena, const char *uri)
{
	const char *name = strpbrk(uri, ":");
	const char *slash = strrchr(uri, '/');

	name = slash && slash[1] ? slash : name;
	return polc_arena_printf(arena, "%s", name && name[1] ? name + 1 : uri);
}

static struct lsp_file *file_new(struct lsp *lsp, const char *uri, const char *path)
{
	struct lsp_file *file = calloc(1, sizeof(*file));

	if (!file) {
		polc_environment_error("out of memory");
		exit(POLC_EXIT_ENVIRONMENT);
	}
	file->uri =
		uri ? polc_arena_printf(&file->names, "%s", uri) : uri_of_path(&file->names, path);
	file->path = path ? polc_arena_printf(&file->names, "%s", path) : NULL;
	file->shown = path ? shown_path(lsp, &file->names, path) : shown_uri(&file->names, uri);
	file->text = "";
	*polc_vec_push(&lsp->polc.arena, &lsp->files) = file;
	lsp->stale = true;
	return file;
}

static void file_free(struct lsp_file *file)
{
	polc_arena_free(&file->arena);
	polc_arena_free(&file->names);
	free(file->published);
	free(file);
}

static struct lsp_file *find_path(const struct lsp *lsp, const char *path)
{
	for (size_t i = 0; i < lsp->files.n; i++)
		if (lsp->files.items[i]->path && !strcmp(lsp->files.items[i]->path, path))
			return lsp->files.items[i];
	return NULL;
}

/* Clients differ in what they escape: files are the same when their paths are. */
struct lsp_file *lsp_file_find(const struct lsp *lsp, const char *uri)
{
	struct polc_arena scratch = {0};
	const char *path = lsp_path_of_uri(&scratch, uri);
	struct lsp_file *file = path ? find_path(lsp, path) : NULL;

	polc_arena_free(&scratch);
	for (size_t i = 0; !file && i < lsp->files.n; i++)
		if (!strcmp(lsp->files.items[i]->uri, uri))
			file = lsp->files.items[i];
	return file;
}

struct lsp_file *lsp_file_of_uri(struct lsp *lsp, const char *uri)
{
	struct lsp_file *file = lsp_file_find(lsp, uri);

	if (!file)
		file = file_new(lsp, uri, lsp_path_of_uri(&lsp->scratch, uri));
	/* what the client calls it is what diagnostics must call it */
	if (strcmp(file->uri, uri))
		file->uri = polc_arena_printf(&file->names, "%s", uri);
	return file;
}

/* Reading */

static bool holds(const char *text, size_t n, const char *word)
{
	return n && memmem(text, n, word, strlen(word));
}

/* A workspace is full of YAML that is none of our business: only files that name a policy count. */
static bool names_policy(const char *text, size_t n)
{
	return holds(text, n, "NetworkPolicy") || holds(text, n, "TracingPolicy") ||
	       holds(text, n, "CiliumCIDRGroup");
}

static bool has_suffix(const char *path, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);

	return n > m && !strcmp(path + n - m, suffix);
}

struct scan {
	struct lsp *lsp;
	struct polc *polc;
	const char *parent; /* the directory that shown paths begin in, with its slash */
	bool inventory;
	bool named; /* by the command line: counts whatever it holds */
};

static void take(void *data, uint32_t number, bool named)
{
	struct scan *scan = data;
	const struct polc_source *source = polc_source_get(&scan->polc->sources, number);
	const char *path =
		polc_arena_printf(&scan->polc->arena, "%s%s", scan->parent, source->path);
	struct lsp_file *file;

	(void)named;
	if (!scan->inventory && !scan->named && !has_suffix(path, ".pol") &&
		!names_policy(source->text, source->len))
		return;
	file = find_path(scan->lsp, path);
	if (!file)
		file = file_new(scan->lsp, NULL, path);
	file->inventory |= scan->inventory;
	file->found |= !scan->inventory;
	if (!file->open)
		lsp_file_set_text(file, source->text, source->len);
	scan->lsp->stale = true;
}

/* A file or a directory; what cannot be read is said on stderr, where clients keep a log. */
static void scan_path(struct lsp *lsp, const char *path, bool inventory, bool named)
{
	char *real = realpath(path, NULL), *slash = real ? strrchr(real, '/') : NULL;
	struct polc polc;

	if (!real) {
		polc_environment_error("cannot read %s", path);
		return;
	}
	polc_init(&polc);
	struct scan scan = {lsp, &polc,
		polc_arena_strndup(&polc.arena, real, (size_t)(slash - real) + 1), inventory,
		named};

	polc_files_read(&polc, real, take, &scan);
	polc_free(&polc);
	free(real);
}

void lsp_file_read(struct lsp *lsp, struct lsp_file *file)
{
	struct stat status;

	lsp->stale = true;
	if (!file->path || file->open)
		return;
	file->found = false;
	lsp_file_set_text(file, "", 0);
	if (!stat(file->path, &status) && S_ISREG(status.st_mode))
		scan_path(lsp, file->path, file->inventory, false);
}

void lsp_path_scan(struct lsp *lsp, const char *path)
{
	struct stat status;

	if (!stat(path, &status) && S_ISREG(status.st_mode))
		scan_path(lsp, path, false, false);
}

bool lsp_path_is_ours(const struct lsp *lsp, const char *path)
{
	for (size_t i = 0; i < lsp->folders.n; i++) {
		size_t n = strlen(lsp->folders.items[i]);

		if (!strncmp(path, lsp->folders.items[i], n) && path[n] == '/')
			return has_suffix(path, ".yaml") || has_suffix(path, ".yml") ||
			       has_suffix(path, ".json") || has_suffix(path, ".pol");
	}
	return false;
}

void lsp_folder_add(struct lsp *lsp, const char *path)
{
	struct polc_arena *arena = &lsp->polc.arena;
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	path = polc_arena_strndup(arena, path, n);
	*polc_vec_push(arena, &lsp->folders) = path;
	if (!lsp->root)
		lsp->root = path;
}

void lsp_folder_remove(struct lsp *lsp, const char *path)
{
	size_t kept = 0;

	for (size_t i = 0; i < lsp->folders.n; i++)
		if (strcmp(lsp->folders.items[i], path))
			lsp->folders.items[kept++] = lsp->folders.items[i];
	lsp->folders.n = kept;
	for (size_t i = 0; i < lsp->files.n; i++) {
		struct lsp_file *file = lsp->files.items[i];

		file->found = file->found && file->path && lsp_path_is_ours(lsp, file->path);
	}
	lsp->stale = true;
}

void lsp_files_scan(struct lsp *lsp)
{
	const struct polc_lsp_options *options = lsp->options;

	for (size_t i = 0; i < options->n_inventories; i++)
		scan_path(lsp, options->inventories[i], true, true);
	for (size_t i = 0; i < options->n_policies; i++)
		scan_path(lsp, options->policies[i], false, true);
	for (size_t i = 0; !options->n_policies && i < lsp->folders.n; i++)
		scan_path(lsp, lsp->folders.items[i], false, false);
}

/* Those whose diagnostics the client still shows wait until these are taken back. */
void lsp_files_sweep(struct lsp *lsp)
{
	size_t kept = 0;

	for (size_t i = 0; i < lsp->files.n; i++) {
		struct lsp_file *file = lsp->files.items[i];

		if (file->open || file->found || file->inventory || file->published)
			lsp->files.items[kept++] = file;
		else
			file_free(file);
	}
	lsp->files.n = kept;
}

void lsp_files_free(struct lsp *lsp)
{
	for (size_t i = 0; i < lsp->files.n; i++)
		file_free(lsp->files.items[i]);
	lsp->files.n = 0;
}
