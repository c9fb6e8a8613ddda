# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Selectors on the process and its workload."""
from table import arg, case

# --- selectors on the process -----------------------------------------------------------------------

UMASK = """
kprobes:
- call: sys_umask
  args: [{index: 0, type: int}]
  selectors:
  - %s
"""


def umask(name, selector, run, yes, no=(), **more):
    """Policies on umask(2); the masks in `yes` are seen, those in `no` are not."""
    case("sel-" + name, UMASK % selector, run, events=[arg(0, "int_arg", v) for v in yes],
         no_events=[arg(0, "int_arg", v) for v in no], **more)


umask("binaries-in", "matchBinaries: [{operator: In, values: [/tmp/w/one, /tmp/w/two]}]",
      "cp /test/agent /tmp/w/one; cp /test/agent /tmp/w/two; agent call umask 1; /tmp/w/one call umask 2; /tmp/w/two call umask 3",
      [2, 3], [1], covers="sel:matchBinaries op:In")
umask("binaries-not-in", "matchBinaries: [{operator: NotIn, values: [/tmp/w/one, /bin/busybox]}]",
      "cp /test/agent /tmp/w/one; agent call umask 1; /tmp/w/one call umask 2", [1], [2], covers="sel:matchBinaries op:NotIn")
umask("binaries-prefix", "matchBinaries: [{operator: Prefix, values: [/tmp/w/o]}]",
      "cp /test/agent /tmp/w/one; agent call umask 1; /tmp/w/one call umask 2", [2], [1], covers="sel:matchBinaries op:Prefix")
umask("binaries-not-prefix", "matchBinaries: [{operator: NotPrefix, values: [/tmp/w/o, /bin]}]",
      "cp /test/agent /tmp/w/one; agent call umask 1; /tmp/w/one call umask 2", [1], [2], covers="sel:matchBinaries op:NotPrefix")
umask("binaries-postfix", "matchBinaries: [{operator: Postfix, values: [/one]}]",
      "cp /test/agent /tmp/w/one; agent call umask 1; /tmp/w/one call umask 2", [2], [1], covers="sel:matchBinaries op:Postfix")
umask("binaries-not-postfix", "matchBinaries: [{operator: NotPostfix, values: [/one, /busybox]}]",
      "cp /test/agent /tmp/w/one; agent call umask 1; /tmp/w/one call umask 2", [1], [2], covers="sel:matchBinaries op:NotPostfix")
case("process-setuid", UMASK % "matchBinaries: [{operator: In, values: [/tmp/w/one]}]",
     "cp /test/agent /tmp/w/one; cp /test/agent /tmp/w/plain; chmod 4755 /tmp/w/one; agent uid 1234 exec /tmp/w/plain call umask 1; agent uid 1234 exec /tmp/w/one call umask 2",
     events=[{"process_exec.process.binary": "/tmp/w/one", "process_exec.process.process_credentials.uid": 1234, "process_exec.process.binary_properties.setuid": 0,
              "process_exec.process.binary_properties.privileges_changed": ["PRIVILEGES_RAISED_EXEC_FILE_SETUID"]}],
     no_events=[{"process_exec.process.binary": "/tmp/w/plain", "process_exec.process.binary_properties.privileges_changed": lambda found: found is not None}],
     covers="process:setuid")
umask("binaries-symlink", "matchBinaries: [{operator: In, values: [/test/agent]}]",
      "ln -s /test/agent /tmp/w/link; /tmp/w/link call umask 4", [4], covers="trap:T33")
umask("binaries-existing", "matchBinaries: [{operator: In, values: [/tmp/w/old]}]", "touch /tmp/w/go; sleep 0.3", [6],
      before="cp /test/agent /tmp/w/old; /tmp/w/old wait /tmp/w/go call umask 6 >/dev/null 2>&1 &", covers="process:existing")
umask("binaries-existing-child", "matchBinaries: [{operator: In, values: [/tmp/w/old], followChildren: true}]", "touch /tmp/w/go; sleep 0.3", [6],
      before="cp /test/agent /tmp/w/old; /tmp/w/old exec /test/agent wait /tmp/w/go call umask 6 >/dev/null 2>&1 &", covers="process:existing")
umask("binaries-children", "matchBinaries: [{operator: In, values: [/tmp/w/top], followChildren: true}]",
      "cp /test/agent /tmp/w/top; agent call umask 1; /tmp/w/top call umask 2; /tmp/w/top exec /test/agent call umask 3; /tmp/w/top exec /bin/sh -c 'agent exec /test/agent call umask 5; exit 0'",
      [2, 3, 5], [1], covers="sel:followChildren")
