/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polc build`: policies to one bundle, written whole or not at all. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../backend/bundle.h"
#include "secret_key.h"
#include "verify.h"

struct build {
	struct polc_cmd cmd;
	const char *output;
	polc_text_list hooks;
	const char *keep_c;
	const char *key, *passphrase_file;
	struct polc_secret_key secret_key; /* with --key */
	bool no_source, audit, no_cache, verbose;
	bool verify;
	struct polc_verify_flags verify_flags;
	struct polc_verify_options verify_options;
};

static const struct polc_option options[] = {
	{"output", 'o', POLC_OPTION_TEXT, offsetof(struct build, output), "OUT.o", NULL,
		"where the bundle goes (default: policy.o; -: stdout)"},
	POLC_CMD_POLICY_OPTIONS,
	POLC_CMD_MODE_OPTIONS,
	{"hook", 0, POLC_OPTION_LIST, offsetof(struct build, hooks), "cgroup|tc", NULL,
		"hooks to compile for (default: what the endpoints need)"},
	{"audit", 0, POLC_OPTION_FLAG, offsetof(struct build, audit), NULL, NULL,
		"start in audit mode: report denials, pass everything"},
	{"keep-c", 0, POLC_OPTION_TEXT, offsetof(struct build, keep_c), "DIR", NULL,
		"keep the C that clang sees"},
	{"no-source", 0, POLC_OPTION_FLAG, offsetof(struct build, no_source), NULL, NULL,
		"leave file names and lines out of the bundle"},
	{"no-cache", 0, POLC_OPTION_FLAG, offsetof(struct build, no_cache), NULL, NULL,
		"always run clang"},
	{"verbose", 'v', POLC_OPTION_FLAG, offsetof(struct build, verbose), NULL, NULL,
		"print the summary line even when stdout is no terminal"},
	{"verify", 0, POLC_OPTION_FLAG, offsetof(struct build, verify), NULL, NULL,
		"write it only when the kernels' verifiers accept it, with what it costs there"},
	POLC_CMD_KERNEL_OPTIONS(build, verify_flags),
	{"key", 0, POLC_OPTION_TEXT, offsetof(struct build, key), "KEY", NULL,
		"sign it with this secret key: a file, - or env:NAME"},
	{"passphrase-file", 0, POLC_OPTION_TEXT, offsetof(struct build, passphrase_file), "FILE",
		NULL, "whose first line is the key's passphrase (default: ask)"},
};

static const struct polc_command command = {
	.name = "build",
	.synopsis = "POLICY... [-o OUT.o] [--inventory FILE]... [OPTION]...",
	.summary = "Compiles policies into a bundle",
	.options = options,
	.n_options = POLC_ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = SIZE_MAX,
};

/* 0, or the exit code of a usage error. */
static int parse_hooks(const struct build *build, uint32_t *hooks)
{
	for (size_t i = 0; i < build->hooks.n; i++) {
		const char *word = build->hooks.items[i];

		if (!strcmp(word, "cgroup"))
			*hooks |= POLB_HOOK_CGROUP;
		else if (!strcmp(word, "tc"))
			*hooks |= POLB_HOOK_TC;
		else if (!strcmp(word, "xdp"))
			return polc_cmd_usage_error(&build->cmd, "--hook xdp is not supported yet");
		else
			return polc_cmd_usage_error(
				&build->cmd, "--hook: '%s' is none of cgroup, tc", word);
	}
	return 0;
}

static void print_counts(const struct polc_plan *plan, const struct polb_bundle *bundle)
{
	if (bundle->manifest.hooks & ~(__u32)POLB_HOOK_TRACE)
		printf(" %zu rules, %u selectors, %u tables, %u endpoints,", plan->network->n_rules,
			plan->n_selectors, plan->n_tables, plan->n_endpoints);
	if (bundle->manifest.hooks & POLB_HOOK_TRACE)
		printf(" %zu tracing policies, %zu hooks, %zu trace selectors,",
			bundle->n_trace_policies, bundle->n_trace_hooks, bundle->n_trace_selectors);
}

static void print_summary(
	const struct build *build, const struct polc_plan *plan, const void *data, size_t size)
{
	struct polb_bundle bundle;
	char error[POLB_ERROR_TEXT], digest[2 * 32 + 1];
	bool to_stdout = !strcmp(build->output, "-");

	if (polb_bundle_read(data, size, &bundle, error) < 0)
		POLC_BUG("the bundle just written cannot be read: %s", error);
	if (to_stdout || !(build->verbose || isatty(STDOUT_FILENO)))
		return;
	sodium_bin2hex(digest, sizeof(digest), bundle.digest, sizeof(bundle.digest));
	printf("%s:", build->output);
	print_counts(plan, &bundle);
	printf(" %zu bytes, digest %.12s\n", size, digest);
}

static int compile(struct build *build, uint32_t hooks)
{
	struct polc *polc = &build->cmd.polc;
	const struct polc_input *input = &build->cmd.input;
	const struct polc_plan *plan =
		polc_plan_build(polc, build->cmd.network, build->cmd.identities);
	const struct polc_tracing_plan *tracing =
		polc_plan_tracing(polc, build->cmd.tracing, &build->cmd.tracing_options);
	struct polc_buf policy_text = {.arena = &polc->arena};
	uint8_t inventory_hash[32];
	bool has_text = polc_policy_text(polc, input, &policy_text);
	const struct polc_build_options build_options = {
		.hooks = hooks,
		.keep_c = build->keep_c,
		.no_source = build->no_source,
		.no_cache = build->no_cache,
		.audit = build->audit,
		.dialect = (enum polc_dialect)build->cmd.dialect,
		.cluster_name = build->cmd.cluster_name,
		.inventory_hash = input->inventory.given ? inventory_hash : NULL,
		.inventory = &input->inventory,
		.tracing = tracing,
		.policy_text = has_text ? policy_text.p : NULL,
		.only_tracing = tracing && !input->ast.policies.n,
	};
	void *data = NULL;
	size_t size = 0;

	if (!plan || polc->n_errors)
		return POLC_EXIT_BAD;
	polc_inventory_digest(&polc->arena, &input->inventory, inventory_hash);
	int result = polc_bundle_build(polc, plan, &build_options, &data, &size);
	int code = result < 0 ? POLC_EXIT_ENVIRONMENT : POLC_EXIT_OK;

	if (!code && build->verify)
		code = polc_verify_built(
			&build->cmd, &build->verify_options, build->output, &data, &size);
	if (!code && build->key)
		code = polc_sign_bundle(&build->secret_key, build->output, data, size);
	if (code) {
		free(data);
		return code;
	}
	result = polc_cmd_write_file(build->output, data, size);
	if (result >= 0)
		print_summary(build, plan, data, size);
	free(data);
	return result < 0 ? POLC_EXIT_ENVIRONMENT : POLC_EXIT_OK;
}

static int run(struct build *build)
{
	uint32_t hooks = 0;
	int exit_code = parse_hooks(build, &hooks);

	if (exit_code)
		return exit_code;
	if (!build->output)
		build->output = "policy.o";
	if (!strcmp(build->output, "-") && isatty(STDOUT_FILENO))
		return polc_cmd_usage_error(
			&build->cmd, "refusing to write a bundle to the terminal");
	exit_code =
		polc_verify_flags_read(&build->cmd, &build->verify_flags, &build->verify_options);
	if (exit_code)
		return exit_code;
	if (build->verify_flags.kernels.n || build->verify_flags.max_insns)
		build->verify = true;
	if (build->key)
		exit_code = polc_secret_key_read(
			build->key, build->passphrase_file, &build->secret_key);
	if (exit_code)
		return exit_code;
	exit_code = polc_cmd_load(&build->cmd);
	if (exit_code == POLC_EXIT_OK) {
		polc_cmd_check_assertions(&build->cmd);
		exit_code = compile(build, hooks);
	}
	polc_cmd_print_diagnostics(&build->cmd);
	return exit_code;
}

int polc_cmd_build(int argc, char **argv)
{
	struct build build = {0};
	int exit_code;

	if (polc_cmd_parse(&command, &build, argc, argv, &exit_code))
		exit_code = run(&build);
	polc_secret_key_forget(&build.secret_key);
	polc_cmd_free(&build);
	return exit_code;
}
