/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Rules that make no difference, over all connections that are possible (reach.h): what others deny
 * or decide before them, and what is said twice.
 */
#include "lint_network.h"
#include "reach.h"

#define COVER_MAX 8
#define STEPS_MAX ((uint64_t)1 << 25) /* about two seconds, for sets that are made to be hard */

/* A rule without which every verdict is the same. */
struct idle {
	bool found, reported;
	uint32_t cover[COVER_MAX]; /* rules that decide the same without it */
	size_t n_cover;
};

struct idleness {
	const struct polc_network_lint *l;
	struct polc_reach *reach;
	struct idle *rules; /* by rule */
	uint32_t n_open;    /* rules about which the search was given up */
	uint32_t first_open;
};

static const struct polc_net_rule *rule_at(const struct idleness *all, uint32_t rule)
{
	return &all->l->network->rules[rule];
}

/* "shop/web -> shop/db on tcp/80", as a sentence's end. */
static const char *example(const struct idleness *all, uint32_t a, uint32_t b)
{
	struct polc_witness w;
	bool egress;

	if (polc_reach_rules_meet(all->reach, 0, a, b, &w) != POLC_YES)
		return "";
	egress = w.direction == POLC_EGRESS;
	return polc_arena_printf(all->l->arena, "; for example %s to %s on %s",
		egress ? w.subject.text : w.peer.text, egress ? w.peer.text : w.subject.text,
		w.port_text);
}

static bool is_ordered(const struct idleness *all, uint32_t rule)
{
	return all->l->network->policies[rule_at(all, rule)->policy].tier != POLC_TIER_MIDDLE;
}

static const char *cover_word(const struct idleness *all, const struct idle *idle)
{
	static const char *const verbs[] = {"allows", "denies", "passes on"};

	return verbs[rule_at(all, idle->cover[0])->action];
}

static void relate_cover(
	const struct idleness *all, const struct idle *idle, struct polc_diagnostic *d)
{
	for (size_t i = 0; i < idle->n_cover && i < POLC_ARRAY_SIZE(d->related); i++) {
		const struct polc_net_rule *rule = rule_at(all, idle->cover[i]);

		polc_diagnostic_relate(all->l->polc, d, rule->span, "this rule of '%s' %s it",
			all->l->network->policies[rule->policy].name, cover_word(all, idle));
	}
}

/*
 * A rule of the cover with the other verdict, put first: of rules without an order one says yes and
 * one says no. Where rules have an order, the earlier one is meant to win.
 */
static bool find_contradiction(const struct idleness *all, uint32_t rule, struct idle *idle)
{
	for (size_t i = 0; i < idle->n_cover; i++) {
		uint32_t other = idle->cover[i];

		if (is_ordered(all, rule) || is_ordered(all, other) ||
			rule_at(all, other)->action == rule_at(all, rule)->action)
			continue;
		idle->cover[i] = idle->cover[0];
		idle->cover[0] = other;
		return true;
	}
	return false;
}

static void report_idle(const struct idleness *all, uint32_t rule)
{
	struct idle *idle = &all->rules[rule];
	const struct polc_net_rule *r = rule_at(all, rule);
	bool decides = polc_reach_rule_decides(all->reach, 0, rule, NULL) != POLC_NO;
	bool contradicted = !decides && find_contradiction(all, rule, idle);
	const char *witness = example(all, rule, idle->cover[0]);
	struct polc_diagnostic *d;

	if (contradicted)
		d = polc_lint_report(all->l->polc, r->span, POLC_CODE_CONTRADICTORY_RULES,
			"nothing comes of this rule: another one %s all of it%s",
			cover_word(all, idle), witness);
	else if (!decides)
		d = polc_lint_report(all->l->polc, r->span, POLC_CODE_SHADOWED_RULE,
			"this rule never decides: others come first for all of it%s", witness);
	else
		d = polc_lint_report(all->l->polc, r->span, POLC_CODE_REDUNDANT_RULE,
			"without this rule nothing would change: others say all of it%s", witness);
	relate_cover(all, idle, d);
	idle->reported = true;
}

/*
 * A denial of what nothing allows yet guards against later rules; a permission that no isolation
 * asks for may be there for policies elsewhere. Neither is worth a word. Nor is a rule that is only
 * idle because of one that is reported already: of several that say the same, the first remains.
 */
static bool is_worth_a_word(const struct idleness *all, uint32_t rule)
{
	const struct idle *idle = &all->rules[rule];

	if (!idle->found || !idle->n_cover)
		return false;
	for (size_t i = 0; i < idle->n_cover; i++)
		if (all->rules[idle->cover[i]].reported)
			return false;
	return true;
}

static void ask(struct idleness *all, uint32_t rule)
{
	struct idle *idle = &all->rules[rule];
	const struct polc_net_rule *r = rule_at(all, rule);

	if (!r->n_selectors || !r->n_ports)
		return;
	switch (polc_reach_rule_matters(
		all->reach, 0, rule, NULL, idle->cover, COVER_MAX, &idle->n_cover)) {
	case POLC_YES:
		return;
	case POLC_NO:
		idle->found = true;
		return;
	case POLC_UNKNOWN:
		all->first_open = all->n_open++ ? all->first_open : rule;
		return;
	}
}

static void report_open(const struct idleness *all)
{
	struct polc_diagnostic *d;

	if (!all->n_open)
		return;
	d = polc_lint_report(all->l->polc, rule_at(all, all->first_open)->span,
		POLC_CODE_REDUNDANT_RULE,
		"whether this rule makes a difference was not found out: the search was given up");
	if (all->n_open > 1)
		d->message = polc_arena_printf(all->l->arena, "%s, as for %u other%s", d->message,
			all->n_open - 1, all->n_open > 2 ? "s" : "");
}

static bool wanted(const struct polc *polc)
{
	return polc_level_wanted(polc, POLC_CODE_SHADOWED_RULE) ||
	       polc_level_wanted(polc, POLC_CODE_REDUNDANT_RULE) ||
	       polc_level_wanted(polc, POLC_CODE_CONTRADICTORY_RULES);
}

void polc_lint_reach(const struct polc_network_lint *l)
{
	uint32_t n = (uint32_t)l->network->n_rules;
	struct idleness all = {.l = l};

	if (!wanted(l->polc))
		return;
	all.reach = polc_reach_new(
		l->arena, &l->network, 1, l->context->has_inventory ? l->identities : NULL);
	polc_reach_limit(all.reach, STEPS_MAX);
	all.rules = POLC_NEW_ARRAY(l->arena, n, struct idle);
	for (uint32_t i = 0; i < n; i++)
		ask(&all, i);
	for (uint32_t i = n; i-- > 0;)
		if (is_worth_a_word(&all, i))
			report_idle(&all, i);
	report_open(&all);
}
