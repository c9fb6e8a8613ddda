/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The network templates by themselves: compiled in a few configurations, loaded without polload,
 * their maps filled by hand, asked with single packets (BPF_PROG_TEST_RUN) about every step of
 * bpf-templates/datapath.md. POLC_BENCH=1 also prints nanoseconds per packet over an empty program.
 * Skips what needs clang, root or BPF where it is missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "compiler/backend/bundle.h"
#include "compiler/backend/packet.h"

enum { GENERATION = 7, KEY = 77, RULE_ALLOW = 16, RULE_DENY = 17, N_RULES = 24, EXTRA = 200 };
enum { FREE_ENDPOINT = 2, HOST_ENDPOINT = 3 };

struct world {
	struct polc polc;
	struct bpf_object *object;
	uint32_t epoch;
	struct polb_config config;
};

#define CONFIG(words, class_words, ports, steps)                                                   \
	"#define POLT_WORDS " words "\n#define POLT_CLASS_WORDS " class_words                      \
	"\n#define POLT_HAS_PORTS (" ports " > 1)\n#define POLT_MAX_STEPS " steps "\n"
static const char full_config[] = CONFIG("2", "2", "2", "2") "#define POLT_LOG_WORDS 1\n"
							     "#define POLT_LOG_BITS 0x10000ull\n";

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return getenv("POLC_VERBOSE") ? vfprintf(stderr, fmt, ap) : ((void)level, 0);
}

/* Without the log: a report would be most of what a new flow costs. */
static const char *header_of_run(void)
{
	return getenv("POLC_BENCH") ? CONFIG("2", "2", "2", "2") : full_config;
}

static bool have_clang(void)
{
	return !system("clang --version >/dev/null 2>&1");
}

static struct bpf_object *open_object(struct polc *polc, const char *header)
{
	struct polc_build_options options = {.no_cache = true};
	LIBBPF_OPTS(bpf_object_open_opts, open_options, .object_name = "templates");
	struct bpf_object *object;
	void *data;
	size_t size;

	assert_int_equal(polc_clang_compile(polc, header, &options, &data, &size), 0);
	object = bpf_object__open_mem(data, size, &open_options);
	free(data);
	assert_non_null(object);
	return object;
}

static int map_fd(const struct world *w, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(w->object, name);

	assert_true(fd >= 0);
	return fd;
}

static void set(const struct world *w, const char *map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(map_fd(w, map), key, value, 0), 0);
}

static void set_at(const struct world *w, const char *map, uint32_t index, const void *value)
{
	set(w, map, &index, value);
}

static void size_maps(struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		const char *name = bpf_map__name(map);

		if (strstr(name, ".rodata")) {
			size_t size;
			uint32_t *generation = (uint32_t *)bpf_map__initial_value(map, &size);

			/* polt_generation is the only __u32; the others are the log bits */
			for (size_t i = 0; i < size / 4; i++)
				if (generation[i] == 1)
					generation[i] = GENERATION;
		} else if (!strcmp(name, "polt_flows")) {
			bpf_map__set_max_entries(map, 65536);
		} else if (bpf_map__max_entries(map) == 1 && strcmp(name, "polt_ports") &&
			   strcmp(name, "polt_control") && strcmp(name, "polt_config") &&
			   strcmp(name, "polt_bucket")) {
			bpf_map__set_max_entries(map, 64);
		}
	}
}

static void set_epoch(struct world *w, uint32_t epoch)
{
	struct polb_control control = {(uint64_t)GENERATION << 32 | epoch};

	w->epoch = epoch;
	set_at(w, "polt_control", 0, &control);
}

static void set_config(struct world *w)
{
	set_at(w, "polt_config", 0, &w->config);
}

static void set_endpoint(struct world *w, uint32_t number)
{
	uint32_t loopback = 1;

	w->config.fallback_endpoint = number;
	set_config(w);
	if (number)
		set(w, "polt_interfaces", &loopback, &number);
	else
		bpf_map_delete_elem(map_fd(w, "polt_interfaces"), &loopback);
}

static struct polb_addr addr(const char *text)
{
	struct polb_addr out;

	assert_int_equal(polb_addr_parse(text, &out), 0);
	return out;
}

static void set_peer(const struct world *w, const char *address, uint32_t class_id)
{
	struct polb_addr a = addr(address);
	struct polb_peer peer = {.identity = 1000 + class_id, .class_id = class_id};

	set(w, a.family == 4 ? "polt_peers4" : "polt_peers6", a.bytes, &peer);
}

/* Table 1: port class 1 allows friends (bit 0, class 2) unless they are enemies (bit 64, class 3).
 */
static void fill_tables(const struct world *w)
{
	static const struct polb_row rows[] = {
		{.default_verdict = POLB_VERDICT_ALLOW},
		{.default_rule = POLB_RULE_DEFAULT_DENY, .default_verdict = POLB_VERDICT_DENY},
		{.n_steps = 2,
			.default_rule = POLB_RULE_DEFAULT_DENY,
			.default_verdict = POLB_VERDICT_DENY},
	};
	static const uint32_t rows_index[] = {0, 0, 1, 2}, rules[] = {RULE_DENY, RULE_ALLOW};
	static const struct {
		struct polb_class_head head;
		struct polb_class_word words[2];
	} classes[] = {{.head.n = 0}, {.head.n = 0}, {{.n = 1}, {{.bits = 1}}},
		{{.n = 2}, {{.bits = 1}, {.bits = 1, .word = 1}}}};
	static const struct {
		struct polb_step_head head;
		uint16_t slots[4];
	} steps[] = {{{.action = POLB_VERDICT_DENY}, {0, 1}},
		{{.action = POLB_VERDICT_ALLOW, .first_word = 1}, {1, 0}}};
	static const struct polb_step_word words[] = {
		{.mask = 1, .rules = 0}, {.mask = 1, .rules = 1}};

	for (uint32_t i = 0; i < 3; i++)
		set_at(w, "polt_rows", i, &rows[i]);
	for (uint32_t i = 0; i < 4; i++)
		set_at(w, "polt_index", i, &rows_index[i]);
	for (uint32_t i = 0; i < 4; i++)
		set_at(w, "polt_classes", i, &classes[i]);
	for (uint32_t i = 0; i < 2; i++) {
		set_at(w, "polt_steps", i, &steps[i]);
		set_at(w, "polt_step_words", i, &words[i]);
		set_at(w, "polt_rule_ids", i, &rules[i]);
	}
}

