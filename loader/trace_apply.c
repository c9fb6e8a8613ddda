/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * apply, for what a bundle traces: alternatives chosen, loaded and attached until this kernel takes
 * them all or one has none left; then everything that must be known before the cutover.
 */
#include "trace.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/cleanup.h"
#include "runtime/trace_tables.h"
#include "workloads.h"

/* Longer than pold_trace_drain() takes: it is looked at from before the store on. */
#define OVERLAP_NS ((POLD_DRAIN_MAX_S + 5) * 1000000000ull)

/* What the kernel refused to load counts against its hook. -EAGAIN: there is another alternative.
 */
static int load_refused(struct pold_trace *t, const char *failed, const char *error)
{
	uint32_t hook = pold_trace_hook_of(t, failed);

	if (!failed[0] || hook == t->bundle->n_trace_hooks)
		return pold_fail(POLD_ENVIRONMENT, "cannot load the bundle: %s", error);
	return pold_trace_refused(t, hook, error) ? -EAGAIN : pold_trace_refuse(t, hook);
}

static int try_once(
	struct pold_trace *t, struct polb_instance_options *options, struct polb_instance **out)
{
	char error[POLB_ERROR_TEXT], failed[POLB_PROGRAM_NAME] = "";
	int result = pold_trace_choose(t);

	if (result)
		return result;
	options->alternatives = t->chosen;
	options->failed = failed;
	if (polb_instance_load(t->bundle, options, out, error))
		return load_refused(t, failed, error);
	if (t->load_only)
		return 0;
	result = pold_trace_attach(t, *out);
	if (result) {
		polb_instance_free(*out);
		*out = NULL;
	}
	return result;
}

int pold_trace_load(struct pold_trace *t, const struct polb_instance_options *options,
	struct polb_instance **out)
{
	struct polb_instance_options copy = *options;
	int result;

	do /* each turn refuses one alternative */
		result = try_once(t, &copy, out);
	while (result == -EAGAIN);
	return result;
}

static int write_config(const struct polb_instance *instance)
{
	int fd = polb_instance_map_fd(instance, "polt_trace_config");
	struct polb_trace_config config = {.self_tgid = 0};
	__u32 zero = 0;

	pold_namespaces_read(1, config.host_namespaces);
	return bpf_map_update_elem(fd, &zero, &config, BPF_ANY) ? -errno : 0;
}

static int pin_maps(const struct polb_instance *instance, const char *name, uint32_t generation)
{
	static const char *const maps[] = {"polt_trace_config", "polt_policies",
		"polt_trace_counters", "polt_processes", "polt_execs", "polt_workloads"};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(maps) / sizeof(maps[0]); i++) {
		int fd = polb_instance_map_fd(instance, maps[i]);

		if (fd >= 0)
			err = pold_pin_put(fd, POLD_ROOT "/%s/g%u/%s", name, generation, maps[i]);
	}
	return err;
}

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* Whether it traces at all, or -errno. */
static int set_overlap(const char *name, uint32_t old, uint64_t until_ns)
{
	POLB_FD fd = pold_pin_get(POLD_ROOT "/%s/g%u/polt_trace_config", name, old);
	struct polb_trace_config config;
	__u32 zero = 0;

	if (fd < 0)
		return fd == -ENOENT ? false : fd;
	if (bpf_map_lookup_elem(fd, &zero, &config))
		return -errno;
	config.overlap_until_ns = until_ns;
	return bpf_map_update_elem(fd, &zero, &config, BPF_ANY) ? -errno : true;
}

int pold_trace_overlap(const char *name, uint32_t old)
{
	return set_overlap(name, old, boot_ns() + OVERLAP_NS);
}

/* The kernel detaches what is no longer pinned a little later: until then it would still judge. */
void pold_trace_overlap_end(const char *name, uint32_t old)
{
	set_overlap(name, old, 0);
}

int pold_trace_keep(struct pold_trace *t, const struct polb_instance *instance, const char *name,
	uint32_t generation)
{
	int err = write_config(instance);

	if (!err)
		err = pin_maps(instance, name, generation);
	if (!err)
		err = pold_trace_pin(t, name, generation);
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot pin the tracing programs: %s",
			     strerror(-err))
		   : POLD_OK;
}

/* Whether it knows processes: what cannot be read is not taken for nothing. Or -errno. */
static int open_old(struct pold_state *state, int processes_fd, int execs_fd)
{
	int err;

	if (processes_fd == -ENOENT || execs_fd == -ENOENT)
		return false;
	if (processes_fd < 0 || execs_fd < 0)
		return processes_fd < 0 ? processes_fd : execs_fd;
	err = pold_state_bundle(state);
	return err ? err : true;
}

int pold_trace_know(const struct pold_trace *t, const struct polb_instance *instance,
	const char *name, uint32_t old)
{
	POLD_STATE state = POLD_STATE_INIT;
	POLB_FD processes_fd = -1, execs_fd = -1;
	struct pold_trace_old before = {-1, -1, &state.bundle};
	int has_old = false, code;

	if (old) {
		state.name = name;
		state.generation = old;
		before.processes_fd = processes_fd = pold_state_map(&state, "polt_processes");
		before.execs_fd = execs_fd = pold_state_map(&state, "polt_execs");
		has_old = open_old(&state, processes_fd, execs_fd);
	}
	if (has_old < 0)
		return pold_fail(POLD_ENVIRONMENT, "generation %u cannot be read: %s", old,
			strerror(-has_old));
	code = pold_processes_scan(t->bundle, polb_instance_map_fd(instance, "polt_processes"),
		polb_instance_map_fd(instance, "polt_execs"), has_old ? &before : NULL);
	if (!code)
		code = pold_workloads_write(
			t->bundle, name, polb_instance_map_fd(instance, "polt_workloads"));
	return code;
}
