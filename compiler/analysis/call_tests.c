/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One test on a described call. The meaning of tests as it is written down in
 * bpf-templates/tracing.md, from scratch: sets of numbers and strings are gone through one by one.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>

#include "call_private.h"

enum { FORKS = 16 }; /* ancestors that matchPIDs goes up, the process included */

static enum polc_call_truth truth(bool holds)
{
	return holds ? POLC_CALL_YES : POLC_CALL_NO;
}

static enum polc_call_truth not_said(enum polc_said said)
{
	return said == POLC_UNREADABLE ? POLC_CALL_UNREADABLE : POLC_CALL_OPEN;
}

static enum polc_call_truth negate(enum polc_call_truth result, bool negated)
{
	if (!negated || result > POLC_CALL_YES)
		return result;
	return truth(result == POLC_CALL_NO);
}

/* One of two is enough; what is open may still become true, what is unreadable does not. */
static enum polc_call_truth either(enum polc_call_truth a, enum polc_call_truth b)
{
	if (a == POLC_CALL_YES || b == POLC_CALL_YES)
		return POLC_CALL_YES;
	if (a == POLC_CALL_OPEN || b == POLC_CALL_OPEN)
		return POLC_CALL_OPEN;
	return a == POLC_CALL_UNREADABLE ? a : b;
}

/* ---- values ---- */

static bool contains(const polc_intervals *intervals, uint64_t key)
{
	for (size_t i = 0; i < intervals->n; i++)
		if (key >= intervals->items[i].lo && key <= intervals->items[i].hi)
			return true;
	return false;
}

static const struct polc_call_value *value_of(const struct polc_call_judge *j, uint32_t value)
{
	return &j->member->values[value];
}

static struct polc_call_number number_of(const struct polc_call_judge *j, uint32_t value)
{
	struct polc_call_number number = value_of(j, value)->number;

	if (number.said == POLC_NOT_SAID && j->replaced &&
		j->spec->values.items[value].origin == POLC_ORIGIN_RESULT)
		return (struct polc_call_number){POLC_SAID, (uint64_t)(int64_t)j->error};
	return number;
}

static enum polc_call_truth test_intervals(
	const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	bool is_signed = polc_trace_type_signed(j->spec->values.items[test->value].type);
	struct polc_call_number number = number_of(j, test->value);

	if (number.said != POLC_SAID)
		return not_said(number.said);
	/* order of signed numbers: as unsigned ones whose highest bit is flipped */
	return truth(contains(
		&test->intervals, is_signed ? number.value ^ UINT64_C(1) << 63 : number.value));
}

static enum polc_call_truth test_mask(
	const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	struct polc_call_number number = number_of(j, test->value);

	return number.said == POLC_SAID ? truth(number.value & test->mask) : not_said(number.said);
}

static enum polc_call_truth test_caps_gained(
	const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	struct polc_call_number a = number_of(j, test->value), b = number_of(j, test->other);

	if (a.said == POLC_UNREADABLE || b.said == POLC_UNREADABLE)
		return POLC_CALL_UNREADABLE;
	if (a.said != POLC_SAID || b.said != POLC_SAID)
		return POLC_CALL_OPEN;
	return truth(b.value & ~a.value);
}

/* ---- strings ---- */

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_bytes(const char *a, const char *b, size_t n, bool folded)
{
	for (size_t i = 0; i < n; i++)
		if ((folded ? fold(a[i]) : a[i]) != b[i])
			return false;
	return true;
}

static bool string_holds(
	enum polc_string_op op, const struct polc_string *text, const struct polc_string *wanted)
{
	bool folded = op == POLC_STRING_SUBSTRING_FOLDED;

	if (wanted->n > text->n)
		return false;
	size_t spare = text->n - wanted->n;

