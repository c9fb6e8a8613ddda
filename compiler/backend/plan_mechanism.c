/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How a hook is attached: its alternatives, best first, each with the reason for it. Without
 * targets every alternative stays and the loader takes the first that the kernel can do; with
 * targets those that none of them can do are dropped, and each target must be left with one.
 */
#include <string.h>

#include "plan_tracing_internal.h"

enum { MAX_RESULT_POSITIONS = 8 };

/* What the members of a hook want, in short. */
struct wants {
	bool returns;                             /* some spec sees the return */
	bool result;                              /* ... and reads its value */
	bool overrides;                           /* some spec or enforcer replaces the result */
	bool enforces;                            /* something is enforced at entry */
	bool hash;                                /* imaHash */
	bool only_fmod_ret, only_return_override; /* option override-method */
	uint32_t n_arguments;
	struct polc_span span;
};

struct mechanisms {
	struct polc_trace_planner *p;
	struct polc_hook_draft *draft;
	struct wants wants;
	POLC_VEC(struct polc_trace_alternative) alternatives;
	/* numbers of parameters that the function has in some target: where its result is */
	uint32_t positions[MAX_RESULT_POSITIONS];
	uint32_t n_positions;
};

static void want_spec(
	struct wants *wants, const struct polc_tracing *tracing, const struct polc_trace_spec *spec)
{
	const struct polc_trace_policy *policy = &tracing->policies[spec->policy];
	uint32_t n = polc_spec_arguments(spec);
	bool overrides = polc_spec_has_action(spec, POLB_ACTION_OVERRIDE);

	wants->returns |= spec->has_return;
	wants->result |= spec->has_return_value;
	wants->enforces |= polc_spec_enforces(spec);
	wants->overrides |= overrides;
	wants->hash |= polc_spec_takes_hash(spec);
	wants->only_fmod_ret |= overrides && policy->override_method == POLC_OVERRIDE_FMOD_RET;
	wants->only_return_override |= overrides && policy->override_method == POLC_OVERRIDE_RETURN;
	if (n > wants->n_arguments)
		wants->n_arguments = n;
	if (!wants->span.source)
		wants->span = spec->span;
}

static struct wants find_wants(const struct polc_tracing *tracing, const struct polc_hook_draft *d)
{
	struct wants wants = {0};

	for (size_t i = 0; i < d->members.n; i++)
		want_spec(&wants, tracing, &tracing->specs[d->members.items[i].spec]);
	if (d->enforcers.n) {
		wants.overrides = wants.enforces = true;
		if (!wants.span.source)
			wants.span = tracing->policies[d->enforcers.items[0]].span;
	}
	return wants;
}

/* ---- what a target can do ---- */

static enum polc_answer can(
	const struct polc_target *target, const struct polc_trace_program *program)
{
	switch (program->mechanism) {
	case POLB_MECHANISM_FENTRY:
	case POLB_MECHANISM_FEXIT:
		return polc_target_has_fentry(target, program->target);
	case POLB_MECHANISM_FMOD_RET:
		if (polc_target_has_fentry(target, program->target) == POLC_NO)
			return POLC_NO;
		return polc_target_overridable(target, program->target);
	case POLB_MECHANISM_LSM:
	case POLB_MECHANISM_LSM_SLEEPABLE:
		if (polc_target_config(target, "CONFIG_BPF_LSM") == POLC_NO)
			return POLC_NO;
		return polc_target_has_lsm_hook(target, program->target);
	case POLB_MECHANISM_KPROBE:
		if (program->flags & POLB_PROGRAM_OVERRIDES &&
			(polc_target_overridable(target, program->target) == POLC_NO ||
				polc_target_config(target, "CONFIG_BPF_KPROBE_OVERRIDE") ==
					POLC_NO))
			return POLC_NO;
		return polc_target_has_function(target, program->target);
	case POLB_MECHANISM_KRETPROBE:
		return polc_target_has_function(target, program->target);
	case POLB_MECHANISM_TRACEPOINT:
	case POLB_MECHANISM_RAW_TRACEPOINT:
	case POLB_MECHANISM_TP_BTF:
	case POLB_MECHANISM_UPROBE:
	case POLB_MECHANISM_URETPROBE:
	case POLB_MECHANISM_USDT:
	case POLB_N_MECHANISMS:
		return POLC_UNKNOWN;
	}
	POLC_BUG("unknown mechanism %d", (int)program->mechanism);
}

