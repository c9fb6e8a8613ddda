/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * args, data and returnArg of a hook (reference 1.3): where each value comes from, what `resolve`
 * and `auto` make of it, how long its bytes are, and whether the kernel's own types agree with
 * what was declared.
 */
#include <errno.h>
#include <string.h>

#include "lower_tracing.h"

/* --- resolve -------------------------------------------------------------------------------------
 */

static bool same_type(const struct polc_value_type *a, const struct polc_value_type *b)
{
	return a->kind == b->kind && a->size == b->size && a->is_struct == b->is_struct &&
	       a->is_signed == b->is_signed &&
	       !strcmp(a->name ? a->name : "", b->name ? b->name : "");
}

static bool same_steps(
	const struct polc_trace_value *value, const struct polc_resolve_step *steps, size_t n)
{
	if (n != value->n_steps)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct polc_resolve_step *a = &value->steps[i], *b = &steps[i];

		if (a->through_pointer != b->through_pointer || a->index != b->index ||
			!a->struct_name != !b->struct_name || a->is_union != b->is_union ||
			a->element_size != b->element_size)
			return false;
		if (a->struct_name &&
			(strcmp(a->struct_name, b->struct_name) || strcmp(a->member, b->member)))
			return false;
	}
	return true;
}

/* btfType: what the value is said to point to. */
static bool cast_origin(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	struct polc_trace_source *origin)
{
	struct polc_value_type type;

	if (!arg->btf_type.text)
		return true;
	if (polc_target_struct(scope->l->polc, origin->handle, arg->btf_type.text, &type)) {
		polc_error(scope->l->polc, arg->btf_type.span, POLC_CODE_TRACE_RESOLVE,
			"%s has no struct '%s'", origin->where, arg->btf_type.text);
		return false;
	}
	type.kind = POLC_VALUE_POINTER;
	type.is_struct = true;
	origin->type = type;
	return true;
}

/* Follows the path on every target; afterwards the origins' types are those of the end. */
static bool resolve(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	struct polc_trace_value *value, polc_trace_origins *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct polc_trace_source *origin = &from->items[i];
		const struct polc_resolve_step *steps;
		size_t n;

		if (!cast_origin(scope, arg, origin) ||
			polc_target_resolve(scope->l->polc, origin->handle, &origin->type,
				arg->resolve.text, arg->resolve.span, &steps, &n) < 0)
			return false;
		if (i && !same_steps(value, steps, n)) {
			polc_error(scope->l->polc, arg->resolve.span, POLC_CODE_TRACE_RESOLVE,
				"'%s' is not the same for %s and %s", arg->resolve.text,
				from->items[0].where, origin->where);
			return false;
		}
		value->steps = steps;
		value->n_steps = n;
		if (n)
			origin->type = steps[n - 1].type;
	}
	return true;
}

static bool resolve_is_possible(struct polc_trace_scope *scope,
	const struct polc_ast_trace_arg *arg, const struct polc_trace_value *value,
	const polc_trace_origins *from)
{
	const char *why = NULL;

	if (scope->hook->section == POLC_SECTION_UPROBE ||
		scope->hook->section == POLC_SECTION_USDT)
		why = "in a program's own memory";
	else if (value->origin == POLC_ORIGIN_FIELD)
		why = "on a field of a tracepoint; 'raw: true' has typed arguments";
	else if (scope->spec.syscall)
		why = "on arguments of a system call, they point to a program's own memory";
	if (value->origin == POLC_ORIGIN_TASK || (!why && from->n))
		return true;
	if (why)
		polc_error(scope->l->polc, arg->resolve.span, POLC_CODE_UNSUPPORTED,
			"'resolve' is not supported %s", why);
	else
		polc_error(scope->l->polc, arg->resolve.span, POLC_CODE_TRACE_TARGET,
			"'resolve' needs the types of a kernel: give --target%s",
			polc_trace_type_targets(scope->l) ? " with a kernel that has this function"
							  : "");
	return false;
}

static bool resolve_value(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	struct polc_trace_value *value, polc_trace_origins *from)
{
	if (!arg->resolve.text || !*arg->resolve.text) {
		if (arg->btf_type.text)
			polc_warn(scope->l->polc, arg->btf_type.span, POLC_CODE_IGNORED_FIELD,
				"btfType without resolve has no effect");
		return true;
	}
	return resolve_is_possible(scope, arg, value, from) && resolve(scope, arg, value, from);
}

/* --- types ---------------------------------------------------------------------------------------
 */

