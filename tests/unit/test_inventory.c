/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The inventory: objects as kubectl prints them, joins, duplicates, conflicts, lookup. */
#include <netinet/in.h>

#include "frontend.h"

static const char cluster[] =
	"apiVersion: v1\nkind: Pod\n"
	"metadata:\n  name: b\n  namespace: prod\n  labels: {app: web}\n  uid: 1-2\n"
	"spec:\n  nodeName: n1\n  serviceAccountName: robot\n"
	"  containers:\n  - name: c\n    image: x\n"
	"    ports: [{name: web, containerPort: 80}, {containerPort: 81},\n"
	"      {name: dns, containerPort: 53, protocol: UDP}]\n"
	"  initContainers:\n"
	"  - {name: side, restartPolicy: Always, ports: [{name: side, containerPort: 9}]}\n"
	"  - {name: init, ports: [{name: init, containerPort: 10}]}\n"
	"status:\n  phase: Running\n  podIP: 10.0.0.9\n  podIPs: [{ip: 10.0.0.1}, {ip: "
	"\"fd00::1\"}]\n"
	"---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: prod,\n"
	"  annotations: {polc.dev/cgroup: /system.slice/a.service, polc.dev/interface: veth0}}\n"
	"spec: {hostNetwork: true}\nstatus: {phase: Running, podIP: 10.1.0.1}\n"
	"---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: done, namespace: jobs}\n"
	"status: {phase: Succeeded, podIP: 10.0.0.1}\n"
	"---\n"
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: prod, labels: {team: x}}\n"
	"---\n"
	"apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {os: linux}, annotations:\n"
	"  {network.cilium.io/ipv4-health-ip: 10.0.0.200, network.cilium.io/ipv4-Ingress-ip: "
	"10.0.0.201,\n"
	"   network.cilium.io/ipv4-cilium-host: 10.0.0.254}}\n"
	"status: {addresses: [{type: InternalIP, address: 10.1.0.1}, {type: Hostname, address: "
	"n1},\n"
	"  {type: ExternalIP, address: 192.0.2.1}]}\n"
	"---\n"
	"apiVersion: v1\nkind: Service\nmetadata: {name: kubernetes, namespace: default}\n"
	"spec: {clusterIP: 10.96.0.1}\n"
	"---\n"
	"apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: prod, labels: {l: v}}\n"
	"spec: {selector: {app: web}}\n"
	"---\n"
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
	"metadata: {name: kubernetes, namespace: default,\n"
	"  labels: {kubernetes.io/service-name: kubernetes}}\n"
	"endpoints: [{addresses: [10.1.0.1], conditions: {ready: true}},\n"
	"  {addresses: [10.1.0.2], conditions: {ready: false}}]\n"
	"---\n"
	"apiVersion: v1\nkind: Endpoints\nmetadata: {name: kubernetes, namespace: default}\n"
	"subsets: [{addresses: [{ip: 10.1.0.1}], notReadyAddresses: [{ip: 10.1.0.2}]}]\n"
	"---\n"
	"apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata: {name: g, labels: {l: v}}\n"
	"spec: {externalCIDRs: [10.0.0.0/8, \"fd00::/8\"]}\n"
	"---\n"
	"apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: web, namespace: "
	"prod}\n";

static void test_pods(void **state)
{
	struct parsed p;

	(void)state;
	parse_text(&p, cluster);
	expect_counts(&p, "cluster", 0, 0);
	const struct polc_inventory *inv = &p.input.inventory;
	const struct polc_pod *b = polc_inventory_pod(inv, "prod", "b");

	assert_int_equal(inv->pods.n, 3);
	assert_true(inv->given);
	assert_non_null(b);
	assert_string_equal(b->labels.items[0].source, "k8s");
	assert_string_equal(b->node, "n1");
	assert_string_equal(b->service_account, "robot");
	assert_int_equal(b->addrs.n, 2); /* podIPs, not podIP */
	assert_int_equal(b->addrs.items[1].family, 6);
	assert_int_equal(b->ports.n, 3);
	assert_int_equal(b->ports.items[1].protocol, IPPROTO_UDP);
	assert_string_equal(b->ports.items[2].name, "side");
	const struct polc_pod *a = polc_inventory_pod(inv, "prod", "a");

	assert_true(a->host_network);
	assert_string_equal(a->cgroup, "system.slice/a.service");
	assert_string_equal(a->interface, "veth0");
	assert_string_equal(a->service_account, "default");
	assert_true(polc_inventory_pod(inv, "jobs", "done")->finished);
	assert_null(polc_inventory_pod(inv, "prod", "done"));
	parsed_free(&p);
}

