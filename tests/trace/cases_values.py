# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Integers, strings, bytes, files and records as arguments, and every operator on them."""
import re

from table import CASES, arg, case, kprobe

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
    "unsigned long": ("size_arg", "18446744073709551612", "18446744073709551612", "3"),
    "size_t": ("size_arg", "5000000000", "5000000000", "705032704"),
}
for _type, (_field, _value, _shown, _other) in INTS.items():
    case("type-" + re.sub("[_ ]", "-", _type), """
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
    ("substring-fold-long-name", "SubStringIgnoreCase", ["nEEdle"], ["/a/NEEDLE/c"], ["/nedle"]),
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
     events=[{"process_kprobe.function_name": "__x64_sys_chroot", "process_kprobe.args.0.error_arg.Message": re.compile(".")}])

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
     events=[arg(0, "file_arg.path", "/tmp/w/ki", function_name="shmem_file_read_iter")])

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
""", "agent call perf_event_open i:0x0000007000000001,9,0,0,0,0,0,0,0,0,0,0,0,0,0,0 0 -1 -1 0", covers="type:perf_event",
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


case("record-module", """
kprobes:
- call: do_init_module
  syscall: false
  args: [{index: 0, type: module}]
""", "rmmod cls_bpf; insmod /modules/cls_bpf.ko", covers="type:module",
     events=[arg(0, "module_arg.name", "cls_bpf", function_name="do_init_module")])

# what signs and names the module is filled in later: here the type is read, and found empty or not
case("record-load-info", """
kprobes:
- call: load_module
  syscall: false
  args: [{index: 0, type: load_info}]
""", "rmmod cls_bpf; insmod /modules/cls_bpf.ko", covers="type:load_info",
     events=[{"process_kprobe.function_name": "load_module", "process_kprobe.args.0.module_arg": lambda v: v is not None}])

case("record-bpf-prog", """
kprobes:
- call: security_bpf_prog
  syscall: false
  args: [{index: 0, type: bpf_prog}]
""", "polload apply --name other cases/hook-uprobe/bundle.o >/dev/null 2>&1; polload remove --name other >/dev/null 2>&1", covers="type:bpf_prog",
     events=[arg(0, "bpf_prog_arg.ProgType", re.compile("^BPF_PROG_TYPE_"))])

case("bytes-const-buf", """
tracepoints:
- subsystem: task
  event: task_rename
  args: [{index: 5, type: const_buf}, {index: 6, type: const_buf}]
""", "agent exec /test/agent call prctl 15 s:renamed", covers="type:const_buf",
     events=[{"process_tracepoint.args.0.bytes_arg": lambda v: v is not None}], build=["--target", "{target}"])

case("bytes-iov-iter", """
kprobes:
- call: shmem_file_read_iter
  syscall: false
  args: [{index: 0, type: kiocb}, {index: 1, type: iov_iter}]
  selectors: [{matchArgs: [{index: 0, operator: Equal, values: ["/tmp/w/ki"]}]}]
""", "echo x >/tmp/w/ki; agent file read /tmp/w/ki", covers="type:kiocb type:iov_iter", count=1)

for _name, _call, _index, _type, _op, _value, _yes, _no in [
        ("fd-prefix", "sys_fsync", 0, "fd", "Prefix", "/tmp/w/y", "call fsync f:/tmp/w/yes", "call fsync f:/tmp/w/no"),
        ("path-postfix", "security_path_truncate", 0, "path", "Postfix", "/yes", "file truncate /tmp/w/yes", "file truncate /tmp/w/no"),
        ("dentry-equal", "security_inode_unlink", 1, "dentry", "Equal", "/w/yes", "call unlink s:/tmp/w/yes", "call unlink s:/tmp/w/no"),
        ("dentry-not-postfix", "security_inode_unlink", 1, "dentry", "NotPostfix", "/no", "call unlink s:/tmp/w/yes", "call unlink s:/tmp/w/no"),
        ("filename-prefix", "do_filp_open", 1, "filename", "Prefix", "/tmp/w/y", "file read /tmp/w/yes", "file read /tmp/w/no"),
        ("filename-equal", "do_filp_open", 1, "filename", "Equal", "/tmp/w/yes", "file read /tmp/w/yes", "file read /tmp/w/no")]:
    case("op-" + _name, """
kprobes:
- call: %s
  syscall: false
  args: [{index: %d, type: %s}]
  selectors:
  - matchArgs: [{index: %d, operator: %s, values: ["%s"]}]
    matchBinaries: [{operator: In, values: [/test/agent]}]
""" % (_call if not _call.startswith("sys_") else _call + "\n  tags: [mine]", _index, _type, _index, _op, _value),
         "touch /tmp/w/yes /tmp/w/no; agent %s; agent %s" % (_yes, _no), covers="type:%s op:%s" % (_type, _op), count=1,
         skip={"newest": "do_filp_open has another name there"} if _call == "do_filp_open" else None)
    if _call.startswith("sys_"):
        CASES[-1].spec = CASES[-1].spec.replace("syscall: false", "syscall: true")
