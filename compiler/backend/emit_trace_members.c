/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A member of a hook is one spec there: whether the call is its own, which of its selectors holds
 * first, what that one does, and its event. At a hook with separate programs for entry and return
 * the event waits in polt_pending in between.
 */
#include "emit_tracing.h"

bool polc_emit_hook_is_split(const struct polc_trace_hook *hook)
{
	for (uint32_t i = 0; i < hook->n_alternatives; i++)
		for (uint32_t j = 0; j < hook->alternatives[i].n_programs; j++) {
			const struct polc_trace_program *p = &hook->alternatives[i].programs[j];

			if (p->exit && !p->entry)
				return true;
		}
	return false;
}

/* ---- is this call the member's own? ---- */

static void emit_call_table(struct polc_emitter *e, const struct polc_trace_spec *spec,
	uint32_t index, enum polc_abi abi, const char *suffix)
{
	polc_buf_printf(e->out, "static const __u16 polt_h%u_calls%u%s[512] = {", e->hook->number,
		index, suffix);
	for (uint32_t i = 0; i < spec->symbols.n; i++) {
		const struct polc_trace_symbol *s = &spec->symbols.items[i];

		if (!s->missing && s->syscall.abi == abi && s->syscall.number < 512)
			polc_buf_printf(e->out, "%s[%u] = %u,", i % 8 ? " " : "\n\t",
				s->syscall.number, i + 1);
	}
	polc_buf_puts(e->out, "};\n");
}

static bool has_abi(const struct polc_trace_spec *spec, enum polc_abi abi)
{
	for (uint32_t i = 0; i < spec->symbols.n; i++)
		if (!spec->symbols.items[i].missing && spec->symbols.items[i].syscall.abi == abi)
			return true;
	return false;
}

/* "__u32 polt_h4_l0(ctx)": position in the list, from 1; 0: not in it. */
static void emit_list(struct polc_emitter *e, const struct polc_trace_member *member)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);
	uint32_t index = polc_emit_member_index(e, member);
	unsigned h = e->hook->number;
	bool compat = has_abi(spec, POLC_ABI_I386);

	emit_call_table(e, spec, index, POLC_ABI_X64, "");
	if (compat)
		emit_call_table(e, spec, index, POLC_ABI_I386, "_compat");
	polc_buf_printf(e->out,
		"static __always_inline __u32 polt_h%u_l%u(void *ctx)\n{\n"
		"\t__u64 number = polt_context_word(ctx, 8);\n\n"
		"\tif (number >= 512)\n\t\treturn 0;\n",
		h, index);
	if (compat)
		polc_buf_printf(e->out,
			"\tif (polt_h%u_calls%u_compat[number] && polt_call_abi() == "
			"POLT_ABI_COMPAT)\n\t\treturn polt_h%u_calls%u_compat[number];\n",
			h, index, h, index);
	polc_buf_printf(e->out,
		"\tif (!polt_h%u_calls%u[number] || polt_call_abi() == POLT_ABI_COMPAT)\n"
		"\t\treturn 0;\n\treturn polt_h%u_calls%u[number];\n}\n",
		h, index, h, index);
}

static void emit_guard(struct polc_emitter *e, const struct polc_trace_member *member)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);
	const struct polc_trace_policy *policy = &e->plan->tracing->policies[spec->policy];

	switch (member->kind) {
	case POLC_MEMBER_CALL:
	case POLC_MEMBER_RAW_SYSCALLS:
		break;
	case POLC_MEMBER_LIST:
		polc_buf_printf(e->out, "\tif (!polt_h%u_l%u(ctx))\n\t\treturn;\n", e->hook->number,
			polc_emit_member_index(e, member));
		break;
	case POLC_MEMBER_SYSCALL:
		polc_buf_printf(e->out, "\tif (!polt_%s(ctx, %u))\n\t\treturn;\n",
			e->hook->symbol[4] == 'e' && e->hook->symbol[5] == 'n' ? "is_entering"
									       : "is_leaving",
			member->number);
		break;
	}
	if (policy->has_workload)
		polc_buf_printf(e->out,
			"\tif (!polt_judge_workload(&h->call, %u, %u))\n\t\treturn;\n",
			policy->workload / 64, policy->workload % 64);
}

