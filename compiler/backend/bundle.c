/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From a plan to the records of a bundle. Everything is laid out in the plan's order, and strings
 * in the order they are first met, so equal plans give equal bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"

enum {
	DEFAULT_FLOW_ENTRIES = 65536,
	UDP_TIMEOUT_S = 30,
	/* as long as a closing connection may still be answered: Linux' own FIN timeout */
	CLOSING_TIMEOUT_S = 60,
};

static uint64_t hash_text(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 32;
}

static uint32_t *strings_slot(const struct polc_bundle_strings *s, const char *text)
{
	size_t i = hash_text(text) & (s->n_slots - 1);

	while (s->slots[i] && strcmp(s->bytes + s->slots[i], text))
		i = (i + 1) & (s->n_slots - 1);
	return &s->slots[i];
}

static void strings_grow(struct polc_bundle_strings *s)
{
	const uint32_t *old = s->slots;
	size_t n_old = s->n_slots;

	s->n_slots = n_old ? n_old * 2 : 256;
	s->slots = POLC_NEW_ARRAY(s->arena, s->n_slots, uint32_t);
	for (size_t i = 0; i < n_old; i++)
		if (old[i])
			*strings_slot(s, s->bytes + old[i]) = old[i];
}

static void strings_append(struct polc_bundle_strings *s, const char *text, size_t n)
{
	if (s->size + n > s->cap) {
		char *bytes = polc_arena_alloc(s->arena, (s->cap + n) * 2);

		if (s->size)
			memcpy(bytes, s->bytes, s->size);
		s->bytes = bytes;
		s->cap = (s->cap + n) * 2;
	}
	memcpy(s->bytes + s->size, text, n);
	s->size += n;
}

void polc_bundle_strings_init(struct polc_bundle_strings *s, struct polc_arena *arena)
{
	s->arena = arena;
	strings_append(s, "", 1);
	strings_grow(s);
}

static __u32 strings_add(struct polc_bundle_strings *s, const char *text)
{
	if (!text || !*text)
		return 0;
	uint32_t *slot = strings_slot(s, text);
	if (*slot)
		return *slot;
	if (s->size > UINT32_MAX / 2)
		POLC_BUG("strings of a bundle exceed 2 GiB");
	uint32_t offset = *slot = (uint32_t)s->size;
	strings_append(s, text, strlen(text) + 1);
	if (++s->n_used * 2 > s->n_slots)
		strings_grow(s);
	return offset;
}

__u32 polc_bundle_text(struct polc_bundle_builder *b, const char *s)
{
	return strings_add(&b->strings, s);
}

__u32 polc_bundle_source_text(struct polc_bundle_builder *b, const char *s)
{
	return strings_add(&b->source_strings, s);
}

#define NEW_TABLE POLC_BUNDLE_TABLE

static __u32 text(struct polc_bundle_builder *b, const char *s)
{
	return polc_bundle_text(b, s);
}

static struct polb_bundle_prefix bundle_prefix(const struct polb_prefix *prefix)
{
	struct polb_bundle_prefix out = {.family = prefix->addr.family, .len = prefix->len};

	memcpy(out.addr, prefix->addr.bytes, sizeof(out.addr));
	return out;
}

static void add_requirement(
	struct polc_bundle_builder *b, const struct polb_requirement *requirement)
{
	struct polb_bundle_requirement r = {
		.op = requirement->op,
		.source = text(b, requirement->source),
		.key = text(b, requirement->key),
		.first_value = (__u32)b->values.n,
		.n_values = (__u32)requirement->n_values,
	};

	for (size_t i = 0; i < requirement->n_values; i++) {
		__u32 value = text(b, requirement->values[i]);

		*polc_vec_push(&b->polc->arena, &b->values) = value;
	}
	*polc_vec_push(&b->polc->arena, &b->requirements) = r;
}

__u32 polc_bundle_requirements(
	struct polc_bundle_builder *b, const struct polb_requirement *requirements, size_t n)
{
	__u32 first = (__u32)b->requirements.n;

	for (size_t i = 0; i < n; i++)
		add_requirement(b, &requirements[i]);
	return first;
}

