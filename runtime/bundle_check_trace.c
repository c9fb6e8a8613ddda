/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tables of tracing policies against what they point into. What becomes part of a path, of a
 * kernel's table of symbols or of a map's size is checked here too, so that the loader need not.
 */
#include "bundle_check.h"

#include <string.h>

#define N_SECTIONS 6 /* kinds of hooks that a policy can name */
#define ALL_HOOK_FLAGS                                                                             \
	(POLB_TRACE_OPTIONAL | POLB_TRACE_TRACKING | POLB_TRACE_ENFORCES |                         \
		POLB_TRACE_OPTIONAL_DIGEST | POLB_TRACE_BY_PATTERN)
#define ALL_PROGRAM_FLAGS                                                                          \
	(POLB_PROGRAM_IS_ADDRESS | POLB_PROGRAM_OVERRIDES | POLB_PROGRAM_SLEEPABLE |               \
		POLB_PROGRAM_EXACT_ARGUMENTS)
#define ALL_ACTIONS ((1ull << POLB_N_TRACE_ACTIONS) - 1)
#define MAX_BIT_WORDS 1024
#define MAX_DOMAINS 65536
#define MAX_NETS 65536
#define MAX_USDT 65536
#define MAX_NAME 127
#define N_STRING_OPS 3 /* equal, prefix, postfix */

static const __u32 string_bytes[N_STRING_OPS] = {4096, 252, 124};

static const char *text_of(const struct polb_check *c, __u32 offset)
{
	return c->b->strings + offset;
}

/* 1 to MAX_NAME letters, digits and what else symbols, hooks and events are made of. */
static bool is_symbol(const char *text, size_t n)
{
	if (n < 1 || n > MAX_NAME || text[0] == '.')
		return false;
	for (size_t i = 0; i < n; i++) {
		bool letter = (text[i] >= 'a' && text[i] <= 'z') ||
			      (text[i] >= 'A' && text[i] <= 'Z') ||
			      (text[i] >= '0' && text[i] <= '9');

		if (!letter && !strchr("_.$-", text[i]))
			return false;
	}
	return true;
}

/* "subsystem/event": becomes a path below events/. */
static bool is_event(const char *text)
{
	size_t n = strcspn(text, "/");

	return text[n] && is_symbol(text, n) && is_symbol(text + n + 1, strlen(text + n + 1));
}

static bool is_user(__u32 mechanism)
{
	return mechanism == POLB_MECHANISM_UPROBE || mechanism == POLB_MECHANISM_URETPROBE ||
	       mechanism == POLB_MECHANISM_USDT;
}

static bool target_ok(const struct polb_check *c, const struct polb_bundle_trace_program *p)
{
	const char *target = text_of(c, p->target), *symbol = text_of(c, p->symbol);

	if (p->mechanism == POLB_MECHANISM_TRACEPOINT)
		return is_event(target);
	if (!is_user(p->mechanism))
		return is_symbol(target, strlen(target));
	if (p->mechanism == POLB_MECHANISM_USDT && !strchr(symbol, ':'))
		return false;
	return *target;
}

static int check_tables(const struct polb_check *c)
{
	const struct polb_bundle *b = c->b;
	const struct polb_manifest *m = &b->manifest;

	if (m->binary_words > MAX_BIT_WORDS || m->workload_words > MAX_BIT_WORDS)
		return polb_bundle_fail(c->error, "tracing: too many bits of processes");
	if (m->n_trace_selectors < b->n_trace_selectors ||
		m->n_trace_selectors - b->n_trace_selectors > b->n_trace_specs)
		return polb_bundle_fail(c->error, "tracing: counters do not match the selectors");
	if (b->n_trace_hooks == 0)
		return polb_bundle_fail(c->error, "tracing: no hooks");
	return 0;
}

static int check_policies(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_trace_policies; i++) {
		const struct polb_bundle_trace_policy *p = &c->b->trace_policies[i];

		if (!polb_strings_ok(c, &p->name, 3) || p->mode > POLB_MODE_MONITOR_ONLY ||
			p->enforces > 1 || (p->file && p->file >= c->b->source_strings_size))
			return polb_check_fail(c, "tracing policies", i);
	}
	return 0;
}

