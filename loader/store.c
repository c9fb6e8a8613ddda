/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kept addresses and sets: maps opened, read, written; the maps grow by being replaced. */
#include "store.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch.h"
#include "loader.h"
#include "runtime/cleanup.h"
#include "store_old.h"

#define FIRST_LOCAL_IDENTITY 0x01400000u /* above the numbers of CIDR selectors */
#define MIN_ADDRESSES 16384u
#define MIN_PARTS 4096u
#define PART_BYTES 424u

struct part_key {
	uint32_t set, part;
};
struct part {
	uint32_t bytes; /* of the whole record */
	uint32_t number;
	char data[PART_BYTES];
};

static const char addresses_pin[] = "identities_v2", sets_pin[] = "labels_v2";

/* ---- maps ---- */

static int make_hash(const char *map, size_t key_size, size_t value_size, uint32_t entries)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	int fd = bpf_map_create(
		BPF_MAP_TYPE_HASH, map, (uint32_t)key_size, (uint32_t)value_size, entries, &opts);

	return fd < 0 ? -errno : fd;
}

static int make_addresses(uint32_t entries)
{
	return make_hash(
		"polc_identities", sizeof(struct pold_kept_key), sizeof(struct pold_kept), entries);
}

static int make_sets(uint32_t entries)
{
	return make_hash("polc_labels", sizeof(struct part_key), sizeof(struct part), entries);
}

static int make_syncing(uint32_t entries)
{
	int fd = bpf_map_create(
		BPF_MAP_TYPE_ARRAY, "polc_syncing", 4, sizeof(uint32_t), entries, NULL);

	return fd < 0 ? -errno : fd;
}

static int open_map(const char *name, const char *pin, int (*make)(uint32_t entries),
	uint32_t entries, bool create, int *out)
{
	POLB_FD fd = pold_pin_get(POLD_ROOT "/%s/%s", name, pin);
	int err = 0;

	if (fd == -ENOENT && !create)
		return 0;
	if (fd == -ENOENT) {
		fd = make(entries);
		err = fd < 0 ? fd : pold_pin_put(fd, POLD_ROOT "/%s/%s", name, pin);
	}
	if (fd < 0 || err)
		return fd < 0 ? fd : err;
	*out = polb_take_fd(&fd);
	return 0;
}

/* ---- sets ---- */

static void grow_table(struct pold_store *s)
{
	if (s->sets.n * 2 < s->n_slots)
		return;
	s->n_slots = s->n_slots ? s->n_slots * 2 : 256;
	s->table = pold_pool_new(&s->pool, s->n_slots * sizeof(*s->table));
	for (size_t i = 0; i < s->sets.n; i++) {
		size_t slot = s->sets.items[i].who.hash & (s->n_slots - 1);

		while (s->table[slot])
			slot = (slot + 1) & (s->n_slots - 1);
		s->table[slot] = (uint32_t)i + 1;
	}
}

/* Where the record is, or the free slot where it would be. */
static size_t slot_of(const struct pold_store *s, const struct pold_who *who)
{
	size_t slot = who->hash & (s->n_slots - 1);

	for (; s->table[slot]; slot = (slot + 1) & (s->n_slots - 1)) {
		const struct pold_who *other = &s->sets.items[s->table[slot] - 1].who;

		if (other->hash == who->hash && other->record_bytes == who->record_bytes &&
			memcmp(other->record, who->record, who->record_bytes) == 0)
			break;
	}
	return slot;
}

static struct pold_set *add_set(struct pold_store *s, const struct pold_who *who)
{
	struct pold_set *set;

	grow_table(s);
	set = pold_list_push(&s->pool, &s->sets);
	set->who = *who;
	s->table[slot_of(s, who)] = (uint32_t)s->sets.n;
	return set;
}

/* Whether they differ in ports only. */
static bool same_labels(const struct pold_who *a, const struct pold_who *b)
{
	if (a->kinds != b->kinds || a->n_labels != b->n_labels || a->number != b->number)
		return false;
	for (size_t i = 0; i < a->n_labels; i++)
		if (strcmp(a->labels[i].key, b->labels[i].key) != 0 ||
			strcmp(a->labels[i].value, b->labels[i].value) != 0 ||
			strcmp(a->labels[i].source, b->labels[i].source) != 0)
			return false;
	return true;
}

