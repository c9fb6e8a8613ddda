/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sync FILE: who addresses are now. Killed at any point it leaves entries that the next one puts
 * right: until the store agrees with the peer maps again, `syncing` says that they may differ.
 */
#include "places.h"
#include "sync.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/cleanup.h"

#define NETWORK_HOOKS (POLB_HOOK_CGROUP | POLB_HOOK_TC | POLB_HOOK_XDP)
#define STDIN_STEP ((size_t)1 << 20)
#define SOURCE_BYTES_MAX ((size_t)1 << 30)

uint32_t pold_boot_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint32_t)now.tv_sec;
}

/* ---- writing a plan ---- */

static bool has_work(const struct pold_sync *s)
{
	return s->put.n || s->forgotten.n || s->peers.deleted.n || s->force;
}

static int write_plan(struct pold_sync *s)
{
	int err = pold_store_reserve(&s->store, s->n_kept + s->put.n);

	if (!err)
		err = pold_store_set_syncing(&s->store, true);
	if (!err)
		err = pold_store_write_sets(&s->store);
	if (!err)
		err = pold_peers_write(&s->peers);
	if (!err)
		err = pold_store_write(&s->store, s->put_keys.items, s->put.items, s->put.n);
	if (!err)
		err = pold_store_delete(&s->store, s->forgotten.items, s->forgotten.n);
	return err ? err : pold_store_forget(&s->store);
}

/* Cached verdicts are decided again when somebody is another one now, or has expired meanwhile. */
static bool needs_epoch(const struct pold_sync *s)
{
	return s->changes.n || s->n_expired || s->force || s->endpoints.added ||
	       s->endpoints.changed || s->endpoints.removed;
}

int pold_sync_write(struct pold_sync *s)
{
	int err, code;

	code = needs_epoch(s) ? pold_state_change(&s->state) : POLD_OK;
	if (code)
		return code;
	if (has_work(s)) {
		err = write_plan(s);
		if (err)
			return pold_fail(POLD_ENVIRONMENT,
				"%s: cannot write the identities: %s (sync again)", s->state.name,
				strerror(-err));
	}
	code = pold_endpoints_sync(
		&s->state, &s->inventory, 0, s->state.archive->node, false, &s->endpoints);
	if (!code && needs_epoch(s))
		code = pold_state_bump(&s->state);
	if (!code && has_work(s)) {
		err = pold_store_set_syncing(&s->store, false);
		code = err ? pold_fail(POLD_ENVIRONMENT, "%s: %s", s->state.name, strerror(-err))
			   : POLD_OK;
	}
	return code;
}

/* ---- names ---- */

/* What of the bundle an inventory is about. */
struct about {
	bool network, workloads;
};

static int what_is_about(const char *name, struct about *out)
{
	POLD_STATE state = POLD_STATE_INIT;
	int code = pold_state_open(&state, name, false);

	*out = (struct about){0};
	if (code)
		return code;
	out->network = state.bundle.manifest.hooks & NETWORK_HOOKS;
	out->workloads = polb_bundle_asks_workloads(&state.bundle);
	return POLD_OK;
}

struct run {
	const struct pold_options *options;
	const struct pold_sync_sources *sources;
	uint32_t *speaks;
	struct pold_sync_result *result;
	bool json, print;
	size_t n_printed;
};

static void take_result(struct run *r, const struct pold_sync *s)
{
	r->result->n_changes += s->changes.n;
	if (s->next_expiry_s &&
		(!r->result->next_expiry_s || s->next_expiry_s < r->result->next_expiry_s))
		r->result->next_expiry_s = s->next_expiry_s;
}

/* Those that appeared are governed before anybody learns of their addresses. */
static int sync_endpoints(struct pold_sync *s, bool *changed)
{
	struct pold_endpoints_changes changes;
	int code = pold_endpoints_sync(&s->state, &s->inventory, s->speaks, s->state.archive->node,
		s->options->dry_run, &changes);

	*changed = changes.added || changes.changed || changes.removed || changes.places.attached ||
		   changes.places.detached;
	return code;
}

/* Bits of tracing policies first: what a workload does is seen from then on. Exit code. */
static int sync_workloads(struct pold_sync *s, bool *changed)
{
	int code = pold_workloads_sync(
		&s->state, &s->inventory, s->speaks, s->options->dry_run, &s->workloads);

	*changed = s->workloads.added || s->workloads.changed || s->workloads.removed;
	return code;
}

