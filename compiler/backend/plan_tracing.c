/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Specs grouped by what they hook: all policies on one function, tracepoint or probe share one
 * hook, and with it one program. How a hook is attached is plan_mechanism.c's business, what its
 * tests look up plan_trace_data.c's.
 */
#include <stdlib.h>
#include <string.h>

#include "plan_tracing_internal.h"

enum {
	/* from so many system calls on, one program at sys_enter is cheaper than one per call */
	MIN_SYSCALL_LIST = 4,
};

bool polc_trace_enforces(uint64_t mask)
{
	return mask &
	       (1u << POLB_ACTION_SIGKILL | 1u << POLB_ACTION_SIGNAL | 1u << POLB_ACTION_OVERRIDE |
		       1u << POLB_ACTION_NOTIFY_ENFORCER | 1u << POLB_ACTION_SET);
}

bool polc_spec_enforces(const struct polc_trace_spec *spec)
{
	for (size_t i = 0; i < spec->selectors.n; i++)
		if (polc_trace_enforces(spec->selectors.items[i].action_mask))
			return true;
	return false;
}

bool polc_spec_has_action(const struct polc_trace_spec *spec, enum polb_trace_action action)
{
	for (size_t i = 0; i < spec->selectors.n; i++) {
		const struct polc_trace_selector *s = &spec->selectors.items[i];

		if ((s->action_mask | s->return_action_mask) >> action & 1)
			return true;
	}
	return false;
}

bool polc_spec_takes_hash(const struct polc_trace_spec *spec)
{
	for (size_t i = 0; i < spec->selectors.n; i++)
		if (polc_trace_takes_hash(&spec->selectors.items[i]))
			return true;
	return false;
}

bool polc_spec_has_one_hook(const struct polc_trace_spec *spec)
{
	return spec->symbols.n + spec->offsets.n == 1;
}

static void add_steps(struct polc_buf *key, const struct polc_trace_value *value)
{
	for (size_t i = 0; i < value->n_steps; i++) {
		const struct polc_resolve_step *step = &value->steps[i];

		if (step->struct_name)
			polc_buf_printf(key, ".%s.%s", step->struct_name, step->member);
		else
			polc_buf_printf(key, "[%u]", step->index);
	}
}

const char *polc_trace_value_key(struct polc_arena *arena, const struct polc_trace_spec *spec,
	const struct polc_trace_value *value)
{
	struct polc_buf key = {.arena = arena};

	polc_buf_printf(&key, "%d/%d:%d/%d#%u", spec->syscall, spec->raw, value->type,
		(int)value->origin, value->number);
	if (value->field)
		polc_buf_printf(&key, "@%u+%u", value->field->offset, value->field->size);
	if (value->origin == POLC_ORIGIN_REGISTER)
		polc_buf_printf(&key, "%%%u+%u", value->reg_offset, value->reg_size);
	add_steps(&key, value);
	polc_buf_printf(&key, "/%d:%u/%d%d", (int)value->size_from, value->size_argument,
		value->return_copy, value->user_memory);
	return key.p;
}

uint32_t polc_spec_arguments(const struct polc_trace_spec *spec)
{
	uint32_t n = 0;

	if (spec->syscall)
		return 1; /* the registers of the caller */
	for (size_t i = 0; i < spec->values.n; i++) {
		const struct polc_trace_value *v = &spec->values.items[i];

		if (v->origin == POLC_ORIGIN_ARGUMENT && v->number >= n)
			n = v->number + 1;
		if (v->size_from == POLC_SIZE_ARGUMENT && v->size_argument >= n)
			n = v->size_argument + 1;
	}
	return n;
}

/* ---- one draft per attach point ---- */

static struct polc_hook_draft *draft_for(struct polc_trace_planner *p, enum polc_hook_family family,
	const char *symbol, const char *key)
{
	for (size_t i = 0; i < p->drafts.n; i++)
		if (p->drafts.items[i].hook.family == family &&
			!strcmp(p->drafts.items[i].key, key))
			return &p->drafts.items[i];
	struct polc_hook_draft *draft = polc_vec_push(&p->polc->arena, &p->drafts);

	*draft = (struct polc_hook_draft){.hook = {.family = family, .symbol = symbol}, .key = key};
	return draft;
}

