/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which workloads a tracing policy or matchWorkloads means (reference 1.1): the truth table of
 * podSelector, containerSelector and hostSelector. The compiler, `polc explain` and the loader
 * decide by it, so a pod that appears later gets the bits that a build would have given it.
 */
#ifndef POLB_WORKLOAD_H
#define POLB_WORKLOAD_H

#include "bundle.h"

/* A pod's own cgroup (no container), or that of one of its containers. All is borrowed. */
struct polb_workload {
	bool host;             /* in no pod; nothing else is said then */
	const char *namespace; /* NULL: not known */
	bool labels_known, container_known;
	const struct polb_label *labels; /* sources do not matter */
	size_t n_labels;
	const char *container, *image; /* NULL: a pod's own cgroup, or an image without a name */
};

struct polb_workload_selector {
	const char *namespace; /* only pods of it; NULL: any */
	bool has_pods, has_containers, host;
	const struct polb_requirement *pods, *containers; /* sources are not looked at */
	size_t n_pods, n_containers;
};

/* 1, 0, or -1: it depends on what is not known. */
int polb_workload_holds(
	const struct polb_workload_selector *selector, const struct polb_workload *workload);

/* Whether tracing policies of the bundle ask for workloads. */
bool polb_bundle_asks_workloads(const struct polb_bundle *bundle);
/* Whether it says how: bundles of an older polc do not. */
bool polb_bundle_knows_workloads(const struct polb_bundle *bundle);
/*
 * The bits of a workload: manifest.workload_words words. What is not known for certain is no
 * bit, as in bundles. 0, -ENOENT (the bundle does not say how) or -ENOMEM.
 */
int polb_workload_bits(
	const struct polb_bundle *bundle, const struct polb_workload *workload, __u64 *words);
/* Whether a selector asks for something that is not known of the workload. 1, 0 or as above. */
int polb_workload_is_uncertain(
	const struct polb_bundle *bundle, const struct polb_workload *workload);

#endif
