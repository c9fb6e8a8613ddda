/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tracing events of the reader: what is known about their processes is put around them. */
#include "events_reader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/cleanup.h"
#include "trace.h"

#define MAX_RESTS 32u
#define BUILD_ID_BYTES 64u

/* This process's calls make no events while it reads. */
static void set_self(const struct pold_reader *reader, __u32 expected, __u32 self)
{
	struct polb_trace_config config;
	__u32 zero = 0;

	if (reader->config_fd < 0 || bpf_map_lookup_elem(reader->config_fd, &zero, &config) ||
		(expected && config.self_tgid != expected))
		return;
	config.self_tgid = self;
	bpf_map_update_elem(reader->config_fd, &zero, &config, BPF_ANY);
}

static int allocate(struct pold_reader *reader)
{
	struct pold_stream *stream = reader->stream;

	if (!stream->processes)
		stream->processes = pold_processes_new();
	if (!stream->symbols)
		stream->symbols = pold_symbols_new();
	if (stream->options->events.callbacks && !stream->callbacks)
		stream->callbacks = pold_callbacks_new();
	reader->pieces = pold_pieces_new();
	reader->cgroups = pold_cgroups_new(&reader->state);
	if (!stream->processes || !reader->pieces || !stream->symbols || !reader->cgroups)
		return pold_fail(POLD_ENVIRONMENT, "out of memory");
	return POLD_OK;
}

int pold_events_open(struct pold_reader *reader)
{
	const struct pold_event_options *events = &reader->stream->options->events;
	int code = allocate(reader);

	if (code)
		return code;
	reader->style = (struct polb_event_style){.bundle = &reader->state.bundle,
		.node = reader->node,
		.wall_offset_ns = reader->stream->wall_offset_ns,
		.caps = events->caps,
		.namespaces = events->namespaces,
		.stack_addresses = events->stack_addresses};
	pold_namespaces_read(1, reader->style.host_namespaces);
	if (!reader->state.bundle.n_trace_policies)
		return POLD_OK;
	reader->execs_fd = pold_state_map(&reader->state, "polt_execs");
	reader->config_fd = pold_state_map(&reader->state, "polt_trace_config");
	set_self(reader, 0, (__u32)getpid());
	pold_processes_load(reader->stream->processes, reader->execs_fd);
	return POLD_OK;
}

void pold_events_close(struct pold_reader *reader)
{
	set_self(reader, (__u32)getpid(), 0);
	polb_cleanup_fd(&reader->config_fd);
	polb_cleanup_fd(&reader->execs_fd);
	reader->config_fd = reader->execs_fd = -1;
	pold_cgroups_free(reader->cgroups);
	pold_pieces_free(reader->pieces);
	reader->cgroups = NULL;
	reader->pieces = NULL;
}

/* What is shown of one process; place keeps the container's id. */
static struct polb_event_process describe(struct pold_reader *reader,
	const struct polb_process_info *info, uint64_t cgroup, struct pold_cgroup_place *place)
{
	*place = *pold_cgroups_find(reader->cgroups, cgroup);
	return (struct polb_event_process){.info = info,
		.workload = place->workload,
		.container_id = place->container_id,
		.runtime = place->runtime,
		.pid = info ? info->pid : 0,
		.tid = info ? info->tid : 0,
		.exec_id = info ? info->exec_id : 0};
}

static const struct polb_process_info *find(struct pold_reader *reader, uint64_t exec_id,
	uint32_t pid, uint64_t parent_exec_id, uint32_t parent_pid)
{
	return pold_processes_find(reader->stream->processes, reader->execs_fd, exec_id, pid,
		parent_exec_id, parent_pid);
}

static void print(struct pold_reader *reader, const struct polb_event_view *event)
{
	struct pold_stream *stream = reader->stream;

	if (pold_stream_finished(stream) ||
		!pold_filter_event(&stream->filter, &reader->state.bundle, event))
		return;
	reader->style.wall_offset_ns = stream->wall_offset_ns;
	polb_text_clear(&reader->line);
	(stream->json ? polb_event_json : polb_event_compact)(&reader->line, &reader->style, event);
	stream->seen++;
	pold_stream_add(stream, (int64_t)event->time_ns + stream->wall_offset_ns, &reader->line);
}

