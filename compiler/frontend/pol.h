/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Inside of the DSL: tokens, the state of one parse, the constructors that the grammar's actions
 * call, and the writers of fmt. The rest of the compiler needs only polc_parse_pol() and
 * polc_ast_print_pol(). Everything is arena-owned.
 */
#ifndef POLC_POL_H
#define POLC_POL_H

#include "reader.h"

struct pol_token {
	int kind; /* POL_T_* of the grammar, words already promoted to keywords by their place */
	struct polc_span span;
	const char
		*text; /* word as written; string unescaped; comment with its #; BAD: the message */
	size_t n;      /* bytes of the text; strings of tracing values may hold NULs */
};
typedef POLC_VEC(struct pol_token) pol_tokens;
typedef POLC_VEC(const struct pol_token *) pol_words;
typedef POLC_VEC(struct polc_ast_peer) pol_peers;
typedef POLC_VEC(struct polc_ast_port) pol_ports;
typedef POLC_VEC(const polc_ast_facts *) pol_fact_lists;

/* A rule's side as written: absent (`any`), present and empty (`none`), or a list. */
struct pol_peer_clause {
	enum polc_presence presence;
	pol_peers list;
	struct polc_span span;
};
struct pol_port_clause {
	enum polc_presence presence;
	pol_ports list;
	struct polc_span span;
};

/* What a claim about paths is about; ports and excepts may be NULL. */
struct pol_path {
	const struct pol_peer_clause *from, *to;
	const struct pol_port_clause *ports, *excepts;
};

/* What may stand at the end of a text: keywords, and whether a word or string may. */
struct pol_expected {
	POLC_VEC(const char *) words;
	bool name;
};

/* What the parser knows while it reads one file. */
struct pol_parser {
	struct polc *polc;
	struct polc_input *input;
	const pol_tokens *tokens;
	size_t next;
	const struct pol_token *last, *before_last; /* handed out most recently: for messages */
	struct pol_expected *expected;              /* filled at the end of the text, or NULL */
	/* the network block that is open */
	struct polc_ast_policy *policy;
	struct polc_ast_spec *spec;
	struct polc_span subject_span, log_span, description_span, isolate_span, default_span[2];
	unsigned errors_before; /* the errors that were there when spec was opened */
	struct polc_pod *pod;   /* the endpoint block that is open */
	/* the tracing block that is open, and in it: hook or macro, arguments, selector, test,
	 * actions */
	struct polc_ast_tracing *tracing;
	struct polc_ast_hook *hook;
	struct polc_ast_macro *macro;
	polc_ast_trace_args *args;
	struct polc_ast_trace_arg *arg;
	struct polc_ast_trace_selector *selector;
	struct polc_ast_filter *filter;
	polc_ast_trace_actions *actions;
	bool arg_indexed; /* the argument's index is written */
	/* the test or assert block that is open; in a test block, `input` is what is inside of it
	 */
	struct polc_ast_test *test;
	struct polc_ast_case test_case;
	struct polc_input *outside;
	struct polc_ast_assertion *assertion;
	unsigned test_errors; /* the errors that were there when it was opened */
};

/* Cuts a file into tokens; the last one is POL_T_YYEOF. Lexical mistakes become BAD tokens. */
void pol_scan(
	struct polc_arena *arena, uint32_t source, const char *text, size_t len, pol_tokens *out);
/* For editors: reports what is wrong before the end, and returns what may come there. */
void polc_pol_expected(struct polc *polc, const char *text, size_t len, struct pol_expected *out);
/* Does text that has no name begin like the DSL? (YAML's `network:` is one word with its colon.) */
bool pol_opens_block(struct polc_arena *arena, const char *text, size_t len);
/* For messages: a token or a symbol of the grammar in quotes; advice about a mistake often made. */
const char *pol_token_text(const struct pol_parser *p, const struct pol_token *token);
const char *pol_symbol_text(const struct pol_parser *p, const char *name);
void pol_syntax_hint(struct pol_parser *p, struct polc_diagnostic *d, bool peer_expected);

/* Blocks. Headers first, then statements, then the close. */
void pol_network_open(struct pol_parser *p, enum polc_policy_kind kind,
	const struct pol_token *name, const struct pol_token *namespace, struct polc_span span);
