/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The process of a described call as a task_struct with what hangs on it. */
#include <string.h>

#include "described.h"

enum { HOST_NAMESPACES = 0xe0000000u, OTHER_NAMESPACES = 0xe8000000u, COMPAT = 2 };

uint32_t polc_described_host_namespace(unsigned ns)
{
	return HOST_NAMESPACES + ns;
}

uint32_t polc_described_namespace(const struct polc_call_ns *ns, unsigned which)
{
	if (ns->said == POLC_UNREADABLE)
		return 0;
	if (ns->said == POLC_SAID && ns->kind == POLC_NS_NUMBER)
		return ns->number;
	return ns->said == POLC_SAID && ns->kind == POLC_NS_HOST
		       ? polc_described_host_namespace(which)
		       : OTHER_NAMESPACES + which;
}

/* Where each type hangs; NULL: not on nsproxy. */
static const struct {
	const char *member, *structure;
} places[POLB_N_NAMESPACES] = {
	[POLB_NS_UTS] = {"uts_ns", "uts_namespace"},
	[POLB_NS_IPC] = {"ipc_ns", "ipc_namespace"},
	[POLB_NS_MNT] = {"mnt_ns", "mnt_namespace"},
	[POLB_NS_PID] = {NULL, "pid_namespace"},
	[POLB_NS_PID_FOR_CHILDREN] = {"pid_ns_for_children", "pid_namespace"},
	[POLB_NS_NET] = {"net_ns", "net"},
	[POLB_NS_TIME] = {"time_ns", "time_namespace"},
	[POLB_NS_TIME_FOR_CHILDREN] = {"time_ns_for_children", "time_namespace"},
	[POLB_NS_CGROUP] = {"cgroup_ns", "cgroup_namespace"},
	[POLB_NS_USER] = {NULL, "user_namespace"},
};

/* A namespace of that number; 0: unreadable. */
static uint64_t make_namespace(
	struct polc_layout *l, const struct polc_call_process *process, unsigned which)
{
	uint32_t inum = polc_described_namespace(&process->ns[which], which);

	if (!inum)
		return 0;
	uint64_t ns = polc_layout_new(l, places[which].structure);

	polc_layout_put_number(l,
		ns + polc_layout_offset(l, places[which].structure, "ns") +
			polc_layout_offset(l, "ns_common", "inum"),
		inum, 4);
	return ns;
}

static void put_namespaces(struct polc_layout *l, const struct polc_call_process *process)
{
	uint64_t proxy = polc_layout_new(l, "nsproxy"), pid = polc_layout_new(l, "pid");

	polc_layout_set(l, l->task, "task_struct", "nsproxy", proxy, 8);
	for (unsigned i = 0; i < POLB_N_NAMESPACES; i++)
		if (places[i].member)
			polc_layout_set(l, proxy, "nsproxy", places[i].member,
				make_namespace(l, process, i), 8);
	/* level 0: the first number is the innermost one */
	polc_layout_put_number(l,
		pid + polc_layout_offset(l, "pid", "numbers") + polc_layout_offset(l, "upid", "ns"),
		make_namespace(l, process, POLB_NS_PID), 8);
	polc_layout_set(l, l->task, "task_struct", "thread_pid", pid, 8);
}

static void put_credentials(struct polc_layout *l, const struct polc_call_process *process)
{
	static const char *const members[] = {
		[POLB_CAPS_PERMITTED] = "cap_permitted",
		[POLB_CAPS_EFFECTIVE] = "cap_effective",
		[POLB_CAPS_INHERITABLE] = "cap_inheritable",
	};
	uint64_t cred = polc_layout_new(l, "cred");
	bool unreadable = false, said = false;

	for (unsigned i = 0; i < POLB_N_CAPS; i++) {
		unreadable |= process->caps[i].said == POLC_UNREADABLE;
		said |= process->caps[i].said == POLC_SAID;
		polc_layout_set(l, cred, "cred", members[i], process->caps[i].value, 8);
	}
	if (unreadable && (said || process->ns[POLB_NS_USER].said == POLC_SAID))
		polc_layout_fail(l, "credentials are readable as a whole, or not at all");
	polc_layout_set(l, cred, "cred", "user_ns", make_namespace(l, process, POLB_NS_USER), 8);
	polc_layout_set(l, l->task, "task_struct", "cred", unreadable ? 8 : cred, 8);
}

/* One mount, whose root is the process's: paths of described calls hang below it. */
static void put_root(struct polc_layout *l)
{
	uint64_t fs = polc_layout_new(l, "fs_struct"), mount = polc_layout_new(l, "mount");
	uint64_t root = polc_layout_new(l, "dentry");
	uint64_t path = fs + polc_layout_offset(l, "fs_struct", "root");

	l->root_mnt = mount + polc_layout_offset(l, "mount", "mnt");
	l->root_dentry = root;
	polc_layout_set(l, mount, "mount", "mnt_parent", mount, 8);
	polc_layout_set(l, mount, "mount", "mnt_mountpoint", root, 8);
	polc_layout_set(l, l->root_mnt, "vfsmount", "mnt_root", root, 8);
	polc_layout_set(l, root, "dentry", "d_parent", root, 8);
	polc_layout_set(l, root, "dentry", "d_hash.pprev", root, 8);
	polc_layout_set(l, path, "path", "mnt", l->root_mnt, 8);
	polc_layout_set(l, path, "path", "dentry", root, 8);
	polc_layout_set(l, l->task, "task_struct", "fs", fs, 8);
}

void polc_layout_process(struct polc_layout *l, const struct polc_call *call)
{
	const struct polc_call_process *process = &call->process;
	uint64_t tgid = process->pid.said == POLC_SAID ? process->pid.value : 4242;

	l->task = polc_layout_new(l, "task_struct");
	l->head->task = l->task;
	l->head->thread = tgid << 32 | (uint32_t)tgid;
	l->head->cgroup = 77;
	l->head->signals = 0;
	if (process->pid.said == POLC_UNREADABLE)
		polc_layout_fail(l, "every process has a pid");
	polc_layout_set(l, l->task, "task_struct", "tgid", tgid, 4);
	polc_layout_set(l, l->task, "task_struct", "group_leader", l->task, 8);
	put_credentials(l, process);
	put_namespaces(l, process);
	put_root(l);
}
