/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The reference evaluator for tracing: a call as somebody describes it (a hook, values, a process),
 * and what the policies decide about it. Slow and obvious, on the tracing IR alone: no bits, no
 * tables, no programs. `explain --call`, `test`, assertions and diff stand on it, and the compiled
 * programs are compared with it.
 *
 * What is not said about a call is open, and so is every decision that it could change: such a
 * decision tells what it depends on and takes nothing for granted. Not modelled: rateLimit and the
 * rate of events of a policy, what the kernel refuses (a signal to pid 1), earlier calls.
 */
#ifndef POLC_CALL_H
#define POLC_CALL_H

#include "../ir/network.h"
#include "../ir/tracing.h"

/*
 * One thing said about a call. "?" says that the value cannot be read, or that the process, the
 * path or the namespace is not known: then onError decides. Bytes are written as they are or as
 * \xNN, \0, \n, \t, \\.
 *
 * Values go by the label of the argument, or by
 * - argN, by the `index` of the argument; of a tracepoint by the field's name as well
 * - argN.PATH with `resolve: PATH`
 * - dataN, entry N of `data` from 0 on; also task.PATH, or the name of a register
 * - return, the result
 *
 * and are written by their type:
 * - numbers as in policies (0x1f, -1, CAP_SYS_ADMIN), AF_, IPPROTO_ and TCP_ names, -EPERM;
 *   names of system calls for syscall64
 * - sets of capabilities: names by commas, a number, "none", "all"
 * - strings and bytes as they are
 * - files and paths: "/etc/passwd"; "" has none (a pipe). argN.type=reg, argN.mode=0100644
 * - sock, socket, skb: "10.0.0.1:443->10.0.0.2:80/tcp", of which every part may be left out
 *   ("->10.0.0.2", "->:80/tcp", "->[fd00::1]:22"), or argN.saddr, .daddr, .sport, .dport,
 *   .protocol, .family, .state
 * - sockaddr: "10.0.0.1:443", or .saddr, .sport, .family
 * - sockaddr_un: "/run/x", "@abstract"; another family: argN.family=AF_INET
 *
 * The process:
 * - process, "?": there is no record of it
 * - binary, parent: paths; parent is the image before when there was no fork; a parent that is "?"
 *   is none that a policy names
 * - ancestors: paths by commas, from the grandparent on, all of them
 * - pid, nspid: numbers of the thread group; nspid 0 is a process of the host
 * - ancestor-pids, ancestor-nspids: by commas, from the parent on, all of them; in the host's
 *   numbers the parent of the last one is 0
 * - ns.TYPE: a number, "host", or "other" (one that no policy names)
 * - old-ns.TYPE: likewise, at exec (matchNamespaceChanges); or changed-ns: types by commas, exactly
 *   these changed since exec
 * - effective, permitted, inheritable; old-effective and so on, at exec: capabilities
 * - user-namespace: another name of ns.User
 * - workload: "host", in no pod; or pod: NAMESPACE/NAME of the inventory; or namespace and labels
 *   ("app=web,tier=db"); container and image: of the container
 */
struct polc_call_fact {
	const char *key, *value;
	struct polc_span span, key_span;
};

struct polc_call; /* facts, understood; arena-owned */
/*
 * `hook` is "kprobe cap_capable", "fentry f", "lsm file_open", "tracepoint
 * syscalls/sys_enter_openat", "raw-tracepoint sched/sched_switch", "uprobe /bin/bash:readline",
 * "uprobe PATH+0x1f0", "usdt PATH:PROVIDER:NAME", "syscall openat" (also i386/openat), or the bare
 * name of a function, else of an LSM hook. kprobe and fentry mean the same: the call of a function.
 * A hook that no policy has, facts that no policy on this hook could ask about, and values that are
 * none are reported with a suggestion, as BAD_TEST or, without a place, QUESTION; NULL then.
 * `inventory` may be NULL. Borrows everything.
 */
const struct polc_call *polc_call_make(struct polc *polc, const struct polc_tracing *tracing,
	const struct polc_inventory *inventory, const char *hook, struct polc_span span,
	const struct polc_call_fact *facts, size_t n_facts);

/* UNREADABLE: a test on what cannot be read; onError decides. OPEN: on what was not said. */
enum polc_call_truth { POLC_CALL_NO, POLC_CALL_YES, POLC_CALL_UNREADABLE, POLC_CALL_OPEN };
const char *polc_call_truth_name(enum polc_call_truth truth); /* "no", "yes", ... */

