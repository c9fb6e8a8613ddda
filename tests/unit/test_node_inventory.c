/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the node reads of an inventory: the plain format, and Kubernetes objects, of which every
 * address must be to the loader who it is to the compiler.
 */
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "frontend.h"
#include "ir/network.h"
#include "loader/inventory.h"
#include "runtime/bundle.h"

static const char cluster[] =
	"apiVersion: v1\nkind: Pod\n"
	"metadata:\n  name: b\n  namespace: prod\n"
	"  labels: {app: web, io.cilium.k8s.policy.cluster: mine, \"n\": \"1\"}\n"
	"spec:\n  nodeName: n1\n  serviceAccountName: robot\n"
	"  containers:\n  - name: c\n    image: x\n"
	"    ports: [{name: web, containerPort: 80}, {containerPort: 81},\n"
	"      {name: dns, containerPort: 53, protocol: UDP}]\n"
	"  initContainers:\n"
	"  - {name: side, restartPolicy: Always, ports: [{name: side, containerPort: 9}]}\n"
	"  - {name: init, ports: [{name: init, containerPort: 10}]}\n"
	"status:\n  phase: Running\n  podIP: 10.0.0.9\n"
	"  podIPs: [{ip: 10.0.0.1}, {ip: \"fd00::1\"}]\n"
	"---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: prod,\n"
	"  annotations: {polc.dev/cgroup: /system.slice/a.service, polc.dev/interface: veth0}}\n"
	"spec: {hostNetwork: true}\nstatus: {phase: Running, podIP: 10.1.0.7}\n"
	"---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: done, namespace: jobs}\n"
	"status: {phase: Succeeded, podIP: 10.0.0.1}\n"
	"---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: proxy, namespace: sys}\n"
	"spec: {hostNetwork: true, nodeName: n2}\nstatus: {phase: Running, podIP: 10.1.0.9}\n"
	"---\n"
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: prod, labels: {team: x}}\n"
	"---\n"
	"apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {os: linux, arch: a}, "
	"annotations:\n"
	"  {network.cilium.io/ipv4-health-ip: 10.0.0.200, network.cilium.io/ipv4-Ingress-ip: "
	"10.0.0.201,\n"
	"   network.cilium.io/ipv4-cilium-host: 10.0.0.254}}\n"
	"status: {addresses: [{type: InternalIP, address: 10.1.0.1},\n"
	"  {type: Hostname, address: n1}, {type: ExternalIP, address: 192.0.2.1}]}\n"
	"---\n"
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
	"metadata: {name: kubernetes, namespace: default,\n"
	"  labels: {kubernetes.io/service-name: kubernetes}}\n"
	"endpoints: [{addresses: [10.1.0.1], conditions: {ready: true}},\n"
	"  {addresses: [10.1.0.2], conditions: {ready: false}}, {addresses: [192.0.2.7]}]\n"
	"---\n"
	"apiVersion: v1\nkind: List\nitems:\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: j, namespace: jobs, labels: {app: j}},\n"
	"   status: {podIP: 10.0.0.44}}\n";

static void read_inventory(struct pold_inventory *inventory, const char *text)
{
	assert_int_equal(pold_inventory_read(inventory, "text", text, strlen(text), 0), 0);
	assert_int_equal(pold_inventory_finish(inventory, NULL), 0);
}

/* ---- the compiler's reading and ours ---- */

static bool has(const struct polb_label *labels, size_t n, const struct polb_label *wanted)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(labels[i].source, wanted->source) &&
			!strcmp(labels[i].key, wanted->key) &&
			!strcmp(labels[i].value, wanted->value))
			return true;
	return false;
}

static void compare_who(const struct polc_identity *a, const struct pold_who *b, const char *addr)
{
	if (a->kinds != b->kinds || a->n_labels != b->n_labels || a->n_ports != b->n_ports)
		fail_msg("%s: kinds %x and %x, %zu and %zu labels, %zu and %zu ports", addr,
			a->kinds, b->kinds, a->n_labels, b->n_labels, a->n_ports, b->n_ports);
	for (size_t i = 0; i < a->n_labels; i++)
		if (!has(b->labels, b->n_labels, &a->labels[i]))
			fail_msg("%s: no label %s", addr, a->labels[i].key);
	for (size_t i = 0; i < a->n_ports; i++) {
		assert_string_equal(a->ports[i].name, b->ports[i].name);
		assert_int_equal(a->ports[i].port, b->ports[i].port);
		assert_int_equal(a->ports[i].protocol, b->ports[i].protocol);
	}
	if (!(a->kinds & POLB_KIND_POD)) {
		assert_int_equal(a->number, b->number);
		assert_string_equal(a->node ? a->node : "", b->node ? b->node : "");
	}
}

