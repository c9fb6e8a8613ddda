/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * polload: puts bundles into force on this node and exits. Kernel pins are the only state:
 *
 *   /sys/fs/bpf/polc/            locked (flock) while something changes
 *     NAME/                      one named bundle
 *       control, flows_v1        shared by its generations; the version is the ABI's
 *       identities_v2, labels_v2 what `identity add` and `sync` were told, kept across generations
 *       g<N>/                    one generation: bundle, attachments, polt_* maps, programs, links
 *     clsact                     interfaces whose clsact qdisc is ours (before 6.6)
 *
 * A generation is in force when `control` names it. The one that its archive names as previous is
 * kept for `rollback`: its bundle and modes only (kept.c). Any other directory is left over from a
 * killed apply and is removed by the next one.
 *
 * Functions that return an exit code have printed their message; functions that return a negative
 * errno have not.
 */
#ifndef POLD_LOADER_H
#define POLD_LOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/bundle.h"

enum pold_exit {
	POLD_OK = 0,
	POLD_BAD = 1, /* the bundle was judged bad */
	POLD_USAGE = 2,
	POLD_ENVIRONMENT = 3, /* permission, kernel, map full, nothing applied */
	POLD_BUG = 70,
};

/* message.c */
__attribute__((format(printf, 2, 3))) int pold_fail(int code, const char *format, ...);
__attribute__((format(printf, 1, 2))) void pold_note(const char *format, ...);
void pold_json_string(const char *text); /* on stdout, with its quotes */
/* visible.c: from now on standard output shows control characters instead of doing them. */
void pold_stdout_protect(void);
/* A name, label or path, in one line whatever is in it, padded to `width` columns. */
void pold_print_visible(const char *text, int width);
void pold_messages_to_log(void); /* from now on to syslog, or to the kernel's log without one */

/* What `events` shows and where; policies: of `mode` too. */
struct pold_event_options {
	const char *policies[64]; /* --policy; none: all */
	uint32_t n_policies;
	const char *types;    /* --type exec,kprobe,... */
	const char *verdicts; /* --verdict deny,audit */
	const char *process;  /* --process: regular expression on the binary */
	const char *pod;
	const char *output_file, *rotate; /* --output-file, --rotate SIZE[,COUNT] */
	uint64_t pid;                     /* 0: any */
	bool caps, namespaces, stack_addresses, callbacks;
};

/* options.c: getopt_long on the arguments behind a subcommand. */
struct pold_options {
	const char *name;   /* --name, "default" */
	bool named;         /* --name was given */
	const char *node;   /* --node, host name */
	const char *output; /* -o */
	const char *cgroup, *interface, *container, *namespace, *kind;
	const char *labels[64];
	uint32_t n_labels;
	uint32_t room;                  /* --room: later identities and endpoints */
	int64_t adopt_s;                /* --adopt; -1: not given */
	uint64_t count;                 /* --count; 0: no end */
	double timeout_s;               /* --timeout; negative: no end */
	uint32_t processes, ring_bytes; /* --processes, --ring; 0: not given */
	uint32_t avoid;                 /* --avoid: bits of enum polb_mechanism */
	bool audit, all, help;
	bool dry_run;
	bool reset;              /* --reset: report */
	bool keep_modes;         /* --keep-modes */
	double wait_s;           /* --wait: for the lock; negative: not given */
	double confirm_s;        /* --confirm; negative: not given */
	const char *health;      /* --health: command that must succeed */
	bool expired;            /* --expired: what was not confirmed in time */
	const char *absent;      /* --absent: refuse, wait or create */
	const char *trusted[16]; /* --trusted-key */
	uint32_t n_trusted;
	const char *watch;       /* --watch: drop-in directory */
	double ttl_s;            /* --ttl; negative: not given */
	const char *on_expiry;   /* --on-expiry: deny or keep */
	const char *listen;      /* --listen ADDRESS:PORT */
	double interval_s;       /* --interval; negative: not given */
	const char *compat;      /* --compat: tetragon */
	const char *from, *to;   /* explain: WHO */
	const char *port, *call; /* explain: tcp/443; hook */
	struct pold_event_options events;
	char **arguments; /* what is not an option */
	int n_arguments;
};
int pold_options_parse(int argc, char **argv, struct pold_options *out);
/* Is the number of arguments [min, max]? Prints usage otherwise. */
int pold_options_arguments(const struct pold_options *options, int min, int max, const char *usage);

