/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Process tracking: who runs what. A record for each thread group, made at exec, copied at fork,
 * deleted when the last thread goes; polload writes those of processes that are older. Unlike other
 * programs these work before their generation decides, so that its records are complete when it
 * does; events are sent only by the one that decides.
 *
 * Budget: fork 1,400 instructions executed, exit 1,000, exec 12,000 (6.12, with what attaching
 * costs; 29,000 allowed for the three), of them a third for copying into the map and the ring.
 * Verifier: 16,000 for exec.
 */
#ifndef POLT_PROCESS_H
#define POLT_PROCESS_H

#include "path.h"

/* polc_config.h: struct polt_domain initialisers of the domains 0 .. POLT_BINARY_WORDS - 1. */
#ifndef POLT_BINARY_DOMAINS
#define POLT_BINARY_DOMAINS                                                                        \
	{                                                                                          \
		.id = 0, .equal = true, .prefix = true, .postfix = true                            \
	}
#endif

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, struct polt_record);
} polt_processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct polb_exec);
} polt_execs SEC(".maps");

#if POLT_HAS_WORKLOADS
struct polt_workloads_value {
	__u64 words[POLT_WORKLOAD_WORDS];
};
/* By cgroup id: the filters (workload bits) that its processes satisfy. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct polt_workloads_value);
} polt_workloads SEC(".maps");
#endif

/* Of current; NULL: unknown. */
static __always_inline struct polt_record *polt_process(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	return bpf_map_lookup_elem(&polt_processes, &tgid);
}

/* --- what a task is: typed pointers
 * ---------------------------------------------------------------- */

static __always_inline void polt_read_credentials(
	struct polb_credentials *out, const struct cred *cred)
{
	__u64 caps[3] = {}; /* in the kernel's order: inheritable, permitted, effective */

	bpf_probe_read_kernel(out, 36, (void *)cred + polt_offset(struct cred, uid));
	bpf_probe_read_kernel(caps, 24, (void *)cred + polt_offset(struct cred, cap_inheritable));
	out->caps[POLB_CAPS_INHERITABLE] = caps[0];
	out->caps[POLB_CAPS_PERMITTED] = caps[1];
	out->caps[POLB_CAPS_EFFECTIVE] = caps[2];
}

/* The number in the innermost pid namespace (0: that is the initial one), and that namespace. */
static __always_inline __u32 polt_read_pid(const struct task_struct *leader, __u32 *inum)
{
	const struct pid *pid = leader->thread_pid;
	struct {
		__u64 nr, ns;
	} own = {};
	__u32 level;

	if (!pid)
		return 0;
	level = pid->level;
	bpf_probe_read_kernel(&own, sizeof(own),
		(void *)pid + polt_offset(struct pid, numbers) + (__u64)(level & 63) * sizeof(own));
	bpf_probe_read_kernel(inum, 4, (void *)own.ns + polt_offset(struct pid_namespace, ns.inum));
	return level ? (__u32)own.nr : 0;
}

static __always_inline __u32 polt_read_namespaces(
	__u32 out[POLB_N_NAMESPACES], const struct task_struct *task, const struct cred *cred)
{
	const struct nsproxy *ns = task->nsproxy;
	__u32 ns_pid = polt_read_pid(task->group_leader, &out[POLB_NS_PID]);

	out[POLB_NS_USER] = cred->user_ns->ns.inum;
	if (!ns)
		return ns_pid;
	out[POLB_NS_UTS] = ns->uts_ns->ns.inum;
	out[POLB_NS_IPC] = ns->ipc_ns->ns.inum;
	out[POLB_NS_MNT] = ns->mnt_ns->ns.inum;
	out[POLB_NS_PID_FOR_CHILDREN] = ns->pid_ns_for_children->ns.inum;
	out[POLB_NS_NET] = ns->net_ns->ns.inum;
	if (polt_field_exists(ns->time_ns)) {
		out[POLB_NS_TIME] = ns->time_ns->ns.inum;
		out[POLB_NS_TIME_FOR_CHILDREN] = ns->time_ns_for_children->ns.inum;
	}
	out[POLB_NS_CGROUP] = ns->cgroup_ns->ns.inum;
	return ns_pid;
}

