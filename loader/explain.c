/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * explain: what decides a connection, now and on this node, in every bundle in force; both sides
 * when both live here. The answer is polb_decide()'s, which is tested against the programs.
 */
#include "explain.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cleanup.h"
#include "told.h"
#include "runtime/instance.h"

struct explainer {
	const struct pold_options *options;
	struct polb_text out;
	bool json;
	uint8_t protocol;
	uint16_t port;
	unsigned int sides, denied, audited; /* decisions made here */
	bool known[2];                       /* some bundle knows --from, --to */
};

/* "tcp/443", "icmp/8" */
static int parse_port(struct explainer *e)
{
	static const struct {
		const char *name;
		uint8_t number;
		unsigned long max;
	} protocols[] = {{"tcp/", IPPROTO_TCP, 65535}, {"udp/", IPPROTO_UDP, 65535},
		{"sctp/", IPPROTO_SCTP, 65535}, {"icmp/", IPPROTO_ICMP, 255},
		{"icmpv6/", IPPROTO_ICMPV6, 255}};
	const char *text = e->options->port;

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		size_t n = strlen(protocols[i].name);
		unsigned long value;
		char *end;

		if (strncmp(text, protocols[i].name, n) != 0)
			continue;
		value = strtoul(text + n, &end, 10);
		if (text[n] < '0' || text[n] > '9' || *end || value > protocols[i].max)
			break;
		e->protocol = protocols[i].number;
		e->port = (uint16_t)value;
		return POLD_OK;
	}
	return pold_fail(
		POLD_USAGE, "--port: \"%s\" is not tcp/N, udp/N, sctp/N, icmp/N or icmpv6/N", text);
}

/* --- one side ----------------------------------------------------------------------------------
 */

struct side {
	const struct pold_state *state;
	const struct polb_live *live;
	const struct pold_party *own, *peer;
	struct polb_question question;
	struct polb_peer member; /* what question.peer points to */
	struct polb_decision decision;
	struct pold_cached cached;
	bool decided, differs; /* differs: members of the peer are treated differently */
};

static int ask_member(void *context, const struct polb_addr *addr, const struct polb_peer *peer)
{
	struct side *side = context;
	struct polb_question question = side->question;
	struct polb_decision decision;
	int err;

	(void)addr;
	question.peer = peer;
	err = polb_decide(side->live, &question, &decision);
	if (err)
		return err;
	if (!side->decided) {
		side->decision = decision;
		side->member = *peer;
	} else if (decision.verdict != side->decision.verdict ||
		   decision.rule != side->decision.rule) {
		side->differs = true;
	}
	side->decided = true;
	return 0;
}

static uint8_t family_of(const struct explainer *e, const struct side *side)
{
	if (side->peer->has_addr)
		return side->peer->addr.family;
	if (side->own->has_addr)
		return side->own->addr.family;
	return e->protocol == IPPROTO_ICMPV6 ? 6 : 4;
}

static int ask_world(struct side *side)
{
	const struct polb_peer world = {.identity = 2,
		.class_id = side->question.remote.family == 4 ? POLB_CLASS_WORLD_IPV4
							      : POLB_CLASS_WORLD_IPV6};

	return ask_member(side, NULL, &world);
}

static int decide(const struct explainer *e, struct side *side)
{
	int err;

	side->question.protocol = e->protocol;
	side->question.port = e->port;
	side->question.endpoint = side->own->endpoint;
	side->question.remote.family = family_of(e, side);
	if (side->own->has_addr)
		side->question.local = side->own->addr;
	if (side->peer->has_addr) {
		side->question.remote = side->peer->addr;
		err = polb_decide(side->live, &side->question, &side->decision);
		side->decided = !err;
	} else if (side->peer->identity == 2) {
		err = ask_world(side);
	} else {
		err = pold_live_members(side->live, side->state->archive->node,
			side->peer->identity, side->question.remote.family, ask_member, side);
	}
	if (err || !side->decided)
		return err;
	if (!side->peer->has_addr)
		side->question.peer = &side->member;
	pold_cached_find(side->state, side->live, side->own, &side->question, &side->decision,
		&side->cached);
	return 0;
}

