# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# order.sh cgroup|tc: two bundles that both deny what others send to the server replace each other, under a
# flood of it. Runs on the host and in virtual machines. Expects AGENT, POLLOAD, BUNDLES, FLOOD, LAB; ROUNDS.
hook=$1
: "${AGENT:?}" "${POLLOAD:?}" "${BUNDLES:?}" "${FLOOD:?}"
. "${LAB:?}"
if [ -z "$LAB_OURS" ]; then
	lab_enter "$0" "$hook"
	exit
fi
lab_start
work=$LAB_WORK

ok() { echo "ok apply.$hook.$1"; }
not_ok() { echo "not ok apply.$hook.$1 # $2"; }
apply() { "$POLLOAD" apply "$BUNDLES/$1.$hook.o" --name order --node node-a 2>"$work/error"; }

lab_add client 10
lab_add server 20
lab_add other 30
# run WHO PROGRAM...: in the background, and its process id in lab_pids
run() {
	eval "pid=\$pid_$1"
	cgroup=$LAB_CGROUPS/$1
	shift
	"$AGENT" -n "$pid" -c "$cgroup" run "$@" &
	lab_pids="$lab_pids $!"
}
received() {
	sleep 0.2
	tr -d ' ' <"$work/count"
}

# where two generations are seen side by side; before tcx the kernel cannot be asked
case $hook in
cgroup) where=$LAB_CGROUPS/server ;;
tc) where=ve-server ;;
esac
"$FLOOD" order "$where" "$work/order" &
lab_pids="$lab_pids $!"

run server "$FLOOD" count 8080 "$work/count"
run other "$FLOOD" send 10.77.0.20 8080
tries=0
until [ -s "$work/count" ] && [ "$(received)" -gt 0 ] || [ $tries -gt 50 ]; do
	tries=$((tries + 1))
	sleep 0.2
done
if [ "$(received)" -gt 0 ]; then ok order-flood-arrives; else not_ok order-flood-arrives "nothing came"; fi
apply first || not_ok order-apply "$(cat "$work/error")"
# what was let through before comes in yet
before=-1
until [ "$(received)" = $before ]; do
	before=$(received)
done
round=0
while [ $round -lt "${ROUNDS:-15}" ]; do
	apply second && apply first || not_ok order-apply "$(cat "$work/error")"
	round=$((round + 1))
done
leaked=$(($(received) - before))
if [ $leaked = 0 ]; then ok order-no-packet-between; else not_ok order-no-packet-between "$leaked denied packets came through"; fi
pairs= wrong=
[ ! -s "$work/order" ] || eval "$(cat "$work/order")"
if [ "${wrong#"${wrong%%[!0]*}"}" ]; then not_ok order-replaced-first "not so in $wrong of $pairs looks"
elif [ "$pairs" ]; then ok order-replaced-first
elif [ "$hook" = tc ]; then echo "skip apply.tc.order-replaced-first # this kernel has no tcx"
else not_ok order-replaced-first "two generations were never seen"; fi
"$POLLOAD" remove --name order
left=$(find /sys/fs/bpf/polc 2>/dev/null; tc qdisc show dev ve-server 2>/dev/null | grep clsact)
if [ -z "$left" ]; then ok order-remove-leaves-nothing; else not_ok order-remove-leaves-nothing "$left"; fi
sleep 0.3
if [ "$(received)" -gt $((before + leaked)) ]; then ok order-flood-was-denied; else not_ok order-flood-was-denied "nothing came after the removal"; fi
