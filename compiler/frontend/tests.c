/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Unit tests of policies in YAML: kind PolicyTest. */
#include "tests_read.h"

#include <string.h>

/* Scalars and lists of them */

bool polc_test_text(struct polc *polc, const struct polc_yaml *node, const char *what,
	struct polc_ast_text *out)
{
	const char *value;

	if (!polc_yaml_string(polc, node, what, &value))
		return false;
	if (!*value) {
		polc_error(polc, node->span, POLC_CODE_BAD_TEST, "%s is empty", what);
		return false;
	}
	*out = (struct polc_ast_text){value, strlen(value), node->span};
	return true;
}

void polc_test_texts(
	struct polc *polc, const struct polc_yaml *node, const char *what, polc_ast_texts *out)
{
	struct polc_ast_text text;

	if (node->kind == POLC_YAML_SEQUENCE && !node->n_items)
		polc_error(polc, node->span, POLC_CODE_BAD_TEST, "%s is empty", what);
	for (size_t i = 0; node->kind == POLC_YAML_SEQUENCE && i < node->n_items; i++)
		if (polc_test_text(polc, node->items[i], what, &text))
			*polc_vec_push(&polc->arena, out) = text;
	if (node->kind != POLC_YAML_SEQUENCE && polc_test_text(polc, node, what, &text))
		*polc_vec_push(&polc->arena, out) = text;
}

/* Numbers too, as they are written. */
static bool scalar_text(struct polc *polc, const struct polc_yaml *node, const char *what,
	struct polc_ast_text *out)
{
	if (!polc_yaml_expect(polc, node, POLC_YAML_SCALAR, what))
		return false;
	if (polc_yaml_is_null(node) || !node->length) {
		polc_error(polc, node->span, POLC_CODE_BAD_TEST, "%s is empty", what);
		return false;
	}
	*out = (struct polc_ast_text){node->value, strlen(node->value), node->span};
	return true;
}

static void optional_text(struct polc *polc, const struct polc_yaml_entry *entry, const char *what,
	struct polc_ast_text *out)
{
	if (entry)
		scalar_text(polc, entry->value, what, out);
}

/* Calls */

/* A list is its items with commas between them. */
static bool fact_value(struct polc *polc, const struct polc_yaml *node, const char *what,
	struct polc_ast_text *out)
{
	struct polc_buf joined = {.arena = &polc->arena};
	struct polc_ast_text item;

	if (node->kind != POLC_YAML_SEQUENCE)
		return scalar_text(polc, node, what, out);
	polc_buf_puts(&joined, "");
	for (size_t i = 0; i < node->n_items; i++)
		if (scalar_text(polc, node->items[i], what, &item))
			polc_buf_printf(&joined, "%s%s", i ? "," : "", item.text);
	*out = (struct polc_ast_text){joined.p, joined.n, node->span};
	return true;
}

void polc_test_facts(
	struct polc *polc, const struct polc_yaml *node, const char *what, polc_ast_facts *out)
{
	if (!polc_yaml_expect(polc, node, POLC_YAML_MAPPING, what))
		return;
	for (size_t i = 0; i < node->n_entries; i++) {
		const struct polc_yaml_entry *entry = &node->entries[i];
		const char *path = polc_path_field(polc, what, entry->key->value);
		struct polc_ast_fact fact = {
			.key = {entry->key->value, entry->key->length, entry->key->span}};

		if (fact_value(polc, entry->value, path, &fact.value))
			*polc_vec_push(&polc->arena, out) = fact;
	}
}

/* Cases */

struct case_fields {
	const struct polc_yaml_entry *name, *from, *to, *port, *egress, *ingress, *rule;
	const struct polc_yaml_entry *call, *with, *expect;
};
static const struct polc_field case_fields[] = {
	POLC_FIELD(struct case_fields, name, "name", POLC_OPTIONAL),
	POLC_FIELD(struct case_fields, from, "from", POLC_OPTIONAL),
	POLC_FIELD(struct case_fields, to, "to", POLC_OPTIONAL),
	POLC_FIELD(struct case_fields, port, "port", POLC_OPTIONAL),
	POLC_FIELD(struct case_fields, egress, "egress", POLC_OPTIONAL),
	POLC_FIELD(struct case_fields, ingress, "ingress", POLC_OPTIONAL),
	POLC_FIELD(struct case_fields, rule, "rule", POLC_OPTIONAL),
	POLC_FIELD(struct case_fields, call, "call", POLC_OPTIONAL),
	POLC_FIELD(struct case_fields, with, "with", POLC_OPTIONAL),
	POLC_FIELD(struct case_fields, expect, "expect", POLC_OPTIONAL),
};

