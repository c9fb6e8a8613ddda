/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The language server: one run of it, over standard input and output. */
#ifndef POLC_LSP_SERVER_H
#define POLC_LSP_SERVER_H

#include "../base/diagnostic.h"
#include "../ir/network.h"
#include "../ir/tracing.h"

/* What the policies mean, for who checks more of it. */
struct polc_lsp_world {
	struct polc *polc;
	const struct polc_input *input;
	const struct polc_network *network;
	const struct polc_identities *identities;
	const struct polc_tracing *tracing;
	const struct polc_tracing_options *tracing_options;
};

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
	/* Reports what assertions find; or NULL. */
	void (*check)(void *data, const struct polc_lsp_world *world);
	void *data;
};

/* Serves until the client says exit or goes away; an exit code. */
int polc_lsp_serve(const struct polc_lsp_options *options);

#endif
