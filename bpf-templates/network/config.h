/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What polc specialises. polc_config.h, generated for one set of policies, may define any of the
 * names below and nothing else; without it the templates compile with every feature.
 */
#ifndef POLT_CONFIG_H
#define POLT_CONFIG_H

#if __has_include("polc_config.h")
#include "polc_config.h"
#endif

/* Hooks: 1 when the object has programs for them. */
#ifndef POLT_HOOK_CGROUP
#define POLT_HOOK_CGROUP 1
#endif
#ifndef POLT_HOOK_TC
#define POLT_HOOK_TC 1
#endif

/* u64 words of a full bit vector, and the capacity of a sparse class. */
#ifndef POLT_WORDS
#define POLT_WORDS 4
#endif
#ifndef POLT_CLASS_WORDS
#define POLT_CLASS_WORDS 4
#endif
/* Some rule names ports; otherwise there is one port class and no map of them. */
#ifndef POLT_HAS_PORTS
#define POLT_HAS_PORTS 1
#endif
/* Most steps of any row; 0: rows are defaults only. */
#ifndef POLT_MAX_STEPS
#define POLT_MAX_STEPS 8
#endif
/* Some step passes to a later tier. */
#ifndef POLT_HAS_PASS
#define POLT_HAS_PASS 1
#endif
/* CIDR selectors of the family: the longest-prefix maps exist. */
#ifndef POLT_HAS_CIDR4
#define POLT_HAS_CIDR4 1
#endif
#ifndef POLT_HAS_CIDR6
#define POLT_HAS_CIDR6 1
#endif
/* Policies that can be switched between audit and enforce: tables are looked up in polt_tables. */
#ifndef POLT_HAS_SWITCHABLE
#define POLT_HAS_SWITCHABLE 1
#endif
/*
 * Rules whose new flows are reported: POLT_LOG_WORDS u64 (0: none), bit n % 64 of word n / 64 is
 * rule number n; POLT_LOG_BITS is their initialiser list.
 */
#ifndef POLT_LOG_WORDS
#define POLT_LOG_WORDS 0
#endif

#endif
