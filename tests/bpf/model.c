// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The steps of bpf-templates/datapath.md, in their order. A run is shorter than any timeout but for
// model_age().
#include "model.h"

#include <netinet/in.h>
#include <string.h>

enum { SLOTS = 1 << 14 };

void model_init(struct model *model, struct polc_arena *arena)
{
	*model = (struct model){.arena = arena, .n_slots = SLOTS};
	model->flows = POLC_NEW_ARRAY(arena, SLOTS, struct model_flow);
}

/* --- packets -------------------------------------------------------------------------------- */

bool packet_is_icmp(const struct polc_packet_spec *spec)
{
	return spec->protocol == (spec->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

/* request, reply */
static const struct {
	uint8_t family, request, reply;
} queries[] = {{4, 8, 0}, {4, 13, 14}, {4, 15, 16}, {4, 17, 18}, {6, 128, 129}};

int packet_icmp_partner(const struct polc_packet_spec *spec)
{
	for (size_t i = 0; packet_is_icmp(spec) && i < POLC_ARRAY_SIZE(queries); i++) {
		if (queries[i].family != spec->family)
			continue;
		if (queries[i].request == spec->icmp_type)
			return queries[i].reply;
		if (queries[i].reply == spec->icmp_type)
			return queries[i].request;
	}
	return -1;
}

bool packet_is_icmp_request(const struct polc_packet_spec *spec)
{
	for (size_t i = 0; packet_is_icmp(spec) && i < POLC_ARRAY_SIZE(queries); i++)
		if (queries[i].family == spec->family && queries[i].request == spec->icmp_type)
			return true;
	return false;
}

static bool is_later_fragment(const struct polc_packet_spec *spec)
{
	return spec->fragment && spec->fragment_offset;
}

bool packet_is_opening(const struct polc_packet_spec *spec)
{
	if (is_later_fragment(spec))
		return false;
	if (spec->protocol == IPPROTO_TCP)
		return (spec->tcp_flags & (POLC_TCP_SYN | POLC_TCP_ACK)) == POLC_TCP_SYN;
	if (spec->protocol == IPPROTO_SCTP)
		return spec->sctp_chunk == POLC_SCTP_INIT;
	return packet_is_icmp_request(spec);
}

static bool is_always_needed(const struct polc_packet_spec *spec)
{
	if (!packet_is_icmp(spec))
		return false;
	if (spec->family == 4)
		return spec->icmp_type == 3 && spec->icmp_code == 4;
	return spec->icmp_type == 2 || (spec->icmp_type >= 130 && spec->icmp_type <= 136) ||
	       spec->icmp_type == 143;
}

static bool is_icmp_error(const struct polc_packet_spec *spec)
{
	uint8_t type = spec->icmp_type;

	if (!packet_is_icmp(spec))
		return false;
	if (spec->family == 4)
		return type == 3 || type == 11 || type == 12;
	return type == 1 || type == 3 || type == 4;
}

static bool is_loopback(const struct polb_addr *addr)
{
	static const uint8_t one[16] = {[15] = 1};

	return addr->family == 4 ? addr->bytes[0] == 127 : !memcmp(addr->bytes, one, 16);
}

/* --- the flow table ------------------------------------------------------------------------- */

static enum polc_direction opposite(enum polc_direction direction)
{
	return direction == POLC_INGRESS ? POLC_EGRESS : POLC_INGRESS;
}

/* False: this packet leaves no flow. */
static bool flow_key(const struct model *model, const struct polc_packet_spec *spec,
	enum polc_direction direction, struct polb_flow_key *key)
{
	bool out = direction == POLC_EGRESS;
	const struct polb_addr *local = out ? &spec->src : &spec->dst;
	const struct polb_addr *remote = out ? &spec->dst : &spec->src;
	bool icmp = packet_is_icmp(spec), query = packet_icmp_partner(spec) >= 0;

	memset(key, 0, sizeof(*key));
	if (icmp && !query)
		return false;
	memcpy(key->local, local->bytes, 16);
	memcpy(key->remote, remote->bytes, 16);
	key->family = spec->family;
	key->protocol = spec->protocol;
	key->endpoint = model->endpoint_key;
	if (query) {
		key->local_port = key->remote_port = spec->icmp_id;
		bool request = packet_is_icmp_request(spec);
		int kind = request ? spec->icmp_type : packet_icmp_partner(spec);

		key->origin_hint = (uint8_t)(1 + (request ? direction : opposite(direction)) +
					     2 * (kind & 0x7f));
	} else if (has_ports(spec->protocol)) {
		key->local_port = out ? spec->sport : spec->dport;
		key->remote_port = out ? spec->dport : spec->sport;
	}
	return true;
}

static size_t hash_key(const struct polb_flow_key *key)
{
	const unsigned char *p = (const unsigned char *)key;
	size_t hash = 14695981039346656037u;

	for (size_t i = 0; i < sizeof(*key); i++)
		hash = (hash ^ p[i]) * 1099511628211u;
	return hash;
}

/* The slot of a key: its entry, or the free slot where it would be. */
static struct model_flow *flow_slot(struct model *model, const struct polb_flow_key *key)
{
	size_t i = hash_key(key) % model->n_slots;

	for (size_t steps = 0; steps < model->n_slots; steps++, i = (i + 1) % model->n_slots)
		if (!model->flows[i].used || !memcmp(&model->flows[i].key, key, sizeof(*key)))
			return &model->flows[i];
	POLC_BUG("the oracle's flow table is full");
}

static bool flow_is_live(const struct model_flow *flow)
{
	return flow->used && !flow->deleted && !flow->expired;
}

/* --- decisions ------------------------------------------------------------------------------ */

static void result(struct expectation *out, const char *step, enum polb_verdict verdict,
	const uint32_t *candidates, size_t n)
{
	out->step = step;
	out->verdict = verdict;
	out->pass = verdict != POLB_VERDICT_DENY;
	out->counted = true;
	out->candidates = candidates;
	out->n_candidates = n;
}

static const uint32_t reserved_rules[POLB_RULE_FIRST] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void reserved(const struct model *model, struct expectation *out, const char *step,
	enum polb_verdict verdict, enum polb_reserved_rule rule)
{
	if (verdict == POLB_VERDICT_DENY && model->audit)
		verdict = POLB_VERDICT_AUDIT;
	result(out, step, verdict, &reserved_rules[rule], 1);
}

/* The destination port, or ICMP type, if `spec` (travelling in `direction`) belonged to a flow of
 * `origin`. */
static uint16_t decision_port(const struct polc_packet_spec *spec, enum polc_direction direction,
	enum polc_direction origin)
{
	if (packet_is_icmp(spec))
		return (uint16_t)(direction == origin ? spec->icmp_type
						      : packet_icmp_partner(spec));
	if (!has_ports(spec->protocol))
		return 0;
	return direction == origin ? spec->dport : spec->sport;
}

static void decide_by(struct model *model, const struct polc_network *network,
	const struct polc_packet_spec *spec, enum polc_direction direction,
	enum polc_direction origin, struct polc_decision *decision)
{
	struct polc_question question = {
		.endpoint = model->endpoint,
		.direction = origin,
		.peer = direction == POLC_EGRESS ? spec->dst : spec->src,
		.protocol = spec->protocol,
		.port = decision_port(spec, direction, origin),
	};

	if (model->aliased && !polb_addr_compare(&question.peer, &model->alias_from))
		question.peer = model->alias_to;
	*decision = (struct polc_decision){0};
	polc_evaluate(model->arena, network, model->identities, &question, decision);
	if (decision->isolation)
		decision->rule = decision->isolation;
	if (!decision->n_candidates) {
		decision->candidates = &decision->rule;
		decision->n_candidates = 1;
	}
}

static void decide(struct model *model, const struct polc_packet_spec *spec,
	enum polc_direction direction, enum polc_direction origin, struct polc_decision *decision)
{
	decide_by(model, model->network, spec, direction, origin, decision);
}

/* Decides in the origin's direction; audit applied. */
static enum polb_verdict decide_flow(struct model *model, const struct polc_packet_spec *spec,
	enum polc_direction direction, enum polc_direction origin, const uint32_t **candidates,
	size_t *n)
{
	struct polc_decision *decision = POLC_NEW(model->arena, struct polc_decision);

	decide(model, spec, direction, origin, decision);
	*candidates = decision->candidates;
	*n = decision->n_candidates;
	if (decision->verdict == POLB_VERDICT_DENY && model->audit)
		return POLB_VERDICT_AUDIT;
	return decision->verdict;
}

static bool closes(const struct polc_packet_spec *spec)
{
	return spec->protocol == IPPROTO_TCP && spec->tcp_flags & (POLC_TCP_FIN | POLC_TCP_RST);
}

static void keep_flow(struct model_flow *flow, const struct polb_flow_key *key, uint32_t epoch,
	enum polc_direction origin, const struct expectation *from)
{
	*flow = (struct model_flow){.key = *key,
		.used = true,
		.epoch = epoch,
		.origin = origin,
		.closing = flow->closing,
		.verdict = from->verdict,
		.candidates = from->candidates,
		.n_candidates = from->n_candidates};
}

/*
 * A flow that is denied from now on. TCP is remembered with the verdict and no current epoch, so
 * that the other end, going on, opens no new flow; other protocols are forgotten.
 */
static void deny_flow(
	struct model *model, struct model_flow *flow, bool closing, const struct expectation *from)
{
	if (flow->key.protocol != IPPROTO_TCP) {
		flow->deleted = true;
	} else if (flow->verdict != POLB_VERDICT_DENY) {
		flow->closing = closing;
		keep_flow(flow, &flow->key, model->epoch - 1, flow->origin, from);
	}
}

/* Step 8 for a live entry; false: the packet is to be decided as if there were none. */
static bool use_flow(struct model *model, struct model_flow *flow, const struct packet *packet,
	struct expectation *out)
{
	const struct polc_packet_spec *spec = &packet->spec;
	const uint32_t *candidates;
	size_t n;

	if (packet_is_opening(spec) && (packet->direction != flow->origin || flow->closing))
		return false;
	bool closing = flow->closing;

	flow->closing |= closes(spec);
	if (flow->epoch == model->epoch) {
		result(out, "8 established", flow->verdict, flow->candidates, flow->n_candidates);
		return true;
	}
	enum polb_verdict verdict =
		decide_flow(model, spec, packet->direction, flow->origin, &candidates, &n);

	result(out, "8 decided again", verdict, candidates, n);
	if (verdict == POLB_VERDICT_DENY)
		deny_flow(model, flow, closing, out);
	else
		keep_flow(flow, &flow->key, model->epoch, flow->origin, out);
	return true;
}

static void new_flow(struct model *model, struct model_flow *flow, const struct polb_flow_key *key,
	const struct packet *packet, struct expectation *out)
{
	const struct polc_packet_spec *spec = &packet->spec;
	enum polc_direction origin = packet->direction;
	struct polc_decision *decision = POLC_NEW(model->arena, struct polc_decision);

	decide(model, spec, origin, origin, decision);
	if (decision->verdict == POLB_VERDICT_DENY && model->adopt &&
		spec->protocol == IPPROTO_TCP && !packet_is_opening(spec)) {
		struct polc_decision *other = POLC_NEW(model->arena, struct polc_decision);

		decide(model, spec, packet->direction, opposite(origin), other);
		if (other->verdict != POLB_VERDICT_DENY) {
			decision = other;
			origin = opposite(origin);
		}
	}
	enum polb_verdict verdict = decision->verdict;

	if (verdict == POLB_VERDICT_DENY && model->audit)
		verdict = POLB_VERDICT_AUDIT;
	result(out, flow ? "8 new flow" : "9 decided, no flow", verdict, decision->candidates,
		decision->n_candidates);
	if (!flow || verdict == POLB_VERDICT_DENY)
		return;
	flow->closing = closes(spec);
	keep_flow(flow, key, model->epoch, origin, out);
}

static void flow_step(struct model *model, const struct packet *packet, struct expectation *out)
{
	out->has_flow = flow_key(model, &packet->spec, packet->direction, &out->key);
	if (!out->has_flow) {
		new_flow(model, NULL, NULL, packet, out);
		return;
	}
	struct model_flow *flow = flow_slot(model, &out->key);

	if (!flow_is_live(flow) || !use_flow(model, flow, packet, out))
		new_flow(model, flow, &out->key, packet, out);
	out->flow_exists = flow_is_live(flow);
	out->flow_left = flow->used && flow->expired;
	out->flow_epoch = flow->epoch;
	out->flow_verdict = flow->verdict;
	out->flow_origin = flow->origin;
}

/* Step 7: the verdict of the flow that the packet inside belongs to; NONE without one. */
static enum polb_verdict related_verdict(struct model *model, const struct packet *packet)
{
	const struct packet *inner = packet->inner;
	enum polc_direction direction = opposite(packet->direction);
	struct polb_flow_key key;
	struct expectation again = {0};

	if (!is_icmp_error(&packet->spec) || !inner ||
		!flow_key(model, &inner->spec, direction, &key))
		return POLB_VERDICT_NONE;
	struct model_flow *flow = flow_slot(model, &key);

	if (!flow_is_live(flow))
		return POLB_VERDICT_NONE;
	if (flow->epoch != model->epoch) {
		again.verdict = decide_flow(model, &inner->spec, direction, flow->origin,
			&again.candidates, &again.n_candidates);
		if (again.verdict == POLB_VERDICT_DENY) /* its own packets will see to it */
			return POLB_VERDICT_NONE;
		keep_flow(flow, &flow->key, model->epoch, flow->origin, &again);
	}
	return flow->verdict;
}

/* True when the step settles it. A flow that only passes because of modes has errors like it. */
static bool related_step(struct model *model, const struct packet *packet, struct expectation *out)
{
	enum polb_verdict verdict = related_verdict(model, packet);
	struct polc_decision *all;

	if (verdict == POLB_VERDICT_ALLOW)
		reserved(model, out, "7 related", POLB_VERDICT_ALLOW, POLB_RULE_RELATED);
	if (verdict != POLB_VERDICT_AUDIT || model->audit)
		return verdict == POLB_VERDICT_ALLOW;
	all = POLC_NEW(model->arena, struct polc_decision);
	decide_by(model, polc_network_view(model->arena, model->network, POLC_VIEW_ALL),
		&packet->spec, packet->direction, packet->direction, all);
	if (all->verdict == POLB_VERDICT_DENY)
		result(out, "7 related, audit", POLB_VERDICT_AUDIT, all->candidates,
			all->n_candidates);
	else
		reserved(model, out, "7 related", POLB_VERDICT_ALLOW, POLB_RULE_RELATED);
	return true;
}

/* --- fragments ------------------------------------------------------------------------------ */

static void fragment_key(
	const struct model *model, const struct packet *packet, struct polb_fragment_key *key)
{
	memset(key, 0, sizeof(*key));
	memcpy(key->src, packet->spec.src.bytes, 16);
	memcpy(key->dst, packet->spec.dst.bytes, 16);
	key->id = packet->spec.fragment_id;
	key->family = packet->spec.family;
	key->protocol = packet->spec.protocol;
	key->direction = (uint8_t)packet->direction;
	key->endpoint = model->endpoint_key;
}

static struct model_fragment *find_fragment(
	struct model *model, const struct polb_fragment_key *key)
{
	for (size_t i = 0; i < model->fragments.n; i++)
		if (!memcmp(&model->fragments.items[i].key, key, sizeof(*key)))
			return &model->fragments.items[i];
	return NULL;
}

static void keep_fragment(struct model *model, const struct packet *packet)
{
	struct polb_fragment_key key;
	bool icmp = packet_is_icmp(&packet->spec);

	fragment_key(model, packet, &key);
	struct model_fragment *fragment = find_fragment(model, &key);

	if (!fragment)
		fragment = polc_vec_push(model->arena, &model->fragments);
	fragment->key = key;
	fragment->ports = (struct polb_fragment){
		.src_port = icmp ? packet->spec.icmp_type : packet->spec.sport,
		.dst_port = icmp ? packet->spec.icmp_id : packet->spec.dport};
}

/* The packet with what its first fragment said; false when that is unknown. */
static bool complete_fragment(struct model *model, struct packet *packet)
{
	struct polb_fragment_key key;

	fragment_key(model, packet, &key);
	const struct model_fragment *fragment = find_fragment(model, &key);

	if (!fragment)
		return false;
	packet->spec.tcp_flags = 0;
	packet->spec.icmp_code = 0;
	packet->inner = NULL;
	if (packet_is_icmp(&packet->spec)) {
		packet->spec.icmp_type = (uint8_t)fragment->ports.src_port;
		packet->spec.icmp_id = fragment->ports.dst_port;
	} else {
		packet->spec.sport = fragment->ports.src_port;
		packet->spec.dport = fragment->ports.dst_port;
	}
	return true;
}

/* --- the order of steps --------------------------------------------------------------------- */

static void ip_steps(struct model *model, const struct packet *packet, struct expectation *out)
{
	const struct polc_packet_spec *spec = &packet->spec;

	if (!model->host_netns && (!polb_addr_compare(&spec->src, &spec->dst) ||
					  is_loopback(&spec->src) || is_loopback(&spec->dst)))
		reserved(model, out, "5 self", POLB_VERDICT_ALLOW, POLB_RULE_SELF);
	else if (is_always_needed(spec))
		reserved(model, out, "6 needed", POLB_VERDICT_ALLOW, POLB_RULE_PROTOCOL_NEED);
	else if (!related_step(model, packet, out))
		flow_step(model, packet, out);
}

/* What policies of any kind deny, whatever they say. */
static void unless_free(const struct model *model, enum polc_direction direction,
	struct expectation *out, const char *step, enum polb_reserved_rule rule)
{
	if (!model->no_policy[direction])
		reserved(model, out, step, POLB_VERDICT_DENY, rule);
	else if (!model->no_policy_all[direction])
		reserved(model, out, step, POLB_VERDICT_AUDIT, rule);
	else
		reserved(model, out, step, POLB_VERDICT_ALLOW, POLB_RULE_NONE);
}

static void not_ip(struct model *model, const struct packet *packet, struct expectation *out)
{
	if (packet->frame == FRAME_ARP) {
		result(out, "3 ARP", POLB_VERDICT_ALLOW, NULL, 0);
		out->counted = false;
		return;
	}
	unless_free(model, packet->direction, out, "3 not IP", POLB_RULE_NOT_IP);
}

bool model_age(struct model *model, const struct packet *packet, struct polb_flow_key *key)
{
	if (packet->spec.fragment || !flow_key(model, &packet->spec, packet->direction, key))
		return false;
	struct model_flow *flow = flow_slot(model, key);

	if (!flow_is_live(flow))
		return false;
	flow->expired = flow->closing || packet->spec.protocol != IPPROTO_TCP;
	return true;
}

void model_packet(struct model *model, const struct packet *packet, struct expectation *out)
{
	struct packet whole = *packet;

	*out = (struct expectation){0};
	if (packet->frame != FRAME_IP) {
		not_ip(model, packet, out);
		return;
	}
	if (packet->damage != DAMAGE_NONE) {
		reserved(model, out, "3 malformed", POLB_VERDICT_DENY, POLB_RULE_MALFORMED);
		return;
	}
	if (is_later_fragment(&packet->spec) && !complete_fragment(model, &whole)) {
		unless_free(model, packet->direction, out, "4 fragment", POLB_RULE_FRAGMENT);
		return;
	}
	ip_steps(model, &whole, out);
	if (packet->spec.fragment && !packet->spec.fragment_offset && packet->spec.more_fragments &&
		out->pass)
		keep_fragment(model, packet);
}
