# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Actions, modes, returns, whole policies, updates under load."""
import hashlib
import re

from cases_processes import UMASK
from table import arg, case, kprobe

# --- returns ----------------------------------------------------------------------------------------

case("return-args", """
kprobes:
- call: sys_openat
  return: true
  args: [{index: 1, type: string}]
  returnArg: {index: 0, type: int}
  selectors:
  - matchArgs: [{index: 1, operator: Prefix, values: ["/tmp/w/ret"]}]
    matchReturnArgs: [{index: 0, operator: LT, values: ["0"]}]
""", "touch /tmp/w/ret-there; agent call openat -100 s:/tmp/w/ret-there 0; agent call openat -100 s:/tmp/w/ret-none 0", covers="ret:matchReturnArgs",
     events=[{"process_kprobe.args.0.string_arg": "/tmp/w/ret-none", "process_kprobe.return.int_arg": -2}], count=1)

case("return-actions", """
kprobes:
- call: sys_openat
  return: true
  args: [{index: 1, type: string}]
  returnArg: {index: 0, type: int}
  selectors:
  - matchArgs: [{index: 1, operator: Prefix, values: ["/tmp/w/ret"]}]
    matchReturnArgs: [{index: 0, operator: LT, values: ["0"]}]
    matchReturnActions: [{action: Sigkill}]
""", "touch /tmp/w/ret-there; agent child call openat -100 s:/tmp/w/ret-there 0; agent child call openat -100 s:/tmp/w/ret-none 0",
     covers="ret:matchReturnActions action:Sigkill", out=["^child 0$", "^child signal 9$"],
     events=[kprobe("return_action", "KPROBE_ACTION_SIGKILL")])

case("return-sock", """
kprobes:
- call: sk_alloc
  syscall: false
  return: true
  args: [{index: 1, type: int, label: family}]
  returnArg: {index: 0, type: sock}
  selectors: [{matchArgs: [{index: 1, operator: Equal, values: ["2"]}]}]
""", "agent call socket 2 1 0", covers="ret:sock", events=[{"process_kprobe.args.0.int_arg": 2, "process_kprobe.return.sock_arg.family": "AF_INET"}])

# --- actions ----------------------------------------------------------------------------------------

case("action-sigkill", UMASK % "matchArgs: [{index: 0, operator: Equal, values: [\"40\"]}]\n    matchActions: [{action: Sigkill}]",
     "agent child call umask 41; agent child call umask 40", covers="action:Sigkill", out=["^child 0$", "^child signal 9$"],
     events=[kprobe("action", "KPROBE_ACTION_SIGKILL")], count=1)

case("action-signal", UMASK % "matchArgs: [{index: 0, operator: Equal, values: [\"40\"]}]\n    matchActions: [{action: Signal, argSig: 10}]",
     "agent child call umask 41; agent child call umask 40", covers="action:Signal", out=["^child 0$", "^child signal 10$"],
     events=[kprobe("action", "KPROBE_ACTION_SIGNAL")])

# Kernels without function error injection cannot replace a system call's result: Debian's before 7.
_OVERRIDE_SYSCALL = """
kprobes:
- call: sys_mkdir
  args: [{index: 0, type: string}]
  selectors:
  - matchArgs: [{index: 0, operator: Prefix, values: ["/tmp/w/no"]}]
    matchActions: [{action: Override, argError: -13}]
"""
_OLD = ["5.10", "6.1", "6.12"]
case("action-override-syscall-refused", _OVERRIDE_SYSCALL, "true", covers="action:Override", exit=3,
     applied=["sys_mkdir", "not modifiable", "error injection"], skip={"newest": "it can be replaced there"})
case("action-override-syscall", _OVERRIDE_SYSCALL, "agent call mkdir s:/tmp/w/no1 0755; agent call mkdir s:/tmp/w/yes1 0755; ls /tmp/w",
     covers="action:Override", out=["^mkdir -1 13$", "^mkdir 0 0$", "^yes1$"], not_out=["^no1$"], events=[kprobe("action", "KPROBE_ACTION_OVERRIDE")],
     skip={k: "no function error injection in this kernel" for k in _OLD})

