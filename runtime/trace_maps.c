/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tracing tables of a bundle as the content of kernel maps (bpf-templates/tracing): strings,
 * intervals, networks, policies; sizes of the maps that programs fill. Places of USDT probes,
 * processes and cgroups are the node's, and the loader's.
 */
#include "instance_private.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "trace_tables.h"

#define DEFAULT_PROCESSES 32768
#define MIN_PENDING 1024
#define DEFAULT_RING_BYTES (4u << 20)
#define WORKLOAD_ROOM 16 /* cgroups for each of the inventory: it and those below */
#define WORKLOADS 65536
#define USDT_ROOM 4096

enum { EQUAL, PREFIX, POSTFIX };

static int put(int fd, const void *key, const void *value)
{
	return bpf_map_update_elem(fd, key, value, BPF_ANY) ? -errno : 0;
}

static __u32 pieces_of(const struct polb_bundle_trace_string *s)
{
	return (s->size + POLB_STRING_PIECE - 1) / POLB_STRING_PIECE;
}

static const char *bytes_of(const struct polb_bundle *b, const struct polb_bundle_trace_string *s)
{
	return (const char *)b->trace_bytes + s->offset;
}

static size_t count_strings(const struct polb_bundle *b, __u32 op)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_trace_strings; i++)
		n += b->trace_strings[i].op == op;
	return n;
}

static size_t count_pieces(const struct polb_bundle *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_trace_strings; i++)
		if (b->trace_strings[i].op == EQUAL)
			n += pieces_of(&b->trace_strings[i]);
	return n;
}

static int fill_strings(
	int fd, const struct polb_bundle *b, const struct polb_instance_options *options)
{
	__u32 piece = 0;
	int err = 0;

	(void)options;
	for (size_t i = 0; !err && i < b->n_trace_strings; i++) {
		const struct polb_bundle_trace_string *s = &b->trace_strings[i];
		const struct polb_string_key key = {.domain = s->domain,
			.size = s->size,
			.hash = polb_trace_hash(b->manifest.string_seed, bytes_of(b, s), s->size)};
		const struct polb_string_value value = {.bits = s->bits, .piece = piece};

		if (s->op != EQUAL)
			continue;
		err = bpf_map_update_elem(fd, &key, &value, BPF_NOEXIST) ? -errno : 0;
		piece += pieces_of(s);
	}
	return err;
}

/* In the order of fill_strings, each from a new piece on. */
static int fill_pieces(
	int fd, const struct polb_bundle *b, const struct polb_instance_options *options)
{
	__u32 piece = 0;

	(void)options;
	for (size_t i = 0; i < b->n_trace_strings; i++) {
		const struct polb_bundle_trace_string *s = &b->trace_strings[i];

		if (s->op != EQUAL)
			continue;
		for (__u32 at = 0; at < s->size; at += POLB_STRING_PIECE, piece++) {
			char value[POLB_STRING_PIECE] = {0};
			__u32 n = s->size - at;
			int err;

			memcpy(value, bytes_of(b, s) + at,
				n < POLB_STRING_PIECE ? n : POLB_STRING_PIECE);
			err = put(fd, &piece, value);
			if (err)
				return err;
		}
	}
	return 0;
}

static int fill_prefixes(
	int fd, const struct polb_bundle *b, const struct polb_instance_options *options)
{
	int err = 0;

	(void)options;
	for (size_t i = 0; !err && i < b->n_trace_strings; i++) {
		const struct polb_bundle_trace_string *s = &b->trace_strings[i];
		struct polb_prefix_key key = {.bits = 32 + 8 * s->size, .domain = s->domain};

		if (s->op != PREFIX)
			continue;
		memcpy(key.text, bytes_of(b, s), s->size);
		err = put(fd, &key, &s->bits);
	}
	return err;
}

static int fill_postfixes(
	int fd, const struct polb_bundle *b, const struct polb_instance_options *options)
{
	int err = 0;

	(void)options;
	for (size_t i = 0; !err && i < b->n_trace_strings; i++) {
		const struct polb_bundle_trace_string *s = &b->trace_strings[i];
		struct polb_postfix_key key = {.bits = 32 + 8 * s->size, .domain = s->domain};

		if (s->op != POSTFIX)
			continue;
		for (__u32 k = 0; k < s->size; k++)
			key.text[k] = (__u8)bytes_of(b, s)[s->size - 1 - k];
		err = put(fd, &key, &s->bits);
	}
	return err;
}

/* One value: all words, zeros behind them. */
static int fill_automata(
	int fd, const struct polb_bundle *b, const struct polb_instance_options *options)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info), zero = 0;
	POLB_FREE char *value = NULL;

	(void)options;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (b->n_trace_automata * sizeof(__u32) > info.value_size)
		return -E2BIG;
	value = calloc(1, info.value_size);
	if (!value)
		return -ENOMEM;
	if (b->n_trace_automata)
		memcpy(value, b->trace_automata, b->n_trace_automata * sizeof(__u32));
	return put(fd, &zero, value);
}

static int fill_intervals(
	int fd, const struct polb_bundle *b, const struct polb_instance_options *options)
{
	int err = 0;

	(void)options;
	for (__u32 i = 0; !err && i < b->n_trace_intervals; i++)
		err = put(fd, &i, &b->trace_intervals[i]);
	return err;
}

