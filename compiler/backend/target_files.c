/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The files of a target: those that the kernel told, its image (for polc verify), configuration,
 * and the types of its modules, which are sections of the modules' files.
 */
#include "target_files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <gelf.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "../../runtime/bundle.h"
#include "../../runtime/cleanup.h"
#include "../../runtime/cpio.h"

extern char **environ;

#define UNPACKED_MAX ((size_t)1 << 30)

struct output {
	struct polc *polc;
	const char *directory;
};

/* ---- files ---- */

int polc_make_directories(const char *path)
{
	char copy[PATH_MAX];

	if (strlen(path) >= sizeof(copy))
		return -ENAMETOOLONG;
	strcpy(copy, path);
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0777) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int write_file(const struct output *out, const char *name, const void *data, size_t size)
{
	const char *path = polc_arena_printf(&out->polc->arena, "%s/%s", out->directory, name);
	int err = polc_make_directories(path);
	FILE *file = err ? NULL : fopen(path, "we");

	if (!err && !file)
		err = -errno;
	if (file && fwrite(data, 1, size, file) != size)
		err = -EIO;
	if (file && fclose(file) && !err)
		err = -errno;
	if (err)
		polc_environment_error("cannot write %s: %s", path, strerror(-err));
	return err;
}

/* A file of the user's under another name. */
static int copy_file(const struct output *out, const char *path, const char *name)
{
	POLB_FREE void *data = NULL;
	size_t size;
	int err = polb_file_read(path, &data, &size);

	if (err) {
		polc_environment_error("cannot read %s: %s", path, strerror(-err));
		return err;
	}
	return write_file(out, name, data, size);
}

/* ---- the archive ---- */

/* gzip's content, malloc'd; NULL: broken or too large. */
static void *unpack(const void *data, size_t size, size_t *out_size)
{
	z_stream stream = {.next_in = (unsigned char *)(uintptr_t)data, .avail_in = (unsigned)size};
	size_t capacity = size * 4 + 65536;
	POLB_FREE char *out = malloc(capacity);
	int result = Z_OK;

	if (!out || size > UINT32_MAX || inflateInit2(&stream, 15 + 16) != Z_OK)
		return NULL;
	while (result == Z_OK) {
		if (stream.total_out == capacity) {
			char *more = capacity < UNPACKED_MAX ? realloc(out, capacity * 2) : NULL;

			if (!more)
				break;
			out = more;
			capacity *= 2;
		}
		stream.next_out = (unsigned char *)out + stream.total_out;
		stream.avail_out = (unsigned)(capacity - stream.total_out);
		result = inflate(&stream, Z_NO_FLUSH);
	}
	*out_size = stream.total_out;
	inflateEnd(&stream);
	return result == Z_STREAM_END ? POLB_TAKE(out) : NULL;
}

static int write_entry(const struct output *out, const struct polb_cpio_entry *entry)
{
	POLB_FREE void *plain = NULL;
	size_t size;

	if (strcmp(entry->name, "config.gz") != 0)
		return write_file(out, entry->name, entry->data, entry->size);
	plain = unpack(entry->data, entry->size, &size);
	return plain ? write_file(out, "config", plain, size) : 0;
}

static int write_archive(const struct output *out, const struct polc_target_sources *sources)
{
	struct polb_cpio_entry entry;
	size_t size = 0, offset = 0;
	POLB_FREE void *archive = unpack(sources->archive, sources->archive_size, &size);
	bool has_types = false;
	int more = -EINVAL, err = 0;

	while (archive && !err && (more = polb_cpio_next(archive, size, &offset, &entry)) == 1) {
		has_types |= !strcmp(entry.name, "vmlinux.btf");
		err = write_entry(out, &entry);
	}
	if (!err && more < 0)
		polc_environment_error("the kernel's answer is cut or broken");
	else if (!err && !has_types)
		polc_environment_error("this kernel has no type information of itself "
				       "(CONFIG_DEBUG_INFO_BTF): it can be no target");
	return err ? err : more < 0 || !has_types ? -EINVAL : 0;
}

/* ---- symbols ---- */

