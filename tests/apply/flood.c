/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * flood send ADDRESS PORT: IPv4 datagrams as fast as they go. flood count PORT FILE: keeps in the
 * file how many came. Both until they are killed.
 * flood flows ADDRESS PORT SECONDS: twenty datagrams from each of many ports; receive PORT SECONDS:
 * takes them. Both print how many. flood ports ADDRESS FIRST NUMBER: one datagram to each port.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_S 300
#define MAX_PROGRAMS 16
#define TCX_INGRESS 46 /* since 6.6; older headers lack it */

static int usage(void)
{
	fputs("usage: flood send ADDRESS PORT | count PORT FILE | order CGROUP|INTERFACE FILE |\n"
	      "       flows ADDRESS PORT SECONDS | receive PORT SECONDS | ports ADDRESS FIRST N\n",
		stderr);
	return 2;
}

static int send_all(const char *address, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return usage();
	for (;;)
		if (sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) < 0)
			continue; /* denied, or the queue is full */
}

/* One line of always the same length, so that it can be read at any time. */
static void tell(int file, unsigned long long n)
{
	char line[32];
	int size = snprintf(line, sizeof(line), "%20llu\n", n);

	(void)!pwrite(file, line, (size_t)size, 0);
}

static int count_all(const char *port, const char *path)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	struct timeval wait = {.tv_usec = 50000};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char data[16];

	if (fd < 0 || file < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)))
		return 1;
	for (unsigned long long n = 0, looks = 0;; looks++) {
		bool came = recv(fd, data, sizeof(data), 0) >= 0;

		n += came;
		if (!came || looks % 1024 == 0)
			tell(file, n);
	}
}

/* The programs on the ingress side of an interface (tcx) or cgroup, first to last. */
static int query(const char *where, __u32 *ids)
{
	bool is_cgroup = strchr(where, '/');
	union bpf_attr attr = {
		.query = {.attach_type = is_cgroup ? BPF_CGROUP_INET_INGRESS : TCX_INGRESS,
			.prog_ids = (uintptr_t)ids,
			.prog_cnt = MAX_PROGRAMS}};
	int fd = is_cgroup ? open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	long err;

	attr.query.target_fd = is_cgroup ? (__u32)fd : if_nametoindex(where);
	err = syscall(SYS_bpf, BPF_PROG_QUERY, &attr, sizeof(attr));
	if (fd >= 0)
		close(fd);
	return err ? 0 : (int)attr.query.prog_cnt;
}

/* Programs are numbered as they are loaded: the replaced generation's is the lower one. */
static void watch_order(const char *where, const char *path)
{
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	unsigned int pairs = 0, wrong = 0;

	for (;; usleep(500)) {
		__u32 ids[MAX_PROGRAMS];
		char line[64];
		int size;

		if (query(where, ids) != 2)
			continue;
		pairs++;
		wrong += ids[0] > ids[1];
		size = snprintf(line, sizeof(line), "pairs=%010u wrong=%010u\n", pairs, wrong);
		(void)!pwrite(file, line, (size_t)size, 0);
	}
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* `n` datagrams from a port of their own, denied or not. 0: cannot. */
static int send_flow(const char *address, int port, int n)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return 0;
	for (int i = 0; i < n; i++)
		(void)!sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
	close(fd);
	return n;
}

static int send_flows(const char *address, int port, int seconds)
{
	int64_t end = now_ms() + seconds * 1000LL;
	long long sent = 0;

	for (; now_ms() < end; usleep(1000))
		sent += send_flow(address, port, 20);
	printf("%lld\n", sent);
	return sent == 0;
}

static int send_ports(const char *address, int first, int n)
{
	int sent = 0;

	for (int i = 0; i < n; i++)
		sent += send_flow(address, first + i, 1);
	return sent != n;
}

static int receive(int port, int seconds)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct timeval wait = {.tv_usec = 200000};
	int64_t end = now_ms() + seconds * 1000LL;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	long long n = 0;
	char data[16];

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)))
		return 1;
	while (now_ms() < end)
		n += recv(fd, data, sizeof(data), 0) >= 0;
	printf("%lld\n", n);
	return 0;
}

int main(int argc, char **argv)
{
	alarm(MAX_S); /* whatever becomes of the test */
	if (argc == 4 && strcmp(argv[1], "send") == 0)
		return send_all(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "count") == 0)
		return count_all(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "order") == 0)
		watch_order(argv[2], argv[3]);
	if (argc == 5 && strcmp(argv[1], "flows") == 0)
		return send_flows(argv[2], atoi(argv[3]), atoi(argv[4]));
	if (argc == 5 && strcmp(argv[1], "ports") == 0)
		return send_ports(argv[2], atoi(argv[3]), atoi(argv[4]));
	if (argc == 4 && strcmp(argv[1], "receive") == 0)
		return receive(atoi(argv[2]), atoi(argv[3]));
	return usage();
}
