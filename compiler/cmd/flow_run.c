/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Connections decided by the compiled programs in this kernel: for matrix and test. */
#include <string.h>

#include "../backend/run.h"
#include "flow.h"

int polc_flow_run_open(struct polc_cmd *cmd, struct polc_run **out)
{
	const struct polc_plan *plan = polc_plan_build(&cmd->polc, cmd->network, cmd->identities);
	const struct polc_build_options build_options = {
		.dialect = (enum polc_dialect)cmd->dialect,
		.cluster_name = cmd->cluster_name,
	};

	if (!plan)
		return POLC_EXIT_BAD;
	if (polc_run_open(&cmd->polc, plan, &build_options, out) < 0)
		return POLC_EXIT_ENVIRONMENT;
	return POLC_EXIT_OK;
}

static int run_side(struct polc_run *run, const struct polc_flow *flow,
	enum polc_direction direction, struct polc_side *side)
{
	const struct polb_addr *local =
		direction == POLC_EGRESS ? &flow->src_addr : &flow->dst_addr;
	struct polc_run_answer answer;

	*side = (struct polc_side){.verdict = POLB_VERDICT_ALLOW};
	if (!polc_flow_governed(flow, direction))
		return 0;
	struct polc_question question = polc_flow_question(flow, direction);
	int result = polc_run_ask(run, &question, local, &answer);

	if (!result)
		*side = (struct polc_side){true, answer.verdict, answer.rule_known, answer.rule};
	return result;
}

int polc_flow_run(
	struct polc_run *run, const struct polc_flow *flow, struct polc_flow_answer *answer)
{
	int result = run_side(run, flow, POLC_EGRESS, &answer->side[POLC_EGRESS]);

	if (!result)
		result = run_side(run, flow, POLC_INGRESS, &answer->side[POLC_INGRESS]);
	polc_flow_conclude(answer);
	return result;
}
