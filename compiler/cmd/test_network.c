/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Connections of tests: asked of the evaluator, and of the compiled programs with --engine bpf. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* One connection of a case, and what decides it. */
struct asked {
	struct polc_test_run *run;
	struct polc_test_world *world;
	const struct polc_ast_case *one;
	struct polc_test_result *result;
	struct polc_party src, dst;
	struct polc_flow flow;
	struct polc_flow_answer answer; /* of the evaluator */
	struct polc_decision decision[2];
};

static const char *const direction_names[] = {[POLC_INGRESS] = "ingress", [POLC_EGRESS] = "egress"};

static struct polc_arena *arena_of(const struct asked *a)
{
	return &a->run->cmd.polc.arena;
}

/* How it was decided, for people */

static const char *policy_text(struct asked *a, const struct polc_net_policy *policy)
{
	return polc_arena_printf(arena_of(a), "%s %s%s%s (%s)", polc_policy_kind_name(policy->kind),
		policy->namespace ? policy->namespace : "", policy->namespace ? "/" : "",
		policy->name, polc_test_place(a->run, policy->span));
}

static bool selects(
	struct asked *a, const struct polc_net_policy *policy, enum polc_direction direction)
{
	const struct polc_endpoint *endpoint =
		(direction == POLC_EGRESS ? a->flow.src : a->flow.dst)->endpoint;
	const struct polc_identity *identity =
		&a->world->identities->identities.items[endpoint->identity];
	const struct polb_identity_view view = {
		.kinds = identity->kinds,
		.labels = identity->labels,
		.n_labels = identity->n_labels,
		.ports = identity->ports,
		.n_ports = identity->n_ports,
	};

	for (size_t i = 0; i < policy->n_subjects; i++)
		if (polb_selector_matches(
			    &a->world->network->selectors[policy->subjects[i]], &view))
			return true;
	return false;
}

/* The first policy from `*next` on that isolates the endpoint; NULL: none. */
static const struct polc_net_policy *isolating(
	struct asked *a, enum polc_direction direction, size_t *next)
{
	const struct polc_network *network = a->world->network;

	for (; *next < network->n_policies; ++*next) {
		const struct polc_net_policy *policy = &network->policies[*next];

		if (policy->isolates[direction] && selects(a, policy, direction)) {
			++*next;
			return policy;
		}
	}
	return NULL;
}

static const char *why(struct asked *a, enum polc_direction direction)
{
	const struct polc_side *side = &a->answer.side[direction];
	const struct polc_net_policy *policy;
	size_t next = 0;

	if (side->rule >= POLB_RULE_FIRST) {
		const struct polc_net_rule *rule =
			&a->world->network->rules[side->rule - POLB_RULE_FIRST];

		return polc_arena_printf(arena_of(a), "by the rule at %s of %s",
			polc_cmd_rule_text(&a->run->cmd, side->rule),
			policy_text(a, &a->world->network->policies[rule->policy]));
	}
	if (side->rule != POLB_RULE_DEFAULT_DENY)
		return polc_reserved_rule_name(side->rule);
	policy = isolating(a, direction, &next);
	if (!policy)
		return "default-deny: the posture isolates it";
	return polc_arena_printf(arena_of(a),
		"default-deny: isolated by %s, and no rule allows this", policy_text(a, policy));
}

static const char *side_text(struct asked *a, enum polc_direction direction)
{
	const struct polc_side *side = &a->answer.side[direction];
	const struct polc_party *party = direction == POLC_EGRESS ? a->flow.src : a->flow.dst;

	return polc_arena_printf(arena_of(a), "%s %s %s: %s", direction_names[direction],
		direction == POLC_EGRESS ? "from" : "to", party->text,
		side->governed ? polc_arena_printf(arena_of(a), "%s, %s",
					 polc_verdict_name(side->verdict), why(a, direction))
			       : "not governed");
}

static void relate_side(struct asked *a, struct polc_diagnostic *d, enum polc_direction direction)
{
	const struct polc_side *side = &a->answer.side[direction];
	const struct polc_net_policy *policy;
	size_t next = 0;

	if (!side->governed)
		return;
	if (side->rule >= POLB_RULE_FIRST) {
		polc_diagnostic_relate(&a->run->cmd.polc, d,
			a->world->network->rules[side->rule - POLB_RULE_FIRST].span,
			"%s: this rule says %s", direction_names[direction],
			polc_verdict_name(side->verdict));
		return;
	}
	policy = side->rule == POLB_RULE_DEFAULT_DENY ? isolating(a, direction, &next) : NULL;
	if (policy)
		polc_diagnostic_relate(&a->run->cmd.polc, d, policy->span,
			"%s: isolated by this policy, and no rule allows this",
			direction_names[direction]);
}

