/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Readers of values: one function per value of a hook that gives its 64 raw bits (a number or a
 * pointer), and one more that gives its text where it has one.
 */
#include <string.h>

#include "emit_tracing.h"

static enum polb_trace_class class_of(const struct polc_trace_value *value)
{
	return polc_trace_type_class(value->type);
}

bool polc_emit_value_is_text(const struct polc_trace_value *value)
{
	enum polb_trace_class class = class_of(value);

	return class == POLB_CLASS_STRING || class == POLB_CLASS_BYTES || class == POLB_CLASS_UNIX;
}

uint32_t polc_emit_value_index(
	const struct polc_emitter *e, const struct polc_trace_member *member, uint32_t value)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);
	const char *key = polc_trace_value_key(e->arena, spec, &spec->values.items[value]);

	for (uint32_t i = 0; i < e->values.n; i++)
		if (e->values.items[i].member->kind == member->kind &&
			e->values.items[i].member->number == member->number &&
			!strcmp(e->values.items[i].key, key))
			return i;
	return UINT32_MAX;
}

void polc_emit_collect_values(struct polc_emitter *e)
{
	for (uint32_t i = 0; i < e->hook->n_members; i++) {
		const struct polc_trace_member *member = &e->hook->members[i];
		const struct polc_trace_spec *spec = polc_emit_spec(e, member);

		for (uint32_t j = 0; j < spec->values.n; j++) {
			const struct polc_trace_value *value = &spec->values.items[j];

			if (polc_emit_value_index(e, member, j) != UINT32_MAX)
				continue;
			*polc_vec_push(e->arena, &e->values) = (struct polc_emit_value){
				.key = polc_trace_value_key(e->arena, spec, value),
				.spec = spec,
				.value = value,
				.member = member,
			};
		}
	}
}

/* ---- where a value begins ---- */

/* A BTF program may load what is known to be a number or a pointer to a structure. */
static bool loads_directly(const struct polc_trace_value *value)
{
	if (value->c_type.kind == POLC_VALUE_INT)
		return class_of(value) == POLB_CLASS_INT;
	return value->c_type.kind == POLC_VALUE_POINTER && value->c_type.is_struct &&
	       class_of(value) != POLB_CLASS_INT;
}

bool polc_emit_is_typed(const struct polc_trace_value *value)
{
	return value->typed && !value->n_steps && value->type != POLB_TYPE_FD &&
	       value->c_type.kind == POLC_VALUE_POINTER && value->c_type.is_struct;
}

static void emit_position(struct polc_emitter *e, const struct polc_emit_value *v, uint32_t n,
	const char *to, bool direct)
{
	if (v->member->kind == POLC_MEMBER_LIST)
		polc_buf_printf(e->out,
			"\tif (!polt_entered_argument(ctx, %u, %s))\n"
			"\t\treturn false;\n",
			n, to);
	else if (v->spec->section == POLC_SECTION_TRACEPOINT)
		polc_buf_printf(e->out, "\t*%s = polt_argument(ctx, how, %u);\n", to, n);
	else if (v->spec->syscall)
		polc_buf_printf(e->out,
			"\tif (!polt_syscall_argument(polt_argument(ctx, how, 0), %u, %s, "
			"polt_is_btf(how), %s))\n\t\treturn false;\n",
			n, e->hook->syscall ? "POLT_ABI_COMPAT" : "POLT_ABI_NATIVE", to);
	else
		polc_buf_printf(e->out, "\t*%s = polt_argument%s(ctx, how, %u);\n", to,
			direct ? "" : "_number", n);
}

static const char *field_c_type(const struct polc_tracepoint_field *field)
{
	switch (field->size) {
	case 1:
		return "__u8";
	case 2:
		return "__u16";
	case 4:
		return "__u32";
	default:
		return "__u64";
	}
}

static bool field_is_member(const struct polc_tracepoint_field *field)
{
	return field->record && field->member && !field->is_array &&
	       (field->size == 1 || field->size == 2 || field->size == 4 || field->size == 8);
}

