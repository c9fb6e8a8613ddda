/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which rings are read: those of the generations in force under all names, or under --name. A ring
 * outlives its pin while it is open here, so what is in one that was replaced or removed is read
 * before it is let go.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "events_reader.h"
#include "runtime/cleanup.h"
#include "runtime/instance.h"

/* --- one ring --------------------------------------------------------------------------------- */

static void print_verdict(struct pold_reader *reader, const struct polb_event *event)
{
	struct pold_stream *stream = reader->stream;

	polb_text_clear(&reader->line);
	if (!pold_verdict_line(&reader->line, reader, event))
		return;
	stream->seen++;
	pold_stream_add(
		stream, (int64_t)event->time_ns + stream->monotonic_offset_ns, &reader->line);
}

static int on_event(void *context, void *data, size_t size)
{
	struct pold_reader *reader = context;
	const uint8_t *type = data;

	if (pold_stream_finished(reader->stream))
		return 0;
	if (size > 0 && *type == POLB_EVENT_VERDICT && size >= sizeof(struct polb_event))
		print_verdict(reader, data);
	else if (size == 0 || *type == POLB_EVENT_VERDICT || pold_events_event(reader, data, size))
		reader->stream->malformed++;
	return pold_stream_finished(reader->stream) ? -ECANCELED : 0;
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
	struct pold_stream *stream = reader->stream;
	int64_t now_ns = pold_clock_ns(CLOCK_REALTIME);

	if (!pold_filter_policy(&stream->filter, lost->namespace, lost->policy))
		return;
	polb_text_clear(&reader->line);
	pold_loss_line(&reader->line, reader->name, lost, reader->node, now_ns, stream->json);
	pold_stream_add(stream, now_ns, &reader->line);
}

static void tell_loss(struct pold_reader *reader)
{
	uint64_t lost = lost_verdicts(&reader->state);
	struct pold_lost verdicts = {.namespace = "", .policy = "(network verdicts)"};

	pold_loss_each(reader->loss, print_loss, reader);
	if (lost <= reader->verdicts_told)
		return;
	verdicts.lost = lost - reader->verdicts_told;
	verdicts.lost_total = lost - reader->verdicts_lost;
	reader->verdicts_told = lost;
	print_loss(reader, &verdicts);
}

static void reader_read(struct pold_reader *reader)
{
	int result = ring_buffer__consume(reader->ring);

	if (result < 0 && result != -EINTR && result != -ECANCELED)
		pold_note("note: reading the events of %s: %s", reader->name, strerror(-result));
}

static void reader_free(struct pold_reader *reader)
{
	pold_events_close(reader);
	pold_loss_free(reader->loss);
	ring_buffer__free(reader->ring);
	polb_cleanup_fd(&reader->identities_fd);
	pold_state_close(&reader->state);
	polb_text_free(&reader->line);
	free(reader);
}

static void reader_finish(struct pold_reader *reader)
{
	if (reader->ring && !pold_stream_finished(reader->stream)) {
		reader_read(reader);
		pold_events_waiting(reader, pold_clock_ns(CLOCK_MONOTONIC), true);
		tell_loss(reader);
	}
	reader_free(reader);
}

static void take_node(struct pold_reader *reader)
{
	const struct pold_options *options = reader->stream->options;
	const char *node = options->node ? options->node : reader->state.archive->node;

	if (*node)
		snprintf(reader->node, sizeof(reader->node), "%.255s", node);
	else if (gethostname(reader->node, sizeof(reader->node) - 1))
		reader->node[0] = '\0';
}

static int reader_open(struct pold_reader *reader)
{
	POLB_FD events_fd = -1;
	int code = pold_state_open(&reader->state, reader->name, false);

	if (code)
		return code;
	pold_state_unlock(&reader->state);
	take_node(reader);
	events_fd = pold_state_map(&reader->state, "polt_events");
	reader->identities_fd = pold_identities_open(reader->name);
	if (events_fd >= 0)
		reader->ring = ring_buffer__new(events_fd, on_event, reader, NULL);
	if (!reader->ring)
		return pold_fail(POLD_ENVIRONMENT, "cannot open the events of %s: %s", reader->name,
			strerror(errno));
	reader->verdicts_lost = reader->verdicts_told = lost_verdicts(&reader->state);
	reader->loss = pold_loss_new(&reader->state);
	return pold_events_open(reader);
}