static void read_verdict(struct polc *polc, const struct polc_yaml_entry *entry, const char *what,
	enum polc_expected_verdict *out)
{
	static const char *const words[] = {"allow", "deny", "audit", NULL};
	struct polc_ast_text text;

	if (!entry || !polc_test_text(polc, entry->value, what, &text) ||
		!polc_test_check_word(polc, &text, what, words))
		return;
	*out = polc_expected_verdict_of(text.text);
}

static void read_connection(
	struct polc *polc, const struct case_fields *f, struct polc_ast_case *out)
{
	if (f->from)
		polc_test_texts(polc, f->from->value, "from", &out->from);
	if (f->to)
		polc_test_texts(polc, f->to->value, "to", &out->to);
	if (f->port)
		polc_test_texts(polc, f->port->value, "port", &out->ports);
	read_verdict(polc, f->expect, "expect", &out->verdict);
	read_verdict(polc, f->egress, "egress", &out->side[POLC_EGRESS]);
	read_verdict(polc, f->ingress, "ingress", &out->side[POLC_INGRESS]);
	optional_text(polc, f->rule, "rule", &out->rule);
}

struct outcome_fields {
	const struct polc_yaml_entry *actions, *error, *signal, *policy, *selector, *outcome;
};
static const struct polc_field outcome_fields[] = {
	POLC_FIELD(struct outcome_fields, actions, "actions", POLC_OPTIONAL),
	POLC_FIELD(struct outcome_fields, error, "error", POLC_OPTIONAL),
	POLC_FIELD(struct outcome_fields, signal, "signal", POLC_OPTIONAL),
	POLC_FIELD(struct outcome_fields, policy, "policy", POLC_OPTIONAL),
	POLC_FIELD(struct outcome_fields, selector, "selector", POLC_OPTIONAL),
	POLC_FIELD(struct outcome_fields, outcome, "outcome", POLC_OPTIONAL),
};

static void read_outcome_word(
	struct polc *polc, const struct polc_yaml *node, struct polc_ast_case *out)
{
	struct polc_ast_text text;

	if (!polc_test_text(polc, node, "expect", &text) ||
		!polc_test_check_word(polc, &text, "expect", polc_outcome_words))
		return;
	for (unsigned i = 0; i < POLC_N_OUTCOMES; i++)
		if (!strcmp(polc_outcome_words[i], text.text))
			out->outcome = (enum polc_expected_outcome)i;
}

static void read_number(struct polc *polc, const struct polc_yaml_entry *entry, int64_t min,
	int64_t max, struct polc_ast_number *out)
{
	if (!entry || !polc_yaml_integer(polc, entry->value, entry->key->value, &out->value))
		return;
	out->written = true;
	out->span = entry->value->span;
	if (out->value < min || out->value > max)
		polc_error(polc, out->span, POLC_CODE_BAD_TEST, "%s %s is not in %lld..%lld",
			entry->key->value, entry->value->value, (long long)min, (long long)max);
}

static void read_actions(struct polc *polc, const struct polc_yaml *node, struct polc_ast_case *out)
{
	out->actions_written = true;
	if (node->kind == POLC_YAML_SEQUENCE && !node->n_items)
		return; /* none of them */
	polc_test_texts(polc, node, "actions", &out->actions);
	for (size_t i = 0; i < out->actions.n; i++)
		polc_test_check_action(polc, &out->actions.items[i]);
}

static void read_outcome(struct polc *polc, const struct polc_yaml *node, struct polc_ast_case *out)
{
	struct outcome_fields f = {0};

	if (node->kind != POLC_YAML_MAPPING) {
		read_outcome_word(polc, node, out);
		return;
	}
	POLC_FIELDS_READ(polc, node, "expect", outcome_fields, &f);
	if (f.actions)
		read_actions(polc, f.actions->value, out);
	if (f.outcome)
		read_outcome_word(polc, f.outcome->value, out);
	read_number(polc, f.error, -4095, 0, &out->error);
	read_number(polc, f.signal, 0, 64, &out->signal);
	optional_text(polc, f.policy, "policy", &out->policy);
	optional_text(polc, f.selector, "selector", &out->selector);
}

