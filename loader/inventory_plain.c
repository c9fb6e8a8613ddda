/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The plain inventory: one address a line,
 *
 *     ADDRESS [NAMESPACE/NAME] [kind=KIND] [node=NAME] [ttl=TIME] [[SOURCE:]KEY=VALUE]...
 *
 * separated by blanks; '#' begins a comment line. Most lines say of their address what an earlier
 * line has said of another one: what follows the name is read once.
 */
#include "inventory_plain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory_objects.h"

#define LINE_MAX_BYTES 65536u
#define TTL_MAX_S 100000000u

struct seen { /* the rest of a line, as written, with its namespace and address family */
	const char *rest, *namespace;
	uint32_t rest_bytes, namespace_bytes;
	uint8_t family;
	uint32_t draft, ttl_s;
	uint64_t hash;
};

struct table {
	POLD_LIST(struct seen) list;
	uint32_t *slots; /* index + 1 */
	size_t n_slots;
};

struct line {
	struct pold_inventory *inventory;
	struct pold_at at;
	struct polb_addr addr;
	const char *namespace; /* not terminated; NULL: none */
	size_t namespace_bytes;
	struct pold_plain_draft draft;
	uint32_t ttl_s;
	bool bad;
};

__attribute__((format(printf, 2, 3))) static void fail(struct line *l, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	pold_inventory_error(l->inventory, l->at, "%s", text);
	l->bad = true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next word of a line; *n is 0 at its end. */
static const char *word(const char **at, const char *end, size_t *n)
{
	const char *begin = *at;

	while (begin < end && is_blank(*begin))
		begin++;
	*at = begin;
	while (*at < end && !is_blank(**at))
		(*at)++;
	*n = (size_t)(*at - begin);
	return begin;
}

static bool is_key(const char *text, size_t n, const char *key)
{
	return strlen(key) == n && memcmp(text, key, n) == 0;
}

/* "300", "300s", "5m", "2h"; 0: for ever. */
static void read_ttl(struct line *l, const char *text, size_t n)
{
	char copy[16];
	char *end = copy;
	unsigned long value = 0, unit = 1;

	if (n && n < sizeof(copy) && *text >= '0' && *text <= '9') {
		memcpy(copy, text, n);
		copy[n] = '\0';
		value = strtoul(copy, &end, 10);
	}
	if (*end && !end[1] && end != copy && strchr("smh", *end))
		unit = *end == 's' ? 1 : *end == 'm' ? 60 : 3600, end++;
	if (end == copy || *end || value > TTL_MAX_S / unit)
		fail(l, "ttl=%.*s: not a time like 300, 300s, 5m or 2h", (int)n, text);
	else
		l->ttl_s = (uint32_t)(value * unit);
}

static void read_kind(struct line *l, const char *text, size_t n)
{
	char copy[32];

	if (n < sizeof(copy)) {
		memcpy(copy, text, n);
		copy[n] = '\0';
		if (pold_kind_find(copy, &l->addr, &l->draft.kinds, &l->draft.number))
			return;
	}
	fail(l,
		"kind=%.*s: not pod, world, node, host, remote-node, kube-apiserver, health, init, "
		"ingress or unmanaged",
		(int)(n < 32 ? n : 32), text);
}

static void add_label(struct line *l, const char *text, size_t n, size_t equals)
{
	struct pold_pool *pool = &l->inventory->pool;
	const char *colon = memchr(text, ':', equals), *key = colon ? colon + 1 : text;
	struct polb_label label = {
		.source = colon ? pold_pool_text(pool, text, (size_t)(colon - text)) : NULL,
		.key = pold_pool_text(pool, key, (size_t)(text + equals - key)),
		.value = pold_pool_text(pool, text + equals + 1, n - equals - 1)};

	if (!*label.key || (colon && !*label.source)) {
		fail(l, "\"%.*s\" is not [source:]key=value", (int)(n < 100 ? n : 100), text);
		return;
	}
	for (size_t i = 0; i < l->draft.labels.n; i++)
		if (strcmp(l->draft.labels.items[i].key, label.key) == 0 &&
			!l->draft.labels.items[i].source == !label.source)
			fail(l, "label %s is there twice", label.key);
	*pold_list_push(pool, &l->draft.labels) = label;
}

static void read_word(struct line *l, const char *text, size_t n)
{
	const char *equals = memchr(text, '=', n);
	size_t key = equals ? (size_t)(equals - text) : 0;

	if (!key)
		fail(l, "\"%.*s\" is not key=value", (int)(n < 100 ? n : 100), text);
	else if (is_key(text, key, "ttl"))
		read_ttl(l, equals + 1, n - key - 1);
	else if (is_key(text, key, "kind"))
		read_kind(l, equals + 1, n - key - 1);
	else if (is_key(text, key, "node"))
		l->draft.node = pold_pool_text(&l->inventory->pool, equals + 1, n - key - 1);
	else
		add_label(l, text, n, key);
}

static void check_draft(struct line *l)
{
	bool pod = l->draft.kinds & POLB_KIND_POD, node = l->draft.kinds & POLB_KIND_NODE;

	if (!pod && l->namespace)
		fail(l, "a namespace is for pods only");
	if (l->draft.node && !node)
		fail(l, "node= is for kind=node");
	for (size_t i = 0; i < l->draft.labels.n; i++)
		if (!l->draft.labels.items[i].source)
			l->draft.labels.items[i].source = node ? "node" : "k8s";
}

static void read_rest(struct line *l, const char *at, const char *end)
{
	struct pold_pool *pool = &l->inventory->pool;
	size_t n;

	l->draft = (struct pold_plain_draft){.kinds = POLB_KIND_POD};
	l->ttl_s = POLD_TTL_DEFAULT;
	for (const char *text = word(&at, end, &n); n; text = word(&at, end, &n))
		read_word(l, text, n);
	check_draft(l);
	if (l->draft.kinds & POLB_KIND_POD)
		l->draft.namespace =
			l->namespace && l->namespace_bytes
				? pold_pool_text(pool, l->namespace, l->namespace_bytes)
				: "default";
}

/* ---- what was read already ---- */

static uint64_t line_hash(const struct line *l, const char *rest, size_t bytes)
{
	uint64_t h = pold_hash(rest, bytes);

	if (l->namespace)
		h ^= pold_hash(l->namespace, l->namespace_bytes) * 3;
	return h + l->addr.family + (l->namespace ? 16 : 0);
}

static bool is_same(const struct seen *s, const struct line *l, const char *rest, size_t bytes)
{
	return s->family == l->addr.family && s->rest_bytes == bytes &&
	       !s->namespace == !l->namespace &&
	       (!s->namespace ||
		       (s->namespace_bytes == l->namespace_bytes &&
			       memcmp(s->namespace, l->namespace, s->namespace_bytes) == 0)) &&
	       memcmp(s->rest, rest, bytes) == 0;
}

static void grow_table(struct pold_pool *pool, struct table *t)
{
	if (t->list.n * 2 < t->n_slots)
		return;
	t->n_slots = t->n_slots ? t->n_slots * 2 : 1024;
	t->slots = pold_pool_new(pool, t->n_slots * sizeof(*t->slots));
	for (size_t i = 0; i < t->list.n; i++) {
		size_t slot = t->list.items[i].hash & (t->n_slots - 1);

		while (t->slots[slot])
			slot = (slot + 1) & (t->n_slots - 1);
		t->slots[slot] = (uint32_t)i + 1;
	}
}

/* Reads what follows the name, or finds it read. */
static const struct seen *rest_of(
	struct line *l, struct table *t, const char *rest, const char *end)
{
	size_t bytes = (size_t)(end - rest), slot;
	uint64_t hash = line_hash(l, rest, bytes);
	struct pold_plain *plain = l->inventory->plain;
	struct seen *seen;

	grow_table(&l->inventory->pool, t);
	for (slot = hash & (t->n_slots - 1); t->slots[slot]; slot = (slot + 1) & (t->n_slots - 1)) {
		seen = &t->list.items[t->slots[slot] - 1];
		if (seen->hash == hash && is_same(seen, l, rest, bytes))
			return seen;
	}
	read_rest(l, rest, end);
	seen = pold_list_push(&l->inventory->pool, &t->list);
	*seen = (struct seen){.rest = rest,
		.rest_bytes = (uint32_t)bytes,
		.namespace = l->namespace,
		.namespace_bytes = (uint32_t)l->namespace_bytes,
		.family = l->addr.family,
		.draft = (uint32_t)plain->drafts.n,
		.ttl_s = l->ttl_s,
		.hash = hash};
	t->slots[slot] = (uint32_t)t->list.n;
	*pold_list_push(&l->inventory->pool, &plain->drafts) = l->draft;
	return seen;
}

/* ---- lines ---- */

static bool read_address(struct line *l, const char *text, size_t n)
{
	char copy[POLB_ADDR_TEXT];

	if (n < sizeof(copy)) {
		memcpy(copy, text, n);
		copy[n] = '\0';
		if (strlen(copy) == n && polb_addr_parse(copy, &l->addr) == 0 &&
			!polb_addr_is_v4_mapped(&l->addr))
			return true;
	}
	fail(l, "\"%.*s\" is not an IPv4 or IPv6 address", (int)(n < 64 ? n : 64), text);
	return false;
}

/* NAMESPACE/NAME, when the next word is one. */
static void read_name(struct line *l, const char **at, const char *end)
{
	const char *next = *at;
	size_t n;
	const char *text = word(&next, end, &n), *slash = n ? memchr(text, '/', n) : NULL;

	l->namespace = NULL;
	l->namespace_bytes = 0;
	if (!slash || memchr(text, '=', n))
		return;
	l->namespace = text;
	l->namespace_bytes = (size_t)(slash - text);
	if (!l->namespace_bytes || memchr(slash + 1, '/', n - l->namespace_bytes - 1))
		fail(l, "\"%.*s\" is not namespace/name", (int)(n < 100 ? n : 100), text);
	*at = next;
}

static uint32_t speaks(uint32_t kinds)
{
	const uint32_t nodes = POLB_KIND_NODE | POLB_KIND_HOST | POLB_KIND_REMOTE_NODE |
			       POLB_KIND_HEALTH | POLB_KIND_INGRESS;

	return kinds & nodes                      ? POLD_SPEAKS_NODES
	       : kinds & POLB_KIND_KUBE_APISERVER ? POLD_SPEAKS_APISERVER
						  : POLD_SPEAKS_PODS;
}

static void read_line(struct line *l, struct table *t, const char *at, const char *end)
{
	struct pold_plain *plain = l->inventory->plain;
	const struct seen *seen;
	const char *text;
	size_t n;

	l->bad = false;
	text = word(&at, end, &n);
	if (!n || *text == '#')
		return;
	if ((size_t)(end - text) > LINE_MAX_BYTES || memchr(text, '\0', (size_t)(end - text))) {
		fail(l, "the line is longer than 65536 bytes or holds a NUL");
		return;
	}
	if (!read_address(l, text, n))
		return;
	read_name(l, &at, end);
	while (at < end && is_blank(*at))
		at++;
	while (end > at && is_blank(end[-1]))
		end--;
	seen = rest_of(l, t, at, end);
	l->inventory->speaks |= speaks(plain->drafts.items[seen->draft].kinds);
	*pold_list_push(&l->inventory->pool, &plain->lines) = (struct pold_plain_line){
		.at = l->at, .addr = l->addr, .draft = seen->draft, .ttl_s = seen->ttl_s};
}

static size_t count_lines(const char *text, size_t size)
{
	const char *end = text + size;
	size_t n = 1;

	for (; text < end && (text = memchr(text, '\n', (size_t)(end - text))); text++)
		n++;
	return n;
}

void pold_inventory_plain(
	struct pold_inventory *inventory, const char *path, const char *text, size_t size)
{
	struct line l = {.inventory = inventory, .at.path = path};
	const char *end = text + size;
	struct table table = {0};

	if (!inventory->plain)
		inventory->plain = pold_pool_new(&inventory->pool, sizeof(*inventory->plain));
	pold_list_reserve(&inventory->pool, &inventory->plain->lines, count_lines(text, size));
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;

		l.at.line++;
		read_line(&l, &table, text, stop > text && stop[-1] == '\r' ? stop - 1 : stop);
		text = stop + 1;
	}
}
