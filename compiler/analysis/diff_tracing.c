/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The difference of two sets of tracing policies: entries that changed, calls
 * that show it. */
#include "diff_tracing.h"

#include <stdlib.h>
#include <string.h>

#include "../ir/name_table.h"
#include "assert_private.h"

#define DECISIONS_MAX 5000      /* of one hook */
#define DECISIONS_OF_ALL 200000 /* of all hooks */

/* --- which entries changed
 * -----------------------------------------------------------------------
 */

struct entry {
	const char *key; /* what it means, as text */
	unsigned set;
	uint32_t spec;
	bool replaces; /* the call's result: of several policies the first decides */
	bool cancelled;
	bool found[POLC_TRACED_UNSETTLED + 1];
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

static bool replaces_result(const struct polc_trace_spec *spec)
{
	const uint64_t results = 1ull << POLB_ACTION_OVERRIDE | 1ull << POLB_ACTION_NOTIFY_ENFORCER;

	for (size_t i = 0; i < spec->selectors.n; i++)
		if (spec->selectors.items[i].action_mask & results)
			return true;
	return false;
}

static void add_entries(
	struct polc *polc, const struct polc_tracing *tracing, unsigned set, entry_list *out)
{
	for (size_t i = 0; i < tracing->n_specs; i++) {
		struct polc_buf key = {.arena = &polc->arena};

		polc_trace_spec_print(tracing, &tracing->specs[i], &key);
		*polc_vec_push(&polc->arena, out) = (struct entry){.key = key.p,
			.set = set,
			.spec = (uint32_t)i,
			.replaces = replaces_result(&tracing->specs[i])};
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

/* The next cancelled entry of a set that replaces results, in order of specs; NULL. */
static struct entry *next_replacing(
	const entry_list *entries, unsigned set, const struct entry *after)
{
	struct entry *next = NULL;

	for (size_t i = 0; i < entries->n; i++) {
		struct entry *e = &entries->items[i];

		if (e->set == set && e->cancelled && e->replaces &&
			(!after || e->spec > after->spec) && (!next || e->spec < next->spec))
			next = e;
	}
	return next;
}

/* Where policies have another order, another one may be the first to replace a result. */
static void restore_reordered(entry_list *entries)
{
	struct entry *old = NULL, *new = NULL;

	do {
		old = next_replacing(entries, 0, old);
		new = next_replacing(entries, 1, new);
	} while (old && new && !strcmp(old->key, new->key));
	if (!old && !new)
		return;
	for (size_t i = 0; i < entries->n; i++)
		entries->items[i].cancelled &= !entries->items[i].replaces;
}

/* --- the search
 * ----------------------------------------------------------------------------------
 */

typedef POLC_VEC(struct polc_call_fact) fact_list;

struct side {
	const struct polc_traced_set *set;
	polc_call_keys known; /* what a policy on the hook could ask for; none: no policy has it */
	/* of the case in hand */
	const struct polc_call *call; /* NULL: nobody looks */
	struct polc_call_decision decision;
};
/* One hook, with all changed entries on it. */
struct search {
	struct polc *polc; /* of results */
	struct polc scratch;
	const char *hook;
	POLC_VEC(struct entry *) entries;
	struct side sides[2];
	fact_list facts;
	unsigned n_decisions, max_decisions;
	bool impossible; /* the case in hand cannot be said */
	bool complete;   /* so far all cases were tried */
	struct polc_traced_changes *out;
};

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
		if (polc_call_has_key(&side->known, s->facts.items[i].key))
			*polc_vec_push(arena, &facts) = s->facts.items[i];
	side->call = polc_call_make(&s->scratch, side->set->tracing, &side->set->input->inventory,
		s->hook, (struct polc_span){0}, facts.items, facts.n);
	if (!side->call)
		return false;
	polc_call_decide(&s->scratch, arena, side->set->tracing, side->call, &side->decision);
	return true;
}

static bool found_any(const struct entry *entry)
{
	for (unsigned i = 0; i <= POLC_TRACED_UNSETTLED; i++)
		if (entry->found[i])
			return true;
	return false;
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

/* Does the entry do something in this case? */
static bool is_involved(const struct search *s, const struct entry *entry)
{
	const struct side *side = &s->sides[entry->set];

	for (size_t i = 0; side->call && i < side->decision.matches.n; i++)
		if (side->decision.matches.items[i].spec == entry->spec)
			return side->decision.matches.items[i].matched != POLC_CALL_NO;
	return false;
}

static const struct polc_call_fact *keep_facts(struct search *s)
{
	struct polc_arena *arena = &s->polc->arena;
	struct polc_call_fact *kept = POLC_NEW_ARRAY(arena, s->facts.n + 1, struct polc_call_fact);

	for (size_t i = 0; i < s->facts.n; i++) {
		const struct polc_call_fact *fact = &s->facts.items[i];

		kept[i].key = polc_arena_strndup(arena, fact->key, strlen(fact->key));
		kept[i].value = polc_arena_strndup(arena, fact->value, strlen(fact->value));
	}
	return kept;
}

static void add_entry(struct search *s, struct polc_traced_change *change, struct entry *entry)
{
	entry->found[change->effect] = true;
	*polc_vec_push(&s->polc->arena, &change->specs[entry->set]) = entry->spec;
}

static const struct polc_trace_policy *policy_of(
	const struct search *s, unsigned set, uint32_t spec)
{
	const struct polc_tracing *tracing = s->sides[set].set->tracing;

	return &tracing->policies[tracing->specs[spec].policy];
}

static bool same_name(const struct polc_trace_policy *a, const struct polc_trace_policy *b)
{
	return !strcmp(a->name, b->name) &&
	       !strcmp(a->namespace ? a->namespace : "", b->namespace ? b->namespace : "");
}

/* What the policies of the other set's entries have become: it does nothing now, or did not. */
static void add_successors(struct search *s, struct polc_traced_change *change, unsigned set)
{
	for (size_t i = 0; i < s->entries.n; i++) {
		struct entry *entry = s->entries.items[i];
		bool same = false;

		if (entry->set != set)
			continue;
		for (size_t j = 0; j < change->specs[!set].n; j++)
			same |= same_name(policy_of(s, set, entry->spec),
				policy_of(s, !set, change->specs[!set].items[j]));
		if (same)
			add_entry(s, change, entry);
	}
}

static void record(struct search *s, enum polc_traced_effect effect)
{
	struct polc_traced_change *change = polc_vec_push(&s->polc->arena, &s->out->list);

	*change = (struct polc_traced_change){
		.effect = effect, .hook = s->hook, .settled = effect != POLC_TRACED_UNSETTLED};
	if (effect != POLC_TRACED_UNSETTLED) {
		change->facts = keep_facts(s);
		change->n_facts = s->facts.n;
		change->call = call_text(s);
		for (unsigned i = 0; i < 2; i++)
			change->outcome[i] = s->sides[i].call
						     ? polc_call_decision_text(&s->polc->arena,
							       &s->sides[i].decision)
						     : "passes";
	}
	for (size_t i = 0; i < s->entries.n; i++) {
		struct entry *entry = s->entries.items[i];

		if (effect == POLC_TRACED_UNSETTLED ? !found_any(entry) : is_involved(s, entry))
			add_entry(s, change, entry);
	}
	if (change->specs[0].n && !change->specs[1].n)
		add_successors(s, change, 1);
	else if (change->specs[1].n && !change->specs[0].n)
		add_successors(s, change, 0);
}

/* Is it the first that shows this of an entry? */
static bool is_news(const struct search *s, enum polc_traced_effect effect)
{
	for (size_t i = 0; i < s->entries.n; i++)
		if (!s->entries.items[i]->found[effect] && is_involved(s, s->entries.items[i]))
			return true;
	return false;
}

static void compare_certain(struct search *s)
{
	const struct polc_call_decision *was = &s->sides[0].decision, *is = &s->sides[1].decision;
	enum polc_traced_effect effect = POLC_TRACED_ACTIONS;

	if (same_effect(&was->sure, &is->sure))
		return;
	if (was->passes != is->passes)
		effect = is->passes ? POLC_TRACED_WEAKER : POLC_TRACED_STRONGER;
	if (is_news(s, effect))
		record(s, effect);
}

/* --- names of values: a label in one set may be none, or another, in the other one ---------------
 */

/* If `key` is `name` or a part of it ("cap", "sk.dport"): the same of `other`; else NULL. */
static const char *renamed(
	struct polc_arena *arena, const char *key, const char *name, const char *other)
{
	size_t n = strlen(name);

	if (!other || strncmp(key, name, n) != 0 || (key[n] && key[n] != '.'))
		return NULL;
	return polc_arena_printf(arena, "%s%s", other, key + n);
}

static bool is_said(const struct search *s, const char *key)
{
	for (size_t i = 0; i < s->facts.n; i++)
		if (!strcmp(s->facts.items[i].key, key))
			return true;
	return false;
}

/*
 * How a side calls what is called `key`: by its place (`to_place`), or by its own name. Of several
 * values with one label the first of which nothing was said.
 */
static const char *rename_key(
	struct search *s, const struct side *side, const char *key, bool to_place)
{
	for (size_t i = 0; side->call && i < side->call->members.n; i++) {
		const struct polc_call_member *member = &side->call->members.items[i];
		size_t n_values = side->set->tracing->specs[member->spec].values.n;

		for (size_t j = 0; j < n_values; j++) {
			const struct polc_call_value *v = &member->values[j];
			const char *found = renamed(&s->scratch.arena, key,
				to_place ? v->key : v->place, to_place ? v->place : v->key);

			if (found && !(to_place && is_said(s, found)))
				return found;
		}
	}
	return key;
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
		const struct side *side = &s->sides[i];

		q.key = rename_key(s, side, place, false);
		if (side->call)
			polc_assert_ask(&q, side->set->tracing, side->call, &side->decision);
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
	if (s->n_decisions++ >= s->max_decisions) {
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
	for (unsigned i = 0; i < 2; i++)
		if (!s->sides[i].decision.certain) {
			s->complete = false;
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

/* Entries of which something was shown: there may be more of it. */
static void mark_incomplete(struct search *s)
{
	bool shown = true;

	for (size_t i = 0; i < s->entries.n; i++) {
		const struct entry *entry = s->entries.items[i];

		shown &= found_any(entry);
		for (size_t j = 0; j < s->out->list.n; j++) {
			struct polc_traced_change *change = &s->out->list.items[j];

			for (size_t k = 0; k < change->specs[entry->set].n; k++)
				if (change->specs[entry->set].items[k] == entry->spec)
					change->settled = false;
		}
	}
	if (!shown)
		record(s, POLC_TRACED_UNSETTLED);
}

static void examine(struct search *s)
{
	unsigned given = s->max_decisions;

	s->max_decisions = given < DECISIONS_MAX ? given : DECISIONS_MAX;
	s->complete = true;
	polc_init(&s->scratch);
	for (unsigned i = 0; i < 2; i++)
		s->sides[i].known =
			polc_call_known_keys(&s->scratch, s->sides[i].set->tracing, s->hook);
	search(s);
	if (!s->complete)
		mark_incomplete(s);
	polc_free(&s->scratch);
	s->max_decisions = given - (s->n_decisions < given ? s->n_decisions : given);
	s->n_decisions = 0;
	s->facts = (fact_list){0};
}

static uint32_t first_place(const struct polc_traced_change *change, unsigned *set)
{
	*set = change->specs[1].n ? 1 : 0;
	return change->specs[*set].n ? change->specs[*set].items[0] : 0;
}

static int compare_changes(const void *left, const void *right)
{
	const struct polc_traced_change *a = left, *b = right;
	unsigned set_a, set_b;
	uint32_t x = first_place(a, &set_a), y = first_place(b, &set_b);

	if (a->effect != b->effect)
		return a->effect < b->effect ? -1 : 1;
	if (x != y)
		return x < y ? -1 : 1;
	if (set_a != set_b)
		return set_a < set_b ? -1 : 1;
	return strcmp(a->hook, b->hook);
}

/* Every hook of changed entries, once, in the order of the sets. */
static void examine_all(struct search *s, entry_list *changed)
{
	struct polc_name_table known = {0};
	POLC_VEC(struct search) hooks = {0};
	struct polc_arena *arena = &s->polc->arena;

	for (size_t i = 0; i < changed->n; i++) {
		struct entry *entry = &changed->items[i];
		const struct polc_trace_spec *spec =
			&s->sides[entry->set].set->tracing->specs[entry->spec];

		for (size_t j = 0; j < n_hooks(spec); j++) {
			const char *text = hook_text(arena, spec, j);
			uint32_t at = polc_names_find(&known, text);

			if (at == POLC_NO_NAME) {
				at = (uint32_t)hooks.n;
				polc_names_add(arena, &known, text, at);
				*polc_vec_push(arena, &hooks) = *s;
				hooks.items[at].hook = text;
			}
			*polc_vec_push(arena, &hooks.items[at].entries) = entry;
		}
	}
	for (size_t i = 0; i < hooks.n; i++) {
		hooks.items[i].max_decisions = s->max_decisions;
		examine(&hooks.items[i]);
		s->max_decisions = hooks.items[i].max_decisions;
	}
}

/* What is left, in the order of the sets: old before new. */
static int compare_places(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = (int)a->set - (int)b->set;

	return order ? order : (a->spec > b->spec) - (a->spec < b->spec);
}

void polc_traced_diff(
	struct polc *polc, const struct polc_traced_set sets[2], struct polc_traced_changes *out)
{
	struct search search = {.polc = polc,
		.sides = {{.set = &sets[0]}, {.set = &sets[1]}},
		.max_decisions = DECISIONS_OF_ALL,
		.out = out};
	entry_list entries = {0}, changed = {0};

	*out = (struct polc_traced_changes){0};
	add_entries(polc, sets[0].tracing, 0, &entries);
	add_entries(polc, sets[1].tracing, 1, &entries);
	if (!entries.n)
		return;
	qsort(entries.items, entries.n, sizeof(*entries.items), compare_entries);
	cancel(&entries);
	restore_reordered(&entries);
	for (size_t i = 0; i < entries.n; i++)
		if (!entries.items[i].cancelled)
			*polc_vec_push(&polc->arena, &changed) = entries.items[i];
	if (!changed.n)
		return;
	qsort(changed.items, changed.n, sizeof(*changed.items), compare_places);
	examine_all(&search, &changed);
	if (out->list.n)
		qsort(out->list.items, out->list.n, sizeof(*out->list.items), compare_changes);
}
