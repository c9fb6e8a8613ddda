/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Endpoints on hooks. What is about to be attached is first written to the generation's pinned map
 * of attachments, so that after a kill at any point the next run finds and removes it. Links
 * (cgroup, tcx) live as long as their pins; kernels without tcx get cls_bpf filters on a clsact
 * qdisc.
 */
#include "loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cleanup.h"

/* Kernel 6.6; Debian 12's headers lack them. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS ((enum bpf_attach_type)47)
#define ATTACH_BEFORE (1u << 3)

#define FIRST_HANDLE 0x706f6c00u /* "pol" */
#define N_HANDLES 256
#define N_PRIORITIES 8

/* The two programs of a hook and the names of their pins. */
static const struct hook {
	uint32_t hook;
	const char *program[2], *link;
	enum bpf_attach_type type[2];
} hooks[] = {
	{POLB_HOOK_CGROUP, {"polt_cgroup_in", "polt_cgroup_out"}, "cgroup",
		{BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS}},
	{POLB_HOOK_TC, {"polt_tc_from", "polt_tc_to"}, "tcx", {TCX_INGRESS, TCX_EGRESS}},
};
static const enum bpf_tc_attach_point points[2] = {BPF_TC_INGRESS, BPF_TC_EGRESS};

static const struct hook *hook_of(uint32_t hook)
{
	return &hooks[hook == POLB_HOOK_TC];
}

int pold_attachments_create(const char *name, uint32_t generation, uint32_t entries)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	POLB_FD fd = bpf_map_create(BPF_MAP_TYPE_HASH, "polc_attach",
		sizeof(struct pold_attachment_key), sizeof(struct pold_attachment), entries, &opts);

	return fd < 0 ? -errno
		      : pold_pin_put(fd, POLD_ROOT "/%s/g%u/attachments", name, generation);
}

int pold_generation_open(const char *name, uint32_t number, struct pold_generation *out)
{
	struct pold_generation generation = {.name = name, .number = number};

#define PIN(pin) pold_pin_get(POLD_ROOT "/%s/g%u/" pin, name, number)
	generation.attachments_fd = PIN("attachments");
	generation.endpoints_fd = PIN("polt_endpoints");
	generation.cgroup_fd = PIN("polt_cgroup");
	generation.interfaces_fd = PIN("polt_interfaces");
#undef PIN
	*out = generation;
	return generation.attachments_fd < 0 ? generation.attachments_fd : 0;
}

void pold_generation_close(struct pold_generation *generation)
{
	polb_cleanup_fd(&generation->attachments_fd);
	polb_cleanup_fd(&generation->endpoints_fd);
	polb_cleanup_fd(&generation->cgroup_fd);
	polb_cleanup_fd(&generation->interfaces_fd);
	generation->attachments_fd = generation->endpoints_fd = -1;
	generation->cgroup_fd = generation->interfaces_fd = -1;
}

static int program_get(const struct pold_generation *g, const char *program)
{
	return pold_pin_get(POLD_ROOT "/%s/g%u/%s", g->name, g->number, program);
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 ? info.id : 0;
}

static void link_path(const struct pold_generation *g, const struct pold_attachment_key *key,
	int side, char out[POLD_PATH])
{
	pold_path(out, POLD_ROOT "/%s/g%u/%s_%u_%s", g->name, g->number, hook_of(key->hook)->link,
		key->endpoint, side ? "out" : "in");
}

static int attach_link(const struct pold_generation *g, const struct pold_attachment_key *key,
	int side, const struct pold_place *place)
{
	const struct hook *hook = hook_of(key->hook);
	bool tcx = key->hook == POLB_HOOK_TC;
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = tcx ? ATTACH_BEFORE : 0);
	POLB_FD program_fd = program_get(g, hook->program[side]);
	POLB_FD link_fd = -1;
	char path[POLD_PATH];

	if (program_fd < 0)
		return program_fd;
	link_fd = bpf_link_create(
		program_fd, tcx ? (int)place->ifindex : place->cgroup_fd, hook->type[side], &opts);
	if (link_fd < 0)
		return -errno;
	link_path(g, key, side, path);
	return bpf_obj_pin(link_fd, path) ? -errno : 0;
}

static int record(const struct pold_generation *g, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	return bpf_map_update_elem(g->attachments_fd, key, attachment, BPF_ANY) ? -errno : 0;
}

static int filter_add(const struct pold_attachment *a, int program_fd, int side)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)a->ifindex, .attach_point = points[side]);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program_fd, .handle = a->handle,
		.priority = a->priority);
	int err = bpf_tc_hook_create(&hook);

	return err && err != -EEXIST ? err : bpf_tc_attach(&hook, &opts);
}

/* Removes a filter only when it is ours: the recorded place and one of this generation's programs.
 */
