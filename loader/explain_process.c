/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A live process before the tracing policies in force: what is known of it in the programs' own
 * maps, which selectors it can match and what else would have to hold.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "explain.h"
#include "runtime/cleanup.h"
#include "runtime/trace_tables.h"
#include "trace.h"

enum { OWN, LINEAGE, PARENT, PARENT_LINEAGE, N_VECTORS, MAX_ANCESTORS = 16 };

struct subject {
	const struct pold_options *options;
	const struct pold_state *state;
	const struct polb_bundle *b;
	struct pold_process process;
	bool recorded;  /* the programs know it */
	bool workload;  /* its cgroup is one of the inventory's, by the programs' map */
	__u64 *vectors; /* N_VECTORS times binary_words; then workload_words */
	bool json;
	struct polb_text *out;
};

static __u64 word_of(const struct subject *s, int vector, __u32 word)
{
	return s->vectors[(size_t)vector * s->b->manifest.binary_words + word];
}

/* --- what is known ------------------------------------------------------------------------------
 */

static int read_record(struct subject *s)
{
	size_t words = (size_t)N_VECTORS * s->b->manifest.binary_words;
	POLB_FD fd = pold_state_map(s->state, "polt_processes");
	POLB_FREE char *value = calloc(1, sizeof(struct polb_process) + words * sizeof(__u64));

	s->vectors = calloc(words + s->b->manifest.workload_words + 1, sizeof(__u64));
	if (!value || !s->vectors)
		return -ENOMEM;
	if (fd < 0 || bpf_map_lookup_elem(fd, &s->process.process.pid, value))
		return 0;
	s->recorded = true;
	memcpy(&s->process.process, value, sizeof(s->process.process));
	memcpy(s->vectors, value + sizeof(struct polb_process), words * sizeof(__u64));
	return 0;
}

static void read_workload(struct subject *s)
{
	POLB_FD fd = pold_state_map(s->state, "polt_workloads");
	__u64 *words = s->vectors + (size_t)N_VECTORS * s->b->manifest.binary_words;

	if (fd >= 0)
		s->workload = bpf_map_lookup_elem(fd, &s->process.process.cgroup, words) == 0;
}

/* --- selectors ----------------------------------------------------------------------------------
 */

/* 1, 0; -1: depends on the call. */
static int condition_holds(const struct subject *s, const struct polb_bundle_trace_condition *c)
{
	bool negated = c->flags & POLB_CONDITION_NEGATED, parent = c->flags & POLB_CONDITION_PARENT;
	__u64 bits;

	if (c->kind == POLB_CONDITION_OTHER)
		return -1;
	if (c->kind == POLB_CONDITION_WORKLOAD) {
		bits = s->vectors[(size_t)N_VECTORS * s->b->manifest.binary_words + c->word];
		return (s->workload ? bits >> c->bit & 1 : !!(c->flags & POLB_CONDITION_HOST)) !=
		       negated;
	}
	if (!s->recorded)
		return -1;
	bits = word_of(s, parent ? PARENT : OWN, c->word);
	if (c->flags & POLB_CONDITION_FOLLOWS)
		bits |= word_of(s, parent ? PARENT_LINEAGE : LINEAGE, c->word);
	if (bits >> c->bit & 1)
		return !negated;
	if (!parent && s->process.process.flags & POLB_PROCESS_NO_PATH)
		return -1; /* as onError says */
	return negated;
}

struct match {
	int holds;             /* 1, 0, -1 as above, over all conditions */
	const char *fails;     /* the first condition that does not hold */
	struct polb_text open; /* what is left to hold */
};

static void match_condition(
	const struct subject *s, const struct polb_bundle_trace_condition *c, struct match *out)
{
	const char *text = polb_bundle_string(s->b, c->text);
	int holds = condition_holds(s, c);

	if (holds == 0 && out->holds) {
		out->holds = 0;
		out->fails = text;
	}
	if (holds >= 0)
		return;
	if (out->holds == 1)
		out->holds = -1;
	if (!strstr(polb_text_string(&out->open), text))
		polb_text_printf(&out->open, "%s%s", out->open.size ? ", " : "", text);
}

/* Conditions of a selector, and of its spec. */
static void match_selector(
	const struct subject *s, uint32_t spec, uint32_t selector, struct match *out)
{
	*out = (struct match){.holds = 1};
	for (size_t i = 0; i < s->b->n_trace_conditions; i++) {
		const struct polb_bundle_trace_condition *c = &s->b->trace_conditions[i];

		if (c->spec == spec && (c->selector == selector || c->selector == UINT32_MAX))
			match_condition(s, c, out);
	}
}

