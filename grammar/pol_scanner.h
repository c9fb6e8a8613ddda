/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where the scanner is: the bytes of the token it has just matched. */
#ifndef POL_SCANNER_H
#define POL_SCANNER_H

#include <stdint.h>

struct pol_cursor {
	uint32_t begin, end;
};

#endif
