/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The readers' state: one stream, and for each bundle in force a reader of its ring. events.c has
 * the loop, events_follow.c which readers there are, events_trace.c tracing events.
 */
#ifndef POLD_EVENTS_READER_H
#define POLD_EVENTS_READER_H

#include "events.h"

struct ring_buffer;

/* events_stream.c: what all readers share. Lines of a round are put in order of their times. */
struct pold_stream {
	const struct pold_options *options;
	bool json;
	uint64_t seen, malformed;
	int64_t wall_offset_ns, monotonic_offset_ns; /* wall clock minus boot time, monotonic */
	struct pold_filter filter;
	struct pold_output output;
	struct pold_processes *processes;
	struct pold_symbols *symbols;
	struct pold_callbacks *callbacks;
	struct pold_stream_line {
		int64_t wall_ns;
		uint64_t number; /* of lines with the same time, the earlier one first */
		struct polb_text text;
	} * lines;
	size_t n, cap;
	uint64_t bytes, number;
};
/* Takes the text, which is empty then. */
void pold_stream_add(struct pold_stream *stream, int64_t wall_ns, struct polb_text *text);
void pold_stream_flush(struct pold_stream *stream);
void pold_stream_free(struct pold_stream *stream);
bool pold_stream_finished(const struct pold_stream *stream); /* --count lines were shown */
void pold_notify_ready(void); /* tells the service manager that started this, if one did */

struct pold_reader {
	struct pold_stream *stream;
	char name[64];
	struct pold_state state;
	struct ring_buffer *ring;
	int identities_fd;
	uint64_t verdicts_lost, verdicts_told; /* of the generation: when the reader began, told */
	struct pold_loss *loss;
	struct polb_text line;
	char node[256];
	/* tracing */
	struct polb_event_style style;
	int config_fd, execs_fd;
	struct pold_cgroups *cgroups;
	struct pold_pieces *pieces;
};

/* events_follow.c: the readers, by name. */
struct pold_readers {
	struct pold_stream stream;
	struct pold_reader **items;
	size_t n;
	int epoll_fd;
};
/*
 * Opens what has come into force, and closes what is no more, when its ring is empty. `first`: a
 * bundle that was asked for by name must be there. Exit code.
 */
int pold_readers_follow(struct pold_readers *readers, bool first);
void pold_readers_read(struct pold_readers *readers); /* all that the rings hold */
void pold_readers_tell_loss(struct pold_readers *readers);
void pold_readers_close(struct pold_readers *readers); /* prints what still waits */

int pold_events_open(struct pold_reader *reader); /* exit code; does little without tracing */
void pold_events_close(struct pold_reader *reader);
/* One record of the ring, printed, kept or filtered. 0, or -EINVAL when it is malformed. */
int pold_events_event(struct pold_reader *reader, const void *data, size_t size);
/* Prints records whose pieces have come, or all that wait. */
void pold_events_waiting(struct pold_reader *reader, int64_t now_ns, bool all);

int64_t pold_clock_ns(int clock);

#endif