struct polb_bundle_selector polc_bundle_selector(
	struct polc_bundle_builder *b, const struct polb_selector *s)
{
	struct polb_bundle_selector out = {
		.kinds = s->kinds,
		.first_requirement =
			polc_bundle_requirements(b, s->requirements, s->n_requirements),
		.n_requirements = (__u32)s->n_requirements,
		.has_prefix = s->has_prefix,
		.first_except = (__u32)b->prefixes.n,
		.n_excepts = (__u32)s->n_excepts,
		.port_name = text(b, s->port_name),
		.port_number = s->port_number,
		.port_protocol = s->port_protocol,
	};

	if (s->has_prefix)
		out.prefix = bundle_prefix(&s->prefix);
	for (size_t j = 0; j < s->n_excepts; j++)
		*polc_vec_push(&b->polc->arena, &b->prefixes) = bundle_prefix(&s->excepts[j]);
	return out;
}

static void fill_selectors(struct polc_bundle_builder *b)
{
	size_t n = b->plan->n_selectors;
	struct polb_bundle_selector *out = NEW_TABLE(b, n, struct polb_bundle_selector);

	for (size_t i = 0; i < n; i++)
		out[i] = polc_bundle_selector(b, &b->plan->selectors[i]);
	b->bundle.selectors = out;
	b->bundle.n_selectors = n;
}

static __u32 bundle_action(enum polc_action action)
{
	switch (action) {
	case POLC_ALLOW:
		return POLB_VERDICT_ALLOW;
	case POLC_DENY:
		return POLB_VERDICT_DENY;
	case POLC_PASS:
		return POLB_VERDICT_PASS;
	}
	POLC_BUG("unknown action %d", (int)action);
}

static struct polb_bundle_rule rule_of(
	struct polc_bundle_builder *b, const struct polc_net_policy *policy)
{
	return (struct polb_bundle_rule){
		.policy_kind = text(b, polc_policy_kind_name(policy->kind)),
		.policy_namespace = text(b, policy->namespace),
		.policy_name = text(b, policy->name),
		.spec = policy->spec,
	};
}

static void fill_rules(struct polc_bundle_builder *b)
{
	const struct polc_network *network = b->plan->network;
	size_t n = network->n_rules + network->n_isolations;
	struct polb_bundle_rule *out = NEW_TABLE(b, n, struct polb_bundle_rule);

	for (size_t i = 0; i < network->n_rules; i++) {
		const struct polc_net_rule *rule = &network->rules[i];
		const struct polc_net_policy *policy = &network->policies[rule->policy];

		out[i] = rule_of(b, policy);
		out[i].index = (__u32)i - policy->first_rule;
		out[i].direction = rule->direction;
		out[i].action = bundle_action(rule->action);
		out[i].log = text(b, rule->log);
	}
	for (size_t i = network->n_rules; i < n; i++) {
		const struct polc_isolation *isolation = &network->isolations[i - network->n_rules];

		out[i] = rule_of(b, &network->policies[isolation->policy]);
		out[i].index = POLB_RULE_INDEX_ISOLATION;
		out[i].direction = isolation->direction;
		out[i].action = POLB_VERDICT_DENY;
	}
	b->bundle.rules = out;
	b->bundle.n_rules = n;
}

static struct polc_span span_of_rule(const struct polc_network *network, size_t index)
{
	if (index < network->n_rules)
		return network->rules[index].span;
	return network->policies[network->isolations[index - network->n_rules].policy].span;
}

static void fill_sources(struct polc_bundle_builder *b)
{
	const struct polc_network *network = b->plan->network;

	if (b->options->no_source)
		return;
	size_t n = network->n_rules + network->n_isolations;
	struct polb_bundle_source *out = NEW_TABLE(b, n, struct polb_bundle_source);
	for (size_t i = 0; i < n; i++) {
		struct polc_span span = span_of_rule(network, i);

		if (!span.source)
			continue;
		struct polc_position at = polc_source_position(
			&b->polc->arena, &b->polc->sources, span.source, span.begin);
		out[i] = (struct polb_bundle_source){
			.file = polc_bundle_source_text(
				b, polc_source_get(&b->polc->sources, span.source)->path),
			.line = at.line,
			.column = at.column,
		};
	}
	b->bundle.sources = out;
	b->bundle.n_sources = n;
}

