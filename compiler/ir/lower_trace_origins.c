/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where the values of a hook come from, and what the targets say they are to C: prototypes of
 * functions and system calls, fields of tracepoints, the current task.
 */
#include <errno.h>
#include <string.h>

#include "lower_tracing.h"

enum { MAX_SYSCALL_ARGUMENTS = 6, MAX_REGISTER_ARGUMENTS = 6, MAX_ARGUMENTS = 12 };
enum { FIRST_SYSCALL_FIELD = 5 }; /* behind the common fields and __syscall_nr */

bool polc_trace_syscall_tracepoint(const struct polc_trace_scope *scope)
{
	return scope->hook->section == POLC_SECTION_TRACEPOINT &&
	       !strcmp(scope->hook->subsystem.text, "syscalls");
}

/* --- prototypes ----------------------------------------------------------------------------------
 */

static void add_syscall_prototype(
	struct polc_trace_scope *scope, const struct polc_trace_symbol *symbol)
{
	struct polc_trace_prototype p = {.symbol = symbol->syscall.name};
	int n = symbol->missing ? -1 : polc_syscall_arguments(symbol->syscall.name);

	if (n < 0)
		return;
	p.type.n_parameters = (uint32_t)n;
	p.type.result = (struct polc_value_type){
		.kind = POLC_VALUE_INT, .name = "long", .size = 8, .is_signed = true};
	for (unsigned i = 0; i < p.type.n_parameters; i++)
		if (!polc_syscall_argument(symbol->syscall.name, i, &p.type.parameters[i]))
			p.type.parameters[i].kind = POLC_VALUE_VOID;
	*polc_vec_push(&scope->l->polc->arena, &scope->prototypes) = p;
}

static int read_prototype(struct polc_trace_scope *scope, const struct polc_target *target,
	const struct polc_trace_symbol *symbol, struct polc_function_type *out)
{
	struct polc *polc = scope->l->polc;

	if (scope->hook->section == POLC_SECTION_TRACEPOINT)
		return polc_target_raw_tracepoint(polc, target, scope->hook->event.text, out);
	if (scope->hook->section == POLC_SECTION_LSM)
		return polc_target_function(polc, target,
			polc_arena_printf(&polc->arena, "bpf_lsm_%s", symbol->name), out);
	return polc_target_function(polc, target, symbol->name, out);
}

static void add_prototypes(struct polc_trace_scope *scope, const struct polc_trace_symbol *symbol)
{
	for (size_t i = 0; i < polc_trace_type_targets(scope->l); i++) {
		struct polc_trace_prototype p = {.symbol = symbol->name};

		p.handle = polc_trace_type_target(scope->l, i);
		p.target = polc_target_name(p.handle);
		if (!read_prototype(scope, p.handle, symbol, &p.type))
			*polc_vec_push(&scope->l->polc->arena, &scope->prototypes) = p;
	}
}

bool polc_trace_has_prototypes(const struct polc_ast_hook *hook)
{
	switch (hook->section) {
	case POLC_SECTION_KPROBE:
	case POLC_SECTION_FENTRY:
	case POLC_SECTION_LSM:
		return true;
	case POLC_SECTION_TRACEPOINT:
		return hook->raw;
	case POLC_SECTION_UPROBE:
	case POLC_SECTION_USDT:
	case POLC_N_SECTIONS:
		return false;
	}
	return false;
}

void polc_trace_find_prototypes(struct polc_trace_scope *scope)
{
	scope->prototypes_certain = scope->spec.syscall || scope->l->options->n_targets;
	if (!polc_trace_has_prototypes(scope->hook) ||
		(!scope->hook->args.n && !scope->hook->return_arg))
		return;
	for (size_t i = 0; i < scope->spec.symbols.n; i++) {
		if (scope->spec.syscall)
			add_syscall_prototype(scope, &scope->spec.symbols.items[i]);
		else
			add_prototypes(scope, &scope->spec.symbols.items[i]);
	}
}

