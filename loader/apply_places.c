/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * apply: where this node's endpoints are to be attached. First what the bundle says; then those
 * that were attached at run time, which stay where they are when the bundle says nothing else.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "places.h"
#include "told.h"

bool pold_apply_has_spot(const struct pold_apply *a, uint32_t endpoint, uint32_t hook)
{
	for (size_t i = 0; i < a->n_spots; i++)
		if (a->spots[i].endpoint == endpoint && a->spots[i].place.hook == hook)
			return true;
	return false;
}

/* The endpoint that was given the same place, or 0. */
static uint32_t spot_owner(const struct pold_apply *a, const struct pold_place *place)
{
	for (size_t i = 0; i < a->n_spots; i++)
		if (pold_hook_kind(a->spots[i].place.hook) == pold_hook_kind(place->hook) &&
			a->spots[i].place.key == place->key)
			return a->spots[i].endpoint;
	return 0;
}

/* Takes the place. 0 or -errno. */
static int add_spot(struct pold_apply *a, uint32_t endpoint, struct pold_place *place)
{
	struct pold_apply_spot *larger = realloc(a->spots, (a->n_spots + 1) * sizeof(*larger));

	if (!larger) {
		pold_place_close(place);
		return -ENOMEM;
	}
	a->spots = larger;
	a->spots[a->n_spots++] = (struct pold_apply_spot){endpoint, *place};
	return 0;
}

static int refuse_shared(
	const struct pold_apply *a, uint32_t endpoint, uint32_t other, const char *where)
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

/*
 * What the bundle names and this node does not have: with --absent wait or create it is attached
 * when it appears (sync); until then nothing of it runs here.
 */
static int place_is_absent(
	struct pold_apply *a, const char *name, const char *what, const char *where, int err)
{
	if (a->told.absent != POLD_ABSENT_REFUSE) {
		a->n_waiting++;
		return POLD_OK;
	}
	if (!a->lenient)
		return pold_fail(POLD_ENVIRONMENT, "endpoint %s: %s %s: %s", name, what, where,
			pold_place_reason(err));
	pold_note("note: endpoint %s: %s %s: %s: not attached", name, what, where,
		pold_place_reason(err));
	return POLD_OK;
}

/* Finds it, making a cgroup that is to be made. 0 or -errno. */
static int find_or_create(
	const struct pold_apply *a, uint32_t hook, const char *where, struct pold_place *out)
{
	const struct pold_wanted wanted = {.hook = hook, .where = where};
	int err = look_up(hook, where, out);

	if (err && a->told.absent == POLD_ABSENT_CREATE && !a->options->dry_run &&
		pold_place_create(&wanted) == 0)
		err = look_up(hook, where, out);
	return err;
}

/* One annotation of an endpoint of this node; it must exist. */
static int find_place(struct pold_apply *a, uint32_t endpoint, uint32_t hook, const char *where)
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
	err = find_or_create(a, hook, where, &place);
	if (err && !pold_place_is_absent(err))
		return pold_fail(POLD_ENVIRONMENT, "endpoint %s: cannot look up %s %s: %s", name,
			what, where, strerror(-err));
	if (err)
		return place_is_absent(a, name, what, where, err);
	other = spot_owner(a, &place);
	if (other)
		return refuse_shared(a, endpoint, other, place.where);
	err = add_spot(a, endpoint, &place);
	place.hook = 0; /* taken */
	return err ? pold_fail(POLD_ENVIRONMENT, "out of memory") : POLD_OK;
}

int pold_apply_find_places(struct pold_apply *a)
{
	int code = POLD_OK;

	for (uint32_t i = 1; !code && i <= a->bundle.n_endpoints; i++) {
		const struct polb_bundle_endpoint *e = &a->bundle.endpoints[i - 1];

		if (!pold_endpoint_local(&a->bundle, i, a->told.node))
			continue;
		code = find_place(
			a, i, POLB_HOOK_CGROUP, polb_bundle_string(&a->bundle, e->cgroup));
		if (!code)
			code = find_place(
				a, i, POLB_HOOK_TC, polb_bundle_string(&a->bundle, e->interface));
	}
	if (!code && a->n_waiting)
		pold_note("note: %u %s not there yet; see endpoint list, sync", a->n_waiting,
			a->n_waiting == 1 ? "place is" : "places are");
	return code;
}

