/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polc inspect`: what a bundle holds. The file is hostile until the one reader has checked it. */
#include <stdlib.h>
#include <string.h>

#include "../../runtime/cleanup.h"
#include "inspect.h"

enum { FORMAT_TEXT, FORMAT_JSON };
static const char *const formats[] = {"text", "json", NULL};

struct inspect {
	struct polc_cmd cmd;
	polc_text_list key_files;
	struct polc_inspect_keys keys;
};

static const struct polc_option options[] = {
	{"format", 0, POLC_OPTION_CHOICE, offsetof(struct polc_cmd, format), NULL, formats,
		"how the bundle is printed"},
	{"trusted-key", 0, POLC_OPTION_LIST, offsetof(struct inspect, key_files), "FILE", NULL,
		"public key: fails unless the bundle is signed by one of these"},
};

static const struct polc_command command = {
	.name = "inspect",
	.synopsis = "BUNDLE [--format text|json] [--trusted-key FILE]...",
	.summary = "Shows what a bundle holds",
	.options = options,
	.n_options = POLC_ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = 1,
};

const char *polc_inspect_rule_place(
	struct polc_arena *arena, const struct polb_bundle *bundle, size_t index)
{
	if (index >= bundle->n_sources)
		return NULL;
	const struct polb_bundle_source *source = &bundle->sources[index];

	if (source->file >= bundle->source_strings_size)
		return NULL;
	return polc_arena_printf(
		arena, "%s:%u", bundle->source_strings + source->file, source->line);
}

const char *polc_inspect_signature(const struct polb_bundle *bundle,
	const struct polb_signature *signature, const struct polc_inspect_keys *keys)
{
	struct polb_bundle alone = *bundle;
	const char *found = "not checked";

	alone.signatures = signature;
	alone.n_signatures = 1;
	for (size_t i = 0; i < keys->n; i++) {
		if (memcmp(keys->items[i].id, signature->key_id, sizeof(signature->key_id)) != 0)
			continue;
		if (polb_bundle_signed_by(&alone, &keys->items[i]))
			return "good";
		found = "bad";
	}
	return found;
}

static int read_key(const char *path, struct polb_public_key *out)
{
	POLB_FREE void *text = NULL;
	size_t size;
	int result = polb_file_read(path, &text, &size);

	if (result < 0) {
		polc_environment_error("cannot read %s: %s", path, strerror(-result));
		return POLC_EXIT_ENVIRONMENT;
	}
	if (!polb_public_key_parse(text, size, out))
		return POLC_EXIT_OK;
	fprintf(stderr, "polc inspect: %s: not a public key\n", path);
	return POLC_EXIT_BAD;
}

static int read_keys(struct inspect *in)
{
	int code = POLC_EXIT_OK;

	in->keys.items =
		POLC_NEW_ARRAY(&in->cmd.polc.arena, in->key_files.n + 1, struct polb_public_key);
	for (; !code && in->keys.n < in->key_files.n; in->keys.n++)
		code = read_key(in->key_files.items[in->keys.n], &in->keys.items[in->keys.n]);
	return code;
}

static bool is_trusted(const struct inspect *in, const struct polb_bundle *bundle)
{
	for (size_t i = 0; i < in->keys.n; i++)
		if (polb_bundle_signed_by(bundle, &in->keys.items[i]))
			return true;
	return in->keys.n == 0;
}

static int print(struct inspect *in, const char *path, const struct polb_bundle *bundle)
{
	if (in->cmd.format == FORMAT_JSON)
		polc_inspect_print_json(&in->cmd.polc.arena, bundle, &in->keys, stdout);
	else
		polc_inspect_print_text(&in->cmd.polc.arena, bundle, &in->keys, stdout);
	if (is_trusted(in, bundle))
		return POLC_EXIT_OK;
	fprintf(stderr, "polc inspect: %s: not signed by a trusted key\n", path);
	return POLC_EXIT_BAD;
}

static int inspect(struct inspect *in, const char *path)
{
	POLB_FREE void *data = NULL;
	struct polb_bundle bundle;
	char error[POLB_ERROR_TEXT] = "";
	size_t size;
	int result, code = read_keys(in);

	if (code)
		return code;
	result = polb_file_read(path, &data, &size);
	if (result < 0) {
		polc_environment_error("cannot read %s: %s", path, strerror(-result));
		return POLC_EXIT_ENVIRONMENT;
	}
	if (!polb_bundle_read(data, size, &bundle, error))
		return print(in, path, &bundle);
	fprintf(stderr, "polc inspect: %s: not a bundle of this version: %s\n", path, error);
	return POLC_EXIT_BAD;
}

int polc_cmd_inspect(int argc, char **argv)
{
	struct inspect in = {.keys = {NULL, 0}};
	int exit_code;

	if (polc_cmd_parse(&command, &in, argc, argv, &exit_code))
		exit_code = inspect(&in, in.cmd.operands.items[0]);
	polc_cmd_free(&in);
	return exit_code;
}