case("action-override-security", """
kprobes:
- call: security_inode_mkdir
  syscall: false
  args: [{index: 1, type: dentry}]
  selectors:
  - matchArgs: [{index: 1, operator: Postfix, values: ["/no2"]}]
    matchActions: [{action: Override, argError: -1}]
""", "agent call mkdir s:/tmp/w/no2 0755; agent call mkdir s:/tmp/w/yes2 0755; ls /tmp/w", covers="action:Override",
     out=["^mkdir -1 1$", "^mkdir 0 0$", "^yes2$"], not_out=["^no2$"])

case("action-override-lsm", """
lsmhooks:
- hook: file_open
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: Equal, values: ["/tmp/w/secret"]}]
    matchActions: [{action: Override, argError: -13}]
""", "echo s >/tmp/w/secret2; touch /tmp/w/x; agent file read /tmp/w/secret2; mv /tmp/w/x /tmp/w/secret; agent file read /tmp/w/secret",
     covers="hook:lsm action:Override", out=["^file 0 0$", "^file -1 13$"], events=[{"process_lsm.action": "KPROBE_ACTION_OVERRIDE"}])

# A script of which all kernels' own hash is known; the plain one is no less in the event.
_HASHED = """
lsmhooks:
- hook: %s
  args: [{index: 0, type: %s}]
  selectors:
  - matchArgs: [{index: 0, operator: Equal, values: ["/tmp/w/hashed"]}]
    matchActions: [{action: Post, imaHash: true}]
  - matchArgs: [{index: 0, operator: Equal, values: ["/tmp/w/plain"]}]
"""
_SCRIPT = "for i in hashed plain; do printf '#!/bin/sh\\n' >/tmp/w/$i; chmod 755 /tmp/w/$i; done; "
_SHA256 = "sha256:" + hashlib.sha256(b"#!/bin/sh\n").hexdigest()
_NO_IMA = {"5.10": "programs get hashes of files from 5.11 on"}
case("action-ima-hash", _HASHED % ("bprm_check_security", "linux_binprm"), _SCRIPT + "/tmp/w/hashed; /tmp/w/plain; /tmp/w/hashed",
     covers="action:imaHash", count=3, skip=_NO_IMA,
     events=[{"process_lsm.args.0.linux_binprm_arg.path": "/tmp/w/hashed", "process_lsm.ima_hash": _SHA256},
             {"process_lsm.args.0.linux_binprm_arg.path": "/tmp/w/plain", "process_lsm.ima_hash": None}],
     no_events=[{"process_lsm.args.0.linux_binprm_arg.path": "/tmp/w/hashed", "process_lsm.ima_hash": None}])
case("action-ima-hash-mmap", _HASHED % ("mmap_file", "file"), _SCRIPT + "cp /test/agent /tmp/w/hashed; /tmp/w/hashed probe 1 a", skip=_NO_IMA,
     events=[{"process_lsm.args.0.file_arg.path": "/tmp/w/hashed", "process_lsm.ima_hash": re.compile("^sha256:[0-9a-f]{64}$")}])
# In file_open a file that is opened for reading cannot be read yet: no hash, but the event. One that is opened for writing
# is opened again by the kernel: that makes no event of its own.
case("action-ima-hash-open", _HASHED % ("file_open", "file"), _SCRIPT + "agent file read /tmp/w/hashed; cat /tmp/w/plain", covers="action:imaHash",
     count=4, events=[{"process_lsm.args.0.file_arg.path": "/tmp/w/hashed", "process_lsm.process.binary": "/test/agent", "process_lsm.ima_hash": None}])
case("action-ima-hash-override", """
lsmhooks:
- hook: bprm_check_security
  args: [{index: 0, type: linux_binprm}]
  selectors:
  - matchArgs: [{index: 0, operator: Equal, values: ["/tmp/w/hashed"]}]
    matchActions: [{action: Override, argError: -13}, {action: Post, imaHash: true}]
""", _SCRIPT + "/tmp/w/hashed || echo refused; /tmp/w/plain && echo plain", covers="action:imaHash", out=["^refused$", "^plain$"], count=1,
     events=[{"process_lsm.action": "KPROBE_ACTION_OVERRIDE", "process_lsm.ima_hash": _SHA256}], skip=_NO_IMA)
# Where there is none the hook is attached without.
case("action-ima-hash-absent", _HASHED % ("bprm_check_security", "linux_binprm"), _SCRIPT + "/tmp/w/hashed; /tmp/w/plain", covers="action:imaHash",
     count=2, events=[{"process_lsm.args.0.linux_binprm_arg.path": "/tmp/w/hashed"}])

