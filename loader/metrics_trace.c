/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Metrics of tracing policies: the selectors' counters summed by policy, modes, hooks. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "metrics.h"
#include "runtime/cleanup.h"
#include "runtime/trace_tables.h"
#include "trace.h"

struct view {
	struct pold_metrics *metrics;
	const struct pold_state *state;
	const struct polb_bundle *b;
	const struct polb_trace_counter *counters;
	struct polb_trace_counter *sums; /* by policy; the last one: of no single policy */
};

static void add(struct polb_trace_counter *to, const struct polb_trace_counter *from)
{
#define X(member, heading) to->member += from->member;
	POLD_TRACE_COUNTERS(X)
#undef X
}

static const char *policy_name(const struct view *v, size_t policy)
{
	return policy < v->b->n_trace_policies
		       ? polb_bundle_string(v->b, v->b->trace_policies[policy].name)
		       : "";
}

static const char *policy_namespace(const struct view *v, size_t policy)
{
	return policy < v->b->n_trace_policies
		       ? polb_bundle_string(v->b, v->b->trace_policies[policy].namespace)
		       : "";
}

static void sum_policies(const struct view *v)
{
	const struct polb_bundle *b = v->b;

	for (size_t i = 0; i < b->n_trace_selectors; i++)
		add(&v->sums[b->trace_specs[b->trace_selectors[i].spec].policy], &v->counters[i]);
	add(&v->sums[pold_trace_policy_of_others(b)], &v->counters[b->n_trace_selectors]);
}

static void add_counters(const struct view *v, size_t policy)
{
	const char *const *labels = POLD_LABELS("bundle", v->state->name, "policy_namespace",
		policy_namespace(v, policy), "policy", policy_name(v, policy));
	const struct polb_trace_counter *sum = &v->sums[policy];

#define X(member, heading)                                                                         \
	pold_metrics_add(v->metrics, POLD_METRIC_TRACE_##member, labels, sum->member);
	POLD_TRACE_COUNTERS(X)
#undef X
}

static int add_policies(const struct view *v)
{
	POLB_FD fd = pold_state_map(v->state, "polt_policies");
	size_t n = v->b->n_trace_policies;

	for (__u32 i = 0; i < n; i++) {
		const char *const *labels = POLD_LABELS("bundle", v->state->name, "kind",
			polb_bundle_string(v->b, v->b->trace_policies[i].kind), "policy_namespace",
			policy_namespace(v, i), "policy", policy_name(v, i));
		struct polb_trace_policy_state state;

		add_counters(v, i);
		if (fd < 0 || bpf_map_lookup_elem(fd, &i, &state))
			return fd < 0 ? fd : -errno;
		pold_metrics_add(v->metrics, POLD_METRIC_POLICY_AUDIT, labels,
			state.mode != POLB_MODE_ENFORCE);
	}
	if (pold_trace_counter_saw(&v->sums[n]))
		add_counters(v, n);
	return 0;
}

static void add_hooks(const struct view *v)
{
	POLB_FD fd = pold_state_map(v->state, "trace_hooks");
	struct pold_trace_hook hook;

	for (__u32 i = 0; fd >= 0 && i < v->b->n_trace_hooks; i++)
		if (bpf_map_lookup_elem(fd, &i, &hook) == 0)
			pold_metrics_add(v->metrics, POLD_METRIC_HOOK_PLACES,
				POLD_LABELS("bundle", v->state->name, "hook",
					polb_bundle_string(v->b, v->b->trace_hooks[i].text)),
				hook.links);
}

/* --- Tetragon's names ------------------------------------------------------------------------- */

/* "kprobe:security_file_open", "tracepoint:sched:sched_switch", "uprobe:/bin/bash:readline". */
static void hook_text(
	const struct view *v, const struct polb_bundle_trace_spec *spec, char *out, size_t size)
{
	static const char *const sections[] = {
		"kprobe", "kprobe", "tracepoint", "lsm", "uprobe", "usdt"};
	const char *section = spec->section < sizeof(sections) / sizeof(sections[0])
				      ? sections[spec->section]
				      : "other";
	const char *path = polb_bundle_string(v->b, spec->path);
	const char *symbol = spec->n_symbols ? polb_bundle_string(v->b,
						       v->b->trace_symbols[spec->first_symbol].name)
					     : polb_bundle_string(v->b, spec->name);
	char *slash;

	snprintf(out, size, "%s:%s%s%s%s", section, path, *path ? ":" : "", symbol,
		spec->n_symbols > 1 ? ",..." : "");
	slash = strcmp(section, "tracepoint") == 0 ? strchr(out, '/') : NULL;
	if (slash)
		*slash = ':';
}

static void add_tetragon_policy(const struct view *v, size_t policy)
{
	const struct polb_bundle *b = v->b;

	for (size_t i = 0; i < b->n_trace_specs; i++) {
		const struct polb_bundle_trace_spec *spec = &b->trace_specs[i];
		uint64_t posted = 0;
		char hook[512];

		if (spec->policy != policy)
			continue;
		for (__u32 s = 0; s < spec->n_selectors; s++)
			posted += v->counters[spec->first_selector + s].posted;
		hook_text(v, spec, hook, sizeof(hook));
		pold_metrics_add(v->metrics, POLD_METRIC_T_POLICY_EVENTS,
			POLD_LABELS("policy", policy_name(v, policy), "hook", hook, "binary", "",
				"namespace", policy_namespace(v, policy), "pod", "", "workload",
				""),
			posted);
	}
}

static void add_tetragon(const struct view *v)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < v->b->n_trace_policies; i++)
		add_tetragon_policy(v, i);
	for (size_t i = 0; i <= v->b->n_trace_policies; i++)
		lost += v->sums[i].lost;
	v->metrics->tetragon_lost += lost;
	v->metrics->tetragon_policies += v->b->n_trace_policies;
}

int pold_metrics_trace(struct pold_metrics *metrics, const struct pold_state *state)
{
	POLB_FREE struct polb_trace_counter *counters = NULL;
	POLB_FREE struct polb_trace_counter *sums =
		calloc(state->bundle.n_trace_policies + 1, sizeof(*sums));
	struct view view = {.metrics = metrics, .state = state, .b = &state->bundle, .sums = sums};
	uint32_t n;
	int err = sums ? pold_trace_counters_read(state, &counters, &n) : -ENOMEM;

	if (err)
		return err;
	view.counters = counters;
	sum_policies(&view);
	err = add_policies(&view);
	add_hooks(&view);
	if (metrics->tetragon)
		add_tetragon(&view);
	return err;
}
