/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the benchmarks share: results, medians, and policy sets of a given size. */
#ifndef POLC_BENCH_H
#define POLC_BENCH_H

#include <bpf/libbpf.h>

#include "compiler/base/base.h"
#include "runtime/address.h"

enum { BENCH_ROUNDS = 15 };

struct bench_sample {
	double values[BENCH_ROUNDS];
	unsigned n;
};
double bench_median(struct bench_sample *sample);
double bench_now(void);

/* One line of the table and of bench.json. A budget of 0: none. */
void bench_result(
	const char *name, double value, const char *unit, double budget, const char *note);
void bench_skip(const char *name, const char *why);

/*
 * A set in namespace "bench": pod "target" on node "local" with `n_rules` rules in each direction,
 * each for one of as many labels (app=aN) and a port 1000 + N % 50 of any protocol; `n_peers` pods
 * that share the labels in turn. `per_policy` rules go into one policy.
 */
struct bench_set {
	unsigned n_rules, n_peers, per_policy;
	const char *annotation; /* of the target, "" for none */
};
void bench_policies(const struct bench_set *set, struct polc_buf *out);
void bench_inventory(const struct bench_set *set, struct polc_buf *out);
struct polb_addr bench_peer_address(unsigned number);
struct polb_addr bench_target_address(void);
unsigned bench_rule_port(unsigned rule);
bool bench_write(const char *path, const struct polc_buf *text);

struct bench_run {
	double seconds;
	double resident_mb;
	int status;
};
/* One run of a command; its output is dropped. */
struct bench_run bench_run(char *const argv[]);
/* Median of several runs, reported; false (and said) when one failed. */
bool bench_time_command(const char *name, double budget, const char *note, char *const argv[],
	void (*before)(void));

struct bench_tools {
	const char *polc, *polload, *work; /* work: a directory */
};

/* packets.c, commands.c, apply.c */
int bench_packets(const char *incumbent_object);
int bench_commands(const char *build_dir);
void bench_apply(const struct bench_tools *tools);
/* With the bundle of a file, under the name polc-bench; leaves it applied. */
void bench_sync(const struct bench_tools *tools, const char *bundle); /* sync.c */

#endif