static void compare(const struct polc_identities *ids, const struct pold_inventory *inventory)
{
	assert_int_equal(ids->addresses.n, inventory->addresses.n);
	for (size_t i = 0; i < ids->addresses.n; i++) {
		const struct polc_address_entry *entry = &ids->addresses.items[i];
		const struct pold_inventory_address *ours =
			pold_inventory_address(inventory, &entry->addr);
		char text[POLB_ADDR_TEXT];

		polb_addr_format(&entry->addr, text);
		if (!ours)
			fail_msg("%s is not known", text);
		compare_who(&ids->identities.items[entry->identity],
			&inventory->identities.items[ours->identity], text);
	}
}

static void compare_file(const char *path)
{
	POLD_INVENTORY inventory = {0};
	struct polc_input input = {0};
	struct polc polc;
	void *text;
	size_t size;

	polc_init(&polc);
	assert_int_equal(polc_read_inventory(&polc, &input, path), 0);
	polc_read_finish(&polc, &input);
	assert_int_equal(polb_file_read(path, &text, &size), 0);
	assert_int_equal(pold_inventory_read(&inventory, path, text, size, 0), 0);
	assert_int_equal(pold_inventory_finish(&inventory, NULL), 0);
	compare(polc_identities_build(&polc, &input.inventory, NULL), &inventory);
	free(text);
	polc_free(&polc);
}

static void compare_text(const char *text)
{
	char path[] = "/tmp/polc-inventory-XXXXXX.yaml";
	int fd = mkstemps(path, 5);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	compare_file(path);
	unlink(path);
}

static void test_same_identities(void **state)
{
	(void)state;
	compare_text(cluster);
	compare_text("{\"apiVersion\": \"v1\", \"kind\": \"PodList\", \"items\": [{\"metadata\": "
		     "{\"name\": \"x\", \"labels\": {\"a\": \"\\u003cb\\/c\"}}, \"status\": "
		     "{\"podIP\": \"10.0.0.1\"}}]}\n");
}

static void test_same_files(void **state)
{
	glob_t found = {0};

	(void)state;
	glob("tests/*/inventory*.yaml", 0, NULL, &found);
	glob("testdata/*/inventory*.yaml", GLOB_APPEND, NULL, &found);
	assert_true(found.gl_pathc > 1);
	for (size_t i = 0; i < found.gl_pathc; i++)
		compare_file(found.gl_pathv[i]);
	globfree(&found);
}

/* ---- the plain format ---- */

static const struct pold_who *who(const struct pold_inventory *inventory, const char *text)
{
	const struct pold_inventory_address *address;
	struct polb_addr addr;

	assert_int_equal(polb_addr_parse(text, &addr), 0);
	address = pold_inventory_address(inventory, &addr);
	assert_non_null(address);
	return &inventory->identities.items[address->identity];
}

static uint32_t ttl(const struct pold_inventory *inventory, const char *text)
{
	struct polb_addr addr;

	polb_addr_parse(text, &addr);
	return pold_inventory_address(inventory, &addr)->ttl_s;
}

static void expect_label(
	const struct pold_who *w, const char *source, const char *key, const char *value)
{
	const struct polb_label label = {source, key, value};

	if (!has(w->labels, w->n_labels, &label))
		fail_msg("no label %s:%s=%s", source, key, value);
}

