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
%token COMMENT "comment" BAD "unreadable text" NE "!=" EQ "=="
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

/* Test and assert blocks. */
%token TEST "test" ASSERT "assert" USE "use" INVENTORY "inventory" DIALECT "dialect"
%token POSTURE "posture" CLUSTER_NAME "cluster-name" KERNEL "target" CONNECT "connect" CALL "call"
%token EXPECT "expect" PASSES "passes" STOPPED "stopped" RETURNING "returning" SENDING "sending"
%token BY "by" SELECTOR "selector" NO "no" EVERY "every" PATH "path" WITHOUT "without" IS "is"
%token ALLOWED "allowed" DENIED "denied" AUDIT "audit"

/* Tracing blocks. Those with "an" or "a" are classes of words, told apart by their text. */
%token MODE "mode" OPTION "option" LIMIT "limit" BURST "burst" SAMPLE "sample" LOADER "loader"
%token CONTAINERS "containers" HOST "host" LIST "list" ENFORCE "enforce" MACRO "macro" ON "on"
%token KPROBE "kprobe" SYSCALL "syscall" FENTRY "fentry" RAW "raw" TRACEPOINT "tracepoint"
%token LSM "lsm" UPROBE "uprobe" USDT "usdt" RETURNS "returns" DATA "data" MESSAGE "message"
%token TAGS "tags" OPTIONAL "optional" UNVERIFIED "unverified" WHEN "when" ARGS "args"
%token DATA_ARGS "data-args" RESULT "result" NAMESPACE "namespace" WORKLOAD "workload"
%token EXPRESSION "expression" ON_ERROR "on-error" DO "do" THEN "then" REGISTERS "registers"
%token <const struct pol_token *> PROCESS "a fact of the process" CAPABILITY "a set of capabilities"
%token <const struct pol_token *> OPERATOR "an operator" BARE_OPERATOR "an operator without values"
%token <const struct pol_token *> TARGET "a place in the file" FILTER_FLAG "an option of the test"
%token <const struct pol_token *> ARG_OPTION "an option of the argument" ARG_FLAG "a mark of the argument"
%token <const struct pol_token *> ACTION_OPTION "an option of the action" ACTION_FLAG "a mark of the action"

%type <const struct pol_token *> word
%type <pol_words *> words excepts
%type <enum polc_action> action
%type <unsigned> directions direction
%type <struct polc_ast_requirement *> predicate
%type <struct polc_ast_selector *> predicates labels_of
%type <struct polc_ast_peer *> subject nouned
%type <struct pol_peer_clause *> peer peer_list peers from
%type <struct pol_port_clause *> port_list ports on
%type <const struct pol_token *> name burst sample
%type <bool> is_denied
%type <enum polc_expected_verdict> verdict
%type <struct polc_ast_call *> called place_of_call
%type <polc_ast_facts *> call_facts conditions_of_call
%type <pol_fact_lists *> alternatives exceptions
%type <struct pol_path *> route
%type <struct pol_peer_clause *> party parties
%type <struct pol_port_clause *> on_ports except_ports
%type <const struct polc_ast_selector *> pods containers

%%

file:
  %empty
| file block
| file error '}'                        { yyerrok; }
;

block:
  object
| test_block '{' test_items '}'         { pol_test_close(p); }
| test_block '{' test_items error '}'   { pol_test_close(p); yyerrok; }
| assert_block '{' claims '}'           { pol_assert_close(p); }
| assert_block '{' claims error '}'     { pol_assert_close(p); yyerrok; }
;

object:
  network '{' body '}'                  { pol_network_close(p); }
| network '{' body error '}'            { pol_network_close(p); yyerrok; }
| endpoint '{' facts '}'                { pol_endpoint_close(p); }
| endpoint '{' facts error '}'          { pol_endpoint_close(p); yyerrok; }
| tracing '{' settings '}'              { pol_tracing_close(p); }
| tracing '{' settings error '}'        { pol_tracing_close(p); yyerrok; }
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
| body MODE word ';'                    { pol_network_mode(p, $3); }
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

