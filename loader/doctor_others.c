/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Programs of others on the hooks that bundles use, in the order in which they run: an agent that
 * accepts, redirects or rewrites packets before ours makes policy see something else.
 */
#include "doctor.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/cleanup.h"

#define TCX_INGRESS ((enum bpf_attach_type)46) /* 6.6 */
#define TCX_EGRESS ((enum bpf_attach_type)47)
#define MAX_PROGRAMS 64
#define MAX_CGROUPS 4096
#define MAX_DEPTH 12

/* Whose programs have such names, for people. */
static const struct {
	const char *prefix, *who;
} known[] = {
	{"cil_", "Cilium"},
	{"handle_", "Cilium"},
	{"calico_", "Calico"},
	{"cali_", "Calico"},
	{"sd_fw_", "systemd (IPAddressAllow=, IPAddressDeny=)"},
	{"sd_devices", "systemd"},
	{"generic_", "Tetragon"},
};

struct others {
	struct pold_doctor *doctor;
	uint32_t said, cgroups;
};

/* False: it is gone. */
static bool program_name(uint32_t id, char out[BPF_OBJ_NAME_LEN])
{
	POLB_FD fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		return false;
	memcpy(out, info.name, BPF_OBJ_NAME_LEN);
	out[BPF_OBJ_NAME_LEN - 1] = '\0';
	return true;
}

static bool is_ours(const char *name)
{
	return strncmp(name, "polt_", 5) == 0;
}

static const char *owner_of(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(name, known[i].prefix, strlen(known[i].prefix)) == 0)
			return known[i].who;
	return NULL;
}

static void say(
	struct others *o, const char *id, const char *where, const char *program, const char *order)
{
	const char *who = owner_of(program);
	char name[300], detail[POLD_DETAIL];

	snprintf(name, sizeof(name), "%s", where);
	snprintf(detail, sizeof(detail), "program %s%s%s%s%s", *program ? program : "(no name)",
		who ? ", as of " : "", who ? who : "", *order ? ", " : "", order);
	pold_doctor_say(o->doctor,
		&(struct pold_finding){.id = id, .name = name, .is = POLD_NOTE, .detail = detail});
	o->said++;
}

/* --- cgroups ---------------------------------------------------------------------------------- */

static void cgroup_programs(struct others *o, int fd, const char *path)
{
	static const enum bpf_attach_type types[] = {
		BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS};
	static const char *const sides[] = {"ingress", "egress"};

	for (int side = 0; side < 2; side++) {
		__u32 ids[MAX_PROGRAMS], n = MAX_PROGRAMS, flags;
		char where[280], name[BPF_OBJ_NAME_LEN];

		if (bpf_prog_query(fd, types[side], 0, &flags, ids, &n))
			continue;
		snprintf(where, sizeof(where), "cgroup %s %s", path, sides[side]);
		for (__u32 i = 0; i < n && i < MAX_PROGRAMS; i++)
			if (program_name(ids[i], name) && !is_ours(name))
				say(o, "cgroup", where, name,
					"a packet must pass it and the policy");
	}
}

static void walk_cgroups(struct others *o, int fd, const char *path, unsigned int depth)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = copy < 0 ? NULL : fdopendir(copy);

	cgroup_programs(o, fd, path);
	if (!directory && copy >= 0)
		close(copy);
	for (const struct dirent *e; directory && depth < MAX_DEPTH && o->cgroups < MAX_CGROUPS &&
				     (e = readdir(directory));) {
		char below[256];
		POLB_FD child = -1;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		child = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (child < 0 || snprintf(below, sizeof(below), "%s/%s", path[1] ? path : "",
					 e->d_name) >= (int)sizeof(below))
			continue;
		o->cgroups++;
		walk_cgroups(o, child, below, depth + 1);
	}
	if (directory)
		closedir(directory);
}

static void all_cgroups(struct others *o)
{
	char mount[256];
	POLB_FD fd = -1;

	if (pold_cgroup_mount(mount, sizeof(mount)))
		return;
	fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		walk_cgroups(o, fd, "/", 0);
	if (o->cgroups >= MAX_CGROUPS)
		pold_doctor_say(
			o->doctor, &(struct pold_finding){.id = "cgroup",
					   .name = "cgroups",
					   .is = POLD_NOTE,
					   .detail = "more than 4096: not all were looked at"});
}

/* --- interfaces ------------------------------------------------------------------------------- */

