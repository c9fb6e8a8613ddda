/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A bundle as one JSON object. */
#include <sodium.h>
#include <stdlib.h>

#include "inspect_tracing.h"

static void add_string(
	struct polc_buf *b, const struct polb_bundle *bundle, const char *key, uint32_t offset)
{
	polc_buf_json_member(b, key, polb_bundle_string(bundle, offset));
}

static void add_hex(struct polc_buf *b, const char *key, const uint8_t bytes[32])
{
	char hex[2 * 32 + 1];

	sodium_bin2hex(hex, sizeof(hex), bytes, 32);
	polc_buf_json_member(b, key, hex);
}

static void add_hooks(struct polc_buf *b, uint32_t hooks)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {{POLB_HOOK_CGROUP, "cgroup"}, {POLB_HOOK_TC, "tc"}, {POLB_HOOK_XDP, "xdp"},
		{POLB_HOOK_TRACE, "trace"}};
	const char *comma = "";

	polc_buf_puts(b, "\"hooks\":[");
	for (size_t i = 0; i < POLC_ARRAY_SIZE(names); i++) {
		if (!(hooks & names[i].bit))
			continue;
		polc_buf_printf(b, "%s\"%s\"", comma, names[i].name);
		comma = ",";
	}
	polc_buf_puts(b, "],");
}

static void add_manifest(struct polc_buf *b, const struct polb_bundle *bundle)
{
	const struct polb_manifest *m = &bundle->manifest;

	add_hex(b, "digest", bundle->digest);
	polc_buf_printf(b, "\"size\":%zu,\"version\":%u,\"abi_version\":%u,", bundle->size,
		m->version, m->abi_version);
	add_string(b, bundle, "polc_version", m->polc_version);
	add_string(b, bundle, "clang_version", m->clang_version);
	add_hooks(b, m->hooks);
	polc_buf_json_member(b, "dialect", m->dialect < 2 ? polc_dialect_names[m->dialect] : NULL);
	polc_buf_json_member(b, "posture", m->posture < 3 ? polc_posture_names[m->posture] : NULL);
	polc_buf_printf(b, "\"audit\":%s,", m->audit ? "true" : "false");
	add_string(b, bundle, "cluster_name", m->cluster_name);
	add_hex(b, "inventory_hash", m->inventory_hash);
	polc_buf_printf(b, "\"flow_entries\":%u,\"udp_timeout_s\":%u,\"closing_timeout_s\":%u,",
		m->flow_entries, m->udp_timeout_s, m->closing_timeout_s);
}

static void add_signatures(
	struct polc_buf *b, const struct polb_bundle *bundle, const struct polc_inspect_keys *keys)
{
	polc_buf_puts(b, "\"signatures\":[");
	for (size_t i = 0; i < bundle->n_signatures; i++) {
		char id[POLB_KEY_ID_TEXT];

		polb_key_id_text(bundle->signatures[i].key_id, id);
		polc_buf_printf(b, "%s{\"key\":\"%s\",\"state\":\"%s\"}", i ? "," : "", id,
			polc_inspect_signature(bundle, &bundle->signatures[i], keys));
	}
	polc_buf_puts(b, "],");
}

static void add_sizes(struct polc_buf *b, const struct polb_bundle *bundle)
{
	const struct polb_manifest *m = &bundle->manifest;

	polc_buf_printf(b,
		"\"words\":%u,\"class_words\":%u,\"port_classes\":%u,\"tables\":%u,\"rows\":%zu,"
		"\"steps\":%zu,\"classes\":%zu,\"addresses\":%zu,\"prefixes\":%zu,\"identities\":%"
		"zu,",
		m->n_words, m->class_words, m->n_port_classes, m->n_tables, bundle->n_rows,
		bundle->n_steps, bundle->n_classes, bundle->n_peers, bundle->n_cidrs,
		bundle->n_identities);
}

