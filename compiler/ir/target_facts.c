/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Facts about a kernel that are lists of lines: symbols, configuration, functions whose result may
 * be replaced. A file that is missing, unreadable or empty tells nothing.
 */
#include "target_private.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../../runtime/cleanup.h"

#define FACTS_MAX (256u << 20)

/* Files of procfs have no size; gzip's reader takes plain text as it is. */
char *polc_facts_read(struct polc_arena *arena, const char *path)
{
	POLB_FREE char *text = NULL;
	size_t n = 0, cap = 0;
	gzFile file = gzopen(path, "rb");
	int got = 0;

	if (!file)
		return NULL;
	do {
		n += (size_t)got;
		if (n == cap) {
			char *more = realloc(text, cap = cap ? cap * 2 : 1 << 16);

			if (!more || cap > FACTS_MAX) {
				got = -1;
				break;
			}
			text = more;
		}
		got = gzread(file, text + n, (unsigned)(cap - n));
	} while (got > 0);
	gzclose(file);
	return got < 0 || !n ? NULL : polc_arena_strndup(arena, text, n);
}

/* The next line, NUL-terminated in place; NULL at the end. */
static char *next_line(char **rest)
{
	char *line = strsep(rest, "\n");

	return line && (*line || *rest) ? line : NULL;
}

/* "ffffffff81000000 T name\t[module]", by address: text symbols, weak ones too, but those of
 * __init, whose code is freed after boot. */
bool polc_facts_symbols(struct polc_arena *arena, const char *path, struct polc_name_table *out)
{
	char *rest = polc_facts_read(arena, path), *line;
	bool init = false;

	while ((line = next_line(&rest))) {
		char *kind, *name;

		strsep(&line, " ");
		kind = strsep(&line, " ");
		name = strsep(&line, " \t");
		if (!name || !kind[0] || kind[1] || !strchr("tTwW", kind[0]))
			continue;
		init = (init || !strcmp(name, "_sinittext")) && strcmp(name, "_einittext");
		if (!init)
			polc_names_add(arena, out, name, 0);
	}
	return out->n > 0;
}

/* "name+0x0/0x10 [module]\tERRNO" */
bool polc_facts_error_injection(
	struct polc_arena *arena, const char *path, struct polc_name_table *out)
{
	char *rest = polc_facts_read(arena, path), *line;

	while ((line = next_line(&rest))) {
		const char *name = strsep(&line, "+ \t");

		if (*name)
			polc_names_add(arena, out, name, 0);
	}
	return out->n > 0;
}

/* CONFIG_X=y or =m; what is not set counts as absent. */
bool polc_facts_config(struct polc_arena *arena, const char *path, struct polc_name_table *out)
{
	char *rest = polc_facts_read(arena, path), *line;
	bool any = false;

	while ((line = next_line(&rest))) {
		const char *symbol = strsep(&line, "=");

		any |= !strncmp(symbol, "CONFIG_", 7) || !strncmp(symbol, "# CONFIG_", 9);
		if (line && (!strcmp(line, "y") || !strcmp(line, "m")))
			polc_names_add(arena, out, symbol, 0);
	}
	return any;
}
