/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the maps of a loaded bundle take. */
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

#include "instance_private.h"

/* "memlock:\t4096" of a map's descriptor; 0 when the kernel does not say. */
static uint64_t map_bytes(int fd)
{
	char path[64], line[128];
	unsigned long long bytes = 0;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "re");
	if (!info)
		return 0;
	while (fgets(line, sizeof(line), info) && sscanf(line, "memlock: %llu", &bytes) != 1)
		;
	fclose(info);
	return bytes;
}

static bool is_shared(const char *name, const struct polb_instance_options *options)
{
	return (options->control_fd >= 0 && strcmp(name, "polt_control") == 0) ||
	       (options->flows_fd >= 0 && strcmp(name, "polt_flows") == 0);
}

uint64_t polb_instance_map_bytes(
	const struct polb_instance *instance, const struct polb_instance_options *options)
{
	uint64_t sum = 0;
	struct bpf_map *map;

	bpf_object__for_each_map(map, instance->object)
	{
		int fd = bpf_map__fd(map);

		if (fd >= 0 && !is_shared(bpf_map__name(map), options))
			sum += map_bytes(fd);
	}
	return sum;
}