static const char *mode_text(const struct subject *s, __u32 policy)
{
	static const char *const texts[] = {"enforce", "audit", "monitor-only"};
	POLB_FD fd = pold_state_map(s->state, "polt_policies");
	struct polb_trace_policy_state state;

	if (fd < 0 || bpf_map_lookup_elem(fd, &policy, &state) || state.mode > 2)
		return "unknown";
	return texts[state.mode];
}

static void actions_text(__u64 actions, struct polb_text *out)
{
	static const char *const names[] = {
#define X(name, text) text,
		POLB_TRACE_ACTIONS(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (actions >> i & 1)
			polb_text_printf(out, "%s%s", out->size ? ", " : "", names[i]);
	if (!out->size)
		polb_text_puts(out, "none");
}

static void print_selector(const struct subject *s, const struct polb_bundle_trace_spec *spec,
	const struct polb_bundle_trace_selector *selector, struct match *match)
{
	static const char *const states[] = {"depends", "no", "yes"};
	const char *hook = spec->n_symbols ? polb_bundle_string(s->b,
						     s->b->trace_symbols[spec->first_symbol].name)
					   : polb_bundle_string(s->b, spec->path);
	const char *matches = states[match->holds + 1];
	struct polb_text actions = {0};
	char policy[512];

	polb_trace_policy_text(s->b, spec->policy, policy, sizeof(policy));
	actions_text(
		selector ? selector->actions | selector->return_actions : 1u << POLB_ACTION_POST,
		&actions);
	if (s->json) {
		polb_json_open(s->out, NULL, '{');
		polb_json_cstring(s->out, "policy", policy);
		polb_json_cstring(s->out, "mode", mode_text(s, spec->policy));
		polb_json_cstring(s->out, "hook", hook);
		if (selector)
			polb_json_unsigned(s->out, "selector", selector->position);
		polb_json_cstring(s->out, "matches", matches);
		if (match->fails)
			polb_json_cstring(s->out, "fails", match->fails);
		polb_json_cstring(s->out, "needs", polb_text_string(&match->open));
		polb_json_cstring(s->out, "actions", polb_text_string(&actions));
		polb_json_close(s->out, '{');
	} else {
		polb_text_printf(s->out, "    %-32s %-10s selector %u: %s", hook,
			mode_text(s, spec->policy), selector ? selector->position : 0,
			match->holds == 0   ? "does not match: "
			: match->holds == 1 ? "matches every call"
					    : "matches when these hold, too: ");
		polb_text_printf(s->out, "%s; does %s  [%s]\n",
			match->holds == 0  ? match->fails
			: match->holds < 0 ? polb_text_string(&match->open)
					   : "",
			polb_text_string(&actions), policy);
	}
	polb_text_free(&actions);
}

static void explain_spec(const struct subject *s, uint32_t number)
{
	const struct polb_bundle_trace_spec *spec = &s->b->trace_specs[number];
	struct match match;

	for (uint32_t i = 0; i < (spec->n_selectors ? spec->n_selectors : 1); i++) {
		uint32_t selector = spec->first_selector + i;

		match_selector(s, number, spec->n_selectors ? selector : UINT32_MAX, &match);
		print_selector(s, spec, spec->n_selectors ? &s->b->trace_selectors[selector] : NULL,
			&match);
		polb_text_free(&match.open);
	}
}

static bool is_wanted(const struct subject *s, const struct polb_bundle_trace_spec *spec)
{
	const char *call = s->options->call;

	if (!call)
		return true;
	for (uint32_t i = 0; i < spec->n_symbols; i++)
		if (strstr(polb_bundle_string(
				   s->b, s->b->trace_symbols[spec->first_symbol + i].name),
			    call))
			return true;
	return strcmp(polb_bundle_string(s->b, spec->path), call) == 0;
}

/* --- the process --------------------------------------------------------------------------------
 */

static void print_workload(const struct subject *s)
{
	struct pold_cgroups *found = pold_cgroups_new(s->state);
	const struct pold_cgroup_place *place =
		found ? pold_cgroups_find(found, s->process.process.cgroup) : NULL;

	if (place && place->workload && s->json)
		polb_json_cstring(s->out, "pod", place->workload->pod);
	else if (place && place->workload)
		polb_text_printf(s->out, "    workload     %s/%s\n", place->workload->namespace,
			place->workload->pod);
	pold_cgroups_free(found);
}

static void print_bundle(const struct subject *s)
{
	if (s->json) {
		polb_json_open(s->out, NULL, '{');
		polb_json_cstring(s->out, "bundle", s->state->name);
		polb_json_unsigned(s->out, "generation", s->state->generation);
		polb_json_bool(s->out, "tracked", s->recorded);
	} else {
		polb_text_printf(s->out, "bundle %s (generation %u)%s\n", s->state->name,
			s->state->generation, s->recorded ? "" : ": the process is not tracked");
	}
	print_workload(s);
	if (s->json)
		polb_json_open(s->out, "selectors", '[');
	for (uint32_t i = 0; i < s->b->n_trace_specs; i++)
		if (is_wanted(s, &s->b->trace_specs[i]))
			explain_spec(s, i);
	if (!s->json)
		return;
	polb_json_close(s->out, '[');
	polb_json_close(s->out, '{');
}

static int explain_bundle(
	const struct pold_options *options, const char *name, struct polb_text *out, bool json)
{
	POLD_STATE state = POLD_STATE_INIT;
	struct subject s = {
		.options = options, .state = &state, .b = &state.bundle, .out = out, .json = json};
	int code = pold_state_open(&state, name, false), err;

	if (code || !(state.bundle.manifest.hooks & POLB_HOOK_TRACE))
		return code;
	err = pold_process_read((uint32_t)options->events.pid, &s.process);
	if (!err)
		err = read_record(&s);
	if (!err) {
		read_workload(&s);
		print_bundle(&s);
	}
	free(s.vectors);
	return err ? pold_fail(POLD_ENVIRONMENT, "process %llu: %s",
			     (unsigned long long)options->events.pid, strerror(-err))
		   : POLD_OK;
}

/* The process, then its parents up to the first. */
static int print_ancestors(uint32_t pid, struct polb_text *out, bool json)
{
	for (int i = 0; pid && i < MAX_ANCESTORS; i++) {
		struct pold_process p;
		int err = pold_process_read(pid, &p);

		if (err && i == 0)
			return pold_fail(POLD_ENVIRONMENT, "process %u: %s", pid, strerror(-err));
		if (err)
			return POLD_OK;
		if (json) {
			polb_json_open(out, NULL, '{');
			polb_json_unsigned(out, "pid", pid);
			polb_json_string(out, "binary", p.path, p.path_size);
			polb_json_unsigned(out, "uid", p.credentials.uid);
			polb_json_unsigned(out, "pid_namespace", p.process.namespaces[POLB_NS_PID]);
			polb_json_unsigned(out, "net_namespace", p.process.namespaces[POLB_NS_NET]);
			polb_json_close(out, '{');
		} else {
			polb_text_printf(out, "%s %u ", i ? "  started by" : "process", pid);
			polb_text_printable(out, p.path, p.path_size);
			polb_text_printf(out, ", uid %u, namespaces pid %u, mnt %u, net %u\n",
				p.credentials.uid, p.process.namespaces[POLB_NS_PID],
				p.process.namespaces[POLB_NS_MNT],
				p.process.namespaces[POLB_NS_NET]);
		}
		pid = p.process.parent_pid;
	}
	return POLD_OK;
}

static int explain_bundles(const struct pold_options *options, struct polb_text *out, bool json)
{
	POLB_FREE struct pold_name *names = NULL;
	size_t n = 0;
	int code = POLD_OK;

	if (options->named)
		return explain_bundle(options, options->name, out, json);
	if (pold_names(&names, &n) || !n)
		return pold_fail(POLD_ENVIRONMENT, "nothing is applied on this node");
	for (size_t i = 0; !code && i < n; i++)
		code = explain_bundle(options, names[i].text, out, json);
	return code;
}

int pold_explain_process(const struct pold_options *options, struct polb_text *out, bool json)
{
	int code;

	if (options->events.pid > UINT32_MAX)
		return pold_fail(POLD_USAGE, "--pid: there are no such processes");
	if (json) {
		polb_json_open(out, NULL, '{');
		polb_json_open(out, "processes", '[');
	}
	code = print_ancestors((uint32_t)options->events.pid, out, json);
	if (json) {
		polb_json_close(out, '[');
		polb_json_open(out, "bundles", '[');
	}
	if (!code)
		code = explain_bundles(options, out, json);
	if (json) {
		polb_json_close(out, '[');
		polb_json_close(out, '{');
	}
	return code;
}
