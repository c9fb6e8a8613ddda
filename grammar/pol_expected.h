/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the parser says of a syntax error: what it met, what could stand there, what was probably
 * meant. The end of the parser's own file: it needs that file's names of symbols.
 */
#ifndef POL_EXPECTED_H
#define POL_EXPECTED_H

/* After the words before it, what a word means here. */
static const char *word_meaning(const struct pol_parser *p)
{
	if (!p->before_last)
		return "a word";
	switch (p->before_last->kind) {
	case POL_T_NETWORK:
	case POL_T_ENDPOINT:
	case POL_T_TEST:
	case POL_T_ASSERT:
	case POL_T_AS:
		return "a name";
	case POL_T_CONNECT:
		return "a party";
	case POL_T_CALL:
		return "a hook";
	case POL_T_USE:
	case POL_T_INVENTORY:
		return "a path";
	case POL_T_EXPECT:
		return "an action";
	case POL_T_BY:
		return "a rule";
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
	case POL_T_TRACING:
		return "a name";
	case POL_T_KPROBE:
	case POL_T_SYSCALL:
	case POL_T_FENTRY:
		return "a function";
	case POL_T_UPROBE:
	case POL_T_USDT:
		return "a file";
	case POL_T_RETURNS:
		return "a type";
	case POL_T_DO:
	case POL_T_THEN:
		return "an action";
	case POL_T_WHEN:
		return "an argument";
	case POL_T_AND:
		return p->tracing ? "an argument" : "a word";
	case POL_T_OPERATOR:
	case POL_T_EQ:
		return "a value";
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
	const char *names[YYNTOKENS + POL_CLASS_WORDS_MAX];
	size_t n = 0;

	for (int i = 0; i < e->n; i++) {
		yysymbol_kind_t symbol = e->symbols[i];

		/* the classes are declared last and in one row, as tokens and as symbols */
		if (symbol >= YYSYMBOL_PROCESS && symbol <= YYSYMBOL_ACTION_FLAG)
			n += pol_class_words(
				POL_T_PROCESS + (int)(symbol - YYSYMBOL_PROCESS), &names[n]);
		else if (symbol >= YYSYMBOL_NETWORK && symbol < YYSYMBOL_PROCESS)
			names[n++] = yysymbol_name(symbol);
	}
	return p->last->kind == POL_T_WORD ? polc_nearest(p->last->text, names, n) : NULL;
}

/* For editors: the words themselves. Signs are no words. */
static void expectation_keep(struct pol_parser *p, const struct expectation *e)
{
	struct polc_arena *arena = &p->polc->arena;
	const char *words[POL_CLASS_WORDS_MAX];

	for (int i = 0; i < e->n; i++) {
		yysymbol_kind_t symbol = e->symbols[i];
		const char *name = yysymbol_name(symbol);
		size_t n = 0;

		if (symbol >= YYSYMBOL_PROCESS && symbol <= YYSYMBOL_ACTION_FLAG)
			n = pol_class_words(
				POL_T_PROCESS + (int)(symbol - YYSYMBOL_PROCESS), words);
		else if (symbol == YYSYMBOL_WORD)
			p->expected->name = true;
		else if (symbol > YYSYMBOL_BAD && *name >= 'a' && *name <= 'z')
			words[n++] = name;
		for (size_t j = 0; j < n; j++)
			*polc_vec_push(arena, &p->expected->words) = words[j];
	}
}

static int yyreport_syntax_error(const yypcontext_t *context, struct pol_parser *p)
{
	struct expectation e = {0};
	struct polc_buf message = {.arena = &p->polc->arena};
	struct polc_diagnostic *d;
	const char *nearest;

	expectation_read(&e, context);
	if (p->expected && p->last->kind == POL_T_YYEOF) {
		expectation_keep(p, &e);
		return 0;
	}
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

#endif
