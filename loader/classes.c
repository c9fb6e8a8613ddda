/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The classes behind those of the bundle belong to identities told at run time. An entry is free
 * when no address refers to it: found by looking, so there is no list that a kill could leave
 * wrong.
 */
#include "classes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "runtime/cleanup.h"

struct pold_prefix {
	struct polb_prefix prefix;
	int32_t parent; /* the prefix around it, -1: none */
};
struct pold_memo {
	uint64_t key; /* 0: free */
	uint32_t class_id;
};

/* ---- selectors and the prefixes in them ---- */

static int read_selectors(struct pold_classes *c)
{
	size_t n = c->bundle->n_selectors;
	struct polb_selector *selectors = pold_pool_new(&c->pool, n * sizeof(*selectors));

	c->scratch = pold_pool_new(&c->pool, n * sizeof(*c->scratch));
	c->selectors = selectors;
	for (size_t i = 0; i < n; i++) {
		void *scratch = NULL;
		int err = polb_bundle_selector(c->bundle, i, &selectors[i], &scratch);

		if (err)
			return err;
		c->scratch[i] = scratch;
	}
	return 0;
}

static int compare_prefixes(const void *a, const void *b)
{
	return polb_prefix_compare(
		&((const struct pold_prefix *)a)->prefix, &((const struct pold_prefix *)b)->prefix);
}

static size_t collect_prefixes(const struct pold_classes *c, struct pold_prefix *out)
{
	size_t n = 0;

	for (size_t i = 0; i < c->bundle->n_selectors; i++) {
		const struct polb_selector *s = &c->selectors[i];

		if (!s->has_prefix)
			continue;
		if (out)
			out[n].prefix = s->prefix;
		n++;
		for (size_t j = 0; j < s->n_excepts; j++, n++)
			if (out)
				out[n].prefix = s->excepts[j];
	}
	return n;
}

/* Addresses below the same innermost prefix satisfy the same selectors. */
static void find_prefixes(struct pold_classes *c)
{
	size_t n = collect_prefixes(c, NULL), kept = 0;
	struct pold_prefix *list = pold_pool_new(&c->pool, n * sizeof(*list));

	collect_prefixes(c, list);
	if (n)
		qsort(list, n, sizeof(*list), compare_prefixes);
	for (size_t i = 0; i < n; i++) {
		int32_t parent = (int32_t)kept - 1;

		if (kept && polb_prefix_compare(&list[kept - 1].prefix, &list[i].prefix) == 0)
			continue;
		while (parent >= 0 && !polb_prefix_covers(&list[parent].prefix, &list[i].prefix))
			parent = list[parent].parent;
		list[kept] = list[i];
		list[kept++].parent = parent;
	}
	c->prefixes = list;
	c->n_prefixes = kept;
}

