/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a program needs of BPF itself: sections, BTF-defined maps, helper numbers, memory access
 * that the compiler must not split. Numbers are the kernel's ABI (include/uapi/linux/bpf.h); each
 * helper names the kernel it came with.
 */
#ifndef POLT_LIB_BPF_H
#define POLT_LIB_BPF_H

#include "types.h"

#define SEC(name) __attribute__((section(name), used))
#undef __always_inline /* linux/stddef.h has a weaker one */
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* One whole load or store: the other side is user space or another CPU. */
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile typeof(x) *)&(x) = (value))

/* The members of a map definition (libbpf's convention: the type is the value). */
#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name

enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_LPM_TRIE = 11,
	BPF_MAP_TYPE_CGROUP_STORAGE = 19,
	BPF_MAP_TYPE_SK_STORAGE = 24, /* 5.2; in cgroup_skb programs 5.3 */
	BPF_MAP_TYPE_RINGBUF = 27,    /* 5.8 */
};

enum {
	BPF_F_NO_PREALLOC = 1u << 0,
	BPF_F_MMAPABLE = 1u << 10, /* 5.5 */
};

enum { BPF_ANY = 0 };
enum { BPF_SK_STORAGE_GET_F_CREATE = 1 };

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_map_update_elem)(
	void *map, const void *key, const void *value, __u64 flags) = (void *)2;
static long (*bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static __u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static long (*bpf_skb_load_bytes)(
	const void *skb, __u32 offset, void *to, __u32 length) = (void *)26;
static void *(*bpf_get_local_storage)(void *map, __u64 flags) = (void *)81;
static struct bpf_sock *(*bpf_sk_fullsock)(struct bpf_sock *sk) = (void *)95; /* 5.1 */
static void *(*bpf_sk_storage_get)(
	void *map, void *sk, void *value, __u64 flags) = (void *)107; /* 5.2 */
static __u64 (*bpf_jiffies64)(void) = (void *)118;                    /* 5.6 */
static void *(*bpf_ringbuf_reserve)(void *ringbuf, __u64 size, __u64 flags) = (void *)131;
static void (*bpf_ringbuf_submit)(void *data, __u64 flags) = (void *)132;

#endif
