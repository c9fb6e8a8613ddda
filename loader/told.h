/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Endpoints told at run time, by hand or by sync, kept by name in a pinned map across generations:
 * who they are and where they are to be. One that the bundle does not know has a slot, which with
 * the bundle's endpoints makes its number; one that it knows has other labels than the bundle says.
 * Its tables are found with runtime/subjects.h.
 */
#ifndef POLD_TOLD_H
#define POLD_TOLD_H

#include "identity.h"
#include "loader.h"

enum {
	POLD_TOLD_SYNC = 1,         /* by an inventory: it goes when that no longer has it */
	POLD_TOLD_HOST_NETWORK = 2, /* shares the host's network namespace */
	POLD_TOLD_MAX = 65536,
	POLD_TOLD_RECORD = 3072,
	POLD_TOLD_CONTAINERS = 2560,
};
struct pold_told_key {
	char name[320]; /* "namespace/name", zeros behind it */
};
struct pold_told {
	uint32_t slot; /* kept for as long as the record is */
	uint32_t flags;
	uint64_t since_ns; /* CLOCK_REALTIME */
	/* wanted places, "": none; a cgroup may be the name of a systemd unit */
	char cgroup[232], interface[32];
	/* without these: the pod's cgroup by its uid, or those of its containers where there is
	 * none
	 */
	char uid[48];
	char containers[POLD_TOLD_CONTAINERS]; /* ids and paths, a line each */
	uint32_t record_bytes;
	uint8_t record[POLD_TOLD_RECORD]; /* of struct pold_who */
};

int pold_told_open(const char *name, bool create); /* fd or -errno */
bool pold_told_find(int fd, const char *endpoint, struct pold_told *out);
bool pold_told_same(const struct pold_told *a, const struct pold_told *b);
/* Stops at the first non-zero return and returns it; -errno when they cannot be read. */
int pold_told_each(int fd,
	int (*call)(void *context, const char *endpoint, const struct pold_told *told),
	void *context);

/* Number of "namespace/name" under a bundle, 0 when nobody knows it. */
uint32_t pold_told_number(const struct polb_bundle *bundle, const char *name, const char *endpoint);
/* The same where it matters: -errno when it cannot be known, which is not that nobody knows it. */
int pold_told_look(
	const struct polb_bundle *bundle, const char *name, const char *endpoint, uint32_t *number);
/* "namespace/name" of a number, the bundle's or told; "-" when nobody has it. 0 or -errno. */
int pold_told_name(const struct polb_bundle *bundle, const char *name, uint32_t number, char *out,
	size_t size);
/* For messages. */
void pold_told_text(const struct polb_bundle *bundle, const char *name, uint32_t number, char *out,
	size_t size);

/* Its labels as pold_who_text() has them, "" when nobody told of it. */
void pold_told_labels(const char *name, const char *endpoint, char *out, size_t size);

/* --- what a generation knows of them; exit codes ---------------------------------------------- */

/* Makes `who` the record; POLD_BAD when there are too many labels. */
int pold_told_describe(const struct pold_who *who, const char *endpoint, struct pold_told *out);
/*
 * Keeps it, and writes its tables into the generation in force; `number` is where. It begins a
 * change of the state, the caller bumps the epoch. Unchanged: *changed is false and nothing is
 * written.
 */
int pold_told_put(struct pold_state *state, const char *endpoint, struct pold_told *told,
	uint32_t *number, bool *changed);
/* Forgets it: a bundle's own endpoint is again what the bundle says. */
int pold_told_drop(struct pold_state *state, const char *endpoint);
/* All of them, into another generation. */
int pold_told_replay(const struct polb_bundle *bundle, const char *name, uint32_t generation);
/* Which of its directions have a table of their own: bits 1 << enum polb_direction. */
uint32_t pold_told_exact(const struct polb_bundle *bundle, const struct pold_told *told);

/* Whether its labels are those of an identity of the bundle. */
bool pold_who_has_labels(const struct polb_bundle *bundle,
	const struct polb_bundle_identity *identity, const struct pold_who *who);

/* endpoint_labels.c: one told by hand, by --label; borrows from pool and options. Exit code. */
int pold_pod_who(struct pold_pool *pool, const struct pold_state *state, const char *endpoint,
	const struct pold_options *options, struct pold_who *out);

#endif
