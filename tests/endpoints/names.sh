# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Sourced by cases.sh, not in emulated machines: containers and units by the names of their
# cgroups, pods of several containers, and names that would drive a terminal.

id=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
for dir in system.slice/docker-$id.scope kubepods/besteffort/poduid/$id kubepods.slice/cri-containerd-$id.scope \
	machine.slice/crio-$id.scope system.slice/kubepods-pod1.slice:cri-containerd:$id; do
	mkdir -p "$LAB_CGROUPS/$dir" "$LAB_CGROUPS/machine.slice/crio-conmon-$id.scope"
	does "container-$(echo "$dir" | sed "s/$id/ID/; s|/|-|g")" endpoint add lab/boxed --container ${id%cdef} --label app=x --name ends
	lists "container-is-found-$(echo "$dir" | sed "s/$id/ID/; s|/|-|g")" "lab/boxed .*/$dir\$"
	"$POLLOAD" endpoint del lab/boxed --name ends
	rmdir "$LAB_CGROUPS/$dir"
done
refuses container-unknown 'No such file' endpoint add lab/boxed --container $id --label app=x --name ends
refuses container-short 'Invalid argument' endpoint add lab/boxed --container 01234 --label app=x --name ends
mkdir -p "$LAB_CGROUPS/system.slice/web.service" "$LAB_CGROUPS/user.slice/user-1.slice"
does unit endpoint add lab/unit --cgroup web.service --label app=x --name ends
lists unit-is-found 'lab/unit .*/system.slice/web.service$'
"$POLLOAD" endpoint del lab/unit --name ends
mkdir "$LAB_CGROUPS/user.slice/user-1.slice/web.service"
refuses unit-ambiguous 'there are several' endpoint add lab/unit --cgroup web.service --label app=x --name ends
find "$LAB_CGROUPS" -mindepth 1 -depth -type d -name '*.s*' -exec rmdir {} \; 2>/dev/null
find "$LAB_CGROUPS/kubepods" -depth -type d -exec rmdir {} \;

# --- a pod's containers: each of them, or the cgroup that is around them
first=$(printf 'a%.0s' $(seq 64)) second=$(printf 'b%.0s' $(seq 64)) uid=11111111-2222-3333-4444-555555555555
multi() { # NAME IDS...: the pod with these containers
	name=$1
	shift
	statuses=
	for id in "$@"; do statuses="$statuses, {name: c$(echo "$id" | cut -c1), containerID: \"containerd://$id\"}"; done
	cp "$DATA/inventory.$hook.yaml" "$work/multi.yaml"
	cat >>"$work/multi.yaml" <<-END
	  - apiVersion: v1
	    kind: Pod
	    metadata: {name: multi, namespace: lab, uid: $uid, labels: {app: server}}
	    spec: {nodeName: node-a}
	    status: {phase: Running, podIPs: [{ip: $late}], containerStatuses: [${statuses#, }]}
	END
	does "$name" sync "$work/multi.yaml" --name ends
}
serve_in() { lab_pids="$("$AGENT" -n "$pid_late" -c "$1" serve "$2") $lab_pids"; }
vanish late
mkdir "$LAB_CGROUPS/docker-$first.scope" "$LAB_CGROUPS/docker-$second.scope"
serve_in "$LAB_CGROUPS/docker-$first.scope" 7000
serve_in "$LAB_CGROUPS/docker-$second.scope" 7002
allowed containers-were-free other $late 7002
multi containers "$first" "$second"
lists containers-first "lab/multi .*/docker-$first.scope\$"
lists containers-second "lab/multi .*/docker-$second.scope\$"
denied containers-deny-first other $late 7000
denied containers-deny-second other $late 7002
allowed containers-allow client $late 7000
multi container-is-no-more "$second"
lists container-stays "lab/multi .*/docker-$second.scope\$"
denied container-stays-denied other $late 7002
allowed container-is-free other $late 7000
does containers-carried $apply --absent wait --room 20000
does containers-enforce mode enforce --name ends
denied containers-carried-deny other $late 7002
around=$LAB_CGROUPS/kubepods-pod$(echo $uid | tr - _).slice
mkdir -p "$around/docker-$(printf 'c%.0s' $(seq 64)).scope"
multi pod-is-around "$second"
lists pod-is-attached "lab/multi .*${around##*/}\$"
if "$POLLOAD" endpoint list --name ends | grep -q "lab/multi .*docker-"; then not_ok pod-is-all "a container is still listed"; else ok pod-is-all; fi
serve_in "$around/docker-$(printf 'c%.0s' $(seq 64)).scope" 7003
denied pod-denies-new-container other $late 7003
does containers-forgotten endpoint del lab/multi --name ends
allowed containers-forgotten-all other $late 7003

# --- names that would drive a terminal, or pretend to be lines
mkdir "$LAB_CGROUPS/evil"
escape=$(printf '\033') bell=$(printf '\007') c1=$(printf '\302\233')
evil="lab/evil${escape}]0;x${bell}${c1}2J
fake 1 attached"
does evil-added endpoint add "$evil" --cgroup evil --label "app=server" --label "x=a${escape}[31m
y" --name ends
"$POLLOAD" events --name ends -o compact --timeout 3 >"$work/evil.events" 2>&1 &
"$POLLOAD" endpoint list --name ends >"$work/evil.list" 2>&1
"$POLLOAD" status --name ends >"$work/evil.status" 2>&1
"$POLLOAD" explain --from lab/client --to "$evil" --port tcp/7000 --name ends >"$work/evil.explain" 2>&1
printf '10.77.0.10 lab/client app=client\n10.77.0.30 lab/other app=ot%sher\n' "$escape[1m" >"$work/evil.lines"
"$POLLOAD" sync "$work/evil.lines" --dry-run --name ends >"$work/evil.sync" 2>&1
serve_in "$LAB_CGROUPS/evil" 7009
denied evil-is-denied other $late 7009
sleep 3
"$POLLOAD" mode audit --name ends
allowed evil-is-audited other $late 7009
"$POLLOAD" report --name ends >"$work/evil.report" 2>&1
"$POLLOAD" mode enforce --name ends
for file in "$work"/evil.*; do
	what=${file##*.}
	[ $what = lines ] && continue
	if LC_ALL=C grep -q "[$escape$bell]" "$file" || LC_ALL=C grep -qF "$c1" "$file" || grep -q '^fake' "$file"; then
		not_ok visible-$what "$(od -c "$file" | head -n 20)"
	else
		ok visible-$what
	fi
done
for what in list explain events report; do
	if grep -q -e u001b -e 'evil?]0' "$work/evil.$what"; then ok shown-$what; else not_ok shown-$what "$(cat "$work/evil.$what")"; fi
done
"$POLLOAD" endpoint del "$evil" --name ends
