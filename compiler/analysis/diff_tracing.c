/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The difference of two sets of tracing policies: entries that changed, calls
 * that show it. */
#include "diff_tracing.h"

#include <stdlib.h>
#include <string.h>

#include "assert_private.h"

#define DECISIONS_MAX 5000 /* of both sets together, for one hook */

/* --- which entries changed
 * -----------------------------------------------------------------------
 */

struct entry {
	const char *key; /* what it means, as text */
	unsigned set;
	uint32_t spec;
	bool cancelled;
};
typedef POLC_VEC(struct entry) entry_list;

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = strcmp(a->key, b->key);

	if (!order)
		order = (int)a->set - (int)b->set;
	return order ? order : (a->spec > b->spec) - (a->spec < b->spec);
}

static void add_entries(
	struct polc *polc, const struct polc_tracing *tracing, unsigned set, entry_list *out)
{
	for (size_t i = 0; i < tracing->n_specs; i++) {
		struct polc_buf key = {.arena = &polc->arena};

		polc_trace_spec_print(tracing, &tracing->specs[i], &key);
		*polc_vec_push(&polc->arena, out) =
			(struct entry){.key = key.p, .set = set, .spec = (uint32_t)i};
	}
}

/* Of equal entries, as many as both sets have cancel. */
static void cancel(entry_list *entries)
{
	for (size_t first = 0, end; first < entries->n; first = end) {
		size_t n[2] = {0}, left[2];

		for (end = first; end < entries->n &&
				  !strcmp(entries->items[end].key, entries->items[first].key);
			end++)
			n[entries->items[end].set]++;
		left[0] = left[1] = n[0] < n[1] ? n[0] : n[1];
		for (size_t i = first; i < end; i++) {
			size_t *rest = &left[entries->items[i].set];

			entries->items[i].cancelled = *rest > 0;
			*rest -= *rest > 0;
		}
	}
}

/* --- the search
 * ----------------------------------------------------------------------------------
 */

typedef POLC_VEC(struct polc_call_fact) fact_list;

struct side {
	const struct polc_traced_set *set;
	polc_call_keys known; /* what a policy on the hook could ask for; none: no
				 policy has it */
	/* of the case in hand */
	const struct polc_call *call; /* NULL: nobody looks */
	struct polc_call_decision decision;
};
struct search {
	struct polc *polc; /* of results */
	struct polc scratch;
	const char *hook;
	struct side sides[2];
	fact_list facts;
	unsigned n_decisions;
	bool impossible; /* the case in hand cannot be said */
	bool complete;   /* so far all cases were tried */
	bool found[POLC_TRACED_UNSETTLED];
	struct polc_traced_change change; /* what is reported, but for effect and call */
	struct polc_traced_changes *out;
};

static bool among(const polc_call_keys *keys, const char *key)
{
	for (size_t i = 0; i < keys->n; i++)
		if (!strcmp(keys->items[i], key))
			return true;
	return false;
}

/* Decides the case for one set, with the facts that somebody there could ask
 * for. */
static bool decide(struct search *s, struct side *side)
{
	struct polc_arena *arena = &s->scratch.arena;
	fact_list facts = {0};

	side->call = NULL;
	side->decision =
		(struct polc_call_decision){.certain = true, .passes = true, .may_pass = true};
	if (!side->known.n)
		return true;
	for (size_t i = 0; i < s->facts.n; i++)
		if (among(&side->known, s->facts.items[i].key))
			*polc_vec_push(arena, &facts) = s->facts.items[i];
	side->call = polc_call_make(&s->scratch, side->set->tracing, &side->set->input->inventory,
		s->hook, (struct polc_span){0}, facts.items, facts.n);
	if (!side->call)
		return false;
	polc_call_decide(&s->scratch, arena, side->set->tracing, side->call, &side->decision);
	return true;
}

static bool same_effect(const struct polc_call_effect *a, const struct polc_call_effect *b)
{
	return a->posts == b->posts && a->actions == b->actions && a->has_error == b->has_error &&
	       a->error == b->error && a->owed == b->owed && a->rewritten == b->rewritten &&
	       a->signal == b->signal;
}

/* The longer text names what both sets know. */
static const char *call_text(struct search *s)
{
	const char *texts[2] = {NULL, NULL};

	for (unsigned i = 0; i < 2; i++)
		if (s->sides[i].call)
			texts[i] = polc_call_text(&s->polc->arena, s->sides[i].call);
	if (texts[0] && texts[1])
		return texts[strlen(texts[1]) >= strlen(texts[0])];
	return texts[0] ? texts[0] : texts[1];
}

/* The change that the same call shows for an entry of the other set; NULL. */
static struct polc_traced_change *other_half(
	struct search *s, const struct polc_traced_change *change)
{
	unsigned other = change->in[0];

	for (size_t i = 0; i < s->out->list.n; i++) {
		struct polc_traced_change *c = &s->out->list.items[i];

		if (c->effect == change->effect && c->in[other] && !c->in[!other] &&
			!strcmp(c->call, change->call))
			return c;
	}
	return NULL;
}

