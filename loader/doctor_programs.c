/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Kinds of programs and helpers, tried: a program that does nothing is loaded and, where it can
 * change nothing, attached for an instant to a function that is hardly ever called.
 */
#include "doctor.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/cleanup.h"

#define QUIET_HOOK "syslog" /* the LSM hook, and security_syslog() that calls it */
#define QUIET_FUNCTION "security_" QUIET_HOOK
#if defined(__aarch64__)
#define SYSTEM_CALL "__arm64_sys_sethostname"
#else
#define SYSTEM_CALL "__x64_sys_sethostname"
#endif
#define LOG_BYTES 4096
#define PERF_LINK ((enum bpf_attach_type)41)    /* BPF_PERF_EVENT, 5.15 */
#define KPROBE_MULTI ((enum bpf_attach_type)42) /* 5.18 */

struct kind {
	enum bpf_prog_type type;
	enum bpf_attach_type attach;
	const char *function; /* what it is loaded for, by BTF; NULL: nothing */
	bool sleepable;
};

static const struct kind cgroup = {BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, NULL, false};
static const struct kind kprobe = {BPF_PROG_TYPE_KPROBE, (enum bpf_attach_type)0, NULL, false};
static const struct kind kprobe_multi = {BPF_PROG_TYPE_KPROBE, KPROBE_MULTI, NULL, false};
static const struct kind raw = {BPF_PROG_TYPE_RAW_TRACEPOINT, (enum bpf_attach_type)0, NULL, false};
static const struct kind fentry = {BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, QUIET_FUNCTION, false};
static const struct kind fmod_ret = {
	BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, QUIET_FUNCTION, false};
static const struct kind fmod_ret_call = {
	BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, SYSTEM_CALL, false};
static const struct kind lsm = {BPF_PROG_TYPE_LSM, BPF_LSM_MAC, QUIET_HOOK, false};
static const struct kind lsm_sleepable = {
	BPF_PROG_TYPE_LSM, BPF_LSM_MAC, "bprm_committed_creds", true};

/* fd or -errno; the log's first bytes in log[LOG_BYTES] when that is not NULL. */
static int load(const struct kind *kind, const struct bpf_insn *insns, size_t n, char *log)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = kind->attach,
		.prog_flags = kind->sleepable ? BPF_F_SLEEPABLE : 0, .log_buf = log,
		.log_size = log ? LOG_BYTES : 0, .log_level = log ? 1 : 0);
	int fd;

	if (kind->function) {
		int id = libbpf_find_vmlinux_btf_id(kind->function, kind->attach);

		if (id < 0)
			return id;
		opts.attach_btf_id = (__u32)id;
	}
	fd = bpf_prog_load(kind->type, "polc_doctor", "GPL", insns, n, &opts);
	return fd < 0 ? -errno : fd;
}

/* 1 is what lets a packet of a cgroup pass. */
static int load_empty(const struct kind *kind)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K,
			.dst_reg = BPF_REG_0,
			.imm = kind->type == BPF_PROG_TYPE_CGROUP_SKB},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return load(kind, insns, 2, NULL);
}

static enum pold_is refused(int err, const char *what, char detail[POLD_DETAIL])
{
	return pold_because(POLD_NO, detail, "%s: %s", what,
		err == -ESRCH || err == -ENOENT ? "not in this kernel's BTF" : strerror(-err));
}

static enum pold_is try_load(const struct kind *kind, char detail[POLD_DETAIL])
{
	POLB_FD fd = load_empty(kind);

	return fd < 0 ? refused(fd, "loading", detail) : POLD_YES;
}

/* Loaded and attached: trampolines are made at attaching. */
static enum pold_is try_attach(
	const struct kind *kind, const char *tracepoint, char detail[POLD_DETAIL])
{
	POLB_FD program_fd = load_empty(kind);
	POLB_FD link_fd = -1;

	if (program_fd < 0)
		return refused(program_fd, "loading", detail);
	link_fd = bpf_raw_tracepoint_open(tracepoint, program_fd);
	return link_fd < 0 ? refused(-errno, "attaching", detail) : POLD_YES;
}

/*
 * A call without arguments: the verifier looks up the helper before it looks at them, so that every
 * other complaint means that it is there.
 */
static enum pold_is try_helper(const struct kind *kind, int helper, char detail[POLD_DETAIL])
{
	const struct bpf_insn insns[] = {
		{.code = BPF_JMP | BPF_CALL, .imm = helper},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	char log[LOG_BYTES] = "";
	POLB_FD fd = load(kind, insns, 3, log);

	if (fd >= 0)
		return POLD_YES;
	if (!log[0])
		return refused(fd, "loading", detail);
	if (strstr(log, "unknown func") || strstr(log, "invalid func") ||
		strstr(log, "cannot use helper"))
		return pold_because(POLD_NO, detail, "this kernel has no such helper");
	return POLD_YES;
}

/* A descriptor that is none: a kernel that knows the hook says that it is bad, and no other. */
enum pold_is pold_try_cgroup(char detail[POLD_DETAIL])
{
	POLB_FD program_fd = load_empty(&cgroup);
	POLB_FD link_fd = -1;

	if (program_fd < 0)
		return refused(program_fd, "loading", detail);
	link_fd = bpf_link_create(program_fd, -1, BPF_CGROUP_INET_INGRESS, NULL);
	return errno == EBADF ? POLD_YES : refused(-errno, "attaching", detail);
}

static enum pold_is try_map(enum bpf_map_type type, char detail[POLD_DETAIL])
{
	int has = libbpf_probe_bpf_map_type(type, NULL);

