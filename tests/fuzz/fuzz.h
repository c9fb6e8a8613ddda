/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the harnesses share: input as a source, and the whole compiler behind the front ends. */
#ifndef POLC_FUZZ_H
#define POLC_FUZZ_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compiler/backend/plan.h"
#include "compiler/backend/plan_tracing.h"
#include "compiler/frontend/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Tracing policies: IR (verified by the lowering), plan, generated programs; both spellings print.
 */
static inline void fuzz_compile_tracing(struct polc *polc, struct polc_input *input)
{
	const struct polc_tracing_options options = {
		0}; /* of no kernel: the host must not matter */
	const struct polc_tracing *tracing = polc_lower_tracing(polc, input, &options);
	struct polc_buf text = {.arena = &polc->arena};

	if (polc->n_errors)
		return;
	polc_tracing_print(tracing, polc, &text);
	for (size_t i = 0; i < input->tracings.n; i++) {
		polc_tracing_print_pol(input->tracings.items[i], &text);
		polc_tracing_print_yaml(input->tracings.items[i], &text);
	}
	const struct polc_tracing_plan *plan = polc_plan_tracing(polc, tracing, &options);

	if (!plan)
		return;
	polc_plan_tracing_print(plan, polc, &text);
	polc_emit_tracing_config(plan, &text);
	polc_emit_tracing_programs(plan, &text);
}

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
	if (!polc->n_errors)
		fuzz_compile_tracing(polc, input);
	FILE *null = fopen("/dev/null", "w");

	polc_diagnostics_print_text(polc, null, false);
	polc_diagnostics_print_json(polc, null);
	fclose(null);
}

static char fuzz_path[64];

static void fuzz_remove_file(void)
{
	unlink(fuzz_path);
}

/* The input as a file with the given ending; the path is in `path`. It goes when the process ends.
 */
static inline void fuzz_file(char path[64], const char *ending, const uint8_t *data, size_t size)
{
	snprintf(path, 64, "/tmp/polc-fuzz-%d%s", (int)getpid(), ending);
	if (!*fuzz_path) {
		memcpy(fuzz_path, path, sizeof(fuzz_path));
		atexit(fuzz_remove_file);
	}
	FILE *file = fopen(path, "w");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file))
		abort();
}

#endif
