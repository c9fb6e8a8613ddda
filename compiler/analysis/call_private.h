/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A described call, understood: shared by the files that read facts (call_*.c), decide and print.
 * The engine that runs calls on compiled programs (backend/run_call.c) reads it too.
 */
#ifndef POLC_CALL_PRIVATE_H
#define POLC_CALL_PRIVATE_H

#include "../../runtime/workload.h"
#include "call.h"

enum polc_said { POLC_NOT_SAID, POLC_UNREADABLE, POLC_SAID };

struct polc_call_number {
	enum polc_said said;
	uint64_t value;
};
struct polc_call_list {
	enum polc_said said;
	POLC_VEC(uint64_t) numbers; /* or */
	polc_strings texts;
};
struct polc_call_string {
	enum polc_said said;
	struct polc_string text;
};
struct polc_call_address {
	enum polc_said said;
	struct polb_addr addr; /* as said: IPv4-mapped ones are IPv6 */
};

/* One value of one spec, as its type understands what was said. */
struct polc_call_value {
	const char *key;                     /* how it is called: its label, else its first name */
	const char *place;                   /* its first name that is no label */
	const char *given;                   /* what was said of it, as written; NULL: nothing */
	struct polc_call_number number;      /* INT (extended by its type), CAPS */
	struct polc_call_string text;        /* STRING, BYTES, PATH, UNIX; PATH "": it has none */
	struct polc_call_number mode;        /* PATH: all bits; .type says those of S_IFMT */
	struct polc_call_address address[2]; /* NET: source, destination */
	struct polc_call_number port[2];     /* NET */
	struct polc_call_number protocol, state; /* NET */
	struct polc_call_number family;          /* NET, UNIX */
};

enum polc_call_ns_kind { POLC_NS_NUMBER, POLC_NS_HOST, POLC_NS_OTHER };
struct polc_call_ns {
	enum polc_said said;
	enum polc_call_ns_kind kind;
	uint32_t number;
};

struct polc_call_process {
	bool unknown; /* there is no record of it */
	struct polc_call_string binary, parent;
	struct polc_call_list ancestors;
	struct polc_call_number pid, ns_pid;
	struct polc_call_list ancestor_pids, ancestor_ns_pids;
	struct polc_call_ns ns[POLB_N_NAMESPACES], old_ns[POLB_N_NAMESPACES];
	bool changes_said;
	uint32_t changed_ns;                                              /* bits */
	struct polc_call_number caps[POLB_N_CAPS], old_caps[POLB_N_CAPS]; /* by POLB_CAPS_* */
	bool workload_said;
	struct polb_workload workload;
};

/* A spec on the hook. */
struct polc_call_member {
	uint32_t spec, symbol;
	struct polc_call_value *values; /* one per value of the spec */
};

/* What the hook's words mean. */
enum polc_call_hook_kind {
	POLC_CALL_FUNCTION,
	POLC_CALL_SYSCALL,
	POLC_CALL_LSM,
	POLC_CALL_TRACEPOINT,
	POLC_CALL_RAW_TRACEPOINT,
	POLC_CALL_UPROBE,
	POLC_CALL_USDT,
	POLC_CALL_BARE,
};

struct polc_call {
	const char *hook; /* as written */
	enum polc_call_hook_kind kind;
	const char *name; /* behind the first word */
	const struct polc_call_fact *facts;
	size_t n_facts;
	POLC_VEC(struct polc_call_member) members; /* in order of specs */
	struct polc_call_process process;
};

/* Reading: call_hook.c, call_process.c, call_values.c, call_facts.c. */
struct polc_call_reader {
	struct polc *polc;
	const struct polc_tracing *tracing;
	const struct polc_inventory *inventory;
	struct polc_call *call;
	struct polc_span span;
	bool *used;                   /* by fact: somebody could ask for it */
	POLC_VEC(const char *) names; /* of all facts that could be given, for suggestions */
	bool failed;
};

void polc_call_complain(struct polc_call_reader *r, struct polc_span span, const char *suggestion,
	const char *fmt, ...) POLC_PRINTF(4, 5);
/* The fact of that key, marked as used; NULL. */
const struct polc_call_fact *polc_call_find(struct polc_call_reader *r, const char *key);

/* Fills kind, name and members; false when reported. */
bool polc_call_read_hook(struct polc_call_reader *r);
void polc_call_read_process(struct polc_call_reader *r);
void polc_call_read_values(struct polc_call_reader *r);

/* Parsers: call_words.c; false: it is none. */
bool polc_call_parse_integer(const char *text, uint64_t *out); /* of 64 bits, names too */
bool polc_call_parse_caps(struct polc_arena *arena, const char *text, uint64_t *out);
bool polc_call_parse_family(struct polc_arena *arena, const char *text, uint64_t *out);
bool polc_call_parse_protocol(struct polc_arena *arena, const char *text, uint64_t *out);
bool polc_call_parse_state(struct polc_arena *arena, const char *text, uint64_t *out);
bool polc_call_parse_file_type(const char *text, uint64_t *out);
bool polc_call_parse_bytes(struct polc_arena *arena, const char *text, struct polc_string *out);
const char *polc_errno_name(int error); /* "EPERM" of 1, or NULL */

/* call_tests.c: the result of a test, negation included, before onError. */
struct polc_call_judge {
	struct polc_arena *arena;
	const struct polc_tracing *tracing;
	const struct polc_call *call;
	const struct polc_call_member *member;
	const struct polc_trace_spec *spec;
	/* the result, when the call was replaced at its entry and nothing was said of it */
	bool replaced;
	int32_t error;
};
enum polc_call_truth polc_call_test(
	const struct polc_call_judge *judge, const struct polc_trace_test *test);
/* isNamespaceCapability: not in the initial user namespace. */
enum polc_call_truth polc_call_test_user_namespace(const struct polc_call_judge *judge);
/* Keys that an OPEN test asks for and that were not said. */
void polc_call_test_keys(const struct polc_call_judge *judge, const struct polc_trace_test *test,
	polc_call_keys *out);
enum polc_call_truth polc_call_workload(const struct polc_call_judge *judge, uint32_t workload);
/* ... and of the workload, when it is open. */
void polc_call_workload_keys(const struct polc_call_judge *judge, polc_call_keys *out);
bool polc_call_has_key(const polc_call_keys *keys, const char *key);
void polc_call_add_key(struct polc_arena *arena, polc_call_keys *keys, const char *key);

/* call_text.c */
const char *polc_call_test_text(
	const struct polc_call_judge *judge, const struct polc_trace_test *test);
/* call_keys.c: what was said of what it asks for; NULL: nothing */
const char *polc_call_test_value(
	const struct polc_call_judge *judge, const struct polc_trace_test *test);

#endif
