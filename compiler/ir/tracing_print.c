/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tracing IR as text, for people and golden tests: everything that decides, nothing that
 * depends on memory or on the machine. Values of a spec are written v0, v1 and so on.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lower_tracing.h"

struct printer {
	const struct polc_tracing *tracing;
	const struct polc_trace_spec *spec;
	struct polc_buf *out;
	bool unnumbered; /* nothing that depends on what else is in the set */
};

static const char *const sections[] = {
#define X(name, section) section,
	POLC_TRACE_SECTIONS(X)
#undef X
};
static const char *const actions[] = {
#define X(name, word) word,
	POLB_TRACE_ACTIONS(X)
#undef X
};
static const char *const namespaces[] = {
#define X(name, word) word,
	POLB_NAMESPACES(X)
#undef X
};
static const char *const modes[] = {"enforce", "monitor", "monitor-only"};
static const char *const cap_sets[] = {"permitted", "effective", "inheritable"};
static const char *const string_ops[] = {
	"equal", "prefix", "postfix", "substring", "substring-folded"};

/* Quoted, other bytes than printable ASCII as \xNN. */
static void print_bytes(struct polc_buf *out, const char *bytes, size_t n)
{
	polc_buf_puts(out, "\"");
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '"' || c == '\\')
			polc_buf_printf(out, "\\%c", c);
		else if (isprint(c) && c < 0x80)
			polc_buf_printf(out, "%c", c);
		else
			polc_buf_printf(out, "\\x%02x", c);
	}
	polc_buf_puts(out, "\"");
}

static void print_strings(struct polc_buf *out, const polc_strings *strings)
{
	for (size_t i = 0; i < strings->n; i++) {
		polc_buf_puts(out, " ");
		print_bytes(out, strings->items[i].bytes, strings->items[i].n);
	}
}

/* --- values --------------------------------------------------------------------------------------
 */

static void print_steps(struct polc_buf *out, const struct polc_trace_value *value)
{
	for (size_t i = 0; i < value->n_steps; i++) {
		const struct polc_resolve_step *step = &value->steps[i];

		if (step->struct_name)
			polc_buf_printf(out, "%s(%s)%s", step->through_pointer ? "->" : ".",
				step->struct_name, step->member);
		else
			polc_buf_printf(
				out, "%s[%u]", step->through_pointer ? "->" : "", step->index);
	}
}

static void print_origin(struct polc_buf *out, const struct polc_trace_value *value)
{
	switch (value->origin) {
	case POLC_ORIGIN_ARGUMENT:
		polc_buf_printf(out, "argument %u", value->number);
		break;
	case POLC_ORIGIN_FIELD:
		polc_buf_printf(out, "field %u %s at %u size %u", value->number, value->field->name,
			value->field->offset, value->field->size);
		break;
	case POLC_ORIGIN_RESULT:
		polc_buf_puts(out, "result");
		break;
	case POLC_ORIGIN_TASK:
		polc_buf_puts(out, "task");
		break;
	case POLC_ORIGIN_REGISTER:
		polc_buf_printf(out, "register at %u size %u", value->reg_offset, value->reg_size);
		break;
	case POLC_ORIGIN_USDT:
		polc_buf_printf(out, "probe argument %u", value->number);
		break;
	}
	print_steps(out, value);
}

static void print_size(struct polc_buf *out, const struct polc_trace_value *value)
{
	switch (value->size_from) {
	case POLC_SIZE_NONE:
		break;
	case POLC_SIZE_ARGUMENT:
		polc_buf_printf(out, ", size in argument %u", value->size_argument);
		break;
	case POLC_SIZE_RESULT:
		polc_buf_puts(out, ", size is the result");
		break;
	case POLC_SIZE_FIXED:
		polc_buf_printf(out, ", %u bytes", value->size_argument);
		break;
	}
}

