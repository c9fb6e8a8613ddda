/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Every offset, index and count of a bundle's tables against what they point into, so that nothing
 * behind the reader has to ask again. One function per table.
 */
#include "bundle_check.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"

#define ALL_HOOKS (POLB_NETWORK_HOOKS | POLB_HOOK_TRACE)
#define ALL_FLAGS (POLB_ENDPOINT_HOST_NETNS | POLB_ENDPOINT_AUDIT)
#define MAX_FLOWS (1u << 28)
#define MAX_TIMEOUT_S (30u * 24 * 3600)

static bool zero(const __u8 *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

bool polb_prefix_ok(const struct polb_bundle_prefix *p)
{
	unsigned int max = p->family == 4 ? 32 : 128, full = p->len / 8;

	if ((p->family != 4 && p->family != 6) || p->len > max || !zero(p->pad, sizeof(p->pad)))
		return false;
	if (full >= sizeof(p->addr))
		return true;
	return !(p->addr[full] & (0xffu >> (p->len % 8))) &&
	       zero(p->addr + full + 1, sizeof(p->addr) - full - 1);
}

static bool text_ok(const char *text, size_t size)
{
	return size > 0 && text[0] == '\0' && text[size - 1] == '\0';
}

static int check_strings(const struct polb_check *c)
{
	if (!text_ok(c->b->strings, c->b->strings_size))
		return polb_bundle_fail(c->error, "broken table of strings");
	if (c->b->source_strings_size && !text_ok(c->b->source_strings, c->b->source_strings_size))
		return polb_bundle_fail(c->error, "broken table of source names");
	return 0;
}

static const char *network_reason(const struct polb_check *c)
{
	const struct polb_manifest *m = &c->b->manifest;

	if (m->n_words < 1 || m->class_words < 1)
		return "words of bit vectors";
	if (m->n_port_classes < 1 || m->n_port_classes > 65536)
		return "number of port classes";
	if (m->n_tables < 1)
		return "number of tables";
	if (m->n_rules != c->b->n_rules || m->n_rules >= (1u << 24) - POLB_RULE_FIRST)
		return "number of rules";
	if (m->flow_entries < 1 || m->flow_entries > MAX_FLOWS)
		return "size of the flow table";
	if (m->udp_timeout_s > MAX_TIMEOUT_S || m->closing_timeout_s > MAX_TIMEOUT_S)
		return "timeouts";
	return NULL;
}

static const char *manifest_reason(const struct polb_check *c)
{
	const struct polb_manifest *m = &c->b->manifest;
	const char *reason = NULL;

	if (!m->hooks || (m->hooks & ~(__u32)ALL_HOOKS))
		return "unknown hooks";
	if (m->hooks & POLB_NETWORK_HOOKS)
		reason = network_reason(c);
	if (reason)
		return reason;
	if (m->has_cidr4 > 1 || m->has_cidr6 > 1 || m->audit > 1)
		return "flags";
	if (!polb_string_ok(c, m->polc_version) || !polb_string_ok(c, m->clang_version) ||
		!polb_string_ok(c, m->cluster_name))
		return "text";
	return NULL;
}

static int check_manifest(const struct polb_check *c)
{
	const char *reason = manifest_reason(c);

	return reason ? polb_bundle_fail(c->error, "manifest: bad %s", reason) : 0;
}

bool polb_selector_ok(const struct polb_check *c, const struct polb_bundle_selector *s)
{
	return polb_range_ok(s->first_requirement, s->n_requirements, c->b->n_requirements) &&
	       polb_range_ok(s->first_except, s->n_excepts, c->b->n_prefixes) &&
	       s->has_prefix <= 1 && (!s->has_prefix || polb_prefix_ok(&s->prefix)) &&
	       polb_string_ok(c, s->port_name);
}

static int check_selectors(const struct polb_check *c)
{
	const struct polb_bundle *b = c->b;

	if (b->n_selectors > (size_t)b->manifest.n_words * 64)
		return polb_bundle_fail(c->error, "more selectors than bits");
	for (size_t i = 0; i < b->n_selectors; i++)
		if (!polb_selector_ok(c, &b->selectors[i]))
			return polb_check_fail(c, "selectors", i);
	return 0;
}

static int check_requirements(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_requirements; i++) {
		const struct polb_bundle_requirement *r = &c->b->requirements[i];

		if (r->op > POLB_OP_DOES_NOT_EXIST || !polb_string_ok(c, r->source) ||
			!polb_string_ok(c, r->key) ||
			!polb_range_ok(r->first_value, r->n_values, c->b->n_values))
			return polb_check_fail(c, "requirements", i);
	}
	for (size_t i = 0; i < c->b->n_values; i++)
		if (!polb_string_ok(c, c->b->values[i]))
			return polb_check_fail(c, "values", i);
	return 0;
}

