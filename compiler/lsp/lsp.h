/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Inside of the language server: its state, the files it knows, places in them, and what each
 * request is answered by. Text positions of the protocol are lines and UTF-16 units (or bytes,
 * where the client can); everything behind this layer counts bytes. Knows no command line.
 */
#ifndef POLC_LSP_LSP_H
#define POLC_LSP_LSP_H

#include <jansson.h>

#include "../analysis/lint.h"
#include "../backend/plan_tracing.h"
#include "../frontend/pol.h"
#include "server.h"

/* JSON-RPC's error codes that are used here. */
enum {
	LSP_PARSE_ERROR = -32700,
	LSP_INVALID_REQUEST = -32600,
	LSP_METHOD_NOT_FOUND = -32601,
	LSP_INVALID_PARAMS = -32602,
	LSP_NOT_INITIALIZED = -32002,
	LSP_REQUEST_FAILED = -32803,
};

/* A file of the workspace, an inventory, or a document that is only open. Each owns its text. */
struct lsp_file {
	struct polc_arena names; /* uri, path, shown */
	const char *uri;
	const char *path;        /* where it is on disk; NULL: it is not a file */
	const char *shown;       /* in messages: relative to the workspace's folder */
	struct polc_arena arena; /* of the text: replaced with it */
	const char *text;
	size_t n;
	bool open;       /* the client's text counts, not the disk's */
	bool found;      /* below a folder of the workspace, or named on the command line */
	bool inventory;  /* given by --inventory */
	bool changed;    /* since its diagnostics were sent */
	uint32_t source; /* in the analysis; 0: it is no part of it */
	char *published; /* the diagnostics that the client has, as JSON; NULL: none */
	json_int_t version;
};
typedef POLC_VEC(struct lsp_file *) lsp_files;

/* What the policies of the workspace mean at one moment. */
struct lsp_analysis {
	struct polc polc;
	struct polc_input input;
	const struct polc_network *network;
	const struct polc_identities *identities;
	const struct polc_tracing *tracing;
	struct polc_tracing_options tracing_options;
	bool complete; /* warnings and lints are there, and what comments hide is hidden */
	POLC_VEC(struct lsp_file *) sources; /* by source number; [0] is NULL */
};

struct lsp {
	const struct polc_lsp_options *options;
	struct polc polc; /* of the targets and of what lives as long as the server */
	struct polc_tracing_options targets;
	const char *root; /* path of the workspace's first folder, or NULL */
	POLC_VEC(const char *) folders;
	lsp_files files;
	struct lsp_analysis *analysis; /* the last one; NULL before the first */
	bool stale;                    /* something changed since */
	long advice_ms;                /* how long the last whole analysis took */
	bool utf8;                     /* positions count bytes */
	bool watches;                  /* the client can be asked to watch files */
	bool initialized, shut_down;
	int error; /* of the request being answered: an LSP_* code, or 0 */
	const char *error_text;
	struct polc_arena scratch; /* of the request being answered */
};

/* --- text: positions, ranges, edits (text.c) ------------------------------------------------- */

size_t lsp_offset(const struct lsp *lsp, const char *text, size_t n, const json_t *position);
json_t *lsp_position(const struct lsp *lsp, const char *text, size_t n, size_t offset);
json_t *lsp_range(const struct lsp *lsp, const struct lsp_file *file, size_t begin, size_t end);
/* A string of JSON; bytes that are no UTF-8 become U+FFFD. */
json_t *lsp_string(const char *text);
json_t *lsp_string_n(const char *text, size_t n);
/* Applies one entry of contentChanges; false when it makes no sense. */
bool lsp_file_change(const struct lsp *lsp, struct lsp_file *file, const json_t *change);
void lsp_file_set_text(struct lsp_file *file, const char *text, size_t n);
bool lsp_is_pol(const struct lsp_file *file);

/* --- files (files.c) ------------------------------------------------------------------------- */

struct lsp_file *lsp_file_find(const struct lsp *lsp, const char *uri);
/* Finds or makes the file of a URI. */
struct lsp_file *lsp_file_of_uri(struct lsp *lsp, const char *uri);
/* The path of a file: URI, or NULL. */
const char *lsp_path_of_uri(struct polc_arena *arena, const char *uri);
/* (Re)reads one file from disk, or forgets it when it is gone. */
void lsp_file_read(struct lsp *lsp, struct lsp_file *file);
/* Reads one file that appeared on disk. */
void lsp_path_scan(struct lsp *lsp, const char *path);
void lsp_folder_add(struct lsp *lsp, const char *path);
void lsp_folder_remove(struct lsp *lsp, const char *path);
/* Reads the folders, and what the command line names. */
void lsp_files_scan(struct lsp *lsp);
/* Is it a file that the workspace would have? */
bool lsp_path_is_ours(const struct lsp *lsp, const char *path);
/* Forgets files that are neither open nor on disk. */
void lsp_files_sweep(struct lsp *lsp);
void lsp_files_free(struct lsp *lsp);

/* --- analysis (analysis.c) ------------------------------------------------------------------- */

