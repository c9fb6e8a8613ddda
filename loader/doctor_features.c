/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel's part of doctor: one table of what policies need, how it is asked, what is lost
 * without it and what can be done. Not which bundle needs what (doctor_bundle.c).
 */
#include "doctor.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "runtime/cleanup.h"
#include "trace.h"

#define CAPABILITY_PERFMON 38 /* 5.8; older headers lack them */
#define CAPABILITY_BPF 39

/* --- files of the kernel ---------------------------------------------------------------------- */

/* The first line, without its end. 0 or -errno. */
static int first_line(int fd, char *out, size_t size)
{
	ssize_t n = fd < 0 ? fd : read(fd, out, size - 1);

	if (n < 0)
		return fd < 0 ? fd : -errno;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

static int line_of(const char *path, char *out, size_t size)
{
	POLB_FD fd = open(path, O_RDONLY | O_CLOEXEC);

	return first_line(fd < 0 ? -errno : fd, out, size);
}

static int security_line(const char *path, char *out, size_t size)
{
	POLB_FD fd = pold_kernel_file("securityfs", "/sys/kernel/security", path);

	return first_line(fd, out, size);
}

static enum pold_is unreadable(int err, char detail[POLD_DETAIL])
{
	return pold_because(POLD_UNKNOWN, detail, "cannot be read: %s", strerror(-err));
}

static bool word_in(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == n && strncmp(at, word, n) == 0)
			return true;
	return false;
}

static enum pold_is has_bpf(char detail[POLD_DETAIL])
{
	POLB_FD fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "polc_doctor", 4, 4, 1, NULL);

	return fd >= 0 ? POLD_YES : pold_because(POLD_NO, detail, "%s", strerror(errno));
}

static enum pold_is has_capabilities(char detail[POLD_DETAIL])
{
	static const struct {
		unsigned int number;
		const char *name;
	} wanted[] = {{CAPABILITY_BPF, "CAP_BPF"}, {CAPABILITY_PERFMON, "CAP_PERFMON"},
		{CAP_NET_ADMIN, "CAP_NET_ADMIN"}, {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {0};
	size_t n = 0;

	if (syscall(SYS_capget, &header, caps))
		return unreadable(-errno, detail);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!(caps[wanted[i].number / 32].effective & 1u << wanted[i].number % 32))
			n += (size_t)snprintf(detail + n, POLD_DETAIL - n, "%s%s",
				n ? ", " : "missing: ", wanted[i].name);
	return n ? POLD_NO : POLD_YES;
}

static enum pold_is has_no_lockdown(char detail[POLD_DETAIL])
{
	char line[256];
	int err = security_line("lockdown", line, sizeof(line));

	if (err == -ENOENT)
		return POLD_YES; /* a kernel that cannot be locked down is not */
	if (err)
		return unreadable(err, detail);
	return strstr(line, "[none]") ? POLD_YES : pold_because(POLD_NO, detail, "%s", line);
}

static enum pold_is has_btf(char detail[POLD_DETAIL])
{
	struct btf *btf = btf__load_vmlinux_btf();
	int err = errno;

	btf__free(btf);
	return btf ? POLD_YES : pold_because(POLD_NO, detail, "%s", strerror(err));
}

static enum pold_is has_jit(char detail[POLD_DETAIL])
{
	char line[32];
	int err = line_of("/proc/sys/net/core/bpf_jit_enable", line, sizeof(line));

	if (err)
		return unreadable(err, detail);
	return line[0] != '0' ? POLD_YES : pold_because(POLD_NO, detail, "bpf_jit_enable is 0");
}

static enum pold_is has_only_privileged(char detail[POLD_DETAIL])
{
	char line[32];
	int err = line_of("/proc/sys/kernel/unprivileged_bpf_disabled", line, sizeof(line));