/* ---- selectors in order ---- */

static void emit_choice(struct polc_emitter *e, const struct polc_trace_member *member)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);

	polc_buf_puts(e->out, "\t__u32 selector = POLT_NO_SELECTOR;\n");
	for (size_t i = 0; i < spec->selectors.n; i++) {
		const struct polc_trace_selector *s = &spec->selectors.items[i];

		polc_buf_printf(e->out,
			"%s (polt_h%u_s%u_%u(ctx, how, parameters, h)) {\n\t\tselector = %u;\n"
			"\t\tpolt_count(%u, matched);\n",
			i ? " else if" : "\tif", e->hook->number, s->number,
			polc_emit_member_index(e, member), s->number, s->number);
		polc_emit_actions(e, member, s, false);
		polc_buf_puts(e->out, "\t}");
	}
	if (spec->selectors.n)
		polc_buf_puts(e->out, " else {\n\t\treturn;\n\t}\n");
	if (!spec->selectors.n)
		polc_buf_puts(e->out, "\tpolt_count(selector, matched);\n");
	polc_buf_puts(e->out, "\tpolt_take_verdict(&h->call, outcome, selector);\n");
}

static bool has_return_work(const struct polc_trace_spec *spec)
{
	for (size_t i = 0; i < spec->selectors.n; i++)
		if (spec->selectors.items[i].return_tests.n ||
			spec->selectors.items[i].return_actions.n)
			return true;
	return false;
}

static void emit_return_sock(struct polc_emitter *e, const struct polc_trace_member *member)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);

	if (!spec->has_return_value || (spec->return_arg_action != POLB_ACTION_TRACK_SOCK &&
					       spec->return_arg_action != POLB_ACTION_UNTRACK_SOCK))
		return;
	uint32_t value = (uint32_t)spec->values.n - 1;
	uint8_t type = spec->values.items[value].type;
	polc_buf_printf(e->out,
		"\t__u64 raw = 0;\n\tif (polt_h%u_v%u(ctx, how, parameters, &raw))\n\t\t",
		e->hook->number, polc_emit_value_index(e, member, value));
	if (spec->return_arg_action == POLB_ACTION_TRACK_SOCK)
		polc_buf_printf(e->out,
			"polt_judge_track(&h->call, outcome, selector, polt_sock_of(raw, %u));\n",
			type);
	else
		polc_buf_printf(
			e->out, "polt_act_untrack(outcome, polt_sock_of(raw, %u));\n", type);
}

static void emit_return_choice(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_selector *s)
{
	unsigned h = e->hook->number, m = polc_emit_member_index(e, member);

	if (!s->return_tests.n && !s->return_actions.n)
		return;
	polc_buf_printf(e->out, "\tif (selector == %u) {\n", s->number);
	if (s->return_tests.n)
		polc_buf_printf(e->out,
			"\t\tif (!polt_h%u_q%u_%u(ctx, how, parameters, h))\n\t\t\treturn false;\n",
			h, s->number, m);
	polc_emit_actions(e, member, s, true);
	polc_buf_puts(e->out, "\t}\n");
}

/* "bool polt_h4_y0(..., selector, outcome, posting)": the return is what its selector wants. */
static void emit_return_judge(struct polc_emitter *e, const struct polc_trace_member *member)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);

	polc_buf_printf(e->out,
		"static __always_inline bool polt_h%u_y%u(" POLC_EMIT_CONTEXT
		",\n\tstruct polt_h%u *h, __u32 selector, struct polt_outcome *outcome, "
		"struct polt_posting *posting)\n{\n",
		e->hook->number, polc_emit_member_index(e, member), e->hook->number);
	emit_return_sock(e, member);
	for (size_t i = 0; has_return_work(spec) && i < spec->selectors.n; i++)
		emit_return_choice(e, member, &spec->selectors.items[i]);
	polc_buf_puts(e->out, "\treturn true;\n}\n");
}