struct carry {
	struct pold_apply *apply;
	const struct polb_bundle *bundle; /* of the generation whose attachments these are */
	const struct polb_bundle *known;  /* what this one knows is not taken; may be NULL */
	const struct pold_generation *generation;
	bool quiet;
};

static void tell(const struct carry *carry, const char *name, const char *where, const char *what)
{
	if (!carry->quiet)
		pold_note("note: %s at %s %s", name, where, what);
}

/* Who is attached there is not known: going on would leave them without any policy. */
static int refuse_unread(uint32_t number, int err)
{
	return pold_fail(
		POLD_ENVIRONMENT, "generation %u cannot be read: %s", number, strerror(-err));
}

/* Whether an `endpoint add` was killed before it came into force, or a `del` after that had ended.
 */
static bool is_half(const struct carry *carry, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	return attachment->changing && !pold_in_force(carry->generation, key, attachment);
}

static int carry_one(void *context, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	const struct carry *carry = context;
	struct pold_apply *a = carry->apply;
	POLD_PLACE place = {.cgroup_fd = -1};
	char name[512];
	uint32_t endpoint;
	int err;

	err = pold_told_name(carry->bundle, a->name, key->endpoint, name, sizeof(name));
	if (err)
		return refuse_unread(a->old, err);
	if ((carry->known && pold_endpoint_find(carry->known, name)) ||
		is_half(carry, key, attachment))
		return 0;
	err = pold_told_look(&a->bundle, a->name, name, &endpoint);
	if (err)
		return refuse_unread(a->old, err);
	if (!endpoint) {
		tell(carry, name, attachment->where, "is not in this bundle and is detached");
		return 0;
	}
	if (pold_apply_has_spot(a, endpoint, key->hook) ||
		!(a->bundle.manifest.hooks & pold_hook_kind(key->hook)))
		return 0;
	err = look_up(key->hook, attachment->where, &place);
	place.hook = err ? 0 : key->hook;
	if (err && !pold_place_is_absent(err))
		return pold_fail(POLD_ENVIRONMENT, "endpoint %s: cannot look up %s: %s", name,
			attachment->where, strerror(-err));
	if (err) {
		tell(carry, name, attachment->where, "is gone");
		return 0;
	}
	if (spot_owner(a, &place)) {
		tell(carry, name, attachment->where, "gives way to the bundle's own endpoint");
		return 0;
	}
	err = add_spot(a, endpoint, &place);
	place.hook = 0; /* taken */
	return err ? pold_fail(POLD_ENVIRONMENT, "out of memory") : 0;
}

static int carry_from(struct carry *carry, uint32_t number)
{
	POLD_GENERATION generation = POLD_GENERATION_INIT;
	int err = pold_generation_open(carry->apply->name, number, &generation);

	if (err)
		return refuse_unread(number, err);
	carry->generation = &generation;
	err = pold_attachments_each(&generation, carry_one, carry);
	return err < 0 ? refuse_unread(number, err) : err;
}

/*
 * On the way back to a generation that was kept, endpoints that the one in force does not know are
 * where they were then; of those that it knows it is the one that says.
 */
int pold_apply_carry_over(struct pold_apply *a)
{
	POLD_STATE old = POLD_STATE_INIT;
	struct carry carry = {.apply = a, .bundle = &old.bundle};
	int code = POLD_OK, err;

	if (!a->old)
		return POLD_OK;
	err = pold_state_generation(&old, a->name, a->old);
	code = err ? refuse_unread(a->old, err) : carry_from(&carry, a->old);
	if (code || !a->from)
		return code;
	carry = (struct carry){
		.apply = a, .bundle = &a->bundle, .known = &old.bundle, .quiet = true};
	return carry_from(&carry, a->from);
}
