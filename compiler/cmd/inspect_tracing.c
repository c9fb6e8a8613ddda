/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tracing part of a bundle in words: names, places, what kernels must have. */
#include "inspect_tracing.h"

#include "../frontend/tracing.h"

const char *const polc_kernel_feature_words[POLC_N_KERNEL_FEATURES] = {
#define X(name, word, text) word,
	POLC_KERNEL_FEATURES(X)
#undef X
};
const char *const polc_kernel_feature_texts[POLC_N_KERNEL_FEATURES] = {
#define X(name, word, text) text,
	POLC_KERNEL_FEATURES(X)
#undef X
};

#define BIT(feature) (1u << POLC_FEATURE_##feature)

static uint32_t program_features(const struct polb_bundle_trace_program *p)
{
	bool overrides = p->flags & POLB_PROGRAM_OVERRIDES;

	switch ((enum polb_mechanism)p->mechanism) {
	case POLB_MECHANISM_FENTRY:
	case POLB_MECHANISM_FEXIT:
	case POLB_MECHANISM_FMOD_RET:
	case POLB_MECHANISM_TP_BTF:
		return BIT(BTF);
	case POLB_MECHANISM_LSM:
		return BIT(BTF) | BIT(LSM);
	case POLB_MECHANISM_LSM_SLEEPABLE:
		return BIT(BTF) | BIT(LSM) | BIT(IMA);
	case POLB_MECHANISM_KPROBE:
	case POLB_MECHANISM_KRETPROBE:
		return BIT(KPROBES) | (overrides ? BIT(OVERRIDE) : 0);
	case POLB_MECHANISM_UPROBE:
	case POLB_MECHANISM_URETPROBE:
	case POLB_MECHANISM_USDT:
		return BIT(UPROBES) | (overrides ? BIT(REGISTERS) : 0);
	case POLB_MECHANISM_TRACEPOINT:
	case POLB_MECHANISM_RAW_TRACEPOINT:
	case POLB_N_MECHANISMS:
		break;
	}
	return 0;
}

static uint32_t alternative_features(
	const struct polb_bundle *bundle, const struct polb_bundle_trace_alternative *a)
{
	uint32_t features = 0;

	for (uint32_t i = 0; i < a->n_programs; i++)
		features |= program_features(&bundle->trace_programs[a->first_program + i]);
	return features;
}

struct polc_bundle_features polc_inspect_features(const struct polb_bundle *bundle)
{
	struct polc_bundle_features out = {0};

	for (size_t i = 0; i < bundle->n_trace_hooks; i++) {
		const struct polb_bundle_trace_hook *hook = &bundle->trace_hooks[i];
		uint32_t all = UINT32_MAX;

		for (uint32_t j = 0; j < hook->n_alternatives; j++) {
			uint32_t features = alternative_features(
				bundle, &bundle->trace_alternatives[hook->first_alternative + j]);

			all &= features;
			out.used |= features;
		}
		if (hook->n_alternatives && !(hook->flags & POLB_TRACE_OPTIONAL))
			out.needed |= all;
	}
	out.used &= ~out.needed;
	return out;
}

const char *polc_inspect_section(const struct polb_bundle_trace_spec *spec)
{
	static const char *const names[] = {
		[POLC_SECTION_KPROBE] = "kprobe",
		[POLC_SECTION_FENTRY] = "fentry",
		[POLC_SECTION_TRACEPOINT] = "tracepoint",
		[POLC_SECTION_LSM] = "lsm",
		[POLC_SECTION_UPROBE] = "uprobe",
		[POLC_SECTION_USDT] = "usdt",
	};

	return spec->section < POLC_ARRAY_SIZE(names) ? names[spec->section] : "unknown";
}

const char *polc_inspect_mode(uint32_t mode)
{
	static const char *const names[] = {
		[POLB_MODE_ENFORCE] = "enforce",
		[POLB_MODE_MONITOR] = "audit",
		[POLB_MODE_MONITOR_ONLY] = "monitor-only",
	};

	return mode < POLC_ARRAY_SIZE(names) ? names[mode] : "unknown";
}

const char *polc_inspect_action(unsigned action)
{
	static const char *const names[] = {
#define X(name, text) text,
		POLB_TRACE_ACTIONS(X)
#undef X
	};

	return action < POLC_ARRAY_SIZE(names) ? names[action] : "unknown";
}

const char *polc_inspect_trace_place(struct polc_arena *arena, const struct polb_bundle *bundle,
	const struct polb_bundle_trace_spec *spec, uint32_t line)
{
	const struct polb_bundle_trace_policy *policy = &bundle->trace_policies[spec->policy];

	if (!policy->file || policy->file >= bundle->source_strings_size)
		return NULL;
	return polc_arena_printf(
		arena, "%s:%u", bundle->source_strings + policy->file, line ? line : policy->line);
}

size_t polc_inspect_strings(const struct polb_bundle *bundle, uint32_t op)
{
	size_t n = 0;

	for (size_t i = 0; i < bundle->n_trace_strings; i++)
		n += bundle->trace_strings[i].op == op;
	return n;
}
