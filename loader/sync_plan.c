/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a sync has to change. What the store keeps is compared with the inventory; the bundle's own
 * entries count where the store says nothing. What was told by hand stays.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "runtime/cleanup.h"
#include "sync.h"

#define AHEAD 8 /* looks at the inventory */

enum {
	NUMBER_HOST = 1,
	NUMBER_HEALTH = 4,
	NUMBER_REMOTE_NODE = 6,
	NUMBER_KUBE_APISERVER = 7,
	NUMBER_INGRESS = 8,
};

/* ---- what an inventory is about ---- */

static uint32_t kinds_speak(uint32_t kinds)
{
	const uint32_t nodes = POLB_KIND_NODE | POLB_KIND_HOST | POLB_KIND_REMOTE_NODE |
			       POLB_KIND_HEALTH | POLB_KIND_INGRESS;

	return kinds & nodes                      ? POLD_SPEAKS_NODES
	       : kinds & POLB_KIND_KUBE_APISERVER ? POLD_SPEAKS_APISERVER
						  : POLD_SPEAKS_PODS;
}

/* Of a bundle's own entry; loopback stays whatever is said. */
static uint32_t own_speaks(const struct polb_bundle_peer *own)
{
	switch (own->identity) {
	case NUMBER_HOST:
		return 0;
	case NUMBER_REMOTE_NODE:
	case NUMBER_HEALTH:
	case NUMBER_INGRESS:
		return POLD_SPEAKS_NODES;
	case NUMBER_KUBE_APISERVER:
		return own->node ? POLD_SPEAKS_NODES : POLD_SPEAKS_APISERVER;
	default:
		return POLD_SPEAKS_PODS;
	}
}

/* ---- apiservers of an inventory that says nothing of them ---- */

static void keep_apiserver(struct pold_sync *s, const struct polb_addr *addr)
{
	*pold_list_push(&s->inventory.pool, &s->inventory.apiserver_addrs) = *addr;
}

static void keep_known_apiservers(struct pold_sync *s)
{
	const struct polb_bundle *b = &s->state.bundle;

	for (size_t i = 0; i < s->n_kept; i++) {
		const struct pold_set *set = pold_store_by_id(&s->store, s->kept[i].set);

		if (set && (set->who.kinds & POLB_KIND_KUBE_APISERVER))
			keep_apiserver(s, &s->keys[i].addr);
	}
	for (size_t i = 0; i < b->n_peers; i++) {
		struct polb_addr addr = {.family = (uint8_t)b->peers[i].family};
		struct pold_kept kept;

		memcpy(addr.bytes, b->peers[i].addr, sizeof(addr.bytes));
		if (b->peers[i].identity == NUMBER_KUBE_APISERVER &&
			!pold_store_find(&s->store, &addr, &kept))
			keep_apiserver(s, &addr);
	}
}

/* ---- one address ---- */

static void note_change(
	struct pold_sync *s, enum pold_change what, const struct polb_addr *addr, uint32_t set)
{
	s->n[what]++;
	if (what != POLD_REFRESHED)
		*pold_list_push(&s->pool, &s->changes) =
			(struct pold_sync_change){what, *addr, set};
}

static uint32_t set_of(struct pold_sync *s, uint32_t identity)
{
	if (!s->sets[identity])
		s->sets[identity] =
			pold_store_set(&s->store, &s->inventory.identities.items[identity]) + 1;
	return s->sets[identity] - 1;
}

static uint32_t read_at(const struct pold_sync *s, const struct pold_inventory_address *a)
{
	for (size_t i = 0; i < s->inventory.sources.n; i++)
		if (s->inventory.sources.items[i].path == a->at.path)
			return s->inventory.sources.items[i].read_s;
	return s->now_s;
}

static struct pold_kept wanted(
	struct pold_sync *s, const struct pold_inventory_address *a, uint32_t set)
{
	uint32_t ttl = a->ttl_s;

	if (ttl == POLD_TTL_DEFAULT)
		ttl = s->options->ttl_s > 0 ? (uint32_t)s->options->ttl_s : 0;
	if (s->options->ttl_s > 0 && s->options->ttl_s < 1 && a->ttl_s == POLD_TTL_DEFAULT)
		ttl = 1;
	return (struct pold_kept){.set = s->store.sets.items[set].id,
		.flags = ttl && s->options->on_expiry && strcmp(s->options->on_expiry, "keep") == 0
				 ? POLD_KEPT_KEEP
				 : 0,
		.expires_s = ttl ? read_at(s, a) + ttl : 0,
		.ttl_s = ttl};
}

static void note_expiry(struct pold_sync *s, const struct pold_kept *kept)
{
	if (!kept->expires_s || (kept->flags & POLD_KEPT_KEEP))
		return;
	if (kept->expires_s <= s->now_s)
		s->n_expired++;
	else if (!s->next_expiry_s || kept->expires_s < s->next_expiry_s)
		s->next_expiry_s = kept->expires_s;
}

