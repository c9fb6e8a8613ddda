// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// What the oracle feeds the compiler. Every list item starts a line of its own, so that the
// minimiser can drop it; everything below an item is flow style.
#include "generate.h"

#define PICK(rng, list) ((list)[rng_below((rng), POLC_ARRAY_SIZE(list))])

struct gen {
	struct rng *rng;
	struct polc_buf *out;
	unsigned serial;     /* makes names unique */
	unsigned switchable; /* policies that may still be made so: at most 4 may govern one
				endpoint */
};

static const char *const namespaces[] = {"a", "b", "c"};
static const char *const apps[] = {"web", "api", "db"};
static const char *const tiers[] = {"front", "back"};
static const char *const teams[] = {"red", "blue"};
static const char *const zones[] = {"z1", "z2"};
static const char *const port_names[] = {"http", "dns", "metrics"};
static const char *const protocols[] = {"TCP", "UDP", "SCTP"};
static const char *const entities[] = {"all", "world", "world-ipv4", "world-ipv6", "host",
	"remote-node", "cluster", "kube-apiserver", "health", "init", "ingress", "unmanaged",
	"none"};
static const unsigned ports[] = {1, 53, 80, 81, 443, 8000, 8080, 8100, 65534, 65535};
static const unsigned icmp_types[] = {0, 3, 8, 11, 13, 128, 129, 135, 255};

/* A prefix and some that lie inside it. */
struct range {
	const char *cidr;
	const char *inside[3];
};
static const char only_address[] = "10.1.2.3/32";
static const struct range ranges[] = {
	{"10.0.0.0/8", {"10.1.0.0/16", "10.1.2.0/24", "10.128.0.0/9"}},
	{"10.1.0.0/16", {"10.1.2.0/24", "10.1.2.2/31", "10.1.255.255/32"}},
	{"10.1.2.0/24", {"10.1.2.3/32", "10.1.2.128/25", "10.1.2.0/30"}},
	{"10.1.2.3/32", {only_address, only_address, only_address}},
	{"192.168.0.0/16", {"192.168.1.0/24", "192.168.1.1/32", "192.168.128.0/17"}},
	{"192.168.1.0/24", {"192.168.1.1/32", "192.168.1.8/29", "192.168.1.255/32"}},
	{"203.0.113.0/24", {"203.0.113.7/32", "203.0.113.128/25", "203.0.113.0/32"}},
	{"0.0.0.0/0", {"10.0.0.0/8", "203.0.113.0/24", "128.0.0.0/1"}},
	{"fd00::/8", {"fd00:1::/64", "fd00:1::3/128", "fd80::/9"}},
	{"fd00:1::/64", {"fd00:1::3/128", "fd00:1::/127", "fd00:1:0:0:8000::/65"}},
	{"2001:db8::/32", {"2001:db8:1::/48", "2001:db8::1/128", "2001:db8:8000::/33"}},
	{"::/0", {"fd00::/8", "2001:db8::/32", "8000::/1"}},
};

uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

unsigned rng_below(struct rng *rng, unsigned n)
{
	return (unsigned)(rng_next(rng) % n);
}

bool rng_chance(struct rng *rng, unsigned percent)
{
	return rng_below(rng, 100) < percent;
}

#define say(gen, ...) polc_buf_printf((gen)->out, __VA_ARGS__)

static bool chance(struct gen *gen, unsigned percent)
{
	return rng_chance(gen->rng, percent);
}

/* --- selectors ------------------------------------------------------------------------------ */

struct universe {
	const char *key;
	const char *const *values;
	unsigned n;
};
static const struct universe pod_labels[] = {
	{"app", apps, POLC_ARRAY_SIZE(apps)}, {"tier", tiers, POLC_ARRAY_SIZE(tiers)}};
static const struct universe namespace_labels[] = {{"team", teams, POLC_ARRAY_SIZE(teams)},
	{"kubernetes.io/metadata.name", namespaces, POLC_ARRAY_SIZE(namespaces)}};
static const struct universe node_labels[] = {
	{"zone", zones, POLC_ARRAY_SIZE(zones)}, {"zone", zones, POLC_ARRAY_SIZE(zones)}};