/* Only sets with ports can have equal labels and be another set. */
static uint32_t number_of(const struct pold_store *s, const struct pold_set *set)
{
	struct pold_who bare = set->who;
	struct pold_pool pool = {0};
	uint32_t number = FIRST_LOCAL_IDENTITY + set->id;
	size_t slot;

	if (set->who.number)
		return set->who.number;
	if (!set->who.n_ports && !set->who.node)
		return number;
	bare.n_ports = 0;
	pold_who_record(&pool, &bare);
	slot = slot_of(s, &bare);
	if (s->table[slot])
		number = s->sets.items[s->table[slot] - 1].number;
	else
		for (size_t i = 0; i + 1 < s->sets.n; i++)
			if (same_labels(&s->sets.items[i].who, &set->who)) {
				number = s->sets.items[i].number;
				break;
			}
	pold_pool_free(&pool);
	return number;
}

uint32_t pold_store_set(struct pold_store *s, const struct pold_who *who)
{
	struct pold_set *set;
	size_t slot;

	grow_table(s);
	slot = slot_of(s, who);
	if (s->table[slot])
		return s->table[slot] - 1;
	set = add_set(s, who);
	set->is_new = true;
	set->id = s->next_id++;
	set->number = number_of(s, set);
	return (uint32_t)s->sets.n - 1;
}

