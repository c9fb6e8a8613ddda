/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * `resolve`: a path of members and indices from a value, as steps. Pointers are followed without
 * being asked, members of anonymous structs and unions are found as C finds them. How a step is
 * read is the back end's business.
 */
#include "target_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Anonymous structs in structs, and members in all: more is a loop in a broken file. */
#define NESTING_MAX 32
#define MEMBERS_MAX 65536
#define POINTERS_MAX 8 /* pointers to pointers */

typedef POLC_VEC(struct polc_resolve_step) resolve_steps;

struct resolver {
	struct polc *polc;
	const struct polc_target *target;
	struct polc_span span; /* of the path as written */
	const char *path;
	struct polc_value_type value; /* so far */
	resolve_steps steps;
};

/* A word of the path: a member's name, or the number in brackets. */
struct path_word {
	const char *begin;
	size_t n;
	bool is_index;
	uint32_t index;
};

/* --- errors ----------------------------------------------------------------------------------- */

/* The word's place inside the span, when the source has the path as it is there. */
static struct polc_span span_of(const struct resolver *r, const char *begin, size_t n)
{
	const struct polc_source *source =
		r->span.source ? polc_source_get(&r->polc->sources, r->span.source) : NULL;
	struct polc_span span = r->span;
	const char *found = NULL;

	if (source && span.end <= source->len && span.begin < span.end)
		found = memmem(
			source->text + span.begin, span.end - span.begin, r->path, strlen(r->path));
	if (!found || !n)
		return span;
	span.begin = (uint32_t)(found - source->text) + (uint32_t)(begin - r->path);
	span.end = span.begin + (uint32_t)n;
	return span;
}

#define FAIL(r, begin, n, ...)                                                                     \
	(polc_error((r)->polc, span_of(r, begin, n), POLC_CODE_TRACE_RESOLVE, __VA_ARGS__), -EINVAL)

/* "a pointer to struct file", for messages. */
static const char *value_text(struct resolver *r, const struct polc_value_type *value)
{
	struct polc_arena *arena = &r->polc->arena;
	const char *what = *value->name ? value->name : value->is_struct ? "(anonymous)" : "void";
	const char *tag = value->is_struct && !value->is_typedef ? "struct " : "";

	switch (value->kind) {
	case POLC_VALUE_INT:
		return *value->name ? value->name : "an enum";
	case POLC_VALUE_POINTER:
		return polc_arena_printf(arena, "a pointer to %s%s", tag, what);
	case POLC_VALUE_STRUCT:
		return polc_arena_printf(arena, "%s%s", tag, what);
	case POLC_VALUE_ARRAY:
		return polc_arena_printf(arena, "an array of %u %s%s", value->size, tag,
			*value->name || value->is_struct ? what : "pointers");
	case POLC_VALUE_VOID:
		return "nothing";
	}
	return "";
}

/* --- members ---------------------------------------------------------------------------------- */

struct found_member {
	uint32_t type; /* BTF type of the member; 0: none of that name */
	uint32_t bits; /* offset from the struct */
	uint32_t bitfield_bits;
	bool in_anonymous;
};

static bool is_anonymous_composite(
	const struct btf *btf, const struct btf_member *member, uint32_t *id)
{
	const char *name = polc_btf_string(btf, member->name_off);
	uint32_t ignored;

	if (*name)
		return false;
	*id = polc_btf_strip(btf, member->type, &ignored);
	return *id && btf_is_composite(btf__type_by_id(btf, *id));
}

struct search {
	const struct btf *btf;
	unsigned depth, seen;
};

static bool goes_on(struct search *search, const struct btf_type *type, unsigned i)
{
	return i < btf_vlen(type) && search->depth < NESTING_MAX && search->seen++ < MEMBERS_MAX;
}

static struct found_member find_member(
	struct search *search, uint32_t id, const struct path_word *word)
{
	const struct btf *btf = search->btf;
	const struct btf_type *type = btf__type_by_id(btf, id);
	struct found_member found = {0};
	uint32_t inner;

	for (unsigned i = 0; goes_on(search, type, i); i++) {
		const struct btf_member *member = &btf_members(type)[i];
		const char *name = polc_btf_string(btf, member->name_off);

		if (strlen(name) == word->n && !memcmp(name, word->begin, word->n))
			return (struct found_member){member->type, btf_member_bit_offset(type, i),
				btf_member_bitfield_size(type, i), search->depth > 0};
		if (!is_anonymous_composite(btf, member, &inner))
			continue;
		search->depth++;
		found = find_member(search, inner, word);
		search->depth--;
		if (found.type) {
			found.bits += btf_member_bit_offset(type, i);
			return found;
		}
	}
	return found;
}

