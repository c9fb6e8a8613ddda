/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What all subcommands share: the table-driven option parser, the options that say which policies
 * and which inventory, and loading them. A subcommand is `arguments in, exit code out`; argv[0] is
 * its name. Only this layer prints to stdout and decides exit codes.
 */
#ifndef POLC_CMD_H
#define POLC_CMD_H

#include "../../runtime/abi.h"
#include "../ir/network.h"
#include "../ir/tracing.h"

/* Subcommands, one file each. */
int polc_cmd_build(int argc, char **argv);
int polc_cmd_check(int argc, char **argv);
int polc_cmd_explain(int argc, char **argv);
int polc_cmd_diff(int argc, char **argv);
int polc_cmd_matrix(int argc, char **argv);
int polc_cmd_fmt(int argc, char **argv);
int polc_cmd_graph(int argc, char **argv);
int polc_cmd_inspect(int argc, char **argv);
int polc_cmd_lsp(int argc, char **argv);
int polc_cmd_completion(int argc, char **argv);
int polc_cmd_verify(int argc, char **argv);
int polc_cmd_target(int argc, char **argv);
int polc_cmd_test(int argc, char **argv);
int polc_cmd_sign(int argc, char **argv);
int polc_cmd_keygen(int argc, char **argv);

typedef POLC_VEC(const char *) polc_text_list;

/*
 * X(enumerator, type of the field at the option's offset): FLAG takes no value, TEXT keeps the
 * last, LIST all values; OPTIONAL takes one only behind "=", else it is "-"; CHOICE stores the
 * index of the word in `choices`; LATER is refused as not supported yet.
 */
#define POLC_OPTION_KINDS(X)                                                                       \
	X(FLAG, bool)                                                                              \
	X(TEXT, const char *)                                                                      \
	X(LIST, polc_text_list)                                                                    \
	X(CHOICE, unsigned)                                                                        \
	X(OPTIONAL, const char *)                                                                  \
	X(LATER, none)

enum polc_option_kind {
#define X(name, type) POLC_OPTION_##name,
	POLC_OPTION_KINDS(X)
#undef X
};

struct polc_option {
	const char *name; /* without "--", or NULL when there is only a letter */
	char letter;      /* or 0 */
	enum polc_option_kind kind;
	size_t offset;              /* within the subcommand's struct, which starts with polc_cmd */
	const char *argument;       /* placeholder in the help text; NULL for flags and choices */
	const char *const *choices; /* NULL-terminated */
	const char *help;
};

struct polc_command {
	const char *name;
	const char *synopsis; /* after "polc NAME" */
	const char *summary;  /* one line, no full stop */
	const struct polc_option *options;
	size_t n_options;
	size_t min_operands, max_operands;
};

/* A row of main.c's table, which polc_cmd_completion() is told of. */
struct polc_subcommand {
	const char *name, *summary;
	int (*run)(int argc, char **argv); /* NULL: planned */
};
void polc_completion_commands(const struct polc_subcommand *commands, size_t n);
/* The table that a subcommand's run() parses its command line by; NULL: it never came to that. */
const struct polc_command *polc_cmd_describe(int (*run)(int argc, char **argv));

/* The beginning of every subcommand's own struct. */
struct polc_cmd {
	const struct polc_command *command;
	struct polc polc;
	polc_text_list operands; /* POLICY..., or BUNDLE */
	polc_text_list inventories;
	unsigned dialect;     /* enum polc_dialect */
	unsigned unsupported; /* enum polc_unsupported */
	unsigned posture;     /* enum polc_posture */
	const char *cluster_name;
	polc_text_list audit_policies, switchable; /* --audit-policy, --switchable */
	polc_text_list target_names;               /* --target */
	unsigned format;         /* index in the subcommand's own list; 0 is text or table */
	const char *config_file; /* --config */
	bool no_config;
	bool warnings_are_errors;  /* of -Werror or .polc.yaml; for check */
	struct polc_levels levels; /* of -W and .polc.yaml; polc.levels points here */
	uint64_t given;            /* bit i: options[i] was on the command line */
	/* Filled by polc_cmd_load(). */
	struct polc_input input;
	const struct polc_network *network;
	const struct polc_identities *identities;
	struct polc_tracing_options tracing_options; /* targets: open until polc_cmd_free() */
	const struct polc_tracing *tracing;
	bool settled;            /* levels and comments were applied to the diagnostics */
	const char **rule_texts; /* polc_cmd_rule_text()'s memory */
};

extern const char *const polc_dialect_names[];
extern const char *const polc_unsupported_names[];
extern const char *const polc_posture_names[];

