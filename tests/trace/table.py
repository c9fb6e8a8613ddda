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
                 exit=0, skip=None, annotations="", policy=None, second=None, applied=(), pol=None):
        self.name, self.spec, self.run, self.covers, self.kind = name, spec, run, covers.split(), kind
        self.events, self.no_events, self.count = list(events), list(no_events), count
        self.out, self.not_out, self.after_out = list(out), list(not_out), list(after_out)
        self.inventory, self.build, self.before, self.after, self.apply = inventory, list(build), before, after, apply
        self.exit, self.skip, self.annotations, self.policy = exit, skip or {}, annotations, policy
        self.applied = list(applied)  # regular expressions on what apply says
        self.pol = pol  # the policy in polc's own language, instead of spec
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
