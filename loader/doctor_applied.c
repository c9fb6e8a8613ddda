/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The node's part of doctor: bundles in force, and whether everything of them is still in place.
 * A place that has gone is an endpoint that ended; a link or filter that has gone from a place that
 * is there was taken away by somebody.
 */
#include "doctor.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cleanup.h"
#include "trace.h"

struct count {
	const struct pold_generation *generation;
	uint32_t alive, gone, detached;
	char example[300]; /* a place whose programs were taken away */
};

static bool place_exists(
	const struct pold_attachment_key *key, const struct pold_attachment *attachment)
{
	POLD_PLACE place = {.cgroup_fd = -1};
	int err = key->hook == POLB_HOOK_TC ? pold_place_interface(attachment->where, &place)
					    : pold_place_cgroup(attachment->where, &place);

	return !err && place.key == attachment->key;
}

static int count_one(void *context, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	struct count *c = context;

	if (pold_attached(c->generation, key, attachment)) {
		c->alive++;
	} else if (!place_exists(key, attachment)) {
		c->gone++;
	} else {
		c->detached++;
		snprintf(c->example, sizeof(c->example), "%s", attachment->where);
	}
	return 0;
}

static void say_places(struct pold_doctor *d, const struct pold_state *state)
{
	POLD_GENERATION generation = POLD_GENERATION_INIT;
	struct count c = {.generation = &generation};
	char name[128], detail[POLD_DETAIL] = "";
	enum pold_is is = POLD_YES;

	snprintf(name, sizeof(name), "places of %s", state->name);
	if (pold_generation_open(state->name, state->generation, &generation))
		is = pold_because(POLD_NO, detail, "its pins cannot be opened");
	else if (pold_attachments_each(&generation, count_one, &c))
		is = pold_because(POLD_UNKNOWN, detail, "they cannot be read");
	else if (c.detached)
		is = pold_because(POLD_NO, detail, "programs are missing at %u, %s among them",
			c.detached, c.example);
	else
		pold_because(is, detail, "%u enforced, %u gone", c.alive, c.gone);
	pold_doctor_say(
		d, &(struct pold_finding){.id = "places",
			   .name = name,
			   .is = is,
			   .need = POLD_NEEDED_BY_BUNDLE,
			   .detail = detail,
			   .without = "packets of such an endpoint are not judged",
			   .remedy = "apply the bundle again; find out who detaches programs"});
}

/* Pins of a hook's links: t<hook>_<program>_<place>. */
static uint32_t count_pins(const struct pold_state *state, uint32_t hook)
{
	char path[POLD_PATH], prefix[32];
	uint32_t n = 0;
	DIR *directory;

	pold_path(path, POLD_ROOT "/%s/g%u", state->name, state->generation);
	snprintf(prefix, sizeof(prefix), "t%u_", hook);
	directory = opendir(path);
	if (!directory)
		return 0;
	for (const struct dirent *e; (e = readdir(directory));)
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	closedir(directory);
	return n;
}

/* Where the kernel has no links for perf events, an array keeps them: there is nothing to count. */
static bool has_array(const struct pold_state *state)
{
	POLB_FD fd = pold_state_map(state, "perf_events");

	return fd >= 0;
}

static void say_hooks(struct pold_doctor *d, const struct pold_state *state)
{
	POLB_FD hooks_fd = pold_state_map(state, "trace_hooks");
	char name[128], detail[POLD_DETAIL] = "";
	enum pold_is is = POLD_YES;
	uint32_t hooks = 0;

	for (__u32 i = 0; hooks_fd >= 0 && i < state->bundle.n_trace_hooks; i++) {
		struct pold_trace_hook hook;

		if (bpf_map_lookup_elem(hooks_fd, &i, &hook) ||
			hook.alternative == POLB_NO_ALTERNATIVE)
			continue;
		hooks++;
		if (is == POLD_YES && !has_array(state) && count_pins(state, i) < hook.links)
			is = pold_because(POLD_NO, detail, "links of %s are missing",
				polb_bundle_string(
					&state->bundle, state->bundle.trace_hooks[i].text));
	}
	if (hooks_fd < 0)
		is = pold_because(POLD_NO, detail, "its table of hooks is missing");
	else if (is == POLD_YES)
		pold_because(is, detail, "%u of %zu, with all their links", hooks,
			state->bundle.n_trace_hooks);
	snprintf(name, sizeof(name), "hooks of %s", state->name);
	pold_doctor_say(d, &(struct pold_finding){.id = "hooks",
				   .name = name,
				   .is = is,
				   .need = POLD_NEEDED_BY_BUNDLE,
				   .detail = detail,
				   .without = "calls at such a hook are not judged",
				   .remedy = "apply the bundle again; find out who removes pins"});
}

