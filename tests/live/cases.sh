# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# cases.sh cgroup|tc: the live test on one hook, on the host and in virtual machines alike. Expects AGENT,
# POLLOAD, BUNDLES (what tests/live/build made). Prints "ok NAME" and "not ok NAME # why".
hook=$1
: "${AGENT:?}" "${POLLOAD:?}" "${BUNDLES:?}"
. "$(dirname "$0")/lab.sh"
if [ -z "$LAB_OURS" ]; then
	lab_enter "$0" "$hook"
	exit
fi
lab_start
work=$LAB_WORK

# Long enough for a slow machine to succeed, short enough to wait for what must not.
patience_ms=8000
silence_ms=700

server4=10.77.0.20 server6=fd77::20
client4=10.77.0.10 client6=fd77::10
other4=10.77.0.30 other6=fd77::30
late4=10.77.0.50 late6=fd77::50

ok() { echo "ok live.$hook.$1"; }
not_ok() {
	echo "not ok live.$hook.$1 # $2"
	: >"$work/failed"
}

# expect NAME WORD|WORD... COMMAND...
expect() {
	name=$1 words=$2
	shift 2
	got=$("$@" 2>&1)
	case "|$words|" in
	*"|$got|"*) ok "$name" ;;
	*) not_ok "$name" "$* said '$got', not $words" ;;
	esac
}

# allowed|denied NAME WHO tcp|udp|ping ADDRESS [PORT]
attempt() {
	wait_ms=$1 who=$2 protocol=$3 address=$4 port=$5
	case $protocol in
	tcp) as "$who" tcp "$address" "$port" "$wait_ms" ;;
	udp) as "$who" udp "$address" "$port" "$wait_ms" 32 ;;
	large) as "$who" udp "$address" "$port" "$wait_ms" 9000 ;;
	ping) as "$who" ping "$address" "$wait_ms" ;;
	esac
}
allowed() {
	name=$1
	shift
	expect "$name" ok attempt $patience_ms "$@"
}
denied() {
	name=$1
	shift
	expect "$name" 'timeout|eperm' attempt $silence_ms "$@"
}

# polload_does NAME ARGUMENT...: exit status 0
polload_does() {
	name=$1
	shift
	if output=$("$POLLOAD" "$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name" "polload $* failed: $(echo "$output" | tr '\n' ' ')"
	fi
}
apply() {
	name=$1 bundle=$2
	shift 2
	polload_does "$name" apply "$BUNDLES/$bundle.$hook.o" --name live --node node-a "$@"
}

# A connection that stays: opened NAME WHO tcp|udp ADDRESS PORT; NAME is then asked for.
open_session() {
	output=$(as "$2" session "$work/$1" "$3" "$4" "$5" $patience_ms 2>&1)
	case $output in
	*[!0-9]* | '') not_ok "session-$1" "cannot open: $output" ;;
	*) lab_pids="$output $lab_pids" ;;
	esac
}
alive() { expect "$1" ok "$AGENT" ask "$work/$2" $patience_ms; }
severed() { expect "$1" 'timeout|eperm' "$AGENT" ask "$work/$2" $silence_ms; }

# events_show NAME PATTERN: one of the events waiting to be read has it. Reads them all.
events_read() {
	"$POLLOAD" events --name live -o "$1" --timeout 1 >"$work/events" 2>&1
}
events_show() {
	if grep -q -e "$2" "$work/events"; then
		ok "$1"
	else
		not_ok "$1" "no event has '$2': $(tail -n 3 "$work/events" | tr '\n' ' ')"
	fi
}

# --- before any policy ------------------------------------------------------------------------------

lab_add client 10
lab_add server 20
lab_add other 30
lab_add outside 40
lab_add late 50
for who in client server other late; do
	lab_background $who serve 8080
done
lab_background server serve 9090
lab_background node serve 8080

allowed lab-tcp4 outside tcp $server4 8080
allowed lab-tcp6 outside tcp $server6 8080
allowed lab-udp4 other udp $client4 8080
allowed lab-ping6 other ping $server6
open_session before-allowed client tcp $server4 8080
open_session before-denied client tcp $other6 8080
# without its traffic the rest says nothing
[ ! -e "$work/failed" ] || exit 1

# --- what a policy allows and denies ----------------------------------------------------------------

apply apply first --adopt 5
[ ! -e "$work/failed" ] || exit 1
alive adopted-connection-survives before-allowed
severed adopted-connection-denied before-denied

