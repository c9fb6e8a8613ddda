// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The compiler, the kernel and the model side by side: every packet is asked of both.
#include "battery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "decision.h"
#include "kernel.h"

/* --- one set through the compiler ----------------------------------------------------------- */

static bool read_text(struct subject *subject, const char *text, size_t len)
{
	char path[] = "/tmp/oracle-XXXXXX.yaml";
	int fd = mkstemps(path, 5);
	bool written = fd >= 0 && write(fd, text, len) == (ssize_t)len;

	if (fd >= 0)
		close(fd);
	bool ok = written && polc_read_policies(&subject->polc, &subject->input, path) == 0;

	unlink(path);
	polc_read_finish(&subject->polc, &subject->input);
	return ok;
}

static enum polc_posture posture_of(const char *text)
{
	if (strstr(text, "# posture always"))
		return POLC_POSTURE_ALWAYS;
	return strstr(text, "# posture deny") ? POLC_POSTURE_DENY : POLC_POSTURE_ALLOW;
}

bool subject_open(struct subject *subject, const char *text, size_t len)
{
	struct polc *polc = &subject->polc;
	const struct polc_lower_options options = {
		.dialect = POLC_DIALECT_KUBERNETES, .posture = posture_of(text)};

	*subject = (struct subject){0};
	polc_init(polc);
	subject->input.inventory.given = true;
	if (!read_text(subject, text, len) || polc->n_errors)
		return false;
	subject->network = polc_lower_network(polc, &subject->input, &options);
	if (polc->n_errors)
		return false;
	polc_network_verify(subject->network);
	subject->identities = polc_identities_build(polc, &subject->input.inventory, NULL);
	subject->plan = polc_plan_build(polc, subject->network, subject->identities);
	if (polc->n_errors || !subject->plan)
		return false;
	polc_plan_verify(subject->plan);
	return true;
}

bool subject_build(struct subject *subject, struct polc_buf *report)
{
	const struct polc_build_options options = {
		.hooks = POLB_HOOK_CGROUP | POLB_HOOK_TC, .flow_entries = 16384};
	char error[POLB_ERROR_TEXT] = "";

	int status = polc_bundle_build(
		&subject->polc, subject->plan, &options, &subject->data, &subject->size);

	if (status < 0) {
		polc_buf_printf(report, "cannot build the bundle: %s\n", strerror(-status));
		return false;
	}
	if (polb_bundle_read(subject->data, subject->size, &subject->bundle, error) < 0) {
		polc_buf_printf(report, "cannot read the bundle just built: %s\n", error);
		return false;
	}
	return true;
}

void subject_close(struct subject *subject)
{
	free(subject->data);
	polc_free(&subject->polc);
}

/* --- one packet ----------------------------------------------------------------------------- */

enum { MAX_COUNTED_RULES = 96 }; /* beyond, only their sums are checked */

/* A packet that was asked, for the report. */
struct asked {
	enum hook hook;
	struct packet packet;
};

/* A generation: a bundle, loaded, and what its counters should say. */
struct side {
	struct subject *subject;
	struct kernel kernel;
	uint64_t *expected, *before; /* packets by rule: sure ones since `before` */
	uint64_t *last, *now;        /* before and after one packet */
	uint64_t expected_total;
	struct model_fragments fragments; /* every generation has its own map of them */
	struct polc_network network;      /* the subject's, with the modes of now */
	struct polc_switchable *switchables;
};

struct session {
	struct battery *battery;
	struct side sides[2];
	unsigned n_sides;
	struct side *side; /* in force */
	struct model model;
	struct asker asker;
	uint32_t endpoint_number;
	bool adopt;
	POLC_VEC(struct asked) log; /* of this endpoint */
	struct polb_peer alias_old;
};

struct observation {
	uint32_t retval;
	bool flow_exists;
	struct polb_flow flow;
};

static const char *verdict_text(unsigned verdict)
{
	static const char *const texts[] = {"none", "allow", "deny", "pass", "audit"};

	return verdict < POLC_ARRAY_SIZE(texts) ? texts[verdict] : "?";
}

static void print_rule(const struct session *s, uint32_t rule, struct polc_buf *out)
{
	char text[256] = "";

	polb_bundle_rule_text(&s->side->subject->bundle, rule, text, sizeof(text));
	polc_buf_printf(out, "%u (%s)", rule, text);
}

