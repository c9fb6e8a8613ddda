/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the live test needs on any kernel, in one static program: namespaces and veth pairs,
 * servers, clients whose single word of output says what happened to the traffic, connections that
 * stay open between steps, and a look at pinned BPF objects. Knows nothing of policies.
 *
 *   agent [-n PID] [-c CGROUP] COMMAND...    in that process's network namespace, in that cgroup
 *
 * Words: ok, refused, timeout, eperm, reset, unreachable, or "error: ...".
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_DATAGRAM 65507
#define MAX_CONNECTIONS 32
#define TOKEN_BYTES 8

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
	exit(3);
}

static const char *word_of(int error)
{
	static char other[64];

	switch (error) {
	case 0:
		return "ok";
	case ECONNREFUSED:
		return "refused";
	case EAGAIN:
	case EINPROGRESS:
	case ETIMEDOUT:
		return "timeout";
	case EPERM:
		return "eperm";
	case EPIPE:
	case ECONNRESET:
		return "reset";
	case ENETUNREACH:
	case EHOSTUNREACH:
		return "unreachable";
	default:
		snprintf(other, sizeof(other), "error: %s", strerror(error));
		return other;
	}
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 0, or the errno that stands for what happened; ETIMEDOUT after `deadline_ms`. */
static int wait_for(int fd, short events, int64_t deadline_ms)
{
	struct pollfd p = {.fd = fd, .events = events};
	int64_t left = deadline_ms - now_ms();
	int error = 0;
	socklen_t size = sizeof(error);

	if (left < 0 || poll(&p, 1, (int)left) <= 0)
		return ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

struct address {
	struct sockaddr_storage storage;
	socklen_t size;
	int family;
};

static struct address parse_address(const char *text, const char *port)
{
	struct address a = {0};
	struct sockaddr_in *in = (void *)&a.storage;
	struct sockaddr_in6 *in6 = (void *)&a.storage;

	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		a.family = AF_INET;
		a.size = sizeof(*in);
		in->sin_port = htons((uint16_t)atoi(port));
	} else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		a.family = AF_INET6;
		a.size = sizeof(*in6);
		in6->sin6_port = htons((uint16_t)atoi(port));
	} else {
		errno = EINVAL;
		die(text);
	}
	a.storage.ss_family = (sa_family_t)a.family;
	return a;
}

/* --- namespaces, cgroups, links --------------------------------------------------------------- */

static void enter_netns(const char *pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

static void enter_cgroup(const char *dir)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die(path);
	close(fd);
}

/* Goes to the background once everything that can fail has been done; prints the new process. */
static void detach(void)
{
	pid_t pid = fork();
	int null;

	if (pid < 0)
		die("fork");
	if (pid > 0) {
		printf("%d\n", pid);
		exit(0);
	}
	setsid();
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	/* an inherited lock or pipe would make somebody wait for us */
	for (int fd = 3; fd < 10; fd++) {
		struct sockaddr_storage any;
		socklen_t size = sizeof(any);

		if (getsockname(fd, (void *)&any, &size))
			close(fd);
	}
}

/* hold: a new network namespace, kept by a background process whose number is printed */
static int cmd_hold(char **args)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd;

	(void)args;
	if (unshare(CLONE_NEWNET))
		die("unshare");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo))
		die("lo");
	close(fd);
	detach();
	for (;;)
		pause();
}

struct request {
	struct nlmsghdr head;
	struct ifinfomsg link;
	char attributes[512];
};

static struct rtattr *put(struct request *r, unsigned short type, const void *data, size_t size)
{
	struct rtattr *a = (void *)((char *)r + NLMSG_ALIGN(r->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(a), data, size);
	r->head.nlmsg_len = NLMSG_ALIGN(r->head.nlmsg_len) + RTA_ALIGN(a->rta_len);
	return a;
}

static void end_nest(struct request *r, struct rtattr *nest)
{
	nest->rta_len = (unsigned short)((char *)r + r->head.nlmsg_len - (char *)nest);
}

/* veth NAME PEER PID INDEX: a pair, its other end in the namespace of that process; INDEX 0: any */
static int cmd_veth(char **args)
{
	struct request r = {
		.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(r.link)),
			.nlmsg_type = RTM_NEWLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL}};
	struct ifinfomsg other_end = {0};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[1024];
	} answer;
	struct rtattr *info, *data, *peer;
	uint32_t pid = (uint32_t)atoi(args[2]);
	int fd;

	r.link.ifi_index = atoi(args[3]);
	put(&r, IFLA_IFNAME, args[0], strlen(args[0]) + 1);
	info = put(&r, IFLA_LINKINFO, NULL, 0);
	put(&r, IFLA_INFO_KIND, "veth", 4);
	data = put(&r, IFLA_INFO_DATA, NULL, 0);
	peer = put(&r, VETH_INFO_PEER, &other_end, sizeof(other_end));
	put(&r, IFLA_IFNAME, args[1], strlen(args[1]) + 1);
	put(&r, IFLA_NET_NS_PID, &pid, sizeof(pid));
	end_nest(&r, peer);
	end_nest(&r, data);
	end_nest(&r, info);

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0 || send(fd, &r, r.head.nlmsg_len, 0) < 0 ||
		recv(fd, &answer, sizeof(answer), 0) < 0)
		die("netlink");
	errno = -answer.error.error;
	if (errno)
		die("veth");
	return 0;
}