/* A field of the record; of a fixed array only the place is told: its text is read from there. */
static void emit_field(struct polc_emitter *e, uint32_t index, const struct polc_emit_value *v)
{
	const struct polc_tracepoint_field *field = v->value->field;

	if (field->offset < 8)
		polc_buf_puts(e->out, "\t*out = (__u32)bpf_get_current_pid_tgid();\n");
	else if (field_is_member(field))
		polc_buf_printf(e->out,
			"\t*out = ((const volatile struct %s___h%uv%u *)ctx)->%s;\n", field->record,
			e->hook->number, index, field->member);
	else if (field->is_array && !field->is_data_loc)
		polc_buf_puts(e->out, "\t*out = 0;\n");
	else
		polc_buf_printf(e->out, "\t*out = polt_field(ctx, %u, %u);\n", field->offset,
			field->size < 8 ? field->size : 8);
}

/* Fields of the records of system calls, from the raw event: registers and number, or result. */
static void emit_syscall_field(struct polc_emitter *e, const struct polc_emit_value *v)
{
	const struct polc_tracepoint_field *field = v->value->field;
	bool enter = !strcmp(e->hook->symbol, "sys_enter");

	if (field->offset < 8)
		polc_buf_puts(e->out, "\t*out = (__u32)bpf_get_current_pid_tgid();\n");
	else if (field->offset >= 16 && enter)
		polc_buf_printf(e->out,
			"\tif (!polt_entered_argument(ctx, %u, out))\n"
			"\t\treturn false;\n",
			(field->offset - 16) / 8);
	else if (field->offset >= 16 || enter)
		polc_buf_puts(e->out, "\t*out = polt_argument(ctx, how, 1);\n");
	else
		polc_buf_puts(e->out, "\tif (!polt_left_number(ctx, out))\n"
				      "\t\treturn false;\n");
	if (v->value->type == POLB_TYPE_SYSCALL64)
		polc_buf_puts(e->out, "\t*out = polt_syscall64(*out);\n");
}

static void emit_origin(struct polc_emitter *e, uint32_t index, const struct polc_emit_value *v)
{
	const struct polc_trace_value *value = v->value;
	bool direct = loads_directly(value) && !value->n_steps;

	switch (value->origin) {
	case POLC_ORIGIN_ARGUMENT:
		emit_position(e, v, value->number, "out", direct || value->n_steps);
		return;
	case POLC_ORIGIN_FIELD:
		if (v->member->kind == POLC_MEMBER_CALL)
			emit_field(e, index, v);
		else
			emit_syscall_field(e, v);
		return;
	case POLC_ORIGIN_RESULT:
		polc_buf_printf(e->out, "\t*out = polt_result%s(ctx, how, parameters);\n",
			direct ? "" : "_number");
		return;
	case POLC_ORIGIN_TASK:
		polc_buf_puts(e->out, "\t*out = bpf_get_current_task();\n");
		return;
	case POLC_ORIGIN_REGISTER:
		polc_buf_printf(e->out,
			"\tif (!polt_register(ctx, how, %u, %u, out))\n"
			"\t\treturn false;\n",
			value->reg_offset, value->reg_size);
		return;
	case POLC_ORIGIN_USDT:
		polc_buf_printf(e->out,
			"\tif (!polt_usdt_argument(ctx, %u, %u, (__s64 *)out))\n\t\treturn "
			"false;\n",
			polc_emit_usdt(e), value->number);
		return;
	}
	POLC_BUG("unknown origin %d", (int)value->origin);
}

/* ---- resolve ---- */

static const char *member_declaration(
	struct polc_emitter *e, const struct polc_value_type *type, const char *name)
{
	switch (type->kind) {
	case POLC_VALUE_INT:
		return polc_arena_printf(
			e->arena, "__%c%u %s", type->is_signed ? 's' : 'u', type->size * 8, name);
	case POLC_VALUE_POINTER:
	case POLC_VALUE_VOID:
		return polc_arena_printf(e->arena, "void *%s", name);
	case POLC_VALUE_STRUCT:
		return polc_arena_printf(e->arena, "struct {} %s", name);
	case POLC_VALUE_ARRAY:
		return NULL;
	}
	POLC_BUG("unknown kind %d", (int)type->kind);
}

