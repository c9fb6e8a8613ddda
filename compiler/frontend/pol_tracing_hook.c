/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Hooks of tracing blocks: where, with which arguments, and what goes with their events. */
#include "pol.h"
#include "tracing_read.h"

#include <string.h>

#include "pol_parser.h"

/* Which field of an object a word of the language sets. */
static void set_field(struct pol_parser *p, void *object, const struct polc_trace_field *field,
	const struct pol_token *keyword, const struct pol_token *value)
{
	void *member = (char *)object + field->offset;
	struct polc_ast_text *text = member;
	struct polc_ast_number *number = member;
	bool again = false;

	switch (field->kind) {
	case POLC_TRACE_TEXT:
	case POLC_TRACE_SCALAR:
		again = text->text;
		*text = pol_trace_text(p, value);
		break;
	case POLC_TRACE_NUMBER:
	case POLC_TRACE_ADDRESS:
		again = number->written;
		pol_trace_number(p, value, field->min, field->max, number);
		break;
	case POLC_TRACE_BOOL:
		again = *(bool *)member;
		*(bool *)member = true;
		break;
	case POLC_TRACE_TEXTS:
	case POLC_TRACE_VALUES:
	case POLC_TRACE_INTEGERS:
	case POLC_TRACE_NUMBERS:
	case POLC_TRACE_NODE:
		POLC_BUG("no word sets field %s", field->name);
	}
	if (again)
		polc_error(p->polc, keyword->span, POLC_CODE_DSL_DUPLICATE, "%s is given twice",
			keyword->text);
}

void pol_trace_arg_option(
	struct pol_parser *p, const struct pol_token *keyword, const struct pol_token *value)
{
	const char *name = pol_trace_word_find(pol_trace_arg_words, keyword->text)->name;

	set_field(p, p->arg, polc_trace_field_find(&polc_trace_arg_table, name), keyword, value);
}

void pol_trace_arg_flag(struct pol_parser *p, const struct pol_token *keyword)
{
	pol_trace_arg_option(p, keyword, NULL);
}

void pol_trace_action_option(
	struct pol_parser *p, const struct pol_token *keyword, const struct pol_token *value)
{
	const char *name = pol_trace_word_find(pol_trace_action_words, keyword->text)->name;

	set_field(p, &p->actions->items[p->actions->n - 1],
		polc_trace_field_find(&polc_trace_action_table, name), keyword, value);
}

void pol_trace_action_flag(struct pol_parser *p, const struct pol_token *keyword)
{
	pol_trace_action_option(p, keyword, NULL);
}

/* `signal 9`: the action's own argument needs no word. */
static void set_main_argument(struct pol_parser *p, struct polc_ast_trace_action *action,
	const struct pol_token *name, const struct pol_token *value)
{
	const char *field = pol_trace_main_argument(action->action.text);

	if (field)
		set_field(p, action, polc_trace_field_find(&polc_trace_action_table, field), name,
			value);
	else
		polc_error(p->polc, value->span, POLC_CODE_DSL_SYNTAX,
			"unexpected '%.40s': %s has no argument without a word before it",
			value->text, name->text);
}

static void unknown_action(struct pol_parser *p, const struct pol_token *name)
{
	const char *names[POL_CLASS_WORDS_MAX];
	struct polc_diagnostic *d;
	const char *near;
	size_t n = 0;

	for (const struct pol_trace_word *w = pol_trace_action_names; w->word; w++)
		names[n++] = w->word;
	d = polc_error(
		p->polc, name->span, POLC_CODE_UNKNOWN_VALUE, "'%.40s' is no action", name->text);
	near = polc_nearest(name->text, names, n);
	if (near)
		polc_diagnostic_suggest(p->polc, d, "did you mean '%s'?", near);
	else
		for (size_t i = 0; i < n; i++)
			polc_diagnostic_suggest(p->polc, d, "%s%s%s", i ? d->suggestion : "one of ",
				i ? ", " : "", names[i]);
}

