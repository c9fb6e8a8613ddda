/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where in a YAML document an offset is: by indentation, dashes and brackets alone, so that it is
 * known while the document is being written and is no YAML yet. No parser: what is odd (complex
 * keys, tags) only makes the answer less good.
 */
#include <string.h>

#include "lsp.h"

/* A mapping or list that is open. */
struct frame {
	bool list, flow;
	size_t column; /* of keys or dashes; of flow: of the bracket */
	size_t begin;
	const char *key; /* of a mapping: the one whose value comes; NULL: none yet */
	const char *kind;
	POLC_VEC(const char *) keys;
};

struct scan {
	struct polc_arena *arena;
	const char *text;
	size_t at, end; /* end: the place that is looked for */
	POLC_VEC(struct frame) frames;
	/* the word that is being read, and whether the place is in a value */
	size_t word;
	bool quoted, value, comment;
};

static struct frame *top(struct scan *s)
{
	return s->frames.n ? &s->frames.items[s->frames.n - 1] : NULL;
}

static struct frame *push(struct scan *s, bool list, bool flow, size_t column)
{
	struct frame *frame = polc_vec_push(s->arena, &s->frames);

	*frame = (struct frame){.list = list, .flow = flow, .column = column, .begin = s->at};
	return frame;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool at_end(const struct scan *s)
{
	return s->at >= s->end;
}

static bool ends_key(const struct scan *s, size_t at)
{
	char c = s->text[at] == ':' ? s->text[at + 1] : 'x';

	return s->text[at] == ':' && (c == '\0' || c == '\n' || is_blank(c));
}

static void skip_blanks(struct scan *s)
{
	while (!at_end(s) && is_blank(s->text[s->at]))
		s->at++;
}

/* Begins a word; behind a quote its text does. */
static void begin_word(struct scan *s)
{
	s->word = s->at;
	s->quoted = false;
}

/* A quoted string, to its end or the place. */
static void read_quoted(struct scan *s)
{
	char quote = s->text[s->at++];

	s->word = s->at;
	s->quoted = true;
	while (!at_end(s) && s->text[s->at] != quote)
		s->at += s->text[s->at] == '\\' && quote == '"' && s->at + 1 < s->end ? 2 : 1;
	if (at_end(s))
		return;
	s->at++;
}

static const char *word_text(const struct scan *s, size_t end)
{
	return polc_arena_strndup(s->arena, s->text + s->word, end - s->word);
}

static void set_key(struct scan *s, struct frame *frame, const char *key)
{
	frame->key = key;
	*polc_vec_push(s->arena, &frame->keys) = key;
}

/* Flow: { } and [ ], over lines. Keys count as such even without a blank behind the colon. */

static void flow_word(struct scan *s)
{
	begin_word(s);
	while (!at_end(s) && !strchr(",[]{}\n", s->text[s->at]) && !ends_key(s, s->at) &&
		!is_blank(s->text[s->at]))
		s->at++;
}

static void flow_take(struct scan *s, size_t word_end)
{
	struct frame *frame = top(s);

	if (at_end(s))
		return;
	if (frame->list)
		return;
	if (s->value) {
		if (frame->key && !strcmp(frame->key, "kind"))
			frame->kind = word_text(s, word_end);
		return;
	}
	set_key(s, frame, word_text(s, word_end));
}

static void flow_sign(struct scan *s)
{
	char c = s->text[s->at++];
	struct frame *frame = top(s);

	begin_word(s);
	if (c == '{' || c == '[') {
		push(s, c == '[', true, 0);
		s->value = c == '[';
	} else if (c == '}' || c == ']') {
		s->frames.n--;
		s->value = true;
	} else if (c == ',') {
		s->value = frame->list;
		frame->key = frame->list ? frame->key : NULL;
	} else if (c == ':') {
		s->value = true;
	}
}

/* From a bracket to its partner, or to the place. */
static void read_flow(struct scan *s)
{
	size_t depth = s->frames.n;

	do {
		skip_blanks(s);
		if (at_end(s))
			break;
		char c = s->text[s->at];

		if (strchr("{}[],:", c)) {
			flow_sign(s);
		} else if (c == '"' || c == '\'') {
			read_quoted(s);
			if (!at_end(s) || s->text[s->at - 1] == c)
				flow_take(s, s->at - 1);
		} else if (c == '#' && (s->at == 0 || strchr(" \t\n", s->text[s->at - 1]))) {
			while (!at_end(s) && s->text[s->at] != '\n')
				s->at++;
			s->comment = at_end(s);
		} else if (c == '\n') {
			s->at++;
			begin_word(s);
		} else {
			flow_word(s);
			flow_take(s, s->at);
		}
	} while (!at_end(s) && s->frames.n > depth);
}

/* Block: lines and their indentation. */

static void pop_to(struct scan *s, size_t column, bool list)
{
	struct frame *frame;

	while ((frame = top(s)) && (frame->flow || frame->column > column ||
					   (!list && frame->list && frame->column == column)))
		s->frames.n--;
}

static void enter_list(struct scan *s, size_t column)
{
	struct frame *frame;

	pop_to(s, column, true);
	frame = top(s);
	if (!frame || !frame->list || frame->column != column)
		push(s, true, false, column);
}

static struct frame *enter_mapping(struct scan *s, size_t column)
{
	struct frame *frame;

