/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Random tracing policies and calls of their hooks: values near those that the policies name. */
#ifndef TRACE_ORACLE_GENERATE_H
#define TRACE_ORACLE_GENERATE_H

#include "compiler/analysis/call.h"

struct trace_random {
	uint64_t state;
};
uint32_t trace_random(struct trace_random *random, uint32_t below);

enum { TRACE_HOOKS = 6 };
/* A set of policies as YAML. */
const char *trace_generate_policies(struct polc_arena *arena, struct trace_random *random);
/* Two such sets, that differ in some policies only and have few selectors. */
void trace_generate_pair(
	struct polc_arena *arena, struct trace_random *random, const char *texts[2]);
/* The hook of that number as a call names it. */
const char *trace_hook(struct polc_arena *arena, unsigned number);
/* Facts of a call of that hook: all that its policies could ask for, few left out. */
size_t trace_generate_facts(struct polc_arena *arena, struct trace_random *random,
	const struct polc_tracing *tracing, unsigned hook, struct polc_call_fact *facts,
	size_t max);

#endif
