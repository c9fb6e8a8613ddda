/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From the documents of one file to the syntax tree and the inventory: Lists are taken apart, each
 * object goes to the front end of its kind. Finding and reading files is in files.c.
 */
#include "fields.h"
#include "files.h"
#include "git.h"
#include "reader.h"

#include <stdlib.h>
#include <string.h>

typedef POLC_VEC(const struct polc_yaml *) object_list;

struct reading {
	struct polc *polc;
	struct polc_input *input;
	bool policies; /* else only the inventory is wanted */
	size_t n_inventory_objects;
};

static const char *const tracing_kinds[] = {"TracingPolicy", "TracingPolicyNamespaced"};
static const char *const test_kinds[] = {POLC_TEST_KIND, POLC_ASSERTION_KIND};

static bool policy_kind(const char *name, enum polc_policy_kind *out)
{
	static const enum polc_policy_kind kinds[] = {
#define X(name, kind, api, namespaced) POLC_KIND_##name,
		POLC_POLICY_KINDS(X)
#undef X
	};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(kinds); i++) {
		if (!strcmp(name, polc_policy_kind_name(kinds[i]))) {
			*out = kinds[i];
			return true;
		}
	}
	return false;
}

static bool is_tracing_kind(const char *name)
{
	return polc_word_index(name, tracing_kinds, POLC_ARRAY_SIZE(tracing_kinds)) >= 0;
}

static bool is_test_kind(const char *name)
{
	return polc_word_index(name, test_kinds, POLC_ARRAY_SIZE(test_kinds)) >= 0;
}

/* The kind of an object, or NULL when it has none. */
static const char *kind_of(const struct polc_yaml *object)
{
	const struct polc_yaml *kind = polc_yaml_get(object, "kind");

	if (!kind || kind->kind != POLC_YAML_SCALAR || polc_yaml_is_null(kind) ||
		strlen(kind->value) != kind->length)
		return NULL;
	return kind->value;
}

/* Lists */

static bool is_list(const struct polc_yaml *object)
{
	const char *kind = kind_of(object);
	const struct polc_yaml *items = polc_yaml_get(object, "items");
	size_t n = kind ? strlen(kind) : 0;

	return n >= 4 && !strcmp(kind + n - 4, "List") && items &&
	       (items->kind == POLC_YAML_SEQUENCE || polc_yaml_is_null(items));
}

static const struct polc_yaml *scalar(
	struct polc *polc, const char *value, size_t n, struct polc_span span)
{
	struct polc_yaml *node = POLC_NEW(&polc->arena, struct polc_yaml);

	*node = (struct polc_yaml){.kind = POLC_YAML_SCALAR,
		.span = span,
		.length = n,
		.value = polc_arena_strndup(&polc->arena, value, n)};
	return node;
}

/* The items of a PodList straight from an API server do not repeat kind and apiVersion. */
static const struct polc_yaml *with_kind(
	struct polc *polc, const struct polc_yaml *list, const struct polc_yaml *item)
{
	const struct polc_yaml *kind = polc_yaml_get(list, "kind");
	const struct polc_yaml *api = polc_yaml_get(list, "apiVersion");
	size_t n = strlen(kind->value) - 4;
	struct polc_yaml_entry *entries;
	struct polc_yaml *copy;

	if (!n || item->kind != POLC_YAML_MAPPING || polc_yaml_get(item, "kind"))
		return item;
	entries = POLC_NEW_ARRAY(&polc->arena, item->n_entries + 2, struct polc_yaml_entry);
	if (item->n_entries)
		memcpy(entries, item->entries, item->n_entries * sizeof(*entries));
	copy = POLC_NEW(&polc->arena, struct polc_yaml);
	*copy = *item;
	copy->entries = entries;
	entries[copy->n_entries++] = (struct polc_yaml_entry){
		scalar(polc, "kind", 4, kind->span), scalar(polc, kind->value, n, kind->span)};
	if (api && !polc_yaml_get(item, "apiVersion"))
		entries[copy->n_entries++] =
			(struct polc_yaml_entry){scalar(polc, "apiVersion", 10, api->span), api};
	return copy;
}

