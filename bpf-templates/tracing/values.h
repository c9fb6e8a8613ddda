/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Values of arguments. Texts are read into scratch->text, of which there is one: a text is tested
 * and put into the event (polt_put_text) before the next is read. Each function returns the size in
 * bytes without NUL, or < 0 when it could not be read; POLT_TEXT_STEP zero bytes follow the text.
 */
#ifndef POLT_VALUES_H
#define POLT_VALUES_H

#include "scratch.h"
#include "kernel.h"
#include "context.h"

enum { POLT_TEXT_MAX = POLB_PATH_BYTES - 1 };

/* Ends a text of `size` bytes; < 0 stays what it is. */
static __always_inline int polt_text_end(struct polt_scratch *s, __s64 size)
{
	__u64 at = size;

	polt_forget(at);
	if (at > POLT_TEXT_MAX)
		return -1;
	__u64 *end = (__u64 *)(s->text + at);
	end[0] = end[1] = end[2] = end[3] = 0;
	return at;
}
_Static_assert(POLT_TEXT_STEP == 32, "polt_text_end() writes as many zeros");

/* NUL-terminated; at most 4,095 bytes (cut behind). */
static __noinline int polt_text_string(struct polt_scratch *s, __u64 pointer, bool user)
{
	const void *from = (const void *)pointer;
	__s64 n = user ? bpf_probe_read_user_str(s->text, POLB_PATH_BYTES, from)
		       : bpf_probe_read_kernel_str(s->text, POLB_PATH_BYTES, from);

	return polt_text_end(s, n - 1);
}

/* `size` bytes, at most 4,095 of them. */
static __noinline int polt_text_bytes(struct polt_scratch *s, __u64 pointer, __u64 size, bool user)
{
	const void *from = (const void *)pointer;

	polt_forget(size);
	if (size > POLT_TEXT_MAX)
		size = POLT_TEXT_MAX;
	__s64 err = user ? bpf_probe_read_user(s->text, size, from)
			 : bpf_probe_read_kernel(s->text, size, from);
	return err ? -1 : polt_text_end(s, size);
}

struct filename {
	const char *name;
} POLT_KERNEL;
/* struct filename * */
static __noinline int polt_text_filename(struct polt_scratch *s, __u64 filename)
{
	const char *name = NULL;

	if (bpf_probe_read_kernel(&name, sizeof(name), &((struct filename *)filename)->name))
		return -1;
	return polt_text_string(s, (__u64)name, false);
}

struct net_device {
	char name[16];
} POLT_KERNEL;
/* struct net_device * */
static __noinline int polt_text_net_device(struct polt_scratch *s, __u64 device)
{
	return polt_text_end(s,
		bpf_probe_read_kernel_str(s->text, 16, &((struct net_device *)device)->name) - 1);
}

/* A __data_loc field of a tracepoint: `where` is its value (polt_field(ctx, offset, 4)). */
static __noinline int polt_text_data_loc(struct polt_scratch *s, void *ctx, __u32 where)
{
	__u64 offset = where & 0xffff, size = where >> 16;

	polt_forget(size);
	if (size > POLB_PATH_BYTES)
		size = POLB_PATH_BYTES;
	return polt_text_end(s, bpf_probe_read_kernel_str(s->text, size, ctx + offset) - 1);
}

/* A fixed array in a tracepoint's record. */
static __noinline int polt_text_field(struct polt_scratch *s, void *ctx, __u32 offset, __u32 size)
{
	__u64 at = offset & 0xffff, n = size;

	polt_forget(n);
	if (n > POLT_TEXT_MAX)
		n = POLT_TEXT_MAX;
	return bpf_probe_read_kernel(s->text, n, ctx + at) ? -1 : polt_text_end(s, n);
}

/* --- vectors -------------------------------------------------------------------------------------
 */

struct polt_iovec {
	__u64 base, size;
};
enum { POLT_IOVECS = 7 };

