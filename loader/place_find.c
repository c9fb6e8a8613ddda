/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cgroups by name: systemd units ("web.service" is in system.slice or elsewhere) and containers by
 * their id, whichever runtime and cgroup driver made them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "places.h"
#include "runtime/cleanup.h"

enum { MAX_DEPTH = 16, MIN_CONTAINER_ID = 12, MIN_POD_UID = 8 };

struct search {
	const char *wanted;
	bool (*matches)(const char *name, const char *wanted);
	size_t mount_length;
	char found[POLD_PATH];
	unsigned n_found;
	int error; /* -errno: a directory could not be read, so what was not found may be there */
};

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && strcmp(text + n - m, end) == 0;
}

bool pold_is_unit(const char *text)
{
	return !strchr(text, '/') && (ends_with(text, ".service") || ends_with(text, ".scope") ||
					     ends_with(text, ".slice"));
}

static bool is_same(const char *name, const char *wanted)
{
	return strcmp(name, wanted) == 0;
}

/*
 * "ID", "docker-ID.scope", "cri-containerd-ID.scope", "crio-ID", "...slice:cri-containerd:ID"; the
 * id may be shortened. conmon is the container's supervisor, not the container.
 */
static bool is_container(const char *name, const char *id)
{
	const char *at = name;

	if (strstr(name, "conmon"))
		return false;
	for (const char *p = name; *p; p++)
		if (*p == '-' || *p == ':')
			at = p + 1;
	return strncmp(at, id, strlen(id)) == 0;
}

/* "pod" and the uid at the end, as in "poda1-b2" or "kubepods-burstable-poda1_b2.slice". */
bool pold_is_pod_cgroup(const char *name, const char *uid)
{
	size_t n = strlen(uid), length = strlen(name);
	const char *at;

	if (length > 6 && strcmp(name + length - 6, ".slice") == 0)
		length -= 6;
	if (n < MIN_POD_UID || length < n + 3)
		return false;
	at = name + length - n;
	if (memcmp(at - 3, "pod", 3) != 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (at[i] != uid[i] && !(uid[i] == '-' && at[i] == '_'))
			return false;
	return true;
}

static void walk(struct search *search, const char *path, unsigned depth)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;

	if (!directory && errno != ENOENT)
		search->error = -errno;
	while (directory && (entry = readdir(directory))) {
		char below[POLD_PATH];

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
			snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >=
				(int)sizeof(below))
			continue;
		if (search->matches(entry->d_name, search->wanted)) {
			search->n_found++;
			snprintf(search->found, sizeof(search->found), "%s",
				below + search->mount_length);
		} else if (depth < MAX_DEPTH) {
			walk(search, below, depth + 1);
		}
	}
	if (directory)
		closedir(directory);
}

static int find(struct search *search, char out[POLD_PATH])
{
	char mount[256];
	int err = pold_cgroup_mount(mount, sizeof(mount));

	if (err)
		return err;
	search->mount_length = strlen(mount);
	walk(search, mount, 0);
	if (search->n_found != 1)
		return search->n_found ? -ENOTUNIQ : search->error ? search->error : -ENOENT;
	memcpy(out, search->found, sizeof(search->found));
	return 0;
}

int pold_find_unit(const char *unit, char out[POLD_PATH])
{
	struct search search = {.wanted = unit, .matches = is_same};

	return find(&search, out);
}

bool pold_is_container_id(const char *text)
{
	size_t n = strlen(text);

	return n >= MIN_CONTAINER_ID && strspn(text, "0123456789abcdef") == n;
}

int pold_find_container(const char *id, char out[POLD_PATH])
{
	struct search search = {.wanted = id, .matches = is_container};

	return pold_is_container_id(id) ? find(&search, out) : -EINVAL;
}

int pold_find_pod(const char *uid, char out[POLD_PATH])
{
	struct search search = {.wanted = uid, .matches = pold_is_pod_cgroup};

	return find(&search, out);
}

const char *pold_place_reason(int err)
{
	if (err == -ENOTUNIQ)
		return "there are several of this name: give the path";
	return strerror(-err);
}