void pol_network_tier(struct pol_parser *p, const struct pol_token *tier);
void pol_network_priority(struct pol_parser *p, const struct pol_token *priority);
void pol_network_mode(struct pol_parser *p, const struct pol_token *mode);
void pol_network_close(struct pol_parser *p);
void pol_spec_open(struct pol_parser *p, struct polc_span span);
void pol_spec_close(struct pol_parser *p);

/* Statements of a network block. */
void pol_subject(struct pol_parser *p, const struct polc_ast_peer *subject, struct polc_span span);
void pol_rule(struct pol_parser *p, enum polc_direction direction, enum polc_action action,
	const struct pol_peer_clause *peers, const struct pol_port_clause *ports,
	const struct pol_token *name, struct polc_span first);
void pol_rule_nothing(struct pol_parser *p, enum polc_direction direction, enum polc_action action,
	struct polc_span first, struct polc_span all);
void pol_default(struct pol_parser *p, enum polc_direction direction, enum polc_tristate deny,
	struct polc_span span);
void pol_section(struct pol_parser *p, enum polc_direction direction);
void pol_isolate(struct pol_parser *p, unsigned directions, struct polc_span span);
void pol_log(struct pol_parser *p, const struct pol_token *value, struct polc_span span);
void pol_description(struct pol_parser *p, const struct pol_token *text, struct polc_span span);
void pol_label(struct pol_parser *p, const struct pol_token *key, const struct pol_token *value);

/* Selectors. */
struct polc_ast_selector *pol_selector(struct pol_parser *p, struct polc_span span);
struct polc_ast_selector *pol_require(struct pol_parser *p, struct polc_ast_selector *selector,
	const struct polc_ast_requirement *requirement);
struct polc_ast_requirement *pol_requirement(struct pol_parser *p, enum polb_operator op,
	const struct pol_token *key, const pol_words *values, struct polc_span span);
struct polc_ast_requirement *pol_equal(struct pol_parser *p, const struct pol_token *key,
	const struct pol_token *value, struct polc_span span);
pol_words *pol_word_list(struct pol_parser *p, pol_words *list, const struct pol_token *word);

/* Peers: each makes a list of one or more. */
struct pol_peer_clause *pol_peer(
	struct pol_parser *p, const struct polc_ast_peer *peer, struct polc_span span);
struct pol_peer_clause *pol_peers_join(
	struct pol_parser *p, struct pol_peer_clause *a, const struct pol_peer_clause *b);
struct pol_peer_clause *pol_peers_cidr(struct pol_parser *p, const pol_words *prefixes,
	const pol_words *excepts, struct polc_span span);
struct pol_peer_clause *pol_peers_group(struct pol_parser *p, const struct pol_token *name,
	const struct polc_ast_selector *selector, const pol_words *excepts, struct polc_span span);
struct pol_peer_clause *pol_peers_entity(
	struct pol_parser *p, const pol_words *names, struct polc_span span);
struct pol_peer_clause *pol_peers_none(struct pol_parser *p, struct polc_span span);
/* The selection of a subject or peer: bare labels are pods or endpoints by the kind of policy. */
struct polc_ast_peer *pol_selection(struct pol_parser *p, enum polc_peer_kind kind,
	const struct polc_ast_selector *namespaces, const struct polc_ast_selector *selector,
	struct polc_span span);
struct polc_ast_peer *pol_bare(
	struct pol_parser *p, const struct polc_ast_selector *selector, struct polc_span span);
struct polc_ast_peer *pol_service(struct pol_parser *p, const struct pol_token *name,
	const struct polc_ast_selector *selector, const struct pol_token *namespace,
	struct polc_span span);

/* Ports. */
struct pol_port_clause *pol_ports_none(struct pol_parser *p, struct polc_span span);
struct pol_port_clause *pol_port(
	struct pol_parser *p, struct pol_port_clause *list, const struct pol_token *word);

/* Endpoint blocks. */
void pol_endpoint_open(struct pol_parser *p, const struct pol_token *name,
	const struct pol_token *namespace, struct polc_span span);
void pol_endpoint_close(struct pol_parser *p);
void pol_endpoint_label(
	struct pol_parser *p, const struct pol_token *key, const struct pol_token *value);
struct polb_label pol_kubernetes_label(
	struct pol_parser *p, const struct pol_token *key, const struct pol_token *value);
void pol_endpoint_addresses(struct pol_parser *p, const pol_words *addresses);
void pol_endpoint_port(
	struct pol_parser *p, const struct pol_token *name, const struct pol_token *port);
