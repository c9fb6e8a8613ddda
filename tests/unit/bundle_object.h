/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The smallest object that can carry a bundle's tables, for the tests of reader and writer. */
#ifndef BUNDLE_OBJECT_H
#define BUNDLE_OBJECT_H

#include <stddef.h>
#include <string.h>

#include "runtime/bundle_private.h"

/* A hand-made object: a program, a debug section with relocations, symbols into both. */
struct object {
	Elf64_Ehdr header;
	__u64 text[2];
	Elf64_Rel text_rel[1], debug_rel[1];
	__u64 debug[1];
	Elf64_Sym symbols[5];
	char names[128];
	Elf64_Shdr sections[8];
};

static inline Elf64_Shdr section(
	const struct object *o, __u32 name, __u32 type, const void *at, size_t size)
{
	return (Elf64_Shdr){.sh_name = name,
		.sh_type = type,
		.sh_size = size,
		.sh_addralign = 8,
		.sh_offset = (__u64)((const char *)at - (const char *)o)};
}

static inline void object_make(struct object *o)
{
	/*                          1      7          13 (.debug_info at 17)   29          */
	static const char names[] =
		"\0.text\0.strtab\0.rel.debug_info\0.symtab\0.rel.text\0prog\0gone\0other";

	memset(o, 0, sizeof(*o));
	memcpy(o->header.e_ident, ELFMAG "\2\1\1", 7);
	o->header.e_type = ET_REL;
	o->header.e_machine = 247;
	o->header.e_version = 1;
	o->header.e_ehsize = sizeof(o->header);
	o->header.e_shentsize = sizeof(Elf64_Shdr);
	o->header.e_shoff = offsetof(struct object, sections);
	o->header.e_shnum = 7;
	o->header.e_shstrndx = 6;
	o->text[0] = 0xb7;
	o->text[1] = 0x95;
	memcpy(o->names, names, sizeof(names));
#define NAME(text) ((__u32)((char *)memmem(o->names, sizeof(names), text, sizeof(text)) - o->names))
	o->sections[1] = section(o, NAME(".text"), SHT_PROGBITS, o->text, sizeof(o->text));
	o->sections[1].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
	o->sections[2] = section(o, NAME(".debug_info"), SHT_PROGBITS, o->debug, 8);
	o->sections[3] = section(o, NAME(".rel.debug_info"), SHT_REL, o->debug_rel, 16);
	o->sections[3].sh_info = 2;
	o->sections[3].sh_link = o->sections[5].sh_link = 5;
	o->sections[4] = section(o, NAME(".rel.text"), SHT_REL, o->text_rel, 16);
	o->sections[4].sh_info = 1;
	o->sections[4].sh_link = 5;
	o->sections[3].sh_entsize = o->sections[4].sh_entsize = sizeof(Elf64_Rel);
	o->sections[5] = section(o, NAME(".symtab"), SHT_SYMTAB, o->symbols, sizeof(o->symbols));
	o->sections[5].sh_link = 6;
	o->sections[5].sh_info = 3;
	o->sections[5].sh_entsize = sizeof(Elf64_Sym);
	o->sections[6] = section(o, NAME(".strtab"), SHT_STRTAB, o->names, sizeof(names));
	o->symbols[1] =
		(Elf64_Sym){.st_info = ELF64_ST_INFO(STB_LOCAL, STT_SECTION), .st_shndx = 2};
	o->symbols[2] =
		(Elf64_Sym){.st_info = ELF64_ST_INFO(STB_LOCAL, STT_SECTION), .st_shndx = 1};
	o->symbols[3] = (Elf64_Sym){.st_name = NAME("prog"),
		.st_shndx = 1,
		.st_size = 16,
		.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC)};
	o->symbols[4] = (Elf64_Sym){.st_name = NAME("gone"),
		.st_shndx = 2,
		.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT)};
	o->text_rel[0] = (Elf64_Rel){.r_info = ELF64_R_INFO(3UL, 1)};
	o->debug_rel[0] = (Elf64_Rel){.r_info = ELF64_R_INFO(1UL, 2)};
}

#endif
