/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tables of tracing policies' fields, and reading a mapping by one of them. */
#include "tracing_fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* FIELD(struct, kind, need, member, "name", unwritten, min, max) */
#define FIELD(type, field_kind, field_need, member, text, absent, low, high)                       \
	{                                                                                          \
		.name = (text), .kind = POLC_TRACE_##field_kind, .need = POLC_##field_need,        \
		.offset = offsetof(type, member), .unwritten = (absent), .min = (low),             \
		.max = (high)                                                                      \
	}
#define PLAIN(type, kind, need, member, text) FIELD(type, kind, need, member, text, NULL, 0, 0)
#define UINT32(type, need, member, text)                                                           \
	FIELD(type, NUMBER, need, member, text, NULL, 0, UINT32_MAX)
#define NODE(text)                                                                                 \
	{                                                                                          \
		.name = (text), .kind = POLC_TRACE_NODE, .need = POLC_OPTIONAL                     \
	}
#define TABLE(text, list)                                                                          \
	{                                                                                          \
		.what = (text), .fields = (list), .n = POLC_ARRAY_SIZE(list)                       \
	}

#define HOOK(kind, need, member, text) PLAIN(struct polc_ast_hook, kind, need, member, text)
#define HOOK_COMMON                                                                                \
	HOOK(TEXT, OPTIONAL, message, "message"), HOOK(TEXTS, OPTIONAL, tags, "tags"),             \
		NODE("args"), NODE("selectors")
#define HOOK_RETURN                                                                                \
	HOOK(BOOL, OPTIONAL, has_return, "return"), NODE("data"), NODE("returnArg"),               \
		HOOK(TEXT, OPTIONAL, return_arg_action, "returnArgAction")

static const struct polc_trace_field function_fields[] = {
	HOOK(TEXT, REQUIRED, call, "call"),
	NODE("syscall"),
	HOOK_RETURN,
	HOOK_COMMON,
	NODE("ignore"),
};
static const struct polc_trace_field tracepoint_fields[] = {
	HOOK(TEXT, REQUIRED, subsystem, "subsystem"),
	HOOK(TEXT, REQUIRED, event, "event"),
	HOOK(BOOL, OPTIONAL, raw, "raw"),
	HOOK_COMMON,
};
static const struct polc_trace_field lsm_fields[] = {
	HOOK(TEXT, REQUIRED, call, "hook"),
	HOOK_COMMON,
};
static const struct polc_trace_field uprobe_fields[] = {
	HOOK(TEXT, REQUIRED, path, "path"),
	HOOK(TEXT, OPTIONAL, btf_path, "btfPath"),
	HOOK(TEXTS, OPTIONAL, symbols, "symbols"),
	HOOK(INTEGERS, OPTIONAL, offsets, "offsets"),
	HOOK(INTEGERS, OPTIONAL, addresses, "addrs"),
	HOOK(INTEGERS, OPTIONAL, ref_ctr_offsets, "refCtrOffsets"),
	HOOK(TEXTS, OPTIONAL, digests, "binaryDigests"),
	HOOK_RETURN,
	HOOK_COMMON,
	NODE("ignore"),
};
static const struct polc_trace_field usdt_fields[] = {
	HOOK(TEXT, REQUIRED, path, "path"),
	HOOK(TEXT, REQUIRED, provider, "provider"),
	HOOK(TEXT, REQUIRED, name, "name"),
	HOOK(TEXT, OPTIONAL, btf_path, "btfPath"),
	HOOK(TEXTS, OPTIONAL, digests, "binaryDigests"),
	HOOK_COMMON,
	NODE("ignore"),
};

const struct polc_trace_table polc_trace_hook_tables[POLC_N_SECTIONS] = {
	[POLC_SECTION_KPROBE] = TABLE("a kprobe", function_fields),
	[POLC_SECTION_FENTRY] = TABLE("an fentry hook", function_fields),
	[POLC_SECTION_TRACEPOINT] = TABLE("a tracepoint", tracepoint_fields),
	[POLC_SECTION_LSM] = TABLE("an LSM hook", lsm_fields),
	[POLC_SECTION_UPROBE] = TABLE("a uprobe", uprobe_fields),
	[POLC_SECTION_USDT] = TABLE("a USDT probe", usdt_fields),
};

