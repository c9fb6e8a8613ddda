/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A bundle as text for people. Everything a bundle says may be hostile: texts are printed with
 * control characters made visible, so that a name cannot drive the terminal.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "inspect_tracing.h"

/* The text with everything but printable ASCII as \xNN; UTF-8 is kept as bytes >= 0x80. */
const char *polc_inspect_visible(struct polc_arena *arena, const char *text)
{
	struct polc_buf b = {.arena = arena};

	polc_buf_puts(&b, "");
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			polc_buf_printf(&b, "\\x%02x", c);
		else
			polc_buf_add(&b, text, 1);
	}
	return b.p;
}

static const char *string(
	struct polc_arena *arena, const struct polb_bundle *bundle, uint32_t offset)
{
	return polc_inspect_visible(arena, polb_bundle_string(bundle, offset));
}

static const char *name_of(const char *const *names, size_t n, uint32_t index)
{
	return index < n ? names[index] : "unknown";
}

static void print_manifest(struct polc_arena *arena, const struct polb_bundle *bundle, FILE *out)
{
	const struct polb_manifest *m = &bundle->manifest;
	char hex[2 * 32 + 1];

	sodium_bin2hex(hex, sizeof(hex), bundle->digest, sizeof(bundle->digest));
	fprintf(out, "digest        %s\n", hex);
	fprintf(out, "size          %zu bytes\n", bundle->size);
	fprintf(out, "version       %u, ABI %u\n", m->version, m->abi_version);
	fprintf(out, "made by       polc %s, %s\n", string(arena, bundle, m->polc_version),
		string(arena, bundle, m->clang_version));
	fprintf(out, "hooks        %s%s%s%s\n", m->hooks & POLB_HOOK_CGROUP ? " cgroup" : "",
		m->hooks & POLB_HOOK_TC ? " tc" : "", m->hooks & POLB_HOOK_XDP ? " xdp" : "",
		m->hooks & POLB_HOOK_TRACE ? " trace" : "");
	fprintf(out, "dialect       %s\n", name_of(polc_dialect_names, 2, m->dialect));
	fprintf(out, "posture       %s\n", name_of(polc_posture_names, 3, m->posture));
	fprintf(out, "mode          %s\n", m->audit ? "audit" : "enforce");
	fprintf(out, "cluster       %s\n", string(arena, bundle, m->cluster_name));
	sodium_bin2hex(hex, sizeof(hex), m->inventory_hash, sizeof(m->inventory_hash));
	fprintf(out, "inventory     %s\n", hex);
	fprintf(out, "flows         %u, timeouts %u s (closing %u s)\n", m->flow_entries,
		m->udp_timeout_s, m->closing_timeout_s);
}

static void print_signatures(
	const struct polb_bundle *bundle, const struct polc_inspect_keys *keys, FILE *out)
{
	if (!bundle->n_signatures)
		fputs("signed by     nobody\n", out);
	for (size_t i = 0; i < bundle->n_signatures; i++) {
		const struct polb_signature *s = &bundle->signatures[i];
		char id[POLB_KEY_ID_TEXT];

		polb_key_id_text(s->key_id, id);
		fprintf(out, "signed by     key %s, %s\n", id,
			polc_inspect_signature(bundle, s, keys));
	}
}

static void print_sizes(const struct polb_bundle *bundle, FILE *out)
{
	const struct polb_manifest *m = &bundle->manifest;

	fprintf(out, "selectors     %zu (%u words, %u in a class)\n", bundle->n_selectors,
		m->n_words, m->class_words);
	fprintf(out, "addresses     %zu, prefixes %zu, classes %zu, identities %zu\n",
		bundle->n_peers, bundle->n_cidrs, bundle->n_classes, bundle->n_identities);
	fprintf(out, "decisions     %u tables x %u port classes, %zu rows, %zu steps\n",
		m->n_tables, m->n_port_classes, bundle->n_rows, bundle->n_steps);
}

