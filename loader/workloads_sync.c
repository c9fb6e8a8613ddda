/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The pods of this node, as an inventory says or as told by hand, become workloads of the tracing
 * policies in force: kept by name, then their cgroups get the bits. Processes have no bits of
 * their own, so those that run already need nothing else.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory.h"
#include "known.h"
#include "places.h"
#include "runtime/cleanup.h"
#include "workloads.h"

struct sync {
	const struct pold_state *state;
	const struct pold_inventory *inventory;
	bool dry_run;
	int fd; /* of what is told; negative: nothing yet */
	struct pold_workloads_changes *out;
	struct pold_pool pool;
};

static int fail(const char *workload, int err)
{
	return pold_fail(POLD_ENVIRONMENT, "cannot tell of the workload %s: %s", workload,
		err == -E2BIG ? "too many are told" : strerror(-err));
}

/* --- records ---------------------------------------------------------------------------------- */

/* The name of a record; false when it is too long. */
static bool name_of(const char *pod, const char *container, struct pold_workload_key *out)
{
	return snprintf(out->name, sizeof(out->name), "%s/%s", pod, container) <
	       (int)sizeof(out->name);
}

static bool copy(char *out, size_t size, const char *text)
{
	return snprintf(out, size, "%s", text ? text : "") < (int)size;
}

/* Zeros behind every text, so that equal ones compare equal. Exit code. */
static int make(struct pold_pool *pool, const struct polb_label *labels, size_t n_labels,
	const char *pod, uint32_t flags, struct pold_workload *out)
{
	struct pold_who who = {.kinds = POLB_KIND_POD,
		.labels = pold_pool_copy(pool, labels, n_labels * sizeof(*labels)),
		.n_labels = n_labels};

	pold_labels_sort((struct polb_label *)(uintptr_t)who.labels, n_labels);
	pold_who_record(pool, &who);
	*out = (struct pold_workload){.flags = flags};
	if (who.record_bytes > sizeof(out->record))
		return pold_fail(
			POLD_BAD, "%s has more than %zu bytes of labels", pod, sizeof(out->record));
	memcpy(out->record, who.record, who.record_bytes);
	out->record_bytes = (uint32_t)who.record_bytes;
	return POLD_OK;
}

/* --- pods of an inventory --------------------------------------------------------------------- */

static bool is_ours(const struct sync *s, const struct pold_inventory_pod *pod)
{
	return !pod->finished && (!pod->node || strcmp(pod->node, s->state->archive->node) == 0);
}

static int put(
	struct sync *s, const char *pod, const char *container, const struct pold_workload *told)
{
	struct pold_workload_key key;
	struct pold_workload before;
	bool existed;
	int err;

	if (!name_of(pod, container, &key))
		return pold_fail(POLD_BAD, "the name %s/%s is too long", pod, container);
	existed = pold_workload_find(s->fd, key.name, &before);
	if (existed && (!(before.flags & POLD_WORKLOAD_SYNC) ||
			       memcmp(&before, told, sizeof(before)) == 0))
		return POLD_OK; /* as it is; by hand: it stays as it was told */
	err = s->dry_run ? 0 : pold_workload_put(s->fd, key.name, told);
	*(existed ? &s->out->changed : &s->out->added) += 1;
	return err ? fail(key.name, err) : POLD_OK;
}

/* Its own cgroup: where the annotation says, or the kubelet's, whose containers may be any. */
static int put_pod(struct sync *s, const struct pold_inventory_pod *pod, const char *name,
	struct pold_workload *told)
{
	if (!pod->cgroup && !pod->uid)
		return POLD_OK;
	told->flags |= pod->cgroup ? 0 : POLD_WORKLOAD_ANY_CONTAINER;
	if (!copy(told->cgroup, sizeof(told->cgroup), pod->cgroup) ||
		!copy(told->uid, sizeof(told->uid), pod->cgroup ? NULL : pod->uid))
		return pold_fail(POLD_BAD, "%s: its cgroup or uid is too long", name);
	return put(s, name, "", told);
}

static int put_container(struct sync *s, const struct pold_inventory_container *c, const char *name,
	struct pold_workload *told)
{
	if (!c->id && !c->cgroup)
		return POLD_OK;
	if (!copy(told->cgroup, sizeof(told->cgroup), c->cgroup) ||
		!copy(told->container_id, sizeof(told->container_id), c->cgroup ? NULL : c->id) ||
		!copy(told->image, sizeof(told->image), c->image))
		return pold_fail(POLD_BAD, "%s: cgroup, id or image of container %s is too long",
			name, c->name);
	return put(s, name, c->name, told);
}

