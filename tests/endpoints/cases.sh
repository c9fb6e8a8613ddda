# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# cases.sh cgroup|tc: endpoints that come and go, on one hook. Expects AGENT, POLLOAD and DATA (what tests/endpoints/run
# made). Prints "ok NAME" and "not ok NAME # why".
hook=$1
: "${AGENT:?}" "${POLLOAD:?}" "${DATA:?}"
. "$(dirname "$0")/lab.sh"
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
does unselected endpoint add lab/late $(at late) --label app=nothing --name ends
allowed unselected-allows other $late 7001
"$POLLOAD" endpoint del lab/late --name ends
does two-policies endpoint add lab/late $(at late) --label app=server --label tier=front --name ends
allowed two-policies-first client $late 7000
allowed two-policies-second other $late 7000
denied two-policies-neither other $late 7001

# a combination that nobody has foreseen: denied, said, and marked
"$POLLOAD" endpoint del lab/late --name ends
does unforeseen endpoint add lab/late $(at late) --label app=server --label tier=front --label third=yes --label fourth=yes --name ends
says unforeseen-is-said 'everything to it is denied until there is a new bundle'
lists unforeseen-is-marked 'lab/late .*\[ingress deny-all: needs a new bundle\]'
denied unforeseen-denies client $late 7000
denied unforeseen-denies-third client $late 7001
allowed unforeseen-egress-is-exact late 10.77.0.10 7000
"$POLLOAD" endpoint del lab/late --name ends

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

# --- names of cgroups ----------------------------------------------------------------------------------------

