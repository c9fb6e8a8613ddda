/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What BTF says: functions by name, their prototypes, structs, and what a type is as a value.
 * BTF is a file's: chains of typedefs are bounded, numbers of types looked up with care.
 */
#include "target_private.h"

#include <errno.h>
#include <string.h>

#define CHAIN_MAX 64 /* const volatile typedef ...: more is a loop in a broken file */

/* --- finding ---------------------------------------------------------------------------------- */

static void index_type(struct polc_arena *arena, struct polc_target_btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf->btf, id);
	const char *name = polc_btf_name(btf->btf, id);

	if (!*name)
		return;
	if (btf_is_func(type))
		polc_names_add(arena, &btf->functions, name, id);
	else if (btf_is_composite(type))
		polc_names_add(arena, &btf->structs, name, id);
	else if (btf_is_typedef(type))
		polc_names_add(arena, &btf->typedefs, name, id);
}

/* Of a module: only what it adds. */
void polc_target_btf_index(struct polc_arena *arena, struct polc_target_btf *btf)
{
	const struct btf *base = btf__base_btf(btf->btf);
	uint32_t n = btf__type_cnt(btf->btf);

	for (uint32_t id = base ? btf__type_cnt(base) : 1; id < n; id++)
		index_type(arena, btf, id);
}

static uint32_t find_in(
	const struct polc_target_btf *btf, enum polc_btf_what what, const char *name)
{
	switch (what) {
	case POLC_BTF_FUNCTION:
		return polc_names_find(&btf->functions, name);
	case POLC_BTF_STRUCT:
		return polc_names_find(&btf->structs, name);
	case POLC_BTF_TYPEDEF:
		return polc_names_find(&btf->typedefs, name);
	}
	return POLC_NO_NAME;
}

struct polc_btf_place polc_target_find(
	const struct polc_target *target, enum polc_btf_what what, const char *name)
{
	uint32_t id = find_in(&target->kernel, what, name);

	if (id != POLC_NO_NAME)
		return (struct polc_btf_place){&target->kernel, id, 0};
	polc_target_read_modules(target);
	for (size_t i = 0; i < target->modules->list.n; i++) {
		id = find_in(&target->modules->list.items[i], what, name);
		if (id != POLC_NO_NAME)
			return (struct polc_btf_place){
				&target->modules->list.items[i], id, (uint32_t)i + 1};
	}
	return (struct polc_btf_place){0};
}

struct polc_btf_place polc_target_place(const struct polc_target *target, uint32_t btf_id)
{
	uint32_t number = btf_id >> POLC_BTF_SHIFT, id = btf_id & ((1u << POLC_BTF_SHIFT) - 1);

	if (number > target->modules->list.n)
		return (struct polc_btf_place){0};
	return (struct polc_btf_place){
		number ? &target->modules->list.items[number - 1] : &target->kernel, id, number};
}

/* --- values ----------------------------------------------------------------------------------- */

uint32_t polc_btf_strip(const struct btf *btf, uint32_t id, uint32_t *last_typedef)
{
	*last_typedef = 0;
	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		const struct btf_type *type = btf__type_by_id(btf, id);

		if (!type)
			return 0;
		if (btf_is_typedef(type))
			*last_typedef = id;
		else if (!btf_is_mod(type))
			return id;
		id = type->type;
	}
	return 0;
}

const char *polc_btf_string(const struct btf *btf, uint32_t offset)
{
	const char *string = btf__name_by_offset(btf, offset);

	return string ? string : "";
}

const char *polc_btf_name(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	return type ? polc_btf_string(btf, type->name_off) : "";
}

/* DWARF's names of C's types, as people write them. */
static const char *scalar_name(const char *name)
{
	static const char *const names[][2] = {
		{"long unsigned int", "unsigned long"},
		{"long int", "long"},
		{"long long unsigned int", "unsigned long long"},
		{"long long int", "long long"},
		{"short unsigned int", "unsigned short"},
		{"short int", "short"},
	};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i][0]))
			return names[i][1];
	return name;
}

/* Before pahole 1.24 an enum's sign was not recorded: a negative value shows it. */
static bool enum_is_signed(const struct btf_type *type)
{
	const struct btf_enum *values = btf_enum(type);

	if (btf_kflag(type))
		return true;
	if (btf_is_enum64(type))
		return false;
	for (unsigned i = 0; i < btf_vlen(type); i++)
		if (values[i].val < 0)
			return true;
	return false;
}

/* The name of the type that a pointer or array leads to, and what it is. */
static void describe_target(
	const struct btf *btf, struct polc_value_type *out, uint32_t id, uint32_t last_typedef)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	out->name = "";
	if (!type)
		return;
	if (btf_is_composite(type) || btf_is_fwd(type)) {
		out->is_struct = true;
		out->name = polc_btf_name(btf, id);
		out->is_typedef = !*out->name && last_typedef;
		if (out->is_typedef)
			out->name = polc_btf_name(btf, last_typedef);
	} else if (btf_is_int(type) || btf_is_any_enum(type) || btf_is_float(type)) {
		out->name = scalar_name(polc_btf_name(btf, id));
		out->is_char = btf_is_int(type) && !strcmp(out->name, "char");
	}
}

