/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polc sign`: adds a signature to a bundle. The same bundle and key give the same bytes. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/cleanup.h"
#include "secret_key.h"

struct sign {
	struct polc_cmd cmd;
	const char *key, *passphrase_file, *output;
};

static const struct polc_option options[] = {
	{"key", 'k', POLC_OPTION_TEXT, offsetof(struct sign, key), "KEY", NULL,
		"secret key: a file, - or env:NAME"},
	{"passphrase-file", 0, POLC_OPTION_TEXT, offsetof(struct sign, passphrase_file), "FILE",
		NULL, "whose first line is the key's passphrase (default: ask)"},
	{"output", 'o', POLC_OPTION_TEXT, offsetof(struct sign, output), "OUT.o", NULL,
		"where the signed bundle goes (default: in place; -: stdout)"},
};

static const struct polc_command command = {
	.name = "sign",
	.synopsis = "BUNDLE --key KEY [-o OUT.o]",
	.summary = "Signs a bundle",
	.options = options,
	.n_options = POLC_ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = 1,
};

static int sign(const struct sign *s, const char *path)
{
	POLB_FREE void *data = NULL;
	struct polc_secret_key key;
	size_t size;
	int result = polb_file_read(path, &data, &size), code;

	if (result < 0) {
		polc_environment_error("cannot read %s: %s", path, strerror(-result));
		return POLC_EXIT_ENVIRONMENT;
	}
	code = polc_secret_key_read(s->key, s->passphrase_file, &key);
	if (!code)
		code = polc_sign_bundle(&key, path, data, size);
	polc_secret_key_forget(&key);
	if (code)
		return code;
	return polc_cmd_write_file(s->output ? s->output : path, data, size) < 0
		       ? POLC_EXIT_ENVIRONMENT
		       : POLC_EXIT_OK;
}

int polc_cmd_sign(int argc, char **argv)
{
	struct sign s = {.key = NULL};
	int exit_code;

	if (polc_cmd_parse(&command, &s, argc, argv, &exit_code))
		exit_code = s.key ? sign(&s, s.cmd.operands.items[0])
				  : polc_cmd_usage_error(&s.cmd, "--key KEY is missing");
	polc_cmd_free(&s);
	return exit_code;
}
