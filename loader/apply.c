/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * apply: a new generation beside the old one, inert, complete; then one store puts it into force;
 * then the old one goes, but for what rollback needs. What fails or is killed before the store
 * leaves the old one as it was.
 */
#include "apply.h"
#include "told.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policies.h"
#include "runtime/cleanup.h"

/* A connection older than polc is recognised by its traffic: this long after the first apply. */
#define FIRST_ADOPT_S 60

/* A health check alone: when polload itself is killed during it, the node returns then. */
#define HEALTH_CONFIRM_S 40

void pold_apply_end(struct pold_apply *a)
{
	pold_trace_close(&a->trace);
	polb_instance_free(a->instance);
	if (a->made)
		pold_generation_remove(a->name, a->generation);
	if (a->looked && !a->options->dry_run && !a->old && !a->applied)
		pold_name_remove(a->name); /* a first apply that failed */
	for (size_t i = 0; i < a->n_spots; i++)
		pold_place_close(&a->spots[i].place);
	free(a->spots);
	free(a->file);
	polb_cleanup_fd(&a->flows_fd);
	polb_cleanup_fd(&a->control_fd);
	if (!a->lock_is_borrowed)
		polb_cleanup_fd(&a->lock_fd);
}

static bool wants_watching(const struct pold_options *options)
{
	return options->confirm_s >= 0 || options->health;
}

/*
 * What the new generation returns to is the last one that was confirmed: a generation that is still
 * unconfirmed, and one whose own bundle is applied again instead of it, is not kept.
 */
static int find_previous(struct pold_apply *a)
{
	POLD_STATE old = POLD_STATE_INIT;
	uint64_t deadline_ns;
	int err;

	a->told.previous = a->old;
	if (!a->old)
		return 0;
	err = pold_pending_look(a->name, a->old, &deadline_ns);
	if (err)
		return err == -ENOENT ? 0 : err;
	err = pold_state_generation(&old, a->name, a->old);
	if (err)
		return err;
	a->told.previous = old.archive->previous == a->from ? 0 : old.archive->previous;
	return 0;
}

/* Statistics: worth a note, not worth refusing. */
static void carry_counters(const struct polb_bundle *bundle, const char *name, uint32_t generation,
	uint32_t from, uint32_t hooks)
{
	POLD_STATE old = POLD_STATE_INIT;
	int err = pold_state_generation(&old, name, from);

	hooks &= bundle->manifest.hooks;
	if (!err && (hooks & POLB_HOOK_TRACE) && (old.bundle.manifest.hooks & POLB_HOOK_TRACE))
		err = pold_trace_counters_carry(bundle, name, generation, &old);
	if (!err && (hooks & POLD_NETWORK_HOOKS))
		err = pold_counters_carry(bundle, name, generation, &old);
	if (err)
		pold_note("note: counters start from zero: %s", strerror(-err));
}

/* An apply that was killed behind its store has not carried over the counters of the generation
 * before, which still has them unless it was stripped. */
static void carry_left_over(const struct pold_apply *a, const struct pold_state *now)
{
	static const struct {
		uint32_t hooks;
		const char *base, *counters;
	} kinds[] = {{POLD_NETWORK_HOOKS, "counters_base", "polt_counters"},
		{POLB_HOOK_TRACE, "trace_counters_base", "polt_trace_counters"}};
	uint32_t from = now->archive->previous;

	for (size_t i = 0; from && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		POLB_FD base_fd = pold_state_map(now, kinds[i].base);
		POLB_FD counters_fd =
			pold_pin_get(POLD_ROOT "/%s/g%u/%s", a->name, from, kinds[i].counters);

		if (base_fd == -ENOENT && counters_fd >= 0)
			carry_counters(&now->bundle, a->name, a->old, from, kinds[i].hooks);
	}
}

/* What killed applies left behind goes. 0 or -errno. */
static int clean_up(const struct pold_apply *a)
{
	POLD_GENERATION generation = POLD_GENERATION_INIT;
	POLD_STATE old = POLD_STATE_INIT;
	int err = 0;

	if (!a->old)
		return pold_generations_settle(a->name, 0, 0);
	err = pold_state_generation(&old, a->name, a->old);
	if (!err)
		carry_left_over(a, &old);
	if (!err)
		err = pold_generations_settle(a->name, a->old, old.archive->previous);
	if (!err)
		err = pold_generation_open(a->name, a->old, &generation);
	return err ? err : pold_guards_remove(&generation);
}

/* What a killed command had begun to change in the generation in force is over. 0 or -errno. */
static int end_change(struct pold_apply *a)
{
	if (!a->old || !(a->epoch & POLB_EPOCH_CHANGING))
		return 0;
	a->epoch = polb_epoch_next(a->epoch);
	return polb_control_store(a->control_fd, a->old, a->epoch);
}

