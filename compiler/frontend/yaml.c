/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * YAML text to trees, with libyaml's event parser. Owns what libyaml leaves open: byte offsets
 * (libyaml counts characters), duplicate keys, bounds on aliases, depth and sizes, and going on
 * with the next document after an error. Aliased nodes are shared, never copied.
 */
#include "yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define FILE_BYTES_MAX ((size_t)64 << 20)
#define SCALAR_BYTES_MAX ((size_t)1 << 20)
#define DEPTH_MAX 64
#define NODES_MAX 8000000u      /* per file */
#define ALIAS_NODES_MAX 100000u /* nodes that aliases stand for, per document */
#define ANCHORS_MAX 10000u      /* per document */
#define ANCHOR_BUCKETS 256
#define SYNTAX_ERRORS_MAX 20 /* per file */
#define DUPLICATES_MAX 100   /* reported per document */
#define CHECKPOINT_CHARACTERS 64

struct anchor {
	const char *name;
	const struct polc_yaml *node; /* NULL while its node is being built */
	size_t size;                  /* nodes it stands for, through aliases */
	unsigned height;
	struct anchor *next;
};

/* What building a node gives; node is NULL when the document cannot be gone on with. */
struct built {
	const struct polc_yaml *node;
	size_t size;
	unsigned height;
};

struct builder {
	struct polc *polc;
	struct polc_arena *arena;
	uint32_t source;
	const char *text;  /* the source's */
	const char *input; /* what libyaml reads: text, or a copy of the same length */
	size_t len;
	uint32_t *checkpoints; /* byte offset of every 64th character; NULL when all is ASCII */
	yaml_parser_t parser;
	size_t base, base_character;              /* where this parser started */
	POLC_VEC(const struct polc_yaml *) stack; /* children of the open collections */
	struct anchor *anchors[ANCHOR_BUCKETS];
	size_t n_nodes, n_anchors, n_alias_nodes;
	unsigned n_duplicates, n_syntax_errors;
	bool bad;  /* this document is left out */
	bool stop; /* and need not be looked at further */
	bool dead; /* libyaml gave up */
	bool template_reported;
	bool bytes; /* strings may hold NULs */
	size_t dead_at;
};

/* Places */

static size_t next_character(const char *text, size_t len, size_t at)
{
	uint32_t c;

	return at + polc_utf8_decode(text + at, len - at, &c);
}

/* The text is valid UTF-8 here. */
static void map_characters(struct builder *b)
{
	size_t n = 0, character = 0, i;

	for (i = 0; i < b->len && (unsigned char)b->text[i] < 0x80; i++)
		;
	if (i == b->len)
		return;
	b->checkpoints = POLC_NEW_ARRAY(b->arena, b->len / CHECKPOINT_CHARACTERS + 1, uint32_t);
	for (i = 0; i < b->len; i = next_character(b->text, b->len, i))
		if (character++ % CHECKPOINT_CHARACTERS == 0)
			b->checkpoints[n++] = (uint32_t)i;
	/* offsets beyond the last checkpoint walk from it */
	while (n < b->len / CHECKPOINT_CHARACTERS + 1)
		b->checkpoints[n++] = (uint32_t)b->len;
}

static uint32_t byte_offset(const struct builder *b, yaml_mark_t mark)
{
	size_t character = b->base_character + mark.index, at, steps;

	if (character > b->len)
		character = b->len;
	if (!b->checkpoints)
		return (uint32_t)character;
	at = b->checkpoints[character / CHECKPOINT_CHARACTERS];
	for (steps = character % CHECKPOINT_CHARACTERS; steps && at < b->len; steps--)
		at = next_character(b->text, b->len, at);
	return (uint32_t)at;
}

static struct polc_span place(const struct builder *b, size_t begin, size_t end)
{
	return (struct polc_span){b->source, (uint32_t)begin, (uint32_t)end};
}

static struct polc_span event_span(const struct builder *b, const yaml_event_t *event)
{
	return place(b, byte_offset(b, event->start_mark), byte_offset(b, event->end_mark));
}

/* Is there a `{{` in the line of an offset or the line before it? */
static bool near_template(const struct builder *b, size_t at)
{
	size_t begin = at, end = at;
	unsigned breaks = 0;

	while (begin && (b->text[begin - 1] != '\n' || breaks++ < 1))
		begin--;
	while (end < b->len && b->text[end] != '\n')
		end++;
	return memmem(b->text + begin, end - begin, "{{", 2);
}

