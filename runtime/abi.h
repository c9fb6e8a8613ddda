/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The layout shared by the BPF templates, the compiler and the loader: map keys and values, events,
 * numbers. Included by BPF code: only <linux/types.h>, fixed widths, explicit padding, no pointers.
 * A change of a pinned layout (flow, control) changes POLB_ABI_VERSION, which is part of pin names.
 */
#ifndef POLB_ABI_H
#define POLB_ABI_H

#include <linux/types.h>

#define POLB_ABI_VERSION 1

enum polb_direction { POLB_INGRESS = 0, POLB_EGRESS = 1 };

enum polb_verdict {
	POLB_VERDICT_NONE = 0, /* no decision at this step */
	POLB_VERDICT_ALLOW = 1,
	POLB_VERDICT_DENY = 2,
	POLB_VERDICT_PASS = 3,  /* only as a step's action: go on with the step at row.pass_to */
	POLB_VERDICT_AUDIT = 4, /* would be denied, passed because of audit mode (events, flows) */
};

/* Rule numbers below POLB_RULE_FIRST are not written by anybody; counters and events use them. */
enum polb_reserved_rule {
	POLB_RULE_NONE = 0,          /* default allow: nothing isolates the endpoint here */
	POLB_RULE_DEFAULT_DENY = 1,  /* isolated, and no rule allows */
	POLB_RULE_LOCAL_NODE = 2,    /* implicit: the endpoint's own node may reach it */
	POLB_RULE_SELF = 3,          /* an endpoint talking to itself */
	POLB_RULE_MALFORMED = 4,     /* truncated or unparsable packet: denied */
	POLB_RULE_FRAGMENT = 5,      /* later fragment whose first one was not seen: denied */
	POLB_RULE_RELATED = 6,       /* ICMP error of an allowed flow */
	POLB_RULE_PROTOCOL_NEED = 7, /* neighbour discovery, fragmentation needed: always allowed */
	POLB_RULE_NO_ENDPOINT = 8,   /* an endpoint without a record: denied */
	POLB_RULE_NOT_IP = 9,        /* neither IPv4, IPv6 nor ARP */
	POLB_RULE_EXPIRED = 10, /* what is known of the peer is too old, and is not to be kept */
	POLB_RULE_FIRST = 16,
};

/* Value of the peer maps (exact and LPM): who an address is. */
enum {
	POLB_PEER_KEEP = 1, /* expired: goes on as before, instead of being denied */
};
struct polb_peer {
	__u32 identity;  /* Cilium numbering, reference 1.7; for events only */
	__u32 class_id;  /* index into the class map */
	__u32 expires_s; /* by bpf_ktime_get_boot_ns; 0: never */
	__u32 flags;     /* POLB_PEER_* */
};

struct polb_lpm4 {
	__u32 prefix_len;
	__u8 addr[4];
};
struct polb_lpm6 {
	__u32 prefix_len;
	__u8 addr[16];
};

/* Class ids with a fixed meaning. */
enum { POLB_CLASS_WORLD_IPV4 = 0, POLB_CLASS_WORLD_IPV6 = 1, POLB_CLASS_FIRST = 2 };
#define POLB_CLASS_EXPIRED 0xffffffffu /* in no map: denied */

/*
 * Value of the class map: the selector bits that all members satisfy, sparse: the n non-zero words,
 * ascending. The array is POLT_CLASS_WORDS long in a given bundle.
 */
struct polb_class_word {
	__u64 bits;
	__u32 word;
	__u32 pad;
};
struct polb_class_head {
	__u32 n;
	__u32 pad;
	/* struct polb_class_word words[POLT_CLASS_WORDS]; */
};

/*
 * Decision: row index = rows_index[(table * number of port classes) + port_class], a u32 array;
 * table 0 is "no policy": every entry is row 0 (zero steps, allow).
 * Row: steps [first_step, first_step + n_steps) of the step map, in order; the first step one of
 * whose mask bits the peer satisfies decides; PASS goes on at step first_step + pass_to. No step:
 * the default.
 */
struct polb_row {
	__u32 first_step;
	__u16 n_steps;
	__u16 pass_to;
	__u32 default_rule;
	__u8 default_verdict;
	__u8 pad[3];
};

/*
 * Value of the step map: head, then one slot for each of the POLT_WORDS words of a bit vector. A
 * step's mask is mostly empty: slot 0 means no bit of that word, slot n is entry head.first_word +
 * n - 1 of the map of step words. The rule of bit b of a step word is rule_ids[rules +
 * popcount(mask & ((1 << b) - 1))].
 */
struct polb_step_word {
	__u64 mask;
	__u32 rules;
	__u32 pad;
};
struct polb_step_head {
	__u32 action; /* enum polb_verdict: ALLOW, DENY or PASS */
	__u32 first_word;
	/* __u16 slots[POLB_STEP_SLOTS(POLT_WORDS)]; */
};
/* Whole u64 words: the kernel rounds values up to them. */
#define POLB_STEP_SLOTS(n_words) (((n_words) + 3) / 4 * 4)

/*
 * Port classes: one u16 per (protocol, port), all in the single value of the port_class map. Bases
 * in entries; ICMP sections are indexed by type, OTHER by IP protocol number.
 */
enum {
	POLB_PORTS_TCP = 0,
	POLB_PORTS_UDP = 65536,
	POLB_PORTS_SCTP = 131072,
	POLB_PORTS_ICMP = 196608,
	POLB_PORTS_ICMPV6 = 196864,
	POLB_PORTS_OTHER = 197120,
	POLB_PORTS_END = 197376,
};

