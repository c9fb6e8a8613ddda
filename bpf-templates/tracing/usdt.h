/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Arguments of USDT probes: where they are, the loader read in the file's notes. */
#ifndef POLT_USDT_H
#define POLT_USDT_H

#include "context.h"

#if POLT_HAS_USDT
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct polb_usdt_key);
	__type(value, struct polb_usdt);
} polt_usdt SEC(".maps");

static __always_inline const struct polb_usdt_argument *polt_usdt_find(
	void *ctx, __u32 probe, const int n)
{
	struct polb_usdt_key key = {.probe = probe};

	if (polt_has_helper(get_attach_cookie))
		key.location = bpf_get_attach_cookie(ctx);
	struct polb_usdt *usdt = bpf_map_lookup_elem(&polt_usdt, &key);
	if (!usdt || n >= POLB_USDT_ARGUMENTS || n >= usdt->n_arguments)
		return NULL;
	return &usdt->arguments[n];
}

/* A register at an offset that is not known before. */
static __always_inline __u64 polt_usdt_register(void *ctx, __u64 offset)
{
	__u64 value = 0;

	polt_forget(offset);
	if (offset <= sizeof(struct pt_regs) - 8)
		bpf_probe_read_kernel(&value, sizeof(value), ctx + offset);
	return value;
}

/* The user address of an argument in memory; false: it is a constant or in a register. */
static __always_inline bool polt_usdt_address_of(
	void *ctx, const struct polb_usdt_argument *argument, __u64 *address)
{
	if (argument->kind != POLB_USDT_MEMORY && argument->kind != POLB_USDT_INDEXED)
		return false;
	*address = polt_usdt_register(ctx, argument->register_offset) + argument->constant;
	if (argument->kind == POLB_USDT_INDEXED)
		*address += polt_usdt_register(ctx, argument->index_offset)
			    << (argument->shift & 3);
	return true;
}

static __noinline bool polt_usdt_address(void *ctx, __u32 probe, int n, __u64 *address)
{
	const struct polb_usdt_argument *argument = polt_usdt_find(ctx, probe, n);

	return argument && polt_usdt_address_of(ctx, argument, address);
}

static __always_inline __u64 polt_usdt_extend(__u64 raw, const struct polb_usdt_argument *argument)
{
	__u32 shift = 64 - 8 * (argument->size & 15);

	if (argument->size == 0 || argument->size > 8)
		return raw;
	return argument->is_signed ? (__u64)((__s64)(raw << shift) >> shift)
				   : raw << shift >> shift;
}

static __always_inline bool polt_usdt_read(
	__u64 *raw, const struct polb_usdt_argument *argument, __u64 address)
{
	__u64 size = argument->size;

	polt_forget(size);
	return size <= 8 && bpf_probe_read_user(raw, size, (const void *)address) == 0;
}

/* Argument n of the probe, in 64 bits; false: the probe has none, or its memory cannot be read. */
static __noinline bool polt_usdt_argument(void *ctx, __u32 probe, int n, __s64 *out)
{
	const struct polb_usdt_argument *argument = polt_usdt_find(ctx, probe, n);
	__u64 raw = 0, address = 0;

	if (!argument)
		return false;
	if (argument->kind == POLB_USDT_CONSTANT)
		raw = argument->constant;
	else if (argument->kind == POLB_USDT_REGISTER)
		raw = polt_usdt_register(ctx, argument->register_offset);
	else if (!polt_usdt_address_of(ctx, argument, &address) ||
		 !polt_usdt_read(&raw, argument, address))
		return false;
	*out = polt_usdt_extend(raw, argument);
	return true;
}
#endif

#endif
