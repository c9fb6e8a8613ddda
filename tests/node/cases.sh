#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# cases.sh SET OPTION... SCENARIO...: a lab of three endpoints and a peer, and the scenarios in it, with the bundles
# of a set (network, killed, refused; calls: without the lab). Runs with busybox. Expects AGENT, POLLOAD, NODE, BUNDLES (see tests/node/build).
: "${AGENT:?}" "${POLLOAD:?}" "${NODE:?}" "${BUNDLES:?}"
here=$(dirname "$0")
[ -f "$here/lab.sh" ] || here=$here/../live
. "$here/lab.sh"
if [ -z "$LAB_OURS" ]; then
	lab_enter "$0" "$@"
	exit
fi
set=$1
shift
lab_start
case $set in
network) calls=none ;;
calls) exec "$NODE" --polload "$POLLOAD" --bundles "$BUNDLES/calls" --cgroups "$LAB_CGROUPS" --calls refused "$@" ;;
*) calls=$set ;;
esac
lab_add a 10
lab_add b 20
lab_add c 40
lab_add peer 30
"$AGENT" -n "$pid_peer" run sh -c 'ip addr add 10.77.0.31/32 dev eth0'
ip route add 10.77.0.31 dev ve-peer
appear="mkdir $LAB_CGROUPS/spare; $AGENT veth ve-spare ve-other $$ 0"
vanish="rmdir $LAB_CGROUPS/spare; ip link delete ve-spare"
"$NODE" --polload "$POLLOAD" --bundles "$BUNDLES/$set" --cgroups "$LAB_CGROUPS" --calls "$calls" \
	--place a="$pid_a" --place b="$pid_b" --place c="$pid_c" --place peer="$pid_peer" \
	--vanish "$vanish" --appear "$appear" "$@"
