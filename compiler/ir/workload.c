/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Workload selectors against one workload, three-valued. */
#include "workload.h"

#include <string.h>

#include "labels.h"

/* What a selector's key asks for: `known` is false when nobody said. */
struct answer {
	bool known;
	const char *value; /* NULL: there is none */
};

static struct answer label_value(const struct polc_workload *w, const char *key)
{
	if (!strncmp(key, "k8s:", 4))
		key += 4;
	if (!strcmp(key, POLC_LABEL_NAMESPACE))
		return (struct answer){w->namespace != NULL, w->namespace};
	for (size_t i = 0; i < w->n_labels; i++)
		if (!strcmp(w->labels[i].key, key))
			return (struct answer){true, w->labels[i].value};
	return (struct answer){w->labels_known, NULL};
}

/* The repository of an image: without tag and digest. */
static const char *image_repository(struct polc_arena *arena, const char *image)
{
	const char *slash = strrchr(image, '/'), *at = strchr(image, '@');
	size_t n = at ? (size_t)(at - image) : strlen(image);
	const char *colon =
		memchr(slash ? slash : image, ':', n - (size_t)((slash ? slash : image) - image));

	return polc_arena_strndup(arena, image, colon ? (size_t)(colon - image) : n);
}

static struct answer container_value(
	struct polc_arena *arena, const struct polc_workload *w, const char *key)
{
	if (!strcmp(key, "name"))
		return (struct answer){w->container_known || w->container, w->container};
	if (strcmp(key, "repo") != 0)
		return (struct answer){true, NULL};
	return (struct answer){w->container_known || w->image,
		w->image ? image_repository(arena, w->image) : NULL};
}

static int requirement_holds(const struct polc_ast_requirement *r, struct answer answer)
{
	bool among = false;

	if (!answer.known)
		return -1;
	for (size_t i = 0; answer.value && i < r->values.n; i++)
		among |= !strcmp(r->values.items[i], answer.value);
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
	POLC_BUG("unknown operator %d", (int)r->op);
}

static int both(int a, int b)
{
	return !a || !b ? 0 : a < 0 || b < 0 ? -1 : 1;
}

static int selector_holds(struct polc_arena *arena, const struct polc_ast_selector *s,
	const struct polc_workload *w, bool container)
{
	int holds = 1;

	for (size_t i = 0; s && i < s->requirements.n; i++) {
		const struct polc_ast_requirement *r = &s->requirements.items[i];

		holds = both(
			holds, requirement_holds(r, container ? container_value(arena, w, r->key)
							      : label_value(w, r->key)));
	}
	return holds;
}

/* Without pod and container selectors a hostSelector means the host alone. */
int polc_workload_holds(struct polc_arena *arena, const struct polc_trace_workload *selector,
	const struct polc_workload *w)
{
	const struct polc_ast_workloads *s = selector->selectors;
	int holds = 1;

	if (w->host)
		return s && s->host;
	if (selector->namespace)
		holds = w->namespace ? !strcmp(selector->namespace, w->namespace) : -1;
	if (!s || !holds)
		return holds;
	if (!s->pods && !s->containers)
		return s->host ? 0 : holds;
	return both(holds, both(selector_holds(arena, s->pods, w, false),
				   selector_holds(arena, s->containers, w, true)));
}
