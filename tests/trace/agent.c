/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the tracing tests need on any kernel, in one static program: system calls by name with
 * arguments from the command line, whole little scenes (connect, exec as another user, ...), and
 * loops that are measured. Knows nothing of policies.
 *
 *   agent call NAME ARG...      one system call; prints "NAME RESULT ERRNO"
 *   agent times N call NAME ... the same N times; prints how often it failed with which errno
 *   agent exec PATH ARG...      execve in a child; prints "exec STATUS" or "exec signal N"
 *   agent child COMMAND...      the command in a forked child (no exec); prints its end likewise
 *   agent thread COMMAND...     the command in a second thread
 *   agent uid N COMMAND...      with all user ids set to N
 *   agent caps MASK COMMAND...  with only these effective and permitted capabilities
 *   agent capset E P            sets effective and permitted capabilities; prints the result
 *   agent unshare FLAGS COMMAND...      (a new pid namespace: in a child)
 *   agent unshare-only FLAGS COMMAND... (in the caller)
 *   agent cgroup PATH COMMAND...
 *   agent wait FILE COMMAND...  once the file exists
 *   agent tcp|udp ADDR PORT, unix PATH|@NAME, file read|write|truncate|map PATH, probe N TEXT
 *   agent bench WHAT N          minimum nanoseconds per WHAT: open, read, connect, exec, getpid
 *   agent hammer N NAME ARG...  N processes do the call until a file /tmp/stop exists; prints
 * counts agent urgent COMMAND...     the command with real-time priority: it preempts whoever runs
 *
 * Arguments of call: a number (any base), s:TEXT (pointer to it, \0 \n are understood), b:SIZE
 * (buffer of zeros), f:PATH (descriptor, opened read-write or read-only), r:PATH (read-only),
 * d:PATH (O_PATH directory), i:A,B (pointer to 64-bit numbers), 4:ADDR:PORT and 6:ADDR:PORT
 * (sockaddr), u:PATH and a:NAME (unix, abstract), l:SIZE (size of the last sockaddr when SIZE is
 * -), t (a TCP socket), p:TEXT (a pipe that holds it), v:A,B (iovec of these texts).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

/* name, number */
static const struct {
	const char *name;
	long number;
} calls[] = {
#define C(name)                                                                                    \
	{                                                                                          \
#name, SYS_##name                                                                  \
	}
	C(read),
	C(write),
	C(open),
	C(close),
	C(stat),
	C(lseek),
	C(mmap),
	C(mprotect),
	C(munmap),
	C(pread64),
	C(pwrite64),
	C(readv),
	C(writev),
	C(access),
	C(pipe),
	C(dup),
	C(dup2),
	C(dup3),
	C(getpid),
	C(getppid),
	C(socket),
	C(connect),
	C(sendto),
	C(bind),
	C(listen),
	C(kill),
	C(fcntl),
	C(truncate),
	C(ftruncate),
	C(chdir),
	C(rename),
	C(mkdir),
	C(rmdir),
	C(creat),
	C(link),
	C(unlink),
	C(symlink),
	C(readlink),
	C(chmod),
	C(chown),
	C(umask),
	C(getuid),
	C(setuid),
	C(setgid),
	C(setreuid),
	C(setresuid),
	C(capset),
	C(ptrace),
	C(prctl),
	C(chroot),
	C(mount),
	C(umount2),
	C(sethostname),
	C(init_module),
	C(finit_module),
	C(delete_module),
	C(setns),
	C(unshare),
	C(openat),
	C(mkdirat),
	C(unlinkat),
	C(renameat),
	C(linkat),
	C(symlinkat),
	C(fchmodat),
	C(fchownat),
	C(openat2),
	C(bpf),
	C(memfd_create),
	C(clock_settime),
	C(settimeofday),
	C(pivot_root),
	C(setxattr),
	C(getxattr),
	C(perf_event_open),
	C(sched_yield),
	C(pause),
	C(execve),
	C(nanosleep),
	C(clone),
	C(setpriority),
	C(alarm),
	C(sysinfo),
	C(getcwd),
	C(ioctl),
	C(fchdir),
	C(fsync),
#undef C
};

