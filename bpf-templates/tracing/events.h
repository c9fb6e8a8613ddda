/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Events of calls, built in scratch->event and scratch->arguments:
 *
 *     if (polt_event_begin(s, record, spec, selector)) {
 *             polt_event_outcome(s, &outcome, false);
 *             polt_put_...(s, POLB_ARGUMENT_ENTRY, number, type, ...);    (arguments.h) in any
 * order polt_put_stacks(ctx, s, kernel, user);                      last if (polt_rate_allows(...))
 * polt_event_send(s, policy, selector);
 *     }
 *
 * Between entry and return an event is kept in polt_pending.
 */
#ifndef POLT_EVENTS_H
#define POLT_EVENTS_H

#include "actions.h"
#include "tests.h"

/* --- the head ------------------------------------------------------------------------------------
 */

/* Who it is about, by its record. */
static __always_inline void polt_event_process(
	struct polb_event_call *event, const struct polb_process *process)
{
	event->exec_id = process->exec_id;
	event->parent_exec_id = process->parent_exec_id;
	event->parent_pid = process->parent_pid;
	event->ns_pid = process->ns_pid;
}

/* What the task itself says, when there is no record. */
static __noinline void polt_event_unknown(struct polb_event_call *event)
{
	__u64 task = bpf_get_current_task(), pid, parent = task;
	__u64 level = 0;

	event->process_unknown = 1;
	event->exec_id = event->parent_exec_id = 0;
	event->parent_pid = polt_real_parent(&parent);
	event->ns_pid = 0;
	if (!polt_follow(&task, polt_offset(struct task_struct, group_leader)))
		return;
	pid = task;
	if (!polt_follow(&pid, polt_offset(struct task_struct, thread_pid)) ||
		bpf_probe_read_kernel(
			&level, 4, (const void *)(pid + polt_offset(struct pid, level))) ||
		level == 0 || level > 32)
		return;
	bpf_probe_read_kernel(&event->ns_pid, 4,
		(const void *)(pid + polt_offset(struct pid, numbers) +
			       level * polt_type_size(struct upid) + polt_offset(struct upid, nr)));
}

/*
 * Starts an event about the current task. record: NULL when unknown. selector: ~0 when the spec has
 * none. false: no event is to be made (the reader's own call). The caller sets event.function,
 * .returned, .return_selector and .instruction where they are not 0, 0, ~0 and 0.
 */
static __noinline bool polt_event_begin(
	struct polt_scratch *s, const struct polt_record *record, __u32 spec, __u32 selector)
{
	struct polb_event_call *event = &s->event;
	__u64 id = bpf_get_current_pid_tgid();

	if (polt_is_reader())
		return false;
	__builtin_memset(event, 0, __builtin_offsetof(struct polb_event_call, credentials));
	event->type = POLB_EVENT_CALL;
	event->spec = spec;
	event->selector = selector;
	event->return_selector = ~0u;
	event->generation = polt_generation;
	event->time_ns = bpf_ktime_get_boot_ns();
	event->pid = event->current_pid = id >> 32;
	event->tid = event->current_tid = id;
	event->cpu = bpf_get_smp_processor_id();
	event->cgroup = bpf_get_current_cgroup_id();
	if (record)
		polt_event_process(event, &record->process);
	else
		polt_event_unknown(event);
	polt_read_credentials(&event->credentials, polt_cred());
	polt_namespaces(event->namespaces);
	event->arguments_size = 0;
	event->kernel_stack = event->user_stack = 0;
	event->instruction = 0;
	return true;
}

/* What the actions came to, at entry or at the return. */
static __always_inline void polt_event_outcome(
	struct polt_scratch *s, const struct polt_outcome *outcome, const bool at_return)
{
	if (at_return)
		s->event.return_actions = outcome->actions;
	else
		s->event.actions = outcome->actions;
	if (outcome->error)
		s->event.override_error = outcome->error;
	if (outcome->signal)
		s->event.signal = outcome->signal;
	if (outcome->monitored)
		s->event.monitored = 1;
}

#if POLT_HAS_SOCKS
/* If this sock is tracked, the event is about the process that tracked it. */
static __noinline void polt_event_attribute(struct polt_scratch *s, __u64 sk)
{
	__u64 key = polt_scalar(sk);
	const struct polt_sock_owner *owner = bpf_map_lookup_elem(&polt_socks, &key);
	struct polb_event_call *event = &s->event;

	if (!owner)
		return;
	event->process_unknown = !owner->exec_id;
	event->pid = owner->pid;
	event->tid = owner->tid;
	event->parent_pid = owner->parent_pid;
	event->ns_pid = owner->ns_pid;
	event->exec_id = owner->exec_id;
	event->parent_exec_id = owner->parent_exec_id;
}
#endif

/* --- stacks --------------------------------------------------------------------------------------
 */

enum { POLT_FRAMES = 127 };
/* One stack at the end of the event; the number of its addresses, 0: none, or no room. */
static __always_inline __u32 polt_put_stack(
	void *ctx, struct polt_scratch *s, __u64 behind, __u64 flags)
{
	__u64 at = s->event.arguments_size + behind;

	polt_forget(at);
	if (at > POLT_ARGUMENTS_BYTES - 8 * POLT_FRAMES)
		return 0;
	long size = bpf_get_stack(ctx, s->arguments + at, 8 * POLT_FRAMES, flags);
	return size > 0 ? (__u32)size / 8 : 0;
}

/* Return addresses, at most 127 of each; behind the last argument. */
static __noinline void polt_put_stacks(void *ctx, struct polt_scratch *s, bool kernel, bool user)
{
	__u32 n = 0;

	if (kernel)
		s->event.kernel_stack = n = polt_put_stack(ctx, s, 0, 0);
	if (user)
		s->event.user_stack = polt_put_stack(ctx, s, 8 * n, BPF_F_USER_STACK);
}