	switch (op) {
	case POLC_STRING_EQUAL:
		return !spare && same_bytes(text->bytes, wanted->bytes, wanted->n, false);
	case POLC_STRING_PREFIX:
		return same_bytes(text->bytes, wanted->bytes, wanted->n, false);
	case POLC_STRING_POSTFIX:
		return same_bytes(text->bytes + spare, wanted->bytes, wanted->n, false);
	case POLC_STRING_SUBSTRING:
	case POLC_STRING_SUBSTRING_FOLDED:
		for (size_t i = 0; i <= spare; i++)
			if (same_bytes(text->bytes + i, wanted->bytes, wanted->n, folded))
				return true;
		return false;
	case POLC_N_STRING_OPS:
		break;
	}
	POLC_BUG("unknown operation %d on strings", (int)op);
}

static bool any_string(const struct polc_trace_test *test, const struct polc_string *text)
{
	for (size_t i = 0; i < test->strings.n; i++)
		if (string_holds(test->string_op, text, &test->strings.items[i]))
			return true;
	return false;
}

static enum polc_call_truth test_string(
	const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	const struct polc_call_value *value = value_of(j, test->value);
	enum polb_trace_class class =
		polc_trace_type_class(j->spec->values.items[test->value].type);

	if (class == POLB_CLASS_UNIX && value->family.said == POLC_SAID &&
		value->family.value != AF_UNIX)
		return POLC_CALL_UNREADABLE;
	if (value->text.said != POLC_SAID)
		return not_said(value->text.said);
	if (class == POLB_CLASS_PATH && !value->text.text.n)
		return POLC_CALL_UNREADABLE; /* a pipe, a socket */
	return truth(any_string(test, &value->text.text));
}

static enum polc_call_truth test_file_type(
	const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	const struct polc_call_number *mode = &value_of(j, test->value)->mode;

	if (mode->said != POLC_SAID)
		return not_said(mode->said);
	if (!(mode->value & S_IFMT))
		return POLC_CALL_UNREADABLE;
	return truth(contains(&test->intervals, mode->value & S_IFMT));
}

/* ---- network ---- */

static bool is_ip(uint64_t family)
{
	return family == AF_INET || family == AF_INET6;
}

/* Whether there are addresses and ports: YES, UNREADABLE (another family) or OPEN. */
static enum polc_call_truth has_addresses(const struct polc_call_value *value)
{
	if (value->family.said == POLC_SAID)
		return is_ip(value->family.value) ? POLC_CALL_YES : POLC_CALL_UNREADABLE;
	return value->family.said == POLC_UNREADABLE ? POLC_CALL_UNREADABLE : POLC_CALL_YES;
}

static enum polc_call_truth test_address(
	const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	const struct polc_call_value *value = value_of(j, test->value);
	const struct polc_call_address *address = &value->address[test->destination];
	struct polb_addr addr = address->addr;

	if (has_addresses(value) != POLC_CALL_YES)
		return has_addresses(value);
	if (address->said != POLC_SAID)
		return not_said(address->said);
	if (polb_addr_is_v4_mapped(&addr)) {
		addr = (struct polb_addr){.family = 4};
		memcpy(addr.bytes, address->addr.bytes + 12, 4);
	}
	for (size_t i = 0; i < test->prefixes.n; i++)
		if (polb_prefix_has(&test->prefixes.items[i], &addr))
			return POLC_CALL_YES;
	return POLC_CALL_NO;
}

static enum polc_call_truth test_port(
	const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	const struct polc_call_value *value = value_of(j, test->value);
	const struct polc_call_number *port = &value->port[test->destination];

	if (has_addresses(value) != POLC_CALL_YES)
		return has_addresses(value);
	return port->said == POLC_SAID ? truth(contains(&test->intervals, port->value))
				       : not_said(port->said);
}

/* A packet that is not IP has family 0: nothing of it is known then. */
static enum polc_call_truth test_protocol(
	const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	const struct polc_call_value *value = value_of(j, test->value);

	if (value->family.said == POLC_SAID && !value->family.value)
		return POLC_CALL_UNREADABLE;
	return value->protocol.said == POLC_SAID
		       ? truth(contains(&test->intervals, value->protocol.value))
		       : not_said(value->protocol.said);
}

