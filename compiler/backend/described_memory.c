/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Memory of described calls, and where members of the kernel's structures are in it. */
#include <string.h>

#include "described.h"

void polc_layout_fail(struct polc_layout *l, const char *fmt, ...)
{
	va_list ap;

	if (l->why)
		return;
	va_start(ap, fmt);
	l->why = polc_arena_vprintf(l->arena, fmt, ap);
	va_end(ap);
}

static uint8_t *bytes_at(struct polc_layout *l, uint64_t address, size_t size)
{
	uint64_t first = l->head->where + sizeof(*l->head);

	if (address < first || address - first + size > POLB_DESCRIBED_BYTES)
		return NULL;
	return (uint8_t *)(l->head + 1) + (address - first);
}

uint64_t polc_layout_take(struct polc_layout *l, size_t size)
{
	uint64_t address = l->head->where + sizeof(*l->head) + l->used;

	size = (size + 15) & ~(size_t)15;
	if (size > POLB_DESCRIBED_BYTES - l->used) {
		polc_layout_fail(l, "the call does not fit into memory");
		return 0;
	}
	l->used += size;
	memset(bytes_at(l, address, size), 0, size);
	return address;
}

uint64_t polc_layout_take_user(struct polc_layout *l, const void *bytes, size_t size)
{
	if (size + 16 > l->user_size - l->user_used) {
		polc_layout_fail(l, "the call does not fit into memory");
		return 0;
	}
	uint8_t *to = l->user + l->user_used;

	l->user_used += (size + 15) & ~(size_t)15;
	memcpy(to, bytes, size);
	return (uint64_t)(uintptr_t)to;
}

void polc_layout_put(struct polc_layout *l, uint64_t address, const void *bytes, size_t size)
{
	uint8_t *to = bytes_at(l, address, size);

	if (to)
		memcpy(to, bytes, size);
	else
		polc_layout_fail(l, "a part of the call is not in memory");
}

void polc_layout_put_number(struct polc_layout *l, uint64_t address, uint64_t value, size_t size)
{
	polc_layout_put(l, address, &value, size); /* little-endian, as every target */
}

uint64_t polc_layout_get(struct polc_layout *l, uint64_t address)
{
	const uint8_t *from = bytes_at(l, address, 8);
	uint64_t value = 0;

	if (from)
		memcpy(&value, from, 8);
	return value;
}

/* ---- types ---- */

static const struct btf_type *structure_of(struct polc_layout *l, const char *name)
{
	static const __u32 kinds[] = {BTF_KIND_STRUCT, BTF_KIND_UNION, BTF_KIND_TYPEDEF};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(kinds); i++) {
		__s32 id = btf__find_by_name_kind(l->btf, name, kinds[i]);

		if (id <= 0)
			continue;
		const struct btf_type *type = btf__type_by_id(l->btf, (__u32)id);

		while (btf_is_typedef(type) || btf_is_mod(type))
			type = btf__type_by_id(l->btf, type->type);
		return type;
	}
	return NULL;
}

static const struct btf_type *plain(struct polc_layout *l, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(l->btf, id);

	while (type && (btf_is_typedef(type) || btf_is_mod(type)))
		type = btf__type_by_id(l->btf, type->type);
	return type;
}

/* The member of that name, in anonymous members too; its offset in bytes is added. */
static const struct btf_type *find_member(struct polc_layout *l, const struct btf_type *in,
	const char *name, size_t n, uint32_t *offset)
{
	const struct btf_member *member = btf_members(in);

	for (__u16 i = 0; i < btf_vlen(in); i++, member++) {
		const char *own = btf__name_by_offset(l->btf, member->name_off);
		const struct btf_type *type = plain(l, member->type);
		uint32_t at = *offset + btf_member_bit_offset(in, i) / 8;

		if (strlen(own) == n && !memcmp(own, name, n)) {
			*offset = at;
			return type;
		}
		if (*own || !btf_is_composite(type))
			continue;
		const struct btf_type *found = find_member(l, type, name, n, &at);

		if (found) {
			*offset = at;
			return found;
		}
	}
	return NULL;
}

static bool find_offset(
	struct polc_layout *l, const char *structure, const char *member, uint32_t *out)
{
	const struct btf_type *type = structure_of(l, structure);

	*out = 0;
	for (const char *p = member; type && *p;) {
		size_t n = strcspn(p, ".");

		if (!btf_is_composite(type))
			return false;
		type = find_member(l, type, p, n, out);
		p += n + (p[n] == '.');
	}
	return type;
}

uint32_t polc_layout_offset(struct polc_layout *l, const char *structure, const char *member)
{
	uint32_t offset = 0;

	for (size_t i = 0; i < l->offsets.n; i++) {
		const struct polc_described_offset *o = &l->offsets.items[i];

		if (!strcmp(o->structure, structure) && !strcmp(o->member, member))
			return o->offset;
	}
	if (!find_offset(l, structure, member, &offset)) {
		polc_layout_fail(l, "this kernel has no %s.%s", structure, member);
		return 0;
	}
	*polc_vec_push(l->arena, &l->offsets) =
		(struct polc_described_offset){structure, member, offset};
	return offset;
}

uint32_t polc_layout_size(struct polc_layout *l, const char *structure)
{
	for (size_t i = 0; i < l->offsets.n; i++) {
		const struct polc_described_offset *o = &l->offsets.items[i];

		if (!strcmp(o->structure, structure) && !*o->member)
			return o->offset;
	}
	const struct btf_type *type = structure_of(l, structure);

	if (!type) {
		polc_layout_fail(l, "this kernel has no struct %s", structure);
		return 64;
	}
	*polc_vec_push(l->arena, &l->offsets) =
		(struct polc_described_offset){structure, "", type->size};
	return type->size;
}

uint64_t polc_layout_new(struct polc_layout *l, const char *structure)
{
	return polc_layout_take(l, polc_layout_size(l, structure));
}

void polc_layout_set(struct polc_layout *l, uint64_t address, const char *structure,
	const char *member, uint64_t value, size_t size)
{
	if (address)
		polc_layout_put_number(
			l, address + polc_layout_offset(l, structure, member), value, size);
}
