/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is shown about the word under the cursor: the field or keyword, the rule around it, how a
 * tracing hook is carried out, and what a diagnostic there means.
 */
#include <string.h>

#include "../frontend/tracing_fields.h"
#include "lsp.h"

struct answer {
	struct polc_buf text;
	size_t begin, end; /* the word; 0, 0: unknown */
};

static void paragraph(struct answer *answer)
{
	if (answer->text.n)
		polc_buf_puts(&answer->text, "\n\n");
}

static void words(struct polc_buf *out, const char *const *list)
{
	polc_buf_puts(out, "\n\nOne of ");
	for (size_t i = 0; list[i]; i++)
		polc_buf_printf(out, "%s`%s`", i ? ", " : "", list[i]);
	polc_buf_puts(out, ".");
}

/* Diagnostics: what their codes mean */

static void add_codes(struct lsp *lsp, const struct lsp_place *place, struct answer *answer)
{
	size_t n;
	const struct polc_diagnostic *const *all =
		polc_diagnostics_sorted(&lsp->analysis->polc, &n);

	for (size_t i = 0; i < n; i++) {
		const struct polc_diagnostic *d = all[i];
		const struct lsp_code_text *text = lsp_code_text(d->code);

		if (!polc_diagnostic_shown(d) || !text || !place->file->source ||
			d->span.source != place->file->source || d->span.begin > place->offset ||
			d->span.end < place->offset)
			continue;
		paragraph(answer);
		polc_buf_printf(&answer->text, "**POLC%04d %s**: %s", (int)d->code, text->title,
			text->text);
	}
}

/* Rules and hooks */

static void add_rule(struct lsp *lsp, const struct lsp_place *place, struct answer *answer)
{
	const struct polc_net_rule *rule = lsp_rule_at(lsp, place);

	if (!rule)
		return;
	paragraph(answer);
	lsp_describe_rule(lsp->analysis, rule, &answer->text);
}

static void add_policy(struct lsp *lsp, const struct lsp_place *place, struct answer *answer)
{
	const struct polc_net_policy *policy = lsp_policy_at(lsp, place);

	if (!policy)
		return;
	paragraph(answer);
	lsp_describe_policy(lsp->analysis, policy, &answer->text);
}

/* The plan of the hook at a place, from its file alone: errors of other files do not matter. */
static void print_plan(struct lsp *lsp, const struct lsp_place *place, struct polc_buf *out)
{
	const struct lsp_file *file = place->file;
	const struct polc_tracing_plan *plan = NULL;
	const struct polc_tracing *tracing;
	const struct polc_trace_spec *spec;
	struct polc_input input = {0};
	struct polc polc;

	polc_init(&polc);
	polc_read_text(&polc, &input, file->shown, file->text, file->n);
	polc_read_finish(&polc, &input);
	tracing = polc_lower_tracing(&polc, &input, &lsp->targets);
	spec = lsp_trace_spec_at(tracing, place->offset);
	if (spec && !polc.n_errors)
		plan = polc_plan_tracing(&polc, tracing, &lsp->targets);
	if (plan)
		polc_plan_tracing_print_spec(plan, &polc, spec->number, out);
	polc_free(&polc);
}

/* How a hook is carried out is known where a kernel is. */
static void add_plan(struct lsp *lsp, const struct lsp_place *place, struct answer *answer)
{
	struct polc_buf text = {.arena = &lsp->scratch};

	print_plan(lsp, place, &text);
	if (!text.n)
		return;
	paragraph(answer);
	polc_buf_printf(&answer->text, "```text\n%s```", text.p);
	if (!lsp->targets.n_targets)
		polc_buf_puts(&answer->text, "\n\nWithout --target, what the kernel can do is "
					     "assumed.");
}

/* YAML */

static void add_field(const struct lsp_field *field, struct answer *answer)
{
	paragraph(answer);
	polc_buf_printf(
		&answer->text, "`%s`%s: %s", field->name, field->list ? " (list)" : "", field->doc);
	if (field->words)
		words(&answer->text, field->words);
}

static bool path_holds(const struct lsp_yaml_place *yaml, const char *key)
{
	for (size_t i = 0; i < yaml->path.n; i++)
		if (!strcmp(yaml->path.items[i], key))
			return true;
	return false;
}

static bool in_rules(const struct lsp_yaml_place *yaml)
{
	static const char *const lists[] = {"ingress", "egress", "ingressDeny", "egressDeny"};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(lists); i++)
		if (path_holds(yaml, lists[i]))
			return true;
	return false;
}

