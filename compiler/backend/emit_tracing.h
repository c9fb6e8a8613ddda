/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Between the files that print polc_tracing.h. Per hook, in this order: a reader per value (v),
 * accessors of what tests ask of values (i), a function per selector (s) and per member's call (m),
 * capture (c) and return (r, x), the judge, the programs.
 */
#ifndef POLC_EMIT_TRACING_H
#define POLC_EMIT_TRACING_H

#include "plan_tracing_internal.h"

/* A value of the hook: those of several specs that are read alike are one. */
struct polc_emit_value {
	const char *key;
	const struct polc_trace_spec *spec;
	const struct polc_trace_value *value;
	const struct polc_trace_member *member;
};

/* What tests ask of a value; kept for the run when more than one asks. */
enum polc_emit_item_kind {
	POLC_ITEM_NUMBER, /* INT, CAPS: 64 bits */
	POLC_ITEM_BITS,   /* of a string domain */
	POLC_ITEM_MODE,   /* PATH: the inode's */
	POLC_ITEM_NET,    /* NET: the structure, always kept */
	POLC_ITEM_FAMILY, /* UNIX */
};
struct polc_emit_item {
	enum polc_emit_item_kind kind;
	uint32_t value, domain;
	unsigned uses;
	bool kept;
	uint32_t word; /* in the memo: state, and behind it the value */
};

struct polc_emitter {
	struct polc_buf *out;
	struct polc_arena *arena;
	const struct polc_tracing_plan *plan;
	const struct polc_trace_hook *hook;
	POLC_VEC(struct polc_emit_value) values;
	POLC_VEC(struct polc_emit_item) items;
	/* so many selectors that what is kept is in polt_memos; then words of it, the verdict's
	 * included */
	bool has_memo;
	uint32_t memo_words;
	bool has_socks; /* some selector tracks socks: events ask for whom */
	bool described; /* programs are those that are run on described calls */
};

#define POLC_EMIT_CONTEXT "void *ctx, const int how, const int parameters"

const struct polc_trace_spec *polc_emit_spec(
	const struct polc_emitter *e, const struct polc_trace_member *member);
uint32_t polc_emit_usdt(const struct polc_emitter *e);
/* Some event of the hook takes the hash of a file (imaHash). */
bool polc_emit_takes_hash(const struct polc_emitter *e);

/* emit_trace_values.c */
void polc_emit_collect_values(struct polc_emitter *e);
void polc_emit_values(struct polc_emitter *e);
uint32_t polc_emit_value_index(
	const struct polc_emitter *e, const struct polc_trace_member *member, uint32_t value);
bool polc_emit_value_is_text(const struct polc_trace_value *value);
/* A fixed array of a tracepoint's record: there is no pointer to read. */
bool polc_emit_reads_array(const struct polc_trace_value *value);
/* "polt_text_...()" over the variables s, raw, size, total, un. */
const char *polc_emit_text_call(struct polc_emitter *e, const struct polc_trace_value *value);
/* polt_h4_z1() says how many bytes are to be read. */
bool polc_emit_has_size(const struct polc_trace_value *value);
/* In BTF programs it is a pointer to the structure of its type. */
bool polc_emit_is_typed(const struct polc_trace_value *value);
/* polt_path_of_<this>() */
const char *polc_emit_path_reader(uint8_t type);

/* emit_trace_items.c */
void polc_emit_collect_items(struct polc_emitter *e);
void polc_emit_items(struct polc_emitter *e);
/* Words of polt_memos that the hook uses, 0: none. */
uint32_t polc_emit_memo_words(const struct polc_tracing_plan *plan,
	const struct polc_trace_hook *hook, struct polc_arena *arena);
uint32_t polc_emit_item_index(const struct polc_emitter *e, enum polc_emit_item_kind kind,
	uint32_t value, uint32_t domain);

/* The initialiser of a struct polt_domain. */
void polc_emit_domain(struct polc_buf *out, const struct polc_string_domain *domain);

/* emit_trace_tests.c: "static bool polt_h4_s7(ctx, how, parameters, h)", and _q7 for the return. */
void polc_emit_selector(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_selector *selector);
/* Items that a test asks for; calls `each` with them. */
void polc_emit_test_items(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_test *test, const struct polc_trace_lookup *lookup,
	void (*each)(struct polc_emitter *e, enum polc_emit_item_kind kind, uint32_t value,
		uint32_t domain));

/* emit_trace_actions.c: the actions of a selector as statements over outcome and posting. */
void polc_emit_actions(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_selector *selector, bool at_return);

/* emit_trace_events.c: capture (c), return values (r), sending (f) of a member. */
void polc_emit_event_functions(struct polc_emitter *e, const struct polc_trace_member *member);
uint32_t polc_emit_member_index(
	const struct polc_emitter *e, const struct polc_trace_member *member);
/* Values of a spec that are captured into DATA events. */
uint32_t polc_emit_n_data(const struct polc_trace_spec *spec);

/* emit_trace_members.c: judging (m), return (y, x) of a member. */
void polc_emit_member(struct polc_emitter *e, const struct polc_trace_member *member);
bool polc_emit_hook_is_split(const struct polc_trace_hook *hook);

#endif
