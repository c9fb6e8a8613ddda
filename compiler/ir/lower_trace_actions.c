/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * matchActions and matchReturnActions (reference 1.6): which actions a hook may have, what they
 * need, and what they do. Post becomes explicit here.
 */
#include <string.h>
#include <strings.h>

#include "lower_tracing.h"

#define BIT(action) (1ull << POLB_ACTION_##action)

enum { ERRNO_MAX = 4095, SIGNAL_MAX = 64 };

struct action_context {
	struct polc_trace_scope *scope;
	const struct polc_ast_trace_action *ast;
	struct polc_trace_action *out;
	bool at_return;
};

static struct polc *polc_of(const struct action_context *c)
{
	return c->scope->l->polc;
}

bool polc_trace_mask_enforces(uint64_t mask)
{
	return mask &
	       (BIT(SIGKILL) | BIT(SIGNAL) | BIT(OVERRIDE) | BIT(NOTIFY_ENFORCER) | BIT(SET));
}

static bool find_action(
	struct polc *polc, const struct polc_ast_text *text, enum polb_trace_action *out)
{
	static const char *const names[] = {
#define X(name, word) word,
		POLB_TRACE_ACTIONS(X)
#undef X
	};
	static const char *const removed[] = {"FollowFD", "UnfollowFD", "CopyFD"};

	for (unsigned i = 0; i < POLC_ARRAY_SIZE(names); i++) {
		if (!strcasecmp(names[i], text->text)) {
			*out = (enum polb_trace_action)i;
			return true;
		}
	}
	for (size_t i = 0; i < POLC_ARRAY_SIZE(removed); i++) {
		if (strcasecmp(removed[i], text->text))
			continue;
		struct polc_diagnostic *d = polc_error(polc, text->span, POLC_CODE_REMOVED_FEATURE,
			"action '%s' no longer exists", removed[i]);

		polc_diagnostic_suggest(polc, d, "arguments of type 'fd' have the path");
		return false;
	}
	const char *near = polc_nearest(text->text, names, POLC_ARRAY_SIZE(names));
	struct polc_diagnostic *d = polc_error(
		polc, text->span, POLC_CODE_TRACE_ACTION, "'%s' is no action", text->text);

	if (near)
		polc_diagnostic_suggest(polc, d, "did you mean '%s'?", near);
	return false;
}

/* --- fields --------------------------------------------------------------------------------------
 */

static void read_error(struct action_context *c)
{
	const struct polc_ast_number *n = &c->ast->error;

	if (n->value <= 0 && n->value >= -ERRNO_MAX) {
		c->out->error = (int32_t)n->value;
		return;
	}
	if (n->value == 1) { /* policies in use have it, and Tetragon arrives at -1 too */
		polc_warn(polc_of(c), n->span, POLC_CODE_TRACE_ACTION,
			"argError 1 is taken as -1 (EPERM)");
		c->out->error = -1;
		return;
	}
	struct polc_diagnostic *d = polc_error(polc_of(c), n->span, POLC_CODE_TRACE_ACTION,
		"argError %lld is no error: -%d to 0", (long long)n->value, ERRNO_MAX);

	if (n->value > 0 && n->value <= ERRNO_MAX)
		polc_diagnostic_suggest(polc_of(c), d, "did you mean -%lld?", (long long)n->value);
}

static void read_signal(struct action_context *c)
{
	const struct polc_ast_number *n = &c->ast->signal;

	if (n->value < 1 || n->value > SIGNAL_MAX)
		polc_error(polc_of(c), n->written ? n->span : c->ast->span, POLC_CODE_TRACE_ACTION,
			n->written ? "argSig %lld is no signal: 1 to %d"
				   : "action 'Signal' needs argSig",
			(long long)n->value, SIGNAL_MAX);
	else
		c->out->signal = (uint32_t)n->value;
}

