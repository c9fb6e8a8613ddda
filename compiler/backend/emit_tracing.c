/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * polc_config.h's tracing part and polc_tracing.h: per hook the functions of its members, the two
 * that run them (enter, leave), and one small program per mechanism.
 */
#include <string.h>

#include "emit_tracing.h"

enum {
	/* of captured values, multiples of 8: unix sockets and records; texts and paths
	   (arguments.h) */
	MAX_SHORT_ROOM = 256,
	MAX_TEXT_ROOM = 4136,
	MAX_PENDING_BYTES = 4608, /* one of the longest, and what goes with it (config.h) */
};
_Static_assert(
	MAX_SHORT_ROOM >= sizeof(struct polb_event_argument) + sizeof(struct polb_payload_cred) &&
		MAX_SHORT_ROOM >= sizeof(struct polb_event_argument) +
					  sizeof(struct polb_payload_perf_event) &&
		sizeof(struct polb_payload_net) % 8 == 0,
	"records fit");

const struct polc_trace_spec *polc_emit_spec(
	const struct polc_emitter *e, const struct polc_trace_member *member)
{
	return &e->plan->tracing->specs[member->spec];
}

uint32_t polc_emit_usdt(const struct polc_emitter *e)
{
	return e->hook->alternatives[0].programs[0].usdt;
}

/* ---- what is used ---- */

static bool any_action(const struct polc_tracing *tracing, enum polb_trace_action action)
{
	for (size_t i = 0; i < tracing->n_specs; i++)
		if (polc_spec_has_action(&tracing->specs[i], action) ||
			tracing->specs[i].return_arg_action == action)
			return true;
	return false;
}

static bool any_socks(const struct polc_tracing *tracing)
{
	return any_action(tracing, POLB_ACTION_TRACK_SOCK) ||
	       any_action(tracing, POLB_ACTION_UNTRACK_SOCK);
}

static bool any_rates(const struct polc_tracing *tracing)
{
	for (size_t i = 0; i < tracing->n_specs; i++)
		for (size_t j = 0; j < tracing->specs[i].selectors.n; j++) {
			const struct polc_trace_selector *s = &tracing->specs[i].selectors.items[j];

			for (size_t k = 0; k < s->actions.n; k++)
				if (s->actions.items[k].rate_interval_ns)
					return true;
			for (size_t k = 0; k < s->return_actions.n; k++)
				if (s->return_actions.items[k].rate_interval_ns)
					return true;
		}
	return false;
}

static bool any_hash(const struct polc_tracing *tracing)
{
	for (size_t i = 0; i < tracing->n_specs; i++)
		if (polc_spec_takes_hash(&tracing->specs[i]))
			return true;
	return false;
}

static bool any_buckets(const struct polc_tracing *tracing)
{
	for (size_t i = 0; i < tracing->n_policies; i++)
		if (tracing->policies[i].events_per_second)
			return true;
	return false;
}

static bool any_family(const struct polc_tracing_plan *plan, enum polc_hook_family family)
{
	for (uint32_t i = 0; i < plan->n_hooks; i++)
		if (plan->hooks[i].family == family)
			return true;
	return false;
}

static bool any_pending(const struct polc_tracing_plan *plan)
{
	for (uint32_t i = 0; i < plan->n_hooks; i++)
		if (polc_emit_hook_is_split(&plan->hooks[i]))
			return true;
	return false;
}

/* The room that one captured value may take in an event, with its head. */
static uint32_t value_room(const struct polc_trace_value *value)
{
	switch (polc_trace_type_class(value->type)) {
	case POLB_CLASS_NOTHING:
		return 0;
	case POLB_CLASS_INT:
	case POLB_CLASS_CAPS:
		return sizeof(struct polb_event_argument) + 8;
	case POLB_CLASS_NET:
		return sizeof(struct polb_event_argument) + sizeof(struct polb_payload_net);
	case POLB_CLASS_UNIX:
		return MAX_SHORT_ROOM;
	case POLB_CLASS_RECORD:
		return MAX_SHORT_ROOM;
	case POLB_CLASS_STRING:
	case POLB_CLASS_BYTES:
	case POLB_CLASS_PATH:
		return MAX_TEXT_ROOM;
	}
	POLC_BUG("unknown class of type %u", value->type);
}

