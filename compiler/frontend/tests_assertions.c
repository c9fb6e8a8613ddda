/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Invariants in YAML: kind PolicyAssertion. */
#include "tests_read.h"

#include <string.h>

/* Parties */

struct party_fields {
	const struct polc_yaml_entry *pods, *namespaces, *namespace, *cidr, *except, *entity;
};
static const struct polc_field party_fields[] = {
	POLC_FIELD(struct party_fields, pods, "podSelector", POLC_OPTIONAL),
	POLC_FIELD(struct party_fields, namespaces, "namespaceSelector", POLC_OPTIONAL),
	POLC_FIELD(struct party_fields, namespace, "namespace", POLC_OPTIONAL),
	POLC_FIELD(struct party_fields, cidr, "cidr", POLC_OPTIONAL),
	POLC_FIELD(struct party_fields, except, "except", POLC_OPTIONAL),
	POLC_FIELD(struct party_fields, entity, "entity", POLC_OPTIONAL),
};

static void read_pods(struct polc *polc, const struct party_fields *f, struct polc_ast_peer *peer)
{
	struct polc_ast_text text;

	peer->kind = POLC_PEER_PODS;
	if (f->pods)
		peer->pod_selector = polc_parse_selector(
			polc, f->pods->value, POLC_LABELS_OF_KUBERNETES, "podSelector");
	if (f->namespaces)
		peer->namespace_selector = polc_parse_selector(
			polc, f->namespaces->value, POLC_LABELS_OF_KUBERNETES, "namespaceSelector");
	if (f->namespace && polc_test_text(polc, f->namespace->value, "namespace", &text))
		peer->namespace = text.text;
	if (f->namespace && f->namespaces)
		polc_error(polc, f->namespace->key->span, POLC_CODE_BAD_ASSERTION,
			"a party has a namespace or a namespaceSelector");
}

static void read_cidr(struct polc *polc, const struct party_fields *f, struct polc_ast_peer *peer)
{
	peer->kind = POLC_PEER_CIDR;
	if (polc_parse_prefix(polc, f->cidr->value, true, "cidr", &peer->cidr) && f->except)
		polc_parse_excepts(polc, f->except->value, peer);
}

static void read_entity(struct polc *polc, const struct polc_yaml *node, pol_peers *out)
{
	struct pol_parser p = {.polc = polc};
	struct pol_token token = {.span = node->span};
	const struct pol_peer_clause *clause;

	if (!polc_yaml_string(polc, node, "entity", &token.text))
		return;
	token.n = strlen(token.text);
	clause = pol_peers_entity(&p, pol_word_list(&p, NULL, &token), node->span);
	for (size_t i = 0; i < clause->list.n; i++)
		*polc_vec_push(&polc->arena, out) = clause->list.items[i];
}

static void read_party(struct polc *polc, const struct polc_yaml *node, pol_peers *out)
{
	struct polc_ast_peer peer = {.span = polc_first_token(node)};
	struct party_fields f = {0};
	bool pods;

	if (!POLC_FIELDS_READ(polc, node, "a party", party_fields, &f))
		return;
	pods = f.pods || f.namespaces || f.namespace;
	if (pods + (f.cidr != NULL) + (f.entity != NULL) != 1 || (f.except && !f.cidr)) {
		polc_error(polc, peer.span, POLC_CODE_BAD_ASSERTION,
			"a party is pods (podSelector, namespace or namespaceSelector), a cidr, or "
			"an entity");
		return;
	}
	if (f.entity) {
		read_entity(polc, f.entity->value, out);
		return;
	}
	if (f.cidr)
		read_cidr(polc, &f, &peer);
	else
		read_pods(polc, &f, &peer);
	*polc_vec_push(&polc->arena, out) = peer;
}

/* One party, or a list of alternatives. */
static void read_parties(struct polc *polc, const struct polc_yaml_entry *entry, pol_peers *out)
{
	const struct polc_yaml *node = entry->value;

	if (node->kind != POLC_YAML_SEQUENCE) {
		read_party(polc, node, out);
		return;
	}
	for (size_t i = 0; i < node->n_items; i++)
		read_party(polc, node->items[i], out);
	if (!node->n_items)
		polc_error(polc, entry->key->span, POLC_CODE_BAD_ASSERTION, "'%s' names nobody",
			entry->key->value);
}

static void read_ports(struct polc *polc, const struct polc_yaml_entry *entry, pol_ports *out)
{
	polc_ast_texts texts = {0};

	if (!entry)
		return;
	polc_test_texts(polc, entry->value, entry->key->value, &texts);
	for (size_t i = 0; i < texts.n; i++) {
		const struct pol_token token = {.span = texts.items[i].span,
			.text = texts.items[i].text,
			.n = texts.items[i].n};
		struct pol_parser p = {.polc = polc};
		const struct pol_port_clause *clause = pol_port(&p, NULL, &token);

		for (size_t j = 0; j < clause->list.n; j++)
			*polc_vec_push(&polc->arena, out) = clause->list.items[j];
	}
}

/* Claims */

struct path_fields {
	const struct polc_yaml_entry *from, *to, *ports, *except, *is;
};
static const struct polc_field path_fields[] = {
	POLC_FIELD(struct path_fields, from, "from", POLC_REQUIRED),
	POLC_FIELD(struct path_fields, to, "to", POLC_REQUIRED),
	POLC_FIELD(struct path_fields, ports, "ports", POLC_OPTIONAL),
	POLC_FIELD(struct path_fields, except, "exceptPorts", POLC_OPTIONAL),
	POLC_FIELD(struct path_fields, is, "is", POLC_OPTIONAL),
};

