/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which verifiers are asked, and what their answers mean for a bundle as a whole. */
#include "verify.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "../../runtime/instance.h"
#include "../../runtime/trace_tables.h"

/* ---- the tables ---- */

static const struct {
	const char *name, *hook;
	uint32_t bit;
} packets[] = {
	{"polt_cgroup_in", "cgroup ingress", POLB_HOOK_CGROUP},
	{"polt_cgroup_out", "cgroup egress", POLB_HOOK_CGROUP},
	{"polt_tc_from", "tc, from the endpoint", POLB_HOOK_TC},
	{"polt_tc_to", "tc, to the endpoint", POLB_HOOK_TC},
};

static struct polc_verified_program *find_program(
	const struct polc_verified_bundle *v, const char *name)
{
	for (size_t i = 0; i < v->n_programs; i++)
		if (!strcmp(v->programs[i].name, name))
			return &v->programs[i];
	return NULL;
}

static void prepare_programs(
	struct polc_arena *arena, const struct polb_bundle *b, struct polc_verified_bundle *out)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(packets); i++)
		if (b->manifest.hooks & packets[i].bit)
			out->programs[out->n_programs++] =
				(struct polc_verified_program){.name = packets[i].name,
					.hook = packets[i].hook,
					.packets = true,
					.needed = true};
	for (size_t i = 0; i < b->n_trace_programs; i++) {
		const struct polb_bundle_trace_program *p = &b->trace_programs[i];
		const char *name = polb_bundle_string(b, p->name);

		if (!find_program(out, name))
			out->programs[out->n_programs++] =
				(struct polc_verified_program){.name = name,
					.hook = polc_arena_printf(arena, "%s %s",
						polb_mechanism_name(p->mechanism),
						polb_bundle_string(b, p->target))};
	}
}

/* "fmod_ret + fexit" */
static const char *mechanisms(struct polc_arena *arena, const struct polb_bundle *b,
	const struct polb_bundle_trace_alternative *a)
{
	struct polc_buf text = {.arena = arena};

	for (uint32_t i = 0; i < a->n_programs; i++)
		polc_buf_printf(&text, "%s%s", i ? " + " : "",
			polb_mechanism_name(b->trace_programs[a->first_program + i].mechanism));
	return text.p;
}

static void prepare_hook(struct polc_arena *arena, const struct polb_bundle *b,
	const struct polb_bundle_trace_hook *hook, struct polc_verified_hook *out)
{
	out->text = polb_bundle_string(b, hook->text);
	out->taken = POLB_NO_ALTERNATIVE;
	out->n_alternatives = hook->n_alternatives;
	out->alternatives =
		POLC_NEW_ARRAY(arena, hook->n_alternatives, struct polc_verified_alternative);
	for (uint32_t i = 0; i < hook->n_alternatives; i++)
		out->alternatives[i].mechanism =
			mechanisms(arena, b, &b->trace_alternatives[hook->first_alternative + i]);
}

void polc_verify_prepare(
	struct polc *polc, const struct polc_verify_input *input, struct polc_verified_bundle *out)
{
	const struct polb_bundle *b = &input->bundle;

	*out = (struct polc_verified_bundle){
		.path = input->path, .n_hooks = (uint32_t)b->n_trace_hooks};
	out->programs = POLC_NEW_ARRAY(&polc->arena, POLC_ARRAY_SIZE(packets) + b->n_trace_programs,
		struct polc_verified_program);
	prepare_programs(&polc->arena, b, out);
	out->hooks = POLC_NEW_ARRAY(&polc->arena, b->n_trace_hooks + 1, struct polc_verified_hook);
	for (size_t i = 0; i < b->n_trace_hooks; i++)
		prepare_hook(&polc->arena, b, &b->trace_hooks[i], &out->hooks[i]);
}

/* ---- the judgement ---- */

static bool fine(const struct polc_verified_program *p)
{
	return p->accepted && !p->over_limit;
}

const char *polc_verify_why(const struct polc_verified_program *p)
{
	if (p->accepted)
		return "the verifier looks at more instructions than --max-insns";
	return p->told ? polc_refusal_texts[p->log.refusal] : "the verifier was not asked";
}

