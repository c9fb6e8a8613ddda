/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polc keygen`: a new pair of keys in two new files; what exists is never written over. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "secret_key.h"

struct keygen {
	struct polc_cmd cmd;
	const char *base, *passphrase_file;
};

static const struct polc_option options[] = {
	{"output", 'o', POLC_OPTION_TEXT, offsetof(struct keygen, base), "BASE", NULL,
		"writes BASE.key and BASE.pub (default: polc)"},
	{"passphrase-file", 0, POLC_OPTION_TEXT, offsetof(struct keygen, passphrase_file), "FILE",
		NULL, "encrypts the secret key with the file's first line"},
};

static const struct polc_command command = {
	.name = "keygen",
	.synopsis = "[-o BASE] [--passphrase-file FILE]",
	.summary = "Makes a pair of keys for signing bundles",
	.options = options,
	.n_options = POLC_ARRAY_SIZE(options),
	.min_operands = 0,
	.max_operands = 0,
};

/* A new file, whole or not at all. 0, or a message printed and -errno. */
static int write_new(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode), err = 0;
	size_t n = strlen(text);

	if (fd < 0)
		err = -errno;
	else if (write(fd, text, n) != (ssize_t)n || fsync(fd))
		err = errno ? -errno : -EIO;
	if (fd >= 0)
		close(fd);
	if (err && fd >= 0)
		unlink(path);
	if (err)
		polc_environment_error("cannot write %s: %s", path, strerror(-err));
	return err;
}

static int write_pair(
	struct polc_arena *arena, const char *base, const char *secret, const char *public_text)
{
	const char *key_path = polc_arena_printf(arena, "%s.key", base);
	const char *pub_path = polc_arena_printf(arena, "%s.pub", base);

	if (write_new(key_path, secret, 0600) < 0)
		return POLC_EXIT_ENVIRONMENT;
	if (write_new(pub_path, public_text, 0644) < 0) {
		unlink(key_path);
		return POLC_EXIT_ENVIRONMENT;
	}
	return POLC_EXIT_OK;
}

static int make(struct keygen *k, const char *passphrase)
{
	const char *base = k->base ? k->base : "polc";
	char secret[POLC_SECRET_KEY_TEXT], public_text[POLB_PUBLIC_KEY_TEXT];
	char id[POLB_KEY_ID_TEXT];
	struct polc_secret_key key;
	struct polb_public_key public_key;
	int code = POLC_EXIT_ENVIRONMENT;

	polc_secret_key_make(&key);
	public_key = polc_secret_key_public(&key);
	polb_public_key_text(&public_key, public_text);
	polb_key_id_text(public_key.id, id);
	if (polc_secret_key_text(&key, passphrase, secret))
		polc_environment_error("not enough memory to encrypt the key");
	else
		code = write_pair(&k->cmd.polc.arena, base, secret, public_text);
	polc_secret_key_forget(&key);
	sodium_memzero(secret, sizeof(secret));
	if (!code)
		printf("key %s: %s.key (secret), %s.pub\n", id, base, base);
	return code;
}

static int run(struct keygen *k)
{
	char passphrase[POLC_PASSPHRASE];
	int code;

	if (!k->passphrase_file)
		return make(k, NULL);
	code = polc_passphrase_read(k->passphrase_file, passphrase);
	if (!code)
		code = make(k, passphrase);
	sodium_memzero(passphrase, sizeof(passphrase));
	return code;
}

int polc_cmd_keygen(int argc, char **argv)
{
	struct keygen k = {.base = NULL};
	int exit_code;

	if (polc_cmd_parse(&command, &k, argc, argv, &exit_code))
		exit_code = run(&k);
	polc_cmd_free(&k);
	return exit_code;
}
