/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How `polc diff` says what changes: for people, and as one JSON object. */
#include <string.h>

#include "diff.h"

/* Words */

static const char *policy_name(struct polc_arena *arena, const struct polc_net_policy *policy)
{
	if (!policy->namespace)
		return policy->name;
	return polc_arena_printf(arena, "%s/%s", policy->namespace, policy->name);
}

/* "file:line"; a bundle has no places of policies. */
static const char *policy_place(const struct polc_diff_side *side, struct polc_span span)
{
	struct polc *polc = (struct polc *)&side->cmd.polc;

	if (side->bundle || !span.source)
		return NULL;
	return polc_arena_printf(&polc->arena, "%s:%u",
		polc_source_get(&polc->sources, span.source)->path,
		polc_source_position(&polc->arena, &polc->sources, span.source, span.begin).line);
}

static const struct polc_net_policy *policy_of(
	const struct polc_diff_side *side, const struct polc_decider *decider)
{
	const struct polc_network *network = side->cmd.network;

	if (decider->rule >= POLB_RULE_FIRST)
		return &network->policies[network->rules[decider->rule - POLB_RULE_FIRST].policy];
	return decider->policy == POLC_NO_POLICY ? NULL : &network->policies[decider->policy];
}

/* "policies/api.yaml:12 (shop/api)", "default-deny of shop/api",
 * "default-allow" */
static const char *decider_text(struct polc_diff_side *side, const struct polc_decider *decider)
{
	struct polc_arena *arena = &side->cmd.polc.arena;
	const struct polc_net_policy *policy = policy_of(side, decider);
	const char *rule = polc_cmd_rule_text(&side->cmd, decider->rule);

	if (decider->rule >= POLB_RULE_FIRST)
		return polc_arena_printf(arena, "%s (%s)", rule, policy_name(arena, policy));
	if (policy)
		return polc_arena_printf(arena, "%s of %s", rule, policy_name(arena, policy));
	return rule;
}

static const char *cause_text(struct polc_diff_side *side, const struct polc_decider *cause)
{
	struct polc_arena *arena = &side->cmd.polc.arena;
	const struct polc_net_policy *policy = policy_of(side, cause);

	if (cause->rule >= POLB_RULE_FIRST)
		return polc_arena_printf(arena, "rule %s", decider_text(side, cause));
	if (!policy)
		return "the posture";
	const char *place = policy_place(side, policy->span);

	return polc_arena_printf(arena, "%s isolates%s%s%s", policy_name(arena, policy),
		place ? " (" : "", place ? place : "", place ? ")" : "");
}

static const char *verdict_word(enum polb_verdict verdict)
{
	return verdict == POLB_VERDICT_ALLOW ? "allowed" : "denied";
}

static const char *connection_text(struct polc_arena *arena, const struct polc_witness *w)
{
	const struct polc_witness_party *from =
		w->direction == POLC_EGRESS ? &w->subject : &w->peer;
	const struct polc_witness_party *to = w->direction == POLC_EGRESS ? &w->peer : &w->subject;

	return polc_arena_printf(arena, "%s -> %s %s", from->text, to->text, w->port_text);
}

/* The same connection as its other end sees it; false when that is no endpoint.
 */
static bool other_end(const struct polc_witness *w, struct polc_witness *out)
{
	if (!(w->peer.identity.kinds & POLB_KIND_POD))
		return false;
	*out = *w;
	out->direction = w->direction == POLC_EGRESS ? POLC_INGRESS : POLC_EGRESS;
	out->subject = w->peer;
	out->peer = w->subject;
	return true;
}

/* What the other end makes of it in the new set, when it denies; else NULL. */
static const char *other_end_denies(struct polc_diff *diff, const struct polc_witness *w)
{
	struct polc_diff_side *side = &diff->sides[1];
	struct polc_decision decision;
	struct polc_witness other;

	if (!other_end(w, &other))
		return NULL;
	polc_witness_decide(&diff->polc->arena, side->cmd.network, &other, &decision);
	if (decision.verdict != POLB_VERDICT_DENY)
		return NULL;
	return polc_arena_printf(&diff->polc->arena, "%s at the %s still denies: %s",
		other.direction == POLC_EGRESS ? "egress" : "ingress",
		other.direction == POLC_EGRESS ? "source" : "destination",
		polc_cmd_rule_text(&side->cmd, decision.rule));
}

/* Text */

static bool same_cause(const struct polc_changed_region *a, const struct polc_changed_region *b)
{
	return a->cause_network == b->cause_network && a->cause.rule == b->cause.rule &&
	       a->cause.policy == b->cause.policy;
}

