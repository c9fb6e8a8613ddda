/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Types of C written as text, as far as tables of system calls and formats of tracepoints need. */
#include "target_private.h"

#include <ctype.h>
#include <string.h>

/* X(as written, C's type, bytes, signed) */
#define SCALARS(X)                                                                                 \
	X("char", "char", 1, true)                                                                 \
	X("signed char", "signed char", 1, true)                                                   \
	X("unsigned char", "unsigned char", 1, false)                                              \
	X("short", "short", 2, true)                                                               \
	X("unsigned short", "unsigned short", 2, false)                                            \
	X("int", "int", 4, true)                                                                   \
	X("unsigned", "unsigned int", 4, false)                                                    \
	X("unsigned int", "unsigned int", 4, false)                                                \
	X("long", "long", 8, true)                                                                 \
	X("unsigned long", "unsigned long", 8, false)                                              \
	X("long long", "long long", 8, true)                                                       \
	X("unsigned long long", "unsigned long long", 8, false)                                    \
	X("bool", "_Bool", 1, false)                                                               \
	X("s8", "signed char", 1, true)                                                            \
	X("u8", "unsigned char", 1, false)                                                         \
	X("s16", "short", 2, true)                                                                 \
	X("u16", "unsigned short", 2, false)                                                       \
	X("s32", "int", 4, true)                                                                   \
	X("u32", "unsigned int", 4, false)                                                         \
	X("s64", "long long", 8, true)                                                             \
	X("u64", "unsigned long long", 8, false)                                                   \
	X("__s8", "signed char", 1, true)                                                          \
	X("__u8", "unsigned char", 1, false)                                                       \
	X("__s16", "short", 2, true)                                                               \
	X("__u16", "unsigned short", 2, false)                                                     \
	X("__s32", "int", 4, true)                                                                 \
	X("__u32", "unsigned int", 4, false)                                                       \
	X("__s64", "long long", 8, true)                                                           \
	X("__u64", "unsigned long long", 8, false)                                                 \
	X("size_t", "unsigned long", 8, false)                                                     \
	X("ssize_t", "long", 8, true)                                                              \
	X("loff_t", "long long", 8, true)                                                          \
	X("off_t", "long", 8, true)                                                                \
	X("pid_t", "int", 4, true)                                                                 \
	X("uid_t", "unsigned int", 4, false)                                                       \
	X("gid_t", "unsigned int", 4, false)                                                       \
	X("qid_t", "int", 4, true)                                                                 \
	X("key_t", "int", 4, true)                                                                 \
	X("key_serial_t", "int", 4, true)                                                          \
	X("mqd_t", "int", 4, true)                                                                 \
	X("clockid_t", "int", 4, true)                                                             \
	X("timer_t", "int", 4, true)                                                               \
	X("rwf_t", "int", 4, true)                                                                 \
	X("umode_t", "unsigned short", 2, false)                                                   \
	X("dev_t", "unsigned int", 4, false)                                                       \
	X("aio_context_t", "unsigned long", 8, false)

bool polc_scalar_type(const char *name, size_t n, struct polc_value_type *out)
{
	static const struct scalar {
		const char *written, *type;
		uint32_t size;
		bool is_signed;
	} scalars[] = {
#define X(written, type, size, is_signed) {written, type, size, is_signed},
		SCALARS(X)
#undef X
	};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(scalars); i++) {
		const struct scalar *s = &scalars[i];

		if (strlen(s->written) != n || memcmp(s->written, name, n))
			continue;
		*out = (struct polc_value_type){.kind = POLC_VALUE_INT,
			.name = s->type,
			.size = s->size,
			.is_signed = s->is_signed,
			.is_char = !strcmp(s->type, "char")};
		return true;
	}
	return false;
}

/* Without qualifiers, asterisks and more than one space; asterisks counted. */
static const char *plain_type(
	struct polc_arena *arena, const char *text, size_t n, unsigned *pointers)
{
	static const char *const qualifiers[] = {
		"const", "volatile", "__user", "__data_loc", "__rel_loc"};
	char *plain = polc_arena_alloc(arena, n + 2);
	size_t used = 0;

	for (size_t i = 0, end; i < n; i = end) {
		bool skip = false;

		for (end = i; end < n && (isalnum((unsigned char)text[end]) || text[end] == '_');
			end++)
			;
		if (end == i) {
			*pointers += text[end++] == '*';
			continue;
		}
		for (size_t q = 0; q < POLC_ARRAY_SIZE(qualifiers); q++)
			skip |= strlen(qualifiers[q]) == end - i &&
				!memcmp(qualifiers[q], text + i, end - i);
		if (skip)
			continue;
		if (used)
			plain[used++] = ' ';
		memcpy(plain + used, text + i, end - i);
		used += end - i;
	}
	return plain;
}

struct polc_value_type polc_written_type(struct polc_arena *arena, const char *text, size_t n)
{
	unsigned pointers = 0;
	const char *plain = plain_type(arena, text, n, &pointers);
	struct polc_value_type type = {.kind = POLC_VALUE_INT, .name = plain};
	const char *space = strchr(plain, ' ');

	if (!strncmp(plain, "struct ", 7) || !strncmp(plain, "union ", 6))
		type = (struct polc_value_type){
			.kind = POLC_VALUE_STRUCT, .name = space + 1, .is_struct = true};
	else if (!strcmp(plain, "void"))
		type.name = "";
	else
		polc_scalar_type(plain, strlen(plain), &type);
	if (!pointers)
		return type;
	if (pointers > 1)
		type = (struct polc_value_type){.name = ""};
	type.kind = POLC_VALUE_POINTER;
	type.size = 8;
	type.is_signed = false;
	return type;
}
