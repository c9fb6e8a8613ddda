/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Label sets that endpoints may have one day: those of a namespace, with labels that subjects of
 * policies ask for. Most likely first: a namespace alone, one subject's labels in it, a known
 * workload with one more, two subjects' labels.
 */
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"

enum {
	MAX_VISITS = 1 << 17, /* pairs looked at, fitting or not */
	MAX_CALLS = 8192,
	MAX_LABELS = 256,
	MAX_VALUES = 8, /* of one requirement that are tried */
};

/* A name or value that nobody asks for. */
static const char nobody[] = "*";

struct labels {
	const char *namespace;
	const struct polb_label *items;
	size_t n;
};

/* Labels that fulfil a selector, or just do not. */
struct patch {
	const struct polb_requirement *namespaces; /* where it may be; NULL: anywhere */
	struct polb_label *labels;
	size_t n;
};

struct vocabulary {
	struct polc_planner *p;
	polc_vocabulary_call *call;
	void *context;
	POLC_VEC(struct labels) namespaces;
	POLC_VEC(struct labels) workloads;
	POLC_VEC(struct patch) patches;
	size_t visits, calls;
	bool stopped; /* at this distance */
};

static bool is_namespace_key(const char *key)
{
	return !strcmp(key, POLC_LABEL_NAMESPACE) ||
	       !strncmp(key, POLC_LABEL_NAMESPACE_LABELS, strlen(POLC_LABEL_NAMESPACE_LABELS));
}

static bool is_base_key(const char *key)
{
	return is_namespace_key(key) || !strcmp(key, POLC_LABEL_CLUSTER);
}

/* --- namespaces and workloads --------------------------------------------------------------- */

static const char *namespace_of(const struct polb_label *labels, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(labels[i].key, POLC_LABEL_NAMESPACE))
			return labels[i].value;
	return nobody;
}

static int compare_labels(const void *pa, const void *pb)
{
	const struct labels *a = pa, *b = pb;
	int order = strcmp(a->namespace, b->namespace);

	if (!order)
		order = (a->n > b->n) - (a->n < b->n);
	for (size_t i = 0; !order && i < a->n; i++) {
		order = strcmp(a->items[i].key, b->items[i].key);
		if (!order)
			order = strcmp(a->items[i].value, b->items[i].value);
	}
	return order;
}

static bool has_namespace(const struct vocabulary *v, const char *name)
{
	for (size_t i = 0; i < v->namespaces.n; i++)
		if (!strcmp(v->namespaces.items[i].namespace, name))
			return true;
	return false;
}

static void keep_base(struct vocabulary *v, const struct labels *workload)
{
	struct polb_label *items = POLC_NEW_ARRAY(v->p->arena, workload->n, struct polb_label);
	size_t n = 0;

	for (size_t i = 0; i < workload->n; i++)
		if (is_base_key(workload->items[i].key))
			items[n++] = workload->items[i];
	*polc_vec_push(v->p->arena, &v->namespaces) =
		(struct labels){workload->namespace, items, n};
}

/* Distinct label sets of pods, and their namespaces. */
static void collect_known(struct vocabulary *v)
{
	const struct polc_identities *ids = v->p->identities;
	size_t kept = 0;

	for (size_t i = 0; i < ids->identities.n; i++) {
		const struct polc_identity *id = &ids->identities.items[i];
		if (id->kinds & POLB_KIND_POD)
			*polc_vec_push(v->p->arena, &v->workloads) = (struct labels){
				namespace_of(id->labels, id->n_labels), id->labels, id->n_labels};
	}
	if (v->workloads.n)
		qsort(v->workloads.items, v->workloads.n, sizeof(*v->workloads.items),
			compare_labels);
	for (size_t i = 0; i < v->workloads.n; i++) {
		const struct labels *one = &v->workloads.items[i];
		if (!i || strcmp(one->namespace, one[-1].namespace))
			keep_base(v, one);
	}
	for (size_t i = 0; i < v->workloads.n; i++)
		if (!i || compare_labels(&v->workloads.items[i], &v->workloads.items[kept - 1]))
			v->workloads.items[kept++] = v->workloads.items[i];
	v->workloads.n = kept;
}