static void read_rate(struct action_context *c)
{
	const struct polc_ast_text *limit = &c->ast->rate_limit, *scope = &c->ast->rate_scope;
	static const char *const scopes[] = {"thread", "process", "global"};

	if (limit->text && *limit->text) {
		if (!polc_parse_interval_ns(limit->text, &c->out->rate_interval_ns))
			polc_error(polc_of(c), limit->span, POLC_CODE_TRACE_VALUE,
				"'%s' is no time: a number and s, m or h", limit->text);
		polc_trace_delta(c->scope->l, limit->span, "T15");
	}
	if (!scope->text || !*scope->text)
		return;
	for (unsigned i = 0; i < POLC_ARRAY_SIZE(scopes); i++) {
		if (!strcasecmp(scopes[i], scope->text)) {
			c->out->rate_scope = (enum polc_rate_scope)i;
			return;
		}
	}
	polc_error(polc_of(c), scope->span, POLC_CODE_TRACE_VALUE,
		"'%s' is no scope of a rate limit: thread, process or global", scope->text);
}

/* --- one function per action ---------------------------------------------------------------------
 */

static void lower_hash(struct action_context *c)
{
	const polc_trace_symbols *symbols = &c->scope->spec.symbols;

	c->out->ima_hash = c->ast->ima_hash;
	if (!c->ast->ima_hash)
		return;
	if (c->scope->hook->section != POLC_SECTION_LSM) {
		polc_error(polc_of(c), c->ast->span, POLC_CODE_TRACE_ACTION,
			"imaHash is for lsmhooks");
		return;
	}
	for (size_t i = 0; i < symbols->n; i++) {
		if (polc_ima_hook(symbols->items[i].name))
			continue;
		struct polc_diagnostic *d = polc_error(polc_of(c), c->ast->span,
			POLC_CODE_TRACE_ACTION, "LSM hook '%s' has no file that can be hashed",
			symbols->items[i].name);

		polc_diagnostic_suggest(polc_of(c), d,
			"imaHash is for bprm_check_security, bprm_committed_creds, "
			"bprm_committing_creds, bprm_creds_for_exec, bprm_creds_from_file, "
			"file_ioctl, file_lock, file_open, file_post_open, file_receive and "
			"mmap_file");
	}
}

static void lower_post(struct action_context *c)
{
	read_rate(c);
	c->out->kernel_stack = c->ast->kernel_stack;
	c->out->user_stack = c->ast->user_stack;
	lower_hash(c);
}

static bool is_security(const char *name)
{
	return !strncmp(name, "security_", 9);
}

static enum polc_answer overridable(const struct polc_trace_scope *scope, const char *name)
{
	enum polc_answer known = is_security(name) ? POLC_YES : POLC_NO;
	size_t n = polc_trace_type_targets(scope->l);

	for (size_t i = 0; i < n; i++) {
		known = polc_target_overridable(polc_trace_type_target(scope->l, i), name);
		if (known != POLC_YES)
			break;
	}
	return known;
}

static void check_function_override(struct action_context *c)
{
	const struct polc_trace_spec *spec = &c->scope->spec;

	for (size_t i = 0; i < spec->symbols.n; i++) {
		const char *name = spec->symbols.items[i].name;

		if (is_security(name) &&
			c->scope->l->policy.override_method == POLC_OVERRIDE_RETURN) {
			polc_error(polc_of(c), c->ast->span, POLC_CODE_TRACE_OVERRIDE,
				"'%s' cannot be overridden with override-method override-return",
				name);
			return;
		}
		if (spec->syscall || is_security(name) || overridable(c->scope, name) == POLC_YES)
			continue;
		struct polc_diagnostic *d = polc_error(polc_of(c), c->ast->span,
			POLC_CODE_TRACE_OVERRIDE, "the result of '%s' cannot be overridden", name);

		polc_diagnostic_suggest(polc_of(c), d,
			"system calls, security_ functions and those on the kernel's error "
			"injection list can");
		return;
	}
}

