/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The classes behind those of the bundle belong to identities told at run time. A slot is free when
 * no such identity uses it: found by looking, so there is no list that a kill could leave wrong.
 */
#include "classes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cleanup.h"

static int selector_bits(
	const struct polb_bundle *bundle, const struct polb_identity_view *view, uint64_t *bits)
{
	for (size_t i = 0; i < bundle->n_selectors; i++) {
		struct polb_selector selector;
		POLB_FREE void *scratch = NULL;
		int err = polb_bundle_selector(bundle, i, &selector, &scratch);

		if (err)
			return err;
		if (polb_selector_matches(&selector, view))
			bits[i / 64] |= 1ull << (i % 64);
	}
	return 0;
}

int pold_class_value(
	const struct polb_bundle *bundle, const struct polb_identity_view *view, void **out)
{
	__u32 class_words = bundle->manifest.class_words;
	POLB_FREE uint64_t *bits = calloc(bundle->manifest.n_words, sizeof(*bits));
	POLB_FREE struct polb_class_head *head = calloc(1, polb_class_value_size(class_words));
	struct polb_class_word *words = (void *)(head + 1);
	int err = bits && head ? selector_bits(bundle, view, bits) : -ENOMEM;

	if (err)
		return err;
	for (__u32 w = 0; w < bundle->manifest.n_words; w++) {
		if (!bits[w])
			continue;
		if (head->n == class_words)
			return -E2BIG;
		words[head->n++] = (struct polb_class_word){.bits = bits[w], .word = w};
	}
	*out = POLB_TAKE(head);
	return 0;
}

static int max_entries(int fd, uint32_t *out)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*out = info.max_entries;
	return 0;
}

static bool is_used(const uint8_t *used, uint32_t class_id)
{
	return used[class_id / 8] & (1u << (class_id % 8));
}

/* An equal class of the bundle, or an equal one at run time, or else the first free slot. */
int pold_class_place(const struct polb_bundle *bundle, int classes_fd, const void *value,
	const uint8_t *used, uint32_t *out)
{
	size_t size = polb_class_value_size(bundle->manifest.class_words);
	POLB_FREE char *there = malloc(size);
	uint32_t n = 0, free_slot = UINT32_MAX;
	int err = there ? max_entries(classes_fd, &n) : -ENOMEM;

	for (uint32_t i = 0; !err && i < n; i++) {
		bool ours = i >= bundle->n_classes;

		if (ours && !is_used(used, i)) {
			free_slot = free_slot == UINT32_MAX ? i : free_slot;
			continue;
		}
		if (bpf_map_lookup_elem(classes_fd, &i, there))
			return -errno;
		if (memcmp(there, value, size) == 0) {
			*out = i;
			return 0;
		}
	}
	if (err)
		return err;
	if (free_slot == UINT32_MAX)
		return -ENOSPC;
	if (bpf_map_update_elem(classes_fd, &free_slot, value, BPF_ANY))
		return -errno;
	*out = free_slot;
	return 0;
}