static void fill_ports(const struct world *w)
{
	uint16_t *ports = calloc(POLB_PORTS_END, sizeof(*ports));

	ports[POLB_PORTS_TCP + 80] = 1;
	ports[POLB_PORTS_UDP + 53] = 1;
	ports[POLB_PORTS_SCTP + 9] = 1;
	ports[POLB_PORTS_ICMP + 8] = 1;
	ports[POLB_PORTS_ICMPV6 + 128] = 1;
	ports[POLB_PORTS_OTHER + 47] = 1;
	set_at(w, "polt_ports", 0, ports);
	free(ports);
}

static void fill_endpoints(struct world *w)
{
	static const struct polb_endpoint endpoints[] = {{.key = 0}, {.key = KEY, .table = {1, 1}},
		{.key = KEY + 1},
		{.key = KEY + 2, .table = {1, 1}, .flags = POLB_ENDPOINT_HOST_NETNS}};

	for (uint32_t i = 1; i < 4; i++)
		set_at(w, "polt_endpoints", i, &endpoints[i]);
	set_peer(w, "10.0.0.2", 2);
	set_peer(w, "10.0.0.3", 3);
	set_peer(w, "fd00::2", 2);
	set_peer(w, "fd00::3", 3);
	struct polb_lpm4 cidr = {.prefix_len = 24, .addr = {203, 0, 113}};
	struct polb_peer peer = {.identity = 1 << 24, .class_id = 2};
	set(w, "polt_cidrs4", &cidr, &peer);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	*state = w;
	polc_init(&w->polc);
	libbpf_set_print(quiet);
	if (!have_clang() || geteuid())
		return 0;
	w->object = open_object(&w->polc, header_of_run());
	size_maps(w->object);
	int err = bpf_object__load(w->object);
	if (err == -EPERM) {
		bpf_object__close(w->object);
		w->object = NULL;
		return 0;
	}
	assert_int_equal(err, 0);
	w->config = (struct polb_config){.udp_timeout_jiffies = 3000,
		.closing_timeout_jiffies = 3000,
		.event_tokens_per_second = 1000000};
	fill_tables(w);
	fill_ports(w);
	fill_endpoints(w);
	set_endpoint(w, 1);
	set_epoch(w, 1);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	bpf_object__close(w->object);
	polc_free(&w->polc);
	free(w);
	return 0;
}

/* The loaded programs, all flows forgotten; skips the test when there are none. */
static struct world *fresh(void **state)
{
	struct world *w = *state;
	struct polb_flow_key key;
	struct polb_fragment_key fragment;

	if (!w->object) {
		print_message("needs clang, root and BPF\n");
		skip();
	}
	while (!bpf_map_get_next_key(map_fd(w, "polt_flows"), NULL, &key))
		bpf_map_delete_elem(map_fd(w, "polt_flows"), &key);
	while (!bpf_map_get_next_key(map_fd(w, "polt_fragments"), NULL, &fragment))
		bpf_map_delete_elem(map_fd(w, "polt_fragments"), &fragment);
	w->config.mode = 0;
	w->config.adopt_until_ns = 0;
	set_endpoint(w, 1);
	set_epoch(w, w->epoch + 1);
	return w;
}

static int program_fd(const struct world *w, uint32_t hook, enum polc_direction direction)
{
	static const char *const names[2][2] = {
		{"polt_cgroup_in", "polt_cgroup_out"}, {"polt_tc_to", "polt_tc_from"}};
	struct bpf_program *program =
		bpf_object__find_program_by_name(w->object, names[hook == POLB_HOOK_TC][direction]);

	assert_non_null(program);
	return bpf_program__fd(program);
}

static int run_bytes(int fd, const void *frame, size_t size, uint32_t repeat, uint32_t *duration)
{
	struct __sk_buff context = {.ifindex = 1};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)size,
		.ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = (int)repeat);

	assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
	if (duration)
		*duration = opts.duration;
	return (int)opts.retval;
}

static uint64_t counter(const struct world *w, uint32_t rule)
{
	int n_cpus = libbpf_num_possible_cpus();
	struct polb_counter values[256];
	uint64_t packets = 0;

	assert_in_range(n_cpus, 1, 256);
	if (bpf_map_lookup_elem(map_fd(w, "polt_counters"), &rule, values))
		return 0;
	for (int i = 0; i < n_cpus; i++)
		packets += values[i].packets;
	return packets;
}

static bool pass_frame(const struct world *w, uint32_t hook, enum polc_direction direction,
	const void *frame, size_t size)
{
	int result = run_bytes(program_fd(w, hook, direction), frame, size, 1, NULL);

	if (hook == POLB_HOOK_TC)
		assert_true(result == -1 || result == 2);
	return hook == POLB_HOOK_TC ? result == -1 : result & 1;
}

static bool pass(const struct world *w, uint32_t hook, enum polc_direction direction,
	const struct polc_packet_spec *spec)
{
	uint8_t frame[POLC_PACKET_MAX];
	size_t size;

	assert_int_equal(polc_packet_build(spec, frame, sizeof(frame), &size), 0);
	return pass_frame(w, hook, direction, frame, size);
}

