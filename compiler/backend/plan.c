/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The plan as a whole: its phases in order, its invariants, its text form. */
#include <string.h>

#include "plan_internal.h"

void polc_planner_limit(struct polc_planner *p, const char *what, uint64_t is, uint64_t limit)
{
	struct polc_span span = {0};

	polc_error(p->polc, span, POLC_CODE_LIMIT,
		"the policy set needs %llu %s, the limit is %llu", (unsigned long long)is, what,
		(unsigned long long)limit);
	p->failed = true;
}

static void set_endpoints(struct polc_planner *p)
{
	size_t n = p->identities->endpoints.n;
	struct polc_plan_endpoint *out = POLC_NEW_ARRAY(p->arena, n, struct polc_plan_endpoint);

	for (size_t i = 0; i < n; i++) {
		const struct polc_endpoint *e = &p->identities->endpoints.items[i];
		out[i] = (struct polc_plan_endpoint){.pod = e->pod,
			.identity_number = p->identities->identities.items[e->identity].number,
			.table = {p->endpoint_tables[2 * i], p->endpoint_tables[2 * i + 1]}};
	}
	p->plan->endpoints = out;
	p->plan->n_endpoints = (uint32_t)n;
}

/* The verifier walks class words + steps once each; these load on 5.10 to 7.3
 * (bpf-templates/network/match.h). */
enum { CLASS_WORDS_LIMIT = 2048, ROW_STEPS_LIMIT = 2048 };

static void check_loop(struct polc_planner *p)
{
	if (p->plan->class_words > CLASS_WORDS_LIMIT)
		polc_planner_limit(p, "words of selector bits that one peer satisfies",
			p->plan->class_words, CLASS_WORDS_LIMIT);
	if (p->plan->max_row_steps > ROW_STEPS_LIMIT)
		polc_planner_limit(p, "changes of verdict in one ordered tier",
			p->plan->max_row_steps, ROW_STEPS_LIMIT);
}

static void note_uses(struct polc_planner *p)
{
	for (size_t i = 0; i < p->network->n_policies; i++)
		p->plan->uses_tiers |= p->network->policies[i].tier != POLC_TIER_MIDDLE;
	for (size_t i = 0; i < p->items.n; i++)
		p->plan->uses_icmp_types |= (p->items.items[i].port.protocols &
						    (POLC_PROTO_ICMP | POLC_PROTO_ICMPV6)) != 0;
}

const struct polc_plan *polc_plan_build(struct polc *polc, const struct polc_network *network,
	const struct polc_identities *identities)
{
	struct polc_planner p = {.polc = polc,
		.arena = &polc->arena,
		.network = network,
		.identities = identities,
		.plan = POLC_NEW(&polc->arena, struct polc_plan)};

	p.plan->network = network;
	p.plan->identities = identities;
	polc_plan_number_selectors(&p);
	polc_plan_tables(&p);
	polc_plan_peers(&p);
	polc_plan_ports(&p);
	if (!p.failed)
		polc_plan_rows(&p);
	if (p.failed)
		return NULL;
	set_endpoints(&p);
	check_loop(&p);
	note_uses(&p);
	if (p.failed)
		return NULL;
	polc_plan_verify(p.plan);
	return p.plan;
}

static void verify_ports(const struct polc_plan *plan)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < plan->n_ports; i++) {
		const struct polc_plan_ports *p = &plan->ports[i];
		if (p->first != next || p->last < p->first || p->class_id >= plan->n_port_classes)
			POLC_BUG("port interval %u is out of order", i);
		next = p->last + 1;
	}
	if (next != POLB_PORTS_END)
		POLC_BUG("port intervals end at %u", next);
}

static void verify_rows(const struct polc_plan *plan)
{
	for (uint32_t i = 0; i < plan->n_rows; i++) {
		const struct polb_row *r = &plan->rows[i];
		if (r->first_step > plan->n_steps || r->n_steps > plan->n_steps - r->first_step ||
			r->pass_to > r->n_steps || r->n_steps > plan->max_row_steps)
			POLC_BUG("row %u points outside the steps", i);
	}
	for (size_t i = 0; i < (size_t)plan->n_tables * plan->n_port_classes; i++)
		if (plan->rows_index[i] >= plan->n_rows)
			POLC_BUG("index entry %zu points outside the rows", i);
}

static void verify_steps(const struct polc_plan *plan)
{
	for (uint32_t i = 0; i < plan->n_steps; i++) {
		const struct polc_plan_step *s = &plan->steps[i];
		for (uint32_t w = 0; w < plan->n_words; w++) {
			uint32_t n = (uint32_t)__builtin_popcountll(s->mask[w]);
			if (s->rule_base[w] + n > plan->n_rule_ids)
				POLC_BUG("step %u points outside the rule numbers", i);
		}
	}
}

static void verify_variants(const struct polc_plan *plan)
{
	for (uint32_t i = 0; i < plan->n_variants; i++) {
		const struct polc_plan_variant *v = &plan->variants[i];
		if (v->table >= plan->n_tables || (i && v->table <= v[-1].table))
			POLC_BUG("variant %u is out of order", i);
		for (uint32_t j = 0; j < 1u << v->n_policies; j++)
			if (v->tables[j] >= plan->n_tables)
				POLC_BUG("variant %u has no table", i);
	}
}

