/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who is meant: a name, an address or a place, as one bundle knows it. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "explain.h"
#include "runtime/cleanup.h"
#include "told.h"

struct search {
	const char *text;
	uint32_t endpoint; /* found by place, or the one whose attachment is looked for */
	bool attached;
	uint64_t keys[2];
};

static int compare_place(void *context, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	struct search *search = context;

	if (search->text && strcmp(attachment->where, search->text) == 0)
		search->endpoint = key->endpoint;
	if (search->endpoint && key->endpoint == search->endpoint) {
		search->attached = true;
		search->keys[pold_hook_kind(key->hook) == POLB_HOOK_TC] = attachment->key;
	}
	return 0;
}

static void search_places(const struct pold_state *state, struct search *search)
{
	POLD_GENERATION generation = POLD_GENERATION_INIT;

	if (pold_generation_open(state->name, state->generation, &generation) == 0)
		pold_attachments_each(&generation, compare_place, search);
}

static uint32_t identity_of(const struct polb_live *live, uint32_t endpoint)
{
	struct polb_endpoint record = {0};

	return bpf_map_lookup_elem(live->endpoints_fd, &endpoint, &record) ? 0 : record.identity;
}

static void take_endpoint(const struct pold_state *state, const struct polb_live *live,
	uint32_t endpoint, struct pold_party *out)
{
	struct search search = {.endpoint = endpoint};

	search_places(state, &search);
	out->identity = identity_of(live, endpoint);
	out->attached = search.attached;
	memcpy(out->keys, search.keys, sizeof(out->keys));
	/* of another node: only a peer here */
	if (search.attached || endpoint > state->bundle.n_endpoints ||
		pold_endpoint_local(&state->bundle, endpoint, state->archive->node))
		out->endpoint = endpoint;
}

struct alike {
	const struct pold_state *state;
	const struct polb_live *live;
	struct pold_party *party;
	char labels[2048]; /* of the address */
};

static void take_alike(const struct alike *a, uint32_t endpoint)
{
	struct pold_party *party = a->party;
	struct search search = {.endpoint = endpoint};

	party->n_alike++;
	search_places(a->state, &search);
	if (party->endpoint && (party->attached || !search.attached))
		return;
	party->endpoint = endpoint;
	party->attached = search.attached;
	memcpy(party->keys, search.keys, sizeof(party->keys));
}

/* One that was told has the labels, not always a number of an identity. */
static int take_if_told_alike(void *context, const char *endpoint, const struct pold_told *told)
{
	const struct alike *a = context;
	char labels[sizeof(a->labels)];

	if (pold_endpoint_find(&a->state->bundle, endpoint))
		return 0;
	pold_told_labels(a->state->name, endpoint, labels, sizeof(labels));
	if (*labels && strcmp(labels, a->labels) == 0)
		take_alike(a, (uint32_t)a->state->bundle.n_endpoints + 1 + told->slot);
	return 0;
}

/* Endpoints of this node that are what the address is; an attached one comes first. */
static void endpoints_of_identity(
	const struct pold_state *state, const struct polb_live *live, struct pold_party *party)
{
	struct alike alike = {.state = state, .live = live, .party = party};
	POLB_FD identities_fd = -1;
	POLB_FD told_fd = -1;

	if (party->identity < 256)
		return;
	for (uint32_t i = 1; i <= state->bundle.n_endpoints; i++)
		if (pold_endpoint_local(&state->bundle, i, state->archive->node) &&
			identity_of(live, i) == party->identity)
			take_alike(&alike, i);
	identities_fd = pold_identities_open(state->name);
	told_fd = pold_told_open(state->name, false);
	pold_identity_text(
		&state->bundle, identities_fd, party->identity, alike.labels, sizeof(alike.labels));
	pold_told_each(told_fd, take_if_told_alike, &alike);
}

static bool take_entity(const char *text, struct pold_party *out)
{
	static const char *const entities[] = {NULL, "host", "world", "unmanaged", "health", "init",
		"remote-node", "kube-apiserver", "ingress"};

	for (uint32_t i = 1; i < sizeof(entities) / sizeof(entities[0]); i++)
		if (strcmp(entities[i], text) == 0) {
			out->identity = i;
			return true;
		}
	return false;
}

int pold_party_find(const struct pold_state *state, const struct polb_live *live, const char *text,
	struct pold_party *out)
{
	struct search search = {.text = text};
	enum polb_peer_source source;
	struct polb_peer peer;
	uint32_t endpoint;

	*out = (struct pold_party){.text = text};
	if (polb_addr_parse(text, &out->addr) == 0) {
		int err = polb_live_peer(live, &out->addr, &peer, &source);

		out->has_addr = true;
		out->identity = err ? 0 : peer.identity;
		if (!err)
			endpoints_of_identity(state, live, out);
		return err;
	}
	endpoint = pold_told_number(&state->bundle, state->name, text);
	if (!endpoint) {
		search_places(state, &search);
		endpoint = search.endpoint;
	}
	if (endpoint) {
		take_endpoint(state, live, endpoint, out);
		return 0;
	}
	return take_entity(text, out) ? 0 : -ENOENT;
}