/* Bytes that a call keeps until its return: as many as some spec can need, with a limit. */
static uint32_t pending_bytes(const struct polc_tracing *tracing)
{
	uint32_t most = 0;

	for (size_t i = 0; i < tracing->n_specs; i++) {
		const struct polc_trace_spec *spec = &tracing->specs[i];
		uint32_t room = 0;

		for (size_t j = 0; spec->has_return && j < spec->values.n; j++)
			room += value_room(&spec->values.items[j]);
		most = room > most ? room : most;
	}
	return most < MAX_PENDING_BYTES ? most : MAX_PENDING_BYTES;
}

static bool any_nets(const struct polc_tracing_plan *plan, unsigned family)
{
	for (size_t i = 0; i < plan->nets.n; i++)
		if (plan->nets.items[i].prefix.family == family)
			return true;
	return false;
}

static uint32_t memo_words(const struct polc_tracing_plan *plan, struct polc_arena *arena)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < plan->n_hooks; i++) {
		uint32_t n = polc_emit_memo_words(plan, &plan->hooks[i], arena);

		most = n > most ? n : most;
	}
	return most;
}

/* ---- polc_config.h ---- */

static void define(struct polc_buf *out, const char *name, uint64_t value)
{
	polc_buf_printf(out, "#define %s %llu\n", name, (unsigned long long)value);
}

static void emit_string_config(const struct polc_tracing_plan *plan, struct polc_buf *out)
{
	bool equal = false, prefix = false, postfix = false, automata = false;

	for (uint32_t i = 0; i < plan->n_domains; i++) {
		const struct polc_string_domain *d = &plan->domains[i];

		equal |= d->equal;
		prefix |= d->prefix;
		postfix |= d->postfix;
		automata |= d->automaton || d->folded;
	}
	define(out, "POLT_HAS_STRINGS", equal);
	define(out, "POLT_HAS_PREFIXES", prefix);
	define(out, "POLT_HAS_POSTFIXES", postfix);
	define(out, "POLT_HAS_AUTOMATA", automata);
	if (!automata)
		return;
	uint64_t words = 64;
	while (words < plan->strings.automata.n)
		words *= 2;
	define(out, "POLT_AUTOMATA_WORDS", words);
}

static void emit_binary_config(const struct polc_tracing_plan *plan, struct polc_buf *out)
{
	define(out, "POLT_N_POLICIES", plan->tracing->n_policies);
	define(out, "POLT_BINARY_WORDS", plan->binary_words);
	polc_buf_puts(out, "#define POLT_BINARY_DOMAINS");
	for (uint32_t i = 0; i < plan->binary_words; i++) {
		polc_buf_puts(out, i ? ", \\\n\t" : " ");
		polc_emit_domain(out, &plan->domains[i]);
	}
	polc_buf_puts(out, "\n");
}

/* Processes in no cgroup of the inventory are the host's. */
static void emit_workload_config(const struct polc_tracing_plan *plan, struct polc_buf *out)
{
	const struct polc_tracing *tracing = plan->tracing;

	define(out, "POLT_HAS_WORKLOADS", plan->workload_words > 0);
	if (!plan->workload_words)
		return;
	define(out, "POLT_WORKLOAD_WORDS", plan->workload_words);
	polc_buf_puts(out, "#define POLT_HOST_WORKLOADS");
	for (uint32_t w = 0; w < plan->workload_words; w++) {
		uint64_t bits = 0;

		for (size_t i = (size_t)w * 64; i < tracing->n_workloads && i < (w + 1) * 64ull;
			i++)
			if (tracing->workloads[i].selectors &&
				tracing->workloads[i].selectors->host)
				bits |= UINT64_C(1) << i % 64;
		polc_buf_printf(out, "%s 0x%llxull", w ? "," : "", (unsigned long long)bits);
	}
	polc_buf_puts(out, "\n");
}

