/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The digests that a binary can be named by. libsodium has SHA-256 and SHA-512; SHA-384 is the
 * latter with another start, cut; SHA-1 (for policies that still use it) is here.
 */
#include "digest.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>

#define SHA1_BLOCK 64

static uint32_t rotate(uint32_t value, int bits)
{
	return value << bits | value >> (32 - bits);
}

/* FIPS 180-4, 6.1.2 */
static void sha1_block(uint32_t state[5], const unsigned char *block)
{
	uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
		       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (int i = 16; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (int i = 0; i < 80; i++) {
		static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
		uint32_t f = i < 20   ? (b & c) | (~b & d)
			     : i < 40 ? b ^ c ^ d
			     : i < 60 ? (b & c) | (b & d) | (c & d)
				      : b ^ c ^ d;
		uint32_t next = rotate(a, 5) + f + e + k[i / 20] + w[i];

		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
}

static void sha1(const unsigned char *data, size_t size, unsigned char *out)
{
	uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	unsigned char last[2 * SHA1_BLOCK] = {0};
	size_t rest = size % SHA1_BLOCK, padded = rest < 56 ? SHA1_BLOCK : 2 * SHA1_BLOCK;
	uint64_t bits = (uint64_t)size * 8;

	for (size_t at = 0; at + SHA1_BLOCK <= size; at += SHA1_BLOCK)
		sha1_block(state, data + at);
	if (rest)
		memcpy(last, data + size - rest, rest);
	last[rest] = 0x80;
	for (size_t i = 0; i < 8; i++)
		last[padded - 1 - i] = (unsigned char)(bits >> (8 * i));
	for (size_t at = 0; at < padded; at += SHA1_BLOCK)
		sha1_block(state, last + at);
	for (size_t i = 0; i < 20; i++)
		out[i] = (unsigned char)(state[i / 4] >> (24 - 8 * (i % 4)));
}

static void sha256(const unsigned char *data, size_t size, unsigned char *out)
{
	crypto_hash_sha256(out, data, size);
}

static void sha512(const unsigned char *data, size_t size, unsigned char *out)
{
	crypto_hash_sha512(out, data, size);
}

/* FIPS 180-4, 5.3.4: SHA-512 from these words, the first six of the result. */
static void sha384(const unsigned char *data, size_t size, unsigned char *out)
{
	static const uint64_t start[8] = {0xcbbb9d5dc1059ed8, 0x629a292a367cd507,
		0x9159015a3070dd17, 0x152fecd8f70e5939, 0x67332667ffc00b31, 0x8eb44a8768581511,
		0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4};
	crypto_hash_sha512_state state;
	unsigned char full[64];

	crypto_hash_sha512_init(&state);
	memcpy(state.state, start, sizeof(start));
	crypto_hash_sha512_update(&state, data, size);
	crypto_hash_sha512_final(&state, full);
	memcpy(out, full, 48);
}

static const struct algorithm {
	const char *name;
	size_t bytes;
	void (*run)(const unsigned char *data, size_t size, unsigned char *out);
} algorithms[] = {
	{"sha1", 20, sha1},
	{"sha256", 32, sha256},
	{"sha384", 48, sha384},
	{"sha512", 64, sha512},
};

static const struct algorithm *find(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (strlen(algorithms[i].name) == n && strncmp(algorithms[i].name, name, n) == 0)
			return &algorithms[i];
	return NULL;
}

size_t pold_digest_bytes(const char *name, size_t n)
{
	const struct algorithm *algorithm = find(name, n);

	return algorithm ? algorithm->bytes : 0;
}

void pold_digest(const char *name, size_t n, const void *data, size_t size,
	unsigned char out[POLD_DIGEST_BYTES])
{
	const struct algorithm *algorithm = find(name, n);

	if (algorithm)
		algorithm->run(data, size, out);
}

bool pold_digest_equal(const char *hex, const unsigned char *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	if (strlen(hex) != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((hex[2 * i] | 0x20) != (digits[bytes[i] >> 4] | 0x20) ||
			(hex[2 * i + 1] | 0x20) != (digits[bytes[i] & 15] | 0x20))
			return false;
	return true;
}
