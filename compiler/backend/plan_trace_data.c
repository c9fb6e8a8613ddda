/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the tests of a bundle look up, each set once: string sets gathered into domains of 64 (those
 * of binaries first), intervals too many for comparisons, networks likewise.
 */
#include <string.h>

#include "plan_tracing_internal.h"

enum {
	DOMAIN_SETS = 64,
	MAX_INLINE_INTERVALS = 16,
	MAX_INLINE_NETS = 8,
};

/* The domains of one value, or of the binaries (key ""). Sets of a path that its last component
 * can exclude are kept apart from those that its first can, and from substrings. */
struct group {
	const char *key;
	unsigned class;
	bool path;
	POLC_VEC(struct polc_string_set) sets;
	uint32_t first_domain;
};

struct data {
	struct polc_trace_planner *p;
	POLC_VEC(struct group) groups; /* the first: binaries */
	/* per test: its group and set, until domains are numbered */
	struct polc_trace_lookup **lookups;
	POLC_VEC(const polc_intervals *) interval_sets;
	POLC_VEC(uint32_t) interval_firsts;
	POLC_VEC(const polc_prefixes *) net_sets;
};

static bool same_strings(const polc_strings *a, const polc_strings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->items[i].n != b->items[i].n ||
			memcmp(a->items[i].bytes, b->items[i].bytes, a->items[i].n))
			return false;
	return true;
}

static unsigned class_of(enum polc_string_op op, bool path)
{
	switch (op) {
	case POLC_STRING_EQUAL:
	case POLC_STRING_POSTFIX:
		return 0;
	case POLC_STRING_PREFIX:
		return path ? 1 : 0;
	case POLC_STRING_SUBSTRING:
	case POLC_STRING_SUBSTRING_FOLDED:
		return path ? 2 : 0;
	case POLC_N_STRING_OPS:
		break;
	}
	POLC_BUG("unknown string operator %d", (int)op);
}

static uint32_t group_for(struct data *d, const char *key, unsigned class, bool path)
{
	for (uint32_t i = 0; i < d->groups.n; i++)
		if (d->groups.items[i].class == class && !strcmp(d->groups.items[i].key, key))
			return i;
	*polc_vec_push(&d->p->polc->arena, &d->groups) =
		(struct group){.key = key, .class = class, .path = path};
	return (uint32_t)d->groups.n - 1;
}

static uint32_t set_for(struct data *d, struct group *group, const struct polc_trace_test *test)
{
	for (uint32_t i = 0; i < group->sets.n; i++)
		if (group->sets.items[i].op == test->string_op &&
			same_strings(group->sets.items[i].strings, &test->strings))
			return i;
	*polc_vec_push(&d->p->polc->arena, &group->sets) =
		(struct polc_string_set){.op = test->string_op, .strings = &test->strings};
	return (uint32_t)group->sets.n - 1;
}

/* Values of one hook that are read alike are one text; a list's are its own. */
static const char *group_key(
	struct data *d, const struct polc_trace_spec *spec, const struct polc_trace_test *test)
{
	struct polc_arena *arena = &d->p->polc->arena;
	const char *value = polc_trace_value_key(arena, spec, &spec->values.items[test->value]);

	if (!polc_spec_has_one_hook(spec))
		return polc_arena_printf(arena, "spec %u %s", spec->number, value);
	if (spec->symbols.n)
		return polc_arena_printf(arena, "%d %s %s %s", (int)spec->section,
			spec->path ? spec->path : "", spec->symbols.items[0].name, value);
	return polc_arena_printf(
		arena, "%s+%llx %s", spec->path, (unsigned long long)spec->offsets.items[0], value);
}

static void look_up_strings(struct data *d, const struct polc_trace_spec *spec,
	const struct polc_trace_test *test, struct polc_trace_lookup *out)
{
	bool binary = test->kind == POLC_TEST_BINARY;
	uint8_t type = binary ? POLB_TYPE_FILE : spec->values.items[test->value].type;
	bool path = !binary && polc_trace_type_class(type) == POLB_CLASS_PATH;
	uint32_t group = binary ? 0
				: group_for(d, group_key(d, spec, test),
					  class_of(test->string_op, path), path);

	out->domain = group; /* for now */
	out->bit = set_for(d, &d->groups.items[group], test);
}