static void print_rules(struct polc_arena *arena, const struct polb_bundle *bundle, FILE *out)
{
	fprintf(out, "\nrules (%zu)\n", bundle->n_rules);
	for (size_t i = 0; i < bundle->n_rules; i++) {
		const struct polb_bundle_rule *rule = &bundle->rules[i];
		const char *namespace = string(arena, bundle, rule->policy_namespace);
		const char *place = polc_inspect_rule_place(arena, bundle, i);

		fprintf(out, "  %5zu  %-7s %-5s  %s %s%s%s", i + POLB_RULE_FIRST,
			rule->direction == POLB_EGRESS ? "egress" : "ingress",
			polc_verdict_name((enum polb_verdict)rule->action),
			string(arena, bundle, rule->policy_kind), namespace, *namespace ? "/" : "",
			string(arena, bundle, rule->policy_name));
		fprintf(out, "  %s\n", place ? polc_inspect_visible(arena, place) : "");
	}
}

static void print_selectors(struct polc_arena *arena, const struct polb_bundle *bundle, FILE *out)
{
	fprintf(out, "\nselectors (%zu)\n", bundle->n_selectors);
	for (size_t i = 0; i < bundle->n_selectors; i++) {
		struct polc_buf text = {.arena = arena};
		struct polb_selector selector;
		void *scratch = NULL;

		if (polb_bundle_selector(bundle, i, &selector, &scratch) < 0)
			continue;
		polc_selector_print(&selector, &text);
		free(scratch);
		fprintf(out, "  %5zu  %s\n", i, text.n ? polc_inspect_visible(arena, text.p) : "");
	}
}

static void print_endpoints(struct polc_arena *arena, const struct polb_bundle *bundle, FILE *out)
{
	fprintf(out, "\nendpoints (%zu)\n", bundle->n_endpoints);
	for (size_t i = 0; i < bundle->n_endpoints; i++) {
		const struct polb_bundle_endpoint *e = &bundle->endpoints[i];
		const char *node = string(arena, bundle, e->node);
		const char *cgroup = string(arena, bundle, e->cgroup);
		const char *interface = string(arena, bundle, e->interface);

		fprintf(out, "  %5zu  %s/%s  ingress table %u, egress table %u", i + 1,
			string(arena, bundle, e->namespace), string(arena, bundle, e->name),
			e->table[POLB_INGRESS], e->table[POLB_EGRESS]);
		fprintf(out, "%s%s%s%s%s%s\n", *node ? ", node " : "", node,
			*cgroup ? ", cgroup " : "", cgroup, *interface ? ", interface " : "",
			interface);
	}
}

/* What kernels' verifiers took for it when it was built. */
static void print_verified(struct polc_arena *arena, const struct polb_bundle *bundle, FILE *out)
{
	const char *last = "";

	if (bundle->n_verified)
		fputs("\nverified\n", out);
	for (size_t i = 0; i < bundle->n_verified; i++) {
		const struct polb_bundle_verified *v = &bundle->verified[i];
		const char *kernel = string(arena, bundle, v->kernel);

		if (strcmp(kernel, last) != 0)
			fprintf(out, "  %s\n", kernel);
		last = kernel;
		fprintf(out, "      %-24s %8u instructions, %u states at once",
			string(arena, bundle, v->program), v->instructions, v->peak_states);
		if (v->stack_bytes)
			fprintf(out, ", %u bytes of stack", v->stack_bytes);
		putc('\n', out);
	}
}

void polc_inspect_print_text(struct polc_arena *arena, const struct polb_bundle *bundle,
	const struct polc_inspect_keys *keys, FILE *out)
{
	print_manifest(arena, bundle, out);
	print_signatures(bundle, keys, out);
	print_sizes(bundle, out);
	print_rules(arena, bundle, out);
	print_selectors(arena, bundle, out);
	print_endpoints(arena, bundle, out);
	polc_inspect_tracing_text(arena, bundle, out);
	print_verified(arena, bundle, out);
}
