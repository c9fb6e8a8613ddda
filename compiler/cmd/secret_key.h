/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Secret keys, in minisign's format: a comment line, then base64 of algorithms, salt, limits of
 * scrypt, and of key id, key and checksum, which a passphrase encrypts. Whoever uses a key gives it
 * up with polc_secret_key_forget().
 */
#ifndef POLC_SECRET_KEY_H
#define POLC_SECRET_KEY_H

#include "../../runtime/bundle.h"
#include "cmd.h"

#define POLC_SECRET_KEY_TEXT 320

struct polc_secret_key {
	__u8 id[POLB_KEY_ID_BYTES];
	__u8 key[64]; /* seed, public key */
};

/*
 * `where`: a file, "-" for standard input, or "env:NAME" for the value of an environment variable.
 * passphrase_file NULL: an encrypted key's passphrase is asked for on the terminal. Exit code.
 */
int polc_secret_key_read(
	const char *where, const char *passphrase_file, struct polc_secret_key *out);
/* A new one; never fails. */
void polc_secret_key_make(struct polc_secret_key *out);
/* Its file's text; passphrase NULL: not encrypted. 0 or -ENOMEM. */
int polc_secret_key_text(
	const struct polc_secret_key *key, const char *passphrase, char out[POLC_SECRET_KEY_TEXT]);
void polc_secret_key_forget(struct polc_secret_key *key);
struct polb_public_key polc_secret_key_public(const struct polc_secret_key *key);

/* The first line of a file, or of "-"; at most 1,023 bytes. Exit code. */
#define POLC_PASSPHRASE 1024
int polc_passphrase_read(const char *path, char out[POLC_PASSPHRASE]);

/* Signs a bundle in memory. `name` is for messages. Exit code. */
int polc_sign_bundle(const struct polc_secret_key *key, const char *name, void *data, size_t size);

#endif
