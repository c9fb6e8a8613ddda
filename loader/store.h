/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who addresses are, as told at run time, kept across generations of a name:
 *
 *   identities_v2   address -> set, flags, expiry
 *   labels_v2       {set, part} -> a piece of the set's record (identity.h)
 *   syncing         one u32: 1 while peers may differ from what is kept here
 *
 * A set is written before an address refers to it and forgotten after the last one did.
 */
#ifndef POLD_STORE_H
#define POLD_STORE_H

#include "identity.h"

enum {
	POLD_KEPT_BY_HAND = 1, /* identity add; sync leaves it alone */
	POLD_KEPT_GONE = 2,    /* sync: the bundle's own entry is not to be used; no set */
	POLD_KEPT_KEEP = 4,    /* when expired goes on as before */
};

struct pold_kept_key {
	struct polb_addr addr; /* 17 bytes */
	uint8_t pad[3];
};
struct pold_kept {
	uint32_t set; /* 0: GONE */
	uint32_t flags;
	uint32_t expires_s; /* CLOCK_BOOTTIME, 0: never */
	uint32_t ttl_s;     /* 0: none */
};

struct pold_set {
	uint32_t id;
	uint32_t number; /* for events; equal labels share it */
	struct pold_who who;
	bool is_new, used;
};

struct pold_store {
	const char *name;
	int addresses_fd, sets_fd, syncing_fd; /* -1: nothing is kept */
	struct pold_pool pool;
	POLD_LIST(struct pold_set) sets; /* by id */
	uint32_t *table;                 /* by hash of the record: index + 1 */
	size_t n_slots;
	uint32_t next_id;
};
#define POLD_STORE __attribute__((cleanup(pold_store_close))) struct pold_store
#define POLD_STORE_INIT                                                                            \
	{                                                                                          \
		.addresses_fd = -1, .sets_fd = -1, .syncing_fd = -1                                \
	}

/*
 * Opens and reads the sets. create: makes what is missing and takes over what an older polload
 * kept. Without it an empty store is no mistake. 0 or -errno.
 */
int pold_store_open(struct pold_store *store, const char *name, bool create);
void pold_store_close(struct pold_store *store);
/* All addresses, malloc'd. 0 or -errno. */
int pold_store_read(const struct pold_store *store, struct pold_kept_key **keys,
	struct pold_kept **kept, size_t *n);
bool pold_store_find(
	const struct pold_store *store, const struct polb_addr *addr, struct pold_kept *out);
/* The set of an identity, made in memory when there is none. Its index; borrows the texts. */
uint32_t pold_store_set(struct pold_store *store, const struct pold_who *who);
/* By its id, or NULL. */
const struct pold_set *pold_store_by_id(const struct pold_store *store, uint32_t id);

/* Makes room for that many addresses and the new sets. 0 or -errno. */
int pold_store_reserve(struct pold_store *store, size_t addresses);
int pold_store_write_sets(struct pold_store *store); /* the new ones; 0 or -errno */
int pold_store_write(struct pold_store *store, const struct pold_kept_key *keys,
	const struct pold_kept *kept, size_t n);
int pold_store_delete(struct pold_store *store, const struct pold_kept_key *keys, size_t n);
/* Deletes the sets that are not marked as used. */
int pold_store_forget(struct pold_store *store);
bool pold_store_is_syncing(const struct pold_store *store);
int pold_store_set_syncing(const struct pold_store *store, bool syncing);

/* The set of a number, from the map of sets; the texts are in the pool. */
bool pold_identity_read(
	int identities_fd, uint32_t number, struct pold_pool *pool, struct pold_who *out);
/* Addresses kept under a name: what `apply` must make room for. */
int pold_store_count(const char *name, uint32_t *out);

#endif