void polc_emit_tracing_config(const struct polc_tracing_plan *plan, struct polc_buf *out)
{
	const struct polc_tracing *tracing = plan->tracing;

	polc_buf_puts(out, "/* Names as in bpf-templates/tracing/config.h. */\n");
	define(out, "POLT_TRACING", 1);
	emit_binary_config(plan, out);
	emit_workload_config(plan, out);
	define(out, "POLT_N_SELECTORS", tracing->n_selectors);
	emit_string_config(plan, out);
	define(out, "POLT_HAS_INTERVALS", plan->intervals.n > 0);
	define(out, "POLT_HAS_NETS4", any_nets(plan, 4));
	define(out, "POLT_HAS_NETS6", any_nets(plan, 6));
	define(out, "POLT_HAS_PENDING", any_pending(plan));
	if (any_pending(plan))
		define(out, "POLT_PENDING_BYTES", pending_bytes(tracing));
	define(out, "POLT_HAS_RATES", any_rates(tracing));
	define(out, "POLT_HAS_BUCKETS", any_buckets(tracing));
	define(out, "POLT_HAS_SOCKS", any_socks(tracing));
	define(out, "POLT_HAS_IMA", any_hash(tracing));
	define(out, "POLT_HAS_ENFORCER",
		any_action(tracing, POLB_ACTION_NOTIFY_ENFORCER) ||
			any_action(tracing, POLB_ACTION_CLEANUP_ENFORCER));
	define(out, "POLT_MEMO_WORDS", memo_words(plan, out->arena));
	define(out, "POLT_HAS_USDT", any_family(plan, POLC_HOOK_USDT));
}

/* ---- the functions that run members ---- */

/* Tests that need the record; with a memo it is got at once: one state less for the verifier. */
static bool asks_for_process(const struct polc_emitter *e)
{
	const uint32_t kinds = 1u << POLC_TEST_BINARY | 1u << POLC_TEST_PIDS |
			       1u << POLC_TEST_NAMESPACE_CHANGES |
			       1u << POLC_TEST_CAPABILITY_CHANGES;

	for (uint32_t i = 0; i < e->hook->n_members; i++) {
		const struct polc_trace_spec *spec = polc_emit_spec(e, &e->hook->members[i]);

		for (size_t j = 0; j < spec->selectors.n; j++)
			for (size_t k = 0; k < spec->selectors.items[j].tests.n; k++)
				if (kinds >> spec->selectors.items[j].tests.items[k].kind & 1)
					return true;
	}
	return false;
}

static void emit_memo(struct polc_emitter *e)
{
	const struct polc_trace_spec *first = polc_emit_spec(e, &e->hook->members[0]);

	polc_buf_printf(e->out,
		"\th->memo = polt_need_memo(&h->call, %u);\n\tif (!h->memo) {\n"
		"\t\tpolt_count(%uu, unreadable);\n\t\tpolt_call_end(&h->call);\n"
		"\t\treturn 0;\n\t}\n\th->call.verdict = &h->memo->words[0];\n",
		e->memo_words, first->selectors.n ? first->selectors.items[0].number : UINT32_MAX);
	if (asks_for_process(e))
		polc_buf_puts(e->out, "\tpolt_need_record(&h->call);\n");
}

