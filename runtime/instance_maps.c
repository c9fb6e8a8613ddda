/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A bundle's data as the content of kernel maps: what each map holds, how large it is, how it is
 * filled. */
#include "instance_private.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "variants.h"

#define BATCH 16384
#define DEFAULT_UDP_TIMEOUT_S 30
#define DEFAULT_CLOSING_TIMEOUT_S 10
#define EVENT_TOKENS_PER_SECOND 1000
#define KERNEL_ENOTSUPP 524 /* the kernel's own number, not in errno.h */

static int update_each(
	int fd, const char *keys, const char *values, size_t key_size, size_t value_size, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bpf_map_update_elem(fd, keys + i * key_size, values + i * value_size, BPF_ANY))
			return -errno;
	return 0;
}

/* Batches where the kernel has them for this kind of map (arrays, hashes, LPM: 5.6), else one by
 * one. */
static int update_all(
	int fd, const void *keys, const void *values, size_t key_size, size_t value_size, size_t n)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = BPF_ANY);

	for (size_t done = 0; done < n;) {
		__u32 count = n - done < BATCH ? (__u32)(n - done) : BATCH;
		const char *k = (const char *)keys + done * key_size;
		const char *v = (const char *)values + done * value_size;

		if (bpf_map_update_batch(fd, k, v, &count, &opts)) {
			int err = errno;

			if (err != EINVAL && err != EOPNOTSUPP && err != KERNEL_ENOTSUPP)
				return -err;
			return update_each(fd, k, v, key_size, value_size, n - done);
		}
		done += n - done < BATCH ? n - done : BATCH;
	}
	return 0;
}

/* An array from its first entry on. */
static int update_array(int fd, const void *values, size_t value_size, size_t n)
{
	POLB_FREE __u32 *keys = malloc((n ? n : 1) * sizeof(*keys));

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		keys[i] = (__u32)i;
	return update_all(fd, keys, values, sizeof(*keys), value_size, n);
}

static bool is_local(const struct polb_bundle *bundle, __u32 node, const char *local_node)
{
	return local_node && node && strcmp(polb_bundle_string(bundle, node), local_node) == 0;
}

struct polb_peer polb_peer_value(const struct polb_bundle *bundle,
	const struct polb_bundle_peer *peer, const char *local_node)
{
	enum { HOST = 1, REMOTE_NODE = 6 };
	bool local = is_local(bundle, peer->node, local_node);

	return (struct polb_peer){
		.identity = local && peer->identity == REMOTE_NODE ? HOST : peer->identity,
		.class_id = local ? peer->local_class_id : peer->class_id};
}

static int fill_peers(int fd, const struct polb_bundle *bundle,
	const struct polb_instance_options *options, __u32 family)
{
	size_t key_size = family == 4 ? 4 : 16, n = 0;
	POLB_FREE char *keys = malloc(bundle->n_peers * key_size + 1);
	POLB_FREE struct polb_peer *values = malloc(bundle->n_peers * sizeof(*values) + 1);

	if (!keys || !values)
		return -ENOMEM;
	for (size_t i = 0; i < bundle->n_peers; i++) {
		const struct polb_bundle_peer *peer = &bundle->peers[i];

		if (peer->family != family)
			continue;
		memcpy(keys + n * key_size, peer->addr, key_size);
		values[n++] = polb_peer_value(bundle, peer, options->local_node);
	}
	return update_all(fd, keys, values, key_size, sizeof(*values), n);
}

static int fill_peers4(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	return fill_peers(fd, bundle, options, 4);
}

static int fill_peers6(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	return fill_peers(fd, bundle, options, 6);
}

static int fill_cidrs(int fd, const struct polb_bundle *bundle, __u32 family)
{
	size_t key_size = family == 4 ? sizeof(struct polb_lpm4) : sizeof(struct polb_lpm6), n = 0;
	POLB_FREE char *keys = malloc(bundle->n_cidrs * key_size + 1);
	POLB_FREE struct polb_peer *values = malloc(bundle->n_cidrs * sizeof(*values) + 1);

	if (!keys || !values)
		return -ENOMEM;
	for (size_t i = 0; i < bundle->n_cidrs; i++) {
		const struct polb_bundle_cidr *cidr = &bundle->cidrs[i];
		__u32 len = cidr->prefix.len;

		if (cidr->prefix.family != family)
			continue;
		memcpy(keys + n * key_size, &len, sizeof(len));
		memcpy(keys + n * key_size + sizeof(len), cidr->prefix.addr,
			key_size - sizeof(len));
		values[n++] =
			(struct polb_peer){.identity = cidr->identity, .class_id = cidr->class_id};
	}
	return update_all(fd, keys, values, key_size, sizeof(*values), n);
}