static void print_value(struct printer *p, size_t index)
{
	const struct polc_trace_value *value = &p->spec->values.items[index];

	polc_buf_printf(p->out, "    v%zu %s: ", index, polc_trace_type_name(value->type));
	print_origin(p->out, value);
	print_size(p->out, value);
	polc_buf_printf(p->out, "%s%s%s%s", value->typed ? ", typed" : "",
		value->user_memory ? ", user memory" : "",
		value->return_copy ? ", copied at return" : "", value->max_data ? ", long" : "");
	if (value->label)
		polc_buf_printf(p->out, ", label %s", value->label);
	polc_buf_puts(p->out, "\n");
}

/* --- tests ---------------------------------------------------------------------------------------
 */

static void print_number(struct polc_buf *out, uint64_t key, bool is_signed)
{
	if (is_signed)
		polc_buf_printf(out, "%" PRId64, (int64_t)(key ^ (1ull << 63)));
	else
		polc_buf_printf(out, "%" PRIu64, key);
}

static void print_intervals(struct polc_buf *out, const polc_intervals *set, bool is_signed)
{
	for (size_t i = 0; i < set->n; i++) {
		polc_buf_puts(out, " ");
		print_number(out, set->items[i].lo, is_signed);
		if (set->items[i].hi == set->items[i].lo)
			continue;
		polc_buf_puts(out, "..");
		print_number(out, set->items[i].hi, is_signed);
	}
}

static const char *const expression_words[] = {
	[POLC_EXPR_ADD] = "+",
	[POLC_EXPR_SUB] = "-",
	[POLC_EXPR_NEG] = "-",
	[POLC_EXPR_BIT_AND] = "&",
	[POLC_EXPR_BIT_OR] = "|",
	[POLC_EXPR_BIT_XOR] = "^",
	[POLC_EXPR_BIT_NOT] = "~",
	[POLC_EXPR_EQ] = "==",
	[POLC_EXPR_NE] = "!=",
	[POLC_EXPR_LT] = "<",
	[POLC_EXPR_LE] = "<=",
	[POLC_EXPR_GT] = ">",
	[POLC_EXPR_GE] = ">=",
	[POLC_EXPR_AND] = "&&",
	[POLC_EXPR_OR] = "||",
	[POLC_EXPR_NOT] = "!",
};

static void print_expression(struct polc_buf *out, const struct polc_expression *e)
{
	if (e->op == POLC_EXPR_VALUE) {
		polc_buf_printf(out, "v%u", e->number);
		return;
	}
	if (e->op == POLC_EXPR_CONSTANT) {
		polc_buf_printf(out, e->is_signed ? "%" PRId64 : "%" PRIu64, e->constant);
		return;
	}
	polc_buf_puts(out, "(");
	if (e->right) {
		print_expression(out, e->left);
		polc_buf_printf(out, " %s ", expression_words[e->op]);
		print_expression(out, e->right);
	} else {
		if (e->op == POLC_EXPR_CAST)
			polc_buf_printf(out, "%sint%u ", e->is_signed ? "" : "u", e->width * 8);
		else
			polc_buf_puts(out, expression_words[e->op]);
		print_expression(out, e->left);
	}
	polc_buf_puts(out, ")");
}

static void print_prefixes(struct polc_buf *out, const polc_prefixes *prefixes)
{
	for (size_t i = 0; i < prefixes->n; i++) {
		char text[POLB_ADDR_TEXT];

		polb_prefix_format(&prefixes->items[i], text);
		polc_buf_printf(out, " %s", text);
	}
}

static void print_capabilities(struct polc_buf *out, uint64_t mask)
{
	if (mask >> 63) { /* the complement of a list */
		polc_buf_puts(out, " all but");
		mask = ~mask;
	}
	for (unsigned i = 0; i < 64; i++)
		if (mask >> i & 1 && polc_capability_name(i))
			polc_buf_printf(out, " %s", polc_capability_name(i));
}

static void print_namespace_mask(struct polc_buf *out, uint32_t mask)
{
	for (unsigned i = 0; i < POLB_N_NAMESPACES; i++)
		if (mask >> i & 1)
			polc_buf_printf(out, " %s", namespaces[i]);
}

static void print_net(struct printer *p, const struct polc_trace_test *test, const char *word)
{
	polc_buf_printf(p->out, "v%u %s%s", test->value,
		test->kind == POLC_TEST_ADDRESS || test->kind == POLC_TEST_PORT
			? test->destination ? "destination " : "source "
			: "",
		word);
	print_prefixes(p->out, &test->prefixes);
	print_intervals(p->out, &test->intervals, false);
}

