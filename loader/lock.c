/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Two locks, both flock on a directory of pins. The root's is held by whoever changes something,
 * for all of its time; readers do not ask for it. A name's own is shared by those who read there,
 * and exclusive for the moments in which something that is read goes away.
 */
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "runtime/cleanup.h"

#define DEFAULT_WAIT_S 30.0
#define LOOK_NS 5000000L
/* A reader whose output nobody takes must not keep a policy from coming into force. */
#define READERS_S 1.0

static double wait_s = DEFAULT_WAIT_S;

void pold_lock_wait_set(double seconds)
{
	wait_s = seconds;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A line of /proc/locks: "1: FLOCK  ADVISORY  WRITE 4711 00:1c:12 0 EOF". 0: not this file. */
static long holder_in(const char *line, const struct stat *file)
{
	unsigned int device[2];
	unsigned long inode;
	char mode[8];
	long pid;

	if (sscanf(line, "%*d: FLOCK ADVISORY %7s %ld %x:%x:%lu", mode, &pid, &device[0],
		    &device[1], &inode) != 5)
		return 0;
	return makedev(device[0], device[1]) == file->st_dev && inode == file->st_ino ? pid : 0;
}

static void name_process(long pid, char *out, size_t size)
{
	char path[64], comm[32] = "";
	POLB_FD fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, comm, sizeof(comm) - 1);
	comm[n > 0 ? n : 0] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	snprintf(
		out, size, " by process %ld%s%s%s", pid, *comm ? " (" : "", comm, *comm ? ")" : "");
}

/* Who has it, as far as /proc tells; else "". */
static void describe_holder(int fd, char *out, size_t size)
{
	FILE *locks = fopen("/proc/locks", "re");
	struct stat file;
	char line[256];
	long pid = 0;

	out[0] = '\0';
	if (locks && fstat(fd, &file) == 0)
		while (pid <= 0 && fgets(line, sizeof(line), locks))
			pid = holder_in(line, &file);
	if (locks)
		fclose(locks);
	if (pid > 0)
		name_process(pid, out, size);
}

/* 0; -EWOULDBLOCK: somebody has it still; or -errno. */
static int take(int fd, bool exclusive, double seconds)
{
	const struct timespec look = {.tv_nsec = LOOK_NS};
	double until = now_s() + seconds;

	while (flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (pold_interrupted())
			return -EINTR;
		if (now_s() >= until)
			return -EWOULDBLOCK;
		nanosleep(&look, NULL);
	}
	return 0;
}

int pold_lock_take(int fd, const char *path, bool exclusive)
{
	int err = take(fd, exclusive, wait_s);
	char holder[128];

	if (err == -EINTR)
		return pold_fail(POLD_ENVIRONMENT, "interrupted: nothing has changed");
	if (err && err != -EWOULDBLOCK)
		return pold_fail(POLD_ENVIRONMENT, "cannot lock %s: %s", path, strerror(-err));
	if (!err)
		return POLD_OK;
	describe_holder(fd, holder, sizeof(holder));
	return pold_fail(POLD_ENVIRONMENT,
		"%s is locked%s: given up after %g s (--wait TIME waits longer)", path, holder,
		wait_s);
}

static int open_name(const char *name, char path[POLD_PATH])
{
	pold_path(path, POLD_ROOT "/%s", name);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int pold_readers_lock(const char *name, int *lock_fd)
{
	char path[POLD_PATH];
	POLB_FD fd = open_name(name, path);
	int code;

	if (fd < 0 && errno != EACCES)
		return pold_fail(POLD_ENVIRONMENT, "nothing is applied under the name %s", name);
	code = pold_root_check();
	if (code)
		return code;
	if (fd < 0)
		return pold_fail(POLD_ENVIRONMENT, "%s: %s", path, strerror(EACCES));
	code = pold_lock_take(fd, path, false);
	if (!code)
		*lock_fd = polb_take_fd(&fd);
	return code;
}

int pold_readers_keep_off(const char *name)
{
	char path[POLD_PATH];
	POLB_FD fd = open_name(name, path);

	if (fd >= 0)
		take(fd, true, READERS_S);
	return polb_take_fd(&fd);
}
