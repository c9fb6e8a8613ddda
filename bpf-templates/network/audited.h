/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What audit mode lets pass, added up where it is decided: only packets that were decided come
 * here, established traffic costs nothing. Per entry one hash lookup and four atomic additions.
 */
#ifndef POLT_AUDITED_H
#define POLT_AUDITED_H

#include "judge.h"

static __always_inline void polt_audited_fill(
	struct polb_audited_key *key, const struct polt_packet *p, __u64 outcome)
{
	__u32 direction = outcome & POLT_REPLY ? !p->direction : p->direction;

	key->endpoint = p->endpoint;
	key->rule = (__u32)outcome >> 8;
	key->direction = direction;
	if (!p->key.family)
		return;
	key->family = p->key.family;
	key->protocol = p->key.protocol;
	key->identity = polt_peer_identity(POLT_REMOTE(&p->key), p->key.family);
	if (!POLB_IDENTITY_NAMED(key->identity))
		__builtin_memcpy(key->remote, p->key.remote, sizeof(key->remote));
	if (polt_is_icmp(p->key.family, p->key.protocol))
		key->port = direction == p->direction ? p->byte : p->icmp_pair;
	else
		key->port = direction == POLB_EGRESS ? p->key.remote_port : p->key.local_port;
}

/* Another CPU may have been first; what finds no room is counted in the entry of the zero key. */
static __always_inline struct polb_audited *polt_audited_entry(const struct polb_audited_key *key)
{
	struct polb_audited *entry = bpf_map_lookup_elem(&polt_audited, key);

	if (entry)
		return entry;
	struct polb_audited fresh = {.first_ns = bpf_ktime_get_ns()};
	bpf_map_update_elem(&polt_audited, key, &fresh, BPF_NOEXIST);
	entry = bpf_map_lookup_elem(&polt_audited, key);
	if (entry)
		return entry;
	struct polb_audited_key overflow = {};
	return bpf_map_lookup_elem(&polt_audited, &overflow);
}

static __noinline int polt_audited_keep(const struct polt_packet *p, __u64 outcome)
{
	struct polb_audited_key key = {};

	polt_audited_fill(&key, p, outcome);
	struct polb_audited *entry = polt_audited_entry(&key);
	if (!entry)
		return 0;
	if (outcome & POLT_OPENED)
		__sync_fetch_and_add(&entry->flows, 1);
	__sync_fetch_and_add(&entry->packets, 1);
	__sync_fetch_and_add(&entry->bytes, p->length);
	WRITE_ONCE(entry->last_ns, bpf_ktime_get_ns());
	return 0;
}

#endif
