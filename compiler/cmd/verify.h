/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What `polc verify`, `polc build --verify` and `polc target add` share: options, progress, words.
 */
#ifndef POLC_CMD_VERIFY_H
#define POLC_CMD_VERIFY_H

#include "../backend/verify.h"
#include "cmd.h"

/* Which kernels are asked, and with what. */
struct polc_verify_flags {
	polc_text_list kernels;
	const char *max_insns, *polload, *timeout, *jobs; /* as written */
	unsigned accelerator;
};
extern const char *const polc_accelerator_names[];

/* The options of machines; `member` is a struct polc_verify_flags. */
#define POLC_CMD_VM_OPTIONS(type, member)                                                          \
	{"polload", 0, POLC_OPTION_TEXT, offsetof(struct type, member.polload), "FILE", NULL,      \
		"the static polload that machines run (default: beside polc)"},                    \
		{"accel", 0, POLC_OPTION_CHOICE, offsetof(struct type, member.accelerator), NULL,  \
			polc_accelerator_names,                                                    \
			"how machines are run (auto: kvm where it works)"},                        \
	{                                                                                          \
		"timeout", 0, POLC_OPTION_TEXT, offsetof(struct type, member.timeout), "SECONDS",  \
			NULL, "give a machine up after so long (default: 600)"                     \
	}
/* Those that say which kernels. */
#define POLC_CMD_KERNEL_OPTIONS(type, member)                                                      \
	{"kernel", 0, POLC_OPTION_LIST, offsetof(struct type, member.kernels), "KERNEL", NULL,     \
		"ask this kernel: an image file, a target that keeps one, or \"running\""},        \
		{"max-insns", 0, POLC_OPTION_TEXT, offsetof(struct type, member.max_insns), "N",   \
			NULL, "refuse programs of which the verifier looks at more instructions"}, \
		{"jobs", 'j', POLC_OPTION_TEXT, offsetof(struct type, member.jobs), "N", NULL,     \
			"machines at a time (default: 2)"},                                        \
		POLC_CMD_VM_OPTIONS(type, member)

/* 0, or the exit code of a usage error. Progress goes to a terminal on stderr. */
int polc_verify_flags_read(const struct polc_cmd *cmd, const struct polc_verify_flags *flags,
	struct polc_verify_options *out);
/* The progress line away, before anything else is printed. */
void polc_verify_progress_end(void);

/* Every bundle on every kernel. */
void polc_verify_print_text(
	struct polc *polc, const struct polc_verified_kernel *kernels, size_t n, size_t n_bundles);
void polc_verify_print_json(
	struct polc *polc, const struct polc_verified_kernel *kernels, size_t n, size_t n_bundles);
/* On stderr, only what is wrong. */
void polc_verify_print_refusals(
	struct polc *polc, const struct polc_verified_kernel *kernels, size_t n, size_t n_bundles);
/* POLC_EXIT_OK, BAD: a bundle is refused; ENVIRONMENT: a kernel did not answer. */
int polc_verify_exit_code(const struct polc_verified_kernel *kernels, size_t n);

/*
 * build --verify: asks, prints refusals and narrow margins on stderr, and replaces *data (malloc'd)
 * with the bundle that says what it cost. Exit code.
 */
int polc_verify_built(struct polc_cmd *cmd, const struct polc_verify_options *options,
	const char *path, void **data, size_t *size);

#endif
