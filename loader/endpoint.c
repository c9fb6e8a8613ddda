/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * endpoint add|del: attaching endpoints while a bundle is in force; those that it knows, and others
 * by their labels.
 */
#include "loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "known.h"
#include "places.h"
#include "runtime/cleanup.h"
#include "told.h"
#include "workloads.h"

static int generation_of(const struct pold_state *state, struct pold_generation *out)
{
	int err = pold_generation_open(state->name, state->generation, out);

	return err ? pold_fail(POLD_ENVIRONMENT, "cannot open generation %u: %s", state->generation,
			     strerror(-err))
		   : POLD_OK;
}

/* An attachment whose cgroup or interface has gone makes room for the new one. */
static void drop_dead(const struct pold_generation *generation, uint32_t endpoint, uint32_t hook)
{
	const struct pold_attachment_key key = {.endpoint = endpoint, .hook = hook};
	struct pold_attachment attachment;

	if (bpf_map_lookup_elem(generation->attachments_fd, &key, &attachment) == 0 &&
		!pold_place_is_there(generation, &key, &attachment)) {
		pold_detach(generation, &key);
		pold_flows_forget(generation->name, &attachment);
	}
}

/* Nothing else may be attached at the place. */
static int check_free(const struct pold_state *state, const struct pold_generation *generation,
	const struct pold_place *place)
{
	uint32_t owner = pold_place_owner(generation, place);
	char name[512];

	if (!owner)
		return POLD_OK;
	pold_told_text(&state->bundle, state->name, owner, name, sizeof(name));
	return pold_fail(POLD_ENVIRONMENT, "%s is attached at %s already", name, place->where);
}

static int attach(const struct pold_state *state, uint32_t endpoint, const char *name,
	const struct pold_place *place)
{
	POLD_GENERATION generation = POLD_GENERATION_INIT;
	int code = generation_of(state, &generation), err;

	if (code)
		return code;
	drop_dead(&generation, endpoint, place->hook);
	code = check_free(state, &generation, place);
	if (code)
		return code;
	err = pold_attach(&generation, endpoint, place);
	if (err == -EEXIST)
		return pold_fail(POLD_ENVIRONMENT, "%s is attached already", name);
	if (err == -E2BIG)
		return pold_fail(
			POLD_ENVIRONMENT, "no room for %s: the maps are full (apply --room)", name);
	if (err == -EPROTONOSUPPORT)
		return pold_fail(POLD_BAD, "the bundle has no programs for this hook");
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot attach %s at %s: %s", name, place->where,
			     strerror(-err))
		   : POLD_OK;
}

static int wanted_of(const struct pold_options *o, struct pold_wanted *out)
{
	if (!o->cgroup + !o->interface + !o->container != 2)
		return pold_fail(POLD_USAGE,
			"endpoint add: give one of --cgroup, --container and --interface");
	*out = (struct pold_wanted){.hook = o->interface ? POLB_HOOK_TC : POLB_HOOK_CGROUP,
		.where = o->interface ? o->interface : o->cgroup ? o->cgroup : o->container,
		.is_container = o->container != NULL};
	return POLD_OK;
}

static const char *what_of(const struct pold_options *o)
{
	return o->interface ? "interface" : o->cgroup ? "cgroup" : "container";
}

/* "namespace/name", both not empty. */
static bool is_name(const char *text)
{
	const char *slash = strchr(text, '/');

	return slash && slash != text && slash[1] && !strchr(slash + 1, '/');
}

static int describe(const struct pold_options *o, const struct pold_state *state,
	struct pold_pool *pool, struct pold_told *out)
{
	const char *name = o->arguments[1];
	struct pold_who who;
	int code = pold_pod_who(pool, state, name, o, &who);

	if (!code)
		code = pold_told_describe(&who, name, out);
	if (code)
		return code;
	if (snprintf(out->cgroup, sizeof(out->cgroup), "%s", o->cgroup ? o->cgroup : "") >=
			(int)sizeof(out->cgroup) ||
		snprintf(out->interface, sizeof(out->interface), "%s",
			o->interface ? o->interface : "") >= (int)sizeof(out->interface) ||
		snprintf(out->containers, sizeof(out->containers), "%s",
			o->container ? o->container : "") >= (int)sizeof(out->containers))
		return pold_fail(POLD_USAGE, "endpoint add: the place is too long");
	return POLD_OK;
}

static void pool_free(struct pold_pool *pool)
{
	pold_pool_free(pool);
}

/* One that is told by its labels: kept, then attached; what cannot be attached is not kept. */
static int add_told(
	const struct pold_options *o, struct pold_state *state, const struct pold_place *place)
{
	__attribute__((cleanup(pool_free))) struct pold_pool pool = {0};
	struct pold_told told = {.flags = 0};
	const char *name = o->arguments[1];
	bool changed;
	uint32_t number;
	int code;

	if (!is_name(name))
		return pold_fail(POLD_USAGE, "\"%s\" is not NAMESPACE/NAME", name);
	if (pold_told_number(&state->bundle, state->name, name) >
		(uint32_t)state->bundle.n_endpoints)
		return pold_fail(POLD_ENVIRONMENT, "%s is there already (endpoint del)", name);
	code = describe(o, state, &pool, &told);
	if (!code)
		code = pold_told_put(state, name, &told, &number, &changed);
	if (code)
		return code;
	code = attach(state, number, name, place);
	if (code)
		pold_told_drop(state, name);
	else
		code = pold_state_bump(state);
	return code;
}

