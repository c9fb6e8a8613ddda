/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A verdict on a packet as a line: its parties by name, the rule that decided. */
#include "events_reader.h"
#include "told.h"

#include <netinet/in.h>
#include <string.h>
#include <time.h>

static const char *verdict_text(uint8_t verdict)
{
	static const char *const texts[] = {"none", "allow", "deny", "pass", "audit"};

	return verdict < sizeof(texts) / sizeof(texts[0]) ? texts[verdict] : "?";
}

static void protocol_text(const struct polb_event *event, char out[16])
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {{IPPROTO_TCP, "tcp"}, {IPPROTO_UDP, "udp"}, {IPPROTO_SCTP, "sctp"},
		{IPPROTO_ICMP, "icmp"}, {IPPROTO_ICMPV6, "icmpv6"}};

	snprintf(out, 16, "ip-%u", event->protocol);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == event->protocol)
			snprintf(out, 16, "%s", names[i].name);
}

static bool is_icmp(const struct polb_event *event)
{
	return event->protocol == IPPROTO_ICMP || event->protocol == IPPROTO_ICMPV6;
}

static void address_text(uint8_t family, const __u32 words[4], char out[POLB_ADDR_TEXT])
{
	struct polb_addr addr = {.family = family};

	memcpy(addr.bytes, words, family == 4 ? 4 : 16);
	if (family == 4 || family == 6)
		polb_addr_format(&addr, out);
	else
		snprintf(out, POLB_ADDR_TEXT, "-");
}

/* The port that the policy looks at: the destination's of the packet. */
static unsigned int policy_port(const struct polb_event *event)
{
	if (is_icmp(event) || event->direction == POLB_EGRESS)
		return event->remote_port;
	return event->local_port;
}

static void time_text(int64_t wall_ns, char out[48])
{
	time_t seconds = (time_t)(wall_ns / 1000000000);
	struct tm parts;
	size_t n;

	gmtime_r(&seconds, &parts);
	n = strftime(out, 48, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(out + n, 48 - n, ".%06dZ", (int)(wall_ns % 1000000000 / 1000));
}

struct event_text {
	char when[48], local[POLB_ADDR_TEXT], remote[POLB_ADDR_TEXT], protocol[16];
	char endpoint[512], identity[1024], rule[512];
	const char *bundle, *node;
};

static void describe(const struct pold_state *state, int identities_fd,
	const struct polb_event *event, int64_t wall_offset_ns, struct event_text *out)
{
	time_text((int64_t)event->time_ns + wall_offset_ns, out->when);
	address_text(event->family, event->local, out->local);
	address_text(event->family, event->remote, out->remote);
	protocol_text(event, out->protocol);
	pold_identity_text(&state->bundle, identities_fd, event->peer_identity, out->identity,
		sizeof(out->identity));
	polb_bundle_rule_text(&state->bundle, event->rule, out->rule, sizeof(out->rule));
}

static void printable(struct polb_text *out, const char *text)
{
	polb_text_printable(out, text, strlen(text));
}

static void compact_line(
	struct polb_text *out, const struct polb_event *event, const struct event_text *text)
{
	bool egress = event->direction == POLB_EGRESS;

	polb_text_printf(out, "%s %-5s %-7s ", text->when, verdict_text(event->verdict),
		egress ? "egress" : "ingress");
	printable(out, text->endpoint);
	polb_text_printf(out, " [%s] %s %s%s", text->local, egress ? "->" : "<-", text->remote,
		*text->identity ? " (" : "");
	printable(out, text->identity);
	polb_text_printf(out, "%s %s/%u  rule %u ", *text->identity ? ")" : "", text->protocol,
		policy_port(event), event->rule);
	printable(out, text->rule);
}

static void json_rule(
	struct polb_text *out, const struct polb_bundle *b, const struct polb_event *event)
{
	size_t index = (size_t)event->rule - POLB_RULE_FIRST;
	char text[768];

	polb_json_unsigned(out, "rule", event->rule);
	if (event->rule < POLB_RULE_FIRST || index >= b->n_rules) {
		polb_bundle_rule_text(b, event->rule, text, sizeof(text));
		polb_json_cstring(out, "reason", text);
		return;
	}
	polb_json_cstring(out, "kind", polb_bundle_string(b, b->rules[index].policy_kind));
	snprintf(text, sizeof(text), "%s%s%s",
		polb_bundle_string(b, b->rules[index].policy_namespace),
		*polb_bundle_string(b, b->rules[index].policy_namespace) ? "/" : "",
		polb_bundle_string(b, b->rules[index].policy_name));
	polb_json_cstring(out, "policy", text);
	if (index < b->n_sources) {
		snprintf(text, sizeof(text), "%s:%u", b->source_strings + b->sources[index].file,
			b->sources[index].line);
		polb_json_cstring(out, "source", text);
	}
	if (b->rules[index].log)
		polb_json_cstring(out, "log", polb_bundle_string(b, b->rules[index].log));
}

static void json_parties(
	struct polb_text *out, const struct polb_event *event, const struct event_text *text)
{
	polb_json_cstring(out, "endpoint", text->endpoint);
	polb_json_open(out, "local", '{');
	polb_json_cstring(out, "address", text->local);
	if (!is_icmp(event))
		polb_json_unsigned(out, "port", event->local_port);
	polb_json_close(out, '{');
	polb_json_open(out, "peer", '{');
	polb_json_cstring(out, "address", text->remote);
	if (!is_icmp(event))
		polb_json_unsigned(out, "port", event->remote_port);
	polb_json_unsigned(out, "identity", event->peer_identity);
	polb_json_cstring(out, "labels", text->identity);
	polb_json_close(out, '{');
}

static void json_line(struct polb_text *out, const struct polb_bundle *bundle,
	const struct polb_event *event, const struct event_text *text)
{
	polb_json_open(out, NULL, '{');
	polb_json_cstring(out, "time", text->when);
	polb_json_cstring(out, "verdict", verdict_text(event->verdict));
	polb_json_cstring(out, "direction", event->direction == POLB_EGRESS ? "egress" : "ingress");
	json_parties(out, event, text);
	polb_json_cstring(out, "protocol", text->protocol);
	if (is_icmp(event)) {
		polb_json_unsigned(out, "icmp_type", event->remote_port);
		polb_json_unsigned(out, "icmp_code", event->local_port);
	} else {
		polb_json_unsigned(out, "port", policy_port(event));
	}
	if (event->protocol == IPPROTO_TCP)
		polb_json_unsigned(out, "tcp_flags", event->tcp_flags);
	polb_json_unsigned(out, "bytes", event->length);
	polb_json_cstring(out, "bundle", text->bundle);
	polb_json_unsigned(out, "generation", event->generation);
	json_rule(out, bundle, event);
	polb_json_cstring(out, "node_name", text->node);
	polb_json_close(out, '{');
}

bool pold_verdict_line(
	struct polb_text *out, const struct pold_reader *reader, const struct polb_event *event)
{
	const struct pold_state *state = &reader->state;
	struct event_text text = {.bundle = reader->name, .node = reader->node};

	pold_told_text(&state->bundle, reader->name, event->endpoint, text.endpoint,
		sizeof(text.endpoint));
	if (!pold_filter_verdict(&reader->stream->filter, &state->bundle, event, text.endpoint))
		return false;
	describe(state, reader->identities_fd, event, reader->stream->monotonic_offset_ns, &text);
	if (reader->stream->json)
		json_line(out, &state->bundle, event, &text);
	else
		compact_line(out, event, &text);
	return true;
}
