/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Selections against what exists: who is selected by nobody, and what selects nobody. */
#include <string.h>

#include "../ir/selector_index.h"
#include "lint_network.h"

#define NAMES_SHOWN 3

/*
 * Pods on the host's network are their node to policies. To say whom a selector would have meant,
 * they are looked at as if they had a network of their own.
 */
static const struct polc_identities *as_pods(
	const struct polc_network_lint *l, struct polc *scratch, const struct polc_inventory *all)
{
	struct polc_inventory inventory = *all;

	memset(&inventory.pods, 0, sizeof(inventory.pods));
	for (size_t i = 0; i < all->pods.n; i++) {
		struct polc_pod pod = all->pods.items[i];

		if (!pod.host_network || pod.cgroup || pod.interface)
			continue;
		pod.host_network = false;
		*polc_vec_push(&scratch->arena, &inventory.pods) = pod;
	}
	return polc_identities_build(scratch, &inventory, l->context->cluster_name);
}

static const struct polc_pod *host_pod(
	const struct polc_identities *host, const struct polb_selector *selector)
{
	for (size_t i = 0; i < host->endpoints.n; i++)
		if (polc_lint_identity_matches(
			    selector, &host->identities.items[host->endpoints.items[i].identity]))
			return host->endpoints.items[i].pod;
	return NULL;
}

/* Subjects */

static bool says_more_than_namespace(const struct polc_ast_peer *subject)
{
	return (subject->selector && subject->selector->requirements.n) ||
	       (subject->pod_selector && subject->pod_selector->requirements.n);
}

/* All pods of a namespace that exists and has none yet: right before they come. */
static bool waits_for_pods(const struct polc_network_lint *l, const struct polc_lint_policy *p)
{
	const struct polc_inventory *inventory = l->inventory;
	const char *namespace = p->policy->namespace;
	bool exists = false;

	if (!namespace || says_more_than_namespace(&p->spec->subject))
		return false;
	for (size_t i = 0; i < inventory->namespaces.n; i++)
		exists |= !strcmp(inventory->namespaces.items[i].name, namespace);
	for (size_t i = 0; exists && i < inventory->pods.n; i++)
		exists = strcmp(inventory->pods.items[i].namespace, namespace) != 0;
	return exists;
}

static void lint_subject(const struct polc_network_lint *l, const struct polc_lint_policy *p,
	const struct polc_identities *host)
{
	const struct polc_pod *pod = NULL;
	struct polc_span span = p->spec->subject.span;
	struct polc_diagnostic *d;

	for (size_t i = 0; !pod && i < p->net->n_subjects; i++)
		pod = host_pod(host, &l->network->selectors[p->net->subjects[i]]);
	if (pod && (!p->endpoints.n || says_more_than_namespace(&p->spec->subject))) {
		d = polc_lint_report(l->polc, span, POLC_CODE_HOST_NETWORK_SUBJECT,
			"%s/%s is on the host's network: policies for pods do not govern it%s",
			pod->namespace, pod->name,
			p->endpoints.n ? "" : ", and this one governs nobody else");
		polc_diagnostic_relate(l->polc, d, pod->span, "the pod");
	} else if (!p->endpoints.n && !waits_for_pods(l, p)) {
		polc_lint_report(l->polc, span, POLC_CODE_SUBJECT_SELECTS_NOTHING,
			"'%s' governs nobody: no pod of the inventory is selected", p->net->name);
	}
}

static void lint_subjects(const struct polc_network_lint *l, const struct polc_identities *host)
{
	for (size_t i = 0; i < l->network->n_policies; i++)
		lint_subject(l, &l->policies[i], host);
}

/* Peers */

