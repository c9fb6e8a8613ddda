/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Described calls, tests on them and what becomes of them, as people read it. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../runtime/names.h"
#include "../ir/lower_tracing.h"
#include "call_private.h"

enum { SHOWN = 6 }; /* alternatives of a set */

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
static const char *const cap_sets[] = {"permitted", "effective", "inheritable"};

const char *polc_call_truth_name(enum polc_call_truth truth)
{
	static const char *const names[] = {"no", "yes", "unreadable", "open"};

	return names[truth];
}

/* ---- sets ---- */

/* Behind the first few of a set of n: how many more; true: stop. */
static bool separate(struct polc_buf *out, size_t i, size_t n)
{
	if (i == SHOWN && n > SHOWN + 1) {
		polc_buf_printf(out, " and %zu more", n - i);
		return true;
	}
	polc_buf_puts(out, i ? ", " : " ");
	return false;
}

static void put_bytes(struct polc_buf *out, const struct polc_string *s)
{
	polc_buf_puts(out, "\"");
	for (size_t i = 0; i < s->n; i++) {
		unsigned char c = (unsigned char)s->bytes[i];

		if (c == '"' || c == '\\')
			polc_buf_printf(out, "\\%c", c);
		else if (isprint(c) && c < 0x80)
			polc_buf_printf(out, "%c", c);
		else
			polc_buf_printf(out, "\\x%02x", c);
	}
	polc_buf_puts(out, "\"");
}

static void put_strings(struct polc_buf *out, const polc_strings *strings)
{
	for (size_t i = 0; i < strings->n; i++) {
		if (separate(out, i, strings->n))
			return;
		put_bytes(out, &strings->items[i]);
	}
}

struct number_style {
	bool is_signed;
	const char *(*name)(struct polc_arena *arena, uint64_t number); /* or NULL */
};

static const char *capability_name(struct polc_arena *arena, uint64_t number)
{
	(void)arena;
	return number < 64 ? polc_capability_name((unsigned)number) : NULL;
}

static const char *family_name(struct polc_arena *arena, uint64_t number)
{
	(void)arena;
	return polb_name_known(POLB_NAMES_FAMILY, (uint32_t)number);
}

static const char *protocol_name(struct polc_arena *arena, uint64_t number)
{
	(void)arena;
	return polb_name_known(POLB_NAMES_PROTOCOL, (uint32_t)number);
}

static const char *state_name(struct polc_arena *arena, uint64_t number)
{
	(void)arena;
	return polb_name_known(POLB_NAMES_TCP_STATE, (uint32_t)number);
}

static const char *file_type_name(struct polc_arena *arena, uint64_t number)
{
	static const char *const words[] = {"reg", "dir", "lnk", "blk", "chr", "fifo", "sock"};
	uint64_t type;

	(void)arena;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(words); i++)
		if (polc_call_parse_file_type(words[i], &type) && type == number)
			return words[i];
	return NULL;
}

static const char *call_name(struct polc_arena *arena, uint64_t number)
{
	enum polc_abi abi = number & 0x80000000 ? POLC_ABI_I386 : POLC_ABI_X64;
	size_t n;
	const char *const *names = polc_syscall_names(abi, &n);
	struct polc_syscall call;

	for (size_t i = 0; i < n; i++) {
		const char *spelled = abi == POLC_ABI_I386
					      ? polc_arena_printf(arena, "i386/%s", names[i])
					      : names[i];

		if (polc_syscall_parse(spelled, &call) && call.number == (number & 0x7fffffff))
			return spelled;
	}
	return NULL;
}

static void put_number(struct polc_buf *out, uint64_t key, const struct number_style *style)
{
	uint64_t number = style->is_signed ? key ^ UINT64_C(1) << 63 : key;
	const char *name = style->name ? style->name(out->arena, number) : NULL;

	if (name)
		polc_buf_puts(out, name);
	else if (style->is_signed)
		polc_buf_printf(out, "%" PRId64, (int64_t)number);
	else
		polc_buf_printf(out, "%" PRIu64, number);
}

static void put_intervals(
	struct polc_buf *out, const polc_intervals *set, const struct number_style *style)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct polc_interval *interval = &set->items[i];

		if (separate(out, i, set->n))
			return;
		put_number(out, interval->lo, style);
		if (interval->hi == interval->lo)
			continue;
		polc_buf_puts(out, "..");
		put_number(out, interval->hi, style);
	}
}

static void put_caps(struct polc_buf *out, uint64_t mask)
{
	size_t n = 0;

	for (unsigned i = 0; i < 64; i++) {
		if (!(mask >> i & 1))
			continue;
		if (separate(out, n, (size_t)__builtin_popcountll(mask)))
			return;
		n++;
		if (polc_capability_name(i))
			polc_buf_puts(out, polc_capability_name(i));
		else
			polc_buf_printf(out, "bit %u", i);
	}
}