static void print_cause(struct polc_diff *diff, const struct polc_changed_region *region, FILE *out)
{
	fprintf(out, "  %s, %s:\n", cause_text(&diff->sides[region->cause_network], &region->cause),
		region->cause_network ? "new" : "gone");
}

static void print_region(
	struct polc_diff *diff, const struct polc_changed_region *region, FILE *out)
{
	const char *denied = other_end_denies(diff, &region->witness);

	fprintf(out, "    %s\n", region->text);
	for (unsigned i = 0; i < 2; i++)
		fprintf(out, "      %s: %s by %s\n", i ? "new" : "old",
			verdict_word(region->verdict[i]),
			decider_text(&diff->sides[i], &region->decider[i]));
	fprintf(out, "      for example: %s\n",
		connection_text(&diff->polc->arena, &region->witness));
	if (denied && region->verdict[1] == POLB_VERDICT_ALLOW)
		fprintf(out, "      but %s\n", denied);
}

static void print_regions(struct polc_diff *diff, enum polb_verdict verdict, FILE *out)
{
	const struct polc_changed_region *last = NULL;

	for (size_t i = 0; i < diff->network.regions.n; i++) {
		const struct polc_changed_region *region = &diff->network.regions.items[i];

		if (region->verdict[1] != verdict)
			continue;
		if (!last)
			fprintf(out, "newly %s\n", verdict_word(verdict));
		if (!last || !same_cause(last, region))
			print_cause(diff, region, out);
		print_region(diff, region, out);
		last = region;
	}
}

static void print_unknown(struct polc_diff *diff, FILE *out)
{
	for (size_t i = 0; i < diff->network.unknown.n; i++) {
		if (!i)
			fputs("not settled: too many cases to look through\n", out);
		print_cause(diff, &diff->network.unknown.items[i], out);
	}
}

/* Calls */

static const struct polc_trace_policy *traced_policy(
	const struct polc_diff_side *side, const struct polc_trace_spec *spec)
{
	return &side->cmd.tracing->policies[spec->policy];
}

/* "kprobe cap_capable of no-escalation (a.yaml:7 -> b.yaml:7), changed" */
static void print_entry(
	struct polc_diff *diff, const struct polc_trace_spec *const specs[2], FILE *out)
{
	unsigned any = specs[1] != NULL;
	const char *places[2] = {NULL, NULL};

	for (unsigned i = 0; i < 2; i++)
		if (specs[i])
			places[i] = policy_place(&diff->sides[i], specs[i]->span);
	fprintf(out, "  %s of %s", polc_trace_spec_text(&diff->polc->arena, specs[any]),
		traced_policy(&diff->sides[any], specs[any])->name);
	if (places[0] && places[1])
		fprintf(out, " (%s -> %s)", places[0], places[1]);
	else if (places[0] || places[1])
		fprintf(out, " (%s)", places[places[1] != NULL]);
	fprintf(out, ", %s:\n", specs[0] && specs[1] ? "changed" : any ? "new" : "gone");
}

/* One of each set is the same entry, changed. */
static void print_entries(
	struct polc_diff *diff, const struct polc_traced_change *change, FILE *out)
{
	bool pair = change->specs[0].n == 1 && change->specs[1].n == 1;

	for (unsigned i = 0; i < 2; i++)
		for (size_t j = 0; j < change->specs[i].n && !(pair && i); j++) {
			const struct polc_trace_spec *specs[2] = {NULL, NULL};

			for (unsigned k = 0; k < 2; k++)
				if (pair || k == i)
					specs[k] = &diff->sides[k]
							    .cmd.tracing
							    ->specs[change->specs[k].items[j]];
			print_entry(diff, specs, out);
		}
}

static void print_traced(struct polc_diff *diff, const struct polc_traced_change *change, FILE *out)
{
	print_entries(diff, change, out);
	if (change->effect == POLC_TRACED_UNSETTLED) {
		fputs("    no call was found that is treated differently, but not all could be "
		      "looked at\n",
			out);
		return;
	}
	for (unsigned i = 0; i < 2; i++)
		fprintf(out, "      %s: %s\n", i ? "new" : "old", change->outcome[i]);
	fprintf(out, "      for example: %s\n", change->call);
}

static const char *const effect_titles[] = {
	[POLC_TRACED_WEAKER] = "calls no longer stopped",
	[POLC_TRACED_STRONGER] = "calls newly stopped",
	[POLC_TRACED_ACTIONS] = "calls with other actions or events",
	[POLC_TRACED_UNSETTLED] = "changed tracing, not settled",
};