	if (err)
		return unreadable(err, detail);
	return line[0] != '0' ? POLD_YES
			      : pold_because(POLD_NO, detail, "unprivileged_bpf_disabled is 0");
}

static enum pold_is has_cgroup2(char detail[POLD_DETAIL])
{
	char mount[256];
	int err = pold_cgroup_mount(mount, sizeof(mount));

	if (err)
		return pold_because(POLD_NO, detail, "no cgroup2 is mounted");
	return pold_because(POLD_YES, detail, "%s%s", mount,
		strcmp(mount, "/sys/fs/cgroup") == 0
			? ""
			: " (hybrid: services are in the systemd hierarchy as well)");
}

static enum pold_is has_bpffs(char detail[POLD_DETAIL])
{
	struct statfs fs;

	if (statfs("/sys/fs/bpf", &fs))
		return pold_because(POLD_NO, detail, "/sys/fs/bpf: %s", strerror(errno));
	return fs.f_type == BPF_FS_MAGIC
		       ? POLD_YES
		       : pold_because(POLD_YES, detail, "not mounted yet; apply mounts it");
}

static enum pold_is has_memlock(char detail[POLD_DETAIL])
{
	struct rlimit limit = {0};

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_cur == RLIM_INFINITY)
		return pold_because(POLD_NOTE, detail, "no limit");
	return pold_because(POLD_NOTE, detail,
		"%llu bytes; it counts before Linux 5.11 only, and polload raises it",
		(unsigned long long)limit.rlim_cur);
}

static enum pold_is has_lsm_listed(char detail[POLD_DETAIL])
{
	char line[512];
	int err = security_line("lsm", line, sizeof(line));
	enum pold_is is = pold_try_lsm(detail);

	if (is != POLD_YES)
		return is;
	if (err)
		return unreadable(err, detail);
	return word_in(line, "bpf")
		       ? POLD_YES
		       : pold_because(POLD_NO, detail,
				 "the list of active security modules has no bpf: %s", line);
}

/* Of a system call's function: by fmod_ret, or by a kprobe where the kernel injects errors. */
static enum pold_is has_override(char detail[POLD_DETAIL])
{
	POLB_FD fd = -1;

	if (pold_try_fmod_ret_call(detail) == POLD_YES)
		return pold_because(POLD_YES, detail, "by fmod_ret");
	fd = pold_kernel_file("debugfs", "/sys/kernel/debug", "error_injection/list");
	if (fd == -ENOENT)
		return pold_because(POLD_NO, detail,
			"no fmod_ret on them, and no list of functions that may be overridden");
	return pold_try_override(detail);
}

static enum pold_is has_tracefs(char detail[POLD_DETAIL])
{
	POLB_FD fd = pold_kernel_file("tracefs", "/sys/kernel/tracing", "events/header_page");

	return fd >= 0 ? POLD_YES : pold_because(POLD_NO, detail, "%s", strerror(-fd));
}

static enum pold_is has_ftrace_list(char detail[POLD_DETAIL])
{
	POLB_FD fd =
		pold_kernel_file("tracefs", "/sys/kernel/tracing", "available_filter_functions");

	return fd >= 0 ? POLD_YES : pold_because(POLD_NO, detail, "%s", strerror(-fd));
}

static enum pold_is has_ima(char detail[POLD_DETAIL])
{
	POLB_FD fd = pold_kernel_file(
		"securityfs", "/sys/kernel/security", "ima/runtime_measurements_count");

