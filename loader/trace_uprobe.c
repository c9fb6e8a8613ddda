/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where a program sits in a file of the host: by symbol, offset or address, when the file is one of
 * those that the policy knows by digest.
 */
#include "trace.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "elf_file.h"
#include "runtime/cleanup.h"

__attribute__((format(printf, 3, 4))) static enum pold_can because(
	enum pold_can can, char why[POLD_WHY], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, POLD_WHY, format, args);
	va_end(args);
	return can;
}

void pold_spots_free(struct pold_spots *spots)
{
	free(spots->items);
	free(spots->memory);
	*spots = (struct pold_spots){0};
}

static bool compare_build_id(void *context, const unsigned char *desc, size_t size)
{
	const char **hex = context;

	if (pold_digest_equal(*hex, desc, size))
		*hex = NULL;
	return *hex;
}

static bool digest_matches(const struct pold_elf *file, const char *text)
{
	const char *hex = strchr(text, ':');
	unsigned char sum[POLD_DIGEST_BYTES];
	size_t bytes;

	if (!hex)
		return false;
	bytes = pold_digest_bytes(text, (size_t)(hex - text));
	if (bytes) {
		pold_digest(text, (size_t)(hex - text), file->data, file->size, sum);
		return pold_digest_equal(hex + 1, sum, bytes);
	}
	if (strncmp(text, "build-id:", 9) != 0)
		return false;
	hex++;
	pold_elf_notes(file, ".note.gnu.build-id", "GNU", NT_GNU_BUILD_ID, compare_build_id, &hex);
	return !hex;
}

static enum pold_can check_digests(const struct polb_bundle *b,
	const struct polb_bundle_trace_program *p, const struct pold_elf *file, char why[POLD_WHY])
{
	for (__u32 i = 0; i < p->n_digests; i++)
		if (digest_matches(file, polb_bundle_string(b, b->values[p->first_digest + i])))
			return POLD_CAN;
	return p->n_digests ? because(POLD_DIGEST, why, "%s has none of the digests named",
				      polb_bundle_string(b, p->target))
			    : POLD_CAN;
}

/* "name+0x10" to name and 16; false: a malformed number. */
static bool split(const char *symbol, char *name, size_t size, uint64_t *plus)
{
	const char *sign = strrchr(symbol, '+');
	size_t n = sign ? (size_t)(sign - symbol) : strlen(symbol);
	char *end;

	*plus = 0;
	if (n == 0 || n >= size)
		return false;
	memcpy(name, symbol, n);
	name[n] = '\0';
	if (!sign)
		return true;
	errno = 0;
	*plus = strtoull(sign + 1, &end, 0);
	return !errno && isdigit((unsigned char)sign[1]) && !*end;
}

static enum pold_can find_symbol(const struct pold_elf *file, const char *path, const char *symbol,
	uint64_t *offset, char why[POLD_WHY])
{
	uint64_t found[1], plus;
	char name[1024];
	size_t n;

	if (!split(symbol, name, sizeof(name), &plus))
		return because(POLD_CANNOT, why, "\"%.80s\" is no symbol", symbol);
	n = pold_elf_functions(file, name, found, 1);
	if (n == 0)
		return because(POLD_MISSING, why, "%.80s has no function %.80s", path, name);
	if (n > 1)
		return because(
			POLD_CANNOT, why, "%.80s has %zu functions named %.60s", path, n, name);
	if (plus >= file->size - found[0])
		return because(POLD_CANNOT, why, "%.80s ends before %.80s", path, symbol);
	*offset = found[0] + plus;
	return POLD_CAN;
}

static enum pold_can find_offset(const struct pold_elf *file, const struct polb_bundle *b,
	const struct polb_bundle_trace_program *p, uint64_t *offset, char why[POLD_WHY])
{
	const char *symbol = polb_bundle_string(b, p->symbol);
	const char *path = polb_bundle_string(b, p->target);

	if (*symbol)
		return find_symbol(file, path, symbol, offset, why);
	*offset = p->offset;
	if (p->flags & POLB_PROGRAM_IS_ADDRESS)
		return pold_elf_offset(file, p->offset, offset)
			       ? POLD_CAN
			       : because(POLD_CANNOT, why, "%.80s has no code at 0x%llx", path,
					 (unsigned long long)p->offset);
	return p->offset < file->size ? POLD_CAN
				      : because(POLD_CANNOT, why, "%.80s ends before 0x%llx", path,
						(unsigned long long)p->offset);
}

static enum pold_can one_spot(const struct pold_elf *file, const struct polb_bundle *b,
	const struct polb_bundle_trace_program *p, struct pold_spots *out, char why[POLD_WHY])
{
	uint64_t offset = 0;
	enum pold_can can = find_offset(file, b, p, &offset, why);

	if (can != POLD_CAN)
		return can;
	out->items = calloc(1, sizeof(*out->items));
	if (!out->items)
		return because(POLD_CANNOT, why, "out of memory");
	out->n = 1;
	out->items[0] = (struct pold_spot){.offset = offset, .ref_ctr_offset = p->ref_ctr_offset};
	return POLD_CAN;
}

enum pold_can pold_uprobe_resolve(const struct polb_bundle *b,
	const struct polb_bundle_trace_program *p, struct pold_spots *out, char why[POLD_WHY])
{
	const char *path = polb_bundle_string(b, p->target);
	POLD_ELF file = {0};
	int err = pold_elf_open(path, &file);
	enum pold_can can;

	*out = (struct pold_spots){0};
	if (err)
		return because(err == -ENOENT ? POLD_MISSING : POLD_CANNOT, why, "%.120s: %s", path,
			err == -ENOEXEC ? "not an ELF file" : strerror(-err));
	can = check_digests(b, p, &file, why);
	if (can != POLD_CAN)
		return can;
	return p->mechanism == POLB_MECHANISM_USDT ? pold_usdt_resolve(b, p, &file, out, why)
						   : one_spot(&file, b, p, out, why);
}
