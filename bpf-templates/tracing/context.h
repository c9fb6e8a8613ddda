/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a program gets from its context: arguments, results, registers, the fields of a tracepoint.
 * `how` is a constant, so that one load remains of each function.
 */
#ifndef POLT_CONTEXT_H
#define POLT_CONTEXT_H

#include "../lib/common.h"
#include "../lib/registers.h"
#include "runtime/trace_abi.h"
#include "config.h"

enum polt_how {
	POLT_FENTRY,
	POLT_FEXIT,
	POLT_FMOD_RET,
	POLT_LSM,
	POLT_KPROBE,
	POLT_KRETPROBE,
	POLT_TRACEPOINT,
	POLT_RAW_TP, /* and tp_btf */
	POLT_UPROBE,
	POLT_URETPROBE,
};

/* The loader's facts about the node: one entry. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct polb_trace_config);
} polt_trace_config SEC(".maps");

/* Whether this generation decides: the first thing that a program asks. */
static __always_inline bool polt_active(void)
{
	__u32 epoch;

	if (likely(polt_active_epoch(&epoch)))
		return true;
	struct polb_trace_config *config = polt_at(&polt_trace_config, 0);

	return config && config->overlap_until_ns > bpf_ktime_get_boot_ns();
}

/* Calls of the reader of events make no events: it would read about its own reading for ever. */
static __always_inline bool polt_is_reader(void)
{
	struct polb_trace_config *config = polt_at(&polt_trace_config, 0);
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	return config && config->self_tgid && config->self_tgid == tgid;
}

static __always_inline bool polt_has_registers(const int how)
{
	return how == POLT_KPROBE || how == POLT_KRETPROBE || how == POLT_UPROBE ||
	       how == POLT_URETPROBE;
}

/*
 * A load from the context at a constant offset, as one instruction: the verifier refuses contexts
 * to which the compiler has added something before, as it does when it shares the address.
 */
#define polt_context_load(type, ctx, offset)                                                       \
	({                                                                                         \
		__u64 polt_word;                                                                   \
		asm volatile("%0 = *(" #type " *)(%1 + %2)"                                        \
			     : "=r"(polt_word)                                                     \
			     : "r"(ctx), "i"(offset));                                             \
		polt_word;                                                                         \
	})

static __always_inline __u64 polt_context_word(void *ctx, const __u32 offset)
{
	return polt_context_load(u64, ctx, offset);
}

/*
 * Parameter n of the function, raw tracepoint or LSM hook, as a register holds it (polt_extend()
 * cuts it to its type). Registers carry 6 (arm64: 8). In FENTRY, FEXIT, FMOD_RET, LSM and tp_btf
 * programs a pointer's value is a BTF pointer: to use it as a number, polt_scalar() first.
 */
static __always_inline __u64 polt_argument(void *ctx, const int how, const int n)
{
	if (polt_has_registers(how))
		return polt_context_word(ctx, POLT_REG_ARGUMENT(n));
	return polt_context_word(ctx, 8 * n);
}

/* The result; of a FMOD_RET or LSM program: that of the programs before it. n_parameters: those of
 * the function's prototype. */
static __always_inline __u64 polt_result(void *ctx, const int how, const int n_parameters)
{
	if (polt_has_registers(how))
		return polt_context_word(ctx, POLT_REG_RESULT);
	return polt_context_word(ctx, 8 * n_parameters);
}

/* The number of a pointer: the verifier forgets that it is one. */
static __always_inline __u64 polt_scalar(__u64 value)
{
	volatile __u64 from = value;
	__u64 to = 0;

	bpf_probe_read_kernel(&to, sizeof(to), (const void *)&from);
	return to;
}

/* A field of a tracepoint's record (format offset), of 1, 2, 4 or 8 bytes, zero-extended. */
static __always_inline __u64 polt_field(void *ctx, const __u32 offset, const __u32 size)
{
	if (size == 1)
		return polt_context_load(u8, ctx, offset);
	if (size == 2)
		return polt_context_load(u16, ctx, offset);
	if (size == 4)
		return polt_context_load(u32, ctx, offset);
	return polt_context_load(u64, ctx, offset);
}

/*
 * `size` bytes at `offset` of struct pt_regs (source: pt_regs); false where the context has none:
 * only kprobes and uprobes do. Both are constants, offset a multiple of size.
 */
static __always_inline bool polt_register(
	void *ctx, const int how, const __u32 offset, const __u32 size, __u64 *out)
{
	*out = 0;
	if (!polt_has_registers(how))
		return false;
	*out = polt_field(ctx, offset, size);
	return true;
}

/* For struct polb_event_call.instruction: where a uprobe is. */
static __always_inline __u64 polt_instruction(void *ctx, const int how)
{
	return polt_has_registers(how) ? polt_context_word(ctx, POLT_REG_IP) : 0;
}

/* The low `width` bytes, sign- or zero-extended to 64 bits. */
static __always_inline __u64 polt_extend(__u64 raw, const int width, const bool is_signed)
{
	const int shift = 64 - 8 * width;

	return is_signed ? (__u64)((__s64)(raw << shift) >> shift) : raw << shift >> shift;
}

/*
 * Argument n (0..5) of a system call. regs: the struct pt_regs * that its function got as its only
 * argument, or raw_syscalls' first; `typed`: it is a BTF pointer. False: could not be read. Those
 * of 32-bit calls have 32 bits.
 */
static __always_inline bool polt_syscall_argument(
	__u64 regs, const int n, const int abi, const bool typed, __u64 *out)
{
	const void *from = (const void *)(regs + polt_syscall_register(n, abi));
	__u64 value = 0;

	if (typed)
		value = *(const volatile __u64 *)from;
	else if (bpf_probe_read_kernel(&value, sizeof(value), from))
		return false;
	*out = abi == POLT_ABI_COMPAT ? (__u32)value : value;
	return true;
}

#endif
