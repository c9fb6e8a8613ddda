/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The attached tracing programs as the kernel describes them: what the verifier had to look at. */
#include "trace.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>

#include "runtime/cleanup.h"

/* The program of a pinned link. 0 or -errno. */
static int link_program(
	const struct pold_state *state, uint32_t hook, uint32_t number, struct bpf_prog_info *out)
{
	POLB_FD link_fd = pold_pin_get(
		POLD_ROOT "/%s/g%u/t%u_%u", state->name, state->generation, hook, number);
	POLB_FD program_fd = -1;
	struct bpf_link_info link = {0};
	__u32 link_size = sizeof(link), size = sizeof(*out);

	if (link_fd < 0)
		return link_fd;
	if (bpf_obj_get_info_by_fd(link_fd, &link, &link_size))
		return -errno;
	program_fd = bpf_prog_get_fd_by_id(link.prog_id);
	if (program_fd < 0)
		return -errno;
	*out = (struct bpf_prog_info){0};
	return bpf_obj_get_info_by_fd(program_fd, out, &size) ? -errno : 0;
}

static void json_program(const struct pold_state *state, uint32_t hook,
	const struct bpf_prog_info *info, const char *separator)
{
	const struct polb_bundle *b = &state->bundle;

	printf("%s{\"hook\":", separator);
	pold_json_string(polb_bundle_string(b, b->trace_hooks[hook].text));
	printf(",\"name\":");
	pold_json_string(info->name);
	printf(",\"id\":%u,\"instructions\":%u", info->id, info->xlated_prog_len / 8);
	if (info->verified_insns) /* since 5.16 */
		printf(",\"verified_instructions\":%u", info->verified_insns);
	putchar('}');
}

/* A program is printed once, however many places it is attached to. Kernels before 5.15 have no
 * links for kprobes, tracepoints and uprobes: their programs are not found this way. */
void pold_trace_programs_json(const struct pold_state *state)
{
	POLB_FD hooks_fd = pold_state_map(state, "trace_hooks");
	const char *separator = "";

	printf(",\"programs\":[");
	for (uint32_t i = 0; hooks_fd >= 0 && i < state->bundle.n_trace_hooks; i++) {
		struct pold_trace_hook hook = {0};
		uint32_t last = 0;

		if (bpf_map_lookup_elem(hooks_fd, &i, &hook))
			continue;
		for (uint32_t k = 0; k < hook.links; k++) {
			struct bpf_prog_info info;

			if (link_program(state, i, k, &info) || info.id == last)
				continue;
			last = info.id;
			json_program(state, i, &info, separator);
			separator = ",";
		}
	}
	putchar(']');
}
