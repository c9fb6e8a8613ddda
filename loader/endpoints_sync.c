/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The pods that run on this node, as an inventory says, become endpoints of the bundle in force:
 * those that appeared are told and attached, those that vanished are detached and forgotten, and
 * where labels or named ports have changed, so do the tables.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory.h"
#include "places.h"
#include "runtime/cleanup.h"
#include "told.h"

struct sync {
	struct pold_state *state;
	const struct pold_inventory *inventory;
	const char *node;
	bool dry_run;
	struct pold_endpoints_changes *out;
	struct pold_pool pool;
};

static bool is_ours(const struct sync *s, const struct pold_inventory_pod *pod)
{
	return pod->identity != POLD_NO_IDENTITY && !pod->finished &&
	       (!pod->node || strcmp(pod->node, s->node) == 0);
}

static int copy(char *out, size_t size, const char *text, const char *endpoint)
{
	if (snprintf(out, size, "%s", text ? text : "") >= (int)size)
		return pold_fail(POLD_BAD, "%s: \"%s\" is too long", endpoint, text);
	return POLD_OK;
}

/* All of them: they share the pod's network namespace, but not a cgroup of their own. */
static int containers_of(
	const struct pold_inventory_pod *pod, const char *endpoint, struct pold_told *told)
{
	size_t n = 0;

	for (size_t i = 0; i < pod->containers.n; i++) {
		const struct pold_inventory_container *c = &pod->containers.items[i];
		const char *where = c->cgroup ? c->cgroup : c->id ? c->id : "";
		size_t length = strlen(where);

		if (!length)
			continue;
		if (n + length + 2 > sizeof(told->containers))
			return pold_fail(POLD_BAD, "%s has too many containers", endpoint);
		n += (size_t)sprintf(told->containers + n, "%s%s", n ? "\n" : "", where);
	}
	return copy(told->uid, sizeof(told->uid), pod->uid, endpoint);
}

static int places_of(const struct sync *s, const struct pold_inventory_pod *pod,
	const char *endpoint, struct pold_told *told)
{
	int code = copy(told->cgroup, sizeof(told->cgroup), pod->cgroup, endpoint);

	if (!code)
		code = copy(told->interface, sizeof(told->interface), pod->interface, endpoint);
	if (!code && !pod->cgroup && !pod->interface &&
		(s->state->bundle.manifest.hooks & POLB_HOOK_CGROUP))
		code = containers_of(pod, endpoint, told);
	return code;
}

/*
 * The bundle was built with the same pod: nothing to tell. Its named ports are not in the bundle,
 * so a pod that has any is always told.
 */
static bool is_as_built(const struct polb_bundle *bundle, uint32_t number,
	const struct pold_who *who, const struct pold_told *told)
{
	const struct polb_bundle_endpoint *e = &bundle->endpoints[number - 1];

	if (who->n_ports || *told->containers || *told->uid ||
		strcmp(polb_bundle_string(bundle, e->cgroup), told->cgroup) != 0 ||
		strcmp(polb_bundle_string(bundle, e->interface), told->interface) != 0)
		return false;
	for (size_t i = 0; i < bundle->n_identities; i++)
		if (bundle->identities[i].number == e->identity)
			return pold_who_has_labels(bundle, &bundle->identities[i], who);
	return false;
}

static bool find_told(const struct sync *s, const char *endpoint, struct pold_told *out)
{
	POLB_FD fd = pold_told_open(s->state->name, false);

	return pold_told_find(fd, endpoint, out);
}

static int put(struct sync *s, const char *endpoint, struct pold_told *told)
{
	struct pold_told before;
	bool existed = find_told(s, endpoint, &before);
	bool changed = !existed || !pold_told_same(&before, told);
	uint32_t number;
	int code = POLD_OK;

	if (!s->dry_run)
		code = pold_told_put(s->state, endpoint, told, &number, &changed);
	if (changed)
		*(existed ? &s->out->changed : &s->out->added) += 1;
	return code;
}