static int write_name(struct pold_sync *s, const struct about *about)
{
	bool endpoints = false, workloads = false;
	int code = sync_workloads(s, &workloads);

	if (!code && about->network)
		code = sync_endpoints(s, &endpoints);
	if (code || s->options->dry_run)
		return code;
	if (about->network)
		code = pold_sync_write(s);
	/* the writing has begun a new epoch where it needed one */
	if (!code && (workloads || (endpoints && !needs_epoch(s))))
		code = pold_state_bump(&s->state);
	return code;
}

static int sync_name(struct run *r, const char *name, bool write)
{
	POLD_SYNC s = POLD_SYNC_INIT;
	struct about about;
	int code = what_is_about(name, &about);

	if (code || (!about.network && !about.workloads))
		return code;
	s.options = r->options;
	s.sources = r->sources;
	s.speaks = *r->speaks;
	code = about.network ? pold_sync_plan(&s, name) : pold_sync_plan_tracing(&s, name);
	if (code || !write)
		return code;
	code = write_name(&s, &about);
	if (code)
		return code;
	*r->speaks |= s.inventory.speaks;
	take_result(r, &s);
	if (r->print)
		pold_sync_print(&s, r->json, r->n_printed++ == 0);
	return POLD_OK;
}

/* With several bundles each is planned before the first is changed: what does not fit changes none.
 */
static int sync_names(struct run *r, const struct pold_name *names, size_t n)
{
	int code = POLD_OK;

	for (size_t i = 0; !code && n > 1 && i < n; i++)
		code = sync_name(r, names[i].text, false);
	for (size_t i = 0; !code && i < n; i++)
		code = sync_name(r, names[i].text, true);
	return code;
}

static int all_names(const struct pold_options *options, struct pold_name **out, size_t *n)
{
	int err = 0;

	if (options->named) {
		*out = calloc(1, sizeof(**out));
		*n = 1;
		if (*out)
			snprintf((*out)->text, sizeof((*out)->text), "%s", options->name);
		err = *out ? 0 : -ENOMEM;
	} else {
		err = pold_names(out, n);
	}
	if (err)
		return pold_fail(POLD_ENVIRONMENT, POLD_ROOT ": %s", strerror(-err));
	return *n ? POLD_OK : pold_fail(POLD_ENVIRONMENT, "nothing is applied on this node");
}

int pold_sync_all(const struct pold_options *options, const struct pold_sync_sources *sources,
	uint32_t *speaks, struct pold_sync_result *result)
{
	struct run r = {.options = options,
		.sources = sources,
		.speaks = speaks,
		.result = result,
		.json = options->output && strcmp(options->output, "json") == 0,
		.print = true};
	POLB_FREE struct pold_name *names = NULL;
	size_t n = 0;
	int code = pold_privileged();

	*result = (struct pold_sync_result){0};
	if (!code)
		code = all_names(options, &names, &n);
	if (!code)
		code = sync_names(&r, names, n);
	if (r.json && (!code || r.n_printed))
		puts(r.n_printed ? "]" : "[]");
	return code;
}

/* ---- the command ---- */

static int read_stdin(struct pold_sync_source *out)
{
	size_t room = 0, n;

	do {
		char *larger = realloc(out->text, room + STDIN_STEP);

		if (!larger || room > SOURCE_BYTES_MAX)
			return free(larger), larger ? (out->text = NULL, -EFBIG) : -ENOMEM;
		out->text = larger;
		room += STDIN_STEP;
		n = fread(out->text + out->size, 1, room - out->size, stdin);
		out->size += n;
	} while (out->size == room);
	return ferror(stdin) ? -EIO : 0;
}

static int read_source(const char *path, struct pold_sync_source *out)
{
	void *data = NULL;
	int err;

	*out = (struct pold_sync_source){.read_s = pold_boot_s()};
	out->path = (char *)(uintptr_t)(strcmp(path, "-") == 0 ? "standard input" : path);
	if (strcmp(path, "-") == 0)
		err = read_stdin(out);
	else
		err = polb_file_read(path, &data, &out->size);
	if (data)
		out->text = data;
	return err ? pold_fail(POLD_ENVIRONMENT, "%s: %s", out->path, strerror(-err)) : POLD_OK;
}

int pold_cmd_sync(const struct pold_options *options)
{
	struct pold_sync_source source = {0};
	const struct pold_sync_sources sources = {.items = &source, .n = 1};
	struct pold_sync_result result;
	uint32_t speaks = 0;
	int code;

	if (options->watch) {
		code = pold_options_arguments(options, 0, 0, "sync --watch DIR ...");
		return code ? code : pold_sync_watch(options);
	}
	code = pold_options_arguments(options, 1, 1, "sync FILE|- ...");
	if (!code)
		code = read_source(options->arguments[0], &source);
	if (!code)
		code = pold_sync_all(options, &sources, &speaks, &result);
	free(source.text);
	return code;
}