/* As /proc/kallsyms, with 0 for the addresses. */
static int write_system_map(const struct output *out, const char *path)
{
	struct polc_buf text = {.arena = &out->polc->arena};
	POLB_FREE char *line = NULL;
	size_t capacity = 0;
	FILE *file = fopen(path, "re");

	if (!file) {
		polc_environment_error("cannot read %s: %s", path, strerror(errno));
		return -errno;
	}
	while (getline(&line, &capacity, file) > 0) {
		const char *rest = strchr(line, ' ');

		if (rest)
			polc_buf_printf(&text, "0%s", rest);
	}
	fclose(file);
	return write_file(out, "kallsyms", text.n ? text.p : "", text.n);
}

/* ---- modules ---- */

static const struct {
	const char *suffix, *program; /* NULL: as it is */
} packings[] = {{".ko", NULL}, {".ko.xz", "xz"}, {".ko.zst", "zstd"}, {".ko.gz", "gzip"}};

static bool has_suffix(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n > m && !strcmp(text + n - m, suffix);
}

/* What a program writes of a file, malloc'd; NULL: it failed. */
static void *unpack_by(const char *program, const char *path, size_t *size)
{
	const char *const words[] = {program, "-dcq", path, NULL};
	posix_spawn_file_actions_t actions;
	char link[32];
	void *data = NULL;
	int ends[2], status = -1;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", ends[0]);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	if (posix_spawnp(&pid, program, &actions, NULL, (char *const *)words, environ) == 0) {
		close(ends[1]);
		if (polb_file_read(link, &data, size))
			data = NULL;
		waitpid(pid, &status, 0);
	} else {
		close(ends[1]);
	}
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	if (status) {
		free(data);
		return NULL;
	}
	return data;
}

/* "nf-tables.ko.xz" -> "modules/nf_tables.btf", as the kernel calls it. */
static const char *module_file(struct polc_arena *arena, const char *name)
{
	char *out = polc_arena_printf(arena, "modules/%.*s.btf", (int)strcspn(name, "."), name);

	for (char *dash = out; (dash = strchr(dash, '-'));)
		*dash = '_';
	return out;
}

static void end_elf(Elf **elf)
{
	elf_end(*elf);
}

static Elf_Data *find_types(Elf *elf)
{
	size_t names;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	if (!elf || elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;

		if (name && !strcmp(name, ".BTF"))
			return elf_rawdata(section, NULL);
	}
	return NULL;
}

/* A module without types has no section: no error. */
static int write_types(const struct output *out, const char *name, void *module, size_t size)
{
	__attribute__((cleanup(end_elf))) Elf *elf = NULL;
	const Elf_Data *types;

	elf_version(EV_CURRENT);
	elf = elf_memory(module, size);
	types = find_types(elf);
	return types ? write_file(out, module_file(&out->polc->arena, name), types->d_buf,
			       types->d_size)
		     : 0;
}

static int write_module(const struct output *out, const char *path, const char *name)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(packings); i++) {
		POLB_FREE void *data = NULL;
		size_t size = 0;

		if (!has_suffix(name, packings[i].suffix))
			continue;
		if (packings[i].program)
			data = unpack_by(packings[i].program, path, &size);
		else if (polb_file_read(path, &data, &size))
			data = NULL;
		if (data)
			return write_types(out, name, data, size);
		polc_environment_error("cannot read %s%s%s", path,
			packings[i].program ? ": needs " : "",
			packings[i].program ? packings[i].program : "");
		return -EIO;
	}
	return 0;
}

/* nftw() takes no context. */
static __thread const struct output *modules_output;
static __thread size_t n_modules;

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	n_modules += type == FTW_F && strstr(path + ftw->base, ".ko");
	return type == FTW_F ? write_module(modules_output, path, path + ftw->base) : 0;
}

static int write_modules(const struct output *out, const char *directory)
{
	int err;

	modules_output = out;
	n_modules = 0;
	err = nftw(directory, visit, 32, FTW_PHYS);
	if (err == -1)
		polc_environment_error("cannot read %s: %s", directory, strerror(errno));
	else if (!err && !n_modules)
		polc_environment_error("no modules (*.ko) in %s", directory);
	return err ? err : n_modules ? 0 : -ENOENT;
}

int polc_target_write(
	struct polc *polc, const char *directory, const struct polc_target_sources *sources)
{
	const struct output out = {polc, directory};
	int err = write_archive(&out, sources);

	if (!err && sources->config)
		err = copy_file(&out, sources->config, "config");
	if (!err && sources->system_map)
		err = write_system_map(&out, sources->system_map);
	if (!err && sources->modules)
		err = write_modules(&out, sources->modules);
	return err ? err : copy_file(&out, sources->image, "vmlinuz");
}
