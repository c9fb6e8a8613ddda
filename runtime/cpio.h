/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The "newc" cpio archive, which the kernel unpacks as its first root: written to a stream, read
 * from memory. No devices' numbers, links, owners or times, so the bytes depend on the content
 * only.
 */
#ifndef POLB_CPIO_H
#define POLB_CPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define POLB_CPIO_DIRECTORY 0040755u
#define POLB_CPIO_FILE 0100644u
#define POLB_CPIO_PROGRAM 0100755u
#define POLB_CPIO_CONSOLE 0020600u /* /dev/console: character device 5:1 */

struct polb_cpio_entry {
	const char *name; /* relative path */
	uint32_t mode;    /* POLB_CPIO_* */
	const void *data;
	size_t size;
};

struct polb_cpio_writer {
	/* 0 or -errno; what it returns is kept in `error`, and nothing more is written */
	int (*write)(void *context, const void *data, size_t size);
	void *context;
	uint64_t written;
	uint32_t entries;
	int error;
};
void polb_cpio_add(struct polb_cpio_writer *w, const struct polb_cpio_entry *entry);
int polb_cpio_end(struct polb_cpio_writer *w); /* writes the trailer; 0 or -errno */

/*
 * The entry at *offset, which then is that of the next one. 1; 0: the trailer; -EINVAL: broken, cut
 * or with a name that leads out of the directory ("/x", "..", "").
 */
int polb_cpio_next(const void *archive, size_t size, size_t *offset, struct polb_cpio_entry *entry);

#endif
