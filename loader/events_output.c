/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where lines go: standard output, flushed after each (a pipe's reader sees it at once), or a file
 * that only root reads and that is rotated before a line would make it too large.
 */
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/cleanup.h"

#define DEFAULT_KEEP 5
#define MAX_KEEP 1000

/* "10M", "500k,3" */
static int parse_rotate(struct pold_output *output, const char *text)
{
	static const char units[] = "kMG";
	unsigned long long size;
	unsigned long keep = DEFAULT_KEEP;
	const char *unit;
	char *end;

	errno = 0;
	size = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		unsigned int shift = 10 * (unsigned int)(unit - units + 1);

		size = size > UINT64_MAX >> shift ? 0 : size << shift;
		end++;
	}
	if (*end == ',' && end[1] >= '0' && end[1] <= '9')
		keep = strtoul(end + 1, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || !size || keep < 1 || keep > MAX_KEEP)
		return pold_fail(POLD_USAGE,
			"--rotate: \"%s\" is not SIZE[k|M|G][,COUNT] with a count from 1 to %d",
			text, MAX_KEEP);
	output->limit = size;
	output->keep = (unsigned int)keep;
	return POLD_OK;
}

static int open_file(struct pold_output *output)
{
	POLB_FD fd =
		open(output->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return pold_fail(POLD_ENVIRONMENT, "%s: %s", output->path, strerror(errno));
	output->file = fdopen(fd, "a");
	if (!output->file)
		return pold_fail(POLD_ENVIRONMENT, "%s: %s", output->path, strerror(errno));
	polb_take_fd(&fd);
	output->bytes = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	if (!S_ISREG(st.st_mode))
		output->limit = 0;
	return POLD_OK;
}

int pold_output_open(struct pold_output *output, const struct pold_event_options *options)
{
	int code;

	*output = (struct pold_output){.path = options->output_file};
	if (options->rotate && !options->output_file)
		return pold_fail(POLD_USAGE, "--rotate needs --output-file");
	if (!options->output_file) {
		output->file = stdout;
		return POLD_OK;
	}
	code = options->rotate ? parse_rotate(output, options->rotate) : POLD_OK;
	return code ? code : open_file(output);
}

static void rotated_name(const struct pold_output *output, unsigned int number, char out[PATH_MAX])
{
	if (snprintf(out, PATH_MAX, number ? "%s.%u" : "%s", output->path, number) >= PATH_MAX)
		out[0] = '\0'; /* rename() fails, the file goes on growing */
}

static void rotate(struct pold_output *output)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (unsigned int i = output->keep; i > 0; i--) {
		rotated_name(output, i - 1, from);
		rotated_name(output, i, to);
		if (rename(from, to) && errno != ENOENT)
			pold_note("note: cannot rename %s: %s", from, strerror(errno));
	}
	pold_output_reopen(output);
}

void pold_output_reopen(struct pold_output *output)
{
	FILE *old = output->file;

	if (!output->path)
		return;
	if (open_file(output)) /* it has said so; better the old file than none */
		return;
	if (old && fclose(old))
		output->failed = true;
}

void pold_output_line(struct pold_output *output, const struct polb_text *line)
{
	if (!line->size || line->failed)
		return;
	if (output->limit && output->bytes && output->bytes + line->size + 1 > output->limit)
		rotate(output);
	if (fwrite(line->data, 1, line->size, output->file) != line->size ||
		fputc('\n', output->file) == EOF || fflush(output->file))
		output->failed = true;
	output->bytes += line->size + 1;
}

int pold_output_close(struct pold_output *output)
{
	bool failed = output->failed;

	if (output->file)
		failed |= output->path ? fclose(output->file) != 0 : fflush(output->file) != 0;
	output->file = NULL;
	return failed ? pold_fail(POLD_ENVIRONMENT, "cannot write %s",
				output->path ? output->path : "the output")
		      : POLD_OK;
}
