/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * BTF (Documentation/bpf/btf.rst of the kernel): every record inside its section, every name inside
 * the strings, every type that is referred to there and of a kind that may be, and no type that
 * contains itself but through a pointer.
 */
#include "object_check.h"

#include <linux/btf.h>
#include <string.h>

#include "cleanup.h"

#define MAX_TYPES (1u << 20)
#define MAX_DEPTH 32 /* as deep as libbpf goes to find a type's size */

/* Kinds newer than the headers of Debian 12's oldest kernel. */
enum { KIND_DECL_TAG = 17, KIND_TYPE_TAG = 18, KIND_ENUM64 = 19 };

struct btf {
	const char *types, *strings;
	uint32_t types_size, strings_size;
	uint32_t *offsets; /* of type id, in `types`; id 0 is void */
	uint8_t *states;   /* enum state, by id */
	uint32_t n;        /* ids below this exist */
	char *error;
};
enum state { UNSEEN, OPEN, CLOSED };

static int refuse(const struct btf *b, uint32_t id, const char *why)
{
	return polb_bundle_fail(b->error, "BTF: type %u %s", id, why);
}

static const struct btf_type *type_at(const struct btf *b, uint32_t id)
{
	return (const void *)(b->types + b->offsets[id]);
}

static bool type_ok(const struct btf *b, uint32_t id)
{
	return id < b->n;
}

static bool kind_is(const struct btf *b, uint32_t id, uint32_t kind)
{
	return id && type_ok(b, id) && BTF_INFO_KIND(type_at(b, id)->info) == kind;
}

static bool name_ok(const struct btf *b, uint32_t offset)
{
	return offset < b->strings_size;
}

/* Bytes behind a record; -1: an unknown kind. */
static int64_t tail_bytes(const struct btf_type *type)
{
	uint64_t vlen = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case KIND_DECL_TAG:
		return sizeof(__u32);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return (int64_t)(vlen * sizeof(struct btf_member));
	case BTF_KIND_ENUM:
		return (int64_t)(vlen * sizeof(struct btf_enum));
	case KIND_ENUM64:
		return (int64_t)(vlen * 12);
	case BTF_KIND_FUNC_PROTO:
		return (int64_t)(vlen * sizeof(struct btf_param));
	case BTF_KIND_DATASEC:
		return (int64_t)(vlen * sizeof(struct btf_var_secinfo));
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case KIND_TYPE_TAG:
		return 0;
	default:
		return -1;
	}
}

static int find_types(struct btf *b)
{
	uint32_t at = 0;

	for (b->n = 1; at < b->types_size; b->n++) {
		const struct btf_type *type = (const void *)(b->types + at);
		uint32_t left = b->types_size - at;
		int64_t tail = left < sizeof(*type) ? -1 : tail_bytes(type);

		if (b->n == MAX_TYPES || tail < 0 || (uint64_t)tail > left - sizeof(*type))
			return refuse(b, b->n, "is of an unknown kind or cut off");
		if (!name_ok(b, type->name_off))
			return refuse(b, b->n, "has no name");
		b->offsets[b->n] = at;
		at += (uint32_t)(sizeof(*type) + (uint64_t)tail);
	}
	return 0;
}

static bool members_ok(const struct btf *b, const struct btf_type *type)
{
	const struct btf_member *m = (const void *)(type + 1);

	for (uint32_t i = 0; i < BTF_INFO_VLEN(type->info); i++)
		if (!name_ok(b, m[i].name_off) || !m[i].type || !type_ok(b, m[i].type))
			return false;
	return true;
}

static bool names_ok(const struct btf *b, const struct btf_type *type, size_t record)
{
	const char *at = (const char *)(type + 1);

	for (uint32_t i = 0; i < BTF_INFO_VLEN(type->info); i++) {
		__u32 name;

		memcpy(&name, at + i * record, sizeof(name));
		if (!name_ok(b, name))
			return false;
	}
	return true;
}

static bool parameters_ok(const struct btf *b, const struct btf_type *type)
{
	const struct btf_param *p = (const void *)(type + 1);

	for (uint32_t i = 0; i < BTF_INFO_VLEN(type->info); i++)
		if (!name_ok(b, p[i].name_off) || !type_ok(b, p[i].type))
			return false;
	return type_ok(b, type->type);
}

static bool array_ok(const struct btf *b, const struct btf_type *type)
{
	const struct btf_array *array = (const void *)(type + 1);

	return array->type && type_ok(b, array->type) && array->index_type &&
	       type_ok(b, array->index_type);
}

