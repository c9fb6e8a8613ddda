/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* remove: nothing is enforced from one store on, then everything of the name is taken away. */
#include "loader.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/cleanup.h"
#include "runtime/instance.h"

static int stop(const char *name)
{
	POLB_FD control_fd = pold_pin_get(POLD_ROOT "/%s/control", name);
	uint32_t generation, epoch;
	int err;

	if (control_fd < 0)
		return control_fd == -ENOENT ? 0 : control_fd;
	err = polb_control_load(control_fd, &generation, &epoch);
	return err ? err : polb_control_store(control_fd, 0, polb_epoch_next(epoch));
}

int pold_name_remove(const char *name)
{
	POLB_FREE uint32_t *numbers = NULL;
	POLB_FD readers_fd = -1;
	char path[POLD_PATH];
	size_t n = 0;
	int err = pold_generations(name, &numbers, &n);

	if (!err)
		err = stop(name);
	readers_fd = pold_readers_keep_off(name);
	for (size_t i = 0; !err && i < n; i++)
		err = pold_generation_remove(name, numbers[i]);
	if (err)
		return err;
	pold_path(path, POLD_ROOT "/%s", name);
	err = pold_directory_remove(path);
	if (!err)
		pold_root_drop();
	return err;
}

int pold_cmd_remove(const struct pold_options *options)
{
	POLB_FD lock_fd = -1;
	int code = pold_options_arguments(options, 0, 0, "remove [--name NAME]");
	struct stat root;
	int err;

	if (!code)
		code = pold_privileged();
	if (code || (stat(POLD_ROOT, &root) && errno == ENOENT))
		return code; /* nothing is applied: nothing is made for that */
	pold_signals_catch();
	code = pold_root_open(&lock_fd, true, true);
	if (code)
		return code;
	err = pold_name_remove(options->name);
	pold_root_drop();
	if (err && err != -ENOENT)
		return pold_fail(
			POLD_ENVIRONMENT, "cannot remove %s: %s", options->name, strerror(-err));
	return POLD_OK;
}
