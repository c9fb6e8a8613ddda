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
/* In a header: a program that does not call it does not get it, and says nothing. */
#define __noinline __attribute__((noinline, unused))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* One whole load or store: the other side is user space or another CPU. */
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile typeof(x) *)&(x) = (value))

/* What the compiler knows about a scalar ends here: a bound that is checked next stays checked. */
#define polt_forget(x) asm volatile("" : "+r"(x))

/*
 * CO-RE (resolved by the loader against the running kernel's BTF). Structures under POLT_KERNEL
 * name only the members that are used; a suffix ___x makes another view of the same structure.
 */
#define POLT_KERNEL __attribute__((preserve_access_index))
#define polt_field_exists(field) __builtin_preserve_field_info(field, 2)
#define polt_field_size(field) __builtin_preserve_field_info(field, 1)
#define polt_type_size(type) __builtin_preserve_type_info(*(typeof(type) *)0, 1)
#define polt_enum_exists(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, 0)
#define polt_enum_value(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, 1)

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

enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2 };
enum { BPF_SK_STORAGE_GET_F_CREATE = 1 };
enum { BPF_F_USER_STACK = 1 << 8 }; /* bpf_get_stack */

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_map_update_elem)(
	void *map, const void *key, const void *value, __u64 flags) = (void *)2;
static long (*bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static __u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static __u32 (*bpf_get_smp_processor_id)(void) = (void *)8;
static __u64 (*bpf_get_current_pid_tgid)(void) = (void *)14; /* tgid in the upper half */
static long (*bpf_skb_load_bytes)(
	const void *skb, __u32 offset, void *to, __u32 length) = (void *)26;
static __u64 (*bpf_get_current_task)(void) = (void *)35;
static long (*bpf_probe_write_user)(void *to, const void *from, __u32 length) = (void *)36;
static long (*bpf_override_return)(void *regs, __u64 result) = (void *)58; /* kprobes only */
static long (*bpf_get_stack)(void *ctx, void *to, __u32 size, __u64 flags) = (void *)67;
static __u64 (*bpf_get_current_cgroup_id)(void) = (void *)80; /* of cgroup v2 */
static void *(*bpf_get_local_storage)(void *map, __u64 flags) = (void *)81;
static struct bpf_sock *(*bpf_sk_fullsock)(struct bpf_sock *sk) = (void *)95; /* 5.1 */
static void *(*bpf_sk_storage_get)(
	void *map, void *sk, void *value, __u64 flags) = (void *)107;                     /* 5.2 */
static long (*bpf_send_signal)(__u32 signal) = (void *)109;                               /* 5.3 */
static long (*bpf_probe_read_user)(void *to, __u32 size, const void *from) = (void *)112; /* 5.5 */
static long (*bpf_probe_read_kernel)(void *to, __u32 size, const void *from) = (void *)113;
/* The size with the NUL that they write, or an error. */
static long (*bpf_probe_read_user_str)(void *to, __u32 size, const void *from) = (void *)114;
static long (*bpf_probe_read_kernel_str)(void *to, __u32 size, const void *from) = (void *)115;
static __u64 (*bpf_jiffies64)(void) = (void *)118;         /* 5.6 */
static __u64 (*bpf_ktime_get_boot_ns)(void) = (void *)125; /* 5.8 */
static long (*bpf_ringbuf_output)(
	void *ringbuf, void *data, __u64 size, __u64 flags) = (void *)130; /* 5.8 */
static void *(*bpf_ringbuf_reserve)(void *ringbuf, __u64 size, __u64 flags) = (void *)131;
static void (*bpf_ringbuf_submit)(void *data, __u64 flags) = (void *)132;

/* Newer than 5.10: only behind polt_has_helper(). */
enum bpf_func_id {
	BPF_FUNC_get_current_task_btf = 158, /* 5.11 */
	BPF_FUNC_get_func_ip = 173,          /* 5.15 */
	BPF_FUNC_get_attach_cookie = 174,    /* 5.15 */
	BPF_FUNC_task_pt_regs = 175,         /* 5.15 */
	BPF_FUNC_ima_inode_hash = 161,       /* 5.11, in programs that may sleep */
	BPF_FUNC_ima_file_hash = 193,        /* 5.18, likewise */
};
static void *(*bpf_get_current_task_btf)(void) = (void *)158;
static __u64 (*bpf_get_func_ip)(void *ctx) = (void *)173;
static __u64 (*bpf_get_attach_cookie)(void *ctx) = (void *)174;
static void *(*bpf_task_pt_regs)(void *task) = (void *)175;
static long (*bpf_ima_inode_hash)(void *inode, void *to, __u32 size) = (void *)161;
static long (*bpf_ima_file_hash)(void *file, void *to, __u32 size) = (void *)193;
/* A constant to the verifier: the branch that is not taken is not looked at. */
#define polt_has_helper(name) polt_enum_exists(enum bpf_func_id, BPF_FUNC_##name)

#endif
