/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What polc specialises in tracing programs. polc_config.h may define any of the names below and
 * nothing else; without it the library compiles with every feature.
 */
#ifndef POLT_TRACE_CONFIG_H
#define POLT_TRACE_CONFIG_H

#if __has_include("polc_config.h")
#include "polc_config.h"
#endif

/* u64 words of binary filters (string domains 0 .. n-1), and of workload bits. */
#ifndef POLT_BINARY_WORDS
#define POLT_BINARY_WORDS 1
#endif
#ifndef POLT_WORKLOAD_WORDS
#define POLT_WORKLOAD_WORDS 1
#endif
/* What a process outside every known cgroup is: initialiser list of POLT_WORKLOAD_WORDS u64. */
#ifndef POLT_HOST_WORKLOADS
#define POLT_HOST_WORKLOADS 0
#endif
/* Policies of the bundle, and selectors; counter number POLT_N_SELECTORS is for specs that have
 * none. */
#ifndef POLT_N_POLICIES
#define POLT_N_POLICIES 1
#endif
#ifndef POLT_N_SELECTORS
#define POLT_N_SELECTORS 1
#endif
/*
 * Arguments of an event start within this many bytes; each may have 4,136 (the longest text). The
 * default has room for five of the longest. Smaller when the specs capture less.
 */
#ifndef POLT_ARGUMENTS_LIMIT
#define POLT_ARGUMENTS_LIMIT 16640
#endif
/* Bytes of arguments that a call keeps from its entry until its return: polt_pending. A multiple of
 * 8; smaller when the specs capture less. */
#ifndef POLT_PENDING_BYTES
#define POLT_PENDING_BYTES 4608
#endif

/* String domains of the kind exist: polt_strings and polt_string_bytes, polt_prefixes, ... */
#ifndef POLT_HAS_STRINGS
#define POLT_HAS_STRINGS 1
#endif
#ifndef POLT_HAS_PREFIXES
#define POLT_HAS_PREFIXES 1
#endif
#ifndef POLT_HAS_POSTFIXES
#define POLT_HAS_POSTFIXES 1
#endif
#ifndef POLT_HAS_AUTOMATA
#define POLT_HAS_AUTOMATA 1
#endif
/* A test looks in polt_intervals (polt_interval, polt_test_pid with followForks). */
#ifndef POLT_HAS_INTERVALS
#define POLT_HAS_INTERVALS 1
#endif
/* A test looks for addresses in sets of networks: polt_nets4, polt_nets6. */
#ifndef POLT_HAS_NETS4
#define POLT_HAS_NETS4 1
#endif
#ifndef POLT_HAS_NETS6
#define POLT_HAS_NETS6 1
#endif
/* A spec or selector is for some workloads only: polt_workloads. */
#ifndef POLT_HAS_WORKLOADS
#define POLT_HAS_WORKLOADS 1
#endif
/* A call is seen at entry and at return by different programs: polt_pending. */
#ifndef POLT_HAS_PENDING
#define POLT_HAS_PENDING 1
#endif
/* rateLimit: polt_rates. */
#ifndef POLT_HAS_RATES
#define POLT_HAS_RATES 1
#endif
/* A policy limits its events: polt_buckets. */
#ifndef POLT_HAS_BUCKETS
#define POLT_HAS_BUCKETS 1
#endif
/* TrackSock: polt_socks. */
#ifndef POLT_HAS_SOCKS
#define POLT_HAS_SOCKS 1
#endif
/* NotifyEnforcer: polt_enforcer. */
#ifndef POLT_HAS_ENFORCER
#define POLT_HAS_ENFORCER 1
#endif
/* imaHash: polt_hashes. */
#ifndef POLT_HAS_IMA
#define POLT_HAS_IMA 1
#endif
/* USDT probes: polt_usdt. */
#ifndef POLT_HAS_USDT
#define POLT_HAS_USDT 1
#endif

/* The programs are run on described calls: described.h. */
#ifndef POLT_DESCRIBED
#define POLT_DESCRIBED 0
#endif
#if POLT_DESCRIBED
#include "described.h"
#endif

#endif
