/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Completion in the policy language: the grammar says which keywords may follow and whether a name
 * may; what the name can be follows from the words before it.
 */
#include <string.h>

#include "lsp.h"
#include "pol_parser.h"

/* The tokens before the cursor, from the end; and the statement that they are in. */
struct before {
	const pol_tokens *tokens;
	size_t statement; /* index of its first token */
};

static const struct pol_token nothing = {.kind = POL_T_YYEOF, .text = ""};

/* The n-th from the end: 0 is the last one. */
static const struct pol_token *back(const struct before *b, size_t n)
{
	return n < b->tokens->n ? &b->tokens->items[b->tokens->n - 1 - n] : &nothing;
}

static const struct pol_token *first(const struct before *b)
{
	return b->statement < b->tokens->n ? &b->tokens->items[b->statement] : &nothing;
}

static size_t find_statement(const pol_tokens *tokens)
{
	size_t at = tokens->n;

	while (at > 0 && tokens->items[at - 1].kind != ';' && tokens->items[at - 1].kind != '{' &&
		tokens->items[at - 1].kind != '}')
		at--;
	return at;
}

/* The last token of the statement that is of a kind; NULL: none. */
static const struct pol_token *last_of(const struct before *b, int kind)
{
	for (size_t i = b->tokens->n; i > b->statement; i--)
		if (b->tokens->items[i - 1].kind == kind)
			return &b->tokens->items[i - 1];
	return NULL;
}

static size_t count_of(const struct before *b, int kind)
{
	size_t n = 0;

	for (size_t i = b->statement; i < b->tokens->n; i++)
		n += b->tokens->items[i].kind == kind;
	return n;
}

/* Behind a list's commas: what stands before the list. */
static const struct pol_token *list_head(const struct before *b, size_t *distance)
{
	size_t n = 0;

	while (back(b, n)->kind == ',' &&
		(back(b, n + 1)->kind == POL_T_WORD || back(b, n + 1)->kind == POL_T_STRING))
		n += 2;
	*distance = n;
	return back(b, n);
}

/* Network blocks and endpoints */

static enum lsp_owner owner_of(const struct before *b)
{
	for (size_t i = b->tokens->n; i > b->statement; i--) {
		switch (b->tokens->items[i - 1].kind) {
		case POL_T_NAMESPACES:
			return LSP_OWNER_NAMESPACES;
		case POL_T_NODES:
			return LSP_OWNER_NODES;
		case POL_T_SERVICES:
			return LSP_OWNER_SERVICES;
		case POL_T_CIDR_GROUPS:
			return LSP_OWNER_CIDR_GROUPS;
		case POL_T_CONTAINERS:
			return LSP_OWNER_CONTAINERS;
		case POL_T_PODS:
		case POL_T_ENDPOINTS:
			return LSP_OWNER_PODS;
		}
	}
	return LSP_OWNER_PODS;
}

/* `key = |`, `key != |`, `key in (a, |`. */
static const char *key_of_value(const struct before *b)
{
	size_t distance;
	const struct pol_token *head = list_head(b, &distance);

	if (back(b, 0)->kind == '=' || back(b, 0)->kind == POL_T_NE)
		return back(b, 1)->text;
	if (head->kind != '(' || back(b, distance + 1)->kind != POL_T_IN)
		return NULL;
	distance += back(b, distance + 2)->kind == POL_T_NOT;
	return back(b, distance + 2)->text;
}

/* In egress rules the first `to` names peers. */
static bool wants_ports(const struct before *b)
{
	size_t distance;
	const struct pol_token *head = list_head(b, &distance);

	if (head->kind != POL_T_TO)
		return false;
	return first(b)->kind == POL_T_INGRESS || count_of(b, POL_T_TO) > 1;
}

static bool is_entity(const struct before *b)
{
	size_t distance;

	return list_head(b, &distance)->kind == POL_T_ENTITY;
}

