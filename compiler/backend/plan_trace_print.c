/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * `polc explain --plan`: each hook with its mechanisms and their reasons, the specs on it with
 * their places, the values they read, what their tests look up and about what a call that does not
 * match costs.
 */
#include <string.h>

#include "plan_tracing_internal.h"

struct printer {
	const struct polc_tracing_plan *plan;
	struct polc *polc;
	struct polc_buf *out;
};

const char *polc_mechanism_name(enum polb_mechanism mechanism)
{
	static const char *const names[] = {
#define X(name, text) [POLB_MECHANISM_##name] = text,
		POLB_MECHANISMS(X)
#undef X
	};

	return names[mechanism];
}

const char *polc_span_place(struct polc *polc, struct polc_span span)
{
	if (!span.source)
		return "";
	struct polc_position at =
		polc_source_position(&polc->arena, &polc->sources, span.source, span.begin);

	return polc_arena_printf(
		&polc->arena, "%s:%u", polc_source_get(&polc->sources, span.source)->path, at.line);
}

/* ---- alternatives ---- */

static void print_alternative(
	const struct printer *p, const struct polc_trace_alternative *a, bool first)
{
	polc_buf_puts(p->out, first ? "  by " : "  or ");
	for (uint32_t i = 0; i < a->n_programs; i++)
		polc_buf_printf(p->out, "%s%s %s%s%s%s", i ? " + " : "",
			polc_mechanism_name(a->programs[i].mechanism), a->programs[i].target,
			a->programs[i].symbol ? " " : "",
			a->programs[i].symbol ? a->programs[i].symbol : "",
			a->programs[i].flags & POLB_PROGRAM_OVERRIDES ? " (override)" : "");
	polc_buf_printf(p->out, ": %s\n", a->reason);
}

/* ---- what is looked up ---- */

const char *polc_string_op_name(enum polc_string_op op)
{
	static const char *const names[POLC_N_STRING_OPS] = {
		[POLC_STRING_EQUAL] = "equal",
		[POLC_STRING_PREFIX] = "prefix",
		[POLC_STRING_POSTFIX] = "postfix",
		[POLC_STRING_SUBSTRING] = "substring",
		[POLC_STRING_SUBSTRING_FOLDED] = "substring, case ignored",
	};

	return names[op];
}

const char *polc_trace_test_name(enum polc_trace_test_kind kind)
{
	static const char *const names[] = {
		[POLC_TEST_INTERVALS] = "number",
		[POLC_TEST_MASK] = "mask",
		[POLC_TEST_STRING] = "string",
		[POLC_TEST_FILE_TYPE] = "file type",
		[POLC_TEST_ADDRESS] = "address",
		[POLC_TEST_PORT] = "port",
		[POLC_TEST_PROTOCOL] = "protocol",
		[POLC_TEST_FAMILY] = "family",
		[POLC_TEST_STATE] = "state",
		[POLC_TEST_CAPS_GAINED] = "capabilities gained",
		[POLC_TEST_EXPRESSION] = "expression",
		[POLC_TEST_PIDS] = "pid",
		[POLC_TEST_BINARY] = "binary",
		[POLC_TEST_NAMESPACE] = "namespace",
		[POLC_TEST_NAMESPACE_CHANGES] = "namespace changes",
		[POLC_TEST_CAPABILITIES] = "capabilities",
		[POLC_TEST_CAPABILITY_CHANGES] = "capability changes",
		[POLC_TEST_WORKLOAD] = "workload",
	};

	return names[kind];
}

/* Guest instructions, about: what the library's budgets say. */
unsigned polc_trace_test_cost(
	const struct polc_trace_spec *spec, const struct polc_trace_test *test)
{
	switch (test->kind) {
	case POLC_TEST_INTERVALS:
	case POLC_TEST_MASK:
	case POLC_TEST_CAPS_GAINED:
	case POLC_TEST_EXPRESSION:
		return 8 + 40 * (unsigned)spec->values.items[test->value].n_steps;
	case POLC_TEST_WORKLOAD:
	case POLC_TEST_BINARY:
		return 120; /* a hash lookup, shared */
	case POLC_TEST_PIDS:
		return test->follow_forks ? 600 : 30;
	case POLC_TEST_NAMESPACE:
	case POLC_TEST_CAPABILITIES:
	case POLC_TEST_FILE_TYPE:
		return 120;
	case POLC_TEST_NAMESPACE_CHANGES:
	case POLC_TEST_CAPABILITY_CHANGES:
		return 300;
	case POLC_TEST_ADDRESS:
	case POLC_TEST_PORT:
	case POLC_TEST_PROTOCOL:
	case POLC_TEST_FAMILY:
	case POLC_TEST_STATE:
		return 250;
	case POLC_TEST_STRING:
		return polc_trace_type_class(spec->values.items[test->value].type) ==
				       POLB_CLASS_PATH
			       ? 300
			       : 200;
	}
	POLC_BUG("unknown test %d", (int)test->kind);
}