/* --- fields of tracepoints -----------------------------------------------------------------------
 */

static bool read_fields(struct polc_trace_scope *scope, size_t target,
	const struct polc_tracepoint_field **fields, size_t *n)
{
	const struct polc_target *handle = target < polc_trace_type_targets(scope->l)
						   ? polc_trace_type_target(scope->l, target)
						   : NULL;

	return !polc_tracepoint_fields(scope->l->polc, handle, scope->hook->subsystem.text,
		scope->hook->event.text, fields, n);
}

/* The fields of the first target; field() compares with the others. */
void polc_trace_find_fields(struct polc_trace_scope *scope)
{
	const struct polc_ast_hook *hook = scope->hook;
	struct polc *polc = scope->l->polc;

	if (hook->section != POLC_SECTION_TRACEPOINT || hook->raw)
		return;
	if (read_fields(scope, 0, &scope->fields, &scope->n_fields))
		return;
	if (polc_trace_syscall_tracepoint(scope))
		polc_error(polc, hook->event.span, POLC_CODE_TRACE_FUNCTION,
			"no tracepoint '%s/%s'", hook->subsystem.text, hook->event.text);
	else if (hook->args.n && !polc_trace_type_targets(scope->l))
		polc_error(polc, hook->event.span, POLC_CODE_TRACE_TARGET,
			"the fields of '%s/%s' need the types of a kernel: give --target",
			hook->subsystem.text, hook->event.text);
	else if (hook->args.n)
		polc_error(polc, hook->event.span, POLC_CODE_TRACE_TARGET,
			"target '%s' does not tell the fields of '%s/%s'",
			polc_target_name(polc_trace_type_target(scope->l, 0)), hook->subsystem.text,
			hook->event.text);
}

static bool same_on_all_targets(struct polc_trace_scope *scope,
	const struct polc_ast_trace_arg *arg, const struct polc_tracepoint_field *field)
{
	size_t index = (size_t)arg->index.value;

	for (size_t i = 1; i < scope->l->options->n_targets; i++) {
		const struct polc_tracepoint_field *fields;
		size_t n;

		if (!read_fields(scope, i, &fields, &n) ||
			(index < n && !strcmp(fields[index].name, field->name)))
			continue;
		polc_error(scope->l->polc, arg->span, POLC_CODE_TRACE_INDEX,
			"field %zu is '%s' on target '%s' and '%s' on target '%s'", index,
			field->name, polc_target_name(scope->l->options->targets[0]),
			index < n ? fields[index].name : "none",
			polc_target_name(scope->l->options->targets[i]));
		return false;
	}
	return true;
}

/* What a field is to C. Fields of system calls are 8 bytes wide and hold an argument. */
static struct polc_value_type field_type(
	const struct polc_trace_scope *scope, const struct polc_tracepoint_field *field)
{
	struct polc_value_type c = {.kind = POLC_VALUE_INT, .name = "", .size = field->size};
	size_t index = (size_t)(field - scope->fields);
	struct polc_syscall call;

	if (polc_trace_syscall_tracepoint(scope) && index >= FIRST_SYSCALL_FIELD &&
		!strncmp(scope->hook->event.text, "sys_enter_", 10) &&
		polc_syscall_parse(scope->hook->event.text + 10, &call) &&
		polc_syscall_argument(call.name, (unsigned)(index - FIRST_SYSCALL_FIELD), &c))
		return c;
	c.is_signed = field->is_signed;
	if (field->is_array) {
		c.kind = POLC_VALUE_ARRAY;
		c.is_char = field->is_char;
		c.element_size = 1;
	}
	return c;
}

/* --- origins -------------------------------------------------------------------------------------
 */