/* Tracing blocks: settings of the policy, and hooks. */

tracing:
  TRACING word                          { pol_tracing_open(p, $2, NULL, @$); }
| TRACING word IN word                  { pol_tracing_open(p, $2, $4, @$); }
;

settings:
  %empty
| settings setting ';'
| settings error ';'                    { yyerrok; }
;

setting:
  MODE word                             { pol_trace_option(p, NULL, $2); }
| OPTION word                           { pol_trace_option(p, $2, NULL); }
| OPTION word '=' word                  { pol_trace_option(p, $2, $4); }
| LIMIT word burst sample               { pol_trace_limit(p, $2, $3, $4, @$); }
| LOADER                                { p->tracing->loader = true; }
| PODS labels_of                        { pol_trace_pods(p, $2, @$); }
| CONTAINERS labels_of                  { pol_trace_containers(p, $2, @$); }
| HOST                                  { pol_trace_host(p, @$); }
| NODES labels_of                       { pol_trace_nodes(p, $2); }
| LIST word '=' '(' words ')'           { pol_trace_list(p, $2, NULL, NULL, $5, @$); }
| LIST word '=' word '(' words ')'      { pol_trace_list(p, $2, $4, NULL, $6, @$); }
| LIST word '=' word                    { pol_trace_list(p, $2, $4, NULL, NULL, @$); }
| LIST word '=' word word               { pol_trace_list(p, $2, $4, $5, NULL, @$); }
| ENFORCE words                         { pol_trace_enforce(p, $2); }
| macro selector                        { pol_trace_macro_close(p); }
| at hook arguments clauses             { pol_trace_hook_close(p); }
| at hook arguments clauses selectors   { pol_trace_hook_close(p); }
;

burst:
  %empty                                { $$ = NULL; }
| BURST word                            { $$ = $2; }
;

sample:
  %empty                                { $$ = NULL; }
| SAMPLE word                           { $$ = $2; }
;

macro:
  MACRO word                            { pol_trace_macro_open(p, $2, @$); }
;

/* Where to hook. */

at:
  ON                                    { pol_trace_hook_open(p, @$); }
;

hook:
  KPROBE word                           { pol_trace_call(p, POLC_SECTION_KPROBE, $2, false); }
| SYSCALL word                          { pol_trace_call(p, POLC_SECTION_KPROBE, $2, true); }
| FENTRY word                           { pol_trace_call(p, POLC_SECTION_FENTRY, $2, false); }
| FENTRY SYSCALL word                   { pol_trace_call(p, POLC_SECTION_FENTRY, $3, true); }
| LSM word                              { pol_trace_call(p, POLC_SECTION_LSM, $2, false); }
| TRACEPOINT word                       { pol_trace_tracepoint(p, $2, false); }
| RAW TRACEPOINT word                   { pol_trace_tracepoint(p, $3, true); }
| UPROBE word                           { pol_trace_file(p, POLC_SECTION_UPROBE, $2); }
| USDT word word                        { pol_trace_usdt(p, $2, $3); }
| hook TARGET words                     { pol_trace_target(p, $2, $3); }
;

arguments:
  %empty
| '(' ')'
| '(' list ')'
;

list:
  argument                              { pol_trace_arg_close(p); }
| list ',' argument                     { pol_trace_arg_close(p); }
;

argument:
  word                                  { pol_trace_arg(p, NULL, NULL, $1, @$); }
| word ':' word                         { pol_trace_arg(p, $1, NULL, $3, @$); }
| word ':' word ':' word                { pol_trace_arg(p, $1, $3, $5, @$); }
| argument ARG_OPTION word              { pol_trace_arg_option(p, $2, $3); }
| argument ARG_FLAG                     { pol_trace_arg_flag(p, $2); }
;

