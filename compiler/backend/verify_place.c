/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From a program's instruction to a line of policy. The generated C names the number of a selector
 * where it asks for it and where it has been chosen, and BTF keeps the text of the lines that
 * instructions come from:
 *
 *     if (polt_h3_s7_0(ctx, ...)) {        the branch at the end of selector 7's tests
 *     polt_count(7, matched);              it has been chosen: its actions follow
 *
 * What lies between is of the templates' own files, or shared by selectors.
 */
#include <stdlib.h>
#include <string.h>

#include "../../runtime/elf_image.h"
#include "../../runtime/trace_tables.h"
#include "../ir/tracing.h"
#include "verify.h"

#define GENERATED "polc_tracing.h"
#define NO_SELECTOR UINT32_MAX

/* .BTF.ext, as the kernel defines it; all records are aligned to 4. */
struct btf_header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t size, types, types_size, strings, strings_size;
};
struct extension_header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t size, functions, functions_size, lines, lines_size;
};
struct line_record {
	uint32_t insn, file, text, line_column;
};

enum line_kind { OTHER_LINE, START, ASKED, CHOSEN };

struct line {
	enum line_kind kind;
	uint32_t insn;     /* of the program */
	uint32_t selector; /* ASKED, CHOSEN */
};
struct lines {
	POLC_VEC(struct line) list; /* of the generated file, of one program, by instruction */
	int64_t n_insns;            /* of the program itself: functions that it calls follow */
};

struct image {
	struct polb_elf elf;
	const char *strings;
	uint32_t strings_size;
	const unsigned char *records; /* line information */
	uint32_t records_size;
};

static const char *string(const struct image *image, uint32_t offset)
{
	return offset < image->strings_size ? image->strings + offset : "";
}

static bool section_bytes(
	const struct polb_elf *elf, const char *name, const unsigned char **data, uint32_t *size)
{
	uint32_t number = polb_elf_find(elf, name);

	if (!number || number == UINT32_MAX || elf->sections[number].sh_size > UINT32_MAX)
		return false;
	*data = polb_elf_content(elf, number);
	*size = (uint32_t)elf->sections[number].sh_size;
	return true;
}

static bool within(uint32_t start, uint32_t offset, uint32_t length, uint32_t size)
{
	return start <= size && offset <= size - start && length <= size - start - offset;
}

static bool open_image(const struct polb_bundle *bundle, struct image *out)
{
	const unsigned char *btf, *ext;
	struct btf_header header;
	struct extension_header extension;
	uint32_t btf_size, ext_size;

	if (polb_elf_open(bundle->data, bundle->size, &out->elf) ||
		!section_bytes(&out->elf, ".BTF", &btf, &btf_size) ||
		!section_bytes(&out->elf, ".BTF.ext", &ext, &ext_size) ||
		btf_size < sizeof(header) || ext_size < sizeof(extension))
		return false;
	memcpy(&header, btf, sizeof(header));
	memcpy(&extension, ext, sizeof(extension));
	if (!within(header.size, header.strings, header.strings_size, btf_size) ||
		!within(extension.size, extension.lines, extension.lines_size, ext_size) ||
		!header.strings_size ||
		btf[header.size + header.strings + header.strings_size - 1] != '\0')
		return false;
	out->strings = (const char *)btf + header.size + header.strings;
	out->strings_size = header.strings_size;
	out->records = ext + extension.size + extension.lines;
	out->records_size = extension.lines_size;
	return true;
}

/* ---- lines of a program ---- */

static void read_text(const char *text, struct line *out)
{
	const char *asked = strstr(text, "(polt_h"), *chosen = strstr(text, "polt_count(");
	unsigned hook, selector;

	if (asked && sscanf(asked, "(polt_h%u_s%u_", &hook, &selector) == 2)
		out->kind = ASKED;
	else if (chosen && sscanf(chosen, "polt_count(%u, matched)", &selector) == 1)
		out->kind = CHOSEN;
	else if (strstr(text, "polt_active()"))
		out->kind = START;
	if (out->kind == ASKED || out->kind == CHOSEN)
		out->selector = selector;
}