/* ---- events ---- */

/* The event tells what the socket's owner did, when some policy tracks sockets. */
static void emit_attribution(struct polc_emitter *e, const struct polc_trace_member *member)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);

	for (uint32_t i = 0; e->has_socks && i < spec->values.n; i++) {
		const struct polc_trace_value *v = &spec->values.items[i];

		if ((v->type != POLB_TYPE_SOCK && v->type != POLB_TYPE_SOCKET &&
			    v->type != POLB_TYPE_SKB) ||
			v->return_copy || v->origin == POLC_ORIGIN_RESULT)
			continue;
		polc_buf_printf(e->out,
			"\t{\n\t\t__u64 raw = 0;\n\t\tif (polt_h%u_v%u(ctx, how, parameters, "
			"&raw))\n"
			"\t\t\tpolt_event_attribute(s, polt_sock_of(raw, %u));\n\t}\n",
			e->hook->number, polc_emit_value_index(e, member, i), v->type);
		return;
	}
}

static void emit_locals(struct polc_emitter *e, const struct polc_trace_spec *spec)
{
	uint32_t n = polc_emit_n_data(spec);

	polc_buf_puts(e->out, "\tstruct polt_kept kept = {};\n");
	if (!n)
		polc_buf_puts(e->out, "\tstruct polt_captured *data = NULL;\n");
	else
		polc_buf_printf(e->out, "\tstruct polt_captured data[%u] = {", n);
	for (uint32_t i = 0; i < n; i++)
		polc_buf_puts(e->out, i ? ", {.entry = ~0u}" : "{.entry = ~0u}");
	polc_buf_puts(e->out, n ? "};\n" : "");
}

static void emit_function(struct polc_emitter *e, const struct polc_trace_member *member)
{
	unsigned h = e->hook->number, m = polc_emit_member_index(e, member);

	if (member->kind == POLC_MEMBER_LIST)
		polc_buf_printf(e->out, "\ts->event.function = polt_h%u_l%u(ctx) - 1;\n", h, m);
	else if (member->symbol)
		polc_buf_printf(e->out, "\ts->event.function = %u;\n", member->symbol);
	if (e->hook->family == POLC_HOOK_UPROBE || e->hook->family == POLC_HOOK_USDT)
		polc_buf_puts(e->out, "\ts->event.instruction = polt_instruction(ctx, how);\n");
}

/* The event waits for the return; what of it is too long for one event goes ahead. */
static void emit_wait(struct polc_emitter *e, const struct polc_trace_member *member)
{
	uint32_t n = polc_emit_n_data(polc_emit_spec(e, member));

	polc_buf_puts(e->out, "\tif (!whole) {\n");
	for (uint32_t i = 0; i < n; i++)
		polc_buf_printf(
			e->out, "\t\tdata[%u].id = polt_data_begin(s, data[%u].entry);\n", i, i);
	polc_buf_printf(e->out, "\t\tbool saved = polt_pending_save(s, %u, %u, &kept);\n",
		e->hook->number, member->spec);
	for (uint32_t i = 0; i < n; i++)
		polc_buf_printf(e->out,
			"\t\tif (saved)\n\t\t\tpolt_data_send(s, data[%u].id, selector, "
			"&data[%u].source);\n",
			i, i);
	polc_buf_puts(e->out, "\t\t(void)saved;\n\t\treturn;\n\t}\n");
}

static void emit_return_part(
	struct polc_emitter *e, const struct polc_trace_member *member, const char *outcome)
{
	unsigned h = e->hook->number, m = polc_emit_member_index(e, member);