/* A namespace of which nothing is known but its name, and labels that a selector asks for. */
static void add_namespace(
	struct vocabulary *v, const char *name, const struct polb_label *more, size_t n_more)
{
	const char *cluster = v->p->network->cluster_name;
	struct polb_label *items = POLC_NEW_ARRAY(v->p->arena, n_more + 3, struct polb_label);
	size_t n = 0;

	for (; n < n_more; n++)
		items[n] = more[n];
	items[n++] = (struct polb_label){"k8s", POLC_LABEL_NAMESPACE, name};
	items[n++] = (struct polb_label){
		"k8s", POLC_LABEL_CLUSTER, cluster ? cluster : POLC_DEFAULT_CLUSTER};
	items[n++] = (struct polb_label){
		"k8s", POLC_LABEL_NAMESPACE_LABELS "kubernetes.io/metadata.name", name};
	*polc_vec_push(v->p->arena, &v->namespaces) = (struct labels){name, items, n};
}

/* --- what selectors ask for ----------------------------------------------------------------- */

static const char *source_of(const struct polb_requirement *r)
{
	return strcmp(r->source, "any") ? r->source : "k8s";
}

/* The label that fulfils a requirement (NULL value: none is needed), or that breaks it. */
static const char *value_for(const struct polb_requirement *r, size_t choice, bool fulfil)
{
	bool wants = r->op == POLB_OP_IN || r->op == POLB_OP_EXISTS;

	if (wants != fulfil)
		return NULL;
	if (r->op == POLB_OP_EXISTS || r->op == POLB_OP_DOES_NOT_EXIST || !r->n_values)
		return nobody;
	return r->values[choice < r->n_values ? choice : r->n_values - 1];
}

static bool is_subject(const struct polb_selector *s)
{
	if ((s->kinds != POLB_KIND_ANY && !(s->kinds & POLB_KIND_POD)) || s->has_prefix)
		return false;
	for (size_t i = 0; i < s->n_requirements; i++)
		if (!strcmp(s->requirements[i].source, "reserved"))
			return false;
	return true;
}

static void add_patch(
	struct vocabulary *v, const struct polb_selector *s, size_t choice, bool fulfil)
{
	struct patch patch = {
		.labels = POLC_NEW_ARRAY(v->p->arena, s->n_requirements, struct polb_label)};

	for (size_t i = 0; i < s->n_requirements; i++) {
		const struct polb_requirement *r = &s->requirements[i];
		const char *value = value_for(r, choice, fulfil);
		if (!strcmp(r->key, POLC_LABEL_NAMESPACE) && r->op == POLB_OP_IN)
			patch.namespaces = r;
		else if (!is_base_key(r->key) && value)
			patch.labels[patch.n++] = (struct polb_label){source_of(r), r->key, value};
	}
	if (patch.n)
		*polc_vec_push(v->p->arena, &v->patches) = patch;
}

static void add_namespaces_of(struct vocabulary *v, const struct polb_selector *s)
{
	struct polb_label *more = POLC_NEW_ARRAY(v->p->arena, s->n_requirements, struct polb_label);
	size_t n = 0;

	for (size_t i = 0; i < s->n_requirements; i++) {
		const struct polb_requirement *r = &s->requirements[i];
		const char *value = value_for(r, 0, true);
		if (!strcmp(r->key, POLC_LABEL_NAMESPACE) && r->op == POLB_OP_IN)
			for (size_t j = 0; j < r->n_values && j < MAX_VALUES; j++)
				if (!has_namespace(v, r->values[j]))
					add_namespace(v, r->values[j], NULL, 0);
		if (is_namespace_key(r->key) && strcmp(r->key, POLC_LABEL_NAMESPACE) && value)
			more[n++] = (struct polb_label){source_of(r), r->key, value};
	}
	if (n)
		add_namespace(v, nobody, more, n);
}

static size_t choices(const struct polb_selector *s)
{
	size_t n = 1;

	for (size_t i = 0; i < s->n_requirements; i++)
		if (s->requirements[i].op == POLB_OP_IN && !is_base_key(s->requirements[i].key) &&
			s->requirements[i].n_values > n)
			n = s->requirements[i].n_values;
	return n < MAX_VALUES ? n : MAX_VALUES;
}

