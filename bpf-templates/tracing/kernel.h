/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel's structures, as far as they are used: members by name only, the loader fills in where
 * they are (CO-RE). A suffix ___x makes another view of the same structure, for a member that is
 * elsewhere on some kernels.
 */
#ifndef POLT_TRACING_KERNEL_H
#define POLT_TRACING_KERNEL_H

#include "../lib/bpf.h"

#define polt_offset(type, member) __builtin_preserve_field_info(((type *)0)->member, 0)

/* --- files and paths ----------------------------------------------------------------------------
 */

struct super_block {
	__u32 s_dev;
} POLT_KERNEL;
struct inode {
	__u16 i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
} POLT_KERNEL;
struct hlist_bl_node {
	struct hlist_bl_node **pprev;
} POLT_KERNEL;
struct qstr {
	__u32 len;
	const char *name;
} POLT_KERNEL;
struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
} POLT_KERNEL;
struct vfsmount {
	struct dentry *mnt_root;
} POLT_KERNEL;
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
} POLT_KERNEL;
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} POLT_KERNEL;
struct file {
	struct path f_path;
	struct inode *f_inode;
} POLT_KERNEL;
struct kiocb {
	struct file *ki_filp;
} POLT_KERNEL;
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} POLT_KERNEL;
struct files_struct {
	struct fdtable *fdt;
} POLT_KERNEL;
struct fs_struct {
	struct path root, pwd;
} POLT_KERNEL;
struct linux_binprm {
	struct file *file;
	const char *filename; /* as given to execve */
	unsigned int secureexec : 1;
} POLT_KERNEL;

/* --- namespaces and credentials ------------------------------------------------------------------
 */

struct ns_common {
	unsigned int inum;
} POLT_KERNEL;
struct uts_namespace {
	struct ns_common ns;
} POLT_KERNEL;
struct ipc_namespace {
	struct ns_common ns;
} POLT_KERNEL;
struct mnt_namespace {
	struct ns_common ns;
} POLT_KERNEL;
struct pid_namespace {
	struct ns_common ns;
} POLT_KERNEL;
struct net {
	struct ns_common ns;
} POLT_KERNEL;
struct time_namespace {
	struct ns_common ns;
} POLT_KERNEL;
struct cgroup_namespace {
	struct ns_common ns;
} POLT_KERNEL;
typedef struct {
	__u32 val;
} kuid_t;
typedef struct {
	__u32 val;
} kgid_t;
struct user_namespace {
	struct ns_common ns;
	int level;
	kuid_t owner;
	kgid_t group;
} POLT_KERNEL;
struct nsproxy {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct pid_namespace *pid_ns_for_children;
	struct net *net_ns;
	struct time_namespace *time_ns;
	struct time_namespace *time_ns_for_children;
	struct cgroup_namespace *cgroup_ns;
} POLT_KERNEL;
/* Two u32 up to 6.2, one u64 since: the same 8 bytes. Read whole, by address. */
typedef struct {
} kernel_cap_t;
/* uid to securebits are nine u32 one behind the other; so are the three sets of capabilities. */
struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t suid;
	kgid_t sgid;
	kuid_t euid;
	kgid_t egid;
	kuid_t fsuid;
	kgid_t fsgid;
	unsigned int securebits;
	kernel_cap_t cap_inheritable, cap_permitted, cap_effective;
	struct user_namespace *user_ns;
} POLT_KERNEL;

/* --- tasks
 * ---------------------------------------------------------------------------------------- */

struct upid {
	int nr;
	struct pid_namespace *ns;
} POLT_KERNEL;
struct pid {
	unsigned int level;
	struct upid numbers[1]; /* level + 1 of them */
} POLT_KERNEL;
typedef struct {
	int counter;
} atomic_t;
struct signal_struct {
	atomic_t live; /* threads that have not begun to exit */
} POLT_KERNEL;
struct mm_struct {
	unsigned long arg_start, arg_end;
	struct file *exe_file;
} POLT_KERNEL;
struct task_struct {
	struct mm_struct *mm;
	int exit_code;
	int pid, tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	const struct cred *cred;
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	kuid_t loginuid; /* with CONFIG_AUDIT */
} POLT_KERNEL;

/* --- cgroups
 * -------------------------------------------------------------------------------------- */

struct kernfs_node {
	__u64 id;
} POLT_KERNEL;
struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
} POLT_KERNEL;
struct cgroup_root {
	int hierarchy_id; /* 0: cgroup v2 */
} POLT_KERNEL;
struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
	struct cgroup_root *root;
} POLT_KERNEL;

#endif
