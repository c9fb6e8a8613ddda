/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The reader of events in its parts; loader/events*.c and symbols.c share this and nothing else. */
#ifndef POLD_EVENTS_H
#define POLD_EVENTS_H

#include <regex.h>
#include <stdio.h>

#include "loader.h"
#include "runtime/event_text.h"

/* events_output.c: where lines go. */
struct pold_output {
	const char *path; /* NULL: standard output */
	FILE *file;
	uint64_t bytes, limit; /* limit 0: never rotated */
	unsigned int keep;     /* old files: path.1 .. path.keep */
	bool failed;
};
int pold_output_open(struct pold_output *output, const struct pold_event_options *options);
void pold_output_line(struct pold_output *output, const struct polb_text *line);
void pold_output_reopen(struct pold_output *output); /* after somebody renamed it */
int pold_output_close(struct pold_output *output);   /* exit code */

/* events_filter.c */
struct pold_filter {
	const struct pold_options *options;
	uint32_t kinds;    /* bits of enum polb_event_kind */
	uint32_t verdicts; /* bits of enum polb_verdict; 0: all */
	regex_t process;
	bool has_process;
};
int pold_filter_open(struct pold_filter *filter, const struct pold_options *options);
void pold_filter_close(struct pold_filter *filter);
bool pold_filter_kind(const struct pold_filter *filter, enum polb_event_kind kind);
bool pold_filter_policy(const struct pold_filter *filter, const char *namespace, const char *name);
bool pold_filter_event(const struct pold_filter *filter, const struct polb_bundle *bundle,
	const struct polb_event_view *event);
/* A verdict: endpoint as "namespace/name". */
bool pold_filter_verdict(const struct pold_filter *filter, const struct polb_bundle *bundle,
	const struct polb_event *event, const char *endpoint);

/* events_network.c: a verdict's line; false when the filter does not want it. */
struct pold_reader;
bool pold_verdict_line(
	struct polb_text *out, const struct pold_reader *reader, const struct polb_event *event);

/* events_cgroup.c: cgroup ids to workloads, the bundle's and told ones, and container ids. */
struct pold_cgroup_place {
	uint64_t id;
	const struct polb_event_workload *workload; /* NULL: none; until the next find */
	char container_id[65];
	char runtime[16];
};
struct pold_cgroups;
struct pold_cgroups *pold_cgroups_new(
	const struct pold_state *state); /* borrows; NULL: no memory */
void pold_cgroups_free(struct pold_cgroups *cgroups);
/* Never NULL; valid until the next call. Remembers cgroups that are gone by now. */
const struct pold_cgroup_place *pold_cgroups_find(struct pold_cgroups *cgroups, uint64_t id);

/* events_processes.c: what is known about processes, by exec id and pid. */
struct pold_processes;
struct pold_processes *pold_processes_new(void); /* NULL: no memory */
void pold_processes_free(struct pold_processes *processes);
/* Keeps a copy of `info` and its texts; replaces an older one. NULL: no memory. */
const struct polb_process_info *pold_processes_add(
	struct pold_processes *processes, const struct polb_process_info *info);
/* All of polt_execs. */
void pold_processes_load(struct pold_processes *processes, int execs_fd);
/*
 * The program run (exec_id, pid); looks into polt_execs and /proc when it is not known yet.
 * parent_*: whose program a process without an exec of its own runs. NULL: nowhere.
 */
const struct polb_process_info *pold_processes_find(struct pold_processes *processes, int execs_fd,
	uint64_t exec_id, uint32_t pid, uint64_t parent_exec_id, uint32_t parent_pid);
/* It ended: kept until enough others have ended after it, for its children's events. */
void pold_processes_exited(struct pold_processes *processes, uint64_t exec_id, uint32_t pid);

/* events_data.c: pieces of long arguments, and calls that wait for theirs. */
struct pold_pieces;
struct pold_pieces *pold_pieces_new(void); /* NULL: no memory */
void pold_pieces_free(struct pold_pieces *pieces);
void pold_pieces_add(
	struct pold_pieces *pieces, const struct polb_event_data *data, struct polb_slice bytes);
/* Ids of the record's arguments whose last piece has not come yet. */
bool pold_pieces_missing(const struct pold_pieces *pieces, const struct polb_call *call);
/* Keeps a copy of the record until its pieces are there, or `now_ns` is later by a while. */
bool pold_pieces_wait(struct pold_pieces *pieces, const void *record, size_t size, int64_t now_ns);
/* The next record that need not wait any longer, malloc'd: the caller's. NULL: none. */
void *pold_pieces_ready(struct pold_pieces *pieces, int64_t now_ns, bool all, size_t *size);
/* Fills rests (at most max) for a call; borrowed until pold_pieces_drop. */
size_t pold_pieces_rests(const struct pold_pieces *pieces, const struct polb_call *call,
	struct polb_event_rest *rests, size_t max);
void pold_pieces_drop(struct pold_pieces *pieces, const struct polb_call *call);

/* events_loss.c: what did not reach the ring, per policy. */
struct pold_loss;
struct pold_loss *pold_loss_new(const struct pold_state *state); /* NULL: nothing to count */
void pold_loss_free(struct pold_loss *loss);
/* Calls back for every policy that lost events since the last time. */
struct pold_lost {
	const char *namespace, *policy;
	uint64_t lost, over_limit;             /* since the last time */
	uint64_t lost_total, over_limit_total; /* since the reader began */
};
void pold_loss_each(struct pold_loss *loss,
	void (*call)(void *context, const struct pold_lost *lost), void *context);
void pold_loss_line(struct polb_text *out, const char *bundle, const struct pold_lost *lost,
	const char *node, int64_t wall_ns, bool json);

/* events_callback.c: GetUrl and DnsLookup, in a thread of their own. */
struct pold_callbacks;
struct pold_callbacks *pold_callbacks_new(void); /* NULL: no thread */
void pold_callbacks_free(struct pold_callbacks *callbacks);
void pold_callbacks_url(struct pold_callbacks *callbacks, const char *url);
void pold_callbacks_name(struct pold_callbacks *callbacks, const char *name);

/* symbols.c: addresses of stacks. Frames borrow the symbols. */
struct pold_symbols;
struct pold_symbols *pold_symbols_new(void); /* NULL: no memory */
void pold_symbols_free(struct pold_symbols *symbols);
void pold_symbols_kernel(
	struct pold_symbols *symbols, const uint64_t *addresses, size_t n, struct polb_frame *out);
void pold_symbols_user(struct pold_symbols *symbols, uint32_t pid, const uint64_t *addresses,
	size_t n, struct polb_frame *out);
/* Build id of a file as a process sees it: at most max bytes. 0: none. */
size_t pold_build_id(uint32_t pid, struct polb_slice path, unsigned char *out, size_t max);

#endif
