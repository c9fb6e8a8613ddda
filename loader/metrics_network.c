/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Metrics of network policies: what their rules decided, by policy and not by rule. */
#include "metrics.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "policies.h"
#include "runtime/cleanup.h"
#include "store.h"

/* Series of a bundle: policies behind these are summed under OTHERS. */
#define MAX_SERIES 4000
#define OTHERS "_other"

static const char *const directions[] = {"ingress", "egress"};

static const char *action_text(uint32_t action)
{
	static const char *const texts[] = {[POLB_VERDICT_ALLOW] = "allow",
		[POLB_VERDICT_DENY] = "deny",
		[POLB_VERDICT_PASS] = "pass"};

	return action < sizeof(texts) / sizeof(texts[0]) && texts[action] ? texts[action] : "other";
}

/* A rule's place in the order of its series: policy, direction, action. */
struct ranked {
	const struct polb_bundle *bundle;
	const struct polb_bundle_rule *rule;
	const struct polb_counter *counter;
};

static int compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	const __u32 texts[3][2] = {{x->rule->policy_kind, y->rule->policy_kind},
		{x->rule->policy_namespace, y->rule->policy_namespace},
		{x->rule->policy_name, y->rule->policy_name}};
	int order = 0;

	for (int i = 0; !order && i < 3; i++)
		order = strcmp(polb_bundle_string(x->bundle, texts[i][0]),
			polb_bundle_string(y->bundle, texts[i][1]));
	if (!order)
		order = (x->rule->direction > y->rule->direction) -
			(x->rule->direction < y->rule->direction);
	return order ? order
		     : (x->rule->action > y->rule->action) - (x->rule->action < y->rule->action);
}

static void add_series(struct pold_metrics *metrics, const char *name, const struct ranked *first,
	bool known, const struct polb_counter *sum)
{
	const struct polb_bundle *b = first->bundle;
	const struct polb_bundle_rule *rule = first->rule;
	const char *const *labels = POLD_LABELS("bundle", name, "kind",
		known ? polb_bundle_string(b, rule->policy_kind) : "", "policy_namespace",
		known ? polb_bundle_string(b, rule->policy_namespace) : "", "policy",
		known ? polb_bundle_string(b, rule->policy_name) : OTHERS, "direction",
		known ? directions[rule->direction == POLB_EGRESS] : "", "action",
		known ? action_text(rule->action) : "");

	pold_metrics_add(metrics, POLD_METRIC_POLICY_PACKETS, labels, sum->packets);
	pold_metrics_add(metrics, POLD_METRIC_POLICY_BYTES, labels, sum->bytes);
}

static void add_policies(
	struct pold_metrics *metrics, const char *name, const struct ranked *rules, size_t n)
{
	struct polb_counter sum = {0};
	size_t series = 0, first = 0;

	for (size_t i = 0; i < n; i++) {
		bool last =
			i + 1 == n || (series < MAX_SERIES && compare(&rules[i], &rules[i + 1]));

		sum.packets += rules[i].counter->packets;
		sum.bytes += rules[i].counter->bytes;
		if (!last)
			continue;
		add_series(metrics, name, &rules[first], series < MAX_SERIES, &sum);
		sum = (struct polb_counter){0};
		first = i + 1;
		series++;
	}
}

static int add_rules(struct pold_metrics *metrics, const struct pold_state *state,
	const struct polb_counter *counters)
{
	const struct polb_bundle *b = &state->bundle;
	POLB_FREE struct ranked *rules = calloc(b->n_rules + 1, sizeof(*rules));

	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < b->n_rules; i++)
		rules[i] = (struct ranked){b, &b->rules[i], &counters[POLB_RULE_FIRST + i]};
	qsort(rules, b->n_rules, sizeof(*rules), compare);
	add_policies(metrics, state->name, rules, b->n_rules);
	return 0;
}

static void add_others(struct pold_metrics *metrics, const struct pold_state *state,
	const struct polb_counter *counters)
{
	for (uint32_t i = 0; i < POLB_RULE_FIRST; i++) {
		char reason[128];
		const char *const *labels = POLD_LABELS("bundle", state->name, "reason", reason);

		polb_bundle_rule_text(&state->bundle, i, reason, sizeof(reason));
		if (!counters[i].packets && i > POLB_RULE_DEFAULT_DENY)
			continue;
		pold_metrics_add(metrics, POLD_METRIC_OTHER_PACKETS, labels, counters[i].packets);
		pold_metrics_add(metrics, POLD_METRIC_OTHER_BYTES, labels, counters[i].bytes);
	}
}

