/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Network policies that can be switched between audit and enforce while their bundle is in force:
 * which table decides, by the modes. Modes are one __u32 per record of .polc.switchable: 0 enforce,
 * 1 audit.
 */
#ifndef POLB_VARIANTS_H
#define POLB_VARIANTS_H

#include "bundle.h"

/* The variant record of a table; NULL: no switchable policy has a part in it. */
const struct polb_bundle_variant *polb_variant_find(const struct polb_bundle *bundle, __u32 table);
/* The tables that stand for `table`, as POLB_TABLES(). */
__u64 polb_table_of_modes(const struct polb_bundle *bundle, __u32 table, const __u32 *modes);
/* The same for all manifest.n_tables of them. */
void polb_tables_of_modes(const struct polb_bundle *bundle, const __u32 *modes, __u64 *tables);
/* Modes at start, malloc'd: `modes`, or if NULL the bundle's own. NULL: out of memory. */
__u32 *polb_modes_initial(const struct polb_bundle *bundle, const __u32 *modes);

#endif