void polc_plan_verify(const struct polc_plan *plan)
{
	verify_variants(plan);
	verify_ports(plan);
	verify_rows(plan);
	verify_steps(plan);
	for (uint32_t i = 0; i < plan->n_peers; i++)
		if (plan->peers[i].class_id >= plan->n_classes ||
			plan->peers[i].local_class_id >= plan->n_classes)
			POLC_BUG("peer %u has no class", i);
	for (uint32_t i = 0; i < plan->n_cidrs; i++)
		if (plan->cidrs[i].class_id >= plan->n_classes)
			POLC_BUG("prefix %u has no class", i);
	for (uint32_t i = 0; i < plan->n_endpoints; i++)
		if (plan->endpoints[i].table[0] >= plan->n_tables ||
			plan->endpoints[i].table[1] >= plan->n_tables)
			POLC_BUG("endpoint %u has no table", i);
}

static void print_bits(const uint64_t *bits, uint32_t n_words, struct polc_buf *out)
{
	for (uint32_t w = 0; w < n_words; w++)
		for (uint64_t rest = bits[w]; rest; rest &= rest - 1)
			polc_buf_printf(out, " b%u", w * 64 + (uint32_t)__builtin_ctzll(rest));
	polc_buf_puts(out, "\n");
}

static void print_peers(const struct polc_plan *plan, struct polc_buf *out)
{
	char text[POLB_ADDR_TEXT];

	for (uint32_t i = 0; i < plan->n_classes; i++) {
		polc_buf_printf(out, "class %u:", i);
		print_bits(plan->classes[i].bits, plan->n_words, out);
	}
	for (uint32_t i = 0; i < plan->n_peers; i++) {
		polb_addr_format(&plan->peers[i].addr, text);
		polc_buf_printf(out, "peer %s identity %u class %u", text,
			plan->peers[i].identity_number, plan->peers[i].class_id);
		if (plan->peers[i].local_class_id != plan->peers[i].class_id)
			polc_buf_printf(out, " on %s %u", plan->peers[i].node,
				plan->peers[i].local_class_id);
		polc_buf_puts(out, "\n");
	}
	for (uint32_t i = 0; i < plan->n_cidrs; i++) {
		polb_prefix_format(&plan->cidrs[i].prefix, text);
		polc_buf_printf(out, "cidr %s class %u\n", text, plan->cidrs[i].class_id);
	}
}

static void print_row(const struct polc_plan *plan, uint32_t number, struct polc_buf *out)
{
	static const char *const verdicts[] = {"none", "allow", "deny", "pass", "audit"};
	const struct polb_row *r = &plan->rows[number];

	polc_buf_printf(out, "row %u: default %s", number, verdicts[r->default_verdict]);
	if (r->pass_to)
		polc_buf_printf(out, " pass-to %u", r->pass_to);
	polc_buf_puts(out, "\n");
	for (uint32_t i = 0; i < r->n_steps; i++) {
		const struct polc_plan_step *s = &plan->steps[r->first_step + i];
		polc_buf_printf(out, "    %s", verdicts[s->action]);
		print_bits(s->mask, plan->n_words, out);
	}
}

/* By the policies that are enforced. */
static void print_variant(
	const struct polc_plan *plan, const struct polc_plan_variant *variant, struct polc_buf *out)
{
	polc_buf_printf(out, "variants of t%u by", variant->table);
	for (uint32_t i = 0; i < variant->n_policies; i++)
		polc_buf_printf(out, " %s", plan->network->switchables[variant->policies[i]].name);
	polc_buf_puts(out, ":");
	for (uint32_t i = 0; i < 1u << variant->n_policies; i++)
		polc_buf_printf(out, " t%u", variant->tables[i]);
	polc_buf_puts(out, "\n");
}

void polc_plan_print(const struct polc_plan *plan, struct polc_buf *out)
{
	polc_buf_printf(out, "words %u class-words %u port-classes %u steps-per-row %u\n",
		plan->n_words, plan->class_words, plan->n_port_classes, plan->max_row_steps);
	for (uint32_t i = 0; i < plan->n_selectors; i++) {
		polc_buf_printf(out, "b%u ", i);
		polc_selector_print(&plan->selectors[i], out);
		polc_buf_puts(out, "\n");
	}
	print_peers(plan, out);
	for (uint32_t i = 0; i < plan->n_ports; i++)
		polc_buf_printf(out, "ports %u-%u class %u\n", plan->ports[i].first,
			plan->ports[i].last, plan->ports[i].class_id);
	for (uint32_t i = 0; i < plan->n_rows; i++)
		print_row(plan, i, out);
	for (uint32_t t = 0; t < plan->n_tables; t++) {
		polc_buf_printf(out, "table %u:", t);
		for (uint32_t c = 0; c < plan->n_port_classes; c++)
			polc_buf_printf(
				out, " r%u", plan->rows_index[t * plan->n_port_classes + c]);
		polc_buf_puts(out, "\n");
	}
	for (uint32_t i = 0; i < plan->n_variants; i++)
		print_variant(plan, &plan->variants[i], out);
	for (uint32_t i = 0; i < plan->n_endpoints; i++)
		polc_buf_printf(out, "endpoint %s/%s ingress t%u egress t%u\n",
			plan->endpoints[i].pod->namespace, plan->endpoints[i].pod->name,
			plan->endpoints[i].table[0], plan->endpoints[i].table[1]);
}
