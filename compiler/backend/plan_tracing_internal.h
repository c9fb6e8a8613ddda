/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Between the files that make and print the tracing plan and the emitter; nobody else's. */
#ifndef POLC_PLAN_TRACING_INTERNAL_H
#define POLC_PLAN_TRACING_INTERNAL_H

#include "plan_tracing.h"

/* A hook while it is collected. */
struct polc_hook_draft {
	struct polc_trace_hook hook;
	const char *key;
	POLC_VEC(struct polc_trace_member) members;
	POLC_VEC(uint32_t) enforcers;
	/* UPROBE */
	uint64_t offset, ref_ctr_offset;
	bool is_address, has_offset;
	const char *place; /* symbol of a uprobe, "provider:name" of a USDT */
	uint32_t usdt;     /* number of a USDT */
};

struct polc_trace_planner {
	struct polc *polc;
	const struct polc_tracing *tracing;
	const struct polc_tracing_options *options;
	struct polc_tracing_plan *plan;
	POLC_VEC(struct polc_hook_draft) drafts;
};

/* plan_mechanism.c: the alternatives of a hook; false when none is left (reported). */
bool polc_plan_mechanisms(struct polc_trace_planner *p, struct polc_hook_draft *draft);
/* plan_trace_data.c: domains, intervals, networks, and where each test finds its own. */
bool polc_plan_trace_data(struct polc_trace_planner *p);

/* Actions that change what the call or the process does. */
bool polc_trace_enforces(uint64_t action_mask);
bool polc_spec_enforces(const struct polc_trace_spec *spec);
bool polc_spec_has_action(const struct polc_trace_spec *spec, enum polb_trace_action action);
/* Equal for values that are read in the same way, whatever spec they are of. */
const char *polc_trace_value_key(struct polc_arena *arena, const struct polc_trace_spec *spec,
	const struct polc_trace_value *value);
/* A spec whose values are read at exactly one place. */
bool polc_spec_has_one_hook(const struct polc_trace_spec *spec);
bool polc_spec_takes_hash(const struct polc_trace_spec *spec); /* imaHash */
/* Parameters of the function that the spec's values read. */
uint32_t polc_spec_arguments(const struct polc_trace_spec *spec);

/* plan_trace_print.c: words of both ways to print a plan. */
const char *polc_mechanism_name(enum polb_mechanism mechanism);
const char *polc_string_op_name(enum polc_string_op op);
const char *polc_trace_test_name(enum polc_trace_test_kind kind);
/* Guest instructions, about. */
unsigned polc_trace_test_cost(
	const struct polc_trace_spec *spec, const struct polc_trace_test *test);
/* "file:line", "" for nowhere. */
const char *polc_span_place(struct polc *polc, struct polc_span span);

#endif
