/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Whose bundles this node takes: the public keys of --trusted-key and of a directory that only root
 * writes. With one key or more a bundle must be signed by one of them. A key that cannot be read is
 * never left out: whoever could break a file would switch the check off.
 */
#include "loader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/cleanup.h"

#ifndef POLD_TRUSTED_DIR
#define POLD_TRUSTED_DIR "/etc/polc/trusted.d"
#endif
#define MAX_KEYS 64
#define KEY_FILE_BYTES 4096

struct keys {
	struct polb_public_key items[MAX_KEYS];
	size_t n;
};

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* Only its owner writes it, and that is root or who runs this. */
static int check_owner(int fd, const char *path, mode_t type)
{
	struct stat status;

	if (fstat(fd, &status))
		return pold_fail(POLD_ENVIRONMENT, "%s: %s", path, strerror(errno));
	if ((status.st_mode & S_IFMT) != type)
		return pold_fail(POLD_ENVIRONMENT, "%s: not a %s", path,
			type == S_IFDIR ? "directory" : "file");
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return pold_fail(POLD_ENVIRONMENT,
			"%s: user %u, who owns it, is not to choose trusted keys", path,
			(unsigned int)status.st_uid);
	if (status.st_mode & (S_IWGRP | S_IWOTH))
		return pold_fail(POLD_ENVIRONMENT,
			"%s: others than its owner may write it (mode %04o): its keys are not "
			"trusted",
			path, (unsigned int)(status.st_mode & 07777));
	return POLD_OK;
}

static int read_key(int fd, const char *path, struct polb_public_key *out)
{
	char text[KEY_FILE_BYTES];
	ssize_t n = read(fd, text, sizeof(text));

	if (n < 0)
		return pold_fail(POLD_ENVIRONMENT, "%s: %s", path, strerror(errno));
	if (polb_public_key_parse(text, (size_t)n, out))
		return pold_fail(POLD_ENVIRONMENT, "%s: not a public key (polc keygen)", path);
	return POLD_OK;
}

static int add_key(struct keys *keys, int directory, const char *name, const char *path)
{
	/* not blocked by a pipe that somebody has put there */
	POLB_FD fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int code;

	if (fd < 0)
		return pold_fail(POLD_ENVIRONMENT, "trusted key %s: %s", path, strerror(errno));
	if (keys->n == MAX_KEYS)
		return pold_fail(POLD_ENVIRONMENT, "%s: more than %d trusted keys", path, MAX_KEYS);
	code = check_owner(fd, path, S_IFREG);
	if (!code)
		code = read_key(fd, path, &keys->items[keys->n]);
	keys->n += !code;
	return code;
}

static bool is_key_file(const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' && n > 4 && strcmp(name + n - 4, ".pub") == 0;
}

static int add_directory(struct keys *keys)
{
	__attribute__((cleanup(close_directory))) DIR *directory = opendir(POLD_TRUSTED_DIR);
	char path[sizeof(POLD_TRUSTED_DIR) + 256];
	struct dirent *entry;
	int code;

	if (!directory && errno == ENOENT)
		return POLD_OK;
	if (!directory)
		return pold_fail(POLD_ENVIRONMENT, POLD_TRUSTED_DIR ": %s", strerror(errno));
	code = check_owner(dirfd(directory), POLD_TRUSTED_DIR, S_IFDIR);
	for (errno = 0; !code && (entry = readdir(directory)); errno = 0) {
		if (!is_key_file(entry->d_name))
			continue;
		snprintf(path, sizeof(path), POLD_TRUSTED_DIR "/%s", entry->d_name);
		code = add_key(keys, dirfd(directory), entry->d_name, path);
	}
	if (!code && errno)
		return pold_fail(POLD_ENVIRONMENT, POLD_TRUSTED_DIR ": %s", strerror(errno));
	return code;
}

static int add_options(struct keys *keys, const struct pold_options *options)
{
	int code = POLD_OK;

	for (uint32_t i = 0; !code && i < options->n_trusted; i++)
		code = add_key(keys, AT_FDCWD, options->trusted[i], options->trusted[i]);
	return code;
}

/* " 1122334455667788 99..." appended; what does not fit ends in dots. */
static void append_id(char *out, size_t size, const __u8 id[POLB_KEY_ID_BYTES])
{
	size_t n = strlen(out);
	char text[POLB_KEY_ID_TEXT];

	polb_key_id_text(id, text);
	if (size - n > 2 * sizeof(text))
		snprintf(out + n, size - n, " %s", text);
	else if (size - n > 5 && (n < 4 || strcmp(out + n - 4, " ...") != 0))
		snprintf(out + n, size - n, " ...");
}

static int refuse(const struct keys *keys, const char *what, const struct polb_bundle *bundle)
{
	char signers[128] = "", trusted[256] = "";
	const char *why = "is not signed";

	for (size_t i = 0; i < bundle->n_signatures; i++)
		append_id(signers, sizeof(signers), bundle->signatures[i].key_id);
	for (size_t i = 0; i < keys->n; i++) {
		append_id(trusted, sizeof(trusted), keys->items[i].id);
		for (size_t k = 0; k < bundle->n_signatures; k++)
			if (memcmp(bundle->signatures[k].key_id, keys->items[i].id,
				    sizeof(keys->items[i].id)) == 0)
				why = "has a wrong signature of key";
	}
	if (bundle->n_signatures && strcmp(why, "is not signed") == 0)
		why = "is signed by a key that is not trusted:";
	return pold_fail(POLD_BAD, "%s: %s%s; trusted:%s", what, why, signers, trusted);
}

int pold_trust_check(const struct pold_options *options, const char *what,
	const struct polb_bundle *bundle, struct pold_signer *out)
{
	struct keys keys = {.n = 0};
	int code = add_options(&keys, options);

	if (!code)
		code = add_directory(&keys);
	if (code)
		return code;
	*out = (struct pold_signer){.is_signed = false};
	for (size_t i = 0; i < keys.n; i++)
		if (polb_bundle_signed_by(bundle, &keys.items[i])) {
			out->is_signed = true;
			memcpy(out->key_id, keys.items[i].id, sizeof(out->key_id));
			return POLD_OK;
		}
	return keys.n ? refuse(&keys, what, bundle) : POLD_OK;
}
