/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel says no, at one call of an apply after the other; or takes away a place that was just
 * looked up. Either the apply does not care (exit status 0), or it says why and gives up (3), and
 * the old generation is as it was, with nothing beside it.
 */
#include "node.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIVE_UP 12
#define LATE "c" /* endpoint of the test, to none of the bundles */

/* Cleaning up itself is refused: pins may stay until the next apply. */
static const struct fault {
	const char *call;
	int error;
	bool leaves_pins;
	unsigned spared; /* first calls: the C library's own start, where main() is not yet */
} faults[] = {
	{"bpf", ENOMEM, false, 0},
	{"bpf", EPERM, false, 0},
	{"bpf", EAGAIN, false, 0},
	{"bpf", EINTR, false, 0},
	{"bpf/OBJ_GET", ENOMEM, false, 0},
	{"bpf/OBJ_GET", EPERM, false, 0},
	{"bpf/MAP_LOOKUP_ELEM", ENOMEM, false, 0},
	{"bpf/MAP_LOOKUP_BATCH", ENOMEM, false, 0},
	{"bpf/MAP_GET_NEXT_KEY", ENOMEM, false, 0},
	{"bpf/OBJ_PIN", ENOSPC, false, 0}, /* a file system that is full */
	{"mkdir", ENOSPC, false, 0},
	{"mkdir", ENOMEM, false, 0},
	{"bpf/PROG_LOAD", EINVAL, false, 0},
	{"bpf/PROG_LOAD", EACCES, false, 0}, /* the verifier's word */
	{"bpf/MAP_CREATE", E2BIG, false, 0},
	{"bpf/LINK_CREATE", ENOENT, false, 0},
	{"bpf/LINK_CREATE", EBUSY, false, 0},
	{"bpf/MAP_UPDATE_BATCH", ENOMEM, false, 0},
	{"unlinkat", EPERM, true, 0},
	{"unlink", EPERM, true, 0},
	{"rmdir", EPERM, true, 0},
	{"openat", EMFILE, true, 0},
	{"mmap", ENOMEM, true, 0},
	{"brk", ENOMEM, true,
		4}, /* the heap begins with two, the second of which malloc cannot do without */
	{"read", EIO, true, 0},
	{"getdents64", ENOMEM, true, 0},
	{"flock", EINTR, false, 0},
	{"perf_event_open", ENOMEM, false, 0},
};

struct attempt {
	const char *victim; /* "apply b", where a is in force */
	const struct inventory *before, *after;
	unsigned refused, unharmed, met;
	unsigned calls; /* that the last one made of the kind that is struck */
	bool uncounted; /* it could not carry over the counters, and said so */
};

static void check_refused(struct node *node, const struct struck *struck, bool leaves_pins,
	const struct attempt *attempt)
{
	if (struck->status != 3 && struck->status != 1)
		node_fail(node, "exit status %d: %s", struck->status, struck->output);
	if (!strstr(struck->output, "polload: "))
		node_fail(node, "it does not say why");
	if (!leaves_pins)
		node_check_leftovers(node, attempt->before);
}

/* Returns whether there was such a call. */
static bool attempt_once(struct node *node, const struct strike *strike, const char *what,
	bool leaves_pins, struct attempt *attempt)
{
	struct command command;
	struct struck struck;
	int state;

	command_make(node, attempt->victim, &command);
	if (!kill_at_run(command.argv, strike, &node->made, &struck))
		point_die("cannot trace");
	snprintf(node->place, sizeof(node->place), "'%s' with %s at call %u, %s", attempt->victim,
		what, strike->at, struck.name);
	attempt->uncounted = strstr(struck.output, "counters start from zero") != NULL;
	state = node_state(node, STATE_A_FRIEND, STATE_B_FRIEND, STATE_OPEN, STATE_OPEN);
	if (struck.status == 0 && state == STATE_A_FRIEND)
		node_fail(node, "it ended well and nothing has changed: %s", struck.output);
	if (struck.status)
		check_refused(node, &struck, leaves_pins || state == STATE_B_FRIEND, attempt);
	attempt->refused += struck.status != 0;
	attempt->unharmed += struck.status == 0 && struck.hit;
	attempt->calls = struck.calls;
	return struck.hit;
}

static void converge(struct node *node, const struct attempt *attempt)
{
	node_run(node, "apply b", false);
	node_state(node, STATE_B_FRIEND, STATE_B_FRIEND, STATE_OPEN, STATE_OPEN);
	if (attempt->after && !attempt->uncounted)
		node_check_leftovers(node, attempt->after);
	node_run(node, "apply a", false);
	node_state(node, STATE_A_FRIEND, STATE_A_FRIEND, STATE_OPEN, STATE_OPEN);
	node_check_life(node, false);
}

/* From here on the late endpoint is one like the others, and has to stay so. */
static void set_late(struct node *node, bool late)
{
	for (size_t i = 0; i < node->world.n_points; i++)
		if (node->world.points[i].name[0] == LATE[0])
			node->world.points[i].late = late;
}

