/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Values of described calls that are not words of the context: arguments of USDT probes are, and
 * struct pt_regs is where word POLT_DESCRIBED_REGISTERS points. Included before generated
 * functions, behind the functions whose places these take.
 */
#ifndef POLT_DESCRIBED_VALUES_H
#define POLT_DESCRIBED_VALUES_H

#include "judge.h"

static __always_inline bool polt_described_word(void *ctx, const int n, __u64 *out)
{
	*out = polt_context_word(ctx, 8 * n);
	return true;
}
#define polt_usdt_argument(ctx, probe, n, out) polt_described_word(ctx, n, (__u64 *)(out))

static __always_inline bool polt_described_register(
	void *ctx, const __u32 offset, const __u32 size, __u64 *out)
{
	__u64 registers = polt_context_word(ctx, 8 * POLB_DESCRIBED_REGISTERS);

	*out = 0;
	return !bpf_probe_read_kernel(out, size, (const void *)(registers + offset));
}
#define polt_register(ctx, how, offset, size, out) polt_described_register(ctx, offset, size, out)

/* Registers and memory of user space are as good as written. */
#define polt_judge_register(ctx, offset, size, from, source, constant, memory) true
#define polt_act_set(out, enforcing, selector, ctx, probe, n, value)                               \
	((void)polt_act_begin(out, enforcing, selector, POLB_ACTION_SET))

#endif