#define ARG(kind, member, text) PLAIN(struct polc_ast_trace_arg, kind, OPTIONAL, member, text)
static const struct polc_trace_field arg_fields[] = {
	UINT32(struct polc_ast_trace_arg, OPTIONAL, index, "index"),
	FIELD(struct polc_ast_trace_arg, TEXT, OPTIONAL, type, "type", "auto", 0, 0),
	ARG(TEXT, label, "label"),
	ARG(TEXT, source, "source"),
	ARG(TEXT, resolve, "resolve"),
	ARG(TEXT, btf_type, "btfType"),
	ARG(TEXT, btf_module, "btfTypeModule"),
	UINT32(struct polc_ast_trace_arg, OPTIONAL, size_arg_index, "sizeArgIndex"),
	ARG(BOOL, return_copy, "returnCopy"),
	ARG(BOOL, is_max_data, "maxData"),
};
const struct polc_trace_table polc_trace_arg_table = TABLE("an argument", arg_fields);

#define FILTER(kind, need, member, text) PLAIN(struct polc_ast_filter, kind, need, member, text)
#define FILTER_OPERATOR FILTER(TEXT, REQUIRED, op, "operator")
#define FILTER_END(kind)                                                                           \
	FILTER(kind, OPTIONAL, values, "values"), FILTER(TEXT, OPTIONAL, on_error, "onError")

static const struct polc_trace_field argument_filter_fields[] = {
	UINT32(struct polc_ast_filter, OPTIONAL, index, "index"),
	FIELD(struct polc_ast_filter, NUMBERS, OPTIONAL, args, "args", NULL, 0, UINT32_MAX),
	FILTER_OPERATOR,
	FILTER_END(VALUES),
};
static const struct polc_trace_field pid_fields[] = {
	FILTER_OPERATOR,
	FILTER(BOOL, OPTIONAL, is_namespace_pid, "isNamespacePID"),
	FILTER(BOOL, OPTIONAL, follow_forks, "followForks"),
	FILTER_END(INTEGERS),
};
static const struct polc_trace_field binary_fields[] = {
	FILTER_OPERATOR,
	FILTER(BOOL, OPTIONAL, follow_children, "followChildren"),
	FILTER_END(VALUES),
};
static const struct polc_trace_field namespace_fields[] = {
	FILTER(TEXT, REQUIRED, type, "namespace"),
	FILTER_OPERATOR,
	FILTER_END(VALUES),
};
static const struct polc_trace_field namespace_change_fields[] = {
	FILTER_OPERATOR,
	FILTER_END(VALUES),
};
static const struct polc_trace_field capability_fields[] = {
	FIELD(struct polc_ast_filter, TEXT, OPTIONAL, type, "type", "Effective", 0, 0),
	FILTER_OPERATOR,
	FILTER(BOOL, OPTIONAL, is_namespace_capability, "isNamespaceCapability"),
	FILTER_END(VALUES),
};
static const struct polc_trace_field workload_fields[] = {
	NODE("podSelector"),
	NODE("containerSelector"),
	NODE("hostSelector"),
};

const struct polc_trace_table polc_trace_filter_tables[POLC_N_FILTERS] = {
	[POLC_FILTER_ARGS] = TABLE("matchArgs", argument_filter_fields),
	[POLC_FILTER_DATA] = TABLE("matchData", argument_filter_fields),
	[POLC_FILTER_RETURN_ARGS] = TABLE("matchReturnArgs", argument_filter_fields),
	[POLC_FILTER_PIDS] = TABLE("matchPIDs", pid_fields),
	[POLC_FILTER_BINARIES] = TABLE("matchBinaries", binary_fields),
	[POLC_FILTER_PARENT_BINARIES] = TABLE("matchParentBinaries", binary_fields),
	[POLC_FILTER_NAMESPACES] = TABLE("matchNamespaces", namespace_fields),
	[POLC_FILTER_NAMESPACE_CHANGES] = TABLE("matchNamespaceChanges", namespace_change_fields),
	[POLC_FILTER_CAPABILITIES] = TABLE("matchCapabilities", capability_fields),
	[POLC_FILTER_CAPABILITY_CHANGES] = TABLE("matchCapabilityChanges", capability_fields),
	[POLC_FILTER_WORKLOADS] = TABLE("matchWorkloads", workload_fields),
};

