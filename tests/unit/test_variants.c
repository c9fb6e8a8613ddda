/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Policies that can be switched: tables by modes, and records that a hostile bundle may hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "runtime/bundle_check.h"
#include "runtime/variants.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const char strings[] = "\0kind\0web";
static const struct polb_bundle_switchable switchable[] = {
	{1, 0, 6, 0}, {1, 6, 6, 1}, {1, 6, 1, 0}};
/* table 2 by policies 0 and 2, table 5 by policy 1 */
static const __u32 numbers[] = {0, 2, 0, 1, 3, 2, 1, 4, 5};
static const struct polb_bundle_variant variants[] = {{2, 0, 2, 2}, {5, 6, 1, 7}};

static struct polb_bundle sample(void)
{
	return (struct polb_bundle){.manifest = {.n_tables = 6},
		.strings = strings,
		.strings_size = sizeof(strings),
		.switchable = switchable,
		.n_switchable = N(switchable),
		.variants = variants,
		.n_variants = N(variants),
		.variant_numbers = numbers,
		.n_variant_numbers = N(numbers)};
}

static void tables_follow_modes(void **state)
{
	const struct polb_bundle b = sample();
	__u32 modes[3] = {0, 0, 0};

	(void)state;
	assert_true(polb_table_of_modes(&b, 2, modes) == POLB_TABLES(2, 2));
	modes[2] = 1;
	assert_true(polb_table_of_modes(&b, 2, modes) == POLB_TABLES(1, 2));
	modes[0] = 1;
	assert_true(polb_table_of_modes(&b, 2, modes) == POLB_TABLES(0, 2));
	modes[2] = 0;
	assert_true(polb_table_of_modes(&b, 2, modes) == POLB_TABLES(3, 2));
	assert_true(polb_table_of_modes(&b, 5, modes) == POLB_TABLES(5, 5));
	modes[1] = 1;
	assert_true(polb_table_of_modes(&b, 5, modes) == POLB_TABLES(4, 5));
	assert_true(polb_table_of_modes(&b, 4, modes) == POLB_TABLES(4, 4));
}

static void all_tables_at_once(void **state)
{
	const struct polb_bundle b = sample();
	__u32 *modes = polb_modes_initial(&b, NULL);
	__u64 tables[6];

	(void)state;
	assert_int_equal(modes[0] + 2 * modes[1] + 4 * modes[2], 2);
	polb_tables_of_modes(&b, modes, tables);
	for (__u32 i = 0; i < 6; i++)
		assert_true(tables[i] == polb_table_of_modes(&b, i, modes));
	assert_true(tables[5] == POLB_TABLES(4, 5));
	free(modes);
}

static bool accepts(const struct polb_bundle *b)
{
	char error[POLB_ERROR_TEXT] = "";
	const struct polb_check c = {.b = b, .error = error};

	return polb_bundle_check_variants(&c) == 0;
}

static bool accepts_variant(__u32 table, __u32 first_policy, __u32 n_policies, __u32 first_table)
{
	const struct polb_bundle_variant one = {table, first_policy, n_policies, first_table};
	struct polb_bundle b = sample();

	b.variants = &one;
	b.n_variants = 1;
	return accepts(&b);
}

static void hostile_variants(void **state)
{
	const struct polb_bundle_variant twice[] = {{2, 0, 2, 2}, {2, 0, 2, 2}};
	const struct polb_bundle good = sample();
	struct polb_bundle b = good;

	(void)state;
	assert_true(accepts(&good));
	assert_true(accepts_variant(2, 0, 2, 2));
	assert_false(accepts_variant(0, 0, 2, 2));          /* "no policy" */
	assert_false(accepts_variant(6, 0, 2, 2));          /* no such table */
	assert_false(accepts_variant(2, 0, 0, 2));          /* nobody's */
	assert_false(accepts_variant(2, 0, 5, 0));          /* too many */
	assert_false(accepts_variant(2, 0, 33, 0));         /* shifts out */
	assert_false(accepts_variant(2, 8, 2, 2));          /* policies behind the end */
	assert_false(accepts_variant(2, UINT32_MAX, 2, 2)); /* and around it */
	assert_false(accepts_variant(2, 0, 2, 6));          /* tables behind the end */
	assert_false(accepts_variant(2, 3, 2, 2));          /* no policy 3 */
	assert_false(accepts_variant(2, 4, 2, 2));          /* out of order */
	b.variants = twice;
	assert_false(accepts(&b));
	b.variants = variants;
	b.manifest.n_tables = 5; /* a table of the second is not there */
	assert_false(accepts(&b));
}

static void hostile_policies(void **state)
{
	struct polb_bundle_switchable bad[N(switchable)];
	struct polb_bundle b = sample();

	(void)state;
	b.switchable = bad;
	memcpy(bad, switchable, sizeof(bad));
	assert_true(accepts(&b));
	bad[2].audit = 2;
	assert_false(accepts(&b));
	bad[2].audit = 1;
	bad[1].name = sizeof(strings);
	assert_false(accepts(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(tables_follow_modes),
		cmocka_unit_test(all_tables_at_once), cmocka_unit_test(hostile_variants),
		cmocka_unit_test(hostile_policies)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
