/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polc graph`: who may talk to whom, drawn; and the same of two sets of policies, for diff. */
#include <string.h>

#include "flow.h"
#include "graph.h"

struct graph {
	struct polc_cmd cmd;
	polc_text_list externals, ports;
	const char *focus, *namespace, *output;
	unsigned group, renderer;
	bool denied;
	struct polc_graph_options options;
};

static const char *const formats[] = {"svg", "dot", "mermaid", NULL};
static const char *const renderers[] = {"own", "dot", NULL};
static const char *const groups[] = {"auto", "pod", "workload", "namespace", NULL};

static const struct polc_option options[] = {
	POLC_CMD_POLICY_OPTIONS,
	{"format", 0, POLC_OPTION_CHOICE, offsetof(struct graph, cmd.format), NULL, formats,
		"what is written"},
	{"renderer", 0, POLC_OPTION_CHOICE, offsetof(struct graph, renderer), NULL, renderers,
		"who draws the SVG: polc, or graphviz's dot"},
	{"output", 'o', POLC_OPTION_TEXT, offsetof(struct graph, output), "FILE", NULL,
		"where it goes (default: standard output)"},
	{"group", 0, POLC_OPTION_CHOICE, offsetof(struct graph, group), NULL, groups,
		"what one node stands for"},
	{"focus", 0, POLC_OPTION_TEXT, offsetof(struct graph, focus), "WHO", NULL,
		"only this party and its neighbours"},
	{"namespace", 'n', POLC_OPTION_TEXT, offsetof(struct graph, namespace), "NS", NULL,
		"only this namespace and its neighbours"},
	{"denied", 0, POLC_OPTION_FLAG, offsetof(struct graph, denied), NULL, NULL,
		"draw what rules deny and what only one side allows"},
	{"external", 0, POLC_OPTION_LIST, offsetof(struct graph, externals), "IP", NULL,
		"an address outside to draw too"},
	{"ports", 'p', POLC_OPTION_LIST, offsetof(struct graph, ports), "LIST", NULL,
		"only these: tcp/80,udp/53,icmp/8,... (default: all)"},
};

static const struct polc_command command = {
	.name = "graph",
	.synopsis = "POLICY... [--inventory FILE]... [--format svg|dot|mermaid] [OPTION]...",
	.summary = "Draws who may talk to whom",
	.options = options,
	.n_options = POLC_ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = SIZE_MAX,
};

/* ---- options ---- */

static int parse_ports(struct graph *graph)
{
	struct polc_arena *arena = &graph->cmd.polc.arena;
	POLC_VEC(struct polc_topology_port) ports = {0};

	for (size_t i = 0; i < graph->ports.n; i++) {
		const char *list = graph->ports.items[i];

		while (*list) {
			size_t len = strcspn(list, ",");
			char *word = polc_arena_strndup(arena, list, len);
			struct polc_service_port port;

			if (!polc_service_port_parse(word, &port))
				return polc_cmd_usage_error(&graph->cmd,
					"--ports: '%s' is not like tcp/80, icmp/8 or ip/47", word);
			*polc_vec_push(arena, &ports) =
				(struct polc_topology_port){port.protocol, port.port};
			list += len + (list[len] == ',');
		}
	}
	graph->options.topology.ports = ports.items;
	graph->options.topology.n_ports = ports.n;
	return POLC_EXIT_OK;
}

static int parse_externals(struct graph *graph)
{
	size_t n = graph->externals.n;
	struct polb_addr *addrs = POLC_NEW_ARRAY(&graph->cmd.polc.arena, n, struct polb_addr);

	for (size_t i = 0; i < n; i++)
		if (polb_addr_parse(graph->externals.items[i], &addrs[i]))
			return polc_cmd_usage_error(&graph->cmd,
				"--external: '%s' is not an address", graph->externals.items[i]);
	graph->options.topology.externals = addrs;
	graph->options.topology.n_externals = n;
	return POLC_EXIT_OK;
}

static int check_options(struct graph *graph)
{
	int exit_code = parse_ports(graph);

	if (exit_code == POLC_EXIT_OK)
		exit_code = parse_externals(graph);
	if (exit_code == POLC_EXIT_OK && graph->renderer && graph->cmd.format != POLC_GRAPH_SVG)
		exit_code = polc_cmd_usage_error(
			&graph->cmd, "--renderer chooses who draws an SVG; leave out --format");
	if (exit_code == POLC_EXIT_OK && !graph->cmd.inventories.n && graph->externals.n)
		exit_code = polc_cmd_usage_error(
			&graph->cmd, "--external needs an --inventory to be drawn with");
	graph->options.format = (enum polc_graph_format)graph->cmd.format;
	graph->options.renderer = (enum polc_graph_renderer)graph->renderer;
	graph->options.topology.group = (enum polc_topology_group)graph->group;
	graph->options.topology.denied = graph->denied;
	graph->options.topology.namespace = graph->namespace;
	return exit_code;
}

/* ---- what is to be drawn ---- */

static bool is_outside_name(const char *who)
{
	static const char *const names[] = {
		"world", "host", "remote-node", "kube-apiserver", "health", "ingress"};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], who))
			return true;
	return false;
}

/* WHO as a pod, the name of an outside node, or an address. */
static int find_focus(struct graph *graph)
{
	struct polc_topology_options *topology = &graph->options.topology;
	struct polc_party party;

	if (!graph->focus)
		return POLC_EXIT_OK;
	if (!graph->cmd.identities->endpoints.n) {
		polc_error(&graph->cmd.polc, (struct polc_span){0}, POLC_CODE_QUESTION,
			"no endpoint to focus on: there is none in the inventory");
		return POLC_EXIT_BAD;
	}
	if (is_outside_name(graph->focus)) {
		topology->focus_name = graph->focus;
		return POLC_EXIT_OK;
	}
	if (!polc_party_find(&graph->cmd, graph->focus, NULL, (struct polc_span){0}, &party))
		return POLC_EXIT_BAD;
	if (party.endpoint)
		topology->focus_pod = party.pod;
	else if (party.n_addrs)
		topology->focus_addr = party.addrs[0];
	return POLC_EXIT_OK;
}

/* Drawn as enforced: without what is in audit mode. */
static struct polc_topology_set set_of(struct polc_cmd *cmd)
{
	return (struct polc_topology_set){
		polc_network_view(&cmd->polc.arena, cmd->network, POLC_VIEW_ENFORCED),
		cmd->identities, &cmd->input.inventory};
}

static int print(
	const struct polc_graph *graph, const struct polc_graph_options *how, struct polc_buf *out)
{
	struct polc_buf dot = {.arena = graph->arena};

	*out = (struct polc_buf){.arena = graph->arena};
	switch (how->format) {
	case POLC_GRAPH_DOT:
		polc_graph_print_dot(graph, out);
		break;
	case POLC_GRAPH_MERMAID:
		polc_graph_print_mermaid(graph, out);
		break;
	case POLC_GRAPH_SVG:
		if (how->renderer == POLC_GRAPH_OWN) {
			polc_graph_print_svg(graph, out);
			break;
		}
		polc_graph_print_dot(graph, &dot);
		if (polc_graph_run_graphviz(graph->arena, &dot, out) < 0)
			return POLC_EXIT_ENVIRONMENT;
	}
	return POLC_EXIT_OK;
}

static void report_nothing(struct polc_cmd *cmd, const struct polc_graph_options *how)
{
	polc_error(&cmd->polc, (struct polc_span){0}, POLC_CODE_QUESTION, "nothing to draw: %s%s%s",
		how->topology.namespace ? "namespace '" : "what --focus names",
		how->topology.namespace ? how->topology.namespace : "",
		how->topology.namespace ? "' has no endpoint" : " is not in the graph");
}

static int draw(struct graph *graph, struct polc_buf *out)
{
	struct polc_cmd *cmd = &graph->cmd;
	const struct polc_topology_set set = set_of(cmd);
	struct polc_graph drawn = {.arena = &cmd->polc.arena, .cmds = {cmd}};

	drawn.topology = polc_topology_build(&cmd->polc.arena, &set, 1, &graph->options.topology);
	if (!drawn.topology) {
		report_nothing(cmd, &graph->options);
		return POLC_EXIT_BAD;
	}
	return print(&drawn, &graph->options, out);
}

int polc_graph_write_diff(
	struct polc_cmd *old, struct polc_cmd *new, const struct polc_graph_options *how, FILE *out)
{
	const struct polc_topology_set sets[] = {set_of(old), set_of(new)};
	struct polc_graph drawn = {.arena = &new->polc.arena, .cmds = {old, new}};
	struct polc_buf text;

	drawn.topology = polc_topology_build(drawn.arena, sets, 2, &how->topology);
	if (!drawn.topology) {
		report_nothing(new, how);
		polc_cmd_print_diagnostics(new);
		return POLC_EXIT_BAD;
	}
	int exit_code = print(&drawn, how, &text);

	if (exit_code == POLC_EXIT_OK && fwrite(text.p, 1, text.n, out) != text.n) {
		polc_environment_error("cannot write the graph");
		return POLC_EXIT_ENVIRONMENT;
	}
	return exit_code;
}

static int write_out(const struct graph *graph, const struct polc_buf *text)
{
	if (graph->output && strcmp(graph->output, "-"))
		return polc_cmd_write_file(graph->output, text->p, text->n) < 0
			       ? POLC_EXIT_ENVIRONMENT
			       : POLC_EXIT_OK;
	fwrite(text->p, 1, text->n, stdout); /* main looks at the stream's state */
	return POLC_EXIT_OK;
}

static int run(struct graph *graph)
{
	struct polc_buf text = {0};
	int exit_code = check_options(graph);

	if (exit_code != POLC_EXIT_OK)
		return exit_code;
	exit_code = polc_cmd_load(&graph->cmd);
	if (exit_code == POLC_EXIT_OK)
		exit_code = find_focus(graph);
	if (exit_code == POLC_EXIT_OK)
		exit_code = draw(graph, &text);
	polc_cmd_print_diagnostics(&graph->cmd);
	return exit_code == POLC_EXIT_OK ? write_out(graph, &text) : exit_code;
}

int polc_cmd_graph(int argc, char **argv)
{
	struct graph graph = {0};
	int exit_code;

	if (polc_cmd_parse(&command, &graph, argc, argv, &exit_code))
		exit_code = run(&graph);
	polc_cmd_free(&graph);
	return exit_code;
}
