/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * SARIF 2.1.0, the format in which code hosts take findings. Columns are counted in Unicode code
 * points, which the run says; paths are percent-encoded.
 */
#include <ctype.h>
#include <string.h>

#include "diagnostic.h"

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

struct sarif {
	struct polc *polc;
	struct polc_buf out;
	const struct polc_diagnostic *const *list;
	size_t n;
	/* rule number + 1 of each code in use */
	unsigned rules[POLC_CODES_END];
};

/* Of the line: bytes that continue a character do not count; a broken one counts per byte. */
static unsigned code_point_column(const struct polc_source *source, uint32_t begin, uint32_t at)
{
	unsigned column = 1;

	while (begin < at && begin < source->len) {
		uint32_t c;
		unsigned n = polc_utf8_decode(source->text + begin, source->len - begin, &c);

		begin += n ? n : 1;
		column++;
	}
	return column;
}

static void put_region(struct sarif *s, struct polc_span span)
{
	const struct polc_source *source = polc_source_get(&s->polc->sources, span.source);
	struct polc_position begin =
		polc_source_position(&s->polc->arena, &s->polc->sources, span.source, span.begin);
	struct polc_position end =
		polc_source_position(&s->polc->arena, &s->polc->sources, span.source, span.end);

	polc_buf_printf(&s->out,
		"{\"startLine\":%u,\"startColumn\":%u,\"endLine\":%u,\"endColumn\":%u}", begin.line,
		code_point_column(source, span.begin - (begin.column - 1), span.begin), end.line,
		code_point_column(source, span.end - (end.column - 1), span.end));
}

static void put_uri(struct sarif *s, const char *path)
{
	polc_buf_puts(&s->out, "{\"uri\":\"");
	for (const char *p = path; *p; p++) {
		if (isalnum((unsigned char)*p) || strchr("/-._~", *p))
			polc_buf_add(&s->out, p, 1);
		else
			polc_buf_printf(&s->out, "%%%02X", (unsigned)(unsigned char)*p);
	}
	polc_buf_puts(&s->out, "\"}");
}

/* The inside of a location object; nothing for no place. */
static void put_place(struct sarif *s, struct polc_span span)
{
	if (!span.source)
		return;
	polc_buf_puts(&s->out, "\"physicalLocation\":{\"artifactLocation\":");
	put_uri(s, polc_source_get(&s->polc->sources, span.source)->path);
	polc_buf_puts(&s->out, ",\"region\":");
	put_region(s, span);
	polc_buf_puts(&s->out, "}");
}

static void put_message(struct sarif *s, const char *key, const char *text, const char *more)
{
	struct polc_buf whole = {.arena = &s->polc->arena};

	polc_buf_printf(&whole, "%s%s%s", text, more ? "; " : "", more ? more : "");
	polc_buf_printf(&s->out, "\"%s\":{\"text\":", key);
	polc_buf_json(&s->out, whole.p);
	polc_buf_puts(&s->out, "}");
}

static const char *level_name(enum polc_severity severity)
{
	return severity == POLC_OFF ? "none" : polc_severity_name(severity);
}

/* Rules */

static enum polc_severity default_severity(const struct sarif *s, enum polc_code code)
{
	const struct polc_levels *levels = s->polc->levels;

	return levels && levels->defaults[code] ? (enum polc_severity)(levels->defaults[code] - 1)
						: POLC_ERROR;
}

/* What the name says, as words: "default deny without dns". */
static void put_rule(struct sarif *s, enum polc_code code)
{
	const char *name = polc_code_name(code);
	char *words = polc_arena_strndup(&s->polc->arena, name, strlen(name));

	for (char *p = words; *p; p++)
		*p = *p == '-' ? ' ' : *p;
	polc_buf_printf(&s->out, "{\"id\":\"POLC%04u\",\"name\":\"%s\",", (unsigned)code, name);
	put_message(s, "shortDescription", words, NULL);
	polc_buf_printf(&s->out, ",\"defaultConfiguration\":{\"level\":\"%s\"}}",
		level_name(default_severity(s, code)));
}

/* The codes in use, in their order. */
static void put_rules(struct sarif *s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->n; i++)
		s->rules[s->list[i]->code] = 1;
	polc_buf_puts(&s->out, "\"rules\":[");
	for (unsigned code = 0; code < POLC_CODES_END; code++) {
		if (!s->rules[code])
			continue;
		polc_buf_puts(&s->out, n ? ",\n    " : "\n    ");
		put_rule(s, (enum polc_code)code);
		s->rules[code] = ++n;
	}
	polc_buf_puts(&s->out, "]");
}

