/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What pointers of described calls point at: by type of the value. */
#ifndef POLC_DESCRIBED_OBJECTS_H
#define POLC_DESCRIBED_OBJECTS_H

#include "described.h"

/* The value's 64 bits: an address, or the number of a file. *size: what programs are to be told. */
uint64_t polc_described_object(struct polc_layout *l, const struct polc_trace_value *value,
	const struct polc_call_value *said, uint64_t *size);
/* The object itself at this address: texts, capabilities, struct path. */
void polc_described_object_at(struct polc_layout *l, const struct polc_trace_value *value,
	const struct polc_call_value *said, uint64_t address);

/* described_net.c */
uint64_t polc_described_net(struct polc_layout *l, const struct polc_trace_value *value,
	const struct polc_call_value *said);

#endif
