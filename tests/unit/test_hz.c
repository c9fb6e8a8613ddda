/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel's tick rate as found out, against its own configuration where that can be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>

#include "runtime/instance_private.h"

static unsigned int configured_hz(void)
{
	gzFile config = gzopen("/proc/config.gz", "rb");
	unsigned int hz = 0;
	char line[256];

	if (!config)
		return 0;
	while (!hz && gzgets(config, line, sizeof(line)))
		if (sscanf(line, "CONFIG_HZ=%u", &hz) != 1)
			hz = 0;
	gzclose(config);
	return hz;
}

static void is_the_configured_one(void **state)
{
	unsigned int hz = configured_hz();

	(void)state;
	if (geteuid() != 0 || !hz)
		skip();
	assert_int_equal(polb_kernel_hz(), hz);
}

static void is_plausible(void **state)
{
	uint32_t hz = polb_kernel_hz();

	(void)state;
	assert_true(hz == 100 || hz == 250 || hz == 300 || hz == 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_the_configured_one),
		cmocka_unit_test(is_plausible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
