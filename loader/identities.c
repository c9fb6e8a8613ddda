/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Kept identities given to a new generation, and the text of an identity number.
 */
#include "loader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"
#include "runtime/cleanup.h"

#define FIRST_CLUSTER_IDENTITY 256u
#define MIN_ADDRESSES 16384u

/* One kept address. 0, or the exit code of what was said. */
static int replay_one(struct pold_peers *peers, const struct pold_store *store,
	const struct pold_kept_key *key, const struct pold_kept *kept)
{
	const struct pold_set *set = pold_store_by_id(store, kept->set);
	struct polb_peer peer;
	int err;

	if (kept->flags & POLD_KEPT_GONE) {
		pold_peers_drop(peers, &key->addr);
		return POLD_OK;
	}
	if (!set)
		return pold_peers_refuse(&key->addr, -ENOENT);
	err = pold_peer_of(
		peers, store, (uint32_t)(set - store->sets.items), &key->addr, kept, &peer);
	if (err)
		return pold_peers_refuse(&key->addr, err);
	pold_peers_put(peers, &key->addr, &peer);
	return POLD_OK;
}

static int replay_all(struct pold_peers *peers, const struct pold_store *store)
{
	POLB_FREE struct pold_kept_key *keys = NULL;
	POLB_FREE struct pold_kept *kept = NULL;
	size_t n = 0;
	int err = pold_store_read(store, &keys, &kept, &n), code = POLD_OK;

	for (size_t i = 0; !err && !code && i < n; i++)
		code = replay_one(peers, store, &keys[i], &kept[i]);
	if (!err && !code)
		err = pold_peers_write(peers);
	if (err == -ENOSPC)
		return pold_fail(POLD_ENVIRONMENT,
			"no room for %zu kept identities: the maps are full (apply --room)", n);
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot write the kept identities: %s",
			     strerror(-err))
		   : code;
}

int pold_identities_replay(const struct polb_bundle *bundle, const char *name, uint32_t generation)
{
	POLD_STORE store = POLD_STORE_INIT;
	POLD_PEERS peers = POLD_PEERS_INIT;
	char node[256];
	uint32_t n = 0;
	int err;

	err = pold_store_count(name, &n);
	if (!err && n == 0)
		return POLD_OK;
	if (!err)
		err = pold_store_open(&store, name, true);
	if (!err)
		err = pold_generation_node(name, generation, node, sizeof(node));
	if (!err)
		err = pold_peers_open(bundle, name, generation, node, &peers);
	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot open the new maps: %s", strerror(-err));
	return replay_all(&peers, &store);
}

uint32_t pold_identities_room(const char *name)
{
	uint32_t kept = 0;

	pold_store_count(name, &kept); /* what cannot be counted now is refused by the replay */
	return kept > MIN_ADDRESSES / 2 ? 2 * kept : MIN_ADDRESSES;
}

/* ---- text ---- */

struct text {
	char *at;
	size_t left;
	bool labelled;
};

static void text_add(struct text *text, const char *a, const char *b, const char *c, const char *d)
{
	int n = snprintf(text->at, text->left, "%s%s%s%s", a, b, c, d);
	size_t used = n < 0 ? 0 : (size_t)n;

	used = used < text->left ? used : text->left - 1;
	text->at += used;
	text->left -= used;
}

static void text_label(struct text *text, const char *key, const char *value)
{
	if (pold_label_is_derived(key))
		return;
	text_add(text, text->labelled ? "," : "", key, "=", value);
	text->labelled = true;
}

static void text_labels(struct text *text, const struct polb_label *labels, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(labels[i].key, POLD_LABEL_NAMESPACE) == 0)
			text_add(text, labels[i].value, ":", "", "");
	for (size_t i = 0; i < n; i++)
		text_label(text, labels[i].key, labels[i].value);
}

static const char *reserved_identity(uint32_t number)
{
	static const char *const names[] = {"unknown", "host", "world", "unmanaged", "health",
		"init", "remote-node", "kube-apiserver", "ingress", "world-ipv4", "world-ipv6"};

	return number < sizeof(names) / sizeof(names[0]) ? names[number] : NULL;
}

static bool bundle_labels(const struct polb_bundle *b, uint32_t number, struct text *text)
{
	for (size_t i = 0; i < b->n_identities; i++) {
		const struct polb_bundle_identity *identity = &b->identities[i];
		POLB_FREE struct polb_label *labels = NULL;

		if (identity->number != number)
			continue;
		labels = calloc(identity->n_labels + 1, sizeof(*labels));
		for (size_t l = 0; labels && l < identity->n_labels; l++) {
			const struct polb_bundle_label *stored =
				&b->labels[identity->first_label + l];

			labels[l] = (struct polb_label){polb_bundle_string(b, stored->source),
				polb_bundle_string(b, stored->key),
				polb_bundle_string(b, stored->value)};
		}
		text_labels(text, labels, labels ? identity->n_labels : 0);
		return true;
	}
	return false;
}

void pold_who_text(const struct pold_who *who, char *out, size_t size)
{
	struct text text = {.at = out, .left = size};

	*out = '\0';
	text_labels(&text, who->labels, who->n_labels);
}

void pold_identity_text(const struct polb_bundle *bundle, int identities_fd, uint32_t number,
	char *out, size_t size)
{
	struct text text = {.at = out, .left = size};
	struct pold_pool pool = {0};
	struct pold_who who;

	snprintf(out, size, "%s", reserved_identity(number) ? reserved_identity(number) : "");
	if (number < FIRST_CLUSTER_IDENTITY || bundle_labels(bundle, number, &text))
		return;
	if (identities_fd >= 0 && pold_identity_read(identities_fd, number, &pool, &who))
		text_labels(&text, who.labels, who.n_labels);
	pold_pool_free(&pool);
}
