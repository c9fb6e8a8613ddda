/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * events: reads the ring of the generation in force, and follows to the next one. Enforcement never
 * waits for a reader; what did not fit is counted and said at the end.
 */
#include "loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/cleanup.h"
#include "runtime/instance.h"

#define POLL_MS 200

struct reader {
	const struct pold_options *options;
	struct pold_state state;
	struct ring_buffer *ring;
	int identities_fd;
	bool json;
	uint64_t seen, lost;
	int64_t wall_offset_ns;
};

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

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

static void time_text(const struct reader *reader, uint64_t time_ns, char out[48])
{
	int64_t wall_ns = (int64_t)time_ns + reader->wall_offset_ns;
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
};

static void describe(
	const struct reader *reader, const struct polb_event *event, struct event_text *out)
{
	time_text(reader, event->time_ns, out->when);
	address_text(event->family, event->local, out->local);
	address_text(event->family, event->remote, out->remote);
	protocol_text(event, out->protocol);
	pold_endpoint_text(
		&reader->state.bundle, event->endpoint, out->endpoint, sizeof(out->endpoint));
	pold_identity_text(&reader->state.bundle, reader->identities_fd, event->peer_identity,
		out->identity, sizeof(out->identity));
	polb_bundle_rule_text(&reader->state.bundle, event->rule, out->rule, sizeof(out->rule));
}

static void print_compact(
	const struct reader *reader, const struct polb_event *event, const struct event_text *text)
{
	bool egress = event->direction == POLB_EGRESS;

	(void)reader;
	printf("%s %-5s %-7s %s [%s] %s %s%s%s%s %s/%u  rule %u %s\n", text->when,
		verdict_text(event->verdict), egress ? "egress" : "ingress", text->endpoint,
		text->local, egress ? "->" : "<-", text->remote, *text->identity ? " (" : "",
		text->identity, *text->identity ? ")" : "", text->protocol, policy_port(event),
		event->rule, text->rule);
}

static void json_member(const char *name, const char *value)
{
	printf(",\"%s\":", name);
	pold_json_string(value);
}

static void json_rule(const struct polb_bundle *b, const struct polb_event *event)
{
	size_t index = (size_t)event->rule - POLB_RULE_FIRST;
	char text[768];

	printf(",\"rule\":%u", event->rule);
	if (event->rule < POLB_RULE_FIRST || index >= b->n_rules) {
		polb_bundle_rule_text(b, event->rule, text, sizeof(text));
		json_member("reason", text);
		return;
	}
	json_member("kind", polb_bundle_string(b, b->rules[index].policy_kind));
	snprintf(text, sizeof(text), "%s%s%s",
		polb_bundle_string(b, b->rules[index].policy_namespace),
		*polb_bundle_string(b, b->rules[index].policy_namespace) ? "/" : "",
		polb_bundle_string(b, b->rules[index].policy_name));
	json_member("policy", text);
	if (index < b->n_sources) {
		snprintf(text, sizeof(text), "%s:%u", b->source_strings + b->sources[index].file,
			b->sources[index].line);
		json_member("source", text);
	}
	if (b->rules[index].log)
		json_member("log", polb_bundle_string(b, b->rules[index].log));
}

static void print_json(
	const struct reader *reader, const struct polb_event *event, const struct event_text *text)
{
	printf("{\"time\":\"%s\",\"verdict\":\"%s\",\"direction\":\"%s\"", text->when,
		verdict_text(event->verdict),
		event->direction == POLB_EGRESS ? "egress" : "ingress");
	json_member("endpoint", text->endpoint);
	printf(",\"local\":{\"address\":\"%s\"", text->local);
	if (!is_icmp(event))
		printf(",\"port\":%u", event->local_port);
	printf("},\"peer\":{\"address\":\"%s\"", text->remote);
	if (!is_icmp(event))
		printf(",\"port\":%u", event->remote_port);
	printf(",\"identity\":%u", event->peer_identity);
	json_member("labels", text->identity);
	printf("},\"protocol\":\"%s\"", text->protocol);
	if (is_icmp(event))
		printf(",\"icmp_type\":%u,\"icmp_code\":%u", event->remote_port, event->local_port);
	else
		printf(",\"port\":%u", policy_port(event));
	if (event->protocol == IPPROTO_TCP)
		printf(",\"tcp_flags\":%u", event->tcp_flags);
	printf(",\"bytes\":%u,\"generation\":%u", event->length, event->generation);
	json_rule(&reader->state.bundle, event);
	puts("}");
}