static void add_member(struct polc_trace_planner *p, struct polc_hook_draft *draft,
	struct polc_trace_member member)
{
	/* one list may name a call twice */
	for (size_t i = 0; i < draft->members.n; i++)
		if (draft->members.items[i].spec == member.spec &&
			draft->members.items[i].number == member.number)
			return;
	*polc_vec_push(&p->polc->arena, &draft->members) = member;
}

/* The hook of a function; of a 32-bit system call, whose symbol depends on the kernel. */
static struct polc_hook_draft *function_draft(
	struct polc_trace_planner *p, const struct polc_trace_symbol *symbol, bool is_syscall)
{
	const char *name = symbol->name;

	if (is_syscall)
		name = polc_syscall_symbol(&p->polc->arena, &symbol->syscall, false);
	bool compat = is_syscall && symbol->syscall.abi == POLC_ABI_I386;
	struct polc_hook_draft *draft = draft_for(p, POLC_HOOK_FUNCTION, name, name);

	if (compat)
		draft->hook.syscall = &symbol->syscall;
	return draft;
}

static bool other_architecture(
	const struct polc_trace_spec *spec, const struct polc_trace_symbol *s)
{
	return spec->syscall &&
	       (s->syscall.abi == POLC_ABI_ARM64 || s->syscall.abi == POLC_ABI_ARM32);
}

static bool readable_at_sys_enter(const struct polc_trace_spec *spec)
{
	for (size_t i = 0; i < spec->values.n; i++) {
		enum polc_trace_origin origin = spec->values.items[i].origin;

		if (origin != POLC_ORIGIN_ARGUMENT && origin != POLC_ORIGIN_TASK)
			return false;
	}
	return true;
}

/* Many system calls that need nothing but their number and registers: one program for all. */
static bool is_syscall_list(const struct polc_trace_spec *spec)
{
	uint32_t n = 0;

	if (spec->section != POLC_SECTION_KPROBE || !spec->syscall || !spec->from_list ||
		spec->has_return || polc_spec_has_action(spec, POLB_ACTION_OVERRIDE))
		return false;
	for (size_t i = 0; i < spec->symbols.n; i++) {
		const struct polc_trace_symbol *s = &spec->symbols.items[i];

		if (s->missing || other_architecture(spec, s))
			continue;
		if (s->syscall.number == UINT32_MAX)
			return false;
		n++;
	}
	return n >= MIN_SYSCALL_LIST && readable_at_sys_enter(spec);
}

static void place_functions(struct polc_trace_planner *p, const struct polc_trace_spec *spec)
{
	for (uint32_t i = 0; i < spec->symbols.n; i++) {
		const struct polc_trace_symbol *symbol = &spec->symbols.items[i];

		if (symbol->missing || other_architecture(spec, symbol))
			continue;
		add_member(p, function_draft(p, symbol, spec->syscall),
			(struct polc_trace_member){.spec = spec->number, .symbol = i});
	}
}

/* common_* but the pid are in the tracepoint's record alone, where programs cannot read them. */
static bool needs_record(struct polc_trace_planner *p, const struct polc_trace_spec *spec)
{
	for (size_t i = 0; i < spec->values.n; i++) {
		const struct polc_tracepoint_field *field = spec->values.items[i].field;

		if (field && field->offset < 8 && strcmp(field->name, "common_pid") &&
			spec->values.items[i].type != POLB_TYPE_NOP) {
			polc_error(p->polc, spec->values.items[i].span, POLC_CODE_TRACE_ARGUMENT,
				"BPF programs cannot read %s of a tracepoint", field->name);
			return true;
		}
	}
	return false;
}

static const char *event_of(const char *symbol)
{
	const char *slash = strrchr(symbol, '/');

	return slash ? slash + 1 : symbol;
}

/* "sys_enter_openat" of "syscalls/sys_enter_openat": its raw event and the call's number. */
static const char *syscall_record(const char *symbol, uint32_t *number)
{
	const char *event = event_of(symbol);
	bool enter = !strncmp(event, "sys_enter_", 10), leave = !strncmp(event, "sys_exit_", 9);
	struct polc_syscall call;

	if (strncmp(symbol, "syscalls/", 9) || !(enter || leave) ||
		!polc_syscall_parse(event + (enter ? 10 : 9), &call) || call.abi != POLC_ABI_X64 ||
		call.number == UINT32_MAX)
		return NULL;
	*number = call.number;
	return enter ? "sys_enter" : "sys_exit";
}