void pol_endpoint_cgroup(struct pol_parser *p, const struct pol_token *path);
void pol_endpoint_interface(struct pol_parser *p, const struct pol_token *name);
void pol_endpoint_text(
	struct pol_parser *p, const char **field, const char *what, const struct pol_token *value);

/* Test and assert blocks: pol_test.c. */
struct polc_ast_call *pol_call(
	struct pol_parser *p, const struct pol_token *kind, const struct pol_token *place);
struct polc_ast_call *pol_call_with(struct polc_ast_call *call, const polc_ast_facts *facts);
polc_ast_facts *pol_fact(struct pol_parser *p, polc_ast_facts *list, const struct pol_token *key,
	const struct pol_token *value);
polc_ast_facts *pol_facts_join(
	struct pol_parser *p, polc_ast_facts *list, const polc_ast_facts *more);
pol_fact_lists *pol_fact_alternative(
	struct pol_parser *p, pol_fact_lists *list, const polc_ast_facts *facts);

void pol_test_open(struct pol_parser *p, const struct pol_token *name, struct polc_span span);
void pol_test_close(struct pol_parser *p);
void pol_test_paths(struct pol_parser *p, polc_ast_texts *list, const pol_words *words);
void pol_test_option(struct pol_parser *p, struct polc_ast_text *option, const char *what,
	const struct pol_token *value);
void pol_test_namespace(struct pol_parser *p, const struct pol_token *name);
void pol_test_namespace_label(
	struct pol_parser *p, const struct pol_token *key, const struct pol_token *value);
/* One case: what it asks, what is expected, then its close. */
void pol_test_case_open(struct pol_parser *p, struct polc_span span);
void pol_test_connection(struct pol_parser *p, const pol_words *from, const pol_words *to,
	const pol_words *ports, struct polc_span span);
void pol_test_call(struct pol_parser *p, const struct polc_ast_call *call, struct polc_span span);
void pol_test_verdict(struct pol_parser *p, enum polc_expected_verdict *verdict,
	enum polc_expected_verdict word, struct polc_span span);
void pol_test_by(struct pol_parser *p, const struct pol_token *rule);
void pol_test_actions(struct pol_parser *p, const pol_words *words);
void pol_test_number(struct pol_parser *p, const struct pol_token *word, int64_t min, int64_t max,
	struct polc_ast_number *out);
void pol_test_selector(struct pol_parser *p, const struct pol_token *selector);
void pol_test_case_close(struct pol_parser *p, const struct pol_token *name);

void pol_assert_open(struct pol_parser *p, const struct pol_token *name, struct polc_span span);
void pol_assert_close(struct pol_parser *p);
struct polc_ast_peer *pol_party(struct pol_parser *p, const struct polc_ast_selector *namespaces,
	const struct polc_ast_selector *pods, const struct pol_token *namespace,
	struct polc_span span);
struct pol_peer_clause *pol_party_namespaces(
	struct pol_parser *p, const pol_words *names, struct polc_span span);
struct pol_peer_clause *pol_party_any(struct pol_parser *p, struct polc_span span);
struct pol_path *pol_path(struct pol_parser *p, const struct pol_peer_clause *from,
	const struct pol_peer_clause *to, const struct pol_port_clause *ports,
	const struct pol_port_clause *excepts);
void pol_claim_path(struct pol_parser *p, enum polc_claim_kind kind, const struct pol_path *path,
	bool denied, struct polc_span span);
void pol_claim_call(struct pol_parser *p, enum polc_claim_kind kind,
	const struct polc_ast_call *call, const pol_fact_lists *excepts, struct polc_span span);
/* For the YAML reader too. */
void pol_claim_parties(struct polc_ast_claim *claim, const pol_peers *from, const pol_peers *to);
void pol_claim_ports(
	struct polc_ast_claim *claim, const pol_ports *ports, const pol_ports *excepts);

/* Tracing blocks: pol_tracing.c. */
void pol_tracing_open(struct pol_parser *p, const struct pol_token *name,
	const struct pol_token *namespace, struct polc_span span);
void pol_tracing_close(struct pol_parser *p);
/* name NULL: the option that `mode` is; value NULL: none. */
void pol_trace_option(
	struct pol_parser *p, const struct pol_token *name, const struct pol_token *value);
void pol_trace_limit(struct pol_parser *p, const struct pol_token *rate,
	const struct pol_token *burst, const struct pol_token *sample, struct polc_span span);
void pol_trace_pods(
	struct pol_parser *p, const struct polc_ast_selector *selector, struct polc_span span);
