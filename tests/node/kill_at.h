/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One command, with the processes it starts, under ptrace: its system calls are counted and one of
 * them is struck. Knows nothing of policies.
 */
#ifndef TESTS_NODE_KILL_AT_H
#define TESTS_NODE_KILL_AT_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

enum strike_kind { STRIKE_NONE, STRIKE_KILL, STRIKE_ERROR, STRIKE_STOP };

struct strike {
	enum strike_kind kind;
	unsigned at;                 /* the at-th call that matches, from 1 */
	bool after;                  /* KILL, STOP: once the call was carried out */
	int error;                   /* ERROR: what the call returns instead of being carried out */
	long call;                   /* only this system call; -1: all */
	long subcommand;             /* only this command of bpf(2); -1: all */
	bool changes;                /* only calls that may change what others see */
	void (*stop)(void *context); /* STOP: done while the command stands still */
	void *context;
};

/* Kernel objects that a command has made. */
enum object_kind { OBJECT_MAP, OBJECT_PROGRAM, OBJECT_LINK, OBJECT_BTF, N_OBJECT_KINDS };
struct objects {
	struct object {
		enum object_kind kind;
		uint32_t id;
	} * items;
	size_t n;
};

struct struck {
	unsigned calls;    /* that matched, until the end */
	bool hit;          /* the at-th came */
	int status;        /* exit status, 128 + signal */
	char name[48];     /* of the call that was hit */
	char output[2048]; /* the end of what it printed on stdout and stderr */
};

#define STRIKE_EVERYTHING .call = -1, .subcommand = -1

/*
 * Runs it to its end; what it makes is appended to `made` unless that is NULL. False when it cannot
 * be traced, and errno says why.
 */
bool kill_at_run(
	char *const argv[], const struct strike *strike, struct objects *made, struct struck *out);
/* Number of a call by name, or of "bpf/COMMAND" with its command; false: unknown. */
bool kill_at_parse(const char *name, long *call, long *subcommand);

#endif