/* The options of every subcommand that reads policies; the struct's first member is `polc_cmd`. */
#define POLC_CMD_POLICY_OPTIONS                                                                    \
	{"inventory", 'i', POLC_OPTION_LIST, offsetof(struct polc_cmd, inventories), "FILE", NULL, \
		"Kubernetes objects that say what exists (file, directory or -)"},                 \
		{"dialect", 0, POLC_OPTION_CHOICE, offsetof(struct polc_cmd, dialect), NULL,       \
			polc_dialect_names, "whether ipBlock and networks match pods and nodes"},  \
		{"unsupported", 0, POLC_OPTION_CHOICE, offsetof(struct polc_cmd, unsupported),     \
			NULL, polc_unsupported_names,                                              \
			"what a rule that cannot be enforced becomes"},                            \
		{"posture", 0, POLC_OPTION_CHOICE, offsetof(struct polc_cmd, posture), NULL,       \
			polc_posture_names, "what happens to endpoints that no policy selects"},   \
		{"target", 0, POLC_OPTION_LIST, offsetof(struct polc_cmd, target_names), "KERNEL", \
			NULL, "BTF file, directory or name of a kernel; or \"running\""},          \
		{"config", 0, POLC_OPTION_TEXT, offsetof(struct polc_cmd, config_file), "FILE",    \
			NULL, "instead of .polc.yaml here or above"},                              \
		{"no-config", 0, POLC_OPTION_FLAG, offsetof(struct polc_cmd, no_config), NULL,     \
			NULL, "read no .polc.yaml"},                                               \
	{                                                                                          \
		"cluster-name", 0, POLC_OPTION_TEXT, offsetof(struct polc_cmd, cluster_name),      \
			"NAME", NULL, "value of the label io.cilium.k8s.policy.cluster"            \
	}

/* Of those that look at what a build would make; others know the modes that policies say. */
#define POLC_CMD_MODE_OPTIONS                                                                      \
	{"audit-policy", 0, POLC_OPTION_LIST, offsetof(struct polc_cmd, audit_policies), "POLICY", \
		NULL, "this network policy can be switched, and starts in audit mode"},            \
	{                                                                                          \
		"switchable", 0, POLC_OPTION_LIST, offsetof(struct polc_cmd, switchable),          \
			"POLICY", NULL, "this network policy can be switched, and starts enforced" \
	}

/*
 * Initialises cmd->polc and parses. Returns true to go on; otherwise everything has been printed
 * (help, or what is wrong) and *exit_code says how to end. In both cases the caller frees with
 * polc_cmd_free().
 */
bool polc_cmd_parse(
	const struct polc_command *command, void *cmd, int argc, char **argv, int *exit_code);
void polc_cmd_free(void *cmd);
/* Was the option of this name on the command line? */
bool polc_cmd_given(const struct polc_cmd *cmd, const char *name);
/* "polc NAME: message", and where help is; returns POLC_EXIT_USAGE. */
int polc_cmd_usage_error(const struct polc_cmd *cmd, const char *fmt, ...) POLC_PRINTF(2, 3);

/*
 * Reads inventories and policies, lowers, builds identities; prints nothing. POLC_EXIT_OK, BAD
 * (errors are in cmd->polc) or ENVIRONMENT. cmd->network and cmd->tracing are set unless
 * ENVIRONMENT.
 */
int polc_cmd_load(struct polc_cmd *cmd);
/* The second half of it, for those who filled cmd->input themselves: from reading to lowering. */
int polc_cmd_lower(struct polc_cmd *cmd);
/* Checks the assertions of what was loaded without errors; reports those that do not hold. */
void polc_cmd_check_assertions(struct polc_cmd *cmd);
/* Closes what polc_cmd_load() opened; polc_cmd_free() calls it. */
void polc_cmd_close_targets(struct polc_cmd *cmd);
/* Diagnostics as text on stderr, in colour on a terminal. */
void polc_cmd_print_diagnostics(struct polc_cmd *cmd);
/* polc_cmd_load(), then the diagnostics as text. */
int polc_cmd_load_and_print(struct polc_cmd *cmd);

/* "file:line" of a rule, or the word for a reserved reason ("default-deny"). Arena-owned. */
const char *polc_cmd_rule_text(struct polc_cmd *cmd, uint32_t rule_id);
/* The word for a reserved rule number, NULL for rules that somebody wrote. */
const char *polc_reserved_rule_name(uint32_t rule_id);
const char *polc_verdict_name(enum polb_verdict verdict);

/* SHA-256 of the inventory's canonical text; independent of files and of the order in them. */
void polc_inventory_digest(
	struct polc_arena *arena, const struct polc_inventory *inventory, uint8_t out[32]);

/*
 * Writes a file whole or not at all (temporary beside it, fsync, rename); "-" is stdout, refused
 * when that is a terminal. 0, or a message printed and -errno.
 */
int polc_cmd_write_file(const char *path, const void *data, size_t size);

#endif
