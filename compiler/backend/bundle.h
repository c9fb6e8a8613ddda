/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From a plan to a bundle: the generated header, clang, the .polc.* sections. Owns the object
 * cache ($XDG_CACHE_HOME/polc). Templates are embedded in the compiler at build time.
 */
#ifndef POLC_BUNDLE_H
#define POLC_BUNDLE_H

#include "../../runtime/bundle.h"
#include "plan.h"
#include "plan_tracing.h"

struct polc_build_options {
	uint32_t hooks;     /* POLB_HOOK_*; 0: what the endpoints need, else cgroup and tc */
	const char *keep_c; /* directory for the C that clang sees, or NULL */
	const char *clang;  /* program; NULL: $POLC_CLANG, else "clang" */
	bool no_source;     /* leave .polc.source out */
	bool no_cache;
	bool audit;
	uint32_t flow_entries; /* 0: 65536 */
	enum polc_dialect dialect;
	const char *cluster_name;
	const uint8_t *inventory_hash;           /* 32 bytes or NULL */
	const struct polc_tracing_plan *tracing; /* or NULL: no tracing policies */
	const struct polc_inventory *inventory;  /* with tracing: whose cgroups are workloads */
	const char *policy_text; /* for .polc.policy, or NULL; left out with no_source */
	bool only_tracing;       /* no network programs and maps: there are no network policies */
};

/*
 * Compiles; the bundle's bytes are malloc'd. 0, or -errno with the environment's error already
 * printed (no clang, clang failed: its first lines are shown).
 */
int polc_bundle_build(struct polc *polc, const struct polc_plan *plan,
	const struct polc_build_options *options, void **out, size_t *out_size);
/* Its tables, as the loader gets them; no program is compiled. Arena-owned. */
const struct polb_bundle *polc_bundle_describe(
	struct polc *polc, const struct polc_plan *plan, const struct polc_build_options *options);
/* `explain --plan` of network policies; as text or as one JSON object. */
void polc_plan_network_print(
	struct polc *polc, const struct polc_plan *plan, bool json, struct polc_buf *out);
/* What specialises the templates, all of it: equal texts give equal programs. Arena-owned. */
const char *polc_bundle_programs(
	struct polc *polc, const struct polc_plan *plan, const struct polc_build_options *options);
/* The generated header that specialises the templates (golden tests, --keep-c). */
void polc_emit_network_header(const struct polc_plan *plan,
	const struct polc_build_options *options, struct polc_buf *out);
/* Runs clang on the specialised templates; object bytes malloc'd. 0 or -errno (printed). */
int polc_clang_compile(struct polc *polc, const char *header,
	const struct polc_build_options *options, void **object, size_t *size);

#endif