static unsigned uprobe_overrides(const struct polc_ast_trace_action *a)
{
	return !!a->registers.n + !!a->new_symbol.text + a->new_address.written +
	       a->new_offset.written;
}

static void lower_registers(struct action_context *c)
{
	const polc_ast_texts *texts = &c->ast->registers;

	c->out->registers =
		POLC_NEW_ARRAY(&polc_of(c)->arena, texts->n + 1, struct polc_trace_register);
	for (size_t i = 0; i < texts->n; i++) {
		size_t at;
		const char *text = texts->items[i].text;

		if (polc_parse_assignment(text, &c->out->registers[i], &at))
			continue;
		struct polc_diagnostic *d =
			polc_error(polc_of(c), texts->items[i].span, POLC_CODE_TRACE_VALUE,
				"'%s' is no assignment to a register at '%s'", text, text + at);

		polc_diagnostic_suggest(
			polc_of(c), d, "write rax=1, rax=%%rdi, rax=8%%rsp or rax=8(%%rsp)");
	}
	c->out->n_registers = texts->n;
}

static void lower_uprobe_override(struct action_context *c)
{
	unsigned n = uprobe_overrides(c->ast);

	if (n != 1)
		polc_error(polc_of(c), c->ast->span, POLC_CODE_TRACE_OVERRIDE,
			"Override of an uprobe needs %s of argRegs, argNewSymbol, argNewAddr and "
			"argNewOffset",
			n ? "only one" : "one");
	lower_registers(c);
	c->out->new_symbol = c->ast->new_symbol.text;
	c->out->new_address = (uint64_t)c->ast->new_address.value;
	c->out->has_new_address = c->ast->new_address.written;
	c->out->new_offset = (uint64_t)c->ast->new_offset.value;
	c->out->has_new_offset = c->ast->new_offset.written;
}

static void lower_override(struct action_context *c)
{
	static const char *const no_place[POLC_N_SECTIONS] = {
		[POLC_SECTION_TRACEPOINT] = "a tracepoint", [POLC_SECTION_USDT] = "a USDT probe"};
	enum polc_trace_section section = c->scope->hook->section;

	if (c->at_return || no_place[section]) {
		polc_error(polc_of(c), c->ast->span, POLC_CODE_TRACE_OVERRIDE,
			"nothing can be overridden at %s",
			c->at_return ? "the return" : no_place[section]);
		return;
	}
	if (section == POLC_SECTION_UPROBE) {
		lower_uprobe_override(c);
		return;
	}
	if (uprobe_overrides(c->ast))
		polc_error(polc_of(c), c->ast->span, POLC_CODE_TRACE_OVERRIDE,
			"argRegs and argNew* are for uprobes");
	read_error(c);
	if (section != POLC_SECTION_LSM)
		check_function_override(c);
	polc_trace_delta(c->scope->l, c->ast->span, c->scope->spec.syscall ? "T28" : "T24");
	if (!c->ast->error.value && !c->scope->spec.syscall)
		polc_warn(polc_of(c), c->ast->error.written ? c->ast->error.span : c->ast->span,
			POLC_CODE_NO_EFFECT,
			"argError 0 overrides nothing where a security_ function, an LSM hook or "
			"fmod_ret decides");
}

static void lower_track(struct action_context *c)
{
	const struct polc_ast_number *sock = &c->ast->sock;
	struct polc_span span = sock->written ? sock->span : c->ast->span;

	if (!polc_trace_find_argument(c->scope, sock, span, &c->out->value))
		return;
	const struct polc_trace_value *value = &c->scope->spec.values.items[c->out->value];

	if (value->type != POLB_TYPE_SOCK && !value->failed)
		polc_error(polc_of(c), span, POLC_CODE_TRACE_ACTION,
			"argSock must be an argument of type 'sock', not '%s'",
			polc_trace_type_name(value->type));
}

