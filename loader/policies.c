/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Network policies of a bundle, from its rules and its switchable ones. */
#include "policies.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cleanup.h"

static bool same_policy(const struct pold_policy *a, const struct pold_policy *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->namespace, b->namespace) == 0 &&
	       strcmp(a->kind, b->kind) == 0;
}

/* Hash table of `policies`, index + 1; the slot of an equal one, or a free one. */
static uint32_t *slot_of(uint32_t *table, size_t size, const struct pold_policies *policies,
	const struct pold_policy *policy)
{
	uint32_t hash = 2166136261u;

	for (const char *c = policy->name; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	for (size_t at = hash & (size - 1);; at = (at + 1) & (size - 1))
		if (!table[at] || same_policy(&policies->items[table[at] - 1], policy))
			return &table[at];
}

static uint32_t intern(uint32_t *table, size_t size, struct pold_policies *policies,
	const struct pold_policy *policy)
{
	uint32_t *slot = slot_of(table, size, policies, policy);

	if (!*slot) {
		policies->items[policies->n++] = *policy;
		*slot = (uint32_t)policies->n;
	}
	return *slot - 1;
}

static void list(const struct polb_bundle *b, const __u32 *modes, uint32_t *table, size_t size,
	struct pold_policies *out)
{
	for (size_t i = 0; i < b->n_switchable; i++) {
		const struct polb_bundle_switchable *s = &b->switchable[i];
		const struct pold_policy policy = {.kind = polb_bundle_string(b, s->policy_kind),
			.namespace = polb_bundle_string(b, s->namespace),
			.name = polb_bundle_string(b, s->name),
			.switchable = true,
			.audit = modes ? modes[i] : s->audit};

		intern(table, size, out, &policy);
	}
	for (size_t i = 0; i < b->n_rules; i++) {
		const struct polb_bundle_rule *r = &b->rules[i];
		const struct pold_policy policy = {.kind = polb_bundle_string(b, r->policy_kind),
			.namespace = polb_bundle_string(b, r->policy_namespace),
			.name = polb_bundle_string(b, r->policy_name)};

		out->of_rule[i] = intern(table, size, out, &policy);
		out->items[out->of_rule[i]].n_rules++;
	}
}

int pold_policies_list(
	const struct polb_bundle *bundle, const __u32 *modes, struct pold_policies *out)
{
	size_t most = bundle->n_rules + bundle->n_switchable, size = 16;
	POLB_FREE uint32_t *table = NULL;

	while (size < most * 2)
		size *= 2;
	table = calloc(size, sizeof(*table));
	*out = (struct pold_policies){.items = calloc(most + 1, sizeof(*out->items)),
		.of_rule = calloc(bundle->n_rules + 1, sizeof(*out->of_rule))};
	if (!table || !out->items || !out->of_rule) {
		pold_policies_free(out);
		return -ENOMEM;
	}
	list(bundle, modes, table, size, out);
	return 0;
}

int pold_policies_read(const struct pold_state *state, struct pold_policies *out)
{
	POLB_FREE __u32 *modes = NULL;
	int err = pold_modes_read(state, &modes);

	return err ? err : pold_policies_list(&state->bundle, modes, out);
}

void pold_policies_free(struct pold_policies *policies)
{
	free(policies->items);
	free(policies->of_rule);
	*policies = (struct pold_policies){0};
}

void pold_policies_count(struct pold_policies *policies, const struct polb_counter *counters)
{
	uint32_t rule = 0;

	for (size_t i = 0; i < policies->n; i++)
		rule += policies->items[i].n_rules;
	while (rule--) {
		struct pold_policy *policy = &policies->items[policies->of_rule[rule]];

		policy->packets += counters[POLB_RULE_FIRST + rule].packets;
		policy->bytes += counters[POLB_RULE_FIRST + rule].bytes;
	}
}

void pold_policy_text(const struct pold_policy *policy, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", policy->namespace, *policy->namespace ? "/" : "",
		policy->name);
}

static const char *mode_text(const struct pold_policy *policy)
{
	return policy->audit ? "audit" : "enforce";
}

void pold_policies_print(const struct pold_policies *policies, bool all)
{
	bool any = false;
	char name[512];

	for (size_t i = 0; i < policies->n; i++) {
		const struct pold_policy *policy = &policies->items[i];

		if (!all && !policy->switchable && !policy->packets)
			continue;
		if (!any)
			printf("\n%-40s %-8s %12s  %14s  %s\n", "NETWORK POLICY", "MODE", "PACKETS",
				"BYTES", "KIND");
		any = true;
		pold_policy_text(policy, name, sizeof(name));
		pold_print_visible(name, 40);
		printf(" %-8s %12llu  %14llu  ", mode_text(policy),
			(unsigned long long)policy->packets, (unsigned long long)policy->bytes);
		pold_print_visible(policy->kind, 0);
		putchar('\n');
	}
}

void pold_policies_print_json(const struct pold_policies *policies)
{
	char name[512];

	for (size_t i = 0; i < policies->n; i++) {
		const struct pold_policy *policy = &policies->items[i];

		pold_policy_text(policy, name, sizeof(name));
		printf("%s{\"kind\":", i ? "," : "");
		pold_json_string(policy->kind);
		printf(",\"policy\":");
		pold_json_string(name);
		printf(",\"mode\":\"%s\",\"switchable\":%s,\"packets\":%llu,\"bytes\":%llu}",
			mode_text(policy), policy->switchable ? "true" : "false",
			(unsigned long long)policy->packets, (unsigned long long)policy->bytes);
	}
}
