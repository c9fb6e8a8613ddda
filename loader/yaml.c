/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* YAML text to trees, with libyaml's event parser; bounds, duplicate keys, what is refused. */
#include "yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "runtime/yaml_scalar.h"

#define DEPTH_MAX 64
#define KEYS_MAX 4096 /* of one mapping: they are looked up one by one */

struct reader {
	struct pold_inventory *inventory;
	const char *path;
	struct pold_pool pool; /* of the document */
	yaml_parser_t parser;
	bool failed;
};

static void fail(struct reader *r, size_t line, const char *what, const char *name)
{
	if (!r->failed)
		pold_inventory_error(r->inventory,
			(struct pold_at){.path = r->path, .line = (uint32_t)line + 1}, "%s%s%s",
			what, *name ? ": " : "", name);
	r->failed = true;
}

static bool next_event(struct reader *r, yaml_event_t *event)
{
	if (r->failed)
		return false;
	if (yaml_parser_parse(&r->parser, event))
		return true;
	fail(r, r->parser.problem_mark.line,
		r->parser.problem ? r->parser.problem : "the text cannot be parsed", "");
	return false;
}

static struct pold_yaml *new_node(
	struct reader *r, enum pold_yaml_kind kind, const yaml_event_t *event)
{
	struct pold_yaml *node = pold_pool_new(&r->pool, sizeof(*node));

	node->kind = kind;
	node->line = (uint32_t)event->start_mark.line + 1;
	return node;
}

static struct pold_yaml *build_scalar(struct reader *r, const yaml_event_t *event)
{
	struct pold_yaml *node = new_node(r, POLD_YAML_SCALAR, event);
	const char *value = (const char *)event->data.scalar.value;

	if (event->data.scalar.tag || event->data.scalar.anchor)
		fail(r, event->start_mark.line, "tags and anchors are not for inventories", "");
	if (strlen(value) != event->data.scalar.length)
		fail(r, event->start_mark.line, "a string holds a NUL", "");
	node->value = pold_pool_text(&r->pool, value, strlen(value));
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return node;
}

static void append(struct pold_yaml *parent, struct pold_yaml *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->n++;
}

static struct pold_yaml *build(struct reader *r, yaml_event_t *event, unsigned depth);

static void build_sequence(struct reader *r, struct pold_yaml *parent, unsigned depth)
{
	for (yaml_event_t event; next_event(r, &event);) {
		bool end = event.type == YAML_SEQUENCE_END_EVENT;

		if (!end)
			append(parent, build(r, &event, depth));
		yaml_event_delete(&event);
		if (end)
			return;
	}
}

static void build_entry(
	struct reader *r, struct pold_yaml *parent, const yaml_event_t *key_event, unsigned depth)
{
	const struct pold_yaml *key;
	struct pold_yaml *value;
	yaml_event_t event;

	if (key_event->type != YAML_SCALAR_EVENT) {
		fail(r, key_event->start_mark.line, "a key must be a string", "");
		return;
	}
	key = build_scalar(r, key_event);
	if (pold_yaml_get(parent, key->value))
		fail(r, key_event->start_mark.line, "the key is there twice", key->value);
	if (parent->n == KEYS_MAX)
		fail(r, key_event->start_mark.line, "a mapping has more than 4096 keys", "");
	if (!next_event(r, &event))
		return;
	value = build(r, &event, depth);
	yaml_event_delete(&event);
	value->key = key->value;
	append(parent, value);
}

static void build_mapping(struct reader *r, struct pold_yaml *parent, unsigned depth)
{
	for (yaml_event_t event; next_event(r, &event);) {
		bool end = event.type == YAML_MAPPING_END_EVENT;

		if (!end)
			build_entry(r, parent, &event, depth);
		yaml_event_delete(&event);
		if (end)
			return;
	}
}

/* Always a node: after a failure one that says nothing. */
static struct pold_yaml *build(struct reader *r, yaml_event_t *event, unsigned depth)
{
	struct pold_yaml *node;

	if (event->type == YAML_SCALAR_EVENT)
		return build_scalar(r, event);
	node = new_node(r,
		event->type == YAML_SEQUENCE_START_EVENT ? POLD_YAML_SEQUENCE : POLD_YAML_MAPPING,
		event);
	if (depth == DEPTH_MAX)
		fail(r, event->start_mark.line, "nesting is deeper than 64 levels", "");
	else if (event->type == YAML_ALIAS_EVENT)
		fail(r, event->start_mark.line, "aliases are not for inventories", "");
	else if (event->type == YAML_SEQUENCE_START_EVENT)
		build_sequence(r, node, depth + 1);
	else
		build_mapping(r, node, depth + 1);
	return node;
}

static struct pold_yaml *build_document(struct reader *r)
{
	struct pold_yaml *root;
	yaml_event_t event;

	if (!next_event(r, &event))
		return NULL;
	root = build(r, &event, 0);
	yaml_event_delete(&event);
	return r->failed ? NULL : root;
}

void pold_yaml_each(struct pold_inventory *inventory, const char *path, const char *text,
	size_t size, void (*call)(void *context, const struct pold_yaml *document), void *context)
{
	struct reader r = {.inventory = inventory, .path = path};

	if (!yaml_parser_initialize(&r.parser)) {
		fail(&r, 0, "out of memory", "");
		return;
	}
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	for (yaml_event_t event; next_event(&r, &event);) {
		yaml_event_type_t type = event.type;
		const struct pold_yaml *root = NULL;

		yaml_event_delete(&event);
		if (type == YAML_DOCUMENT_START_EVENT)
			root = build_document(&r);
		if (root && !pold_yaml_is_null(root))
			call(context, root);
		pold_pool_free(&r.pool);
		if (type == YAML_STREAM_END_EVENT)
			break;
	}
	pold_pool_free(&r.pool);
	yaml_parser_delete(&r.parser);
}

const struct pold_yaml *pold_yaml_get(const struct pold_yaml *mapping, const char *key)
{
	if (!mapping || mapping->kind != POLD_YAML_MAPPING)
		return NULL;
	for (const struct pold_yaml *item = mapping->first; item; item = item->next)
		if (strcmp(item->key, key) == 0)
			return item;
	return NULL;
}

bool pold_yaml_is_null(const struct pold_yaml *node)
{
	return !node || (node->kind == POLD_YAML_SCALAR && node->plain &&
				polb_yaml_resolve(node->value) == POLB_YAML_NULL);
}

const char *pold_yaml_text(const struct pold_yaml *node)
{
	return node && node->kind == POLD_YAML_SCALAR ? node->value : "";
}
