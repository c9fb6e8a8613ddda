// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// BPF_PROG_TEST_RUN and map access for the oracle.
#include "kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/variants.h"

enum { LOOPBACK_IFINDEX = 1, EVENTS_PER_SECOND = 1000000000 };

const char *const hook_names[N_HOOKS] = {"cgroup", "tc"};

static int take_event(void *context, void *data, size_t size)
{
	struct kernel *kernel = context;

	if (size >= sizeof(kernel->event))
		memcpy(&kernel->event, data, sizeof(kernel->event));
	kernel->n_events++;
	return 0;
}

static int change_config(struct kernel *kernel, const bool *audit)
{
	struct polb_config config;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(kernel->config_fd, &zero, &config) < 0)
		return -errno;
	config.event_tokens_per_second = EVENTS_PER_SECOND;
	if (audit)
		config.mode = *audit;
	return bpf_map_update_elem(kernel->config_fd, &zero, &config, BPF_ANY) < 0 ? -errno : 0;
}

static int find_maps(struct kernel *kernel, const struct polb_bundle *bundle)
{
	static const enum polb_program programs[N_HOOKS][2] = {
		{POLB_CGROUP_IN, POLB_CGROUP_OUT}, {POLB_TC_TO, POLB_TC_FROM}};
	struct polb_instance *instance = kernel->instance;

	kernel->control_fd = polb_instance_map_fd(instance, "polt_control");
	kernel->flows_fd = polb_instance_map_fd(instance, "polt_flows");
	kernel->config_fd = polb_instance_map_fd(instance, "polt_config");
	kernel->counters_fd = polb_instance_map_fd(instance, "polt_counters");
	kernel->n_rules = POLB_RULE_FIRST + bundle->manifest.n_rules;
	for (unsigned hook = 0; hook < N_HOOKS; hook++)
		for (unsigned i = 0; i < 2; i++)
			kernel->program_fd[hook][i] =
				polb_instance_program_fd(instance, programs[hook][i]);
	kernel->events = ring_buffer__new(
		polb_instance_map_fd(instance, "polt_events"), take_event, kernel, NULL);
	return kernel->events ? 0 : -errno;
}

int kernel_load(struct kernel *kernel, const struct polb_bundle *bundle, const char *local_node,
	bool adopt, const struct kernel *shared, char error[POLB_ERROR_TEXT])
{
	const struct polb_instance_options options = {
		.local_node = local_node,
		.generation = shared ? shared->generation + 1 : 1,
		.control_fd = shared ? shared->control_fd : -1,
		.flows_fd = shared ? shared->flows_fd : -1,
		.adopt_until_ns = adopt ? UINT64_MAX : 0,
	};

	*kernel = (struct kernel){.n_cpus = (unsigned)libbpf_num_possible_cpus()};
	int status = polb_instance_load(bundle, &options, &kernel->instance, error);

	if (status < 0)
		return status;
	status = find_maps(kernel, bundle);
	if (!status)
		status = change_config(kernel, NULL);
	kernel->generation = options.generation;
	if (!status && !shared)
		status = kernel_set_epoch(kernel, options.generation, 1);
	if (status < 0)
		snprintf(error, POLB_ERROR_TEXT, "cannot prepare the instance: %s",
			strerror(-status));
	return status;
}

void kernel_free(struct kernel *kernel)
{
	ring_buffer__free(kernel->events);
	polb_instance_free(kernel->instance);
	*kernel = (struct kernel){0};
}

int kernel_select(struct kernel *kernel, uint32_t endpoint_number, uint64_t *key)
{
	struct polb_endpoint endpoint;
	int status =
		polb_instance_test_endpoint(kernel->instance, endpoint_number, LOOPBACK_IFINDEX);

	if (status < 0)
		return status;
	if (bpf_map_lookup_elem(polb_instance_map_fd(kernel->instance, "polt_endpoints"),
		    &endpoint_number, &endpoint) < 0)
		return -errno;
	*key = endpoint.key;
	return 0;
}

