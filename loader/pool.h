/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Memory of one inventory: zeroed, freed together; lists that grow in it. Running out of it ends
 * the process: nothing has been changed while an inventory is read.
 */
#ifndef POLD_POOL_H
#define POLD_POOL_H

#include <stddef.h>
#include <stdint.h>

struct pold_pool { /* zero-initialised: empty */
	struct pold_pool_block *blocks;
};

void *pold_pool_new(struct pold_pool *pool, size_t bytes);
char *pold_pool_text(struct pold_pool *pool, const char *text, size_t n); /* NUL-terminated */
void *pold_pool_copy(struct pold_pool *pool, const void *data, size_t bytes);
void pold_pool_free(struct pold_pool *pool);

/* A list: items, n, cap. Push gives a pointer to a new zeroed item. */
#define POLD_LIST(type)                                                                            \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t n, cap;                                                                     \
	}
#define pold_list_push(pool, list)                                                                 \
	((list)->items = pold_pool_grow(                                                           \
		 pool, (list)->items, (list)->n, &(list)->cap, sizeof(*(list)->items)),            \
		&(list)->items[(list)->n++])
void *pold_pool_grow(struct pold_pool *pool, void *items, size_t n, size_t *cap, size_t size);
/* Room for so many more at once. */
#define pold_list_reserve(pool, list, more)                                                        \
	((list)->items = pold_pool_reserve(                                                        \
		 pool, (list)->items, (list)->n, &(list)->cap, sizeof(*(list)->items), more))
void *pold_pool_reserve(
	struct pold_pool *pool, void *items, size_t n, size_t *cap, size_t size, size_t more);

#endif
