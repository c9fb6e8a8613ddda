/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* status: what is in force, where, and what each rule has seen. */
#include "loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "maps.h"
#include "policies.h"
#include "runtime/cleanup.h"
#include "trace.h"

#define NETWORK_HOOKS (POLB_HOOK_CGROUP | POLB_HOOK_TC | POLB_HOOK_XDP)

static bool has_network(const struct pold_state *state)
{
	return state->bundle.manifest.hooks & NETWORK_HOOKS;
}

static bool has_tracing(const struct pold_state *state)
{
	return state->bundle.manifest.hooks & POLB_HOOK_TRACE;
}

static const char *mode_text(const struct pold_state *state)
{
	POLB_FD fd = pold_state_map(state, "polt_config");
	struct polb_config config;
	__u32 zero = 0;

	if (fd < 0 || bpf_map_lookup_elem(fd, &zero, &config))
		return "unknown";
	return config.mode ? "audit" : "enforce";
}

static void digest_text(const struct pold_state *state, char out[65])
{
	for (int i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", state->bundle.digest[i]);
}

static void source_text(const struct polb_bundle *bundle, size_t index, char *out, size_t size)
{
	out[0] = '\0';
	if (index < bundle->n_sources)
		snprintf(out, size, "%s:%u", bundle->source_strings + bundle->sources[index].file,
			bundle->sources[index].line);
}

static const char *action_text(uint32_t action)
{
	static const char *const texts[] = {"none", "allow", "deny", "pass", "audit"};

	return action < sizeof(texts) / sizeof(texts[0]) ? texts[action] : "?";
}

static void policy_text(const struct polb_bundle *b, size_t index, char *out, size_t size)
{
	const char *namespace = polb_bundle_string(b, b->rules[index].policy_namespace);

	snprintf(out, size, "%s%s%s", namespace, *namespace ? "/" : "",
		polb_bundle_string(b, b->rules[index].policy_name));
}

static void print_rule(
	const struct polb_bundle *bundle, uint32_t id, const struct polb_counter *counter)
{
	size_t index = id - POLB_RULE_FIRST;
	char policy[256], source[512] = "";
	const char *direction = "-", *action = "-";

	if (id < POLB_RULE_FIRST) {
		polb_bundle_rule_text(bundle, id, policy, sizeof(policy));
	} else {
		policy_text(bundle, index, policy, sizeof(policy));
		source_text(bundle, index, source, sizeof(source));
		direction = bundle->rules[index].direction == POLB_EGRESS ? "egress" : "ingress";
		action = action_text(bundle->rules[index].action);
	}
	printf("%6u  %-7s  %-5s  %12llu  %14llu  %s%s%s\n", id, direction, action,
		(unsigned long long)counter->packets, (unsigned long long)counter->bytes, policy,
		*source ? "  " : "", source);
}

static void print_rules(
	const struct polb_bundle *bundle, const struct polb_counter *counters, uint32_t n, bool all)
{
	printf("\n%6s  %-7s  %-5s  %12s  %14s  %s\n", "RULE", "DIR", "DO", "PACKETS", "BYTES",
		"POLICY");
	for (uint32_t i = 0; i < n; i++) {
		bool named = i >= POLB_RULE_FIRST || i == POLB_RULE_DEFAULT_DENY;

		if (counters[i].packets || (all && named) || i == POLB_RULE_DEFAULT_DENY)
			print_rule(bundle, i, &counters[i]);
	}
}

static void json_counts(const struct polb_counter *counter)
{
	printf(",\"packets\":%llu,\"bytes\":%llu}", (unsigned long long)counter->packets,
		(unsigned long long)counter->bytes);
}

static void json_rule(const struct polb_bundle *b, size_t index, const struct polb_counter *counter)
{
	const struct polb_bundle_rule *rule = &b->rules[index];
	char policy[256], source[512];

	policy_text(b, index, policy, sizeof(policy));
	source_text(b, index, source, sizeof(source));
	printf("%s{\"id\":%zu,\"kind\":", index ? "," : "", index + POLB_RULE_FIRST);
	pold_json_string(polb_bundle_string(b, rule->policy_kind));
	printf(",\"policy\":");
	pold_json_string(policy);
	printf(",\"source\":");
	pold_json_string(source);
	printf(",\"direction\":\"%s\",\"action\":\"%s\"",
		rule->direction == POLB_EGRESS ? "egress" : "ingress", action_text(rule->action));
	json_counts(counter);
}

/* With what their rules have counted. Exit code. */
static int read_policies(const struct pold_state *state, const struct polb_counter *counters,
	struct pold_policies *out)
{
	int err = pold_policies_read(state, out);

	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot read the modes: %s", strerror(-err));
	pold_policies_count(out, counters);
	return POLD_OK;
}

static int json_policies(const struct pold_state *state, const struct polb_counter *counters)
{
	POLD_POLICIES policies = {0};
	int code = read_policies(state, counters, &policies);

	printf(",\"network_policies\":[");
	pold_policies_print_json(&policies);
	putchar(']');
	return code;
}

static int print_policies(
	const struct pold_state *state, const struct polb_counter *counters, bool all)
{
	POLD_POLICIES policies = {0};
	int code = read_policies(state, counters, &policies);

	if (!code)
		pold_policies_print(&policies, all);
	return code;
}

static int json_network(const struct pold_state *state, const struct polb_counter *counters)
{
	const struct polb_bundle *b = &state->bundle;
	char text[128];
	int code;

	printf(",\"mode\":\"%s\",\"endpoints\":[", mode_text(state));
	code = pold_endpoints_print(state, true);
	printf("]");
	if (!code)
		code = json_policies(state, counters);
	printf(",\"rules\":[");
	for (size_t i = 0; i < b->n_rules; i++)
		json_rule(b, i, &counters[POLB_RULE_FIRST + i]);
	printf("],\"reserved\":[");
	for (uint32_t i = 0; i <= POLB_RULE_EXPIRED; i++) {
		polb_bundle_rule_text(b, i, text, sizeof(text));
		printf("%s{\"id\":%u,\"name\":", i ? "," : "", i);
		pold_json_string(text);
		json_counts(&counters[i]);
	}
	putchar(']');
	return code;
}

/* The key that was trusted when it was applied; "" when no key was. */
static void signer_text(const struct pold_state *state, char out[POLB_KEY_ID_TEXT])
{
	out[0] = '\0';
	if (state->archive->is_signed)
		polb_key_id_text(state->archive->signed_by, out);
}

static int print_json(const struct pold_state *state, const struct polb_counter *counters)
{
	char digest[65], signer[POLB_KEY_ID_TEXT];
	int code = POLD_OK;

	digest_text(state, digest);
	signer_text(state, signer);
	printf("{\"name\":\"%s\",\"generation\":%u,\"epoch\":%u,\"changing\":%s,\"digest\":\"%s\","
	       "\"node\":",
		state->name, state->generation, state->epoch & ~POLB_EPOCH_CHANGING,
		pold_state_is_changing(state) ? "true" : "false", digest);
	pold_json_string(state->archive->node);
	printf(",\"signed_by\":%s%s%s", *signer ? "\"" : "null", signer, *signer ? "\"" : "");
	pold_status_apply_json(state);
	if (has_network(state))
		code = json_network(state, counters);
	if (!code && has_tracing(state))
		code = pold_trace_status_json(state);
	if (!code)
		pold_programs_json(state);
	if (!code)
		pold_maps_json(state);
	puts("}");
	return code;
}

static int print_text(
	const struct pold_state *state, const struct polb_counter *counters, uint32_t n, bool all)
{
	char digest[65], signer[POLB_KEY_ID_TEXT];
	int code = POLD_OK;

	digest_text(state, digest);
	signer_text(state, signer);
	printf("name        %s\ngeneration  %u (epoch %u%s)\nbundle      %.16s (polc %s)\n",
		state->name, state->generation, state->epoch & ~POLB_EPOCH_CHANGING,
		pold_state_is_changing(state) ? ", being changed: no verdict is cached" : "",
		digest, polb_bundle_string(&state->bundle, state->bundle.manifest.polc_version));
	if (has_network(state))
		printf("mode        %s\n", mode_text(state));
	printf("node        %s\nsigned by   %s%s\n", state->archive->node, *signer ? "key " : "",
		*signer ? signer : "nobody was asked for");
	pold_status_apply_text(state);
	if (has_network(state)) {
		putchar('\n');
		code = pold_endpoints_print(state, false);
	}
	if (!code && has_network(state))
		code = print_policies(state, counters, all);
	if (!code && has_network(state))
		print_rules(&state->bundle, counters, n, all);
	if (!code && has_tracing(state))
		code = pold_trace_status_text(state, all);
	if (!code && all)
		pold_maps_text(state);
	return code;
}

static int print_one(const struct pold_options *options, const char *name)
{
	POLD_STATE state = POLD_STATE_INIT;
	POLB_FREE struct polb_counter *counters = NULL;
	int code = pold_state_open(&state, name, false), err;

	if (code)
		return code;
	err = has_network(&state) ? pold_counters_read(&state, &counters) : 0;
	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot read the counters: %s", strerror(-err));
	if (options->output && strcmp(options->output, "json") == 0)
		return print_json(&state, counters);
	return print_text(
		&state, counters, POLB_RULE_FIRST + state.bundle.manifest.n_rules, options->all);
}

/* Without --name all bundles. */
int pold_cmd_status(const struct pold_options *options)
{
	POLB_FREE struct pold_name *names = NULL;
	int code = pold_options_arguments(options, 0, 0, "status [--name NAME] [--all] [-o json]");
	bool json = options->output && strcmp(options->output, "json") == 0;
	size_t n = 0;

	if (!code && !options->named)
		code = pold_may_read();
	if (!code && !options->named && pold_names(&names, &n))
		code = pold_fail(POLD_ENVIRONMENT, "cannot list the bundles");
	if (code)
		return code;
	if (options->named)
		return print_one(options, options->name);
	if (n == 0)
		return pold_fail(POLD_ENVIRONMENT, "nothing is applied on this node");
	for (size_t i = 0; i < n; i++) {
		int one;

		if (i && !json)
			putchar('\n');
		one = print_one(options, names[i].text);
		code = code ? code : one;
	}
	return code;
}
