/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a hook sits on: lists, system calls, functions, LSM hooks, tracepoints, symbols of programs
 * (reference 1.2, T21, T22, T26), and whether the targets have it.
 */
#include <errno.h>
#include <string.h>

#include "lower_tracing.h"

static const char list_prefix[] = "list:";

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool polc_trace_is_list(const struct polc_ast_text *text)
{
	return starts_with(text->text, list_prefix);
}

static const char *nearest_syscall(const struct polc_syscall *call)
{
	size_t n;
	const char *const *names = polc_syscall_names(call->abi, &n);

	return call->name ? polc_nearest(call->name, names, n) : NULL;
}

/* --- lists ---------------------------------------------------------------------------------------
 */

static bool is_type(const struct polc_ast_list *list, const char *type)
{
	return !strcmp(list->type.text ? list->type.text : "", type);
}

bool polc_trace_list_has_syscalls(const struct polc_ast_list *list)
{
	return is_type(list, "syscalls") || is_type(list, "generated_syscalls");
}

static bool is_generated(const struct polc_ast_list *list)
{
	return is_type(list, "generated_syscalls") || is_type(list, "generated_ftrace");
}

const struct polc_ast_list *polc_trace_find_list(
	struct polc_trace_lowering *l, const struct polc_ast_text *reference)
{
	const char *name = reference->text + strlen(list_prefix);

	for (size_t i = 0; i < l->ast->lists.n; i++)
		if (!strcmp(l->ast->lists.items[i].name.text, name))
			return &l->ast->lists.items[i];
	const char **names = POLC_NEW_ARRAY(&l->polc->arena, l->ast->lists.n + 1, const char *);

	for (size_t i = 0; i < l->ast->lists.n; i++)
		names[i] = l->ast->lists.items[i].name.text;
	struct polc_diagnostic *d = polc_error(l->polc, reference->span, POLC_CODE_TRACE_LIST,
		"no list '%s' in this policy", name);
	const char *near = polc_nearest(name, names, l->ast->lists.n);

	if (near)
		polc_diagnostic_suggest(l->polc, d, "did you mean 'list:%s'?", near);
	return NULL;
}

static void check_list_syscalls(struct polc_trace_lowering *l, const struct polc_ast_list *list)
{
	for (size_t i = 0; i < list->values.n; i++) {
		const struct polc_ast_text *value = &list->values.items[i];
		struct polc_syscall call = {0};

		if (polc_syscall_parse(value->text, &call) && call.number != UINT32_MAX)
			continue;
		const char *near = nearest_syscall(&call);
		struct polc_diagnostic *d = polc_error(l->polc, value->span, POLC_CODE_TRACE_LIST,
			"'%s' is no system call", value->text);

		if (near)
			polc_diagnostic_suggest(l->polc, d, "did you mean 'sys_%s'?", near);
	}
}

static void check_list_shape(struct polc_trace_lowering *l, const struct polc_ast_list *list)
{
	struct polc *polc = l->polc;

	if (!is_type(list, "") && !polc_trace_list_has_syscalls(list) && !is_generated(list))
		polc_error(polc, list->type.span, POLC_CODE_TRACE_LIST,
			"'%s' is no type of a list: syscalls, generated_syscalls, generated_ftrace "
			"or none",
			list->type.text);
	else if (is_generated(list) && list->values.n)
		polc_error(polc, list->values.items[0].span, POLC_CODE_TRACE_LIST,
			"a list of type %s has no values", list->type.text);
	else if (!is_generated(list) && !list->values.n)
		polc_error(polc, list->span, POLC_CODE_TRACE_LIST, "list '%s' has no values",
			list->name.text);
	if (is_type(list, "generated_ftrace") && !list->pattern.text)
		polc_error(polc, list->span, POLC_CODE_TRACE_LIST,
			"a list of type generated_ftrace needs a pattern");
	else if (!is_type(list, "generated_ftrace") && list->pattern.text)
		polc_error(polc, list->pattern.span, POLC_CODE_TRACE_LIST,
			"only a list of type generated_ftrace has a pattern");
}

