/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From labels and named ports of an endpoint to its tables, by what the bundle says of subjects. */
#include "subjects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

/* A combination by value, stored or asked for. */
struct key {
	__u32 direction;
	const __u32 *subjects;
	size_t n_subjects;
	const struct polb_named_port *ports;
	const struct polb_bundle_named_port *stored_ports; /* or these */
	size_t n_ports;
};

static int compare_numbers(__u64 a, __u64 b)
{
	return (a > b) - (a < b);
}

static struct polb_named_port port_at(
	const struct polb_bundle *bundle, const struct key *key, size_t i)
{
	const struct polb_bundle_named_port *stored;

	if (key->ports)
		return key->ports[i];
	stored = &key->stored_ports[i];
	return (struct polb_named_port){
		polb_bundle_string(bundle, stored->name), stored->protocol, stored->port};
}

static int compare_ports(const struct polb_named_port *a, const struct polb_named_port *b)
{
	int order = strcmp(a->name, b->name);

	if (!order)
		order = compare_numbers(a->protocol, b->protocol);
	return order ? order : compare_numbers(a->port, b->port);
}

static int compare_keys(const struct polb_bundle *bundle, const struct key *a, const struct key *b)
{
	int order = compare_numbers(a->direction, b->direction);

	if (!order)
		order = compare_numbers(a->n_subjects, b->n_subjects);
	for (size_t i = 0; !order && i < a->n_subjects; i++)
		order = compare_numbers(a->subjects[i], b->subjects[i]);
	if (!order)
		order = compare_numbers(a->n_ports, b->n_ports);
	for (size_t i = 0; !order && i < a->n_ports; i++) {
		const struct polb_named_port x = port_at(bundle, a, i), y = port_at(bundle, b, i);

		order = compare_ports(&x, &y);
	}
	return order;
}

static struct key key_of(
	const struct polb_bundle *bundle, const struct polb_bundle_combination *stored)
{
	return (struct key){.direction = stored->direction,
		.subjects = bundle->combination_subjects + stored->first_subject,
		.n_subjects = stored->n_subjects,
		.stored_ports = bundle->combination_ports + stored->first_port,
		.n_ports = stored->n_ports};
}

int polb_combination_compare(const struct polb_bundle *bundle,
	const struct polb_bundle_combination *a, const struct polb_bundle_combination *b)
{
	const struct key x = key_of(bundle, a), y = key_of(bundle, b);

	return compare_keys(bundle, &x, &y);
}

static const struct polb_bundle_combination *find(
	const struct polb_bundle *bundle, const struct key *wanted)
{
	size_t low = 0, high = bundle->n_combinations;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct key there = key_of(bundle, &bundle->combinations[middle]);
		int order = compare_keys(bundle, &there, wanted);

		if (!order)
			return &bundle->combinations[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* 1, 0 or -ENOMEM. */
static int satisfies(const struct polb_bundle *bundle, const struct polb_bundle_subject *subject,
	const struct polb_identity_view *view)
{
	for (__u32 i = 0; i < subject->n_selectors; i++) {
		struct polb_selector selector;
		POLB_FREE void *scratch = NULL;
		int err = polb_bundle_selector_of(bundle,
			&bundle->subject_selectors[subject->first_selector + i], &selector,
			&scratch);

		if (err)
			return err;
		if (polb_selector_matches(&selector, view))
			return 1;
	}
	return 0;
}

/* The named port means something to the ingress rules of one of the subjects. */
static bool is_named(
	const struct polb_bundle *bundle, const struct key *key, const struct polb_named_port *port)
{
	for (size_t s = 0; s < key->n_subjects; s++) {
		const struct polb_bundle_subject *subject = &bundle->subjects[key->subjects[s]];

		for (__u32 i = 0; i < subject->n_ports; i++) {
			const struct polb_bundle_named_port *named =
				&bundle->subject_ports[subject->first_port + i];

			if (named->protocol == port->protocol &&
				strcmp(polb_bundle_string(bundle, named->name), port->name) == 0)
				return true;
		}
	}
	return false;
}

static int compare_for_sort(const void *a, const void *b)
{
	return compare_ports(a, b);
}

/* Those of the view that matter, sorted, each once. */
static size_t select_ports(const struct polb_bundle *bundle, const struct key *key,
	const struct polb_identity_view *view, struct polb_named_port *out)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < view->n_ports; i++)
		if (is_named(bundle, key, &view->ports[i]))
			out[n++] = view->ports[i];
	if (n)
		qsort(out, n, sizeof(*out), compare_for_sort);
	for (size_t i = 0; i < n; i++)
		if (!i || compare_ports(&out[i], &out[kept - 1]))
			out[kept++] = out[i];
	return kept;
}

struct work {
	__u32 *all; /* subjects that the endpoint satisfies */
	size_t n_all;
	__u32 *subjects; /* those of one direction */
	struct polb_named_port *ports;
};

static void work_free(struct work *work)
{
	free(work->all);
	free(work->subjects);
	free(work->ports);
}

static void table_of(const struct polb_bundle *bundle, const struct polb_identity_view *view,
	const struct work *work, int direction, struct polb_subject_tables *out)
{
	const struct polb_bundle_combination *other =
		&bundle->combinations[bundle->n_combinations - 1];
	const struct polb_bundle_combination *found;
	struct key key = {.direction = (__u32)direction, .subjects = work->subjects};

	for (size_t i = 0; i < work->n_all; i++)
		if (bundle->subjects[work->all[i]].directions & 1u << direction)
			work->subjects[key.n_subjects++] = work->all[i];
	out->exact[direction] = true;
	out->table[direction] = 0;
	/* what nothing selects in this direction has a combination where the posture denies it */
	if (!key.n_subjects && work->n_all && bundle->manifest.posture != POLB_POSTURE_ALWAYS)
		return;
	if (direction == POLB_INGRESS)
		key.n_ports = select_ports(bundle, &key, view, work->ports);
	key.ports = work->ports;
	found = find(bundle, &key);
	if (!found && !key.n_subjects)
		return;
	out->exact[direction] = found != NULL;
	out->table[direction] = found ? found->table : other->table;
}

int polb_subject_tables(const struct polb_bundle *bundle, const struct polb_identity_view *view,
	struct polb_subject_tables *out)
{
	__attribute__((cleanup(work_free))) struct work work = {
		.all = calloc(bundle->n_subjects + 1, sizeof(__u32)),
		.subjects = calloc(bundle->n_subjects + 1, sizeof(__u32)),
		.ports = calloc(view->n_ports + 1, sizeof(struct polb_named_port))};

	if (!work.all || !work.subjects || !work.ports)
		return -ENOMEM;
	if (!bundle->n_combinations)
		return -ENOENT;
	for (size_t i = 0; i < bundle->n_subjects; i++) {
		int yes = satisfies(bundle, &bundle->subjects[i], view);

		if (yes < 0)
			return yes;
		if (yes)
			work.all[work.n_all++] = (__u32)i;
	}
	for (int d = 0; d < 2; d++)
		table_of(bundle, view, &work, d, out);
	return 0;
}
