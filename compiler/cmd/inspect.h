/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Between the files of `polc inspect`: a bundle that has been read, printed two ways. */
#ifndef POLC_INSPECT_H
#define POLC_INSPECT_H

#include "../../runtime/bundle.h"
#include "cmd.h"

/* The keys of --trusted-key. */
struct polc_inspect_keys {
	struct polb_public_key *items;
	size_t n;
};

void polc_inspect_print_text(struct polc_arena *arena, const struct polb_bundle *bundle,
	const struct polc_inspect_keys *keys, FILE *out);
void polc_inspect_print_json(struct polc_arena *arena, const struct polb_bundle *bundle,
	const struct polc_inspect_keys *keys, FILE *out);

/* What is known of a signature: "good", "bad", or "not checked" without a key of its id. */
const char *polc_inspect_signature(const struct polb_bundle *bundle,
	const struct polb_signature *signature, const struct polc_inspect_keys *keys);

/* The text with control characters as \xNN: everything a bundle says may be hostile. */
const char *polc_inspect_visible(struct polc_arena *arena, const char *text);

/* "file:line" of the rule at `index`, or NULL when the bundle was built without source. */
const char *polc_inspect_rule_place(
	struct polc_arena *arena, const struct polb_bundle *bundle, size_t index);

#endif