static void add_rules(struct polc_buf *b, const struct polb_bundle *bundle)
{
	polc_buf_puts(b, "\"rules\":[");
	for (size_t i = 0; i < bundle->n_rules; i++) {
		const struct polb_bundle_rule *rule = &bundle->rules[i];

		polc_buf_printf(b, "%s{\"id\":%zu,", i ? "," : "", i + POLB_RULE_FIRST);
		add_string(b, bundle, "kind", rule->policy_kind);
		add_string(b, bundle, "namespace", rule->policy_namespace);
		add_string(b, bundle, "name", rule->policy_name);
		polc_buf_json_member(
			b, "direction", rule->direction == POLB_EGRESS ? "egress" : "ingress");
		polc_buf_json_member(
			b, "action", polc_verdict_name((enum polb_verdict)rule->action));
		polc_buf_json_member(b, "source", polc_inspect_rule_place(b->arena, bundle, i));
		polc_buf_printf(b, "\"spec\":%u,\"index\":%u}", rule->spec, rule->index);
	}
	polc_buf_puts(b, "],");
}

static void add_selectors(struct polc_buf *b, const struct polb_bundle *bundle)
{
	polc_buf_puts(b, "\"selectors\":[");
	for (size_t i = 0; i < bundle->n_selectors; i++) {
		struct polc_buf text = {.arena = b->arena};
		struct polb_selector selector;
		void *scratch = NULL;

		polc_buf_puts(b, i ? "," : "");
		if (polb_bundle_selector(bundle, i, &selector, &scratch) < 0) {
			polc_buf_puts(b, "null");
			continue;
		}
		polc_selector_print(&selector, &text);
		free(scratch);
		polc_buf_json(b, text.n ? text.p : "");
	}
	polc_buf_puts(b, "],");
}

static void add_endpoints(struct polc_buf *b, const struct polb_bundle *bundle)
{
	polc_buf_puts(b, "\"endpoints\":[");
	for (size_t i = 0; i < bundle->n_endpoints; i++) {
		const struct polb_bundle_endpoint *e = &bundle->endpoints[i];

		polc_buf_printf(b, "%s{\"number\":%zu,", i ? "," : "", i + 1);
		add_string(b, bundle, "namespace", e->namespace);
		add_string(b, bundle, "name", e->name);
		add_string(b, bundle, "node", e->node);
		add_string(b, bundle, "cgroup", e->cgroup);
		add_string(b, bundle, "interface", e->interface);
		polc_buf_printf(b, "\"identity\":%u,\"ingress_table\":%u,\"egress_table\":%u}",
			e->identity, e->table[POLB_INGRESS], e->table[POLB_EGRESS]);
	}
	polc_buf_puts(b, "]");
}

static void add_verified(struct polc_buf *b, const struct polb_bundle *bundle)
{
	if (!bundle->n_verified)
		return;
	polc_buf_puts(b, ",\"verified\":[");
	for (size_t i = 0; i < bundle->n_verified; i++) {
		const struct polb_bundle_verified *v = &bundle->verified[i];

		polc_buf_puts(b, i ? ",{" : "{");
		add_string(b, bundle, "kernel", v->kernel);
		add_string(b, bundle, "program", v->program);
		polc_buf_printf(b,
			"\"instructions\":%u,\"total_states\":%u,\"peak_states\":%u,"
			"\"stack_bytes\":%u}",
			v->instructions, v->total_states, v->peak_states, v->stack_bytes);
	}
	polc_buf_puts(b, "]");
}

void polc_inspect_print_json(struct polc_arena *arena, const struct polb_bundle *bundle,
	const struct polc_inspect_keys *keys, FILE *out)
{
	struct polc_buf b = {.arena = arena};

	polc_buf_puts(&b, "{");
	add_manifest(&b, bundle);
	add_signatures(&b, bundle, keys);
	add_sizes(&b, bundle);
	add_rules(&b, bundle);
	add_selectors(&b, bundle);
	add_endpoints(&b, bundle);
	polc_inspect_tracing_json(&b, bundle);
	add_verified(&b, bundle);
	polc_buf_puts(&b, "}\n");
	fwrite(b.p, 1, b.n, out);
}
