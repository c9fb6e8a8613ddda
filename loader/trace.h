/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tracing on this node: which alternative of a hook this kernel can do, attaching and pinning it,
 * what exists already (processes, cgroups). Shared by loader/trace_*.c, apply, mode and status.
 *
 * Pins of a generation: links as t<hook>_<program>_<place>; where the kernel has no links for
 * perf events (before 5.15), the array perf_events, whose entries keep those events alive (5.10:
 * BPF_F_PRESERVE_ELEMS); trace_hooks, an array of struct pold_trace_hook by hook.
 */
#ifndef POLD_TRACE_H
#define POLD_TRACE_H

#include <linux/bpf.h>

#include "loader.h"
#include "runtime/instance.h"

#define POLD_WHY 400 /* bytes of a reason */

/* Whether something can be done here: MISSING is a symbol, file or probe that does not exist. */
enum pold_can { POLD_CAN, POLD_CANNOT, POLD_MISSING, POLD_DIGEST };

/* trace_kernel.c: what this kernel can do, asked of it and never guessed from its version. */
/* A file of a kernel file system (tracefs, securityfs, debugfs), mounted or not. fd or -errno. */
int pold_kernel_file(const char *type, const char *mount, const char *path);
struct pold_kernel;
int pold_kernel_open(const struct polb_bundle *bundle, struct pold_kernel **out);
void pold_kernel_free(struct pold_kernel *kernel);
/* Gives back the memory of the kernel's BTF: it is read again when it is needed. */
void pold_kernel_forget(struct pold_kernel *kernel);
/* What can be known before trying; `why` only when it cannot. Not for uprobes and USDT. */
enum pold_can pold_kernel_can(struct pold_kernel *kernel,
	const struct polb_bundle_trace_program *program, char why[POLD_WHY]);

/* Of a function that can be hooked as far as is known: whether ftrace has it. */
enum pold_can pold_kernel_can_trace(struct pold_kernel *kernel,
	const struct polb_bundle_trace_program *program, char why[POLD_WHY]);

/* trace_uprobe.c, trace_usdt.c: places in a file. */
struct pold_spot {
	uint64_t offset, ref_ctr_offset; /* in the file */
	const char *arguments;           /* USDT: argument specs, in the resolved memory */
};
struct pold_spots {
	struct pold_spot *items;
	size_t n;
	char *memory; /* what the strings point into */
};
void pold_spots_free(struct pold_spots *spots);
enum pold_can pold_uprobe_resolve(const struct polb_bundle *bundle,
	const struct polb_bundle_trace_program *program, struct pold_spots *out,
	char why[POLD_WHY]);
/* A USDT probe's places in an open file. */
struct pold_elf;
enum pold_can pold_usdt_resolve(const struct polb_bundle *bundle,
	const struct polb_bundle_trace_program *program, const struct pold_elf *file,
	struct pold_spots *out, char why[POLD_WHY]);
/* "-4@%edi 8@-16(%rbp) 4@$5"; what programs cannot read is of a kind that they do not know. */
void pold_usdt_parse(const char *text, struct polb_usdt *out);

/* trace_attach.c: what is attached, until it is pinned. */
struct bpf_link;
struct pold_trace_link {
	struct bpf_link *link;
	uint32_t hook, number; /* number: within the hook */
	bool pinned;
};
struct pold_trace {
	const struct polb_bundle *bundle;
	struct pold_kernel *kernel;
	uint32_t *chosen;      /* by hook: alternative; POLB_NO_ALTERNATIVE: left out */
	uint32_t *next;        /* by hook: alternatives before this one are refused */
	char (*why)[POLD_WHY]; /* by hook: why they are */
	uint32_t avoid;        /* bits of enum polb_mechanism that shall not be used */
	bool load_only;        /* a dry run: nothing is attached */
	struct pold_trace_link *links;
	size_t n_links;
};
#define POLD_TRACE_INIT                                                                            \
	{                                                                                          \
		.links = NULL                                                                      \
	}
int pold_trace_open(const struct polb_bundle *bundle, struct pold_trace *out); /* exit code */
/* Detaches what is not pinned. */
void pold_trace_close(struct pold_trace *trace);
/* Attaches everything that is chosen. 0; -EAGAIN: a hook goes on to its next alternative, load
 * again; else an exit code has been printed: POLD_*. */
int pold_trace_attach(struct pold_trace *trace, const struct polb_instance *instance);
void pold_trace_detach(struct pold_trace *trace);
int pold_trace_pin(struct pold_trace *trace, const char *name, uint32_t generation); /* -errno */

/* trace_choose.c: the alternatives of hooks. */
/* The first one of each hook that is possible as far as is known. Exit code. */
int pold_trace_choose(struct pold_trace *trace);
/* The same for one hook, from trace->next on. False: none is left, trace->why says why; *optional:
 * its policy says that it may be left out then. */
