// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The lookup structure that incumbents use per forward packet of an established flow, and nothing
 * else of them (reference/cilium-policy 2.1 to 2.4): flow table, address to identity by LPM, and
 * the policy trie {prefixlen, identity, direction, protocol, port} asked twice, with the identity
 * and with 0. Parsing is the same as in bpf-templates/network/short.h: one linear IPv4 TCP or UDP
 * packet. It leaves out what would make it slower: proxies, NAT, events, metrics per rule.
 */
#include "runtime/abi.h"
#include "lib/bpf.h"
#include "lib/protocols.h"
#include "lib/skb.h"

struct policy_key {
	__u32 prefix_len;
	__u32 identity;
	__u8 egress;
	__u8 protocol;
	__u16 port; /* network order */
};
struct policy_entry {
	__u16 proxy_port;
	__u8 deny, pad;
	__u32 auth;
	__u32 precedence;
};
struct ipcache_key {
	__u32 prefix_len;
	__u16 cluster;
	__u8 pad, family;
	__u32 addr[4];
};
struct remote_info {
	__u32 identity, tunnel, key;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct polb_flow_key);
	__type(value, struct polb_flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 512000);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct ipcache_key);
	__type(value, struct remote_info);
} ipcache SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct policy_key);
	__type(value, struct policy_entry);
} policy SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct polb_counter);
} metrics SEC(".maps");

static __always_inline bool parse(
	const struct __sk_buff *skb, struct polb_flow_key *key, __u16 *port)
{
	const void *data = polt_data(skb), *data_end = polt_data_end(skb);
	const struct polt_ipv4 *ip = data + POLT_ETH_HEADER;
	const struct polt_ports *ports = (const void *)(ip + 1);

	if ((const void *)ip + sizeof(*ip) + POLT_TCP_HEADER > data_end)
		return false;
	if (*(const __u16 *)(data + POLT_ETH_HEADER - 2) != polt_htons(POLT_ETHERTYPE_IPV4) ||
		ip->version_ihl != 0x45)
		return false;
	key->family = 4;
	key->protocol = ip->protocol;
	key->local[0] = ip->dst;
	key->remote[0] = ip->src;
	key->local_port = polt_ntohs(ports->dst);
	key->remote_port = polt_ntohs(ports->src);
	*port = ports->dst;
	return true;
}

static __always_inline __u32 identity_of(__u32 addr)
{
	struct ipcache_key key = {.prefix_len = 64, .family = 1, .addr = {addr}};
	struct remote_info *info = bpf_map_lookup_elem(&ipcache, &key);

	return info ? info->identity : 2;
}

/* The better of the entry for the identity and the entry for all. */
static __always_inline bool policy_allows(__u32 identity, __u8 protocol, __u16 port)
{
	struct policy_key key = {
		.prefix_len = 64, .identity = identity, .protocol = protocol, .port = port};
	struct policy_entry *own = bpf_map_lookup_elem(&policy, &key), *all;

	if (own && own->deny)
		return false;
	key.identity = 0;
	all = bpf_map_lookup_elem(&policy, &key);
	if (!own || (all && all->precedence > own->precedence))
		own = all;
	return own && !own->deny;
}

static __always_inline void count(__u32 verdict, __u32 length)
{
	struct polb_counter *counter = bpf_map_lookup_elem(&metrics, &verdict);

	if (counter) {
		counter->packets++;
		counter->bytes += length;
	}
}

SEC("tc") int incumbent(struct __sk_buff *skb)
{
	struct polb_flow_key key = {};
	__u16 port;

	if (!parse(skb, &key, &port))
		return POLT_TC_SHOT;
	struct polb_flow *flow = bpf_map_lookup_elem(&flows, &key);
	bool allowed = policy_allows(identity_of(key.remote[0]), key.protocol, port);

	count(allowed, skb->len);
	if (!allowed)
		return POLT_TC_SHOT;
	if (flow) {
		__u32 now = bpf_jiffies64();

		if (flow->last_seen != now)
			flow->last_seen = now;
	} else {
		struct polb_flow created = {.last_seen = bpf_jiffies64()};

		bpf_map_update_elem(&flows, &key, &created, BPF_ANY);
	}
	return POLT_TC_UNSPEC;
}

char incumbent_license[] SEC("license") = "Dual BSD/GPL";
