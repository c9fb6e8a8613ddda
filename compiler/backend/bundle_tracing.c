/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tracing plan as records of a bundle, in the plan's order; and the inventory's cgroups with
 * the workload selectors that they satisfy.
 */
#include <string.h>

#include "../../runtime/workload.h"
#include "backend.h"
#include "plan_tracing_internal.h"

typedef struct polc_bundle_builder builder;

static __u32 text(builder *b, const char *s)
{
	return polc_bundle_text(b, s);
}

static const struct polc_tracing *tracing_of(const builder *b)
{
	return b->options->tracing->tracing;
}

/* Line of a span; 0 when the bundle does not say. */
static __u32 line_of(builder *b, struct polc_span span)
{
	if (b->options->no_source || !span.source)
		return 0;
	return polc_source_position(&b->polc->arena, &b->polc->sources, span.source, span.begin)
		.line;
}

static __u32 file_of(builder *b, struct polc_span span)
{
	if (b->options->no_source || !span.source)
		return 0;
	return polc_bundle_source_text(b, polc_source_get(&b->polc->sources, span.source)->path);
}

/* Offsets of strings in .polc.values; the first one's index. */
static __u32 add_values(builder *b, const char *const *texts, size_t n)
{
	__u32 first = (__u32)b->values.n;

	for (size_t i = 0; i < n; i++) {
		__u32 offset = text(b, texts[i]);

		*polc_vec_push(&b->polc->arena, &b->values) = offset;
	}
	return first;
}

static bool policy_enforces(const struct polc_tracing *tracing, const struct polc_trace_policy *p)
{
	for (uint32_t i = 0; i < p->n_specs; i++) {
		const struct polc_trace_spec *spec = &tracing->specs[p->first_spec + i];

		for (size_t j = 0; j < spec->selectors.n; j++)
			if (polc_trace_enforces(spec->selectors.items[j].action_mask |
						spec->selectors.items[j].return_action_mask))
				return true;
	}
	return false;
}

static void fill_policies(builder *b)
{
	const struct polc_tracing *tracing = tracing_of(b);
	struct polb_bundle_trace_policy *out =
		POLC_BUNDLE_TABLE(b, tracing->n_policies, struct polb_bundle_trace_policy);

	for (size_t i = 0; i < tracing->n_policies; i++) {
		const struct polc_trace_policy *p = &tracing->policies[i];

		out[i] = (struct polb_bundle_trace_policy){
			.name = text(b, p->name),
			.namespace = text(b, p->namespace),
			.kind = text(
				b, p->namespaced ? "TracingPolicyNamespaced" : "TracingPolicy"),
			.mode = p->mode,
			.events_per_second = p->events_per_second,
			.burst = p->burst,
			.sample = p->sample,
			.enforces = policy_enforces(tracing, p),
			.file = file_of(b, p->span),
			.line = line_of(b, p->span),
		};
	}
	b->bundle.trace_policies = out;
	b->bundle.n_trace_policies = tracing->n_policies;
}

/* ---- specs ---- */

struct spec_tables {
	POLC_VEC(struct polb_bundle_trace_symbol) symbols;
	POLC_VEC(struct polb_bundle_trace_value) values;
	POLC_VEC(struct polb_bundle_trace_condition) conditions;
	struct polb_bundle_trace_selector *selectors;
};

static const char *symbol_name(
	builder *b, const struct polc_trace_spec *spec, const struct polc_trace_symbol *symbol)
{
	if (spec->syscall)
		return polc_syscall_symbol(&b->polc->arena, &symbol->syscall, false);
	return symbol->name;
}

static void add_symbols(builder *b, const struct polc_trace_spec *spec, struct spec_tables *tables)
{
	for (size_t i = 0; i < spec->symbols.n; i++) {
		__u32 name = text(b, symbol_name(b, spec, &spec->symbols.items[i]));

		*polc_vec_push(&b->polc->arena, &tables->symbols) =
			(struct polb_bundle_trace_symbol){name};
	}
}

static const char *resolve_text(builder *b, const struct polc_trace_value *value)
{
	struct polc_buf out = {.arena = &b->polc->arena};

	for (size_t i = 0; i < value->n_steps; i++)
		if (value->steps[i].struct_name)
			polc_buf_printf(&out, "%s%s", i ? "." : "", value->steps[i].member);
		else
			polc_buf_printf(&out, "[%u]", value->steps[i].index);
	return out.p;
}