static void fill_endpoints(struct polc_bundle_builder *b)
{
	size_t n = b->plan->n_endpoints;
	struct polb_bundle_endpoint *out = NEW_TABLE(b, n, struct polb_bundle_endpoint);

	for (size_t i = 0; i < n; i++) {
		const struct polc_plan_endpoint *e = &b->plan->endpoints[i];

		out[i] = (struct polb_bundle_endpoint){
			.namespace = text(b, e->pod->namespace),
			.name = text(b, e->pod->name),
			.node = text(b, e->pod->node),
			.cgroup = text(b, e->pod->cgroup),
			.interface = text(b, e->pod->interface),
			.identity = e->identity_number,
			.table = {e->table[0], e->table[1]},
			.flags = e->pod->host_network ? POLB_ENDPOINT_HOST_NETNS : 0,
		};
	}
	b->bundle.endpoints = out;
	b->bundle.n_endpoints = n;
}

static void fill_peers(struct polc_bundle_builder *b)
{
	size_t n = b->plan->n_peers;
	struct polb_bundle_peer *out = NEW_TABLE(b, n, struct polb_bundle_peer);

	for (size_t i = 0; i < n; i++) {
		const struct polc_plan_peer *peer = &b->plan->peers[i];

		out[i] = (struct polb_bundle_peer){
			.family = peer->addr.family,
			.identity = peer->identity_number,
			.class_id = peer->class_id,
			.local_class_id = peer->local_class_id,
			.node = text(b, peer->node),
		};
		memcpy(out[i].addr, peer->addr.bytes, sizeof(out[i].addr));
	}
	b->bundle.peers = out;
	b->bundle.n_peers = n;
}

/* In the bundle's order: family, address, length. */
static int compare_cidrs(const void *a, const void *b)
{
	const struct polb_bundle_prefix *x = &((const struct polb_bundle_cidr *)a)->prefix;
	const struct polb_bundle_prefix *y = &((const struct polb_bundle_cidr *)b)->prefix;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	int order = memcmp(x->addr, y->addr, sizeof(x->addr));
	return order ? order : (x->len > y->len) - (x->len < y->len);
}

static void fill_cidrs(struct polc_bundle_builder *b)
{
	size_t n = b->plan->n_cidrs;
	struct polb_bundle_cidr *out = NEW_TABLE(b, n, struct polb_bundle_cidr);

	for (size_t i = 0; i < n; i++)
		out[i] = (struct polb_bundle_cidr){
			.prefix = bundle_prefix(&b->plan->cidrs[i].prefix),
			.identity = b->plan->cidrs[i].identity_number,
			.class_id = b->plan->cidrs[i].class_id,
		};
	qsort(out, n, sizeof(*out), compare_cidrs);
	b->bundle.cidrs = out;
	b->bundle.n_cidrs = n;
}

static void fill_ports(struct polc_bundle_builder *b)
{
	size_t n = b->plan->n_ports;
	struct polb_bundle_ports *out = NEW_TABLE(b, n, struct polb_bundle_ports);

	for (size_t i = 0; i < n; i++)
		out[i] = (struct polb_bundle_ports){
			.first = b->plan->ports[i].first,
			.last = b->plan->ports[i].last,
			.class_id = b->plan->ports[i].class_id,
		};
	b->bundle.ports = out;
	b->bundle.n_ports = n;
}

static void fill_class(const struct polc_bundle_builder *b, const struct polc_plan_class *class,
	struct polb_class_head *head)
{
	struct polb_class_word *words = (struct polb_class_word *)(head + 1);

	for (uint32_t w = 0; w < b->plan->n_words; w++) {
		if (!class->bits[w])
			continue;
		if (head->n == b->bundle.manifest.class_words)
			POLC_BUG("a class has more than class_words words");
		words[head->n++] = (struct polb_class_word){.bits = class->bits[w], .word = w};
	}
}