	pop_to(s, column, false);
	frame = top(s);
	if (!frame || frame->list || frame->column != column)
		frame = push(s, false, false, column);
	return frame;
}

/* The end of a plain word that is a key, or 0. */
static size_t key_end(const struct scan *s)
{
	char first = s->text[s->at];
	size_t at = s->at;

	if (first == '"' || first == '\'') {
		for (at++; at < s->end && s->text[at] != first && s->text[at] != '\n'; at++)
			;
		return at < s->end && s->text[at] == first && at + 1 < s->end && ends_key(s, at + 1)
			       ? at + 1
			       : 0;
	}
	if (strchr("{[#|>&*!%@`", first))
		return 0;
	for (; at < s->end && s->text[at] != '\n'; at++)
		if (ends_key(s, at))
			return at;
	return 0;
}

/* Lines of a block scalar: those that are indented deeper than its key. */
static void skip_scalar(struct scan *s, size_t column)
{
	while (!at_end(s)) {
		size_t at = s->at, indent = 0;

		while (at < s->end && s->text[at] == ' ')
			at++, indent++;
		if (at < s->end && s->text[at] != '\n' && s->text[at] != '\r' && indent <= column)
			return;
		while (at < s->end && s->text[at] != '\n')
			at++;
		s->at = at < s->end ? at + 1 : s->end;
	}
}

static void skip_line(struct scan *s)
{
	while (!at_end(s) && s->text[s->at] != '\n') {
		if (s->text[s->at] == '#' && s->at && is_blank(s->text[s->at - 1]))
			s->comment = true;
		s->at++;
	}
	if (!at_end(s)) {
		s->comment = false;
		s->at++;
	}
}

/* Anchors and tags before a value. */
static void skip_properties(struct scan *s)
{
	while (!at_end(s) && strchr("&!", s->text[s->at])) {
		while (!at_end(s) && !is_blank(s->text[s->at]) && s->text[s->at] != '\n')
			s->at++;
		skip_blanks(s);
	}
}

static void read_value(struct scan *s, size_t column)
{
	skip_blanks(s);
	skip_properties(s);
	begin_word(s);
	if (at_end(s))
		return;
	char c = s->text[s->at];

	if (c == '{' || c == '[') {
		flow_sign(s);
		/* the bracket's frame is open: read until it is closed */
		s->frames.n--;
		s->at--;
		read_flow(s);
		if (at_end(s))
			return;
	} else if (c == '"' || c == '\'') {
		read_quoted(s);
		if (at_end(s))
			return;
	} else if (c == '|' || c == '>') {
		skip_line(s);
		skip_scalar(s, column);
		if (!at_end(s))
			s->value = false;
		return;
	}
	skip_line(s);
	if (!at_end(s) || s->text[s->at - 1] == '\n')
		s->value = false;
}

static size_t column_of(const struct scan *s, size_t line)
{
	return s->at - line;
}

static void read_line(struct scan *s)
{
	size_t line = s->at, end;

	s->value = false;
	begin_word(s);
	while (!at_end(s) && s->text[s->at] == ' ')
		s->at++;
	while (!at_end(s) && s->text[s->at] == '-' &&
		(s->at + 1 >= s->end || strchr(" \n\r", s->text[s->at + 1]))) {
		enter_list(s, column_of(s, line));
		s->at++;
		skip_blanks(s);
	}
	begin_word(s);
	if (at_end(s)) {
		pop_to(s, column_of(s, line), false);
		return;
	}
	if (strchr("#\n\r", s->text[s->at])) {
		s->comment = s->text[s->at] == '#';
		skip_line(s);
		return;
	}
	end = key_end(s);
	if (end) {
		bool quoted = s->text[s->at] == '"' || s->text[s->at] == '\'';
		size_t column = column_of(s, line);
		struct frame *frame = enter_mapping(s, column);

		s->word = s->at + quoted;
		set_key(s, frame, word_text(s, end - quoted));
		s->at = end + 1;
		s->value = true;
		if (at_end(s))
			return begin_word(s);
		read_value(s, column);
		return;
	}
	if (!strchr("{[\"'|>&!", s->text[s->at]))
		pop_to(s, column_of(s, line), false);
	read_value(s, column_of(s, line) ? column_of(s, line) - 1 : 0);
}

/* The document that holds a place: between lines that begin with three dashes. */

static bool is_separator(const char *line)
{
	return !strncmp(line, "---", 3) && (!line[3] || strchr(" \r\n", line[3]));
}

static void document_bounds(const char *text, size_t n, size_t offset, size_t *begin, size_t *end)
{
	*begin = 0;
	*end = n;
	for (size_t line = 0; line < n;) {
		const char *newline = memchr(text + line, '\n', n - line);
		size_t next = newline ? (size_t)(newline - text) + 1 : n;

		if (is_separator(text + line)) {
			if (line >= offset && line > 0) {
				*end = line;
				return;
			}
			*begin = next;
		}
		line = next;
	}
}

/* What the object says elsewhere */

static const char *plain_value(struct polc_arena *arena, const char *text, size_t at, size_t end)
{
	size_t begin;

	while (at < end && (is_blank(text[at]) || text[at] == '"' || text[at] == '\''))
		at++;
	for (begin = at; at < end && !strchr(" \t\r\n\"',}#", text[at]); at++)
		;
	return at > begin ? polc_arena_strndup(arena, text + begin, at - begin) : NULL;
}

/* The value of a key that stands in a column; dashes count as blanks. */
static const char *value_in_column(struct polc_arena *arena, const char *text, size_t begin,
	size_t end, size_t column, const char *key)
{
	size_t n = strlen(key);

	for (size_t line = begin; line < end;) {
		const char *newline = memchr(text + line, '\n', end - line);
		size_t next = newline ? (size_t)(newline - text) + 1 : end;
		size_t at = line;

		while (at < next && (text[at] == ' ' || text[at] == '-'))
			at++;
		if (at - line == column && at + n < end && !strncmp(text + at, key, n) &&
			text[at + n] == ':')
			return plain_value(arena, text, at + n + 1, next);
		line = next;
	}
	return NULL;
}

static size_t line_begin(const char *text, size_t at)
{
	while (at > 0 && text[at - 1] != '\n')
		at--;
	return at;
}

static const char *find_namespace(
	struct polc_arena *arena, const char *text, size_t begin, size_t end)
{
	const char *metadata = memmem(text + begin, end - begin, "metadata", 8), *found, *spec;
	size_t left;

