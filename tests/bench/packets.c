// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * ns per packet with BPF_PROG_TEST_RUN, over an empty program of the same type in the same run.
 * Variants take turns; medians of differences within a round are reported, so that a busy machine
 * hurts all alike. "new": TCP with SYN and FIN, which every time is decided and stored as a new
 * flow (an opening packet on a closing flow), so that one packet can be repeated in the kernel.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "compiler/backend/bundle.h"
#include "compiler/backend/packet.h"
#include "compiler/frontend/reader.h"
#include "runtime/instance.h"

enum { REPEAT = 100000, LOOPBACK_IFINDEX = 1, POLICY_MAP_ENTRIES = 16384 };

/* A program and the packet it is given. */
struct variant {
	int fd;
	bool cgroup;
	uint8_t frame[256];
	size_t size;
	struct bench_sample ns; /* per packet */
};

/* One set, compiled and loaded. */
struct loaded {
	struct polc polc;
	void *data;
	struct polb_bundle bundle;
	struct polb_instance *instance;
};

/* --- running -------------------------------------------------------------------------------- */

static int load_empty(enum bpf_prog_type type, enum bpf_attach_type attach, int value)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = value},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach);

	return bpf_prog_load(type, "empty", "GPL", code, 2, &options);
}

static int run(const struct variant *v, int repeat, double *ns, uint32_t *retval)
{
	struct __sk_buff context = {.ifindex = LOOPBACK_IFINDEX};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = v->frame,
		.data_size_in = (uint32_t)v->size, .ctx_in = &context,
		.ctx_size_in = sizeof(context), .repeat = repeat);
	int status = bpf_prog_test_run_opts(v->fd, &options);

	if (status < 0)
		return status;
	*ns = options.duration;
	*retval = options.retval;
	return 0;
}

/* Everybody's turn, round by round. False when a packet did not pass. */
static bool measure(struct variant **variants, unsigned n)
{
	double ns;
	uint32_t retval;

	for (unsigned i = 0; i < n; i++) {
		variants[i]->ns.n = 0;
		if (run(variants[i], REPEAT / 10, &ns, &retval) < 0 ||
			(variants[i]->cgroup ? retval != 1 : retval == 2)) {
			fprintf(stderr, "bench: variant %u does not let its packet pass\n", i);
			return false;
		}
	}
	for (unsigned round = 0; round < BENCH_ROUNDS; round++)
		for (unsigned i = 0; i < n; i++) {
			if (run(variants[i], REPEAT, &ns, &retval) < 0)
				return false;
			variants[i]->ns.values[variants[i]->ns.n++] = ns;
		}
	return true;
}

/* Median over rounds of what `v` costs more than `base` did in the same round. */
static double over(const struct variant *v, const struct variant *base)
{
	struct bench_sample difference = {.n = v->ns.n};

	for (unsigned i = 0; i < v->ns.n; i++)
		difference.values[i] = v->ns.values[i] - base->ns.values[i];
	return bench_median(&difference);
}

/* --- packets -------------------------------------------------------------------------------- */

static void make_frame(struct variant *v, unsigned peer, unsigned rule, uint8_t protocol,
	uint8_t flags, uint16_t source_port)
{
	const struct polc_packet_spec spec = {
		.family = 4,
		.src = bench_peer_address(peer),
		.dst = bench_target_address(),
		.protocol = protocol,
		.sport = source_port,
		.dport = (uint16_t)bench_rule_port(rule),
		.tcp_flags = flags,
		.payload = "0123456789",
		.payload_bytes = 10,
	};

	if (polc_packet_build(&spec, v->frame, sizeof(v->frame), &v->size) < 0)
		POLC_BUG("a frame that does not fit");
}

static bool send_once(const struct variant *v, unsigned peer, unsigned rule, uint8_t protocol,
	uint8_t flags, uint16_t source_port)
{
	struct variant opening = {.fd = v->fd, .cgroup = v->cgroup};
	double ns;
	uint32_t retval;

	make_frame(&opening, peer, rule, protocol, flags, source_port);
	return run(&opening, 1, &ns, &retval) == 0;
}

/* --- our programs --------------------------------------------------------------------------- */

