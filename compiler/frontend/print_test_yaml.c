/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tests and assertions as YAML documents. */
#include "pol.h"
#include "yaml_out.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

static void line_optional(
	struct polc_yaml_out *y, const char *key, const struct polc_ast_text *text)
{
	if (text->text)
		polc_yaml_line_text(y, key, text->text);
}

static void list(struct polc_yaml_out *y, const char *key, const polc_ast_texts *texts)
{
	if (!texts->n)
		return;
	polc_yaml_open_key(y, key);
	for (size_t i = 0; i < texts->n; i++)
		polc_yaml_item_text(y, texts->items[i].text);
	polc_yaml_close_key(y);
}

/* One as a string, several as a list. */
static void one_or_list(struct polc_yaml_out *y, const char *key, const polc_ast_texts *texts)
{
	if (texts->n == 1)
		polc_yaml_line_text(y, key, texts->items[0].text);
	else
		list(y, key, texts);
}

static void facts(struct polc_yaml_out *y, const polc_ast_facts *list_of_facts)
{
	for (size_t i = 0; i < list_of_facts->n; i++)
		polc_yaml_line_text(
			y, list_of_facts->items[i].key.text, list_of_facts->items[i].value.text);
}

static void call(struct polc_yaml_out *y, const struct polc_ast_call *of)
{
	polc_yaml_line_text(y, "call", of->hook.text);
	if (!of->facts.n)
		return;
	polc_yaml_open_key(y, "with");
	facts(y, &of->facts);
	polc_yaml_close_key(y);
}

/* Cases */

static void line_verdict(
	struct polc_yaml_out *y, const char *key, enum polc_expected_verdict verdict)
{
	if (verdict)
		polc_yaml_line_raw(y, key, polc_expected_verdicts[verdict]);
}

static void connection(struct polc_yaml_out *y, const struct polc_ast_case *one)
{
	one_or_list(y, "from", &one->from);
	one_or_list(y, "to", &one->to);
	one_or_list(y, "port", &one->ports);
	line_verdict(y, "expect", one->verdict);
	line_verdict(y, "egress", one->side[POLC_EGRESS]);
	line_verdict(y, "ingress", one->side[POLC_INGRESS]);
	line_optional(y, "rule", &one->rule);
}

static void line_signed(
	struct polc_yaml_out *y, const char *key, const struct polc_ast_number *number)
{
	if (!number->written)
		return;
	polc_yaml_indent(y);
	polc_buf_printf(y->buf, "%s: %" PRId64 "\n", key, number->value);
}

static void result(struct polc_yaml_out *y, const struct polc_ast_case *one)
{
	bool alone = !one->actions_written && !one->error.written && !one->signal.written &&
		     !one->policy.text && !one->selector.text;

	if (alone) {
		polc_yaml_line_raw(y, "expect", polc_outcome_words[one->outcome]);
		return;
	}
	polc_yaml_open_key(y, "expect");
	if (one->outcome != POLC_OUTCOME_UNSAID)
		polc_yaml_line_raw(y, "outcome", polc_outcome_words[one->outcome]);
	if (one->actions_written && !one->actions.n)
		polc_yaml_line_raw(y, "actions", "[]");
	list(y, "actions", &one->actions);
	line_signed(y, "error", &one->error);
	line_signed(y, "signal", &one->signal);
	line_optional(y, "policy", &one->policy);
	line_optional(y, "selector", &one->selector);
	polc_yaml_close_key(y);
}

static void write_case(struct polc_yaml_out *y, const struct polc_ast_case *one)
{
	polc_yaml_open_item(y);
	line_optional(y, "name", &one->name);
	if (one->is_call) {
		call(y, &one->call);
		result(y, one);
	} else {
		connection(y, one);
	}
	polc_yaml_close_item(y);
}

/* What is inside of a test */

/* A whole object as an item: its lines, two levels deeper. */
static void item_object(struct polc_yaml_out *y, const struct polc_buf *object)
{
	polc_yaml_open_item(y);
	for (const char *line = object->p; line && *line;) {
		size_t n = strcspn(line, "\n");

		polc_yaml_indent(y);
		polc_buf_add(y->buf, line, n);
		polc_buf_puts(y->buf, "\n");
		line += n + (line[n] == '\n');
	}
	polc_yaml_close_item(y);
}

static void policies(struct polc_yaml_out *y, const struct polc_ast_test *test)
{
	const struct polc_input *inside = test->inside;

	if (!test->policies.n && !inside->ast.policies.n && !inside->tracings.n)
		return;
	polc_yaml_open_key(y, "policies");
	for (size_t i = 0; i < test->policies.n; i++)
		polc_yaml_item_text(y, test->policies.items[i].text);
	for (size_t i = 0; i < inside->ast.policies.n; i++) {
		struct polc_buf object = {.arena = y->buf->arena};

		polc_yaml_write_policy(&object, inside->ast.policies.items[i]);
		item_object(y, &object);
	}
	for (size_t i = 0; i < inside->tracings.n; i++) {
		struct polc_buf object = {.arena = y->buf->arena};

		polc_tracing_print_yaml(inside->tracings.items[i], &object);
		item_object(y, &object);
	}
	polc_yaml_close_key(y);
}