static void check_list_name(struct polc_trace_lowering *l, size_t index)
{
	const struct polc_ast_list *list = &l->ast->lists.items[index];

	for (size_t i = 0; i < index; i++) {
		const struct polc_ast_list *other = &l->ast->lists.items[i];

		if (strcmp(other->name.text, list->name.text))
			continue;
		struct polc_diagnostic *d = polc_error(l->polc, list->name.span,
			POLC_CODE_TRACE_LIST, "a second list '%s'", list->name.text);

		polc_diagnostic_relate(l->polc, d, other->name.span, "the first one");
		return;
	}
}

void polc_trace_check_lists(struct polc_trace_lowering *l)
{
	for (size_t i = 0; i < l->ast->lists.n; i++) {
		const struct polc_ast_list *list = &l->ast->lists.items[i];

		check_list_name(l, i);
		check_list_shape(l, list);
		if (is_type(list, "syscalls"))
			check_list_syscalls(l, list);
	}
}

/* --- symbols -------------------------------------------------------------------------------------
 */

static bool known_symbol(const polc_trace_symbols *symbols, const char *name)
{
	for (size_t i = 0; i < symbols->n; i++)
		if (!strcmp(symbols->items[i].name, name))
			return true;
	return false;
}

static void add_symbol(struct polc_trace_lowering *l, polc_trace_symbols *out, const char *name,
	struct polc_span span)
{
	if (!known_symbol(out, name))
		*polc_vec_push(&l->polc->arena, out) =
			(struct polc_trace_symbol){.name = name, .span = span};
}

static void add_syscall(struct polc_trace_lowering *l, polc_trace_symbols *out,
	const struct polc_syscall *call, struct polc_span span)
{
	const char *name = polc_syscall_symbol(&l->polc->arena, call, false);

	if (known_symbol(out, name))
		return;
	*polc_vec_push(&l->polc->arena, out) =
		(struct polc_trace_symbol){.name = name, .syscall = *call, .span = span};
}

static void add_all_syscalls(
	struct polc_trace_lowering *l, polc_trace_symbols *out, struct polc_span span)
{
	size_t n;
	const char *const *names = polc_syscall_names(POLC_ABI_X64, &n);

	for (size_t i = 0; i < n; i++) {
		struct polc_syscall call;

		if (names[i] && polc_syscall_parse(names[i], &call))
			add_syscall(l, out, &call, span);
	}
}

/* The union over the targets: a function that one of them lacks is ignored there. */
static void add_matching(
	struct polc_trace_lowering *l, polc_trace_symbols *out, const struct polc_ast_list *list)
{
	const char *const *names;
	size_t n, before = out->n;

	if (!list->pattern.text)
		return;
	if (!polc_trace_type_targets(l)) {
		polc_error(l->polc, list->pattern.span, POLC_CODE_TRACE_TARGET,
			"a list of functions by pattern needs the types of a kernel: give "
			"--target");
		return;
	}
	if (!l->options->n_targets)
		polc_diagnostic_suggest(l->polc,
			polc_warn(l->polc, list->pattern.span, POLC_CODE_TRACE_TARGET,
				"the functions are those of the kernel that runs here"),
			"give --target with the kernels that are meant");
	for (size_t i = 0; i < polc_trace_type_targets(l); i++) {
		if (polc_target_functions_matching(l->polc, polc_trace_type_target(l, i),
			    list->pattern.text, &names, &n) < 0) {
			polc_error(l->polc, list->pattern.span, POLC_CODE_TRACE_LIST,
				"'%s' is no regular expression", list->pattern.text);
			return;
		}
		for (size_t j = 0; j < n; j++)
			add_symbol(l, out, names[j], list->pattern.span);
	}
	if (out->n == before)
		polc_error(l->polc, list->pattern.span, POLC_CODE_TRACE_LIST,
			"no function of the target matches '%s'", list->pattern.text);
}

/* A call that is no system call: a function hooked with the wrong `syscall`, or nothing at all. */
static void report_no_syscall(struct polc_trace_scope *scope, const struct polc_ast_text *text,
	const struct polc_syscall *call)
{
	struct polc *polc = scope->l->polc;
	const char *near = nearest_syscall(call);
	bool function = starts_with(text->text, "security_");
	struct polc_diagnostic *d;

	for (size_t i = 0; i < polc_trace_type_targets(scope->l); i++)
		function |= polc_target_has_function(
				    polc_trace_type_target(scope->l, i), text->text) == POLC_YES;
	if (function) {
		d = polc_error(polc, text->span, POLC_CODE_TRACE_HOOK,
			"'%s' is a function of the kernel, not a system call", text->text);
		polc_diagnostic_suggest(polc, d, "write 'syscall: false'%s",
			scope->hook->syscall_written ? "" : ", the default is true");
		return;
	}
	d = polc_error(
		polc, text->span, POLC_CODE_TRACE_FUNCTION, "no system call '%s'", text->text);
	if (near)
		polc_diagnostic_suggest(polc, d, "did you mean 'sys_%s'?", near);
	else if (!scope->hook->syscall_written)
		polc_diagnostic_suggest(polc, d,
			"for another function write 'syscall: false', the default is true");
}

