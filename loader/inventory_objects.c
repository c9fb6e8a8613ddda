/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Kubernetes objects of an inventory, as `kubectl get -o yaml` prints them: the fields that matter
 * are read as the compiler reads them (compiler/frontend/inventory_objects.c; tests/sync compares),
 * the many others are skipped in silence. What is looked at and wrong is reported.
 */
#include "inventory_objects.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/yaml_scalar.h"
#include "yaml.h"

struct reader {
	struct pold_inventory *inventory;
	const char *path;
	const struct pold_yaml *object;
	const char *namespace, *name;
	struct pold_at at;
};

/* ---- typed access; absent and null are no mistake ---- */

static void wrong(
	struct reader *r, const struct pold_yaml *node, const char *what, const char *wanted)
{
	pold_inventory_error(r->inventory, (struct pold_at){.path = r->path, .line = node->line},
		"%s must be %s", what, wanted);
}

static bool is_string(const struct pold_yaml *node)
{
	return node->kind == POLD_YAML_SCALAR &&
	       (!node->plain || polb_yaml_resolve(node->value) == POLB_YAML_STRING);
}

/* Kept with the inventory; `otherwise` when there is none. */
static const char *text_or(
	struct reader *r, const struct pold_yaml *node, const char *what, const char *otherwise)
{
	if (pold_yaml_is_null(node))
		return otherwise;
	if (is_string(node))
		return pold_pool_text(&r->inventory->pool, node->value, strlen(node->value));
	wrong(r, node, what, "a string");
	return otherwise;
}

static bool is_true(struct reader *r, const struct pold_yaml *node, const char *what)
{
	if (pold_yaml_is_null(node))
		return false;
	if (node->kind == POLD_YAML_SCALAR && node->plain &&
		polb_yaml_resolve(node->value) == POLB_YAML_BOOL)
		return polb_yaml_is_true(node->value);
	wrong(r, node, what, "true or false");
	return false;
}

/* The first item, or NULL. */
static const struct pold_yaml *items(
	struct reader *r, const struct pold_yaml *node, enum pold_yaml_kind kind, const char *what)
{
	if (pold_yaml_is_null(node))
		return NULL;
	if (node->kind == kind)
		return node->first;
	wrong(r, node, what, kind == POLD_YAML_SEQUENCE ? "a list" : "a mapping");
	return NULL;
}

static const struct pold_yaml *list(
	struct reader *r, const struct pold_yaml *node, const char *what)
{
	return items(r, node, POLD_YAML_SEQUENCE, what);
}

static const struct pold_yaml *metadata(const struct reader *r, const char *field)
{
	return pold_yaml_get(pold_yaml_get(r->object, "metadata"), field);
}

static const struct pold_yaml *spec(const struct reader *r, const char *field)
{
	return pold_yaml_get(pold_yaml_get(r->object, "spec"), field);
}

static const struct pold_yaml *status(const struct reader *r, const char *field)
{
	return pold_yaml_get(pold_yaml_get(r->object, "status"), field);
}

static void read_labels(struct reader *r, const char *source, pold_labels *out)
{
	struct pold_pool *pool = &r->inventory->pool;

	for (const struct pold_yaml *item =
			items(r, metadata(r, "labels"), POLD_YAML_MAPPING, "metadata.labels");
		item; item = item->next) {
		const char *value = text_or(r, item, "metadata.labels", "");

		*pold_list_push(pool, out) = (struct polb_label){
			source, pold_pool_text(pool, item->key, strlen(item->key)), value};
	}
}

static void read_addr(
	struct reader *r, const struct pold_yaml *node, const char *what, pold_addrs *out)
{
	const char *text = text_or(r, node, what, "");
	struct polb_addr addr;

	if (!*text)
		return;
	if (polb_addr_parse(text, &addr) < 0 || polb_addr_is_v4_mapped(&addr))
		wrong(r, node, what, "an IPv4 or IPv6 address");
	else
		*pold_list_push(&r->inventory->pool, out) = addr;
}

/* ---- Namespace ---- */