static size_t last_size; /* of the last sockaddr */

static int fail(const char *what)
{
	printf("error %s: %s\n", what, strerror(errno));
	exit(99);
}

static char *unescape(const char *text, size_t *n)
{
	char *out = malloc(strlen(text) + 2), *to = out;

	for (; *text; text++) {
		if (*text == '\\' && text[1]) {
			text++;
			*to++ = *text == '0' ? '\0' : *text == 'n' ? '\n' : *text;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
	*n = (size_t)(to - out);
	return out;
}

static void *ipv4(char *text)
{
	struct sockaddr_in *a = calloc(1, sizeof(*a));
	char *port = strrchr(text, ':');

	*port++ = '\0';
	a->sin_family = AF_INET;
	a->sin_port = htons((uint16_t)atoi(port));
	if (inet_pton(AF_INET, text, &a->sin_addr) != 1)
		fail(text);
	last_size = sizeof(*a);
	return a;
}

static void *ipv6(char *text)
{
	struct sockaddr_in6 *a = calloc(1, sizeof(*a));
	char *port = strrchr(text, ':');

	*port++ = '\0';
	a->sin6_family = AF_INET6;
	a->sin6_port = htons((uint16_t)atoi(port));
	if (inet_pton(AF_INET6, text, &a->sin6_addr) != 1)
		fail(text);
	last_size = sizeof(*a);
	return a;
}

static void *unix_address(const char *text, bool abstract)
{
	struct sockaddr_un *a = calloc(1, sizeof(*a));

	a->sun_family = AF_UNIX;
	snprintf(a->sun_path + abstract, sizeof(a->sun_path) - 1, "%s", text);
	last_size = offsetof(struct sockaddr_un, sun_path) + abstract + strlen(text) + !abstract;
	return a;
}

static int open_any(const char *path)
{
	int fd = open(path, O_RDWR);

	if (fd < 0)
		fd = open(path, O_RDONLY);
	return fd < 0 ? fail(path) : fd;
}

static int pipe_with(const char *text)
{
	int ends[2];

	if (pipe(ends) || write(ends[1], text, strlen(text)) < 0)
		fail("pipe");
	return ends[0];
}

static void *vector(char *text)
{
	struct iovec *v = calloc(16, sizeof(*v));
	size_t n = 0;

	for (char *part = strtok(text, ","); part && n < 16; part = strtok(NULL, ","))
		v[n++] = (struct iovec){part, strlen(part)};
	return v;
}

static void *numbers(char *text)
{
	uint64_t *v = calloc(64, sizeof(*v));
	size_t n = 0;

	for (char *part = strtok(text, ","); part && n < 64; part = strtok(NULL, ","))
		v[n++] = strtoull(part, NULL, 0);
	return v;
}

static long argument(const char *word)
{
	char *text = strdup(word[0] && word[1] == ':' ? word + 2 : word);
	size_t n;

	if (!strcmp(word, "t"))
		return socket(AF_INET, SOCK_STREAM, 0);
	if (!strcmp(word, "l:-"))
		return (long)last_size;
	if (!word[0] || word[1] != ':')
		return (long)strtoull(word, NULL, 0);
	switch (word[0]) {
	case 's':
		return (long)unescape(text, &n);
	case 'b':
		return (long)calloc(1, strtoul(text, NULL, 0));
	case 'f':
		return open_any(text);
	case 'r':
		return open(text, O_RDONLY);
	case 'd':
		return open(text, O_PATH | O_DIRECTORY);
	case 'i':
		return (long)numbers(text);
	case '4':
		return (long)ipv4(text);
	case '6':
		return (long)ipv6(text);
	case 'u':
		return (long)unix_address(text, false);
	case 'a':
		return (long)unix_address(text, true);
	case 'p':
		return pipe_with(text);
	case 'v':
		return (long)vector(text);
	default:
		return (long)strtoull(word, NULL, 0);
	}
}

static long number_of(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!strcmp(calls[i].name, name))
			return calls[i].number;
	errno = ENOSYS;
	return fail(name);
}

struct call {
	long number, arguments[6];
};

static struct call call_parse(char **words)
{
	struct call call = {.number = number_of(words[0])};

	for (int i = 0; i < 6 && words[1 + i]; i++)
		call.arguments[i] = argument(words[1 + i]);
	return call;
}

static long call_do(const struct call *call)
{
	const long *a = call->arguments;

	return syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static int run(char **words);

static int do_call(char **words)
{
	struct call call = call_parse(words);
	long result;

	errno = 0;
	result = call_do(&call);
	printf("%s %ld %d\n", words[0], result, result < 0 ? errno : 0);
	return result < 0;
}

static int do_times(char **words)
{
	long n = atol(words[0]), failed = 0;
	struct call call = call_parse(words + 2);
	int last = 0;

	for (long i = 0; i < n; i++)
		if (call_do(&call) < 0) {
			failed++;
			last = errno;
		}
	printf("times %ld failed %ld errno %d\n", n, failed, last);
	return 0;
}

static int report(const char *what, pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) < 0)
		fail("waitpid");
	if (WIFSIGNALED(status))
		printf("%s signal %d\n", what, WTERMSIG(status));
	else
		printf("%s %d\n", what, WEXITSTATUS(status));
	return 0;
}

