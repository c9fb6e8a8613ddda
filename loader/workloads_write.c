/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The bits of each cgroup that is a known workload, and of every cgroup below. An entry is written
 * before what is below it is listed: a cgroup made meanwhile is either listed or has been given
 * its parent's bits by the programs. Only one that the programs saw made before the entry and that
 * showed itself after the list is missed, so it is done again while anything has changed.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/cleanup.h"
#include "workloads.h"

enum { MAX_DEPTH = 64, MAX_ROUNDS = 4 };

struct walk {
	const struct pold_known_workloads *known;
	int fd; /* polt_workloads */
	size_t value_bytes;
	void *there; /* room for a value */
	bool changed;
	char path[4096]; /* of the cgroup, below the mount, without a slash in front */
	char mount[256];
};

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* A gone workload's cgroup is nobody's, not one of no workload known: that is its entry's absence.
 */
static int write_bits(struct walk *w, int directory, const struct pold_known_workload *workload)
{
	uint64_t id;
	int err = pold_cgroup_id(directory, &id);
	bool there;

	if (err)
		return err;
	there = bpf_map_lookup_elem(w->fd, &id, w->there) == 0;
	if (!workload || workload->gone) {
		if (!there)
			return 0;
		w->changed = true;
		return bpf_map_delete_elem(w->fd, &id) && errno != ENOENT ? -errno : 0;
	}
	if (there && memcmp(w->there, workload->words, w->value_bytes) == 0)
		return 0;
	w->changed = true;
	return bpf_map_update_elem(w->fd, &id, workload->words, BPF_ANY) ? -errno : 0;
}

static int walk_cgroup(struct walk *w, int fd, const struct pold_known_workload *above,
	const char *name, int depth);

static int walk_entry(struct walk *w, int parent, const char *name,
	const struct pold_known_workload *above, int depth)
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
static int walk_cgroup(struct walk *w, int fd, const struct pold_known_workload *above,
	const char *name, int depth)
{
	const struct pold_known_workload *own =
		*name ? pold_known_workload_find(w->known, w->path, w->mount) : NULL;
	__attribute__((cleanup(close_directory))) DIR *directory = NULL;
	int err;

	own = own ? own : above;
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

/* 0 or -errno. */
static int walk_all(struct walk *w)
{
	int fd, err = 0;

	for (int round = 0; !err && round < MAX_ROUNDS && (!round || w->changed); round++) {
		w->changed = false;
		fd = open(w->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		err = fd < 0 ? -errno : walk_cgroup(w, fd, NULL, "", 0);
	}
	return err;
}

static int fail(int err)
{
	return pold_fail(
		POLD_ENVIRONMENT, "cannot write the workloads' cgroups: %s", strerror(-err));
}

int pold_workloads_refresh(const struct pold_state *state)
{
	POLB_FD fd = -1;

	if (!polb_bundle_asks_workloads(&state->bundle))
		return POLD_OK;
	fd = pold_state_map(state, "polt_workloads");
	return fd < 0 ? fail(fd) : pold_workloads_write(&state->bundle, state->name, fd);
}

int pold_workloads_write(const struct polb_bundle *b, const char *name, int workloads_fd)
{
	POLD_KNOWN_WORKLOADS known;
	POLB_FREE void *there = NULL;
	struct walk walk = {.known = &known,
		.fd = workloads_fd,
		.value_bytes = b->manifest.workload_words * sizeof(__u64)};
	int err = pold_known_workloads_read(b, name, &known);

	if (err)
		return fail(err);
	if (workloads_fd < 0)
		return POLD_OK;
	err = pold_cgroup_mount(walk.mount, sizeof(walk.mount));
	if (err)
		return known.list.n ? pold_fail(POLD_ENVIRONMENT,
					      "the policies are for workloads, but there is no "
					      "cgroup2 mount: %s",
					      strerror(-err))
				    : POLD_OK;
	walk.there = there = malloc(walk.value_bytes);
	err = there ? walk_all(&walk) : -ENOMEM;
	return err ? fail(err) : POLD_OK;
}
