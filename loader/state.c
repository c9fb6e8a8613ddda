/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is in force under a name, found from its pins. */
#include "loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/cleanup.h"
#include "runtime/instance.h"

#define PAGE_BYTES 4096u

static int map_archive(struct pold_state *state)
{
	POLB_FD fd = pold_state_map(state, "bundle");
	struct bpf_map_info info = {0};
	__u32 info_size = sizeof(info);
	void *pages;
	size_t bytes;

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &info_size))
		return -errno;
	if (info.value_size != PAGE_BYTES || info.max_entries < 1)
		return -EINVAL;
	bytes = (size_t)info.max_entries * PAGE_BYTES;
	pages = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (pages == MAP_FAILED)
		return -errno;
	state->archive = pages;
	state->archive_bytes = bytes;
	return state->archive->size <= bytes - PAGE_BYTES ? 0 : -EINVAL;
}

const void *pold_state_file(const struct pold_state *state)
{
	return (const char *)state->archive + PAGE_BYTES;
}

int pold_state_bundle(struct pold_state *state)
{
	char error[POLB_ERROR_TEXT];
	int err = map_archive(state);

	return err ? err
		   : polb_bundle_read(
			     pold_state_file(state), state->archive->size, &state->bundle, error);
}

int pold_state_generation(struct pold_state *state, const char *name, uint32_t generation)
{
	state->name = name;
	state->generation = generation;
	return pold_state_bundle(state);
}

/* Writers have the node to themselves and find no overdue generation; readers only ask that what
 * they read does not go away. */
static int lock(struct pold_state *state, const char *name, bool exclusive)
{
	int code = exclusive ? pold_root_open(&state->lock_fd, true, false) : pold_may_read();

	if (!code)
		code = exclusive ? pold_return_if_overdue(name, state->lock_fd)
				 : pold_readers_lock(name, &state->lock_fd);
	return code;
}

int pold_state_open(struct pold_state *state, const char *name, bool exclusive)
{
	int code = lock(state, name, exclusive), err;

	if (code)
		return code;
	state->name = name;
	state->control_fd = pold_pin_get(POLD_ROOT "/%s/control", name);
	if (state->control_fd < 0 ||
		polb_control_load(state->control_fd, &state->generation, &state->epoch) ||
		state->generation == 0)
		return pold_fail(POLD_ENVIRONMENT, "nothing is applied under the name %s", name);
	state->changes = exclusive;
	if (exclusive && pold_state_is_changing(state)) /* whoever it was has been killed */
		code = pold_state_bump(state);
	err = code ? 0 : pold_state_bundle(state);
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot read the pinned bundle of %s: %s", name,
			     strerror(-err))
		   : code;
}

/* A change that failed is over, too. */
void pold_state_close(struct pold_state *state)
{
	if (state->changes && pold_state_is_changing(state))
		pold_state_bump(state);
	if (state->archive)
		munmap((void *)(uintptr_t)state->archive, state->archive_bytes);
	if (state->control_fd >= 0)
		close(state->control_fd);
	pold_state_unlock(state);
	*state = (struct pold_state)POLD_STATE_INIT;
}

void pold_state_unlock(struct pold_state *state)
{
	if (state->lock_fd >= 0)
		close(state->lock_fd);
	state->lock_fd = -1;
}

int pold_state_map(const struct pold_state *state, const char *map)
{
	return pold_pin_get(POLD_ROOT "/%s/g%u/%s", state->name, state->generation, map);
}

static int store_epoch(struct pold_state *state, uint32_t epoch)
{
	int err = polb_control_store(state->control_fd, state->generation, epoch);

	if (err)
		return pold_fail(
			POLD_ENVIRONMENT, "cannot write the control cell: %s", strerror(-err));
	state->epoch = epoch;
	return POLD_OK;
}

bool pold_state_is_changing(const struct pold_state *state)
{
	return state->epoch & POLB_EPOCH_CHANGING;
}

int pold_state_change(struct pold_state *state)
{
	return pold_state_is_changing(state)
		       ? POLD_OK
		       : store_epoch(state, state->epoch | POLB_EPOCH_CHANGING);
}

int pold_state_bump(struct pold_state *state)
{
	return store_epoch(state, polb_epoch_next(state->epoch));
}

int pold_actions_run(const struct pold_actions *actions, const struct pold_options *options)
{
	POLD_STATE state = POLD_STATE_INIT;
	int code = pold_options_arguments(options, 1, 2, actions->usage);
	const char *what;

	if (code)
		return code;
	what = options->arguments[0];
	if (strcmp(what, "add") == 0 && options->n_arguments == 2)
		return actions->add(options, &state);
	if (strcmp(what, "del") == 0 && options->n_arguments == 2)
		return actions->del(options, &state);
	if (strcmp(what, "list") == 0 && options->n_arguments == 1)
		return actions->list(options, &state);
	return pold_fail(POLD_USAGE, "usage: polload %s", actions->usage);
}
