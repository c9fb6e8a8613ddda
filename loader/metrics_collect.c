/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One collection: every bundle in force, then what is said of the node. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "maps.h"
#include "metrics.h"
#include "runtime/cleanup.h"
#include "trace.h"

#define NETWORK_HOOKS (POLB_HOOK_CGROUP | POLB_HOOK_TC | POLB_HOOK_XDP)

struct of_bundle {
	struct pold_metrics *metrics;
	const char *bundle;
};

static void add_program(void *context, const char *hook, const struct pold_program *program)
{
	const struct of_bundle *p = context;
	const struct bpf_prog_info *info = &program->info;
	const char *const *labels =
		POLD_LABELS("bundle", p->bundle, "program", info->name, "hook", hook);

	pold_metrics_add(p->metrics, POLD_METRIC_INSTRUCTIONS, labels, info->xlated_prog_len / 8);
	if (info->verified_insns) /* since 5.16 */
		pold_metrics_add(p->metrics, POLD_METRIC_VERIFIED, labels, info->verified_insns);
	if (program->has_misses)
		pold_metrics_add(p->metrics, POLD_METRIC_MISSES, labels, info->recursion_misses);
	pold_metrics_add(p->metrics, POLD_METRIC_RUNS, labels, info->run_cnt);
	pold_metrics_add_ratio(
		p->metrics, POLD_METRIC_RUN_SECONDS, labels, (double)info->run_time_ns / 1e9);
	if (!p->metrics->tetragon)
		return;
	labels = POLD_LABELS("policy", p->bundle, "policy_namespace", "", "sensor", "polc",
		"attach", hook, "section", info->name);
	pold_metrics_add(p->metrics, POLD_METRIC_T_RUNS, labels, info->run_cnt);
	pold_metrics_add_ratio(
		p->metrics, POLD_METRIC_T_RUN_SECONDS, labels, (double)info->run_time_ns / 1e9);
	if (program->has_misses)
		pold_metrics_add(p->metrics, POLD_METRIC_T_MISSED_PROGRAM,
			POLD_LABELS("attach", hook, "policy", p->bundle), info->recursion_misses);
}

static void add_map(void *context, const struct pold_map *map)
{
	const struct of_bundle *p = context;
	const char *const *labels = POLD_LABELS("bundle", p->bundle, "map", map->name);

	pold_metrics_add(p->metrics, POLD_METRIC_MAP_BYTES, labels, map->memory_bytes);
	if (!map->is_counted)
		return;
	pold_metrics_add(p->metrics, POLD_METRIC_MAP_ENTRIES, labels, map->entries);
	pold_metrics_add(p->metrics, POLD_METRIC_MAP_CAPACITY, labels, map->room);
	if (!p->metrics->tetragon)
		return;
	pold_metrics_add(p->metrics, POLD_METRIC_T_MAP_ENTRIES, labels, map->entries);
	pold_metrics_add(p->metrics, POLD_METRIC_T_MAP_CAPACITY, labels, map->room);
}

static void add_info(struct pold_metrics *metrics, const struct pold_state *state)
{
	const struct polb_bundle *b = &state->bundle;
	char digest[65];
	double left_s;

	for (int i = 0; i < 32; i++)
		snprintf(digest + 2 * i, 3, "%02x", b->digest[i]);
	pold_metrics_add(metrics, POLD_METRIC_INFO,
		POLD_LABELS("bundle", state->name, "digest", digest, "polc_version",
			polb_bundle_string(b, b->manifest.polc_version), "node",
			state->archive->node),
		1);
	pold_metrics_add(metrics, POLD_METRIC_GENERATION, POLD_LABELS("bundle", state->name),
		state->generation);
	pold_metrics_add_ratio(metrics, POLD_METRIC_APPLIED, POLD_LABELS("bundle", state->name),
		(double)state->archive->applied_ns / 1e9);
	if (pold_returns_in(state, &left_s))
		pold_metrics_add_ratio(
			metrics, POLD_METRIC_RETURNS, POLD_LABELS("bundle", state->name), left_s);
}

static int add_state(struct pold_metrics *metrics, const struct pold_state *state)
{
	struct of_bundle of = {metrics, state->name};
	uint32_t hooks = state->bundle.manifest.hooks;
	int err = 0;

	add_info(metrics, state);
	if (hooks & NETWORK_HOOKS)
		err = pold_metrics_network(metrics, state);
	if (!err && (hooks & POLB_HOOK_TRACE))
		err = pold_metrics_trace(metrics, state);
	pold_programs_each(state, add_program, &of);
	return err ? err : pold_maps_each(state, add_map, &of);
}

/* One that cannot be read does not hide the others. */
static void add_bundle(struct pold_metrics *metrics, const char *name)
{
	POLD_STATE state = POLD_STATE_INIT;
	int err = pold_state_open(&state, name, false);

	if (!err)
		err = add_state(metrics, &state);
	pold_metrics_add(metrics, POLD_METRIC_READABLE, POLD_LABELS("bundle", name), !err);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void add_tetragon(struct pold_metrics *metrics)
{
	pold_metrics_add(metrics, POLD_METRIC_T_BUILD,
		POLD_LABELS("commit", "", "go_version", "", "modified", "false", "time", "",
			"version", "polc-" POLC_VERSION),
		1);
	pold_metrics_add(metrics, POLD_METRIC_T_LOADED, POLD_LABELS("state", "enabled"),
		metrics->tetragon_policies);
	pold_metrics_add(metrics, POLD_METRIC_T_MISSED,
		POLD_LABELS("error", "ENOSPC", "msg_op", "13"), metrics->tetragon_lost);
	for (int i = 0; i < 3; i++)
		pold_metrics_add(metrics, POLD_METRIC_T_LOADED,
			POLD_LABELS("state",
				((const char *const[]){"disabled", "error", "load_error"})[i]),
			0);
}

int pold_metrics_collect(struct pold_metrics *metrics, const char *name)
{
	POLB_FREE struct pold_name *names = NULL;
	double start = now();
	size_t n = 0;
	int err = name ? 0 : pold_names(&names, &n);

	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot list the bundles: %s", strerror(-err));
	pold_metrics_add(metrics, POLD_METRIC_BUILD, POLD_LABELS("version", POLC_VERSION), 1);
	pold_metrics_add(metrics, POLD_METRIC_BUNDLES, NULL, name ? 1 : n);
	if (name)
		add_bundle(metrics, name);
	for (size_t i = 0; i < n; i++)
		add_bundle(metrics, names[i].text);
	if (metrics->tetragon)
		add_tetragon(metrics);
	pold_metrics_add_ratio(metrics, POLD_METRIC_DURATION, NULL, now() - start);
	return POLD_OK;
}