case("action-override-kill", """
kprobes:
- call: security_inode_mkdir
  syscall: false
  args: [{index: 1, type: dentry}]
  selectors:
  - matchArgs: [{index: 1, operator: SubString, values: ["/w/no"]}]
    matchActions: [{action: Override, argError: -13}, {action: Sigkill}]
""", "agent child call mkdir s:/tmp/w/no3 0755; ls -a /tmp/w", covers="action:several", out=["^child signal 9$"], not_out=["no3"],
     events=[{"process_kprobe.actions": lambda v: v and "Override" in v and "Sigkill" in v}])

case("action-post-kill", UMASK % "matchArgs: [{index: 0, operator: Equal, values: [\"40\"]}]\n    matchActions: [{action: Post}, {action: Sigkill}]",
     "agent child call umask 40", covers="trap:T6", out=["^child signal 9$"], count=1)

case("action-rate", UMASK % "matchArgs: [{index: 0, operator: Equal, values: [\"40\"]}]\n    matchActions: [{action: Post, rateLimit: 1m, rateLimitScope: global}]",
     "agent times 50 call umask 40; agent call umask 40", covers="action:rateLimit", count=1)
case("action-rate-process", UMASK % "matchArgs: [{index: 0, operator: Equal, values: [\"40\"]}]\n    matchActions: [{action: Post, rateLimit: 1m, rateLimitScope: process}]",
     "agent times 50 call umask 40; agent call umask 40", covers="action:rateLimitScope", count=2)
case("action-rate-thread", UMASK % "matchArgs: [{index: 0, operator: InRange, values: [\"40:41\"]}]\n    matchActions: [{action: Post, rateLimit: 1m}]",
     "agent times 50 call umask 40; agent times 20 call umask 41", covers="action:rateLimit", count=2)
case("action-event-rate", UMASK % "matchArgs: [{index: 0, operator: Equal, values: [\"40\"]}]", "agent times 500 call umask 40",
     annotations='{polc.dev/event-rate: "1/s burst 5"}', covers="rate:policy", events=[arg(0, "int_arg", 40)],
     after="polload status -o json | grep -o 'over_limit[^,]*'", after_out=["over_limit"])

case("action-stack", """
kprobes:
- call: security_inode_mkdir
  syscall: false
  selectors: [{matchActions: [{action: Post, kernelStackTrace: true, userStackTrace: true}]}]
""", "agent call mkdir s:/tmp/w/d 0755", covers="action:stack",
     events=[{"process_kprobe.kernel_stack_trace": lambda v: v and any("mkdir" in f.get("symbol", "") for f in v),
              "process_kprobe.user_stack_trace": lambda v: bool(v)}])

case("action-track-sock", """
kprobes:
- call: tcp_connect
  syscall: false
  args: [{index: 0, type: sock}]
  selectors: [{matchActions: [{action: TrackSock, argSock: 0}]}]
- call: tcp_close
  syscall: false
  args: [{index: 0, type: sock}]
  selectors: [{matchArgs: [{index: 0, operator: DPort, values: ["5060"]}]}]
""", "agent tcp 127.0.0.1 5060", covers="action:TrackSock",
     events=[kprobe("action", "KPROBE_ACTION_TRACKSOCK"), {"process_kprobe.function_name": "tcp_close", "process_kprobe.process.binary": "/test/agent"}])
case("action-untrack-sock", """
kprobes:
- call: sk_alloc
  syscall: false
  return: true
  args: [{index: 1, type: int}]
  returnArg: {index: 0, type: sock}
  returnArgAction: TrackSock
  selectors: [{matchArgs: [{index: 1, operator: Equal, values: ["2"]}], matchActions: [{action: NoPost}]}]
- call: tcp_close
  syscall: false
  args: [{index: 0, type: sock}]
  selectors: [{matchActions: [{action: UntrackSock, argSock: 0}]}]
""", "agent tcp 127.0.0.1 5061", covers="action:UntrackSock", events=[kprobe("action", "KPROBE_ACTION_UNTRACKSOCK")])