static void add_record(struct polc_arena *arena, const struct image *image,
	const struct line_record *record, uint64_t first, uint64_t last, struct lines *out)
{
	const char *file = string(image, record->file), *slash = strrchr(file, '/');
	struct line line = {
		.insn = record->insn / 8 - (uint32_t)(first / 8), .selector = NO_SELECTOR};

	/* line 0: the compiler's own */
	if (record->insn < first || record->insn >= last || !(record->line_column >> 10) ||
		strcmp(slash ? slash + 1 : file, GENERATED) != 0)
		return;
	read_text(string(image, record->text), &line);
	*polc_vec_push(arena, &out->list) = line;
}

/* Records of the section that the program's symbol is in, between its first and last byte. */
static void collect(struct polc_arena *arena, const struct image *image, const char *section,
	uint64_t first, uint64_t last, struct lines *out)
{
	uint32_t at = 4, record_size = 0;

	if (image->records_size < 4)
		return;
	memcpy(&record_size, image->records, 4);
	while (record_size >= sizeof(struct line_record) && within(at, 0, 8, image->records_size)) {
		uint32_t name, n;

		memcpy(&name, image->records + at, 4);
		memcpy(&n, image->records + at + 4, 4);
		at += 8;
		if (n > (image->records_size - at) / record_size)
			return;
		for (uint32_t i = 0; i < n; i++, at += record_size) {
			struct line_record record;

			memcpy(&record, image->records + at, sizeof(record));
			if (strcmp(string(image, name), section) == 0)
				add_record(arena, image, &record, first, last, out);
		}
	}
}

/* The program's function symbol. */
static bool find_symbol(const struct polb_elf *elf, const char *program, Elf64_Sym *out)
{
	for (uint32_t s = 1; s < elf->n_sections; s++) {
		const Elf64_Shdr *header = &elf->sections[s];
		const Elf64_Shdr *names = &elf->sections[header->sh_link];

		if (header->sh_type != SHT_SYMTAB || header->sh_link >= elf->n_sections)
			continue;
		for (uint64_t i = 0; i < header->sh_size / sizeof(*out); i++) {
			memcpy(out, elf->data + header->sh_offset + i * sizeof(*out), sizeof(*out));
			if (ELF64_ST_TYPE(out->st_info) == STT_FUNC &&
				out->st_shndx < elf->n_sections && out->st_name < names->sh_size &&
				strcmp((const char *)elf->data + names->sh_offset + out->st_name,
					program) == 0)
				return true;
		}
	}
	return false;
}

static struct lines lines_of(
	struct polc_arena *arena, const struct polb_bundle *bundle, const char *program)
{
	struct lines out = {0};
	struct image image;
	Elf64_Sym symbol;

	if (!open_image(bundle, &image) || !find_symbol(&image.elf, program, &symbol))
		return out;
	out.n_insns = (int64_t)(symbol.st_size / 8);
	collect(arena, &image, polb_elf_name(&image.elf, symbol.st_shndx), symbol.st_value,
		symbol.st_value + symbol.st_size, &out);
	return out;
}

/* ---- selectors of lines ---- */

/* Behind the start and behind a branch come the tests of the selector whose branch is next. */
static uint32_t selector_of(const struct lines *lines, int64_t instruction)
{
	const struct line *at = NULL, *next = NULL;

	for (size_t i = 0; i < lines->list.n; i++) {
		const struct line *l = &lines->list.items[i];

		if (l->insn <= instruction)
			at = l;
		else if (!next && l->kind == ASKED)
			next = l;
	}
	if (!at || at->kind == OTHER_LINE || instruction >= lines->n_insns)
		return NO_SELECTOR;
	if (at->kind == CHOSEN || at->insn == instruction)
		return at->selector;
	return next ? next->selector : NO_SELECTOR;
}

/* The spec of which most selectors are in the program; NO_SELECTOR: none. */
static uint32_t main_spec(
	struct polc_arena *arena, const struct polb_bundle *b, const struct lines *lines)
{
	uint32_t *n = POLC_NEW_ARRAY(arena, b->n_trace_specs + 1, uint32_t), best = NO_SELECTOR;
	bool *seen = POLC_NEW_ARRAY(arena, b->n_trace_selectors + 1, bool);

	for (size_t i = 0; i < lines->list.n; i++) {
		uint32_t s = lines->list.items[i].selector;

		if (s >= b->n_trace_selectors || seen[s])
			continue;
		seen[s] = true;
		n[b->trace_selectors[s].spec]++;
	}
	for (uint32_t i = 0; i < b->n_trace_specs; i++)
		if (n[i] && (best == NO_SELECTOR || n[i] > n[best]))
			best = i;
	return best;
}