static void print_lookup(const struct printer *p, const struct polc_trace_test *test,
	const struct polc_trace_lookup *lookup)
{
	size_t n_nets = test->prefixes.n;

	if (test->kind == POLC_TEST_STRING || test->kind == POLC_TEST_BINARY)
		polc_buf_printf(p->out, "%s%s, %zu string%s: bit %u of domain %u",
			test->negate ? "not " : "", polc_string_op_name(test->string_op),
			test->strings.n, test->strings.n == 1 ? "" : "s", lookup->bit,
			lookup->domain);
	else if (test->kind == POLC_TEST_ADDRESS)
		polc_buf_printf(p->out, "%s%zu network%s%s", test->negate ? "not " : "", n_nets,
			n_nets == 1 ? "" : "s",
			lookup->net4 || lookup->net6 ? ": a longest-prefix lookup" : ", compared");
	else if (lookup->n)
		polc_buf_printf(p->out, "%s%u ranges: a binary search", test->negate ? "not " : "",
			lookup->n);
	else if (test->intervals.n || test->pids.n)
		polc_buf_printf(p->out, "%s%zu range%s, compared", test->negate ? "not " : "",
			test->intervals.n + test->pids.n,
			test->intervals.n + test->pids.n == 1 ? "" : "s");
	else
		polc_buf_puts(p->out, test->negate ? "not, in place" : "in place");
}

static void print_tests(const struct printer *p, const struct polc_trace_spec *spec,
	const struct polc_trace_test *tests, size_t n, const struct polc_trace_lookup *lookups,
	const char *when)
{
	for (size_t i = 0; i < n; i++) {
		polc_buf_printf(p->out, "      %s%-12s ~%-4u ", when,
			polc_trace_test_name(tests[i].kind), polc_trace_test_cost(spec, &tests[i]));
		print_lookup(p, &tests[i], &lookups[i]);
		polc_buf_puts(p->out, "\n");
	}
}

/* ---- specs ---- */

static const char *origin_text(const struct printer *p, const struct polc_trace_value *v)
{
	switch (v->origin) {
	case POLC_ORIGIN_ARGUMENT:
		return polc_arena_printf(&p->polc->arena, "argument %u", v->number);
	case POLC_ORIGIN_FIELD:
		return polc_arena_printf(
			&p->polc->arena, "field %s", v->field ? v->field->name : "?");
	case POLC_ORIGIN_RESULT:
		return "result";
	case POLC_ORIGIN_TASK:
		return "current task";
	case POLC_ORIGIN_REGISTER:
		return polc_arena_printf(&p->polc->arena, "register at %u", v->reg_offset);
	case POLC_ORIGIN_USDT:
		return polc_arena_printf(&p->polc->arena, "probe argument %u", v->number);
	}
	POLC_BUG("unknown origin %d", (int)v->origin);
}

static void print_values(const struct printer *p, const struct polc_trace_spec *spec)
{
	polc_buf_puts(p->out, "    reads ");
	for (uint32_t i = 0; i < spec->values.n; i++) {
		const struct polc_trace_value *v = &spec->values.items[i];

		polc_buf_printf(p->out, "%s%s as %s%s", i ? ", " : "", origin_text(p, v),
			polc_trace_type_name(v->type), v->typed ? " (typed)" : "");
		for (size_t j = 0; j < v->n_steps; j++)
			if (v->steps[j].struct_name)
				polc_buf_printf(p->out, ".%s", v->steps[j].member);
			else
				polc_buf_printf(p->out, "[%u]", v->steps[j].index);
	}
	polc_buf_puts(p->out, spec->values.n ? "\n" : "no argument\n");
}

