/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Makes a failing YAML text smaller: drops documents, then list items and fields, while it keeps
 * failing. */
#ifndef ORACLE_MINIMISE_H
#define ORACLE_MINIMISE_H

#include <stdbool.h>
#include <stddef.h>

/* Takes and returns malloc'd text. `fails` is asked for every attempt, at most `attempts` times. */
char *minimise(char *text, bool (*fails)(void *context, const char *text, size_t len),
	void *context, unsigned attempts);

#endif
