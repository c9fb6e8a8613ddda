/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tracing part of a bundle as a member of its JSON object. */
#include "../../runtime/trace_tables.h"
#include "inspect_tracing.h"

static void add_string(
	struct polc_buf *b, const struct polb_bundle *bundle, const char *key, uint32_t offset)
{
	polc_buf_json_member(b, key, polb_bundle_string(bundle, offset));
}

/* '"key":[' of strings, by bits. */
static void add_bits(struct polc_buf *b, const char *key, uint64_t bits, unsigned n,
	const char *(*name)(unsigned))
{
	const char *comma = "";

	polc_buf_printf(b, "\"%s\":[", key);
	for (unsigned i = 0; i < n; i++) {
		if (!(bits >> i & 1))
			continue;
		polc_buf_puts(b, comma);
		polc_buf_json(b, name(i));
		comma = ",";
	}
	polc_buf_puts(b, "]");
}

static const char *feature_word(unsigned feature)
{
	return polc_kernel_feature_words[feature];
}

static void add_policies(struct polc_buf *b, const struct polb_bundle *bundle)
{
	polc_buf_puts(b, "\"policies\":[");
	for (uint32_t i = 0; i < bundle->n_trace_policies; i++) {
		const struct polb_bundle_trace_policy *policy = &bundle->trace_policies[i];
		const struct polb_bundle_trace_spec of_it = {.policy = i};

		polc_buf_puts(b, i ? ",{" : "{");
		add_string(b, bundle, "kind", policy->kind);
		add_string(b, bundle, "namespace", policy->namespace);
		add_string(b, bundle, "name", policy->name);
		polc_buf_json_member(b, "mode", polc_inspect_mode(policy->mode));
		polc_buf_json_member(b, "source",
			polc_inspect_trace_place(b->arena, bundle, &of_it, policy->line));
		polc_buf_printf(b,
			"\"enforces\":%s,\"events_per_second\":%u,\"burst\":%u,\"sample\":%u}",
			policy->enforces ? "true" : "false", policy->events_per_second,
			policy->burst, policy->sample);
	}
	polc_buf_puts(b, "],");
}

static void add_programs(struct polc_buf *b, const struct polb_bundle *bundle,
	const struct polb_bundle_trace_alternative *a)
{
	polc_buf_puts(b, "\"programs\":[");
	for (uint32_t i = 0; i < a->n_programs; i++) {
		const struct polb_bundle_trace_program *p =
			&bundle->trace_programs[a->first_program + i];

		polc_buf_puts(b, i ? ",{" : "{");
		add_string(b, bundle, "name", p->name);
		polc_buf_json_member(b, "mechanism", polb_mechanism_name(p->mechanism));
		add_string(b, bundle, "target", p->target);
		add_string(b, bundle, "symbol", p->symbol);
		polc_buf_printf(b, "\"offset\":%llu,\"overrides\":%s}",
			(unsigned long long)p->offset,
			p->flags & POLB_PROGRAM_OVERRIDES ? "true" : "false");
	}
	polc_buf_puts(b, "]");
}

static void add_hooks(struct polc_buf *b, const struct polb_bundle *bundle)
{
	polc_buf_puts(b, "\"hooks\":[");
	for (size_t i = 0; i < bundle->n_trace_hooks; i++) {
		const struct polb_bundle_trace_hook *hook = &bundle->trace_hooks[i];

		polc_buf_puts(b, i ? ",{" : "{");
		add_string(b, bundle, "hook", hook->text);
		polc_buf_printf(b,
			"\"optional\":%s,\"tracking\":%s,\"enforces\":%s,\"alternatives\":[",
			hook->flags & POLB_TRACE_OPTIONAL ? "true" : "false",
			hook->flags & POLB_TRACE_TRACKING ? "true" : "false",
			hook->flags & POLB_TRACE_ENFORCES ? "true" : "false");
		for (uint32_t j = 0; j < hook->n_alternatives; j++) {
			const struct polb_bundle_trace_alternative *a =
				&bundle->trace_alternatives[hook->first_alternative + j];

			polc_buf_puts(b, j ? ",{" : "{");
			add_string(b, bundle, "reason", a->reason);
			add_programs(b, bundle, a);
			polc_buf_puts(b, "}");
		}
		polc_buf_puts(b, "]}");
	}
	polc_buf_puts(b, "],");
}

