/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The verifier's words, by patterns that are in some kernel from 5.10 on. */
#include "verify_log.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *const polc_refusal_names[POLC_N_REFUSALS] = {
#define X(name, word, text) word,
	POLC_REFUSALS(X)
#undef X
};
const char *const polc_refusal_texts[POLC_N_REFUSALS] = {
#define X(name, word, text) text,
	POLC_REFUSALS(X)
#undef X
};

/* The first one whose text is in a line says what it means. */
static const struct {
	const char *text;
	enum polc_refusal refusal;
} patterns[] = {
	{"program is too large. Processed", POLC_REFUSAL_TOO_LARGE},
	{"jump out of range", POLC_REFUSAL_JUMP},
	{"jumps is too complex", POLC_REFUSAL_TOO_COMPLEX},
	{"infinite loop detected", POLC_REFUSAL_LOOP},
	{"back-edge from insn", POLC_REFUSAL_LOOP},
	{"combined stack size of", POLC_REFUSAL_STACK},
	{"the call stack of", POLC_REFUSAL_STACK},
	{"CO-RE relocation", POLC_REFUSAL_FIELD},
	{"unknown#195896080", POLC_REFUSAL_FIELD}, /* what libbpf writes for one: 0xbad2310 */
	{"unknown func", POLC_REFUSAL_HELPER},
	{"invalid func", POLC_REFUSAL_HELPER},
	{"cannot use helper", POLC_REFUSAL_HELPER},
	{"cannot call GPL-restricted", POLC_REFUSAL_HELPER},
	{"calling kernel function", POLC_REFUSAL_HELPER},
	{"helper access to the packet", POLC_REFUSAL_HELPER},
	{"invalid access to", POLC_REFUSAL_ACCESS},
	{"invalid mem access", POLC_REFUSAL_ACCESS},
	{"invalid bpf_context access", POLC_REFUSAL_ACCESS},
	{"invalid indirect", POLC_REFUSAL_ACCESS},
	{"invalid read from stack", POLC_REFUSAL_ACCESS},
	{"invalid write to stack", POLC_REFUSAL_ACCESS},
	{"invalid stack", POLC_REFUSAL_ACCESS},
	{"invalid variable-offset", POLC_REFUSAL_ACCESS},
	{"unbounded memory access", POLC_REFUSAL_ACCESS},
	{"min value is negative", POLC_REFUSAL_ACCESS},
	{"max value is outside of", POLC_REFUSAL_ACCESS},
	{"offset is outside of the packet", POLC_REFUSAL_ACCESS},
	{"pointer arithmetic", POLC_REFUSAL_ACCESS},
	{"misaligned", POLC_REFUSAL_ACCESS},
	{"!read_ok", POLC_REFUSAL_ACCESS},
	{"type=", POLC_REFUSAL_ACCESS}, /* R1 type=scalar expected=fp */
	{"btf_vmlinux is malformed", POLC_REFUSAL_NO_BTF},
	{"kernel BTF is missing", POLC_REFUSAL_NO_BTF},
	{"in-kernel BTF is malformed", POLC_REFUSAL_NO_BTF},
	{"vmlinux BTF is not found", POLC_REFUSAL_NO_BTF},
	{"failed to find valid kernel BTF", POLC_REFUSAL_NO_BTF},
	{"nothing named", POLC_REFUSAL_TARGET},
	{"failed to find kernel BTF type ID", POLC_REFUSAL_TARGET},
	{"attach_btf_id", POLC_REFUSAL_TARGET},
	{"cannot be found", POLC_REFUSAL_TARGET}, /* The address of function f */
	{"is not modifiable", POLC_REFUSAL_TARGET},
	{"is not sleepable", POLC_REFUSAL_TARGET},
	{"is not an lsm hook", POLC_REFUSAL_TARGET},
	{"points to wrong type name", POLC_REFUSAL_TARGET},
	{"attach to unsupported member", POLC_REFUSAL_TARGET},
	{"R0 has value", POLC_REFUSAL_RETURN},
	{"the register R0 has", POLC_REFUSAL_RETURN},
	{"should have been in", POLC_REFUSAL_RETURN},
	{"Operation not permitted", POLC_REFUSAL_PERMISSION},
	{"Permission denied", POLC_REFUSAL_PERMISSION},
	{"Invalid argument", POLC_REFUSAL_UNSUPPORTED},
	{"Unknown error 524", POLC_REFUSAL_UNSUPPORTED}, /* the kernel's ENOTSUPP */
	{"Operation not supported", POLC_REFUSAL_UNSUPPORTED},
};