/* Arrays are compared by their elements. */
static const char *array_declaration(
	struct polc_emitter *e, const struct polc_value_type *type, const char *name)
{
	if (type->is_struct)
		return polc_arena_printf(e->arena, "struct {} %s[1]", name);
	if (type->element_size == 1 || type->element_size == 2 || type->element_size == 4)
		return polc_arena_printf(e->arena, "__u%u %s[1]", type->element_size * 8, name);
	if (type->name && *type->name)
		return polc_arena_printf(e->arena, "__u64 %s[1]", name);
	return polc_arena_printf(e->arena, "void *%s[1]", name);
}

/* "struct ", "union ", or nothing: a structure without a tag goes by its typedef (kuid_t). */
static const char *step_keyword(const struct polc_resolve_step *step)
{
	if (step->is_typedef)
		return "";
	return step->is_union ? "union " : "struct ";
}

static void emit_view(struct polc_emitter *e, uint32_t index, const struct polc_resolve_step *step,
	size_t number, const char *member)
{
	unsigned h = e->hook->number;

	if (step->is_typedef)
		polc_buf_printf(e->out, "typedef %s {\n\t%s;\n} POLT_KERNEL %s___h%uv%us%zu;\n",
			step->is_union ? "union" : "struct", member, step->struct_name, h, index,
			number);
	else
		polc_buf_printf(e->out, "%s%s___h%uv%us%zu {\n\t%s;\n} POLT_KERNEL;\n",
			step_keyword(step), step->struct_name, h, index, number, member);
}

/* A view of each structure on the way, with the one member that is used. */
static void emit_views(struct polc_emitter *e, uint32_t index, const struct polc_trace_value *value)
{
	for (size_t i = 0; i < value->n_steps; i++) {
		const struct polc_resolve_step *step = &value->steps[i];
		const char *member;

		if (!step->struct_name)
			continue;
		member = step->type.kind == POLC_VALUE_ARRAY
				 ? array_declaration(e, &step->type, step->member)
				 : member_declaration(e, &step->type, step->member);
		emit_view(e, index, step, i, member);
	}
	if (value->field && field_is_member(value->field))
		polc_buf_printf(e->out, "struct %s___h%uv%u {\n\t%s %s;\n} POLT_KERNEL;\n",
			value->field->record, e->hook->number, index, field_c_type(value->field),
			value->field->member);
}

static void emit_step(struct polc_emitter *e, uint32_t index, const struct polc_trace_value *value,
	size_t i, const char *user)
{
	const struct polc_resolve_step *step = &value->steps[i];

	if (i && step->through_pointer)
		polc_buf_printf(
			e->out, "\tif (!polt_step_through(&at, %s))\n\t\treturn false;\n", user);
	if (step->struct_name)
		polc_buf_printf(e->out, "\tat += polt_offset(%s%s___h%uv%us%zu, %s);\n",
			step_keyword(step), step->struct_name, e->hook->number, index, i,
			step->member);
	else if (step->index)
		polc_buf_printf(e->out, "\tat += %lluull;\n",
			(unsigned long long)step->index * step->element_size);
}

static void emit_steps(struct polc_emitter *e, uint32_t index, const struct polc_trace_value *value)
{
	const char *user = value->user_memory ? "true" : "false";
	const struct polc_value_type *last = &value->steps[value->n_steps - 1].type;

	polc_buf_puts(e->out, "\t__u64 at = *out;\n\tif (!at)\n\t\treturn false;\n");
	for (size_t i = 0; i < value->n_steps; i++)
		emit_step(e, index, value, i, user);
	switch (last->kind) {
	case POLC_VALUE_INT:
		polc_buf_printf(e->out, "\treturn polt_step_read(at, %u, %s, %s, out);\n",
			last->size, last->is_signed ? "true" : "false", user);
		return;
	case POLC_VALUE_POINTER:
		polc_buf_printf(e->out, "\treturn polt_step_read(at, 8, false, %s, out);\n", user);
		return;
	case POLC_VALUE_STRUCT:
	case POLC_VALUE_ARRAY:
	case POLC_VALUE_VOID:
		polc_buf_puts(e->out, "\t*out = at;\n\treturn true;\n");
		return;
	}
	POLC_BUG("unknown kind %d", (int)last->kind);
}

/* ---- text ---- */