/* Asserts the verdict and the one rule that counted the packet. */
#define expect(w, hook, direction, spec, passes, rule)                                             \
	do {                                                                                       \
		uint64_t before_ = counter(w, rule);                                               \
		bool passes_ = pass(w, hook, direction, spec);                                     \
		if (passes_ != (passes) || counter(w, rule) != before_ + 1)                        \
			fail_msg("hook %u: %s, counted %u", (unsigned)(hook),                      \
				passes_ ? "passes" : "dropped",                                    \
				(unsigned)(counter(w, rule) - before_));                           \
	} while (0)
#define for_each_hook(hook) for (uint32_t hook = POLB_HOOK_CGROUP; hook <= POLB_HOOK_TC; hook++)

static struct polc_packet_spec packet(
	const char *src, const char *dst, uint8_t protocol, uint16_t sport, uint16_t dport)
{
	struct polc_packet_spec spec = {.src = addr(src),
		.dst = addr(dst),
		.protocol = protocol,
		.sport = sport,
		.dport = dport,
		.tcp_flags = POLC_TCP_SYN};

	spec.family = spec.src.family;
	return spec;
}

static struct polc_packet_spec reply(struct polc_packet_spec spec, uint8_t flags)
{
	struct polb_addr src = spec.src;
	uint16_t sport = spec.sport;

	spec.src = spec.dst;
	spec.dst = src;
	spec.sport = spec.dport;
	spec.dport = sport;
	spec.tcp_flags = flags;
	return spec;
}

static int flow_of(const struct world *w, struct polb_flow *flow)
{
	struct polb_flow_key key;
	int err = bpf_map_get_next_key(map_fd(w, "polt_flows"), NULL, &key);

	return err ? err : bpf_map_lookup_elem(map_fd(w, "polt_flows"), &key, flow);
}

static void test_configurations(void **state)
{
	static const char *const configs[] = {
		"", /* as the templates stand */
		CONFIG("1", "1", "1", "1") "#define POLT_HOOK_TC 0\n#define POLT_HAS_PASS 0\n"
					   "#define POLT_HAS_CIDR4 0\n#define POLT_HAS_CIDR6 0\n",
		CONFIG("1", "1", "1", "0") "#define POLT_HOOK_CGROUP 0\n",
		CONFIG("157", "157", "300", "2"),
		CONFIG("16", "16", "40", "512"),
	};
	struct world *w = *state;

	if (!have_clang()) {
		print_message("needs clang\n");
		skip();
	}
	for (size_t i = 0; i < POLC_ARRAY_SIZE(configs); i++) {
		struct bpf_object *object = open_object(&w->polc, configs[i]);

		if (i == 1) {
			assert_null(bpf_object__find_map_by_name(object, "polt_cidrs4"));
			assert_null(bpf_object__find_map_by_name(object, "polt_ports"));
			assert_null(bpf_object__find_map_by_name(object, "polt_interfaces"));
			assert_null(bpf_object__find_program_by_name(object, "polt_tc_from"));
		}
		size_maps(object);
		if (w->object)
			assert_int_equal(bpf_object__load(object), 0);
		bpf_object__close(object);
	}
}

static void *compile_under(struct world *w, const char *directory, bool no_cache, size_t *size)
{
	struct polc_build_options options = {.no_cache = no_cache};
	void *data;

	setenv("TMPDIR", directory, 1);
	assert_int_equal(polc_clang_compile(&w->polc, full_config, &options, &data, size), 0);
	unsetenv("TMPDIR");
	return data;
}

/* The same bytes in any directory, and from the cache; no trace of the directory. */
static void test_reproducible(void **state)
{
	struct world *w = *state;
	char first[] = "/tmp/test-templates-a-XXXXXX", second[] = "/tmp/tt-b-XXXXXX", command[128];
	const char *home = getenv("XDG_CACHE_HOME");
	char *saved = home ? strdup(home) : NULL;
	size_t sizes[4];
	void *objects[4];

	if (!have_clang())
		skip();
	assert_non_null(mkdtemp(first));
	assert_non_null(mkdtemp(second));
	setenv("XDG_CACHE_HOME", second, 1);
	objects[0] = compile_under(w, first, true, &sizes[0]);
	for (int i = 1; i < 4; i++) /* not cached, stored, found */
		objects[i] = compile_under(w, second, i == 1, &sizes[i]);
	for (int i = 1; i < 4; i++) {
		assert_int_equal(sizes[i], sizes[0]);
		assert_memory_equal(objects[i], objects[0], sizes[0]);
	}
	assert_null(memmem(objects[0], sizes[0], "test-templates-a-", 17));
	for (int i = 0; i < 4; i++)
		free(objects[i]);
	if (saved)
		setenv("XDG_CACHE_HOME", saved, 1);
	else
		unsetenv("XDG_CACHE_HOME");
	free(saved);
	snprintf(command, sizeof(command), "rm -r %s %s", first, second);
	assert_int_equal(system(command), 0);
}

static void test_no_clang(void **state)
{
	struct world *w = *state;
	struct polc_build_options options = {.no_cache = true, .clang = "/nonexistent/clang"};
	void *data;
	size_t size;

	assert_int_equal(polc_clang_compile(&w->polc, "", &options, &data, &size), -ENOENT);
	options.clang = "false";
	assert_true(polc_clang_compile(&w->polc, "", &options, &data, &size) < 0);
	options.clang = NULL;
	if (have_clang()) /* what clang says about a broken template is shown */
		assert_true(polc_clang_compile(
				    &w->polc, "#error broken\n", &options, &data, &size) < 0);
}

