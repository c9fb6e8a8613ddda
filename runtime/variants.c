/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Switchable policies of a bundle: their tables, checked and chosen. */
#include "variants.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bundle_check.h"

const struct polb_bundle_variant *polb_variant_find(const struct polb_bundle *bundle, __u32 table)
{
	size_t lo = 0, hi = bundle->n_variants;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (bundle->variants[mid].table == table)
			return &bundle->variants[mid];
		if (bundle->variants[mid].table < table)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static __u64 choose(
	const struct polb_bundle *bundle, const struct polb_bundle_variant *v, const __u32 *modes)
{
	const __u32 *policies = &bundle->variant_numbers[v->first_policy];
	const __u32 *tables = &bundle->variant_numbers[v->first_table];
	__u32 enforced = 0;

	for (__u32 i = 0; i < v->n_policies; i++)
		if (!modes[policies[i]])
			enforced |= 1u << i;
	return POLB_TABLES(tables[enforced], tables[(1u << v->n_policies) - 1]);
}

__u64 polb_table_of_modes(const struct polb_bundle *bundle, __u32 table, const __u32 *modes)
{
	const struct polb_bundle_variant *v = polb_variant_find(bundle, table);

	return v ? choose(bundle, v, modes) : POLB_TABLES(table, table);
}

void polb_tables_of_modes(const struct polb_bundle *bundle, const __u32 *modes, __u64 *tables)
{
	for (__u32 table = 0; table < bundle->manifest.n_tables; table++)
		tables[table] = POLB_TABLES(table, table);
	for (size_t i = 0; i < bundle->n_variants; i++)
		tables[bundle->variants[i].table] = choose(bundle, &bundle->variants[i], modes);
}

__u32 *polb_modes_initial(const struct polb_bundle *bundle, const __u32 *modes)
{
	__u32 *out = calloc(bundle->n_switchable + 1, sizeof(*out));

	for (size_t i = 0; out && i < bundle->n_switchable; i++)
		out[i] = modes ? modes[i] : bundle->switchable[i].audit;
	return out;
}

static bool switchable_ok(const struct polb_check *c, const struct polb_bundle_switchable *s)
{
	return polb_strings_ok(c, &s->policy_kind, 3) && s->audit <= 1;
}

static bool policies_ok(const struct polb_check *c, const struct polb_bundle_variant *v)
{
	const __u32 *policies = &c->b->variant_numbers[v->first_policy];

	for (__u32 i = 0; i < v->n_policies; i++)
		if (policies[i] >= c->b->n_switchable || (i && policies[i] <= policies[i - 1]))
			return false;
	return true;
}

static bool tables_ok(const struct polb_check *c, const struct polb_bundle_variant *v)
{
	for (__u32 i = 0; i < 1u << v->n_policies; i++)
		if (c->b->variant_numbers[v->first_table + i] >= c->b->manifest.n_tables)
			return false;
	return true;
}

/* Table 0 is "no policy": nothing to switch. */
static bool variant_ok(const struct polb_check *c, const struct polb_bundle_variant *v)
{
	size_t n = c->b->n_variant_numbers;

	return v->table && v->table < c->b->manifest.n_tables && v->n_policies &&
	       v->n_policies <= POLB_MAX_SWITCHABLE_OF_TABLE &&
	       polb_range_ok(v->first_policy, v->n_policies, n) &&
	       polb_range_ok(v->first_table, 1u << v->n_policies, n) && policies_ok(c, v) &&
	       tables_ok(c, v);
}

int polb_bundle_check_variants(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_switchable; i++)
		if (!switchable_ok(c, &c->b->switchable[i]))
			return polb_check_fail(c, "switchable policies", i);
	for (size_t i = 0; i < c->b->n_variants; i++)
		if (!variant_ok(c, &c->b->variants[i]) ||
			(i && c->b->variants[i].table <= c->b->variants[i - 1].table))
			return polb_check_fail(c, "variants", i);
	return 0;
}
