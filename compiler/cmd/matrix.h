/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Between the files of `polc matrix`: which questions are asked, and how answers are printed. */
#ifndef POLC_MATRIX_H
#define POLC_MATRIX_H

#include "flow.h"

enum polc_matrix_format { POLC_MATRIX_TABLE, POLC_MATRIX_JSON, POLC_MATRIX_CSV };

typedef POLC_VEC(struct polc_party) polc_party_list;
typedef POLC_VEC(struct polc_service_port) polc_service_ports;
typedef POLC_VEC(struct polc_flow) polc_flow_list;

/*
 * Every port that a policy mentions (both ends of ranges, names resolved in the inventory) and
 * every named port of the inventory; tcp/80 when there is none. Sorted, unique.
 */
void polc_matrix_default_ports(struct polc_cmd *cmd, polc_service_ports *out);

/*
 * Reads questions, one JSON object per line: {"src","dst","proto","port"}. Mistakes are reported
 * with their place; 0 or -errno when the file cannot be read (printed).
 */
int polc_matrix_read_queries(struct polc_cmd *cmd, const char *path, polc_flow_list *out);

struct polc_matrix_printer {
	struct polc_cmd *cmd;
	enum polc_matrix_format format;
	FILE *out;
	int party_width; /* of the table's first two columns */
	struct polc_arena scratch;
};
/* Makes the columns of a table wide enough; call for every party before the head. */
void polc_matrix_print_widen(struct polc_matrix_printer *printer, const struct polc_party *party);
void polc_matrix_print_head(struct polc_matrix_printer *printer);
void polc_matrix_print_row(struct polc_matrix_printer *printer, const struct polc_flow *flow,
	const struct polc_flow_answer *answer);
void polc_matrix_print_end(struct polc_matrix_printer *printer);

#endif