static bool same_intervals(const polc_intervals *a, const polc_intervals *b)
{
	return a->n == b->n && !memcmp(a->items, b->items, a->n * sizeof(*a->items));
}

static void look_up_intervals(
	struct data *d, const polc_intervals *intervals, bool always, struct polc_trace_lookup *out)
{
	struct polc_tracing_plan *plan = d->p->plan;

	if (intervals->n <= MAX_INLINE_INTERVALS && !always)
		return;
	out->n = (uint32_t)intervals->n;
	for (size_t i = 0; i < d->interval_sets.n; i++)
		if (same_intervals(d->interval_sets.items[i], intervals)) {
			out->first = d->interval_firsts.items[i];
			return;
		}
	out->first = (uint32_t)plan->intervals.n;
	*polc_vec_push(&d->p->polc->arena, &d->interval_sets) = intervals;
	*polc_vec_push(&d->p->polc->arena, &d->interval_firsts) = out->first;
	for (size_t i = 0; i < intervals->n; i++)
		*polc_vec_push(&d->p->polc->arena, &plan->intervals) =
			(struct polb_bundle_trace_interval){
				intervals->items[i].lo, intervals->items[i].hi};
}

static bool same_prefixes(const polc_prefixes *a, const polc_prefixes *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->items[i].len != b->items[i].len ||
			a->items[i].addr.family != b->items[i].addr.family ||
			memcmp(a->items[i].addr.bytes, b->items[i].addr.bytes,
				sizeof(a->items[i].addr.bytes)))
			return false;
	return true;
}

static void add_nets(struct data *d, const polc_prefixes *prefixes, uint32_t set,
	const struct polc_trace_lookup *lookup)
{
	for (size_t i = 0; i < prefixes->n; i++) {
		const struct polb_prefix *prefix = &prefixes->items[i];
		struct polb_bundle_trace_net net = {
			.set = set, .prefix = {.family = prefix->addr.family, .len = prefix->len}};

		if (prefix->addr.family == 4 ? !lookup->net4 : !lookup->net6)
			continue;
		memcpy(net.prefix.addr, prefix->addr.bytes, sizeof(net.prefix.addr));
		*polc_vec_push(&d->p->polc->arena, &d->p->plan->nets) = net;
	}
}

static void look_up_nets(
	struct data *d, const polc_prefixes *prefixes, struct polc_trace_lookup *out)
{
	size_t n4 = 0;

	for (size_t i = 0; i < prefixes->n; i++)
		n4 += prefixes->items[i].addr.family == 4;
	out->net4 = n4 > MAX_INLINE_NETS;
	out->net6 = prefixes->n - n4 > MAX_INLINE_NETS;
	if (!out->net4 && !out->net6)
		return;
	for (uint32_t i = 0; i < d->net_sets.n; i++)
		if (same_prefixes(d->net_sets.items[i], prefixes)) {
			out->net_set = i;
			return;
		}
	out->net_set = (uint32_t)d->net_sets.n;
	*polc_vec_push(&d->p->polc->arena, &d->net_sets) = prefixes;
	add_nets(d, prefixes, out->net_set, out);
}

static void look_up(struct data *d, const struct polc_trace_spec *spec,
	const struct polc_trace_test *test, struct polc_trace_lookup *out)
{
	switch (test->kind) {
	case POLC_TEST_STRING:
	case POLC_TEST_BINARY:
		look_up_strings(d, spec, test, out);
		return;
	case POLC_TEST_INTERVALS:
	case POLC_TEST_FILE_TYPE:
	case POLC_TEST_PORT:
	case POLC_TEST_PROTOCOL:
	case POLC_TEST_FAMILY:
	case POLC_TEST_STATE:
	case POLC_TEST_NAMESPACE:
		look_up_intervals(d, &test->intervals, false, out);
		return;
	case POLC_TEST_PIDS:
		look_up_intervals(d, &test->pids, test->follow_forks, out);
		return;
	case POLC_TEST_ADDRESS:
		look_up_nets(d, &test->prefixes, out);
		return;
	case POLC_TEST_MASK:
	case POLC_TEST_CAPS_GAINED:
	case POLC_TEST_EXPRESSION:
	case POLC_TEST_NAMESPACE_CHANGES:
	case POLC_TEST_CAPABILITIES:
	case POLC_TEST_CAPABILITY_CHANGES:
	case POLC_TEST_WORKLOAD:
		return;
	}
	POLC_BUG("unknown test %d", (int)test->kind);
}