static void test_allow_deny(void **state)
{
	struct world *w = fresh(state);

	for_each_hook(hook)
	{
		uint16_t port = (uint16_t)(1000 + hook);
		struct polc_packet_spec friend =
			packet("10.0.0.2", "10.0.0.1", IPPROTO_TCP, port, 80);
		struct polc_packet_spec enemy =
			packet("10.0.0.3", "10.0.0.1", IPPROTO_TCP, port, 80);
		struct polc_packet_spec other =
			packet("10.0.0.2", "10.0.0.1", IPPROTO_TCP, port, 81);
		struct polc_packet_spec world =
			packet("192.0.2.1", "10.0.0.1", IPPROTO_TCP, port, 80);
		struct polc_packet_spec cidr =
			packet("203.0.113.9", "10.0.0.1", IPPROTO_UDP, port, 53);
		struct polc_packet_spec gre = packet("10.0.0.2", "10.0.0.1", 47, 0, 0);
		struct polc_packet_spec sctp =
			packet("10.0.0.2", "10.0.0.1", IPPROTO_SCTP, port, 9);

		sctp.sctp_chunk = POLC_SCTP_INIT;
		expect(w, hook, POLC_INGRESS, &friend, true, RULE_ALLOW);
		expect(w, hook, POLC_INGRESS, &enemy, false, RULE_DENY);
		expect(w, hook, POLC_INGRESS, &other, false, POLB_RULE_DEFAULT_DENY);
		expect(w, hook, POLC_INGRESS, &world, false, POLB_RULE_DEFAULT_DENY);
		expect(w, hook, POLC_INGRESS, &cidr, true, RULE_ALLOW);
		expect(w, hook, POLC_INGRESS, &gre, true, RULE_ALLOW);
		expect(w, hook, POLC_INGRESS, &sctp, true, RULE_ALLOW);
		struct polc_packet_spec out = reply(friend, POLC_TCP_SYN);
		out.sport++; /* another connection: egress to a port that no rule names */
		expect(w, hook, POLC_EGRESS, &out, false, POLB_RULE_DEFAULT_DENY);
		set_endpoint(w, FREE_ENDPOINT);
		expect(w, hook, POLC_INGRESS, &world, true, POLB_RULE_NONE);
		set_endpoint(w, 0);
		expect(w, hook, POLC_INGRESS, &friend, false, POLB_RULE_NO_ENDPOINT);
		set_endpoint(w, 1);
	}
}

/* A PASS goes on at the row's pass_to, over the steps between. */
static void test_pass(void **state)
{
	struct world *w = fresh(state);
	static const struct {
		struct polb_step_head head;
		uint16_t slots[4];
	} steps[] = {{{.action = POLB_VERDICT_PASS, .first_word = 1}, {1, 0}},
		{{.action = POLB_VERDICT_DENY}, {0, 1}}};
	struct polb_row saved, row = {.first_step = 2,
				       .n_steps = 2,
				       .pass_to = 2,
				       .default_rule = 20,
				       .default_verdict = POLB_VERDICT_ALLOW};
	uint32_t two = 2;

	assert_int_equal(bpf_map_lookup_elem(map_fd(w, "polt_rows"), &two, &saved), 0);
	for (uint32_t i = 0; i < 2; i++)
		set_at(w, "polt_steps", 2 + i, &steps[i]);
	set_at(w, "polt_rows", 2, &row);
	for_each_hook(hook)
	{
		struct polc_packet_spec enemy =
			packet("10.0.0.3", "10.0.0.1", IPPROTO_TCP, (uint16_t)(1100 + hook), 80);

		row.pass_to = 2;
		set_at(w, "polt_rows", 2, &row);
		expect(w, hook, POLC_INGRESS, &enemy, true, 20);
		row.pass_to = 1;
		set_at(w, "polt_rows", 2, &row);
		set_epoch(w, w->epoch + 1);
		expect(w, hook, POLC_INGRESS, &enemy, false, RULE_DENY);
		row.pass_to = 0; /* a bundle that loops must not pass */
		set_at(w, "polt_rows", 2, &row);
		expect(w, hook, POLC_INGRESS, &enemy, false, POLB_RULE_DEFAULT_DENY);
	}
	set_at(w, "polt_rows", 2, &saved);
}

static void test_replies(void **state)
{
	struct world *w = fresh(state);

	for_each_hook(hook)
	{
		uint16_t port = (uint16_t)(2000 + hook);
		struct polc_packet_spec tcp = packet("10.0.0.1", "10.0.0.2", IPPROTO_TCP, port, 80);
		struct polc_packet_spec udp = packet("10.0.0.1", "10.0.0.2", IPPROTO_UDP, port, 53);
		struct polc_packet_spec back = reply(tcp, POLC_TCP_SYN | POLC_TCP_ACK);

		expect(w, hook, POLC_INGRESS, &back, false, POLB_RULE_DEFAULT_DENY);
		expect(w, hook, POLC_EGRESS, &tcp, true, RULE_ALLOW);
		expect(w, hook, POLC_INGRESS, &back, true, RULE_ALLOW);
		back.tcp_flags = POLC_TCP_ACK;
		expect(w, hook, POLC_INGRESS, &back, true, RULE_ALLOW);
		back.tcp_flags =
			POLC_TCP_SYN; /* the other side opens one of its own on these ports */
		expect(w, hook, POLC_INGRESS, &back, false, POLB_RULE_DEFAULT_DENY);
		expect(w, hook, POLC_EGRESS, &udp, true, RULE_ALLOW);
		back = reply(udp, 0);
		expect(w, hook, POLC_INGRESS, &back, true, RULE_ALLOW);
		back.dport++;
		expect(w, hook, POLC_INGRESS, &back, false, POLB_RULE_DEFAULT_DENY);
	}
}