static int next_number(struct pold_apply *a)
{
	POLB_FREE uint32_t *numbers = NULL;
	size_t n = 0;
	int err = pold_generations(a->name, &numbers, &n);

	a->generation = a->old;
	for (size_t i = 0; i < n; i++)
		if (numbers[i] > a->generation)
			a->generation = numbers[i];
	a->generation = a->generation == UINT32_MAX ? 1 : a->generation + 1;
	return err == -ENOENT ? 0 : err;
}

/* Directory, shared pins, what is in force. A dry run makes nothing and removes nothing. */
static int open_name(struct pold_apply *a)
{
	char path[POLD_PATH];
	int err = 0;

	pold_path(path, POLD_ROOT "/%s", a->name);
	if (!a->options->dry_run && mkdir(path, 0700) && errno != EEXIST)
		return pold_fail(POLD_ENVIRONMENT, "%s: %s", path, strerror(errno));
	a->control_fd = pold_pin_get("%s/control", path);
	a->flows_fd = pold_pin_get("%s/flows_v%u", path, POLB_ABI_VERSION);
	if (a->control_fd >= 0)
		err = polb_control_load(a->control_fd, &a->old, &a->epoch);
	else if (a->control_fd != -ENOENT) /* what cannot be read now may be in force */
		err = a->control_fd;
	a->looked = !err;
	if (!err && a->flows_fd < 0 && a->flows_fd != -ENOENT)
		err = a->flows_fd;
	if (!err && !a->options->dry_run)
		err = end_change(a);
	if (!err && !a->options->dry_run)
		err = clean_up(a);
	if (!err)
		err = next_number(a);
	if (!err)
		err = find_previous(a);
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot clean up %s: %s", path, strerror(-err))
		   : POLD_OK;
}

/* The same once more changes nothing; a dry run ends here, too. */
static int look(struct pold_apply *a)
{
	if (a->options->dry_run) {
		a->done = true;
		return pold_apply_dry_run(a);
	}
	a->done = pold_apply_is_in_force(a);
	if (a->done)
		pold_note("note: already in force (generation %u of %s)", a->old, a->name);
	return POLD_OK;
}

static uint64_t adopt_until_ns(const struct pold_apply *a)
{
	int64_t seconds = a->options->adopt_s;
	struct timespec now;

	if (seconds < 0)
		seconds = a->old ? 0 : FIRST_ADOPT_S;
	if (seconds == 0)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return ((uint64_t)now.tv_sec + (uint64_t)seconds) * 1000000000ull;
}

struct polb_instance_options pold_apply_instance_options(const struct pold_apply *a)
{
	return (struct polb_instance_options){.local_node = a->told.node,
		.generation = a->generation,
		.control_fd = a->control_fd < 0 ? -1 : a->control_fd,
		.flows_fd = a->flows_fd < 0 ? -1 : a->flows_fd,
		.extra_peers = a->options->room,
		.extra_addresses = pold_identities_room(a->name),
		.audit = a->options->audit,
		.adopt_until_ns = adopt_until_ns(a),
		.processes = a->options->processes,
		.ring_bytes = a->options->ring_bytes};
}

int pold_apply_load(struct pold_apply *a)
{
	const struct polb_instance_options options = pold_apply_instance_options(a);
	char error[POLB_ERROR_TEXT];
	int err;

	if (pold_apply_has_tracing(a)) {
		int code = pold_trace_open(&a->bundle, &a->trace);

		a->trace.avoid = a->options->avoid;
		a->trace.load_only = a->options->dry_run;

		return code ? code : pold_trace_load(&a->trace, &options, &a->instance);
	}
	err = polb_instance_load(&a->bundle, &options, &a->instance, error);

	return err ? pold_fail(POLD_ENVIRONMENT, "cannot load the bundle: %s", error) : POLD_OK;
}

/* Pins one object of the instance when it has it. */
static int pin_one(struct pold_apply *a, int fd, const char *pin)
{
	return fd < 0 ? 0 : pold_pin_put(fd, POLD_ROOT "/%s/g%u/%s", a->name, a->generation, pin);
}