/* --- servers ---------------------------------------------------------------------------------- */

static int listen_on(int type, const char *port)
{
	struct sockaddr_in6 any = {
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port))};
	int off = 0, on = 1, fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
		bind(fd, (void *)&any, sizeof(any)) || (type == SOCK_STREAM && listen(fd, 16)))
		die("listen");
	return fd;
}

static void echo_datagram(int fd)
{
	static char buffer[MAX_DATAGRAM];
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	ssize_t n = recvfrom(fd, buffer, sizeof(buffer), 0, (void *)&from, &size);

	if (n >= 0)
		sendto(fd, buffer, (size_t)n, 0, (void *)&from, size);
}

/* false: the connection is over */
static bool echo_stream(int fd)
{
	char buffer[4096];
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

	return n > 0 && send(fd, buffer, (size_t)n, MSG_NOSIGNAL) == n;
}

static void accept_one(int fd, struct pollfd *p, nfds_t *n)
{
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (client < 0)
		return;
	if (*n == MAX_CONNECTIONS) { /* the oldest has been left behind by a step that cut it */
		close(p[2].fd);
		memmove(&p[2], &p[3], (--*n - 2) * sizeof(*p));
	}
	p[(*n)++] = (struct pollfd){.fd = client, .events = POLLIN};
}

/* serve PORT: echoes TCP and UDP, IPv4 and IPv6, in the background */
static int cmd_serve(char **args)
{
	struct pollfd p[MAX_CONNECTIONS] = {
		{.fd = listen_on(SOCK_STREAM, args[0]), .events = POLLIN},
		{.fd = listen_on(SOCK_DGRAM, args[0]), .events = POLLIN},
	};
	nfds_t n = 2;

	detach();
	for (;;) {
		if (poll(p, n, -1) < 0)
			return 3;
		for (nfds_t i = n - 1; i >= 2; i--) {
			if (!p[i].revents || echo_stream(p[i].fd))
				continue;
			close(p[i].fd);
			p[i] = p[--n];
		}
		if (p[1].revents)
			echo_datagram(p[1].fd);
		if (p[0].revents)
			accept_one(p[0].fd, p, &n);
	}
}

/* --- clients ---------------------------------------------------------------------------------- */

/* A connected socket, or -1 with errno saying what happened. */
static int connect_to(const struct address *to, int type, int64_t deadline_ms)
{
	int fd = socket(to->family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (!connect(fd, (const void *)&to->storage, to->size))
		return fd;
	if (errno == EINPROGRESS)
		errno = wait_for(fd, POLLOUT, deadline_ms);
	if (!errno)
		return fd;
	close(fd);
	return -1;
}

/* Sends `size` bytes and waits for the same bytes. 0 or an errno. */
static int echo_through(int fd, const char *data, size_t size, int64_t deadline_ms)
{
	static char back[MAX_DATAGRAM];
	size_t have = 0;

	if (send(fd, data, size, MSG_NOSIGNAL) < 0)
		return errno;
	while (have < size) {
		int error = wait_for(fd, POLLIN, deadline_ms);
		ssize_t n;

		if (error)
			return error;
		n = recv(fd, back + have, size - have, 0);
		if (n <= 0)
			return n < 0 ? errno : EPIPE;
		have += (size_t)n;
	}
	return memcmp(data, back, size) ? EBADMSG : 0;
}

static int exchange(char **args, int type, size_t size)
{
	static char data[MAX_DATAGRAM];
	struct address to = parse_address(args[0], args[1]);
	int64_t deadline_ms = now_ms() + atoi(args[2]);
	int fd = connect_to(&to, type, deadline_ms), error = errno;

	if (fd >= 0) {
		for (size_t i = 0; i < size; i++)
			data[i] = (char)(i * 31 + i / 256);
		error = echo_through(fd, data, size, deadline_ms);
	}
	puts(word_of(error));
	return 0;
}

/* tcp ADDRESS PORT TIMEOUT_MS */
static int cmd_tcp(char **args)
{
	return exchange(args, SOCK_STREAM, TOKEN_BYTES);
}

/* udp ADDRESS PORT TIMEOUT_MS SIZE */
static int cmd_udp(char **args)
{
	size_t size = (size_t)atoi(args[3]);

	return exchange(args, SOCK_DGRAM, size <= MAX_DATAGRAM ? size : MAX_DATAGRAM);
}

static uint16_t checksum(const void *data, size_t size)
{
	const uint16_t *words = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < size / 2; i++)
		sum += words[i];
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t) ~(sum + (sum >> 16));
}