static bool same_pair(const struct packet *a, const struct packet *b)
{
	const struct polb_addr *remote_a = a->direction ? &a->spec.dst : &a->spec.src;
	const struct polb_addr *remote_b = b->direction ? &b->spec.dst : &b->spec.src;

	return !polb_addr_compare(remote_a, remote_b) &&
	       (a->direction ? a->spec.sport : a->spec.dport) ==
		       (b->direction ? b->spec.sport : b->spec.dport);
}

static void print_log(const struct session *s, struct polc_buf *out)
{
	const struct asked *last = &s->log.items[s->log.n - 1];
	size_t first = s->log.n > 400 ? s->log.n - 400 : 0;

	polc_buf_puts(out, "packets of the same peer and local port, oldest first:\n");
	for (size_t i = first; i < s->log.n; i++) {
		const struct asked *asked = &s->log.items[i];

		if (asked != last && !same_pair(&asked->packet, &last->packet))
			continue;
		polc_buf_printf(out, "  %s ", hook_names[asked->hook]);
		packet_print(&asked->packet, out);
		polc_buf_puts(out, "\n");
	}
}

/* Writes what differs; the caller stops. */
static enum outcome mismatch(struct session *s, const struct expectation *want,
	const struct observation *got, const char *what)
{
	struct polc_buf *out = s->battery->report;
	const struct asked *asked = &s->log.items[s->log.n - 1];
	const struct polc_pod *pod = s->asker.endpoint->pod;

	s->battery->what = what;
	s->battery->step = want->step;
	polc_buf_printf(out,
		"mismatch: %s\nendpoint %s/%s on %s (number %u, tables %s/%s)%s%s%s%s\n", what,
		pod->namespace, pod->name, pod->node ? pod->node : "no node", s->endpoint_number,
		s->model.no_policy[0] ? "none" : "some", s->model.no_policy[1] ? "none" : "some",
		s->model.host_netns ? ", host network" : "", s->model.audit ? ", audit mode" : "",
		s->adopt ? ", adopting" : "", s->model.aliased ? ", identity changed" : "");
	if (s->n_sides > 1)
		polc_buf_printf(out, "in force: %s policies\n",
			s->side == s->sides ? "all" : "half of the");
	polc_buf_printf(out, "packet at %s: ", hook_names[asked->hook]);
	packet_print(&asked->packet, out);
	polc_buf_printf(
		out, "\nexpected: %s, step %s, rule", verdict_text(want->verdict), want->step);
	for (size_t i = 0; i < want->n_candidates; i++) {
		polc_buf_puts(out, i ? " or " : " ");
		print_rule(s, want->candidates[i], out);
	}
	polc_buf_printf(out, "\nkernel:   returned %d, %u events", (int)got->retval,
		s->side->kernel.n_events);
	if (s->side->kernel.n_events) {
		polc_buf_printf(out, ", last: %s by ", verdict_text(s->side->kernel.event.verdict));
		print_rule(s, s->side->kernel.event.rule, out);
	}
	if (want->has_flow)
		polc_buf_printf(out, "\nflow:     expected %s, found %s",
			want->flow_exists ? "one" : "none", got->flow_exists ? "one" : "none");
	if (want->has_flow && got->flow_exists) {
		polc_buf_printf(out, ": %s, epoch %u, origin %s, rule ",
			verdict_text(got->flow.state & 0xff), (unsigned)(got->flow.state >> 32),
			got->flow.origin ? "egress" : "ingress");
		print_rule(s, (uint32_t)(got->flow.state >> 8) & 0xffffff, out);
	}
	polc_buf_puts(out, "\n");
	print_log(s, out);
	return OUTCOME_MISMATCH;
}

static bool is_candidate(const struct expectation *want, uint32_t rule)
{
	for (size_t i = 0; i < want->n_candidates; i++)
		if (want->candidates[i] == rule)
			return true;
	return false;
}

static bool retval_is_right(enum hook hook, bool pass, uint32_t retval)
{
	if (hook == HOOK_CGROUP)
		return retval == (pass ? 1 : 0);
	return (int32_t)retval == (pass ? -1 : 2);
}

