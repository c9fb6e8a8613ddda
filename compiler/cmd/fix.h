/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polc check --fix`: applies the fixes of diagnostics to the files they are about. */
#ifndef POLC_FIX_H
#define POLC_FIX_H

#include "../base/diagnostic.h"

struct polc_fixed {
	unsigned n_fixes, n_files;
};

/*
 * Applies the fixes of what is shown, first come first served: one that overlaps an applied one, or
 * is about something that is no file, is left for the next run. Each file is replaced whole. 0, or
 * -errno (a message was printed; files before it are written).
 */
int polc_fix_apply(struct polc *polc, struct polc_fixed *fixed);
/* A source with these edits, sorted by place and without overlap. */
void polc_fix_text(const struct polc_source *source, const struct polc_edit *const *edits, size_t n,
	struct polc_buf *out);

#endif
