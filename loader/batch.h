/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Many entries of a hash map at once; one by one where the kernel has no batches for it. */
#ifndef POLD_BATCH_H
#define POLD_BATCH_H

#include <stddef.h>
#include <stdint.h>

/* All entries of a map that nobody changes meanwhile, malloc'd. 0 or -errno. */
int pold_batch_read(
	int fd, size_t key_size, size_t value_size, void **keys, void **values, size_t *n);
/* 0 or -errno; -ENOSPC: the map is full. */
int pold_batch_write(
	int fd, const void *keys, const void *values, size_t key_size, size_t value_size, size_t n);
/* What is not there is no mistake. 0 or -errno. */
int pold_batch_delete(int fd, const void *keys, size_t key_size, size_t n);
int pold_map_entries(int fd, uint32_t *max_entries); /* 0 or -errno */

#endif
