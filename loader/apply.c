/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * apply: a new generation beside the old one, inert, complete; then one store puts it into force;
 * then the old one goes. What fails or is killed before the store leaves the old one as it was.
 */
#include "loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/cleanup.h"
#include "runtime/instance.h"
#include "trace.h"

#define NETWORK_HOOKS (POLB_HOOK_CGROUP | POLB_HOOK_TC | POLB_HOOK_XDP)

/* A connection older than polc is recognised by its traffic: this long after the first apply. */
#define FIRST_ADOPT_S 60

struct spot {
	uint32_t endpoint;
	struct pold_place place;
};

struct apply {
	const struct pold_options *options;
	const char *name;
	char node[256];
	void *file;
	size_t size;
	struct polb_bundle bundle;
	int lock_fd, control_fd, flows_fd;
	uint32_t old, epoch, generation; /* old 0: nothing in force */
	bool made;                       /* the new directory exists */
	struct polb_instance *instance;
	struct pold_trace trace;
	struct spot *spots; /* where endpoints of this node are to be attached */
	size_t n_spots;
};

static bool has_network(const struct apply *a)
{
	return a->bundle.manifest.hooks & NETWORK_HOOKS;
}

static bool has_tracing(const struct apply *a)
{
	return a->bundle.manifest.hooks & POLB_HOOK_TRACE;
}

static bool has_spot(const struct apply *a, uint32_t endpoint, uint32_t hook)
{
	for (size_t i = 0; i < a->n_spots; i++)
		if (a->spots[i].endpoint == endpoint && a->spots[i].place.hook == hook)
			return true;
	return false;
}

/* The endpoint that was given the same place, or 0. */
static uint32_t spot_owner(const struct apply *a, const struct pold_place *place)
{
	for (size_t i = 0; i < a->n_spots; i++)
		if (a->spots[i].place.hook == place->hook && a->spots[i].place.key == place->key)
			return a->spots[i].endpoint;
	return 0;
}

/* Takes the place. 0 or -errno. */
static int add_spot(struct apply *a, uint32_t endpoint, struct pold_place *place)
{
	struct spot *larger = realloc(a->spots, (a->n_spots + 1) * sizeof(*larger));

	if (!larger) {
		pold_place_close(place);
		return -ENOMEM;
	}
	a->spots = larger;
	a->spots[a->n_spots++] = (struct spot){endpoint, *place};
	return 0;
}

static void apply_end(struct apply *a)
{
	char path[POLD_PATH];

	pold_trace_close(&a->trace);
	polb_instance_free(a->instance);
	if (a->made)
		pold_generation_remove(a->name, a->generation);
	pold_path(path, POLD_ROOT "/%s", a->name);
	if (a->lock_fd >= 0)
		rmdir(path); /* of a first apply that failed; otherwise it is not empty */
	for (size_t i = 0; i < a->n_spots; i++)
		pold_place_close(&a->spots[i].place);
	free(a->spots);
	free(a->file);
	polb_cleanup_fd(&a->flows_fd);
	polb_cleanup_fd(&a->control_fd);
	polb_cleanup_fd(&a->lock_fd);
}

static int read_bundle(struct apply *a)
{
	const char *path = a->options->arguments[0];
	char error[POLB_ERROR_TEXT];
	int err = polb_file_read(path, &a->file, &a->size);

	if (err)
		return pold_fail(POLD_ENVIRONMENT, "%s: %s", path, strerror(-err));
	if (polb_bundle_read(a->file, a->size, &a->bundle, error))
		return pold_fail(POLD_BAD, "%s: not a usable bundle: %s", path, error);
	return POLD_OK;
}

static int find_node(struct apply *a)
{
	const char *node = a->options->node;

	if (!node && gethostname(a->node, sizeof(a->node) - 1))
		return pold_fail(POLD_ENVIRONMENT, "no host name: %s", strerror(errno));
	if (node && strlen(node) >= sizeof(a->node))
		return pold_fail(POLD_USAGE, "--node: too long");
	if (node)
		snprintf(a->node, sizeof(a->node), "%s", node);
	return POLD_OK;
}