static bool declared_type(
	struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg, uint8_t *out)
{
	if (!arg->type.text) {
		*out = POLB_TYPE_AUTO;
		return true;
	}
	if (polc_trace_type_parse(arg->type.text, out))
		return true;
	const char *near = polc_trace_type_nearest(arg->type.text);
	struct polc_diagnostic *d = polc_error(scope->l->polc, arg->type.span, POLC_CODE_TRACE_TYPE,
		"'%s' is no type of an argument", arg->type.text);

	if (near)
		polc_diagnostic_suggest(scope->l->polc, d, "did you mean '%s'?", near);
	return false;
}

static struct polc_span type_span(const struct polc_ast_trace_arg *arg)
{
	return arg->type.text && arg->type.span.source ? arg->type.span : arg->span;
}

static bool automatic_type(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	struct polc_trace_value *value, const polc_trace_origins *from)
{
	struct polc *polc = scope->l->polc;

	if (!from->n || from->items[0].type.kind == POLC_VALUE_VOID) {
		polc_error(polc, type_span(arg), POLC_CODE_TRACE_TARGET,
			"type 'auto' %s: write the type",
			polc_trace_has_prototypes(scope->hook) && !polc_trace_type_targets(scope->l)
				? "needs the types of a kernel: give --target, or"
				: "is not known here");
		return false;
	}
	value->type = polc_trace_type_of(&from->items[0].type);
	if (value->field && value->field->is_array)
		value->type = POLB_TYPE_CONST_BUF;
	if (value->field && value->field->is_data_loc)
		value->type = POLB_TYPE_DATA_LOC;
	if (value->type != POLB_TYPE_AUTO)
		return true;
	polc_error(polc, type_span(arg), POLC_CODE_TRACE_TYPE,
		"no type of an argument stands for '%s': write the type",
		polc_value_type_text(&polc->arena, &from->items[0].type));
	return false;
}

/* The type at the end of `resolve` is the kernel's word (reference 1.3). */
static void override_declared(struct polc_trace_value *value, const struct polc_value_type *c)
{
	uint8_t actual = polc_trace_type_of(c);

	if (actual == POLB_TYPE_AUTO || value->type == POLB_TYPE_NOP)
		return;
	if (polc_trace_type_fits(value->type, c) != POLC_FITS)
		value->type = actual;
	else if (polc_trace_type_class(actual) == POLB_CLASS_INT &&
		 (polc_trace_type_width(actual) != polc_trace_type_width(value->type) ||
			 polc_trace_type_signed(actual) != polc_trace_type_signed(value->type)))
		value->type = actual;
}

/* The kernel that runs here is not the one that decides, but what is wrong here is worth a word. */
static void warn_fallback(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	const struct polc_trace_value *value, const struct polc_trace_source *origin,
	const char *what)
{
	struct polc *polc = scope->l->polc;
	struct polc_diagnostic *d = polc_warn(polc, type_span(arg), POLC_CODE_TRACE_SIGNATURE,
		"%s of %s is '%s', not '%s'", what, origin->where,
		polc_value_type_text(&polc->arena, &origin->type),
		polc_trace_type_name(value->type));

	polc_diagnostic_suggest(polc, d, "give --target: without one the policy is believed");
}

static void check_fit(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	const struct polc_trace_value *value, const struct polc_trace_source *origin)
{
	struct polc *polc = scope->l->polc;
	enum polc_type_fit fit = polc_trace_type_fits(value->type, &origin->type);
	const char *what = value->origin == POLC_ORIGIN_RESULT
				   ? "the result"
				   : polc_arena_printf(&polc->arena, "argument %u", value->number);

	if (fit == POLC_FITS)
		return;
	if (fit == POLC_FITS_NOT && !scope->prototypes_certain && !value->n_steps)
		warn_fallback(scope, arg, value, origin, what);
	else if (fit == POLC_FITS_NOT)
		polc_error(polc, type_span(arg), POLC_CODE_TRACE_SIGNATURE,
			"%s of %s is '%s', not '%s'", what, origin->where,
			polc_value_type_text(&polc->arena, &origin->type),
			polc_trace_type_name(value->type));
	else
		polc_warn(polc, type_span(arg), POLC_CODE_TRACE_SIGNATURE,
			"%s of %s is '%s', of %u bytes; '%s' is of %u", what, origin->where,
			polc_value_type_text(&polc->arena, &origin->type), origin->type.size,
			polc_trace_type_name(value->type), polc_trace_type_width(value->type));
}

