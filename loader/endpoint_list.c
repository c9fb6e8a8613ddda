/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The endpoints of this node for people and programs: where each is, since when, and how exactly.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "places.h"
#include "runtime/cleanup.h"
#include "told.h"

struct wanted {
	uint32_t endpoint, hook;
	char where[POLD_WHERE];
	bool one_of_several, is_there; /* it has a cgroup, so it is attached there */
};

struct listing {
	const struct pold_state *state;
	struct pold_generation generation;
	struct wanted *wanted;
	size_t n_wanted;
	int told_fd;
	bool json, any;
	struct pold_endpoint_counts *counts; /* count, print nothing; or NULL */
};

/* One endpoint, one line for each of its places. */
struct row {
	const char *name;
	uint32_t number;
	bool is_told;
	uint32_t exact;   /* bits 1 << enum polb_direction */
	const char *hook; /* NULL: it has no place */
	const char *where;
	const char *state; /* attached, gone, waiting, killed, none */
	uint64_t since_ns; /* 0: not attached */
};

static const char *tables_text(uint32_t exact)
{
	static const char *const texts[] = {
		"deny-all", "egress deny-all", "ingress deny-all", "exact"};

	return texts[exact & 3];
}

static const char *since_text(const struct row *row, char out[32])
{
	time_t seconds = (time_t)(row->since_ns / 1000000000u);
	struct tm tm;

	if (!row->since_ns || !gmtime_r(&seconds, &tm))
		return "-";
	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return out;
}

static void print_json(const struct row *row, bool first)
{
	char since[32];

	printf("%s{\"name\":", first ? "" : ",");
	pold_json_string(row->name);
	printf(",\"number\":%u,\"attached\":%s,\"state\":\"%s\"", row->number,
		strcmp(row->state, "attached") == 0 ? "true" : "false", row->state);
	if (row->hook) {
		printf(",\"hook\":\"%s\",\"where\":", row->hook);
		pold_json_string(row->where);
	}
	if (row->since_ns)
		printf(",\"since\":\"%s\"", since_text(row, since));
	printf(",\"told\":%s,\"tables\":\"%s\"}", row->is_told ? "true" : "false",
		tables_text(row->exact));
}

static void print_text(const struct row *row)
{
	bool noted = row->hook && strcmp(row->state, "attached") != 0;
	char since[32];

	pold_print_visible(row->name, 40);
	printf(" %6u  %-6s  %-20s  ", row->number, row->hook ? row->hook : "-",
		since_text(row, since));
	pold_print_visible(row->hook ? row->where : "-", 0);
	if (noted)
		printf(" (%s)", row->state);
	if (row->exact != 3)
		printf(" [%s: needs a new bundle]", tables_text(row->exact));
	putchar('\n');
}

static void count_row(struct pold_endpoint_counts *counts, const struct row *row)
{
	if (strcmp(row->state, "attached") == 0)
		counts->attached++;
	else if (strcmp(row->state, "gone") == 0 || strcmp(row->state, "killed") == 0)
		counts->gone++;
	else if (strcmp(row->state, "waiting") == 0)
		counts->waiting++;
	if (row->exact != 3)
		counts->denied++;
}

static void print_row(struct listing *l, const struct row *row)
{
	if (l->counts)
		count_row(l->counts, row);
	else if (l->json)
		print_json(row, !l->any);
	else
		print_text(row);
	l->any = true;
}

static const char *hook_text(uint32_t hook)
{
	return pold_hook_kind(hook) == POLB_HOOK_TC ? "tc" : "cgroup";
}

static const char *state_of(const struct pold_generation *generation,
	const struct pold_attachment_key *key, const struct pold_attachment *attachment)
{
	if (pold_place_is_there(generation, key, attachment))
		return "attached";
	return attachment->changing ? "killed" : "gone";
}

/* An attachment; whether there is one. */
static bool print_attachment(struct listing *l, struct row *row, uint32_t hook)
{
	const struct pold_attachment_key key = {.endpoint = row->number, .hook = hook};
	struct pold_attachment at;

	if (bpf_map_lookup_elem(l->generation.attachments_fd, &key, &at))
		return false;
	row->hook = hook_text(hook);
	row->where = at.where;
	row->since_ns = at.since_ns;
	row->state = state_of(&l->generation, &key, &at);
	print_row(l, row);
	return true;
}

