/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Between the files of `polc test`; private to them. */
#ifndef POLC_TEST_H
#define POLC_TEST_H

#include "../backend/run.h"
#include "flow.h"

enum polc_test_engine { POLC_TEST_EVAL, POLC_TEST_BPF };
enum polc_test_format { POLC_TEST_TEXT, POLC_TEST_JSON, POLC_TEST_JUNIT };
enum polc_coverage_format { POLC_COVERAGE_TEXT, POLC_COVERAGE_JSON, POLC_COVERAGE_LCOV };
/* ERROR: it could not be asked. */
enum polc_test_status { POLC_TEST_PASSED, POLC_TEST_FAILED, POLC_TEST_ERROR };

/* What a test is asked about: policies and inventory, loaded once for all tests that want them. */
struct polc_test_world {
	polc_text_list inventories, policies, targets;
	unsigned dialect, posture;
	const char *cluster_name;
	const struct polc_input *inside;
	int exit_code;
	struct polc_input input;
	const struct polc_network *network;
	const struct polc_identities *identities;
	struct polc_tracing_options tracing_options;
	const struct polc_tracing *tracing;
	const char **rule_texts;
	struct polc_run *run; /* of the engine bpf */
	bool run_failed;
	unsigned *rule_hits, *selector_hits, *spec_hits; /* by index, number, index */
};

/* One question and what came of it. */
struct polc_test_result {
	const struct polc_ast_test *test;
	struct polc_span span;
	const char *name;
	enum polc_test_status status;
	const char *expected, *actual, *rule;
	polc_text_list details; /* how it was decided, line by line */
};

struct polc_test_run {
	struct polc_cmd cmd;
	unsigned engine, coverage_format;
	bool verbose;
	const char *filter, *coverage, *min_coverage;
	/* what the command line says; cmd is that of the world in hand */
	polc_ast_tests tests;
	polc_text_list operands, inventories, targets;
	unsigned dialect, posture;
	const char *cluster_name;
	bool policies_given; /* some operand holds policies */
	POLC_VEC(struct polc_test_world *) worlds;
	POLC_VEC(struct polc_test_result) results;
	unsigned n[3];     /* by status */
	size_t n_reported; /* diagnostics before the question in hand */
	bool environment;  /* something of the environment was missing: exit 3 */
};

/* test_world.c: the world of a test, made the one of run->cmd; NULL (reported): unusable. */
struct polc_test_world *polc_test_enter(
	struct polc_test_run *run, const struct polc_ast_test *test);
void polc_test_free_worlds(struct polc_test_run *run);

/* A result is begun with its name, and ended; what is reported in between makes it an ERROR. */
struct polc_test_result *polc_test_begin(struct polc_test_run *run,
	const struct polc_ast_test *test, const struct polc_ast_case *one, const char *question);
bool polc_test_wanted(
	const struct polc_test_run *run, const struct polc_ast_test *test, const char *name);

/* test_network.c, test_call.c: all questions of a case. */
void polc_test_connections(struct polc_test_run *run, struct polc_test_world *world,
	const struct polc_ast_test *test, const struct polc_ast_case *one);
void polc_test_call(struct polc_test_run *run, struct polc_test_world *world,
	const struct polc_ast_test *test, const struct polc_ast_case *one);

/*
 * Ends a question: as expected, or with a report at its place and up to two related places (of
 * source 0: none).
 */
void polc_test_pass(struct polc_test_run *run, struct polc_test_result *result);
struct polc_diagnostic *polc_test_fail(struct polc_test_run *run, struct polc_test_result *result);
void polc_test_error(struct polc_test_run *run, struct polc_test_result *result, const char *why);
const char *polc_test_place(struct polc_test_run *run, struct polc_span span); /* "file:line" */

/* test_coverage.c */
struct polc_covered { /* a rule, a selector, or a hook without selectors */
	struct polc_span span;
	const char *file;
	unsigned line, column, hits;
	const char *kind, *policy;
};
struct polc_coverage {
	POLC_VEC(struct polc_covered) items; /* by place */
	size_t n_covered;
};
void polc_test_coverage(struct polc_test_run *run, struct polc_coverage *out);
double polc_coverage_percent(const struct polc_coverage *coverage);
void polc_coverage_print(const struct polc_coverage *coverage, enum polc_coverage_format format,
	struct polc_buf *out);
void polc_coverage_json(const struct polc_coverage *coverage, struct polc_buf *out);

/* test_print.c: `coverage` may be NULL. */
void polc_test_print(struct polc_test_run *run, enum polc_test_format format,
	const struct polc_coverage *coverage, struct polc_buf *out);

#endif