umask("binaries-no-children", "matchBinaries: [{operator: In, values: [/tmp/w/top]}]",
      "cp /test/agent /tmp/w/top; /tmp/w/top call umask 2; /tmp/w/top exec /test/agent call umask 3; /tmp/w/top child call umask 4", [2, 4], [3])
umask("binaries-not-children", "matchBinaries: [{operator: NotIn, values: [/tmp/w/top], followChildren: true}]",
      "cp /test/agent /tmp/w/top; agent call umask 1; /tmp/w/top exec /test/agent call umask 3", [1], [3], covers="sel:followChildren op:NotIn")
umask("parent-binaries", "matchParentBinaries: [{operator: In, values: [/tmp/w/top]}]",
      "cp /test/agent /tmp/w/top; agent call umask 1; /tmp/w/top exec /test/agent call umask 3; agent exec /test/agent call umask 4", [3], [1, 4],
      covers="sel:matchParentBinaries")
umask("parent-binaries-not", "matchParentBinaries: [{operator: NotIn, values: [/tmp/w/top]}]\n    matchBinaries: [{operator: In, values: [/test/agent]}]",
      "cp /test/agent /tmp/w/top; agent call umask 1; /tmp/w/top exec /test/agent call umask 3", [1], [3], covers="sel:matchParentBinaries op:NotIn")
umask("pids-namespace", "matchPIDs: [{operator: NotIn, isNamespacePID: true, values: [0]}]",
      "agent call umask 1; agent unshare 0x20000000 exec /test/agent call umask 2", [2], [1], covers="sel:matchPIDs")
umask("pids-several", "matchPIDs: [{operator: NotIn, isNamespacePID: true, values: [0]}, {operator: NotIn, isNamespacePID: true, values: [1]}]\n    matchBinaries: [{operator: In, values: [/test/agent]}]",
      "agent unshare 0x20000000 call umask 2; agent unshare 0x20000000 child call umask 3", [3], [2], covers="sel:matchPIDs trap:T2")
umask("pids-not-follow", "matchPIDs: [{operator: NotIn, followForks: true, values: [1]}]", "agent call umask 1", [], [1], covers="sel:matchPIDs followForks")
umask("pids-not-follow-other", "matchPIDs: [{operator: NotIn, followForks: true, values: [999999]}]", "agent call umask 1", [1], covers="sel:matchPIDs followForks")
umask("pids-follow", "matchPIDs: [{operator: In, followForks: true, values: [1]}]", "agent call umask 1; agent child call umask 2", [1, 2], covers="sel:matchPIDs followForks")
umask("pids-in", "matchPIDs: [{operator: In, isNamespacePID: true, values: [1, 2, 3, 4, 5, 6, 7, 8]}]",
      "agent call umask 9; agent unshare 0x20000000 call umask 2", [2], [9], covers="sel:matchPIDs op:In")
umask("namespaces-host", "matchNamespaces: [{namespace: Net, operator: NotIn, values: [host_ns]}]",
      "agent call umask 1; agent unshare 0x40000000 call umask 2", [2], [1], covers="sel:matchNamespaces op:NotIn")
umask("namespaces-in", "matchNamespaces: [{namespace: Uts, operator: In, values: [host_ns]}]",
      "agent call umask 1; agent unshare 0x04000000 call umask 2", [1], [2], covers="sel:matchNamespaces op:In")
for _ns, _flag in (("Uts", "0x04000000"), ("Ipc", "0x08000000"), ("Mnt", "0x00020000"), ("Pid", "0x20000000"),
                   ("Net", "0x40000000"), ("Cgroup", "0x02000000"), ("User", "0x10000000")):
    umask("namespace-" + _ns.lower(), "matchNamespaces: [{namespace: %s, operator: NotIn, values: [host_ns]}]\n    matchBinaries: [{operator: In, values: [/test/agent]}]" % _ns,
          "agent call umask 1; agent unshare %s call umask 2" % _flag, [2], [1], covers="sel:matchNamespaces ns:" + _ns)
umask("namespace-pidforchildren", "matchNamespaces: [{namespace: PidForChildren, operator: NotIn, values: [host_ns]}]",
      "agent call umask 1; agent unshare-only 0x20000000 call umask 2", [2], [1], covers="ns:PidForChildren")
