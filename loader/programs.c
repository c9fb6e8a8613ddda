/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The programs of a generation as the kernel describes them: what the verifier had to look at. */
#include "trace.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "runtime/cleanup.h"

/* Debian 12's bpf_prog_info ends before what newer kernels add; has_misses: since 5.12. */
static int program_read(int fd, struct pold_program *out)
{
	__u32 size = sizeof(out->info);

	*out = (struct pold_program){.has_misses = false};
	if (bpf_obj_get_info_by_fd(fd, &out->info, &size))
		return -errno;
	out->has_misses = size >= offsetof(struct bpf_prog_info, recursion_misses) +
					  sizeof(out->info.recursion_misses);
	return 0;
}

/* The program of a pinned link. 0 or -errno. */
static int link_program(
	const struct pold_state *state, uint32_t hook, uint32_t number, struct pold_program *out)
{
	POLB_FD link_fd = pold_pin_get(
		POLD_ROOT "/%s/g%u/t%u_%u", state->name, state->generation, hook, number);
	POLB_FD program_fd = -1;
	struct bpf_link_info link = {0};
	__u32 link_size = sizeof(link);

	if (link_fd < 0)
		return link_fd;
	if (bpf_obj_get_info_by_fd(link_fd, &link, &link_size))
		return -errno;
	program_fd = bpf_prog_get_fd_by_id(link.prog_id);
	return program_fd < 0 ? -errno : program_read(program_fd, out);
}

static void each_network(const struct pold_state *state, pold_program_call *call, void *context)
{
	static const struct {
		const char *pin, *hook;
	} programs[] = {{"polt_cgroup_in", "cgroup_skb ingress"},
		{"polt_cgroup_out", "cgroup_skb egress"}, {"polt_tc_from", "tc from endpoint"},
		{"polt_tc_to", "tc to endpoint"}};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		POLB_FD fd = pold_state_map(state, programs[i].pin);
		struct pold_program program;

		if (fd >= 0 && program_read(fd, &program) == 0)
			call(context, programs[i].hook, &program);
	}
}

/* A program comes once, however many places it is attached to. Kernels before 5.15 have no links
 * for kprobes, tracepoints and uprobes: their programs are not found this way. */
static void each_tracing(const struct pold_state *state, pold_program_call *call, void *context)
{
	const struct polb_bundle *b = &state->bundle;
	POLB_FD hooks_fd = pold_state_map(state, "trace_hooks");

	for (uint32_t i = 0; hooks_fd >= 0 && i < b->n_trace_hooks; i++) {
		struct pold_trace_hook hook = {0};
		uint32_t last = 0;

		if (bpf_map_lookup_elem(hooks_fd, &i, &hook))
			continue;
		for (uint32_t k = 0; k < hook.links; k++) {
			struct pold_program program;

			if (link_program(state, i, k, &program) || program.info.id == last)
				continue;
			last = program.info.id;
			call(context, polb_bundle_string(b, b->trace_hooks[i].text), &program);
		}
	}
}

void pold_programs_each(const struct pold_state *state, pold_program_call *call, void *context)
{
	each_network(state, call, context);
	each_tracing(state, call, context);
}

static void json_program(void *context, const char *hook, const struct pold_program *program)
{
	const struct bpf_prog_info *info = &program->info;
	const char **separator = context;

	printf("%s{\"hook\":", *separator);
	pold_json_string(hook);
	printf(",\"name\":");
	pold_json_string(info->name);
	printf(",\"id\":%u,\"instructions\":%u", info->id, info->xlated_prog_len / 8);
	if (info->verified_insns) /* since 5.16 */
		printf(",\"verified_instructions\":%u", info->verified_insns);
	if (program->has_misses)
		printf(",\"recursion_misses\":%llu", (unsigned long long)info->recursion_misses);
	putchar('}');
	*separator = ",";
}

static void print_misses(void *context, const char *hook, const struct pold_program *program)
{
	(void)context;
	if (program->has_misses && program->info.recursion_misses)
		printf("%10llu  %-15s  %s\n", (unsigned long long)program->info.recursion_misses,
			program->info.name, hook);
}

void pold_programs_json(const struct pold_state *state)
{
	const char *separator = "";

	printf(",\"programs\":[");
	pold_programs_each(state, json_program, &separator);
	putchar(']');
}

void pold_programs_text(const struct pold_state *state)
{
	printf("\n%10s  %-15s  %s\n", "MISSED", "PROGRAM", "HOOK");
	pold_programs_each(state, print_misses, NULL);
}