static int refuse_shared(
	const struct apply *a, uint32_t endpoint, uint32_t other, const char *where)
{
	char name[512], other_name[512];

	pold_endpoint_text(&a->bundle, endpoint, name, sizeof(name));
	pold_endpoint_text(&a->bundle, other, other_name, sizeof(other_name));
	return pold_fail(POLD_BAD, "endpoints %s and %s are both at %s", other_name, name, where);
}

static int look_up(uint32_t hook, const char *where, struct pold_place *out)
{
	return hook == POLB_HOOK_TC ? pold_place_interface(where, out)
				    : pold_place_cgroup(where, out);
}

/* One annotation of an endpoint of this node; it must exist. */
static int find_place(struct apply *a, uint32_t endpoint, uint32_t hook, const char *where)
{
	const char *what = hook == POLB_HOOK_TC ? "interface" : "cgroup";
	POLD_PLACE place = {.cgroup_fd = -1};
	char name[512];
	uint32_t other;
	int err;

	if (!*where)
		return POLD_OK;
	pold_endpoint_text(&a->bundle, endpoint, name, sizeof(name));
	if (!(a->bundle.manifest.hooks & hook))
		return pold_fail(POLD_BAD,
			"endpoint %s has a %s, but the bundle has no programs for it", name, what);
	err = look_up(hook, where, &place);
	if (err)
		return pold_fail(POLD_ENVIRONMENT, "endpoint %s: %s %s: %s", name, what, where,
			strerror(-err));
	other = spot_owner(a, &place);
	if (other)
		return refuse_shared(a, endpoint, other, place.where);
	err = add_spot(a, endpoint, &place);
	place.hook = 0; /* taken */
	return err ? pold_fail(POLD_ENVIRONMENT, "out of memory") : POLD_OK;
}

static int find_places(struct apply *a)
{
	int code = POLD_OK;

	for (uint32_t i = 1; !code && i <= a->bundle.n_endpoints; i++) {
		const struct polb_bundle_endpoint *e = &a->bundle.endpoints[i - 1];

		if (!pold_endpoint_local(&a->bundle, i, a->node))
			continue;
		code = find_place(
			a, i, POLB_HOOK_CGROUP, polb_bundle_string(&a->bundle, e->cgroup));
		if (!code)
			code = find_place(
				a, i, POLB_HOOK_TC, polb_bundle_string(&a->bundle, e->interface));
	}
	return code;
}

/* Directory, shared pins, what is in force; directories of killed applies are removed. */
static int open_name(struct apply *a)
{
	POLB_FREE uint32_t *numbers = NULL;
	char path[POLD_PATH];
	size_t n = 0;
	int err = 0;

	pold_path(path, POLD_ROOT "/%s", a->name);
	if (mkdir(path, 0700) && errno != EEXIST)
		return pold_fail(POLD_ENVIRONMENT, "%s: %s", path, strerror(errno));
	a->control_fd = pold_pin_get("%s/control", path);
	a->flows_fd = pold_pin_get("%s/flows_v%u", path, POLB_ABI_VERSION);
	if (a->control_fd >= 0)
		err = polb_control_load(a->control_fd, &a->old, &a->epoch);
	if (!err)
		err = pold_generations(a->name, &numbers, &n);
	a->generation = a->old;
	for (size_t i = 0; !err && i < n; i++) {
		if (numbers[i] > a->generation)
			a->generation = numbers[i];
		if (numbers[i] != a->old)
			err = pold_generation_remove(a->name, numbers[i]);
	}
	a->generation = a->generation == UINT32_MAX ? 1 : a->generation + 1;
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot clean up %s: %s", path, strerror(-err))
		   : POLD_OK;
}

static uint64_t adopt_until_ns(const struct apply *a)
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