	polc_buf_printf(e->out,
		"\ts->event.returned = 1;\n\ts->event.return_selector = selector;\n"
		"\tpolt_event_outcome(s, %s, true);\n"
		"\tpolt_h%u_r%u(ctx, how, parameters, h, s, &kept, data);\n",
		outcome, h, m);
}

/* "void polt_h4_e0(..., whole, h, selector, outcome, after, posting)" */
static void emit_event(struct polc_emitter *e, const struct polc_trace_member *member, bool split)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);
	unsigned h = e->hook->number, m = polc_emit_member_index(e, member);

	polc_buf_printf(e->out,
		"static __always_inline void polt_h%u_e%u(" POLC_EMIT_CONTEXT
		", const bool whole,\n\tstruct polt_h%u *h, __u32 selector, const struct "
		"polt_outcome *outcome,\n\tconst struct polt_outcome *after, const struct "
		"polt_posting *posting)\n{\n",
		h, m, h);
	if (polc_emit_takes_hash(e))
		polc_buf_printf(e->out, "\tif (polt_hash_is_being_made(%u))\n\t\treturn;\n", h);
	emit_locals(e, spec);
	polc_buf_printf(e->out,
		"\tstruct polt_scratch *s = polt_need_scratch(&h->call);\n\n"
		"\tif (!s) {\n\t\tpolt_count(selector, unreadable);\n\t\treturn;\n\t}\n"
		"\tselector = polt_forget_selector(s, selector);\n"
		"\tif (!polt_event_begin(s, polt_need_record(&h->call), %u, selector))\n"
		"\t\treturn;\n\tpolt_event_outcome(s, outcome, false);\n",
		spec->number);
	emit_function(e, member);
	emit_attribution(e, member);
	polc_buf_printf(e->out, "\tpolt_h%u_c%u(ctx, how, parameters, h, s, &kept, data);\n", h, m);
	if (spec->has_return && split)
		emit_wait(e, member);
	if (spec->has_return)
		emit_return_part(e, member, "after");
	polc_buf_printf(e->out, "\tpolt_h%u_f%u(ctx, h, s, selector, posting, data);\n}\n", h, m);
}

/* "void polt_h4_m0(..., whole, h)": a call, at its entry or whole. */
static void emit_judge(struct polc_emitter *e, const struct polc_trace_member *member, bool split)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);
	unsigned h = e->hook->number, m = polc_emit_member_index(e, member);

	polc_buf_printf(e->out,
		"static __always_inline void polt_h%u_m%u(" POLC_EMIT_CONTEXT
		", const bool whole, struct polt_h%u *h)\n{\n"
		"\tstruct polt_outcome at_entry = {}, after = {}, *const outcome = &at_entry;\n"
		"\tstruct polt_posting wanted = {.post = true}, *const posting = &wanted;\n\n",
		h, m, h);
	emit_guard(e, member);
	emit_choice(e, member);
	if (spec->has_return)
		polc_buf_printf(e->out,
			"\tif (whole && !polt_h%u_y%u(ctx, how, parameters, h, selector, &after, "
			"posting))\n\t\treturn;\n",
			h, m);
	polc_buf_printf(e->out,
		"\tif (%sposting->post)\n"
		"\t\tpolt_h%u_e%u(ctx, how, parameters, whole, h, selector, outcome, "
		"&after, posting);\n}\n",
		spec->has_return && split ? "!whole || " : "", h, m);
}

/* "void polt_h4_w0(..., h)": whether the selector that holds wants the file's hash. */
static void emit_look(struct polc_emitter *e, const struct polc_trace_member *member)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);
	unsigned h = e->hook->number, m = polc_emit_member_index(e, member);

	polc_buf_printf(e->out,
		"static __always_inline void polt_h%u_w%u(" POLC_EMIT_CONTEXT
		", struct polt_h%u *h)\n{\n",
		h, m, h);
	emit_guard(e, member);
	for (size_t i = 0; i < spec->selectors.n; i++) {
		const struct polc_trace_selector *s = &spec->selectors.items[i];

		polc_buf_printf(e->out, "%sif (polt_h%u_s%u_%u(ctx, how, parameters, h))\n\t\t%s\n",
			i ? "\telse " : "\t", h, s->number, m,
			polc_trace_takes_hash(s) ? "h->call.hash = true;" : ";");
	}
	polc_buf_puts(e->out, "}\n");
}

