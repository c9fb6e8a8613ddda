/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * verify: every program of a bundle shown to this kernel's verifier, nothing attached and nothing
 * kept. What the node has besides its kernel (files of uprobes, cgroups, interfaces) is not asked.
 */
#include "verify.h"

#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "runtime/cleanup.h"
#include "trace.h"

#define LOG_LINES 400 /* of a refused program: the last ones */

/* Of programs and kernels: nothing in it may look like another line or field. */
static void put_text(FILE *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		putc((unsigned char)text[i] < ' ' ? ' ' : text[i], out);
}

static const char *last_lines(const char *log)
{
	const char *at = log + strlen(log);

	for (unsigned int lines = 0; at > log; at--)
		if (at[-1] == '\n' && lines++ == LOG_LINES)
			break;
	return at;
}

/* Number of the function that starts at an instruction; -1: none. */
static int function_at(const uint32_t *starts, uint32_t n, uint32_t insn)
{
	for (uint32_t i = 0; i < n; i++)
		if (starts[i] == insn)
			return (int)i;
	return -1;
}

static bool is_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
}

/* A function whose address is taken, for bpf_loop and the like, runs on the caller's stack too. */
static bool is_callback(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_FUNC;
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Where functions start, in order: how the kernel numbers them. */
static uint32_t find_functions(const struct polb_verified *v, uint32_t *starts)
{
	uint32_t n = 0, kept = 0;

	starts[n++] = 0;
	for (size_t i = 0; i < v->n_insns; i++)
		if (is_call(&v->insns[i]) || is_callback(&v->insns[i]))
			starts[n++] = (uint32_t)((int64_t)i + v->insns[i].imm + 1);
	qsort(starts, n, sizeof(*starts), compare_u32);
	for (uint32_t i = 0; i < n; i++)
		if (!kept || starts[kept - 1] != starts[i])
			starts[kept++] = starts[i];
	return kept;
}

/* "calls\t0>1\t0>2": which function calls which, each pair once for a run of the same. */
static void put_calls(FILE *out, const struct polb_verified *v)
{
	POLB_FREE uint32_t *starts = calloc(v->n_insns + 1, sizeof(*starts));
	uint32_t n, caller = 0;
	POLB_FREE unsigned char *seen = NULL;

	if (!starts || !v->n_insns)
		return;
	n = find_functions(v, starts);
	seen = calloc(n, n);
	fputs("calls", out);
	for (size_t i = 0; seen && i < v->n_insns; i++) {
		int callee = -1;

		if (caller + 1 < n && starts[caller + 1] == i)
			caller++;
		if (is_call(&v->insns[i]) || is_callback(&v->insns[i]))
			callee = function_at(
				starts, n, (uint32_t)((int64_t)i + v->insns[i].imm + 1));
		if (callee >= 0 && !seen[caller * n + (uint32_t)callee]++)
			fprintf(out, "\t%u>%d", caller, callee);
	}
	putc('\n', out);
}

static void tell(void *context, const struct polb_verified *v)
{
	FILE *out = context;

	fprintf(out, "program\t%s\t%s\n", v->program, v->err ? "refused" : "accepted");
	for (const char *line = last_lines(v->log); *line;) {
		size_t n = strcspn(line, "\n");

		fputs("log\t", out);
		put_text(out, line, n);
		putc('\n', out);
		line += n + (line[n] == '\n');
	}
	put_calls(out, v);
	fflush(out);
}

static bool of_a_file(const struct polb_bundle_trace_program *p)
{
	return p->mechanism == POLB_MECHANISM_UPROBE || p->mechanism == POLB_MECHANISM_URETPROBE ||
	       p->mechanism == POLB_MECHANISM_USDT;
}

static enum pold_can alternative_can(struct pold_kernel *kernel, const struct polb_bundle *b,
	uint32_t flags, const struct polb_bundle_trace_alternative *a, char why[POLD_WHY])
{
	enum pold_can can = POLD_CAN;

	for (uint32_t i = 0; can == POLD_CAN && i < a->n_programs; i++) {
		const struct polb_bundle_trace_program *p =
			&b->trace_programs[a->first_program + i];

		if (of_a_file(p))
			continue;
		can = pold_kernel_can(kernel, p, why);
		if (can == POLD_CAN && flags & POLB_TRACE_BY_PATTERN)
			can = pold_kernel_can_trace(kernel, p, why);
	}
	return can;
}

static void put_alternatives(FILE *out, const struct polb_bundle *b, struct pold_kernel *kernel)
{
	static const char *const words[] = {[POLD_CAN] = "can",
		[POLD_CANNOT] = "cannot",
		[POLD_MISSING] = "missing",
		[POLD_DIGEST] = "cannot"};

	for (uint32_t h = 0; h < b->n_trace_hooks; h++) {
		const struct polb_bundle_trace_hook *hook = &b->trace_hooks[h];

		for (uint32_t i = 0; i < hook->n_alternatives; i++) {
			char why[POLD_WHY] = "";
			enum pold_can can = alternative_can(kernel, b, hook->flags,
				&b->trace_alternatives[hook->first_alternative + i], why);

			fprintf(out, "alternative\t%u\t%u\t%s\t", h, i, words[can]);
			put_text(out, why, strlen(why));
			putc('\n', out);
		}
	}
}

static void put_error(FILE *out, const char *text)
{
	fputs("error\t", out);
	put_text(out, text, strlen(text));
	putc('\n', out);
}

void pold_verify_begin(FILE *out)
{
	struct utsname name = {.release = ""};

	uname(&name);
	fprintf(out, "polc-report\t1\nkernel\t%s\n", name.release);
}

void pold_verify_end(FILE *out)
{
	fputs("end\n", out);
	fflush(out);
}

void pold_verify_bundle(FILE *out, unsigned int number, const char *path)
{
	const struct polb_instance_options options = {
		.generation = 1, .control_fd = -1, .flows_fd = -1};
	POLB_FREE void *file = NULL;
	struct pold_kernel *kernel = NULL;
	char error[POLB_ERROR_TEXT];
	struct polb_bundle bundle;
	size_t size;
	int err = polb_file_read(path, &file, &size);

	fprintf(out, "bundle\t%u\n", number);
	if (err) {
		put_error(out, strerror(-err));
		return;
	}
	if (polb_bundle_read(file, size, &bundle, error)) {
		put_error(out, error);
		return;
	}
	if (polb_instance_verify(&bundle, &options, tell, out, error))
		put_error(out, error);
	else if (bundle.n_trace_hooks && pold_kernel_open(&bundle, &kernel))
		put_error(out, "out of memory");
	else if (bundle.n_trace_hooks)
		put_alternatives(out, &bundle, kernel);
	pold_kernel_free(kernel);
}

int pold_cmd_verify(const struct pold_options *options)
{
	int code = pold_options_arguments(options, 1, 1000, "verify BUNDLE...");

	if (!code)
		code = pold_privileged();
	if (code)
		return code;
	pold_verify_begin(stdout);
	for (int i = 0; i < options->n_arguments; i++)
		pold_verify_bundle(stdout, (unsigned int)i, options->arguments[i]);
	pold_verify_end(stdout);
	return POLD_OK;
}
