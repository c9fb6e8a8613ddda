/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The programs at the hooks: steps 1 and 2 of bpf-templates/datapath.md (is this generation active,
 * whose packet is it), then short.h. cgroup programs see layer 3; tc programs see Ethernet on the
 * host side of the endpoint's veth, so "from" (the endpoint sends) is attached to its ingress.
 *
 * Budget, per program (clang 14; kernels 5.10, 6.1, 6.12, 6.18, 7.3):
 *   instructions  2,700 to 3,400 with the functions they share
 *   verifier      14,000 to 17,000 processed (before 6.8, which knows less of a stack: 32,000 to
 *                 35,000), and about 55 per class word and 35 per step more.
 *                 Loaded on all: 2,048 class words with 2 steps, 4 with 2,048, 1,024 with 1,024
 *   stack         144 here; the deepest chain (polt_flow_packet, polt_judge, polt_decide,
 *                 polt_match) comes to about 410 of 512
 *   maps          22 at most with .rodata; an established packet looks up 4 to 6 of them, one of
 *                 them by hash (tc: two; TCP with its verdict in the socket: none)
 *   helpers       none newer than 5.8 (ringbuf); cgroup storage by __u64 key needs 5.9
 */
#include "short.h"

/* A place that is nobody's is being attached or detached: both directions begin and end as one. */
static __always_inline int polt_nobodys(const struct polt_packet *p)
{
	return p->endpoint ? polt_finish(p, polt_no_endpoint()) : true;
}

#if POLT_HOOK_CGROUP
static __always_inline bool polt_cgroup_endpoint(struct polt_packet *p)
{
	struct polb_cgroup_endpoint *own = bpf_get_local_storage(&polt_cgroup, 0);

	p->endpoint = own->endpoint;
	p->key.endpoint = own->key;
	if (likely(p->endpoint))
		return true;
	struct polb_config *config = polt_at(&polt_config, 0);
	if (!config || !config->fallback_endpoint)
		return false;
	p->endpoint = config->fallback_endpoint;
	struct polb_endpoint *endpoint = polt_at(&polt_endpoints, p->endpoint);
	if (!endpoint)
		return false;
	p->key.endpoint = endpoint->key;
	return true;
}

static __always_inline int polt_cgroup_program(struct __sk_buff *skb, __u8 direction)
{
	struct polt_packet p;

	polt_packet_init(&p, skb->len, POLT_CGROUP, direction);
	if (!polt_active_epoch(&p.epoch))
		return 1;
	if (!polt_cgroup_endpoint(&p))
		return polt_nobodys(&p);
	return polt_packet(skb, &p);
}

SEC("cgroup_skb/ingress") int polt_cgroup_in(struct __sk_buff *skb)
{
	return polt_cgroup_program(skb, POLB_INGRESS) ? 1 : 0;
}

SEC("cgroup_skb/egress") int polt_cgroup_out(struct __sk_buff *skb)
{
	return polt_cgroup_program(skb, POLB_EGRESS) ? 1 : 0;
}
#endif

#if POLT_HOOK_TC
static __always_inline bool polt_interface_endpoint(
	const struct __sk_buff *skb, struct polt_packet *p)
{
	__u32 ifindex = skb->ifindex;
	__u32 *number = bpf_map_lookup_elem(&polt_interfaces, &ifindex);

	if (!number || !*number)
		return false;
	p->endpoint = *number;
	struct polb_endpoint *endpoint = polt_at(&polt_endpoints, p->endpoint);
	if (!endpoint)
		return false;
	p->key.endpoint = endpoint->key;
	return true;
}

static __always_inline int polt_tc_program(struct __sk_buff *skb, __u8 direction)
{
	struct polt_packet p;

	polt_packet_init(&p, skb->len, POLT_TC, direction);
	if (!polt_active_epoch(&p.epoch))
		return true;
	if (!polt_interface_endpoint(skb, &p))
		return polt_nobodys(&p);
	return polt_packet(skb, &p);
}

SEC("tc") int polt_tc_from(struct __sk_buff *skb)
{
	return polt_tc_program(skb, POLB_EGRESS) ? POLT_TC_UNSPEC : POLT_TC_SHOT;
}

SEC("tc") int polt_tc_to(struct __sk_buff *skb)
{
	return polt_tc_program(skb, POLB_INGRESS) ? POLT_TC_UNSPEC : POLT_TC_SHOT;
}
#endif
