/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * trace-diff-oracle [--seed N] [--pairs N] [--calls N]: is analysis/diff_tracing.h exact? Random
 * pairs of sets of tracing policies: every call that is shown must be decided as it says, no call
 * be shown twice, and no sampled call that the sets treat differently may be missing where
 * everything is said to be settled.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/analysis/diff_tracing.h"
#include "frontend/reader.h"
#include "tests/trace-oracle/generate.h"

enum { FACTS = 64 };

struct options {
	uint64_t seed;
	unsigned pairs, calls;
};
struct set {
	struct polc polc;
	struct polc_input input;
	const struct polc_tracing *tracing;
};
struct totals {
	unsigned refused, changes, unsettled, calls, changed, mistakes;
};
struct pair {
	const char *texts[2];
	struct set sets[2];
	struct polc_traced_changes changes;
	struct totals *totals;
};
/* One call, decided by both sets. */
struct both {
	const struct polc_call *call[2]; /* NULL: no policy of the set is on the hook */
	struct polc_call_decision decision[2];
};

static bool read_set(struct set *s, const char *text)
{
	static const struct polc_tracing_options none = {0};
	polc_yaml_documents documents = {0};

	polc_init(&s->polc);
	polc_yaml_parse_bytes(&s->polc,
		polc_source_add(&s->polc.arena, &s->polc.sources, "set.yaml", text, strlen(text)),
		&documents);
	for (size_t i = 0; i < documents.n; i++)
		polc_parse_tracing(&s->polc, &s->input.tracings, documents.items[i]);
	s->tracing = polc_lower_tracing(&s->polc, &s->input, &none);
	return !s->polc.n_errors;
}

static bool is_known(const polc_call_keys *keys, const char *key)
{
	for (size_t i = 0; i < keys->n; i++)
		if (!strcmp(keys->items[i], key))
			return true;
	return false;
}

/* False: this is no call of one of the sets. */
static bool decide(struct pair *pair, struct polc *polc, const char *hook,
	const struct polc_call_fact *facts, size_t n, struct both *out)
{
	*out = (struct both){0};
	for (unsigned i = 0; i < 2; i++) {
		const struct polc_tracing *tracing = pair->sets[i].tracing;
		polc_call_keys known = polc_call_known_keys(polc, tracing, hook);
		struct polc_call_fact *own = POLC_NEW_ARRAY(&polc->arena, n + 1, typeof(*own));
		size_t n_own = 0;

		out->decision[i] = (struct polc_call_decision){
			.certain = true, .passes = true, .may_pass = true};
		if (!known.n)
			continue;
		for (size_t j = 0; j < n; j++)
			if (is_known(&known, facts[j].key))
				own[n_own++] = facts[j];
		out->call[i] = polc_call_make(
			polc, tracing, NULL, hook, (struct polc_span){0}, own, n_own);
		if (!out->call[i])
			return false;
		polc_call_decide(polc, &polc->arena, tracing, out->call[i], &out->decision[i]);
	}
	return true;
}

static bool same(const struct polc_call_effect *a, const struct polc_call_effect *b)
{
	return a->posts == b->posts && a->actions == b->actions && a->has_error == b->has_error &&
	       a->error == b->error && a->owed == b->owed && a->rewritten == b->rewritten &&
	       a->signal == b->signal;
}

static enum polc_traced_effect effect_of(const struct both *both)
{
	if (both->decision[0].passes == both->decision[1].passes)
		return POLC_TRACED_ACTIONS;
	return both->decision[1].passes ? POLC_TRACED_WEAKER : POLC_TRACED_STRONGER;
}

static void mistake(struct pair *pair, struct polc *polc, const char *what, const char *hook,
	const struct both *both)
{
	if (pair->totals->mistakes++)
		return; /* one says enough */
	printf("mistake: %s: %s\n", what, hook);
	for (unsigned i = 0; i < 2; i++)
		if (both->call[i])
			printf("  %s: %s: %s\n", i ? "new" : "old",
				polc_call_text(&polc->arena, both->call[i]),
				polc_call_decision_text(&polc->arena, &both->decision[i]));
	for (size_t i = 0; i < pair->changes.list.n; i++)
		printf("  shown: %d, %s%s\n", (int)pair->changes.list.items[i].effect,
			pair->changes.list.items[i].hook,
			pair->changes.list.items[i].settled ? "" : ", not settled");
}

static void check_change(
	struct pair *pair, struct polc *polc, const struct polc_traced_change *change)
{
	struct both both;

