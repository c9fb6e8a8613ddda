/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* polload sync with 100,000 addresses of 5,000 label sets: all new, and 100 of them changed. */
#include "bench.h"

#include <stdio.h>

enum { ADDRESSES = 100000, SETS = 5000, CHANGED_EVERY = 1000 };

static const struct bench_tools *tools;
static const char *bundle;
static char before[500], after[500];

static bool write_lines(const char *path, unsigned changed_every)
{
	struct polc_arena arena = {0};
	struct polc_buf text = {.arena = &arena};
	bool ok;

	for (unsigned i = 0; i < ADDRESSES; i++) {
		unsigned set = (i + (changed_every && i % changed_every == 0)) % SETS;

		polc_buf_printf(&text,
			"10.%u.%u.%u bench/pod-%u app=p%u tier=t%u version=v%u env=prod\n",
			100 + (i >> 16), i >> 8 & 255, i & 255, i, set, set % 2, set % 7);
	}
	ok = bench_write(path, &text);
	polc_arena_free(&arena);
	return ok;
}

static struct bench_run sync_file(const char *path)
{
	char *argv[] = {(char *)(uintptr_t)tools->polload, "sync", (char *)(uintptr_t)path,
		"--name", "polc-bench", NULL};

	return bench_run(argv);
}

static void sync_before(void)
{
	sync_file(before);
}

static void apply_empty(void)
{
	char *remove[] = {
		(char *)(uintptr_t)tools->polload, "remove", "--name", "polc-bench", NULL};
	char *apply[] = {(char *)(uintptr_t)tools->polload, "apply", (char *)(uintptr_t)bundle,
		"--name", "polc-bench", "--node", "local", "--room", "150000", NULL};

	bench_run(remove);
	bench_run(apply);
}

void bench_sync(const struct bench_tools *all, const char *applied)
{
	char *sync[] = {
		(char *)(uintptr_t)all->polload, "sync", after, "--name", "polc-bench", NULL};

	tools = all;
	bundle = applied;
	snprintf(before, sizeof(before), "%s/before", tools->work);
	snprintf(after, sizeof(after), "%s/after", tools->work);
	if (!write_lines(before, 0) || !write_lines(after, CHANGED_EVERY))
		return;
	if (!bench_time_command("sync.100k_identities", 0.5,
		    "polload sync, all of 100,000 addresses new", sync, apply_empty))
		return;
	bench_time_command("sync.100_of_100k", 0.05,
		"polload sync, 100 of 100,000 addresses changed", sync, sync_before);
	bench_result("sync.100k_identities.rss", sync_file(after).resident_mb, "MB", 0,
		"peak resident memory of polload");
}
