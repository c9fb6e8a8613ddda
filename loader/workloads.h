/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Workloads: what the processes of a cgroup are to tracing policies. The bundle has those of its
 * inventory; those told at run time (sync, endpoint add) are kept by name in a pinned map across
 * generations, and count more. The bits of a cgroup say what is known of both.
 */
#ifndef POLD_WORKLOADS_H
#define POLD_WORKLOADS_H

#include "identity.h"
#include "loader.h"
#include "runtime/event_text.h"
#include "runtime/workload.h"

enum {
	POLD_WORKLOAD_SYNC = 1, /* by an inventory: it goes when that no longer has it */
	POLD_WORKLOAD_GONE = 2, /* the bundle has it, the inventory no longer: it is nothing */
	POLD_WORKLOAD_ANY_CONTAINER = 4, /* which container runs there is not known */
	POLD_WORKLOADS_MAX = 65536,
	POLD_WORKLOAD_RECORD = 3072,
};
struct pold_workload_key {
	char name[400]; /* "namespace/pod/container", no container: the pod's own; zeros behind */
};
struct pold_workload {
	uint32_t flags;
	uint32_t record_bytes;
	/* where: one of them, the others "". uid: the cgroup that the kubelet makes for a pod */
	char cgroup[232], container_id[80], uid[48];
	char image[256];
	uint8_t record[POLD_WORKLOAD_RECORD]; /* of struct pold_who: the pod's own labels */
};

/* workloads_told.c */
int pold_workloads_open(const char *name, bool create); /* fd or -errno */
int pold_workloads_each(int fd,
	int (*call)(void *context, const char *workload, const struct pold_workload *told),
	void *context);
bool pold_workload_find(int fd, const char *workload, struct pold_workload *out);
int pold_workload_put(
	int fd, const char *workload, const struct pold_workload *told); /* or -errno */
int pold_workload_drop(int fd, const char *workload); /* 0, also when it is not there; -errno */

/* workloads_known.c: all that is known, those told first. */
struct pold_known_workload {
	struct polb_event_workload shown;
	const char *cgroup, *container_id, *uid; /* "": not by it */
	bool gone, any_container;
	const __u64 *words; /* manifest.workload_words; all zero when gone */
};
struct pold_known_workloads {
	struct pold_pool pool;
	POLD_LIST(struct pold_known_workload) list;
};
/*
 * Of a bundle and what was told under the name. 0 or -errno. Bits of told ones are missing when
 * the bundle does not say how (an older polc): what was told is then left out.
 */
int pold_known_workloads_read(
	const struct polb_bundle *bundle, const char *name, struct pold_known_workloads *out);
void pold_known_workloads_free(struct pold_known_workloads *known);
#define POLD_KNOWN_WORKLOADS                                                                       \
	__attribute__((cleanup(pold_known_workloads_free))) struct pold_known_workloads
/*
 * What a cgroup is: by its path below the mount (no slash in front) and its own name, which the
 * path ends with. It alone, not what is above it. NULL: nothing is known of it.
 */
const struct pold_known_workload *pold_known_workload_find(
	const struct pold_known_workloads *known, const char *path, const char *mount);

/*
 * workloads_write.c: the bits of every cgroup, as is known now, into a generation's map; also of
 * those below. A negative descriptor: the bundle asks for none. Exit code.
 */
int pold_workloads_write(const struct polb_bundle *bundle, const char *name, int workloads_fd);
/* The same of what is in force; nothing, when it asks for none. Exit code. */
int pold_workloads_refresh(const struct pold_state *state);

/* workloads_sync.c: the pods of `node` in an inventory. Exit codes. */
struct pold_inventory;
struct pold_workloads_changes {
	uint32_t added, changed, removed;
	bool unknown; /* the bundle's policies ask, but it does not say how to answer */
};
int pold_workloads_sync(const struct pold_state *state, const struct pold_inventory *inventory,
	uint32_t speaks, bool dry_run, struct pold_workloads_changes *out);
/* endpoint add, del: "namespace/name" at the place that the options give. */
int pold_workload_add(
	const struct pold_state *state, const char *endpoint, const struct pold_options *options);
int pold_workload_del(const struct pold_state *state, const char *endpoint, bool *found);

#endif