static void add_selectors(struct polc_buf *b, const struct polb_bundle *bundle,
	const struct polb_bundle_trace_spec *spec)
{
	polc_buf_puts(b, "\"selectors\":[");
	for (uint32_t i = 0; i < spec->n_selectors; i++) {
		const struct polb_bundle_trace_selector *s =
			&bundle->trace_selectors[spec->first_selector + i];

		polc_buf_printf(b, "%s{\"number\":%u,\"position\":%u,", i ? "," : "",
			spec->first_selector + i, s->position);
		add_string(b, bundle, "label", s->label);
		polc_buf_json_member(
			b, "source", polc_inspect_trace_place(b->arena, bundle, spec, s->line));
		add_bits(b, "actions", s->actions, POLB_N_TRACE_ACTIONS, polc_inspect_action);
		polc_buf_puts(b, ",");
		add_bits(b, "return_actions", s->return_actions, POLB_N_TRACE_ACTIONS,
			polc_inspect_action);
		polc_buf_puts(b, "}");
	}
	polc_buf_puts(b, "]");
}

static void add_specs(struct polc_buf *b, const struct polb_bundle *bundle)
{
	polc_buf_puts(b, "\"specs\":[");
	for (size_t i = 0; i < bundle->n_trace_specs; i++) {
		const struct polb_bundle_trace_spec *spec = &bundle->trace_specs[i];

		polc_buf_printf(b, "%s{\"policy\":%u,", i ? "," : "", spec->policy);
		polc_buf_json_member(b, "section", polc_inspect_section(spec));
		add_string(b, bundle, "path", spec->path);
		polc_buf_json_member(
			b, "source", polc_inspect_trace_place(b->arena, bundle, spec, spec->line));
		polc_buf_puts(b, "\"symbols\":[");
		for (uint32_t j = 0; j < spec->n_symbols; j++) {
			polc_buf_puts(b, j ? "," : "");
			polc_buf_json(
				b, polb_bundle_string(bundle,
					   bundle->trace_symbols[spec->first_symbol + j].name));
		}
		polc_buf_puts(b, "],");
		add_selectors(b, bundle, spec);
		polc_buf_puts(b, "}");
	}
	polc_buf_puts(b, "],");
}

static void add_tables(struct polc_buf *b, const struct polb_bundle *bundle)
{
	polc_buf_printf(b,
		"\"tables\":{\"equal_strings\":%zu,\"prefixes\":%zu,\"postfixes\":%zu,"
		"\"string_bytes\":%zu,\"automata_words\":%zu,\"intervals\":%zu,\"networks\":%zu,"
		"\"binary_words\":%u,\"workload_words\":%u,\"cgroups\":%zu},",
		polc_inspect_strings(bundle, 0), polc_inspect_strings(bundle, 1),
		polc_inspect_strings(bundle, 2), bundle->n_trace_bytes, bundle->n_trace_automata,
		bundle->n_trace_intervals, bundle->n_trace_nets, bundle->manifest.binary_words,
		bundle->manifest.workload_words, bundle->n_trace_cgroups);
}

void polc_inspect_tracing_json(struct polc_buf *b, const struct polb_bundle *bundle)
{
	const struct polc_bundle_features features = polc_inspect_features(bundle);

	if (!bundle->n_trace_policies)
		return;
	polc_buf_puts(b, ",\"tracing\":{");
	add_policies(b, bundle);
	add_hooks(b, bundle);
	add_specs(b, bundle);
	add_tables(b, bundle);
	polc_buf_puts(b, "\"kernel\":{");
	add_bits(b, "needed", features.needed, POLC_N_KERNEL_FEATURES, feature_word);
	polc_buf_puts(b, ",");
	add_bits(b, "used", features.used, POLC_N_KERNEL_FEATURES, feature_word);
	polc_buf_puts(b, "}}");
}