typedef POLC_VEC(const char *) member_names;

static void collect_members(
	struct polc_arena *arena, struct search *search, uint32_t id, member_names *names)
{
	const struct btf *btf = search->btf;
	const struct btf_type *type = btf__type_by_id(btf, id);
	uint32_t inner;

	for (unsigned i = 0; goes_on(search, type, i); i++) {
		const struct btf_member *member = &btf_members(type)[i];
		const char *name = polc_btf_string(btf, member->name_off);

		if (*name)
			*polc_vec_push(arena, names) = name;
		if (!is_anonymous_composite(btf, member, &inner))
			continue;
		search->depth++;
		collect_members(arena, search, inner, names);
		search->depth--;
	}
}

static int no_such_member(struct resolver *r, const struct polc_btf_place *place, uint32_t id,
	const struct path_word *word)
{
	struct polc_arena *arena = &r->polc->arena;
	const char *name = polc_arena_strndup(arena, word->begin, word->n), *nearest;
	struct search search = {.btf = place->in->btf};
	struct polc_diagnostic *d;
	member_names names = {0};

	d = polc_error(r->polc, span_of(r, word->begin, word->n), POLC_CODE_TRACE_RESOLVE,
		"%s%s of target %s has no member \"%s\"", r->value.is_typedef ? "" : "struct ",
		*r->value.name ? r->value.name : "(anonymous)", polc_target_name(r->target), name);
	collect_members(arena, &search, id, &names);
	nearest = polc_nearest(name, names.items, names.n);
	if (nearest)
		polc_diagnostic_suggest(r->polc, d, "did you mean \"%s\"?", nearest);
	return -EINVAL;
}

/* --- steps ------------------------------------------------------------------------------------ */

/* A struct that one file only declares is defined in another. */
static void complete(const struct resolver *r, struct polc_btf_place *place)
{
	const struct btf_type *type = btf__type_by_id(place->in->btf, place->id);

	if (type && btf_is_fwd(type))
		*place = polc_target_find(
			r->target, POLC_BTF_STRUCT, polc_btf_name(place->in->btf, place->id));
}

/* What the value is or points to. */
static struct polc_btf_place place_of(const struct resolver *r, const struct polc_value_type *value)
{
	struct polc_btf_place place = polc_target_place(r->target, value->btf_id);
	const struct btf_type *type = place.in ? btf__type_by_id(place.in->btf, place.id) : NULL;
	uint32_t ignored;

	if (!type)
		return (struct polc_btf_place){0};
	if (btf_is_ptr(type))
		place.id = polc_btf_strip(place.in->btf, type->type, &ignored);
	complete(r, &place);
	return place;
}

static void push_step(struct resolver *r, struct polc_resolve_step step)
{
	*polc_vec_push(&r->polc->arena, &r->steps) = step;
	r->value = step.type;
}

static int member_step(struct resolver *r, const struct path_word *word)
{
	struct polc_btf_place place = place_of(r, &r->value);
	const struct btf_type *type = place.in ? btf__type_by_id(place.in->btf, place.id) : NULL;
	struct search search = {0};
	struct found_member found;
	struct polc_resolve_step step = {0};

	if (r->value.is_struct && !type)
		return FAIL(r, word->begin, word->n, "target %s does not say what is in struct %s",
			polc_target_name(r->target), r->value.name);
	if (!type || !btf_is_composite(type))
		return FAIL(r, word->begin, word->n, "\"%.*s\" of %s: only a struct has members",
			(int)word->n, word->begin, value_text(r, &r->value));
	search.btf = place.in->btf;
	found = find_member(&search, place.id, word);
	if (!found.type)
		return no_such_member(r, &place, place.id, word);
	step.struct_name = r->value.name;
	step.is_typedef = r->value.is_typedef;
	step.is_union = btf_is_union(type);
	step.member = polc_arena_strndup(&r->polc->arena, word->begin, word->n);
	step.member_anonymous_path = found.in_anonymous;
	step.through_pointer = r->value.kind == POLC_VALUE_POINTER;
	step.offset = found.bits / 8;
	step.bitfield_bits = found.bitfield_bits;
	step.bitfield_offset = found.bits % 8;
	step.type = polc_value_type_of(&place, found.type);
	push_step(r, step);
	return 0;
}

/* What an array has or a pointer points to; kind VOID when it is not known or neither. */
static struct polc_value_type element_of(const struct resolver *r, uint32_t *size)
{
	struct polc_btf_place place = polc_target_place(r->target, r->value.btf_id);
	const struct btf_type *type = place.in ? btf__type_by_id(place.in->btf, place.id) : NULL;
	uint32_t element = 0;
	int64_t bytes;

