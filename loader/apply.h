/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One apply, or rollback, from reading the bundle to the cutover. Shared by loader/apply*.c. */
#ifndef POLD_APPLY_H
#define POLD_APPLY_H

#include "trace.h"

#define POLD_NETWORK_HOOKS (POLB_HOOK_CGROUP | POLB_HOOK_TC | POLB_HOOK_XDP)

struct pold_apply_spot {
	uint32_t endpoint;
	struct pold_place place;
};

struct pold_apply {
	const struct pold_options *options;
	const char *name;
	uint32_t from; /* the kept generation whose bundle it is; 0: a file */
	bool lenient;  /* places that have gone are left out */
	void *file;
	struct polb_bundle bundle;
	struct pold_archive_header told; /* size, node and options of this apply */
	int lock_fd, control_fd, flows_fd;
	bool lock_is_borrowed;
	uint32_t old, epoch, generation; /* old 0: nothing in force, once `looked` */
	bool looked;                     /* what is in force is known */
	bool made;                       /* the new directory exists */
	bool applied;                    /* the new generation is in force */
	bool done;                       /* nothing is left to do */
	struct polb_instance *instance;
	struct pold_trace trace;
	struct pold_apply_spot *spots; /* where endpoints of this node are to be attached */
	size_t n_spots;
	uint32_t n_waiting; /* places that are not there yet (--absent) */
};
#define POLD_APPLY __attribute__((cleanup(pold_apply_end))) struct pold_apply
#define POLD_APPLY_INIT(the_options)                                                               \
	{                                                                                          \
		.options = (the_options), .name = (the_options)->name, .lock_fd = -1,              \
		.control_fd = -1, .flows_fd = -1                                                   \
	}

static inline bool pold_apply_has_network(const struct pold_apply *a)
{
	return a->bundle.manifest.hooks & POLD_NETWORK_HOOKS;
}

static inline bool pold_apply_has_tracing(const struct pold_apply *a)
{
	return a->bundle.manifest.hooks & POLB_HOOK_TRACE;
}

/* Takes back what was made unless it is in force. */
void pold_apply_end(struct pold_apply *a);

/* apply_bundle.c: what is to be applied. Exit codes. */
int pold_apply_read_file(struct pold_apply *a); /* options->arguments[0] */
/* The kept generation a->from; *options becomes what its apply was told. Under the lock. */
int pold_apply_read_kept(struct pold_apply *a, struct pold_options *options);

/* apply.c: with the bundle read and the lock held, everything else. */
int pold_apply_run(struct pold_apply *a);
/* When it is to be confirmed or its health to be checked; without the lock. */
int pold_apply_watch(const struct pold_options *options, uint32_t generation);

/* apply_places.c: where endpoints go. Exit codes. */
int pold_apply_find_places(struct pold_apply *a); /* those of the bundle */
int pold_apply_carry_over(struct pold_apply *a);  /* those that were attached at run time */
bool pold_apply_has_spot(const struct pold_apply *a, uint32_t endpoint, uint32_t hook);

/* apply_same.c: whether all of this is in force already, and alive. */
bool pold_apply_is_in_force(const struct pold_apply *a);

/* apply_dry.c: loads, says what would happen, and keeps nothing. Exit code. */
int pold_apply_dry_run(struct pold_apply *a);
int pold_apply_load(struct pold_apply *a); /* apply.c */
struct polb_instance_options pold_apply_instance_options(const struct pold_apply *a);

#endif
