/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What each rule has seen. A generation counts from zero; what earlier ones counted for the same
 * rule (same place in the same policy) is in its pinned counters_base.
 */
#include "loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audited.h"
#include "runtime/cleanup.h"

static uint32_t n_counters(const struct polb_bundle *bundle)
{
	return POLB_RULE_FIRST + bundle->manifest.n_rules;
}

/* Adds the sum over all processors. */
static int add_live(const struct pold_state *state, struct polb_counter *out)
{
	POLB_FD fd = pold_state_map(state, "polt_counters");
	int cpus = libbpf_num_possible_cpus();
	POLB_FREE struct polb_counter *values = NULL;

	if (fd < 0 || cpus < 1)
		return fd < 0 ? fd : cpus;
	values = calloc((size_t)cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (__u32 i = 0; i < n_counters(&state->bundle); i++) {
		if (bpf_map_lookup_elem(fd, &i, values))
			return -errno;
		for (int cpu = 0; cpu < cpus; cpu++) {
			out[i].packets += values[cpu].packets;
			out[i].bytes += values[cpu].bytes;
		}
	}
	return 0;
}

static void add_base(const struct pold_state *state, struct polb_counter *out)
{
	POLB_FD fd = pold_state_map(state, "counters_base");
	struct polb_counter base;

	for (__u32 i = 0; fd >= 0 && i < n_counters(&state->bundle); i++) {
		if (bpf_map_lookup_elem(fd, &i, &base))
			return;
		out[i].packets += base.packets;
		out[i].bytes += base.bytes;
	}
}

int pold_counters_read(const struct pold_state *state, struct polb_counter **out)
{
	POLB_FREE struct polb_counter *counters =
		calloc(n_counters(&state->bundle), sizeof(*counters));
	int err = counters ? add_live(state, counters) : -ENOMEM;

	if (err)
		return err;
	add_base(state, counters);
	*out = POLB_TAKE(counters);
	return 0;
}

/* A rule as two bundles can both name it. */
struct named_rule {
	const struct polb_bundle *bundle;
	uint32_t index;
};

static int compare_rules(const void *a, const void *b)
{
	const struct named_rule *x = a, *y = b;
	const struct polb_bundle_rule *r = &x->bundle->rules[x->index];
	const struct polb_bundle_rule *s = &y->bundle->rules[y->index];
	const __u32 texts[3][2] = {{r->policy_name, s->policy_name},
		{r->policy_namespace, s->policy_namespace}, {r->policy_kind, s->policy_kind}};
	const __u32 numbers[4][2] = {{r->spec, s->spec}, {r->direction, s->direction},
		{r->action, s->action}, {r->index, s->index}};
	int order = 0;

	for (int i = 0; !order && i < 3; i++)
		order = strcmp(polb_bundle_string(x->bundle, texts[i][0]),
			polb_bundle_string(y->bundle, texts[i][1]));
	for (int i = 0; !order && i < 4; i++)
		order = (numbers[i][0] > numbers[i][1]) - (numbers[i][0] < numbers[i][1]);
	return order;
}

static struct named_rule *sorted_rules(const struct polb_bundle *bundle)
{
	struct named_rule *rules = malloc((bundle->n_rules + 1) * sizeof(*rules));

	for (uint32_t i = 0; rules && i < bundle->n_rules; i++)
		rules[i] = (struct named_rule){bundle, i};
	if (rules)
		qsort(rules, bundle->n_rules, sizeof(*rules), compare_rules);
	return rules;
}

static int write_base(int fd, const struct polb_bundle *bundle, const struct pold_state *old)
{
	POLB_FREE struct polb_counter *counters = NULL;
	POLB_FREE struct named_rule *rules = sorted_rules(&old->bundle);
	int err = rules ? pold_counters_read(old, &counters) : -ENOMEM;

	for (__u32 i = 0; !err && i < n_counters(bundle); i++) {
		const struct named_rule wanted = {bundle, i - POLB_RULE_FIRST};
		const struct named_rule *found = NULL;
		__u32 from = i;

		if (i >= POLB_RULE_FIRST) {
			found = bsearch(
				&wanted, rules, old->bundle.n_rules, sizeof(*rules), compare_rules);
			if (!found)
				continue;
			from = POLB_RULE_FIRST + found->index;
		}
		if (counters[from].packets && bpf_map_update_elem(fd, &i, &counters[from], BPF_ANY))
			err = -errno;
	}
	return err;
}

/* By old rule number: the new one, or 0. malloc'd. */
static uint32_t *renumber(const struct polb_bundle *bundle, const struct polb_bundle *old)
{
	POLB_FREE struct named_rule *rules = sorted_rules(old);
	uint32_t *numbers = calloc(n_counters(old), sizeof(*numbers));

	for (uint32_t i = 0; rules && numbers && i < bundle->n_rules; i++) {
		const struct named_rule wanted = {bundle, i};
		const struct named_rule *found =
			bsearch(&wanted, rules, old->n_rules, sizeof(*rules), compare_rules);

		if (found)
			numbers[POLB_RULE_FIRST + found->index] = POLB_RULE_FIRST + i;
	}
	return numbers;
}

int pold_counters_carry(const struct polb_bundle *bundle, const char *name, uint32_t generation,
	const struct pold_state *old)
{
	POLB_FD fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "polc_counters", sizeof(__u32),
		sizeof(struct polb_counter), n_counters(bundle), NULL);
	POLB_FREE uint32_t *numbers = renumber(bundle, &old->bundle);
	int err = fd < 0 ? -errno : write_base(fd, bundle, old);

	if (!err)
		err = numbers ? pold_audited_carry(bundle, name, generation, old, numbers)
			      : -ENOMEM;
	return err ? err : pold_pin_put(fd, POLD_ROOT "/%s/g%u/counters_base", name, generation);
}