static void add_spec_values(
	builder *b, const struct polc_trace_spec *spec, struct spec_tables *tables)
{
	for (uint32_t i = 0; i < spec->values.n; i++) {
		const struct polc_trace_value *v = &spec->values.items[i];
		bool result = spec->has_return_value && i == spec->values.n - 1;
		struct polb_bundle_trace_value value = {
			.place = result             ? POLB_ARGUMENT_RETURN
				 : i < spec->n_args ? POLB_ARGUMENT_ENTRY
						    : POLB_ARGUMENT_DATA,
			.number = result             ? 0
				  : i < spec->n_args ? i
						     : i - spec->n_args,
			.index = v->number,
			.type = v->type,
			.label = text(b, v->label),
			.resolve = text(b, resolve_text(b, v)),
		};

		*polc_vec_push(&b->polc->arena, &tables->values) = value;
	}
}

static const char *action_text(
	const struct polc_trace_selector *selector, enum polb_trace_action kind)
{
	for (size_t i = 0; i < selector->actions.n; i++)
		if (selector->actions.items[i].kind == kind)
			return selector->actions.items[i].text;
	for (size_t i = 0; i < selector->return_actions.n; i++)
		if (selector->return_actions.items[i].kind == kind)
			return selector->return_actions.items[i].text;
	return NULL;
}

static void fill_trace_selector(builder *b, const struct polc_trace_spec *spec, uint32_t position,
	struct spec_tables *tables)
{
	const struct polc_trace_selector *s = &spec->selectors.items[position];

	tables->selectors[s->number] = (struct polb_bundle_trace_selector){
		.spec = spec->number,
		.position = position,
		.label = text(b, s->label),
		.line = line_of(b, s->span),
		.actions = s->action_mask,
		.return_actions = s->return_action_mask,
		.url = text(b, action_text(s, POLB_ACTION_GET_URL)),
		.fqdn = text(b, action_text(s, POLB_ACTION_DNS_LOOKUP)),
	};
}

/* What a test looks at, in the words of the documents. */
static const char *test_text(enum polc_trace_test_kind kind)
{
	switch (kind) {
	case POLC_TEST_INTERVALS:
	case POLC_TEST_MASK:
	case POLC_TEST_STRING:
	case POLC_TEST_FILE_TYPE:
	case POLC_TEST_ADDRESS:
	case POLC_TEST_PORT:
	case POLC_TEST_PROTOCOL:
	case POLC_TEST_FAMILY:
	case POLC_TEST_STATE:
	case POLC_TEST_CAPS_GAINED:
	case POLC_TEST_EXPRESSION:
		return "arguments";
	case POLC_TEST_PIDS:
		return "matchPIDs";
	case POLC_TEST_BINARY:
		return "matchBinaries";
	case POLC_TEST_NAMESPACE:
		return "matchNamespaces";
	case POLC_TEST_NAMESPACE_CHANGES:
		return "matchNamespaceChanges";
	case POLC_TEST_CAPABILITIES:
		return "matchCapabilities";
	case POLC_TEST_CAPABILITY_CHANGES:
		return "matchCapabilityChanges";
	case POLC_TEST_WORKLOAD:
		return "workload";
	}
	POLC_BUG("unknown test %d", (int)kind);
}

static struct polb_bundle_trace_condition workload_condition(
	builder *b, uint32_t workload, bool negate)
{
	const struct polc_trace_workload *w = &tracing_of(b)->workloads[workload];
	bool holds = w->selectors->host;

	return (struct polb_bundle_trace_condition){.kind = POLB_CONDITION_WORKLOAD,
		.flags =
			(negate ? POLB_CONDITION_NEGATED : 0u) | (holds ? POLB_CONDITION_HOST : 0u),
		.word = workload / 64,
		.bit = workload % 64};
}

