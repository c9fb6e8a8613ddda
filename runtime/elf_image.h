/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A 64-bit little-endian BPF relocatable object in memory, every access bounds-checked. Internal to
 * the bundle's reader and writer; knows nothing of what sections mean.
 */
#ifndef POLB_ELF_IMAGE_H
#define POLB_ELF_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct polb_elf {
	const uint8_t *data;
	size_t size;
	const Elf64_Ehdr *header;
	const Elf64_Shdr *sections;
	uint32_t n_sections;
};

/*
 * Checks header, section table, names, and that every section lies inside the file. `data` is
 * borrowed and 8-byte aligned. NULL, or the reason.
 */
const char *polb_elf_open(const void *data, size_t size, struct polb_elf *out);
const char *polb_elf_name(const struct polb_elf *elf, uint32_t section);
/* Number of the only section of this name; 0: none; UINT32_MAX: several. */
uint32_t polb_elf_find(const struct polb_elf *elf, const char *name);
const void *polb_elf_content(const struct polb_elf *elf, uint32_t section);
/* Nothing else of the file (headers, other sections) shares bytes with this section. */
bool polb_elf_exclusive(const struct polb_elf *elf, uint32_t section);

#endif
