/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which words are keywords: what the two files that settle it share; private to them. */
#ifndef POLC_POL_PLACE_H
#define POLC_POL_PLACE_H

#include "pol.h"

struct pol_place {
	int kind;      /* of the token before, after promotion */
	int statement; /* of the statement's first token */
	int block;     /* of the block's first token */
	int inner;     /* of the block in a test block, else the same */
	bool parentheses;
	bool expecting; /* in a test block, behind `expect` */
	/* in tracing blocks */
	unsigned depth;     /* of parentheses */
	unsigned labels_at; /* labels are being selected at this depth, + 1; 0: nowhere */
	bool arguments;     /* arguments of a hook are being listed */
	bool values;        /* values to compare with are being listed */
};

/* A word that is a keyword in its place; `follow`: whether a name stands behind it. */
struct pol_keyword {
	const char *text;
	int kind;
	enum pol_follow { OTHER, NAME } follow;
};
struct pol_keywords {
	const struct pol_keyword *items;
	size_t n;
};
const struct pol_keyword *pol_keyword_find(const struct pol_keywords *keywords, const char *text);
bool pol_name_follows(const struct pol_keywords *keywords, int kind);

const struct pol_token *pol_token_ahead(const struct pol_token *token, unsigned n);
/* Is this word the left side of a label's requirement? */
bool pol_is_key(const struct pol_place *place, const struct pol_token *token);
/* Appends a token of a tracing block: one, or several where a word holds a colon that joins. */
void pol_promote_tracing(struct polc_arena *arena, struct pol_place *place,
	const struct pol_token *token, pol_tokens *out);
/* The same for a token of a test or assert block, in its place. */
void pol_promote_test(struct pol_place *place, struct pol_token *token);

#endif
