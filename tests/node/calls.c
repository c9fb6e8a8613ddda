/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Points in tracing. KILLED: whoever does the system call X dies of it (Z: only under one of the
 * two bundles). REFUSED: opening or making X fails, by two hooks. Y is a call beside them that must
 * always succeed.
 */
#include "point.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* System calls that nothing else on a machine does, without effect when their arguments are bad. */
#define CALL_X SYS_sysfs
#define CALL_Z SYS_ustat
#define DIRECTORY "/tmp/polc-node"
#define CROWD 4
#define BURST 8 /* tries, then a pause */

struct calls {
	struct point *point;
	unsigned pace_us;
	bool (*open)(int which); /* whether the call X (0) or Z (2) was let through */
	bool (*lives)(void);     /* Y */
};

/* A child that lives on after its call says so. */
static bool survives(int which)
{
	int status = 0;
	pid_t child = vfork();

	if (child == 0) {
		syscall(which ? CALL_Z : CALL_X, -1, 0, 0);
		_exit(0);
	}
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status);
}

static bool child_lives(void)
{
	int status = 0;
	pid_t child = vfork();

	if (child == 0)
		_exit(0);
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status);
}

static bool opens(int which)
{
	int fd = open(which ? DIRECTORY "/open-z" : DIRECTORY "/open-x", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool opens_other(void)
{
	int fd = open(DIRECTORY "/open-y", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool makes(int which)
{
	const char *path = which ? DIRECTORY "/make-z" : DIRECTORY "/make-x";

	if (mkdir(path, 0755))
		return errno == EEXIST;
	rmdir(path);
	return true;
}

static bool makes_other(void)
{
	return mkdir(DIRECTORY "/make-y", 0755) == 0 && rmdir(DIRECTORY "/make-y") == 0;
}

static void crowd(void *context)
{
	const struct calls *c = context;

	for (unsigned n = 1;; n++) {
		if (c->open(0))
			atomic_fetch_add(&c->point->shared->leaked, 1);
		atomic_fetch_add(&c->point->shared->tried, 1);
		if (n % BURST == 0)
			usleep(c->pace_us);
	}
}

static void live(void *context)
{
	const struct calls *c = context;

	for (;;) {
		uint64_t before = point_now_ns();

		if (!c->lives()) {
			atomic_store(&c->point->shared->cut, errno ? errno : EPERM);
			return;
		}
		point_lived(c->point->shared, before);
		usleep(2000 + c->pace_us);
	}
}

static uint8_t ask_calls(void *context)
{
	const struct calls *c = context;

	return (uint8_t)((c->open(0) ? X_OPEN : 0) | (c->open(2) ? Z_OPEN : 0));
}

static void start_point(struct world *world, struct calls calls, const char *name)
{
	calls.point = world_add(world, name);
	calls.point->is_call = true;
	calls.pace_us = world->pace_us;
	for (int i = 0; i < CROWD; i++)
		world_spawn(world, crowd, &calls);
	world_spawn(world, live, &calls);
	world_answer(world, calls.point, ask_calls, &calls);
}

static void make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0)
		point_die(path);
	close(fd);
}

void calls_start(struct world *world, enum calls_how how)
{
	if (how == CALLS_KILLED)
		start_point(world, (struct calls){.open = survives, .lives = child_lives}, "kill");
	if (how != CALLS_REFUSED)
		return;
	if (mkdir(DIRECTORY, 0700) && errno != EEXIST)
		point_die(DIRECTORY);
	make_file(DIRECTORY "/open-x");
	make_file(DIRECTORY "/open-y");
	make_file(DIRECTORY "/open-z");
	start_point(world, (struct calls){.open = opens, .lives = opens_other}, "open");
	start_point(world, (struct calls){.open = makes, .lives = makes_other}, "make");
}