umask("namespace-timeforchildren", "matchNamespaces: [{namespace: TimeForChildren, operator: NotIn, values: [host_ns]}]",
      "agent call umask 1; agent unshare-only 0x80 call umask 2", [2], [1], covers="ns:TimeForChildren")
umask("namespace-time", "matchNamespaces: [{namespace: Time, operator: NotIn, values: [host_ns]}]",
      "agent call umask 1; agent unshare-only 0x80 call umask 2; agent unshare-only 0x80 child call umask 3", [3], [1, 2], covers="ns:Time")
umask("namespace-number", "matchNamespaces: [{namespace: Net, operator: NotIn, values: [\"4026531840\", \"4026531833\", \"4026531841\", \"4026531992\", \"4026531999\", \"4026531969\"]}]",
      "agent unshare 0x40000000 call umask 2", [2], covers="sel:matchNamespaces")
umask("namespace-changes", "matchNamespaceChanges: [{operator: In, values: [Net, Uts]}]",
      "agent call umask 1; agent unshare 0x40000000 call umask 2; agent unshare 0x08000000 call umask 3", [2], [1, 3], covers="sel:matchNamespaceChanges")
umask("namespace-changes-not", "matchNamespaceChanges: [{operator: NotIn, values: [Net]}]",
      "agent call umask 1; agent unshare 0x40000000 call umask 2; agent unshare 0x08000000 call umask 3", [3], [1, 2], covers="sel:matchNamespaceChanges op:NotIn")
umask("capabilities", "matchCapabilities: [{type: Effective, operator: In, values: [CAP_SYS_ADMIN]}]\n    matchBinaries: [{operator: In, values: [/test/agent]}]",
      "agent call umask 1; agent caps 0x100 call umask 2; agent uid 5 call umask 3", [1], [2, 3], covers="sel:matchCapabilities op:In")
umask("capabilities-not", "matchCapabilities: [{type: Permitted, operator: NotIn, values: [CAP_SYS_ADMIN, CAP_SYS_TIME]}]",
      "agent call umask 1; agent caps 0x100 call umask 2; agent caps 0x2000000 call umask 3", [2], [1, 3], covers="sel:matchCapabilities op:NotIn")
umask("capabilities-two", "matchCapabilities: [{operator: In, values: [CAP_SYS_ADMIN]}, {operator: NotIn, values: [CAP_SYS_TIME]}]",
      "agent call umask 1; agent caps 0x200000 call umask 2; agent caps 0x2200000 call umask 3", [2], [1, 3], covers="trap:T2")
umask("capabilities-namespace", "matchCapabilities: [{operator: In, isNamespaceCapability: true, values: [CAP_SYS_ADMIN]}]",
      "agent call umask 1; agent unshare 0x10000000 call umask 2", [2], [1], covers="sel:isNamespaceCapability")
umask("capability-changes", "matchCapabilityChanges: [{type: Effective, operator: In, values: [CAP_SYS_ADMIN]}]",
      "agent call umask 1; agent caps 0x100 call umask 2", [2], [1], covers="sel:matchCapabilityChanges")
umask("capability-changes-not", "matchCapabilityChanges: [{type: Effective, operator: NotIn, values: [CAP_SYS_ADMIN]}]",
      "agent call umask 1; agent caps 0x3fffffdfffff call umask 2; agent caps 0x200000 call umask 3", [3], [1, 2], covers="sel:matchCapabilityChanges op:NotIn")
umask("capabilities-inheritable", "matchCapabilities: [{type: Inheritable, operator: NotIn, values: [CAP_SYS_ADMIN]}]\n    " + "matchBinaries: [{operator: In, values: [/test/agent]}]",
      "agent call umask 1", [1], covers="sel:matchCapabilities type:Inheritable")
umask("macros", "macros: [mine]\n    matchArgs: [{index: 0, operator: LT, values: [\"50\"]}]\nselectorsMacros:\n  mine:\n    matchBinaries: [{operator: In, values: [/tmp/w/one]}]",
      "cp /test/agent /tmp/w/one; agent call umask 1; /tmp/w/one call umask 2; /tmp/w/one call umask 60", [2], [1, 60], covers="sel:macros")
umask("many-selectors", "\n  - ".join("matchArgs: [{index: 0, operator: Equal, values: [\"%d\"]}]" % i for i in range(10, 40)),
      "agent call umask 9; agent call umask 10; agent call umask 39; agent call umask 40", [10, 39], [9, 40], covers="sel:many")
umask("first-wins", "matchArgs: [{index: 0, operator: LT, values: [\"20\"]}]\n    matchActions: [{action: NoPost}]\n  - matchBinaries: [{operator: In, values: [/test/agent]}]",
      "agent call umask 19; agent call umask 20", [20], [19], covers="action:NoPost")