static void test_others(void **state)
{
	struct parsed p;

	(void)state;
	parse_text(&p, cluster);
	const struct polc_inventory *inv = &p.input.inventory;

	assert_int_equal(inv->namespaces.n, 2);
	assert_int_equal(polc_inventory_namespace(inv, "prod")->labels.n, 2);
	const struct polc_namespace *jobs = polc_inventory_namespace(inv, "jobs");

	assert_int_equal(jobs->labels.n, 1);
	assert_string_equal(jobs->labels.items[0].key, "kubernetes.io/metadata.name");
	const struct polc_node *node = polc_inventory_node(inv, "n1");

	assert_int_equal(node->addrs.n, 3);
	assert_int_equal(node->health_addrs.n, 1);
	assert_int_equal(node->ingress_addrs.n, 1);
	assert_string_equal(node->labels.items[0].source, "node");
	assert_int_equal(inv->services.n, 2);
	assert_false(inv->services.items[0].has_selector);
	assert_int_equal(inv->services.items[0].backends.n, 1); /* one address, told twice */
	assert_true(inv->services.items[1].has_selector);
	assert_int_equal(inv->apiserver_addrs.n, 1);
	assert_int_equal(inv->cidr_groups.items[0].cidrs.n, 2);
	parsed_free(&p);
}

#define POD(name, spec, status)                                                                    \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name "}\nspec: {" spec                      \
	"}\nstatus: {" status "}\n---\n"
#define NODE "apiVersion: v1\nkind: Node\nmetadata: {name: x}\n---\n"
#define NAMESPACE(labels)                                                                          \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: x, labels: {" labels "}}\n---\n"
#define SERVICE(selector)                                                                          \
	"apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {selector: {" selector          \
	"}}\n---\n"
#define GROUP(cidr)                                                                                \
	"apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata: {name: x}\n"                   \
	"spec: {externalCIDRs: [" cidr "]}\n---\n"

static const struct report_case reports[] = {
	{POD("a", "", "podIP: 10.0.0.1") POD("b", "", "podIP: 10.0.0.1"), POLC_ERROR,
		POLC_CODE_INVENTORY_CONFLICT, NULL},
	{POD("a", "", "podIP: 10.0.0.1") POD("b", "", "podIP: 10.0.0.1, phase: Failed"), POLC_ERROR,
		0, NULL},
	{POD("a", "hostNetwork: true", "podIP: 10.0.0.1")
			POD("b", "hostNetwork: true", "podIP: 10.0.0.1"),
		POLC_ERROR, 0, NULL},
	{POD("a", "", "podIP: \"\"") POD("b", "", "podIPs: []"), POLC_ERROR, 0, NULL},
	{POD("a", "", "podIP: 10.0.0.256"), POLC_ERROR, POLC_CODE_INVENTORY_ADDRESS, NULL},
	{POD("a", "", "podIPs: [{ip: \"::ffff:10.0.0.1\"}]"), POLC_ERROR,
		POLC_CODE_INVENTORY_ADDRESS, NULL},
	{POD("a", "containers: [{ports: [{name: x, containerPort: 0}]}]", ""), POLC_ERROR,
		POLC_CODE_INVENTORY_FIELD, NULL},
	{POD("a", "containers: [{ports: [{name: x, containerPort: 1, protocol: tcp}]}]", ""),
		POLC_ERROR, POLC_CODE_INVENTORY_FIELD, NULL},
	{POD("a", "containers: {}", ""), POLC_ERROR, POLC_CODE_WRONG_TYPE, NULL},
	{POD("\"\"", "", ""), POLC_ERROR, POLC_CODE_INVENTORY_FIELD, NULL},
	{POD("a, annotations: {polc.dev/cgroup: a/../../b}", "", ""), POLC_ERROR,
		POLC_CODE_INVENTORY_FIELD, NULL},
	{POD("a, annotations: {polc.dev/interface: a-name-too-long-for-linux}", "", ""), POLC_ERROR,
		POLC_CODE_INVENTORY_FIELD, NULL},
	{POD("a", "", "podIP: 10.0.0.1") POD("a", "", "podIP: 10.0.0.2"), POLC_ERROR,
		POLC_CODE_INVENTORY_CONFLICT, NULL},
	{NODE NODE, POLC_ERROR, POLC_CODE_INVENTORY_CONFLICT, NULL},
	{NAMESPACE("a: b, c: d") NAMESPACE("a: b"), POLC_ERROR, 0, NULL},
	{NAMESPACE("a: b") NAMESPACE("a: c"), POLC_WARNING, POLC_CODE_INVENTORY_CONFLICT, NULL},
	{SERVICE("a: b") SERVICE("a: b"), POLC_ERROR, 0, NULL},
	{SERVICE("a: b") SERVICE("a: c"), POLC_WARNING, POLC_CODE_INVENTORY_CONFLICT, NULL},
	{GROUP("10.0.0.0/8") GROUP("10.0.0.0/8"), POLC_ERROR, POLC_CODE_INVENTORY_CONFLICT, NULL},
	{GROUP("10.0.0.0/33"), POLC_ERROR, POLC_CODE_BAD_CIDR, NULL},
};

