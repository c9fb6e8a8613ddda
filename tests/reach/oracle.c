// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Is analysis/reach.h exact? Random pairs of policy sets; every yes comes with a witness that the
 * evaluator confirms (POLC_BUG otherwise), and no sampled connection may contradict a no.
 *
 *   reach-oracle [--seed S] [--pairs N] [--samples M] [--print]
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "networks.h"
#include "pair.h"
#include "sample.h"

struct totals {
	unsigned long pairs, unusable, regions, unknown, samples, changed, rules, idle, redundant,
		paths, no_paths, mistakes;
};

struct checking {
	uint64_t seed;
	struct rng rng;
	unsigned n_samples;
	struct polc_arena arena;
	struct subject subjects[2];
	struct asker askers[2];
	const struct polc_network *networks[2];
	struct polc_reach *reach;
	struct polc_changes changes;
	struct totals *totals;
};

static void mistake(struct checking *c, const char *what, const struct polc_witness *witness)
{
	c->totals->mistakes++;
	printf("seed %llu: %s\n", (unsigned long long)c->seed, what);
	sample_print(witness, stdout);
}

/* --- changes -------------------------------------------------------------------------------- */

static bool is_decider(const struct polc_decision *decision, const struct polc_decider *decider)
{
	for (size_t i = 0; i < decision->n_candidates; i++)
		if (decision->candidates[i] == decider->rule)
			return true;
	return decision->rule == decider->rule;
}

static bool is_covered(
	const struct checking *c, const struct polc_decision *old, const struct polc_decision *new)
{
	for (size_t i = 0; i < c->changes.regions.n; i++) {
		const struct polc_changed_region *r = &c->changes.regions.items[i];
		if (r->verdict[0] == old->verdict &&
			r->verdict[1] == new->verdict &&is_decider(old, &r->decider[0]) &&
			is_decider(new, &r->decider[1]))
			return true;
	}
	return c->changes.unknown.n > 0;
}

static void check_change(struct checking *c, struct polc_arena *arena, const struct polc_witness *w)
{
	struct polc_decision old, new;

	polc_witness_decide(arena, c->networks[0], w, &old);
	polc_witness_decide(arena, c->networks[1], w, &new);
	if (old.verdict == new.verdict)
		return;
	c->totals->changed++;
	if (is_covered(c, &old, &new))
		return;
	mistake(c, "a changed decision is in no region", w);
	printf("  old %u by %u, new %u by %u\n", old.verdict, old.rule, new.verdict, new.rule);
}

/* --- rules ---------------------------------------------------------------------------------- */

struct answers {
	enum polc_answer *decides, *matters;
};

static void ask_rules(struct checking *c, struct answers *answers)
{
	size_t n = c->networks[0]->n_rules;
	struct polc_witness witness;
	uint32_t cover[8];
	size_t n_cover;

	answers->decides = POLC_NEW_ARRAY(&c->arena, n, enum polc_answer);
	answers->matters = POLC_NEW_ARRAY(&c->arena, n, enum polc_answer);
	for (uint32_t i = 0; i < n; i++) {
		witness = (struct polc_witness){0};
		answers->decides[i] = polc_reach_rule_decides(c->reach, 0, i, &witness);
		answers->matters[i] =
			polc_reach_rule_matters(c->reach, 0, i, &witness, cover, 8, &n_cover);
		c->totals->rules++;
		c->totals->idle += answers->decides[i] == POLC_NO;
		c->totals->redundant += answers->matters[i] == POLC_NO;
		c->totals->unknown += answers->decides[i] == POLC_UNKNOWN;
		c->totals->unknown += answers->matters[i] == POLC_UNKNOWN;
	}
}

static const struct polc_network *without_rule(
	struct polc_arena *arena, const struct polc_network *network, uint32_t rule)
{
	struct polc_network *out = POLC_NEW(arena, struct polc_network);
	struct polc_net_rule *rules = POLC_NEW_ARRAY(arena, network->n_rules, struct polc_net_rule);

