/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The bundle's tables of policies that can be switched: who they are, what stands for which table.
 */
#include "backend.h"

typedef POLC_VEC(__u32) numbers;

static __u32 add_numbers(
	struct polc_bundle_builder *b, numbers *out, const uint32_t *items, size_t n)
{
	__u32 first = (__u32)out->n;

	for (size_t i = 0; i < n; i++)
		*polc_vec_push(&b->polc->arena, out) = items[i];
	return first;
}

static void fill_switchable(struct polc_bundle_builder *b)
{
	const struct polc_network *network = b->plan->network;
	size_t n = network->n_switchables;
	struct polb_bundle_switchable *out = POLC_BUNDLE_TABLE(b, n, struct polb_bundle_switchable);

	for (size_t i = 0; i < n; i++) {
		const struct polc_switchable *s = &network->switchables[i];

		out[i] = (struct polb_bundle_switchable){
			.policy_kind = polc_bundle_text(b, polc_policy_kind_name(s->kind)),
			.namespace = polc_bundle_text(b, s->namespace),
			.name = polc_bundle_text(b, s->name),
			.audit = s->audit,
		};
	}
	b->bundle.switchable = out;
	b->bundle.n_switchable = n;
}

void polc_bundle_fill_variants(struct polc_bundle_builder *b)
{
	size_t n = b->plan->n_variants;
	struct polb_bundle_variant *out = POLC_BUNDLE_TABLE(b, n, struct polb_bundle_variant);
	numbers all = {0};

	fill_switchable(b);
	for (size_t i = 0; i < n; i++) {
		const struct polc_plan_variant *v = &b->plan->variants[i];

		out[i] = (struct polb_bundle_variant){
			.table = v->table,
			.first_policy = add_numbers(b, &all, v->policies, v->n_policies),
			.n_policies = v->n_policies,
			.first_table = add_numbers(b, &all, v->tables, (size_t)1 << v->n_policies),
		};
	}
	b->bundle.variants = out;
	b->bundle.n_variants = n;
	b->bundle.variant_numbers = all.items;
	b->bundle.n_variant_numbers = all.n;
}
