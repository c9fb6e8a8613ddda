/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The map of workloads told at run time. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/cleanup.h"
#include "workloads.h"

int pold_workloads_open(const char *name, bool create)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	POLB_FD fd = pold_pin_get(POLD_ROOT "/%s/workloads_v1", name);
	int err;

	if (fd != -ENOENT || !create)
		return polb_take_fd(&fd);
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "polc_workloads", sizeof(struct pold_workload_key),
		sizeof(struct pold_workload), POLD_WORKLOADS_MAX, &opts);
	if (fd < 0)
		return -errno;
	err = pold_pin_put(fd, POLD_ROOT "/%s/workloads_v1", name);
	return err ? err : polb_take_fd(&fd);
}

int pold_workloads_each(int fd,
	int (*call)(void *context, const char *workload, const struct pold_workload *told),
	void *context)
{
	struct pold_workload_key key, *previous = NULL;
	int result = 0;

	while (!result && fd >= 0 && bpf_map_get_next_key(fd, previous, &key) == 0) {
		struct pold_workload told;

		previous = &key;
		if (bpf_map_lookup_elem(fd, &key, &told) == 0 &&
			told.record_bytes <= sizeof(told.record))
			result = call(context, key.name, &told);
	}
	return result;
}

static int key_of(const char *workload, struct pold_workload_key *out)
{
	*out = (struct pold_workload_key){0};
	return snprintf(out->name, sizeof(out->name), "%s", workload) >= (int)sizeof(out->name)
		       ? -ENAMETOOLONG
		       : 0;
}

bool pold_workload_find(int fd, const char *workload, struct pold_workload *out)
{
	struct pold_workload_key key;

	return fd >= 0 && !key_of(workload, &key) && bpf_map_lookup_elem(fd, &key, out) == 0;
}

int pold_workload_put(int fd, const char *workload, const struct pold_workload *told)
{
	struct pold_workload_key key;
	int err = key_of(workload, &key);

	if (err)
		return err;
	return bpf_map_update_elem(fd, &key, told, BPF_ANY) ? -errno : 0;
}

int pold_workload_drop(int fd, const char *workload)
{
	struct pold_workload_key key;
	int err = key_of(workload, &key);

	if (err || fd < 0)
		return err;
	return bpf_map_delete_elem(fd, &key) && errno != ENOENT ? -errno : 0;
}
