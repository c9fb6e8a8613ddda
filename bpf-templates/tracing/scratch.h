/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A buffer for one run of a program, claimed and given back: what does not fit on the stack. */
#ifndef POLT_SCRATCH_H
#define POLT_SCRATCH_H

#include "runtime/trace_abi.h"
#include "../lib/common.h"
#include "config.h"

/* Room behind the last argument that may start: the longest payload with its head. */
#define POLT_ARGUMENTS_BYTES (POLT_ARGUMENTS_LIMIT + 4136)
/* Texts are read in pieces of this size: as many bytes behind them are zero. */
#define POLT_TEXT_STEP 32

struct polt_record {
	struct polb_process process;
	__u64 own[POLT_BINARY_WORDS];
	__u64 lineage[POLT_BINARY_WORDS];
	__u64 parent[POLT_BINARY_WORDS];
	__u64 parent_lineage[POLT_BINARY_WORDS];
};

/* Key of a longest-prefix map; `bits` counts the domain's 32 as well. */
struct polt_lpm_key {
	__u32 bits, domain;
	__u64 text[32];
};

/* polt_path_walk() and where it is (path.h): in memory of which the verifier knows nothing, so that
 * one round of its loop is like the next. */
struct polt_mount_view { /* of a mount */
	__u64 parent;    /* struct mount */
	__u64 mountpoint, root;
};
struct polt_dentry_view {
	__u64 parent;
	__u32 hash, length;
	__u64 name;
};
struct polt_root { /* of current; zero when it has none any more */
	__u64 mnt, dentry;
};
struct polt_walker {
	__u64 mnt, dentry; /* struct vfsmount, struct dentry */
	struct polt_root root;
	struct polt_mount_view mount;
	struct polt_dentry_view d;
	__u32 dentry_only;
	__u32 at;   /* where the text in scratch->path begins */
	__u32 step; /* enum polt_walk_step */
	__u32 end;  /* where the first name was put */
	__u32 flags;
	__u32 pad;
};
/* The path whose text is there: it is judged, then sent. */
struct polt_walked {
	__u64 mnt, dentry; /* 0: none */
	__u64 dentry_only;
	__s64 found; /* what polt_path_walk() returned */
};

struct polt_scratch {
	__u32 users;
	__u32 slot; /* its own index */
	struct polt_walker walker;
	struct polt_walked walked;
	struct polt_lpm_key lpm;
	__u64 found; /* by an automaton so far */
	/* a path is built here from POLB_PATH_BYTES towards the front; the rest stays zero */
	char path[POLB_PATH_BYTES + 512];
	char text[POLB_PATH_BYTES + 64]; /* a string, POLT_TEXT_STEP zero bytes behind its end */
	struct polt_record record;       /* process tracking: the record to be */
	union {
		struct {
			struct polb_event_call event; /* followed by */
			char arguments[POLT_ARGUMENTS_BYTES];
		};
		struct polb_event_exec exec; /* process tracking */
	};
};
_Static_assert(sizeof(struct polt_scratch) <= 32768, "8 MB for all slots");

/* Where a text is, for polt_classify(): an offset in the scratch. */
enum {
	POLT_PATH = __builtin_offsetof(struct polt_scratch, path),
	POLT_TEXT = __builtin_offsetof(struct polt_scratch, text),
};

/*
 * Shared by all CPUs: where the kernel can be preempted, as many runs are under way on one CPU as
 * threads were preempted in theirs, and a run without a slot cannot judge. Each CPU begins to look
 * at slots that are its own while it needs no more of them.
 */
enum { POLT_SCRATCH_SLOTS = 256, POLT_SCRATCH_PER_CPU = 8, POLT_SCRATCH_GROUP = 16 };
_Static_assert((POLT_SCRATCH_SLOTS & (POLT_SCRATCH_SLOTS - 1)) == 0, "a power of two");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, POLT_SCRATCH_SLOTS);
	__type(key, __u32);
	__type(value, struct polt_scratch);
} polt_scratch SEC(".maps");

static __always_inline struct polt_scratch *polt_scratch_at(__u32 slot)
{
	return bpf_map_lookup_elem(&polt_scratch, &slot);
}

/*
 * Whoever sees itself alone after adding has the slot: others, preempted or on another CPU, who add
 * later see two. Two who add at once may both leave.
 */
static __always_inline bool polt_scratch_take(struct polt_scratch *s)
{
	if (READ_ONCE(s->users))
		return false;
	__sync_fetch_and_add(&s->users, 1);
	if (likely(READ_ONCE(s->users) == 1))
		return true;
	__sync_fetch_and_add(&s->users, -1);
	return false;
}

/*
 * One of the POLT_SCRATCH_GROUP slots from `first` on; -1: every one is taken. Global, as its
 * caller: the verifier goes round the loop of each once per program, not once for all slots.
 */
__noinline int polt_scratch_group(__u32 first)
{
	for (__u32 i = 0; i < POLT_SCRATCH_GROUP; i++) {
		__u32 slot = (first + i) & (POLT_SCRATCH_SLOTS - 1);
		struct polt_scratch *s = polt_scratch_at(slot);

		if (!s)
			return -1;
		if (polt_scratch_take(s))
			return slot;
	}
	return -1;
}

/* A slot, from `home` on; -1: every one is taken. */
__noinline int polt_scratch_find(__u32 home)
{
	for (__u32 i = 0; i < POLT_SCRATCH_SLOTS; i += POLT_SCRATCH_GROUP) {
		int slot = polt_scratch_group(home + i);

		if (slot >= 0)
			return slot;
	}
	return -1;
}

/* NULL: every slot is taken. */
static __noinline struct polt_scratch *polt_scratch_claim(void)
{
	int slot = polt_scratch_find(bpf_get_smp_processor_id() * POLT_SCRATCH_PER_CPU);
	struct polt_scratch *s = slot < 0 ? NULL : polt_scratch_at(slot);

	if (!s)
		return NULL;
	s->slot = slot;
	s->walked.dentry = 0;
	return s;
}

static __always_inline void polt_scratch_release(struct polt_scratch *s)
{
	__sync_fetch_and_add(&s->users, -1);
}

#endif
