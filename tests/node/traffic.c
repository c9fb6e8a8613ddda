/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Points in the network: an endpoint's way out to the peer, and the peer's way in. Datagrams carry
 * the number of their point; servers note in shared memory what arrived, and answer nothing.
 */
#include "point.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEER_ADDRESS "10.77.0.30"
#define PEER_FRIEND "10.77.0.31" /* becomes a friend at run time: V */
#define FLOOD_SOCKETS 64
#define ECHO_EVERY_US 5000
#define SLOW_PACE_US 5000 /* of a slow machine */
#define ECHO_GIVES_UP_S 20

struct message {
	uint32_t point;
	uint32_t asked; /* index of the port; FLOOD: of the crowd */
	uint64_t number;
};
#define FLOOD N_ASKED

struct way {
	struct world *world;
	struct point *point;
	uint32_t number; /* of the point */
	const struct endpoint_place *from;
	const char *to; /* address */
	bool in;
	int fixed_fd, fixed_friend_fd;
	uint64_t asked;
};

static void go_to(const struct endpoint_place *place)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", place->cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		point_die(path);
	close(fd);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", place->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		point_die(path);
	close(fd);
}

static struct sockaddr_in address_of(const char *text, int port)
{
	struct sockaddr_in out = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	if (inet_pton(AF_INET, text, &out.sin_addr) != 1)
		point_die(text);
	return out;
}

static int bound_socket(int type, const char *address, int port)
{
	struct sockaddr_in own = address_of(address, port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1, room = 32 << 20;

	if (fd < 0)
		point_die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (type ==
		SOCK_DGRAM) /* what is asked must not be lost among a flood that is let through */
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (bind(fd, (void *)&own, sizeof(own)))
		point_die("bind");
	return fd;
}

static void be_urgent(void)
{
	const struct sched_param priority = {.sched_priority = 5};

	if (sched_setscheduler(0, SCHED_FIFO, &priority) && setpriority(PRIO_PROCESS, 0, -15))
		point_die("sched_setscheduler");
}

/* --- what arrives ------------------------------------------------------------------------------
 */

static void note_arrival(struct world *world, const struct message *m)
{
	struct point_shared *shared;

	if (m->point >= world->n_points)
		return;
	shared = world->points[m->point].shared;
	if (m->asked == FLOOD)
		atomic_fetch_add(&shared->leaked, 1);
	else if (m->asked < N_ASKED)
		atomic_store(&shared->arrived[m->asked], m->number);
}

static void drain(struct world *world, int fd)
{
	struct message m;

	while (recv(fd, &m, sizeof(m), MSG_DONTWAIT) == sizeof(m))
		note_arrival(world, &m);
}

struct server {
	struct world *world;
	const struct endpoint_place *at;
};

/*
 * Y is sent behind the others, by the same way: once it is there the others have been decided. So
 * it is read first and noted last.
 */
static void serve_datagrams(void *context)
{
	const struct server *s = context;
	struct pollfd fds[N_ASKED];

	go_to(s->at);
	setpriority(PRIO_PROCESS, 0, -10); /* not more: where all is open a flood arrives here */
	for (int i = 0; i < N_ASKED; i++)
		fds[i] =
			(struct pollfd){bound_socket(SOCK_DGRAM, "0.0.0.0", PORT_X + i), POLLIN, 0};
	for (;;) {
		const int y = PORT_Y - PORT_X;
		struct message fences[16];
		size_t n = 0;

		poll(fds, N_ASKED, -1);
		while (n < 16 && recv(fds[y].fd, &fences[n], sizeof(fences[n]), MSG_DONTWAIT) ==
					 sizeof(fences[n]))
			n++;
		for (int i = 0; i < N_ASKED; i++)
			if (i != y)
				drain(s->world, fds[i].fd);
		for (size_t i = 0; i < n; i++)
			note_arrival(s->world, &fences[i]);
	}
}

static void echo(int fd)
{
	char text[64];
	ssize_t n;
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	while ((n = recv(fd, text, sizeof(text), 0)) > 0)
		if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
			break;
	_exit(0);
}

static void serve_echo(void *context)
{
	const struct server *s = context;
	int fd, one;

	go_to(s->at);
	be_urgent();
	fd = bound_socket(SOCK_STREAM, "0.0.0.0", PORT_Y);
	if (listen(fd, 16))
		point_die("listen");
	while ((one = accept(fd, NULL, NULL)) >= 0) {
		if (fork() == 0)
			echo(one);
		close(one);
	}
}

/* --- what is sent ------------------------------------------------------------------------------
 */

static const char *own_address(const struct way *way)
{
	return way->in ? PEER_ADDRESS : "0.0.0.0";
}

static void flood(void *context)
{
	const struct way *way = context;
	const struct sockaddr_in to = address_of(way->to, PORT_X);
	struct message m = {.point = way->number, .asked = FLOOD};
	const unsigned burst = way->world->pace_us > SLOW_PACE_US ? 4 : FLOOD_SOCKETS;
	int fds[FLOOD_SOCKETS];

	go_to(way->from);
	for (int i = 0; i < FLOOD_SOCKETS; i++)
		fds[i] = bound_socket(SOCK_DGRAM, own_address(way), 0);
	for (;; m.number++) {
		sendto(fds[m.number % FLOOD_SOCKETS], &m, sizeof(m), MSG_DONTWAIT, (void *)&to,
			sizeof(to));
		if (m.number % burst == 0) {
			atomic_fetch_add(&way->point->shared->tried, burst);
			usleep(way->world->pace_us);
		}
	}
}

static void keep_connection(void *context)
{
	const struct way *way = context;
	const struct sockaddr_in to = address_of(way->to, PORT_Y);
	const struct timeval patience = {.tv_sec = ECHO_GIVES_UP_S};
	int fd, on = 1;

	go_to(way->from);
	be_urgent();
	fd = bound_socket(SOCK_STREAM, own_address(way), 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	for (int try = 0; connect(fd, (void *)&to, sizeof(to)); try++) {
		if (try == 100)
			point_die("cannot connect");
		usleep(50000);
	}
	for (uint64_t n = 1;; n++) {
		uint64_t before = point_now_ns(), back = 0;

		if (send(fd, &n, sizeof(n), MSG_NOSIGNAL) != sizeof(n) ||
			recv(fd, &back, sizeof(back), MSG_WAITALL) != sizeof(back) || back != n) {
			atomic_store(&way->point->shared->cut, errno ? errno : EPIPE);
			return;
		}
		point_lived(way->point->shared, before);
		usleep(ECHO_EVERY_US + way->world->pace_us);
	}
}

/* --- what is open ------------------------------------------------------------------------------
 */

static bool send_one(const struct way *way, int fd, const char *to, int port)
{
	const struct sockaddr_in address = address_of(to, port);
	const struct message m = {way->number, (uint32_t)(port - PORT_X), way->asked};

	return sendto(fd, &m, sizeof(m), 0, (const void *)&address, sizeof(address)) == sizeof(m);
}

static bool has_arrived(const struct way *way, int port)
{
	return atomic_load(&way->point->shared->arrived[port - PORT_X]) == way->asked;
}

/* False: what must always arrive did not. */
static bool await_fence(const struct way *way, int fd)
{
	for (unsigned ms = 0; ms < way->world->patience_ms; ms++) {
		if (ms % 50 == 0)
			send_one(way, fd, way->to, PORT_Y);
		if (has_arrived(way, PORT_Y))
			return true;
		usleep(1000);
	}
	return false;
}

/* From a socket that asked before (its flows are known), or a new one. */
static uint8_t ask_from(struct way *way, int fd, int friend_fd)
{
	uint8_t out = 0;

	way->asked++;
	send_one(way, fd, way->to, PORT_X);
	send_one(way, fd, way->to, PORT_Z);
	send_one(way, friend_fd, way->in ? way->to : PEER_FRIEND, PORT_V);
	if (!await_fence(way, fd))
		return VERDICT_UNCLEAR;
	usleep(way->world->grace_us);
	if (has_arrived(way, PORT_X))
		out |= X_OPEN;
	if (has_arrived(way, PORT_Z))
		out |= Z_OPEN;
	if (has_arrived(way, PORT_V))
		out |= V_OPEN;
	return out;
}

static void pin_to_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set); /* packets overtake each other between CPUs */
}