static __always_inline __u32 polt_read_auid(const struct task_struct *task)
{
	__u32 auid = ~0u;

	if (polt_field_exists(task->loginuid))
		bpf_probe_read_kernel(
			&auid, 4, (void *)task + polt_offset(struct task_struct, loginuid));
	return auid;
}

/* --- exec: what a reader needs -------------------------------------------------------------------
 */

/*
 * What an image is told by. Read from the task once: for each pointer that is loaded from a trusted
 * one the verifier looks (6.2; by name, through all types up to 6.18) whether it is trusted, too.
 */
struct polt_image {
	const struct mm_struct *mm;
	const struct fs_struct *fs;
	const struct cred *cred;
	const struct file *exe;
	__u32 parent; /* tgid */
};

static __always_inline struct polt_image polt_read_image(const struct task_struct *task)
{
	const struct mm_struct *mm = task->mm;

	return (struct polt_image){.mm = mm,
		.fs = task->fs,
		.cred = task->cred,
		.exe = mm->exe_file,
		.parent = task->real_parent->tgid};
}

/* Copies the path's text, of a longer one the last `max` bytes; how many. */
static __always_inline __u32 polt_exec_path(
	struct polt_scratch *s, char *into, __u32 at, __u32 size, const __u32 max)
{
	if (size > max) {
		at += size - max;
		size = max;
	}
	if (at > POLB_PATH_BYTES || size > max)
		return 0;
	return bpf_probe_read_kernel(into, size, s->path + at) ? 0 : size;
}

/* argv[1..] of the new image, as they lie in its memory; without the NUL of the last one. */
static __always_inline __u32 polt_exec_arguments(
	struct polt_scratch *s, const struct mm_struct *mm, char *into, __u32 *flags)
{
	__u64 start = mm->arg_start, end = mm->arg_end;
	long first = bpf_probe_read_user_str(s->text, POLB_PATH_BYTES, (void *)start);

	if (first < 0 || first == POLB_PATH_BYTES) {
		*flags |= POLB_EXEC_ARGUMENTS_CUT;
		return 0;
	}
	start += first;
	if (start + 1 >= end)
		return 0;
	__u64 size = end - start - 1;
	if (size > POLB_EXEC_ARGUMENTS) {
		size = POLB_EXEC_ARGUMENTS;
		*flags |= POLB_EXEC_ARGUMENTS_CUT;
	}
	polt_forget(size);
	if (size > POLB_EXEC_ARGUMENTS)
		return 0;
	if (!bpf_probe_read_user(into, size, (void *)start))
		return size;
	*flags |= POLB_EXEC_ARGUMENTS_CUT;
	return 0;
}

static __always_inline __u32 polt_exec_cwd(
	struct polt_scratch *s, const struct fs_struct *fs, char *into, __u32 *flags)
{
	struct polt_path path = {.mnt = (__u64)fs->pwd.mnt, .dentry = (__u64)fs->pwd.dentry};
	__u32 size = 0, path_flags;
	int at = -1;

	if (fs)
		at = polt_path_text(s, &path, &size, &path_flags);
	if (at < 0)
		*flags |= POLB_EXEC_CWD_ERROR;
	else if (size == 1)
		*flags |= POLB_EXEC_ROOT_CWD;
	return at < 0 ? 0 : polt_exec_path(s, into, at, size, POLB_EXEC_CWD);
}

static __always_inline __u32 polt_exec_invoked(const struct linux_binprm *bprm, char *into)
{
	long size = bpf_probe_read_kernel_str(into, POLB_EXEC_BINARY, bprm->filename);

	return size > 1 && size <= POLB_EXEC_BINARY ? size - 1 : 0;
}

