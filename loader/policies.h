/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The network policies of a bundle: who they are, the mode of each now, which rules are theirs and
 * what those have counted. A policy without any rule that is always enforced leaves no trace in a
 * bundle and is not among them.
 */
#ifndef POLD_POLICIES_H
#define POLD_POLICIES_H

#include "loader.h"

struct pold_policy {
	const char *kind, *namespace, *name; /* namespace "" for cluster-wide ones */
	bool switchable;
	bool audit; /* now; an always enforced one: false */
	uint32_t n_rules;
	uint64_t packets, bytes; /* of its rules; after pold_policies_count() */
};
struct pold_policies {
	struct pold_policy *items;
	size_t n;
	uint32_t *of_rule; /* by index in bundle.rules: index into items */
};
#define POLD_POLICIES __attribute__((cleanup(pold_policies_free))) struct pold_policies

/* With the modes of `modes` (variants.h), or if NULL those that the bundle starts in. 0 or -errno.
 */
int pold_policies_list(
	const struct polb_bundle *bundle, const __u32 *modes, struct pold_policies *out);
/* Of what is in force, with its modes of now. 0 or -errno. */
int pold_policies_read(const struct pold_state *state, struct pold_policies *out);
void pold_policies_free(struct pold_policies *policies);
/* Adds up counters by rule number (pold_counters_read()). */
void pold_policies_count(struct pold_policies *policies, const struct polb_counter *counters);
/* "namespace/name" or "name". */
void pold_policy_text(const struct pold_policy *policy, char *out, size_t size);
/* For `status`: those that can be switched, that have seen packets, or all; as a table or as the
 * members of a JSON array. */
void pold_policies_print(const struct pold_policies *policies, bool all);
void pold_policies_print_json(const struct pold_policies *policies);

/* modes.c: the modes of a generation's switchable policies, malloc'd; 0 or -errno. */
int pold_modes_read(const struct pold_state *state, __u32 **out);
/*
 * Which switchable policies the options mean, by number: those of --policy. Notes nothing when none
 * is meant. Malloc'd, NULL: out of memory.
 */
bool *pold_modes_wanted(const struct pold_options *options, const struct polb_bundle *bundle);
/* Is it the name of a network policy that is always enforced? */
bool pold_modes_fixed(const struct polb_bundle *bundle, const char *name);
/*
 * The wanted policies into a mode, from the next epoch on: the caller bumps it in between, so that
 * what is recorded never claims more than is enforced. 0 or -errno.
 */
int pold_modes_switch(const struct pold_state *state, const bool *wanted, bool audit);
int pold_modes_record(const struct pold_state *state, const bool *wanted, bool audit);
/*
 * For a new generation of this bundle, pinned but not in force: with `keep` the modes that the same
 * policies have in generation `before` (0: none); else says which were switched there and are not
 * kept. 0 or -errno.
 */
int pold_modes_follow(const struct polb_bundle *bundle, const char *name, uint32_t generation,
	uint32_t before, bool keep);
/* Every switchable policy is in the mode that the bundle starts it in. */
bool pold_policy_modes_are_fresh(const struct pold_state *state);

#endif
