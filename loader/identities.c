/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Addresses told at run time: kept in a pinned map of their own, so that the next generation gets
 * them too, and installed as a class and a peer entry. First the class, then the address.
 */
#include "loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classes.h"
#include "runtime/cleanup.h"
#include "runtime/instance.h"

#define MAX_IDENTITIES 65536
#define MAX_LABELS 128
#define FIRST_CLUSTER_IDENTITY 256

int pold_identities_open(const char *name, bool create)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	POLB_FD fd = pold_pin_get(POLD_ROOT "/%s/identities_v1", name);
	int err;

	if (fd != -ENOENT || !create)
		return polb_take_fd(&fd);
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "polc_identities", sizeof(struct pold_identity_key),
		sizeof(struct pold_identity), MAX_IDENTITIES, &opts);
	if (fd < 0)
		return -errno;
	err = pold_pin_put(fd, POLD_ROOT "/%s/identities_v1", name);
	return err ? err : polb_take_fd(&fd);
}

int pold_identities_each(int fd,
	int (*call)(void *context, const struct pold_identity_key *key,
		const struct pold_identity *identity),
	void *context)
{
	struct pold_identity_key key, *previous = NULL;
	int result = 0;

	while (!result && bpf_map_get_next_key(fd, previous, &key) == 0) {
		struct pold_identity identity;

		previous = &key;
		if (bpf_map_lookup_elem(fd, &key, &identity) == 0)
			result = call(context, &key, &identity);
	}
	return result;
}

/* Labels from their stored text; at most MAX_LABELS. */
static size_t labels_of(const struct pold_identity *identity, struct polb_label out[MAX_LABELS])
{
	const char *at = identity->labels;
	size_t size = identity->labels_size, n = 0;
	const char *end = at + (size < sizeof(identity->labels) ? size : sizeof(identity->labels));

	while (at < end && n < MAX_LABELS) {
		const char *parts[3];

		for (int i = 0; i < 3; i++) {
			parts[i] = at;
			at += strnlen(at, (size_t)(end - at)) + 1;
			if (at > end)
				return n;
		}
		out[n++] = (struct polb_label){parts[0], parts[1], parts[2]};
	}
	return n;
}

struct generation_maps {
	const struct polb_bundle *bundle;
	int classes_fd, peers_fd[2]; /* IPv4, IPv6 */
	uint8_t *used;               /* classes in use by run-time identities */
	uint32_t n_classes;
};

static void maps_close(struct generation_maps *maps)
{
	polb_cleanup_fd(&maps->classes_fd);
	polb_cleanup_fd(&maps->peers_fd[0]);
	polb_cleanup_fd(&maps->peers_fd[1]);
	free(maps->used);
}

static int peer_of(
	const struct generation_maps *maps, const struct polb_addr *addr, struct polb_peer *out)
{
	return bpf_map_lookup_elem(maps->peers_fd[addr->family == 6], addr->bytes, out) ? -errno
											: 0;
}

static int mark_used(
	void *context, const struct pold_identity_key *key, const struct pold_identity *identity)
{
	struct generation_maps *maps = context;
	struct polb_peer peer;

	(void)identity;
	if (peer_of(maps, &key->addr, &peer) == 0 && peer.class_id < maps->n_classes)
		maps->used[peer.class_id / 8] |= (uint8_t)(1u << (peer.class_id % 8));
	return 0;
}

static int maps_open(const struct polb_bundle *bundle, const char *name, uint32_t generation,
	struct generation_maps *out)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);
	POLB_FD identities = pold_identities_open(name, false);

	out->bundle = bundle;
	out->classes_fd = pold_pin_get(POLD_ROOT "/%s/g%u/polt_classes", name, generation);
	out->peers_fd[0] = pold_pin_get(POLD_ROOT "/%s/g%u/polt_peers4", name, generation);
	out->peers_fd[1] = pold_pin_get(POLD_ROOT "/%s/g%u/polt_peers6", name, generation);
	if (out->peers_fd[0] < 0 || out->peers_fd[1] < 0)
		return out->peers_fd[0] < 0 ? out->peers_fd[0] : out->peers_fd[1];
	if (out->classes_fd < 0) /* no rule looks at peers: there is nothing to write */
		return out->classes_fd == -ENOENT ? 0 : out->classes_fd;
	if (bpf_obj_get_info_by_fd(out->classes_fd, &info, &size))
		return -errno;
	out->n_classes = info.max_entries;
	out->used = calloc(out->n_classes / 8 + 1, 1);
	if (!out->used)
		return -ENOMEM;
	if (identities >= 0)
		pold_identities_each(identities, mark_used, out);
	return 0;
}

/* Class and peer of one address. 0 or -errno; -ENOSPC, -E2BIG: no room. */
static int install(struct generation_maps *maps, const struct polb_addr *addr,
	const struct pold_identity *identity)
{
	struct polb_label labels[MAX_LABELS];
	struct polb_identity_view view = {
		.kinds = identity->kinds, .labels = labels, .addr = *addr};
	struct polb_peer peer = {.identity = identity->number};
	POLB_FREE void *value = NULL;
	int err = 0;

	view.n_labels = labels_of(identity, labels);
	if (maps->classes_fd >= 0) {
		err = pold_class_value(maps->bundle, &view, &value);
		if (!err)
			err = pold_class_place(
				maps->bundle, maps->classes_fd, value, maps->used, &peer.class_id);
		if (err)
			return err;
		maps->used[peer.class_id / 8] |= (uint8_t)(1u << (peer.class_id % 8));
	}
	if (bpf_map_update_elem(maps->peers_fd[addr->family == 6], addr->bytes, &peer, BPF_ANY))
		return errno == E2BIG ? -ENOSPC : -errno;
	return 0;
}

