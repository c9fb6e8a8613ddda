/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The language server: one run of it, over standard input and output. */
#ifndef POLC_LSP_SERVER_H
#define POLC_LSP_SERVER_H

#include "../base/diagnostic.h"
#include "../ir/network.h"

struct polc_lsp_options {
	const char *const *policies; /* files and directories, instead of the client's folders */
	size_t n_policies;
	const char *const *inventories;
	size_t n_inventories;
	const char *const *targets;
	size_t n_targets;
	struct polc_lower_options lowering;
	const struct polc_levels *levels; /* of lints; or NULL */
	/*
	 * Called once with the workspace's folder (NULL: none), when that is known: may change
	 * these options; or NULL. Targets are opened behind it.
	 */
	void (*configure)(void *data, const char *root);
	void *data;
};

/* Serves until the client says exit or goes away; an exit code. */
int polc_lsp_serve(const struct polc_lsp_options *options);

#endif