static void lower_notify(struct action_context *c)
{
	if (!c->scope->l->ast->enforcers.n) {
		struct polc_diagnostic *d =
			polc_error(polc_of(c), c->ast->span, POLC_CODE_TRACE_ENFORCER,
				"action '%s' needs an enforcer in the policy", c->ast->action.text);

		polc_diagnostic_suggest(polc_of(c), d, "add 'enforcers: [{calls: [...]}]'");
	}
	if (c->out->kind != POLB_ACTION_NOTIFY_ENFORCER)
		return;
	read_error(c);
	if (c->ast->signal.written && c->ast->signal.value)
		read_signal(c);
	if (!c->out->error && !c->out->signal)
		polc_error(polc_of(c), c->ast->span, POLC_CODE_TRACE_ACTION,
			"action 'NotifyEnforcer' needs argError or argSig");
	polc_trace_delta(c->scope->l, c->ast->span, "T28");
}

static void lower_set(struct action_context *c)
{
	const struct polc_ast_number *index = &c->ast->index, *value = &c->ast->value;

	if (c->scope->hook->section != POLC_SECTION_USDT || c->at_return) {
		polc_error(polc_of(c), c->ast->span, POLC_CODE_TRACE_ACTION,
			"action 'Set' is for usdts");
		return;
	}
	if (index->value < 0 || index->value >= 12)
		polc_error(polc_of(c), index->span, POLC_CODE_TRACE_INDEX,
			"argument %lld: a probe has 12 at most", (long long)index->value);
	if (value->value < INT32_MIN || value->value > UINT32_MAX)
		polc_error(polc_of(c), value->span, POLC_CODE_TRACE_VALUE,
			"argValue %lld does not fit into 4 bytes", (long long)value->value);
	c->out->value = (uint32_t)index->value;
	c->out->set_to = (uint32_t)value->value;
}

static void lower_remote(struct action_context *c)
{
	bool url = c->out->kind == POLB_ACTION_GET_URL;
	const struct polc_ast_text *text = url ? &c->ast->url : &c->ast->fqdn;
	enum polc_trace_section section = c->scope->hook->section;

	if (section == POLC_SECTION_UPROBE || section == POLC_SECTION_USDT)
		polc_error(polc_of(c), c->ast->span, POLC_CODE_TRACE_ACTION,
			"action '%s' is not for uprobes and usdts", c->ast->action.text);
	if (!text->text || !*text->text)
		polc_error(polc_of(c), c->ast->span, POLC_CODE_TRACE_ACTION, "action '%s' needs %s",
			c->ast->action.text, url ? "argUrl" : "argFqdn");
	c->out->text = text->text;
}

/* --- one action ----------------------------------------------------------------------------------
 */

static void check_post_fields(struct action_context *c)
{
	const struct polc_ast_trace_action *a = c->ast;
	const char *field = a->rate_limit.text && *a->rate_limit.text ? "rateLimit"
			    : a->kernel_stack                         ? "kernelStackTrace"
			    : a->user_stack                           ? "userStackTrace"
			    : a->ima_hash                             ? "imaHash"
								      : NULL;

	if (field && c->out->kind != POLB_ACTION_POST)
		polc_error(polc_of(c), a->rate_limit.n ? a->rate_limit.span : a->span,
			POLC_CODE_TRACE_ACTION, "%s is a field of action 'Post', not of '%s'",
			field, a->action.text);
}

static void warn_ignored(struct action_context *c, const struct polc_ast_number *n,
	const char *field, uint64_t used_by)
{
	if (n->written && !(used_by >> c->out->kind & 1))
		polc_warn(polc_of(c), n->span, POLC_CODE_IGNORED_FIELD,
			"%s has no effect on action '%s'", field, c->ast->action.text);
}