static void print_value_test(struct printer *p, const struct polc_trace_test *test)
{
	bool is_signed = polc_trace_type_signed(
		p->spec->values.n ? p->spec->values.items[test->value].type : POLB_TYPE_NOP);

	if (test->kind == POLC_TEST_INTERVALS) {
		polc_buf_printf(p->out, "v%u in", test->value);
		print_intervals(p->out, &test->intervals, is_signed);
	} else if (test->kind == POLC_TEST_MASK) {
		polc_buf_printf(p->out, "v%u & 0x%" PRIx64, test->value, test->mask);
	} else if (test->kind == POLC_TEST_STRING) {
		polc_buf_printf(p->out, "v%u %s", test->value, string_ops[test->string_op]);
		print_strings(p->out, &test->strings);
	} else if (test->kind == POLC_TEST_FILE_TYPE) {
		polc_buf_printf(p->out, "v%u file type", test->value);
		for (size_t i = 0; i < test->intervals.n; i++)
			polc_buf_printf(p->out, " 0%" PRIo64, test->intervals.items[i].lo);
	} else if (test->kind == POLC_TEST_CAPS_GAINED) {
		polc_buf_printf(p->out, "v%u has what v%u has not", test->other, test->value);
	} else {
		polc_buf_puts(p->out, "expression ");
		print_expression(p->out, test->expression);
	}
}

static void print_requirements(
	struct polc_buf *out, const char *what, const struct polc_ast_selector *selector)
{
	if (!selector)
		return;
	polc_buf_printf(out, " %s", what);
	for (size_t i = 0; i < selector->requirements.n; i++) {
		const struct polc_ast_requirement *r = &selector->requirements.items[i];

		polc_buf_printf(out, " %u:%s", (unsigned)r->op, r->key);
		for (size_t j = 0; j < r->values.n; j++)
			polc_buf_printf(out, "%c%s", j ? '|' : '=', r->values.items[j]);
	}
}

static void print_workload(struct printer *p, uint32_t number)
{
	const struct polc_trace_workload *workload = &p->tracing->workloads[number];

	if (!p->unnumbered) {
		polc_buf_printf(p->out, "workload %u", number);
		return;
	}
	polc_buf_printf(p->out, "workload in %s%s",
		workload->namespace ? workload->namespace : "any namespace",
		workload->selectors->host ? " host" : "");
	print_requirements(p->out, "pods", workload->selectors->pods);
	print_requirements(p->out, "containers", workload->selectors->containers);
}

static void print_process_test(struct printer *p, const struct polc_trace_test *test)
{
	struct polc_buf *out = p->out;

	if (test->kind == POLC_TEST_PIDS) {
		polc_buf_printf(out, "%s%s in", test->namespace_pid ? "namespace pid" : "pid",
			test->follow_forks ? " of it or an ancestor" : "");
		print_intervals(out, &test->pids, false);
	} else if (test->kind == POLC_TEST_BINARY) {
		polc_buf_printf(out, "%sbinary%s %s", test->parent ? "parent " : "",
			test->follow_children ? " of it or an ancestor" : "",
			string_ops[test->string_op]);
		print_strings(out, &test->strings);
	} else if (test->kind == POLC_TEST_NAMESPACE) {
		polc_buf_printf(out, "namespace %s in%s", namespaces[test->ns],
			test->host_namespace ? " host" : "");
		print_intervals(out, &test->intervals, false);
	} else if (test->kind == POLC_TEST_NAMESPACE_CHANGES) {
		polc_buf_puts(out, "changed namespace of");
		print_namespace_mask(out, test->ns_mask);
	} else if (test->kind == POLC_TEST_WORKLOAD) {
		print_workload(p, test->workload);
	} else {
		polc_buf_printf(out, "%s%s capability of%s",
			test->kind == POLC_TEST_CAPABILITY_CHANGES ? "changed " : "",
			cap_sets[test->caps],
			test->in_other_user_namespace ? " (in another user namespace)" : "");
		print_capabilities(out, test->mask);
	}
}

