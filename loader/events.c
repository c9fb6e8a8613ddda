/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * events: reads the ring of the generation in force, and follows to the next one. Enforcement never
 * waits for a reader; what did not fit is counted and said. Here is the loop; what an event looks
 * like is in runtime/event_*.c, what is known around it in events_*.c.
 */
#include "events_reader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/cleanup.h"
#include "runtime/instance.h"

#define POLL_MS 200
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

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/*
 * The wall clock may be set while events are read. Below STEP_NS the offset stays as it is, so that
 * the start of one process is the same time in all its events.
 */
static void take_offset(int64_t *offset_ns, clockid_t clock)
{
	int64_t now_ns = clock_ns(CLOCK_REALTIME) - clock_ns(clock), off_ns = now_ns - *offset_ns;

	if (off_ns > STEP_NS || off_ns < -STEP_NS)
		*offset_ns = now_ns;
}

static void take_offsets(struct pold_reader *reader)
{
	take_offset(&reader->style.wall_offset_ns, CLOCK_BOOTTIME);
	take_offset(&reader->monotonic_offset_ns, CLOCK_MONOTONIC);
}

static bool finished(const struct pold_reader *reader)
{
	return stopped || (reader->options->count && reader->seen >= reader->options->count);
}

static void print_verdict(struct pold_reader *reader, const struct polb_event *event)
{
	polb_text_clear(&reader->line);
	if (!pold_verdict_line(&reader->line, &reader->state, reader->identities_fd,
		    &reader->filter, event, reader->monotonic_offset_ns, reader->json))
		return;
	pold_output_line(&reader->output, &reader->line);
	reader->seen++;
}

static int on_event(void *context, void *data, size_t size)
{
	struct pold_reader *reader = context;
	const uint8_t *type = data;

	if (finished(reader))
		return 0;
	if (size > 0 && *type == POLB_EVENT_VERDICT && size >= sizeof(struct polb_event))
		print_verdict(reader, data);
	else if (size == 0 || *type == POLB_EVENT_VERDICT || pold_events_event(reader, data, size))
		reader->malformed++;
	return finished(reader) || reader->output.failed ? -ECANCELED : 0;
}

/* Verdicts that programs could not send, so far, in this generation. */
static uint64_t lost_verdicts(const struct pold_state *state)
{
	struct {
		__u64 since_ns;
		__u32 used, dropped;
	} * values;
	POLB_FD fd = pold_state_map(state, "polt_bucket");
	int cpus = libbpf_num_possible_cpus();
	POLB_FREE void *memory = cpus > 0 ? calloc((size_t)cpus, sizeof(*values)) : NULL;
	uint64_t lost = 0;
	__u32 zero = 0;

	values = memory;
	if (fd < 0 || !values || bpf_map_lookup_elem(fd, &zero, values))
		return 0;
	for (int cpu = 0; cpu < cpus; cpu++)
		lost += values[cpu].dropped;
	return lost;
}

static void print_loss(void *context, const struct pold_lost *lost)
{
	struct pold_reader *reader = context;

	if (!pold_filter_policy(&reader->filter, lost->namespace, lost->policy))
		return;
	polb_text_clear(&reader->line);
	pold_loss_line(
		&reader->line, lost, reader->style.node, clock_ns(CLOCK_REALTIME), reader->json);
	pold_output_line(&reader->output, &reader->line);
}

static void tell_loss(struct pold_reader *reader)
{
	uint64_t lost = reader->ring ? lost_verdicts(&reader->state) : 0;

	pold_loss_each(reader->loss, print_loss, reader);
	if (lost > reader->lost)
		pold_note("note: %llu events were lost", (unsigned long long)(lost - reader->lost));
}

static void reader_close(struct pold_reader *reader)
{
	pold_events_close(reader);
	pold_loss_free(reader->loss);
	reader->loss = NULL;
	ring_buffer__free(reader->ring);
	reader->ring = NULL;
	polb_cleanup_fd(&reader->identities_fd);
	reader->identities_fd = -1;
	pold_state_close(&reader->state);
}

