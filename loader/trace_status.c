/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tracing part of `status`: policies, hooks with the mechanism chosen, counters. */
#include "trace.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cleanup.h"
#include "runtime/trace_tables.h"

static const char *mode_name(__u32 mode)
{
	static const char *const names[] = {"enforce", "audit", "monitor-only"};

	return mode < sizeof(names) / sizeof(names[0]) ? names[mode] : "unknown";
}

/* --- reading ---------------------------------------------------------------------------------- */

struct view {
	const struct pold_state *state;
	const struct polb_bundle *b;
	int policies_fd, hooks_fd;
	struct polb_trace_counter *counters; /* the last: specs without selectors */
	uint32_t n_counters;
};

static void view_close(struct view *v)
{
	polb_cleanup_fd(&v->policies_fd);
	polb_cleanup_fd(&v->hooks_fd);
	free(v->counters);
}

static int view_open(const struct pold_state *state, struct view *v)
{
	int err;

	*v = (struct view){.state = state, .b = &state->bundle};
	v->policies_fd = pold_state_map(state, "polt_policies");
	v->hooks_fd = pold_state_map(state, "trace_hooks");
	err = pold_trace_counters_read(state, &v->counters, &v->n_counters);
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot read the tracing counters: %s",
			     strerror(-err))
		   : POLD_OK;
}

static __u32 mode_of(const struct view *v, __u32 policy)
{
	struct polb_trace_policy_state state;

	if (v->policies_fd < 0 || bpf_map_lookup_elem(v->policies_fd, &policy, &state))
		return UINT32_MAX;
	return state.mode;
}

/* NULL: left out. */
static const struct polb_bundle_trace_alternative *alternative_of(
	const struct view *v, __u32 hook, struct pold_trace_hook *out)
{
	const struct polb_bundle_trace_hook *h = &v->b->trace_hooks[hook];

	if (v->hooks_fd < 0 || bpf_map_lookup_elem(v->hooks_fd, &hook, out) ||
		out->alternative >= h->n_alternatives)
		return NULL;
	return &v->b->trace_alternatives[h->first_alternative + out->alternative];
}

/* "kprobe+kretprobe": each once. */
static void mechanisms_text(
	const struct view *v, const struct polb_bundle_trace_alternative *a, char *out, size_t size)
{
	uint32_t said = 0;
	size_t n = 0;

	out[0] = '\0';
	for (__u32 i = 0; i < a->n_programs && n < size; i++) {
		__u32 mechanism = v->b->trace_programs[a->first_program + i].mechanism;

		if (said & 1u << mechanism)
			continue;
		n += (size_t)snprintf(
			out + n, size - n, "%s%s", said ? "+" : "", polb_mechanism_name(mechanism));
		said |= 1u << mechanism;
	}
}

/* "policy spec.selector" */
static void selector_text(const struct view *v, __u32 number, char *out, size_t size)
{
	const struct polb_bundle_trace_selector *s = &v->b->trace_selectors[number];
	const struct polb_bundle_trace_spec *spec = &v->b->trace_specs[s->spec];
	const char *label = polb_bundle_string(v->b, s->label);
	char policy[256];
	size_t first = s->spec;

	while (first > 0 && v->b->trace_specs[first - 1].policy == spec->policy)
		first--;
	polb_trace_policy_text(v->b, spec->policy, policy, sizeof(policy));
	snprintf(out, size, "%s %zu.%u%s%s", policy, s->spec - first, s->position,
		*label ? " " : "", label);
}

/* --- text ------------------------------------------------------------------------------------- */

static void print_policies(const struct view *v)
{
	printf("\n%-13s  %s\n", "MODE", "POLICY");
	for (__u32 i = 0; i < v->b->n_trace_policies; i++) {
		const struct polb_bundle_trace_policy *p = &v->b->trace_policies[i];
		char policy[256];

		polb_trace_policy_text(v->b, i, policy, sizeof(policy));
		printf("%-13s  ", mode_name(mode_of(v, i)));
		pold_print_visible(policy, 0);
		if (p->file) {
			fputs("  ", stdout);
			pold_print_visible(v->b->source_strings + p->file, 0);
			printf(":%u", p->line);
		}
		putchar('\n');
	}
}