	memcpy(rules, network->rules, network->n_rules * sizeof(*rules));
	rules[rule].n_selectors = 0;
	*out = *network;
	out->rules = rules;
	return out;
}

static void check_rules(struct checking *c, struct polc_arena *arena, const struct answers *answers,
	const struct polc_witness *w)
{
	const struct polc_network *network = c->networks[0];
	struct polc_decision decision, without;

	polc_witness_decide(arena, network, w, &decision);
	for (size_t i = 0; i < decision.n_candidates; i++)
		if (answers->decides[decision.candidates[i] - POLB_RULE_FIRST] == POLC_NO)
			mistake(c, "a rule decides that should not", w);
	for (size_t i = 0; i < decision.trace.n; i++) {
		uint32_t rule = decision.trace.items[i].rule;
		polc_witness_decide(arena, without_rule(arena, network, rule), w, &without);
		if (without.verdict == decision.verdict)
			continue;
		if (answers->decides[rule] == POLC_NO)
			mistake(c, "a rule that never decides made a difference", w);
		if (answers->matters[rule] == POLC_NO)
			mistake(c, "a rule matters that should not", w);
	}
}

/* --- paths ---------------------------------------------------------------------------------- */

struct path {
	struct polc_path_question question;
	enum polc_answer answer;
	struct polb_selector from[2], to[2];
	struct polc_port_range ports, except;
};

static struct polb_selector pick_selector(struct checking *c)
{
	static const uint32_t kinds[] = {POLB_KIND_ANY, POLB_KIND_POD, POLB_KIND_WORLD,
		POLB_KIND_NODE | POLB_KIND_HOST | POLB_KIND_REMOTE_NODE};
	const struct polc_network *network = c->networks[0];

	if (!network->n_selectors || rng_chance(&c->rng, 20))
		return (struct polb_selector){.kinds = kinds[rng_below(&c->rng, 4)]};
	return network->selectors[rng_below(&c->rng, (unsigned)network->n_selectors)];
}

static struct polc_port_range pick_ports(struct checking *c)
{
	static const uint8_t protocols[] = {6, 17, 132, 1, 58, 47};
	const struct asker *asker = &c->askers[0];
	uint16_t a = asker->ports.items[rng_below(&c->rng, (unsigned)asker->ports.n)];
	uint16_t b = asker->ports.items[rng_below(&c->rng, (unsigned)asker->ports.n)];

	return (struct polc_port_range){
		protocols[rng_below(&c->rng, 6)], a < b ? a : b, a < b ? b : a};
}

static bool party_matches(const struct polc_parties *parties, const struct polc_witness_party *p,
	const struct polc_witness_party *subject)
{
	struct polb_identity_view view = {.kinds = p->identity.kinds,
		.labels = p->identity.labels,
		.n_labels = p->identity.n_labels,
		.addr = p->addr};

	view.kinds = polb_kinds_localise(
		view.kinds, p->node && subject->node && !strcmp(p->node, subject->node));
	for (size_t i = 0; i < parties->n; i++)
		if (polb_selector_matches(&parties->selectors[i], &view))
			return true;
	return false;
}

static bool port_matches(const struct polc_port_range *r, const struct polc_witness *w)
{
	bool icmp = (w->protocol == 1 && w->peer.addr.family == 4) ||
		    (w->protocol == 58 && w->peer.addr.family == 6);

	if (r->protocol != w->protocol)
		return false;
	if (polc_protocol_bit(w->protocol) || icmp)
		return r->lo <= w->port && w->port <= r->hi;
	return w->protocol != 1 && w->protocol != 58;
}

/* Whether the connection is one that the question is about. */
static bool is_asked(const struct path *path, const struct polc_witness *w)
{
	const struct polc_path_question *q = &path->question;
	bool out = w->direction == POLC_EGRESS;

	return party_matches(&q->from, out ? &w->subject : &w->peer, &w->subject) &&
	       party_matches(&q->to, out ? &w->peer : &w->subject, &w->subject) &&
	       (!q->n_ports || port_matches(q->ports, w)) &&
	       !(q->n_except && port_matches(q->except, w));
}