static __always_inline bool polt_is_secure_exec(const struct linux_binprm *bprm)
{
	__u64 word = 0;
	__u32 at = __builtin_preserve_field_info(bprm->secureexec, 0);
	__u32 size = __builtin_preserve_field_info(bprm->secureexec, 1);
	__u32 left = __builtin_preserve_field_info(bprm->secureexec, 4);
	__u32 right = __builtin_preserve_field_info(bprm->secureexec, 5);

	bpf_probe_read_kernel(&word, size & 15, (void *)bprm + at);
	return word << left >> right;
}

/* What raised privileges; a process that was privileged in that way before is not counted. */
static __always_inline __u32 polt_exec_secure(
	const struct linux_binprm *bprm, const struct file *exe, const struct polb_credentials *c)
{
	__u16 mode = exe->f_inode->i_mode;
	__u32 secure = 0;

	if (!polt_is_secure_exec(bprm))
		return 0;
	if (mode & 04000 && c->euid != c->uid)
		secure |= POLB_SECURE_SETUID;
	if ((mode & 02010) == 02010 && c->egid != c->gid)
		secure |= POLB_SECURE_SETGID;
	if (!secure && c->euid == c->uid && c->egid == c->gid)
		secure = POLB_SECURE_FILE_CAPS;
	return secure;
}

/* The texts behind the binary's. Sizes add up to POLB_EXEC_TEXT at most. */
static __always_inline void polt_exec_texts(struct polt_scratch *s, const struct polt_image *image,
	const struct linux_binprm *bprm, struct polb_exec *e)
{
	__u32 at = e->binary_size & (2 * POLB_EXEC_BINARY - 1), n, flags = e->flags;

	if (at > POLB_EXEC_BINARY)
		return;
	e->arguments_size = n = polt_exec_arguments(s, image->mm, e->text + at, &flags);
	at += n;
	e->cwd_size = n = polt_exec_cwd(s, image->fs, e->text + at, &flags);
	at += n;
	e->invoked_size = polt_exec_invoked(bprm, e->text + at);
	e->flags = flags;
}

/* --- exec: the record ----------------------------------------------------------------------------
 */

static __always_inline void polt_record_classify(
	struct polt_scratch *s, struct polt_record *record, int at, __u32 size)
{
	static const struct polt_domain domains[POLT_BINARY_WORDS] = {POLT_BINARY_DOMAINS};

#pragma unroll
	for (int i = 0; i < POLT_BINARY_WORDS; i++)
		record->own[i] = at < 0 ? 0 : polt_classify(s, POLT_PATH + at, size, &domains[i]);
}

static __always_inline void polt_record_copy(
	struct polt_record *to, const struct polt_record *from, const bool earlier_image)
{
#pragma unroll
	for (int i = 0; i < POLT_BINARY_WORDS; i++) {
		to->parent[i] = from->own[i];
		to->parent_lineage[i] = from->lineage[i];
		if (earlier_image)
			to->lineage[i] = from->lineage[i] | from->own[i];
	}
}

static __always_inline void polt_record_no_parent(struct polt_record *to)
{
#pragma unroll
	for (int i = 0; i < POLT_BINARY_WORDS; i++)
		to->lineage[i] = to->parent[i] = to->parent_lineage[i] = 0;
}

/*
 * Where an image comes from: of the process that forked, when this is its first exec; else of the
 * image that was here before (reference 1.4). An unknown process asks its parent's record.
 */
static __always_inline void polt_record_origin(
	struct polt_record *record, const struct polt_image *image)
{
	struct polb_process *p = &record->process;
	const struct polt_record *old = bpf_map_lookup_elem(&polt_processes, &p->pid);
	bool is_clone = old && old->process.flags & POLB_PROCESS_CLONE;

	p->parent_pid = image->parent;
	if (old && !is_clone)
		p->parent_pid = p->pid;
	if (!old)
		old = bpf_map_lookup_elem(&polt_processes, &p->parent_pid);
	p->parent_exec_id = p->parent_ns_pid = 0;
	if (!old) {
		polt_record_no_parent(record);
		return;
	}
	polt_record_copy(record, old, true);
	p->parent_exec_id = is_clone ? old->process.parent_exec_id : old->process.exec_id;
	p->parent_ns_pid = is_clone ? old->process.parent_ns_pid : old->process.ns_pid;
	if (is_clone)
		p->parent_pid = old->process.parent_pid;
}