static int check_prefixes(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_prefixes; i++)
		if (!polb_prefix_ok(&c->b->prefixes[i]))
			return polb_check_fail(c, "prefixes", i);
	return 0;
}

static int check_rules(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_rules; i++) {
		const struct polb_bundle_rule *r = &c->b->rules[i];

		if (!polb_strings_ok(c, &r->policy_kind, 3) || !polb_string_ok(c, r->log) ||
			r->direction > POLB_EGRESS || r->action < POLB_VERDICT_ALLOW ||
			r->action > POLB_VERDICT_PASS)
			return polb_check_fail(c, "rules", i);
	}
	if (c->b->n_sources && c->b->n_sources != c->b->n_rules)
		return polb_bundle_fail(c->error, "source lines do not match the rules");
	for (size_t i = 0; i < c->b->n_sources; i++)
		if (c->b->sources[i].file >= c->b->source_strings_size)
			return polb_check_fail(c, "source lines", i);
	return 0;
}

static int check_endpoints(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_endpoints; i++) {
		const struct polb_bundle_endpoint *e = &c->b->endpoints[i];

		if (!polb_strings_ok(c, &e->namespace, 5) ||
			e->table[0] >= c->b->manifest.n_tables ||
			e->table[1] >= c->b->manifest.n_tables || (e->flags & ~(__u32)ALL_FLAGS))
			return polb_check_fail(c, "endpoints", i);
	}
	return 0;
}

static int compare_peers(const struct polb_bundle_peer *a, const struct polb_bundle_peer *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->addr, b->addr, sizeof(a->addr));
}

static int check_peers(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_peers; i++) {
		const struct polb_bundle_peer *p = &c->b->peers[i];

		if ((p->family != 4 && p->family != 6) ||
			(p->family == 4 && !zero(p->addr + 4, 12)) ||
			p->class_id >= c->b->n_classes || p->local_class_id >= c->b->n_classes ||
			!polb_string_ok(c, p->node) || (i && compare_peers(p - 1, p) >= 0))
			return polb_check_fail(c, "peers", i);
	}
	return 0;
}

static int compare_cidrs(const struct polb_bundle_prefix *a, const struct polb_bundle_prefix *b)
{
	int order = (a->family > b->family) - (a->family < b->family);

	if (!order)
		order = memcmp(a->addr, b->addr, sizeof(a->addr));
	return order ? order : (a->len > b->len) - (a->len < b->len);
}

static int check_cidrs(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_cidrs; i++) {
		const struct polb_bundle_cidr *cidr = &c->b->cidrs[i];

		if (!polb_prefix_ok(&cidr->prefix) || cidr->class_id >= c->b->n_classes ||
			!(cidr->prefix.family == 4 ? c->b->manifest.has_cidr4
						   : c->b->manifest.has_cidr6) ||
			(i && compare_cidrs(&cidr[-1].prefix, &cidr->prefix) >= 0))
			return polb_check_fail(c, "cidrs", i);
	}
	return 0;
}

