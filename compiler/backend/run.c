/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The bpf engine. One instance, which looks at addresses from one node at a time: what an address
 * is depends on the node that looks (host or remote node), so the entries of nodes are rewritten
 * when the next question is another node's. Every question is a new flow: ports and ids are never
 * used twice within an epoch, and protocols without them have their flow deleted first.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

enum {
	GENERATION = 1,
	LOOPBACK_IFINDEX = 1,
	FIRST_SOURCE_PORT = 1024,
	EVENTS_PER_SECOND = 1000000
};

struct polc_run {
	struct polc *polc;
	const struct polc_plan *plan;
	void *data;
	struct polb_bundle bundle;
	struct polb_instance *instance; /* NULL until the first question */
	struct ring_buffer *events;
	const char *node;              /* whose view the peer maps hold; NULL: no node is local */
	POLC_VEC(uint32_t) node_peers; /* bundle peers that look different from their own node */
	uint32_t epoch;
	uint32_t endpoint; /* number that test packets belong to now; 0: none yet */
	uint16_t next_port;
	bool event_seen;
	struct polb_event event; /* the last one */
};

static uint32_t hooks_of(const struct polc_run *run)
{
	return run->bundle.manifest.hooks & (POLB_HOOK_CGROUP | POLB_HOOK_TC);
}

static void collect_node_peers(struct polc_run *run)
{
	for (uint32_t i = 0; i < run->bundle.n_peers; i++)
		if (run->bundle.peers[i].class_id != run->bundle.peers[i].local_class_id)
			*polc_vec_push(&run->polc->arena, &run->node_peers) = i;
}

int polc_run_open(struct polc *polc, const struct polc_plan *plan,
	const struct polc_build_options *options, struct polc_run **out)
{
	struct polc_run *run = POLC_NEW(&polc->arena, struct polc_run);
	struct polc_build_options with_hooks = *options;
	char error[POLB_ERROR_TEXT];
	size_t size;

	if (!with_hooks.hooks)
		with_hooks.hooks = POLB_HOOK_CGROUP | POLB_HOOK_TC;
	run->polc = polc;
	run->plan = plan;
	run->next_port = FIRST_SOURCE_PORT;
	int result = polc_bundle_build(polc, plan, &with_hooks, &run->data, &size);

	if (result < 0)
		return result;
	if (polb_bundle_read(run->data, size, &run->bundle, error) < 0)
		POLC_BUG("the bundle just built cannot be read: %s", error);
	collect_node_peers(run);
	*out = run;
	return 0;
}

void polc_run_free(struct polc_run *run)
{
	if (!run)
		return;
	ring_buffer__free(run->events);
	polb_instance_free(run->instance);
	free(run->data);
}

static int map_fd(const struct polc_run *run, const char *name)
{
	return polb_instance_map_fd(run->instance, name);
}

static int take_event(void *context, void *data, size_t size)
{
	struct polc_run *run = context;

	if (size >= sizeof(run->event)) {
		memcpy(&run->event, data, sizeof(run->event));
		run->event_seen = true;
	}
	return 0;
}

/* Denials name their rule only in events: let all of them through. Failure costs only the rule. */
static void open_events(struct polc_run *run)
{
	int config_fd = map_fd(run, "polt_config");
	int events_fd = map_fd(run, "polt_events");
	struct polb_config config;
	uint32_t zero = 0;

	if (config_fd >= 0 && !bpf_map_lookup_elem(config_fd, &zero, &config)) {
		config.event_tokens_per_second = EVENTS_PER_SECOND;
		bpf_map_update_elem(config_fd, &zero, &config, BPF_ANY);
	}
	if (events_fd >= 0)
		run->events = ring_buffer__new(events_fd, take_event, run, NULL);
}

/* Makes every cached verdict stale. */
static int next_epoch(struct polc_run *run)
{
	int result = polb_control_store(map_fd(run, "polt_control"), GENERATION, ++run->epoch);

	if (result < 0)
		polc_environment_error("cannot activate the programs: %s", strerror(-result));
	return result;
}

