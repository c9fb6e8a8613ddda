/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The maps of the generation in force that a decision depends on. */
#include "audited.h"

#include <errno.h>
#include <string.h>

#include "runtime/cleanup.h"
#include "runtime/instance.h"

static const char *const names[] = {"polt_config", "polt_endpoints", "polt_peers4", "polt_peers6",
	"polt_cidrs4", "polt_cidrs6", "polt_classes", "polt_tables"};

int pold_live_open(const struct pold_state *state, struct pold_live *out)
{
	_Static_assert(sizeof(names) / sizeof(names[0]) == sizeof(out->fds) / sizeof(out->fds[0]),
		"one each");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		out->fds[i] = pold_state_map(state, names[i]);
		if (out->fds[i] < 0 && out->fds[i] != -ENOENT)
			return out->fds[i];
	}
	out->maps = (struct polb_live){.bundle = &state->bundle,
		.config_fd = out->fds[0],
		.endpoints_fd = out->fds[1],
		.peers_fd = {out->fds[2], out->fds[3]},
		.cidrs_fd = {out->fds[4], out->fds[5]},
		.classes_fd = out->fds[6],
		.tables_fd = out->fds[7]};
	return out->fds[0] < 0 ? out->fds[0] : 0;
}

void pold_live_close(struct pold_live *live)
{
	for (size_t i = 0; i < sizeof(live->fds) / sizeof(live->fds[0]); i++)
		if (live->fds[i] >= 0)
			polb_cleanup_fd(&live->fds[i]);
}

int pold_live_members(const struct polb_live *live, const char *node, uint32_t identity,
	uint8_t family,
	int (*call)(void *context, const struct polb_addr *addr, const struct polb_peer *peer),
	void *context)
{
	const struct polb_bundle *b = live->bundle;
	int result = 0;

	for (size_t i = 0; !result && i < b->n_peers; i++) {
		struct polb_addr addr = {.family = (uint8_t)b->peers[i].family};
		enum polb_peer_source source;
		struct polb_peer peer;

		if (b->peers[i].family != family ||
			polb_peer_value(b, &b->peers[i], node).identity != identity)
			continue;
		memcpy(addr.bytes, b->peers[i].addr, sizeof(addr.bytes));
		if (polb_live_peer(live, &addr, &peer, &source) == 0 && peer.identity == identity)
			result = call(context, &addr, &peer);
	}
	return result;
}
