/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What only a running kernel tells, as the files of a target: BTF, symbols, the functions whose
 * result may be replaced, the formats of tracepoints, and its configuration where it has it.
 */
#include "guest.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "loader.h"
#include "runtime/cleanup.h"
#include "runtime/cpio.h"

#define EVENTS "/sys/kernel/tracing/events"
#define CHUNK 65536

struct archive {
	struct polb_cpio_writer writer;
	z_stream stream;
	FILE *out;
};

static int flush(struct archive *a, int how)
{
	unsigned char bytes[CHUNK];
	int result;

	do {
		a->stream.next_out = bytes;
		a->stream.avail_out = sizeof(bytes);
		result = deflate(&a->stream, how);
		if (result == Z_STREAM_ERROR ||
			fwrite(bytes, 1, sizeof(bytes) - a->stream.avail_out, a->out) !=
				sizeof(bytes) - a->stream.avail_out)
			return -EIO;
	} while (a->stream.avail_out == 0);
	return 0;
}

static int compress_some(void *context, const void *data, size_t size)
{
	struct archive *a = context;

	a->stream.next_in = (unsigned char *)(uintptr_t)data;
	a->stream.avail_in = (unsigned int)size;
	return flush(a, Z_NO_FLUSH);
}

static void add(struct archive *a, const char *name, const void *data, size_t size)
{
	polb_cpio_add(&a->writer,
		&(struct polb_cpio_entry){
			.name = name, .mode = POLB_CPIO_FILE, .data = data, .size = size});
}

/* A file as it is; one that cannot be read is left out. */
static void add_file(struct archive *a, const char *path, const char *name)
{
	POLB_FREE void *data = NULL;
	size_t size;

	if (polb_file_read(path, &data, &size) == 0 && size)
		add(a, name, data, size);
}

/* "ADDRESS T name\t[module]" with 0 as address: it differs from boot to boot and says nothing. */
static size_t without_addresses(char *text, size_t size)
{
	size_t from = 0, to = 0;

	while (from < size) {
		size_t line = from;

		while (from < size && isxdigit((unsigned char)text[from]))
			from++;
		if (from > line)
			text[to++] = '0';
		while (from < size && text[from] != '\n')
			text[to++] = text[from++];
		if (from < size)
			text[to++] = text[from++];
	}
	return to;
}

static void add_symbols(struct archive *a)
{
	POLB_FREE void *data = NULL;
	size_t size;

	if (polb_file_read("/proc/kallsyms", &data, &size) == 0)
		add(a, "kallsyms", data, without_addresses(data, size));
}

static void add_release(struct archive *a)
{
	struct utsname name;
	char line[sizeof(name.release) + 1];

	if (uname(&name))
		return;
	snprintf(line, sizeof(line), "%s\n", name.release);
	add(a, "release", line, strlen(line));
}

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* Every `format` below events/, with the directories that lead to it. */
static void add_formats(struct archive *a, const char *below, unsigned int depth)
{
	char path[POLD_PATH], name[POLD_PATH];
	const struct dirent *entry;

	pold_path(path, EVENTS "/%s", below);
	__attribute__((cleanup(close_directory))) DIR *directory = opendir(path);

	if (!directory)
		return;
	if (depth == 2) {
		pold_path(path, EVENTS "/%s/format", below);
		pold_path(name, "events/%s/format", below);
		add_file(a, path, name);
		return;
	}
	while ((entry = readdir(directory)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
			pold_path(name, "%s%s%s", below, *below ? "/" : "", entry->d_name);
			add_formats(a, name, depth + 1);
		}
}

static void add_all(struct archive *a)
{
	add_release(a);
	printf("polc: reading symbols and types\n");
	add_file(a, "/sys/kernel/btf/vmlinux", "vmlinux.btf");
	add_symbols(a);
	add_file(a, "/sys/kernel/debug/error_injection/list", "error_injection");
	add_file(a, "/proc/config.gz", "config.gz");
	printf("polc: reading tracepoints\n");
	add_formats(a, "", 0);
}

void pold_guest_facts(FILE *out)
{
	struct archive a = {.out = out};

	a.writer = (struct polb_cpio_writer){.write = compress_some, .context = &a};
	/* 16 more than the window's bits: with gzip's header and checksum */
	if (deflateInit2(&a.stream, 3, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return;
	add_all(&a);
	if (polb_cpio_end(&a.writer) == 0)
		flush(&a, Z_FINISH);
	deflateEnd(&a.stream);
}