static int do_exec(char **words)
{
	pid_t pid = fork();

	if (!pid) {
		execv(words[0], words);
		_exit(errno == EPERM ? 201 : errno == EACCES ? 202 : 200);
	}
	return report("exec", pid);
}

static int do_child(char **words)
{
	fflush(stdout);
	pid_t pid = fork();

	if (!pid) {
		int status = run(words);

		fflush(stdout);
		_exit(status);
	}
	return report("child", pid);
}

static void *thread(void *words)
{
	return (void *)(long)run(words);
}

static int do_thread(char **words)
{
	pthread_t id;
	void *status;

	if (pthread_create(&id, NULL, thread, words) || pthread_join(id, &status))
		return fail("thread");
	return (int)(long)status;
}

static int do_uid(char **words)
{
	uid_t uid = (uid_t)atoi(words[0]);

	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		return fail("setresuid");
	return run(words + 1);
}

static long set_caps(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = (uint32_t)effective, .permitted = (uint32_t)permitted},
		{.effective = (uint32_t)(effective >> 32),
			.permitted = (uint32_t)(permitted >> 32)}};

	return syscall(SYS_capset, &header, data);
}

static int do_caps(char **words)
{
	uint64_t mask = strtoull(words[0], NULL, 0);

	if (set_caps(mask, mask))
		return fail("capset");
	return run(words + 1);
}

static int do_capset(char **words)
{
	long result = set_caps(strtoull(words[0], NULL, 0), strtoull(words[1], NULL, 0));

	printf("capset %ld %d\n", result, result ? errno : 0);
	return result != 0;
}

/* The command once a file exists. */
static int do_wait(char **words)
{
	while (access(words[0], F_OK))
		usleep(20000);
	return run(words + 1);
}

static int do_unshare(char **words)
{
	int flags = (int)strtol(words[0], NULL, 0);

	if (unshare(flags))
		return fail("unshare");
	if (flags & CLONE_NEWPID)
		return do_child(words + 1);
	return run(words + 1);
}

static int do_unshare_only(char **words)
{
	if (unshare((int)strtol(words[0], NULL, 0)))
		return fail("unshare");
	return run(words + 1);
}

static int do_cgroup(char **words)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", words[0]);
	mkdir(path, 0755);
	strcat(path, "/cgroup.procs");
	file = fopen(path, "w");
	if (!file || fprintf(file, "%d\n", getpid()) < 0 || fclose(file))
		return fail(path);
	return run(words + 1);
}