static void print_test(struct printer *p, const struct polc_trace_test *test, const char *place)
{
	polc_buf_printf(p->out, "      %s%s", place, test->negate ? "not " : "");
	switch (test->kind) {
	case POLC_TEST_INTERVALS:
	case POLC_TEST_MASK:
	case POLC_TEST_STRING:
	case POLC_TEST_FILE_TYPE:
	case POLC_TEST_CAPS_GAINED:
	case POLC_TEST_EXPRESSION:
		print_value_test(p, test);
		break;
	case POLC_TEST_ADDRESS:
		print_net(p, test, "address in");
		break;
	case POLC_TEST_PORT:
		print_net(p, test, "port in");
		break;
	case POLC_TEST_PROTOCOL:
		print_net(p, test, "protocol in");
		break;
	case POLC_TEST_FAMILY:
		print_net(p, test, "family in");
		break;
	case POLC_TEST_STATE:
		print_net(p, test, "state in");
		break;
	case POLC_TEST_PIDS:
	case POLC_TEST_BINARY:
	case POLC_TEST_NAMESPACE:
	case POLC_TEST_NAMESPACE_CHANGES:
	case POLC_TEST_CAPABILITIES:
	case POLC_TEST_CAPABILITY_CHANGES:
	case POLC_TEST_WORKLOAD:
		print_process_test(p, test);
		break;
	}
	if (test->on_error != POLC_ON_ERROR_NO_MATCH)
		polc_buf_printf(p->out, ", unknown means %s",
			test->on_error == POLC_ON_ERROR_MATCH ? "match" : "deny");
	polc_buf_puts(p->out, "\n");
}

/* --- actions -------------------------------------------------------------------------------------
 */

static void print_registers(struct polc_buf *out, const struct polc_trace_action *action)
{
	for (size_t i = 0; i < action->n_registers; i++) {
		const struct polc_trace_register *r = &action->registers[i];

		polc_buf_printf(out, " [%u:%u]=", r->offset, r->size);
		if (r->constant || !r->from_register)
			polc_buf_printf(out, "%" PRId64, (int64_t)r->constant);
		if (r->from_register)
			polc_buf_printf(out, r->is_memory ? "([%u])" : "+[%u]", r->source_offset);
	}
	if (action->new_symbol)
		polc_buf_printf(out, " to %s", action->new_symbol);
	if (action->has_new_address)
		polc_buf_printf(out, " to address 0x%" PRIx64, action->new_address);
	if (action->has_new_offset)
		polc_buf_printf(out, " to offset 0x%" PRIx64, action->new_offset);
}

static void print_post(struct polc_buf *out, const struct polc_trace_action *action)
{
	static const char *const scopes[] = {"thread", "process", "global"};

	if (action->rate_interval_ns)
		polc_buf_printf(out, " every %" PRIu64 " s per %s",
			action->rate_interval_ns / 1000000000, scopes[action->rate_scope]);
	polc_buf_printf(out, "%s%s%s", action->kernel_stack ? " kernel-stack" : "",
		action->user_stack ? " user-stack" : "", action->ima_hash ? " ima-hash" : "");
}

static void print_action(
	struct printer *p, const struct polc_trace_action *action, const char *place)
{
	struct polc_buf *out = p->out;

	polc_buf_printf(out, "      %sdo %s", place, actions[action->kind]);
	switch (action->kind) {
	case POLB_ACTION_POST:
		print_post(out, action);
		break;
	case POLB_ACTION_SIGNAL:
		polc_buf_printf(out, " %u", action->signal);
		break;
	case POLB_ACTION_OVERRIDE:
		if (p->spec->section == POLC_SECTION_UPROBE)
			print_registers(out, action);
		else
			polc_buf_printf(out, " %d", action->error);
		break;
	case POLB_ACTION_NOTIFY_ENFORCER:
		polc_buf_printf(out, " error %d signal %u", action->error, action->signal);
		break;
	case POLB_ACTION_TRACK_SOCK:
	case POLB_ACTION_UNTRACK_SOCK:
		polc_buf_printf(out, " v%u", action->value);
		break;
	case POLB_ACTION_SET:
		polc_buf_printf(out, " probe argument %u to %u", action->value, action->set_to);
		break;
	case POLB_ACTION_GET_URL:
	case POLB_ACTION_DNS_LOOKUP:
		polc_buf_printf(out, " %s", action->text);
		break;
	case POLB_ACTION_NO_POST:
	case POLB_ACTION_SIGKILL:
	case POLB_ACTION_CLEANUP_ENFORCER:
	case POLB_N_TRACE_ACTIONS:
		break;
	}
	polc_buf_puts(out, "\n");
}

