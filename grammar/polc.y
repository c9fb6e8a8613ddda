/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The policy language. Syntax only: every action calls one constructor of compiler/frontend/pol.h,
 * which builds the tree that YAML builds too. Which word is a keyword is settled before the
 * parser sees it, so that any word may be a name or a label. Reference: grammar/polc-policy.5.
 */
%code requires {
#include "frontend/pol.h"
}

%code {
#define YYLLOC_DEFAULT(Current, Rhs, N)                                                            \
	do {                                                                                       \
		if (N) {                                                                           \
			(Current) = polc_span_join(YYRHSLOC(Rhs, 1), YYRHSLOC(Rhs, N));            \
		} else {                                                                           \
			(Current) = YYRHSLOC(Rhs, 0);                                              \
			(Current).begin = (Current).end;                                           \
		}                                                                                  \
	} while (0)

int pol_lex(POL_STYPE *value, struct polc_span *span, struct pol_parser *p);
void pol_error(const struct polc_span *span, struct pol_parser *p, const char *message);
}

%define api.pure full
%define api.prefix {pol_}
%define api.token.prefix {POL_T_}
%define api.location.type {struct polc_span}
%define api.value.type union
%define parse.error custom
%define parse.lac full
%locations
%param {struct pol_parser *p}
%expect 0

%token <const struct pol_token *> WORD "word" STRING "string"
%token COMMENT "comment" BAD "unreadable text" NE "!="
%token NETWORK "network" KUBERNETES "kubernetes" CLUSTER "cluster" ADMIN "admin"
%token BASELINE "baseline" ENDPOINT "endpoint" TRACING "tracing" TIER "tier" PRIORITY "priority"
%token IN "in" SPEC "spec" SUBJECT "subject" INGRESS "ingress" EGRESS "egress"
%token ALLOW "allow" DENY "deny" PASS "pass" DEFAULT "default" NONE "none" NOTHING "nothing"
%token ANY "any" ALL "all" FROM "from" TO "to" AS "as" OR "or" AND "and" NOT "not" HAS "has"
%token ENDPOINTS "endpoints" PODS "pods" NAMESPACES "namespaces" NODES "nodes" CIDR "cidr"
%token CIDR_GROUP "cidr-group" CIDR_GROUPS "cidr-groups" EXCEPT "except" ENTITY "entity"
%token SERVICE "service" SERVICES "services" ISOLATE "isolate" LOG "log"
%token DESCRIPTION "description" LABELS "labels" ADDRESS "address" CGROUP "cgroup"
%token INTERFACE "interface" PORT "port" NODE "node" SERVICE_ACCOUNT "service-account"
%token HOST_NETWORK "host-network"

%type <const struct pol_token *> word
%type <pol_words *> words excepts
%type <enum polc_action> action
%type <unsigned> directions direction
%type <struct polc_ast_requirement *> predicate
%type <struct polc_ast_selector *> predicates labels_of
%type <struct polc_ast_peer *> subject nouned
%type <struct pol_peer_clause *> peer peer_list peers from
%type <struct pol_port_clause *> port_list ports on
%type <const struct pol_token *> name

%%

file:
  %empty
| file block
| file error '}'                        { yyerrok; }
;

block:
  network '{' body '}'                  { pol_network_close(p); }
| network '{' body error '}'            { pol_network_close(p); yyerrok; }
| endpoint '{' facts '}'                { pol_endpoint_close(p); }
| endpoint '{' facts error '}'          { pol_endpoint_close(p); yyerrok; }
;

/* Headers. */

network:
  NETWORK word                          { pol_network_open(p, POLC_KIND_CILIUM_CLUSTERWIDE, $2, NULL, @$); }
| NETWORK word IN word                  { pol_network_open(p, POLC_KIND_CILIUM, $2, $4, @$); }
| KUBERNETES NETWORK word IN word       { pol_network_open(p, POLC_KIND_NETWORK_POLICY, $3, $5, @$); }
| cluster TIER word PRIORITY word       { pol_network_tier(p, $3); pol_network_priority(p, $5); }
| ADMIN NETWORK word PRIORITY word      { pol_network_open(p, POLC_KIND_ADMIN, $3, NULL, @$); pol_network_priority(p, $5); }
| BASELINE NETWORK word                 { pol_network_open(p, POLC_KIND_BASELINE_ADMIN, $3, NULL, @$); }
;