static __always_inline void polt_exec_fill(
	struct polb_exec *e, const struct polb_process *p, const struct task_struct *task)
{
	e->exec_id = p->exec_id;
	e->parent_exec_id = p->parent_exec_id;
	e->pid = p->pid;
	e->parent_pid = p->parent_pid;
	e->ns_pid = p->ns_pid;
	e->auid = p->auid;
	e->flags = p->flags;
	e->tid = task->pid;
	e->cgroup = p->cgroup;
	__builtin_memcpy(e->namespaces, p->namespaces, sizeof(e->namespaces));
}

static __always_inline void polt_exec_send(struct polb_event_exec *event, __u32 generation_active)
{
	__u32 size = polb_exec_text_size(&event->exec);

	if (!generation_active || size > POLB_EXEC_TEXT)
		return;
	event->type = POLB_EVENT_EXEC;
	event->time_ns = event->exec.exec_id;
	bpf_ringbuf_output(&polt_events, event,
		__builtin_offsetof(struct polb_event_exec, exec.text) + size, 0);
}

static __always_inline void polt_record_fill(
	struct polb_process *p, const struct task_struct *task, const struct polt_image *image)
{
	p->exec_id = bpf_ktime_get_boot_ns();
	p->pid = task->tgid;
	p->auid = polt_read_auid(task);
	p->cgroup = bpf_get_current_cgroup_id();
	p->ns_pid = polt_read_namespaces(p->namespaces, task, image->cred);
	p->flags = POLB_PROCESS_EXEC;
}

static __always_inline void polt_exec(
	struct polt_scratch *s, const struct task_struct *task, const struct linux_binprm *bprm)
{
	struct polb_event_exec *event = &s->exec;
	struct polt_record *record = &s->record;
	struct polb_process *p = &record->process;
	const struct polt_image image = polt_read_image(task);
	struct polt_path path;
	__u32 size = 0, flags = 0, epoch;
	int at = -1;

	__builtin_memset(p->namespaces, 0, sizeof(p->namespaces));
	polt_record_fill(p, task, &image);
	polt_record_origin(record, &image);
	if (image.exe && polt_path_of_file(&path, (__u64)image.exe, true))
		at = polt_path_text(s, &path, &size, &flags);
	if (at < 0)
		p->flags |= POLB_PROCESS_NO_PATH;
	polt_record_classify(s, record, at, size);
	polt_read_credentials(&event->exec.credentials, image.cred);
	__builtin_memcpy(p->caps, event->exec.credentials.caps, sizeof(p->caps));
	polt_exec_fill(&event->exec, p, task);
	if (flags & POLB_PATH_UNLINKED)
		event->exec.flags |= POLB_EXEC_UNLINKED;
	event->exec.binary_size =
		at < 0 ? 0 : polt_exec_path(s, event->exec.text, at, size, POLB_EXEC_BINARY);
	event->exec.secureexec = polt_exec_secure(bprm, image.exe, &event->exec.credentials);
	polt_exec_texts(s, &image, bprm, &event->exec);
	bpf_map_update_elem(&polt_processes, &p->pid, record, BPF_ANY);
	bpf_map_update_elem(&polt_execs, &p->pid, &event->exec, BPF_ANY);
	polt_exec_send(event, polt_active_epoch(&epoch));
}

/* (struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm) */
SEC("tp_btf/sched_process_exec") int polt_track_exec(__u64 *ctx)
{
	const struct task_struct *task = (const struct task_struct *)ctx[0];
	struct polt_scratch *s = polt_scratch_claim();

	if (s) {
		polt_exec(s, task, (const struct linux_binprm *)ctx[2]);
		polt_scratch_release(s);
		return 0;
	}
	/* better unknown than taken for what it was before */
	__u32 tgid = task->tgid;
	bpf_map_delete_elem(&polt_processes, &tgid);
	bpf_map_delete_elem(&polt_execs, &tgid);
	return 0;
}