/* Intervals follow one another and cover every entry. */
static int check_ports(const struct polb_check *c)
{
	__u32 next = 0;

	for (size_t i = 0; i < c->b->n_ports; i++) {
		const struct polb_bundle_ports *p = &c->b->ports[i];

		if (p->first != next || p->last < p->first || p->last >= POLB_PORTS_END ||
			p->class_id >= c->b->manifest.n_port_classes)
			return polb_check_fail(c, "ports", i);
		next = p->last + 1;
	}
	if (next != POLB_PORTS_END)
		return polb_bundle_fail(c->error, "ports: not all are covered");
	return 0;
}

static int check_classes(const struct polb_check *c)
{
	size_t value_size = polb_class_value_size(c->b->manifest.class_words);

	if (c->b->n_classes < POLB_CLASS_FIRST)
		return polb_bundle_fail(c->error, "classes: the two of the world are missing");
	for (size_t i = 0; i < c->b->n_classes; i++) {
		const struct polb_class_head *head =
			(const void *)((const char *)c->b->classes + i * value_size);
		const struct polb_class_word *words = (const void *)(head + 1);

		if (head->n > c->b->manifest.class_words)
			return polb_check_fail(c, "classes", i);
		for (__u32 w = 0; w < head->n; w++)
			if (words[w].word >= c->b->manifest.n_words ||
				(w && words[w].word <= words[w - 1].word))
				return polb_check_fail(c, "classes", i);
	}
	return 0;
}

static const struct polb_step_head *step_at(const struct polb_check *c, size_t i)
{
	return (const void *)((const char *)c->b->steps +
			      i * polb_step_value_size(c->b->manifest.n_words));
}

static int check_steps(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_steps; i++) {
		const struct polb_step_head *head = step_at(c, i);
		const __u16 *slots = (const void *)(head + 1);

		if (head->action < POLB_VERDICT_ALLOW || head->action > POLB_VERDICT_PASS)
			return polb_check_fail(c, "steps", i);
		for (__u32 w = 0; w < c->b->manifest.n_words; w++)
			if (!polb_range_ok(head->first_word, slots[w], c->b->n_step_words))
				return polb_check_fail(c, "steps", i);
	}
	for (size_t i = 0; i < c->b->n_step_words; i++) {
		const struct polb_step_word *word = &c->b->step_words[i];

		if (!polb_range_ok(
			    word->rules, (__u32)__builtin_popcountll(word->mask), c->b->n_rule_ids))
			return polb_check_fail(c, "step words", i);
	}
	for (size_t i = 0; i < c->b->n_rule_ids; i++)
		if (c->b->rule_ids[i] >= POLB_RULE_FIRST + c->b->manifest.n_rules)
			return polb_check_fail(c, "rule ids", i);
	return 0;
}

/* passes[i]: 1 + the last PASS step among steps 0..i-1, or 0. */
static __u32 *last_passes(const struct polb_check *c)
{
	__u32 *passes = malloc((c->b->n_steps + 1) * sizeof(*passes));

	if (!passes)
		return NULL;
	passes[0] = 0;
	for (size_t i = 0; i < c->b->n_steps; i++)
		passes[i + 1] =
			step_at(c, i)->action == POLB_VERDICT_PASS ? (__u32)i + 1 : passes[i];
	return passes;
}

static bool row_ok(const struct polb_check *c, const struct polb_row *row, const __u32 *passes)
{
	if (!polb_range_ok(row->first_step, row->n_steps, c->b->n_steps) ||
		row->pass_to > row->n_steps ||
		row->default_rule >= POLB_RULE_FIRST + c->b->manifest.n_rules)
		return false;
	if (row->default_verdict != POLB_VERDICT_ALLOW && row->default_verdict != POLB_VERDICT_DENY)
		return false;
	/* a PASS only goes forward: its target lies behind the row's last PASS */
	__u32 last = passes[row->first_step + row->n_steps];
	return last <= row->first_step || last - row->first_step <= row->pass_to;
}

