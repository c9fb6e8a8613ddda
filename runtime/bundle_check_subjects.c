/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Subjects and combinations of a bundle: every reference, the order, and that OTHER denies. */
#include "bundle_check.h"
#include "subjects.h"

static int check_ports(const struct polb_check *c, const char *table,
	const struct polb_bundle_named_port *ports, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!polb_string_ok(c, ports[i].name) || ports[i].pad)
			return polb_check_fail(c, table, i);
	return 0;
}

static int check_subjects(const struct polb_check *c)
{
	const struct polb_bundle *b = c->b;

	for (size_t i = 0; i < b->n_subject_selectors; i++)
		if (!polb_selector_ok(c, &b->subject_selectors[i]))
			return polb_check_fail(c, "selectors of subjects", i);
	for (size_t i = 0; i < b->n_subjects; i++) {
		const struct polb_bundle_subject *s = &b->subjects[i];

		if (!polb_range_ok(s->first_selector, s->n_selectors, b->n_subject_selectors) ||
			!polb_range_ok(s->first_port, s->n_ports, b->n_subject_ports) ||
			s->directions > 3)
			return polb_check_fail(c, "subjects", i);
	}
	return check_ports(c, "ports of subjects", b->subject_ports, b->n_subject_ports);
}

static bool ascending(const __u32 *numbers, __u32 n, size_t limit)
{
	for (__u32 i = 0; i < n; i++)
		if (numbers[i] >= limit || (i && numbers[i] <= numbers[i - 1]))
			return false;
	return true;
}

static bool combination_ok(const struct polb_check *c, const struct polb_bundle_combination *one)
{
	const struct polb_bundle *b = c->b;

	return one->direction <= POLB_COMBINATION_OTHER && one->table < b->manifest.n_tables &&
	       polb_range_ok(one->first_subject, one->n_subjects, b->n_combination_subjects) &&
	       polb_range_ok(one->first_port, one->n_ports, b->n_combination_ports) &&
	       ascending(b->combination_subjects + one->first_subject, one->n_subjects,
		       b->n_subjects);
}

/* Every row of the table is "deny", without a step. */
static bool denies_everything(const struct polb_check *c, __u32 table)
{
	const __u32 *index = c->b->rows_index + (size_t)table * c->b->manifest.n_port_classes;

	for (__u32 i = 0; i < c->b->manifest.n_port_classes; i++) {
		const struct polb_row *row = &c->b->rows[index[i]];

		if (row->n_steps || row->default_verdict != POLB_VERDICT_DENY)
			return false;
	}
	return true;
}

static int check_combinations(const struct polb_check *c)
{
	const struct polb_bundle *b = c->b;
	int err = check_ports(
		c, "ports of combinations", b->combination_ports, b->n_combination_ports);

	for (size_t i = 0; !err && i < b->n_combinations; i++) {
		const struct polb_bundle_combination *one = &b->combinations[i];
		bool last = i + 1 == b->n_combinations;

		if (!combination_ok(c, one) || (one->direction == POLB_COMBINATION_OTHER) != last)
			return polb_check_fail(c, "combinations", i);
		if (i && polb_combination_compare(b, one - 1, one) >= 0)
			return polb_check_fail(c, "combinations", i);
	}
	if (err || !b->n_combinations)
		return err;
	return denies_everything(c, b->combinations[b->n_combinations - 1].table)
		       ? 0
		       : polb_bundle_fail(c->error, "combinations: the last does not deny");
}

int polb_bundle_check_subjects(const struct polb_check *c)
{
	int err = check_subjects(c);

	return err ? err : check_combinations(c);
}