static void test_ipv6(void **state)
{
	struct world *w = fresh(state);

	for_each_hook(hook)
	{
		uint16_t port = (uint16_t)(3000 + hook);
		struct polc_packet_spec tcp = packet("fd00::2", "fd00::1", IPPROTO_TCP, port, 80);
		struct polc_packet_spec enemy = packet("fd00::3", "fd00::1", IPPROTO_TCP, port, 80);
		struct polc_packet_spec nd = packet("fd00::3", "fd00::1", IPPROTO_ICMPV6, 0, 0);

		expect(w, hook, POLC_INGRESS, &tcp, true, RULE_ALLOW);
		expect(w, hook, POLC_INGRESS, &enemy, false, RULE_DENY);
		nd.icmp_type = 135;
		expect(w, hook, POLC_INGRESS, &nd, true, POLB_RULE_PROTOCOL_NEED);
		nd.icmp_type = 137; /* redirect is not among them */
		expect(w, hook, POLC_INGRESS, &nd, false, POLB_RULE_DEFAULT_DENY);
		static const uint8_t kinds[] = {0, 43, 60, 51, 60, 60, 60, 60, 60};
		memcpy(tcp.extensions, kinds, sizeof(kinds));
		tcp.sport = (uint16_t)(port + 10);
		tcp.n_extensions = 8;
		expect(w, hook, POLC_INGRESS, &tcp, true, RULE_ALLOW);
		tcp.n_extensions = 9;
		expect(w, hook, POLC_INGRESS, &tcp, false, POLB_RULE_MALFORMED);
	}
}

static void test_fragments(void **state)
{
	struct world *w = fresh(state);

	for_each_hook(hook)
	{
		for (int v6 = 0; v6 < 2; v6++) {
			struct polc_packet_spec first =
				v6 ? packet("fd00::2", "fd00::1", IPPROTO_UDP, 4000, 53)
				   : packet("10.0.0.2", "10.0.0.1", IPPROTO_UDP, 4000, 53);
			first.fragment = first.more_fragments = true;
			first.fragment_id = 100 + hook;
			struct polc_packet_spec later = first;
			later.fragment_offset = 64;
			later.more_fragments = false;
			expect(w, hook, POLC_INGRESS, &later, false, POLB_RULE_FRAGMENT);
			expect(w, hook, POLC_INGRESS, &first, true, RULE_ALLOW);
			expect(w, hook, POLC_INGRESS, &later, true, RULE_ALLOW);
			first.dport = 54;
			first.fragment_id = later.fragment_id = 200 + hook;
			expect(w, hook, POLC_INGRESS, &first, false, POLB_RULE_DEFAULT_DENY);
			expect(w, hook, POLC_INGRESS, &later, false, POLB_RULE_FRAGMENT);
			set_endpoint(w, FREE_ENDPOINT);
			expect(w, hook, POLC_INGRESS, &later, true, POLB_RULE_NONE);
			set_endpoint(w, 1);
		}
	}
}

static void test_icmp(void **state)
{
	struct world *w = fresh(state);

	for_each_hook(hook)
	{
		struct polc_packet_spec ping = packet("10.0.0.1", "10.0.0.2", IPPROTO_ICMP, 0, 0);
		ping.icmp_type = 8;
		ping.icmp_id = (uint16_t)(50 + hook);
		struct polc_packet_spec pong = reply(ping, 0);
		pong.icmp_type = 0;
		expect(w, hook, POLC_INGRESS, &pong, false, POLB_RULE_DEFAULT_DENY);
		expect(w, hook, POLC_EGRESS, &ping, true, RULE_ALLOW);
		expect(w, hook, POLC_INGRESS, &pong, true, RULE_ALLOW);
		set_epoch(w,
			w->epoch +
				1); /* again as an echo request going out, though this comes in */
		expect(w, hook, POLC_INGRESS, &pong, true, RULE_ALLOW);
		pong.icmp_id++;
		expect(w, hook, POLC_INGRESS, &pong, false, POLB_RULE_DEFAULT_DENY);
	}
}

static void test_icmp_errors(void **state)
{
	struct world *w = fresh(state);

	for_each_hook(hook)
	{
		for (int v6 = 0; v6 < 2; v6++) {
			struct polc_packet_spec udp =
				v6 ? packet("fd00::1", "fd00::2", IPPROTO_UDP, 5000, 53)
				   : packet("10.0.0.1", "10.0.0.2", IPPROTO_UDP, 5000, 53);
			uint8_t inner[POLC_PACKET_MAX];
			size_t size;

			udp.sport = (uint16_t)(udp.sport + hook);
			assert_int_equal(polc_packet_build(&udp, inner, sizeof(inner), &size), 0);
			struct polc_packet_spec error =
				v6 ? packet("2001:db8::9", "fd00::1", IPPROTO_ICMPV6, 0, 0)
				   : packet("192.0.2.9", "10.0.0.1", IPPROTO_ICMP, 0, 0);
			error.icmp_type = v6 ? 1 : 3;
			error.icmp_code = v6 ? 4 : 3;
			error.payload = inner + POLC_ETHERNET_BYTES;
			error.payload_bytes = size - POLC_ETHERNET_BYTES;
			expect(w, hook, POLC_INGRESS, &error, false, POLB_RULE_DEFAULT_DENY);
			expect(w, hook, POLC_EGRESS, &udp, true, RULE_ALLOW);
			expect(w, hook, POLC_INGRESS, &error, true, POLB_RULE_RELATED);
			set_epoch(w, w->epoch + 1);
			expect(w, hook, POLC_INGRESS, &error, true, POLB_RULE_RELATED);
			/* revoked: the flow's peer is an enemy now */
			set_peer(w, v6 ? "fd00::2" : "10.0.0.2", 3);
			set_epoch(w, w->epoch + 1);
			expect(w, hook, POLC_INGRESS, &error, false, POLB_RULE_DEFAULT_DENY);
			set_peer(w, v6 ? "fd00::2" : "10.0.0.2", 2);
			error.payload_bytes = 12; /* cut inside the quoted header */
			expect(w, hook, POLC_INGRESS, &error, false, POLB_RULE_DEFAULT_DENY);
			error.icmp_type = v6 ? 2 : 3;
			error.icmp_code = v6 ? 0 : 4;
			expect(w, hook, POLC_INGRESS, &error, true, POLB_RULE_PROTOCOL_NEED);
		}
	}
}

