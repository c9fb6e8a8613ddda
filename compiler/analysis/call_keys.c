/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which facts a test asks for: what was said of them, and what a decision depends on. */
#include <string.h>

#include "call_private.h"

static const char *const namespaces[] = {
#define X(name, word) word,
	POLB_NAMESPACES(X)
#undef X
};
static const char *const cap_sets[] = {"permitted", "effective", "inheritable"};

static const char *key_of(const struct polc_call_judge *j, uint32_t value)
{
	return j->member->values[value].key;
}

bool polc_call_has_key(const polc_call_keys *keys, const char *key)
{
	for (size_t i = 0; i < keys->n; i++)
		if (!strcmp(keys->items[i], key))
			return true;
	return false;
}

void polc_call_add_key(struct polc_arena *arena, polc_call_keys *keys, const char *key)
{
	if (!polc_call_has_key(keys, key))
		*polc_vec_push(arena, keys) = key;
}

static const char *fact_of(const struct polc_call_judge *j, const char *key)
{
	for (size_t i = 0; i < j->call->n_facts; i++)
		if (!strcmp(j->call->facts[i].key, key))
			return j->call->facts[i].value;
	return NULL;
}

/* Keys that a test looks at, whether they were said or not. */
struct asked {
	const struct polc_call_judge *judge;
	polc_call_keys *keys;
};

static void ask(struct asked *a, const char *key)
{
	polc_call_add_key(a->judge->arena, a->keys, key);
}

static void ask_part(struct asked *a, uint32_t value, const char *part)
{
	ask(a, polc_arena_printf(a->judge->arena, "%s%s", key_of(a->judge, value), part));
}

static void ask_expression(struct asked *a, const struct polc_expression *x)
{
	if (!x)
		return;
	if (x->op == POLC_EXPR_VALUE)
		ask_part(a, x->number, "");
	ask_expression(a, x->left);
	ask_expression(a, x->right);
}

static void ask_binary(struct asked *a, const struct polc_trace_test *test)
{
	if (!test->parent)
		ask(a, "binary");
	if (test->parent || test->follow_children)
		ask(a, "parent");
	if (test->follow_children)
		ask(a, "ancestors");
}

static void ask_namespace_changes(struct asked *a, const struct polc_trace_test *test)
{
	struct polc_arena *arena = a->judge->arena;

	if (a->judge->call->process.changes_said) {
		ask(a, "changed-ns");
		return;
	}
	for (unsigned i = 0; i < POLB_N_NAMESPACES; i++) {
		if (!(test->ns_mask >> i & 1))
			continue;
		ask(a, polc_arena_printf(arena, "ns.%s", namespaces[i]));
		ask(a, polc_arena_printf(arena, "old-ns.%s", namespaces[i]));
	}
}

static void ask_workload(struct asked *a)
{
	const char *const keys[] = {"workload", "pod", "namespace", "labels", "container", "image"};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(keys); i++)
		if (fact_of(a->judge, keys[i]))
			ask(a, keys[i]);
}

