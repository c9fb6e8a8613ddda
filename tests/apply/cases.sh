# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# cases.sh: what apply, rollback, confirm and remove promise, on cgroups with real traffic. Expects AGENT,
# POLLOAD, BUNDLES, LAB and jq; SLOW: only what every kernel is to show. "first" lets client reach server over TCP and UDP, "third" over UDP only,
# "second" closes other as well.
: "${AGENT:?}" "${POLLOAD:?}" "${BUNDLES:?}"
. "${LAB:?}"
here=$(dirname "$0")
if [ -z "$LAB_OURS" ]; then
	lab_enter "$0"
	exit
fi
lab_start
work=$LAB_WORK
root=/sys/fs/bpf/polc
patience_ms=8000
silence_ms=700

ok() { echo "ok apply.$1"; }
not_ok() { echo "not ok apply.$1 # $2"; }
# is NAME WANTED GOT
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "'$3', not '$2': $(tr '\n' ' ' <"$work/error")"; fi; }
has() { if grep -q -e "$2" "$3"; then ok "$1"; else not_ok "$1" "no '$2' in: $(tr '\n' ' ' <"$3")"; fi; }
polload() { "$POLLOAD" "$@" >"$work/out" 2>"$work/error"; }
# does NAME STATUS ARGUMENT...
does() {
	case_name=$1 wanted=$2
	shift 2
	polload "$@"
	is "$case_name" "$wanted" $?
}
apply() {
	case_name=$1 bundle=$2
	shift 2
	does "$case_name" 0 apply "$BUNDLES/$bundle.cgroup.o" --node node-a "$@"
}
said() { has "$1" "$2" "$work/error"; }
status() { "$POLLOAD" status -o json 2>"$work/error" | jq -r "$1"; }
tcp() { as "$1" tcp "$2" 8080 "$3" 2>&1; }
# which policy is in force: first, third, none
in_force() {
	if [ "$(tcp client 10.77.0.20 $patience_ms)" != ok ]; then echo third
	elif [ "$(tcp other 10.77.0.20 $silence_ms)" = ok ]; then echo none
	else echo first; fi
}
denies_tcp() { [ "$(tcp client 10.77.0.20 $silence_ms)" != ok ] && echo third || in_force; }
# until COMMAND...: at most 20 seconds
until_true() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.2
	done
}
generation_is() { [ "$(status .generation)" = "$1" ]; }
pins() { find "$root" 2>/dev/null | sort; }

lab_add client 10
lab_add server 20
lab_add other 30
lab_background server serve 8080
is lab none "$(in_force)"

if [ -n "${SLOW:-}" ]; then
	apply first first
	is first-in-force first "$(in_force)"
else
	. "$here/same.sh"
fi

# --- rollback ---------------------------------------------------------------------------------------

apply third third --audit
does mode-enforce 0 mode enforce
is third-in-force third "$(denies_tcp)"
kept=$(ls -d $root/default/g* | wc -l)
is one-is-kept 2 "$kept"
is kept-is-small 0 "$(ls "$(ls -d $root/default/g* | sort -V | head -n 1)" | grep -cv -e '^bundle$' -e '^attachments$' -e '^polt_config$' -e '^polt_policies$')"
does rollback-dry 0 rollback --dry-run
is rollback-dry-changes-nothing third "$(denies_tcp)"
does rollback 0 rollback
is rollback-in-force first "$(in_force)"
does rollback-twice 0 rollback
is rollback-twice-in-force third "$(denies_tcp)"
is rollback-keeps-mode enforce "$(status .mode)"
polload mode audit
polload rollback
does rollback-to-audit 0 rollback
is rollback-to-audit-mode audit "$(status .mode)"
does remove 0 remove
is remove-leaves-nothing "" "$(pins)"
does remove-nothing 0 remove
does status-of-nothing 3 status
said status-of-nothing-says 'nothing is applied on this node'
is remove-makes-nothing "" "$(pins)"
apply alone first
does rollback-without 1 rollback
said rollback-without-says 'no generation before'

# --- confirm ----------------------------------------------------------------------------------------

was=$(status .generation)
does confirm-nothing 1 confirm
does confirm-at-once 2 apply "$BUNDLES/third.cgroup.o" --node node-a --confirm 0
apply unconfirmed third --confirm 600
is unconfirmed-in-force third "$(denies_tcp)"
is unconfirmed-status true "$(status '.unconfirmed.returns_in_s > 500')"
does confirm 0 confirm
is confirmed-status null "$(status .unconfirmed)"
does confirm-again 1 confirm

apply returns-soon first --confirm 2
sleep 2
until_true generation_is $((was + 3))
is returned-in-force third "$(denies_tcp)"
does no-return-to-unconfirmed 1 rollback
apply first-again first
was=$(status .generation)
apply unconfirmed-one third --confirm 600
apply unconfirmed-two second --confirm 1
sleep 1
until_true generation_is $((was + 3))
is returns-to-confirmed first "$(in_force)"

# the process that waits is killed: whoever changes something next returns first
was=$(status .generation)
apply waiter third --confirm 1
waiter=$(pgrep -n -f "apply $BUNDLES/third.cgroup.o --node node-a --confirm 1")
kill -9 "$waiter" && ok waiter-killed || not_ok waiter-killed "there is none"
sleep 1.2
is waiter-killed-overdue true "$(status '.unconfirmed.returns_in_s <= 0')"
is waiter-killed-in-force third "$(denies_tcp)"
does expired 0 confirm --expired
is expired-in-force first "$(in_force)"
does expired-none 0 confirm --expired
polload remove
apply first-unconfirmed first --confirm 1
until_true [ ! -e $root ]
is first-unconfirmed-removed none "$(in_force)"

# --- health -----------------------------------------------------------------------------------------

apply before-health first
was=$(status .generation)
does health-good 0 apply "$BUNDLES/third.cgroup.o" --node node-a --health 'test "$POLLOAD_NAME" = default && test "$POLLOAD_GENERATION" = '$((was + 1))
is health-good-in-force third "$(denies_tcp)"
is health-good-confirmed null "$(status .unconfirmed)"
does health-bad 1 apply "$BUNDLES/first.cgroup.o" --node node-a --health 'exit 4'
said health-bad-says 'exit status 4'
is health-bad-returned third "$(denies_tcp)"
does health-unlocked 0 apply "$BUNDLES/first.cgroup.o" --node node-a --health "$POLLOAD identity add 10.77.0.99 --label app=x --wait 5"
does health-and-confirm 0 apply "$BUNDLES/third.cgroup.o" --node node-a --health true --confirm 600
is health-and-confirm-pending true "$(status '.unconfirmed != null')"
polload rollback
is unconfirmed-rollback first "$(in_force)"

[ -n "${SLOW:-}" ] || . "$here/several.sh"
polload remove
is last-remove-leaves-nothing "" "$(pins)"
