# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# cases.sh: report, explain and events in the lab. Expects AGENT, FLOOD, POLLOAD, DATA (what build has put together), and
# POLC; POLC= where there is no compiler: what build has compiled must do, and be what would be compiled. SLOW: only what every kernel is to show.
: "${AGENT:?}" "${FLOOD:?}" "${POLLOAD:?}" "${POLC?}" "${DATA:?}"
. "$DATA/lab.sh"
if [ -z "$LAB_OURS" ]; then
	lab_enter "$0"
	exit
fi
lab_start
work=$LAB_WORK
patience_ms=8000
silence_ms=500

ok() { echo "ok observe.$1"; }
not_ok() { echo "not ok observe.$1 # $2"; }

# does NAME ARGUMENT...: polload succeeds
does() {
	name=$1
	shift
	if "$POLLOAD" "$@" >"$work/out" 2>&1; then ok "$name"; else not_ok "$name" "polload $*: $(tr '\n' ' ' <"$work/out")"; fi
}
# shows NAME TEXT FILE and its opposite: extended regular expressions
shows() {
	if grep -Eq -- "$2" "$3"; then ok "$1"; else not_ok "$1" "no '$2' in: $(head -c 1500 "$3" | tr '\n' '|')"; fi
}
lacks() {
	if grep -Eq -- "$2" "$3"; then not_ok "$1" "'$2' in: $(head -c 1500 "$3" | tr '\n' '|')"; else ok "$1"; fi
}
# says NAME TEXT ARGUMENT...: polload's output, kept in $work/said
says() {
	name=$1 text=$2
	shift 2
	"$POLLOAD" "$@" >"$work/said" 2>&1
	shows "$name" "$text" "$work/said"
}
build() { # OUT POLICY...
	out=$1
	shift
	[ -n "$POLC" ] || { cp "$DATA/$out" "$work/$out"; return; }
	(cd "$DATA" && "$POLC" build "$@" --hook cgroup --inventory inventory.yaml -o "$work/$out") >"$work/out" 2>&1 ||
		not_ok "build-$out" "$(tr '\n' ' ' <"$work/out")"
}

lab_add client 10
lab_add server 20
lab_add other 30
for who in client server other; do
	lab_background $who serve 8080
done
build closed.o closed.yaml
build second.o second.yaml

# --- report -----------------------------------------------------------------------------------------

traffic() {
	as client tcp 10.77.0.20 8080 $patience_ms >/dev/null
	as client tcp fd77::20 8080 $patience_ms >/dev/null
	as other tcp 10.77.0.20 8080 $patience_ms >/dev/null
	as other tcp 10.77.0.10 8080 $patience_ms >/dev/null
}
does apply-audit apply "$work/closed.o" --name main --node node-a --audit --adopt 0
says nothing-yet 'nothing would have been denied' report
traffic
traffic
says report-line 'live:app=server +ingress <- live:app=client +tcp/8080 +4 .*no rule allows' report
says report-deny-rule 'live:app=other +egress  -> live:app=client +tcp/8080 +2 .*denied by a rule: live/other \(closed.yaml:' report
says report-deny-note 'no further allow rule lets pass' report
says report-policy-filter 'live:app=other' report --policy live/other
lacks report-policy-filter-others 'live:app=server' "$work/said"
says report-json '"subject":"live:app=server".*"peer":"live:app=client".*"flows":4' report -o json

# what is kept goes over an apply, by meaning: another order of policies, other numbers
build again.o second.yaml closed.yaml
does apply-again apply "$work/again.o" --name main --node node-a --audit
says report-carried 'live:app=server +ingress <- live:app=client +tcp/8080 +4 ' report
as client tcp 10.77.0.20 8080 $patience_ms >/dev/null
as client ping 10.77.0.20 $patience_ms >/dev/null
as client udp 10.77.0.1 8080 $silence_ms 32 >/dev/null
says report-icmp 'live:app=client +egress  -> live:app=server +icmp/8 +1 .*no rule allows' report
says report-node 'live:app=client +egress  -> host +udp/8080 +1 .*no rule allows' report
says report-goes-on 'live:app=server +ingress <- live:app=client +tcp/8080 +5 ' report

