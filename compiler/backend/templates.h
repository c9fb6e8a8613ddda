/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The BPF templates, embedded at build time (bpf-templates/embed writes build/gen/templates.c). */
#ifndef POLC_TEMPLATES_H
#define POLC_TEMPLATES_H

#include <stddef.h>

struct polc_template {
	const char *path; /* as in the source tree: "bpf-templates/network/verdict.h",
			     "runtime/abi.h" */
	const char *text;
	size_t len;
};
extern const struct polc_template polc_templates[];
extern const size_t polc_n_templates;

#endif