/* NULL, or what is wrong with the event of a denied or audited packet. */
static const char *check_event(
	const struct session *s, const struct packet *packet, const struct expectation *want)
{
	const struct polb_event *event = &s->side->kernel.event;
	const struct polc_packet_spec *spec = &packet->spec;
	bool out = packet->direction == POLC_EGRESS;
	const struct polb_addr *local = out ? &spec->src : &spec->dst;
	const struct polb_addr *remote = out ? &spec->dst : &spec->src;

	if (want->verdict == POLB_VERDICT_ALLOW)
		return s->side->kernel.n_events > 1 ? "several events of an allowed packet" : NULL;
	if (s->side->kernel.n_events > 1)
		return "several events of one packet";
	if (!s->side->kernel.n_events)
		return want->verdict == POLB_VERDICT_DENY ? "a denial without event" : NULL;
	if (event->verdict != want->verdict)
		return "the event has another verdict";
	if (!is_candidate(want, event->rule))
		return "the event names another rule";
	if (event->direction != packet->direction || event->endpoint != s->endpoint_number ||
		event->generation != s->side->kernel.generation)
		return "the event has another direction, endpoint or generation";
	if (packet->damage != DAMAGE_NONE || packet->frame != FRAME_IP)
		return NULL;
	if (event->family != spec->family || event->protocol != spec->protocol ||
		memcmp(event->local, local->bytes, 16) || memcmp(event->remote, remote->bytes, 16))
		return "the event has other addresses or another protocol";
	if (packet_is_icmp(spec) && !spec->fragment &&
		(event->remote_port != spec->icmp_type || event->local_port != spec->icmp_code))
		return "the event has another ICMP type or code";
	return NULL;
}

static const char *check_flow(
	const struct session *s, const struct expectation *want, const struct observation *got)
{
	if (!want->has_flow)
		return NULL;
	if (got->flow_exists != want->flow_exists)
		return want->flow_exists ? "no flow was kept"
		       : want->flow_left ? NULL
					 : "a flow was kept";
	if (!got->flow_exists)
		return NULL;
	if (got->flow.state >> 32 != want->flow_epoch || got->flow.origin != want->flow_origin)
		return "the flow has another epoch or origin";
	if ((got->flow.state & 0xff) != want->flow_verdict)
		return "the flow has another verdict";
	if (want->verdict != POLB_VERDICT_DENY &&
		!is_candidate(want, (uint32_t)(got->flow.state >> 8) & 0xffffff))
		return "the flow names another rule";
	return s->side->kernel.epoch == want->flow_epoch || !want->pass ? NULL
									: "a stale flow was used";
}

static void expect_count(struct session *s, const struct expectation *want)
{
	if (!want->counted)
		return;
	s->side->expected_total++;
	if (want->n_candidates == 1)
		s->side->expected[want->candidates[0]]++;
}

/* The packet must have been counted for one of the candidates, and for nothing else. */
static const char *check_count(struct session *s, const struct expectation *want)
{
	struct side *side = s->side;
	const char *wrong = NULL;
	unsigned counted = 0;

	if (side->kernel.n_rules > MAX_COUNTED_RULES)
		return NULL;
	kernel_counters(&side->kernel, side->now);
	for (uint32_t rule = 0; rule < side->kernel.n_rules; rule++) {
		if (side->now[rule] == side->last[rule])
			continue;
		counted++;
		if (!is_candidate(want, rule))
			wrong = "counted for another rule";
		side->last[rule] = side->now[rule];
	}
	return counted == want->counted ? wrong : "not counted once";
}

/* polb_decide() must say the same of a flow that begins, to the rule. */
static const char *check_decision(const struct session *s, const struct packet *packet,
	const struct expectation *want, const struct observation *got)
{
	const struct side *side = s->side;
	bool kept = want->verdict != POLB_VERDICT_DENY && want->has_flow && got->flow_exists;
	uint32_t rule =
		kept ? (uint32_t)(got->flow.state >> 8) & 0xffffff : side->kernel.event.rule;

	if (strcmp(want->step, "8 new flow") && strcmp(want->step, "9 decided, no flow"))
		return NULL;
	return decision_differs(&side->kernel, &side->subject->bundle, s->endpoint_number, packet,
		kept ? (enum polc_direction)got->flow.origin : packet->direction, want->verdict,
		kept || side->kernel.n_events ? &rule : NULL);
}

static enum outcome ask_packet(struct session *s, enum hook hook, const struct packet *packet)
{
	uint8_t frame[FRAME_BYTES];
	struct expectation want;
	struct observation got = {0};
	size_t size;
	const char *wrong;

