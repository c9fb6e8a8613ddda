/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What kernels said of bundles, for people and as JSON. Names and logs come from bundles and from
 * kernels, either of which may be hostile to a terminal.
 */
#include <string.h>

#include "../../runtime/instance.h"
#include "inspect.h"
#include "verify.h"

struct printer {
	struct polc_arena *arena;
	FILE *out;
	const struct polc_verified_kernel *kernel;
};

static const char *visible(const struct printer *p, const char *text)
{
	return polc_inspect_visible(p->arena, text);
}

/* ---- text ---- */

/* "file:12: ", or nothing when it is not known. */
static const char *place_text(const struct printer *p, const struct polc_verify_place *place)
{
	if (!place->text || !place->file)
		return "";
	return polc_arena_printf(p->arena, "%s:%u: ", visible(p, place->file), place->line);
}

static bool knows_stack(const struct polc_verified_program *p)
{
	return p->accepted && p->stack_bytes && p->stack_bytes != UINT32_MAX;
}

static bool near(uint64_t value, uint64_t limit)
{
	return polc_verify_percent(value, limit) >= POLC_MARGIN_PERCENT;
}

static const char *verdict(const struct polc_verified_program *p)
{
	return p->over_limit ? "over limit" : p->accepted ? "accepted" : "refused";
}

static void print_program(
	const struct printer *p, int width, const struct polc_verified_program *program)
{
	fprintf(p->out, "  %-*s  %-10s", width, visible(p, program->hook), verdict(program));
	if (program->log.has_costs && program->log.instructions)
		fprintf(p->out, " %8llu %3u %% %8u", (unsigned long long)program->log.instructions,
			polc_verify_percent(program->log.instructions, program->log.limit),
			program->log.peak_states);
	if (knows_stack(program))
		fprintf(p->out, " %6u %3u %%", program->stack_bytes,
			polc_verify_percent(program->stack_bytes, POLC_STACK_BYTES));
	putc('\n', p->out);
}

static void print_programs(const struct printer *p, const struct polc_verified_bundle *b)
{
	int width = (int)strlen("PROGRAM");

	for (size_t i = 0; i < b->n_programs; i++)
		if ((int)strlen(b->programs[i].hook) > width)
			width = (int)strlen(b->programs[i].hook);
	fprintf(p->out, "  %-*s  %-10s %8s %5s %8s %6s\n", width, "PROGRAM", "", "INSNS", "",
		"STATES", "STACK");
	for (size_t i = 0; i < b->n_programs; i++)
		print_program(p, width, &b->programs[i]);
}

/* What a program is refused for, in our words and in the verifier's. */
static void print_reason(const struct printer *p, const struct polc_verified_program *program)
{
	const struct polc_verifier_log *log = &program->log;

	fprintf(p->out, "    %s: %s", visible(p, program->hook), polc_verify_why(program));
	if (program->over_limit)
		fprintf(p->out, ": %llu", (unsigned long long)log->instructions);
	putc('\n', p->out);
	if (!program->accepted && *log->words)
		fprintf(p->out, "        %s\n", visible(p, log->words));
	if (!program->accepted && log->source)
		fprintf(p->out, "        at: %s\n", visible(p, log->source));
}

static bool is_fine(const struct polc_verified_program *program)
{
	return program->accepted && !program->over_limit;
}

/* A hook for which nothing is left: what was tried, and where the first of it comes from. */
static void print_hook_refusal(const struct printer *p, const struct polc_verified_hook *h)
{
	const struct polc_verify_place *place = &h->place;

	fprintf(p->out, "%serror: %s on %s: no program for it can be used", place_text(p, place),
		visible(p, h->text), visible(p, p->kernel->release));
	fprintf(p->out, place->text ? " (%s)\n" : "\n", place->text ? visible(p, place->text) : "");
	for (uint32_t k = 0; k < h->n_alternatives; k++) {
		const struct polc_verified_alternative *a = &h->alternatives[k];

		if (a->refused)
			print_reason(p, a->refused);
		else
			fprintf(p->out, "    %s: %s\n", a->mechanism,
				a->why ? visible(p, a->why) : "");
	}
}

static void print_refusals(const struct printer *p, const struct polc_verified_bundle *b)
{
	if (b->error)
		fprintf(p->out, "error: %s on %s: %s\n", visible(p, b->path),
			visible(p, p->kernel->release), visible(p, b->error));
	for (uint32_t i = 0; !b->error && i < b->n_hooks; i++)
		if (b->hooks[i].taken == POLB_NO_ALTERNATIVE && !b->hooks[i].left_out)
			print_hook_refusal(p, &b->hooks[i]);
	for (size_t i = 0; !b->error && i < b->n_programs; i++) {
		const struct polc_verified_program *program = &b->programs[i];

		if (!program->packets || is_fine(program))
			continue;
		fprintf(p->out, "error: %s on %s: the program for packets cannot be used\n",
			visible(p, program->hook), visible(p, p->kernel->release));
		print_reason(p, program);
	}
}