static int pin_objects(struct pold_apply *a)
{
	static const char *const maps[] = {"polt_config", "polt_endpoints", "polt_peers4",
		"polt_peers6", "polt_cidrs4", "polt_cidrs6", "polt_classes", "polt_counters",
		"polt_events", "polt_bucket", "polt_audited", "polt_cgroup", "polt_interfaces",
		"polt_tables", "polt_modes"};
	static const char *const programs[POLB_N_PROGRAMS] = {[POLB_CGROUP_IN] = "polt_cgroup_in",
		[POLB_CGROUP_OUT] = "polt_cgroup_out",
		[POLB_TC_FROM] = "polt_tc_from",
		[POLB_TC_TO] = "polt_tc_to"};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(maps) / sizeof(maps[0]); i++)
		err = pin_one(a, polb_instance_map_fd(a->instance, maps[i]), maps[i]);
	for (int i = 0; !err && i < POLB_N_PROGRAMS; i++)
		err = pin_one(a, polb_instance_program_fd(a->instance, (enum polb_program)i),
			programs[i]);
	return err;
}

static int pin_shared(struct pold_apply *a)
{
	int err = 0;

	if (a->control_fd < 0) {
		a->control_fd = dup(polb_instance_map_fd(a->instance, "polt_control"));
		err = a->control_fd < 0
			      ? -errno
			      : pold_pin_put(a->control_fd, POLD_ROOT "/%s/control", a->name);
	}
	if (!err && a->flows_fd < 0 && polb_instance_map_fd(a->instance, "polt_flows") >= 0)
		err = pold_pin_put(polb_instance_map_fd(a->instance, "polt_flows"),
			POLD_ROOT "/%s/flows_v%u", a->name, POLB_ABI_VERSION);
	return err;
}

static int pin(struct pold_apply *a)
{
	uint32_t room = 4 * ((uint32_t)a->bundle.n_endpoints + a->options->room) + 1;
	char path[POLD_PATH];
	int err = 0;

	pold_path(path, POLD_ROOT "/%s/g%u", a->name, a->generation);
	if (mkdir(path, 0700))
		return pold_fail(POLD_ENVIRONMENT, "%s: %s", path, strerror(errno));
	a->made = true;
	err = pin_objects(a);
	if (!err)
		err = pin_shared(a);
	if (!err)
		err = pold_attachments_create(a->name, a->generation, room);
	if (!err)
		err = pold_archive_write(a->name, a->generation, a->file, &a->told);
	if (!err && wants_watching(a->options))
		err = pold_pending_create(a->name, a->generation);
	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot pin in %s: %s", path, strerror(-err));
	return pold_apply_has_tracing(a)
		       ? pold_trace_keep(&a->trace, a->instance, a->name, a->generation)
		       : POLD_OK;
}

/* What was switched at run time, once all maps are pinned. */
static int set_modes(struct pold_apply *a)
{
	int err = a->from ? pold_modes_copy(a->name, a->from, a->generation) : 0;

	if (!err)
		err = pold_modes_follow(&a->bundle, a->name, a->generation,
			a->from ? a->from : a->old, a->from || a->options->keep_modes);
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot set the modes of the policies: %s",
			     strerror(-err))
		   : POLD_OK;
}

/* What tracing programs are asked about must be there before they are asked. */
static int know(struct pold_apply *a)
{
	return pold_apply_has_tracing(a) ? pold_trace_know(&a->trace, a->instance, a->name, a->old)
					 : POLD_OK;
}

static int attach_places(struct pold_apply *a, const struct pold_generation *generation)
{
	for (size_t i = 0; i < a->n_spots; i++) {
		const struct pold_place *place = &a->spots[i].place;
		uint32_t endpoint = a->spots[i].endpoint;
		char name[512];
		int err;

		err = pold_interrupted() ? -EINTR : pold_attach(generation, endpoint, place);
		pold_endpoint_text(&a->bundle, endpoint, name, sizeof(name));
		if (err)
			return pold_fail(POLD_ENVIRONMENT, "cannot attach %s at %s: %s", name,
				place->where, strerror(-err));
	}
	return POLD_OK;
}

static int attach(struct pold_apply *a)
{
	POLD_GENERATION generation = POLD_GENERATION_INIT;
	POLD_GENERATION old = POLD_GENERATION_INIT;
	int err = pold_generation_open(a->name, a->generation, &generation), code;

	if (err)
		return pold_fail(
			POLD_ENVIRONMENT, "cannot open what was pinned: %s", strerror(-err));
	err = a->old ? pold_generation_open(a->name, a->old, &old) : 0;
	if (err) /* whose programs are to run before ours is not known */
		return pold_fail(
			POLD_ENVIRONMENT, "cannot open generation %u: %s", a->old, strerror(-err));
	if (a->old)
		generation.replaced = &old;
	code = pold_apply_has_network(a) ? pold_told_replay(&a->bundle, a->name, a->generation)
					 : POLD_OK;
	return code ? code : attach_places(a, &generation);
}