	*polc_vec_push(s->model.arena, &s->log) = (struct asked){hook, *packet};
	if (packet_bytes(packet, frame, &size) < 0)
		POLC_BUG("a packet that cannot be built");
	model_packet(&s->model, packet, &want);
	int status =
		kernel_run(&s->side->kernel, hook, packet->direction, frame, size, &got.retval);

	if (status < 0) {
		polc_buf_printf(
			s->battery->report, "cannot run the program: %s\n", strerror(-status));
		return OUTCOME_ENVIRONMENT;
	}
	if (want.has_flow)
		got.flow_exists = kernel_flow(&s->side->kernel, &want.key, &got.flow);
	s->battery->asked++;
	s->battery->by_verdict[want.verdict]++;
	s->battery->opened += want.flow_exists && !strcmp(want.step, "8 new flow");
	expect_count(s, &want);
	if (!retval_is_right(hook, want.pass, got.retval))
		return mismatch(s, &want, &got, "verdict");
	if ((wrong = check_event(s, packet, &want)) || (wrong = check_flow(s, &want, &got)) ||
		(wrong = check_count(s, &want)) || (wrong = check_decision(s, packet, &want, &got)))
		return mismatch(s, &want, &got, wrong);
	return OUTCOME_AGREE;
}

/* Whether a table is "no policy", with the modes of now and with every policy enforced. */
static void find_free(const struct side *side, uint32_t table, bool *now, bool *all)
{
	const struct polc_plan_variant *v = polc_plan_variant_of(side->subject->plan, table);
	uint32_t enforced = 0;

	*now = *all = table == 0;
	if (!v)
		return;
	for (uint32_t i = 0; i < v->n_policies; i++)
		if (!side->switchables[v->policies[i]].audit)
			enforced |= 1u << i;
	*now = v->tables[enforced] == 0;
	*all = v->tables[(1u << v->n_policies) - 1] == 0;
}

/* Points the model at endpoint `index` of the side in force. */
static void set_endpoint(struct session *s, uint32_t index)
{
	const struct polc_plan_endpoint *planned = &s->side->subject->plan->endpoints[index];
	const struct polc_identities *ids = s->side->subject->identities;

	for (size_t i = 0; i < 2; i++)
		find_free(s->side, planned->table[i], &s->model.no_policy[i],
			&s->model.no_policy_all[i]);
	for (size_t i = 0; i < ids->endpoints.n; i++)
		if (ids->endpoints.items[i].pod == planned->pod) {
			s->model.endpoint = &ids->endpoints.items[i];
			s->asker.endpoint = s->model.endpoint;
			return;
		}
	POLC_BUG("an endpoint of the plan that is not in the inventory");
}

/* --- what happens between packets ----------------------------------------------------------- */

static int next_epoch(struct session *s)
{
	s->model.epoch++;
	return kernel_set_epoch(&s->side->kernel, s->side->kernel.generation, s->model.epoch);
}

/* One address becomes what another is, or itself again. */
static int change_identity(struct session *s)
{
	const struct polc_identities *ids = s->side->subject->identities;
	const struct polb_addr *from, *to;

	if (s->model.aliased) {
		s->model.aliased = false;
		kernel_set_peer(&s->side->kernel, &s->model.alias_from, &s->alias_old);
		return next_epoch(s);
	}
	from = &ids->addresses.items[rng_below(&s->asker.rng, (unsigned)ids->addresses.n)].addr;
	to = &ids->addresses.items[rng_below(&s->asker.rng, (unsigned)ids->addresses.n)].addr;
	for (size_t i = 0; i < s->asker.endpoint->pod->addrs.n; i++)
		if (!polb_addr_compare(to, &s->asker.endpoint->pod->addrs.items[i]) ||
			!polb_addr_compare(from, &s->asker.endpoint->pod->addrs.items[i]))
			return 0;
	if (from->family != to->family || from->bytes[0] == 127 || to->bytes[0] == 127 ||
		!from->bytes[0] || !to->bytes[0])
		return 0;
	if (kernel_alias(&s->side->kernel, from, to, &s->alias_old) < 0)
		return 0; /* not in the exact map: nothing any rule could see */
	s->model.aliased = true;
	s->model.alias_from = *from;
	s->model.alias_to = *to;
	return next_epoch(s);
}

