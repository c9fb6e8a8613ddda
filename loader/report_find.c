/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Entries of polt_audited, asked again of the maps in force: what a rule allows by now is only
 * counted, of the rest the rule is the one that would deny it today.
 */
#include "report.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "audited.h"
#include "runtime/cleanup.h"
#include "told.h"

#define TEXT_BYTES 2048

struct finder {
	struct pold_report *report;
	const struct pold_options *options;
	const struct pold_state *state;
	const struct polb_live *live;
	int identities_fd;
};

static bool is_not_policy(uint32_t rule)
{
	return rule == POLB_RULE_MALFORMED || rule == POLB_RULE_FRAGMENT ||
	       rule == POLB_RULE_NO_ENDPOINT || rule == POLB_RULE_NOT_IP;
}

static enum pold_why why_of(const struct polb_bundle *b, uint32_t rule)
{
	size_t index = (size_t)rule - POLB_RULE_FIRST;

	if (is_not_policy(rule))
		return POLD_WHY_NOT_POLICY;
	if (rule < POLB_RULE_FIRST || index >= b->n_rules ||
		b->rules[index].index == POLB_RULE_INDEX_ISOLATION)
		return POLD_WHY_NO_RULE;
	return POLD_WHY_DENY_RULE;
}

/* --- again ------------------------------------------------------------------------------------ */

struct again {
	const struct finder *finder;
	struct polb_question question;
	uint32_t rule; /* that denies, 0: nothing does */
	bool asked, failed;
};

static void ask(struct again *again, const struct polb_peer *peer)
{
	struct polb_decision decision;

	again->question.peer = peer;
	if (polb_decide(again->finder->live, &again->question, &decision)) {
		again->failed = true;
		return;
	}
	again->asked = true;
	if (decision.verdict != POLB_VERDICT_ALLOW)
		again->rule = decision.rule;
}

static int ask_member(void *context, const struct polb_addr *addr, const struct polb_peer *peer)
{
	struct again *again = context;

	(void)addr;
	ask(again, peer);
	return again->rule || again->failed;
}

/* The rule that would deny it now; 0: it is allowed. What cannot be asked is as it was. */
static uint32_t rule_now(const struct finder *finder, const struct polb_audited_key *key)
{
	struct again again = {.finder = finder,
		.question = {.endpoint = key->endpoint,
			.direction = key->direction,
			.remote.family = key->family,
			.protocol = key->protocol,
			.port = key->port}};

	if (is_not_policy(key->rule) || !key->family)
		return key->rule;
	memcpy(again.question.remote.bytes, key->remote, key->family == 4 ? 4 : 16);
	if (POLB_IDENTITY_NAMED(key->identity))
		pold_live_members(finder->live, finder->state->archive->node, key->identity,
			key->family, ask_member, &again);
	else
		ask(&again, NULL);
	return again.asked && !again.failed ? again.rule : key->rule;
}

/* --- findings --------------------------------------------------------------------------------- */

static char *keep(const struct finder *finder, const char *text)
{
	return pold_pool_text(&finder->report->pool, text, strlen(text));
}

static const char *identity_text(const struct finder *finder, uint32_t number)
{
	char text[TEXT_BYTES];

	pold_identity_text(
		&finder->state->bundle, finder->identities_fd, number, text, sizeof(text));
	return keep(finder, text);
}

static void set_subject(
	const struct finder *finder, uint32_t endpoint, struct pold_finding *finding)
{
	struct polb_endpoint record = {0};
	char text[TEXT_BYTES];

	pold_told_text(&finder->state->bundle, finder->state->name, endpoint, text, sizeof(text));
	finding->endpoint = keep(finder, text);
	pold_told_labels(finder->state->name, finding->endpoint, text, sizeof(text));
	finding->subject = keep(finder, *text ? text : finding->endpoint);
	finding->n_endpoints = 1;
	if (!*text && bpf_map_lookup_elem(finder->live->endpoints_fd, &endpoint, &record) == 0 &&
		record.identity >= 256)
		finding->subject = identity_text(finder, record.identity);
	if (!*finding->subject)
		finding->subject = finding->endpoint;
}

static void set_peer(const struct finder *finder, const struct polb_audited_key *key,
	struct pold_finding *finding)
{
	struct polb_addr addr = {.family = key->family};
	char text[POLB_ADDR_TEXT] = "-";

	finding->peer_identity = key->identity;
	finding->peer = identity_text(finder, key->identity);
	if (POLB_IDENTITY_NAMED(key->identity) || strpbrk(finding->peer, ":="))
		return;
	memcpy(addr.bytes, key->remote, key->family == 4 ? 4 : 16);
	if (key->family)
		polb_addr_format(&addr, text);
	finding->peer = keep(finder, text);
	finding->peer_is_address = key->family != 0;
}

static bool is_wanted(const struct finder *finder, uint32_t rule)
{
	const struct polb_bundle *b = &finder->state->bundle;
	const struct pold_event_options *e = &finder->options->events;
	size_t index = (size_t)rule - POLB_RULE_FIRST;
	char name[TEXT_BYTES];

	if (!e->n_policies)
		return true;
	if (rule < POLB_RULE_FIRST || index >= b->n_rules)
		return false;
	snprintf(name, sizeof(name), "%s/%s",
		polb_bundle_string(b, b->rules[index].policy_namespace),
		polb_bundle_string(b, b->rules[index].policy_name));
	for (uint32_t i = 0; i < e->n_policies; i++)
		if (strcmp(name, e->policies[i]) == 0 ||
			strcmp(strchr(name, '/') + 1, e->policies[i]) == 0)
			return true;
	return false;
}