static void lower_syscall(struct polc_trace_scope *scope, const struct polc_ast_text *text)
{
	struct polc_trace_spec *spec = &scope->spec;
	struct polc_syscall call = {.number = UINT32_MAX};
	bool known = polc_syscall_parse(text->text, &call) && call.number != UINT32_MAX;

	if (known) {
		add_syscall(scope->l, &spec->symbols, &call, text->span);
		return;
	}
	if (!scope->hook->ignore_call_not_found) {
		report_no_syscall(scope, text, &call);
		return;
	}
	add_symbol(scope->l, &spec->symbols, text->text, text->span);
	spec->symbols.items[spec->symbols.n - 1].missing = true;
}

/*
 * What the programs call themselves: helpers, and what they stand on. A program on one of them
 * would run inside of itself; before 5.12 nothing in the kernel stops that for fentry.
 */
static bool is_called_by_programs(const char *function)
{
	static const char *const beginnings[] = {"bpf_ringbuf_", "bpf_probe_read", "bpf_map_",
		"bpf_get_current_", "bpf_perf_event_output", "bpf_d_path", "htab_", "__htab_",
		"array_map_", "percpu_array_map_", "trie_lookup", "trie_update"};
	static const char end[] = "_nofault";
	size_t n = strlen(function);

	for (size_t i = 0; i < POLC_ARRAY_SIZE(beginnings); i++)
		if (starts_with(function, beginnings[i]))
			return true;
	return n > sizeof(end) && !strcmp(function + n - (sizeof(end) - 1), end);
}

static void lower_function(struct polc_trace_scope *scope, const struct polc_ast_text *text)
{
	struct polc_syscall call;

	if (is_called_by_programs(text->text))
		polc_error(scope->l->polc, text->span, POLC_CODE_TRACE_HOOK,
			"the programs themselves call '%s': one on it would run inside of itself",
			text->text);
	if ((starts_with(text->text, "__x64_sys_") || starts_with(text->text, "__ia32_")) &&
		polc_syscall_parse(text->text, &call) && call.number != UINT32_MAX) {
		struct polc_diagnostic *d =
			polc_warn(scope->l->polc, text->span, POLC_CODE_TRACE_HOOK,
				"with 'syscall: false' the arguments of '%s' are not those of the "
				"system call",
				text->text);

		polc_diagnostic_suggest(
			scope->l->polc, d, "write 'call: sys_%s' and 'syscall: true'", call.name);
	}
	add_symbol(scope->l, &scope->spec.symbols, text->text, text->span);
}

static void lower_call(struct polc_trace_scope *scope, const struct polc_ast_text *text)
{
	if (scope->spec.syscall)
		lower_syscall(scope, text);
	else
		lower_function(scope, text);
}

static void lower_call_list(struct polc_trace_scope *scope)
{
	struct polc_trace_spec *spec = &scope->spec;
	const struct polc_ast_list *list = polc_trace_find_list(scope->l, &scope->hook->call);

	spec->from_list = true;
	if (!list)
		return;
	if (polc_trace_list_has_syscalls(list))
		spec->syscall = true;
	else if (is_generated(list))
		spec->syscall = false;
	spec->ignore_not_found |= is_generated(list);
	spec->by_pattern = is_type(list, "generated_ftrace");
	polc_trace_list_symbols(scope->l, list, &spec->symbols);
	if (is_type(list, ""))
		for (size_t i = 0; i < list->values.n; i++)
			lower_call(scope, &list->values.items[i]);
}

void polc_trace_list_symbols(
	struct polc_trace_lowering *l, const struct polc_ast_list *list, polc_trace_symbols *out)
{
	struct polc_syscall call;