static void emit_begin(struct polc_emitter *e)
{
	const char *empty = e->has_memo ? " = {}" : "";

	polc_buf_printf(
		e->out, "\tstruct polt_h%u state = {}, *const h = &state;\n", e->hook->number);
	if (!e->has_memo)
		polc_buf_puts(e->out, "\t__u64 verdict = 0;\n");
	for (uint32_t i = 0; i < e->items.n; i++)
		if (e->items.items[i].kind == POLC_ITEM_NET)
			polc_buf_printf(e->out, "\tstruct polb_payload_net net%u%s;\n", i, empty);
	polc_buf_puts(e->out, "\n\tif (!polt_active())\n\t\treturn 0;\n");
	if (e->has_memo)
		emit_memo(e);
	else
		polc_buf_puts(e->out, "\th->call.verdict = &verdict;\n");
	for (uint32_t i = 0; i < e->items.n; i++)
		if (e->items.items[i].kind == POLC_ITEM_NET)
			polc_buf_printf(e->out, "\th->net%u = &net%u;\n", i, i);
}

static void emit_enter(struct polc_emitter *e)
{
	unsigned h = e->hook->number;

	polc_buf_printf(e->out,
		"\nstatic __always_inline int polt_h%u_enter(" POLC_EMIT_CONTEXT
		",\n\tconst bool whole, const bool overrides)\n{\n",
		h);
	emit_begin(e);
	for (uint32_t i = 0; i < e->hook->n_members; i++)
		polc_buf_printf(e->out, "\tpolt_h%u_m%u(ctx, how, parameters, whole, h);\n", h, i);
	if (e->hook->n_enforcers)
		polc_buf_puts(e->out, "\tif (!*h->call.verdict)\n"
				      "\t\t*h->call.verdict = (__u32)polt_enforcer_take() |\n"
				      "\t\t\t(__u64)POLT_NO_SELECTOR << 32;\n");
	polc_buf_puts(e->out, "\tconst __s32 error = polt_call_error(&h->call);\n"
			      "\tconst __u32 selector = *h->call.verdict >> 32;\n"
			      "\tpolt_call_end(&h->call);\n"
			      "\tif (overrides && error)\n"
			      "\t\tpolt_override_return(ctx, selector, error);\n"
			      "\treturn error;\n}\n");
}

bool polc_emit_takes_hash(const struct polc_emitter *e)
{
	for (uint32_t i = 0; i < e->hook->n_members; i++)
		if (polc_spec_takes_hash(polc_emit_spec(e, &e->hook->members[i])))
			return true;
	return false;
}

/* Whether the event of this call takes the file's hash. */
static void emit_look(struct polc_emitter *e)
{
	unsigned h = e->hook->number;

	polc_buf_printf(e->out,
		"\nstatic __always_inline int polt_h%u_look(" POLC_EMIT_CONTEXT ")\n{\n", h);
	emit_begin(e);
	for (uint32_t i = 0; i < e->hook->n_members; i++)
		if (polc_spec_takes_hash(polc_emit_spec(e, &e->hook->members[i])))
			polc_buf_printf(e->out, "\tpolt_h%u_w%u(ctx, how, parameters, h);\n", h, i);
	polc_buf_printf(e->out,
		"\tconst bool wanted = h->call.hash;\n\tpolt_call_end(&h->call);\n"
		"\tif (wanted)\n\t\tpolt_hash_want(%u);\n\treturn 0;\n}\n",
		h);
}

static void emit_leave(struct polc_emitter *e)
{
	unsigned h = e->hook->number;

	polc_buf_printf(e->out,
		"\nstatic __always_inline int polt_h%u_leave(" POLC_EMIT_CONTEXT ")\n{\n", h);
	emit_begin(e);
	for (uint32_t i = 0; i < e->hook->n_members; i++)
		if (polc_emit_spec(e, &e->hook->members[i])->has_return)
			polc_buf_printf(e->out, "\tpolt_h%u_x%u(ctx, how, parameters, h);\n", h, i);
	polc_buf_puts(e->out, "\tpolt_call_end(&h->call);\n\treturn 0;\n}\n");
}

/* ---- programs ---- */

