# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Sourced by cases.sh, not in emulated machines: modes switched under a flood.

# What is denied by each of two policies, and what is denied by one that is not switched, at every moment.
switches=200 seconds=6
for port in 7002 7001; do
	as server run "$FLOOD" receive $port $((seconds + 4)) >"$work/received.$port" &
done
sleep 1
for port in 7002 7001; do
	as client run "$FLOOD" flows 10.77.0.20 $port $((seconds + 2)) >"$work/sent.$port" &
done
end=$(($(date +%s) + seconds)) done=0 failed=0
while [ $done -lt $switches ] && [ "$(date +%s)" -lt $end ]; do
	for step in 'enforce left' 'audit right' 'enforce right' 'audit left'; do
		"$POLLOAD" mode ${step% *} --policy live/${step#* } --name $name || failed=1
		done=$((done + 1))
	done
done
wait
echo "$done switches; sent $(cat "$work/sent.7002") and $(cat "$work/sent.7001"), received $(cat "$work/received.7002") and $(cat "$work/received.7001")"
[ $failed = 0 ] && ok switching || not_ok switching "polload mode failed"
[ $done -ge 40 ] && ok many-switches || not_ok many-switches "only $done"
for port in 7002 7001; do
	[ "$(cat "$work/sent.$port")" -gt 1000 ] || not_ok "flood-$port" "sent only $(cat "$work/sent.$port")"
	expect "never-weaker-$port" 0 cat "$work/received.$port"
done
does both-audit mode audit --policy left --policy right
as server run "$FLOOD" receive 7001 3 >"$work/received.7001" &
sleep 1
as client run "$FLOOD" flows 10.77.0.20 7001 1 >/dev/null
wait
[ "$(cat "$work/received.7001")" -gt 0 ] && ok flood-would-be-seen || not_ok flood-would-be-seen "nothing came"
