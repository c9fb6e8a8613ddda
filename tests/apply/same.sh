# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Sourced by cases.sh, not in emulated machines: what a dry run says, and when an apply has nothing to do.

# --- dry run ----------------------------------------------------------------------------------------

apply dry-run-first first --dry-run
has dry-run-says-attach 'attach .*live/server .*cgroup */server' "$work/out"
is dry-run-leaves-nothing "" "$(pins)"
is dry-run-enforces-nothing none "$(in_force)"
if polload apply "$work/nothing" --dry-run; then not_ok dry-run-no-file "exit 0"; else ok dry-run-no-file; fi

# --- the same again ---------------------------------------------------------------------------------

apply first first
is first-in-force first "$(in_force)"
was=$(status .generation)
before=$(pins)
apply same first
said same-says-so 'already in force'
is same-generation "$was" "$(status .generation)"
is same-pins "$before" "$(pins)"
apply other-options first --room 7
is other-options-generation $((was + 1)) "$(status .generation)"
apply dry-run-json third --dry-run -o json
is dry-run-digest "$(sha256sum </dev/null | wc -c)" "$(jq -r '.digest + "..."' "$work/out" | wc -c)"
is dry-run-replaces $((was + 1)) "$(jq .replaces "$work/out")"
is dry-run-counts-memory true "$(jq '.map_bytes > 10000' "$work/out")"
is dry-run-changes-nothing $((was + 1)) "$(status .generation)"
mkdir "$LAB_CGROUPS/spare"
polload endpoint add live/late --cgroup spare
apply runtime-endpoint first --room 7
is runtime-endpoint-alive $((was + 1)) "$(status .generation)"
rmdir "$LAB_CGROUPS/spare" && mkdir "$LAB_CGROUPS/spare"
apply recreated-cgroup first --room 7
is recreated-cgroup-generation $((was + 2)) "$(status .generation)"
polload mode audit
apply mode-dropped first --room 7
is mode-dropped-enforces enforce "$(status .mode)"
