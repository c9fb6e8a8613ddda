/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The clsact qdisc that filters are on. Those that we made are on record, in a map of interfaces
 * next to the names (bundles of several names may share one), and go with the last filter.
 */
#include "loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/cleanup.h"

#define PIN POLD_ROOT "/clsact"
#define MAX_INTERFACES 65536

static int made_open(bool create)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	POLB_FD fd = pold_pin_get(PIN);
	int err;

	if (fd != -ENOENT || !create)
		return polb_take_fd(&fd);
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "polc_clsact", sizeof(__u32), sizeof(__u32),
		MAX_INTERFACES, &opts);
	if (fd < 0)
		return -errno;
	err = pold_pin_put(fd, PIN);
	return err ? err : polb_take_fd(&fd);
}

static bool is_empty(int fd)
{
	__u32 key;

	return bpf_map_get_next_key(fd, NULL, &key) != 0 && errno == ENOENT;
}

static void forget(int fd, uint32_t ifindex)
{
	bpf_map_delete_elem(fd, &ifindex);
	if (is_empty(fd))
		unlink(PIN);
}

/* Recorded before it is made: after a kill in between, an empty one that is there goes, too. */
int pold_clsact_make(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	const __u32 ours = 1;
	POLB_FD fd = made_open(true);
	bool known;
	int err;

	if (fd < 0)
		return fd;
	known = bpf_map_update_elem(fd, &ifindex, &ours, BPF_NOEXIST) != 0 && errno == EEXIST;
	err = bpf_tc_hook_create(&hook);
	if (err && !known)
		forget(fd, ifindex);
	return err == -EEXIST ? 0 : err;
}

/* Whether a dump of filters names one. */
static bool names_filter(const char *data, ssize_t size, bool *done)
{
	size_t left = size < 0 ? 0 : (size_t)size;

	for (const struct nlmsghdr *m = (const void *)data; NLMSG_OK(m, left);
		m = NLMSG_NEXT(m, left)) {
		if (m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR)
			*done = true;
		else if (m->nlmsg_type == RTM_NEWTFILTER)
			return true;
	}
	return false;
}

/* What cannot be found out counts as filters. */
static bool has_filters(int socket_fd, uint32_t ifindex, uint32_t parent)
{
	struct {
		struct nlmsghdr header;
		struct tcmsg tc;
	} ask = {.header = {.nlmsg_len = sizeof(ask),
			 .nlmsg_type = RTM_GETTFILTER,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.tc = {.tcm_ifindex = (int)ifindex, .tcm_parent = parent}};
	_Alignas(struct nlmsghdr) char data[16384];
	bool done = false;

	if (send(socket_fd, &ask, sizeof(ask), 0) != sizeof(ask))
		return true;
	while (!done) {
		ssize_t n = recv(socket_fd, data, sizeof(data), 0);

		if (n <= 0 || names_filter(data, n, &done))
			return true;
	}
	return false;
}

static bool is_used(uint32_t ifindex)
{
	for (uint32_t point = TC_H_MIN_INGRESS; point <= TC_H_MIN_EGRESS; point++) {
		POLB_FD fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

		if (fd < 0 || has_filters(fd, ifindex, TC_H_MAKE(TC_H_CLSACT, point)))
			return true;
	}
	return false;
}

void pold_clsact_drop(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	POLB_FD fd = made_open(false);
	__u32 ours;

	if (fd < 0 || bpf_map_lookup_elem(fd, &ifindex, &ours) || is_used(ifindex))
		return;
	bpf_tc_hook_destroy(&hook); /* fails when the interface has gone, and the qdisc with it */
	forget(fd, ifindex);
}
