/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * trace-oracle [--seed N] [--sets N] [--calls N]: random tracing policies, random calls, and what
 * the evaluator and the compiled programs make of them. Prints what differs: policies, call, both
 * answers. Exit 0: they agree; 1: they do not; 3: this machine cannot.
 * trace-oracle POLICY.yaml HOOK KEY=VALUE...: one call.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/backend/run_call.h"
#include "frontend/reader.h"
#include "generate.h"

enum { FACTS = 64, SHOWN = 3 };

struct options {
	uint64_t seed;
	unsigned sets, calls;
	bool verbose;
};
struct totals {
	unsigned run, open, left_out, refused, too_large, different;
};

struct set {
	struct polc polc;
	struct polc_input input;
	const struct polc_tracing *tracing;
};

static bool read_set(struct set *s, const char *text)
{
	static const struct polc_tracing_options none = {0};
	polc_yaml_documents documents = {0};

	memset(s, 0, sizeof(*s));
	polc_init(&s->polc);
	polc_yaml_parse_bytes(&s->polc,
		polc_source_add(&s->polc.arena, &s->polc.sources, "set.yaml", text, strlen(text)),
		&documents);
	for (size_t i = 0; i < documents.n; i++)
		polc_parse_tracing(&s->polc, &s->input.tracings, documents.items[i]);
	s->tracing = polc_lower_tracing(&s->polc, &s->input, &none);
	return !s->polc.n_errors;
}

static void print_difference(struct set *s, const struct polc_call *call,
	const struct polc_call_decision *decision, const char *difference)
{
	printf("mismatch: %s\n  %s\n  evaluator: %s\n", difference,
		polc_call_text(&s->polc.arena, call),
		polc_call_decision_text(&s->polc.arena, decision));
}

/* 0, or -errno. */
static int compare(
	struct set *s, const struct polc_call *const *calls, size_t n, struct totals *totals)
{
	static const struct polc_tracing_options none = {0};
	struct polc_call_run *runs = POLC_NEW_ARRAY(&s->polc.arena, n + 1, struct polc_call_run);
	unsigned shown = 0;
	int err = polc_run_calls(&s->polc, s->tracing, &none, calls, n, runs);

	for (size_t i = 0; i < n && !err; i++) {
		struct polc_call_decision decision;

		polc_call_decide(&s->polc, &s->polc.arena, s->tracing, calls[i], &decision);
		const char *difference =
			polc_call_run_difference(&s->polc.arena, &decision, &runs[i]);

		totals->run++;
		totals->open += !decision.certain;
		totals->left_out += runs[i].why != NULL;
		totals->different += difference != NULL;
		if (getenv("TRACE_ORACLE_WHY") && runs[i].why)
			printf("left out: %s\n", runs[i].why);
		if (difference && shown++ < SHOWN)
			print_difference(s, calls[i], &decision, difference);
	}
	return err;
}

static int run_set(const struct options *options, struct trace_random *random, unsigned number,
	struct totals *totals)
{
	struct polc_arena scratch = {0};
	const char *text = trace_generate_policies(&scratch, random);
	POLC_VEC(const struct polc_call *) calls = {0};
	struct set s;
	unsigned before = totals->different;
	int err = 0;

	if (!read_set(&s, text)) {
		totals->refused++;
		if (options->verbose) {
			polc_diagnostics_print_text(&s.polc, stdout, false);
			printf("%s\n", text);
		}
	} else {
		for (unsigned i = 0; i < options->calls; i++) {
			unsigned hook = trace_random(random, TRACE_HOOKS);
			struct polc_call_fact *facts =
				POLC_NEW_ARRAY(&s.polc.arena, FACTS, struct polc_call_fact);
			size_t n = trace_generate_facts(
				&s.polc.arena, random, s.tracing, hook, facts, FACTS);
			const struct polc_call *call = polc_call_make(&s.polc, s.tracing, NULL,
				trace_hook(&s.polc.arena, hook), (struct polc_span){0}, facts, n);

			if (!call)
				continue;
			*polc_vec_push(&s.polc.arena, &calls) = call;
		}
		if (s.polc.n_errors) {
			polc_diagnostics_print_text(&s.polc, stdout, false);
			totals->different++;
		}
		err = compare(&s, calls.items, calls.n, totals);
		/* more selectors on a hook than the verifier goes through */
		totals->too_large += err == -E2BIG;
		err = err == -E2BIG ? 0 : err;
		if (totals->different != before)
			printf("  set %u of seed %llu:\n%s\n", number,
				(unsigned long long)options->seed, text);
	}
	polc_free(&s.polc);
	polc_arena_free(&scratch);
	return err;
}

static int run_random(const struct options *options)
{
	struct totals totals = {0};
	int err = 0;

	for (unsigned i = 0; i < options->sets && !err; i++) {
		struct trace_random random = {
			options->seed * UINT64_C(0x9e3779b97f4a7c15) + i * UINT64_C(7919)};

		err = run_set(options, &random, i, &totals);
	}
	printf("%u sets (%u refused, %u too large), %u calls: %u open, %u that cannot be laid out, "
	       "%u differ\n",
		options->sets, totals.refused, totals.too_large, totals.run, totals.open,
		totals.left_out, totals.different);
	return err ? 3 : totals.different ? 1 : 0;
}

/* With the types of the kernel that runs, for `resolve`. */
static int run_one(char **arguments, int n)
{
	struct polc_tracing_options kernel = {0};
	struct polc_call_fact facts[FACTS] = {0};
	struct totals totals = {0};
	struct set s = {0};
	int err = 0;

	polc_init(&s.polc);
	if (polc_read_policies(&s.polc, &s.input, arguments[0]) < 0)
		return 3;
	polc_read_finish(&s.polc, &s.input);
	if (polc_target_open(&s.polc, "/sys/kernel/btf/vmlinux", &kernel.fallback) < 0)
		kernel.fallback = NULL;
	s.tracing = polc_lower_tracing(&s.polc, &s.input, &kernel);
	for (int i = 2; i < n && i < FACTS; i++) {
		size_t key = strcspn(arguments[i], "=");

		facts[i - 2].key = polc_arena_strndup(&s.polc.arena, arguments[i], key);
		facts[i - 2].value = arguments[i] + key + 1;
	}
	const struct polc_call *call = polc_call_make(&s.polc, s.tracing, &s.input.inventory,
		arguments[1], (struct polc_span){0}, facts, (size_t)n - 2);

	if (call)
		err = compare(&s, &call, 1, &totals);
	else
		polc_diagnostics_print_text(&s.polc, stdout, false);
	printf("%u open, %u that cannot be laid out\n", totals.open, totals.left_out);
	polc_target_close(kernel.fallback);
	polc_free(&s.polc);
	return err ? 3 : !call || totals.different || totals.left_out ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct options options = {.seed = 1, .sets = 4, .calls = 300};

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2 && strncmp(argv[1], "--", 2))
		return run_one(argv + 1, argc - 1);
	for (int i = 1; i + 1 < argc; i += 2) {
		unsigned long value = strtoul(argv[i + 1], NULL, 0);

		if (!strcmp(argv[i], "--seed"))
			options.seed = value;
		else if (!strcmp(argv[i], "--sets"))
			options.sets = (unsigned)value;
		else if (!strcmp(argv[i], "--calls"))
			options.calls = (unsigned)value;
		else if (!strcmp(argv[i], "--verbose"))
			options.verbose = value;
		else
			return 2;
	}
	return run_random(&options);
}