/* Adds the parent, if anybody knows it, and prints. */
static void print_with_parent(struct pold_reader *reader, struct polb_event_view *event)
{
	const struct polb_process_info *info = event->process.info;
	const struct polb_process_info *parent_info =
		info ? find(reader, info->parent_exec_id, info->parent_pid, 0, 0) : NULL;
	struct polb_event_process parent;
	struct pold_cgroup_place place;

	if (parent_info) {
		parent = describe(reader, parent_info, parent_info->cgroup, &place);
		event->parent = &parent;
	}
	print(reader, event);
	event->parent = NULL;
}

static int on_exec(struct pold_reader *reader, const void *data, size_t size)
{
	struct polb_event_view event = {.type = POLB_EVENT_EXEC};
	const struct polb_process_info *kept;
	struct polb_process_info info;
	struct pold_cgroup_place place;
	__u64 time_ns;

	if (polb_event_exec_read(data, size, &time_ns, &info))
		return -EINVAL;
	event.time_ns = time_ns;
	kept = pold_processes_add(reader->stream->processes, &info);
	if (!kept)
		kept = &info;
	event.process = describe(reader, kept, kept->cgroup, &place);
	event.process.credentials = &kept->credentials;
	print_with_parent(reader, &event);
	return 0;
}

static int on_end(struct pold_reader *reader, const void *data, size_t size)
{
	struct polb_event_view event = {.type = POLB_EVENT_EXIT};
	const struct polb_event_exit *gone;
	const struct polb_process_info *info;
	struct pold_cgroup_place place;

	if (polb_event_exit_read(data, size, &gone))
		return -EINVAL;
	info = find(reader, gone->exec_id, gone->pid, 0, 0);
	event.time_ns = gone->time_ns;
	event.exit_code = gone->code;
	event.process = describe(reader, info, info ? info->cgroup : 0, &place);
	event.process.exec_id = gone->exec_id;
	event.process.pid = gone->pid;
	event.process.tid = gone->tid;
	print_with_parent(reader, &event);
	pold_processes_exited(reader->stream->processes, gone->exec_id, gone->pid);
	return 0;
}

static void perform(struct pold_reader *reader, const struct polb_event_call *call, __u32 selector)
{
	const struct polb_bundle *bundle = &reader->state.bundle;
	__u64 actions = call->actions | call->return_actions;
	const struct polb_bundle_trace_selector *from;

	if (!reader->stream->callbacks || selector >= bundle->n_trace_selectors)
		return;
	from = &bundle->trace_selectors[selector];
	if (actions & 1u << POLB_ACTION_GET_URL)
		pold_callbacks_url(
			reader->stream->callbacks, polb_bundle_string(bundle, from->url));
	if (actions & 1u << POLB_ACTION_DNS_LOOKUP)
		pold_callbacks_name(
			reader->stream->callbacks, polb_bundle_string(bundle, from->fqdn));
}

static size_t read_build_id(const struct polb_call *call, unsigned char out[BUILD_ID_BYTES])
{
	struct polb_argument argument;
	size_t at = 0;

	if (!polb_call_next(call, &at, &argument) || argument.head.error != POLB_ARGUMENT_OK ||
		polb_trace_class(argument.head.type) != POLB_CLASS_PATH)
		return 0;
	return pold_build_id(call->event->current_pid,
		polb_argument_tail(&argument, sizeof(struct polb_payload_path)), out,
		BUILD_ID_BYTES);
}

/* Our own program and what called it are not the call's. */
static size_t own_frames(const struct polb_frame *frames, size_t n)
{
	size_t i = 0;

	while (i < n && (strncmp(frames[i].symbol, "bpf_prog_", 9) == 0 ||
				strncmp(frames[i].symbol, "bpf_trampoline_", 15) == 0))
		i++;
	return i;
}

/* Symbols for both stacks in one array, the caller's to free. */
static struct polb_frame *symbolise(struct pold_reader *reader, struct polb_event_view *event)
{
	const struct polb_event_call *call = event->call.event;
	size_t n = (size_t)call->kernel_stack + call->user_stack;
	struct polb_frame *frames = n ? calloc(n, sizeof(*frames)) : NULL;
	size_t own;