static void warn_ignored_fields(struct action_context *c)
{
	const struct polc_ast_trace_action *a = c->ast;

	warn_ignored(c, &a->error, "argError", BIT(OVERRIDE) | BIT(NOTIFY_ENFORCER));
	warn_ignored(c, &a->signal, "argSig", BIT(SIGNAL) | BIT(NOTIFY_ENFORCER));
	warn_ignored(c, &a->sock, "argSock", BIT(TRACK_SOCK) | BIT(UNTRACK_SOCK));
	warn_ignored(c, &a->index, "argIndex", BIT(SET));
	warn_ignored(c, &a->value, "argValue", BIT(SET));
}

static void lower_action(struct action_context *c)
{
	check_post_fields(c);
	warn_ignored_fields(c);
	switch (c->out->kind) {
	case POLB_ACTION_POST:
		lower_post(c);
		break;
	case POLB_ACTION_NO_POST:
	case POLB_ACTION_SIGKILL:
		break;
	case POLB_ACTION_SIGNAL:
		read_signal(c);
		break;
	case POLB_ACTION_OVERRIDE:
		lower_override(c);
		break;
	case POLB_ACTION_TRACK_SOCK:
	case POLB_ACTION_UNTRACK_SOCK:
		lower_track(c);
		break;
	case POLB_ACTION_NOTIFY_ENFORCER:
	case POLB_ACTION_CLEANUP_ENFORCER:
		lower_notify(c);
		break;
	case POLB_ACTION_SET:
		lower_set(c);
		break;
	case POLB_ACTION_GET_URL:
	case POLB_ACTION_DNS_LOOKUP:
		lower_remote(c);
		break;
	case POLB_N_TRACE_ACTIONS:
		break;
	}
}

/* --- lists of actions ----------------------------------------------------------------------------
 */

static void check_posts(struct polc_trace_scope *scope, struct polc_span span, uint64_t mask)
{
	if ((mask & BIT(POST)) && (mask & BIT(NO_POST)))
		polc_error(scope->l->polc, span, POLC_CODE_TRACE_ACTION,
			"actions 'Post' and 'NoPost' exclude each other");
}

static void add_post(struct polc_trace_scope *scope, struct polc_span span, uint64_t *mask,
	polc_trace_actions *out)
{
	if (*mask & (BIT(POST) | BIT(NO_POST)))
		return;
	*polc_vec_push(&scope->l->polc->arena, out) =
		(struct polc_trace_action){.kind = POLB_ACTION_POST, .span = span};
	*mask |= BIT(POST);
}

static uint64_t lower_list(struct polc_trace_scope *scope, bool at_return,
	const struct polc_ast_trace_action *items, size_t n, polc_trace_actions *out)
{
	struct polc *polc = scope->l->polc;
	uint64_t mask = 0;

	for (size_t i = 0; i < n; i++) {
		struct polc_trace_action action = {.span = items[i].span};
		struct action_context c = {scope, &items[i], &action, at_return};

		if (!find_action(polc, &items[i].action, &action.kind))
			continue;
		lower_action(&c);
		if (mask & BIT(POST))
			polc_trace_delta(scope->l, items[i].span, "T6");
		mask |= 1ull << action.kind;
		*polc_vec_push(&polc->arena, out) = action;
	}
	return mask;
}

void polc_trace_lower_actions(struct polc_trace_scope *scope,
	const struct polc_ast_trace_selector *selector, struct polc_trace_selector *out)
{
	out->action_mask = lower_list(
		scope, false, selector->actions.items, selector->actions.n, &out->actions);
	check_posts(scope, selector->span, out->action_mask);
	add_post(scope, selector->span, &out->action_mask, &out->actions);
	out->return_action_mask = lower_list(scope, true, selector->return_actions.items,
		selector->return_actions.n, &out->return_actions);
	check_posts(scope, selector->span, out->return_action_mask);
	if (selector->return_actions.n)
		add_post(scope, selector->span, &out->return_action_mask, &out->return_actions);
	if (polc_trace_mask_enforces(out->return_action_mask))
		polc_trace_delta(scope->l, selector->return_actions.items[0].span, "T8");
	if (polc_trace_mask_enforces(out->action_mask | out->return_action_mask))
		scope->l->enforces = true;
}