/* Of tracing programs only: the stack of packet programs does not depend on policies. */
static void print_margins(const struct printer *p, const struct polc_verified_bundle *b)
{
	for (size_t i = 0; i < b->n_programs; i++) {
		const struct polc_verified_program *program = &b->programs[i];
		const struct polc_verifier_log *log = &program->log;

		if (!is_fine(program) || !program->needed)
			continue;
		if (near(log->instructions, log->limit))
			fprintf(p->out,
				"%swarning: %s: the verifier looks at %llu instructions, %u %% of "
				"its limit\n",
				place_text(p, &program->place), visible(p, program->hook),
				(unsigned long long)log->instructions,
				polc_verify_percent(log->instructions, log->limit));
		if (!program->packets && knows_stack(program) &&
			near(program->stack_bytes, POLC_STACK_BYTES))
			fprintf(p->out, "%swarning: %s: %u bytes of stack, %u %% of the limit\n",
				place_text(p, &program->place), visible(p, program->hook),
				program->stack_bytes,
				polc_verify_percent(program->stack_bytes, POLC_STACK_BYTES));
	}
}

/* Hooks with a choice: which one is taken, and why not one before it. */
static void print_hooks(const struct printer *p, const struct polc_verified_bundle *b)
{
	for (uint32_t i = 0; i < b->n_hooks; i++) {
		const struct polc_verified_hook *h = &b->hooks[i];

		if (h->left_out)
			fprintf(p->out, "  %s: left out: this kernel does not have it\n",
				visible(p, h->text));
		if (h->taken == POLB_NO_ALTERNATIVE || h->n_alternatives < 2)
			continue;
		fprintf(p->out, "  %s: %s is taken", visible(p, h->text),
			h->alternatives[h->taken].mechanism);
		for (uint32_t k = 0; k < h->n_alternatives; k++) {
			const struct polc_verified_alternative *a = &h->alternatives[k];

			if (k != h->taken && a->possible)
				fprintf(p->out, "; %s would do", a->mechanism);
			else if (k != h->taken)
				fprintf(p->out, "; not %s: %s", a->mechanism,
					a->why ? visible(p, a->why) : "");
		}
		putc('\n', p->out);
	}
}

static void print_bundle(const struct printer *p, const struct polc_verified_bundle *b)
{
	fprintf(p->out, "%s on %s: %s\n", visible(p, b->path), visible(p, p->kernel->release),
		b->refused ? "refused" : "accepted");
	if (!b->error) {
		print_programs(p, b);
		print_hooks(p, b);
		print_margins(p, b);
	}
	print_refusals(p, b);
}

static void print_failure(const struct printer *p)
{
	fprintf(p->out, "%s did not answer: %s\n", visible(p, p->kernel->release),
		p->kernel->failure);
}

void polc_verify_print_text(
	struct polc *polc, const struct polc_verified_kernel *kernels, size_t n, size_t n_bundles)
{
	for (size_t i = 0; i < n; i++) {
		const struct printer p = {&polc->arena, stdout, &kernels[i]};

		if (kernels[i].failure)
			print_failure(&(const struct printer){&polc->arena, stderr, &kernels[i]});
		for (size_t k = 0; !kernels[i].failure && k < n_bundles; k++)
			print_bundle(&p, &kernels[i].bundles[k]);
	}
}

void polc_verify_print_refusals(
	struct polc *polc, const struct polc_verified_kernel *kernels, size_t n, size_t n_bundles)
{
	for (size_t i = 0; i < n; i++) {
		const struct printer p = {&polc->arena, stderr, &kernels[i]};

		if (kernels[i].failure)
			print_failure(&p);
		for (size_t k = 0; !kernels[i].failure && k < n_bundles; k++) {
			print_margins(&p, &kernels[i].bundles[k]);
			print_refusals(&p, &kernels[i].bundles[k]);
		}
	}
}

/* ---- JSON ---- */

/* The last member so far gives its comma away. */
static void close_object(struct polc_buf *b)
{
	if (b->n && b->p[b->n - 1] == ',')
		b->p[--b->n] = '\0';
	polc_buf_puts(b, "}");
}

static void add_bool(struct polc_buf *b, const char *key, bool value)
{
	polc_buf_printf(b, "\"%s\":%s,", key, value ? "true" : "false");
}

static void add_number(struct polc_buf *b, const char *key, uint64_t value)
{
	polc_buf_printf(b, "\"%s\":%llu,", key, (unsigned long long)value);
}