static void read_call(struct polc *polc, const struct case_fields *f, struct polc_ast_case *out)
{
	const struct polc_yaml_entry *const foreign[] = {
		f->from, f->to, f->port, f->egress, f->ingress, f->rule};

	out->is_call = true;
	polc_test_text(polc, f->call->value, "call", &out->call.hook);
	if (f->with)
		polc_test_facts(polc, f->with->value, "with", &out->call.facts);
	if (f->expect)
		read_outcome(polc, f->expect->value, out);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(foreign); i++)
		if (foreign[i])
			polc_error(polc, foreign[i]->key->span, POLC_CODE_BAD_TEST,
				"'%s' is about connections, and this is a call",
				foreign[i]->key->value);
}

static void read_case(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_test *test)
{
	struct polc_ast_case one = {.span = polc_first_token(node)};
	struct case_fields f = {0};
	unsigned errors = polc->n_errors;

	if (!POLC_FIELDS_READ(polc, node, path, case_fields, &f))
		return;
	optional_text(polc, f.name, "name", &one.name);
	if (f.call) {
		read_call(polc, &f, &one);
	} else {
		if (f.with)
			polc_error(polc, f.with->key->span, POLC_CODE_BAD_TEST,
				"'with' describes a call, and this is a connection");
		read_connection(polc, &f, &one);
	}
	if (polc->n_errors == errors)
		polc_test_check_case(polc, &one);
	*polc_vec_push(&polc->arena, &test->cases) = one;
}

/* Connections in short lines: "FROM -> TO PORT: allow by RULE" */

struct line {
	struct polc *polc;
	const char *text, *at;
	struct polc_span span;
	bool exact; /* the text stands in the file byte by byte, from span.begin on */
};

static struct polc_span part_span(const struct line *line, const char *begin, size_t n)
{
	struct polc_span span = line->span;

	if (!line->exact)
		return span;
	span.begin += (uint32_t)(begin - line->text);
	span.end = span.begin + (uint32_t)n;
	return span;
}

/* The next word, without the comma behind it; *more: there was one. False at the end. */
static bool next_word(struct line *line, struct polc_ast_text *out, bool *more)
{
	const char *begin = line->at + strspn(line->at, " \t");
	size_t n = strcspn(begin, " \t");

	line->at = begin + n;
	*more = n && begin[n - 1] == ',';
	n -= *more;
	if (!n)
		return false;
	*out = (struct polc_ast_text){
		polc_arena_strndup(&line->polc->arena, begin, n), n, part_span(line, begin, n)};
	return true;
}

static bool next_list(struct line *line, polc_ast_texts *out)
{
	struct polc_ast_text word;
	bool more = true;

	while (more) {
		if (!next_word(line, &word, &more))
			return false;
		*polc_vec_push(&line->polc->arena, out) = word;
	}
	return true;
}

static bool at_end(const struct line *line)
{
	return !line->at[strspn(line->at, " \t")];
}

static bool read_question(struct line *line, struct polc_ast_case *out)
{
	struct polc_ast_text arrow;
	bool more;

	return next_list(line, &out->from) && next_word(line, &arrow, &more) && !more &&
	       !strcmp(arrow.text, "->") && next_list(line, &out->to) &&
	       next_list(line, &out->ports) && at_end(line);
}

static bool read_answer(struct line *line, struct polc_ast_case *out)
{
	static const char *const words[] = {"allow", "deny", "audit", NULL};
	struct polc_ast_text word;
	bool more;

	if (!next_word(line, &word, &more) || more ||
		!polc_test_check_word(line->polc, &word, "the verdict", words))
		return false;
	out->verdict = polc_expected_verdict_of(word.text);
	if (at_end(line))
		return true;
	return next_word(line, &word, &more) && !more && !strcmp(word.text, "by") &&
	       next_word(line, &out->rule, &more) && !more && at_end(line);
}

static struct line line_of(struct polc *polc, const struct polc_yaml *scalar, size_t at, size_t n)
{
	size_t width = scalar->span.end - scalar->span.begin;
	bool quoted = width == scalar->length + 2;
	struct line line = {.polc = polc, .span = scalar->span};