/* Selectors that some identity of the inventory satisfies, as bits. */
static const uint64_t *satisfied(const struct polc_network_lint *l)
{
	const struct polc_network *network = l->peers_network;
	const struct polc_selector_index *index =
		polc_selector_index_build(l->arena, network->selectors, network->n_selectors);
	uint64_t *bits = POLC_NEW_ARRAY(l->arena, network->n_selectors / 64 + 1, uint64_t);

	for (size_t i = 0; i < l->identities->identities.n; i++) {
		const struct polc_identity *id = &l->identities->identities.items[i];
		struct polb_identity_view view = {.labels = id->labels,
			.n_labels = id->n_labels,
			.ports = id->ports,
			.n_ports = id->n_ports};

		for (int local = 0; local < 2; local++) {
			view.kinds = polb_kinds_localise(id->kinds, local);
			polc_selector_index_match(index, &view, bits);
		}
	}
	return bits;
}

/* Selects by labels that pods carry: entities, addresses and reserved labels are always there. */
static bool is_by_labels(const struct polc_lint_peer *peer, const struct polb_selector *selector)
{
	if (selector->has_prefix || peer->peer->kind == POLC_PEER_ENTITY)
		return false;
	for (size_t i = 0; i < selector->n_requirements; i++)
		if (!strcmp(selector->requirements[i].source, "reserved"))
			return false;
	return selector->n_requirements;
}

static bool selects_nobody(
	const struct polc_network_lint *l, const struct polc_lint_peer *peer, const uint64_t *bits)
{
	for (size_t i = 0; i < peer->meaning->n_selectors; i++) {
		uint32_t id = peer->meaning->selectors[i];

		if (!is_by_labels(peer, &l->peers_network->selectors[id]) ||
			bits[id / 64] >> (id % 64) & 1)
			return false;
	}
	return peer->meaning->n_selectors; /* what was not resolved has been reported */
}

static void lint_peers(const struct polc_network_lint *l, const struct polc_identities *host)
{
	const uint64_t *bits = satisfied(l);

	for (size_t i = 0; i < l->peers.n; i++) {
		const struct polc_lint_peer *peer = &l->peers.items[i];
		const struct polc_pod *pod = NULL;
		struct polc_diagnostic *d;

		if (!selects_nobody(l, peer, bits))
			continue;
		for (size_t k = 0; !pod && k < peer->meaning->n_selectors; k++)
			pod = host_pod(
				host, &l->peers_network->selectors[peer->meaning->selectors[k]]);
		d = polc_lint_report(l->polc, peer->peer->span, POLC_CODE_PEER_SELECTS_NOTHING,
			"nobody in the inventory is this peer");
		if (!pod)
			continue;
		polc_diagnostic_relate(l->polc, d, pod->span,
			"this pod has the labels, but is on the host's network");
		polc_diagnostic_suggest(l->polc, d,
			"its node is the peer: the entities host and remote-node, or its address");
	}
}

/* Addresses that are not the world's */

/* Private and shared ranges: whoever writes them may mean what is in the cluster. */
static bool is_private(const struct polb_prefix *cidr)
{
	static const char *const ranges[] = {
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(ranges); i++) {
		struct polb_prefix range;

		if (!polb_prefix_parse(ranges[i], false, &range) &&
			polb_prefix_covers(&range, cidr))
			return true;
	}
	return false;
}

static bool is_host(const struct polb_prefix *cidr)
{
	return cidr->len == (cidr->addr.family == 4 ? 32 : 128);
}

static bool contains(const struct polc_ast_peer *peer, const struct polb_addr *addr)
{
	if (!polb_prefix_has(&peer->cidr, addr))
		return false;
	for (size_t i = 0; i < peer->excepts.n; i++)
		if (polb_prefix_has(&peer->excepts.items[i], addr))
			return false;
	return true;
}

