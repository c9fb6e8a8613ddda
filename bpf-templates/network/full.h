/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Steps 4 to 7: what is settled before, or without, the flow table. */
#ifndef POLT_FULL_H
#define POLT_FULL_H

#include "flow.h"
#include "parse.h"

static __always_inline bool polt_packet_icmp(const struct polt_packet *p)
{
	return polt_is_icmp(p->key.family, p->key.protocol);
}

static __always_inline struct polb_fragment_key polt_fragment_key(const struct polt_packet *p)
{
	bool out = p->direction == POLB_EGRESS;
	struct polb_fragment_key key = {
		.id = p->fragment_id,
		.family = p->key.family,
		.protocol = p->key.protocol,
		.direction = p->direction,
		.endpoint = p->key.endpoint,
	};

	__builtin_memcpy(key.src, out ? p->key.local : p->key.remote, sizeof(key.src));
	__builtin_memcpy(key.dst, out ? p->key.remote : p->key.local, sizeof(key.dst));
	return key;
}

/* A later fragment gets the ports of the first; false: the first was not seen. */
static __noinline int polt_find_fragment(struct polt_packet *p)
{
	struct polb_fragment_key key = polt_fragment_key(p);
	struct polb_fragment *first = bpf_map_lookup_elem(&polt_fragments, &key);

	if (!first)
		return false;
	__u16 src = first->src_port, dst = first->dst_port;
	polt_apply_layer4(p, polt_packet_icmp(p) ? polt_icmp_fields(p->key.family, src, 0, dst)
						 : POLT_L4_PORTS(src, dst));
	p->opening = false;
	return true;
}

static __noinline int polt_keep_fragment(const struct polt_packet *p)
{
	struct polb_fragment_key key = polt_fragment_key(p);
	bool out = p->direction == POLB_EGRESS;
	struct polb_fragment first = {
		.src_port = out ? p->key.local_port : p->key.remote_port,
		.dst_port = out ? p->key.remote_port : p->key.local_port,
	};

	if (polt_packet_icmp(p)) {
		first.src_port = p->byte;
		first.dst_port = p->key.local_port;
	}
	return bpf_map_update_elem(&polt_fragments, &key, &first, BPF_ANY);
}

static __always_inline bool polt_protocol_need(const struct polt_packet *p)
{
	if (!polt_packet_icmp(p))
		return false;
	/* the code of a later fragment is not known */
	if (p->key.family == 4)
		return p->byte == 3 && p->icmp_code == 4 && p->fragment != POLT_LATER;
	return p->byte == 2 || (p->byte >= 130 && p->byte <= 136) || p->byte == 143;
}

static __always_inline bool polt_icmp_error(const struct polt_packet *p)
{
	if (!polt_packet_icmp(p) || p->fragment == POLT_LATER)
		return false;
	if (p->key.family == 4)
		return p->byte == 3 || p->byte == 11 || p->byte == 12;
	return p->byte == 1 || p->byte == 3 || p->byte == 4;
}

/*
 * The verdict of the flow of `p` now, NONE without one. One of another epoch is decided again, in
 * its origin's direction.
 */
static __always_inline __u8 polt_flow_verdict(
	const struct polt_packet *p, const struct polb_endpoint *endpoint)
{
	struct polb_flow *flow = bpf_map_lookup_elem(&polt_flows, &p->key);
	struct polb_config *config = polt_at(&polt_config, 0);

	if (!flow || !config || !polt_flow_live(flow, p, config, polt_jiffies()))
		return POLB_VERDICT_NONE;
	struct polb_flow copy = *flow;
	__u32 result = copy.state;
	if ((__u32)(copy.state >> 32) != p->epoch) {
		result = polt_audit(polt_judge_packet(p, endpoint, copy.origin), endpoint);
		copy.state = polt_state(p, result);
		if (polt_verdict(result) != POLB_VERDICT_DENY)
			bpf_map_update_elem(&polt_flows, &p->key, &copy, BPF_ANY);
	}
	return polt_verdict(result);
}

/* The verdict of the endpoint's flow that the packet quoted by an ICMP error belongs to, or NONE.
 */
static __always_inline __u8 polt_related(
	struct __sk_buff *skb, const struct polt_packet *p, const struct polb_endpoint *endpoint)
{
	/* whoever is told of an error sent the packet */
	struct polt_packet inner = {
		.key.endpoint = p->key.endpoint,
		.epoch = p->epoch,
		.direction = !p->direction,
	};

