/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * apply of what is in force already: the same bundle, told the same, everything attached and alive,
 * modes as apply sets them. Then nothing is to be done; in doubt there is a new generation.
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "apply.h"
#include "runtime/cleanup.h"
#include "workloads.h"

static bool told_the_same(const struct pold_archive_header *x, const struct pold_archive_header *y)
{
	return strcmp(x->node, y->node) == 0 && x->adopt_s == y->adopt_s && x->room == y->room &&
	       x->processes == y->processes && x->ring_bytes == y->ring_bytes &&
	       x->avoid == y->avoid && x->audit == y->audit && x->absent == y->absent &&
	       x->is_signed == y->is_signed &&
	       memcmp(x->signed_by, y->signed_by, sizeof(x->signed_by)) == 0;
}

/* --- endpoints -------------------------------------------------------------------------------- */

/* A process in the node's own namespace makes its endpoint one of the host: that may have changed.
 */
static bool sees_same_namespace(const struct pold_apply *a, const struct pold_generation *g,
	const struct pold_apply_spot *spot)
{
	uint32_t flags = a->bundle.endpoints[spot->endpoint - 1].flags;
	struct polb_endpoint endpoint;

	if (pold_hook_kind(spot->place.hook) != POLB_HOOK_CGROUP)
		return true;
	if (spot->place.host_netns)
		flags |= POLB_ENDPOINT_HOST_NETNS;
	return bpf_map_lookup_elem(g->endpoints_fd, &spot->endpoint, &endpoint) == 0 &&
	       !((endpoint.flags ^ flags) & POLB_ENDPOINT_HOST_NETNS);
}

static bool spot_is_alive(const struct pold_apply *a, const struct pold_generation *g,
	const struct pold_apply_spot *spot)
{
	const struct pold_attachment_key key = {
		.endpoint = spot->endpoint, .hook = spot->place.hook};
	struct pold_attachment attachment;

	return bpf_map_lookup_elem(g->attachments_fd, &key, &attachment) == 0 &&
	       attachment.key == spot->place.key && pold_attached(g, &key, &attachment) &&
	       sees_same_namespace(a, g, spot);
}

static int count(void *context, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	size_t *n = context;

	(void)key;
	(void)attachment;
	++*n;
	return 0;
}

static bool endpoints_are_alive(const struct pold_apply *a)
{
	POLD_GENERATION g = POLD_GENERATION_INIT;
	size_t n = 0;

	if (pold_generation_open(a->name, a->old, &g))
		return false;
	pold_attachments_each(&g, count, &n);
	for (size_t i = 0; n == a->n_spots && i < a->n_spots; i++)
		if (!spot_is_alive(a, &g, &a->spots[i]))
			return false;
	return n == a->n_spots;
}

/* --- tracing ---------------------------------------------------------------------------------- */

static bool is_user(uint32_t mechanism)
{
	return mechanism == POLB_MECHANISM_UPROBE || mechanism == POLB_MECHANISM_URETPROBE ||
	       mechanism == POLB_MECHANISM_USDT;
}

static bool has_pin(const struct pold_state *state, const char *pin)
{
	char path[POLD_PATH];
	struct stat there;

	pold_path(path, POLD_ROOT "/%s/g%u/%s", state->name, state->generation, pin);
	return stat(path, &there) == 0;
}

/*
 * Its links live as long as their pins. What was left out may be possible by now, and a file may be
 * another one under the same name: such hooks are attached anew.
 */
static bool hook_is_alive(
	const struct pold_state *state, uint32_t number, const struct pold_trace_hook *hook)
{
	const struct polb_bundle *b = &state->bundle;
	const struct polb_bundle_trace_hook *h = &b->trace_hooks[number];
	const struct polb_bundle_trace_alternative *alternative;
	char pin[64];

	if (hook->alternative >= h->n_alternatives)
		return false;
	alternative = &b->trace_alternatives[h->first_alternative + hook->alternative];
	for (uint32_t i = 0; i < alternative->n_programs; i++)
		if (is_user(b->trace_programs[alternative->first_program + i].mechanism))
			return false;
	for (uint32_t i = 0; i < hook->links; i++) {
		snprintf(pin, sizeof(pin), "t%u_%u", number, i);
		if (!has_pin(state, pin) && !has_pin(state, "perf_events"))
			return false;
	}
	return true;
}

static bool tracing_is_alive(const struct pold_state *state)
{
	POLB_FD fd = pold_state_map(state, "trace_hooks");

	for (uint32_t i = 0; i < state->bundle.n_trace_hooks; i++) {
		struct pold_trace_hook hook;

		if (fd < 0 || bpf_map_lookup_elem(fd, &i, &hook) || !hook_is_alive(state, i, &hook))
			return false;
	}
	return true;
}

/* Cgroups that have appeared since get what their workloads are. */
static bool know_workloads(const struct pold_state *state)
{
	return pold_workloads_refresh(state) == POLD_OK;
}

bool pold_apply_is_in_force(const struct pold_apply *a)
{
	POLD_STATE state = POLD_STATE_INIT;
	uint64_t deadline_ns;

	if (!a->old || a->from || pold_pending_read(a->name, a->old, &deadline_ns) ||
		pold_state_generation(&state, a->name, a->old))
		return false;
	return memcmp(state.bundle.digest, a->bundle.digest, sizeof(a->bundle.digest)) == 0 &&
	       told_the_same(state.archive, &a->told) && pold_modes_are_fresh(&state) &&
	       endpoints_are_alive(a) && tracing_is_alive(&state) &&
	       (a->options->dry_run || know_workloads(&state));
}