static void place_tracepoint(
	struct polc_trace_planner *p, const struct polc_trace_spec *spec, uint32_t index)
{
	const char *name = spec->symbols.items[index].name, *event = event_of(name), *raw;
	struct polc_trace_member member = {.spec = spec->number, .symbol = index};
	enum polc_hook_family family = POLC_HOOK_RAW_TRACEPOINT;

	if (spec->symbols.items[index].missing)
		return;
	if (!spec->raw && needs_record(p, spec))
		return;
	if (spec->raw) {
		name = event;
	} else if (!strcmp(name, "raw_syscalls/sys_enter") ||
		   !strcmp(name, "raw_syscalls/sys_exit")) {
		member.kind = POLC_MEMBER_RAW_SYSCALLS;
		name = event;
	} else if ((raw = syscall_record(name, &member.number))) {
		member.kind = POLC_MEMBER_SYSCALL;
		name = raw;
	} else {
		family = POLC_HOOK_TRACEPOINT;
	}
	add_member(p, draft_for(p, family, name, name), member);
}

/* A jump is relative to where the probe is: both must be given in the same way. */
static bool jump_known(const struct polc_trace_spec *spec, const struct polc_trace_action *action)
{
	bool jumps = action->new_symbol || action->has_new_address || action->has_new_offset;

	if (!jumps)
		return true;
	return spec->offsets.n &&
	       (spec->offsets_are_addresses ? action->has_new_address : action->has_new_offset);
}

static void check_jumps(struct polc_trace_planner *p, const struct polc_trace_spec *spec)
{
	for (size_t i = 0; i < spec->selectors.n; i++)
		for (size_t j = 0; j < spec->selectors.items[i].actions.n; j++) {
			const struct polc_trace_action *action =
				&spec->selectors.items[i].actions.items[j];

			if (action->kind == POLB_ACTION_OVERRIDE && !jump_known(spec, action))
				polc_error(p->polc, action->span, POLC_CODE_UNSUPPORTED,
					"where to go on can be given as argNewOffset of a probe "
					"with offsets, or as argNewAddr of one with addrs");
		}
}

static void place_uprobe(struct polc_trace_planner *p, const struct polc_trace_spec *spec,
	const char *symbol, uint32_t index)
{
	uint64_t offset = symbol ? 0 : spec->offsets.items[index];
	uint64_t ref_ctr = index < spec->ref_ctr_offsets.n ? spec->ref_ctr_offsets.items[index] : 0;
	const char *key = polc_arena_printf(&p->polc->arena, "%s:%s:%llx:%d:%llx:%d", spec->path,
		symbol ? symbol : "", (unsigned long long)offset, spec->offsets_are_addresses,
		(unsigned long long)ref_ctr, spec->digests.n ? (int)spec->number : -1);
	struct polc_hook_draft *draft = draft_for(p, POLC_HOOK_UPROBE, spec->path, key);

	draft->place = symbol;
	draft->offset = offset;
	draft->has_offset = !symbol;
	draft->is_address = !symbol && spec->offsets_are_addresses;
	draft->ref_ctr_offset = ref_ctr;
	add_member(p, draft, (struct polc_trace_member){.spec = spec->number, .symbol = index});
}

static void place_usdt(struct polc_trace_planner *p, const struct polc_trace_spec *spec)
{
	const char *place = polc_arena_printf(&p->polc->arena, "%s:%s", spec->provider, spec->name);
	const char *key = polc_arena_printf(&p->polc->arena, "%s:%s:%d", spec->path, place,
		spec->digests.n ? (int)spec->number : -1);
	struct polc_hook_draft *draft = draft_for(p, POLC_HOOK_USDT, spec->path, key);

	draft->place = place;
	add_member(p, draft, (struct polc_trace_member){.spec = spec->number});
}

static void place_list(struct polc_trace_planner *p, const struct polc_trace_spec *spec)
{
	add_member(p, draft_for(p, POLC_HOOK_RAW_TRACEPOINT, "sys_enter", "sys_enter"),
		(struct polc_trace_member){.spec = spec->number, .kind = POLC_MEMBER_LIST});
}

static void place_symbols(struct polc_trace_planner *p, const struct polc_trace_spec *spec)
{
	for (uint32_t i = 0; i < spec->symbols.n; i++) {
		const struct polc_trace_symbol *symbol = &spec->symbols.items[i];

		if (spec->section == POLC_SECTION_TRACEPOINT)
			place_tracepoint(p, spec, i);
		else if (spec->section == POLC_SECTION_UPROBE)
			place_uprobe(p, spec, symbol->name, i);
		else if (!symbol->missing)
			add_member(p, draft_for(p, POLC_HOOK_LSM, symbol->name, symbol->name),
				(struct polc_trace_member){.spec = spec->number, .symbol = i});
	}
}