static bool same_parameters(
	const struct polc_target *target, const struct polc_trace_program *program)
{
	return !program->same_as || polc_target_lsm_same_parameters(target,
					    program->same_as + strlen("bpf_lsm_")) != POLC_NO;
}

/* The result sits behind the last parameter: there must be exactly so many. */
static bool same_position(struct polc *polc, const struct polc_target *target,
	const struct polc_trace_program *program)
{
	struct polc_function_type type;

	return !(program->flags & POLB_PROGRAM_EXACT_ARGUMENTS) ||
	       polc_target_function(polc, target, program->target, &type) ||
	       type.n_parameters == program->n_arguments;
}

static bool target_can(struct polc *polc, const struct polc_target *target,
	const struct polc_trace_alternative *alternative)
{
	for (uint32_t i = 0; i < alternative->n_programs; i++) {
		const struct polc_trace_program *program = &alternative->programs[i];

		if (can(target, program) == POLC_NO || !same_parameters(target, program) ||
			!same_position(polc, target, program))
			return false;
	}
	return true;
}

static void report_impossible(struct mechanisms *m, const struct polc_target *target)
{
	const char *symbol = m->draft->hook.symbol;
	struct polc *polc = m->p->polc;

	if (m->wants.overrides && polc_target_has_function(target, symbol) != POLC_NO)
		polc_error(polc, m->wants.span, POLC_CODE_TRACE_OVERRIDE,
			"the result of %s cannot be replaced on %s", symbol,
			polc_target_name(target));
	else
		polc_error(polc, m->wants.span, POLC_CODE_TRACE_FUNCTION,
			"%s cannot be hooked on %s", m->draft->hook.text, polc_target_name(target));
}

/* Keeps what some target can do; false (reported) when a target can do none of it. */
static bool keep_possible(struct mechanisms *m)
{
	const struct polc_tracing_options *options = m->p->options;
	bool optional = m->draft->hook.flags & POLB_TRACE_OPTIONAL, ok = true;
	uint64_t used = 0;
	size_t kept = 0;

	for (size_t t = 0; t < options->n_targets; t++) {
		bool any = false;

		for (size_t i = 0; i < m->alternatives.n; i++)
			if (target_can(
				    m->p->polc, options->targets[t], &m->alternatives.items[i])) {
				any = true;
				used |= UINT64_C(1) << i;
			}
		if (!any && !optional) {
			report_impossible(m, options->targets[t]);
			ok = false;
		}
	}
	for (size_t i = 0; options->n_targets && used && i < m->alternatives.n; i++)
		if (used >> i & 1)
			m->alternatives.items[kept++] = m->alternatives.items[i];
	if (options->n_targets && used)
		m->alternatives.n = kept;
	return ok;
}

/* ---- building alternatives ---- */

static const char *program_name(struct mechanisms *m, enum polb_mechanism mechanism)
{
	static const char *const names[] = {
		[POLB_MECHANISM_FENTRY] = "fentry",
		[POLB_MECHANISM_FEXIT] = "fexit",
		[POLB_MECHANISM_FMOD_RET] = "fmod_ret",
		[POLB_MECHANISM_LSM] = "lsm",
		[POLB_MECHANISM_LSM_SLEEPABLE] = "lsm_s",
		[POLB_MECHANISM_KPROBE] = "kprobe",
		[POLB_MECHANISM_KRETPROBE] = "kretprobe",
		[POLB_MECHANISM_TRACEPOINT] = "tp",
		[POLB_MECHANISM_RAW_TRACEPOINT] = "raw_tp",
		[POLB_MECHANISM_TP_BTF] = "tp_btf",
		[POLB_MECHANISM_UPROBE] = "uprobe",
		[POLB_MECHANISM_URETPROBE] = "uretprobe",
		[POLB_MECHANISM_USDT] = "usdt",
	};
	uint32_t before = 0;

	for (size_t i = 0; i < m->alternatives.n; i++)
		for (uint32_t j = 0; j < m->alternatives.items[i].n_programs; j++)
			before += m->alternatives.items[i].programs[j].mechanism == mechanism;
	const char *name = polc_arena_printf(
		&m->p->polc->arena, "polt_h%u_%s", m->draft->hook.number, names[mechanism]);
	return before ? polc_arena_printf(&m->p->polc->arena, "%s_%u", name, before + 1) : name;
}