#define ACTION(kind, member, text) PLAIN(struct polc_ast_trace_action, kind, OPTIONAL, member, text)
static const struct polc_trace_field action_fields[] = {
	PLAIN(struct polc_ast_trace_action, TEXT, REQUIRED, action, "action"),
	ACTION(TEXT, url, "argUrl"),
	ACTION(TEXT, fqdn, "argFqdn"),
	FIELD(struct polc_ast_trace_action, NUMBER, OPTIONAL, error, "argError", NULL, INT32_MIN,
		INT32_MAX),
	UINT32(struct polc_ast_trace_action, OPTIONAL, signal, "argSig"),
	UINT32(struct polc_ast_trace_action, OPTIONAL, sock, "argSock"),
	UINT32(struct polc_ast_trace_action, OPTIONAL, index, "argIndex"),
	UINT32(struct polc_ast_trace_action, OPTIONAL, value, "argValue"),
	ACTION(TEXTS, registers, "argRegs"),
	ACTION(TEXT, new_symbol, "argNewSymbol"),
	FIELD(struct polc_ast_trace_action, ADDRESS, OPTIONAL, new_address, "argNewAddr", NULL, 0,
		INT64_MAX),
	FIELD(struct polc_ast_trace_action, ADDRESS, OPTIONAL, new_offset, "argNewOffset", NULL, 0,
		INT64_MAX),
	ACTION(SCALAR, rate_limit, "rateLimit"),
	ACTION(TEXT, rate_scope, "rateLimitScope"),
	ACTION(BOOL, kernel_stack, "kernelStackTrace"),
	ACTION(BOOL, user_stack, "userStackTrace"),
	ACTION(BOOL, ima_hash, "imaHash"),
	NODE("argFd"), /* of the removed actions */
	NODE("argName"),
};
const struct polc_trace_table polc_trace_action_table = TABLE("an action", action_fields);

static const struct polc_trace_field list_fields[] = {
	PLAIN(struct polc_ast_list, TEXT, REQUIRED, name, "name"),
	FIELD(struct polc_ast_list, TEXT, OPTIONAL, type, "type", "", 0, 0),
	PLAIN(struct polc_ast_list, TEXT, OPTIONAL, pattern, "pattern"),
	PLAIN(struct polc_ast_list, TEXTS, OPTIONAL, values, "values"),
	NODE("validated"), /* an agent's note to itself */
};
const struct polc_trace_table polc_trace_list_table = TABLE("a list", list_fields);

static const struct polc_trace_field option_fields[] = {
	PLAIN(struct polc_ast_option, TEXT, REQUIRED, name, "name"),
	PLAIN(struct polc_ast_option, SCALAR, OPTIONAL, value, "value"),
};
const struct polc_trace_table polc_trace_option_table = TABLE("an option", option_fields);

static const struct polc_trace_field selector_fields[] = {
	PLAIN(struct polc_ast_trace_selector, TEXT, OPTIONAL, label, "label"),
	PLAIN(struct polc_ast_trace_selector, TEXTS, OPTIONAL, macros, "macros"),
#define X(name, field) NODE(field),
	POLC_TRACE_FILTERS(X)
#undef X
		NODE("matchActions"),
	NODE("matchReturnActions"),
};
const struct polc_trace_table polc_trace_selector_table = TABLE("a selector", selector_fields);

const char *const polc_trace_section_names[POLC_N_SECTIONS] = {
#define X(name, section) [POLC_SECTION_##name] = section,
	POLC_TRACE_SECTIONS(X)
#undef X
};
const char *const polc_trace_filter_names[POLC_N_FILTERS] = {
#define X(name, field) [POLC_FILTER_##name] = field,
	POLC_TRACE_FILTERS(X)
#undef X
};

/* Values */

struct place { /* of the value that is being read */
	struct polc *polc;
	const char *path;
	const struct polc_trace_field *field;
};

static struct polc_ast_text text_of(const struct polc_yaml *node)
{
	return (struct polc_ast_text){node->value, node->length, node->span};
}

static bool read_string(const struct place *p, const struct polc_yaml *node, const char *what,
	struct polc_ast_text *out)
{
	const char *text;

	if (!polc_yaml_string(p->polc, node, what, &text))
		return false;
	*out = text_of(node);
	return true;
}

static bool is_number(const struct polc_yaml *node)
{
	return node->kind == POLC_YAML_SCALAR &&
	       (polc_yaml_resolve(node) == POLC_YAML_INT ||
		       polc_yaml_resolve(node) == POLC_YAML_FLOAT);
}

