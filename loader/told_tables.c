/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From endpoints told at run time to the records by which the programs decide for them. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/cleanup.h"
#include "runtime/subjects.h"
#include "told.h"

int pold_told_describe(const struct pold_who *who, const char *endpoint, struct pold_told *out)
{
	if (strlen(endpoint) >= sizeof(((struct pold_told_key *)0)->name))
		return pold_fail(POLD_BAD, "the name %s is too long", endpoint);
	if (who->record_bytes > sizeof(out->record))
		return pold_fail(POLD_BAD, "%s has more than %zu bytes of labels and ports",
			endpoint, sizeof(out->record));
	memset(out->record, 0, sizeof(out->record));
	memcpy(out->record, who->record, who->record_bytes);
	out->record_bytes = (uint32_t)who->record_bytes;
	return POLD_OK;
}

static bool same_label(const struct polb_bundle *bundle, const struct polb_bundle_label *stored,
	const struct polb_label *label)
{
	return strcmp(polb_bundle_string(bundle, stored->key), label->key) == 0 &&
	       strcmp(polb_bundle_string(bundle, stored->value), label->value) == 0 &&
	       strcmp(polb_bundle_string(bundle, stored->source), label->source) == 0;
}

bool pold_who_has_labels(const struct polb_bundle *bundle,
	const struct polb_bundle_identity *identity, const struct pold_who *who)
{
	uint32_t same = 0;

	if (identity->n_labels != who->n_labels)
		return false;
	while (same < identity->n_labels &&
		same_label(
			bundle, &bundle->labels[identity->first_label + same], &who->labels[same]))
		same++;
	return same == identity->n_labels;
}

/* The identity that the bundle's inventory had for the same labels, for events; 0: none. */
static uint32_t identity_of(const struct polb_bundle *bundle, const struct pold_who *who)
{
	for (size_t i = 0; i < bundle->n_identities; i++) {
		const struct polb_bundle_identity *identity = &bundle->identities[i];
		if (identity->kinds == who->kinds && pold_who_has_labels(bundle, identity, who))
			return identity->number;
	}
	return 0;
}

static void pool_free(struct pold_pool *pool)
{
	pold_pool_free(pool);
}

static int tables_of(const struct polb_bundle *bundle, const struct pold_told *told,
	struct polb_subject_tables *tables, uint32_t *identity)
{
	__attribute__((cleanup(pool_free))) struct pold_pool pool = {0};
	struct polb_identity_view view = {0};
	struct pold_who who;

	if (told->record_bytes > sizeof(told->record) ||
		!pold_who_read(&pool, told->record, told->record_bytes, &who))
		return -EINVAL;
	view = (struct polb_identity_view){.kinds = who.kinds,
		.labels = who.labels,
		.n_labels = who.n_labels,
		.ports = who.ports,
		.n_ports = who.n_ports};
	*identity = identity_of(bundle, &who);
	return polb_subject_tables(bundle, &view, tables);
}

uint32_t pold_told_exact(const struct polb_bundle *bundle, const struct pold_told *told)
{
	struct polb_subject_tables tables;
	uint32_t identity;

	if (tables_of(bundle, told, &tables, &identity))
		return 0;
	return (tables.exact[0] ? 1u : 0) | (tables.exact[1] ? 2u : 0);
}

static int refuse(const char *endpoint, int err)
{
	if (err == -ENOENT)
		return pold_fail(POLD_BAD,
			"%s: the bundle is of an older polc and cannot take endpoints that it does "
			"not know: build it again",
			endpoint);
	if (err == -E2BIG)
		return pold_fail(POLD_ENVIRONMENT,
			"no room for %s: the maps are full (apply --room)", endpoint);
	return pold_fail(POLD_ENVIRONMENT, "cannot add %s: %s", endpoint, strerror(-err));
}