bool pold_trace_pick(struct pold_trace *trace, uint32_t hook, bool *optional);
/* What was chosen for the hook does not work: true when there is another one to be tried. */
bool pold_trace_refused(struct pold_trace *trace, uint32_t hook, const char *why);
/* The hook with this program in its chosen alternative; n_trace_hooks: none. */
uint32_t pold_trace_hook_of(const struct pold_trace *trace, const char *program);
/* Says that the bundle is refused because of this hook. POLD_ENVIRONMENT. */
int pold_trace_refuse(const struct pold_trace *trace, uint32_t hook);

/* Pinned as trace_hooks, by hook. */
struct pold_trace_hook {
	uint32_t alternative; /* POLB_NO_ALTERNATIVE: left out */
	uint32_t links;
};

/* trace_proc.c: one process as /proc shows it. */
struct pold_process {
	struct polb_process process;
	uint64_t start_ns;               /* since boot, to a tick */
	bool dead;                       /* a zombie without living threads */
	char path[POLB_PATH_BYTES + 16]; /* of the binary, as the process itself sees it */
	size_t path_size;
	struct polb_credentials credentials;
	uint32_t path_flags; /* POLB_EXEC_UNLINKED */
};
/* 0; -ENOENT: gone. */
int pold_process_read(uint32_t pid, struct pold_process *out);
/* Start and state only. 0 or -ENOENT. */
int pold_process_alive(uint32_t pid, uint64_t *start_ns, bool *dead);
/* Its description, with what the record says of it. */
void pold_process_exec(const struct pold_process *process, struct polb_exec *out);
/* Namespaces of a process: 0 where there is none. */
void pold_namespaces_read(uint32_t pid, __u32 out[POLB_N_NAMESPACES]);

/* trace_processes.c: those that exist, into a generation's maps; `old`: its maps, or NULL. */
struct pold_trace_old {
	int processes_fd, execs_fd;
	const struct polb_bundle *bundle;
};
int pold_processes_scan(const struct polb_bundle *bundle, int processes_fd, int execs_fd,
	const struct pold_trace_old *old); /* exit code */

/* programs.c: what the kernel says of each program in force, network and tracing. */
struct pold_program {
	struct bpf_prog_info info;
	bool has_misses; /* the kernel counts recursion_misses */
};
typedef void pold_program_call(void *context, const char *hook, const struct pold_program *program);
void pold_programs_each(const struct pold_state *state, pold_program_call *call, void *context);
void pold_programs_json(const struct pold_state *state); /* ,"programs":[...] */
void pold_programs_text(const struct pold_state *state); /* those that calls have missed */

/* trace_apply.c; exit codes. */
int pold_trace_load(struct pold_trace *trace, const struct polb_instance_options *options,
	struct polb_instance **out);
/* Pins links and maps. */
int pold_trace_keep(struct pold_trace *trace, const struct polb_instance *instance,
	const char *name, uint32_t generation);
/* Processes and workloads; `old`: the generation in force, 0: none. */
int pold_trace_know(const struct pold_trace *trace, const struct polb_instance *instance,
	const char *name, uint32_t old);

/*
 * Before the cutover: calls that are between two programs of one hook are still judged by the old
 * generation, although it is no longer in force. It ends by itself. False: nothing to be judged;
 * or -errno.
 */
int pold_trace_overlap(const char *name, uint32_t old);
/* After the drain: from now on only the generation in force judges. */
void pold_trace_overlap_end(const char *name, uint32_t old);
/* trace_drain.c: after it, until those calls are through; then the old generation may be detached.
 */
#define POLD_DRAIN_MAX_S 10u
void pold_trace_drain(void);

/* trace_status.c: the tracing part of `status`. Exit codes. */
int pold_trace_status_text(const struct pold_state *state, bool all);
int pold_trace_status_json(const struct pold_state *state); /* members, each behind a comma */

/* trace_counters.c: what each selector has seen; the last one is of specs without selectors. */
/* X(member, heading): as in struct polb_trace_counter. */
#define POLD_TRACE_COUNTERS(X)                                                                     \
	X(matched, "MATCHED")                                                                      \
	X(posted, "POSTED")                                                                        \
	X(lost, "LOST")                                                                            \
	X(rate_limited, "LIMITED")                                                                 \
	X(over_limit, "OVER")                                                                      \
	X(signalled, "SIGNALLED")                                                                  \
	X(overridden, "OVERRIDDEN")                                                                \
	X(monitored, "MONITORED")                                                                  \
	X(failed, "FAILED")                                                                        \
	X(unreadable, "UNREADABLE")
/* With what earlier generations counted. 0 or -errno; *out is malloc'd. */
int pold_trace_counters_read(
	const struct pold_state *state, struct polb_trace_counter **out, uint32_t *n);
/*
 * Specs without selectors share one counter, behind the selectors'. Its policy, when there is only
 * one that has such specs; n_trace_policies otherwise.
 */
size_t pold_trace_policy_of_others(const struct polb_bundle *bundle);
bool pold_trace_counter_saw(const struct polb_trace_counter *counter);
/* Counters of the old generation go on in the new one where a selector is the same. -errno */
int pold_trace_counters_carry(const struct polb_bundle *bundle, const char *name,
	uint32_t generation, const struct pold_state *old);

#endif
