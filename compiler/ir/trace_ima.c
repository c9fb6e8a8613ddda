/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* LSM hooks of which a file's hash can be told (imaHash, reference 1.6). */
#include <string.h>

#include "tracing.h"

/*
 * Hooks that may sleep (the kernel's sleepable_lsm_hooks) and whose first parameter is a file or a
 * linux_binprm.
 */
const struct polc_ima_hook *polc_ima_hook(const char *name)
{
	static const struct polc_ima_hook hooks[] = {
		{"bprm_check_security", true},
		{"bprm_committed_creds", true},
		{"bprm_committing_creds", true},
		{"bprm_creds_for_exec", true},
		{"bprm_creds_from_file", true},
		{"file_ioctl", false},
		{"file_lock", false},
		{"file_open", false},
		{"file_post_open", false},
		{"file_receive", false},
		{"mmap_file", false},
	};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(hooks); i++)
		if (!strcmp(hooks[i].name, name))
			return &hooks[i];
	return NULL;
}

bool polc_trace_takes_hash(const struct polc_trace_selector *selector)
{
	for (size_t i = 0; i < selector->actions.n; i++)
		if (selector->actions.items[i].ima_hash)
			return true;
	return false;
}
