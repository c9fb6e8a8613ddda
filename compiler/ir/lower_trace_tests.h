/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the two files that lower operators on values: the table and what reads the values. */
#ifndef POLC_LOWER_TRACE_TESTS_H
#define POLC_LOWER_TRACE_TESTS_H

#include "lower_tracing.h"

struct polc_trace_operation;
struct polc_test_context {
	struct polc_trace_scope *scope;
	const struct polc_ast_filter *filter;
	const struct polc_trace_operation *operation;
	struct polc_trace_value *value; /* NULL: of an expression */
	struct polc_trace_test *test;
};
typedef bool (*polc_trace_read)(struct polc_test_context *c);

struct polc_trace_operation {
	const char *word;
	enum polc_trace_test_kind kind;
	polc_trace_read read;
	unsigned classes; /* bits of enum polb_trace_class */
	bool negate;
	bool destination;              /* addresses and ports */
	enum polc_string_op string_op; /* STRING */
	unsigned maps;                 /* POLC_MAP_* that Tetragon would use */
};

/* Read the filter's values into the test; report and return false when one is wrong. */
bool polc_trace_read_equal(struct polc_test_context *c);
bool polc_trace_read_greater(struct polc_test_context *c);
bool polc_trace_read_less(struct polc_test_context *c);
bool polc_trace_read_mask(struct polc_test_context *c);
bool polc_trace_read_ranges(struct polc_test_context *c);
bool polc_trace_read_map(struct polc_test_context *c);
bool polc_trace_read_strings(struct polc_test_context *c);
bool polc_trace_read_file_types(struct polc_test_context *c);
bool polc_trace_read_addresses(struct polc_test_context *c);
bool polc_trace_read_ports(struct polc_test_context *c);
bool polc_trace_read_privileged_ports(struct polc_test_context *c);
bool polc_trace_read_protocols(struct polc_test_context *c);
bool polc_trace_read_families(struct polc_test_context *c);
bool polc_trace_read_states(struct polc_test_context *c);

#endif