static void offer_network_names(struct lsp_completion *c, const struct before *b, bool labels)
{
	const char *key = key_of_value(b);

	if (key)
		lsp_offer_label_values(c, owner_of(b), key);
	else if (wants_ports(b))
		lsp_offer_ports(c, true);
	else if (is_entity(b))
		lsp_offer_entities(c);
	else if (back(b, 0)->kind == POL_T_IN)
		lsp_offer_namespaces(c);
	else if (back(b, 0)->kind == POL_T_CIDR_GROUP)
		lsp_offer_cidr_groups(c);
	else if (back(b, 0)->kind == POL_T_SERVICE)
		lsp_offer_services(c);
	else if (back(b, 0)->kind == POL_T_TIER)
		lsp_offer_words(
			c, (const char *const[]){"admin", "baseline", NULL}, LSP_ITEM_VALUE);
	else if (labels || back(b, 0)->kind == POL_T_HAS || back(b, 0)->kind == POL_T_LABELS)
		lsp_offer_label_keys(c, owner_of(b), "");
}

/* Tracing blocks */

static bool is_hook_word(int kind)
{
	return kind == POL_T_KPROBE || kind == POL_T_SYSCALL || kind == POL_T_FENTRY ||
	       kind == POL_T_LSM || kind == POL_T_TRACEPOINT || kind == POL_T_UPROBE ||
	       kind == POL_T_USDT;
}

/* In the parentheses behind a hook, behind `data (` or behind `returns`. */
static bool wants_type(const struct before *b)
{
	int kind = back(b, 0)->kind;

	if (kind == POL_T_RETURNS)
		return true;
	if (kind != '(' && kind != ',' && kind != ':')
		return false;
	return first(b)->kind == POL_T_ON && !last_of(b, POL_T_WHEN) && !last_of(b, POL_T_DO) &&
	       (last_of(b, POL_T_DATA) || count_of(b, '(') > count_of(b, ')'));
}

/* The type that an argument with this label has, in the statement's own list; or NULL. */
static const char *type_of(const struct before *b, const char *label)
{
	for (size_t i = b->statement; i + 2 < b->tokens->n; i++)
		if (b->tokens->items[i + 1].kind == ':' && b->tokens->items[i].kind == POL_T_WORD &&
			!strcmp(b->tokens->items[i].text, label))
			return b->tokens->items[i + 2].text;
	return NULL;
}

static void offer_arguments(struct lsp_completion *c, const struct before *b)
{
	for (size_t i = b->statement; i + 2 < b->tokens->n; i++) {
		const struct pol_token *token = &b->tokens->items[i];

		if (token[1].kind == ':' && token->kind == POL_T_WORD &&
			!strchr("0123456789", *token->text))
			lsp_offer(c, token->text, NULL, LSP_ITEM_REFERENCE, token[2].text, NULL);
	}
	for (unsigned i = 0; i < 5; i++)
		lsp_offer(c, polc_arena_printf(&c->lsp->scratch, "arg%u", i), NULL,
			LSP_ITEM_REFERENCE, "argument by number", NULL);
}

static bool is_test(int kind)
{
	return kind == POL_T_EQ || kind == POL_T_NE || kind == POL_T_IN || kind == '<' ||
	       kind == '>' || kind == POL_T_OPERATOR || kind == POL_T_BARE_OPERATOR;
}

/* Values behind an operator: by the operator's own word, or by what is tested. */
static void offer_operands(
	struct lsp_completion *c, const struct before *b, const struct pol_token *op, size_t at)
{
	const struct pol_token *subject = back(b, at + 1);

	if (subject->kind == POL_T_NOT)
		subject = back(b, at + 2);
	if (op->kind == POL_T_OPERATOR)
		lsp_offer_operands(c, op->text);
	if (op->kind == POL_T_OPERATOR && !strcmp(op->text, "in-map"))
		lsp_offer_lists(c);
	if (subject->kind == POL_T_CAPABILITY || back(b, at + 2)->kind == POL_T_CAPABILITY)
		lsp_offer_capabilities(c);
	else if (back(b, at + 2)->kind == POL_T_NAMESPACE ||
		 back(b, at + 3)->kind == POL_T_NAMESPACE)
		lsp_offer(c, "host_ns", NULL, LSP_ITEM_VALUE, "the host's namespace", NULL);
	else if (subject->kind == POL_T_WORD && type_of(b, subject->text))
		lsp_offer_operands(c, type_of(b, subject->text));
}

static void offer_namespace_types(struct lsp_completion *c)
{
	static const char *const types[] = {
#define X(name, text) text,
		POLB_NAMESPACES(X)
#undef X
			NULL};

	lsp_offer_words(c, types, LSP_ITEM_VALUE);
}

