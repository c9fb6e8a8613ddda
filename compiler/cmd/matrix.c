/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * `polc matrix`: many connections decided, by the reference evaluator or by the compiled programs
 * in this kernel.
 */
#include <errno.h>
#include <string.h>

#include "../backend/run.h"
#include "matrix.h"

struct matrix {
	struct polc_cmd cmd;
	polc_text_list externals, from, to, ports;
	const char *queries;
	unsigned engine;
	polc_flow_list flows;                  /* with --queries */
	polc_party_list sources, destinations; /* without: every pair of these */
	polc_service_ports services;
	struct polc_run *run;
	struct polc_matrix_printer printer;
	struct polc_arena scratch; /* of one question */
};

enum { ENGINE_EVAL, ENGINE_BPF };
static const char *const engines[] = {"eval", "bpf", NULL};
static const char *const formats[] = {"table", "json", "csv", NULL};

static const struct polc_option options[] = {
	POLC_CMD_POLICY_OPTIONS,
	POLC_CMD_MODE_OPTIONS,
	{"external", 0, POLC_OPTION_LIST, offsetof(struct matrix, externals), "IP", NULL,
		"an address outside to ask about too"},
	{"from", 0, POLC_OPTION_LIST, offsetof(struct matrix, from), "WHO", NULL,
		"only these sources (default: all pods and externals)"},
	{"to", 0, POLC_OPTION_LIST, offsetof(struct matrix, to), "WHO", NULL,
		"only these destinations"},
	{"ports", 'p', POLC_OPTION_LIST, offsetof(struct matrix, ports), "LIST", NULL,
		"tcp/80,udp/53,icmp/8,... (default: all ports that are mentioned)"},
	{"queries", 0, POLC_OPTION_TEXT, offsetof(struct matrix, queries), "FILE", NULL,
		"ask exactly these: one JSON object {src,dst,proto,port} per line"},
	{"engine", 0, POLC_OPTION_CHOICE, offsetof(struct matrix, engine), NULL, engines,
		"evaluator, or compiled programs in this kernel"},
	{"format", 0, POLC_OPTION_CHOICE, offsetof(struct matrix, cmd.format), NULL, formats,
		"how answers are printed"},
};

static const struct polc_command command = {
	.name = "matrix",
	.synopsis = "POLICY... --inventory FILE [--external IP]... [--ports LIST] [OPTION]...",
	.summary = "Decides every connection between endpoints",
	.options = options,
	.n_options = POLC_ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = SIZE_MAX,
};

static int parse_ports(struct matrix *matrix)
{
	struct polc_arena *arena = &matrix->cmd.polc.arena;

	for (size_t i = 0; i < matrix->ports.n; i++) {
		const char *list = matrix->ports.items[i];

		while (*list) {
			size_t len = strcspn(list, ",");
			char *word = polc_arena_strndup(arena, list, len);
			struct polc_service_port port;

			if (!polc_service_port_parse(word, &port))
				return polc_cmd_usage_error(&matrix->cmd,
					"--ports: '%s' is not like tcp/80, icmp/8 or ip/47", word);
			*polc_vec_push(arena, &matrix->services) = port;
			list += len + (list[len] == ',');
		}
	}
	return 0;
}

static void add_named(struct matrix *matrix, const polc_text_list *names, polc_party_list *out)
{
	for (size_t i = 0; i < names->n; i++) {
		struct polc_party party;

		if (polc_party_find(
			    &matrix->cmd, names->items[i], NULL, (struct polc_span){0}, &party))
			*polc_vec_push(&matrix->cmd.polc.arena, out) = party;
	}
}

static void add_pods(struct matrix *matrix, polc_party_list *out)
{
	const struct polc_inventory *inventory = &matrix->cmd.input.inventory;

	for (size_t i = 0; i < inventory->pods.n; i++) {
		struct polc_party party;

		if (inventory->pods.items[i].finished)
			continue;
		polc_party_of_pod(&matrix->cmd, &inventory->pods.items[i], &party);
		if (party.n_addrs)
			*polc_vec_push(&matrix->cmd.polc.arena, out) = party;
	}
}

static void list_parties(struct matrix *matrix, const polc_text_list *names, polc_party_list *out)
{
	if (names->n) {
		add_named(matrix, names, out);
		return;
	}
	add_pods(matrix, out);
	add_named(matrix, &matrix->externals, out);
}

