/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Metrics in Prometheus' text format (version 0.0.4), collected anew for each reading: names, types
 * and help texts are the table below. Labels name bundles, policies, hooks and maps, never peers,
 * processes or pods, so that the number of series follows the policies and not the traffic.
 */
#ifndef POLD_METRICS_H
#define POLD_METRICS_H

#include "loader.h"
#include "runtime/text.h"

/* X(NAME, "name", "type", "help") */
#define POLD_METRICS(X)                                                                            \
	X(BUILD, "polc_build_info", "gauge", "Version of polload; always 1.")                      \
	X(BUNDLES, "polc_bundles", "gauge", "Bundles in force on this node.")                      \
	X(INFO, "polc_bundle_info", "gauge", "Digest, compiler and node of a bundle; always 1.")   \
	X(GENERATION, "polc_bundle_generation", "gauge", "Generation in force.")                   \
	X(APPLIED, "polc_bundle_applied_timestamp_seconds", "gauge",                               \
		"When the generation in force was applied.")                                       \
	X(RETURNS, "polc_bundle_unconfirmed_seconds", "gauge",                                     \
		"Time left to confirm the generation in force; absent when nothing is waited "     \
		"for.")                                                                            \
	X(READABLE, "polc_bundle_readable", "gauge",                                               \
		"1 when the bundle's state could be read, else 0.")                                \
	X(AUDIT, "polc_bundle_audit", "gauge", "1 when the network policies are in audit mode.")   \
	X(POLICY_AUDIT, "polc_policy_audit", "gauge",                                              \
		"1 when the policy is in audit (monitor) mode, 0 when it enforces.")               \
	X(POLICY_PACKETS, "polc_policy_packets_total", "counter",                                  \
		"Packets decided by the policy's rules, by what the rules say.")                   \
	X(POLICY_BYTES, "polc_policy_bytes_total", "counter", "Bytes of those packets.")           \
	X(OTHER_PACKETS, "polc_other_packets_total", "counter",                                    \
		"Packets decided by no written rule, by reason.")                                  \
	X(OTHER_BYTES, "polc_other_bytes_total", "counter", "Bytes of those packets.")             \
	X(VERDICT_DROPS, "polc_verdict_events_dropped_total", "counter",                           \
		"Verdict events over the rate limit of the generation in force.")                  \
	X(TRACE_matched, "polc_tracing_matched_total", "counter",                                  \
		"Calls that a selector of the policy matched.")                                    \
	X(TRACE_posted, "polc_tracing_posted_total", "counter", "Events sent.")                    \
	X(TRACE_lost, "polc_tracing_lost_total", "counter",                                        \
		"Events that found no room in the ring buffer.")                                   \
	X(TRACE_rate_limited, "polc_tracing_rate_limited_total", "counter",                        \
		"Events left out by a rateLimit of the policy.")                                   \
	X(TRACE_over_limit, "polc_tracing_over_limit_total", "counter",                            \
		"Events over the policy's rate.")                                                  \
	X(TRACE_signalled, "polc_tracing_signalled_total", "counter", "Signals sent.")             \
	X(TRACE_overridden, "polc_tracing_overridden_total", "counter",                            \
		"Calls whose result was replaced.")                                                \
	X(TRACE_monitored, "polc_tracing_monitored_total", "counter",                              \
		"Enforcement actions not taken because of audit (monitor) mode.")                  \
	X(TRACE_failed, "polc_tracing_failed_total", "counter",                                    \
		"Actions that the kernel refused.")                                                \
	X(TRACE_unreadable, "polc_tracing_unreadable_total", "counter",                            \
		"Calls with an argument that could not be read.")                                  \
	X(HOOK_PLACES, "polc_tracing_hook_places", "gauge",                                        \
		"Places that a tracing hook is attached at.")                                      \
	X(MISSES, "polc_program_recursion_misses_total", "counter",                                \
		"Calls that the kernel did not show to the program.")                              \
	X(VERIFIED, "polc_program_verified_instructions", "gauge",                                 \
		"Instructions that the verifier processed.")                                       \
	X(INSTRUCTIONS, "polc_program_instructions", "gauge", "Instructions of the program.")      \
	X(RUNS, "polc_program_runs_total", "counter",                                              \
		"Runs of the program while kernel.bpf_stats_enabled is 1.")                        \
	X(RUN_SECONDS, "polc_program_run_seconds_total", "counter", "Time of those runs.")         \
	X(ENDPOINTS, "polc_endpoints", "gauge", "Endpoints of this node, by state.")               \
	X(IDENTITIES, "polc_identities", "gauge", "Addresses told at run time, by state.")         \
	X(MAP_ENTRIES, "polc_map_entries", "gauge", "Entries of a map in use.")                    \
	X(MAP_CAPACITY, "polc_map_capacity", "gauge", "Entries that a map has room for.")          \
	X(MAP_BYTES, "polc_map_memory_bytes", "gauge", "Kernel memory of a map.")                  \
	X(DURATION, "polc_collect_seconds", "gauge", "How long collecting these metrics took.")    \
	/* --compat tetragon: its names, for dashboards that exist already */                      \
	X(T_BUILD, "tetragon_build_info", "gauge", "Version of polload, which stands in.")         \
	X(T_LOADED, "tetragon_tracingpolicy_loaded", "gauge",                                      \
		"The number of loaded tracing policies by state.")                                 \
	X(T_MEMORY, "tetragon_tracingpolicy_kernel_memory_bytes", "gauge",                         \
		"Kernel memory of the maps of a bundle's tracing policies: shared, so under the "  \
		"bundle's name.")                                                                  \
	X(T_POLICY_EVENTS, "tetragon_policy_events_total", "counter",                              \
		"Policy events sent; binary, pod and workload are always empty.")                  \
	X(T_MISSED, "tetragon_bpf_missed_events_total", "counter",                                 \
		"Events that found no room in the ring buffer.")                                   \
	X(T_MISSED_PROGRAM, "tetragon_missed_prog_probes_total", "counter",                        \
		"Calls that the kernel did not show to a program.")                                \
	X(T_RUNS, "tetragon_overhead_program_runs_total", "counter",                               \
		"Runs of the program while kernel.bpf_stats_enabled is 1.")                        \
	X(T_RUN_SECONDS, "tetragon_overhead_program_seconds_total", "counter",                     \
		"Time of those runs.")                                                             \
	X(T_MAP_ENTRIES, "tetragon_map_entries", "gauge", "Entries of a map in use.")              \
	X(T_MAP_CAPACITY, "tetragon_map_capacity", "gauge", "Entries that a map has room for.")

