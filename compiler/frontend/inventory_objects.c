/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One Kubernetes object of the inventory, as `kubectl get -o yaml` prints it: only the fields that
 * matter are looked at, the many others are skipped in silence. What is looked at and wrong is
 * reported.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "inventory.h"
#include "objects.h"

typedef POLC_VEC(struct polb_addr) addr_list;
typedef POLC_VEC(struct polb_label) label_list;

struct reader {
	struct polc *polc;
	struct polc_inventory *inventory;
	const struct polc_yaml *object;
	const char *namespace, *name;
	struct polc_span span; /* of the name */
};

/* ---- typed access; absent and null are no mistake ---- */

static const char *text_or(
	struct polc *polc, const struct polc_yaml *node, const char *what, const char *otherwise)
{
	const char *text;

	if (polc_yaml_is_null(node) || !polc_yaml_string(polc, node, what, &text))
		return otherwise;
	return text;
}

static bool is_true(struct polc *polc, const struct polc_yaml *node, const char *what)
{
	bool value;

	return !polc_yaml_is_null(node) && polc_yaml_bool(polc, node, what, &value) && value;
}

static bool is_list(struct polc *polc, const struct polc_yaml *node, const char *what)
{
	return !polc_yaml_is_null(node) && polc_yaml_expect(polc, node, POLC_YAML_SEQUENCE, what);
}

static bool is_mapping(struct polc *polc, const struct polc_yaml *node, const char *what)
{
	return !polc_yaml_is_null(node) && polc_yaml_expect(polc, node, POLC_YAML_MAPPING, what);
}

static const struct polc_yaml *metadata(const struct reader *r, const char *field)
{
	return polc_yaml_get(polc_yaml_get(r->object, "metadata"), field);
}

static const struct polc_yaml *spec(const struct reader *r, const char *field)
{
	return polc_yaml_get(polc_yaml_get(r->object, "spec"), field);
}

static const struct polc_yaml *status(const struct reader *r, const char *field)
{
	return polc_yaml_get(polc_yaml_get(r->object, "status"), field);
}

static label_list read_labels(
	struct reader *r, const struct polc_yaml *node, const char *what, const char *source)
{
	label_list out = {0};

	if (!is_mapping(r->polc, node, what))
		return out;
	for (size_t i = 0; i < node->n_entries; i++) {
		const struct polc_yaml_entry *e = &node->entries[i];
		const char *value = text_or(r->polc, e->value, what, "");

		*polc_vec_push(&r->polc->arena, &out) =
			(struct polb_label){source, e->key->value, value};
	}
	return out;
}

static void read_addr(
	struct reader *r, const struct polc_yaml *node, const char *what, addr_list *out)
{
	const char *text = text_or(r->polc, node, what, "");
	struct polb_addr addr;

	if (!*text)
		return;
	if (polb_addr_parse(text, &addr) < 0 || polb_addr_is_v4_mapped(&addr))
		polc_error(r->polc, node->span, POLC_CODE_INVENTORY_ADDRESS,
			"%s: \"%s\" is not an IPv4 or IPv6 address", what, text);
	else
		*polc_vec_push(&r->polc->arena, out) = addr;
}

/* The vectors of inventory.h are of anonymous types with the layout of ours. */
#define MOVE(to, from)                                                                             \
	do {                                                                                       \
		__auto_type moved_ = (from);                                                       \
		(to).items = moved_.items;                                                         \
		(to).n = moved_.n;                                                                 \
		(to).cap = moved_.cap;                                                             \
	} while (0)

/* ---- Namespace ---- */

static void read_namespace(struct reader *r)
{
	struct polc_namespace ns = {.name = r->name, .span = r->span};

	MOVE(ns.labels, read_labels(r, metadata(r, "labels"), "metadata.labels", "k8s"));
	*polc_vec_push(&r->polc->arena, &r->inventory->namespaces) = ns;
}

/* ---- Pod ---- */