static void read_namespace(struct reader *r)
{
	struct pold_inventory_namespace *ns =
		pold_list_push(&r->inventory->pool, &r->inventory->namespaces);

	ns->at = r->at;
	ns->name = r->name;
	read_labels(r, "k8s", &ns->labels);
}

/* ---- Pod ---- */

/* TCP when it is not written; 0 (reported) when it is none of the three. */
static uint8_t port_protocol(struct reader *r, const struct pold_yaml *node)
{
	const char *text = text_or(r, node, "protocol of a container port", "TCP");

	if (strcmp(text, "TCP") == 0)
		return IPPROTO_TCP;
	if (strcmp(text, "UDP") == 0)
		return IPPROTO_UDP;
	if (strcmp(text, "SCTP") == 0)
		return IPPROTO_SCTP;
	wrong(r, node, "protocol of a container port", "TCP, UDP or SCTP");
	return 0;
}

/* Plain decimals only, as the compiler takes them. */
static bool port_number(struct reader *r, const struct pold_yaml *node, uint16_t *out)
{
	const char *text = pold_yaml_text(node);
	size_t n = strspn(text, "0123456789");
	unsigned long value = n && n < 6 ? strtoul(text, NULL, 10) : 0;

	*out = (uint16_t)value;
	if (node && node->plain && n && !text[n] && value >= 1 && value <= UINT16_MAX)
		return true;
	pold_inventory_error(r->inventory,
		(struct pold_at){.path = r->path, .line = node ? node->line : r->at.line},
		"containerPort must be a number between 1 and 65535");
	return false;
}

static void read_port(
	struct reader *r, const struct pold_yaml *node, struct pold_inventory_pod *pod)
{
	struct polb_named_port port = {
		.name = text_or(r, pold_yaml_get(node, "name"), "name of a port", "")};

	if (!*port.name || !port_number(r, pold_yaml_get(node, "containerPort"), &port.port))
		return;
	port.protocol = port_protocol(r, pold_yaml_get(node, "protocol"));
	if (port.protocol)
		*pold_list_push(&r->inventory->pool, &pod->ports) = port;
}

/* Init containers listen while the pod runs only as sidecars. */
static bool is_sidecar(const struct pold_yaml *container)
{
	return strcmp(pold_yaml_text(pold_yaml_get(container, "restartPolicy")), "Always") == 0;
}

static void read_container_ports(
	struct reader *r, const char *field, bool only_sidecars, struct pold_inventory_pod *pod)
{
	for (const struct pold_yaml *c = list(r, spec(r, field), field); c; c = c->next) {
		if (only_sidecars && !is_sidecar(c))
			continue;
		for (const struct pold_yaml *port =
				list(r, pold_yaml_get(c, "ports"), "ports of a container");
			port; port = port->next)
			read_port(r, port, pod);
	}
}

static void read_pod_addrs(struct reader *r, struct pold_inventory_pod *pod)
{
	const struct pold_yaml *ips = status(r, "podIPs");

	for (const struct pold_yaml *ip = list(r, ips, "status.podIPs"); ip; ip = ip->next)
		read_addr(r, pold_yaml_get(ip, "ip"), "status.podIPs", &pod->addrs);
	if (pold_yaml_is_null(ips) || (ips->kind == POLD_YAML_SEQUENCE && !ips->first))
		read_addr(r, status(r, "podIP"), "status.podIP", &pod->addrs);
}

/* A path below the cgroup2 mount: none of its parts may leave it. */
static bool cgroup_is_valid(const char *path)
{
	for (const char *part = path; part;) {
		const char *slash = strchr(part, '/');
		size_t n = slash ? (size_t)(slash - part) : strlen(part);

		if (!n || (n == 1 && part[0] == '.') || (n == 2 && memcmp(part, "..", 2) == 0))
			return false;
		part = slash ? slash + 1 : NULL;
	}
	return true;
}