static void judge_alternative(const struct polb_bundle *b,
	const struct polb_bundle_trace_alternative *a, const struct polc_verified_bundle *v,
	struct polc_verified_alternative *out)
{
	for (uint32_t i = 0; out->possible && i < a->n_programs; i++) {
		const char *name =
			polb_bundle_string(b, b->trace_programs[a->first_program + i].name);
		const struct polc_verified_program *p = find_program(v, name);

		if (fine(p))
			continue;
		out->possible = false;
		out->missing = !p->accepted && p->log.refusal == POLC_REFUSAL_TARGET;
		out->why = polc_verify_why(p);
		out->refused = p;
	}
}

/* The programs of the alternative that is taken; of all, when there is none. */
static void mark_needed(const struct polb_bundle *b, const struct polb_bundle_trace_hook *hook,
	uint32_t taken, const struct polc_verified_bundle *v)
{
	for (uint32_t i = 0; i < hook->n_alternatives; i++) {
		const struct polb_bundle_trace_alternative *a =
			&b->trace_alternatives[hook->first_alternative + i];

		for (uint32_t k = 0;
			(taken == i || taken == POLB_NO_ALTERNATIVE) && k < a->n_programs; k++)
			find_program(v,
				polb_bundle_string(b, b->trace_programs[a->first_program + k].name))
				->needed = true;
	}
}

/* The place of the first program that is refused, else of the first one. */
static struct polc_verify_place hook_place(const struct polb_bundle *b,
	const struct polb_bundle_trace_hook *hook, const struct polc_verified_bundle *v,
	const struct polc_verified_hook *out)
{
	const struct polb_bundle_trace_alternative *first =
		&b->trace_alternatives[hook->first_alternative];

	for (uint32_t i = 0; i < out->n_alternatives; i++)
		if (out->alternatives[i].refused)
			return out->alternatives[i].refused->place;
	return find_program(v, polb_bundle_string(b, b->trace_programs[first->first_program].name))
		->place;
}

/* As polload's choice (loader/trace_choose.c): the first that is possible. */
static void judge_hook(const struct polb_bundle *b, uint32_t number, struct polc_verified_bundle *v)
{
	const struct polb_bundle_trace_hook *hook = &b->trace_hooks[number];
	struct polc_verified_hook *out = &v->hooks[number];
	bool missing = true;

	for (uint32_t i = 0; i < hook->n_alternatives; i++) {
		struct polc_verified_alternative *a = &out->alternatives[i];

		judge_alternative(b, &b->trace_alternatives[hook->first_alternative + i], v, a);
		missing &= !a->possible && a->missing;
		if (a->possible && out->taken == POLB_NO_ALTERNATIVE)
			out->taken = i;
	}
	out->place = hook_place(b, hook, v, out);
	out->left_out = missing && hook->flags & POLB_TRACE_OPTIONAL;
	if (!out->left_out)
		mark_needed(b, hook, out->taken, v);
}

void polc_verify_judge(struct polc *polc, const struct polc_verify_input *input, uint64_t max_insns,
	struct polc_verified_bundle *v)
{
	const struct polb_bundle *b = &input->bundle;

	v->refused = v->error != NULL;
	if (v->error)
		return;
	for (size_t i = 0; i < v->n_programs; i++) {
		struct polc_verified_program *p = &v->programs[i];

		p->over_limit = p->accepted && max_insns && p->log.instructions > max_insns;
		p->place =
			polc_verify_place_of(polc, b, p->name, fine(p) ? -1 : p->log.instruction);
		v->refused |= p->needed && !fine(p);
	}
	for (uint32_t i = 0; i < v->n_hooks; i++) {
		judge_hook(b, i, v);
		v->refused |= v->hooks[i].taken == POLB_NO_ALTERNATIVE && !v->hooks[i].left_out;
	}
}

/* ---- asking ---- */

static void read_answer(struct polc *polc, const struct polc_verify_input *inputs, size_t n_inputs,
	const char *answer, size_t size, const struct polc_verify_options *options,
	struct polc_verified_kernel *out)
{
	out->bundles = POLC_NEW_ARRAY(&polc->arena, n_inputs, struct polc_verified_bundle);
	for (size_t i = 0; i < n_inputs; i++)
		polc_verify_prepare(polc, &inputs[i], &out->bundles[i]);
	if (polc_verify_read_report(polc, answer, size, n_inputs, out)) {
		out->failure = "polload's answer is not understood: it is of another version";
		return;
	}
	for (size_t i = 0; i < n_inputs; i++) {
		polc_verify_judge(polc, &inputs[i], options->max_insns, &out->bundles[i]);
		out->refused |= out->bundles[i].refused;
	}
}