static void check_fits(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	const struct polc_trace_value *value, const polc_trace_origins *from)
{
	if (value->field)
		return;
	for (size_t i = 0; i < from->n; i++) {
		const struct polc_value_type *c = &from->items[i].type;

		if (value->origin == POLC_ORIGIN_RESULT && scope->spec.syscall)
			continue; /* every system call returns a long; int is what people write */
		if (c->kind == POLC_VALUE_VOID && value->origin != POLC_ORIGIN_RESULT)
			continue;
		if (polc_trace_type_fits(value->type, c) == POLC_FITS)
			continue;
		check_fit(scope, arg, value, &from->items[i]);
		return; /* one is enough */
	}
}

static void check_field(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	struct polc_trace_value *value)
{
	const struct polc_tracepoint_field *field = value->field;
	enum polb_trace_class class = polc_trace_type_class(value->type);
	const char *actual = NULL;

	if (field->is_data_loc && (class == POLB_CLASS_STRING || class == POLB_CLASS_BYTES))
		value->type = POLB_TYPE_DATA_LOC;
	else if (value->type == POLB_TYPE_DATA_LOC)
		actual = "no __data_loc";
	else if (value->type == POLB_TYPE_CONST_BUF && !field->is_array)
		actual = "no array";
	else if (class == POLB_CLASS_INT && !polc_trace_syscall_tracepoint(scope) &&
		 (field->is_array || field->size < polc_trace_type_width(value->type)))
		actual = "shorter";
	else if (polc_trace_type_struct(value->type) && field->size < 8)
		actual = "no pointer";
	if (actual)
		polc_error(scope->l->polc, type_span(arg), POLC_CODE_TRACE_SIGNATURE,
			"field '%s' of '%s' is %s: it cannot be read as '%s'", field->name,
			scope->spec.symbols.items[0].name, actual,
			polc_trace_type_name(value->type));
}

/* What all targets say about the origin: before `resolve`. */
static void agree_on_type(struct polc_trace_scope *scope, struct polc_trace_value *value,
	const struct polc_value_type *first, const polc_trace_origins *from)
{
	bool all_same = true, all_exact = true;

	value->c_type.kind = POLC_VALUE_VOID;
	if (!from->n || !scope->prototypes_certain)
		return;
	for (size_t i = 0; i < from->n; i++) {
		all_same &= same_type(first, &from->items[i].type);
		all_exact &= polc_trace_type_exact(value->type, &from->items[i].type);
	}
	if (all_same)
		value->c_type = *first;
	value->typed = all_exact && !value->n_steps && !scope->spec.syscall && !value->field;
}

static bool lower_type(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	struct polc_trace_value *value, polc_trace_origins *from)
{
	struct polc_value_type first = {.kind = POLC_VALUE_VOID};

	if (from->n)
		first = from->items[0].type;
	if (!declared_type(scope, arg, &value->type) || !resolve_value(scope, arg, value, from))
		return false;
	if (value->type == POLB_TYPE_AUTO && !automatic_type(scope, arg, value, from))
		return false;
	if (value->n_steps && from->n)
		override_declared(value, &from->items[0].type);
	check_fits(scope, arg, value, from);
	if (value->field)
		check_field(scope, arg, value);
	if (value->n_steps) {
		value->c_type = scope->prototypes_certain
					? first
					: (struct polc_value_type){.kind = POLC_VALUE_VOID};
		return true;
	}
	agree_on_type(scope, value, &first, from);
	return true;
}

/* --- sizes and the rest --------------------------------------------------------------------------
 */

static void lower_size_argument(struct polc_trace_scope *scope,
	const struct polc_ast_trace_arg *arg, struct polc_trace_value *value)
{
	bool fields = value->origin == POLC_ORIGIN_FIELD;
	int64_t n = arg->size_arg_index.value;
	size_t limit = fields ? scope->n_fields : polc_trace_argument_limit(scope);

	for (size_t i = 0; !fields && i < scope->prototypes.n; i++)
		if (scope->prototypes_certain &&
			scope->prototypes.items[i].type.n_parameters < limit)
			limit = scope->prototypes.items[i].type.n_parameters;
	value->size_from = POLC_SIZE_ARGUMENT;
	value->size_argument = (uint32_t)(n - 1);
	if (n < 1 || (size_t)n > limit)
		polc_error(scope->l->polc, arg->size_arg_index.span, POLC_CODE_TRACE_INDEX,
			"sizeArgIndex counts from 1; the last one here is %zu", limit);
}

