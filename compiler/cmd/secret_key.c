/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Secret keys: read, made, written as text, used. */
#include "secret_key.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "../../runtime/cleanup.h"

#define COMMENT "untrusted comment: "
#define KEY_FILE_BYTES 4096
#define STORED_BASE64 sodium_base64_ENCODED_LEN(158, sodium_base64_VARIANT_ORIGINAL)
/* A file that wants more of scrypt is a mistake, or meant to keep this machine busy. */
#define MAX_OPERATIONS (1ull << 28)
#define MAX_MEMORY_BYTES (4ull << 30)
/* 128 MiB, a third of a second: what a build machine can afford each time. */
#define OPERATIONS (1u << 22)
#define MEMORY_BYTES (1u << 27)

struct secret_part {
	__u8 id[POLB_KEY_ID_BYTES];
	__u8 key[64];
	__u8 checksum[32]; /* BLAKE2b of algorithm, id and key */
};
struct stored_key {
	__u8 algorithm[2];                             /* "Ed" */
	__u8 kdf_algorithm[2];                         /* "Sc", or zeros: not encrypted */
	__u8 checksum_algorithm[2];                    /* "B2" */
	__u8 salt[32], operations[8], memory_bytes[8]; /* numbers: little-endian */
	struct secret_part secret;
};

void polc_secret_key_forget(struct polc_secret_key *key)
{
	sodium_memzero(key, sizeof(*key));
}

static void forget_stored(struct stored_key *stored)
{
	sodium_memzero(stored, sizeof(*stored));
}
#define STORED __attribute__((cleanup(forget_stored))) struct stored_key

static void forget_text(char (*text)[KEY_FILE_BYTES])
{
	sodium_memzero(*text, sizeof(*text));
}

static void forget_passphrase(char (*text)[POLC_PASSPHRASE])
{
	sodium_memzero(*text, sizeof(*text));
}

struct polb_public_key polc_secret_key_public(const struct polc_secret_key *key)
{
	struct polb_public_key out;

	memcpy(out.id, key->id, sizeof(out.id));
	memcpy(out.key, key->key + 32, sizeof(out.key));
	return out;
}

void polc_secret_key_make(struct polc_secret_key *out)
{
	__u8 public_key[32];

	if (sodium_init() < 0)
		POLC_BUG("libsodium cannot be initialised");
	crypto_sign_keypair(public_key, out->key);
	randombytes_buf(out->id, sizeof(out->id));
}

static void make_checksum(const struct stored_key *stored, __u8 out[32])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, 32);
	crypto_generichash_update(&state, stored->algorithm, sizeof(stored->algorithm));
	crypto_generichash_update(&state, stored->secret.id, sizeof(stored->secret.id));
	crypto_generichash_update(&state, stored->secret.key, sizeof(stored->secret.key));
	crypto_generichash_final(&state, out, 32);
}

static uint64_t load_le64(const __u8 bytes[8])
{
	uint64_t value = 0;

	for (int i = 7; i >= 0; i--)
		value = value << 8 | bytes[i];
	return value;
}

static void store_le64(__u8 bytes[8], uint64_t value)
{
	for (int i = 0; i < 8; i++)
		bytes[i] = (__u8)(value >> 8 * i);
}

/* Encrypts and decrypts. 0 or -ENOMEM. */
static int apply_passphrase(struct stored_key *stored, const char *passphrase)
{
	__u8 stream[sizeof(stored->secret)];
	__u8 *secret = (__u8 *)&stored->secret;

	if (crypto_pwhash_scryptsalsa208sha256(stream, sizeof(stream), passphrase,
		    strlen(passphrase), stored->salt, load_le64(stored->operations),
		    (size_t)load_le64(stored->memory_bytes)))
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(stream); i++)
		secret[i] ^= stream[i];
	sodium_memzero(stream, sizeof(stream));
	return 0;
}

