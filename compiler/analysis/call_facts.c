/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A described call from its facts: each must be one that somebody on the hook could ask for. */
#include <string.h>

#include "call_private.h"

void polc_call_complain(struct polc_call_reader *r, struct polc_span span, const char *suggestion,
	const char *fmt, ...)
{
	enum polc_code code = span.source ? POLC_CODE_BAD_TEST : POLC_CODE_QUESTION;
	va_list ap;

	va_start(ap, fmt);
	const char *message = polc_arena_vprintf(&r->polc->arena, fmt, ap);
	va_end(ap);
	/* several specs read the same fact: once is enough */
	for (size_t i = 0; i < r->polc->diagnostics.n; i++) {
		const struct polc_diagnostic *d = r->polc->diagnostics.items[i];

		if (d->code == code && !memcmp(&d->span, &span, sizeof(span)) &&
			!strcmp(d->message, message))
			goto out;
	}
	struct polc_diagnostic *d = polc_error(r->polc, span, code, "%s", message);

	if (suggestion)
		polc_diagnostic_suggest(r->polc, d, "%s", suggestion);
out:
	r->failed = true;
}

const struct polc_call_fact *polc_call_find(struct polc_call_reader *r, const char *key)
{
	const struct polc_call_fact *found = NULL;

	*polc_vec_push(&r->polc->arena, &r->names) = key;
	for (size_t i = 0; i < r->call->n_facts; i++) {
		if (strcmp(r->call->facts[i].key, key) != 0)
			continue;
		r->used[i] = true;
		found = found ? found : &r->call->facts[i];
	}
	return found;
}

static void check_twice(struct polc_call_reader *r, size_t i)
{
	const struct polc_call_fact *facts = r->call->facts;

	for (size_t j = 0; j < i; j++)
		if (!strcmp(facts[i].key, facts[j].key)) {
			polc_call_complain(
				r, facts[i].key_span, NULL, "%s is said twice", facts[i].key);
			return;
		}
}

/* Names of values of this hook, for somebody who knows none. */
static const char *list_names(struct polc_call_reader *r)
{
	struct polc_buf out = {.arena = &r->polc->arena};

	for (size_t i = 0; i < r->call->members.n; i++) {
		const struct polc_call_member *member = &r->call->members.items[i];
		const struct polc_trace_spec *spec = &r->tracing->specs[member->spec];

		for (size_t j = 0; j < spec->values.n; j++) {
			const char *key = member->values[j].key;

			if (!out.n || !strstr(out.p, key))
				polc_buf_printf(&out, "%s%s", out.n ? ", " : "", key);
		}
	}
	return out.n ? polc_arena_printf(out.arena, "values of this hook: %s", out.p)
		     : "policies read no values of this hook";
}

static void check_used(struct polc_call_reader *r)
{
	for (size_t i = 0; i < r->call->n_facts; i++) {
		const struct polc_call_fact *fact = &r->call->facts[i];

		check_twice(r, i);
		if (r->used[i])
			continue;
		const char *near = polc_nearest(fact->key, r->names.items, r->names.n);

		polc_call_complain(r, fact->key_span,
			near ? polc_arena_printf(&r->polc->arena, "did you mean '%s'?", near)
			     : list_names(r),
			"no policy on '%s' could ask for '%s'", r->call->hook, fact->key);
	}
}

const struct polc_call *polc_call_make(struct polc *polc, const struct polc_tracing *tracing,
	const struct polc_inventory *inventory, const char *hook, struct polc_span span,
	const struct polc_call_fact *facts, size_t n_facts)
{
	struct polc_call *call = POLC_NEW(&polc->arena, struct polc_call);
	struct polc_call_reader r = {
		.polc = polc,
		.tracing = tracing,
		.inventory = inventory,
		.call = call,
		.span = span,
		.used = POLC_NEW_ARRAY(&polc->arena, n_facts + 1, bool),
	};

	*call = (struct polc_call){.hook = hook, .facts = facts, .n_facts = n_facts};
	if (!polc_call_read_hook(&r))
		return NULL;
	polc_call_read_process(&r);
	polc_call_read_values(&r);
	check_used(&r);
	return r.failed ? NULL : call;
}

polc_call_keys polc_call_known_keys(
	struct polc *polc, const struct polc_tracing *tracing, const char *hook)
{
	struct polc_call *call = POLC_NEW(&polc->arena, struct polc_call);
	struct polc_call_reader r = {.polc = polc, .tracing = tracing, .call = call};
	polc_call_keys keys = {0};

	*call = (struct polc_call){.hook = hook};
	if (!polc_call_read_hook(&r))
		return keys;
	polc_call_read_process(&r);
	polc_call_read_values(&r);
	for (size_t i = 0; i < r.names.n; i++)
		polc_call_add_key(&polc->arena, &keys, r.names.items[i]);
	return keys;
}