static bool interface_is_valid(const char *name)
{
	size_t n = strlen(name);

	return n && n < 16 && !strpbrk(name, "/: \t\n") && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

static const char *cgroup_path(struct reader *r, const struct pold_yaml *node, const char *name)
{
	const char *path = text_or(r, node, name, NULL);

	if (!path)
		return NULL;
	path += *path == '/';
	if (!cgroup_is_valid(path))
		wrong(r, node, name, "a path below the cgroup2 mount");
	return path;
}

static void read_attachment(struct reader *r, struct pold_inventory_pod *pod)
{
	const struct pold_yaml *annotations = metadata(r, "annotations");
	const struct pold_yaml *interface = pold_yaml_get(annotations, "polc.dev/interface");

	pod->cgroup =
		cgroup_path(r, pold_yaml_get(annotations, "polc.dev/cgroup"), "polc.dev/cgroup");
	pod->interface = text_or(r, interface, "polc.dev/interface", NULL);
	if (pod->interface && !interface_is_valid(pod->interface))
		wrong(r, interface, "polc.dev/interface", "the name of an interface");
}

/* ---- containers that run: whose processes are in which cgroup ---- */

static struct pold_inventory_container *container_of(
	struct reader *r, struct pold_inventory_pod *pod, const char *name)
{
	struct pold_inventory_container *c;
	size_t i = 0;

	while (i < pod->containers.n && strcmp(pod->containers.items[i].name, name) < 0)
		i++;
	if (i < pod->containers.n && strcmp(pod->containers.items[i].name, name) == 0)
		return &pod->containers.items[i];
	pold_list_push(&r->inventory->pool, &pod->containers);
	c = &pod->containers.items[i];
	memmove(c + 1, c, (pod->containers.n - 1 - i) * sizeof(*c));
	*c = (struct pold_inventory_container){.name = name};
	return c;
}

/* "containerd://" and the like in front of the id. */
static const char *container_id(struct reader *r, const struct pold_yaml *node)
{
	const char *text = text_or(r, node, "containerID", ""), *id = strstr(text, "://");

	id = id ? id + 3 : text;
	if (!*id)
		return NULL;
	if (strlen(id) >= 12 && !id[strspn(id, "0123456789abcdefABCDEF")])
		return id;
	wrong(r, node, "containerID", "like containerd://0123456789ab...");
	return NULL;
}

static void read_statuses(struct reader *r, const char *field, struct pold_inventory_pod *pod)
{
	for (const struct pold_yaml *item = list(r, status(r, field), field); item;
		item = item->next) {
		const char *name =
			text_or(r, pold_yaml_get(item, "name"), "name of a container", "");
		const char *id = container_id(r, pold_yaml_get(item, "containerID"));
		struct pold_inventory_container *c;

		if (!*name || !id)
			continue;
		c = container_of(r, pod, name);
		c->id = id;
		c->image = text_or(r, pold_yaml_get(item, "image"), "image", NULL);
	}
}

static void read_container_cgroups(struct reader *r, struct pold_inventory_pod *pod)
{
	static const char prefix[] = "polc.dev/cgroup.";
	const struct pold_yaml *annotations = metadata(r, "annotations");

	if (!annotations || annotations->kind != POLD_YAML_MAPPING)
		return;
	for (const struct pold_yaml *a = annotations->first; a; a = a->next) {
		const char *name = a->key + sizeof(prefix) - 1, *path;

		if (strncmp(a->key, prefix, sizeof(prefix) - 1) != 0)
			continue;
		path = cgroup_path(r, a, a->key);
		name = pold_pool_text(&r->inventory->pool, name, strlen(name));
		container_of(r, pod, name)->cgroup = path ? path : "";
	}
}

static void read_pod(struct reader *r)
{
	const char *phase = text_or(r, status(r, "phase"), "status.phase", "");
	struct pold_inventory_pod *pod = pold_list_push(&r->inventory->pool, &r->inventory->pods);

	r->inventory->speaks |= POLD_SPEAKS_PODS | POLD_SPEAKS_ENDPOINTS;
	pod->at = r->at;
	pod->namespace = r->namespace;
	pod->name = r->name;
	pod->identity = POLD_NO_IDENTITY;
	read_labels(r, "k8s", &pod->labels);
	pod->uid = text_or(r, metadata(r, "uid"), "metadata.uid", NULL);
	pod->node = text_or(r, spec(r, "nodeName"), "spec.nodeName", NULL);
	pod->service_account =
		text_or(r, spec(r, "serviceAccountName"), "spec.serviceAccountName", "default");
	pod->host_network = is_true(r, spec(r, "hostNetwork"), "spec.hostNetwork");
	pod->finished = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
	read_container_ports(r, "containers", false, pod);
	read_container_ports(r, "initContainers", true, pod);
	read_pod_addrs(r, pod);
	read_attachment(r, pod);
	read_statuses(r, "containerStatuses", pod);
	read_statuses(r, "initContainerStatuses", pod);
	read_statuses(r, "ephemeralContainerStatuses", pod);
	read_container_cgroups(r, pod);
}

/* ---- Node ---- */

static void read_node_addrs(struct reader *r, pold_addrs *out)
{
	for (const struct pold_yaml *a = list(r, status(r, "addresses"), "status.addresses"); a;
		a = a->next) {
		const char *type =
			text_or(r, pold_yaml_get(a, "type"), "status.addresses type", "");

		if (strcmp(type, "InternalIP") == 0 || strcmp(type, "ExternalIP") == 0)
			read_addr(r, pold_yaml_get(a, "address"), "status.addresses", out);
	}
}

static void read_annotated(struct reader *r, const char *name, pold_addrs *out)
{
	read_addr(r, pold_yaml_get(metadata(r, "annotations"), name), name, out);
}

static void read_node(struct reader *r)
{
	struct pold_inventory_node *node =
		pold_list_push(&r->inventory->pool, &r->inventory->nodes);

	r->inventory->speaks |= POLD_SPEAKS_NODES;
	node->at = r->at;
	node->name = r->name;
	read_labels(r, "node", &node->labels);
	read_node_addrs(r, &node->addrs);
	read_annotated(r, "network.cilium.io/ipv4-cilium-host", &node->addrs);
	read_annotated(r, "network.cilium.io/ipv6-cilium-host", &node->addrs);
	read_annotated(r, "network.cilium.io/ipv4-health-ip", &node->health_addrs);
	read_annotated(r, "network.cilium.io/ipv6-health-ip", &node->health_addrs);
	read_annotated(r, "network.cilium.io/ipv4-Ingress-ip", &node->ingress_addrs);
	read_annotated(r, "network.cilium.io/ipv6-Ingress-ip", &node->ingress_addrs);
}

/* ---- EndpointSlice, Endpoints: only those of the API server are asked for ---- */

/* Ready, or terminating and still serving; absent means yes. */
static bool endpoint_is_used(struct reader *r, const struct pold_yaml *endpoint)
{
	const struct pold_yaml *conditions = pold_yaml_get(endpoint, "conditions");
	const struct pold_yaml *ready = pold_yaml_get(conditions, "ready");

	return pold_yaml_is_null(ready) || is_true(r, ready, "conditions.ready") ||
	       (is_true(r, pold_yaml_get(conditions, "serving"), "conditions.serving") &&
		       is_true(r, pold_yaml_get(conditions, "terminating"),
			       "conditions.terminating"));
}

static bool is_apiserver(const struct reader *r, const char *service)
{
	return strcmp(r->namespace, "default") == 0 && strcmp(service, "kubernetes") == 0;
}

static void read_endpoint_slice(struct reader *r)
{
	const char *service =
		text_or(r, pold_yaml_get(metadata(r, "labels"), "kubernetes.io/service-name"),
			"label kubernetes.io/service-name", "");
	const char *type = pold_yaml_text(pold_yaml_get(r->object, "addressType"));

	if (!is_apiserver(r, service) || strcmp(type, "FQDN") == 0)
		return;
	r->inventory->speaks |= POLD_SPEAKS_APISERVER;
	for (const struct pold_yaml *e =
			list(r, pold_yaml_get(r->object, "endpoints"), "endpoints");
		e; e = e->next) {
		if (!endpoint_is_used(r, e))
			continue;
		for (const struct pold_yaml *a =
				list(r, pold_yaml_get(e, "addresses"), "endpoints addresses");
			a; a = a->next)
			read_addr(r, a, "endpoints addresses", &r->inventory->apiserver_addrs);
	}
}

static void read_endpoints(struct reader *r)
{
	if (!is_apiserver(r, r->name))
		return;
	r->inventory->speaks |= POLD_SPEAKS_APISERVER;
	for (const struct pold_yaml *s = list(r, pold_yaml_get(r->object, "subsets"), "subsets"); s;
		s = s->next)
		for (const struct pold_yaml *a =
				list(r, pold_yaml_get(s, "addresses"), "subsets addresses");
			a; a = a->next)
			read_addr(r, pold_yaml_get(a, "ip"), "subsets addresses",
				&r->inventory->apiserver_addrs);
}

/* Services and CIDR groups became selectors when the bundle was built: a change of them is the
 * compiler's. */
static void skip(struct reader *r)
{
	(void)r;
}

/* ---- kinds ---- */

static const struct kind {
	const char *name, *api;
	void (*read)(struct reader *r);
} kinds[] = {
	{"Pod", "v1", read_pod},
	{"Namespace", "v1", read_namespace},
	{"Node", "v1", read_node},
	{"EndpointSlice", "discovery.k8s.io/v1", read_endpoint_slice},
	{"EndpointSlice", "discovery.k8s.io/v1beta1", read_endpoint_slice},
	{"Endpoints", "v1", read_endpoints},
	{"Service", "v1", skip},
};

/* Kinds of the same name in other API groups are other things. */
static const struct kind *kind_of(const char *name, size_t n, const char *api)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].name) == n && memcmp(kinds[i].name, name, n) == 0 &&
			strcmp(kinds[i].api, api) == 0)
			return &kinds[i];
	return NULL;
}

