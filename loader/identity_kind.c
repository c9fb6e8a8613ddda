/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The words for what an address is: `identity add --kind`, `kind=` of the plain inventory. */
#include "identity.h"

#include <string.h>

/* Kind, its bits, its reserved number (0: by labels). */
static const struct {
	const char *name;
	uint32_t kinds, number;
} kinds[] = {
	{"pod", POLB_KIND_POD, 0},
	{"world", POLB_KIND_WORLD, 2},
	{"host", POLB_KIND_HOST, 1},
	{"node", POLB_KIND_NODE, 6},
	{"remote-node", POLB_KIND_REMOTE_NODE, 6},
	{"kube-apiserver", POLB_KIND_KUBE_APISERVER, 7},
	{"health", POLB_KIND_HEALTH, 4},
	{"init", POLB_KIND_INIT, 5},
	{"ingress", POLB_KIND_INGRESS, 8},
	{"unmanaged", POLB_KIND_UNMANAGED, 3},
};

bool pold_kind_find(
	const char *name, const struct polb_addr *addr, uint32_t *out_kinds, uint32_t *number)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(name, kinds[i].name) != 0)
			continue;
		*out_kinds =
			kinds[i].kinds == POLB_KIND_WORLD ? polb_kinds_world(addr) : kinds[i].kinds;
		*number = kinds[i].number;
		return true;
	}
	return false;
}