static uint8_t ask_way(void *context)
{
	struct way *way = context;
	uint8_t known, new;
	int fd, friend_fd;

	if (way->fixed_fd < 0) {
		go_to(way->from);
		pin_to_cpu();
		way->fixed_fd = bound_socket(SOCK_DGRAM, own_address(way), 0);
		way->fixed_friend_fd =
			bound_socket(SOCK_DGRAM, way->in ? PEER_FRIEND : "0.0.0.0", 0);
	}
	known = ask_from(way, way->fixed_fd, way->fixed_friend_fd);
	fd = bound_socket(SOCK_DGRAM, own_address(way), 0);
	friend_fd = bound_socket(SOCK_DGRAM, way->in ? PEER_FRIEND : "0.0.0.0", 0);
	new = ask_from(way, fd, friend_fd);
	close(fd);
	close(friend_fd);
	return known == new ? known : VERDICT_UNCLEAR | known | (uint8_t)(new << 4);
}

static void start_way(struct way way)
{
	way.fixed_fd = way.fixed_friend_fd = -1;
	world_spawn(way.world, flood, &way);
	world_spawn(way.world, keep_connection, &way);
	world_answer(way.world, way.point, ask_way, &way);
}

void traffic_start(struct world *world, const struct endpoint_place *endpoints, size_t n,
	const struct endpoint_place *peer)
{
	size_t first = world->n_points;
	char name[24];

	for (size_t i = 0; i < 2 * n; i++) { /* all points before the first process */
		snprintf(name, sizeof(name), "%s-%s", endpoints[i / 2].name, i % 2 ? "in" : "out");
		world_add(world, name)->late = endpoints[i / 2].late;
	}
	for (size_t i = 0; i <= n; i++) {
		struct server server = {world, i < n ? &endpoints[i] : peer};

		world_spawn(world, serve_datagrams, &server);
		world_spawn(world, serve_echo, &server);
	}
	usleep(200000);
	for (size_t i = 0; i < 2 * n; i++) {
		const struct endpoint_place *e = &endpoints[i / 2];

		start_way((struct way){.world = world,
			.point = &world->points[first + i],
			.number = (uint32_t)(first + i),
			.from = i % 2 ? peer : e,
			.to = i % 2 ? e->address : PEER_ADDRESS,
			.in = i % 2});
	}
}
