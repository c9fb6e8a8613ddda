/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where endpoints live: cgroups below the cgroup2 mount, wherever that is, and interfaces. */
#include "loader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "places.h"
#include "runtime/cleanup.h"

/* Interface numbers and cgroup ids share the flow table: this bit tells them apart. */
#define INTERFACE_KEY (1ull << 63)

enum { MAX_DEPTH = 8 }; /* of cgroups below an endpoint's own that are looked at */

static void close_mounts(FILE **mounts)
{
	if (*mounts)
		endmntent(*mounts);
}

bool pold_place_is_absent(int err)
{
	return err == -ENOENT || err == -ENODEV || err == -ENOTDIR || err == -ENOTUNIQ ||
	       err == -EINVAL || err == -ENAMETOOLONG;
}

/* The first cgroup2 mount: on a hybrid host /sys/fs/cgroup/unified. */
int pold_cgroup_mount(char *out, size_t size)
{
	__attribute__((cleanup(close_mounts))) FILE *mounts = setmntent("/proc/mounts", "re");

	if (!mounts)
		return errno == ENOENT ? -EIO : -errno; /* not known: there is no /proc */
	for (struct mntent *m; (m = getmntent(mounts));)
		if (strcmp(m->mnt_type, "cgroup2") == 0)
			return snprintf(out, size, "%s", m->mnt_dir) < (int)size ? 0
										 : -ENAMETOOLONG;
	return ferror(mounts) ? -EIO : -ENODEV;
}

/* The kernel's id of a cgroup: its file handle. */
int pold_cgroup_id(int fd, uint64_t *out)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(uint64_t)];
	} id = {.handle.handle_bytes = sizeof(uint64_t)};
	int mount_id;

	if (name_to_handle_at(fd, "", &id.handle, &mount_id, AT_EMPTY_PATH))
		return -errno;
	if (id.handle.handle_bytes != sizeof(uint64_t))
		return -EINVAL;
	memcpy(out, id.room + sizeof(struct file_handle), sizeof(*out));
	return 0;
}

static bool climbs(const char *path)
{
	size_t n = strlen(path);

	return strcmp(path, "..") == 0 || strncmp(path, "../", 3) == 0 || strstr(path, "/../") ||
	       (n >= 3 && strcmp(path + n - 3, "/..") == 0);
}

static int open_cgroup(const char *path, const char **below)
{
	char mount[256], full[1024];
	struct statfs fs;
	POLB_FD fd = -1;
	int err = pold_cgroup_mount(mount, sizeof(mount));
	size_t n;

	if (err)
		return err;
	n = strlen(mount);
	if (strncmp(path, mount, n) == 0 && (path[n] == '/' || path[n] == '\0'))
		path += n;
	while (*path == '/')
		path++;
	if (climbs(path) || snprintf(full, sizeof(full), "%s/%s", mount, path) >= (int)sizeof(full))
		return -EINVAL;
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC)
		return -ENOENT;
	*below = path;
	return polb_take_fd(&fd);
}

static bool in_our_netns(long pid)
{
	char path[64];
	struct stat theirs, ours;

	snprintf(path, sizeof(path), "/proc/%ld/ns/net", pid);
	return stat(path, &theirs) == 0 && stat("/proc/self/ns/net", &ours) == 0 &&
	       theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}

/* A cgroup that is going away has no processes, and one of threads (EOPNOTSUPP) none of its own. */
static int unless_none(int err)
{
	return err == -ENOENT || err == -ENODEV || err == -EOPNOTSUPP ? 0 : err;
}

/* 1, 0 or -errno. */
static int any_process_in_our_netns(int cgroup_fd)
{
	int procs_fd = openat(cgroup_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *procs = procs_fd < 0 ? NULL : fdopen(procs_fd, "r");
	int err = procs ? 0 : -errno;
	bool found = false;
	long pid;

	if (!procs) {
		if (procs_fd >= 0)
			close(procs_fd);
		return unless_none(err);
	}
	while (!found && fscanf(procs, "%ld", &pid) == 1)
		found = in_our_netns(pid);
	if (ferror(procs))
		err = errno ? -errno : -EIO;
	fclose(procs);
	return found ? 1 : unless_none(err);
}

/* In the cgroup itself or below it, so far down as services and containers nest. 1, 0 or -errno. */
static int shares_netns(int cgroup_fd, unsigned depth)
{
	int copy = openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = copy < 0 ? NULL : fdopendir(copy);
	int found = directory ? any_process_in_our_netns(cgroup_fd) : unless_none(-errno);
	const struct dirent *entry;

	if (!directory) {
		if (copy >= 0)
			close(copy);
		return found;
	}
	while (!found && depth < MAX_DEPTH && (entry = readdir(directory))) {
		POLB_FD fd = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		fd = openat(cgroup_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		found = fd < 0 ? unless_none(-errno) : shares_netns(fd, depth + 1);
	}
	closedir(directory);
	return found;
}

int pold_place_cgroup(const char *path, struct pold_place *out)
{
	struct pold_place place = {.hook = POLB_HOOK_CGROUP};
	char found[POLD_PATH];
	const char *below = "";
	POLB_FD fd = open_cgroup(path, &below);
	int err;

	if (fd == -ENOENT && pold_is_unit(path)) {
		err = pold_find_unit(path, found);
		if (err)
			return err;
		fd = open_cgroup(found, &below);
	}
	if (fd < 0)
		return fd;
	if (snprintf(place.where, sizeof(place.where), "/%s", below) >= (int)sizeof(place.where))
		return -ENAMETOOLONG;
	err = pold_cgroup_id(fd, &place.key);
	if (err)
		return err;
	err = shares_netns(fd, 0);
	if (err < 0)
		return err;
	place.host_netns = err;
	place.cgroup_fd = polb_take_fd(&fd);
	*out = place;
	return 0;
}

/*
 * Numbers of interfaces are given again, and a flow must not outlive the interface that it was on:
 * the id of its directory in sysfs is given once. Where that cannot be seen, the number must do.
 */
static uint64_t instance_of(const char *interface, uint32_t ifindex)
{
	char path[128], text[16] = "";
	uint64_t id;
	POLB_FD fd = -1;
	POLB_FD number_fd = -1;

	snprintf(path, sizeof(path), "/sys/class/net/%s", interface);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ifindex;
	number_fd = openat(fd, "ifindex", O_RDONLY | O_CLOEXEC);
	if (number_fd < 0 || read(number_fd, text, sizeof(text) - 1) <= 0 ||
		strtoul(text, NULL, 10) != ifindex || pold_cgroup_id(fd, &id))
		return ifindex; /* of another network namespace */
	return id & ~INTERFACE_KEY;
}

int pold_place_interface(const char *interface, struct pold_place *out)
{
	struct pold_place place = {.hook = POLB_HOOK_TC, .cgroup_fd = -1};

	place.ifindex = if_nametoindex(interface);
	if (!place.ifindex)
		return errno ? -errno : -ENODEV;
	place.key = INTERFACE_KEY | instance_of(interface, place.ifindex);
	snprintf(place.where, sizeof(place.where), "%s", interface);
	*out = place;
	return 0;
}

void pold_place_close(struct pold_place *place)
{
	if (pold_hook_kind(place->hook) == POLB_HOOK_CGROUP && place->cgroup_fd >= 0)
		close(place->cgroup_fd);
	place->hook = 0;
}