static void add_place(struct polc_buf *b, const struct polc_verify_place *place)
{
	if (!place->text)
		return;
	polc_buf_json_member(b, "policy", place->text);
	if (place->file)
		polc_buf_json_member(b, "source",
			polc_arena_printf(b->arena, "%s:%u", place->file, place->line));
}

static void add_costs(struct polc_buf *b, const struct polc_verified_program *p)
{
	const struct polc_verifier_log *log = &p->log;

	if (!log->has_costs)
		return;
	add_number(b, "instructions", log->instructions);
	add_number(b, "instruction_limit", log->limit);
	add_number(b, "instruction_percent", polc_verify_percent(log->instructions, log->limit));
	add_number(b, "states_per_instruction", log->states_per_instruction);
	add_number(b, "total_states", log->total_states);
	add_number(b, "peak_states", log->peak_states);
	if (!knows_stack(p))
		return;
	add_number(b, "stack_bytes", p->stack_bytes);
	add_number(b, "stack_limit", POLC_STACK_BYTES);
	add_number(b, "stack_percent", polc_verify_percent(p->stack_bytes, POLC_STACK_BYTES));
}

static void add_program(struct polc_buf *b, const struct polc_verified_program *p)
{
	polc_buf_puts(b, "{");
	polc_buf_json_member(b, "name", p->name);
	polc_buf_json_member(b, "hook", p->hook);
	polc_buf_json_member(b, "verdict", p->over_limit ? "over-limit" : verdict(p));
	add_bool(b, "needed", p->needed);
	add_costs(b, p);
	if (!p->accepted) {
		polc_buf_json_member(b, "reason", polc_refusal_names[p->log.refusal]);
		polc_buf_json_member(b, "text", polc_refusal_texts[p->log.refusal]);
		polc_buf_json_member(b, "verifier", p->log.words);
		if (p->log.source)
			polc_buf_json_member(b, "at", p->log.source);
	}
	add_place(b, &p->place);
	close_object(b);
}

static void add_hook(struct polc_buf *b, const struct polc_verified_hook *h)
{
	polc_buf_puts(b, "{");
	polc_buf_json_member(b, "hook", h->text);
	polc_buf_json_member(b, "taken",
		h->taken == POLB_NO_ALTERNATIVE ? NULL : h->alternatives[h->taken].mechanism);
	add_bool(b, "left_out", h->left_out);
	polc_buf_puts(b, "\"alternatives\":[");
	for (uint32_t i = 0; i < h->n_alternatives; i++) {
		polc_buf_puts(b, i ? ",{" : "{");
		polc_buf_json_member(b, "mechanism", h->alternatives[i].mechanism);
		add_bool(b, "possible", h->alternatives[i].possible);
		if (!h->alternatives[i].possible)
			polc_buf_json_member(b, "why", h->alternatives[i].why);
		if (h->alternatives[i].refused)
			polc_buf_json_member(b, "program", h->alternatives[i].refused->name);
		close_object(b);
	}
	polc_buf_puts(b, "],");
	add_place(b, &h->place);
	close_object(b);
}

static void add_bundle(struct polc_buf *b, const struct polc_verified_bundle *v)
{
	polc_buf_puts(b, "{");
	polc_buf_json_member(b, "bundle", v->path);
	polc_buf_json_member(b, "verdict", v->refused ? "refused" : "accepted");
	if (v->error)
		polc_buf_json_member(b, "error", v->error);
	polc_buf_puts(b, "\"programs\":[");
	for (size_t i = 0; !v->error && i < v->n_programs; i++) {
		polc_buf_puts(b, i ? "," : "");
		add_program(b, &v->programs[i]);
	}
	polc_buf_puts(b, "],\"hooks\":[");
	for (uint32_t i = 0; !v->error && i < v->n_hooks; i++) {
		polc_buf_puts(b, i ? "," : "");
		add_hook(b, &v->hooks[i]);
	}
	polc_buf_puts(b, "]}");
}

void polc_verify_print_json(
	struct polc *polc, const struct polc_verified_kernel *kernels, size_t n, size_t n_bundles)
{
	struct polc_buf b = {.arena = &polc->arena};

	polc_buf_puts(&b, "{\"kernels\":[");
	for (size_t i = 0; i < n; i++) {
		polc_buf_puts(&b, i ? ",{" : "{");
		polc_buf_json_member(&b, "release", kernels[i].release);
		polc_buf_json_member(&b, "failure", kernels[i].failure);
		polc_buf_puts(&b, "\"bundles\":[");
		for (size_t k = 0; !kernels[i].failure && k < n_bundles; k++) {
			polc_buf_puts(&b, k ? "," : "");
			add_bundle(&b, &kernels[i].bundles[k]);
		}
		polc_buf_puts(&b, "]}");
	}
	polc_buf_puts(&b, "]}\n");
	fwrite(b.p, 1, b.n, stdout);
}
