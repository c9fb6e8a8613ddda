/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * apply --confirm: a process of its own, with its own session and nothing open, that survives the
 * terminal it was started from. It sleeps until the generation is confirmed or replaced (its pin
 * goes) or the time is up; then it returns to the generation before, and says so in the log.
 */
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "runtime/cleanup.h"

#define MAX_FDS 65536

static void close_all(void)
{
	int null_fd;

	/* 5.9; what else we may have open is few */
	if (syscall(SYS_close_range, 0, ~0u, 0))
		for (int fd = 0; fd < MAX_FDS; fd++)
			close(fd);
	null_fd = open("/dev/null", O_RDWR);
	for (int fd = 1; fd < 3 && null_fd == 0; fd++)
		(void)!dup(null_fd);
}

static int timer_at(uint64_t boot_ns)
{
	const struct itimerspec at = {.it_value = {.tv_sec = (time_t)(boot_ns / 1000000000ull),
					      .tv_nsec = (long)(boot_ns % 1000000000ull)}};
	POLB_FD fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);

	if (fd < 0 || timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL))
		return -errno;
	return polb_take_fd(&fd);
}

/* Tells when the pin goes. */
static int watch_pin(const char *name, uint32_t generation)
{
	POLB_FD fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[POLD_PATH];

	pold_path(path, POLD_ROOT "/%s/g%u", name, generation);
	if (fd < 0 || inotify_add_watch(fd, path, IN_DELETE | IN_DELETE_SELF) < 0)
		return -errno;
	return polb_take_fd(&fd);
}

static void sleep_until(uint64_t boot_ns, int watch_fd)
{
	POLB_FD timer_fd = timer_at(boot_ns);
	struct pollfd fds[2] = {
		{.fd = timer_fd, .events = POLLIN}, {.fd = watch_fd, .events = POLLIN}};
	char ignored[4096];

	/* without a timer it looks every second */
	poll(fds, 2, timer_fd < 0 ? 1000 : -1);
	if (watch_fd >= 0 && read(watch_fd, ignored, sizeof(ignored)) < 0)
		return; /* nothing there: the time is up */
}

/* The lock may be held for long: it is asked for again until the generation is no longer ours. */
static int return_now(const char *name)
{
	POLB_FD lock_fd = -1;
	int code = pold_root_open(&lock_fd, true, false);

	return code ? code : pold_return_if_overdue(name, lock_fd);
}

static int wait_and_return(const char *name, uint32_t generation)
{
	POLB_FD watch_fd = watch_pin(name, generation);
	uint64_t deadline_ns;
	int code = POLD_OK;

	while (pold_pending_read(name, generation, &deadline_ns)) {
		if (pold_boot_ns() < deadline_ns) {
			sleep_until(deadline_ns, watch_fd);
			continue;
		}
		code = return_now(name);
		if (code)
			sleep(1);
	}
	return code;
}

int pold_waiter_start(const char *name, uint32_t generation)
{
	pid_t pid = fork();

	if (pid)
		return pid < 0 ? -errno : pid;
	setsid();
	close_all();
	if (chdir("/"))
		_exit(POLD_BUG);
	pold_signals_restore();
	pold_messages_to_log();
	_exit(wait_and_return(name, generation));
}
