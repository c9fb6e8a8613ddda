/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Bounds-checked reading of one kind of ELF. */
#include "elf_image.h"

#include <string.h>

#ifndef EM_BPF
#define EM_BPF 247
#endif

static bool inside(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

static const char *check_header(const Elf64_Ehdr *header, size_t size)
{
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return "not an ELF file";
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
		header->e_type != ET_REL || header->e_machine != EM_BPF)
		return "not a 64-bit little-endian BPF object";
	if (header->e_shentsize != sizeof(Elf64_Shdr) || header->e_shnum == 0 ||
		header->e_shoff % 8 != 0 ||
		!inside(header->e_shoff, (uint64_t)header->e_shnum * sizeof(Elf64_Shdr), size))
		return "section table outside the file";
	if (header->e_shstrndx == 0 || header->e_shstrndx >= header->e_shnum)
		return "no table of section names";
	return NULL;
}

static const char *check_names(const struct polb_elf *elf)
{
	const Elf64_Shdr *names = &elf->sections[elf->header->e_shstrndx];

	if (names->sh_type != SHT_STRTAB || names->sh_size == 0 ||
		elf->data[names->sh_offset + names->sh_size - 1] != '\0')
		return "broken table of section names";
	for (uint32_t i = 0; i < elf->n_sections; i++)
		if (elf->sections[i].sh_name >= names->sh_size)
			return "section name outside its table";
	return NULL;
}

const char *polb_elf_open(const void *data, size_t size, struct polb_elf *out)
{
	struct polb_elf elf = {.data = data, .size = size, .header = data};
	const char *reason;

	if (size < sizeof(Elf64_Ehdr))
		return "too short for an ELF file";
	if ((uintptr_t)data % 8 != 0)
		return "not aligned in memory";
	reason = check_header(elf.header, size);
	if (reason)
		return reason;
	elf.sections = (const Elf64_Shdr *)(elf.data + elf.header->e_shoff);
	elf.n_sections = elf.header->e_shnum;
	for (uint32_t i = 0; i < elf.n_sections; i++)
		if (elf.sections[i].sh_type != SHT_NOBITS &&
			!inside(elf.sections[i].sh_offset, elf.sections[i].sh_size, size))
			return "section outside the file";
	reason = check_names(&elf);
	if (reason)
		return reason;
	*out = elf;
	return NULL;
}

const char *polb_elf_name(const struct polb_elf *elf, uint32_t section)
{
	const Elf64_Shdr *names = &elf->sections[elf->header->e_shstrndx];

	return (const char *)elf->data + names->sh_offset + elf->sections[section].sh_name;
}

uint32_t polb_elf_find(const struct polb_elf *elf, const char *name)
{
	uint32_t found = 0;

	for (uint32_t i = 1; i < elf->n_sections; i++) {
		if (strcmp(polb_elf_name(elf, i), name) != 0)
			continue;
		if (found)
			return UINT32_MAX;
		found = i;
	}
	return found;
}

const void *polb_elf_content(const struct polb_elf *elf, uint32_t section)
{
	return elf->data + elf->sections[section].sh_offset;
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a_size > 0 && b_size > 0 && a < b + b_size && b < a + a_size;
}

bool polb_elf_exclusive(const struct polb_elf *elf, uint32_t section)
{
	const Elf64_Shdr *own = &elf->sections[section];

	if (overlap(own->sh_offset, own->sh_size, 0, sizeof(Elf64_Ehdr)) ||
		overlap(own->sh_offset, own->sh_size, elf->header->e_shoff,
			(uint64_t)elf->n_sections * sizeof(Elf64_Shdr)))
		return false;
	for (uint32_t i = 1; i < elf->n_sections; i++) {
		const Elf64_Shdr *other = &elf->sections[i];

		if (i != section && other->sh_type != SHT_NOBITS &&
			overlap(own->sh_offset, own->sh_size, other->sh_offset, other->sh_size))
			return false;
	}
	return true;
}