/* ---- specs by name, of programs without selectors ---- */

static const char *plain(const char *symbol)
{
	return strncmp(symbol, "security_", 9) == 0 ? symbol + 9 : symbol;
}

static bool names(
	const struct polb_bundle *b, const struct polb_bundle_trace_spec *s, const char *target)
{
	const char *path = polb_bundle_string(b, s->path);

	if (*path)
		return strcmp(path, target) == 0;
	for (uint32_t i = 0; i < s->n_symbols; i++)
		if (strcmp(plain(polb_bundle_string(b, b->trace_symbols[s->first_symbol + i].name)),
			    plain(target)) == 0)
			return true;
	return false;
}

static uint32_t spec_by_name(const struct polb_bundle *b, const char *program)
{
	for (size_t i = 0; i < b->n_trace_programs; i++) {
		const struct polb_bundle_trace_program *p = &b->trace_programs[i];

		if (strcmp(polb_bundle_string(b, p->name), program) != 0)
			continue;
		for (uint32_t s = 0; s < b->n_trace_specs; s++)
			if (names(b, &b->trace_specs[s], polb_bundle_string(b, p->target)))
				return s;
	}
	return NO_SELECTOR;
}

/* ---- words ---- */

/* One entry of the section: "kprobe". */
static const char *section_text(uint32_t section)
{
	static const char *const texts[POLC_N_SECTIONS] = {[POLC_SECTION_KPROBE] = "kprobe",
		[POLC_SECTION_FENTRY] = "fentry",
		[POLC_SECTION_TRACEPOINT] = "tracepoint",
		[POLC_SECTION_LSM] = "LSM hook",
		[POLC_SECTION_UPROBE] = "uprobe",
		[POLC_SECTION_USDT] = "USDT probe"};

	return section < POLC_N_SECTIONS ? texts[section] : "hook";
}

static const char *spec_text(struct polc_arena *arena, const struct polb_bundle *b,
	const struct polb_bundle_trace_spec *s)
{
	char policy[512];

	polb_trace_policy_text(b, s->policy, policy, sizeof(policy));
	if (s->n_symbols != 1)
		return polc_arena_printf(arena, "policy %s, %s", policy, section_text(s->section));
	return polc_arena_printf(arena, "policy %s, %s %s", policy, section_text(s->section),
		polb_bundle_string(b, b->trace_symbols[s->first_symbol].name));
}

static uint32_t selectors_of(const struct polb_bundle *b, uint32_t spec)
{
	uint32_t n = 0;

	for (size_t i = 0; i < b->n_trace_selectors; i++)
		n += b->trace_selectors[i].spec == spec;
	return n;
}

static const char *file_of(const struct polb_bundle *b, const struct polb_bundle_trace_spec *s)
{
	uint32_t file = b->trace_policies[s->policy].file;

	return file && file < b->source_strings_size ? b->source_strings + file : NULL;
}

struct polc_verify_place polc_verify_place_of(
	struct polc *polc, const struct polb_bundle *b, const char *program, int64_t instruction)
{
	struct lines lines = lines_of(&polc->arena, b, program);
	uint32_t selector = selector_of(&lines, instruction), spec, n;
	const struct polb_bundle_trace_spec *s;
	const char *text;

	spec = selector < b->n_trace_selectors ? b->trace_selectors[selector].spec
					       : main_spec(&polc->arena, b, &lines);
	if (spec == NO_SELECTOR)
		spec = spec_by_name(b, program);
	if (spec == NO_SELECTOR)
		return (struct polc_verify_place){0};
	s = &b->trace_specs[spec];
	text = spec_text(&polc->arena, b, s);
	n = selectors_of(b, spec);
	if (selector < b->n_trace_selectors)
		return (struct polc_verify_place){file_of(b, s), b->trace_selectors[selector].line,
			polc_arena_printf(&polc->arena, "%s, selector %u", text,
				b->trace_selectors[selector].position)};
	if (n)
		text = polc_arena_printf(
			&polc->arena, "%s with %u selector%s", text, n, n == 1 ? "" : "s");
	return (struct polc_verify_place){file_of(b, s), s->line, text};
}
