/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tracing programs (bpf-templates/tracing.md): the library, then what polc generated for one set of
 * policies: a function per hook and the programs that call it.
 */
#include "config.h"
#include "kernel.h"
#include "scratch.h"
#include "strings.h"
#include "path.h"
#include "process.h"
#include "context.h"
#include "policy.h"
#include "values.h"
#include "net.h"
#include "tests.h"
#include "actions.h"
#include "events.h"
#include "arguments.h"
#include "ima.h"
#include "records.h"

#if __has_include("polc_tracing.h")
#include "polc_tracing.h"
#endif
