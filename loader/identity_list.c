/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* identity list: what is kept, or with --all every address that the programs know. */
#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"
#include "peers.h"
#include "runtime/cleanup.h"

struct listing {
	const struct pold_state *state;
	struct pold_store store;
	int identities_fd;
	uint32_t now_s;
	bool json, any;
};

static const char *state_of(const struct listing *l, const struct pold_kept *kept)
{
	if (kept->flags & POLD_KEPT_GONE)
		return "gone";
	if (!kept->expires_s || kept->expires_s > l->now_s)
		return kept->flags & POLD_KEPT_BY_HAND ? "added" : "synced";
	return kept->flags & POLD_KEPT_KEEP ? "stale" : "expired";
}

static void list_json(const struct listing *l, const char *address, const struct pold_kept *kept,
	uint32_t number, const char *labels)
{
	printf("%s{\"address\":\"%s\",\"identity\":%u,\"labels\":", l->any ? "," : "", address,
		number);
	pold_json_string(labels);
	printf(",\"state\":\"%s\"", state_of(l, kept));
	if (kept->expires_s)
		printf(",\"expires_in\":%lld",
			kept->expires_s > l->now_s ? (long long)(kept->expires_s - l->now_s) : 0);
	putchar('}');
}

static void list_one(
	struct listing *l, const struct pold_kept_key *key, const struct pold_kept *kept)
{
	const struct pold_set *set = pold_store_by_id(&l->store, kept->set);
	char address[POLB_ADDR_TEXT], labels[2048] = "";

	polb_addr_format(&key->addr, address);
	if (set)
		pold_identity_text(
			&l->state->bundle, l->identities_fd, set->number, labels, sizeof(labels));
	if (l->json)
		list_json(l, address, kept, set ? set->number : 2, labels);
	else
		printf("%-40s %10u  %-7s  %s\n", address, set ? set->number : 2, state_of(l, kept),
			labels);
	l->any = true;
}

static void list_kept(struct listing *l)
{
	POLB_FREE struct pold_kept_key *keys = NULL;
	POLB_FREE struct pold_kept *kept = NULL;
	size_t n = 0;

	if (l->json)
		putchar('[');
	else
		printf("%-40s %10s  %-7s  %s\n", "ADDRESS", "IDENTITY", "STATE", "LABELS");
	if (pold_store_read(&l->store, &keys, &kept, &n) == 0)
		for (size_t i = 0; i < n; i++)
			list_one(l, &keys[i], &kept[i]);
	if (l->json)
		puts("]");
}

/* ---- --all: what the programs look at ---- */

static void print_selectors(const struct pold_peers *peers, uint32_t class_id)
{
	size_t bytes = polb_class_value_size(peers->bundle->manifest.class_words);
	POLB_FREE struct polb_class_head *head = calloc(1, bytes);
	const struct polb_class_word *words = (const void *)(head + 1);
	const char *separator = "";

	if (!head || peers->classes_fd < 0 ||
		bpf_map_lookup_elem(peers->classes_fd, &class_id, head))
		return;
	for (uint32_t i = 0; i < head->n && i < peers->bundle->manifest.class_words; i++)
		for (uint64_t rest = words[i].bits; rest; rest &= rest - 1) {
			printf("%s%u", separator,
				words[i].word * 64 + (uint32_t)__builtin_ctzll(rest));
			separator = ",";
		}
}

static int compare_entries(const void *a, const void *b)
{
	return polb_addr_compare(&((const struct pold_peer_entry *)a)->addr,
		&((const struct pold_peer_entry *)b)->addr);
}

static void list_entry(
	struct listing *l, const struct pold_peers *peers, const struct pold_peer_entry *entry)
{
	char address[POLB_ADDR_TEXT], labels[2048] = "";

	polb_addr_format(&entry->addr, address);
	pold_identity_text(
		&l->state->bundle, l->identities_fd, entry->peer.identity, labels, sizeof(labels));
	if (l->json) {
		printf("%s{\"address\":\"%s\",\"identity\":%u,\"labels\":", l->any ? "," : "",
			address, entry->peer.identity);
		pold_json_string(labels);
		printf(",\"selectors\":[");
	} else {
		printf("%-40s %10u  ", address, entry->peer.identity);
	}
	print_selectors(peers, entry->peer.class_id);
	if (l->json)
		printf("]}");
	else
		printf("  %s\n", labels);
	l->any = true;
}

/* The numbers of the selectors that each address satisfies, as `polc inspect` counts them. */
static int list_in_force(struct listing *l)
{
	POLD_PEERS peers = POLD_PEERS_INIT;
	POLB_FREE struct pold_peer_entry *entries = NULL;
	size_t n = 0;
	int err = pold_peers_open(&l->state->bundle, l->state->name, l->state->generation,
		l->state->archive->node, &peers);

	if (!err)
		err = pold_peers_read(&peers, &entries, &n);
	if (err)
		return err;
	if (n)
		qsort(entries, n, sizeof(*entries), compare_entries);
	if (l->json)
		putchar('[');
	else
		printf("%-40s %10s  SELECTORS  LABELS\n", "ADDRESS", "IDENTITY");
	for (size_t i = 0; i < n; i++)
		list_entry(l, &peers, &entries[i]);
	if (l->json)
		puts("]");
	return 0;
}

int pold_identity_list(const struct pold_options *options, struct pold_state *state)
{
	struct listing l = {.state = state,
		.json = options->output && strcmp(options->output, "json") == 0,
		.now_s = (uint32_t)(pold_boot_ns() / 1000000000u)};
	int code = pold_state_open(state, options->name, false), err;

	if (code)
		return code;
	err = pold_store_open(&l.store, state->name, false);
	l.identities_fd = pold_identities_open(state->name);
	if (!err && options->all)
		err = list_in_force(&l);
	else if (!err)
		list_kept(&l);
	polb_cleanup_fd(&l.identities_fd);
	pold_store_close(&l.store);
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot open the identities: %s", strerror(-err))
		   : POLD_OK;
}