	return has < 0 ? refused(has, "asking", detail)
	       : has   ? POLD_YES
		       : pold_because(POLD_NO, detail, "this kernel cannot make the map");
}

enum pold_is pold_try_ring(char detail[POLD_DETAIL])
{
	return try_map(BPF_MAP_TYPE_RINGBUF, detail);
}

enum pold_is pold_try_task_storage(char detail[POLD_DETAIL])
{
	return try_map(BPF_MAP_TYPE_TASK_STORAGE, detail);
}

enum pold_is pold_try_fentry(char detail[POLD_DETAIL])
{
	return try_attach(&fentry, NULL, detail);
}

enum pold_is pold_try_fmod_ret(char detail[POLD_DETAIL])
{
	return try_attach(&fmod_ret, NULL, detail);
}

enum pold_is pold_try_fmod_ret_call(char detail[POLD_DETAIL])
{
	return try_load(&fmod_ret_call, detail);
}

enum pold_is pold_try_lsm(char detail[POLD_DETAIL])
{
	return try_attach(&lsm, NULL, detail);
}

enum pold_is pold_try_sleepable(char detail[POLD_DETAIL])
{
	return try_load(&lsm_sleepable, detail);
}

enum pold_is pold_try_raw_tracepoint(char detail[POLD_DETAIL])
{
	return try_attach(&raw, "sched_process_exit", detail);
}

enum pold_is pold_try_kprobe_multi(char detail[POLD_DETAIL])
{
	const char *symbols[] = {QUIET_FUNCTION};
	LIBBPF_OPTS(
		bpf_link_create_opts, opts, .kprobe_multi.syms = symbols, .kprobe_multi.cnt = 1);
	POLB_FD program_fd = load_empty(&kprobe_multi);
	POLB_FD link_fd = -1;

	if (program_fd < 0)
		return refused(program_fd, "loading", detail);
	link_fd = bpf_link_create(program_fd, 0, KPROBE_MULTI, &opts);
	return link_fd < 0 ? refused(-errno, "attaching", detail) : POLD_YES;
}

/* --- perf events ------------------------------------------------------------------------------ */

/* The number of a kind of events; -ENOENT: compiled out. */
static int perf_type(const char *kind)
{
	char path[POLD_PATH];
	FILE *file;
	int type, n;

	pold_path(path, "/sys/bus/event_source/devices/%s/type", kind);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	n = fscanf(file, "%d", &type);
	fclose(file);
	return n == 1 ? type : -EIO;
}

/* fd or -errno */
static int open_probe(const char *kind, const char *where)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr), .config1 = (uint64_t)(uintptr_t)where, .config2 = 0};
	int type = perf_type(kind), fd;

	if (type < 0)
		return type;
	attr.type = (uint32_t)type;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static enum pold_is probe_refused(int err, char detail[POLD_DETAIL])
{
	if (err == -ENOENT)
		return pold_because(POLD_NO, detail, "this kernel is built without");
	return refused(err, "opening", detail);
}

enum pold_is pold_try_kprobe(char detail[POLD_DETAIL])
{
	POLB_FD event_fd = open_probe("kprobe", QUIET_FUNCTION);
	POLB_FD program_fd = -1;

	if (event_fd < 0)
		return probe_refused(event_fd, detail);
	program_fd = load_empty(&kprobe);
	if (program_fd < 0)
		return refused(program_fd, "loading", detail);
	return ioctl(event_fd, PERF_EVENT_IOC_SET_BPF, program_fd)
		       ? refused(-errno, "attaching", detail)
		       : POLD_YES;
}

/* At the head of this file, which is not code. */
enum pold_is pold_try_uprobe(char detail[POLD_DETAIL])
{
	POLB_FD fd = open_probe("uprobe", "/proc/self/exe");

	return fd < 0 ? probe_refused(fd, detail) : POLD_YES;
}

/* As for cgroups: a kernel that knows such links says that the descriptor is bad. */
enum pold_is pold_try_perf_link(char detail[POLD_DETAIL])
{
	POLB_FD program_fd = load_empty(&kprobe);
	POLB_FD link_fd = -1;

	if (program_fd < 0)
		return refused(program_fd, "loading", detail);
	link_fd = bpf_link_create(program_fd, -1, PERF_LINK, NULL);
	return errno == EBADF ? POLD_YES : refused(-errno, "attaching", detail);
}

/* --- helpers ---------------------------------------------------------------------------------- */

enum pold_is pold_try_signal(char detail[POLD_DETAIL])
{
	return try_helper(&kprobe, BPF_FUNC_send_signal, detail);
}

enum pold_is pold_try_override(char detail[POLD_DETAIL])
{
	return try_helper(&kprobe, BPF_FUNC_override_return, detail);
}

enum pold_is pold_try_cookie(char detail[POLD_DETAIL])
{
	return try_helper(&kprobe, 174, detail); /* get_attach_cookie, 5.15 */
}

enum pold_is pold_try_d_path(char detail[POLD_DETAIL])
{
	return try_helper(&fentry, BPF_FUNC_d_path, detail);
}

enum pold_is pold_try_ima_helper(char detail[POLD_DETAIL])
{
	return try_helper(&lsm_sleepable, 161, detail); /* ima_inode_hash, 5.11 */
}