static void test_plain(void **state)
{
	POLD_INVENTORY inventory = {0};
	const struct pold_who *w;

	(void)state;
	read_inventory(&inventory, "# hosts\n\n"
				   "10.0.0.1\tprod/web app=web k8s:kind=x  ttl=5m\r\n"
				   "10.0.0.2 prod/other app=web k8s:kind=x ttl=5m\n"
				   "  fd00::1 prod/web app=web k8s:kind=x ttl=0\n"
				   "10.0.0.3 other/web app=web k8s:kind=x ttl=5m\n"
				   "10.0.0.4 kind=node node=n1 os=linux\n"
				   "10.0.0.5 kind=world\nfd00::5 kind=world cidr:a=b\n"
				   "10.0.0.6");
	w = who(&inventory, "10.0.0.1");
	assert_ptr_equal(w, who(&inventory, "10.0.0.2"));
	assert_ptr_equal(w, who(&inventory, "fd00::1"));
	assert_ptr_not_equal(w, who(&inventory, "10.0.0.3"));
	expect_label(w, "k8s", "app", "web");
	expect_label(w, "k8s", "kind", "x");
	expect_label(w, "k8s", "io.kubernetes.pod.namespace", "prod");
	expect_label(w, "k8s", POLD_LABEL_NAMESPACE_NAME, "prod");
	assert_int_equal(ttl(&inventory, "10.0.0.1"), 300);
	assert_int_equal(ttl(&inventory, "fd00::1"), 0);
	assert_int_equal(ttl(&inventory, "10.0.0.4"), POLD_TTL_DEFAULT);
	w = who(&inventory, "10.0.0.4");
	assert_int_equal(w->kinds, POLB_KIND_NODE);
	assert_string_equal(w->node, "n1");
	expect_label(w, "node", "os", "linux");
	assert_int_equal(who(&inventory, "10.0.0.5")->kinds & POLB_KIND_WORLD_IPV6, 0);
	assert_int_equal(who(&inventory, "fd00::5")->kinds & POLB_KIND_WORLD_IPV4, 0);
	expect_label(who(&inventory, "10.0.0.6"), "k8s", "io.kubernetes.pod.namespace", "default");
	assert_int_equal(inventory.speaks, POLD_SPEAKS_PODS | POLD_SPEAKS_NODES);
	assert_int_equal(inventory.pods.n, 0);
}

static void expect_errors(const char *text, uint32_t n)
{
	POLD_INVENTORY inventory = {0};

	pold_inventory_read(&inventory, "text", text, strlen(text), 0);
	pold_inventory_finish(&inventory, NULL);
	if (inventory.n_errors != n)
		fail_msg("%u errors, not %u: %s", inventory.n_errors, n, text);
}

static void test_refused(void **state)
{
	static const char *const once[] = {"10.0.0.1 app\n", "10.0.0.1 =x\n", "10.0.0.01 a=b\n",
		"10.0.0.1/32 a=b\n", "::ffff:10.0.0.1 a=b\n", "10.0.0.1 kind=pods\n",
		"10.0.0.1 ttl=5d\n", "10.0.0.1 ttl=-1\n", "10.0.0.1 ttl=\n", "10.0.0.1 a/b/c\n",
		"10.0.0.1 /b\n", "10.0.0.1 a=b a=c\n", "10.0.0.1 a/b kind=node\n",
		"10.0.0.1 node=n\n", "10.0.0.1 :a=b\n", "10.0.0.1 a=b\n10.0.0.1 a=b\n",
		"127.0.0.1 a=b\n", "a: [\n", "a: &x b\n", "a: !!str b\n", "kind: Pod\nkind: Pod\n",
		"- x\n", "apiVersion: v1\nkind: Pod\nmetadata: {}\n",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: 1}\n",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {a: 1}}\n",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nstatus: {podIP: x}\n",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: {polc.dev/cgroup: "
		"../x}}\n",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nstatus: {podIP: 10.0.0.1}\n"
		"---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\nstatus: {podIP: 10.0.0.1}\n",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nstatus: {podIP: 10.0.0.1}\n"
		"---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\nstatus: {podIP: 10.0.0.2}\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
		expect_errors(once[i], 1);
	expect_errors("10.0.0.1 a=b\nfd00:: a=b\n10.0.0.2\n", 0);
	expect_errors("", 0);
	expect_errors("# nothing\n", 0);
}

/* What an identity is kept as gives the same identity. */
static void test_records(void **state)
{
	POLD_INVENTORY inventory = {0};
	struct pold_pool pool = {0};

	(void)state;
	read_inventory(&inventory, cluster);
	for (size_t i = 0; i < inventory.identities.n; i++) {
		const struct pold_who *a = &inventory.identities.items[i];
		struct pold_who b;

		assert_true(pold_who_read(&pool, a->record, a->record_bytes, &b));
		pold_who_record(&pool, &b);
		assert_int_equal(a->record_bytes, b.record_bytes);
		assert_memory_equal(a->record, b.record, b.record_bytes);
		for (size_t n = 0; n < a->record_bytes; n++)
			assert_false(pold_who_read(&pool, a->record, n, &b));
	}
	pold_pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_identities),
		cmocka_unit_test(test_same_files),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
