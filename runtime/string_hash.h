/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The hash of texts is part of the ABI with programs: polb_string_hash_piece(). */
#ifndef POLB_STRING_HASH_H
#define POLB_STRING_HASH_H

#include "trace_abi.h"

#endif