clauses:
  %empty
| clauses clause
;

clause:
  returns argument                      { pol_trace_returns(p, NULL); }
| returns argument THEN word            { pol_trace_returns(p, $4); }
| data '(' list ')'
| MESSAGE word                          { pol_trace_message(p, $2); }
| TAGS words                            { pol_trace_tags(p, $2); }
| OPTIONAL                              { pol_trace_optional(p, "callNotFound", @$); }
| UNVERIFIED                            { pol_trace_optional(p, "digestVerificationFailure", @$); }
;

returns:
  RETURNS                               { pol_trace_args_open(p, "returnArg", @$); }
;

data:
  DATA                                  { pol_trace_args_open(p, "data", @$); }
;

/* Selectors: what must hold, and what is done then. */

selectors:
  alone actions                         { pol_trace_selector_close(p); }
| alone actions then actions            { pol_trace_selector_close(p); }
| selector                              { pol_trace_selector_close(p); }
| selectors selector                    { pol_trace_selector_close(p); }
;

alone:
  DO                                    { pol_trace_selector_open(p, @$); }
;

selector:
  when conditions label_of_selector
| when conditions label_of_selector outcome
;

when:
  WHEN                                  { pol_trace_selector_open(p, @$); }
;

label_of_selector:
  %empty
| AS word                               { pol_trace_label(p, $2); }
;

conditions:
  ALL
| tests
;

tests:
  test
| tests AND test
;

test:
  MACRO word                            { pol_trace_use(p, $2); }
| workload places                       { pol_trace_filter_close(p, @$); }
| subject_of_test operator marks        { pol_trace_filter_close(p, @$); }
;

subject_of_test:
  word                                  { pol_trace_subject(p, $1); }
| ARGS '(' words ')'                    { pol_trace_positions(p, POLC_FILTER_ARGS, $3); }
| DATA_ARGS '(' words ')'               { pol_trace_positions(p, POLC_FILTER_DATA, $3); }
| RESULT                                { pol_trace_filter(p, POLC_FILTER_RETURN_ARGS); }
| PROCESS                               { pol_trace_process(p, $1); }
| NAMESPACE word                        { pol_trace_typed(p, NULL, $2); }
| CAPABILITY                            { pol_trace_typed(p, $1, NULL); }
| CAPABILITY word                       { pol_trace_typed(p, $1, $2); }
;

operator:
  EQ words                              { pol_trace_test(p, "Equal", @1, $2); }
| NE words                              { pol_trace_test(p, "NotEqual", @1, $2); }
| '<' words                             { pol_trace_test(p, "LT", @1, $2); }
| '>' words                             { pol_trace_test(p, "GT", @1, $2); }
| IN words                              { pol_trace_test(p, "In", @1, $2); }
| NOT IN words                          { pol_trace_test(p, "NotIn", @1, $3); }
| EXPRESSION words                      { pol_trace_test(p, "CelExpr", @1, $2); }
| OPERATOR words                        { pol_trace_operator(p, $1, false, $2); }
| NOT OPERATOR words                    { pol_trace_operator(p, $2, true, $3); }
| BARE_OPERATOR                         { pol_trace_operator(p, $1, false, NULL); }
| NOT BARE_OPERATOR                     { pol_trace_operator(p, $2, true, NULL); }
;

marks:
  %empty
| marks FILTER_FLAG                     { pol_trace_filter_flag(p, $2); }
| marks ON_ERROR word                   { pol_trace_on_error(p, $3); }
;

workload:
  WORKLOAD                              { pol_trace_filter(p, POLC_FILTER_WORKLOADS); }
;

places:
  pods                                  { p->filter->workloads.pods = $1; }
| containers                            { p->filter->workloads.containers = $1; }
| pods containers                       { p->filter->workloads.pods = $1; p->filter->workloads.containers = $2; }
| HOST                                  { p->filter->workloads.host = true; }
| places HOST                           { p->filter->workloads.host = true; }
;