static int refuse(const struct polb_addr *addr, int err)
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

int pold_identity_install(const struct polb_bundle *bundle, const char *name, uint32_t generation,
	const struct polb_addr *addr, const struct pold_identity *identity)
{
	__attribute__((cleanup(maps_close))) struct generation_maps maps = {
		.classes_fd = -1, .peers_fd = {-1, -1}};
	int err = maps_open(bundle, name, generation, &maps);

	if (!err)
		err = install(&maps, addr, identity);
	return err ? refuse(addr, err) : POLD_OK;
}

/* The bundle's peers are sorted. */
static const struct polb_bundle_peer *find_peer(
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

int pold_identity_restore(const struct polb_bundle *bundle, const char *name, uint32_t generation,
	const struct polb_addr *addr, const char *node)
{
	const struct polb_bundle_peer *stored = find_peer(bundle, addr);
	POLB_FD peers = pold_pin_get(POLD_ROOT "/%s/g%u/%s", name, generation,
		addr->family == 6 ? "polt_peers6" : "polt_peers4");
	struct polb_peer peer;

	if (peers < 0)
		return peers;
	if (!stored)
		return bpf_map_delete_elem(peers, addr->bytes) && errno != ENOENT ? -errno : 0;
	peer = polb_peer_value(bundle, stored, node);
	return bpf_map_update_elem(peers, addr->bytes, &peer, BPF_ANY) ? -errno : 0;
}

static int replay_one(
	void *context, const struct pold_identity_key *key, const struct pold_identity *identity)
{
	int err = install(context, &key->addr, identity);

	return err ? refuse(&key->addr, err) : POLD_OK;
}

int pold_identities_replay(const struct polb_bundle *bundle, const char *name, uint32_t generation)
{
	__attribute__((cleanup(maps_close))) struct generation_maps maps = {
		.classes_fd = -1, .peers_fd = {-1, -1}};
	POLB_FD identities = pold_identities_open(name, false);
	int err;

	if (identities < 0)
		return POLD_OK;
	err = maps_open(bundle, name, generation, &maps);
	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot open the new maps: %s", strerror(-err));
	return pold_identities_each(identities, replay_one, &maps);
}

static bool is_derived(const char *key)
{
	return strcmp(key, "io.kubernetes.pod.namespace") == 0 ||
	       strncmp(key, "io.cilium.k8s.", 14) == 0;
}

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

static void text_label(struct text *text, const struct polb_label *label)
{
	if (is_derived(label->key))
		return;
	text_add(text, text->labelled ? "," : "", label->key, "=", label->value);
	text->labelled = true;
}

static void text_labels(struct text *text, const struct polb_label *labels, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(labels[i].key, "io.kubernetes.pod.namespace") == 0)
			text_add(text, labels[i].value, ":", "", "");
	for (size_t i = 0; i < n; i++)
		text_label(text, &labels[i]);
}

static const char *reserved_identity(uint32_t number)
{
	static const char *const names[] = {"unknown", "host", "world", "unmanaged", "health",
		"init", "remote-node", "kube-apiserver", "ingress", "world-ipv4", "world-ipv6"};

	return number < sizeof(names) / sizeof(names[0]) ? names[number] : NULL;
}

static bool bundle_labels(const struct polb_bundle *bundle, uint32_t number, struct text *text)
{
	for (size_t i = 0; i < bundle->n_identities; i++) {
		const struct polb_bundle_identity *identity = &bundle->identities[i];
		struct polb_label labels[MAX_LABELS];
		size_t n = identity->n_labels < MAX_LABELS ? identity->n_labels : MAX_LABELS;

		if (identity->number != number)
			continue;
		for (size_t l = 0; l < n; l++) {
			const struct polb_bundle_label *stored =
				&bundle->labels[identity->first_label + l];

			labels[l] = (struct polb_label){polb_bundle_string(bundle, stored->source),
				polb_bundle_string(bundle, stored->key),
				polb_bundle_string(bundle, stored->value)};
		}
		text_labels(text, labels, n);
		return true;
	}
	return false;
}

struct wanted {
	uint32_t number;
	struct text *text;
};

static int text_if_wanted(
	void *context, const struct pold_identity_key *key, const struct pold_identity *identity)
{
	const struct wanted *wanted = context;
	struct polb_label labels[MAX_LABELS];

	(void)key;
	if (identity->number != wanted->number)
		return 0;
	text_labels(wanted->text, labels, labels_of(identity, labels));
	return 1;
}

void pold_identity_text(const struct polb_bundle *bundle, int identities_fd, uint32_t number,
	char *out, size_t size)
{
	struct text text = {.at = out, .left = size};
	struct wanted wanted = {.number = number, .text = &text};

	snprintf(out, size, "%s", reserved_identity(number) ? reserved_identity(number) : "");
	if (number < FIRST_CLUSTER_IDENTITY || bundle_labels(bundle, number, &text))
		return;
	if (identities_fd >= 0)
		pold_identities_each(identities_fd, text_if_wanted, &wanted);
}
