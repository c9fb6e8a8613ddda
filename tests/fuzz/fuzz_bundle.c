// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The bundle reader. The digest would stop every mutation at the door, so it is set right first.
#include "fuzz.h"

#include <elf.h>
#include <sodium.h>

#include "runtime/bundle.h"

/* The bytes of .polc.digest, when the ELF is sane enough to have them. */
static uint8_t *find_digest(uint8_t *data, size_t size)
{
	Elf64_Ehdr *elf = (Elf64_Ehdr *)data;

	if (size < sizeof(*elf) || elf->e_shoff > size || elf->e_shoff % 8 ||
		elf->e_shnum > (size - elf->e_shoff) / sizeof(Elf64_Shdr) ||
		elf->e_shstrndx >= elf->e_shnum)
		return NULL;
	Elf64_Shdr *sections = (Elf64_Shdr *)(data + elf->e_shoff);
	Elf64_Shdr *names = &sections[elf->e_shstrndx];

	for (unsigned i = 0; i < elf->e_shnum; i++) {
		size_t at = names->sh_offset + sections[i].sh_name;

		if (at < size && size - at > 13 && !memcmp(data + at, ".polc.digest", 13) &&
			sections[i].sh_offset <= size && size - sections[i].sh_offset >= 32)
			return data + sections[i].sh_offset;
	}
	return NULL;
}

static void use(const struct polb_bundle *bundle)
{
	char text[256];

	for (size_t i = 0; i < bundle->n_selectors; i++) {
		struct polb_selector selector;
		void *scratch = NULL;

		if (!polb_bundle_selector(bundle, i, &selector, &scratch))
			polb_selector_matches(&selector, &(struct polb_identity_view){0});
		free(scratch);
	}
	for (uint32_t i = 0; i < bundle->n_rules + POLB_RULE_FIRST + 2; i++)
		polb_bundle_rule_text(bundle, i, text, sizeof(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = aligned_alloc(16, (size + 16) & ~(size_t)15);
	struct polb_bundle bundle;
	char error[POLB_ERROR_TEXT];

	memcpy(copy, data, size);
	uint8_t *digest = find_digest(copy, size);

	if (digest) {
		memset(digest, 0, 32);
		uint8_t value[32];
		crypto_hash_sha256(value, copy, size);
		memcpy(digest, value, 32);
	}
	if (!polb_bundle_read(copy, size, &bundle, error))
		use(&bundle);
	free(copy);
	return 0;
}