cluster:
  CLUSTER NETWORK word                  { pol_network_open(p, POLC_KIND_CLUSTER, $3, NULL, @$); }
;

/* What a network block says: one subject with its rules, or several of them in spec blocks. */

body:
  %empty
| body statement ';'
| body spec
| body error ';'                        { yyerrok; }
;

spec:
  open '{' statements '}'               { pol_spec_close(p); }
| open '{' statements error '}'         { pol_spec_close(p); yyerrok; }
;

open:
  SPEC                                  { pol_spec_open(p, @$); }
;

statements:
  %empty
| statements statement ';'
| statements error ';'                  { yyerrok; }
;

statement:
  SUBJECT subject                       { pol_subject(p, $2, @$); }
| INGRESS action from on name           { pol_rule(p, POLC_INGRESS, $2, $3, $4, $5, @1); }
| EGRESS action name                    { pol_rule(p, POLC_EGRESS, $2, NULL, NULL, $3, @1); }
| EGRESS action TO peers on name        { pol_rule(p, POLC_EGRESS, $2, $4, $5, $6, @1); }
| INGRESS action NOTHING                { pol_rule_nothing(p, POLC_INGRESS, $2, @1, @$); }
| EGRESS action NOTHING                 { pol_rule_nothing(p, POLC_EGRESS, $2, @1, @$); }
| direction DEFAULT DENY                { pol_default(p, $1, POLC_TRUE, @$); }
| direction DEFAULT ALLOW               { pol_default(p, $1, POLC_FALSE, @$); }
| direction NONE                        { pol_section(p, $1); }
| ISOLATE directions                    { pol_isolate(p, $2, @$); }
| LOG word                              { pol_log(p, $2, @$); }
| DESCRIPTION word                      { pol_description(p, $2, @$); }
| LABELS labels
;

labels:
  label
| labels ',' label
;

label:
  word '=' word                         { pol_label(p, $1, $3); }
;

direction:
  INGRESS                               { $$ = POLC_INGRESS; }
| EGRESS                                { $$ = POLC_EGRESS; }
;

directions:
  direction                             { $$ = 1u << $1; }
| directions ',' direction              { $$ = $1 | 1u << $3; }
;

action:
  ALLOW                                 { $$ = POLC_ALLOW; }
| DENY                                  { $$ = POLC_DENY; }
| PASS                                  { $$ = POLC_PASS; }
;

name:
  %empty                                { $$ = NULL; }
| AS word                               { $$ = $2; }
;

/* Peers: alternatives joined by `or`. */

from:
  %empty                                { $$ = NULL; }
| FROM peers                            { $$ = $2; }
;

peers:
  ANY                                   { $$ = NULL; }
| NONE                                  { $$ = pol_peers_none(p, @$); }
| peer_list
;

peer_list:
  peer
| peer_list OR peer                     { $$ = pol_peers_join(p, $1, $3); }
;

peer:
  predicates                            { $$ = pol_peer(p, pol_bare(p, $1, @$), @$); }
| nouned                                { $$ = pol_peer(p, $1, @$); }
| NODES labels_of                       { $$ = pol_peer(p, pol_selection(p, POLC_PEER_NODES, NULL, $2, @$), @$); }
| CIDR words excepts                    { $$ = pol_peers_cidr(p, $2, $3, @$); }
| CIDR_GROUP word excepts               { $$ = pol_peers_group(p, $2, NULL, $3, @$); }
| CIDR_GROUPS labels_of excepts         { $$ = pol_peers_group(p, NULL, $2, $3, @$); }
| ENTITY words                          { $$ = pol_peers_entity(p, $2, @$); }
| SERVICE word                          { $$ = pol_peer(p, pol_service(p, $2, NULL, NULL, @$), @$); }
| SERVICE word IN word                  { $$ = pol_peer(p, pol_service(p, $2, NULL, $4, @$), @$); }
| SERVICES labels_of                    { $$ = pol_peer(p, pol_service(p, NULL, $2, NULL, @$), @$); }
| SERVICES labels_of IN word            { $$ = pol_peer(p, pol_service(p, NULL, $2, $4, @$), @$); }
;

