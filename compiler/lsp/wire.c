/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Messages of the base protocol: headers, a blank line, so many bytes of JSON. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lsp.h"

#define MESSAGE_BYTES_MAX ((size_t)64 << 20)
#define LINE_BYTES_MAX 4096

/* Moves what is left to the front and makes room. */
static void make_room(struct lsp_input *in, size_t want)
{
	if (in->at)
		memmove(in->p, in->p + in->at, in->n - in->at);
	in->n -= in->at;
	in->at = 0;
	if (in->cap - in->n >= want)
		return;
	size_t cap = in->cap ? in->cap : 65536;

	while (cap - in->n < want)
		cap *= 2;
	in->p = realloc(in->p, cap);
	in->cap = cap;
	if (!in->p) {
		polc_environment_error("out of memory");
		exit(POLC_EXIT_ENVIRONMENT);
	}
}

static enum lsp_read fill(struct lsp_input *in, int timeout_ms)
{
	struct pollfd poller = {.fd = in->fd, .events = POLLIN};
	int ready;
	ssize_t got;

	do
		ready = poll(&poller, 1, timeout_ms);
	while (ready < 0 && errno == EINTR);
	if (!ready)
		return LSP_READ_TIMEOUT;
	make_room(in, 65536);
	do
		got = read(in->fd, in->p + in->n, in->cap - in->n);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return LSP_READ_END;
	in->n += (size_t)got;
	return LSP_READ_MESSAGE;
}

static const char content_length[] = "Content-Length:";

/* The number behind a Content-Length, or 0. */
static size_t length_of(const char *line, size_t n)
{
	size_t skip = sizeof(content_length) - 1, value = 0;

	if (n < skip || strncasecmp(line, content_length, skip))
		return 0;
	while (skip < n && line[skip] == ' ')
		skip++;
	for (; skip < n && line[skip] >= '0' && line[skip] <= '9' && value < SIZE_MAX / 16; skip++)
		value = value * 10 + (size_t)(line[skip] - '0');
	return value;
}

/* What is no header at all is passed over; so is a line without end. */
static bool take_line(struct lsp_input *in, const char **line, size_t *n)
{
	const char *begin = in->p + in->at, *end = NULL;
	size_t left = in->n - in->at;

	if (left)
		end = memchr(begin, '\n', left);
	if (!end && left > LINE_BYTES_MAX) {
		in->at = in->n;
		return false;
	}
	if (!end)
		return false;
	*line = begin;
	*n = (size_t)(end - begin);
	in->at += *n + 1;
	if (*n && begin[*n - 1] == '\r')
		(*n)--;
	return true;
}

/* Reads to the end of the headers. */
static enum lsp_read read_headers(struct lsp_input *in, int timeout_ms, size_t *length)
{
	enum lsp_read result;
	const char *line;
	size_t n;

	*length = 0;
	for (;;) {
		while (take_line(in, &line, &n)) {
			size_t value = length_of(line, n);

			if (value)
				*length = value;
			else if (!n && *length)
				return LSP_READ_MESSAGE;
		}
		/* in the middle of a message there is nothing better to do than to wait */
		result = fill(in, in->n > in->at || *length ? -1 : timeout_ms);
		if (result != LSP_READ_MESSAGE)
			return result;
	}
}

static enum lsp_read skip(struct lsp_input *in, size_t length)
{
	while (length > in->n - in->at) {
		length -= in->n - in->at;
		in->at = in->n;
		if (fill(in, -1) == LSP_READ_END)
			return LSP_READ_END;
	}
	in->at += length;
	return LSP_READ_MESSAGE;
}

enum lsp_read lsp_input_read(struct lsp_input *in, int timeout_ms, const char **out, size_t *n)
{
	enum lsp_read result = read_headers(in, timeout_ms, n);

	if (result != LSP_READ_MESSAGE)
		return result;
	if (*n > MESSAGE_BYTES_MAX) {
		*out = "";
		result = skip(in, *n);
		*n = 0; /* no JSON: the client learns that it was not understood */
		return result;
	}
	while (in->n - in->at < *n)
		if (fill(in, -1) == LSP_READ_END)
			return LSP_READ_END;
	*out = in->p + in->at;
	in->at += *n;
	return LSP_READ_MESSAGE;
}

void lsp_input_free(struct lsp_input *in)
{
	free(in->p);
}

void lsp_send(json_t *message)
{
	char *text = json_dumps(message, JSON_COMPACT);

	if (!text)
		POLC_BUG("lsp: a message that is no JSON");
	printf("Content-Length: %zu\r\n\r\n%s", strlen(text), text);
	fflush(stdout);
	free(text);
	json_decref(message);
}

void lsp_notify(const char *method, json_t *params)
{
	lsp_send(json_pack("{s:s,s:s,s:o}", "jsonrpc", "2.0", "method", method, "params", params));
}