	line.exact = quoted || width == scalar->length;
	line.span.begin += line.exact ? (uint32_t)(quoted + at) : 0;
	line.text = line.at = polc_arena_strndup(&polc->arena, scalar->value + at, n);
	return line;
}

/* Without quotes the line is a mapping of one entry to YAML. */
static void read_line(struct polc *polc, const struct polc_yaml *node, struct polc_ast_test *test)
{
	bool mapping = node->kind == POLC_YAML_MAPPING && node->n_entries == 1 &&
		       node->entries[0].value->kind == POLC_YAML_SCALAR;
	const struct polc_yaml *question = mapping ? node->entries[0].key : node;
	const struct polc_yaml *answer = mapping ? node->entries[0].value : node;
	struct polc_ast_case one = {.span = question->span};
	unsigned errors = polc->n_errors;
	struct line asked, answered;
	size_t cut;

	if (!mapping && !polc_yaml_expect(polc, node, POLC_YAML_SCALAR, "a connection"))
		return;
	cut = question->length;
	for (size_t i = 0; !mapping && i + 1 < question->length; i++)
		if (question->value[i] == ':' && strchr(" \t", question->value[i + 1]))
			cut = i;
	asked = line_of(polc, question, 0, cut);
	answered = mapping ? line_of(polc, answer, 0, answer->length)
			   : line_of(polc, answer, cut + (cut < answer->length),
				     answer->length - cut - (cut < answer->length));
	if (read_question(&asked, &one) && read_answer(&answered, &one))
		*polc_vec_push(&polc->arena, &test->cases) = one;
	else if (polc->n_errors == errors)
		polc_error(polc, node->kind == POLC_YAML_SCALAR ? node->span : question->span,
			POLC_CODE_BAD_TEST,
			"a connection is written 'FROM -> TO PORT: allow', 'deny' or 'deny by "
			"RULE'");
}

/* What the test brings with it */

struct endpoint_fields {
	const struct polc_yaml_entry *name, *namespace, *labels, *namespace_labels, *ip, *ports,
		*node;
	const struct polc_yaml_entry *service_account, *host_network, *cgroup, *interface;
};
static const struct polc_field endpoint_fields[] = {
	POLC_FIELD(struct endpoint_fields, name, "name", POLC_REQUIRED),
	POLC_FIELD(struct endpoint_fields, namespace, "namespace", POLC_OPTIONAL),
	POLC_FIELD(struct endpoint_fields, labels, "labels", POLC_OPTIONAL),
	POLC_FIELD(struct endpoint_fields, namespace_labels, "namespaceLabels", POLC_OPTIONAL),
	POLC_FIELD(struct endpoint_fields, ip, "ip", POLC_OPTIONAL),
	POLC_FIELD(struct endpoint_fields, ports, "ports", POLC_OPTIONAL),
	POLC_FIELD(struct endpoint_fields, node, "node", POLC_OPTIONAL),
	POLC_FIELD(struct endpoint_fields, service_account, "serviceAccount", POLC_OPTIONAL),
	POLC_FIELD(struct endpoint_fields, host_network, "hostNetwork", POLC_OPTIONAL),
	POLC_FIELD(struct endpoint_fields, cgroup, "cgroup", POLC_OPTIONAL),
	POLC_FIELD(struct endpoint_fields, interface, "interface", POLC_OPTIONAL),
};

typedef POLC_VEC(struct polb_label) label_list;

/* Adds labels of source k8s; one that is there with another value is reported. */
static void read_labels(struct polc *polc, const struct polc_yaml_entry *entry, label_list *list)
{
	const char *what = entry->key->value, *value;

	if (!polc_yaml_expect(polc, entry->value, POLC_YAML_MAPPING, what))
		return;
	for (size_t i = 0; i < entry->value->n_entries; i++) {
		const struct polc_yaml_entry *pair = &entry->value->entries[i];
		size_t j = 0;

		if (!polc_yaml_string(polc, pair->value, what, &value))
			continue;
		if (!polc_is_label_key(pair->key->value) || !polc_is_label_value(value))
			polc_error(polc, pair->key->span, POLC_CODE_BAD_SELECTOR,
				"'%.80s: %.80s' is not a valid label", pair->key->value, value);
		while (j < list->n && strcmp(list->items[j].key, pair->key->value))
			j++;
		if (j < list->n && strcmp(list->items[j].value, value))
			polc_error(polc, pair->key->span, POLC_CODE_BAD_TEST,
				"label '%s' already has the value '%s'", pair->key->value,
				list->items[j].value);
		if (j == list->n)
			*polc_vec_push(&polc->arena, list) =
				(struct polb_label){"k8s", pair->key->value, value};
	}
}

