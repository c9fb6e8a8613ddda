/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The stream that all readers write to: lines of one round in order of time, then out. */
#include "events_reader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "runtime/cleanup.h"

/* A round that holds more is written in parts, each in order. */
#define MAX_LINES 65536u
#define MAX_BYTES (64u << 20)

int64_t pold_clock_ns(int clock)
{
	struct timespec now;

	clock_gettime((clockid_t)clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool pold_stream_finished(const struct pold_stream *stream)
{
	return stream->output.failed ||
	       (stream->options->count && stream->seen >= stream->options->count);
}

static bool grow(struct pold_stream *stream)
{
	size_t cap = stream->cap ? stream->cap * 2 : 256;
	struct pold_stream_line *lines = realloc(stream->lines, cap * sizeof(*lines));

	if (!lines)
		return false;
	stream->lines = lines;
	stream->cap = cap;
	return true;
}

void pold_stream_add(struct pold_stream *stream, int64_t wall_ns, struct polb_text *text)
{
	if (stream->n == MAX_LINES || stream->bytes > MAX_BYTES)
		pold_stream_flush(stream);
	if (stream->n == stream->cap && !grow(stream)) {
		pold_output_line(&stream->output, text);
		return;
	}
	stream->bytes += text->size;
	stream->lines[stream->n++] = (struct pold_stream_line){wall_ns, stream->number++, *text};
	*text = (struct polb_text){0};
}

static int compare(const void *a, const void *b)
{
	const struct pold_stream_line *x = a, *y = b;
	int order = (x->wall_ns > y->wall_ns) - (x->wall_ns < y->wall_ns);

	return order ? order : (x->number > y->number) - (x->number < y->number);
}

void pold_stream_flush(struct pold_stream *stream)
{
	if (stream->n)
		qsort(stream->lines, stream->n, sizeof(*stream->lines), compare);
	for (size_t i = 0; i < stream->n; i++) {
		pold_output_line(&stream->output, &stream->lines[i].text);
		polb_text_free(&stream->lines[i].text);
	}
	stream->n = 0;
	stream->bytes = 0;
}

void pold_stream_free(struct pold_stream *stream)
{
	pold_stream_flush(stream);
	free(stream->lines);
	stream->lines = NULL;
	pold_callbacks_free(stream->callbacks);
	pold_symbols_free(stream->symbols);
	pold_processes_free(stream->processes);
}

/* systemd's protocol: one datagram; '@' is the abstract namespace. */
void pold_notify_ready(void)
{
	static const char ready[] = "READY=1";
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	POLB_FD fd = -1;

	if (n < 2 || n >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, ready, sizeof(ready) - 1, MSG_NOSIGNAL, (struct sockaddr *)&to,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		pold_note("note: the service manager cannot be told that this is ready");
}