static void ask_path(struct checking *c, struct path *path)
{
	struct polc_witness witness = {0};

	*path = (struct path){0};
	for (int i = 0; i < 2; i++) {
		path->from[i] = pick_selector(c);
		path->to[i] = pick_selector(c);
	}
	path->ports = pick_ports(c);
	path->except = pick_ports(c);
	path->question = (struct polc_path_question){
		.from = {path->from, 1 + rng_below(&c->rng, 2)},
		.to = {path->to, 1 + rng_below(&c->rng, 2)},
		.ports = &path->ports,
		.n_ports = rng_below(&c->rng, 2),
		.except = &path->except,
		.n_except = rng_below(&c->rng, 2),
		.verdict = rng_chance(&c->rng, 50) ? POLB_VERDICT_ALLOW : POLB_VERDICT_DENY};
	path->answer = polc_reach_path(c->reach, 0, &path->question, &witness);
	c->totals->paths++;
	c->totals->no_paths += path->answer == POLC_NO;
	c->totals->unknown += path->answer == POLC_UNKNOWN;
	if (path->answer == POLC_YES && !is_asked(path, &witness))
		mistake(c, "the witness of a path is not what was asked", &witness);
}

static enum polb_verdict decide_path(
	struct checking *c, struct polc_arena *arena, const struct polc_witness *w)
{
	struct polc_decision decision;
	struct polc_witness turned = *w;

	polc_witness_decide(arena, c->networks[0], w, &decision);
	if (decision.verdict != POLB_VERDICT_ALLOW || !w->peer.pod)
		return decision.verdict;
	turned.direction = w->direction == POLC_EGRESS ? POLC_INGRESS : POLC_EGRESS;
	turned.subject = w->peer;
	turned.peer = w->subject;
	polc_witness_decide(arena, c->networks[0], &turned, &decision);
	return decision.verdict;
}

static void check_path(struct checking *c, struct polc_arena *arena, const struct path *path,
	const struct polc_witness *w)
{
	if (path->answer == POLC_NO && is_asked(path, w) &&
		decide_path(c, arena, w) == path->question.verdict)
		mistake(c, "there is a path where there should be none", w);
}

/* --- runs ----------------------------------------------------------------------------------- */

enum { PATHS = 4 };

static void check_samples(struct checking *c)
{
	struct answers answers;
	struct path paths[PATHS];

	ask_rules(c, &answers);
	for (int i = 0; i < PATHS; i++)
		ask_path(c, &paths[i]);
	for (unsigned i = 0; i < c->n_samples; i++) {
		struct polc_arena arena = {0};
		struct sampler sampler = {&c->rng, &arena, {&c->askers[0], &c->askers[1]}};
		struct polc_witness w;

		if (sample_connection(&sampler, &w)) {
			c->totals->samples++;
			check_change(c, &arena, &w);
			check_rules(c, &arena, &answers, &w);
			for (int j = 0; j < PATHS; j++)
				check_path(c, &arena, &paths[j], &w);
		}
		polc_arena_free(&arena);
	}
}

/* Every other pair: dense networks without a text or an inventory. */
static void make_networks(struct checking *c)
{
	for (int i = 0; i < 2; i++) {
		struct subject *s = &c->subjects[i];

		polc_init(&s->polc);
		polc_inventory_finish(&s->polc, &s->input.inventory);
		s->identities = polc_identities_build(&s->polc, &s->input.inventory, NULL);
	}
	networks_generate(&c->rng, &c->arena, c->networks);
	c->subjects[0].network = c->networks[0];
	c->subjects[1].network = c->networks[1];
}

static bool open_pair(struct checking *c, bool print)
{
	struct polc_buf old = {.arena = &c->arena}, new = {.arena = &c->arena};
	enum polc_dialect dialect =
		rng_chance(&c->rng, 50) ? POLC_DIALECT_KUBERNETES : POLC_DIALECT_CILIUM;
	enum polc_posture postures[2];

	if (c->seed % 2) {
		make_networks(c);
		return true;
	}
	for (int i = 0; i < 2; i++)
		postures[i] = rng_chance(&c->rng, 70) ? POLC_POSTURE_ALLOW
						      : (enum polc_posture)rng_below(&c->rng, 3);
	if (rng_chance(&c->rng, 70))
		postures[1] = postures[0];
	pair_generate(&c->rng, &old, &new);
	if (print)
		printf("%s\n######## new\n%s\n", old.p, new.p);
	bool ok = pair_open(&c->subjects[0], old.p, dialect, postures[0]);

	return pair_open(&c->subjects[1], new.p, dialect, postures[1]) && ok;
}