/* As in bpf-templates/network/maps.h. */
struct bucket {
	__u64 since_ns;
	__u32 used, dropped;
};

static int add_drops(struct pold_metrics *metrics, const struct pold_state *state)
{
	POLB_FD fd = pold_state_map(state, "polt_bucket");
	int cpus = libbpf_num_possible_cpus();
	POLB_FREE struct bucket *buckets = cpus > 0 ? calloc((size_t)cpus, sizeof(*buckets)) : NULL;
	uint64_t dropped = 0;
	__u32 zero = 0;

	if (fd < 0 || !buckets)
		return fd < 0 ? fd : -ENOMEM;
	if (bpf_map_lookup_elem(fd, &zero, buckets))
		return -errno;
	for (int cpu = 0; cpu < cpus; cpu++)
		dropped += buckets[cpu].dropped;
	pold_metrics_add(
		metrics, POLD_METRIC_VERDICT_DROPS, POLD_LABELS("bundle", state->name), dropped);
	return 0;
}

static int add_endpoints(struct pold_metrics *metrics, const struct pold_state *state)
{
	struct pold_endpoint_counts counts;
	int err = pold_endpoints_count(state, &counts);
	const struct {
		const char *state;
		uint32_t n;
	} states[] = {{"attached", counts.attached}, {"gone", counts.gone},
		{"waiting", counts.waiting}, {"denied", counts.denied}};

	for (size_t i = 0; !err && i < sizeof(states) / sizeof(states[0]); i++)
		pold_metrics_add(metrics, POLD_METRIC_ENDPOINTS,
			POLD_LABELS("bundle", state->name, "state", states[i].state), states[i].n);
	return err;
}

/* Those that can be switched: of the others polc_bundle_audit says it all. */
static int add_modes(struct pold_metrics *metrics, const struct pold_state *state)
{
	POLD_POLICIES policies = {0};
	int err = pold_policies_read(state, &policies);

	for (size_t i = 0; !err && i < policies.n; i++) {
		const struct pold_policy *policy = &policies.items[i];

		if (policy->switchable)
			pold_metrics_add(metrics, POLD_METRIC_POLICY_AUDIT,
				POLD_LABELS("bundle", state->name, "kind", policy->kind,
					"policy_namespace", policy->namespace, "policy",
					policy->name),
				policy->audit);
	}
	return err;
}

/* Addresses that are told: good, over their time, and of those the ones that go on as before. */
static int add_identities(struct pold_metrics *metrics, const struct pold_state *state)
{
	POLD_STORE store = POLD_STORE_INIT;
	POLB_FREE struct pold_kept_key *keys = NULL;
	POLB_FREE struct pold_kept *kept = NULL;
	uint64_t now_s = pold_boot_ns() / 1000000000u, counts[3] = {0};
	static const char *const states[] = {"good", "expired", "stale"};
	size_t n = 0;
	int err = pold_store_open(&store, state->name, false);

	if (!err)
		err = pold_store_read(&store, &keys, &kept, &n);
	for (size_t i = 0; !err && i < n; i++) {
		bool over = kept[i].expires_s && kept[i].expires_s <= now_s;

		counts[!over ? 0 : kept[i].flags & POLD_KEPT_KEEP ? 2 : 1] += kept[i].set != 0;
	}
	for (size_t i = 0; !err && i < 3; i++)
		pold_metrics_add(metrics, POLD_METRIC_IDENTITIES,
			POLD_LABELS("bundle", state->name, "state", states[i]), counts[i]);
	return err;
}

static int add_mode(struct pold_metrics *metrics, const struct pold_state *state)
{
	POLB_FD fd = pold_state_map(state, "polt_config");
	struct polb_config config;
	__u32 zero = 0;

	if (fd < 0)
		return fd;
	if (bpf_map_lookup_elem(fd, &zero, &config))
		return -errno;
	pold_metrics_add(
		metrics, POLD_METRIC_AUDIT, POLD_LABELS("bundle", state->name), config.mode != 0);
	return 0;
}

int pold_metrics_network(struct pold_metrics *metrics, const struct pold_state *state)
{
	POLB_FREE struct polb_counter *counters = NULL;
	int err = pold_counters_read(state, &counters);

	if (!err)
		err = add_rules(metrics, state, counters);
	if (!err)
		add_others(metrics, state, counters);
	if (!err)
		err = add_drops(metrics, state);
	if (!err)
		err = add_mode(metrics, state);
	if (!err)
		err = add_modes(metrics, state);
	if (!err)
		err = add_identities(metrics, state);
	return err ? err : add_endpoints(metrics, state);
}
