/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tests on the process. 1 true, 0 false, -1 unknown; the caller negates 1 and 0 (but where `negate`
 * is a parameter: then the result is final).
 */
#ifndef POLT_TESTS_H
#define POLT_TESTS_H

#include "process.h"
#include "context.h"

/* --- numbers -------------------------------------------------------------------------------------
 */

#if POLT_HAS_INTERVALS
struct polt_interval_entry { /* struct polb_bundle_trace_interval */
	__u64 lo, hi;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct polt_interval_entry);
} polt_intervals SEC(".maps");

/*
 * value in intervals first .. first + n - 1 (sorted, disjoint; in the unsigned order of struct
 * polc_interval: signed values have bit 63 flipped). Global: verified once per program.
 */
__noinline int polt_interval(__u32 first, __u32 n, __u64 value)
{
	__u32 end = first + n;

	for (int i = 0; i < 32 && first < end; i++) {
		__u32 middle = first + (end - first) / 2;
		struct polt_interval_entry *entry = polt_at(&polt_intervals, middle);

		if (!entry)
			return false;
		if (value < entry->lo)
			end = middle;
		else if (value > entry->hi)
			first = middle + 1;
		else
			return true;
	}
	return false;
}
#endif

/* --- process numbers -----------------------------------------------------------------------------
 */

/* matchPIDs without followForks compares this with constants or polt_interval(): the thread group
 * (initial namespace), or its number in its own pid namespace, 0 on the host's. false: unknown. */
static __always_inline bool polt_pid(
	const struct polt_record *record, const bool namespace_pid, __u32 *pid)
{
	*pid = bpf_get_current_pid_tgid() >> 32;
	if (!namespace_pid)
		return true;
	if (!record)
		return false;
	*pid = record->process.ns_pid;
	return true;
}

/* After an exec without fork a record's parent is the image before: the kernel knows who forked, as
 * long as the task's own parent has not gone. 0: not known. *task goes on to the parent. */
static __always_inline __u32 polt_real_parent(__u64 *task)
{
	__u32 tgid = 0;

	if (polt_follow(task, polt_offset(struct task_struct, real_parent)))
		bpf_probe_read_kernel(&tgid, sizeof(tgid),
			(const void *)(*task + polt_offset(struct task_struct, tgid)));
	return tgid;
}

#if POLT_HAS_INTERVALS
enum { POLT_FORKS = 16 };
struct polt_fork_walk {
	const struct polt_record *record;
	__u64 task;
	__u32 first, n;
	bool namespace_pid;
};
/* One process of the chain: 1 it matches, 0 the chain ends here, -1 on to the parent. Not inline:
 * the compiler would enter the loop in its middle, which 5.10 takes for an endless one. */
static __noinline int polt_fork_step(struct polt_fork_walk *w)
{
	const struct polb_process *process = &w->record->process;
	__u32 parent = process->parent_pid, real = polt_real_parent(&w->task);

	if (w->namespace_pid && !process->ns_pid)
		return 0;
	if (polt_interval(w->first, w->n, w->namespace_pid ? process->ns_pid : process->pid))
		return 1;
	if (parent == process->pid)
		parent = real;
	if (!w->namespace_pid && polt_interval(w->first, w->n, parent))
		return 1;
	if (!parent || parent == process->pid)
		return 0;
	if (parent != real)
		w->task = 0; /* it was adopted: the kernel's chain is another one */
	w->record = bpf_map_lookup_elem(&polt_processes, &parent);
	return w->record ? -1 : 0;
}

/*
 * matchPIDs with followForks: this process, or one of the ancestors that are recorded (16 steps),
 * has a pid in the intervals; in the host's numbers the parent of the last one recorded counts as
 * well. namespace_pid compares numbers in the process's own pid namespace; a process on the host's
 * is unknown, and the walk ends where the host's begins: so NotIn 0, 1 means "below a container's
 * init".
 */