/* A time that is only a little later is not worth writing. */
static bool is_fresh(const struct pold_kept *old, const struct pold_kept *new)
{
	return old->expires_s == new->expires_s ||
	       (old->expires_s && new->expires_s >
					  old->expires_s &&new->expires_s - old->expires_s <=
					  new->ttl_s / 8);
}

static bool is_same(const struct pold_kept *old, const struct pold_kept *new)
{
	return old->set == new->set && old->flags == new->flags && old->ttl_s == new->ttl_s;
}

static void put(struct pold_sync *s, const struct polb_addr *addr, const struct pold_kept *kept,
	const struct polb_peer *peer)
{
	*pold_list_push(&s->pool, &s->put_keys) = (struct pold_kept_key){.addr = *addr};
	*pold_list_push(&s->pool, &s->put) = *kept;
	if (peer)
		pold_peers_put(&s->peers, addr, peer);
	else
		pold_peers_drop(&s->peers, addr);
}

/* What changes when `new` takes the place of `old` (NULL: the store says nothing). */
static enum pold_change change_of(const struct pold_sync *s, const struct polb_addr *addr,
	const struct pold_kept *old, const struct pold_kept *new, const struct polb_peer *peer)
{
	struct polb_peer own;

	if (old && !(old->flags & POLD_KEPT_GONE))
		return old->set == new->set ? POLD_REFRESHED : POLD_CHANGED;
	if (old || !pold_peer_own(&s->peers, addr, &own))
		return POLD_ADDED;
	return own.identity == peer->identity && own.class_id == peer->class_id ? POLD_REFRESHED
										: POLD_CHANGED;
}

static int decide(
	struct pold_sync *s, const struct pold_inventory_address *a, const struct pold_kept *old)
{
	uint32_t set = set_of(s, a->identity);
	struct pold_kept new = wanted(s, a, set);
	enum pold_change what;
	struct polb_peer peer;
	int err;

	s->store.sets.items[set].used = true;
	if (old && is_same(old, &new) && is_fresh(old, &new) && !s->force) {
		note_expiry(s, old);
		s->n_unchanged++;
		return POLD_OK;
	}
	note_expiry(s, &new);
	err = pold_peer_of(&s->peers, &s->store, set, &a->addr, &new, &peer);
	if (err)
		return err == -ENOSPC ? pold_fail(POLD_ENVIRONMENT,
						"%s: no room for another %zu kinds of identities "
						"(apply --room with more than %u)",
						s->state.name, s->peers.classes.changed.n + 1,
						s->peers.classes.n_entries)
				      : pold_peers_refuse(&a->addr, err);
	what = change_of(s, &a->addr, old, &new, &peer);
	note_change(s, what, &a->addr, set);
	s->more[a->addr.family == 6] += what == POLD_ADDED;
	put(s, &a->addr, &new, &peer);
	return POLD_OK;
}

/* ---- what is kept already ---- */

static void forget(struct pold_sync *s, const struct pold_kept_key *key)
{
	*pold_list_push(&s->pool, &s->forgotten) = *key;
	pold_peers_drop(&s->peers, &key->addr);
}

static void remove_kept(struct pold_sync *s, size_t i)
{
	const struct pold_kept gone = {.flags = POLD_KEPT_GONE};
	bool is_gone = s->kept[i].flags & POLD_KEPT_GONE;
	struct polb_peer own;

	if (!is_gone)
		note_change(s, POLD_REMOVED, &s->keys[i].addr, UINT32_MAX);
	if (!pold_peer_own(&s->peers, &s->keys[i].addr, &own))
		forget(s, &s->keys[i]);
	else if (!is_gone || s->force)
		put(s, &s->keys[i].addr, &gone, NULL);
}

static void use(struct pold_sync *s, const struct pold_set *set)
{
	if (set)
		s->store.sets.items[set - s->store.sets.items].used = true;
}

/* What stays as it is is written again only after a killed sync. */
static int leave(struct pold_sync *s, size_t i, const struct pold_set *set)
{
	struct polb_peer peer;
	int err;

	use(s, set);
	note_expiry(s, &s->kept[i]);
	if (!s->force || !set)
		return POLD_OK;
	err = pold_peer_of(&s->peers, &s->store, (uint32_t)(set - s->store.sets.items),
		&s->keys[i].addr, &s->kept[i], &peer);
	if (err)
		return pold_peers_refuse(&s->keys[i].addr, err);
	put(s, &s->keys[i].addr, &s->kept[i], &peer);
	return POLD_OK;
}

