/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The state of policies that the loader can change while they run, and what is counted of them. */
#ifndef POLT_POLICY_H
#define POLT_POLICY_H

#include "context.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, POLT_N_POLICIES);
	__type(key, __u32);
	__type(value, struct polb_trace_policy_state);
} polt_policies SEC(".maps");

/* By selector number; the entry behind the last one is for specs without selectors. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, POLT_N_SELECTORS + 1);
	__type(key, __u32);
	__type(value, struct polb_trace_counter);
} polt_trace_counters SEC(".maps");

/* NULL never happens, but the verifier cannot know. */
static __always_inline struct polb_trace_counter *polt_counter(__u32 selector)
{
	return polt_at(
		&polt_trace_counters, selector < POLT_N_SELECTORS ? selector : POLT_N_SELECTORS);
}

/* polt_count(selector, matched): adds one. Not atomic: a program that interrupts this one in the
 * middle of the addition can lose it, as everywhere in per-CPU counters without fetching atomics.
 */
#define polt_count(selector, member)                                                               \
	do {                                                                                       \
		struct polb_trace_counter *polt_c = polt_counter(selector);                        \
		if (polt_c)                                                                        \
			polt_c->member++;                                                          \
	} while (0)

/* Whether enforcement actions of the policy are carried out; otherwise they are only marked. */
static __always_inline bool polt_enforcing(__u32 policy)
{
	struct polb_trace_policy_state *state = polt_at(&polt_policies, policy);

	return state && READ_ONCE(state->mode) == POLB_MODE_ENFORCE;
}

#if POLT_HAS_BUCKETS
/* Credit in ns: an event costs a second divided by the rate. */
struct polt_bucket_state {
	__u64 last_ns, credit_ns;
	__u64 over; /* events over the limit: one of `sample` is kept */
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, POLT_N_POLICIES);
	__type(key, __u32);
	__type(value, struct polt_bucket_state);
} polt_buckets SEC(".maps");

static __always_inline bool polt_bucket_take(
	const struct polb_trace_policy_state *policy, struct polt_bucket_state *bucket)
{
	__u64 cost = 1000000000ull / policy->events_per_second;
	__u64 burst = policy->burst ? policy->burst : policy->events_per_second;
	__u64 now = bpf_ktime_get_boot_ns(), credit = bucket->credit_ns + now - bucket->last_ns;

	if (credit > burst * cost)
		credit = burst * cost;
	bucket->last_ns = now;
	bucket->credit_ns = credit < cost ? credit : credit - cost;
	return credit >= cost;
}

/* Whether the policy's event rate, on this CPU, lets one more event pass; counts over_limit
 * otherwise. */
static __noinline bool polt_policy_allows(__u32 policy, __u32 selector)
{
	struct polb_trace_policy_state *state = polt_at(&polt_policies, policy);
	struct polt_bucket_state *bucket = polt_at(&polt_buckets, policy);

	if (!state || !bucket || !state->events_per_second || polt_bucket_take(state, bucket))
		return true;
	bucket->over++;
	if (state->sample && bucket->over % state->sample == 0)
		return true;
	polt_count(selector, over_limit);
	return false;
}
#else
static __always_inline bool polt_policy_allows(__u32 policy, __u32 selector)
{
	return true;
}
#endif

#endif
