/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fields of a tracepoint's record, numbered as tracefs numbers them: from the target's format
 * files, from the record's struct in BTF, or built in (system calls: the same on every x86-64
 * kernel).
 */
#include "target_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORD "trace_event_raw_"

typedef POLC_VEC(struct polc_tracepoint_field) field_list;

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* What the type says; the place in the record is the caller's. */
static void describe_field(struct polc_tracepoint_field *field, const struct polc_value_type *type)
{
	field->type = *type;
	field->is_signed = type->is_signed;
	field->is_array = type->kind == POLC_VALUE_ARRAY;
	field->is_char = field->is_array && type->is_char;
}

/* --- formats ---------------------------------------------------------------------------------- */

/* The number after "offset:" of a format's line; false when there is none. */
static bool read_number(const char *line, const char *key, uint32_t *out)
{
	const char *at = strstr(line, key);
	unsigned long number;
	char *end;

	if (!at || !isdigit((unsigned char)at[strlen(key)]))
		return false;
	number = strtoul(at + strlen(key), &end, 10);
	if (*end != ';' || number > 1u << 20)
		return false;
	*out = (uint32_t)number;
	return true;
}

/* "char comm[16]": the length may also be a macro's name, or nothing. */
static struct polc_value_type array_type(
	struct polc_value_type element, uint32_t bytes, const char *length, bool dynamic)
{
	struct polc_value_type type = element;
	unsigned long n = strtoul(length, NULL, 10);

	type.kind = POLC_VALUE_ARRAY;
	type.is_signed = false;
	type.size = type.element_size = 0;
	if (dynamic) {
		type.element_size = element.size ? element.size : 1;
		return type;
	}
	if (!n && element.size)
		n = bytes / element.size;
	type.size = n && n <= bytes ? (uint32_t)n : bytes;
	type.element_size = type.size ? bytes / type.size : 0;
	return type;
}

/* "const char * filename", "char comm[16]", "__data_loc char[] name": name and type. */
static bool parse_declaration(
	struct polc_arena *arena, char *text, struct polc_tracepoint_field *field)
{
	char *end = text + strlen(text), *name, *bracket = NULL, *length;
	struct polc_value_type type;

	if (end > text && end[-1] == ']') {
		bracket = strrchr(text, '[');
		if (!bracket)
			return false;
		*(end = bracket) = '\0';
	}
	for (name = end; name > text && (isalnum((unsigned char)name[-1]) || name[-1] == '_');
		name--)
		;
	if (name == end || name == text)
		return false;
	field->name = polc_arena_strndup(arena, name, (size_t)(end - name));
	field->is_data_loc = has_prefix(text, "__data_loc ");
	field->is_rel_loc = has_prefix(text, "__rel_loc ");
	length = memchr(text, '[', (size_t)(name - text));
	type = polc_written_type(arena, text, (size_t)((length ? length : name) - text));
	if (bracket || length)
		type = array_type(type, field->size, bracket ? bracket + 1 : length + 1,
			field->is_data_loc || field->is_rel_loc);
	else if (!type.size)
		type.size = field->size;
	describe_field(field, &type);
	return true;
}

/* "\tfield:TYPE NAME;\toffset:8;\tsize:4;\tsigned:0;" */
static bool parse_field(struct polc_arena *arena, char *line, struct polc_tracepoint_field *field)
{
	struct polc_value_type scalar;
	uint32_t is_signed = 0;
	char *end = strchr(line, ';');

	if (!end || !read_number(end, "offset:", &field->offset) ||
		!read_number(end, "size:", &field->size) ||
		!read_number(end, "signed:", &is_signed))
		return false;
	*end = '\0';
	if (!parse_declaration(arena, line, field))
		return false;
	/* of a typedef that we do not know, the format knows the sign */
	if (field->type.kind == POLC_VALUE_INT &&
		!polc_scalar_type(field->type.name, strlen(field->type.name), &scalar))
		field->type.is_signed = field->is_signed = is_signed;
	return true;
}

/* -EINVAL when the file is no format. */
static int read_format(struct polc_arena *arena, char *text, field_list *fields)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		struct polc_tracepoint_field field = {0};

		if (!has_prefix(line, "\tfield:"))
			continue;
		if (!parse_field(arena, line + strlen("\tfield:"), &field))
			return -EINVAL;
		*polc_vec_push(arena, fields) = field;
	}
	return fields->n ? 0 : -EINVAL;
}