/* The expected rule */

static bool is_place(const char *text)
{
	const char *colon = strrchr(text, ':');

	return colon && colon[1] && !colon[1 + strspn(colon + 1, "0123456789")];
}

/* "web.yaml:12" is "policies/web.yaml:12" too. */
static bool same_place(const char *written, const char *place)
{
	size_t n = strlen(written), m = strlen(place);

	return n <= m && !strcmp(place + m - n, written) && (n == m || place[m - n - 1] == '/');
}

static bool is_policy(const struct polc_net_policy *policy, const char *text)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : 0;

	if (!policy->namespace)
		return !strcmp(policy->name, text);
	return slash && strlen(policy->namespace) == n && !memcmp(policy->namespace, text, n) &&
	       !strcmp(policy->name, slash + 1);
}

static bool rule_is(struct asked *a, uint32_t id, const char *text)
{
	const char *reserved = polc_reserved_rule_name(id);

	if (reserved)
		return !strcmp(reserved, text);
	if (is_place(text))
		return same_place(text, polc_cmd_rule_text(&a->run->cmd, id));
	return is_policy(
		&a->world->network->policies[a->world->network->rules[id - POLB_RULE_FIRST].policy],
		text);
}

/* By one of its deciding rules, or for default-deny by a policy that isolates. */
static bool side_is_by(struct asked *a, enum polc_direction direction, const char *text)
{
	const struct polc_decision *decision = &a->decision[direction];
	const struct polc_net_policy *policy;
	size_t next = 0;

	if (!a->answer.side[direction].governed)
		return false;
	if (rule_is(a, decision->rule, text))
		return true;
	for (size_t i = 0; i < decision->n_candidates; i++)
		if (rule_is(a, decision->candidates[i], text))
			return true;
	if (decision->rule == POLB_RULE_DEFAULT_DENY)
		while ((policy = isolating(a, direction, &next)))
			if (is_policy(policy, text))
				return true;
	return false;
}

static bool decided_by(struct asked *a, const char *text)
{
	enum polb_verdict verdict = a->answer.verdict;
	bool found = false;

	for (unsigned d = 0; d < 2; d++)
		found |= a->answer.side[d].verdict == verdict &&
			 side_is_by(a, (enum polc_direction)d, text);
	return found;
}

static bool reserved_rule_known(const char *text)
{
	for (uint32_t id = 0; id < POLB_RULE_FIRST; id++)
		if (!strcmp(polc_reserved_rule_name(id), text))
			return true;
	return false;
}

/* False (reported) when nothing could ever be decided by it. */
static bool check_rule(struct asked *a, const struct polc_ast_text *text)
{
	const struct polc_network *network = a->world->network;
	const char **names = POLC_NEW_ARRAY(arena_of(a), network->n_policies + 2, const char *),
		   *near;
	struct polc_diagnostic *d;
	bool found = reserved_rule_known(text->text), place = is_place(text->text);

	for (uint32_t i = 0; place && i < network->n_rules; i++)
		found |= rule_is(a, POLB_RULE_FIRST + i, text->text);
	for (size_t i = 0; i < network->n_policies; i++) {
		const struct polc_net_policy *policy = &network->policies[i];

		found |= is_policy(policy, text->text);
		names[i] = policy->namespace ? polc_arena_printf(arena_of(a), "%s/%s",
						       policy->namespace, policy->name)
					     : policy->name;
	}
	if (found)
		return true;
	d = polc_error(&a->run->cmd.polc, text->span, POLC_CODE_BAD_TEST,
		place ? "no rule begins at %.80s"
		      : "'%.80s' is neither a policy of this test, nor FILE:LINE of a rule, nor a "
			"reason such as default-deny",
		text->text);
	names[network->n_policies] = "default-deny";
	names[network->n_policies + 1] = "default-allow";
	near = place ? NULL : polc_nearest(text->text, names, network->n_policies + 2);
	if (near)
		polc_diagnostic_suggest(&a->run->cmd.polc, d, "did you mean '%s'?", near);
	return false;
}

/* Expected and actual */