/* Results */

static void put_related(struct sarif *s, const struct polc_diagnostic *d)
{
	unsigned n = 0;

	if (!d->n_related)
		return;
	polc_buf_puts(&s->out, ",\"relatedLocations\":[");
	for (unsigned i = 0; i < d->n_related; i++) {
		polc_buf_printf(&s->out, "%s{\"id\":%u,", n ? "," : "", n + 1);
		put_place(s, d->related[i].span);
		polc_buf_puts(&s->out, d->related[i].span.source ? "," : "");
		put_message(s, "message", d->related[i].message, NULL);
		polc_buf_puts(&s->out, "}");
		n++;
	}
	polc_buf_puts(&s->out, "]");
}

static void put_replacements(
	struct sarif *s, const struct polc_diagnostic *d, uint32_t source, const char *before)
{
	polc_buf_printf(&s->out, "%s{\"artifactLocation\":", before);
	put_uri(s, polc_source_get(&s->polc->sources, source)->path);
	polc_buf_puts(&s->out, ",\"replacements\":[");
	before = "";
	for (unsigned i = 0; i < d->n_edits; i++) {
		if (d->edits[i].span.source != source)
			continue;
		polc_buf_printf(&s->out, "%s{\"deletedRegion\":", before);
		put_region(s, d->edits[i].span);
		polc_buf_puts(&s->out, ",\"insertedContent\":{\"text\":");
		polc_buf_json(&s->out, d->edits[i].replacement);
		polc_buf_puts(&s->out, "}}");
		before = ",";
	}
	polc_buf_puts(&s->out, "]}");
}

static bool first_of_source(const struct polc_diagnostic *d, unsigned edit)
{
	for (unsigned i = 0; i < edit; i++)
		if (d->edits[i].span.source == d->edits[edit].span.source)
			return false;
	return true;
}

static void put_fix(struct sarif *s, const struct polc_diagnostic *d)
{
	unsigned n = 0;

	if (!d->fix || !d->n_edits)
		return;
	polc_buf_puts(&s->out, ",\"fixes\":[{");
	put_message(s, "description", d->fix, NULL);
	polc_buf_puts(&s->out, ",\"artifactChanges\":[");
	for (unsigned i = 0; i < d->n_edits; i++)
		if (first_of_source(d, i))
			put_replacements(s, d, d->edits[i].span.source, n++ ? "," : "");
	polc_buf_puts(&s->out, "]}]");
}

static void put_result(struct sarif *s, const struct polc_diagnostic *d)
{
	polc_buf_printf(&s->out, "{\"ruleId\":\"POLC%04u\",\"ruleIndex\":%u,\"level\":\"%s\",",
		(unsigned)d->code, s->rules[d->code] - 1, level_name(d->severity));
	put_message(s, "message", d->message, d->suggestion);
	if (d->span.source) {
		polc_buf_puts(&s->out, ",\"locations\":[{");
		put_place(s, d->span);
		polc_buf_puts(&s->out, "}]");
	}
	put_related(s, d);
	put_fix(s, d);
	if (d->suppressed) {
		polc_buf_puts(
			&s->out, ",\"suppressions\":[{\"kind\":\"inSource\",\"justification\":");
		polc_buf_json(&s->out, d->suppressed);
		polc_buf_puts(&s->out, "}]");
	}
	polc_buf_puts(&s->out, "}");
}

void polc_diagnostics_print_sarif(struct polc *polc, const char *version, FILE *out)
{
	struct sarif s = {.polc = polc, .out = {.arena = &polc->arena}};

	s.list = polc_diagnostics_sorted(polc, &s.n);
	polc_buf_printf(&s.out,
		"{\"$schema\":\"%s\",\"version\":\"2.1.0\",\"runs\":[{\n"
		" \"tool\":{\"driver\":{\"name\":\"polc\",\"version\":\"%s\",",
		SCHEMA, version);
	put_rules(&s);
	polc_buf_puts(&s.out, "}},\n \"columnKind\":\"unicodeCodePoints\",\n \"results\":[");
	for (size_t i = 0; i < s.n; i++) {
		polc_buf_puts(&s.out, i ? ",\n  " : "\n  ");
		put_result(&s, s.list[i]);
	}
	polc_buf_puts(&s.out, "]}]}\n");
	fwrite(s.out.p, 1, s.out.n, out);
}
