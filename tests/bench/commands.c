// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The commands as people run them: wall clock and resident memory of whole processes.
#include "bench.h"

#include <fcntl.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_ROUNDS = 5 };

struct bench_run bench_run(char *const argv[])
{
	struct rusage usage;
	double start = bench_now();
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		if (!getenv("BENCH_VERBOSE"))
			dup2(null, 2);
		execv(argv[0], argv);
		_exit(127);
	}
	wait4(child, &status, 0, &usage);
	return (struct bench_run){bench_now() - start, (double)usage.ru_maxrss / 1024,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128};
}

/* Median of several runs, reported; false (and said) when one failed. */
bool bench_time_command(
	const char *name, double budget, const char *note, char *const argv[], void (*before)(void))
{
	struct bench_sample sample = {.n = COMMAND_ROUNDS};

	for (unsigned i = 0; i < COMMAND_ROUNDS; i++) {
		if (before)
			before();
		struct bench_run run = bench_run(argv);

		if (run.status) {
			char why[64];

			snprintf(why, sizeof(why), "failed with status %d", run.status);
			bench_skip(name, why);
			return false;
		}
		sample.values[i] = run.seconds;
	}
	bench_result(name, bench_median(&sample), "s", budget, note);
	return true;
}

static char work[256], polc[512], polload[512], policies[512], inventory[512], bundle[512];

static void work_path(char out[512], const char *name)
{
	snprintf(out, 512, "%s/%s", work, name);
}

static bool write_set(const struct bench_set *set)
{
	struct polc_arena arena = {0};
	struct polc_buf text = {.arena = &arena}, pods = {.arena = &arena};

	work_path(policies, "policies.yaml");
	work_path(inventory, "inventory.yaml");
	work_path(bundle, "bundle.o");
	bench_policies(set, &text);
	bench_inventory(set, &pods);
	bool ok = bench_write(policies, &text) && bench_write(inventory, &pods);

	polc_arena_free(&arena);
	return ok;
}

static void empty_cache(void)
{
	char command[600];

	snprintf(command, sizeof(command), "rm -rf %s/cache", work);
	if (system(command))
		fprintf(stderr, "bench: cannot empty the cache\n");
}

static void bench_compiler(void)
{
	static const struct bench_set set = {1000, 10000, 1, ""};
	char *check[] = {polc, "check", policies, NULL};
	char *build[] = {polc, "build", policies, "--inventory", inventory, "-o", bundle, NULL};

	if (!write_set(&set))
		return;
	bench_time_command("check.1000_policies", 0.5, "polc check, no inventory", check, NULL);
	bench_time_command(
		"build.1000_policies.cold", 3, "10,000 identities, clang runs", build, empty_cache);
	bench_time_command("build.1000_policies.data_only", 0.5, "10,000 identities, object cached",
		build, NULL);
}

/* Isolated namespaces of ten workloads in a chain, each connected to the next, all open to DNS. */
static void add_namespace(
	unsigned number, unsigned replicas, struct polc_buf *pods, struct polc_buf *rules)
{
	static const char head[] = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n";

	polc_buf_printf(
		pods, "---\n{apiVersion: v1, kind: Namespace, metadata: {name: ns%u}}\n", number);
	polc_buf_printf(rules,
		"%smetadata: {name: all, namespace: ns%u}\nspec: {podSelector: {}, policyTypes: "
		"[Ingress, Egress], egress: [{ports: [{port: 53, protocol: UDP}]}]}\n",
		head, number);
	for (unsigned app = 0; app < 10; app++) {
		polc_buf_printf(rules,
			"%smetadata: {name: a%u, namespace: ns%u}\nspec: {podSelector: "
			"{matchLabels: {app: a%u}}, ingress: [{from: [{podSelector: {matchLabels: "
			"{app: a%u}}}], ports: [{port: %u}]}], egress: [{to: [{podSelector: "
			"{matchLabels: {app: a%u}}}]}]}\n",
			head, app, number, app, app - (app > 0), 8000 + app, app + 1);
		for (unsigned i = 0; i < replicas; i++)
			polc_buf_printf(pods,
				"---\n{apiVersion: v1, kind: Pod, metadata: {name: a%u-%u, "
				"namespace: ns%u, labels: {app: a%u}}, spec: {nodeName: n%u}, "
				"status: {podIPs: [{ip: 10.%u.%u.%u}]}}\n",
				app, i, number, app, i, number, app, i + 1);
	}
}

static void bench_graph(
	const char *name, unsigned replicas, double budget, const char *note, unsigned n_namespaces)
{
	char *graph[] = {polc, "graph", policies, "--inventory", inventory, NULL};
	struct polc_arena arena = {0};
	struct polc_buf rules = {.arena = &arena}, pods = {.arena = &arena};

	work_path(policies, "graph-policies.yaml");
	work_path(inventory, "graph-inventory.yaml");
	for (unsigned i = 0; i < n_namespaces; i++)
		add_namespace(i, replicas, &pods, &rules);
	if (bench_write(policies, &rules) && bench_write(inventory, &pods))
		bench_time_command(name, budget, note, graph, NULL);
	polc_arena_free(&arena);
}

/* Every policy changes: its peers are others. */
static void bench_diff(void)
{
	static const struct bench_set set = {1000, 10000, 1, ""};
	static const char peer[] = "{app: a";
	struct polc_arena arena = {0};
	struct polc_buf text = {.arena = &arena};
	char changed[512];
	char *diff[] = {polc, "diff", policies, changed, NULL};

	work_path(policies, "policies.yaml");
	work_path(changed, "changed.yaml");
	bench_policies(&set, &text);
	bool ok = bench_write(policies, &text);

	for (char *at = text.p; (at = strstr(at, peer)); at += strlen(peer))
		at[strlen(peer) - 1] = 'b';
	if (ok && bench_write(changed, &text))
		bench_time_command(
			"diff.1000_policies", 5, "polc diff of two sets, all changed", diff, NULL);
	polc_arena_free(&arena);
}

int bench_commands(const char *build_dir)
{
	char cache[512];

	snprintf(work, sizeof(work), "/tmp/polc-bench-%d", (int)getpid());
	snprintf(polc, sizeof(polc), "%s/polc", build_dir);
	snprintf(polload, sizeof(polload), "%s/polload", build_dir);
	if (mkdir(work, 0700))
		return 1;
	work_path(cache, "cache");
	setenv("XDG_CACHE_HOME", cache, 1);
	bench_compiler();
	bench_diff();
	bench_graph("graph.200_endpoints", 4, 1, "polc graph, SVG, 55 policies", 5);
	bench_graph("graph.2000_endpoints", 10, 0, "polc graph, SVG, 220 policies", 20);
	bench_apply(&(struct bench_tools){polc, polload, work});
	snprintf(cache, sizeof(cache), "rm -rf %s", work);
	return system(cache) != 0;
}
