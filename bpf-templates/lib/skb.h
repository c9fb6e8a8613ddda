/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The packet as a program's context: the members of include/uapi/linux/bpf.h that are used. */
#ifndef POLT_LIB_SKB_H
#define POLT_LIB_SKB_H

#include "bpf.h"

struct bpf_sock {
	__u32 bound_dev_if;
	__u32 family;
	__u32 type;
	__u32 protocol;
	__u32 mark;
	__u32 priority;
	__u32 src_ip4;
	__u32 src_ip6[4];
	__u32 src_port;
	__u16 dst_port;
	__u16 pad;
	__u32 dst_ip4;
	__u32 dst_ip6[4];
	__u32 state;
};
enum { POLT_SOCK_LISTEN = 10 }; /* enum bpf_tcp_state: BPF_TCP_LISTEN */

/* The verifier rewrites each access by its offset: unused members keep their places. */
struct __sk_buff {
	__u32 len;
	__u32 unused_pkt_type_to_protocol[4];
	__u32 vlan_present;
	__u32 unused_vlan_tci_to_ingress_ifindex[4];
	__u32 ifindex;
	__u32 unused_tc_index_to_tc_classid[8];
	__u32 data;
	__u32 data_end;
	__u32 unused_napi_id_to_data_meta[14];
	__u64 unused_flow_keys_to_wire_len[3];
	struct bpf_sock *sk;
};
_Static_assert(__builtin_offsetof(struct __sk_buff, vlan_present) == 20, "uapi layout");
_Static_assert(__builtin_offsetof(struct __sk_buff, ifindex) == 40, "uapi layout");
_Static_assert(__builtin_offsetof(struct __sk_buff, data) == 76, "uapi layout");
_Static_assert(__builtin_offsetof(struct __sk_buff, sk) == 168, "uapi layout");

enum { POLT_TC_UNSPEC = -1, POLT_TC_SHOT = 2 }; /* TC_ACT_UNSPEC, TC_ACT_SHOT */

static __always_inline void *polt_data(const struct __sk_buff *skb)
{
	return (void *)(long)skb->data;
}

static __always_inline void *polt_data_end(const struct __sk_buff *skb)
{
	return (void *)(long)skb->data_end;
}

#endif
