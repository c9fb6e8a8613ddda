/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The syntax tree of what authors say about their policies: unit tests (kind PolicyTest, `test`
 * blocks) and invariants (kind PolicyAssertion, `assert` blocks). YAML and the DSL build the same
 * tree. What names mean (who, which policy) is for those who run them. Arena-owned, constant once
 * built.
 */
#ifndef POLC_TESTS_H
#define POLC_TESTS_H

#include "inventory.h"
#include "tracing.h"

#define POLC_TEST_KIND "PolicyTest"
#define POLC_ASSERTION_KIND "PolicyAssertion"
#define POLC_TEST_API "polc.dev/v1"

/* key = value: about a call; keys as in analysis/call.h. */
struct polc_ast_fact {
	struct polc_ast_text key, value;
};
typedef POLC_VEC(struct polc_ast_fact) polc_ast_facts;

/* A call: "kprobe cap_capable", and what is said about it. */
struct polc_ast_call {
	struct polc_ast_text hook;
	polc_ast_facts facts;
};

/* --- tests ---------------------------------------------------------------------------------------
 */

/* AUDIT: passes, and would be denied if policies in audit mode were enforced. */
enum polc_expected_verdict {
	POLC_EXPECT_UNSAID,
	POLC_EXPECT_ALLOW,
	POLC_EXPECT_DENY,
	POLC_EXPECT_AUDIT,
};
extern const char *const polc_expected_verdicts[]; /* their words; the first is "" */
/* Of the words "allow", "deny", "audit". */
enum polc_expected_verdict polc_expected_verdict_of(const char *word);

/* X(enumerator, word) */
#define POLC_OUTCOMES(X)                                                                           \
	X(UNSAID, "")                                                                              \
	X(NOTHING, "nothing") /* no action at all */                                               \
	X(PASSES, "passes")   /* nothing stops the call */                                         \
	X(STOPPED, "stopped")
enum polc_expected_outcome {
#define X(name, word) POLC_OUTCOME_##name,
	POLC_OUTCOMES(X)
#undef X
		POLC_N_OUTCOMES
};
extern const char *const polc_outcome_words[];

/* One question, or with several sources, destinations and ports one for each combination. */
struct polc_ast_case {
	struct polc_span span;
	struct polc_ast_text name; /* absent: what it asks */
	bool is_call;
	/* a connection */
	polc_ast_texts from, to, ports;
	enum polc_expected_verdict verdict, side[2]; /* side: by enum polc_direction */
	struct polc_ast_text rule;
	/* a call */
	struct polc_ast_call call;
	enum polc_expected_outcome outcome;
	bool actions_written;
	polc_ast_texts actions; /* as in YAML: "Sigkill" */
	struct polc_ast_number error, signal;
	struct polc_ast_text policy, selector;
};

struct polc_input;
struct polc_ast_test {
	const char *name;
	struct polc_span span, name_span;
	polc_ast_texts policies, inventories, targets; /* paths from the file's directory */
	struct polc_ast_text dialect, posture, cluster_name;
	struct polc_input *inside; /* policies, endpoints and namespaces written in the test */
	POLC_VEC(struct polc_ast_case) cases;
};
typedef POLC_VEC(struct polc_ast_test *) polc_ast_tests;

/* --- assertions ----------------------------------------------------------------------------------
 */

enum polc_claim_kind {
	POLC_CLAIM_NO_PATH,    /* no connection of these is allowed */
	POLC_CLAIM_EVERY_PATH, /* every one is allowed, or denied */
	POLC_CLAIM_NO_CALL,    /* no such call passes */
	POLC_CLAIM_EVERY_CALL, /* every one passes */
};

/*
 * Parties are peers of kind PODS (pod_selector, namespace_selector, namespace: what is NULL is not
 * asked), CIDR and ENTITY ("all": anybody).
 */
struct polc_ast_claim {
	enum polc_claim_kind kind;
	struct polc_span span;
	POLC_VEC(struct polc_ast_peer) from, to;
	POLC_VEC(struct polc_ast_port) ports, except_ports; /* ports: none means all */
	bool denied;                                        /* EVERY_PATH */
	struct polc_ast_call call;
	POLC_VEC(polc_ast_facts) excepts; /* alternatives of facts that all hold */
};

struct polc_ast_assertion {
	const char *name;
	struct polc_span span, name_span;
	POLC_VEC(struct polc_ast_claim) claims;
};
typedef POLC_VEC(struct polc_ast_assertion *) polc_ast_assertions;

/* --- readers, checks, writers --------------------------------------------------------------------
 */

void polc_parse_test(struct polc *polc, polc_ast_tests *tests, const struct polc_yaml *object);
void polc_parse_assertion(
	struct polc *polc, polc_ast_assertions *assertions, const struct polc_yaml *object);

/* For both spellings: what no single field says. */
void polc_test_check_case(struct polc *polc, const struct polc_ast_case *one);
/* Replaces an action by its word in YAML; reports one that is none. */
bool polc_test_check_action(struct polc *polc, struct polc_ast_text *action);
/* Reports a value that is none of `words` (NULL-terminated). */
bool polc_test_check_word(struct polc *polc, const struct polc_ast_text *value, const char *what,
	const char *const *words);

void polc_pol_write_test(struct polc_buf *out, const struct polc_ast_test *test);
void polc_yaml_write_test(struct polc_buf *out, const struct polc_ast_test *test);
void polc_pol_write_assertion(struct polc_buf *out, const struct polc_ast_assertion *assertion);
void polc_yaml_write_assertion(struct polc_buf *out, const struct polc_ast_assertion *assertion);

#endif