/* One test of a selector, for explain. */
struct polc_call_test {
	const struct polc_trace_test *test;
	enum polc_call_truth result; /* after `negate`, before onError */
	enum polc_call_truth holds;  /* after it: NO, YES or OPEN */
	const char *text;            /* "cap = CAP_SYS_ADMIN" */
	const char *value;           /* of the call, as written: "21"; NULL: not said */
};
typedef POLC_VEC(struct polc_call_test) polc_call_tests;

struct polc_call_selector {
	const struct polc_trace_selector *selector;
	enum polc_call_truth matched; /* NO, YES or OPEN */
	enum polc_call_truth
		return_matched; /* likewise, its return tests; YES when there are none */
	bool returned;          /* return_matched was asked */
	polc_call_tests tests, return_tests; /* up to the first that fails for sure */
};

/* What happens to a call. */
struct polc_call_effect {
	bool posts; /* an event is sent */
	uint64_t
		actions; /* bits of enum polb_trace_action that are carried out, POST if it posts */
	bool has_error;
	int32_t error; /* of Override or NotifyEnforcer, not 0 */
	/* The error is not this call's result but that of the enforcer's calls, if this system call
	 * goes on to one of them. */
	bool owed;
	bool rewritten;  /* registers of a uprobe, or memory of a USDT */
	uint32_t signal; /* of Sigkill, Signal, NotifyEnforcer; 0: none; 9 when there are several */
};

/* What one spec (an entry of a section) makes of the call. */
struct polc_call_match {
	uint32_t policy, spec;
	uint32_t symbol;               /* which of the spec's symbols the call is */
	enum polc_call_truth workload; /* the policy applies to this workload: NO, YES or OPEN */
	/* the first selector that matches (its number over all policies) if nothing that is open
	 * stands before it; POLC_NO_SELECTOR: none does, or the spec has none and every call is
	 * posted (`matched`), or it is open */
	uint32_t selector;
	enum polc_call_truth matched; /* NO, YES or OPEN */
	bool enforces; /* false in monitor mode: signals and results are not applied */
	/* of the selector, as written */
	uint64_t actions, return_actions;
	bool has_error;
	int32_t error;
	uint32_t signal; /* 9 for Sigkill */
	/* The selectors that were looked at, in order: up to the first that matches for sure */
	POLC_VEC(struct polc_call_selector) selectors;
	bool certain; /* what was not said changes neither the selector nor its effect */
	struct polc_call_effect sure, possible; /* equal when certain */
};

typedef POLC_VEC(const char *) polc_call_keys;

struct polc_call_decision {
	POLC_VEC(struct polc_call_match) matches; /* one per spec on the hook, in their order */
	bool certain;                             /* every match is */
	/* keys that were not said and on which it depends; none when certain */
	polc_call_keys depends_on;
	/* All together, monitor mode taken into account: what happens for sure, and all that may
	 * happen. The error is that of the first policy. Equal when certain. */
	struct polc_call_effect sure, possible;
	/* Nothing can stop the call: neither SIGKILL (before its effect or after) nor a result that
	 * is not its own, nor other registers. */
	bool passes;
	/* ... nothing stops it for sure: an error that is owed may find no call */
	bool may_pass;
};
void polc_call_decide(struct polc *polc, struct polc_arena *arena,
	const struct polc_tracing *tracing, const struct polc_call *call,
	struct polc_call_decision *decision);

/*
 * Every key that a policy on the hook could ask for. None when no policy has the hook; what is
 * wrong with it is reported to `polc`.
 */
polc_call_keys polc_call_known_keys(
	struct polc *polc, const struct polc_tracing *tracing, const char *hook);

/* "kprobe cap_capable(cap=CAP_SYS_ADMIN) by /usr/bin/x": for messages. */
const char *polc_call_text(struct polc_arena *arena, const struct polc_call *call);
/* "killed with SIGKILL, returns -EPERM", "event only (monitor mode)", "passes" */
const char *polc_call_effect_text(
	struct polc_arena *arena, const struct polc_call_effect *effect, bool monitored);
/* Likewise for the whole decision; an open one tells what it depends on. */
const char *polc_call_decision_text(
	struct polc_arena *arena, const struct polc_call_decision *decision);

#endif
