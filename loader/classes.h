/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which selectors of a bundle an identity at an address satisfies, and the entry of a generation's
 * class map that says so. Entries are chosen in memory and written together.
 */
#ifndef POLD_CLASSES_H
#define POLD_CLASSES_H

#include "identity.h"
#include "runtime/bundle.h"

struct pold_classes {
	const struct polb_bundle *bundle;
	int fd, peers_fd[2]; /* borrowed */
	struct pold_pool pool;
	const struct polb_selector *selectors;
	const void **scratch;         /* of the selectors */
	struct pold_prefix *prefixes; /* all that selectors name, sorted */
	size_t n_prefixes;
	uint64_t *bits;
	size_t value_bytes;
	char *image; /* the map's entries, as they will be */
	uint32_t n_entries;
	uint32_t *table; /* entries by hash of their value: number + 1 */
	size_t n_slots;
	uint8_t *used; /* bit per entry that an address has or will have */
	bool used_is_known;
	uint32_t next_free;
	POLD_LIST(uint32_t) changed;
	struct pold_memo *memo; /* {identity, prefix} -> class */
	size_t n_memo, memo_slots;
};

/* fd: the class map; peers_fd: who refers to it. 0 or -errno. */
int pold_classes_open(
	const struct polb_bundle *bundle, int fd, const int peers_fd[2], struct pold_classes *out);
void pold_classes_close(struct pold_classes *classes);
/*
 * The class of an identity at an address; `key` stands for the identity (its kinds as seen from
 * this node). -ENOSPC: no entry is free; -E2BIG: more words than the bundle's classes have.
 */
int pold_class_of(struct pold_classes *classes, uint32_t key, uint32_t kinds,
	const struct pold_who *who, const struct polb_addr *addr, uint32_t *out);
int pold_classes_write(struct pold_classes *classes); /* the new ones; 0 or -errno */

#endif
