/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sync: the difference between an inventory and what is in force under one name, planned in memory
 * and then written: decisions before addresses, one new epoch at the end.
 */
#ifndef POLD_SYNC_H
#define POLD_SYNC_H

#include "inventory.h"
#include "known.h"
#include "loader.h"
#include "peers.h"
#include "places.h"
#include "workloads.h"

/* An inventory as read from a file, before it is parsed: every bundle sees it its own way. */
struct pold_sync_source {
	char *path, *text;
	size_t size;
	uint32_t read_s; /* CLOCK_BOOTTIME */
	bool is_new;     /* watch: not yet part of a sync that went well */
};
struct pold_sync_sources {
	struct pold_sync_source *items;
	size_t n;
};

enum pold_change { POLD_ADDED, POLD_CHANGED, POLD_REMOVED, POLD_REFRESHED, POLD_N_CHANGES };
struct pold_sync_change {
	enum pold_change what;
	struct polb_addr addr;
	uint32_t set; /* of store.sets; UINT32_MAX: none */
};

struct pold_sync {
	const struct pold_options *options;
	const struct pold_sync_sources *sources;
	uint32_t
		speaks; /* besides what the inventory speaks about: watch, of files that are gone */
	struct pold_state state;
	struct pold_store store;
	struct pold_peers peers;
	struct pold_inventory inventory;
	struct pold_known known;
	struct pold_pool pool;
	uint32_t now_s;
	bool force;       /* a killed sync may have left anything */
	uint32_t *sets;   /* of the inventory's identities: index in store.sets + 1 */
	uint8_t *is_kept; /* of the inventory's addresses: is in the store */
	struct pold_kept_key *keys;
	struct pold_kept *kept; /* the store, as read */
	size_t n_kept;
	POLD_LIST(struct pold_kept_key) put_keys;
	POLD_LIST(struct pold_kept) put;
	POLD_LIST(struct pold_kept_key) forgotten;
	POLD_LIST(struct pold_sync_change) changes;
	size_t n[POLD_N_CHANGES], n_unchanged, n_by_hand, n_expired;
	size_t more[2];         /* entries more than now, by family */
	uint32_t next_expiry_s; /* 0: none */
	struct pold_endpoints_changes endpoints;
	struct pold_workloads_changes workloads;
};

/* Opens, reads and plans; nothing has changed. Exit code. */
int pold_sync_plan(struct pold_sync *sync, const char *name);
/* The same for a bundle without network policies: no addresses. */
int pold_sync_plan_tracing(struct pold_sync *sync, const char *name);
int pold_sync_write(struct pold_sync *sync); /* exit code */
void pold_sync_close(struct pold_sync *sync);
#define POLD_SYNC __attribute__((cleanup(pold_sync_close))) struct pold_sync
#define POLD_SYNC_INIT                                                                             \
	{                                                                                          \
		.state = POLD_STATE_INIT, .store = POLD_STORE_INIT, .peers = POLD_PEERS_INIT       \
	}

/* One sync of every name that the options mean. `speaks` is added to. Exit code. */
struct pold_sync_result {
	uint32_t next_expiry_s;
	size_t n_changes;
};
int pold_sync_all(const struct pold_options *options, const struct pold_sync_sources *sources,
	uint32_t *speaks, struct pold_sync_result *result);
int pold_sync_watch(const struct pold_options *options); /* watch.c */
uint32_t pold_boot_s(void);

/* sync_print.c */
void pold_sync_print(const struct pold_sync *sync, bool json, bool first);

#endif