/* TCP when it is not written; 0 (reported) when it is none of the three. */
static uint8_t port_protocol(struct polc *polc, const struct polc_yaml *node, const char *what)
{
	const char *text = text_or(polc, node, what, "TCP");

	if (!strcmp(text, "TCP"))
		return IPPROTO_TCP;
	if (!strcmp(text, "UDP"))
		return IPPROTO_UDP;
	if (!strcmp(text, "SCTP"))
		return IPPROTO_SCTP;
	polc_error(polc, node->span, POLC_CODE_INVENTORY_FIELD,
		"protocol of a %s port: \"%s\" is none of TCP, UDP, SCTP", what, text);
	return 0;
}

static void read_port(struct reader *r, const struct polc_yaml *node, struct polc_pod *pod)
{
	const struct polc_yaml *number = polc_yaml_get(node, "containerPort");
	struct polb_named_port port = {
		.name = text_or(r->polc, polc_yaml_get(node, "name"), "name of a port", "")};
	int64_t value;

	if (!*port.name || !polc_yaml_integer(r->polc, number, "containerPort", &value))
		return;
	port.protocol = port_protocol(r->polc, polc_yaml_get(node, "protocol"), "container");
	if (value < 1 || value > UINT16_MAX) {
		polc_error(r->polc, number->span, POLC_CODE_INVENTORY_FIELD,
			"containerPort must be between 1 and 65535");
		return;
	}
	port.port = (uint16_t)value;
	if (port.protocol)
		*polc_vec_push(&r->polc->arena, &pod->ports) = port;
}

static void read_container(struct reader *r, const struct polc_yaml *node, struct polc_pod *pod)
{
	const struct polc_yaml *ports = polc_yaml_get(node, "ports");

	if (!is_list(r->polc, ports, "ports of a container"))
		return;
	for (size_t i = 0; i < ports->n_items; i++)
		read_port(r, ports->items[i], pod);
}

/* Init containers listen while the pod runs only as sidecars. */
static bool is_sidecar(const struct polc_yaml *container)
{
	const struct polc_yaml *policy = polc_yaml_get(container, "restartPolicy");

	return policy && policy->kind == POLC_YAML_SCALAR && !strcmp(policy->value, "Always");
}

static void read_containers(struct reader *r, struct polc_pod *pod)
{
	const struct polc_yaml *list = spec(r, "containers"), *init = spec(r, "initContainers");

	if (is_list(r->polc, list, "spec.containers"))
		for (size_t i = 0; i < list->n_items; i++)
			read_container(r, list->items[i], pod);
	if (is_list(r->polc, init, "spec.initContainers"))
		for (size_t i = 0; i < init->n_items; i++)
			if (is_sidecar(init->items[i]))
				read_container(r, init->items[i], pod);
}

static void read_pod_addrs(struct reader *r, struct polc_pod *pod)
{
	const struct polc_yaml *list = status(r, "podIPs");
	addr_list addrs = {0};

	if (is_list(r->polc, list, "status.podIPs"))
		for (size_t i = 0; i < list->n_items; i++)
			read_addr(r, polc_yaml_get(list->items[i], "ip"), "status.podIPs", &addrs);
	if (polc_yaml_is_null(list) || (list->kind == POLC_YAML_SEQUENCE && !list->n_items))
		read_addr(r, status(r, "podIP"), "status.podIP", &addrs);
	MOVE(pod->addrs, addrs);
}

static const char *annotation(struct reader *r, const char *name)
{
	const struct polc_yaml *node = polc_yaml_get(metadata(r, "annotations"), name);

	return text_or(r->polc, node, name, NULL);
}

/* A path below the cgroup2 mount: none of its parts may leave it. */
static bool cgroup_is_valid(const char *path)
{
	for (const char *part = path; part;) {
		const char *slash = strchr(part, '/');
		size_t n = slash ? (size_t)(slash - part) : strlen(part);

		if (!n || (n == 1 && part[0] == '.') || (n == 2 && !memcmp(part, "..", 2)))
			return false;
		part = slash ? slash + 1 : NULL;
	}
	return true;
}

