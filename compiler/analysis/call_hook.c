/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The hook of a described call: its words, and which specs are on it. */
#include <stdlib.h>
#include <string.h>

#include "call_private.h"

static const struct {
	const char *word;
	enum polc_call_hook_kind kind;
} words[] = {
	{"kprobe", POLC_CALL_FUNCTION},
	{"fentry", POLC_CALL_FUNCTION},
	{"syscall", POLC_CALL_SYSCALL},
	{"lsm", POLC_CALL_LSM},
	{"tracepoint", POLC_CALL_TRACEPOINT},
	{"raw-tracepoint", POLC_CALL_RAW_TRACEPOINT},
	{"uprobe", POLC_CALL_UPROBE},
	{"usdt", POLC_CALL_USDT},
};

static const char *word_of(enum polc_call_hook_kind kind)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(words); i++)
		if (words[i].kind == kind)
			return words[i].word;
	return "";
}

static enum polc_call_hook_kind kind_of(const struct polc_trace_spec *spec)
{
	switch (spec->section) {
	case POLC_SECTION_KPROBE:
	case POLC_SECTION_FENTRY:
		return POLC_CALL_FUNCTION;
	case POLC_SECTION_TRACEPOINT:
		return spec->raw ? POLC_CALL_RAW_TRACEPOINT : POLC_CALL_TRACEPOINT;
	case POLC_SECTION_LSM:
		return POLC_CALL_LSM;
	case POLC_SECTION_UPROBE:
		return POLC_CALL_UPROBE;
	case POLC_SECTION_USDT:
		return POLC_CALL_USDT;
	case POLC_N_SECTIONS:
		break;
	}
	POLC_BUG("unknown section %d", (int)spec->section);
}

static bool same_syscall(const struct polc_trace_symbol *symbol, const char *name)
{
	struct polc_syscall call;

	return polc_syscall_parse(name, &call) && call.abi == symbol->syscall.abi &&
	       (call.number == UINT32_MAX ? !strcmp(call.name, symbol->syscall.name)
					  : call.number == symbol->syscall.number);
}

/* Tracepoints go by "subsystem/event", raw ones by the event alone too. */
static bool same_name(enum polc_call_hook_kind kind, const char *symbol, const char *name)
{
	const char *slash = strrchr(symbol, '/');

	if (!strcmp(symbol, name))
		return true;
	if (kind == POLC_CALL_RAW_TRACEPOINT && slash && !strcmp(slash + 1, name))
		return true;
	return kind == POLC_CALL_LSM && !strncmp(name, "security_", 9) && !strcmp(symbol, name + 9);
}

/* What is behind "PATH" and a separator; NULL: another path. */
static const char *behind_path(const struct polc_trace_spec *spec, const char *name, char separator)
{
	size_t n = strlen(spec->path ? spec->path : "");

	return n && !strncmp(name, spec->path, n) && name[n] == separator ? name + n + 1 : NULL;
}

static bool find_offset(const struct polc_trace_spec *spec, enum polc_call_hook_kind kind,
	const char *name, uint32_t *out)
{
	const char *text = kind == POLC_CALL_UPROBE ? behind_path(spec, name, '+') : NULL;
	char *end;

	if (!text || !*text)
		return false;
	uint64_t offset = strtoull(text, &end, 0);

	for (uint32_t i = 0; !*end && i < spec->offsets.n; i++) {
		if (spec->offsets.items[i] == offset) {
			*out = i;
			return true;
		}
	}
	return false;
}

static bool symbol_is(const struct polc_trace_spec *spec, const struct polc_trace_symbol *symbol,
	enum polc_call_hook_kind kind, const char *name)
{
	if (symbol->missing || (kind == POLC_CALL_SYSCALL && !spec->syscall))
		return false;
	if (kind == POLC_CALL_UPROBE) {
		name = behind_path(spec, name, ':');
		return name && !strcmp(symbol->name, name);
	}
	return spec->syscall ? same_syscall(symbol, name) : same_name(kind, symbol->name, name);
}

/* Whether the spec is on this hook, and by which of its symbols. */
static bool is_on(const struct polc_trace_spec *spec, enum polc_call_hook_kind kind,
	const char *name, uint32_t *symbol)
{
	enum polc_call_hook_kind own = kind_of(spec);

	*symbol = 0;
	if (own != (kind == POLC_CALL_SYSCALL ? POLC_CALL_FUNCTION : kind))
		return false;
	if (kind == POLC_CALL_USDT) {
		const char *place = behind_path(spec, name, ':');
		size_t n = strlen(spec->provider ? spec->provider : "");

		return place && !strncmp(place, spec->provider, n) && place[n] == ':' &&
		       !strcmp(place + n + 1, spec->name);
	}
	if (find_offset(spec, kind, name, symbol))
		return true;
	for (uint32_t i = 0; i < spec->symbols.n; i++) {
		if (symbol_is(spec, &spec->symbols.items[i], kind, name)) {
			*symbol = i;
			return true;
		}
	}
	return false;
}

