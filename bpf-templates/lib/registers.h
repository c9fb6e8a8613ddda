/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * struct pt_regs of x86-64 and arm64, and where the calling conventions put arguments and results.
 * The layout is the kernel's ABI (ptrace), so no relocation is needed.
 */
#ifndef POLT_LIB_REGISTERS_H
#define POLT_LIB_REGISTERS_H

#include "bpf.h"

#if defined(POLT_ARM64)
struct pt_regs {
	__u64 regs[31];
	__u64 sp, pc, pstate;
	__u64 orig_x0;
	__s32 syscallno;
	__u32 unused;
};
#define POLT_REG_ARGUMENT(n) (__builtin_offsetof(struct pt_regs, regs) + 8 * (n))
#define POLT_REG_ARGUMENTS 8
#define POLT_REG_RESULT __builtin_offsetof(struct pt_regs, regs)
#define POLT_REG_IP __builtin_offsetof(struct pt_regs, pc)
#define POLT_REG_SP __builtin_offsetof(struct pt_regs, sp)
#define POLT_REG_NUMBER __builtin_offsetof(struct pt_regs, syscallno)
#define POLT_REG_COMPAT(n) POLT_REG_ARGUMENT(n)
/* The first argument of a system call: x0 is the result's as well. */
#define POLT_REG_SYSCALL(n)                                                                        \
	((n) == 0 ? __builtin_offsetof(struct pt_regs, orig_x0) : POLT_REG_ARGUMENT(n))
#else
struct pt_regs {
	__u64 r15, r14, r13, r12, bp, bx;
	__u64 r11, r10, r9, r8, ax, cx, dx, si, di;
	__u64 orig_ax, ip, cs, flags, sp, ss;
};
#define POLT_REG(name) __builtin_offsetof(struct pt_regs, name)
/* A function's: di, si, dx, cx, r8, r9. */
#define POLT_REG_ARGUMENT(n)                                                                       \
	((n) == 0          ? POLT_REG(di)                                                          \
		: (n) == 1 ? POLT_REG(si)                                                          \
		: (n) == 2 ? POLT_REG(dx)                                                          \
		: (n) == 3 ? POLT_REG(cx)                                                          \
		: (n) == 4 ? POLT_REG(r8)                                                          \
			   : POLT_REG(r9))
#define POLT_REG_ARGUMENTS 6
#define POLT_REG_RESULT POLT_REG(ax)
#define POLT_REG_IP POLT_REG(ip)
#define POLT_REG_SP POLT_REG(sp)
#define POLT_REG_NUMBER POLT_REG(orig_ax)
/* A system call's: di, si, dx, r10, r8, r9. */
#define POLT_REG_SYSCALL(n) ((n) == 3 ? POLT_REG(r10) : POLT_REG_ARGUMENT(n))
/* A 32-bit one's: bx, cx, dx, si, di, bp. */
#define POLT_REG_COMPAT(n)                                                                         \
	((n) == 0          ? POLT_REG(bx)                                                          \
		: (n) == 1 ? POLT_REG(cx)                                                          \
		: (n) == 2 ? POLT_REG(dx)                                                          \
		: (n) == 3 ? POLT_REG(si)                                                          \
		: (n) == 4 ? POLT_REG(di)                                                          \
			   : POLT_REG(bp))
#endif

/* Where argument n (0..5) of a system call is, by ABI. */
enum polt_abi { POLT_ABI_NATIVE, POLT_ABI_COMPAT };
static __always_inline __u32 polt_syscall_register(const int n, const int abi)
{
	return abi == POLT_ABI_COMPAT ? POLT_REG_COMPAT(n) : POLT_REG_SYSCALL(n);
}

#endif