/* Of a template only the first complaint is made: all others have the same cause. */
static struct polc_diagnostic *syntax_error(
	struct builder *b, struct polc_span span, const char *message)
{
	bool template = near_template(b, span.begin);
	struct polc_diagnostic *d;

	b->bad = true;
	if (template && b->template_reported)
		return POLC_NEW(b->arena, struct polc_diagnostic);
	d = polc_error(b->polc, span, POLC_CODE_YAML_SYNTAX, "%s", message);
	if (template)
		polc_diagnostic_suggest(b->polc, d,
			"this looks like a template: render it first, e.g. with helm template");
	b->template_reported |= template;
	return d;
}

/* An error after which the rest of the document is skipped. */
static struct built give_up(struct builder *b)
{
	b->bad = b->stop = true;
	return (struct built){0};
}

static struct built over_limit(struct builder *b, struct polc_span span, const char *message)
{
	polc_error(b->polc, span, POLC_CODE_YAML_LIMIT, "%s", message);
	return give_up(b);
}

/* Events */

static void report_parser_error(struct builder *b)
{
	const yaml_parser_t *parser = &b->parser;
	size_t at = byte_offset(b, parser->problem_mark);
	const char *problem = parser->problem ? parser->problem : "the text cannot be parsed";
	const char *message;
	struct polc_diagnostic *d;

	b->dead = true;
	b->dead_at = at;
	if (b->stop)
		return;
	if (at < b->len && b->text[at] == '\t' && strstr(problem, "cannot start any token"))
		problem = "a tab cannot indent YAML";
	message = parser->context ? polc_arena_printf(b->arena, "%s %s", problem, parser->context)
				  : problem;
	d = syntax_error(b, place(b, at, at), message);
	if (parser->context && parser->context_mark.line < parser->problem_mark.line) {
		size_t context = byte_offset(b, parser->context_mark);

		polc_diagnostic_relate(b->polc, d, place(b, context, context), "it begins here");
	}
}

static bool next_event(struct builder *b, yaml_event_t *event)
{
	if (b->dead)
		return false;
	if (yaml_parser_parse(&b->parser, event))
		return true;
	report_parser_error(b);
	return false;
}

/* Anchors */

static struct anchor **anchor_bucket(struct builder *b, const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return &b->anchors[hash % ANCHOR_BUCKETS];
}

static struct anchor *anchor_find(struct builder *b, const char *name)
{
	struct anchor *anchor = *anchor_bucket(b, name);

	while (anchor && strcmp(anchor->name, name))
		anchor = anchor->next;
	return anchor;
}

/* The latest anchor of a name is the one that aliases mean. NULL when there are too many. */
static struct anchor *anchor_open(struct builder *b, const char *name)
{
	struct anchor *anchor = anchor_find(b, name), **bucket;

	if (anchor) {
		anchor->node = NULL;
		return anchor;
	}
	if (b->n_anchors++ == ANCHORS_MAX)
		return NULL;
	bucket = anchor_bucket(b, name);
	anchor = POLC_NEW(b->arena, struct anchor);
	*anchor = (struct anchor){
		.name = polc_arena_strndup(b->arena, name, strlen(name)), .next = *bucket};
	return *bucket = anchor;
}

static void anchor_close(struct anchor *anchor, struct built built)
{
	if (!anchor)
		return;
	anchor->node = built.node;
	anchor->size = built.size;
	anchor->height = built.height;
}

/* Nodes */

static struct polc_yaml *new_node(
	struct builder *b, enum polc_yaml_kind kind, struct polc_span span)
{
	struct polc_yaml *node = POLC_NEW(b->arena, struct polc_yaml);

	node->kind = kind;
	node->span = span;
	return node;
}

/* What stands for a part with an error, so that the rest is still checked. */
static struct built stand_in(struct builder *b, struct polc_span span)
{
	struct polc_yaml *node = new_node(b, POLC_YAML_SCALAR, span);

	b->bad = true;
	node->value = "";
	node->plain = true;
	return (struct built){node, 1, 1};
}