static void print_hooks(const struct view *v)
{
	printf("\n%-19s  %6s  %s\n", "MECHANISM", "PLACES", "HOOK");
	for (__u32 i = 0; i < v->b->n_trace_hooks; i++) {
		struct pold_trace_hook hook = {0};
		const struct polb_bundle_trace_alternative *a = alternative_of(v, i, &hook);
		char text[128] = "(left out)";

		if (a)
			mechanisms_text(v, a, text, sizeof(text));
		printf("%-19s  %6u  %s\n", text, hook.links,
			polb_bundle_string(v->b, v->b->trace_hooks[i].text));
	}
}

static void print_counter(const struct polb_trace_counter *c, const char *what)
{
#define X(member, heading) printf("%10llu  ", (unsigned long long)c->member);
	POLD_TRACE_COUNTERS(X)
#undef X
	puts(what);
}

static void print_counters(const struct view *v, bool all)
{
	putchar('\n');
#define X(member, heading) printf("%10s  ", heading);
	POLD_TRACE_COUNTERS(X)
#undef X
	puts("SELECTOR");
	for (__u32 i = 0; i < v->b->n_trace_selectors; i++) {
		char text[512];

		selector_text(v, i, text, sizeof(text));
		if (all || pold_trace_counter_saw(&v->counters[i]))
			print_counter(&v->counters[i], text);
	}
	if (pold_trace_counter_saw(&v->counters[v->n_counters - 1]))
		print_counter(&v->counters[v->n_counters - 1], "(specs without selectors)");
}

int pold_trace_status_text(const struct pold_state *state, bool all)
{
	__attribute__((cleanup(view_close))) struct view v;
	int code = view_open(state, &v);

	if (code)
		return code;
	print_policies(&v);
	print_hooks(&v);
	pold_programs_text(state);
	print_counters(&v, all);
	return POLD_OK;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void json_policies(const struct view *v)
{
	printf(",\"policies\":[");
	for (__u32 i = 0; i < v->b->n_trace_policies; i++) {
		const struct polb_bundle_trace_policy *p = &v->b->trace_policies[i];
		char source[512] = "";

		if (p->file)
			snprintf(source, sizeof(source), "%s:%u", v->b->source_strings + p->file,
				p->line);
		printf("%s{\"number\":%u,\"kind\":", i ? "," : "", i);
		pold_json_string(polb_bundle_string(v->b, p->kind));
		printf(",\"namespace\":");
		pold_json_string(polb_bundle_string(v->b, p->namespace));
		printf(",\"name\":");
		pold_json_string(polb_bundle_string(v->b, p->name));
		printf(",\"source\":");
		pold_json_string(source);
		printf(",\"mode\":\"%s\"}", mode_name(mode_of(v, i)));
	}
	putchar(']');
}

static void json_hooks(const struct view *v)
{
	printf(",\"hooks\":[");
	for (__u32 i = 0; i < v->b->n_trace_hooks; i++) {
		struct pold_trace_hook hook = {0};
		const struct polb_bundle_trace_alternative *a = alternative_of(v, i, &hook);
		char text[128] = "";

		if (a)
			mechanisms_text(v, a, text, sizeof(text));
		printf("%s{\"hook\":", i ? "," : "");
		pold_json_string(polb_bundle_string(v->b, v->b->trace_hooks[i].text));
		printf(",\"mechanism\":\"%s\",\"places\":%u,\"reason\":", text, hook.links);
		pold_json_string(a ? polb_bundle_string(v->b, a->reason) : "");
		putchar('}');
	}
	putchar(']');
}

static void json_counter(const struct polb_trace_counter *c)
{
#define X(member, heading) printf(",\"" #member "\":%llu", (unsigned long long)c->member);
	POLD_TRACE_COUNTERS(X)
#undef X
	putchar('}');
}

static void json_selectors(const struct view *v)
{
	printf(",\"selectors\":[");
	for (__u32 i = 0; i < v->b->n_trace_selectors; i++) {
		const struct polb_bundle_trace_selector *s = &v->b->trace_selectors[i];

		printf("%s{\"number\":%u,\"policy\":%u,\"spec\":%u,\"position\":%u,\"label\":",
			i ? "," : "", i, v->b->trace_specs[s->spec].policy, s->spec, s->position);
		pold_json_string(polb_bundle_string(v->b, s->label));
		json_counter(&v->counters[i]);
	}
	printf("],\"without_selectors\":{\"number\":%u", v->n_counters - 1);
	json_counter(&v->counters[v->n_counters - 1]);
}

int pold_trace_status_json(const struct pold_state *state)
{
	__attribute__((cleanup(view_close))) struct view v;
	int code = view_open(state, &v);

	if (code)
		return code;
	json_policies(&v);
	json_hooks(&v);
	json_selectors(&v);
	return POLD_OK;
}
