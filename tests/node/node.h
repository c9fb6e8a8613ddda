/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A node under attack: commands of polload are killed, or given errors, at each of their system
 * calls, while traffic and calls that must be denied, and connections that must live, go on. One
 * static program, for the host and for virtual machines alike:
 *
 *   kill_at.c   one command under ptrace       objects.c  kernel objects and pins
 *   point.c     what traffic.c (network) and calls.c (tracing) have in common
 *   check.c     what must be true of the node   steps.c    scenarios, struck at every call
 *   faults.c    errors, things that vanish      churn.c    two at once, many in a row
 *   main.c      arguments
 */
#ifndef TESTS_NODE_H
#define TESTS_NODE_H

#include "kill_at.h"
#include "objects.h"
#include "point.h"

/* Bundle a lets Z through, bundle b does not; both deny X and, to all but friends, V. */
enum state {
	STATE_OPEN = X_OPEN | Z_OPEN | V_OPEN, /* nothing in force, or audit */
	STATE_A = Z_OPEN,
	STATE_B = 0,
	STATE_A_FRIEND = Z_OPEN | V_OPEN,
	STATE_B_FRIEND = V_OPEN,
};

struct node {
	struct world world;
	const char *polload, *bundles;
	unsigned deadline_ms;        /* of one echo */
	unsigned stride, offset;     /* which calls are struck */
	unsigned strikes;            /* so many of each command's calls instead; 0: by the stride */
	bool changes;                /* killed only at calls that may change something */
	bool verbose;                /* every step is told */
	bool after;                  /* also once the call was carried out */
	const char *only;            /* of the kinds of fault the one with this call; NULL: all */
	unsigned rounds;             /* of races and churn */
	const char *vanish, *appear; /* shell commands: a place of bundle d goes and comes */
	struct objects made;
	uint64_t leaked[MAX_POINTS]; /* before the scenario */
	unsigned failures;           /* of the scenario */
	char place[320];             /* the step, for messages */
};

/* check.c */
/* "apply b" -> polload apply BUNDLES/b.o --name node ...; argv points into `text`. */
#define MAX_WORDS 32
struct command {
	char *argv[MAX_WORDS];
	char text[1024];
};
void command_make(const struct node *node, const char *words, struct command *out);
__attribute__((format(printf, 2, 3))) void node_fail(struct node *node, const char *format, ...);
/* Runs it unharmed; exit status 0 is expected, or 3 from what may have nothing left to do. */
void node_run(struct node *node, const char *words, bool may_be_done);
/* All points are asked: all are in one of the two states, and in the same. Returns it, or -1. */
int node_state(struct node *node, int one, int other, int late_one, int late_other);
/* Runs the command that a scenario starts from; what got through before does not count. */
void node_begin(struct node *node, const char *scenario, const char *start);
/* Nothing leaked (unless X was open meanwhile), nothing was cut or stalled. */
void node_check_life(struct node *node, bool x_was_open);
/* Prints "ok node.NAME" or "not ok ..."; `note` is what was measured. */
void node_end(struct node *node, const char *scenario, const char *note);
/* Pins and objects are those, and no others. */
void node_check_leftovers(struct node *node, const struct inventory *wanted);
/* The stride by which so many of a command's calls are struck as were asked for. */
unsigned node_stride(const struct node *node, unsigned calls);
/* Waits until nothing changes any more. */
void node_settled(struct node *node, struct inventory *out);

/* steps.c, faults.c, churn.c; false: no scenario of that name */
bool steps_run(struct node *node, const char *scenario);
bool faults_run(struct node *node, const char *scenario);
bool churn_run(struct node *node, const char *scenario);

#endif