/* A string, with NULs where values are bytes, or a number as it is written. */
static bool read_scalar(const struct place *p, const struct polc_yaml *node, const char *what,
	struct polc_ast_text *out)
{
	bool bytes = p->field->kind == POLC_TRACE_VALUES && node->kind == POLC_YAML_SCALAR &&
		     strlen(node->value) != node->length;

	if (!bytes && !is_number(node))
		return read_string(p, node, what, out);
	*out = text_of(node);
	return true;
}

static bool read_integer_text(const struct place *p, const struct polc_yaml *node, const char *what,
	struct polc_ast_text *out)
{
	int64_t ignored;

	if (!polc_yaml_is_integer(node)) /* reports */
		return polc_yaml_integer(p->polc, node, what, &ignored);
	*out = text_of(node);
	return true;
}

static bool is_hexadecimal(const char *s)
{
	s += *s == '-';
	return s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && !strchr(s, '_');
}

/* Hexadecimal is the one base besides ten that all readers of YAML agree on. */
static bool read_integer(
	const struct place *p, const struct polc_yaml *node, const char *what, int64_t *out)
{
	if (!polc_yaml_is_integer(node) || !is_hexadecimal(node->value))
		return polc_yaml_integer(p->polc, node, what, out);
	errno = 0;
	*out = strtoll(node->value, NULL, 16);
	if (!errno)
		return true;
	polc_error(p->polc, node->span, POLC_CODE_WRONG_TYPE, "%s is out of range", what);
	return false;
}

/* The number of an argument; its upper limit would say nothing. */
static bool is_position(const struct place *p)
{
	size_t n = strlen(p->field->name);

	return p->field->min == 0 && p->field->max == UINT32_MAX &&
	       ((n >= 5 && !strcasecmp(p->field->name + n - 5, "index")) ||
		       !strcmp(p->field->name, "argSock"));
}

static void report_range(
	const struct place *p, const struct polc_yaml *node, const char *what, int64_t value)
{
	if (value < 0 && is_position(p))
		polc_error(p->polc, node->span, POLC_CODE_TRACE_VALUE,
			"%s is %lld, it is an argument's position: 0 or more", what,
			(long long)value);
	else
		polc_error(p->polc, node->span, POLC_CODE_TRACE_VALUE,
			"%s is %lld, it must be between %lld and %lld", what, (long long)value,
			(long long)p->field->min, (long long)p->field->max);
}

static bool read_number(const struct place *p, const struct polc_yaml *node, const char *what,
	struct polc_ast_number *out)
{
	int64_t value;

	if (!read_integer(p, node, what, &value))
		return false;
	if (value < p->field->min || value > p->field->max) {
		report_range(p, node, what, value);
		return false;
	}
	*out = (struct polc_ast_number){.value = value, .written = true, .span = node->span};
	return true;
}

static bool read_text(const struct place *p, const struct polc_yaml *node, const char *what,
	struct polc_ast_text *out)
{
	switch (p->field->kind) {
	case POLC_TRACE_SCALAR:
	case POLC_TRACE_VALUES:
		return read_scalar(p, node, what, out);
	case POLC_TRACE_INTEGERS:
		return read_integer_text(p, node, what, out);
	case POLC_TRACE_TEXT:
	case POLC_TRACE_TEXTS:
	case POLC_TRACE_NUMBER:
	case POLC_TRACE_ADDRESS:
	case POLC_TRACE_NUMBERS:
	case POLC_TRACE_BOOL:
	case POLC_TRACE_NODE:
		break;
	}
	return read_string(p, node, what, out);
}

static void read_items(const struct place *p, const struct polc_yaml *node, void *member)
{
	if (!polc_yaml_expect(p->polc, node, POLC_YAML_SEQUENCE, p->path))
		return;
	for (size_t i = 0; i < node->n_items; i++) {
		const char *what = polc_path_item(p->polc, p->path, i);
		struct polc_ast_number number;
		struct polc_ast_text text;

		if (p->field->kind == POLC_TRACE_NUMBERS) {
			if (read_number(p, node->items[i], what, &number))
				*polc_vec_push(&p->polc->arena, (polc_ast_numbers *)member) =
					number;
		} else if (read_text(p, node->items[i], what, &text)) {
			if (!text.n && p->field->kind == POLC_TRACE_TEXTS)
				polc_error(p->polc, text.span, POLC_CODE_MISSING_FIELD,
					"%s is empty", what);
			*polc_vec_push(&p->polc->arena, (polc_ast_texts *)member) = text;
		}
	}
}