/* An endpoint and an identity that the bundles do not know: every apply has to carry them on. */
static void start(
	struct node *node, const char *scenario, struct inventory *before, struct inventory *after)
{
	node_begin(node, scenario, "apply a");
	node_run(node, "endpoint add node/told --label app=told --cgroup " LATE, false);
	node_run(node, "identity add 10.77.0.31 --label app=friend --namespace node", false);
	set_late(node, false);
	node_check_life(node, true); /* it was open until now */
	node_run(node, "apply b", false);
	node_run(node, "apply a", false);
	node_run(node, "apply b", false);
	node_settled(node, after);
	node_run(node, "apply a", false);
	node_settled(node, before);
}

/* Returns whether there was such a call; a is in force again. */
static bool strike_fault(struct node *node, const struct fault *fault, const struct strike *strike,
	struct attempt *attempt)
{
	char what[80];
	bool hit;

	snprintf(what, sizeof(what), "%s in %s", strerror(fault->error), fault->call);
	hit = attempt_once(node, strike, what, fault->leaves_pins, attempt);
	if (hit)
		converge(node, attempt);
	else
		node_run(node, "apply a", false);
	return hit;
}

static void try_fault(struct node *node, const struct fault *fault, struct attempt *attempt)
{
	struct strike strike = {STRIKE_EVERYTHING, .kind = STRIKE_ERROR, .error = fault->error};
	const unsigned first = fault->spared + 1;
	unsigned stride;
	bool met, hit;

	if (!kill_at_parse(fault->call, &strike.call, &strike.subcommand))
		point_die(fault->call);
	if (node->strikes) { /* how many there are is not known yet */
		strike.at = UINT_MAX;
		strike_fault(node, fault, &strike, attempt);
	}
	stride = node_stride(node, attempt->calls);
	strike.at = first + node->offset % stride;
	met = hit = strike_fault(node, fault, &strike, attempt);
	while (hit && node->failures < GIVE_UP) {
		strike.at += stride;
		hit = strike_fault(node, fault, &strike, attempt);
	}
	if (!met && attempt->calls >= first) { /* scarcer than the stride: one of them at least */
		strike.at = first + node->offset % (attempt->calls - fault->spared);
		met = strike_fault(node, fault, &strike, attempt);
	}
	attempt->met += met;
}

static void run_errors(struct node *node)
{
	static struct inventory before, after;
	struct attempt attempt = {.victim = "apply b", .before = &before, .after = &after};
	char note[200];

	start(node, "errors", &before, &after);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]) && node->failures < GIVE_UP; i++)
		if (!node->only || strcmp(node->only, faults[i].call) == 0)
			try_fault(node, &faults[i], &attempt);
	set_late(node, true);
	node_run(node, "remove", false);
	snprintf(note, sizeof(note), "%u kinds met, %u refused, %u harmless", attempt.met,
		attempt.refused, attempt.unharmed);
	if (!attempt.refused && !node->only)
		node_fail(node, "nothing was refused");
	node_end(node, "errors", note);
}

static void shell(const char *command)
{
	char quiet[512];

	snprintf(quiet, sizeof(quiet), "{ %s; } >/dev/null 2>&1", command);
	if (system(quiet) == -1)
		point_die("shell");
}

static void take_away(void *context)
{
	const struct node *node = context;

	shell(node->vanish);
}

/* Bundle d has a cgroup and an interface that vanish before its nth call. */
static void run_vanish(struct node *node)
{
	static struct inventory before, after;
	struct attempt attempt = {.victim = "apply d", .before = &before};
	struct strike strike = {
		STRIKE_EVERYTHING, .kind = STRIKE_STOP, .stop = take_away, .context = node};
	char note[200];
	unsigned stride;
	bool hit = true;

	start(node, "vanish", &before, &after);
	shell(node->appear);
	strike.at = UINT_MAX; /* how many calls there are */
	attempt_once(node, &strike, "unharmed", false, &attempt);
	shell(node->vanish);
	converge(node, &attempt);
	stride = node_stride(node, attempt.calls);
	for (strike.at = 1 + node->offset % stride; hit && node->failures < GIVE_UP;
		strike.at += stride) {
		shell(node->appear);
		hit = attempt_once(node, &strike, "its places gone", false, &attempt);
		shell(node->vanish);
		converge(node, &attempt);
	}
	set_late(node, true);
	node_run(node, "remove", false);
	snprintf(note, sizeof(note), "%u refused, %u harmless", attempt.refused, attempt.unharmed);
	if (!attempt.refused || !attempt.unharmed)
		node_fail(node, "%s", note);
	node_end(node, "vanish", note);
}

bool faults_run(struct node *node, const char *scenario)
{
	if (strcmp(scenario, "errors") == 0)
		run_errors(node);
	else if (strcmp(scenario, "vanish") == 0 && node->vanish && node->appear)
		run_vanish(node);
	else
		return false;
	return true;
}
