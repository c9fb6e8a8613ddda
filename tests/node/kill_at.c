/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* See kill_at.h. x86-64: an error is injected into its registers. */
#include "kill_at.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_TASKS 64
#define SYSCALL_STOP (SIGTRAP | 0x80)
#define OPTIONS                                                                                    \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |  \
		PTRACE_O_EXITKILL)

static const char *const bpf_names[] = {"MAP_CREATE", "MAP_LOOKUP_ELEM", "MAP_UPDATE_ELEM",
	"MAP_DELETE_ELEM", "MAP_GET_NEXT_KEY", "PROG_LOAD", "OBJ_PIN", "OBJ_GET", "PROG_ATTACH",
	"PROG_DETACH", "PROG_TEST_RUN", "PROG_GET_NEXT_ID", "MAP_GET_NEXT_ID", "PROG_GET_FD_BY_ID",
	"MAP_GET_FD_BY_ID", "OBJ_GET_INFO_BY_FD", "PROG_QUERY", "RAW_TRACEPOINT_OPEN", "BTF_LOAD",
	"BTF_GET_FD_BY_ID", "TASK_FD_QUERY", "MAP_LOOKUP_AND_DELETE_ELEM", "MAP_FREEZE",
	"BTF_GET_NEXT_ID", "MAP_LOOKUP_BATCH", "MAP_LOOKUP_AND_DELETE_BATCH", "MAP_UPDATE_BATCH",
	"MAP_DELETE_BATCH", "LINK_CREATE", "LINK_UPDATE", "LINK_GET_FD_BY_ID", "LINK_GET_NEXT_ID",
	"ENABLE_STATS", "ITER_CREATE", "LINK_DETACH", "PROG_BIND_MAP"};
#define N_BPF_NAMES ((long)(sizeof(bpf_names) / sizeof(bpf_names[0])))

static const struct {
	const char *name;
	long number;
} calls[] = {
#define CALL(name)                                                                                 \
	{                                                                                          \
#name, SYS_##name                                                                  \
	}
	CALL(bpf), CALL(openat), CALL(read), CALL(write), CALL(close), CALL(mmap), CALL(munmap),
	CALL(brk), CALL(mprotect), CALL(fstat), CALL(newfstatat), CALL(mkdir), CALL(rmdir),
	CALL(unlink), CALL(unlinkat), CALL(flock), CALL(prlimit64), CALL(capget), CALL(statfs),
	CALL(getdents64), CALL(lseek), CALL(ioctl), CALL(socket), CALL(sendto), CALL(sendmsg),
	CALL(recvmsg), CALL(recvfrom), CALL(perf_event_open), CALL(execve), CALL(exit_group),
	CALL(clock_nanosleep), CALL(futex), CALL(dup), CALL(fcntl), CALL(pread64), CALL(readlink),
	CALL(access), CALL(uname), CALL(mremap), CALL(madvise), CALL(bind), CALL(setsockopt),
	CALL(fork), CALL(clone), CALL(wait4), CALL(getrandom), CALL(name_to_handle_at),
	CALL(arch_prctl), CALL(set_tid_address), CALL(rename), CALL(epoll_wait)};

bool kill_at_parse(const char *name, long *call, long *subcommand)
{
	*subcommand = -1;
	if (strncmp(name, "bpf/", 4) == 0) {
		*call = SYS_bpf;
		for (long i = 0; i < N_BPF_NAMES; i++)
			if (strcmp(bpf_names[i], name + 4) == 0)
				*subcommand = i;
		return *subcommand >= 0;
	}
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, name) == 0) {
			*call = calls[i].number;
			return true;
		}
	return false;
}

static void call_name(const struct __ptrace_syscall_info *info, char *out, size_t size)
{
	long number = (long)info->entry.nr, command = (long)info->entry.args[0];

	snprintf(out, size, "call %ld", number);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			snprintf(out, size, "%s", calls[i].name);
	if (number == SYS_bpf && command >= 0 && command < N_BPF_NAMES)
		snprintf(out, size, "bpf/%s", bpf_names[command]);
}

/* A traced thread, between its stops. */
struct task {
	pid_t tid;
	bool inside; /* of a call */
	bool struck; /* that is to return an error, or to be the last */
	bool is_bpf; /* whose result may be a new object */
	bool is_brk; /* that is given an error: its argument was */
	unsigned long long argument;
};

struct run {
	const struct strike *strike;
	struct objects *made;
	struct struck *out;
	struct task tasks[MAX_TASKS];
	size_t n_tasks;
	pid_t first;
	bool started; /* from execve on */
};

