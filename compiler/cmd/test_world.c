/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a test is asked about: its policies, or those of the command line, or those beside it; its
 * inventory, and what it holds itself. Each is loaded once.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

/* Paths, from the directory of the test's file */

static const char *directory_of(struct polc_test_run *run, uint32_t source)
{
	const char *file = polc_source_get(&run->cmd.polc.sources, source)->file;
	const char *slash = file ? strrchr(file, '/') : NULL;

	if (!slash)
		return ".";
	return polc_arena_strndup(
		&run->cmd.polc.arena, file, (size_t)(slash - file) + (slash == file));
}

/* "a/../b" as "b", where that is the same file. */
static const char *simplified(struct polc_arena *arena, const char *path)
{
	char *short_path = polc_arena_strndup(arena, path, strlen(path));
	struct stat before, after;
	char *up;

	while ((up = strstr(short_path, "/../"))) {
		char *begin = up;

		while (begin > short_path && begin[-1] != '/')
			begin--;
		if (begin == up || !strncmp(begin, "../", 3))
			break;
		memmove(begin, up + 4, strlen(up + 4) + 1);
	}
	if (!*short_path || stat(path, &before) || stat(short_path, &after) ||
		before.st_dev != after.st_dev || before.st_ino != after.st_ino)
		return path;
	return short_path;
}

static const char *resolve(struct polc_test_run *run, const struct polc_ast_text *path)
{
	struct polc_arena *arena = &run->cmd.polc.arena;
	const char *directory = directory_of(run, path->span.source);

	if (*path->text == '/' || !strcmp(directory, "."))
		return path->text;
	return simplified(arena, polc_arena_printf(arena, "%s/%s", directory, path->text));
}

/* False (reported) when one of them cannot be read. */
static bool resolve_all(struct polc_test_run *run, const polc_ast_texts *paths, polc_text_list *out)
{
	bool fine = true;

	for (size_t i = 0; i < paths->n; i++) {
		const char *path = resolve(run, &paths->items[i]);

		if (access(path, R_OK) != 0) {
			polc_error(&run->cmd.polc, paths->items[i].span, POLC_CODE_BAD_TEST,
				"'%s' cannot be read (paths are taken from the test's directory)",
				paths->items[i].text);
			fine = false;
		}
		*polc_vec_push(&run->cmd.polc.arena, out) = path;
	}
	return fine;
}

/* Worlds */

static bool same_list(const polc_text_list *a, const polc_text_list *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = !strcmp(a->items[i], b->items[i]);
	return same;
}

static bool same_world(const struct polc_test_world *a, const struct polc_test_world *b)
{
	bool named =
		(!a->cluster_name && !b->cluster_name) ||
		(a->cluster_name && b->cluster_name && !strcmp(a->cluster_name, b->cluster_name));

	return same_list(&a->inventories, &b->inventories) &&
	       same_list(&a->policies, &b->policies) && same_list(&a->targets, &b->targets) &&
	       a->dialect == b->dialect && a->posture == b->posture && named &&
	       a->inside == b->inside;
}

static bool option_index(struct polc_test_run *run, const struct polc_ast_text *value,
	const char *what, const char *const *words, unsigned *out)
{
	if (!value->text)
		return true;
	if (!polc_test_check_word(&run->cmd.polc, value, what, words))
		return false;
	for (unsigned i = 0; words[i]; i++)
		if (!strcmp(words[i], value->text))
			*out = i;
	return true;
}

static bool has_content(const struct polc_input *inside)
{
	return inside->ast.policies.n || inside->tracings.n || inside->inventory.pods.n ||
	       inside->inventory.namespaces.n;
}

static bool policies_of(
	struct polc_test_run *run, const struct polc_ast_test *test, polc_text_list *out)
{
	bool own = test->inside->ast.policies.n || test->inside->tracings.n;

	if (test->policies.n)
		return resolve_all(run, &test->policies, out);
	if (own)
		return true;
	if (run->policies_given)
		*out = run->operands;
	else
		*polc_vec_push(&run->cmd.polc.arena, out) = directory_of(run, test->span.source);
	return true;
}

static bool describe(
	struct polc_test_run *run, const struct polc_ast_test *test, struct polc_test_world *world)
{
	bool fine = true;

	*world = (struct polc_test_world){.dialect = run->dialect,
		.posture = run->posture,
		.cluster_name =
			test->cluster_name.text ? test->cluster_name.text : run->cluster_name,
		.inside = has_content(test->inside) ? test->inside : NULL};
	fine &= option_index(run, &test->dialect, "dialect", polc_dialect_names, &world->dialect);
	fine &= option_index(run, &test->posture, "posture", polc_posture_names, &world->posture);
	fine &= policies_of(run, test, &world->policies);
	if (test->inventories.n)
		fine &= resolve_all(run, &test->inventories, &world->inventories);
	else
		world->inventories = run->inventories;
	for (size_t i = 0; i < test->targets.n; i++)
		*polc_vec_push(&run->cmd.polc.arena, &world->targets) = test->targets.items[i].text;
	if (!test->targets.n)
		world->targets = run->targets;
	return fine;
}