/* --- specs and policies --------------------------------------------------------------------------
 */

static void print_selector(struct printer *p, const struct polc_trace_selector *s)
{
	polc_buf_puts(p->out, "    selector");
	if (!p->unnumbered)
		polc_buf_printf(p->out, " %u", s->number);
	polc_buf_printf(p->out, "%s%s\n", s->label ? " " : "", s->label ? s->label : "");
	for (size_t i = 0; i < s->tests.n; i++)
		print_test(p, &s->tests.items[i], "");
	for (size_t i = 0; i < s->actions.n; i++)
		print_action(p, &s->actions.items[i], "");
	for (size_t i = 0; i < s->return_tests.n; i++)
		print_test(p, &s->return_tests.items[i], "at return ");
	for (size_t i = 0; i < s->return_actions.n; i++)
		print_action(p, &s->return_actions.items[i], "at return ");
}

static void print_program(struct printer *p)
{
	const struct polc_trace_spec *spec = p->spec;

	if (spec->path)
		polc_buf_printf(p->out, "    path %s\n", spec->path);
	for (size_t i = 0; i < spec->offsets.n; i++)
		polc_buf_printf(p->out, "    %s 0x%" PRIx64 "\n",
			spec->offsets_are_addresses ? "address" : "offset", spec->offsets.items[i]);
	for (size_t i = 0; i < spec->ref_ctr_offsets.n; i++)
		polc_buf_printf(p->out, "    reference counter at 0x%" PRIx64 "\n",
			spec->ref_ctr_offsets.items[i]);
	if (spec->digests.n) {
		polc_buf_puts(p->out, "    digest");
		print_strings(p->out, &spec->digests);
		polc_buf_puts(p->out, "\n");
	}
}

static void print_spec(struct printer *p)
{
	const struct polc_trace_spec *spec = p->spec;

	polc_buf_puts(p->out, "  spec");
	if (!p->unnumbered)
		polc_buf_printf(p->out, " %u", spec->number);
	polc_buf_printf(p->out, " %s%s%s%s%s%s\n", sections[spec->section], spec->raw ? " raw" : "",
		spec->syscall ? " syscall" : "", spec->from_list ? " list" : "",
		spec->has_return ? " return" : "", spec->ignore_not_found ? " optional" : "");
	for (size_t i = 0; i < spec->symbols.n; i++)
		polc_buf_printf(p->out, "    on %s%s\n", spec->symbols.items[i].name,
			spec->symbols.items[i].missing ? " (missing)" : "");
	print_program(p);
	for (size_t i = 0; i < spec->values.n; i++)
		print_value(p, i);
	if (spec->return_arg_action != POLB_ACTION_POST)
		polc_buf_printf(p->out, "    result: %s\n", actions[spec->return_arg_action]);
	for (size_t i = 0; i < spec->selectors.n; i++)
		print_selector(p, &spec->selectors.items[i]);
}

/* Mode, whom it is for, how many events: what a policy says about all of its specs. */
static void print_policy_settings(struct printer *p, const struct polc_trace_policy *policy)
{
	polc_buf_printf(p->out, "%s%s", modes[policy->mode], policy->loader ? " loader" : "");
	if (policy->has_workload) {
		polc_buf_puts(p->out, " ");
		print_workload(p, policy->workload);
	}
	if (policy->events_per_second)
		polc_buf_printf(p->out, " %u/s burst %u sample %u", policy->events_per_second,
			policy->burst, policy->sample);
	polc_buf_puts(p->out, "\n");
	for (size_t i = 0; i < policy->enforcer_calls.n; i++)
		polc_buf_printf(p->out, "  enforcer on %s\n", policy->enforcer_calls.items[i].name);
}

