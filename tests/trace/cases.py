# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The table of the tracing tests: what a policy says, what is done, what must be seen.

case(NAME, SPEC, RUN, ...): SPEC is the policy's `spec` as YAML; RUN a shell script of the machine (agent is
tests/trace/agent.c). `events`: each must be matched by some event: path of the JSON -> value (a bytes value is
compared with base64, a compiled regular expression is searched, a function is called). `no_events`: none may
match. `count`: events of this policy. `out`, `not_out`: regular expressions on RUN's output. `covers` is for
people and for the coverage check in test_coverage(): hook:, type:, op:, sel:, action:, ret:.
"""
import re

CASES = []
FILES = []  # further files of the machine, below the top of the repository


class Case:
    def __init__(self, name, spec, run, covers="", kind="TracingPolicy", events=(), no_events=(), count=None,
                 out=(), not_out=(), inventory="", build=(), before="", after="", after_out=(), apply="",
                 exit=0, skip=None, annotations="", policy=None, second=None, applied=()):
        self.name, self.spec, self.run, self.covers, self.kind = name, spec, run, covers.split(), kind
        self.events, self.no_events, self.count = list(events), list(no_events), count
        self.out, self.not_out, self.after_out = list(out), list(not_out), list(after_out)
        self.inventory, self.build, self.before, self.after, self.apply = inventory, list(build), before, after, apply
        self.exit, self.skip, self.annotations, self.policy = exit, skip or {}, annotations, policy
        self.applied = list(applied)  # regular expressions on what apply says
        self.second = second  # spec of cases/NAME/second.o

    def policy_text(self, spec=None):
        if self.policy:
            return self.policy
        text = "apiVersion: cilium.io/v1alpha1\nkind: %s\nmetadata:\n  name: %s\n" % (self.kind, self.name)
        if self.annotations:
            text += "  annotations: " + self.annotations + "\n"
        body = (spec or self.spec).strip("\n")
        indent = len(body) - len(body.lstrip(" "))
        return text + "spec:\n" + "\n".join("  " + line[indent:] for line in body.split("\n")) + "\n"


def case(name, spec, run, **options):
    CASES.append(Case(name, spec, run, **options))


def kprobe(path, value):
    return {"process_kprobe." + path: value}


def arg(n, field, value, **more):
    wanted = {"process_kprobe.args.%d.%s" % (n, field): value}
    wanted.update({"process_kprobe." + k: v for k, v in more.items()})
    return wanted


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
     events=[arg(0, "path_arg.path", "/tmp/w", function_name="security_path_mkdir")],
     skip={k: "security_path_mkdir needs CONFIG_SECURITY_PATH" for k in ()})

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

# --- integers ---------------------------------------------------------------------------------------

INTS = {  # type: (field, matching value of the register, as shown, another value)
    "int": ("int_arg", "-5", -5, "5"), "int32": ("int_arg", "-5", -5, "5"), "sint32": ("int_arg", "-6", -6, "6"),
    "int8": ("int_arg", "-5", -5, "5"), "sint8": ("int_arg", "-7", -7, "7"),
    "int16": ("int_arg", "-300", -300, "300"), "sint16": ("int_arg", "-301", -301, "301"),
    "int64": ("long_arg", "-5000000000", "-5000000000", "5"), "sint64": ("long_arg", "-5000000001", "-5000000001", "5"),
    "long": ("long_arg", "-5000000002", "-5000000002", "5"),
    "uint8": ("uint_arg", "200", 200, "3"), "uint16": ("uint_arg", "40000", 40000, "3"),
    "uint32": ("uint_arg", "4000000000", 4000000000, "3"),
    "uint64": ("size_arg", "18446744073709551614", "18446744073709551614", "3"),
    "ulong": ("size_arg", "18446744073709551613", "18446744073709551613", "3"),
    "size_t": ("size_arg", "5000000000", "5000000000", "705032704"),
}
for _type, (_field, _value, _shown, _other) in INTS.items():
    case("type-" + _type, """
kprobes:
- call: sys_setpriority
  args: [{index: 0, type: int}, {index: 2, type: %s}]
  selectors: [{matchArgs: [{index: 0, operator: Equal, values: ["77"]}, {index: 2, operator: Equal, values: ["%s"]}]}]