/* The other generation comes into force; identities and the mode are its own. */
static int change_generation(struct session *s)
{
	struct side *next = &s->sides[s->side == &s->sides[0]];

	if (s->n_sides < 2)
		return 0;
	if (s->model.aliased)
		change_identity(s);
	s->side->fragments = s->model.fragments;
	s->side = next;
	s->model.fragments = next->fragments;
	s->model.network = &next->network;
	s->model.identities = next->subject->identities;
	set_endpoint(s, s->endpoint_number - 1);
	s->model.audit = false;
	kernel_set_audit(&next->kernel, false);
	return next_epoch(s);
}

/* Some policies go into the other mode. */
static int change_modes(struct session *s)
{
	struct side *side = s->side;
	uint32_t *modes = POLC_NEW_ARRAY(s->model.arena, side->network.n_switchables, uint32_t);

	for (size_t i = 0; i < side->network.n_switchables; i++) {
		side->switchables[i].audit ^= rng_chance(&s->asker.rng, 50);
		modes[i] = side->switchables[i].audit;
	}
	if (kernel_set_modes(&side->kernel, &side->subject->bundle, modes) < 0)
		return -EIO;
	set_endpoint(s, s->endpoint_number - 1);
	return next_epoch(s);
}

static void age_flow(struct session *s)
{
	struct polb_flow_key key;

	if (s->log.n && model_age(&s->model, &s->log.items[s->log.n - 1].packet, &key))
		kernel_age_flow(&s->side->kernel, &key);
}

static int disturb(struct session *s)
{
	unsigned dice = rng_below(&s->asker.rng, 1000);

	if (dice < 15)
		return next_epoch(s);
	if (dice < (s->model.audit ? 80 : 22)) {
		s->model.audit = !s->model.audit;
		kernel_set_audit(&s->side->kernel, s->model.audit);
		return next_epoch(s);
	}
	if (dice >= 900 && dice < 930)
		age_flow(s);
	if (dice >= 930 && dice < 940)
		return change_generation(s);
	if (dice >= 940 && dice < 970 && s->side->network.n_switchables)
		return change_modes(s);
	return dice >= 990 ? change_identity(s) : 0;
}

/* A generation that is not the active one passes everything and touches nothing. */
static enum outcome check_inert(struct session *s)
{
	uint32_t generation = s->side->kernel.generation;
	uint8_t frame[FRAME_BYTES];
	struct packet packet;
	uint32_t retval = 0;
	size_t size;

	kernel_set_epoch(&s->side->kernel, generation + 1, s->model.epoch);
	for (unsigned i = 0; i < 8; i++) {
		asker_next(&s->asker, i & 1, &packet);
		packet_bytes(&packet, frame, &size);
		kernel_run(&s->side->kernel, i & 1, packet.direction, frame, size, &retval);
		s->battery->asked++;
		if (retval_is_right(i & 1, true, retval) && !s->side->kernel.n_events)
			continue;
		s->battery->what = "inactive";
		polc_buf_printf(s->battery->report,
			"mismatch: an inactive generation acts: returned %d, %u events\n",
			(int)retval, s->side->kernel.n_events);
		return OUTCOME_MISMATCH;
	}
	s->asker.n_history = 0;
	kernel_set_epoch(&s->side->kernel, generation, s->model.epoch);
	return OUTCOME_AGREE;
}

/* Every packet adds one to exactly one rule. */
static enum outcome check_counters(struct session *s, const struct side *side)
{
	uint32_t n = side->kernel.n_rules;
	uint64_t *after = calloc(n, sizeof(*after)), total = 0;
	enum outcome outcome = OUTCOME_AGREE;

	kernel_counters(&side->kernel, after);
	for (uint32_t rule = 0; rule < n; rule++) {
		uint64_t counted = after[rule] - side->before[rule];

		total += counted;
		if (counted >= side->expected[rule])
			continue;
		s->battery->what = "rule counter";
		polc_buf_printf(s->battery->report,
			"mismatch: rule %u counted %llu packets, expected at least %llu\n", rule,
			(unsigned long long)counted, (unsigned long long)side->expected[rule]);
		outcome = OUTCOME_MISMATCH;
	}
	if (total != side->expected_total) {
		s->battery->what = "counters";
		polc_buf_printf(s->battery->report,
			"mismatch: %llu packets counted, expected %llu\n",
			(unsigned long long)total, (unsigned long long)side->expected_total);
		outcome = OUTCOME_MISMATCH;
	}
	free(after);
	return outcome;
}

/* --- one endpoint, one node, one set -------------------------------------------------------- */

