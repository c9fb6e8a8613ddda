// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The oracle test: random policy sets, compiled and loaded for real, against the reference
 * evaluator and the model of bpf-templates/datapath.md. A case is one packet.
 *
 *   oracle [--seed S] [--cases N] [--sets M] [FILE...]   FILE: a kept case, replayed instead
 *   oracle --print --seed S                               the first set of a seed
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "battery.h"
#include "minimise.h"

enum { MINIMISE_ATTEMPTS = 400, ORDER_QUESTIONS = 100 };

struct options {
	uint64_t seed;
	unsigned long cases, sets;
	bool print, replay;
	const char *failures; /* directory */
};

struct totals {
	unsigned long sets, cases, opened, unusable;
	unsigned long by_verdict[5];
	double build_s, ask_s;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void report_errors(struct subject *subject, struct polc_buf *report)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		return;
	polc_diagnostics_print_text(&subject->polc, memory, false);
	fclose(memory);
	polc_buf_printf(report, "polc refuses the set:\n%s", text);
	free(text);
}

/* The documents last to first. */
static char *reverse_documents(const char *text, size_t len)
{
	char *out = malloc(len + 1);
	size_t end = len, n = 0;

	if (!out)
		abort();
	for (size_t at = len; at-- > 0;)
		if (!strncmp(text + at, "---\n", 4) && (!at || text[at - 1] == '\n')) {
			memcpy(out + n, text + at, end - at);
			n += end - at;
			end = at;
		}
	memcpy(out + n, text, end);
	out[n + end] = '\0';
	return out;
}

static enum outcome check_order(
	struct battery *battery, struct subject *subject, const char *text, size_t len)
{
	char *reversed = reverse_documents(text, len);
	struct subject other;
	enum outcome outcome = OUTCOME_MISMATCH;

	if (subject_open(&other, reversed, len)) {
		outcome = battery_same_meaning(battery, subject, &other, ORDER_QUESTIONS);
	} else {
		battery->what = "refused in another order";
		polc_buf_puts(battery->report, "mismatch: refused in reverse order of documents\n");
	}
	subject_close(&other);
	free(reversed);
	return outcome;
}

/* Every other policy document left out: what the next generation brings. */
static char *half_of_policies(const char *text, size_t len)
{
	char *out = malloc(len + 1);
	size_t n = 0;
	unsigned policies = 0;

	if (!out)
		abort();
	for (const char *document = text; *document;) {
		const char *next = strstr(document + 1, "\n---\n");
		size_t size = next ? (size_t)(next + 1 - document) : strlen(document);
		const char *kind = memmem(document, size, "Policy\n", 7);

		if (!kind || policies++ % 2 == 0) {
			memcpy(out + n, document, size);
			n += size;
		}
		document += size;
	}
	out[n] = '\0';
	return out;
}

/* The battery, on its own or (every third seed) with another generation that takes turns. */
static enum outcome ask_set(
	struct battery *battery, struct subject *subject, const char *text, size_t len)
{
	struct subject next;
	enum outcome outcome = OUTCOME_ENVIRONMENT;

	if (battery->seed % 3)
		return battery_run(battery, subject, NULL);
	char *half = half_of_policies(text, len);

	if (!subject_open(&next, half, strlen(half)))
		outcome = battery_run(battery, subject, NULL); /* nothing was left */
	else if (subject_build(&next, battery->report))
		outcome = battery_run(battery, subject, &next);
	subject_close(&next);
	free(half);
	return outcome;
}

/* One set, whole. */
static enum outcome run_text(
	struct battery *battery, const char *text, size_t len, struct totals *totals)
{
	struct subject subject;
	enum outcome outcome = OUTCOME_UNUSABLE;
	double start = now();