static void tcx_programs(struct others *o, int ifindex, const char *interface, int side)
{
	__u32 ids[MAX_PROGRAMS], n = MAX_PROGRAMS, flags, ours = UINT32_MAX;
	char where[64], name[BPF_OBJ_NAME_LEN];

	if (bpf_prog_query(ifindex, side ? TCX_EGRESS : TCX_INGRESS, 0, &flags, ids, &n))
		return;
	snprintf(where, sizeof(where), "%s tcx %s", interface, side ? "egress" : "ingress");
	for (__u32 i = 0; i < n && i < MAX_PROGRAMS; i++)
		if (program_name(ids[i], name) && is_ours(name))
			ours = i;
	for (__u32 i = 0; i < n && i < MAX_PROGRAMS; i++)
		if (program_name(ids[i], name) && !is_ours(name))
			say(o, "tcx", where, name,
				ours == UINT32_MAX ? ""
				: i < ours         ? "runs before the policy"
						   : "runs after the policy");
}

static void xdp_programs(struct others *o, int ifindex, const char *interface)
{
	char where[64], name[BPF_OBJ_NAME_LEN];
	__u32 id = 0;

	if (bpf_xdp_query_id(ifindex, 0, &id) || !id || !program_name(id, name))
		return;
	snprintf(where, sizeof(where), "%s XDP", interface);
	say(o, "xdp", where, name, "runs before the policy");
}

/* A filter of a dump: its kind and, of cls_bpf, its name. */
static void say_filter(
	struct others *o, const struct nlmsghdr *h, const char *interface, const char *side)
{
	const struct tcmsg *t = NLMSG_DATA(h);
	const char *kind = "", *name = "";
	char where[96];
	int left = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*t))), inner;

	for (const struct rtattr *a = TCA_RTA(t); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == TCA_KIND)
			kind = RTA_DATA(a);
		if (a->rta_type != TCA_OPTIONS)
			continue;
		inner = (int)RTA_PAYLOAD(a);
		for (const struct rtattr *b = RTA_DATA(a); RTA_OK(b, inner); b = RTA_NEXT(b, inner))
			if (b->rta_type == TCA_BPF_NAME && strcmp(kind, "bpf") == 0)
				name = RTA_DATA(b);
	}
	if (!t->tcm_handle || is_ours(name))
		return;
	snprintf(where, sizeof(where), "%s clsact %s, %s filter of priority %u", interface, side,
		kind, t->tcm_info >> 16);
	say(o, "clsact", where, *name ? name : kind,
		t->tcm_info >> 16 <= 1 ? "may run before the policy" : "runs after the policy");
}

static bool ask_filters(int fd, int ifindex, uint32_t parent)
{
	struct {
		struct nlmsghdr header;
		struct tcmsg body;
	} request = {.header = {.nlmsg_len = sizeof(request),
			     .nlmsg_type = RTM_GETTFILTER,
			     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.tcm_family = AF_UNSPEC, .tcm_ifindex = ifindex, .tcm_parent = parent}};

	return send(fd, &request, sizeof(request), 0) == sizeof(request);
}

static void filters(struct others *o, int ifindex, const char *interface, int side)
{
	POLB_FD fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	uint32_t parent = TC_H_MAKE(TC_H_CLSACT, side ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
	_Alignas(struct nlmsghdr) char buffer[16384];

	if (fd < 0 || !ask_filters(fd, ifindex, parent))
		return;
	for (ssize_t n; (n = recv(fd, buffer, sizeof(buffer), 0)) > 0;) {
		for (const struct nlmsghdr *h = (void *)buffer; NLMSG_OK(h, (size_t)n);
			h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type != RTM_NEWTFILTER) /* the end, or no such qdisc */
				return;
			say_filter(o, h, interface, side ? "egress" : "ingress");
		}
	}
}

static void all_interfaces(struct others *o)
{
	struct if_nameindex *all = if_nameindex();

	for (const struct if_nameindex *i = all; i && i->if_index; i++) {
		xdp_programs(o, (int)i->if_index, i->if_name);
		for (int side = 0; side < 2; side++) {
			tcx_programs(o, (int)i->if_index, i->if_name, side);
			filters(o, (int)i->if_index, i->if_name, side);
		}
	}
	if (all)
		if_freenameindex(all);
}

void pold_doctor_others(struct pold_doctor *d)
{
	struct others o = {.doctor = d};

	pold_doctor_section(d, "others", "PROGRAMS OF OTHERS ON THE SAME HOOKS");
	all_cgroups(&o);
	all_interfaces(&o);
	if (!o.said)
		pold_doctor_say(
			d, &(struct pold_finding){.id = "none", .name = "none", .is = POLD_NOTE});
}