void pol_trace_action(struct pol_parser *p, const struct pol_token *name,
	const struct pol_token *argument, struct polc_span span)
{
	const struct pol_trace_word *word = pol_trace_word_find(pol_trace_action_names, name->text);
	struct polc_ast_trace_action *action = polc_vec_push(&p->polc->arena, p->actions);

	*action = (struct polc_ast_trace_action){.span = span};
	action->action = (struct polc_ast_text){name->text, name->n, name->span};
	if (!word) {
		unknown_action(p, name);
		return;
	}
	action->action.text = word->name;
	action->action.n = strlen(word->name);
	if (argument)
		set_main_argument(p, action, name, argument);
}

void pol_trace_registers(struct pol_parser *p, const pol_words *assignments)
{
	pol_trace_texts(p, assignments, &p->actions->items[p->actions->n - 1].registers);
}

/* Hooks */

void pol_trace_hook_open(struct pol_parser *p, struct polc_span span)
{
	p->hook = POLC_NEW(&p->polc->arena, struct polc_ast_hook);
	p->hook->span = span;
	p->args = &p->hook->args;
	p->macro = NULL;
}

void pol_trace_hook_close(struct pol_parser *p)
{
	*polc_vec_push(&p->polc->arena, &p->tracing->hooks) = *p->hook;
	p->hook = NULL;
}

void pol_trace_call(struct pol_parser *p, enum polc_trace_section section,
	const struct pol_token *function, bool syscall)
{
	p->hook->section = section;
	p->hook->call = pol_trace_text(p, function);
	p->hook->syscall = syscall;
	p->hook->syscall_written = section != POLC_SECTION_LSM;
}

/* Two names in one word. */
static bool split(struct pol_parser *p, const struct pol_token *token, char mark, const char *what,
	struct polc_ast_text *first, struct polc_ast_text *second)
{
	const char *at = strchr(token->text, mark);
	size_t n = at ? (size_t)(at - token->text) : 0;

	if (!n || !at[1]) {
		polc_error(p->polc, token->span, POLC_CODE_DSL_SYNTAX, "'%.80s' is no %s",
			token->text, what);
		return false;
	}
	*first = (struct polc_ast_text){
		polc_arena_strndup(&p->polc->arena, token->text, n), n, token->span};
	*second = (struct polc_ast_text){at + 1, strlen(at + 1), token->span};
	return true;
}

void pol_trace_tracepoint(struct pol_parser *p, const struct pol_token *name, bool raw)
{
	p->hook->section = POLC_SECTION_TRACEPOINT;
	p->hook->raw = raw;
	split(p, name, '/', "tracepoint: write subsystem/event", &p->hook->subsystem,
		&p->hook->event);
}

void pol_trace_file(
	struct pol_parser *p, enum polc_trace_section section, const struct pol_token *path)
{
	p->hook->section = section;
	p->hook->path = pol_trace_text(p, path);
}

void pol_trace_usdt(
	struct pol_parser *p, const struct pol_token *path, const struct pol_token *probe)
{
	pol_trace_file(p, POLC_SECTION_USDT, path);
	split(p, probe, ':', "USDT probe: write provider:name", &p->hook->provider, &p->hook->name);
}

/* The hook's field, or NULL (reported) when such hooks have none. */
static const struct polc_trace_field *hook_field(
	struct pol_parser *p, const char *name, const char *shown, struct polc_span span)
{
	const struct polc_trace_table *table = &polc_trace_hook_tables[p->hook->section];
	const struct polc_trace_field *field = polc_trace_field_find(table, name);

	if (!field)
		polc_error(p->polc, span, POLC_CODE_UNKNOWN_FIELD, "%s has no '%s'", table->what,
			shown);
	return field;
}

void pol_trace_target(
	struct pol_parser *p, const struct pol_token *keyword, const pol_words *values)
{
	const char *name = pol_trace_word_find(pol_trace_target_words, keyword->text)->name;
	const struct polc_trace_field *field = hook_field(p, name, keyword->text, keyword->span);