static struct task *task_of(struct run *r, pid_t tid)
{
	for (size_t i = 0; i < r->n_tasks; i++)
		if (r->tasks[i].tid == tid)
			return &r->tasks[i];
	if (r->n_tasks == MAX_TASKS)
		return NULL;
	r->tasks[r->n_tasks] = (struct task){.tid = tid};
	return &r->tasks[r->n_tasks++];
}

static void forget(struct run *r, pid_t tid)
{
	for (size_t i = 0; i < r->n_tasks; i++)
		if (r->tasks[i].tid == tid)
			r->tasks[i--] = r->tasks[--r->n_tasks];
}

static void kill_all(struct run *r)
{
	for (size_t i = 0; i < r->n_tasks; i++)
		kill(r->tasks[i].tid, SIGKILL);
}

static bool bpf_changes(long command)
{
	static const char *const reads[] = {"MAP_LOOKUP_ELEM", "MAP_GET_NEXT_KEY", "OBJ_GET",
		"PROG_TEST_RUN", "PROG_GET_NEXT_ID", "MAP_GET_NEXT_ID", "PROG_GET_FD_BY_ID",
		"MAP_GET_FD_BY_ID", "OBJ_GET_INFO_BY_FD", "PROG_QUERY", "BTF_GET_FD_BY_ID",
		"TASK_FD_QUERY", "BTF_GET_NEXT_ID", "MAP_LOOKUP_BATCH", "LINK_GET_FD_BY_ID",
		"LINK_GET_NEXT_ID"};

	if (command < 0 || command >= N_BPF_NAMES)
		return true;
	for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++)
		if (strcmp(bpf_names[command], reads[i]) == 0)
			return false;
	return true;
}

/*
 * Between two such calls a node does not change: to be killed before one of them is the same as to
 * be killed before any of those that only read since the one before. munmap(2) is one of them, for
 * what was written to mapped memory before it.
 */
static bool changes(const struct __ptrace_syscall_info *info)
{
	static const long numbers[] = {SYS_write, SYS_munmap, SYS_mkdir, SYS_rmdir, SYS_unlink,
		SYS_unlinkat, SYS_rename, SYS_ioctl, SYS_sendto, SYS_sendmsg, SYS_setsockopt,
		SYS_perf_event_open, SYS_execve, SYS_fork, SYS_clone, SYS_flock, SYS_exit_group};

	if (info->entry.nr == SYS_bpf)
		return bpf_changes((long)info->entry.args[0]);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if ((long)info->entry.nr == numbers[i])
			return true;
	return false;
}

static bool matches(const struct strike *s, const struct __ptrace_syscall_info *info)
{
	if (s->changes && !changes(info))
		return false;
	if (s->call >= 0 && (long)info->entry.nr != s->call)
		return false;
	return s->subcommand < 0 || (long)info->entry.args[0] == s->subcommand;
}

static bool returns_object(const struct __ptrace_syscall_info *info)
{
	enum {
		MAP_CREATE = 0,
		PROG_LOAD = 5,
		RAW_TRACEPOINT_OPEN = 17,
		BTF_LOAD = 18,
		LINK_CREATE = 28
	};
	long command = (long)info->entry.args[0];

	return info->entry.nr == SYS_bpf &&
	       (command == MAP_CREATE || command == PROG_LOAD || command == RAW_TRACEPOINT_OPEN ||
		       command == BTF_LOAD || command == LINK_CREATE);
}

static void add_object(struct objects *made, enum object_kind kind, uint32_t id)
{
	struct object *larger = realloc(made->items, (made->n + 1) * sizeof(*larger));

	if (!larger)
		abort();
	made->items = larger;
	larger[made->n++] = (struct object){kind, id};
}

/* What /proc says of a new descriptor: "map_id:", "link_id:" (before the "prog_id:" of its
 * program). */
static void note_object(struct run *r, pid_t tid, long fd)
{
	static const char *const fields[] = {[OBJECT_MAP] = "map_id:",
		[OBJECT_LINK] = "link_id:",
		[OBJECT_PROGRAM] = "prog_id:",
		[OBJECT_BTF] = "btf_id:"};
	static const enum object_kind order[] = {
		OBJECT_MAP, OBJECT_LINK, OBJECT_PROGRAM, OBJECT_BTF};
	char path[64], text[2048];
	ssize_t n;
	int file;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%ld", tid, fd);
	file = open(path, O_RDONLY | O_CLOEXEC);
	n = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
	close(file);
	if (n <= 0)
		return;
	text[n] = '\0';
	for (size_t i = 0; i < N_OBJECT_KINDS; i++) {
		const char *at = strstr(text, fields[order[i]]);

		if (at) {
			add_object(r->made, order[i],
				(uint32_t)strtoul(at + strlen(fields[order[i]]), NULL, 10));
			return;
		}
	}
}