static void read_addresses(struct polc *polc, const struct polc_yaml *node, struct polc_pod *pod)
{
	polc_ast_texts texts = {0};

	polc_test_texts(polc, node, "ip", &texts);
	for (size_t i = 0; i < texts.n; i++) {
		struct polb_addr addr;

		if (!polb_addr_parse(texts.items[i].text, &addr) && !polb_addr_is_v4_mapped(&addr))
			*polc_vec_push(&polc->arena, &pod->addrs) = addr;
		else
			polc_error(polc, texts.items[i].span, POLC_CODE_INVENTORY_ADDRESS,
				"'%.80s' is no address", texts.items[i].text);
	}
}

/* {http: tcp/8080} */
static void read_ports(struct polc *polc, const struct polc_yaml *node, struct polc_pod *pod)
{
	if (!polc_yaml_expect(polc, node, POLC_YAML_MAPPING, "ports"))
		return;
	for (size_t i = 0; i < node->n_entries; i++) {
		const struct polc_yaml *key = node->entries[i].key;
		struct pol_token name = {.span = key->span, .text = key->value, .n = key->length};
		struct pol_token port = {.span = node->entries[i].value->span};
		struct pol_parser p = {.polc = polc, .pod = pod};

		if (!polc_yaml_string(polc, node->entries[i].value, "a port", &port.text))
			continue;
		port.n = strlen(port.text);
		pol_endpoint_port(&p, &name, &port);
	}
}

static struct polc_namespace *namespace_of(
	struct polc *polc, struct polc_ast_test *test, const char *name, struct polc_span span)
{
	struct polc_inventory *inventory = &test->inside->inventory;
	struct polc_namespace *namespace;

	for (size_t i = 0; i < inventory->namespaces.n; i++)
		if (!strcmp(inventory->namespaces.items[i].name, name))
			return &inventory->namespaces.items[i];
	namespace = polc_vec_push(&polc->arena, &inventory->namespaces);
	*namespace = (struct polc_namespace){.name = name, .span = span};
	return namespace;
}

static void read_namespace_labels(
	struct polc *polc, const struct polc_yaml_entry *entry, struct polc_namespace *namespace)
{
	label_list labels = {namespace->labels.items, namespace->labels.n, namespace->labels.cap};

	read_labels(polc, entry, &labels);
	namespace->labels.items = labels.items;
	namespace->labels.n = labels.n;
	namespace->labels.cap = labels.cap;
}

static void check_pod_name(
	struct polc *polc, const struct polc_yaml_entry *entry, const char *name, const char *what)
{
	if (entry && !polc_is_dns_subdomain(name, strlen(name)))
		polc_error(polc, entry->value->span, POLC_CODE_BAD_NAME, "'%.80s' is no %s", name,
			what);
}

static void read_endpoint(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_test *test)
{
	struct polc_pod pod = {.name = "",
		.namespace = "default",
		.service_account = "default",
		.span = polc_first_token(node)};
	struct endpoint_fields f = {0};
	label_list labels = {0};

	if (!POLC_FIELDS_READ(polc, node, path, endpoint_fields, &f))
		return;
	if (f.name && polc_field_string(polc, f.name, path, &pod.name))
		check_pod_name(polc, f.name, pod.name, "name");
	if (f.namespace && polc_field_string(polc, f.namespace, path, &pod.namespace))
		check_pod_name(polc, f.namespace, pod.namespace, "namespace");
	if (f.labels)
		read_labels(polc, f.labels, &labels);
	pod.labels.items = labels.items;
	pod.labels.n = labels.n;
	pod.labels.cap = labels.cap;
	if (f.namespace_labels)
		read_namespace_labels(polc, f.namespace_labels,
			namespace_of(polc, test, pod.namespace, pod.span));
	if (f.ip)
		read_addresses(polc, f.ip->value, &pod);
	if (f.ports)
		read_ports(polc, f.ports->value, &pod);
	if (f.node)
		polc_field_string(polc, f.node, path, &pod.node);
	if (f.service_account)
		polc_field_string(polc, f.service_account, path, &pod.service_account);
	if (f.cgroup)
		polc_field_string(polc, f.cgroup, path, &pod.cgroup);
	if (f.interface)
		polc_field_string(polc, f.interface, path, &pod.interface);
	if (f.host_network)
		polc_yaml_bool(polc, f.host_network->value, "hostNetwork", &pod.host_network);
	*polc_vec_push(&polc->arena, &test->inside->inventory.pods) = pod;
}

