/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Test and assert blocks of the DSL. */
#include "pol.h"

#include <string.h>

static struct polc_ast_text text_of(const struct pol_token *token)
{
	return (struct polc_ast_text){token->text, token->n, token->span};
}

/* Calls, for both */

polc_ast_facts *pol_fact(struct pol_parser *p, polc_ast_facts *list, const struct pol_token *key,
	const struct pol_token *value)
{
	if (!list)
		list = POLC_NEW(&p->polc->arena, polc_ast_facts);
	*polc_vec_push(&p->polc->arena, list) =
		(struct polc_ast_fact){text_of(key), text_of(value)};
	return list;
}

polc_ast_facts *pol_facts_join(
	struct pol_parser *p, polc_ast_facts *list, const polc_ast_facts *more)
{
	for (size_t i = 0; i < more->n; i++)
		*polc_vec_push(&p->polc->arena, list) = more->items[i];
	return list;
}

struct polc_ast_call *pol_call(
	struct pol_parser *p, const struct pol_token *kind, const struct pol_token *place)
{
	struct polc_ast_call *call = POLC_NEW(&p->polc->arena, struct polc_ast_call);

	call->hook = text_of(kind);
	if (place) {
		call->hook.text =
			polc_arena_printf(&p->polc->arena, "%s %s", kind->text, place->text);
		call->hook.n = strlen(call->hook.text);
		call->hook.span = polc_span_join(kind->span, place->span);
	}
	return call;
}

struct polc_ast_call *pol_call_with(struct polc_ast_call *call, const polc_ast_facts *facts)
{
	if (facts)
		call->facts = *facts;
	return call;
}

/* Test blocks */

void pol_test_open(struct pol_parser *p, const struct pol_token *name, struct polc_span span)
{
	p->test = POLC_NEW(&p->polc->arena, struct polc_ast_test);
	pol_check_name(p, name, "a test's name", true);
	p->test->name = name->text;
	p->test->name_span = name->span;
	p->test->span = span;
	p->test->inside = POLC_NEW(&p->polc->arena, struct polc_input);
	p->outside = p->input;
	p->input = p->test->inside;
	p->test_errors = p->polc->n_errors;
}

void pol_test_close(struct pol_parser *p)
{
	if (!p->test->cases.n && p->polc->n_errors == p->test_errors)
		polc_error(p->polc, p->test->span, POLC_CODE_BAD_TEST, "test '%s' asks nothing",
			p->test->name);
	p->input = p->outside;
	*polc_vec_push(&p->polc->arena, &p->input->tests) = p->test;
	p->test = NULL;
}

void pol_test_paths(struct pol_parser *p, polc_ast_texts *list, const pol_words *words)
{
	for (size_t i = 0; i < words->n; i++)
		*polc_vec_push(&p->polc->arena, list) = text_of(words->items[i]);
}

void pol_test_option(struct pol_parser *p, struct polc_ast_text *option, const char *what,
	const struct pol_token *value)
{
	if (option->text)
		polc_error(p->polc, value->span, POLC_CODE_DSL_DUPLICATE, "the %s is given twice",
			what);
	*option = text_of(value);
}

void pol_test_namespace(struct pol_parser *p, const struct pol_token *name)
{
	struct polc_inventory *inventory = &p->test->inside->inventory;

	pol_check_name(p, name, "a namespace", false);
	for (size_t i = 0; i < inventory->namespaces.n; i++)
		if (!strcmp(inventory->namespaces.items[i].name, name->text))
			polc_error(p->polc, name->span, POLC_CODE_DSL_DUPLICATE,
				"namespace '%s' is described twice", name->text);
	*polc_vec_push(&p->polc->arena, &inventory->namespaces) =
		(struct polc_namespace){.name = name->text, .span = name->span};
}

