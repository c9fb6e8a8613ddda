/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What audit mode has let pass (polt_audited), and the live maps that say what holds of it now. */
#ifndef POLD_AUDITED_H
#define POLD_AUDITED_H

#include "loader.h"
#include "runtime/decide.h"

struct pold_audited {
	struct polb_audited_key key;
	struct polb_audited value;
};
/* malloc'd; *not_kept: packets that found no room. -ENOENT: the generation has no such map. */
int pold_audited_read(
	const struct pold_state *state, struct pold_audited **out, size_t *n, uint64_t *not_kept);
/* From now on anew; what comes meanwhile is either forgotten or kept. 0, also without such a map.
 */
int pold_audited_reset(const struct pold_state *state);
/*
 * What `old` has kept is added to a new generation's map, by meaning: the endpoint's name, the
 * labels of the peer, `rules`: new number of each old rule, 0: none. 0 or -errno.
 */
int pold_audited_carry(const struct polb_bundle *bundle, const char *name, uint32_t generation,
	const struct pold_state *old, const uint32_t *rules);

/* live.c: descriptors for polb_decide(). */
struct pold_live {
	struct polb_live maps;
	int fds[8];
};
#define POLD_LIVE __attribute__((cleanup(pold_live_close))) struct pold_live
#define POLD_LIVE_INIT                                                                             \
	{                                                                                          \
		.fds = { -1, -1, -1, -1, -1, -1, -1, -1 }                                          \
	}
int pold_live_open(const struct pold_state *state, struct pold_live *out); /* 0 or -errno */
void pold_live_close(struct pold_live *live);

/* Addresses that now have an identity. Calls back; stops at and returns the first non-zero. */
int pold_live_members(const struct polb_live *live, const char *node, uint32_t identity,
	uint8_t family,
	int (*call)(void *context, const struct polb_addr *addr, const struct polb_peer *peer),
	void *context);

#endif