pods:
  PODS '(' labels_of ')'                { $$ = $3; }
;

containers:
  CONTAINERS '(' labels_of ')'          { $$ = $3; }
;

outcome:
  do actions
| do actions then actions
| then actions
;

do:
  DO                                    { p->actions = &p->selector->actions; }
;

then:
  THEN                                  { p->actions = &p->selector->return_actions; }
;

actions:
  action_of_selector
| actions ',' action_of_selector
;

action_of_selector:
  word                                  { pol_trace_action(p, $1, NULL, @$); }
| word word                             { pol_trace_action(p, $1, $2, @$); }
| action_of_selector ACTION_OPTION word { pol_trace_action_option(p, $2, $3); }
| action_of_selector ACTION_FLAG        { pol_trace_action_flag(p, $2); }
| action_of_selector REGISTERS '(' words ')' { pol_trace_registers(p, $4); }
;

/* Test blocks: what is tested, what exists, and the cases. */

test_block:
  TEST word                             { pol_test_open(p, $2, @$); }
;

test_items:
  %empty
| test_items test_item ';'
| test_items object
| test_items error ';'                  { yyerrok; }
;

test_item:
  USE words                             { pol_test_paths(p, &p->test->policies, $2); }
| INVENTORY words                       { pol_test_paths(p, &p->test->inventories, $2); }
| KERNEL words                          { pol_test_paths(p, &p->test->targets, $2); }
| DIALECT word                          { pol_test_option(p, &p->test->dialect, "dialect", $2); }
| POSTURE word                          { pol_test_option(p, &p->test->posture, "posture", $2); }
| CLUSTER_NAME word                     { pol_test_option(p, &p->test->cluster_name, "cluster's name", $2); }
| known_namespace LABELS namespace_labels
| connection EXPECT verdicts name       { pol_test_case_close(p, $4); }
| connection EXPECT verdicts by name    { pol_test_case_close(p, $5); }
| test_call EXPECT results name         { pol_test_case_close(p, $4); }
;

known_namespace:
  NAMESPACE word                        { pol_test_namespace(p, $2); }
;

namespace_labels:
  namespace_label
| namespace_labels ',' namespace_label
;

namespace_label:
  word '=' word                         { pol_test_namespace_label(p, $1, $3); }
;

connection:
  connect words TO words ON words       { pol_test_connection(p, $2, $4, $6, @$); }
;

connect:
  CONNECT                               { pol_test_case_open(p, @$); }
;

verdicts:
  side
| verdicts ',' side
;

side:
  verdict                               { pol_test_verdict(p, &p->test_case.verdict, $1, @$); }
| direction verdict                     { pol_test_verdict(p, &p->test_case.side[$1], $2, @$); }
;

verdict:
  ALLOW                                 { $$ = POLC_EXPECT_ALLOW; }
| DENY                                  { $$ = POLC_EXPECT_DENY; }
| AUDIT                                 { $$ = POLC_EXPECT_AUDIT; }
;

by:
  BY word                               { pol_test_by(p, $2); }
;

test_call:
  called_in_test place_of_call          { pol_test_call(p, $2, @$); }
;

called_in_test:
  CALL                                  { pol_test_case_open(p, @$); }
;

/* A call and what is said about it. */

place_of_call:
  called
| called '(' ')'
| called '(' call_facts ')'             { $$ = pol_call_with($1, $3); }
;

called:
  word                                  { $$ = pol_call(p, $1, NULL); }
| word word                             { $$ = pol_call(p, $1, $2); }
;

call_facts:
  word '=' word                         { $$ = pol_fact(p, NULL, $1, $3); }
| call_facts ',' word '=' word          { $$ = pol_fact(p, $1, $3, $5); }
;

results:
  result
| result result_marks
| result_marks
;

result:
  NOTHING                               { p->test_case.outcome = POLC_OUTCOME_NOTHING; }
