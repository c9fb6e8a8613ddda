/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From a file's bytes to a checked bundle: ELF, digest, sections to tables. Trusts nothing. */
#include "object_check.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cleanup.h"

#define MAX_FILE_BYTES ((size_t)1 << 30)
#define HUGE_BYTES ((size_t)2 << 20)

int polb_bundle_fail(char error[POLB_ERROR_TEXT], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, POLB_ERROR_TEXT, format, args);
	va_end(args);
	return -EINVAL;
}

/* Finds one of our sections; *out stays 0 when there is none. */
static int find_section(
	const struct polb_elf *elf, const char *name, uint32_t *out, char error[POLB_ERROR_TEXT])
{
	uint32_t section = polb_elf_find(elf, name);
	const Elf64_Shdr *header = &elf->sections[section == UINT32_MAX ? 0 : section];

	if (section == UINT32_MAX)
		return polb_bundle_fail(error, "section %s twice", name);
	if (section &&
		(header->sh_type != SHT_PROGBITS || header->sh_flags || header->sh_offset % 8))
		return polb_bundle_fail(error, "section %s is not plain data", name);
	*out = section;
	return 0;
}

static int read_table(const struct polb_elf *elf, const char *name, size_t record,
	const void **items, size_t *n, char error[POLB_ERROR_TEXT])
{
	uint32_t section = 0;
	int err = find_section(elf, name, &section, error);

	if (err)
		return err;
	*items = NULL;
	*n = 0;
	if (!section)
		return 0;
	if (elf->sections[section].sh_size % record != 0)
		return polb_bundle_fail(error, "section %s holds a partial record", name);
	*items = polb_elf_content(elf, section);
	*n = elf->sections[section].sh_size / record;
	if (*n > UINT32_MAX)
		return polb_bundle_fail(error, "section %s is too large", name);
	return 0;
}

static void hash_zeros(crypto_hash_sha256_state *state, uint64_t n)
{
	static const uint8_t zeros[256];

	for (; n > sizeof(zeros); n -= sizeof(zeros))
		crypto_hash_sha256_update(state, zeros, sizeof(zeros));
	crypto_hash_sha256_update(state, zeros, n);
}

void polb_bundle_digest(
	const struct polb_elf *elf, uint32_t digest, uint32_t signature, uint8_t out[32])
{
	const Elf64_Shdr *holes[2] = {&elf->sections[digest], &elf->sections[signature]};
	crypto_hash_sha256_state state;
	uint64_t done = 0;

	if (holes[0]->sh_offset > holes[1]->sh_offset) {
		const Elf64_Shdr *first = holes[1];

		holes[1] = holes[0];
		holes[0] = first;
	}
	crypto_hash_sha256_init(&state);
	for (int i = 0; i < 2; i++) {
		if (holes[i] == &elf->sections[0] || holes[i]->sh_offset < done)
			continue;
		crypto_hash_sha256_update(&state, elf->data + done, holes[i]->sh_offset - done);
		hash_zeros(&state, holes[i]->sh_size);
		done = holes[i]->sh_offset + holes[i]->sh_size;
	}
	crypto_hash_sha256_update(&state, elf->data + done, elf->size - done);
	crypto_hash_sha256_final(&state, out);
}

static int check_digest(const struct polb_elf *elf, uint8_t out[32], char error[POLB_ERROR_TEXT])
{
	uint32_t digest = 0, signature = 0;
	uint8_t actual[32];
	int err = find_section(elf, POLB_SECTION_DIGEST, &digest, error);

	if (!err)
		err = find_section(elf, POLB_SECTION_SIGNATURE, &signature, error);
	if (err)
		return err;
	if (!digest || elf->sections[digest].sh_size != sizeof(actual))
		return polb_bundle_fail(error, "no digest: not a polc bundle");
	if (!polb_elf_exclusive(elf, digest) || (signature && !polb_elf_exclusive(elf, signature)))
		return polb_bundle_fail(error, "the digest does not cover the whole file");
	polb_bundle_digest(elf, digest, signature, actual);
	if (memcmp(actual, polb_elf_content(elf, digest), sizeof(actual)) != 0)
		return polb_bundle_fail(error, "the digest does not match the content");
	memcpy(out, actual, sizeof(actual));
	return 0;
}

static int read_manifest(
	const struct polb_elf *elf, struct polb_manifest *out, char error[POLB_ERROR_TEXT])
{
	const void *content;
	size_t n;
	int err = read_table(elf, POLB_SECTION_MANIFEST, 1, &content, &n, error);

	if (err)
		return err;
	if (n < 12)
		return polb_bundle_fail(error, "no manifest");
	memcpy(out, content, n < sizeof(*out) ? 12 : sizeof(*out));
	if (out->magic != POLB_BUNDLE_MAGIC)
		return polb_bundle_fail(error, "the manifest has a wrong magic number");
	if (out->version != POLB_BUNDLE_VERSION || out->abi_version != POLB_ABI_VERSION)
		return polb_bundle_fail(error, "bundle version %u.%u, but this program reads %u.%u",
			out->version, out->abi_version, POLB_BUNDLE_VERSION, POLB_ABI_VERSION);
	if (n != sizeof(*out))
		return polb_bundle_fail(error, "the manifest has a wrong size");
	return 0;
}

