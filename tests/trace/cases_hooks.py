# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Every kind of hook."""
import re

from table import arg, case, kprobe

# --- hooks ------------------------------------------------------------------------------------------

case("hook-syscall", """
kprobes:
- call: sys_lseek
  syscall: true
  args: [{index: 0, type: int}, {index: 1, type: int64}, {index: 2, type: uint32}]
  selectors: [{matchArgs: [{index: 2, operator: Equal, values: ["4444"]}]}]
""", "agent call lseek -1 -77 4444; agent call lseek -1 0 4445", covers="hook:kprobe-syscall op:Equal type:uint32 type:int64",
     events=[{"process_kprobe.function_name": "__x64_sys_lseek", "process_kprobe.args.0.int_arg": -1,
              "process_kprobe.args.1.long_arg": "-77", "process_kprobe.args.2.uint_arg": 4444,
              "process_kprobe.policy_name": "hook-syscall", "process_kprobe.action": "KPROBE_ACTION_POST",
              "process_kprobe.process.binary": "/test/agent", "process_kprobe.process.arguments": "call lseek -1 -77 4444",
              "process_kprobe.parent.binary": re.compile("^/(bin/(sh|busybox)|proc/self/exe)$")}], count=1)

case("hook-syscall-return", """
kprobes:
- call: sys_lseek
  syscall: true
  return: true
  args: [{index: 0, type: int}, {index: 2, type: int}]
  returnArg: {index: 0, type: int64}
  selectors: [{matchArgs: [{index: 2, operator: Equal, values: ["4446"]}]}]
""", "agent call lseek -1 0 4446", covers="hook:kprobe-syscall-return",
     events=[{"process_kprobe.args.0.int_arg": -1, "process_kprobe.return.long_arg": lambda v: v in ("-9", "-22")}], count=1)

case("hook-function", """
kprobes:
- call: do_unlinkat
  syscall: false
  args: [{index: 0, type: int}, {index: 1, type: filename}]
""", "touch /tmp/w/gone; agent call unlink s:/tmp/w/gone", covers="hook:kprobe-function type:filename",
     events=[{"process_kprobe.function_name": "do_unlinkat", "process_kprobe.args.0.int_arg": -100,
              "process_kprobe.args.1.string_arg": "/tmp/w/gone", "process_kprobe.process.binary": "/test/agent"}],
     skip={"newest": "do_unlinkat has another name there"})

case("hook-security-return", """
kprobes:
- call: security_file_permission
  syscall: false
  return: true
  args: [{index: 0, type: file}, {index: 1, type: int}]
  returnArg: {index: 0, type: int}
  selectors:
  - matchArgs: [{index: 0, operator: Equal, values: ["/tmp/w/file"]}, {index: 1, operator: Equal, values: ["4"]}]
""", "echo x >/tmp/w/file; echo y >/tmp/w/other; agent file read /tmp/w/other; agent file read /tmp/w/file",
     covers="hook:kprobe-security type:file type:int op:Equal",
     events=[{"process_kprobe.args.0.file_arg.path": "/tmp/w/file", "process_kprobe.args.1.int_arg": 4,
              "process_kprobe.args.0.file_arg.permission": "-rw-r--r--", "process_kprobe.return.int_arg": 0}], count=1)

case("hook-tracepoint", """
tracepoints:
- subsystem: syscalls
  event: sys_enter_lseek
  args: [{index: 5, type: int}, {index: 7, type: auto}]
  selectors: [{matchArgs: [{index: 7, operator: Equal, values: ["4450"]}]}]
""", "agent call lseek -3 0 4450; agent call lseek -3 0 4451", covers="hook:tracepoint type:auto",
     events=[{"process_tracepoint.subsys": "syscalls", "process_tracepoint.event": "sys_enter_lseek",
              "process_tracepoint.args.0.int_arg": -3, "process_tracepoint.policy_name": "hook-tracepoint"}], count=1)