static void print_policy(struct printer *p, const struct polc_trace_policy *policy)
{
	polc_buf_printf(p->out, "policy %u ", policy->number);
	if (policy->namespace)
		polc_buf_printf(p->out, "%s/", policy->namespace);
	polc_buf_printf(p->out, "%s ", policy->name);
	print_policy_settings(p, policy);
	for (uint32_t i = 0; i < policy->n_specs; i++) {
		p->spec = &p->tracing->specs[policy->first_spec + i];
		print_spec(p);
	}
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Which differences there are, not where: the IR of two spellings is the same. */
static void print_differences(
	const struct polc_tracing *tracing, struct polc *polc, struct polc_buf *out)
{
	const char **ids = POLC_NEW_ARRAY(&polc->arena, tracing->n_deltas + 1, const char *);

	for (size_t i = 0; i < tracing->n_deltas; i++)
		ids[i] = tracing->deltas[i].id;
	qsort(ids, tracing->n_deltas, sizeof(*ids), compare_text);
	for (size_t i = 0; i < tracing->n_deltas; i++)
		if (!i || strcmp(ids[i], ids[i - 1]) != 0)
			polc_buf_printf(out, "difference %s\n", ids[i]);
}

void polc_tracing_print(const struct polc_tracing *tracing, struct polc *polc, struct polc_buf *out)
{
	struct printer p = {.tracing = tracing, .out = out};

	for (size_t i = 0; i < tracing->n_policies; i++)
		print_policy(&p, &tracing->policies[i]);
	print_differences(tracing, polc, out);
}

void polc_trace_spec_print(const struct polc_tracing *tracing, const struct polc_trace_spec *spec,
	struct polc_buf *out)
{
	struct printer p = {.tracing = tracing, .spec = spec, .out = out, .unnumbered = true};

	print_policy_settings(&p, &tracing->policies[spec->policy]);
	print_spec(&p);
	if (spec->message)
		polc_buf_printf(out, "    message %s\n", spec->message);
	for (size_t i = 0; i < spec->tags.n; i++)
		polc_buf_printf(out, "    tag %s\n", spec->tags.items[i]);
}

void polc_trace_test_print(const struct polc_tracing *tracing, const struct polc_trace_spec *spec,
	const struct polc_trace_test *test, struct polc_buf *out)
{
	struct printer p = {.tracing = tracing, .spec = spec, .out = out, .unnumbered = true};

	print_test(&p, test, "");
}

const char *polc_trace_spec_text(struct polc_arena *arena, const struct polc_trace_spec *spec)
{
	static const char *const words[] = {
		[POLC_SECTION_KPROBE] = "kprobe",
		[POLC_SECTION_FENTRY] = "fentry",
		[POLC_SECTION_TRACEPOINT] = "tracepoint",
		[POLC_SECTION_LSM] = "lsm",
		[POLC_SECTION_UPROBE] = "uprobe",
		[POLC_SECTION_USDT] = "usdt",
	};
	const char *word = spec->syscall ? "syscall" : words[spec->section];

	if (spec->section == POLC_SECTION_USDT)
		return polc_arena_printf(
			arena, "usdt %s:%s:%s", spec->path, spec->provider, spec->name);
	if (!spec->symbols.n)
		return polc_arena_printf(arena, "%s %s", word, spec->path ? spec->path : "");
	const char *symbol =
		spec->syscall ? spec->symbols.items[0].syscall.name : spec->symbols.items[0].name;

	if (spec->section == POLC_SECTION_UPROBE)
		return polc_arena_printf(arena, "uprobe %s:%s", spec->path, symbol);
	if (spec->symbols.n > 1)
		return polc_arena_printf(
			arena, "%s %s and %zu more", word, symbol, (size_t)spec->symbols.n - 1);
	return polc_arena_printf(arena, "%s%s %s", spec->raw ? "raw-" : "", word, symbol);
}
