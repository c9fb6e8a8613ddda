/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Attachments as the node is now: what waited and has a place is attached, what lost its place is
 * detached and waits again. A cgroup or interface made again under the same name is another one.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "places.h"
#include "runtime/cleanup.h"
#include "told.h"
#include "workloads.h"

int pold_place_find(const struct pold_wanted *wanted, struct pold_place *out)
{
	char path[POLD_PATH];
	int err;

	if (wanted->hook == POLB_HOOK_TC)
		return pold_place_interface(wanted->where, out);
	if (!wanted->is_container && !wanted->is_pod)
		return pold_place_cgroup(wanted->where, out);
	err = wanted->is_pod ? pold_find_pod(wanted->where, path)
			     : pold_find_container(wanted->where, path);
	return err ? err : pold_place_cgroup(path, out);
}

bool pold_place_is_there(const struct pold_generation *generation,
	const struct pold_attachment_key *key, const struct pold_attachment *attachment)
{
	const struct pold_wanted wanted = {.hook = key->hook, .where = attachment->where};
	POLD_PLACE place = {.cgroup_fd = -1};

	return pold_place_find(&wanted, &place) == 0 && place.key == attachment->key &&
	       pold_attached(generation, key, attachment);
}

struct owner {
	const struct pold_generation *generation;
	const struct pold_place *place;
	uint32_t endpoint;
};

/* A dead attachment of the same number must not leave its flows to whoever comes now. */
static int compare_place(void *context, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	struct owner *owner = context;

	if (pold_hook_kind(key->hook) != pold_hook_kind(owner->place->hook) ||
		attachment->key != owner->place->key)
		return 0;
	if (pold_attached(owner->generation, key, attachment)) {
		owner->endpoint = key->endpoint;
		return 0;
	}
	pold_detach(owner->generation, key);
	pold_flows_forget(owner->generation->name, attachment);
	return 0;
}

uint32_t pold_place_owner(const struct pold_generation *generation, const struct pold_place *place)
{
	struct owner owner = {.generation = generation, .place = place};

	pold_attachments_each(generation, compare_place, &owner);
	return owner.endpoint;
}

/* systemd takes over a directory that is there when the unit starts, and removes it at its end. */
int pold_place_create(const struct pold_wanted *wanted)
{
	char path[POLD_PATH + 256], mount[256];
	const char *below = wanted->where;
	int err;

	if (wanted->hook != POLB_HOOK_CGROUP || wanted->is_container || wanted->is_pod)
		return -EOPNOTSUPP;
	err = pold_cgroup_mount(mount, sizeof(mount));
	if (err)
		return err;
	while (*below == '/')
		below++;
	if (!*below || strstr(below, "..") ||
		snprintf(path, sizeof(path), "%s/%s%s", mount,
			pold_is_unit(below) ? "system.slice/" : "", below) >= (int)sizeof(path))
		return -EINVAL;
	for (char *slash = path + strlen(mount) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		err = mkdir(path, 0755) && errno != EEXIST ? -errno : 0;
		*slash = '/';
		if (err)
			return err;
	}
	return mkdir(path, 0755) && errno != EEXIST ? -errno : 0;
}

/* --- what is wanted ------------------------------------------------------------------------- */

struct each {
	const struct pold_state *state;
	int (*call)(void *context, const struct pold_wanted *wanted);
	void *context;
};

static int want(const struct each *each, uint32_t endpoint, uint32_t hook, const char *where)
{
	const struct pold_wanted wanted = {.endpoint = endpoint, .hook = hook, .where = where};

	if (!*where || !(each->state->bundle.manifest.hooks & hook))
		return 0;
	return each->call(each->context, &wanted);
}

static int want_container(const struct each *each, uint32_t endpoint, const char *where)
{
	const struct pold_wanted wanted = {.endpoint = endpoint,
		.hook = POLB_HOOK_CGROUP,
		.where = where,
		.is_container = pold_is_container_id(where),
		.one_of_several = true};

	return each->call(each->context, &wanted);
}

