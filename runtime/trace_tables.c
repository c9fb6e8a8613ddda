/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Questions to the tracing tables of a bundle that has been read: strings, names. */
#include "trace_tables.h"

#include <stdio.h>
#include <string.h>

#include "string_hash.h"

enum { EQUAL, PREFIX, POSTFIX };

static bool satisfies(const struct polb_bundle *b, const struct polb_bundle_trace_string *s,
	const char *text, size_t size)
{
	const __u8 *bytes = b->trace_bytes + s->offset;

	if (s->size > size || (s->op == EQUAL && s->size != size))
		return false;
	if (s->op == POSTFIX)
		text += size - s->size;
	return s->size == 0 || memcmp(bytes, text, s->size) == 0;
}

__u64 polb_trace_classify(const struct polb_bundle *b, __u32 domain, const char *text, size_t size)
{
	__u64 bits = 0;

	for (size_t i = 0; i < b->n_trace_strings; i++)
		if (b->trace_strings[i].domain == domain &&
			satisfies(b, &b->trace_strings[i], text, size))
			bits |= b->trace_strings[i].bits;
	return bits;
}

__u64 polb_trace_hash(__u32 seed, const char *text, size_t size)
{
	__u64 hash = seed;

	for (size_t at = 0; at < size; at += POLB_STRING_PIECE) {
		__u64 piece[POLB_STRING_PIECE / 8] = {0};
		size_t n = size - at < POLB_STRING_PIECE ? size - at : POLB_STRING_PIECE;

		memcpy(piece, text + at, n);
		hash = polb_string_hash_piece(hash, piece);
	}
	return hash;
}

/* The i-th string of a binary domain from `at` on; n when there is none. */
static size_t next_binary(const struct polb_bundle *b, size_t at)
{
	while (at < b->n_trace_strings && b->trace_strings[at].domain >= b->manifest.binary_words)
		at++;
	return at;
}

static bool same_string(const struct polb_bundle *a, const struct polb_bundle_trace_string *x,
	const struct polb_bundle *b, const struct polb_bundle_trace_string *y)
{
	return x->domain == y->domain && x->op == y->op && x->bits == y->bits &&
	       x->size == y->size &&
	       (x->size == 0 || memcmp(a->trace_bytes + x->offset, b->trace_bytes + y->offset,
					x->size) == 0);
}

bool polb_trace_same_binaries(const struct polb_bundle *a, const struct polb_bundle *b)
{
	size_t i = next_binary(a, 0), k = next_binary(b, 0);

	if (a->manifest.binary_words != b->manifest.binary_words)
		return false;
	while (i < a->n_trace_strings && k < b->n_trace_strings) {
		if (!same_string(a, &a->trace_strings[i], b, &b->trace_strings[k]))
			return false;
		i = next_binary(a, i + 1);
		k = next_binary(b, k + 1);
	}
	return i == a->n_trace_strings && k == b->n_trace_strings;
}

void polb_trace_policy_text(const struct polb_bundle *b, __u32 policy, char *out, size_t size)
{
	const struct polb_bundle_trace_policy *p;
	const char *namespace;

	if (policy >= b->n_trace_policies) {
		snprintf(out, size, "unknown policy");
		return;
	}
	p = &b->trace_policies[policy];
	namespace = polb_bundle_string(b, p->namespace);
	snprintf(out, size, "%s%s%s", namespace, *namespace ? "/" : "",
		polb_bundle_string(b, p->name));
}

const char *polb_mechanism_name(__u32 mechanism)
{
	static const char *const names[] = {
#define X(name, text) text,
		POLB_MECHANISMS(X)
#undef X
	};

	return mechanism < POLB_N_MECHANISMS ? names[mechanism] : "?";
}
