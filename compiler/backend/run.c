/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The bpf engine. One instance per node name among the endpoints, because what an address is
 * depends on the node that looks (host or remote node). Every question is a new flow: ports and ids
 * are never used twice within an epoch, and protocols without them have their flow deleted first.
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

/* The programs as seen from one node. */
struct node_run {
	const char *node; /* or NULL: endpoints whose node nobody knows */
	struct polb_instance *instance;
	struct ring_buffer *events;
	uint32_t epoch;
	uint32_t endpoint; /* number that test packets belong to now; 0: none yet */
	bool event_seen;
	struct polb_event event; /* the last one */
};

struct polc_run {
	struct polc *polc;
	const struct polc_plan *plan;
	void *data;
	struct polb_bundle bundle;
	POLC_VEC(struct node_run *) nodes;
	uint16_t next_port;
};

const struct polb_bundle *polc_run_bundle(const struct polc_run *run)
{
	return &run->bundle;
}

uint32_t polc_run_hooks(const struct polc_run *run)
{
	return run->bundle.manifest.hooks & (POLB_HOOK_CGROUP | POLB_HOOK_TC);
}

int polc_run_endpoint_of(const struct polc_run *run, const struct polc_pod *pod)
{
	for (uint32_t i = 0; i < run->plan->n_endpoints; i++)
		if (run->plan->endpoints[i].pod == pod)
			return (int)i;
	return -ENOENT;
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
	*out = run;
	return 0;
}

void polc_run_free(struct polc_run *run)
{
	if (!run)
		return;
	for (size_t i = 0; i < run->nodes.n; i++) {
		ring_buffer__free(run->nodes.items[i]->events);
		polb_instance_free(run->nodes.items[i]->instance);
	}
	free(run->data);
}

static int take_event(void *context, void *data, size_t size)
{
	struct node_run *node = context;

	if (size >= sizeof(node->event)) {
		memcpy(&node->event, data, sizeof(node->event));
		node->event_seen = true;
	}
	return 0;
}

/* Denials name their rule only in events: let all of them through. Failure costs only the rule. */
static void open_events(struct node_run *node)
{
	int config_fd = polb_instance_map_fd(node->instance, "polt_config");
	int events_fd = polb_instance_map_fd(node->instance, "polt_events");
	struct polb_config config;
	uint32_t zero = 0;

	if (config_fd >= 0 && !bpf_map_lookup_elem(config_fd, &zero, &config)) {
		config.event_tokens_per_second = EVENTS_PER_SECOND;
		bpf_map_update_elem(config_fd, &zero, &config, BPF_ANY);
	}
	if (events_fd >= 0)
		node->events = ring_buffer__new(events_fd, take_event, node, NULL);
}

static int load_node(struct polc_run *run, struct node_run *node)
{
	const struct polb_instance_options options = {
		.local_node = node->node,
		.generation = GENERATION,
		.control_fd = -1,
		.flows_fd = -1,
		.hooks = polc_run_hooks(run),
	};
	char error[POLB_ERROR_TEXT] = "";
	int result = polb_instance_load(&run->bundle, &options, &node->instance, error);

	if (result < 0) {
		polc_environment_error("cannot load the programs into this kernel: %s",
			*error ? error : strerror(-result));
		return result;
	}
	node->epoch = 1;
	open_events(node);
	result = polb_control_store(
		polb_instance_map_fd(node->instance, "polt_control"), GENERATION, node->epoch);
	if (result < 0)
		polc_environment_error("cannot activate the programs: %s", strerror(-result));
	return result;
}