	if (is_type(list, "generated_ftrace"))
		add_matching(l, out, list);
	if (is_type(list, "generated_syscalls"))
		add_all_syscalls(l, out, list->span);
	for (size_t i = 0; is_type(list, "syscalls") && i < list->values.n; i++)
		if (polc_syscall_parse(list->values.items[i].text, &call) &&
			call.number != UINT32_MAX)
			add_syscall(l, out, &call, list->values.items[i].span);
}

/* --- what the targets have -----------------------------------------------------------------------
 */

static enum polc_answer has_symbol(const struct polc_trace_scope *scope,
	const struct polc_target *target, const struct polc_trace_symbol *symbol)
{
	struct polc_function_type ignored;

	if (scope->hook->section == POLC_SECTION_LSM)
		return polc_target_has_lsm_hook(target, symbol->name);
	if (scope->hook->section != POLC_SECTION_TRACEPOINT)
		return polc_target_has_function(target, symbol->name);
	if (!strcmp(scope->hook->subsystem.text, "syscalls"))
		return POLC_UNKNOWN; /* its fields tell */
	return polc_target_raw_tracepoint(
		       scope->l->polc, target, scope->hook->event.text, &ignored) == -ENOENT
		       ? POLC_NO
		       : POLC_YES;
}

static void check_symbol(struct polc_trace_scope *scope, struct polc_trace_symbol *symbol)
{
	static const char *const nouns[POLC_N_SECTIONS] = {
		[POLC_SECTION_KPROBE] = "function",
		[POLC_SECTION_FENTRY] = "function",
		[POLC_SECTION_LSM] = "LSM hook",
		[POLC_SECTION_TRACEPOINT] = "tracepoint",
	};
	const struct polc_tracing_options *options = scope->l->options;
	size_t n_missing = 0;

	for (size_t i = 0; i < options->n_targets; i++) {
		const struct polc_target *target = options->targets[i];

		if (has_symbol(scope, target, symbol) != POLC_NO)
			continue;
		n_missing++;
		if (scope->spec.ignore_not_found)
			continue;
		struct polc_diagnostic *d = polc_error(scope->l->polc, symbol->span,
			POLC_CODE_TRACE_FUNCTION, "target '%s' has no %s '%s'",
			polc_target_name(target), nouns[scope->hook->section], symbol->name);

		polc_diagnostic_suggest(scope->l->polc, d,
			"'ignore: {callNotFound: true}' passes over it where it is missing");
	}
	symbol->missing |= options->n_targets && n_missing == options->n_targets;
}

static void check_symbols(struct polc_trace_scope *scope)
{
	if (scope->hook->section == POLC_SECTION_UPROBE ||
		scope->hook->section == POLC_SECTION_USDT)
		return;
	for (size_t i = 0; i < scope->spec.symbols.n; i++)
		check_symbol(scope, &scope->spec.symbols.items[i]);
}

/* --- sections ------------------------------------------------------------------------------------
 */

static void lower_lsm(struct polc_trace_scope *scope)
{
	const struct polc_ast_text *hook = &scope->hook->call;
	static const char *const prefixes[] = {"security_", "bpf_lsm_"};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(prefixes); i++) {
		if (!starts_with(hook->text, prefixes[i]))
			continue;
		struct polc_diagnostic *d = polc_error(scope->l->polc, hook->span,
			POLC_CODE_TRACE_HOOK, "an LSM hook is named without '%s'", prefixes[i]);

		polc_diagnostic_suggest(
			scope->l->polc, d, "did you mean '%s'?", hook->text + strlen(prefixes[i]));
		return;
	}
	add_symbol(scope->l, &scope->spec.symbols, hook->text, hook->span);
}

static void lower_tracepoint(struct polc_trace_scope *scope)
{
	const struct polc_ast_hook *hook = scope->hook;

	scope->spec.raw = hook->raw;
	add_symbol(scope->l, &scope->spec.symbols,
		polc_arena_printf(
			&scope->l->polc->arena, "%s/%s", hook->subsystem.text, hook->event.text),
		polc_span_join(hook->subsystem.span, hook->event.span));
}

/* "symbol" or "symbol+0x10" */
static void lower_uprobe_symbol(struct polc_trace_scope *scope, const struct polc_ast_text *text)
{
	const char *plus = strrchr(text->text, '+');
	uint64_t offset;

	if (plus && (plus == text->text || polc_parse_integer(plus + 1, strlen(plus + 1), 8, false,
						   &offset) != POLC_PARSED))
		polc_error(scope->l->polc, text->span, POLC_CODE_TRACE_HOOK,
			"'%s' is neither a symbol nor symbol+offset", text->text);
	add_symbol(scope->l, &scope->spec.symbols, text->text, text->span);
}

