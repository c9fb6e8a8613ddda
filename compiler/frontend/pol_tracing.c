/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tracing blocks of the DSL: the settings of a policy, and the words that the tables know. */
#include "pol.h"
#include "objects.h"
#include "tracing_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pol_parser.h"
#include "pol_keywords.h"

/* Words and fields */

const struct pol_trace_word pol_trace_arg_words[] = {{"resolve", "resolve"}, {"btf", "btfType"},
	{"module", "btfTypeModule"}, {"size", "sizeArgIndex"}, {"from", "source"},
	{"return-copy", "returnCopy"}, {"max-data", "maxData"}, {0}};
const struct pol_trace_word pol_trace_target_words[] = {{"symbol", "symbols"},
	{"offset", "offsets"}, {"address", "addrs"}, {"ref-counter", "refCtrOffsets"},
	{"digest", "binaryDigests"}, {"btf-file", "btfPath"}, {0}};
const struct pol_trace_word pol_trace_operator_words[] = {{"prefix", "Prefix"},
	{"postfix", "Postfix"}, {"mask", "Mask"}, {"sport", "SPort"}, {"dport", "DPort"},
	{"sport-priv", "SPortPriv"}, {"dport-priv", "DPortPriv"}, {"saddr", "SAddr"},
	{"daddr", "DAddr"}, {"protocol", "Protocol"}, {"family", "Family"}, {"state", "State"},
	{"in-map", "InMap"}, {"in-range", "InRange"}, {"substring", "SubString"},
	{"substring-ignore-case", "SubStringIgnCase"}, {"file-type", "FileType"},
	{"gains", "CapabilitiesGained"}, {0}};
const struct pol_trace_word pol_trace_action_names[] = {{"post", "Post"}, {"no-post", "NoPost"},
	{"sigkill", "Sigkill"}, {"signal", "Signal"}, {"override", "Override"},
	{"track-sock", "TrackSock"}, {"untrack-sock", "UntrackSock"},
	{"notify-enforcer", "NotifyEnforcer"}, {"cleanup-enforcer", "CleanupEnforcerNotification"},
	{"set", "Set"}, {"get-url", "GetUrl"}, {"dns-lookup", "DnsLookup"}, {0}};
const struct pol_trace_word pol_trace_action_words[] = {{"error", "argError"}, {"signal", "argSig"},
	{"sock", "argSock"}, {"index", "argIndex"}, {"value", "argValue"}, {"url", "argUrl"},
	{"fqdn", "argFqdn"}, {"to-symbol", "argNewSymbol"}, {"to-address", "argNewAddr"},
	{"to-offset", "argNewOffset"}, {"every", "rateLimit"}, {"per", "rateLimitScope"},
	{"kernel-stack", "kernelStackTrace"}, {"user-stack", "userStackTrace"},
	{"ima-hash", "imaHash"}, {0}};
const struct pol_trace_word pol_trace_list_words[] = {{"syscalls", "syscalls"},
	{"all-syscalls", "generated_syscalls"}, {"ftrace", "generated_ftrace"}, {0}};

const struct pol_trace_word *pol_trace_word_find(
	const struct pol_trace_word *words, const char *word)
{
	for (; words->word; words++)
		if (!strcmp(words->word, word))
			return words;
	return NULL;
}

const struct pol_trace_word *pol_trace_name_find(
	const struct pol_trace_word *words, const char *name)
{
	for (; words->word; words++)
		if (!strcmp(words->name, name))
			return words;
	return NULL;
}

const char *pol_trace_main_argument(const char *action)
{
	static const struct pol_trace_word arguments[] = {{"argSig", "Signal"},
		{"argError", "Override"}, {"argSock", "TrackSock"}, {"argSock", "UntrackSock"},
		{"argUrl", "GetUrl"}, {"argFqdn", "DnsLookup"}, {0}};
	const struct pol_trace_word *found = pol_trace_name_find(arguments, action);

	return found ? found->word : NULL;
}

static const struct {
	const char *word;
	int kind;
} keywords[] = {
#define X(token, text, follow) {text, POL_T_##token},
	POL_TRACING_KEYWORDS(X)
#undef X
};

