/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who may talk to whom, as a graph: what exists (or, without an inventory, what policies select) as
 * nodes in clusters of namespaces, connections as edges with their ports. One set of policies, or
 * an old and a new one merged, with what changes. Knows nothing of pictures or formats.
 *
 * Endpoints that every rule treats alike form a class. Pairs of classes are decided once, all ports
 * together as bit sets over port classes: exact for every port, protocol and ICMP type, and checked
 * against the reference evaluator. A node may stand for several endpoints; an edge then holds for
 * some of them, and for all when the node is one class (groups POD and WORKLOAD). With addresses of
 * both families a port is allowed when either family may use it.
 */
#ifndef POLC_TOPOLOGY_H
#define POLC_TOPOLOGY_H

#include "../ir/network.h"

enum polc_topology_group {
	POLC_TOPOLOGY_AUTO, /* the finest that can still be read */
	POLC_TOPOLOGY_POD,
	POLC_TOPOLOGY_WORKLOAD, /* pods of one workload that are alike */
	POLC_TOPOLOGY_NAMESPACE,
	POLC_TOPOLOGY_CLASS,     /* pods of one namespace that are alike; chosen by AUTO only */
	POLC_TOPOLOGY_SELECTORS, /* no inventory: subjects and peers as they are written */
};

/* X(enumerator, name): why there is an edge. */
#define POLC_TOPOLOGY_STYLES(X)                                                                    \
	X(ALLOW, "allow")         /* both sides allow, a rule or an isolated side is involved */   \
	X(DEFAULT, "default")     /* no rule decides on either side */                             \
	X(DENY, "deny")           /* a rule denies */                                              \
	X(ONE_SIDED, "one-sided") /* a rule of one side allows, the other side does not */

enum polc_topology_style {
#define X(name, text) POLC_TOPOLOGY_##name,
	POLC_TOPOLOGY_STYLES(X)
#undef X
};
enum {
#define X(name, text) +1
	POLC_TOPOLOGY_N_STYLES = 0 POLC_TOPOLOGY_STYLES(X)
#undef X
};

enum polc_topology_change {
	POLC_TOPOLOGY_SAME,
	POLC_TOPOLOGY_ADDED,
	POLC_TOPOLOGY_REMOVED,
	POLC_TOPOLOGY_CHANGED,
};

/* What becomes of connections that no rule allows, in one direction. */
enum polc_topology_isolation {
	POLC_TOPOLOGY_UNGOVERNED, /* not an endpoint */
	POLC_TOPOLOGY_OPEN,
	POLC_TOPOLOGY_ISOLATED,
	POLC_TOPOLOGY_PARTLY, /* some members are open */
};

enum polc_topology_kind {
	POLC_TOPOLOGY_PODS,    /* endpoints, or (SELECTORS) a selector of pods */
	POLC_TOPOLOGY_OUTSIDE, /* world, CIDRs, nodes, entities */
	/* Every endpoint that is open on the other side: stands for the default connections
	 * between all of them when there are too many to draw one by one. */
	POLC_TOPOLOGY_ANY_OPEN,
};

struct polc_topology_node {
	enum polc_topology_kind kind;
	const char *name;
	uint32_t count;   /* endpoints it stands for; 0: not countable */
	uint32_t cluster; /* or POLC_TOPOLOGY_NO_CLUSTER */
	enum polc_topology_change change;
	/* [set][direction]; of sets that have the node */
	enum polc_topology_isolation isolation[2][2];
	POLC_VEC(const char *) members; /* "ns/pod", addresses; sorted */
};
#define POLC_TOPOLOGY_NO_CLUSTER UINT32_MAX

struct polc_topology_cluster {
	const char *name;
	enum polc_topology_change change;
	uint32_t n_nodes;
};

struct polc_topology_rule {
	uint32_t set;
	uint32_t id;                   /* as in events; reserved reasons too */
	enum polc_direction direction; /* the side that it decides */
};

struct polc_topology_end {
	bool is_cluster; /* every node of the cluster (but the other end itself) */
	uint32_t index;  /* of nodes or clusters */
};

struct polc_topology_edge {
	struct polc_topology_end from, to; /* equal ends: members among each other */
	bool both;                         /* the same in both directions */
	enum polc_topology_style style;
	enum polc_topology_change change;
	const char *ports; /* "tcp/80,443; udp/53", "all"; of the newest set that has the edge */
	const char *gained, *lost; /* CHANGED: ports only in the new, only in the old set */
	POLC_VEC(struct polc_topology_rule) rules; /* sorted, unique */
};

struct polc_topology {
	enum polc_topology_group group; /* never AUTO */
	uint32_t n_sets;
	uint32_t n_endpoints, n_policies; /* of the newest set */
	POLC_VEC(struct polc_topology_cluster) clusters;
	POLC_VEC(struct polc_topology_node) nodes;
	POLC_VEC(struct polc_topology_edge) edges;
};

/* One set of policies and what it is applied to. All borrowed. */
struct polc_topology_set {
	const struct polc_network *network;
	const struct polc_identities *identities;
	const struct polc_inventory *inventory;
};

struct polc_topology_port { /* ICMP: type; protocols without ports: 0 */
	uint8_t protocol;
	uint16_t port;
};

struct polc_topology_options {
	enum polc_topology_group group;    /* AUTO, POD, WORKLOAD or NAMESPACE */
	bool denied;                       /* DENY and ONE_SIDED edges too; not with two sets */
	const struct polb_addr *externals; /* outside addresses to show whatever policies say */
	size_t n_externals;
	const struct polc_topology_port *ports; /* only these; none: all */
	size_t n_ports;
	const char *namespace; /* only its nodes and their neighbours; NULL: all */
	/* One party and its neighbours: the pod, else the outside party of that name, else the
	 * address when it has a family. */
	const struct polc_pod *focus_pod;
	const char *focus_name; /* "world", "host", "kube-apiserver", ... */
	struct polb_addr focus_addr;
};

/*
 * The graph of one set, or of an old (sets[0]) and a new one merged: then only changes and what is
 * allowed by rules in both. Clusters sorted by name, nodes by cluster and name, edges by ends and
 * style. Arena-owned; NULL when the focus is not in the graph.
 */
const struct polc_topology *polc_topology_build(struct polc_arena *arena,
	const struct polc_topology_set *sets, size_t n_sets,
	const struct polc_topology_options *options);

#endif