forms="yaml pol"
[ -z "${SLOW:-}" ] || forms=yaml
for form in $forms; do
	"$POLLOAD" report -o $form >"$work/seen.$form" 2>"$work/out"
	shows report-$form-comment '^# not allowed here: live:app=other to live:app=client, tcp/8080: a rule denies it' "$work/seen.$form"
	if diff "$DATA/suggested.$form" "$work/seen.$form" >"$work/out"; then
		ok report-$form-suggests
	else
		not_ok report-$form-suggests "$(tr '\n' '|' <"$work/out")"
	fi
	if [ -n "$POLC" ]; then
		if "$POLC" check "$work/seen.$form" >"$work/out" 2>&1; then
			ok report-$form-checks
		else
			not_ok report-$form-checks "$(tr '\n' ' ' <"$work/out")"
		fi
		cp "$work/seen.$form" "$DATA/seen.$form"
	fi
	build seen-$form.o closed.yaml second.yaml "seen.$form"
	"$POLLOAD" remove --name main >"$work/out" 2>&1
	does apply-seen-$form apply "$work/seen-$form.o" --name main --node node-a --audit --adopt 0
	traffic
	says seen-$form-still-denied 'live:app=other +egress' report
	lacks seen-$form-allows '^live:app=(server|client)' "$work/said"
	# the same, enforced
	does enforce-$form mode enforce --name main
	[ "$(as client tcp 10.77.0.20 8080 $patience_ms)" = ok ] && ok enforced-$form-passes || not_ok enforced-$form-passes denied
	case $(as other tcp 10.77.0.10 8080 $silence_ms) in
	ok) not_ok enforced-$form-denies passed ;;
	*) ok enforced-$form-denies ;;
	esac
	"$POLLOAD" remove --name main
	does apply-closed-$form apply "$work/closed.o" --name main --node node-a --audit --adopt 0
	traffic
done
# applied over what was audited: it is allowed by now
does apply-seen-over apply "$work/seen-yaml.o" --name main --node node-a --audit
says report-allowed-by-now 'kinds of traffic are allowed by now' report
lacks report-forgets-allowed '^live:app=server' "$work/said"
# back in the generation before: its numbers, the same meaning
does report-rollback rollback --name main
says report-after-rollback 'live:app=server +ingress <- live:app=client +tcp/8080 ' report
says explain-after-rollback 'ingress of live/server: audit|ingress of live/server: deny' explain --from live/client --to live/server --port tcp/8080 --name main
[ -n "${SLOW:-}" ] || . "$DATA/overflow.sh"
# shown once, and forgotten; again, with nothing there
says report-reset 'live:app=server +ingress <- live:app=client' report --reset
says report-is-reset 'nothing would have been denied' report
lacks report-overflow-is-reset 'not kept' "$work/said"
says report-reset-of-nothing 'nothing would have been denied' report --reset
traffic
says report-after-reset 'live:app=server +ingress <- live:app=client +tcp/8080 ' report
"$POLLOAD" report --reset --policy live/other >"$work/out" 2>&1
[ $? = 2 ] && ok report-reset-is-whole || not_ok report-reset-is-whole "$(cat "$work/out")"
"$POLLOAD" remove --name main

[ -n "${SLOW:-}" ] || . "$DATA/following.sh"

# --- explain --pid ----------------------------------------------------------------------------------

if "$POLLOAD" apply "$DATA/tracing.o" --name calls >"$work/out" 2>&1; then
	sleep 60 &
	slept=$!
	sleep 0.5 # it is the shell still
	says process-parents "^process $slept .*sleep|busybox|coreutils" explain --pid $slept
	shows process-matches 'sys_enter +(audit|monitor-only|enforce) +selector 0: matches when these hold, too: arguments; does Post' "$work/said"
	shows process-fails 'selector 1: does not match: matchBinaries' "$work/said"
	says process-other 'selector 0: does not match: matchBinaries' explain --pid $pid_client
	says process-call 'selector 0' explain --pid $slept --call sys_enter
	"$POLLOAD" explain --pid $slept --call no_such_hook >"$work/said"
	lacks process-other-call 'selector' "$work/said"
	says process-json '"selector":0,"matches":"depends","needs":"arguments"' explain --pid $slept -o json
	says process-gone 'process 4194303: ' explain --pid 4194303
	kill $slept
	"$POLLOAD" remove --name calls
else
	echo "skip observe.process # $(tail -n 1 "$work/out")"
fi