/* --- BTF -------------------------------------------------------------------------------------- */

/* struct trace_entry has them as type, flags, preempt_count, pid; formats as common_type, ... */
static void add_common(struct polc_arena *arena, const struct polc_btf_place *in, uint32_t entry,
	field_list *fields)
{
	const struct btf_type *type = btf__type_by_id(in->in->btf, entry);

	for (unsigned i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *member = &btf_members(type)[i];
		struct polc_value_type value = polc_value_type_of(in, member->type);
		struct polc_tracepoint_field field = {
			.offset = btf_member_bit_offset(type, i) / 8, .size = value.size};

		field.name = polc_arena_printf(
			arena, "common_%s", polc_btf_string(in->in->btf, member->name_off));
		describe_field(&field, &value);
		*polc_vec_push(arena, fields) = field;
	}
}

/* A string's place is an u32 named __data_loc_NAME. */
static bool is_location(const char **name, const char *prefix, struct polc_tracepoint_field *field)
{
	if (!has_prefix(*name, prefix))
		return false;
	*name += strlen(prefix);
	field->is_char = field->is_array = true;
	field->is_signed = false;
	/* BTF does not say of what: nearly always a string */
	field->type = (struct polc_value_type){
		.kind = POLC_VALUE_ARRAY, .name = "char", .is_char = true, .element_size = 1};
	return true;
}

static void add_member(struct polc_arena *arena, const struct polc_btf_place *in,
	const char *record, unsigned i, field_list *fields)
{
	const struct btf_type *type = btf__type_by_id(in->in->btf, in->id);
	const struct btf_member *member = &btf_members(type)[i];
	struct polc_value_type value = polc_value_type_of(in, member->type);
	const char *name = polc_btf_string(in->in->btf, member->name_off);
	struct polc_tracepoint_field field = {.record = record, .member = name};

	field.offset = btf_member_bit_offset(type, i) / 8;
	field.size = value.kind == POLC_VALUE_ARRAY ? value.size * value.element_size : value.size;
	describe_field(&field, &value);
	field.is_data_loc = is_location(&name, "__data_loc_", &field);
	field.is_rel_loc = !field.is_data_loc && is_location(&name, "__rel_loc_", &field);
	field.name = name;
	*polc_vec_push(arena, fields) = field;
}

/* The struct { struct trace_entry ent; ...; char __data[0]; } of an event or a class of events. */
static int read_record(struct polc_arena *arena, const struct polc_btf_place *in,
	const char *record, field_list *fields)
{
	const struct btf *btf = in->in->btf;
	const struct btf_type *type = btf__type_by_id(btf, in->id);
	uint32_t ignored, entry = 0;

	if (btf_is_composite(type) && btf_vlen(type))
		entry = polc_btf_strip(btf, btf_members(type)[0].type, &ignored);
	if (!entry || strcmp(polc_btf_name(btf, entry), "trace_entry"))
		return -ENOENT;
	add_common(arena, in, entry, fields);
	for (unsigned i = 1; i < btf_vlen(type); i++)
		if (strcmp(polc_btf_string(btf, btf_members(type)[i].name_off), "__data"))
			add_member(arena, in, record, i, fields);
	return 0;
}

static int fields_of_record(struct polc_arena *arena, const struct polc_target *target,
	const char *name, field_list *fields)
{
	const char *record = polc_arena_printf(arena, RECORD "%s", name);
	struct polc_btf_place place = polc_target_find(target, POLC_BTF_STRUCT, record);

	return place.in ? read_record(arena, &place, record, fields) : -ENOENT;
}

static const struct event_class {
	const char *subsystem, *event, *class;
} classes[] = {
#define X(subsystem, event, class) {#subsystem, #event, #class},
#include "trace_classes.def"
#undef X
};

/* The event's own struct, else the one of a class that it is known to be of. */
static int fields_from_btf(struct polc_arena *arena, const struct polc_target *target,
	const char *subsystem, const char *event, field_list *fields)
{
	int error = fields_of_record(arena, target, event, fields);

	for (size_t i = 0; error && i < POLC_ARRAY_SIZE(classes); i++)
		if (!strcmp(classes[i].event, event) && !strcmp(classes[i].subsystem, subsystem))
			error = fields_of_record(arena, target, classes[i].class, fields);
	return error;
}