static const struct universe cilium_labels[] = {{"app", apps, POLC_ARRAY_SIZE(apps)},
	{"k8s:app", apps, POLC_ARRAY_SIZE(apps)}, {"any:tier", tiers, POLC_ARRAY_SIZE(tiers)},
	{"tier", tiers, POLC_ARRAY_SIZE(tiers)},
	{"k8s:io.kubernetes.pod.namespace", namespaces, POLC_ARRAY_SIZE(namespaces)},
	{"io.kubernetes.pod.namespace", namespaces, POLC_ARRAY_SIZE(namespaces)},
	{"k8s:io.cilium.k8s.namespace.labels.team", teams, POLC_ARRAY_SIZE(teams)}};

static void expression(struct gen *gen, const struct universe *u)
{
	static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist"};
	unsigned op = rng_below(gen->rng, 4);

	say(gen, "{key: \"%s\", operator: %s", u->key, operators[op]);
	if (op < 2) {
		unsigned first = rng_below(gen->rng, u->n);

		say(gen, ", values: [\"%s\"", u->values[first]);
		if (chance(gen, 40) && u->n > 1)
			say(gen, ", \"%s\"", u->values[(first + 1) % u->n]);
		say(gen, "]");
	}
	say(gen, "}");
}

/* A label selector in flow style over one of the universes. */
static void selector(struct gen *gen, const struct universe *list, size_t n)
{
	const struct universe *u = &list[rng_below(gen->rng, (unsigned)n)];

	if (chance(gen, 25)) {
		say(gen, "{}");
		return;
	}
	say(gen, "{");
	if (chance(gen, 60)) {
		say(gen, "matchLabels: {\"%s\": \"%s\"}", u->key,
			u->values[rng_below(gen->rng, u->n)]);
		if (chance(gen, 70)) {
			say(gen, "}");
			return;
		}
		say(gen, ", ");
	}
	say(gen, "matchExpressions: [");
	expression(gen, &list[rng_below(gen->rng, (unsigned)n)]);
	if (chance(gen, 20)) {
		say(gen, ", ");
		expression(gen, &list[rng_below(gen->rng, (unsigned)n)]);
	}
	say(gen, "]}");
}
#define SELECTOR(gen, universe) selector((gen), (universe), POLC_ARRAY_SIZE(universe))

static void excepts(struct gen *gen, const struct range *range)
{
	unsigned n = 1 + rng_below(gen->rng, 2);

	say(gen, ", except: [");
	for (unsigned i = 0; i < n; i++)
		say(gen, "%s\"%s\"", i ? ", " : "", range->inside[rng_below(gen->rng, 3)]);
	say(gen, "]");
}

static void cidr_with_excepts(struct gen *gen)
{
	const struct range *range = &PICK(gen->rng, ranges);

	say(gen, "{cidr: \"%s\"", range->cidr);
	if (chance(gen, 50) && range->inside[0] != range->inside[1]) /* the whole is refused */
		excepts(gen, range);
	say(gen, "}");
}

static const char *any_cidr(struct gen *gen)
{
	const struct range *range = &PICK(gen->rng, ranges);

	return chance(gen, 50) ? range->cidr : range->inside[rng_below(gen->rng, 3)];
}

/* --- NetworkPolicy -------------------------------------------------------------------------- */

static void kubernetes_peer(struct gen *gen)
{
	switch (rng_below(gen->rng, 4)) {
	case 0:
		say(gen, "    - podSelector: ");
		SELECTOR(gen, pod_labels);
		break;
	case 1:
		say(gen, "    - namespaceSelector: ");
		SELECTOR(gen, namespace_labels);
		break;
	case 2:
		say(gen, "    - {podSelector: ");
		SELECTOR(gen, pod_labels);
		say(gen, ", namespaceSelector: ");
		SELECTOR(gen, namespace_labels);
		say(gen, "}");
		break;
	case 3:
		say(gen, "    - ipBlock: ");
		cidr_with_excepts(gen);
		break;
	}
	say(gen, "\n");
}