static bool is_our_reply(int family, const char *packet, ssize_t size, uint16_t id)
{
	const struct icmphdr *icmp;
	size_t offset = family == AF_INET ? (size_t)(packet[0] & 15) * 4 : 0;

	if (size < 0 || (size_t)size < offset + sizeof(*icmp))
		return false;
	icmp = (const void *)(packet + offset); /* ICMPv6 echo has the same layout */
	return icmp->un.echo.id == id &&
	       icmp->type == (family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY);
}

/* ping ADDRESS TIMEOUT_MS */
static int cmd_ping(char **args)
{
	struct address to = parse_address(args[0], "0");
	bool v4 = to.family == AF_INET;
	int fd = socket(to.family, SOCK_RAW | SOCK_CLOEXEC, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	int64_t deadline_ms = now_ms() + atoi(args[1]);
	struct icmphdr echo = {.type = v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST};
	char packet[512] __attribute__((aligned(4)));
	int error;

	echo.un.echo.id = (uint16_t)getpid();
	echo.un.echo.sequence = htons(1);
	if (v4)
		echo.checksum = checksum(&echo, sizeof(echo));
	if (fd < 0)
		die("raw socket");
	if (connect(fd, (void *)&to.storage, to.size) || send(fd, &echo, sizeof(echo), 0) < 0) {
		puts(word_of(errno));
		return 0;
	}
	do {
		error = wait_for(fd, POLLIN, deadline_ms);
	} while (!error && !is_our_reply(to.family, packet, recv(fd, packet, sizeof(packet), 0),
				   echo.un.echo.id));
	puts(word_of(error));
	return 0;
}

/* --- connections that stay open --------------------------------------------------------------- */

static int unix_socket(const char *path, struct sockaddr_un *name)
{
	*name = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(name->sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	strcpy(name->sun_path, path);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/*
 * One numbered token out, and the same back; echoes of earlier ones, which a cut connection may
 * deliver late, are passed over.
 */
static int exchange_token(int fd, int64_t deadline_ms)
{
	static uint64_t sequence;
	uint64_t token = ++sequence, back = 0;
	int error;

	if (send(fd, &token, sizeof(token), MSG_NOSIGNAL) < 0)
		return errno;
	while (back != token) {
		ssize_t n;

		error = wait_for(fd, POLLIN, deadline_ms);
		if (error)
			return error;
		n = recv(fd, &back, sizeof(back), 0);
		if (n <= 0)
			return n < 0 ? errno : EPIPE;
		if (n != sizeof(back))
			return EBADMSG;
	}
	return 0;
}

/* session SOCKET tcp|udp ADDRESS PORT TIMEOUT_MS: opens a connection, proves it, keeps it */
static int cmd_session(char **args)
{
	struct address to = parse_address(args[2], args[3]);
	int type = strcmp(args[1], "tcp") ? SOCK_DGRAM : SOCK_STREAM;
	int64_t deadline_ms = now_ms() + atoi(args[4]);
	struct sockaddr_un name;
	int listener = unix_socket(args[0], &name), fd = connect_to(&to, type, deadline_ms),
	    error = errno;

	if (fd >= 0)
		error = exchange_token(fd, deadline_ms);
	if (error) {
		puts(word_of(error));
		return 1;
	}
	unlink(args[0]);
	if (bind(listener, (void *)&name, sizeof(name)) || listen(listener, 4))
		die(args[0]);
	detach();
	for (;;) {
		int asker = accept(listener, NULL, NULL), timeout_ms;
		const char *word;

		if (asker < 0 ||
			recv(asker, &timeout_ms, sizeof(timeout_ms), 0) != sizeof(timeout_ms))
			return 0;
		word = word_of(exchange_token(fd, now_ms() + timeout_ms));
		send(asker, word, strlen(word) + 1, MSG_NOSIGNAL);
		close(asker);
	}
}

/* ask SOCKET TIMEOUT_MS: one more exchange on that connection */
static int cmd_ask(char **args)
{
	struct sockaddr_un name;
	int fd = unix_socket(args[0], &name), timeout_ms = atoi(args[1]);
	char word[64] = "error: no answer";

	if (connect(fd, (void *)&name, sizeof(name)))
		die(args[0]);
	if (send(fd, &timeout_ms, sizeof(timeout_ms), 0) < 0 ||
		recv(fd, word, sizeof(word) - 1, 0) < 0)
		die(args[0]);
	puts(word);
	return 0;
}

/* --- BPF objects ------------------------------------------------------------------------------ */

static int bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return (int)syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/* "prog ID" and "map ID" of a pinned program, map or link */
static void print_pin(const char *path)
{
	union bpf_attr attr = {.pathname = (uint64_t)(uintptr_t)path};
	int fd = bpf(BPF_OBJ_GET, &attr);
	char info[64], line[128];
	unsigned id;
	FILE *f;

	if (fd < 0)
		die(path);
	snprintf(info, sizeof(info), "/proc/self/fdinfo/%d", fd);
	f = fopen(info, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "prog_id: %u", &id) == 1)
			printf("prog %u\n", id);
		if (sscanf(line, "map_id: %u", &id) == 1)
			printf("map %u\n", id);
	}
	if (f)
		fclose(f);
	close(fd);
}

/* pins DIRECTORY: what is pinned below it */
static int cmd_pins(char **args)
{
	DIR *dir = opendir(args[0]);
	struct dirent *entry;

	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		char path[1024], *below[] = {path, NULL};

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", args[0], entry->d_name);
		if (entry->d_type == DT_DIR)
			cmd_pins(below);
		else if (entry->d_type == DT_REG)
			print_pin(path);
	}
	closedir(dir);
	return 0;
}