if [ $hook = cgroup ]; then
	id=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
	for dir in system.slice/docker-$id.scope kubepods/besteffort/poduid/$id kubepods.slice/cri-containerd-$id.scope \
		machine.slice/crio-$id.scope system.slice/kubepods-pod1.slice:cri-containerd:$id; do
		mkdir -p "$LAB_CGROUPS/$dir" "$LAB_CGROUPS/machine.slice/crio-conmon-$id.scope"
		does "container-$(echo "$dir" | sed "s/$id/ID/; s|/|-|g")" endpoint add lab/boxed --container ${id%cdef} --label app=x --name ends
		lists "container-is-found-$(echo "$dir" | sed "s/$id/ID/; s|/|-|g")" "lab/boxed .*/$dir\$"
		"$POLLOAD" endpoint del lab/boxed --name ends
		rmdir "$LAB_CGROUPS/$dir"
	done
	refuses container-unknown 'No such file' endpoint add lab/boxed --container $id --label app=x --name ends
	refuses container-short 'Invalid argument' endpoint add lab/boxed --container 01234 --label app=x --name ends
	mkdir -p "$LAB_CGROUPS/system.slice/web.service" "$LAB_CGROUPS/user.slice/user-1.slice"
	does unit endpoint add lab/unit --cgroup web.service --label app=x --name ends
	lists unit-is-found 'lab/unit .*/system.slice/web.service$'
	"$POLLOAD" endpoint del lab/unit --name ends
	mkdir "$LAB_CGROUPS/user.slice/user-1.slice/web.service"
	refuses unit-ambiguous 'there are several' endpoint add lab/unit --cgroup web.service --label app=x --name ends
	find "$LAB_CGROUPS" -mindepth 1 -depth -type d -name '*.s*' -exec rmdir {} \; 2>/dev/null
	find "$LAB_CGROUPS/kubepods" -depth -type d -exec rmdir {} \;

	# --- a pod's containers: each of them, or the cgroup that is around them
	first=$(printf 'a%.0s' $(seq 64)) second=$(printf 'b%.0s' $(seq 64)) uid=11111111-2222-3333-4444-555555555555
	multi() { # NAME IDS...: the pod with these containers
		name=$1
		shift
		statuses=
		for id in "$@"; do statuses="$statuses, {name: c$(echo "$id" | cut -c1), containerID: \"containerd://$id\"}"; done
		cp "$DATA/inventory.$hook.yaml" "$work/multi.yaml"
		cat >>"$work/multi.yaml" <<-END
		  - apiVersion: v1
		    kind: Pod
		    metadata: {name: multi, namespace: lab, uid: $uid, labels: {app: server}}
		    spec: {nodeName: node-a}
		    status: {phase: Running, podIPs: [{ip: $late}], containerStatuses: [${statuses#, }]}
		END
		does "$name" sync "$work/multi.yaml" --name ends
	}
	serve_in() { lab_pids="$("$AGENT" -n "$pid_late" -c "$1" serve "$2") $lab_pids"; }
	vanish late
	mkdir "$LAB_CGROUPS/docker-$first.scope" "$LAB_CGROUPS/docker-$second.scope"
	serve_in "$LAB_CGROUPS/docker-$first.scope" 7000
	serve_in "$LAB_CGROUPS/docker-$second.scope" 7002
	allowed containers-were-free other $late 7002
	multi containers "$first" "$second"
	lists containers-first "lab/multi .*/docker-$first.scope\$"
	lists containers-second "lab/multi .*/docker-$second.scope\$"
	denied containers-deny-first other $late 7000
	denied containers-deny-second other $late 7002
	allowed containers-allow client $late 7000
	multi container-is-no-more "$second"
	lists container-stays "lab/multi .*/docker-$second.scope\$"
	denied container-stays-denied other $late 7002
	allowed container-is-free other $late 7000
	does containers-carried $apply --absent wait --room 20000
	does containers-enforce mode enforce --name ends
	denied containers-carried-deny other $late 7002
	around=$LAB_CGROUPS/kubepods-pod$(echo $uid | tr - _).slice
	mkdir -p "$around/docker-$(printf 'c%.0s' $(seq 64)).scope"
	multi pod-is-around "$second"
	lists pod-is-attached "lab/multi .*${around##*/}\$"
	if "$POLLOAD" endpoint list --name ends | grep -q "lab/multi .*docker-"; then not_ok pod-is-all "a container is still listed"; else ok pod-is-all; fi
	serve_in "$around/docker-$(printf 'c%.0s' $(seq 64)).scope" 7003
	denied pod-denies-new-container other $late 7003
	does containers-forgotten endpoint del lab/multi --name ends
	allowed containers-forgotten-all other $late 7003

	# --- names that would drive a terminal, or pretend to be lines
	mkdir "$LAB_CGROUPS/evil"
	escape=$(printf '\033') bell=$(printf '\007') c1=$(printf '\302\233')
	evil="lab/evil${escape}]0;x${bell}${c1}2J
fake 1 attached"
	does evil-added endpoint add "$evil" --cgroup evil --label "app=server" --label "x=a${escape}[31m
y" --name ends
	"$POLLOAD" events --name ends -o compact --timeout 3 >"$work/evil.events" 2>&1 &
	"$POLLOAD" endpoint list --name ends >"$work/evil.list" 2>&1
	"$POLLOAD" status --name ends >"$work/evil.status" 2>&1
	"$POLLOAD" explain --from lab/client --to "$evil" --port tcp/7000 --name ends >"$work/evil.explain" 2>&1
	printf '10.77.0.10 lab/client app=client\n10.77.0.30 lab/other app=ot%sher\n' "$escape[1m" >"$work/evil.lines"
	"$POLLOAD" sync "$work/evil.lines" --dry-run --name ends >"$work/evil.sync" 2>&1
	serve_in "$LAB_CGROUPS/evil" 7009
	denied evil-is-denied other $late 7009
	sleep 3
	"$POLLOAD" mode audit --name ends
	allowed evil-is-audited other $late 7009
	"$POLLOAD" report --name ends >"$work/evil.report" 2>&1
	"$POLLOAD" mode enforce --name ends
	for file in "$work"/evil.*; do
		what=${file##*.}
		[ $what = lines ] && continue
		if LC_ALL=C grep -q "[$escape$bell]" "$file" || LC_ALL=C grep -qF "$c1" "$file" || grep -q '^fake' "$file"; then
			not_ok visible-$what "$(od -c "$file" | head -n 20)"
		else
			ok visible-$what
		fi
	done
	for what in list explain events report; do
		if grep -q -e u001b -e 'evil?]0' "$work/evil.$what"; then ok shown-$what; else not_ok shown-$what "$(cat "$work/evil.$what")"; fi
	done
	"$POLLOAD" endpoint del "$evil" --name ends

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
