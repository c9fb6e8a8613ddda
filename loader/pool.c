/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Blocks of zeroed memory that are freed together. */
#include "pool.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "loader.h"

#define BLOCK_BYTES ((size_t)256 << 10)
#define HUGE_BYTES ((size_t)2 << 20) /* from here on with huge pages, where there are any */
#define ALIGNMENT 16u

struct pold_pool_block {
	struct pold_pool_block *next;
	size_t used, size;
	_Alignas(ALIGNMENT) char data[];
};

static _Noreturn void out_of_memory(void)
{
	exit(pold_fail(POLD_ENVIRONMENT, "out of memory"));
}

/* Huge pages begin at multiples of their size. NULL: out of memory. */
static void *new_huge(size_t bytes)
{
	char *all = mmap(NULL, bytes + HUGE_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (all == MAP_FAILED)
		return NULL;
	before = (HUGE_BYTES - (uintptr_t)all % HUGE_BYTES) % HUGE_BYTES;
	if (before)
		munmap(all, before);
	if (before < HUGE_BYTES)
		munmap(all + before + bytes, HUGE_BYTES - before);
	madvise(all + before, bytes, MADV_HUGEPAGE);
	return all + before;
}

static bool is_huge(size_t bytes)
{
	return bytes >= HUGE_BYTES;
}

static struct pold_pool_block *new_block(size_t size)
{
	struct pold_pool_block *block;
	size_t bytes = sizeof(*block) + size;

	if (is_huge(bytes) && bytes > SIZE_MAX - 2 * HUGE_BYTES)
		out_of_memory();
	if (is_huge(bytes))
		bytes = (bytes + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
	block = is_huge(bytes) ? new_huge(bytes) : calloc(1, bytes);
	if (!block)
		out_of_memory();
	block->size = bytes - sizeof(*block);
	return block;
}

static void free_block(struct pold_pool_block *block)
{
	size_t bytes = sizeof(*block) + block->size;

	if (is_huge(bytes))
		munmap(block, bytes);
	else
		free(block);
}

/* A pool that has filled a block gets a larger one, up to a huge page. */
static size_t next_size(const struct pold_pool_block *last)
{
	size_t most = HUGE_BYTES - sizeof(*last);

	if (!last)
		return BLOCK_BYTES;
	return last->size < most / 2 ? last->size * 2 : most;
}

void *pold_pool_new(struct pold_pool *pool, size_t bytes)
{
	struct pold_pool_block *block = pool->blocks;
	size_t need = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	size_t size = next_size(block);
	void *out;

	if (need < bytes || need > SIZE_MAX - sizeof(*block))
		out_of_memory();
	if (!block || block->size - block->used < need) {
		block = new_block(need > size ? need : size);
		/* a block filled by one big request goes behind the one still in use */
		if (pool->blocks && need > size) {
			block->next = pool->blocks->next;
			pool->blocks->next = block;
		} else {
			block->next = pool->blocks;
			pool->blocks = block;
		}
	}
	out = block->data + block->used;
	block->used += need;
	return out;
}

void *pold_pool_copy(struct pold_pool *pool, const void *data, size_t bytes)
{
	void *out = pold_pool_new(pool, bytes);

	if (bytes)
		memcpy(out, data, bytes);
	return out;
}

char *pold_pool_text(struct pold_pool *pool, const char *text, size_t n)
{
	char *out = pold_pool_new(pool, n + 1);

	memcpy(out, text, n);
	return out;
}

void *pold_pool_grow(struct pold_pool *pool, void *items, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : 4;
	void *larger;

	if (n < *cap)
		return items;
	if (more > SIZE_MAX / size)
		out_of_memory();
	larger = pold_pool_new(pool, more * size);
	if (n)
		memcpy(larger, items, n * size);
	*cap = more;
	return larger;
}

void *pold_pool_reserve(
	struct pold_pool *pool, void *items, size_t n, size_t *cap, size_t size, size_t more)
{
	void *larger;

	if (*cap - n >= more)
		return items;
	if (more > SIZE_MAX / size - n)
		out_of_memory();
	larger = pold_pool_new(pool, (n + more) * size);
	if (n)
		memcpy(larger, items, n * size);
	*cap = n + more;
	return larger;
}

void pold_pool_free(struct pold_pool *pool)
{
	while (pool->blocks) {
		struct pold_pool_block *block = pool->blocks;

		pool->blocks = block->next;
		free_block(block);
	}
}
