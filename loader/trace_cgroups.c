/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Workloads: the bits of each cgroup that the inventory knows, by path or by the container's id in
 * its name, and of every cgroup below. An entry is written before what is below it is listed: a
 * cgroup made meanwhile is either listed or has been given its parent's bits by the programs.
 */
#include "trace.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/cleanup.h"

#define MAX_DEPTH 64

struct walk {
	const struct polb_bundle *b;
	int fd;          /* polt_workloads */
	char path[4096]; /* of the cgroup, below the mount, without a slash in front */
	char mount[256];
};

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* What the inventory wrote, below the mount and without slashes at its ends. */
static bool is_path(const struct walk *w, const char *written, const char *path)
{
	size_t mount = strlen(w->mount), n;

	if (strncmp(written, w->mount, mount) == 0 && written[mount] == '/')
		written += mount;
	written += strspn(written, "/");
	n = strlen(written);
	while (n && written[n - 1] == '/')
		n--;
	return n && strlen(path) == n && strncmp(path, written, n) == 0;
}

static const struct polb_bundle_trace_cgroup *find(const struct walk *w, const char *name)
{
	for (size_t i = 0; i < w->b->n_trace_cgroups; i++) {
		const struct polb_bundle_trace_cgroup *g = &w->b->trace_cgroups[i];
		const char *id = polb_bundle_string(w->b, g->container_id);

		if ((*id && strstr(name, id)) ||
			is_path(w, polb_bundle_string(w->b, g->cgroup), w->path))
			return g;
	}
	return NULL;
}

static int write_bits(const struct walk *w, int directory, const struct polb_bundle_trace_cgroup *g)
{
	uint64_t id;
	int err = pold_cgroup_id(directory, &id);

	if (err)
		return err;
	return bpf_map_update_elem(w->fd, &id, &w->b->trace_words[g->first_word], BPF_ANY) ? -errno
											   : 0;
}

static int walk_cgroup(struct walk *w, int fd, const struct polb_bundle_trace_cgroup *above,
	const char *name, int depth);

static int walk_entry(struct walk *w, int parent, const char *name,
	const struct polb_bundle_trace_cgroup *above, int depth)
{
	size_t n = strlen(w->path);
	int fd, err;

	if (n + strlen(name) + 2 > sizeof(w->path))
		return 0;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) /* a file, or gone */
		return 0;
	snprintf(w->path + n, sizeof(w->path) - n, "%s%s", n ? "/" : "", name);
	err = walk_cgroup(w, fd, above, w->path + n + (n > 0), depth);
	w->path[n] = '\0';
	return err;
}

/* Takes fd. */
static int walk_cgroup(struct walk *w, int fd, const struct polb_bundle_trace_cgroup *above,
	const char *name, int depth)
{
	const struct polb_bundle_trace_cgroup *own = *name ? find(w, name) : NULL;
	__attribute__((cleanup(close_directory))) DIR *directory = NULL;
	int err = 0;

	own = own ? own : above;
	if (own)
		err = write_bits(w, fd, own);
	directory = err || depth == MAX_DEPTH ? NULL : fdopendir(fd);
	if (!directory) {
		close(fd);
		return err;
	}
	for (struct dirent *entry; !err && (entry = readdir(directory));)
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			err = walk_entry(w, dirfd(directory), entry->d_name, own, depth + 1);
	return err;
}

int pold_workloads_write(const struct polb_bundle *b, int workloads_fd)
{
	struct walk walk = {.b = b, .fd = workloads_fd};
	int err, fd;

	if (workloads_fd < 0 || b->n_trace_cgroups == 0)
		return POLD_OK;
	err = pold_cgroup_mount(walk.mount, sizeof(walk.mount));
	if (err)
		return pold_fail(POLD_ENVIRONMENT,
			"the policies are for workloads, but there is no cgroup2 mount: %s",
			strerror(-err));
	fd = open(walk.mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = fd < 0 ? -errno : walk_cgroup(&walk, fd, NULL, "", 0);
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot write the workloads' cgroups: %s",
			     strerror(-err))
		   : POLD_OK;
}