static void labels(struct polc_yaml_out *y, const struct polb_label *items, size_t n)
{
	if (!n)
		return;
	polc_yaml_open_key(y, "labels");
	for (size_t i = 0; i < n; i++)
		polc_yaml_line_text(y, items[i].key, items[i].value);
	polc_yaml_close_key(y);
}

static void namespaces(struct polc_yaml_out *y, const struct polc_inventory *inventory)
{
	bool open = false;

	for (size_t i = 0; i < inventory->namespaces.n; i++) {
		const struct polc_namespace *namespace = &inventory->namespaces.items[i];

		if (!namespace->labels.n)
			continue;
		if (!open)
			polc_yaml_open_key(y, "namespaces");
		open = true;
		polc_yaml_open_item(y);
		polc_yaml_line_text(y, "name", namespace->name);
		labels(y, namespace->labels.items, namespace->labels.n);
		polc_yaml_close_item(y);
	}
	if (open)
		polc_yaml_close_key(y);
}

static void addresses(struct polc_yaml_out *y, const struct polc_pod *pod)
{
	polc_ast_texts texts = {0};

	for (size_t i = 0; i < pod->addrs.n; i++) {
		char text[POLB_ADDR_TEXT];

		polb_addr_format(&pod->addrs.items[i], text);
		*polc_vec_push(y->buf->arena, &texts) = (struct polc_ast_text){
			.text = polc_arena_printf(y->buf->arena, "%s", text)};
	}
	one_or_list(y, "ip", &texts);
}

static void ports(struct polc_yaml_out *y, const struct polc_pod *pod)
{
	if (!pod->ports.n)
		return;
	polc_yaml_open_key(y, "ports");
	for (size_t i = 0; i < pod->ports.n; i++) {
		const struct polb_named_port *port = &pod->ports.items[i];

		polc_yaml_line_text(y, port->name,
			polc_arena_printf(y->buf->arena, "%s/%u",
				port->protocol == IPPROTO_UDP    ? "udp"
				: port->protocol == IPPROTO_SCTP ? "sctp"
								 : "tcp",
				port->port));
	}
	polc_yaml_close_key(y);
}

static void line_if(struct polc_yaml_out *y, const char *key, const char *value)
{
	if (value)
		polc_yaml_line_text(y, key, value);
}

static void endpoint(struct polc_yaml_out *y, const struct polc_pod *pod)
{
	polc_yaml_open_item(y);
	polc_yaml_line_text(y, "name", pod->name);
	polc_yaml_line_text(y, "namespace", pod->namespace);
	labels(y, pod->labels.items, pod->labels.n);
	addresses(y, pod);
	ports(y, pod);
	line_if(y, "node", pod->node);
	if (strcmp(pod->service_account, "default") != 0)
		polc_yaml_line_text(y, "serviceAccount", pod->service_account);
	if (pod->host_network)
		polc_yaml_line_raw(y, "hostNetwork", "true");
	line_if(y, "cgroup", pod->cgroup);
	line_if(y, "interface", pod->interface);
	polc_yaml_close_item(y);
}

static void options(struct polc_yaml_out *y, const struct polc_ast_test *test)
{
	if (!test->dialect.text && !test->posture.text && !test->cluster_name.text &&
		!test->targets.n)
		return;
	polc_yaml_open_key(y, "options");
	line_optional(y, "dialect", &test->dialect);
	line_optional(y, "posture", &test->posture);
	line_optional(y, "clusterName", &test->cluster_name);
	one_or_list(y, "target", &test->targets);
	polc_yaml_close_key(y);
}

void polc_yaml_write_test(struct polc_buf *out, const struct polc_ast_test *test)
{
	const struct polc_inventory *inventory = &test->inside->inventory;
	struct polc_yaml_out y = {.buf = out};

	polc_yaml_object_head(&y, POLC_TEST_API, POLC_TEST_KIND, test->name, NULL);
	polc_yaml_close_key(&y);
	polc_yaml_open_key(&y, "spec");
	policies(&y, test);
	list(&y, "inventory", &test->inventories);
	options(&y, test);
	namespaces(&y, inventory);
	if (inventory->pods.n)
		polc_yaml_open_key(&y, "endpoints");
	for (size_t i = 0; i < inventory->pods.n; i++)
		endpoint(&y, &inventory->pods.items[i]);
	if (inventory->pods.n)
		polc_yaml_close_key(&y);
	polc_yaml_open_key(&y, "tests");
	for (size_t i = 0; i < test->cases.n; i++)
		write_case(&y, &test->cases.items[i]);
	polc_yaml_close_key(&y);
	polc_yaml_close_key(&y);
}