static void fill_classes(struct polc_bundle_builder *b)
{
	size_t n = b->plan->n_classes;
	size_t size = polb_class_value_size(b->bundle.manifest.class_words);
	char *out = polc_arena_array(&b->polc->arena, n ? n : 1, size);

	for (size_t i = 0; i < n; i++)
		fill_class(b, &b->plan->classes[i], (struct polb_class_head *)(out + i * size));
	b->bundle.classes = out;
	b->bundle.n_classes = n;
}

static void fill_steps(struct polc_bundle_builder *b)
{
	size_t n = b->plan->n_steps, size = polb_step_value_size(b->plan->n_words);
	char *out = polc_arena_array(&b->polc->arena, n ? n : 1, size);
	POLC_VEC(struct polb_step_word) words = {0};

	for (size_t i = 0; i < n; i++) {
		const struct polc_plan_step *step = &b->plan->steps[i];
		struct polb_step_head *head = (struct polb_step_head *)(out + i * size);
		uint16_t *slots = (uint16_t *)(head + 1);

		*head = (struct polb_step_head){
			.action = step->action, .first_word = (uint32_t)words.n};
		for (uint32_t w = 0; w < b->plan->n_words; w++) {
			if (!step->mask[w])
				continue;
			*polc_vec_push(&b->polc->arena, &words) = (struct polb_step_word){
				.mask = step->mask[w], .rules = step->rule_base[w]};
			slots[w] = (uint16_t)(words.n - head->first_word);
		}
	}
	b->bundle.steps = out;
	b->bundle.n_steps = n;
	b->bundle.step_words = words.items;
	b->bundle.n_step_words = words.n;
}

static void fill_identities(struct polc_bundle_builder *b)
{
	const struct polc_identities *identities = b->plan->identities;
	size_t n = identities ? identities->identities.n : 0;
	struct polb_bundle_identity *out = NEW_TABLE(b, n, struct polb_bundle_identity);

	for (size_t i = 0; i < n; i++) {
		const struct polc_identity *identity = &identities->identities.items[i];

		out[i] = (struct polb_bundle_identity){
			.number = identity->number,
			.kinds = identity->kinds,
			.first_label = (__u32)b->labels.n,
			.n_labels = (__u32)identity->n_labels,
		};
		for (size_t j = 0; j < identity->n_labels; j++) {
			struct polb_bundle_label label = {
				.source = text(b, identity->labels[j].source),
				.key = text(b, identity->labels[j].key),
				.value = text(b, identity->labels[j].value),
			};

			*polc_vec_push(&b->polc->arena, &b->labels) = label;
		}
	}
	b->bundle.identities = out;
	b->bundle.n_identities = n;
}

static void fill_manifest(struct polc_bundle_builder *b, const char *clang_version)
{
	const struct polc_plan *plan = b->plan;
	const struct polc_build_options *options = b->options;
	struct polb_manifest *m = &b->bundle.manifest;

	*m = (struct polb_manifest){
		.magic = POLB_BUNDLE_MAGIC,
		.version = POLB_BUNDLE_VERSION,
		.abi_version = POLB_ABI_VERSION,
		.hooks = (options->only_tracing ? 0 : polc_bundle_hooks(plan, options)) |
			 (options->tracing ? POLB_HOOK_TRACE : 0),
		.n_words = plan->n_words,
		.class_words = plan->class_words ? plan->class_words : 1,
		.n_port_classes = plan->n_port_classes,
		.n_tables = plan->n_tables,
		.has_cidr4 = polc_bundle_has_cidr(plan, 4),
		.has_cidr6 = polc_bundle_has_cidr(plan, 6),
		.n_rules = (__u32)(plan->network->n_rules + plan->network->n_isolations),
		.flow_entries =
			options->flow_entries ? options->flow_entries : DEFAULT_FLOW_ENTRIES,
		.udp_timeout_s = UDP_TIMEOUT_S,
		.closing_timeout_s = CLOSING_TIMEOUT_S,
		.posture = plan->network->posture,
		.dialect = options->dialect,
		.audit = options->audit,
		.polc_version = text(b, POLC_VERSION),
		.clang_version = text(b, clang_version),
		.cluster_name = text(b, options->cluster_name),
	};
	if (options->inventory_hash)
		memcpy(m->inventory_hash, options->inventory_hash, sizeof(m->inventory_hash));
}