static void print_networks(struct checking *c)
{
	for (int i = 0; i < 2; i++) {
		struct polc_buf text = {.arena = &c->arena};

		polc_network_print(&c->subjects[i].polc, c->networks[i], &text);
		printf("######## %s\n%s", i ? "new" : "old", text.p);
	}
}

static void print_regions(const struct checking *c)
{
	for (size_t i = 0; i < c->changes.regions.n; i++) {
		const struct polc_changed_region *r = &c->changes.regions.items[i];

		printf("%s by %u -> %s by %u, cause %s %u/%d: %s\n  %s -> %s %s\n",
			r->verdict[0] == POLB_VERDICT_ALLOW ? "allow" : "deny", r->decider[0].rule,
			r->verdict[1] == POLB_VERDICT_ALLOW ? "allow" : "deny", r->decider[1].rule,
			r->cause_network ? "new" : "old", r->cause.rule, (int)r->cause.policy,
			r->text, r->witness.subject.text, r->witness.peer.text,
			r->witness.port_text);
	}
}

static void run_pair(uint64_t seed, unsigned n_samples, bool print, struct totals *totals)
{
	struct checking c = {.seed = seed, .rng = {seed}, .n_samples = n_samples, .totals = totals};

	totals->pairs++;
	if (open_pair(&c, print)) {
		for (int i = 0; i < 2; i++) {
			c.networks[i] = c.subjects[i].network;
			asker_init(&c.askers[i], &c.arena, &c.subjects[i], seed);
		}
		if (print)
			print_networks(&c);
		c.reach = polc_reach_new(&c.arena, c.networks, 2, c.subjects[0].identities);
		polc_reach_changes(c.reach, &c.changes);
		totals->regions += c.changes.regions.n;
		totals->unknown += c.changes.unknown.n;
		if (print)
			print_regions(&c);
		check_samples(&c);
	} else {
		totals->unusable++;
	}
	pair_close(&c.subjects[0]);
	pair_close(&c.subjects[1]);
	polc_arena_free(&c.arena);
}

int main(int argc, char **argv)
{
	static const struct option names[] = {{"seed", required_argument, NULL, 's'},
		{"pairs", required_argument, NULL, 'n'}, {"samples", required_argument, NULL, 'm'},
		{"print", no_argument, NULL, 'p'}, {0}};
	uint64_t seed = (uint64_t)time(NULL);
	unsigned long n = 100, n_samples = 1000;
	struct totals t = {0};
	bool print = false;
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (option == 'n')
			n = strtoul(optarg, NULL, 0);
		else if (option == 'm')
			n_samples = strtoul(optarg, NULL, 0);
		else if (option == 'p')
			print = true;
		else
			return POLC_EXIT_USAGE;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %llu, %lu pairs\n", (unsigned long long)seed, n);
	for (unsigned long i = 0; i < n; i++) {
		if (getenv("REACH_VERBOSE"))
			printf("pair %llu\n", (unsigned long long)(seed + i));
		run_pair(seed + i, (unsigned)n_samples, print, &t);
	}
	printf("%lu pairs (%lu not usable), %lu regions, %lu samples (%lu changed), %lu rules (%lu "
	       "never "
	       "decide, %lu do not matter), %lu paths (%lu none), %lu unknown: %lu mistakes\n",
		t.pairs, t.unusable, t.regions, t.samples, t.changed, t.rules, t.idle, t.redundant,
		t.paths, t.no_paths, t.unknown, t.mistakes);
	return t.mistakes ? POLC_EXIT_BAD : POLC_EXIT_OK;
}