/* "arg" or "data", then digits only. */
static bool is_position(const char *word)
{
	size_t n = !strncmp(word, "arg", 3) ? 3 : !strncmp(word, "data", 4) ? 4 : 0;

	return n && word[n] && !word[n + strspn(word + n, "0123456789")];
}

bool pol_trace_is_keyword(const char *word)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(keywords); i++)
		if (!strcmp(keywords[i].word, word))
			return true;
	return false;
}

bool pol_trace_is_subject(const char *word)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(keywords); i++)
		if (!strcmp(keywords[i].word, word))
			return keywords[i].kind == POL_T_OPERATOR ||
			       keywords[i].kind == POL_T_BARE_OPERATOR;
	return !is_position(word);
}

_Static_assert(POLC_ARRAY_SIZE(keywords) <= POL_CLASS_WORDS_MAX, "more words than room");

size_t pol_class_words(int kind, const char **out)
{
	size_t n = 0;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(keywords); i++)
		if (keywords[i].kind == kind)
			out[n++] = keywords[i].word;
	return n;
}

/* Texts and numbers */

struct polc_ast_text pol_trace_text(struct pol_parser *p, const struct pol_token *token)
{
	if (!token->n)
		polc_error(p->polc, token->span, POLC_CODE_MISSING_FIELD,
			"an empty string says nothing here");
	return (struct polc_ast_text){token->text, token->n, token->span};
}

void pol_trace_texts(struct pol_parser *p, const pol_words *words, polc_ast_texts *out)
{
	for (size_t i = 0; i < words->n; i++)
		*polc_vec_push(&p->polc->arena, out) = pol_trace_text(p, words->items[i]);
}

bool pol_trace_number(struct pol_parser *p, const struct pol_token *token, int64_t min, int64_t max,
	struct polc_ast_number *out)
{
	const char *digits = token->text + (*token->text == '-');
	bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
	long long value;
	char *end;

	errno = 0;
	value = strtoll(token->text, &end, hex ? 16 : 10);
	if (strspn(digits, "0123456789") == 0 || *end) {
		polc_error(p->polc, token->span, POLC_CODE_WRONG_TYPE, "'%.40s' is no number",
			token->text);
		return false;
	}
	if (errno || value < min || value > max) {
		polc_error(p->polc, token->span, POLC_CODE_TRACE_VALUE,
			"'%.40s' must be between %lld and %lld", token->text, (long long)min,
			(long long)max);
		return false;
	}
	*out = (struct polc_ast_number){.value = value, .written = true, .span = token->span};
	return true;
}

/* The block */

void pol_tracing_open(struct pol_parser *p, const struct pol_token *name,
	const struct pol_token *namespace, struct polc_span span)
{
	p->tracing = POLC_NEW(&p->polc->arena, struct polc_ast_tracing);
	p->errors_before = p->polc->n_errors;
	pol_check_name(p, name, "the name of a policy", true);
	if (namespace)
		pol_check_name(p, namespace, "a namespace", false);
	p->tracing->name = name->text;
	p->tracing->name_span = name->span;
	p->tracing->namespace = namespace ? namespace->text : NULL;
	p->tracing->namespaced = namespace;
	p->tracing->span = span;
}

void pol_tracing_close(struct pol_parser *p)
{
	if (p->polc->n_errors == p->errors_before)
		polc_trace_check(p->polc, p->tracing);
	*polc_vec_push(&p->polc->arena, &p->input->tracings) = p->tracing;
	p->tracing = NULL;
}

static void report_twice(struct pol_parser *p, struct polc_span span, const char *what)
{
	polc_error(p->polc, span, POLC_CODE_DSL_DUPLICATE, "%s given twice", what);
}

/* Settings */

void pol_trace_option(
	struct pol_parser *p, const struct pol_token *name, const struct pol_token *value)
{
	struct polc_ast_option option = {0};

	if (name)
		option.name = pol_trace_text(p, name);
	else
		option.name = (struct polc_ast_text){"policy-mode", 11, value->span};
	if (value)
		option.value = pol_trace_text(p, value);
	*polc_vec_push(&p->polc->arena, &p->tracing->options) = option;
}