unsigned polc_trace_argument_limit(const struct polc_trace_scope *scope)
{
	if (scope->spec.syscall)
		return MAX_SYSCALL_ARGUMENTS;
	return scope->hook->section == POLC_SECTION_UPROBE ? MAX_REGISTER_ARGUMENTS : MAX_ARGUMENTS;
}

static struct polc_span index_span(const struct polc_ast_trace_arg *arg)
{
	return arg->index.written ? arg->index.span : arg->span;
}

void polc_trace_add_origin(struct polc_trace_scope *scope, polc_trace_origins *out,
	const struct polc_trace_prototype *p, const struct polc_value_type *type)
{
	struct polc_arena *arena = &scope->l->polc->arena;

	*polc_vec_push(arena, out) = (struct polc_trace_source){
		.handle = p->handle,
		.where = p->target ? polc_arena_printf(
					     arena, "'%s' of target '%s'", p->symbol, p->target)
				   : polc_arena_printf(arena, "'%s'", p->symbol),
		.type = *type,
	};
}

bool polc_trace_argument_origins(struct polc_trace_scope *scope,
	const struct polc_ast_trace_arg *arg, polc_trace_origins *out)
{
	size_t index = (size_t)arg->index.value;

	if (arg->index.value < 0 || index >= polc_trace_argument_limit(scope)) {
		polc_error(scope->l->polc, index_span(arg), POLC_CODE_TRACE_INDEX,
			"argument %lld: the last one that can be read is %u",
			(long long)arg->index.value, polc_trace_argument_limit(scope) - 1);
		return false;
	}
	for (size_t i = 0; i < scope->prototypes.n; i++) {
		const struct polc_trace_prototype *p = &scope->prototypes.items[i];

		if (index < p->type.n_parameters) {
			polc_trace_add_origin(scope, out, p, &p->type.parameters[index]);
		} else if (scope->prototypes_certain && !p->type.variadic) {
			polc_error(scope->l->polc, index_span(arg), POLC_CODE_TRACE_INDEX,
				"argument %zu: '%s'%s%s%s has %u argument%s", index, p->symbol,
				p->target ? " of target '" : "", p->target ? p->target : "",
				p->target ? "'" : "", p->type.n_parameters,
				p->type.n_parameters == 1 ? "" : "s");
			return false;
		}
	}
	return true;
}

bool polc_trace_field_origin(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	struct polc_trace_value *value, polc_trace_origins *out)
{
	struct polc_trace_prototype p = {.symbol = scope->spec.symbols.items[0].name};

	if (!scope->fields)
		return false;
	if (arg->index.value < 0 || (size_t)arg->index.value >= scope->n_fields) {
		polc_error(scope->l->polc, index_span(arg), POLC_CODE_TRACE_INDEX,
			"field %lld: '%s' has %zu fields", (long long)arg->index.value, p.symbol,
			scope->n_fields);
		return false;
	}
	value->origin = POLC_ORIGIN_FIELD;
	value->field = &scope->fields[arg->index.value];
	struct polc_value_type type = field_type(scope, value->field);

	polc_trace_add_origin(scope, out, &p, &type);
	return same_on_all_targets(scope, arg, value->field);
}

bool polc_trace_task_origins(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	polc_trace_origins *out)
{
	for (size_t i = 0; i < polc_trace_type_targets(scope->l); i++) {
		struct polc_trace_prototype p = {.symbol = "current_task"};
		struct polc_value_type type;

		p.handle = polc_trace_type_target(scope->l, i);
		p.target = polc_target_name(p.handle);
		if (polc_target_struct(scope->l->polc, p.handle, "task_struct", &type))
			continue;
		type.kind = POLC_VALUE_POINTER;
		type.is_struct = true;
		polc_trace_add_origin(scope, out, &p, &type);
	}
	if (out->n)
		return true;
	polc_error(scope->l->polc, arg->source.span, POLC_CODE_TRACE_TARGET,
		"data of the current task needs the types of a kernel: give --target");
	return false;
}