static bool read_set(struct loaded *loaded, struct polc_input *input, const struct bench_set *set)
{
	struct polc_buf text = {.arena = &loaded->polc.arena};
	char path[] = "/tmp/polc-bench-XXXXXX.yaml";
	int fd = mkstemps(path, 5);

	if (fd < 0)
		return false;
	close(fd);
	bench_inventory(set, &text);
	bench_policies(set, &text);
	bool ok = bench_write(path, &text) && polc_read_policies(&loaded->polc, input, path) == 0;

	unlink(path);
	polc_read_finish(&loaded->polc, input);
	return ok && !loaded->polc.n_errors;
}

static const struct polc_plan *plan_set(struct loaded *loaded, const struct bench_set *set)
{
	const struct polc_lower_options options = {0};
	struct polc_input input = {.inventory = {.given = true}};

	if (!read_set(loaded, &input, set))
		return NULL;
	const struct polc_network *network = polc_lower_network(&loaded->polc, &input, &options);

	if (loaded->polc.n_errors)
		return NULL;
	return polc_plan_build(&loaded->polc, network,
		polc_identities_build(&loaded->polc, &input.inventory, NULL));
}

static int load_set(struct loaded *loaded, const struct bench_set *set)
{
	const struct polc_build_options build = {.hooks = POLB_HOOK_CGROUP | POLB_HOOK_TC};
	const struct polb_instance_options options = {
		.local_node = "local", .generation = 1, .control_fd = -1, .flows_fd = -1};
	char error[POLB_ERROR_TEXT] = "";
	size_t size;

	*loaded = (struct loaded){0};
	polc_init(&loaded->polc);
	const struct polc_plan *plan = plan_set(loaded, set);

	if (!plan) {
		polc_diagnostics_print_text(&loaded->polc, stderr, false);
		return -EINVAL;
	}
	int status = polc_bundle_build(&loaded->polc, plan, &build, &loaded->data, &size);

	if (!status)
		status = polb_bundle_read(loaded->data, size, &loaded->bundle, error);
	if (!status)
		status = polb_instance_load(&loaded->bundle, &options, &loaded->instance, error);
	if (status < 0) {
		fprintf(stderr, "bench: %s\n", error);
		return status;
	}
	for (uint32_t i = 0; i < plan->n_endpoints; i++)
		if (!strcmp(plan->endpoints[i].pod->name, "target"))
			polb_instance_test_endpoint(loaded->instance, i + 1, LOOPBACK_IFINDEX);
	return polb_control_store(polb_instance_map_fd(loaded->instance, "polt_control"), 1, 1);
}

static void unload(struct loaded *loaded)
{
	polb_instance_free(loaded->instance);
	free(loaded->data);
	polc_free(&loaded->polc);
}

/* Bytes of kernel memory of the maps that grow with policies. */
static double policy_bytes(const struct loaded *loaded)
{
	static const char *const names[] = {"polt_classes", "polt_index", "polt_rows", "polt_steps",
		"polt_step_words", "polt_rule_ids", "polt_counters", "polt_ports", "polt_cidrs4",
		"polt_cidrs6"};
	double total = 0;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(names); i++) {
		char path[64], line[128];
		unsigned long long bytes;
		int fd = polb_instance_map_fd(loaded->instance, names[i]);

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		FILE *file = fd >= 0 ? fopen(path, "r") : NULL;

		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "memlock: %llu", &bytes) == 1)
				total += (double)bytes;
		if (file)
			fclose(file);
	}
	return total;
}

/* --- the incumbents' structure -------------------------------------------------------------- */

struct policy_key {
	uint32_t prefix_len, identity;
	uint8_t egress, protocol;
	uint16_t port;
};
struct policy_entry {
	uint16_t proxy_port;
	uint8_t deny, pad;
	uint32_t auth, precedence;
};
struct ipcache_key {
	uint32_t prefix_len;
	uint16_t cluster;
	uint8_t pad, family;
	uint32_t addr[4];
};
struct remote_info {
	uint32_t identity, tunnel, key;
};

/*
 * One identity per label, as Cilium would number them; per rule and direction one entry for each of
 * TCP, UDP and SCTP. What does not fit into the policy map is left out, but never the rule that is
 * asked (the first).
 */