static struct polb_bundle_trace_condition condition_of(
	builder *b, const struct polc_trace_test *test, const struct polc_trace_lookup *lookup)
{
	struct polb_bundle_trace_condition condition = {
		.kind = POLB_CONDITION_OTHER, .flags = test->negate ? POLB_CONDITION_NEGATED : 0};

	if (test->kind == POLC_TEST_WORKLOAD)
		condition = workload_condition(b, test->workload, test->negate);
	if (test->kind == POLC_TEST_BINARY) {
		condition.kind = POLB_CONDITION_BINARY;
		condition.flags |= (test->parent ? POLB_CONDITION_PARENT : 0u) |
				   (test->follow_children ? POLB_CONDITION_FOLLOWS : 0u);
		condition.word = lookup->domain;
		condition.bit = lookup->bit;
	}
	condition.text = text(b, test_text(test->kind));
	return condition;
}

static void add_conditions(
	builder *b, const struct polc_trace_spec *spec, struct spec_tables *tables)
{
	const struct polc_trace_policy *policy = &tracing_of(b)->policies[spec->policy];
	const struct polc_tracing_plan *plan = b->options->tracing;

	if (policy->has_workload) {
		struct polb_bundle_trace_condition all =
			workload_condition(b, policy->workload, false);

		all.spec = spec->number;
		all.selector = UINT32_MAX;
		all.text = text(b, "workload");
		*polc_vec_push(&b->polc->arena, &tables->conditions) = all;
	}
	for (size_t i = 0; i < spec->selectors.n; i++) {
		const struct polc_trace_selector *s = &spec->selectors.items[i];

		for (size_t t = 0; t < s->tests.n; t++) {
			struct polb_bundle_trace_condition one =
				condition_of(b, &s->tests.items[t], &plan->lookups[s->number][t]);

			one.spec = spec->number;
			one.selector = s->number;
			*polc_vec_push(&b->polc->arena, &tables->conditions) = one;
		}
	}
}

static void fill_spec(builder *b, const struct polc_trace_spec *spec, struct spec_tables *tables,
	struct polb_bundle_trace_spec *out)
{
	*out = (struct polb_bundle_trace_spec){
		.policy = spec->policy,
		.section = spec->section,
		.first_symbol = (__u32)tables->symbols.n,
		.n_symbols = (__u32)spec->symbols.n,
		.first_value = (__u32)tables->values.n,
		.n_values = (__u32)spec->values.n,
		.first_selector = spec->selectors.n ? spec->selectors.items[0].number : 0,
		.n_selectors = (__u32)spec->selectors.n,
		.message = text(b, spec->message),
		.first_tag = add_values(b, spec->tags.items, spec->tags.n),
		.n_tags = (__u32)spec->tags.n,
		.path = text(b, spec->path),
		.provider = text(b, spec->provider),
		.name = text(b, spec->name),
		.raw = spec->raw,
		.line = line_of(b, spec->span),
	};
	add_symbols(b, spec, tables);
	add_spec_values(b, spec, tables);
	for (uint32_t i = 0; i < spec->selectors.n; i++)
		fill_trace_selector(b, spec, i, tables);
	add_conditions(b, spec, tables);
}

static void fill_specs(builder *b)
{
	const struct polc_tracing *tracing = tracing_of(b);
	struct polb_bundle_trace_spec *out =
		POLC_BUNDLE_TABLE(b, tracing->n_specs, struct polb_bundle_trace_spec);
	struct spec_tables tables = {.selectors = POLC_BUNDLE_TABLE(b, tracing->n_selectors,
					     struct polb_bundle_trace_selector)};

	for (size_t i = 0; i < tracing->n_specs; i++)
		fill_spec(b, &tracing->specs[i], &tables, &out[i]);
	b->bundle.trace_specs = out;
	b->bundle.n_trace_specs = tracing->n_specs;
	b->bundle.trace_symbols = tables.symbols.items;
	b->bundle.n_trace_symbols = tables.symbols.n;
	b->bundle.trace_values = tables.values.items;
	b->bundle.n_trace_values = tables.values.n;
	b->bundle.trace_conditions = tables.conditions.items;
	b->bundle.n_trace_conditions = tables.conditions.n;
	b->bundle.trace_selectors = tables.selectors;
	b->bundle.n_trace_selectors = tracing->n_selectors;
}

/* ---- hooks ---- */

struct hook_tables {
	POLC_VEC(struct polb_bundle_trace_alternative) alternatives;
	POLC_VEC(struct polb_bundle_trace_program) programs;
};

