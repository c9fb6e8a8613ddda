/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Label keys that Cilium derives for every pod (reference 1.5), and small predicates on addresses.
 */
#ifndef POLC_LABELS_H
#define POLC_LABELS_H

#include "../../runtime/address.h"

#define POLC_LABEL_NAMESPACE "io.kubernetes.pod.namespace"
#define POLC_LABEL_CILIUM_PREFIX "io.cilium.k8s."
#define POLC_LABEL_NAMESPACE_LABELS "io.cilium.k8s.namespace.labels."
#define POLC_LABEL_CLUSTER "io.cilium.k8s.policy.cluster"
#define POLC_LABEL_SERVICE_ACCOUNT "io.cilium.k8s.policy.serviceaccount"
#define POLC_DEFAULT_CLUSTER "default"

bool polc_addr_is_loopback(const struct polb_addr *addr);

#endif