/* Variables and functions: their places are checked against the section by libbpf. */
static bool section_ok(const struct btf *b, const struct btf_type *type)
{
	const struct btf_var_secinfo *v = (const void *)(type + 1);

	for (uint32_t i = 0; i < BTF_INFO_VLEN(type->info); i++)
		if (!kind_is(b, v[i].type, BTF_KIND_VAR) && !kind_is(b, v[i].type, BTF_KIND_FUNC))
			return false;
	return type->name_off != 0;
}

static bool references_ok(const struct btf *b, const struct btf_type *type)
{
	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_ARRAY:
		return array_ok(b, type);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return members_ok(b, type);
	case BTF_KIND_ENUM:
		return names_ok(b, type, sizeof(struct btf_enum));
	case KIND_ENUM64:
		return names_ok(b, type, 12);
	case BTF_KIND_FUNC_PROTO:
		return parameters_ok(b, type);
	case BTF_KIND_DATASEC:
		return section_ok(b, type);
	case BTF_KIND_FUNC:
		return kind_is(b, type->type, BTF_KIND_FUNC_PROTO);
	case BTF_KIND_VAR:
	case KIND_DECL_TAG:
		return type->type && type_ok(b, type->type);
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case KIND_TYPE_TAG:
		return type_ok(b, type->type);
	default:
		return true;
	}
}

static int check_references(const struct btf *b)
{
	for (uint32_t id = 1; id < b->n; id++)
		if (!references_ok(b, type_at(b, id)))
			return refuse(b, id, "refers to what is not there");
	return 0;
}

static int visit(struct btf *b, uint32_t id, unsigned int depth);

/* What lies inside a value of the type: its members. */
static int visit_members(struct btf *b, const struct btf_type *type, unsigned int depth)
{
	const struct btf_member *m = (const void *)(type + 1);
	int err = 0;

	for (uint32_t i = 0; !err && i < BTF_INFO_VLEN(type->info); i++)
		err = visit(b, m[i].type, depth);
	return err;
}

static int visit_inside(struct btf *b, const struct btf_type *type, unsigned int depth)
{
	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_ARRAY:
		return visit(b, ((const struct btf_array *)(type + 1))->type, depth);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return visit_members(b, type, depth);
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_VAR:
	case KIND_TYPE_TAG:
		return visit(b, type->type, depth);
	default:
		return 0;
	}
}

static int visit(struct btf *b, uint32_t id, unsigned int depth)
{
	int err;

	if (id == 0 || b->states[id] == CLOSED)
		return 0;
	if (b->states[id] == OPEN || depth == MAX_DEPTH)
		return refuse(b, id, "contains itself, or too much");
	b->states[id] = OPEN;
	err = visit_inside(b, type_at(b, id), depth + 1);
	b->states[id] = CLOSED;
	return err;
}

/* Depth is counted from where a visit begins; what is closed was at most so deep. */
static int check_nesting(struct btf *b)
{
	int err = 0;

	for (uint32_t id = 1; !err && id < b->n; id++)
		err = visit(b, id, 0);
	return err;
}

static int check_header(const struct btf_header *header, size_t size, char *error)
{
	uint64_t body = size - sizeof(*header);

	if (header->magic != BTF_MAGIC || header->version != BTF_VERSION || header->flags ||
		header->hdr_len != sizeof(*header) || header->type_off || header->type_len % 4 ||
		header->type_len > body || header->str_off != header->type_len ||
		header->str_len > body - header->type_len || header->str_len == 0)
		return polb_bundle_fail(error, "BTF: broken header");
	return 0;
}

int polb_btf_check(const void *data, size_t size, char error[POLB_ERROR_TEXT])
{
	const struct btf_header *header = data;
	POLB_FREE uint32_t *offsets = NULL;
	POLB_FREE uint8_t *states = NULL;
	struct btf b = {.error = error};
	int err;

	if (size < sizeof(*header) || (uintptr_t)data % 4)
		return polb_bundle_fail(error, "BTF: broken header");
	err = check_header(header, size, error);
	if (err)
		return err;
	b.types = (const char *)(header + 1);
	b.types_size = header->type_len;
	b.strings = b.types + header->str_off;
	b.strings_size = header->str_len;
	if (b.strings[0] || b.strings[b.strings_size - 1])
		return polb_bundle_fail(error, "BTF: broken strings");
	b.offsets = offsets = calloc(b.types_size / sizeof(struct btf_type) + 2, sizeof(*offsets));
	b.states = states = calloc(b.types_size / sizeof(struct btf_type) + 2, sizeof(*states));
	if (!offsets || !states)
		return polb_bundle_fail(error, "out of memory");
	err = find_types(&b);
	if (!err)
		err = check_references(&b);
	return err ? err : check_nesting(&b);
}
