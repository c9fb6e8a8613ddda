/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The set algebra against membership, and boxes against what binds their dimensions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "ir/space.h"

static struct polc_arena arena;

static int start(void **state)
{
	(void)state;
	arena = (struct polc_arena){0};
	return 0;
}

static int finish(void **state)
{
	(void)state;
	polc_arena_free(&arena);
	return 0;
}

/* --- sets ----------------------------------------------------------------------------------- */

enum { POINTS = 6 };

/* Every set of values 0..POINTS-1 (the last stands for all others), by a bit for each. */
static const struct polc_set *values_of_bits(unsigned bits)
{
	uint32_t values[POINTS];
	bool complement = bits & 1u << (POINTS - 1);
	size_t n = 0;

	for (uint32_t i = 0; i + 1 < POINTS; i++)
		if (!(bits & 1u << i) == complement)
			values[n++] = i;
	return polc_set_of_values(&arena, values, n, complement);
}

static const struct polc_set *ranges_of_bits(unsigned bits)
{
	static const struct polc_set none = {.kind = POLC_SET_RANGES};
	const struct polc_set *set = &none;

	for (unsigned i = 0; i < POINTS; i++)
		if (bits & 1u << i)
			set = polc_set_unite(&arena, set, polc_set_of_range(&arena, i, i));
	return set;
}

static const struct polc_set *mask_of_bits(unsigned bits)
{
	return polc_set_of_mask(&arena, bits);
}

static unsigned bits_of(const struct polc_set *set)
{
	unsigned bits = 0;

	if (set->kind == POLC_SET_MASK)
		return set->mask;
	for (uint32_t i = 0; i < POINTS; i++) {
		const struct polb_addr addr = {4, {0, 0, 0, (uint8_t)i}};
		bool has = set->kind == POLC_SET_VALUES ? polc_set_has_value(set, i)
							: polc_set_has_addr(set, &addr);
		bits |= has ? 1u << i : 0;
	}
	return bits;
}

static void check_algebra(const struct polc_set *(*make)(unsigned bits))
{
	for (unsigned i = 0; i < 1u << POINTS; i++)
		for (unsigned j = 0; j < 1u << POINTS; j++) {
			const struct polc_set *a = make(i), *b = make(j);

			assert_int_equal(bits_of(a), i);
			assert_int_equal(bits_of(polc_set_intersect(&arena, a, b)), i & j);
			assert_int_equal(bits_of(polc_set_subtract(&arena, a, b)), i & ~j);
			assert_int_equal(bits_of(polc_set_unite(&arena, a, b)), i | j);
			assert_int_equal(polc_set_meets(a, b), (i & j) != 0);
			assert_int_equal(polc_set_within(a, b), !(i & ~j));
			assert_int_equal(polc_set_is_empty(a), !i);
		}
}

static void algebra_of_values(void **state)
{
	(void)state;
	check_algebra(values_of_bits);
}

static void algebra_of_ranges(void **state)
{
	(void)state;
	check_algebra(ranges_of_bits);
	/* neighbours become one: containment is then one look */
	assert_int_equal(ranges_of_bits(7)->ranges[0].n, 1);
}

static void algebra_of_masks(void **state)
{
	(void)state;
	check_algebra(mask_of_bits);
}

static struct polb_prefix prefix(const char *text)
{
	struct polb_prefix p;

	assert_int_equal(polb_prefix_parse(text, true, &p), 0);
	return p;
}

static bool has(const struct polc_set *set, const char *text)
{
	struct polb_prefix p = prefix(text);

	return polc_set_has_addr(set, &p.addr);
}