/*
 * Value of the table of tables, by the number that an endpoint record names; only where policies
 * can be switched. One aligned 64-bit store of the loader changes it: the table that decides in the
 * low half, the one with every policy enforced in the high half.
 */
#define POLB_TABLES(decides, all) ((__u64)(all) << 32 | (__u32)(decides))

/* Endpoint record: value of the endpoint array, index = endpoint number (0 is never used). */
enum {
	/* shares the host's network namespace: nothing is known to be itself */
	POLB_ENDPOINT_HOST_NETNS = 1,
	POLB_ENDPOINT_AUDIT = 2,
};
struct polb_endpoint {
	__u64 key;      /* cgroup id or interface index: the endpoint part of a flow key */
	__u32 table[2]; /* by enum polb_direction */
	__u32 identity;
	__u32 flags;
};

/* Value of the cgroup storage map, written by the loader after attaching. */
struct polb_cgroup_endpoint {
	__u64 key;      /* cgroup id */
	__u32 endpoint; /* 0: use config.fallback_endpoint */
	__u32 pad;
};

/* The flow table's key: addresses in network order (IPv4 in the first word), ports host order. */
struct polb_flow_key {
	__u32 local[4];
	__u32 remote[4];
	__u16 local_port;
	__u16 remote_port;
	__u8 family; /* 4 or 6 */
	__u8 protocol;
	__u8 origin_hint; /* ICMP queries: kind, and direction of the request; else 0 */
	__u8 pad;
	__u64 endpoint; /* polb_endpoint.key */
};

struct polb_flow {
	__u64 state;     /* POLB_STATE(): epoch, rule, verdict; one aligned store */
	__u32 last_seen; /* low 32 bits of jiffies */
	__u8 origin;     /* enum polb_direction of the first packet */
	__u8 closing;    /* TCP: FIN or RST seen */
	__u8 pad[2];
};
/* verdict in bits 0-7, rule in 8-31, epoch in 32-63 */
#define POLB_STATE(epoch, rule, verdict)                                                           \
	(((__u64)(epoch) << 32) | ((__u64)(rule) << 8) | (__u64)(verdict))

/* Value of the socket storage: one flow's verdict, its key written once, at creation. */
struct polb_socket_flow {
	struct polb_flow_key key;
	__u64 state;
	__u8 origin;
	__u8 pad[7];
};

struct polb_fragment_key {
	__u32 src[4];
	__u32 dst[4];
	__u32 id;
	__u8 family;
	__u8 protocol;
	__u8 direction;
	__u8 pad;
	__u64 endpoint;
};
struct polb_fragment {
	__u16 src_port; /* or ICMP: type in src_port, id in dst_port */
	__u16 dst_port;
	__u32 pad;
};

/*
 * The pinned cell (one-entry mmapable array, shared by all generations of a named bundle):
 * generation in the high half, epoch in the low half; one aligned 64-bit store changes both.
 * A program whose generation is not the active one does nothing. Cached verdicts of another epoch
 * are decided again. While what decides is being changed the epoch has a mark under which no
 * verdict is kept: however far a change came that was killed, every packet is decided by what is
 * there.
 */
#define POLB_EPOCH_CHANGING 0x80000000u
struct polb_control {
	__u64 generation_epoch;
};

/* One-entry array of a generation, written by the loader. */
struct polb_config {
	__u32 mode; /* 0 enforce, 1 audit */
	__u32 fallback_endpoint;
	__u32 udp_timeout_jiffies; /* every protocol but TCP */
	__u32 closing_timeout_jiffies;
	__u64 adopt_until_ns; /* until then (bpf_ktime), TCP in mid-stream may be taken in either
				 direction */
	__u32 event_tokens_per_second; /* per CPU */
	__u32 pad;
};

struct polb_counter { /* per-CPU array by rule number */
	__u64 packets;
	__u64 bytes;
};

/*
 * Hash polt_audited: what audit mode has let pass, for `polload report` without a reader of events.
 * remote is zero where the identity's labels say who the peer is (POLB_IDENTITY_NAMED), so that all
 * members of a workload are one entry. The loader puts the entry of the all-zero key there; what
 * finds no room is counted in its packets.
 */
#define POLB_IDENTITY_NAMED(identity)                                                              \
	((identity) != 0 && (identity) != 2 && (identity) != 9 && (identity) != 10 &&              \
		(identity) < 0x01000000u)
#define POLB_AUDITED_ENTRIES 16384
struct polb_audited_key {
	__u32 endpoint;
	__u32 rule;
	__u32 identity;
	__u32 remote[4]; /* network order; IPv4 in the first word */
	__u16 port;      /* destination port; ICMP: type; else 0 */
	__u8 protocol;
	__u8 family;    /* 0: not parsed */
	__u8 direction; /* of the flow's first packet */
	__u8 pad[3];
};
struct polb_audited { /* packets and bytes that were decided, not later ones of the flow */
	__u64 flows;
	__u64 packets, bytes;
	__u64 first_ns, last_ns; /* bpf_ktime_get_ns */
};

enum polb_event_type { POLB_EVENT_VERDICT = 1 };
struct polb_event {
	__u8 type; /* enum polb_event_type */
	__u8 verdict;
	__u8 direction;
	__u8 family;
	__u8 protocol;
	__u8 tcp_flags;
	__u16 pad;
	__u32 rule;
	__u32 generation;
	__u32 endpoint;
	__u32 peer_identity;
	__u32 local[4];
	__u32 remote[4];
	__u16 local_port;
	__u16 remote_port; /* ICMP: type in remote_port, code in local_port */
	__u32 length;
	__u64 time_ns; /* bpf_ktime_get_ns */
	__u64 endpoint_key;
};

#endif
