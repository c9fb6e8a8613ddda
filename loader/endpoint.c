/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* endpoint add|del|list: attaching endpoints that the bundle knows, while it is in force. */
#include "loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/cleanup.h"

static int find(const struct pold_state *state, const char *name, uint32_t *out)
{
	*out = pold_endpoint_find(&state->bundle, name);
	return *out ? POLD_OK : pold_fail(POLD_BAD, "the bundle has no endpoint %s", name);
}

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
		!pold_attached(generation, &key, &attachment))
		pold_detach(generation, &key);
}

struct search {
	const struct pold_place *place;
	const struct pold_generation *generation;
	uint32_t owner;
};

static int compare_place(void *context, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	struct search *search = context;

	if (key->hook == search->place->hook && attachment->key == search->place->key &&
		pold_attached(search->generation, key, attachment))
		search->owner = key->endpoint;
	return 0;
}

/* Nothing else may be attached at the place. */
static int check_free(const struct pold_state *state, const struct pold_generation *generation,
	const struct pold_place *place)
{
	struct search search = {.place = place, .generation = generation};
	char name[512];

	pold_attachments_each(generation, compare_place, &search);
	if (!search.owner)
		return POLD_OK;
	pold_endpoint_text(&state->bundle, search.owner, name, sizeof(name));
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

static int add(const struct pold_options *options, struct pold_state *state)
{
	POLD_PLACE place = {.cgroup_fd = -1};
	const char *name = options->arguments[1];
	const char *where = options->cgroup ? options->cgroup : options->interface;
	uint32_t endpoint;
	int code, err;

	if (!options->cgroup == !options->interface)
		return pold_fail(POLD_USAGE, "endpoint add: give --cgroup or --interface");
	code = pold_state_open(state, options->name, true);
	if (!code)
		code = find(state, name, &endpoint);
	if (code)
		return code;
	err = options->cgroup ? pold_place_cgroup(where, &place)
			      : pold_place_interface(where, &place);
	if (err)
		return pold_fail(POLD_ENVIRONMENT, "%s %s: %s",
			options->cgroup ? "cgroup" : "interface", where, strerror(-err));
	return attach(state, endpoint, name, &place);
}

static int del(const struct pold_options *options, struct pold_state *state)
{
	POLD_GENERATION generation = POLD_GENERATION_INIT;
	static const uint32_t hooks[] = {POLB_HOOK_CGROUP, POLB_HOOK_TC};
	const char *name = options->arguments[1];
	uint32_t endpoint;
	int code = pold_state_open(state, options->name, true), found = 0;

	if (!code)
		code = find(state, name, &endpoint);
	if (!code)
		code = generation_of(state, &generation);
	if (code)
		return code;
	for (size_t i = 0; i < 2; i++) {
		const struct pold_attachment_key key = {.endpoint = endpoint, .hook = hooks[i]};
		int err = pold_detach(&generation, &key);

		if (err && err != -ENOENT)
			return pold_fail(
				POLD_ENVIRONMENT, "cannot detach %s: %s", name, strerror(-err));
		found += !err;
	}
	return found ? POLD_OK : pold_fail(POLD_ENVIRONMENT, "%s is not attached", name);
}

static void print_json(const char *name, uint32_t number, const char *hook, const char *where,
	bool attached, bool first)
{
	printf("%s{\"name\":", first ? "" : ",");
	pold_json_string(name);
	printf(",\"number\":%u,\"attached\":%s", number, attached ? "true" : "false");
	if (hook) {
		printf(",\"hook\":\"%s\",\"where\":", hook);
		pold_json_string(where);
	}
	putchar('}');
}

static int print_one(const struct pold_state *state, const struct pold_generation *generation,
	uint32_t endpoint, bool json, bool first)
{
	static const uint32_t hooks[] = {POLB_HOOK_CGROUP, POLB_HOOK_TC};
	int printed = 0;
	char name[512];

	pold_endpoint_text(&state->bundle, endpoint, name, sizeof(name));
	for (size_t i = 0; i < 2; i++) {
		const struct pold_attachment_key key = {.endpoint = endpoint, .hook = hooks[i]};
		const char *hook = hooks[i] == POLB_HOOK_TC ? "tc" : "cgroup";
		struct pold_attachment at;
		bool alive;

		if (bpf_map_lookup_elem(generation->attachments_fd, &key, &at))
			continue;
		alive = pold_attached(generation, &key, &at);
		if (json)
			print_json(name, endpoint, hook, at.where, alive, first && !printed);
		else
			printf("%-40s %6u  %-6s  %s%s\n", name, endpoint, hook, at.where,
				alive ? "" : " (gone)");
		printed++;
	}
	if (printed)
		return printed;
	if (json)
		print_json(name, endpoint, NULL, NULL, false, first);
	else
		printf("%-40s %6u  %-6s  %s\n", name, endpoint, "-", "-");
	return 1;
}

int pold_endpoints_print(const struct pold_state *state, bool json)
{
	POLD_GENERATION generation = POLD_GENERATION_INIT;
	int code = generation_of(state, &generation);
	bool first = true;

	if (code)
		return code;
	if (!json)
		printf("%-40s %6s  %-6s  %s\n", "ENDPOINT", "NUMBER", "HOOK", "WHERE");
	for (uint32_t i = 1; i <= state->bundle.n_endpoints; i++) {
		if (!pold_endpoint_local(&state->bundle, i, state->archive->node))
			continue;
		print_one(state, &generation, i, json, first);
		first = false;
	}
	return POLD_OK;
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
