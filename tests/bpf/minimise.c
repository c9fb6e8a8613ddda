// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// A block is a line and the deeper lines that follow it ("- " counts as depth); a document is one
// too.
#include "minimise.h"

#include <stdlib.h>
#include <string.h>

static size_t line_length(const char *line)
{
	size_t n = strcspn(line, "\n");

	return n + (line[n] == '\n');
}

/* Depth of a line's content: documents 0, top-level fields 1, then by indentation. */
static size_t depth(const char *line)
{
	size_t spaces = strspn(line, " ");

	if (!strncmp(line, "---", 3))
		return 0;
	return 1 + 2 * spaces + (line[spaces] == '-' && line[spaces + 1] == ' ');
}

static size_t block_length(const char *start)
{
	size_t own = depth(start), n = line_length(start);

	while (start[n] && depth(start + n) > own)
		n += line_length(start + n);
	return n;
}

static char *without(const char *text, size_t at, size_t n)
{
	size_t len = strlen(text);
	char *copy = malloc(len + 1);

	if (!copy)
		abort();
	memcpy(copy, text, at);
	memcpy(copy + at, text + at + n, len - at - n + 1);
	return copy;
}

/* One pass from the end over blocks of at most `max_depth`; true when something went. */
static bool pass(char **text, size_t max_depth,
	bool (*fails)(void *context, const char *text, size_t len), void *context,
	unsigned *attempts)
{
	bool smaller = false;

	for (size_t at = strlen(*text); at-- > 0 && *attempts;) {
		if ((at && (*text)[at - 1] != '\n') || depth(*text + at) > max_depth)
			continue;
		char *attempt = without(*text, at, block_length(*text + at));

		--*attempts;
		if (*attempt && fails(context, attempt, strlen(attempt))) {
			free(*text);
			*text = attempt;
			smaller = true;
		} else {
			free(attempt);
		}
	}
	return smaller;
}

char *minimise(char *text, bool (*fails)(void *context, const char *text, size_t len),
	void *context, unsigned attempts)
{
	while (pass(&text, 0, fails, context, &attempts))
		;
	while (pass(&text, 1000, fails, context, &attempts))
		;
	return text;
}