static int load(struct polc_run *run, const char *node)
{
	const struct polb_instance_options options = {
		.local_node = node,
		.generation = GENERATION,
		.control_fd = -1,
		.flows_fd = -1,
		.hooks = hooks_of(run),
	};
	char error[POLB_ERROR_TEXT] = "";
	int result = polb_instance_load(&run->bundle, &options, &run->instance, error);

	if (result < 0) {
		polc_environment_error("cannot load the programs into this kernel: %s",
			*error ? error : strerror(-result));
		return result;
	}
	run->node = node;
	open_events(run);
	return next_epoch(run);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Rewrites what the old and the new node's own addresses are. */
static int look_from(struct polc_run *run, const char *node)
{
	for (size_t i = 0; i < run->node_peers.n; i++) {
		const struct polb_bundle_peer *peer = &run->bundle.peers[run->node_peers.items[i]];
		const char *of = polb_bundle_string(&run->bundle, peer->node);
		if (!same_text(of, run->node) && !same_text(of, node))
			continue;
		struct polb_peer value = polb_peer_value(&run->bundle, peer, node);
		int fd = map_fd(run, peer->family == 4 ? "polt_peers4" : "polt_peers6");
		if (fd < 0 || bpf_map_update_elem(fd, peer->addr, &value, BPF_EXIST) < 0) {
			polc_environment_error("cannot look from node %s", node ? node : "?");
			return -EIO;
		}
	}
	run->node = node;
	return next_epoch(run);
}

/* Makes test packets those of endpoint `index` of the plan; loads the programs on first use. */
static int select_endpoint(struct polc_run *run, uint32_t index)
{
	const char *node = run->plan->endpoints[index].pod->node;
	int result = 0;

	if (run->endpoint == index + 1)
		return 0;
	if (!run->instance)
		result = load(run, node);
	else if (!same_text(run->node, node))
		result = look_from(run, node);
	if (result < 0)
		return result;
	result = polb_instance_test_endpoint(run->instance, index + 1, LOOPBACK_IFINDEX);
	if (result < 0)
		polc_environment_error(
			"cannot select endpoint %u: %s", index + 1, strerror(-result));
	else
		run->endpoint = index + 1;
	return result;
}

static enum polb_program program_of(uint32_t hook, enum polc_direction direction)
{
	if (hook == POLB_HOOK_CGROUP)
		return direction == POLC_EGRESS ? POLB_CGROUP_OUT : POLB_CGROUP_IN;
	return direction == POLC_EGRESS ? POLB_TC_FROM : POLB_TC_TO;
}

/* cgroup: bit 0 is "pass"; tc: 2 is TC_ACT_SHOT. */
static bool retval_passes(uint32_t hook, uint32_t retval)
{
	return hook == POLB_HOOK_CGROUP ? retval & 1 : retval != 2;
}

static int run_program(int fd, const void *frame, size_t size, uint32_t *retval)
{
	struct __sk_buff context = {.ifindex = LOOPBACK_IFINDEX};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = (uint32_t)size,
		.ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = 1);
	int result = bpf_prog_test_run_opts(fd, &options);

	if (result < 0) {
		polc_environment_error("cannot run a program: %s", strerror(-result));
		return result;
	}
	*retval = options.retval;
	return 0;
}