static const char *verdict_text(uint32_t verdict)
{
	static const char *const texts[] = {"none", "allow", "deny", "pass", "audit"};

	return verdict < sizeof(texts) / sizeof(texts[0]) ? texts[verdict] : "?";
}

static const char *mode_text(const struct polb_decision *d)
{
	if (d->bundle_audits)
		return "audit";
	return d->table != d->all_tables ? "enforce, with policies in audit mode" : "enforce";
}

static const char *source_text(enum polb_peer_source source)
{
	static const char *const texts[] = {[POLB_PEER_WORLD] = "nothing knows the address",
		[POLB_PEER_EXACT] = "known address",
		[POLB_PEER_PREFIX] = "longest prefix",
		[POLB_PEER_GIVEN] = "by its labels"};

	return texts[source];
}

/* --- text and JSON ------------------------------------------------------------------------------
 */

struct words {
	char endpoint[512], peer[2048], rule[1024];
};

static void find_words(const struct side *side, struct words *out)
{
	POLB_FD identities_fd = pold_identities_open(side->state->name);

	pold_told_text(&side->state->bundle, side->state->name, side->own->endpoint, out->endpoint,
		sizeof(out->endpoint));
	pold_identity_text(&side->state->bundle, identities_fd, side->decision.peer.identity,
		out->peer, sizeof(out->peer));
	polb_bundle_rule_text(
		&side->state->bundle, side->decision.rule, out->rule, sizeof(out->rule));
}

/* Calls with each selector of the bundle that the peer's class satisfies. */
static void each_selector(const struct side *side, struct polb_text *out, bool json)
{
	POLB_FREE __u64 *bits = NULL;
	bool any = false;

	if (polb_live_bits(side->live, side->decision.peer.class_id, &bits) || !bits)
		return;
	for (size_t i = 0; i < side->state->bundle.n_selectors; i++) {
		struct polb_text text = {0};

		if (!(bits[i / 64] >> (i % 64) & 1))
			continue;
		pold_selector_text(&text, &side->state->bundle, i);
		if (json)
			polb_json_cstring(out, NULL, polb_text_string(&text));
		else
			polb_text_printf(out, "%s[%zu] %s", any ? "; " : "    selectors    ", i,
				polb_text_string(&text));
		any = true;
		polb_text_free(&text);
	}
	if (any && !json)
		polb_text_puts(out, "\n");
}

static void text_lookup(struct polb_text *out, const struct side *side)
{
	const struct polb_decision *d = &side->decision;

	polb_text_printf(out, "    table        %u", d->table);
	if (d->table != d->all_tables)
		polb_text_printf(out, " (%u with every policy enforced)", d->all_tables);
	if (!d->table && !d->all_tables) {
		polb_text_puts(out, ": no policy is about this endpoint in this direction\n");
		return;
	}
	polb_text_printf(out, ", ports of class %u, row %u, ", d->port_class, d->row);
	if (d->step == POLB_NO_STEP)
		polb_text_puts(out, "its default\n");
	else
		polb_text_printf(out, "step %u\n", d->step);
}

static void text_cached(struct polb_text *out, const struct side *side)
{
	const struct pold_cached *c = &side->cached;
	char rule[1024];

	if (!c->flows)
		return;
	polb_bundle_rule_text(&side->state->bundle, c->rule, rule, sizeof(rule));
	polb_text_printf(out,
		"    flows        %u remembered, the youngest %s by %s, %.0f s ago; %s\n", c->flows,
		verdict_text(c->verdict), rule, c->idle_s,
		c->current == c->flows ? "all of the epoch in force"
				       : "older epochs are decided again at their next packet");
}