/* Families and states: 0 is none. */
static enum polc_call_truth test_kind(
	const struct polc_call_number *number, const struct polc_trace_test *test)
{
	if (number->said != POLC_SAID)
		return not_said(number->said);
	return number->value ? truth(contains(&test->intervals, number->value))
			     : POLC_CALL_UNREADABLE;
}

/* A unix socket's family is a number like any other. */
static enum polc_call_truth test_family(
	const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	const struct polc_call_number *family = &value_of(j, test->value)->family;

	if (polc_trace_type_class(j->spec->values.items[test->value].type) == POLB_CLASS_UNIX &&
		family->said == POLC_SAID)
		return truth(contains(&test->intervals, family->value));
	return test_kind(family, test);
}

/* ---- CelExpr ---- */

static uint64_t evaluate(const struct polc_call_judge *j, const struct polc_expression *x)
{
	uint64_t a = x->left ? evaluate(j, x->left) : 0, b = x->right ? evaluate(j, x->right) : 0;
	bool less = x->is_signed ? (int64_t)a < (int64_t)b : a < b;

	switch (x->op) {
	case POLC_EXPR_VALUE:
		return number_of(j, x->number).value;
	case POLC_EXPR_CONSTANT:
		return (uint64_t)x->constant;
	case POLC_EXPR_ADD:
		return a + b;
	case POLC_EXPR_SUB:
		return a - b;
	case POLC_EXPR_NEG:
		return -a;
	case POLC_EXPR_BIT_AND:
		return a & b;
	case POLC_EXPR_BIT_OR:
		return a | b;
	case POLC_EXPR_BIT_XOR:
		return a ^ b;
	case POLC_EXPR_BIT_NOT:
		return ~a;
	case POLC_EXPR_EQ:
		return a == b;
	case POLC_EXPR_NE:
		return a != b;
	case POLC_EXPR_LT:
		return less;
	case POLC_EXPR_LE:
		return less || a == b;
	case POLC_EXPR_GT:
		return !less && a != b;
	case POLC_EXPR_GE:
		return !less;
	case POLC_EXPR_AND:
		return a && b;
	case POLC_EXPR_OR:
		return a || b;
	case POLC_EXPR_NOT:
		return !a;
	case POLC_EXPR_CAST: {
		unsigned shift = 64 - 8 * x->width;

		return x->is_signed ? (uint64_t)((int64_t)(a << shift) >> shift)
				    : a << shift >> shift;
	}
	}
	POLC_BUG("unknown operation %d", (int)x->op);
}

/* Whether every value of it is known. */
static enum polc_call_truth expression_known(
	const struct polc_call_judge *j, const struct polc_expression *x)
{
	if (!x)
		return POLC_CALL_YES;
	if (x->op == POLC_EXPR_VALUE) {
		enum polc_said said = number_of(j, x->number).said;

		return said == POLC_SAID ? POLC_CALL_YES : not_said(said);
	}
	enum polc_call_truth a = expression_known(j, x->left), b = expression_known(j, x->right);

	if (a == POLC_CALL_UNREADABLE || b == POLC_CALL_UNREADABLE)
		return POLC_CALL_UNREADABLE;
	return a == POLC_CALL_YES ? b : a;
}

static enum polc_call_truth test_expression(
	const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	enum polc_call_truth known = expression_known(j, test->expression);

	return known == POLC_CALL_YES ? truth(evaluate(j, test->expression)) : known;
}

/* ---- the process ---- */