umask("thread", "matchBinaries: [{operator: In, values: [/test/agent]}]", "agent thread call umask 7", [7], covers="process:thread")

PODS = """
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: web-1, namespace: prod, labels: {app: web}, annotations: {polc.dev/cgroup: /pods/web, polc.dev/cgroup.main: /pods/web/main}}
  spec: {containers: [{name: main, image: web}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: db-1, namespace: prod, labels: {app: db}, annotations: {polc.dev/cgroup: /pods/db, polc.dev/cgroup.main: /pods/db/main}}
  spec: {containers: [{name: main, image: db}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: web-2, namespace: dev, labels: {app: web}, annotations: {polc.dev/cgroup: /pods/dev, polc.dev/cgroup.main: /pods/dev/main}}
  spec: {containers: [{name: main, image: web}]}
"""
CGROUPS = "mkdir -p /sys/fs/cgroup/pods/web /sys/fs/cgroup/pods/db /sys/fs/cgroup/pods/dev /sys/fs/cgroup/pods/db/main"
IN_PODS = ("agent call umask 1; agent cgroup pods/web call umask 2; agent cgroup pods/db call umask 3; "
           "agent cgroup pods/dev call umask 4; mkdir -p /sys/fs/cgroup/pods/web/sub; agent cgroup pods/web/sub call umask 5; agent cgroup pods/db/main call umask 6")
AGENT = "matchBinaries: [{operator: In, values: [/test/agent]}]"


def workload(name, head, selector, yes, kind="TracingPolicy", policy=None):
    case("work-" + name, head + UMASK % selector, IN_PODS, inventory=PODS, before=CGROUPS, kind=kind, policy=policy,
         events=[arg(0, "int_arg", v) for v in yes], no_events=[arg(0, "int_arg", v) for v in {1, 2, 3, 4, 5, 6} - set(yes)],
         covers="sel:workload")


workload("pods", "podSelector: {matchLabels: {app: web}}", AGENT, [2, 4, 5])
workload("host", "hostSelector: {}", AGENT, [1])
workload("host-and-pods", "hostSelector: {}\npodSelector: {matchLabels: {app: db}}", AGENT, [1, 3, 6])
workload("container", "containerSelector: {matchExpressions: [{key: name, operator: In, values: [main]}]}", AGENT, [6])
workload("match", "", "matchWorkloads: {podSelector: {matchLabels: {app: db}}}", [3, 6])
workload("namespaced", "", AGENT, [2, 3, 5, 6], policy="""
apiVersion: cilium.io/v1alpha1
kind: TracingPolicyNamespaced
metadata: {name: work-namespaced, namespace: prod}
spec:
  kprobes:
  - call: sys_umask
    args: [{index: 0, type: int}]
    selectors: [{matchBinaries: [{operator: In, values: [/test/agent]}]}]
""")
# pods that the bundle was not built with: told while it is in force, one of them with a process inside already
TELL = "cat >/tmp/pods.yaml <<'END'" + PODS + "END\npolload sync /tmp/pods.yaml; "
INSIDE = "sh -c 'echo $$ >/sys/fs/cgroup/pods/%s/cgroup.procs; %s'"
case("work-later", "podSelector: {matchLabels: {app: web}}" + UMASK % AGENT,
     "agent cgroup pods/web call umask 9; " + INSIDE % ("web", "sleep 1; agent call umask 7") + " & sleep 0.3; " + TELL + IN_PODS + "; wait",
     before=CGROUPS, out=["workloads: 6 added"], events=[arg(0, "int_arg", v) for v in (2, 4, 5, 7)],
     no_events=[arg(0, "int_arg", v) for v in (1, 3, 6, 9)], covers="sel:workload")
case("work-later-denied", """
podSelector: {matchLabels: {app: web}}
lsmhooks:
- hook: file_open
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: Equal, values: [/tmp/w/secret]}]
    matchActions: [{action: Override, argError: -1}]
""", "echo before >/tmp/w/secret; " + INSIDE % ("web", "cat /tmp/w/secret") + "; " + TELL + "echo after >/tmp/w/secret; " +
     INSIDE % ("web", "cat /tmp/w/secret || echo denied") + "; echo other >/tmp/w/secret; " + INSIDE % ("db", "cat /tmp/w/secret"),
     before=CGROUPS, out=["before", "denied", "other"], not_out=["after"], covers="sel:workload")
