/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rollback: the generation that was kept is applied again, through the steps of any apply and under
 * a number of its own. The return from an unconfirmed generation is the same without being asked.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "apply.h"
#include "runtime/cleanup.h"

/* The generation that the one in force returns to. 0: none. */
static int previous_of(const char *name, uint32_t generation, uint32_t *out)
{
	POLD_STATE state = POLD_STATE_INIT;
	int err = pold_state_generation(&state, name, generation);

	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot read the pinned bundle of %s: %s", name,
			strerror(-err));
	*out = state.archive->previous;
	return POLD_OK;
}

static int apply_kept(struct pold_options *options, uint32_t from, int *lock_fd, bool borrowed,
	uint32_t *generation)
{
	POLD_APPLY a = POLD_APPLY_INIT(options);
	int code;

	a.lock_fd = borrowed ? *lock_fd : polb_take_fd(lock_fd);
	a.lock_is_borrowed = borrowed;
	a.from = from;
	a.lenient = true;
	code = pold_apply_read_kept(&a, options);
	if (!code)
		code = pold_apply_run(&a);
	*generation = a.done ? 0 : a.generation;
	return code;
}

int pold_return(const char *name, uint32_t generation, int lock_fd)
{
	struct pold_options options = {.name = name, .confirm_s = -1};
	uint32_t previous = 0, now = 0;
	int code = previous_of(name, generation, &previous), err;

	if (code)
		return code;
	if (previous) {
		code = apply_kept(&options, previous, &lock_fd, true, &now);
		if (!code)
			pold_note("note: %s: returned from generation %u to the one before it, as "
				  "generation %u",
				name, generation, now);
		return code;
	}
	err = pold_name_remove(name);
	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot remove %s: %s", name, strerror(-err));
	pold_note("note: %s: removed, as no generation before %u was confirmed", name, generation);
	return POLD_OK;
}

/* Locked as its command needs it; what is in force, and what it returns to. */
static int open_previous(const struct pold_options *options, int *lock_fd, uint32_t *from)
{
	POLD_STATE state = POLD_STATE_INIT;
	int code = pold_state_open(&state, options->name, !options->dry_run);

	if (code)
		return code;
	*from = state.archive->previous;
	*lock_fd = polb_take_fd(&state.lock_fd);
	return *from ? POLD_OK
		     : pold_fail(POLD_BAD, "%s: no generation before %u is kept", options->name,
			       state.generation);
}

static int rollback(struct pold_options *options, uint32_t *generation)
{
	POLB_FD lock_fd = -1;
	uint32_t from = 0;
	int code = open_previous(options, &lock_fd, &from);

	return code ? code : apply_kept(options, from, &lock_fd, false, generation);
}

int pold_cmd_rollback(const struct pold_options *options)
{
	struct pold_options copy = *options;
	uint32_t generation = 0;
	int code = pold_options_arguments(options, 0, 0, "rollback [--name NAME] ...");

	if (code)
		return code;
	pold_signals_catch();
	code = rollback(&copy, &generation);
	return code || !generation ? code : pold_apply_watch(options, generation);
}