""" % (_type, _value), "agent call setpriority 77 0 %s; agent call setpriority 77 0 %s" % (_value, _other),
         covers="type:%s op:Equal" % _type, events=[arg(1, _field, _shown)], count=1)

OPS = [  # name, type, operator, values, registers that match, registers that do not
    ("not-equal", "int", "NotEqual", ["1", "2"], ["3", "-1"], ["1", "2"]),
    ("gt", "int", "GT", ["10"], ["11"], ["10", "-1"]),
    ("lt", "int", "LT", ["10"], ["9", "-1"], ["10", "11"]),
    ("gt-unsigned", "uint32", "GT", ["10"], ["11", "-1"], ["10"]),
    ("greater-than", "int64", "GreaterThan", ["-2"], ["-1", "0"], ["-2", "-3"]),
    ("less-than", "int8", "LessThan", ["0"], ["-1"], ["0", "1"]),
    ("mask", "int", "Mask", ["0x4", "0x10"], ["0x14", "4", "0xff"], ["0", "0x8"]),
    ("in-range", "int", "InRange", ["-5:5", "100:200"], ["-5", "5", "0", "150"], ["-6", "6", "99", "201"]),
    ("in-range-64", "uint64", "InRange", ["9223372036854775800:18446744073709551615"], ["-1"], ["1"]),
    ("not-in-range", "int", "NotInRange", ["-5:5"], ["6", "-6"], ["0", "-5"]),
    ("in-map", "int", "InMap", ["-1", "7", "0x20"], ["-1", "7", "32"], ["1", "8"]),
    ("not-in-map", "int", "NotInMap", ["7"], ["8", "-1"], ["7"]),
    ("many", "int", "Equal", [str(1000 + 3 * i) for i in range(500)], ["1000", "2497", "1300"], ["999", "1001", "2500"]),
    ("many-not", "uint32", "NotEqual", [str(1000 + 3 * i) for i in range(500)], ["999", "1001"], ["1000", "2497"]),
    ("octal", "int", "Equal", ["0777"], ["511"], ["777"]),
]
for _name, _type, _op, _values, _yes, _no in OPS:
    case("int-" + _name, """
kprobes:
- call: sys_setpriority
  args: [{index: 0, type: int}, {index: 2, type: %s}]
  selectors: [{matchArgs: [{index: 0, operator: Equal, values: ["78"]}, {index: 2, operator: %s, values: [%s]}]}]
""" % (_type, _op, ", ".join('"%s"' % v for v in _values)),
         "; ".join("agent call setpriority 78 0 " + v for v in _yes + _no), covers="op:" + _op, count=len(_yes))

case("int-cel", """
kprobes:
- call: sys_setpriority
  args: [{index: 0, type: int}, {index: 1, type: int}, {index: 2, type: int}]
  selectors: [{matchArgs: [{args: [0, 1, 2], operator: CelExpr, values: ["arg0 == 79 && (arg1 + arg2 > 10 || arg1 < -5)"]}]}]
""", "agent call setpriority 79 5 6; agent call setpriority 79 5 5; agent call setpriority 79 -6 0; agent call setpriority 78 9 9",
     covers="op:CelExpr", count=2)

case("int-capability", """
kprobes:
- call: cap_capable
  syscall: false
  args: [{index: 2, type: capability}]
  selectors: [{matchArgs: [{index: 2, operator: Equal, values: ["CAP_SYS_TIME"]}],
               matchBinaries: [{operator: In, values: [/test/agent]}]}]
""", "agent call settimeofday i:1,2 0 >/dev/null; agent call sethostname s:x 1", covers="type:capability",
     events=[arg(0, "capability_arg.name", "CAP_SYS_TIME")],
     no_events=[arg(0, "capability_arg.name", "CAP_SYS_ADMIN")])

# --- strings ----------------------------------------------------------------------------------------

STRINGS = [  # name, operator, values, texts that match, texts that do not
    ("equal", "Equal", ["/tmp/w/a", "/tmp/w/bb"], ["/tmp/w/a", "/tmp/w/bb"], ["/tmp/w/", "/tmp/w/aa", "/tmp/w/b"]),
    ("not-equal", "NotEqual", ["/tmp/w/a"], ["/tmp/w/b", "/tmp/w/aa"], ["/tmp/w/a"]),
    ("prefix", "Prefix", ["/tmp/w/pre", "/opt"], ["/tmp/w/pre", "/tmp/w/prefix", "/optional"], ["/tmp/w/pr", "/x/opt"]),
    ("not-prefix", "NotPrefix", ["/tmp/w/pre"], ["/tmp/w/x"], ["/tmp/w/pre", "/tmp/w/prefix"]),
    ("postfix", "Postfix", [".so", "rc"], ["/a/lib.so", ".so", "/x/bashrc"], ["/a/lib.so.1", "so", "/rcx"]),
    ("not-postfix", "NotPostfix", [".so"], ["/a/b"], ["/a/b.so"]),
    ("substring", "SubString", ["needle", "pin"], ["/a/needle/b", "xxneedle", "/spin"], ["/a/Needle", "/needl", "/p/in"]),
    ("substring-fold", "SubStringIgnCase", ["NeeDle"], ["/a/NEEDLE/b", "needle"], ["/need"]),
    ("equal-many", "Equal", ["/tmp/w/%d" % i for i in range(300)], ["/tmp/w/0", "/tmp/w/299"], ["/tmp/w/300", "/tmp/w/"]),
    ("prefix-many", "Prefix", ["/d%d/" % i for i in range(300)], ["/d0/x", "/d299/y"], ["/d300/x", "/d29"]),
    ("equal-long", "Equal", ["/tmp/" + "x" * 1500], ["/tmp/" + "x" * 1500], ["/tmp/" + "x" * 1499, "/tmp/" + "x" * 1499 + "y"]),
]
for _name, _op, _values, _yes, _no in STRINGS:
    case("string-" + _name, """
kprobes:
- call: sys_chdir
  args: [{index: 0, type: string}]
  selectors:
  - matchArgs: [{index: 0, operator: %s, values: [%s]}]
    matchBinaries: [{operator: In, values: [/test/agent]}]