	if (!subject_open(&subject, text, len)) {
		report_errors(&subject, battery->report);
	} else if (!subject_build(&subject, battery->report)) {
		outcome = OUTCOME_ENVIRONMENT;
	} else {
		double built = now();

		outcome = check_order(battery, &subject, text, len);
		if (outcome == OUTCOME_AGREE)
			outcome = ask_set(battery, &subject, text, len);
		totals->build_s += built - start;
		totals->ask_s += now() - built;
	}
	totals->sets++;
	totals->cases += battery->asked;
	totals->opened += battery->opened;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(totals->by_verdict); i++)
		totals->by_verdict[i] += battery->by_verdict[i];
	subject_close(&subject);
	return outcome;
}

/* --- a mismatch ----------------------------------------------------------------------------- */

struct attempt {
	uint64_t seed;
	unsigned long cases;
	const char *what, *step; /* that must stay */
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool still_fails(void *context, const char *text, size_t len)
{
	const struct attempt *attempt = context;
	struct polc_arena arena = {0};
	struct polc_buf report = {.arena = &arena};
	struct totals unused = {0};
	struct battery battery = {
		.seed = attempt->seed, .cases = attempt->cases, .report = &report};
	bool fails = run_text(&battery, text, len, &unused) == OUTCOME_MISMATCH &&
		     same_text(battery.what, attempt->what) &&
		     same_text(battery.step, attempt->step);

	if (isatty(2))
		fprintf(stderr, "\rminimising: %zu bytes ", len);
	polc_arena_free(&arena);
	return fails;
}

static void keep(const struct options *options, uint64_t seed, unsigned long cases,
	const char *text, const char *report)
{
	char path[512];

	mkdir(options->failures, 0777);
	snprintf(path, sizeof(path), "%s/seed-%llu.yaml", options->failures,
		(unsigned long long)seed);
	FILE *file = fopen(path, "w");

	if (!file) {
		fprintf(stderr, "oracle: %s: %s\n", path, strerror(errno));
		return;
	}
	fprintf(file, "# oracle: seed %llu cases %lu\n", (unsigned long long)seed, cases);
	for (const char *line = report; *line;) {
		size_t n = strcspn(line, "\n");

		fprintf(file, "# %.*s\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
	fputs(text, file);
	fclose(file);
	printf("kept in %s; move it to tests/bpf/kept/ when it is understood\n", path);
}

static void explain(const struct options *options, const struct battery *failed, const char *text)
{
	uint64_t seed = failed->seed;
	unsigned long cases = failed->cases;
	struct polc_arena arena = {0};
	struct polc_buf report = {.arena = &arena};
	struct attempt attempt = {seed, cases, failed->what, failed->step};
	char *small = minimise(strdup(text), still_fails, &attempt, MINIMISE_ATTEMPTS);
	struct battery battery = {.seed = seed, .cases = cases, .report = &report};
	struct totals unused = {0};

	run_text(&battery, small, strlen(small), &unused);
	printf("minimised set:\n%s%s", small, report.p ? report.p : "");
	keep(options, seed, cases, small, report.p ? report.p : "");
	free(small);
	polc_arena_free(&arena);
}

/* --- runs ----------------------------------------------------------------------------------- */

static enum outcome run_one(const struct options *options, uint64_t seed, unsigned long cases,
	const char *text, struct totals *totals)
{
	struct polc_arena arena = {0};
	struct polc_buf report = {.arena = &arena};
	struct battery battery = {.seed = seed, .cases = cases, .report = &report};
	enum outcome outcome = run_text(&battery, text, strlen(text), totals);

	if (outcome != OUTCOME_AGREE)
		printf("seed %llu:\n%s", (unsigned long long)seed, report.p ? report.p : "");
	fflush(stdout);
	if (outcome == OUTCOME_MISMATCH && !options->replay)
		explain(options, &battery, text);
	polc_arena_free(&arena);
	return outcome;
}

static enum outcome run_seeds(const struct options *options, struct totals *totals)
{
	enum outcome worst = OUTCOME_AGREE;

	for (unsigned long i = 0; i < options->sets && worst < OUTCOME_ENVIRONMENT; i++) {
		struct polc_arena arena = {0};
		struct polc_buf text = {.arena = &arena};
		uint64_t seed = options->seed + i;
		struct rng rng = {seed};

		generate_set(&rng, &text);
		if (options->print) {
			fputs(text.p, stdout);
		} else {
			enum outcome outcome = run_one(options, seed,
				(options->cases + options->sets - 1) / options->sets, text.p,
				totals);

			if (outcome > worst)
				worst = outcome;
			if (isatty(2))
				fprintf(stderr, "\r%lu of %lu sets, %lu cases ", i + 1,
					options->sets, totals->cases);
		}
		polc_arena_free(&arena);
	}
	if (isatty(2))
		fputs("\r\033[K", stderr);
	return worst;
}

static enum outcome run_file(const struct options *options, const char *path, struct totals *totals)
{
	unsigned long long seed = options->seed;
	unsigned long cases = options->cases;
	void *data;
	size_t size;
	int status = polb_file_read(path, &data, &size);

	if (status < 0) {
		fprintf(stderr, "oracle: %s: %s\n", path, strerror(-status));
		return OUTCOME_ENVIRONMENT;
	}
	char *text = strndup(data, size);

	free(data);
	sscanf(text, "# oracle: seed %llu cases %lu", &seed, &cases);
	enum outcome outcome = run_one(options, seed, cases, text, totals);

	printf("%s %s\n", outcome == OUTCOME_AGREE ? "agrees" : "DIFFERS", path);
	free(text);
	return outcome;
}

static void print_totals(const struct totals *t)
{
	printf("%lu cases in %lu sets: %lu allowed, %lu denied, %lu audited; %lu flows; "
	       "compiling %.1f s, asking %.1f s (%.0f cases/s)\n",
		t->cases, t->sets, t->by_verdict[POLB_VERDICT_ALLOW],
		t->by_verdict[POLB_VERDICT_DENY], t->by_verdict[POLB_VERDICT_AUDIT], t->opened,
		t->build_s, t->ask_s, (double)t->cases / (t->build_s + t->ask_s));
}

static bool parse_number(const char *text, unsigned long long *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 0);
	return !errno && !*end && end != text;
}

static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {{"seed", required_argument, NULL, 's'},
		{"cases", required_argument, NULL, 'n'}, {"sets", required_argument, NULL, 'm'},
		{"print", no_argument, NULL, 'p'}, {"failures", required_argument, NULL, 'f'}, {0}};
	unsigned long long value = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == 'p')
			options->print = true;
		else if (option == 'f')
			options->failures = optarg;
		else if (option == '?' || !parse_number(optarg, &value))
			return -EINVAL;
		if (option == 's')
			options->seed = value;
		if (option == 'n')
			options->cases = value;
		if (option == 'm')
			options->sets = value;
	}
	return 0;
}