/* The first 7 of `n` struct iovec (their array and what they point at: user memory), one behind the
 * other; *total: bytes of those. */
static __noinline int polt_text_iovec(struct polt_scratch *s, __u64 iovec, __u64 n, __u64 *total)
{
	__u64 at = 0;

	*total = 0;
	for (int i = 0; i < POLT_IOVECS && i < n; i++) {
		struct polt_iovec one = {};

		if (bpf_probe_read_user(&one, sizeof(one), (const void *)(iovec + i * sizeof(one))))
			return -1;
		*total += one.size;
		__u64 room = POLT_TEXT_MAX - at, size = one.size < room ? one.size : room;
		polt_forget(size);
		polt_forget(at);
		if (size > POLT_TEXT_MAX || at > POLT_TEXT_MAX)
			return -1;
		if (bpf_probe_read_user(s->text + at, size, (const void *)one.base))
			return -1;
		at += size;
	}
	return polt_text_end(s, at);
}

enum iter_type { ITER_IOVEC, ITER_KVEC, ITER_UBUF };
struct iov_iter { /* 6.4; ubuf and its type 6.0 */
	__u8 iter_type;
	unsigned long iov_offset, count;
	const void *ubuf;
	const struct polt_iovec *__iov;
} POLT_KERNEL;
struct iov_iter___iov { /* before 6.4 */
	const struct polt_iovec *iov;
} POLT_KERNEL;
struct iov_iter___type { /* before 5.14: with the direction in bit 0 */
	unsigned int type;
} POLT_KERNEL;

static __always_inline __u32 polt_iov_iter_type(const struct iov_iter *iter)
{
	const struct iov_iter___type *old = (const void *)iter;
	__u8 type = 255;
	__u32 word = 0;

	if (polt_field_exists(old->type)) {
		bpf_probe_read_kernel(&word, sizeof(word), &old->type);
		return word & ~1u;
	}
	bpf_probe_read_kernel(&type, sizeof(type), &iter->iter_type);
	return type;
}

static __always_inline bool polt_iov_iter_vector(
	const struct iov_iter *iter, struct polt_iovec *first)
{
	const struct iov_iter___iov *old = (const void *)iter;
	const void *vector = NULL;

	if (polt_field_exists(old->iov))
		bpf_probe_read_kernel(&vector, sizeof(vector), &old->iov);
	else
		bpf_probe_read_kernel(&vector, sizeof(vector), &iter->__iov);
	return bpf_probe_read_kernel(first, sizeof(*first), vector) == 0;
}

struct polt_iov_memory {
	__u64 pointer, size; /* of the first segment, what is left of it */
	__u64 total;         /* left in all segments */
	bool user;
};
/* Where a struct iov_iter is; false: not plain memory (pages, pipes), or unreadable. */
static __noinline bool polt_iov_iter_memory(__u64 address, struct polt_iov_memory *out)
{
	const struct iov_iter *iter = (const void *)address;
	__u32 type = polt_iov_iter_type(iter);
	struct polt_iovec first = {};
	__u64 offset = 0;

	bpf_probe_read_kernel(&offset, sizeof(offset), &iter->iov_offset);
	if (bpf_probe_read_kernel(&out->total, sizeof(out->total), &iter->count))
		return false;
	out->user = type != polt_enum_value(enum iter_type, ITER_KVEC);
	if (polt_enum_exists(enum iter_type, ITER_UBUF) &&
		type == polt_enum_value(enum iter_type, ITER_UBUF)) {
		bpf_probe_read_kernel(&first.base, sizeof(first.base), &iter->ubuf);
		first.size = out->total + offset;
	} else if (out->user && type != polt_enum_value(enum iter_type, ITER_IOVEC)) {
		return false;
	} else if (!polt_iov_iter_vector(iter, &first)) {
		return false;
	}
	out->pointer = first.base + offset;
	out->size = first.size > offset ? first.size - offset : 0;
	if (out->size > out->total)
		out->size = out->total;
	return true;
}