/* The functions where the parameter behind the address is its length: there an abstract name has an
 * end (reference T39). */
static bool length_follows(
	const struct polc_trace_scope *scope, const struct polc_trace_value *value)
{
	static const char *const functions[] = {"security_socket_connect", "security_socket_bind",
		"socket_connect", "socket_bind", "__x64_sys_connect", "__x64_sys_bind"};

	if (value->origin != POLC_ORIGIN_ARGUMENT || value->number != 1 || value->n_steps ||
		scope->spec.symbols.n != 1)
		return false;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(functions); i++)
		if (!strcmp(scope->spec.symbols.items[0].name, functions[i]))
			return true;
	return false;
}

static void lower_size(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	struct polc_trace_value *value, const polc_trace_origins *from)
{
	bool counted = value->type == POLB_TYPE_CHAR_BUF || value->type == POLB_TYPE_CHAR_IOVEC;
	const struct polc_value_type *end = from->n ? &from->items[0].type : NULL;

	if ((counted || value->type == POLB_TYPE_SOCKADDR_UN) && arg->size_arg_index.written &&
		arg->size_arg_index.value) {
		lower_size_argument(scope, arg, value);
	} else if (value->type == POLB_TYPE_SOCKADDR_UN && length_follows(scope, value)) {
		value->size_from = POLC_SIZE_ARGUMENT;
		value->size_argument = 2;
	} else if (counted && arg->return_copy) {
		value->size_from = POLC_SIZE_RESULT;
	} else if (value->type == POLB_TYPE_CONST_BUF && value->field) {
		value->size_from = POLC_SIZE_FIXED;
		value->size_argument = value->field->size;
	} else if (polc_trace_type_class(value->type) == POLB_CLASS_BYTES && end &&
		   end->kind == POLC_VALUE_ARRAY) {
		value->size_from = POLC_SIZE_FIXED;
		value->size_argument = end->size * (end->element_size ? end->element_size : 1);
	} else if (counted || value->type == POLB_TYPE_CONST_BUF) {
		struct polc_diagnostic *d =
			polc_error(scope->l->polc, type_span(arg), POLC_CODE_TRACE_ARGUMENT,
				"the size of '%s' is not known", polc_trace_type_name(value->type));

		polc_diagnostic_suggest(scope->l->polc, d, "give sizeArgIndex or returnCopy");
	}
	if (!counted && arg->size_arg_index.written && arg->size_arg_index.value)
		polc_warn(scope->l->polc, arg->size_arg_index.span, POLC_CODE_IGNORED_FIELD,
			"sizeArgIndex has no effect on type '%s'",
			polc_trace_type_name(value->type));
}

static void lower_flags(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	struct polc_trace_value *value)
{
	struct polc *polc = scope->l->polc;

	value->return_copy = arg->return_copy;
	value->max_data = arg->is_max_data;
	value->label = arg->label.text;
	if (arg->return_copy && !scope->hook->has_return)
		polc_error(polc, arg->span, POLC_CODE_TRACE_ARGUMENT,
			"returnCopy needs 'return: true'");
	if (!arg->is_max_data)
		return;
	if (value->type != POLB_TYPE_CHAR_BUF && value->type != POLB_TYPE_IOV_ITER &&
		value->type != POLB_TYPE_CHAR_IOVEC)
		polc_error(polc, arg->span, POLC_CODE_TRACE_ARGUMENT,
			"maxData needs type char_buf, char_iovec or iov_iter, not '%s'",
			polc_trace_type_name(value->type));
	else if (arg->return_copy)
		polc_error(polc, arg->span, POLC_CODE_TRACE_ARGUMENT,
			"maxData and returnCopy exclude each other");
}

static bool points_to_user_memory(
	const struct polc_trace_scope *scope, const struct polc_trace_value *value)
{
	bool user_hook = scope->spec.syscall || polc_trace_syscall_tracepoint(scope) ||
			 scope->hook->section == POLC_SECTION_UPROBE ||
			 scope->hook->section == POLC_SECTION_USDT;

	if (!user_hook || value->origin == POLC_ORIGIN_TASK || value->type == POLB_TYPE_CONST_BUF)
		return false;
	switch (polc_trace_type_class(value->type)) {
	case POLB_CLASS_STRING:
	case POLB_CLASS_BYTES:
	case POLB_CLASS_UNIX:
	case POLB_CLASS_NET:
	case POLB_CLASS_RECORD:
	case POLB_CLASS_CAPS:
		return true;
	case POLB_CLASS_NOTHING:
	case POLB_CLASS_INT:
	case POLB_CLASS_PATH:
		return false;
	}
	return false;
}

