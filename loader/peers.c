/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Peer entries: who an address is, as the bundle numbers it, and the maps that hold them. */
#include "peers.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "batch.h"
#include "loader.h"
#include "runtime/cleanup.h"
#include "runtime/instance.h"

#define FIRST_CLUSTER_IDENTITY 256u
enum { NUMBER_HOST = 1, NUMBER_REMOTE_NODE = 6 };

/* ---- numbers that the bundle gave to label sets ---- */

struct pold_numbers {
	struct number {
		uint64_t hash;
		struct pold_who who;
		uint32_t number; /* 0: free */
	} * slots;
	size_t n_slots;
};

static struct number *number_slot(const struct pold_numbers *numbers, const struct pold_who *who)
{
	size_t slot = who->hash & (numbers->n_slots - 1);

	for (; numbers->slots[slot].number; slot = (slot + 1) & (numbers->n_slots - 1)) {
		const struct pold_who *other = &numbers->slots[slot].who;

		if (other->hash == who->hash && other->record_bytes == who->record_bytes &&
			memcmp(other->record, who->record, who->record_bytes) == 0)
			break;
	}
	return &numbers->slots[slot];
}

static void add_number(struct pold_peers *p, const struct polb_bundle_identity *identity)
{
	struct polb_label *labels = pold_pool_new(&p->pool, identity->n_labels * sizeof(*labels));
	struct pold_who who = {
		.kinds = POLB_KIND_POD, .labels = labels, .n_labels = identity->n_labels};
	struct number *slot;

	for (uint32_t i = 0; i < identity->n_labels; i++) {
		const struct polb_bundle_label *l = &p->bundle->labels[identity->first_label + i];

		labels[i] = (struct polb_label){polb_bundle_string(p->bundle, l->source),
			polb_bundle_string(p->bundle, l->key),
			polb_bundle_string(p->bundle, l->value)};
	}
	pold_labels_sort(labels, who.n_labels);
	pold_who_record(&p->pool, &who);
	slot = number_slot(p->numbers, &who);
	if (!slot->number)
		*slot = (struct number){.hash = who.hash, .who = who, .number = identity->number};
}

/* Each number once: a bundle has an identity for every pod. */
static void read_numbers(struct pold_peers *p)
{
	const struct polb_bundle *b = p->bundle;
	uint32_t most = 0;
	uint8_t *seen;

	p->numbers = pold_pool_new(&p->pool, sizeof(*p->numbers));
	for (p->numbers->n_slots = 64; p->numbers->n_slots < 2 * b->n_identities;
		p->numbers->n_slots *= 2)
		;
	p->numbers->slots =
		pold_pool_new(&p->pool, p->numbers->n_slots * sizeof(*p->numbers->slots));
	for (size_t i = 0; i < b->n_identities; i++)
		if (b->identities[i].number > most && b->identities[i].number < 1u << 24)
			most = b->identities[i].number;
	seen = pold_pool_new(&p->pool, most / 8 + 1);
	for (size_t i = 0; i < b->n_identities; i++) {
		uint32_t number = b->identities[i].number;

		if (number < FIRST_CLUSTER_IDENTITY || number > most ||
			(seen[number / 8] & (1u << (number % 8))))
			continue;
		seen[number / 8] |= (uint8_t)(1u << (number % 8));
		add_number(p, &b->identities[i]);
	}
}

static uint32_t number_of(struct pold_peers *p, const struct pold_set *set, bool local)
{
	struct pold_who bare = set->who;
	struct pold_pool pool = {0};
	uint32_t number;

	if (set->who.number)
		return local && set->who.number == NUMBER_REMOTE_NODE ? NUMBER_HOST
								      : set->who.number;
	if (!p->numbers)
		read_numbers(p);
	if (bare.n_ports || bare.node || bare.kinds != POLB_KIND_POD) {
		bare.n_ports = 0;
		bare.node = NULL;
		bare.kinds = POLB_KIND_POD;
		pold_who_record(&pool, &bare);
	}
	number = number_slot(p->numbers, &bare)->number;
	pold_pool_free(&pool);
	return number ? number : set->number;
}

/* ---- entries ---- */

int pold_peer_of(struct pold_peers *p, const struct pold_store *store, uint32_t set,
	const struct polb_addr *addr, const struct pold_kept *kept, struct polb_peer *out)
{
	const struct pold_who *who = &store->sets.items[set].who;
	bool local = who->node && p->node && strcmp(who->node, p->node) == 0;

	*out = (struct polb_peer){.identity = number_of(p, &store->sets.items[set], local),
		.expires_s = kept->expires_s,
		.flags = kept->flags & POLD_KEPT_KEEP ? POLB_PEER_KEEP : 0};
	return pold_class_of(&p->classes, set, polb_kinds_localise(who->kinds, local), who, addr,
		&out->class_id);
}

