/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Comments for polc in policies: `# polc: allow(NAME, ...) REASON` about the line it ends or the
 * next one, `# polc: allow-policy(NAME, ...) REASON` about the whole document or block. What they
 * suppress is decided in analysis/suppress.c.
 */
#ifndef POLC_SUPPRESSIONS_H
#define POLC_SUPPRESSIONS_H

#include "../base/diagnostic.h"

struct polc_suppressed_code {
	enum polc_code code;
	struct polc_span span; /* the name in the comment */
	bool used;
};
struct polc_suppression {
	struct polc_span span;  /* the comment */
	struct polc_span scope; /* what begins in here is meant */
	const char *reason;
	POLC_VEC(struct polc_suppressed_code) codes;
};
typedef POLC_VEC(struct polc_suppression) polc_suppressions;

/*
 * Finds the comments of every source. With `report`, those that are wrong are reported: unknown
 * names and words, no reason. They suppress nothing.
 */
void polc_suppressions_read(struct polc *polc, bool report, polc_suppressions *out);

#endif
