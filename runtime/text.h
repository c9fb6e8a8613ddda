/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Growing text and JSON written into it. Commas are placed by looking at the last byte, so that a
 * writer needs no state: a name or value behind '{', '[' or ':' has none in front of it.
 */
#ifndef POLB_TEXT_H
#define POLB_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct polb_text { /* zero-initialised: empty */
	char *data;
	size_t size, room;
	bool failed; /* memory ran out: what was added since then is missing */
};

void polb_text_add(struct polb_text *text, const void *data, size_t size);
void polb_text_puts(struct polb_text *text, const char *string);
__attribute__((format(printf, 2, 3))) void polb_text_printf(
	struct polb_text *text, const char *format, ...);
void polb_text_clear(struct polb_text *text); /* keeps the memory */
void polb_text_free(struct polb_text *text);
/* NUL-terminated, valid until the next change; "" when empty. */
const char *polb_text_string(struct polb_text *text);
/* Bytes as UTF-8: what is no UTF-8 becomes U+FFFD, as Tetragon does. */
void polb_text_utf8(struct polb_text *text, const char *data, size_t size);
/* One line for a terminal: control characters become '?'. */
void polb_text_printable(struct polb_text *text, const char *data, size_t size);

/* JSON. name: NULL inside an array. open and close take '{' or '['. */
void polb_json_open(struct polb_text *text, const char *name, char bracket);
void polb_json_close(struct polb_text *text, char bracket);
void polb_json_string(struct polb_text *text, const char *name, const char *data, size_t size);
void polb_json_cstring(struct polb_text *text, const char *name, const char *string);
void polb_json_unsigned(struct polb_text *text, const char *name, uint64_t value);
void polb_json_signed(struct polb_text *text, const char *name, int64_t value);
void polb_json_bool(struct polb_text *text, const char *name, bool value);
/* 64-bit integers are strings in protobuf's JSON. */
void polb_json_unsigned64(struct polb_text *text, const char *name, uint64_t value);
void polb_json_signed64(struct polb_text *text, const char *name, int64_t value);
void polb_json_bytes(struct polb_text *text, const char *name, const void *data, size_t size);
/* Base64 without quotes. */
void polb_text_base64(struct polb_text *text, const void *data, size_t size);

#endif