static int begin_side(struct session *s, struct side *side, uint64_t *key)
{
	int status = kernel_select(&side->kernel, s->endpoint_number, key);

	if (status < 0)
		return status;
	kernel_set_audit(&side->kernel, false);
	side->expected_total = 0;
	side->fragments = (struct model_fragments){0};
	memset(side->expected, 0, side->kernel.n_rules * sizeof(*side->expected));
	kernel_counters(&side->kernel, side->last);
	return kernel_counters(&side->kernel, side->before);
}

static int begin_endpoint(struct session *s, uint32_t index)
{
	uint64_t key = 0;
	uint32_t epoch = s->model.epoch;

	s->endpoint_number = index + 1;
	for (unsigned i = 0; i < s->n_sides; i++)
		if (begin_side(s, &s->sides[i], &key) < 0)
			return -EIO;
	model_init(&s->model, &s->sides[0].subject->polc.arena);
	s->model.network = &s->side->network;
	s->model.identities = s->side->subject->identities;
	s->model.endpoint_key = key;
	s->model.adopt = s->adopt;
	s->model.epoch = epoch;
	s->model.host_netns = s->side->subject->plan->endpoints[index].pod->host_network;
	s->log.n = 0;
	asker_endpoint(&s->asker, NULL);
	set_endpoint(s, index);
	return next_epoch(s);
}

static enum outcome ask_endpoint(struct session *s, uint32_t index, unsigned long cases)
{
	enum outcome outcome;
	struct packet packet;

	if (begin_endpoint(s, index) < 0) {
		polc_buf_puts(s->battery->report, "cannot select an endpoint\n");
		return OUTCOME_ENVIRONMENT;
	}
	for (unsigned long i = 0; i < cases; i++) {
		enum hook hook = rng_below(&s->asker.rng, N_HOOKS);

		asker_next(&s->asker, hook == HOOK_TC, &packet);
		outcome = ask_packet(s, hook, &packet);
		if (outcome != OUTCOME_AGREE)
			return outcome;
		if (disturb(s) < 0)
			return OUTCOME_ENVIRONMENT;
	}
	if (s->model.aliased)
		kernel_set_peer(&s->side->kernel, &s->model.alias_from, &s->alias_old);
	for (unsigned i = 0; i < s->n_sides; i++) {
		outcome = check_counters(s, &s->sides[i]);
		if (outcome != OUTCOME_AGREE)
			return outcome;
	}
	return check_inert(s);
}

/* What is nobody's passes: its endpoint comes into force by one store. */
static enum outcome ask_nobody(struct session *s)
{
	uint64_t key;
	struct packet packet;
	uint8_t frame[FRAME_BYTES];
	uint32_t retval = 0;
	size_t size;

	kernel_select(&s->side->kernel, 0, &key);
	kernel_forget_interface(&s->side->kernel);
	kernel_set_audit(&s->side->kernel, false);
	for (unsigned i = 0; i < 8; i++) {
		do
			asker_next(&s->asker, i & 1, &packet);
		while (packet.frame != FRAME_IP);
		packet_bytes(&packet, frame, &size);
		kernel_run(&s->side->kernel, i & 1, packet.direction, frame, size, &retval);
		s->battery->asked++;
		if (retval_is_right(i & 1, true, retval))
			continue;
		s->battery->what = "nobody";
		polc_buf_printf(s->battery->report,
			"mismatch: %s without an endpoint returned %d: ", hook_names[i & 1],
			(int)retval);
		packet_print(&packet, s->battery->report);
		polc_buf_puts(s->battery->report, "\n");
		return OUTCOME_MISMATCH;
	}
	return OUTCOME_AGREE;
}