case("hook-tracepoint-fields", """
tracepoints:
- subsystem: sched
  event: sched_process_exec
  args: [{index: 4, type: data_loc}, {index: 5, type: int}]
""", "agent exec /test/agent nothing", covers="hook:tracepoint type:data_loc",
     events=[{"process_tracepoint.event": "sched_process_exec", "process_tracepoint.args.0.string_arg": "/test/agent",
              "process_tracepoint.args.1.int_arg": lambda v: v > 1}], build=["--target", "{target}"])

case("hook-tracepoint-raw", """
tracepoints:
- subsystem: sched
  event: sched_process_exec
  raw: true
  args: [{index: 2, type: linux_binprm}]
""", "agent exec /test/agent nothing", covers="hook:tracepoint-raw type:linux_binprm",
     events=[{"process_tracepoint.event": "sched_process_exec",
              "process_tracepoint.args.0.linux_binprm_arg.path": "/test/agent"}])

case("hook-raw-syscalls", """
tracepoints:
- subsystem: raw_syscalls
  event: sys_enter
  args: [{index: 4, type: syscall64}]
  selectors: [{matchArgs: [{index: 4, operator: InMap, values: ["list:calls"]}]}]
lists:
- {name: calls, type: syscalls, values: [sys_sethostname, sys_settimeofday]}
""", "agent call sethostname s:abc 3; agent call settimeofday 0 0; agent call getppid", covers="hook:raw-syscalls type:syscall64 op:InMap list:syscalls",
     events=[{"process_tracepoint.args.0.syscall_id.id": 170, "process_tracepoint.args.0.syscall_id.abi": "x64"},
             {"process_tracepoint.args.0.syscall_id.id": 164}], count=2)

case("hook-lsm", """
lsmhooks:
- hook: file_open
  args: [{index: 0, type: file}]
  selectors: [{matchArgs: [{index: 0, operator: Equal, values: ["/tmp/w/lsm"]}]}]
""", "echo x >/tmp/w/lsm; agent file read /tmp/w/lsm; agent file read /etc/none", covers="hook:lsm",
     events=[{"process_lsm.function_name": "file_open", "process_lsm.args.0.file_arg.path": "/tmp/w/lsm",
              "process_lsm.process.binary": "/test/agent"}])

case("hook-fentry", """
fentries:
- call: security_path_mkdir
  syscall: false
  args: [{index: 0, type: path}, {index: 1, type: dentry}]
""", "agent call mkdir s:/tmp/w/dir 0755", covers="hook:fentry type:path type:dentry",
     events=[arg(0, "path_arg.path", "/tmp/w", function_name="security_path_mkdir")])

case("hook-fentry-return", """
fentries:
- call: security_inode_mkdir
  syscall: false
  return: true
  args: [{index: 1, type: dentry}, {index: 2, type: uint16}]
  returnArg: {index: 0, type: int}
""", "agent call mkdir s:/tmp/w/dir2 0755", covers="hook:fentry-return type:dentry type:uint16",
     events=[{"process_kprobe.function_name": "security_inode_mkdir", "process_kprobe.return.int_arg": 0,
              "process_kprobe.args.0.path_arg.path": "/w/dir2"}])

case("hook-uprobe", """
uprobes:
- path: /test/agent
  symbols: [agent_probe]
  args: [{index: 0, type: int64}, {index: 1, type: string}, {index: 2, type: int}]
  selectors: [{matchArgs: [{index: 0, operator: Equal, values: ["11"]}]}]
""", "agent probe 11 hello; agent probe 12 hello", covers="hook:uprobe",
     events=[{"process_uprobe.path": "/test/agent", "process_uprobe.symbol": "agent_probe",
              "process_uprobe.args.0.long_arg": "11", "process_uprobe.args.1.string_arg": "hello",
              "process_uprobe.args.2.int_arg": 5, "process_uprobe.policy_name": "hook-uprobe"}], count=1)

