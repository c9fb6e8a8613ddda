/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who somebody is, apart from the address: what selectors see. As a record (one block of bytes,
 * equal for equal identities) it is kept in the kernel and compared.
 */
#ifndef POLD_IDENTITY_H
#define POLD_IDENTITY_H

#include <stdbool.h>

#include "pool.h"
#include "runtime/selector.h"

struct pold_who {
	uint32_t kinds;
	uint32_t number;                 /* reserved one, 0: by labels */
	const char *node;                /* NODE: its name, or NULL */
	const struct polb_label *labels; /* complete, sorted */
	size_t n_labels;
	const struct polb_named_port *ports; /* sorted */
	size_t n_ports;
	const void *record; /* of all above */
	size_t record_bytes;
	uint64_t hash;
};

#define POLD_RECORD_MAX 65536u

/* Fills record, record_bytes and hash from the rest. */
void pold_who_record(struct pold_pool *pool, struct pold_who *who);
/* "namespace:app=web,env=prod" of its labels, as identities are named everywhere. */
void pold_who_text(const struct pold_who *who, char *out, size_t size);
/* Back again; the texts are borrowed from the record. False when it is none. */
bool pold_who_read(struct pold_pool *pool, const void *record, size_t bytes, struct pold_who *out);
void pold_labels_sort(struct polb_label *labels, size_t n);
void pold_ports_sort(struct polb_named_port *ports, size_t n);
uint64_t pold_hash(const void *data, size_t bytes);
uint64_t pold_addr_hash(const struct polb_addr *addr);

/* identity_kind.c: bits and reserved number of "pod", "world", ... */
bool pold_kind_find(
	const char *name, const struct polb_addr *addr, uint32_t *kinds, uint32_t *number);

/* Labels that are derived and not a pod's own to claim. */
#define POLD_LABEL_NAMESPACE "io.kubernetes.pod.namespace"
#define POLD_LABEL_DERIVED "io.cilium.k8s."
#define POLD_LABEL_NAMESPACE_LABELS "io.cilium.k8s.namespace.labels."
#define POLD_LABEL_NAMESPACE_NAME POLD_LABEL_NAMESPACE_LABELS "kubernetes.io/metadata.name"
#define POLD_LABEL_CLUSTER "io.cilium.k8s.policy.cluster"
#define POLD_LABEL_SERVICE_ACCOUNT "io.cilium.k8s.policy.serviceaccount"
bool pold_label_is_derived(const char *key);

#endif
