/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Writes the directory of a target (ir/target.h) from what a kernel told and what its package has.
 */
#ifndef POLC_TARGET_FILES_H
#define POLC_TARGET_FILES_H

#include "../base/diagnostic.h"

struct polc_target_sources {
	const char *archive; /* gzipped cpio (loader/guest_facts.c) */
	size_t archive_size;
	const char *image;
	const char *config, *system_map, *modules; /* paths, or NULL */
};
/* 0, or -errno with the environment's error printed. */
int polc_target_write(
	struct polc *polc, const char *directory, const struct polc_target_sources *sources);
/* Makes the directories above the last '/' of a path. 0 or -errno. */
int polc_make_directories(const char *path);

#endif
