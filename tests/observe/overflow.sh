# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Sourced by cases.sh, not in emulated machines, which have no Python.

# what found no room (as the programs count it, under the key of zeros) is told, and goes over an apply
python3 - /sys/fs/bpf/polc/main/g*/polt_audited <<END || not_ok report-overflow-made "exit status $?"
import ctypes, os, platform, struct, sys
libc, number = ctypes.CDLL(None, use_errno=True), {"x86_64": 321, "aarch64": 280}[platform.machine()]
def bpf(command, *words):
    attributes = ctypes.create_string_buffer(struct.pack("<%dQ" % len(words), *words), 128)
    return libc.syscall(number, command, attributes, 128)
made = 0
for path in sys.argv[1:]:
    name = ctypes.create_string_buffer(path.encode())
    fd = bpf(7, ctypes.addressof(name), 0)
    sizes = dict(line.split(":") for line in open("/proc/self/fdinfo/%d" % fd).read().splitlines() if ":" in line)
    key = ctypes.create_string_buffer(int(sizes["key_size"]))
    value = ctypes.create_string_buffer(struct.pack("<QQ", 0, 77), int(sizes["value_size"]))
    made += bpf(2, fd, ctypes.addressof(key), ctypes.addressof(value), 0) == 0
sys.exit(not made)
END
says report-overflow '77 more packets were not kept: there was no room' report
says report-overflow-json '"not_kept":77' report -o json
does report-overflow-apply apply "$work/closed.o" --name main --node node-a --audit --room 2000
says report-overflow-carried '77 more packets were not kept' report
