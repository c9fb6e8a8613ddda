/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polc explain --plan --format json`: what plan_trace_print.c says, as one object. */
#include "plan_tracing_internal.h"

struct printer {
	const struct polc_tracing_plan *plan;
	struct polc *polc;
	struct polc_buf *out;
};

static const char *boolean(bool value)
{
	return value ? "true" : "false";
}

/* ---- alternatives ---- */

static void add_program(const struct printer *p, const struct polc_trace_program *program)
{
	polc_buf_puts(p->out, "{");
	polc_buf_json_member(p->out, "name", program->name);
	polc_buf_json_member(p->out, "mechanism", polc_mechanism_name(program->mechanism));
	polc_buf_json_member(p->out, "target", program->target);
	polc_buf_json_member(p->out, "symbol", program->symbol);
	polc_buf_printf(
		p->out, "\"overrides\":%s}", boolean(program->flags & POLB_PROGRAM_OVERRIDES));
}

static void add_alternatives(const struct printer *p, const struct polc_trace_hook *hook)
{
	polc_buf_puts(p->out, "\"alternatives\":[");
	for (uint32_t i = 0; i < hook->n_alternatives; i++) {
		const struct polc_trace_alternative *a = &hook->alternatives[i];

		polc_buf_puts(p->out, i ? ",{" : "{");
		polc_buf_json_member(p->out, "reason", a->reason);
		polc_buf_puts(p->out, "\"programs\":[");
		for (uint32_t j = 0; j < a->n_programs; j++) {
			polc_buf_puts(p->out, j ? "," : "");
			add_program(p, &a->programs[j]);
		}
		polc_buf_puts(p->out, "]}");
	}
	polc_buf_puts(p->out, "],");
}

/* ---- selectors ---- */

static void add_actions(const struct printer *p, uint64_t mask)
{
	static const char *const names[] = {
#define X(name, text) text,
		POLB_TRACE_ACTIONS(X)
#undef X
	};
	const char *comma = "";

	polc_buf_puts(p->out, "\"actions\":[");
	for (size_t i = 0; i < POLC_ARRAY_SIZE(names); i++) {
		if (!(mask >> i & 1))
			continue;
		polc_buf_printf(p->out, "%s\"%s\"", comma, names[i]);
		comma = ",";
	}
	polc_buf_puts(p->out, "],");
}

/* Where the data of the test is: members behind its name and cost. */
static void add_lookup(const struct printer *p, const struct polc_trace_test *test,
	const struct polc_trace_lookup *lookup)
{
	if (test->kind == POLC_TEST_STRING || test->kind == POLC_TEST_BINARY)
		polc_buf_printf(p->out,
			",\"operator\":\"%s\",\"strings\":%zu,\"domain\":%u,\"bit\":%u",
			polc_string_op_name(test->string_op), test->strings.n, lookup->domain,
			lookup->bit);
	else if (test->kind == POLC_TEST_ADDRESS)
		polc_buf_printf(p->out, ",\"networks\":%zu,\"lookup\":\"%s\"", test->prefixes.n,
			lookup->net4 || lookup->net6 ? "longest prefix" : "compared");
	else if (lookup->n)
		polc_buf_printf(p->out, ",\"ranges\":%u,\"lookup\":\"binary search\"", lookup->n);
	else if (test->intervals.n || test->pids.n)
		polc_buf_printf(p->out, ",\"ranges\":%zu,\"lookup\":\"compared\"",
			test->intervals.n + test->pids.n);
}

static void add_tests(const struct printer *p, const struct polc_trace_spec *spec, const char *key,
	const polc_trace_tests *tests, const struct polc_trace_lookup *lookups)
{
	polc_buf_printf(p->out, "\"%s\":[", key);
	for (size_t i = 0; i < tests->n; i++) {
		const struct polc_trace_test *test = &tests->items[i];

		polc_buf_puts(p->out, i ? ",{" : "{");
		polc_buf_json_member(p->out, "test", polc_trace_test_name(test->kind));
		polc_buf_printf(p->out, "\"negate\":%s,\"cost\":%u", boolean(test->negate),
			polc_trace_test_cost(spec, test));
		add_lookup(p, test, &lookups[i]);
		polc_buf_puts(p->out, "}");
	}
	polc_buf_puts(p->out, "]");
}

static void add_selectors(const struct printer *p, const struct polc_trace_spec *spec)
{
	polc_buf_puts(p->out, "\"selectors\":[");
	for (size_t i = 0; i < spec->selectors.n; i++) {
		const struct polc_trace_selector *s = &spec->selectors.items[i];
		const struct polc_trace_lookup *lookups = p->plan->lookups[s->number];

		polc_buf_printf(p->out, "%s{\"number\":%u,", i ? "," : "", s->number);
		polc_buf_json_member(p->out, "source", polc_span_place(p->polc, s->span));
		add_actions(p, s->action_mask | s->return_action_mask);
		add_tests(p, spec, "tests", &s->tests, lookups);
		polc_buf_puts(p->out, ",");
		add_tests(p, spec, "return_tests", &s->return_tests, lookups + s->tests.n);
		polc_buf_puts(p->out, "}");
	}
	polc_buf_puts(p->out, "]");
}

/* ---- specs ---- */

static void add_values(const struct printer *p, const struct polc_trace_spec *spec)
{
	polc_buf_puts(p->out, "\"reads\":[");
	for (size_t i = 0; i < spec->values.n; i++)
		polc_buf_printf(p->out, "%s\"%s\"", i ? "," : "",
			polc_trace_type_name(spec->values.items[i].type));
	polc_buf_puts(p->out, "],");
}

static void add_specs(const struct printer *p, const struct polc_trace_hook *hook)
{
	polc_buf_puts(p->out, "\"specs\":[");
	for (uint32_t i = 0; i < hook->n_members; i++) {
		const struct polc_trace_spec *spec =
			&p->plan->tracing->specs[hook->members[i].spec];
		const struct polc_trace_policy *policy = &p->plan->tracing->policies[spec->policy];

		polc_buf_printf(p->out, "%s{\"number\":%u,", i ? "," : "", spec->number);
		polc_buf_json_member(p->out, "namespace", policy->namespace);
		polc_buf_json_member(p->out, "policy", policy->name);
		polc_buf_json_member(p->out, "source", polc_span_place(p->polc, spec->span));
		add_values(p, spec);
		add_selectors(p, spec);
		polc_buf_puts(p->out, "}");
	}
	polc_buf_puts(p->out, "]");
}

static void add_hook(const struct printer *p, const struct polc_trace_hook *hook)
{
	polc_buf_puts(p->out, "{");
	polc_buf_json_member(p->out, "hook", hook->text);
	polc_buf_printf(p->out, "\"optional\":%s,\"enforces\":%s,",
		boolean(hook->flags & POLB_TRACE_OPTIONAL),
		boolean(hook->flags & POLB_TRACE_ENFORCES));
	add_alternatives(p, hook);
	polc_buf_puts(p->out, "\"enforcers\":[");
	for (uint32_t i = 0; i < hook->n_enforcers; i++) {
		polc_buf_puts(p->out, i ? "," : "");
		polc_buf_json(p->out, p->plan->tracing->policies[hook->enforcers[i]].name);
	}
	polc_buf_puts(p->out, "],");
	add_specs(p, hook);
	polc_buf_puts(p->out, "}");
}

static void add_domain(const struct printer *p, const struct polc_string_domain *d)
{
	size_t n = 0;

	for (uint32_t i = 0; i < d->n_sets; i++)
		n += d->sets[i].strings->n;
	polc_buf_printf(p->out,
		"{\"number\":%u,\"binaries\":%s,\"sets\":%u,\"strings\":%zu,\"hash\":%s,"
		"\"prefix_trie\":%s,\"postfix_trie\":%s,\"automaton\":%s}",
		d->id, boolean(d->id < p->plan->binary_words), d->n_sets, n, boolean(d->equal),
		boolean(d->prefix), boolean(d->postfix), boolean(d->automaton || d->folded));
}

void polc_plan_tracing_json(
	const struct polc_tracing_plan *plan, struct polc *polc, struct polc_buf *out)
{
	const struct printer p = {.plan = plan, .polc = polc, .out = out};

	polc_buf_puts(out, "{\"hooks\":[");
	for (uint32_t i = 0; i < plan->n_hooks; i++) {
		polc_buf_puts(out, i ? "," : "");
		add_hook(&p, &plan->hooks[i]);
	}
	polc_buf_puts(out, "],\"domains\":[");
	for (uint32_t i = 0; i < plan->n_domains; i++) {
		polc_buf_puts(out, i ? "," : "");
		add_domain(&p, &plan->domains[i]);
	}
	polc_buf_puts(out, "]}\n");
}