static void read_namespace(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_test *test)
{
	struct {
		const struct polc_yaml_entry *name, *labels;
	} f = {0};
	const struct polc_field fields[] = {
		{"name", offsetof(__typeof__(f), name), POLC_REQUIRED},
		{"labels", offsetof(__typeof__(f), labels), POLC_OPTIONAL},
	};
	struct polc_namespace *namespace;
	const char *name;

	if (!POLC_FIELDS_READ(polc, node, path, fields, &f) || !f.name ||
		!polc_field_string(polc, f.name, path, &name))
		return;
	check_pod_name(polc, f.name, name, "namespace");
	namespace = namespace_of(polc, test, name, polc_first_token(node));
	if (f.labels)
		read_namespace_labels(polc, f.labels, namespace);
}

static void read_policy(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_test *test)
{
	struct polc_input *inside = test->inside;
	size_t before = inside->ast.policies.n + inside->tracings.n;
	unsigned errors = polc->n_errors;
	struct polc_ast_text text;

	if (node->kind != POLC_YAML_MAPPING) {
		if (polc_test_text(polc, node, path, &text))
			*polc_vec_push(&polc->arena, &test->policies) = text;
		return;
	}
	polc_read_object(polc, inside, node);
	if (polc->n_errors == errors && inside->ast.policies.n + inside->tracings.n == before)
		polc_error(polc, polc_first_token(node), POLC_CODE_BAD_TEST,
			"%s is neither a path nor a policy", path);
}

/* The object */

struct option_fields {
	const struct polc_yaml_entry *dialect, *posture, *cluster_name, *target;
};
static const struct polc_field option_fields[] = {
	POLC_FIELD(struct option_fields, dialect, "dialect", POLC_OPTIONAL),
	POLC_FIELD(struct option_fields, posture, "posture", POLC_OPTIONAL),
	POLC_FIELD(struct option_fields, cluster_name, "clusterName", POLC_OPTIONAL),
	POLC_FIELD(struct option_fields, target, "target", POLC_OPTIONAL),
};

static void read_options(
	struct polc *polc, const struct polc_yaml *node, struct polc_ast_test *test)
{
	struct option_fields f = {0};

	if (!POLC_FIELDS_READ(polc, node, "spec.options", option_fields, &f))
		return;
	optional_text(polc, f.dialect, "dialect", &test->dialect);
	optional_text(polc, f.posture, "posture", &test->posture);
	optional_text(polc, f.cluster_name, "clusterName", &test->cluster_name);
	if (f.target)
		polc_test_texts(polc, f.target->value, "target", &test->targets);
}

struct spec_fields {
	const struct polc_yaml_entry *policies, *inventory, *endpoints, *namespaces, *options,
		*tests;
	const struct polc_yaml_entry *connections;
};
static const struct polc_field spec_fields[] = {
	POLC_FIELD(struct spec_fields, policies, "policies", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, inventory, "inventory", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, endpoints, "endpoints", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, namespaces, "namespaces", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, options, "options", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, tests, "tests", POLC_OPTIONAL),
	POLC_FIELD(struct spec_fields, connections, "connections", POLC_OPTIONAL),
};

typedef void item_reader(
	struct polc *, const struct polc_yaml *, const char *, struct polc_ast_test *);

static void read_line_item(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_test *test)
{
	(void)path;
	read_line(polc, node, test);
}

static void read_list(struct polc *polc, const struct polc_yaml_entry *entry, item_reader *reader,
	struct polc_ast_test *test)
{
	const char *path = polc_path_field(polc, "spec", entry ? entry->key->value : "");