void kernel_forget_interface(struct kernel *kernel)
{
	uint32_t ifindex = LOOPBACK_IFINDEX;

	bpf_map_delete_elem(polb_instance_map_fd(kernel->instance, "polt_interfaces"), &ifindex);
}

int kernel_run(struct kernel *kernel, enum hook hook, enum polc_direction direction,
	const void *frame, size_t size, uint32_t *retval)
{
	struct __sk_buff context = {.ifindex = LOOPBACK_IFINDEX};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = (uint32_t)size,
		.ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = 1);
	int status = bpf_prog_test_run_opts(kernel->program_fd[hook][direction], &options);

	if (status < 0)
		return status;
	kernel->n_events = 0;
	ring_buffer__consume(kernel->events);
	*retval = options.retval;
	return 0;
}

int kernel_set_epoch(struct kernel *kernel, uint32_t generation, uint32_t epoch)
{
	kernel->generation = generation;
	kernel->epoch = epoch;
	return polb_control_store(kernel->control_fd, generation, epoch);
}

int kernel_set_audit(struct kernel *kernel, bool audit)
{
	return change_config(kernel, &audit);
}

int kernel_set_modes(
	const struct kernel *kernel, const struct polb_bundle *bundle, const uint32_t *modes)
{
	int fd = polb_instance_map_fd(kernel->instance, "polt_tables");

	for (size_t i = 0; i < bundle->n_variants; i++) {
		uint32_t table = bundle->variants[i].table;
		uint64_t tables = polb_table_of_modes(bundle, table, modes);

		if (bpf_map_update_elem(fd, &table, &tables, BPF_EXIST) < 0)
			return -errno;
	}
	return 0;
}

bool kernel_flow(
	const struct kernel *kernel, const struct polb_flow_key *key, struct polb_flow *flow)
{
	return bpf_map_lookup_elem(kernel->flows_fd, key, flow) == 0;
}

void kernel_age_flow(const struct kernel *kernel, const struct polb_flow_key *key)
{
	struct polb_config config;
	struct polb_flow flow;
	uint32_t zero = 0;

	if (!kernel_flow(kernel, key, &flow) ||
		bpf_map_lookup_elem(kernel->config_fd, &zero, &config) < 0)
		return;
	flow.last_seen -= config.udp_timeout_jiffies + config.closing_timeout_jiffies;
	bpf_map_update_elem(kernel->flows_fd, key, &flow, BPF_EXIST);
}

int kernel_counters(const struct kernel *kernel, uint64_t *packets)
{
	struct polb_counter *values = calloc(kernel->n_cpus, sizeof(*values));

	for (uint32_t rule = 0; values && rule < kernel->n_rules; rule++) {
		packets[rule] = 0;
		if (bpf_map_lookup_elem(kernel->counters_fd, &rule, values) < 0)
			continue;
		for (unsigned cpu = 0; cpu < kernel->n_cpus; cpu++)
			packets[rule] += values[cpu].packets;
	}
	free(values);
	return values ? 0 : -ENOMEM;
}

static int peers_fd(const struct kernel *kernel, const struct polb_addr *addr)
{
	return polb_instance_map_fd(
		kernel->instance, addr->family == 4 ? "polt_peers4" : "polt_peers6");
}

int kernel_set_peer(
	struct kernel *kernel, const struct polb_addr *addr, const struct polb_peer *peer)
{
	int fd = peers_fd(kernel, addr);

	return fd < 0 ? fd : bpf_map_update_elem(fd, addr->bytes, peer, BPF_EXIST) < 0 ? -errno : 0;
}

int kernel_alias(struct kernel *kernel, const struct polb_addr *from, const struct polb_addr *to,
	struct polb_peer *old)
{
	struct polb_peer peer;
	int from_fd = peers_fd(kernel, from), to_fd = peers_fd(kernel, to);

	if (from_fd < 0 || to_fd < 0)
		return -ENOENT;
	if (bpf_map_lookup_elem(from_fd, from->bytes, old) < 0 ||
		bpf_map_lookup_elem(to_fd, to->bytes, &peer) < 0)
		return -errno;
	return kernel_set_peer(kernel, from, &peer);
}
