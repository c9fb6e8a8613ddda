/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The picture of two sets of policies, as `polc diff --graph` asks for it, in every format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "compiler/cmd/graph.h"

static const char inventory[] =
	"kind: List\napiVersion: v1\nitems:\n"
	"- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: a, labels: {app: web}}, "
	"status: {podIPs: [{ip: 10.0.0.1}]}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: api, namespace: a, labels: {app: api}}, "
	"status: {podIPs: [{ip: 10.0.0.2}]}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: db, namespace: a, labels: {app: db}}, "
	"status: {podIPs: [{ip: 10.0.0.3}]}}\n";

#define ISOLATE                                                                                    \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: all, namespace: " \
	"a}\n"                                                                                     \
	"spec: {podSelector: {}, policyTypes: [Ingress]}\n"
/* `to` from `from` at a port */
#define ALLOW(to, from, port)                                                                      \
	"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"                             \
	"metadata: {name: " to "-" from ", namespace: a}\n"                                        \
	"spec: {podSelector: {matchLabels: {app: " to "}}, ingress: [{from: [{podSelector: "       \
	"{matchLabels: {app: " from "}}}], ports: [{port: " port "}]}]}\n"

static const char old_policies[] =
	ISOLATE ALLOW("api", "web", "80") ALLOW("db", "web", "5432") ALLOW("web", "db", "1");
static const char new_policies[] =
	ISOLATE ALLOW("api", "web", "8080") ALLOW("db", "api", "5432") ALLOW("web", "db", "1");

static char paths[3][64];

static const char *write_file(unsigned i, const char *text)
{
	strcpy(paths[i], "/tmp/polc-graph-XXXXXX.yaml");
	int fd = mkstemps(paths[i], 5);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return paths[i];
}

static void load(struct polc_cmd *cmd, const char *policies, const char *pods)
{
	memset(cmd, 0, sizeof(*cmd));
	polc_init(&cmd->polc);
	*polc_vec_push(&cmd->polc.arena, &cmd->operands) = policies;
	if (pods)
		*polc_vec_push(&cmd->polc.arena, &cmd->inventories) = pods;
	cmd->no_config = true;
	assert_int_equal(polc_cmd_load(cmd), POLC_EXIT_OK);
}

/* The text of a format; to be freed. */
static char *draw(enum polc_graph_format format, bool with_inventory)
{
	const struct polc_graph_options options = {.format = format};
	struct polc_cmd old, new;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const char *pods = write_file(2, inventory);

	load(&old, write_file(0, old_policies), with_inventory ? pods : NULL);
	load(&new, write_file(1, new_policies), with_inventory ? pods : NULL);
	assert_int_equal(polc_graph_write_diff(&old, &new, &options, out), POLC_EXIT_OK);
	fclose(out);
	polc_cmd_free(&old);
	polc_cmd_free(&new);
	for (unsigned i = 0; i < 3; i++)
		unlink(paths[i]);
	return text;
}

static unsigned count(const char *text, const char *word)
{
	unsigned n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

static void is_drawn_as_svg(void **state)
{
	char *text = draw(POLC_GRAPH_SVG, true);

	(void)state;
	/* each once in the picture and once in the legend */
	assert_int_equal(count(text, "<g class=\"wire added\">"), 2);
	assert_int_equal(count(text, "<g class=\"wire removed\">"), 2);
	assert_int_equal(count(text, "<g class=\"wire changed\">"), 2);
	assert_int_equal(count(text, "<g class=\"wire same\">"), 2);
	assert_int_equal(count(text, "+tcp/8080 \u2212tcp/80<"), 1);
	assert_int_equal(count(text, "What changes"), 2);
	assert_non_null(strstr(text, "new ingress: polc-graph-"));
	free(text);
}

static void is_written_as_dot(void **state)
{
	char *text = draw(POLC_GRAPH_DOT, true);

	(void)state;
	assert_int_equal(count(text, "class=\"added\""), 1);
	assert_int_equal(count(text, "class=\"removed\""), 1);
	assert_int_equal(count(text, "class=\"changed\""), 1);
	assert_int_equal(count(text, "class=\"same\""), 1);
	free(text);
}

static void is_written_as_mermaid(void **state)
{
	char *text = draw(POLC_GRAPH_MERMAID, true);

	(void)state;
	assert_int_equal(count(text, " ==>|"), 2); /* added and changed */
	assert_int_equal(count(text, " -.->|"), 1);
	assert_int_equal(count(text, " -->|"), 1);
	assert_int_equal(count(text, "linkStyle"), 4);
	free(text);
}

static void works_without_inventory(void **state)
{
	char *text = draw(POLC_GRAPH_MERMAID, false);

	(void)state;
	assert_int_equal(count(text, " ==>|"), 2);
	assert_int_equal(count(text, " -.->|"), 1);
	assert_int_equal(count(text, "\"app=db"), 1);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_drawn_as_svg),
		cmocka_unit_test(is_written_as_dot),
		cmocka_unit_test(is_written_as_mermaid),
		cmocka_unit_test(works_without_inventory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
