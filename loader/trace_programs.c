/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The attached tracing programs as the kernel describes them: what the verifier had to look at. */
#include "trace.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "runtime/cleanup.h"

/* A program as the kernel describes it; has_misses: it counts them (5.12). */
struct program {
	struct bpf_prog_info info;
	bool has_misses;
};

/* The program of a pinned link. 0 or -errno. */
static int link_program(
	const struct pold_state *state, uint32_t hook, uint32_t number, struct program *out)
{
	POLB_FD link_fd = pold_pin_get(
		POLD_ROOT "/%s/g%u/t%u_%u", state->name, state->generation, hook, number);
	POLB_FD program_fd = -1;
	struct bpf_link_info link = {0};
	__u32 link_size = sizeof(link), size = sizeof(out->info);

	if (link_fd < 0)
		return link_fd;
	if (bpf_obj_get_info_by_fd(link_fd, &link, &link_size))
		return -errno;
	program_fd = bpf_prog_get_fd_by_id(link.prog_id);
	if (program_fd < 0)
		return -errno;
	*out = (struct program){.has_misses = false};
	if (bpf_obj_get_info_by_fd(program_fd, &out->info, &size))
		return -errno;
	out->has_misses = size >= offsetof(struct bpf_prog_info, recursion_misses) +
					  sizeof(out->info.recursion_misses);
	return 0;
}

static void json_program(const struct pold_state *state, uint32_t hook,
	const struct program *program, const char *separator)
{
	const struct polb_bundle *b = &state->bundle;
	const struct bpf_prog_info *info = &program->info;

	printf("%s{\"hook\":", separator);
	pold_json_string(polb_bundle_string(b, b->trace_hooks[hook].text));
	printf(",\"name\":");
	pold_json_string(info->name);
	printf(",\"id\":%u,\"instructions\":%u", info->id, info->xlated_prog_len / 8);
	if (info->verified_insns) /* since 5.16 */
		printf(",\"verified_instructions\":%u", info->verified_insns);
	if (program->has_misses)
		printf(",\"recursion_misses\":%llu", (unsigned long long)info->recursion_misses);
	putchar('}');
}

static void print_misses(const struct pold_state *state, uint32_t hook,
	const struct program *program, const char *separator)
{
	const struct polb_bundle *b = &state->bundle;

	if (!program->has_misses || !program->info.recursion_misses)
		return;
	printf("%s%10llu  %-15s  %s\n", separator,
		(unsigned long long)program->info.recursion_misses, program->info.name,
		polb_bundle_string(b, b->trace_hooks[hook].text));
}

/* A program comes once, however many places it is attached to. Kernels before 5.15 have no links
 * for kprobes, tracepoints and uprobes: their programs are not found this way. */
static void each_program(const struct pold_state *state, const char *first, const char *next,
	void (*print)(const struct pold_state *state, uint32_t hook, const struct program *program,
		const char *separator))
{
	POLB_FD hooks_fd = pold_state_map(state, "trace_hooks");
	const char *separator = first;

	for (uint32_t i = 0; hooks_fd >= 0 && i < state->bundle.n_trace_hooks; i++) {
		struct pold_trace_hook hook = {0};
		uint32_t last = 0;

		if (bpf_map_lookup_elem(hooks_fd, &i, &hook))
			continue;
		for (uint32_t k = 0; k < hook.links; k++) {
			struct program program;

			if (link_program(state, i, k, &program) || program.info.id == last)
				continue;
			last = program.info.id;
			print(state, i, &program, separator);
			separator = next;
		}
	}
}

void pold_trace_programs_json(const struct pold_state *state)
{
	printf(",\"programs\":[");
	each_program(state, "", ",", json_program);
	putchar(']');
}

void pold_trace_programs_text(const struct pold_state *state)
{
	printf("\n%10s  %-15s  %s\n", "MISSED", "PROGRAM", "HOOK");
	each_program(state, "", "", print_misses);
}