static void kubernetes_port(struct gen *gen)
{
	unsigned lo = PICK(gen->rng, ports), hi = PICK(gen->rng, ports);

	if (chance(gen, 4)) {
		say(gen, "    - {}\n");
		return;
	}
	say(gen, "    - {");
	if (chance(gen, 20))
		say(gen, "protocol: %s", PICK(gen->rng, protocols));
	else if (chance(gen, 20))
		say(gen, "port: %s", PICK(gen->rng, port_names));
	else if (lo < hi && chance(gen, 50))
		say(gen, "protocol: %s, port: %u, endPort: %u", PICK(gen->rng, protocols), lo, hi);
	else if (chance(gen, 70))
		say(gen, "protocol: %s, port: %u", PICK(gen->rng, protocols), lo);
	else
		say(gen, "port: %u", lo);
	say(gen, "}\n");
}

static void kubernetes_rules(struct gen *gen, const char *direction, const char *peers)
{
	unsigned n = rng_below(gen->rng, 4);

	if (!n) {
		say(gen, "  %s: []\n", direction);
		return;
	}
	say(gen, "  %s:\n", direction);
	for (unsigned i = 0; i < n; i++) {
		bool has_peers = chance(gen, 75), has_ports = chance(gen, 65);

		if (!has_peers && !has_ports) {
			say(gen, "  - {}\n");
			continue;
		}
		if (has_peers) {
			say(gen, "  - %s:\n", peers);
			for (unsigned j = 1 + rng_below(gen->rng, 3); j; j--)
				kubernetes_peer(gen);
		}
		if (has_ports) {
			say(gen, "  %s ports:\n", has_peers ? " " : "-");
			for (unsigned j = 1 + rng_below(gen->rng, 3); j; j--)
				kubernetes_port(gen);
		}
	}
}

/* The end of a policy's metadata. */
static void end_metadata(struct gen *gen)
{
	if (gen->switchable && chance(gen, 40)) {
		gen->switchable--;
		say(gen, ", annotations: {polc.dev/mode: %s}",
			chance(gen, 50) ? "audit" : "enforce");
	}
	say(gen, "}\n");
}

static void network_policy(struct gen *gen)
{
	static const char *const types[] = {"Ingress", "Egress", "Ingress, Egress"};

	say(gen, "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n");
	say(gen, "metadata: {name: p%u, namespace: %s", gen->serial++, PICK(gen->rng, namespaces));
	end_metadata(gen);
	say(gen, "spec:\n");
	say(gen, "  podSelector: ");
	SELECTOR(gen, pod_labels);
	say(gen, "\n");
	if (chance(gen, 60))
		say(gen, "  policyTypes: [%s]\n", PICK(gen->rng, types));
	if (chance(gen, 70))
		kubernetes_rules(gen, "ingress", "from");
	if (chance(gen, 60))
		kubernetes_rules(gen, "egress", "to");
}

/* --- Cilium --------------------------------------------------------------------------------- */

static void cilium_selector(struct gen *gen)
{
	if (chance(gen, 4))
		say(gen, "{matchLabels: {\"reserved:%s\": \"\"}}",
			chance(gen, 50) ? "host" : "world");
	else if (chance(gen, 4))
		say(gen, "{matchLabels: {io.cilium.k8s.policy.serviceaccount: sa1}}");
	else if (chance(gen, 4))
		say(gen, "{matchLabels: {io.cilium.k8s.policy.cluster: %s}}",
			chance(gen, 70) ? "default" : "other");
	else
		SELECTOR(gen, cilium_labels);
}

static void cilium_cidr_set(struct gen *gen)
{
	switch (rng_below(gen->rng, 4)) {
	case 0:
		say(gen, "{cidrGroupRef: g%u}", 1 + rng_below(gen->rng, 2));
		break;
	case 1:
		say(gen, "{cidrGroupSelector: {matchLabels: {zone: %s}}}", PICK(gen->rng, zones));
		break;
	default:
		cidr_with_excepts(gen);
	}
}