static void print_all_traced(struct polc_diff *diff, FILE *out)
{
	const char *last = NULL;

	for (size_t i = 0; i < diff->tracing.list.n; i++) {
		const struct polc_traced_change *change = &diff->tracing.list.items[i];
		const char *title = effect_titles[change->effect];

		if (title != last)
			fprintf(out, "%s\n", title);
		last = title;
		print_traced(diff, change, out);
	}
}

static void count(FILE *out, size_t n, const char *what, bool *any)
{
	if (!n)
		return;
	fprintf(out, "%s%s: %zu", *any ? ", " : "", what, n);
	*any = true;
}

static void print_counts(const struct polc_diff *diff, FILE *out)
{
	size_t n_regions[2] = {0}, n_traced[POLC_TRACED_UNSETTLED + 1] = {0}, n_open = 0;
	bool any = false;

	for (size_t i = 0; i < diff->network.regions.n; i++)
		n_regions[diff->network.regions.items[i].verdict[1] == POLB_VERDICT_ALLOW]++;
	for (size_t i = 0; i < diff->tracing.list.n; i++) {
		const struct polc_traced_change *change = &diff->tracing.list.items[i];

		n_traced[change->effect]++;
		n_open += !change->settled && change->effect != POLC_TRACED_UNSETTLED;
	}
	count(out, n_regions[1], "newly allowed", &any);
	count(out, n_regions[0], "newly denied", &any);
	for (unsigned i = 0; i <= POLC_TRACED_UNSETTLED; i++)
		count(out, n_traced[i], effect_titles[i], &any);
	count(out, diff->network.unknown.n, "not settled", &any);
	fputs(any ? "\n" : "no decision changes\n", out);
	if (n_open)
		fputs("of the calls above there may be more: not all cases could be told apart\n",
			out);
}

void polc_diff_print_text(struct polc_diff *diff, FILE *out)
{
	print_regions(diff, POLB_VERDICT_ALLOW, out);
	print_regions(diff, POLB_VERDICT_DENY, out);
	print_unknown(diff, out);
	print_all_traced(diff, out);
	print_counts(diff, out);
	fputs(diff->programs ? "programs: new ones are needed\n"
			     : "programs: unchanged, only data\n",
		out);
}

/* JSON */

/* Members come with a comma behind them; what is behind an object gets one as well. */
static void end_object(struct polc_buf *out)
{
	if (out->p[out->n - 1] == ',')
		out->n--;
	polc_buf_puts(out, "},");
}

/* The last object of a list has none. */
static void end_list(struct polc_buf *out)
{
	if (out->p[out->n - 1] == ',')
		out->n--;
	polc_buf_puts(out, "]");
}

static void json_decider(
	struct polc_buf *out, struct polc_diff_side *side, const struct polc_decider *decider)
{
	const struct polc_net_policy *policy = policy_of(side, decider);

	polc_buf_json_member(out, "rule", polc_cmd_rule_text(&side->cmd, decider->rule));
	polc_buf_json_member(
		out, "policy", policy ? policy_name(&side->cmd.polc.arena, policy) : NULL);
}

static void json_decision(struct polc_buf *out, struct polc_diff *diff,
	const struct polc_changed_region *region, unsigned i)
{
	polc_buf_printf(out, "\"%s\":{", i ? "new" : "old");
	polc_buf_json_member(out, "verdict", polc_verdict_name(region->verdict[i]));
	json_decider(out, &diff->sides[i], &region->decider[i]);
	end_object(out);
}

static void json_cause(
	struct polc_buf *out, struct polc_diff *diff, const struct polc_changed_region *region)
{
	polc_buf_puts(out, "{\"cause\":{");
	polc_buf_json_member(out, "in", region->cause_network ? "new" : "old");
	json_decider(out, &diff->sides[region->cause_network], &region->cause);
	end_object(out);
}

static void json_party(
	struct polc_buf *out, const char *key, const struct polc_witness_party *party)
{
	char address[POLB_ADDR_TEXT];

	polb_addr_format(&party->addr, address);
	polc_buf_printf(out, "\"%s\":{", key);
	polc_buf_json_member(out, "text", party->text);
	polc_buf_json_member(out, "address", address);
	polc_buf_printf(out, "\"invented\":%s,\"labels\":{", party->invented ? "true" : "false");
	for (size_t i = 0; i < party->identity.n_labels; i++) {
		const struct polb_label *label = &party->identity.labels[i];

		polc_buf_json(
			out, polc_arena_printf(out->arena, "%s:%s", label->source, label->key));
		polc_buf_puts(out, ":");
		polc_buf_json(out, label->value);
		polc_buf_puts(out, ",");
	}
	end_object(out);
	end_object(out);
}