static void record_deltas(struct polc_trace_scope *scope, const struct polc_trace_value *value)
{
	if (value->type == POLB_TYPE_FD)
		polc_trace_delta(scope->l, value->span, "T14");
}

/* Everything behind the origin. */
static void finish_value(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	struct polc_trace_value *value, polc_trace_origins *from)
{
	if (lower_type(scope, arg, value, from)) {
		value->failed = false;
		lower_size(scope, arg, value, from);
		lower_flags(scope, arg, value);
		value->user_memory = points_to_user_memory(scope, value);
		record_deltas(scope, value);
	} else {
		value->type = POLB_TYPE_NOP;
	}
}

static struct polc_trace_value *new_value(
	struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg)
{
	struct polc_trace_value *value = polc_vec_push(&scope->l->polc->arena, &scope->spec.values);

	*value = (struct polc_trace_value){
		.span = arg->span,
		.type = POLB_TYPE_NOP,
		.number = (uint32_t)arg->index.value,
		.failed = true,
	};
	return value;
}

static void lower_argument(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg)
{
	struct polc_trace_value *value = new_value(scope, arg);
	bool field = scope->hook->section == POLC_SECTION_TRACEPOINT && !scope->hook->raw;
	polc_trace_origins from = {0};

	if (scope->hook->section == POLC_SECTION_USDT)
		value->origin = POLC_ORIGIN_USDT;
	if (arg->source.text)
		polc_error(scope->l->polc, arg->source.span, POLC_CODE_TRACE_ARGUMENT,
			"'source' belongs into 'data', not into 'args'");
	else if (field ? polc_trace_field_origin(scope, arg, value, &from)
		       : polc_trace_argument_origins(scope, arg, &from))
		finish_value(scope, arg, value, &from);
}

/* --- data ----------------------------------------------------------------------------------------
 */

static void lower_register(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg,
	struct polc_trace_value *value)
{
	struct polc *polc = scope->l->polc;
	enum polc_trace_section section = scope->hook->section;
	static const uint8_t types[9] = {[1] = POLB_TYPE_UINT8,
		[2] = POLB_TYPE_UINT16,
		[4] = POLB_TYPE_UINT32,
		[8] = POLB_TYPE_UINT64};

	value->origin = POLC_ORIGIN_REGISTER;
	if (section != POLC_SECTION_KPROBE && section != POLC_SECTION_UPROBE &&
		section != POLC_SECTION_USDT) {
		polc_error(polc, arg->source.span, POLC_CODE_TRACE_ARGUMENT,
			"registers can be read in kprobes, uprobes and usdts only");
		return;
	}
	if (!polc_parse_register(
		    arg->resolve.text, arg->resolve.n, &value->reg_offset, &value->reg_size)) {
		polc_error(polc, arg->resolve.span, POLC_CODE_TRACE_RESOLVE, "'%s' is no register",
			arg->resolve.text);
		return;
	}
	if (!declared_type(scope, arg, &value->type))
		return;
	if (value->type == POLB_TYPE_AUTO)
		value->type = types[value->reg_size];
	value->failed = false;
	unsigned needed = polc_trace_type_class(value->type) == POLB_CLASS_INT
				  ? polc_trace_type_width(value->type)
				  : 8;

	if (value->reg_size < needed)
		polc_error(polc, type_span(arg), POLC_CODE_TRACE_SIGNATURE,
			"register '%s' has %u bytes; '%s' needs %u", arg->resolve.text,
			value->reg_size, polc_trace_type_name(value->type), needed);
	lower_size(scope, arg, value, &(polc_trace_origins){0});
	lower_flags(scope, arg, value);
	value->user_memory = points_to_user_memory(scope, value);
}

static void lower_data(struct polc_trace_scope *scope, const struct polc_ast_trace_arg *arg)
{
	struct polc_trace_value *value = new_value(scope, arg);
	const char *source = arg->source.text ? arg->source.text : "";
	polc_trace_origins from = {0};

	if (!arg->resolve.text || !*arg->resolve.text) {
		polc_error(scope->l->polc, arg->span, POLC_CODE_TRACE_ARGUMENT,
			"an entry of 'data' needs source and resolve");
	} else if (!strcmp(source, "pt_regs")) {
		lower_register(scope, arg, value);
	} else if (!strcmp(source, "current_task")) {
		value->origin = POLC_ORIGIN_TASK;
		if (polc_trace_task_origins(scope, arg, &from))
			finish_value(scope, arg, value, &from);
	} else {
		polc_error(scope->l->polc, arg->source.text ? arg->source.span : arg->span,
			POLC_CODE_TRACE_ARGUMENT,
			"the source of data is 'current_task' or 'pt_regs', not '%s'", source);
	}
}

