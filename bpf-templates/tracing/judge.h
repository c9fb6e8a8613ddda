/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What generated functions share: the state of one run of a program, three-valued tests, the steps
 * of `resolve`. The generated code knows the policies; nothing here does.
 */
#ifndef POLT_TRACING_JUDGE_H
#define POLT_TRACING_JUDGE_H

#include "arguments.h"
#include "events.h"
#include "ima.h"
#include "path.h"
#include "records.h"
#include "tests.h"

#define POLT_NO_SELECTOR 0xffffffffu

#if !POLT_HAS_PENDING
struct polt_kept { /* of returnCopy, in the program that sees the whole call */
	__u64 value[6];
};
#endif

/* A buffer of which DATA events carry the rest. */
struct polt_captured {
	__u32 entry; /* what polt_put_bytes() returned, ~0: nothing */
	__u64 id;
	struct polt_data_source source;
};

/* One run. Scratch and record are got when they are first needed. */
struct polt_call {
	struct polt_scratch *scratch;
	struct polt_record *record;
#if POLT_HAS_WORKLOADS
	const struct polt_workloads_value *workload;
	bool has_workload;
#endif
	bool has_record;
	bool refresh; /* an event told of changed namespaces */
	bool hash;    /* a selector holds that wants the hash of the file */
	/* of the first override, in order of policies: its error, and its selector in the upper
	 * half */
	__u64 *verdict;
};

/*
 * At a hook with many selectors what was read is kept here and not on the stack: the verifier would
 * otherwise go through what follows once for each combination of what is and what is not known.
 * Whoever has a slot of the scratch has the one of the same number. Word 0: the verdict.
 */
#ifndef POLT_MEMO_WORDS
#define POLT_MEMO_WORDS 0
#endif
#if POLT_MEMO_WORDS > 0
struct polt_memo {
	__u64 words[POLT_MEMO_WORDS];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, POLT_SCRATCH_SLOTS);
	__type(key, __u32);
	__type(value, struct polt_memo);
} polt_memos SEC(".maps");
#endif

/* What a selector wants of its event. */
struct polt_posting {
	bool post, kernel_stack, user_stack, hash;
	__u32 scope;
	__u64 interval_ns; /* 0: every event */
};

static __noinline struct polt_scratch *polt_judge_claim(void)
{
	return polt_scratch_claim();
}

static __always_inline struct polt_scratch *polt_need_scratch(struct polt_call *call)
{
	if (!call->scratch)
		call->scratch = polt_judge_claim();
	return call->scratch;
}

static __always_inline struct polt_record *polt_need_record(struct polt_call *call)
{
	if (!call->has_record)
		call->record = polt_process();
	call->has_record = true;
	return call->record;
}

#if POLT_HAS_WORKLOADS
static __always_inline bool polt_judge_workload(
	struct polt_call *call, const __u32 word, const int bit)
{
	if (!call->has_workload)
		call->workload = polt_workload();
	call->has_workload = true;
	return polt_workload_bits(call->workload, word) >> bit & 1;
}
#endif

#if POLT_MEMO_WORDS > 0
/* The memo with its first n words empty; NULL: no slot is free. */
static __always_inline struct polt_memo *polt_need_memo(struct polt_call *call, const int n)
{
	struct polt_scratch *s = polt_need_scratch(call);
	struct polt_memo *memo = s ? polt_at(&polt_memos, s->slot) : NULL;

	for (int i = 0; memo && i < n; i++)
		memo->words[i] = 0;
	return memo;
}
#endif

/* The last thing of every run. */
static __always_inline void polt_call_end(struct polt_call *call)
{
	if (call->scratch)
		polt_scratch_release(call->scratch);
	if (call->refresh && call->record)
		polt_refresh_namespaces(call->record);
}

static __always_inline void polt_take_verdict(
	struct polt_call *call, const struct polt_outcome *outcome, __u32 selector)
{
	if (outcome->verdict && !*call->verdict)
		*call->verdict = (__u32)outcome->verdict | (__u64)selector << 32;
}

static __always_inline __s32 polt_call_error(const struct polt_call *call)
{
	__s32 error = (__s32)*call->verdict;

	return error < -4095 || error > 0 ? -1 : error;
}

/* The same number, by way of memory: the verifier, to whom it was one constant for each selector,
 * looks at what follows once. */
static __always_inline __u32 polt_forget_selector(struct polt_scratch *s, __u32 selector)
{
	WRITE_ONCE(s->event.selector, selector);
	return READ_ONCE(s->event.selector);
}