void pol_trace_limit(struct pol_parser *p, const struct pol_token *rate,
	const struct pol_token *burst, const struct pol_token *sample, struct polc_span span)
{
	struct polc_buf text = {.arena = &p->polc->arena};

	polc_buf_puts(&text, rate->text);
	if (burst)
		polc_buf_printf(&text, " burst %s", burst->text);
	if (sample)
		polc_buf_printf(&text, " sample %s", sample->text);
	if (p->tracing->event_rate.text)
		report_twice(p, span, "the limit is");
	p->tracing->event_rate = (struct polc_ast_text){text.p, text.n, span};
	polc_trace_check_event_rate(p->polc, &p->tracing->event_rate);
}

static void select_workloads(struct pol_parser *p, struct polc_span span, bool again)
{
	if (again)
		report_twice(p, span, "the selection is");
	p->tracing->workloads.span = span;
}

void pol_trace_pods(
	struct pol_parser *p, const struct polc_ast_selector *selector, struct polc_span span)
{
	select_workloads(p, span, p->tracing->workloads.pods);
	p->tracing->workloads.pods = selector;
}

void pol_trace_containers(
	struct pol_parser *p, const struct polc_ast_selector *selector, struct polc_span span)
{
	select_workloads(p, span, p->tracing->workloads.containers);
	p->tracing->workloads.containers = selector;
}

void pol_trace_host(struct pol_parser *p, struct polc_span span)
{
	select_workloads(p, span, p->tracing->workloads.host);
	p->tracing->workloads.host = true;
}

/* Labels of nodes come from nowhere but Kubernetes: their keys have no source. */
void pol_trace_nodes(struct pol_parser *p, const struct polc_ast_selector *selector)
{
	for (size_t i = 0; i < selector->requirements.n; i++) {
		const struct polc_ast_requirement *r = &selector->requirements.items[i];

		if (!polc_is_label_key(r->key))
			polc_error(p->polc, r->key_span, POLC_CODE_BAD_SELECTOR,
				"'%.80s' is not a valid label key", r->key);
	}
	if (p->tracing->node_selector)
		report_twice(p, selector->span, "the selection is");
	p->tracing->node_selector = selector;
}

static struct polc_ast_text list_type(struct pol_parser *p, const struct pol_token *type)
{
	const struct pol_trace_word *word;

	if (!type)
		return (struct polc_ast_text){.text = "", .span = p->last->span};
	word = pol_trace_word_find(pol_trace_list_words, type->text);
	if (!word) {
		polc_error(p->polc, type->span, POLC_CODE_UNKNOWN_VALUE,
			"'%.40s' is none of syscalls, all-syscalls, ftrace", type->text);
		return pol_trace_text(p, type);
	}
	return (struct polc_ast_text){word->name, strlen(word->name), type->span};
}

void pol_trace_list(struct pol_parser *p, const struct pol_token *name,
	const struct pol_token *type, const struct pol_token *pattern, const pol_words *values,
	struct polc_span span)
{
	struct polc_ast_list list = {.span = span, .name = pol_trace_text(p, name)};

	list.type = list_type(p, type);
	if (pattern)
		list.pattern = pol_trace_text(p, pattern);
	if (values)
		pol_trace_texts(p, values, &list.values);
	*polc_vec_push(&p->polc->arena, &p->tracing->lists) = list;
}

void pol_trace_enforce(struct pol_parser *p, const pol_words *calls)
{
	pol_trace_texts(p, calls, polc_vec_push(&p->polc->arena, &p->tracing->enforcers));
}

void pol_trace_macro_open(struct pol_parser *p, const struct pol_token *name, struct polc_span span)
{
	p->hook = NULL;
	p->macro = POLC_NEW(&p->polc->arena, struct polc_ast_macro);
	p->macro->name = pol_trace_text(p, name);
	p->macro->selector.span = span;
}

void pol_trace_macro_close(struct pol_parser *p)
{
	struct polc_span span = p->macro->selector.span;

	p->macro->selector = *p->selector;
	p->macro->selector.span = span;
	*polc_vec_push(&p->polc->arena, &p->tracing->macros) = *p->macro;
}