static bool interface_is_valid(const char *name)
{
	size_t n = strlen(name);

	return n && n < 16 && !strpbrk(name, "/: \t\n") && strcmp(name, ".") && strcmp(name, "..");
}

static void read_attachment(struct reader *r, struct polc_pod *pod)
{
	const struct polc_yaml *annotations = metadata(r, "annotations");

	pod->cgroup = annotation(r, "polc.dev/cgroup");
	pod->interface = annotation(r, "polc.dev/interface");
	if (pod->cgroup)
		pod->cgroup += *pod->cgroup == '/';
	if (pod->cgroup && !cgroup_is_valid(pod->cgroup))
		polc_error(r->polc, polc_yaml_get(annotations, "polc.dev/cgroup")->span,
			POLC_CODE_INVENTORY_FIELD,
			"polc.dev/cgroup must be a path below the cgroup2 mount");
	if (pod->interface && !interface_is_valid(pod->interface))
		polc_error(r->polc, polc_yaml_get(annotations, "polc.dev/interface")->span,
			POLC_CODE_INVENTORY_FIELD,
			"polc.dev/interface must be the name of an interface");
}

/* ---- containers that run: whose processes are in which cgroup ---- */

/* In order of names, which is the bundle's: the order in the object says nothing. */
static struct polc_container *container_of(struct reader *r, struct polc_pod *pod, const char *name)
{
	struct polc_container *c;
	size_t i = 0;

	while (i < pod->containers.n && strcmp(pod->containers.items[i].name, name) < 0)
		i++;
	if (i < pod->containers.n && !strcmp(pod->containers.items[i].name, name))
		return &pod->containers.items[i];
	polc_vec_push(&r->polc->arena, &pod->containers);
	c = &pod->containers.items[i];
	memmove(c + 1, c, (pod->containers.n - 1 - i) * sizeof(*c));
	*c = (struct polc_container){.name = name};
	return c;
}

/* "containerd://" and the like in front of the id. */
static const char *container_id(struct reader *r, const struct polc_yaml *node)
{
	const char *text = text_or(r->polc, node, "containerID", ""), *id = strstr(text, "://");

	id = id ? id + 3 : text;
	if (!*id)
		return NULL;
	if (strlen(id) < 12 || id[strspn(id, "0123456789abcdefABCDEF")]) {
		polc_error(r->polc, node->span, POLC_CODE_INVENTORY_FIELD,
			"containerID: \"%s\" is not like containerd://0123456789ab...", text);
		return NULL;
	}
	return id;
}

static void read_statuses(struct reader *r, const char *field, struct polc_pod *pod)
{
	const struct polc_yaml *list = status(r, field);

	if (!is_list(r->polc, list, field))
		return;
	for (size_t i = 0; i < list->n_items; i++) {
		const struct polc_yaml *item = list->items[i];
		const char *name =
			text_or(r->polc, polc_yaml_get(item, "name"), "name of a container", "");
		const char *id = container_id(r, polc_yaml_get(item, "containerID"));

		if (!*name || !id)
			continue;
		struct polc_container *c = container_of(r, pod, name);
		c->id = id;
		c->image = text_or(r->polc, polc_yaml_get(item, "image"), "image", NULL);
	}
}

static void read_container_cgroups(struct reader *r, struct polc_pod *pod)
{
	static const char prefix[] = "polc.dev/cgroup.";
	const struct polc_yaml *annotations = metadata(r, "annotations");

	if (!annotations || annotations->kind != POLC_YAML_MAPPING)
		return;
	for (size_t i = 0; i < annotations->n_entries; i++) {
		const struct polc_yaml_entry *e = &annotations->entries[i];

		if (strncmp(e->key->value, prefix, sizeof(prefix) - 1))
			continue;
		const char *path = text_or(r->polc, e->value, e->key->value, "");
		path += *path == '/';
		if (!cgroup_is_valid(path))
			polc_error(r->polc, e->value->span, POLC_CODE_INVENTORY_FIELD,
				"%s must be a path below the cgroup2 mount", e->key->value);
		container_of(r, pod, e->key->value + sizeof(prefix) - 1)->cgroup = path;
	}
}

