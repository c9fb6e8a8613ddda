/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a selector does besides posting. Actions need no scratch and come before the event: they are
 * carried out when no event can be sent, too. `enforcing` is polt_enforcing(policy); when it is
 * not, the action is marked (monitored) and counted, not done.
 */
#ifndef POLT_ACTIONS_H
#define POLT_ACTIONS_H

#include "policy.h"
#include "tests.h"
#include "usdt.h"

/* What was done, for the event and for the program's result. Starts as zero. */
struct polt_outcome {
	__u64 actions; /* bits of enum polb_trace_action, done or held back */
	__s32 error;   /* that Override or NotifyEnforcer asked for */
	__u32 signal;
	__s32 verdict; /* error with which this program has to override; 0: none */
	bool monitored;
};

/* For what needs no more than to be told: Post, NoPost, GetUrl, DnsLookup. */
static __always_inline void polt_act_mark(struct polt_outcome *out, const int kind)
{
	out->actions |= 1ull << kind;
}

/* Marks an enforcement action; false: it is held back. */
static __always_inline bool polt_act_begin(
	struct polt_outcome *out, bool enforcing, __u32 selector, const int kind)
{
	polt_act_mark(out, kind);
	if (enforcing)
		return true;
	out->monitored = true;
	polt_count(selector, monitored);
	return false;
}

/* The kernel refused: the action is not reported as done. */
static __always_inline void polt_act_failed(
	struct polt_outcome *out, __u32 selector, const int kind)
{
	out->actions &= ~(1ull << kind);
	polt_count(selector, failed);
}

/* kind: POLB_ACTION_SIGKILL or POLB_ACTION_SIGNAL. To the thread group of current; pid 1 and kernel
 * threads refuse. */
static __always_inline void polt_act_signal(struct polt_outcome *out, bool enforcing,
	__u32 selector, const __u32 signal, const int kind)
{
	out->signal = signal;
	if (!polt_act_begin(out, enforcing, selector, kind))
		return;
	if (bpf_send_signal(signal))
		polt_act_failed(out, selector, kind);
	else
		polt_count(selector, signalled);
}

static __always_inline __s32 polt_clamp_error(__s32 error)
{
	return error > 0 ? -1 : error < -4095 ? -4095 : error;
}

/* Sets out->verdict to error, clamped to -4095..0; the program returns it (fmod_ret, LSM) or calls
 * polt_override_return(). 0 is no override. The first one of a program wins. */
static __always_inline void polt_act_override(
	struct polt_outcome *out, bool enforcing, __u32 selector, const __s32 error)
{
	out->error = polt_clamp_error(error);
	if (!polt_act_begin(out, enforcing, selector, POLB_ACTION_OVERRIDE))
		return;
	if (!out->verdict)
		out->verdict = out->error;
	polt_count(selector, overridden);
}

/* kprobe programs: the function does not run and returns error. Refused where the kernel does not
 * allow errors to be injected. */
static __always_inline void polt_override_return(void *ctx, __u32 selector, __s32 error)
{
	if (bpf_override_return(ctx, (__u64)(__s64)error))
		polt_count(selector, failed);
}

#if POLT_HAS_ENFORCER
/* What NotifyEnforcer left to the programs on the listed calls, by thread. */
struct polt_owed {
	__s32 error;
	__u32 number;     /* of the system call */
	__u64 ip, sp;     /* where it was made */
	__u64 started_ns; /* the thread: numbers of threads are used again */
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, struct polt_owed);
} polt_enforcer SEC(".maps");

struct task_struct___owed {
	void *stack;
	__u64 start_boottime;
} POLT_KERNEL;

enum { POLT_THREAD_SIZE = 16384 }; /* 5.10 to 5.14, without KASAN */

/* The registers with which user space entered the kernel. */
static __always_inline const struct pt_regs *polt_user_registers(
	const struct task_struct___owed *task)
{
	const char *stack = NULL;

	if (polt_has_helper(task_pt_regs))
		return bpf_task_pt_regs(bpf_get_current_task_btf());
	bpf_probe_read_kernel(&stack, sizeof(stack), &task->stack);
	return (const void *)(stack + POLT_THREAD_SIZE - sizeof(struct pt_regs));
}

/* The system call that this thread is in. */
static __noinline void polt_this_call(struct polt_owed *out)
{
	const struct task_struct___owed *task = (const void *)bpf_get_current_task();
	const char *registers = (const char *)polt_user_registers(task);

	bpf_probe_read_kernel(&out->number, sizeof(out->number), registers + POLT_REG_NUMBER);
	bpf_probe_read_kernel(&out->ip, sizeof(out->ip), registers + POLT_REG_IP);
	bpf_probe_read_kernel(&out->sp, sizeof(out->sp), registers + POLT_REG_SP);
	bpf_probe_read_kernel(&out->started_ns, sizeof(out->started_ns), &task->start_boottime);
}

static __always_inline bool polt_same_call(const struct polt_owed *a, const struct polt_owed *b)
{
	return a->number == b->number && a->ip == b->ip && a->sp == b->sp &&
	       a->started_ns == b->started_ns;
}

/* Of several errors that a call is owed the first counts, as among overrides. */
static __noinline bool polt_owe(__s32 error)
{
	__u32 tid = bpf_get_current_pid_tgid();
	const struct polt_owed *first = bpf_map_lookup_elem(&polt_enforcer, &tid);
	struct polt_owed owed = {.error = error};

	polt_this_call(&owed);
	if (first && polt_same_call(first, &owed))
		return true;
	return bpf_map_update_elem(&polt_enforcer, &tid, &owed, BPF_ANY) == 0;
}

