/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Addresses and prefixes: strict text in, canonical text out (RFC 5952), order and containment. */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static unsigned int family_bits(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

int polb_addr_parse(const char *text, struct polb_addr *out)
{
	struct polb_addr addr = {.family = strchr(text, ':') ? 6 : 4};

	if (inet_pton(addr.family == 4 ? AF_INET : AF_INET6, text, addr.bytes) != 1)
		return -EINVAL;
	*out = addr;
	return 0;
}

/* A prefix length: digits only, no leading zero, at most max. */
static int len_parse(const char *text, unsigned int max, uint8_t *out)
{
	unsigned int value = 0;
	size_t n = strlen(text);

	if (n == 0 || n > 3 || (n > 1 && text[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		value = value * 10 + (unsigned int)(text[i] - '0');
	}
	if (value > max)
		return -EINVAL;
	*out = (uint8_t)value;
	return 0;
}

static void clear_host_bits(struct polb_prefix *prefix)
{
	uint8_t *bytes = prefix->addr.bytes;
	unsigned int full = prefix->len / 8, rest = prefix->len % 8;

	if (full >= sizeof(prefix->addr.bytes))
		return;
	bytes[full] &= (uint8_t)(0xff00u >> rest);
	memset(bytes + full + 1, 0, sizeof(prefix->addr.bytes) - full - 1);
}

int polb_prefix_parse(const char *text, bool bare_ok, struct polb_prefix *out)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	struct polb_prefix prefix = {0};
	char addr[POLB_ADDR_TEXT];

	if ((!slash && !bare_ok) || n >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, n);
	addr[n] = '\0';
	if (polb_addr_parse(addr, &prefix.addr))
		return -EINVAL;
	prefix.len = (uint8_t)family_bits(prefix.addr.family);
	if (slash && len_parse(slash + 1, prefix.len, &prefix.len))
		return -EINVAL;
	clear_host_bits(&prefix);
	*out = prefix;
	return 0;
}

void polb_addr_format(const struct polb_addr *addr, char out[POLB_ADDR_TEXT])
{
	if (!inet_ntop(addr->family == 4 ? AF_INET : AF_INET6, addr->bytes, out, POLB_ADDR_TEXT))
		out[0] = '\0';
}

void polb_prefix_format(const struct polb_prefix *prefix, char out[POLB_ADDR_TEXT])
{
	size_t n;

	polb_addr_format(&prefix->addr, out);
	n = strlen(out);
	snprintf(out + n, POLB_ADDR_TEXT - n, "/%u", prefix->len);
}

static bool same_leading_bits(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int full = bits / 8, rest = bits % 8;

	if (memcmp(a, b, full) != 0)
		return false;
	return rest == 0 || ((a[full] ^ b[full]) & (0xff00u >> rest) & 0xff) == 0;
}

bool polb_prefix_has(const struct polb_prefix *prefix, const struct polb_addr *addr)
{
	return prefix->addr.family == addr->family &&
	       same_leading_bits(prefix->addr.bytes, addr->bytes, prefix->len);
}

bool polb_prefix_covers(const struct polb_prefix *outer, const struct polb_prefix *inner)
{
	return outer->len <= inner->len && polb_prefix_has(outer, &inner->addr);
}

int polb_addr_compare(const struct polb_addr *a, const struct polb_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

int polb_prefix_compare(const struct polb_prefix *a, const struct polb_prefix *b)
{
	int order = polb_addr_compare(&a->addr, &b->addr);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

bool polb_addr_is_v4_mapped(const struct polb_addr *addr)
{
	static const uint8_t head[12] = {[10] = 0xff, [11] = 0xff};

	return addr->family == 6 && memcmp(addr->bytes, head, sizeof(head)) == 0;
}