/* --- unix sockets --------------------------------------------------------------------------------
 */

enum { POLT_AF_UNIX = 1, POLT_UNIX_PATH = 108 };
struct polt_unix {
	__u16 family; /* AF_* */
	bool abstract;
};

/* The bytes of scratch->text up to the last that is not 0, of its first 112. Global, so that what
 * comes after it is verified once and not for each size. */
__noinline int polt_text_trimmed(__u32 slot)
{
	struct polt_scratch *s = polt_scratch_at(slot);

	if (!s)
		return 0;
	for (int i = POLT_UNIX_PATH + 4; i > 0; i--)
		if (s->text[i - 1])
			return i;
	return 0;
}

/* An abstract name: '@' and its bytes without the NULs behind. */
static __always_inline int polt_text_abstract(
	struct polt_scratch *s, const void *path, __u64 room, bool user)
{
	polt_forget(room);
	if (room > POLT_UNIX_PATH - 1)
		room = POLT_UNIX_PATH - 1;
	__builtin_memset(s->text, 0, POLT_UNIX_PATH + 4);
	s->text[0] = '@';
	__s64 err = user ? bpf_probe_read_user(s->text + 1, room, path + 1)
			 : bpf_probe_read_kernel(s->text + 1, room, path + 1);
	return err ? -1 : polt_text_end(s, polt_text_trimmed(s->slot));
}

/*
 * sun_path of a struct sockaddr_un: a path, or '@' and an abstract name. size: addrlen, 0 when the
 * call does not say (an abstract name then ends before its trailing NULs, or what looks like it).
 * Another family: size 0 and *out says which; its strings are unknown.
 */
static __noinline int polt_text_unix(
	struct polt_scratch *s, __u64 address, __u32 size, bool user, struct polt_unix *out)
{
	const void *path = (const void *)(address + 2);
	__u64 room = size > 3 ? size - 3 : size ? 0 : POLT_UNIX_PATH - 1;
	char first = 0;

	out->abstract = false;
	out->family = 0;
	if (user ? bpf_probe_read_user(&out->family, 2, (const void *)address)
		 : bpf_probe_read_kernel(&out->family, 2, (const void *)address))
		return -1;
	if (out->family != POLT_AF_UNIX || (size && size < 3))
		return polt_text_end(s, 0);
	if (user ? bpf_probe_read_user(&first, 1, path) : bpf_probe_read_kernel(&first, 1, path))
		return -1;
	out->abstract = !first;
	if (!first)
		return polt_text_abstract(s, path, room, user);
	return polt_text_end(
		s, (user ? bpf_probe_read_user_str(s->text, POLT_UNIX_PATH + 1, path)
			 : bpf_probe_read_kernel_str(s->text, POLT_UNIX_PATH + 1, path)) -
			   1);
}

/* --- numbers -------------------------------------------------------------------------------------
 */

/* Of a kernel_cap_t at this address (u32[2] before 6.3, u64 since: the same bytes). */
static __always_inline bool polt_caps_at(__u64 pointer, __u64 *out)
{
	return bpf_probe_read_kernel(out, sizeof(*out), (const void *)pointer) == 0;
}

struct thread_info {
	__u32 status;
} POLT_KERNEL;
struct task_struct___compat {
	struct thread_info thread_info;
} POLT_KERNEL;
enum { POLT_TS_COMPAT = 2 };
#define POLT_COMPAT_BIT 0x80000000ull

/* The number of a system call as syscall64 has it: with bit 31 when a 32-bit call was made (x32 has
 * its own bit). */
static __always_inline __u64 polt_syscall64(__u64 number)
{
	const struct task_struct___compat *task = (const void *)bpf_get_current_task();
	__u32 status = 0;

	bpf_probe_read_kernel(&status, sizeof(status), &task->thread_info.status);
	number = (__u32)number;
	return status & POLT_TS_COMPAT ? number | POLT_COMPAT_BIT : number;
}

#endif