static bool same_node(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* The programs of an endpoint's node, loaded on first use; NULL with a message printed. */
static struct node_run *node_of(struct polc_run *run, uint32_t endpoint)
{
	const char *name = run->plan->endpoints[endpoint].pod->node;

	for (size_t i = 0; i < run->nodes.n; i++)
		if (same_node(run->nodes.items[i]->node, name))
			return run->nodes.items[i];
	struct node_run *node = POLC_NEW(&run->polc->arena, struct node_run);

	node->node = name;
	if (load_node(run, node) < 0) {
		ring_buffer__free(node->events);
		polb_instance_free(node->instance);
		return NULL;
	}
	*polc_vec_push(&run->polc->arena, &run->nodes) = node;
	return node;
}

struct polb_instance *polc_run_instance(struct polc_run *run, uint32_t endpoint)
{
	struct node_run *node = node_of(run, endpoint);

	return node ? node->instance : NULL;
}

static int select_endpoint(struct node_run *node, uint32_t number)
{
	if (node->endpoint == number)
		return 0;
	int result = polb_instance_test_endpoint(node->instance, number, LOOPBACK_IFINDEX);

	if (result < 0)
		polc_environment_error("cannot select endpoint %u: %s", number, strerror(-result));
	else
		node->endpoint = number;
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

int polc_run_frame(struct polc_run *run, uint32_t endpoint, uint32_t hook,
	enum polc_direction direction, const void *frame, size_t size, bool *passes)
{
	struct node_run *node = node_of(run, endpoint);
	uint32_t retval;

	if (!node)
		return -EIO;
	int result = select_endpoint(node, endpoint + 1);

	if (result < 0)
		return result;
	int fd = polb_instance_program_fd(node->instance, program_of(hook, direction));

	if (fd < 0) {
		polc_environment_error("the bundle has no program for this hook");
		return fd;
	}
	result = run_program(fd, frame, size, &retval);
	if (!result)
		*passes = retval_passes(hook, retval);
	return result;
}

static int clear_map(int fd)
{
	unsigned char key[sizeof(struct polb_fragment_key) + sizeof(struct polb_flow_key)];

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	while (!bpf_map_get_next_key(fd, NULL, key))
		if (bpf_map_delete_elem(fd, key) < 0 && errno != ENOENT)
			return -errno;
	return 0;
}

int polc_run_forget_flows(struct polc_run *run)
{
	int result = 0;

	for (size_t i = 0; i < run->nodes.n && !result; i++) {
		struct polb_instance *instance = run->nodes.items[i]->instance;

		result = clear_map(polb_instance_map_fd(instance, "polt_flows"));
		if (!result)
			result = clear_map(polb_instance_map_fd(instance, "polt_fragments"));
	}
	return result;
}

int polc_run_next_epoch(struct polc_run *run)
{
	int result = 0;

	for (size_t i = 0; i < run->nodes.n && !result; i++) {
		struct node_run *node = run->nodes.items[i];

		result = polb_control_store(polb_instance_map_fd(node->instance, "polt_control"),
			GENERATION, ++node->epoch);
	}
	return result;
}

/* A source port, or ICMP id, that no flow of this epoch has. */
static int fresh_port(struct polc_run *run, uint16_t *port)
{
	int result = 0;

	if (run->next_port < FIRST_SOURCE_PORT) { /* wrapped */
		result = polc_run_next_epoch(run);
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

/* ICMP requests and their answers share one flow: by id, and by the direction of the request. */
static uint8_t origin_hint(const struct polc_packet_spec *spec, enum polc_direction direction)
{
	static const uint8_t requests4[] = {8, 13, 15, 17}, replies4[] = {0, 14, 16, 18};

	if (!is_icmp(spec))
		return 0;
	if (spec->family == 6 && (spec->icmp_type == 128 || spec->icmp_type == 129))
		return (uint8_t)(1 + (spec->icmp_type == 128 ? direction : !direction));
	for (size_t i = 0; spec->family == 4 && i < sizeof(requests4); i++) {
		if (spec->icmp_type == requests4[i])
			return (uint8_t)(1 + direction);
		if (spec->icmp_type == replies4[i])
			return (uint8_t)(1 + !direction);
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
static uint64_t endpoint_key(const struct node_run *node)
{
	int fd = polb_instance_map_fd(node->instance, "polt_endpoints");
	struct polb_endpoint endpoint = {0};

	if (fd >= 0)
		bpf_map_lookup_elem(fd, &node->endpoint, &endpoint);
	return endpoint.key;
}

/* What one hook did with one packet. */
struct outcome {
	bool passes, rule_known;
	uint32_t rule;
};

static void find_rule(struct node_run *node, int flows_fd, const struct polb_flow_key *key,
	struct outcome *outcome)
{
	struct polb_flow flow;

	if (node->event_seen) {
		outcome->rule = node->event.rule;
		outcome->rule_known = true;
	} else if (outcome->passes && !bpf_map_lookup_elem(flows_fd, key, &flow)) {
		outcome->rule = (uint32_t)(flow.state >> 8) & 0xffffff;
		outcome->rule_known = true;
	}
}

static int ask_hook(struct polc_run *run, const struct polc_question *question,
	const struct polb_addr *local, uint32_t hook, struct outcome *outcome)
{
	int endpoint = polc_run_endpoint_of(run, question->endpoint->pod);
	struct node_run *node = endpoint < 0 ? NULL : node_of(run, (uint32_t)endpoint);
	uint8_t frame[POLC_PACKET_MAX];
	struct polc_packet_spec spec;
	struct polb_flow_key key;
	uint16_t port;
	size_t size;

	if (!node)
		return endpoint < 0 ? endpoint : -EIO;
	int result = fresh_port(run, &port);

	if (!result)
		result = select_endpoint(node, (uint32_t)endpoint + 1);
	if (result < 0)
		return result;
	describe_packet(question, local, port, &spec);
	int flows_fd = polb_instance_map_fd(node->instance, "polt_flows");

	flow_key(&spec, question->direction, endpoint_key(node), &key);
	if (!has_ports(spec.protocol))
		bpf_map_delete_elem(flows_fd, &key);
	result = polc_packet_build(&spec, frame, sizeof(frame), &size);
	if (result < 0)
		return result;
	node->event_seen = false;
	result = polc_run_frame(
		run, (uint32_t)endpoint, hook, question->direction, frame, size, &outcome->passes);
	if (result < 0)
		return result;
	if (node->events)
		ring_buffer__consume(node->events);
	find_rule(node, flows_fd, &key, outcome);
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

int polc_run_ask(struct polc_run *run, const struct polc_question *question,
	const struct polb_addr *local, struct polc_run_answer *answer)
{
	static const uint32_t hooks[] = {POLB_HOOK_CGROUP, POLB_HOOK_TC};
	struct outcome outcomes[2] = {{0}};
	size_t n = 0;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(hooks); i++) {
		if (!(polc_run_hooks(run) & hooks[i]))
			continue;
		int result = ask_hook(run, question, local, hooks[i], &outcomes[n++]);

		if (result < 0)
			return result;
	}
	if (n == 2 && outcomes[0].passes != outcomes[1].passes)
		return report_disagreement(question, &outcomes[0]);
	*answer = (struct polc_run_answer){
		.verdict = outcomes[0].passes ? POLB_VERDICT_ALLOW : POLB_VERDICT_DENY,
		.rule_known = outcomes[0].rule_known,
		.rule = outcomes[0].rule,
	};
	return 0;
}
