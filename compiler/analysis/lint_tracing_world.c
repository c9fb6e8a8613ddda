/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tracing policies against the world that they are for: the inventory's pods, a
 * root directory. */
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../runtime/cleanup.h"
#include "../../runtime/workload.h"
#include "lint_tracing.h"

/* --- pods
 * ----------------------------------------------------------------------------------------
 */

static bool holds(const struct polc_tracing_lint *l, const struct polb_workload *workload)
{
	return polb_workload_holds(&l->tracing->workloads[l->policy->workload].match, workload) !=
	       0;
}

static bool selects_pod(const struct polc_tracing_lint *l, const struct polc_pod *pod)
{
	struct polb_workload workload = {
		.namespace = pod->namespace,
		.labels_known = true,
		.labels = pod->labels.items,
		.n_labels = pod->labels.n,
	};

	if (holds(l, &workload)) /* some container of it, whatever its name */
		return true;
	for (size_t i = 0; i < pod->containers.n; i++) {
		workload.container_known = true;
		workload.container = pod->containers.items[i].name;
		workload.image = pod->containers.items[i].image;
		if (holds(l, &workload))
			return true;
	}
	return false;
}

void polc_lint_trace_workload(
	const struct polc_tracing_lint *l, const struct polc_lint_context *context)
{
	const struct polc_inventory *inventory = &context->input->inventory;
	const struct polb_workload host = {.host = true};

	if (!l->policy->has_workload || holds(l, &host))
		return;
	for (size_t i = 0; i < inventory->pods.n; i++)
		if (!inventory->pods.items[i].finished && selects_pod(l, &inventory->pods.items[i]))
			return;
	polc_lint_report(l->polc, l->policy->span, POLC_CODE_WORKLOAD_SELECTS_NOTHING,
		"no pod of the inventory is one that '%s' is for: it does nothing there",
		l->policy->name);
}

/* --- files
 * ---------------------------------------------------------------------------------------
 */

static bool path_of_descriptor(int fd, char out[PATH_MAX])
{
	char name[64];
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = readlink(name, out, PATH_MAX - 1);
	if (n < 0)
		return false;
	out[n] = 0;
	return true;
}

const char *polc_lint_real_path(struct polc_arena *arena, const char *root, const char *path)
{
	/* links lead to places below the root, whatever they say */
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	char root_path[PATH_MAX], real[PATH_MAX];
	POLB_FD root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root_fd < 0)
		return NULL;
	POLB_FD fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

	if (fd < 0 || !path_of_descriptor(root_fd, root_path) || !path_of_descriptor(fd, real))
		return NULL;
	size_t n = strcmp(root_path, "/") ? strlen(root_path) : 0;

	return strncmp(real, root_path, n) ? NULL : polc_arena_printf(arena, "%s", real + n);
}
