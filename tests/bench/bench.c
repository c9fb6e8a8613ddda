// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * make bench: a table on stdout and build/bench.json, a list of {"name","value","unit","note"} with
 * the names of design 11. Ratios are between numbers of one run.
 */
#include "bench.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static struct polc_arena arena;
static struct polc_buf json = {.arena = &arena};

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_median(struct bench_sample *sample)
{
	qsort(sample->values, sample->n, sizeof(double), compare_doubles);
	return sample->n ? sample->values[sample->n / 2] : 0;
}

void bench_result(const char *name, double value, const char *unit, double budget, const char *note)
{
	char limit[48] = "";

	if (budget > 0)
		snprintf(limit, sizeof(limit), "%g%s", budget, value <= budget ? "" : "  OVER");
	printf("%-40s %12.4g %-6s %-14s %s\n", name, value, unit, limit, note);
	fflush(stdout);
	polc_buf_printf(&json,
		"%s\n  {\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"note\": ",
		json.n ? "," : "[", name, value, unit);
	polc_buf_json(&json, note);
	polc_buf_puts(&json, "}");
}

void bench_skip(const char *name, const char *why)
{
	printf("%-40s %12s        %s\n", name, "-", why);
}

/* --- sets ----------------------------------------------------------------------------------- */

struct polb_addr bench_peer_address(unsigned number)
{
	unsigned host = number + 1;

	return (struct polb_addr){.family = 4,
		.bytes = {10, (uint8_t)(64 + (host >> 16)), (uint8_t)(host >> 8), (uint8_t)host}};
}

struct polb_addr bench_target_address(void)
{
	return (struct polb_addr){.family = 4, .bytes = {10, 1, 0, 1}};
}

unsigned bench_rule_port(unsigned rule)
{
	return 1000 + rule % 50;
}

static void add_rules(
	const struct bench_set *set, unsigned first, bool egress, struct polc_buf *out)
{
	polc_buf_printf(out, "  %s:\n", egress ? "egress" : "ingress");
	for (unsigned i = first; i < set->n_rules && i < first + set->per_policy; i++)
		polc_buf_printf(out,
			"  - {%sEndpoints: [{matchLabels: {app: a%u}}], toPorts: [{ports: [{port: "
			"\"%u\"}]}]}\n",
			egress ? "to" : "from", i, bench_rule_port(i));
}

void bench_policies(const struct bench_set *set, struct polc_buf *out)
{
	for (unsigned i = 0; i < set->n_rules; i += set->per_policy) {
		polc_buf_printf(out,
			"---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n"
			"metadata: {name: p%u, namespace: bench}\nspec:\n"
			"  endpointSelector: {matchLabels: {app: target}}\n",
			i);
		add_rules(set, i, false, out);
		add_rules(set, i, true, out);
	}
}

static void add_pod(const char *name, const char *app, const char *node,
	const struct polb_addr *addr, const char *annotation, struct polc_buf *out)
{
	char text[POLB_ADDR_TEXT];

	polb_addr_format(addr, text);
	polc_buf_printf(out,
		"---\n{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: bench, labels: "
		"{app: %s}%s}, "
		"spec: {nodeName: %s}, status: {podIP: %s}}\n",
		name, app, annotation, node, text);
}

void bench_inventory(const struct bench_set *set, struct polc_buf *out)
{
	struct polb_addr addr = bench_target_address();
	char name[32], app[32];

	polc_buf_puts(out, "---\n{apiVersion: v1, kind: Namespace, metadata: {name: bench}}\n");
	add_pod("target", "target", "local", &addr, set->annotation, out);
	for (unsigned i = 0; i < set->n_peers; i++) {
		addr = bench_peer_address(i);
		snprintf(name, sizeof(name), "pod%u", i);
		snprintf(app, sizeof(app), "a%u", i % set->n_rules);
		add_pod(name, app, "other", &addr, "", out);
	}
}

bool bench_write(const char *path, const struct polc_buf *text)
{
	FILE *file = fopen(path, "w");
	bool ok = file && fwrite(text->p, 1, text->n, file) == text->n;

	if (file && fclose(file))
		ok = false;
	if (!ok)
		fprintf(stderr, "bench: cannot write %s: %s\n", path, strerror(errno));
	return ok;
}

int main(int argc, char **argv)
{
	const char *build_dir = argc == 3 && !strcmp(argv[1], "--build-dir") ? argv[2] : "build";
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	char path[512];

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	printf("%-40s %12s %-6s %-14s\n", "NAME", "VALUE", "UNIT", "BUDGET");
	snprintf(path, sizeof(path), "%s/tests/incumbent.bpf.o", build_dir);
	int failed = bench_packets(path);

	failed |= bench_commands(build_dir);
	polc_buf_puts(&json, json.n ? "\n]\n" : "[]\n");
	snprintf(path, sizeof(path), "%s/bench.json", build_dir);
	failed |= !bench_write(path, &json);
	polc_arena_free(&arena);
	return failed ? POLC_EXIT_ENVIRONMENT : 0;
}
