/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Modes of single network policies. polt_tables says by table which one decides; it is mapped, and
 * changed by one aligned store per table, so that a packet is decided by the old table or by the
 * new one. The record in polt_modes is what the tables are made from.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "policies.h"
#include "runtime/cleanup.h"
#include "runtime/variants.h"

int pold_modes_read(const struct pold_state *state, __u32 **out)
{
	const struct polb_bundle *b = &state->bundle;
	POLB_FREE __u32 *modes = polb_modes_initial(b, NULL);
	POLB_FD fd = b->n_switchable ? pold_state_map(state, "polt_modes") : -1;

	if (!modes)
		return -ENOMEM;
	if (b->n_switchable && fd < 0)
		return fd;
	for (__u32 i = 0; i < b->n_switchable; i++)
		if (bpf_map_lookup_elem(fd, &i, &modes[i]))
			return -errno;
	*out = POLB_TAKE(modes);
	return 0;
}

/* "name", or "namespace/name". */
static bool is_called(const struct polb_bundle *b, __u32 namespace, __u32 name, const char *wanted)
{
	const char *space = polb_bundle_string(b, namespace);
	size_t n = strlen(space);

	if (strcmp(polb_bundle_string(b, name), wanted) == 0)
		return true;
	return n && strncmp(wanted, space, n) == 0 && wanted[n] == '/' &&
	       strcmp(wanted + n + 1, polb_bundle_string(b, name)) == 0;
}

bool *pold_modes_wanted(const struct pold_options *options, const struct polb_bundle *bundle)
{
	bool *wanted = calloc(bundle->n_switchable + 1, sizeof(*wanted));

	for (uint32_t n = 0; wanted && n < options->events.n_policies; n++)
		for (size_t i = 0; i < bundle->n_switchable; i++)
			wanted[i] |= is_called(bundle, bundle->switchable[i].namespace,
				bundle->switchable[i].name, options->events.policies[n]);
	return wanted;
}

bool pold_modes_fixed(const struct polb_bundle *bundle, const char *name)
{
	for (size_t i = 0; i < bundle->n_rules; i++)
		if (is_called(bundle, bundle->rules[i].policy_namespace,
			    bundle->rules[i].policy_name, name))
			return true;
	return false;
}

static int store_tables(int fd, const struct polb_bundle *b, const __u32 *modes)
{
	size_t bytes = b->manifest.n_tables * sizeof(__u64);
	__u64 *tables = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (tables == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < b->n_variants; i++) {
		__u32 table = b->variants[i].table;

		__atomic_store_n(
			&tables[table], polb_table_of_modes(b, table, modes), __ATOMIC_SEQ_CST);
	}
	munmap(tables, bytes);
	return 0;
}

int pold_modes_switch(const struct pold_state *state, const bool *wanted, bool audit)
{
	POLB_FD fd = pold_state_map(state, "polt_tables");
	POLB_FREE __u32 *modes = NULL;
	int err = fd < 0 ? fd : pold_modes_read(state, &modes);

	if (err)
		return err;
	for (size_t i = 0; i < state->bundle.n_switchable; i++)
		if (wanted[i])
			modes[i] = audit;
	return store_tables(fd, &state->bundle, modes);
}

int pold_modes_record(const struct pold_state *state, const bool *wanted, bool audit)
{
	POLB_FD fd = pold_state_map(state, "polt_modes");
	__u32 mode = audit;

	if (fd < 0)
		return fd;
	for (__u32 i = 0; i < state->bundle.n_switchable; i++)
		if (wanted[i] && bpf_map_update_elem(fd, &i, &mode, BPF_ANY))
			return -errno;
	return 0;
}

static bool same_policy(const struct polb_bundle *a, const struct polb_bundle_switchable *x,
	const struct polb_bundle *b, const struct polb_bundle_switchable *y)
{
	return strcmp(polb_bundle_string(a, x->name), polb_bundle_string(b, y->name)) == 0 &&
	       strcmp(polb_bundle_string(a, x->namespace), polb_bundle_string(b, y->namespace)) ==
		       0 &&
	       strcmp(polb_bundle_string(a, x->policy_kind),
		       polb_bundle_string(b, y->policy_kind)) == 0;
}

