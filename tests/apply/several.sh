# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Sourced by cases.sh, not in emulated machines: applies at the same time, names side by side, and a signal in the middle.

# --- one after the other ----------------------------------------------------------------------------

flock $root sleep 4 &
locker=$!
sleep 0.3
does lock-gives-up 3 apply "$BUNDLES/second.cgroup.o" --node node-a --wait 0.5
said lock-names-holder 'by process [0-9]'
does lock-readers-do-not-wait 0 status
does lock-waits 0 apply "$BUNDLES/second.cgroup.o" --node node-a --wait 20
wait $locker
"$POLLOAD" apply "$BUNDLES/third.cgroup.o" --node node-a >/dev/null 2>&1 &
"$POLLOAD" apply "$BUNDLES/first.cgroup.o" --node node-a >/dev/null 2>&1 &
wait
is two-applies-one-kept 2 "$(ls -d $root/default/g* | wc -l)"

# --- names side by side -----------------------------------------------------------------------------

polload remove
apply named-one first --name one
apply named-two third --name two
is named-both third "$(denies_tcp)"
apply named-two-loosened first --name two
is named-looser first "$(in_force)"
does named-rollback 0 rollback --name two
is named-rollback-in-force third "$(denies_tcp)"
does named-remove 0 remove --name two
is named-one-left first "$(in_force)"

# --- half-done --------------------------------------------------------------------------------------

before=$(pins)
for try in 1 2 3 4 5 6; do
	"$POLLOAD" apply "$BUNDLES/third.cgroup.o" --node node-a --name one 2>/dev/null &
	applier=$!
	sleep 0.0$((try * 2))
	kill -TERM $applier 2>/dev/null
	wait $applier
	echo $?
done >"$work/statuses"
is term-clean "" "$(grep -vx -e 0 -e 3 -e 143 "$work/statuses" | tr '\n' ' ')"
"$POLLOAD" apply "$BUNDLES/first.cgroup.o" --node node-a --name fresh --room 1000000 2>/dev/null &
applier=$!
sleep 0.05
kill -TERM $applier
wait $applier
[ $? = 0 ] && "$POLLOAD" remove --name fresh
is term-leaves-nothing "" "$(pins | grep fresh)"
polload remove --name one
is last-name-leaves-nothing "" "$(pins)"
