/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Records of identities: a head, then texts each with its NUL: node, labels (source, key, value),
 * ports (their number and protocol in front of the name).
 */
#include "identity.h"

#include <stdlib.h>
#include <string.h>

struct head {
	uint32_t kinds, number;
	uint16_t n_labels, n_ports;
	uint8_t has_node, pad[3];
};

bool pold_label_is_derived(const char *key)
{
	return strcmp(key, POLD_LABEL_NAMESPACE) == 0 ||
	       strncmp(key, POLD_LABEL_DERIVED, sizeof(POLD_LABEL_DERIVED) - 1) == 0;
}

static int compare_labels(const void *pa, const void *pb)
{
	const struct polb_label *a = pa, *b = pb;
	int order = strcmp(a->source, b->source);

	if (!order)
		order = strcmp(a->key, b->key);
	return order ? order : strcmp(a->value, b->value);
}

void pold_labels_sort(struct polb_label *labels, size_t n)
{
	if (n)
		qsort(labels, n, sizeof(*labels), compare_labels);
}

static int compare_ports(const void *pa, const void *pb)
{
	const struct polb_named_port *a = pa, *b = pb;
	int order = strcmp(a->name, b->name);

	if (!order)
		order = (a->protocol > b->protocol) - (a->protocol < b->protocol);
	return order ? order : (a->port > b->port) - (a->port < b->port);
}

void pold_ports_sort(struct polb_named_port *ports, size_t n)
{
	if (n)
		qsort(ports, n, sizeof(*ports), compare_ports);
}

uint64_t pold_hash(const void *data, size_t bytes)
{
	const unsigned char *at = data;
	uint64_t h = 0xcbf29ce484222325ull ^ bytes, word;

	for (; bytes >= sizeof(word); at += sizeof(word), bytes -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	word = 0;
	memcpy(&word, at, bytes);
	h = (h ^ word) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

uint64_t pold_addr_hash(const struct polb_addr *addr)
{
	uint64_t words[2], h;

	memcpy(words, addr->bytes, sizeof(words));
	h = (words[0] ^ addr->family) * 0x9e3779b97f4a7c15ull;
	h = (h ^ h >> 32 ^ words[1]) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static size_t record_bytes(const struct pold_who *who)
{
	size_t n = sizeof(struct head) + (who->node ? strlen(who->node) + 1 : 0);

	for (size_t i = 0; i < who->n_labels; i++)
		n += strlen(who->labels[i].source) + strlen(who->labels[i].key) +
		     strlen(who->labels[i].value) + 3;
	for (size_t i = 0; i < who->n_ports; i++)
		n += 3 + strlen(who->ports[i].name) + 1;
	return n;
}

static char *put(char *at, const char *text)
{
	return stpcpy(at, text) + 1;
}

void pold_who_record(struct pold_pool *pool, struct pold_who *who)
{
	const struct head head = {.kinds = who->kinds,
		.number = who->number,
		.n_labels = (uint16_t)who->n_labels,
		.n_ports = (uint16_t)who->n_ports,
		.has_node = who->node != NULL};
	size_t bytes = record_bytes(who);
	char *record = pold_pool_new(pool, bytes), *at = record + sizeof(head);

	memcpy(record, &head, sizeof(head));
	if (who->node)
		at = put(at, who->node);
	for (size_t i = 0; i < who->n_labels; i++)
		at = put(put(put(at, who->labels[i].source), who->labels[i].key),
			who->labels[i].value);
	for (size_t i = 0; i < who->n_ports; i++) {
		memcpy(at, &who->ports[i].port, 2);
		at[2] = (char)who->ports[i].protocol;
		at = put(at + 3, who->ports[i].name);
	}
	who->record = record;
	who->record_bytes = bytes;
	who->hash = pold_hash(record, bytes);
}

struct cursor {
	const char *at, *end;
	bool failed;
};

/* The next text; "" behind the end. */
static const char *take(struct cursor *c)
{
	const char *text = c->at;
	size_t left = (size_t)(c->end - c->at), n = strnlen(text, left);

	if (n == left) {
		c->failed = true;
		return "";
	}
	c->at += n + 1;
	return text;
}

static void take_port(struct cursor *c, struct polb_named_port *out)
{
	if (c->end - c->at < 3) {
		c->failed = true;
		return;
	}
	memcpy(&out->port, c->at, 2);
	out->protocol = (uint8_t)c->at[2];
	c->at += 3;
	out->name = take(c);
}

bool pold_who_read(struct pold_pool *pool, const void *record, size_t bytes, struct pold_who *out)
{
	struct cursor c = {.at = (const char *)record + sizeof(struct head),
		.end = (const char *)record + bytes};
	struct polb_named_port *ports;
	struct polb_label *labels;
	struct head head;

	if (bytes < sizeof(head))
		return false;
	memcpy(&head, record, sizeof(head));
	labels = pold_pool_new(pool, head.n_labels * sizeof(*labels));
	ports = pold_pool_new(pool, head.n_ports * sizeof(*ports));
	*out = (struct pold_who){.kinds = head.kinds,
		.number = head.number,
		.node = head.has_node ? take(&c) : NULL,
		.labels = labels,
		.n_labels = head.n_labels,
		.ports = ports,
		.n_ports = head.n_ports,
		.record = record,
		.record_bytes = bytes,
		.hash = pold_hash(record, bytes)};
	for (size_t i = 0; !c.failed && i < head.n_labels; i++)
		for (int part = 0; part < 3; part++) {
			const char *text = take(&c);

			*(part == 0         ? &labels[i].source
				: part == 1 ? &labels[i].key
					    : &labels[i].value) = text;
		}
	for (size_t i = 0; !c.failed && i < head.n_ports; i++)
		take_port(&c, &ports[i]);
	return !c.failed && c.at == c.end;
}
