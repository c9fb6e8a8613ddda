// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Inventories, with a fixed set of policies that asks for everything in them.
#include "fuzz.h"

static const char policies[] =
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: a}\n"
	"spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {}}], ports: [{port: "
	"http}]}]}\n"
	"---\napiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: q}\n"
	"spec: {endpointSelector: {}, egress: [{toServices: [{k8sService: {serviceName: s}}]},"
	" {toEntities: [kube-apiserver, health, ingress]}, {toCIDRSet: [{cidrGroupRef: g}]}]}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct polc polc;
	struct polc_input input = {0};
	char path[64];

	polc_init(&polc);
	fuzz_file(path, ".yaml", (const uint8_t *)policies, sizeof(policies) - 1);
	polc_read_policies(&polc, &input, path);
	fuzz_file(path, ".yaml", data, size);
	polc_read_inventory(&polc, &input, path);
	fuzz_compile(&polc, &input);
	unlink(path);
	polc_free(&polc);
	return 0;
}
