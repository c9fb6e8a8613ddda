// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The bundle reader. The digest would stop every mutation at the door, so it is set right first.
#include "fuzz.h"

#include "runtime/bundle_private.h"

/* Makes the digest match when the ELF is sane enough to have one. */
static void reseal(uint8_t *data, size_t size)
{
	struct polb_elf elf;
	uint32_t digest, signature;
	uint8_t sum[32];

	if (polb_elf_open(data, size, &elf))
		return;
	digest = polb_elf_find(&elf, POLB_SECTION_DIGEST);
	signature = polb_elf_find(&elf, POLB_SECTION_SIGNATURE);
	if (!digest || digest == UINT32_MAX || signature == UINT32_MAX ||
		elf.sections[digest].sh_size != sizeof(sum) ||
		elf.sections[digest].sh_type == SHT_NOBITS ||
		elf.sections[signature].sh_type == SHT_NOBITS)
		return;
	polb_bundle_digest(&elf, digest, signature, sum);
	memcpy(data + elf.sections[digest].sh_offset, sum, sizeof(sum));
}

static void use(const struct polb_bundle *bundle)
{
	const struct polb_public_key key = {.id = {1}};
	char text[256];

	polb_bundle_signed_by(bundle, &key);
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
	struct polb_public_key key;

	polb_public_key_parse((const char *)data, size, &key);
	reseal(copy, size);
	if (!polb_bundle_read(copy, size, &bundle, error))
		use(&bundle);
	free(copy);
	return 0;
}
