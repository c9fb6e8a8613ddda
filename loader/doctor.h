/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * doctor: what this kernel and node can and cannot enforce. Everything is asked of the kernel, by
 * trying it where that leaves nothing behind, and never guessed from a version. Findings are said
 * as they are found; loader/doctor.c prints them and knows what they mean for the exit code.
 */
#ifndef POLD_DOCTOR_H
#define POLD_DOCTOR_H

#include "loader.h"

#define POLD_DETAIL 512

enum pold_is { POLD_YES, POLD_NO, POLD_UNKNOWN, POLD_NOTE };
/* What a missing thing that is needed is: the machine's fault or the bundle's. */
enum pold_need { POLD_OPTIONAL, POLD_NEEDED_HERE, POLD_NEEDED_BY_BUNDLE };

struct pold_finding {
	const char *id, *name;
	enum pold_is is;
	enum pold_need need;
	const char *detail;           /* what was seen; may be NULL or "" */
	const char *without, *remedy; /* said unless the answer is yes; may be NULL */
};

/* doctor_net.c: hooks of interfaces, tried in a network namespace of its own. */
struct pold_net {
	int tcx, clsact, xdp; /* 0 or -errno */
	int err;              /* it could not be tried: -errno */
};
void pold_net_probe(struct pold_net *out);

struct pold_doctor {
	bool json, any_section, any_finding;
	bool bad_here, bad_bundle;
	struct pold_net net;
	const struct pold_options *options;
};
void pold_doctor_section(struct pold_doctor *doctor, const char *id, const char *heading);
void pold_doctor_say(struct pold_doctor *doctor, const struct pold_finding *finding);

/* One per section. */
void pold_doctor_kernel(struct pold_doctor *doctor);  /* doctor_features.c */
void pold_doctor_applied(struct pold_doctor *doctor); /* doctor_applied.c */
void pold_doctor_others(struct pold_doctor *doctor);  /* doctor_others.c */
void pold_doctor_bundle(struct pold_doctor *doctor);  /* doctor_bundle.c */

/* doctor_programs.c: programs that do nothing, loaded and, where that is harmless, attached. */
enum pold_is pold_try_cgroup(char detail[POLD_DETAIL]);
enum pold_is pold_try_ring(char detail[POLD_DETAIL]);
enum pold_is pold_try_task_storage(char detail[POLD_DETAIL]);
enum pold_is pold_try_fentry(char detail[POLD_DETAIL]);
enum pold_is pold_try_fmod_ret(char detail[POLD_DETAIL]);
enum pold_is pold_try_fmod_ret_call(char detail[POLD_DETAIL]);
enum pold_is pold_try_lsm(char detail[POLD_DETAIL]);
enum pold_is pold_try_sleepable(char detail[POLD_DETAIL]);
enum pold_is pold_try_raw_tracepoint(char detail[POLD_DETAIL]);
enum pold_is pold_try_kprobe(char detail[POLD_DETAIL]);
enum pold_is pold_try_kprobe_multi(char detail[POLD_DETAIL]);
enum pold_is pold_try_uprobe(char detail[POLD_DETAIL]);
enum pold_is pold_try_perf_link(char detail[POLD_DETAIL]);
enum pold_is pold_try_signal(char detail[POLD_DETAIL]);
enum pold_is pold_try_override(char detail[POLD_DETAIL]);
enum pold_is pold_try_cookie(char detail[POLD_DETAIL]);
enum pold_is pold_try_d_path(char detail[POLD_DETAIL]);
enum pold_is pold_try_ima_helper(char detail[POLD_DETAIL]);

__attribute__((format(printf, 3, 4))) enum pold_is pold_because(
	enum pold_is is, char detail[POLD_DETAIL], const char *format, ...);

#endif