static int compare_kept(struct pold_sync *s, size_t i)
{
	const struct pold_inventory_address *a =
		pold_inventory_address(&s->inventory, &s->keys[i].addr);
	bool by_hand = s->kept[i].flags & POLD_KEPT_BY_HAND;
	const struct pold_set *set;

	if (a)
		s->is_kept[a - s->inventory.addresses.items] = 1;
	s->n_by_hand += a && by_hand;
	if (!by_hand && a && a->rank != POLD_RANK_LOOPBACK)
		return decide(s, a, &s->kept[i]);
	set = pold_store_by_id(&s->store, s->kept[i].set);
	if (by_hand)
		return leave(s, i, set);
	if (set ? (kinds_speak(set->who.kinds) & s->inventory.speaks) != 0
		: !(s->kept[i].flags & POLD_KEPT_GONE)) {
		remove_kept(s, i);
		return POLD_OK;
	}
	if (s->kept[i].flags & POLD_KEPT_GONE)
		remove_kept(s, i);
	return leave(s, i, set);
}

/* The store's order is that of its hash map: none. */
static int compare_all_kept(struct pold_sync *s)
{
	uint64_t hashes[2 * AHEAD] = {0};
	int code = POLD_OK;

	for (size_t i = 0; !code && i < s->n_kept + 2 * AHEAD; i++) {
		if (i < s->n_kept) {
			hashes[i % (2 * AHEAD)] = pold_addr_hash(&s->keys[i].addr);
			pold_inventory_expect_slot(&s->inventory, hashes[i % (2 * AHEAD)]);
		}
		if (i >= AHEAD && i - AHEAD < s->n_kept)
			pold_inventory_expect_address(
				&s->inventory, hashes[(i - AHEAD) % (2 * AHEAD)]);
		if (i >= 2 * AHEAD)
			code = compare_kept(s, i - 2 * AHEAD);
	}
	return code;
}

static int add_new(struct pold_sync *s)
{
	int code = POLD_OK;

	for (size_t i = 0; !code && i < s->inventory.addresses.n; i++) {
		const struct pold_inventory_address *a = &s->inventory.addresses.items[i];

		if (!s->is_kept[i] && a->rank != POLD_RANK_LOOPBACK)
			code = decide(s, a, NULL);
	}
	return code;
}

/* ---- what only the bundle says ---- */

static void remove_own(struct pold_sync *s)
{
	const struct pold_kept gone = {.flags = POLD_KEPT_GONE};
	const struct polb_bundle *b = &s->state.bundle;

	for (size_t i = 0; i < b->n_peers; i++) {
		struct polb_addr addr = {.family = (uint8_t)b->peers[i].family};
		struct pold_kept kept;

		memcpy(addr.bytes, b->peers[i].addr, sizeof(addr.bytes));
		if (!(own_speaks(&b->peers[i]) & s->inventory.speaks) ||
			pold_inventory_address(&s->inventory, &addr) ||
			pold_store_find(&s->store, &addr, &kept))
			continue;
		note_change(s, POLD_REMOVED, &addr, UINT32_MAX);
		put(s, &addr, &gone, NULL);
	}
}

/* ---- after a killed sync: entries that nobody knows of ---- */

static bool is_expected(struct pold_sync *s, const struct polb_addr *addr)
{
	struct polb_peer own;
	struct pold_kept kept;

	if (pold_inventory_address(&s->inventory, addr))
		return true;
	if (pold_store_find(&s->store, addr, &kept))
		return true; /* planned above, one way or the other */
	return pold_peer_own(&s->peers, addr, &own);
}

static int drop_unknown(struct pold_sync *s)
{
	POLB_FREE struct pold_peer_entry *entries = NULL;
	size_t n = 0;
	int err = s->force ? pold_peers_read(&s->peers, &entries, &n) : 0;

	for (size_t i = 0; !err && i < n; i++)
		if (!is_expected(s, &entries[i].addr))
			pold_peers_drop(&s->peers, &entries[i].addr);
	return err ? pold_fail(POLD_ENVIRONMENT, "%s: cannot read the addresses: %s", s->state.name,
			     strerror(-err))
		   : POLD_OK;
}

/* ---- room ---- */

static size_t own_entries(const struct pold_sync *s, int family)
{
	size_t n = 0;

	for (size_t i = 0; i < s->state.bundle.n_peers; i++)
		n += (s->state.bundle.peers[i].family == 6) == family;
	return n;
}