static int check_specs(const struct polb_check *c)
{
	const struct polb_bundle *b = c->b;

	for (size_t i = 0; i < b->n_trace_specs; i++) {
		const struct polb_bundle_trace_spec *s = &b->trace_specs[i];

		if (s->policy >= b->n_trace_policies || s->section >= N_SECTIONS || s->raw > 1 ||
			!polb_range_ok(s->first_symbol, s->n_symbols, b->n_trace_symbols) ||
			!polb_range_ok(s->first_value, s->n_values, b->n_trace_values) ||
			!polb_range_ok(s->first_selector, s->n_selectors, b->n_trace_selectors) ||
			!polb_range_ok(s->first_tag, s->n_tags, b->n_values) ||
			!polb_string_ok(c, s->message) || !polb_strings_ok(c, &s->path, 3))
			return polb_check_fail(c, "tracing specs", i);
		for (__u32 k = 0; k < s->n_selectors; k++)
			if (b->trace_selectors[s->first_selector + k].spec != i)
				return polb_check_fail(c, "tracing specs", i);
	}
	for (size_t i = 0; i < b->n_trace_symbols; i++)
		if (!polb_string_ok(c, b->trace_symbols[i].name))
			return polb_check_fail(c, "tracing symbols", i);
	return 0;
}

static int check_values(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_trace_values; i++) {
		const struct polb_bundle_trace_value *v = &c->b->trace_values[i];

		if (v->place > POLB_ARGUMENT_RETURN || v->type >= POLB_N_TRACE_TYPES ||
			v->type == POLB_TYPE_AUTO || !polb_strings_ok(c, &v->label, 2))
			return polb_check_fail(c, "tracing values", i);
	}
	return 0;
}

static int check_trace_selectors(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_trace_selectors; i++) {
		const struct polb_bundle_trace_selector *s = &c->b->trace_selectors[i];

		if (s->spec >= c->b->n_trace_specs || !polb_string_ok(c, s->label) ||
			((s->actions | s->return_actions) & ~ALL_ACTIONS) ||
			!polb_strings_ok(c, &s->url, 2))
			return polb_check_fail(c, "tracing selectors", i);
	}
	return 0;
}

static bool condition_has_workload(
	const struct polb_bundle *b, const struct polb_bundle_trace_condition *t)
{
	return t->kind != POLB_CONDITION_WORKLOAD || !b->n_trace_workloads ||
	       t->word * 64ull + t->bit < b->n_trace_workloads;
}

static bool condition_ok(const struct polb_check *c, const struct polb_bundle_trace_condition *t)
{
	const struct polb_manifest *m = &c->b->manifest;
	__u32 words = t->kind == POLB_CONDITION_BINARY     ? m->binary_words
		      : t->kind == POLB_CONDITION_WORKLOAD ? m->workload_words
							   : 1;

	return t->spec < c->b->n_trace_specs &&
	       (t->selector == ~0u || t->selector < c->b->n_trace_selectors) && t->kind &&
	       t->kind <= POLB_CONDITION_OTHER && t->flags < 2 * POLB_CONDITION_HOST &&
	       t->word < words && t->bit < 64 && condition_has_workload(c->b, t) &&
	       polb_string_ok(c, t->text);
}

static int check_conditions(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_trace_conditions; i++)
		if (!condition_ok(c, &c->b->trace_conditions[i]))
			return polb_check_fail(c, "tracing conditions", i);
	return 0;
}

static int check_hooks(const struct polb_check *c)
{
	const struct polb_bundle *b = c->b;

	for (size_t i = 0; i < b->n_trace_hooks; i++) {
		const struct polb_bundle_trace_hook *h = &b->trace_hooks[i];

		if (!polb_string_ok(c, h->text) || (h->flags & ~(__u32)ALL_HOOK_FLAGS) ||
			h->n_alternatives == 0 ||
			!polb_range_ok(
				h->first_alternative, h->n_alternatives, b->n_trace_alternatives))
			return polb_check_fail(c, "tracing hooks", i);
	}
	for (size_t i = 0; i < b->n_trace_alternatives; i++) {
		const struct polb_bundle_trace_alternative *a = &b->trace_alternatives[i];

		if (!polb_string_ok(c, a->reason) || a->n_programs == 0 ||
			!polb_range_ok(a->first_program, a->n_programs, b->n_trace_programs))
			return polb_check_fail(c, "tracing alternatives", i);
	}
	return 0;
}

static int check_programs(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_trace_programs; i++) {
		const struct polb_bundle_trace_program *p = &c->b->trace_programs[i];

		if (!polb_string_ok(c, p->name) || p->mechanism >= POLB_N_MECHANISMS ||
			!polb_string_ok(c, p->target) || !polb_string_ok(c, p->symbol) ||
			!polb_string_ok(c, p->same_as) || (p->flags & ~(__u32)ALL_PROGRAM_FLAGS) ||
			!polb_range_ok(p->first_digest, p->n_digests, c->b->n_values) ||
			p->usdt >= MAX_USDT ||
			!is_symbol(text_of(c, p->name), strlen(text_of(c, p->name))) ||
			!target_ok(c, p))
			return polb_check_fail(c, "tracing programs", i);
	}
	return 0;
}

