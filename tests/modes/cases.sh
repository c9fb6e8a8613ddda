# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# cases.sh cgroup|tc: modes of single network policies on one hook. Expects AGENT, POLLOAD, BUNDLES,
# FLOOD; SLOW: only what every kernel is to show.
hook=$1
: "${AGENT:?}" "${POLLOAD:?}" "${BUNDLES:?}" "${FLOOD:?}"
here=$(dirname "$0")
. "$here/lab.sh"
if [ -z "$LAB_OURS" ]; then
	lab_enter "$0" "$hook"
	exit
fi
lab_start
work=$LAB_WORK
patience_ms=8000
silence_ms=700
name=F-modes

ok() { echo "ok modes.$hook.$1"; }
not_ok() { echo "not ok modes.$hook.$1 # $2"; }

# expect NAME WORD|WORD... COMMAND...
expect() {
	case_name=$1 words=$2
	shift 2
	got=$("$@" 2>&1)
	case "|$words|" in
	*"|$got|"*) ok "$case_name" ;;
	*) not_ok "$case_name" "$* said '$got', not $words" ;;
	esac
}
reached() { expect "$1" ok as client tcp 10.77.0.20 "$2" $patience_ms; }
blocked() { expect "$1" 'timeout|eperm' as client tcp 10.77.0.20 "$2" $silence_ms; }

# does NAME ARGUMENT...: polload succeeds; its words are in $output
does() {
	case_name=$1
	shift
	if output=$("$POLLOAD" "$@" --name $name 2>&1); then
		ok "$case_name"
	else
		not_ok "$case_name" "polload $* failed: $output"
	fi
}
# refused NAME PATTERN ARGUMENT...: exit status 1, and says so
refused() {
	case_name=$1 pattern=$2
	shift 2
	output=$("$POLLOAD" "$@" --name $name 2>&1)
	status=$?
	if [ $status = 1 ] && echo "$output" | grep -q -e "$pattern"; then
		ok "$case_name"
	else
		not_ok "$case_name" "polload $* ended with $status: $output"
	fi
}
says() {
	if echo "$output" | grep -q -e "$2"; then ok "$1"; else not_ok "$1" "nothing like '$2' in: $output"; fi
}
silent() {
	if echo "$output" | grep -q -e "$2"; then not_ok "$1" "$output"; else ok "$1"; fi
}
# mode_is NAME POLICY MODE
mode_is() {
	expect "$1" "$3" sh -c "'$POLLOAD' status --name $name -o json | jq -r '.network_policies[] | select(.policy == \"$2\") | .mode'"
}

lab_add client 10
lab_add server 20
lab_add other 30
lab_add late 50
lab_background server serve 8080
lab_background server serve 9090
lab_background server serve 7000

# without --adopt 0 a connection that is cut in the first minute is taken for one older than polc
does apply apply "$BUNDLES/first.$hook.o" --node node-a --adopt 0
mode_is starts-in-audit live/limit audit
mode_is starts-enforced live/left enforce
reached allowed-by-all 8080
reached passes-in-audit 9090
blocked always-enforced 7000
output=$("$POLLOAD" events --name $name -o json --timeout 1)
says event-names-the-policy 'audit.*live/limit\|live/limit.*audit'
output=$("$POLLOAD" status --name $name)
says status-counts-for-the-policy '^live/limit  *audit  *[1-9]'

session=$(as client session "$work/open" tcp 10.77.0.20 9090 $patience_ms)
lab_pids="$session $lab_pids"
expect session-passes ok "$AGENT" ask "$work/open" $patience_ms
# acknowledged: what the server may still have to repeat would begin a flow of its own, which nothing denies
sleep 1
does enforce mode enforce --policy live/limit
expect session-is-cut 'timeout|eperm' "$AGENT" ask "$work/open" $silence_ms
mode_is is-enforced live/limit enforce
blocked denied-when-enforced 9090
reached allowed-when-enforced 8080
does audit mode audit --policy limit
reached passes-again 9090
blocked always-enforced-still 7000

refused fixed-is-refused 'build it with polc build --switchable live/fixed' mode audit --policy live/fixed
refused unknown-is-refused 'the bundle has no policy live/nobody' mode audit --policy live/nobody

[ -n "${SLOW:-}" ] || . "$here/flood.sh"
does enforce-again mode enforce --policy live/limit
does apply-second apply "$BUNDLES/second.$hook.o" --node node-a
says note-of-lost-mode 'live/limit was switched to enforce.*mode audit'
mode_is bundle-decides live/limit audit
mode_is option-of-build live/fixed audit
does enforce-limit mode enforce --policy live/limit
does keep-modes apply "$BUNDLES/first.$hook.o" --node node-a --keep-modes
silent keep-modes-says-nothing 'live/limit was switched'
mode_is kept live/limit enforce
blocked kept-in-the-tables 9090
does remove remove
