/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* node: arguments, endpoints, scenarios; see node.h and tests/node/cases.sh. */
#include "node.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option options[] = {{"polload", required_argument, NULL, 'p'},
	{"bundles", required_argument, NULL, 'b'}, {"cgroups", required_argument, NULL, 'g'},
	{"place", required_argument, NULL, 'P'}, {"calls", required_argument, NULL, 'c'},
	{"deadline", required_argument, NULL, 'd'}, {"stride", required_argument, NULL, 's'},
	{"offset", required_argument, NULL, 'o'}, {"after", no_argument, NULL, 'a'},
	{"rounds", required_argument, NULL, 'r'}, {"vanish", required_argument, NULL, 'v'},
	{"appear", required_argument, NULL, 'w'}, {"patience", required_argument, NULL, 't'},
	{"grace", required_argument, NULL, 'G'}, {"pace", required_argument, NULL, 'n'},
	{"strikes", required_argument, NULL, 'k'}, {"changes", no_argument, NULL, 'C'},
	{"verbose", no_argument, NULL, 'V'}, {"only", required_argument, NULL, 'O'},
	{NULL, 0, NULL, 0}};

static struct node node = {.deadline_ms = 200, .stride = 1, .rounds = 20};
static struct endpoint_place places[] = {{.name = "a", .address = "10.77.0.10"},
	{.name = "b", .address = "10.77.0.20"},
	{.name = "c", .address = "10.77.0.40", .late = true},
	{.name = "peer", .address = "10.77.0.30"}};
#define N_ENDPOINTS 3 /* the last one is the peer */
static enum calls_how how;
static const char *cgroups;

/* NAME=PID */
static void parse_place(const char *text)
{
	for (size_t i = 0; i <= N_ENDPOINTS; i++) {
		size_t n = strlen(places[i].name);

		if (strncmp(text, places[i].name, n) == 0 && text[n] == '=')
			places[i].pid = atoi(text + n + 1);
	}
}

static unsigned number(const char *text)
{
	long value = strtol(text, NULL, 10);

	return value > 0 ? (unsigned)value : 0;
}

static bool parse_numbers(int option)
{
	switch (option) {
	case 'd':
		node.deadline_ms = number(optarg);
		return true;
	case 's':
		node.stride = number(optarg) ? number(optarg) : 1;
		return true;
	case 'k':
		node.strikes = number(optarg);
		return true;
	case 'o':
		node.offset = number(optarg);
		return true;
	case 'r':
		node.rounds = number(optarg);
		return true;
	case 't':
		node.world.patience_ms = number(optarg);
		return true;
	case 'n':
		node.world.pace_us = number(optarg);
		return true;
	case 'G':
		node.world.grace_us = number(optarg);
		return true;
	default:
		return false;
	}
}

static bool parse_option(int option)
{
	switch (option) {
	case 'p':
		node.polload = optarg;
		return true;
	case 'b':
		node.bundles = optarg;
		return true;
	case 'g':
		cgroups = optarg;
		return true;
	case 'P':
		parse_place(optarg);
		return true;
	case 'c':
		how = strcmp(optarg, "killed") == 0    ? CALLS_KILLED
		      : strcmp(optarg, "refused") == 0 ? CALLS_REFUSED
						       : CALLS_NONE;
		return true;
	case 'a':
		node.after = true;
		return true;
	case 'V':
		node.verbose = true;
		return true;
	case 'C':
		node.changes = true;
		return true;
	case 'O':
		node.only = optarg;
		return true;
	case 'v':
		node.vanish = optarg;
		return true;
	case 'w':
		node.appear = optarg;
		return true;
	default:
		return parse_numbers(option);
	}
}

static void start_world(void)
{
	static char paths[N_ENDPOINTS + 1][512];

	for (size_t i = 0; i <= N_ENDPOINTS; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", cgroups, places[i].name);
		places[i].cgroup = paths[i];
	}
	if (places[0].pid)
		traffic_start(&node.world, places, N_ENDPOINTS, &places[N_ENDPOINTS]);
	calls_start(&node.world, how);
	sleep(1); /* connections are there */
}

int main(int argc, char **argv)
{
	int option;

	node.world.patience_ms = 3000;
	node.world.grace_us = 2000;
	node.world.pace_us = 1000;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!parse_option(option))
			return 2;
	if (!node.polload || !node.bundles || !cgroups) {
		fprintf(stderr,
			"usage: node --polload FILE --bundles DIRECTORY --cgroups DIRECTORY "
			"[--place NAME=PID]... [--calls killed|refused] SCENARIO...\n");
		return 2;
	}
	start_world();
	for (int i = optind; i < argc; i++)
		if (!steps_run(&node, argv[i]) && !faults_run(&node, argv[i]) &&
			!churn_run(&node, argv[i]))
			printf("not ok node.%s # no such scenario\n", argv[i]);
	for (size_t i = 0; i < node.world.n_points; i++) {
		const struct point_shared *shared = node.world.points[i].shared;

		printf("  point %s: %llu tried, %llu allowed ones lived\n",
			node.world.points[i].name, (unsigned long long)atomic_load(&shared->tried),
			(unsigned long long)atomic_load(&shared->lived));
	}
	world_end(&node.world);
	return 0;
}