static void cilium_service(struct gen *gen)
{
	static const char *const services[] = {"s1", "s2", "s2"};

	if (chance(gen, 70))
		say(gen, "{k8sService: {serviceName: %s, namespace: a}}", PICK(gen->rng, services));
	else
		say(gen, "{k8sServiceSelector: {selector: {matchLabels: {app: %s}}, namespace: a}}",
			apps[rng_below(
				gen->rng, 2)]); /* no service is called db: refused in a denial */
}

/* Writes the items of one L3 member; returns false when it wrote an empty list. */
static void cilium_members(struct gen *gen, const char *prefix, const char *word, bool egress)
{
	static const char *const members[] = {
		"Endpoints", "Endpoints", "CIDR", "CIDRSet", "Entities", "Services"};
	unsigned kind = rng_below(gen->rng, egress ? 6 : 5);

	if (chance(gen, 5)) {
		say(gen, "  %s %s%s: []\n", prefix, word, members[kind == 5 ? 0 : kind]);
		return;
	}
	say(gen, "  %s %s%s:\n", prefix, word, members[kind]);
	for (unsigned i = 1 + rng_below(gen->rng, 2); i; i--) {
		say(gen, "    - ");
		switch (kind) {
		case 2:
			say(gen, "\"%s\"", any_cidr(gen));
			break;
		case 3:
			cilium_cidr_set(gen);
			break;
		case 4:
			say(gen, "%s", PICK(gen->rng, entities));
			break;
		case 5:
			cilium_service(gen);
			break;
		default:
			cilium_selector(gen);
		}
		say(gen, "\n");
	}
}

static void cilium_port(struct gen *gen)
{
	static const char *const extended[] = {"VRRP", "IGMP", "GRE", "ESP", "AH", "IPIP"};
	unsigned lo = PICK(gen->rng, ports), hi = PICK(gen->rng, ports);

	say(gen, "      - {");
	if (chance(gen, 15))
		say(gen, "port: %s", PICK(gen->rng, port_names));
	else if (chance(gen, 10))
		say(gen, "port: \"0\"");
	else if (chance(gen, 3)) {
		say(gen, "port: \"0\", protocol: %s}\n", PICK(gen->rng, extended));
		return;
	} else if (lo < hi && chance(gen, 40))
		say(gen, "port: \"%u\", endPort: %u", lo, hi);
	else
		say(gen, "port: \"%u\"", lo);
	if (chance(gen, 70))
		say(gen, ", protocol: %s", chance(gen, 15) ? "ANY" : PICK(gen->rng, protocols));
	say(gen, "}\n");
}

static void cilium_ports(struct gen *gen, const char *prefix)
{
	if (chance(gen, 15)) {
		say(gen, "  %s icmps:\n", prefix);
		for (unsigned i = 1 + rng_below(gen->rng, 2); i; i--)
			say(gen, "    - fields: [{%stype: %u}]\n",
				chance(gen, 50) ? "family: IPv6, " : "",
				PICK(gen->rng, icmp_types));
		return;
	}
	if (chance(gen, 4)) {
		say(gen, "  %s toPorts: []\n", prefix);
		return;
	}
	say(gen, "  %s toPorts:\n", prefix);
	if (chance(gen, 5)) {
		say(gen, "    - {}\n");
		return;
	}
	say(gen, "    - ports:\n");
	for (unsigned i = 1 + rng_below(gen->rng, 3); i; i--)
		cilium_port(gen);
}

/* One list of rules, at least one rule. */
static void cilium_rules(struct gen *gen, const char *list, bool egress)
{
	say(gen, "  %s:\n", list);
	for (unsigned i = 1 + rng_below(gen->rng, 3); i; i--) {
		bool has_peers = chance(gen, 75), has_ports = chance(gen, 60);

		if (!has_peers && !has_ports)
			say(gen, "  - {}\n");
		if (has_peers)
			cilium_members(gen, "-", egress ? "to" : "from", egress);
		if (has_ports)
			cilium_ports(gen, has_peers ? " " : "-");
	}
}

static void cilium_default_deny(struct gen *gen)
{
	static const char *const values[] = {"ingress: false", "egress: false", "ingress: true",
		"ingress: false, egress: false", "ingress: true, egress: false"};

	say(gen, "  enableDefaultDeny: {%s}\n", PICK(gen->rng, values));
}

