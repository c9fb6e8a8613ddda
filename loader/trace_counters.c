/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What each selector has seen. A generation counts from zero; what earlier ones counted for the
 * same selector (same place on the same function in the same policy) is in its pinned
 * trace_counters_base.
 */
#include "trace.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cleanup.h"

static uint32_t n_counters(const struct polb_bundle *bundle)
{
	return bundle->manifest.n_trace_selectors + 1;
}

static void add(struct polb_trace_counter *to, const struct polb_trace_counter *from)
{
#define X(member, heading) to->member += from->member;
	POLD_TRACE_COUNTERS(X)
#undef X
}

bool pold_trace_counter_saw(const struct polb_trace_counter *counter)
{
	__u64 sum = 0;
#define X(member, heading) sum |= counter->member;
	POLD_TRACE_COUNTERS(X)
#undef X
	return sum;
}

/* Adds the sum over all processors. */
static int add_live(const struct pold_state *state, struct polb_trace_counter *out)
{
	POLB_FD fd = pold_state_map(state, "polt_trace_counters");
	int cpus = libbpf_num_possible_cpus();
	POLB_FREE struct polb_trace_counter *values = NULL;

	if (fd < 0 || cpus < 1)
		return fd < 0 ? fd : cpus;
	values = calloc((size_t)cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (__u32 i = 0; i < n_counters(&state->bundle); i++) {
		if (bpf_map_lookup_elem(fd, &i, values))
			return errno == ENOENT ? 0 : -errno;
		for (int cpu = 0; cpu < cpus; cpu++)
			add(&out[i], &values[cpu]);
	}
	return 0;
}

static void add_base(const struct pold_state *state, struct polb_trace_counter *out)
{
	POLB_FD fd = pold_state_map(state, "trace_counters_base");
	struct polb_trace_counter base;

	for (__u32 i = 0; fd >= 0 && i < n_counters(&state->bundle); i++) {
		if (bpf_map_lookup_elem(fd, &i, &base))
			return;
		add(&out[i], &base);
	}
}

int pold_trace_counters_read(
	const struct pold_state *state, struct polb_trace_counter **out, uint32_t *n)
{
	POLB_FREE struct polb_trace_counter *counters = NULL;
	int err;

	*n = n_counters(&state->bundle);
	counters = calloc(*n, sizeof(*counters));
	err = counters ? add_live(state, counters) : -ENOMEM;
	if (err)
		return err;
	add_base(state, counters);
	*out = POLB_TAKE(counters);
	return 0;
}

size_t pold_trace_policy_of_others(const struct polb_bundle *b)
{
	size_t found = b->n_trace_policies;

	for (size_t i = 0; i < b->n_trace_specs; i++) {
		const struct polb_bundle_trace_spec *spec = &b->trace_specs[i];

		if (spec->n_selectors || spec->policy == found)
			continue;
		if (found != b->n_trace_policies)
			return b->n_trace_policies;
		found = spec->policy;
	}
	return found;
}

/* --- the same selector in another bundle ------------------------------------------------------ */

static int compare_texts(const struct polb_bundle *a, __u32 x, const struct polb_bundle *b, __u32 y)
{
	return strcmp(polb_bundle_string(a, x), polb_bundle_string(b, y));
}

static int compare_numbers(__u64 x, __u64 y)
{
	return (x > y) - (x < y);
}

static int compare_policies(const struct polb_bundle *a, const struct polb_bundle_trace_policy *x,
	const struct polb_bundle *b, const struct polb_bundle_trace_policy *y)
{
	int order = compare_texts(a, x->name, b, y->name);

	if (!order)
		order = compare_texts(a, x->namespace, b, y->namespace);
	return order ? order : compare_texts(a, x->kind, b, y->kind);
}

/* What two specs hook. */
static int compare_functions(const struct polb_bundle *a, const struct polb_bundle_trace_spec *x,
	const struct polb_bundle *b, const struct polb_bundle_trace_spec *y)
{
	const __u32 texts[3][2] = {
		{x->path, y->path}, {x->provider, y->provider}, {x->name, y->name}};
	int order = compare_numbers(x->section, y->section);

	for (int i = 0; !order && i < 3; i++)
		order = compare_texts(a, texts[i][0], b, texts[i][1]);
	if (!order)
		order = compare_numbers(x->n_symbols, y->n_symbols);
	for (__u32 i = 0; !order && i < x->n_symbols; i++)
		order = compare_texts(a, a->trace_symbols[x->first_symbol + i].name, b,
			b->trace_symbols[y->first_symbol + i].name);
	return order;
}

/* A selector as two bundles can both name it. */
struct named_selector {
	const struct polb_bundle *bundle;
	uint32_t index;
	uint32_t nth; /* which of its policy's specs on this function it is of */
};

static int compare_selectors(const void *a, const void *b)
{
	const struct named_selector *x = a, *y = b;
	const struct polb_bundle_trace_selector *r = &x->bundle->trace_selectors[x->index];
	const struct polb_bundle_trace_selector *s = &y->bundle->trace_selectors[y->index];
	const struct polb_bundle_trace_spec *p = &x->bundle->trace_specs[r->spec];
	const struct polb_bundle_trace_spec *q = &y->bundle->trace_specs[s->spec];
	int order = compare_policies(x->bundle, &x->bundle->trace_policies[p->policy], y->bundle,
		&y->bundle->trace_policies[q->policy]);

	if (!order)
		order = compare_functions(x->bundle, p, y->bundle, q);
	if (!order)
		order = compare_numbers(x->nth, y->nth);
	return order ? order : compare_numbers(r->position, s->position);
}

static uint32_t nth_of(const struct polb_bundle *bundle, uint32_t spec)
{
	const struct polb_bundle_trace_spec *s = &bundle->trace_specs[spec];
	uint32_t n = 0;

	for (uint32_t i = spec; i > 0 && bundle->trace_specs[i - 1].policy == s->policy; i--)
		n += !compare_functions(bundle, &bundle->trace_specs[i - 1], bundle, s);
	return n;
}

/* By index; sort them to look one up. */
static struct named_selector *name_selectors(const struct polb_bundle *bundle)
{
	struct named_selector *out = malloc((bundle->n_trace_selectors + 1) * sizeof(*out));
	uint32_t spec = UINT32_MAX, nth = 0;

	for (uint32_t i = 0; out && i < bundle->n_trace_selectors; i++) {
		if (bundle->trace_selectors[i].spec != spec) {
			spec = bundle->trace_selectors[i].spec;
			nth = nth_of(bundle, spec);
		}
		out[i] = (struct named_selector){bundle, i, nth};
	}
	return out;
}

/* --- carrying over ---------------------------------------------------------------------------- */

static int write_one(int fd, __u32 index, const struct polb_trace_counter *counter)
{
	if (!pold_trace_counter_saw(counter))
		return 0;
	return bpf_map_update_elem(fd, &index, counter, BPF_ANY) ? -errno : 0;
}

static int write_base(int fd, const struct polb_bundle *bundle, const struct pold_state *old)
{
	size_t n_old = old->bundle.n_trace_selectors;
	POLB_FREE struct polb_trace_counter *counters = NULL;
	POLB_FREE struct named_selector *wanted = name_selectors(bundle);
	POLB_FREE struct named_selector *known = name_selectors(&old->bundle);
	uint32_t n;
	int err = wanted && known ? pold_trace_counters_read(old, &counters, &n) : -ENOMEM;

	if (err)
		return err;
	qsort(known, n_old, sizeof(*known), compare_selectors);
	for (uint32_t i = 0; !err && i < bundle->n_trace_selectors; i++) {
		const struct named_selector *found =
			bsearch(&wanted[i], known, n_old, sizeof(*known), compare_selectors);

		if (found)
			err = write_one(fd, i, &counters[found->index]);
	}
	/* the last one is that of specs without selectors */
	return err ? err : write_one(fd, n_counters(bundle) - 1, &counters[n - 1]);
}

int pold_trace_counters_carry(const struct polb_bundle *bundle, const char *name,
	uint32_t generation, const struct pold_state *old)
{
	POLB_FD fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "polc_traced", sizeof(__u32),
		sizeof(struct polb_trace_counter), n_counters(bundle), NULL);
	int err = fd < 0 ? -errno : write_base(fd, bundle, old);

	return err ? err
		   : pold_pin_put(fd, POLD_ROOT "/%s/g%u/trace_counters_base", name, generation);
}
