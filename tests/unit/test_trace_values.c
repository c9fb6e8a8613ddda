/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Words, numbers and sets in the values of tracing policies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "compiler/ir/lower_tracing.h"

static void integers(void **state)
{
	static const struct {
		const char *text;
		unsigned width;
		bool is_signed;
		enum polc_parsed parsed;
		uint64_t value;
	} cases[] = {
		{"0", 4, true, POLC_PARSED, 0},
		{"-1", 4, true, POLC_PARSED, UINT64_MAX},
		{"+7", 4, true, POLC_PARSED, 7},
		{"0x10", 4, true, POLC_PARSED, 16},
		{"0X1f", 1, false, POLC_PARSED, 31},
		{"010", 4, true, POLC_PARSED, 8},
		{"0o17", 4, true, POLC_PARSED, 15},
		{"0b101", 4, true, POLC_PARSED, 5},
		{"2147483647", 4, true, POLC_PARSED, INT32_MAX},
		{"2147483648", 4, true, POLC_PARSED_RANGE, 0},
		{"-2147483648", 4, true, POLC_PARSED, (uint64_t)INT32_MIN},
		{"-2147483649", 4, true, POLC_PARSED_RANGE, 0},
		{"4294967295", 4, false, POLC_PARSED, UINT32_MAX},
		{"4294967296", 4, false, POLC_PARSED_RANGE, 0},
		{"-1", 4, false, POLC_PARSED_RANGE, 0},
		{"-0", 4, false, POLC_PARSED, 0},
		{"127", 1, true, POLC_PARSED, 127},
		{"128", 1, true, POLC_PARSED_RANGE, 0},
		{"-128", 1, true, POLC_PARSED, (uint64_t)INT8_MIN},
		{"255", 1, false, POLC_PARSED, 255},
		{"256", 1, false, POLC_PARSED_RANGE, 0},
		{"18446744073709551615", 8, false, POLC_PARSED, UINT64_MAX},
		{"18446744073709551616", 8, false, POLC_PARSED_RANGE, 0},
		{"9223372036854775807", 8, true, POLC_PARSED, INT64_MAX},
		{"9223372036854775808", 8, true, POLC_PARSED_RANGE, 0},
		{"-9223372036854775808", 8, true, POLC_PARSED, (uint64_t)INT64_MIN},
		{"0xffffffffffffffffff", 8, false, POLC_PARSED_RANGE, 0},
		{"", 4, true, POLC_PARSED_NOT, 0},
		{"-", 4, true, POLC_PARSED_NOT, 0},
		{"0x", 4, true, POLC_PARSED_NOT, 0},
		{"09", 4, true, POLC_PARSED_NOT, 0},
		{"1a", 4, true, POLC_PARSED_NOT, 0},
		{" 1", 4, true, POLC_PARSED_NOT, 0},
		{"1 ", 4, true, POLC_PARSED_NOT, 0},
	};

	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(cases); i++) {
		uint64_t value = 0;
		enum polc_parsed parsed = polc_parse_integer(cases[i].text, strlen(cases[i].text),
			cases[i].width, cases[i].is_signed, &value);

		if (parsed != cases[i].parsed || (parsed == POLC_PARSED && value != cases[i].value))
			fail_msg("'%s' of %u bytes: %d, 0x%llx", cases[i].text, cases[i].width,
				parsed, (unsigned long long)value);
	}
}

static void words(void **state)
{
	unsigned out = 0;
	uint64_t mask = 0;
	enum polb_namespace ns;

	(void)state;
	assert_true(polc_parse_capability("CAP_SYS_ADMIN", 13, &out));
	assert_int_equal(out, 21);
	assert_true(polc_parse_capability("CAP_CHECKPOINT_RESTORE", 22, &out));
	assert_int_equal(out, 40);
	assert_false(polc_parse_capability("CAP_SYS_ADMI", 12, &out));
	assert_string_equal(polc_capability_name(0), "CAP_CHOWN");
	assert_string_equal(polc_capability_name(40), "CAP_CHECKPOINT_RESTORE");
	assert_null(polc_capability_name(41));
	assert_int_equal(polc_parse_capabilities("CAP_CHOWN, CAP_KILL", 19, &mask), POLC_PARSED);
	assert_int_equal(mask, 1 << 0 | 1 << 5);
	assert_int_equal(polc_parse_capabilities("0x21", 4, &mask), POLC_PARSED);
	assert_int_equal(mask, 0x21);
	assert_int_equal(polc_parse_capabilities("CAP_CHOWN,", 10, &mask), POLC_PARSED_NOT);
	assert_int_equal(polc_parse_capabilities("", 0, &mask), POLC_PARSED_NOT);
	assert_true(polc_parse_family("AF_INET6", 8, &out));
	assert_int_equal(out, 10);
	assert_true(polc_parse_family("0x2", 3, &out));
	assert_int_equal(out, 2);
	assert_false(polc_parse_family("AF_NONE", 7, &out));
	assert_false(polc_parse_family("65536", 5, &out));
	assert_true(polc_parse_ip_protocol("IPPROTO_UDP", 11, &out));
	assert_int_equal(out, 17);
	assert_true(polc_parse_tcp_state("TCP_SYN_RECV", 12, &out));
	assert_int_equal(out, 3);
	assert_true(polc_parse_file_type("fifo", 4, &out));
	assert_int_equal(out, 0010000);
	assert_true(polc_parse_file_type("directory", 9, &out));
	assert_int_equal(out, 0040000);
	assert_false(polc_parse_file_type("file", 4, &out));
	assert_true(polc_parse_namespace("PidForChildren", &ns));
	assert_int_equal(ns, POLB_NS_PID_FOR_CHILDREN);
	assert_false(polc_parse_namespace("Pids", &ns));
}

