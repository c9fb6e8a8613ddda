/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the files that make a bundle, and by nobody else. */
#ifndef POLC_BACKEND_H
#define POLC_BACKEND_H

#include "bundle.h"

/* The hooks a bundle gets: options->hooks, or what the endpoints need, or both. */
uint32_t polc_bundle_hooks(const struct polc_plan *plan, const struct polc_build_options *options);

/* Longest-prefix maps of the family are needed. */
bool polc_bundle_has_cidr(const struct polc_plan *plan, unsigned family);

/* First line of `clang --version`, in the arena. 0, or -errno with the message printed. */
int polc_clang_version(
	struct polc *polc, const struct polc_build_options *options, const char **version);

#endif