static void record(struct search *s, enum polc_traced_effect effect)
{
	struct polc_traced_change change = s->change, *half;

	change.effect = effect;
	change.call = call_text(s);
	for (unsigned i = 0; i < 2; i++)
		change.outcome[i] = s->sides[i].call ? polc_call_decision_text(&s->polc->arena,
							       &s->sides[i].decision)
						     : "passes";
	half = other_half(s, &change);
	if (half) {
		half->spec[change.in[1]] = change.spec[change.in[1]];
		half->in[0] = half->in[1] = true;
	} else {
		*polc_vec_push(&s->polc->arena, &s->out->list) = change;
	}
	s->found[effect] = true;
}

static void compare_certain(struct search *s)
{
	const struct polc_call_decision *was = &s->sides[0].decision, *is = &s->sides[1].decision;
	enum polc_traced_effect effect = POLC_TRACED_ACTIONS;

	if (same_effect(&was->sure, &is->sure))
		return;
	if (was->passes != is->passes)
		effect = is->passes ? POLC_TRACED_WEAKER : POLC_TRACED_STRONGER;
	if (!s->found[effect])
		record(s, effect);
}

/* --- names of values: a label in one set may be none, or another, in the other one ---------------
 */

/* "argN" of an argument, else NULL. */
static const char *place_name(struct polc_arena *arena, const struct polc_trace_value *value)
{
	if (value->origin != POLC_ORIGIN_ARGUMENT || value->n_steps)
		return NULL;
	return polc_arena_printf(arena, "arg%u", value->number);
}

/* If `key` is `name` or a part of it ("cap", "sk.dport"): the same of `other`; else NULL. */
static const char *renamed(
	struct polc_arena *arena, const char *key, const char *name, const char *other)
{
	size_t n = strlen(name);

	if (!other || strncmp(key, name, n) != 0 || (key[n] && key[n] != '.'))
		return NULL;
	return polc_arena_printf(arena, "%s%s", other, key + n);
}

/* How a side calls what is called `key`: by its place (`to_place`), or by its own name. */
static const char *rename_key(
	struct search *s, const struct side *side, const char *key, bool to_place)
{
	struct polc_arena *arena = &s->scratch.arena;

	for (size_t i = 0; side->call && i < side->call->members.n; i++) {
		const struct polc_call_member *member = &side->call->members.items[i];
		const struct polc_trace_spec *spec = &side->set->tracing->specs[member->spec];

		for (size_t j = 0; j < spec->values.n; j++) {
			const char *place = place_name(arena, &spec->values.items[j]);
			const char *own = member->values[j].key;
			const char *found = to_place ? renamed(arena, key, own, place)
					    : place  ? renamed(arena, key, place, own)
						     : NULL;

			if (found)
				return found;
		}
	}
	return key;
}

static void add_tests(struct search *s, const struct polc_call_judge *judge,
	const polc_call_tests *tests, struct polc_assert_question *q)
{
	for (size_t i = 0; i < tests->n; i++) {
		polc_call_keys keys = {0};

		if (tests->items[i].holds != POLC_CALL_OPEN)
			continue;
		polc_call_test_keys(judge, tests->items[i].test, &keys);
		if (!among(&keys, q->key))
			continue;
		*polc_vec_push(&s->scratch.arena, &q->tests) = tests->items[i].test;
		*polc_vec_push(&s->scratch.arena, &q->specs) = judge->spec;
	}
}

static void add_side(struct search *s, const struct side *side, struct polc_assert_question *q)
{
	const struct polc_call_decision *decision = &side->decision;

	for (size_t i = 0; side->call && i < decision->matches.n; i++) {
		const struct polc_call_match *match = &decision->matches.items[i];
		const struct polc_call_judge judge = {.arena = &s->scratch.arena,
			.tracing = side->set->tracing,
			.call = side->call,
			.member = &side->call->members.items[i],
			.spec = &side->set->tracing->specs[match->spec]};

		for (size_t j = 0; j < match->selectors.n; j++) {
			add_tests(s, &judge, &match->selectors.items[j].tests, q);
			add_tests(s, &judge, &match->selectors.items[j].return_tests, q);
		}
	}
}

static void search(struct search *s);

/* Every value of what `from` calls `key` that matters to one of the sets. */
static void split(struct search *s, const struct side *from, const char *key)
{
	const struct polc_assert_context context = {.polc = &s->scratch,
		.input = s->sides[1].set->input,
		.tracing = s->sides[1].set->tracing};
	const char *place = rename_key(s, from, key, true);
	struct polc_assert_question q = {.arena = &s->scratch.arena, .context = &context};
	struct polc_assert_cases cases;

	for (unsigned i = 0; i < 2; i++) {
		q.key = rename_key(s, &s->sides[i], place, false);
		add_side(s, &s->sides[i], &q);
	}
	q.key = place;
	polc_assert_cases(&q, &cases);
	s->complete &= cases.complete;
	for (size_t i = 0; i < cases.list.n; i++) {
		const struct polc_assert_case *one = &cases.list.items[i];

		*polc_vec_push(&s->scratch.arena, &s->facts) =
			(struct polc_call_fact){.key = one->key, .value = one->value};
		s->impossible = false;
		search(s);
		s->facts.n--;
		if (s->impossible && strcmp(one->value, "?") != 0)
			s->complete = false;
		s->impossible = false;
	}
}

