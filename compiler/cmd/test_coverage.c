/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Coverage: the rules of network policies and the selectors of tracing policies that decided at
 * least one question. A rule is what stands at one place of one file, however many tests read it.
 */
#include <stdlib.h>
#include <string.h>

#include "test.h"

static void add(struct polc_test_run *run, struct polc_coverage *out, struct polc_span span,
	const char *kind, const char *policy, unsigned hits)
{
	struct polc *polc = &run->cmd.polc;
	struct polc_position place =
		polc_source_position(&polc->arena, &polc->sources, span.source, span.begin);

	*polc_vec_push(&polc->arena, &out->items) = (struct polc_covered){.span = span,
		.file = polc_source_get(&polc->sources, span.source)->path,
		.line = place.line,
		.column = place.column,
		.hits = hits,
		.kind = kind,
		.policy = policy};
}

static void add_network(
	struct polc_test_run *run, const struct polc_test_world *world, struct polc_coverage *out)
{
	for (size_t i = 0; i < world->network->n_rules; i++) {
		const struct polc_net_rule *rule = &world->network->rules[i];
		const struct polc_net_policy *policy = &world->network->policies[rule->policy];

		add(run, out, rule->span, "rule",
			polc_arena_printf(&run->cmd.polc.arena, "%s%s%s",
				policy->namespace ? policy->namespace : "",
				policy->namespace ? "/" : "", policy->name),
			world->rule_hits[i]);
	}
}

static void add_tracing(
	struct polc_test_run *run, const struct polc_test_world *world, struct polc_coverage *out)
{
	for (size_t i = 0; i < world->tracing->n_specs; i++) {
		const struct polc_trace_spec *spec = &world->tracing->specs[i];
		const char *name = world->tracing->policies[spec->policy].name;

		for (size_t j = 0; j < spec->selectors.n; j++)
			add(run, out, spec->selectors.items[j].span, "selector", name,
				world->selector_hits[spec->selectors.items[j].number]);
		if (!spec->selectors.n)
			add(run, out, spec->span, "hook", name, world->spec_hits[i]);
	}
}

static int compare(const void *left, const void *right)
{
	const struct polc_covered *a = left, *b = right;
	int order = strcmp(a->file, b->file);

	if (!order)
		order = (a->line > b->line) - (a->line < b->line);
	if (!order)
		order = (a->column > b->column) - (a->column < b->column);
	return order ? order : strcmp(a->policy, b->policy);
}

void polc_test_coverage(struct polc_test_run *run, struct polc_coverage *out)
{
	size_t n = 0;

	*out = (struct polc_coverage){0};
	for (size_t i = 0; i < run->worlds.n; i++) {
		if (run->worlds.items[i]->exit_code != POLC_EXIT_OK)
			continue;
		add_network(run, run->worlds.items[i], out);
		add_tracing(run, run->worlds.items[i], out);
	}
	if (out->items.n)
		qsort(out->items.items, out->items.n, sizeof(*out->items.items), compare);
	for (size_t i = 0; i < out->items.n; i++) {
		if (n && !compare(&out->items.items[n - 1], &out->items.items[i]))
			out->items.items[n - 1].hits += out->items.items[i].hits;
		else
			out->items.items[n++] = out->items.items[i];
	}
	out->items.n = n;
	for (size_t i = 0; i < n; i++)
		out->n_covered += out->items.items[i].hits > 0;
}

double polc_coverage_percent(const struct polc_coverage *coverage)
{
	return coverage->items.n ? 100.0 * (double)coverage->n_covered / (double)coverage->items.n
				 : 100.0;
}

static void print_text(const struct polc_coverage *coverage, struct polc_buf *out)
{
	polc_buf_printf(out, "coverage: %.1f%%, %zu of %zu rules and selectors decided something\n",
		polc_coverage_percent(coverage), coverage->n_covered, coverage->items.n);
	for (size_t i = 0; i < coverage->items.n; i++) {
		const struct polc_covered *item = &coverage->items.items[i];

		if (!item->hits)
			polc_buf_printf(out, "%s:%u:%u: %s of %s never decides\n", item->file,
				item->line, item->column, item->kind, item->policy);
	}
}

void polc_coverage_json(const struct polc_coverage *coverage, struct polc_buf *out)
{
	polc_buf_printf(out, "{\"covered\":%zu,\"total\":%zu,\"percent\":%.1f,\"rules\":[",
		coverage->n_covered, coverage->items.n, polc_coverage_percent(coverage));
	for (size_t i = 0; i < coverage->items.n; i++) {
		const struct polc_covered *item = &coverage->items.items[i];

		polc_buf_puts(out, i ? ",\n {" : "\n {");
		polc_buf_json_member(out, "file", item->file);
		polc_buf_printf(out, "\"line\":%u,\"column\":%u,", item->line, item->column);
		polc_buf_json_member(out, "kind", item->kind);
		polc_buf_json_member(out, "policy", item->policy);
		polc_buf_printf(out, "\"hits\":%u}", item->hits);
	}
	polc_buf_puts(out, "]}");
}

/* One DA per line: rules that share one are covered together only if each is. */
static size_t print_line(
	const struct polc_coverage *coverage, size_t i, struct polc_buf *out, unsigned *n_hit)
{
	const struct polc_covered *first = &coverage->items.items[i];
	unsigned hits = first->hits;
	size_t n = 1;

	for (; i + n < coverage->items.n; n++) {
		const struct polc_covered *item = &coverage->items.items[i + n];

		if (strcmp(item->file, first->file) || item->line != first->line)
			break;
		hits = item->hits < hits ? item->hits : hits;
	}
	polc_buf_printf(out, "DA:%u,%u\n", first->line, hits);
	*n_hit += hits > 0;
	return n;
}

static void print_lcov(const struct polc_coverage *coverage, struct polc_buf *out)
{
	for (size_t i = 0; i < coverage->items.n;) {
		const char *file = coverage->items.items[i].file;
		unsigned n_lines = 0, n_hit = 0;

		polc_buf_printf(out, "TN:\nSF:%s\n", file);
		for (; i < coverage->items.n && !strcmp(coverage->items.items[i].file, file);
			n_lines++)
			i += print_line(coverage, i, out, &n_hit);
		polc_buf_printf(out, "LF:%u\nLH:%u\nend_of_record\n", n_lines, n_hit);
	}
}

void polc_coverage_print(const struct polc_coverage *coverage, enum polc_coverage_format format,
	struct polc_buf *out)
{
	switch (format) {
	case POLC_COVERAGE_TEXT:
		print_text(coverage, out);
		break;
	case POLC_COVERAGE_JSON:
		polc_coverage_json(coverage, out);
		polc_buf_puts(out, "\n");
		break;
	case POLC_COVERAGE_LCOV:
		print_lcov(coverage, out);
		break;
	}
}