/* What the entry wanted of the event; the return may want more. */
static void emit_wanted(struct polc_emitter *e, const struct polc_trace_spec *spec)
{
	for (size_t i = 0; i < spec->selectors.n; i++) {
		const struct polc_trace_selector *s = &spec->selectors.items[i];

		for (size_t j = 0; j < s->actions.n; j++) {
			const struct polc_trace_action *a = &s->actions.items[j];

			if (a->kind != POLB_ACTION_POST ||
				(!a->rate_interval_ns && !a->kernel_stack && !a->user_stack))
				continue;
			polc_buf_printf(e->out,
				"\tif (selector == %u)\n\t\twanted = (struct polt_posting){"
				".post = true, .interval_ns = %lluull, .scope = %d,\n"
				"\t\t\t.kernel_stack = %d, .user_stack = %d};\n",
				s->number, (unsigned long long)a->rate_interval_ns,
				(int)a->rate_scope, a->kernel_stack, a->user_stack);
		}
		if (s->action_mask >> POLB_ACTION_NO_POST & 1)
			polc_buf_printf(e->out, "\tif (selector == %u)\n\t\twanted.post = false;\n",
				s->number);
	}
}

/* "void polt_h4_x0(..., h)": the return of a call that was judged at its entry. */
static void emit_exit(struct polc_emitter *e, const struct polc_trace_member *member)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);
	unsigned h = e->hook->number, m = polc_emit_member_index(e, member);

	polc_buf_printf(e->out,
		"static __always_inline void polt_h%u_x%u(" POLC_EMIT_CONTEXT
		", struct polt_h%u *h)\n{\n"
		"\tstruct polt_outcome outcome = {};\n"
		"\tstruct polt_posting wanted = {.post = true};\n",
		h, m, h);
	emit_locals(e, spec);
	polc_buf_printf(e->out,
		"\tstruct polt_scratch *s = polt_need_scratch(&h->call);\n\n"
		"\tif (!s || !polt_pending_load(s, %u, %u, &kept))\n\t\treturn;\n"
		"\t__u32 selector = s->event.selector;\n",
		h, spec->number);
	emit_wanted(e, spec);
	polc_buf_printf(e->out,
		"\tif (!polt_h%u_y%u(ctx, how, parameters, h, selector, &outcome, &wanted) || "
		"!wanted.post)\n\t\treturn;\n",
		h, m);
	emit_return_part(e, member, "&outcome");
	polc_buf_printf(e->out, "\tpolt_h%u_f%u(ctx, h, s, selector, &wanted, data);\n}\n", h, m);
}

void polc_emit_member(struct polc_emitter *e, const struct polc_trace_member *member)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);
	const struct polc_trace_policy *policy = &e->plan->tracing->policies[spec->policy];
	bool split = polc_emit_hook_is_split(e->hook);

	polc_buf_printf(e->out, "\n/* spec %u of policy %u, %s%s%s */\n", spec->number,
		policy->number, policy->namespace ? policy->namespace : "",
		policy->namespace ? "/" : "", policy->name);
	if (member->kind == POLC_MEMBER_LIST)
		emit_list(e, member);
	for (size_t i = 0; i < spec->selectors.n; i++)
		polc_emit_selector(e, member, &spec->selectors.items[i]);
	polc_emit_event_functions(e, member);
	if (spec->has_return)
		emit_return_judge(e, member);
	emit_event(e, member, split);
	emit_judge(e, member, split);
	if (polc_spec_takes_hash(spec))
		emit_look(e, member);
	if (spec->has_return && split)
		emit_exit(e, member);
}