/* Its number in `bundle`, or UINT32_MAX. */
static uint32_t find(const struct polb_bundle *bundle, const struct polb_bundle *other,
	const struct polb_bundle_switchable *policy)
{
	for (uint32_t i = 0; i < bundle->n_switchable; i++)
		if (same_policy(bundle, &bundle->switchable[i], other, policy))
			return i;
	return UINT32_MAX;
}

/* What generation `before` says of the policies that this bundle has too. */
static void take_modes(const struct pold_state *before, const __u32 *was,
	const struct polb_bundle *b, __u32 *modes)
{
	for (size_t i = 0; i < b->n_switchable; i++) {
		uint32_t same = find(&before->bundle, b, &b->switchable[i]);

		if (same != UINT32_MAX)
			modes[i] = was[same];
	}
}

static void note_lost(const struct polb_bundle *b, size_t i, bool was, bool is)
{
	const char *namespace = polb_bundle_string(b, b->switchable[i].namespace);

	pold_note("note: network policy %s%s%s was switched to %s; this bundle has it in mode %s "
		  "(apply --keep-modes keeps what was switched)",
		namespace, *namespace ? "/" : "", polb_bundle_string(b, b->switchable[i].name),
		was ? "audit" : "enforce", is ? "audit" : "enforce");
}

static void note_all_lost(
	const struct pold_state *before, const __u32 *was, const struct polb_bundle *bundle)
{
	const struct polb_bundle *b = &before->bundle;

	for (size_t i = 0; i < b->n_switchable; i++) {
		uint32_t same = find(bundle, b, &b->switchable[i]);
		bool is = same != UINT32_MAX && bundle->switchable[same].audit;

		if (was[i] != b->switchable[i].audit && was[i] != is)
			note_lost(b, i, was[i], is);
	}
}

static int write_modes(
	const struct polb_bundle *b, const char *name, uint32_t generation, const __u32 *modes)
{
	POLB_FD fd = pold_pin_get(POLD_ROOT "/%s/g%u/polt_modes", name, generation);
	POLB_FD tables_fd = pold_pin_get(POLD_ROOT "/%s/g%u/polt_tables", name, generation);

	if (fd < 0 || tables_fd < 0)
		return fd < 0 ? fd : tables_fd;
	for (__u32 i = 0; i < b->n_switchable; i++)
		if (bpf_map_update_elem(fd, &i, &modes[i], BPF_ANY))
			return -errno;
	return store_tables(tables_fd, b, modes);
}

int pold_modes_follow(const struct polb_bundle *bundle, const char *name, uint32_t generation,
	uint32_t before, bool keep)
{
	POLD_STATE state = POLD_STATE_INIT;
	POLB_FREE __u32 *modes = polb_modes_initial(bundle, NULL), *was = NULL;
	int err = modes ? 0 : -ENOMEM;

	if (!before)
		return err;
	if (!err)
		err = pold_state_generation(&state, name, before);
	/* of an unreadable generation nothing is kept, as apply has said */
	if (err || !state.bundle.n_switchable)
		return keep ? err : 0;
	err = pold_modes_read(&state, &was);
	if (err)
		return keep ? err : 0;
	if (keep && bundle->n_switchable) {
		take_modes(&state, was, bundle, modes);
		return write_modes(bundle, name, generation, modes);
	}
	note_all_lost(&state, was, bundle);
	return 0;
}

bool pold_policy_modes_are_fresh(const struct pold_state *state)
{
	POLB_FREE __u32 *modes = NULL;

	if (pold_modes_read(state, &modes))
		return false;
	for (size_t i = 0; i < state->bundle.n_switchable; i++)
		if (modes[i] != state->bundle.switchable[i].audit)
			return false;
	return true;
}