/* --- fork and exit ------------------------------------------------------------------------------
 */

/* (struct task_struct *parent, struct task_struct *child); the child has not run yet. */
SEC("tp_btf/sched_process_fork") int polt_track_fork(__u64 *ctx)
{
	const struct task_struct *parent = (const struct task_struct *)ctx[0];
	const struct task_struct *child = (const struct task_struct *)ctx[1];
	__u32 pid = child->pid, parent_tgid = parent->tgid;

	if (child->tgid != (int)pid) /* a thread */
		return 0;
	const struct polt_record *from = bpf_map_lookup_elem(&polt_processes, &parent_tgid);
	if (!from) {
		bpf_map_delete_elem(&polt_processes, &pid);
		return 0;
	}
	bpf_map_update_elem(&polt_processes, &pid, from, BPF_ANY);
	struct polt_record *record = bpf_map_lookup_elem(&polt_processes, &pid);
	if (!record)
		return 0;
	struct polb_process *p = &record->process;
	p->parent_exec_id = p->exec_id;
	p->parent_pid = parent_tgid;
	p->parent_ns_pid = p->ns_pid;
	p->exec_id = bpf_ktime_get_boot_ns();
	p->pid = pid;
	p->flags = (p->flags & POLB_PROCESS_NO_PATH) | POLB_PROCESS_CLONE;
	p->ns_pid = polt_read_pid(child, &p->namespaces[POLB_NS_PID]);
	polt_record_copy(record, record, false);
	return 0;
}

/* (struct task_struct *p): in do_exit() of each thread, when it is no longer counted as live. */
SEC("tp_btf/sched_process_exit") int polt_track_exit(__u64 *ctx)
{
	const struct task_struct *task = (const struct task_struct *)ctx[0];
	struct polb_event_exit event = {.type = POLB_EVENT_EXIT};
	__u32 tgid = task->tgid, epoch;

	if (task->signal->live.counter)
		return 0;
	const struct polt_record *record = bpf_map_lookup_elem(&polt_processes, &tgid);
	if (!record)
		return 0;
	event.exec_id = record->process.exec_id;
	bpf_map_delete_elem(&polt_execs, &tgid);
	/* of two threads that go at the same time one finds it */
	if (bpf_map_delete_elem(&polt_processes, &tgid) || !polt_active_epoch(&epoch))
		return 0;
	event.pid = tgid;
	event.tid = task->pid;
	event.code = task->exit_code;
	event.time_ns = bpf_ktime_get_boot_ns();
	bpf_ringbuf_output(&polt_events, &event, sizeof(event), 0);
	return 0;
}

/* --- cgroups -------------------------------------------------------------------------------------
 */

#if POLT_HAS_WORKLOADS
/* (struct cgroup *cgrp, const char *path): a cgroup below a workload's is the workload's. */
SEC("tp_btf/cgroup_mkdir") int polt_track_cgroup(__u64 *ctx)
{
	const struct cgroup *cgroup = (const struct cgroup *)ctx[0];
	__u64 id = cgroup->kn->id;

	if (cgroup->root->hierarchy_id) /* version 1: ids of another space */
		return 0;
	const struct cgroup_subsys_state *up = cgroup->self.parent;
	if (!up)
		return 0;
	__u64 parent = up->cgroup->kn->id;
	const struct polt_workloads_value *bits = bpf_map_lookup_elem(&polt_workloads, &parent);
	if (bits)
		bpf_map_update_elem(&polt_workloads, &id, bits, BPF_NOEXIST);
	return 0;
}

/* (struct cgroup *cgrp, const char *path): its id does not come again. */
SEC("tp_btf/cgroup_rmdir") int polt_track_cgroup_gone(__u64 *ctx)
{
	const struct cgroup *cgroup = (const struct cgroup *)ctx[0];
	__u64 id = cgroup->kn->id;

	if (!cgroup->root->hierarchy_id)
		bpf_map_delete_elem(&polt_workloads, &id);
	return 0;
}
#endif

#endif