void pol_test_namespace_label(
	struct pol_parser *p, const struct pol_token *key, const struct pol_token *value)
{
	struct polc_inventory *inventory = &p->test->inside->inventory;
	struct polc_namespace *namespace =
		&inventory->namespaces.items[inventory->namespaces.n - 1];

	for (size_t i = 0; i < namespace->labels.n; i++)
		if (!strcmp(namespace->labels.items[i].key, key->text))
			polc_error(p->polc, key->span, POLC_CODE_DSL_DUPLICATE,
				"label '%s' cannot have two values at once", key->text);
	*polc_vec_push(&p->polc->arena, &namespace->labels) = pol_kubernetes_label(p, key, value);
}

void pol_test_case_open(struct pol_parser *p, struct polc_span span)
{
	p->test_case = (struct polc_ast_case){.span = span};
}

void pol_test_case_close(struct pol_parser *p, const struct pol_token *name)
{
	if (name)
		p->test_case.name = text_of(name);
	polc_test_check_case(p->polc, &p->test_case);
	*polc_vec_push(&p->polc->arena, &p->test->cases) = p->test_case;
}

void pol_test_connection(struct pol_parser *p, const pol_words *from, const pol_words *to,
	const pol_words *ports, struct polc_span span)
{
	p->test_case.span = span;
	pol_test_paths(p, &p->test_case.from, from);
	pol_test_paths(p, &p->test_case.to, to);
	pol_test_paths(p, &p->test_case.ports, ports);
}

void pol_test_verdict(struct pol_parser *p, enum polc_expected_verdict *verdict,
	enum polc_expected_verdict word, struct polc_span span)
{
	if (*verdict)
		polc_error(p->polc, span, POLC_CODE_DSL_DUPLICATE, "this verdict is given twice");
	*verdict = word;
}

void pol_test_by(struct pol_parser *p, const struct pol_token *rule)
{
	if (p->test_case.is_call)
		p->test_case.policy = text_of(rule);
	else
		p->test_case.rule = text_of(rule);
}

void pol_test_call(struct pol_parser *p, const struct polc_ast_call *call, struct polc_span span)
{
	p->test_case.is_call = true;
	p->test_case.call = *call;
	p->test_case.span = span;
}

void pol_test_actions(struct pol_parser *p, const pol_words *words)
{
	p->test_case.actions_written = true;
	for (size_t i = 0; i < words->n; i++) {
		struct polc_ast_text action = text_of(words->items[i]);

		if (polc_test_check_action(p->polc, &action))
			*polc_vec_push(&p->polc->arena, &p->test_case.actions) = action;
	}
}

void pol_test_number(struct pol_parser *p, const struct pol_token *word, int64_t min, int64_t max,
	struct polc_ast_number *out)
{
	if (out->written)
		polc_error(p->polc, word->span, POLC_CODE_DSL_DUPLICATE, "this is given twice");
	pol_trace_number(p, word, min, max, out);
}

void pol_test_selector(struct pol_parser *p, const struct pol_token *selector)
{
	p->test_case.selector = text_of(selector);
}

/* Assert blocks */

void pol_assert_open(struct pol_parser *p, const struct pol_token *name, struct polc_span span)
{
	p->assertion = POLC_NEW(&p->polc->arena, struct polc_ast_assertion);
	pol_check_name(p, name, "an assertion's name", true);
	p->assertion->name = name->text;
	p->assertion->name_span = name->span;
	p->assertion->span = span;
	p->test_errors = p->polc->n_errors;
}

void pol_assert_close(struct pol_parser *p)
{
	if (!p->assertion->claims.n && p->polc->n_errors == p->test_errors)
		polc_error(p->polc, p->assertion->span, POLC_CODE_BAD_ASSERTION,
			"assertion '%s' claims nothing", p->assertion->name);
	*polc_vec_push(&p->polc->arena, &p->input->assertions) = p->assertion;
	p->assertion = NULL;
}