/* --- all of them ------------------------------------------------------------------------------ */

static uint32_t map_id(int fd)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);

	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 ? info.id : 0;
}

/* Is its generation in force under its name? A name removed and applied again has another cell. */
static bool is_current(const struct pold_reader *reader)
{
	POLB_FD control_fd = pold_pin_get(POLD_ROOT "/%s/control", reader->name);
	uint32_t generation = 0, epoch;

	return control_fd >= 0 && map_id(control_fd) == map_id(reader->state.control_fd) &&
	       polb_control_load(control_fd, &generation, &epoch) == 0 &&
	       generation == reader->state.generation;
}

static bool is_read(const struct pold_readers *readers, const char *name)
{
	for (size_t i = 0; i < readers->n; i++)
		if (strcmp(readers->items[i]->name, name) == 0)
			return true;
	return false;
}

static int add(struct pold_readers *readers, const char *name)
{
	struct pold_reader **items =
		realloc(readers->items, (readers->n + 1) * sizeof(struct pold_reader *));
	struct pold_reader *reader = items ? calloc(1, sizeof(*reader)) : NULL;
	struct epoll_event event = {.events = EPOLLIN};
	int code;

	if (items)
		readers->items = items;
	if (!reader)
		return pold_fail(POLD_ENVIRONMENT, "out of memory");
	*reader = (struct pold_reader){.stream = &readers->stream,
		.state = POLD_STATE_INIT,
		.identities_fd = -1,
		.config_fd = -1,
		.execs_fd = -1};
	snprintf(reader->name, sizeof(reader->name), "%s", name);
	code = reader_open(reader);
	if (!code && epoll_ctl(readers->epoll_fd, EPOLL_CTL_ADD,
			     ring_buffer__epoll_fd(reader->ring), &event))
		code = pold_fail(POLD_ENVIRONMENT, "cannot wait for events: %s", strerror(errno));
	if (code)
		reader_free(reader);
	else
		readers->items[readers->n++] = reader;
	return code;
}

static void let_go(struct pold_readers *readers)
{
	size_t kept = 0;

	for (size_t i = 0; i < readers->n; i++) {
		if (is_current(readers->items[i]))
			readers->items[kept++] = readers->items[i];
		else
			reader_finish(readers->items[i]);
	}
	readers->n = kept;
}

int pold_readers_follow(struct pold_readers *readers, bool first)
{
	const struct pold_options *options = readers->stream.options;
	POLB_FREE struct pold_name *names = NULL;
	size_t n = 0;
	int code = POLD_OK, err;

	let_go(readers);
	if (first && options->named)
		return add(readers, options->name);
	err = pold_names(&names, &n);
	if (err)
		return pold_fail(
			POLD_ENVIRONMENT, "cannot list what is applied: %s", strerror(-err));
	for (size_t i = 0; !code && i < n; i++)
		if (!is_read(readers, names[i].text) &&
			(!options->named || strcmp(options->name, names[i].text) == 0))
			code = add(readers, names[i].text);
	return first ? code : POLD_OK; /* it may be gone again, and has been complained of */
}

void pold_readers_read(struct pold_readers *readers)
{
	int64_t now_ns = pold_clock_ns(CLOCK_MONOTONIC);

	for (size_t i = 0; i < readers->n; i++) {
		reader_read(readers->items[i]);
		pold_events_waiting(readers->items[i], now_ns, false);
	}
}

void pold_readers_tell_loss(struct pold_readers *readers)
{
	for (size_t i = 0; i < readers->n; i++)
		tell_loss(readers->items[i]);
}

void pold_readers_close(struct pold_readers *readers)
{
	for (size_t i = 0; i < readers->n; i++)
		reader_finish(readers->items[i]);
	free(readers->items);
	readers->items = NULL;
	readers->n = 0;
	polb_cleanup_fd(&readers->epoll_fd);
	readers->epoll_fd = -1;
}
