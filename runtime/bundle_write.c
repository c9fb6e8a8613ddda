/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * clang's object without its debug sections, plus the .polc.* sections, as one ELF. Sections and
 * symbols are renumbered; names are collected anew, so that nothing of the build's directory is
 * left. What was written is read back by the reader before it is handed out.
 */
#include "bundle_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"

#define MAX_OBJECT_SECTIONS 4096
#define N_OWN_SECTIONS 64

struct buffer {
	uint8_t *data;
	size_t size, capacity;
	bool failed;
};

static void buffer_add(struct buffer *b, const void *data, size_t n)
{
	if (b->failed)
		return;
	if (n > b->capacity - b->size) {
		size_t capacity = (b->size + n) * 2;
		uint8_t *larger = realloc(b->data, capacity);

		if (!larger) {
			b->failed = true;
			return;
		}
		b->data = larger;
		b->capacity = capacity;
	}
	if (data)
		memcpy(b->data + b->size, data, n);
	else
		memset(b->data + b->size, 0, n);
	b->size += n;
}

static void buffer_align(struct buffer *b)
{
	buffer_add(b, NULL, -b->size % 8);
}

static uint32_t buffer_string(struct buffer *b, const char *text)
{
	uint32_t offset = (uint32_t)b->size;

	buffer_add(b, text, strlen(text) + 1);
	return offset;
}

static void buffer_free(struct buffer *b)
{
	free(b->data);
}

/* One of our own sections, in file order. */
struct own_section {
	const char *name;
	const void *data; /* NULL: zeros */
	size_t size;
};

struct writer {
	struct polb_elf in;
	uint32_t *section_map; /* old section -> new, 0: dropped */
	uint32_t *symbol_map;  /* old symbol -> new, 0: dropped */
	uint32_t symtab;       /* old number */
	uint32_t n_symbols;    /* old count */
	uint32_t n_locals;     /* new count, the null symbol included */
	Elf64_Shdr headers[MAX_OBJECT_SECTIONS + N_OWN_SECTIONS];
	uint32_t n_headers;
	struct buffer names, symbols, file;
	char *error;
};

