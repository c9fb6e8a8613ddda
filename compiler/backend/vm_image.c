/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Files that machines are made of: kernel images by path or by name, and the static polload. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../ir/target.h"
#include "vm.h"

/* Documentation/arch/x86/boot.rst */
#define MAGIC_AT 0x202   /* "HdrS" */
#define VERSION_AT 0x20e /* u16: where the version's text is, from 0x200 */
#define HEAD_BYTES (64 << 10)

const char *polc_kernel_image_release(struct polc_arena *arena, const void *start, size_t size)
{
	const unsigned char *bytes = start;
	size_t at, n = 0;

	if (size < VERSION_AT + 2 || memcmp(bytes + MAGIC_AT, "HdrS", 4) != 0)
		return NULL;
	at = 0x200 + (size_t)(bytes[VERSION_AT] | bytes[VERSION_AT + 1] << 8);
	while (at + n < size && bytes[at + n] > ' ' && bytes[at + n] < 0x7f)
		n++;
	return n && at > 0x200 && at + n < size
		       ? polc_arena_strndup(arena, (const char *)bytes + at, n)
		       : NULL;
}

static const char *image_below(struct polc *polc, const char *name)
{
	const char *directory = polc_target_directory(&polc->arena, name);
	const char *path;

	if (!directory)
		return NULL;
	path = polc_arena_printf(&polc->arena, "%s/vmlinuz", directory);
	return access(path, F_OK) ? NULL : path;
}

static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISDIR(st.st_mode);
}

bool polc_kernel_image_known(struct polc *polc, const char *image)
{
	return image_below(polc, image) != NULL;
}

int polc_kernel_image_find(struct polc *polc, const char *image, struct polc_kernel_image *out)
{
	char *head = polc_arena_alloc(&polc->arena, HEAD_BYTES), absolute[PATH_MAX];
	const char *path = is_file(image) ? image : image_below(polc, image);
	FILE *file;
	size_t n;

	if (!path) {
		polc_environment_error("no kernel \"%s\": neither an image, nor a directory or "
				       "installed target with a vmlinuz",
			image);
		return -ENOENT;
	}
	file = fopen(path, "re");
	if (!file || !realpath(path, absolute)) {
		int err = errno;

		polc_environment_error("cannot read %s: %s", path, strerror(err));
		if (file)
			fclose(file);
		return -err;
	}
	n = fread(head, 1, HEAD_BYTES, file);
	fclose(file);
	out->path = polc_arena_strndup(&polc->arena, absolute, strlen(absolute));
	out->release = polc_kernel_image_release(&polc->arena, head, n);
	if (out->release)
		return 0;
	polc_environment_error("%s is no x86-64 kernel image (bzImage, as /boot/vmlinuz-*)", path);
	return -EINVAL;
}

/* The directory that polc itself is in; "." when it cannot be found out. */
static const char *own_directory(struct polc_arena *arena)
{
	char own[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	const char *slash = n > 0 ? memrchr(own, '/', (size_t)n) : NULL;

	return slash ? polc_arena_strndup(arena, own, (size_t)(slash - own)) : ".";
}

const char *polc_polload_find(struct polc *polc, const char *path, bool standalone)
{
	static const char *const places[] = {
		"polload-static", "../lib/polc/polload-static", "polload", "../sbin/polload"};
	const char *directory = own_directory(&polc->arena);

	if (path && !access(path, R_OK | X_OK))
		return path;
	if (path) {
		polc_environment_error("cannot run %s: %s", path, strerror(errno));
		return NULL;
	}
	for (size_t i = 0; i < (standalone ? 2 : POLC_ARRAY_SIZE(places)); i++) {
		path = polc_arena_printf(&polc->arena, "%s/%s", directory, places[i]);
		if (!access(path, R_OK | X_OK))
			return path;
	}
	polc_environment_error("no %s beside polc: build it (make polload-static), or name it with "
			       "--polload",
		standalone ? "polload-static" : "polload");
	return NULL;
}