static struct polc_trace_program program(
	struct mechanisms *m, enum polb_mechanism mechanism, const char *target)
{
	return (struct polc_trace_program){
		.name = program_name(m, mechanism),
		.mechanism = mechanism,
		.target = target,
		.n_arguments = m->wants.n_arguments,
		.entry = true,
	};
}

static void add(struct mechanisms *m, const struct polc_trace_program *programs, uint32_t n,
	const char *reason)
{
	struct polc_trace_program *own =
		POLC_NEW_ARRAY(&m->p->polc->arena, n, struct polc_trace_program);

	memcpy(own, programs, n * sizeof(*own));
	*polc_vec_push(&m->p->polc->arena, &m->alternatives) =
		(struct polc_trace_alternative){own, n, reason};
}

static void add_one(struct mechanisms *m, struct polc_trace_program one, const char *reason)
{
	add(m, &one, 1, reason);
}

/* ---- functions ---- */

static void add_position(struct mechanisms *m, uint32_t n)
{
	for (uint32_t i = 0; i < m->n_positions; i++)
		if (m->positions[i] == n)
			return;
	if (m->n_positions < MAX_RESULT_POSITIONS && n >= m->wants.n_arguments)
		m->positions[m->n_positions++] = n;
}

static void find_positions(struct mechanisms *m, const char *symbol)
{
	const struct polc_tracing_options *options = m->p->options;
	struct polc_function_type type;

	m->n_positions = 0;
	if (!strncmp(symbol, "__x64_sys_", 10) || !strncmp(symbol, "__ia32_", 7))
		add_position(m, 1);
	for (size_t i = 0; i < options->n_targets; i++)
		if (!polc_target_function(m->p->polc, options->targets[i], symbol, &type))
			add_position(m, type.n_parameters);
	if (!options->n_targets && options->fallback &&
		!polc_target_function(m->p->polc, options->fallback, symbol, &type))
		add_position(m, type.n_parameters);
}

/* Entry by `first` (or nothing), then fexit; once per place where targets have the result. */
static void add_with_fexit(
	struct mechanisms *m, const char *symbol, bool single, const char *reason)
{
	uint32_t n = m->wants.result ? m->n_positions : 1;

	for (uint32_t i = 0; i < n; i++) {
		struct polc_trace_program programs[2] = {
			program(m,
				m->wants.overrides ? POLB_MECHANISM_FMOD_RET
						   : POLB_MECHANISM_FENTRY,
				symbol),
			program(m, POLB_MECHANISM_FEXIT, symbol),
		};

		programs[1].entry = single;
		programs[1].exit = true;
		if (m->wants.result) {
			programs[1].n_arguments = m->positions[i];
			programs[1].flags |= POLB_PROGRAM_EXACT_ARGUMENTS;
		}
		add(m, single ? programs + 1 : programs, single ? 1 : 2, reason);
	}
}

static void add_kprobes(struct mechanisms *m, const char *symbol, const char *reason)
{
	struct polc_trace_program programs[2] = {
		program(m, POLB_MECHANISM_KPROBE, symbol),
		program(m, POLB_MECHANISM_KRETPROBE, symbol),
	};

	if (m->wants.overrides)
		programs[0].flags |= POLB_PROGRAM_OVERRIDES;
	programs[1].entry = false;
	programs[1].exit = true;
	add(m, programs, m->wants.returns ? 2 : 1, reason);
}

static void plan_returning(struct mechanisms *m, const char *symbol, bool is_security)
{
	if (is_security && !m->wants.enforces)
		add_with_fexit(m, symbol, true,
			"one program sees arguments and result: the function changes neither");
	else if (!m->wants.only_return_override)
		add_with_fexit(m, symbol, false,
			m->wants.overrides
				? "refuses before the call; the exit program sees the result"
				: "judges at entry, as the call may change its arguments; the "
				  "exit program adds the result");
}

static void plan_entry(struct mechanisms *m, const char *symbol, bool is_security)
{
	if (!m->wants.overrides)
		add_one(m, program(m, POLB_MECHANISM_FENTRY, symbol),
			"a direct call, without a breakpoint");
	else if (!m->wants.only_return_override)
		add_one(m, program(m, POLB_MECHANISM_FMOD_RET, symbol),
			is_security ? "the check itself is refused, in the same program that judges"
				    : "the call is refused before it runs, by the program that "
				      "judges");
}