static void cilium_spec(struct gen *gen)
{
	static const char *const lists[] = {"ingress", "ingressDeny", "egress", "egressDeny"};
	unsigned which = 1 + rng_below(gen->rng, 15);

	say(gen, "  endpointSelector: ");
	SELECTOR(gen, pod_labels);
	say(gen, "\n");
	if (chance(gen, 25))
		cilium_default_deny(gen);
	if (chance(gen, 10))
		say(gen, "  log: {value: audit}\n");
	for (unsigned i = 0; i < 4; i++)
		if (which & (1u << i))
			cilium_rules(gen, lists[i], i >= 2);
}

static void cilium_policy(struct gen *gen, bool clusterwide)
{
	say(gen, "---\napiVersion: cilium.io/v2\nkind: Cilium%sNetworkPolicy\n",
		clusterwide ? "Clusterwide" : "");
	say(gen, "metadata: {name: p%u", gen->serial++);
	if (!clusterwide)
		say(gen, ", namespace: %s", PICK(gen->rng, namespaces));
	end_metadata(gen);
	if (chance(gen, 80)) {
		say(gen, "spec:\n");
		cilium_spec(gen);
	} else {
		say(gen, "specs:\n");
		for (unsigned i = 1 + rng_below(gen->rng, 2); i; i--) {
			say(gen, "- description: one of several\n");
			cilium_spec(gen);
		}
	}
}

/* --- policy API ----------------------------------------------------------------------------- */

static void api_pods(struct gen *gen)
{
	say(gen, "{podSelector: ");
	SELECTOR(gen, pod_labels);
	say(gen, ", namespaceSelector: ");
	SELECTOR(gen, namespace_labels);
	say(gen, "}");
}

static void api_peer(struct gen *gen, bool egress, bool networks)
{
	switch (rng_below(gen->rng, egress && networks ? 4 : 2)) {
	case 0:
		say(gen, "    - namespaces: ");
		SELECTOR(gen, namespace_labels);
		break;
	case 1:
		say(gen, "    - pods: ");
		api_pods(gen);
		break;
	case 2:
		say(gen, "    - networks: [\"%s\"", any_cidr(gen));
		if (chance(gen, 30))
			say(gen, ", \"%s\"", "192.0.2.0/24");
		say(gen, "]");
		break;
	case 3:
		say(gen, "    - nodes: ");
		SELECTOR(gen, node_labels);
		break;
	}
	say(gen, "\n");
}

static void cluster_protocol(struct gen *gen, bool named)
{
	static const char *const names[] = {"tcp", "udp", "sctp"};
	unsigned lo = PICK(gen->rng, ports), hi = PICK(gen->rng, ports);

	if (named && chance(gen, 25))
		say(gen, "    - destinationNamedPort: %s\n", PICK(gen->rng, port_names));
	else if (lo < hi && chance(gen, 40))
		say(gen, "    - %s: {destinationPort: {range: {start: %u, end: %u}}}\n",
			PICK(gen->rng, names), lo, hi);
	else
		say(gen, "    - %s: {destinationPort: {number: %u}}\n", PICK(gen->rng, names), lo);
}

static void admin_port(struct gen *gen, bool named)
{
	unsigned lo = PICK(gen->rng, ports), hi = PICK(gen->rng, ports);

	if (named && chance(gen, 25))
		say(gen, "    - namedPort: %s\n", PICK(gen->rng, port_names));
	else if (lo < hi && chance(gen, 40))
		say(gen, "    - portRange: {protocol: %s, start: %u, end: %u}\n",
			PICK(gen->rng, protocols), lo, hi);
	else
		say(gen, "    - portNumber: {protocol: %s, port: %u}\n", PICK(gen->rng, protocols),
			lo);
}

enum api_kind { API_CLUSTER, API_ADMIN, API_BASELINE };

