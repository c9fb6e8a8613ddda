/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the files behind instance.h only. */
#ifndef POLB_INSTANCE_PRIVATE_H
#define POLB_INSTANCE_PRIVATE_H

#include <bpf/libbpf.h>

#include "instance.h"

struct polb_instance {
	struct bpf_object *object;
};

/*
 * One data map of the object: sizes that its bundle demands, and its entries. `fill` may be NULL; a
 * map that is not in the object is left out, unless `needed` says that data would be lost.
 */
struct polb_map_plan {
	const char *name;
	size_t key_size, value_size;
	size_t entries; /* 0: as the template says */
	bool freeze;
	bool needed;
	int (*fill)(int fd, const struct polb_bundle *bundle,
		const struct polb_instance_options *options);
};
#define POLB_N_MAP_PLANS 23
void polb_map_plans(const struct polb_bundle *bundle, const struct polb_instance_options *options,
	struct polb_map_plan out[POLB_N_MAP_PLANS]);

/* trace_maps.c: likewise for tracing. */
#define POLB_N_TRACE_MAP_PLANS 16
void polb_trace_map_plans(const struct polb_bundle *bundle,
	const struct polb_instance_options *options,
	struct polb_map_plan out[POLB_N_TRACE_MAP_PLANS]);
/* Of polt_events; 0: as the template says. */
size_t polb_ring_bytes(
	const struct polb_bundle *bundle, const struct polb_instance_options *options);

/* instance.c, for instance_verify.c too. libbpf's first complaint since begin(), which returns the
 * printer to be put back; the program that it names, or "". */
libbpf_print_fn_t polb_complaint_begin(void);
const char *polb_complaint(void);
void polb_complaint_program(char out[POLB_PROGRAM_NAME]);
/* A packet program of one of the hooks. */
bool polb_network_program(const char *name, uint32_t hooks);
/* What a tracing program is loaded for, where the kernel wants to know. 0 or -errno. */
int polb_program_target(struct bpf_program *program, const struct polb_bundle *bundle,
	const struct polb_bundle_trace_program *p);
/* Maps and constants of an opened object. 0, or -errno with a line in `error`. */
int polb_object_adapt(struct bpf_object *object, const struct polb_bundle *bundle,
	const struct polb_instance_options *options, char error[POLB_ERROR_TEXT]);

/* instance_check.c: an opened, adapted object, programs selected. 0, or -errno with a line in
 * `error`. */
int polb_object_is_ours(const struct bpf_object *object, const struct polb_bundle *bundle,
	char error[POLB_ERROR_TEXT]);

/* Ticks per second of this kernel (CONFIG_HZ); 250 when it cannot be found out. */
uint32_t polb_kernel_hz(void);

#endif
