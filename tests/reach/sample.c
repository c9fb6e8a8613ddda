// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Connections between parties that somebody might have: not only those of an inventory.
#include "sample.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/ir/labels.h"

#define PICK(s, list) ((list)[rng_below((s)->rng, POLC_ARRAY_SIZE(list))])

static const char *const apps[] = {"web", "api", "db", "new", NULL};
static const char *const tiers[] = {"front", "back", NULL, NULL};
static const char *const namespaces[] = {"a", "b", "c", "new"};
static const char *const teams[] = {"red", "blue", NULL};
static const char *const zones[] = {"z1", "z2", NULL};
static const char *const accounts[] = {"sa1", "default", NULL};
static const char *const names[] = {"http", "dns", "metrics", "new"};

static int compare_labels(const void *pa, const void *pb)
{
	const struct polb_label *a = pa, *b = pb;

	return strcmp(a->key, b->key);
}

static void add_label(struct sampler *s, struct polc_identity *id, const char *source,
	const char *key, const char *value)
{
	struct polb_label *labels = POLC_NEW_ARRAY(s->arena, id->n_labels + 1, struct polb_label);

	if (!value)
		return;
	if (id->n_labels)
		memcpy(labels, id->labels, id->n_labels * sizeof(*labels));
	labels[id->n_labels++] = (struct polb_label){source, key, value};
	qsort(labels, id->n_labels, sizeof(*labels), compare_labels);
	id->labels = labels;
}

/* `team` is the namespace's. */
static void make_pod(struct sampler *s, const char *namespace, const char *team,
	struct polc_witness_party *party)
{
	struct polc_identity *id = &party->identity;
	struct polc_pod *pod = POLC_NEW(s->arena, struct polc_pod);

	id->kinds = POLB_KIND_POD | (rng_chance(s->rng, 5) ? POLB_KIND_KUBE_APISERVER : 0u);
	add_label(s, id, "k8s", "app", PICK(s, apps));
	add_label(s, id, "k8s", "tier", PICK(s, tiers));
	add_label(s, id, "k8s", POLC_LABEL_NAMESPACE, namespace);
	add_label(
		s, id, "k8s", POLC_LABEL_NAMESPACE_LABELS "kubernetes.io/metadata.name", namespace);
	add_label(s, id, "k8s", POLC_LABEL_NAMESPACE_LABELS "team", team);
	add_label(s, id, "k8s", POLC_LABEL_CLUSTER, POLC_DEFAULT_CLUSTER);
	add_label(s, id, "k8s", POLC_LABEL_SERVICE_ACCOUNT, PICK(s, accounts));
	pod->namespace = namespace;
	pod->name = "sample";
	pod->node = party->node;
	*polc_vec_push(s->arena, &pod->addrs) = party->addr;
	party->pod = id->pod = pod;
}

static void make_other(struct sampler *s, struct polc_witness_party *party)
{
	static const uint32_t kinds[] = {POLB_KIND_KUBE_APISERVER, POLB_KIND_HEALTH,
		POLB_KIND_INGRESS, POLB_KIND_HEALTH | POLB_KIND_KUBE_APISERVER,
		POLB_KIND_UNMANAGED};

	if (rng_chance(s->rng, 65)) {
		party->identity.kinds = polb_kinds_world(&party->addr);
	} else if (rng_chance(s->rng, 65)) {
		party->identity.kinds =
			POLB_KIND_NODE | (rng_chance(s->rng, 25) ? POLB_KIND_KUBE_APISERVER : 0u);
		add_label(s, &party->identity, "node", "zone", PICK(s, zones));
	} else {
		party->identity.kinds = PICK(s, kinds);
	}
}

static struct polb_addr pick_addr(struct sampler *s)
{
	const struct asker *asker = s->askers[rng_below(s->rng, 2)];

	return asker->addrs.items[rng_below(s->rng, (unsigned)asker->addrs.n)];
}