static int filter_del(const struct pold_generation *g, const struct pold_attachment *a, int side)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)a->ifindex, .attach_point = points[side]);
	LIBBPF_OPTS(bpf_tc_opts, found, .handle = a->handle, .priority = a->priority);
	LIBBPF_OPTS(bpf_tc_opts, gone, .handle = a->handle, .priority = a->priority);
	POLB_FD program_fd = program_get(g, hook_of(POLB_HOOK_TC)->program[side]);

	if (!a->handle || program_fd < 0 || bpf_tc_query(&hook, &found) ||
		found.prog_id != program_id(program_fd))
		return 0;
	return bpf_tc_detach(&hook, &gone);
}

/* Early priorities first: a filter before ours that accepts would let packets past the policy. */
static int attach_filters(const struct pold_generation *g, const struct pold_attachment_key *key,
	struct pold_attachment *a)
{
	POLB_FD from = program_get(g, hook_of(key->hook)->program[0]);
	POLB_FD to = program_get(g, hook_of(key->hook)->program[1]);
	int err = -EEXIST;

	if (from < 0 || to < 0)
		return from < 0 ? from : to;
	a->clsact = 1;
	for (uint32_t try = 0; err && try < N_HANDLES * N_PRIORITIES; try++) {
		a->priority = 1 + try / N_HANDLES;
		a->handle = FIRST_HANDLE + (g->number + try) % N_HANDLES;
		err = record(g, key, a);
		if (err)
			return err;
		err = filter_add(a, from, 0);
		if (!err && (err = filter_add(a, to, 1)))
			filter_del(g, a, 0);
		if (err == -EINVAL) /* the priority is taken by another kind of filter */
			try += N_HANDLES - 1 - try % N_HANDLES;
		else if (err && err != -EEXIST)
			return err;
	}
	return err;
}

/* What the programs look up to know whose packet they see. */
/*
 * Loopback is an endpoint's own only in a namespace of its own. The inventory says so, but a
 * service whose processes are seen in the host's namespace shares it, whatever was written.
 */
static int note_namespace(
	const struct pold_generation *g, uint32_t number, const struct pold_place *place)
{
	struct polb_endpoint endpoint;

	if (!place->host_netns)
		return 0;
	if (bpf_map_lookup_elem(g->endpoints_fd, &number, &endpoint))
		return -errno;
	endpoint.flags |= POLB_ENDPOINT_HOST_NETNS;
	return bpf_map_update_elem(g->endpoints_fd, &number, &endpoint, BPF_ANY) ? -errno : 0;
}

static int write_tables(const struct pold_generation *g, const struct pold_attachment_key *key,
	const struct pold_place *place)
{
	const struct polb_cgroup_endpoint mine = {.key = place->key, .endpoint = key->endpoint};
	struct polb_endpoint endpoint;

	if (key->hook == POLB_HOOK_CGROUP) {
		int err = note_namespace(g, key->endpoint, place);

		if (!err && bpf_map_update_elem(g->cgroup_fd, &place->key, &mine, BPF_ANY))
			err = -errno;
		return err;
	}
	if (bpf_map_lookup_elem(g->endpoints_fd, &key->endpoint, &endpoint))
		return -errno;
	endpoint.key = place->key;
	if (bpf_map_update_elem(g->endpoints_fd, &key->endpoint, &endpoint, BPF_ANY) ||
		bpf_map_update_elem(g->interfaces_fd, &place->ifindex, &key->endpoint, BPF_ANY))
		return -errno;
	return 0;
}

static int attach_cgroup(const struct pold_generation *g, const struct pold_attachment_key *key,
	const struct pold_place *place)
{
	int err = attach_link(g, key, 0, place);

	if (!err) /* the storage exists from the first attachment on and serves both programs */
		err = write_tables(g, key, place);
	return err ? err : attach_link(g, key, 1, place);
}

static int attach_tc(const struct pold_generation *g, const struct pold_attachment_key *key,
	const struct pold_place *place, struct pold_attachment *attachment)
{
	int err = write_tables(g, key, place);

	if (!err)
		err = attach_link(g, key, 0, place);
	if (!err)
		return attach_link(g, key, 1, place);
	return err == -EINVAL ? attach_filters(g, key, attachment) : err; /* before 6.6: no tcx */
}

int pold_attach(const struct pold_generation *g, uint32_t endpoint, const struct pold_place *place)
{
	const struct pold_attachment_key key = {.endpoint = endpoint, .hook = place->hook};
	struct pold_attachment attachment = {.key = place->key, .ifindex = place->ifindex};
	int err;

	if ((place->hook == POLB_HOOK_CGROUP ? g->cgroup_fd : g->interfaces_fd) < 0)
		return -EPROTONOSUPPORT; /* the bundle has no programs for this hook */
	if (bpf_map_lookup_elem(g->attachments_fd, &key, &attachment) == 0)
		return -EEXIST;
	attachment = (struct pold_attachment){.key = place->key, .ifindex = place->ifindex};
	snprintf(attachment.where, sizeof(attachment.where), "%s", place->where);
	err = record(g, &key, &attachment);
	if (err)
		return err;
	err = place->hook == POLB_HOOK_CGROUP ? attach_cgroup(g, &key, place)
					      : attach_tc(g, &key, place, &attachment);
	if (err)
		pold_detach(g, &key);
	return err;
}