	if (!field)
		return;
	if (field->kind != POLC_TRACE_TEXT)
		pol_trace_texts(p, values, (polc_ast_texts *)((char *)p->hook + field->offset));
	else if (values->n == 1)
		set_field(p, p->hook, field, keyword, values->items[0]);
	else
		polc_error(p->polc, values->items[1]->span, POLC_CODE_DSL_DUPLICATE,
			"%s is one file", keyword->text);
}

/* Arguments */

static bool is_index(const struct pol_token *token)
{
	return token->kind == POL_T_WORD && !token->text[strspn(token->text, "0123456789")];
}

static int64_t next_index(const polc_ast_trace_args *args)
{
	return args->n ? args->items[args->n - 1].index.value + 1 : 0;
}

/* Where positions matter they are counted on; elsewhere 0 is as good as none. */
static void set_index(struct pol_parser *p, const struct pol_token *index)
{
	struct polc_ast_number *out = &p->arg->index;

	if (index)
		pol_trace_number(p, index, 0, UINT32_MAX, out);
	else if (p->args == &p->hook->args)
		*out = (struct polc_ast_number){
			.value = next_index(p->args), .written = true, .span = p->arg->span};
	if (p->args != &p->hook->args)
		out->written = out->value != 0;
}

void pol_trace_arg(struct pol_parser *p, const struct pol_token *first,
	const struct pol_token *second, const struct pol_token *type, struct polc_span span)
{
	const struct pol_token *index = first && is_index(first) ? first : NULL;
	const struct pol_token *label = second ? second : index ? NULL : first;

	p->arg = POLC_NEW(&p->polc->arena, struct polc_ast_trace_arg);
	p->arg->span = span;
	p->arg->type = pol_trace_text(p, type);
	set_index(p, index);
	if (label)
		p->arg->label = pol_trace_text(p, label);
	if (second && !index)
		polc_error(p->polc, first->span, POLC_CODE_DSL_SYNTAX,
			"before the label there can only be the number of the argument");
}

void pol_trace_arg_close(struct pol_parser *p)
{
	*polc_vec_push(&p->polc->arena, p->args) = *p->arg;
}

void pol_trace_args_open(struct pol_parser *p, const char *field, struct polc_span span)
{
	bool data = !strcmp(field, "data");

	hook_field(p, field, data ? "data" : "returns", span);
	p->args = data ? &p->hook->data : NULL;
}

void pol_trace_returns(struct pol_parser *p, const struct pol_token *action)
{
	const struct pol_trace_word *word;

	if (p->hook->return_arg)
		polc_error(p->polc, p->arg->span, POLC_CODE_DSL_DUPLICATE,
			"there is but one return value");
	p->hook->has_return = true;
	p->hook->return_arg = p->arg;
	if (!action)
		return;
	word = pol_trace_word_find(pol_trace_action_names, action->text);
	if (!word)
		unknown_action(p, action);
	else
		p->hook->return_arg_action =
			(struct polc_ast_text){word->name, strlen(word->name), action->span};
}

/* What goes with events */

void pol_trace_message(struct pol_parser *p, const struct pol_token *text)
{
	if (p->hook->message.text)
		polc_error(
			p->polc, text->span, POLC_CODE_DSL_DUPLICATE, "the message is given twice");
	p->hook->message = pol_trace_text(p, text);
}

void pol_trace_tags(struct pol_parser *p, const pol_words *tags)
{
	pol_trace_texts(p, tags, &p->hook->tags);
}

void pol_trace_optional(struct pol_parser *p, const char *field, struct polc_span span)
{
	bool call = !strcmp(field, "callNotFound");
	bool fits = call == !p->hook->path.text;

	if (!fits || !polc_trace_field_find(&polc_trace_hook_tables[p->hook->section], "ignore"))
		polc_error(p->polc, span, POLC_CODE_UNKNOWN_FIELD, "%s has no '%s'",
			polc_trace_hook_tables[p->hook->section].what,
			call ? "optional" : "unverified");
	*(call ? &p->hook->ignore_call_not_found : &p->hook->ignore_digest_failure) = true;
}