static void text_side(struct polb_text *out, const struct side *side)
{
	const struct polb_decision *d = &side->decision;
	struct words words;

	find_words(side, &words);
	polb_text_printf(
		out, "  %s of ", side->question.direction == POLB_EGRESS ? "egress" : "ingress");
	polb_text_printable(out, words.endpoint, strlen(words.endpoint));
	polb_text_printf(out, ": %s by ", verdict_text(d->verdict));
	polb_text_printable(out, words.rule, strlen(words.rule));
	polb_text_puts(out, "\n");
	if (!side->own->attached)
		polb_text_puts(out, "    not attached: nothing is enforced for it yet\n");
	if (side->own->n_alike > 1)
		polb_text_printf(out, "    one of %u endpoints here with these labels\n",
			side->own->n_alike);
	polb_text_puts(out, "    peer         ");
	polb_text_printable(out, words.peer, strlen(words.peer));
	polb_text_printf(out, " (identity %u, class %u, %s)\n", d->peer.identity, d->peer.class_id,
		source_text(d->peer_source));
	if (side->differs)
		polb_text_puts(out, "    addresses of this peer differ: give one for its answer\n");
	if (d->looked_up) {
		each_selector(side, out, false);
		text_lookup(out, side);
		polb_text_printf(out, "    mode         %s\n", mode_text(d));
	}
	text_cached(out, side);
}

static void json_lookup(struct polb_text *out, const struct side *side)
{
	const struct polb_decision *d = &side->decision;

	polb_json_cstring(out, "mode", d->bundle_audits ? "audit" : "enforce");
	polb_json_bool(out, "audited_policies", d->table != d->all_tables);
	polb_json_unsigned(out, "table", d->table);
	polb_json_unsigned(out, "port_class", d->port_class);
	polb_json_unsigned(out, "row", d->row);
	if (d->step != POLB_NO_STEP)
		polb_json_unsigned(out, "step", d->step);
	polb_json_open(out, "selectors", '[');
	each_selector(side, out, true);
	polb_json_close(out, '[');
}

static void json_side(struct polb_text *out, const struct side *side)
{
	const struct polb_decision *d = &side->decision;
	struct words words;

	find_words(side, &words);
	polb_json_open(out, NULL, '{');
	polb_json_cstring(out, "bundle", side->state->name);
	polb_json_unsigned(out, "generation", side->state->generation);
	polb_json_cstring(
		out, "direction", side->question.direction == POLB_EGRESS ? "egress" : "ingress");
	polb_json_cstring(out, "endpoint", words.endpoint);
	polb_json_bool(out, "attached", side->own->attached);
	polb_json_cstring(out, "verdict", verdict_text(d->verdict));
	polb_json_unsigned(out, "rule", d->rule);
	polb_json_cstring(out, "reason", words.rule);
	polb_json_cstring(out, "peer", words.peer);
	polb_json_unsigned(out, "peer_identity", d->peer.identity);
	polb_json_bool(out, "peer_addresses_differ", side->differs);
	if (d->looked_up)
		json_lookup(out, side);
	polb_json_unsigned(out, "flows", side->cached.flows);
	polb_json_unsigned(out, "flows_current", side->cached.current);
	if (side->cached.flows)
		polb_json_cstring(out, "flow_verdict", verdict_text(side->cached.verdict));
	polb_json_close(out, '{');
}

/* --- one bundle ---------------------------------------------------------------------------------
 */

static int explain_side(struct explainer *e, const struct pold_state *state,
	const struct polb_live *live, const struct pold_party *own, const struct pold_party *peer,
	uint32_t direction)
{
	struct side side = {.state = state,
		.live = live,
		.own = own,
		.peer = peer,
		.question.direction = direction};
	int err;

	if (!own->endpoint)
		return POLD_OK;
	err = decide(e, &side);
	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot read the maps of %s: %s", state->name,
			strerror(-err));
	if (!side.decided)
		return pold_fail(POLD_BAD, "%s: no address of %s is known: give one", state->name,
			peer->text);
	e->sides++;
	e->denied += side.decision.verdict == POLB_VERDICT_DENY && own->attached;
	e->audited += side.decision.verdict == POLB_VERDICT_AUDIT && own->attached;
	(e->json ? json_side : text_side)(&e->out, &side);
	return POLD_OK;
}

