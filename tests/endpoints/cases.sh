# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# cases.sh cgroup|tc: endpoints that come and go, on one hook. Expects AGENT, POLLOAD and DATA (what tests/endpoints/run
# made); SLOW: only what every kernel is to show. Prints "ok NAME" and "not ok NAME # why".
hook=$1
: "${AGENT:?}" "${POLLOAD:?}" "${DATA:?}"
here=$(dirname "$0")
. "$here/lab.sh"
if [ -z "$LAB_OURS" ]; then
	lab_enter "$0" "$hook"
	exit
fi
lab_start
work=$LAB_WORK
patience_ms=8000 silence_ms=500
late=10.77.0.50 slow=10.77.0.20

ok() { echo "ok endpoints.$hook.$1"; }
not_ok() {
	echo "not ok endpoints.$hook.$1 # $2"
	: >"$work/failed"
}
expect() {
	name=$1 words=$2
	shift 2
	got=$("$@" 2>&1)
	case "|$words|" in
	*"|$got|"*) ok "$name" ;;
	*) not_ok "$name" "$* said '$got', not $words" ;;
	esac
}
# allowed|denied NAME WHO ADDRESS PORT
allowed() { expect "$1" ok as "$2" tcp "$3" "$4" $patience_ms; }
denied() { expect "$1" 'timeout|eperm' as "$2" tcp "$3" "$4" $silence_ms; }
# does|refuses NAME ARGUMENT...
does() {
	name=$1
	shift
	if output=$("$POLLOAD" "$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name" "polload $* failed: $(echo "$output" | tr '\n' ' ')"
	fi
}
refuses() {
	name=$1 pattern=$2
	shift 2
	if output=$("$POLLOAD" "$@" 2>&1); then
		not_ok "$name" "polload $* was not refused"
	elif echo "$output" | grep -q -e "$pattern"; then
		ok "$name"
	else
		not_ok "$name" "polload $* said '$output'"
	fi
}
says() { # NAME PATTERN: of the last command
	if echo "$output" | grep -q -e "$2"; then ok "$1"; else not_ok "$1" "no '$2' in: $output"; fi
}
# lists NAME PATTERN: a line of endpoint list
lists() {
	if "$POLLOAD" endpoint list --name ends | grep -q -e "$2"; then
		ok "$1"
	else
		not_ok "$1" "$("$POLLOAD" endpoint list --name ends | tr '\n' ';')"
	fi
}
# soon NAME PATTERN: the same within two seconds
soon() {
	for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		"$POLLOAD" endpoint list --name ends | grep -q -e "$2" && break
		sleep 0.1
	done
	lists "$1" "$2"
}

# Where WHO is on this hook, as an option of endpoint add.
at() { if [ $hook = cgroup ]; then echo "--cgroup $1"; else echo "--interface ve-$1"; fi; }
place() { if [ $hook = cgroup ]; then echo "/$1"; else echo "ve-$1"; fi; }
wanted() { if [ $hook = cgroup ]; then echo "$1"; else echo "ve-$1"; fi; }
serve_all() { for port in 7000 7001 7002; do lab_background "$1" serve $port; done; }

# WHO's cgroup, or its interface, goes; and comes back, with another number
vanish() {
	if [ $hook = tc ]; then
		ip link del "ve-$1"
		return
	fi
	for pid in $(cat "$LAB_CGROUPS/$1/cgroup.procs"); do kill -9 "$pid"; done
	for try in 1 2 3 4 5 6 7 8 9; do
		rmdir "$LAB_CGROUPS/$1" 2>/dev/null && return
		sleep 0.1
	done
}
come_back() { # WHO N [INDEX]
	if [ $hook = cgroup ]; then
		mkdir -p "$LAB_CGROUPS/$1"
		serve_all "$1"
		return
	fi
	eval "pid=\$pid_$1"
	"$AGENT" veth "ve-$1" eth0 "$pid" "${3:-0}"
	ip link set "ve-$1" up
	"$AGENT" -n "$pid" run sh -c "ip link set eth0 up; ip addr add 10.77.0.$2/32 dev eth0
		ip route add 10.77.0.1 dev eth0; ip route add default via 10.77.0.1 dev eth0"
	ip route add "10.77.0.$2" dev "ve-$1"
}

lab_add client 10
lab_add other 30
lab_add slow 20
lab_add late 50
serve_all late
serve_all slow
lab_background client serve 7000
allowed lab client $late 7000
[ ! -e "$work/failed" ] || exit 1

# --- apply --absent ------------------------------------------------------------------------------------------

vanish slow
apply="apply $DATA/$hook.o --name ends --node node-a --adopt 0"
refuses absent-refused-by-default 'endpoint lab/slow: ' $apply
does absent-waits $apply --absent wait
says absent-is-counted '1 place is not there yet'
lists waiting-is-listed "lab/slow .*$(wanted slow) (waiting)"

# --- endpoints that the bundle does not know -----------------------------------------------------------------

refuses unknown-needs-labels 'say who it is with --label' endpoint add lab/late $(at late) --name ends
does unknown-server endpoint add lab/late $(at late) --label app=server --name ends
lists unknown-is-listed "lab/late .* 20..-..-..T.* $(place late)\$"
allowed unknown-server-allows client $late 7000
denied unknown-server-denies other $late 7000
denied unknown-server-denies-port client $late 7001
refuses twice-is-refused 'is there already' endpoint add lab/late $(at late) --label app=x --name ends
does del endpoint del lab/late --name ends
allowed del-frees other $late 7000
[ -n "${SLOW:-}" ] || . "$here/labels.sh"

# --- sync ----------------------------------------------------------------------------------------------------

# pods LABELS: the inventory with late on this node, with those labels
pods() {
	cat "$DATA/inventory.$hook.yaml"
	annotation="polc.dev/cgroup: late"
	[ $hook = cgroup ] || annotation="polc.dev/interface: ve-late"
	[ -z "$1" ] || cat <<-EOF
	  - apiVersion: v1
	    kind: Pod
	    metadata: {name: late, namespace: lab, labels: {$1}, annotations: {$annotation}}
	    spec: {nodeName: node-a}
	    status: {phase: Running, podIPs: [{ip: 10.77.0.50}]}
	EOF
}
sync() { pods "$2" >"$work/pods.yaml" && does "$1" sync "$work/pods.yaml" --name ends; }

sync sync-appears 'app: server'
allowed sync-server-allows client $late 7000
denied sync-server-denies other $late 7000
# it has a name wherever it is spoken of
"$POLLOAD" events --name ends -o compact --timeout 4 --verdict deny >"$work/events" 2>&1 &
sleep 0.5
denied sync-is-denied-once-more other $late 7000
wait $!
if grep -q 'ingress lab/late \[10.77.0.50\] <- 10.77.0.30 (lab:app=other)' "$work/events"; then ok told-in-events; else not_ok told-in-events "$(head -n 2 "$work/events")"; fi
does told-explained explain --from lab/other --to lab/late --port tcp/7000 --name ends
does told-explained-by-address explain --from 10.77.0.30 --to $late --port tcp/7000 --name ends
says told-in-explain 'ingress of lab/late: deny by '
# a flow that was allowed is cut when the labels say otherwise
sync sync-labels-change 'tier: front'
allowed sync-other-is-allowed-now other $late 7000
denied sync-client-is-denied-now client $late 7000
lab_pids="$(as other session "$work/session2" tcp $late 7000 $patience_ms) $lab_pids"
sync sync-labels-back 'app: server'
expect sync-cuts-what-is-denied-now 'timeout|eperm|reset' "$AGENT" ask "$work/session2" 1500
output=$("$POLLOAD" sync "$work/pods.yaml" --name ends 2>&1)
lists sync-again-keeps "lab/late .*$(place late)\$"

# --- the place goes and comes back ---------------------------------------------------------------------------

vanish late
lists gone-is-listed "lab/late .*$(place late) (gone)"
sync gone-waits 'app: server'
lists gone-waits-is-listed "lab/late .*$(wanted late) (waiting)"
come_back late 50
sync back-is-attached 'app: server'
allowed back-allows client $late 7000
denied back-denies other $late 7000

# --- watch ---------------------------------------------------------------------------------------------------

mkdir "$work/drop"
pods 'app: server' >"$work/drop/pods.yaml"
"$POLLOAD" sync --watch "$work/drop" --name ends >"$work/watch.log" 2>&1 &
watch=$!
lab_pids="$watch $lab_pids"
sleep 1
vanish late
soon watch-sees-it-go "lab/late .*$(wanted late) (waiting)"
come_back late 50
soon watch-attaches "lab/late .*$(place late)\$"
denied watch-denies other $late 7000
come_back slow 20
soon watch-attaches-what-waited "lab/slow .*$(place slow)\$"
denied watch-denies-slow other $slow 7000
kill "$watch"
wait "$watch" 2>/dev/null

# --- another generation knows them too -----------------------------------------------------------------------

does applied-again $apply --absent wait --audit
says applied-again-is-silent '^$'
does enforce mode enforce --name ends
lists applied-again-keeps "lab/late .*$(place late)\$"
denied applied-again-denies other $late 7000
allowed applied-again-allows client $late 7000
sync vanishes ''
if "$POLLOAD" endpoint list --name ends | grep -q lab/late; then not_ok vanished "still listed"; else ok vanished; fi
allowed vanished-is-free other $late 7000

# --- names of cgroups, and cgroups that apply makes ----------------------------------------------------------

if [ $hook = cgroup ]; then
	[ -n "${SLOW:-}" ] || . "$here/names.sh"
	vanish slow
	"$POLLOAD" remove --name ends
	does absent-creates $apply --absent create
	lists absent-is-made 'lab/slow .*/slow$'
	serve_all slow
	denied made-is-governed-at-once other $slow 7000
	allowed made-allows client $slow 7000
fi

# --- an interface number given again is another interface ----------------------------------------------------

if [ $hook = tc ]; then
	index=$(cat /sys/class/net/ve-late/ifindex 2>/dev/null || ip -o link show ve-late | cut -d: -f1)
	"$POLLOAD" endpoint add lab/late --interface ve-late --label tier=front --name ends
	lab_pids="$(as other session "$work/reused" tcp $late 7000 $patience_ms) $lab_pids"
	expect reused-flow-is-there ok "$AGENT" ask "$work/reused" $patience_ms
	sleep 0.3 # what is not yet acknowledged would be sent again, and that opens a flow
	vanish late
	come_back late 50 "$index"
	does reused-is-attached endpoint add lab/again --interface ve-late --label app=server --name ends
	denied reused-denies other $late 7000
	allowed reused-allows client $late 7000
	expect reused-inherits-nothing 'timeout|eperm|reset' "$AGENT" ask "$work/reused" 1500
	"$POLLOAD" endpoint del lab/late --name ends
	denied reused-survives-the-other other $late 7000
	allowed reused-still-allows client $late 7000
fi

# --- no trace ------------------------------------------------------------------------------------------------

does remove remove --name ends
expect no-trace '' find /sys/fs/bpf -name 'polc*'