/* A whole TCP connection to itself: listens on PORT, connects, accepts, sends, closes. */
static int do_tcp(char **words)
{
	bool six = strchr(words[0], ':') != NULL;
	char text[128];
	int listener = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM, 0), client, server, one = 1;
	struct sockaddr *address;

	snprintf(text, sizeof(text), "%s:%s", words[0], words[1]);
	address = six ? ipv6(text) : ipv4(text);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, address, (socklen_t)last_size) || listen(listener, 5))
		return fail("listen");
	client = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	if (connect(client, address, (socklen_t)last_size)) {
		printf("tcp -1 %d\n", errno);
		return 1;
	}
	server = accept(listener, NULL, NULL);
	if (server < 0 || write(client, "hello", 5) != 5)
		return fail("accept");
	close(client);
	close(server);
	close(listener);
	printf("tcp 0 0\n");
	return 0;
}

static int do_udp(char **words)
{
	bool six = strchr(words[0], ':') != NULL;
	int fd = socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
	struct sockaddr *address;
	char text[128];
	ssize_t n;

	snprintf(text, sizeof(text), "%s:%s", words[0], words[1]);
	address = six ? ipv6(text) : ipv4(text);
	n = sendto(fd, "hello", 5, 0, address, (socklen_t)last_size);
	printf("udp %zd %d\n", n, n < 0 ? errno : 0);
	return n < 0;
}

static int do_unix(char **words)
{
	bool abstract = words[0][0] == '@';
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr *address = unix_address(words[0] + abstract, abstract);
	int result;

	if (bind(listener, address, (socklen_t)last_size) || listen(listener, 1))
		return fail("bind");
	result = connect(client, address, (socklen_t)last_size);
	printf("unix %d %d\n", result, result ? errno : 0);
	return result != 0;
}

/* Reads, writes or maps a file; the word is what the last step gave. */
static int do_file(char **words)
{
	const char *how = words[0];
	int fd = open(words[1], strcmp(how, "read") ? O_RDWR | O_CREAT : O_RDONLY, 0644);
	char buffer[64];
	long result;

	if (fd < 0) {
		printf("file -1 %d\n", errno);
		return 1;
	}
	errno = 0;
	if (!strcmp(how, "read"))
		result = read(fd, buffer, sizeof(buffer)) < 0 ? -1 : 0;
	else if (!strcmp(how, "write"))
		result = write(fd, "written", 7) < 0 ? -1 : 0;
	else if (!strcmp(how, "truncate"))
		result = truncate(words[1], 0);
	else if (!strcmp(how, "map"))
		result = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED
				 ? -1
				 : 0;
	else
		result = 0;
	printf("file %ld %d\n", result, result ? errno : 0);
	return result != 0;
}

/* For uprobes: not inlined, with a known name and a result. */
__attribute__((noinline)) long agent_probe(long a, const char *text, int c);
__attribute__((noinline)) long agent_probe(long a, const char *text, int c)
{
	__asm__ volatile("" ::: "memory");
	return a + c + (text ? text[0] : 0);
}

static int do_probe(char **words)
{
	long a = strtol(words[0], NULL, 0), n;
	volatile int target = 7;

	n = agent_probe(a, words[1], 5);
	PROBE("polctest", "event", "-8@%%rax -4@%%ebx 8@%%rcx", a, 42, words[1]);
	PROBE("polctest", "memory", "-4@(%%rax) 4@%%ebx", &target, 0, 0);
	printf("probe %ld %d\n", n, target);
	return 0;
}

static long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void once(const char *what, int fd, const struct sockaddr_in *address)
{
	char byte;

	if (!strcmp(what, "open")) {
		close(open("/tmp/bench-file", O_RDONLY));
	} else if (!strcmp(what, "read")) {
		(void)!pread(fd, &byte, 1, 0);
	} else if (!strcmp(what, "connect")) {
		int s = socket(AF_INET, SOCK_STREAM, 0);

		connect(s, (const struct sockaddr *)address, sizeof(*address));
		close(s);
	} else if (!strcmp(what, "exec")) {
		pid_t pid = vfork();

		if (!pid) {
			execl("/test/agent", "agent", "nothing", NULL);
			_exit(1);
		}
		waitpid(pid, NULL, 0);
	} else {
		syscall(SYS_getppid);
	}
}