static void offer_actions(struct lsp_completion *c)
{
	for (const struct pol_trace_word *word = pol_trace_action_names; word->word; word++)
		lsp_offer(c, word->word, NULL, LSP_ITEM_KEYWORD, word->name,
			lsp_keyword_doc(word->word, true));
}

static void offer_option_values(struct lsp_completion *c, const struct pol_token *option)
{
	if (!strcmp(option->text, "per"))
		lsp_offer_words(c, (const char *const[]){"thread", "process", "global", NULL},
			LSP_ITEM_VALUE);
}

static void offer_hook_names(struct lsp_completion *c, int kind)
{
	if (kind == POL_T_SYSCALL) {
		lsp_offer_lists(c);
		lsp_offer_syscalls(c, "");
	} else if (kind == POL_T_LSM) {
		lsp_offer_lsm_hooks(c);
	} else if (kind == POL_T_KPROBE || kind == POL_T_FENTRY) {
		lsp_offer_lists(c);
		lsp_offer_functions(c);
	}
}

static void offer_tracing_names(struct lsp_completion *c, const struct before *b, bool labels)
{
	size_t distance;
	const struct pol_token *head = list_head(b, &distance);
	int kind = back(b, 0)->kind;

	if (is_hook_word(kind))
		offer_hook_names(c, kind);
	else if (wants_type(b))
		lsp_offer_types(c);
	else if (is_test(head->kind) && last_of(b, POL_T_WHEN))
		offer_operands(c, b, head, distance);
	else if (kind == POL_T_WHEN || (kind == POL_T_AND && last_of(b, POL_T_WHEN) && !labels))
		offer_arguments(c, b);
	else if (kind == POL_T_DO || kind == POL_T_THEN ||
		 (kind == ',' && (last_of(b, POL_T_DO) || last_of(b, POL_T_THEN))))
		offer_actions(c);
	else if (kind == POL_T_NAMESPACE)
		offer_namespace_types(c);
	else if (kind == POL_T_MODE)
		lsp_offer_words(
			c, (const char *const[]){"enforce", "monitor", NULL}, LSP_ITEM_VALUE);
	else if (kind == POL_T_ON_ERROR)
		lsp_offer_words(
			c, (const char *const[]){"match", "nomatch", "deny", NULL}, LSP_ITEM_VALUE);
	else if (kind == POL_T_MACRO && first(b)->kind == POL_T_ON)
		lsp_offer_macros(c);
	else if (kind == POL_T_ACTION_OPTION)
		offer_option_values(c, back(b, 0));
	else if (head->kind == POL_T_ENFORCE)
		lsp_offer_syscalls(c, "sys_");
	else
		offer_network_names(c, b, labels);
}

static bool offers_labels(const struct pol_expected *expected)
{
	for (size_t i = 0; i < expected->words.n; i++)
		if (!strcmp(expected->words.items[i], "has"))
			return expected->name;
	return false;
}

void lsp_complete_pol(struct lsp_completion *c)
{
	const struct lsp_file *file = c->place->file;
	struct pol_expected expected = {0};
	struct lsp_pol_place pol;
	struct polc polc;

	lsp_pol_place(&c->lsp->scratch, file->text, file->n, c->place->offset, &pol);
	if (pol.in_comment)
		return;
	c->begin = pol.word_begin;
	c->end = pol.word_end;
	c->prefix = polc_arena_strndup(
		&c->lsp->scratch, file->text + c->begin, c->place->offset - c->begin);
	polc_init(&polc);
	polc_pol_expected(&polc, file->text, c->begin, &expected);
	const struct before b = {&pol.tokens, find_statement(&pol.tokens)};

	if (expected.name && pol.tracing)
		offer_tracing_names(c, &b, offers_labels(&expected));
	else if (expected.name)
		offer_network_names(c, &b, offers_labels(&expected));
	for (size_t i = 0; i < expected.words.n; i++)
		lsp_offer(c, expected.words.items[i], NULL, LSP_ITEM_KEYWORD, NULL,
			lsp_keyword_doc(expected.words.items[i], pol.tracing));
	polc_free(&polc);
}