case("hook-uprobe-return", """
uprobes:
- path: /test/agent
  symbols: [agent_probe]
  return: true
  args: [{index: 0, type: int64}]
  returnArg: {index: 0, type: int64}
""", "agent probe 3 a", covers="hook:uprobe-return",
     events=[{"process_uprobe.args.0.long_arg": "3", "process_uprobe.args.1.long_arg": str(3 + 5 + 97)}], count=1)

case("hook-usdt", """
usdts:
- path: /test/agent
  provider: polctest
  name: event
  args: [{index: 0, type: int64}, {index: 1, type: int32}, {index: 2, type: string}]
""", "agent probe 21 text", covers="hook:usdt",
     events=[{"process_usdt.provider": "polctest", "process_usdt.name": "event",
              "process_usdt.args.0.long_arg": "21", "process_usdt.args.1.int_arg": 42,
              "process_usdt.args.2.string_arg": "text"}])

case("hook-usdt-set", """
usdts:
- path: /test/agent
  provider: polctest
  name: memory
  args: [{index: 0, type: int32}, {index: 1, type: int32}]
  selectors: [{matchActions: [{action: Set, argIndex: 0, argValue: 99}]}]
""", "agent probe 1 a", covers="action:Set", out=[r"^probe \d+ 99$"])

case("hook-list", """
lists: [{name: dirs, values: [security_inode_mkdir, security_inode_rmdir]}]
kprobes:
- call: list:dirs
  syscall: false
  selectors: [{matchBinaries: [{operator: In, values: [/test/agent]}]}]
""", "agent call mkdir s:/tmp/w/d 0755; agent call rmdir s:/tmp/w/d", covers="hook:list",
     events=[kprobe("function_name", "security_inode_mkdir"), kprobe("function_name", "security_inode_rmdir")], count=2)

case("hook-list-syscalls", """
lists: [{name: x, type: syscalls, values: [sys_mkdir, sys_rmdir, sys_sethostname, sys_umask, sys_getppid]}]
kprobes:
- call: list:x
  selectors: [{matchBinaries: [{operator: In, values: [/test/agent]}]}]
""", "agent call mkdir s:/tmp/w/d 0755; agent call rmdir s:/tmp/w/d; agent call umask 18; agent call getpid",
     covers="hook:list-syscalls list:syscalls",
     events=[kprobe("function_name", "__x64_sys_mkdir"), kprobe("function_name", "__x64_sys_rmdir"),
             kprobe("function_name", "__x64_sys_umask")], count=3)

case("hook-list-generated", """
lists: [{name: all, type: generated_syscalls}]
kprobes:
- call: list:all
  selectors: [{matchBinaries: [{operator: In, values: [/tmp/w/only]}]}]
""", "cp /test/agent /tmp/w/only; agent call getppid; /tmp/w/only call getppid", covers="list:generated_syscalls",
     events=[{"process_kprobe.function_name": "__x64_sys_getppid", "process_kprobe.process.binary": "/tmp/w/only"}],
     no_events=[{"process_kprobe.policy_name": "hook-list-generated", "process_kprobe.process.binary": "/test/agent"}])

case("hook-two-sections", """
kprobes:
- call: sys_umask
  args: [{index: 0, type: int}]
tracepoints:
- subsystem: syscalls
  event: sys_enter_umask
  args: [{index: 5, type: int}]
""", "agent call umask 18", covers="hook:several-sections",
     events=[arg(0, "int_arg", 18), {"process_tracepoint.args.0.int_arg": 18}])

case("hook-not-found", """
kprobes:
- call: no_such_function_here
  syscall: false
  ignore: {callNotFound: true}
- call: sys_umask
  args: [{index: 0, type: int}]
""", "agent call umask 17", covers="hook:ignore", events=[arg(0, "int_arg", 17)])

case("hook-loader", "loader: true", "agent exec /test/agent nothing", covers="hook:loader",
     events=[{"process_loader.path": "/test/agent"}])