""" % (_op, ", ".join('"%s"' % v for v in _values)),
         "\n".join("agent call chdir s:" + v for v in _yes + _no), covers="type:string op:" + _op,
         events=[arg(0, "string_arg", v) for v in _yes], count=len(_yes))

case("string-second", """
kprobes:
- call: sys_symlink
  args: [{index: 0, type: string}, {index: 1, type: string}]
  selectors: [{matchArgs: [{index: 1, operator: Equal, values: ["/tmp/w/second"]}]}]
""", "agent call symlink s:" + "y" * 3000 + " s:/tmp/w/second", covers="trap:T5",
     events=[arg(1, "string_arg", "/tmp/w/second")], count=1)

case("string-fault", """
kprobes:
- call: sys_chdir
  args: [{index: 0, type: string}]
  selectors:
  - matchArgs: [{index: 0, operator: NotEqual, values: ["/x"]}]
    matchBinaries: [{operator: In, values: [/test/agent]}]
- call: sys_chroot
  args: [{index: 0, type: string}]
""", "agent call chdir 16; agent call chroot 16", covers="trap:unreadable",
     no_events=[kprobe("function_name", "__x64_sys_chdir")],
     events=[{"process_kprobe.function_name": "__x64_sys_chroot", "process_kprobe.args.0.error_arg.message": re.compile(".")}])

case("string-on-error-match", """
kprobes:
- call: sys_chdir
  args: [{index: 0, type: string}]
  selectors:
  - matchArgs: [{index: 0, operator: NotEqual, values: ["/x"], onError: match}]
    matchBinaries: [{operator: In, values: [/test/agent]}]
""", "agent call chdir 16", covers="trap:onError", events=[kprobe("function_name", "__x64_sys_chdir")])

case("bytes-char-buf", """
kprobes:
- call: sys_write
  args: [{index: 0, type: int}, {index: 1, type: char_buf, sizeArgIndex: 3}, {index: 2, type: size_t}]
  selectors: [{matchArgs: [{index: 1, operator: Prefix, values: ["magic-"]}]}]
""", "agent call write f:/dev/null s:magic-words 9; agent call write f:/dev/null s:tragic-words 9", covers="type:char_buf type:size_t",
     events=[arg(1, "bytes_arg", b"magic-wor")], count=1)

case("bytes-return-copy", """
kprobes:
- call: sys_read
  return: true
  args: [{index: 0, type: int}, {index: 1, type: char_buf, returnCopy: true}]
  returnArg: {index: 0, type: size_t}
  selectors: [{matchBinaries: [{operator: In, values: [/tmp/w/reader]}]}]
""", "cp /test/agent /tmp/w/reader; /tmp/w/reader call read p:secret b:64 64", covers="arg:returnCopy",
     events=[arg(1, "bytes_arg", b"secret")])

case("bytes-max-data", """
kprobes:
- call: sys_write
  args: [{index: 0, type: int}, {index: 1, type: char_buf, sizeArgIndex: 3, maxData: true}, {index: 2, type: size_t}]
  selectors: [{matchArgs: [{index: 2, operator: Equal, values: ["50000"]}]}]
""", "agent call write f:/dev/null b:50000 50000", covers="arg:maxData", events=[arg(1, "bytes_arg", b"\0" * 50000)])

case("bytes-iovec", """
kprobes:
- call: sys_writev
  args: [{index: 0, type: int}, {index: 1, type: char_iovec, sizeArgIndex: 3}, {index: 2, type: int}]
  selectors: [{matchBinaries: [{operator: In, values: [/test/agent]}]}]
""", "agent call writev f:/dev/null v:abc,defg 2", covers="type:char_iovec", events=[arg(1, "bytes_arg", b"abcdefg")])

# --- files ------------------------------------------------------------------------------------------

for _name, _op, _values, _yes, _no in [
        ("equal", "Equal", ["/tmp/w/f1"], ["/tmp/w/f1"], ["/tmp/w/f2", "/tmp/w/f11"]),
        ("not-equal", "NotEqual", ["/tmp/w/f1"], ["/tmp/w/f2"], ["/tmp/w/f1"]),
        ("prefix", "Prefix", ["/tmp/w/d/"], ["/tmp/w/d/f"], ["/tmp/w/df"]),
        ("prefix-top", "Prefix", ["/tm"], ["/tmp/w/f2"], ["/run/f"]),
        ("not-prefix", "NotPrefix", ["/tmp/w/d/"], ["/tmp/w/df"], ["/tmp/w/d/f"]),
        ("postfix", "Postfix", [".key"], ["/tmp/w/d/x.key"], ["/tmp/w/x.keys"]),
        ("not-postfix", "NotPostfix", [".key"], ["/tmp/w/x.keys"], ["/tmp/w/d/x.key"]),
        ("many", "Equal", ["/tmp/w/n%d" % i for i in range(400)], ["/tmp/w/n7", "/tmp/w/n399"], ["/tmp/w/n400", "/tmp/w/n"])]:
    case("file-" + _name, """
kprobes:
- call: security_file_open
  syscall: false
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: %s, values: [%s]}]
    matchBinaries: [{operator: In, values: [/test/agent]}]
""" % (_op, ", ".join('"%s"' % v for v in _values)),
         "mkdir -p /tmp/w/d\n" + "\n".join("touch %s; agent file read %s" % (v, v) for v in _yes + _no),
         covers="type:file op:" + _op, events=[arg(0, "file_arg.path", v) for v in _yes],
         no_events=[arg(0, "file_arg.path", v) for v in _no])

case("file-type", """
kprobes:
- call: security_file_open
  syscall: false
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: FileType, values: [dir, chr]}, {index: 0, operator: Prefix, values: ["/tmp/w", "/dev/null"]}]
    matchBinaries: [{operator: In, values: [/test/agent]}]
