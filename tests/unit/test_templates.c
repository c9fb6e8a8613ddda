/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The network templates by themselves: compiled in a few configurations, loaded without polload,
 * their maps filled by hand, asked with single packets (BPF_PROG_TEST_RUN) about every step of
 * bpf-templates/datapath.md. Skips what needs clang, root or BPF where it is missing.
 */
#include "runtime/instance.h"
#include "template_world.h"

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
		set_endpoint(w, NO_ENDPOINT);
		expect(w, hook, POLC_INGRESS, &friend, false, POLB_RULE_NO_ENDPOINT);
		set_endpoint(w, 0); /* attached, and nobody's yet */
		assert_true(pass(w, hook, POLC_INGRESS, &enemy));
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
		struct polc_packet_spec timestamp = ping; /* another question under the same id */
		timestamp.icmp_type = 13;
		expect(w, hook, POLC_EGRESS, &timestamp, false, POLB_RULE_DEFAULT_DENY);
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
		/* there, an address is shared with every other service of the host */
		expect(w, hook, POLC_EGRESS, &self, false, POLB_RULE_DEFAULT_DENY);
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
		assert_int_equal(flow_of(w, &flow), 0); /* kept, and never current again */
		assert_int_not_equal(flow.state >> 32, w->epoch);
	}
}

/* A change that was begun: no verdict outlives its packet, and none of before comes back. */
static void test_changing(void **state)
{
	struct world *w = fresh(state);

	for_each_hook(hook)
	{
		struct polc_packet_spec tcp =
			packet("10.0.0.1", "10.0.0.2", IPPROTO_TCP, (uint16_t)(9150 + hook), 80);
		struct polb_flow flow;
		uint32_t before;

		fresh(state);
		before = w->epoch;
		expect(w, hook, POLC_EGRESS, &tcp, true, RULE_ALLOW);
		tcp.tcp_flags = POLC_TCP_ACK;
		set_epoch(w, before | POLB_EPOCH_CHANGING);
		expect(w, hook, POLC_EGRESS, &tcp, true, RULE_ALLOW);
		assert_int_equal(flow_of(w, &flow), 0);
		assert_int_equal(flow.state >> 32, before);
		w->config.mode = 1;
		set_config(w);
		set_peer(w, "10.0.0.2", 3);
		expect(w, hook, POLC_EGRESS, &tcp, true, RULE_DENY);
		w->config.mode = 0;
		set_config(w);
		expect(w, hook, POLC_EGRESS, &tcp, false, RULE_DENY);
		expect(w, hook, POLC_EGRESS, &tcp, false, RULE_DENY);
		set_peer(w, "10.0.0.2", 2);
		expect(w, hook, POLC_EGRESS, &tcp, true, RULE_ALLOW);
		set_peer(w, "10.0.0.2", 3);
		set_epoch(w, polb_epoch_next(w->epoch));
		assert_int_equal(w->epoch, before + 1);
		expect(w, hook, POLC_EGRESS, &tcp, false, RULE_DENY);
		set_peer(w, "10.0.0.2", 2);
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
		set_peer(w, "10.0.0.2", 2);
		/* another generation is active: no effect at all */
		struct polb_control control = {(uint64_t)(GENERATION + 1) << 32};
		set_at(w, "polt_control", 0, &control);
		assert_true(pass(w, hook, POLC_INGRESS, &back));
		set_epoch(w, w->epoch + 1);
		/* connections older than polc, either side first */
		fresh(state);
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

/* A connection that was cut: what its other end still sends is no flow of that end's own. */
static void test_cut(void **state)
{
	struct world *w = fresh(state);
	struct polb_endpoint free_egress = {.key = KEY, .table = {1, 0}};
	struct polb_endpoint governed = {.key = KEY, .table = {1, 1}};

	set_at(w, "polt_endpoints", 1, &free_egress);
	for_each_hook(hook)
	{
		struct polc_packet_spec tcp =
			packet("10.0.0.2", "10.0.0.1", IPPROTO_TCP, (uint16_t)(9300 + hook), 80);
		struct polc_packet_spec more = tcp, back = reply(tcp, POLC_TCP_ACK);
		struct polc_packet_spec other = reply(tcp, POLC_TCP_SYN);

		more.tcp_flags = POLC_TCP_ACK;
		expect(w, hook, POLC_INGRESS, &tcp, true, RULE_ALLOW);
		expect(w, hook, POLC_EGRESS, &back, true, RULE_ALLOW);
		set_peer(w, "10.0.0.2", 1); /* who may nothing */
		set_epoch(w, w->epoch + 1);
		for (int i = 0; i < 2; i++) {
			expect(w, hook, POLC_EGRESS, &back, false, POLB_RULE_DEFAULT_DENY);
			expect(w, hook, POLC_INGRESS, &more, false, POLB_RULE_DEFAULT_DENY);
		}
		/* the endpoint may begin one of its own, on the same ports */
		expect(w, hook, POLC_EGRESS, &other, true, POLB_RULE_NONE);
		expect(w, hook, POLC_INGRESS, &more, true, POLB_RULE_NONE);
		set_peer(w, "10.0.0.2", 2);
		set_epoch(w, w->epoch + 1);
	}
	set_at(w, "polt_endpoints", 1, &governed);
}

/* An entry whose time is over denies, in both directions, unless it is to be kept. */
static void test_expiry(void **state)
{
	struct world *w = fresh(state);
	struct polb_peer peer = {.identity = 1002, .class_id = 2};
	struct polc_packet_spec in = packet("10.0.0.2", "10.0.0.1", IPPROTO_TCP, 8700, 80);
	struct polc_packet_spec out = packet("10.0.0.1", "10.0.0.2", IPPROTO_TCP, 8701, 80);
	struct polb_addr friend = addr("10.0.0.2");
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	for_each_hook(hook)
	{
		peer.flags = 0;
		peer.expires_s = (uint32_t)now.tv_sec + 600;
		set(w, "polt_peers4", friend.bytes, &peer);
		expect(w, hook, POLC_INGRESS, &in, true, RULE_ALLOW);
		peer.expires_s = (uint32_t)now.tv_sec;
		set(w, "polt_peers4", friend.bytes, &peer);
		expect(w, hook, POLC_INGRESS, &in, true, RULE_ALLOW); /* established */
		set_epoch(w, w->epoch + 1);
		expect(w, hook, POLC_INGRESS, &in, false, POLB_RULE_EXPIRED);
		expect(w, hook, POLC_EGRESS, &out, false, POLB_RULE_EXPIRED);
		peer.flags = POLB_PEER_KEEP;
		set(w, "polt_peers4", friend.bytes, &peer);
		expect(w, hook, POLC_EGRESS, &out, true, RULE_ALLOW);
		set_epoch(w, w->epoch + 1);
		in.sport++;
		out.sport++;
	}
	set_peer(w, "10.0.0.2", 2);
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
		cmocka_unit_test(test_changing),
		cmocka_unit_test(test_epoch),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_events),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