void pol_claim_parties(struct polc_ast_claim *claim, const pol_peers *from, const pol_peers *to)
{
	claim->from.items = from->items;
	claim->from.n = from->n;
	claim->from.cap = from->cap;
	claim->to.items = to->items;
	claim->to.n = to->n;
	claim->to.cap = to->cap;
}

void pol_claim_ports(struct polc_ast_claim *claim, const pol_ports *ports, const pol_ports *excepts)
{
	claim->ports.items = ports->items;
	claim->ports.n = ports->n;
	claim->ports.cap = ports->cap;
	claim->except_ports.items = excepts->items;
	claim->except_ports.n = excepts->n;
	claim->except_ports.cap = excepts->cap;
}

static struct polc_ast_claim *claim_new(
	struct pol_parser *p, enum polc_claim_kind kind, struct polc_span span)
{
	struct polc_ast_claim *claim = polc_vec_push(&p->polc->arena, &p->assertion->claims);

	*claim = (struct polc_ast_claim){.kind = kind, .span = span};
	return claim;
}

void pol_claim_path(struct pol_parser *p, enum polc_claim_kind kind, const struct pol_path *path,
	bool denied, struct polc_span span)
{
	static const pol_ports none;
	struct polc_ast_claim *claim = claim_new(p, kind, span);

	claim->denied = denied;
	pol_claim_parties(claim, &path->from->list, &path->to->list);
	pol_claim_ports(claim, path->ports ? &path->ports->list : &none,
		path->excepts ? &path->excepts->list : &none);
}

struct pol_path *pol_path(struct pol_parser *p, const struct pol_peer_clause *from,
	const struct pol_peer_clause *to, const struct pol_port_clause *ports,
	const struct pol_port_clause *excepts)
{
	struct pol_path *path = POLC_NEW(&p->polc->arena, struct pol_path);

	*path = (struct pol_path){from, to, ports, excepts};
	return path;
}

void pol_claim_call(struct pol_parser *p, enum polc_claim_kind kind,
	const struct polc_ast_call *call, const pol_fact_lists *excepts, struct polc_span span)
{
	struct polc_ast_claim *claim = claim_new(p, kind, span);

	claim->call = *call;
	for (size_t i = 0; excepts && i < excepts->n; i++)
		*polc_vec_push(&p->polc->arena, &claim->excepts) = *excepts->items[i];
}

pol_fact_lists *pol_fact_alternative(
	struct pol_parser *p, pol_fact_lists *list, const polc_ast_facts *facts)
{
	if (!list)
		list = POLC_NEW(&p->polc->arena, pol_fact_lists);
	*polc_vec_push(&p->polc->arena, list) = facts;
	return list;
}

struct polc_ast_peer *pol_party(struct pol_parser *p, const struct polc_ast_selector *namespaces,
	const struct polc_ast_selector *pods, const struct pol_token *namespace,
	struct polc_span span)
{
	struct polc_ast_peer *peer = POLC_NEW(&p->polc->arena, struct polc_ast_peer);

	if (namespace)
		pol_check_name(p, namespace, "a namespace", false);
	*peer = (struct polc_ast_peer){.kind = POLC_PEER_PODS,
		.span = span,
		.pod_selector = pods,
		.namespace_selector = namespaces,
		.namespace = namespace ? namespace->text : NULL};
	return peer;
}

struct pol_peer_clause *pol_party_namespaces(
	struct pol_parser *p, const pol_words *names, struct polc_span span)
{
	struct pol_peer_clause *clause = pol_peers_none(p, span);

	for (size_t i = 0; i < names->n; i++)
		*polc_vec_push(&p->polc->arena, &clause->list) =
			*pol_party(p, NULL, NULL, names->items[i], names->items[i]->span);
	return clause;
}

struct pol_peer_clause *pol_party_any(struct pol_parser *p, struct polc_span span)
{
	const struct polc_ast_peer peer = {.kind = POLC_PEER_ENTITY, .span = span, .name = "all"};

	return pol_peer(p, &peer, span);
}
