/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a verifier says of one program, from the kernels 5.10 to 7.x: what it cost and, when it was
 * refused, why. Reads text; knows no bundle.
 */
#ifndef POLC_VERIFY_LOG_H
#define POLC_VERIFY_LOG_H

#include "../base/base.h"

/* X(NAME, "name", "plain words") */
#define POLC_REFUSALS(X)                                                                           \
	X(TOO_LARGE, "too-large",                                                                  \
		"the verifier gives up: it would have to look at too many "                        \
		"instructions")                                                                    \
	X(JUMP, "jump", "a jump in it is longer than programs may jump (32767 instructions)")      \
	X(TOO_COMPLEX, "too-complex", "the verifier gives up: too many branches in a row")         \
	X(LOOP, "loop", "the verifier sees no end of a loop")                                      \
	X(STACK, "stack", "its calls need more stack than programs may have (512 bytes)")          \
	X(ACCESS, "access", "it reads or writes memory that the verifier cannot prove to be safe") \
	X(HELPER, "helper",                                                                        \
		"it calls a function that this kernel does not have, or not for "                  \
		"programs of this kind")                                                           \
	X(FIELD, "field", "it needs a struct, member or value that this kernel does not have")     \
	X(NO_BTF, "no-btf", "this kernel has no type information (CONFIG_DEBUG_INFO_BTF)")         \
	X(TARGET, "target", "this kernel has nothing to attach it to")                             \
	X(RETURN, "return", "it may return a value that this hook does not allow")                 \
	X(PERMISSION, "permission",                                                                \
		"this kernel does not permit it (rights, lockdown, or built "                      \
		"without)")                                                                        \
	X(UNSUPPORTED, "unsupported", "this kernel does not know programs of this kind")           \
	X(OTHER, "other", "the verifier refuses it")

enum polc_refusal {
#define X(name, word, text) POLC_REFUSAL_##name,
	POLC_REFUSALS(X)
#undef X
		POLC_N_REFUSALS
};
extern const char *const polc_refusal_names[POLC_N_REFUSALS];
extern const char *const polc_refusal_texts[POLC_N_REFUSALS];

#define POLC_MAX_FRAMES 256 /* functions of a program that the kernel takes */

struct polc_verifier_log {
	bool has_costs; /* the verifier ran: the numbers are known */
	uint64_t instructions, limit;
	uint32_t states_per_instruction, total_states, peak_states;
	uint32_t frames[POLC_MAX_FRAMES]; /* stack bytes of the program's functions */
	uint32_t n_frames;
	uint32_t most_stack; /* of the deepest chain of calls; 0: not told (before 7.x) */
	/* of a refused program */
	enum polc_refusal refusal;
	const char *words;   /* its own line, "" when it has said nothing */
	const char *source;  /* line of C where it was, or NULL */
	int64_t instruction; /* where, or -1 */
};

/* Texts are the arena's. */
struct polc_verifier_log polc_verifier_log_parse(struct polc_arena *arena, const char *log);

struct polc_call {
	uint32_t caller, callee; /* numbers of functions; 0 is the program itself */
};
/*
 * Bytes of stack that the deepest chain of calls takes, as the kernel counts (each function's
 * rounded up to 32). UINT32_MAX when it has no end or names functions that are not there.
 */
uint32_t polc_verifier_stack(
	const struct polc_verifier_log *log, const struct polc_call *calls, size_t n_calls);

#endif
