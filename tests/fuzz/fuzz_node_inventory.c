// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// What polload sync reads: objects and the plain format; and the records that it keeps, which come
// back out of the kernel. What was read must be the same after it was kept.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/inventory.h"
#include "loader/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the place of loader/message.c: what is said of bad inputs is not worth a log. */
void pold_note(const char *format, ...)
{
	(void)format;
}

int pold_fail(int code, const char *format, ...)
{
	(void)format;
	return code;
}

static void keep(struct pold_pool *pool, const struct pold_who *who)
{
	struct pold_who back;

	if (!pold_who_read(pool, who->record, who->record_bytes, &back))
		abort();
	pold_who_record(pool, &back);
	if (back.record_bytes != who->record_bytes ||
		memcmp(back.record, who->record, who->record_bytes) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pold_inventory inventory = {0};
	struct pold_pool pool = {0};
	struct pold_who who;

	pold_inventory_read(&inventory, "input", (const char *)data, size, 0);
	if (pold_inventory_finish(&inventory, NULL) == 0)
		for (size_t i = 0; i < inventory.identities.n; i++)
			keep(&pool, &inventory.identities.items[i]);
	pold_inventory_free(&inventory);
	pold_who_read(&pool, data, size, &who);
	pold_pool_free(&pool);
	return 0;
}
