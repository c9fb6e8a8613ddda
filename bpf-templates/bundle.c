/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The one translation unit of a bundle: the programs of its network policies, of its tracing
 * policies, or both. polc_config.h says which; without it this is the network half.
 */
#if __has_include("polc_config.h")
#include "polc_config.h"
#endif

#ifndef POLT_NETWORK
#define POLT_NETWORK 1
#endif
#ifndef POLT_TRACING
#define POLT_TRACING 0
#endif

#if POLT_NETWORK
#include "network/network.c"
#endif
#if POLT_TRACING
#include "tracing/tracing.c"
#endif