/* This kernel: polload as a child, the bundles as files of memory. */
static int ask_running(struct polc *polc, const struct polc_verify_input *inputs, size_t n_inputs,
	const struct polc_verify_options *options, struct polc_verified_kernel *out)
{
	const char *program = polc_polload_find(polc, options->polload, false);
	struct utsname name;
	char *answer = NULL;
	size_t size;
	int err;

	uname(&name);
	out->release = polc_arena_strndup(&polc->arena, name.release, strlen(name.release));
	if (!program)
		return -ENOENT;
	err = polc_run_polload(polc, program, inputs, n_inputs, &answer, &size);
	if (err)
		polc_environment_error("the running kernel cannot be asked%s%s; kernel images can: "
				       "--kernel IMAGE",
			err == -EIO ? "" : ": ", err == -EIO ? "" : strerror(-err));
	else
		read_answer(polc, inputs, n_inputs, answer, size, options, out);
	return err;
}

/* All images, side by side. */
static int ask_images(struct polc *polc, const struct polc_verify_input *inputs, size_t n_inputs,
	const struct polc_verify_options *options, struct polc_vm_question *questions, size_t n)
{
	struct polb_cpio_entry *files =
		POLC_NEW_ARRAY(&polc->arena, n_inputs, struct polb_cpio_entry);
	const struct polc_vm_options vm = {
		.polload = polc_polload_find(polc, options->polload, true),
		.accelerator = options->accelerator,
		.timeout_s = options->timeout_s,
		.jobs = options->jobs,
		.progress = options->progress,
		.context = options->context};

	if (!vm.polload)
		return -ENOENT;
	for (size_t i = 0; i < n_inputs; i++)
		files[i] =
			(struct polb_cpio_entry){.name = polc_arena_printf(&polc->arena, "%zu", i),
				.mode = POLB_CPIO_FILE,
				.data = inputs[i].bundle.data,
				.size = inputs[i].bundle.size};
	for (size_t i = 0; i < n; i++) {
		questions[i].word = "verify";
		questions[i].files = files;
		questions[i].n_files = n_inputs;
	}
	return polc_vm_ask(polc, &vm, questions, n);
}

static bool is_running(const char *kernel)
{
	return !strcmp(kernel, "running");
}

/* The questions of the images, in the order of the kernels. */
static int find_images(struct polc *polc, const struct polc_verify_options *options,
	struct polc_vm_question *questions, size_t *n)
{
	int err = 0;

	*n = 0;
	for (size_t i = 0; !err && i < options->n_kernels; i++)
		if (!is_running(options->kernels[i]))
			err = polc_kernel_image_find(
				polc, options->kernels[i], &questions[(*n)++].kernel);
	return err;
}

static void take_answers(struct polc *polc, const struct polc_verify_input *inputs, size_t n_inputs,
	const struct polc_verify_options *options, const struct polc_vm_question *questions,
	struct polc_verified_kernel *out)
{
	for (size_t i = 0; i < options->n_kernels; i++) {
		if (is_running(options->kernels[i]))
			continue;
		out[i].release = questions->kernel.release;
		out[i].failure = questions->failure;
		if (questions->answer)
			read_answer(polc, inputs, n_inputs, questions->answer,
				questions->answer_size, options, &out[i]);
		questions++;
	}
}

int polc_verify(struct polc *polc, const struct polc_verify_input *inputs, size_t n_inputs,
	const struct polc_verify_options *asked, struct polc_verified_kernel **out, size_t *n)
{
	static const char *const this_kernel[] = {"running"};
	struct polc_verify_options options = *asked;
	struct polc_vm_question *questions;
	size_t n_images;
	int err;

	if (!options.n_kernels) {
		options.kernels = this_kernel;
		options.n_kernels = 1;
	}
	*n = options.n_kernels;
	*out = POLC_NEW_ARRAY(&polc->arena, *n, struct polc_verified_kernel);
	questions = POLC_NEW_ARRAY(&polc->arena, *n, struct polc_vm_question);
	err = find_images(polc, &options, questions, &n_images);
	for (size_t i = 0; !err && i < options.n_kernels; i++)
		if (is_running(options.kernels[i]))
			err = ask_running(polc, inputs, n_inputs, &options, &(*out)[i]);
	if (!err && n_images)
		err = ask_images(polc, inputs, n_inputs, &options, questions, n_images);
	if (!err)
		take_answers(polc, inputs, n_inputs, &options, questions, *out);
	return err;
}