/* A place that is wanted under this hook and has no attachment; whether there is one. */
static bool print_waiting(struct listing *l, struct row *row, uint32_t hook, bool attached)
{
	bool printed = false;

	for (size_t i = 0; i < l->n_wanted; i++) {
		const struct wanted *wanted = &l->wanted[i];

		if (wanted->endpoint != row->number || wanted->hook != hook ||
			(wanted->one_of_several ? wanted->is_there : attached))
			continue;
		row->hook = hook_text(hook);
		row->where = wanted->where;
		row->since_ns = 0;
		row->state = "waiting";
		print_row(l, row);
		printed = true;
	}
	return printed;
}

static void print_one(struct listing *l, struct row *row)
{
	bool cgroup = false, printed;

	for (uint32_t i = 0; i < POLD_HOOK_PLACES_MAX; i++)
		cgroup |= print_attachment(l, row, pold_hook_at(POLB_HOOK_CGROUP, i));
	printed = print_waiting(l, row, POLB_HOOK_CGROUP, cgroup) || cgroup;
	printed |= print_attachment(l, row, POLB_HOOK_TC) ||
		   print_waiting(l, row, POLB_HOOK_TC, false);
	if (!printed)
		print_row(l, row);
}

static int note_wanted(void *context, const struct pold_wanted *wanted)
{
	struct listing *l = context;
	POLD_PLACE place = {.cgroup_fd = -1};
	struct wanted *larger = realloc(l->wanted, (l->n_wanted + 1) * sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	l->wanted = larger;
	larger += l->n_wanted++;
	*larger = (struct wanted){.endpoint = wanted->endpoint,
		.hook = wanted->hook,
		.one_of_several = wanted->one_of_several,
		.is_there = wanted->one_of_several && pold_place_find(wanted, &place) == 0};
	snprintf(larger->where, sizeof(larger->where), "%s", wanted->where);
	return 0;
}

static int print_told(void *context, const char *endpoint, const struct pold_told *told)
{
	struct listing *l = context;
	const struct polb_bundle *bundle = &l->state->bundle;
	struct row row = {.name = endpoint,
		.number = (uint32_t)bundle->n_endpoints + 1 + told->slot,
		.is_told = true,
		.exact = pold_told_exact(bundle, told),
		.state = "none"};

	if (!pold_endpoint_find(bundle, endpoint))
		print_one(l, &row);
	return 0;
}

static void print_bundled(struct listing *l, uint32_t number)
{
	struct pold_told told;
	char name[512];
	struct row row = {.name = name, .number = number, .exact = 3, .state = "none"};

	pold_endpoint_text(&l->state->bundle, number, name, sizeof(name));
	row.is_told = pold_told_find(l->told_fd, name, &told);
	if (row.is_told)
		row.exact = pold_told_exact(&l->state->bundle, &told);
	print_one(l, &row);
}

static void listing_end(struct listing *l)
{
	pold_generation_close(&l->generation);
	polb_cleanup_fd(&l->told_fd);
	free(l->wanted);
}

/* 0 or -errno. */
static int each_row(struct listing *l)
{
	const struct pold_state *state = l->state;
	int err = pold_generation_open(state->name, state->generation, &l->generation);

	l->told_fd = pold_told_open(state->name, false);
	if (!err)
		err = pold_wanted_each(state, note_wanted, l);
	if (err)
		return err;
	if (!l->json && !l->counts)
		printf("%-40s %6s  %-6s  %-20s  %s\n", "ENDPOINT", "NUMBER", "HOOK", "SINCE",
			"WHERE");
	for (uint32_t i = 1; i <= state->bundle.n_endpoints; i++)
		if (pold_endpoint_local(&state->bundle, i, state->archive->node))
			print_bundled(l, i);
	return pold_told_each(l->told_fd, print_told, l);
}

int pold_endpoints_count(const struct pold_state *state, struct pold_endpoint_counts *out)
{
	__attribute__((cleanup(listing_end))) struct listing l = {
		.state = state, .generation = POLD_GENERATION_INIT, .told_fd = -1, .counts = out};

	*out = (struct pold_endpoint_counts){0};
	return each_row(&l);
}

int pold_endpoints_print(const struct pold_state *state, bool json)
{
	__attribute__((cleanup(listing_end))) struct listing l = {
		.state = state, .generation = POLD_GENERATION_INIT, .told_fd = -1, .json = json};
	int err = each_row(&l);

	return err ? pold_fail(POLD_ENVIRONMENT, "cannot list the endpoints: %s", strerror(-err))
		   : POLD_OK;
}
