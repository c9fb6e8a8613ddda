/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Questions to the tracing tables of a bundle that has been read. */
#ifndef POLB_TRACE_TABLES_H
#define POLB_TRACE_TABLES_H

#include "bundle.h"

/*
 * The bits of a domain's sets of equal, prefix and postfix strings that a text satisfies: what the
 * programs compute (binary filters have no other strings). A plain scan.
 */
__u64 polb_trace_classify(
	const struct polb_bundle *bundle, __u32 domain, const char *text, size_t size);
/* Hash of a text as in polt_strings' keys. */
__u64 polb_trace_hash(__u32 seed, const char *text, size_t size);
/* Whether two bundles number the same binary filters in the same way. */
bool polb_trace_same_binaries(const struct polb_bundle *a, const struct polb_bundle *b);
/* "namespace/name" of a policy. */
void polb_trace_policy_text(const struct polb_bundle *bundle, __u32 policy, char *out, size_t size);
/* The mechanism's name. */
const char *polb_mechanism_name(__u32 mechanism);

#endif
