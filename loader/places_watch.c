/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tells when places may have come or gone: netlink for interfaces, inotify on the cgroups above
 * those that are wanted. kernfs reports mkdir and rmdir through the directory above; where a parent
 * does not exist yet its nearest ancestor that does is watched.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include "places.h"
#include "runtime/cleanup.h"
#include "workloads.h"

enum { MAX_DEPTH = 16 };
#define WATCHED (IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE_SELF | IN_ONLYDIR)

static int open_netlink(void)
{
	const struct sockaddr_nl links = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	POLB_FD fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&links, sizeof(links)))
		return -errno;
	return polb_take_fd(&fd);
}

static int add(const struct pold_places_watch *watch, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int pold_places_watch_open(struct pold_places_watch *watch)
{
	int err;

	watch->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (watch->epoll_fd < 0)
		return -errno;
	watch->netlink_fd = open_netlink();
	if (watch->netlink_fd < 0)
		return watch->netlink_fd;
	err = add(watch, watch->netlink_fd);
	return err ? err : pold_places_watch_update(watch);
}

static void watch_directory(const struct pold_places_watch *watch, const char *path)
{
	inotify_add_watch(watch->inotify_fd, path, WATCHED);
}

/* A unit or a container may appear anywhere: every cgroup is watched, as far down as they nest. */
static void watch_below(const struct pold_places_watch *watch, const char *path, unsigned depth)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;

	watch_directory(watch, path);
	while (directory && depth < MAX_DEPTH && (entry = readdir(directory))) {
		char below[POLD_PATH];

		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
			snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) <
				(int)sizeof(below))
			watch_below(watch, below, depth + 1);
	}
	if (directory)
		closedir(directory);
}

struct update {
	const struct pold_places_watch *watch;
	char mount[256];
	bool everywhere;
};

/* From the top down: what appears meanwhile is either seen here or told. */
static void watch_above(const struct update *u, const char *where)
{
	char path[POLD_PATH];

	while (*where == '/')
		where++;
	snprintf(path, sizeof(path), "%s/%s", u->mount, where);
	for (char *slash = path + strlen(u->mount); (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		watch_directory(u->watch, path);
		*slash = '/';
	}
}

static int watch_wanted(void *context, const struct pold_wanted *wanted)
{
	struct update *u = context;

	if (wanted->hook != POLB_HOOK_CGROUP)
		return 0;
	if (wanted->is_container || wanted->is_pod || pold_is_unit(wanted->where))
		u->everywhere = true;
	else
		watch_above(u, wanted->where);
	return 0;
}

static int watch_attached(void *context, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	const struct pold_wanted wanted = {.hook = key->hook, .where = attachment->where};

	return watch_wanted(context, &wanted);
}

static int watch_workload(void *context, const char *workload, const struct pold_workload *told)
{
	struct update *u = context;

	(void)workload;
	if (*told->cgroup && !pold_is_unit(told->cgroup))
		watch_above(u, told->cgroup);
	else if (!(told->flags & POLD_WORKLOAD_GONE))
		u->everywhere = true;
	return 0;
}

static void update_name(struct update *u, const char *name)
{
	POLD_STATE state = POLD_STATE_INIT;
	POLD_GENERATION generation = POLD_GENERATION_INIT;
	POLB_FD workloads_fd = -1;

	if (pold_state_open(&state, name, false))
		return;
	if (polb_bundle_knows_workloads(&state.bundle)) {
		workloads_fd = pold_workloads_open(name, false);
		pold_workloads_each(workloads_fd, watch_workload, u);
	}
	if (!(state.bundle.manifest.hooks & (POLB_HOOK_CGROUP | POLB_HOOK_TC)))
		return;
	pold_wanted_each(&state, watch_wanted, u);
	if (pold_generation_open(name, state.generation, &generation) == 0)
		pold_attachments_each(&generation, watch_attached, u);
}

/* A new set of watches in place of the old one: nothing is forgotten that way. */
int pold_places_watch_update(struct pold_places_watch *watch)
{
	POLB_FREE struct pold_name *names = NULL;
	struct update u = {.watch = watch};
	size_t n = 0;
	int err = pold_cgroup_mount(u.mount, sizeof(u.mount));

	if (watch->inotify_fd >= 0)
		close(watch->inotify_fd);
	watch->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->inotify_fd < 0)
		return -errno;
	if (!err)
		err = pold_names(&names, &n);
	for (size_t i = 0; !err && i < n; i++)
		update_name(&u, names[i].text);
	if (!err && u.everywhere)
		watch_below(watch, u.mount, 0);
	return err && err != -ENODEV ? err : add(watch, watch->inotify_fd);
}

static bool drain(int fd)
{
	char buffer[16384];
	bool any = false;
	ssize_t n;

	/* ENOBUFS, too: something was lost, so anything may have happened */
	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0 || (n < 0 && errno == ENOBUFS))
		any = true;
	return any;
}

static bool drain_inotify(int fd)
{
	char buffer[16384];
	bool any = false;

	while (read(fd, buffer, sizeof(buffer)) > 0)
		any = true;
	return any;
}

bool pold_places_watch_handle(struct pold_places_watch *watch)
{
	bool links = drain(watch->netlink_fd);

	return drain_inotify(watch->inotify_fd) || links;
}

void pold_places_watch_close(struct pold_places_watch *watch)
{
	polb_cleanup_fd(&watch->inotify_fd);
	polb_cleanup_fd(&watch->netlink_fd);
	polb_cleanup_fd(&watch->epoll_fd);
}
