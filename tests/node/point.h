/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A point: one way through one hook, that traffic or calls take all the time. Each has processes of
 * its own that share memory with us: those that try what must always be denied (port or call X),
 * one that does what must always work (Y) and measures the longest wait, and one that answers, when
 * asked, whether X, Z and V are open now.
 */
#ifndef TESTS_NODE_POINT_H
#define TESTS_NODE_POINT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a point may say is open. V: what only a certain identity may. */
enum verdict { X_OPEN = 1, Z_OPEN = 2, V_OPEN = 4, VERDICT_UNCLEAR = 8 };
enum { PORT_X = 7001, PORT_Y, PORT_Z, PORT_V, PORT_ECHO, N_ASKED = 4 };

struct point_shared {
	_Atomic uint64_t tried, leaked; /* of X */
	_Atomic uint64_t arrived[N_ASKED];
	_Atomic uint64_t lived, longest_ns; /* of Y */
	_Atomic int cut;                    /* errno, once Y did not work */
};

struct point {
	char name[24];
	struct point_shared *shared;
	bool late;    /* an endpoint that is not there from the beginning */
	bool is_call; /* in tracing: V means nothing here */
	int ask_fd;   /* a byte in, a byte with verdicts out */
};

#define MAX_POINTS 12
struct world {
	struct point points[MAX_POINTS];
	size_t n_points;
	pid_t children[128];
	size_t n_children;
	unsigned patience_ms; /* for what must happen */
	unsigned grace_us;    /* for what must not */
	unsigned pace_us;     /* between bursts of what is denied */
};

struct point *world_add(struct world *world, const char *name);
/* A process that runs until the end; `context` is copied by fork. */
pid_t world_spawn(struct world *world, void (*run)(void *context), void *context);
/* A process that answers questions of a point. */
void world_answer(
	struct world *world, struct point *point, uint8_t (*answer)(void *context), void *context);
void world_end(struct world *world);
/* Asks all points at once. */
void world_ask(struct world *world, uint8_t verdicts[MAX_POINTS]);
uint64_t point_now_ns(void);
void point_lived(struct point_shared *shared, uint64_t since_ns);
_Noreturn void point_die(const char *what);

/* traffic.c: endpoints NAME at 10.77.0.N, held by the process; and the peer 10.77.0.30, .31 */
struct endpoint_place {
	const char *name, *cgroup; /* its directory */
	pid_t pid;                 /* whose network namespace it is */
	const char *address;
	bool late;
};
void traffic_start(struct world *world, const struct endpoint_place *endpoints, size_t n,
	const struct endpoint_place *peer);

/* calls.c */
enum calls_how { CALLS_NONE, CALLS_KILLED, CALLS_REFUSED };
void calls_start(struct world *world, enum calls_how how);

#endif
