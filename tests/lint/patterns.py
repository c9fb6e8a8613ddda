# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Mistakes found in published policies: what stands there, and the codes that polc must answer with."""

CNP = """apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: %s, namespace: shop}
spec:
"""
CCNP = CNP.replace("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy").replace(", namespace: shop", "")
ALL = "  endpointSelector: {}\n"

# name: (policy, codes that are reported, whether the check fails)
PATTERNS = {
    "only-empty-lists": (CNP % "default-deny" + ALL + "  ingress: []\n  egress: []\n", ["POLC0502"], True),
    "empty-list-beside-rules": (
        CCNP % "internal" + ALL + "  ingress: [{fromEntities: [cluster]}]\n  egress: [] # No internet egress\n",
        ["POLC0807"], False),
    "explicit-deny-that-only-isolates": (
        CNP % "default-deny" + ALL + "  ingressDeny: [{}]\n  egressDeny: [{}]\n", ["POLC0807"], False),
    "operator-in-lower-case": (
        CNP % "or" + "  endpointSelector: {matchExpressions: [{key: env, operator: in, values: [a]}]}\n"
        "  ingress: [{}]\n", ["POLC0312"], True),
    "namespace-key-with-a-dot": (
        CNP % "dns" + ALL + "  egress:\n  - toEndpoints:\n"
        "    - matchLabels: {k8s.io.kubernetes.pod.namespace: kube-system}\n", ["POLC0503"], False),
    "reserved-key-with-a-dot": (
        CCNP % "init" + "  endpointSelector: {matchLabels: {reserved.init: \"\"}}\n  ingress: [{}]\n",
        ["POLC0503"], False),
    "description-beside-metadata": (
        (CCNP % "w").replace("spec:", "description: from everybody\nspec:") + ALL + "  ingress: [{}]\n",
        ["POLC0302"], False),
    "apiversion": ((CNP % "nodes").replace("apiVersion", "apiversion") + ALL + "  ingress: [{}]\n",
                   ["POLC0302", "POLC0303"], True),
    "egress-null": (CNP % "deny-all-egress" + ALL + "  egress:\n", ["POLC0315", "POLC0502"], True),
    "two-items-for-one": (
        CNP % "from-init" + ALL + "  ingress:\n  - fromEntities: [init]\n"
        "  - toPorts: [{ports: [{port: \"53\", protocol: UDP}]}]\n", ["POLC1114"], False),
    "dns-over-udp-only": (
        CNP % "dns" + ALL + "  egress:\n  - toEndpoints:\n"
        "    - matchLabels: {\"k8s:io.kubernetes.pod.namespace\": kube-system, k8s-app: kube-dns}\n"
        "    toPorts: [{ports: [{port: \"53\", protocol: UDP}]}]\n", ["POLC1107"], False),
    "requirements": (
        CNP % "requires" + ALL + "  ingress: [{fromRequires: [{matchLabels: {env: prod}}]}]\n", ["POLC0501"], True),
    "kafka": (
        CNP % "kafka" + ALL + "  ingress:\n  - toPorts:\n    - ports: [{port: \"9092\", protocol: TCP}]\n"
        "      rules: {kafka: [{role: produce, topic: t}]}\n", ["POLC0501"], True),
    "rule-directly-under-spec": (
        CNP % "sample" + ALL + "  fromEndpoints: [{matchLabels: {app: a}}]\n  ingress: [{}]\n", ["POLC0302"], True),
    "no-services": (CNP % "service" + ALL + "  egress: [{toServices: []}]\n", ["POLC0807"], False),
    "empty-service": (CNP % "service" + ALL + "  egress: [{toServices: [{}]}]\n", ["POLC0303"], True),
    "policy-of-another-version": (
        "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: ClusterNetworkPolicy\nmetadata: {name: npep}\n"
        "spec: {tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: []}\n", ["POLC0304"], True),
    "action-allow": (
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: npep}\n"
        "spec:\n  tier: Admin\n  priority: 1\n  subject: {namespaces: {}}\n"
        "  ingress: [{action: Allow, from: [{namespaces: {}}]}]\n", ["POLC0602"], True),
    "port-a-level-too-high": (
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: npep}\n"
        "spec:\n  tier: Admin\n  priority: 1\n  subject: {namespaces: {}}\n"
        "  ingress: [{action: Deny, from: [{namespaces: {}}], protocols: [{destinationPort: {number: 80}}]}]\n",
        ["POLC0302", "POLC0303"], True),
    "same-namespace-taken-for-all": (
        CNP % "allow-from-all" + ALL +
        "  ingress: [{fromEndpoints: [{}]}]\n", ["POLC1113"], False),
    "deny-only": (CNP % "no-metadata" + ALL + "  egressDeny: [{toCIDR: [169.254.169.254/32]}]\n", ["POLC1112"], False),
    "reserved-label-excluded": (
        CNP % "x" + ALL + "  ingress:\n  - fromEndpoints:\n"
        "    - matchExpressions: [{key: \"reserved:host\", operator: DoesNotExist}]\n", ["POLC1117"], False),
}