static void fill_network(struct polc_bundle_builder *b)
{
	const struct polc_plan *plan = b->plan;
	struct polb_bundle *out = &b->bundle;

	fill_selectors(b);
	fill_rules(b);
	fill_sources(b);
	fill_endpoints(b);
	fill_peers(b);
	fill_cidrs(b);
	fill_ports(b);
	fill_classes(b);
	fill_steps(b);
	fill_identities(b);
	out->rows = plan->rows;
	out->n_rows = plan->n_rows;
	out->rows_index = plan->rows_index;
	out->n_rows_index = (size_t)plan->n_tables * plan->n_port_classes;
	out->rule_ids = plan->rule_ids;
	out->n_rule_ids = plan->n_rule_ids;
	polc_bundle_fill_subjects(b);
	polc_bundle_fill_variants(b);
}

static void fill(struct polc_bundle_builder *b, const char *clang_version)
{
	struct polb_bundle *out = &b->bundle;

	polc_bundle_strings_init(&b->strings, &b->polc->arena);
	polc_bundle_strings_init(&b->source_strings, &b->polc->arena);
	fill_manifest(b, clang_version);
	if (!b->options->only_tracing)
		fill_network(b);
	if (b->options->tracing)
		polc_bundle_fill_tracing(b);
	out->requirements = b->requirements.items;
	out->n_requirements = b->requirements.n;
	out->values = b->values.items;
	out->n_values = b->values.n;
	out->prefixes = b->prefixes.items;
	out->n_prefixes = b->prefixes.n;
	out->labels = b->labels.items;
	out->n_labels = b->labels.n;
	if (b->options->policy_text && !b->options->no_source) {
		out->policy = (const __u8 *)b->options->policy_text;
		out->n_policy = strlen(b->options->policy_text);
	}
	out->strings = b->strings.bytes;
	out->strings_size = b->strings.size;
	if (!b->options->no_source) {
		out->source_strings = b->source_strings.bytes;
		out->source_strings_size = b->source_strings.size;
	}
}

static struct polc_generated generate(
	struct polc *polc, const struct polc_plan *plan, const struct polc_build_options *options)
{
	struct polc_buf config = {.arena = &polc->arena}, tracing = config;

	polc_emit_network_header(plan, options, &config);
	if (options->tracing) {
		polc_emit_tracing_config(options->tracing, &config);
		polc_emit_tracing_programs(options->tracing, &tracing);
	}
	return (struct polc_generated){.config = config.p, .tracing = tracing.p};
}

const char *polc_bundle_programs(
	struct polc *polc, const struct polc_plan *plan, const struct polc_build_options *options)
{
	struct polc_generated generated = generate(polc, plan, options);

	return polc_arena_printf(
		&polc->arena, "%s%s", generated.config, generated.tracing ? generated.tracing : "");
}

const struct polb_bundle *polc_bundle_describe(
	struct polc *polc, const struct polc_plan *plan, const struct polc_build_options *options)
{
	struct polc_bundle_builder *b = POLC_NEW(&polc->arena, struct polc_bundle_builder);

	*b = (struct polc_bundle_builder){.polc = polc, .plan = plan, .options = options};
	fill(b, "");
	return &b->bundle;
}

int polc_bundle_build(struct polc *polc, const struct polc_plan *plan,
	const struct polc_build_options *options, void **out, size_t *out_size)
{
	struct polc_bundle_builder b = {.polc = polc, .plan = plan, .options = options};
	struct polc_generated generated;
	char error[POLB_ERROR_TEXT] = "";
	const char *clang_version;
	void *object;
	size_t size;

	int err = polc_clang_version(polc, options, &clang_version);
	if (err)
		return err;
	generated = generate(polc, plan, options);
	err = polc_clang_compile_generated(polc, &generated, options, &object, &size);
	if (err)
		return err;
	fill(&b, clang_version);
	err = polb_bundle_write(object, size, &b.bundle, out, out_size, error);
	free(object);
	if (err)
		polc_environment_error(
			"cannot write the bundle: %s", error[0] ? error : strerror(-err));
	return err;
}
