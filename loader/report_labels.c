/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which labels name a workload: few, that stay when it is rolled out again, and no other's. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

/* What people select by, best first; others come behind, in the order of their keys. */
static const char *const preferred[] = {"app.kubernetes.io/name", "app", "k8s-app",
	"app.kubernetes.io/component", "component", "role", "tier", "name",
	"app.kubernetes.io/instance"};

/* Of one rollout, one pod or one version. */
static const char *const passing[] = {"pod-template-hash", "controller-revision-hash",
	"pod-template-generation", "controller-uid", "job-name", "version", "chart", "heritage",
	"release", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart",
	"apps.kubernetes.io/pod-index", "statefulset.kubernetes.io/pod-name"};
static const char *const passing_prefixes[] = {
	"batch.kubernetes.io/", "topology.kubernetes.io/", "rollouts-", "security.istio.io/"};

static bool is_stable(const char *key)
{
	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
		if (strcmp(key, passing[i]) == 0)
			return false;
	for (size_t i = 0; i < sizeof(passing_prefixes) / sizeof(passing_prefixes[0]); i++)
		if (strncmp(key, passing_prefixes[i], strlen(passing_prefixes[i])) == 0)
			return false;
	return true;
}

static size_t rank(const char *key)
{
	size_t n = sizeof(preferred) / sizeof(preferred[0]);

	for (size_t i = 0; i < n; i++)
		if (strcmp(key, preferred[i]) == 0)
			return i;
	return n;
}

static int compare_labels(const void *a, const void *b)
{
	const struct pold_label_pair *x = a, *y = b;
	size_t rx = rank(x->key), ry = rank(y->key);

	return rx == ry ? strcmp(x->key, y->key) : (rx > ry) - (rx < ry);
}

static void add_pair(struct pold_pool *pool, const char *at, size_t n, struct pold_label_set *out)
{
	const char *equals = memchr(at, '=', n);
	size_t max = sizeof(out->labels) / sizeof(out->labels[0]);

	if (!equals || out->n == max)
		return;
	out->labels[out->n++] =
		(struct pold_label_pair){pold_pool_text(pool, at, (size_t)(equals - at)),
			pold_pool_text(pool, equals + 1, n - (size_t)(equals + 1 - at))};
}

void pold_labels_parse(struct pold_pool *pool, const char *text, struct pold_label_set *out)
{
	size_t n = strcspn(text, ":=,");

	*out = (struct pold_label_set){0};
	if (text[n] == ':') {
		out->namespace = pold_pool_text(pool, text, n);
		text += n + 1;
	}
	while (*text) {
		n = strcspn(text, ",");
		add_pair(pool, text, n, out);
		text += n + (text[n] == ',');
	}
}

/* Is "key=value" one of the labels of an identity's text? */
static bool has_label(const char *text, const struct pold_label_pair *label)
{
	size_t key = strlen(label->key), value = strlen(label->value);
	const char *at = text + strcspn(text, ":=,");

	at = *at == ':' ? at + 1 : text;
	while (*at) {
		size_t n = strcspn(at, ",");

		if (n == key + 1 + value && memcmp(at, label->key, key) == 0 && at[key] == '=' &&
			memcmp(at + key + 1, label->value, value) == 0)
			return true;
		at += n + (at[n] == ',');
	}
	return false;
}

static bool in_namespace(const char *text, const char *namespace)
{
	size_t n = namespace ? strlen(namespace) : 0;

	return !namespace || (strncmp(text, namespace, n) == 0 && text[n] == ':');
}

/* How many of `all` the first n labels select. */
static size_t selected(
	const struct pold_label_set *set, size_t n, const char *const *all, size_t n_all)
{
	size_t count = 0;

	for (size_t i = 0; i < n_all; i++) {
		bool matches = in_namespace(all[i], set->namespace);

		for (size_t l = 0; matches && l < n; l++)
			matches = has_label(all[i], &set->labels[l]);
		count += matches;
	}
	return count;
}

void pold_labels_choose(const struct pold_label_set *set, const char *const *all, size_t n_all,
	struct pold_label_set *out)
{
	struct pold_label_set stable = {.namespace = set->namespace};
	size_t least, now;

	for (size_t i = 0; i < set->n; i++)
		if (is_stable(set->labels[i].key))
			stable.labels[stable.n++] = set->labels[i];
	if (stable.n)
		qsort(stable.labels, stable.n, sizeof(stable.labels[0]), compare_labels);
	least = selected(&stable, stable.n, all, n_all);
	*out = (struct pold_label_set){.namespace = set->namespace};
	now = SIZE_MAX;
	for (size_t i = 0; i < stable.n && now > least; i++) {
		size_t then;

		out->labels[out->n++] = stable.labels[i];
		then = selected(out, out->n, all, n_all);
		if (out->n > 1 && then == now)
			out->n--; /* tells nobody apart */
		now = then;
	}
}