static int fill_cidrs4(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	(void)options;
	return fill_cidrs(fd, bundle, 4);
}

static int fill_cidrs6(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	(void)options;
	return fill_cidrs(fd, bundle, 6);
}

/* Until an endpoint is attached its flow key is its number. */
static int fill_endpoints(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	POLB_FREE struct polb_endpoint *values = calloc(bundle->n_endpoints + 1, sizeof(*values));

	(void)options;
	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < bundle->n_endpoints; i++) {
		const struct polb_bundle_endpoint *e = &bundle->endpoints[i];

		values[i + 1] = (struct polb_endpoint){.key = i + 1,
			.table = {e->table[0], e->table[1]},
			.identity = e->identity,
			.flags = e->flags};
	}
	return update_array(fd, values, sizeof(*values), bundle->n_endpoints + 1);
}

static int fill_config(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	const struct polb_manifest *m = &bundle->manifest;
	uint32_t hz = polb_kernel_hz();
	struct polb_config config = {.mode = options->audit || m->audit,
		.udp_timeout_jiffies =
			(m->udp_timeout_s ? m->udp_timeout_s : DEFAULT_UDP_TIMEOUT_S) * hz,
		.closing_timeout_jiffies =
			(m->closing_timeout_s ? m->closing_timeout_s : DEFAULT_CLOSING_TIMEOUT_S) *
			hz,
		.adopt_until_ns = options->adopt_until_ns,
		.event_tokens_per_second = EVENT_TOKENS_PER_SECOND};

	return update_array(fd, &config, sizeof(config), 1);
}

static int fill_ports(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	POLB_FREE __u16 *classes = malloc(POLB_PORTS_END * sizeof(*classes));

	(void)options;
	if (!classes)
		return -ENOMEM;
	for (size_t i = 0; i < bundle->n_ports; i++)
		for (__u32 port = bundle->ports[i].first; port <= bundle->ports[i].last; port++)
			classes[port] = (__u16)bundle->ports[i].class_id;
	return update_array(fd, classes, POLB_PORTS_END * sizeof(*classes), 1);
}

static int fill_classes(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	(void)options;
	return update_array(fd, bundle->classes,
		polb_class_value_size(bundle->manifest.class_words), bundle->n_classes);
}

static int fill_steps(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	(void)options;
	return update_array(
		fd, bundle->steps, polb_step_value_size(bundle->manifest.n_words), bundle->n_steps);
}

static int fill_step_words(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	(void)options;
	return update_array(
		fd, bundle->step_words, sizeof(struct polb_step_word), bundle->n_step_words);
}

static int fill_index(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	(void)options;
	return update_array(fd, bundle->rows_index, sizeof(__u32), bundle->n_rows_index);
}

static int fill_rows(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	(void)options;
	return update_array(fd, bundle->rows, sizeof(struct polb_row), bundle->n_rows);
}

static int fill_rule_ids(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	(void)options;
	return update_array(fd, bundle->rule_ids, sizeof(__u32), bundle->n_rule_ids);
}

static int fill_modes(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	POLB_FREE __u32 *modes = polb_modes_initial(bundle, options->modes);

	return modes ? update_array(fd, modes, sizeof(*modes), bundle->n_switchable) : -ENOMEM;
}

static int fill_tables(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	POLB_FREE __u32 *modes = polb_modes_initial(bundle, options->modes);
	POLB_FREE __u64 *tables = calloc(bundle->manifest.n_tables, sizeof(*tables));

	if (!modes || !tables)
		return -ENOMEM;
	polb_tables_of_modes(bundle, modes, tables);
	return update_array(fd, tables, sizeof(*tables), bundle->manifest.n_tables);
}

/* The entry that counts what finds no room. */
static int fill_audited(
	int fd, const struct polb_bundle *bundle, const struct polb_instance_options *options)
{
	const struct polb_audited_key overflow = {0};
	const struct polb_audited none = {0};

	(void)bundle;
	(void)options;
	return bpf_map_update_elem(fd, &overflow, &none, BPF_ANY) ? -errno : 0;
}