/*
 * The cgroup that is around all containers of a pod, where the agent makes one: they come and go in
 * it. Otherwise each by itself.
 */
static int want_containers(const struct each *each, uint32_t endpoint, const struct pold_told *told)
{
	const struct pold_wanted pod = {.endpoint = endpoint,
		.hook = POLB_HOOK_CGROUP,
		.where = told->uid,
		.is_pod = true,
		.one_of_several = true};
	char list[sizeof(told->containers)], path[POLD_PATH], *rest = NULL;
	int result = 0;

	if (!(each->state->bundle.manifest.hooks & POLB_HOOK_CGROUP))
		return 0;
	if (*told->uid && (!*told->containers || pold_find_pod(told->uid, path) == 0))
		return each->call(each->context, &pod);
	memcpy(list, told->containers, sizeof(list));
	for (char *one = strtok_r(list, "\n", &rest); !result && one;
		one = strtok_r(NULL, "\n", &rest))
		result = want_container(each, endpoint, one);
	return result;
}

static bool has_places(const struct pold_told *told)
{
	return *told->cgroup || *told->interface || *told->containers || *told->uid;
}

static int want_told(void *context, const char *endpoint, const struct pold_told *told)
{
	const struct each *each = context;
	const struct polb_bundle *bundle = &each->state->bundle;
	uint32_t number = pold_endpoint_find(bundle, endpoint);
	int result;

	if (!number)
		number = (uint32_t)bundle->n_endpoints + 1 + told->slot;
	result = *told->cgroup ? want(each, number, POLB_HOOK_CGROUP, told->cgroup)
			       : want_containers(each, number, told);
	return result ? result : want(each, number, POLB_HOOK_TC, told->interface);
}

static int want_bundled(const struct each *each, int told_fd, uint32_t number)
{
	const struct polb_bundle *bundle = &each->state->bundle;
	const struct polb_bundle_endpoint *e = &bundle->endpoints[number - 1];
	struct pold_told told;
	char name[512];
	int result;

	pold_endpoint_text(bundle, number, name, sizeof(name));
	if (!pold_endpoint_local(bundle, number, each->state->archive->node) ||
		(pold_told_find(told_fd, name, &told) && has_places(&told)))
		return 0; /* what it was told is where it is to be */
	result = want(each, number, POLB_HOOK_CGROUP, polb_bundle_string(bundle, e->cgroup));
	return result ? result
		      : want(each, number, POLB_HOOK_TC, polb_bundle_string(bundle, e->interface));
}

int pold_wanted_each(const struct pold_state *state,
	int (*call)(void *context, const struct pold_wanted *wanted), void *context)
{
	struct each each = {.state = state, .call = call, .context = context};
	POLB_FD told_fd = pold_told_open(state->name, false);
	int result = 0;

	for (uint32_t i = 1; !result && i <= state->bundle.n_endpoints; i++)
		result = want_bundled(&each, told_fd, i);
	return result ? result : pold_told_each(told_fd, want_told, &each);
}

/* --- making it so --------------------------------------------------------------------------- */

/* A visit of an endpoint some of whose places were not found: what it has there it keeps. */
#define SOME_WAIT UINT32_MAX

struct refresh {
	struct pold_state *state;
	struct pold_generation generation;
	struct pold_refreshed *out;
	struct pold_attachment_key *visited; /* wanted ones */
	size_t n_visited;
	int error; /* -errno, which ends it */
};

static void note_visit(struct refresh *r, const struct pold_attachment_key *key)
{
	struct pold_attachment_key *larger =
		realloc(r->visited, (r->n_visited + 1) * sizeof(*larger));

	if (!larger) {
		r->error = -ENOMEM;
		return;
	}
	r->visited = larger;
	r->visited[r->n_visited++] = *key;
}