static void json_region(
	struct polc_buf *out, struct polc_diff *diff, const struct polc_changed_region *region)
{
	const struct polc_witness *w = &region->witness;

	json_cause(out, diff, region);
	polc_buf_json_member(out, "direction", w->direction == POLC_EGRESS ? "egress" : "ingress");
	polc_buf_json_member(out, "region", region->text);
	for (unsigned i = 0; i < 2; i++)
		json_decision(out, diff, region, i);
	json_party(out, "subject", &w->subject);
	json_party(out, "peer", &w->peer);
	polc_buf_json_member(out, "port", w->port_text);
	polc_buf_json_member(out, "other_end", other_end_denies(diff, w));
	end_object(out);
}

static void json_regions(
	struct polc_buf *out, struct polc_diff *diff, enum polb_verdict verdict, const char *key)
{
	polc_buf_printf(out, "\"%s\":[", key);
	for (size_t i = 0; i < diff->network.regions.n; i++) {
		if (diff->network.regions.items[i].verdict[1] != verdict)
			continue;
		polc_buf_puts(out, "\n ");
		json_region(out, diff, &diff->network.regions.items[i]);
	}
	end_list(out);
	polc_buf_puts(out, ",\n");
}

static void json_entries(struct polc_buf *out, struct polc_diff *diff,
	const struct polc_traced_change *change, unsigned set)
{
	struct polc_diff_side *side = &diff->sides[set];

	polc_buf_printf(out, "\"%s_entries\":[", set ? "new" : "old");
	for (size_t i = 0; i < change->specs[set].n; i++) {
		const struct polc_trace_spec *spec =
			&side->cmd.tracing->specs[change->specs[set].items[i]];

		polc_buf_puts(out, "{");
		polc_buf_json_member(out, "policy", traced_policy(side, spec)->name);
		polc_buf_json_member(out, "hook", polc_trace_spec_text(out->arena, spec));
		polc_buf_json_member(out, "place", policy_place(side, spec->span));
		end_object(out);
	}
	end_list(out);
	polc_buf_puts(out, ",");
}

static void json_traced(
	struct polc_buf *out, struct polc_diff *diff, const struct polc_traced_change *change)
{
	static const char *const effects[] = {[POLC_TRACED_WEAKER] = "weaker",
		[POLC_TRACED_STRONGER] = "stronger",
		[POLC_TRACED_ACTIONS] = "actions",
		[POLC_TRACED_UNSETTLED] = "unsettled"};

	polc_buf_puts(out, "{");
	for (unsigned i = 0; i < 2; i++)
		json_entries(out, diff, change, i);
	polc_buf_json_member(out, "effect", effects[change->effect]);
	polc_buf_printf(out, "\"settled\":%s,", change->settled ? "true" : "false");
	for (unsigned i = 0; i < 2; i++)
		polc_buf_json_member(out, i ? "new" : "old", change->outcome[i]);
	polc_buf_json_member(out, "call", change->call);
	polc_buf_json_member(out, "hook", change->hook);
	polc_buf_puts(out, "\"with\":{");
	for (size_t i = 0; i < change->n_facts; i++)
		polc_buf_json_member(out, change->facts[i].key, change->facts[i].value);
	end_object(out);
	end_object(out);
}

void polc_diff_print_json(struct polc_diff *diff, FILE *out)
{
	struct polc_buf text = {.arena = &diff->polc->arena};

	polc_buf_puts(&text, "{");
	json_regions(&text, diff, POLB_VERDICT_ALLOW, "newly_allowed");
	json_regions(&text, diff, POLB_VERDICT_DENY, "newly_denied");
	polc_buf_puts(&text, "\"unknown\":[");
	for (size_t i = 0; i < diff->network.unknown.n; i++) {
		polc_buf_puts(&text, "\n ");
		json_cause(&text, diff, &diff->network.unknown.items[i]);
		end_object(&text);
	}
	end_list(&text);
	polc_buf_puts(&text, ",\n\"tracing\":[");
	for (size_t i = 0; i < diff->tracing.list.n; i++) {
		polc_buf_puts(&text, "\n ");
		json_traced(&text, diff, &diff->tracing.list.items[i]);
	}
	end_list(&text);
	polc_buf_printf(&text, ",\n\"programs\":\"%s\"}\n", diff->programs ? "new" : "unchanged");
	fwrite(text.p, 1, text.n, out);
}
