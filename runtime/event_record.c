/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Checks records; knows their layout only. */
#include "event_record.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define ALIGNMENT 8u

static const struct {
	const char *name;
	enum polb_trace_class class;
} types[] = {
#define X(id, text, class, width, is_signed) {text, POLB_CLASS_##class},
	POLB_TRACE_TYPES(X)
#undef X
};

const char *polb_trace_type_name(__u8 type)
{
	return type < POLB_N_TRACE_TYPES ? types[type].name : "?";
}

enum polb_trace_class polb_trace_class(__u8 type)
{
	return type < POLB_N_TRACE_TYPES ? types[type].class : POLB_CLASS_NOTHING;
}

static struct polb_slice slice(const char *data, size_t size)
{
	return (struct polb_slice){data, size};
}

/* The next text of an exec record. */
static struct polb_slice take_text(const char **at, size_t size)
{
	struct polb_slice text = slice(*at, size);

	*at += size;
	return text;
}

static bool exec_fits(const struct polb_exec *exec, size_t size)
{
	const size_t head = offsetof(struct polb_exec, text);

	return size >= head && exec->binary_size <= POLB_EXEC_BINARY &&
	       exec->arguments_size <= POLB_EXEC_ARGUMENTS && exec->cwd_size <= POLB_EXEC_CWD &&
	       exec->invoked_size <= POLB_EXEC_BINARY && polb_exec_text_size(exec) <= size - head;
}

int polb_exec_read(const void *data, size_t size, struct polb_process_info *out)
{
	const struct polb_exec *exec = data;
	const char *at;

	if (!exec_fits(exec, size))
		return -EINVAL;
	*out = (struct polb_process_info){
		.exec_id = exec->exec_id,
		.parent_exec_id = exec->parent_exec_id,
		.pid = exec->pid,
		.parent_pid = exec->parent_pid,
		.ns_pid = exec->ns_pid,
		.auid = exec->auid,
		.flags = exec->flags,
		.tid = exec->tid,
		.cgroup = exec->cgroup,
		.credentials = exec->credentials,
		.secureexec = exec->secureexec,
	};
	memcpy(out->namespaces, exec->namespaces, sizeof(out->namespaces));
	at = exec->text;
	out->binary = take_text(&at, exec->binary_size);
	out->arguments = take_text(&at, exec->arguments_size);
	out->cwd = take_text(&at, exec->cwd_size);
	out->invoked = take_text(&at, exec->invoked_size);
	return 0;
}

int polb_event_exec_read(
	const void *data, size_t size, __u64 *time_ns, struct polb_process_info *out)
{
	const struct polb_event_exec *event = data;
	const size_t head = offsetof(struct polb_event_exec, exec);

	if (size < head || event->type != POLB_EVENT_EXEC)
		return -EINVAL;
	*time_ns = event->time_ns;
	return polb_exec_read(&event->exec, size - head, out);
}

int polb_event_exit_read(const void *data, size_t size, const struct polb_event_exit **out)
{
	const struct polb_event_exit *event = data;

	if (size < sizeof(*event) || event->type != POLB_EVENT_EXIT)
		return -EINVAL;
	*out = event;
	return 0;
}

int polb_event_data_read(
	const void *data, size_t size, const struct polb_event_data **out, struct polb_slice *bytes)
{
	const struct polb_event_data *event = data;

	if (size < sizeof(*event) || event->type != POLB_EVENT_DATA ||
		event->size > size - sizeof(*event))
		return -EINVAL;
	*out = event;
	*bytes = slice((const char *)data + sizeof(*event), event->size);
	return 0;
}