static void flatten(struct polc *polc, const struct polc_yaml *object, object_list *out)
{
	const struct polc_yaml *items;

	if (!is_list(object)) {
		*polc_vec_push(&polc->arena, out) = object;
		return;
	}
	items = polc_yaml_get(object, "items");
	for (size_t i = 0; i < items->n_items; i++)
		flatten(polc, with_kind(polc, object, items->items[i]), out);
}

/* Objects */

typedef struct polc_diagnostic *report_function(
	struct polc *, struct polc_span, enum polc_code, const char *, ...);

/* A kind that polc does not know but whose name is nearly a policy's is a policy misspelt. */
static const char *nearest_policy_kind(const char *kind)
{
	static const char *const names[] = {
#define X(name, kind, api, namespaced) kind,
		POLC_POLICY_KINDS(X)
#undef X
			"TracingPolicy",
		"TracingPolicyNamespaced",
		POLC_TEST_KIND,
		POLC_ASSERTION_KIND,
	};

	return polc_nearest(kind, names, POLC_ARRAY_SIZE(names));
}

static void unknown_kind(
	struct reading *r, const struct polc_yaml *object, const char *kind, bool strict)
{
	const char *near = nearest_policy_kind(kind);
	report_function *report = strict || near ? polc_error : polc_warn;
	struct polc_diagnostic *d =
		report(r->polc, polc_yaml_get(object, "kind")->span, POLC_CODE_UNKNOWN_KIND,
			"%s is not a kind of policy or inventory that polc reads", kind);

	if (near)
		polc_diagnostic_did_you_mean(r->polc, d, near);
}

static void not_an_object(struct reading *r, const struct polc_yaml *node, bool strict)
{
	report_function *report = strict ? polc_error : polc_warn;

	if (node->kind != POLC_YAML_MAPPING)
		report(r->polc, node->span, POLC_CODE_WRONG_TYPE,
			"an object must be a mapping with apiVersion and kind");
	else
		report(r->polc, polc_first_token(node), POLC_CODE_MISSING_FIELD,
			"the object has no kind");
}

static void parse_policy(
	struct reading *r, const struct polc_yaml *object, enum polc_policy_kind kind)
{
	struct polc_ast *ast = &r->input->ast;

	switch (kind) {
	case POLC_KIND_NETWORK_POLICY:
		polc_parse_network_policy(r->polc, ast, object);
		break;
	case POLC_KIND_CILIUM:
	case POLC_KIND_CILIUM_CLUSTERWIDE:
		polc_parse_cilium(r->polc, ast, object, kind);
		break;
	case POLC_KIND_CLUSTER:
	case POLC_KIND_ADMIN:
	case POLC_KIND_BASELINE_ADMIN:
		polc_parse_policy_api(r->polc, ast, object, kind);
		break;
	}
}

static bool add_to_inventory(struct reading *r, const struct polc_yaml *object)
{
	if (!polc_inventory_add(r->polc, &r->input->inventory, object))
		return false;
	r->n_inventory_objects++;
	return true;
}

/* Only values of tracing policies may hold NULs. */
static bool strings_fit(struct reading *r, const struct polc_yaml *object)
{
	const char *kind = kind_of(object);

	return (kind && is_tracing_kind(kind)) || polc_yaml_refuse_nul(r->polc, object);
}

static void read_policy_object(struct reading *r, const struct polc_yaml *object, bool strict)
{
	const char *kind = kind_of(object);
	enum polc_policy_kind policy;

	if (!kind)
		not_an_object(r, object, strict);
	else if (policy_kind(kind, &policy))
		parse_policy(r, object, policy);
	else if (is_tracing_kind(kind))
		polc_parse_tracing(r->polc, &r->input->tracings, object);
	else if (!strcmp(kind, POLC_TEST_KIND))
		polc_parse_test(r->polc, &r->input->tests, object);
	else if (!strcmp(kind, POLC_ASSERTION_KIND))
		polc_parse_assertion(r->polc, &r->input->assertions, object);
	else if (!add_to_inventory(r, object))
		unknown_kind(r, object, kind, strict);
}

