/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Events that the programs could not or, over a policy's rate, were not to send: the selectors'
 * per-CPU counters summed by policy.
 */
#include "events.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cleanup.h"
#include "trace.h"

struct count {
	uint64_t lost, over_limit;
};
struct pold_loss {
	const struct polb_bundle *bundle;
	int counters_fd, cpus;
	struct polb_trace_counter *values; /* by CPU */
	struct count *start, *told, *now;  /* by policy; the last one: see `others` */
	/*
	 * Specs without selectors share one counter, behind the selectors'. Its policy, when there
	 * is only one that has such specs; n_trace_policies otherwise.
	 */
	size_t others;
};

void pold_loss_free(struct pold_loss *loss)
{
	if (!loss)
		return;
	polb_cleanup_fd(&loss->counters_fd);
	free(loss->values);
	free(loss->start);
	free(loss->told);
	free(loss->now);
	free(loss);
}

static void count_one(struct pold_loss *loss, uint32_t number, size_t policy)
{
	struct count *count = &loss->now[policy];

	if (bpf_map_lookup_elem(loss->counters_fd, &number, loss->values))
		return;
	for (int cpu = 0; cpu < loss->cpus; cpu++) {
		count->lost += loss->values[cpu].lost;
		count->over_limit += loss->values[cpu].over_limit;
	}
}

static void count_all(struct pold_loss *loss)
{
	const struct polb_bundle *b = loss->bundle;

	memset(loss->now, 0, (b->n_trace_policies + 1) * sizeof(*loss->now));
	for (uint32_t i = 0; i < b->n_trace_selectors; i++)
		count_one(loss, i, b->trace_specs[b->trace_selectors[i].spec].policy);
	count_one(loss, b->manifest.n_trace_selectors, loss->others);
}

struct pold_loss *pold_loss_new(const struct pold_state *state)
{
	POLB_FD fd = pold_state_map(state, "polt_trace_counters");
	int cpus = libbpf_num_possible_cpus();
	size_t n = state->bundle.n_trace_policies + 1;
	struct pold_loss *loss;

	if (fd < 0 || cpus <= 0)
		return NULL;
	loss = calloc(1, sizeof(*loss));
	if (!loss)
		return NULL;
	*loss = (struct pold_loss){.bundle = &state->bundle,
		.counters_fd = -1,
		.cpus = cpus,
		.others = pold_trace_policy_of_others(&state->bundle)};
	loss->values = calloc((size_t)cpus, sizeof(*loss->values));
	loss->start = calloc(n, sizeof(*loss->start));
	loss->told = calloc(n, sizeof(*loss->told));
	loss->now = calloc(n, sizeof(*loss->now));
	if (!loss->values || !loss->start || !loss->told || !loss->now) {
		pold_loss_free(loss);
		return NULL;
	}
	loss->counters_fd = polb_take_fd(&fd);
	count_all(loss);
	memcpy(loss->start, loss->now, n * sizeof(*loss->now));
	memcpy(loss->told, loss->now, n * sizeof(*loss->now));
	return loss;
}

void pold_loss_each(struct pold_loss *loss,
	void (*call)(void *context, const struct pold_lost *lost), void *context)
{
	const struct polb_bundle *b;

	if (!loss)
		return;
	b = loss->bundle;
	count_all(loss);
	for (size_t i = 0; i <= b->n_trace_policies; i++) {
		const struct count *now = &loss->now[i], *start = &loss->start[i];
		struct count *told = &loss->told[i];
		struct pold_lost lost = {
			.namespace = "",
			.policy = "(specs without selectors)",
			.lost = now->lost - told->lost,
			.over_limit = now->over_limit - told->over_limit,
			.lost_total = now->lost - start->lost,
			.over_limit_total = now->over_limit - start->over_limit,
		};

		if (i < b->n_trace_policies) {
			lost.namespace = polb_bundle_string(b, b->trace_policies[i].namespace);
			lost.policy = polb_bundle_string(b, b->trace_policies[i].name);
		}
		*told = *now;
		if (lost.lost || lost.over_limit)
			call(context, &lost);
	}
}

static void loss_json(struct polb_text *out, const char *bundle, const struct pold_lost *lost,
	const char *node, int64_t wall_ns)
{
	char when[POLB_TIME_TEXT];

	polb_time_text(wall_ns, when);
	polb_json_open(out, NULL, '{');
	polb_json_open(out, "polc_loss", '{');
	polb_json_cstring(out, "bundle", bundle);
	if (*lost->namespace)
		polb_json_cstring(out, "policy_namespace", lost->namespace);
	polb_json_cstring(out, "policy_name", lost->policy);
	polb_json_unsigned64(out, "lost", lost->lost);
	polb_json_unsigned64(out, "over_limit", lost->over_limit);
	polb_json_unsigned64(out, "lost_total", lost->lost_total);
	polb_json_unsigned64(out, "over_limit_total", lost->over_limit_total);
	polb_json_close(out, '{');
	polb_json_cstring(out, "node_name", node);
	polb_json_cstring(out, "time", when);
	polb_json_close(out, '{');
}

void pold_loss_line(struct polb_text *out, const char *bundle, const struct pold_lost *lost,
	const char *node, int64_t wall_ns, bool json)
{
	if (json) {
		loss_json(out, bundle, lost, node, wall_ns);
		return;
	}
	if (lost->lost)
		polb_text_printf(out, "lost %llu events of policy %s in %s",
			(unsigned long long)lost->lost, lost->policy, bundle);
	if (lost->over_limit)
		polb_text_printf(out, "%s%llu events of policy %s in %s were over its rate",
			lost->lost ? "; " : "", (unsigned long long)lost->over_limit, lost->policy,
			bundle);
}
