/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Digests of files as policies name them: "sha1:hex", "sha256:", "sha384:", "sha512:". */
#ifndef POLD_DIGEST_H
#define POLD_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#define POLD_DIGEST_BYTES 64
/* Length of an algorithm's digest in bytes; 0: not known. */
size_t pold_digest_bytes(const char *algorithm, size_t n);
/* Of data, by an algorithm that is known. */
void pold_digest(const char *algorithm, size_t n, const void *data, size_t size,
	unsigned char out[POLD_DIGEST_BYTES]);
/* Whether hex digits say these bytes. */
bool pold_digest_equal(const char *hex, const unsigned char *bytes, size_t n);

#endif
