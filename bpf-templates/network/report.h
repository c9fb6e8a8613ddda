/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Steps 10 and 11: audit mode, counters, events. Every packet that was decided ends here. */
#ifndef POLT_REPORT_H
#define POLT_REPORT_H

#include "audited.h"

#define POLT_SECOND_NS 1000000000ull

#if POLT_LOG_WORDS > 0
static const volatile __u64 polt_logged[POLT_LOG_WORDS] = {POLT_LOG_BITS};
#endif

static __always_inline bool polt_is_logged(__u32 rule)
{
#if POLT_LOG_WORDS > 0
	if (rule < POLT_LOG_WORDS * 64)
		return polt_logged[rule / 64] >> (rule % 64) & 1;
#else
	(void)rule;
#endif
	return false;
}

/* The whole bundle, or all of the endpoint, is in audit mode. `endpoint` may be NULL: there is
 * none.
 */
static __always_inline bool polt_bundle_audits(const struct polb_endpoint *endpoint)
{
	struct polb_config *config = polt_at(&polt_config, 0);

	return (config && config->mode) || (endpoint && endpoint->flags & POLB_ENDPOINT_AUDIT);
}

static __always_inline __u32 polt_audit(__u32 result, const struct polb_endpoint *endpoint)
{
	if (polt_verdict(result) == POLB_VERDICT_DENY && polt_bundle_audits(endpoint))
		return (result & ~0xffu) | POLB_VERDICT_AUDIT;
	return result;
}

/*
 * Not atomic: the map is per CPU, and an interrupt between load and store loses one packet of a
 * statistic; a locked add would cost a fifth of the whole established path.
 */
static __always_inline void polt_count(__u32 rule, __u32 length)
{
	struct polb_counter *counter = polt_at(&polt_counters, rule);

	if (!counter)
		return;
	counter->packets++;
	counter->bytes += length;
}

/* At most event_tokens_per_second events of this CPU in each second. */
static __always_inline bool polt_may_send(__u64 now)
{
	struct polb_config *config = polt_at(&polt_config, 0);
	struct polt_bucket *bucket = polt_at(&polt_bucket, 0);

	if (!config || !bucket)
		return false;
	if (now - bucket->since_ns >= POLT_SECOND_NS) {
		bucket->since_ns = now;
		bucket->used = 0;
	}
	if (bucket->used >= config->event_tokens_per_second) {
		bucket->dropped++;
		return false;
	}
	bucket->used++;
	return true;
}

static __always_inline void polt_fill_event(
	struct polb_event *event, const struct polt_packet *p, __u32 result)
{
	bool icmp = polt_is_icmp(p->key.family, p->key.protocol);

	event->type = POLB_EVENT_VERDICT;
	event->verdict = polt_verdict(result);
	event->direction = p->direction;
	event->family = p->key.family;
	event->protocol = p->key.protocol;
	event->tcp_flags = p->key.protocol == POLT_PROTO_TCP ? p->byte : 0;
	event->pad = 0;
	event->rule = result >> 8;
	event->generation = polt_generation;
	event->endpoint = p->endpoint;
	event->peer_identity =
		p->key.family ? polt_peer_identity(POLT_REMOTE(&p->key), p->key.family) : 0;
	__builtin_memcpy(event->local, p->key.local, sizeof(event->local));
	__builtin_memcpy(event->remote, p->key.remote, sizeof(event->remote));
	event->local_port = icmp ? p->icmp_code : p->key.local_port;
	event->remote_port = icmp ? p->byte : p->key.remote_port;
	event->length = p->length;
	event->endpoint_key = p->key.endpoint;
}

/* The ring is full. */
static __always_inline void polt_not_sent(void)
{
	struct polt_bucket *bucket = polt_at(&polt_bucket, 0);

	if (bucket)
		bucket->dropped++;
}

static __noinline int polt_send_event(const struct polt_packet *p, __u32 result)
{
	__u64 now = bpf_ktime_get_ns();

	if (!polt_may_send(now))
		return 0;
	struct polb_event *event = bpf_ringbuf_reserve(&polt_events, sizeof(*event), 0);
	if (!event) {
		polt_not_sent();
		return 0;
	}
	polt_fill_event(event, p, result);
	event->time_ns = now;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* Counts and reports an outcome; whether the packet passes. */
static __noinline int polt_finish(const struct polt_packet *p, __u64 outcome)
{
	__u8 verdict = polt_verdict(outcome);
	__u32 rule = (__u32)outcome >> 8;

	polt_count(rule, p->length);
	if (verdict == POLB_VERDICT_AUDIT && outcome & POLT_DECIDED)
		polt_audited_keep(p, outcome);
	if (verdict == POLB_VERDICT_DENY ||
		(verdict == POLB_VERDICT_AUDIT && outcome & POLT_DECIDED) ||
		(outcome & POLT_OPENED && polt_is_logged(rule)))
		polt_send_event(p, outcome);
	return verdict != POLB_VERDICT_DENY;
}

static __always_inline __u64 polt_no_endpoint(void)
{
	__u32 denied = POLT_RESULT(POLB_RULE_NO_ENDPOINT, POLB_VERDICT_DENY);

	return polt_audit(denied, NULL) | POLT_DECIDED;
}

#endif
