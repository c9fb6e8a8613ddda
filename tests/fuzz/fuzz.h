/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the harnesses share: input as a source, and the whole compiler behind the front ends. */
#ifndef POLC_FUZZ_H
#define POLC_FUZZ_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compiler/backend/plan.h"
#include "compiler/frontend/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lowers and plans what was read; a plan of a set without errors must verify. Diagnostics must
 * print. */
static inline void fuzz_compile(struct polc *polc, struct polc_input *input)
{
	const struct polc_lower_options options = {0};
	struct polc_buf text = {.arena = &polc->arena};

	polc_read_finish(polc, input);
	if (!polc->n_errors) {
		const struct polc_network *network = polc_lower_network(polc, input, &options);

		if (!polc->n_errors) {
			polc_network_verify(network);
			const struct polc_plan *plan = polc_plan_build(polc, network,
				polc_identities_build(polc, &input->inventory, NULL));
			if (plan)
				polc_plan_verify(plan);
			polc_ast_print_pol(&input->ast, &text);
			polc_ast_print_yaml(&input->ast, &text);
		}
	}
	FILE *null = fopen("/dev/null", "w");

	polc_diagnostics_print_text(polc, null, false);
	polc_diagnostics_print_json(polc, null);
	fclose(null);
}

/* The input as a file with the given ending; the path is in `path`. */
static inline void fuzz_file(char path[64], const char *ending, const uint8_t *data, size_t size)
{
	snprintf(path, 64, "/tmp/polc-fuzz-%d%s", (int)getpid(), ending);
	FILE *file = fopen(path, "w");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file))
		abort();
}

#endif