/* security_* may be refused by fmod_ret; bpf_override_return needs the error injection list. */
static bool kprobe_may_override(const struct mechanisms *m, bool is_security)
{
	return !m->wants.only_fmod_ret && (m->wants.only_return_override || !is_security);
}

static void plan_symbol(struct mechanisms *m, const char *symbol)
{
	bool is_security = !strncmp(symbol, "security_", 9);

	find_positions(m, symbol);
	if (m->wants.returns)
		plan_returning(m, symbol, is_security);
	else
		plan_entry(m, symbol, is_security);
	if (!m->wants.overrides)
		add_kprobes(m, symbol, "where the kernel cannot attach fentry to the function");
	else if (kprobe_may_override(m, is_security))
		add_kprobes(
			m, symbol, "bpf_override_return, where the kernel cannot attach fmod_ret");
}

/* The 32-bit entry of a system call has a name of its own only where its arguments differ. */
static void plan_function(struct mechanisms *m)
{
	const struct polc_trace_hook *hook = &m->draft->hook;

	if (hook->syscall)
		plan_symbol(m, polc_syscall_symbol(&m->p->polc->arena, hook->syscall, true));
	plan_symbol(m, hook->symbol);
}

/* ---- the others ---- */

/* The function that asks all active LSMs; a kprobe there sees what the hook sees. */
static void plan_lsm_function(struct mechanisms *m, const char *function)
{
	const char *same_as =
		polc_arena_printf(&m->p->polc->arena, "bpf_lsm_%s", m->draft->hook.symbol);
	struct polc_trace_program other = program(m, POLB_MECHANISM_FMOD_RET, function);

	other.same_as = same_as;
	add_one(m, other, "where BPF is no active LSM: the function that asks all of them");
	if (m->wants.overrides)
		return;
	other = program(m, POLB_MECHANISM_KPROBE, function);
	other.same_as = same_as;
	add_one(m, other, "nothing is refused: a kprobe sees as much");
}

/*
 * What is attached last runs first: the one that looks, then the one that may sleep and hashes,
 * then the hook's own.
 */
static void add_hashing(struct mechanisms *m, struct polc_trace_program own)
{
	struct polc_trace_program programs[3] = {own, own, own};

	programs[1] = program(m, POLB_MECHANISM_LSM_SLEEPABLE, own.target);
	programs[1].n_arguments = 1;
	programs[1].flags |= POLB_PROGRAM_SLEEPABLE;
	programs[1].entry = false;
	programs[1].hashes = true;
	programs[2].name = polc_arena_printf(&m->p->polc->arena, "%s_look", own.name);
	programs[2].entry = false;
	programs[2].looks = true;
	add(m, programs, 3, "BPF LSM: the hook itself answers, with the hash of the file");
}

/* bprm_check_security is asked by security_bprm_check, inode_init_security by its own name. */
static void plan_lsm(struct mechanisms *m)
{
	static const char suffix[] = "_security";
	struct polc_arena *arena = &m->p->polc->arena;
	const char *hook = m->draft->hook.symbol;
	size_t n = strlen(hook), n_suffix = sizeof(suffix) - 1;

	struct polc_trace_program own = program(m, POLB_MECHANISM_LSM, hook);

	if (m->wants.hash)
		add_hashing(m, own);
	add_one(m, own,
		m->wants.hash ? "BPF LSM: the hook itself answers; without the hash of the file"
			      : "BPF LSM: the hook itself answers");
	plan_lsm_function(m, polc_arena_printf(arena, "security_%s", hook));
	if (n > n_suffix && !strcmp(hook + n - n_suffix, suffix))
		plan_lsm_function(
			m, polc_arena_printf(arena, "security_%.*s", (int)(n - n_suffix), hook));
}

static void plan_raw_tracepoint(struct mechanisms *m)
{
	const struct polc_trace_member *members = m->draft->members.items;
	const char *reason = "the event's own arguments";

	for (size_t i = 0; i < m->draft->members.n; i++)
		if (members[i].kind != POLC_MEMBER_CALL)
			reason = "every system call's event, pinnable on all kernels";
	for (size_t i = 0; i < m->draft->members.n; i++)
		if (members[i].kind == POLC_MEMBER_LIST)
			reason = "one program for a list of system calls: a bit per number decides "
				 "first";
	add_one(m, program(m, POLB_MECHANISM_RAW_TRACEPOINT, m->draft->hook.symbol), reason);
}

