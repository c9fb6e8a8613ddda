/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Between the cutover and the detaching of the old generation: waits until no call is left that had
 * passed the new generation's program before the store and has yet to come to the old one's. Such a
 * call may have been preempted in between, and from 7.x on the kernel lets calls under way skip a
 * program that is detached.
 *
 * No system call waits for preempted threads. /proc shows them: who was runnable just after the
 * store and has since slept, ended, or run for longer than any hook takes, is out of its call. New
 * calls see the new generation.
 */
#include "trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/cleanup.h"

#define LOOK_US 5000u
#define LOOKS (POLD_DRAIN_MAX_S * 1000000u / LOOK_US)
/* More than two of 10 ms: what a running thread has used is known up to the scheduler's tick. */
#define GOT_ON_TICKS 3u

struct runner {
	uint32_t pid, tid;
	unsigned long long ticks; /* of CPU time, when it was first seen */
};

struct runners {
	struct runner *items;
	size_t n;
};

static void runners_free(struct runners *r)
{
	free(r->items);
}

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* False: it sleeps, or is gone. Fields 3, 14 and 15 of stat, behind the name. */
static bool is_runnable(uint32_t pid, uint32_t tid, unsigned long long *ticks)
{
	char path[64], text[1024], state = 'X';
	unsigned long long user = 0, system = 0;
	const char *at;
	POLB_FD fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	at = strrchr(text, ')');
	if (!at || sscanf(at + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &state,
			   &user, &system) != 3)
		return false;
	*ticks = user + system;
	return state == 'R';
}

/* 0 or -ENOMEM. */
static int add_runner(struct runners *r, uint32_t pid, uint32_t tid)
{
	struct runner runner = {.pid = pid, .tid = tid};
	struct runner *larger;

	if (tid == (uint32_t)syscall(SYS_gettid) || !is_runnable(pid, tid, &runner.ticks))
		return 0;
	larger = realloc(r->items, (r->n + 1) * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	r->items = larger;
	larger[r->n++] = runner;
	return 0;
}

/* The number that names the next entry; 0: there is none. */
static uint32_t next_number(DIR *directory)
{
	for (struct dirent *entry; (entry = readdir(directory));) {
		unsigned long number = strtoul(entry->d_name, NULL, 10);

		if (number)
			return (uint32_t)number;
	}
	return 0;
}

static int add_process(struct runners *r, uint32_t pid)
{
	__attribute__((cleanup(close_directory))) DIR *tasks = NULL;
	char path[64];
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	tasks = opendir(path);
	for (uint32_t tid; !err && tasks && (tid = next_number(tasks));)
		err = add_runner(r, pid, tid);
	return err;
}

static int find_runners(struct runners *r)
{
	__attribute__((cleanup(close_directory))) DIR *processes = opendir("/proc");
	int err = processes ? 0 : -errno;

	for (uint32_t pid; !err && (pid = next_number(processes));)
		err = add_process(r, pid);
	return err;
}

static void drop_those_who_got_on(struct runners *r)
{
	size_t left = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct runner *runner = &r->items[i];
		unsigned long long ticks;

		if (is_runnable(runner->pid, runner->tid, &ticks) &&
			ticks < runner->ticks + GOT_ON_TICKS)
			r->items[left++] = *runner;
	}
	r->n = left;
}

void pold_trace_drain(void)
{
	__attribute__((cleanup(runners_free))) struct runners r = {.items = NULL};
	int err = find_runners(&r);

	for (unsigned int i = 0; r.n > 0 && i < LOOKS; i++) {
		usleep(LOOK_US);
		drop_those_who_got_on(&r);
	}
	if (err)
		pold_note("note: cannot see which calls are under way: %s", strerror(-err));
	else if (r.n > 0)
		pold_note("note: %zu threads got no CPU for %u s: a call that one of them is in "
			  "may have been judged by neither generation",
			r.n, POLD_DRAIN_MAX_S);
}