static struct built build_alias(struct builder *b, const yaml_event_t *event, unsigned depth)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct anchor *anchor = anchor_find(b, name);
	struct polc_span span = event_span(b, event);

	if (!anchor) {
		polc_error(b->polc, span, POLC_CODE_YAML_ALIAS,
			"no anchor \"%s\" before this alias", name);
		return stand_in(b, span);
	}
	if (!anchor->node) {
		polc_error(b->polc, span, POLC_CODE_YAML_ALIAS,
			"alias \"%s\" stands inside the node it stands for", name);
		return stand_in(b, span);
	}
	b->n_alias_nodes += anchor->size;
	if (b->n_alias_nodes > ALIAS_NODES_MAX)
		return over_limit(b, span, "aliases expand to more than 100000 nodes");
	if (depth + anchor->height - 1 > DEPTH_MAX)
		return over_limit(b, span, "nesting is deeper than 64 levels");
	return (struct built){anchor->node, anchor->size, anchor->height};
}

static const char standard_tag[] = "tag:yaml.org,2002:";

static bool tag_is(const char *tag, const char *name)
{
	size_t n = sizeof(standard_tag) - 1;

	return !strncmp(tag, standard_tag, n) && !strcmp(tag + n, name);
}

static bool tag_fits(const struct polc_yaml *node, const char *tag)
{
	enum polc_yaml_scalar type = polc_yaml_resolve(node);

	return (tag_is(tag, "null") && type == POLC_YAML_NULL) ||
	       (tag_is(tag, "bool") && type == POLC_YAML_BOOL) ||
	       (tag_is(tag, "int") && type == POLC_YAML_INT) ||
	       (tag_is(tag, "float") && (type == POLC_YAML_INT || type == POLC_YAML_FLOAT));
}

static bool tag_known(const char *tag)
{
	return tag_is(tag, "null") || tag_is(tag, "bool") || tag_is(tag, "int") ||
	       tag_is(tag, "float");
}

static void bad_tag(struct builder *b, struct polc_span span, const char *tag, const char *why)
{
	size_t n = sizeof(standard_tag) - 1;
	bool standard = !strncmp(tag, standard_tag, n);

	polc_error(b->polc, span, POLC_CODE_YAML_SYNTAX, "tag %s%s %s", standard ? "!!" : "",
		standard ? tag + n : tag, why);
	b->bad = true;
}

/* A tag decides whether the text is a string or what it looks like. */
static void apply_scalar_tag(struct builder *b, struct polc_yaml *node, const char *tag)
{
	if (tag_is(tag, "str")) {
		node->plain = false;
		return;
	}
	node->plain = true;
	if (!tag_known(tag))
		bad_tag(b, node->span, tag, "is not supported");
	else if (!tag_fits(node, tag))
		bad_tag(b, node->span, tag, "does not fit the value");
}

static const char *bytes_copy(struct polc_arena *arena, const char *bytes, size_t n)
{
	char *copy = polc_arena_alloc(arena, n + 1);

	memcpy(copy, bytes, n);
	return copy;
}

static struct built build_scalar(struct builder *b, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	struct polc_yaml *node = new_node(b, POLC_YAML_SCALAR, event_span(b, event));

	if (length > SCALAR_BYTES_MAX)
		return over_limit(b, node->span, "a scalar is longer than 1 MiB");
	node->value = bytes_copy(b->arena, value, length);
	node->length = length;
	if (!b->bytes && !polc_yaml_refuse_nul(b->polc, node))
		return stand_in(b, node->span);
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (event->data.scalar.tag)
		apply_scalar_tag(b, node, (const char *)event->data.scalar.tag);
	return (struct built){node, 1, 1};
}

static struct built build_node(struct builder *b, const yaml_event_t *event, unsigned depth);

/* Pushes the nodes up to the end event on the stack; totals go to *sum. */
static bool build_children(
	struct builder *b, yaml_event_type_t end, unsigned depth, struct built *sum, size_t *end_at)
{
	for (;;) {
		yaml_event_t event;
		struct built child;

		if (!next_event(b, &event))
			return false;
		if (event.type == end) {
			*end_at = byte_offset(b, event.end_mark);
			yaml_event_delete(&event);
			return true;
		}
		child = build_node(b, &event, depth + 1);
		yaml_event_delete(&event);
		if (!child.node)
			return false;
		sum->size += child.size;
		if (sum->height <= child.height)
			sum->height = child.height + 1;
		*polc_vec_push(b->arena, &b->stack) = child.node;
	}
}

/* Keys */

static void report_duplicate(
	struct builder *b, const struct polc_yaml *first, const struct polc_yaml *second)
{
	struct polc_diagnostic *d;