static size_t record_size(__u8 type)
{
	switch (type) {
	case POLB_TYPE_CRED:
		return sizeof(struct polb_payload_cred);
	case POLB_TYPE_USER_NAMESPACE:
		return sizeof(struct polb_payload_user_namespace);
	case POLB_TYPE_BPF_ATTR:
		return sizeof(struct polb_payload_bpf_attr);
	case POLB_TYPE_BPF_PROG:
		return sizeof(struct polb_payload_bpf_prog);
	case POLB_TYPE_BPF_MAP:
		return sizeof(struct polb_payload_bpf_map);
	case POLB_TYPE_PERF_EVENT:
		return sizeof(struct polb_payload_perf_event);
	case POLB_TYPE_MODULE:
		return sizeof(struct polb_payload_module);
	case POLB_TYPE_LOAD_INFO:
		return sizeof(struct polb_payload_load_info);
	default:
		return SIZE_MAX; /* no such record */
	}
}

static bool payload_fits(const struct polb_event_argument *head)
{
	if (head->place == POLB_ARGUMENT_HASH)
		return head->type == POLB_TYPE_NOP &&
		       head->size == sizeof(struct polb_payload_hash);
	switch (polb_trace_class(head->type)) {
	case POLB_CLASS_NOTHING:
		return head->size == 0;
	case POLB_CLASS_INT:
	case POLB_CLASS_CAPS:
		return head->size == sizeof(__u64);
	case POLB_CLASS_STRING:
		return true;
	case POLB_CLASS_BYTES:
		return head->size >= sizeof(struct polb_payload_bytes);
	case POLB_CLASS_PATH:
		return head->size >= sizeof(struct polb_payload_path);
	case POLB_CLASS_NET:
		return head->size == sizeof(struct polb_payload_net);
	case POLB_CLASS_UNIX:
		return head->size >= 1;
	case POLB_CLASS_RECORD:
		return head->size == record_size(head->type);
	}
	return false;
}

static size_t padded(size_t size)
{
	return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* The argument at `at`, 0 at the end, -EINVAL when it is none. */
static int argument_at(const char *arguments, size_t size, size_t *at, struct polb_argument *out)
{
	size_t left = size - *at;

	if (left == 0)
		return 0;
	if (left < sizeof(out->head))
		return -EINVAL;
	memcpy(&out->head, arguments + *at, sizeof(out->head));
	left -= sizeof(out->head);
	if (out->head.type >= POLB_N_TRACE_TYPES || out->head.place > POLB_ARGUMENT_HASH ||
		out->head.size > left || padded(out->head.size) > left)
		return -EINVAL;
	if (out->head.error == POLB_ARGUMENT_OK && !payload_fits(&out->head))
		return -EINVAL;
	out->payload = arguments + *at + sizeof(out->head);
	*at += sizeof(out->head) + padded(out->head.size);
	return 1;
}

int polb_event_call_read(const void *data, size_t size, struct polb_call *out)
{
	const struct polb_event_call *event = data;
	const char *arguments = (const char *)data + sizeof(*event);
	struct polb_argument argument;
	size_t at = 0, stacks;
	int more;

	if (size < sizeof(*event) ||
		(event->type != POLB_EVENT_CALL && event->type != POLB_EVENT_LOADER) ||
		event->arguments_size > size - sizeof(*event) ||
		event->arguments_size % ALIGNMENT != 0)
		return -EINVAL;
	stacks = ((size_t)event->kernel_stack + event->user_stack) * sizeof(__u64);
	if (stacks > size - sizeof(*event) - event->arguments_size)
		return -EINVAL;
	do
		more = argument_at(arguments, event->arguments_size, &at, &argument);
	while (more > 0);
	if (more < 0)
		return more;
	*out = (struct polb_call){.event = event, .arguments = arguments};
	out->kernel_stack = (const __u64 *)(const void *)(arguments + event->arguments_size);
	out->user_stack = out->kernel_stack + event->kernel_stack;
	return 0;
}

bool polb_call_next(const struct polb_call *call, size_t *at, struct polb_argument *out)
{
	return argument_at(call->arguments, call->event->arguments_size, at, out) > 0;
}

struct polb_slice polb_argument_tail(const struct polb_argument *argument, size_t fixed)
{
	if (argument->head.size < fixed)
		return slice("", 0);
	return slice((const char *)argument->payload + fixed, argument->head.size - fixed);
}