	if (type && btf_is_array(type))
		element = btf_array(type)->type;
	else if (type && btf_is_ptr(type))
		element = type->type;
	bytes = element ? btf__resolve_size(place.in->btf, element) : 0;
	*size = bytes > 0 && bytes <= UINT32_MAX ? (uint32_t)bytes : 0;
	if (!*size)
		return (struct polc_value_type){.kind = POLC_VALUE_VOID, .name = ""};
	return polc_value_type_of(&place, element);
}

static int index_step(struct resolver *r, const struct path_word *word)
{
	struct polc_resolve_step step = {
		.index = word->index, .through_pointer = r->value.kind == POLC_VALUE_POINTER};

	step.type = element_of(r, &step.element_size);
	if (!step.element_size)
		return FAIL(r, word->begin, word->n, "[%u] of %s: only an array has elements",
			word->index, value_text(r, &r->value));
	/* an array of 0, or of 1 in older code, may be one whose length is not in its type */
	if (r->value.kind == POLC_VALUE_ARRAY && r->value.size > 1 && word->index >= r->value.size)
		return FAIL(r, word->begin, word->n, "[%u] is beyond the end of %s", word->index,
			value_text(r, &r->value));
	if ((uint64_t)word->index * step.element_size > INT32_MAX)
		return FAIL(
			r, word->begin, word->n, "[%u] is beyond what can be read", word->index);
	step.offset = word->index * step.element_size;
	push_step(r, step);
	return 0;
}

static bool is_pointer_to_pointer(const struct resolver *r)
{
	struct polc_btf_place place = place_of(r, &r->value);

	return r->value.kind == POLC_VALUE_POINTER && place.in &&
	       btf_is_ptr(btf__type_by_id(place.in->btf, place.id));
}

static int take_step(struct resolver *r, const struct path_word *word)
{
	const struct path_word first = {.begin = word->begin, .n = word->n, .is_index = true};
	int error = 0;

	if (word->is_index)
		return index_step(r, word);
	for (unsigned i = 0; !error && i < POINTERS_MAX && is_pointer_to_pointer(r); i++)
		error = index_step(r, &first);
	return error ? error : member_step(r, word);
}

/* --- the path --------------------------------------------------------------------------------- */

static int read_index(struct resolver *r, const char **at, struct path_word *word)
{
	const char *open = *at;
	char *end;
	unsigned long index;

	if (!isdigit((unsigned char)open[1]))
		return FAIL(r, open, 1, "a number is missing after \"[\"");
	errno = 0;
	index = strtoul(open + 1, &end, 10);
	if (*end != ']')
		return FAIL(r, open, (size_t)(end - open), "\"]\" is missing after the number");
	if (errno || index > INT32_MAX)
		return FAIL(r, open, (size_t)(end - open) + 1, "the index is too large");
	*at = end + 1;
	*word = (struct path_word){open, (size_t)(*at - open), true, (uint32_t)index};
	return 0;
}

static int read_member(struct resolver *r, const char **at, struct path_word *word)
{
	const char *begin = *at, *end = begin;

	while (isalnum((unsigned char)*end) || *end == '_')
		end++;
	if (end == begin || isdigit((unsigned char)*begin))
		return FAIL(r, begin, *begin ? 1 : 0, "the name of a member is missing");
	*at = end;
	*word = (struct path_word){.begin = begin, .n = (size_t)(end - begin)};
	return 0;
}

/* The next word; a dot goes before every member but the first, and may go before "[". */
static int next_word(struct resolver *r, const char **at, struct path_word *word)
{
	if (*at != r->path && **at != '[') {
		if (**at != '.')
			return FAIL(r, *at, 1, "\".\" or \"[\" is missing before \"%s\"", *at);
		++*at;
	}
	return **at == '[' ? read_index(r, at, word) : read_member(r, at, word);
}

int polc_target_resolve(struct polc *polc, const struct polc_target *target,
	const struct polc_value_type *from, const char *path, struct polc_span span,
	const struct polc_resolve_step **steps, size_t *n)
{
	struct resolver r = {polc, target, span, path, *from, {0}};
	const char *at = path;
	struct path_word word;
	int error;

	do {
		error = next_word(&r, &at, &word);
		if (!error)
			error = take_step(&r, &word);
	} while (!error && *at);
	if (error)
		return error;
	*steps = r.steps.items;
	*n = r.steps.n;
	return 0;
}
