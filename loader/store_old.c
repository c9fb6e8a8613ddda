/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* identities_v1, taken over: its labels are sorted, its reserved numbers kept. */
#include "store_old.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"
#include "loader.h"
#include "runtime/cleanup.h"

#define MAX_LABELS 128u

struct old_identity {
	uint32_t kinds, number, labels_size;
	char labels[1012]; /* source, key, value, each NUL-terminated, repeated */
};

static int open_old(const char *name)
{
	return pold_pin_get(POLD_ROOT "/%s/identities_v1", name);
}

static size_t labels_of(const struct old_identity *old, struct polb_label out[MAX_LABELS])
{
	const char *at = old->labels;
	size_t size = old->labels_size, n = 0;
	const char *end = at + (size < sizeof(old->labels) ? size : sizeof(old->labels));

	while (at < end && n < MAX_LABELS) {
		const char *parts[3];

		for (int i = 0; i < 3; i++) {
			parts[i] = at;
			at += strnlen(at, (size_t)(end - at)) + 1;
			if (at > end)
				return n;
		}
		out[n++] = (struct polb_label){parts[0], parts[1], parts[2]};
	}
	return n;
}

static uint32_t set_of(struct pold_store *store, const struct old_identity *old)
{
	struct polb_label labels[MAX_LABELS];
	struct pold_who who = {.kinds = old->kinds,
		.number = old->kinds & POLB_KIND_POD ? 0 : old->number,
		.labels = labels};

	who.n_labels = labels_of(old, labels);
	pold_labels_sort(labels, who.n_labels);
	pold_who_record(&store->pool, &who);
	pold_who_read(&store->pool, who.record, who.record_bytes, &who);
	return pold_store_set(store, &who);
}

int pold_store_take_over(struct pold_store *store)
{
	POLB_FREE void *keys = NULL, *values = NULL;
	POLB_FREE struct pold_kept *kept = NULL;
	POLB_FD fd = open_old(store->name);
	const struct old_identity *old;
	char path[POLD_PATH];
	size_t n = 0;
	int err;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = pold_batch_read(fd, sizeof(struct pold_kept_key), sizeof(*old), &keys, &values, &n);
	if (err)
		return err;
	old = values;
	kept = calloc(n + 1, sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		kept[i].set = store->sets.items[set_of(store, &old[i])].id;
		kept[i].flags = POLD_KEPT_BY_HAND;
	}
	err = pold_store_reserve(store, n);
	if (!err)
		err = pold_store_write_sets(store);
	if (!err)
		err = pold_store_write(store, keys, kept, n);
	pold_path(path, POLD_ROOT "/%s/identities_v1", store->name);
	return err ? err : unlink(path) ? -errno : 0;
}

int pold_store_say_old(const char *name)
{
	POLB_FD fd = open_old(name);

	if (fd >= 0)
		pold_note("note: identities that an older polload kept are taken over by the next "
			  "apply, sync or identity add");
	return 0;
}

int pold_store_count_old(const char *name, uint32_t *out)
{
	POLB_FREE void *keys = NULL, *values = NULL;
	POLB_FD fd = open_old(name);
	size_t n = 0;
	int err;

	*out = 0;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = pold_batch_read(
		fd, sizeof(struct pold_kept_key), sizeof(struct old_identity), &keys, &values, &n);
	*out = (uint32_t)n;
	return err;
}