case("action-enforcer", """
lists: [{name: calls, values: [security_inode_mkdir]}]
enforcers: [{calls: ["list:calls"]}]
tracepoints:
- subsystem: raw_syscalls
  event: sys_enter
  args: [{index: 4, type: syscall64}]
  selectors:
  - matchArgs: [{index: 0, operator: InMap, values: ["83"]}]
    matchBinaries: [{operator: In, values: [/tmp/w/one]}]
    matchActions: [{action: NotifyEnforcer, argError: -1}]
""", "cp /test/agent /tmp/w/one; /tmp/w/one call mkdir s:/tmp/w/no1 0755; agent call mkdir s:/tmp/w/yes1 0755; ls /tmp/w", covers="action:NotifyEnforcer",
     out=["^mkdir -1 1$", "^mkdir 0 0$", "^yes1$"], not_out=["^no1$"])

case("action-enforcer-signal", """
lists: [{name: dups, type: syscalls, values: [sys_dup, sys_dup2]}]
enforcers: [{calls: ["list:dups"]}]
tracepoints:
- subsystem: raw_syscalls
  event: sys_enter
  args: [{index: 4, type: syscall64}]
  selectors:
  - matchArgs: [{index: 0, operator: InMap, values: ["list:dups"]}]
    matchBinaries: [{operator: In, values: [/tmp/w/one]}]
    matchActions: [{action: NotifyEnforcer, argSig: 9}]
""", "cp /test/agent /tmp/w/one; agent exec /tmp/w/one call dup 1; agent call dup 1", covers="action:NotifyEnforcer", out=["^exec signal 9$", r"^dup \d+ 0$"])

case("mode-monitor", """
options: [{name: policy-mode, value: monitor}]
kprobes:
- call: security_inode_mkdir
  syscall: false
  args: [{index: 1, type: dentry}]
  selectors:
  - matchArgs: [{index: 1, operator: SubString, values: ["/w/no"]}]
    matchActions: [{action: Override, argError: -13}, {action: Sigkill}]
""", "agent child call mkdir s:/tmp/w/no1 0755; polload mode enforce; agent child call mkdir s:/tmp/w/no2 0755; polload mode audit; agent child call mkdir s:/tmp/w/no3 0755; ls /tmp/w",
     covers="mode:monitor", out=["^child 0$", "^no1$", "^child signal 9$", "^no3$"], not_out=["^no2$"])
case("mode-monitor-return", """
options: [{name: policy-mode, value: monitor}]
kprobes:
- call: sys_umask
  return: true
  args: [{index: 0, type: int}]
  returnArg: {index: 0, type: int}
  selectors: [{matchArgs: [{index: 0, operator: Equal, values: ["40"]}], matchReturnActions: [{action: Sigkill}]}]
""", "agent child call umask 40", covers="trap:T8", out=["^child 0$"])

# --- the policies that the field starts with --------------------------------------------------------

case("intro-cap-sys-admin", """
kprobes:
- call: cap_capable
  syscall: false
  return: false
  args: [{index: 0, type: nop}, {index: 1, type: nop}, {index: 2, type: int}]
  selectors:
  - matchArgs: [{index: 2, operator: Equal, values: ["CAP_SYS_ADMIN"]}]
    matchBinaries: [{operator: In, values: [/tmp/w/bad]}]
    matchActions: [{action: Sigkill}]
""", "cp /test/agent /tmp/w/bad; cp /test/agent /tmp/w/good; agent exec /tmp/w/bad call sethostname s:evil 4; agent exec /tmp/w/good call getpid; agent child call sethostname s:good 4; hostname",
     covers="use:cap_capable", out=["^exec signal 9$", "^exec 0$", "^child 0$", "^good$"])

case("intro-connect", """
kprobes:
- call: tcp_connect
  syscall: false
  args: [{index: 0, type: sock}]
  selectors:
  - matchArgs: [{index: 0, operator: NotDAddr, values: ["127.0.0.1"]}]
    matchActions: [{action: Sigkill}]
""", "agent child tcp 127.0.0.1 5070; agent child tcp 127.0.0.5 5071", covers="use:tcp_connect", out=["^child 0$", "^child signal 9$"])

case("intro-namespace-entry", """
kprobes:
- call: sys_unshare
  args: [{index: 0, type: int}]
  selectors:
  - matchArgs: [{index: 0, operator: Mask, values: ["0x10000000"]}]
    matchCapabilities: [{type: Effective, operator: NotIn, values: [CAP_SYS_ADMIN]}]
    matchActions: [{action: Sigkill}]
""", "agent exec /test/agent uid 7 unshare 0x10000000 call getpid; agent child unshare 0x10000000 call getpid", covers="use:namespaces",
     out=["^exec signal 9$", "^child 0$"])