static int compare(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

/* Prints the minimum and the median in ns; under -icount that is guest instructions. */
static int do_bench(char **words)
{
	long n = atol(words[1]), *ns = calloc((size_t)n, sizeof(*ns));
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = open("/tmp/bench-file", O_RDWR | O_CREAT, 0644);

	if (fd < 0 || write(fd, "x", 1) != 1)
		return fail("bench-file");
	for (long i = 0; i < n; i++) {
		long start = now_ns();

		once(words[0], fd, &address);
		ns[i] = now_ns() - start;
	}
	qsort(ns, (size_t)n, sizeof(*ns), compare);
	printf("bench %s min %ld median %ld\n", words[0], ns[0], ns[n / 2]);
	return 0;
}

/* Does the call until /tmp/stop exists; counts results by errno (0: it was not refused). */
static void hammer(char **words, unsigned long counts[200])
{
	struct call call = call_parse(words);
	unsigned long n = 0;

	while (n++ % 256 || access("/tmp/stop", F_OK)) {
		long result = call_do(&call);

		__atomic_fetch_add(
			&counts[result < 0 && errno < 200 ? errno : 0], 1, __ATOMIC_RELAXED);
		if (result > 2 && (call.number == SYS_openat || call.number == SYS_dup))
			close((int)result);
	}
}

static int do_hammer(char **words)
{
	unsigned long *counts = mmap(NULL, 200 * sizeof(*counts), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (int i = atoi(words[0]); i > 0; i--)
		if (fork() == 0) {
			hammer(words + 1, counts);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	printf("hammer");
	for (size_t i = 0; i < 200; i++)
		if (counts[i])
			printf(" %zu:%lu", i, counts[i]);
	printf("\n");
	return 0;
}

static int do_urgent(char **words)
{
	if (sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = 10})) {
		perror("urgent");
		return 97;
	}
	execvp(words[0], words);
	perror(words[0]);
	return 97;
}

static const struct {
	const char *name;
	int min_words;
	int (*run)(char **words);
} commands[] = {
	{"call", 1, do_call},
	{"times", 3, do_times},
	{"exec", 1, do_exec},
	{"child", 1, do_child},
	{"thread", 1, do_thread},
	{"uid", 2, do_uid},
	{"caps", 2, do_caps},
	{"capset", 2, do_capset},
	{"wait", 2, do_wait},
	{"unshare", 2, do_unshare},
	{"unshare-only", 2, do_unshare_only},
	{"unix", 1, do_unix},
	{"cgroup", 2, do_cgroup},
	{"tcp", 2, do_tcp},
	{"udp", 2, do_udp},
	{"file", 2, do_file},
	{"probe", 2, do_probe},
	{"bench", 2, do_bench},
	{"hammer", 2, do_hammer},
	{"urgent", 1, do_urgent},
};

static int run(char **words)
{
	int n = 0;

	while (words[n])
		n++;
	if (n && !strcmp(words[0], "nothing"))
		return 0;
	if (n && !strcmp(words[0], "pid")) {
		printf("pid %d\n", getpid());
		return n > 1 ? run(words + 1) : 0;
	}
	if (n > 1 && !strcmp(words[0], "sleep")) {
		usleep((useconds_t)(atof(words[1]) * 1e6));
		return n > 2 ? run(words + 2) : 0;
	}
	for (size_t i = 0; n && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, words[0]) && n > commands[i].min_words)
			return commands[i].run(words + 1);
	printf("error usage: %s\n", n ? words[0] : "");
	return 98;
}

int main(int argc, char **argv)
{
	(void)argc;
	setvbuf(stdout, NULL, _IOLBF, 0);
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}); /* maps, 5.10 */
	return run(argv + 1);
}