""", "mkdir /tmp/w/dir; touch /tmp/w/reg; agent file read /tmp/w/reg; agent file read /tmp/w/dir; agent file read /dev/null",
     covers="op:FileType", events=[arg(0, "file_arg.path", "/tmp/w/dir"), arg(0, "file_arg.path", "/dev/null")], count=2)

case("file-not-type", """
kprobes:
- call: security_file_open
  syscall: false
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: NotFileType, values: [reg]}, {index: 0, operator: Prefix, values: ["/tmp/w"]}]
    matchBinaries: [{operator: In, values: [/test/agent]}]
""", "mkdir /tmp/w/dir; touch /tmp/w/reg; agent file read /tmp/w/reg; agent file read /tmp/w/dir", covers="op:NotFileType", count=1)

case("file-pipe", """
kprobes:
- call: security_file_permission
  syscall: false
  args: [{index: 0, type: file}, {index: 1, type: int}]
  selectors:
  - matchArgs: [{index: 0, operator: NotEqual, values: ["/tmp/x"]}, {index: 1, operator: Equal, values: ["4"]}]
    matchBinaries: [{operator: In, values: [/test/agent]}]
""", "agent call read p:abc b:8 8", covers="trap:T11", count=0)

case("file-deep", """
kprobes:
- call: security_file_open
  syscall: false
  args: [{index: 0, type: file}]
  selectors: [{matchArgs: [{index: 0, operator: Postfix, values: ["/deep"]}]}]
""", "d=/tmp/w; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do d=$d/dir$i; done; mkdir -p $d; touch $d/deep; agent file read $d/deep",
     covers="path:deep", events=[arg(0, "file_arg.path", re.compile("^/tmp/w/dir1/dir2/.*/dir30/deep$"))])

case("file-mounts", """
kprobes:
- call: security_file_open
  syscall: false
  args: [{index: 0, type: file}]
  selectors: [{matchArgs: [{index: 0, operator: Equal, values: ["/tmp/w/mnt/in/f"]}]}]
""", "mkdir /tmp/w/mnt; mount -t tmpfs x /tmp/w/mnt; mkdir /tmp/w/mnt/in; touch /tmp/w/mnt/in/f; agent file read /tmp/w/mnt/in/f; umount /tmp/w/mnt",
     covers="path:mounts", events=[arg(0, "file_arg.path", "/tmp/w/mnt/in/f")])

case("file-chroot", """
kprobes:
- call: security_file_open
  syscall: false
  args: [{index: 0, type: file}]
  selectors: [{matchArgs: [{index: 0, operator: Equal, values: ["/inside"]}]}]
""", "mkdir /tmp/w/root; cp /test/agent /tmp/w/root/; touch /tmp/w/root/inside; chroot /tmp/w/root /agent file read /inside",
     covers="path:chroot", events=[arg(0, "file_arg.path", "/inside")])

case("file-fd", """
kprobes:
- call: sys_fsync
  args: [{index: 0, type: fd}]
  selectors: [{matchArgs: [{index: 0, operator: Equal, values: ["/tmp/w/fd"]}]}]
""", "touch /tmp/w/fd /tmp/w/fd2; agent call fsync f:/tmp/w/fd; agent call fsync f:/tmp/w/fd2; agent call fsync 77", covers="type:fd",
     events=[arg(0, "file_arg.path", "/tmp/w/fd")], count=1)

case("file-path", """
kprobes:
- call: security_path_truncate
  syscall: false
  args: [{index: 0, type: path}]
  selectors: [{matchArgs: [{index: 0, operator: Prefix, values: ["/tmp/w/tr"]}]}]
""", "touch /tmp/w/trunc; agent file truncate /tmp/w/trunc", covers="type:path",
     events=[arg(0, "path_arg.path", "/tmp/w/trunc")])

case("file-dentry", """
kprobes:
- call: security_inode_unlink
  syscall: false
  args: [{index: 1, type: dentry}]
  selectors: [{matchArgs: [{index: 1, operator: Postfix, values: ["/gone"]}]}]
""", "touch /tmp/w/gone; agent call unlink s:/tmp/w/gone", covers="type:dentry",
     events=[arg(0, "path_arg.path", re.compile("/w/gone$"))])

case("file-binprm", """
kprobes:
- call: security_bprm_check
  syscall: false
  args: [{index: 0, type: linux_binprm}]
  selectors: [{matchArgs: [{index: 0, operator: Equal, values: ["/tmp/w/copy"]}]}]
""", "cp /test/agent /tmp/w/copy; agent exec /tmp/w/copy nothing", covers="type:linux_binprm",
     events=[arg(0, "linux_binprm_arg.path", "/tmp/w/copy")])

case("file-kiocb", """
kprobes:
- call: generic_file_read_iter
  syscall: false
  args: [{index: 0, type: kiocb}, {index: 1, type: iov_iter}]
  selectors: [{matchBinaries: [{operator: In, values: [/test/agent]}]}]