static bool finished(const struct reader *reader)
{
	return stopped || (reader->options->count && reader->seen >= reader->options->count);
}

static int on_event(void *context, void *data, size_t size)
{
	struct reader *reader = context;
	const struct polb_event *event = data;
	struct event_text text;

	if (size < sizeof(*event) || event->type != POLB_EVENT_VERDICT || finished(reader))
		return 0;
	describe(reader, event, &text);
	if (reader->json)
		print_json(reader, event, &text);
	else
		print_compact(reader, event, &text);
	reader->seen++;
	return finished(reader) ? -ECANCELED : 0;
}

/* Events that programs could not send, so far, in this generation. */
static uint64_t lost_events(const struct pold_state *state)
{
	struct {
		__u64 since_ns;
		__u32 used, dropped;
	} * values;
	POLB_FD fd = pold_state_map(state, "polt_bucket");
	int cpus = libbpf_num_possible_cpus();
	POLB_FREE void *memory = cpus > 0 ? calloc((size_t)cpus, sizeof(*values)) : NULL;
	uint64_t lost = 0;
	__u32 zero = 0;

	values = memory;
	if (fd < 0 || !values || bpf_map_lookup_elem(fd, &zero, values))
		return 0;
	for (int cpu = 0; cpu < cpus; cpu++)
		lost += values[cpu].dropped;
	return lost;
}

static void reader_close(struct reader *reader)
{
	ring_buffer__free(reader->ring);
	polb_cleanup_fd(&reader->identities_fd);
	pold_state_close(&reader->state);
	reader->ring = NULL;
	reader->identities_fd = -1;
}

static int reader_open(struct reader *reader)
{
	POLB_FD events_fd = -1;
	int code = pold_state_open(&reader->state, reader->options->name, false);

	if (code)
		return code;
	pold_state_unlock(&reader->state);
	events_fd = pold_state_map(&reader->state, "polt_events");
	reader->identities_fd = pold_identities_open(reader->state.name, false);
	if (events_fd >= 0)
		reader->ring = ring_buffer__new(events_fd, on_event, reader, NULL);
	if (!reader->ring)
		return pold_fail(POLD_ENVIRONMENT, "cannot open the events of %s: %s",
			reader->state.name, strerror(errno));
	reader->lost = lost_events(&reader->state);
	return POLD_OK;
}

/* Another generation took over: its events are in another ring. */
static int reader_follow(struct reader *reader)
{
	uint32_t generation, epoch;
	int code;

	if (polb_control_load(reader->state.control_fd, &generation, &epoch) || stopped ||
		generation == reader->state.generation)
		return POLD_OK;
	reader_close(reader);
	code = reader_open(reader);
	return code;
}

static int read_events(struct reader *reader)
{
	double timeout_s = reader->options->timeout_s;
	int64_t end_ns = clock_ns(CLOCK_MONOTONIC) + (int64_t)(timeout_s * 1e9);

	while (!finished(reader)) {
		int64_t left_ms = (end_ns - clock_ns(CLOCK_MONOTONIC)) / 1000000;
		int wait_ms = timeout_s >= 0 && left_ms < POLL_MS ? (int)left_ms : POLL_MS;
		int result = ring_buffer__poll(reader->ring, wait_ms < 0 ? 0 : wait_ms);

		fflush(stdout);
		if (result < 0 && result != -EINTR && result != -ECANCELED)
			return pold_fail(POLD_ENVIRONMENT, "reading events: %s", strerror(-result));
		if (result == 0 && timeout_s >= 0 && left_ms <= 0)
			return POLD_OK;
		result = result > 0 ? POLD_OK : reader_follow(reader);
		if (result)
			return result;
	}
	return POLD_OK;
}

int pold_cmd_events(const struct pold_options *options)
{
	struct reader reader = {.options = options, .state = POLD_STATE_INIT, .identities_fd = -1};
	const struct sigaction action = {.sa_handler = stop};
	int code = pold_options_arguments(options, 0, 0, "events [-o json|compact] ...");
	uint64_t lost;

	if (code)
		return code;
	reader.json = options->output && strcmp(options->output, "json") == 0;
	reader.wall_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	code = reader_open(&reader);
	if (!code)
		code = read_events(&reader);
	lost = reader.ring ? lost_events(&reader.state) : 0;
	if (lost > reader.lost)
		pold_note("note: %llu events were lost", (unsigned long long)(lost - reader.lost));
	reader_close(&reader);
	return code;
}