# Silence takes its time: it is waited for in the background.
for f in 4 6; do
	eval "server=\$server$f client=\$client$f other=\$other$f"
	allowed tcp$f client tcp $server 8080
	allowed udp$f client udp $server 8080
	allowed ping$f client ping $server
	allowed udp$f-fragments client large $server 8080
	expect tcp$f-refused refused attempt $patience_ms client tcp $server 7070
	expect udp$f-port-unreachable refused attempt $patience_ms client udp $server 7070

	denied tcp$f-ingress-denied other tcp $server 8080 &
	denied udp$f-ingress-denied other udp $server 8080 &
	denied tcp$f-other-port-denied client tcp $server 9090 &
	denied udp$f-other-port-denied client udp $server 9090 &
	denied udp$f-fragments-denied other large $server 8080 &
	denied tcp$f-egress-denied client tcp $other 8080 &
	denied udp$f-egress-denied client udp $other 8080 &
	denied udp$f-fragments-egress-denied client large $other 8080 &
	denied ping$f-egress-denied client ping $other &
	denied tcp$f-reverse-denied server tcp $client 8080 &
	denied udp$f-reverse-denied server udp $client 8080 &
	denied tcp$f-deny-rule other tcp $client 8080 &
	# a cgroup has no socket that a ping goes to: the kernel answers
	[ $hook = cgroup ] || denied ping$f-ingress-denied other ping $server &
	[ $hook = cgroup ] || denied ping$f-reverse-denied server ping $client &
done
allowed own-node-reaches node tcp $server4 9090
allowed own-node-reaches6 node tcp $server6 9090
denied world-denied outside tcp $server4 8080 &
allowed ungoverned-direction server tcp $other4 8080
allowed egress-to-node-of-free-endpoint other tcp 10.77.0.1 8080
denied egress-to-node-denied client tcp 10.77.0.1 8080 &
if [ $hook = cgroup ]; then
	# the cgroup is the endpoint, whatever namespace its processes are in
	expect cgroup-in-another-namespace 'timeout|eperm' \
		"$AGENT" -n $pid_server -c "$LAB_CGROUPS/client" tcp $other4 8080 $silence_ms
	# a service in the node's own namespace, which the inventory does not know: loopback is the node, not itself
	"$AGENT" -c "$LAB_CGROUPS/client" run sleep 600 &
	sharer=$!
	until grep -qx $sharer "$LAB_CGROUPS/client/cgroup.procs"; do sleep 0.05; done
	apply apply-sees-shared-namespace first
	expect loopback-is-the-node 'timeout|eperm' "$AGENT" -c "$LAB_CGROUPS/client" tcp 127.0.0.1 8080 $silence_ms
	kill $sharer
	wait $sharer 2>/dev/null
	apply apply-sees-own-namespace first
	expect loopback-is-itself refused "$AGENT" -n $pid_client -c "$LAB_CGROUPS/client" tcp 127.0.0.1 7070 $patience_ms
fi
wait

# --- what it says about it ----------------------------------------------------------------------------

events_read compact
as other tcp $client4 8080 $silence_ms >/dev/null
as other tcp $server4 8080 $silence_ms >/dev/null
events_read json
events_show event-policy live/other
events_show event-line "endpoints.yaml:$(cat "$BUNDLES/deny-line")"
events_show event-address "$server4"
events_show event-verdict deny
as other tcp $client6 8080 $silence_ms >/dev/null
events_read compact
events_show event-compact "endpoints.yaml:$(cat "$BUNDLES/deny-line")"
events_show event-compact-address "$client6"

counted() { "$POLLOAD" status --name live -o json | jq_packets server.yaml; }
# sum of "packets" of the rules from that file
jq_packets() {
	tr '{' '\n' | grep "$1" | sed -n 's/.*"packets": *\([0-9]*\).*/\1/p' | awk '{ n += $1 } END { print n + 0 }'
}
polload_does status status --name live
before=$(counted)
as client udp $server4 8080 $patience_ms 32 >/dev/null
after=$(counted)
if [ "$after" -ge $((before + 1)) ]; then
	ok counters
else
	not_ok counters "$before packets before, $after after"
fi

# --- further generations ---------------------------------------------------------------------------

open_session tcp4 client tcp $server4 8080
open_session tcp6 client tcp $server6 8080
open_session udp4 client udp $server4 8080
open_session free server tcp $other4 8080
apply apply-second second
alive second-keeps-tcp4 tcp4
alive second-keeps-tcp6 tcp6
alive second-keeps-udp4 udp4
denied second-denies-new server tcp $other4 8080
allowed second-allows client tcp $server4 8080
if [ "$(counted)" -ge "$after" ]; then
	ok counters-carried-over
