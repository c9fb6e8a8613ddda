# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Sourced by tests that need endpoints with real traffic: network namespaces routed through this one
# (the node, 10.77.0.1), each also a cgroup. Runs with busybox as well; must be started by lab_enter.
# Expects AGENT. WHO has the addresses 10.77.0.N and fd77::N, the interface ve-WHO, the cgroup WHO.

# Goes into private network and mount namespaces, with a BPF file system and a cgroup root of our own:
# nothing on the host is touched, and runs side by side do not meet. "lab_enter SCRIPT ARGUMENT..." returns
# its exit status; LAB_WORK is a directory for that time.
lab_enter() {
	cgroup_mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$cgroup_mount" ] || { echo "no cgroup2 is mounted" >&2; return 3; }
	cgroups=$cgroup_mount/polc-lab.$$
	mkdir "$cgroups" || return 3
	work=$(mktemp -d)
	# a signal ends the inner shell, which cleans up inside; this one goes on to do so outside
	trap : INT TERM HUP PIPE
	LAB_CGROUPS=$cgroup_mount LAB_OURS=$cgroups LAB_WORK=$work unshare -n -m sh "$@"
	status=$?
	rm -rf "$work"
	rmdir "$cgroups" 2>/dev/null || sleep 1
	rmdir "$cgroups" 2>/dev/null
	return $status
}

lab_start() {
	mount --make-rprivate / 2>/dev/null
	mount -t bpf bpf /sys/fs/bpf && mount --bind "$LAB_OURS" "$LAB_CGROUPS" || exit 3
	trap lab_stop EXIT
	trap 'exit 3' INT TERM HUP PIPE
	ip link set lo up
	ip addr add 10.77.0.1/32 dev lo
	ip -6 addr add fd77::1/128 dev lo
	lab_no_dad
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
	lab_pids=
}

lab_no_dad() {
	echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
	echo 0 >/proc/sys/net/ipv6/conf/default/dad_transmits
}

lab_stop() {
	for pid in $lab_pids; do
		kill -9 "$pid" 2>/dev/null
	done
	for dir in "$LAB_CGROUPS"/*/; do
		for try in 1 2 3 4 5; do
			rmdir "$dir" 2>/dev/null && break
			sleep 0.2
		done
	done
}

# lab_add WHO N: WHO is a word and names the variable pid_WHO
lab_add() {
	mkdir "$LAB_CGROUPS/$1"
	pid=$("$AGENT" hold)
	lab_pids="$lab_pids $pid"
	eval "pid_$1=$pid"
	"$AGENT" -n "$pid" run sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
		echo 0 >/proc/sys/net/ipv6/conf/default/dad_transmits'
	"$AGENT" veth "ve-$1" eth0 "$pid" 0
	ip link set "ve-$1" up
	# IPv6 answers for an address only on the interface that has it: a gateway on each
	ip -6 addr add fe80::1/64 dev "ve-$1"
	"$AGENT" -n "$pid" run sh -c "ip link set eth0 up
		ip addr add 10.77.0.$2/32 dev eth0
		ip route add 10.77.0.1 dev eth0
		ip route add default via 10.77.0.1 dev eth0
		ip -6 addr add fd77::$2/128 dev eth0
		ip -6 route add default via fe80::1 dev eth0"
	ip route add "10.77.0.$2" dev "ve-$1"
	ip -6 route add "fd77::$2" dev "ve-$1"
}

# as WHO AGENT-COMMAND...: in WHO's namespace and cgroup; "as node" is this namespace
as() {
	if [ "$1" = node ]; then
		shift
		"$AGENT" "$@"
		return
	fi
	eval "pid=\$pid_$1"
	cgroup=$LAB_CGROUPS/$1
	shift
	"$AGENT" -n "$pid" -c "$cgroup" "$@"
}

# Something in the background of WHO that lab_stop ends; its words are those of the agent's command.
lab_background() {
	lab_pids="$(as "$@") $lab_pids"
}