/* --- tests: 1, 0, -1 unknown ---------------------------------------------------------------------
 */

/* Whether a test lets its selector hold. unknown_holds: what an unknown result means (onError). */
static __always_inline bool polt_holds(
	int result, const bool negate, const bool unknown_holds, const __u32 selector)
{
	if (result >= 0)
		return (result != 0) != negate;
	if (!unknown_holds)
		polt_count(selector, unreadable);
	return unknown_holds;
}

/* Of tests of which one is enough. */
static __always_inline int polt_either(int a, int b)
{
	return a > 0 || b > 0 ? 1 : a < 0 || b < 0 ? -1 : 0;
}

#if POLT_BINARY_WORDS > 0
static __always_inline int polt_test_binary(const struct polt_record *record, const int word,
	const int bit, const bool parent, const bool follow)
{
	if (!record)
		return -1;
	__u64 bits = parent ? record->parent[word] : record->own[word];
	if (follow)
		bits |= parent ? record->parent_lineage[word] : record->lineage[word];
	if (bits >> bit & 1)
		return 1;
	return !parent && record->process.flags & POLB_PROCESS_NO_PATH ? -1 : 0;
}
#endif

/* Bits of a path in a domain; the scratch is claimed only when the dentries alone cannot tell. */
static __always_inline int polt_judge_path(struct polt_call *call, const struct polt_path *path,
	const bool typed, const struct polt_domain *domain, __u64 *bits)
{
	__u32 size, flags;

	*bits = 0;
	if (polt_path_rejects(path, typed, domain))
		return 1;
	struct polt_scratch *s = polt_need_scratch(call);
	if (!s)
		return -1;
	int at = polt_path_text(s, path, &size, &flags);
	if (at < 0)
		return -1;
	*bits = polt_classify(s, POLT_PATH + at, size, domain);
	return 1;
}

/* --- values
 * ---------------------------------------------------------------------------------------- */

/* Programs whose arguments are BTF pointers. */
static __always_inline bool polt_is_btf(const int how)
{
	return how == POLT_FENTRY || how == POLT_FEXIT || how == POLT_FMOD_RET || how == POLT_LSM;
}

/* A word of the arguments whatever its type: before 5.17 a BTF program could load neither a char *
 * nor a pointer to a pointer directly, and arithmetic on a BTF pointer is not allowed. */
static __always_inline __u64 polt_argument_number(void *ctx, const int how, const int n)
{
	__u64 value = 0;

	if (!polt_is_btf(how))
		return polt_argument(ctx, how, n);
	bpf_probe_read_kernel(&value, sizeof(value), ctx + 8 * n);
	return value;
}

static __always_inline __u64 polt_result_number(void *ctx, const int how, const int parameters)
{
	return polt_has_registers(how) ? polt_result(ctx, how, parameters)
				       : polt_argument_number(ctx, how, parameters);
}

static __always_inline bool polt_read_at(void *to, const __u32 size, __u64 from, const bool user)
{
	return !(user ? bpf_probe_read_user(to, size, (const void *)from)
		      : bpf_probe_read_kernel(to, size, (const void *)from));
}

/* *at = the pointer there; false: unreadable or NULL. */
static __always_inline bool polt_step_through(__u64 *at, const bool user)
{
	__u64 pointer = 0;

	if (!polt_read_at(&pointer, sizeof(pointer), *at, user))
		return false;
	*at = pointer;
	return pointer;
}

/* `size` bytes there, extended by their own type. */
static __always_inline bool polt_step_read(
	__u64 at, const int size, const bool is_signed, const bool user, __u64 *out)
{
	__u64 value = 0;

	if (!polt_read_at(&value, size, at, user))
		return false;
	*out = polt_extend(value, size, is_signed);
	return true;
}

/* What is left in the first segment of a struct iov_iter; *total: in all. */
static __always_inline int polt_judge_iov_iter(struct polt_scratch *s, __u64 iter, __u64 *total)
{
	struct polt_iov_memory memory = {};

	if (!polt_iov_iter_memory(iter, &memory))
		return -1;
	*total = memory.total;
	return polt_text_bytes(s, memory.pointer, memory.size, memory.user);
}

static __always_inline bool polt_judge_iov_source(__u64 iter, struct polt_data_source *source)
{
	struct polt_iov_memory memory = {};

	if (!polt_iov_iter_memory(iter, &memory))
		return false;
	*source = (struct polt_data_source){memory.pointer, memory.size, memory.user};
	return true;
}