static void fill_incumbent(struct bpf_object *object, const struct bench_set *set)
{
	int policy = bpf_object__find_map_fd_by_name(object, "policy");
	int ipcache = bpf_object__find_map_fd_by_name(object, "ipcache");
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};

	for (unsigned i = 0; i < set->n_peers; i++) {
		struct polb_addr addr = bench_peer_address(i);
		struct ipcache_key key = {.prefix_len = 64, .family = 1};
		struct remote_info info = {.identity = 256 + i % set->n_rules};

		memcpy(key.addr, addr.bytes, 4);
		bpf_map_update_elem(ipcache, &key, &info, BPF_ANY);
	}
	for (unsigned i = 0; i < set->n_rules * 6 && i < POLICY_MAP_ENTRIES; i++) {
		struct policy_key key = {.prefix_len = 64,
			.identity = 256 + i / 6,
			.egress = i % 2,
			.protocol = protocols[i / 2 % 3],
			.port = htons((uint16_t)bench_rule_port(i / 6))};
		struct policy_entry entry = {.precedence = 1};

		bpf_map_update_elem(policy, &key, &entry, BPF_ANY);
	}
}

static struct bpf_object *load_incumbent(const char *path, const struct bench_set *set)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);

	if (!object || bpf_object__load(object)) {
		fprintf(stderr, "bench: cannot load %s: %s\n", path, strerror(errno));
		bpf_object__close(object);
		return NULL;
	}
	fill_incumbent(object, set);
	return object;
}

/* --- rows of the table ---------------------------------------------------------------------- */

struct costs {
	double established, established_cgroup, socket, new_flow, new_cgroup, incumbent, ratio;
	double empty_tc, empty_cgroup;
};

static bool measure_set(const struct bench_set *set, const char *incumbent_object,
	struct costs *costs, double *bytes)
{
	struct loaded loaded;
	unsigned rule = 0, peer = 0; /* the first: it is in the incumbents' map, too */
	bool ok = false;
	struct variant empty_tc = {.fd = load_empty(BPF_PROG_TYPE_SCHED_CLS, 0, 0)};
	struct variant empty_cgroup = {.cgroup = true,
		.fd = load_empty(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, 1)};
	struct bpf_object *incumbent = load_incumbent(incumbent_object, set);

	if (load_set(&loaded, set) < 0 || !incumbent)
		goto out;
	int tc = polb_instance_program_fd(loaded.instance, POLB_TC_TO);
	int cgroup = polb_instance_program_fd(loaded.instance, POLB_CGROUP_IN);
	struct variant established = {.fd = tc},
		       established_cgroup = {.fd = cgroup, .cgroup = true};
	struct variant socket = {.fd = cgroup, .cgroup = true};
	struct variant new_flow = {.fd = tc}, new_cgroup = {.fd = cgroup, .cgroup = true};
	struct variant other = {
		.fd = bpf_program__fd(bpf_object__find_program_by_name(incumbent, "incumbent"))};
	struct variant *all[] = {&empty_tc, &empty_cgroup, &established, &established_cgroup,
		&socket, &new_flow, &new_cgroup, &other};

	send_once(&established, peer, rule, IPPROTO_TCP, POLC_TCP_SYN, 2000);
	make_frame(&established, peer, rule, IPPROTO_TCP, POLC_TCP_ACK, 2000);
	make_frame(&empty_tc, peer, rule, IPPROTO_TCP, POLC_TCP_ACK, 2000);
	make_frame(&empty_cgroup, peer, rule, IPPROTO_TCP, POLC_TCP_ACK, 2000);
	make_frame(&established_cgroup, peer, rule, IPPROTO_UDP, 0, 2001);
	make_frame(&socket, peer, rule, IPPROTO_TCP, POLC_TCP_ACK, 2000);
	make_frame(&new_flow, peer, rule, IPPROTO_TCP, POLC_TCP_SYN | POLC_TCP_FIN, 2002);
	make_frame(&new_cgroup, peer, rule, IPPROTO_TCP, POLC_TCP_SYN | POLC_TCP_FIN, 2003);
	make_frame(&other, peer, rule, IPPROTO_TCP, POLC_TCP_ACK, 2000);
	ok = measure(all, POLC_ARRAY_SIZE(all));
	if (!ok)
		goto out;
	*costs = (struct costs){
		.established = over(&established, &empty_tc),
		.established_cgroup = over(&established_cgroup, &empty_cgroup),
		.socket = over(&socket, &empty_cgroup),
		.new_flow = over(&new_flow, &empty_tc),
		.new_cgroup = over(&new_cgroup, &empty_cgroup),
		.incumbent = over(&other, &empty_tc),
		.empty_tc = bench_median(&empty_tc.ns),
		.empty_cgroup = bench_median(&empty_cgroup.ns),
	};
	costs->ratio = costs->incumbent / (costs->established > 1 ? costs->established : 1);
	*bytes = policy_bytes(&loaded);
out:
	bpf_object__close(incumbent);
	unload(&loaded);
	close(empty_tc.fd);
	close(empty_cgroup.fd);
	return ok;
}