	if (b->bad && !*second->value) /* stand-ins */
		return;
	b->bad = true;
	if (b->n_duplicates++ >= DUPLICATES_MAX)
		return;
	d = polc_error(b->polc, second->span, POLC_CODE_YAML_DUPLICATE_KEY,
		"key \"%s\" is repeated", second->value);
	polc_diagnostic_relate(b->polc, d, first->span, "it is first given here");
}

static int compare_keys(const void *left, const void *right)
{
	const struct polc_yaml *a = *(const struct polc_yaml *const *)left;
	const struct polc_yaml *b = *(const struct polc_yaml *const *)right;
	int order = strcmp(a->value, b->value);

	return order ? order : (a->span.begin > b->span.begin) - (a->span.begin < b->span.begin);
}

static void check_keys_sorted(struct builder *b, const struct polc_yaml_entry *entries, size_t n)
{
	const struct polc_yaml **keys = POLC_NEW_ARRAY(b->arena, n, const struct polc_yaml *);
	size_t first = 0;

	for (size_t i = 0; i < n; i++)
		keys[i] = entries[i].key;
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(keys[first]->value, keys[i]->value))
			first = i;
		else
			report_duplicate(b, keys[first], keys[i]);
	}
}

static void check_duplicates(struct builder *b, const struct polc_yaml_entry *entries, size_t n)
{
	if (n > 16) {
		check_keys_sorted(b, entries, n);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!strcmp(entries[i].key->value, entries[j].key->value)) {
				report_duplicate(b, entries[j].key, entries[i].key);
				break;
			}
		}
	}
}

/* Returns the key, or a stand-in for what cannot be one. */
static const struct polc_yaml *check_key(struct builder *b, const struct polc_yaml *key)
{
	struct polc_diagnostic *d;

	if (key->kind != POLC_YAML_SCALAR) {
		syntax_error(b, key->span, "a mapping key must be a scalar");
		return stand_in(b, key->span).node;
	}
	if (!polc_yaml_refuse_nul(b->polc, key))
		return stand_in(b, key->span).node;
	if (key->plain && !strcmp(key->value, "<<")) {
		d = syntax_error(b, key->span, "merge keys (<<) are not supported");
		polc_diagnostic_suggest(b->polc, d, "write the merged fields out");
	}
	return key;
}

/* Collections */

static void fill_sequence(struct builder *b, struct polc_yaml *node, size_t first)
{
	size_t n = b->stack.n - first;
	const struct polc_yaml **items = POLC_NEW_ARRAY(b->arena, n, const struct polc_yaml *);

	if (n)
		memcpy(items, b->stack.items + first, n * sizeof(*items));
	node->items = items;
	node->n_items = n;
}

static void fill_mapping(struct builder *b, struct polc_yaml *node, size_t first)
{
	size_t n = (b->stack.n - first) / 2;
	struct polc_yaml_entry *entries = POLC_NEW_ARRAY(b->arena, n, struct polc_yaml_entry);

	for (size_t i = 0; i < n; i++) {
		entries[i].key = check_key(b, b->stack.items[first + 2 * i]);
		entries[i].value = b->stack.items[first + 2 * i + 1];
	}
	check_duplicates(b, entries, n);
	node->entries = entries;
	node->n_entries = n;
}

/* Block collections end where their last child does, not where the next token stands. */
static void end_block(struct builder *b, struct polc_yaml *node, size_t first, size_t end)
{
	node->span.end = (uint32_t)end;
	for (size_t i = b->stack.n; i-- > first;) {
		const struct polc_span *child = &b->stack.items[i]->span;

		if (child->begin >= node->span.begin && child->end <= end) {
			node->span.end = child->end;
			return;
		}
	}
}

static struct built build_collection(
	struct builder *b, const yaml_event_t *event, unsigned depth, enum polc_yaml_kind kind)
{
	bool sequence = kind == POLC_YAML_SEQUENCE;
	const char *tag = (const char *)(sequence ? event->data.sequence_start.tag
						  : event->data.mapping_start.tag);
	bool flow = sequence ? event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
			     : event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
	struct polc_yaml *node = new_node(b, kind, event_span(b, event));
	struct built built = {node, 1, 1};
	size_t first = b->stack.n, end;