	if (!frames)
		return NULL;
	pold_symbols_kernel(reader->stream->symbols, (const uint64_t *)event->call.kernel_stack,
		call->kernel_stack, frames);
	pold_symbols_user(reader->stream->symbols, call->current_pid,
		(const uint64_t *)event->call.user_stack, call->user_stack,
		frames + call->kernel_stack);
	own = own_frames(frames, call->kernel_stack);
	event->kernel_stack = frames + own;
	event->n_kernel_stack = call->kernel_stack - own;
	event->user_stack = frames + call->kernel_stack;
	event->n_user_stack = call->user_stack;
	return frames;
}

static struct polb_event_process caller(struct pold_reader *reader,
	const struct polb_event_call *call, struct pold_cgroup_place *place)
{
	const struct polb_process_info *info =
		find(reader, call->exec_id, call->pid, call->parent_exec_id, call->parent_pid);
	struct polb_event_process process = describe(reader, info, call->cgroup, place);

	process.exec_id = call->exec_id;
	process.pid = call->pid;
	process.tid = call->tid;
	process.credentials = &call->credentials;
	process.namespaces = call->namespaces;
	process.unknown = call->process_unknown;
	return process;
}

static void print_call(struct pold_reader *reader, const struct polb_call *call)
{
	struct polb_event_view event = {.type = call->event->type, .call = *call};
	struct polb_event_rest rests[MAX_RESTS];
	POLB_FREE struct polb_frame *frames = NULL;
	unsigned char build_id[BUILD_ID_BYTES];
	struct pold_cgroup_place place;

	event.time_ns = call->event->time_ns;
	event.process = caller(reader, call->event, &place);
	event.rests = rests;
	event.n_rests = pold_pieces_rests(reader->pieces, call, rests, MAX_RESTS);
	if (event.type == POLB_EVENT_LOADER)
		event.build_id =
			(struct polb_slice){(const char *)build_id, read_build_id(call, build_id)};
	else if (pold_filter_event(&reader->stream->filter, &reader->state.bundle, &event))
		frames = symbolise(reader, &event);
	print_with_parent(reader, &event);
	pold_pieces_drop(reader->pieces, call);
}

static int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int on_call(struct pold_reader *reader, const void *data, size_t size)
{
	struct polb_call call;

	if (polb_event_call_read(data, size, &call) ||
		!polb_event_call_known(&reader->state.bundle, call.event))
		return -EINVAL;
	perform(reader, call.event, call.event->selector);
	if (call.event->return_selector != call.event->selector)
		perform(reader, call.event, call.event->return_selector);
	if (pold_pieces_missing(reader->pieces, &call) &&
		pold_pieces_wait(reader->pieces, data, size, monotonic_ns()))
		return 0;
	print_call(reader, &call);
	return 0;
}

static int on_data(struct pold_reader *reader, const void *data, size_t size)
{
	const struct polb_event_data *event;
	struct polb_slice bytes;

	if (polb_event_data_read(data, size, &event, &bytes))
		return -EINVAL;
	pold_pieces_add(reader->pieces, event, bytes);
	if (event->last)
		pold_events_waiting(reader, monotonic_ns(), false);
	return 0;
}

void pold_events_waiting(struct pold_reader *reader, int64_t now_ns, bool all)
{
	size_t size;

	for (;;) {
		POLB_FREE void *record = pold_pieces_ready(reader->pieces, now_ns, all, &size);
		struct polb_call call;

		if (!record)
			return;
		if (polb_event_call_read(record, size, &call) == 0)
			print_call(reader, &call);
	}
}

int pold_events_event(struct pold_reader *reader, const void *data, size_t size)
{
	switch (*(const uint8_t *)data) {
	case POLB_EVENT_EXEC:
		return on_exec(reader, data, size);
	case POLB_EVENT_EXIT:
		return on_end(reader, data, size);
	case POLB_EVENT_CALL:
	case POLB_EVENT_LOADER:
		return on_call(reader, data, size);
	case POLB_EVENT_DATA:
		return on_data(reader, data, size);
	default:
		return -EINVAL;
	}
}
