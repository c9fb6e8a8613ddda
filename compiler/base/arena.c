/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The arena: blocks of zeroed memory that are freed together. The only place of the compiler that
 * ends the process for want of memory, and the home of POLC_BUG.
 */
#include "base.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN_BYTES ((size_t)64 << 10)
#define BLOCK_MAX_BYTES ((size_t)4 << 20)

struct polc_arena_block {
	struct polc_arena_block *next;
	size_t used, size;
	max_align_t data[];
};

void polc_bug(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "polc: internal error at %s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\nthis is a bug in polc, please report it\n", stderr);
	exit(POLC_EXIT_BUG);
}

static _Noreturn void out_of_memory(void)
{
	fputs("polc: out of memory\n", stderr);
	exit(POLC_EXIT_ENVIRONMENT);
}

/* Blocks grow with the arena; a request too big for its share gets a block of its own. */
static struct polc_arena_block *new_block(struct polc_arena *arena, size_t need)
{
	size_t size =
		arena->allocated_bytes < BLOCK_MAX_BYTES ? arena->allocated_bytes : BLOCK_MAX_BYTES;
	struct polc_arena_block *block;

	if (size < BLOCK_MIN_BYTES)
		size = BLOCK_MIN_BYTES;
	if (size < need)
		size = need;
	if (size > SIZE_MAX - sizeof(*block))
		out_of_memory();
	block = calloc(1, sizeof(*block) + size);
	if (!block)
		out_of_memory();
	block->size = size;
	arena->allocated_bytes += size;
	return block;
}

/* A block filled by one big request goes behind the head, whose free space stays in use. */
static struct polc_arena_block *add_block(struct polc_arena *arena, size_t need)
{
	struct polc_arena_block *block = new_block(arena, need), *head = arena->head;

	if (head && block->size == need) {
		block->next = head->next;
		head->next = block;
	} else {
		block->next = head;
		arena->head = block;
	}
	return block;
}

void *polc_arena_alloc(struct polc_arena *arena, size_t size)
{
	const size_t align = sizeof(max_align_t) - 1;
	struct polc_arena_block *block = arena->head;
	void *p;

	if (size > SIZE_MAX - align)
		out_of_memory();
	size = size ? (size + align) / (align + 1) * (align + 1) : align + 1;
	if (!block || block->size - block->used < size)
		block = add_block(arena, size);
	p = (char *)block->data + block->used;
	block->used += size;
	return p;
}

void *polc_arena_array(struct polc_arena *arena, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		out_of_memory();
	return polc_arena_alloc(arena, bytes);
}

void polc_arena_free(struct polc_arena *arena)
{
	struct polc_arena_block *block = arena->head, *next;

	for (; block; block = next) {
		next = block->next;
		free(block);
	}
	*arena = (struct polc_arena){0};
}

char *polc_arena_strndup(struct polc_arena *arena, const char *s, size_t n)
{
	char *copy;

	if (n == SIZE_MAX)
		out_of_memory();
	copy = polc_arena_alloc(arena, n + 1);
	if (n)
		memcpy(copy, s, n);
	return copy;
}

char *polc_arena_vprintf(struct polc_arena *arena, const char *fmt, va_list ap)
{
	va_list again;
	char *text;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		POLC_BUG("bad format \"%s\"", fmt);
	text = polc_arena_alloc(arena, (size_t)n + 1);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	return text;
}

char *polc_arena_printf(struct polc_arena *arena, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = polc_arena_vprintf(arena, fmt, ap);
	va_end(ap);
	return text;
}

void *polc_vec_grow(struct polc_arena *arena, void *items, size_t n, size_t *cap, size_t item_size)
{
	void *bigger;
	size_t grown;

	if (n < *cap)
		return items;
	grown = *cap ? *cap * 2 : 4;
	if (grown < *cap)
		out_of_memory();
	bigger = polc_arena_array(arena, grown, item_size);
	if (n)
		memcpy(bigger, items, n * item_size);
	*cap = grown;
	return bigger;
}
