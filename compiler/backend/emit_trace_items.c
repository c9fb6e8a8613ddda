/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Accessors: what tests ask of values. What several tests ask is kept for the rest of the run; what
 * one test asks is not, and a plain argument is loaded again: that costs less than to keep it.
 */
#include <string.h>

#include "emit_tracing.h"

enum {
	/* each doubles the states in which the verifier meets the code behind it, but in memos */
	MAX_KEPT = 4,
	MAX_SELECTORS_WITHOUT_MEMO = 6,
};

uint32_t polc_emit_item_index(const struct polc_emitter *e, enum polc_emit_item_kind kind,
	uint32_t value, uint32_t domain)
{
	for (uint32_t i = 0; i < e->items.n; i++) {
		const struct polc_emit_item *item = &e->items.items[i];

		if (item->kind == kind && item->value == value && item->domain == domain)
			return i;
	}
	return UINT32_MAX;
}

static void count_item(
	struct polc_emitter *e, enum polc_emit_item_kind kind, uint32_t value, uint32_t domain)
{
	uint32_t i = polc_emit_item_index(e, kind, value, domain);

	if (i == UINT32_MAX) {
		*polc_vec_push(e->arena, &e->items) =
			(struct polc_emit_item){.kind = kind, .value = value, .domain = domain};
		i = (uint32_t)e->items.n - 1;
	}
	e->items.items[i].uses++;
}

static void count_selector(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_selector *s)
{
	const struct polc_trace_lookup *lookup = e->plan->lookups[s->number];

	for (size_t i = 0; i < s->tests.n; i++)
		polc_emit_test_items(e, member, &s->tests.items[i], lookup++, count_item);
	for (size_t i = 0; i < s->return_tests.n; i++)
		polc_emit_test_items(e, member, &s->return_tests.items[i], lookup++, count_item);
}

/* A number that is one load from the context. */
static bool is_cheap(const struct polc_emitter *e, const struct polc_emit_item *item)
{
	const struct polc_emit_value *v = &e->values.items[item->value];

	return item->kind == POLC_ITEM_NUMBER && !v->value->n_steps && !v->spec->syscall &&
	       v->member->kind == POLC_MEMBER_CALL &&
	       polc_trace_type_class(v->value->type) == POLB_CLASS_INT;
}

/* What is kept, and where: word 0 of a memo is the verdict's. */
static void place_items(struct polc_emitter *e)
{
	unsigned n_kept = 0;

	e->memo_words = e->has_memo;
	for (uint32_t i = 0; i < e->items.n; i++) {
		struct polc_emit_item *item = &e->items.items[i];
		bool is_net = item->kind == POLC_ITEM_NET;

		item->kept = is_net || (item->uses > 1 && !is_cheap(e, item) &&
					       (e->has_memo || n_kept < MAX_KEPT));
		n_kept += item->kept && !is_net;
		item->word = e->memo_words;
		if (e->has_memo && item->kept)
			e->memo_words += is_net ? 1 : 2;
	}
}

void polc_emit_collect_items(struct polc_emitter *e)
{
	size_t n_selectors = 0;

	for (uint32_t i = 0; i < e->hook->n_members; i++) {
		const struct polc_trace_member *member = &e->hook->members[i];
		const struct polc_trace_spec *spec = polc_emit_spec(e, member);

		n_selectors += spec->selectors.n;
		for (size_t j = 0; j < spec->selectors.n; j++)
			count_selector(e, member, &spec->selectors.items[j]);
	}
	e->has_memo = n_selectors > MAX_SELECTORS_WITHOUT_MEMO;
	place_items(e);
}

uint32_t polc_emit_memo_words(const struct polc_tracing_plan *plan,
	const struct polc_trace_hook *hook, struct polc_arena *arena)
{
	struct polc_emitter e = {.arena = arena, .plan = plan, .hook = hook};

	polc_emit_collect_values(&e);
	polc_emit_collect_items(&e);
	return e.memo_words;
}

/* The variables of a kept item. */
static const char *state_of(const struct polc_emitter *e, uint32_t index)
{
	if (e->has_memo)
		return polc_arena_printf(
			e->arena, "h->memo->words[%u]", e->items.items[index].word);
	return polc_arena_printf(e->arena, "h->state%u", index);
}