	pair->totals->changes++;
	pair->totals->unsettled += !change->settled;
	if (change->effect == POLC_TRACED_UNSETTLED)
		return;
	if (!decide(pair, polc, change->hook, change->facts, change->n_facts, &both) ||
		!both.decision[0].certain || !both.decision[1].certain ||
		same(&both.decision[0].sure, &both.decision[1].sure) ||
		effect_of(&both) != change->effect)
		mistake(pair, polc, "an example that shows something else", change->hook, &both);
	if (!change->specs[0].n && !change->specs[1].n)
		mistake(pair, polc, "an example of no entry", change->hook, &both);
	for (size_t i = 0; i < pair->changes.list.n; i++) {
		const struct polc_traced_change *other = &pair->changes.list.items[i];

		if (other != change && other->call && !strcmp(other->call, change->call) &&
			!strcmp(other->hook, change->hook))
			mistake(pair, polc, "a call is shown twice", change->hook, &both);
	}
}

/* One that does something in this call of one of the sets. */
static bool has_involved(const struct polc_traced_change *change, const struct both *both)
{
	for (unsigned i = 0; i < 2; i++)
		for (size_t j = 0; both->call[i] && j < both->decision[i].matches.n; j++)
			for (size_t k = 0; k < change->specs[i].n; k++)
				if (both->decision[i].matches.items[j].spec ==
					change->specs[i].items[k])
					return true;
	return false;
}

static bool is_covered(const struct pair *pair, const struct both *both)
{
	for (size_t i = 0; i < pair->changes.list.n; i++) {
		const struct polc_traced_change *change = &pair->changes.list.items[i];

		if ((change->effect == effect_of(both) || !change->settled) &&
			has_involved(change, both))
			return true;
	}
	return false;
}

static void sample(struct pair *pair, struct trace_random *random)
{
	struct polc_call_fact facts[FACTS];
	struct polc polc;
	struct both both;

	polc_init(&polc);
	unsigned number = trace_random(random, TRACE_HOOKS);
	const char *hook = trace_hook(&polc.arena, number);
	size_t n = trace_generate_facts(&polc.arena, random,
		pair->sets[trace_random(random, 2)].tracing, number, facts, FACTS);

	if (decide(pair, &polc, hook, facts, n, &both) && both.decision[0].certain &&
		both.decision[1].certain) {
		pair->totals->calls++;
		if (!same(&both.decision[0].sure, &both.decision[1].sure)) {
			pair->totals->changed++;
			if (!is_covered(pair, &both))
				mistake(pair, &polc, "not found", hook, &both);
		}
	}
	polc_free(&polc);
}

static void run_pair(
	const struct options *options, struct trace_random *random, struct totals *totals)
{
	struct pair pair = {.totals = totals};
	struct polc_arena texts = {0};
	unsigned before = totals->mistakes;
	struct polc polc;

	polc_init(&polc);
	trace_generate_pair(&texts, random, pair.texts);
	if (read_set(&pair.sets[0], pair.texts[0]) & read_set(&pair.sets[1], pair.texts[1])) {
		const struct polc_traced_set sets[] = {{&pair.sets[0].input, pair.sets[0].tracing},
			{&pair.sets[1].input, pair.sets[1].tracing}};

		polc_traced_diff(&polc, sets, &pair.changes);
		for (size_t i = 0; i < pair.changes.list.n; i++)
			check_change(&pair, &polc, &pair.changes.list.items[i]);
		for (unsigned i = 0; i < options->calls; i++)
			sample(&pair, random);
	} else {
		totals->refused++;
	}
	if (totals->mistakes != before)
		printf("old:\n%s\nnew:\n%s\n", pair.texts[0], pair.texts[1]);
	polc_free(&polc);
	for (unsigned i = 0; i < 2; i++)
		polc_free(&pair.sets[i].polc);
	polc_arena_free(&texts);
}

int main(int argc, char **argv)
{
	struct options options = {.seed = 1, .pairs = 40, .calls = 200};
	struct totals totals = {0};

	for (int i = 1; i + 1 < argc; i += 2) {
		unsigned long value = strtoul(argv[i + 1], NULL, 0);

		if (!strcmp(argv[i], "--seed"))
			options.seed = value;
		else if (!strcmp(argv[i], "--pairs"))
			options.pairs = (unsigned)value;
		else if (!strcmp(argv[i], "--calls"))
			options.calls = (unsigned)value;
		else
			return 2;
	}
	for (unsigned i = 0; i < options.pairs && !totals.mistakes; i++) {
		struct trace_random random = {
			options.seed * UINT64_C(0x9e3779b97f4a7c15) + i * UINT64_C(7919)};

		run_pair(&options, &random, &totals);
	}
	printf("%u pairs (%u refused), %u changes shown, %u of them not settled; %u calls, %u "
	       "differ: %u mistakes\n",
		options.pairs, totals.refused, totals.changes, totals.unsettled, totals.calls,
		totals.changed, totals.mistakes);
	return totals.mistakes != 0;
}
