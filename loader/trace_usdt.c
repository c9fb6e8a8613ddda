/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * USDT probes: the notes that systemtap's sdt.h leaves in a file (owner "stapsdt", type 3: address
 * of the place, of .stapsdt.base as linked, of the semaphore; provider, name, arguments), and what
 * the assembler wrote of the arguments: "-4@%edi 8@-16(%rbp) 4@$5".
 */
#include "trace.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/user.h>

#include "elf_file.h"
#include "runtime/cleanup.h"

#define NOTE_TYPE 3
#define MAX_SPOTS 4096
#define UNREADABLE 0xff /* a kind that programs do not know */

__attribute__((format(printf, 3, 4))) static enum pold_can because(
	enum pold_can can, char why[POLD_WHY], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, POLD_WHY, format, args);
	va_end(args);
	return can;
}

/* --- notes ------------------------------------------------------------------------------------ */

struct search {
	const struct pold_elf *file;
	const char *provider, *name;
	size_t provider_size; /* without NUL: the provider ends at a colon */
	uint64_t base;        /* where .stapsdt.base is; 0: no such section */
	struct pold_spots *out;
	const char *broken; /* a reason */
};

/* The NUL-terminated text at *at; moves behind it. NULL: there is none. */
static const char *next_text(const char **at, const char *end)
{
	const char *text = *at, *nul = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;

	*at = nul ? nul + 1 : end;
	return nul ? text : NULL;
}

static bool add_spot(struct search *s, const uint64_t words[3], const char *arguments)
{
	uint64_t moved = s->base && words[1] ? s->base - words[1] : 0;
	struct pold_spot spot = {.arguments = arguments};
	struct pold_spot *larger;

	if (!pold_elf_offset(s->file, words[0] + moved, &spot.offset))
		s->broken = "its address is not in the file";
	else if (words[2] && !pold_elf_offset(s->file, words[2] + moved, &spot.ref_ctr_offset))
		s->broken = "its semaphore is not in the file";
	else if (s->out->n == MAX_SPOTS)
		s->broken = "it has too many places";
	if (s->broken)
		return false;
	larger = realloc(s->out->items, (s->out->n + 1) * sizeof(*larger));
	if (!larger) {
		s->broken = "out of memory";
		return false;
	}
	s->out->items = larger;
	larger[s->out->n++] = spot;
	return true;
}

static bool take_note(void *context, const unsigned char *desc, size_t size)
{
	struct search *s = context;
	const char *at = (const char *)desc + 24, *end = (const char *)desc + size;
	const char *provider, *name, *arguments;
	uint64_t words[3];

	if (size < 24)
		return true;
	memcpy(words, desc, sizeof(words));
	provider = next_text(&at, end);
	name = next_text(&at, end);
	arguments = next_text(&at, end);
	if (!provider || !name || strlen(provider) != s->provider_size ||
		strncmp(provider, s->provider, s->provider_size) != 0 || strcmp(name, s->name) != 0)
		return true;
	return add_spot(s, words, arguments ? arguments : "");
}

/* The texts are in the mapped file, which goes; they are copied into one block. */
static int keep_texts(struct pold_spots *spots)
{
	size_t bytes = 1, at = 0;

	for (size_t i = 0; i < spots->n; i++)
		bytes += strlen(spots->items[i].arguments) + 1;
	spots->memory = malloc(bytes);
	if (!spots->memory)
		return -ENOMEM;
	for (size_t i = 0; i < spots->n; i++) {
		size_t n = strlen(spots->items[i].arguments) + 1;

		spots->items[i].arguments =
			memcpy(spots->memory + at, spots->items[i].arguments, n);
		at += n;
	}
	return 0;
}

enum pold_can pold_usdt_resolve(const struct polb_bundle *b,
	const struct polb_bundle_trace_program *p, const struct pold_elf *file,
	struct pold_spots *out, char why[POLD_WHY])
{
	const char *probe = polb_bundle_string(b, p->symbol), *colon = strchr(probe, ':');
	const char *path = polb_bundle_string(b, p->target);
	struct search search = {.file = file,
		.provider = probe,
		.name = colon + 1,
		.out = out,
		.provider_size = (size_t)(colon - probe)};
	Elf_Data *data;
	GElf_Shdr base;

	if (gelf_getclass(file->elf) != ELFCLASS64)
		return because(POLD_CANNOT, why, "%.120s is no 64-bit program", path);
	if (pold_elf_section(file, ".stapsdt.base", &base, &data))
		search.base = base.sh_addr;
	pold_elf_notes(file, ".note.stapsdt", "stapsdt", NOTE_TYPE, take_note, &search);
	if (search.broken)
		return because(
			POLD_CANNOT, why, "%.80s: probe %.60s: %s", path, probe, search.broken);
	if (out->n == 0)
		return because(POLD_MISSING, why, "%.80s has no USDT probe %.60s", path, probe);
	return keep_texts(out) ? because(POLD_CANNOT, why, "out of memory") : POLD_CAN;
}

