/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* mode: audit or enforce, from the next packet on (the epoch makes cached verdicts be decided
 * again). */
#include "loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "runtime/cleanup.h"

static int set_mode(const struct pold_state *state, uint32_t mode)
{
	POLB_FD fd = pold_state_map(state, "polt_config");
	struct polb_config config;
	__u32 zero = 0;

	if (fd < 0)
		return fd;
	if (bpf_map_lookup_elem(fd, &zero, &config))
		return -errno;
	config.mode = mode;
	return bpf_map_update_elem(fd, &zero, &config, BPF_ANY) ? -errno : 0;
}

int pold_cmd_mode(const struct pold_options *options)
{
	POLD_STATE state = POLD_STATE_INIT;
	int code = pold_options_arguments(options, 1, 1, "mode audit|enforce [--name NAME]"), err;
	bool audit;

	if (code)
		return code;
	audit = strcmp(options->arguments[0], "audit") == 0;
	if (!audit && strcmp(options->arguments[0], "enforce") != 0)
		return pold_fail(POLD_USAGE, "mode: \"%s\" is neither audit nor enforce",
			options->arguments[0]);
	code = pold_state_open(&state, options->name, true);
	if (code)
		return code;
	err = set_mode(&state, audit);
	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot set the mode: %s", strerror(-err));
	return pold_state_bump(&state);
}
