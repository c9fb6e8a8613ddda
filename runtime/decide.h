/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the network programs would decide about the first packet of a flow, from the same data: maps
 * that change while a bundle is in force are read from the kernel, those that are frozen after they
 * were filled from the bundle. Steps 5, 6, 9 and 10 of bpf-templates/datapath.md; no flow table.
 */
#ifndef POLB_DECIDE_H
#define POLB_DECIDE_H

#include <stdbool.h>

#include "bundle.h"

/* Descriptors of a generation's maps, borrowed; -1: the bundle has no such map. */
struct polb_live {
	const struct polb_bundle *bundle;
	int config_fd, endpoints_fd;
	int peers_fd[2], cidrs_fd[2]; /* IPv4, IPv6 */
	int classes_fd;
	int tables_fd; /* polt_tables: policies that can be switched */
};

struct polb_question {
	__u32 endpoint;  /* number: whose policy */
	__u32 direction; /* of the flow's first packet, enum polb_direction */
	struct polb_addr remote;
	struct polb_addr local;       /* family 0: not known; only "to itself" needs it */
	const struct polb_peer *peer; /* not NULL: this, and remote says the family only */
	__u8 protocol;
	__u8 icmp_code;
	__u16 port; /* of the destination; ICMP: the type */
};

enum polb_peer_source { POLB_PEER_WORLD, POLB_PEER_EXACT, POLB_PEER_PREFIX, POLB_PEER_GIVEN };
#define POLB_NO_STEP UINT32_MAX
struct polb_decision {
	__u32 verdict; /* ALLOW, DENY or AUDIT: what the packet gets */
	__u32 rule;
	struct polb_endpoint endpoint;
	struct polb_peer peer;
	enum polb_peer_source peer_source;
	__u32 table;      /* that decided; 0: no policy */
	__u32 all_tables; /* the one with every policy enforced; differs when some are in audit mode
			   */
	__u32 port_class;
	__u32 row;
	__u32 step;                        /* within the row, POLB_NO_STEP: its default */
	bool looked_up;                    /* the members from `table` on have a meaning */
	bool bundle_audits, policy_audits; /* why the verdict is AUDIT */
};

/* 0, -ENOENT: no such endpoint; -EINVAL: data that contradicts itself; or another -errno. */
int polb_decide(const struct polb_live *live, const struct polb_question *question,
	struct polb_decision *out);
/* Who an address is now: peer maps, prefix maps, world. 0 or -errno. */
int polb_live_peer(const struct polb_live *live, const struct polb_addr *addr,
	struct polb_peer *out, enum polb_peer_source *source);
/*
 * The selectors that a class satisfies, as n_words u64, malloc'd into *bits (NULL without a class
 * map). 0 or -errno.
 */
int polb_live_bits(const struct polb_live *live, __u32 class_id, __u64 **bits);

#endif