- call: shmem_file_read_iter
  syscall: false
  args: [{index: 0, type: kiocb}, {index: 1, type: iov_iter}]
  selectors: [{matchArgs: [{index: 0, operator: Equal, values: ["/tmp/w/ki"]}]}]
""", "echo x >/tmp/w/ki; agent file read /tmp/w/ki", covers="type:kiocb type:iov_iter",
     events=[arg(0, "kiocb_arg.path", "/tmp/w/ki")] if False else [kprobe("function_name", "shmem_file_read_iter")])

# --- network ----------------------------------------------------------------------------------------

def net(name, matchers, run, yes, no=(), call="tcp_connect", kind="sock", field="sock_arg", **more):
    case("net-" + name, """
kprobes:
- call: %s
  syscall: false
  args: [{index: 0, type: %s}]
  selectors:
  - matchArgs: [%s]
""" % (call, kind, ", ".join("{index: 0, operator: %s, values: [%s]}" % (op, ", ".join('"%s"' % v for v in values)) if values
                             else "{index: 0, operator: %s}" % op for op, values in matchers)), run,
         events=[{"process_kprobe.args.0.%s.%s" % (field, k): v for k, v in e.items()} for e in yes],
         no_events=[dict({"process_kprobe.policy_name": "net-" + name},
                         **{"process_kprobe.args.0.%s.%s" % (field, k): v for k, v in e.items()}) for e in no], **more)


net("daddr", [("DAddr", ["127.0.0.1", "10.0.0.0/8"])], "agent tcp 127.0.0.1 5001; agent tcp 127.0.0.2 5002",
    [{"daddr": "127.0.0.1", "dport": 5001, "family": "AF_INET", "protocol": "IPPROTO_TCP", "type": "SOCK_STREAM"}], [{"dport": 5002}], covers="type:sock op:DAddr")
net("not-daddr", [("NotDAddr", ["127.0.0.1"])], "agent tcp 127.0.0.1 5001; agent tcp 127.0.0.2 5002", [{"dport": 5002}], [{"dport": 5001}], covers="op:NotDAddr")
net("daddr-6", [("DAddr", ["::1"])], "agent tcp ::1 5003; agent tcp 127.0.0.1 5004", [{"daddr": "::1", "family": "AF_INET6"}], [{"dport": 5004}], covers="op:DAddr")
net("daddr-mapped", [("DAddr", ["127.0.0.1"])], "agent tcp ::ffff:127.0.0.1 5005", [{"dport": 5005}], covers="trap:T36")
net("daddr-many", [("DAddr", ["10.%d.0.0/16" % i for i in range(100)] + ["127.0.0.9"])], "agent tcp 127.0.0.9 5006; agent tcp 127.0.0.8 5007", [{"dport": 5006}], [{"dport": 5007}], covers="op:DAddr")
net("saddr", [("SAddr", ["127.0.0.0/8"])], "agent tcp 127.0.0.1 5008; agent tcp ::1 5009", [{"saddr": "127.0.0.1"}], [{"dport": 5009}], covers="op:SAddr")
net("not-saddr", [("NotSAddr", ["127.0.0.0/8"])], "agent tcp 127.0.0.1 5008; agent tcp ::1 5009", [{"dport": 5009}], [{"dport": 5008}], covers="op:NotSAddr")
net("dport", [("DPort", ["5010", "6000:6010"])], "agent tcp 127.0.0.1 5010; agent tcp 127.0.0.1 6005; agent tcp 127.0.0.1 5011", [{"dport": 5010}, {"dport": 6005}], [{"dport": 5011}], covers="op:DPort")
net("not-dport", [("NotDPort", ["5010"])], "agent tcp 127.0.0.1 5010; agent tcp 127.0.0.1 5011", [{"dport": 5011}], [{"dport": 5010}], covers="op:NotDPort")
net("dport-priv", [("DPortPriv", [])], "agent tcp 127.0.0.1 500; agent tcp 127.0.0.1 5011", [{"dport": 500}], [{"dport": 5011}], covers="op:DPortPriv")
net("not-dport-priv", [("NotDPortPriv", [])], "agent tcp 127.0.0.1 500; agent tcp 127.0.0.1 5011", [{"dport": 5011}], [{"dport": 500}], covers="op:NotDPortPriv")
net("sport", [("SPort", ["5020"])], "agent tcp 127.0.0.1 5020; agent tcp 127.0.0.1 5021", [{"sport": 5020}], [{"sport": 5021}], call="inet_csk_listen_start", covers="op:SPort")
net("not-sport", [("NotSPort", ["5020"])], "agent tcp 127.0.0.1 5020; agent tcp 127.0.0.1 5021", [{"sport": 5021}], [{"sport": 5020}], call="inet_csk_listen_start", covers="op:NotSPort")
net("sport-priv", [("SPortPriv", [])], "agent tcp 127.0.0.1 502; agent tcp 127.0.0.1 5021", [{"sport": 502}], [{"sport": 5021}], call="inet_csk_listen_start", covers="op:SPortPriv")
net("not-sport-priv", [("NotSPortPriv", [])], "agent tcp 127.0.0.1 502; agent tcp 127.0.0.1 5021", [{"sport": 5021}], [{"sport": 502}], call="inet_csk_listen_start", covers="op:NotSPortPriv")
net("protocol", [("Protocol", ["IPPROTO_TCP"])], "agent tcp 127.0.0.1 5022", [{"dport": 5022}], covers="op:Protocol")
net("protocol-not", [("Protocol", ["IPPROTO_UDP", "17"])], "agent tcp 127.0.0.1 5022", [], [{"dport": 5022}], covers="op:Protocol", count=0)
net("family", [("Family", ["AF_INET6"])], "agent tcp 127.0.0.1 5023; agent tcp ::1 5024", [{"dport": 5024}], [{"dport": 5023}], covers="op:Family")
net("state", [("State", ["TCP_SYN_SENT"])], "agent tcp 127.0.0.1 5025", [{"dport": 5025, "state": "TCP_SYN_SENT"}], covers="op:State")
net("state-not", [("State", ["TCP_ESTABLISHED"])], "agent tcp 127.0.0.1 5025", [], covers="op:State", count=0)

case("net-socket-sockaddr", """
kprobes:
- call: security_socket_connect
  syscall: false
  args: [{index: 0, type: socket}, {index: 1, type: sockaddr}]
  selectors:
  - matchArgs: [{index: 1, operator: SAddr, values: ["127.0.0.0/8"]}, {index: 1, operator: SPort, values: ["5030"]},
                {index: 1, operator: Family, values: ["AF_INET"]}, {index: 0, operator: Protocol, values: ["IPPROTO_TCP"]}]
