/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The inventory: what exists. Read from Kubernetes objects (kubectl get ... -o yaml: documents,
 * Lists, JSON). Plain hosts use the Pod shape with annotations polc.dev/cgroup,
 * polc.dev/interface. Objects of kinds it does not need are ignored.
 */
#ifndef POLC_INVENTORY_H
#define POLC_INVENTORY_H

#include "ast.h"
#include "yaml.h"

struct polc_container {
	const char *name;
	const char *image; /* status.containerStatuses[].image, or NULL */
	const char *id;    /* of containerID, without the runtime's name; or NULL */
	const char *
		cgroup; /* annotation polc.dev/cgroup.NAME: path below the cgroup2 mount, or NULL */
};

struct polc_pod {
	const char *namespace, *name;
	struct polc_span span;
	POLC_VEC(struct polb_label) labels;     /* metadata.labels, source "k8s" */
	POLC_VEC(struct polb_addr) addrs;       /* status.podIPs, else status.podIP */
	POLC_VEC(struct polb_named_port) ports; /* named container ports (all containers) */
	const char *node;                       /* spec.nodeName or NULL */
	const char *service_account;            /* spec.serviceAccountName, "default" when absent */
	bool host_network;
	bool finished;      /* status.phase Succeeded or Failed: owns no address */
	const char *cgroup; /* annotation polc.dev/cgroup: path below the cgroup2 mount, or NULL */
	POLC_VEC(struct polc_container) containers; /* of which a cgroup can be known; by name */
	const char *interface; /* annotation polc.dev/interface: host side of its veth, or NULL */
};

struct polc_namespace {
	const char *name;
	struct polc_span span; /* no place: only known from its pods */
	POLC_VEC(struct polb_label)
	labels; /* incl. kubernetes.io/metadata.name, added when absent */
};

struct polc_node {
	const char *name;
	struct polc_span span;
	POLC_VEC(struct polb_label) labels; /* source "node" */
	POLC_VEC(struct polb_addr)
	addrs; /* status.addresses InternalIP and ExternalIP; cilium_host's */
	POLC_VEC(struct polb_addr)
	health_addrs; /* annotations network.cilium.io/ipv4-health-ip, ipv6-.. */
	POLC_VEC(struct polb_addr)
	ingress_addrs; /* annotations network.cilium.io/ipv4-Ingress-ip, ipv6-.. */
};

/* A port of a service, and what it leads to on the pods: what policies see (post-DNAT). */
struct polc_exposed_port {
	uint8_t protocol;
	uint16_t port, target;   /* target 0: by name */
	const char *target_name; /* or NULL */
};

struct polc_service {
	const char *namespace, *name;
	struct polc_span span;
	POLC_VEC(struct polb_label) labels;
	bool has_selector;
	POLC_VEC(struct polb_label) selector; /* spec.selector, source "k8s" */
	POLC_VEC(struct polc_exposed_port) ports;
	POLC_VEC(struct polb_addr) cluster_addrs; /* clusterIPs */
	POLC_VEC(struct polb_addr) backends; /* from EndpointSlices and Endpoints of that service */
};

struct polc_cidr_group {
	const char *name;
	struct polc_span span;
	POLC_VEC(struct polb_label) labels;
	POLC_VEC(struct polb_prefix) cidrs;
};

/* Addresses of one EndpointSlice or Endpoints, until they are joined with their service. */
struct polc_endpoint_set {
	const char *namespace, *service;
	POLC_VEC(struct polb_addr) addrs;
};

struct polc_inventory {
	bool given; /* any inventory was read: warnings about unresolved names make sense */
	POLC_VEC(struct polc_namespace) namespaces; /* sorted by name */
	POLC_VEC(struct polc_pod) pods;             /* sorted by namespace, name */
	POLC_VEC(struct polc_node) nodes;           /* sorted by name */
	POLC_VEC(struct polc_service) services;     /* sorted by namespace, name */
	POLC_VEC(struct polc_cidr_group) cidr_groups;
	POLC_VEC(struct polb_addr) apiserver_addrs; /* backends of default/kubernetes */
	uint32_t local_address_conflicts;           /* addresses that several running pods claim */
	POLC_VEC(struct polc_endpoint_set) endpoint_sets;
};

/*
 * Adds one object to the inventory; false when its kind is not an inventory kind (nothing done).
 * Mistakes are reported. Kinds: Namespace, Pod, Node, Service, EndpointSlice, Endpoints,
 * CiliumCIDRGroup.
 */
bool polc_inventory_add(
	struct polc *polc, struct polc_inventory *inventory, const struct polc_yaml *object);
/* Sorts, joins services with their endpoints, reports duplicates and address conflicts. Call once,
 * last. */
void polc_inventory_finish(struct polc *polc, struct polc_inventory *inventory);

const struct polc_namespace *polc_inventory_namespace(
	const struct polc_inventory *inventory, const char *name);
const struct polc_pod *polc_inventory_pod(
	const struct polc_inventory *inventory, const char *namespace, const char *name);
const struct polc_node *polc_inventory_node(
	const struct polc_inventory *inventory, const char *name);

#endif
