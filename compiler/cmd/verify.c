/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polc verify`: asks the verifiers of real kernels whether bundles load there, and at what cost.
 */
#include "verify.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct verify {
	struct polc_cmd cmd;
	struct polc_verify_flags flags;
};

enum { FORMAT_TEXT, FORMAT_JSON };
static const char *const formats[] = {"text", "json", NULL};
const char *const polc_accelerator_names[] = {"auto", "kvm", "tcg", NULL};

static const struct polc_option options[] = {
	POLC_CMD_KERNEL_OPTIONS(verify, flags),
	{"target", 0, POLC_OPTION_LIST, offsetof(struct verify, cmd.target_names), "NAME", NULL,
		"ask the kernel of a target (polc target add)"},
	{"format", 0, POLC_OPTION_CHOICE, offsetof(struct verify, cmd.format), NULL, formats,
		"how the answers are printed"},
};

static const struct polc_command command = {
	.name = "verify",
	.synopsis = "BUNDLE... [--kernel IMAGE]... [--target NAME]... [OPTION]...",
	.summary = "Asks real kernels whether bundles load, and at what cost",
	.options = options,
	.n_options = POLC_ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = 64,
};

/* ---- options ---- */

static int read_number(const struct polc_cmd *cmd, const char *option, const char *text,
	uint64_t max, uint64_t *out)
{
	char *end;

	if (!text)
		return 0;
	*out = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || *out < 1 || *out > max)
		return polc_cmd_usage_error(cmd, "--%s: '%s' is not a number from 1 to %llu",
			option, text, (unsigned long long)max);
	return 0;
}

static void show_progress(void *context, const char *release, const char *step, unsigned seconds)
{
	(void)context;
	fprintf(stderr, "\r\033[K%s: %s (%u s)", release, step, seconds);
	fflush(stderr);
}

void polc_verify_progress_end(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

int polc_verify_flags_read(const struct polc_cmd *cmd, const struct polc_verify_flags *flags,
	struct polc_verify_options *out)
{
	uint64_t timeout = 600, jobs = 2, max_insns = 0;
	int code = read_number(cmd, "timeout", flags->timeout, 86400, &timeout);

	if (!code)
		code = read_number(cmd, "jobs", flags->jobs, 8, &jobs);
	if (!code)
		code = read_number(cmd, "max-insns", flags->max_insns, UINT32_MAX, &max_insns);
	*out = (struct polc_verify_options){
		.kernels = flags->kernels.items,
		.n_kernels = flags->kernels.n,
		.polload = flags->polload,
		.accelerator = (enum polc_accelerator)flags->accelerator,
		.timeout_s = (unsigned)timeout,
		.jobs = (unsigned)jobs,
		.max_insns = max_insns,
		.progress = isatty(STDERR_FILENO) ? show_progress : NULL,
	};
	return code;
}

int polc_verify_exit_code(const struct polc_verified_kernel *kernels, size_t n)
{
	bool silent = false;

	for (size_t i = 0; i < n; i++) {
		if (kernels[i].refused)
			return POLC_EXIT_BAD;
		silent |= kernels[i].failure != NULL;
	}
	return silent ? POLC_EXIT_ENVIRONMENT : POLC_EXIT_OK;
}

/* ---- the command ---- */

/* The arena has the file: the bundle points into it. */
static int read_bundle(struct polc *polc, const char *path, struct polc_verify_input *out)
{
	char error[POLB_ERROR_TEXT];
	void *data = NULL, *copy;
	size_t size;
	int err = polb_file_read(path, &data, &size);

	out->path = path;
	if (err) {
		polc_environment_error("cannot read %s: %s", path, strerror(-err));
		return POLC_EXIT_ENVIRONMENT;
	}
	copy = polc_arena_alloc(&polc->arena, size + 1);
	memcpy(copy, data, size);
	free(data);
	if (!polb_bundle_read(copy, size, &out->bundle, error))
		return POLC_EXIT_OK;
	fprintf(stderr, "polc verify: %s: not a bundle of this version: %s\n", path, error);
	return POLC_EXIT_BAD;
}

static int verify(struct verify *v)
{
	struct polc *polc = &v->cmd.polc;
	size_t n_inputs = v->cmd.operands.n, n = 0;
	struct polc_verify_input *inputs =
		POLC_NEW_ARRAY(&polc->arena, n_inputs, struct polc_verify_input);
	struct polc_verified_kernel *kernels = NULL;
	struct polc_verify_options asked;
	int code;

	for (size_t i = 0; i < v->cmd.target_names.n; i++)
		*polc_vec_push(&polc->arena, &v->flags.kernels) = v->cmd.target_names.items[i];
	code = polc_verify_flags_read(&v->cmd, &v->flags, &asked);
	for (size_t i = 0; !code && i < n_inputs; i++)
		code = read_bundle(polc, v->cmd.operands.items[i], &inputs[i]);
	if (code)
		return code;
	code = polc_verify(polc, inputs, n_inputs, &asked, &kernels, &n);
	polc_verify_progress_end();
	if (code)
		return POLC_EXIT_ENVIRONMENT;
	if (v->cmd.format == FORMAT_JSON)
		polc_verify_print_json(polc, kernels, n, n_inputs);
	else
		polc_verify_print_text(polc, kernels, n, n_inputs);
	return polc_verify_exit_code(kernels, n);
}

int polc_cmd_verify(int argc, char **argv)
{
	struct verify v = {0};
	int exit_code;

	if (polc_cmd_parse(&command, &v, argc, argv, &exit_code))
		exit_code = verify(&v);
	polc_cmd_free(&v);
	return exit_code;
}
