/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What all programs of a bundle share, whatever they hook: the control cell that says which
 * generation decides, the ring buffer, the generation's number, the licence.
 */
#ifndef POLT_LIB_COMMON_H
#define POLT_LIB_COMMON_H

#include "runtime/abi.h"
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct polb_control);
} polt_control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} polt_events SEC(".maps");

/* The generation these programs belong to: set by the loader before load. */
const volatile __u32 polt_generation = 1;

static __always_inline void *polt_at(void *map, __u32 index)
{
	return bpf_map_lookup_elem(map, &index);
}

/* Whether this generation is the one that decides, and the epoch of its data. */
static __always_inline bool polt_active_epoch(__u32 *epoch)
{
	struct polb_control *control = polt_at(&polt_control, 0);

	if (!control)
		return false;
	__u64 cell = READ_ONCE(control->generation_epoch);
	*epoch = cell;
	return cell >> 32 == polt_generation;
}

/* The helpers used are not GPL-only but for what the licence string says anyway. */
char polt_license[] SEC("license") = "Dual BSD/GPL";

#endif