static void writer_free(struct writer **pointer)
{
	struct writer *w = *pointer;

	if (!w)
		return;
	free(w->section_map);
	free(w->symbol_map);
	buffer_free(&w->names);
	buffer_free(&w->symbols);
	buffer_free(&w->file);
	free(w);
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Symbols and names are made anew; debug information and earlier bundle sections are left out. */
static bool dropped(const struct polb_elf *elf, uint32_t section)
{
	const char *name = polb_elf_name(elf, section);
	const Elf64_Shdr *header = &elf->sections[section];

	if (header->sh_type == SHT_NULL || header->sh_type == SHT_STRTAB ||
		starts_with(name, ".polc.") || starts_with(name, ".debug_") ||
		starts_with(name, ".llvm_addrsig"))
		return true;
	if (header->sh_type != SHT_REL)
		return false;
	return header->sh_info >= elf->n_sections ||
	       elf->sections[header->sh_info].sh_type == SHT_REL || dropped(elf, header->sh_info);
}

static int check_symtab(struct writer *w)
{
	const Elf64_Shdr *header;
	const Elf64_Shdr *strings;

	for (uint32_t i = 1; i < w->in.n_sections; i++)
		if (w->in.sections[i].sh_type == SHT_SYMTAB)
			w->symtab = w->symtab ? UINT32_MAX : i;
	if (w->symtab == 0 || w->symtab == UINT32_MAX)
		return polb_bundle_fail(w->error, "object: not one symbol table");
	header = &w->in.sections[w->symtab];
	if (header->sh_size % sizeof(Elf64_Sym) || header->sh_offset % 8 ||
		header->sh_link >= w->in.n_sections)
		return polb_bundle_fail(w->error, "object: broken symbol table");
	strings = &w->in.sections[header->sh_link];
	if (strings->sh_type != SHT_STRTAB || strings->sh_size == 0 ||
		w->in.data[strings->sh_offset + strings->sh_size - 1])
		return polb_bundle_fail(w->error, "object: broken symbol names");
	w->n_symbols = (uint32_t)(header->sh_size / sizeof(Elf64_Sym));
	return 0;
}

static int number_sections(struct writer *w)
{
	uint32_t next = 1;

	w->section_map = calloc(w->in.n_sections, sizeof(*w->section_map));
	if (!w->section_map)
		return -ENOMEM;
	for (uint32_t i = 1; i < w->in.n_sections; i++) {
		uint32_t type = w->in.sections[i].sh_type;

		if (type == SHT_RELA || type == SHT_GROUP || type == SHT_SYMTAB_SHNDX)
			return polb_bundle_fail(w->error,
				"object: section %s is of an unknown type",
				polb_elf_name(&w->in, i));
		if (!dropped(&w->in, i))
			w->section_map[i] = next++;
	}
	return 0;
}

/* Copies symbol `old` when what it names is kept. */
static int copy_symbol(struct writer *w, uint32_t old, const Elf64_Sym *symbol)
{
	const Elf64_Shdr *strings = &w->in.sections[w->in.sections[w->symtab].sh_link];
	Elf64_Sym copy = *symbol;

	if (ELF64_ST_TYPE(symbol->st_info) == STT_FILE)
		return 0;
	if (symbol->st_name >= strings->sh_size)
		return polb_bundle_fail(w->error, "object: symbol %u without a name", old);
	if (symbol->st_shndx != SHN_UNDEF && symbol->st_shndx < SHN_LORESERVE) {
		if (symbol->st_shndx >= w->in.n_sections)
			return polb_bundle_fail(w->error, "object: symbol %u in no section", old);
		copy.st_shndx = (Elf64_Section)w->section_map[symbol->st_shndx];
		if (!copy.st_shndx)
			return 0;
	}
	copy.st_name =
		symbol->st_name
			? buffer_string(&w->names,
				  (const char *)w->in.data + strings->sh_offset + symbol->st_name)
			: 0;
	w->symbol_map[old] = (uint32_t)(w->symbols.size / sizeof(copy));
	if (ELF64_ST_BIND(symbol->st_info) == STB_LOCAL)
		w->n_locals = w->symbol_map[old] + 1;
	buffer_add(&w->symbols, &copy, sizeof(copy));
	return 0;
}

static int copy_symbols(struct writer *w)
{
	const Elf64_Sym *symbols = polb_elf_content(&w->in, w->symtab);
	int err = 0;

	w->symbol_map = calloc((size_t)w->n_symbols + 1, sizeof(*w->symbol_map));
	if (!w->symbol_map)
		return -ENOMEM;
	w->n_locals = 1;
	buffer_add(&w->symbols, NULL, sizeof(Elf64_Sym));
	for (uint32_t i = 1; !err && i < w->n_symbols; i++)
		err = copy_symbol(w, i, &symbols[i]);
	return err;
}

/* Starts a section: its header, and the file aligned for its content. */
static Elf64_Shdr *section_new(struct writer *w, const char *name, uint32_t type)
{
	Elf64_Shdr *header = &w->headers[w->n_headers++];

	buffer_align(&w->file);
	*header = (Elf64_Shdr){.sh_name = buffer_string(&w->names, name),
		.sh_type = type,
		.sh_offset = w->file.size,
		.sh_addralign = 8};
	return header;
}

static int copy_relocations(struct writer *w, uint32_t old)
{
	const Elf64_Shdr *header = &w->in.sections[old];
	const uint8_t *at = polb_elf_content(&w->in, old);

	if (header->sh_size % sizeof(Elf64_Rel) || header->sh_link != w->symtab)
		return polb_bundle_fail(w->error, "object: broken relocations");
	for (uint64_t done = 0; done < header->sh_size; done += sizeof(Elf64_Rel)) {
		Elf64_Rel rel;
		uint64_t symbol;

		memcpy(&rel, at + done, sizeof(rel));
		symbol = ELF64_R_SYM(rel.r_info);
		if (symbol >= w->n_symbols || (symbol && !w->symbol_map[symbol]))
			return polb_bundle_fail(w->error,
				"object: relocation of section %s to "
				"nothing",
				polb_elf_name(&w->in, old));
		rel.r_info =
			ELF64_R_INFO((uint64_t)w->symbol_map[symbol], ELF64_R_TYPE(rel.r_info));
		buffer_add(&w->file, &rel, sizeof(rel));
	}
	return 0;
}

static int copy_section(struct writer *w, uint32_t old)
{
	const Elf64_Shdr *from = &w->in.sections[old];
	Elf64_Shdr *to = section_new(w, polb_elf_name(&w->in, old), from->sh_type);

	to->sh_flags = from->sh_flags;
	to->sh_entsize = from->sh_entsize;
	to->sh_size = from->sh_size;
	to->sh_addralign = from->sh_addralign;
	if (from->sh_type == SHT_REL) {
		to->sh_link = w->section_map[w->symtab];
		to->sh_info = w->section_map[from->sh_info];
		return copy_relocations(w, old);
	}
	if (from->sh_type == SHT_SYMTAB) {
		to->sh_info = w->n_locals;
		to->sh_size = w->symbols.size;
		buffer_add(&w->file, w->symbols.data, w->symbols.size);
	} else if (from->sh_type != SHT_NOBITS) {
		buffer_add(&w->file, polb_elf_content(&w->in, old), from->sh_size);
	}
	return 0;
}

static int copy_object(struct writer *w)
{
	int err = check_symtab(w);

	if (!err)
		err = number_sections(w);
	if (!err)
		err = copy_symbols(w);
	buffer_add(&w->file, NULL, sizeof(Elf64_Ehdr));
	w->n_headers = 1;
	for (uint32_t i = 1; !err && i < w->in.n_sections; i++)
		if (w->section_map[i])
			err = copy_section(w, i);
	return err;
}

static size_t own_sections(const struct polb_bundle *b, struct own_section out[N_OWN_SECTIONS])
{
	size_t n = 0;

	out[n++] = (struct own_section){POLB_SECTION_MANIFEST, &b->manifest, sizeof(b->manifest)};
	out[n++] = (struct own_section){POLB_SECTION_STRINGS, b->strings, b->strings_size};
#define X(field, section, type)                                                                    \
	out[n++] = (struct own_section){section, b->field, b->n_##field * sizeof(type)};
	POLB_BUNDLE_TABLES(X)
#undef X
	out[n++] = (struct own_section){POLB_SECTION_CLASSES, b->classes,
		b->n_classes * polb_class_value_size(b->manifest.class_words)};
	out[n++] = (struct own_section){POLB_SECTION_STEPS, b->steps,
		b->n_steps * polb_step_value_size(b->manifest.n_words)};
	out[n++] = (struct own_section){
		POLB_SECTION_SOURCE_STRINGS, b->source_strings, b->source_strings_size};
	out[n++] = (struct own_section){POLB_SECTION_DIGEST, NULL, 32};
	out[n++] = (struct own_section){POLB_SECTION_SIGNATURE, NULL, POLB_SIGNATURE_BYTES};
	return n;
}

static void add_own_sections(struct writer *w, const struct polb_bundle *bundle)
{
	struct own_section sections[N_OWN_SECTIONS];
	size_t n = own_sections(bundle, sections);

	for (size_t i = 0; i < n; i++) {
		if (!sections[i].size)
			continue;
		section_new(w, sections[i].name, SHT_PROGBITS)->sh_size = sections[i].size;
		buffer_add(&w->file, sections[i].data, sections[i].size);
	}
}

/* The names come last of the sections, then the section table, then the header is known. */
static void finish_file(struct writer *w)
{
	Elf64_Shdr *names = section_new(w, ".strtab", SHT_STRTAB);
	uint32_t names_number = w->n_headers - 1;
	Elf64_Ehdr header = *w->in.header;

	names->sh_addralign = 1;
	names->sh_size = w->names.size;
	buffer_add(&w->file, w->names.data, w->names.size);
	buffer_align(&w->file);
	w->headers[w->section_map[w->symtab]].sh_link = names_number;
	header.e_shoff = w->file.size;
	header.e_shnum = (Elf64_Half)w->n_headers;
	header.e_shstrndx = (Elf64_Half)names_number;
	buffer_add(&w->file, w->headers, w->n_headers * sizeof(Elf64_Shdr));
	if (!w->file.failed)
		memcpy(w->file.data, &header, sizeof(header));
}

static int seal(struct writer *w)
{
	struct polb_elf elf;
	struct polb_bundle check;
	uint32_t digest;
	uint8_t sum[32];

	if (w->file.failed || w->names.failed || w->symbols.failed)
		return -ENOMEM;
	if (polb_elf_open(w->file.data, w->file.size, &elf))
		return polb_bundle_fail(w->error, "object: cannot be written as a bundle");
	digest = polb_elf_find(&elf, POLB_SECTION_DIGEST);
	polb_bundle_digest(&elf, digest, polb_elf_find(&elf, POLB_SECTION_SIGNATURE), sum);
	memcpy(w->file.data + elf.sections[digest].sh_offset, sum, sizeof(sum));
	return polb_bundle_read(w->file.data, w->file.size, &check, w->error);
}

static int write_bundle(struct writer *w, const struct polb_bundle *bundle)
{
	int err;

	buffer_string(&w->names, "");
	err = copy_object(w);
	if (err)
		return err;
	if (bundle->manifest.n_words > POLB_MAX_WORDS ||
		bundle->manifest.class_words > bundle->manifest.n_words)
		return polb_bundle_fail(
			w->error, "more than %u words of selectors", POLB_MAX_WORDS);
	add_own_sections(w, bundle);
	finish_file(w);
	return seal(w);
}

int polb_bundle_write(const void *object, size_t object_size, const struct polb_bundle *bundle,
	void **out, size_t *out_size, char error[POLB_ERROR_TEXT])
{
	__attribute__((cleanup(writer_free))) struct writer *w = calloc(1, sizeof(*w));
	const char *reason;
	int err;

	if (!w) {
		polb_bundle_fail(error, "out of memory");
		return -ENOMEM;
	}
	w->error = error;
	reason = polb_elf_open(object, object_size, &w->in);
	if (reason)
		return polb_bundle_fail(error, "object: %s", reason);
	if (w->in.n_sections > MAX_OBJECT_SECTIONS)
		return polb_bundle_fail(error, "object: too many sections");
	err = write_bundle(w, bundle);
	if (err == -ENOMEM)
		polb_bundle_fail(error, "out of memory");
	if (err)
		return err;
	*out = POLB_TAKE(w->file.data);
	*out_size = w->file.size;
	return 0;
}
