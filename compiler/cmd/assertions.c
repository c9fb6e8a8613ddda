/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Assertions of what a command loaded: for check and build. */
#include "../analysis/assert.h"
#include "cmd.h"

void polc_cmd_check_assertions(struct polc_cmd *cmd)
{
	const struct polc_assert_context context = {
		.polc = &cmd->polc,
		.input = &cmd->input,
		.network = cmd->network,
		.identities = cmd->identities,
		.tracing = cmd->tracing,
	};

	polc_assert_check(&context);
}