else
	not_ok counters-carried-over "$after packets before, $(counted) after"
fi

apply apply-third third
severed third-cuts-tcp4 tcp4
severed third-cuts-tcp6 tcp6
alive third-keeps-udp4 udp4
denied third-denies-new client tcp $server4 8080

# --- modes ------------------------------------------------------------------------------------------

apply apply-audit first --audit
events_read json
allowed audit-passes4 other tcp $server4 8080
allowed audit-passes6 other udp $server6 8080
allowed audit-passes-egress client tcp $other4 8080
events_read json
events_show audit-reports audit
open_session audited other tcp $server4 8080
polload_does mode-enforce mode enforce --name live
denied enforce-denies4 other tcp $server4 8080
denied enforce-denies6 other udp $server6 8080
severed enforce-cuts audited
allowed enforce-allows client tcp $server4 8080
polload_does mode-audit mode audit --name live
allowed mode-audit-passes other tcp $server4 8080
polload_does mode-enforce-again mode enforce --name live

# --- identities and endpoints at run time -----------------------------------------------------------

denied identity-unknown outside tcp $server4 8080
polload_does identity-add identity add 10.77.0.40 --label app=client --namespace live --name live
allowed identity-known outside tcp $server4 8080
denied identity-other-port outside tcp $server4 9090
open_session added outside tcp $server4 8080
apply apply-keeps-identities first
alive identity-survives-apply added
polload_does identity-del identity del 10.77.0.40 --name live
denied identity-forgotten outside tcp $server4 8080
severed identity-del-cuts added

allowed endpoint-unattached other tcp $late4 8080
case $hook in
cgroup) polload_does endpoint-add endpoint add live/late --cgroup late --name live ;;
tc) polload_does endpoint-add endpoint add live/late --interface ve-late --name live ;;
esac
denied endpoint-governed other tcp $late4 8080
denied endpoint-governed6 other udp $late6 8080
allowed endpoint-allowed client tcp $late4 8080
polload_does endpoint-del endpoint del live/late --name live
allowed endpoint-free-again other tcp $late4 8080

# --- a killed apply leaves one whole policy in force --------------------------------------------------

uptime_ms() { awk '{ printf "%d", $1 * 1000 }' /proc/uptime; }
before_ms=$(uptime_ms)
apply apply-before-kills first
whole_ms=$(($(uptime_ms) - before_ms + 10))
killed=0
for eighth in 1 2 3 4 5 6 7 8; do
	"$AGENT" kill-after $((whole_ms * eighth * 1000 / 8)) "$POLLOAD" apply "$BUNDLES/second.$hook.o" --name live \
		--node node-a >/dev/null 2>&1 || killed=$((killed + 1))
	allowed killed-at-$eighth-allows client tcp $server4 8080
	denied killed-at-$eighth-denies other tcp $server4 8080 &
done
wait
echo "apply takes $whole_ms ms; $killed of 8 did not come to their end"
[ $killed -gt 0 ] && ok some-killed || not_ok some-killed "every apply was faster than its end"
apply apply-after-kills first
allowed after-kills-allows server tcp $other4 8080
generations=$(ls -d /sys/fs/bpf/polc/live/g* | wc -l) # the one in force and the one that rollback returns to
[ "$generations" = 2 ] && ok kills-leave-nothing || not_ok kills-leave-nothing "$generations generations are pinned"

# --- no trace ---------------------------------------------------------------------------------------

"$AGENT" pins /sys/fs/bpf/polc >"$work/pins"
if [ "$(grep -c prog "$work/pins")" -gt 0 ] && [ "$(grep -c map "$work/pins")" -gt 0 ]; then
	ok pins-seen
else
	not_ok pins-seen "nothing of polc is pinned, so the next cases prove nothing"
fi
polload_does remove remove --name live
pins=$(find /sys/fs/bpf/polc -type f 2>/dev/null | tr '\n' ' ')
[ -z "$pins" ] && ok remove-no-pins || not_ok remove-no-pins "$pins"
left=$("$AGENT" gone "$work/pins" $patience_ms | tr '\n' ' ')
[ -z "$left" ] && ok remove-no-objects || not_ok remove-no-objects "$left"
allowed remove-frees other tcp $server4 8080
[ ! -e "$work/failed" ]
