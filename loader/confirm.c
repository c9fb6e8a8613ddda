/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * confirm: the generation in force stays. Also what `apply` does after the cutover of a generation
 * that is to be confirmed or whose health is to be checked.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apply.h"
#include "runtime/cleanup.h"

/* Is it still the one in force, and unconfirmed? Opens the state, locked. Exit code. */
static int open_pending(struct pold_state *state, const char *name, uint32_t generation)
{
	uint64_t deadline_ns;
	int code = pold_state_open(state, name, true);

	if (code)
		return code;
	if (state->generation != generation || !pold_pending_read(name, generation, &deadline_ns))
		return pold_fail(POLD_ENVIRONMENT, "%s: generation %u is no longer in force", name,
			generation);
	return POLD_OK;
}

static int end_pending(const char *name, uint32_t generation)
{
	int err = pold_pending_end(name, generation);

	return err ? pold_fail(POLD_ENVIRONMENT, "cannot confirm %s: %s", name, strerror(-err))
		   : POLD_OK;
}

/* Without the lock: a health command may well ask polload for its status, or change something. */
static int check_health(const struct pold_options *options, uint32_t generation)
{
	POLD_STATE state = POLD_STATE_INIT;
	int code = pold_health_run(options->health, options->name, generation);

	if (!code && options->confirm_s >= 0)
		return POLD_OK; /* what is left is to be confirmed */
	pold_signals_catch();   /* an interrupted check has failed; the return is not interrupted */
	if (open_pending(&state, options->name, generation))
		return code ? code : POLD_ENVIRONMENT;
	if (!code)
		return end_pending(options->name, generation);
	pold_return(options->name, generation, state.lock_fd);
	return POLD_BAD;
}

int pold_apply_watch(const struct pold_options *options, uint32_t generation)
{
	int pid;

	if (options->confirm_s < 0 && !options->health)
		return POLD_OK;
	pid = pold_waiter_start(options->name, generation);
	if (pid < 0)
		pold_note("note: no process waits for the confirmation (%s): the next polload that "
			  "changes something returns",
			strerror(-pid));
	if (options->confirm_s >= 0)
		pold_note(
			"note: unconfirmed: \"polload confirm --name %s\" within %g s, or the node "
			"returns",
			options->name, options->confirm_s);
	return options->health ? check_health(options, generation) : POLD_OK;
}

/* Whatever was not confirmed in time, under all names; for a timer. */
static int return_expired(void)
{
	POLB_FREE struct pold_name *names = NULL;
	POLB_FD lock_fd = -1;
	size_t n = 0;
	int code, err = pold_names(&names, &n);

	if (err || n == 0)
		return err ? pold_fail(POLD_ENVIRONMENT, "cannot read " POLD_ROOT ": %s",
				     strerror(-err))
			   : POLD_OK;
	code = pold_root_open(&lock_fd, true, false);
	for (size_t i = 0; !code && i < n; i++)
		code = pold_return_if_overdue(names[i].text, lock_fd);
	return code;
}

int pold_cmd_confirm(const struct pold_options *options)
{
	POLD_STATE state = POLD_STATE_INIT;
	uint64_t deadline_ns;
	int code = pold_options_arguments(options, 0, 0, "confirm [--name NAME] | --expired");

	if (code)
		return code;
	pold_signals_catch();
	if (options->expired)
		return return_expired();
	code = pold_state_open(&state, options->name, true); /* returns first when it is late */
	if (code)
		return code;
	if (!pold_pending_read(options->name, state.generation, &deadline_ns))
		return pold_fail(POLD_BAD, "%s: nothing is to be confirmed", options->name);
	return end_pending(options->name, state.generation);
}