/* `first` and its ancestors, up to FORKS; in numbers of the host the next one counts as well. */
static enum polc_call_truth test_chain(const struct polc_trace_test *test,
	const struct polc_call_number *first, const struct polc_call_list *ancestors)
{
	size_t most = test->namespace_pid ? FORKS : FORKS + 1;
	enum polc_call_truth result =
		ancestors->said == POLC_NOT_SAID ? POLC_CALL_OPEN : POLC_CALL_NO;

	if (first->said != POLC_SAID)
		result = not_said(first->said);
	else if (test->namespace_pid && !first->value)
		return POLC_CALL_UNREADABLE; /* a process of the host */
	else if (contains(&test->pids, first->value))
		return POLC_CALL_YES;
	if (test->namespace_pid && result > POLC_CALL_YES && first->said != POLC_SAID)
		return result;
	for (size_t i = 0; i < ancestors->numbers.n && i + 1 < most; i++) {
		uint64_t pid = ancestors->numbers.items[i];

		if (test->namespace_pid && !pid)
			break; /* the host's begin here */
		if (contains(&test->pids, pid))
			return POLC_CALL_YES;
	}
	/* the first process's parent is 0 */
	if (!test->namespace_pid && ancestors->said == POLC_SAID &&
		ancestors->numbers.n + 1 < most && contains(&test->pids, 0))
		return POLC_CALL_YES;
	return result;
}

static enum polc_call_truth test_pids(
	const struct polc_call_process *process, const struct polc_trace_test *test)
{
	const struct polc_call_number *pid = test->namespace_pid ? &process->ns_pid : &process->pid;

	if (process->unknown && (test->namespace_pid || test->follow_forks))
		return POLC_CALL_UNREADABLE;
	if (test->follow_forks)
		return test_chain(test, pid,
			test->namespace_pid ? &process->ancestor_ns_pids : &process->ancestor_pids);
	return pid->said == POLC_SAID ? truth(contains(&test->pids, pid->value))
				      : not_said(pid->said);
}

static enum polc_call_truth test_image(
	const struct polc_trace_test *test, const struct polc_call_string *path)
{
	return path->said == POLC_SAID ? truth(any_string(test, &path->text))
				       : not_said(path->said);
}

static enum polc_call_truth test_ancestors(
	const struct polc_trace_test *test, const struct polc_call_list *ancestors)
{
	for (size_t i = 0; i < ancestors->texts.n; i++)
		if (any_string(test, &ancestors->texts.items[i]))
			return POLC_CALL_YES;
	return ancestors->said == POLC_NOT_SAID ? POLC_CALL_OPEN : POLC_CALL_NO;
}

/* An image that cannot be read is unknown; a parent or ancestor that cannot is no binary's. */
static enum polc_call_truth test_binary(
	const struct polc_call_process *process, const struct polc_trace_test *test)
{
	if (process->unknown)
		return POLC_CALL_UNREADABLE;
	enum polc_call_truth own = test_image(test, &process->binary);
	enum polc_call_truth parent = test_image(test, &process->parent);

	if (parent == POLC_CALL_UNREADABLE)
		parent = POLC_CALL_NO;
	if (!test->follow_children)
		return test->parent ? parent : own;
	enum polc_call_truth above = either(parent, test_ancestors(test, &process->ancestors));

	return test->parent ? above : either(own, above);
}

static enum polc_call_truth test_namespace(
	const struct polc_call_ns *ns, const struct polc_trace_test *test)
{
	if (ns->said != POLC_SAID)
		return not_said(ns->said);
	if (ns->kind == POLC_NS_NUMBER)
		return truth(contains(&test->intervals, ns->number));
	return truth(ns->kind == POLC_NS_HOST && test->host_namespace);
}

static enum polc_call_truth has_changed(
	const struct polc_call_ns *now, const struct polc_call_ns *old)
{
	if (now->said == POLC_UNREADABLE || old->said == POLC_UNREADABLE)
		return POLC_CALL_NO;
	if (now->said != POLC_SAID || old->said != POLC_SAID)
		return POLC_CALL_OPEN;
	if (now->kind != old->kind)
		return POLC_CALL_YES;
	if (now->kind == POLC_NS_OTHER)
		return POLC_CALL_OPEN;
	return truth(now->kind == POLC_NS_NUMBER && now->number != old->number);
}

static enum polc_call_truth test_namespace_changes(
	const struct polc_call_process *process, const struct polc_trace_test *test)
{
	enum polc_call_truth result = POLC_CALL_NO;

	if (process->unknown)
		return POLC_CALL_UNREADABLE;
	if (process->changes_said)
		return truth(process->changed_ns & test->ns_mask);
	for (unsigned i = 0; i < POLB_N_NAMESPACES; i++)
		if (test->ns_mask >> i & 1)
			result = either(result, has_changed(&process->ns[i], &process->old_ns[i]));
	return result;
}