static bool report_set(const char *suffix, const struct bench_set *set,
	const char *incumbent_object, struct costs *costs, double *bytes)
{
	char name[64], note[96];

	snprintf(note, sizeof(note), "%u rules, %u identities", set->n_rules, set->n_peers);
	snprintf(name, sizeof(name), "packet.established.%s", suffix);
	if (!measure_set(set, incumbent_object, costs, bytes)) {
		bench_skip(name, note);
		return false;
	}
	bench_result(name, costs->established, "ns", 0, note);
	snprintf(name, sizeof(name), "packet.new.%s", suffix);
	bench_result(name, costs->new_flow, "ns", 0, note);
	snprintf(name, sizeof(name), "packet.socket.%s", suffix);
	bench_result(name, costs->socket, "ns", 0, note);
	snprintf(name, sizeof(name), "packet.incumbent_model.%s", suffix);
	bench_result(name, costs->incumbent, "ns", 0, note);
	return true;
}

static void report_headline(const struct costs *c, const char *note)
{
	bench_result("packet.empty.tc", c->empty_tc, "ns", 0, "an empty program, tc");
	bench_result(
		"packet.empty.cgroup", c->empty_cgroup, "ns", 0, "an empty program, cgroup_skb");
	bench_result("packet.established.over_empty", c->established, "ns", 50, note);
	bench_result("packet.established.cgroup_over_empty", c->established_cgroup, "ns", 50, note);
	bench_result("packet.socket.over_empty", c->socket, "ns", 25, note);
	bench_result("packet.new.over_empty", c->new_flow, "ns", 150, note);
	bench_result("packet.new.cgroup_over_empty", c->new_cgroup, "ns", 150, note);
	bench_result("packet.new.ratio", c->new_flow / c->established, "x", 3,
		"new over established, tc");
	bench_result("packet.incumbent_model.over_empty", c->incumbent, "ns", 0,
		"their lookups alone, established packet");
	bench_result("packet.incumbent_model.ratio", c->ratio, "x", 0,
		"theirs over ours, established, tc; at least 5 wanted");
}

int bench_packets(const char *incumbent_object)
{
	static const unsigned rules[] = {1, 10, 100, 1000, 10000};
	static const unsigned peers[] = {10, 1000, 10000, 100000};
	struct costs costs, headline = {0};
	char suffix[32], note[96];
	double bytes = 0, few = 0, many = 0;

	if (geteuid() != 0) {
		bench_skip("packet.*", "needs root for BPF_PROG_TEST_RUN");
		return 0;
	}
	for (size_t i = 0; i < POLC_ARRAY_SIZE(rules); i++) {
		struct bench_set set = {rules[i], 10000, 1, ""};

		snprintf(suffix, sizeof(suffix), "rules_%u", rules[i]);
		if (!report_set(suffix, &set, incumbent_object, &costs, &bytes))
			continue;
		if (rules[i] == 10)
			few = bytes;
		if (rules[i] == 1000)
			many = bytes;
	}
	if (few > 0 && many > 0)
		bench_result("memory.per_policy", (many - few) / 990 / 1024, "KB", 4,
			"kernel memory of the maps that grow with policies, 10 to 1,000 policies "
			"of 2 rules");
	for (size_t i = 0; i < POLC_ARRAY_SIZE(peers); i++) {
		struct bench_set set = {1000, peers[i], 1, ""};

		snprintf(suffix, sizeof(suffix), "identities_%u", peers[i]);
		if (report_set(suffix, &set, incumbent_object, &costs, &bytes))
			headline = costs;
		snprintf(note, sizeof(note), "%u rules, %u identities", set.n_rules, set.n_peers);
	}
	if (headline.empty_tc > 0)
		report_headline(&headline, note);
	return 0;
}