/* pins.c */
#define POLD_PATH 512
#define POLD_ROOT "/sys/fs/bpf/polc"
__attribute__((format(printf, 2, 3))) void pold_path(char out[POLD_PATH], const char *format, ...);
void pold_prepare(void);   /* mounts bpffs and raises limits as far as it may */
int pold_privileged(void); /* to change something; exit code */
int pold_may_read(void);   /* likewise */
int pold_root_open(int *lock_fd, bool exclusive, bool create); /* exit code; mounts bpffs, locks */
int pold_root_check(void); /* that the root is only ours; exit code */
int pold_pin_get(const char *format, ...) __attribute__((format(printf, 1, 2))); /* fd or -errno */
int pold_pin_put(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Numbers of the generation directories of a name, malloc'd. 0 or -errno. */
int pold_generations(const char *name, uint32_t **out, size_t *n);
int pold_directory_remove(const char *path); /* its files and itself; 0 or -errno */

/* names.c: the names under which something is in force, sorted, malloc'd. 0 or -errno. */
struct pold_name {
	char text[64];
};
int pold_names(struct pold_name **out, size_t *n);

/* lock.c: flock on a directory; waits as long as --wait says. Exit codes. */
void pold_lock_wait_set(double seconds);
int pold_lock_take(int fd, const char *path, bool exclusive);
/* For those who only read under one name: it waits for a cutover, not for an apply. */
int pold_readers_lock(const char *name, int *lock_fd);
/* Until the descriptor is closed, which may be negative; after a moment even from slow readers. */
int pold_readers_keep_off(const char *name);

/* signals.c: what would end an apply half-done is only noted. */
void pold_signals_catch(void);
void pold_signals_restore(void); /* for another program or a process of its own */
bool pold_interrupted(void);

/* privileges.c: what the subcommand does not need is given up for good. Exit code. */
int pold_privileges_drop(const char *command, const struct pold_options *options);
/* Nothing will be looked up by its number in the kernel any more: no CAP_SYS_ADMIN. */
void pold_privileges_no_numbers(void);
/* No program will be loaded any more: what is in force is known to be confirmed. */
void pold_privileges_no_loading(void);

/* trust.c: the key that vouches for a bundle; `what` names it in messages. Exit code. */
struct pold_signer {
	bool is_signed; /* checked, and good */
	uint8_t key_id[POLB_KEY_ID_BYTES];
};
int pold_trust_check(const struct pold_options *options, const char *what,
	const struct polb_bundle *bundle, struct pold_signer *out);

/* archive.c: the bundle's copy in the kernel, with what apply was told. Page 0 of the map. */
enum pold_absent { POLD_ABSENT_REFUSE, POLD_ABSENT_WAIT, POLD_ABSENT_CREATE };
struct pold_archive_header {
	uint64_t size; /* of the bundle */
	char node[256];
	char file[1024];          /* as given to apply */
	uint64_t applied_ns;      /* CLOCK_REALTIME */
	uint64_t applied_boot_ns; /* CLOCK_BOOTTIME */
	int64_t adopt_s;          /* -1: not given */
	uint32_t room, processes, ring_bytes, avoid;
	uint32_t previous; /* generation to return to; 0: none */
	uint8_t audit, absent, is_signed, pad;
	uint8_t signed_by[POLB_KEY_ID_BYTES]; /* is_signed: the id of a key that was trusted */
};
_Static_assert(sizeof(struct pold_archive_header) <= 4096, "a page");
int pold_archive_write(const char *name, uint32_t generation, const void *data,
	const struct pold_archive_header *header); /* 0 or -errno */

/* state.c: what is in force under a name. */
struct pold_state {
	const char *name;
	int lock_fd, control_fd;
	bool changes; /* opened to change it */
	uint32_t generation, epoch;
	const struct pold_archive_header *archive;
	size_t archive_bytes;
	struct polb_bundle bundle;
};
/* Opens it and reads its bundle; fails when nothing is applied. Exit code. */
int pold_state_open(struct pold_state *state, const char *name, bool exclusive);
/* Maps and reads the bundle of state->generation. 0 or -errno. */
int pold_state_bundle(struct pold_state *state);
/* Of another generation of the same name. 0 or -errno. */
int pold_state_generation(struct pold_state *state, const char *name, uint32_t generation);
const void *pold_state_file(const struct pold_state *state); /* archive->size bytes */
void pold_state_close(struct pold_state *state);
void pold_state_unlock(struct pold_state *state);
int pold_state_map(const struct pold_state *state, const char *map); /* fd or -errno */
/*
 * Before anything changes that cached verdicts are made of, and after it: what is killed in between
 * leaves no packet with a verdict of before. The next one who opens the state to change it ends
 * that. Exit codes.
 */
int pold_state_change(struct pold_state *state);
int pold_state_bump(struct pold_state *state); /* next epoch */
bool pold_state_is_changing(const struct pold_state *state);
#define POLD_STATE __attribute__((cleanup(pold_state_close))) struct pold_state
#define POLD_STATE_INIT                                                                            \
	{                                                                                          \
		.lock_fd = -1, .control_fd = -1                                                    \
	}

/* attach.c: endpoints on hooks. */
#define POLD_WHERE 228
struct pold_attachment_key {
	uint32_t endpoint;
	uint32_t hook; /* POLB_HOOK_CGROUP or POLB_HOOK_TC, and above it the number of the place */
};
/* An endpoint may be in several cgroups, one for each of its containers. */
#define POLD_HOOK_PLACES_MAX 64u
static inline uint32_t pold_hook_kind(uint32_t hook)
{
	return hook & 0xff;
}
static inline uint32_t pold_hook_place(uint32_t hook)
{
	return hook >> 8;
}
static inline uint32_t pold_hook_at(uint32_t kind, uint32_t place)
{
	return kind | place << 8;
}
struct pold_attachment {
	uint64_t key;      /* endpoint part of flow keys */
	uint64_t since_ns; /* CLOCK_REALTIME */
	uint32_t ifindex;
	uint32_t clsact; /* no link: filters with this handle and priority */
	uint32_t handle, priority;
	/* Until the cutover the replaced generation's programs run before ours: under this handle.
	 */
	uint32_t guard_handle, guard_program[2];
	char where[POLD_WHERE]; /* cgroup below its mount, or interface name */
	uint32_t changing; /* being attached or detached: the tables say whether it is in force */
};
struct pold_place {    /* where an endpoint is to be attached, looked up */
	uint32_t hook; /* as in the attachment's key */
	int cgroup_fd;
	uint32_t ifindex;
	uint64_t key;
	bool host_netns; /* cgroup: a process of it is in this program's own network namespace */
	char where[POLD_WHERE];
};
/* A generation's pins, opened for attaching and detaching. */
struct pold_generation {
	const char *name;
	uint32_t number;
	int attachments_fd, endpoints_fd, cgroup_fd, interfaces_fd;
	const struct pold_generation *replaced; /* after whose programs ours are put; may be NULL */
};
#define POLD_PLACE __attribute__((cleanup(pold_place_close))) struct pold_place
#define POLD_GENERATION __attribute__((cleanup(pold_generation_close))) struct pold_generation
#define POLD_GENERATION_INIT                                                                       \
	{                                                                                          \
		.attachments_fd = -1, .endpoints_fd = -1, .cgroup_fd = -1, .interfaces_fd = -1     \
	}
int pold_place_cgroup(const char *path, struct pold_place *out);         /* 0 or -errno */
int pold_place_interface(const char *interface, struct pold_place *out); /* 0 or -errno */
int pold_cgroup_mount(char *out, size_t size);                           /* 0 or -errno */
int pold_cgroup_id(int fd, uint64_t *out);                               /* 0 or -errno */
void pold_place_close(struct pold_place *place);
int pold_attachments_create(const char *name, uint32_t generation, uint32_t entries);
int pold_generation_open(const char *name, uint32_t number, struct pold_generation *out);
void pold_generation_close(struct pold_generation *generation);
int pold_attach(const struct pold_generation *generation, uint32_t endpoint,
	const struct pold_place *place); /* 0 or -errno */
int pold_detach(const struct pold_generation *generation, const struct pold_attachment_key *key);
/* From all of its places; how many there were, or -errno. */
int pold_detach_endpoint(const struct pold_generation *generation, uint32_t endpoint);
/*
 * Whether the programs at the place judge for the endpoint: what one store into the tables begins
 * and ends, for both directions.
 */
bool pold_in_force(const struct pold_generation *generation, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment);
/* And whether the place still exists and the programs still sit on it. */
bool pold_attached(const struct pold_generation *generation, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment);
/* Calls back for every attachment, ascending; stops at the first non-zero return and returns it. */
int pold_attachments_each(const struct pold_generation *generation,
	int (*call)(void *context, const struct pold_attachment_key *key,
		const struct pold_attachment *attachment),
	void *context);
/* Detaches everything of a generation and removes its directory. 0 or -errno. */
int pold_generation_remove(const char *name, uint32_t number);
/* The pin of one of its two links. */
void pold_link_path(const struct pold_generation *generation, const struct pold_attachment_key *key,
	int side, char out[POLD_PATH]);
/* Takes the hooks of an attachment away but leaves it on record. 0 or -errno. */
int pold_unhook(const struct pold_generation *generation, const struct pold_attachment_key *key,
	struct pold_attachment *attachment);
int pold_program_get(const struct pold_generation *generation, const char *program); /* or -errno */
uint32_t pold_program_id(int fd);                                                    /* 0: none */
/* Every program that runs now, or began before this, has seen what was attached before. -errno */
int pold_programs_wait(void);

/* clsact.c: cls_bpf filters, where the kernel has no tcx. 0 or -errno. */
int pold_filters_add(const struct pold_generation *generation,
	const struct pold_attachment_key *key, struct pold_attachment *attachment);
int pold_filters_del(
	const struct pold_generation *generation, const struct pold_attachment *attachment);
bool pold_filters_alive(
	const struct pold_generation *generation, const struct pold_attachment *attachment);
/* After the cutover: the replaced generation's programs need not run first any more. -errno */
int pold_guards_remove(const struct pold_generation *generation);
/* clsact_qdisc.c: the qdisc that filters are on. 0 or -errno. */
int pold_clsact_make(uint32_t ifindex);
void pold_clsact_drop(uint32_t ifindex); /* when we made it and nobody has filters there */

/* kept.c: what is left of a generation that another one has replaced. 0 or -errno. */
int pold_generation_strip(const char *name, uint32_t number);
/* Strips `keep`, removes all others but `in_force`. */
int pold_generations_settle(const char *name, uint32_t in_force, uint32_t keep);
/* Modes that were switched at run time, from a generation to another one of the same bundle. */
int pold_modes_copy(const char *name, uint32_t from, uint32_t to);
/* Whether the modes are still those that apply has set. */
bool pold_modes_are_fresh(const struct pold_state *state);

/* pending.c: a generation that nobody has confirmed yet. */
int pold_pending_create(const char *name, uint32_t generation); /* 0 or -errno */
int pold_pending_start(const char *name, uint32_t generation, double seconds);
int pold_pending_look(const char *name, uint32_t generation,
	uint64_t *deadline_boot_ns); /* 0; -ENOENT: it is confirmed; -errno */
bool pold_pending_read(const char *name, uint32_t generation, uint64_t *deadline_boot_ns);
int pold_pending_end(const char *name, uint32_t generation); /* it is confirmed */
uint64_t pold_boot_ns(void);
/* Under the lock: returns from a generation whose time is up. Exit code. */
int pold_return_if_overdue(const char *name, int lock_fd);
/* Under the lock: to the last confirmed generation; without one the bundle is removed. */
int pold_return(const char *name, uint32_t generation, int lock_fd);

/* waiter.c: a process that returns at the deadline unless confirmed. Its id, or -errno. */
int pold_waiter_start(const char *name, uint32_t generation);
/* health.c: exit code; POLD_BAD: the command failed or took too long. */
int pold_health_run(const char *command, const char *name, uint32_t generation);

/* status_apply.c: lines, and members behind a comma. */
void pold_status_apply_text(const struct pold_state *state);
void pold_status_apply_json(const struct pold_state *state);
/* Seconds until it returns unless confirmed, negative: overdue. False: it is confirmed. */
bool pold_returns_in(const struct pold_state *state, double *seconds);

int pold_name_remove(const char *name); /* remove.c: 0 or -errno */
void pold_root_drop(void);              /* pins.c: the root, when nothing is in it */

/* identities.c: addresses told at run time (store.h). */
/* What pold_identity_text() asks about numbers that are not the bundle's. fd or -errno. */
int pold_identities_open(const char *name);
/* Room in peer maps besides --room: for what is kept, and as much again. */
uint32_t pold_identities_room(const char *name);
/* Every identity told at run time, into another generation. Exit code. */
int pold_identities_replay(const struct polb_bundle *bundle, const char *name, uint32_t generation);
/* "app=web env=prod" of an identity number, "" when it has no labels. */
void pold_identity_text(const struct polb_bundle *bundle, int identities_fd, uint32_t number,
	char *out, size_t size);

/* counters.c: by rule number, malloc'd; earlier generations included. 0 or -errno. */
int pold_counters_read(const struct pold_state *state, struct polb_counter **out);
/* What `old` has counted becomes the base of a new generation's counters. 0 or -errno. */
int pold_counters_carry(const struct polb_bundle *bundle, const char *name, uint32_t generation,
	const struct pold_state *old);

/* endpoints.c */
void pold_endpoint_text(const struct polb_bundle *bundle, uint32_t number, char *out, size_t size);
/* Number of "namespace/name", 0 when the bundle has none. */
uint32_t pold_endpoint_find(const struct polb_bundle *bundle, const char *text);
bool pold_endpoint_local(const struct polb_bundle *bundle, uint32_t number, const char *node);

/* `add WHAT`, `del WHAT` and `list` of one noun, on the state under --name. */
struct pold_actions {
	const char *usage;
	int (*add)(const struct pold_options *options, struct pold_state *state);
	int (*del)(const struct pold_options *options, struct pold_state *state);
	int (*list)(const struct pold_options *options, struct pold_state *state);
};
int pold_actions_run(const struct pold_actions *actions, const struct pold_options *options);

/* endpoint.c: all of this node, as a table or as JSON objects separated by commas. Exit code. */
int pold_endpoints_print(const struct pold_state *state, bool json);
/* Places by their state; `denied`: without a table of its own, until a new bundle has one. */
struct pold_endpoint_counts {
	uint32_t attached, gone, waiting, denied;
};
int pold_endpoints_count(
	const struct pold_state *state, struct pold_endpoint_counts *out); /* 0 or -errno */

/* One per subcommand; exit codes. */
int pold_cmd_apply(const struct pold_options *options);
int pold_cmd_status(const struct pold_options *options);
int pold_cmd_remove(const struct pold_options *options);
int pold_cmd_mode(const struct pold_options *options);
int pold_cmd_endpoint(const struct pold_options *options);
int pold_cmd_identity(const struct pold_options *options);
int pold_cmd_events(const struct pold_options *options);
int pold_cmd_verify(const struct pold_options *options);
int pold_cmd_rollback(const struct pold_options *options);
int pold_cmd_confirm(const struct pold_options *options);
int pold_cmd_sync(const struct pold_options *options);
int pold_cmd_metrics(const struct pold_options *options);
int pold_cmd_report(const struct pold_options *options);
int pold_cmd_explain(const struct pold_options *options);
int pold_cmd_doctor(const struct pold_options *options);

#endif
