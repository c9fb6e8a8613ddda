/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finding and reading the files behind a command line argument. Knows nothing of their content. */
#ifndef POLC_FILES_H
#define POLC_FILES_H

#include "../base/diagnostic.h"

#define POLC_STDIN_PATH "<stdin>"

/* Called with each source; `named`: the argument names the file itself, not a directory above it.
 */
typedef void polc_file_function(void *data, uint32_t source, bool named);

/*
 * Reads a file, "-" (standard input), or every *.yaml *.yml *.json *.pol below a directory, in the
 * order of their names; names that begin with "." are passed over. Sources are recorded under the
 * argument as given, or under its last component when it is absolute. Returns 0 or -errno
 * (reported).
 */
int polc_files_read(struct polc *polc, const char *path, polc_file_function *function, void *data);
/* Is a file too large to be read? Then that was reported. */
bool polc_files_too_large(struct polc *polc, const char *shown, size_t n);
/* Is a file below a directory read, by its name? */
bool polc_files_has_policy_suffix(const char *name);

#endif