/* Whether the task made a 32-bit system call. */
static __always_inline int polt_call_abi(void)
{
	return polt_syscall64(0) ? POLT_ABI_COMPAT : POLT_ABI_NATIVE;
}

/* Argument n of the system call that raw_syscalls/sys_enter tells of. */
static __always_inline bool polt_entered_argument(void *ctx, const int n, __u64 *out)
{
	__u64 regs = polt_context_word(ctx, 0);

	if (polt_call_abi() == POLT_ABI_COMPAT)
		return polt_syscall_argument(regs, n, POLT_ABI_COMPAT, false, out);
	return polt_syscall_argument(regs, n, POLT_ABI_NATIVE, false, out);
}

/* ... and the number of the one that sys_exit tells of. */
static __always_inline bool polt_left_number(void *ctx, __u64 *out)
{
	return polt_read_at(out, 8, polt_context_word(ctx, 0) + POLT_REG_NUMBER, false);
}

/* The system call is number `wanted`, of 64 bits: records of syscalls/ tell of no others. */
static __always_inline bool polt_is_entering(void *ctx, const __u32 wanted)
{
	return polt_context_word(ctx, 8) == wanted && polt_call_abi() == POLT_ABI_NATIVE;
}

static __always_inline bool polt_is_leaving(void *ctx, const __u32 wanted)
{
	__u64 number = 0;

	return polt_left_number(ctx, &number) && number == wanted &&
	       polt_call_abi() == POLT_ABI_NATIVE;
}

struct socket___judge {
	struct sock *sk;
} POLT_KERNEL;
struct sk_buff___judge {
	struct sock *sk;
} POLT_KERNEL;

/* The struct sock * of an argument of this type; 0: none. */
static __always_inline __u64 polt_sock_of(__u64 raw, const int type)
{
	__u64 sk = raw;

	if (type == POLB_TYPE_SOCKET)
		sk += polt_offset(struct socket___judge, sk);
	else if (type == POLB_TYPE_SKB)
		sk += polt_offset(struct sk_buff___judge, sk);
	else
		return raw;
	return raw && polt_step_through(&sk, false) ? sk : 0;
}

#if POLT_HAS_SOCKS
static __always_inline void polt_judge_track(
	struct polt_call *call, struct polt_outcome *outcome, __u32 selector, __u64 sk)
{
	struct polt_record *record = polt_need_record(call);

	polt_act_track(outcome, selector, record ? &record->process : NULL, sk);
}
#endif

/*
 * Override of a uprobe: a register becomes a constant, or another register plus it, or what is at
 * that address. false: the memory could not be read, or the kernel cannot do it.
 */
static __always_inline bool polt_judge_register(void *ctx, const __u32 offset, const __u32 size,
	const bool from_register, const __u32 source, const __u64 constant, const bool is_memory)
{
	__u64 value = constant;

	if (from_register)
		value += polt_context_word(ctx, source);
	if (is_memory) {
		__u64 from = value;

		value = 0;
		if (!polt_read_at(&value, size, from, true))
			return false;
	}
	return polt_set_register(ctx, offset, size, value);
}

/* --- events
 * ----------------------------------------------------------------------------------------- */

static __always_inline void polt_judge_put_path(struct polt_scratch *s, const int place,
	const int number, const int type, const struct polt_path *path, __s32 fd)
{
	__u32 size = 0, flags = 0;
	int at = polt_path_text(s, path, &size, &flags);
	const struct polb_payload_path head = {
		.mode = polt_path_mode(path), .flags = flags, .fd = fd};

	polt_put_path(s, place, number, type, at, size, &head);
}

/* spec.loader: (struct file *, prot, flags) of security_mmap_file. */
static __always_inline void polt_judge_loader(void *ctx, const int how, const __u32 policy)
{
	struct polt_call call = {};
	struct polt_path path;

	if (!polt_active() || !(polt_argument_number(ctx, how, 1) & 4)) /* PROT_EXEC */
		return;
	if (!polt_path_of_file(&path, polt_argument_number(ctx, how, 0), false))
		return;
	struct polt_scratch *s = polt_need_scratch(&call);
	if (s && polt_event_begin(s, polt_need_record(&call), POLT_NO_SELECTOR, POLT_NO_SELECTOR)) {
		s->event.type = POLB_EVENT_LOADER;
		polt_judge_put_path(s, POLB_ARGUMENT_ENTRY, 0, POLB_TYPE_FILE, &path, 0);
		polt_event_send(s, policy, POLT_NO_SELECTOR);
	}
	polt_call_end(&call);
}

#endif
