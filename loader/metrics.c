/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* metrics: once to standard output, to a file for node_exporter's textfile collector, over HTTP. */
#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/cleanup.h"

static bool render(void *context, struct polb_text *out)
{
	const struct pold_options *options = context;
	struct pold_metrics metrics = {.tetragon = options->compat != NULL};
	bool done = !pold_metrics_collect(&metrics, options->named ? options->name : NULL) &&
		    pold_metrics_text(&metrics, out);

	pold_metrics_free(&metrics);
	return done;
}

static int write_all(int fd, const struct polb_text *text)
{
	for (size_t at = 0; at < text->size;) {
		ssize_t n = write(fd, text->data + at, text->size - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		at += (size_t)n;
	}
	return 0;
}

/* The collector must never see half a file: written beside it, then renamed. */
static int write_file(const char *path, const struct polb_text *text)
{
	char beside[POLD_PATH];
	POLB_FD fd = -1;
	int err;

	if (snprintf(beside, sizeof(beside), "%s.%d", path, (int)getpid()) >= (int)sizeof(beside))
		return -ENAMETOOLONG;
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	err = fchmod(fd, 0644) ? -errno : write_all(fd, text);
	if (!err && rename(beside, path))
		err = -errno;
	if (err)
		unlink(beside);
	return err;
}

static int write_once(const struct pold_options *options)
{
	const char *path = options->events.output_file;
	struct polb_text text = {0};
	int err;

	if (!render((void *)(uintptr_t)options, &text)) {
		polb_text_free(&text);
		return POLD_ENVIRONMENT;
	}
	err = path ? write_file(path, &text) : write_all(STDOUT_FILENO, &text);
	polb_text_free(&text);
	return err ? pold_fail(POLD_ENVIRONMENT, "%s: %s", path ? path : "standard output",
			     strerror(-err))
		   : POLD_OK;
}

/* Until a signal; what cannot be written now may be written the next time. */
static int write_always(const struct pold_options *options)
{
	const double seconds = options->interval_s;
	const struct timespec interval = {
		(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	do
		write_once(options);
	while (sigtimedwait(&signals, NULL, &interval) < 0);
	return POLD_OK;
}

int pold_cmd_metrics(const struct pold_options *options)
{
	const char *path = options->events.output_file;
	int code = pold_options_arguments(options, 0, 0, "metrics [--output-file FILE] ...");

	if (!code)
		code = pold_may_read();
	if (code)
		return code;
	if (options->listen && (path || options->interval_s >= 0))
		return pold_fail(POLD_USAGE,
			"metrics: --listen collects for each reader: no --output-file, no "
			"--interval");
	if (options->interval_s >= 0 && (!path || options->interval_s < 1))
		return pold_fail(POLD_USAGE,
			"metrics: --interval is of a second or more, and for --output-file");
	if (options->listen)
		return pold_metrics_serve(options->listen, render, (void *)(uintptr_t)options);
	return options->interval_s >= 0 ? write_always(options) : write_once(options);
}