static void add_program(builder *b, const struct polc_trace_program *p, struct hook_tables *tables)
{
	const char **digests = POLC_BUNDLE_TABLE(b, p->digests.n, const char *);

	for (size_t i = 0; i < p->digests.n; i++)
		digests[i] = polc_arena_strndup(
			&b->polc->arena, p->digests.items[i].bytes, p->digests.items[i].n);
	struct polb_bundle_trace_program out = {
		.name = text(b, p->name),
		.mechanism = p->mechanism,
		.target = text(b, p->target),
		.symbol = text(b, p->symbol),
		.offset = p->offset,
		.ref_ctr_offset = p->ref_ctr_offset,
		.n_arguments = p->n_arguments,
		.flags = p->flags,
		.same_as = text(b, p->same_as),
		.first_digest = add_values(b, digests, p->digests.n),
		.n_digests = (__u32)p->digests.n,
		.usdt = p->usdt,
	};
	*polc_vec_push(&b->polc->arena, &tables->programs) = out;
}

static void add_alternative(
	builder *b, const struct polc_trace_alternative *a, struct hook_tables *tables)
{
	struct polb_bundle_trace_alternative out = {
		.first_program = (__u32)tables->programs.n,
		.n_programs = a->n_programs,
		.reason = text(b, a->reason),
	};

	*polc_vec_push(&b->polc->arena, &tables->alternatives) = out;
	for (uint32_t i = 0; i < a->n_programs; i++)
		add_program(b, &a->programs[i], tables);
}

static void fill_hooks(builder *b)
{
	const struct polc_tracing_plan *plan = b->options->tracing;
	struct polb_bundle_trace_hook *out =
		POLC_BUNDLE_TABLE(b, plan->n_hooks, struct polb_bundle_trace_hook);
	struct hook_tables tables = {0};

	for (uint32_t i = 0; i < plan->n_hooks; i++) {
		const struct polc_trace_hook *hook = &plan->hooks[i];

		out[i] = (struct polb_bundle_trace_hook){
			.text = text(b, hook->text),
			.first_alternative = (__u32)tables.alternatives.n,
			.n_alternatives = hook->n_alternatives,
			.flags = hook->flags,
		};
		for (uint32_t j = 0; j < hook->n_alternatives; j++)
			add_alternative(b, &hook->alternatives[j], &tables);
	}
	b->bundle.trace_hooks = out;
	b->bundle.n_trace_hooks = plan->n_hooks;
	b->bundle.trace_alternatives = tables.alternatives.items;
	b->bundle.n_trace_alternatives = tables.alternatives.n;
	b->bundle.trace_programs = tables.programs.items;
	b->bundle.n_trace_programs = tables.programs.n;
}

/* ---- workloads ---- */

struct cgroup_tables {
	POLC_VEC(struct polb_bundle_trace_cgroup) cgroups;
	POLC_VEC(__u64) words;
};

static void add_words(builder *b, const struct polb_workload *w, struct cgroup_tables *tables)
{
	const struct polc_tracing *tracing = tracing_of(b);

	for (uint32_t word = 0; word < b->options->tracing->workload_words; word++) {
		__u64 bits = 0;

		for (size_t i = (size_t)word * 64; i < tracing->n_workloads && i / 64 == word; i++)
			if (polb_workload_holds(&tracing->workloads[i].match, w) > 0)
				bits |= UINT64_C(1) << i % 64;
		*polc_vec_push(&b->polc->arena, &tables->words) = bits;
	}
}

static void add_cgroup(builder *b, const struct polc_pod *pod,
	const struct polc_container *container, const char *cgroup, __u32 first_label,
	struct cgroup_tables *tables)
{
	const struct polb_workload w = {
		.namespace = pod->namespace,
		.labels_known = true,
		.container_known = true,
		.labels = pod->labels.items,
		.n_labels = pod->labels.n,
		.container = container ? container->name : NULL,
		.image = container ? container->image : NULL,
	};
	struct polb_bundle_trace_cgroup out = {
		.cgroup = text(b, cgroup),
		.container_id = text(b, !cgroup && container ? container->id : NULL),
		.namespace = text(b, pod->namespace),
		.pod = text(b, pod->name),
		.container = text(b, container ? container->name : NULL),
		.image = text(b, container ? container->image : NULL),
		.first_word = (__u32)tables->words.n,
		.first_label = first_label,
		.n_labels = (__u32)pod->labels.n,
	};

	add_words(b, &w, tables);
	*polc_vec_push(&b->polc->arena, &tables->cgroups) = out;
}

