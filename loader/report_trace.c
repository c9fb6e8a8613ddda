/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What tracing policies in audit mode would have done: their selectors' counters. */
#include "report.h"

#include <stdio.h>
#include <string.h>

#include "runtime/cleanup.h"
#include "runtime/trace_tables.h"
#include "trace.h"

static bool is_wanted(const struct pold_options *options, const struct polb_bundle *b, __u32 policy)
{
	const struct pold_event_options *e = &options->events;
	char text[512];

	polb_trace_policy_text(b, policy, text, sizeof(text));
	for (uint32_t i = 0; i < e->n_policies; i++)
		if (strcmp(text, e->policies[i]) == 0 ||
			strcmp(polb_bundle_string(b, b->trace_policies[policy].name),
				e->policies[i]) == 0)
			return true;
	return e->n_policies == 0;
}

/* "sigkill, override": those of the selector's actions that monitor mode holds back. */
static const char *actions_text(const struct polb_bundle_trace_selector *selector)
{
	__u64 actions = selector->actions | selector->return_actions;
	bool overrides = actions & (1u << POLB_ACTION_OVERRIDE | 1u << POLB_ACTION_NOTIFY_ENFORCER);
	bool signals = actions & (1u << POLB_ACTION_SIGKILL | 1u << POLB_ACTION_SIGNAL);

	if (overrides && signals)
		return "signal and override";
	return overrides ? "override" : signals ? "signal" : "enforcement";
}

static void add(
	struct pold_report *report, const struct polb_bundle *b, size_t number, uint64_t count)
{
	const struct polb_bundle_trace_selector *selector = &b->trace_selectors[number];
	const struct polb_bundle_trace_spec *spec = &b->trace_specs[selector->spec];
	char policy[512], text[1024];
	struct pold_held *held = pold_list_push(&report->pool, &report->held);

	polb_trace_policy_text(b, spec->policy, policy, sizeof(policy));
	snprintf(text, sizeof(text), "%s, %s, selector %u (line %u)", policy,
		spec->n_symbols ? polb_bundle_string(b, b->trace_symbols[spec->first_symbol].name)
				: polb_bundle_string(b, spec->path),
		selector->position, selector->line);
	held->policy = pold_pool_text(&report->pool, text, strlen(text));
	held->actions = actions_text(selector);
	held->count = count;
}

int pold_report_held(struct pold_report *report, const struct pold_options *options,
	const struct pold_state *state)
{
	const struct polb_bundle *b = &state->bundle;
	POLB_FREE struct polb_trace_counter *counters = NULL;
	uint32_t n = 0;
	int err;

	if (!(b->manifest.hooks & POLB_HOOK_TRACE))
		return 0;
	err = pold_trace_counters_read(state, &counters, &n);
	for (size_t i = 0; !err && i < b->n_trace_selectors; i++)
		if (counters[i].monitored &&
			is_wanted(options, b, b->trace_specs[b->trace_selectors[i].spec].policy))
			add(report, b, i, counters[i].monitored);
	return err;
}
