# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Sourced by cases.sh, not in emulated machines: labels that several policies select, or none, or no bundle foresaw.

does unselected endpoint add lab/late $(at late) --label app=nothing --name ends
allowed unselected-allows other $late 7001
"$POLLOAD" endpoint del lab/late --name ends
does two-policies endpoint add lab/late $(at late) --label app=server --label tier=front --name ends
allowed two-policies-first client $late 7000
allowed two-policies-second other $late 7000
denied two-policies-neither other $late 7001

# a combination that nobody has foreseen: denied, said, and marked
"$POLLOAD" endpoint del lab/late --name ends
does unforeseen endpoint add lab/late $(at late) --label app=server --label tier=front --label third=yes --label fourth=yes --name ends
says unforeseen-is-said 'everything to it is denied until there is a new bundle'
lists unforeseen-is-marked 'lab/late .*\[ingress deny-all: needs a new bundle\]'
denied unforeseen-denies client $late 7000
denied unforeseen-denies-third client $late 7001
allowed unforeseen-egress-is-exact late 10.77.0.10 7000
"$POLLOAD" endpoint del lab/late --name ends
