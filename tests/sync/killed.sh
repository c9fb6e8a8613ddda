# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Sourced by cases.sh, not in emulated machines: a sync that is killed, and the next one.

# --- killed anywhere, the next one converges
awk 'BEGIN { for (i = 0; i < 20000; i++) printf "10.9.%d.%d app=app-%d\n", i / 250, i % 250, i % 500 }' >"$work/many"
killed=0
for delay in 0.005 0.01 0.02 0.03 0.04 0.06 0.08 0.1; do
	lines "$server" "$server6" '10.77.0.10 lab/client app=client'
	cat "$work/many" >>"$work/lines"
	"$POLLOAD" sync "$work/lines" --name $name >/dev/null 2>&1 &
	sleep $delay
	kill -9 $! 2>/dev/null && killed=$((killed + 1))
	wait $! 2>/dev/null
	lines "$server" "$server6"
	sync "$work/lines" >/dev/null
	[ "$(client 10.77.0.20 300)" = timeout ] || not_ok "killed-$delay" "an address of the killed sync is left"
	left=$("$POLLOAD" identity list --all --name $name | grep -c '^10\.')
	# the server and the node
	[ "$left" = 2 ] || not_ok "killed-$delay" "$left addresses are left"
done
[ $killed -gt 0 ] && ok killed || not_ok killed "no sync was there to be killed"