struct mechanism {
	const char *section, *how;
	bool has_target; /* in the section's name */
	bool returns;    /* its result matters */
};
static const struct mechanism mechanisms[] = {
	[POLB_MECHANISM_FENTRY] = {"fentry", "FENTRY", true, false},
	[POLB_MECHANISM_FEXIT] = {"fexit", "FEXIT", true, false},
	[POLB_MECHANISM_FMOD_RET] = {"fmod_ret", "FMOD_RET", true, true},
	[POLB_MECHANISM_LSM] = {"lsm", "LSM", true, true},
	[POLB_MECHANISM_LSM_SLEEPABLE] = {"lsm.s", "LSM", true, true},
	[POLB_MECHANISM_KPROBE] = {"kprobe", "KPROBE", true, false},
	[POLB_MECHANISM_KRETPROBE] = {"kretprobe", "KRETPROBE", true, false},
	[POLB_MECHANISM_TRACEPOINT] = {"tp", "TRACEPOINT", true, false},
	[POLB_MECHANISM_RAW_TRACEPOINT] = {"raw_tp", "RAW_TP", true, false},
	[POLB_MECHANISM_TP_BTF] = {"tp_btf", "RAW_TP", true, false},
	[POLB_MECHANISM_UPROBE] = {"uprobe", "UPROBE", false, false},
	[POLB_MECHANISM_URETPROBE] = {"uretprobe", "URETPROBE", false, false},
	[POLB_MECHANISM_USDT] = {"uprobe", "UPROBE", false, false},
};

static void emit_program(struct polc_emitter *e, const struct polc_trace_program *p)
{
	const struct mechanism *m = &mechanisms[p->mechanism];
	uint32_t parameters = p->flags & POLB_PROGRAM_EXACT_ARGUMENTS ? p->n_arguments : 0;

	/* fmod_ret: the whole register becomes the function's result, which may be a long */
	polc_buf_printf(e->out, "\nSEC(\"%s%s%s\") %s %s(void *ctx)\n{\n\t", m->section,
		m->has_target ? "/" : "", m->has_target ? p->target : "",
		p->mechanism == POLB_MECHANISM_FMOD_RET ? "__s64" : "int", p->name);
	polc_buf_puts(e->out, m->returns ? "return " : "");
	if (p->hashes)
		polc_buf_printf(e->out, "polt_hash_make(ctx, %u, %s);\n", e->hook->number,
			polc_ima_hook(e->hook->symbol)->is_binprm ? "true" : "false");
	else if (p->looks)
		polc_buf_printf(e->out, "polt_h%u_look(ctx, POLT_%s, %u);\n", e->hook->number,
			m->how, parameters);
	else if (p->entry)
		polc_buf_printf(e->out, "polt_h%u_enter(ctx, POLT_%s, %u, %s, %s);\n",
			e->hook->number, m->how, parameters, p->exit ? "true" : "false",
			p->mechanism == POLB_MECHANISM_KPROBE && p->flags & POLB_PROGRAM_OVERRIDES
				? "true"
				: "false");
	else
		polc_buf_printf(e->out, "polt_h%u_leave(ctx, POLT_%s, %u);\n", e->hook->number,
			m->how, parameters);
	polc_buf_puts(e->out, m->returns ? "}\n" : "\treturn 0;\n}\n");
}

/* An earlier alternative has it too. */
static bool is_emitted(const struct polc_emitter *e, uint32_t alternative, const char *name)
{
	for (uint32_t i = 0; i < alternative; i++)
		for (uint32_t j = 0; j < e->hook->alternatives[i].n_programs; j++)
			if (!strcmp(e->hook->alternatives[i].programs[j].name, name))
				return true;
	return false;
}

static void emit_programs(struct polc_emitter *e)
{
	for (uint32_t i = 0; i < e->hook->n_alternatives; i++)
		for (uint32_t j = 0; j < e->hook->alternatives[i].n_programs; j++)
			if (!is_emitted(e, i, e->hook->alternatives[i].programs[j].name))
				emit_program(e, &e->hook->alternatives[i].programs[j]);
}

