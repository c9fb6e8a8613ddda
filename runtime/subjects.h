/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Endpoints that the compiler did not know: which policies select one, and which tables it then
 * has. The same answer as the compiler's for an endpoint of its inventory, or that there is none.
 */
#ifndef POLB_SUBJECTS_H
#define POLB_SUBJECTS_H

#include "bundle.h"

struct polb_subject_tables {
	__u32 table[2]; /* by enum polb_direction */
	/*
	 * false: the bundle has no table for what selects the endpoint; `table` then denies
	 * everything there, so that it is never less than what the policies say.
	 */
	bool exact[2];
};

/* 0; -ENOENT: the bundle was built without subjects (no table can be chosen); -ENOMEM. */
int polb_subject_tables(const struct polb_bundle *bundle, const struct polb_identity_view *view,
	struct polb_subject_tables *out);
/* Order of .polc.combinations: direction, subjects, named ports. */
int polb_combination_compare(const struct polb_bundle *bundle,
	const struct polb_bundle_combination *a, const struct polb_bundle_combination *b);

#endif