static int check_trace_strings(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_trace_strings; i++) {
		const struct polb_bundle_trace_string *s = &c->b->trace_strings[i];

		if (s->domain >= MAX_DOMAINS || s->op >= N_STRING_OPS ||
			s->size > string_bytes[s->op] || s->offset % 8 ||
			!polb_range_ok(s->offset, s->size, c->b->n_trace_bytes))
			return polb_check_fail(c, "tracing strings", i);
	}
	return 0;
}

static int check_sets(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_trace_intervals; i++)
		if (c->b->trace_intervals[i].lo > c->b->trace_intervals[i].hi)
			return polb_check_fail(c, "tracing intervals", i);
	for (size_t i = 0; i < c->b->n_trace_nets; i++)
		if (c->b->trace_nets[i].set >= MAX_NETS ||
			!polb_prefix_ok(&c->b->trace_nets[i].prefix))
			return polb_check_fail(c, "tracing networks", i);
	return 0;
}

static int check_cgroups(const struct polb_check *c)
{
	const struct polb_bundle *b = c->b;

	for (size_t i = 0; i < b->n_trace_cgroups; i++) {
		const struct polb_bundle_trace_cgroup *g = &b->trace_cgroups[i];

		if (!polb_strings_ok(c, &g->cgroup, 6) ||
			!polb_range_ok(
				g->first_word, b->manifest.workload_words, b->n_trace_words) ||
			!polb_range_ok(g->first_label, g->n_labels, b->n_labels))
			return polb_check_fail(c, "tracing cgroups", i);
	}
	return 0;
}

/* Bundles of an older polc have none; all of them otherwise, in order, so that a bit is one. */
static int check_workloads(const struct polb_check *c)
{
	const struct polb_bundle *b = c->b;

	for (size_t i = 0; i < b->n_trace_workloads; i++) {
		const struct polb_bundle_trace_workload *w = &b->trace_workloads[i];

		if (!polb_string_ok(c, w->namespace) ||
			w->flags > (POLB_WORKLOAD_PODS | POLB_WORKLOAD_CONTAINERS |
					   POLB_WORKLOAD_HOST) ||
			(w->n_pods && !(w->flags & POLB_WORKLOAD_PODS)) ||
			(w->n_containers && !(w->flags & POLB_WORKLOAD_CONTAINERS)) ||
			!polb_range_ok(w->first_pod, w->n_pods, b->n_requirements) ||
			!polb_range_ok(w->first_container, w->n_containers, b->n_requirements))
			return polb_check_fail(c, "tracing workloads", i);
	}
	if (b->n_trace_workloads && (b->n_trace_workloads + 63) / 64 != b->manifest.workload_words)
		return polb_bundle_fail(c->error, "tracing workloads: %zu do not fill %u words",
			b->n_trace_workloads, b->manifest.workload_words);
	return 0;
}

static bool has_trace_tables(const struct polb_bundle *b)
{
	const struct polb_manifest *m = &b->manifest;

	return b->n_trace_policies || b->n_trace_specs || b->n_trace_symbols || b->n_trace_values ||
	       b->n_trace_selectors || b->n_trace_conditions || b->n_trace_hooks ||
	       b->n_trace_alternatives || b->n_trace_programs || b->n_trace_strings ||
	       b->n_trace_bytes || b->n_trace_automata || b->n_trace_intervals || b->n_trace_nets ||
	       b->n_trace_cgroups || b->n_trace_words || b->n_trace_workloads || m->binary_words ||
	       m->workload_words || m->n_trace_selectors;
}

int polb_bundle_check_trace(const struct polb_bundle *bundle, char error[POLB_ERROR_TEXT])
{
	static int (*const checks[])(const struct polb_check *) = {check_tables, check_policies,
		check_specs, check_values, check_trace_selectors, check_conditions, check_hooks,
		check_programs, check_trace_strings, check_sets, check_cgroups, check_workloads};
	const struct polb_check c = {.b = bundle, .error = error};
	int err = 0;

	if (!(bundle->manifest.hooks & POLB_HOOK_TRACE))
		return has_trace_tables(bundle)
			       ? polb_bundle_fail(error, "tracing tables without tracing programs")
			       : 0;
	for (size_t i = 0; !err && i < sizeof(checks) / sizeof(checks[0]); i++)
		err = checks[i](&c);
	return err;
}