static void print_actions(const struct printer *p, uint64_t mask)
{
	static const char *const names[] = {
#define X(name, text) [POLB_ACTION_##name] = text,
		POLB_TRACE_ACTIONS(X)
#undef X
	};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(names); i++)
		if (mask >> i & 1)
			polc_buf_printf(p->out, " %s", names[i]);
}

static void print_spec(const struct printer *p, const struct polc_trace_member *member)
{
	const struct polc_trace_spec *spec = &p->plan->tracing->specs[member->spec];
	const struct polc_trace_policy *policy = &p->plan->tracing->policies[spec->policy];

	polc_buf_printf(p->out, "  spec %u of %s%s%s, %s\n", spec->number,
		policy->namespace ? policy->namespace : "", policy->namespace ? "/" : "",
		policy->name, polc_span_place(p->polc, spec->span));
	if (member->kind == POLC_MEMBER_LIST)
		polc_buf_printf(p->out, "    %zu system calls by number\n", spec->symbols.n);
	if (policy->has_workload)
		polc_buf_printf(p->out, "    of workload %u\n", policy->workload);
	print_values(p, spec);
	for (size_t i = 0; i < spec->selectors.n; i++) {
		const struct polc_trace_selector *s = &spec->selectors.items[i];
		const struct polc_trace_lookup *lookups = p->plan->lookups[s->number];

		polc_buf_printf(p->out, "    selector %u, %s:", s->number,
			polc_span_place(p->polc, s->span));
		print_actions(p, s->action_mask | s->return_action_mask);
		polc_buf_puts(p->out, "\n");
		print_tests(p, spec, s->tests.items, s->tests.n, lookups, "");
		print_tests(p, spec, s->return_tests.items, s->return_tests.n, lookups + s->tests.n,
			"return: ");
	}
	if (!spec->selectors.n)
		polc_buf_puts(p->out, "    no selector: every call is posted\n");
}

static void print_hook(const struct printer *p, const struct polc_trace_hook *hook)
{
	polc_buf_printf(p->out, "%s%s\n", hook->text,
		hook->flags & POLB_TRACE_OPTIONAL ? " (if it exists)" : "");
	for (uint32_t i = 0; i < hook->n_alternatives; i++)
		print_alternative(p, &hook->alternatives[i], i == 0);
	for (uint32_t i = 0; i < hook->n_enforcers; i++)
		polc_buf_printf(p->out, "  enforcer of %s\n",
			p->plan->tracing->policies[hook->enforcers[i]].name);
	for (uint32_t i = 0; i < hook->n_members; i++)
		print_spec(p, &hook->members[i]);
}

/* ---- domains ---- */

static void print_domain(const struct printer *p, const struct polc_string_domain *d)
{
	size_t n = 0;

	for (uint32_t i = 0; i < d->n_sets; i++)
		n += d->sets[i].strings->n;
	polc_buf_printf(p->out, "domain %u%s: %u set%s, %zu string%s%s%s%s%s", d->id,
		d->id < p->plan->binary_words ? " of binaries" : "", d->n_sets,
		d->n_sets == 1 ? "" : "s", n, n == 1 ? "" : "s", d->equal ? ", hash" : "",
		d->prefix ? ", prefix trie" : "", d->postfix ? ", postfix trie" : "",
		d->automaton || d->folded ? ", automaton" : "");
	if (d->leaf_only)
		polc_buf_puts(p->out, "; the last component decides first");
	if (d->n_roots)
		polc_buf_puts(p->out, "; the first component decides first");
	polc_buf_puts(p->out, "\n");
}

void polc_plan_tracing_print(
	const struct polc_tracing_plan *plan, struct polc *polc, struct polc_buf *out)
{
	const struct printer p = {.plan = plan, .polc = polc, .out = out};

	for (uint32_t i = 0; i < plan->n_hooks; i++)
		print_hook(&p, &plan->hooks[i]);
	for (uint32_t i = 0; i < plan->n_domains; i++)
		print_domain(&p, &plan->domains[i]);
}

void polc_plan_tracing_print_spec(const struct polc_tracing_plan *plan, struct polc *polc,
	uint32_t spec, struct polc_buf *out)
{
	const struct printer p = {.plan = plan, .polc = polc, .out = out};

	for (uint32_t i = 0; i < plan->n_hooks; i++)
		for (uint32_t j = 0; j < plan->hooks[i].n_members; j++)
			if (plan->hooks[i].members[j].spec == spec) {
				print_hook(&p, &plan->hooks[i]);
				break;
			}
}