	if (depth > DEPTH_MAX)
		return over_limit(b, node->span, "nesting is deeper than 64 levels");
	if (tag && !tag_is(tag, sequence ? "seq" : "map") && strcmp(tag, "!"))
		bad_tag(b, node->span, tag, "is not supported");
	if (!build_children(b, sequence ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT, depth,
		    &built, &end))
		return give_up(b);
	if (sequence)
		fill_sequence(b, node, first);
	else
		fill_mapping(b, node, first);
	if (flow)
		node->span.end = (uint32_t)end;
	else
		end_block(b, node, first, end);
	b->stack.n = first;
	return built;
}

static const char *event_anchor(const yaml_event_t *event)
{
	if (event->type == YAML_SCALAR_EVENT)
		return (const char *)event->data.scalar.anchor;
	if (event->type == YAML_SEQUENCE_START_EVENT)
		return (const char *)event->data.sequence_start.anchor;
	return (const char *)event->data.mapping_start.anchor;
}

static struct built build_node(struct builder *b, const yaml_event_t *event, unsigned depth)
{
	struct anchor *anchor = NULL;
	struct built built;

	if (b->n_nodes++ == NODES_MAX)
		return over_limit(b, event_span(b, event), "the file has more than 8000000 nodes");
	if (event->type == YAML_ALIAS_EVENT)
		return build_alias(b, event, depth);
	if (event_anchor(event)) {
		anchor = anchor_open(b, event_anchor(event));
		if (!anchor)
			return over_limit(b, event_span(b, event), "more than 10000 anchors");
	}
	if (event->type == YAML_SCALAR_EVENT)
		built = build_scalar(b, event);
	else
		built = build_collection(b, event, depth,
			event->type == YAML_SEQUENCE_START_EVENT ? POLC_YAML_SEQUENCE
								 : POLC_YAML_MAPPING);
	anchor_close(anchor, built);
	return built;
}

/* Documents */

static void begin_document(struct builder *b)
{
	b->stack.n = 0;
	memset(b->anchors, 0, sizeof(b->anchors));
	b->n_anchors = b->n_alias_nodes = 0;
	b->n_duplicates = 0;
	b->bad = b->stop = false;
}

/* Builds the root, and reads on to the end of the document. */
static void build_document(struct builder *b, polc_yaml_documents *out)
{
	struct built root = {0};
	yaml_event_t event;
	bool end = false;

	begin_document(b);
	while (!end && next_event(b, &event)) {
		end = event.type == YAML_DOCUMENT_END_EVENT;
		if (!end && !b->stop)
			root = build_node(b, &event, 1);
		yaml_event_delete(&event);
	}
	if (root.node && !b->bad && !b->dead && !polc_yaml_is_null(root.node))
		*polc_vec_push(b->arena, out) = root.node;
}

static bool start_parser(struct builder *b, size_t base, size_t base_character)
{
	if (!yaml_parser_initialize(&b->parser))
		return false;
	b->base = base;
	b->base_character = base_character;
	b->dead = b->bad = b->stop = false;
	yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&b->parser, (const unsigned char *)b->input + base, b->len - base);
	return true;
}

/* Reads documents until the end of the text or libyaml gives up. */
static void build_documents(struct builder *b, polc_yaml_documents *out)
{
	yaml_event_t event;
	bool end = false;

	while (!end && next_event(b, &event)) {
		yaml_event_type_t type = event.type;

		yaml_event_delete(&event);
		if (type == YAML_DOCUMENT_START_EVENT)
			build_document(b, out);
		end = type == YAML_STREAM_END_EVENT;
	}
}

/* The next line that opens a document at or after an offset, or SIZE_MAX. */
static size_t next_document(const struct builder *b, size_t at)
{
	for (;; at++) {
		const char *found =
			at < b->len ? memmem(b->text + at, b->len - at, "---", 3) : NULL;

		if (!found)
			return SIZE_MAX;
		at = (size_t)(found - b->text);
		if ((!at || b->text[at - 1] == '\n') &&
			(at + 3 == b->len || strchr(" \t\r\n", b->text[at + 3])))
			return at;
	}
}

static size_t count_characters(const char *text, size_t begin, size_t end)
{
	size_t n = 0;

	for (; begin < end; begin++)
		n += ((unsigned char)text[begin] & 0xc0) != 0x80;
	return n;
}

