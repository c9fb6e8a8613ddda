/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Two commands at once, and many in a row, under load: whole states, and nothing grows. */
#include "node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of kernel memory over the second half of all rounds: other work on the machine moves it, too. */
#define NOISE_KB 24576

static pid_t begin(const struct node *node, const char *words)
{
	struct command command;
	pid_t child;

	command_make(node, words, &command);
	child = fork();
	if (child == 0) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(126);
		execv(command.argv[0], command.argv);
		_exit(127);
	}
	return child;
}

static int finish(pid_t child)
{
	int status;

	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void race(struct node *node, const char *one, const char *other, int state, int or_state)
{
	pid_t first = begin(node, one), second = begin(node, other);
	int status = finish(first), other_status = finish(second);

	if (status || other_status)
		node_fail(node, "exit status %d and %d", status, other_status);
	node_state(node, state, or_state, STATE_OPEN, STATE_OPEN);
	node_check_life(node, false);
}

/* Of one name: one of them is in force at the end. Of two: both are. */
static void run_race(struct node *node)
{
	static struct inventory before;
	char note[100];

	node_begin(node, "race", "apply a");
	node_run(node, "apply b", false);
	node_run(node, "apply a", false);
	node_settled(node, &before);
	for (unsigned i = 0; i < node->rounds && node->failures < 5; i++) {
		snprintf(node->place, sizeof(node->place), "round %u of one name", i);
		race(node, "apply a", "apply b", STATE_A, STATE_B);
		snprintf(node->place, sizeof(node->place), "round %u of two names", i);
		race(node, "apply a", i % 2 ? "apply b --name node-2" : "apply a --name node-2",
			i % 2 ? STATE_B : STATE_A, i % 2 ? STATE_B : STATE_A);
		race(node, "apply b", i % 2 ? "apply a --name node-2" : "remove --name node-2",
			STATE_B, STATE_B);
	}
	node_run(node, "remove --name node-2", false);
	node_run(node, "apply b", false);
	node_run(node, "apply a", false);
	snprintf(node->place, sizeof(node->place), "races");
	node_check_leftovers(node, &before);
	node_run(node, "remove", false);
	snprintf(note, sizeof(note), "%u rounds", node->rounds);
	node_end(node, "race", note);
}

struct usage {
	long slab_kb, percpu_kb, vmalloc_kb, files;
};

static long meminfo(const char *field)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[200];
	long out = 0;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, field, strlen(field)) == 0)
			out = strtol(line + strlen(field), NULL, 10);
	if (file)
		fclose(file);
	return out;
}

static struct usage usage_now(void)
{
	FILE *file = fopen("/proc/sys/fs/file-nr", "r");
	struct usage out = {meminfo("Slab:"), meminfo("Percpu:"), meminfo("VmallocUsed:"), 0};

	if (file && fscanf(file, "%ld", &out.files) != 1)
		out.files = 0;
	if (file)
		fclose(file);
	return out;
}

static void check_growth(struct node *node, const char *what, long before, long after, long limit)
{
	if (after - before > limit)
		node_fail(node, "%s has grown from %ld to %ld", what, before, after);
}

static void churn_rounds(struct node *node, unsigned n)
{
	for (unsigned i = 0; i < n && node->failures < 5; i++) {
		bool a = i % 2;

		snprintf(node->place, sizeof(node->place), "apply %u", i);
		node_run(node, a ? "apply a" : "apply b", false);
		if (i % 10 < 2)
			node_state(node, a ? STATE_A : STATE_B, a ? STATE_A : STATE_B, STATE_OPEN,
				STATE_OPEN);
		node_check_life(node, false);
	}
}

static void run_churn(struct node *node)
{
	static struct inventory before;
	struct usage half, end;
	unsigned rounds = node->rounds & ~1u;
	char note[300];

	node_begin(node, "churn", "apply a");
	churn_rounds(node, rounds / 2 & ~1u);
	node_settled(node, &before);
	half = usage_now();
	churn_rounds(node, rounds - (rounds / 2 & ~1u));
	snprintf(node->place, sizeof(node->place), "churn");
	node_check_leftovers(node, &before);
	end = usage_now();
	check_growth(node, "slab", half.slab_kb, end.slab_kb, NOISE_KB);
	check_growth(node, "per-cpu memory", half.percpu_kb, end.percpu_kb, NOISE_KB / 8);
	check_growth(node, "vmalloc memory", half.vmalloc_kb, end.vmalloc_kb, NOISE_KB);
	node_run(node, "remove", false);
	snprintf(note, sizeof(note),
		"%u applies; over the second half slab %+ld KB, per-cpu %+ld KB, vmalloc %+ld KB, "
		"open files %+ld; %u maps, %u programs, %u links before and after",
		rounds, end.slab_kb - half.slab_kb, end.percpu_kb - half.percpu_kb,
		end.vmalloc_kb - half.vmalloc_kb, end.files - half.files, before.alive[OBJECT_MAP],
		before.alive[OBJECT_PROGRAM], before.alive[OBJECT_LINK]);
	node_end(node, "churn", note);
}

bool churn_run(struct node *node, const char *scenario)
{
	if (strcmp(scenario, "race") == 0)
		run_race(node);
	else if (strcmp(scenario, "churn") == 0)
		run_churn(node);
	else
		return false;
	return true;
}
