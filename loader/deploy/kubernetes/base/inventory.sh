#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The cluster's inventory, as a file that `polload sync --watch` reads: once now, after every change of a pod (a second
# later, so that a burst is one reading), and every INTERVAL seconds in any case. A reading that fails leaves the file
# as it is; polload lets its addresses expire (--ttl) when none has come for too long.
set -u
: "${DIRECTORY:=/inventory}" "${INTERVAL:=30}"
fifo=${TMPDIR:-/tmp}/changes

# Written beside and renamed: nobody reads a half. Names with a dot in front are not looked at.
take() {
	kubectl get namespaces,pods,nodes,services,endpointslices --all-namespaces --output json \
		>"$DIRECTORY/.cluster.json" && mv "$DIRECTORY/.cluster.json" "$DIRECTORY/cluster.json"
}

# Until a pod changes, or INTERVAL seconds.
wait_for_change() {
	kubectl get pods --all-namespaces --watch-only --output name --request-timeout="${INTERVAL}s" >"$fifo" 2>/dev/null &
	watcher=$!
	read -r _ <"$fifo"
	changed=$?
	kill $watcher 2>/dev/null
	wait $watcher 2>/dev/null
	# a watch that ends at once (no permission, no API) must not make a busy loop
	sleep "$([ $changed -eq 0 ] && echo 1 || echo "${PAUSE:-5}")"
}

rm -f "$fifo"
mkfifo "$fifo" || exit 1
while :; do
	take || echo "the inventory cannot be read; it stays as it was" >&2
	wait_for_change
done