static __noinline int polt_pid_follow(
	const struct polt_record *record, __u32 first, __u32 n, bool namespace_pid)
{
	struct polt_fork_walk w = {record, bpf_get_current_task(), first, n, namespace_pid};

	if (!record || (namespace_pid && !record->process.ns_pid))
		return -1;
	for (int i = 0; i < POLT_FORKS; i++) {
		int found = polt_fork_step(&w);

		if (found >= 0)
			return found;
	}
	return 0;
}
#endif

/* --- credentials ---------------------------------------------------------------------------------
 */

static __always_inline const struct cred *polt_cred(void)
{
	const struct task_struct *task = (const void *)bpf_get_current_task();
	const struct cred *cred = NULL;

	bpf_probe_read_kernel(&cred, sizeof(cred), &task->cred);
	return cred;
}

/* which: POLB_CAPS_*, of current's subjective credentials. */
static __always_inline bool polt_caps(const __u32 which, __u64 *out)
{
	const struct cred *cred = polt_cred();
	const void *from = which == POLB_CAPS_PERMITTED   ? (const void *)&cred->cap_permitted
			   : which == POLB_CAPS_EFFECTIVE ? (const void *)&cred->cap_effective
							  : (const void *)&cred->cap_inheritable;

	return bpf_probe_read_kernel(out, sizeof(*out), from) == 0;
}

/* Any bit of mask is set. */
static __always_inline int polt_test_caps(const __u32 which, const __u64 mask)
{
	__u64 caps = 0;

	return polt_caps(which, &caps) ? (caps & mask) != 0 : -1;
}

/* Since exec a bit of mask changed; negate: none of mask did, but another. */
static __always_inline int polt_test_caps_changed(
	const struct polt_record *record, const __u32 which, const __u64 mask, const bool negate)
{
	__u64 caps = 0;

	if (!record || which >= POLB_N_CAPS || !polt_caps(which, &caps))
		return -1;
	__u64 changed = caps ^ record->process.caps[which];
	return negate ? changed && !(changed & mask) : (changed & mask) != 0;
}

/* --- namespaces ----------------------------------------------------------------------------------
 */

/* inum of the namespace at this address, whose struct ns_common is at `common`. */
static __always_inline __u32 polt_ns_inum(__u64 at, const __u32 member, const __u32 common)
{
	__u32 inum = 0;

	if (polt_follow(&at, member))
		bpf_probe_read_kernel(&inum, sizeof(inum),
			(const void *)(at + common + polt_offset(struct ns_common, inum)));
	return inum;
}
/* Of a struct (nsproxy, cred) at address `at`: its member that points to a struct type. */
#define polt_ns_of(at, holder, member, type)                                                       \
	polt_ns_inum(at, polt_offset(struct holder, member), polt_offset(struct type, ns))

/* The active pid namespace: the innermost one in which the task has a number. */
static __always_inline __u32 polt_pid_namespace(__u64 task)
{
	__u64 pid = task, level = 0;

	if (!polt_follow(&pid, polt_offset(struct task_struct, thread_pid)) ||
		bpf_probe_read_kernel(
			&level, 4, (const void *)(pid + polt_offset(struct pid, level))))
		return 0;
	pid += polt_offset(struct pid, numbers) + (level & 63) * polt_type_size(struct upid);
	return polt_ns_of(pid, upid, ns, pid_namespace);
}

/* inum of current's namespace `ns` (enum polb_namespace, a constant); 0: unknown, as when it exits.
 * User namespaces are those of the credentials. */
