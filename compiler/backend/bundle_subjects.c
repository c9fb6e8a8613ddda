/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The bundle's subjects and combinations (runtime/subjects.h), in the plan's order. */
#include "backend.h"

typedef POLC_VEC(struct polb_bundle_named_port) named_ports;

static __u32 add_ports(struct polc_bundle_builder *b, named_ports *list,
	const struct polb_named_port *ports, size_t n)
{
	__u32 first = (__u32)list->n;

	for (size_t i = 0; i < n; i++) {
		struct polb_bundle_named_port port = {.name = polc_bundle_text(b, ports[i].name),
			.port = ports[i].port,
			.protocol = ports[i].protocol};

		*polc_vec_push(&b->polc->arena, list) = port;
	}
	return first;
}

static void fill_subjects(struct polc_bundle_builder *b)
{
	const struct polc_plan *plan = b->plan;
	struct polb_bundle_subject *out =
		POLC_BUNDLE_TABLE(b, plan->n_subjects, struct polb_bundle_subject);
	POLC_VEC(struct polb_bundle_selector) selectors = {0};
	named_ports ports = {0};

	for (uint32_t i = 0; i < plan->n_subjects; i++) {
		const struct polc_plan_subject *s = &plan->subjects[i];

		out[i] = (struct polb_bundle_subject){.first_selector = (__u32)selectors.n,
			.n_selectors = (__u32)s->n_selectors,
			.first_port = add_ports(b, &ports, s->ports, s->n_ports),
			.n_ports = (__u32)s->n_ports,
			.directions = s->directions};
		for (size_t j = 0; j < s->n_selectors; j++) {
			struct polb_bundle_selector selector =
				polc_bundle_selector(b, &plan->network->selectors[s->selectors[j]]);

			*polc_vec_push(&b->polc->arena, &selectors) = selector;
		}
	}
	b->bundle.subjects = out;
	b->bundle.n_subjects = plan->n_subjects;
	b->bundle.subject_selectors = selectors.items;
	b->bundle.n_subject_selectors = selectors.n;
	b->bundle.subject_ports = ports.items;
	b->bundle.n_subject_ports = ports.n;
}

static void fill_combinations(struct polc_bundle_builder *b)
{
	const struct polc_plan *plan = b->plan;
	struct polb_bundle_combination *out =
		POLC_BUNDLE_TABLE(b, plan->n_combinations, struct polb_bundle_combination);
	POLC_VEC(__u32) subjects = {0};
	named_ports ports = {0};

	for (uint32_t i = 0; i < plan->n_combinations; i++) {
		const struct polc_plan_combination *c = &plan->combinations[i];

		out[i] = (struct polb_bundle_combination){.direction = c->direction,
			.first_subject = (__u32)subjects.n,
			.n_subjects = (__u32)c->n_subjects,
			.first_port = add_ports(b, &ports, c->ports, c->n_ports),
			.n_ports = (__u32)c->n_ports,
			.table = c->table};
		for (size_t j = 0; j < c->n_subjects; j++)
			*polc_vec_push(&b->polc->arena, &subjects) = c->subjects[j];
	}
	b->bundle.combinations = out;
	b->bundle.n_combinations = plan->n_combinations;
	b->bundle.combination_subjects = subjects.items;
	b->bundle.n_combination_subjects = subjects.n;
	b->bundle.combination_ports = ports.items;
	b->bundle.n_combination_ports = ports.n;
}

void polc_bundle_fill_subjects(struct polc_bundle_builder *b)
{
	fill_subjects(b);
	fill_combinations(b);
}
