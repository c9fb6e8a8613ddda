/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where endpoints are to be, while cgroups and interfaces come and go: units and containers by
 * name, what waits for its place, and attaching it when the place appears.
 */
#ifndef POLD_PLACES_H
#define POLD_PLACES_H

#include "loader.h"

/* place_find.c: a path below the cgroup2 mount. 0; -ENOENT; -ENOTUNIQ: there are several. */
bool pold_is_unit(const char *text); /* "web.service": a name with a suffix of systemd's */
int pold_find_unit(const char *unit, char out[POLD_PATH]);
int pold_find_container(const char *id, char out[POLD_PATH]);
/* Whether a cgroup's name is the one that the kubelet gives the pod, with either driver. */
bool pold_is_pod_cgroup(const char *name, const char *uid);
/* The pod's cgroup, around all of its containers; -ENOENT: another agent made them, or none yet. */
int pold_find_pod(const char *uid, char out[POLD_PATH]);
/*
 * Whether -errno of looking a place up says that there is none. Else it may be there: whoever is
 * attached is not to be let go.
 */
bool pold_place_is_absent(int err);
const char *pold_place_reason(int err); /* why a place was not found, for people */

/* places_refresh.c: one place that an endpoint is to have. */
struct pold_wanted {
	uint32_t endpoint;
	uint32_t hook;
	const char *where; /* cgroup, unit or interface; a container: its id; a pod: its uid */
	bool is_container, is_pod;
	bool one_of_several; /* attached under any number of the hook's places */
};
bool pold_is_container_id(const char *text);
int pold_place_find(const struct pold_wanted *wanted, struct pold_place *out); /* 0 or -errno */
/* Attached, and what is there now is what it was attached to: a cgroup's links outlive it a while.
 */
bool pold_place_is_there(const struct pold_generation *generation,
	const struct pold_attachment_key *key, const struct pold_attachment *attachment);
/* The endpoint that is attached at a place, 0: none; what was there and died is detached. */
uint32_t pold_place_owner(const struct pold_generation *generation, const struct pold_place *place);
/* Every place wanted on this node; stops at the first non-zero return and returns it. */
int pold_wanted_each(const struct pold_state *state,
	int (*call)(void *context, const struct pold_wanted *wanted), void *context);
/* Makes the missing directory of a wanted cgroup (apply --absent create). 0 or -errno. */
int pold_place_create(const struct pold_wanted *wanted);

struct pold_refreshed {
	uint32_t attached, detached, waiting, failed;
};
/*
 * Attaches what waits and has a place, detaches what lost it, also when there is another one of the
 * same name now. Under the exclusive lock. Exit code.
 */
int pold_places_refresh(struct pold_state *state, struct pold_refreshed *out);

/* flows.c: what was allowed to an interface that has gone. 0 or -errno. */
int pold_flows_forget(const char *name, const struct pold_attachment *attachment);

/* endpoints_sync.c: the pods of `node` in an inventory are this node's endpoints. */
struct pold_inventory;
struct pold_endpoints_changes {
	uint32_t added, changed, removed;
	struct pold_refreshed places;
};
/*
 * Tells the bundle in force of them, forgets those that an inventory had told and no longer has
 * (only when it, or `speaks`, speaks about pods), then attaches. Under the exclusive lock; the
 * caller bumps the epoch after its own changes, when anything here has changed. Exit code.
 */
int pold_endpoints_sync(struct pold_state *state, const struct pold_inventory *inventory,
	uint32_t speaks, const char *node, bool dry_run, struct pold_endpoints_changes *out);

/* places_watch.c: one descriptor that is readable when places may have come or gone. */
struct pold_places_watch {
	int epoll_fd, netlink_fd, inotify_fd;
};
#define POLD_PLACES_WATCH __attribute__((cleanup(pold_places_watch_close))) struct pold_places_watch
#define POLD_PLACES_WATCH_INIT                                                                     \
	{                                                                                          \
		.epoll_fd = -1, .netlink_fd = -1, .inotify_fd = -1                                 \
	}
int pold_places_watch_open(struct pold_places_watch *watch); /* 0 or -errno; poll epoll_fd */
/* Watches for what the bundles in force want now; call after every sync. 0 or -errno. */
int pold_places_watch_update(struct pold_places_watch *watch);
/*
 * Reads what happened. True: call _update(), and after it, so that nothing is missed in between,
 * pold_places_refresh() for every name.
 */
bool pold_places_watch_handle(struct pold_places_watch *watch);
void pold_places_watch_close(struct pold_places_watch *watch);
/* pold_places_refresh() on every name that is in force, each under its lock. Exit code. */
int pold_places_refresh_all(struct pold_refreshed *out);

#endif