static void test_self(void **state)
{
	struct world *w = fresh(state);

	for_each_hook(hook)
	{
		struct polc_packet_spec self =
			packet("10.0.0.1", "10.0.0.1", IPPROTO_TCP, 6000, 6001);
		struct polc_packet_spec loop =
			packet("127.0.0.1", "127.0.0.2", IPPROTO_TCP, 6000, 6001);
		struct polc_packet_spec loop6 = packet("fd00::1", "::1", IPPROTO_TCP, 6000, 6001);

		expect(w, hook, POLC_EGRESS, &self, true, POLB_RULE_SELF);
		expect(w, hook, POLC_EGRESS, &loop, true, POLB_RULE_SELF);
		expect(w, hook, POLC_EGRESS, &loop6, true, POLB_RULE_SELF);
		set_endpoint(w, HOST_ENDPOINT);
		expect(w, hook, POLC_EGRESS, &self, true, POLB_RULE_SELF);
		expect(w, hook, POLC_EGRESS, &loop, false, POLB_RULE_DEFAULT_DENY);
		set_endpoint(w, 1);
	}
}

static void test_malformed(void **state)
{
	struct world *w = fresh(state);

	set_endpoint(w, FREE_ENDPOINT); /* even without any policy */
	for_each_hook(hook)
	{
		for (int v6 = 0; v6 < 2; v6++) {
			struct polc_packet_spec tcp =
				v6 ? packet("fd00::2", "fd00::1", IPPROTO_TCP, 7000, 80)
				   : packet("10.0.0.2", "10.0.0.1", IPPROTO_TCP, 7000, 80);
			uint8_t frame[POLC_PACKET_MAX];
			size_t size;

			assert_int_equal(polc_packet_build(&tcp, frame, sizeof(frame), &size), 0);
			for (size_t n = POLC_ETHERNET_BYTES + 1; n <= size; n++) {
				/* shorter than an IP header, the kernel itself refuses some in
				 * TEST_RUN */
				if (n < POLC_ETHERNET_BYTES + (v6 ? 40u : 20u))
					continue;
				tcp.truncate_to = n < size ? n : 0;
				expect(w, hook, POLC_INGRESS, &tcp, n == size,
					n == size ? POLB_RULE_NONE : POLB_RULE_MALFORMED);
			}
			uint64_t before = counter(w, POLB_RULE_MALFORMED);
			frame[POLC_ETHERNET_BYTES] ^= 0x10; /* version */
			assert_false(pass_frame(w, hook, POLC_INGRESS, frame, size));
			frame[POLC_ETHERNET_BYTES] = v6 ? 0x60 : 0x44; /* header length */
			frame[POLC_ETHERNET_BYTES + 5] = v6 ? 19 : frame[POLC_ETHERNET_BYTES + 5];
			assert_false(pass_frame(w, hook, POLC_INGRESS, frame, size));
			assert_int_equal(counter(w, POLB_RULE_MALFORMED), before + 2);
		}
	}
}

static void test_ethernet(void **state)
{
	struct world *w = fresh(state);
	struct polc_packet_spec tcp = packet("10.0.0.2", "10.0.0.1", IPPROTO_TCP, 8000, 80);
	uint8_t frame[POLC_PACKET_MAX] = {0};
	size_t size;

	tcp.has_vlan = true;
	tcp.vlan = 5;
	expect(w, POLB_HOOK_TC, POLC_INGRESS, &tcp, true, RULE_ALLOW);
	tcp.dport = 81;
	expect(w, POLB_HOOK_TC, POLC_INGRESS, &tcp, false, POLB_RULE_DEFAULT_DENY);
	tcp.has_vlan = false;
	assert_int_equal(polc_packet_build(&tcp, frame, sizeof(frame), &size), 0);
	frame[12] = 0x08;
	frame[13] = 0x06; /* ARP */
	assert_true(pass_frame(w, POLB_HOOK_TC, POLC_INGRESS, frame, size));
	frame[13] = 0x42;
	uint64_t before = counter(w, POLB_RULE_NOT_IP);
	assert_false(pass_frame(w, POLB_HOOK_TC, POLC_INGRESS, frame, size));
	assert_int_equal(counter(w, POLB_RULE_NOT_IP), before + 1);
	set_endpoint(w, FREE_ENDPOINT);
	assert_true(pass_frame(w, POLB_HOOK_TC, POLC_INGRESS, frame, size));
	struct polc_packet_spec options = packet("10.0.0.2", "10.0.0.1", IPPROTO_TCP, 8001, 80);
	options.ip_options_bytes = 40;
	set_endpoint(w, 1);
	expect(w, POLB_HOOK_TC, POLC_INGRESS, &options, true, RULE_ALLOW);
}

static void test_audit(void **state)
{
	struct world *w = fresh(state);

	for_each_hook(hook)
	{
		struct polc_packet_spec enemy =
			packet("10.0.0.3", "10.0.0.1", IPPROTO_TCP, 9000, 80);
		struct polb_flow flow;

		w->config.mode = 1;
		set_config(w);
		expect(w, hook, POLC_INGRESS, &enemy, true, RULE_DENY);
		assert_int_equal(flow_of(w, &flow), 0);
		assert_int_equal(flow.state, POLB_STATE(w->epoch, RULE_DENY, POLB_VERDICT_AUDIT));
		enemy.tcp_flags = POLC_TCP_ACK;
		expect(w, hook, POLC_INGRESS, &enemy, true, RULE_DENY);
		struct polc_packet_spec broken = enemy;
		broken.truncate_to = 40;
		expect(w, hook, POLC_INGRESS, &broken, true, POLB_RULE_MALFORMED);
		w->config.mode = 0;
		set_config(w);
		set_epoch(w, w->epoch + 1);
		expect(w, hook, POLC_INGRESS, &enemy, false, RULE_DENY);
		assert_int_not_equal(flow_of(w, &flow), 0); /* deleted */
	}
}