static void read_running(struct reader *r, struct polc_pod *pod)
{
	read_statuses(r, "containerStatuses", pod);
	read_statuses(r, "initContainerStatuses", pod);
	read_statuses(r, "ephemeralContainerStatuses", pod);
	read_container_cgroups(r, pod);
}

static void read_pod(struct reader *r)
{
	struct polc_pod pod = {.namespace = r->namespace, .name = r->name, .span = r->span};
	const char *phase = text_or(r->polc, status(r, "phase"), "status.phase", "");

	MOVE(pod.labels, read_labels(r, metadata(r, "labels"), "metadata.labels", "k8s"));
	pod.node = text_or(r->polc, spec(r, "nodeName"), "spec.nodeName", NULL);
	pod.service_account = text_or(
		r->polc, spec(r, "serviceAccountName"), "spec.serviceAccountName", "default");
	pod.host_network = is_true(r->polc, spec(r, "hostNetwork"), "spec.hostNetwork");
	pod.finished = !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed");
	read_containers(r, &pod);
	read_pod_addrs(r, &pod);
	read_attachment(r, &pod);
	read_running(r, &pod);
	*polc_vec_push(&r->polc->arena, &r->inventory->pods) = pod;
}

/* ---- Node ---- */

static void read_node_address(struct reader *r, const struct polc_yaml *node, addr_list *out)
{
	const char *type =
		text_or(r->polc, polc_yaml_get(node, "type"), "status.addresses type", "");

	if (!strcmp(type, "InternalIP") || !strcmp(type, "ExternalIP"))
		read_addr(r, polc_yaml_get(node, "address"), "status.addresses", out);
}

static void read_annotated(struct reader *r, const char *name, addr_list *out)
{
	read_addr(r, polc_yaml_get(metadata(r, "annotations"), name), name, out);
}

static void read_node(struct reader *r)
{
	struct polc_node node = {.name = r->name, .span = r->span};
	const struct polc_yaml *list = status(r, "addresses");
	addr_list addrs = {0}, health = {0}, ingress = {0};

	if (is_list(r->polc, list, "status.addresses"))
		for (size_t i = 0; i < list->n_items; i++)
			read_node_address(r, list->items[i], &addrs);
	read_annotated(r, "network.cilium.io/ipv4-cilium-host", &addrs);
	read_annotated(r, "network.cilium.io/ipv6-cilium-host", &addrs);
	read_annotated(r, "network.cilium.io/ipv4-health-ip", &health);
	read_annotated(r, "network.cilium.io/ipv6-health-ip", &health);
	read_annotated(r, "network.cilium.io/ipv4-Ingress-ip", &ingress);
	read_annotated(r, "network.cilium.io/ipv6-Ingress-ip", &ingress);
	MOVE(node.labels, read_labels(r, metadata(r, "labels"), "metadata.labels", "node"));
	MOVE(node.addrs, addrs);
	MOVE(node.health_addrs, health);
	MOVE(node.ingress_addrs, ingress);
	*polc_vec_push(&r->polc->arena, &r->inventory->nodes) = node;
}

/* ---- Service, EndpointSlice, Endpoints ---- */

static bool port_number(const struct polc_yaml *node, uint16_t *out)
{
	unsigned long value;

	if (!node || !polc_yaml_is_integer(node))
		return false;
	value = strtoul(node->value, NULL, 10);
	*out = (uint16_t)value;
	return value >= 1 && value <= UINT16_MAX;
}

/* Only lints ask: what is odd is left out. */
static void read_exposed_port(
	struct reader *r, const struct polc_yaml *node, struct polc_service *service)
{
	const struct polc_yaml *target = polc_yaml_get(node, "targetPort");
	struct polc_exposed_port port = {0};

