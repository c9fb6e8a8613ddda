/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Signatures of bundles: text of public keys, slots, verification. Knows no secret key. */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "bundle_private.h"

#define COMMENT "untrusted comment: "
#define KEY_BASE64 56 /* of struct stored_key: 42 bytes, no padding */

/* Not 64 bytes with the digest: those are what minisign signs of a file. */
static const char domain[POLB_SIGNED_BYTES - 32] = "polc bundle signature 1\n";

struct stored_key {
	__u8 algorithm[2];
	__u8 id[POLB_KEY_ID_BYTES];
	__u8 key[32];
};

int polb_public_key_parse(const char *text, size_t size, struct polb_public_key *out)
{
	const char *end = text + size, *line = text;
	struct stored_key stored;
	size_t n;

	if (size >= strlen(COMMENT) && memcmp(text, COMMENT, strlen(COMMENT)) == 0) {
		line = memchr(text, '\n', size);
		if (!line)
			return -EINVAL;
		line++;
	}
	while (end > line && strchr(" \t\r\n", end[-1]) && end[-1])
		end--;
	if (end - line != KEY_BASE64 ||
		sodium_base642bin((unsigned char *)&stored, sizeof(stored), line, KEY_BASE64, NULL,
			&n, NULL, sodium_base64_VARIANT_ORIGINAL) ||
		n != sizeof(stored) || memcmp(stored.algorithm, "Ed", 2) != 0)
		return -EINVAL;
	memcpy(out->id, stored.id, sizeof(out->id));
	memcpy(out->key, stored.key, sizeof(out->key));
	return 0;
}

void polb_key_id_text(const __u8 id[POLB_KEY_ID_BYTES], char out[POLB_KEY_ID_TEXT])
{
	for (size_t i = 0; i < POLB_KEY_ID_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02X", id[POLB_KEY_ID_BYTES - 1 - i]);
}

void polb_public_key_text(const struct polb_public_key *key, char out[POLB_PUBLIC_KEY_TEXT])
{
	struct stored_key stored = {.algorithm = {'E', 'd'}};
	char id[POLB_KEY_ID_TEXT], base64[KEY_BASE64 + 1];

	memcpy(stored.id, key->id, sizeof(stored.id));
	memcpy(stored.key, key->key, sizeof(stored.key));
	polb_key_id_text(key->id, id);
	sodium_bin2base64(base64, sizeof(base64), (const unsigned char *)&stored, sizeof(stored),
		sodium_base64_VARIANT_ORIGINAL);
	snprintf(out, POLB_PUBLIC_KEY_TEXT, COMMENT "polc public key %s\n%s\n", id, base64);
}

void polb_signed_text(const __u8 digest[32], __u8 out[POLB_SIGNED_BYTES])
{
	memcpy(out, domain, sizeof(domain));
	memcpy(out + sizeof(domain), digest, 32);
}

bool polb_bundle_signed_by(const struct polb_bundle *bundle, const struct polb_public_key *key)
{
	__u8 text[POLB_SIGNED_BYTES];

	polb_signed_text(bundle->digest, text);
	for (size_t i = 0; i < bundle->n_signatures; i++) {
		const struct polb_signature *s = &bundle->signatures[i];

		if (memcmp(s->key_id, key->id, sizeof(s->key_id)) == 0 &&
			crypto_sign_verify_detached(s->signature, text, sizeof(text), key->key) ==
				0)
			return true;
	}
	return false;
}

static int compare(const struct polb_signature *a, const struct polb_signature *b)
{
	return memcmp(a->key_id, b->key_id, sizeof(a->key_id));
}

static bool is_free(const struct polb_signature *slot)
{
	return sodium_is_zero((const unsigned char *)slot, sizeof(*slot));
}

int polb_signatures_count(const struct polb_signature slots[POLB_SIGNATURES], size_t *out)
{
	size_t n = 0;

	while (n < POLB_SIGNATURES && !is_free(&slots[n])) {
		const struct polb_signature *s = &slots[n];

		if (memcmp(s->algorithm, "Ed", 2) != 0 ||
			!sodium_is_zero(s->reserved, sizeof(s->reserved)) ||
			(n && compare(s - 1, s) >= 0))
			return -EINVAL;
		n++;
	}
	for (size_t i = n; i < POLB_SIGNATURES; i++)
		if (!is_free(&slots[i]))
			return -EINVAL;
	*out = n;
	return 0;
}

/* -ENOSPC when all slots are those of other keys. */
static int insert(struct polb_signature *slots, size_t n, const struct polb_signature *signature)
{
	size_t at = 0;

	while (at < n && compare(&slots[at], signature) < 0)
		at++;
	if (at < n && compare(&slots[at], signature) == 0) {
		slots[at] = *signature;
		return 0;
	}
	if (n == POLB_SIGNATURES)
		return -ENOSPC;
	memmove(&slots[at + 1], &slots[at], (n - at) * sizeof(*slots));
	slots[at] = *signature;
	return 0;
}

int polb_bundle_add_signature(
	void *data, size_t size, const struct polb_signature *signature, char *error)
{
	struct polb_bundle bundle;
	struct polb_elf elf;
	struct polb_signature *slots;
	uint32_t section;
	int err = polb_bundle_read(data, size, &bundle, error);

	if (err)
		return err;
	polb_elf_open(data, size, &elf);
	section = polb_elf_find(&elf, POLB_SECTION_SIGNATURE);
	if (!section)
		return polb_bundle_fail(error, "the bundle has no room for signatures");
	slots = (struct polb_signature *)((char *)data + elf.sections[section].sh_offset);
	err = insert(slots, bundle.n_signatures, signature);
	if (err)
		polb_bundle_fail(error, "the bundle has %d signatures already", POLB_SIGNATURES);
	return err;
}