static void api_rules(struct gen *gen, enum api_kind kind, bool egress)
{
	static const char *const cluster_actions[] = {"Accept", "Deny", "Pass"};
	static const char *const admin_actions[] = {"Allow", "Deny", "Pass"};
	const char *const *actions = kind == API_CLUSTER ? cluster_actions : admin_actions;

	say(gen, "  %s:\n", egress ? "egress" : "ingress");
	for (unsigned i = 1 + rng_below(gen->rng, 3); i; i--) {
		bool with_ports = chance(gen, 50), with_networks = chance(gen, 60);

		say(gen, "  - action: %s\n",
			actions[rng_below(gen->rng, kind == API_BASELINE ? 2 : 3)]);
		say(gen, "    name: r%u\n", gen->serial++);
		say(gen, "    %s:\n", egress ? "to" : "from");
		for (unsigned j = 1 + rng_below(gen->rng, 2); j; j--)
			api_peer(gen, egress, with_networks);
		if (!with_ports)
			continue;
		say(gen, "    %s:\n", kind == API_CLUSTER ? "protocols" : "ports");
		for (unsigned j = 1 + rng_below(gen->rng, 2); j; j--) {
			if (kind == API_CLUSTER)
				cluster_protocol(gen, !(egress && with_networks));
			else
				admin_port(gen, !(egress && with_networks));
		}
	}
}

static void api_policy(struct gen *gen, enum api_kind kind)
{
	static const char *const kinds[] = {
		"ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy"};
	unsigned directions = 1 + rng_below(gen->rng, 3);

	say(gen, "---\napiVersion: policy.networking.k8s.io/%s\nkind: %s\n",
		kind == API_CLUSTER ? "v1alpha2" : "v1alpha1", kinds[kind]);
	if (kind == API_BASELINE)
		say(gen, "metadata: {name: default");
	else
		say(gen, "metadata: {name: p%u", gen->serial++);
	end_metadata(gen);
	say(gen, "spec:\n");
	if (kind == API_CLUSTER)
		say(gen, "  tier: %s\n", chance(gen, 60) ? "Admin" : "Baseline");
	if (kind != API_BASELINE)
		say(gen, "  priority: %u\n", rng_below(gen->rng, 30));
	say(gen, "  subject: {");
	if (chance(gen, 50)) {
		say(gen, "namespaces: ");
		SELECTOR(gen, namespace_labels);
	} else {
		say(gen, "pods: ");
		api_pods(gen);
	}
	say(gen, "}\n");
	if (directions & 1)
		api_rules(gen, kind, false);
	if (directions & 2)
		api_rules(gen, kind, true);
}

/* --- inventory ------------------------------------------------------------------------------ */

static void pod_ports(struct gen *gen)
{
	static const unsigned numbers[] = {80, 81, 8080, 53};

	say(gen, "containers: [{name: c, ports: [");
	for (unsigned i = 0; i < POLC_ARRAY_SIZE(port_names); i++)
		if (chance(gen, 60))
			say(gen, "{name: %s, containerPort: %u, protocol: %s}, ", port_names[i],
				PICK(gen->rng, numbers), i == 1 ? "UDP" : "TCP");
	say(gen, "]}]");
}

static void pod(struct gen *gen, unsigned number)
{
	unsigned node = 1 + rng_below(gen->rng, 2);
	bool host = chance(gen, 15);

	say(gen, "---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: pod%u\n  namespace: %s\n",
		number, PICK(gen->rng, namespaces));
	say(gen, "  labels: {app: %s", PICK(gen->rng, apps));
	if (chance(gen, 60))
		say(gen, ", tier: %s", PICK(gen->rng, tiers));
	say(gen, "}\n");
	if (host && chance(gen, 60))
		say(gen, "  annotations: {polc.dev/cgroup: host/pod%u}\n", number);
	say(gen, "spec: {nodeName: n%u, ", node);
	if (host)
		say(gen, "hostNetwork: true, ");
	if (chance(gen, 40))
		say(gen, "serviceAccountName: sa1, ");
	pod_ports(gen);
	say(gen, "}\nstatus: {phase: Running, podIPs: [");
	if (host)
		say(gen, "{ip: 192.168.1.%u}", node);
	else if (chance(gen, 15))
		say(gen, "{ip: \"fd00:1::1:%u\"}", number);
	else
		say(gen,
			chance(gen, 60) ? "{ip: 10.1.2.%u}, {ip: \"fd00:1::%u\"}"
					: "{ip: 10.1.2.%u}",
			number, number);
	say(gen, "]}\n");
}