/* The innermost prefix of an address, -1: none. */
static int32_t innermost(const struct pold_classes *c, const struct polb_addr *addr)
{
	const struct polb_prefix host = {.addr = *addr, .len = addr->family == 4 ? 32 : 128};
	size_t low = 0, high = c->n_prefixes;
	int32_t i;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (polb_prefix_compare(&c->prefixes[middle].prefix, &host) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (i = (int32_t)low - 1; i >= 0; i = c->prefixes[i].parent)
		if (polb_prefix_has(&c->prefixes[i].prefix, addr))
			break;
	return i;
}

/* ---- the map's entries ---- */

static char *entry(const struct pold_classes *c, uint32_t class_id)
{
	return c->image + class_id * c->value_bytes;
}

static void insert(struct pold_classes *c, uint32_t class_id)
{
	size_t slot = pold_hash(entry(c, class_id), c->value_bytes) & (c->n_slots - 1);

	while (c->table[slot])
		slot = (slot + 1) & (c->n_slots - 1);
	c->table[slot] = class_id + 1;
}

static bool is_zero(const char *value, size_t n)
{
	return !value[0] && memcmp(value, value + 1, n - 1) == 0;
}

/* Entries never written say "no selector", as an identity may: one of them stands for all. */
static void index_entries(struct pold_classes *c)
{
	bool zero = false;

	for (c->n_slots = 64; c->n_slots < 4 * (size_t)c->n_entries; c->n_slots *= 2)
		;
	c->table = pold_pool_new(&c->pool, c->n_slots * sizeof(*c->table));
	for (uint32_t i = 0; i < c->n_entries; i++) {
		bool empty = is_zero(entry(c, i), c->value_bytes);

		if (!empty || !zero)
			insert(c, i);
		zero |= empty;
	}
}

static int read_entries(struct pold_classes *c)
{
	uint32_t token, count, done = 0;
	POLB_FREE uint32_t *keys = NULL;
	int err = pold_map_entries(c->fd, &c->n_entries);

	if (err)
		return err;
	c->image = pold_pool_new(&c->pool, c->n_entries * c->value_bytes);
	keys = malloc(c->n_entries * sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	count = c->n_entries;
	if (bpf_map_lookup_batch(c->fd, NULL, &token, keys, c->image, &count, NULL) == 0 ||
		errno == ENOENT)
		done = count;
	for (; done < c->n_entries; done++)
		if (bpf_map_lookup_elem(c->fd, &done, entry(c, done)))
			return -errno;
	c->used = pold_pool_new(&c->pool, c->n_entries / 8 + 1);
	index_entries(c);
	return 0;
}

static void mark(struct pold_classes *c, uint32_t class_id)
{
	if (class_id < c->n_entries)
		c->used[class_id / 8] |= (uint8_t)(1u << (class_id % 8));
}

static int mark_peers(struct pold_classes *c)
{
	static const size_t key_bytes[2] = {4, 16};

	for (int family = 0; family < 2; family++) {
		POLB_FREE void *keys = NULL, *values = NULL;
		size_t n = 0;
		int err = pold_batch_read(c->peers_fd[family], key_bytes[family],
			sizeof(struct polb_peer), &keys, &values, &n);

		if (err)
			return err;
		for (size_t i = 0; i < n; i++)
			mark(c, ((const struct polb_peer *)values)[i].class_id);
	}
	c->used_is_known = true;
	return 0;
}

static int free_entry(struct pold_classes *c, uint32_t *out)
{
	int err = c->used_is_known ? 0 : mark_peers(c);

	if (err)
		return err;
	for (c->next_free = c->next_free > c->bundle->n_classes ? c->next_free
								: (uint32_t)c->bundle->n_classes;
		c->next_free < c->n_entries; c->next_free++) {
		*out = c->next_free;
		if (!(c->used[*out / 8] & (1u << (*out % 8))))
			return 0;
	}
	return -ENOSPC;
}

/* An equal entry, or else a free one. */
static int place(struct pold_classes *c, const char *value, uint32_t *out)
{
	size_t slot = pold_hash(value, c->value_bytes) & (c->n_slots - 1);
	int err;

	for (; c->table[slot]; slot = (slot + 1) & (c->n_slots - 1)) {
		*out = c->table[slot] - 1;
		if (memcmp(entry(c, *out), value, c->value_bytes) == 0) {
			mark(c, *out);
			return 0;
		}
	}
	err = free_entry(c, out);
	if (err)
		return err;
	memcpy(entry(c, *out), value, c->value_bytes);
	insert(c, *out);
	mark(c, *out);
	*pold_list_push(&c->pool, &c->changed) = *out;
	return 0;
}

/* ---- identities ---- */

static int value_of(struct pold_classes *c, const struct polb_identity_view *view, char *out)
{
	struct polb_class_head *head = (void *)out;
	struct polb_class_word *words = (void *)(head + 1);
	uint32_t n_words = c->bundle->manifest.n_words;

	memset(out, 0, c->value_bytes);
	memset(c->bits, 0, n_words * sizeof(*c->bits));
	for (size_t i = 0; i < c->bundle->n_selectors; i++)
		if (polb_selector_matches(&c->selectors[i], view))
			c->bits[i / 64] |= 1ull << (i % 64);
	for (uint32_t w = 0; w < n_words; w++) {
		if (!c->bits[w])
			continue;
		if (head->n == c->bundle->manifest.class_words)
			return -E2BIG;
		words[head->n++] = (struct polb_class_word){.bits = c->bits[w], .word = w};
	}
	return 0;
}

static struct pold_memo *memo_slot(struct pold_classes *c, uint64_t key)
{
	size_t slot = pold_hash(&key, sizeof(key)) & (c->memo_slots - 1);

	while (c->memo[slot].key && c->memo[slot].key != key)
		slot = (slot + 1) & (c->memo_slots - 1);
	return &c->memo[slot];
}

static void grow_memo(struct pold_classes *c)
{
	struct pold_memo *old = c->memo;
	size_t n = c->memo_slots;

	if (c->n_memo * 2 < n)
		return;
	c->memo_slots = n ? n * 2 : 256;
	c->memo = pold_pool_new(&c->pool, c->memo_slots * sizeof(*c->memo));
	for (size_t i = 0; i < n; i++)
		if (old[i].key)
			*memo_slot(c, old[i].key) = old[i];
}

int pold_class_of(struct pold_classes *c, uint32_t key, uint32_t kinds, const struct pold_who *who,
	const struct polb_addr *addr, uint32_t *out)
{
	const struct polb_identity_view view = {.kinds = kinds,
		.labels = who->labels,
		.n_labels = who->n_labels,
		.ports = who->ports,
		.n_ports = who->n_ports,
		.addr = *addr};
	uint64_t memo_key = ((uint64_t)key + 1) << 32 | (uint32_t)(innermost(c, addr) + 1);
	POLB_FREE char *value = NULL;
	struct pold_memo *memo;
	int err;

	if (c->fd < 0)
		return *out = 0, 0;
	grow_memo(c);
	memo = memo_slot(c, memo_key);
	if (memo->key)
		return *out = memo->class_id, 0;
	value = malloc(c->value_bytes);
	err = value ? value_of(c, &view, value) : -ENOMEM;
	if (!err)
		err = place(c, value, out);
	if (err)
		return err;
	*memo = (struct pold_memo){memo_key, *out};
	c->n_memo++;
	return 0;
}

int pold_classes_write(struct pold_classes *c)
{
	for (size_t i = 0; i < c->changed.n; i++)
		if (bpf_map_update_elem(
			    c->fd, &c->changed.items[i], entry(c, c->changed.items[i]), BPF_ANY))
			return -errno;
	c->changed.n = 0;
	return 0;
}

int pold_classes_open(
	const struct polb_bundle *bundle, int fd, const int peers_fd[2], struct pold_classes *out)
{
	int err;

	*out = (struct pold_classes){.bundle = bundle,
		.fd = fd,
		.peers_fd = {peers_fd[0], peers_fd[1]},
		.value_bytes = polb_class_value_size(bundle->manifest.class_words)};
	if (fd < 0) /* no rule looks at peers: there is nothing to write */
		return 0;
	err = read_selectors(out);
	if (err)
		return err;
	find_prefixes(out);
	out->bits = pold_pool_new(&out->pool, bundle->manifest.n_words * sizeof(*out->bits));
	return read_entries(out);
}

void pold_classes_close(struct pold_classes *c)
{
	for (size_t i = 0; c->scratch && i < c->bundle->n_selectors; i++)
		free((void *)(uintptr_t)c->scratch[i]);
	pold_pool_free(&c->pool);
	*c = (struct pold_classes){0};
}