/* Fills flows, or sources, destinations and ports; an exit code. */
static int make_questions(struct matrix *matrix)
{
	if (matrix->queries) {
		if (polc_matrix_read_queries(&matrix->cmd, matrix->queries, &matrix->flows) < 0)
			return POLC_EXIT_ENVIRONMENT;
	} else {
		if (!matrix->services.n)
			polc_matrix_default_ports(&matrix->cmd, &matrix->services);
		list_parties(matrix, &matrix->from, &matrix->sources);
		list_parties(matrix, &matrix->to, &matrix->destinations);
	}
	return matrix->cmd.polc.n_errors ? POLC_EXIT_BAD : POLC_EXIT_OK;
}

/* 0 or -errno (printed). */
static int decide(
	struct matrix *matrix, const struct polc_flow *flow, struct polc_flow_answer *answer)
{
	if (matrix->engine == ENGINE_EVAL) {
		polc_flow_evaluate(&matrix->cmd, &matrix->scratch, flow, answer);
		if (matrix->scratch.allocated_bytes > 1 << 20)
			polc_arena_free(&matrix->scratch);
		return 0;
	}
	return polc_flow_run(matrix->run, flow, answer);
}

static int answer_flow(struct matrix *matrix, const struct polc_flow *flow)
{
	struct polc_flow_answer answer = {0};
	int result = decide(matrix, flow, &answer);

	if (!result)
		polc_matrix_print_row(&matrix->printer, flow, &answer);
	return result;
}

/* Pairs that no policy can speak about, and an endpoint with itself, are left out. */
static int answer_pair(
	struct matrix *matrix, const struct polc_party *src, const struct polc_party *dst)
{
	int result = 0;

	if ((!src->endpoint && !dst->endpoint) || (src->endpoint && src->endpoint == dst->endpoint))
		return 0;
	for (size_t i = 0; i < matrix->services.n && !result; i++) {
		struct polc_flow flow;

		if (polc_flow_make(src, dst, matrix->services.items[i], &flow))
			result = answer_flow(matrix, &flow);
	}
	return result;
}

static int answer_all(struct matrix *matrix)
{
	int result = 0;

	for (size_t i = 0; i < matrix->flows.n && !result; i++)
		result = answer_flow(matrix, &matrix->flows.items[i]);
	for (size_t i = 0; i < matrix->sources.n; i++)
		for (size_t j = 0; j < matrix->destinations.n && !result; j++)
			result = answer_pair(
				matrix, &matrix->sources.items[i], &matrix->destinations.items[j]);
	return result;
}

static void start_printing(struct matrix *matrix)
{
	struct polc_matrix_printer *printer = &matrix->printer;

	*printer = (struct polc_matrix_printer){
		.cmd = &matrix->cmd,
		.format = (enum polc_matrix_format)matrix->cmd.format,
		.out = stdout,
	};
	for (size_t i = 0; i < matrix->flows.n; i++) {
		polc_matrix_print_widen(printer, matrix->flows.items[i].src);
		polc_matrix_print_widen(printer, matrix->flows.items[i].dst);
	}
	for (size_t i = 0; i < matrix->sources.n; i++)
		polc_matrix_print_widen(printer, &matrix->sources.items[i]);
	for (size_t i = 0; i < matrix->destinations.n; i++)
		polc_matrix_print_widen(printer, &matrix->destinations.items[i]);
	polc_matrix_print_head(printer);
}

static int print_answers(struct matrix *matrix)
{
	start_printing(matrix);
	int result = answer_all(matrix);

	polc_matrix_print_end(&matrix->printer);
	polc_arena_free(&matrix->scratch);
	if (result == -EILSEQ)
		return POLC_EXIT_BUG;
	return result ? POLC_EXIT_ENVIRONMENT : POLC_EXIT_OK;
}

static int run(struct matrix *matrix)
{
	int exit_code = parse_ports(matrix);

	if (exit_code)
		return exit_code;
	if (matrix->queries &&
		(matrix->from.n || matrix->to.n || matrix->externals.n || matrix->services.n))
		return polc_cmd_usage_error(&matrix->cmd,
			"--queries asks exactly what the file says; leave out other restrictions");
	exit_code = polc_cmd_load(&matrix->cmd);
	if (exit_code == POLC_EXIT_OK)
		exit_code = make_questions(matrix);
	if (exit_code == POLC_EXIT_OK && matrix->engine == ENGINE_BPF)
		exit_code = polc_flow_run_open(&matrix->cmd, &matrix->run);
	polc_cmd_print_diagnostics(&matrix->cmd);
	if (exit_code == POLC_EXIT_OK)
		exit_code = print_answers(matrix);
	polc_run_free(matrix->run);
	return exit_code;
}

int polc_cmd_matrix(int argc, char **argv)
{
	struct matrix matrix = {0};
	int exit_code;

	if (polc_cmd_parse(&command, &matrix, argc, argv, &exit_code))
		exit_code = run(&matrix);
	polc_cmd_free(&matrix);
	return exit_code;
}