/* --- the return value ----------------------------------------------------------------------------
 */

static void lower_return(struct polc_trace_scope *scope)
{
	const struct polc_ast_trace_arg *arg = scope->hook->return_arg;
	polc_trace_origins from = {0};

	scope->spec.has_return = scope->hook->has_return;
	if (!arg)
		return;
	if (!scope->hook->has_return) {
		polc_warn(scope->l->polc, arg->span, POLC_CODE_IGNORED_FIELD,
			"returnArg without 'return: true' has no effect");
		return;
	}
	struct polc_trace_value *value = new_value(scope, arg);

	scope->spec.has_return_value = true;
	value->origin = POLC_ORIGIN_RESULT;
	for (size_t i = 0; i < scope->prototypes.n; i++)
		polc_trace_add_origin(scope, &from, &scope->prototypes.items[i],
			&scope->prototypes.items[i].type.result);
	if (arg->return_copy)
		polc_error(scope->l->polc, arg->span, POLC_CODE_TRACE_ARGUMENT,
			"returnCopy is for arguments");
	finish_value(scope, arg, value, &from);
}

void polc_trace_lower_values(struct polc_trace_scope *scope)
{
	const struct polc_ast_hook *hook = scope->hook;

	polc_trace_find_prototypes(scope);
	polc_trace_find_fields(scope);
	for (size_t i = 0; i < hook->args.n; i++)
		lower_argument(scope, &hook->args.items[i]);
	for (size_t i = 0; i < hook->data.n; i++)
		lower_data(scope, &hook->data.items[i]);
	scope->spec.n_args = (uint32_t)hook->args.n;
	scope->spec.n_data = (uint32_t)hook->data.n;
	lower_return(scope);
}

/* --- finding an argument by its written index ----------------------------------------------------
 */

static void report_no_argument(struct polc_trace_scope *scope, int64_t index, struct polc_span span)
{
	struct polc_buf known = {.arena = &scope->l->polc->arena};

	for (uint32_t i = 0; i < scope->spec.n_args; i++)
		polc_buf_printf(&known, "%s%u", i ? ", " : "", scope->spec.values.items[i].number);
	struct polc_diagnostic *d = polc_error(scope->l->polc, span, POLC_CODE_TRACE_INDEX,
		"index %lld is none of the hook's args", (long long)index);

	if (known.n)
		polc_diagnostic_suggest(scope->l->polc, d, "args has index %s", known.p);
	else
		polc_diagnostic_suggest(scope->l->polc, d, "the hook has no args");
}

/* Tracepoints: an index of the format, else a position in args (reference T12). */
static bool find_by_position(
	struct polc_trace_scope *scope, int64_t index, struct polc_span span, uint32_t *out)
{
	if (scope->hook->section != POLC_SECTION_TRACEPOINT || scope->hook->raw || index < 0 ||
		index >= scope->spec.n_args)
		return false;
	polc_trace_delta(scope->l, span, "T12");
	*out = (uint32_t)index;
	return true;
}

static void warn_ambiguous(
	struct polc_trace_scope *scope, int64_t index, struct polc_span span, uint32_t found)
{
	if (scope->hook->section != POLC_SECTION_TRACEPOINT || scope->hook->raw ||
		index >= scope->spec.n_args || index == found)
		return;
	polc_trace_delta(scope->l, span, "T12");
	struct polc_diagnostic *d = polc_warn(scope->l->polc, span, POLC_CODE_TRACE_INDEX,
		"index %lld is read as the field of this number, not as the position in args",
		(long long)index);

	polc_diagnostic_suggest(scope->l->polc, d, "'args: [%u]' is the same without doubt", found);
}

bool polc_trace_find_argument(struct polc_trace_scope *scope, const struct polc_ast_number *index,
	struct polc_span span, uint32_t *out)
{
	for (uint32_t i = 0; i < scope->spec.n_args; i++) {
		if (index->value != scope->spec.values.items[i].number)
			continue;
		*out = i;
		warn_ambiguous(scope, index->value, span, i);
		return true;
	}
	if (find_by_position(scope, index->value, span, out))
		return true;
	report_no_argument(scope, index->value, span);
	return false;
}