static bool has_network(const struct pold_state *state)
{
	return state->bundle.manifest.hooks & (POLB_HOOK_CGROUP | POLB_HOOK_TC);
}

/* Tracing policies see its processes before its packets are judged. */
static int add_workload(const struct pold_options *options, const struct pold_state *state)
{
	const char *name = options->arguments[1];

	if (!polb_bundle_asks_workloads(&state->bundle))
		return POLD_OK;
	if (!options->cgroup && !options->container) {
		pold_note("warning: %s: its cgroup was not told: tracing policies for workloads "
			  "do not see its processes",
			name);
		return POLD_OK;
	}
	if (!is_name(name))
		return pold_fail(POLD_USAGE, "\"%s\" is not NAMESPACE/NAME", name);
	return pold_workload_add(state, name, options);
}

static int add_by_labels(const struct pold_options *options, struct pold_state *state,
	const struct pold_place *place)
{
	int code = add_workload(options, state);
	bool found;

	if (!code && has_network(state))
		code = add_told(options, state, place);
	else if (!code)
		code = pold_state_bump(state);
	if (code) /* what could not be attached is not half there */
		pold_workload_del(state, options->arguments[1], &found);
	return code;
}

static int add(const struct pold_options *options, struct pold_state *state)
{
	POLD_PLACE place = {.cgroup_fd = -1};
	const char *name = options->arguments[1];
	struct pold_wanted wanted;
	int code = wanted_of(options, &wanted), err;

	if (!code)
		code = pold_state_open(state, options->name, true);
	if (code)
		return code;
	pold_privileges_no_loading();
	wanted.endpoint = pold_endpoint_find(&state->bundle, name);
	if (!wanted.endpoint && !options->n_labels)
		return pold_fail(POLD_BAD,
			"the bundle has no endpoint %s: say who it is with --label KEY=VALUE",
			name);
	err = pold_place_find(&wanted, &place);
	if (err)
		return pold_fail(POLD_ENVIRONMENT, "%s %s: %s", what_of(options), wanted.where,
			pold_place_reason(err));
	if (options->n_labels)
		return add_by_labels(options, state, &place);
	return attach(state, wanted.endpoint, name, &place);
}

static bool was_told(const struct pold_state *state, const char *name)
{
	POLB_FD fd = pold_told_open(state->name, false);
	struct pold_told told;

	return pold_told_find(fd, name, &told);
}

/* Its attachments and what was told of it; *found: there was any of it. Exit code. */
static int del_network(struct pold_state *state, const char *name, bool *found)
{
	POLD_GENERATION generation = POLD_GENERATION_INIT;
	uint32_t endpoint = pold_told_number(&state->bundle, state->name, name);
	int code, detached;

	if (!endpoint || !has_network(state))
		return POLD_OK;
	code = generation_of(state, &generation);
	if (code)
		return code;
	detached = pold_detach_endpoint(&generation, endpoint);
	if (detached < 0)
		return pold_fail(
			POLD_ENVIRONMENT, "cannot detach %s: %s", name, strerror(-detached));
	*found |= detached > 0;
	if (!was_told(state, name))
		return POLD_OK;
	*found = true;
	code = pold_told_drop(state, name);
	return code ? code : pold_state_bump(state);
}

static int del(const struct pold_options *options, struct pold_state *state)
{
	const char *name = options->arguments[1];
	bool network = false, workload = false;
	int code = pold_state_open(state, options->name, true);

	pold_privileges_no_loading();
	if (!code)
		code = del_network(state, name, &network);
	if (!code)
		code = pold_workload_del(state, name, &workload);
	if (!code && workload)
		code = pold_state_bump(state);
	if (code || network || workload)
		return code;
	return pold_endpoint_find(&state->bundle, name)
		       ? pold_fail(POLD_ENVIRONMENT, "%s is not attached", name)
		       : pold_fail(POLD_BAD, "there is no endpoint %s", name);
}

static int list(const struct pold_options *options, struct pold_state *state)
{
	bool json = options->output && strcmp(options->output, "json") == 0;
	int code = pold_state_open(state, options->name, false);

	if (code)
		return code;
	if (json)
		putchar('[');
	code = pold_endpoints_print(state, json);
	if (json)
		puts("]");
	return code;
}

int pold_cmd_endpoint(const struct pold_options *options)
{
	static const struct pold_actions actions = {
		.usage = "endpoint add|del NAMESPACE/NAME | list ...",
		.add = add,
		.del = del,
		.list = list};

	return pold_actions_run(&actions, options);
}
