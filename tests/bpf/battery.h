/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One policy set under test: compiled, loaded, and asked packets at its own boundaries. */
#ifndef ORACLE_BATTERY_H
#define ORACLE_BATTERY_H

#include "compiler/backend/bundle.h"
#include "compiler/backend/plan.h"
#include "generate.h"

/* A policy set as the compiler sees it. `data` and `bundle` are set by subject_build(). */
struct subject {
	struct polc polc;
	struct polc_input input;
	const struct polc_network *network;
	const struct polc_identities *identities;
	const struct polc_plan *plan;
	void *data;
	size_t size;
	struct polb_bundle bundle;
};

enum outcome {
	OUTCOME_AGREE,
	OUTCOME_MISMATCH,
	OUTCOME_UNUSABLE,    /* the set has errors: a mistake of the generator, or of a front end */
	OUTCOME_ENVIRONMENT, /* no clang, no BPF */
};

struct battery {
	uint64_t seed;
	unsigned long cases; /* to ask */
	unsigned long asked; /* were asked */
	unsigned long by_verdict[5];
	unsigned long opened; /* flows */
	const char *what;     /* differs: the kind of mismatch, for the minimiser */
	const char *step;
	struct polc_buf
		*report; /* what differs, when MISMATCH; why, when UNUSABLE or ENVIRONMENT */
};

/* Reads, lowers and plans the text of a set. False: polc has errors. */
bool subject_open(struct subject *subject, const char *text, size_t len);
bool subject_build(struct subject *subject, struct polc_buf *report);
void subject_close(struct subject *subject);

/* `next`: another policy of the same inventory, taking turns with the first as generations do; or
 * NULL. */
enum outcome battery_run(struct battery *battery, struct subject *subject, struct subject *next);
/* The order of documents must not matter to any verdict: compares two readings of one set. */
enum outcome battery_same_meaning(
	struct battery *battery, struct subject *a, struct subject *b, unsigned n_questions);

#endif