static bool exists(const char *kind, uint32_t id)
{
	union bpf_attr attr = {.prog_id = id}; /* same place as map_id */
	int fd = bpf(strcmp(kind, "map") ? BPF_PROG_GET_FD_BY_ID : BPF_MAP_GET_FD_BY_ID, &attr);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno != ENOENT;
}

/* gone FILE TIMEOUT_MS: none of the objects that `pins` listed exists; the kernel frees them a
 * little later */
static int cmd_gone(char **args)
{
	FILE *f = fopen(args[0], "re");
	int64_t deadline_ms = now_ms() + atoi(args[1]);
	char kind[8];
	unsigned id;
	int left = 0;

	if (!f)
		die(args[0]);
	while (fscanf(f, "%7s %u", kind, &id) == 2) {
		while (exists(kind, id) && now_ms() < deadline_ms)
			usleep(20000);
		if (exists(kind, id)) {
			printf("%s %u is still there\n", kind, id);
			left++;
		}
	}
	fclose(f);
	return left ? 1 : 0;
}

/*
 * kill-after MICROSECONDS COMMAND...: the command, killed in the middle. Its exit status, or 137.
 * (busybox's timeout counts whole seconds.)
 */
static int kill_after(char **args)
{
	useconds_t after = (useconds_t)strtoul(args[0], NULL, 10);
	pid_t child = fork();
	int status;

	if (child < 0)
		die("fork");
	if (child == 0) {
		execvp(args[1], args + 1);
		die(args[1]);
	}
	usleep(after);
	kill(child, SIGKILL);
	if (waitpid(child, &status, 0) < 0)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 137;
}

static const struct {
	const char *name;
	int n_args;
	int (*run)(char **args);
} COMMANDS[] = {
	{"hold", 0, cmd_hold},
	{"veth", 4, cmd_veth},
	{"serve", 1, cmd_serve},
	{"tcp", 3, cmd_tcp},
	{"udp", 4, cmd_udp},
	{"ping", 2, cmd_ping},
	{"session", 5, cmd_session},
	{"ask", 2, cmd_ask},
	{"pins", 1, cmd_pins},
	{"gone", 2, cmd_gone},
};

/* run COMMAND...: any other program, in that namespace and cgroup */
int main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+n:c:")) != -1) {
		if (option == '?')
			return 2;
		(option == 'n' ? enter_netns : enter_cgroup)(optarg);
	}
	argv += optind;
	argc -= optind;
	if (argc >= 2 && !strcmp(argv[0], "run")) {
		execvp(argv[1], argv + 1);
		die(argv[1]);
	}
	if (argc >= 3 && !strcmp(argv[0], "kill-after"))
		return kill_after(argv + 1);
	for (size_t i = 0; argc && i < sizeof(COMMANDS) / sizeof(*COMMANDS); i++) {
		if (!strcmp(argv[0], COMMANDS[i].name) && argc == COMMANDS[i].n_args + 1)
			return COMMANDS[i].run(argv + 1);
	}
	fprintf(stderr, "usage: agent [-n PID] [-c CGROUP] COMMAND...\n");
	return 2;
}
