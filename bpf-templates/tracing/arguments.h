/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Arguments of events: each is a struct polb_event_argument and its payload behind the last one, in
 * 8-byte steps. One that could not be read, or for which there is no room, is an entry with an
 * error. place: POLB_ARGUMENT_ENTRY, DATA, RETURN; number: position in args or data; type: enum
 * polb_trace_type; all three are constants.
 */
#ifndef POLT_ARGUMENTS_H
#define POLT_ARGUMENTS_H

#include "events.h"
#include "net.h"
#include "values.h"

/* The first half of a struct polb_event_argument; the size is the upper half. */
#define POLT_WHAT(place, number, type) ((__u32)(place) | (__u32)(number) << 8 | (__u32)(type) << 16)
#define POLT_WHAT_ERROR(what, error) ((what) | (__u32)(error) << 24)
_Static_assert(sizeof(struct polb_event_argument) == 8, "one store");

/* The longest text: with its head and padding POLT_ARGUMENTS_BYTES - POLT_ARGUMENTS_LIMIT. */
enum { POLT_PAYLOAD_TEXT = 4104 };
_Static_assert(POLT_ARGUMENTS_BYTES - POLT_ARGUMENTS_LIMIT >= 8 + 16 + POLT_PAYLOAD_TEXT + 8,
	"an argument that may start must fit");

static __noinline void polt_put_entry_error(struct polt_scratch *s, __u32 what)
{
	__u64 at = s->event.arguments_size;

	polt_forget(at);
	if (at > POLT_ARGUMENTS_BYTES - 8)
		return; /* more than 8 arguments behind the longest ones: there are no such specs */
	*(__u64 *)(s->arguments + at) = what;
	s->event.arguments_size = at + 8;
}

/* why: POLB_ARGUMENT_FAULT, RESOLVE, ABSENT */
static __always_inline void polt_put_error(
	struct polt_scratch *s, const int place, const int number, const int type, const int why)
{
	polt_put_entry_error(s, POLT_WHAT_ERROR(POLT_WHAT(place, number, type), why));
}

/* Where the next argument goes; NULL: no room, an entry says so. */
static __always_inline char *polt_put_begin(struct polt_scratch *s, __u32 what)
{
	__u64 at = s->event.arguments_size;

	polt_forget(at);
	if (at <= POLT_ARGUMENTS_LIMIT)
		return s->arguments + at;
	polt_put_entry_error(s, POLT_WHAT_ERROR(what, POLB_ARGUMENT_ROOM));
	return NULL;
}

/* Ends it: the entry's head, `size` bytes of payload (at most a text and its head). */
static __always_inline void polt_put_end(struct polt_scratch *s, char *to, __u32 what, __u32 size)
{
	*(__u64 *)to = what | (__u64)size << 32;
	s->event.arguments_size += 8 + (size + 7) / 8 * 8;
}

/* Copies a text behind `skip` bytes of head, zero-padded; false: it could not be read. */
static __always_inline bool polt_put_text_at(
	char *to, const __u32 skip, const void *from, __u64 size)
{
	char *text = to + 8 + skip;

	polt_forget(size);
	if (size > POLT_PAYLOAD_TEXT)
		return false;
	*(__u64 *)(text + (size & ~7ull)) = 0;
	return bpf_probe_read_kernel(text, size, from) == 0;
}

static __noinline void polt_put_word(struct polt_scratch *s, __u32 what, __u64 value)
{
	char *to = polt_put_begin(s, what);

	if (!to)
		return;
	*(__u64 *)(to + 8) = value;
	polt_put_end(s, to, what, 8);
}

/* INT and CAPS: value as polt_extend() gives it. */
static __always_inline void polt_put_int(
	struct polt_scratch *s, const int place, const int number, const int type, __u64 value)
{
	polt_put_word(s, POLT_WHAT(place, number, type), value);
}

static __noinline void polt_put_string(struct polt_scratch *s, __u32 what, int size)
{
	char *to = size < 0 ? NULL : polt_put_begin(s, what);

	if (size < 0)
		polt_put_entry_error(s, POLT_WHAT_ERROR(what, POLB_ARGUMENT_FAULT));
	if (to && polt_put_text_at(to, 0, s->text, size))
		polt_put_end(s, to, what, size);
}

/* STRING: `size` bytes of scratch->text; size < 0: FAULT. */
static __always_inline void polt_put_text(
	struct polt_scratch *s, const int place, const int number, const int type, int size)
{
	polt_put_string(s, POLT_WHAT(place, number, type), size);
}

static __noinline __u32 polt_put_buffer(
	struct polt_scratch *s, __u32 what, int size, __u64 original)
{
	__u32 entry = s->event.arguments_size;
	char *to = size < 0 ? NULL : polt_put_begin(s, what);

	if (size < 0)
		polt_put_entry_error(s, POLT_WHAT_ERROR(what, POLB_ARGUMENT_FAULT));
	if (!to || !polt_put_text_at(to, sizeof(struct polb_payload_bytes), s->text, size))
		return ~0u;
	*(__u64 *)(to + 8) = original;
	*(__u64 *)(to + 16) = 0;
	polt_put_end(s, to, what, sizeof(struct polb_payload_bytes) + size);
	return entry;
}

/* BYTES: `size` bytes of scratch->text of `original`. The entry, for polt_data_begin(). */
static __always_inline __u32 polt_put_bytes(struct polt_scratch *s, const int place,
	const int number, const int type, int size, __u64 original)
{
	return polt_put_buffer(s, POLT_WHAT(place, number, type), size, original);
}

