# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The bundles that doctor is asked about: sourced with $POLC and a directory to put them in.
bundles() {
	local out=$1
	# what every kernel with BPF can do
	cat >"$out/raw.yaml" <<-'YAML'
		apiVersion: cilium.io/v1alpha1
		kind: TracingPolicy
		metadata: {name: raw}
		spec:
		  tracepoints:
		    - {subsystem: raw_syscalls, event: sys_enter, args: [{index: 4, type: int64}]}
	YAML
	# kprobes are compiled out of some kernels
	cat >"$out/kprobe.yaml" <<-'YAML'
		apiVersion: cilium.io/v1alpha1
		kind: TracingPolicy
		metadata: {name: kprobe}
		spec:
		  kprobes:
		    - {call: tcp_connect, syscall: false}
	YAML
	# two hooks, of which no kernel has the second
	cat >"$out/missing.yaml" <<-'YAML'
		apiVersion: cilium.io/v1alpha1
		kind: TracingPolicy
		metadata: {name: missing}
		spec:
		  kprobes:
		    - {call: tcp_close, syscall: false}
		    - {call: no_such_function, syscall: false}
	YAML
	cat >"$out/lsm.yaml" <<-'YAML'
		apiVersion: cilium.io/v1alpha1
		kind: TracingPolicy
		metadata: {name: lsm}
		spec:
		  lsmhooks:
		    - {hook: file_open}
	YAML
	# Override on a system call: only with error injection
	cat >"$out/override.yaml" <<-'YAML'
		apiVersion: cilium.io/v1alpha1
		kind: TracingPolicy
		metadata: {name: override}
		spec:
		  kprobes:
		    - call: sys_sethostname
		      syscall: true
		      selectors: [{matchActions: [{action: Override, argError: -1}]}]
	YAML
	cat >"$out/network.yaml" <<-'YAML'
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: closed, namespace: doctor}
		spec: {podSelector: {}, policyTypes: [Egress]}
	YAML
	inventory "$NODE" "$PLACE" >"$out/here.inventory"
	inventory "$NODE" /no/such/cgroup >"$out/gone.inventory"
	inventory another-node "$PLACE" >"$out/elsewhere.inventory"
	for name in raw kprobe missing lsm override; do
		"$POLC" build "$out/$name.yaml" -o "$out/$name.o" >"$out/log" 2>&1 || { cat "$out/log"; return 1; }
	done
	for name in here gone elsewhere; do
		"$POLC" build "$out/network.yaml" -i "$out/$name.inventory" -o "$out/$name.o" >"$out/log" 2>&1 ||
			{ cat "$out/log"; return 1; }
	done
}

# inventory NODE CGROUP
inventory() {
	cat <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: patient, namespace: doctor, labels: {app: patient}, annotations: {polc.dev/cgroup: $2}}
		spec: {nodeName: $1}
		status: {phase: Running, podIPs: [{ip: 10.9.8.7}]}
	YAML
}
