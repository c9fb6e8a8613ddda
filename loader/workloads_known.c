/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* All workloads that are known under a name, and which of them a cgroup is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "places.h"
#include "runtime/cleanup.h"
#include "workloads.h"

struct reading {
	const struct polb_bundle *bundle;
	struct pold_known_workloads *out;
};

/* --- those told ------------------------------------------------------------------------------- */

static const char *keep(struct reading *r, const char *text, size_t room)
{
	return pold_pool_text(&r->out->pool, text, strnlen(text, room));
}

/* "namespace/pod/container" */
static void split(struct reading *r, const char *name, struct polb_event_workload *out)
{
	const char *pod = strchr(name, '/'), *container = pod ? strchr(pod + 1, '/') : NULL;

	out->namespace = out->pod = out->container = "";
	if (!container)
		return;
	out->namespace = keep(r, name, (size_t)(pod - name));
	out->pod = keep(r, pod + 1, (size_t)(container - pod - 1));
	out->container = keep(r, container + 1, strlen(container + 1));
}

/* 0 or -errno. */
static int bits_of(struct reading *r, struct pold_known_workload *known)
{
	const struct polb_event_workload *shown = &known->shown;
	const struct polb_workload workload = {.namespace = shown->namespace,
		.labels_known = true,
		.container_known = !known->any_container,
		.labels = shown->labels,
		.n_labels = shown->n_labels,
		.container = *shown->container ? shown->container : NULL,
		.image = *shown->image ? shown->image : NULL};
	__u64 *words = pold_pool_new(
		&r->out->pool, (r->bundle->manifest.workload_words + 1) * sizeof(*words));

	known->words = words;
	return known->gone ? 0 : polb_workload_bits(r->bundle, &workload, words);
}

static int read_told(void *context, const char *name, const struct pold_workload *told)
{
	struct reading *r = context;
	struct pold_known_workload *known = pold_list_push(&r->out->pool, &r->out->list);
	const void *record = pold_pool_copy(&r->out->pool, told->record, told->record_bytes);
	struct pold_who who;

	*known = (struct pold_known_workload){.cgroup = keep(r, told->cgroup, sizeof(told->cgroup)),
		.container_id = keep(r, told->container_id, sizeof(told->container_id)),
		.uid = keep(r, told->uid, sizeof(told->uid)),
		.gone = told->flags & POLD_WORKLOAD_GONE,
		.any_container = told->flags & POLD_WORKLOAD_ANY_CONTAINER};
	split(r, name, &known->shown);
	known->shown.image = keep(r, told->image, sizeof(told->image));
	if (pold_who_read(&r->out->pool, record, told->record_bytes, &who)) {
		known->shown.labels = who.labels;
		known->shown.n_labels = who.n_labels;
	}
	return bits_of(r, known);
}

/* --- the bundle's ----------------------------------------------------------------------------- */

static bool is_told(const struct pold_known_workloads *known, size_t n_told,
	const struct polb_event_workload *shown)
{
	for (size_t i = 0; i < n_told; i++) {
		const struct polb_event_workload *told = &known->list.items[i].shown;

		if (strcmp(told->pod, shown->pod) == 0 &&
			strcmp(told->namespace, shown->namespace) == 0 &&
			strcmp(told->container, shown->container) == 0)
			return true;
	}
	return false;
}

static const struct polb_label *labels_of(
	struct reading *r, const struct polb_bundle_trace_cgroup *g)
{
	const struct polb_bundle *b = r->bundle;
	struct polb_label *out =
		pold_pool_new(&r->out->pool, (g->n_labels + (size_t)1) * sizeof(*out));

	for (uint32_t i = 0; i < g->n_labels; i++) {
		const struct polb_bundle_label *label = &b->labels[g->first_label + i];

		out[i] = (struct polb_label){polb_bundle_string(b, label->source),
			polb_bundle_string(b, label->key), polb_bundle_string(b, label->value)};
	}
	return out;
}

static void read_bundled(struct reading *r, size_t n_told, const struct polb_bundle_trace_cgroup *g)
{
	const struct polb_bundle *b = r->bundle;
	struct polb_event_workload shown = {.namespace = polb_bundle_string(b, g->namespace),
		.pod = polb_bundle_string(b, g->pod),
		.container = polb_bundle_string(b, g->container),
		.image = polb_bundle_string(b, g->image)};

	if (is_told(r->out, n_told, &shown))
		return;
	shown.labels = labels_of(r, g);
	shown.n_labels = g->n_labels;
	*pold_list_push(&r->out->pool, &r->out->list) = (struct pold_known_workload){.shown = shown,
		.cgroup = polb_bundle_string(b, g->cgroup),
		.container_id = polb_bundle_string(b, g->container_id),
		.uid = "",
		.words = &b->trace_words[g->first_word]};
}

int pold_known_workloads_read(
	const struct polb_bundle *bundle, const char *name, struct pold_known_workloads *out)
{
	struct reading r = {bundle, out};
	POLB_FD fd = -1;
	size_t n_told;
	int err = 0;

	*out = (struct pold_known_workloads){0};
	if (polb_bundle_knows_workloads(bundle)) {
		fd = pold_workloads_open(name, false);
		err = pold_workloads_each(fd, read_told, &r);
	}
	n_told = out->list.n;
	for (size_t i = 0; !err && i < bundle->n_trace_cgroups; i++)
		read_bundled(&r, n_told, &bundle->trace_cgroups[i]);
	return err;
}

void pold_known_workloads_free(struct pold_known_workloads *known)
{
	pold_pool_free(&known->pool);
	*known = (struct pold_known_workloads){0};
}

/* --- cgroups ---------------------------------------------------------------------------------- */

/* What was written: below the mount and without slashes at its ends, or the name of a unit. */
static bool is_place(const char *written, const char *path, const char *name, const char *mount)
{
	size_t n = strlen(mount);

	if (pold_is_unit(written))
		return strcmp(written, name) == 0;
	if (n && strncmp(written, mount, n) == 0 && written[n] == '/')
		written += n;
	written += strspn(written, "/");
	n = strlen(written);
	while (n && written[n - 1] == '/')
		n--;
	return n && strlen(path) == n && strncmp(path, written, n) == 0;
}

/* The more exact comes first: a container, then a path, then the pod that it is in. */
const struct pold_known_workload *pold_known_workload_find(
	const struct pold_known_workloads *known, const char *path, const char *mount)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const struct pold_known_workload *by_place = NULL, *by_pod = NULL;

	for (size_t i = 0; i < known->list.n; i++) {
		const struct pold_known_workload *w = &known->list.items[i];

		if (*w->container_id && strstr(name, w->container_id))
			return w;
		if (!by_place && *w->cgroup && is_place(w->cgroup, path, name, mount))
			by_place = w;
		if (!by_pod && *w->uid && pold_is_pod_cgroup(name, w->uid))
			by_pod = w;
	}
	return by_place ? by_place : by_pod;
}