static bool parse_offset(
	struct polc_trace_scope *scope, const struct polc_ast_text *text, uint64_t *out)
{
	if (polc_parse_integer(text->text, text->n, 8, false, out) == POLC_PARSED)
		return true;
	polc_error(scope->l->polc, text->span, POLC_CODE_TRACE_VALUE,
		"'%s' is no offset of 64 bits", text->text);
	return false;
}

static void lower_offsets(struct polc_trace_scope *scope, const polc_ast_texts *texts)
{
	uint64_t offset;

	for (size_t i = 0; i < texts->n; i++)
		if (parse_offset(scope, &texts->items[i], &offset))
			*polc_vec_push(&scope->l->polc->arena, &scope->spec.offsets) = offset;
}

static void lower_ref_ctr_offsets(struct polc_trace_scope *scope)
{
	const polc_ast_texts *texts = &scope->hook->ref_ctr_offsets;
	const struct polc_ast_hook *hook = scope->hook;
	size_t n = hook->symbols.n + hook->offsets.n + hook->addresses.n;
	uint64_t offset;

	if (texts->n && texts->n != n)
		polc_error(scope->l->polc, texts->items[0].span, POLC_CODE_TRACE_HOOK,
			"%zu refCtrOffsets for %zu places: one for each is needed", texts->n, n);
	for (size_t i = 0; i < texts->n; i++)
		if (parse_offset(scope, &texts->items[i], &offset))
			*polc_vec_push(&scope->l->polc->arena, &scope->spec.ref_ctr_offsets) =
				offset;
}

/* "sha256:hex" and the like; build ids have any even length. */
static bool is_digest(const char *text)
{
	static const struct {
		const char *prefix;
		size_t digits;
	} algorithms[] = {{"sha1:", 40}, {"sha256:", 64}, {"sha384:", 96}, {"sha512:", 128},
		{"build-id:", 0}};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(algorithms); i++) {
		if (!starts_with(text, algorithms[i].prefix))
			continue;
		const char *hex = text + strlen(algorithms[i].prefix);
		size_t n = strspn(hex, "0123456789abcdefABCDEF");

		if (hex[n] || !n || n % 2)
			return false;
		return !algorithms[i].digits || n == algorithms[i].digits;
	}
	return false;
}

static void lower_digests(struct polc_trace_scope *scope)
{
	for (size_t i = 0; i < scope->hook->digests.n; i++) {
		const struct polc_ast_text *text = &scope->hook->digests.items[i];

		if (!is_digest(text->text))
			polc_error(scope->l->polc, text->span, POLC_CODE_TRACE_VALUE,
				"'%s' is no digest: sha1, sha256, sha384, sha512 or build-id, a "
				"colon, hex digits",
				text->text);
		*polc_vec_push(&scope->l->polc->arena, &scope->spec.digests) =
			(struct polc_string){text->text, text->n};
	}
	polc_strings_normalise(&scope->spec.digests);
}

static void check_path(struct polc_trace_scope *scope)
{
	const struct polc_ast_text *path = &scope->hook->path;

	scope->spec.path = path->text;
	if (!path->text || path->text[0] != '/')
		polc_error(scope->l->polc, path->text ? path->span : scope->hook->span,
			POLC_CODE_TRACE_HOOK, "the path of a program must be absolute");
}

static void lower_uprobe(struct polc_trace_scope *scope)
{
	const struct polc_ast_hook *hook = scope->hook;
	unsigned n_kinds = !!hook->symbols.n + !!hook->offsets.n + !!hook->addresses.n;

	check_path(scope);
	if (n_kinds != 1)
		polc_error(scope->l->polc, hook->span, POLC_CODE_TRACE_HOOK,
			"an uprobe needs %s of symbols, offsets and addrs",
			n_kinds ? "only one" : "one");
	for (size_t i = 0; i < hook->symbols.n; i++)
		lower_uprobe_symbol(scope, &hook->symbols.items[i]);
	scope->spec.offsets_are_addresses = hook->addresses.n;
	lower_offsets(scope, hook->addresses.n ? &hook->addresses : &hook->offsets);
	lower_ref_ctr_offsets(scope);
	lower_digests(scope);
	scope->spec.ignore_digest_failure = hook->ignore_digest_failure;
}