case("intro-module", """
kprobes:
- call: security_kernel_module_request
  syscall: false
  return: true
  args: [{index: 0, type: string}]
  returnArg: {index: 0, type: int}
- call: security_kernel_read_file
  syscall: false
  return: true
  args: [{index: 0, type: file}, {index: 1, type: int}]
  returnArg: {index: 0, type: int}
  selectors: [{matchArgs: [{index: 1, operator: Equal, values: ["2"]}]}]
""", "agent call finit_module r:/modules/veth.ko s: 0; agent call socket 40 1 0", covers="use:modules",
     events=[{"process_kprobe.function_name": "security_kernel_read_file", "process_kprobe.args.0.file_arg.path": "/modules/veth.ko"}])

case("intro-setuid", """
kprobes:
- call: security_task_fix_setuid
  syscall: false
  args: [{index: 0, type: cred}, {index: 2, type: int}]
  selectors: [{matchCapabilities: [{operator: NotIn, values: [CAP_SYS_ADMIN]}], matchActions: [{action: Override, argError: -1}]}]
- call: sys_setuid
  args: [{index: 0, type: int}]
  selectors: [{matchArgs: [{index: 0, operator: Equal, values: ["0"]}]}]
""", "agent caps 0xc0 call setuid 0; agent call setuid 0; agent call setuid 12", covers="use:setuid", out=["^setuid -1 1$", "^setuid 0 0$"],
     events=[{"process_kprobe.function_name": "__x64_sys_setuid", "process_kprobe.args.0.int_arg": 0}])

# --- update under load ------------------------------------------------------------------------------

REFUSE = """
kprobes:
- call: security_inode_mkdir
  syscall: false
  args: [{index: 1, type: dentry}]
  selectors:
  - matchArgs: [{index: 1, operator: Postfix, values: [%s]}]
    matchActions: [{action: Override, argError: -13}]
"""
# More threads than CPUs, preempted wherever they are: in the middle of a call that must be refused, too.
APPLIES = ("rm -f /tmp/stop; agent hammer 10 %s >/tmp/h & sleep 0.2; "
           "for i in 1 2 3 4 5 6; do for to in second bundle; do agent urgent polload apply cases/%s/$to.o >/dev/null || echo failed; done; done; "
           "touch /tmp/stop; wait; cat /tmp/h")
case("update-override", REFUSE % '"/w/no"', APPLIES % ("mkdir s:/tmp/w/no 0755", "update-override"),
     second=REFUSE % '"/w/no", "/w/other"', covers="update:override", out=["^hammer 13:[0-9]{2,}$"], not_out=["^hammer 0:", "failed"])

LSM_REFUSE = """
lsmhooks:
- hook: file_open
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: Equal, values: [%s]}]
    matchActions: [{action: Override, argError: -13}, {action: NoPost}]
"""
case("update-lsm", LSM_REFUSE % '"/tmp/w/secret"', "polload mode audit; touch /tmp/w/secret; polload mode enforce; " +
     APPLIES % ("openat -100 s:/tmp/w/secret 0", "update-lsm"),
     second=LSM_REFUSE % '"/tmp/w/secret", "/tmp/w/x"', covers="update:lsm", out=["^hammer 13:[0-9]{2,}$"], not_out=["^hammer 0:", "failed"])

# A crowd in one program: every run has a scratch of its own, however many were preempted in theirs.
case("crowd-lsm", LSM_REFUSE % '"/tmp/w/secret"', "polload mode audit; touch /tmp/w/secret; polload mode enforce; rm -f /tmp/stop; "
     "agent hammer 40 openat -100 s:/tmp/w/secret 0 >/tmp/h & sleep 20; touch /tmp/stop; wait; cat /tmp/h; polload status; polload status -o json",
     covers="scratch", out=["^hammer 13:[0-9]{2,}$", r"^ *[0-9]+ .* 0  crowd-lsm 0\.0$", r"^ +MISSED  PROGRAM +HOOK$",
                            r'"name":"polt_h3_lsm","id":[0-9]+,"instructions":[0-9]+(,"verified_instructions":[0-9]+,"recursion_misses":0)?\}'],
     not_out=["^hammer 0:"])