/* The bundle's peers are sorted. */
static const struct polb_bundle_peer *find_own(
	const struct polb_bundle *bundle, const struct polb_addr *addr)
{
	size_t low = 0, high = bundle->n_peers;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct polb_bundle_peer *peer = &bundle->peers[middle];
		int order = (int)peer->family - addr->family;

		if (!order)
			order = memcmp(peer->addr, addr->bytes, sizeof(peer->addr));
		if (!order)
			return peer;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool pold_peer_own(const struct pold_peers *p, const struct polb_addr *addr, struct polb_peer *out)
{
	const struct polb_bundle_peer *own = find_own(p->bundle, addr);

	if (own)
		*out = polb_peer_value(p->bundle, own, p->node);
	return own;
}

void pold_peers_put(
	struct pold_peers *p, const struct polb_addr *addr, const struct polb_peer *peer)
{
	if (addr->family == 6) {
		p->keys6.items = pold_pool_grow(&p->pool, p->keys6.items, p->keys6.n, &p->keys6.cap,
			sizeof(*p->keys6.items));
		memcpy(p->keys6.items[p->keys6.n++], addr->bytes, 16);
		*pold_list_push(&p->pool, &p->values6) = *peer;
	} else {
		memcpy(pold_list_push(&p->pool, &p->keys4), addr->bytes, 4);
		*pold_list_push(&p->pool, &p->values4) = *peer;
	}
}

void pold_peers_drop(struct pold_peers *p, const struct polb_addr *addr)
{
	*pold_list_push(&p->pool, &p->deleted) = *addr;
}

int pold_peers_write(struct pold_peers *p)
{
	int err = pold_classes_write(&p->classes);

	if (!err)
		err = pold_batch_write(p->peers_fd[0], p->keys4.items, p->values4.items, 4,
			sizeof(struct polb_peer), p->keys4.n);
	if (!err)
		err = pold_batch_write(p->peers_fd[1], p->keys6.items, p->values6.items, 16,
			sizeof(struct polb_peer), p->keys6.n);
	for (size_t i = 0; !err && i < p->deleted.n; i++)
		if (bpf_map_delete_elem(p->peers_fd[p->deleted.items[i].family == 6],
			    p->deleted.items[i].bytes) &&
			errno != ENOENT)
			err = -errno;
	p->keys4.n = p->values4.n = p->keys6.n = p->values6.n = p->deleted.n = 0;
	return err;
}

static int read_family(
	const struct pold_peers *p, int family, struct pold_peer_entry **out, size_t *n)
{
	POLB_FREE void *keys = NULL, *values = NULL;
	size_t key_bytes = family ? 16 : 4, more = 0;
	struct pold_peer_entry *larger;
	int err = pold_batch_read(
		p->peers_fd[family], key_bytes, sizeof(struct polb_peer), &keys, &values, &more);

	if (err)
		return err;
	larger = realloc(*out, (*n + more + 1) * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	*out = larger;
	for (size_t i = 0; i < more; i++) {
		struct pold_peer_entry *e = &larger[(*n)++];

		*e = (struct pold_peer_entry){.addr.family = family ? 6 : 4,
			.peer = ((const struct polb_peer *)values)[i]};
		memcpy(e->addr.bytes, (const char *)keys + i * key_bytes, key_bytes);
	}
	return 0;
}

int pold_peers_read(const struct pold_peers *p, struct pold_peer_entry **out, size_t *n)
{
	int err;

	*out = NULL;
	*n = 0;
	err = read_family(p, 0, out, n);
	return err ? err : read_family(p, 1, out, n);
}

/* ---- maps ---- */

int pold_peers_open(const struct polb_bundle *bundle, const char *name, uint32_t generation,
	const char *node, struct pold_peers *out)
{
	*out = (struct pold_peers)POLD_PEERS_INIT;
	out->bundle = bundle;
	out->node = node;
	out->classes_fd = pold_pin_get(POLD_ROOT "/%s/g%u/polt_classes", name, generation);
	out->peers_fd[0] = pold_pin_get(POLD_ROOT "/%s/g%u/polt_peers4", name, generation);
	out->peers_fd[1] = pold_pin_get(POLD_ROOT "/%s/g%u/polt_peers6", name, generation);
	if (out->peers_fd[0] < 0 || out->peers_fd[1] < 0)
		return out->peers_fd[0] < 0 ? out->peers_fd[0] : out->peers_fd[1];
	if (out->classes_fd < 0 && out->classes_fd != -ENOENT)
		return out->classes_fd;
	return pold_classes_open(bundle, out->classes_fd, out->peers_fd, &out->classes);
}

void pold_peers_close(struct pold_peers *p)
{
	polb_cleanup_fd(&p->classes_fd);
	polb_cleanup_fd(&p->peers_fd[0]);
	polb_cleanup_fd(&p->peers_fd[1]);
	pold_classes_close(&p->classes);
	pold_pool_free(&p->pool);
	*p = (struct pold_peers)POLD_PEERS_INIT;
}

int pold_peers_refuse(const struct polb_addr *addr, int err)
{
	char text[POLB_ADDR_TEXT];

	polb_addr_format(addr, text);
	if (err == -ENOSPC)
		return pold_fail(
			POLD_ENVIRONMENT, "no room for %s: the maps are full (apply --room)", text);
	if (err == -E2BIG)
		return pold_fail(POLD_ENVIRONMENT,
			"%s satisfies selectors in more words than the bundle's classes have",
			text);
	return pold_fail(POLD_ENVIRONMENT, "cannot add %s: %s", text, strerror(-err));
}

int pold_generation_node(const char *name, uint32_t generation, char *out, size_t size)
{
	POLB_FD fd = pold_pin_get(POLD_ROOT "/%s/g%u/bundle", name, generation);
	const struct pold_archive_header *header;

	if (fd < 0)
		return fd;
	header = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (header == MAP_FAILED)
		return -errno;
	snprintf(out, size, "%s", header->node);
	munmap((void *)(uintptr_t)header, 4096);
	return 0;
}
