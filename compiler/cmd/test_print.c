/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What came of tests: text for people, JSON and JUnit for programs. */
#include <string.h>

#include "test.h"

static const char *const status_names[] = {"passed", "failed", "error"};

static unsigned total(const struct polc_test_run *run)
{
	return run->n[POLC_TEST_PASSED] + run->n[POLC_TEST_FAILED] + run->n[POLC_TEST_ERROR];
}

/* Text */

static void text_result(const struct polc_test_result *result, struct polc_buf *out)
{
	static const char *const words[] = {"ok", "FAIL", "ERROR"};

	polc_buf_printf(out, "  %-5s %s", words[result->status], result->name);
	polc_buf_puts(out, "\n");
	if (result->status == POLC_TEST_PASSED)
		return;
	if (result->expected)
		polc_buf_printf(out, "        expected %s\n        got      %s\n", result->expected,
			result->actual);
	else
		polc_buf_printf(out, "        %s\n", result->actual);
	for (size_t i = 0; i < result->details.n; i++)
		polc_buf_printf(out, "        %s\n", result->details.items[i]);
}

static void print_text(struct polc_test_run *run, struct polc_buf *out)
{
	const struct polc_ast_test *last = NULL;

	for (size_t i = 0; i < run->results.n; i++) {
		const struct polc_test_result *result = &run->results.items[i];

		if (result->status == POLC_TEST_PASSED && !run->verbose)
			continue;
		if (result->test != last)
			polc_buf_printf(out, "%s (%s)\n", result->test->name,
				polc_test_place(run, result->test->span));
		last = result->test;
		text_result(result, out);
	}
	polc_buf_printf(
		out, "%u passed, %u failed", run->n[POLC_TEST_PASSED], run->n[POLC_TEST_FAILED]);
	if (run->n[POLC_TEST_ERROR])
		polc_buf_printf(out, ", %u with errors", run->n[POLC_TEST_ERROR]);
	polc_buf_puts(out, "\n");
}

/* JSON */

static void json_result(
	struct polc_test_run *run, const struct polc_test_result *result, struct polc_buf *out)
{
	struct polc *polc = &run->cmd.polc;
	struct polc_position place = polc_source_position(
		&polc->arena, &polc->sources, result->span.source, result->span.begin);

	polc_buf_puts(out, "{");
	polc_buf_json_member(out, "test", result->test->name);
	polc_buf_json_member(out, "name", result->name);
	polc_buf_json_member(
		out, "file", polc_source_get(&polc->sources, result->span.source)->path);
	polc_buf_printf(out, "\"line\":%u,", place.line);
	polc_buf_json_member(out, "status", status_names[result->status]);
	polc_buf_json_member(out, "expected", result->expected);
	polc_buf_json_member(out, "actual", result->actual);
	polc_buf_json_member(out, "rule", result->rule);
	polc_buf_puts(out, "\"details\":[");
	for (size_t i = 0; i < result->details.n; i++) {
		polc_buf_puts(out, i ? "," : "");
		polc_buf_json(out, result->details.items[i]);
	}
	polc_buf_puts(out, "]}");
}

static void print_json(
	struct polc_test_run *run, const struct polc_coverage *coverage, struct polc_buf *out)
{
	polc_buf_printf(out, "{\"passed\":%u,\"failed\":%u,\"errors\":%u,\"results\":[",
		run->n[POLC_TEST_PASSED], run->n[POLC_TEST_FAILED], run->n[POLC_TEST_ERROR]);
	for (size_t i = 0; i < run->results.n; i++) {
		polc_buf_puts(out, i ? ",\n " : "\n ");
		json_result(run, &run->results.items[i], out);
	}
	polc_buf_puts(out, "]");
	if (coverage) {
		polc_buf_puts(out, ",\n\"coverage\":");
		polc_coverage_json(coverage, out);
	}
	polc_buf_puts(out, "}\n");
}

/* JUnit */

