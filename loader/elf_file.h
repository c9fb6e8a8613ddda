/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A program or library on disk: addresses to file offsets, symbols, notes. Files are not trusted.
 */
#ifndef POLD_ELF_FILE_H
#define POLD_ELF_FILE_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pold_elf {
	const unsigned char *data; /* the whole file, mapped */
	size_t size;
	Elf *elf;
};
#define POLD_ELF __attribute__((cleanup(pold_elf_close))) struct pold_elf

int pold_elf_open(const char *path, struct pold_elf *out); /* 0 or -errno; -ENOEXEC: no ELF */
void pold_elf_close(struct pold_elf *file);
/* File offset of a virtual address that is loaded from the file. */
bool pold_elf_offset(const struct pold_elf *file, uint64_t address, uint64_t *out);
/* Offsets of the functions of a name (at most `max`; more than one: local ones). */
size_t pold_elf_functions(
	const struct pold_elf *file, const char *name, uint64_t *offsets, size_t max);
/* A section by name. */
bool pold_elf_section(
	const struct pold_elf *file, const char *name, GElf_Shdr *header, Elf_Data **data);
/* Calls back for every note of a section; false from the call ends it. */
void pold_elf_notes(const struct pold_elf *file, const char *section, const char *owner,
	uint32_t type, bool (*call)(void *context, const unsigned char *desc, size_t size),
	void *context);

#endif