/* A whole analysis that is as quick as this is made at every change, else when it is quiet. */
#define LSP_ADVICE_AT_ONCE_MS 60
/* Makes lsp->analysis current, with errors alone; or with warnings, lints and assertions. */
void lsp_analyse(struct lsp *lsp);
void lsp_analyse_all(struct lsp *lsp);
void lsp_analysis_free(struct lsp_analysis *analysis);
/* Sends the diagnostics that the client has not: all of them, or errors at first. */
void lsp_publish(struct lsp *lsp);
/* The file and the JSON location of a span; NULL for "no place". */
struct lsp_file *lsp_span_file(const struct lsp *lsp, struct polc_span span);
json_t *lsp_location(const struct lsp *lsp, struct polc_span span);
json_t *lsp_span_range(const struct lsp *lsp, struct polc_span span);

/* A request's place in a file. */
struct lsp_place {
	struct lsp_file *file;
	size_t offset;
};

/* The workspace, as the requests ask about it (facts.c). */

/* Endpoints that one of the selectors matches. */
size_t lsp_count_selected(const struct lsp_analysis *a, const uint32_t *selectors, size_t n);
/* The policy and the rule that are written around an offset; NULL: none. */
const struct polc_net_policy *lsp_policy_at(const struct lsp *lsp, const struct lsp_place *place);
const struct polc_net_rule *lsp_rule_at(const struct lsp *lsp, const struct lsp_place *place);
/* The hook of a tracing policy likewise, of policies from one file. */
const struct polc_trace_spec *lsp_trace_spec_at(const struct polc_tracing *tracing, size_t offset);
/* What a rule or a policy means for the endpoints of the inventory, in words. */
void lsp_describe_rule(
	const struct lsp_analysis *a, const struct polc_net_rule *rule, struct polc_buf *out);
void lsp_describe_policy(
	const struct lsp_analysis *a, const struct polc_net_policy *policy, struct polc_buf *out);
/* First paragraphs of compiler/diagnostics.md. */
struct lsp_code_text {
	int code;
	const char *title, *text;
};
/* NULL: the code has no section. */
const struct lsp_code_text *lsp_code_text(enum polc_code code);
extern const struct lsp_code_text lsp_code_texts[]; /* made by compiler/lsp/embed */
extern const size_t lsp_n_code_texts;

/* The DSL's tokens up to a place (pol_place.c). */
struct lsp_pol_place {
	pol_tokens tokens; /* before the word at the place, comments left out */
	size_t word_begin, word_end;
	bool in_comment, tracing;
	const char *policy_kind; /* the first word of the block; NULL: outside of blocks */
};
void lsp_pol_place(struct polc_arena *arena, const char *text, size_t n, size_t offset,
	struct lsp_pol_place *out);

/* --- places ---------------------------------------------------------------------------------- */

/* From textDocument and position; false, with lsp->error set, when they are not there. */
bool lsp_place_read(struct lsp *lsp, const json_t *params, struct lsp_place *place);
/* The document of textDocument alone; NULL likewise. */
struct lsp_file *lsp_document_read(struct lsp *lsp, const json_t *params);

/* Where in a YAML document an offset is, also in unfinished ones (yaml_place.c). */
struct lsp_yaml_place {
	struct polc_arena *arena;
	const char *kind;                /* of the object; NULL: not said (yet) */
	const char *namespace;           /* metadata.namespace as written, or NULL */
	POLC_VEC(const char *) path;     /* keys above the place; list items leave no trace */
	POLC_VEC(const char *) siblings; /* keys of the same mapping that are there already */
	const char *key; /* the key whose value this is; NULL: a key, or nothing, is here */
	/* the word at the place: up to the offset, and whole */
	size_t word_begin, word_end;
	bool is_key;    /* the word is a key: a colon follows */
	bool in_flow;   /* inside of { } or [ ] */
	bool in_quotes; /* the word has an opening quote before it */
	bool in_comment;
	unsigned column; /* of the mapping's keys */
};
void lsp_yaml_place(struct polc_arena *arena, const char *text, size_t n, size_t offset,
	struct lsp_yaml_place *out);

/* --- what fields mean (schema.c, schema_trace.c) -----------------------------------------------
 */

/* Where values of a field come from, besides its words. */
enum lsp_values {
	LSP_VALUES_NONE,
	LSP_VALUES_LABELS,      /* a mapping of label keys to values */
	LSP_VALUES_LABEL_KEY,   /* one key of labels */
	LSP_VALUES_LABEL_VALUE, /* values of the key beside it */
	LSP_VALUES_NAMESPACE,
	LSP_VALUES_PORT, /* named ports */
	LSP_VALUES_SERVICE,
	LSP_VALUES_CIDR_GROUP,
	LSP_VALUES_FUNCTION, /* of the target's kernel */
	LSP_VALUES_LSM_HOOK,
	LSP_VALUES_TYPE, /* of arguments */
	LSP_VALUES_CAPABILITY,
	LSP_VALUES_MACRO,
	LSP_VALUES_FREE_MAP, /* a mapping with keys that are nobody's business */
	LSP_VALUES_MACROS,   /* a mapping from names to selectors */
	LSP_VALUES_FILTER,   /* what matchArgs and the like are compared with */
	LSP_VALUES_ENTITY,
};