static void find_members(struct polc_call_reader *r, enum polc_call_hook_kind kind)
{
	struct polc_arena *arena = &r->polc->arena;
	struct polc_call_member member = {0};

	r->call->kind = kind;
	for (uint32_t i = 0; i < r->tracing->n_specs; i++) {
		const struct polc_trace_spec *spec = &r->tracing->specs[i];

		if (!is_on(spec, kind, r->call->name, &member.symbol))
			continue;
		member.spec = i;
		member.values = POLC_NEW_ARRAY(arena, spec->values.n + 1, struct polc_call_value);
		*polc_vec_push(arena, &r->call->members) = member;
	}
}

/* "kprobe cap_capable", as somebody could have written it. */
static const char *hook_name(
	struct polc_arena *arena, const struct polc_trace_spec *spec, uint32_t i)
{
	const char *word = word_of(kind_of(spec));

	if (spec->section == POLC_SECTION_USDT)
		return polc_arena_printf(
			arena, "%s %s:%s:%s", word, spec->path, spec->provider, spec->name);
	if (spec->section == POLC_SECTION_UPROBE && i < spec->symbols.n)
		return polc_arena_printf(
			arena, "%s %s:%s", word, spec->path, spec->symbols.items[i].name);
	if (spec->section == POLC_SECTION_UPROBE)
		return polc_arena_printf(arena, "%s %s+0x%llx", word, spec->path,
			(unsigned long long)spec->offsets.items[i - spec->symbols.n]);
	if (spec->syscall)
		return polc_arena_printf(arena, "syscall %s%s",
			spec->symbols.items[i].syscall.abi == POLC_ABI_I386 ? "i386/" : "",
			spec->symbols.items[i].syscall.name);
	return polc_arena_printf(arena, "%s %s", word, spec->symbols.items[i].name);
}

typedef POLC_VEC(const char *) name_list;

static void hook_names(struct polc_call_reader *r, name_list *out)
{
	struct polc_arena *arena = &r->polc->arena;

	for (uint32_t i = 0; i < r->tracing->n_specs; i++) {
		const struct polc_trace_spec *spec = &r->tracing->specs[i];
		size_t n = spec->symbols.n + spec->offsets.n + (spec->section == POLC_SECTION_USDT);

		for (uint32_t j = 0; j < n; j++)
			*polc_vec_push(arena, out) = hook_name(arena, spec, j);
	}
}

/* The nearest hook, by its whole name or by what is behind the first word. */
static const char *nearest_hook(struct polc_call_reader *r, const name_list *hooks)
{
	const char **tails = POLC_NEW_ARRAY(&r->polc->arena, hooks->n + 1, const char *);
	const char *near = polc_nearest(r->call->hook, hooks->items, hooks->n);

	for (size_t i = 0; i < hooks->n; i++)
		tails[i] = strchr(hooks->items[i], ' ') + 1;
	if (near)
		return near;
	near = polc_nearest(r->call->name, tails, hooks->n);
	for (size_t i = 0; i < hooks->n && near; i++)
		if (tails[i] == near || !strcmp(tails[i], r->call->name))
			return hooks->items[i];
	return NULL;
}

static bool complain_hook(struct polc_call_reader *r)
{
	struct polc_arena *arena = &r->polc->arena;
	const char *suggestion = "no tracing policy has a hook";
	name_list hooks = {0};

	hook_names(r, &hooks);
	const char *near = nearest_hook(r, &hooks);

	if (near)
		suggestion = polc_arena_printf(arena, "did you mean '%s'?", near);
	else if (hooks.n)
		suggestion = polc_arena_printf(arena, "there is '%s'%s", hooks.items[0],
			hooks.n > 1 ? polc_arena_printf(arena, " and %zu more", hooks.n - 1) : "");
	polc_call_complain(r, r->span, suggestion, "no policy is on the hook '%s'", r->call->hook);
	return false;
}

bool polc_call_read_hook(struct polc_call_reader *r)
{
	struct polc_call *call = r->call;
	size_t n = strcspn(call->hook, " \t");
	const char *rest = call->hook + n + strspn(call->hook + n, " \t");

	call->name = call->hook;
	call->kind = POLC_CALL_BARE;
	for (size_t i = 0; *rest && i < POLC_ARRAY_SIZE(words); i++) {
		if (strlen(words[i].word) != n || strncmp(words[i].word, call->hook, n) != 0)
			continue;
		call->kind = words[i].kind;
		call->name = rest;
	}
	if (call->kind != POLC_CALL_BARE)
		find_members(r, call->kind);
	else
		find_members(r, POLC_CALL_FUNCTION);
	if (!call->members.n && call->name == call->hook)
		find_members(r, POLC_CALL_LSM);
	return call->members.n || complain_hook(r);
}