static void read_member(const struct place *p, const struct polc_yaml *node, void *member)
{
	switch (p->field->kind) {
	case POLC_TRACE_TEXT:
	case POLC_TRACE_SCALAR:
		read_text(p, node, p->path, member);
		return;
	case POLC_TRACE_TEXTS:
	case POLC_TRACE_VALUES:
	case POLC_TRACE_INTEGERS:
	case POLC_TRACE_NUMBERS:
		read_items(p, node, member);
		return;
	case POLC_TRACE_NUMBER:
	case POLC_TRACE_ADDRESS:
		read_number(p, node, p->path, member);
		return;
	case POLC_TRACE_BOOL:
		polc_yaml_bool(p->polc, node, p->path, member);
		return;
	case POLC_TRACE_NODE:
		return;
	}
}

/* Mappings */

const struct polc_trace_field *polc_trace_field_find(
	const struct polc_trace_table *table, const char *name)
{
	for (size_t i = 0; i < table->n; i++)
		if (!strcmp(table->fields[i].name, name))
			return &table->fields[i];
	return NULL;
}

const struct polc_yaml *polc_trace_child(const struct polc_yaml *node, const char *name)
{
	const struct polc_yaml *child = polc_yaml_get(node, name);

	return polc_yaml_is_null(child) ? NULL : child;
}

const struct polc_yaml *polc_trace_list(
	struct polc *polc, const struct polc_yaml *node, const char *name, const char *path)
{
	const struct polc_yaml *child = polc_trace_child(node, name);

	if (!child || !polc_yaml_expect(
			      polc, child, POLC_YAML_SEQUENCE, polc_path_field(polc, path, name)))
		return NULL;
	return child;
}

static bool is_text(const struct polc_trace_field *field)
{
	return field->kind == POLC_TRACE_TEXT || field->kind == POLC_TRACE_SCALAR;
}

/* Absent texts get their meaning; empty ones are absent, and not enough where one is required. */
static void finish_text(struct polc *polc, const struct polc_yaml *node, const char *path,
	const struct polc_trace_field *field, struct polc_ast_text *text)
{
	if (text->text && !*text->text && !text->n) {
		if (field->need == POLC_REQUIRED)
			polc_error(polc, text->span, POLC_CODE_MISSING_FIELD, "%s.%s is empty",
				path, field->name);
		*text = (struct polc_ast_text){0};
	}
	if (!text->text && field->unwritten)
		*text = (struct polc_ast_text){
			field->unwritten, strlen(field->unwritten), polc_first_token(node)};
}

static void finish_field(struct polc *polc, const struct polc_yaml *node, const char *path,
	const struct polc_trace_field *field, void *out)
{
	if (field->need == POLC_REQUIRED && !polc_trace_child(node, field->name))
		polc_error(polc, polc_first_token(node), POLC_CODE_MISSING_FIELD,
			"%s.%s is missing", path, field->name);
	if (is_text(field))
		finish_text(polc, node, path, field,
			(struct polc_ast_text *)((char *)out + field->offset));
}

static void check_names(struct polc *polc, const struct polc_yaml *node, const char *path,
	const struct polc_trace_table *table)
{
	const char **names = POLC_NEW_ARRAY(&polc->arena, table->n, const char *);

	for (size_t i = 0; i < table->n; i++)
		names[i] = table->fields[i].name;
	polc_yaml_check_fields(polc, node, names, table->n, path, POLC_ERROR);
}

bool polc_trace_fields_read(struct polc *polc, const struct polc_yaml *node, const char *path,
	const struct polc_trace_table *table, void *out)
{
	if (!polc_yaml_expect(polc, node, POLC_YAML_MAPPING, path))
		return false;
	check_names(polc, node, path, table);
	for (size_t i = 0; i < node->n_entries; i++) {
		const struct polc_yaml_entry *e = &node->entries[i];
		struct place p = {polc, polc_path_field(polc, path, e->key->value),
			polc_trace_field_find(table, e->key->value)};

		if (p.field && !polc_field_is_null(polc, e, path))
			read_member(&p, e->value, (char *)out + p.field->offset);
	}
	for (size_t i = 0; i < table->n; i++)
		finish_field(polc, node, path, &table->fields[i], out);
	return true;
}