static void parse_from(struct builder *b, size_t base, polc_yaml_documents *out)
{
	size_t base_character = count_characters(b->text, 0, base);

	while (base != SIZE_MAX) {
		size_t next;

		if (!start_parser(b, base, base_character)) {
			over_limit(b, place(b, base, base), "out of memory");
			return;
		}
		build_documents(b, out);
		yaml_parser_delete(&b->parser);
		if (!b->dead || ++b->n_syntax_errors == SYNTAX_ERRORS_MAX)
			return;
		next = next_document(b, b->dead_at > base ? b->dead_at : base + 1);
		if (next != SIZE_MAX)
			base_character += count_characters(b->text, base, next);
		base = next;
	}
}

/* Encodings */

static bool is_utf16(const unsigned char *s, size_t len)
{
	if (len < 2)
		return false;
	return (s[0] == 0xff && s[1] == 0xfe) || (s[0] == 0xfe && s[1] == 0xff) ||
	       (!s[0] && s[1]) || (s[0] && !s[1]);
}

static bool printable(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7e) || c == 0x85 ||
	       (c >= 0xa0 && c <= 0xfffd && c != 0xfeff) || c >= 0x10000;
}

/* Reports the first byte that is not printable UTF-8; `at` is behind any byte order mark. */
static bool check_encoding(struct builder *b, size_t at)
{
	while (at < b->len) {
		uint32_t c;
		unsigned length = polc_utf8_decode(b->text + at, b->len - at, &c);

		if (!length) {
			polc_error(b->polc, place(b, at, at + 1), POLC_CODE_ENCODING,
				"byte 0x%02x is not UTF-8", (unsigned char)b->text[at]);
			return false;
		}
		if (!printable(c)) {
			polc_error(b->polc, place(b, at, at + length), POLC_CODE_ENCODING,
				"control character U+%04X is not allowed", (unsigned)c);
			return false;
		}
		at += length;
	}
	return true;
}

/* JSON */

/* The closing quote of a string that begins at an offset: \" and '' do not close it. */
static size_t skip_quoted(const char *text, size_t len, size_t at)
{
	char quote = text[at];

	for (at++; at < len; at++) {
		bool escape = quote == '"' ? text[at] == '\\'
					   : text[at] == quote && text[at + 1] == quote;

		if (escape)
			at++;
		else if (text[at] == quote)
			break;
	}
	return at;
}

/*
 * JSON may be indented with tabs, which libyaml refuses: tabs outside of strings become blanks. In
 * flow style a quote opens a string only where a value can begin.
 */
static const char *without_tabs(struct builder *b, size_t base)
{
	char *copy, last = ',';

	base += strspn(b->text + base, " \t\r\n");
	if ((b->text[base] != '{' && b->text[base] != '[') || !memchr(b->text, '\t', b->len))
		return b->text;
	copy = polc_arena_strndup(b->arena, b->text, b->len);
	for (size_t i = 0; i < b->len; i++) {
		if (strchr("\"'", copy[i]) && strchr("{[,:", last))
			i = skip_quoted(b->text, b->len, i);
		else if (copy[i] == '#' && i && strchr(" \t\n", b->text[i - 1]))
			i += strcspn(copy + i, "\n");
		else if (copy[i] == '\t')
			copy[i] = ' ';
		if (i < b->len && !strchr(" \t\r\n", b->text[i]))
			last = b->text[i];
	}
	return copy;
}

static void parse(struct polc *polc, uint32_t source, bool bytes, polc_yaml_documents *out)
{
	const struct polc_source *file = polc_source_get(&polc->sources, source);
	struct builder b = {.polc = polc,
		.arena = &polc->arena,
		.source = source,
		.text = file->text,
		.len = file->len,
		.bytes = bytes};
	size_t base = file->len >= 3 && !memcmp(file->text, "\xef\xbb\xbf", 3) ? 3 : 0;

	if (file->len > FILE_BYTES_MAX) {
		polc_error(
			polc, place(&b, 0, 0), POLC_CODE_YAML_LIMIT, "file is larger than 64 MiB");
		return;
	}
	if (is_utf16((const unsigned char *)file->text, file->len)) {
		polc_error(polc, place(&b, 0, 0), POLC_CODE_ENCODING,
			"file is UTF-16, only UTF-8 is read");
		return;
	}
	if (!check_encoding(&b, base))
		return;
	map_characters(&b);
	b.input = without_tabs(&b, base);
	parse_from(&b, base, out);
}

void polc_yaml_parse(struct polc *polc, uint32_t source, polc_yaml_documents *out)
{
	parse(polc, source, false, out);
}

void polc_yaml_parse_bytes(struct polc *polc, uint32_t source, polc_yaml_documents *out)
{
	parse(polc, source, true, out);
}
