/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The directory of pins: made, locked, listed, removed. Knows paths, not what is pinned there. */
#include "loader.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "runtime/cleanup.h"

#define BPFFS "/sys/fs/bpf"
#define CAPABILITY_BPF 39 /* since 5.8; older headers lack it */

void pold_path(char out[POLD_PATH], const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(out, POLD_PATH, format, args);
	va_end(args);
	if (n < 0 || n >= POLD_PATH)
		out[0] = '\0'; /* names are short: cannot happen; an empty path fails safely */
}

static bool has_capability(const struct __user_cap_data_struct caps[2], unsigned int capability)
{
	return caps[capability / 32].effective & (1u << (capability % 32));
}

static int capabilities(struct __user_cap_data_struct caps[2])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	if (syscall(SYS_capget, &header, caps))
		return pold_fail(POLD_ENVIRONMENT, "cannot read capabilities: %s", strerror(errno));
	return POLD_OK;
}

int pold_privileged(void)
{
	struct __user_cap_data_struct caps[2] = {0};
	int code = capabilities(caps);

	if (code || has_capability(caps, CAP_SYS_ADMIN) ||
		(has_capability(caps, CAPABILITY_BPF) && has_capability(caps, CAP_NET_ADMIN)))
		return code;
	return pold_fail(POLD_ENVIRONMENT, "must be root (or have CAP_BPF and CAP_NET_ADMIN)");
}

int pold_may_read(void)
{
	struct __user_cap_data_struct caps[2] = {0};
	int code = capabilities(caps);

	if (code || has_capability(caps, CAP_SYS_ADMIN) || has_capability(caps, CAPABILITY_BPF))
		return code;
	return pold_fail(POLD_ENVIRONMENT, "must be root (or have CAP_BPF)");
}

/*
 * Before 5.11 maps, and cgroup storages made by attaching, are charged to this limit; libbpf raises
 * it only when it creates a map or loads a program itself.
 */
static void raise_memlock(void)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* newer kernels do not need it */
}

static int bpffs_ready(void)
{
	struct statfs fs;

	if (statfs(BPFFS, &fs))
		return pold_fail(POLD_ENVIRONMENT, BPFFS ": %s", strerror(errno));
	if (fs.f_type == BPF_FS_MAGIC || mount("bpf", BPFFS, "bpf", 0, "mode=0700") == 0)
		return POLD_OK;
	return pold_fail(POLD_ENVIRONMENT, "cannot mount bpffs on " BPFFS ": %s", strerror(errno));
}

void pold_prepare(void)
{
	struct statfs fs;

	raise_memlock();
	if (statfs(BPFFS, &fs) == 0 && fs.f_type != BPF_FS_MAGIC)
		(void)!mount("bpf", BPFFS, "bpf", 0, "mode=0700"); /* told when it is needed */
}

/* bpffs may let anybody make directories: ours is ours alone, or not used. */
static int check_root(int fd)
{
	struct stat status;

	if (fstat(fd, &status))
		return pold_fail(POLD_ENVIRONMENT, POLD_ROOT ": %s", strerror(errno));
	if (status.st_uid != geteuid())
		return pold_fail(POLD_ENVIRONMENT,
			POLD_ROOT " belongs to user %u: nothing in it is used (remove it)",
			(unsigned int)status.st_uid);
	if ((status.st_mode & 077) == 0)
		return POLD_OK;
	if (fchmod(fd, 0700))
		return pold_fail(POLD_ENVIRONMENT, POLD_ROOT ": %s", strerror(errno));
	pold_note("note: " POLD_ROOT " was open to others (mode %04o); it is 0700 now",
		(unsigned int)(status.st_mode & 07777));
	return POLD_OK;
}

int pold_root_check(void)
{
	POLB_FD fd = open(POLD_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == EACCES) /* somebody else's: whose, can be seen */
		fd = open(POLD_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? pold_fail(POLD_ENVIRONMENT, POLD_ROOT ": %s", strerror(errno))
		      : check_root(fd);
}

static int root_lock(int *lock_fd, bool exclusive, bool create)
{
	POLB_FD fd = -1;
	int code;

	if (create && mkdir(POLD_ROOT, 0700) && errno != EEXIST)
		return pold_fail(POLD_ENVIRONMENT, POLD_ROOT ": %s", strerror(errno));
	fd = open(POLD_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return pold_fail(POLD_ENVIRONMENT, "nothing is applied on this node");
	code = check_root(fd);
	if (!code)
		code = pold_lock_take(fd, POLD_ROOT, exclusive);
	if (!code)
		*lock_fd = polb_take_fd(&fd);
	return code;
}

/* Whoever had the lock may have removed the root with the last bundle: then there is a new one. */
static bool is_current(int fd)
{
	struct stat locked, there;

	return fstat(fd, &locked) == 0 && stat(POLD_ROOT, &there) == 0 &&
	       locked.st_ino == there.st_ino && locked.st_dev == there.st_dev;
}

int pold_root_open(int *lock_fd, bool exclusive, bool create)
{
	int code = pold_privileged();

	if (!code)
		code = bpffs_ready();
	if (code)
		return code;
	raise_memlock();
	for (;;) {
		POLB_FD fd = -1;

		code = root_lock(&fd, exclusive, create);
		if (code)
			return code;
		if (is_current(fd)) {
			*lock_fd = polb_take_fd(&fd);
			return POLD_OK;
		}
	}
}

void pold_root_drop(void)
{
	rmdir(POLD_ROOT); /* not empty: others are in force */
}

int pold_pin_get(const char *format, ...)
{
	char path[POLD_PATH];
	va_list args;
	int fd;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int pold_pin_put(int fd, const char *format, ...)
{
	char path[POLD_PATH];
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	return bpf_obj_pin(fd, path) ? -errno : 0;
}

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* "g17" -> 17; 0 for anything else. */
static uint32_t generation_number(const char *name)
{
	unsigned long value;
	char *end;

	if (name[0] != 'g' || name[1] < '1' || name[1] > '9')
		return 0;
	errno = 0;
	value = strtoul(name + 1, &end, 10);
	return errno || *end || value > UINT32_MAX ? 0 : (uint32_t)value;
}

int pold_generations(const char *name, uint32_t **out, size_t *n)
{
	__attribute__((cleanup(close_directory))) DIR *directory = NULL;
	POLB_FREE uint32_t *numbers = NULL;
	char path[POLD_PATH];
	size_t count = 0;

	pold_path(path, POLD_ROOT "/%s", name);
	directory = opendir(path);
	if (!directory)
		return -errno;
	for (struct dirent *entry; (entry = readdir(directory));) {
		uint32_t number = generation_number(entry->d_name);
		uint32_t *larger;

		if (!number)
			continue;
		larger = realloc(numbers, (count + 1) * sizeof(*numbers));
		if (!larger)
			return -ENOMEM;
		numbers = larger;
		numbers[count++] = number;
	}
	*out = POLB_TAKE(numbers);
	*n = count;
	return 0;
}

int pold_directory_remove(const char *path)
{
	__attribute__((cleanup(close_directory))) DIR *directory = opendir(path);

	if (!directory)
		return errno == ENOENT ? 0 : -errno;
	for (struct dirent *entry; (entry = readdir(directory));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(directory), entry->d_name, 0) && errno != ENOENT)
			return -errno;
		rewinddir(directory); /* bpffs: removing while reading may skip entries */
	}
	return rmdir(path) ? -errno : 0;
}
