/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Endpoints on hooks. What is about to be attached is first written to the generation's pinned map
 * of attachments, so that after a kill at any point the next run finds and removes it. Links
 * (cgroup, tcx) live as long as their pins; kernels without tcx get cls_bpf filters (clsact.c).
 *
 * The two programs of a place are attached first and do nothing: they look up whose packet they
 * see, and it is nobody's. One store into that table puts both directions into force, and one ends
 * that before the first of them is taken away.
 *
 * Two generations of a name share a hook for some time, and each acts only while it is in force.
 * The one that is replaced must run first: a packet that comes to it after the cutover and passes
 * is then still to be seen by the new one, which is in force by then. The other way round the
 * packet would have passed the new one before the cutover, and nobody would have judged it. cgroups
 * run programs in the order of their attachment; with tcx the place is asked for.
 */
#include "loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/cleanup.h"

/* Kernel 6.6; Debian 12's headers lack them. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS ((enum bpf_attach_type)47)
#define ATTACH_BEFORE (1u << 3)
#define ATTACH_AFTER (1u << 4)
#define ATTACH_AT_LINK (1u << 13)

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
static const struct hook *hook_of(uint32_t hook)
{
	return &hooks[pold_hook_kind(hook) == POLB_HOOK_TC];
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

int pold_program_get(const struct pold_generation *g, const char *program)
{
	return pold_pin_get(POLD_ROOT "/%s/g%u/%s", g->name, g->number, program);
}

uint32_t pold_program_id(int fd)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 ? info.id : 0;
}

void pold_link_path(const struct pold_generation *g, const struct pold_attachment_key *key,
	int side, char out[POLD_PATH])
{
	char number[24] = "";

	if (pold_hook_place(key->hook))
		snprintf(number, sizeof(number), "_%u", pold_hook_place(key->hook));
	pold_path(out, POLD_ROOT "/%s/g%u/%s_%u%s_%s", g->name, g->number, hook_of(key->hook)->link,
		key->endpoint, number, side ? "out" : "in");
}

/* The start of the kernel's attributes for a link; libbpf 1.1 knows no relative place. */
struct link_attributes {
	__u32 program_fd, target, type, flags;
	__u32 relative_fd, pad;
	__u64 expected_revision;
};

static int link_create(
	int program_fd, uint32_t target, enum bpf_attach_type type, uint32_t flags, int relative_fd)
{
	const struct link_attributes attributes = {.program_fd = (__u32)program_fd,
		.target = target,
		.type = type,
		.flags = flags,
		.relative_fd = relative_fd < 0 ? 0 : (__u32)relative_fd};
	int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof(attributes));

	return fd < 0 ? -errno : fd;
}

