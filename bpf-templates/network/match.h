/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Step 9, from numbers: what a class of peers may do at a port of an endpoint's table.
 *
 * The two functions with loops are global functions (5.6): the verifier checks each once, for any
 * arguments, whatever path leads to it, so their cost is a sum (class words + steps) and not a
 * product with each other and with the callers. 5.10 accepts only scalars and the context as
 * arguments.
 */
#ifndef POLT_MATCH_H
#define POLT_MATCH_H

#include "maps.h"
#include "packet.h"

/* Data that contradicts itself must not open anything. */
#define POLT_BROKEN POLT_RESULT(POLB_RULE_DEFAULT_DENY, POLB_VERDICT_DENY)

/* Not inlined: globals, see above. */
__u32 polt_match(__u32 class_id, __u32 step_id);
__u32 polt_decide(__u32 class_id, __u32 table, __u32 port_entry);

#if POLT_MAX_STEPS > 0
static __always_inline __u32 polt_count_bits(__u64 x)
{
	x -= (x >> 1) & 0x5555555555555555ull;
	x = (x & 0x3333333333333333ull) + ((x >> 2) & 0x3333333333333333ull);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (x * 0x0101010101010101ull) >> 56;
}

/* The rule of the lowest bit of `hit`. */
static __always_inline __u32 polt_step_rule(const struct polb_step_word *word, __u64 hit)
{
	__u64 below = (hit & -hit) - 1;
	__u32 *rule = polt_at(&polt_rule_ids, word->rules + polt_count_bits(word->mask & below));

	return rule ? *rule : POLB_RULE_NONE;
}

/* What a step says about a class: its action and rule, or 0. */
__noinline __u32 polt_match(__u32 class_id, __u32 step_id)
{
	struct polt_class *class = polt_at(&polt_classes, class_id);
	struct polt_step *step = polt_at(&polt_steps, step_id);

	if (!class || !step)
		return POLT_BROKEN;
	__u32 n = class->head.n;
	for (__u32 i = 0; i < POLT_CLASS_WORDS; i++) {
		/* keeps two exits: a merged bound is not constant, and 5.10 sees no end of the loop
		 */
		asm volatile("" : "+r"(n));
		if (i >= n)
			break;
		__u64 word = class->words[i].word;
		asm volatile("" : "+r"(word)); /* as in polt_port_class */
		if (word >= POLT_WORDS)
			return POLT_BROKEN;
		__u32 slot = step->slots[word];
		if (!slot)
			continue;
		struct polb_step_word *mask =
			polt_at(&polt_step_words, step->head.first_word + slot - 1);
		if (!mask)
			return POLT_BROKEN;
		__u64 hit = class->words[i].bits & mask->mask;
		if (hit)
			return POLT_RESULT(polt_step_rule(mask, hit), step->head.action);
	}
	return 0;
}

/* What the first matching step at or behind `from` says, or 0. */
static __always_inline __u32 polt_walk(__u32 class_id, const struct polb_row *row, __u32 from)
{
	__u32 n = row->n_steps, first = row->first_step;

	if (n > POLT_MAX_STEPS)
		return POLT_BROKEN;
	for (__u32 i = 0; i < POLT_MAX_STEPS; i++) {
		asm volatile("" : "+r"(n)); /* as in polt_match */
		if (from + i >= n)
			break;
		__u32 result = polt_match(class_id, first + from + i);
		if (result)
			return result;
	}
	return 0;
}

/*
 * The steps of a row. A PASS goes on behind the last PASS of its row, so there is one at most: two
 * walks instead of a loop that jumps, whose states the verifier could not merge.
 */
static __always_inline __u32 polt_steps_result(__u32 class_id, const struct polb_row *row)
{
	__u32 result = polt_walk(class_id, row, 0);

#if POLT_HAS_PASS
	if (polt_verdict(result) == POLB_VERDICT_PASS)
		result = polt_walk(class_id, row, row->pass_to);
#endif
	return polt_verdict(result) == POLB_VERDICT_PASS ? POLT_BROKEN : result;
}
#endif

static __always_inline bool polt_port_class(__u32 port_entry, __u32 *class)
{
	*class = 0;
#if POLT_HAS_PORTS
	struct polt_port_table *ports = polt_at(&polt_ports, 0);
	__u64 entry = port_entry;

	/* checked and used in one 64-bit register: 5.10 loses the bound over a 32-bit move */
	asm volatile("" : "+r"(entry));
	if (!ports || entry >= POLB_PORTS_END)
		return false;
	*class = ports->classes[entry];
	return *class < polt_port_classes;
#else
	(void)port_entry;
#endif
	return true;
}

/* Verdict (ALLOW or DENY) and rule, as POLT_RESULT. */
__noinline __u32 polt_decide(__u32 class_id, __u32 table, __u32 port_entry)
{
	__u32 port_class;

	/* an argument that nothing reads is not passed, and the verifier insists on it */
	asm volatile("" ::"r"(class_id), "r"(port_entry));
	if (!polt_port_class(port_entry, &port_class))
		return POLT_BROKEN;
	__u32 *index = polt_at(&polt_index, table * polt_port_classes + port_class);
	if (!index)
		return POLT_BROKEN;
	struct polb_row *row = polt_at(&polt_rows, *index);
	if (!row)
		return POLT_BROKEN;
#if POLT_MAX_STEPS > 0
	__u32 result = polt_steps_result(class_id, row);
	if (result)
		return result;
#endif
	return POLT_RESULT(row->default_rule, row->default_verdict);
}

#endif