/*
 * brk(2) has no errors: what it cannot do leaves the break where it is, as brk(0) does. Any other
 * call is replaced by one that does not exist, and then given its error.
 */
static void set_registers(struct task *task, int error)
{
#ifdef __x86_64__
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, task->tid, 0, &registers))
		return;
	if (!task->inside) {
		task->argument = registers.rdi;
		task->is_brk = registers.orig_rax == SYS_brk;
	}
	if (task->is_brk)
		registers.rdi = task->inside ? task->argument : 0;
	else if (!task->inside)
		registers.orig_rax = (unsigned long long)-1;
	else
		registers.rax = (unsigned long long)-error;
	ptrace(PTRACE_SETREGS, task->tid, 0, &registers);
#else
	(void)task, (void)error;
	abort();
#endif
}

static void strike_now(struct run *r, struct task *task)
{
	if (r->strike->kind == STRIKE_KILL)
		kill_all(r);
	else if (r->strike->kind == STRIKE_STOP)
		r->strike->stop(r->strike->context);
	else
		set_registers(task, r->strike->error);
}

static void entered(struct run *r, struct task *task, const struct __ptrace_syscall_info *info)
{
	const struct strike *s = r->strike;

	r->started |= info->entry.nr == SYS_execve;
	if (!r->started)
		return;
	task->is_bpf = r->made && returns_object(info);
	task->struck = matches(s, info) && ++r->out->calls == s->at && s->kind != STRIKE_NONE;
	if (task->struck) {
		r->out->hit = true;
		call_name(info, r->out->name, sizeof(r->out->name));
		if (!s->after)
			strike_now(r, task);
		task->struck = s->after || s->kind == STRIKE_ERROR;
	}
	task->inside = true;
}

static void left(struct run *r, struct task *task, const struct __ptrace_syscall_info *info)
{
	if (task->is_bpf && !info->exit.is_error)
		note_object(r, task->tid, (long)info->exit.rval);
	if (task->struck)
		strike_now(r, task);
	task->struck = task->inside = task->is_bpf = false;
}

static void stopped_at_call(struct run *r, struct task *task)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		entered(r, task, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT && task->inside)
		left(r, task, &info);
}

/* One report of a thread. */
static void handle(struct run *r, pid_t tid, int status)
{
	struct task *task = task_of(r, tid);
	int signal = 0;

	if (WIFEXITED(status) || WIFSIGNALED(status)) {
		if (tid == r->first)
			r->out->status =
				WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		forget(r, tid);
		return;
	}
	if (!task) {
		kill_all(r);
		return;
	}
	if (WSTOPSIG(status) == SYSCALL_STOP)
		stopped_at_call(r, task);
	else if (status >> 16 == 0 && WSTOPSIG(status) != SIGTRAP)
		signal = WSTOPSIG(status);
	ptrace(PTRACE_SYSCALL, tid, 0, signal);
}

static void follow(struct run *r)
{
	while (r->n_tasks > 0) {
		int status;
		pid_t tid = waitpid(-1, &status, __WALL);

		if (tid < 0 && errno != EINTR)
			return;
		if (tid > 0)
			handle(r, tid, status);
	}
}

static void read_output(int fd, struct struck *out)
{
	off_t size = lseek(fd, 0, SEEK_END), room = sizeof(out->output) - 1;
	ssize_t n = pread(fd, out->output, (size_t)room, size > room ? size - room : 0);

	out->output[n > 0 ? n : 0] = '\0';
}

static pid_t start(char *const argv[], int output_fd)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		dup2(output_fd, 1);
		dup2(output_fd, 2);
		raise(SIGSTOP);
		execvp(argv[0], argv);
		dprintf(2, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, WUNTRACED) != child)
		return -1;
	if (ptrace(PTRACE_SEIZE, child, 0, OPTIONS | PTRACE_O_TRACEEXEC)) {
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		return -1;
	}
	/* the next call it makes is execve */
	kill(child, SIGCONT);
	return child;
}

bool kill_at_run(
	char *const argv[], const struct strike *strike, struct objects *made, struct struck *out)
{
	struct run run = {.strike = strike, .made = made, .out = out};
	int fd = (int)syscall(SYS_memfd_create, "output", 1u);

	*out = (struct struck){.status = -1};
	run.first = fd < 0 ? -1 : start(argv, fd);
	if (run.first < 0)
		return false;
	task_of(&run, run.first);
	follow(&run);
	read_output(fd, out);
	close(fd);
	return true;
}