static bool starts(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

/* "R0=inv0 R1=ctx(id=0,off=0,imm=0) R10=fp0", "0: R1=ctx(off=0,imm=0) R10=fp0" */
static bool is_registers(const char *line)
{
	while (isdigit((unsigned char)*line))
		line++;
	while (*line == ':' || *line == ' ')
		line++;
	if (starts(line, "frame"))
		return true;
	if (line[0] != 'R' || !isdigit((unsigned char)line[1]))
		return false;
	line += strspn(line + 1, "0123456789") + 1;
	return *line == '=' || *line == '_';
}

/* "123: (79) r1 = *(u64 *)(r6 +8)": its number, or -1. */
static int64_t instruction_of(const char *line)
{
	char *end;
	long number = strtol(line, &end, 10);

	return end > line && starts(end, ": (") && isxdigit((unsigned char)end[3]) &&
			       isxdigit((unsigned char)end[4]) && end[5] == ')'
		       ? number
		       : -1;
}

static bool is_noise(const char *line)
{
	static const char *const starts_of_noise[] = {"verification time", "mark_precise", "from ",
		"last_idx", "regs=", "parent ", "propagating", "caller", "callee", "returning from",
		"to caller at", "func#", "Func#", "Validating", "max_states", "-- ", "subprog ",
		"arg#", "reg type unsupported for arg"};

	if (!*line)
		return true;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(starts_of_noise); i++)
		if (starts(line, starts_of_noise[i]))
			return true;
	return is_registers(line) || strstr(line, ": safe");
}

/* "processed 47676 insns (limit 1000000) max_states_per_insn 22 total_states 3995 peak_states 1785
 * mark_read 0" */
static void read_costs(const char *line, struct polc_verifier_log *out)
{
	unsigned long long instructions, limit;

	if (sscanf(line,
		    "processed %llu insns (limit %llu) max_states_per_insn %u total_states %u "
		    "peak_states %u",
		    &instructions, &limit, &out->states_per_instruction, &out->total_states,
		    &out->peak_states) != 5)
		return;
	out->instructions = instructions;
	out->limit = limit;
	out->has_costs = true;
}

/* "176+8+32", a number for each function; from 7.x on "max 216", what they take together. */
static void read_stack(const char *text, struct polc_verifier_log *out)
{
	out->n_frames = 0;
	while (out->n_frames < POLC_MAX_FRAMES && isdigit((unsigned char)*text)) {
		char *end;

		out->frames[out->n_frames++] = (uint32_t)strtoul(text, &end, 10);
		text = end + (*end == '+');
	}
	sscanf(text, "max %u", &out->most_stack);
}

static const char *refusal_line(const char *line, enum polc_refusal *refusal)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(patterns); i++)
		if (strstr(line, patterns[i].text)) {
			*refusal = patterns[i].refusal;
			return line;
		}
	return NULL;
}

/* "; if (!x) @ file.h:12" without its marks; kernels since 6.9 say where. */
static const char *source_of(char *line)
{
	char *at = strstr(line, " @ ");

	if (at)
		*at = '\0';
	return line + 2;
}

/* `known`: a line that says what it means has been read. */
static void read_line(char *line, struct polc_verifier_log *out, bool *known)
{
	int64_t number = instruction_of(line);

	if (number >= 0) {
		out->instruction = number;
	} else if (starts(line, "; ")) {
		out->source = source_of(line);
	} else if (starts(line, "processed ")) {
		read_costs(line, out);
	} else if (starts(line, "stack depth ")) {
		read_stack(line + strlen("stack depth "), out);
	} else if (!is_noise(line)) {
		bool knows = refusal_line(line, &out->refusal) != NULL;

		if (knows || !*known)
			out->words = line;
		*known |= knows;
	}
}

struct polc_verifier_log polc_verifier_log_parse(struct polc_arena *arena, const char *log)
{
	struct polc_verifier_log out = {
		.refusal = POLC_REFUSAL_OTHER, .words = "", .instruction = -1};
	char *rest = polc_arena_strndup(arena, log, strlen(log)), *line;
	bool known = false;

	while ((line = strsep(&rest, "\n"))) {
		/* from 7.x on the same follows at length, but for the statistics */
		if (starts(line, "Verification failed:"))
			break;
		read_line(line, &out, &known);
	}
	while (rest && (line = strsep(&rest, "\n")))
		if (starts(line, "processed "))
			read_costs(line, &out);
	return out;
}

/* ---- stack ---- */

struct depth {
	const struct polc_verifier_log *log;
	const struct polc_call *calls;
	size_t n_calls;
};

enum { MAX_NESTING = 8 }; /* of the kernel */

static uint32_t depth_from(const struct depth *d, uint32_t function, unsigned nesting)
{
	uint32_t own = d->log->frames[function] ? d->log->frames[function] : 1, deepest = 0;

	if (nesting == MAX_NESTING)
		return UINT32_MAX;
	for (size_t i = 0; i < d->n_calls; i++) {
		uint32_t below;

		if (d->calls[i].caller != function)
			continue;
		if (d->calls[i].callee >= d->log->n_frames)
			return UINT32_MAX;
		below = depth_from(d, d->calls[i].callee, nesting + 1);
		if (below == UINT32_MAX)
			return below;
		deepest = below > deepest ? below : deepest;
	}
	return deepest + (own + 31) / 32 * 32;
}

uint32_t polc_verifier_stack(
	const struct polc_verifier_log *log, const struct polc_call *calls, size_t n_calls)
{
	const struct depth d = {log, calls, n_calls};

	if (log->most_stack)
		return log->most_stack;
	return log->n_frames ? depth_from(&d, 0, 0) : 0;
}