static int find_parties(struct explainer *e, const struct pold_state *state,
	const struct polb_live *live, struct pold_party parties[2], bool *found)
{
	const char *texts[] = {e->options->from, e->options->to};

	*found = true;
	for (int i = 0; i < 2; i++) {
		int err = pold_party_find(state, live, texts[i], &parties[i]);

		if (err && err != -ENOENT)
			return pold_fail(POLD_ENVIRONMENT, "cannot read the maps of %s: %s",
				state->name, strerror(-err));
		e->known[i] |= !err;
		*found &= !err;
	}
	return POLD_OK;
}

static int explain_bundle(struct explainer *e, const char *name)
{
	POLD_STATE state = POLD_STATE_INIT;
	POLD_LIVE live = POLD_LIVE_INIT;
	struct pold_party parties[2];
	unsigned int before = e->sides;
	bool found;
	int code = pold_state_open(&state, name, false);

	if (code || !(state.bundle.manifest.hooks & ~(uint32_t)POLB_HOOK_TRACE))
		return code;
	if (pold_live_open(&state, &live))
		return pold_fail(POLD_ENVIRONMENT, "cannot open the maps of %s", name);
	code = find_parties(e, &state, &live.maps, parties, &found);
	if (code)
		return code;
	if (!e->json)
		polb_text_printf(&e->out, "bundle %s (generation %u)\n", name, state.generation);
	if (found)
		code = explain_side(e, &state, &live.maps, &parties[0], &parties[1], POLB_EGRESS);
	if (!code && found)
		code = explain_side(e, &state, &live.maps, &parties[1], &parties[0], POLB_INGRESS);
	if (!code && !e->json && e->sides == before)
		polb_text_printf(&e->out, "  %s\n",
			found ? "neither side is an endpoint of this node"
			      : "does not know both sides");
	return code;
}

static int explain_all(struct explainer *e)
{
	POLB_FREE struct pold_name *names = NULL;
	size_t n = 0;
	int code = POLD_OK;

	if (e->options->named)
		return explain_bundle(e, e->options->name);
	if (pold_names(&names, &n) || !n)
		return pold_fail(POLD_ENVIRONMENT, "nothing is applied on this node");
	for (size_t i = 0; !code && i < n; i++)
		code = explain_bundle(e, names[i].text);
	return code;
}

static void verdict(struct explainer *e)
{
	const char *text = e->denied ? "deny" : e->audited ? "audit" : "allow";

	if (e->json) {
		polb_json_close(&e->out, '[');
		polb_json_cstring(&e->out, "verdict", text);
		polb_json_close(&e->out, '{');
		return;
	}
	polb_text_printf(&e->out, "verdict: %s%s\n", text,
		e->sides > 1 ? " (every bundle and both sides must let it pass)" : "");
}

static int explain_connection(struct explainer *e)
{
	int code = parse_port(e);

	if (code)
		return code;
	if (e->json) {
		polb_json_open(&e->out, NULL, '{');
		polb_json_open(&e->out, "decisions", '[');
	}
	code = explain_all(e);
	for (int i = 0; !code && i < 2; i++)
		if (!e->known[i])
			code = pold_fail(POLD_BAD,
				"%s: no bundle knows it (namespace/name, address, cgroup, "
				"interface or entity)",
				i ? e->options->to : e->options->from);
	if (!code)
		verdict(e);
	return code;
}

int pold_cmd_explain(const struct pold_options *options)
{
	static const char usage[] = "explain --from WHO --to WHO --port PROTOCOL/PORT | --pid PID";
	struct explainer e = {.options = options,
		.json = options->output && strcmp(options->output, "json") == 0};
	bool connection = options->from && options->to && options->port;
	int code = pold_options_arguments(options, 0, 0, usage);

	if (!code && connection == (options->events.pid != 0))
		code = pold_fail(POLD_USAGE, "usage: polload %s", usage);
	if (!code)
		code = pold_may_read();
	if (!code)
		code = connection ? explain_connection(&e)
				  : pold_explain_process(options, &e.out, e.json);
	if (!code) {
		polb_text_puts(&e.out, e.json ? "\n" : "");
		fputs(polb_text_string(&e.out), stdout);
	}
	polb_text_free(&e.out);
	return code;
}
