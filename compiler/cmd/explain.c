/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * `polc explain`: how one connection is decided: both directions, tier by tier, the policies that
 * select the endpoint and those of their rules that match, which of them decides and why. With
 * --plan: where policies are hooked, by which mechanism and why. (--tetragon-delta:
 * explain_delta.c; --call: explain_call.c)
 */
#include <stdlib.h>
#include <string.h>

#include "../backend/bundle.h"
#include "../ir/labels.h"
#include "explain.h"

struct explain {
	struct polc_cmd cmd;
	const char *from, *to, *port;
	bool plan, tetragon_delta;
	const char *call;
	polc_text_list with;
};

enum { FORMAT_TEXT, FORMAT_JSON };
static const char *const formats[] = {"text", "json", NULL};

static const struct polc_option options[] = {
	POLC_CMD_POLICY_OPTIONS,
	POLC_CMD_MODE_OPTIONS,
	{"from", 0, POLC_OPTION_TEXT, offsetof(struct explain, from), "WHO", NULL,
		"namespace/pod, node:NAME, an address, an entity or ns:k=v,k=v"},
	{"to", 0, POLC_OPTION_TEXT, offsetof(struct explain, to), "WHO", NULL, "likewise"},
	{"port", 'p', POLC_OPTION_TEXT, offsetof(struct explain, port), "PORT", NULL,
		"tcp/80, udp/53, sctp/9, icmp/8, icmpv6/128, ip/47"},
	{"plan", 0, POLC_OPTION_FLAG, offsetof(struct explain, plan), NULL, NULL,
		"print how policies are carried out: hooks, reasons, lookups, memory, cost"},
	{"tetragon-delta", 0, POLC_OPTION_FLAG, offsetof(struct explain, tetragon_delta), NULL,
		NULL, "print where these tracing policies mean something else to Tetragon"},
	{"call", 0, POLC_OPTION_TEXT, offsetof(struct explain, call), "HOOK", NULL,
		"what tracing policies make of a call: \"kprobe cap_capable\", \"lsm file_open\""},
	{"with", 0, POLC_OPTION_LIST, offsetof(struct explain, with), "KEY=VALUE", NULL,
		"what is known of the call: arg0=..., return=..., binary=..., pid=..."},
	{"format", 0, POLC_OPTION_CHOICE, offsetof(struct explain, cmd.format), NULL, formats,
		"how the explanation is printed"},
};

static const struct polc_command command = {
	.name = "explain",
	.synopsis = "POLICY... --inventory FILE --from WHO --to WHO --port tcp/80 | --call HOOK "
		    "--with KEY=VALUE... | --plan | --tetragon-delta",
	.summary = "Shows how a connection or call is decided, rule by rule; or how policies are "
		   "hooked",
	.options = options,
	.n_options = POLC_ARRAY_SIZE(options),
	.min_operands = 0, /* of --tetragon-delta; see run() */
	.max_operands = SIZE_MAX,
};

static bool selects(const struct polc_network *network, const struct polc_net_policy *policy,
	const struct polb_identity_view *view)
{
	for (size_t i = 0; i < policy->n_subjects; i++)
		if (polb_selector_matches(&network->selectors[policy->subjects[i]], view))
			return true;
	return false;
}

static int compare_policies(const void *a, const void *b)
{
	const struct polc_explained_policy *x = a, *y = b;

	return polc_policy_compare_order(x->policy, y->policy);
}

/* The rules of the trace that belong to one policy, in the order of the trace. */
static void add_matches(struct polc_cmd *cmd, const struct polc_decision *decision,
	struct polc_explained_policy *explained)
{
	for (size_t i = 0; i < decision->trace.n; i++) {
		const struct polc_match *match = &decision->trace.items[i];

		if (match->rule - explained->policy->first_rule < explained->policy->n_rules)
			*polc_vec_push(&cmd->polc.arena, &explained->matches) = *match;
	}
}

static unsigned count_rules(const struct polc_network *network,
	const struct polc_net_policy *policy, enum polc_direction direction)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < policy->n_rules; i++)
		n += network->rules[policy->first_rule + i].direction == direction;
	return n;
}