static void test_epoch(void **state)
{
	struct world *w = fresh(state);

	for_each_hook(hook)
	{
		struct polc_packet_spec tcp =
			packet("10.0.0.1", "10.0.0.2", IPPROTO_TCP, (uint16_t)(9100 + hook), 80);
		struct polc_packet_spec back = reply(tcp, POLC_TCP_ACK);
		struct polb_flow flow;

		expect(w, hook, POLC_EGRESS, &tcp, true, RULE_ALLOW);
		set_epoch(w, w->epoch + 1);
		/* in its origin's direction: the reply itself would be denied */
		expect(w, hook, POLC_INGRESS, &back, true, RULE_ALLOW);
		assert_int_equal(flow_of(w, &flow), 0);
		assert_int_equal(flow.state >> 32, w->epoch);
		assert_int_equal(flow.origin, POLB_EGRESS);
		set_peer(w, "10.0.0.2", 3);
		expect(w, hook, POLC_INGRESS, &back, true, RULE_ALLOW); /* still cached */
		set_epoch(w, w->epoch + 1);
		expect(w, hook, POLC_INGRESS, &back, false, RULE_DENY);
		assert_int_not_equal(flow_of(w, &flow), 0);
		set_peer(w, "10.0.0.2", 2);
		/* another generation is active: no effect at all */
		struct polb_control control = {(uint64_t)(GENERATION + 1) << 32};
		set_at(w, "polt_control", 0, &control);
		assert_true(pass(w, hook, POLC_INGRESS, &back));
		set_epoch(w, w->epoch + 1);
		/* connections older than polc, either side first */
		expect(w, hook, POLC_INGRESS, &back, false, POLB_RULE_DEFAULT_DENY);
		w->config.adopt_until_ns = UINT64_MAX;
		set_config(w);
		expect(w, hook, POLC_INGRESS, &back, true, RULE_ALLOW);
		assert_int_equal(flow_of(w, &flow), 0);
		assert_int_equal(flow.origin, POLB_EGRESS);
		w->config.adopt_until_ns = 0;
		set_config(w);
		fresh(state);
	}
}

static void test_timeouts(void **state)
{
	struct world *w = fresh(state);
	struct polb_config saved = w->config;

	for_each_hook(hook)
	{
		struct polc_packet_spec udp =
			packet("10.0.0.1", "10.0.0.2", IPPROTO_UDP, (uint16_t)(9200 + hook), 53);
		struct polc_packet_spec back = reply(udp, 0);
		struct polc_packet_spec tcp =
			packet("10.0.0.1", "10.0.0.2", IPPROTO_TCP, (uint16_t)(9200 + hook), 80);
		struct polc_packet_spec answer = reply(tcp, POLC_TCP_ACK);
		struct timespec short_time = {.tv_nsec = 60000000};

		w->config.udp_timeout_jiffies = w->config.closing_timeout_jiffies = 1;
		set_config(w);
		expect(w, hook, POLC_EGRESS, &udp, true, RULE_ALLOW);
		expect(w, hook, POLC_EGRESS, &tcp, true, RULE_ALLOW);
		nanosleep(&short_time, NULL);
		expect(w, hook, POLC_INGRESS, &back, false, POLB_RULE_DEFAULT_DENY);
		expect(w, hook, POLC_INGRESS, &answer, true, RULE_ALLOW); /* TCP does not age */
		answer.tcp_flags = POLC_TCP_RST;
		expect(w, hook, POLC_INGRESS, &answer, true, RULE_ALLOW);
		nanosleep(&short_time, NULL);
		answer.tcp_flags = POLC_TCP_ACK;
		expect(w, hook, POLC_INGRESS, &answer, false, POLB_RULE_DEFAULT_DENY);
		w->config = saved;
		set_config(w);
		/* ports used again right after a close: the new connection is not a closing one */
		struct polb_flow flow;
		fresh(state);
		expect(w, hook, POLC_EGRESS, &tcp, true, RULE_ALLOW);
		tcp.tcp_flags = POLC_TCP_FIN | POLC_TCP_ACK;
		expect(w, hook, POLC_EGRESS, &tcp, true, RULE_ALLOW);
		assert_int_equal(flow_of(w, &flow), 0);
		assert_int_equal(flow.closing, 1);
		tcp.tcp_flags = POLC_TCP_SYN;
		expect(w, hook, POLC_EGRESS, &tcp, true, RULE_ALLOW);
		assert_int_equal(flow_of(w, &flow), 0);
		assert_int_equal(flow.closing, 0);
	}
}

/* One TEST_RUN call has one socket: the second packet of it is served from there. */
static void test_socket(void **state)
{
	struct world *w = fresh(state);
	struct polc_packet_spec tcp = packet("10.0.0.2", "10.0.0.1", IPPROTO_TCP, 9300, 80);
	int fd = program_fd(w, POLB_HOOK_CGROUP, POLC_INGRESS);
	uint8_t frame[POLC_PACKET_MAX];
	size_t size;

	tcp.tcp_flags = POLC_TCP_ACK;
	assert_int_equal(polc_packet_build(&tcp, frame, sizeof(frame), &size), 0);
	uint64_t before = counter(w, RULE_ALLOW);
	assert_int_equal(run_bytes(fd, frame, size, 1000, NULL) & 1, 1);
	assert_int_equal(counter(w, RULE_ALLOW), before + 1000);
	tcp.src = addr("10.0.0.3");
	assert_int_equal(polc_packet_build(&tcp, frame, sizeof(frame), &size), 0);
	before = counter(w, RULE_DENY);
	assert_int_equal(run_bytes(fd, frame, size, 1000, NULL) & 1, 0); /* never kept */
	assert_int_equal(counter(w, RULE_DENY), before + 1000);
}

static int on_event(void *context, void *data, size_t size)
{
	assert_int_equal(size, sizeof(struct polb_event));
	memcpy(context, data, sizeof(struct polb_event));
	return 0;
}