/* New entries come before old ones go. */
static int check_room(struct pold_sync *s)
{
	POLB_FREE struct pold_peer_entry *entries = NULL;
	size_t n = 0, have[2] = {0, 0};
	int err = 0;

	if (!s->more[0] && !s->more[1])
		return POLD_OK;
	err = pold_peers_read(&s->peers, &entries, &n);
	for (size_t i = 0; !err && i < n; i++)
		have[entries[i].addr.family == 6]++;
	for (int family = 0; !err && family < 2; family++) {
		size_t need = have[family] + s->more[family];
		uint32_t most = 0;

		err = pold_map_entries(s->peers.peers_fd[family], &most);
		if (!err && s->more[family] && need > most)
			return pold_fail(POLD_ENVIRONMENT,
				"%s: no room for %zu more IPv%d addresses, nothing is changed "
				"(apply --room %zu)",
				s->state.name, s->more[family], family ? 6 : 4,
				need + need / 4 - own_entries(s, family));
	}
	return err ? pold_fail(POLD_ENVIRONMENT, "%s: cannot read the addresses: %s", s->state.name,
			     strerror(-err))
		   : POLD_OK;
}

/* ---- the whole ---- */

/*
 * What is kept is read by another thread while this one parses the inventory: of 100,000 addresses
 * each takes a third of the whole. Nobody else changes the store, the name is locked.
 */
struct reading {
	struct pold_sync *sync;
	pthread_t thread;
	bool begun;
	int err;
};

static void *read_kept(void *context)
{
	struct reading *reading = context;
	struct pold_sync *s = reading->sync;

	reading->err = pold_store_read(&s->store, &s->keys, &s->kept, &s->n_kept);
	return NULL;
}

static void begin_reading(struct reading *reading)
{
	reading->begun = pthread_create(&reading->thread, NULL, read_kept, reading) == 0;
	if (!reading->begun)
		read_kept(reading);
}

static int end_reading(struct reading *reading)
{
	if (reading->begun)
		pthread_join(reading->thread, NULL);
	return reading->err ? pold_fail(POLD_ENVIRONMENT, "cannot read the identities of %s: %s",
				      reading->sync->state.name, strerror(-reading->err))
			    : POLD_OK;
}

static int read_sources(struct pold_sync *s)
{
	int code = POLD_OK;

	for (size_t i = 0; i < s->sources->n; i++) {
		const struct pold_sync_source *source = &s->sources->items[i];

		if (pold_inventory_read(&s->inventory, source->path, source->text, source->size,
			    source->read_s))
			code = POLD_BAD;
	}
	return code;
}

static int read_inventory(struct pold_sync *s)
{
	struct reading reading = {.sync = s};
	int code, kept;

	begin_reading(&reading);
	code = read_sources(s);
	kept = end_reading(&reading);
	code = code ? code : kept;
	s->inventory.speaks |= s->speaks;
	pold_known_init(&s->known, &s->state.bundle, &s->store);
	if (!code && !(s->inventory.speaks & POLD_SPEAKS_APISERVER))
		keep_known_apiservers(s);
	if (!code)
		code = pold_inventory_finish(&s->inventory, &s->known.asked);
	if (!code && !s->inventory.speaks)
		code = pold_fail(POLD_BAD, "%s: no pod, node or address in it: nothing is changed",
			s->sources->n ? s->sources->items[0].path : "inventory");
	if (code)
		return code;
	s->sets = pold_pool_new(&s->pool, (s->inventory.identities.n + 1) * sizeof(*s->sets));
	s->is_kept = pold_pool_new(&s->pool, s->inventory.addresses.n + 1);
	return POLD_OK;
}

static int open_all(struct pold_sync *s, const char *name)
{
	int code = pold_state_open(&s->state, name, true), err;

	if (code)
		return code;
	err = pold_store_open(&s->store, name, !s->options->dry_run);
	if (!err)
		err = pold_peers_open(&s->state.bundle, name, s->state.generation,
			s->state.archive->node, &s->peers);
	s->force = !err && pold_store_is_syncing(&s->store);
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot open the identities of %s: %s", name,
			     strerror(-err))
		   : POLD_OK;
}

int pold_sync_plan(struct pold_sync *s, const char *name)
{
	int code = open_all(s, name);

	s->now_s = pold_boot_s();
	if (!code)
		code = read_inventory(s);
	if (!code)
		code = compare_all_kept(s);
	if (!code)
		code = add_new(s);
	if (!code)
		remove_own(s);
	if (!code)
		code = drop_unknown(s);
	if (!code)
		code = check_room(s);
	if (!code && s->options->dry_run)
		code = pold_endpoints_sync(
			&s->state, &s->inventory, 0, s->state.archive->node, true, &s->endpoints);
	return code;
}

int pold_sync_plan_tracing(struct pold_sync *s, const char *name)
{
	int code = pold_state_open(&s->state, name, true);

	return code ? code : read_inventory(s);
}

void pold_sync_close(struct pold_sync *s)
{
	pold_peers_close(&s->peers);
	pold_store_close(&s->store);
	pold_inventory_free(&s->inventory);
	pold_pool_free(&s->pool);
	pold_state_close(&s->state);
	free(s->keys);
	free(s->kept);
}