static void read_inventory_object(struct reading *r, const struct polc_yaml *object, bool strict)
{
	if (kind_of(object))
		add_to_inventory(r, object);
	else
		not_an_object(r, object, strict);
}

static bool holds_policy(const object_list *objects)
{
	enum polc_policy_kind policy;

	for (size_t i = 0; i < objects->n; i++) {
		const char *kind = kind_of(objects->items[i]);

		if (kind &&
			(policy_kind(kind, &policy) || is_tracing_kind(kind) || is_test_kind(kind)))
			return true;
	}
	return false;
}

static void read_yaml(struct reading *r, uint32_t source, bool named)
{
	polc_yaml_documents documents = {0};
	object_list objects = {0};
	bool strict;

	polc_yaml_parse_bytes(r->polc, source, &documents);
	for (size_t i = 0; i < documents.n; i++)
		flatten(r->polc, documents.items[i], &objects);
	strict = named && !(r->policies && holds_policy(&objects));
	for (size_t i = 0; i < objects.n; i++) {
		if (!strings_fit(r, objects.items[i]))
			continue;
		if (r->policies)
			read_policy_object(r, objects.items[i], strict);
		else
			read_inventory_object(r, objects.items[i], strict);
	}
}

/* For the inventory, the policies of a DSL file are read and dropped. */
static void read_pol(struct reading *r, uint32_t source)
{
	struct polc_input endpoints_only = {.inventory = r->input->inventory};

	if (r->policies) {
		polc_parse_pol(r->polc, r->input, source);
		return;
	}
	polc_parse_pol(r->polc, &endpoints_only, source);
	r->input->inventory = endpoints_only.inventory;
}

/* Standard input has no name to tell its language: does its first word open a DSL block? */
static bool looks_like_pol(const char *text)
{
	static const char *const words[] = {"network", "kubernetes", "cluster", "admin", "baseline",
		"endpoint", "tracing", "test", "assert"};

	for (;;) {
		text += strspn(text, " \t\r\n");
		if (*text != '#')
			break;
		text += strcspn(text, "\n");
	}
	for (size_t i = 0; i < POLC_ARRAY_SIZE(words); i++) {
		size_t n = strlen(words[i]);

		if (!strncmp(text, words[i], n) && (text[n] == ' ' || text[n] == '\t'))
			return true;
	}
	return false;
}

bool polc_source_is_pol(const struct polc_source *source)
{
	size_t n = strlen(source->path);

	if (n > 4 && !strcmp(source->path + n - 4, ".pol"))
		return true;
	return !strcmp(source->path, POLC_STDIN_PATH) && looks_like_pol(source->text);
}

static void read_source(void *data, uint32_t source, bool named)
{
	struct reading *r = data;

	if (polc_source_is_pol(polc_source_get(&r->polc->sources, source)))
		read_pol(r, source);
	else
		read_yaml(r, source, named);
}

/* Arguments */

/* Policies, endpoints, tests: what a file of policies may hold. */
static size_t n_found(const struct polc_input *input)
{
	return input->ast.policies.n + input->tracings.n + input->inventory.pods.n +
	       input->tests.n + input->assertions.n;
}

static int read_policies(struct polc *polc, struct polc_input *input, const char *path,
	int read(struct polc *polc, const char *path, polc_file_function *function, void *data))
{
	struct reading r = {.polc = polc, .input = input, .policies = true};
	size_t found = n_found(input);
	unsigned errors = polc->n_errors;
	int result = read(polc, path, read_source, &r);

	if (result < 0)
		return result;
	if (polc->n_errors == errors && n_found(input) == found && !r.n_inventory_objects)
		polc_error(polc, (struct polc_span){0}, POLC_CODE_NO_POLICY, "no policy in %s",
			strcmp(path, "-") ? path : POLC_STDIN_PATH);
	return 0;
}

