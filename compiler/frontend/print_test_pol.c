/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tests and assertions in the DSL; pol_layout.c gives the lines. */
#include "pol.h"

#include <inttypes.h>
#include <string.h>

static void write_list(struct polc_buf *out, const char *keyword, const polc_ast_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++) {
		polc_buf_puts(out, i == 0 ? keyword : ", ");
		polc_pol_write_word(out, texts->items[i].text);
	}
}

static void write_lists(struct polc_buf *out, const char *keyword, const polc_ast_texts *texts)
{
	write_list(out, keyword, texts);
	polc_buf_puts(out, texts->n ? ";\n" : "");
}

static void write_text(struct polc_buf *out, const char *keyword, const struct polc_ast_text *text)
{
	if (!text->text)
		return;
	polc_buf_puts(out, keyword);
	polc_pol_write_word(out, text->text);
}

static void write_option(
	struct polc_buf *out, const char *keyword, const struct polc_ast_text *text)
{
	write_text(out, keyword, text);
	polc_buf_puts(out, text->text ? ";\n" : "");
}

/* Calls */

static void write_facts(struct polc_buf *out, const polc_ast_facts *facts, const char *between)
{
	for (size_t i = 0; i < facts->n; i++) {
		polc_buf_puts(out, i == 0 ? "" : between);
		polc_pol_write_word(out, facts->items[i].key.text);
		polc_buf_puts(out, " = ");
		polc_pol_write_word(out, facts->items[i].value.text);
	}
}

/* The parentheses make a name of what stands before them. */
static void write_call(struct polc_buf *out, const struct polc_ast_call *call)
{
	const char *blank = strchr(call->hook.text, ' ');

	polc_buf_puts(out, "call ");
	polc_pol_write_word(out, !blank ? call->hook.text
					: polc_arena_strndup(out->arena, call->hook.text,
						  (size_t)(blank - call->hook.text)));
	if (blank) {
		polc_buf_puts(out, " ");
		polc_pol_write_word(out, blank + 1 + strspn(blank + 1, " "));
	}
	polc_buf_puts(out, " (");
	write_facts(out, &call->facts, ", ");
	polc_buf_puts(out, ")");
}

/* Tests */

static const char *verdict_text(enum polc_expected_verdict verdict)
{
	return polc_expected_verdicts[verdict];
}

static void write_connection(struct polc_buf *out, const struct polc_ast_case *one)
{
	static const char *const sides[] = {[POLC_INGRESS] = "ingress", [POLC_EGRESS] = "egress"};
	const char *before = " ";

	write_list(out, "connect ", &one->from);
	write_list(out, " to ", &one->to);
	write_list(out, " on ", &one->ports);
	polc_buf_puts(out, " expect");
	if (one->verdict) {
		polc_buf_printf(out, " %s", verdict_text(one->verdict));
		before = ", ";
	}
	for (unsigned d = 0; d < 2; d++) {
		if (!one->side[d])
			continue;
		polc_buf_printf(out, "%s%s %s", before, sides[d], verdict_text(one->side[d]));
		before = ", ";
	}
	write_text(out, " by ", &one->rule);
}

static void write_result(struct polc_buf *out, const struct polc_ast_case *one)
{
	for (size_t i = 0; i < one->actions.n; i++)
		polc_buf_printf(out, "%s%s", i == 0 ? " " : ", ",
			pol_trace_name_find(pol_trace_action_names, one->actions.items[i].text)
				->word);
	if (one->outcome != POLC_OUTCOME_UNSAID)
		polc_buf_printf(out, " %s", polc_outcome_words[one->outcome]);
	if (one->error.written)
		polc_buf_printf(out, " returning %" PRId64, one->error.value);
	if (one->signal.written)
		polc_buf_printf(out, " sending %" PRId64, one->signal.value);
	write_text(out, " by ", &one->policy);
	write_text(out, " selector ", &one->selector);
}

static void write_case(struct polc_buf *out, const struct polc_ast_case *one)
{
	if (one->is_call) {
		write_call(out, &one->call);
		polc_buf_puts(out, " expect");
		write_result(out, one);
	} else {
		write_connection(out, one);
	}
	write_text(out, " as ", &one->name);
	polc_buf_puts(out, ";\n");
}

static void write_namespace(struct polc_buf *out, const struct polc_namespace *namespace)
{
	if (!namespace->labels.n) /* endpoints name it too */
		return;
	polc_buf_puts(out, "namespace ");
	polc_pol_write_word(out, namespace->name);
	for (size_t i = 0; i < namespace->labels.n; i++) {
		polc_buf_puts(out, i == 0 ? " labels " : ", ");
		polc_pol_write_word(out, namespace->labels.items[i].key);
		polc_buf_puts(out, " = ");
		polc_pol_write_word(out, namespace->labels.items[i].value);
	}
	polc_buf_puts(out, ";\n");
}

static void write_inside(struct polc_buf *out, const struct polc_input *inside)
{
	for (size_t i = 0; i < inside->inventory.namespaces.n; i++)
		write_namespace(out, &inside->inventory.namespaces.items[i]);
	for (size_t i = 0; i < inside->ast.policies.n; i++)
		polc_pol_write_policy(out, inside->ast.policies.items[i]);
	for (size_t i = 0; i < inside->tracings.n; i++)
		polc_tracing_print_pol(inside->tracings.items[i], out);
	for (size_t i = 0; i < inside->inventory.pods.n; i++)
		polc_pol_write_endpoint(out, &inside->inventory.pods.items[i]);
}

