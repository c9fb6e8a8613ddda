/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Completion: the list of what may stand at the cursor; in YAML by the path of keys above it. */
#include <string.h>

#include "lsp.h"

void lsp_offer(struct lsp_completion *c, const char *label, const char *insert, int kind,
	const char *detail, const char *doc)
{
	json_t *item;

	item = json_pack("{s:o,s:i,s:{s:o,s:o},s:o}", "label", lsp_string(label), "kind", kind,
		"textEdit", "range", lsp_range(c->lsp, c->place->file, c->begin, c->end), "newText",
		lsp_string(insert ? insert : label), "filterText", lsp_string(label));
	if (detail)
		json_object_set_new(item, "detail", lsp_string(detail));
	if (doc)
		json_object_set_new(item, "documentation",
			json_pack("{s:s,s:o}", "kind", "markdown", "value", lsp_string(doc)));
	json_array_append_new(c->items, item);
}

void lsp_offer_words(struct lsp_completion *c, const char *const *words, int kind)
{
	for (size_t i = 0; words[i]; i++)
		lsp_offer(c, words[i], NULL, kind, NULL, NULL);
}

/* YAML */

static bool is_there(const struct lsp_yaml_place *yaml, const char *key)
{
	for (size_t i = 0; i < yaml->siblings.n; i++)
		if (!strcmp(yaml->siblings.items[i], key))
			return true;
	return false;
}

/* A key comes with its colon, unless that is there or quotes must be closed first. */
static void offer_key(struct lsp_completion *c, const struct lsp_yaml_place *yaml, const char *name,
	bool nested, const char *doc)
{
	const char *insert = name;

	if (is_there(yaml, name))
		return;
	if (!yaml->is_key && !yaml->in_quotes)
		insert = polc_arena_printf(
			&c->lsp->scratch, nested && !yaml->in_flow ? "%s:" : "%s: ", name);
	lsp_offer(c, name, insert, LSP_ITEM_FIELD, nested ? "mapping or list" : NULL, doc);
}

static void offer_fields(
	struct lsp_completion *c, const struct lsp_yaml_place *yaml, const struct lsp_shape *shape)
{
	for (size_t i = 0; i < shape->n; i++)
		offer_key(c, yaml, shape->fields[i].name,
			shape->fields[i].below || shape->fields[i].list ||
				shape->fields[i].values == LSP_VALUES_LABELS,
			shape->fields[i].doc);
}

static void offer_start(struct lsp_completion *c, const struct lsp_yaml_place *yaml)
{
	static const char *const keys[] = {"apiVersion", "kind", "metadata", "spec"};

	if (yaml->path.n || yaml->key)
		return;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(keys); i++)
		offer_key(c, yaml, keys[i], i > 1, NULL);
}

static void offer_kinds(struct lsp_completion *c)
{
	for (size_t i = 0; i < lsp_n_kinds; i++)
		lsp_offer(c, lsp_kinds[i].name, NULL, LSP_ITEM_VALUE, lsp_kinds[i].api,
			lsp_kinds[i].doc);
}

static void offer_apis(struct lsp_completion *c, const struct lsp_kind *kind)
{
	for (size_t i = 0; i < lsp_n_kinds; i++) {
		bool again = false;

		for (size_t j = 0; j < i; j++)
			again |= !strcmp(lsp_kinds[i].api, lsp_kinds[j].api);
		if (kind ? &lsp_kinds[i] == kind : !again)
			lsp_offer(c, lsp_kinds[i].api, NULL, LSP_ITEM_VALUE, NULL, NULL);
	}
}

/* By the selector that is being written. */
static enum lsp_owner owner_of(const struct lsp_yaml_place *yaml)
{
	static const struct {
		const char *key;
		enum lsp_owner owner;
	} owners[] = {{"namespaceSelector", LSP_OWNER_NAMESPACES},
		{"namespaces", LSP_OWNER_NAMESPACES}, {"nodeSelector", LSP_OWNER_NODES},
		{"nodes", LSP_OWNER_NODES}, {"fromNodes", LSP_OWNER_NODES},
		{"toNodes", LSP_OWNER_NODES}, {"k8sServiceSelector", LSP_OWNER_SERVICES},
		{"cidrGroupSelector", LSP_OWNER_CIDR_GROUPS},
		{"containerSelector", LSP_OWNER_CONTAINERS}, {"podSelector", LSP_OWNER_PODS}};

	for (size_t i = yaml->path.n; i > 0; i--)
		for (size_t j = 0; j < POLC_ARRAY_SIZE(owners); j++)
			if (!strcmp(yaml->path.items[i - 1], owners[j].key))
				return owners[j].owner;
	return LSP_OWNER_PODS;
}

/* The plain value of a key of the mapping around the place: `key: app`, before or behind. */
static const char *sibling_value(struct lsp_completion *c, const char *key)
{
	const struct lsp_file *file = c->place->file;
	size_t n = strlen(key), at = c->begin;

	for (unsigned lines = 0; at > 0 && lines < 20; at--) {
		lines += file->text[at - 1] == '\n';
		if (at + n < file->n && !strncmp(file->text + at, key, n) &&
			file->text[at + n] == ':' && strchr(" \t{-,", file->text[at - 1])) {
			size_t begin = at + n + 1 + strspn(file->text + at + n + 1, " \t\"'");

			return polc_arena_strndup(&c->lsp->scratch, file->text + begin,
				strcspn(file->text + begin, " \t\r\n\"',}"));
		}
	}
	return NULL;
}