int polc_read_policies(struct polc *polc, struct polc_input *input, const char *path)
{
	return read_policies(polc, input, path, polc_files_read);
}

int polc_read_revision(struct polc *polc, struct polc_input *input, const char *revision_path)
{
	return read_policies(polc, input, revision_path, polc_git_read);
}

void polc_read_text(
	struct polc *polc, struct polc_input *input, const char *path, const char *text, size_t n)
{
	struct reading r = {.polc = polc, .input = input, .policies = true};

	read_source(&r, polc_source_add(&polc->arena, &polc->sources, path, text, n), false);
}

void polc_read_inventory_text(
	struct polc *polc, struct polc_input *input, const char *path, const char *text, size_t n)
{
	struct reading r = {.polc = polc, .input = input};

	input->inventory.given = true;
	read_source(&r, polc_source_add(&polc->arena, &polc->sources, path, text, n), false);
}

bool polc_kind_is_policy(const char *kind)
{
	enum polc_policy_kind policy;

	return policy_kind(kind, &policy) || is_tracing_kind(kind) || is_test_kind(kind);
}

void polc_read_object(struct polc *polc, struct polc_input *input, const struct polc_yaml *object)
{
	struct reading r = {.polc = polc, .input = input, .policies = true};

	if (strings_fit(&r, object))
		read_policy_object(&r, object, true);
}

int polc_read_inventory(struct polc *polc, struct polc_input *input, const char *path)
{
	struct reading r = {.polc = polc, .input = input};

	input->inventory.given = true;
	return polc_files_read(polc, path, read_source, &r);
}

/* Duplicates */

struct identity { /* of a policy */
	const char *kind, *namespace, *name;
	struct polc_span span;
	size_t index;
};

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_identities(const struct identity *a, const struct identity *b)
{
	int order = strcmp(a->kind, b->kind);

	if (!order)
		order = compare_texts(a->namespace, b->namespace);
	return order ? order : compare_texts(a->name, b->name);
}

static int compare_numbered(const void *left, const void *right)
{
	const struct identity *a = left, *b = right;
	int order = compare_identities(a, b);

	return order ? order : (a->index > b->index) - (a->index < b->index);
}

static void report_duplicate(
	struct polc *polc, const struct identity *first, const struct identity *second)
{
	struct polc_diagnostic *d;

	if (!second->name || !*second->name)
		return;
	d = polc_error(polc, second->span, POLC_CODE_DUPLICATE_POLICY, "%s %s%s%s is defined twice",
		second->kind, second->namespace ? second->namespace : "",
		second->namespace ? "/" : "", second->name);
	polc_diagnostic_relate(polc, d, first->span, "it is first defined here");
}

static struct identity *identities_of(struct polc *polc, const struct polc_input *input, size_t *n)
{
	size_t n_network = input->ast.policies.n;
	struct identity *list;

	*n = n_network + input->tracings.n;
	list = POLC_NEW_ARRAY(&polc->arena, *n, struct identity);
	for (size_t i = 0; i < n_network; i++) {
		const struct polc_ast_policy *policy = input->ast.policies.items[i];

		list[i] = (struct identity){polc_policy_kind_name(policy->kind), policy->namespace,
			policy->name, policy->name_span, i};
	}
	for (size_t i = n_network; i < *n; i++) {
		const struct polc_ast_tracing *policy = input->tracings.items[i - n_network];

		list[i] = (struct identity){tracing_kinds[policy->namespaced], policy->namespace,
			policy->name, policy->name_span, i};
	}
	return list;
}

void polc_read_finish(struct polc *polc, struct polc_input *input)
{
	size_t n, first = 0;
	struct identity *list = identities_of(polc, input, &n);

	polc_inventory_finish(polc, &input->inventory);
	if (n)
		qsort(list, n, sizeof(*list), compare_numbered);
	for (size_t i = 1; i < n; i++) {
		if (compare_identities(&list[first], &list[i]))
			first = i;
		else
			report_duplicate(polc, &list[first], &list[i]);
	}
}