/* The replaced generation's link on the same side of an interface; -ENOENT: none. */
static int replaced_link(const struct pold_generation *g, uint32_t ifindex, int side)
{
	struct pold_attachment_key key = {.hook = POLB_HOOK_TC};
	const struct pold_generation *old = g->replaced;
	char path[POLD_PATH];

	int fd;

	if (!old || old->interfaces_fd == -ENOENT)
		return -ENOENT;
	if (old->interfaces_fd < 0)
		return old->interfaces_fd;
	if (bpf_map_lookup_elem(old->interfaces_fd, &ifindex, &key.endpoint))
		return -errno;
	pold_link_path(old, &key, side, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

/* The first one of a name goes before all others: one that accepts would let packets past it. */
static int link_interface(
	const struct pold_generation *g, int program_fd, uint32_t ifindex, int side)
{
	enum bpf_attach_type type = hook_of(POLB_HOOK_TC)->type[side];
	POLB_FD old_fd = replaced_link(g, ifindex, side);
	int fd = old_fd < 0 ? old_fd : -ENOENT;

	if (old_fd >= 0)
		fd = link_create(program_fd, ifindex, type, ATTACH_AFTER | ATTACH_AT_LINK, old_fd);
	return fd == -ENOENT ? link_create(program_fd, ifindex, type, ATTACH_BEFORE, -1) : fd;
}

static int attach_link(const struct pold_generation *g, const struct pold_attachment_key *key,
	int side, const struct pold_place *place)
{
	const struct hook *hook = hook_of(key->hook);
	POLB_FD program_fd = pold_program_get(g, hook->program[side]);
	POLB_FD link_fd = -1;
	char path[POLD_PATH];

	if (program_fd < 0)
		return program_fd;
	link_fd = key->hook == POLB_HOOK_TC ? link_interface(g, program_fd, place->ifindex, side)
					    : link_create(program_fd, (uint32_t)place->cgroup_fd,
						      hook->type[side], 0, -1);
	if (link_fd < 0)
		return link_fd;
	pold_link_path(g, key, side, path);
	return bpf_obj_pin(link_fd, path) ? -errno : 0;
}

static int record(const struct pold_generation *g, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	return bpf_map_update_elem(g->attachments_fd, key, attachment, BPF_ANY) ? -errno : 0;
}

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

static int note_interface(
	const struct pold_generation *g, uint32_t number, const struct pold_place *place)
{
	struct polb_endpoint endpoint;

	if (bpf_map_lookup_elem(g->endpoints_fd, &number, &endpoint))
		return -errno;
	endpoint.key = place->key;
	return bpf_map_update_elem(g->endpoints_fd, &number, &endpoint, BPF_ANY) ? -errno : 0;
}

/* Of a cgroup the storage, which exists while a program is attached and serves both. */
static int set_cgroup(const struct pold_generation *g, uint64_t cgroup, uint32_t endpoint)
{
	const struct polb_cgroup_endpoint mine = {.key = cgroup, .endpoint = endpoint};

	return bpf_map_update_elem(g->cgroup_fd, &cgroup, &mine, BPF_ANY) ? -errno : 0;
}

static int begin(const struct pold_generation *g, const struct pold_attachment_key *key,
	const struct pold_place *place)
{
	if (pold_hook_kind(key->hook) == POLB_HOOK_CGROUP)
		return set_cgroup(g, place->key, key->endpoint);
	return bpf_map_update_elem(g->interfaces_fd, &place->ifindex, &key->endpoint, BPF_ANY)
		       ? -errno
		       : 0;
}

/* The endpoint that a place is: as the programs look it up. 0: nobody's. */
static uint32_t endpoint_at(const struct pold_generation *g, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	struct polb_cgroup_endpoint cgroup;
	uint32_t endpoint;

	if (pold_hook_kind(key->hook) == POLB_HOOK_CGROUP)
		return g->cgroup_fd >= 0 && bpf_map_lookup_elem(
						    g->cgroup_fd, &attachment->key, &cgroup) == 0
			       ? cgroup.endpoint
			       : 0;
	return g->interfaces_fd >= 0 && bpf_map_lookup_elem(g->interfaces_fd, &attachment->ifindex,
						&endpoint) == 0
		       ? endpoint
		       : 0;
}

bool pold_in_force(const struct pold_generation *g, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	return endpoint_at(g, key, attachment) == key->endpoint;
}

/* The number of an interface may be another one's by now, and that one another endpoint's. */
static int end(const struct pold_generation *g, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	int err = 0;

	if (!pold_in_force(g, key, attachment))
		return 0;
	if (pold_hook_kind(key->hook) == POLB_HOOK_CGROUP)
		err = set_cgroup(g, attachment->key, 0);
	else if (bpf_map_delete_elem(g->interfaces_fd, &attachment->ifindex))
		err = -errno;
	return err == -ENOENT ? 0 : err;
}

static int attach_links(const struct pold_generation *g, const struct pold_attachment_key *key,
	const struct pold_place *place)
{
	int err = attach_link(g, key, 0, place);

	return err ? err : attach_link(g, key, 1, place);
}

static int attach_cgroup(const struct pold_generation *g, const struct pold_attachment_key *key,
	const struct pold_place *place)
{
	int err = note_namespace(g, key->endpoint, place);

	return err ? err : attach_links(g, key, place);
}

static int attach_tc(const struct pold_generation *g, const struct pold_attachment_key *key,
	const struct pold_place *place, struct pold_attachment *attachment)
{
	int err = note_interface(g, key->endpoint, place);

	if (!err)
		err = attach_links(g, key, place);
	return err == -EINVAL ? pold_filters_add(g, key, attachment) : err; /* before 6.6: no tcx */
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

int pold_attach(const struct pold_generation *g, uint32_t endpoint, const struct pold_place *place)
{
	const struct pold_attachment_key key = {.endpoint = endpoint, .hook = place->hook};
	struct pold_attachment attachment = {.key = place->key, .ifindex = place->ifindex};
	int err;

	if ((pold_hook_kind(place->hook) == POLB_HOOK_CGROUP ? g->cgroup_fd : g->interfaces_fd) < 0)
		return -EPROTONOSUPPORT; /* the bundle has no programs for this hook */
	if (bpf_map_lookup_elem(g->attachments_fd, &key, &attachment) == 0)
		return -EEXIST;
	attachment = (struct pold_attachment){.key = place->key,
		.since_ns = now_ns(),
		.ifindex = place->ifindex,
		.changing = true};
	snprintf(attachment.where, sizeof(attachment.where), "%s", place->where);
	err = record(g, &key, &attachment);
	if (err)
		return err;
	err = pold_hook_kind(place->hook) == POLB_HOOK_CGROUP
		      ? attach_cgroup(g, &key, place)
		      : attach_tc(g, &key, place, &attachment);
	if (!err)
		err = begin(g, &key, place);
	attachment.changing = false;
	if (!err)
		err = record(g, &key, &attachment);
	if (err)
		pold_detach(g, &key);
	return err;
}

int pold_unhook(const struct pold_generation *g, const struct pold_attachment_key *key,
	struct pold_attachment *attachment)
{
	int err = 0;

	if (bpf_map_lookup_elem(g->attachments_fd, key, attachment))
		return -errno;
	for (int side = 0; side < 2; side++) {
		char path[POLD_PATH];
		POLB_FD link_fd = -1;

		pold_link_path(g, key, side, path);
		link_fd = bpf_obj_get(path);
		if (link_fd >= 0)
			bpf_link_detach(
				link_fd); /* at once, even if somebody else holds the link */
		if (unlink(path) && errno != ENOENT)
			err = -errno;
	}
	if (attachment->clsact && pold_filters_del(g, attachment))
		err = -EIO;
	return err;
}

int pold_detach(const struct pold_generation *g, const struct pold_attachment_key *key)
{
	struct pold_attachment attachment;
	int err;

	if (bpf_map_lookup_elem(g->attachments_fd, key, &attachment))
		return -errno;
	attachment.changing = true;
	err = record(g, key, &attachment);
	if (!err)
		err = end(g, key, &attachment);
	if (!err)
		err = pold_unhook(g, key, &attachment);
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
	return pold_hook_kind(hook) == POLB_HOOK_CGROUP ? info.at.cgroup.id != 0
							: info.at.tcx.ifindex != 0;
}

bool pold_attached(const struct pold_generation *g, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	if (!pold_in_force(g, key, attachment))
		return false;
	if (attachment->clsact)
		return pold_filters_alive(g, attachment);
	for (int side = 0; side < 2; side++) {
		char path[POLD_PATH];

		pold_link_path(g, key, side, path);
		if (!link_alive(path, key->hook))
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

	for (;;) {
		struct pold_attachment_key *larger = NULL;

		if (bpf_map_get_next_key(fd, previous, &at)) {
			if (errno != ENOENT)
				return -errno;
			break;
		}
		larger = realloc(keys, (count + 1) * sizeof(*keys));

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
		else if (errno != ENOENT)
			err = -errno;
	}
	return err;
}

static int detach_one(void *context, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	(void)attachment;
	return pold_detach(context, key);
}

struct detaching {
	const struct pold_generation *generation;
	uint32_t endpoint;
	int found;
};

static int detach_if_its(void *context, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	struct detaching *d = context;
	int err;

	(void)attachment;
	if (key->endpoint != d->endpoint)
		return 0;
	err = pold_detach(d->generation, key);
	d->found += !err;
	return err == -ENOENT ? 0 : err;
}

int pold_detach_endpoint(const struct pold_generation *g, uint32_t endpoint)
{
	struct detaching d = {.generation = g, .endpoint = endpoint};
	int err = pold_attachments_each(g, detach_if_its, &d);

	return err ? err : d.found;
}

/*
 * The kernel promises that an update of a map of maps returns when no program runs any more that
 * began before it (since 4.20, for programs that do not sleep, which those of packets are).
 */
int pold_programs_wait(void)
{
	POLB_FD inner = bpf_map_create(
		BPF_MAP_TYPE_ARRAY, "polc_inner", sizeof(__u32), sizeof(__u32), 1, NULL);
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = (__u32)inner);
	POLB_FD outer = -1;
	const __u32 zero = 0;

	if (inner < 0)
		return -errno;
	outer = bpf_map_create(
		BPF_MAP_TYPE_ARRAY_OF_MAPS, "polc_outer", sizeof(__u32), sizeof(__u32), 1, &opts);
	if (outer < 0)
		return -errno;
	return bpf_map_update_elem(outer, &zero, &inner, BPF_ANY) ? -errno : 0;
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