static __always_inline __u32 polt_namespace(const __u32 ns)
{
	__u64 at = bpf_get_current_task();

	if (ns == POLB_NS_USER)
		return polt_ns_of((__u64)polt_cred(), cred, user_ns, user_namespace);
	if (ns == POLB_NS_PID)
		return polt_pid_namespace(at);
	if (!polt_follow(&at, polt_offset(struct task_struct, nsproxy)))
		return 0;
	switch (ns) {
	case POLB_NS_UTS:
		return polt_ns_of(at, nsproxy, uts_ns, uts_namespace);
	case POLB_NS_IPC:
		return polt_ns_of(at, nsproxy, ipc_ns, ipc_namespace);
	case POLB_NS_MNT:
		return polt_ns_of(at, nsproxy, mnt_ns, mnt_namespace);
	case POLB_NS_PID_FOR_CHILDREN:
		return polt_ns_of(at, nsproxy, pid_ns_for_children, pid_namespace);
	case POLB_NS_NET:
		return polt_ns_of(at, nsproxy, net_ns, net);
	case POLB_NS_TIME:
		return polt_ns_of(at, nsproxy, time_ns, time_namespace);
	case POLB_NS_TIME_FOR_CHILDREN:
		return polt_ns_of(at, nsproxy, time_ns_for_children, time_namespace);
	case POLB_NS_CGROUP:
		return polt_ns_of(at, nsproxy, cgroup_ns, cgroup_namespace);
	}
	return 0;
}

/* inum of pid 1's: `host_ns`. 0: not known. */
static __always_inline __u32 polt_host_namespace(const __u32 ns)
{
	struct polb_trace_config *config = polt_at(&polt_trace_config, 0);

	return config && ns < POLB_N_NAMESPACES ? config->host_namespaces[ns] : 0;
}

/* isNamespaceCapability: current's user namespace is not the initial one. A condition of its own:
 * it is not negated with the test on the capabilities. */
static __always_inline int polt_test_other_user_namespace(void)
{
	__u32 inum = polt_namespace(POLB_NS_USER), host = polt_host_namespace(POLB_NS_USER);

	return inum && host ? inum != host : -1;
}

/* All of them, in order; 0 where unknown. Thirty reads, or as many loads where there is a typed
 * pointer to the task. */
static __noinline void polt_namespaces(__u32 out[POLB_N_NAMESPACES])
{
	if (polt_has_helper(get_current_task_btf)) {
		__builtin_memset(out, 0, POLB_N_NAMESPACES * sizeof(out[0]));
		const struct task_struct *task = bpf_get_current_task_btf();
		polt_read_namespaces(out, task, task->cred);
		return;
	}
#define X(name, text) out[POLB_NS_##name] = polt_namespace(POLB_NS_##name);
	POLB_NAMESPACES(X)
#undef X
}

/* mask: 1 << enum polb_namespace. One of them is not what it was at exec; negate: one outside mask.
 */
static __noinline int polt_test_ns_changed(
	const struct polt_record *record, __u32 mask, bool negate)
{
	__u32 now[POLB_N_NAMESPACES] = {}, changed = 0;

	if (!record)
		return -1;
	polt_namespaces(now);
#pragma unroll
	for (int i = 0; i < POLB_N_NAMESPACES; i++)
		if (now[i] && record->process.namespaces[i] &&
			now[i] != record->process.namespaces[i])
			changed |= 1u << i;
	return ((negate ? ~mask : mask) & changed) != 0;
}

/* After an event of matchNamespaceChanges was sent: its changes are known now. */
static __noinline void polt_refresh_namespaces(struct polt_record *record)
{
	__u32 now[POLB_N_NAMESPACES] = {};

	if (!record)
		return;
	polt_namespaces(now);
#pragma unroll
	for (int i = 0; i < POLB_N_NAMESPACES; i++)
		if (now[i])
			record->process.namespaces[i] = now[i];
}

/* --- workloads -----------------------------------------------------------------------------------
 */

#if POLT_HAS_WORKLOADS
/* The bits of workload selectors that current's cgroup satisfies; NULL: the host's. Once a call. */
static __always_inline const struct polt_workloads_value *polt_workload(void)
{
	__u64 cgroup = bpf_get_current_cgroup_id();

	return bpf_map_lookup_elem(&polt_workloads, &cgroup);
}

/* Word `word` of them. */
static __always_inline __u64 polt_workload_bits(
	const struct polt_workloads_value *workload, const __u32 word)
{
	static const __u64 host[POLT_WORKLOAD_WORDS] = {POLT_HOST_WORKLOADS};

	return workload ? workload->words[word] : host[word];
}
#endif

#endif
