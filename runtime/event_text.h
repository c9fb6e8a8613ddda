/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tracing events as text: JSON lines in Tetragon's shapes (GetEventsResponse as protojson with
 * proto names; fields that Tetragon lacks are additional ones), and compact lines. Pure: whoever
 * calls has looked up processes, workloads, symbols and build ids.
 */
#ifndef POLB_EVENT_TEXT_H
#define POLB_EVENT_TEXT_H

#include "bundle.h"
#include "event_record.h"
#include "text.h"

/* What is the same for all events of a stream. */
struct polb_event_style {
	const struct polb_bundle *bundle;
	const char *node;
	int64_t wall_offset_ns;                   /* wall clock minus boot time */
	__u32 host_namespaces[POLB_N_NAMESPACES]; /* 0: unknown */
	bool caps, namespaces, stack_addresses;   /* what Tetragon shows on demand only */
};

/* What runs in a cgroup; texts are "" where nothing is known. */
struct polb_event_workload {
	const char *namespace, *pod, *container, *image;
	const struct polb_label *labels;
	size_t n_labels;
};

struct polb_event_process {
	const struct polb_process_info *info; /* NULL: nothing but the members below is known */
	__u32 pid, tid;
	__u64 exec_id;
	const struct polb_credentials *credentials; /* at event time; NULL: not told */
	const __u32 *namespaces;                    /* likewise */
	const struct polb_event_workload *workload; /* NULL: none that is known */
	const char *container_id;                   /* hexadecimal, "": none */
	const char *runtime;                        /* "containerd", "": not known */
	bool unknown;                               /* the kernel's side had no record of it */
};

struct polb_frame {
	__u64 address, offset;
	const char *symbol, *module; /* "": not known */
};

/* What DATA events brought for the argument with this id. */
struct polb_event_rest {
	__u64 id;
	struct polb_slice bytes;
};

struct polb_event_view {
	__u8 type; /* POLB_EVENT_EXEC, EXIT, CALL, LOADER */
	__u64 time_ns;
	struct polb_event_process process;
	const struct polb_event_process *parent; /* NULL: not known */
	__u32 exit_code;                         /* EXIT */
	struct polb_call call;                   /* CALL, LOADER */
	const struct polb_event_rest *rests;
	size_t n_rests;
	const struct polb_frame *kernel_stack, *user_stack;
	size_t n_kernel_stack, n_user_stack;
	struct polb_slice build_id; /* LOADER */
};

/* One line without its newline. */
void polb_event_json(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e);
void polb_event_compact(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e);

/* The kinds of lines. X(NAME, "word of --type", "member of the JSON object") */
#define POLB_EVENT_KINDS(X)                                                                        \
	X(EXEC, "exec", "process_exec")                                                            \
	X(EXIT, "exit", "process_exit")                                                            \
	X(KPROBE, "kprobe", "process_kprobe")                                                      \
	X(TRACEPOINT, "tracepoint", "process_tracepoint")                                          \
	X(LSM, "lsm", "process_lsm")                                                               \
	X(UPROBE, "uprobe", "process_uprobe")                                                      \
	X(USDT, "usdt", "process_usdt")                                                            \
	X(LOADER, "loader", "process_loader")                                                      \
	X(VERDICT, "verdict", "verdict")
enum polb_event_kind {
#define X(name, word, member) POLB_KIND_##name,
	POLB_EVENT_KINDS(X)
#undef X
		POLB_N_EVENT_KINDS
};
/* Of a view whose call names a spec of the bundle (polb_event_call_known). */
enum polb_event_kind polb_event_kind(
	const struct polb_bundle *bundle, const struct polb_event_view *e);
/* Do spec, selectors and function of a call exist in the bundle? */
bool polb_event_call_known(const struct polb_bundle *bundle, const struct polb_event_call *call);

/* "2026-01-02T03:04:05.000000006Z" */
#define POLB_TIME_TEXT 48
void polb_time_text(int64_t wall_ns, char out[POLB_TIME_TEXT]);
/* Absolute path of what was executed: as invoked, joined with the directory, cleaned. */
void polb_process_binary(struct polb_text *out, const struct polb_process_info *info);
/* Arguments in one line: those with spaces in quotes. */
void polb_process_arguments(struct polb_text *out, const struct polb_process_info *info);
void polb_process_cwd(struct polb_text *out, const struct polb_process_info *info);
/* base64("node:ktime:pid") */
void polb_exec_id_text(struct polb_text *out, const char *node, __u64 exec_id, __u32 pid);

#endif