static int sync_pod(struct sync *s, const struct pold_inventory_pod *pod)
{
	const struct pold_who *identity = &s->inventory->identities.items[pod->identity];
	struct pold_who who = {.kinds = POLB_KIND_POD,
		.labels = identity->labels,
		.n_labels = identity->n_labels,
		.ports = identity->ports,
		.n_ports = identity->n_ports};
	struct pold_told told = {.flags = POLD_TOLD_SYNC}, before;
	char endpoint[512];
	uint32_t number;
	bool known;
	int code;

	snprintf(endpoint, sizeof(endpoint), "%s/%s", pod->namespace, pod->name);
	known = find_told(s, endpoint, &before);
	if (known && !(before.flags & POLD_TOLD_SYNC))
		return POLD_OK; /* by hand: it stays as it was told */
	if (pod->host_network)
		told.flags |= POLD_TOLD_HOST_NETWORK;
	pold_who_record(&s->pool, &who);
	code = places_of(s, pod, endpoint, &told);
	if (!code)
		code = pold_told_describe(&who, endpoint, &told);
	if (code)
		return code;
	number = pold_endpoint_find(&s->state->bundle, endpoint);
	if (number && !known && is_as_built(&s->state->bundle, number, &who, &told))
		return POLD_OK;
	return put(s, endpoint, &told);
}

/* --- those that have gone ------------------------------------------------------------------- */

static bool has_pod(const struct sync *s, const char *endpoint)
{
	const char *slash = strchr(endpoint, '/');
	const struct pold_inventory_pod *pod;
	char namespace[256];

	if (!slash || snprintf(namespace, sizeof(namespace), "%.*s", (int)(slash - endpoint),
			      endpoint) >= (int)sizeof(namespace))
		return false;
	pod = pold_inventory_pod(s->inventory, namespace, slash + 1);
	return pod && is_ours(s, pod);
}

struct gone {
	struct sync *sync;
	char (*names)[320];
	size_t n;
};

static int note_gone(void *context, const char *endpoint, const struct pold_told *told)
{
	struct gone *gone = context;
	void *larger;

	if (!(told->flags & POLD_TOLD_SYNC) || has_pod(gone->sync, endpoint))
		return 0;
	larger = realloc(gone->names, (gone->n + 1) * sizeof(*gone->names));
	if (!larger)
		return -ENOMEM;
	gone->names = larger;
	snprintf(gone->names[gone->n++], sizeof(*gone->names), "%s", endpoint);
	return 0;
}

static int forget(struct sync *s, const char *endpoint)
{
	POLD_GENERATION generation = POLD_GENERATION_INIT;
	uint32_t number = pold_told_number(&s->state->bundle, s->state->name, endpoint);
	int err;

	s->out->removed++;
	if (s->dry_run)
		return POLD_OK;
	err = pold_generation_open(s->state->name, s->state->generation, &generation);
	if (!err)
		err = pold_detach_endpoint(&generation, number);
	if (err < 0)
		return pold_fail(
			POLD_ENVIRONMENT, "cannot detach %s: %s", endpoint, strerror(-err));
	return pold_told_drop(s->state, endpoint);
}

static int sync_gone(struct sync *s)
{
	struct gone gone = {.sync = s};
	POLB_FD fd = pold_told_open(s->state->name, false);
	int err = fd < 0 ? 0 : pold_told_each(fd, note_gone, &gone), code = POLD_OK;

	if (err)
		code = pold_fail(POLD_ENVIRONMENT, "%s", strerror(-err));
	for (size_t i = 0; !code && i < gone.n; i++)
		code = forget(s, gone.names[i]);
	free(gone.names);
	return code;
}

static void sync_end(struct sync *s)
{
	pold_pool_free(&s->pool);
}

/* The plain format has addresses, not pods: it does not say that there are none. */
static bool speaks_of_pods(const struct pold_inventory *inventory, uint32_t speaks)
{
	return ((inventory->speaks | speaks) & POLD_SPEAKS_ENDPOINTS) &&
	       (inventory->pods.n || !inventory->plain);
}

int pold_endpoints_sync(struct pold_state *state, const struct pold_inventory *inventory,
	uint32_t speaks, const char *node, bool dry_run, struct pold_endpoints_changes *out)
{
	__attribute__((cleanup(sync_end))) struct sync s = {.state = state,
		.inventory = inventory,
		.node = node,
		.dry_run = dry_run,
		.out = out};
	int code = POLD_OK;

	*out = (struct pold_endpoints_changes){0};
	if (!(state->bundle.manifest.hooks & (POLB_HOOK_CGROUP | POLB_HOOK_TC)))
		return POLD_OK;
	for (size_t i = 0; !code && i < inventory->pods.n; i++)
		if (is_ours(&s, &inventory->pods.items[i]))
			code = sync_pod(&s, &inventory->pods.items[i]);
	if (!code && speaks_of_pods(inventory, speaks))
		code = sync_gone(&s);
	return code || dry_run ? code : pold_places_refresh(state, &out->places);
}