int pold_detach(const struct pold_generation *g, const struct pold_attachment_key *key)
{
	struct pold_attachment attachment;
	int err = 0;

	if (bpf_map_lookup_elem(g->attachments_fd, key, &attachment))
		return -errno;
	for (int side = 0; side < 2; side++) {
		char path[POLD_PATH];
		POLB_FD link_fd = -1;

		link_path(g, key, side, path);
		link_fd = bpf_obj_get(path);
		if (link_fd >= 0)
			bpf_link_detach(
				link_fd); /* at once, even if somebody else holds the link */
		if (unlink(path) && errno != ENOENT)
			err = -errno;
		if (attachment.clsact && filter_del(g, &attachment, side))
			err = -EIO;
	}
	if (attachment.ifindex && g->interfaces_fd >= 0)
		bpf_map_delete_elem(g->interfaces_fd, &attachment.ifindex);
	if (!err && bpf_map_delete_elem(g->attachments_fd, key))
		err = -errno;
	return err;
}

/* The start of the kernel's struct bpf_link_info, whose tcx part newer headers have. */
struct link_head {
	__u32 type, id, prog_id, pad;
	union {
		struct {
			__u64 id;
		} cgroup;
		struct {
			__u32 ifindex;
		} tcx;
	} at;
	char rest[64];
};

static bool link_alive(const char *path, uint32_t hook)
{
	POLB_FD fd = bpf_obj_get(path);
	struct link_head info = {0};
	__u32 size = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		return false;
	return hook == POLB_HOOK_CGROUP ? info.at.cgroup.id != 0 : info.at.tcx.ifindex != 0;
}

static bool filter_alive(const struct pold_generation *g, const struct pold_attachment *a, int side)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)a->ifindex, .attach_point = points[side]);
	LIBBPF_OPTS(bpf_tc_opts, found, .handle = a->handle, .priority = a->priority);
	POLB_FD program_fd = program_get(g, hook_of(POLB_HOOK_TC)->program[side]);

	return program_fd >= 0 && bpf_tc_query(&hook, &found) == 0 &&
	       found.prog_id == program_id(program_fd);
}

bool pold_attached(const struct pold_generation *g, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	for (int side = 0; side < 2; side++) {
		char path[POLD_PATH];

		link_path(g, key, side, path);
		if (!(attachment->clsact ? filter_alive(g, attachment, side)
					 : link_alive(path, key->hook)))
			return false;
	}
	return true;
}

static int compare_keys(const void *a, const void *b)
{
	const struct pold_attachment_key *x = a, *y = b;

	if (x->endpoint != y->endpoint)
		return x->endpoint < y->endpoint ? -1 : 1;
	return (x->hook > y->hook) - (x->hook < y->hook);
}

static int collect_keys(int fd, struct pold_attachment_key **out, size_t *n)
{
	POLB_FREE struct pold_attachment_key *keys = NULL;
	struct pold_attachment_key at, *previous = NULL;
	size_t count = 0;

	while (bpf_map_get_next_key(fd, previous, &at) == 0) {
		struct pold_attachment_key *larger = realloc(keys, (count + 1) * sizeof(*keys));

		if (!larger)
			return -ENOMEM;
		keys = larger;
		keys[count] = at;
		previous = &keys[count++];
	}
	if (count)
		qsort(keys, count, sizeof(*keys), compare_keys);
	*out = POLB_TAKE(keys);
	*n = count;
	return 0;
}

int pold_attachments_each(const struct pold_generation *g,
	int (*call)(void *context, const struct pold_attachment_key *key,
		const struct pold_attachment *attachment),
	void *context)
{
	POLB_FREE struct pold_attachment_key *keys = NULL;
	size_t n = 0;
	int err = collect_keys(g->attachments_fd, &keys, &n);

	for (size_t i = 0; !err && i < n; i++) {
		struct pold_attachment attachment;

		if (bpf_map_lookup_elem(g->attachments_fd, &keys[i], &attachment) == 0)
			err = call(context, &keys[i], &attachment);
	}
	return err;
}

static int detach_one(void *context, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	(void)attachment;
	return pold_detach(context, key);
}

int pold_generation_remove(const char *name, uint32_t number)
{
	POLD_GENERATION generation;
	char path[POLD_PATH];
	int err = pold_generation_open(name, number, &generation);

	if (!err)
		err = pold_attachments_each(&generation, detach_one, &generation);
	else if (err == -ENOENT) /* killed before it could attach anything */
		err = 0;
	if (err)
		return err;
	pold_path(path, POLD_ROOT "/%s/g%u", name, number);
	return pold_directory_remove(path);
}
