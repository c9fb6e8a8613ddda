/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One kernel's report (loader/verify.h), line by line, into the tables of its bundles. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

struct reader {
	struct polc *polc;
	size_t n_bundles;
	struct polc_verified_kernel *kernel;
	/* what the next lines are about */
	struct polc_verified_bundle *bundle;
	struct polc_verified_program *program;
	struct polc_buf log;
	bool ended;
};

static bool number(const char *text, size_t limit, size_t *out)
{
	char *end;

	*out = strtoul(text, &end, 10);
	return end > text && !*end && *out < limit;
}

static void finish_program(struct reader *r)
{
	if (r->program)
		r->program->log =
			polc_verifier_log_parse(&r->polc->arena, r->log.n ? r->log.p : "");
	r->program = NULL;
	r->log = (struct polc_buf){.arena = &r->polc->arena};
}

static bool start_program(struct reader *r, const char *name, const char *verdict)
{
	finish_program(r);
	for (size_t i = 0; r->bundle && i < r->bundle->n_programs; i++)
		if (!strcmp(r->bundle->programs[i].name, name))
			r->program = &r->bundle->programs[i];
	if (!r->program)
		return false;
	r->program->told = true;
	r->program->accepted = !strcmp(verdict, "accepted");
	return true;
}

static bool start_bundle(struct reader *r, const char *index)
{
	size_t i;

	finish_program(r);
	if (!number(index, r->n_bundles, &i))
		return false;
	r->bundle = &r->kernel->bundles[i];
	return true;
}

/* "0>1\t0>2" */
static bool take_calls(struct reader *r, char *text)
{
	POLC_VEC(struct polc_call) calls = {0};
	struct polc_verifier_log log;
	char *word;

	if (!r->program)
		return false;
	while ((word = strsep(&text, "\t"))) {
		struct polc_call call;

		if (*word && sscanf(word, "%u>%u", &call.caller, &call.callee) != 2)
			return false;
		if (*word)
			*polc_vec_push(&r->polc->arena, &calls) = call;
	}
	log = polc_verifier_log_parse(&r->polc->arena, r->log.n ? r->log.p : "");
	r->program->stack_bytes = polc_verifier_stack(&log, calls.items, calls.n);
	return true;
}

static bool take_log(struct reader *r, const char *text)
{
	if (!r->program)
		return false;
	polc_buf_printf(&r->log, "%s\n", text);
	return true;
}

static bool take_error(struct reader *r, const char *text)
{
	if (!r->bundle)
		return false;
	finish_program(r);
	r->bundle->error = polc_arena_strndup(&r->polc->arena, text, strlen(text));
	return true;
}

/* "HOOK\tNUMBER\tcan\tWHY": as far as apply knows before it loads. */
static bool take_alternative(struct reader *r, char *text)
{
	const char *hook = strsep(&text, "\t"), *index = strsep(&text, "\t");
	const char *can = strsep(&text, "\t");
	struct polc_verified_alternative *a;
	size_t h, i;

	finish_program(r);
	if (!text || !r->bundle || !number(hook, r->bundle->n_hooks, &h) ||
		!number(index, r->bundle->hooks[h].n_alternatives, &i))
		return false;
	a = &r->bundle->hooks[h].alternatives[i];
	a->possible = !strcmp(can, "can");
	a->missing = !strcmp(can, "missing");
	a->why = *text ? polc_arena_strndup(&r->polc->arena, text, strlen(text)) : NULL;
	return true;
}

static bool take_line(struct reader *r, const char *word, char *text)
{
	if (!strcmp(word, "log"))
		return take_log(r, text);
	if (!strcmp(word, "calls"))
		return take_calls(r, text);
	if (!strcmp(word, "alternative"))
		return take_alternative(r, text);
	if (!strcmp(word, "error"))
		return take_error(r, text);
	if (!strcmp(word, "bundle"))
		return start_bundle(r, text);
	if (!strcmp(word, "program")) {
		const char *name = strsep(&text, "\t");

		return text && start_program(r, name, text);
	}
	if (!strcmp(word, "kernel"))
		r->kernel->release = polc_arena_strndup(&r->polc->arena, text, strlen(text));
	r->ended |= !strcmp(word, "end");
	return r->ended || !strcmp(word, "kernel");
}

int polc_verify_read_report(struct polc *polc, const char *report, size_t size, size_t n_bundles,
	struct polc_verified_kernel *out)
{
	struct reader r = {
		.polc = polc, .n_bundles = n_bundles, .kernel = out, .log.arena = &polc->arena};
	char *rest = polc_arena_strndup(&polc->arena, report, size);
	const char *first = strsep(&rest, "\n");

	if (!first || strcmp(first, "polc-report\t1"))
		return -EINVAL;
	while (rest && !r.ended) {
		char *text = strsep(&rest, "\n");
		const char *word = strsep(&text, "\t");
		char none[1] = "";

		if (!take_line(&r, word, text ? text : none))
			return -EINVAL;
	}
	finish_program(&r);
	return r.ended ? 0 : -EINVAL;
}
