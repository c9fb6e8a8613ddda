/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How full the maps are that fill at run time, and what all maps take. The kernel counts entries of
 * no map for us: they are counted by reading the keys, a batch at a time.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maps.h"
#include "runtime/cleanup.h"
#include "trace.h"

#define BATCH 4096u

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* "memlock" of a descriptor's fdinfo: bytes that the kernel charges for the map. */
static uint64_t memory_of(int fd)
{
	char path[64], line[128];
	unsigned long long bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	if (file)
		fclose(file);
	return bytes;
}

/* Whether it fills at run time and can be read a batch at a time. */
static bool is_counted(const struct bpf_map_info *info)
{
	return info->type == BPF_MAP_TYPE_HASH || info->type == BPF_MAP_TYPE_LRU_HASH;
}

/* 0 or -errno. */
static int count_entries(int fd, const struct bpf_map_info *info, uint64_t *out)
{
	/* the token is as large as a key or a bucket's number */
	POLB_FREE char *memory = calloc(BATCH, info->key_size + info->value_size + 64);
	size_t token_size = info->key_size > 8 ? info->key_size : 8;
	char *token = memory, *keys = memory + token_size,
	     *values = keys + (size_t)BATCH * info->key_size;
	bool first = true;

	if (!memory)
		return -ENOMEM;
	for (*out = 0;;) {
		__u32 n = BATCH;
		int err = bpf_map_lookup_batch(
			fd, first ? NULL : token, token, keys, values, &n, NULL);

		if (err && errno != ENOENT)
			return -errno;
		*out += n;
		if (err) /* it was the last one */
			return 0;
		first = false;
	}
}

/* One walk: each map is told of once. */
struct maps {
	pold_map_call *call;
	void *context;
	__u32 *seen;
	size_t n_seen;
	int err;
};

static bool is_new(struct maps *maps, __u32 id)
{
	__u32 *larger;

	for (size_t i = 0; i < maps->n_seen; i++)
		if (maps->seen[i] == id)
			return false;
	larger = realloc(maps->seen, (maps->n_seen + 1) * sizeof(*larger));
	if (!larger) {
		maps->err = -ENOMEM;
		return false;
	}
	maps->seen = larger;
	maps->seen[maps->n_seen++] = id;
	return true;
}

/* pin: NULL: it has none, and goes by its own, shorter name. */
static void add_map(struct maps *maps, const char *pin, int fd)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);
	struct pold_map map;

	if (bpf_obj_get_info_by_fd(fd, &info, &size) || !is_new(maps, info.id))
		return;
	map = (struct pold_map){.name = pin ? pin : info.name,
		.memory_bytes = memory_of(fd),
		.room = info.max_entries};
	map.is_counted = is_counted(&info) && count_entries(fd, &info, &map.entries) == 0;
	maps->call(maps->context, &map);
}

/* Is the object a map? Links and programs have other information. */
static bool is_map(int fd)
{
	char path[64], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return strstr(target, "bpf-map");
}

static int each_pin(struct maps *maps, const char *path)
{
	__attribute__((cleanup(close_directory))) DIR *directory = opendir(path);

	if (!directory)
		return -errno;
	for (struct dirent *entry; (entry = readdir(directory));) {
		POLB_FD fd = -1;

		if (entry->d_type == DT_DIR)
			continue;
		fd = pold_pin_get("%s/%s", path, entry->d_name);
		if (fd >= 0 && is_map(fd))
			add_map(maps, entry->d_name, fd);
	}
	return 0;
}

/* Those that only programs hold. */
static void each_used(void *context, const char *hook, const struct pold_program *program)
{
	POLB_FD program_fd = bpf_prog_get_fd_by_id(program->info.id);
	POLB_FREE __u32 *ids = calloc(program->info.nr_map_ids + 1, sizeof(*ids));
	struct bpf_prog_info info = {
		.nr_map_ids = program->info.nr_map_ids, .map_ids = (__u64)(uintptr_t)ids};
	__u32 size = sizeof(info);

	(void)hook;
	if (!ids || program_fd < 0 || bpf_obj_get_info_by_fd(program_fd, &info, &size))
		return;
	for (__u32 i = 0; i < info.nr_map_ids && i < program->info.nr_map_ids; i++) {
		POLB_FD fd = bpf_map_get_fd_by_id(ids[i]);

		if (fd >= 0)
			add_map(context, NULL, fd);
	}
}

int pold_maps_each(const struct pold_state *state, pold_map_call *call, void *context)
{
	struct maps maps = {.call = call, .context = context};
	char path[POLD_PATH];
	int err;

	pold_path(path, POLD_ROOT "/%s", state->name);
	err = each_pin(&maps, path);
	pold_path(path, POLD_ROOT "/%s/g%u", state->name, state->generation);
	if (!err)
		err = each_pin(&maps, path);
	pold_programs_each(state, each_used, &maps);
	free(maps.seen);
	return err ? err : maps.err;
}

/* --- status ----------------------------------------------------------------------------------- */

static void print_text(void *context, const struct pold_map *map)
{
	(void)context;
	if (map->is_counted)
		printf("%10llu  %10u  ", (unsigned long long)map->entries, map->room);
	else
		printf("%10s  %10u  ", "-", map->room);
	printf("%12llu  %s\n", (unsigned long long)map->memory_bytes, map->name);
}

void pold_maps_text(const struct pold_state *state)
{
	printf("\n%10s  %10s  %12s  %s\n", "ENTRIES", "ROOM", "BYTES", "MAP");
	pold_maps_each(state, print_text, NULL);
}

static void print_json(void *context, const struct pold_map *map)
{
	const char **separator = context;

	printf("%s{\"map\":", *separator);
	pold_json_string(map->name);
	printf(",\"room\":%u,\"memory_bytes\":%llu", map->room,
		(unsigned long long)map->memory_bytes);
	if (map->is_counted)
		printf(",\"entries\":%llu", (unsigned long long)map->entries);
	putchar('}');
	*separator = ",";
}

void pold_maps_json(const struct pold_state *state)
{
	const char *separator = "";

	printf(",\"maps\":[");
	pold_maps_each(state, print_json, &separator);
	putchar(']');
}
