/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What of a bundle's ELF libbpf would read, held to what clang makes of our templates. libbpf takes
 * objects from people who trust them: a symbol without a name, a type that contains itself, or a
 * section of a kind that nobody here asked for must not get there. Behind polb_bundle_read only.
 */
#ifndef POLB_OBJECT_CHECK_H
#define POLB_OBJECT_CHECK_H

#include "bundle_private.h"

/* Sections, symbols, relocations, BTF. 0 or -EINVAL with a line in `error`. */
int polb_object_check(const struct polb_elf *elf, char error[POLB_ERROR_TEXT]);
/* btf_check.c: the .BTF section. 0 or -EINVAL. */
int polb_btf_check(const void *data, size_t size, char error[POLB_ERROR_TEXT]);

#endif
