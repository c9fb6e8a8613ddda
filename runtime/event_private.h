/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the files that write events as text. */
#ifndef POLB_EVENT_PRIVATE_H
#define POLB_EVENT_PRIVATE_H

#include "event_text.h"

#define POLB_NONE 0xffffffffu /* of a selector */

/* polb_bundle_trace_spec.section: the order of the compiler's enum polc_trace_section */
enum polb_section {
	POLB_SECTION_KPROBE,
	POLB_SECTION_FENTRY,
	POLB_SECTION_TRACEPOINT,
	POLB_SECTION_LSM,
	POLB_SECTION_UPROBE,
	POLB_SECTION_USDT,
};

/* Protobuf leaves out what is zero or empty. */
static inline void polb_json_unless_zero(struct polb_text *out, const char *name, uint64_t value)
{
	if (value)
		polb_json_unsigned(out, name, value);
}
static inline void polb_json_unless_empty(
	struct polb_text *out, const char *name, struct polb_slice text)
{
	if (text.size)
		polb_json_string(out, name, text.data, text.size);
}

/* event_process.c */
void polb_json_process(struct polb_text *out, const struct polb_event_style *style,
	const char *name, const struct polb_event_process *process, bool exec_event);
void polb_json_capabilities(struct polb_text *out, const char *name, const __u64 *caps);
void polb_json_credentials(
	struct polb_text *out, const struct polb_credentials *credentials, bool caps);
void polb_json_namespace(struct polb_text *out, const char *name, __u32 inum, bool is_host);
void polb_json_time(struct polb_text *out, const char *name, int64_t wall_ns);

/* event_argument.c: the members of one KprobeArgument. */
void polb_json_argument(struct polb_text *out, const struct polb_event_view *e,
	const struct polb_argument *argument);
const char *polb_argument_error(__u8 error); /* Tetragon's words */
/* event_argument_text.c: the same in a compact line. */
void polb_text_argument(struct polb_text *out, const struct polb_argument *argument);
/* Addresses of a NET payload: family 4 or 6. False when it has none. */
bool polb_net_addresses(const struct polb_payload_net *net, char source[POLB_ADDR_TEXT],
	char destination[POLB_ADDR_TEXT]);

/* event_json.c */
const struct polb_bundle_trace_spec *polb_event_spec(
	const struct polb_bundle *bundle, const struct polb_event_view *e);
/* The name of the symbol, or "" */
const char *polb_event_symbol(const struct polb_bundle *bundle, const struct polb_event_view *e);

#endif