static int fill_nets(int fd, const struct polb_bundle *b, __u8 family)
{
	const __u8 one = 1;
	int err = 0;

	for (size_t i = 0; !err && i < b->n_trace_nets; i++) {
		const struct polb_bundle_trace_net *net = &b->trace_nets[i];
		struct {
			__u32 bits, set;
			__u8 address[16];
		} key = {.bits = 32u + net->prefix.len, .set = net->set};

		if (net->prefix.family != family)
			continue;
		memcpy(key.address, net->prefix.addr, sizeof(key.address));
		err = put(fd, &key, &one);
	}
	return err;
}

static int fill_nets4(
	int fd, const struct polb_bundle *b, const struct polb_instance_options *options)
{
	(void)options;
	return fill_nets(fd, b, 4);
}

static int fill_nets6(
	int fd, const struct polb_bundle *b, const struct polb_instance_options *options)
{
	(void)options;
	return fill_nets(fd, b, 6);
}

__u32 polb_trace_mode(const struct polb_bundle_trace_policy *policy, bool audit)
{
	return audit && policy->mode == POLB_MODE_ENFORCE ? (__u32)POLB_MODE_MONITOR : policy->mode;
}

static int fill_policies(
	int fd, const struct polb_bundle *b, const struct polb_instance_options *options)
{
	int err = 0;

	for (__u32 i = 0; !err && i < b->n_trace_policies; i++) {
		const struct polb_bundle_trace_policy *p = &b->trace_policies[i];
		const struct polb_trace_policy_state state = {
			.mode = polb_trace_mode(p, options->audit || b->manifest.audit),
			.events_per_second = p->events_per_second,
			.burst = p->burst,
			.sample = p->sample};

		err = put(fd, &i, &state);
	}
	return err;
}

static size_t at_least_one(size_t n)
{
	return n ? n : 1;
}

size_t polb_ring_bytes(const struct polb_bundle *b, const struct polb_instance_options *options)
{
	if (options->ring_bytes)
		return options->ring_bytes;
	return b->manifest.hooks & POLB_HOOK_TRACE ? DEFAULT_RING_BYTES : 0;
}

void polb_trace_map_plans(const struct polb_bundle *b, const struct polb_instance_options *options,
	struct polb_map_plan out[POLB_N_TRACE_MAP_PLANS])
{
	const struct polb_manifest *m = &b->manifest;
	size_t processes = options->processes ? options->processes : DEFAULT_PROCESSES;
	size_t equal = count_strings(b, EQUAL), prefixes = count_strings(b, PREFIX);
	size_t postfixes = count_strings(b, POSTFIX), nets[2] = {0, 0};

	for (size_t i = 0; i < b->n_trace_nets; i++)
		nets[b->trace_nets[i].prefix.family == 6]++;
	const struct polb_map_plan plans[POLB_N_TRACE_MAP_PLANS] = {
		{"polt_trace_config", 4, sizeof(struct polb_trace_config), 1, .needed = true},
		{"polt_policies", 4, sizeof(struct polb_trace_policy_state),
			at_least_one(b->n_trace_policies), .fill = fill_policies,
			.needed = b->n_trace_policies > 0},
		{"polt_trace_counters", 4, sizeof(struct polb_trace_counter), 0, .fill = NULL},
		{"polt_strings", sizeof(struct polb_string_key), sizeof(struct polb_string_value),
			at_least_one(equal), .needed = equal > 0, .freeze = true,
			.fill = fill_strings},
		{"polt_string_pieces", 4, POLB_STRING_PIECE, at_least_one(count_pieces(b)),
			.needed = equal > 0, .freeze = true, .fill = fill_pieces},
		{"polt_prefixes", sizeof(struct polb_prefix_key), sizeof(__u64),
			at_least_one(prefixes), .needed = prefixes > 0, .freeze = true,
			.fill = fill_prefixes},
		{"polt_postfixes", sizeof(struct polb_postfix_key), sizeof(__u64),
			at_least_one(postfixes), .needed = postfixes > 0, .freeze = true,
			.fill = fill_postfixes},
		{"polt_automata", 4, 0, 1, .needed = b->n_trace_automata > 0, .freeze = true,
			.fill = fill_automata},
		{"polt_intervals", 4, sizeof(struct polb_bundle_trace_interval),
			at_least_one(b->n_trace_intervals), .freeze = true, .fill = fill_intervals},
		{"polt_nets4", 12, 0, at_least_one(nets[0]), .needed = nets[0] > 0, .freeze = true,
			.fill = fill_nets4},
		{"polt_nets6", 24, 0, at_least_one(nets[1]), .needed = nets[1] > 0, .freeze = true,
			.fill = fill_nets6},
		{"polt_processes", 4,
			sizeof(struct polb_process) + 4 * m->binary_words * sizeof(__u64),
			processes, .fill = NULL},
		{"polt_execs", 4, sizeof(struct polb_exec), processes, .fill = NULL},
		/* a fourth of the processes may be in a call that is traced until it returns */
		{"polt_pending", 16, 0, processes / 4 < MIN_PENDING ? MIN_PENDING : processes / 4,
			.fill = NULL},
		{"polt_workloads", 8, m->workload_words * sizeof(__u64),
			WORKLOADS + WORKLOAD_ROOM * b->n_trace_cgroups, .fill = NULL},
		{"polt_usdt", sizeof(struct polb_usdt_key), sizeof(struct polb_usdt), USDT_ROOM,
			.fill = NULL},
	};

	memcpy(out, plans, sizeof(plans));
}
