/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Answers of the matrix as a table for people, JSON lines and CSV for programs. */
#include <string.h>

#include "matrix.h"

void polc_matrix_print_widen(struct polc_matrix_printer *printer, const struct polc_party *party)
{
	int n = (int)strlen(party->text);

	if (n > printer->party_width)
		printer->party_width = n;
}

static void print_columns(struct polc_matrix_printer *printer, const char *const columns[7])
{
	fprintf(printer->out, "%-*s  %-*s  %-12s  %-6s  %-7s  %-7s  %s\n", printer->party_width,
		columns[0], printer->party_width, columns[1], columns[2], columns[3], columns[4],
		columns[5], columns[6]);
}

void polc_matrix_print_head(struct polc_matrix_printer *printer)
{
	static const char *const titles[] = {
		"SOURCE", "DESTINATION", "PORT", "EGRESS", "INGRESS", "VERDICT", "RULE"};

	switch (printer->format) {
	case POLC_MATRIX_JSON:
		return;
	case POLC_MATRIX_CSV:
		fputs("src,dst,proto,port,egress,ingress,verdict,rule\n", printer->out);
		return;
	case POLC_MATRIX_TABLE:
		if (printer->party_width < (int)strlen(titles[1]))
			printer->party_width = (int)strlen(titles[1]);
		print_columns(printer, titles);
		return;
	}
}

void polc_matrix_print_end(struct polc_matrix_printer *printer)
{
	polc_arena_free(&printer->scratch);
}

static const char *rule_text(struct polc_cmd *cmd, const struct polc_flow_answer *answer)
{
	const struct polc_side *side = polc_flow_deciding_side(answer);

	if (!side)
		return "not-governed";
	return side->rule_known ? polc_cmd_rule_text(cmd, side->rule) : "unknown";
}

/* Quoted only where CSV needs it. */
static void print_csv_text(FILE *out, const char *text)
{
	if (!strpbrk(text, ",\"\n\r")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

/* What every format shows of one answer. */
struct row {
	const char *src, *dst, *proto;
	unsigned port;
	const char *egress, *ingress, *verdict, *rule;
};

static void print_json(struct polc_matrix_printer *printer, const struct row *row)
{
	struct polc_buf b = {.arena = &printer->scratch};

	polc_buf_puts(&b, "{\"src\":");
	polc_buf_json(&b, row->src);
	polc_buf_puts(&b, ",\"dst\":");
	polc_buf_json(&b, row->dst);
	polc_buf_printf(&b,
		",\"proto\":\"%s\",\"port\":%u,\"egress\":\"%s\",\"ingress\":\"%s\","
		"\"verdict\":\"%s\",\"rule\":",
		row->proto, row->port, row->egress, row->ingress, row->verdict);
	polc_buf_json(&b, row->rule);
	polc_buf_puts(&b, "}\n");
	fwrite(b.p, 1, b.n, printer->out);
}

static void print_csv(struct polc_matrix_printer *printer, const struct row *row)
{
	print_csv_text(printer->out, row->src);
	fputc(',', printer->out);
	print_csv_text(printer->out, row->dst);
	fprintf(printer->out, ",%s,%u,%s,%s,%s,", row->proto, row->port, row->egress, row->ingress,
		row->verdict);
	print_csv_text(printer->out, row->rule);
	fputc('\n', printer->out);
}

static void print_table_row(struct polc_matrix_printer *printer, const struct row *row)
{
	const char *port = polc_arena_printf(&printer->scratch, "%s/%u", row->proto, row->port);
	const char *const columns[] = {
		row->src, row->dst, port, row->egress, row->ingress, row->verdict, row->rule};

	print_columns(printer, columns);
}

void polc_matrix_print_row(struct polc_matrix_printer *printer, const struct polc_flow *flow,
	const struct polc_flow_answer *answer)
{
	const struct row row = {
		.src = flow->src->text,
		.dst = flow->dst->text,
		.proto = polc_protocol_text(&printer->scratch, flow->port.protocol),
		.port = flow->port.port,
		.egress = polc_verdict_name(answer->side[POLC_EGRESS].verdict),
		.ingress = polc_verdict_name(answer->side[POLC_INGRESS].verdict),
		.verdict = polc_verdict_name(answer->verdict),
		.rule = rule_text(printer->cmd, answer),
	};

	switch (printer->format) {
	case POLC_MATRIX_JSON:
		print_json(printer, &row);
		break;
	case POLC_MATRIX_CSV:
		print_csv(printer, &row);
		break;
	case POLC_MATRIX_TABLE:
		print_table_row(printer, &row);
		break;
	}
	if (printer->scratch.allocated_bytes > 1 << 20)
		polc_arena_free(&printer->scratch);
}