static void place_spec(struct polc_trace_planner *p, const struct polc_trace_spec *spec)
{
	switch (spec->section) {
	case POLC_SECTION_KPROBE:
	case POLC_SECTION_FENTRY:
		if (is_syscall_list(spec))
			place_list(p, spec);
		else
			place_functions(p, spec);
		return;
	case POLC_SECTION_TRACEPOINT:
	case POLC_SECTION_LSM:
		place_symbols(p, spec);
		return;
	case POLC_SECTION_UPROBE:
		check_jumps(p, spec);
		place_symbols(p, spec);
		for (uint32_t i = 0; i < spec->offsets.n; i++)
			place_uprobe(p, spec, NULL, i);
		return;
	case POLC_SECTION_USDT:
		place_usdt(p, spec);
		return;
	case POLC_N_SECTIONS:
		break;
	}
	POLC_BUG("unknown section %d", (int)spec->section);
}

static bool selector_replaces(const struct polc_trace_selector *selector)
{
	for (size_t i = 0; i < selector->actions.n; i++)
		if (selector->actions.items[i].kind == POLB_ACTION_NOTIFY_ENFORCER &&
			selector->actions.items[i].error)
			return true;
	return false;
}

/* A signal is sent where the call is noticed; only a result needs a program on the call itself. */
static bool policy_replaces(
	const struct polc_tracing *tracing, const struct polc_trace_policy *policy)
{
	for (uint32_t i = 0; i < policy->n_specs; i++) {
		const struct polc_trace_spec *spec = &tracing->specs[policy->first_spec + i];

		for (size_t j = 0; j < spec->selectors.n; j++)
			if (selector_replaces(&spec->selectors.items[j]))
				return true;
	}
	return false;
}

static void place_enforcers(struct polc_trace_planner *p, const struct polc_trace_policy *policy)
{
	if (!policy_replaces(p->tracing, policy))
		return;
	for (size_t i = 0; i < policy->enforcer_calls.n; i++) {
		const struct polc_trace_symbol *symbol = &policy->enforcer_calls.items[i];

		if (symbol->missing ||
			(symbol->syscall.name && symbol->syscall.abi > POLC_ABI_I386))
			continue;
		struct polc_hook_draft *draft =
			function_draft(p, symbol, symbol->syscall.name != NULL);
		if (!draft->enforcers.n ||
			draft->enforcers.items[draft->enforcers.n - 1] != policy->number)
			*polc_vec_push(&p->polc->arena, &draft->enforcers) = policy->number;
	}
}

/* ---- names and flags ---- */

static const char *hook_text(struct polc_trace_planner *p, const struct polc_hook_draft *draft)
{
	static const char *const words[] = {
		[POLC_HOOK_TRACKING] = "tracking",
		[POLC_HOOK_FUNCTION] = "function",
		[POLC_HOOK_TRACEPOINT] = "tracepoint",
		[POLC_HOOK_RAW_TRACEPOINT] = "raw tracepoint",
		[POLC_HOOK_LSM] = "lsm",
		[POLC_HOOK_UPROBE] = "uprobe",
		[POLC_HOOK_USDT] = "usdt",
		[POLC_HOOK_LOADER] = "loader",
	};
	const char *word = words[draft->hook.family];

	if (draft->has_offset)
		return polc_arena_printf(&p->polc->arena, "%s %s+0x%llx", word, draft->hook.symbol,
			(unsigned long long)draft->offset);
	if (draft->place)
		return polc_arena_printf(
			&p->polc->arena, "%s %s %s", word, draft->hook.symbol, draft->place);
	return polc_arena_printf(&p->polc->arena, "%s %s", word, draft->hook.symbol);
}

