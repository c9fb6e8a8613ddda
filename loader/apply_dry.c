/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * apply --dry-run: loads everything, which is when the kernel says what it refuses, says what would
 * happen, and keeps nothing. What is only known once something is attached it cannot say.
 */
#include <stdio.h>
#include <string.h>

#include "apply.h"
#include "runtime/cleanup.h"
#include "runtime/trace_tables.h"
#include "told.h"

static const char *hook_name(uint32_t hook)
{
	return pold_hook_kind(hook) == POLB_HOOK_TC ? "tc" : "cgroup";
}

struct report {
	const struct pold_apply *apply;
	const struct polb_bundle *old; /* of the generation in force */
	bool json, any;
};

static void print_endpoint(
	struct report *r, const char *what, const char *name, uint32_t hook, const char *where)
{
	if (!r->json) {
		printf("%-11s %-40s %-6s  %s\n", what, name, hook_name(hook), where);
		return;
	}
	printf("%s{\"name\":", r->any ? "," : "");
	pold_json_string(name);
	printf(",\"hook\":\"%s\",\"where\":", hook_name(hook));
	pold_json_string(where);
	putchar('}');
	r->any = true;
}

static void print_attached(struct report *r)
{
	const struct pold_apply *a = r->apply;
	char name[512];

	r->any = false;
	for (size_t i = 0; i < a->n_spots; i++) {
		const struct pold_place *place = &a->spots[i].place;

		pold_told_text(&a->bundle, a->name, a->spots[i].endpoint, name, sizeof(name));
		print_endpoint(r, "attach", name, place->hook, place->where);
	}
}

static int print_if_detached(void *context, const struct pold_attachment_key *key,
	const struct pold_attachment *attachment)
{
	struct report *r = context;
	char name[512];
	uint32_t endpoint;

	pold_told_text(r->old, r->apply->name, key->endpoint, name, sizeof(name));
	endpoint = pold_told_number(&r->apply->bundle, r->apply->name, name);
	if (!endpoint || !pold_apply_has_spot(r->apply, endpoint, key->hook))
		print_endpoint(r, "detach", name, key->hook, attachment->where);
	return 0;
}

static void print_detached(struct report *r)
{
	POLD_GENERATION generation = POLD_GENERATION_INIT;
	POLD_STATE old = POLD_STATE_INIT;
	const struct pold_apply *a = r->apply;

	r->any = false;
	if (!a->old || pold_state_generation(&old, a->name, a->old) ||
		pold_generation_open(a->name, a->old, &generation))
		return;
	r->old = &old.bundle;
	pold_attachments_each(&generation, print_if_detached, r);
}

static const char *mechanism_of(const struct pold_apply *a, uint32_t hook)
{
	const struct polb_bundle *b = &a->bundle;
	const struct polb_bundle_trace_hook *h = &b->trace_hooks[hook];
	uint32_t chosen = a->trace.chosen[hook];
	const struct polb_bundle_trace_alternative *alternative;

	if (chosen >= h->n_alternatives)
		return "left out";
	alternative = &b->trace_alternatives[h->first_alternative + chosen];
	return polb_mechanism_name(b->trace_programs[alternative->first_program].mechanism);
}

static void print_tracing(const struct report *r)
{
	const struct polb_bundle *b = &r->apply->bundle;

	for (uint32_t i = 0; i < b->n_trace_hooks; i++) {
		const char *text = polb_bundle_string(b, b->trace_hooks[i].text);

		if (!r->json) {
			printf("%-11s %-40s %s\n", "hook", text, mechanism_of(r->apply, i));
			continue;
		}
		printf("%s{\"hook\":", i ? "," : "");
		pold_json_string(text);
		printf(",\"mechanism\":\"%s\"}", mechanism_of(r->apply, i));
	}
}

static void digest_text(const struct pold_apply *a, char out[65])
{
	for (int i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", a->bundle.digest[i]);
}

static void print_text(struct report *r, bool in_force, uint64_t bytes)
{
	const struct pold_apply *a = r->apply;
	char digest[65];

	digest_text(a, digest);
	printf("%-11s %s\n%-11s %.16s (polc %s)\n", "name", a->name, "bundle", digest,
		polb_bundle_string(&a->bundle, a->bundle.manifest.polc_version));
	if (in_force)
		printf("%-11s nothing: it is in force already (generation %u)\n", "would do",
			a->old);
	else if (a->old)
		printf("%-11s replace generation %u\n", "would do", a->old);
	else
		printf("%-11s be the first generation\n", "would do");
	print_attached(r);
	print_detached(r);
	print_tracing(r);
	printf("%-11s %llu bytes of maps\n", "memory", (unsigned long long)bytes);
}

static void print_hooks(uint32_t hooks)
{
	static const struct {
		uint32_t hook;
		const char *name;
	} names[] = {{POLB_HOOK_CGROUP, "cgroup"}, {POLB_HOOK_TC, "tc"}, {POLB_HOOK_XDP, "xdp"},
		{POLB_HOOK_TRACE, "tracing"}};
	const char *separator = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (hooks & names[i].hook) {
			printf("%s\"%s\"", separator, names[i].name);
			separator = ",";
		}
}

static void print_json(struct report *r, bool in_force, uint64_t bytes)
{
	const struct pold_apply *a = r->apply;
	char digest[65];

	digest_text(a, digest);
	printf("{\"name\":\"%s\",\"digest\":\"%s\",\"in_force\":%s,\"replaces\":", a->name, digest,
		in_force ? "true" : "false");
	if (a->old)
		printf("%u", a->old);
	else
		printf("null");
	printf(",\"hooks\":[");
	print_hooks(a->bundle.manifest.hooks);
	printf("],\"attach\":[");
	print_attached(r);
	printf("],\"detach\":[");
	print_detached(r);
	printf("],\"tracing\":[");
	print_tracing(r);
	printf("],\"map_bytes\":%llu}\n", (unsigned long long)bytes);
}

int pold_apply_dry_run(struct pold_apply *a)
{
	const char *output = a->options->output;
	struct report r = {.apply = a, .json = output && strcmp(output, "json") == 0};
	const struct polb_instance_options options = pold_apply_instance_options(a);
	bool in_force = pold_apply_is_in_force(a);
	int code = pold_apply_load(a);
	uint64_t bytes;

	if (code)
		return code;
	bytes = polb_instance_map_bytes(a->instance, &options);
	if (r.json)
		print_json(&r, in_force, bytes);
	else
		print_text(&r, in_force, bytes);
	return POLD_OK;
}