/* --- formats, with the struct that CO-RE can find fields in ----------------------------------- */

static bool same_layout(const field_list *format, const field_list *record)
{
	if (format->n != record->n)
		return false;
	for (size_t i = 0; i < format->n; i++) {
		const struct polc_tracepoint_field *a = &format->items[i], *b = &record->items[i];

		if (strcmp(a->name, b->name) || a->offset != b->offset || a->size != b->size)
			return false;
	}
	return true;
}

static void take_members(field_list *format, const field_list *record)
{
	for (size_t i = 0; i < format->n; i++) {
		format->items[i].record = record->items[i].record;
		format->items[i].member = record->items[i].member;
	}
}

/* Whether a record can have so many fields: cheap, before its members are read. */
static bool may_have(const struct polc_target *target, uint32_t id, size_t n_fields)
{
	struct polc_btf_place entry = polc_target_find(target, POLC_BTF_STRUCT, "trace_entry");
	const struct btf *btf = target->kernel.btf;
	size_t n = btf_vlen(btf__type_by_id(btf, id));

	if (!entry.in)
		return false;
	n += btf_vlen(btf__type_by_id(entry.in->btf, entry.id));
	/* without `ent`, with or without __data */
	return n == n_fields + 1 || n == n_fields + 2;
}

/* The struct is that of an event of its own, not of a class. */
static bool is_event(struct polc_arena *arena, const struct polc_target *target,
	const char *subsystem, const char *record)
{
	return !access(polc_arena_printf(arena, "%s/%s/%s", target->events_directory, subsystem,
			       record + strlen(RECORD)),
		F_OK);
}

/*
 * An event of a class has the class's struct, and nothing says which that is. The one struct with
 * the very same fields is it; of several, none is taken.
 */
static void find_class(struct polc_arena *arena, const struct polc_target *target,
	const char *subsystem, field_list *format)
{
	const struct polc_name_table *structs = &target->kernel.structs;
	field_list found = {0};
	unsigned n = 0;

	for (size_t i = 0; i < structs->size; i++) {
		const char *record = structs->slots[i].name;
		struct polc_btf_place place = {&target->kernel, structs->slots[i].value, 0};
		field_list fields = {0};

		if (!record || !has_prefix(record, RECORD) ||
			!may_have(target, place.id, format->n) ||
			read_record(arena, &place, record, &fields) ||
			!same_layout(format, &fields) || is_event(arena, target, subsystem, record))
			continue;
		found = fields;
		n++;
	}
	if (n == 1)
		take_members(format, &found);
}

static int fields_from_format(struct polc *polc, const struct polc_target *target,
	const char *subsystem, const char *event, field_list *fields)
{
	struct polc_arena *arena = &polc->arena;
	const char *path = polc_arena_printf(
		arena, "%s/%s/%s/format", target->events_directory, subsystem, event);
	char *text = polc_facts_read(arena, path);
	field_list record = {0};
	int error;

	if (!text)
		return -ENOENT;
	error = read_format(arena, text, fields);
	if (error) {
		polc_environment_error("%s is no format of a tracepoint", path);
		return error;
	}
	if (!strcmp(subsystem, "syscalls"))
		return 0;
	if (fields_of_record(arena, target, event, &record))
		find_class(arena, target, subsystem, fields);
	else if (same_layout(fields, &record))
		take_members(fields, &record);
	return 0;
}

/* --- built in --------------------------------------------------------------------------------- */

static void add_plain(struct polc_arena *arena, field_list *fields, const char *name,
	const char *c_type, uint32_t offset, uint32_t size)
{
	struct polc_tracepoint_field field = {.name = name, .offset = offset, .size = size};
	struct polc_value_type type = polc_written_type(arena, c_type, strlen(c_type));

	if (type.size != size)
		type = array_type(type, size, "", false);
	describe_field(&field, &type);
	*polc_vec_push(arena, fields) = field;
}

