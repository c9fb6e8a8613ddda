/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The decision of the network programs in user space, in the order of match.h and judge.h. */
#include "decide.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

enum { IDENTITY_WORLD = 2 };

/* --- who -------------------------------------------------------------------------------------- */

/* 0, -ENOENT or another -errno; a map that is not there has nothing. */
static int look_up(int fd, const void *key, void *value)
{
	if (fd < 0)
		return -ENOENT;
	return bpf_map_lookup_elem(fd, key, value) ? -errno : 0;
}

static int prefix_peer(
	const struct polb_live *live, const struct polb_addr *addr, struct polb_peer *out)
{
	struct polb_lpm4 four = {.prefix_len = 32};
	struct polb_lpm6 six = {.prefix_len = 128};

	memcpy(four.addr, addr->bytes, sizeof(four.addr));
	memcpy(six.addr, addr->bytes, sizeof(six.addr));
	if (addr->family == 4)
		return look_up(live->cidrs_fd[0], &four, out);
	return look_up(live->cidrs_fd[1], &six, out);
}

/* All of 127.0.0.0/8 is what its one entry says; with prefixes it has a prefix entry. */
static int localhost_peer(
	const struct polb_live *live, const struct polb_addr *addr, struct polb_peer *out)
{
	static const __u8 localhost[4] = {127, 0, 0, 1};

	if (addr->family != 4 || addr->bytes[0] != 127 || live->cidrs_fd[0] >= 0)
		return -ENOENT;
	return look_up(live->peers_fd[0], localhost, out);
}

int polb_live_peer(const struct polb_live *live, const struct polb_addr *addr,
	struct polb_peer *out, enum polb_peer_source *source)
{
	int err = look_up(live->peers_fd[addr->family == 6], addr->bytes, out);

	*source = POLB_PEER_EXACT;
	if (err == -ENOENT)
		err = localhost_peer(live, addr, out);
	if (err != -ENOENT)
		return err;
	*source = POLB_PEER_PREFIX;
	err = prefix_peer(live, addr, out);
	if (err != -ENOENT)
		return err;
	*source = POLB_PEER_WORLD;
	*out = (struct polb_peer){.identity = IDENTITY_WORLD,
		.class_id = addr->family == 4 ? POLB_CLASS_WORLD_IPV4 : POLB_CLASS_WORLD_IPV6};
	return 0;
}

/* The class as the map has it, malloc'd. NULL in *out: no rule looks at peers. */
static int read_class(const struct polb_live *live, __u32 class_id, struct polb_class_head **out)
{
	__u32 words = live->bundle->manifest.class_words;
	POLB_FREE struct polb_class_head *class = NULL;
	int err;

	*out = NULL;
	if (live->classes_fd < 0)
		return 0;
	class = malloc(polb_class_value_size(words));
	if (!class)
		return -ENOMEM;
	err = look_up(live->classes_fd, &class_id, class);
	if (!err && class->n > words)
		err = -EINVAL;
	if (!err)
		*out = POLB_TAKE(class);
	return err;
}

static const struct polb_class_word *words_of(const struct polb_class_head *class)
{
	return (const struct polb_class_word *)(const void *)(class + 1);
}