static void pick_port(struct sampler *s, struct polc_witness *out)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP,
		IPPROTO_ICMP, IPPROTO_ICMPV6, 47, 112, 2, 4, 50};
	const struct asker *asker = s->askers[rng_below(s->rng, 2)];

	out->protocol = PICK(s, protocols);
	if (polc_protocol_bit(out->protocol))
		out->port = asker->ports.items[rng_below(s->rng, (unsigned)asker->ports.n)];
	else if (out->protocol == (out->peer.addr.family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		out->port =
			asker->icmp_types.items[rng_below(s->rng, (unsigned)asker->icmp_types.n)];
}

static void name_ports(struct sampler *s, const struct polc_witness *w, struct polc_identity *id)
{
	struct polb_named_port *ports =
		POLC_NEW_ARRAY(s->arena, POLC_ARRAY_SIZE(names), struct polb_named_port);

	for (size_t i = 0; i < POLC_ARRAY_SIZE(names); i++) {
		bool here = polc_protocol_bit(w->protocol) && w->port && rng_chance(s->rng, 60);
		if (rng_chance(s->rng, 50))
			ports[id->n_ports++] = (struct polb_named_port){
				names[i], here ? w->protocol : IPPROTO_TCP, here ? w->port : 9999};
	}
	id->ports = ports;
}

static bool is_in_space(const struct polc_witness *w)
{
	uint16_t t = w->port;
	bool need = w->protocol == IPPROTO_ICMPV6 && w->peer.addr.family == 6 &&
		    (t == 2 || (t >= 130 && t <= 136) || t == 143);

	return !need && !polc_addr_is_loopback(&w->peer.addr) &&
	       !polc_addr_is_loopback(&w->subject.addr) &&
	       polb_addr_compare(&w->peer.addr, &w->subject.addr) != 0;
}

bool sample_connection(struct sampler *s, struct polc_witness *out)
{
	const char *team[POLC_ARRAY_SIZE(namespaces)];
	unsigned ns[2] = {rng_below(s->rng, POLC_ARRAY_SIZE(namespaces)),
		rng_below(s->rng, POLC_ARRAY_SIZE(namespaces))};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(team); i++)
		team[i] = PICK(s, teams);
	*out = (struct polc_witness){
		.direction = rng_chance(s->rng, 50) ? POLC_INGRESS : POLC_EGRESS};
	out->subject.node = "n1";
	out->peer.node = rng_chance(s->rng, 50) ? "n1" : "n2";
	out->peer.addr = pick_addr(s);
	do
		out->subject.addr = pick_addr(s);
	while (out->subject.addr.family != out->peer.addr.family);
	make_pod(s, namespaces[ns[0]], team[ns[0]], &out->subject);
	out->subject.identity.kinds = POLB_KIND_POD;
	if (rng_chance(s->rng, 55))
		make_pod(s, namespaces[ns[1]], team[ns[1]], &out->peer);
	else
		make_other(s, &out->peer);
	out->subject.identity.node = out->subject.node;
	out->peer.identity.node = out->peer.node;
	pick_port(s, out);
	name_ports(s, out,
		out->direction == POLC_INGRESS ? &out->subject.identity : &out->peer.identity);
	if (!out->peer.pod && out->direction == POLC_EGRESS)
		out->peer.identity.n_ports = 0;
	return is_in_space(out);
}

static void print_party(const char *word, const struct polc_witness_party *p, FILE *out)
{
	char addr[POLB_ADDR_TEXT];

	polb_addr_format(&p->addr, addr);
	fprintf(out, "  %s %s kinds %#x node %s:", word, addr, p->identity.kinds,
		p->node ? p->node : "-");
	for (size_t i = 0; i < p->identity.n_labels; i++)
		fprintf(out, " %s:%s=%s", p->identity.labels[i].source, p->identity.labels[i].key,
			p->identity.labels[i].value);
	for (size_t i = 0; i < p->identity.n_ports; i++)
		fprintf(out, " port %s=%u/%u", p->identity.ports[i].name,
			p->identity.ports[i].protocol, p->identity.ports[i].port);
	fprintf(out, " \"%s\"\n", p->text ? p->text : "");
}

void sample_print(const struct polc_witness *w, FILE *out)
{
	fprintf(out, "  %s protocol %u port %u\n",
		w->direction == POLC_INGRESS ? "ingress" : "egress", w->protocol, w->port);
	print_party("subject", &w->subject, out);
	print_party("peer", &w->peer, out);
}
