/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * .polc.yaml: levels of lints, and defaults of options that say what exists. Found in the working
 * directory or, in a git work tree, in the nearest directory above up to its root. What the command
 * line says wins.
 */
#ifndef POLC_CONFIG_H
#define POLC_CONFIG_H

#include "cmd.h"

/* What the file may set; inventories and targets are as the program opens them. */
struct polc_config {
	struct polc_levels levels; /* with the defaults of lints */
	bool warnings_are_errors;
	polc_text_list inventories, target_names;
	bool has_dialect, has_posture, has_unsupported;
	unsigned dialect, posture, unsupported;
	const char *cluster_name; /* or NULL */
};

/*
 * The path of the nearest .polc.yaml for a directory ("." for the working directory), relative to
 * it; NULL when there is none. Arena-owned.
 */
const char *polc_config_find(struct polc_arena *arena, const char *directory);
/* Reads a file; mistakes in it are reported as diagnostics. 0, or -errno (reported). */
int polc_config_read(struct polc *polc, const char *path, struct polc_config *out);

/*
 * Finds and reads the file for a command line that was parsed, and fills in what that does not say.
 * Called by polc_cmd_parse(). POLC_EXIT_OK or ENVIRONMENT.
 */
int polc_cmd_configure(struct polc_cmd *cmd);
/*
 * One -W option: NAME, no-NAME, error=NAME, note=NAME, error or all. 0, or the exit code of a usage
 * error (printed).
 */
int polc_cmd_warning_option(struct polc_cmd *cmd, const char *word);

#endif