static void test_events(void **state)
{
	if (getenv("POLC_BENCH"))
		skip();
	struct world *w = fresh(state);
	struct polb_event event = {0};
	struct ring_buffer *ring =
		ring_buffer__new(map_fd(w, "polt_events"), on_event, &event, NULL);
	struct polc_packet_spec enemy = packet("10.0.0.3", "10.0.0.1", IPPROTO_TCP, 9400, 80);
	struct polc_packet_spec friend = packet("10.0.0.2", "10.0.0.1", IPPROTO_TCP, 9400, 80);

	assert_non_null(ring);
	for_each_hook(hook)
	{
		fresh(state);
		ring_buffer__consume(ring);
		assert_false(pass(w, hook, POLC_INGRESS, &enemy));
		assert_int_equal(ring_buffer__consume(ring), 1);
		assert_int_equal(event.type, POLB_EVENT_VERDICT);
		assert_int_equal(event.verdict, POLB_VERDICT_DENY);
		assert_int_equal(event.rule, RULE_DENY);
		assert_int_equal(event.family, 4);
		assert_int_equal(event.local_port, 80);
		assert_int_equal(event.remote_port, 9400);
		assert_int_equal(event.tcp_flags, POLC_TCP_SYN);
		assert_int_equal(event.endpoint_key, KEY);
		assert_int_equal(event.generation, GENERATION);
		assert_int_equal(event.peer_identity, 1003);
		/* rule 16 has a log: its new flows are told, once each */
		assert_true(pass(w, hook, POLC_INGRESS, &friend));
		assert_int_equal(ring_buffer__consume(ring), 1);
		assert_int_equal(event.rule, RULE_ALLOW);
		assert_true(pass(w, hook, POLC_INGRESS, &friend));
		assert_int_equal(ring_buffer__consume(ring), 0);
		w->config.event_tokens_per_second = 0;
		set_config(w);
		assert_false(pass(w, hook, POLC_INGRESS, &enemy));
		assert_int_equal(ring_buffer__consume(ring), 0);
		w->config.event_tokens_per_second = 1000000;
		set_config(w);
	}
	ring_buffer__free(ring);
}

/* A program that only passes, of the given type. */
static int empty_program(enum bpf_prog_type type)
{
	/* r0 = 1; exit */
	static const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1}, {.code = BPF_JMP | BPF_EXIT}};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		.expected_attach_type =
			type == BPF_PROG_TYPE_CGROUP_SKB ? BPF_CGROUP_INET_INGRESS : 0);
	int fd = bpf_prog_load(type, NULL, "GPL", code, 2, &opts);

	assert_true(fd >= 0);
	return fd;
}

/* The least of several runs: what the machine did besides only ever adds. */
static uint32_t least_ns(int fd, const struct polc_packet_spec *spec, uint32_t repeat)
{
	uint32_t least = UINT32_MAX, duration;
	uint8_t frame[POLC_PACKET_MAX];
	size_t size;

	assert_int_equal(polc_packet_build(spec, frame, sizeof(frame), &size), 0);
	for (int i = 0; i < 12; i++) {
		run_bytes(fd, frame, size, repeat, &duration);
		least = duration < least ? duration : least;
	}
	return least;
}

static void bench_hook(struct world *w, uint32_t hook, int empty)
{
	struct polc_packet_spec cases[] = {packet("10.0.0.2", "10.0.0.1", IPPROTO_TCP, 9500, 80),
		packet("fd00::2", "fd00::1", IPPROTO_TCP, 9500, 80),
		packet("10.0.0.2", "10.0.0.1", IPPROTO_UDP, 9500, 53),
		packet("10.0.0.3", "10.0.0.1", IPPROTO_UDP, 9501, 53),
		packet("10.0.0.2", "10.0.0.1", 47, 0, 0)};
	static const char *const names[] = {"TCP established", "TCP6 established",
		"UDP established", "UDP denied (decided, no event)", "GRE established"};
	int fd = program_fd(w, hook, POLC_INGRESS);

	w->config.event_tokens_per_second = 0;
	w->config.udp_timeout_jiffies = 3000;
	set_config(w);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(cases); i++) {
		cases[i].tcp_flags = POLC_TCP_ACK;
		uint32_t nothing = least_ns(empty, &cases[i], 1000000);
		uint32_t all = least_ns(fd, &cases[i], 1000000);

		print_message("%s %s: %d ns over an empty program (%u)\n",
			hook == POLB_HOOK_TC ? "tc" : "cgroup", names[i], (int)(all - nothing),
			nothing);
	}
	/* SYN and FIN at once: it closes what it opens, so every packet is decided and stored anew
	 */
	struct polc_packet_spec syn = packet("10.0.0.2", "10.0.0.1", IPPROTO_TCP, 9600, 80);
	syn.tcp_flags = POLC_TCP_SYN | POLC_TCP_FIN;
	uint32_t nothing = least_ns(empty, &syn, 1000000);
	print_message("%s new flow: %d ns over an empty program\n",
		hook == POLB_HOOK_TC ? "tc" : "cgroup",
		(int)(least_ns(fd, &syn, 1000000) - nothing));
	w->config.event_tokens_per_second = 1000000;
	set_config(w);
}

static void test_speed(void **state)
{
	if (!getenv("POLC_BENCH"))
		skip();
	struct world *w = fresh(state);
	int empty_cgroup = empty_program(BPF_PROG_TYPE_CGROUP_SKB);
	int empty_tc = empty_program(BPF_PROG_TYPE_SCHED_CLS);

	bench_hook(w, POLB_HOOK_CGROUP, empty_cgroup);
	bench_hook(w, POLB_HOOK_TC, empty_tc);
	close(empty_cgroup);
	close(empty_tc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_configurations),
		cmocka_unit_test(test_reproducible),
		cmocka_unit_test(test_no_clang),
		cmocka_unit_test(test_allow_deny),
		cmocka_unit_test(test_pass),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_icmp_errors),
		cmocka_unit_test(test_self),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_ethernet),
		cmocka_unit_test(test_audit),
		cmocka_unit_test(test_epoch),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