static void read_object(struct reader *r, const struct kind *kind)
{
	const struct pold_yaml *name = metadata(r, "name");

	r->at = (struct pold_at){
		r->path, name ? name->line : r->object->line, r->inventory->n_objects++};
	r->name = text_or(r, name, "metadata.name", "");
	r->namespace = text_or(r, metadata(r, "namespace"), "metadata.namespace", "default");
	if (*r->name)
		kind->read(r);
	else if (pold_yaml_is_null(name) || is_string(name))
		pold_inventory_error(r->inventory, r->at, "a %s has no metadata.name", kind->name);
}

/* The items of a PodList straight from an API server do not repeat kind and apiVersion. */
static void read_any(struct reader *r, const struct pold_yaml *object, const char *list_kind,
	const char *list_api)
{
	const char *name = pold_yaml_text(pold_yaml_get(object, "kind"));
	const char *api = pold_yaml_text(pold_yaml_get(object, "apiVersion"));
	const struct pold_yaml *children = pold_yaml_get(object, "items");
	size_t n = strlen(name);
	const struct kind *kind;

	if (object->kind != POLD_YAML_MAPPING || (!n && strlen(list_kind) <= 4)) {
		pold_inventory_error(r->inventory,
			(struct pold_at){.path = r->path, .line = object->line},
			"an object must be a mapping with apiVersion and kind");
		return;
	}
	if (n >= 4 && strcmp(name + n - 4, "List") == 0 && children) {
		for (const struct pold_yaml *c = list(r, children, "items"); c; c = c->next)
			read_any(r, c, name, api);
		return;
	}
	kind = n ? kind_of(name, n, api)
		 : kind_of(list_kind, strlen(list_kind) - 4, *api ? api : list_api);
	r->object = object;
	if (kind)
		read_object(r, kind);
}

static void read_document(void *context, const struct pold_yaml *document)
{
	read_any(context, document, "", "");
}

void pold_inventory_objects(
	struct pold_inventory *inventory, const char *path, const char *text, size_t size)
{
	struct reader r = {.inventory = inventory, .path = path};

	pold_yaml_each(inventory, path, text, size, read_document, &r);
}