static void warn(const char *endpoint, const struct polb_subject_tables *tables)
{
	const char *what = tables->exact[POLB_EGRESS]    ? "to"
			   : tables->exact[POLB_INGRESS] ? "from"
							 : "to and from";

	if (!tables->exact[0] || !tables->exact[1])
		pold_note("warning: %s: the bundle has no table for the policies that select it: "
			  "everything %s it is denied until there is a new bundle (polc build with "
			  "this inventory)",
			endpoint, what);
}

static int make_record(const struct polb_bundle *bundle, uint32_t number,
	const struct pold_told *told, struct polb_subject_tables *tables, struct polb_endpoint *out)
{
	struct polb_endpoint endpoint = {0};
	int err = tables_of(bundle, told, tables, &endpoint.identity);

	if (err)
		return err;
	endpoint.table[0] = tables->table[0];
	endpoint.table[1] = tables->table[1];
	if (told->flags & POLD_TOLD_HOST_NETWORK)
		endpoint.flags |= POLB_ENDPOINT_HOST_NETNS;
	if (number <= bundle->n_endpoints)
		endpoint.flags |= bundle->endpoints[number - 1].flags;
	*out = endpoint;
	return 0;
}

/* Where it is attached stays, what decides for it changes. 0 or -errno. */
static int change_record(const struct polb_bundle *bundle, int endpoints_fd, uint32_t number,
	const struct pold_told *told, struct polb_subject_tables *tables)
{
	struct polb_endpoint there, made;
	int err;

	if (bpf_map_lookup_elem(endpoints_fd, &number, &there))
		return errno == ENOENT ? -E2BIG : -errno;
	err = make_record(bundle, number, told, tables, &made);
	if (err)
		return err;
	made.key = there.key ? there.key : number;
	made.flags |= there.flags & POLB_ENDPOINT_HOST_NETNS;
	return bpf_map_update_elem(endpoints_fd, &number, &made, BPF_ANY) ? -errno : 0;
}

struct slots {
	uint8_t used[POLD_TOLD_MAX / 8];
};

static int mark_slot(void *context, const char *endpoint, const struct pold_told *told)
{
	struct slots *slots = context;

	(void)endpoint;
	if (told->slot < POLD_TOLD_MAX)
		slots->used[told->slot / 8] |= (uint8_t)(1u << (told->slot % 8));
	return 0;
}

static uint32_t free_slot(int fd)
{
	POLB_FREE struct slots *slots = calloc(1, sizeof(*slots));
	uint32_t slot = 0;

	if (!slots)
		return POLD_TOLD_MAX;
	pold_told_each(fd, mark_slot, slots);
	while (slot < POLD_TOLD_MAX && slots->used[slot / 8] & 1u << (slot % 8))
		slot++;
	return slot;
}

