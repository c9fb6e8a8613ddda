/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The reader's state: events.c (the loop, verdicts) and events_trace.c (tracing events). */
#ifndef POLD_EVENTS_READER_H
#define POLD_EVENTS_READER_H

#include "events.h"

struct ring_buffer;

struct pold_reader {
	const struct pold_options *options;
	struct pold_state state;
	struct ring_buffer *ring;
	int identities_fd;
	bool json;
	uint64_t seen, lost, malformed;
	int64_t monotonic_offset_ns, loss_told_ns;
	struct pold_filter filter;
	struct pold_output output;
	struct pold_loss *loss;
	struct polb_text line;
	/* tracing: of a generation */
	struct polb_event_style style;
	int config_fd, execs_fd;
	struct pold_cgroups *cgroups;
	/* tracing: of the reader */
	struct pold_processes *processes;
	struct pold_pieces *pieces;
	struct pold_symbols *symbols;
	struct pold_callbacks *callbacks;
	char node[256];
};

int pold_events_open(struct pold_reader *reader); /* exit code; does little without tracing */
void pold_events_close(struct pold_reader *reader);
void pold_events_free(struct pold_reader *reader);
/* One record of the ring, printed, kept or filtered. 0, or -EINVAL when it is malformed. */
int pold_events_event(struct pold_reader *reader, const void *data, size_t size);
/* Prints records whose pieces have come, or all that wait. */
void pold_events_waiting(struct pold_reader *reader, int64_t now_ns, bool all);

#endif
