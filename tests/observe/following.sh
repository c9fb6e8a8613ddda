# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Sourced by cases.sh, not in emulated machines: events as they come, and explain for flows.

# --- events -----------------------------------------------------------------------------------------

# follow ARGUMENT...: a reader in the background that is ready; its output is $work/events
follow() {
	: >"$work/events"
	NOTIFY_SOCKET=@polc-observe-$$ "$POLLOAD" events "$@" >"$work/events" 2>"$work/events.log" &
	reader=$!
	sleep 1
}
# stop: the reader ends, after what was in the rings
stop() {
	sleep 1
	kill $reader
	wait $reader
}
does events-apply-main apply "$work/closed.o" --name main --node node-a --adopt 0
does events-apply-second apply "$work/second.o" --name second --node node-a --audit --adopt 0
follow
as other tcp 10.77.0.20 8080 $silence_ms >/dev/null
as client udp 10.77.0.30 8080 $patience_ms 32 >/dev/null
as other tcp 10.77.0.10 8080 $silence_ms >/dev/null
stop
shows events-of-main 'deny +ingress live/server .*tcp/8080' "$work/events"
shows events-of-second 'audit +egress +live/client .*udp/8080' "$work/events"
if sort -c "$work/events" 2>"$work/out"; then ok events-in-order; else not_ok events-in-order "$(cat "$work/out")"; fi

follow -o json
as client udp 10.77.0.30 8080 $patience_ms 32 >/dev/null
stop
shows events-json-bundle '"verdict":"audit".*"bundle":"second".*"node_name":"node-a"' "$work/events"

follow --verdict audit
as client udp 10.77.0.30 8080 $patience_ms 32 >/dev/null
as other tcp 10.77.0.10 8080 $silence_ms >/dev/null
stop
shows events-verdict-filter ' audit ' "$work/events"
lacks events-verdict-filter-others ' deny ' "$work/events"

follow --name second
as client udp 10.77.0.30 8080 $patience_ms 32 >/dev/null
as other tcp 10.77.0.10 8080 $silence_ms >/dev/null
stop
shows events-name 'live/client' "$work/events"
lacks events-name-others 'live/other' "$work/events"

# a reader goes on over applies, removals and new names, and loses nothing of a ring that is let go
follow
as client udp 10.77.0.30 8080 $patience_ms 32 >/dev/null
as other tcp 10.77.0.10 8080 $silence_ms >/dev/null &
"$POLLOAD" apply "$work/second.o" --name second --node node-a --audit >"$work/out" 2>&1
sleep 1
as client udp 10.77.0.20 8080 $patience_ms 32 >/dev/null
"$POLLOAD" remove --name second
sleep 1
"$POLLOAD" apply "$work/second.o" --name third --node node-a --audit --adopt 0 >"$work/out" 2>&1
sleep 1
as client ping 10.77.0.30 $patience_ms >/dev/null
stop
shows events-before-apply 'live/client .* 10.77.0.30 .*udp/8080' "$work/events"
shows events-after-apply 'live/client .* 10.77.0.20 .*udp/8080' "$work/events"
shows events-new-name 'live/client .* 10.77.0.30 .*icmp/8' "$work/events"
wait

# rotation and SIGHUP, of verdicts as of calls
"$POLLOAD" events -o json --output-file "$work/log.json" --rotate 1k,3 >"$work/out" 2>&1 &
reader=$!
sleep 1
for i in 1 2 3 4 5 6; do as client udp 10.77.0.30 $((9000 + i)) $silence_ms 32 >/dev/null; done
sleep 1
[ -s "$work/log.json.1" ] && ok events-rotate || not_ok events-rotate "$(ls "$work")"
mv "$work/log.json" "$work/moved.json"
kill -HUP $reader
sleep 1
as client udp 10.77.0.30 9010 $silence_ms 32 >/dev/null
stop
shows events-reopen '9010' "$work/log.json"

# what did not fit is said, by bundle: a reader that sleeps, a small ring, more events than it holds
"$POLLOAD" apply "$work/second.o" --name third --node node-a --audit --ring 65536 >"$work/out" 2>&1
follow -o json
kill -STOP $reader
as client run "$FLOOD" ports 10.77.0.30 10001 900
kill -CONT $reader
sleep 1
stop
shows events-loss '"polc_loss":..bundle":"third","policy_name":".network verdicts."' "$work/events"
"$POLLOAD" remove --name third
"$POLLOAD" remove --name main

# --- explain ----------------------------------------------------------------------------------------

does explain-apply-main apply "$work/closed.o" --name main --node node-a --adopt 0
does explain-apply-second apply "$work/second.o" --name second --node node-a --audit --adopt 0
says explain-default-deny 'ingress of live/server: deny by default deny' explain --from live/client --to live/server --port tcp/8080
shows explain-selectors 'selectors' "$work/said"
shows explain-other-bundle 'egress of live/client: allow by live/client-tcp' "$work/said"
shows explain-verdict '^verdict: deny' "$work/said"
says explain-deny-rule 'egress of live/other: deny by live/other \(closed.yaml:18\)' explain --from live/other --to live/client --port tcp/8080
says explain-allow '^verdict: allow' explain --from live/other --to live/client --port tcp/8081
says explain-audit 'egress of live/client: audit by default deny' explain --from live/client --to 10.77.0.30 --port udp/53
shows explain-audit-verdict '^verdict: audit' "$work/said"
says explain-cgroup 'egress of live/client: audit' explain --from /client --to 8.8.8.8 --port udp/53
says explain-address 'ingress of live/server: deny' explain --from 10.77.0.10 --to 10.77.0.20 --port tcp/1
says explain-entity 'ingress of live/server: deny by default deny' explain --from world --to live/server --port tcp/1
says explain-json '"verdict":"deny","rule":1,.*"verdict":"deny"' explain --from live/client --to live/server --port tcp/8080 -o json
says explain-unknown 'nobody/there: no bundle knows it' explain --from nobody/there --to live/server --port tcp/80
says explain-port 'is not tcp/N' explain --from live/client --to live/server --port 80
as client udp 10.77.0.30 8080 $patience_ms 32 >/dev/null
says explain-flow 'flows +1 remembered, the youngest audit by default deny, [0-9]+ s ago; all of the epoch' explain --from live/client --to live/other --port udp/8080
"$POLLOAD" mode audit --name second
says explain-flow-epoch 'older epochs are decided again' explain --from live/client --to live/other --port udp/8080
# what it says is what happens
for port in 8080 8081; do
	said=$("$POLLOAD" explain --from live/other --to live/client --port tcp/$port | sed -n 's/^verdict: \([a-z]*\).*/\1/p')
	case "$said $(as other tcp 10.77.0.10 $port $silence_ms)" in
	'deny timeout' | 'deny eperm' | 'allow ok' | 'allow refused') ok explain-agrees-$port ;;
	*) not_ok explain-agrees-$port "explain says $said" ;;
	esac
done
"$POLLOAD" remove --name second
"$POLLOAD" remove --name main