/* ---- tests on values ---- */

static const char *key_of(const struct polc_call_judge *j, uint32_t value)
{
	return j->member->values[value].key;
}

static const char *is_among(bool single, bool negate)
{
	return single ? negate ? " is not" : " is" : negate ? " is none of" : " is one of";
}

static bool is_single(const polc_intervals *set)
{
	return set->n == 1 && set->items[0].lo == set->items[0].hi;
}

static struct number_style style_of(const struct polc_call_judge *j, uint32_t value)
{
	uint8_t type = j->spec->values.items[value].type;
	struct number_style style = {.is_signed = polc_trace_type_signed(type)};

	if (type == POLB_TYPE_CAPABILITY)
		style.name = capability_name;
	else if (type == POLB_TYPE_SYSCALL64)
		style.name = call_name;
	return style;
}

static void put_set(struct polc_buf *out, const struct polc_call_judge *j,
	const struct polc_trace_test *test, const char *part, const struct number_style *style)
{
	bool range = test->intervals.n == 1 && !is_single(&test->intervals);

	polc_buf_printf(out, "%s%s%s", key_of(j, test->value), part,
		range ? test->negate ? " is not in" : " is in"
		      : is_among(is_single(&test->intervals), test->negate));
	put_intervals(out, &test->intervals, style);
}

static const char *string_words(enum polc_string_op op, bool negate, bool single)
{
	switch (op) {
	case POLC_STRING_EQUAL:
		return is_among(single, negate);
	case POLC_STRING_PREFIX:
		return negate ? " does not begin with" : " begins with";
	case POLC_STRING_POSTFIX:
		return negate ? " does not end in" : " ends in";
	case POLC_STRING_SUBSTRING:
		return negate ? " does not contain" : " contains";
	case POLC_STRING_SUBSTRING_FOLDED:
		return negate ? " does not contain (any case)" : " contains (any case)";
	case POLC_N_STRING_OPS:
		break;
	}
	return "";
}

static void put_addresses(
	struct polc_buf *out, const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	char text[POLB_ADDR_TEXT];

	polc_buf_printf(out, "%s.%s is%s in", key_of(j, test->value),
		test->destination ? "daddr" : "saddr", test->negate ? " not" : "");
	for (size_t i = 0; i < test->prefixes.n; i++) {
		if (separate(out, i, test->prefixes.n))
			return;
		polb_prefix_format(&test->prefixes.items[i], text);
		polc_buf_puts(out, text);
	}
}

static const char *operator_word(enum polc_expression_op op)
{
	static const char *const words[] = {
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
		[POLC_EXPR_CAST] = "",
	};

	return words[op];
}

static void put_expression(struct polc_buf *out, const struct polc_call_judge *j,
	const struct polc_expression *x, bool outer)
{
	if (x->op == POLC_EXPR_VALUE) {
		polc_buf_puts(out, key_of(j, x->number));
		return;
	}
	if (x->op == POLC_EXPR_CONSTANT) {
		polc_buf_printf(out, x->is_signed ? "%" PRId64 : "%" PRIu64, x->constant);
		return;
	}
	if (x->op == POLC_EXPR_CAST)
		polc_buf_printf(out, "%sint%u", x->is_signed ? "" : "u", x->width * 8);
	polc_buf_puts(out, outer ? "" : "(");
	if (x->right) {
		put_expression(out, j, x->left, false);
		polc_buf_printf(out, " %s ", operator_word(x->op));
		put_expression(out, j, x->right, false);
	} else {
		polc_buf_puts(out, operator_word(x->op));
		put_expression(out, j, x->left, x->op == POLC_EXPR_CAST);
	}
	polc_buf_puts(out, outer ? "" : ")");
}

/* ---- tests on the process ---- */

static void put_binary(struct polc_buf *out, const struct polc_trace_test *test)
{
	polc_buf_printf(out, "%s%s%s", test->parent ? "parent" : "binary",
		test->follow_children ? ", or an ancestor's," : "",
		string_words(test->string_op, test->negate, test->strings.n == 1));
	put_strings(out, &test->strings);
}

static void put_namespace(struct polc_buf *out, const struct polc_trace_test *test)
{
	size_t n = test->intervals.n + test->host_namespace;

	polc_buf_printf(out, "ns.%s%s%s", namespaces[test->ns],
		is_among(n == 1 && (!test->intervals.n || is_single(&test->intervals)),
			test->negate),
		test->host_namespace ? test->intervals.n ? " host," : " host" : "");
	put_intervals(out, &test->intervals, &(struct number_style){0});
}