static uint32_t entries_of(const struct pold_state *state, const char *map)
{
	POLB_FD fd = map ? pold_state_map(state, map)
			 : pold_pin_get(POLD_ROOT "/%s/flows_v%u", state->name, POLB_ABI_VERSION);
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.max_entries;
}

static void say_tables(struct pold_doctor *d, const struct pold_state *state)
{
	uint32_t flows = entries_of(state, NULL), ring = entries_of(state, "polt_events");
	uint32_t processes = entries_of(state, "polt_processes");
	char name[128], detail[POLD_DETAIL];
	size_t n = 0;

	detail[0] = '\0';
	if (flows)
		n += (size_t)snprintf(detail, sizeof(detail), "%u flows, ", flows);
	if (processes)
		n += (size_t)snprintf(detail + n, sizeof(detail) - n, "%u processes, ", processes);
	snprintf(detail + n, sizeof(detail) - n, "%u bytes of events", ring);
	snprintf(name, sizeof(name), "room of %s", state->name);
	pold_doctor_say(d, &(struct pold_finding){
				   .id = "room", .name = name, .is = POLD_NOTE, .detail = detail});
}

static void say_unreadable(struct pold_doctor *d, const char *name)
{
	pold_doctor_say(d, &(struct pold_finding){.id = "bundle",
				   .name = name,
				   .is = POLD_NO,
				   .need = POLD_NEEDED_BY_BUNDLE,
				   .detail = "what is in force under this name cannot be read",
				   .without = "nobody can say what is enforced",
				   .remedy = "apply a bundle under this name again"});
}

/* A first apply that was killed leaves a directory, with nothing in force. */
static bool in_force(const char *name)
{
	POLB_FD fd = pold_pin_get(POLD_ROOT "/%s/control", name);
	uint32_t generation = 0, epoch;

	return fd >= 0 && (polb_control_load(fd, &generation, &epoch) || generation);
}

static void say_one(struct pold_doctor *d, const char *name)
{
	POLD_STATE state = POLD_STATE_INIT;
	char detail[POLD_DETAIL];

	if (!in_force(name)) {
		pold_doctor_say(d,
			&(struct pold_finding){.id = "leftover",
				.name = name,
				.is = POLD_NOTE,
				.detail = "left over from a killed apply; nothing is in force, and "
					  "the next apply or remove cleans up"});
		return;
	}
	if (pold_state_open(&state, name, false)) {
		say_unreadable(d, name);
		return;
	}
	snprintf(detail, sizeof(detail), "generation %u, node %s", state.generation,
		state.archive->node);
	pold_doctor_say(d, &(struct pold_finding){
				   .id = "bundle", .name = name, .is = POLD_YES, .detail = detail});
	if (state.bundle.manifest.hooks & (POLB_HOOK_CGROUP | POLB_HOOK_TC))
		say_places(d, &state);
	if (state.bundle.manifest.hooks & POLB_HOOK_TRACE)
		say_hooks(d, &state);
	say_tables(d, &state);
}

void pold_doctor_applied(struct pold_doctor *d)
{
	DIR *directory = opendir(POLD_ROOT);
	uint32_t n = 0;

	pold_doctor_section(d, "applied", "BUNDLES IN FORCE");
	for (const struct dirent *e; directory && (e = readdir(directory));)
		if (e->d_name[0] != '.') {
			say_one(d, e->d_name);
			n++;
		}
	if (directory)
		closedir(directory);
	if (!n)
		pold_doctor_say(
			d, &(struct pold_finding){.id = "none", .name = "none", .is = POLD_NOTE});
}
