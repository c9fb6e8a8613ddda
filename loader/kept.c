/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The generation that another one has replaced. Kept for `rollback` is what applying it again
 * takes: its bundle with what apply was told, the modes of its policies and where its endpoints
 * were. Not its programs and tables: they would take the memory twice, and what identities and
 * processes are now they would not know.
 */
#include "loader.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "policies.h"
#include "runtime/cleanup.h"
#include "runtime/instance.h"
#include "runtime/trace_tables.h"

/* Small maps all; the modes are in the last three. */
static const char *const kept[] = {
	"bundle", "attachments", "polt_config", "polt_policies", "polt_modes"};

static bool is_kept(const char *pin)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (strcmp(pin, kept[i]) == 0)
			return true;
	return false;
}

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static int unlink_rest(const char *path)
{
	__attribute__((cleanup(close_directory))) DIR *directory = opendir(path);
	struct dirent *entry;

	if (!directory)
		return -errno;
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.' || is_kept(entry->d_name))
			continue;
		if (unlinkat(dirfd(directory), entry->d_name, 0) && errno != ENOENT)
			return -errno;
		rewinddir(directory); /* bpffs: removing while reading may skip entries */
	}
	return 0;
}

static int unhook_one(void *context, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	struct pold_attachment now = *attachment;

	return pold_unhook(context, key, &now);
}

/* Killed at any point, it is done again by the next one who changes something. */
int pold_generation_strip(const char *name, uint32_t number)
{
	POLD_GENERATION generation;
	char path[POLD_PATH];
	int err = pold_generation_open(name, number, &generation);

	if (!err)
		err = pold_attachments_each(&generation, unhook_one, &generation);
	pold_path(path, POLD_ROOT "/%s/g%u", name, number);
	return err ? err : unlink_rest(path);
}

int pold_generations_settle(const char *name, uint32_t in_force, uint32_t keep)
{
	POLB_FREE uint32_t *numbers = NULL;
	size_t n = 0;
	int err = pold_generations(name, &numbers, &n), first = err;

	for (size_t i = 0; i < n; i++) {
		if (numbers[i] == in_force)
			continue;
		err = numbers[i] == keep ? pold_generation_strip(name, numbers[i])
					 : pold_generation_remove(name, numbers[i]);
		first = first ? first : err;
	}
	return first;
}

/* --- modes ------------------------------------------------------------------------------------ */

static int copy_network_mode(const char *name, uint32_t from, uint32_t to)
{
	POLB_FD from_fd = pold_pin_get(POLD_ROOT "/%s/g%u/polt_config", name, from);
	POLB_FD to_fd = pold_pin_get(POLD_ROOT "/%s/g%u/polt_config", name, to);
	struct polb_config was, config;
	const __u32 zero = 0;

	if (from_fd < 0 || to_fd < 0)
		return from_fd == -ENOENT && to_fd == -ENOENT ? 0 : -ENOENT;
	if (bpf_map_lookup_elem(from_fd, &zero, &was) || bpf_map_lookup_elem(to_fd, &zero, &config))
		return -errno;
	config.mode = was.mode;
	return bpf_map_update_elem(to_fd, &zero, &config, BPF_ANY) ? -errno : 0;
}

static int copy_policy_modes(const char *name, uint32_t from, uint32_t to)
{
	POLB_FD from_fd = pold_pin_get(POLD_ROOT "/%s/g%u/polt_policies", name, from);
	POLB_FD to_fd = pold_pin_get(POLD_ROOT "/%s/g%u/polt_policies", name, to);
	struct polb_trace_policy_state was, state;

	if (from_fd < 0 || to_fd < 0)
		return from_fd == -ENOENT && to_fd == -ENOENT ? 0 : -ENOENT;
	for (__u32 i = 0; bpf_map_lookup_elem(from_fd, &i, &was) == 0; i++) {
		if (bpf_map_lookup_elem(to_fd, &i, &state))
			return -errno;
		state.mode = was.mode;
		if (bpf_map_update_elem(to_fd, &i, &state, BPF_ANY))
			return -errno;
	}
	return 0;
}

int pold_modes_copy(const char *name, uint32_t from, uint32_t to)
{
	int err = copy_network_mode(name, from, to);

	return err ? err : copy_policy_modes(name, from, to);
}

static bool policies_are_fresh(const struct pold_state *state, int fd)
{
	const struct polb_bundle *b = &state->bundle;

	for (__u32 i = 0; i < b->n_trace_policies; i++) {
		struct polb_trace_policy_state now;

		if (bpf_map_lookup_elem(fd, &i, &now) ||
			now.mode != polb_trace_mode(&b->trace_policies[i], state->archive->audit))
			return false;
	}
	return true;
}

bool pold_modes_are_fresh(const struct pold_state *state)
{
	POLB_FD config_fd = pold_state_map(state, "polt_config");
	POLB_FD policies_fd = pold_state_map(state, "polt_policies");
	struct polb_config config;
	const __u32 zero = 0;

	if (config_fd >= 0 && (bpf_map_lookup_elem(config_fd, &zero, &config) ||
				      !config.mode != !state->archive->audit))
		return false;
	if (!pold_policy_modes_are_fresh(state))
		return false;
	return policies_fd < 0 || policies_are_fresh(state, policies_fd);
}
