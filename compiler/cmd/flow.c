/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Ports as people write them, and both sides of one connection decided by the evaluator. */
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "flow.h"

static const struct {
	const char *name;
	uint8_t number;
} protocols[] = {
	{"tcp", IPPROTO_TCP},
	{"udp", IPPROTO_UDP},
	{"sctp", IPPROTO_SCTP},
	{"icmp", IPPROTO_ICMP},
	{"icmpv6", IPPROTO_ICMPV6},
};

/* A decimal number of at most `max`, nothing around it. */
static bool parse_number(const char *text, uint32_t max, uint32_t *out)
{
	uint32_t value = 0;

	if (!*text || strlen(text) > 5)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (uint32_t)(*text - '0');
	}
	*out = value;
	return value <= max;
}

bool polc_protocol_parse(const char *text, uint8_t *out)
{
	uint32_t number;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(protocols); i++) {
		if (!strcasecmp(protocols[i].name, text)) {
			*out = protocols[i].number;
			return true;
		}
	}
	if (!parse_number(text, 255, &number))
		return false;
	*out = (uint8_t)number;
	return true;
}

const char *polc_protocol_text(struct polc_arena *arena, uint8_t protocol)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	return polc_arena_printf(arena, "%u", protocol);
}

static bool is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

bool polc_service_port_valid(struct polc_service_port port)
{
	return !is_icmp(port.protocol) || port.port <= 255;
}

static bool parse_ip_protocol(const char *text, struct polc_service_port *out)
{
	uint32_t number;

	if (!parse_number(text, 255, &number))
		return false;
	*out = (struct polc_service_port){.protocol = (uint8_t)number};
	return true;
}

bool polc_service_port_parse(const char *text, struct polc_service_port *out)
{
	const char *slash = strchr(text, '/');
	char name[16] = "";
	uint8_t protocol;
	uint32_t number;

	if (!slash || (size_t)(slash - text) >= sizeof(name))
		return false;
	memcpy(name, text, (size_t)(slash - text));
	if (!strcasecmp(name, "ip"))
		return parse_ip_protocol(slash + 1, out);
	if (!polc_protocol_parse(name, &protocol))
		return false;
	if (!parse_number(slash + 1, is_icmp(protocol) ? 255 : 65535, &number))
		return false;
	*out = (struct polc_service_port){.protocol = protocol, .port = (uint16_t)number};
	return true;
}

static bool find_family(const struct polc_party *party, uint8_t family, struct polb_addr *out)
{
	for (size_t i = 0; i < party->n_addrs; i++) {
		if (party->addrs[i].family == family) {
			*out = party->addrs[i];
			return true;
		}
	}
	return false;
}

bool polc_flow_make(const struct polc_party *src, const struct polc_party *dst,
	struct polc_service_port port, struct polc_flow *out)
{
	static const uint8_t families[] = {4, 6};

	*out = (struct polc_flow){.src = src, .dst = dst, .port = port};
	for (size_t i = 0; i < 2; i++) {
		if (port.protocol == IPPROTO_ICMP && families[i] != 4)
			continue;
		if (port.protocol == IPPROTO_ICMPV6 && families[i] != 6)
			continue;
		if (find_family(src, families[i], &out->src_addr) &&
			find_family(dst, families[i], &out->dst_addr))
			return true;
	}
	return false;
}

bool polc_flow_governed(const struct polc_flow *flow, enum polc_direction direction)
{
	return (direction == POLC_EGRESS ? flow->src : flow->dst)->endpoint != NULL;
}

struct polc_question polc_flow_question(const struct polc_flow *flow, enum polc_direction direction)
{
	bool out = direction == POLC_EGRESS;

	return (struct polc_question){
		.endpoint = (out ? flow->src : flow->dst)->endpoint,
		.direction = direction,
		.peer = out ? flow->dst_addr : flow->src_addr,
		.protocol = flow->port.protocol,
		.port = flow->port.port,
	};
}

void polc_flow_decide(struct polc_cmd *cmd, struct polc_arena *arena, const struct polc_flow *flow,
	enum polc_direction direction, struct polc_decision *decision)
{
	const struct polc_question question = polc_flow_question(flow, direction);

	polc_evaluate(arena, cmd->network, cmd->identities, &question, decision);
}

static void evaluate_side(struct polc_cmd *cmd, struct polc_arena *scratch,
	const struct polc_flow *flow, enum polc_direction direction, struct polc_side *side)
{
	struct polc_decision decision = {0};

	*side = (struct polc_side){.verdict = POLB_VERDICT_ALLOW};
	if (!polc_flow_governed(flow, direction))
		return;
	polc_flow_decide(cmd, scratch, flow, direction, &decision);
	*side = (struct polc_side){
		.governed = true,
		.verdict = decision.verdict,
		.rule_known = true,
		.rule = decision.rule,
	};
}

void polc_flow_conclude(struct polc_flow_answer *answer)
{
	answer->verdict = polc_flow_verdict(
		answer->side[POLC_EGRESS].verdict, answer->side[POLC_INGRESS].verdict);
}

enum polb_verdict polc_flow_verdict(enum polb_verdict egress, enum polb_verdict ingress)
{
	if (egress == POLB_VERDICT_ALLOW)
		return ingress;
	if (egress == POLB_VERDICT_AUDIT && ingress == POLB_VERDICT_DENY)
		return POLB_VERDICT_DENY;
	return egress;
}

void polc_flow_evaluate(struct polc_cmd *cmd, struct polc_arena *scratch,
	const struct polc_flow *flow, struct polc_flow_answer *answer)
{
	evaluate_side(cmd, scratch, flow, POLC_EGRESS, &answer->side[POLC_EGRESS]);
	evaluate_side(cmd, scratch, flow, POLC_INGRESS, &answer->side[POLC_INGRESS]);
	polc_flow_conclude(answer);
}

const struct polc_side *polc_flow_deciding_side(const struct polc_flow_answer *answer)
{
	const struct polc_side *egress = &answer->side[POLC_EGRESS];
	const struct polc_side *ingress = &answer->side[POLC_INGRESS];

	if (egress->governed && egress->verdict != POLB_VERDICT_ALLOW &&
		egress->verdict == answer->verdict)
		return egress;
	if (ingress->governed)
		return ingress;
	return egress->governed ? egress : NULL;
}