/* One CPU: per-CPU maps and LRU lists then behave the same on every run. */
static void settle(void)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	cpu_set_t cpus;

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

int main(int argc, char **argv)
{
	struct options options = {
		.seed = (uint64_t)time(NULL), .cases = 2000, .failures = "build/oracle-failures"};
	struct totals totals = {0};
	enum outcome worst = OUTCOME_AGREE;

	if (parse_options(argc, argv, &options) < 0) {
		fputs("usage: oracle [--seed S] [--cases N] [--sets M] [--print] [FILE...]\n",
			stderr);
		return POLC_EXIT_USAGE;
	}
	if (!options.sets)
		options.sets = options.print ? 1 : options.cases < 8000 ? 4 : options.cases / 2000;
	if (!options.print && optind == argc)
		printf("seed %llu, %lu cases\n", (unsigned long long)options.seed, options.cases);
	settle();
	options.replay = optind < argc;
	for (int i = optind; i < argc; i++) {
		enum outcome outcome = run_file(&options, argv[i], &totals);

		worst = outcome > worst ? outcome : worst;
	}
	if (optind == argc)
		worst = run_seeds(&options, &totals);
	if (options.print)
		return 0;
	print_totals(&totals);
	return worst == OUTCOME_AGREE         ? POLC_EXIT_OK
	       : worst == OUTCOME_ENVIRONMENT ? POLC_EXIT_ENVIRONMENT
					      : POLC_EXIT_BAD;
}
