/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What must be true of the node, whatever was done to a command. */
#include "node.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_SHOWN 6

void command_make(const struct node *node, const char *words, struct command *out)
{
	char copy[256], *save = NULL;
	size_t n = 0, used = 0;

#define ADD(...)                                                                                   \
	do {                                                                                       \
		out->argv[n++] = out->text + used;                                                 \
		used += 1 +                                                                        \
			(size_t)snprintf(out->text + used, sizeof(out->text) - used, __VA_ARGS__); \
	} while (0)
	ADD("%s", node->polload);
	snprintf(copy, sizeof(copy), "%s", words);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		bool bundle = n == 2 && strcmp(out->argv[1], "apply") == 0;

		if (bundle)
			ADD("%s/%s.o", node->bundles, word);
		else
			ADD("%s", word);
	}
	if (!strstr(words, "--name ")) {
		ADD("--name");
		ADD("node");
	}
	if (strcmp(out->argv[1], "apply") == 0) {
		ADD("--node");
		ADD("node-a");
	}
#undef ADD
	out->argv[n] = NULL;
}

void node_fail(struct node *node, const char *format, ...)
{
	va_list args;

	if (node->failures++ >= MAX_SHOWN)
		return;
	printf("  %s: ", node->place);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

void node_run(struct node *node, const char *words, bool may_be_done)
{
	const struct strike none = {STRIKE_EVERYTHING};
	struct command command;
	struct struck struck;

	command_make(node, words, &command);
	if (!kill_at_run(command.argv, &none, &node->made, &struck))
		point_die("cannot trace");
	if (struck.status && !(may_be_done && struck.status == 3))
		node_fail(node, "%s: exit status %d: %s", words, struck.status, struck.output);
}

static void describe(
	const struct node *node, const uint8_t verdicts[MAX_POINTS], char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < node->world.n_points; i++)
		used += (size_t)snprintf(out + used, size - used, " %s=%s%s%s%s",
			node->world.points[i].name, verdicts[i] & X_OPEN ? "x" : "-",
			verdicts[i] & Z_OPEN ? "z" : "-", verdicts[i] & V_OPEN ? "v" : "-",
			verdicts[i] & VERDICT_UNCLEAR ? "?" : "");
}

/*
 * Whether the points that are late (or not) are all in a state. Between the cutover and the end of
 * an apply both generations judge calls: those may also be as closed as both states together.
 */
static bool all_in(const struct node *node, const uint8_t verdicts[MAX_POINTS], bool late,
	int state, int other)
{
	for (size_t i = 0; i < node->world.n_points; i++) {
		const struct point *point = &node->world.points[i];
		int mask = point->is_call ? ~V_OPEN : ~0;
		int is = verdicts[i] & mask;

		if (point->late == late && is != (state & mask) &&
			!(point->is_call && is == (state & other & mask)))
			return false;
	}
	return true;
}

static int one_of(
	const struct node *node, const uint8_t verdicts[MAX_POINTS], bool late, int one, int other)
{
	if (all_in(node, verdicts, late, one, one))
		return one;
	if (all_in(node, verdicts, late, other, other))
		return other;
	if (all_in(node, verdicts, late, one, other))
		return one;
	return all_in(node, verdicts, late, other, one) ? other : -1;
}

int node_state(struct node *node, int one, int other, int late_one, int late_other)
{
	uint8_t verdicts[MAX_POINTS];
	char text[400];
	int state, late_state;

	world_ask(&node->world, verdicts);
	state = one_of(node, verdicts, false, one, other);
	late_state = one_of(node, verdicts, true, late_one, late_other);
	if (state >= 0 && late_state >= 0)
		return late_one != late_other ? late_state : state;
	describe(node, verdicts, text, sizeof(text));
	node_fail(node, "neither one policy nor the other is in force (open:%s)", text);
	return -1;
}

void node_begin(struct node *node, const char *scenario, const char *start)
{
	snprintf(node->place, sizeof(node->place), "%s", scenario);
	node->failures = 0;
	node_run(node, start, false);
	usleep(100000); /* what is still in a queue */
	for (size_t i = 0; i < node->world.n_points; i++) {
		struct point_shared *shared = node->world.points[i].shared;

		node->leaked[i] = atomic_load(&shared->leaked);
		atomic_store(&shared->longest_ns, 0);
	}
}

static void check_point(struct node *node, size_t i, bool x_was_open)
{
	struct point *point = &node->world.points[i];
	uint64_t leaked = atomic_load(&point->shared->leaked);
	uint64_t longest_ms = atomic_load(&point->shared->longest_ns) / 1000000;
	int cut = atomic_load(&point->shared->cut);

	if (!x_was_open && !point->late && leaked != node->leaked[i])
		node_fail(node, "%s: %llu that must be denied got through", point->name,
			(unsigned long long)(leaked - node->leaked[i]));
	node->leaked[i] = leaked;
	if (cut)
		node_fail(node, "%s: what is allowed was cut: %s", point->name, strerror(cut));
	if (longest_ms > node->deadline_ms)
		node_fail(node, "%s: what is allowed waited %llu ms", point->name,
			(unsigned long long)longest_ms);
	atomic_store(&point->shared->longest_ns, 0);
}

void node_check_life(struct node *node, bool x_was_open)
{
	for (size_t i = 0; i < node->world.n_points; i++)
		check_point(node, i, x_was_open);
}

void node_end(struct node *node, const char *scenario, const char *note)
{
	printf("  %s: %s\n", scenario, note);
	if (node->failures)
		printf("not ok node.%s # %u times, see above\n", scenario, node->failures);
	else
		printf("ok node.%s\n", scenario);
	fflush(stdout);
}

unsigned node_stride(const struct node *node, unsigned calls)
{
	return node->strikes ? calls / node->strikes + 1 : node->stride;
}

void node_settled(struct node *node, struct inventory *out)
{
	static struct inventory before;

	int same = 0;

	inventory_take(&node->made, out);
	while (same < 4) {
		before = *out;
		usleep(400000);
		inventory_take(&node->made, out);
		same = memcmp(before.alive, out->alive, sizeof(out->alive)) == 0 &&
				       before.pins == out->pins
			       ? same + 1
			       : 0;
	}
}

void node_check_leftovers(struct node *node, const struct inventory *wanted)
{
	char why[700];

	if (inventory_differs(&node->made, wanted, why, sizeof(why)))
		node_fail(node, "something is left over: %s", why);
}
