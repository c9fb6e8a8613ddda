/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The maps behind a generation in force: how full those are that fill at run time, what all take.
 */
#ifndef POLD_MAPS_H
#define POLD_MAPS_H

#include "loader.h"

struct pold_map {
	const char *name; /* of its pin; without one its own, of at most 15 bytes */
	uint64_t memory_bytes;
	uint32_t room; /* entries */
	bool is_counted;
	uint64_t entries; /* is_counted */
};
typedef void pold_map_call(void *context, const struct pold_map *map);
/* Each once, shared ones included. 0 or -errno. */
int pold_maps_each(const struct pold_state *state, pold_map_call *call, void *context);

/* For `status`: a table; a member behind a comma. */
void pold_maps_text(const struct pold_state *state);
void pold_maps_json(const struct pold_state *state);

#endif