static void plan_uprobe(struct mechanisms *m, enum polb_mechanism mechanism, const char *reason)
{
	const struct polc_hook_draft *draft = m->draft;
	const struct polc_trace_spec *spec = &m->p->tracing->specs[draft->members.items[0].spec];
	struct polc_trace_program programs[2] = {
		program(m, mechanism, draft->hook.symbol),
		program(m, POLB_MECHANISM_URETPROBE, draft->hook.symbol),
	};

	for (int i = 0; i < 2; i++) {
		programs[i].symbol = draft->place;
		programs[i].offset = draft->offset;
		programs[i].ref_ctr_offset = draft->ref_ctr_offset;
		programs[i].digests = spec->digests;
		programs[i].usdt = draft->usdt;
		if (draft->is_address)
			programs[i].flags |= POLB_PROGRAM_IS_ADDRESS;
	}
	if (m->wants.overrides)
		programs[0].flags |= POLB_PROGRAM_OVERRIDES;
	programs[1].entry = false;
	programs[1].exit = true;
	add(m, programs, m->wants.returns ? 2 : 1, reason);
}

static void plan_family(struct mechanisms *m)
{
	const char *symbol = m->draft->hook.symbol;

	switch (m->draft->hook.family) {
	case POLC_HOOK_TRACKING:
		add_one(m, program(m, POLB_MECHANISM_TP_BTF, symbol),
			"processes are known before the first call is judged");
		return;
	case POLC_HOOK_FUNCTION:
		plan_function(m);
		return;
	case POLC_HOOK_TRACEPOINT:
		add_one(m, program(m, POLB_MECHANISM_TRACEPOINT, symbol), "the event's record");
		return;
	case POLC_HOOK_RAW_TRACEPOINT:
		plan_raw_tracepoint(m);
		return;
	case POLC_HOOK_LSM:
		plan_lsm(m);
		return;
	case POLC_HOOK_UPROBE:
		plan_uprobe(m, POLB_MECHANISM_UPROBE, "an instruction of the file");
		return;
	case POLC_HOOK_USDT:
		plan_uprobe(m, POLB_MECHANISM_USDT, "a probe that the file declares");
		return;
	case POLC_HOOK_LOADER:
		m->wants.n_arguments = 2;
		plan_symbol(m, symbol);
		return;
	}
	POLC_BUG("unknown hook family %d", (int)m->draft->hook.family);
}

/* The tracking programs are the library's own. */
static void name_tracking(struct polc_trace_planner *p, struct polc_hook_draft *draft)
{
	static const char *const names[][2] = {
		{"sched_process_exec", "polt_track_exec"},
		{"sched_process_fork", "polt_track_fork"},
		{"sched_process_exit", "polt_track_exit"},
		{"cgroup_mkdir", "polt_track_cgroup"},
		{"cgroup_rmdir", "polt_track_cgroup_gone"},
	};
	struct polc_trace_program *own = POLC_NEW(&p->polc->arena, struct polc_trace_program);
	struct polc_trace_alternative *alternative =
		POLC_NEW(&p->polc->arena, struct polc_trace_alternative);

	*alternative = draft->hook.alternatives[0];
	*own = alternative->programs[0];
	for (size_t i = 0; i < POLC_ARRAY_SIZE(names); i++)
		if (!strcmp(names[i][0], draft->hook.symbol))
			own->name = names[i][1];
	alternative->programs = own;
	draft->hook.alternatives = alternative;
}

bool polc_plan_mechanisms(struct polc_trace_planner *p, struct polc_hook_draft *draft)
{
	struct mechanisms m = {.p = p, .draft = draft, .wants = find_wants(p->tracing, draft)};

	plan_family(&m);
	bool ok = keep_possible(&m);
	draft->hook.alternatives = m.alternatives.items;
	draft->hook.n_alternatives = (uint32_t)m.alternatives.n;
	if (draft->hook.family == POLC_HOOK_TRACKING)
		name_tracking(p, draft);
	return ok;
}
