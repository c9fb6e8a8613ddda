/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Machines: qemu started, its console watched, ended in time; several side by side. */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../runtime/bundle.h"
#include "../../runtime/cleanup.h"

#define QEMU "qemu-system-x86_64"
/* lsm=: Debian's kernels have BPF's security module but do not start it */
#define KERNEL_ARGUMENTS "console=ttyS0 quiet panic=1 lsm=lockdown,capability,bpf -- "
#define CONSOLE_MAX ((size_t)256 << 10)
#define CONSOLE_LINES 12 /* of a failure */
#define ANSWER_MAX ((size_t)512 << 20)
#define POWER_OFF_S 10 /* from the answer on */
#define KVM_BOOT_S 30  /* a kernel that runs natively is up by then */

struct machine {
	struct polc_vm_question *question; /* NULL: free */
	pid_t pid;
	int console, answer;
	uint64_t start_ns, done_ns; /* done: all has been said */
	struct polc_buf text;       /* of the console */
	bool timed_out;
	bool kvm, broken; /* broken: the accelerator has given up */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* ---- the machine's root ---- */

static int write_fd(void *context, const void *data, size_t size)
{
	for (const char *p = data; size;) {
		ssize_t n = write(*(const int *)context, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

/* An fd of memory with the archive, or -errno. */
static int make_root(const struct polc_vm_question *q, const void *init, size_t init_size)
{
	static const struct polb_cpio_entry fixed[] = {{"dev", POLB_CPIO_DIRECTORY, NULL, 0},
		{"dev/console", POLB_CPIO_CONSOLE, NULL, 0}, {"proc", POLB_CPIO_DIRECTORY, NULL, 0},
		{"sys", POLB_CPIO_DIRECTORY, NULL, 0}, {"tmp", POLB_CPIO_DIRECTORY, NULL, 0}};
	POLB_FD fd = memfd_create("root", MFD_CLOEXEC);
	struct polb_cpio_writer w = {.write = write_fd, .context = &fd};
	int err;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(fixed); i++)
		polb_cpio_add(&w, &fixed[i]);
	polb_cpio_add(&w, &(struct polb_cpio_entry){"init", POLB_CPIO_PROGRAM, init, init_size});
	for (size_t i = 0; i < q->n_files; i++)
		polb_cpio_add(&w, &q->files[i]);
	err = polb_cpio_end(&w);
	return err ? err : polb_take_fd(&fd);
}

/* ---- one machine ---- */

static bool has_kvm(void)
{
	POLB_FD fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	return fd >= 0;
}

/* In the child. The descriptors stay open: qemu knows them by their paths in /proc. */
_Noreturn static void become_qemu(const struct machine *m, int root, int console, int failed)
{
	const struct polc_vm_question *q = m->question;
	char root_path[32], chardev[64], arguments[sizeof(KERNEL_ARGUMENTS) + 16];
	int err;

	snprintf(root_path, sizeof(root_path), "/proc/self/fd/%d", root);
	snprintf(chardev, sizeof(chardev), "file,id=answer,path=/proc/self/fd/%d", m->answer);
	snprintf(arguments, sizeof(arguments), KERNEL_ARGUMENTS "%.15s", q->word);
	const char *const words[] = {QEMU, "-accel", m->kvm ? "kvm" : "tcg,thread=multi", "-cpu",
		"max", "-smp", "2", "-m", "1024", "-display", "none", "-monitor", "none", "-nic",
		"none", "-no-reboot", "-serial", "stdio", "-chardev", chardev, "-serial",
		"chardev:answer", "-kernel", q->kernel.path, "-initrd", root_path, "-append",
		arguments, NULL};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fcntl(root, F_SETFD, 0);
	fcntl(m->answer, F_SETFD, 0);
	dup2(open("/dev/null", O_RDONLY), 0);
	dup2(console, 1);
	dup2(console, 2);
	execvp(QEMU, (char *const *)words);
	err = errno;
	if (write(failed, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

/* 0, or -errno: the program could not be started. */
static int start_qemu(struct machine *m, int root, int console)
{
	int ends[2], err = 0;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	m->pid = fork();
	if (m->pid == 0)
		become_qemu(m, root, console, ends[1]);
	close(ends[1]);
	if (m->pid < 0)
		err = errno;
	else if (read(ends[0], &err, sizeof(err)) != sizeof(err))
		err = 0;
	close(ends[0]);
	if (err && m->pid > 0)
		waitpid(m->pid, NULL, 0);
	return -err;
}

static int start(
	struct machine *m, struct polc_vm_question *q, bool kvm, const void *init, size_t init_size)
{
	POLB_FD root = make_root(q, init, init_size);
	POLB_FD answer = memfd_create("answer", MFD_CLOEXEC);
	int ends[2], err;

	if (root < 0)
		return root;
	if (answer < 0 || pipe2(ends, O_CLOEXEC))
		return -errno;
	*m = (struct machine){.question = q,
		.console = ends[0],
		.answer = answer,
		.start_ns = now_ns(),
		.kvm = kvm,
		.text.arena = m->text.arena};
	err = start_qemu(m, root, ends[1]);
	close(ends[1]);
	if (err) {
		close(ends[0]);
		m->question = NULL;
		return err;
	}
	polb_take_fd(&answer);
	return 0;
}

/* ---- what it says ---- */

static void hear(struct machine *m, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n && m->text.n < CONSOLE_MAX; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\n' || (c >= ' ' && c < 0x7f))
			polc_buf_add(&m->text, bytes + i, 1);
	}
}

/* What it does at the moment, by its last line of ours. */
static void last_step(const struct machine *m, char out[80])
{
	const char *step = "starting", *at = m->text.p;

	while (at && (at = strstr(at, "polc: "))) {
		at += 6;
		step = at;
	}
	snprintf(out, 80, "%.*s", (int)strcspn(step, "\n"), step);
}

/* The last lines of the console, from that of a panic on. */
static const char *tail(const struct machine *m, struct polc_arena *arena)
{
	const char *text = m->text.n ? m->text.p : "", *end = text + strlen(text);
	const char *panic = strstr(text, "Kernel panic"), *at;
	struct polc_buf out = {.arena = arena};
	unsigned lines = 0;

	while (end > text && end[-1] == '\n')
		end--;
	for (at = end; at > text && lines < CONSOLE_LINES; at--)
		lines += at[-1] == '\n';
	if (panic && panic < at)
		polc_buf_printf(&out, "\n    %.*s", (int)strcspn(panic, "\n"), panic);
	at += *at == '\n';
	while (at < end) {
		size_t n = strcspn(at, "\n");

		polc_buf_printf(&out, "\n    %.*s", (int)n, at);
		at += n + 1;
	}
	return out.n ? out.p : "\n    (nothing)";
}

static void read_answer(struct machine *m, struct polc_arena *arena)
{
	off_t size = lseek(m->answer, 0, SEEK_END);
	char *data;

	if (size <= 0 || (size_t)size > ANSWER_MAX)
		return;
	data = polc_arena_alloc(arena, (size_t)size + 1);
	if (pread(m->answer, data, (size_t)size, 0) != size)
		return;
	m->question->answer = data;
	m->question->answer_size = (size_t)size;
}

static void explain(struct machine *m, const struct polc_vm_options *options, int status,
	struct polc_arena *arena)
{
	const char *text = m->text.n ? m->text.p : "", *why;

	if (m->broken)
		why = "KVM cannot run this kernel here (--accel tcg emulates)";
	else if (m->timed_out)
		why = polc_arena_printf(arena, "no answer within %u s", options->timeout_s);
	else if (strstr(text, "Kernel panic"))
		why = "the kernel panicked";
	else if (WIFEXITED(status) && WEXITSTATUS(status))
		why = polc_arena_printf(arena, QEMU " ended with status %d", WEXITSTATUS(status));
	else
		why = "the machine ended without an answer";
	m->question->failure =
		polc_arena_printf(arena, "%s; the end of its console:%s", why, tail(m, arena));
}

/* ---- all of them ---- */

#define MAX_MACHINES 8

struct fleet {
	const struct polc_vm_options *options;
	struct polc_arena *arena;
	struct polc_vm_question *questions;
	size_t n;
	struct machine machines[MAX_MACHINES];
	unsigned n_machines;
	void *init;
	size_t init_size;
	bool kvm;
};

static bool has_booted(const struct machine *m)
{
	return m->text.n && strstr(m->text.p, "polc: booted");
}

/* KVM inside another machine may start and then fail: what it has not answered is emulated. */
static bool asks_again(struct fleet *f, const struct machine *m)
{
	if (!m->kvm || f->options->accelerator != POLC_ACCEL_AUTO || (has_booted(m) && !m->broken))
		return false;
	f->kvm = false;
	return true;
}

static void end(struct fleet *f, struct machine *m)
{
	int status = 0;

	while (waitpid(m->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (m->done_ns)
		read_answer(m, f->arena);
	if (!m->question->answer && asks_again(f, m))
		m->question->asked = false;
	else if (!m->question->answer)
		explain(m, f->options, status, f->arena);
	close(m->console);
	close(m->answer);
	m->question = NULL;
}

/* False at the end of the console: qemu is gone. */
static bool listen_to(struct machine *m)
{
	char bytes[4096];
	ssize_t n = read(m->console, bytes, sizeof(bytes));

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0)
		return false;
	hear(m, bytes, (size_t)n);
	if (!m->done_ns && m->text.n && strstr(m->text.p, "polc: done"))
		m->done_ns = now_ns();
	if (m->kvm && !m->broken && m->text.n && strstr(m->text.p, "KVM internal error")) {
		m->broken = true; /* the machine stands still */
		kill(m->pid, SIGKILL);
	}
	return true;
}

/* One that does not come up with KVM will not, when another did not either. */
static bool kvm_fails(const struct fleet *f, const struct machine *m, uint64_t now)
{
	return m->kvm && f->options->accelerator == POLC_ACCEL_AUTO && !has_booted(m) &&
	       (!f->kvm || now - m->start_ns > KVM_BOOT_S * 1000000000ull);
}

static void watch_time(const struct fleet *f, struct machine *m)
{
	uint64_t now = now_ns();

	if (m->done_ns && now - m->done_ns > POWER_OFF_S * 1000000000ull) {
		kill(m->pid, SIGKILL);
	} else if (!m->done_ns && now - m->start_ns > f->options->timeout_s * 1000000000ull) {
		m->timed_out = true;
		kill(m->pid, SIGKILL);
	} else if (kvm_fails(f, m, now)) {
		m->broken = true;
		kill(m->pid, SIGKILL);
	}
}

static void show(const struct fleet *f, const struct machine *m)
{
	char step[80];

	if (!f->options->progress)
		return;
	last_step(m, step);
	f->options->progress(f->options->context, m->question->kernel.release, step,
		(unsigned)((now_ns() - m->start_ns) / 1000000000ull));
}

static void attend(struct fleet *f)
{
	struct pollfd fds[MAX_MACHINES];

	for (unsigned i = 0; i < f->n_machines; i++)
		fds[i] =
			(struct pollfd){.fd = f->machines[i].question ? f->machines[i].console : -1,
				.events = POLLIN};
	if (poll(fds, f->n_machines, 500) < 0)
		return;
	for (unsigned i = 0; i < f->n_machines; i++) {
		struct machine *m = &f->machines[i];

		if (!m->question)
			continue;
		show(f, m);
		if (fds[i].revents && !listen_to(m))
			end(f, m);
		else
			watch_time(f, m);
	}
}

static struct machine *free_machine(struct fleet *f)
{
	for (unsigned i = 0; i < f->n_machines; i++)
		if (!f->machines[i].question)
			return &f->machines[i];
	return NULL;
}

static struct polc_vm_question *next_question(struct fleet *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (!f->questions[i].asked)
			return &f->questions[i];
	return NULL;
}

static bool any_running(const struct fleet *f)
{
	for (unsigned i = 0; i < f->n_machines; i++)
		if (f->machines[i].question)
			return true;
	return false;
}

static int report_start(int err)
{
	if (err == -ENOENT)
		polc_environment_error(QEMU
			" not found: install it (Debian: qemu-system-x86) to ask kernel images");
	else
		polc_environment_error("cannot start " QEMU ": %s", strerror(-err));
	return err;
}

static int start_some(struct fleet *f)
{
	struct polc_vm_question *q;
	struct machine *m;
	int err = 0;

	while (!err && (m = free_machine(f)) && (q = next_question(f))) {
		q->asked = true;
		m->text.arena = f->arena;
		err = start(m, q, f->kvm, f->init, f->init_size);
	}
	return err ? report_start(err) : 0;
}

static void stop_all(struct fleet *f)
{
	for (unsigned i = 0; i < f->n_machines; i++)
		if (f->machines[i].question) {
			kill(f->machines[i].pid, SIGKILL);
			end(f, &f->machines[i]);
		}
}

int polc_vm_ask(struct polc *polc, const struct polc_vm_options *options,
	struct polc_vm_question *questions, size_t n)
{
	POLB_FREE void *init = NULL;
	size_t init_size = 0;
	int err = polb_file_read(options->polload, &init, &init_size);
	struct fleet f = {.options = options,
		.arena = &polc->arena,
		.questions = questions,
		.n = n,
		.n_machines = options->jobs < MAX_MACHINES ? options->jobs : MAX_MACHINES,
		.init = init,
		.init_size = init_size,
		.kvm = options->accelerator == POLC_ACCEL_KVM ||
		       (options->accelerator == POLC_ACCEL_AUTO && has_kvm())};

	if (err)
		polc_environment_error("cannot read %s: %s", options->polload, strerror(-err));
	while (!err && (next_question(&f) || any_running(&f))) {
		err = start_some(&f);
		if (!err)
			attend(&f);
	}
	stop_all(&f);
	return err;
}
