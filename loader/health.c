/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * apply --health: a command of the operator's that must succeed while the new generation is in
 * force. It runs without any lock, in a process group of its own, which is killed when it takes too
 * long or somebody interrupts.
 */
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/cleanup.h"

#define HEALTH_MS 30000

static void run(const char *command, const char *name, uint32_t generation)
{
	POLB_FD null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char number[16];

	snprintf(number, sizeof(number), "%u", generation);
	setpgid(0, 0);
	pold_signals_restore();
	if (null_fd >= 0)
		dup2(null_fd, STDIN_FILENO);
	if (setenv("POLLOAD_NAME", name, 1) == 0 && setenv("POLLOAD_GENERATION", number, 1) == 0)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* 0: it has ended; -ETIME, -EINTR */
static int await(pid_t pid)
{
	POLB_FD fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int n = fd < 0 ? -1 : poll(&poll_fd, 1, HEALTH_MS);

	return n > 0 ? 0 : n == 0 ? -ETIME : -errno;
}

static int judge(const char *command, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return POLD_OK;
	if (WIFEXITED(status))
		return pold_fail(POLD_BAD, "--health: \"%s\" failed with exit status %d", command,
			WEXITSTATUS(status));
	return pold_fail(
		POLD_BAD, "--health: \"%s\" was killed by signal %d", command, WTERMSIG(status));
}

int pold_health_run(const char *command, const char *name, uint32_t generation)
{
	int status = 0, err;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		run(command, name, generation);
	if (pid < 0)
		return pold_fail(POLD_BAD, "--health: cannot run it: %s", strerror(errno));
	setpgid(pid, pid);
	err = await(pid);
	if (err)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (err == -ETIME)
		return pold_fail(POLD_BAD, "--health: \"%s\" took more than %d s", command,
			HEALTH_MS / 1000);
	if (err)
		return pold_fail(
			POLD_BAD, "--health: %s", err == -EINTR ? "interrupted" : strerror(-err));
	return judge(command, status);
}