static void lower_usdt(struct polc_trace_scope *scope)
{
	const struct polc_ast_hook *hook = scope->hook;

	check_path(scope);
	scope->spec.provider = hook->provider.text;
	scope->spec.name = hook->name.text;
	lower_digests(scope);
	scope->spec.ignore_digest_failure = hook->ignore_digest_failure;
	add_symbol(scope->l, &scope->spec.symbols,
		polc_arena_printf(
			&scope->l->polc->arena, "%s:%s", hook->provider.text, hook->name.text),
		hook->name.span);
}

static void record_abi(struct polc_trace_scope *scope)
{
	for (size_t i = 0; scope->spec.syscall && i < scope->spec.symbols.n; i++)
		if (scope->spec.symbols.items[i].syscall.abi == POLC_ABI_I386)
			polc_trace_delta(scope->l, scope->spec.symbols.items[i].span, "T21");
}

void polc_trace_lower_symbols(struct polc_trace_scope *scope)
{
	const struct polc_ast_hook *hook = scope->hook;

	switch (hook->section) {
	case POLC_SECTION_KPROBE:
	case POLC_SECTION_FENTRY:
		scope->spec.syscall = hook->syscall;
		if (polc_trace_is_list(&hook->call))
			lower_call_list(scope);
		else
			lower_call(scope, &hook->call);
		break;
	case POLC_SECTION_LSM:
		lower_lsm(scope);
		break;
	case POLC_SECTION_TRACEPOINT:
		lower_tracepoint(scope);
		break;
	case POLC_SECTION_UPROBE:
		lower_uprobe(scope);
		break;
	case POLC_SECTION_USDT:
		lower_usdt(scope);
		break;
	case POLC_N_SECTIONS:
		break;
	}
	check_symbols(scope);
	record_abi(scope);
}

/* --- enforcers -----------------------------------------------------------------------------------
 */

static void lower_enforcer_call(struct polc_trace_lowering *l, const struct polc_ast_text *text)
{
	struct polc_syscall call = {0};

	if (starts_with(text->text, "security_"))
		add_symbol(l, &l->policy.enforcer_calls, text->text, text->span);
	else if (polc_syscall_parse(text->text, &call) && call.number != UINT32_MAX)
		add_syscall(l, &l->policy.enforcer_calls, &call, text->span);
	else
		polc_error(l->polc, text->span, POLC_CODE_TRACE_ENFORCER,
			"'%s' is neither a system call nor a security_ function", text->text);
}

static void lower_enforcer_list(struct polc_trace_lowering *l, const struct polc_ast_text *text)
{
	const struct polc_ast_list *list = polc_trace_find_list(l, text);

	if (!list)
		return;
	if (is_type(list, "generated_ftrace")) {
		polc_error(l->polc, text->span, POLC_CODE_TRACE_ENFORCER,
			"an enforcer acts on system calls and security_ functions only");
		return;
	}
	polc_trace_list_symbols(l, list, &l->policy.enforcer_calls);
	if (is_type(list, ""))
		for (size_t i = 0; i < list->values.n; i++)
			lower_enforcer_call(l, &list->values.items[i]);
}

void polc_trace_lower_enforcers(struct polc_trace_lowering *l)
{
	for (size_t i = 0; i < l->ast->enforcers.n; i++) {
		const polc_ast_texts *calls = &l->ast->enforcers.items[i];

		for (size_t j = 0; j < calls->n; j++) {
			if (polc_trace_is_list(&calls->items[j]))
				lower_enforcer_list(l, &calls->items[j]);
			else
				lower_enforcer_call(l, &calls->items[j]);
		}
	}
	for (size_t i = 0; i < l->policy.enforcer_calls.n; i++) {
		const struct polc_trace_symbol *symbol = &l->policy.enforcer_calls.items[i];

		for (size_t j = 0; j < l->options->n_targets; j++)
			if (polc_target_has_function(l->options->targets[j], symbol->name) ==
				POLC_NO)
				polc_error(l->polc, symbol->span, POLC_CODE_TRACE_FUNCTION,
					"target '%s' has no function '%s'",
					polc_target_name(l->options->targets[j]), symbol->name);
	}
}
