/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Batches of map entries (hash and array maps: 5.6). */
#include "batch.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/cleanup.h"

#define BATCH 16384u
#define HUGE_BYTES ((size_t)2 << 20)
#define KERNEL_ENOTSUPP 524 /* the kernel's own number, not in errno.h */

struct entries {
	char *keys, *values;
	size_t n, cap, key_size, value_size;
};

/* As realloc(); large ones in huge pages, where there are any. */
static void *larger_array(void *old, size_t used, size_t bytes)
{
	void *larger;

	if (bytes < HUGE_BYTES)
		return realloc(old, bytes);
	if (posix_memalign(&larger, HUGE_BYTES, bytes))
		return NULL;
	madvise(larger, bytes / HUGE_BYTES * HUGE_BYTES, MADV_HUGEPAGE);
	if (used)
		memcpy(larger, old, used);
	free(old);
	return larger;
}

static int grow(struct entries *e, size_t more)
{
	size_t cap = e->cap ? e->cap : more;
	void *larger;

	if (e->n + more <= e->cap)
		return 0;
	while (cap < e->n + more)
		cap *= 2;
	larger = larger_array(e->keys, e->n * e->key_size, cap * e->key_size);
	if (!larger)
		return -ENOMEM;
	e->keys = larger;
	larger = larger_array(e->values, e->n * e->value_size, cap * e->value_size);
	if (!larger)
		return -ENOMEM;
	e->values = larger;
	e->cap = cap;
	return 0;
}

static bool is_unsupported(int err)
{
	return err == EINVAL || err == EOPNOTSUPP || err == KERNEL_ENOTSUPP;
}

static int read_each(int fd, struct entries *e)
{
	const void *previous = NULL;
	int err = 0;

	while (!err) {
		err = grow(e, e->n ? 1 : 64);
		if (err)
			break;
		previous = e->n ? e->keys + (e->n - 1) * e->key_size : NULL;
		if (bpf_map_get_next_key(fd, previous, e->keys + e->n * e->key_size))
			return errno == ENOENT ? 0 : -errno;
		if (bpf_map_lookup_elem(fd, e->keys + e->n * e->key_size,
			    e->values + e->n * e->value_size) == 0)
			e->n++;
		else
			err = -errno;
	}
	return err;
}

static int read_batches(int fd, struct entries *e)
{
	uint32_t token[8], count;
	void *in = NULL;

	for (;;) {
		int err = grow(e, BATCH);

		if (err)
			return err;
		count = BATCH;
		err = bpf_map_lookup_batch(fd, in, token, e->keys + e->n * e->key_size,
			e->values + e->n * e->value_size, &count, NULL);
		if (err && errno != ENOENT)
			return -errno;
		e->n += count;
		if (err)
			return 0;
		in = token;
	}
}

int pold_batch_read(
	int fd, size_t key_size, size_t value_size, void **keys, void **values, size_t *n)
{
	struct entries e = {.key_size = key_size, .value_size = value_size};
	int err = read_batches(fd, &e);

	if (err && is_unsupported(-err)) {
		e.n = 0;
		err = read_each(fd, &e);
	}
	if (err) {
		free(e.keys);
		free(e.values);
		return err;
	}
	*keys = e.keys;
	*values = e.values;
	*n = e.n;
	return 0;
}

static int write_each(
	int fd, const char *keys, const char *values, size_t key_size, size_t value_size, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bpf_map_update_elem(fd, keys + i * key_size, values + i * value_size, BPF_ANY))
			return errno == E2BIG ? -ENOSPC : -errno;
	return 0;
}

int pold_batch_write(
	int fd, const void *keys, const void *values, size_t key_size, size_t value_size, size_t n)
{
	for (size_t done = 0; done < n;) {
		uint32_t count = n - done < BATCH ? (uint32_t)(n - done) : BATCH;
		const char *k = (const char *)keys + done * key_size;
		const char *v = (const char *)values + done * value_size;

		if (bpf_map_update_batch(fd, k, v, &count, NULL)) {
			if (is_unsupported(errno))
				return write_each(fd, k, v, key_size, value_size, n - done);
			return errno == E2BIG ? -ENOSPC : -errno;
		}
		done += n - done < BATCH ? n - done : BATCH;
	}
	return 0;
}

/* One by one: a batch stops at the first one that is missing. */
int pold_batch_delete(int fd, const void *keys, size_t key_size, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bpf_map_delete_elem(fd, (const char *)keys + i * key_size) && errno != ENOENT)
			return -errno;
	return 0;
}

int pold_map_entries(int fd, uint32_t *max_entries)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*max_entries = info.max_entries;
	return 0;
}