case("override-uprobe-register", """
uprobes:
- path: /test/agent
  symbols: [agent_probe]
  args: [{index: 0, type: int64}]
  selectors:
  - matchArgs: [{index: 0, operator: Equal, values: ["50"]}]
    matchActions: [{action: Override, argRegs: ["rdx=100"]}]
""", "agent probe 50 a; agent probe 51 a", covers="action:Override argRegs", out=["^probe 247 7$", "^probe 153 7$"],
     skip={k: "writing user registers needs 6.18" for k in _OLD})

case("action-get-url", UMASK % "matchArgs: [{index: 0, operator: Equal, values: [\"40\"]}]\n    matchActions: [{action: GetUrl, argUrl: \"http://example.com/x\"}, {action: DnsLookup, argFqdn: example.invalid}]",
     "agent call umask 40", covers="action:GetUrl action:DnsLookup",
     events=[{"process_kprobe.actions": lambda v: v and "GetUrl" in v and "DnsLookup" in v}], count=1)

# --- the same in polc's language, and policies together -------------------------------------------------

case("pol-privileges", "", "cp /test/agent /tmp/w/bad; cp /test/agent /tmp/w/sudo; agent exec /tmp/w/bad call sethostname s:evil 4; agent exec /tmp/w/sudo call sethostname s:good 4; hostname",
     pol="""
tracing pol-privileges {
	on kprobe cap_capable(nop, nop, cap: capability)
		when cap == CAP_SYS_ADMIN and binary in "/tmp/w/bad"
		do sigkill, post;
}
""", covers="pol", out=["^exec signal 9$", "^exec 0$", "^good$"], events=[arg(0, "capability_arg.name", "CAP_SYS_ADMIN", policy_name="pol-privileges")])

case("pol-files", "", "touch /tmp/w/secret /tmp/w/open; agent file read /tmp/w/open; agent file read /tmp/w/secret; agent call umask 5", pol="""
tracing pol-files {
	on lsm file_open(file)
		when arg0 prefix "/tmp/w/sec" and binary not in "/bin/busybox"
		do override -13;
	on syscall umask(mask: int)
		when mask in-range 4:6;
}
""", covers="pol", out=["^file 0 0$", "^file -1 13$"], events=[{"process_lsm.action": "KPROBE_ACTION_OVERRIDE"}, arg(0, "int_arg", 5)])

_TWO = """
apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata: {name: %s}
spec:
  kprobes:
  - call: security_file_open
    syscall: false
    args: [{index: 0, type: file}]
    selectors:
    - matchArgs: [{index: 0, operator: %s, values: [%s]}]
      matchBinaries: [{operator: In, values: [/test/agent]}]
"""
case("together", "", "touch /tmp/w/one.a /tmp/w/two.b; agent file read /tmp/w/one.a; agent file read /tmp/w/two.b",
     policy=_TWO % ("together", "Prefix", "/tmp/w/one") + "---" + _TWO % ("together-too", "Postfix", ".a, .b"),
     covers="merge", count=1, events=[arg(0, "file_arg.path", "/tmp/w/one.a", policy_name="together"),
                                      arg(0, "file_arg.path", "/tmp/w/one.a", policy_name="together-too"),
                                      arg(0, "file_arg.path", "/tmp/w/two.b", policy_name="together-too")],
     after="polload status -o json | grep -o 'polt_h[0-9]*_fentry' | sort | uniq -c", after_out=[r"^\s*1 polt_h3_fentry$"])

# Counters go on where policy, function and place are the same, whatever else the new bundle has; the mode is the bundle's.
_COUNTED = """
  - call: sys_umask
    args: [{index: 0, type: int}]
    selectors:
    - matchArgs: [{index: 0, operator: Equal, values: ["40"]}]
    - matchArgs: [{index: 0, operator: Equal, values: ["41"]}]
      matchActions: [{action: Signal, argSig: 17}]
"""
case("update-counters", "kprobes:" + _COUNTED, "polload mode audit; agent times 3 call umask 41; agent call umask 40; polload apply cases/update-counters/second.o; "
     "agent call umask 41; agent call umask 40; polload status",
     second="kprobes:\n  - call: sys_dup\n    args: [{index: 0, type: int}]\n    selectors: [{matchArgs: [{index: 0, operator: Equal, values: [\"1\"]}]}]" + _COUNTED,
     covers="update:counters", out=[r"^ +2 +2 .* update-counters 1\.0$", r"^ +4 +4 .* update-counters 1\.1$", r"^enforce +update-counters"])