/* The words of a bit vector size other tables' records, so they are checked before those are cut.
 */
static int check_words(const struct polb_manifest *manifest, char error[POLB_ERROR_TEXT])
{
	if (manifest->n_words > POLB_MAX_WORDS)
		return polb_bundle_fail(error, "bit vectors of %u words", manifest->n_words);
	if (manifest->class_words > manifest->n_words)
		return polb_bundle_fail(error, "classes of %u words", manifest->class_words);
	return 0;
}

static int read_tables(
	const struct polb_elf *elf, struct polb_bundle *out, char error[POLB_ERROR_TEXT])
{
	const void *items;
	int err = 0;

#define TABLE(field, section, record)                                                              \
	if (!err)                                                                                  \
		err = read_table(elf, section, record, &items, &out->n_##field, error);            \
	if (!err)                                                                                  \
		out->field = items;
#define X(field, section, type) TABLE(field, section, sizeof(type))
	POLB_BUNDLE_TABLES(X)
#undef X
	TABLE(classes, POLB_SECTION_CLASSES, polb_class_value_size(out->manifest.class_words))
	TABLE(steps, POLB_SECTION_STEPS, polb_step_value_size(out->manifest.n_words))
#undef TABLE
	if (!err)
		err = read_table(elf, POLB_SECTION_STRINGS, 1, &items, &out->strings_size, error);
	if (err)
		return err;
	out->strings = items;
	err = read_table(
		elf, POLB_SECTION_SOURCE_STRINGS, 1, &items, &out->source_strings_size, error);
	if (!err)
		out->source_strings = items;
	return err;
}

static int read_signatures(
	const struct polb_elf *elf, struct polb_bundle *out, char error[POLB_ERROR_TEXT])
{
	const void *items;
	size_t n;
	int err = read_table(
		elf, POLB_SECTION_SIGNATURE, sizeof(*out->signatures), &items, &n, error);

	if (err || !items)
		return err;
	if (n != POLB_SIGNATURES || polb_signatures_count(items, &out->n_signatures))
		return polb_bundle_fail(error, "broken signatures");
	out->signatures = items;
	return 0;
}

int polb_bundle_read(
	const void *data, size_t size, struct polb_bundle *out, char error[POLB_ERROR_TEXT])
{
	struct polb_bundle bundle = {.data = data, .size = size};
	struct polb_elf elf;
	const char *reason = polb_elf_open(data, size, &elf);
	int err;

	if (reason)
		return polb_bundle_fail(error, "%s", reason);
	err = check_digest(&elf, bundle.digest, error);
	if (!err)
		err = polb_object_check(&elf, error);
	if (!err)
		err = read_manifest(&elf, &bundle.manifest, error);
	if (!err)
		err = read_signatures(&elf, &bundle, error);
	if (!err)
		err = check_words(&bundle.manifest, error);
	if (!err)
		err = read_tables(&elf, &bundle, error);
	if (!err)
		err = polb_bundle_check(&bundle, error);
	if (!err)
		*out = bundle;
	return err;
}

/* Of a file, one more than its bytes (what it is when it is read may differ); of others, few. */
static size_t expected_bytes(int fd)
{
	const size_t least = 1 << 16;
	struct stat status;

	if (fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_size < (off_t)least)
		return least;
	return status.st_size < (off_t)MAX_FILE_BYTES ? (size_t)status.st_size + 1 : MAX_FILE_BYTES;
}

/* Large ones in huge pages, where there are any. */
static void *new_buffer(size_t bytes)
{
	void *buffer;

	if (bytes < HUGE_BYTES || posix_memalign(&buffer, HUGE_BYTES, bytes))
		return malloc(bytes);
	madvise(buffer, bytes / HUGE_BYTES * HUGE_BYTES, MADV_HUGEPAGE);
	return buffer;
}

/* Reads until the end, growing the buffer: works for pipes too. */
static int read_all(int fd, void **data, size_t *size)
{
	size_t capacity = expected_bytes(fd), n = 0;
	POLB_FREE char *buffer = new_buffer(capacity);

	while (buffer) {
		ssize_t got = read(fd, buffer + n, capacity - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
		if (n > MAX_FILE_BYTES)
			return -EFBIG;
		if (n == capacity) {
			char *larger = realloc(buffer, capacity * 2);

			if (!larger)
				return -ENOMEM;
			buffer = larger;
			capacity *= 2;
		}
	}
	if (!buffer)
		return -ENOMEM;
	*data = POLB_TAKE(buffer);
	*size = n;
	return 0;
}

int polb_file_read(const char *path, void **data, size_t *size)
{
	POLB_FD fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : read_all(fd, data, size);
}