""", "agent tcp 127.0.0.1 5030; agent tcp 127.0.0.1 5031", covers="type:socket type:sockaddr",
     events=[{"process_kprobe.args.1.sockaddr_arg.addr": "127.0.0.1", "process_kprobe.args.1.sockaddr_arg.port": 5030,
              "process_kprobe.args.1.sockaddr_arg.family": "AF_INET", "process_kprobe.args.0.sock_arg.family": "AF_INET"}], count=1)

for _name, _op, _values, _count in (("equal", "Equal", ["/tmp/w/sock"], 1), ("prefix", "Prefix", ["/tmp/w/so"], 1),
                                    ("abstract", "Equal", ["@hidden"], 1), ("not-equal", "NotEqual", ["/tmp/w/sock"], 1),
                                    ("family", "Family", ["AF_UNIX"], 2)):
    case("net-unix-" + _name, """
kprobes:
- call: security_unix_find
  syscall: false
  ignore: {callNotFound: true}
- call: security_socket_connect
  syscall: false
  args: [{index: 1, type: sockaddr_un}]
  selectors:
  - matchArgs: [{index: 1, operator: %s, values: [%s]}]
    matchBinaries: [{operator: In, values: [/test/agent]}]
""" % (_op, ", ".join('"%s"' % v for v in _values)),
         "agent call socket 1 1 0; agent call connect p:x u:/tmp/w/sock l:-; agent unix /tmp/w/sock; agent unix @hidden",
         covers="type:sockaddr_un op:" + _op, count=_count)

case("net-skb", """
kprobes:
- call: ip_send_skb
  syscall: false
  args: [{index: 1, type: skb}]
  selectors:
  - matchArgs: [{index: 1, operator: Protocol, values: ["IPPROTO_UDP"]}, {index: 1, operator: DAddr, values: ["127.0.0.1"]},
                {index: 1, operator: DPort, values: ["5040"]}]
""", "agent udp 127.0.0.1 5040; agent udp 127.0.0.1 5041; agent udp 127.0.0.2 5040", covers="type:skb",
     events=[{"process_kprobe.args.0.skb_arg.daddr": "127.0.0.1", "process_kprobe.args.0.skb_arg.dport": 5040,
              "process_kprobe.args.0.skb_arg.protocol": "IPPROTO_UDP", "process_kprobe.args.0.skb_arg.saddr": "127.0.0.1"}], count=1)

case("net-device", """
kprobes:
- call: dev_hard_start_xmit
  syscall: false
  args: [{index: 0, type: skb}, {index: 1, type: net_device}]
  selectors: [{matchArgs: [{index: 1, operator: Equal, values: [lo]}]}]
""", "agent udp 127.0.0.1 5050", covers="type:net_device", events=[arg(1, "net_dev_arg.name", "lo")])

# --- records ----------------------------------------------------------------------------------------

case("record-cred", """
kprobes:
- call: commit_creds
  syscall: false
  args: [{index: 0, type: cred}]
  selectors: [{matchBinaries: [{operator: In, values: [/test/agent]}]}]
""", "agent call setuid 1234", covers="type:cred",
     events=[arg(0, "process_credentials_arg.uid", 1234, function_name="commit_creds")])

case("record-user-namespace", """
kprobes:
- call: cap_capable
  syscall: false
  args: [{index: 1, type: user_namespace}, {index: 2, type: capability}]
  selectors: [{matchArgs: [{index: 2, operator: Equal, values: ["CAP_SYS_TIME"]}], matchBinaries: [{operator: In, values: [/test/agent]}]}]
""", "agent call settimeofday i:1,2 0", covers="type:user_namespace", events=[arg(0, "user_ns_arg.level", 0)])

case("record-bpf", """
kprobes:
- call: security_bpf
  syscall: false
  args: [{index: 0, type: bpf_cmd}, {index: 1, type: bpf_attr}]
  selectors: [{matchArgs: [{index: 0, operator: Equal, values: ["0"]}]}]