static void test_reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(reports); i++) {
		struct parsed p;

		parse_text(&p, reports[i].text);
		expect_report(&p, &reports[i]);
		parsed_free(&p);
	}
}

/* Both places of a conflict are told. */
static void test_conflict_places(void **state)
{
	struct parsed p;

	(void)state;
	parse_text(&p, POD("a", "", "podIP: 10.0.0.1") POD("b", "", "podIP: 10.0.0.1"));
	const struct polc_diagnostic *d = p.polc.diagnostics.items[0];

	assert_int_equal(d->n_related, 1);
	assert_int_not_equal(d->span.begin, d->related[0].span.begin);
	assert_int_equal(p.input.inventory.local_address_conflicts, 1);
	parsed_free(&p);
}

static void test_empty(void **state)
{
	struct parsed p;

	(void)state;
	parse_text(&p, "");
	assert_null(polc_inventory_pod(&p.input.inventory, "a", "b"));
	assert_null(polc_inventory_node(&p.input.inventory, "a"));
	assert_null(polc_inventory_namespace(&p.input.inventory, "a"));
	assert_false(p.input.inventory.given);
	parsed_free(&p);
}

#define N_MANY 100000u

/* Sorted and found, whatever the order they came in. */
static void test_many_pods(void **state)
{
	struct parsed p;
	char name[32];

	(void)state;
	parse_text(&p, "");
	for (unsigned i = 0; i < N_MANY; i++) {
		struct polc_arena *arena = &p.polc.arena;
		unsigned id = (i * 7919u) % N_MANY;
		struct polc_pod pod = {.namespace = polc_arena_printf(arena, "ns%u", id % 100),
			.name = polc_arena_printf(arena, "pod%u", id)};

		*polc_vec_push(arena, &pod.addrs) = (struct polb_addr){
			4, {10, (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id}};
		*polc_vec_push(arena, &p.input.inventory.pods) = pod;
	}
	polc_inventory_finish(&p.polc, &p.input.inventory);
	assert_int_equal(p.polc.n_errors, 0);
	assert_int_equal(p.input.inventory.pods.n, N_MANY);
	assert_int_equal(p.input.inventory.namespaces.n, 100);
	for (unsigned i = 0; i < N_MANY; i++) {
		char namespace[16];

		snprintf(namespace, sizeof(namespace), "ns%u", i % 100);
		snprintf(name, sizeof(name), "pod%u", i);
		assert_non_null(polc_inventory_pod(&p.input.inventory, namespace, name));
	}
	parsed_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pods),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_conflict_places),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_many_pods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
