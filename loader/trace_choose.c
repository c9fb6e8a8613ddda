/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The alternatives of hooks: the first that this kernel can do is taken. When none is left the
 * whole bundle is refused, in words that say what was tried and for which policy.
 */
#include "trace.h"

#include <stdio.h>
#include <string.h>

#include "runtime/trace_tables.h"

static const struct polb_bundle_trace_alternative *alternative_of(
	const struct pold_trace *t, uint32_t hook, uint32_t number)
{
	return &t->bundle->trace_alternatives[t->bundle->trace_hooks[hook].first_alternative +
					      number];
}

static bool is_user(const struct polb_bundle_trace_program *p)
{
	return p->mechanism == POLB_MECHANISM_UPROBE || p->mechanism == POLB_MECHANISM_URETPROBE ||
	       p->mechanism == POLB_MECHANISM_USDT;
}

static enum pold_can program_can(const struct pold_trace *t, uint32_t flags,
	const struct polb_bundle_trace_program *p, char why[POLD_WHY])
{
	struct pold_spots spots = {0};
	enum pold_can can;

	if (!is_user(p)) {
		can = pold_kernel_can(t->kernel, p, why);
		return can == POLD_CAN && flags & POLB_TRACE_BY_PATTERN
			       ? pold_kernel_can_trace(t->kernel, p, why)
			       : can;
	}
	can = pold_uprobe_resolve(t->bundle, p, &spots, why);
	pold_spots_free(&spots);
	return can;
}

/* On a refusal, `program` is the one that cannot. */
static enum pold_can alternative_can(const struct pold_trace *t, uint32_t hook,
	const struct polb_bundle_trace_alternative *a,
	const struct polb_bundle_trace_program **program, char why[POLD_WHY])
{
	uint32_t flags = t->bundle->trace_hooks[hook].flags;
	bool tracking = flags & POLB_TRACE_TRACKING;

	for (uint32_t i = 0; i < a->n_programs; i++) {
		enum pold_can can;

		*program = &t->bundle->trace_programs[a->first_program + i];
		if (!tracking && t->avoid >> (*program)->mechanism & 1) {
			snprintf(why, POLD_WHY, "--avoid says so");
			return POLD_CANNOT;
		}
		can = program_can(t, flags, *program, why);
		if (can != POLD_CAN)
			return can;
	}
	return POLD_CAN;
}

/* "fexit: why; kprobe: why", cut at the end. */
static void add_reason(char reasons[POLD_WHY], const char *mechanism, const char *why)
{
	size_t n = strlen(reasons);

	snprintf(reasons + n, POLD_WHY - n, "%s%s: %s", n ? "; " : "", mechanism, why);
}

static bool may_be_left_out(uint32_t flags, bool missing, bool digest)
{
	return (missing && (flags & POLB_TRACE_OPTIONAL)) ||
	       (digest && (flags & POLB_TRACE_OPTIONAL_DIGEST));
}

bool pold_trace_pick(struct pold_trace *t, uint32_t hook, bool *optional)
{
	const struct polb_bundle_trace_hook *h = &t->bundle->trace_hooks[hook];
	bool missing = t->next[hook] == 0, digest = missing;

	for (; t->next[hook] < h->n_alternatives; t->next[hook]++) {
		const struct polb_bundle_trace_program *program = NULL;
		char why[POLD_WHY] = "";
		enum pold_can can = alternative_can(
			t, hook, alternative_of(t, hook, t->next[hook]), &program, why);

		if (can == POLD_CAN) {
			t->chosen[hook] = t->next[hook];
			return true;
		}
		missing &= can == POLD_MISSING;
		digest &= can == POLD_DIGEST;
		add_reason(t->why[hook], polb_mechanism_name(program->mechanism), why);
	}
	t->chosen[hook] = POLB_NO_ALTERNATIVE;
	*optional = may_be_left_out(h->flags, missing, digest);
	return false;
}

