/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* identity add|del|list: who an address is, told by hand while a bundle is in force. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "known.h"
#include "loader.h"
#include "peers.h"
#include "runtime/cleanup.h"

struct told {
	const struct pold_options *options;
	struct pold_state *state;
	struct pold_store store;
	struct pold_peers peers;
	struct pold_pool pool;
	struct polb_addr addr;
	struct pold_who who;
	pold_labels labels;
};

static void told_close(struct told *t)
{
	pold_peers_close(&t->peers);
	pold_store_close(&t->store);
	pold_pool_free(&t->pool);
}

#define TOLD __attribute__((cleanup(told_close))) struct told
#define TOLD_INIT(o, s)                                                                            \
	{                                                                                          \
		.options = (o), .state = (s), .store = POLD_STORE_INIT, .peers = POLD_PEERS_INIT   \
	}

static int describe(struct told *t)
{
	const char *kind = t->options->kind ? t->options->kind : "pod";
	const char *namespace = t->options->namespace;

	if (!pold_kind_find(kind, &t->addr, &t->who.kinds, &t->who.number))
		return pold_fail(POLD_USAGE,
			"--kind: \"%s\" is not pod, world, node, host, remote-node, "
			"kube-apiserver, health, init, ingress or unmanaged",
			kind);
	if (namespace && !(t->who.kinds & POLB_KIND_POD))
		return pold_fail(POLD_USAGE, "--namespace is for pods only");
	if (t->who.kinds & POLB_KIND_POD)
		pold_labels_push_derived(&t->pool, &t->state->bundle, &t->store,
			namespace ? namespace : "default", &t->labels);
	for (uint32_t i = 0; i < t->options->n_labels; i++)
		*pold_list_push(&t->pool, &t->labels) =
			pold_label_argument(&t->pool, t->options->labels[i]);
	pold_labels_sort(t->labels.items, t->labels.n);
	t->who.labels = t->labels.items;
	t->who.n_labels = t->labels.n;
	pold_who_record(&t->pool, &t->who);
	return t->who.record_bytes > POLD_RECORD_MAX ? pold_fail(POLD_USAGE, "too many labels")
						     : POLD_OK;
}

static struct pold_kept kept_of(const struct told *t, uint32_t set)
{
	const char *on_expiry = t->options->on_expiry;
	uint32_t ttl = t->options->ttl_s > 0 ? (uint32_t)(t->options->ttl_s + 0.999) : 0;

	return (struct pold_kept){.set = t->store.sets.items[set].id,
		.flags = POLD_KEPT_BY_HAND |
			 (ttl && on_expiry && strcmp(on_expiry, "keep") == 0 ? POLD_KEPT_KEEP : 0),
		.expires_s = ttl ? (uint32_t)(pold_boot_ns() / 1000000000u) + ttl : 0,
		.ttl_s = ttl};
}

/* As sync: first what decides, then the address, then what is kept. */
static int write_address(
	struct told *t, const struct pold_kept_key *key, const struct pold_kept *kept)
{
	POLB_FREE struct pold_kept_key *keys = NULL;
	POLB_FREE struct pold_kept *all = NULL;
	size_t n = 0;
	int err = pold_store_read(&t->store, &keys, &all, &n);

	if (!err && pold_state_change(t->state))
		err = -EIO;
	if (!err)
		err = pold_store_reserve(&t->store, n + 1);
	if (!err)
		err = pold_store_set_syncing(&t->store, true);
	if (!err)
		err = pold_store_write_sets(&t->store);
	if (!err)
		err = pold_peers_write(&t->peers);
	if (!err && kept)
		err = pold_store_write(&t->store, key, kept, 1);
	if (!err && !kept)
		err = pold_store_delete(&t->store, key, 1);
	return err;
}

/* A failure is said here; the mark of a killed sync before this one stays. */
static int finish(struct told *t, bool was_syncing, int err)
{
	int code;

	if (err)
		return pold_peers_refuse(&t->addr, err);
	code = pold_state_bump(t->state);
	if (!code && !was_syncing)
		pold_store_set_syncing(&t->store, false);
	return code;
}

static int write_identity(struct told *t)
{
	const struct pold_kept_key key = {.addr = t->addr};
	bool was_syncing = pold_store_is_syncing(&t->store);
	uint32_t set = pold_store_set(&t->store, &t->who);
	struct pold_kept kept = kept_of(t, set);
	struct polb_peer peer;
	int err = pold_peer_of(&t->peers, &t->store, set, &t->addr, &kept, &peer);

	if (err)
		return pold_peers_refuse(&t->addr, err);
	pold_peers_put(&t->peers, &t->addr, &peer);
	err = write_address(t, &key, &kept);
	if (err && !was_syncing) /* the store does not say it: nor may the peers */
		pold_store_set_syncing(&t->store, true);
	return finish(t, was_syncing, err);
}

static int open_told(struct told *t)
{
	int code = POLD_OK, err;

	if (polb_addr_parse(t->options->arguments[1], &t->addr))
		return pold_fail(POLD_USAGE, "\"%s\" is not an address", t->options->arguments[1]);
	code = pold_state_open(t->state, t->options->name, true);
	if (code)
		return code;
	pold_privileges_no_loading();
	err = pold_store_open(&t->store, t->state->name, true);
	if (!err)
		err = pold_peers_open(&t->state->bundle, t->state->name, t->state->generation,
			t->state->archive->node, &t->peers);
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot open the identities: %s", strerror(-err))
		   : POLD_OK;
}

static int add(const struct pold_options *options, struct pold_state *state)
{
	TOLD t = TOLD_INIT(options, state);
	int code = open_told(&t);

	if (!code)
		code = describe(&t);
	return code ? code : write_identity(&t);
}

/* What the bundle says about the address again: its own entry, or none. */
static int del(const struct pold_options *options, struct pold_state *state)
{
	TOLD t = TOLD_INIT(options, state);
	int code = open_told(&t);
	struct pold_kept_key key;
	struct polb_peer own;
	struct pold_kept kept;
	bool was_syncing;

	if (code)
		return code;
	if (!pold_store_find(&t.store, &t.addr, &kept) || (kept.flags & POLD_KEPT_GONE))
		return pold_fail(POLD_ENVIRONMENT, "%s was not added", options->arguments[1]);
	key = (struct pold_kept_key){.addr = t.addr};
	was_syncing = pold_store_is_syncing(&t.store);
	if (pold_peer_own(&t.peers, &t.addr, &own))
		pold_peers_put(&t.peers, &t.addr, &own);
	else
		pold_peers_drop(&t.peers, &t.addr);
	return finish(&t, was_syncing, write_address(&t, &key, NULL));
}

int pold_cmd_identity(const struct pold_options *options)
{
	static const struct pold_actions actions = {.usage = "identity add|del ADDRESS | list ...",
		.add = add,
		.del = del,
		.list = pold_identity_list};

	return pold_actions_run(&actions, options);
}