static void put_process_test(struct polc_buf *out, const struct polc_trace_test *test)
{
	const char *set = test->caps < POLB_N_CAPS ? cap_sets[test->caps] : "";

	switch (test->kind) {
	case POLC_TEST_PIDS:
		polc_buf_printf(out, "%s%s%s", test->namespace_pid ? "nspid" : "pid",
			test->follow_forks ? ", or an ancestor's," : "",
			is_among(is_single(&test->pids), test->negate));
		put_intervals(out, &test->pids, &(struct number_style){0});
		return;
	case POLC_TEST_BINARY:
		put_binary(out, test);
		return;
	case POLC_TEST_NAMESPACE:
		put_namespace(out, test);
		return;
	case POLC_TEST_NAMESPACE_CHANGES:
		polc_buf_puts(out, "changed since exec: namespace");
		for (unsigned i = 0, n = 0; i < POLB_N_NAMESPACES; i++)
			if (test->ns_mask >> i & 1)
				polc_buf_printf(out, "%s %s", n++ ? " or" : "", namespaces[i]);
		return;
	case POLC_TEST_CAPABILITIES:
		polc_buf_printf(out, "%s capabilities %s", set,
			test->negate ? "have none of" : "have one of");
		put_caps(out, test->mask);
		break;
	case POLC_TEST_CAPABILITY_CHANGES:
		polc_buf_printf(out, "%s capabilities changed since exec, %s", set,
			test->negate ? "but none of" : "one of");
		put_caps(out, test->mask);
		break;
	case POLC_TEST_WORKLOAD:
		polc_buf_puts(out, "the workload is selected");
		return;
	case POLC_TEST_INTERVALS:
	case POLC_TEST_MASK:
	case POLC_TEST_STRING:
	case POLC_TEST_FILE_TYPE:
	case POLC_TEST_ADDRESS:
	case POLC_TEST_PORT:
	case POLC_TEST_PROTOCOL:
	case POLC_TEST_FAMILY:
	case POLC_TEST_STATE:
	case POLC_TEST_CAPS_GAINED:
	case POLC_TEST_EXPRESSION:
		return;
	}
	if (test->in_other_user_namespace)
		polc_buf_puts(out, ", in a user namespace of its own");
}

const char *polc_call_test_text(const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	struct polc_buf out = {.arena = j->arena};
	struct number_style style = {0};

	switch (test->kind) {
	case POLC_TEST_INTERVALS:
		style = style_of(j, test->value);
		put_set(&out, j, test, "", &style);
		break;
	case POLC_TEST_MASK:
		polc_buf_printf(
			&out, "%s has a bit of 0x%" PRIx64, key_of(j, test->value), test->mask);
		break;
	case POLC_TEST_STRING:
		polc_buf_printf(&out, "%s%s", key_of(j, test->value),
			string_words(test->string_op, test->negate, test->strings.n == 1));
		put_strings(&out, &test->strings);
		break;
	case POLC_TEST_FILE_TYPE:
		put_set(&out, j, test, ".type", &(struct number_style){.name = file_type_name});
		break;
	case POLC_TEST_ADDRESS:
		put_addresses(&out, j, test);
		break;
	case POLC_TEST_PORT:
		put_set(&out, j, test, test->destination ? ".dport" : ".sport", &style);
		break;
	case POLC_TEST_PROTOCOL:
		put_set(&out, j, test, ".protocol", &(struct number_style){.name = protocol_name});
		break;
	case POLC_TEST_FAMILY:
		put_set(&out, j, test, ".family", &(struct number_style){.name = family_name});
		break;
	case POLC_TEST_STATE:
		put_set(&out, j, test, ".state", &(struct number_style){.name = state_name});
		break;
	case POLC_TEST_CAPS_GAINED:
		polc_buf_printf(&out, "%s has a capability that %s has not", key_of(j, test->other),
			key_of(j, test->value));
		break;
	case POLC_TEST_EXPRESSION:
		put_expression(&out, j, test->expression, true);
		break;
	case POLC_TEST_PIDS:
	case POLC_TEST_BINARY:
	case POLC_TEST_NAMESPACE:
	case POLC_TEST_NAMESPACE_CHANGES:
	case POLC_TEST_CAPABILITIES:
	case POLC_TEST_CAPABILITY_CHANGES:
	case POLC_TEST_WORKLOAD:
		put_process_test(&out, test);
		break;
	}
	return out.p;
}

/* ---- calls and effects ---- */

