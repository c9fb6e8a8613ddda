/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The layout that `polc fmt` and editors give a text in its own spelling. */
#ifndef POLC_LAYOUT_H
#define POLC_LAYOUT_H

#include "../base/diagnostic.h"

/*
 * Appends the text laid out: the DSL in its one layout; YAML keeps its lines and comments and loses
 * only blanks at ends of lines, where they are no content, in documents that are policies. Other
 * documents, line ends and a byte order mark stay as they are. A text that cannot be read as YAML
 * stays as it is. The text is NUL-terminated.
 */
void polc_layout_text(
	struct polc_arena *arena, bool is_pol, const char *text, size_t n, struct polc_buf *out);

#endif