- call: security_bpf_map_alloc
  syscall: false
  ignore: {callNotFound: true}
  args: [{index: 0, type: bpf_map}]
- call: security_bpf_map_create
  syscall: false
  ignore: {callNotFound: true}
  args: [{index: 0, type: bpf_map}]
""", "agent call bpf 0 i:0x0000000400000002,0x0000000100000008,0,0,0,0,0,0,0,0,0,0 64", covers="type:bpf_attr type:bpf_cmd type:bpf_map",
     events=[kprobe("function_name", "security_bpf"), arg(0, "bpf_map_arg.MaxEntries", 1)])

case("record-perf", """
kprobes:
- call: security_perf_event_alloc
  syscall: false
  args: [{index: 0, type: perf_event}]
""", "agent call perf_event_open i:0x0000007000000001,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0 0 -1 -1 0", covers="type:perf_event",
     events=[arg(0, "perf_event_arg.Type", re.compile("PERF_TYPE_SOFTWARE"))])

case("record-caps", """
kprobes:
- call: cap_capset
  syscall: false
  args: [{index: 2, type: cap_effective}, {index: 3, type: cap_inheritable}, {index: 4, type: cap_permitted}]
  selectors: [{matchBinaries: [{operator: In, values: [/test/agent]}]}]
""", "agent caps 0x200000 call getpid", covers="type:cap_effective type:cap_inheritable type:cap_permitted",
     events=[arg(0, "cap_effective_arg", re.compile("0*200000$"))])

case("record-caps-equal", """
kprobes:
- call: cap_capset
  syscall: false
  args: [{index: 2, type: kernel_cap_t}]
  selectors: [{matchArgs: [{index: 2, operator: Equal, values: ["CAP_SYS_ADMIN,CAP_SYS_TIME"]}]}]
""", "agent caps 0x2200000 call getpid; agent caps 0x200000 call getpid", covers="type:kernel_cap_t op:Equal", count=1)

case("record-caps-gained", """
kprobes:
- call: cap_capset
  syscall: false
  args: [{index: 2, type: cap_effective}, {index: 4, type: cap_permitted}]
  selectors: [{matchArgs: [{args: [0, 1], operator: CapabilitiesGained}], matchBinaries: [{operator: In, values: [/test/agent]}]}]
""", "agent capset 0x200000 0x2200000; agent capset 0x200000 0x200000", covers="op:CapabilitiesGained", count=1)

# --- resolve, data ----------------------------------------------------------------------------------

case("resolve-member", """
kprobes:
- call: security_bprm_check
  syscall: false
  args: [{index: 0, type: string, resolve: filename}, {index: 0, type: int, resolve: argc}]
  selectors: [{matchArgs: [{args: [0], operator: Equal, values: ["/tmp/w/r"]}]}]
""", "cp /test/agent /tmp/w/r; agent exec /tmp/w/r nothing more", covers="arg:resolve",
     events=[{"process_kprobe.args.0.string_arg": "/tmp/w/r", "process_kprobe.args.1.int_arg": 3}], build=["--target", "{target}"])

case("resolve-pointers", """
lsmhooks:
- hook: bprm_check_security
  args: [{index: 0, type: int, resolve: mm.owner.real_parent.tgid}, {index: 0, type: file, resolve: file}]
  selectors: [{matchArgs: [{args: [1], operator: Equal, values: ["/tmp/w/r2"]}]}]
""", "cp /test/agent /tmp/w/r2; agent pid exec /tmp/w/r2 nothing", covers="arg:resolve",
     events=[{"process_lsm.args.0.int_arg": lambda v: isinstance(v, int), "process_lsm.args.1.file_arg.path": "/tmp/w/r2"}], build=["--target", "{target}"])

case("data-task", """
kprobes:
- call: sys_umask
  args: [{index: 0, type: int}]
  data: [{type: uint32, source: current_task, resolve: cred.uid.val}, {type: string, source: current_task, resolve: comm}]
  selectors: [{matchData: [{index: 0, operator: Equal, values: ["4321"]}]}]
""", "agent call umask 1; agent uid 4321 call umask 2", covers="sel:matchData arg:data",
     events=[{"process_kprobe.args.0.int_arg": 2, "process_kprobe.data.0.uint_arg": 4321, "process_kprobe.data.1.string_arg": "agent"}],
     count=1, build=["--target", "{target}"])

case("data-registers", """
uprobes:
- path: /test/agent
  symbols: [agent_probe]
  data: [{type: uint64, source: pt_regs, resolve: rdi}]
""", "agent probe 33 a", covers="arg:pt_regs", events=[{"process_uprobe.data.0.size_arg": "33"}])

case("label", """
kprobes:
- call: sys_umask
  message: "umask was changed"
  tags: [observability.process, mine]
  args: [{index: 0, type: int, label: the_mask}]
  selectors: [{label: here, matchBinaries: [{operator: In, values: [/test/agent]}]}]