int polc_secret_key_text(
	const struct polc_secret_key *key, const char *passphrase, char out[POLC_SECRET_KEY_TEXT])
{
	STORED stored = {.algorithm = {'E', 'd'}, .checksum_algorithm = {'B', '2'}};
	char base64[STORED_BASE64], id[POLB_KEY_ID_TEXT];
	int err = 0;

	memcpy(stored.secret.id, key->id, sizeof(key->id));
	memcpy(stored.secret.key, key->key, sizeof(key->key));
	make_checksum(&stored, stored.secret.checksum);
	if (passphrase) {
		memcpy(stored.kdf_algorithm, "Sc", 2);
		randombytes_buf(stored.salt, sizeof(stored.salt));
		store_le64(stored.operations, OPERATIONS);
		store_le64(stored.memory_bytes, MEMORY_BYTES);
		err = apply_passphrase(&stored, passphrase);
	}
	if (err)
		return err;
	polb_key_id_text(key->id, id);
	sodium_bin2base64(base64, sizeof(base64), (const unsigned char *)&stored, sizeof(stored),
		sodium_base64_VARIANT_ORIGINAL);
	snprintf(out, POLC_SECRET_KEY_TEXT, COMMENT "polc %ssecret key %s\n%s\n",
		passphrase ? "encrypted " : "", id, base64);
	sodium_memzero(base64, sizeof(base64));
	return 0;
}

