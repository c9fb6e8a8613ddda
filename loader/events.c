/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * events: one stream of what all bundles in force report, packets and calls. Enforcement never
 * waits for a reader; what did not fit is counted and said. Here is the loop; what an event looks
 * like is in runtime/event_*.c, what is known around it in events_*.c.
 */
#include "events_reader.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define POLL_MS 200
#define FOLLOW_NS 200000000ll
#define LOSS_NS 1000000000ll
#define STEP_NS 50000000ll

static volatile sig_atomic_t stopped, reopen;

static void on_signal(int number)
{
	if (number == SIGHUP)
		reopen = 1;
	else
		stopped = 1;
}

/*
 * The wall clock may be set while events are read. Below STEP_NS the offset stays as it is, so that
 * the start of one process is the same time in all its events.
 */
static void take_offset(int64_t *offset_ns, clockid_t clock)
{
	int64_t now_ns = pold_clock_ns(CLOCK_REALTIME) - pold_clock_ns(clock),
		off_ns = now_ns - *offset_ns;

	if (off_ns > STEP_NS || off_ns < -STEP_NS)
		*offset_ns = now_ns;
}

static void take_offsets(struct pold_stream *stream)
{
	take_offset(&stream->wall_offset_ns, CLOCK_BOOTTIME);
	take_offset(&stream->monotonic_offset_ns, CLOCK_MONOTONIC);
}

static bool finished(const struct pold_readers *readers)
{
	return stopped || pold_stream_finished(&readers->stream);
}

struct due {
	int64_t follow_ns, loss_ns;
};

/* Between batches: what is due from time to time. Exit code. */
static int housekeeping(struct pold_readers *readers, struct due *due)
{
	int64_t now_ns = pold_clock_ns(CLOCK_MONOTONIC);
	int code = POLD_OK;

	if (reopen) {
		reopen = 0;
		pold_output_reopen(&readers->stream.output);
	}
	take_offsets(&readers->stream);
	if (now_ns - due->follow_ns >= FOLLOW_NS) {
		due->follow_ns = now_ns;
		code = pold_readers_follow(readers, false);
	}
	if (now_ns - due->loss_ns >= LOSS_NS) {
		due->loss_ns = now_ns;
		pold_readers_tell_loss(readers);
	}
	return code;
}

static int wait_for(const struct pold_readers *readers, int64_t end_ns)
{
	int64_t left_ms = (end_ns - pold_clock_ns(CLOCK_MONOTONIC)) / 1000000;
	bool limited = readers->stream.options->timeout_s >= 0 && left_ms < POLL_MS;
	int wait_ms = !limited ? POLL_MS : left_ms < 0 ? 0 : (int)left_ms;
	struct epoll_event events[16];
	int n = epoll_wait(readers->epoll_fd, events, 16, wait_ms);

	if (n < 0 && errno != EINTR)
		return pold_fail(POLD_ENVIRONMENT, "waiting for events: %s", strerror(errno));
	return POLD_OK;
}

static int read_events(struct pold_readers *readers)
{
	double timeout_s = readers->stream.options->timeout_s;
	int64_t end_ns = pold_clock_ns(CLOCK_MONOTONIC) + (int64_t)(timeout_s * 1e9);
	struct due due = {.follow_ns = pold_clock_ns(CLOCK_MONOTONIC)};
	int code = POLD_OK;

	while (!code && !finished(readers)) {
		uint64_t before = readers->stream.number;

		code = wait_for(readers, end_ns);
		pold_readers_read(readers);
		if (!code && !finished(readers))
			code = housekeeping(readers, &due);
		pold_stream_flush(&readers->stream);
		if (timeout_s >= 0 && readers->stream.number == before &&
			pold_clock_ns(CLOCK_MONOTONIC) >= end_ns)
			break;
	}
	return code;
}

static void catch_signals(bool file)
{
	const struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (file)
		sigaction(SIGHUP, &action, NULL);
}

static int run(struct pold_readers *readers)
{
	struct pold_stream *stream = &readers->stream;
	int code, written;

	catch_signals(stream->output.path);
	take_offsets(stream);
	readers->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	code = readers->epoll_fd < 0 ? pold_fail(POLD_ENVIRONMENT, "no epoll: %s", strerror(errno))
				     : pold_readers_follow(readers, true);
	if (!code) {
		pold_notify_ready();
		code = read_events(readers);
	}
	pold_readers_close(readers);
	pold_stream_flush(stream);
	if (stream->malformed)
		pold_note("note: %llu malformed records were skipped",
			(unsigned long long)stream->malformed);
	written = pold_output_close(&stream->output);
	return code ? code : written;
}

int pold_cmd_events(const struct pold_options *options)
{
	struct pold_readers readers = {.stream.options = options, .epoll_fd = -1};
	struct pold_stream *stream = &readers.stream;
	int code = pold_options_arguments(options, 0, 0, "events [-o json|compact] ...");

	if (!code)
		code = pold_may_read();
	if (code)
		return code;
	stream->json = options->output && strcmp(options->output, "json") == 0;
	code = pold_filter_open(&stream->filter, options);
	if (!code)
		code = pold_output_open(&stream->output, &options->events);
	if (!code)
		code = run(&readers);
	pold_filter_close(&stream->filter);
	pold_stream_free(stream);
	return code;
}