static bool same_node(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static enum outcome load_side(struct session *s, struct side *side, const char *node)
{
	struct polc_arena *arena = &side->subject->polc.arena;
	const struct kernel *shared = side == &s->sides[0] ? NULL : &s->sides[0].kernel;
	char error[POLB_ERROR_TEXT] = "";

	if (kernel_load(&side->kernel, &side->subject->bundle, node, s->adopt, shared, error) < 0) {
		polc_buf_printf(s->battery->report, "cannot load: %s\n", error);
		return OUTCOME_ENVIRONMENT;
	}
	side->network = *side->subject->network;
	side->switchables =
		POLC_NEW_ARRAY(arena, side->network.n_switchables, struct polc_switchable);
	for (size_t i = 0; i < side->network.n_switchables; i++)
		side->switchables[i] = side->subject->network->switchables[i];
	side->network.switchables = side->switchables;
	side->expected = POLC_NEW_ARRAY(arena, side->kernel.n_rules, uint64_t);
	side->before = POLC_NEW_ARRAY(arena, side->kernel.n_rules, uint64_t);
	side->last = POLC_NEW_ARRAY(arena, side->kernel.n_rules, uint64_t);
	side->now = POLC_NEW_ARRAY(arena, side->kernel.n_rules, uint64_t);
	return OUTCOME_AGREE;
}

/* All endpoints of one node, `cases` packets each. */
static enum outcome ask_node(struct session *s, const char *node, unsigned long cases)
{
	const struct polc_plan *plan = s->sides[0].subject->plan;
	enum outcome outcome = OUTCOME_AGREE;

	s->adopt = rng_chance(&s->asker.rng, 25);
	s->side = &s->sides[0];
	s->model.epoch = 1;
	for (unsigned i = 0; i < s->n_sides && outcome == OUTCOME_AGREE; i++)
		outcome = load_side(s, &s->sides[i], node);
	for (uint32_t i = 0; i < plan->n_endpoints && outcome == OUTCOME_AGREE; i++)
		if (same_node(plan->endpoints[i].pod->node, node))
			outcome = ask_endpoint(s, i, cases);
	if (outcome == OUTCOME_AGREE)
		outcome = ask_nobody(s);
	for (unsigned i = s->n_sides; i-- > 0;)
		kernel_free(&s->sides[i].kernel);
	return outcome;
}

enum outcome battery_run(struct battery *battery, struct subject *subject, struct subject *next)
{
	struct session s = {.battery = battery,
		.n_sides = next ? 2 : 1,
		.sides = {{.subject = subject}, {.subject = next}}};
	const struct polc_plan *plan = subject->plan;
	enum outcome outcome = OUTCOME_AGREE;

	if (!plan->n_endpoints)
		return OUTCOME_AGREE;
	asker_init(&s.asker, &subject->polc.arena, subject, battery->seed);
	for (uint32_t i = 0; i < plan->n_endpoints && outcome == OUTCOME_AGREE; i++) {
		bool seen = false;

		for (uint32_t j = 0; j < i; j++)
			seen |= same_node(
				plan->endpoints[i].pod->node, plan->endpoints[j].pod->node);
		if (!seen)
			outcome = ask_node(&s, plan->endpoints[i].pod->node,
				battery->cases / plan->n_endpoints + 1);
	}
	return outcome;
}

/* --- invariants of the evaluator ------------------------------------------------------------ */

static const struct polc_endpoint *find_endpoint(
	const struct subject *subject, const struct polc_pod *pod)
{
	for (size_t i = 0; i < subject->identities->endpoints.n; i++) {
		const struct polc_endpoint *e = &subject->identities->endpoints.items[i];

		if (!strcmp(e->pod->namespace, pod->namespace) && !strcmp(e->pod->name, pod->name))
			return e;
	}
	return NULL;
}

enum outcome battery_same_meaning(
	struct battery *battery, struct subject *a, struct subject *b, unsigned n_questions)
{
	const struct polc_identities *ids = a->identities;
	struct asker asker;

	asker_init(&asker, &a->polc.arena, a, battery->seed);
	for (unsigned i = 0; ids->endpoints.n && i < n_questions; i++) {
		struct polc_question question;
		struct polc_decision decision = {0}, other = {0};

		asker_endpoint(&asker, &ids->endpoints.items[i % ids->endpoints.n]);
		asker_question(&asker, &question);
		polc_evaluate(&a->polc.arena, a->network, a->identities, &question, &decision);
		question.endpoint = find_endpoint(b, question.endpoint->pod);
		if (!question.endpoint)
			POLC_BUG("an endpoint is missing in the other order");
		polc_evaluate(&b->polc.arena, b->network, b->identities, &question, &other);
		if (decision.verdict == other.verdict && decision.tier == other.tier)
			continue;
		battery->what = "order";
		polc_buf_printf(battery->report,
			"mismatch: in reverse order of documents another verdict: %s/%s %s "
			"protocol %u port %u\n",
			question.endpoint->pod->namespace, question.endpoint->pod->name,
			question.direction ? "egress" : "ingress", question.protocol,
			question.port);
		return OUTCOME_MISMATCH;
	}
	return OUTCOME_AGREE;
}
