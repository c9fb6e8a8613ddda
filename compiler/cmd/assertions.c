/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Assertions of what a command loaded: for check and build. */
#include "../analysis/assert.h"
#include "cmd.h"

void polc_cmd_check_assertions(struct polc_cmd *cmd)
{
	const struct polc_assert_context context = {
		.polc = &cmd->polc,
		.input = &cmd->input,
		/* what is in audit mode keeps no promise */
		.network = polc_network_view(&cmd->polc.arena, cmd->network, POLC_VIEW_ENFORCED),
		.identities = cmd->identities,
		.tracing = cmd->tracing,
	};

	polc_assert_check(&context);
}