static int sync_pod(struct sync *s, const struct pold_inventory_pod *pod)
{
	struct pold_workload plain, told;
	char name[400];
	int code;

	if (snprintf(name, sizeof(name), "%s/%s", pod->namespace, pod->name) >= (int)sizeof(name))
		return pold_fail(POLD_BAD, "the name %s/%s is too long", pod->namespace, pod->name);
	code = make(&s->pool, pod->labels.items, pod->labels.n, name, POLD_WORKLOAD_SYNC, &plain);
	told = plain;
	if (!code)
		code = put_pod(s, pod, name, &told);
	for (size_t i = 0; !code && i < pod->containers.n; i++) {
		told = plain;
		code = put_container(s, &pod->containers.items[i], name, &told);
	}
	return code;
}

/* --- those that have gone --------------------------------------------------------------------- */

static const struct pold_inventory_pod *pod_of(
	const struct sync *s, const char *workload, const char **container)
{
	const char *pod = strchr(workload, '/'), *end = pod ? strchr(pod + 1, '/') : NULL;
	char namespace[256], name[400];

	if (!end || snprintf(namespace, sizeof(namespace), "%.*s", (int)(pod - workload),
			    workload) >= (int)sizeof(namespace))
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)(end - pod - 1), pod + 1);
	*container = end + 1;
	return pold_inventory_pod(s->inventory, namespace, name);
}

/* What sync_pod() would tell. */
static bool is_there(const struct sync *s, const char *workload)
{
	const char *container = "";
	const struct pold_inventory_pod *pod = pod_of(s, workload, &container);

	if (!pod || !is_ours(s, pod))
		return false;
	if (!*container)
		return pod->cgroup || pod->uid;
	for (size_t i = 0; i < pod->containers.n; i++) {
		const struct pold_inventory_container *c = &pod->containers.items[i];

		if (strcmp(c->name, container) == 0)
			return c->id || c->cgroup;
	}
	return false;
}

struct gone {
	struct sync *sync;
	POLD_LIST(const char *) names;
};

static int note_gone(void *context, const char *workload, const struct pold_workload *told)
{
	struct gone *gone = context;
	struct pold_pool *pool = &gone->sync->pool;

	if ((told->flags & POLD_WORKLOAD_SYNC) && !(told->flags & POLD_WORKLOAD_GONE) &&
		!is_there(gone->sync, workload))
		*pold_list_push(pool, &gone->names) =
			pold_pool_text(pool, workload, strlen(workload));
	return 0;
}

static int forget_told(struct sync *s)
{
	struct gone gone = {.sync = s};
	int err = 0;

	pold_workloads_each(s->fd, note_gone, &gone);
	for (size_t i = 0; !err && i < gone.names.n; i++) {
		s->out->removed++;
		err = s->dry_run ? 0 : pold_workload_drop(s->fd, gone.names.items[i]);
		if (err)
			return fail(gone.names.items[i], err);
	}
	return POLD_OK;
}

/*
 * What the bundle was built with and is no more. Ids of containers do not come again; a path may,
 * for somebody else.
 */
static int forget_one(struct sync *s, const struct polb_bundle_trace_cgroup *g)
{
	const struct polb_bundle *b = &s->state->bundle;
	const struct pold_workload gone = {.flags = POLD_WORKLOAD_SYNC | POLD_WORKLOAD_GONE};
	struct pold_workload_key name = {0};
	struct pold_workload before;
	int err;

	snprintf(name.name, sizeof(name.name), "%s/%s/%s", polb_bundle_string(b, g->namespace),
		polb_bundle_string(b, g->pod), polb_bundle_string(b, g->container));
	if (pold_workload_find(s->fd, name.name, &before))
		return POLD_OK; /* gone already, or told by hand */
	s->out->removed++;
	err = s->dry_run ? 0 : pold_workload_put(s->fd, name.name, &gone);
	return err ? fail(name.name, err) : POLD_OK;
}

static int forget_bundled(struct sync *s)
{
	const struct polb_bundle *b = &s->state->bundle;
	int code = POLD_OK;

	for (size_t i = 0; !code && i < b->n_trace_cgroups; i++) {
		const struct polb_bundle_trace_cgroup *g = &b->trace_cgroups[i];
		const struct pold_inventory_pod *pod = pold_inventory_pod(s->inventory,
			polb_bundle_string(b, g->namespace), polb_bundle_string(b, g->pod));

		if (!*polb_bundle_string(b, g->cgroup) || (pod && !pod->finished))
			continue;
		code = forget_one(s, g);
	}
	return code;
}

