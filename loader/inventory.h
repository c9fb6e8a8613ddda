/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The inventory as the node is told it: pods, nodes, namespaces and addresses, read from Kubernetes
 * objects (kubectl get ... -o yaml or json) or from the plain format (one address a line), and made
 * into identities by the compiler's rules. Knows nothing of bundles and pins.
 */
#ifndef POLD_INVENTORY_H
#define POLD_INVENTORY_H

#include <stdbool.h>

#include "identity.h"

typedef POLD_LIST(struct polb_label) pold_labels;
typedef POLD_LIST(struct polb_addr) pold_addrs;
typedef POLD_LIST(struct polb_named_port) pold_ports;

/* Where something was written. */
struct pold_at {
	const char *path;
	uint32_t line;
	uint32_t order; /* of objects: as they were read */
};

struct pold_inventory_container {
	const char *name;
	const char *image;  /* or NULL */
	const char *id;     /* of containerID, without the runtime's name; or NULL */
	const char *cgroup; /* annotation polc.dev/cgroup.NAME, or NULL */
};

struct pold_inventory_pod {
	struct pold_at at;
	const char *namespace, *name;
	const char *node;            /* spec.nodeName, or NULL */
	const char *service_account; /* "default" when absent */
	const char *uid;             /* metadata.uid, or NULL */
	pold_labels labels;          /* metadata.labels, source "k8s" */
	pold_addrs addrs;
	pold_ports ports; /* named ones of all containers, sorted */
	POLD_LIST(struct pold_inventory_container) containers; /* by name */
	const char *cgroup;    /* annotation polc.dev/cgroup: below the cgroup2 mount, or NULL */
	const char *interface; /* annotation polc.dev/interface, or NULL */
	bool host_network;
	bool finished;     /* Succeeded or Failed: owns no address and no endpoint */
	uint32_t identity; /* of pold_inventory.identities; POLD_NO_IDENTITY: is no endpoint */
};
#define POLD_NO_IDENTITY UINT32_MAX

struct pold_inventory_namespace {
	struct pold_at at;
	const char *name;
	pold_labels labels; /* with kubernetes.io/metadata.name */
};

struct pold_inventory_node {
	struct pold_at at;
	const char *name;
	pold_labels labels; /* source "node" */
	pold_addrs addrs, health_addrs, ingress_addrs;
};

/* ttl_s of an address for which the source says nothing. */
#define POLD_TTL_DEFAULT UINT32_MAX

/* Of two claims to an address the lower rank counts; two of a kind conflict where it matters. */
enum pold_rank {
	POLD_RANK_NODE,
	POLD_RANK_LOOPBACK,
	POLD_RANK_LINE, /* of the plain format */
	POLD_RANK_POD,
	POLD_RANK_HOST_NETWORK,
	POLD_RANK_APISERVER,
};

struct pold_inventory_address {
	struct polb_addr addr;
	uint8_t rank;
	uint32_t identity; /* of pold_inventory.identities */
	uint32_t ttl_s;    /* 0: for ever; POLD_TTL_DEFAULT */
	struct pold_at at;
};

/* What an inventory speaks about: addresses of other kinds are left as they are. */
enum {
	POLD_SPEAKS_PODS = 1,
	POLD_SPEAKS_NODES = 2,
	POLD_SPEAKS_APISERVER = 4, /* EndpointSlices or Endpoints of default/kubernetes */
	POLD_SPEAKS_ENDPOINTS = 8, /* Pod objects: the plain format knows addresses only */
};

struct pold_source {
	const char *path;
	uint32_t read_s; /* CLOCK_BOOTTIME: what it says was true then */
};

struct pold_address_slot {
	uint32_t index; /* + 1; 0: free */
	uint32_t tag;   /* other bits of the hash: most addresses that differ need no look */
};

struct pold_inventory { /* zero-initialised: empty */
	struct pold_pool pool;
	uint32_t speaks; /* POLD_SPEAKS_* */
	uint32_t n_errors, n_objects;
	POLD_LIST(struct pold_source)
	sources; /* at.path of what came from it is this very pointer */
	POLD_LIST(struct pold_inventory_pod) pods;             /* sorted by namespace, name */
	POLD_LIST(struct pold_inventory_namespace) namespaces; /* sorted by name */
	POLD_LIST(struct pold_inventory_node) nodes;           /* sorted by name */
	pold_addrs apiserver_addrs;
	POLD_LIST(struct pold_who) identities; /* each once */
	POLD_LIST(struct pold_inventory_address)
	addresses;                               /* each once; pold_inventory_address() */
	struct pold_address_slot *address_table; /* by hash */
	size_t address_slots;
	struct pold_plain *plain; /* inventory_plain.c: label sets already seen */
};

/*
 * What is known already, for what an inventory does not speak about. Both may be NULL; the labels
 * are borrowed.
 */
struct pold_inventory_known {
	const char *cluster_name; /* NULL: "default" */
	/* Labels of a namespace of which there is no object, without the derived prefix. */
	void (*namespace_labels)(
		void *context, const char *namespace, struct pold_pool *pool, pold_labels *out);
	void *context;
};

/*
 * Adds one source: documents, Lists or JSON; or the plain format, told by its first character that
 * is no blank and no comment: a digit or ':' or a hexadecimal digit of an address. Mistakes are
 * printed with their line and counted in n_errors. POLD_OK or POLD_BAD.
 */
int pold_inventory_read(struct pold_inventory *inventory, const char *path, const char *text,
	size_t size, uint32_t read_s);
/* Identities and addresses of all sources; call once, last. POLD_OK or POLD_BAD. */
int pold_inventory_finish(
	struct pold_inventory *inventory, const struct pold_inventory_known *known);
void pold_inventory_free(struct pold_inventory *inventory);
const struct pold_inventory_pod *pold_inventory_pod(
	const struct pold_inventory *inventory, const char *namespace, const char *name);
const struct pold_inventory_address *pold_inventory_address(
	const struct pold_inventory *inventory, const struct polb_addr *addr); /* or NULL */
/*
 * Of many addresses in no order each look waits for memory, twice: where the slot is, and the
 * address that it names. Asked for some looks ahead, they are there; `hash` is pold_addr_hash().
 */
void pold_inventory_expect_slot(const struct pold_inventory *inventory, uint64_t hash);
void pold_inventory_expect_address(const struct pold_inventory *inventory, uint64_t hash);
#define POLD_INVENTORY __attribute__((cleanup(pold_inventory_free))) struct pold_inventory

/* For the readers: "PATH:LINE: error: ..." on stderr, counted. */
__attribute__((format(printf, 3, 4))) void pold_inventory_error(
	struct pold_inventory *inventory, struct pold_at at, const char *format, ...);

#endif