static void add_policies(struct polc_cmd *cmd, const struct polc_question *question,
	struct polc_explained_side *side)
{
	const struct polc_identity *identity =
		&cmd->identities->identities.items[question->endpoint->identity];
	const struct polb_identity_view view = {
		.kinds = identity->kinds,
		.labels = identity->labels,
		.n_labels = identity->n_labels,
		.ports = identity->ports,
		.n_ports = identity->n_ports,
	};

	for (size_t i = 0; i < cmd->network->n_policies; i++) {
		const struct polc_net_policy *policy = &cmd->network->policies[i];

		if (!policy->selects[question->direction] || !selects(cmd->network, policy, &view))
			continue;
		struct polc_explained_policy *explained =
			polc_vec_push(&cmd->polc.arena, &side->policies);

		*explained = (struct polc_explained_policy){.policy = policy,
			.isolates = policy->isolates[question->direction],
			.n_rules = count_rules(cmd->network, policy, question->direction)};
		add_matches(cmd, &side->decision, explained);
	}
	if (side->policies.n)
		qsort(side->policies.items, side->policies.n, sizeof(*side->policies.items),
			compare_policies);
}

static void explain_side(struct polc_cmd *cmd, const struct polc_flow *flow,
	enum polc_direction direction, struct polc_explained_side *side)
{
	*side = (struct polc_explained_side){
		.direction = direction,
		.party = direction == POLC_EGRESS ? flow->src : flow->dst,
		.governed = polc_flow_governed(flow, direction),
		.decision.verdict = POLB_VERDICT_ALLOW,
	};
	if (!side->governed)
		return;
	struct polc_question question = polc_flow_question(flow, direction);

	polc_flow_decide(cmd, &cmd->polc.arena, flow, direction, &side->decision);
	if (side->decision.rule != POLB_RULE_SELF && side->decision.rule != POLB_RULE_PROTOCOL_NEED)
		add_policies(cmd, &question, side);
}

/* Each side may need the other to know which node is local: find what stands on its own first. */
static bool find_parties(struct explain *explain, struct polc_party *src, struct polc_party *dst)
{
	struct polc_cmd *cmd = &explain->cmd;
	const struct polc_span nowhere = {0};
	bool entity_first = !strpbrk(explain->from, "/:") && strpbrk(explain->to, "/:");

	if (entity_first)
		return polc_party_find(cmd, explain->to, NULL, nowhere, dst) &&
		       polc_party_find(cmd, explain->from, dst, nowhere, src);
	return polc_party_find(cmd, explain->from, NULL, nowhere, src) &&
	       polc_party_find(cmd, explain->to, src, nowhere, dst);
}

static int explain_flow(struct explain *explain, struct polc_service_port port)
{
	struct polc_cmd *cmd = &explain->cmd;
	struct polc_explained_side sides[2];
	struct polc_party src, dst;
	struct polc_flow flow;

	if (!find_parties(explain, &src, &dst))
		return POLC_EXIT_BAD;
	if (!polc_flow_make(&src, &dst, port, &flow)) {
		polc_error(&cmd->polc, (struct polc_span){0}, POLC_CODE_QUESTION,
			"'%s' and '%s' have no addresses of one family for %s", src.text, dst.text,
			explain->port);
		return POLC_EXIT_BAD;
	}
	explain_side(cmd, &flow, POLC_EGRESS, &sides[POLC_EGRESS]);
	explain_side(cmd, &flow, POLC_INGRESS, &sides[POLC_INGRESS]);
	if (cmd->format == FORMAT_JSON)
		polc_explain_print_json(cmd, &flow, sides, stdout);
	else
		polc_explain_print_text(cmd, &flow, sides, stdout);
	return POLC_EXIT_OK;
}

static void plan_text(const struct polc_plan *network, const struct polc_tracing_plan *tracing,
	struct polc *polc, struct polc_buf *out)
{
	if (network)
		polc_plan_network_print(polc, network, false, out);
	if (tracing)
		polc_plan_tracing_print(tracing, polc, out);
}

/* The object of tracing, with the network as one more member. */
static void plan_json(const struct polc_plan *network, const struct polc_tracing_plan *tracing,
	struct polc *polc, struct polc_buf *out)
{
	struct polc_buf rest = {.arena = &polc->arena};