void polc_pol_write_test(struct polc_buf *out, const struct polc_ast_test *test)
{
	polc_buf_puts(out, "test ");
	polc_pol_write_word(out, test->name);
	polc_buf_puts(out, " {\n");
	write_lists(out, "use ", &test->policies);
	write_lists(out, "inventory ", &test->inventories);
	write_option(out, "dialect ", &test->dialect);
	write_option(out, "posture ", &test->posture);
	write_option(out, "cluster-name ", &test->cluster_name);
	write_lists(out, "target ", &test->targets);
	write_inside(out, test->inside);
	for (size_t i = 0; i < test->cases.n; i++)
		write_case(out, &test->cases.items[i]);
	polc_buf_puts(out, "}\n");
}

/* Assertions */

static void write_prefix(struct polc_buf *out, const struct polb_prefix *prefix)
{
	char text[POLB_ADDR_TEXT];

	polb_prefix_format(prefix, text);
	polc_buf_puts(out, text);
}

static void write_pods(struct polc_buf *out, const struct polc_ast_peer *peer)
{
	bool some = peer->pod_selector && peer->pod_selector->requirements.n;

	if (peer->namespace_selector) {
		polc_buf_puts(out, "namespaces ");
		polc_pol_write_selector(out, peer->namespace_selector);
		polc_buf_puts(out, peer->pod_selector ? " pods " : "");
	} else if (peer->namespace && !peer->pod_selector) {
		polc_buf_puts(out, "namespace ");
		polc_pol_write_word(out, peer->namespace);
		return;
	} else if (!some) {
		polc_buf_puts(out, "pods ");
	}
	if (peer->pod_selector || !peer->namespace_selector)
		polc_pol_write_selector(out, peer->pod_selector);
	if (peer->namespace) {
		polc_buf_puts(out, " in ");
		polc_pol_write_word(out, peer->namespace);
	}
}

static void write_party(struct polc_buf *out, const struct polc_ast_peer *peer)
{
	if (peer->kind == POLC_PEER_PODS) {
		write_pods(out, peer);
	} else if (peer->kind == POLC_PEER_CIDR) {
		polc_buf_puts(out, "cidr ");
		write_prefix(out, &peer->cidr);
		for (size_t i = 0; i < peer->excepts.n; i++) {
			polc_buf_puts(out, i == 0 ? " without " : ", ");
			write_prefix(out, &peer->excepts.items[i]);
		}
	} else if (!strcmp(peer->name, "all")) {
		polc_buf_puts(out, "any");
	} else {
		polc_buf_puts(out, "entity ");
		polc_pol_write_word(out, peer->name);
	}
}

static void write_parties(
	struct polc_buf *out, const char *keyword, const struct polc_ast_peer *parties, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		polc_buf_puts(out, i == 0 ? keyword : " or ");
		write_party(out, &parties[i]);
	}
}

static void write_ports(
	struct polc_buf *out, const char *keyword, const struct polc_ast_port *ports, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		polc_buf_puts(out, i == 0 ? keyword : ", ");
		polc_pol_write_port(out, &ports[i]);
	}
}

static void write_path(struct polc_buf *out, const struct polc_ast_claim *claim)
{
	bool no = claim->kind == POLC_CLAIM_NO_PATH;

	polc_buf_puts(out, no ? "no path" : "every path");
	write_parties(out, " from ", claim->from.items, claim->from.n);
	write_parties(out, " to ", claim->to.items, claim->to.n);
	write_ports(out, " on ", claim->ports.items, claim->ports.n);
	write_ports(out, " except ", claim->except_ports.items, claim->except_ports.n);
	if (!no)
		polc_buf_puts(out, claim->denied ? " is denied" : " is allowed");
}

static void write_claim(struct polc_buf *out, const struct polc_ast_claim *claim)
{
	switch (claim->kind) {
	case POLC_CLAIM_NO_PATH:
	case POLC_CLAIM_EVERY_PATH:
		write_path(out, claim);
		break;
	case POLC_CLAIM_NO_CALL:
	case POLC_CLAIM_EVERY_CALL:
		polc_buf_puts(out, claim->kind == POLC_CLAIM_NO_CALL ? "no " : "every ");
		write_call(out, &claim->call);
		polc_buf_puts(out, " passes");
		for (size_t i = 0; i < claim->excepts.n; i++) {
			polc_buf_puts(out, i == 0 ? " except " : " or ");
			write_facts(out, &claim->excepts.items[i], " and ");
		}
		break;
	}
	polc_buf_puts(out, ";\n");
}

void polc_pol_write_assertion(struct polc_buf *out, const struct polc_ast_assertion *assertion)
{
	polc_buf_puts(out, "assert ");
	polc_pol_write_word(out, assertion->name);
	polc_buf_puts(out, " {\n");
	for (size_t i = 0; i < assertion->claims.n; i++)
		write_claim(out, &assertion->claims.items[i]);
	polc_buf_puts(out, "}\n");
}