excepts:
  %empty                                { $$ = NULL; }
| EXCEPT words                          { $$ = $2; }
;

subject:
  predicates                            { $$ = pol_bare(p, $1, @$); }
| ALL                                   { $$ = pol_bare(p, pol_selector(p, @$), @$); }
| nouned
;

nouned:
  ENDPOINTS labels_of                   { $$ = pol_selection(p, POLC_PEER_ENDPOINTS, NULL, $2, @$); }
| PODS labels_of                        { $$ = pol_selection(p, POLC_PEER_PODS, NULL, $2, @$); }
| NAMESPACES labels_of                  { $$ = pol_selection(p, POLC_PEER_NAMESPACES, $2, NULL, @$); }
| NAMESPACES labels_of PODS labels_of   { $$ = pol_selection(p, POLC_PEER_PODS, $2, $4, @$); }
;

/* Selectors: labels joined by `and` or a comma. */

labels_of:
  ALL                                   { $$ = pol_selector(p, @$); }
| predicates
;

predicates:
  predicate                             { $$ = pol_require(p, pol_selector(p, @$), $1); }
| predicates AND predicate              { $$ = pol_require(p, $1, $3); }
| predicates ',' predicate              { $$ = pol_require(p, $1, $3); }
;

predicate:
  word '=' word                         { $$ = pol_equal(p, $1, $3, @$); }
| word NE word                          { $$ = pol_requirement(p, POLB_OP_NOT_IN, $1, pol_word_list(p, NULL, $3), @$); }
| word IN '(' words ')'                 { $$ = pol_requirement(p, POLB_OP_IN, $1, $4, @$); }
| word NOT IN '(' words ')'             { $$ = pol_requirement(p, POLB_OP_NOT_IN, $1, $5, @$); }
| HAS word                              { $$ = pol_requirement(p, POLB_OP_EXISTS, $2, NULL, @$); }
| NOT HAS word                          { $$ = pol_requirement(p, POLB_OP_DOES_NOT_EXIST, $3, NULL, @$); }
;

words:
  word                                  { $$ = pol_word_list(p, NULL, $1); }
| words ',' word                        { $$ = pol_word_list(p, $1, $3); }
;

word:
  WORD
| STRING
;

/* Ports: alternatives joined by commas. */

on:
  %empty                                { $$ = NULL; }
| TO ports                              { $$ = $2; }
;

ports:
  NONE                                  { $$ = pol_ports_none(p, @$); }
| port_list
;

port_list:
  word                                  { $$ = pol_port(p, NULL, $1); }
| port_list ',' word                    { $$ = pol_port(p, $1, $3); }
;

/* Endpoint blocks: what exists on a host. */

endpoint:
  ENDPOINT word                         { pol_endpoint_open(p, $2, NULL, @$); }
| ENDPOINT word IN word                 { pol_endpoint_open(p, $2, $4, @$); }
;

facts:
  %empty
| facts fact ';'
| facts error ';'                       { yyerrok; }
;

fact:
  LABELS endpoint_labels
| ADDRESS words                         { pol_endpoint_addresses(p, $2); }
| CGROUP word                           { pol_endpoint_cgroup(p, $2); }
| INTERFACE word                        { pol_endpoint_interface(p, $2); }
| NODE word                             { pol_endpoint_text(p, &p->pod->node, "node", $2); }
| SERVICE_ACCOUNT word                  { pol_endpoint_text(p, &p->pod->service_account, "service account", $2); }
| PORT word word                        { pol_endpoint_port(p, $2, $3); }
| HOST_NETWORK                          { p->pod->host_network = true; }
;

endpoint_labels:
  endpoint_label
| endpoint_labels ',' endpoint_label
;

endpoint_label:
  word '=' word                         { pol_endpoint_label(p, $1, $3); }
;

%%