	if (fd < 0)
		return pold_because(fd == -ENOENT ? POLD_NO : POLD_UNKNOWN, detail, "%s",
			fd == -ENOENT ? "IMA is not active" : strerror(-fd));
	return pold_try_ima_helper(detail);
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct feature {
	const char *id, *name;
	enum pold_need need;
	enum pold_is (*ask)(char detail[POLD_DETAIL]);
	const char *without, *remedy;
} features[] = {
	{"bpf", "bpf system call", POLD_NEEDED_HERE, has_bpf, "nothing can be enforced",
		"run as root; in a container give CAP_BPF and allow bpf in its seccomp profile"},
	{"capabilities", "capabilities", POLD_OPTIONAL, has_capabilities,
		"network policy needs CAP_BPF and CAP_NET_ADMIN, tracing CAP_PERFMON too; mounting "
		"bpffs, fmod_ret and LSM hooks CAP_SYS_ADMIN",
		"run as root, or add what is missing"},
	{"lockdown", "kernel is not locked down", POLD_OPTIONAL, has_no_lockdown,
		"confidentiality: programs may not read kernel memory, so that kprobes and most "
		"tracing policies are refused; integrity: no Override by kprobes",
		"boot with lockdown=none, or without secure boot"},
	{"btf", "kernel's types (BTF)", POLD_OPTIONAL, has_btf,
		"no tracing policy can be loaded; network policies need none",
		"use a kernel built with CONFIG_DEBUG_INFO_BTF"},
	{"jit", "programs are compiled (JIT)", POLD_OPTIONAL, has_jit,
		"programs are interpreted: slower by an order, and fentry, fexit, fmod_ret and LSM "
		"hooks cannot be attached",
		"sysctl net.core.bpf_jit_enable=1"},
	{"unprivileged_bpf", "bpf is for the privileged only", POLD_OPTIONAL, has_only_privileged,
		"any user may load programs; policies hold all the same",
		"sysctl kernel.unprivileged_bpf_disabled=1"},
	{"bpffs", "file system for pins (bpffs)", POLD_NEEDED_HERE, has_bpffs,
		"nothing outlives polload", "mkdir and mount it: mount -t bpf bpf /sys/fs/bpf"},
	{"cgroup2", "cgroup2", POLD_OPTIONAL, has_cgroup2,
		"endpoints by cgroup cannot be enforced; those by interface can",
		"mount it: mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified"},
	{"memlock", "limit of locked memory", POLD_OPTIONAL, has_memlock, NULL, NULL},
	{"cgroup_skb", "network hook of cgroups (cgroup_skb)", POLD_OPTIONAL, pold_try_cgroup,
		"endpoints by cgroup cannot be enforced",
		"use a kernel built with CONFIG_CGROUP_BPF"},
	{"ring", "ring buffer", POLD_NEEDED_HERE, pold_try_ring, "no bundle can be loaded",
		"use Linux 5.10 or newer"},
	{"raw_tp", "raw tracepoints", POLD_OPTIONAL, pold_try_raw_tracepoint,
		"processes cannot be tracked: no tracing policy can be enforced",
		"use a kernel built with CONFIG_BPF_EVENTS"},
	{"tracefs", "tracepoints (tracefs)", POLD_OPTIONAL, has_tracefs,
		"policies on tracepoints cannot be enforced",
		"use a kernel built with CONFIG_FTRACE"},
	{"ftrace_list", "list of functions that can be traced", POLD_OPTIONAL, has_ftrace_list,
		"that a function cannot be traced shows only when it is attached; lists by pattern "
		"are attached as the symbols say",
		"use a kernel built with CONFIG_DYNAMIC_FTRACE"},
	{"fentry", "fentry and fexit", POLD_OPTIONAL, pold_try_fentry,
		"kprobes are used where a bundle has them: dearer, and arguments at return are "
		"kept "
		"in a map",
		"use a kernel built with CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"},
	{"kprobe", "kprobes", POLD_OPTIONAL, pold_try_kprobe,
		"kernel functions can be hooked by fentry and fexit only",
		"use a kernel built with CONFIG_KPROBE_EVENTS"},
	{"kprobe_multi", "kprobes on many functions at once", POLD_OPTIONAL, pold_try_kprobe_multi,
		"nothing: polc attaches one by one", NULL},
	{"perf_link", "links of perf events", POLD_OPTIONAL, pold_try_perf_link,
		"nothing: a pinned array keeps kprobes, tracepoints and uprobes attached", NULL},
	{"uprobe", "uprobes", POLD_OPTIONAL, pold_try_uprobe,
		"policies on functions of programs cannot be enforced",
		"use a kernel built with CONFIG_UPROBE_EVENTS"},
	{"attach_cookie", "attach cookies", POLD_OPTIONAL, pold_try_cookie,
		"USDT probes have no arguments", "use Linux 5.15 or newer"},
	{"lsm", "security modules in BPF (LSM hooks)", POLD_OPTIONAL, has_lsm_listed,
		"policies on LSM hooks cannot be enforced; Override on security_* functions takes "
		"fmod_ret where that is available",
		"add bpf to the kernel's command line: lsm=...,bpf (all that are active now, then "
		"bpf)"},
	{"lsm_sleepable", "LSM hooks that may sleep", POLD_OPTIONAL, pold_try_sleepable,
		"hashes of files cannot be had", "use Linux 5.10 or newer with CONFIG_BPF_LSM"},
	{"ima", "hashes of files (IMA)", POLD_OPTIONAL, has_ima,
		"policies with imaHash report none",
		"boot with an IMA policy (ima_policy=...) on Linux 5.11 or newer"},
	{"fmod_ret", "results of functions changed (fmod_ret)", POLD_OPTIONAL, pold_try_fmod_ret,
		"Override on security_* functions takes the LSM hook where that is available",
		"use a kernel built with CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"},
	{"override", "results of system calls replaced", POLD_OPTIONAL, has_override,
		"Override on sys_* is refused; on security_* functions and LSM hooks it works",
		"use a kernel built with CONFIG_BPF_KPROBE_OVERRIDE; or hook the security_* "
		"function "
		"behind the call"},
	{"send_signal", "signals from programs", POLD_OPTIONAL, pold_try_signal,
		"Sigkill and Signal cannot be enforced", "use Linux 5.10 or newer"},
	{"task_storage", "storage of tasks", POLD_OPTIONAL, pold_try_task_storage,
		"nothing: processes are kept in a hash", NULL},
	{"d_path", "paths from the kernel (bpf_d_path)", POLD_OPTIONAL, pold_try_d_path,
		"nothing: polc walks paths itself", NULL},
};

/* tcx, clsact and XDP: what the trial in a namespace of its own gave. */
static void say_net(
	struct pold_doctor *d, const char *id, const char *name, int err, const char *without)
{
	const struct pold_net *net = &d->net;
	char detail[POLD_DETAIL] = "";
	enum pold_is is = POLD_YES;