static int choose_one(struct pold_trace *t, uint32_t hook)
{
	const struct polb_bundle_trace_hook *h = &t->bundle->trace_hooks[hook];
	bool optional;

	if (pold_trace_pick(t, hook, &optional))
		return POLD_OK;
	if (!optional)
		return pold_trace_refuse(t, hook);
	pold_note("note: %s is left out: %s", polb_bundle_string(t->bundle, h->text), t->why[hook]);
	return POLD_OK;
}

int pold_trace_choose(struct pold_trace *t)
{
	int code = POLD_OK;

	for (uint32_t i = 0; !code && i < t->bundle->n_trace_hooks; i++)
		if (t->chosen[i] != t->next[i] && t->chosen[i] != POLB_NO_ALTERNATIVE)
			code = choose_one(t, i);
	pold_kernel_forget(t->kernel);
	return code;
}

bool pold_trace_refused(struct pold_trace *t, uint32_t hook, const char *why)
{
	const struct polb_bundle_trace_alternative *a = alternative_of(t, hook, t->chosen[hook]);

	add_reason(t->why[hook],
		polb_mechanism_name(t->bundle->trace_programs[a->first_program].mechanism), why);
	t->next[hook]++;
	return t->next[hook] < t->bundle->trace_hooks[hook].n_alternatives;
}

uint32_t pold_trace_hook_of(const struct pold_trace *t, const char *program)
{
	const struct polb_bundle *b = t->bundle;

	for (uint32_t h = 0; h < b->n_trace_hooks; h++) {
		const struct polb_bundle_trace_alternative *a;

		if (t->chosen[h] == POLB_NO_ALTERNATIVE)
			continue;
		a = alternative_of(t, h, t->chosen[h]);
		for (uint32_t i = 0; i < a->n_programs; i++)
			if (strcmp(polb_bundle_string(
					   b, b->trace_programs[a->first_program + i].name),
				    program) == 0)
				return h;
	}
	return (uint32_t)b->n_trace_hooks;
}

/* --- words ------------------------------------------------------------------------------------ */

static const char *plain(const char *symbol)
{
	return strncmp(symbol, "security_", 9) == 0 ? symbol + 9 : symbol;
}

static bool names(const struct polb_bundle *b, const struct polb_bundle_trace_spec *s,
	const struct polb_bundle_trace_program *p)
{
	const char *target = polb_bundle_string(b, p->target);
	const char *path = polb_bundle_string(b, s->path);

	if (*path)
		return strcmp(path, target) == 0;
	for (uint32_t i = 0; i < s->n_symbols; i++)
		if (strcmp(plain(polb_bundle_string(b, b->trace_symbols[s->first_symbol + i].name)),
			    plain(target)) == 0)
			return true;
	return false;
}

/* ", policy a (file:12)" of the first spec that names what the hook's first program is on. */
static void policy_of(const struct pold_trace *t, uint32_t hook, char *out, size_t size)
{
	const struct polb_bundle *b = t->bundle;
	const struct polb_bundle_trace_program *p =
		&b->trace_programs[alternative_of(t, hook, 0)->first_program];

	out[0] = '\0';
	for (size_t i = 0; i < b->n_trace_specs; i++) {
		const struct polb_bundle_trace_spec *s = &b->trace_specs[i];
		const struct polb_bundle_trace_policy *policy = &b->trace_policies[s->policy];
		char name[256];

		if (!names(b, s, p))
			continue;
		polb_trace_policy_text(b, s->policy, name, sizeof(name));
		if (policy->file && s->line)
			snprintf(out, size, ", of policy %s (%s:%u)", name,
				b->source_strings + policy->file, s->line);
		else
			snprintf(out, size, ", of policy %s", name);
		return;
	}
}

int pold_trace_refuse(const struct pold_trace *t, uint32_t hook)
{
	char policy[600];

	policy_of(t, hook, policy, sizeof(policy));
	return pold_fail(POLD_ENVIRONMENT, "this kernel or node cannot do %s%s: %s",
		polb_bundle_string(t->bundle, t->bundle->trace_hooks[hook].text), policy,
		t->why[hook]);
}