/* A source port, or ICMP id, that no flow of this epoch has. */
static int fresh_port(struct polc_run *run, uint16_t *port)
{
	int result = 0;

	if (run->next_port < FIRST_SOURCE_PORT) { /* wrapped */
		result = next_epoch(run);
		run->next_port = FIRST_SOURCE_PORT;
	}
	*port = run->next_port++;
	return result;
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

static bool is_icmp(const struct polc_packet_spec *spec)
{
	return spec->protocol == (spec->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static void describe_packet(const struct polc_question *question, const struct polb_addr *local,
	uint16_t port, struct polc_packet_spec *spec)
{
	bool out = question->direction == POLC_EGRESS;

	*spec = (struct polc_packet_spec){
		.family = local->family,
		.src = out ? *local : question->peer,
		.dst = out ? question->peer : *local,
		.protocol = question->protocol,
		.sport = port,
		.dport = question->port,
		.tcp_flags = POLC_TCP_SYN,
		.sctp_chunk = POLC_SCTP_INIT,
		.icmp_type = (uint8_t)question->port,
		.icmp_id = port,
	};
}

/* ICMP requests and their answers share one flow: by id, kind, and the direction of the request. */
static uint8_t origin_hint(const struct polc_packet_spec *spec, enum polc_direction direction)
{
	static const uint8_t requests4[] = {8, 13, 15, 17}, replies4[] = {0, 14, 16, 18};

	if (!is_icmp(spec))
		return 0;
	if (spec->family == 6 && (spec->icmp_type == 128 || spec->icmp_type == 129))
		return (uint8_t)(1 + (spec->icmp_type == 128 ? direction
							     : !direction)); /* 128 & 0x7f is 0 */
	for (size_t i = 0; spec->family == 4 && i < sizeof(requests4); i++) {
		if (spec->icmp_type == requests4[i])
			return (uint8_t)(1 + direction + 2 * requests4[i]);
		if (spec->icmp_type == replies4[i])
			return (uint8_t)(1 + !direction + 2 * requests4[i]);
	}
	return 0;
}

static void flow_key(const struct polc_packet_spec *spec, enum polc_direction direction,
	uint64_t endpoint_key, struct polb_flow_key *key)
{
	bool out = direction == POLC_EGRESS;
	bool ports = has_ports(spec->protocol);
	uint8_t hint = origin_hint(spec, direction);
	uint16_t src_port = ports ? spec->sport : hint ? spec->icmp_id : 0;
	uint16_t dst_port = ports ? spec->dport : hint ? spec->icmp_id : 0;

	memset(key, 0, sizeof(*key));
	memcpy(key->local, out ? spec->src.bytes : spec->dst.bytes, sizeof(key->local));
	memcpy(key->remote, out ? spec->dst.bytes : spec->src.bytes, sizeof(key->remote));
	key->local_port = out ? src_port : dst_port;
	key->remote_port = out ? dst_port : src_port;
	key->family = spec->family;
	key->protocol = spec->protocol;
	key->origin_hint = hint;
	key->endpoint = endpoint_key;
}

/* The endpoint part of flow keys: what the instance wrote for test packets. */
static uint64_t endpoint_key(const struct polc_run *run)
{
	int fd = map_fd(run, "polt_endpoints");
	struct polb_endpoint endpoint = {0};

	if (fd >= 0)
		bpf_map_lookup_elem(fd, &run->endpoint, &endpoint);
	return endpoint.key;
}

/* What one hook did with one packet. */
struct outcome {
	bool passes, rule_known;
	uint32_t rule;
	bool audited; /* passes because policies are in audit mode */
};

static void find_rule(
	struct polc_run *run, const struct polb_flow_key *key, struct outcome *outcome)
{
	struct polb_flow flow;

	if (run->events)
		ring_buffer__consume(run->events);
	if (run->event_seen) {
		outcome->rule = run->event.rule;
		outcome->rule_known = true;
		outcome->audited = run->event.verdict == POLB_VERDICT_AUDIT;
	} else if (outcome->passes && !bpf_map_lookup_elem(map_fd(run, "polt_flows"), key, &flow)) {
		outcome->rule = (uint32_t)(flow.state >> 8) & 0xffffff;
		outcome->rule_known = true;
	}
}

static int ask_hook(struct polc_run *run, const struct polc_question *question,
	const struct polb_addr *local, uint32_t hook, struct outcome *outcome)
{
	int fd = polb_instance_program_fd(run->instance, program_of(hook, question->direction));
	uint8_t frame[POLC_PACKET_MAX];
	struct polc_packet_spec spec;
	struct polb_flow_key key;
	uint32_t retval;
	uint16_t port;
	size_t size;
	int result = fresh_port(run, &port);

	if (result < 0)
		return result;
	describe_packet(question, local, port, &spec);
	flow_key(&spec, question->direction, endpoint_key(run), &key);
	if (!has_ports(spec.protocol))
		bpf_map_delete_elem(map_fd(run, "polt_flows"), &key);
	result = polc_packet_build(&spec, frame, sizeof(frame), &size);
	if (result < 0)
		return result;
	run->event_seen = false;
	result = run_program(fd, frame, size, &retval);
	if (result < 0)
		return result;
	outcome->passes = retval_passes(hook, retval);
	find_rule(run, &key, outcome);
	return 0;
}

static int report_disagreement(const struct polc_question *question, const struct outcome *cgroup)
{
	char peer[POLB_ADDR_TEXT];
	const struct polc_pod *pod = question->endpoint->pod;

	polb_addr_format(&question->peer, peer);
	polc_environment_error("engines disagree: cgroup says %s, tc says %s for %s of %s/%s with "
			       "%s, protocol %u, port %u",
		cgroup->passes ? "allow" : "deny", cgroup->passes ? "deny" : "allow",
		question->direction == POLC_EGRESS ? "egress" : "ingress", pod->namespace,
		pod->name, peer, question->protocol, question->port);
	return -EILSEQ;
}

static enum polb_verdict verdict_of(const struct outcome *outcome)
{
	if (!outcome->passes)
		return POLB_VERDICT_DENY;
	return outcome->audited ? POLB_VERDICT_AUDIT : POLB_VERDICT_ALLOW;
}

int polc_run_ask(struct polc_run *run, const struct polc_question *question,
	const struct polb_addr *local, struct polc_run_answer *answer)
{
	static const uint32_t hooks[] = {POLB_HOOK_CGROUP, POLB_HOOK_TC};
	struct outcome outcomes[2] = {{0}};
	size_t n = 0;
	/* the plan's endpoints are in the order of the identities' */
	int result = select_endpoint(
		run, (uint32_t)(question->endpoint - run->plan->identities->endpoints.items));

	for (size_t i = 0; i < POLC_ARRAY_SIZE(hooks) && !result; i++)
		if (hooks_of(run) & hooks[i])
			result = ask_hook(run, question, local, hooks[i], &outcomes[n++]);
	if (result < 0)
		return result;
	if (n == 2 && verdict_of(&outcomes[0]) != verdict_of(&outcomes[1]))
		return report_disagreement(question, &outcomes[0]);
	*answer = (struct polc_run_answer){
		.verdict = verdict_of(&outcomes[0]),
		.rule_known = outcomes[0].rule_known,
		.rule = outcomes[0].rule,
	};
	if (polc_isolation_find(run->plan->network, answer->rule))
		answer->rule = POLB_RULE_DEFAULT_DENY;
	return 0;
}