const struct pold_set *pold_store_by_id(const struct pold_store *s, uint32_t id)
{
	size_t low = 0, high = s->sets.n, guess = high ? id - s->sets.items[0].id : 0;

	if (guess < high && s->sets.items[guess].id == id) /* few are ever forgotten */
		return &s->sets.items[guess];
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->sets.items[middle].id == id)
			return &s->sets.items[middle];
		if (s->sets.items[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct stored_part {
	struct part_key key;
	const struct part *part;
};

static int compare_parts(const void *pa, const void *pb)
{
	const struct part_key *a = &((const struct stored_part *)pa)->key;
	const struct part_key *b = &((const struct stored_part *)pb)->key;
	int order = (a->set > b->set) - (a->set < b->set);

	return order ? order : (a->part > b->part) - (a->part < b->part);
}

static uint32_t parts_of(uint32_t bytes)
{
	return bytes / PART_BYTES + (bytes % PART_BYTES != 0);
}

/* What a killed writer left incomplete has no address, and is left out: it is overwritten later. */
static void read_set(struct pold_store *s, const struct stored_part *parts, size_t n)
{
	uint32_t bytes = parts[0].part->bytes;
	struct pold_set *set;
	struct pold_who who;
	char *record;

	if (bytes > 2 * POLD_RECORD_MAX || n < parts_of(bytes) || parts[0].key.part)
		return;
	record = pold_pool_new(&s->pool, bytes);
	for (uint32_t i = 0; i < parts_of(bytes); i++) {
		uint32_t at = i * PART_BYTES, left = bytes - at;

		if (parts[i].key.part != i)
			return;
		memcpy(record + at, parts[i].part->data, left < PART_BYTES ? left : PART_BYTES);
	}
	if (!pold_who_read(&s->pool, record, bytes, &who))
		return;
	set = add_set(s, &who);
	set->id = parts[0].key.set;
	set->number = parts[0].part->number;
}

static int read_sets(struct pold_store *s)
{
	POLB_FREE void *keys = NULL, *values = NULL;
	POLB_FREE struct stored_part *parts = NULL;
	size_t n = 0;
	int err = pold_batch_read(
		s->sets_fd, sizeof(struct part_key), sizeof(struct part), &keys, &values, &n);

	if (err)
		return err;
	parts = malloc((n ? n : 1) * sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		parts[i] = (struct stored_part){
			((struct part_key *)keys)[i], &((struct part *)values)[i]};
	if (n)
		qsort(parts, n, sizeof(*parts), compare_parts);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && parts[end].key.set == parts[i].key.set; end++)
			;
		read_set(s, &parts[i], end - i);
		s->next_id = parts[i].key.set + 1;
	}
	return 0;
}

int pold_store_open(struct pold_store *s, const char *name, bool create)
{
	int err;

	*s = (struct pold_store)POLD_STORE_INIT;
	s->name = name;
	s->next_id = 1;
	err = open_map(
		name, addresses_pin, make_addresses, MIN_ADDRESSES, create, &s->addresses_fd);
	if (!err)
		err = open_map(name, sets_pin, make_sets, MIN_PARTS, create, &s->sets_fd);
	if (!err)
		err = open_map(name, "syncing", make_syncing, 1, create, &s->syncing_fd);
	if (!err && s->sets_fd >= 0)
		err = read_sets(s);
	grow_table(s);
	if (!err)
		err = create ? pold_store_take_over(s) : pold_store_say_old(name);
	return err;
}

void pold_store_close(struct pold_store *s)
{
	polb_cleanup_fd(&s->addresses_fd);
	polb_cleanup_fd(&s->sets_fd);
	polb_cleanup_fd(&s->syncing_fd);
	pold_pool_free(&s->pool);
	*s = (struct pold_store)POLD_STORE_INIT;
}

int pold_store_read(
	const struct pold_store *s, struct pold_kept_key **keys, struct pold_kept **kept, size_t *n)
{
	void *k = NULL, *v = NULL;
	int err = 0;

	*n = 0;
	if (s->addresses_fd >= 0)
		err = pold_batch_read(s->addresses_fd, sizeof(**keys), sizeof(**kept), &k, &v, n);
	*keys = k;
	*kept = v;
	return err;
}

bool pold_store_find(
	const struct pold_store *s, const struct polb_addr *addr, struct pold_kept *out)
{
	const struct pold_kept_key key = {.addr = *addr};

	return s->addresses_fd >= 0 && bpf_map_lookup_elem(s->addresses_fd, &key, out) == 0;
}

/* ---- room ---- */

/* A larger map with the same entries takes the pin's place: a kill leaves the one or the other. */
static int replace_map(const char *name, const char *pin, int (*make)(uint32_t entries),
	uint32_t entries, size_t key_size, size_t value_size, int *fd)
{
	POLB_FREE void *keys = NULL, *values = NULL;
	POLB_FD larger = make(entries);
	char path[POLD_PATH], temporary[POLD_PATH];
	size_t n = 0;
	int err;

	if (larger < 0)
		return larger;
	err = pold_batch_read(*fd, key_size, value_size, &keys, &values, &n);
	if (!err)
		err = pold_batch_write(larger, keys, values, key_size, value_size, n);
	if (err)
		return err;
	pold_path(path, POLD_ROOT "/%s/%s", name, pin);
	pold_path(temporary, POLD_ROOT "/%s/%s_new", name, pin);
	unlink(temporary);
	err = bpf_obj_pin(larger, temporary) ? -errno : 0;
	if (!err && rename(temporary, path))
		err = -errno;
	if (err)
		return err;
	close(*fd);
	*fd = polb_take_fd(&larger);
	return 0;
}

static uint32_t round_up(size_t n)
{
	uint32_t power = MIN_PARTS;

	while (power < n && power < 1u << 30)
		power *= 2;
	return power;
}

int pold_store_reserve(struct pold_store *s, size_t addresses)
{
	uint32_t have_addresses, have_parts;
	size_t parts = 0;
	int err = pold_map_entries(s->addresses_fd, &have_addresses);

	for (size_t i = 0; i < s->sets.n; i++)
		parts += parts_of((uint32_t)s->sets.items[i].who.record_bytes);
	if (!err)
		err = pold_map_entries(s->sets_fd, &have_parts);
	if (!err && addresses > have_addresses)
		err = replace_map(s->name, addresses_pin, make_addresses, round_up(addresses),
			sizeof(struct pold_kept_key), sizeof(struct pold_kept), &s->addresses_fd);
	if (!err && parts > have_parts)
		err = replace_map(s->name, sets_pin, make_sets, round_up(parts),
			sizeof(struct part_key), sizeof(struct part), &s->sets_fd);
	return err;
}

/* ---- writing ---- */

int pold_store_write_sets(struct pold_store *s)
{
	struct part value = {0};

	for (size_t i = 0; i < s->sets.n; i++) {
		struct pold_set *set = &s->sets.items[i];
		uint32_t bytes = (uint32_t)set->who.record_bytes;
		const char *record = set->who.record;

		if (!set->is_new)
			continue;
		for (uint32_t part = 0; part < parts_of(bytes); part++) {
			const struct part_key key = {set->id, part};
			uint32_t left = bytes - part * PART_BYTES;

			value.bytes = bytes;
			value.number = set->number;
			memcpy(value.data, record + part * PART_BYTES,
				left < PART_BYTES ? left : PART_BYTES);
			if (bpf_map_update_elem(s->sets_fd, &key, &value, BPF_ANY))
				return errno == E2BIG ? -ENOSPC : -errno;
		}
		set->is_new = false;
	}
	return 0;
}

int pold_store_write(struct pold_store *s, const struct pold_kept_key *keys,
	const struct pold_kept *kept, size_t n)
{
	return pold_batch_write(s->addresses_fd, keys, kept, sizeof(*keys), sizeof(*kept), n);
}

int pold_store_delete(struct pold_store *s, const struct pold_kept_key *keys, size_t n)
{
	return pold_batch_delete(s->addresses_fd, keys, sizeof(*keys), n);
}

/* A set whose number others share stays for its text. */
static void mark_shared(struct pold_store *s)
{
	for (size_t i = 0; i < s->sets.n; i++) {
		const struct pold_set *set = &s->sets.items[i];
		const struct pold_set *owner =
			set->number > FIRST_LOCAL_IDENTITY && set->used
				? pold_store_by_id(s, set->number - FIRST_LOCAL_IDENTITY)
				: NULL;

		if (owner)
			s->sets.items[owner - s->sets.items].used = true;
	}
}

int pold_store_forget(struct pold_store *s)
{
	mark_shared(s);
	for (size_t i = 0; i < s->sets.n; i++) {
		const struct pold_set *set = &s->sets.items[i];
		uint32_t parts = parts_of((uint32_t)set->who.record_bytes);

		for (uint32_t part = parts; !set->used && !set->is_new && part-- > 0;) {
			const struct part_key key = {set->id, part};

			if (bpf_map_delete_elem(s->sets_fd, &key) && errno != ENOENT)
				return -errno;
		}
	}
	return 0;
}

bool pold_store_is_syncing(const struct pold_store *s)
{
	uint32_t key = 0, value = 0;

	return s->syncing_fd >= 0 && bpf_map_lookup_elem(s->syncing_fd, &key, &value) == 0 && value;
}

int pold_store_set_syncing(const struct pold_store *s, bool syncing)
{
	uint32_t key = 0, value = syncing;

	return bpf_map_update_elem(s->syncing_fd, &key, &value, BPF_ANY) ? -errno : 0;
}

/* ---- without reading all of it ---- */

int pold_store_count(const char *name, uint32_t *out)
{
	POLB_FREE struct pold_kept_key *keys = NULL;
	POLB_FREE struct pold_kept *kept = NULL;
	struct pold_store s = POLD_STORE_INIT;
	uint32_t n_old = 0;
	size_t n = 0;
	int err;

	s.addresses_fd = pold_pin_get(POLD_ROOT "/%s/%s", name, addresses_pin);
	err = s.addresses_fd < 0 && s.addresses_fd != -ENOENT
		      ? s.addresses_fd
		      : pold_store_read(&s, &keys, &kept, &n);
	polb_cleanup_fd(&s.addresses_fd);
	if (!err)
		err = pold_store_count_old(name, &n_old);
	*out = (uint32_t)n + n_old;
	return err;
}

int pold_identities_open(const char *name)
{
	return pold_pin_get(POLD_ROOT "/%s/%s", name, sets_pin);
}

bool pold_identity_read(
	int identities_fd, uint32_t number, struct pold_pool *pool, struct pold_who *out)
{
	uint32_t bytes = 1;
	char *record = NULL;

	if (number <= FIRST_LOCAL_IDENTITY)
		return false;
	for (uint32_t i = 0; i < parts_of(bytes); i++) {
		const struct part_key key = {number - FIRST_LOCAL_IDENTITY, i};
		uint32_t left;
		struct part part;

		if (bpf_map_lookup_elem(identities_fd, &key, &part) ||
			part.bytes > 2 * POLD_RECORD_MAX || (i && part.bytes != bytes))
			return false;
		bytes = part.bytes;
		record = record ? record : pold_pool_new(pool, bytes);
		left = bytes - i * PART_BYTES;
		memcpy(record + i * PART_BYTES, part.data, left < PART_BYTES ? left : PART_BYTES);
	}
	return record && pold_who_read(pool, record, bytes, out);
}
