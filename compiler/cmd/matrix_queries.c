/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Questions from a file: one flat JSON object per line. A small reader of its own, because tens of
 * thousands of lines are normal and each is four short fields.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/bundle.h"
#include "matrix.h"

struct query {
	const char *src, *dst, *proto;
	uint32_t port;
};

/* A line being read; spans are offsets into the whole file. */
struct line {
	struct polc_cmd *cmd;
	uint32_t source;
	const char *text; /* of the whole file */
	size_t at, end;
};

static bool complain_at(struct line *line, struct polc_span span, const char *message)
{
	polc_error(&line->cmd->polc, span, POLC_CODE_QUESTION, "%s", message);
	return false;
}

static bool complain(struct line *line, const char *message)
{
	struct polc_span span = {line->source, (uint32_t)line->at, (uint32_t)line->at + 1};

	return complain_at(line, span, message);
}

static void skip_space(struct line *line)
{
	while (line->at < line->end && strchr(" \t\r", line->text[line->at]))
		line->at++;
}

static bool take(struct line *line, char c)
{
	skip_space(line);
	if (line->at >= line->end || line->text[line->at] != c)
		return false;
	line->at++;
	return true;
}

/* Names of pods and addresses need no escapes; one is an error rather than a wrong name. */
static bool take_string(struct line *line, const char **out)
{
	if (!take(line, '"'))
		return complain(line, "expected a string");
	size_t begin = line->at;

	while (line->at < line->end && line->text[line->at] != '"' && line->text[line->at] != '\\')
		line->at++;
	if (line->at >= line->end || line->text[line->at] != '"')
		return complain(line, "expected the end of a string without escapes");
	*out = polc_arena_strndup(&line->cmd->polc.arena, line->text + begin, line->at - begin);
	line->at++;
	return true;
}

static bool take_number(struct line *line, uint32_t *out)
{
	uint32_t value = 0;
	size_t begin;

	skip_space(line);
	begin = line->at;
	while (line->at < line->end && line->text[line->at] >= '0' && line->text[line->at] <= '9' &&
		line->at - begin < 6)
		value = value * 10 + (uint32_t)(line->text[line->at++] - '0');
	if (line->at == begin || value > 65535)
		return complain(line, "expected a number up to 65535");
	*out = value;
	return true;
}

static bool take_proto(struct line *line, struct query *query)
{
	uint32_t number;

	skip_space(line);
	if (line->at < line->end && line->text[line->at] == '"')
		return take_string(line, &query->proto);
	if (!take_number(line, &number))
		return false;
	query->proto = polc_arena_printf(&line->cmd->polc.arena, "%u", number);
	return true;
}

static bool take_field(struct line *line, struct query *query)
{
	const char *key;

	if (!take_string(line, &key))
		return false;
	if (!take(line, ':'))
		return complain(line, "expected ':'");
	if (!strcmp(key, "src"))
		return take_string(line, &query->src);
	if (!strcmp(key, "dst"))
		return take_string(line, &query->dst);
	if (!strcmp(key, "proto"))
		return take_proto(line, query);
	if (strcmp(key, "port"))
		return complain(line, "unknown field; a question has src, dst, proto and port");
	return take_number(line, &query->port);
}

static bool take_object(struct line *line, struct query *query)
{
	if (!take(line, '{'))
		return complain(line,
			"expected an object {\"src\":...,\"dst\":...,\"proto\":...,\"port\":...}");
	do {
		if (!take_field(line, query))
			return false;
	} while (take(line, ','));
	if (!take(line, '}'))
		return complain(line, "expected ',' or '}'");
	skip_space(line);
	return line->at == line->end || complain(line, "something follows the object");
}

static bool find_parties(
	struct line *line, const struct query *query, struct polc_span span, struct polc_flow *flow)
{
	struct polc_arena *arena = &line->cmd->polc.arena;
	struct polc_party *src = POLC_NEW(arena, struct polc_party);
	struct polc_party *dst = POLC_NEW(arena, struct polc_party);
	struct polc_service_port port = {.port = (uint16_t)query->port};

	if (!polc_protocol_parse(query->proto, &port.protocol))
		return complain_at(line, span, "unknown protocol");
	if (!polc_service_port_valid(port))
		return complain_at(line, span, "an ICMP type is at most 255");
	if (!polc_party_find(line->cmd, query->src, NULL, span, src) ||
		!polc_party_find(line->cmd, query->dst, src, span, dst))
		return false;
	if (!polc_flow_make(src, dst, port, flow))
		return complain_at(
			line, span, "source and destination have no addresses of one family");
	return true;
}

static void read_line(struct line *line, polc_flow_list *out)
{
	struct polc_span span = {line->source, (uint32_t)line->at, (uint32_t)line->end};
	struct query query = {0};
	struct polc_flow flow;

	skip_space(line);
	if (line->at == line->end || !take_object(line, &query))
		return;
	if (!query.src || !query.dst || !query.proto)
		complain_at(line, span, "a question needs src, dst and proto");
	else if (find_parties(line, &query, span, &flow))
		*polc_vec_push(&line->cmd->polc.arena, out) = flow;
}

int polc_matrix_read_queries(struct polc_cmd *cmd, const char *path, polc_flow_list *out)
{
	void *data;
	size_t size;
	int result = polb_file_read(path, &data, &size);

	if (result < 0) {
		polc_environment_error("cannot read %s: %s", path, strerror(-result));
		return result;
	}
	uint32_t source = polc_source_add(&cmd->polc.arena, &cmd->polc.sources, path, data, size);

	free(data);
	const char *text = polc_source_get(&cmd->polc.sources, source)->text;

	for (size_t at = 0; at < size;) {
		const char *newline = memchr(text + at, '\n', size - at);
		size_t end = newline ? (size_t)(newline - text) : size;
		struct line line = {cmd, source, text, at, end};

		read_line(&line, out);
		at = end + 1;
	}
	return 0;
}
