/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Selectors: label semantics of reference/cilium-policy 1.5, addresses, ports, order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "runtime/selector.h"

static const struct polb_label labels[] = {{"k8s", "app", "web"}, {"node", "zone", "a"},
	{"reserved", "host", ""}, {"ours", "app", "x"}};

static bool requires(enum polb_operator op, const char *source, const char *key, const char *value)
{
	struct polb_requirement requirement = {.op = op,
		.source = source,
		.key = key,
		.values = &value,
		.n_values = value ? 1 : 0};

	return polb_requirement_matches(&requirement, labels, 4);
}

static void requirements(void **state)
{
	(void)state;
	assert_true(requires(POLB_OP_IN, "any", "app", "web"));
	assert_true(requires(POLB_OP_IN, "any", "app", "x"));
	assert_false(requires(POLB_OP_IN, "k8s", "app", "x"));
	assert_false(requires(POLB_OP_IN, "any", "app", "db"));
	assert_false(requires(POLB_OP_IN, "any", "none", "web"));
	assert_false(requires(POLB_OP_NOT_IN, "any", "app", "web"));
	assert_true(requires(POLB_OP_NOT_IN, "any", "none", "web")); /* absent satisfies */
	assert_true(requires(POLB_OP_EXISTS, "any", "app", NULL));
	assert_false(requires(POLB_OP_EXISTS, "any", "zone", NULL)); /* any is not node */
	assert_true(requires(POLB_OP_EXISTS, "node", "zone", NULL));
	assert_false(requires(POLB_OP_EXISTS, "any", "host", NULL)); /* nor reserved */
	assert_true(requires(POLB_OP_EXISTS, "reserved", "host", NULL));
	assert_true(requires(POLB_OP_DOES_NOT_EXIST, "any", "zone", NULL));
	assert_false(requires(POLB_OP_DOES_NOT_EXIST, "k8s", "app", NULL));
	assert_false(requires(POLB_OP_IN, "any", "app", NULL)); /* no values: never */
}

static void addresses_and_kinds(void **state)
{
	struct polb_identity_view view = {.kinds = POLB_KIND_WORLD | POLB_KIND_WORLD_IPV4};
	struct polb_selector selector = {.kinds = POLB_KIND_ANY};
	struct polb_prefix except;

	(void)state;
	polb_addr_parse("10.1.2.3", &view.addr);
	assert_true(polb_selector_matches(&selector, &view));
	selector.kinds = POLB_KIND_POD;
	assert_false(polb_selector_matches(&selector, &view));
	selector.kinds = POLB_KIND_POD | POLB_KIND_WORLD;
	assert_true(polb_selector_matches(&selector, &view));
	selector.has_prefix = true;
	polb_prefix_parse("10.0.0.0/8", false, &selector.prefix);
	assert_true(polb_selector_matches(&selector, &view));
	polb_prefix_parse("10.1.0.0/16", false, &except);
	selector.excepts = &except;
	selector.n_excepts = 1;
	assert_false(polb_selector_matches(&selector, &view));
	polb_addr_parse("10.2.0.0", &view.addr);
	assert_true(polb_selector_matches(&selector, &view));
	view.kinds = 0;
	selector.kinds = POLB_KIND_ANY; /* no condition, even without a kind */
	assert_true(polb_selector_matches(&selector, &view));
}

static void named_ports(void **state)
{
	const struct polb_named_port port = {"http", 6, 8080};
	struct polb_identity_view view = {.ports = &port, .n_ports = 1};
	struct polb_selector selector = {.kinds = POLB_KIND_ANY, .port_name = "http"};

	(void)state;
	assert_false(polb_selector_matches(&selector, &view));
	selector.port_number = 8080;
	assert_true(polb_selector_matches(&selector, &view));
	selector.port_protocol = 17;
	assert_false(polb_selector_matches(&selector, &view));
	selector.port_protocol = 6;
	assert_true(polb_selector_matches(&selector, &view));
	selector.port_name = "https";
	assert_false(polb_selector_matches(&selector, &view));
}

static void order_is_total(void **state)
{
	const char *one[] = {"a"}, *other[] = {"b"};
	struct polb_requirement r1 = {POLB_OP_IN, "k8s", "app", one, 1};
	struct polb_requirement r2 = {POLB_OP_IN, "k8s", "app", other, 1};
	struct polb_selector s[] = {
		{.kinds = 1},
		{.kinds = 1, .port_name = "a", .port_number = 1},
		{.kinds = 1, .port_name = "a", .port_number = 2},
		{.kinds = 1, .has_prefix = true, .prefix = {{4, {10}}, 8}},
		{.kinds = 1, .has_prefix = true, .prefix = {{4, {10}}, 9}},
		{.kinds = 1, .requirements = &r1, .n_requirements = 1},
		{.kinds = 1, .requirements = &r2, .n_requirements = 1},
		{.kinds = 2},
		{.kinds = POLB_KIND_ANY},
	};
	const int n = sizeof(s) / sizeof(s[0]);

	(void)state;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			int order = polb_selector_compare(&s[i], &s[j]);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
}

static void kinds(void **state)
{
	struct polb_addr addr;

	(void)state;
	assert_int_equal(polb_kinds_localise(POLB_KIND_NODE, true), POLB_KIND_HOST);
	assert_int_equal(polb_kinds_localise(POLB_KIND_NODE | POLB_KIND_KUBE_APISERVER, false),
		POLB_KIND_REMOTE_NODE | POLB_KIND_KUBE_APISERVER);
	assert_int_equal(polb_kinds_localise(POLB_KIND_POD, true), POLB_KIND_POD);
	polb_addr_parse("::1", &addr);
	assert_int_equal(polb_kinds_world(&addr), POLB_KIND_WORLD | POLB_KIND_WORLD_IPV6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requirements),
		cmocka_unit_test(addresses_and_kinds),
		cmocka_unit_test(named_ports),
		cmocka_unit_test(order_is_total),
		cmocka_unit_test(kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
