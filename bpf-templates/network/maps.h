/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The maps, named and typed as in runtime/instance.h. max_entries of 1 is a placeholder: the
 * loader sizes data maps from the bundle before it creates them. The control cell and the ring
 * buffer are in lib/common.h.
 */
#ifndef POLT_MAPS_H
#define POLT_MAPS_H

#include "../lib/common.h"
#include "config.h"

struct polt_class {
	struct polb_class_head head;
	struct polb_class_word words[POLT_CLASS_WORDS];
};
struct polt_step {
	struct polb_step_head head;
	__u16 slots[POLB_STEP_SLOTS(POLT_WORDS)];
};
struct polt_port_table {
	__u16 classes[POLB_PORTS_END];
};
struct polt_address6 {
	__u32 word[4];
};
/* Events of the current second of one CPU, and how many were not sent since load. */
struct polt_bucket {
	__u64 since_ns;
	__u32 used;
	__u32 dropped;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct polb_flow_key);
	__type(value, struct polb_flow);
} polt_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct polb_fragment_key);
	__type(value, struct polb_fragment);
} polt_fragments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct polb_config);
} polt_config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct polb_endpoint);
} polt_endpoints SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC); /* room costs a bucket, not an entry */
	__type(key, __u32);
	__type(value, struct polb_peer);
} polt_peers4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct polt_address6);
	__type(value, struct polb_peer);
} polt_peers6 SEC(".maps");

#if POLT_HAS_CIDR4
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct polb_lpm4);
	__type(value, struct polb_peer);
} polt_cidrs4 SEC(".maps");
#endif

#if POLT_HAS_CIDR6
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct polb_lpm6);
	__type(value, struct polb_peer);
} polt_cidrs6 SEC(".maps");
#endif

#if POLT_HAS_PORTS
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct polt_port_table);
} polt_ports SEC(".maps");
#endif

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} polt_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct polb_row);
} polt_rows SEC(".maps");

#if POLT_HAS_SWITCHABLE
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} polt_tables SEC(".maps");

/* For the loader: what polt_tables was made from. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} polt_modes SEC(".maps");
#endif

#if POLT_MAX_STEPS > 0
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct polt_class);
} polt_classes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct polt_step);
} polt_steps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct polb_step_word);
} polt_step_words SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} polt_rule_ids SEC(".maps");
#endif

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct polb_counter);
} polt_counters SEC(".maps");

/* Without memory of its own until something is audited. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLB_AUDITED_ENTRIES);
	__type(key, struct polb_audited_key);
	__type(value, struct polb_audited);
} polt_audited SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct polt_bucket);
} polt_bucket SEC(".maps");

#if POLT_HOOK_CGROUP
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct polb_socket_flow);
} polt_sockets SEC(".maps");

/* A __u64 key (the cgroup alone, whatever the attach type: one value for both programs) needs 5.9.
 */
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, __u64);
	__type(value, struct polb_cgroup_endpoint);
} polt_cgroup SEC(".maps");
#endif

#if POLT_HOOK_TC
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} polt_interfaces SEC(".maps");
#endif

/* Set by the loader before load: how wide a table of the index is. Not a macro, so that other ports
 * are not another program. */
const volatile __u32 polt_port_classes = 2;

#endif