/* --- arguments -------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#define REGISTER(field) ((__u16)offsetof(struct user_regs_struct, field))
/* The four widths of a register by the names of the assembler. */
static const struct {
	const char *names[4]; /* 8, 4, 2, 1 bytes */
	__u16 offset;
} registers[] = {
	{{"rax", "eax", "ax", "al"}, REGISTER(rax)},
	{{"rbx", "ebx", "bx", "bl"}, REGISTER(rbx)},
	{{"rcx", "ecx", "cx", "cl"}, REGISTER(rcx)},
	{{"rdx", "edx", "dx", "dl"}, REGISTER(rdx)},
	{{"rsi", "esi", "si", "sil"}, REGISTER(rsi)},
	{{"rdi", "edi", "di", "dil"}, REGISTER(rdi)},
	{{"rbp", "ebp", "bp", "bpl"}, REGISTER(rbp)},
	{{"rsp", "esp", "sp", "spl"}, REGISTER(rsp)},
	{{"r8", "r8d", "r8w", "r8b"}, REGISTER(r8)},
	{{"r9", "r9d", "r9w", "r9b"}, REGISTER(r9)},
	{{"r10", "r10d", "r10w", "r10b"}, REGISTER(r10)},
	{{"r11", "r11d", "r11w", "r11b"}, REGISTER(r11)},
	{{"r12", "r12d", "r12w", "r12b"}, REGISTER(r12)},
	{{"r13", "r13d", "r13w", "r13b"}, REGISTER(r13)},
	{{"r14", "r14d", "r14w", "r14b"}, REGISTER(r14)},
	{{"r15", "r15d", "r15w", "r15b"}, REGISTER(r15)},
};
#else
static const struct {
	const char *names[4];
	__u16 offset;
} registers[] = {{{"", "", "", ""}, 0}};
#endif

/* "%rdi..." at *at: its offset in struct pt_regs; moves behind it. */
static bool take_register(const char **at, __u16 *offset)
{
	const char *name = *at + 1;
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");

	if (**at != '%' || n == 0)
		return false;
	for (size_t r = 0; r < sizeof(registers) / sizeof(registers[0]); r++)
		for (int w = 0; w < 4; w++)
			if (strlen(registers[r].names[w]) == n &&
				strncmp(registers[r].names[w], name, n) == 0) {
				*offset = registers[r].offset;
				*at = name + n;
				return true;
			}
	return false;
}

static bool take_number(const char **at, __s64 *out)
{
	char *end;

	errno = 0;
	*out = strtoll(*at, &end, 0);
	if (errno || end == *at)
		return false;
	*at = end;
	return true;
}

static bool take(const char **at, char wanted)
{
	if (**at != wanted)
		return false;
	(*at)++;
	return true;
}

static bool take_scale(const char **at, struct polb_usdt_argument *out)
{
	__s64 scale;

	if (!take_number(at, &scale) || (scale != 1 && scale != 2 && scale != 4 && scale != 8))
		return false;
	out->shift = (__u8)__builtin_ctzll((__u64)scale);
	return true;
}

/* "disp(%base,%index,scale)": the base is there, index and scale may be. */
static bool take_memory(const char **at, struct polb_usdt_argument *out)
{
	out->kind = POLB_USDT_MEMORY;
	if (**at != '(' && !take_number(at, &out->constant))
		return false;
	if (!take(at, '(') || !take_register(at, &out->register_offset))
		return false;
	if (take(at, ',')) {
		out->kind = POLB_USDT_INDEXED;
		if (!take_register(at, &out->index_offset))
			return false;
		if (take(at, ',') && !take_scale(at, out))
			return false;
	}
	return take(at, ')');
}

/* One operand; what it is not is left unreadable (floating point, symbols). */
static bool take_operand(const char **at, struct polb_usdt_argument *out)
{
	if (take(at, '$')) {
		out->kind = POLB_USDT_CONSTANT;
		return take_number(at, &out->constant);
	}
	if (**at == '%') {
		out->kind = POLB_USDT_REGISTER;
		return take_register(at, &out->register_offset);
	}
	return take_memory(at, out);
}

static bool one_argument(const char *text, size_t n, struct polb_usdt_argument *out)
{
	char copy[128];
	const char *at = copy;
	__s64 size = 8;

	if (n >= sizeof(copy))
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	if (strchr(copy, '@') && (!take_number(&at, &size) || !take(&at, '@')))
		return false;
	out->is_signed = size < 0;
	size = size < 0 ? -size : size;
	out->size = (__u8)size;
	return (size == 1 || size == 2 || size == 4 || size == 8) && take_operand(&at, out) && !*at;
}

void pold_usdt_parse(const char *text, struct polb_usdt *out)
{
	*out = (struct polb_usdt){0};
	for (const char *at = text + strspn(text, " "); *at;) {
		size_t length = strcspn(at, " ");
		struct polb_usdt_argument *argument = &out->arguments[out->n_arguments];

		if (out->n_arguments == POLB_USDT_ARGUMENTS)
			return;
		if (!one_argument(at, length, argument))
			*argument = (struct polb_usdt_argument){.kind = UNREADABLE};
		out->n_arguments++;
		at += length;
		at += strspn(at, " ");
	}
}