static bool was_visited(const struct refresh *r, const struct pold_attachment_key *key)
{
	for (size_t i = 0; i < r->n_visited; i++)
		if (r->visited[i].endpoint == key->endpoint && r->visited[i].hook == key->hook)
			return true;
	return false;
}

static void tell(const struct refresh *r, uint32_t endpoint, const char *what, const char *where)
{
	char name[512];

	pold_told_text(&r->state->bundle, r->state->name, endpoint, name, sizeof(name));
	pold_note("%s: %s %s", name, what, where);
}

static void attach(struct refresh *r, const struct pold_wanted *wanted, struct pold_place *place)
{
	int err = pold_place_owner(&r->generation, place)
			  ? -EBUSY
			  : pold_attach(&r->generation, wanted->endpoint, place);

	if (!err) {
		r->out->attached++;
		tell(r, wanted->endpoint, "attached at", place->where);
		return;
	}
	r->out->failed++;
	tell(r, wanted->endpoint, strerror(-err), place->where);
}

/* Gives up an attachment whose place has gone or is another one now. */
static void let_go(struct refresh *r, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	if (pold_detach(&r->generation, key) || pold_flows_forget(r->state->name, attachment)) {
		r->out->failed++;
		return;
	}
	r->out->detached++;
	tell(r, key->endpoint, "is gone from", attachment->where);
}

/* Which of the endpoint's places is this cgroup, or is free for it; *there: it is attached. */
static bool choose_key(struct refresh *r, const struct pold_place *place,
	struct pold_attachment_key *key, bool *there)
{
	uint32_t kind = pold_hook_kind(key->hook), unused = POLD_HOOK_PLACES_MAX;

	for (uint32_t i = 0; i < POLD_HOOK_PLACES_MAX; i++) {
		struct pold_attachment at;

		key->hook = pold_hook_at(kind, i);
		if (bpf_map_lookup_elem(r->generation.attachments_fd, key, &at)) {
			unused = unused < i ? unused : i;
		} else if (at.key == place->key) {
			*there = pold_attached(&r->generation, key, &at);
			if (!*there)
				let_go(r, key, &at);
			return true;
		}
	}
	key->hook = pold_hook_at(kind, unused);
	*there = false;
	return unused < POLD_HOOK_PLACES_MAX;
}

/* Finds it; when it is not known whether it is there, the refresh ends and changes nothing of it.
 */
static int find(struct refresh *r, const struct pold_wanted *wanted, struct pold_place *out)
{
	int err = pold_place_find(wanted, out);

	if (err && !pold_place_is_absent(err))
		r->error = err;
	return err;
}

/* What is no longer wanted is let go afterwards (refresh_other): never is a container without. */
static int refresh_container(struct refresh *r, const struct pold_wanted *wanted)
{
	struct pold_attachment_key key = {.endpoint = wanted->endpoint, .hook = wanted->hook};
	POLD_PLACE place = {.cgroup_fd = -1};
	bool there;

	if (find(r, wanted, &place)) {
		r->out->waiting++;
		key.hook = SOME_WAIT;
		note_visit(r, &key);
		return r->error;
	}
	if (!choose_key(r, &place, &key, &there)) {
		r->out->failed++;
		tell(r, wanted->endpoint, "is in too many cgroups for", place.where);
		return r->error;
	}
	place.hook = key.hook;
	if (!there)
		attach(r, wanted, &place);
	note_visit(r, &key);
	return r->error;
}

