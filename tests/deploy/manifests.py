#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""tests/deploy/manifests.py [--commands | --capabilities] FILE [COMPONENT...]: what the manifests for Kubernetes must say.

No cluster and no schema is asked: the members that matter are looked at one by one. --commands prints the command lines of polload in them,
--capabilities what its containers may do.
"""
import sys

import yaml

CAPABILITIES = {"BPF", "PERFMON", "NET_ADMIN", "SYS_ADMIN", "SYS_RESOURCE", "SYS_PTRACE", "DAC_READ_SEARCH", "SYSLOG"}
READ = {"get", "list", "watch"}
KINDS = ["ClusterRole", "ClusterRoleBinding", "ConfigMap", "DaemonSet", "Namespace", "ServiceAccount"]
# members of the API that these manifests use; another one is a slip of the pen, which a server may silently drop
POD = {"serviceAccountName", "automountServiceAccountToken", "priorityClassName", "tolerations", "nodeSelector", "hostNetwork", "hostPID",
       "dnsPolicy", "terminationGracePeriodSeconds", "initContainers", "containers", "volumes"}
CONTAINER = {"name", "image", "args", "command", "env", "securityContext", "volumeMounts", "readinessProbe", "livenessProbe", "resources"}
SECURITY = {"privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "runAsUser", "runAsNonRoot", "capabilities", "seccompProfile",
            "appArmorProfile"}


def load(path):
    with open(path) as file:
        return [d for d in yaml.safe_load_all(file) if d]


def only(documents, kind):
    found = [d for d in documents if d["kind"] == kind]
    assert len(found) == 1, "%d of kind %s" % (len(found), kind)
    return found[0]


def pod_of(documents):
    return only(documents, "DaemonSet")["spec"]["template"]["spec"]


def loaders(pod):
    return [c for c in pod["initContainers"] + pod["containers"] if c["image"].startswith("example.com/")]


def commands(pod):
    for container in loaders(pod):
        yield container["args"]
        for probe in ("readinessProbe", "livenessProbe"):
            if probe in container:
                command = container[probe]["exec"]["command"]
                assert command[0] == "/polload", command
                yield command[1:]


def check_roles(documents):
    for rule in only(documents, "ClusterRole")["rules"]:
        assert set(rule["verbs"]) == READ, rule
        assert "secrets" not in rule["resources"] and "*" not in rule["resources"] + rule["apiGroups"], rule
    binding = only(documents, "ClusterRoleBinding")
    account = only(documents, "ServiceAccount")["metadata"]
    assert binding["roleRef"]["name"] == only(documents, "ClusterRole")["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}]


def check_volumes(documents, pod):
    """Every mount has its volume, every volume is mounted, every generated ConfigMap exists."""
    names = [v["name"] for v in pod["volumes"]]
    assert len(names) == len(set(names)), names
    used = set()
    for container in pod["initContainers"] + pod["containers"]:
        paths = [m["mountPath"] for m in container["volumeMounts"]]
        assert len(paths) == len(set(paths)), paths
        used.update(m["name"] for m in container["volumeMounts"])
    assert used <= set(names), used - set(names)
    maps = {d["metadata"]["name"] for d in documents if d["kind"] == "ConfigMap"}
    for volume in pod["volumes"]:
        assert len(volume) == 2, volume
        if "configMap" in volume:
            assert volume["configMap"]["name"] in maps, volume
    return names, used


def check_loader(container):
    security = container["securityContext"]
    assert not security["privileged"] and security["readOnlyRootFilesystem"]
    assert security["capabilities"]["drop"] == ["ALL"] and set(security["capabilities"]["add"]) == CAPABILITIES
    mounts = {m["mountPath"] for m in container["volumeMounts"]}
    assert {"/sys/fs/bpf", "/sys/fs/cgroup"} <= mounts, mounts
    assert not any("serviceaccount" in m for m in mounts), "the loader has no use for a token"


def check_pod(pod):
    assert set(pod) <= POD, set(pod) - POD
    for container in pod["initContainers"] + pod["containers"]:
        assert set(container) <= CONTAINER, set(container) - CONTAINER
        assert set(container["securityContext"]) <= SECURITY, container["securityContext"]
    assert pod["hostNetwork"] and pod["hostPID"] and pod["automountServiceAccountToken"] is False
    assert pod["tolerations"] == [{"operator": "Exists"}] and pod["priorityClassName"] == "system-node-critical"
    for container in loaders(pod):
        check_loader(container)
    inventory = [c for c in pod["containers"] if c["name"] == "inventory"][0]
    assert inventory["securityContext"]["runAsNonRoot"] and inventory["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def check_component(documents, pod, components):
    apply = pod["initContainers"][0]
    volumes = {v["name"]: v for v in pod["volumes"]}
    if "remove" in components:
        assert apply["args"] == ["remove"] and [c["name"] for c in pod["containers"]] == ["inventory"]
        return
    assert apply["args"][0] == "apply" and "--node" in apply["args"]
    if "bundle-image" in components:
        assert apply["args"][1] == "/bundle.o" and apply["image"] == "example.com/bundle" and "bundle" not in volumes
    else:
        assert apply["args"][1] == "/bundle/bundle.o" and apply["image"] == "example.com/polload"
        assert ("image" if "image-volume" in components else "configMap") in volumes["bundle"], volumes["bundle"]
    if not {"bundle-image", "image-volume"} & set(components):
        bundle = [d for d in documents if d["kind"] == "ConfigMap" and d["metadata"]["name"] == volumes["bundle"]["configMap"]["name"]][0]
        assert list(bundle["binaryData"]) == ["bundle.o"], bundle
    confirms = "--confirm" in apply["args"] and "livenessProbe" in pod["containers"][0]
    assert confirms == ("confirm" in components)
    trusted = any(m["mountPath"] == "/etc/polc/trusted.d/bundle.pub" and m.get("subPath") for m in apply["volumeMounts"])
    assert trusted == ("trusted" in components)


def main():
    words = sys.argv[1:]
    asked = words.pop(0) if words[0].startswith("--") else None
    documents = load(words[0])
    pod = pod_of(documents)
    if asked == "--commands":
        for command in commands(pod):
            print(" ".join(command))
    elif asked == "--capabilities":
        print(" ".join(sorted(loaders(pod)[0]["securityContext"]["capabilities"]["add"])))
    else:
        assert sorted({d["kind"] for d in documents}) == KINDS
        for document in documents:
            if document["kind"] not in ("Namespace", "ClusterRole", "ClusterRoleBinding"):
                assert document["metadata"]["namespace"] == "polc-system", document["metadata"]
        check_roles(documents)
        names, used = check_volumes(documents, pod)
        assert set(names) - used <= {"bundle", "bpf", "cgroup"} if "remove" in words else set(names) == used, set(names) - used
        check_pod(pod)
        check_component(documents, pod, words[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