static bool verdict_differs(enum polc_expected_verdict expected, enum polb_verdict actual)
{
	static const enum polb_verdict verdicts[] = {[POLC_EXPECT_ALLOW] = POLB_VERDICT_ALLOW,
		[POLC_EXPECT_DENY] = POLB_VERDICT_DENY,
		[POLC_EXPECT_AUDIT] = POLB_VERDICT_AUDIT};

	return expected && verdicts[expected] != actual;
}

static void add_word(struct polc_buf *out, const char *before, const char *word)
{
	polc_buf_printf(out, "%s%s%s", out->n ? ", " : "", before, word);
}

static const char *expected_text(const struct asked *a)
{
	struct polc_buf out = {.arena = arena_of(a)};

	if (a->one->verdict)
		add_word(&out, "", polc_expected_verdicts[a->one->verdict]);
	for (unsigned d = 0; d < 2; d++)
		if (a->one->side[d])
			add_word(&out, polc_arena_printf(arena_of(a), "%s ", direction_names[d]),
				polc_expected_verdicts[a->one->side[d]]);
	if (a->one->rule.text)
		polc_buf_printf(&out, "%sby %s", out.n ? " " : "", a->one->rule.text);
	return out.p;
}

static const char *actual_text(const struct asked *a)
{
	const struct polc_side *side = polc_flow_deciding_side(&a->answer);
	struct polc_buf out = {.arena = arena_of(a)};

	polc_buf_puts(&out, polc_verdict_name(a->answer.verdict));
	for (unsigned d = 0; d < 2; d++)
		if (a->one->side[d])
			add_word(&out, polc_arena_printf(arena_of(a), "%s ", direction_names[d]),
				polc_verdict_name(a->answer.side[d].verdict));
	if (side)
		polc_buf_printf(&out, " by %s", polc_cmd_rule_text(&a->run->cmd, side->rule));
	return out.p;
}

static bool as_expected(struct asked *a)
{
	if (verdict_differs(a->one->verdict, a->answer.verdict))
		return false;
	for (unsigned d = 0; d < 2; d++)
		if (verdict_differs(a->one->side[d], a->answer.side[d].verdict))
			return false;
	return !a->one->rule.text || decided_by(a, a->one->rule.text);
}

static void describe(struct asked *a)
{
	const struct polc_side *side = polc_flow_deciding_side(&a->answer);

	a->result->expected = expected_text(a);
	a->result->actual = actual_text(a);
	a->result->rule = side ? polc_cmd_rule_text(&a->run->cmd, side->rule) : "not-governed";
	*polc_vec_push(arena_of(a), &a->result->details) = side_text(a, POLC_EGRESS);
	*polc_vec_push(arena_of(a), &a->result->details) = side_text(a, POLC_INGRESS);
}

static void fail(struct asked *a)
{
	struct polc_diagnostic *d = polc_test_fail(a->run, a->result);

	relate_side(a, d, POLC_EGRESS);
	relate_side(a, d, POLC_INGRESS);
}

/* The engines */

static void evaluate(struct asked *a)
{
	for (unsigned d = 0; d < 2; d++) {
		struct polc_side *side = &a->answer.side[d];
		struct polc_decision *decision = &a->decision[d];

		*side = (struct polc_side){.verdict = POLB_VERDICT_ALLOW};
		if (!polc_flow_governed(&a->flow, (enum polc_direction)d))
			continue;
		polc_flow_decide(
			&a->run->cmd, arena_of(a), &a->flow, (enum polc_direction)d, decision);
		*side = (struct polc_side){true, decision->verdict, true, decision->rule};
		for (size_t i = 0; i < decision->n_candidates; i++)
			if (decision->candidates[i] >= POLB_RULE_FIRST)
				a->world->rule_hits[decision->candidates[i] - POLB_RULE_FIRST]++;
	}
	polc_flow_conclude(&a->answer);
}

static bool sides_agree(const struct polc_side *a, const struct polc_side *b)
{
	return a->verdict == b->verdict && (!b->rule_known || a->rule == b->rule);
}

static const char *engine_text(struct asked *a, const struct polc_side *side)
{
	return polc_arena_printf(arena_of(a), "%s by %s", polc_verdict_name(side->verdict),
		side->rule_known ? polc_cmd_rule_text(&a->run->cmd, side->rule) : "unknown");
}