enum pold_metric {
#define X(name, text, type, help) POLD_METRIC_##name,
	POLD_METRICS(X)
#undef X
		POLD_N_METRICS
};

struct pold_metrics { /* zero-initialised; pold_metrics_free() */
	struct polb_text samples[POLD_N_METRICS];
	bool tetragon; /* also under Tetragon's names */
	/* sums over all bundles */
	uint64_t tetragon_lost, tetragon_policies;
};

/* metrics_text.c. `labels`: name, value, ..., NULL; NULL: none. */
void pold_metrics_add(struct pold_metrics *metrics, enum pold_metric metric,
	const char *const *labels, uint64_t value);
void pold_metrics_add_ratio(struct pold_metrics *metrics, enum pold_metric metric,
	const char *const *labels, double value);
#define POLD_LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})
/* Everything, families in the order of the table; false when memory ran out. */
bool pold_metrics_text(const struct pold_metrics *metrics, struct polb_text *out);
void pold_metrics_free(struct pold_metrics *metrics);

/* metrics_collect.c: of one bundle, or of all. Exit code. */
int pold_metrics_collect(struct pold_metrics *metrics, const char *name);
/* metrics_network.c, metrics_trace.c: what they say of one bundle. 0 or -errno. */
int pold_metrics_network(struct pold_metrics *metrics, const struct pold_state *state);
int pold_metrics_trace(struct pold_metrics *metrics, const struct pold_state *state);

/* metrics_http.c: serves `render` under /metrics until SIGTERM or SIGINT. Exit code. */
int pold_metrics_serve(
	const char *listen, bool (*render)(void *context, struct polb_text *out), void *context);

#endif