	if (!polt_parse_ip(skb, &inner, p->l4 + POLT_ICMP_HEADER, p->key.family, true))
		return POLB_VERDICT_NONE;
	if (inner.fragment == POLT_LATER || inner.stateless)
		return POLB_VERDICT_NONE;
	return polt_flow_verdict(&inner, endpoint);
}

#if POLT_HAS_SWITCHABLE
/*
 * An error about a flow that only policies in audit mode would deny: as much allowed as the flow,
 * and reported when it would not pass either.
 */
static __always_inline __u32 polt_related_audit(
	const struct polt_packet *p, const struct polb_endpoint *endpoint)
{
	__u32 table = polt_tables_of(endpoint, p->direction) >> 32;
	__u32 all = polt_judge(
		POLT_REMOTE(&p->key), polt_asked(p, p->direction), POLB_TABLES(table, table));

	if (polt_verdict(all) == POLB_VERDICT_DENY)
		return (all & ~0xffu) | POLB_VERDICT_AUDIT;
	return POLT_RESULT(POLB_RULE_RELATED, POLB_VERDICT_ALLOW);
}
#endif

/* Without a policy everything passes; with policies in audit mode alone it is reported. */
static __always_inline __u32 polt_unless_free(
	const struct polt_packet *p, const struct polb_endpoint *endpoint, __u32 rule)
{
	__u64 tables = polt_tables_of(endpoint, p->direction);

	if ((__u32)tables)
		return POLT_RESULT(rule, POLB_VERDICT_DENY);
	if (tables)
		return POLT_RESULT(rule, POLB_VERDICT_AUDIT);
	return POLT_RESULT(POLB_RULE_NONE, POLB_VERDICT_ALLOW);
}

/* A packet that was not parsed. */
static __always_inline __u32 polt_unparsed(
	const struct polt_packet *p, const struct polb_endpoint *endpoint, int parsed)
{
	if (parsed == POLT_MALFORMED)
		return POLT_RESULT(POLB_RULE_MALFORMED, POLB_VERDICT_DENY);
	return polt_unless_free(p, endpoint, POLB_RULE_NOT_IP);
}

/* Steps 4 to 6. */
static __always_inline __u32 polt_settle(
	struct polt_packet *p, const struct polb_endpoint *endpoint)
{
	if (p->fragment == POLT_LATER && !polt_find_fragment(p))
		return polt_unless_free(p, endpoint, POLB_RULE_FRAGMENT);
	if (!(endpoint->flags & POLB_ENDPOINT_HOST_NETNS) &&
		(polt_same_address(&p->key) || polt_loopback(&p->key)))
		return POLT_RESULT(POLB_RULE_SELF, POLB_VERDICT_ALLOW);
	if (polt_protocol_need(p))
		return POLT_RESULT(POLB_RULE_PROTOCOL_NEED, POLB_VERDICT_ALLOW);
	return 0;
}

/* `parsed` is what polt_parse said, ARP excepted. The outcome, or 0. */
static __noinline __u64 polt_before_flow(struct polt_packet *p, int parsed)
{
	struct polb_endpoint *endpoint = polt_at(&polt_endpoints, p->endpoint);
	__u32 result;

	if (!endpoint)
		return polt_no_endpoint();
	if (parsed == POLT_PARSED)
		result = polt_settle(p, endpoint);
	else
		result = polt_unparsed(p, endpoint, parsed);
	return result ? polt_audit(result, endpoint) | POLT_DECIDED : 0;
}

/* Step 7, and ICMP that leaves no flow. */
static __noinline __u64 polt_stateless(struct __sk_buff *skb, const struct polt_packet *p)
{
	struct polb_endpoint *endpoint = polt_at(&polt_endpoints, p->endpoint);

	if (!endpoint)
		return polt_no_endpoint();
	__u8 related = polt_icmp_error(p) ? polt_related(skb, p, endpoint) : POLB_VERDICT_NONE;
	if (related == POLB_VERDICT_ALLOW)
		return POLT_RESULT(POLB_RULE_RELATED, POLB_VERDICT_ALLOW) | POLT_DECIDED;
#if POLT_HAS_SWITCHABLE
	if (related == POLB_VERDICT_AUDIT && !polt_bundle_audits(endpoint))
		return polt_related_audit(p, endpoint) | POLT_DECIDED;
#endif
	return polt_audit(polt_judge_packet(p, endpoint, p->direction), endpoint) | POLT_DECIDED |
	       POLT_OPENED;
}

#endif