static void describe_array(
	const struct btf *btf, struct polc_value_type *out, const struct btf_type *type)
{
	uint32_t last_typedef, element = polc_btf_strip(btf, btf_array(type)->type, &last_typedef);
	int64_t size = btf__resolve_size(btf, btf_array(type)->type);

	out->kind = POLC_VALUE_ARRAY;
	out->size = btf_array(type)->nelems;
	out->element_size = size > 0 ? (uint32_t)size : 0;
	describe_target(btf, out, element, last_typedef);
}

static void describe(
	const struct btf *btf, struct polc_value_type *out, uint32_t id, uint32_t last_typedef)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	if (!id || !type) {
		out->kind = POLC_VALUE_VOID;
		return;
	}
	if (btf_is_ptr(type)) {
		uint32_t pointed = polc_btf_strip(btf, type->type, &last_typedef);

		out->kind = POLC_VALUE_POINTER;
		out->size = 8;
		describe_target(btf, out, pointed, last_typedef);
		return;
	}
	if (btf_is_array(type)) {
		describe_array(btf, out, type);
		return;
	}
	describe_target(btf, out, id, last_typedef);
	out->size = type->size;
	/* no register has a float: as a struct nobody reads it */
	out->kind =
		btf_is_composite(type) || btf_is_float(type) ? POLC_VALUE_STRUCT : POLC_VALUE_INT;
	if (btf_is_int(type))
		out->is_signed = btf_int_encoding(type) & BTF_INT_SIGNED;
	else if (btf_is_any_enum(type))
		out->is_signed = enum_is_signed(type);
	else if (btf_is_fwd(type) || !(btf_is_composite(type) || btf_is_float(type)))
		out->kind = POLC_VALUE_VOID; /* incomplete, a function: no value */
}

struct polc_value_type polc_value_type_of(const struct polc_btf_place *in, uint32_t id)
{
	uint32_t last_typedef, stripped = polc_btf_strip(in->in->btf, id, &last_typedef);
	struct polc_value_type type = {
		.name = "", .btf_id = stripped | in->number << POLC_BTF_SHIFT};

	describe(in->in->btf, &type, stripped, last_typedef);
	return type;
}

/* --- prototypes ------------------------------------------------------------------------------- */

/* Of a FUNC_PROTO; the first `skip` parameters left out. -E2BIG when there are too many to
 * describe. */
static int read_prototype(
	const struct polc_btf_place *in, uint32_t id, unsigned skip, struct polc_function_type *out)
{
	const struct btf *btf = in->in->btf;
	const struct btf_type *type = btf__type_by_id(btf, id);
	const struct btf_param *parameters;
	struct polc_function_type function = {0};
	unsigned n;

	if (!type || !btf_is_func_proto(type))
		return -ENOENT;
	n = btf_vlen(type);
	parameters = btf_params(type);
	/* "...": a last parameter without type */
	if (n && !parameters[n - 1].type) {
		function.variadic = true;
		n--;
	}
	if (n > skip + POLC_ARRAY_SIZE(function.parameters))
		return -E2BIG;
	for (unsigned i = skip; i < n; i++) {
		function.parameters[i - skip] = polc_value_type_of(in, parameters[i].type);
		function.parameter_names[i - skip] = polc_btf_string(btf, parameters[i].name_off);
	}
	function.n_parameters = n > skip ? n - skip : 0;
	function.result = polc_value_type_of(in, type->type);
	*out = function;
	return 0;
}

int polc_target_function(struct polc *polc, const struct polc_target *target, const char *name,
	struct polc_function_type *out)
{
	struct polc_btf_place place = polc_target_find(target, POLC_BTF_FUNCTION, name);

	(void)polc;
	if (!place.in)
		return -ENOENT;
	return read_prototype(&place, btf__type_by_id(place.in->btf, place.id)->type, 0, out);
}

/* typedef void (*btf_trace_EVENT)(void *data, arguments) */
int polc_target_raw_tracepoint(struct polc *polc, const struct polc_target *target,
	const char *event, struct polc_function_type *out)
{
	struct polc_btf_place place = polc_target_find(
		target, POLC_BTF_TYPEDEF, polc_arena_printf(&polc->arena, "btf_trace_%s", event));
	const struct btf_type *pointer;
	uint32_t ignored;

	if (!place.in)
		return -ENOENT;
	pointer = btf__type_by_id(place.in->btf, polc_btf_strip(place.in->btf, place.id, &ignored));
	if (!pointer || !btf_is_ptr(pointer))
		return -ENOENT;
	return read_prototype(&place, pointer->type, 1, out);
}

int polc_target_struct(struct polc *polc, const struct polc_target *target, const char *name,
	struct polc_value_type *out)
{
	struct polc_btf_place place = polc_target_find(target, POLC_BTF_STRUCT, name);
	struct polc_value_type type;

	(void)polc;
	if (!place.in)
		place = polc_target_find(target, POLC_BTF_TYPEDEF, name);
	if (!place.in)
		return -ENOENT;
	type = polc_value_type_of(&place, place.id);
	if (type.kind != POLC_VALUE_STRUCT)
		return -ENOENT;
	*out = type;
	return 0;
}
