/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a selector does when it holds: its actions in the order written, and what it wants of the
 * event. Statements over `outcome` and `posting` of the member's function.
 */
#include "emit_tracing.h"

static const char *raw_value(
	struct polc_emitter *e, const struct polc_trace_member *member, uint32_t value)
{
	return polc_arena_printf(e->arena, "polt_h%u_v%u(ctx, how, parameters, &raw)",
		e->hook->number, polc_emit_value_index(e, member, value));
}

/* The registers of a uprobe: constants, or other registers, or what these point at. */
static void emit_registers(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_selector *s, const struct polc_trace_action *action)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);
	/* the plan has seen to it: both are offsets into the file, or both addresses of it */
	uint64_t from = member->symbol < spec->offsets.n ? spec->offsets.items[member->symbol] : 0;

	polc_buf_printf(e->out,
		"\t\tif (polt_act_begin(outcome, enforcing, %u, POLB_ACTION_OVERRIDE)) {\n"
		"\t\t\tbool done = true;\n",
		s->number);
	for (size_t i = 0; i < action->n_registers; i++) {
		const struct polc_trace_register *r = &action->registers[i];

		polc_buf_printf(e->out,
			"\t\t\tdone &= polt_judge_register(ctx, %u, %u, %s, %u, 0x%llxull, %s);\n",
			r->offset, r->size, r->from_register ? "true" : "false", r->source_offset,
			(unsigned long long)r->constant, r->is_memory ? "true" : "false");
	}
	if (action->has_new_address || action->has_new_offset)
		polc_buf_printf(e->out,
			"\t\t\tdone &= polt_judge_register(ctx, POLT_REG_IP, 8, true, "
			"POLT_REG_IP, 0x%llxull, false);\n",
			(unsigned long long)((action->has_new_offset ? action->new_offset
								     : action->new_address) -
					     from));
	polc_buf_printf(e->out,
		"\t\t\tif (done)\n\t\t\t\tpolt_count(%u, overridden);\n\t\t\telse\n"
		"\t\t\t\tpolt_act_failed(outcome, %u, POLB_ACTION_OVERRIDE);\n\t\t}\n",
		s->number, s->number);
}

static void emit_override(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_selector *s, const struct polc_trace_action *action)
{
	if (e->hook->family == POLC_HOOK_UPROBE)
		emit_registers(e, member, s, action);
	else
		polc_buf_printf(e->out, "\t\tpolt_act_override(outcome, enforcing, %u, %d);\n",
			s->number, action->error);
}

static void emit_sock(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_selector *s, const struct polc_trace_action *action)
{
	const char *value = raw_value(e, member, action->value);

	if (action->kind == POLB_ACTION_TRACK_SOCK)
		polc_buf_printf(e->out,
			"\t\t{\n\t\t\t__u64 raw = 0;\n\t\t\tif (%s)\n"
			"\t\t\t\tpolt_judge_track(&h->call, outcome, %u, polt_sock_of(raw, %d));\n"
			"\t\t}\n",
			value, s->number,
			polc_emit_spec(e, member)->values.items[action->value].type);
	else
		polc_buf_printf(e->out,
			"\t\t{\n\t\t\t__u64 raw = 0;\n\t\t\tif (%s)\n"
			"\t\t\t\tpolt_act_untrack(outcome, polt_sock_of(raw, %d));\n\t\t}\n",
			value, polc_emit_spec(e, member)->values.items[action->value].type);
}

static void emit_action(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_selector *s, const struct polc_trace_action *action)
{
	switch (action->kind) {
	case POLB_ACTION_SIGKILL:
		polc_buf_printf(e->out,
			"\t\tpolt_act_signal(outcome, enforcing, %u, 9, "
			"POLB_ACTION_SIGKILL);\n",
			s->number);
		return;
	case POLB_ACTION_SIGNAL:
		polc_buf_printf(e->out,
			"\t\tpolt_act_signal(outcome, enforcing, %u, %u, "
			"POLB_ACTION_SIGNAL);\n",
			s->number, action->signal);
		return;
	case POLB_ACTION_OVERRIDE:
		emit_override(e, member, s, action);
		return;
	case POLB_ACTION_NOTIFY_ENFORCER:
		polc_buf_printf(e->out, "\t\tpolt_act_notify(outcome, enforcing, %u, %d, %u);\n",
			s->number, action->error, action->signal);
		return;
	case POLB_ACTION_CLEANUP_ENFORCER:
		polc_buf_puts(e->out, "\t\tpolt_act_cleanup(outcome);\n");
		return;
	case POLB_ACTION_TRACK_SOCK:
	case POLB_ACTION_UNTRACK_SOCK:
		emit_sock(e, member, s, action);
		return;
	case POLB_ACTION_SET:
		polc_buf_printf(e->out,
			"\t\tpolt_act_set(outcome, enforcing, %u, ctx, %u, %u, 0x%x);\n", s->number,
			polc_emit_usdt(e), action->value, action->set_to);
		return;
	case POLB_ACTION_POST:
	case POLB_ACTION_NO_POST:
	case POLB_ACTION_GET_URL:
	case POLB_ACTION_DNS_LOOKUP:
		polc_buf_printf(e->out, "\t\tpolt_act_mark(outcome, %d);\n", (int)action->kind);
		return;
	case POLB_N_TRACE_ACTIONS:
		break;
	}
	POLC_BUG("unknown action %d", (int)action->kind);
}

static void emit_posting(struct polc_emitter *e, const struct polc_trace_action *action)
{
	if (action->rate_interval_ns)
		polc_buf_printf(e->out,
			"\t\tposting->interval_ns = %lluull;\n\t\tposting->scope = %d;\n",
			(unsigned long long)action->rate_interval_ns, (int)action->rate_scope);
	if (action->kernel_stack)
		polc_buf_puts(e->out, "\t\tposting->kernel_stack = true;\n");
	if (action->user_stack)
		polc_buf_puts(e->out, "\t\tposting->user_stack = true;\n");
	if (action->ima_hash)
		polc_buf_puts(e->out, "\t\tposting->hash = true;\n");
}

void polc_emit_actions(struct polc_emitter *e, const struct polc_trace_member *member,
	const struct polc_trace_selector *s, bool at_return)
{
	const struct polc_trace_action *actions =
		at_return ? s->return_actions.items : s->actions.items;
	size_t n = at_return ? s->return_actions.n : s->actions.n;
	uint64_t mask = at_return ? s->return_action_mask : s->action_mask;

	if (polc_trace_enforces(mask))
		polc_buf_printf(e->out, "\t\tconst bool enforcing = polt_enforcing(%u);\n",
			polc_emit_spec(e, member)->policy);
	for (size_t i = 0; i < n; i++) {
		emit_action(e, member, s, &actions[i]);
		if (actions[i].kind == POLB_ACTION_POST)
			emit_posting(e, &actions[i]);
	}
	if (mask >> POLB_ACTION_NO_POST & 1)
		polc_buf_puts(e->out, "\t\tposting->post = false;\n");
}