bool pold_told_same(const struct pold_told *a, const struct pold_told *b)
{
	return a->flags == b->flags && a->record_bytes == b->record_bytes &&
	       memcmp(a->record, b->record, a->record_bytes) == 0 &&
	       strcmp(a->cgroup, b->cgroup) == 0 && strcmp(a->interface, b->interface) == 0 &&
	       strcmp(a->uid, b->uid) == 0 && strcmp(a->containers, b->containers) == 0;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* 0 or -errno. */
static int put(struct pold_state *state, int fd, const char *endpoint, const struct pold_told *told,
	uint32_t number)
{
	POLB_FD endpoints_fd = pold_state_map(state, "polt_endpoints");
	struct polb_subject_tables tables;
	struct pold_told_key key = {0};
	int err;

	snprintf(key.name, sizeof(key.name), "%s", endpoint);
	if (endpoints_fd < 0)
		return endpoints_fd;
	if (pold_state_change(state))
		return -EIO;
	err = change_record(&state->bundle, endpoints_fd, number, told, &tables);
	if (err)
		return err;
	warn(endpoint, &tables);
	return bpf_map_update_elem(fd, &key, told, BPF_ANY) ? -errno : 0;
}

int pold_told_put(struct pold_state *state, const char *endpoint, struct pold_told *told,
	uint32_t *number, bool *changed)
{
	POLB_FD fd = pold_told_open(state->name, true);
	struct pold_told before;
	bool existed;
	int err;

	if (fd < 0)
		return refuse(endpoint, fd);
	existed = pold_told_find(fd, endpoint, &before);
	told->slot = existed ? before.slot : free_slot(fd);
	told->since_ns = existed ? before.since_ns : now_ns();
	*number = pold_endpoint_find(&state->bundle, endpoint);
	if (!*number)
		*number = (uint32_t)state->bundle.n_endpoints + 1 + told->slot;
	*changed = !existed || !pold_told_same(&before, told);
	err = *changed ? put(state, fd, endpoint, told, *number) : 0;
	return err ? refuse(endpoint, err) : POLD_OK;
}

/* What the bundle says of its own endpoint; the place stays. */
static int restore(const struct pold_state *state, uint32_t number)
{
	POLB_FD endpoints_fd = pold_state_map(state, "polt_endpoints");
	const struct polb_bundle_endpoint *stored = &state->bundle.endpoints[number - 1];
	struct polb_endpoint endpoint;

	if (endpoints_fd < 0 || bpf_map_lookup_elem(endpoints_fd, &number, &endpoint))
		return endpoints_fd < 0 ? endpoints_fd : -errno;
	endpoint.table[0] = stored->table[0];
	endpoint.table[1] = stored->table[1];
	endpoint.identity = stored->identity;
	return bpf_map_update_elem(endpoints_fd, &number, &endpoint, BPF_ANY) ? -errno : 0;
}

int pold_told_drop(struct pold_state *state, const char *endpoint)
{
	uint32_t number = pold_endpoint_find(&state->bundle, endpoint);
	POLB_FD fd = pold_told_open(state->name, false);
	struct pold_told_key key = {0};
	int err = 0;

	if (fd == -ENOENT)
		return POLD_OK;
	if (fd < 0)
		return refuse(endpoint, fd);
	if (pold_state_change(state))
		return POLD_ENVIRONMENT;
	snprintf(key.name, sizeof(key.name), "%s", endpoint);
	if (number)
		err = restore(state, number);
	if (!err && bpf_map_delete_elem(fd, &key) && errno != ENOENT)
		err = -errno;
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot forget %s: %s", endpoint, strerror(-err))
		   : POLD_OK;
}

struct replay {
	const struct polb_bundle *bundle;
	int endpoints_fd;
};

static int replay_one(void *context, const char *endpoint, const struct pold_told *told)
{
	const struct replay *replay = context;
	uint32_t number = pold_endpoint_find(replay->bundle, endpoint);
	struct polb_subject_tables tables;
	int err;

	if (!number)
		number = (uint32_t)replay->bundle->n_endpoints + 1 + told->slot;
	err = change_record(replay->bundle, replay->endpoints_fd, number, told, &tables);
	if (err)
		return refuse(endpoint, err);
	warn(endpoint, &tables);
	return POLD_OK;
}

int pold_told_replay(const struct polb_bundle *bundle, const char *name, uint32_t generation)
{
	POLB_FD fd = pold_told_open(name, false);
	POLB_FD endpoints_fd = -1;
	struct replay replay = {.bundle = bundle};
	int err;

	if (fd == -ENOENT)
		return POLD_OK;
	if (fd < 0)
		return refuse("endpoints", fd);
	endpoints_fd = pold_pin_get(POLD_ROOT "/%s/g%u/polt_endpoints", name, generation);
	if (endpoints_fd < 0)
		return refuse("endpoints", endpoints_fd);
	replay.endpoints_fd = endpoints_fd;
	err = pold_told_each(fd, replay_one, &replay);
	return err < 0 ? refuse("endpoints", err) : err;
}