static __u32 add_labels(builder *b, const struct polc_pod *pod)
{
	__u32 first = (__u32)b->labels.n;

	for (size_t i = 0; i < pod->labels.n; i++) {
		struct polb_bundle_label label = {
			.source = text(b, pod->labels.items[i].source),
			.key = text(b, pod->labels.items[i].key),
			.value = text(b, pod->labels.items[i].value),
		};

		*polc_vec_push(&b->polc->arena, &b->labels) = label;
	}
	return first;
}

/* A pod's own cgroup first: those of its containers are below it and say more. */
static void add_pod(builder *b, const struct polc_pod *pod, struct cgroup_tables *tables)
{
	bool known = pod->cgroup != NULL;

	for (size_t i = 0; i < pod->containers.n; i++)
		known |= pod->containers.items[i].id || pod->containers.items[i].cgroup;
	if (!known || pod->finished)
		return;
	__u32 first_label = add_labels(b, pod);
	if (pod->cgroup)
		add_cgroup(b, pod, NULL, pod->cgroup, first_label, tables);
	for (size_t i = 0; i < pod->containers.n; i++) {
		const struct polc_container *c = &pod->containers.items[i];

		if (c->id || c->cgroup)
			add_cgroup(b, pod, c, c->cgroup, first_label, tables);
	}
}

static void fill_cgroups(builder *b)
{
	const struct polc_inventory *inventory = b->options->inventory;
	struct cgroup_tables tables = {0};

	for (size_t i = 0; inventory && i < inventory->pods.n; i++)
		add_pod(b, &inventory->pods.items[i], &tables);
	b->bundle.trace_cgroups = tables.cgroups.items;
	b->bundle.n_trace_cgroups = tables.cgroups.n;
	b->bundle.trace_words = tables.words.items;
	b->bundle.n_trace_words = tables.words.n;
}

/* For workloads that appear later: what the words above say, for the node to find out. */
static void fill_workloads(builder *b)
{
	const struct polc_tracing *tracing = tracing_of(b);
	struct polb_bundle_trace_workload *out = POLC_NEW_ARRAY(
		&b->polc->arena, tracing->n_workloads + 1, struct polb_bundle_trace_workload);

	for (size_t i = 0; i < tracing->n_workloads; i++) {
		const struct polb_workload_selector *s = &tracing->workloads[i].match;
		__u32 first_pod = polc_bundle_requirements(b, s->pods, s->n_pods);
		__u32 first_container = polc_bundle_requirements(b, s->containers, s->n_containers);

		out[i] = (struct polb_bundle_trace_workload){
			.namespace = text(b, s->namespace),
			.flags = (s->has_pods ? POLB_WORKLOAD_PODS : 0u) |
				 (s->has_containers ? POLB_WORKLOAD_CONTAINERS : 0u) |
				 (s->host ? POLB_WORKLOAD_HOST : 0u),
			.first_pod = first_pod,
			.n_pods = (__u32)s->n_pods,
			.first_container = first_container,
			.n_containers = (__u32)s->n_containers,
		};
	}
	b->bundle.trace_workloads = out;
	b->bundle.n_trace_workloads = tracing->n_workloads;
}

void polc_bundle_fill_tracing(builder *b)
{
	const struct polc_tracing_plan *plan = b->options->tracing;
	struct polb_bundle *out = &b->bundle;

	fill_policies(b);
	fill_specs(b);
	fill_hooks(b);
	fill_cgroups(b);
	fill_workloads(b);
	out->trace_strings = plan->strings.strings.items;
	out->n_trace_strings = plan->strings.strings.n;
	out->trace_bytes = plan->strings.bytes.items;
	out->n_trace_bytes = plan->strings.bytes.n;
	out->trace_automata = plan->strings.automata.items;
	out->n_trace_automata = plan->strings.automata.n;
	out->trace_intervals = plan->intervals.items;
	out->n_trace_intervals = plan->intervals.n;
	out->trace_nets = plan->nets.items;
	out->n_trace_nets = plan->nets.n;
	out->manifest.binary_words = plan->binary_words;
	out->manifest.workload_words = plan->workload_words;
	out->manifest.n_trace_selectors = tracing_of(b)->n_selectors;
	out->manifest.string_seed = plan->strings.seed;
}