/* Many addresses have few label sets: beyond the first thousand one class for eight of them. */
static size_t class_room(size_t addresses)
{
	enum { EACH = 1024, SHARED_BY = 8 };

	return addresses <= EACH ? addresses : EACH + (addresses - EACH) / SHARED_BY;
}

static size_t at_least_one(size_t n)
{
	return n ? n : 1;
}

void polb_map_plans(const struct polb_bundle *b, const struct polb_instance_options *options,
	struct polb_map_plan out[POLB_N_MAP_PLANS])
{
	const struct polb_manifest *m = &b->manifest;
	size_t peers[2] = {0, 0}, cidrs[2] = {0, 0}, extra = options->extra_peers;
	size_t more = options->extra_addresses;

	for (size_t i = 0; i < b->n_peers; i++)
		peers[b->peers[i].family == 6]++;
	for (size_t i = 0; i < b->n_cidrs; i++)
		cidrs[b->cidrs[i].prefix.family == 6]++;
	const struct polb_map_plan plans[POLB_N_MAP_PLANS] = {
		{"polt_control", 4, sizeof(struct polb_control), 1, .needed = true},
		{"polt_flows", sizeof(struct polb_flow_key), sizeof(struct polb_flow),
			m->flow_entries, .fill = NULL},
		{"polt_sockets", 4, sizeof(struct polb_socket_flow), 0, .fill = NULL},
		{"polt_fragments", sizeof(struct polb_fragment_key), sizeof(struct polb_fragment),
			0, .fill = NULL},
		{"polt_interfaces", 4, 4, at_least_one(b->n_endpoints + extra), .fill = NULL},
		{"polt_config", 4, sizeof(struct polb_config), 1, .needed = true,
			.fill = fill_config},
		{"polt_endpoints", 4, sizeof(struct polb_endpoint), b->n_endpoints + 1 + extra,
			.needed = true, .fill = fill_endpoints},
		{"polt_peers4", 4, sizeof(struct polb_peer), at_least_one(peers[0] + extra + more),
			.needed = peers[0] > 0, .fill = fill_peers4},
		{"polt_peers6", 16, sizeof(struct polb_peer), at_least_one(peers[1] + extra + more),
			.needed = peers[1] > 0, .fill = fill_peers6},
		{"polt_cidrs4", sizeof(struct polb_lpm4), sizeof(struct polb_peer),
			at_least_one(cidrs[0]), .needed = cidrs[0] > 0, .fill = fill_cidrs4},
		{"polt_cidrs6", sizeof(struct polb_lpm6), sizeof(struct polb_peer),
			at_least_one(cidrs[1]), .needed = cidrs[1] > 0, .fill = fill_cidrs6},
		{"polt_classes", 4, polb_class_value_size(m->class_words),
			b->n_classes + class_room(extra), .needed = b->n_steps > 0,
			.fill = fill_classes},
		{"polt_ports", 4, POLB_PORTS_END * sizeof(__u16), 1, .freeze = true,
			.fill = fill_ports},
		{"polt_index", 4, sizeof(__u32), b->n_rows_index, .freeze = true, .needed = true,
			.fill = fill_index},
		{"polt_rows", 4, sizeof(struct polb_row), b->n_rows, .freeze = true, .needed = true,
			.fill = fill_rows},
		{"polt_steps", 4, polb_step_value_size(m->n_words), at_least_one(b->n_steps),
			.freeze = true, .needed = b->n_steps > 0, .fill = fill_steps},
		{"polt_step_words", 4, sizeof(struct polb_step_word), at_least_one(b->n_step_words),
			.freeze = true, .needed = b->n_step_words > 0, .fill = fill_step_words},
		{"polt_rule_ids", 4, sizeof(__u32), at_least_one(b->n_rule_ids), .freeze = true,
			.needed = b->n_rule_ids > 0, .fill = fill_rule_ids},
		{"polt_tables", 4, sizeof(__u64), m->n_tables, .needed = b->n_switchable > 0,
			.fill = fill_tables},
		{"polt_modes", 4, sizeof(__u32), at_least_one(b->n_switchable),
			.needed = b->n_switchable > 0, .fill = fill_modes},
		{"polt_counters", 4, sizeof(struct polb_counter), POLB_RULE_FIRST + m->n_rules,
			.fill = NULL},
		{"polt_audited", sizeof(struct polb_audited_key), sizeof(struct polb_audited), 0,
			.fill = fill_audited},
		{"polt_events", 0, 0, polb_ring_bytes(b, options), .fill = NULL},
	};

	memcpy(out, plans, sizeof(plans));
}