static enum polc_call_truth test_capabilities(
	const struct polc_call_process *process, const struct polc_trace_test *test)
{
	const struct polc_call_number *now = &process->caps[test->caps];

	return now->said == POLC_SAID ? truth(now->value & test->mask) : not_said(now->said);
}

/* Negated: some changed, and none of those listed. */
static enum polc_call_truth test_capability_changes(
	const struct polc_call_process *process, const struct polc_trace_test *test)
{
	const struct polc_call_number *now = &process->caps[test->caps],
				      *old = &process->old_caps[test->caps];
	uint64_t changed = now->value ^ old->value;

	if (process->unknown || now->said == POLC_UNREADABLE || old->said == POLC_UNREADABLE)
		return POLC_CALL_UNREADABLE;
	if (now->said != POLC_SAID || old->said != POLC_SAID)
		return POLC_CALL_OPEN;
	return truth(test->negate ? changed && !(changed & test->mask) : changed & test->mask);
}

enum polc_call_truth polc_call_workload(const struct polc_call_judge *j, uint32_t workload)
{
	const struct polc_call_process *process = &j->call->process;

	if (!process->workload_said)
		return POLC_CALL_OPEN;
	int holds = polb_workload_holds(&j->tracing->workloads[workload].match, &process->workload);

	return holds < 0 ? POLC_CALL_OPEN : truth(holds);
}

/* ---- all ---- */

/* Before `negate`, but for changes, where it is no negation. */
static enum polc_call_truth test_plain(
	const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	const struct polc_call_process *process = &j->call->process;

	switch (test->kind) {
	case POLC_TEST_INTERVALS:
		return test_intervals(j, test);
	case POLC_TEST_MASK:
		return test_mask(j, test);
	case POLC_TEST_STRING:
		return test_string(j, test);
	case POLC_TEST_FILE_TYPE:
		return test_file_type(j, test);
	case POLC_TEST_ADDRESS:
		return test_address(j, test);
	case POLC_TEST_PORT:
		return test_port(j, test);
	case POLC_TEST_PROTOCOL:
		return test_protocol(j, test);
	case POLC_TEST_FAMILY:
		return test_family(j, test);
	case POLC_TEST_STATE:
		return test_kind(&value_of(j, test->value)->state, test);
	case POLC_TEST_CAPS_GAINED:
		return test_caps_gained(j, test);
	case POLC_TEST_EXPRESSION:
		return test_expression(j, test);
	case POLC_TEST_PIDS:
		return test_pids(process, test);
	case POLC_TEST_BINARY:
		return test_binary(process, test);
	case POLC_TEST_NAMESPACE:
		return test_namespace(&process->ns[test->ns], test);
	case POLC_TEST_NAMESPACE_CHANGES:
		return test_namespace_changes(process, test);
	case POLC_TEST_CAPABILITIES:
		return test_capabilities(process, test);
	case POLC_TEST_CAPABILITY_CHANGES:
		return test_capability_changes(process, test);
	case POLC_TEST_WORKLOAD:
		return polc_call_workload(j, test->workload);
	}
	POLC_BUG("unknown test %d", (int)test->kind);
}

enum polc_call_truth polc_call_test(
	const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	return negate(test_plain(j, test), test->negate &&
						   test->kind != POLC_TEST_CAPABILITY_CHANGES &&
						   test->kind != POLC_TEST_NAMESPACE_CHANGES);
}

/* isNamespaceCapability: a condition of its own, which is not negated. */
enum polc_call_truth polc_call_test_user_namespace(const struct polc_call_judge *j)
{
	const struct polc_call_ns *ns = &j->call->process.ns[POLB_NS_USER];

	return ns->said == POLC_SAID ? truth(ns->kind != POLC_NS_HOST) : not_said(ns->said);
}