static int replay(struct pold_apply *a)
{
	if (!pold_apply_has_network(a))
		return POLD_OK;
	if (!a->n_spots)
		pold_note("note: no endpoint of the bundle is attached on node '%s': nothing is "
			  "enforced here yet (see --node, endpoint add)",
			a->told.node);
	return pold_identities_replay(&a->bundle, a->name, a->generation);
}

/* Of a generation that is in force: nothing here can fail the apply any more. */
static void retire_old(const struct pold_apply *a, bool overlap, int *readers_fd)
{
	POLD_GENERATION generation = POLD_GENERATION_INIT;
	int err = pold_generation_open(a->name, a->generation, &generation);

	if (!err)
		err = pold_guards_remove(&generation);
	if (err)
		pold_note("note: filters before ours could not be removed: %s", strerror(-err));
	if (a->old)
		carry_counters(&a->bundle, a->name, a->generation, a->old, POLD_NETWORK_HOOKS);
	if (overlap) { /* may take long, and takes nothing away */
		polb_cleanup_fd(readers_fd);
		pold_trace_drain();
		pold_trace_overlap_end(a->name, a->old);
		*readers_fd = pold_readers_keep_off(a->name);
	}
	if (a->old)
		carry_counters(&a->bundle, a->name, a->generation, a->old, POLB_HOOK_TRACE);
	err = pold_generations_settle(a->name, a->generation, a->told.previous);
	if (err)
		pold_note("note: generation %u could not be removed completely: %s", a->old,
			strerror(-err));
}

static double confirm_time(const struct pold_options *options)
{
	return options->confirm_s >= 0 ? options->confirm_s : HEALTH_CONFIRM_S;
}

/*
 * Packets that are on their way through a hook now may not have the new programs before them; after
 * the wait every one has. From the store on the new generation is the truth; what is left of the
 * old one is only waste.
 */
static int cut_over(struct pold_apply *a)
{
	int overlap = a->old ? pold_trace_overlap(a->name, a->old) : false;
	POLB_FD readers_fd = -1;
	int err = a->old && a->n_spots ? pold_programs_wait() : 0;

	if (overlap < 0)
		return pold_fail(POLD_ENVIRONMENT, "generation %u cannot go on beside ours: %s",
			a->old, strerror(-overlap));
	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot wait for programs: %s", strerror(-err));
	readers_fd = pold_readers_keep_off(a->name);
	if (wants_watching(a->options))
		err = pold_pending_start(a->name, a->generation, confirm_time(a->options));
	if (pold_interrupted())
		return pold_fail(POLD_ENVIRONMENT, "interrupted: nothing is applied");
	if (!err)
		err = polb_control_store(a->control_fd, a->generation, polb_epoch_next(a->epoch));
	if (err)
		return pold_fail(
			POLD_ENVIRONMENT, "cannot write the control cell: %s", strerror(-err));
	a->made = false;
	a->applied = true;
	retire_old(a, overlap, &readers_fd);
	return POLD_OK;
}

int pold_apply_run(struct pold_apply *a)
{
	static int (*const steps[])(struct pold_apply *) = {open_name, pold_apply_find_places,
		pold_apply_carry_over, look, pold_apply_load, pin, set_modes, attach, know, replay,
		cut_over};
	int code = POLD_OK;

	for (size_t i = 0; !code && !a->done && i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (pold_interrupted())
			return pold_fail(POLD_ENVIRONMENT, "interrupted: nothing is applied");
		code = steps[i](a);
	}
	return code;
}

/* Readers and dry runs leave no trace, not even the directory of pins. */
static int lock_for(struct pold_apply *a)
{
	char path[POLD_PATH];
	int code;

	if (!a->options->dry_run) {
		code = pold_root_open(&a->lock_fd, true, true);
		return code ? code : pold_return_if_overdue(a->name, a->lock_fd);
	}
	pold_path(path, POLD_ROOT "/%s", a->name);
	code = pold_privileged();
	return code || access(path, F_OK) ? code : pold_readers_lock(a->name, &a->lock_fd);
}

static int apply(const struct pold_options *options, uint32_t *generation)
{
	POLD_APPLY a = POLD_APPLY_INIT(options);
	int code = pold_apply_read_file(&a);

	if (!code)
		code = lock_for(&a);
	if (!code)
		code = pold_apply_run(&a);
	*generation = a.done ? 0 : a.generation;
	return code;
}

int pold_cmd_apply(const struct pold_options *options)
{
	int code = pold_options_arguments(options, 1, 1, "apply BUNDLE [--name NAME] ...");
	uint32_t generation = 0;

	if (code)
		return code;
	pold_signals_catch();
	code = apply(options, &generation);
	return code || !generation ? code : pold_apply_watch(options, generation);
}
