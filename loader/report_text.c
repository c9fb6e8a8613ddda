/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Findings as a table and as JSON. */
#include "report.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runtime/event_text.h"

static const char *const directions[] = {"ingress", "egress"};
static const char *const whys[] = {[POLD_WHY_NO_RULE] = "no rule allows",
	[POLD_WHY_DENY_RULE] = "denied by a rule",
	[POLD_WHY_NOT_POLICY] = "not a matter of rules"};
static const char *const why_words[] = {[POLD_WHY_NO_RULE] = "no-rule",
	[POLD_WHY_DENY_RULE] = "deny-rule",
	[POLD_WHY_NOT_POLICY] = "not-policy"};

const char *pold_protocol_text(uint8_t protocol, char out[16])
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {{IPPROTO_TCP, "tcp"}, {IPPROTO_UDP, "udp"}, {IPPROTO_SCTP, "sctp"},
		{IPPROTO_ICMP, "icmp"}, {IPPROTO_ICMPV6, "icmpv6"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == protocol)
			return names[i].name;
	snprintf(out, 16, "ip-%u", protocol);
	return out;
}

static void when_text(uint64_t ns, char out[POLB_TIME_TEXT])
{
	struct timespec wall, since;
	int64_t offset_ns;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_MONOTONIC, &since);
	offset_ns =
		((int64_t)wall.tv_sec - since.tv_sec) * 1000000000 + wall.tv_nsec - since.tv_nsec;
	polb_time_text((int64_t)ns + offset_ns, out);
}

static void port_text(const struct pold_finding *f, char out[48])
{
	char protocol[16];

	if (!f->family)
		snprintf(out, 48, "-");
	else
		snprintf(out, 48, "%s/%u", pold_protocol_text(f->protocol, protocol), f->port);
}

static void print_line(const struct pold_finding *f)
{
	char port[48], when[POLB_TIME_TEXT];

	port_text(f, port);
	when_text(f->last_ns, when);
	pold_print_visible(f->subject, 32);
	printf(" %-7s %s ", directions[f->direction == POLB_EGRESS],
		f->direction == POLB_EGRESS ? "->" : "<-");
	pold_print_visible(f->peer, 32);
	printf(" %-10s %8llu  %.19s  %s: ", port, (unsigned long long)f->flows, when, whys[f->why]);
	pold_print_visible(f->reason, 0);
	putchar('\n');
}

static size_t count(const struct pold_report *report, enum pold_why why)
{
	size_t n = 0;

	for (size_t i = 0; i < report->findings.n; i++)
		n += report->findings.items[i].why == why;
	return n;
}

static void print_notes(const struct pold_report *report)
{
	if (report->allowed)
		pold_note("note: of what was audited, %llu kinds of traffic are allowed by now",
			(unsigned long long)report->allowed);
	if (count(report, POLD_WHY_DENY_RULE))
		pold_note("note: what a rule denies, no further allow rule lets pass: change the "
			  "deny rule");
	if (report->not_kept)
		pold_note("note: %llu more packets were not kept: there was no room",
			(unsigned long long)report->not_kept);
}

static void print_held(const struct pold_held *held)
{
	pold_print_visible(held->policy, 0);
	printf(": %s held back %llu times (monitor mode)\n", held->actions,
		(unsigned long long)held->count);
}

void pold_report_text(const struct pold_report *report)
{
	if (report->findings.n)
		printf("%-32s %-7s    %-32s %-10s %8s  %-19s  %s\n", "SUBJECT", "DIR", "PEER",
			"PORT", "FLOWS", "LAST SEEN (UTC)", "WHY");
	else
		puts("nothing would have been denied");
	for (size_t i = 0; i < report->findings.n; i++)
		print_line(&report->findings.items[i]);
	for (size_t i = 0; i < report->held.n; i++)
		print_held(&report->held.items[i]);
	print_notes(report);
}

static void json_finding(struct polb_text *out, const struct pold_finding *f)
{
	char protocol[16], when[POLB_TIME_TEXT];

	polb_json_open(out, NULL, '{');
	polb_json_cstring(out, "bundle", f->bundle);
	polb_json_cstring(out, "subject", f->subject);
	polb_json_cstring(out, "endpoint", f->endpoint);
	polb_json_unsigned(out, "endpoints", f->n_endpoints);
	polb_json_cstring(out, "direction", directions[f->direction == POLB_EGRESS]);
	polb_json_cstring(out, "peer", f->peer);
	polb_json_unsigned(out, "peer_identity", f->peer_identity);
	if (f->family)
		polb_json_cstring(out, "protocol", pold_protocol_text(f->protocol, protocol));
	polb_json_unsigned(out, "port", f->port);
	polb_json_unsigned(out, "flows", f->flows);
	polb_json_unsigned(out, "packets", f->packets);
	polb_json_unsigned(out, "bytes", f->bytes);
	when_text(f->first_ns, when);
	polb_json_cstring(out, "first_seen", when);
	when_text(f->last_ns, when);
	polb_json_cstring(out, "last_seen", when);
	polb_json_cstring(out, "why", why_words[f->why]);
	polb_json_unsigned(out, "rule", f->rule);
	polb_json_cstring(out, "reason", f->reason);
	polb_json_close(out, '{');
}

void pold_report_json(const struct pold_report *report)
{
	struct polb_text out = {0};

	polb_json_open(&out, NULL, '{');
	polb_json_open(&out, "audited", '[');
	for (size_t i = 0; i < report->findings.n; i++)
		json_finding(&out, &report->findings.items[i]);
	polb_json_close(&out, '[');
	polb_json_open(&out, "held_back", '[');
	for (size_t i = 0; i < report->held.n; i++) {
		polb_json_open(&out, NULL, '{');
		polb_json_cstring(&out, "policy", report->held.items[i].policy);
		polb_json_cstring(&out, "actions", report->held.items[i].actions);
		polb_json_unsigned(&out, "count", report->held.items[i].count);
		polb_json_close(&out, '{');
	}
	polb_json_close(&out, '[');
	polb_json_unsigned(&out, "allowed_by_now", report->allowed);
	polb_json_unsigned(&out, "not_kept", report->not_kept);
	polb_json_close(&out, '{');
	puts(polb_text_string(&out));
	polb_text_free(&out);
}
