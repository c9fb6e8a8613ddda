/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From paths on the command line to the syntax tree and the inventory: files, directories
 * (*.yaml *.yml *.json *.pol, recursively, sorted), "-" for standard input, multi-document files,
 * List objects. Recorded paths are relative to the argument (never absolute). Names that begin
 * with "." are passed over below a directory. Standard input may be YAML, JSON or the DSL.
 */
#ifndef POLC_READER_H
#define POLC_READER_H

#include "ast.h"
#include "inventory.h"
#include "tests.h"
#include "tracing.h"

struct polc_input {
	struct polc_ast ast;
	polc_ast_tracings tracings; /* in order of appearance */
	struct polc_inventory inventory;
	polc_ast_tests tests;           /* only `polc test` and `fmt` look at them */
	polc_ast_assertions assertions; /* checked against all policies */
};

/*
 * Reads policies. CiliumCIDRGroup and other inventory objects found among them are added to the
 * inventory. Returns 0, or -errno when an argument cannot be read (reported); bad content is only
 * in polc->n_errors. Objects of unknown kinds are reported as UNKNOWN_KIND: an error in a file
 * named on the command line, a warning below a directory or inside a multi-kind file that also
 * holds policies.
 */
int polc_read_policies(struct polc *polc, struct polc_input *input, const char *path);
/* The same of a git revision, "REV:PATH". */
int polc_read_revision(struct polc *polc, struct polc_input *input, const char *revision_path);
/* The same of a text at hand, shown and told apart by `path`: the DSL when that ends in ".pol". */
void polc_read_text(
	struct polc *polc, struct polc_input *input, const char *path, const char *text, size_t n);
/* Reads an inventory file, directory or "-": policies in it are ignored. */
int polc_read_inventory(struct polc *polc, struct polc_input *input, const char *path);
/* Reads one object, as polc_read_policies() does those of a file. */
void polc_read_object(struct polc *polc, struct polc_input *input, const struct polc_yaml *object);
/* Call once after all reads: finishes the inventory, reports duplicate policies. */
void polc_read_finish(struct polc *polc, struct polc_input *input);

/*
 * All policies as YAML, sorted by kind, namespace and name: equal for equal sets, and lowered to
 * the same rule numbers. What no policy says (comments, places, the inventory) is not there. False,
 * and nothing added, when a policy holds what the tree cannot (layer 7 and the like).
 */
bool polc_policy_text(struct polc *polc, const struct polc_input *input, struct polc_buf *out);

/* The inventory in a text at hand, likewise. */
void polc_read_inventory_text(
	struct polc *polc, struct polc_input *input, const char *path, const char *text, size_t n);
/* Is this the kind of a policy, a test or an assertion? */
bool polc_kind_is_policy(const char *kind);

/* Is a source of policies in the DSL? By its name; standard input by its first word. */
bool polc_source_is_pol(const struct polc_source *source);

/* Front ends, one per family; each appends to ast or reports. `object` is a mapping with the kind.
 */
void polc_parse_network_policy(
	struct polc *polc, struct polc_ast *ast, const struct polc_yaml *object);
void polc_parse_cilium(struct polc *polc, struct polc_ast *ast, const struct polc_yaml *object,
	enum polc_policy_kind kind);
void polc_parse_policy_api(struct polc *polc, struct polc_ast *ast, const struct polc_yaml *object,
	enum polc_policy_kind kind);
void polc_parse_tracing(
	struct polc *polc, polc_ast_tracings *tracings, const struct polc_yaml *object);
/* The DSL (grammar/). Network blocks go to ast, tracing blocks to tracings; endpoint blocks go to
 * the inventory, test and assert blocks to tests and assertions. */
void polc_parse_pol(struct polc *polc, struct polc_input *input, uint32_t source);

#endif