static int load(struct apply *a)
{
	const struct polb_instance_options options = {.local_node = a->node,
		.generation = a->generation,
		.control_fd = a->control_fd < 0 ? -1 : a->control_fd,
		.flows_fd = a->flows_fd < 0 ? -1 : a->flows_fd,
		.extra_peers = a->options->room,
		.audit = a->options->audit,
		.adopt_until_ns = adopt_until_ns(a),
		.processes = a->options->processes,
		.ring_bytes = a->options->ring_bytes};
	char error[POLB_ERROR_TEXT];
	int err;

	if (has_tracing(a)) {
		int code = pold_trace_open(&a->bundle, &a->trace);

		a->trace.avoid = a->options->avoid;

		return code ? code : pold_trace_load(&a->trace, &options, &a->instance);
	}
	err = polb_instance_load(&a->bundle, &options, &a->instance, error);

	return err ? pold_fail(POLD_ENVIRONMENT, "cannot load the bundle: %s", error) : POLD_OK;
}

/* Pins one object of the instance when it has it. */
static int pin_one(struct apply *a, int fd, const char *pin)
{
	return fd < 0 ? 0 : pold_pin_put(fd, POLD_ROOT "/%s/g%u/%s", a->name, a->generation, pin);
}

static int pin_objects(struct apply *a)
{
	static const char *const maps[] = {"polt_config", "polt_endpoints", "polt_peers4",
		"polt_peers6", "polt_cidrs4", "polt_cidrs6", "polt_classes", "polt_counters",
		"polt_events", "polt_bucket", "polt_cgroup", "polt_interfaces"};
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

static int pin_shared(struct apply *a)
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

static int pin(struct apply *a)
{
	uint32_t room = 2 * ((uint32_t)a->bundle.n_endpoints + a->options->room) + 1;
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
		err = pold_archive_write(a->name, a->generation, a->file, a->size, a->node);
	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot pin in %s: %s", path, strerror(-err));
	return has_tracing(a) ? pold_trace_keep(&a->trace, a->instance, a->name, a->generation)
			      : POLD_OK;
}

/* What tracing programs are asked about must be there before they are asked. */
static int know(struct apply *a)
{
	return has_tracing(a) ? pold_trace_know(&a->trace, a->instance, a->name, a->old) : POLD_OK;
}

static int attach_places(struct apply *a, const struct pold_generation *generation)
{
	for (size_t i = 0; i < a->n_spots; i++) {
		const struct pold_place *place = &a->spots[i].place;
		uint32_t endpoint = a->spots[i].endpoint;
		char name[512];
		int err;

		err = pold_attach(generation, endpoint, place);
		pold_endpoint_text(&a->bundle, endpoint, name, sizeof(name));
		if (err)
			return pold_fail(POLD_ENVIRONMENT, "cannot attach %s at %s: %s", name,
				place->where, strerror(-err));
	}
	return POLD_OK;
}

struct carry {
	struct apply *apply;
	const struct polb_bundle *old;
};

/* An endpoint attached at run time stays where it is when the new bundle knows it and says nothing
 * else. */
static int carry_one(void *context, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	const struct carry *carry = context;
	struct apply *a = carry->apply;
	POLD_PLACE place = {.cgroup_fd = -1};
	char name[512];
	uint32_t endpoint;
	int err;

	pold_endpoint_text(carry->old, key->endpoint, name, sizeof(name));
	endpoint = pold_endpoint_find(&a->bundle, name);
	if (!endpoint) {
		pold_note("note: %s at %s is not in this bundle and is detached", name,
			attachment->where);
		return 0;
	}
	if (has_spot(a, endpoint, key->hook) || !(a->bundle.manifest.hooks & key->hook))
		return 0;
	err = look_up(key->hook, attachment->where, &place);
	if (err) {
		pold_note("note: %s: %s is gone", name, attachment->where);
		return 0;
	}
	if (spot_owner(a, &place)) {
		pold_note("note: %s at %s gives way to the bundle's own endpoint", name,
			attachment->where);
		return 0;
	}
	err = add_spot(a, endpoint, &place);
	place.hook = 0; /* taken */
	return err ? pold_fail(POLD_ENVIRONMENT, "out of memory") : 0;
}

static int carry_over(struct apply *a)
{
	POLD_STATE old = POLD_STATE_INIT;
	POLD_GENERATION generation = POLD_GENERATION_INIT;
	struct carry carry = {.apply = a, .old = &old.bundle};
	int err;

	if (!a->old)
		return POLD_OK;
	old.name = a->name;
	old.generation = a->old;
	err = pold_state_bundle(&old);
	if (!err)
		err = pold_generation_open(a->name, a->old, &generation);
	if (err) {
		pold_note("note: generation %u cannot be read: %s", a->old, strerror(-err));
		return POLD_OK;
	}
	return pold_attachments_each(&generation, carry_one, &carry);
}

static int attach(struct apply *a)
{
	POLD_GENERATION generation = POLD_GENERATION_INIT;
	int err = pold_generation_open(a->name, a->generation, &generation);

	if (err)
		return pold_fail(
			POLD_ENVIRONMENT, "cannot open what was pinned: %s", strerror(-err));
	return attach_places(a, &generation);
}

/* Statistics: worth a note, not worth refusing. */
static void carry_counters(const struct apply *a)
{
	POLD_STATE old = POLD_STATE_INIT;
	int err, trace_err = 0;

	old.name = a->name;
	old.generation = a->old;
	err = pold_state_bundle(&old);
	if (!err && has_tracing(a) && (old.bundle.manifest.hooks & POLB_HOOK_TRACE))
		trace_err = pold_trace_counters_carry(&a->bundle, a->name, a->generation, &old);
	if (!err && has_network(a))
		err = pold_counters_carry(&a->bundle, a->name, a->generation, &old);
	err = err ? err : trace_err;
	if (err)
		pold_note("note: counters start from zero: %s", strerror(-err));
}

/* From the store on the new generation is the truth; what is left of the old one is only waste. */
static int cut_over(struct apply *a)
{
	bool overlap = a->old && pold_trace_overlap(a->name, a->old);
	int err;

	err = polb_control_store(a->control_fd, a->generation, a->epoch + 1);
	if (err)
		return pold_fail(
			POLD_ENVIRONMENT, "cannot write the control cell: %s", strerror(-err));
	a->made = false;
	if (overlap)
		pold_trace_drain();
	if (a->old)
		carry_counters(a);
	err = a->old ? pold_generation_remove(a->name, a->old) : 0;
	if (err)
		pold_note("note: generation %u could not be removed completely: %s", a->old,
			strerror(-err));
	return POLD_OK;
}

int pold_cmd_apply(const struct pold_options *options)
{
	static int (*const steps[])(struct apply *) = {
		open_name, find_places, carry_over, load, pin, attach, know};
	__attribute__((cleanup(apply_end))) struct apply a = {.options = options,
		.name = options->name,
		.lock_fd = -1,
		.control_fd = -1,
		.flows_fd = -1};
	int code = pold_options_arguments(options, 1, 1, "apply BUNDLE [--name NAME] ...");

	if (!code)
		code = read_bundle(&a);
	if (!code)
		code = find_node(&a);
	if (!code)
		code = pold_root_open(&a.lock_fd, true, true);
	for (size_t i = 0; !code && i < sizeof(steps) / sizeof(steps[0]); i++)
		code = steps[i](&a);
	if (!code && !a.n_spots && has_network(&a))
		pold_note("note: no endpoint of the bundle is attached on node '%s': nothing is "
			  "enforced here yet (see --node, endpoint add)",
			a.node);
	if (!code && has_network(&a))
		code = pold_identities_replay(&a.bundle, a.name, a.generation);
	return code ? code : cut_over(&a);
}
