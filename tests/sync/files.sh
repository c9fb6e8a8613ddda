# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Sourced by cases.sh, not in emulated machines: Kubernetes objects, bad files, more than there is room for.

# --- Kubernetes objects: namespaces, nodes, the API server; each kind only when it is spoken of
pods() { # LABELS-OF-BLUE [MORE]
	sed '$!b' "$DATA/inventory.yaml" >"$work/objects.yaml"
	cat >>"$work/objects.yaml" <<-END
	---
	{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client", "namespace": "$1"},
	 "status": {"phase": "$2", "podIPs": [{"ip": "10.77.0.10"}]}}
	END
}
pods blue Running
has objects "$(sync "$work/objects.yaml")" '1 added, 0 changed, 0 removed, 2 unchanged'
accepted namespace-labels
pods red Running
has objects-change "$(sync "$work/objects.yaml")" '0 added, 1 changed, 0 removed'
refused other-namespace
pods blue Succeeded
has finished "$(sync "$work/objects.yaml")" '0 added, 0 changed, 1 removed'
cat >"$work/nodes.yaml" <<END
apiVersion: v1
kind: NodeList
items: [{metadata: {name: node-b}, status: {addresses: [{type: InternalIP, address: 10.77.0.10}]}}]
END
has nodes-only "$(sync "$work/nodes.yaml")" '1 added, 0 changed, 0 removed, 0 unchanged'
accepted remote-node
has pods-only "$(sync "$DATA/inventory.yaml")" '0 added, 0 changed, 0 removed, 2 unchanged'
accepted node-stays
sed -i s/10.77.0.10/10.77.0.99/ "$work/nodes.yaml"
has node-moved "$(sync "$work/nodes.yaml")" '1 added, 0 changed, 1 removed'
refused node-gone

# --- a bad file changes nothing
lines "$server" '10.77.0.10 lab/client app=client' '10.77.0.10 lab/client app=client' '10.77.0.300 app=x'
message=$(sync "$work/lines")
is bad-status $? 1
has bad-line "$message" 'lines:4: error: "10.77.0.300" is not an IPv4 or IPv6 address'
refused bad-changes-nothing
lines "$server" '10.77.0.10 lab/client app=client' '10.77.0.10 lab/client app=client'
has claimed-twice "$(sync "$work/lines")" 'lines:3: error: 10.77.0.10 is claimed twice, first in'
: >"$work/lines"
has empty "$(sync "$work/lines")" 'nothing is changed'

# --- room
awk 'BEGIN { for (i = 0; i < 20000; i++) printf "10.9.%d.%d app=a\n", i / 250, i % 250 }' >"$work/many"
message=$(sync "$work/many")
is room-status $? 3
has room "$message" 'nothing is changed (apply --room '
"$POLLOAD" apply "$DATA/bundle.o" --name $name --node node-a --room 25000 || not_ok room-apply "apply failed"
has room-made "$(sync "$work/many")" "20000 added, 0 changed, 2 removed"
has room-fresh "$(sync "$work/many")" "0 added, 0 changed, 0 removed, 20000 unchanged"
lines "$server" "$server6"
has room-freed "$(sync "$work/lines")" "2 added, 0 changed, 20000 removed"
