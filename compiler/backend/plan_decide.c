/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the programs compute from a plan's data, in C: the third voice between the evaluator and the
 * kernel. A disagreement with the evaluator is the plan's fault, one with the kernel the
 * templates'.
 */
#include <netinet/in.h>
#include <string.h>

#include "plan_internal.h"

static uint32_t port_entry(uint8_t protocol, uint8_t family, uint16_t port)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return POLB_PORTS_TCP + port;
	case IPPROTO_UDP:
		return POLB_PORTS_UDP + port;
	case IPPROTO_SCTP:
		return POLB_PORTS_SCTP + port;
	default:
		break;
	}
	if (protocol == IPPROTO_ICMP && family == 4)
		return POLB_PORTS_ICMP + (port & 0xff);
	if (protocol == IPPROTO_ICMPV6 && family == 6)
		return POLB_PORTS_ICMPV6 + (port & 0xff);
	return POLB_PORTS_OTHER + protocol;
}

static uint32_t port_class(const struct polc_plan *plan, uint32_t entry)
{
	uint32_t lo = 0, hi = plan->n_ports;

	while (lo + 1 < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (plan->ports[mid].first <= entry)
			lo = mid;
		else
			hi = mid;
	}
	return plan->ports[lo].class_id;
}

static const struct polc_plan_peer *exact(
	const struct polc_plan *plan, const struct polb_addr *addr)
{
	uint32_t lo = 0, hi = plan->n_peers;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = polb_addr_compare(&plan->peers[mid].addr, addr);
		if (!c)
			return &plan->peers[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static uint32_t peer_class(
	const struct polc_plan *plan, const struct polb_addr *addr, const char *local_node)
{
	const struct polc_plan_peer *peer = exact(plan, addr);
	const struct polc_plan_cidr *best = NULL;

	if (!peer && !plan->uses_ipv4_cidr && polc_addr_is_loopback(addr)) {
		static const struct polb_addr localhost = {4, {127, 0, 0, 1}};
		peer = exact(plan, &localhost);
	}
	if (peer) {
		bool local = peer->node && local_node && !strcmp(peer->node, local_node);
		return local ? peer->local_class_id : peer->class_id;
	}
	for (uint32_t i = 0; i < plan->n_cidrs; i++)
		if (polb_prefix_has(&plan->cidrs[i].prefix, addr) &&
			(!best || plan->cidrs[i].prefix.len > best->prefix.len))
			best = &plan->cidrs[i];
	if (best)
		return best->class_id;
	return addr->family == 4 ? POLB_CLASS_WORLD_IPV4 : POLB_CLASS_WORLD_IPV6;
}

static bool step_hits(const struct polc_plan *plan, const struct polc_plan_step *step,
	const uint64_t *bits, uint32_t *rule)
{
	for (uint32_t w = 0; w < plan->n_words; w++) {
		uint64_t hit = step->mask[w] & bits[w];
		if (!hit)
			continue;
		uint64_t below = step->mask[w] & ((hit & -hit) - 1);
		*rule = plan->rule_ids[step->rule_base[w] + (uint32_t)__builtin_popcountll(below)];
		return true;
	}
	return false;
}

static enum polb_verdict decide(const struct polc_plan *plan, uint32_t table,
	uint32_t port_class_id, const uint64_t *bits, uint32_t *rule)
{
	const struct polb_row *row =
		&plan->rows[plan->rows_index[table * plan->n_port_classes + port_class_id]];

	for (uint32_t i = 0; i < row->n_steps;) {
		const struct polc_plan_step *step = &plan->steps[row->first_step + i];
		if (!step_hits(plan, step, bits, rule))
			i++;
		else if (step->action == POLB_VERDICT_PASS)
			i = row->pass_to;
		else
			return (enum polb_verdict)step->action;
	}
	*rule = row->default_rule;
	return (enum polb_verdict)row->default_verdict;
}

/* With the modes that the policies start in. */
static uint32_t decisive_table(
	const struct polc_plan *plan, const struct polc_plan_variant *variant)
{
	uint32_t enforced = 0;

	for (uint32_t i = 0; i < variant->n_policies; i++)
		if (!plan->network->switchables[variant->policies[i]].audit)
			enforced |= 1u << i;
	return variant->tables[enforced];
}

enum polb_verdict polc_plan_decide(const struct polc_plan *plan, uint32_t endpoint,
	enum polc_direction direction, const struct polb_addr *peer, uint8_t protocol,
	uint16_t port, uint32_t *rule)
{
	const struct polc_plan_endpoint *e = &plan->endpoints[endpoint];
	uint32_t table = e->table[direction], all_rule;
	const struct polc_plan_variant *variant = polc_plan_variant_of(plan, table);
	uint32_t class_id = port_class(plan, port_entry(protocol, peer->family, port));
	const uint64_t *bits = plan->classes[peer_class(plan, peer, e->pod->node)].bits;

	if (!variant)
		return decide(plan, table, class_id, bits, rule);
	uint32_t decisive = decisive_table(plan, variant);
	uint32_t all = variant->tables[(1u << variant->n_policies) - 1];
	enum polb_verdict verdict = decide(plan, decisive, class_id, bits, rule);

	if (verdict != POLB_VERDICT_ALLOW || all == decisive ||
		decide(plan, all, class_id, bits, &all_rule) != POLB_VERDICT_DENY)
		return verdict;
	*rule = all_rule;
	return POLB_VERDICT_AUDIT;
}
