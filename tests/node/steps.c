/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Scenarios: a command that changes what is in force is killed at one system call after the other.
 * Each time the node must be in one of two states whole, and the next command converges.
 */
#include "node.h"

#include <stdio.h>
#include <string.h>

#define GIVE_UP 12 /* failures */

struct turn {
	const char *before;   /* done first, when given */
	const char *victim;   /* is killed */
	int from, to;         /* states before and after it */
	const char *converge; /* must then lead to `after` */
	int after;
	int late_from, late_to, late_after; /* of the late endpoint */
};

#define LATE_OPEN STATE_OPEN, STATE_OPEN, STATE_OPEN

static const struct scenario {
	const char *name;
	bool may_be_done; /* what converges is refused when nothing is left to do */
	bool x_opens;     /* X is open in one of its states: what gets through is not counted */
	const char *start, *end;
	struct turn turns[2];
} scenarios[] = {
	{"first", false, true, "remove", "remove",
		{{"remove", "apply b", STATE_OPEN, STATE_B, "apply b", STATE_B, LATE_OPEN}}},
	{"update", false, false, "apply a", "remove",
		{{NULL, "apply b", STATE_A, STATE_B, "apply b", STATE_B, LATE_OPEN},
			{NULL, "apply a", STATE_B, STATE_A, "apply a", STATE_A, LATE_OPEN}}},
	{"rollback", false, false, "apply a", "remove",
		{{"apply b", "rollback", STATE_B, STATE_A, "apply a", STATE_A, LATE_OPEN}}},
	{"remove", false, true, "apply b", "remove",
		{{"apply b", "remove", STATE_B, STATE_OPEN, "remove", STATE_OPEN, LATE_OPEN}}},
	{"mode", false, true, "apply b", "remove",
		{{NULL, "mode audit", STATE_B, STATE_OPEN, "mode audit", STATE_OPEN, LATE_OPEN},
			{NULL, "mode enforce", STATE_OPEN, STATE_B, "mode enforce", STATE_B,
				LATE_OPEN}}},
	{"endpoint-cgroup", true, false, "apply b", "remove",
		{{NULL, "endpoint add node/c --cgroup c", STATE_B, STATE_B,
			 "endpoint add node/c --cgroup c", STATE_B, STATE_OPEN, STATE_B, STATE_B},
			{NULL, "endpoint del node/c", STATE_B, STATE_B, "endpoint del node/c",
				STATE_B, STATE_B, STATE_OPEN, STATE_OPEN}}},
	{"endpoint-tc", true, false, "apply b", "remove",
		{{NULL, "endpoint add node/c --interface ve-c", STATE_B, STATE_B,
			 "endpoint add node/c --interface ve-c", STATE_B, STATE_OPEN, STATE_B,
			 STATE_B},
			{NULL, "endpoint del node/c", STATE_B, STATE_B, "endpoint del node/c",
				STATE_B, STATE_B, STATE_OPEN, STATE_OPEN}}},
	{"identity", true, false, "apply b", "remove",
		{{NULL, "identity add 10.77.0.31 --label app=friend --namespace node", STATE_B,
			 STATE_B_FRIEND,
			 "identity add 10.77.0.31 --label app=friend --namespace node",
			 STATE_B_FRIEND, LATE_OPEN},
			{NULL, "identity del 10.77.0.31", STATE_B_FRIEND, STATE_B,
				"identity del 10.77.0.31", STATE_B, LATE_OPEN}}},
};

/* What a step saw. */
struct step {
	bool hit;
	unsigned calls;
	char name[48];
};

static void prepare(struct node *node, const struct turn *turn)
{
	static const struct inventory nothing;

	if (!turn->before)
		return;
	node_run(node, turn->before, false);
	if (strcmp(turn->before, "remove") == 0)
		node_check_leftovers(node, &nothing);
}