struct lsp_shape;
struct lsp_field {
	const char *name;
	const struct lsp_shape *below; /* of the mapping, or of each in a list; or NULL */
	const char *const *words;      /* NULL-terminated; or NULL */
	enum lsp_values values;
	bool list;
	const char *doc; /* what it means, and what it means to leave it out */
};
struct lsp_shape {
	const struct lsp_field *fields;
	size_t n;
};
/* The kinds of objects whose fields are known; each has its shape and a text. */
struct lsp_kind {
	const char *name, *api;
	const struct lsp_shape *shape;
	const char *doc;
};
extern const struct lsp_kind lsp_kinds[];
extern const size_t lsp_n_kinds;
extern const struct lsp_shape lsp_trace_spec, lsp_label_selector, lsp_cilium_selector;
extern const struct lsp_shape lsp_test_spec, lsp_assertion_spec;
extern const char *const lsp_bools[];
const struct lsp_kind *lsp_kind_find(const char *name);
const struct lsp_field *lsp_shape_find(const struct lsp_shape *shape, const char *name);
/*
 * The mapping that a path leads to; NULL when it leads nowhere that is known. *field is the last
 * field on the way.
 */
const struct lsp_shape *lsp_schema_walk(const struct lsp_shape *shape, const char *const *path,
	size_t n, const struct lsp_field **field);
/* A word of the policy language: what it means, or NULL. */
const char *lsp_keyword_doc(const char *word, bool tracing);

/* --- completion (complete*.c) ------------------------------------------------------------------
 */

struct lsp_completion {
	struct lsp *lsp;
	const struct lsp_place *place;
	json_t *items;
	size_t begin, end;  /* the word that an item replaces */
	const char *prefix; /* what of it is before the cursor */
	bool quote_free;    /* values may be written as they are */
	bool incomplete;
};
/* The protocol's numbers of kinds of items. */
enum {
	LSP_ITEM_FIELD = 5,
	LSP_ITEM_VALUE = 12,
	LSP_ITEM_KEYWORD = 14,
	LSP_ITEM_FUNCTION = 3,
	LSP_ITEM_REFERENCE = 18
};
/* `insert` NULL: the label; `doc` and `detail` may be NULL. */
void lsp_offer(struct lsp_completion *c, const char *label, const char *insert, int kind,
	const char *detail, const char *doc);
void lsp_offer_words(struct lsp_completion *c, const char *const *words, int kind);
/* Whose labels are asked for. */
enum lsp_owner {
	LSP_OWNER_PODS,
	LSP_OWNER_NAMESPACES,
	LSP_OWNER_NODES,
	LSP_OWNER_SERVICES,
	LSP_OWNER_CIDR_GROUPS,
	LSP_OWNER_CONTAINERS
};
void lsp_offer_label_keys(struct lsp_completion *c, enum lsp_owner owner, const char *after);
void lsp_offer_label_values(struct lsp_completion *c, enum lsp_owner owner, const char *key);
void lsp_offer_namespaces(struct lsp_completion *c);
/* `prefixed`: as tcp/NAME. */
void lsp_offer_ports(struct lsp_completion *c, bool prefixed);
void lsp_offer_services(struct lsp_completion *c);
void lsp_offer_cidr_groups(struct lsp_completion *c);
void lsp_offer_entities(struct lsp_completion *c);
void lsp_offer_functions(struct lsp_completion *c);
void lsp_offer_syscalls(struct lsp_completion *c, const char *before);
void lsp_offer_lsm_hooks(struct lsp_completion *c);
void lsp_offer_types(struct lsp_completion *c);
void lsp_offer_capabilities(struct lsp_completion *c);
/* Values that an operator or a type compares with: families, protocols, states, file types. */
void lsp_offer_operands(struct lsp_completion *c, const char *operator_or_type);
void lsp_offer_macros(struct lsp_completion *c);
void lsp_offer_lists(struct lsp_completion *c);
void lsp_complete_yaml(struct lsp_completion *c);
void lsp_complete_pol(struct lsp_completion *c);

/* --- requests ----------------------------------------------------------------------------------
 */

typedef json_t *lsp_request(struct lsp *lsp, const json_t *params);
lsp_request lsp_hover, lsp_complete, lsp_definition, lsp_symbols, lsp_format, lsp_code_actions;

/* --- the wire (wire.c) ---------------------------------------------------------------------------
 */

struct lsp_input {
	int fd;
	char *p;
	size_t n, at, cap;
};
enum lsp_read { LSP_READ_MESSAGE, LSP_READ_END, LSP_READ_TIMEOUT };
/*
 * The next message's bytes, valid until the next call. Waits at most timeout_ms (-1: for ever).
 * What is no header is passed over.
 */
enum lsp_read lsp_input_read(struct lsp_input *input, int timeout_ms, const char **out, size_t *n);
void lsp_input_free(struct lsp_input *input);
/* Writes one message; takes the reference. */
void lsp_send(json_t *message);
void lsp_notify(const char *method, json_t *params);

#endif