static void ask_process(struct asked *a, const struct polc_trace_test *test)
{
	struct polc_arena *arena = a->judge->arena;
	const char *set = test->caps < POLB_N_CAPS ? cap_sets[test->caps] : "";

	if (test->in_other_user_namespace)
		ask(a, fact_of(a->judge, "user-namespace") ? "user-namespace" : "ns.User");
	switch (test->kind) {
	case POLC_TEST_PIDS:
		ask(a, test->namespace_pid ? "nspid" : "pid");
		if (test->follow_forks)
			ask(a, test->namespace_pid ? "ancestor-nspids" : "ancestor-pids");
		return;
	case POLC_TEST_BINARY:
		ask_binary(a, test);
		return;
	case POLC_TEST_NAMESPACE:
		ask(a, test->ns == POLB_NS_USER && fact_of(a->judge, "user-namespace")
				? "user-namespace"
				: polc_arena_printf(arena, "ns.%s", namespaces[test->ns]));
		return;
	case POLC_TEST_NAMESPACE_CHANGES:
		ask_namespace_changes(a, test);
		return;
	case POLC_TEST_CAPABILITY_CHANGES:
		ask(a, polc_arena_printf(arena, "old-%s", set));
		ask(a, set);
		return;
	case POLC_TEST_CAPABILITIES:
		ask(a, set);
		return;
	case POLC_TEST_WORKLOAD:
		ask_workload(a);
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
}

static void ask_test(struct asked *a, const struct polc_trace_test *test)
{
	switch (test->kind) {
	case POLC_TEST_INTERVALS:
	case POLC_TEST_MASK:
	case POLC_TEST_STRING:
		ask_part(a, test->value, "");
		return;
	case POLC_TEST_FILE_TYPE:
		ask_part(a, test->value, ".type");
		return;
	case POLC_TEST_ADDRESS:
		ask_part(a, test->value, test->destination ? ".daddr" : ".saddr");
		return;
	case POLC_TEST_PORT:
		ask_part(a, test->value, test->destination ? ".dport" : ".sport");
		return;
	case POLC_TEST_PROTOCOL:
		ask_part(a, test->value, ".protocol");
		return;
	case POLC_TEST_FAMILY:
		ask_part(a, test->value, ".family");
		return;
	case POLC_TEST_STATE:
		ask_part(a, test->value, ".state");
		return;
	case POLC_TEST_CAPS_GAINED:
		ask_part(a, test->value, "");
		ask_part(a, test->other, "");
		return;
	case POLC_TEST_EXPRESSION:
		ask_expression(a, test->expression);
		return;
	case POLC_TEST_PIDS:
	case POLC_TEST_BINARY:
	case POLC_TEST_NAMESPACE:
	case POLC_TEST_NAMESPACE_CHANGES:
	case POLC_TEST_CAPABILITIES:
	case POLC_TEST_CAPABILITY_CHANGES:
	case POLC_TEST_WORKLOAD:
		ask_process(a, test);
		return;
	}
}

/* Something was said by this key, or by another name of the same value. */
static bool is_said(const struct polc_call_judge *j, const char *key)
{
	if (fact_of(j, key))
		return true;
	for (uint32_t i = 0; i < j->spec->values.n; i++)
		if (!strcmp(j->member->values[i].key, key))
			return j->member->values[i].given != NULL;
	return false;
}

void polc_call_workload_keys(const struct polc_call_judge *j, polc_call_keys *out)
{
	const struct polc_call_process *process = &j->call->process;

	if (!process->workload_said)
		polc_call_add_key(j->arena, out, "pod");
	else if (!process->workload.container_known)
		polc_call_add_key(
			j->arena, out, process->workload.container ? "image" : "container");
	if (process->workload_said && !process->workload.labels_known)
		polc_call_add_key(j->arena, out, "labels");
	if (process->workload_said && !process->workload.namespace)
		polc_call_add_key(j->arena, out, "namespace");
}

void polc_call_test_keys(
	const struct polc_call_judge *j, const struct polc_trace_test *test, polc_call_keys *out)
{
	polc_call_keys keys = {0};
	struct asked a = {j, &keys};

	if (test->kind == POLC_TEST_WORKLOAD) {
		polc_call_workload_keys(j, out);
		return;
	}
	ask_test(&a, test);
	for (size_t i = 0; i < keys.n; i++)
		if (!is_said(j, keys.items[i]))
			polc_call_add_key(j->arena, out, keys.items[i]);
}

/* What was said of what a test asks for. */
const char *polc_call_test_value(
	const struct polc_call_judge *j, const struct polc_trace_test *test)
{
	struct polc_buf out = {.arena = j->arena};
	polc_call_keys keys = {0};
	struct asked a = {j, &keys};

	if (j->call->process.unknown && test->kind >= POLC_TEST_PIDS)
		return "?";
	ask_test(&a, test);
	for (size_t i = 0; i < keys.n; i++) {
		const char *value = fact_of(j, keys.items[i]);

		/* other names of the value; a part that the whole tells */
		for (uint32_t k = 0; !value && k < j->spec->values.n; k++) {
			const char *key = j->member->values[k].key;
			size_t n = strlen(key);

			if (!strncmp(keys.items[i], key, n) &&
				(!keys.items[i][n] || keys.items[i][n] == '.'))
				value = j->member->values[k].given;
		}
		if (value && *value)
			polc_buf_printf(&out, keys.n > 1 ? "%s%s=%s" : "%s%.0s%s", out.n ? " " : "",
				keys.items[i], value);
		else if (value && keys.n == 1)
			polc_buf_puts(&out, "\"\"");
	}
	if (!out.n && j->replaced && test->kind == POLC_TEST_INTERVALS &&
		j->spec->values.items[test->value].origin == POLC_ORIGIN_RESULT)
		polc_buf_printf(&out, "%d", j->error);
	return out.p;
}