static void search(struct search *s)
{
	if (s->n_decisions++ >= DECISIONS_MAX) {
		s->complete = false;
		return;
	}
	for (unsigned i = 0; i < 2; i++)
		if (!decide(s, &s->sides[i])) {
			s->impossible = true;
			return;
		}
	for (unsigned i = 0; i < 2; i++)
		if (!s->sides[i].decision.certain && s->sides[i].decision.depends_on.n) {
			split(s, &s->sides[i], s->sides[i].decision.depends_on.items[0]);
			return;
		}
	compare_certain(s);
}

/* --- hooks of an entry
 * ---------------------------------------------------------------------------
 */

/* The words of polc_call_make() for one symbol or offset of a spec. */
static const char *hook_text(
	struct polc_arena *arena, const struct polc_trace_spec *spec, size_t number)
{
	const char *name = number < spec->symbols.n ? spec->symbols.items[number].name : "";

	switch (spec->section) {
	case POLC_SECTION_KPROBE:
	case POLC_SECTION_FENTRY:
		if (!spec->syscall)
			return polc_arena_printf(arena, "kprobe %s", name);
		return polc_arena_printf(arena, "syscall %s%s",
			spec->symbols.items[number].syscall.abi == POLC_ABI_I386 ? "i386/" : "",
			spec->symbols.items[number].syscall.name);
	case POLC_SECTION_TRACEPOINT:
		return polc_arena_printf(arena, "%stracepoint %s", spec->raw ? "raw-" : "", name);
	case POLC_SECTION_LSM:
		return polc_arena_printf(arena, "lsm %s", name);
	case POLC_SECTION_UPROBE:
		if (number < spec->symbols.n)
			return polc_arena_printf(arena, "uprobe %s:%s", spec->path, name);
		return polc_arena_printf(arena, "uprobe %s+0x%llx", spec->path,
			(unsigned long long)spec->offsets.items[number - spec->symbols.n]);
	case POLC_SECTION_USDT:
		return polc_arena_printf(
			arena, "usdt %s:%s:%s", spec->path, spec->provider, spec->name);
	case POLC_N_SECTIONS:
		break;
	}
	POLC_BUG("no such section");
}

static size_t n_hooks(const struct polc_trace_spec *spec)
{
	size_t n = spec->symbols.n + spec->offsets.n;

	return n ? n : 1;
}

static bool found_any(const bool found[POLC_TRACED_UNSETTLED])
{
	for (unsigned i = 0; i < POLC_TRACED_UNSETTLED; i++)
		if (found[i])
			return true;
	return false;
}

static void examine(struct polc *polc, const struct polc_traced_set sets[2],
	const struct entry *entry, struct polc_traced_changes *out)
{
	const struct polc_trace_spec *spec = &sets[entry->set].tracing->specs[entry->spec];
	const struct polc_traced_change change = {
		.in = {entry->set == 0, entry->set == 1}, .spec = {entry->spec, entry->spec}};
	struct search s = {.polc = polc,
		.sides = {{.set = &sets[0]}, {.set = &sets[1]}},
		.complete = true,
		.change = change,
		.out = out};

	for (size_t i = 0; i < n_hooks(spec) && !found_any(s.found); i++) {
		s.hook = hook_text(&polc->arena, spec, i);
		s.n_decisions = 0;
		s.facts = (fact_list){0};
		polc_init(&s.scratch);
		for (unsigned j = 0; j < 2; j++)
			s.sides[j].known =
				polc_call_known_keys(&s.scratch, sets[j].tracing, s.hook);
		search(&s);
		polc_free(&s.scratch);
	}
	if (found_any(s.found) || s.complete)
		return;
	*polc_vec_push(&polc->arena, &out->list) = change;
	out->list.items[out->list.n - 1].effect = POLC_TRACED_UNSETTLED;
}

static int compare_changes(const void *left, const void *right)
{
	const struct polc_traced_change *a = left, *b = right;

	if (a->effect != b->effect)
		return a->effect < b->effect ? -1 : 1;
	uint32_t x = a->spec[a->in[1]], y = b->spec[b->in[1]];

	if (x != y)
		return x < y ? -1 : 1;
	return (int)a->in[1] - (int)b->in[1];
}

void polc_traced_diff(
	struct polc *polc, const struct polc_traced_set sets[2], struct polc_traced_changes *out)
{
	entry_list entries = {0};

	*out = (struct polc_traced_changes){0};
	add_entries(polc, sets[0].tracing, 0, &entries);
	add_entries(polc, sets[1].tracing, 1, &entries);
	if (entries.n)
		qsort(entries.items, entries.n, sizeof(*entries.items), compare_entries);
	cancel(&entries);
	for (size_t i = 0; i < entries.n; i++)
		if (!entries.items[i].cancelled)
			examine(polc, sets, &entries.items[i], out);
	if (out->list.n)
		qsort(out->list.items, out->list.n, sizeof(*out->list.items), compare_changes);
}