int polb_live_bits(const struct polb_live *live, __u32 class_id, __u64 **bits)
{
	__u32 n_words = live->bundle->manifest.n_words;
	POLB_FREE struct polb_class_head *class = NULL;
	POLB_FREE __u64 *all = NULL;
	int err = read_class(live, class_id, &class);

	*bits = NULL;
	if (err || !class)
		return err;
	all = calloc((size_t)n_words + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (__u32 i = 0; i < class->n; i++) {
		if (words_of(class)[i].word >= n_words)
			return -EINVAL;
		all[words_of(class)[i].word] = words_of(class)[i].bits;
	}
	*bits = POLB_TAKE(all);
	return 0;
}

/* --- what ------------------------------------------------------------------------------------- */

static bool is_icmp(const struct polb_question *q)
{
	return q->protocol == (q->remote.family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static __u32 port_entry(const struct polb_question *q)
{
	if (is_icmp(q))
		return (q->remote.family == 4 ? POLB_PORTS_ICMP : POLB_PORTS_ICMPV6) + q->port;
	switch (q->protocol) {
	case IPPROTO_TCP:
		return POLB_PORTS_TCP + q->port;
	case IPPROTO_UDP:
		return POLB_PORTS_UDP + q->port;
	case IPPROTO_SCTP:
		return POLB_PORTS_SCTP + q->port;
	default:
		return POLB_PORTS_OTHER + q->protocol;
	}
}

static __u32 port_class(const struct polb_bundle *b, __u32 entry)
{
	for (size_t i = 0; i < b->n_ports; i++)
		if (entry >= b->ports[i].first && entry <= b->ports[i].last)
			return b->ports[i].class_id;
	return 0;
}

/* The rule of the lowest bit of `hit`, 0 when the tables contradict each other. */
static __u32 step_rule(const struct polb_bundle *b, const struct polb_step_word *word, __u64 hit)
{
	__u64 below = (hit & -hit) - 1;
	size_t at = (size_t)word->rules + (size_t)__builtin_popcountll(word->mask & below);

	return at < b->n_rule_ids ? b->rule_ids[at] : POLB_RULE_NONE;
}

/* What a step says about a class: its action and rule; NONE: nothing. */
static int match(const struct polb_bundle *b, const struct polb_class_head *class, size_t number,
	__u32 *action, __u32 *rule)
{
	const struct polb_step_head *head;
	const __u16 *slots;

	*action = POLB_VERDICT_NONE;
	if (number >= b->n_steps)
		return -EINVAL;
	head = (const void *)((const char *)b->steps +
			      number * polb_step_value_size(b->manifest.n_words));
	slots = (const __u16 *)(const void *)(head + 1);
	for (__u32 i = 0; class && i < class->n; i++) {
		const struct polb_class_word *bits = &words_of(class)[i];
		__u32 slot = bits->word < b->manifest.n_words ? slots[bits->word] : 0;
		size_t at = (size_t)head->first_word + slot - 1;

		if (bits->word >= b->manifest.n_words || (slot && at >= b->n_step_words))
			return -EINVAL;
		if (!slot || !(bits->bits & b->step_words[at].mask))
			continue;
		*action = head->action;
		*rule = step_rule(b, &b->step_words[at], bits->bits & b->step_words[at].mask);
		return 0;
	}
	return 0;
}

struct result {
	__u32 verdict, rule, row, step;
};

/* The steps of a row from `from` on. */
static int walk(const struct polb_bundle *b, const struct polb_class_head *class, __u32 from,
	struct result *out)
{
	const struct polb_row *row = &b->rows[out->row];
	int err = 0;

	out->verdict = POLB_VERDICT_NONE;
	for (__u32 i = from; !err && i < row->n_steps; i++) {
		err = match(b, class, (size_t)row->first_step + i, &out->verdict, &out->rule);
		out->step = i;
		if (out->verdict != POLB_VERDICT_NONE)
			break;
	}
	return err;
}

/* Verdict and rule of a table for a class at a class of ports. */
static int judge(const struct polb_bundle *b, const struct polb_class_head *class, __u32 table,
	__u32 ports, struct result *out)
{
	size_t at = (size_t)table * b->manifest.n_port_classes + ports;
	int err;

	*out = (struct result){.verdict = POLB_VERDICT_ALLOW, .step = POLB_NO_STEP};
	if (!table)
		return 0;
	if (at >= b->n_rows_index || b->rows_index[at] >= b->n_rows)
		return -EINVAL;
	out->row = b->rows_index[at];
	err = walk(b, class, 0, out);
	if (!err && out->verdict == POLB_VERDICT_PASS)
		err = walk(b, class, b->rows[out->row].pass_to, out);
	if (err || out->verdict == POLB_VERDICT_PASS)
		return err ? err : -EINVAL;
	if (out->verdict == POLB_VERDICT_NONE) {
		out->verdict = b->rows[out->row].default_verdict;
		out->rule = b->rows[out->row].default_rule;
		out->step = POLB_NO_STEP;
	}
	return 0;
}

/* --- steps 5 and 6 ---------------------------------------------------------------------------- */

static bool is_loopback(const struct polb_addr *a)
{
	static const struct polb_addr six = {.family = 6, .bytes = {[15] = 1}};

	return a->family == 4 ? a->bytes[0] == 127
			      : a->family == 6 && polb_addr_compare(a, &six) == 0;
}

static bool is_self(const struct polb_question *q, const struct polb_endpoint *endpoint)
{
	if (endpoint->flags & POLB_ENDPOINT_HOST_NETNS || q->peer)
		return false;
	return is_loopback(&q->remote) || is_loopback(&q->local) ||
	       (q->local.family && polb_addr_compare(&q->local, &q->remote) == 0);
}

static bool is_needed(const struct polb_question *q)
{
	if (!is_icmp(q))
		return false;
	if (q->remote.family == 4)
		return q->port == 3 && q->icmp_code == 4;
	return q->port == 2 || (q->port >= 130 && q->port <= 136) || q->port == 143;
}

/* --- all of it -------------------------------------------------------------------------------- */

static int read_tables(const struct polb_live *live, __u32 direction, struct polb_decision *out)
{
	__u32 table = out->endpoint.table[direction == POLB_EGRESS];
	__u64 tables = POLB_TABLES(table, table);
	int err = look_up(live->tables_fd, &table, &tables);

	out->table = (__u32)tables;
	out->all_tables = (__u32)(tables >> 32);
	return err == -ENOENT ? 0 : err;
}

static void take(const struct result *result, struct polb_decision *out)
{
	out->verdict = result->verdict;
	out->rule = result->rule;
	out->row = result->row;
	out->step = result->step;
}

/* What passes without the policies in audit mode and would not with them is AUDIT. */
static int judge_tables(const struct polb_live *live, struct polb_decision *out)
{
	POLB_FREE struct polb_class_head *class = NULL;
	struct result now, all;
	int err = read_class(live, out->peer.class_id, &class);

	if (!err)
		err = judge(live->bundle, class, out->table, out->port_class, &now);
	if (err)
		return err;
	take(&now, out);
	if (now.verdict != POLB_VERDICT_ALLOW || out->table == out->all_tables)
		return 0;
	err = judge(live->bundle, class, out->all_tables, out->port_class, &all);
	if (!err && all.verdict == POLB_VERDICT_DENY) {
		take(&all, out);
		out->verdict = POLB_VERDICT_AUDIT;
		out->policy_audits = true;
	}
	return err;
}

static int audit(const struct polb_live *live, struct polb_decision *out)
{
	struct polb_config config = {0};
	__u32 zero = 0;
	int err = look_up(live->config_fd, &zero, &config);

	if (err)
		return err;
	out->bundle_audits = config.mode || out->endpoint.flags & POLB_ENDPOINT_AUDIT;
	if (out->bundle_audits && out->verdict == POLB_VERDICT_DENY)
		out->verdict = POLB_VERDICT_AUDIT;
	return 0;
}

static int find_peer(
	const struct polb_live *live, const struct polb_question *q, struct polb_decision *out)
{
	if (!q->peer)
		return polb_live_peer(live, &q->remote, &out->peer, &out->peer_source);
	out->peer = *q->peer;
	out->peer_source = POLB_PEER_GIVEN;
	return 0;
}

int polb_decide(
	const struct polb_live *live, const struct polb_question *q, struct polb_decision *out)
{
	int err;

	*out = (struct polb_decision){.step = POLB_NO_STEP, .verdict = POLB_VERDICT_ALLOW};
	err = q->endpoint ? look_up(live->endpoints_fd, &q->endpoint, &out->endpoint) : -ENOENT;
	if (!err)
		err = find_peer(live, q, out);
	if (err)
		return err;
	if (is_self(q, &out->endpoint) || is_needed(q)) {
		out->rule = is_self(q, &out->endpoint) ? POLB_RULE_SELF : POLB_RULE_PROTOCOL_NEED;
		return 0;
	}
	out->looked_up = true;
	out->port_class = port_class(live->bundle, port_entry(q));
	err = read_tables(live, q->direction, out);
	if (!err)
		err = judge_tables(live, out);
	return err ? err : audit(live, out);
}
