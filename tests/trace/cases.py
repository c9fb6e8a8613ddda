# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The table of the tracing tests, all of it: cases_*.py by topic, table.py says what a row is."""
import copy

import cases_actions  # noqa: F401
import cases_hooks  # noqa: F401
import cases_network  # noqa: F401
import cases_processes  # noqa: F401
import cases_values  # noqa: F401
from table import CASES, FILES  # noqa: F401


def by_kprobe(name):
    """A row again where fentry and fexit are not to be used: the fallback of kernels without trampolines."""
    row = copy.copy(next(c for c in CASES if c.name == name))
    row.name, row.apply = name + "-by-kprobe", "--avoid fentry,fexit"
    row.after, row.after_out = "polload status", ["kprobe"]
    row.events = [{k: row.name if k.endswith("policy_name") else v for k, v in e.items()} for e in row.events]
    CASES.append(row)


for _name in ("hook-syscall", "hook-syscall-return", "hook-security-return", "hook-fentry", "hook-fentry-return", "hook-list",
              "file-equal", "file-prefix", "file-type", "net-daddr", "net-sport", "net-skb", "record-cred", "string-equal",
              "bytes-char-buf", "bytes-return-copy", "return-args", "return-actions", "return-sock", "action-sigkill",
              "action-stack", "action-track-sock", "action-untrack-sock", "resolve-member", "data-task", "sel-binaries-children"):
    by_kprobe(_name)