static void read_is(struct polc *polc, const struct polc_yaml_entry *is, struct polc_ast_claim *out)
{
	static const char *const words[] = {"allowed", "denied", NULL};
	struct polc_ast_text text;

	if (out->kind == POLC_CLAIM_NO_PATH) {
		polc_error(polc, is->key->span, POLC_CODE_BAD_ASSERTION,
			"'is' belongs to everyPath: noPath says that none is allowed");
		return;
	}
	if (!polc_test_text(polc, is->value, "is", &text))
		return;
	if (polc_word_index(text.text, words, 2) < 0)
		polc_error(polc, text.span, POLC_CODE_BAD_ASSERTION,
			"a path is 'allowed' or 'denied', not '%.40s'", text.text);
	out->denied = !strcmp(text.text, "denied");
}

static void read_path(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_claim *out)
{
	struct path_fields f = {0};
	pol_peers from = {0}, to = {0};
	pol_ports ports = {0}, excepts = {0};

	if (!POLC_FIELDS_READ(polc, node, path, path_fields, &f))
		return;
	if (f.from)
		read_parties(polc, f.from, &from);
	if (f.to)
		read_parties(polc, f.to, &to);
	read_ports(polc, f.ports, &ports);
	read_ports(polc, f.except, &excepts);
	if (f.is)
		read_is(polc, f.is, out);
	else if (out->kind == POLC_CLAIM_EVERY_PATH)
		polc_error(polc, polc_first_token(node), POLC_CODE_MISSING_FIELD,
			"%s.is is missing", path);
	pol_claim_parties(out, &from, &to);
	pol_claim_ports(out, &ports, &excepts);
}

struct call_fields {
	const struct polc_yaml_entry *call, *with, *except;
};
static const struct polc_field call_fields[] = {
	POLC_FIELD(struct call_fields, call, "call", POLC_REQUIRED),
	POLC_FIELD(struct call_fields, with, "with", POLC_OPTIONAL),
	POLC_FIELD(struct call_fields, except, "except", POLC_OPTIONAL),
};

static void read_alternative(
	struct polc *polc, const struct polc_yaml *node, struct polc_ast_claim *out)
{
	polc_ast_facts facts = {0};

	polc_test_facts(polc, node, "except", &facts);
	*polc_vec_push(&polc->arena, &out->excepts) = facts;
}

static void read_call(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_claim *out)
{
	struct call_fields f = {0};

	if (!POLC_FIELDS_READ(polc, node, path, call_fields, &f))
		return;
	if (f.call)
		polc_test_text(polc, f.call->value, "call", &out->call.hook);
	if (f.with)
		polc_test_facts(polc, f.with->value, "with", &out->call.facts);
	if (f.except && f.except->value->kind == POLC_YAML_MAPPING)
		read_alternative(polc, f.except->value, out);
	else if (f.except && polc_field_list(polc, f.except, path, SIZE_MAX, false))
		for (size_t i = 0; i < f.except->value->n_items; i++)
			read_alternative(polc, f.except->value->items[i], out);
}

struct claim_fields {
	const struct polc_yaml_entry *by_kind[4];
};
static const struct polc_field claim_fields[] = {
	POLC_FIELD(struct claim_fields, by_kind[POLC_CLAIM_NO_PATH], "noPath", POLC_OPTIONAL),
	POLC_FIELD(struct claim_fields, by_kind[POLC_CLAIM_EVERY_PATH], "everyPath", POLC_OPTIONAL),
	POLC_FIELD(struct claim_fields, by_kind[POLC_CLAIM_NO_CALL], "noCall", POLC_OPTIONAL),
	POLC_FIELD(struct claim_fields, by_kind[POLC_CLAIM_EVERY_CALL], "everyCall", POLC_OPTIONAL),
};

static void read_claim(struct polc *polc, const struct polc_yaml *node, const char *path,
	struct polc_ast_assertion *assertion)
{
	struct polc_ast_claim claim = {.span = polc_first_token(node)};
	const struct polc_yaml_entry *entry;
	struct claim_fields f = {0};

	if (!POLC_FIELDS_READ(polc, node, path, claim_fields, &f))
		return;
	entry = polc_fields_exactly_one(
		polc, node, path, f.by_kind, 4, "noPath, everyPath, noCall, everyCall");
	if (!entry)
		return;
	for (unsigned i = 0; i < 4; i++)
		if (f.by_kind[i])
			claim.kind = (enum polc_claim_kind)i;
	path = polc_path_field(polc, path, entry->key->value);
	if (claim.kind == POLC_CLAIM_NO_PATH || claim.kind == POLC_CLAIM_EVERY_PATH)
		read_path(polc, entry->value, path, &claim);
	else
		read_call(polc, entry->value, path, &claim);
	*polc_vec_push(&polc->arena, &assertion->claims) = claim;
}

void polc_parse_assertion(
	struct polc *polc, polc_ast_assertions *assertions, const struct polc_yaml *object)
{
	struct polc_ast_assertion *assertion = POLC_NEW(&polc->arena, struct polc_ast_assertion);
	const struct polc_yaml *spec = polc_test_object(
		polc, object, &assertion->span, &assertion->name, &assertion->name_span);
	struct {
		const struct polc_yaml_entry *claims;
	} f = {0};
	const struct polc_field fields[] = {
		{"assert", offsetof(__typeof__(f), claims), POLC_REQUIRED}};

	*polc_vec_push(&polc->arena, assertions) = assertion;
	if (!spec || !POLC_FIELDS_READ(polc, spec, "spec", fields, &f) || !f.claims ||
		!polc_field_list(polc, f.claims, "spec", SIZE_MAX, false))
		return;
	for (size_t i = 0; i < f.claims->value->n_items; i++)
		read_claim(polc, f.claims->value->items[i], polc_path_item(polc, "spec.assert", i),
			assertion);
}
