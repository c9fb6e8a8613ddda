/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What every part of the compiler stands on: the arena that owns compile-time data, growable
 * arrays, interned strings, and the context that carries them. Knows nothing of policies.
 */
#ifndef POLC_BASE_H
#define POLC_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define POLC_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define POLC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Exit codes of both tools (design 8). */
enum polc_exit {
	POLC_EXIT_OK = 0,
	POLC_EXIT_BAD = 1,         /* the input was judged bad */
	POLC_EXIT_USAGE = 2,       /* the command line is wrong */
	POLC_EXIT_ENVIRONMENT = 3, /* no clang, kernel lacks a feature, permission, I/O */
	POLC_EXIT_BUG = 70,        /* a bug in the tool */
};

/* To a question that cannot always be settled. */
enum polc_answer { POLC_NO, POLC_YES, POLC_UNKNOWN };

/* A broken invariant of ours. Never reachable from input; prints and exits 70. */
#define POLC_BUG(...) polc_bug(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void polc_bug(const char *file, int line, const char *fmt, ...) POLC_PRINTF(3, 4);

/*
 * Arena: all compile-time data lives here and is freed at once. Memory is zeroed. Allocation
 * failure ends the process with POLC_EXIT_ENVIRONMENT and a message; callers never see NULL.
 */
struct polc_arena_block;
struct polc_arena {
	struct polc_arena_block *head;
	size_t allocated_bytes;
};
void polc_arena_free(struct polc_arena *arena);
void *polc_arena_alloc(struct polc_arena *arena, size_t size);
void *polc_arena_array(struct polc_arena *arena, size_t n, size_t size); /* checks overflow */
char *polc_arena_strndup(struct polc_arena *arena, const char *s, size_t n);
char *polc_arena_printf(struct polc_arena *arena, const char *fmt, ...) POLC_PRINTF(2, 3);
char *polc_arena_vprintf(struct polc_arena *arena, const char *fmt, va_list ap);

#define POLC_NEW(arena, type) ((type *)polc_arena_alloc((arena), sizeof(type)))
#define POLC_NEW_ARRAY(arena, n, type) ((type *)polc_arena_array((arena), (n), sizeof(type)))

/*
 * Growable array: POLC_VEC(struct foo) v = {0}; *polc_vec_push(arena, &v) = x;
 * items stay valid until the next push.
 */
#define POLC_VEC(type)                                                                             \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t n, cap;                                                                     \
	}
void *polc_vec_grow(struct polc_arena *arena, void *items, size_t n, size_t *cap, size_t item_size);
#define polc_vec_push(arena, v)                                                                    \
	((v)->items = polc_vec_grow((arena), (v)->items, (v)->n, &(v)->cap, sizeof(*(v)->items)),  \
		&(v)->items[(v)->n++])

/* Growable text buffer in an arena: .p is always NUL-terminated once something was added. */
struct polc_buf {
	struct polc_arena *arena;
	char *p;
	size_t n, cap;
};
void polc_buf_add(struct polc_buf *b, const char *s, size_t n);
void polc_buf_puts(struct polc_buf *b, const char *s);
void polc_buf_printf(struct polc_buf *b, const char *fmt, ...) POLC_PRINTF(2, 3);
/* Appends s as a JSON string with its quotes. */
void polc_buf_json(struct polc_buf *b, const char *s);
/* Appends "key":"value", with its comma; value NULL is null. */
void polc_buf_json_member(struct polc_buf *b, const char *key, const char *value);

/* Decodes one UTF-8 character of at most n bytes; returns its length, or 0 when it is not valid. */
unsigned polc_utf8_decode(const char *s, size_t n, uint32_t *out);

/* Nearest of n names to `word` by edit distance, or NULL when none is near enough to suggest. */
const char *polc_nearest(const char *word, const char *const *names, size_t n);

#endif