void pol_trace_containers(
	struct pol_parser *p, const struct polc_ast_selector *selector, struct polc_span span);
void pol_trace_host(struct pol_parser *p, struct polc_span span);
void pol_trace_nodes(struct pol_parser *p, const struct polc_ast_selector *selector);
void pol_trace_list(struct pol_parser *p, const struct pol_token *name,
	const struct pol_token *type, const struct pol_token *pattern, const pol_words *values,
	struct polc_span span);
void pol_trace_enforce(struct pol_parser *p, const pol_words *calls);
void pol_trace_macro_open(
	struct pol_parser *p, const struct pol_token *name, struct polc_span span);
void pol_trace_macro_close(struct pol_parser *p);

/* Hooks: pol_tracing_hook.c. */
void pol_trace_hook_open(struct pol_parser *p, struct polc_span span);
void pol_trace_hook_close(struct pol_parser *p);
void pol_trace_call(struct pol_parser *p, enum polc_trace_section section,
	const struct pol_token *function, bool syscall);
void pol_trace_tracepoint(struct pol_parser *p, const struct pol_token *name, bool raw);
void pol_trace_file(
	struct pol_parser *p, enum polc_trace_section section, const struct pol_token *path);
void pol_trace_usdt(
	struct pol_parser *p, const struct pol_token *path, const struct pol_token *probe);
void pol_trace_target(
	struct pol_parser *p, const struct pol_token *keyword, const pol_words *values);
/* [index or label [label]] type; then options and marks; then its close. */
void pol_trace_arg(struct pol_parser *p, const struct pol_token *first,
	const struct pol_token *second, const struct pol_token *type, struct polc_span span);
void pol_trace_arg_option(
	struct pol_parser *p, const struct pol_token *keyword, const struct pol_token *value);
void pol_trace_arg_flag(struct pol_parser *p, const struct pol_token *keyword);
void pol_trace_arg_close(struct pol_parser *p);
/* The clause that YAML calls `field` begins. */
void pol_trace_args_open(struct pol_parser *p, const char *field, struct polc_span span);
void pol_trace_returns(struct pol_parser *p, const struct pol_token *action);
void pol_trace_message(struct pol_parser *p, const struct pol_token *text);
void pol_trace_tags(struct pol_parser *p, const pol_words *tags);
void pol_trace_optional(struct pol_parser *p, const char *field, struct polc_span span);

/* Selectors: pol_tracing_selector.c. */
void pol_trace_selector_open(struct pol_parser *p, struct polc_span span);
void pol_trace_selector_close(struct pol_parser *p);
void pol_trace_label(struct pol_parser *p, const struct pol_token *label);
void pol_trace_use(struct pol_parser *p, const struct pol_token *macro);
/* A test: what it is about, then the operator, then marks, then its close. */
void pol_trace_filter(struct pol_parser *p, enum polc_trace_filter_kind kind);
void pol_trace_subject(struct pol_parser *p, const struct pol_token *word);
void pol_trace_positions(
	struct pol_parser *p, enum polc_trace_filter_kind kind, const pol_words *positions);
void pol_trace_process(struct pol_parser *p, const struct pol_token *keyword);
void pol_trace_typed(
	struct pol_parser *p, const struct pol_token *keyword, const struct pol_token *type);
void pol_trace_test(
	struct pol_parser *p, const char *op, struct polc_span span, const pol_words *values);
void pol_trace_operator(struct pol_parser *p, const struct pol_token *keyword, bool negate,
	const pol_words *values);
void pol_trace_filter_flag(struct pol_parser *p, const struct pol_token *keyword);
void pol_trace_on_error(struct pol_parser *p, const struct pol_token *meaning);
void pol_trace_filter_close(struct pol_parser *p, struct polc_span span);
void pol_trace_action(struct pol_parser *p, const struct pol_token *name,
	const struct pol_token *argument, struct polc_span span);
void pol_trace_action_option(
	struct pol_parser *p, const struct pol_token *keyword, const struct pol_token *value);
void pol_trace_action_flag(struct pol_parser *p, const struct pol_token *keyword);
void pol_trace_registers(struct pol_parser *p, const pol_words *assignments);

/* Texts of the tree from words; NULs are refused but in values. */
struct polc_ast_text pol_trace_text(struct pol_parser *p, const struct pol_token *token);
void pol_trace_texts(struct pol_parser *p, const pol_words *words, polc_ast_texts *out);
/* A number, decimal or 0x; reported when it is none or out of the field's range. */
bool pol_trace_number(struct pol_parser *p, const struct pol_token *token, int64_t min, int64_t max,
	struct polc_ast_number *out);

