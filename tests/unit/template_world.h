/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A loaded set of templates with hand-filled maps, and packets to run through it: what the cases of
 * test_templates.c start from. Included once.
 */
#ifndef POLC_TEMPLATE_WORLD_H
#define POLC_TEMPLATE_WORLD_H

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
enum { FREE_ENDPOINT = 2, HOST_ENDPOINT = 3, NO_ENDPOINT = 1000 };

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
	w->object = open_object(&w->polc, full_config);
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

#endif