static const char *value_of(const struct polc_emitter *e, uint32_t index)
{
	if (e->has_memo)
		return polc_arena_printf(
			e->arena, "h->memo->words[%u]", e->items.items[index].word + 1);
	return polc_arena_printf(e->arena, "h->value%u", index);
}

/* ---- what each computes ---- */

static void emit_words(struct polc_buf *out, const char *name, const uint64_t *words, uint32_t n)
{
	bool any = false;

	for (uint32_t i = 0; i < n; i++)
		any |= words[i] != 0;
	if (!any)
		return;
	polc_buf_printf(out, ", .%s = {", name);
	for (uint32_t i = 0; i < n; i++)
		polc_buf_printf(out, "%s0x%llxull", i ? ", " : "", (unsigned long long)words[i]);
	polc_buf_puts(out, "}");
}

void polc_emit_domain(struct polc_buf *out, const struct polc_string_domain *d)
{
	polc_buf_printf(out,
		"{.id = %u, .equal = %d, .prefix = %d, "
		".postfix = %d, .automaton = %u, .folded = %u",
		d->id, d->equal, d->prefix, d->postfix, d->automaton, d->folded);
	if (d->leaf_only) {
		polc_buf_puts(out, ", .leaf_only = true");
		emit_words(out, "leaf_lengths", d->leaf_lengths, 4);
	}
	if (d->n_tails) {
		polc_buf_printf(out, ", .n_tails = %u", d->n_tails);
		emit_words(out, "tails", d->tails, d->n_tails);
		emit_words(out, "tail_masks", d->tail_masks, d->n_tails);
	}
	if (d->n_roots) {
		polc_buf_printf(out, ", .n_roots = %u", d->n_roots);
		emit_words(out, "roots", d->roots, d->n_roots);
		emit_words(out, "root_masks", d->root_masks, d->n_roots);
	}
	polc_buf_puts(out, "}");
}

static void emit_domain(struct polc_emitter *e, uint32_t id)
{
	polc_buf_puts(e->out, "\tconst struct polt_domain domain = ");
	polc_emit_domain(e->out, &e->plan->domains[id]);
	polc_buf_puts(e->out, ";\n");
}

static void emit_path_bits(struct polc_emitter *e, const struct polc_emit_item *item)
{
	const struct polc_trace_value *value = e->values.items[item->value].value;

	emit_domain(e, item->domain);
	polc_buf_printf(e->out,
		"\tstruct polt_path path;\n\n"
		"\tif (polt_h%u_p%u(ctx, how, parameters, &path))\n"
		"\t\tstate = polt_judge_path(&h->call, &path, %s, &domain, &value);\n",
		e->hook->number, item->value,
		polc_emit_is_typed(value) ? "polt_is_btf(how)" : "false");
}

static void emit_text_bits(struct polc_emitter *e, const struct polc_emit_item *item)
{
	bool is_unix =
		polc_trace_type_class(e->values.items[item->value].value->type) == POLB_CLASS_UNIX;

	emit_domain(e, item->domain);
	polc_buf_printf(e->out,
		"\tstruct polt_scratch *s = polt_need_scratch(&h->call);\n"
		"\tstruct polt_unix un = {};\n\n"
		"\tif (s) {\n"
		"\t\tint size = polt_h%u_t%u(ctx, how, parameters, s, &un);\n"
		"\t\tif (size >= 0%s) {\n"
		"\t\t\tvalue = polt_classify(s, POLT_TEXT, size, &domain);\n"
		"\t\t\tstate = 1;\n\t\t}\n\t}\n",
		e->hook->number, item->value, is_unix ? " && un.family == POLT_AF_UNIX" : "");
}