	if (!port_number(polc_yaml_get(node, "port"), &port.port))
		return;
	port.protocol = port_protocol(r->polc, polc_yaml_get(node, "protocol"), "service");
	if (polc_yaml_is_null(target))
		port.target = port.port;
	else if (!port_number(target, &port.target))
		port.target_name = text_or(r->polc, target, "targetPort", NULL);
	if (port.protocol && (port.target || port.target_name))
		*polc_vec_push(&r->polc->arena, &service->ports) = port;
}

static void read_cluster_addr(
	struct reader *r, const struct polc_yaml *node, struct polc_service *service)
{
	struct polb_addr addr;

	if (node && node->kind == POLC_YAML_SCALAR && !polb_addr_parse(node->value, &addr))
		*polc_vec_push(&r->polc->arena, &service->cluster_addrs) = addr;
}

static void read_exposure(struct reader *r, struct polc_service *service)
{
	const struct polc_yaml *ports = spec(r, "ports"), *addrs = spec(r, "clusterIPs");

	for (size_t i = 0; ports && ports->kind == POLC_YAML_SEQUENCE && i < ports->n_items; i++)
		read_exposed_port(r, ports->items[i], service);
	for (size_t i = 0; addrs && addrs->kind == POLC_YAML_SEQUENCE && i < addrs->n_items; i++)
		read_cluster_addr(r, addrs->items[i], service);
	if (!addrs)
		read_cluster_addr(r, spec(r, "clusterIP"), service);
}

static void read_service(struct reader *r)
{
	struct polc_service service = {.namespace = r->namespace, .name = r->name, .span = r->span};

	MOVE(service.labels, read_labels(r, metadata(r, "labels"), "metadata.labels", "k8s"));
	MOVE(service.selector, read_labels(r, spec(r, "selector"), "spec.selector", "k8s"));
	service.has_selector = service.selector.n > 0;
	read_exposure(r, &service);
	*polc_vec_push(&r->polc->arena, &r->inventory->services) = service;
}

/* Ready, or terminating and still serving; absent means yes. */
static bool endpoint_is_used(struct reader *r, const struct polc_yaml *endpoint)
{
	const struct polc_yaml *conditions = polc_yaml_get(endpoint, "conditions");
	const struct polc_yaml *ready = polc_yaml_get(conditions, "ready");

	return polc_yaml_is_null(ready) || is_true(r->polc, ready, "conditions.ready") ||
	       (is_true(r->polc, polc_yaml_get(conditions, "serving"), "conditions.serving") &&
		       is_true(r->polc, polc_yaml_get(conditions, "terminating"),
			       "conditions.terminating"));
}

static void read_endpoint(struct reader *r, const struct polc_yaml *endpoint, addr_list *out)
{
	const struct polc_yaml *list = polc_yaml_get(endpoint, "addresses");

	if (!endpoint_is_used(r, endpoint) || !is_list(r->polc, list, "endpoints addresses"))
		return;
	for (size_t i = 0; i < list->n_items; i++)
		read_addr(r, list->items[i], "endpoints addresses", out);
}

static void add_endpoint_set(struct reader *r, const char *service, addr_list addrs)
{
	struct polc_endpoint_set set = {.namespace = r->namespace, .service = service};

	MOVE(set.addrs, addrs);
	*polc_vec_push(&r->polc->arena, &r->inventory->endpoint_sets) = set;
}

static void read_endpoint_slice(struct reader *r)
{
	const struct polc_yaml *labels = metadata(r, "labels");
	const struct polc_yaml *list = polc_yaml_get(r->object, "endpoints");
	const char *service = text_or(r->polc, polc_yaml_get(labels, "kubernetes.io/service-name"),
		"label kubernetes.io/service-name", "");
	const char *type =
		text_or(r->polc, polc_yaml_get(r->object, "addressType"), "addressType", "");
	addr_list addrs = {0};

	if (!*service || !strcmp(type, "FQDN") || !is_list(r->polc, list, "endpoints"))
		return;
	for (size_t i = 0; i < list->n_items; i++)
		read_endpoint(r, list->items[i], &addrs);
	add_endpoint_set(r, service, addrs);
}

