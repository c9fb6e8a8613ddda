/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Workload selectors against one workload, three-valued; the same from a bundle's table. */
#include "workload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define LABEL_NAMESPACE "io.kubernetes.pod.namespace"

/* What a selector's key asks for: `known` is false when nobody said. */
struct answer {
	bool known;
	const char *value; /* NULL: there is none */
	size_t size;
};

static struct answer answer_of(bool known, const char *value)
{
	return (struct answer){known, value, value ? strlen(value) : 0};
}

static struct answer label_value(const struct polb_workload *w, const char *key)
{
	if (!strncmp(key, "k8s:", 4))
		key += 4;
	if (!strcmp(key, LABEL_NAMESPACE))
		return answer_of(w->namespace != NULL, w->namespace);
	for (size_t i = 0; i < w->n_labels; i++)
		if (!strcmp(w->labels[i].key, key))
			return answer_of(true, w->labels[i].value);
	return answer_of(w->labels_known, NULL);
}

/* The repository of an image: without tag and digest. */
static size_t repository_size(const char *image)
{
	const char *at = strchr(image, '@');
	size_t n = at ? (size_t)(at - image) : strlen(image);
	const char *slash = strrchr(image, '/');
	const char *name = slash && slash < image + n ? slash : image;
	const char *colon = memchr(name, ':', n - (size_t)(name - image));

	return colon ? (size_t)(colon - image) : n;
}

static struct answer container_value(const struct polb_workload *w, const char *key)
{
	if (!strcmp(key, "name"))
		return answer_of(w->container_known || w->container, w->container);
	if (strcmp(key, "repo") != 0)
		return answer_of(true, NULL);
	return (struct answer){
		w->container_known || w->image, w->image, w->image ? repository_size(w->image) : 0};
}

static bool is_value(const char *value, struct answer answer)
{
	return strlen(value) == answer.size && !memcmp(value, answer.value, answer.size);
}

static int requirement_holds(const struct polb_requirement *r, struct answer answer)
{
	bool among = false;

	if (!answer.known)
		return -1;
	for (size_t i = 0; answer.value && i < r->n_values; i++)
		among |= is_value(r->values[i], answer);
	switch (r->op) {
	case POLB_OP_IN:
		return among;
	case POLB_OP_NOT_IN:
		return !among;
	case POLB_OP_EXISTS:
		return answer.value != NULL;
	case POLB_OP_DOES_NOT_EXIST:
		return answer.value == NULL;
	}
	return 0; /* checked: there is no other */
}

static int both(int a, int b)
{
	return !a || !b ? 0 : a < 0 || b < 0 ? -1 : 1;
}

static int all_hold(const struct polb_requirement *requirements, size_t n,
	const struct polb_workload *w, bool container)
{
	int holds = 1;

	for (size_t i = 0; i < n; i++) {
		const char *key = requirements[i].key;

		holds = both(
			holds, requirement_holds(&requirements[i],
				       container ? container_value(w, key) : label_value(w, key)));
	}
	return holds;
}

/* Without pod and container selectors a hostSelector means the host alone. */
int polb_workload_holds(const struct polb_workload_selector *s, const struct polb_workload *w)
{
	int holds = 1;

	if (w->host)
		return s->host;
	if (s->namespace)
		holds = w->namespace ? !strcmp(s->namespace, w->namespace) : -1;
	if (!holds)
		return holds;
	if (!s->has_pods && !s->has_containers)
		return s->host ? 0 : holds;
	return both(holds, both(all_hold(s->pods, s->n_pods, w, false),
				   all_hold(s->containers, s->n_containers, w, true)));
}

/* --- from a bundle ---------------------------------------------------------------------------- */

bool polb_bundle_asks_workloads(const struct polb_bundle *bundle)
{
	return bundle->manifest.workload_words > 0;
}

bool polb_bundle_knows_workloads(const struct polb_bundle *bundle)
{
	return bundle->n_trace_workloads > 0;
}

/* 1, 0, -1, or -ENOMEM. */
static int stored_holds(const struct polb_bundle *bundle,
	const struct polb_bundle_trace_workload *stored, const struct polb_workload *workload)
{
	const struct polb_bundle_selector requirements[2] = {
		{.first_requirement = stored->first_pod, .n_requirements = stored->n_pods},
		{.first_requirement = stored->first_container,
			.n_requirements = stored->n_containers}};
	struct polb_selector pods, containers;
	POLB_FREE void *pods_memory = NULL;
	POLB_FREE void *containers_memory = NULL;
	struct polb_workload_selector selector;

	if (polb_bundle_selector_of(bundle, &requirements[0], &pods, &pods_memory) ||
		polb_bundle_selector_of(bundle, &requirements[1], &containers, &containers_memory))
		return -ENOMEM;
	selector = (struct polb_workload_selector){
		.namespace =
			stored->namespace ? polb_bundle_string(bundle, stored->namespace) : NULL,
		.has_pods = stored->flags & POLB_WORKLOAD_PODS,
		.has_containers = stored->flags & POLB_WORKLOAD_CONTAINERS,
		.host = stored->flags & POLB_WORKLOAD_HOST,
		.pods = pods.requirements,
		.n_pods = pods.n_requirements,
		.containers = containers.requirements,
		.n_containers = containers.n_requirements};
	return polb_workload_holds(&selector, workload);
}

int polb_workload_bits(
	const struct polb_bundle *bundle, const struct polb_workload *workload, __u64 *words)
{
	if (!polb_bundle_knows_workloads(bundle))
		return -ENOENT;
	memset(words, 0, bundle->manifest.workload_words * sizeof(*words));
	for (size_t i = 0; i < bundle->n_trace_workloads; i++) {
		int holds = stored_holds(bundle, &bundle->trace_workloads[i], workload);

		if (holds == -ENOMEM)
			return holds;
		if (holds > 0)
			words[i / 64] |= 1ull << i % 64;
	}
	return 0;
}

int polb_workload_is_uncertain(
	const struct polb_bundle *bundle, const struct polb_workload *workload)
{
	if (!polb_bundle_knows_workloads(bundle))
		return -ENOENT;
	for (size_t i = 0; i < bundle->n_trace_workloads; i++) {
		int holds = stored_holds(bundle, &bundle->trace_workloads[i], workload);

		if (holds < 0)
			return holds == -ENOMEM ? holds : 1;
	}
	return 0;
}
