/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Writing a result whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static int write_stdout(const void *data, size_t size)
{
	if (isatty(STDOUT_FILENO)) {
		polc_environment_error("refusing to write a binary to the terminal");
		return -ENOTTY;
	}
	int result = write_all(STDOUT_FILENO, data, size);

	if (result < 0)
		polc_environment_error("cannot write to standard output: %s", strerror(-result));
	return result;
}

/* mkstemp makes files private; the result gets what open() would have given it. */
static int give_usual_mode(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	return fchmod(fd, 0666 & ~mask) < 0 ? -errno : 0;
}

static int fill_and_rename(
	int fd, const char *temporary, const char *path, const void *data, size_t size)
{
	int result = write_all(fd, data, size);

	if (!result)
		result = give_usual_mode(fd);
	if (!result && fsync(fd) < 0)
		result = -errno;
	if (close(fd) < 0 && !result)
		result = -errno;
	if (!result && rename(temporary, path) < 0)
		result = -errno;
	if (result)
		unlink(temporary);
	return result;
}

int polc_cmd_write_file(const char *path, const void *data, size_t size)
{
	struct polc_arena arena = {0};

	if (!strcmp(path, "-"))
		return write_stdout(data, size);
	char *temporary = polc_arena_printf(&arena, "%s.XXXXXX", path);
	int fd = mkstemp(temporary);
	int result = fd < 0 ? -errno : fill_and_rename(fd, temporary, path, data, size);

	if (result < 0)
		polc_environment_error("cannot write %s: %s", path, strerror(-result));
	polc_arena_free(&arena);
	return result;
}