static void emit_compute(struct polc_emitter *e, const struct polc_emit_item *item)
{
	const struct polc_trace_value *value = e->values.items[item->value].value;
	unsigned h = e->hook->number;

	switch (item->kind) {
	case POLC_ITEM_NUMBER:
		polc_buf_printf(e->out,
			"\tif (polt_h%u_n%u(ctx, how, parameters, &value))\n\t\tstate = 1;\n", h,
			item->value);
		return;
	case POLC_ITEM_BITS:
		if (polc_trace_type_class(value->type) == POLB_CLASS_PATH)
			emit_path_bits(e, item);
		else
			emit_text_bits(e, item);
		return;
	case POLC_ITEM_MODE:
		polc_buf_printf(e->out,
			"\tstruct polt_path path;\n\n"
			"\tif (polt_h%u_p%u(ctx, how, parameters, &path))\n"
			"\t\tvalue = polt_path_mode(&path) & 0170000;\n"
			"\tif (value)\n\t\tstate = 1;\n",
			h, item->value);
		return;
	case POLC_ITEM_FAMILY:
		polc_buf_printf(e->out,
			"\tstruct polt_scratch *s = polt_need_scratch(&h->call);\n"
			"\tstruct polt_unix un = {};\n\n"
			"\tif (s && polt_h%u_t%u(ctx, how, parameters, s, &un) >= 0) {\n"
			"\t\tvalue = un.family;\n\t\tstate = 1;\n\t}\n",
			h, item->value);
		return;
	case POLC_ITEM_NET:
		break;
	}
	POLC_BUG("unknown item %d", (int)item->kind);
}

/* "int polt_h4_i2(..., h, &value)": 1 or -1. */
static void emit_item(struct polc_emitter *e, uint32_t index, const struct polc_emit_item *item)
{
	unsigned h = e->hook->number;

	polc_buf_printf(e->out,
		"static __always_inline int polt_h%u_i%u(" POLC_EMIT_CONTEXT
		", struct polt_h%u *h, __u64 *out)\n{\n\t__u64 value = 0;\n\tint state = -1;\n\n",
		h, index, h);
	if (item->kept)
		polc_buf_printf(e->out, "\tif (%s) {\n\t\t*out = %s;\n\t\treturn (int)%s;\n\t}\n",
			state_of(e, index), value_of(e, index), state_of(e, index));
	emit_compute(e, item);
	polc_buf_puts(e->out, "\t*out = value;\n");
	if (item->kept)
		polc_buf_printf(e->out, "\t%s = state;\n\t%s = value;\n", state_of(e, index),
			value_of(e, index));
	polc_buf_puts(e->out, "\treturn state;\n}\n");
}

/* "struct polb_payload_net *polt_h4_i2(..., h)": NULL when unreadable. */
static void emit_net(struct polc_emitter *e, uint32_t index, const struct polc_emit_item *item)
{
	const struct polc_trace_value *value = e->values.items[item->value].value;
	const char *state = state_of(e, index);
	unsigned h = e->hook->number;

	polc_buf_printf(e->out,
		"static __always_inline const struct polb_payload_net "
		"*polt_h%u_i%u(" POLC_EMIT_CONTEXT ", struct polt_h%u *h)\n{\n\t__u64 raw = 0;\n\n"
		"\tif (!%s)\n\t\t%s = polt_h%u_v%u(ctx, how, parameters, &raw) && "
		"polt_net_%s(h->net%u, raw%s) ? 1 : -1;\n"
		"\treturn (int)%s > 0 ? h->net%u : NULL;\n}\n",
		h, index, h, state, state, h, item->value, polc_trace_type_name(value->type), index,
		value->type == POLB_TYPE_SOCKADDR ? value->user_memory ? ", true" : ", false" : "",
		state, index);
}

/* The state of a run of this hook's programs. */
static void emit_state(struct polc_emitter *e)
{
	polc_buf_printf(e->out, "\nstruct polt_h%u {\n\tstruct polt_call call;\n%s",
		e->hook->number, e->has_memo ? "\tstruct polt_memo *memo;\n" : "");
	for (uint32_t i = 0; i < e->items.n; i++) {
		const struct polc_emit_item *item = &e->items.items[i];

		if (item->kind == POLC_ITEM_NET)
			polc_buf_printf(e->out, "\tstruct polb_payload_net *net%u;\n", i);
		else if (item->kept && !e->has_memo)
			polc_buf_printf(e->out, "\t__u64 value%u;\n", i);
		if (item->kept && !e->has_memo)
			polc_buf_printf(e->out, "\tint state%u;\n", i);
	}
	polc_buf_puts(e->out, "};\n");
}

void polc_emit_items(struct polc_emitter *e)
{
	emit_state(e);
	for (uint32_t i = 0; i < e->items.n; i++)
		if (e->items.items[i].kind == POLC_ITEM_NET)
			emit_net(e, i, &e->items.items[i]);
		else
			emit_item(e, i, &e->items.items[i]);
}
