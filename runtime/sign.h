/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who vouches for a bundle. Every bundle has room for POLB_SIGNATURES signatures, so that signing
 * moves nothing and an old and a new key can sign side by side: used slots first, by ascending key
 * id, zeros behind them. What is signed is the digest, which covers every byte of the file but the
 * slots, behind a text that no other use of the key signs.
 *
 * Public keys are files of minisign and signify, which have the same format: a comment line, then
 * base64 of "Ed", the key's id and the key.
 */
#ifndef POLB_SIGN_H
#define POLB_SIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "abi.h"

#define POLB_SIGNATURES 4
#define POLB_KEY_ID_BYTES 8
#define POLB_KEY_ID_TEXT 17 /* 16 hexadecimal digits, as minisign writes them */
#define POLB_PUBLIC_KEY_TEXT 160

struct polb_bundle;

struct polb_signature {
	__u8 algorithm[2]; /* "Ed": Ed25519 */
	__u8 reserved[6];  /* zeros */
	__u8 key_id[POLB_KEY_ID_BYTES];
	__u8 signature[64];
};
#define POLB_SIGNATURE_BYTES (POLB_SIGNATURES * sizeof(struct polb_signature))

struct polb_public_key {
	__u8 id[POLB_KEY_ID_BYTES];
	__u8 key[32];
};

/* A public key's file: comment and key, or the key alone. 0 or -EINVAL. */
int polb_public_key_parse(const char *text, size_t size, struct polb_public_key *out);
/* The file's text, with its NUL. */
void polb_public_key_text(const struct polb_public_key *key, char out[POLB_PUBLIC_KEY_TEXT]);
void polb_key_id_text(const __u8 id[POLB_KEY_ID_BYTES], char out[POLB_KEY_ID_TEXT]);

/* What is signed. */
#define POLB_SIGNED_BYTES 56
void polb_signed_text(const __u8 digest[32], __u8 out[POLB_SIGNED_BYTES]);
/* Whether one of a bundle's signatures is of this key and good. */
bool polb_bundle_signed_by(const struct polb_bundle *bundle, const struct polb_public_key *key);

/* The used slots of a signature section's content. 0 or -EINVAL. */
int polb_signatures_count(const struct polb_signature slots[POLB_SIGNATURES], size_t *n);
/*
 * Adds a signature to a bundle in memory, in place of one with the same key id. 0, or -EINVAL
 * (`data` is no bundle) or -ENOSPC (no slot is free) with one line in `error`.
 */
int polb_bundle_add_signature(
	void *data, size_t size, const struct polb_signature *signature, char *error);

#endif