/* True when the compiled programs say the same; else reported. */
static bool programs_agree(struct asked *a)
{
	struct polc_flow_answer answer = {0};

	if (polc_flow_run(a->world->run, &a->flow, &answer)) {
		a->run->environment = true;
		polc_test_error(a->run, a->result, "the compiled programs could not be asked");
		return false;
	}
	for (unsigned d = 0; d < 2; d++) {
		if (sides_agree(&a->answer.side[d], &answer.side[d]))
			continue;
		a->result->expected = polc_arena_printf(arena_of(a), "%s %s (evaluator)",
			direction_names[d], engine_text(a, &a->answer.side[d]));
		a->result->actual = polc_arena_printf(arena_of(a), "%s %s (compiled programs)",
			direction_names[d], engine_text(a, &answer.side[d]));
		fail(a);
		return false;
	}
	return true;
}

static void ask(struct asked *a)
{
	evaluate(a);
	describe(a);
	if (a->run->engine == POLC_TEST_BPF && !programs_agree(a))
		return;
	if (as_expected(a))
		polc_test_pass(a->run, a->result);
	else
		fail(a);
}

/* One question */

static bool opened(struct asked *a)
{
	struct polc_test_world *world = a->world;
	int exit_code;

	if (a->run->engine != POLC_TEST_BPF || world->run)
		return true;
	if (!world->run_failed) {
		exit_code = polc_flow_run_open(&a->run->cmd, &world->run);
		world->run_failed = exit_code != POLC_EXIT_OK;
		a->run->environment |= exit_code == POLC_EXIT_ENVIRONMENT;
	}
	return !world->run_failed;
}

/* Each side may need the other to know which node is local: find what stands on its own first. */
static bool find_parties(
	struct asked *a, const struct polc_ast_text *from, const struct polc_ast_text *to)
{
	struct polc_cmd *cmd = &a->run->cmd;
	bool entity_first = !strpbrk(from->text, "/:") && strpbrk(to->text, "/:");

	if (entity_first)
		return polc_party_find(cmd, to->text, NULL, to->span, &a->dst) &&
		       polc_party_find(cmd, from->text, &a->dst, from->span, &a->src);
	return polc_party_find(cmd, from->text, NULL, from->span, &a->src) &&
	       polc_party_find(cmd, to->text, &a->src, to->span, &a->dst);
}

static bool make_flow(struct asked *a, const struct polc_ast_text *from,
	const struct polc_ast_text *to, const struct polc_ast_text *port)
{
	struct polc *polc = &a->run->cmd.polc;
	struct polc_service_port service;

	if (!polc_service_port_parse(port->text, &service)) {
		polc_error(polc, port->span, POLC_CODE_BAD_TEST,
			"'%.40s' is not like tcp/80, icmp/8 or ip/47", port->text);
		return false;
	}
	if (!find_parties(a, from, to) || (a->one->rule.text && !check_rule(a, &a->one->rule)))
		return false;
	if (!polc_flow_make(&a->src, &a->dst, service, &a->flow)) {
		polc_error(polc, a->one->span, POLC_CODE_BAD_TEST,
			"'%s' and '%s' have no addresses of one family for %s", a->src.text,
			a->dst.text, port->text);
		return false;
	}
	return true;
}

static void question(struct polc_test_run *run, struct polc_test_world *world,
	const struct polc_ast_test *test, const struct polc_ast_case *one, const size_t at[3])
{
	const struct polc_ast_text *from = &one->from.items[at[0]], *to = &one->to.items[at[1]];
	const struct polc_ast_text *port = &one->ports.items[at[2]];
	struct asked a = {.run = run, .world = world, .one = one};

	a.result = polc_test_begin(run, test, one,
		polc_arena_printf(
			&run->cmd.polc.arena, "%s -> %s %s", from->text, to->text, port->text));
	if (!a.result)
		return;
	if (!world)
		polc_test_error(run, a.result, "the policies or the inventory have errors");
	else if (!make_flow(&a, from, to, port))
		polc_test_error(run, a.result, "the question has errors");
	else if (!opened(&a))
		polc_test_error(run, a.result, "the programs could not be compiled");
	else
		ask(&a);
}

void polc_test_connections(struct polc_test_run *run, struct polc_test_world *world,
	const struct polc_ast_test *test, const struct polc_ast_case *one)
{
	for (size_t i = 0; i < one->from.n; i++)
		for (size_t j = 0; j < one->to.n; j++)
			for (size_t k = 0; k < one->ports.n; k++)
				question(run, world, test, one, (const size_t[]){i, j, k});
}