/* "bool polt_h4_z1(..., out)": how many bytes of a buffer the program is to read. */
static void emit_size_reader(
	struct polc_emitter *e, uint32_t index, const struct polc_emit_value *v)
{
	polc_buf_printf(e->out,
		"static __always_inline bool polt_h%u_z%u(" POLC_EMIT_CONTEXT ", __u64 *out)\n{\n",
		e->hook->number, index);
	switch (v->value->size_from) {
	case POLC_SIZE_NONE:
		polc_buf_puts(e->out, "\t*out = 0;\n");
		break;
	case POLC_SIZE_ARGUMENT:
		emit_position(e, v, v->value->size_argument, "out", false);
		break;
	case POLC_SIZE_RESULT: /* a negative one is an error: nothing was written */
		polc_buf_puts(e->out, "\t*out = polt_result_number(ctx, how, parameters);\n"
				      "\tif ((__s64)*out < 0)\n\t\t*out = 0;\n");
		break;
	case POLC_SIZE_FIXED:
		polc_buf_printf(e->out, "\t*out = %u;\n", v->value->size_argument);
		break;
	}
	polc_buf_puts(e->out, "\treturn true;\n}\n");
}

bool polc_emit_reads_array(const struct polc_trace_value *value)
{
	return value->field && value->field->is_array && !value->field->is_data_loc &&
	       value->field->offset >= 8 && !value->n_steps;
}

const char *polc_emit_text_call(struct polc_emitter *e, const struct polc_trace_value *value)
{
	const char *user = value->user_memory ? "true" : "false";

	if (polc_emit_reads_array(value))
		return polc_arena_printf(e->arena, "polt_text_field(s, ctx, %u, %u)",
			value->field->offset, value->field->size);
	switch (value->type) {
	case POLB_TYPE_STRING:
		return polc_arena_printf(e->arena, "polt_text_string(s, raw, %s)", user);
	case POLB_TYPE_CHAR_BUF:
	case POLB_TYPE_CONST_BUF:
		return polc_arena_printf(
			e->arena, "polt_text_bytes(s, raw, total = size, %s)", user);
	case POLB_TYPE_CHAR_IOVEC:
		return "polt_text_iovec(s, raw, size, &total)";
	case POLB_TYPE_IOV_ITER:
		return "polt_judge_iov_iter(s, raw, &total)";
	case POLB_TYPE_DATA_LOC:
		return "polt_text_data_loc(s, ctx, raw)";
	case POLB_TYPE_FILENAME:
		return "polt_text_filename(s, raw)";
	case POLB_TYPE_NET_DEVICE:
		return "polt_text_net_device(s, raw)";
	case POLB_TYPE_SOCKADDR_UN:
		return polc_arena_printf(e->arena, "polt_text_unix(s, raw, size, %s, &un)", user);
	default:
		POLC_BUG("type %u has no text", value->type);
	}
}

bool polc_emit_has_size(const struct polc_trace_value *value)
{
	return !polc_emit_reads_array(value) &&
	       (value->type == POLB_TYPE_CHAR_BUF || value->type == POLB_TYPE_CONST_BUF ||
		       value->type == POLB_TYPE_CHAR_IOVEC ||
		       (value->type == POLB_TYPE_SOCKADDR_UN &&
			       value->size_from == POLC_SIZE_ARGUMENT));
}

/* "int polt_h4_t1(..., s, &un)": the size of the text in s->text, < 0: unreadable. */
static void emit_text(struct polc_emitter *e, uint32_t index, const struct polc_emit_value *v)
{
	polc_buf_printf(e->out,
		"static __always_inline int polt_h%u_t%u(" POLC_EMIT_CONTEXT
		",\n\tstruct polt_scratch *s, struct polt_unix *unix_name)\n{\n"
		"\t__u64 raw = 0, size = 0, total = 0;\n\tstruct polt_unix un = {};\n\n",
		e->hook->number, index);
	if (!polc_emit_reads_array(v->value))
		polc_buf_printf(e->out,
			"\tif (!polt_h%u_v%u(ctx, how, parameters, &raw))\n\t\treturn -1;\n",
			e->hook->number, index);
	if (polc_emit_has_size(v->value))
		polc_buf_printf(e->out,
			"\tif (!polt_h%u_z%u(ctx, how, parameters, &size))\n"
			"\t\treturn -1;\n",
			e->hook->number, index);
	polc_buf_printf(e->out, "\tint n = %s;\n\t*unix_name = un;\n\treturn n;\n}\n",
		polc_emit_text_call(e, v->value));
}