static int reader_open(struct pold_reader *reader)
{
	POLB_FD events_fd = -1;
	int code = pold_state_open(&reader->state, reader->options->name, false);

	if (code)
		return code;
	pold_state_unlock(&reader->state);
	events_fd = pold_state_map(&reader->state, "polt_events");
	reader->identities_fd = pold_identities_open(reader->state.name, false);
	if (events_fd >= 0)
		reader->ring = ring_buffer__new(events_fd, on_event, reader, NULL);
	if (!reader->ring)
		return pold_fail(POLD_ENVIRONMENT, "cannot open the events of %s: %s",
			reader->state.name, strerror(errno));
	reader->lost = lost_verdicts(&reader->state);
	reader->loss = pold_loss_new(&reader->state);
	return pold_events_open(reader);
}

/* Another generation took over: its events are in another ring. */
static int reader_follow(struct pold_reader *reader)
{
	uint32_t generation, epoch;

	if (polb_control_load(reader->state.control_fd, &generation, &epoch) || stopped ||
		generation == reader->state.generation)
		return POLD_OK;
	ring_buffer__consume(reader->ring); /* what the last calls before the change sent */
	pold_events_waiting(reader, clock_ns(CLOCK_MONOTONIC), true);
	tell_loss(reader);
	reader_close(reader);
	return finished(reader) ? POLD_OK : reader_open(reader);
}

/* Between batches: what is due from time to time. */
static void housekeeping(struct pold_reader *reader)
{
	int64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	if (reopen) {
		reopen = 0;
		pold_output_reopen(&reader->output);
	}
	take_offsets(reader);
	pold_events_waiting(reader, now_ns, false);
	if (now_ns - reader->loss_told_ns >= LOSS_NS) {
		reader->loss_told_ns = now_ns;
		pold_loss_each(reader->loss, print_loss, reader);
	}
}

static int read_events(struct pold_reader *reader)
{
	double timeout_s = reader->options->timeout_s;
	int64_t end_ns = clock_ns(CLOCK_MONOTONIC) + (int64_t)(timeout_s * 1e9);

	while (!finished(reader) && !reader->output.failed) {
		int64_t left_ms = (end_ns - clock_ns(CLOCK_MONOTONIC)) / 1000000;
		int wait_ms = timeout_s >= 0 && left_ms < POLL_MS ? (int)left_ms : POLL_MS;
		int result = ring_buffer__poll(reader->ring, wait_ms < 0 ? 0 : wait_ms);

		housekeeping(reader);
		if (result < 0 && result != -EINTR && result != -ECANCELED)
			return pold_fail(POLD_ENVIRONMENT, "reading events: %s", strerror(-result));
		if (result == 0 && timeout_s >= 0 && left_ms <= 0)
			return POLD_OK;
		result = result > 0 ? POLD_OK : reader_follow(reader);
		if (result)
			return result;
	}
	return POLD_OK;
}

static void catch_signals(bool file)
{
	const struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (file)
		sigaction(SIGHUP, &action, NULL);
}

static int run(struct pold_reader *reader)
{
	int code, written;

	catch_signals(reader->output.path);
	take_offsets(reader);
	code = reader_open(reader);
	if (!code)
		code = read_events(reader);
	if (!code && reader->ring) {
		pold_events_waiting(reader, clock_ns(CLOCK_MONOTONIC), true);
		tell_loss(reader);
	}
	if (reader->malformed)
		pold_note("note: %llu malformed records were skipped",
			(unsigned long long)reader->malformed);
	reader_close(reader);
	written = pold_output_close(&reader->output);
	return code ? code : written;
}

int pold_cmd_events(const struct pold_options *options)
{
	struct pold_reader reader = {.options = options,
		.state = POLD_STATE_INIT,
		.identities_fd = -1,
		.config_fd = -1,
		.execs_fd = -1};
	int code = pold_options_arguments(options, 0, 0, "events [-o json|compact] ...");

	if (code)
		return code;
	reader.json = options->output && strcmp(options->output, "json") == 0;
	code = pold_filter_open(&reader.filter, options);
	if (!code)
		code = pold_output_open(&reader.output, &options->events);
	if (!code)
		code = run(&reader);
	pold_filter_close(&reader.filter);
	pold_events_free(&reader);
	polb_text_free(&reader.line);
	return code;
}