static void look_up_selector(struct data *d, const struct polc_trace_spec *spec,
	const struct polc_trace_selector *selector)
{
	struct polc_trace_lookup *out = POLC_NEW_ARRAY(&d->p->polc->arena,
		selector->tests.n + selector->return_tests.n + 1, struct polc_trace_lookup);

	d->lookups[selector->number] = out;
	for (size_t i = 0; i < selector->tests.n; i++)
		look_up(d, spec, &selector->tests.items[i], out++);
	for (size_t i = 0; i < selector->return_tests.n; i++)
		look_up(d, spec, &selector->return_tests.items[i], out++);
}

/* ---- from groups to domains ---- */

static void number_domains(struct data *d)
{
	struct polc_tracing_plan *plan = d->p->plan;
	uint32_t n = 0;

	for (size_t i = 0; i < d->groups.n; i++) {
		d->groups.items[i].first_domain = n;
		n += (uint32_t)(d->groups.items[i].sets.n + DOMAIN_SETS - 1) / DOMAIN_SETS;
	}
	plan->binary_words = d->groups.n > 1 ? d->groups.items[1].first_domain : n;
	plan->n_domains = n;
	plan->domains = POLC_NEW_ARRAY(&d->p->polc->arena, n ? n : 1, struct polc_string_domain);
	for (size_t i = 0; i < d->groups.n; i++) {
		const struct group *group = &d->groups.items[i];

		for (uint32_t j = 0; j < group->sets.n; j += DOMAIN_SETS) {
			uint32_t id = group->first_domain + j / DOMAIN_SETS;
			size_t left = group->sets.n - j;

			plan->domains[id] = (struct polc_string_domain){.id = id,
				.path = group->path,
				.sets = &group->sets.items[j],
				.n_sets = (uint32_t)(left < DOMAIN_SETS ? left : DOMAIN_SETS)};
		}
	}
}

static void renumber(
	const struct data *d, const struct polc_trace_test *test, struct polc_trace_lookup *lookup)
{
	if (test->kind != POLC_TEST_STRING && test->kind != POLC_TEST_BINARY)
		return;
	lookup->domain = d->groups.items[lookup->domain].first_domain + lookup->bit / DOMAIN_SETS;
	lookup->bit %= DOMAIN_SETS;
}

static void renumber_selector(const struct data *d, const struct polc_trace_selector *selector)
{
	struct polc_trace_lookup *lookup = d->lookups[selector->number];

	for (size_t i = 0; i < selector->tests.n; i++)
		renumber(d, &selector->tests.items[i], lookup++);
	for (size_t i = 0; i < selector->return_tests.n; i++)
		renumber(d, &selector->return_tests.items[i], lookup++);
}

bool polc_plan_trace_data(struct polc_trace_planner *p)
{
	const struct polc_tracing *tracing = p->tracing;
	struct polc_tracing_plan *plan = p->plan;
	struct data d = {.p = p};

	d.lookups = POLC_NEW_ARRAY(
		&p->polc->arena, tracing->n_selectors + 1, struct polc_trace_lookup *);
	group_for(&d, "", 0, false);
	for (size_t i = 0; i < tracing->n_specs; i++)
		for (size_t j = 0; j < tracing->specs[i].selectors.n; j++)
			look_up_selector(
				&d, &tracing->specs[i], &tracing->specs[i].selectors.items[j]);
	number_domains(&d);
	for (size_t i = 0; i < tracing->n_specs; i++)
		for (size_t j = 0; j < tracing->specs[i].selectors.n; j++)
			renumber_selector(&d, &tracing->specs[i].selectors.items[j]);
	plan->lookups = (const struct polc_trace_lookup *const *)d.lookups;
	return polc_string_tables_build(p->polc, plan->domains, plan->n_domains, &plan->strings);
}
