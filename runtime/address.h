/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* IPv4/IPv6 addresses and prefixes, parsed strictly. Shared by the compiler and the loader. */
#ifndef POLB_ADDRESS_H
#define POLB_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLB_ADDR_TEXT 64

struct polb_addr {
	uint8_t family;    /* 4 or 6 */
	uint8_t bytes[16]; /* network order; IPv4 uses the first four, the rest is zero */
};

struct polb_prefix {
	struct polb_addr addr; /* host bits cleared */
	uint8_t len;           /* 0..32 or 0..128 */
};

/* Both return 0 or -EINVAL; no white space, no leading zeros in IPv4, no zone. */
int polb_addr_parse(const char *text, struct polb_addr *out);
/*
 * "address/len". Host bits are tolerated and cleared (Cilium and Kubernetes do so). A bare address
 * is accepted only with bare_ok and means /32 or /128.
 */
int polb_prefix_parse(const char *text, bool bare_ok, struct polb_prefix *out);
void polb_addr_format(const struct polb_addr *addr, char out[POLB_ADDR_TEXT]);
void polb_prefix_format(const struct polb_prefix *prefix, char out[POLB_ADDR_TEXT]);
bool polb_prefix_has(const struct polb_prefix *prefix, const struct polb_addr *addr);
bool polb_prefix_covers(const struct polb_prefix *outer, const struct polb_prefix *inner);
int polb_addr_compare(const struct polb_addr *a, const struct polb_addr *b); /* family, bytes */
int polb_prefix_compare(const struct polb_prefix *a, const struct polb_prefix *b); /* addr, len */
bool polb_addr_is_v4_mapped(const struct polb_addr *addr); /* ::ffff:0:0/96 */

#endif