static void read_subset(struct reader *r, const struct polc_yaml *subset, addr_list *out)
{
	const struct polc_yaml *list = polc_yaml_get(subset, "addresses");

	if (!is_list(r->polc, list, "subsets addresses"))
		return;
	for (size_t i = 0; i < list->n_items; i++)
		read_addr(r, polc_yaml_get(list->items[i], "ip"), "subsets addresses", out);
}

static void read_endpoints(struct reader *r)
{
	const struct polc_yaml *list = polc_yaml_get(r->object, "subsets");
	addr_list addrs = {0};

	if (!is_list(r->polc, list, "subsets"))
		return;
	for (size_t i = 0; i < list->n_items; i++)
		read_subset(r, list->items[i], &addrs);
	add_endpoint_set(r, r->name, addrs);
}

/* ---- CiliumCIDRGroup ---- */

static void read_cidr_group(struct reader *r)
{
	struct polc_cidr_group group = {.name = r->name, .span = r->span};
	const struct polc_yaml *list = spec(r, "externalCIDRs");
	struct polb_prefix cidr;

	MOVE(group.labels, read_labels(r, metadata(r, "labels"), "metadata.labels", "k8s"));
	if (is_list(r->polc, list, "spec.externalCIDRs"))
		for (size_t i = 0; i < list->n_items; i++)
			if (polc_parse_prefix(
				    r->polc, list->items[i], false, "spec.externalCIDRs", &cidr))
				*polc_vec_push(&r->polc->arena, &group.cidrs) = cidr;
	*polc_vec_push(&r->polc->arena, &r->inventory->cidr_groups) = group;
}

/* ---- kinds ---- */

static const struct kind {
	const char *name, *api;
	void (*read)(struct reader *r);
} kinds[] = {
	{"Pod", "v1", read_pod},
	{"Namespace", "v1", read_namespace},
	{"Node", "v1", read_node},
	{"Service", "v1", read_service},
	{"EndpointSlice", "discovery.k8s.io/v1", read_endpoint_slice},
	{"EndpointSlice", "discovery.k8s.io/v1beta1", read_endpoint_slice},
	{"Endpoints", "v1", read_endpoints},
	{"CiliumCIDRGroup", "cilium.io/v2", read_cidr_group},
	{"CiliumCIDRGroup", "cilium.io/v2alpha1", read_cidr_group},
};

static const char *scalar_or_empty(const struct polc_yaml *node)
{
	return node && node->kind == POLC_YAML_SCALAR ? node->value : "";
}

/* Kinds of the same name in other API groups are other things. */
static const struct kind *kind_of(const struct polc_yaml *object)
{
	const char *name = scalar_or_empty(polc_yaml_get(object, "kind"));
	const char *api = scalar_or_empty(polc_yaml_get(object, "apiVersion"));

	for (size_t i = 0; i < POLC_ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name) && !strcmp(kinds[i].api, api))
			return &kinds[i];
	return NULL;
}

bool polc_inventory_add(
	struct polc *polc, struct polc_inventory *inventory, const struct polc_yaml *object)
{
	struct reader r = {.polc = polc, .inventory = inventory, .object = object};
	const struct kind *kind = kind_of(object);
	const struct polc_yaml *name;

	if (!kind)
		return false;
	inventory->given = true;
	name = metadata(&r, "name");
	r.name = text_or(polc, name, "metadata.name", "");
	r.namespace = text_or(polc, metadata(&r, "namespace"), "metadata.namespace", "default");
	r.span = name ? name->span : object->span;
	if (*r.name)
		kind->read(&r);
	else if (polc_yaml_is_null(name) || !*scalar_or_empty(name))
		polc_error(polc, r.span, POLC_CODE_INVENTORY_FIELD, "a %s has no metadata.name",
			kind->name);
	return true;
}