/* After the words before it, what a word means here. */
static const char *word_meaning(const struct pol_parser *p)
{
	if (!p->before_last)
		return "a word";
	switch (p->before_last->kind) {
	case POL_T_NETWORK:
	case POL_T_ENDPOINT:
	case POL_T_AS:
		return "a name";
	case POL_T_IN:
		return "a namespace";
	case POL_T_TIER:
		return "a tier";
	case POL_T_PRIORITY:
		return "a number";
	case POL_T_CIDR:
	case POL_T_EXCEPT:
		return "a prefix";
	case POL_T_ENTITY:
		return "an entity";
	case POL_T_ADDRESS:
		return "an address";
	case POL_T_TO:
		return "a port";
	case '=':
	case '(':
	case POL_T_NE:
		return "a value";
	case POL_T_HAS:
	case POL_T_LABELS:
		return "a label";
	default:
		return "a word";
	}
}

struct expectation {
	yysymbol_kind_t symbols[YYNTOKENS];
	int n;
	bool peer, label; /* anything a peer, or a label, may start with */
};

static bool expects(const struct expectation *e, yysymbol_kind_t symbol)
{
	for (int i = 0; i < e->n; i++)
		if (e->symbols[i] == symbol)
			return true;
	return false;
}

static void expectation_read(struct expectation *e, const yypcontext_t *context)
{
	int n = yypcontext_expected_tokens(context, e->symbols, YYNTOKENS);

	e->n = n > 0 ? n : 0;
	e->peer = expects(e, YYSYMBOL_CIDR);
	e->label = expects(e, YYSYMBOL_HAS) && expects(e, YYSYMBOL_WORD);
}

/* Said already by "a peer" or "a label", or by "a word"? */
static bool summed_up(const struct expectation *e, yysymbol_kind_t symbol)
{
	if (symbol == YYSYMBOL_STRING)
		return true;
	if (e->peer)
		return symbol != YYSYMBOL_ANY && symbol != YYSYMBOL_NONE;
	if (e->label)
		return symbol == YYSYMBOL_WORD || symbol == YYSYMBOL_HAS || symbol == YYSYMBOL_NOT;
	return false;
}

static void expectation_print(
	struct polc_buf *out, const struct pol_parser *p, const struct expectation *e)
{
	const char *items[YYNTOKENS + 1];
	int n = 0;

	if (e->peer || e->label)
		items[n++] = e->peer ? "a peer" : "a label";
	for (int i = 0; i < e->n; i++) {
		yysymbol_kind_t symbol = e->symbols[i];

		if (summed_up(e, symbol) || symbol == YYSYMBOL_YYEOF)
			continue;
		if (symbol == YYSYMBOL_WORD)
			items[n++] = word_meaning(p);
		else
			items[n++] = pol_symbol_text(p, yysymbol_name(symbol));
	}
	if (expects(e, YYSYMBOL_YYEOF))
		items[n++] = "the end of the file";
	for (int i = 0; i < n; i++)
		polc_buf_printf(out, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", items[i]);
}

static const char *nearest_keyword(const struct pol_parser *p, const struct expectation *e)
{
	const char *names[YYNTOKENS];
	size_t n = 0;

	for (int i = 0; i < e->n; i++)
		if (e->symbols[i] >= YYSYMBOL_NETWORK && e->symbols[i] <= YYSYMBOL_HOST_NETWORK)
			names[n++] = yysymbol_name(e->symbols[i]);
	return p->last->kind == POL_T_WORD ? polc_nearest(p->last->text, names, n) : NULL;
}

static int yyreport_syntax_error(const yypcontext_t *context, struct pol_parser *p)
{
	struct expectation e = {0};
	struct polc_buf message = {.arena = &p->polc->arena};
	struct polc_diagnostic *d;
	const char *nearest;

	expectation_read(&e, context);
	polc_buf_printf(&message, "unexpected %s", pol_token_text(p, p->last));
	if (e.n > 0) {
		polc_buf_puts(&message, ", expected ");
		expectation_print(&message, p, &e);
	}
	d = polc_error(p->polc, p->last->span, POLC_CODE_DSL_SYNTAX, "%s", message.p);
	nearest = nearest_keyword(p, &e);
	if (nearest)
		polc_diagnostic_suggest(p->polc, d, "did you mean '%s'?", nearest);
	else
		pol_syntax_hint(p, d, e.peer);
	return 0;
}