static void strike_step(struct node *node, const struct scenario *s, const struct turn *turn,
	const struct strike *strike, const struct inventory *baseline, struct step *out)
{
	struct command command;
	struct struck struck;
	int state;

	prepare(node, turn);
	command_make(node, turn->victim, &command);
	if (!kill_at_run(command.argv, strike, &node->made, &struck))
		point_die("cannot trace");
	snprintf(node->place, sizeof(node->place), "%s: '%s' killed %s call %u, %s", s->name,
		turn->victim, strike->after ? "after" : "before", strike->at, struck.name);
	if (node->verbose) {
		printf("  %s\n", node->place);
		fflush(stdout);
	}
	state = node_state(node, turn->from, turn->to, turn->late_from, turn->late_to);
	if (!struck.hit && struck.status)
		node_fail(node, "exit status %d: %s", struck.status, struck.output);
	if (!struck.hit && state == turn->from && turn->from != turn->to)
		node_fail(node, "it ended well and nothing has changed");
	snprintf(node->place + strlen(node->place), sizeof(node->place) - strlen(node->place),
		"; then '%s'", turn->converge);
	node_run(node, turn->converge, s->may_be_done);
	node_state(node, turn->after, turn->after, turn->late_after, turn->late_after);
	if (baseline)
		node_check_leftovers(node, baseline);
	node_check_life(node, s->x_opens);
	*out = (struct step){struck.hit, struck.calls, {0}};
}

/* Every stride-th call, until the command gets to its end unharmed. Returns the number of kills. */
static unsigned strike_all(struct node *node, const struct scenario *s, bool after, unsigned calls,
	const struct inventory baselines[2])
{
	const unsigned stride = node_stride(node, calls);
	unsigned kills = 0, hit = 1;

	for (unsigned at = 1 + node->offset % stride; hit && node->failures < GIVE_UP;
		at += stride) {
		const struct strike strike = {STRIKE_EVERYTHING, .kind = STRIKE_KILL, .at = at,
			.after = after, .changes = node->changes};

		hit = 0;
		for (size_t i = 0; i < 2 && s->turns[i].victim; i++) {
			struct step step;

			strike_step(node, s, &s->turns[i], &strike, &baselines[i], &step);
			hit += step.hit;
		}
		kills += hit;
	}
	return kills;
}

/*
 * Maps that outlive generations (flows) are those of the first apply, killed or not, and keep its
 * BTF: when what converges begins with nothing, that one may be another's.
 */
static void take_baseline(struct node *node, const struct turn *turn, struct inventory *out)
{
	node_settled(node, out);
	if (turn->before && strcmp(turn->before, "remove") == 0)
		out->alive[OBJECT_BTF]++;
}

static void run_scenario(struct node *node, const struct scenario *s)
{
	static struct inventory baselines[2];
	const struct strike none = {STRIKE_EVERYTHING, .changes = node->changes};
	unsigned kills, calls = 0;
	struct step step;
	char note[200];

	node_begin(node, s->name, s->start);
	for (int round = 0; round < 2; round++) /* unharmed; twice: there is a previous one then */
		for (size_t i = 0; i < 2 && s->turns[i].victim; i++) {
			strike_step(node, s, &s->turns[i], &none, NULL, &step);
			take_baseline(node, &s->turns[i], &baselines[i]);
			calls = step.calls > calls ? step.calls : calls;
		}
	kills = strike_all(node, s, false, calls, baselines);
	if (node->after)
		kills += strike_all(node, s, true, calls, baselines);
	node_run(node, s->end, false);
	snprintf(note, sizeof(note), "%u kills, %u system calls%s", kills, calls,
		node->changes ? " that change something" : "");
	snprintf(node->place, sizeof(node->place), "%s", s->name);
	if (!kills)
		node_fail(node, "nothing was killed");
	snprintf(node->place, sizeof(node->place), "kill.%s", s->name);
	node_end(node, node->place, note);
}

bool steps_run(struct node *node, const char *scenario)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (strcmp(scenarios[i].name, scenario) == 0) {
			run_scenario(node, &scenarios[i]);
			return true;
		}
	return false;
}