	if (!metadata)
		return NULL;
	left = (size_t)(text + end - metadata);
	spec = memmem(metadata, left, "spec", 4);
	left = spec ? (size_t)(spec - metadata) : left;
	found = memmem(metadata, left, "namespace", 9);
	if (!found)
		return NULL;
	found += 9;
	found += *found == '"';
	return *found == ':' ? plain_value(arena, text, (size_t)(found + 1 - text), end) : NULL;
}

/* The object: the root, or an entry of a List's items. */
static void find_object(struct scan *s, size_t begin, size_t end, struct lsp_yaml_place *out)
{
	const struct frame *object = NULL;
	bool in_list = out->path.n && !strcmp(out->path.items[0], "items");
	unsigned skip = in_list;

	for (size_t i = 0; i < s->frames.n && !object; i++)
		if (!s->frames.items[i].list && !skip--)
			object = &s->frames.items[i];
	if (in_list && object) {
		out->path.items++;
		out->path.n--;
		begin = line_begin(s->text, object->begin);
	}
	if (object && object->kind)
		out->kind = object->kind;
	else if (!object || !object->flow)
		out->kind = value_in_column(
			s->arena, s->text, begin, end, object ? object->column : 0, "kind");
	if (!out->kind && object && object->flow) {
		const char *found = memmem(s->text + begin, end - begin, "\"kind\"", 6);

		if (found) {
			size_t at = (size_t)(found - s->text) + 6;

			while (at < end && (is_blank(s->text[at]) || s->text[at] == ':'))
				at++;
			out->kind = plain_value(s->arena, s->text, at, end);
		}
	}
	out->namespace = find_namespace(s->arena, s->text, begin, end);
}

/* Keys of the same mapping behind the place. */
static void later_siblings(struct scan *s, size_t end, struct lsp_yaml_place *out)
{
	const char *newline = memchr(s->text + s->end, '\n', end - s->end);

	for (size_t line = newline ? (size_t)(newline - s->text) + 1 : end; line < end;) {
		const char *next = memchr(s->text + line, '\n', end - line);
		size_t limit = next ? (size_t)(next - s->text) + 1 : end, at = line;
		struct scan key = {.arena = s->arena, .text = s->text, .end = limit};

		while (at < limit && s->text[at] == ' ')
			at++;
		if (at < limit && !strchr("#\r\n", s->text[at])) {
			if (at - line < out->column ||
				(at - line == out->column && s->text[at] == '-'))
				return;
			key.at = key.word = at;
			size_t found = at - line == out->column ? key_end(&key) : 0;

			if (found)
				*polc_vec_push(s->arena, &out->siblings) = word_text(&key, found);
		}
		line = limit;
	}
}

static void fill_path(struct scan *s, struct lsp_yaml_place *out)
{
	struct frame *last = top(s);

	for (size_t i = 0; i < s->frames.n; i++) {
		struct frame *frame = &s->frames.items[i];

		if (!frame->list && frame->key && (frame != last || s->value))
			*polc_vec_push(s->arena, &out->path) = frame->key;
	}
	if (last && !last->list) {
		for (size_t i = 0; i < last->keys.n; i++)
			*polc_vec_push(s->arena, &out->siblings) = last->keys.items[i];
	}
	if (s->value && last && out->path.n)
		out->key = out->path.items[--out->path.n];
}

static bool ends_word(const struct lsp_yaml_place *place, const char *text, size_t at)
{
	char c = text[at];

	if (!c || c == '\n' || c == '\r')
		return true;
	if (place->in_quotes)
		return c == '"' || c == '\'';
	if (c == ':')
		return !text[at + 1] || strchr(" \t\r\n", text[at + 1]);
	return is_blank(c) || (place->in_flow && strchr(",]}", c));
}

/* The word at the place goes on behind it. */
static void fill_word(struct scan *s, size_t n, struct lsp_yaml_place *out)
{
	size_t end = s->end, colon;

	out->word_begin = s->word <= s->end ? s->word : s->end;
	while (end < n && !ends_word(out, s->text, end))
		end++;
	out->word_end = end;
	colon = end + (out->in_quotes && end < n && s->text[end] != '\n');
	out->is_key = !s->value && colon < n && s->text[colon] == ':';
}

/*
 * A key in the column where the place is: what is deeper is closed. A mapping that ends above the
 * place's column is the value of the key above.
 */
static void settle_column(struct scan *s, struct lsp_yaml_place *out)
{
	struct frame *frame = top(s);

	out->in_flow = frame && frame->flow;
	if (out->in_flow || s->value)
		return;
	out->column = (unsigned)(s->word - line_begin(s->text, s->word));
	pop_to(s, out->column, false);
	frame = top(s);
	if (!frame || frame->list || frame->column != out->column)
		push(s, false, false, out->column);
}

void lsp_yaml_place(struct polc_arena *arena, const char *text, size_t n, size_t offset,
	struct lsp_yaml_place *out)
{
	struct scan s = {.arena = arena, .text = text, .end = offset};
	size_t end;

	*out = (struct lsp_yaml_place){.arena = arena};
	document_bounds(text, n, offset, &s.at, &end);
	if (s.at > offset)
		s.at = offset;
	size_t begin = s.at;

	begin_word(&s);
	while (!at_end(&s))
		read_line(&s);
	if (s.end > begin && text[s.end - 1] == '\n' && !(top(&s) && top(&s)->flow)) {
		s.value = false;
		begin_word(&s);
	}
	out->in_comment = s.comment;
	out->in_quotes = s.quoted && s.word <= s.end;
	settle_column(&s, out);
	fill_path(&s, out);
	fill_word(&s, n, out);
	find_object(&s, begin, end, out);
	if (!s.value && !out->in_flow)
		later_siblings(&s, end, out);
}
