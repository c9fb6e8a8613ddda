/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the checks of a bundle's tables share; behind polb_bundle_check only. */
#ifndef POLB_BUNDLE_CHECK_H
#define POLB_BUNDLE_CHECK_H

#include "bundle_private.h"

#define POLB_NETWORK_HOOKS (POLB_HOOK_CGROUP | POLB_HOOK_TC | POLB_HOOK_XDP)

struct polb_check {
	const struct polb_bundle *b;
	char *error;
};

static inline int polb_check_fail(const struct polb_check *c, const char *table, size_t index)
{
	return polb_bundle_fail(c->error, "%s: entry %zu is broken", table, index);
}
static inline bool polb_range_ok(__u32 first, __u32 n, size_t total)
{
	return first <= total && n <= total - first;
}
static inline bool polb_string_ok(const struct polb_check *c, __u32 offset)
{
	return offset < c->b->strings_size;
}
static inline bool polb_strings_ok(const struct polb_check *c, const __u32 *offsets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!polb_string_ok(c, offsets[i]))
			return false;
	return true;
}
/* Canonical: known family, length in range, no bits behind the length. */
bool polb_prefix_ok(const struct polb_bundle_prefix *prefix);

bool polb_selector_ok(const struct polb_check *c, const struct polb_bundle_selector *selector);

/* bundle_check_subjects.c: whom policies govern, and the tables for it. 0 or -EINVAL. */
int polb_bundle_check_subjects(const struct polb_check *c);

/* variants.c: policies that can be switched. 0 or -EINVAL. */
int polb_bundle_check_variants(const struct polb_check *c);

/* bundle_check_trace.c: the tables of tracing policies. 0 or -EINVAL. */
int polb_bundle_check_trace(const struct polb_bundle *bundle, char error[POLB_ERROR_TEXT]);

#endif
