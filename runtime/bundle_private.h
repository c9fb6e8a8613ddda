/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the bundle's reader, checker and writer only. */
#ifndef POLB_BUNDLE_PRIVATE_H
#define POLB_BUNDLE_PRIVATE_H

#include "bundle.h"
#include "elf_image.h"

#define POLB_SECTION_MANIFEST ".polc.manifest"
#define POLB_SECTION_STRINGS ".polc.strings"
#define POLB_SECTION_SOURCE_STRINGS ".polc.source.strings"
#define POLB_SECTION_CLASSES ".polc.classes"
#define POLB_SECTION_STEPS ".polc.steps"
#define POLB_SECTION_DIGEST ".polc.digest"
#define POLB_SECTION_SIGNATURE ".polc.signature"

/* Limits of what is worth loading; the kernel's own come later. */
#define POLB_MAX_WORDS 4096

__attribute__((format(printf, 2, 3))) int polb_bundle_fail(
	char error[POLB_ERROR_TEXT], const char *format, ...);
/* SHA-256 over the file with the two sections' content taken as zeros (a section number 0: none).
 */
void polb_bundle_digest(
	const struct polb_elf *elf, uint32_t digest, uint32_t signature, uint8_t out[32]);
/* Every offset, index and count of the tables. 0 or -EINVAL. */
int polb_bundle_check(const struct polb_bundle *bundle, char error[POLB_ERROR_TEXT]);

#endif