static void collect_asked(struct vocabulary *v)
{
	const struct polc_network *network = v->p->network;
	bool *used = POLC_NEW_ARRAY(v->p->arena, network->n_selectors, bool);

	for (size_t i = 0; i < network->n_policies; i++)
		for (size_t j = 0; j < network->policies[i].n_subjects; j++)
			used[network->policies[i].subjects[j]] = true;
	for (size_t i = 0; i < network->n_selectors; i++) {
		used[i] = used[i] && is_subject(&network->selectors[i]);
		if (!used[i])
			continue;
		add_namespaces_of(v, &network->selectors[i]);
		for (size_t j = 0; j < choices(&network->selectors[i]); j++)
			add_patch(v, &network->selectors[i], j, true);
	}
	add_namespace(v, nobody, NULL, 0);
	for (size_t i = 0; i < network->n_selectors; i++)
		if (used[i])
			add_patch(v, &network->selectors[i], 0, false);
}

/* --- putting them together ------------------------------------------------------------------ */

static bool fits(const struct labels *base, const struct patch *patch)
{
	const struct polb_requirement *r = patch->namespaces;

	for (size_t i = 0; r && i < r->n_values; i++)
		if (!strcmp(r->values[i], base->namespace))
			return true;
	return !r;
}

static const struct polb_label *find_key(const struct patch *patch, const char *key)
{
	for (size_t i = 0; patch && i < patch->n; i++)
		if (!strcmp(patch->labels[i].key, key))
			return &patch->labels[i];
	return NULL;
}

static bool contradict(const struct patch *a, const struct patch *b)
{
	for (size_t i = 0; b && i < b->n; i++) {
		const struct polb_label *other = find_key(a, b->labels[i].key);
		if (other && strcmp(other->value, b->labels[i].value))
			return true;
	}
	return false;
}

static void tell(struct vocabulary *v, const struct labels *base, const struct patch *a,
	const struct patch *b, unsigned distance)
{
	struct polb_label labels[MAX_LABELS];
	size_t n = 0;

	if (base->n + (a ? a->n : 0) + (b ? b->n : 0) > MAX_LABELS)
		return;
	for (size_t i = 0; i < base->n; i++)
		if (!find_key(a, base->items[i].key) && !find_key(b, base->items[i].key))
			labels[n++] = base->items[i];
	for (size_t i = 0; a && i < a->n; i++)
		labels[n++] = a->labels[i];
	for (size_t i = 0; b && i < b->n; i++)
		if (!find_key(a, b->labels[i].key))
			labels[n++] = b->labels[i];
	v->stopped = ++v->calls > MAX_CALLS || !v->call(v->context, labels, n, distance);
}

/* Every base with every patch that fits. */
static void with_one(
	struct vocabulary *v, const struct labels *bases, size_t n_bases, unsigned distance)
{
	for (size_t i = 0; i < n_bases && !v->stopped; i++)
		for (size_t j = 0; j < v->patches.n && !v->stopped; j++) {
			v->stopped = ++v->visits > MAX_VISITS;
			if (!v->stopped && fits(&bases[i], &v->patches.items[j]))
				tell(v, &bases[i], &v->patches.items[j], NULL, distance);
		}
}

static void with_two(struct vocabulary *v, const struct labels *base, size_t end)
{
	const struct patch *patches = v->patches.items;

	for (size_t i = 0; i < v->patches.n && v->visits < end && !v->stopped; i++) {
		if (!fits(base, &patches[i]))
			continue;
		for (size_t j = i + 1; j < v->patches.n && v->visits < end && !v->stopped; j++) {
			v->visits++;
			if (fits(base, &patches[j]) && !contradict(&patches[i], &patches[j]))
				tell(v, base, &patches[i], &patches[j], 2);
		}
	}
}

void polc_plan_vocabulary(struct polc_planner *p, polc_vocabulary_call *call, void *context)
{
	struct vocabulary v = {.p = p, .call = call, .context = context};

	collect_known(&v);
	collect_asked(&v);
	for (size_t i = 0; i < v.namespaces.n && !v.stopped; i++)
		tell(&v, &v.namespaces.items[i], NULL, NULL, 0);
	with_one(&v, v.namespaces.items, v.namespaces.n, 1);
	v.stopped = false;
	v.visits = v.calls = 0;
	with_one(&v, v.workloads.items, v.workloads.n, 2);
	v.stopped = false;
	v.visits = v.calls = 0;
	for (size_t i = 0; i < v.namespaces.n && !v.stopped; i++)
		with_two(&v, &v.namespaces.items[i], (i + 1) * (MAX_VISITS / v.namespaces.n));
}
