/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * polload: puts bundles into force on this node and exits. Kernel pins are the only state:
 *
 *   /sys/fs/bpf/polc/            locked (flock) while something changes
 *     NAME/                      one named bundle
 *       control, flows_v1        shared by its generations; the version is the ABI's
 *       identities_v1            what `identity add` was told, kept across generations
 *       g<N>/                    one generation: bundle, attachments, polt_* maps, programs, links
 *
 * A generation is in force when `control` names it; any other directory is left over from a
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

/* What `events` shows and where; policies: of `mode` too. */
struct pold_event_options {
	const char *policies[64]; /* --policy; none: all */
	uint32_t n_policies;
	const char *types;   /* --type exec,kprobe,... */
	const char *process; /* --process: regular expression on the binary */
	const char *pod;
	const char *output_file, *rotate; /* --output-file, --rotate SIZE[,COUNT] */
	uint64_t pid;                     /* 0: any */
	bool caps, namespaces, stack_addresses, callbacks;
};

/* options.c: getopt_long on the arguments behind a subcommand. */
struct pold_options {
	const char *name;   /* --name, "default" */
	const char *node;   /* --node, host name */
	const char *output; /* -o */
	const char *cgroup, *interface, *namespace, *kind;
	const char *labels[64];
	uint32_t n_labels;
	uint32_t room;                  /* --room: later identities and endpoints */
	int64_t adopt_s;                /* --adopt; -1: not given */
	uint64_t count;                 /* --count; 0: no end */
	double timeout_s;               /* --timeout; negative: no end */
	uint32_t processes, ring_bytes; /* --processes, --ring; 0: not given */
	uint32_t avoid;                 /* --avoid: bits of enum polb_mechanism */
	bool audit, all, help;
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
int pold_privileged(void);                                     /* exit code */
int pold_root_open(int *lock_fd, bool exclusive, bool create); /* exit code; mounts bpffs, locks */
int pold_pin_get(const char *format, ...) __attribute__((format(printf, 1, 2))); /* fd or -errno */
int pold_pin_put(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Numbers of the generation directories of a name, malloc'd. 0 or -errno. */
int pold_generations(const char *name, uint32_t **out, size_t *n);
int pold_directory_remove(const char *path); /* its files and itself; 0 or -errno */

/* archive.c: the bundle's copy in the kernel, with what apply was told. */
struct pold_archive_header {
	uint64_t size;
	char node[256];
};
int pold_archive_write(const char *name, uint32_t generation, const void *data, size_t size,
	const char *node); /* 0 or -errno */

/* state.c: what is in force under a name. */
struct pold_state {
	const char *name;
	int lock_fd, control_fd;
	uint32_t generation, epoch;
	const struct pold_archive_header *archive;
	size_t archive_bytes;
	struct polb_bundle bundle;
};
/* Opens it and reads its bundle; fails when nothing is applied. Exit code. */
int pold_state_open(struct pold_state *state, const char *name, bool exclusive);
/* Maps and reads the bundle of state->generation. 0 or -errno. */
int pold_state_bundle(struct pold_state *state);
void pold_state_close(struct pold_state *state);
void pold_state_unlock(struct pold_state *state);
int pold_state_map(const struct pold_state *state, const char *map); /* fd or -errno */
int pold_state_bump(struct pold_state *state);                       /* next epoch; exit code */
#define POLD_STATE __attribute__((cleanup(pold_state_close))) struct pold_state
#define POLD_STATE_INIT                                                                            \
	{                                                                                          \
		.lock_fd = -1, .control_fd = -1                                                    \
	}

/* attach.c: endpoints on hooks. */
struct pold_attachment_key {
	uint32_t endpoint;
	uint32_t hook; /* POLB_HOOK_CGROUP or POLB_HOOK_TC */
};
struct pold_attachment {
	uint64_t key; /* endpoint part of flow keys */
	uint32_t ifindex;
	uint32_t clsact; /* no link: filters with this handle and priority */
	uint32_t handle, priority;
	char where[232]; /* cgroup below its mount, or interface name */
};
struct pold_place { /* where an endpoint is to be attached, looked up */
	uint32_t hook;
	int cgroup_fd;
	uint32_t ifindex;
	uint64_t key;
	bool host_netns; /* cgroup: a process of it is in this program's own network namespace */
	char where[232];
};
/* A generation's pins, opened for attaching and detaching. */
struct pold_generation {
	const char *name;
	uint32_t number;
	int attachments_fd, endpoints_fd, cgroup_fd, interfaces_fd;
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
/* Whether the place still exists and the programs still sit on it. */
bool pold_attached(const struct pold_generation *generation, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment);
/* Calls back for every attachment, ascending; stops at the first non-zero return and returns it. */
int pold_attachments_each(const struct pold_generation *generation,
	int (*call)(void *context, const struct pold_attachment_key *key,
		const struct pold_attachment *attachment),
	void *context);
/* Detaches everything of a generation and removes its directory. 0 or -errno. */
int pold_generation_remove(const char *name, uint32_t number);

/* identities.c: addresses told at run time. */
struct pold_identity_key {
	struct polb_addr addr; /* 17 bytes */
	uint8_t pad[3];
};
struct pold_identity {
	uint32_t kinds;
	uint32_t number;
	uint32_t labels_size;
	char labels[1012]; /* source, key, value, each NUL-terminated, repeated */
};
int pold_identities_open(const char *name, bool create); /* fd or -errno */
/* Writes class and peer entry into a generation's maps. Exit code. */
int pold_identity_install(const struct polb_bundle *bundle, const char *name, uint32_t generation,
	const struct polb_addr *addr, const struct pold_identity *identity);
/* Every identity told at run time, into another generation. Exit code. */
int pold_identities_replay(const struct polb_bundle *bundle, const char *name, uint32_t generation);
/*
 * What the bundle says about an address again: its own peer entry, or none. First the address, then
 * nothing needs the class. 0 or -errno.
 */
int pold_identity_restore(const struct polb_bundle *bundle, const char *name, uint32_t generation,
	const struct polb_addr *addr, const char *node);
int pold_identities_each(int fd,
	int (*call)(void *context, const struct pold_identity_key *key,
		const struct pold_identity *identity),
	void *context);
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

/* One per subcommand; exit codes. */
int pold_cmd_apply(const struct pold_options *options);
int pold_cmd_status(const struct pold_options *options);
int pold_cmd_remove(const struct pold_options *options);
int pold_cmd_mode(const struct pold_options *options);
int pold_cmd_endpoint(const struct pold_options *options);
int pold_cmd_identity(const struct pold_options *options);
int pold_cmd_events(const struct pold_options *options);
int pold_cmd_verify(const struct pold_options *options);

#endif
