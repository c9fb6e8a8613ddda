/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Flows of an endpoint that has gone. Keys of cgroups are never given twice, nor are those of
 * interfaces that sysfs shows (place.c); an interface that is known by its number alone may be
 * followed by another one of the same number, which must not inherit what was allowed to the first.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "places.h"
#include "runtime/cleanup.h"

struct keys {
	struct polb_flow_key *items;
	size_t n;
};

static int collect(int fd, uint64_t endpoint, struct keys *out)
{
	struct polb_flow_key key, *previous = NULL;

	for (; bpf_map_get_next_key(fd, previous, &key) == 0; previous = &key) {
		struct polb_flow_key *larger;

		if (key.endpoint != endpoint)
			continue;
		larger = realloc(out->items, (out->n + 1) * sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		out->items = larger;
		out->items[out->n++] = key;
	}
	return 0;
}

int pold_flows_forget(const char *name, const struct pold_attachment *attachment)
{
	POLB_FD fd = -1;
	struct keys keys = {0};
	int err;

	if (!attachment->ifindex || (uint32_t)attachment->key != attachment->ifindex ||
		(attachment->key << 1) >> 33)
		return 0;
	fd = pold_pin_get(POLD_ROOT "/%s/flows_v%u", name, POLB_ABI_VERSION);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = collect(fd, attachment->key, &keys);
	for (size_t i = 0; !err && i < keys.n; i++)
		if (bpf_map_delete_elem(fd, &keys.items[i]) && errno != ENOENT)
			err = -errno;
	free(keys.items);
	return err;
}