static void node(struct gen *gen, unsigned number)
{
	say(gen, "---\napiVersion: v1\nkind: Node\nmetadata: {name: n%u, labels: {zone: %s}",
		number, PICK(gen->rng, zones));
	if (chance(gen, 30))
		say(gen, ", annotations: {network.cilium.io/ipv4-health-ip: 10.1.255.%u}", number);
	say(gen, "}\nstatus: {addresses: [{type: InternalIP, address: 192.168.1.%u}", number);
	if (chance(gen, 60))
		say(gen, ", {type: InternalIP, address: \"fd00:2::%u\"}", number);
	say(gen, "]}\n");
}

static void services(struct gen *gen)
{
	say(gen, "---\napiVersion: v1\nkind: Service\nmetadata: {name: s1, namespace: a, labels: "
		 "{app: web}}\n");
	say(gen, "spec: {selector: {app: %s}}\n", PICK(gen->rng, apps));
	say(gen, "---\napiVersion: v1\nkind: Service\nmetadata: {name: s2, namespace: a, labels: "
		 "{app: api}}\nspec: {}\n");
	say(gen,
		"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
		"metadata: {name: s2-x, namespace: a, labels: {kubernetes.io/service-name: s2}}\n"
		"addressType: IPv4\nendpoints:\n- addresses: [203.0.113.%u]\n- addresses: "
		"[10.1.2.%u]\n",
		rng_below(gen->rng, 10), 1 + rng_below(gen->rng, 8));
	say(gen, "---\napiVersion: v1\nkind: Service\nmetadata: {name: kubernetes, namespace: "
		 "default}\nspec: {}\n");
	say(gen,
		"---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: kubernetes, namespace: "
		"default}\n"
		"subsets:\n- addresses: [{ip: %s}]\n",
		chance(gen, 50) ? "192.168.1.1" : "192.168.1.9");
}

static void cidr_groups(struct gen *gen)
{
	for (unsigned i = 1; i <= 2; i++)
		say(gen,
			"---\napiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\n"
			"metadata: {name: g%u, labels: {zone: %s}}\nspec:\n  externalCIDRs:\n"
			"  - \"%s\"\n  - \"%s\"\n",
			i, zones[i - 1], any_cidr(gen), any_cidr(gen));
}

static void inventory(struct gen *gen)
{
	unsigned n_pods = 3 + rng_below(gen->rng, 6);

	for (unsigned i = 0; i < POLC_ARRAY_SIZE(namespaces); i++)
		say(gen,
			"---\napiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {team: "
			"%s}}\n",
			namespaces[i], PICK(gen->rng, teams));
	for (unsigned i = 1; i <= 2; i++)
		node(gen, i);
	for (unsigned i = 1; i <= n_pods; i++)
		pod(gen, i);
	services(gen);
	cidr_groups(gen);
}

void generate_set(struct rng *rng, struct polc_buf *out)
{
	struct gen gen = {.rng = rng, .out = out, .serial = 1};
	unsigned n = 1 + rng_below(rng, 10);
	bool baseline = false;

	inventory(&gen);
	if (chance(&gen, 30))
		say(&gen, chance(&gen, 60) ? "# posture deny\n" : "# posture always\n");
	if (chance(&gen, 50))
		gen.switchable = 4;
	while (n--) {
		unsigned kind = rng_below(rng, 12);

		if (kind < 4)
			network_policy(&gen);
		else if (kind < 7)
			cilium_policy(&gen, false);
		else if (kind < 9)
			cilium_policy(&gen, true);
		else if (kind < 10)
			api_policy(&gen, API_CLUSTER);
		else if (kind < 11 || baseline)
			api_policy(&gen, API_ADMIN);
		else {
			api_policy(&gen, API_BASELINE);
			baseline = true;
		}
	}
}
