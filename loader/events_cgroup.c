/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Cgroup ids to what runs there: the workload, of the bundle's inventory or told since, and the
 * container id that runtimes put into a cgroup's name. An id is a file handle of cgroup2, so it is
 * opened, not searched for.
 */
#include "events.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cleanup.h"
#include "runtime/instance.h"
#include "workloads.h"

#define KERNFS_HANDLE 0xfe /* FILEID_KERNFS, since 5.5 */
#define REMEMBERED 1024u
#define PATH_BYTES 4096

struct pold_cgroups {
	const struct pold_state *state;
	uint32_t epoch; /* of the reading */
	struct pold_known_workloads known;
	char mount[256];
	int mount_fd;
	struct pold_cgroup_place
		places[REMEMBERED]; /* by id; a later one replaces an earlier one */
};

static int open_mount(struct pold_cgroups *cgroups)
{
	int err = pold_cgroup_mount(cgroups->mount, sizeof(cgroups->mount));

	return err ? err : open(cgroups->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void read_known(struct pold_cgroups *cgroups)
{
	pold_known_workloads_free(&cgroups->known);
	memset(cgroups->places, 0, sizeof(cgroups->places));
	/* with what could be read: an event without its pod's name is better than none */
	pold_known_workloads_read(&cgroups->state->bundle, cgroups->state->name, &cgroups->known);
}

/* Whoever tells of workloads begins a new epoch: what is remembered may be somebody else's now. */
static void follow(struct pold_cgroups *cgroups)
{
	uint32_t generation, epoch = cgroups->epoch;

	if (cgroups->state->control_fd < 0 ||
		polb_control_load(cgroups->state->control_fd, &generation, &epoch) ||
		epoch == cgroups->epoch)
		return;
	cgroups->epoch = epoch;
	read_known(cgroups);
}

struct pold_cgroups *pold_cgroups_new(const struct pold_state *state)
{
	struct pold_cgroups *cgroups = calloc(1, sizeof(*cgroups));

	if (!cgroups)
		return NULL;
	cgroups->state = state;
	cgroups->epoch = state->epoch;
	cgroups->mount_fd = open_mount(cgroups); /* without one, nothing is found */
	read_known(cgroups);
	return cgroups;
}

void pold_cgroups_free(struct pold_cgroups *cgroups)
{
	if (!cgroups)
		return;
	polb_cleanup_fd(&cgroups->mount_fd);
	pold_known_workloads_free(&cgroups->known);
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

static size_t mount_size(const struct pold_cgroups *cgroups, const char *path)
{
	char link[64], mount[PATH_BYTES];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", cgroups->mount_fd);
	n = readlink(link, mount, sizeof(mount));
	return n > 0 && strncmp(path, mount, (size_t)n) == 0 ? (size_t)n : 0;
}

/* Its own, or that of the nearest cgroup above that is one; the path is below the mount. */
static const struct polb_event_workload *workload_of(const struct pold_cgroups *cgroups, char *path)
{
	const char *below = path + strspn(path, "/");

	while (*below) {
		const struct pold_known_workload *found =
			pold_known_workload_find(&cgroups->known, below, cgroups->mount);
		char *slash;

		if (found)
			return found->gone ? NULL : &found->shown;
		slash = strrchr(below, '/');
		if (!slash)
			return NULL;
		*slash = '\0';
	}
	return NULL;
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

	follow(cgroups);
	if (place->id == id)
		return place;
	*place = (struct pold_cgroup_place){.id = id};
	if (!id || path_of(cgroups, id, path)) {
		place->id = 0; /* may be there next time */
		return place;
	}
	container_of(path, place);
	place->workload = workload_of(cgroups, path + mount_size(cgroups, path));
	return place;
}