/* NotifyEnforcer: the signal now; the error at the next listed call of this system call. */
static __always_inline void polt_act_notify(struct polt_outcome *out, bool enforcing,
	__u32 selector, const __s32 error, const __u32 signal)
{
	const int kind = POLB_ACTION_NOTIFY_ENFORCER;

	out->error = polt_clamp_error(error);
	out->signal = signal;
	if (!polt_act_begin(out, enforcing, selector, kind))
		return;
	if (out->error) {
		if (polt_owe(out->error))
			polt_count(selector, overridden);
		else
			polt_act_failed(out, selector, kind);
	}
	if (signal) {
		if (bpf_send_signal(signal))
			polt_act_failed(out, selector, kind);
		else
			polt_count(selector, signalled);
	}
}

/* CleanupEnforcerNotification: nothing is owed any more. */
static __always_inline void polt_act_cleanup(struct polt_outcome *out)
{
	__u32 tid = bpf_get_current_pid_tgid();

	polt_act_mark(out, POLB_ACTION_CLEANUP_ENFORCER);
	bpf_map_delete_elem(&polt_enforcer, &tid);
}

/*
 * In the program on a listed call: the error owed to this thread in this system call, 0: none. It
 * is owed once. An entry that another call left, told by number and place, is dropped: that call
 * went through none of the listed ones after it was notified. (A call repeated from the very same
 * place cannot be told from it.)
 */
static __noinline __s32 polt_enforcer_take(void)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct polt_owed *owed = bpf_map_lookup_elem(&polt_enforcer, &tid), now = {};

	if (likely(!owed))
		return 0;
	polt_this_call(&now);
	bool same = polt_same_call(owed, &now);
	__s32 error = owed->error;
	bpf_map_delete_elem(&polt_enforcer, &tid);
	return same && error < 0 && error >= -4095 ? error : 0;
}
#endif

#if POLT_HAS_SOCKS
/* Whose a sock is: by the address of struct sock. */
struct polt_sock_owner {
	__u32 pid, tid, parent_pid, ns_pid;
	__u64 exec_id, parent_exec_id;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32000);
	__type(key, __u64);
	__type(value, struct polt_sock_owner);
} polt_socks SEC(".maps");

static __noinline bool polt_own_sock(const struct polb_process *process, __u64 sk)
{
	__u64 id = bpf_get_current_pid_tgid(), task = bpf_get_current_task();
	struct polt_sock_owner owner = {.pid = id >> 32, .tid = id};

	if (!process) {
		owner.parent_pid = polt_real_parent(&task);
	} else {
		owner.parent_pid = process->parent_pid;
		owner.ns_pid = process->ns_pid;
		owner.exec_id = process->exec_id;
		owner.parent_exec_id = process->parent_exec_id;
	}
	return bpf_map_update_elem(&polt_socks, &sk, &owner, BPF_ANY) == 0;
}

/* From now on events with this sock (a struct sock *, as a number) are attributed to the current
 * task. process: its record's, or NULL. */
static __always_inline void polt_act_track(
	struct polt_outcome *out, __u32 selector, const struct polb_process *process, __u64 sk)
{
	if (sk && polt_own_sock(process, sk))
		polt_act_mark(out, POLB_ACTION_TRACK_SOCK);
	else
		polt_count(selector, failed);
}

/* A sock that was not tracked is no failure. */
static __always_inline void polt_act_untrack(struct polt_outcome *out, __u64 sk)
{
	polt_act_mark(out, POLB_ACTION_UNTRACK_SOCK);
	bpf_map_delete_elem(&polt_socks, &sk);
}
#endif

#if POLT_HAS_USDT
/* USDT: writes 4 bytes where argument n of the probe is in memory. */
static __always_inline void polt_act_set(struct polt_outcome *out, bool enforcing, __u32 selector,
	void *ctx, __u32 probe, const int n, const __u32 value)
{
	__u64 address = 0;

	if (!polt_act_begin(out, enforcing, selector, POLB_ACTION_SET))
		return;
	if (!polt_usdt_address(ctx, probe, n, &address) ||
		bpf_probe_write_user((void *)address, &value, sizeof(value)))
		polt_act_failed(out, selector, POLB_ACTION_SET);
}
#endif

/*
 * Override of uprobes: writes a register of user space, 6.18. The loader sets this after it has
 * seen that the kernel takes such a program; before, the branch is not there for the verifier.
 */
const volatile __u32 polt_registers_writable = 0;

/* As polt_context_load(). */
#define polt_context_store(type, ctx, offset, value)                                               \
	asm volatile("*(" #type " *)(%0 + %1) = %2"                                                \
		     :                                                                             \
		     : "r"(ctx), "i"(offset), "r"(value)                                           \
		     : "memory")

/* offset and size (1, 2, 4, 8) are constants; false: this kernel cannot. */
static __always_inline bool polt_set_register(
	void *ctx, const __u32 offset, const __u32 size, __u64 value)
{
	if (!polt_registers_writable)
		return false;
	if (size == 1)
		polt_context_store(u8, ctx, offset, value);
	else if (size == 2)
		polt_context_store(u16, ctx, offset, value);
	else if (size == 4)
		polt_context_store(u32, ctx, offset, value);
	else
		polt_context_store(u64, ctx, offset, value);
	return true;
}

#endif