/* What arguments are compared with: by the operator, or by the argument's type. */
static void offer_filter_values(struct lsp_completion *c)
{
	const char *operator= sibling_value(c, "operator");

	if (operator)
		lsp_offer_operands(c, operator);
	if (!operator|| !strcmp(operator, "InMap") || !strcmp(operator, "NotInMap"))
		lsp_offer_lists(c);
	if (operator&& !json_array_size(c->items))
		lsp_offer_capabilities(c);
}

static void offer_calls(struct lsp_completion *c)
{
	lsp_offer_lists(c);
	lsp_offer_syscalls(c, "sys_");
	lsp_offer_functions(c);
}

static void offer_values(
	struct lsp_completion *c, const struct lsp_yaml_place *yaml, enum lsp_values values)
{
	const char *key;

	switch (values) {
	case LSP_VALUES_NONE:
	case LSP_VALUES_FREE_MAP:
	case LSP_VALUES_MACROS:
		break;
	case LSP_VALUES_LABELS:
		lsp_offer_label_values(c, owner_of(yaml), yaml->key);
		break;
	case LSP_VALUES_LABEL_KEY:
		lsp_offer_label_keys(c, owner_of(yaml), "");
		break;
	case LSP_VALUES_LABEL_VALUE:
		key = sibling_value(c, "key");
		if (key)
			lsp_offer_label_values(c, owner_of(yaml), key);
		break;
	case LSP_VALUES_NAMESPACE:
		lsp_offer_namespaces(c);
		break;
	case LSP_VALUES_PORT:
		lsp_offer_ports(c, false);
		break;
	case LSP_VALUES_SERVICE:
		lsp_offer_services(c);
		break;
	case LSP_VALUES_CIDR_GROUP:
		lsp_offer_cidr_groups(c);
		break;
	case LSP_VALUES_FUNCTION:
		offer_calls(c);
		break;
	case LSP_VALUES_LSM_HOOK:
		lsp_offer_lsm_hooks(c);
		break;
	case LSP_VALUES_TYPE:
		lsp_offer_types(c);
		break;
	case LSP_VALUES_CAPABILITY:
		lsp_offer_capabilities(c);
		break;
	case LSP_VALUES_MACRO:
		lsp_offer_macros(c);
		break;
	case LSP_VALUES_FILTER:
		offer_filter_values(c);
		break;
	case LSP_VALUES_ENTITY:
		lsp_offer_entities(c);
		break;
	}
}

/* A value of the field, or an item of its list. */
static void offer_of_field(
	struct lsp_completion *c, const struct lsp_yaml_place *yaml, const struct lsp_field *field)
{
	if (field->words)
		lsp_offer_words(c, field->words, LSP_ITEM_VALUE);
	offer_values(c, yaml, field->values);
}

static void complete_labels(struct lsp_completion *c, const struct lsp_yaml_place *yaml)
{
	if (yaml->key)
		lsp_offer_label_values(c, owner_of(yaml), yaml->key);
	else
		lsp_offer_label_keys(
			c, owner_of(yaml), yaml->is_key || yaml->in_quotes ? "" : ": ");
}

static void complete_object(
	struct lsp_completion *c, const struct lsp_yaml_place *yaml, const struct lsp_kind *kind)
{
	const struct lsp_field *field;
	const struct lsp_shape *shape =
		lsp_schema_walk(kind->shape, yaml->path.items, yaml->path.n, &field);

	if (field && field->values == LSP_VALUES_LABELS) {
		complete_labels(c, yaml);
		return;
	}
	if (field && field->values == LSP_VALUES_MACROS && !yaml->key &&
		!strcmp(yaml->path.items[yaml->path.n - 1], field->name))
		return; /* a macro's name is its author's */
	if (yaml->key)
		field = lsp_shape_find(shape, yaml->key);
	else if (shape) {
		offer_fields(c, yaml, shape);
		return;
	}
	if (field)
		offer_of_field(c, yaml, field);
}

void lsp_complete_yaml(struct lsp_completion *c)
{
	const struct lsp_file *file = c->place->file;
	struct lsp_yaml_place yaml;
	const struct lsp_kind *kind;

	lsp_yaml_place(&c->lsp->scratch, file->text, file->n, c->place->offset, &yaml);
	if (yaml.in_comment)
		return;
	c->begin = yaml.word_begin;
	c->end = yaml.word_end < c->place->offset ? c->place->offset : yaml.word_end;
	c->prefix = polc_arena_strndup(
		&c->lsp->scratch, file->text + c->begin, c->place->offset - c->begin);
	c->quote_free = !yaml.in_flow;
	kind = lsp_kind_find(yaml.kind);
	if (yaml.key && !yaml.path.n && !strcmp(yaml.key, "kind"))
		offer_kinds(c);
	else if (yaml.key && !yaml.path.n && !strcmp(yaml.key, "apiVersion"))
		offer_apis(c, kind);
	else if (kind)
		complete_object(c, &yaml, kind);
	else
		offer_start(c, &yaml);
}

json_t *lsp_complete(struct lsp *lsp, const json_t *params)
{
	struct lsp_place place;
	struct lsp_completion c = {.lsp = lsp, .place = &place};

	if (!lsp_place_read(lsp, params, &place))
		return NULL;
	c.items = json_array();
	if (lsp_is_pol(place.file))
		lsp_complete_pol(&c);
	else
		lsp_complete_yaml(&c);
	return json_pack("{s:b,s:o}", "isIncomplete", (int)c.incomplete, "items", c.items);
}
