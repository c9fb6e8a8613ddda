# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# cases.sh: inside the lab. SLOW: only what every kernel is to show. Prints "ok NAME" and "not ok NAME # why".
: "${AGENT:?}" "${POLLOAD:?}" "${DATA:?}"
. "$DATA/lab.sh"
if [ -z "$LAB_OURS" ]; then
	lab_enter "$0"
	exit
fi
lab_start
work=$LAB_WORK
name=sync
# how long an identity lives: time enough for what must come before its end
life=2
[ -z "${SLOW:-}" ] || life=8

ok() { echo "ok sync.$1"; }
not_ok() { echo "not ok sync.$1 # $2"; }
is() { [ "$2" = "$3" ] && ok "$1" || not_ok "$1" "'$2', not '$3'"; }
has() { case $2 in *"$3"*) ok "$1" ;; *) not_ok "$1" "no '$3' in '$2'" ;; esac; }

client() { as client tcp "${1:-10.77.0.20}" 8080 "${2:-4000}"; }
refused() { is "$1" "$(client "${2:-10.77.0.20}" 700)" timeout; }
accepted() { is "$1" "$(client "${2:-10.77.0.20}")" ok; }
sync() { "$POLLOAD" sync "$@" --name $name 2>&1; }
lines() { printf '%s\n' "$@" >"$work/lines"; }
server='10.77.0.20 lab/server app=server'
server6='fd77::20 lab/server app=server'

lab_add client 10
lab_add server 20
lab_background server serve 8080
"$POLLOAD" apply "$DATA/bundle.o" --name $name --node node-a || exit 1
refused unknown

# --- appear, change, vanish
lines "$server" "$server6" '10.77.0.10 lab/client app=client' 'fd77::10 lab/client app=client'
has dry-run "$(sync "$work/lines" --dry-run)" '2 added, 0 changed, 0 removed, 2 unchanged (not done)'
refused dry-run-does-nothing
has appear "$(sync "$work/lines")" '2 added, 0 changed, 0 removed, 2 unchanged'
accepted appear-4
accepted appear-6 fd77::20
has again "$(sync "$work/lines" -o json)" '"added":0,"changed":0,"removed":0,"unchanged":4'
"$POLLOAD" apply "$DATA/bundle.o" --name $name --node node-a --room 2000 || not_ok replay "apply failed"
accepted replay
lines "$server" "$server6" '10.77.0.10 lab/client app=other' 'fd77::10 lab/client app=client'
has change "$(sync "$work/lines")" '0 added, 1 changed, 0 removed, 3 unchanged'
refused change-4
accepted change-6 fd77::20
lines "$server" "$server6"
has vanish "$(sync - <"$work/lines")" '0 added, 0 changed, 2 removed, 2 unchanged'
refused vanish-6 fd77::20

# --- an established connection ends with the identity that allowed it
lines "$server" "$server6" '10.77.0.10 lab/client app=client'
sync "$work/lines" >/dev/null
session=$(as client session "$work/session" tcp 10.77.0.20 8080 4000)
lab_pids="$session $lab_pids"
is session "$("$AGENT" ask "$work/session" 4000)" ok
lines "$server" "$server6"
sync "$work/lines" >/dev/null
is session-cut "$("$AGENT" ask "$work/session" 700)" timeout

[ -n "${SLOW:-}" ] || . "$DATA/files.sh"

# --- time to live
lines "$server" "10.77.0.10 lab/client app=client ttl=$life"
sync "$work/lines" >/dev/null
accepted ttl
sleep $life.2
refused ttl-expired
has ttl-rule "$("$POLLOAD" status --name $name)" 'expired identity'
has ttl-listed "$("$POLLOAD" identity list --name $name)" 'expired'
sync "$work/lines" >/dev/null
accepted ttl-refreshed
lines "$server" '10.77.0.10 lab/client app=client'
sync "$work/lines" --ttl $life --on-expiry keep >/dev/null
sleep $life.2
accepted ttl-keep
has ttl-stale "$("$POLLOAD" identity list --name $name)" 'stale'

# --- told by hand
"$POLLOAD" identity add 10.77.0.10 --namespace lab --label app=other --name $name
refused by-hand
has by-hand-stays "$(sync "$work/lines")" '1 as told by hand'
refused by-hand-still
"$POLLOAD" identity add 10.77.0.10 --namespace lab --label app=client --ttl $life --name $name
accepted by-hand-ttl
sleep $life.2
refused by-hand-expired
"$POLLOAD" identity del 10.77.0.10 --name $name
has by-hand-gone "$(sync "$work/lines")" '1 added'

[ -n "${SLOW:-}" ] || . "$DATA/killed.sh"

# --- watch
mkdir "$work/drop"
printf '%s\n' "$server" "$server6" >"$work/drop/base"
"$POLLOAD" sync --watch "$work/drop" --name $name >"$work/watch.log" 2>&1 &
watch=$!
lab_pids="$watch $lab_pids"
until_is() { # NAME WORD
	for try in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(client 10.77.0.20 400)" = "$2" ] && { ok "$1"; return; }
		sleep 0.1
	done
	not_ok "$1" "not $2: $(tail -n 3 "$work/watch.log" | tr '\n' ' ')"
}
sleep 0.5
echo '10.77.0.10 lab/client app=client' >"$work/drop/.new" && mv "$work/drop/.new" "$work/drop/client"
until_is watch-appear ok
echo '10.77.0.10 lab/client app=' >>"$work/drop/client~"
echo 'half a li' >"$work/drop/client"
sleep 0.5
until_is watch-bad-file ok
has watch-bad-said "$(cat "$work/watch.log")" 'what it said before stays'
rm "$work/drop/client"
until_is watch-vanish timeout
echo "10.77.0.10 lab/client app=client ttl=$((life + 1))" >"$work/drop/client"
until_is watch-ttl ok
session=$(as client session "$work/session2" tcp 10.77.0.20 8080 4000)
lab_pids="$session $lab_pids"
is watch-session "$("$AGENT" ask "$work/session2" 4000)" ok
sleep $((life + 2)).5
is watch-session-expired "$("$AGENT" ask "$work/session2" 700)" timeout
touch "$work/drop/client"
until_is watch-touch ok
kill -TERM $watch
wait $watch
is watch-ends $? 0
"$POLLOAD" remove --name $name