/* Assertions */

static const char *prefix_text(struct polc_yaml_out *y, const struct polb_prefix *prefix)
{
	char text[POLB_ADDR_TEXT];

	polb_prefix_format(prefix, text);
	return polc_arena_printf(y->buf->arena, "%s", text);
}

static void cidr(struct polc_yaml_out *y, const struct polc_ast_peer *peer)
{
	polc_yaml_line_text(y, "cidr", prefix_text(y, &peer->cidr));
	if (!peer->excepts.n)
		return;
	polc_yaml_open_key(y, "except");
	for (size_t i = 0; i < peer->excepts.n; i++)
		polc_yaml_item_text(y, prefix_text(y, &peer->excepts.items[i]));
	polc_yaml_close_key(y);
}

static void party(struct polc_yaml_out *y, const struct polc_ast_peer *peer)
{
	polc_yaml_open_item(y);
	if (peer->kind == POLC_PEER_CIDR) {
		cidr(y, peer);
	} else if (peer->kind == POLC_PEER_ENTITY) {
		polc_yaml_line_text(y, "entity", peer->name);
	} else {
		line_if(y, "namespace", peer->namespace);
		if (peer->namespace_selector)
			polc_yaml_selector(y, "namespaceSelector", peer->namespace_selector);
		if (peer->pod_selector)
			polc_yaml_selector(y, "podSelector", peer->pod_selector);
		else if (!peer->namespace && !peer->namespace_selector)
			polc_yaml_line_raw(y, "podSelector", "{}");
	}
	polc_yaml_close_item(y);
}

static void claim_ports(
	struct polc_yaml_out *y, const char *key, const struct polc_ast_port *items, size_t n)
{
	if (!n)
		return;
	polc_yaml_open_key(y, key);
	for (size_t i = 0; i < n; i++) {
		struct polc_buf text = {.arena = y->buf->arena};

		polc_pol_write_port(&text, &items[i]);
		polc_yaml_item_text(y, text.p);
	}
	polc_yaml_close_key(y);
}

static void claim_path(struct polc_yaml_out *y, const struct polc_ast_claim *claim)
{
	polc_yaml_open_key(y, "from");
	for (size_t i = 0; i < claim->from.n; i++)
		party(y, &claim->from.items[i]);
	polc_yaml_close_key(y);
	polc_yaml_open_key(y, "to");
	for (size_t i = 0; i < claim->to.n; i++)
		party(y, &claim->to.items[i]);
	polc_yaml_close_key(y);
	claim_ports(y, "ports", claim->ports.items, claim->ports.n);
	claim_ports(y, "exceptPorts", claim->except_ports.items, claim->except_ports.n);
	if (claim->kind == POLC_CLAIM_EVERY_PATH)
		polc_yaml_line_raw(y, "is", claim->denied ? "denied" : "allowed");
}

static void claim_call(struct polc_yaml_out *y, const struct polc_ast_claim *claim)
{
	call(y, &claim->call);
	if (!claim->excepts.n)
		return;
	polc_yaml_open_key(y, "except");
	for (size_t i = 0; i < claim->excepts.n; i++) {
		polc_yaml_open_item(y);
		facts(y, &claim->excepts.items[i]);
		polc_yaml_close_item(y);
	}
	polc_yaml_close_key(y);
}

static void write_claim(struct polc_yaml_out *y, const struct polc_ast_claim *claim)
{
	static const char *const keys[] = {
		[POLC_CLAIM_NO_PATH] = "noPath",
		[POLC_CLAIM_EVERY_PATH] = "everyPath",
		[POLC_CLAIM_NO_CALL] = "noCall",
		[POLC_CLAIM_EVERY_CALL] = "everyCall",
	};

	polc_yaml_open_item(y);
	polc_yaml_open_key(y, keys[claim->kind]);
	if (claim->kind == POLC_CLAIM_NO_PATH || claim->kind == POLC_CLAIM_EVERY_PATH)
		claim_path(y, claim);
	else
		claim_call(y, claim);
	polc_yaml_close_key(y);
	polc_yaml_close_item(y);
}

void polc_yaml_write_assertion(struct polc_buf *out, const struct polc_ast_assertion *assertion)
{
	struct polc_yaml_out y = {.buf = out};

	polc_yaml_object_head(&y, POLC_TEST_API, POLC_ASSERTION_KIND, assertion->name, NULL);
	polc_yaml_close_key(&y);
	polc_yaml_open_key(&y, "spec");
	polc_yaml_open_key(&y, "assert");
	for (size_t i = 0; i < assertion->claims.n; i++)
		write_claim(&y, &assertion->claims.items[i]);
	polc_yaml_close_key(&y);
	polc_yaml_close_key(&y);
}