static int check_rows(const struct polb_check *c)
{
	POLB_FREE __u32 *passes = last_passes(c);

	if (!passes) {
		polb_bundle_fail(c->error, "out of memory");
		return -ENOMEM;
	}
	if (!c->b->n_rows || c->b->rows[0].n_steps ||
		c->b->rows[0].default_verdict != POLB_VERDICT_ALLOW)
		return polb_bundle_fail(c->error, "rows: the first is not \"no policy\"");
	for (size_t i = 0; i < c->b->n_rows; i++)
		if (!row_ok(c, &c->b->rows[i], passes))
			return polb_check_fail(c, "rows", i);
	return 0;
}

static int check_index(const struct polb_check *c)
{
	const struct polb_manifest *m = &c->b->manifest;

	if (c->b->n_rows_index != (__u64)m->n_tables * m->n_port_classes)
		return polb_bundle_fail(c->error, "index: not tables times port classes");
	for (size_t i = 0; i < c->b->n_rows_index; i++)
		if (c->b->rows_index[i] >= (i < m->n_port_classes ? 1 : c->b->n_rows))
			return polb_check_fail(c, "index", i);
	return 0;
}

static int check_identities(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_identities; i++)
		if (!polb_range_ok(c->b->identities[i].first_label, c->b->identities[i].n_labels,
			    c->b->n_labels))
			return polb_check_fail(c, "identities", i);
	for (size_t i = 0; i < c->b->n_labels; i++)
		if (!polb_strings_ok(c, &c->b->labels[i].source, 3))
			return polb_check_fail(c, "labels", i);
	return 0;
}

static int check_verified(const struct polb_check *c)
{
	for (size_t i = 0; i < c->b->n_verified; i++)
		if (!polb_strings_ok(c, &c->b->verified[i].kernel, 2))
			return polb_check_fail(c, "verified", i);
	return 0;
}

/* Without programs for packets there is nothing that such tables could be for. */
static int check_no_network(const struct polb_check *c)
{
	const struct polb_bundle *b = c->b;

	if (b->n_selectors || b->n_rules || b->n_sources || b->n_endpoints || b->n_peers ||
		b->n_cidrs || b->n_ports || b->n_rows || b->n_rows_index || b->n_step_words ||
		b->n_rule_ids || b->n_classes || b->n_steps || b->manifest.n_rules ||
		b->n_subjects || b->n_subject_selectors || b->n_subject_ports ||
		b->n_combinations || b->n_combination_subjects || b->n_combination_ports ||
		b->n_switchable || b->n_variants || b->n_variant_numbers)
		return polb_bundle_fail(c->error, "network tables without network programs");
	return 0;
}

typedef int check_function(const struct polb_check *);

static int run_checks(const struct polb_check *c, check_function *const *checks, size_t n)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		err = checks[i](c);
	return err;
}

int polb_bundle_check(const struct polb_bundle *bundle, char error[POLB_ERROR_TEXT])
{
	static check_function *const common[] = {check_manifest, check_requirements, check_prefixes,
		check_identities, check_verified};
	static check_function *const network[] = {check_selectors, check_rules, check_endpoints,
		check_classes, check_peers, check_cidrs, check_ports, check_steps, check_rows,
		check_index, polb_bundle_check_subjects, polb_bundle_check_variants};
	static check_function *const none[] = {check_no_network};
	const struct polb_check c = {.b = bundle, .error = error};
	int err = check_strings(&c);

	if (!err)
		err = polb_bundle_check_trace(bundle, error);
	if (!err)
		err = run_checks(&c, common, sizeof(common) / sizeof(common[0]));
	if (err)
		return err;
	return bundle->manifest.hooks & POLB_NETWORK_HOOKS
		       ? run_checks(&c, network, sizeof(network) / sizeof(network[0]))
		       : run_checks(&c, none, sizeof(none) / sizeof(none[0]));
}
