/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Described calls (POLT_DESCRIBED): the programs of a bundle run by BPF_PROG_TEST_RUN on a call
 * that somebody made up. Everything is the code of production but for what this file puts in the
 * place of the helpers that tell about the current task or do something to it: the task is one in
 * the memory of polt_described, where polc has laid out the kernel's structures as this kernel has
 * them, and signals are written down.
 */
#ifndef POLT_DESCRIBED_H
#define POLT_DESCRIBED_H

#include "runtime/trace_abi.h"
#include "../lib/common.h"

struct polt_described_value {
	struct polb_described head;
	__u8 bytes[POLB_DESCRIBED_BYTES];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct polt_described_value);
} polt_described SEC(".maps");

static __always_inline struct polb_described *polt_described_head(void)
{
	return polt_at(&polt_described, 0);
}

/* Helpers and functions that a kernel may lack: the programs do without. */
#undef polt_has_helper
#define polt_has_helper(name) 0

static __always_inline __u64 polt_described_task(void)
{
	struct polb_described *d = polt_described_head();

	return d ? d->task : 0;
}
#define bpf_get_current_task() polt_described_task()

static __always_inline __u64 polt_described_thread(void)
{
	struct polb_described *d = polt_described_head();

	return d ? d->thread : 0;
}
#define bpf_get_current_pid_tgid() polt_described_thread()

static __always_inline __u64 polt_described_cgroup(void)
{
	struct polb_described *d = polt_described_head();

	return d ? d->cgroup : 0;
}
#define bpf_get_current_cgroup_id() polt_described_cgroup()

static __always_inline long polt_described_signal(__u32 signal)
{
	struct polb_described *d = polt_described_head();

	if (d)
		d->signals |= 1ull << (signal & 63);
	return 0;
}
#define bpf_send_signal(signal) polt_described_signal(signal)
#define bpf_probe_write_user(to, from, size) ((void)(from), 0)
#define bpf_override_return(regs, result) ((void)(result), 0)

/* Where the memory is: a pointer in the kernel. Run once. */
SEC("raw_tp") int polt_described_where(void *ctx)
{
	struct polb_described *d = polt_described_head();

	if (d)
		d->where = (__u64)d;
	return 0;
}

#endif
