/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What libbpf made of a bundle's object, before it asks the kernel for anything: the programs that
 * will be loaded are of the types that the bundle says, maps are of the kinds that our templates
 * have, are not taken from or left in a file system, and fit into this machine.
 */
#include "instance_private.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_MAPS 64

static int refuse(
	char error[POLB_ERROR_TEXT], int err, const char *what, const char *name, const char *why)
{
	snprintf(error, POLB_ERROR_TEXT, "%s %.100s %s", what, name, why);
	return err;
}

/* enum bpf_prog_type and, where it says more, bpf_attach_type. */
struct kind {
	int type, attach;
};
#define ANY_ATTACH (-1)

static const struct kind network_kinds[] = {
	{BPF_PROG_TYPE_CGROUP_SKB, ANY_ATTACH}, {BPF_PROG_TYPE_SCHED_CLS, ANY_ATTACH}};

static const struct kind trace_kinds[POLB_N_MECHANISMS] = {
	[POLB_MECHANISM_FENTRY] = {BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY},
	[POLB_MECHANISM_FEXIT] = {BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT},
	[POLB_MECHANISM_FMOD_RET] = {BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN},
	[POLB_MECHANISM_LSM] = {BPF_PROG_TYPE_LSM, BPF_LSM_MAC},
	[POLB_MECHANISM_LSM_SLEEPABLE] = {BPF_PROG_TYPE_LSM, BPF_LSM_MAC},
	[POLB_MECHANISM_KPROBE] = {BPF_PROG_TYPE_KPROBE, ANY_ATTACH},
	[POLB_MECHANISM_KRETPROBE] = {BPF_PROG_TYPE_KPROBE, ANY_ATTACH},
	[POLB_MECHANISM_TRACEPOINT] = {BPF_PROG_TYPE_TRACEPOINT, ANY_ATTACH},
	[POLB_MECHANISM_RAW_TRACEPOINT] = {BPF_PROG_TYPE_RAW_TRACEPOINT, ANY_ATTACH},
	[POLB_MECHANISM_TP_BTF] = {BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP},
	[POLB_MECHANISM_UPROBE] = {BPF_PROG_TYPE_KPROBE, ANY_ATTACH},
	[POLB_MECHANISM_URETPROBE] = {BPF_PROG_TYPE_KPROBE, ANY_ATTACH},
	[POLB_MECHANISM_USDT] = {BPF_PROG_TYPE_KPROBE, ANY_ATTACH},
};

static bool kind_is(const struct bpf_program *program, const struct kind *kind)
{
	return (int)bpf_program__type(program) == kind->type &&
	       (kind->attach == ANY_ATTACH ||
		       (int)bpf_program__expected_attach_type(program) == kind->attach);
}

static bool network_program_ok(const struct bpf_program *program)
{
	return kind_is(program, &network_kinds[0]) || kind_is(program, &network_kinds[1]);
}

/* As one of the bundle's programs for tracing says, all that share the function. */
static bool trace_program_ok(const struct bpf_program *program, const struct polb_bundle *bundle)
{
	bool found = false;

	for (size_t i = 0; i < bundle->n_trace_programs; i++) {
		const struct polb_bundle_trace_program *p = &bundle->trace_programs[i];

		if (strcmp(polb_bundle_string(bundle, p->name), bpf_program__name(program)) != 0)
			continue;
		if (!kind_is(program, &trace_kinds[p->mechanism]))
			return false;
		found = true;
	}
	return found;
}

static int check_programs(const struct bpf_object *object, const struct polb_bundle *bundle,
	char error[POLB_ERROR_TEXT])
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		const char *name = bpf_program__name(program);
		bool network = polb_network_program(name, bundle->manifest.hooks);

		if (!bpf_program__autoload(program))
			continue;
		if (!(network ? network_program_ok(program) : trace_program_ok(program, bundle)))
			return refuse(error, -EINVAL, "program", name,
				"is not of the type that the bundle says");
	}
	return 0;
}

static bool type_ok(enum bpf_map_type type)
{
	static const enum bpf_map_type types[] = {BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_ARRAY,
		BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_LRU_HASH,
		BPF_MAP_TYPE_LPM_TRIE, BPF_MAP_TYPE_RINGBUF, BPF_MAP_TYPE_SK_STORAGE,
		BPF_MAP_TYPE_CGROUP_STORAGE, BPF_MAP_TYPE_TASK_STORAGE};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i] == type)
			return true;
	return false;
}

/* An overestimate for some, but no more than that: entries with key and value. */
static uint64_t map_bytes(const struct bpf_map *map)
{
	uint64_t entries = bpf_map__max_entries(map), copies = 1;

	if (bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF)
		return entries;
	if (bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY ||
		bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_HASH)
		copies = (uint64_t)libbpf_num_possible_cpus();
	return entries * (bpf_map__key_size(map) + copies * bpf_map__value_size(map));
}

static int check_map(const struct bpf_map *map, char error[POLB_ERROR_TEXT])
{
	const char *name = bpf_map__name(map);

	if (bpf_map__pin_path(map))
		return refuse(error, -EINVAL, "map", name, "wants to be pinned");
	if (!type_ok(bpf_map__type(map)))
		return refuse(error, -EINVAL, "map", name, "is of a type that bundles do not have");
	if (bpf_map__ifindex(map) || bpf_map__map_extra(map))
		return refuse(error, -EINVAL, "map", name, "has unknown properties");
	/* the kernel's own limits, so that sizes can be multiplied */
	if (bpf_map__key_size(map) > 65536 || bpf_map__value_size(map) > (1u << 30))
		return refuse(error, -E2BIG, "map", name, "has too large entries");
	return 0;
}

static int check_maps(const struct bpf_object *object, char error[POLB_ERROR_TEXT])
{
	uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t total = 0;
	size_t n = 0;
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		int err = check_map(map, error);

		if (err)
			return err;
		if (++n > MAX_MAPS)
			return refuse(error, -E2BIG, "map", bpf_map__name(map), "is one too many");
		if (!bpf_map__autocreate(map))
			continue;
		total += map_bytes(map);
		if (total > memory / 2) {
			snprintf(error, POLB_ERROR_TEXT,
				"its maps need %llu MB or more, and this machine has %llu",
				(unsigned long long)(total >> 20),
				(unsigned long long)(memory >> 20));
			return -E2BIG;
		}
	}
	return 0;
}

int polb_object_is_ours(const struct bpf_object *object, const struct polb_bundle *bundle,
	char error[POLB_ERROR_TEXT])
{
	int err = check_programs(object, bundle, error);

	return err ? err : check_maps(object, error);
}