static void times(void **state)
{
	uint64_t ns = 0;

	(void)state;
	assert_true(polc_parse_interval_ns("5", &ns));
	assert_int_equal(ns, 5000000000ull);
	assert_true(polc_parse_interval_ns("10m", &ns));
	assert_int_equal(ns, 600000000000ull);
	assert_true(polc_parse_interval_ns("1h", &ns));
	assert_int_equal(ns, 3600000000000ull);
	assert_false(polc_parse_interval_ns("", &ns));
	assert_false(polc_parse_interval_ns("m", &ns));
	assert_false(polc_parse_interval_ns("5d", &ns));
	assert_false(polc_parse_interval_ns("5mm", &ns));
	assert_false(polc_parse_interval_ns("-5s", &ns));
	assert_false(polc_parse_interval_ns("99999999999999999999h", &ns));
	assert_false(polc_parse_interval_ns("9000h", &ns)); /* more than a year */
}

static void assignments(void **state)
{
	static const struct {
		const char *text;
		struct polc_trace_register r;
	} good[] = {
		{"rax=1", {.offset = 80, .size = 8, .constant = 1}},
		{"rax=010", {.offset = 80, .size = 8, .constant = 8}},
		{"rbx=-1", {.offset = 40, .size = 8, .constant = UINT64_MAX}},
		{"eax=0x8000000000000002",
			{.offset = 80, .size = 4, .constant = 0x8000000000000002}},
		{"al = 3", {.offset = 80, .size = 1, .constant = 3}},
		{"rsp = %rax",
			{.offset = 152, .size = 8, .from_register = true, .source_offset = 80}},
		{"rbp=128%rax", {.offset = 32,
					.size = 8,
					.from_register = true,
					.source_offset = 80,
					.constant = 128}},
		{"rip=(%rsp)", {.offset = 128,
				       .size = 8,
				       .from_register = true,
				       .is_memory = true,
				       .source_offset = 152}},
		{"rbp = 0x20 ( %rsp )", {.offset = 32,
						.size = 8,
						.from_register = true,
						.is_memory = true,
						.source_offset = 152,
						.constant = 0x20}},
		{"rsp=-8(%rbp)", {.offset = 152,
					 .size = 8,
					 .from_register = true,
					 .is_memory = true,
					 .source_offset = 32,
					 .constant = (uint64_t)-8}},
	};
	static const char *const bad[] = {"", "rax", "rax=", "=1", "rax=1=2", "ra x=1", "rax=1 2",
		"rax=abc", "rbp=0x20(%rsp", "rbp=0x20(%rsp)x", "rbp=(% rsp)", "rsp=%rax)",
		"rsp=8%rax x", "rax=8()", "rax=8(%none)", "rax=8(%eax)", "xmm0=1"};
	struct polc_trace_register r;
	size_t at;

	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(good); i++) {
		if (!polc_parse_assignment(good[i].text, &r, &at))
			fail_msg("'%s' was refused at %zu", good[i].text, at);
		assert_int_equal(r.offset, good[i].r.offset);
		assert_int_equal(r.size, good[i].r.size);
		assert_int_equal(r.constant, good[i].r.constant);
		assert_int_equal(r.from_register, good[i].r.from_register);
		assert_int_equal(r.is_memory, good[i].r.is_memory);
		assert_int_equal(r.source_offset, good[i].r.source_offset);
	}
	for (size_t i = 0; i < POLC_ARRAY_SIZE(bad); i++) {
		if (polc_parse_assignment(bad[i], &r, &at))
			fail_msg("'%s' was taken", bad[i]);
		assert_true(at <= strlen(bad[i]));
	}
}

static void interval_sets(void **state)
{
	struct polc polc;
	polc_intervals set = {0};
	static const struct polc_interval in[] = {
		{7, 9}, {1, 2}, {3, 3}, {20, UINT64_MAX}, {30, 40}, {9, 12}};

	(void)state;
	polc_init(&polc);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(in); i++)
		polc_intervals_add(&polc.arena, &set, in[i]);
	polc_intervals_normalise(&set);
	assert_int_equal(set.n, 3);
	assert_int_equal(set.items[0].lo, 1);
	assert_int_equal(set.items[0].hi, 3); /* neighbours join */
	assert_int_equal(set.items[1].lo, 7);
	assert_int_equal(set.items[1].hi, 12);
	assert_true(set.items[2].hi == UINT64_MAX);
	/* the order of signed values */
	assert_true(polc_interval_key((uint64_t)-1, true) < polc_interval_key(0, true));
	assert_true(polc_interval_key((uint64_t)INT64_MIN, true) == 0);
	struct polc_interval domain = polc_interval_domain(1, true);

	assert_true(domain.lo == polc_interval_key((uint64_t)-128, true));
	assert_true(domain.hi == polc_interval_key(127, true));
	domain = polc_interval_domain(8, false);
	assert_true(domain.lo == 0 && domain.hi == UINT64_MAX);
	domain = polc_interval_domain(8, true);
	assert_true(domain.lo == 0 && domain.hi == UINT64_MAX);
	polc_free(&polc);
}

