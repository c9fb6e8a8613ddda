/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cls_bpf filters on a clsact qdisc, for kernels without tcx (before 6.6). What is about to be
 * added is recorded first.
 *
 * The kernel puts a new filter before those of the same priority. The replaced generation's program
 * has to run first, though (see attach.c): it is added once more, before ours, and taken away after
 * the cutover. These are the guards. Nobody's filter can come in between, as it could between two
 * priorities.
 */
#include "loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "runtime/cleanup.h"

#define FIRST_HANDLE 0x706f6c00u /* "pol" */
#define N_HANDLES 256
#define N_PRIORITIES 8

static const enum bpf_tc_attach_point points[2] = {BPF_TC_INGRESS, BPF_TC_EGRESS};
static const char *const programs[2] = {"polt_tc_from", "polt_tc_to"};

static int add(const struct pold_attachment *a, uint32_t handle, int program_fd, int side)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)a->ifindex, .attach_point = points[side]);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program_fd, .handle = handle,
		.priority = a->priority);

	return bpf_tc_attach(&hook, &opts);
}

/* The program of the filter with this handle; 0: there is none. */
static uint32_t program_at(const struct pold_attachment *a, uint32_t handle, int side)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)a->ifindex, .attach_point = points[side]);
	LIBBPF_OPTS(bpf_tc_opts, found, .handle = handle, .priority = a->priority);

	return handle && bpf_tc_query(&hook, &found) == 0 ? found.prog_id : 0;
}

/* Only when it is ours: the recorded place and this program. */
static int del(const struct pold_attachment *a, uint32_t handle, uint32_t program, int side)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)a->ifindex, .attach_point = points[side]);
	LIBBPF_OPTS(bpf_tc_opts, gone, .handle = handle, .priority = a->priority);

	return program && program_at(a, handle, side) == program ? bpf_tc_detach(&hook, &gone) : 0;
}

static uint32_t own_program(const struct pold_generation *g, int side)
{
	POLB_FD fd = pold_program_get(g, programs[side]);

	return pold_program_id(fd);
}

static int record(const struct pold_generation *g, const struct pold_attachment_key *key,
	const struct pold_attachment *a)
{
	return bpf_map_update_elem(g->attachments_fd, key, a, BPF_ANY) ? -errno : 0;
}

/* What the replaced generation has on the same interface. Whether it has anything, or -errno. */
static int find_replaced(
	const struct pold_generation *g, uint32_t ifindex, struct pold_attachment *out)
{
	struct pold_attachment_key key = {.hook = POLB_HOOK_TC};
	const struct pold_generation *old = g->replaced;

	if (!old || old->interfaces_fd == -ENOENT)
		return false;
	if (old->interfaces_fd < 0)
		return old->interfaces_fd;
	if (bpf_map_lookup_elem(old->interfaces_fd, &ifindex, &key.endpoint) ||
		bpf_map_lookup_elem(old->attachments_fd, &key, out))
		return errno == ENOENT ? false : -errno;
	return out->clsact && pold_filters_alive(old, out);
}

static int add_both(
	const struct pold_generation *owner, const struct pold_attachment *a, uint32_t handle)
{
	int err = 0;

	for (int side = 0; !err && side < 2; side++) {
		POLB_FD fd = pold_program_get(owner, programs[side]);

		err = fd < 0 ? fd : add(a, handle, fd, side);
		if (err && side)
			del(a, handle, own_program(owner, 0), 0);
	}
	return err;
}

/* Early priorities first: a filter before ours that accepts would let packets past the policy. */
static int add_own(const struct pold_generation *g, const struct pold_attachment_key *key,
	struct pold_attachment *a, uint32_t first_priority, uint32_t n_priorities)
{
	int err = -EEXIST;

	for (uint32_t try = 0; err && try < N_HANDLES * n_priorities; try++) {
		a->priority = first_priority + try / N_HANDLES;
		a->handle = FIRST_HANDLE + (g->number + try) % N_HANDLES;
		err = record(g, key, a);
		if (err)
			return err;
		err = add_both(g, a, a->handle);
		if (err == -EINVAL) /* the priority is taken by another kind of filter */
			try += N_HANDLES - 1 - try % N_HANDLES;
		else if (err && err != -EEXIST)
			return err;
	}
	return err;
}

static int add_guard(const struct pold_generation *g, const struct pold_attachment_key *key,
	struct pold_attachment *a)
{
	int err = -EEXIST;

	for (int side = 0; side < 2; side++)
		a->guard_program[side] = own_program(g->replaced, side);
	for (uint32_t try = 1; err == -EEXIST && try < N_HANDLES; try++) {
		a->guard_handle = FIRST_HANDLE + (g->number + try) % N_HANDLES;
		err = record(g, key, a);
		if (!err)
			err = add_both(g->replaced, a, a->guard_handle);
	}
	return err;
}

int pold_filters_add(const struct pold_generation *g, const struct pold_attachment_key *key,
	struct pold_attachment *a)
{
	struct pold_attachment old;
	int replaces = find_replaced(g, a->ifindex, &old), err;

	if (replaces < 0)
		return replaces;
	a->clsact = 1;
	err = pold_clsact_make(a->ifindex);
	if (!err)
		err = add_own(g, key, a, replaces ? old.priority : 1, replaces ? 1 : N_PRIORITIES);
	return err || !replaces ? err : add_guard(g, key, a);
}

static int del_guards(const struct pold_attachment *a)
{
	int err = 0;

	for (int side = 0; side < 2; side++)
		if (del(a, a->guard_handle, a->guard_program[side], side))
			err = -EIO;
	return err;
}

int pold_filters_del(const struct pold_generation *g, const struct pold_attachment *a)
{
	int err = del_guards(a);

	for (int side = 0; side < 2; side++)
		if (del(a, a->handle, own_program(g, side), side))
			err = -EIO;
	pold_clsact_drop(a->ifindex);
	return err;
}

bool pold_filters_alive(const struct pold_generation *g, const struct pold_attachment *a)
{
	for (int side = 0; side < 2; side++) {
		uint32_t own = own_program(g, side);

		if (!own || program_at(a, a->handle, side) != own)
			return false;
	}
	return true;
}

static int remove_guard(void *context, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	struct pold_attachment without = *attachment;
	int err;

	if (!attachment->guard_handle)
		return 0;
	err = del_guards(attachment);
	without.guard_handle = 0;
	return err ? err : record(context, key, &without);
}

int pold_guards_remove(const struct pold_generation *g)
{
	return pold_attachments_each(g, remove_guard, (void *)(uintptr_t)g);
}
