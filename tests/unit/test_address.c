/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Addresses and prefixes: what is accepted, what is not, containment at the boundaries. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "runtime/address.h"

static void assert_prefix(const char *text, const char *canonical)
{
	struct polb_prefix prefix;
	char out[POLB_ADDR_TEXT];

	assert_int_equal(polb_prefix_parse(text, true, &prefix), 0);
	polb_prefix_format(&prefix, out);
	assert_string_equal(out, canonical);
}

static void accepts_and_normalises(void **state)
{
	(void)state;
	assert_prefix("10.1.2.3", "10.1.2.3/32");
	assert_prefix("10.1.2.3/8", "10.0.0.0/8");
	assert_prefix("255.255.255.255/31", "255.255.255.254/31");
	assert_prefix("1.2.3.4/0", "0.0.0.0/0");
	assert_prefix("2001:DB8:0:0:0:0:0:1", "2001:db8::1/128");
	assert_prefix("2001:db8:ffff::/33", "2001:db8:8000::/33");
	assert_prefix("::/0", "::/0");
	assert_prefix("::ffff:1.2.3.4", "::ffff:1.2.3.4/128");
	assert_prefix("fe80::1/127", "fe80::/127");
}

static void refuses(void **state)
{
	static const char *const bad[] = {"", "/", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1",
		" 1.2.3.4", "1.2.3.4 ", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/08", "1.2.3.4/-1",
		"1.2.3.4/1/2", "1.2.3.4/+8", "::1%eth0", ":::", "1::2::3", "12345::", "::/129",
		"1:2:3:4:5:6:7:8:9", "0x1.2.3.4", "1.2.3.4/ 8", "::1/0000"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct polb_prefix prefix = {.len = 77};

		assert_int_equal(polb_prefix_parse(bad[i], true, &prefix), -EINVAL);
		assert_int_equal(prefix.len, 77); /* untouched */
	}
	struct polb_prefix prefix;
	assert_int_equal(polb_prefix_parse("1.2.3.4", false, &prefix), -EINVAL);
	assert_int_equal(polb_prefix_parse("1.2.3.4/32", false, &prefix), 0);
}

static bool has(const char *prefix_text, const char *addr_text)
{
	struct polb_prefix prefix;
	struct polb_addr addr;

	assert_int_equal(polb_prefix_parse(prefix_text, true, &prefix), 0);
	assert_int_equal(polb_addr_parse(addr_text, &addr), 0);
	return polb_prefix_has(&prefix, &addr);
}

static void contains(void **state)
{
	(void)state;
	assert_true(has("10.0.0.0/8", "10.255.255.255"));
	assert_false(has("10.0.0.0/8", "11.0.0.0"));
	assert_true(has("10.0.0.128/25", "10.0.0.128"));
	assert_false(has("10.0.0.128/25", "10.0.0.127"));
	assert_true(has("0.0.0.0/0", "255.255.255.255"));
	assert_false(has("0.0.0.0/0", "::"));
	assert_false(has("::/0", "1.2.3.4"));
	assert_true(has("2001:db8::/33", "2001:db8:7fff:ffff::"));
	assert_false(has("2001:db8::/33", "2001:db8:8000::"));
	assert_true(has("::1", "::1"));
}

static void covers(void **state)
{
	struct polb_prefix a, b;

	(void)state;
	polb_prefix_parse("10.0.0.0/8", false, &a);
	polb_prefix_parse("10.1.0.0/16", false, &b);
	assert_true(polb_prefix_covers(&a, &b));
	assert_false(polb_prefix_covers(&b, &a));
	assert_true(polb_prefix_covers(&a, &a));
	assert_true(polb_prefix_compare(&a, &b) < 0);
	polb_prefix_parse("10.0.0.0/9", false, &b);
	assert_true(polb_prefix_compare(&a, &b) < 0);
	assert_int_equal(polb_prefix_compare(&a, &a), 0);
}

static void v4_mapped(void **state)
{
	struct polb_addr addr;

	(void)state;
	polb_addr_parse("::ffff:10.0.0.1", &addr);
	assert_true(polb_addr_is_v4_mapped(&addr));
	polb_addr_parse("::fffe:10.0.0.1", &addr);
	assert_false(polb_addr_is_v4_mapped(&addr));
	polb_addr_parse("10.0.0.1", &addr);
	assert_false(polb_addr_is_v4_mapped(&addr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_and_normalises),
		cmocka_unit_test(refuses),
		cmocka_unit_test(contains),
		cmocka_unit_test(covers),
		cmocka_unit_test(v4_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