static void prefixes(void **state)
{
	struct polb_prefix ten = prefix("10.0.0.0/8"),
			   excepts[] = {prefix("10.1.0.0/16"), prefix("10.255.0.0/16")};
	const struct polc_set *set = polc_set_of_prefix(&arena, &ten, excepts, 2);

	(void)state;
	assert_true(has(set, "10.0.255.255"));
	assert_false(has(set, "10.1.0.0"));
	assert_false(has(set, "10.1.255.255"));
	assert_true(has(set, "10.2.0.0"));
	assert_false(has(set, "10.255.0.0"));
	assert_false(has(set, "11.0.0.0"));
	assert_false(has(set, "::a00:1"));
	struct polb_prefix all = prefix("::/0"), half = prefix("8000::/1");
	set = polc_set_of_prefix(&arena, &all, &half, 1);
	assert_true(has(set, "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	assert_false(has(set, "8000::"));
	assert_false(has(set, "0.0.0.0"));
	/* the last address of all has no successor to wrap to */
	set = polc_set_unite(&arena, polc_set_of_prefix(&arena, &half, NULL, 0), set);
	assert_int_equal(set->ranges[1].n, 1);
	assert_true(has(set, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
}

static void line_of_ports(void **state)
{
	struct polc_buf text = {.arena = &arena};
	uint8_t protocol;
	uint16_t port;

	(void)state;
	assert_int_equal(polc_line_position(6, 80, 4), POLC_LINE_TCP + 80);
	assert_int_equal(polc_line_position(1, 8, 4), POLC_LINE_ICMP + 8);
	assert_int_equal(polc_line_position(1, 8, 6), POLC_LINE_OTHER + 1);
	polc_line_port(POLC_LINE_SCTP + 65535, &protocol, &port);
	assert_int_equal(protocol, 132);
	assert_int_equal(port, 65535);
	polc_line_port(POLC_LINE_OTHER + 58, &protocol, &port);
	assert_int_equal(protocol, 58);
	assert_int_equal(port, 0);
	polc_line_print(
		polc_set_of_range(&arena, POLC_LINE_TCP + 65000, POLC_LINE_SCTP + 2), &text);
	assert_string_equal(text.p, "tcp/65000-65535, udp, sctp/0-2");
}

/* --- boxes ---------------------------------------------------------------------------------- */

static const char *const web[] = {"web"}, *const shop[] = {"shop"}, *const red[] = {"red"};
#define NAMESPACE "io.kubernetes.pod.namespace"
#define TEAM "io.cilium.k8s.namespace.labels.team"

static struct polc_space *space_of(const struct polb_selector *selectors, size_t n)
{
	const struct polc_network network = {.selectors = selectors, .n_selectors = n};
	struct polc_space *space = polc_space_new(&arena, "default");

	polc_space_learn(space, &network);
	return space;
}

/* Narrows by a selector of a peer; false: impossible. */
static bool narrow(struct polc_space *space, struct polc_box *box, enum polc_party_side side,
	const struct polb_selector *selector)
{
	polc_literals literals = {0};
	struct polc_product product;

	return polc_space_selector(space, selector, side, box->class[side], false, &literals) &&
	       polc_product_make(space, &literals, &product) &&
	       polc_box_narrow_product(box, &product);
}

static void sources_of_labels(void **state)
{
	const struct polb_requirement requirements[] = {{POLB_OP_IN, "any", "app", web, 1},
		{POLB_OP_IN, "node", "app", web, 1},
		{POLB_OP_DOES_NOT_EXIST, "any", "app", NULL, 0},
		{POLB_OP_EXISTS, "k8s", "io.cilium.k8s.policy.cluster", NULL, 0},
		{POLB_OP_IN, "k8s", "io.cilium.k8s.policy.cluster", web, 1},
		{POLB_OP_EXISTS, "k8s", "io.cilium.k8s.made.up", NULL, 0},
		{POLB_OP_EXISTS, "container", "app", NULL, 0},
		{POLB_OP_EXISTS, "reserved", "world", NULL, 0}};
	/* pod, other, node */
	static const bool possible[][POLC_CLASSES] = {{true, false, false}, {false, false, true},
		{true, true, true}, {true, false, false}, {false, false, false},
		{false, false, false}, {false, false, false}, {false, true, false}};

	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(requirements); i++)
		for (int class = 0; class < POLC_CLASSES; class ++) {
			struct polb_selector s = {.kinds = POLB_KIND_ANY,
				.requirements = &requirements[i],
				.n_requirements = 1};
			struct polc_space *space = space_of(&s, 1);
			polc_literals literals = {0};

			if (polc_space_selector(space, &s, POLC_SOURCE, (enum polc_class) class,
				    false, &literals) != possible[i][class])
				fail_msg("requirement %zu, class %d", i, class);
		}
}

/* The namespace's name goes by two labels; both are one dimension, which pods always have. */
static void names_of_namespaces(void **state)
{
	const char *const other[] = {"other"};
	const struct polb_requirement here = {POLB_OP_IN, "k8s", NAMESPACE, shop, 1};
	const struct polb_requirement there = {POLB_OP_IN, "k8s",
		"io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name", other, 1};
	const struct polb_requirement nowhere = {POLB_OP_DOES_NOT_EXIST, "any", NAMESPACE, NULL, 0};
	const struct polb_selector s[] = {
		{.kinds = POLB_KIND_ANY, .requirements = &here, .n_requirements = 1},
		{.kinds = POLB_KIND_ANY, .requirements = &there, .n_requirements = 1},
		{.kinds = POLB_KIND_ANY, .requirements = &nowhere, .n_requirements = 1}};
	struct polc_space *space = space_of(s, 3);
	struct polc_box box;

	(void)state;
	polc_box_init(&box, space, &arena, POLC_CLASS_POD, POLC_CLASS_POD);
	assert_false(narrow(space, &box, POLC_SOURCE, &s[2]));
	polc_box_rewind(&box, 0);
	assert_true(narrow(space, &box, POLC_SOURCE, &s[0]));
	assert_true(narrow(space, &box, POLC_DESTINATION, &s[1]));
	assert_false(narrow(space, &box, POLC_SOURCE, &s[1]));
}

/* Pods of one namespace agree on its labels, whichever is known first; those of two need not. */
static void labels_of_namespaces(void **state)
{
	const struct polb_requirement here = {POLB_OP_IN, "k8s", NAMESPACE, shop, 1};
	const struct polb_requirement is_red = {POLB_OP_IN, "k8s", TEAM, red, 1};
	const struct polb_requirement not_red = {POLB_OP_NOT_IN, "k8s", TEAM, red, 1};
	const struct polb_selector in_shop = {
		.kinds = POLB_KIND_ANY, .requirements = &here, .n_requirements = 1};
	const struct polb_selector reds = {
		.kinds = POLB_KIND_ANY, .requirements = &is_red, .n_requirements = 1};
	const struct polb_selector others = {
		.kinds = POLB_KIND_ANY, .requirements = &not_red, .n_requirements = 1};
	const struct polb_selector all[] = {in_shop, reds, others};
	struct polc_space *space = space_of(all, 3);
	struct polc_box box;

	(void)state;
	polc_box_init(&box, space, &arena, POLC_CLASS_POD, POLC_CLASS_POD);
	assert_true(narrow(space, &box, POLC_SOURCE, &reds));
	assert_true(narrow(space, &box, POLC_DESTINATION, &others));
	assert_true(narrow(space, &box, POLC_SOURCE, &in_shop));
	assert_false(narrow(space, &box, POLC_DESTINATION, &in_shop));
	polc_box_rewind(&box, 0);
	assert_true(narrow(space, &box, POLC_SOURCE, &in_shop));
	assert_true(narrow(space, &box, POLC_DESTINATION, &in_shop));
	assert_true(narrow(space, &box, POLC_SOURCE, &reds));
	assert_false(narrow(space, &box, POLC_DESTINATION, &others));
}

static bool narrow_to_port(struct polc_box *box, uint32_t position)
{
	return polc_box_narrow(
		box, POLC_SLOT_PORT, polc_set_of_range(box->arena, position, position));
}

static void families(void **state)
{
	struct polb_selector v6 = {
		.kinds = POLB_KIND_ANY, .has_prefix = true, .prefix = prefix("fd00::/8")};
	struct polb_selector world4 = {.kinds = POLB_KIND_WORLD_IPV4};
	struct polc_space *space = space_of(&v6, 1);
	struct polc_box box;

	(void)state;
	polc_box_init(&box, space, &arena, POLC_CLASS_POD, POLC_CLASS_OTHER);
	assert_true(narrow(space, &box, POLC_DESTINATION, &v6));
	assert_false(narrow_to_port(&box, POLC_LINE_ICMP + 8));
	polc_box_rewind(&box, 0);
	assert_true(narrow(space, &box, POLC_DESTINATION, &v6));
	assert_false(narrow(space, &box, POLC_DESTINATION, &world4));
	polc_box_rewind(&box, 0);
	assert_true(narrow_to_port(&box, POLC_LINE_OTHER + 1)); /* over IPv6 */
	assert_false(narrow(space, &box, POLC_DESTINATION, &world4));
	polc_box_rewind(&box, 0);
	assert_false(narrow_to_port(&box, POLC_LINE_ICMPV6 + 135)); /* not in the space */
}

/* What has a name is a port of a pod. */
static void names_of_ports(void **state)
{
	const struct polc_net_port http = {
		.kind = POLC_PORT_NAME, .protocols = POLC_PROTO_TCP, .name = "http"};
	const struct polc_net_rule rule = {.ports = &http, .n_ports = 1};
	const struct polc_network network = {.rules = &rule, .n_rules = 1};
	struct polc_space *space = polc_space_new(&arena, "default");
	const struct polc_set *yes = polc_set_of_mask(&arena, POLC_NAME_YES);
	struct polc_box box;

	(void)state;
	polc_space_learn(space, &network);
	polc_box_init(&box, space, &arena, POLC_CLASS_POD, POLC_CLASS_POD);
	assert_true(polc_box_narrow(&box, polc_space_name_slot(space, "http"), yes));
	assert_false(narrow_to_port(&box, POLC_LINE_ICMP + 8));
	polc_box_rewind(&box, 0);
	assert_true(narrow_to_port(&box, POLC_LINE_OTHER + 47));
	assert_false(polc_box_narrow(&box, polc_space_name_slot(space, "http"), yes));
	polc_box_init(&box, space, &arena, POLC_CLASS_POD, POLC_CLASS_NODE);
	assert_false(polc_box_narrow(&box, polc_space_name_slot(space, "http"), yes));
}

/* --- the search ----------------------------------------------------------------------------- */

static bool take(struct polc_box *box, void *context)
{
	(void)context;
	/* a box has a point only when no dimension is empty */
	for (size_t i = 0; i < box->n; i++)
		assert_false(polc_set_is_empty(box->sets[i]));
	return true;
}

/* Products over the two ADDRESS dimensions as boxes of a small grid, against counting cells. */
static void search_is_exact(void **state)
{
	enum { GRID = 4, PRODUCTS = 5 };
	struct polc_space *space = space_of(NULL, 0);
	const struct polc_set *whole = polc_set_of_range(&arena, 1, GRID);
	uint64_t seed = 12345;
	unsigned covered = 0;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct polc_literal literals[PRODUCTS][2];
		struct polc_product products[PRODUCTS];
		const struct polc_product *list[PRODUCTS];
		bool cells[GRID][GRID] = {0}, free_cell = false;
		struct polc_box box;

		for (int i = 0; i < PRODUCTS; i++) {
			unsigned at[4];
			for (int k = 0; k < 4; k++) {
				seed = seed * 6364136223846793005u + 1442695040888963407u;
				at[k] = (unsigned)(seed >> 40) % GRID;
			}
			for (int k = 0; k < 2; k++) {
				unsigned lo = at[2 * k] < at[2 * k + 1] ? at[2 * k] : at[2 * k + 1];
				unsigned hi = at[2 * k] < at[2 * k + 1] ? at[2 * k + 1] : at[2 * k];
				literals[i][k] =
					(struct polc_literal){(uint32_t)(POLC_SLOT_ADDRESS + k),
						polc_set_of_range(&arena, lo + 1, hi + 1)};
				at[2 * k] = lo;
				at[2 * k + 1] = hi;
			}
			for (unsigned x = at[0]; x <= at[1]; x++)
				for (unsigned y = at[2]; y <= at[3]; y++)
					cells[x][y] = true;
			products[i] = (struct polc_product){literals[i], 2, 0};
			list[i] = &products[i];
		}
		for (int x = 0; x < GRID; x++)
			for (int y = 0; y < GRID; y++)
				free_cell |= !cells[x][y];
		polc_box_init(&box, space, &arena, POLC_CLASS_POD, POLC_CLASS_POD);
		box.steps = 100000;
		assert_true(polc_box_narrow(&box, POLC_SLOT_ADDRESS, whole));
		assert_true(polc_box_narrow(&box, POLC_SLOT_ADDRESS + 1, whole));
		assert_int_equal(polc_box_avoid(&box, list, PRODUCTS, take, NULL), free_cell);
		assert_false(box.exhausted);
		covered += !free_cell;
	}
	assert_in_range(covered, 20, 2900); /* both answers occur */
}

/* A spent budget is no answer. */
static void budget(void **state)
{
	struct polc_space *space = space_of(NULL, 0);
	struct polc_literal literals[] = {{POLC_SLOT_ADDRESS, polc_set_of_range(&arena, 1, 2)},
		{POLC_SLOT_ADDRESS + 1, polc_set_of_range(&arena, 1, 2)}};
	struct polc_product product = {literals, 2, 0};
	const struct polc_product *list[] = {&product, &product, &product};
	struct polc_box box;

	(void)state;
	polc_box_init(&box, space, &arena, POLC_CLASS_POD, POLC_CLASS_POD);
	box.steps = 2;
	assert_false(polc_box_avoid(&box, list, 3, take, NULL));
	assert_true(box.exhausted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(algebra_of_values, start, finish),
		cmocka_unit_test_setup_teardown(algebra_of_ranges, start, finish),
		cmocka_unit_test_setup_teardown(algebra_of_masks, start, finish),
		cmocka_unit_test_setup_teardown(prefixes, start, finish),
		cmocka_unit_test_setup_teardown(line_of_ports, start, finish),
		cmocka_unit_test_setup_teardown(sources_of_labels, start, finish),
		cmocka_unit_test_setup_teardown(names_of_namespaces, start, finish),
		cmocka_unit_test_setup_teardown(labels_of_namespaces, start, finish),
		cmocka_unit_test_setup_teardown(families, start, finish),
		cmocka_unit_test_setup_teardown(names_of_ports, start, finish),
		cmocka_unit_test_setup_teardown(search_is_exact, start, finish),
		cmocka_unit_test_setup_teardown(budget, start, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
