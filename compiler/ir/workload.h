/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which workloads a tracing policy or matchWorkloads means (reference 1.1): the truth table of
 * podSelector, containerSelector and hostSelector. Cgroups get their bits by it, and described
 * calls are judged by it.
 */
#ifndef POLC_WORKLOAD_H
#define POLC_WORKLOAD_H

#include "tracing.h"

struct polc_workload {
	bool host;             /* in no pod; nothing else is said then */
	const char *namespace; /* NULL: not known */
	bool labels_known, container_known;
	const struct polb_label *labels;
	size_t n_labels;
	const char *container, *image; /* NULL: a pod's own cgroup, or an image without a name */
};

/* 1, 0, or -1: it depends on what is not known. */
int polc_workload_holds(struct polc_arena *arena, const struct polc_trace_workload *selector,
	const struct polc_workload *workload);

#endif