static __noinline void polt_put_file(struct polt_scratch *s, __u32 what, __u32 offset, __u32 size,
	const struct polb_payload_path *head)
{
	char *to = polt_put_begin(s, what);
	__u64 at = offset;

	polt_forget(at);
	if (!to || at > POLB_PATH_BYTES || !polt_put_text_at(to, sizeof(*head), s->path + at, size))
		return;
	*(struct polb_payload_path *)(to + 8) = *head;
	polt_put_end(s, to, what, sizeof(*head) + size);
}

/* PATH: `size` bytes of scratch->path from `offset` (polt_path_text); offset < 0: ABSENT. */
static __always_inline void polt_put_path(struct polt_scratch *s, const int place, const int number,
	const int type, int offset, __u32 size, const struct polb_payload_path *head)
{
	if (offset < 0)
		polt_put_error(s, place, number, type, POLB_ARGUMENT_ABSENT);
	else
		polt_put_file(s, POLT_WHAT(place, number, type), offset, size, head);
}

static __noinline void polt_put_tuple(
	struct polt_scratch *s, __u32 what, const struct polb_payload_net *net)
{
	char *to = polt_put_begin(s, what);

	if (!to)
		return;
	*(struct polb_payload_net *)(to + 8) = *net;
	polt_put_end(s, to, what, sizeof(*net));
}

/* NET: known: what polt_net_...() returned; else FAULT. */
static __always_inline void polt_put_net(struct polt_scratch *s, const int place, const int number,
	const int type, bool known, const struct polb_payload_net *net)
{
	if (known)
		polt_put_tuple(s, POLT_WHAT(place, number, type), net);
	else
		polt_put_error(s, place, number, type, POLB_ARGUMENT_FAULT);
}

static __noinline void polt_put_unix_name(
	struct polt_scratch *s, __u32 what, int size, bool abstract)
{
	char *to = polt_put_begin(s, what);
	__u32 skip = abstract && size > 0; /* the '@' */

	if (!to || !polt_put_text_at(to, 1, s->text + skip, size - skip))
		return;
	to[8] = abstract;
	polt_put_end(s, to, what, 1 + size - skip);
}

/* UNIX: what polt_text_unix() returned; size < 0: FAULT. */
static __always_inline void polt_put_unix(struct polt_scratch *s, const int place, const int number,
	int size, const struct polt_unix *un)
{
	if (size < 0)
		polt_put_error(s, place, number, POLB_TYPE_SOCKADDR_UN, POLB_ARGUMENT_FAULT);
	else
		polt_put_unix_name(
			s, POLT_WHAT(place, number, POLB_TYPE_SOCKADDR_UN), size, un->abstract);
}

/* --- maxData
 * --------------------------------------------------------------------------------------- */

/*
 * A long buffer: its first 4,095 bytes are in the event (polt_put_bytes), the rest follows in DATA
 * events, up to 327,360 bytes in all:
 *     id = polt_data_begin(s, entry);   after polt_rate_allows(), before the event is sent or saved
 *     polt_data_send(s, id, selector, source);   after it, as it uses the argument area again
 */
enum { POLT_DATA_MAX = 327360, POLT_DATA_CHUNK = POLT_ARGUMENTS_BYTES >= 8208 ? 8192 : 4096 };
struct polt_data_source {
	__u64 pointer, size;
	bool user;
};

/* 0: nothing is left over, or the argument is an error. */
static __noinline __u64 polt_data_begin(struct polt_scratch *s, __u32 entry)
{
	__u64 at = entry;

	polt_forget(at);
	if (at > POLT_ARGUMENTS_LIMIT)
		return 0;
	char *payload = s->arguments + at + 8;
	__u32 size = *(__u32 *)(payload - 4) - sizeof(struct polb_payload_bytes);
	if (*(__u64 *)payload <= size)
		return 0;
	__u64 id = bpf_ktime_get_boot_ns() ^ (__u64)bpf_get_smp_processor_id() << 52 ^ entry << 1;
	*(__u64 *)(payload + 8) = id;
	return id;
}

/* One piece; an unreadable one is the last, and empty. false: no more. */
static __always_inline bool polt_data_chunk(struct polt_scratch *s, __u64 id, __u32 selector,
	const struct polt_data_source *from, __u64 at, __u64 left)
{
	struct polb_event_data *data = (struct polb_event_data *)s->arguments;
	const void *source = (const void *)(from->pointer + at);
	bool last = left <= POLT_DATA_CHUNK;
	__u64 size = last ? left : POLT_DATA_CHUNK;

	polt_forget(size);
	if (size > POLT_DATA_CHUNK)
		return false;
	if (from->user ? bpf_probe_read_user(data + 1, size, source)
		       : bpf_probe_read_kernel(data + 1, size, source)) {
		last = true;
		size = 0;
	}
	*data = (struct polb_event_data){
		.type = POLB_EVENT_DATA, .last = last, .size = size, .id = id};
	if (bpf_ringbuf_output(&polt_events, data, sizeof(*data) + size, 0)) {
		polt_count(selector, lost);
		return false;
	}
	return !last;
}

static __noinline void polt_data_send(
	struct polt_scratch *s, __u64 id, __u32 selector, const struct polt_data_source *from)
{
	__u64 end = from->size < POLT_DATA_MAX ? from->size : POLT_DATA_MAX;

	if (!id)
		return;
	for (__u32 i = 0; i <= POLT_DATA_MAX / POLT_DATA_CHUNK; i++) {
		__u64 at = POLT_TEXT_MAX + (__u64)i * POLT_DATA_CHUNK;

		if (at >= end || !polt_data_chunk(s, id, selector, from, at, end - at))
			break;
	}
}

#endif