static void add_plain_common(struct polc_arena *arena, field_list *fields)
{
	add_plain(arena, fields, "common_type", "unsigned short", 0, 2);
	add_plain(arena, fields, "common_flags", "unsigned char", 2, 1);
	add_plain(arena, fields, "common_preempt_count", "unsigned char", 3, 1);
	add_plain(arena, fields, "common_pid", "int", 4, 4);
}

static int raw_syscall_fields(struct polc_arena *arena, const char *event, field_list *fields)
{
	bool enter = !strcmp(event, "sys_enter");

	if (!enter && strcmp(event, "sys_exit"))
		return -ENOENT;
	add_plain_common(arena, fields);
	add_plain(arena, fields, "id", "long", 8, 8);
	if (enter)
		add_plain(arena, fields, "args", "unsigned long", 16, 48);
	else
		add_plain(arena, fields, "ret", "long", 16, 8);
	return 0;
}

/* Every argument takes eight bytes of the record, whatever its type. */
static void add_arguments(struct polc_arena *arena, const char *call, field_list *fields)
{
	int n = polc_syscall_arguments(call);

	for (int i = 0; i < n; i++) {
		struct polc_tracepoint_field field = {
			.name = polc_syscall_argument_name(call, (unsigned)i),
			.offset = 16 + 8 * (uint32_t)i,
			.size = 8};
		struct polc_value_type type;

		if (polc_syscall_argument(call, (unsigned)i, &type))
			describe_field(&field, &type);
		*polc_vec_push(arena, fields) = field;
	}
}

/* The event has the name of the kernel's function: sys_enter_newstat, not sys_enter_stat. */
static bool is_entry(struct polc_arena *arena, const char *call)
{
	const struct polc_syscall known = {.abi = POLC_ABI_X64, .name = call};

	return polc_syscall_arguments(call) >= 0 &&
	       !strcmp(polc_syscall_symbol(arena, &known, false),
		       polc_arena_printf(arena, "__x64_sys_%s", call));
}

static int syscall_fields(struct polc_arena *arena, const char *event, field_list *fields)
{
	bool enter = has_prefix(event, "sys_enter_");
	const char *call = event + strlen(enter ? "sys_enter_" : "sys_exit_");

	if ((!enter && !has_prefix(event, "sys_exit_")) || !is_entry(arena, call))
		return -ENOENT;
	add_plain_common(arena, fields);
	add_plain(arena, fields, "__syscall_nr", "int", 8, 4);
	if (enter)
		add_arguments(arena, call, fields);
	else
		add_plain(arena, fields, "ret", "long", 16, 8);
	return 0;
}

static int built_in_fields(struct polc_arena *arena, const struct polc_target *target,
	const char *subsystem, const char *event, field_list *fields)
{
	if (target && polc_target_config(target, "CONFIG_FTRACE_SYSCALLS") == POLC_NO)
		return -ENOENT;
	if (!strcmp(subsystem, "raw_syscalls"))
		return raw_syscall_fields(arena, event, fields);
	if (!strcmp(subsystem, "syscalls"))
		return syscall_fields(arena, event, fields);
	return -ENOENT;
}

/* --- all of them ------------------------------------------------------------------------------ */

/* "sys_enter" of another subsystem has no raw_syscalls record: only BTF's names count there. */
static int find_fields(struct polc *polc, const struct polc_target *target, const char *subsystem,
	const char *event, field_list *fields)
{
	struct polc_arena *arena = &polc->arena;

	/* a kernel whose events are known has no others */
	if (target && target->events_directory)
		return fields_from_format(polc, target, subsystem, event, fields);
	if (target && strcmp(subsystem, "syscalls") &&
		!fields_from_btf(arena, target, subsystem, event, fields))
		return 0;
	return built_in_fields(arena, target, subsystem, event, fields);
}

int polc_tracepoint_fields(struct polc *polc, const struct polc_target *target,
	const char *subsystem, const char *event, const struct polc_tracepoint_field **out,
	size_t *n)
{
	field_list fields = {0};
	int error = 0;

	/* names, not paths */
	if (strchr(subsystem, '/') || strchr(event, '/') || *subsystem == '.' || *event == '.')
		error = -ENOENT;
	else
		error = find_fields(polc, target, subsystem, event, &fields);
	if (error)
		return error;
	*out = fields.items;
	*n = fields.n;
	return 0;
}