static uint32_t hook_flags(const struct polc_trace_planner *p, const struct polc_hook_draft *draft)
{
	bool optional = draft->members.n > 0 && !draft->enforcers.n, digest = optional;
	bool pattern = optional;
	uint32_t flags = draft->enforcers.n ? POLB_TRACE_ENFORCES : 0;

	for (size_t i = 0; i < draft->members.n; i++) {
		const struct polc_trace_spec *spec =
			&p->tracing->specs[draft->members.items[i].spec];

		optional &= spec->ignore_not_found;
		pattern &= spec->by_pattern;
		digest &= spec->ignore_digest_failure;
		for (size_t j = 0; j < spec->selectors.n; j++)
			if (polc_trace_enforces(spec->selectors.items[j].action_mask |
						spec->selectors.items[j].return_action_mask))
				flags |= POLB_TRACE_ENFORCES;
	}
	if (draft->hook.family == POLC_HOOK_TRACKING)
		flags |= POLB_TRACE_TRACKING;
	return flags | (optional ? POLB_TRACE_OPTIONAL : 0) |
	       (digest ? POLB_TRACE_OPTIONAL_DIGEST : 0) | (pattern ? POLB_TRACE_BY_PATTERN : 0);
}

static bool finish_hooks(struct polc_trace_planner *p)
{
	struct polc_trace_hook *hooks =
		POLC_NEW_ARRAY(&p->polc->arena, p->drafts.n, struct polc_trace_hook);
	uint32_t n_usdts = 0;
	bool ok = true;

	for (size_t i = 0; i < p->drafts.n; i++) {
		struct polc_hook_draft *draft = &p->drafts.items[i];

		draft->hook.number = (uint32_t)i;
		draft->hook.text = hook_text(p, draft);
		draft->hook.flags = hook_flags(p, draft);
		draft->hook.members = draft->members.items;
		draft->hook.n_members = (uint32_t)draft->members.n;
		draft->hook.enforcers = draft->enforcers.items;
		draft->hook.n_enforcers = (uint32_t)draft->enforcers.n;
		draft->usdt = n_usdts;
		n_usdts += draft->hook.family == POLC_HOOK_USDT;
		ok &= polc_plan_mechanisms(p, draft);
		hooks[i] = draft->hook;
	}
	p->plan->hooks = hooks;
	p->plan->n_hooks = (uint32_t)p->drafts.n;
	return ok;
}

static void add_tracking(struct polc_trace_planner *p)
{
	static const char *const events[] = {"sched_process_exec", "sched_process_fork",
		"sched_process_exit", "cgroup_mkdir", "cgroup_rmdir"};
	/* cgroups matter when a test asks for a process's workload */
	size_t n = POLC_ARRAY_SIZE(events) - (p->tracing->n_workloads ? 0 : 2);

	for (size_t i = 0; i < n; i++)
		draft_for(p, POLC_HOOK_TRACKING, events[i], events[i]);
}

/* Every spec must be on some hook: one that is on none would be silently without effect. */
static void check_placed(struct polc_trace_planner *p, const struct polc_trace_spec *spec)
{
	for (size_t i = 0; i < p->drafts.n; i++)
		for (size_t j = 0; j < p->drafts.items[i].members.n; j++)
			if (p->drafts.items[i].members.items[j].spec == spec->number)
				return;
	if (!spec->ignore_not_found && !p->polc->n_errors)
		polc_error(p->polc, spec->span, POLC_CODE_TRACE_HOOK,
			"nothing of this can be hooked on x86-64");
}

const struct polc_tracing_plan *polc_plan_tracing(struct polc *polc,
	const struct polc_tracing *tracing, const struct polc_tracing_options *options)
{
	struct polc_tracing_plan *plan = POLC_NEW(&polc->arena, struct polc_tracing_plan);
	struct polc_trace_planner p = {
		.polc = polc, .tracing = tracing, .options = options, .plan = plan};
	unsigned errors = polc->n_errors;

	if (!tracing->n_policies)
		return NULL;
	plan->tracing = tracing;
	plan->workload_words = (uint32_t)((tracing->n_workloads + 63) / 64);
	add_tracking(&p);
	for (size_t i = 0; i < tracing->n_specs; i++)
		place_spec(&p, &tracing->specs[i]);
	for (size_t i = 0; i < tracing->n_policies; i++)
		place_enforcers(&p, &tracing->policies[i]);
	if (tracing->uses_loader)
		draft_for(&p, POLC_HOOK_LOADER, "security_mmap_file", "security_mmap_file");
	for (size_t i = 0; i < tracing->n_specs; i++)
		check_placed(&p, &tracing->specs[i]);
	bool ok = polc_plan_trace_data(&p);
	return finish_hooks(&p) && ok && polc->n_errors == errors ? plan : NULL;
}
