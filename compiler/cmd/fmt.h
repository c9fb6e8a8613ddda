/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the files of `polc fmt`; private to them. */
#ifndef POLC_FMT_H
#define POLC_FMT_H

#include "cmd.h"

enum polc_spelling { POLC_SPELLING_POL, POLC_SPELLING_YAML };

/* One file as it was read, and how it should look. Arena-owned. */
struct polc_fmt_file {
	const char *path; /* the operand */
	uint32_t source;
	enum polc_spelling spelling;
	struct polc_input input;
	struct polc_buf out;
};

/* The file's own spelling, laid out. */
void polc_fmt_layout(struct polc *polc, struct polc_fmt_file *file);
/* The other spelling; what it cannot say is reported. Returns how many lines of comment are lost.
 */
size_t polc_fmt_convert(struct polc *polc, struct polc_fmt_file *file);

/* Appends a unified diff of two texts. */
void polc_fmt_diff(struct polc_arena *arena, const char *path, const char *before, size_t n_before,
	const char *after, size_t n_after, struct polc_buf *out);

#endif
