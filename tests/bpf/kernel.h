/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The oracle's view of a loaded bundle: run a frame, see what it did to maps, events and counters.
 */
#ifndef ORACLE_KERNEL_H
#define ORACLE_KERNEL_H

#include "compiler/backend/packet.h"
#include "compiler/frontend/ast.h"
#include "runtime/instance.h"

enum hook { HOOK_CGROUP, HOOK_TC, N_HOOKS };
extern const char *const hook_names[N_HOOKS];

struct kernel {
	struct polb_instance *instance;
	struct ring_buffer *events;
	uint32_t generation, epoch;
	int control_fd, flows_fd, config_fd, counters_fd;
	int program_fd[N_HOOKS][2]; /* by direction */
	unsigned n_cpus;
	uint32_t n_rules; /* length of the counter map */
	/* of the last run */
	unsigned n_events;
	struct polb_event event;
};

/* `shared`: the generation before, whose flows and control cell it takes; or NULL. 0, or -errno
 * with a line in error. */
int kernel_load(struct kernel *kernel, const struct polb_bundle *bundle, const char *local_node,
	bool adopt, const struct kernel *shared, char error[POLB_ERROR_TEXT]);
void kernel_free(struct kernel *kernel);
/* Flow keys of the endpoint's packets carry *key. */
int kernel_select(struct kernel *kernel, uint32_t endpoint_number, uint64_t *key);
/* No interface has an endpoint any more. */
void kernel_forget_interface(struct kernel *kernel);
/* Runs one frame: -errno, or 0 and the program's own return value; events of it are in the kernel
 * struct. */
int kernel_run(struct kernel *kernel, enum hook hook, enum polc_direction direction,
	const void *frame, size_t size, uint32_t *retval);
int kernel_set_epoch(struct kernel *kernel, uint32_t generation, uint32_t epoch);
int kernel_set_audit(struct kernel *kernel, bool audit);
/* Modes of the bundle's switchable policies (runtime/variants.h). */
int kernel_set_modes(
	const struct kernel *kernel, const struct polb_bundle *bundle, const uint32_t *modes);
bool kernel_flow(
	const struct kernel *kernel, const struct polb_flow_key *key, struct polb_flow *flow);
/* Makes a flow old enough to have timed out, if it is one that does. */
void kernel_age_flow(const struct kernel *kernel, const struct polb_flow_key *key);
/* Packets by rule; n_rules entries. */
int kernel_counters(const struct kernel *kernel, uint64_t *packets);
/* Gives `from` the peer record of `to` (an identity change); both must be exact entries. */
int kernel_alias(struct kernel *kernel, const struct polb_addr *from, const struct polb_addr *to,
	struct polb_peer *old);
int kernel_set_peer(
	struct kernel *kernel, const struct polb_addr *addr, const struct polb_peer *peer);

#endif
