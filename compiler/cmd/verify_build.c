/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * `polc build --verify`: the bundle is shown to verifiers before it is written, and what it cost
 * there becomes a table of it. Kernel releases and numbers only, so that the same kernels give the
 * same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "verify.h"

struct costs {
	struct polc_arena *arena;
	struct polb_bundle bundle; /* with the table */
	POLC_VEC(struct polb_bundle_verified) list;
	POLC_VEC(char) strings;
};

/* Offset of a text in the bundle's strings, which grow at their end. */
static __u32 text(struct costs *c, const char *s)
{
	size_t n = strlen(s) + 1;

	for (size_t at = 0; at + n <= c->strings.n; at += strlen(c->strings.items + at) + 1)
		if (!strcmp(c->strings.items + at, s))
			return (__u32)at;
	for (size_t i = 0; i < n; i++)
		*polc_vec_push(c->arena, &c->strings) = s[i];
	return (__u32)(c->strings.n - n);
}

static void add_program(struct costs *c, const char *release, const struct polc_verified_program *p)
{
	if (!p->accepted)
		return;
	*polc_vec_push(c->arena, &c->list) =
		(struct polb_bundle_verified){.kernel = text(c, release),
			.program = text(c, p->name),
			.instructions = (__u32)p->log.instructions,
			.total_states = p->log.total_states,
			.peak_states = p->log.peak_states,
			.stack_bytes = p->stack_bytes == UINT32_MAX ? 0 : p->stack_bytes};
}

static void fill(struct costs *c, const struct polb_bundle *bundle,
	const struct polc_verified_kernel *kernels, size_t n)
{
	c->bundle = *bundle;
	for (size_t i = 0; i < bundle->strings_size; i++)
		*polc_vec_push(c->arena, &c->strings) = bundle->strings[i];
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < kernels[i].bundles[0].n_programs; k++)
			add_program(c, kernels[i].release, &kernels[i].bundles[0].programs[k]);
	c->bundle.strings = c->strings.items;
	c->bundle.strings_size = c->strings.n;
	c->bundle.verified = c->list.items;
	c->bundle.n_verified = c->list.n;
}

/* Without --kernel: the targets that keep an image, else this kernel. */
static void choose_kernels(struct polc_cmd *cmd, struct polc_verify_options *options)
{
	polc_text_list kernels = {0};

	if (options->n_kernels)
		return;
	for (size_t i = 0; i < cmd->target_names.n; i++)
		if (polc_kernel_image_known(&cmd->polc, cmd->target_names.items[i]))
			*polc_vec_push(&cmd->polc.arena, &kernels) = cmd->target_names.items[i];
	options->kernels = kernels.items;
	options->n_kernels = kernels.n;
}

int polc_verify_built(struct polc_cmd *cmd, const struct polc_verify_options *asked,
	const char *path, void **data, size_t *size)
{
	struct polc *polc = &cmd->polc;
	struct polc_verify_input input = {.path = path};
	struct polc_verify_options options = *asked;
	struct costs costs = {.arena = &polc->arena};
	struct polc_verified_kernel *kernels = NULL;
	char error[POLB_ERROR_TEXT] = "";
	void *with_costs = NULL;
	size_t n = 0;
	int err;

	if (polb_bundle_read(*data, *size, &input.bundle, error) < 0)
		POLC_BUG("the bundle just written cannot be read: %s", error);
	choose_kernels(cmd, &options);
	err = polc_verify(polc, &input, 1, &options, &kernels, &n);
	polc_verify_progress_end();
	if (err)
		return POLC_EXIT_ENVIRONMENT;
	polc_verify_print_refusals(polc, kernels, n, 1);
	if (polc_verify_exit_code(kernels, n))
		return polc_verify_exit_code(kernels, n);
	fill(&costs, &input.bundle, kernels, n);
	err = polb_bundle_write(*data, *size, &costs.bundle, &with_costs, size, error);
	if (err) {
		polc_environment_error("cannot write the bundle: %s", error);
		return POLC_EXIT_ENVIRONMENT;
	}
	free(*data);
	*data = with_costs;
	return POLC_EXIT_OK;
}