static void other_sets(void **state)
{
	struct polc polc;
	polc_strings strings = {0};
	polc_prefixes prefixes = {0};
	static const char *const texts[] = {"b", "ab", "a", "b", "abc"};
	static const char *const nets[] = {
		"10.1.0.0/16", "10.0.0.0/8", "fe80::/10", "10.0.0.0/8", "192.168.0.1/32"};

	(void)state;
	polc_init(&polc);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(texts); i++)
		*polc_vec_push(&polc.arena, &strings) =
			(struct polc_string){texts[i], strlen(texts[i])};
	polc_strings_normalise(&strings);
	assert_int_equal(strings.n, 4);
	assert_string_equal(strings.items[0].bytes, "a");
	assert_string_equal(strings.items[3].bytes, "b");
	for (size_t i = 0; i < POLC_ARRAY_SIZE(nets); i++)
		assert_int_equal(
			polb_prefix_parse(nets[i], false, polc_vec_push(&polc.arena, &prefixes)),
			0);
	polc_prefixes_normalise(&prefixes);
	assert_int_equal(prefixes.n, 3);
	assert_int_equal(prefixes.items[0].len, 8);
	polc_free(&polc);
}

static void type_facts(void **state)
{
	static const struct polc_value_type file = {
		.kind = POLC_VALUE_POINTER, .name = "file", .is_struct = true};
	static const struct polc_value_type tcp = {
		.kind = POLC_VALUE_POINTER, .name = "tcp_sock", .is_struct = true};
	static const struct polc_value_type text = {
		.kind = POLC_VALUE_POINTER, .name = "char", .is_char = true};
	static const struct polc_value_type any = {.kind = POLC_VALUE_POINTER, .name = ""};
	static const struct polc_value_type u32 = {.kind = POLC_VALUE_INT, .name = "", .size = 4};

	(void)state;
	assert_int_equal(polc_trace_type_fits(POLB_TYPE_FILE, &file), POLC_FITS);
	assert_true(polc_trace_type_exact(POLB_TYPE_FILE, &file));
	assert_int_equal(polc_trace_type_fits(POLB_TYPE_STRING, &file), POLC_FITS_NOT);
	assert_int_equal(polc_trace_type_fits(POLB_TYPE_INT, &file), POLC_FITS_NOT);
	assert_int_equal(polc_trace_type_fits(POLB_TYPE_UINT64, &file), POLC_FITS);
	assert_int_equal(polc_trace_type_fits(POLB_TYPE_DENTRY, &file), POLC_FITS_NOT);
	assert_int_equal(polc_trace_type_fits(POLB_TYPE_SOCK, &tcp), POLC_FITS);
	assert_false(polc_trace_type_exact(POLB_TYPE_SOCK, &tcp));
	assert_int_equal(polc_trace_type_fits(POLB_TYPE_STRING, &text), POLC_FITS);
	assert_int_equal(polc_trace_type_fits(POLB_TYPE_FILE, &text), POLC_FITS_NOT);
	assert_int_equal(polc_trace_type_fits(POLB_TYPE_FILE, &any), POLC_FITS);
	assert_int_equal(polc_trace_type_fits(POLB_TYPE_FD, &u32), POLC_FITS);
	assert_int_equal(polc_trace_type_fits(POLB_TYPE_FD, &file), POLC_FITS_NOT);
	assert_int_equal(polc_trace_type_fits(POLB_TYPE_INT, &u32), POLC_FITS);
	assert_int_equal(polc_trace_type_fits(POLB_TYPE_INT16, &u32), POLC_FITS);
	assert_int_equal(polc_trace_type_fits(POLB_TYPE_LONG, &u32), POLC_FITS_WIDTH);
	assert_int_equal(polc_trace_type_fits(POLB_TYPE_STRING, &u32), POLC_FITS_NOT);
	assert_int_equal(polc_trace_type_of(&file), POLB_TYPE_FILE);
	assert_int_equal(polc_trace_type_of(&text), POLB_TYPE_STRING);
	assert_int_equal(polc_trace_type_of(&u32), POLB_TYPE_UINT32);
	assert_int_equal(polc_trace_type_of(&any), POLB_TYPE_AUTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(words),
		cmocka_unit_test(times),
		cmocka_unit_test(assignments),
		cmocka_unit_test(interval_sets),
		cmocka_unit_test(other_sets),
		cmocka_unit_test(type_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