/* Makes the world the one of the command. */
static void enter(struct polc_test_run *run, const struct polc_test_world *world)
{
	struct polc_cmd *cmd = &run->cmd;

	cmd->inventories = world->inventories;
	cmd->operands = world->policies;
	cmd->target_names = world->targets;
	cmd->dialect = world->dialect;
	cmd->posture = world->posture;
	cmd->cluster_name = world->cluster_name;
	cmd->input = world->input;
	cmd->network = world->network;
	cmd->identities = world->identities;
	cmd->tracing_options = world->tracing_options;
	cmd->tracing = world->tracing;
	cmd->rule_texts = world->rule_texts;
}

#define ADD_ALL(arena, to, from)                                                                   \
	for (size_t i = 0; i < (from)->n; i++)                                                     \
	*polc_vec_push((arena), (to)) = (from)->items[i]

static void add_inside(struct polc_cmd *cmd, const struct polc_input *inside)
{
	struct polc_arena *arena = &cmd->polc.arena;

	ADD_ALL(arena, &cmd->input.ast.policies, &inside->ast.policies);
	ADD_ALL(arena, &cmd->input.tracings, &inside->tracings);
	ADD_ALL(arena, &cmd->input.inventory.pods, &inside->inventory.pods);
	ADD_ALL(arena, &cmd->input.inventory.namespaces, &inside->inventory.namespaces);
	cmd->input.inventory.given |= inside->inventory.pods.n || inside->inventory.namespaces.n;
}

static int read_world(struct polc_cmd *cmd, const struct polc_test_world *world)
{
	int result = 0;

	for (size_t i = 0; i < world->inventories.n; i++)
		result |= polc_read_inventory(&cmd->polc, &cmd->input, world->inventories.items[i]);
	for (size_t i = 0; i < world->policies.n; i++)
		result |= polc_read_policies(&cmd->polc, &cmd->input, world->policies.items[i]);
	if (world->inside)
		add_inside(cmd, world->inside);
	return result < 0 ? POLC_EXIT_ENVIRONMENT : POLC_EXIT_OK;
}

/* Only errors matter here: what else is to be said about the policies, `check` says. */
static void drop_warnings(struct polc *polc, size_t from)
{
	size_t kept = from;

	for (size_t i = from; i < polc->diagnostics.n; i++) {
		struct polc_diagnostic *d = polc->diagnostics.items[i];

		if (d->severity == POLC_ERROR)
			polc->diagnostics.items[kept++] = d;
		else if (d->severity == POLC_WARNING)
			polc->n_warnings--;
	}
	polc->diagnostics.n = kept;
}

static void load(struct polc_test_run *run, struct polc_test_world *world)
{
	struct polc_cmd *cmd = &run->cmd;
	unsigned errors = cmd->polc.n_errors;
	size_t reported = cmd->polc.diagnostics.n;

	enter(run, world);
	world->exit_code = read_world(cmd, world);
	if (world->exit_code == POLC_EXIT_OK && polc_cmd_lower(cmd) == POLC_EXIT_ENVIRONMENT)
		world->exit_code = POLC_EXIT_ENVIRONMENT;
	if (world->exit_code == POLC_EXIT_OK && cmd->polc.n_errors != errors)
		world->exit_code = POLC_EXIT_BAD;
	drop_warnings(&cmd->polc, reported);
	world->input = cmd->input;
	world->network = cmd->network;
	world->identities = cmd->identities;
	world->tracing_options = cmd->tracing_options;
	world->tracing = cmd->tracing;
	if (world->exit_code != POLC_EXIT_OK)
		return;
	world->rule_texts = cmd->rule_texts =
		POLC_NEW_ARRAY(&cmd->polc.arena, world->network->n_rules + 1, const char *);
	world->rule_hits = POLC_NEW_ARRAY(&cmd->polc.arena, world->network->n_rules + 1, unsigned);
	world->selector_hits =
		POLC_NEW_ARRAY(&cmd->polc.arena, world->tracing->n_selectors + 1, unsigned);
	world->spec_hits = POLC_NEW_ARRAY(&cmd->polc.arena, world->tracing->n_specs + 1, unsigned);
}

static struct polc_test_world *find(struct polc_test_run *run, const struct polc_test_world *like)
{
	struct polc_test_world *world;

	for (size_t i = 0; i < run->worlds.n; i++)
		if (same_world(run->worlds.items[i], like))
			return run->worlds.items[i];
	world = POLC_NEW(&run->cmd.polc.arena, struct polc_test_world);
	*world = *like;
	*polc_vec_push(&run->cmd.polc.arena, &run->worlds) = world;
	load(run, world);
	return world;
}

struct polc_test_world *polc_test_enter(struct polc_test_run *run, const struct polc_ast_test *test)
{
	struct polc_test_world *world, like;

	if (!describe(run, test, &like))
		return NULL;
	world = find(run, &like);
	if (world->exit_code != POLC_EXIT_OK) {
		run->environment |= world->exit_code == POLC_EXIT_ENVIRONMENT;
		return NULL;
	}
	enter(run, world);
	return world;
}

void polc_test_free_worlds(struct polc_test_run *run)
{
	for (size_t i = 0; i < run->worlds.n; i++) {
		run->cmd.tracing_options = run->worlds.items[i]->tracing_options;
		polc_cmd_close_targets(&run->cmd);
		polc_run_free(run->worlds.items[i]->run);
	}
}