/* At most size - 1 bytes, NUL-terminated; -EFBIG for more. */
static int read_text(int fd, char *out, size_t size)
{
	size_t n = 0;

	for (;;) {
		ssize_t got = read(fd, out + n, size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		n += (size_t)got;
		if (n == size)
			return -EFBIG;
		if (got == 0)
			break;
	}
	out[n] = '\0';
	return 0;
}

static int read_path(const char *path, char *out, size_t size)
{
	POLB_FD fd = -1;

	if (strcmp(path, "-") == 0)
		return read_text(STDIN_FILENO, out, size);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : read_text(fd, out, size);
}

int polc_passphrase_read(const char *path, char out[POLC_PASSPHRASE])
{
	int err = read_path(path, out, POLC_PASSPHRASE);

	if (err) {
		polc_environment_error("cannot read the passphrase from %s: %s", path,
			err == -EFBIG ? "too long" : strerror(-err));
		return POLC_EXIT_ENVIRONMENT;
	}
	out[strcspn(out, "\r\n")] = '\0';
	if (*out)
		return POLC_EXIT_OK;
	fprintf(stderr, "polc: the passphrase in %s is empty\n", path);
	return POLC_EXIT_BAD;
}

static int ask_passphrase(char out[POLC_PASSPHRASE])
{
	__attribute__((cleanup(polb_cleanup_fd))) int fd =
		open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios before, silent;
	ssize_t n;

	if (fd < 0 || tcgetattr(fd, &before)) {
		polc_environment_error(
			"the key is encrypted and there is no terminal (--passphrase-file FILE)");
		return POLC_EXIT_ENVIRONMENT;
	}
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	dprintf(fd, "passphrase of the key: ");
	tcsetattr(fd, TCSAFLUSH, &silent);
	n = read(fd, out, POLC_PASSPHRASE - 1);
	tcsetattr(fd, TCSAFLUSH, &before);
	dprintf(fd, "\n");
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	return POLC_EXIT_OK;
}

/* Text to bytes: a comment line may come before. */
static bool decode(const char *text, struct stored_key *out)
{
	size_t n = 0;
	const char *line = text;

	if (strncmp(text, COMMENT, strlen(COMMENT)) == 0)
		line = text + strcspn(text, "\n");
	while (*line == '\n')
		line++;
	return !sodium_base642bin((unsigned char *)out, sizeof(*out), line, strlen(line), " \t\r\n",
		       &n, NULL, sodium_base64_VARIANT_ORIGINAL) &&
	       n == sizeof(*out) && memcmp(out->algorithm, "Ed", 2) == 0 &&
	       memcmp(out->checksum_algorithm, "B2", 2) == 0;
}

static int decrypt(const char *where, const char *passphrase_file, struct stored_key *stored)
{
	__attribute__((cleanup(forget_passphrase))) char passphrase[POLC_PASSPHRASE];
	int code;

	if (sodium_is_zero(stored->kdf_algorithm, 2))
		return POLC_EXIT_OK;
	if (memcmp(stored->kdf_algorithm, "Sc", 2) != 0 ||
		load_le64(stored->operations) > MAX_OPERATIONS ||
		load_le64(stored->memory_bytes) > MAX_MEMORY_BYTES) {
		fprintf(stderr, "polc: %s: encrypted in an unknown way\n", where);
		return POLC_EXIT_BAD;
	}
	code = passphrase_file ? polc_passphrase_read(passphrase_file, passphrase)
			       : ask_passphrase(passphrase);
	if (code)
		return code;
	if (apply_passphrase(stored, passphrase)) {
		polc_environment_error("not enough memory to decrypt %s", where);
		return POLC_EXIT_ENVIRONMENT;
	}
	return POLC_EXIT_OK;
}

/* minisign leaves a key without a passphrase without a checksum; the public half is one, too. */
static bool is_whole(const struct stored_key *stored)
{
	__u8 checksum[32], public_key[32], key[64];
	bool same;

	make_checksum(stored, checksum);
	crypto_sign_seed_keypair(public_key, key, stored->secret.key);
	same = sodium_memcmp(key, stored->secret.key, sizeof(key)) == 0;
	sodium_memzero(key, sizeof(key));
	if (sodium_is_zero(stored->kdf_algorithm, 2) &&
		sodium_is_zero(stored->secret.checksum, sizeof(checksum)))
		return same;
	return same && sodium_memcmp(checksum, stored->secret.checksum, sizeof(checksum)) == 0;
}

static int parse(const char *where, const char *text, const char *passphrase_file,
	struct polc_secret_key *out)
{
	STORED stored = {.algorithm = {0}};
	int code;

	if (!decode(text, &stored)) {
		fprintf(stderr, "polc: %s: not a secret key\n", where);
		return POLC_EXIT_BAD;
	}
	code = decrypt(where, passphrase_file, &stored);
	if (code)
		return code;
	if (!is_whole(&stored)) {
		fprintf(stderr, "polc: %s: %s\n", where,
			sodium_is_zero(stored.kdf_algorithm, 2) ? "the key is damaged"
								: "wrong passphrase");
		return POLC_EXIT_BAD;
	}
	memcpy(out->id, stored.secret.id, sizeof(out->id));
	memcpy(out->key, stored.secret.key, sizeof(out->key));
	return POLC_EXIT_OK;
}

int polc_secret_key_read(
	const char *where, const char *passphrase_file, struct polc_secret_key *out)
{
	__attribute__((cleanup(forget_text))) char text[KEY_FILE_BYTES];
	bool variable = strncmp(where, "env:", 4) == 0;
	int err;

	if (sodium_init() < 0)
		POLC_BUG("libsodium cannot be initialised");
	if (variable) {
		const char *value = getenv(where + 4);

		if (!value || strlen(value) >= sizeof(text)) {
			polc_environment_error("the environment has no key in %s", where + 4);
			return POLC_EXIT_ENVIRONMENT;
		}
		snprintf(text, sizeof(text), "%s", value);
		return parse(where, text, passphrase_file, out);
	}
	err = read_path(where, text, sizeof(text));
	if (err == -EFBIG) {
		fprintf(stderr, "polc: %s: not a secret key\n", where);
		return POLC_EXIT_BAD;
	}
	if (err) {
		polc_environment_error("cannot read %s: %s", where, strerror(-err));
		return POLC_EXIT_ENVIRONMENT;
	}
	return parse(where, text, passphrase_file, out);
}

int polc_sign_bundle(const struct polc_secret_key *key, const char *name, void *data, size_t size)
{
	struct polb_signature signature = {.algorithm = {'E', 'd'}};
	char error[POLB_ERROR_TEXT] = "";
	__u8 text[POLB_SIGNED_BYTES];
	struct polb_bundle bundle;
	int err = polb_bundle_read(data, size, &bundle, error);

	if (!err) {
		polb_signed_text(bundle.digest, text);
		memcpy(signature.key_id, key->id, sizeof(signature.key_id));
		crypto_sign_detached(signature.signature, NULL, text, sizeof(text), key->key);
		err = polb_bundle_add_signature(data, size, &signature, error);
	}
	if (err)
		fprintf(stderr, "polc: %s: cannot be signed: %s\n", name, error);
	return err ? POLC_EXIT_BAD : POLC_EXIT_OK;
}