/*
 * How words and fields of the tree belong together; the writer goes by the same tables. `name` is
 * the field's in YAML.
 */
struct pol_trace_word {
	const char *word, *name;
};
extern const struct pol_trace_word pol_trace_arg_words[];
extern const struct pol_trace_word pol_trace_target_words[];
extern const struct pol_trace_word pol_trace_operator_words[]; /* without a sign of their own */
extern const struct pol_trace_word pol_trace_action_names[];
extern const struct pol_trace_word pol_trace_action_words[];
extern const struct pol_trace_word pol_trace_list_words[];
/* The pair with this word, or with this name; NULL when there is none. */
const struct pol_trace_word *pol_trace_word_find(
	const struct pol_trace_word *words, const char *word);
const struct pol_trace_word *pol_trace_name_find(
	const struct pol_trace_word *words, const char *name);
/* The field that an action's bare argument is, or NULL. */
const char *pol_trace_main_argument(const char *action);

/* Is this a keyword of tracing blocks? Then it needs quotes where keywords may stand. */
bool pol_trace_is_keyword(const char *word);
/* Can a label be what a test is about: no keyword there, and not like argN? */
bool pol_trace_is_subject(const char *label);
/* The words of a class of tokens; at most POL_CLASS_WORDS_MAX in all. */
#define POL_CLASS_WORDS_MAX 128
size_t pol_class_words(int kind, const char **out);

/* Shared checks and small parsers (pol_peer.c, pol_port.c). */
const char *pol_kind_text(const struct pol_parser *p); /* "a NetworkPolicy" */
bool pol_is_policy_api(enum polc_policy_kind kind);
bool pol_is_cilium(enum polc_policy_kind kind);
bool pol_check_name(
	struct pol_parser *p, const struct pol_token *name, const char *what, bool dots);
struct polc_span pol_subspan(struct polc_span span, size_t begin, size_t len);
bool pol_number(const char *text, size_t len, uint32_t max, uint32_t *out);
/* Name and number of the IP protocols that Cilium's ports may name beside TCP, UDP, SCTP. */
const char *pol_protocol_name(unsigned number);               /* upper case, or NULL */
bool pol_protocol_number(const char *name, unsigned *number); /* any case */

/*
 * Writers. polc_*_write_* append one block or document without care for layout (DSL) or complete
 * (YAML); pol_layout() gives DSL text its lines, keeping comments and the order of things.
 */
void polc_pol_write_policy(struct polc_buf *out, const struct polc_ast_policy *policy);
void polc_pol_write_endpoint(struct polc_buf *out, const struct polc_pod *pod);
void polc_yaml_write_policy(struct polc_buf *out, const struct polc_ast_policy *policy);
void polc_yaml_write_endpoint(struct polc_buf *out, const struct polc_pod *pod);
void polc_pol_write_word(struct polc_buf *out, const char *text);    /* quoted when it must be */
void polc_pol_write_escaped(struct polc_buf *out, const char *text); /* what is between quotes */
void polc_pol_write_selector(struct polc_buf *out, const struct polc_ast_selector *selector);
void polc_pol_write_port(struct polc_buf *out, const struct polc_ast_port *port);
void polc_yaml_write_text(struct polc_buf *out, const char *value); /* quoted when it must be */

/* Comments that stand before a block or object (at byte `begin`), for conversions. */
struct polc_comment {
	uint32_t begin;
	const char *text; /* "# ...\n" lines */
};
struct polc_comments {
	POLC_VEC(struct polc_comment) list;
	const char *rest; /* those behind the last block, or "" */
	size_t n_inside;  /* comments inside blocks: a conversion loses them */
};
typedef POLC_VEC(uint32_t) polc_places;
/* Where the comments of a YAML text begin, ascending; also those that stand within another one. */
void polc_yaml_comment_places(
	struct polc_arena *arena, const char *text, size_t len, polc_places *out);
void polc_pol_comments(
	struct polc_arena *arena, const char *text, size_t len, struct polc_comments *out);
/* begins: where the n objects begin, ascending. */
void polc_yaml_comments(struct polc_arena *arena, const char *text, const uint32_t *begins,
	size_t n, struct polc_comments *out);

void pol_layout(const char *text, size_t len, struct polc_buf *out);

#endif
