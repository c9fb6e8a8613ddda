// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The decision in user space, from the maps of the loaded instance.
#include "decision.h"

#include "runtime/decide.h"

static struct polb_live live_of(const struct kernel *kernel, const struct polb_bundle *bundle)
{
#define FD(name) polb_instance_map_fd(kernel->instance, name)
	return (struct polb_live){.bundle = bundle,
		.config_fd = FD("polt_config"),
		.endpoints_fd = FD("polt_endpoints"),
		.peers_fd = {FD("polt_peers4"), FD("polt_peers6")},
		.cidrs_fd = {FD("polt_cidrs4"), FD("polt_cidrs6")},
		.classes_fd = FD("polt_classes"),
		.tables_fd = FD("polt_tables")};
#undef FD
}

const char *decision_differs(const struct kernel *kernel, const struct polb_bundle *bundle,
	uint32_t endpoint, const struct packet *packet, enum polc_direction direction,
	uint32_t verdict, const uint32_t *rule)
{
	const struct polb_live live = live_of(kernel, bundle);
	const struct polc_packet_spec *spec = &packet->spec;
	bool out = packet->direction == POLC_EGRESS, same = direction == packet->direction;
	struct polb_question question = {.endpoint = endpoint,
		.direction = direction == POLC_EGRESS ? POLB_EGRESS : POLB_INGRESS,
		.local = out ? spec->src : spec->dst,
		.remote = out ? spec->dst : spec->src,
		.protocol = spec->protocol,
		.port = packet_is_icmp(spec) ? spec->icmp_type
			: same               ? spec->dport
					     : spec->sport,
		.icmp_code = spec->icmp_code};
	struct polb_decision decision;

	if (polb_decide(&live, &question, &decision))
		return "polb_decide fails";
	if (decision.verdict != verdict)
		return "polb_decide has another verdict";
	return !rule || decision.rule == *rule ? NULL : "polb_decide names another rule";
}
