/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One generation's classes and peer maps: what kept identities are there, and writing it. */
#ifndef POLD_PEERS_H
#define POLD_PEERS_H

#include "classes.h"
#include "store.h"

struct pold_peers {
	const struct polb_bundle *bundle;
	const char *node;            /* whose addresses are the host's */
	int classes_fd, peers_fd[2]; /* IPv4, IPv6 */
	struct pold_classes classes;
	struct pold_pool pool;
	struct pold_numbers *numbers; /* the bundle's numbers of label sets, read when asked for */
	/* what is to be written, by family */
	POLD_LIST(uint32_t) keys4;
	POLD_LIST(struct polb_peer) values4;
	struct {
		uint8_t (*items)[16];
		size_t n, cap;
	} keys6;
	POLD_LIST(struct polb_peer) values6;
	POLD_LIST(struct polb_addr) deleted;
};
#define POLD_PEERS __attribute__((cleanup(pold_peers_close))) struct pold_peers
#define POLD_PEERS_INIT                                                                            \
	{                                                                                          \
		.classes_fd = -1, .peers_fd = { -1, -1 }                                           \
	}

/* 0 or -errno. */
int pold_peers_open(const struct polb_bundle *bundle, const char *name, uint32_t generation,
	const char *node, struct pold_peers *out);
void pold_peers_close(struct pold_peers *peers);
/* The entry of a kept identity; chooses its class. 0 or -errno as pold_class_of(). */
int pold_peer_of(struct pold_peers *peers, const struct pold_store *store, uint32_t set,
	const struct polb_addr *addr, const struct pold_kept *kept, struct polb_peer *out);
/* What the bundle itself says of an address. */
bool pold_peer_own(
	const struct pold_peers *peers, const struct polb_addr *addr, struct polb_peer *out);
void pold_peers_put(
	struct pold_peers *peers, const struct polb_addr *addr, const struct polb_peer *peer);
void pold_peers_drop(struct pold_peers *peers, const struct polb_addr *addr);
/* Classes, then addresses, then what is dropped. 0 or -errno. */
int pold_peers_write(struct pold_peers *peers);
/* Every entry in force, malloc'd. 0 or -errno. */
struct pold_peer_entry {
	struct polb_addr addr;
	struct polb_peer peer;
};
int pold_peers_read(const struct pold_peers *peers, struct pold_peer_entry **out, size_t *n);
/* identity_list.c: `identity list`. Exit code. */
struct pold_options;
struct pold_state;
int pold_identity_list(const struct pold_options *options, struct pold_state *state);
/* "no room for ..." for a failure of the above. Exit code. */
int pold_peers_refuse(const struct polb_addr *addr, int err);
/* The node that a generation was applied for. 0 or -errno. */
int pold_generation_node(const char *name, uint32_t generation, char *out, size_t size);

#endif