static bool in_hook(const struct lsp_yaml_place *yaml)
{
	if (yaml->path.n < 2)
		return false;
	for (size_t i = 0; i < POLC_N_SECTIONS; i++)
		if (!strcmp(yaml->path.items[1], polc_trace_section_names[i]))
			return yaml->path.n == 2;
	return false;
}

static bool is_word(const struct lsp_file *file, size_t begin, size_t end, const char *word)
{
	return end - begin == strlen(word) && !memcmp(file->text + begin, word, end - begin);
}

/* The field that a place is about: that of the key there, or of the value. */
static const struct lsp_field *field_at(struct lsp *lsp, const struct lsp_place *place,
	const struct lsp_yaml_place *yaml, const struct lsp_kind *kind)
{
	const struct lsp_field *field;
	const struct lsp_shape *shape =
		lsp_schema_walk(kind->shape, yaml->path.items, yaml->path.n, &field);
	const char *name = yaml->key;

	if (!name && !shape)
		return field; /* an item of a list */
	if (!name)
		name = polc_arena_strndup(&lsp->scratch, place->file->text + yaml->word_begin,
			yaml->word_end - yaml->word_begin);
	return lsp_shape_find(shape, name);
}

static void hover_yaml(struct lsp *lsp, struct lsp_place *place, struct answer *answer)
{
	const struct lsp_file *file = place->file;
	struct lsp_yaml_place yaml;
	const struct lsp_kind *kind;
	const struct lsp_field *field;

	lsp_yaml_place(&lsp->scratch, file->text, file->n, place->offset, &yaml);
	kind = lsp_kind_find(yaml.kind);
	if (!kind || yaml.in_comment)
		return;
	field = field_at(lsp, place, &yaml, kind);
	answer->begin = yaml.word_begin;
	answer->end = yaml.word_end;
	if (field)
		add_field(field, answer);
	if (in_rules(&yaml))
		add_rule(lsp, place, answer);
	else if (!yaml.path.n && is_word(file, yaml.word_begin, yaml.word_end, kind->name)) {
		paragraph(answer);
		polc_buf_puts(&answer->text, kind->doc);
		add_policy(lsp, place, answer);
	} else if (field &&
		   (!strcmp(field->name, "spec") || !strcmp(field->name, "name") ||
			   !strcmp(field->name, "subject") || !strcmp(field->name, "podSelector") ||
			   !strcmp(field->name, "endpointSelector"))) {
		add_policy(lsp, place, answer);
	}
	if (in_hook(&yaml))
		add_plan(lsp, place, answer);
}

/* The policy language */

static void hover_pol(struct lsp *lsp, struct lsp_place *place, struct answer *answer)
{
	static const char *const of_policies[] = {
		"network", "kubernetes", "cluster", "admin", "baseline", "subject"};
	const struct lsp_file *file = place->file;
	struct lsp_pol_place pol;
	const char *word, *doc;
	bool on_hook;

	lsp_pol_place(&lsp->scratch, file->text, file->n, place->offset, &pol);
	if (pol.in_comment || pol.word_begin == pol.word_end)
		return;
	answer->begin = pol.word_begin;
	answer->end = pol.word_end;
	word = polc_arena_strndup(
		&lsp->scratch, file->text + pol.word_begin, pol.word_end - pol.word_begin);
	doc = lsp_keyword_doc(word, pol.tracing);
	if (doc) {
		paragraph(answer);
		polc_buf_printf(&answer->text, "`%s`: %s", word, doc);
	}
	on_hook = pol.tracing;
	if (on_hook)
		add_plan(lsp, place, answer);
	else if (polc_word_index(word, of_policies, POLC_ARRAY_SIZE(of_policies)) >= 0 ||
		 (pol.tokens.n && !strcmp(pol.tokens.items[pol.tokens.n - 1].text, "network")))
		add_policy(lsp, &(struct lsp_place){place->file, pol.word_end}, answer);
	else
		add_rule(lsp, place, answer);
}

json_t *lsp_hover(struct lsp *lsp, const json_t *params)
{
	struct answer answer = {.text = {.arena = &lsp->scratch}};
	struct lsp_place place;
	json_t *out;

	if (!lsp_place_read(lsp, params, &place))
		return NULL;
	if (lsp_is_pol(place.file))
		hover_pol(lsp, &place, &answer);
	else
		hover_yaml(lsp, &place, &answer);
	add_codes(lsp, &place, &answer);
	if (!answer.text.n)
		return NULL;
	out = json_pack("{s:{s:s,s:o}}", "contents", "kind", "markdown", "value",
		lsp_string(answer.text.p));
	if (answer.end > answer.begin)
		json_object_set_new(
			out, "range", lsp_range(lsp, place.file, answer.begin, answer.end));
	return out;
}
