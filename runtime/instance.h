/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A bundle loaded into this kernel: libbpf object opened from memory, maps sized, created and
 * filled, programs verified. Shared by polload (which pins and attaches it) and by polc's bpf
 * engine, the oracle and the benchmarks (which run it with BPF_PROG_TEST_RUN). Attaches nothing
 * itself.
 *
 * Names in the object (bpf-templates/network): programs polt_cgroup_in, polt_cgroup_out (cgroup_skb
 * ingress/egress), polt_tc_from, polt_tc_to (sched_cls: packets from and to the endpoint); maps
 *   polt_control     mmapable array, 1 x polb_control (pinned, shared by generations)
 *   polt_flows       LRU hash, polb_flow_key -> polb_flow (pinned, shared by generations)
 *   polt_fragments   LRU hash, polb_fragment_key -> polb_fragment
 *   polt_sockets     socket storage, polb_socket_flow (cgroup programs)
 *   polt_cgroup      cgroup storage, __u64 key -> polb_cgroup_endpoint (cgroup programs)
 *   polt_interfaces  hash, __u32 ifindex -> __u32 endpoint number (tc programs)
 *   polt_tables      mmapable array, POLB_TABLES() by table    polt_modes  array, __u32 by
 *   switchable policy (both only when there are such policies)
 *   polt_audited     hash, polb_audited_key -> polb_audited
 *   polt_config      array, 1 x polb_config          polt_endpoints  array, polb_endpoint
 *   polt_peers4/6    hash, 4/16 bytes -> polb_peer   polt_cidrs4/6   LPM, polb_lpm4/6 -> polb_peer
 * (when used) polt_classes     array of sparse classes         polt_ports      array, 1 x
 * __u16[POLB_PORTS_END] polt_index, polt_rows, polt_steps, polt_step_words, polt_rule_ids arrays
 * polt_counters per-CPU array, polb_counter by rule number polt_events      ring buffer of
 * polb_event polt_bucket per-CPU array, event tokens and the constants polt_generation and
 * polt_port_classes (const volatile __u32) in .rodata. Sizes of data maps are set here, before
 * load, so that a change of data does not change the C.
 */
#ifndef POLB_INSTANCE_H
#define POLB_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "bundle.h"

struct polb_instance;
struct bpf_insn;
struct bpf_program;

enum polb_program { POLB_CGROUP_IN, POLB_CGROUP_OUT, POLB_TC_FROM, POLB_TC_TO, POLB_N_PROGRAMS };

struct polb_instance_options {
	const char *local_node; /* name of the node this runs as; NULL: none is local */
	uint32_t generation;  /* what polt_control must hold for the programs to act; at least 1 */
	int control_fd;       /* existing pinned map to share, or -1 for a new one */
	int flows_fd;         /* likewise */
	uint32_t extra_peers; /* room in peer, class and endpoint maps for later additions */
	uint32_t extra_addresses; /* and in peer maps alone, besides */
	uint32_t hooks;           /* POLB_HOOK_* to load programs for; 0: all in the bundle */
	bool audit;
	const uint32_t *modes; /* of the switchable policies: 1 audit; NULL: as the bundle says */
	uint64_t adopt_until_ns;
	/* tracing */
	const uint32_t *alternatives; /* by hook: which of its alternatives, POLB_NO_ALTERNATIVE:
				       * none; NULL: the first of every hook */
	uint32_t processes;           /* size of polt_processes and polt_execs, a fourth of it that
				       of polt_pending; 0: 32768 */
	uint32_t ring_bytes; /* size of polt_events; 0: as the template says, 4 MB for tracing */
	char *failed; /* POLB_PROGRAM_NAME bytes: the program that the kernel refused, or ""; may be
			 NULL */
};
#define POLB_NO_ALTERNATIVE UINT32_MAX
#define POLB_PROGRAM_NAME 128

/*
 * Loads; 0, or -errno with one line of plain words in `error` (the verifier's last lines when it
 * refused). Data maps are frozen where nothing changes them later.
 */
int polb_instance_load(const struct polb_bundle *bundle,
	const struct polb_instance_options *options, struct polb_instance **out,
	char error[POLB_ERROR_TEXT]);
void polb_instance_free(struct polb_instance *instance); /* NULL is fine; pins survive */
int polb_instance_program_fd(
	const struct polb_instance *instance, enum polb_program program);         /* or -ENOENT */
int polb_instance_map_fd(const struct polb_instance *instance, const char *name); /* or -ENOENT */
/* Memory of its maps as the kernel accounts it; of those that it shares with nobody. */
uint64_t polb_instance_map_bytes(
	const struct polb_instance *instance, const struct polb_instance_options *options);
/* A loaded program by name, for libbpf's bpf_program__attach_*; NULL when it is not loaded. */
struct bpf_program *polb_instance_program(const struct polb_instance *instance, const char *name);
/* Makes this generation the active one / another epoch of it (one aligned 64-bit store). */
int polb_control_store(int control_fd, uint32_t generation, uint32_t epoch);
int polb_control_load(int control_fd, uint32_t *generation, uint32_t *epoch);
/* The one behind an epoch, without POLB_EPOCH_CHANGING. */
uint32_t polb_epoch_next(uint32_t epoch);
/* The peer map's value for a bundle's peer as seen from a node (NULL: none is local). */
struct polb_peer polb_peer_value(const struct polb_bundle *bundle,
	const struct polb_bundle_peer *peer, const char *local_node);
/* The mode a tracing policy starts with (enum polb_policy_mode). */
__u32 polb_trace_mode(const struct polb_bundle_trace_policy *policy, bool audit);
/* What the verifier says of one program. */
struct polb_verified {
	const char *program;
	int err;                      /* 0: accepted */
	const char *log;              /* statistics, reason; or one line why it was not asked */
	const struct bpf_insn *insns; /* of an accepted program, with the functions that it calls */
	size_t n_insns;
};
typedef void polb_verify_tell(void *context, const struct polb_verified *verified);
/*
 * Asks the verifier about every program of a bundle, all alternatives of all hooks, and keeps none.
 * tell() once for each. 0, or -errno with a line in `error` when they could not be asked.
 */
int polb_instance_verify(const struct polb_bundle *bundle,
	const struct polb_instance_options *options, polb_verify_tell *tell, void *context,
	char error[POLB_ERROR_TEXT]);
/* Makes `endpoint_number` the one that TEST_RUN packets belong to: fallback of the cgroup programs
 * and interface `ifindex` (1: loopback) for tc. */
int polb_instance_test_endpoint(
	struct polb_instance *instance, uint32_t endpoint_number, uint32_t ifindex);

#endif