""", "agent call umask 9", covers="arg:label",
     events=[{"process_kprobe.args.0.label": "the_mask", "process_kprobe.message": "umask was changed",
              "process_kprobe.tags": ["observability.process", "mine"]}])

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
umask("binaries-not-children", "matchBinaries: [{operator: NotIn, values: [/tmp/w/top, /bin/busybox], followChildren: true}]",
      "cp /test/agent /tmp/w/top; cp /bin/busybox /tmp/w/sh; /tmp/w/top exec /test/agent call umask 3", [], [3], covers="sel:followChildren op:NotIn")
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
umask("pids-follow", "matchPIDs: [{operator: In, followForks: true, values: [1]}]", "agent call umask 1; agent child call umask 2", [1, 2], covers="sel:matchPIDs followForks")
umask("pids-in", "matchPIDs: [{operator: In, values: [1, 2, 3, 4, 5, 6, 7, 8]}]", "agent call umask 1", [], [1], covers="sel:matchPIDs op:In")
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
umask("namespace-number", "matchNamespaces: [{namespace: Net, operator: In, values: [\"4026531840\", \"4026531833\", \"4026531841\", \"4026531992\", \"4026531999\", \"4026531969\"]}]",
      "ls -l /proc/self/ns/net; agent unshare 0x40000000 call umask 2", [], [2], covers="sel:matchNamespaces")
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
  metadata: {name: web-1, namespace: prod, labels: {app: web}, annotations: {polc.dev/cgroup: /pods/web}}
  spec: {containers: [{name: main, image: web}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: db-1, namespace: prod, labels: {app: db}, annotations: {polc.dev/cgroup: /pods/db}}
  spec: {containers: [{name: main, image: db}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: web-2, namespace: dev, labels: {app: web}, annotations: {polc.dev/cgroup: /pods/dev}}
  spec: {containers: [{name: main, image: web}]}
"""
CGROUPS = "mkdir -p /sys/fs/cgroup/pods/web /sys/fs/cgroup/pods/db /sys/fs/cgroup/pods/dev"
IN_PODS = ("agent call umask 1; agent cgroup pods/web call umask 2; agent cgroup pods/db call umask 3; "
           "agent cgroup pods/dev call umask 4; mkdir -p /sys/fs/cgroup/pods/web/sub; agent cgroup pods/web/sub call umask 5")
AGENT = "matchBinaries: [{operator: In, values: [/test/agent]}]"


def workload(name, head, selector, yes, kind="TracingPolicy", policy=None):
    case("work-" + name, head + UMASK % selector, IN_PODS, inventory=PODS, before=CGROUPS, kind=kind, policy=policy,
         events=[arg(0, "int_arg", v) for v in yes], no_events=[arg(0, "int_arg", v) for v in {1, 2, 3, 4, 5} - set(yes)],
         covers="sel:workload")


workload("pods", "podSelector: {matchLabels: {app: web}}", AGENT, [2, 4, 5])
workload("host", "hostSelector: {}", AGENT, [1])
workload("host-and-pods", "hostSelector: {}\npodSelector: {matchLabels: {app: db}}", AGENT, [1, 3])
workload("container", "containerSelector: {matchExpressions: [{key: name, operator: In, values: [main]}]}", AGENT, [2, 3, 4, 5])
workload("match", "", "matchWorkloads: [{podSelector: {matchLabels: {app: db}}}]" if False else
         "matchWorkloads: {podSelector: {matchLabels: {app: db}}}", [3])
workload("namespaced", "", AGENT, [2, 3, 5], policy="""
apiVersion: cilium.io/v1alpha1
kind: TracingPolicyNamespaced
metadata: {name: work-namespaced, namespace: prod}
spec:
  kprobes:
  - call: sys_umask
    args: [{index: 0, type: int}]
    selectors: [{matchBinaries: [{operator: In, values: [/test/agent]}]}]
""")

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

# Debian builds its kernels without function error injection: a system call's result cannot be replaced there.
case("action-override-syscall", """
kprobes:
- call: sys_mkdir
  args: [{index: 0, type: string}]
  selectors:
  - matchArgs: [{index: 0, operator: Prefix, values: ["/tmp/w/no"]}]
    matchActions: [{action: Override, argError: -13}]
""", "agent call mkdir s:/tmp/w/no1 0755", covers="action:Override refused", exit=3, applied=["sys_mkdir", "error injection|fmod_ret"])

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
""", "cp /test/agent /tmp/w/bad; agent exec /tmp/w/bad call sethostname s:evil 4; agent exec /tmp/w/bad call getpid; agent child call sethostname s:good 4; hostname",
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
""", "agent call finit_module f:/modules/veth.ko s: 0; agent call socket 40 1 0", covers="use:modules",
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
APPLIES = ("rm -f /tmp/stop; agent hammer %s >/tmp/h1 & agent hammer %s >/tmp/h2 & sleep 0.2; "
           "for i in 1 2 3 4 5 6; do polload apply cases/%s/second.o >/dev/null || echo failed; "
           "polload apply cases/%s/bundle.o >/dev/null || echo failed; done; touch /tmp/stop; wait; cat /tmp/h1 /tmp/h2")
case("update-override", REFUSE % '"/w/no"', APPLIES % (("mkdir s:/tmp/w/no 0755",) * 2 + ("update-override",) * 2),
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
     APPLIES % (("openat -100 s:/tmp/w/secret 0",) * 2 + ("update-lsm",) * 2),
     second=LSM_REFUSE % '"/tmp/w/secret", "/tmp/w/x"', covers="update:lsm", out=["^hammer 13:[0-9]{2,}$"], not_out=["^hammer 0:", "failed"])