const char *polc_emit_path_reader(uint8_t type)
{
	switch (type) {
	case POLB_TYPE_FD:
		return "fd";
	case POLB_TYPE_FILE:
		return "file";
	case POLB_TYPE_PATH:
		return "path";
	case POLB_TYPE_DENTRY:
		return "dentry";
	case POLB_TYPE_LINUX_BINPRM:
		return "binprm";
	case POLB_TYPE_KIOCB:
		return "kiocb";
	default:
		POLC_BUG("type %u has no path", type);
	}
}

static void emit_path(struct polc_emitter *e, uint32_t index, const struct polc_emit_value *v)
{
	bool fd = v->value->type == POLB_TYPE_FD;

	polc_buf_printf(e->out,
		"static __always_inline bool polt_h%u_p%u(" POLC_EMIT_CONTEXT
		", struct polt_path *path)\n{\n\t__u64 raw = 0;\n\n"
		"\treturn polt_h%u_v%u(ctx, how, parameters, &raw) &&\n"
		"\t       polt_path_of_%s(path, raw%s);\n}\n",
		e->hook->number, index, e->hook->number, index,
		polc_emit_path_reader(v->value->type),
		fd                             ? ""
		: polc_emit_is_typed(v->value) ? ", polt_is_btf(how)"
					       : ", false");
}

static void emit_number(struct polc_emitter *e, uint32_t index, const struct polc_emit_value *v)
{
	const struct polc_trace_value *value = v->value;
	bool caps = class_of(value) == POLB_CLASS_CAPS;
	bool at = caps &&
		  !(value->n_steps && value->steps[value->n_steps - 1].type.kind == POLC_VALUE_INT);

	polc_buf_printf(e->out,
		"static __always_inline bool polt_h%u_n%u(" POLC_EMIT_CONTEXT
		", __u64 *out)\n{\n\t__u64 raw = 0;\n\n"
		"\tif (!polt_h%u_v%u(ctx, how, parameters, &raw))\n\t\treturn false;\n",
		e->hook->number, index, e->hook->number, index);
	if (at)
		polc_buf_puts(e->out, "\treturn polt_caps_at(raw, out);\n}\n");
	else
		polc_buf_printf(e->out, "\t*out = polt_extend(raw, %u, %s);\n\treturn true;\n}\n",
			caps ? 8 : polc_trace_type_width(value->type),
			polc_trace_type_signed(value->type) ? "true" : "false");
}

static void emit_value(struct polc_emitter *e, uint32_t index, const struct polc_emit_value *v)
{
	const struct polc_trace_value *value = v->value;
	enum polb_trace_class class = class_of(value);

	if (class == POLB_CLASS_NOTHING)
		return;
	polc_buf_printf(
		e->out, "\n/* %s, value %u */\n", polc_trace_type_name(value->type), value->number);
	emit_views(e, index, value);
	polc_buf_printf(e->out,
		"static __always_inline bool polt_h%u_v%u(" POLC_EMIT_CONTEXT ", __u64 *out)\n{\n",
		e->hook->number, index);
	emit_origin(e, index, v);
	if (value->n_steps)
		emit_steps(e, index, value);
	else
		polc_buf_puts(e->out, "\treturn true;\n");
	polc_buf_puts(e->out, "}\n");
	if (polc_emit_has_size(value))
		emit_size_reader(e, index, v);
	if (polc_emit_value_is_text(value))
		emit_text(e, index, v);
	if (class == POLB_CLASS_PATH)
		emit_path(e, index, v);
	if (class == POLB_CLASS_INT || class == POLB_CLASS_CAPS)
		emit_number(e, index, v);
}

void polc_emit_values(struct polc_emitter *e)
{
	for (uint32_t i = 0; i < e->values.n; i++)
		emit_value(e, i, &e->values.items[i]);
}
