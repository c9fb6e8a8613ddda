/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Records of polt_events as they come out of the ring, checked: sizes, counts and types are what
 * trace_abi.h says, or the record is refused. What is handed out borrows the record.
 */
#ifndef POLB_EVENT_RECORD_H
#define POLB_EVENT_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "trace_abi.h"

struct polb_slice {
	const char *data;
	size_t size;
};

/* A process at its exec. */
struct polb_process_info {
	__u64 exec_id, parent_exec_id;
	__u32 pid, parent_pid, ns_pid, auid;
	__u32 flags; /* POLB_PROCESS_*, POLB_EXEC_* */
	__u32 tid;
	__u64 cgroup;
	__u32 namespaces[POLB_N_NAMESPACES];
	struct polb_credentials credentials;
	__u32 secureexec;
	struct polb_slice binary, arguments, cwd, invoked;
};

struct polb_argument {
	struct polb_event_argument head;
	const void *payload; /* head.size bytes, of the size that its type needs */
};

struct polb_call {
	const struct polb_event_call *event;
	const char *arguments; /* event->arguments_size bytes */
	const __u64 *kernel_stack, *user_stack;
};

/* Each returns 0, or -EINVAL. Records are aligned to 8 bytes. */
int polb_exec_read(const void *data, size_t size, struct polb_process_info *out); /* polb_exec */
int polb_event_exec_read(
	const void *data, size_t size, __u64 *time_ns, struct polb_process_info *out);
int polb_event_exit_read(const void *data, size_t size, const struct polb_event_exit **out);
int polb_event_call_read(const void *data, size_t size, struct polb_call *out);
int polb_event_data_read(const void *data, size_t size, const struct polb_event_data **out,
	struct polb_slice *bytes);

/* Arguments of a checked call, in order; *at starts as 0. False at the end. */
bool polb_call_next(const struct polb_call *call, size_t *at, struct polb_argument *out);

/* Text behind the fixed part of a PATH, BYTES or UNIX payload. */
struct polb_slice polb_argument_tail(const struct polb_argument *argument, size_t fixed);

const char *polb_trace_type_name(__u8 type);
enum polb_trace_class polb_trace_class(__u8 type); /* NOTHING when there is no such type */

#endif
