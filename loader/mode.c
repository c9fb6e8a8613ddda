/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * mode: audit or enforce, from the next packet and the next call on (for packets the epoch makes
 * cached verdicts be decided again, from the first store on).
 */
#include "loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "policies.h"
#include "runtime/cleanup.h"
#include "runtime/trace_tables.h"

#define NETWORK_HOOKS (POLB_HOOK_CGROUP | POLB_HOOK_TC | POLB_HOOK_XDP)

static int set_network(const struct pold_state *state, bool audit)
{
	POLB_FD fd = pold_state_map(state, "polt_config");
	struct polb_config config;
	__u32 zero = 0;

	if (fd < 0)
		return fd;
	if (bpf_map_lookup_elem(fd, &zero, &config))
		return -errno;
	config.mode = audit;
	return bpf_map_update_elem(fd, &zero, &config, BPF_ANY) ? -errno : 0;
}

/* "name" or "namespace/name". */
static bool is_named(const struct polb_bundle *b, __u32 policy, const char *name)
{
	char text[512];

	polb_trace_policy_text(b, policy, text, sizeof(text));
	return strcmp(text, name) == 0 ||
	       strcmp(polb_bundle_string(b, b->trace_policies[policy].name), name) == 0;
}

static int set_policy(int fd, __u32 policy, bool audit)
{
	struct polb_trace_policy_state state;

	if (bpf_map_lookup_elem(fd, &policy, &state))
		return -errno;
	state.mode = audit ? POLB_MODE_MONITOR : POLB_MODE_ENFORCE;
	return bpf_map_update_elem(fd, &policy, &state, BPF_ANY) ? -errno : 0;
}

static bool is_wanted(const struct pold_options *o, const struct polb_bundle *b, __u32 policy)
{
	for (uint32_t i = 0; i < o->events.n_policies; i++)
		if (is_named(b, policy, o->events.policies[i]))
			return true;
	return o->events.n_policies == 0;
}

/* Those with something to enforce; of the others only what was asked for by name is spoken of. */
static int set_tracing(const struct pold_options *o, const struct pold_state *state, bool audit)
{
	const struct polb_bundle *b = &state->bundle;
	POLB_FD fd = pold_state_map(state, "polt_policies");
	int err = fd < 0 ? fd : 0;

	for (__u32 i = 0; !err && i < b->n_trace_policies; i++) {
		char name[512];

		if (!is_wanted(o, b, i))
			continue;
		if (b->trace_policies[i].enforces) {
			err = set_policy(fd, i, audit);
			continue;
		}
		polb_trace_policy_text(b, i, name, sizeof(name));
		if (o->events.n_policies)
			pold_note("note: %s only monitors: there is nothing to enforce", name);
	}
	return err;
}

static bool has_tracing_policy(const struct polb_bundle *b, const char *name)
{
	for (__u32 i = 0; i < b->n_trace_policies; i++)
		if (is_named(b, i, name))
			return true;
	return false;
}

static int check_name(const struct polb_bundle *b, const char *name)
{
	const struct pold_options one = {.events = {.policies = {name}, .n_policies = 1}};
	POLB_FREE bool *wanted = pold_modes_wanted(&one, b);

	if (!wanted)
		return pold_fail(POLD_ENVIRONMENT, "out of memory");
	for (size_t i = 0; i < b->n_switchable; i++)
		if (wanted[i])
			return POLD_OK;
	if (has_tracing_policy(b, name))
		return POLD_OK;
	if (pold_modes_fixed(b, name))
		return pold_fail(POLD_BAD,
			"network policy %s cannot be switched in this bundle: build it with polc "
			"build --switchable %s",
			name, name);
	return pold_fail(POLD_BAD, "the bundle has no policy %s", name);
}

static int check_names(const struct pold_options *o, const struct polb_bundle *b)
{
	int code = POLD_OK;

	for (uint32_t n = 0; !code && n < o->events.n_policies; n++)
		code = check_name(b, o->events.policies[n]);
	return code;
}

/* Before the epoch is bumped: packets. What goes to audit is recorded first. */
static int set_policies(const struct pold_state *state, const bool *wanted, bool audit)
{
	int err = audit ? pold_modes_record(state, wanted, true) : 0;

	return err ? err : pold_modes_switch(state, wanted, audit);
}

static int set_mode(
	const struct pold_options *o, struct pold_state *state, const bool *wanted, bool audit)
{
	uint32_t hooks = state->bundle.manifest.hooks;
	int code = pold_state_change(state), err = 0;

	if (code)
		return code;
	if ((hooks & NETWORK_HOOKS) && o->events.n_policies == 0)
		err = set_network(state, audit);
	if (!err && o->events.n_policies && state->bundle.n_switchable)
		err = set_policies(state, wanted, audit);
	if (!err && (hooks & POLB_HOOK_TRACE))
		err = set_tracing(o, state, audit);
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot set the mode: %s", strerror(-err))
		   : POLD_OK;
}

static int change(const struct pold_options *o, struct pold_state *state, bool audit)
{
	POLB_FREE bool *wanted = pold_modes_wanted(o, &state->bundle);
	int code, err;

	if (!wanted)
		return pold_fail(POLD_ENVIRONMENT, "out of memory");
	code = set_mode(o, state, wanted, audit);
	if (!code)
		code = pold_state_bump(state);
	if (code || !o->events.n_policies || !state->bundle.n_switchable)
		return code;
	err = pold_modes_record(state, wanted, audit);
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot record the mode: %s", strerror(-err))
		   : POLD_OK;
}

int pold_cmd_mode(const struct pold_options *options)
{
	POLD_STATE state = POLD_STATE_INIT;
	int code = pold_options_arguments(
		options, 1, 1, "mode audit|enforce [--name NAME] [--policy NAME]...");
	bool audit;

	if (code)
		return code;
	audit = strcmp(options->arguments[0], "audit") == 0;
	if (!audit && strcmp(options->arguments[0], "enforce") != 0)
		return pold_fail(POLD_USAGE, "mode: \"%s\" is neither audit nor enforce",
			options->arguments[0]);
	code = pold_state_open(&state, options->name, true);
	if (!code)
		code = check_names(options, &state.bundle);
	return code ? code : change(options, &state, audit);
}
