/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* newc: a header of 13 hexadecimal numbers, name, content; name and content end at multiples of 4.
 */
#include "cpio.h"

#include <errno.h>
#include <string.h>

#define MAGIC "070701"
#define TRAILER "TRAILER!!!"
#define HEADER_BYTES (sizeof(MAGIC) - 1 + 13 * 8)

/* Places of the numbers that are not always 0. */
enum { INODE, MODE, LINKS = 4, SIZE = 6, RDEV_MAJOR = 9, RDEV_MINOR, NAME_SIZE, N_NUMBERS = 13 };

static void put(struct polb_cpio_writer *w, const void *data, size_t size)
{
	if (w->error || !size)
		return;
	w->error = w->write(w->context, data, size);
	w->written += size;
}

static void align(struct polb_cpio_writer *w)
{
	static const char zeros[4];

	put(w, zeros, (4 - w->written % 4) % 4);
}

void polb_cpio_add(struct polb_cpio_writer *w, const struct polb_cpio_entry *entry)
{
	uint32_t numbers[N_NUMBERS] = {[INODE] = ++w->entries,
		[MODE] = entry->mode,
		[LINKS] = 1,
		[SIZE] = (uint32_t)entry->size,
		[NAME_SIZE] = (uint32_t)strlen(entry->name) + 1};
	char header[HEADER_BYTES + 1] = MAGIC;

	if (entry->size > UINT32_MAX && !w->error)
		w->error = -EFBIG;
	if (entry->mode == POLB_CPIO_CONSOLE) {
		numbers[RDEV_MAJOR] = 5;
		numbers[RDEV_MINOR] = 1;
	}
	for (size_t i = 0; i < N_NUMBERS; i++)
		snprintf(header + sizeof(MAGIC) - 1 + 8 * i, 9, "%08X", numbers[i]);
	put(w, header, HEADER_BYTES);
	put(w, entry->name, numbers[NAME_SIZE]);
	align(w);
	put(w, entry->data, entry->size);
	align(w);
}

int polb_cpio_end(struct polb_cpio_writer *w)
{
	const struct polb_cpio_entry trailer = {.name = TRAILER};

	polb_cpio_add(w, &trailer);
	return w->error;
}

static bool hexadecimal(const char *text, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < 8; i++) {
		const char *digits = "0123456789abcdef0123456789ABCDEF";
		const char *digit = text[i] ? strchr(digits, text[i]) : NULL;

		if (!digit)
			return false;
		*out = *out << 4 | (uint32_t)((digit - digits) % 16);
	}
	return true;
}

static bool stays_below(const char *name)
{
	if (!*name || *name == '/')
		return false;
	for (const char *part = name; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2]))
			return false;
	}
	return true;
}

static size_t aligned(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

int polb_cpio_next(const void *archive, size_t size, size_t *offset, struct polb_cpio_entry *entry)
{
	const char *at = (const char *)archive + *offset;
	size_t left = *offset <= size ? size - *offset : 0, content;
	uint32_t name_size, data_size, mode;

	if (left < HEADER_BYTES || memcmp(at, MAGIC, sizeof(MAGIC) - 1) != 0 ||
		!hexadecimal(at + sizeof(MAGIC) - 1 + 8 * MODE, &mode) ||
		!hexadecimal(at + sizeof(MAGIC) - 1 + 8 * SIZE, &data_size) ||
		!hexadecimal(at + sizeof(MAGIC) - 1 + 8 * NAME_SIZE, &name_size))
		return -EINVAL;
	if (name_size < 1 || name_size > left - HEADER_BYTES || at[HEADER_BYTES + name_size - 1])
		return -EINVAL;
	*entry = (struct polb_cpio_entry){.name = at + HEADER_BYTES, .mode = mode};
	if (strcmp(entry->name, TRAILER) == 0)
		return 0;
	content = aligned(HEADER_BYTES + name_size);
	if (content > left || data_size > left - content || !stays_below(entry->name))
		return -EINVAL;
	entry->data = at + content;
	entry->size = data_size;
	*offset += aligned(content + data_size);
	return 1;
}
