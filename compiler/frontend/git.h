/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Files as they were in a git revision: "REV:PATH", with git as an external program. */
#ifndef POLC_GIT_H
#define POLC_GIT_H

#include "files.h"

/*
 * Like polc_files_read(), of a file or a directory (a tree) of a revision; sources are recorded as
 * "REV:PATH/name". 0 or -errno; what git said is on stderr.
 */
int polc_git_read(
	struct polc *polc, const char *revision_path, polc_file_function *function, void *data);

#endif