	if (net->err)
		is = pold_because(POLD_UNKNOWN, detail, "no network namespace to try it in: %s",
			strerror(-net->err));
	else if (err)
		is = pold_because(POLD_NO, detail, "%s", strerror(-err));
	pold_doctor_say(
		d, &(struct pold_finding){
			   .id = id, .name = name, .is = is, .detail = detail, .without = without});
}

void pold_doctor_kernel(struct pold_doctor *d)
{
	pold_doctor_section(d, "kernel", "KERNEL");
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		const struct feature *f = &features[i];
		char detail[POLD_DETAIL] = "";
		enum pold_is is = f->ask(detail);

		pold_doctor_say(d, &(struct pold_finding){.id = f->id,
					   .name = f->name,
					   .is = is,
					   .need = f->need,
					   .detail = detail,
					   .without = f->without,
					   .remedy = f->remedy});
	}
	say_net(d, "tcx", "network hook of interfaces (tcx)", d->net.tcx,
		"a clsact qdisc with cls_bpf filters is used, of which another agent can delete or "
		"precede ours");
	say_net(d, "clsact", "network hook of interfaces (clsact)", d->net.clsact,
		"endpoints by interface need tcx");
	say_net(d, "xdp", "XDP", d->net.xdp, "nothing: no bundle has XDP programs yet");
}
