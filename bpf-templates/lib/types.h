/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel's fixed-width types. polc gives clang a directory in which this file is also
 * <linux/types.h>, so that an object does not depend on the headers of the machine it was built
 * on. A second definition of the same type is valid C11: it may meet the real one.
 */
#ifndef POLT_LIB_TYPES_H
#define POLT_LIB_TYPES_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;

#define NULL ((void *)0)

typedef _Bool bool;
enum { false, true };

#endif
