/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* See point.h. */
#include "point.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

_Noreturn void point_die(const char *what)
{
	fprintf(stderr, "node: %s: %s\n", what, strerror(errno));
	exit(3);
}

uint64_t point_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void point_lived(struct point_shared *shared, uint64_t since_ns)
{
	uint64_t took = point_now_ns() - since_ns;
	uint64_t longest = atomic_load(&shared->longest_ns);

	while (took > longest && !atomic_compare_exchange_weak(&shared->longest_ns, &longest, took))
		;
	atomic_fetch_add(&shared->lived, 1);
}

struct point *world_add(struct world *world, const char *name)
{
	struct point *point = &world->points[world->n_points++];
	void *shared = mmap(NULL, sizeof(*point->shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED || world->n_points > MAX_POINTS)
		point_die("points");
	*point = (struct point){.shared = shared, .ask_fd = -1};
	snprintf(point->name, sizeof(point->name), "%s", name);
	return point;
}

pid_t world_spawn(struct world *world, void (*run)(void *context), void *context)
{
	pid_t child = fork();

	if (child < 0 || world->n_children == sizeof(world->children) / sizeof(pid_t))
		point_die("fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(context);
		_exit(0);
	}
	world->children[world->n_children++] = child;
	return child;
}

struct answerer {
	int fd;
	uint8_t (*answer)(void *context);
	void *context;
};

static void answer_questions(void *context)
{
	const struct answerer *a = context;
	uint8_t byte;

	while (read(a->fd, &byte, 1) == 1) {
		byte = a->answer(a->context);
		if (write(a->fd, &byte, 1) != 1)
			return;
	}
}

void world_answer(
	struct world *world, struct point *point, uint8_t (*answer)(void *context), void *context)
{
	int pair[2];
	struct answerer a = {.answer = answer, .context = context};

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		point_die("socketpair");
	a.fd = pair[1];
	world_spawn(world, answer_questions, &a);
	close(pair[1]);
	point->ask_fd = pair[0];
}

void world_end(struct world *world)
{
	for (size_t i = 0; i < world->n_children; i++)
		kill(world->children[i], SIGKILL);
	for (size_t i = 0; i < world->n_children; i++)
		waitpid(world->children[i], NULL, 0);
	world->n_children = 0;
}

void world_ask(struct world *world, uint8_t verdicts[MAX_POINTS])
{
	for (size_t i = 0; i < world->n_points; i++)
		if (write(world->points[i].ask_fd, "?", 1) != 1)
			point_die("cannot ask a point");
	for (size_t i = 0; i < world->n_points; i++)
		if (read(world->points[i].ask_fd, &verdicts[i], 1) != 1)
			point_die("a point does not answer");
}