/* The first address of the inventory in a CIDR, in words; NULL: there is none. */
static const char *inhabitant(const struct polc_network_lint *l, const struct polc_ast_peer *peer)
{
	const struct polc_inventory *inventory = l->inventory;

	for (size_t i = 0; i < inventory->services.n; i++) {
		const struct polc_service *s = &inventory->services.items[i];

		for (size_t k = 0; k < s->cluster_addrs.n; k++)
			if (contains(peer, &s->cluster_addrs.items[k]))
				return polc_arena_printf(
					l->arena, "service %s/%s", s->namespace, s->name);
	}
	for (size_t i = 0; i < l->identities->addresses.n; i++) {
		const struct polc_address_entry *entry = &l->identities->addresses.items[i];
		const struct polc_identity *id = &l->identities->identities.items[entry->identity];

		if (polb_kinds_localise(id->kinds, true) == POLB_KIND_HOST && !id->node)
			continue; /* loopback */
		if (!contains(peer, &entry->addr))
			continue;
		return id->pod ? polc_arena_printf(
					 l->arena, "pod %s/%s", id->pod->namespace, id->pod->name)
			       : polc_arena_printf(l->arena, "node %s", id->node ? id->node : "");
	}
	return NULL;
}

/* A CIDR that matches nobody in the cluster, or one address that is a pod's or service's. */
static void lint_cidr(const struct polc_network_lint *l, const struct polc_lint_peer *p)
{
	bool world = polc_lint_is_cilium(l->policies[p->policy].policy->kind) ||
		     !l->network->ipblock_matches_pods;
	const char *who;
	struct polc_diagnostic *d;

	if (p->peer->kind != POLC_PEER_CIDR || (!world && !is_host(&p->peer->cidr)) ||
		!is_private(&p->peer->cidr))
		return;
	who = inhabitant(l, p->peer);
	if (!who || (!world && !strncmp(who, "node", 4)))
		return;
	d = polc_lint_report(l->polc, p->peer->span, POLC_CODE_CIDR_FOR_PODS,
		world ? "%s lies in this block, but such rules match only addresses outside the "
			"cluster: no pod, no node, no service"
		      : "this is the address of %s, which changes whenever it is replaced, and a "
			"service's is never seen by policies",
		who);
	polc_diagnostic_suggest(l->polc, d,
		"select pods by their labels, nodes by the entities host and remote-node");
}

/* Endpoints that no policy selects: one report per namespace, at the first of them. */

static void report_unselected(const struct polc_network_lint *l, size_t first, size_t end)
{
	struct polc_buf names = {.arena = l->arena};
	const struct polc_pod *pod = NULL;
	size_t n = 0;

	for (size_t i = first; i < end; i++) {
		if (l->selected[i].n)
			continue;
		pod = pod ? pod : l->identities->endpoints.items[i].pod;
		if (n++ < NAMES_SHOWN)
			polc_buf_printf(&names, "%s%s", n > 1 ? ", " : "",
				l->identities->endpoints.items[i].pod->name);
	}
	if (!n)
		return;
	if (n > NAMES_SHOWN)
		polc_buf_printf(&names, " and %zu more", n - NAMES_SHOWN);
	polc_lint_report(l->polc, pod->span, POLC_CODE_UNSELECTED_ENDPOINT,
		"no policy governs %s of namespace %s: everything is allowed", names.p,
		pod->namespace);
}

static void lint_unselected(const struct polc_network_lint *l)
{
	size_t n = l->identities->endpoints.n;

	if (l->network->posture != POLC_POSTURE_ALLOW)
		return;
	for (size_t first = 0, end; first < n; first = end) {
		const char *namespace = l->identities->endpoints.items[first].pod->namespace;

		for (end = first + 1;
			end < n &&
			!strcmp(l->identities->endpoints.items[end].pod->namespace, namespace);)
			end++;
		report_unselected(l, first, end);
	}
}

void polc_lint_selections(const struct polc_network_lint *l)
{
	struct polc scratch;
	const struct polc_identities *host;

	polc_init(&scratch);
	host = as_pods(l, &scratch, l->inventory);
	lint_subjects(l, host);
	lint_peers(l, host);
	for (size_t i = 0; i < l->peers.n; i++)
		lint_cidr(l, &l->peers.items[i]);
	lint_unselected(l);
	polc_free(&scratch);
}
