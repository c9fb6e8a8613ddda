// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The policy language; what it accepts, its own printer must write so that it is accepted again.
#include "fuzz.h"

static void reread(const char *text, size_t len)
{
	struct polc polc;
	struct polc_input input = {0};

	polc_init(&polc);
	polc_parse_pol(
		&polc, &input, polc_source_add(&polc.arena, &polc.sources, "again.pol", text, len));
	if (polc.n_errors) {
		fprintf(stderr, "printed, then refused:\n%.*s\n", (int)len, text);
		polc_diagnostics_print_text(&polc, stderr, false);
		abort();
	}
	polc_free(&polc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct polc polc;
	struct polc_input input = {0};
	struct polc_buf text = {.arena = &polc.arena};

	polc_init(&polc);
	polc_parse_pol(&polc, &input,
		polc_source_add(&polc.arena, &polc.sources, "in.pol", (const char *)data, size));
	if (!polc.n_errors) {
		polc_ast_print_pol(&input.ast, &text);
		for (size_t i = 0; i < input.tracings.n; i++)
			polc_tracing_print_pol(input.tracings.items[i], &text);
		reread(text.p ? text.p : "", text.n);
	}
	fuzz_compile(&polc, &input);
	polc_free(&polc);
	return 0;
}