static void sync_end(struct sync *s)
{
	pold_pool_free(&s->pool);
	polb_cleanup_fd(&s->fd);
}

int pold_workloads_sync(const struct pold_state *state, const struct pold_inventory *inventory,
	uint32_t speaks, bool dry_run, struct pold_workloads_changes *out)
{
	__attribute__((cleanup(sync_end))) struct sync s = {
		.state = state, .inventory = inventory, .dry_run = dry_run, .out = out, .fd = -1};
	int code = POLD_OK;

	*out = (struct pold_workloads_changes){0};
	if (!polb_bundle_asks_workloads(&state->bundle) ||
		!((inventory->speaks | speaks) & POLD_SPEAKS_ENDPOINTS) ||
		(!inventory->pods.n && inventory->plain))
		return POLD_OK;
	out->unknown = !polb_bundle_knows_workloads(&state->bundle);
	if (out->unknown)
		return POLD_OK;
	s.fd = pold_workloads_open(state->name, !dry_run);
	if (s.fd < 0 && !dry_run)
		return pold_fail(POLD_ENVIRONMENT, "cannot keep workloads: %s", strerror(-s.fd));
	for (size_t i = 0; !code && i < inventory->pods.n; i++)
		if (is_ours(&s, &inventory->pods.items[i]))
			code = sync_pod(&s, &inventory->pods.items[i]);
	if (!code)
		code = forget_told(&s);
	if (!code)
		code = forget_bundled(&s);
	return code || dry_run ? code : pold_workloads_refresh(state);
}

/* --- by hand ---------------------------------------------------------------------------------- */

static void pool_end(struct pold_pool *pool)
{
	pold_pool_free(pool);
}

/* Container selectors that would have to know the container do not hold: that is to be heard. */
static void warn_uncertain(const struct pold_state *state, const char *endpoint,
	const struct polb_label *labels, size_t n_labels)
{
	char namespace[256];
	const struct polb_workload workload = {.namespace = namespace,
		.labels_known = true,
		.labels = labels,
		.n_labels = n_labels};

	snprintf(namespace, sizeof(namespace), "%.*s", (int)strcspn(endpoint, "/"), endpoint);
	if (polb_workload_is_uncertain(&state->bundle, &workload) > 0)
		pold_note("warning: %s: which container it is was not told: policies with a "
			  "containerSelector leave it alone",
			endpoint);
}

int pold_workload_add(
	const struct pold_state *state, const char *endpoint, const struct pold_options *options)
{
	__attribute__((cleanup(pool_end))) struct pold_pool pool = {0};
	POLB_FD fd = -1;
	struct pold_workload_key key;
	struct pold_workload told;
	pold_labels labels = {0};
	int code, err;

	if (!polb_bundle_knows_workloads(&state->bundle))
		return pold_fail(POLD_BAD,
			"%s: the bundle is of an older polc and cannot take workloads that it "
			"does not know: build it again",
			endpoint);
	for (uint32_t i = 0; i < options->n_labels; i++)
		*pold_list_push(&pool, &labels) = pold_label_argument(&pool, options->labels[i]);
	code = make(&pool, labels.items, labels.n, endpoint, POLD_WORKLOAD_ANY_CONTAINER, &told);
	if (code)
		return code;
	if (!name_of(endpoint, "", &key) ||
		!copy(told.cgroup, sizeof(told.cgroup), options->cgroup) ||
		!copy(told.container_id, sizeof(told.container_id), options->container))
		return pold_fail(POLD_USAGE, "endpoint add: the name or place is too long");
	fd = pold_workloads_open(state->name, true);
	err = fd < 0 ? fd : pold_workload_put(fd, key.name, &told);
	if (err)
		return fail(endpoint, err);
	warn_uncertain(state, endpoint, labels.items, labels.n);
	return pold_workloads_refresh(state);
}

int pold_workload_del(const struct pold_state *state, const char *endpoint, bool *found)
{
	POLB_FD fd = pold_workloads_open(state->name, false);
	struct pold_workload_key key;
	struct pold_workload told;
	int err;

	*found = false;
	if (!name_of(endpoint, "", &key) || !pold_workload_find(fd, key.name, &told))
		return POLD_OK;
	*found = true;
	err = pold_workload_drop(fd, key.name);
	return err ? fail(endpoint, err) : pold_workloads_refresh(state);
}