	if (!entry || !polc_yaml_expect(polc, entry->value, POLC_YAML_SEQUENCE, path))
		return;
	for (size_t i = 0; i < entry->value->n_items; i++)
		reader(polc, entry->value->items[i], polc_path_item(polc, path, i), test);
}

static void read_spec(struct polc *polc, const struct polc_yaml *spec, struct polc_ast_test *test)
{
	struct spec_fields f = {0};
	unsigned errors = polc->n_errors;

	if (!POLC_FIELDS_READ(polc, spec, "spec", spec_fields, &f))
		return;
	if (f.policies && f.policies->value->kind != POLC_YAML_SEQUENCE)
		read_policy(polc, f.policies->value, "spec.policies", test);
	else
		read_list(polc, f.policies, read_policy, test);
	if (f.inventory)
		polc_test_texts(polc, f.inventory->value, "spec.inventory", &test->inventories);
	read_list(polc, f.namespaces, read_namespace, test);
	read_list(polc, f.endpoints, read_endpoint, test);
	if (f.options)
		read_options(polc, f.options->value, test);
	read_list(polc, f.tests, read_case, test);
	read_list(polc, f.connections, read_line_item, test);
	if (!test->cases.n && polc->n_errors == errors)
		polc_error(
			polc, test->span, POLC_CODE_BAD_TEST, "test '%s' asks nothing", test->name);
}

const struct polc_yaml *polc_test_object(struct polc *polc, const struct polc_yaml *object,
	struct polc_span *span, const char **name, struct polc_span *name_span)
{
	static const char *const fields[] = {"apiVersion", "kind", "metadata", "spec"};
	static const char *const described[] = {"name", "labels", "annotations"};
	const char *kind = polc_yaml_get(object, "kind")->value, *api;
	const struct polc_yaml *version = polc_yaml_get(object, "apiVersion");
	const struct polc_yaml *metadata = polc_yaml_get(object, "metadata");
	const struct polc_yaml *node, *spec = polc_yaml_get(object, "spec");

	*span = *name_span = polc_first_token(object);
	*name = "";
	polc_yaml_check_fields(polc, object, fields, POLC_ARRAY_SIZE(fields), kind, POLC_ERROR);
	if (polc_yaml_is_null(version))
		polc_error(polc, *span, POLC_CODE_MISSING_FIELD, "apiVersion is missing");
	else if (polc_yaml_string(polc, version, "apiVersion", &api) && strcmp(api, POLC_TEST_API))
		polc_error(polc, version->span, POLC_CODE_UNKNOWN_KIND,
			"a %s of apiVersion %s is not known, expected " POLC_TEST_API, kind, api);
	if (!polc_yaml_is_null(metadata) &&
		polc_yaml_expect(polc, metadata, POLC_YAML_MAPPING, "metadata"))
		polc_yaml_check_fields(polc, metadata, described, POLC_ARRAY_SIZE(described),
			"metadata", POLC_ERROR);
	node = polc_yaml_is_null(metadata) ? NULL : polc_yaml_get(metadata, "name");
	if (polc_yaml_is_null(node)) {
		polc_error(polc, *span, POLC_CODE_MISSING_FIELD, "metadata.name is missing");
	} else if (polc_yaml_string(polc, node, "metadata.name", name)) {
		*name_span = node->span;
		if (!polc_is_dns_subdomain(*name, strlen(*name)))
			polc_error(polc, node->span, POLC_CODE_BAD_NAME,
				"\"%s\" is not a valid name: lower-case letters, digits, '-' and "
				"'.', at most 253",
				*name);
	}
	if (!polc_yaml_is_null(spec))
		return spec;
	polc_error(polc, *span, POLC_CODE_MISSING_FIELD, "spec is missing");
	return NULL;
}

void polc_parse_test(struct polc *polc, polc_ast_tests *tests, const struct polc_yaml *object)
{
	struct polc_ast_test *test = POLC_NEW(&polc->arena, struct polc_ast_test);
	const struct polc_yaml *spec =
		polc_test_object(polc, object, &test->span, &test->name, &test->name_span);

	test->inside = POLC_NEW(&polc->arena, struct polc_input);
	if (spec)
		read_spec(polc, spec, test);
	*polc_vec_push(&polc->arena, tests) = test;
}