static void add_entry(const struct finder *finder, const struct pold_audited *entry)
{
	struct pold_report *report = finder->report;
	uint32_t rule = rule_now(finder, &entry->key);
	struct pold_finding *finding;
	char reason[TEXT_BYTES];

	if (!rule) {
		report->allowed++;
		return;
	}
	if (!is_wanted(finder, rule))
		return;
	finding = pold_list_push(&report->pool, &report->findings);
	finding->bundle = keep(finder, finder->state->name);
	finding->endpoint_number = entry->key.endpoint;
	finding->direction = entry->key.direction;
	finding->family = entry->key.family;
	finding->protocol = entry->key.protocol;
	finding->port = entry->key.port;
	finding->rule = rule;
	finding->why = why_of(&finder->state->bundle, rule);
	finding->flows = entry->value.flows;
	finding->packets = entry->value.packets;
	finding->bytes = entry->value.bytes;
	finding->first_ns = entry->value.first_ns;
	finding->last_ns = entry->value.last_ns;
	polb_bundle_rule_text(&finder->state->bundle, rule, reason, sizeof(reason));
	finding->reason = keep(finder, reason);
	set_subject(finder, entry->key.endpoint, finding);
	set_peer(finder, &entry->key, finding);
}

static int add_told_workload(void *context, const char *endpoint, const struct pold_told *told)
{
	const struct finder *finder = context;
	struct pold_report *report = finder->report;
	char text[TEXT_BYTES];

	(void)told;
	pold_told_labels(finder->state->name, endpoint, text, sizeof(text));
	*pold_list_push(&report->pool, &report->workloads) = keep(finder, text);
	return 0;
}

/* Among which a workload's labels must tell it apart. */
static void add_workloads(const struct finder *finder)
{
	const struct polb_bundle *b = &finder->state->bundle;
	struct pold_report *report = finder->report;
	POLB_FD fd = -1;

	for (size_t i = 0; i < b->n_identities; i++)
		*pold_list_push(&report->pool, &report->workloads) =
			identity_text(finder, b->identities[i].number);
	fd = pold_told_open(finder->state->name, false);
	pold_told_each(fd, add_told_workload, (void *)(uintptr_t)finder);
}

static int add_network(struct finder *finder)
{
	POLB_FREE struct pold_audited *all = NULL;
	POLD_LIVE live = POLD_LIVE_INIT;
	uint64_t not_kept = 0;
	size_t n = 0;
	int err = pold_audited_read(finder->state, &all, &n, &not_kept);

	if (err == -ENOENT)
		return 0;
	if (!err)
		err = pold_live_open(finder->state, &live);
	if (err)
		return err;
	finder->live = &live.maps;
	finder->report->not_kept += not_kept;
	for (size_t i = 0; i < n; i++)
		add_entry(finder, &all[i]);
	return 0;
}

int pold_report_find(
	struct pold_report *report, const struct pold_options *options, const char *name)
{
	POLD_STATE state = POLD_STATE_INIT;
	POLB_FD identities_fd = -1;
	struct finder finder = {.report = report, .options = options, .state = &state};
	int code = pold_state_open(&state, name, false), err;

	if (code)
		return code;
	identities_fd = pold_identities_open(name);
	finder.identities_fd = identities_fd;
	add_workloads(&finder);
	err = add_network(&finder);
	if (!err)
		err = pold_report_held(report, options, &state);
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot read what %s audited: %s", name,
			     strerror(-err))
		   : POLD_OK;
}

/* --- grouping --------------------------------------------------------------------------------- */

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Policies tell families apart by addresses and ICMP only. */
static uint64_t family_matters(const struct pold_finding *f)
{
	bool matters =
		f->peer_is_address || f->protocol == IPPROTO_ICMP || f->protocol == IPPROTO_ICMPV6;

	return matters || !f->family ? f->family : 4;
}

/* Where findings are one line: all but the endpoint. */
static int compare_lines(const struct pold_finding *x, const struct pold_finding *y)
{
	const uint64_t numbers[][2] = {{family_matters(x), family_matters(y)},
		{x->protocol, y->protocol}, {x->port, y->port}, {x->rule, y->rule}};
	int order = strcmp(x->subject, y->subject);

	if (!order)
		order = compare_numbers(x->direction, y->direction);
	if (!order)
		order = strcmp(x->peer, y->peer);
	for (size_t i = 0; !order && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		order = compare_numbers(numbers[i][0], numbers[i][1]);
	return order ? order : strcmp(x->bundle, y->bundle);
}

static int compare_findings(const void *a, const void *b)
{
	const struct pold_finding *x = a, *y = b;
	int order = compare_lines(x, y);

	return order ? order : compare_numbers(x->endpoint_number, y->endpoint_number);
}

static void merge_into(struct pold_finding *line, const struct pold_finding *more, bool other)
{
	line->n_endpoints += other;
	line->flows += more->flows;
	line->packets += more->packets;
	line->bytes += more->bytes;
	if (more->first_ns < line->first_ns)
		line->first_ns = more->first_ns;
	if (more->last_ns > line->last_ns)
		line->last_ns = more->last_ns;
}

void pold_report_merge(struct pold_report *report)
{
	struct pold_finding *f = report->findings.items;
	uint32_t last = 0;
	size_t n = 0;

	if (report->findings.n)
		qsort(f, report->findings.n, sizeof(*f), compare_findings);
	for (size_t i = 0; i < report->findings.n; i++) {
		if (n && compare_lines(&f[n - 1], &f[i]) == 0)
			merge_into(&f[n - 1], &f[i], f[i].endpoint_number != last);
		else
			f[n++] = f[i];
		last = f[i].endpoint_number;
	}
	report->findings.n = n;
}