/* --- sending -------------------------------------------------------------------------------------
 */

/* Sends it within the policy's rate; counts posted, lost or over_limit. true: sent. */
static __noinline bool polt_event_send(struct polt_scratch *s, __u32 policy, __u32 selector)
{
	__u64 size = s->event.arguments_size;

	if (!polt_policy_allows(policy, selector))
		return false;
	size += 8 * (s->event.kernel_stack + s->event.user_stack);
	polt_forget(size);
	if (size > POLT_ARGUMENTS_BYTES ||
		bpf_ringbuf_output(&polt_events, &s->event, sizeof(s->event) + size, 0)) {
		polt_count(selector, lost);
		return false;
	}
	polt_count(selector, posted);
	return true;
}

#if POLT_HAS_RATES
/* When the last event with these arguments was sent. */
struct polt_rate_key {
	__u32 selector, scope;
	__u64 id;        /* of the thread or process, 0: everything */
	__u64 arguments; /* hash */
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct polt_rate_key);
	__type(value, __u64);
} polt_rates SEC(".maps");

/* Of all captured arguments. Global: verified once per program. */
__noinline __u64 polt_arguments_hash(__u32 slot)
{
	struct polt_scratch *s = polt_scratch_at(slot);
	__u64 hash = 0x9e3779b97f4a7c15ull;

	if (!s)
		return 0;
	__u32 size = s->event.arguments_size;
	const __u64 *words = (const __u64 *)s->arguments;
	for (__u32 i = 0; i < POLT_ARGUMENTS_BYTES / 8; i++) {
		if (i * 8 >= size)
			break;
		hash = (hash ^ words[i]) * 0xff51afd7ed558ccdull;
		hash ^= hash >> 29;
	}
	return hash;
}

enum { POLT_SCOPE_THREAD, POLT_SCOPE_PROCESS, POLT_SCOPE_GLOBAL };
/*
 * scope: enum above (enum polc_rate_scope). Whether the last event of the selector with the same
 * arguments is interval_ns or more ago; counts rate_limited otherwise. Thread and process are those
 * that the event is attributed to (reference T15). After the arguments, before polt_data_begin().
 */
static __noinline bool polt_rate_allows(
	struct polt_scratch *s, __u32 selector, __u64 interval_ns, __u32 scope)
{
	struct polt_rate_key key = {.selector = selector, .scope = scope};
	__u64 now = s->event.time_ns;

	if (scope != POLT_SCOPE_GLOBAL)
		key.id = scope == POLT_SCOPE_THREAD ? s->event.tid : s->event.pid;
	key.arguments = polt_arguments_hash(s->slot);
	const __u64 *last = bpf_map_lookup_elem(&polt_rates, &key);
	if (last && now - *last < interval_ns) {
		polt_count(selector, rate_limited);
		return false;
	}
	bpf_map_update_elem(&polt_rates, &key, &now, BPF_ANY);
	return true;
}
#endif

/* --- from entry to return
 * -------------------------------------------------------------------------- */

#if POLT_HAS_PENDING
/* What the return needs besides the event: pointers for returnCopy, socks. */
struct polt_kept {
	__u64 value[6];
};
struct polt_pending_key {
	__u64 thread; /* bpf_get_current_pid_tgid() */
	__u32 hook, spec;
};
/* The scratch from `event` on. */
struct polt_pending_call {
	struct polb_event_call event;
	char arguments[POLT_PENDING_BYTES];
	struct polt_kept kept;
};
_Static_assert(POLT_PENDING_BYTES % 8 == 0 &&
		       POLT_PENDING_BYTES + sizeof(struct polt_kept) <= POLT_ARGUMENTS_BYTES,
	"a pending call is a part of the scratch");
/* The loader gives it its size. The least recently used one goes: calls that never return (exit,
 * exec) leave theirs behind. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct polt_pending_key);
	__type(value, struct polt_pending_call);
} polt_pending SEC(".maps");

/* At entry, after the arguments and polt_data_begin(). false: arguments do not fit, or the map
 * refuses; counted as lost. Writes behind the arguments: stacks are for the return. */
static __noinline bool polt_pending_save(
	struct polt_scratch *s, __u32 hook, __u32 spec, const struct polt_kept *kept)
{
	struct polt_pending_key key = {bpf_get_current_pid_tgid(), hook, spec};
	struct polt_kept *to = (struct polt_kept *)(s->arguments + POLT_PENDING_BYTES);

	if (s->event.arguments_size <= POLT_PENDING_BYTES) {
		*to = *kept;
		if (!bpf_map_update_elem(&polt_pending, &key, &s->event, BPF_ANY))
			return true;
	}
	polt_count(s->event.selector, lost);
	return false;
}

/*
 * At return; false: nothing was captured at the entry. Brings the event back and forgets it; the
 * program then judges the return tests of event.selector. The time is that of the entry.
 */
static __noinline bool polt_pending_load(
	struct polt_scratch *s, __u32 hook, __u32 spec, struct polt_kept *kept)
{
	struct polt_pending_key key = {bpf_get_current_pid_tgid(), hook, spec};
	const struct polt_pending_call *call = bpf_map_lookup_elem(&polt_pending, &key);

	if (!call)
		return false;
	__u64 size = call->event.arguments_size;
	polt_forget(size);
	if (size > POLT_PENDING_BYTES)
		size = POLT_PENDING_BYTES;
	*kept = call->kept;
	bool ok = bpf_probe_read_kernel(&s->event, sizeof(s->event) + size, call) == 0;
	bpf_map_delete_elem(&polt_pending, &key);
	s->event.returned = 1;
	return ok;
}
#endif

#endif