| PASSES                                { p->test_case.outcome = POLC_OUTCOME_PASSES; }
| STOPPED                               { p->test_case.outcome = POLC_OUTCOME_STOPPED; }
| words                                 { pol_test_actions(p, $1); }
;

result_marks:
  result_mark
| result_marks result_mark
;

result_mark:
  RETURNING word                        { pol_test_number(p, $2, -4095, 0, &p->test_case.error); }
| SENDING word                          { pol_test_number(p, $2, 0, 64, &p->test_case.signal); }
| SELECTOR word                         { pol_test_selector(p, $2); }
| by
;

/* Assert blocks: claims about paths and calls. */

assert_block:
  ASSERT word                           { pol_assert_open(p, $2, @$); }
;

claims:
  %empty
| claims claim ';'
| claims error ';'                      { yyerrok; }
;

claim:
  NO PATH route                         { pol_claim_path(p, POLC_CLAIM_NO_PATH, $3, false, @$); }
| EVERY PATH route IS is_denied         { pol_claim_path(p, POLC_CLAIM_EVERY_PATH, $3, $5, @$); }
| NO CALL place_of_call PASSES exceptions { pol_claim_call(p, POLC_CLAIM_NO_CALL, $3, $5, @$); }
| EVERY CALL place_of_call PASSES exceptions { pol_claim_call(p, POLC_CLAIM_EVERY_CALL, $3, $5, @$); }
;

route:
  FROM parties TO parties on_ports except_ports { $$ = pol_path(p, $2, $4, $5, $6); }
;

is_denied:
  ALLOWED                               { $$ = false; }
| DENIED                                { $$ = true; }
;

on_ports:
  %empty                                { $$ = NULL; }
| ON port_list                          { $$ = $2; }
;

except_ports:
  %empty                                { $$ = NULL; }
| EXCEPT port_list                      { $$ = $2; }
;

parties:
  party
| parties OR party                      { $$ = pol_peers_join(p, $1, $3); }
;

party:
  ANY                                   { $$ = pol_party_any(p, @$); }
| predicates                            { $$ = pol_peer(p, pol_party(p, NULL, $1, NULL, @$), @$); }
| predicates IN word                    { $$ = pol_peer(p, pol_party(p, NULL, $1, $3, @$), @$); }
| PODS labels_of                        { $$ = pol_peer(p, pol_party(p, NULL, $2, NULL, @$), @$); }
| PODS labels_of IN word                { $$ = pol_peer(p, pol_party(p, NULL, $2, $4, @$), @$); }
| NAMESPACE words                       { $$ = pol_party_namespaces(p, $2, @$); }
| NAMESPACES labels_of                  { $$ = pol_peer(p, pol_party(p, $2, NULL, NULL, @$), @$); }
| NAMESPACES labels_of PODS labels_of   { $$ = pol_peer(p, pol_party(p, $2, $4, NULL, @$), @$); }
| CIDR words                            { $$ = pol_peers_cidr(p, $2, NULL, @$); }
| CIDR words WITHOUT words              { $$ = pol_peers_cidr(p, $2, $4, @$); }
| ENTITY words                          { $$ = pol_peers_entity(p, $2, @$); }
;

exceptions:
  %empty                                { $$ = NULL; }
| EXCEPT alternatives                   { $$ = $2; }
;

alternatives:
  conditions_of_call                    { $$ = pol_fact_alternative(p, NULL, $1); }
| alternatives OR conditions_of_call    { $$ = pol_fact_alternative(p, $1, $3); }
;

conditions_of_call:
  word '=' word                         { $$ = pol_fact(p, NULL, $1, $3); }
| word word                             { $$ = pol_fact(p, NULL, $1, $2); }
| conditions_of_call AND word '=' word  { $$ = pol_fact(p, $1, $3, $5); }
;

%%

#include "pol_expected.h"
