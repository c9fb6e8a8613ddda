/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The names under which bundles are in force on this node. */
#include "loader.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cleanup.h"
#include "runtime/instance.h"

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static bool in_force(const char *name)
{
	POLB_FD control_fd = pold_pin_get(POLD_ROOT "/%s/control", name);
	uint32_t generation = 0, epoch;

	return control_fd >= 0 && polb_control_load(control_fd, &generation, &epoch) == 0 &&
	       generation != 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct pold_name *)a)->text, ((const struct pold_name *)b)->text);
}

int pold_names(struct pold_name **out, size_t *n)
{
	__attribute__((cleanup(close_directory))) DIR *directory = opendir(POLD_ROOT);
	POLB_FREE struct pold_name *names = NULL;
	size_t count = 0;

	if (!directory && errno != ENOENT)
		return -errno;
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		struct pold_name *larger;

		if (strlen(entry->d_name) >= sizeof(larger->text) || entry->d_name[0] == '.' ||
			!in_force(entry->d_name))
			continue;
		larger = realloc(names, (count + 1) * sizeof(*names));
		if (!larger)
			return -ENOMEM;
		names = larger;
		strcpy(names[count++].text, entry->d_name);
	}
	if (count)
		qsort(names, count, sizeof(*names), compare_names);
	*out = POLB_TAKE(names);
	*n = count;
	return 0;
}
