/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What both printers of a bundle's tracing part say: names and what kernels must have. */
#ifndef POLC_INSPECT_TRACING_H
#define POLC_INSPECT_TRACING_H

#include "inspect.h"

/* Features of kernels. X(NAME, "json name", "in words") */
#define POLC_KERNEL_FEATURES(X)                                                                    \
	X(BTF, "btf", "BTF (CONFIG_DEBUG_INFO_BTF)")                                               \
	X(LSM, "bpf-lsm", "BPF LSM (CONFIG_BPF_LSM, \"bpf\" in lsm=)")                             \
	X(IMA, "ima", "hashes of files (CONFIG_IMA, 5.11)")                                        \
	X(OVERRIDE, "override", "error injection (CONFIG_BPF_KPROBE_OVERRIDE)")                    \
	X(KPROBES, "kprobes", "kprobes (CONFIG_KPROBE_EVENTS)")                                    \
	X(UPROBES, "uprobes", "uprobes (CONFIG_UPROBE_EVENTS)")                                    \
	X(REGISTERS, "uprobe-registers", "writing registers at uprobes (6.18)")
enum polc_kernel_feature {
#define X(name, word, text) POLC_FEATURE_##name,
	POLC_KERNEL_FEATURES(X)
#undef X
		POLC_N_KERNEL_FEATURES
};
extern const char *const polc_kernel_feature_words[POLC_N_KERNEL_FEATURES];
extern const char *const polc_kernel_feature_texts[POLC_N_KERNEL_FEATURES];
/* Bits of what every alternative of some hook needs; and of what only the better ones use. */
struct polc_bundle_features {
	uint32_t needed, used;
};
struct polc_bundle_features polc_inspect_features(const struct polb_bundle *bundle);

const char *polc_inspect_section(const struct polb_bundle_trace_spec *spec);
const char *polc_inspect_mode(uint32_t mode);
const char *polc_inspect_action(unsigned action); /* enum polb_trace_action */
/* "file:line", or NULL without source. `line`: 0 takes the policy's. */
const char *polc_inspect_trace_place(struct polc_arena *arena, const struct polb_bundle *bundle,
	const struct polb_bundle_trace_spec *spec, uint32_t line);
/* Texts of one kind of string table. */
size_t polc_inspect_strings(const struct polb_bundle *bundle, uint32_t op);

void polc_inspect_tracing_text(
	struct polc_arena *arena, const struct polb_bundle *bundle, FILE *out);
/* ',"tracing":{...}', nothing when the bundle has none. */
void polc_inspect_tracing_json(struct polc_buf *b, const struct polb_bundle *bundle);

#endif
