/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The sections, symbols and relocations of a bundle's object. */
#include "object_check.h"

#include <string.h>

#include "cleanup.h"

#define MAX_SYMBOLS (1u << 20)
#define INSN_BYTES 8

/* Programs are known by what libbpf takes their section's name for; "/": something follows. */
static const char *const program_sections[] = {".text", "cgroup_skb/ingress", "cgroup_skb/egress",
	"tc", "tp_btf/", "raw_tp", "raw_tp/", "tracepoint/", "tp/", "fentry/", "fexit/",
	"fmod_ret/", "lsm/", "lsm.s/", "kprobe/", "kretprobe/", "kprobe", "kretprobe", "uprobe",
	"uretprobe", "uprobe.s", "uretprobe.s", "usdt", "usdt.s", "tracepoint", "lsm", "fentry",
	"fexit", "fmod_ret", "tp_btf"};

struct object {
	const struct polb_elf *elf;
	uint32_t symtab;
	const Elf64_Sym *symbols;
	size_t n_symbols;
	char *error;
};

static const Elf64_Shdr *header_of(const struct object *o, uint32_t section)
{
	return &o->elf->sections[section];
}

static int refuse(const struct object *o, uint32_t section, const char *why)
{
	return polb_bundle_fail(o->error, "section %.64s: %s", polb_elf_name(o->elf, section), why);
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool is_program(const char *name)
{
	for (size_t i = 0; i < sizeof(program_sections) / sizeof(program_sections[0]); i++) {
		const char *known = program_sections[i];

		if (known[strlen(known) - 1] == '/' ? starts_with(name, known)
						    : strcmp(name, known) == 0)
			return true;
	}
	return false;
}

static bool is_data(const char *name)
{
	return strcmp(name, ".maps") == 0 || strcmp(name, "license") == 0 ||
	       strcmp(name, ".rodata") == 0 || starts_with(name, ".rodata.");
}

static bool is_plain(const char *name)
{
	return starts_with(name, ".polc.") || strcmp(name, ".BTF") == 0 ||
	       strcmp(name, ".BTF.ext") == 0;
}

static int check_content(const struct object *o, uint32_t section)
{
	const Elf64_Shdr *header = header_of(o, section);
	const char *name = polb_elf_name(o->elf, section);

	if (header->sh_flags & SHF_EXECINSTR) {
		if (!is_program(name))
			return refuse(o, section, "not a kind of program that bundles have");
		if (header->sh_size % INSN_BYTES || header->sh_offset % INSN_BYTES)
			return refuse(o, section, "not whole instructions");
	} else if (!is_data(name) && !is_plain(name)) {
		return refuse(o, section, "not a kind of data that bundles have");
	}
	return 0;
}

/* Of what libbpf looks up by name there is one. */
static int check_once(const struct object *o, uint32_t section)
{
	return polb_elf_find(o->elf, polb_elf_name(o->elf, section)) == section
		       ? 0
		       : refuse(o, section, "there are several");
}

static int check_section(struct object *o, uint32_t section)
{
	const Elf64_Shdr *header = header_of(o, section);

	switch (header->sh_type) {
	case SHT_PROGBITS:
		return check_content(o, section);
	case SHT_REL:
		return 0;
	case SHT_STRTAB:
		return section == o->elf->header->e_shstrndx
			       ? 0
			       : refuse(o, section, "a second table of names");
	case SHT_SYMTAB:
		if (o->symtab)
			return refuse(o, section, "a second table of symbols");
		o->symtab = section;
		return 0;
	default:
		return refuse(o, section, "of an unknown type");
	}
}

static int check_sections(struct object *o)
{
	int err = 0;

	for (uint32_t i = 1; !err && i < o->elf->n_sections; i++) {
		err = check_section(o, i);
		if (!err)
			err = check_once(o, i);
	}
	return err;
}

static bool symbol_ok(const struct object *o, const Elf64_Sym *symbol)
{
	const Elf64_Shdr *names = header_of(o, header_of(o, o->symtab)->sh_link), *target;

	if (symbol->st_name >= names->sh_size || symbol->st_shndx == SHN_UNDEF ||
		symbol->st_shndx >= o->elf->n_sections)
		return false;
	target = header_of(o, symbol->st_shndx);
	if (symbol->st_value > target->sh_size ||
		symbol->st_size > target->sh_size - symbol->st_value)
		return false;
	return ELF64_ST_TYPE(symbol->st_info) != STT_FUNC ||
	       ((target->sh_flags & SHF_EXECINSTR) && symbol->st_value % INSN_BYTES == 0 &&
		       symbol->st_size % INSN_BYTES == 0 && symbol->st_size > 0);
}

/* No symbol is undefined: there is nothing outside of a bundle that it may refer to. */
static int check_symbols(struct object *o)
{
	const Elf64_Shdr *header = header_of(o, o->symtab);

	if (!o->symtab)
		return polb_bundle_fail(o->error, "no table of symbols");
	if (header->sh_link != o->elf->header->e_shstrndx || header->sh_offset % 8 ||
		header->sh_entsize != sizeof(Elf64_Sym) || header->sh_size % sizeof(Elf64_Sym) ||
		header->sh_size == 0 || header->sh_size / sizeof(Elf64_Sym) > MAX_SYMBOLS)
		return refuse(o, o->symtab, "broken");
	o->symbols = polb_elf_content(o->elf, o->symtab);
	o->n_symbols = header->sh_size / sizeof(Elf64_Sym);
	for (size_t i = 1; i < o->n_symbols; i++)
		if (!symbol_ok(o, &o->symbols[i]))
			return polb_bundle_fail(o->error, "symbol %zu is broken", i);
	return 0;
}

static int check_relocations(const struct object *o, uint32_t section)
{
	const Elf64_Shdr *header = header_of(o, section), *target;
	const Elf64_Rel *rel = polb_elf_content(o->elf, section);

	if (header->sh_info == 0 || header->sh_info >= o->elf->n_sections ||
		header->sh_link != o->symtab || header->sh_entsize != sizeof(*rel) ||
		header->sh_size % sizeof(*rel) || header->sh_offset % 8)
		return refuse(o, section, "broken");
	target = header_of(o, header->sh_info);
	if (target->sh_type != SHT_PROGBITS)
		return refuse(o, section, "relocates what is not data");
	for (size_t i = 0; i < header->sh_size / sizeof(*rel); i++)
		if (rel[i].r_offset >= target->sh_size || ELF64_R_SYM(rel[i].r_info) == 0 ||
			ELF64_R_SYM(rel[i].r_info) >= o->n_symbols)
			return refuse(o, section, "a relocation is broken");
	return 0;
}

static int check_all_relocations(const struct object *o)
{
	int err = 0;

	for (uint32_t i = 1; !err && i < o->elf->n_sections; i++)
		if (header_of(o, i)->sh_type == SHT_REL)
			err = check_relocations(o, i);
	return err;
}

static int check_btf(const struct object *o)
{
	uint32_t section = polb_elf_find(o->elf, ".BTF");

	return section ? polb_btf_check(polb_elf_content(o->elf, section),
				 header_of(o, section)->sh_size, o->error)
		       : 0;
}

int polb_object_check(const struct polb_elf *elf, char error[POLB_ERROR_TEXT])
{
	struct object o = {.elf = elf, .error = error};
	int err = check_sections(&o);

	if (!err)
		err = check_symbols(&o);
	if (!err)
		err = check_all_relocations(&o);
	return err ? err : check_btf(&o);
}