/* One program that sees the whole call, or one for the entry and one for the return. */
static void emit_described(struct polc_emitter *e)
{
	unsigned h = e->hook->number;
	bool split = polc_emit_hook_is_split(e->hook);

	polc_buf_printf(e->out,
		"\nSEC(\"raw_tp\") int polt_h%u_described(void *ctx)\n{\n"
		"\treturn polt_h%u_enter(ctx, POLT_RAW_TP, POLB_DESCRIBED_RESULT, %s, false);\n}\n",
		h, h, split ? "false" : "true");
	if (split)
		polc_buf_printf(e->out,
			"\nSEC(\"raw_tp\") int polt_h%u_returned(void *ctx)\n{\n"
			"\treturn polt_h%u_leave(ctx, POLT_RAW_TP, POLB_DESCRIBED_RESULT);\n}\n",
			h, h);
}

/* Libraries that are loaded: files mapped to be executed. */
static void emit_loader(struct polc_emitter *e)
{
	const struct polc_tracing *tracing = e->plan->tracing;
	uint32_t policy = 0;

	while (policy < tracing->n_policies && !tracing->policies[policy].loader)
		policy++;
	polc_buf_printf(e->out,
		"\nstatic __always_inline int polt_h%u_enter(" POLC_EMIT_CONTEXT
		",\n\tconst bool whole, const bool overrides)\n{\n"
		"\tpolt_judge_loader(ctx, how, %u);\n\treturn 0;\n}\n",
		e->hook->number, policy);
}

static void emit_hook(struct polc_emitter *e)
{
	polc_buf_printf(e->out, "\n/* --- %s --- */\n", e->hook->text);
	if (e->hook->family == POLC_HOOK_LOADER) {
		emit_loader(e);
		emit_programs(e);
		return;
	}
	polc_emit_collect_values(e);
	polc_emit_collect_items(e);
	polc_emit_values(e);
	polc_emit_items(e);
	for (uint32_t i = 0; i < e->hook->n_members; i++)
		polc_emit_member(e, &e->hook->members[i]);
	emit_enter(e);
	if (polc_emit_takes_hash(e))
		emit_look(e);
	if (polc_emit_hook_is_split(e->hook))
		emit_leave(e);
	if (e->described)
		emit_described(e);
	else
		emit_programs(e);
}

static void emit_hooks(const struct polc_tracing_plan *plan, bool described, struct polc_buf *out)
{
	polc_buf_printf(out,
		"/* Generated by polc: what the letters stand for is said in "
		"bpf-templates/tracing.md. */\n"
		"#include \"bpf-templates/tracing/%s.h\"\n",
		described ? "described_values" : "judge");
	for (uint32_t i = 0; i < plan->n_hooks; i++) {
		struct polc_emitter e = {
			.out = out,
			.arena = out->arena,
			.plan = plan,
			.hook = &plan->hooks[i],
			.has_socks = any_socks(plan->tracing),
			.described = described,
		};

		if (plan->hooks[i].family != POLC_HOOK_TRACKING &&
			!(described && plan->hooks[i].family == POLC_HOOK_LOADER))
			emit_hook(&e);
	}
}

void polc_emit_tracing_programs(const struct polc_tracing_plan *plan, struct polc_buf *out)
{
	emit_hooks(plan, false, out);
}

void polc_emit_described_config(const struct polc_tracing_plan *plan, struct polc_buf *out)
{
	define(out, "POLT_NETWORK", 0);
	define(out, "POLT_DESCRIBED", 1);
	polc_emit_tracing_config(plan, out);
}

void polc_emit_described_programs(const struct polc_tracing_plan *plan, struct polc_buf *out)
{
	emit_hooks(plan, true, out);
}