	if (tracing)
		polc_plan_tracing_json(tracing, polc, &rest);
	else
		polc_buf_puts(&rest, "{\"hooks\":[],\"domains\":[]}\n");
	if (!network) {
		polc_buf_puts(out, rest.p);
		return;
	}
	polc_buf_puts(out, "{\"network\":");
	polc_plan_network_print(polc, network, true, out);
	polc_buf_printf(out, ",%s", rest.p + 1);
}

static int explain_plan(struct explain *explain)
{
	struct polc_cmd *cmd = &explain->cmd;
	struct polc *polc = &cmd->polc;
	struct polc_buf text = {.arena = &polc->arena};
	int exit_code = polc_cmd_load(cmd);

	if (exit_code == POLC_EXIT_OK) {
		const struct polc_plan *network =
			cmd->input.ast.policies.n
				? polc_plan_build(polc, cmd->network, cmd->identities)
				: NULL;
		const struct polc_tracing_plan *tracing =
			polc_plan_tracing(polc, cmd->tracing, &cmd->tracing_options);

		if (polc->n_errors)
			exit_code = POLC_EXIT_BAD;
		else if (cmd->format == FORMAT_JSON)
			plan_json(network, tracing, polc, &text);
		else
			plan_text(network, tracing, polc, &text);
	}
	if (text.n)
		fwrite(text.p, 1, text.n, stdout);
	polc_cmd_print_diagnostics(cmd);
	return exit_code;
}

static int run_flow(struct explain *explain)
{
	struct polc_service_port port;

	if (!explain->from && !explain->to && !explain->port)
		return polc_cmd_usage_error(&explain->cmd,
			"nothing is asked: a connection (--from, --to, --port), a call (--call, "
			"--with), --plan or --tetragon-delta");
	if (!explain->from || !explain->to || !explain->port)
		return polc_cmd_usage_error(&explain->cmd, "--from, --to and --port are needed");
	if (!polc_service_port_parse(explain->port, &port))
		return polc_cmd_usage_error(&explain->cmd,
			"--port: '%s' is not like tcp/80, icmp/8 or ip/47", explain->port);
	int exit_code = polc_cmd_load(&explain->cmd);

	if (exit_code == POLC_EXIT_OK)
		exit_code = explain_flow(explain, port);
	polc_cmd_print_diagnostics(&explain->cmd);
	return exit_code;
}

/* Not about a connection. */
static int run_tracing(struct explain *explain)
{
	const char *option = explain->call   ? "--call"
			     : explain->plan ? "--plan"
					     : "--tetragon-delta";

	if (explain->plan + explain->tetragon_delta + (explain->call != NULL) > 1)
		return polc_cmd_usage_error(
			&explain->cmd, "--call, --plan and --tetragon-delta exclude each other");
	if (explain->from || explain->to || explain->port)
		return polc_cmd_usage_error(
			&explain->cmd, "%s goes without --from, --to and --port", option);
	if (explain->call)
		return polc_explain_call(&explain->cmd, explain->call, &explain->with,
			explain->cmd.format == FORMAT_JSON);
	return explain->plan ? explain_plan(explain)
			     : polc_explain_tetragon_delta(
				       &explain->cmd, explain->cmd.format == FORMAT_JSON);
}

static int run(struct explain *explain)
{
	if (!explain->cmd.operands.n && !explain->tetragon_delta)
		return polc_cmd_usage_error(&explain->cmd, "a file is missing; usage: polc %s %s",
			command.name, command.synopsis);
	if (explain->with.n && !explain->call)
		return polc_cmd_usage_error(&explain->cmd, "--with is for --call");
	if (explain->call || explain->plan || explain->tetragon_delta)
		return run_tracing(explain);
	return run_flow(explain);
}

int polc_cmd_explain(int argc, char **argv)
{
	struct explain explain = {0};
	int exit_code;

	if (polc_cmd_parse(&command, &explain, argc, argv, &exit_code))
		exit_code = run(&explain);
	polc_cmd_free(&explain);
	return exit_code;
}