static bool is_of_process(const char *key)
{
	static const char *const keys[] = {"process", "binary", "parent", "ancestors", "pid",
		"nspid", "ancestor-pids", "ancestor-nspids", "changed-ns", "effective", "permitted",
		"inheritable", "old-effective", "old-permitted", "old-inheritable",
		"user-namespace", "workload", "pod", "namespace", "labels", "container", "image"};

	if (!strncmp(key, "ns.", 3) || !strncmp(key, "old-ns.", 7))
		return true;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

const char *polc_call_text(struct polc_arena *arena, const struct polc_call *call)
{
	struct polc_buf out = {.arena = arena}, process = {.arena = arena};
	const char *binary = NULL;
	size_t n = 0;

	polc_buf_printf(&out, "%s(", call->hook);
	for (size_t i = 0; i < call->n_facts; i++) {
		const struct polc_call_fact *fact = &call->facts[i];

		if (!strcmp(fact->key, "binary"))
			binary = fact->value;
		else if (is_of_process(fact->key))
			polc_buf_printf(
				&process, "%s%s=%s", process.n ? ", " : "", fact->key, fact->value);
		else
			polc_buf_printf(&out, "%s%s=%s", n++ ? ", " : "", fact->key, fact->value);
	}
	polc_buf_puts(&out, ")");
	if (binary)
		polc_buf_printf(&out, " by %s", *binary ? binary : "\"\"");
	if (process.n)
		polc_buf_printf(&out, binary ? " with %s" : " by a process with %s", process.p);
	return out.p;
}

static void put_part(struct polc_buf *out, const char *text)
{
	polc_buf_printf(out, "%s%s", out->n ? ", " : "", text);
}

static const char *error_text(struct polc_arena *arena, int32_t error)
{
	const char *name = polc_errno_name(-error);

	return name ? polc_arena_printf(arena, "-%s", name) : polc_arena_printf(arena, "%d", error);
}

static void put_signal(struct polc_buf *out, uint32_t signal)
{
	const char *name = polb_name_known(POLB_NAMES_SIGNAL, signal);
	const char *verb = signal == 9 ? "killed with" : "sent";

	if (signal && name)
		put_part(out, polc_arena_printf(out->arena, "%s %s", verb, name));
	else if (signal)
		put_part(out, polc_arena_printf(out->arena, "%s signal %u", verb, signal));
}

const char *polc_call_effect_text(
	struct polc_arena *arena, const struct polc_call_effect *effect, bool monitored)
{
	struct polc_buf out = {.arena = arena};
	uint64_t others =
		effect->actions &
		(UINT64_C(1) << POLB_ACTION_TRACK_SOCK | UINT64_C(1) << POLB_ACTION_UNTRACK_SOCK |
			UINT64_C(1) << POLB_ACTION_CLEANUP_ENFORCER |
			UINT64_C(1) << POLB_ACTION_GET_URL | UINT64_C(1) << POLB_ACTION_DNS_LOOKUP);

	put_signal(&out, effect->signal);
	if (effect->has_error)
		put_part(&out, polc_arena_printf(arena, "%s %s",
				       effect->owed ? "the enforcer's call returns" : "returns",
				       error_text(arena, effect->error)));
	if (effect->rewritten)
		put_part(&out, effect->actions >> POLB_ACTION_SET & 1 ? "memory is set"
								      : "registers are set");
	for (unsigned i = 0; i < POLB_N_TRACE_ACTIONS; i++)
		if (others >> i & 1)
			put_part(&out, actions[i]);
	if (effect->posts)
		put_part(&out, out.n ? "event" : "event only");
	if (monitored && out.n)
		polc_buf_puts(&out, " (monitor mode)");
	return out.n ? out.p : monitored ? "passes (monitor mode)" : "passes";
}

/* Some spec that matches would have enforced. */
static bool is_monitored(const struct polc_call_decision *decision)
{
	const uint64_t enforcing =
		UINT64_C(1) << POLB_ACTION_SIGKILL | UINT64_C(1) << POLB_ACTION_SIGNAL |
		UINT64_C(1) << POLB_ACTION_OVERRIDE | UINT64_C(1) << POLB_ACTION_NOTIFY_ENFORCER |
		UINT64_C(1) << POLB_ACTION_SET;

	for (size_t i = 0; i < decision->matches.n; i++) {
		const struct polc_call_match *match = &decision->matches.items[i];

		if (!match->enforces && (match->actions | match->return_actions) & enforcing)
			return true;
	}
	return false;
}

const char *polc_call_decision_text(
	struct polc_arena *arena, const struct polc_call_decision *decision)
{
	struct polc_buf out = {.arena = arena};
	const char *sure = polc_call_effect_text(arena, &decision->sure, is_monitored(decision));

	if (decision->certain)
		return sure;
	const char *possible = polc_call_effect_text(arena, &decision->possible, false);

	if (!strcmp(sure, possible))
		polc_buf_puts(&out, sure);
	else
		polc_buf_printf(&out, "open: at least \"%s\", at most \"%s\"", sure, possible);
	for (size_t i = 0; i < decision->depends_on.n; i++)
		polc_buf_printf(
			&out, "%s%s", i ? ", " : "; depends on ", decision->depends_on.items[i]);
	return out.p;
}
