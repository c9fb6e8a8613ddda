/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tracing part of a bundle for people. */
#include "../../runtime/trace_tables.h"
#include "inspect_tracing.h"

struct printer {
	struct polc_arena *arena;
	const struct polb_bundle *b;
	FILE *out;
};

static const char *text(const struct printer *p, uint32_t offset)
{
	return polc_inspect_visible(p->arena, polb_bundle_string(p->b, offset));
}

static const char *policy_name(const struct printer *p, uint32_t policy)
{
	char name[512];

	polb_trace_policy_text(p->b, policy, name, sizeof(name));
	return polc_inspect_visible(p->arena, name);
}

static const char *place(
	const struct printer *p, const struct polb_bundle_trace_spec *spec, uint32_t line)
{
	const char *at = polc_inspect_trace_place(p->arena, p->b, spec, line);

	return at ? polc_inspect_visible(p->arena, at) : "";
}

static void print_policies(const struct printer *p)
{
	fprintf(p->out, "\ntracing policies (%zu)\n", p->b->n_trace_policies);
	for (uint32_t i = 0; i < p->b->n_trace_policies; i++) {
		const struct polb_bundle_trace_policy *policy = &p->b->trace_policies[i];
		const struct polb_bundle_trace_spec of_it = {.policy = i};

		fprintf(p->out, "  %5u  %-12s  %s %s", i, polc_inspect_mode(policy->mode),
			text(p, policy->kind), policy_name(p, i));
		if (policy->events_per_second)
			fprintf(p->out, "  at most %u events/s (burst %u, one of %u beyond)",
				policy->events_per_second, policy->burst, policy->sample);
		fprintf(p->out, "  %s\n", place(p, &of_it, policy->line));
	}
}

static void print_program(const struct printer *p, const struct polb_bundle_trace_program *program)
{
	const char *symbol = text(p, program->symbol);

	fprintf(p->out, "%s %s", polb_mechanism_name(program->mechanism), text(p, program->target));
	if (*symbol)
		fprintf(p->out, " %s", symbol);
	else if (program->mechanism == POLB_MECHANISM_UPROBE ||
		 program->mechanism == POLB_MECHANISM_URETPROBE)
		fprintf(p->out, " %s 0x%llx",
			program->flags & POLB_PROGRAM_IS_ADDRESS ? "address" : "offset",
			(unsigned long long)program->offset);
	fprintf(p->out, " [%s%s]", text(p, program->name),
		program->flags & POLB_PROGRAM_OVERRIDES ? ", overrides" : "");
}

static void print_hooks(const struct printer *p)
{
	fprintf(p->out, "\ntracing hooks (%zu)\n", p->b->n_trace_hooks);
	for (size_t i = 0; i < p->b->n_trace_hooks; i++) {
		const struct polb_bundle_trace_hook *hook = &p->b->trace_hooks[i];

		fprintf(p->out, "  %5zu  %s%s%s\n", i, text(p, hook->text),
			hook->flags & POLB_TRACE_OPTIONAL ? " (if it exists)" : "",
			hook->flags & POLB_TRACE_ENFORCES ? " (enforces)" : "");
		for (uint32_t j = 0; j < hook->n_alternatives; j++) {
			const struct polb_bundle_trace_alternative *a =
				&p->b->trace_alternatives[hook->first_alternative + j];

			fprintf(p->out, "           %s ", j ? "or" : "by");
			for (uint32_t k = 0; k < a->n_programs; k++) {
				fprintf(p->out, k ? " + " : "");
				print_program(p, &p->b->trace_programs[a->first_program + k]);
			}
			fprintf(p->out, ": %s\n", text(p, a->reason));
		}
	}
}

static void print_actions(const struct printer *p, uint64_t actions, const char *when)
{
	for (unsigned i = 0; i < POLB_N_TRACE_ACTIONS; i++)
		if (actions >> i & 1)
			fprintf(p->out, " %s%s", when, polc_inspect_action(i));
}

static void print_selectors(const struct printer *p, const struct polb_bundle_trace_spec *spec)
{
	for (uint32_t i = 0; i < spec->n_selectors; i++) {
		const struct polb_bundle_trace_selector *s =
			&p->b->trace_selectors[spec->first_selector + i];
		const char *label = text(p, s->label);

		fprintf(p->out, "           selector %u%s%s:", s->position, *label ? " " : "",
			label);
		print_actions(p, s->actions, "");
		print_actions(p, s->return_actions, "return:");
		fprintf(p->out, "  %s\n", place(p, spec, s->line));
	}
}

static void print_specs(const struct printer *p)
{
	fprintf(p->out, "\ntracing specs (%zu)\n", p->b->n_trace_specs);
	for (size_t i = 0; i < p->b->n_trace_specs; i++) {
		const struct polb_bundle_trace_spec *spec = &p->b->trace_specs[i];
		const char *path = text(p, spec->path);

		fprintf(p->out, "  %5zu  %s: %s%s%s", i, policy_name(p, spec->policy),
			polc_inspect_section(spec), *path ? " " : "", path);
		for (uint32_t j = 0; j < spec->n_symbols; j++)
			fprintf(p->out, " %s",
				text(p, p->b->trace_symbols[spec->first_symbol + j].name));
		fprintf(p->out, "  %s\n", place(p, spec, spec->line));
		print_selectors(p, spec);
	}
}

static void print_tables(const struct printer *p)
{
	const struct polb_bundle *b = p->b;

	fprintf(p->out, "\ntracing tables\n");
	fprintf(p->out,
		"  strings    %zu equal, %zu prefixes, %zu postfixes, %zu bytes; automata %zu "
		"words\n",
		polc_inspect_strings(b, 0), polc_inspect_strings(b, 1), polc_inspect_strings(b, 2),
		b->n_trace_bytes, b->n_trace_automata);
	fprintf(p->out, "  numbers    %zu intervals, %zu networks\n", b->n_trace_intervals,
		b->n_trace_nets);
	fprintf(p->out, "  processes  %u words of binaries, %u of workloads, %zu cgroups\n",
		b->manifest.binary_words, b->manifest.workload_words, b->n_trace_cgroups);
}

static void print_features(const struct printer *p, uint32_t features, const char *what)
{
	for (unsigned i = 0; i < POLC_N_KERNEL_FEATURES; i++)
		if (features >> i & 1)
			fprintf(p->out, "  %-9s  %s\n", what, polc_kernel_feature_texts[i]);
}

void polc_inspect_tracing_text(
	struct polc_arena *arena, const struct polb_bundle *bundle, FILE *out)
{
	const struct printer p = {.arena = arena, .b = bundle, .out = out};
	const struct polc_bundle_features features = polc_inspect_features(bundle);

	if (!bundle->n_trace_policies)
		return;
	print_policies(&p);
	print_hooks(&p);
	print_specs(&p);
	print_tables(&p);
	fprintf(out, "\nkernel\n");
	print_features(&p, features.needed, "needed");
	print_features(&p, features.used, "if there");
}
