/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Cgroup ids to what runs there: the inventory's workload and the container id that runtimes put
 * into a cgroup's name. An id is a file handle of cgroup2, so it is opened, not searched for.
 */
#include "events.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cleanup.h"

#define KERNFS_HANDLE 0xfe /* FILEID_KERNFS, since 5.5 */
#define REMEMBERED 1024u
#define PATH_BYTES 4096

struct pold_cgroups {
	const struct polb_bundle *bundle;
	int mount_fd;
	struct pold_cgroup_place
		places[REMEMBERED]; /* by id; a later one replaces an earlier one */
};

static int open_mount(void)
{
	char mount[256];
	int err = pold_cgroup_mount(mount, sizeof(mount));

	return err ? err : open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

struct pold_cgroups *pold_cgroups_new(const struct polb_bundle *bundle)
{
	struct pold_cgroups *cgroups = calloc(1, sizeof(*cgroups));

	if (!cgroups)
		return NULL;
	cgroups->bundle = bundle;
	cgroups->mount_fd = open_mount(); /* without one, nothing is found */
	return cgroups;
}

void pold_cgroups_free(struct pold_cgroups *cgroups)
{
	if (!cgroups)
		return;
	polb_cleanup_fd(&cgroups->mount_fd);
	free(cgroups);
}

static int path_of(const struct pold_cgroups *cgroups, uint64_t id, char out[PATH_BYTES])
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(uint64_t)];
	} handle = {.handle = {.handle_bytes = sizeof(id), .handle_type = KERNFS_HANDLE}};
	char link[64];
	POLB_FD fd = -1;
	ssize_t n;

	memcpy(handle.room + sizeof(struct file_handle), &id, sizeof(id));
	fd = open_by_handle_at(cgroups->mount_fd, &handle.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, out, PATH_BYTES - 1);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	return 0;
}

/* Does the path end with, or go through, "below" as whole components? */
static bool goes_through(const char *path, const char *below)
{
	size_t n;

	while (*below == '/')
		below++;
	n = strlen(below);
	while (n && below[n - 1] == '/')
		n--;
	if (!n)
		return false;
	for (const char *at = path; (at = strchr(at, '/')); at++)
		if (strncmp(at + 1, below, n) == 0 && (at[1 + n] == '/' || at[1 + n] == '\0'))
			return true;
	return false;
}

static size_t mount_size(const struct pold_cgroups *cgroups, const char *path)
{
	char link[64], mount[PATH_BYTES];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", cgroups->mount_fd);
	n = readlink(link, mount, sizeof(mount));
	return n > 0 && strncmp(path, mount, (size_t)n) == 0 ? (size_t)n : 0;
}

/* An exact container id counts more than a path, a longer path more than a shorter one. */
static const struct polb_bundle_trace_cgroup *workload_of(
	const struct polb_bundle *bundle, const char *path)
{
	const struct polb_bundle_trace_cgroup *best = NULL;
	size_t best_size = 0;

	for (size_t i = 0; i < bundle->n_trace_cgroups; i++) {
		const struct polb_bundle_trace_cgroup *entry = &bundle->trace_cgroups[i];
		const char *id = polb_bundle_string(bundle, entry->container_id);
		const char *below = polb_bundle_string(bundle, entry->cgroup);

		if (*id && strstr(path, id))
			return entry;
		if (*below && strlen(below) > best_size && goes_through(path, below)) {
			best = entry;
			best_size = strlen(below);
		}
	}
	return best;
}

/* 64 hexadecimal digits and no more: the innermost container. */
static void container_of(const char *path, struct pold_cgroup_place *out)
{
	static const struct {
		const char *in_path, *name;
	} runtimes[] = {{"cri-containerd", "containerd"}, {"crio", "cri-o"}, {"docker", "docker"},
		{"libpod", "podman"}};
	size_t run = 0;

	for (const char *at = path;; at++) {
		if (isxdigit((unsigned char)*at)) {
			run++;
			continue;
		}
		if (run == sizeof(out->container_id) - 1)
			memcpy(out->container_id, at - run, run);
		run = 0;
		if (!*at)
			break;
	}
	for (size_t i = 0; *out->container_id && i < sizeof(runtimes) / sizeof(runtimes[0]); i++)
		if (strstr(path, runtimes[i].in_path)) {
			snprintf(out->runtime, sizeof(out->runtime), "%s", runtimes[i].name);
			return;
		}
}

const struct pold_cgroup_place *pold_cgroups_find(struct pold_cgroups *cgroups, uint64_t id)
{
	struct pold_cgroup_place *place = &cgroups->places[id % REMEMBERED];
	char path[PATH_BYTES];

	if (place->id == id)
		return place;
	*place = (struct pold_cgroup_place){.id = id};
	if (!id || path_of(cgroups, id, path)) {
		place->id = 0; /* may be there next time */
		return place;
	}
	place->workload = workload_of(cgroups->bundle, path + mount_size(cgroups, path));
	container_of(path, place);
	return place;
}
