/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* polload apply and remove as people run them: many identities, and a bundle as nodes have it. */
#include "bench.h"

#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TYPICAL_POLICIES = 50, TYPICAL_ENDPOINTS = 30, TYPICAL_PEERS = 500 };

static const struct bench_tools *tools;
static char cgroup[400], policies[500], inventory[500], bundle[500];

/* An empty cgroup below the cgroup2 mount (on hybrid hosts it is not /sys/fs/cgroup itself). */
static bool make_cgroup(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *mount = NULL;

	while (mounts && (mount = getmntent(mounts)) && strcmp(mount->mnt_type, "cgroup2"))
		;
	if (mount)
		snprintf(cgroup, sizeof(cgroup), "%s/polc-bench", mount->mnt_dir);
	if (mounts)
		endmntent(mounts);
	return mount && (!mkdir(cgroup, 0755) || !access(cgroup, F_OK));
}

/* Those of the endpoints of a typical node, below it. */
static void each_cgroup(int (*call)(const char *path))
{
	char path[500];

	for (int i = 0; i < TYPICAL_ENDPOINTS; i++) {
		snprintf(path, sizeof(path), "%s/e%d", cgroup, i);
		call(path);
	}
}

static int make_directory(const char *path)
{
	return mkdir(path, 0755);
}

static void remove_bundle(void)
{
	char *remove[] = {
		(char *)(uintptr_t)tools->polload, "remove", "--name", "polc-bench", NULL};

	bench_run(remove);
}

static void apply_bundle(void)
{
	char *apply[] = {(char *)(uintptr_t)tools->polload, "apply", bundle, "--name", "polc-bench",
		"--node", "local", NULL};

	bench_run(apply);
}

static bool write_files(
	void (*write_policies)(struct polc_buf *out), void (*write_inventory)(struct polc_buf *out))
{
	struct polc_arena arena = {0};
	struct polc_buf text = {.arena = &arena}, pods = {.arena = &arena};
	bool ok;

	snprintf(policies, sizeof(policies), "%s/apply.yaml", tools->work);
	snprintf(inventory, sizeof(inventory), "%s/apply-inventory.yaml", tools->work);
	snprintf(bundle, sizeof(bundle), "%s/apply.o", tools->work);
	write_policies(&text);
	write_inventory(&pods);
	ok = bench_write(policies, &text) && bench_write(inventory, &pods);
	polc_arena_free(&arena);
	return ok;
}

static struct bench_run build(void)
{
	char *argv[] = {(char *)(uintptr_t)tools->polc, "build", policies, "--inventory", inventory,
		"-o", bundle, NULL};

	return bench_run(argv);
}

static const struct bench_set many = {
	100, 100000, 10, ", annotations: {polc.dev/cgroup: polc-bench}"};

static void many_policies(struct polc_buf *out)
{
	bench_policies(&many, out);
}

static void many_identities(struct polc_buf *out)
{
	bench_inventory(&many, out);
}

static void bench_many(void)
{
	char *apply[] = {(char *)(uintptr_t)tools->polload, "apply", bundle, "--name", "polc-bench",
		"--node", "local", NULL};

	if (!write_files(many_policies, many_identities))
		return;
	bench_result("build.100k_identities", build().seconds, "s", 0, "100 rules, one run");
	if (bench_time_command("apply.100k_identities", 0.5,
		    "polload apply, 100 rules, one endpoint", apply, remove_bundle)) {
		remove_bundle();
		bench_result("apply.100k_identities.rss", bench_run(apply).resident_mb, "MB", 64,
			"peak resident memory of polload");
	}
	remove_bundle();
}

/* Each of an endpoint's app: a few sources and ports; and three hooks that every kernel has. */
static void typical_policies(struct polc_buf *out)
{
	static const char *const hooks[] = {"raw_syscalls", "sys_enter", "sched",
		"sched_process_exit", "signal", "signal_generate"};

	for (int i = 0; i < TYPICAL_POLICIES; i++)
		polc_buf_printf(out,
			"---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: "
			"{name: "
			"p%d, namespace: bench}, spec: {podSelector: {matchLabels: {app: e%d}}, "
			"ingress: "
			"[{from: [{podSelector: {matchLabels: {app: p%d}}}, {ipBlock: {cidr: "
			"10.%d.0.0/16}}], ports: [{protocol: TCP, port: %d}]}], egress: [{to: "
			"[{podSelector: {matchLabels: {app: p%d}}}]}, {ports: [{protocol: UDP, "
			"port: "
			"53}]}]}}\n",
			i, i % TYPICAL_ENDPOINTS, i % 40, i, 8000 + i, (i + 7) % 40);
	for (int i = 0; i < 3; i++)
		polc_buf_printf(out,
			"---\n{apiVersion: cilium.io/v1alpha1, kind: TracingPolicy, metadata: "
			"{name: "
			"t%d}, spec: {tracepoints: [{subsystem: %s, event: %s, selectors: "
			"[{matchBinaries: [{operator: In, values: [/no/such/program]}]}]}]}}\n",
			i, hooks[2 * i], hooks[2 * i + 1]);
}

static void typical_pods(struct polc_buf *out)
{
	polc_buf_puts(out, "---\n{apiVersion: v1, kind: Namespace, metadata: {name: bench}}\n");
	for (int i = 0; i < TYPICAL_ENDPOINTS; i++)
		polc_buf_printf(out,
			"---\n{apiVersion: v1, kind: Pod, metadata: {name: e%d, namespace: bench, "
			"labels: {app: e%d}, annotations: {polc.dev/cgroup: polc-bench/e%d}}, "
			"spec: "
			"{nodeName: local}, status: {podIP: 10.200.0.%d}}\n",
			i, i, i, i + 1);
	for (int i = 0; i < TYPICAL_PEERS; i++)
		polc_buf_printf(out,
			"---\n{apiVersion: v1, kind: Pod, metadata: {name: p%d, namespace: bench, "
			"labels: {app: p%d}}, spec: {nodeName: other}, status: {podIP: "
			"10.201.%d.%d}}\n",
			i, i % 40, i / 250, i % 250 + 1);
}

static void bench_typical(void)
{
	char *apply[] = {(char *)(uintptr_t)tools->polload, "apply", bundle, "--name", "polc-bench",
		"--node", "local", NULL};
	char *remove[] = {
		(char *)(uintptr_t)tools->polload, "remove", "--name", "polc-bench", NULL};

	if (!write_files(typical_policies, typical_pods))
		return;
	if (build().status) {
		bench_skip("apply.typical", "cannot build its bundle");
		return;
	}
	each_cgroup(make_directory);
	if (bench_time_command("apply.typical", 0.1,
		    "polload apply, 50 policies, 30 endpoints, 3 tracing hooks", apply,
		    remove_bundle))
		bench_time_command(
			"apply.remove", 0, "polload remove, likewise", remove, apply_bundle);
	bench_sync(tools, bundle);
	remove_bundle();
	each_cgroup(rmdir);
}

void bench_apply(const struct bench_tools *all)
{
	tools = all;
	if (geteuid()) {
		bench_skip("apply", "needs root");
		return;
	}
	if (!make_cgroup()) {
		bench_skip("apply", "no cgroup2 to make an endpoint in");
		return;
	}
	bench_many();
	bench_typical();
	rmdir(cgroup);
}