/* XML 1.0 has no way to say a control character, nor what is not UTF-8. */
static void xml_text(struct polc_buf *out, const char *text)
{
	size_t n = strlen(text);
	uint32_t c;

	for (size_t at = 0, used; at < n; at += used) {
		used = polc_utf8_decode(text + at, n - at, &c);
		if (!used || (c < ' ' && c != '\n' && c != '\t') || c == 0xfffe || c == 0xffff)
			polc_buf_puts(out, "?");
		else if (c == '&')
			polc_buf_puts(out, "&amp;");
		else if (c == '<')
			polc_buf_puts(out, "&lt;");
		else if (c == '>')
			polc_buf_puts(out, "&gt;");
		else if (c == '"')
			polc_buf_puts(out, "&quot;");
		else
			polc_buf_add(out, text + at, used);
		used += !used;
	}
}

static void xml_attribute(struct polc_buf *out, const char *name, const char *value)
{
	polc_buf_printf(out, " %s=\"", name);
	xml_text(out, value);
	polc_buf_puts(out, "\"");
}

static void junit_trouble(
	struct polc_test_run *run, const struct polc_test_result *result, struct polc_buf *out)
{
	const char *tag = result->status == POLC_TEST_FAILED ? "failure" : "error";

	polc_buf_printf(out, "      <%s", tag);
	xml_attribute(out, "message",
		result->expected ? polc_arena_printf(&run->cmd.polc.arena, "expected %s, got %s",
					   result->expected, result->actual)
				 : result->actual);
	polc_buf_puts(out, ">");
	xml_text(out, polc_test_place(run, result->span));
	for (size_t i = 0; i < result->details.n; i++) {
		polc_buf_puts(out, "\n");
		xml_text(out, result->details.items[i]);
	}
	polc_buf_printf(out, "</%s>\n    </testcase>\n", tag);
}

static void junit_result(
	struct polc_test_run *run, const struct polc_test_result *result, struct polc_buf *out)
{
	struct polc *polc = &run->cmd.polc;

	polc_buf_puts(out, "    <testcase");
	xml_attribute(out, "classname", result->test->name);
	xml_attribute(out, "name", result->name);
	xml_attribute(out, "file", polc_source_get(&polc->sources, result->span.source)->path);
	polc_buf_printf(out, " line=\"%u\"",
		polc_source_position(
			&polc->arena, &polc->sources, result->span.source, result->span.begin)
			.line);
	polc_buf_puts(out, result->status == POLC_TEST_PASSED ? "/>\n" : ">\n");
	if (result->status != POLC_TEST_PASSED)
		junit_trouble(run, result, out);
}

static void junit_suite(struct polc_test_run *run, size_t begin, size_t end, struct polc_buf *out)
{
	unsigned n[3] = {0};

	for (size_t i = begin; i < end; i++)
		n[run->results.items[i].status]++;
	polc_buf_puts(out, "  <testsuite");
	xml_attribute(out, "name", run->results.items[begin].test->name);
	polc_buf_printf(out, " tests=\"%zu\" failures=\"%u\" errors=\"%u\">\n", end - begin,
		n[POLC_TEST_FAILED], n[POLC_TEST_ERROR]);
	for (size_t i = begin; i < end; i++)
		junit_result(run, &run->results.items[i], out);
	polc_buf_puts(out, "  </testsuite>\n");
}

static void print_junit(struct polc_test_run *run, struct polc_buf *out)
{
	polc_buf_printf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"polc test\" tests=\"%u\" failures=\"%u\" errors=\"%u\">\n",
		total(run), run->n[POLC_TEST_FAILED], run->n[POLC_TEST_ERROR]);
	for (size_t i = 0, end; i < run->results.n; i = end) {
		for (end = i + 1; end < run->results.n; end++)
			if (run->results.items[end].test != run->results.items[i].test)
				break;
		junit_suite(run, i, end, out);
	}
	polc_buf_puts(out, "</testsuites>\n");
}

void polc_test_print(struct polc_test_run *run, enum polc_test_format format,
	const struct polc_coverage *coverage, struct polc_buf *out)
{
	switch (format) {
	case POLC_TEST_TEXT:
		print_text(run, out);
		break;
	case POLC_TEST_JSON:
		print_json(run, coverage, out);
		break;
	case POLC_TEST_JUNIT:
		print_junit(run, out);
		break;
	}
}