static int refresh_one(void *context, const struct pold_wanted *wanted)
{
	struct refresh *r = context;
	const struct pold_attachment_key key = {.endpoint = wanted->endpoint, .hook = wanted->hook};
	struct pold_attachment attachment;
	POLD_PLACE place = {.cgroup_fd = -1};
	bool there;
	int err;

	if (wanted->one_of_several)
		return refresh_container(r, wanted);
	err = find(r, wanted, &place);
	if (r->error)
		return r->error;
	there = bpf_map_lookup_elem(r->generation.attachments_fd, &key, &attachment) == 0;
	note_visit(r, &key);
	if (err && r->state->archive->absent == POLD_ABSENT_CREATE &&
		pold_place_create(wanted) == 0)
		err = pold_place_find(wanted, &place);
	if (there && !err && attachment.key == place.key &&
		pold_attached(&r->generation, &key, &attachment))
		return r->error;
	if (there)
		let_go(r, &key, &attachment);
	if (err)
		r->out->waiting++;
	else
		attach(r, wanted, &place);
	return r->error;
}

/* Whoever has told of the endpoint has told of all of its places. */
static bool is_told(const struct refresh *r, uint32_t endpoint)
{
	POLB_FD fd = pold_told_open(r->state->name, false);
	struct pold_told told;
	char name[512];

	pold_told_text(&r->state->bundle, r->state->name, endpoint, name, sizeof(name));
	return pold_told_find(fd, name, &told) && has_places(&told);
}

/*
 * Attached by hand, wanted by nobody else: it stays where it is, or comes back there; unless the
 * command that attached or detached it was killed.
 */
static int refresh_other(void *context, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	struct refresh *r = context;
	const struct pold_attachment_key wait = {.endpoint = key->endpoint, .hook = SOME_WAIT};
	const struct pold_wanted wanted = {
		.endpoint = key->endpoint, .hook = key->hook, .where = attachment->where};
	POLD_PLACE place = {.cgroup_fd = -1};
	bool there;
	int err;

	if (was_visited(r, key))
		return 0;
	err = find(r, &wanted, &place);
	if (r->error)
		return r->error;
	there = !err && place.key == attachment->key &&
		pold_attached(&r->generation, key, attachment);
	if (is_told(r, key->endpoint)) {
		if (!was_visited(r, &wait) || !there)
			let_go(r, key, attachment);
		return 0;
	}
	if (there)
		return 0;
	if (err) {
		r->out->waiting++;
		return 0;
	}
	let_go(r, key, attachment);
	if (!attachment->changing)
		attach(r, &wanted, &place);
	return 0;
}

static void refresh_end(struct refresh *r)
{
	pold_generation_close(&r->generation);
	free(r->visited);
}

int pold_places_refresh(struct pold_state *state, struct pold_refreshed *out)
{
	__attribute__((cleanup(refresh_end))) struct refresh r = {
		.state = state, .generation = POLD_GENERATION_INIT, .out = out};
	int err;

	*out = (struct pold_refreshed){0};
	if (!(state->bundle.manifest.hooks & (POLB_HOOK_CGROUP | POLB_HOOK_TC)))
		return POLD_OK;
	err = pold_generation_open(state->name, state->generation, &r.generation);
	if (!err)
		err = pold_wanted_each(state, refresh_one, &r);
	if (!err)
		err = pold_attachments_each(&r.generation, refresh_other, &r);
	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot look after the endpoints of %s: %s",
			state->name, strerror(-err));
	return POLD_OK;
}

int pold_places_refresh_all(struct pold_refreshed *out)
{
	POLB_FREE struct pold_name *names = NULL;
	size_t n = 0;
	int worst = POLD_OK, err = pold_names(&names, &n);

	*out = (struct pold_refreshed){0};
	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot list bundles: %s", strerror(-err));
	for (size_t i = 0; i < n; i++) {
		POLD_STATE state = POLD_STATE_INIT;
		struct pold_refreshed one;
		int code = pold_state_open(&state, names[i].text, true);

		if (!code)
			code = pold_places_refresh(&state, &one);
		if (!code)
			code = pold_workloads_refresh(&state);
		if (code) {
			worst = code;
			continue;
		}
		out->attached += one.attached;
		out->detached += one.detached;
		out->waiting += one.waiting;
		out->failed += one.failed;
	}
	return worst;
}
