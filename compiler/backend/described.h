/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Between the files that lay out described calls: memory that programs take for the kernel's, with
 * its structures where this kernel's BTF says.
 */
#ifndef POLC_DESCRIBED_H
#define POLC_DESCRIBED_H

#include <bpf/btf.h>

#include "../analysis/call_private.h"
#include "plan_tracing.h"

struct polc_described_offset {
	const char *structure, *member;
	uint32_t offset;
};
struct polc_layout {
	struct polc_arena *arena;
	const struct polc_tracing_plan *plan;
	const struct btf *btf;
	POLC_VEC(struct polc_described_offset) offsets;
	struct polb_described *head; /* mapped; POLB_DESCRIBED_BYTES follow */
	size_t used;                 /* of those */
	uint8_t *user;               /* memory of our own, for what programs read as a process's */
	size_t user_used, user_size;
	/* of the current call */
	const char *why; /* it cannot be laid out */
	uint64_t words[POLB_DESCRIBED_WORDS];
	unsigned word_widths[POLB_DESCRIBED_WORDS]; /* bytes that were said; 0: nothing */
	uint64_t second, left; /* sys_enter, sys_exit: their second word; the number at the exit */
	POLC_VEC(const char *) placed; /* values of the hook that are laid out */
	uint64_t task, root_mnt, root_dentry, registers;
	uint64_t files; /* the array of open files; 0: none yet */
	uint32_t n_files;
};

/* The first thing that cannot be done counts. */
void polc_layout_fail(struct polc_layout *l, const char *fmt, ...) POLC_PRINTF(2, 3);
/* Kernel address of `size` zero bytes; 0 when there is no room (reported). */
uint64_t polc_layout_take(struct polc_layout *l, size_t size);
uint64_t polc_layout_take_user(struct polc_layout *l, const void *bytes, size_t size);
void polc_layout_put(struct polc_layout *l, uint64_t address, const void *bytes, size_t size);
void polc_layout_put_number(struct polc_layout *l, uint64_t address, uint64_t value, size_t size);
uint64_t polc_layout_get(struct polc_layout *l, uint64_t address);
/* Offset of a member, "a.b" too; an unknown one is reported. */
uint32_t polc_layout_offset(struct polc_layout *l, const char *structure, const char *member);
uint32_t polc_layout_size(struct polc_layout *l, const char *structure);
/* A new structure; sets a pointer or number in one. */
uint64_t polc_layout_new(struct polc_layout *l, const char *structure);
void polc_layout_set(struct polc_layout *l, uint64_t address, const char *structure,
	const char *member, uint64_t value, size_t size);

/* described_process.c: the current task; numbers of the host's namespaces. */
void polc_layout_process(struct polc_layout *l, const struct polc_call *call);
uint32_t polc_described_host_namespace(unsigned ns);
uint32_t polc_described_namespace(const struct polc_call_ns *ns, unsigned which);

/* A spec on a hook is one of the call's. */
bool polc_described_is_member(
	const struct polc_trace_member *member, const struct polc_call_member *said);
/* described_values.c: fills words of the context. */
void polc_layout_values(
	struct polc_layout *l, const struct polc_call *call, const struct polc_trace_hook *hook);

#endif
