/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One argument in a compact line. Control characters of what programs pass never reach a terminal.
 */
#include <string.h>

#include "event_private.h"
#include "names.h"

#define BYTES_SHOWN 64

static void text_integer(struct polb_text *out, const struct polb_argument *argument)
{
	char scratch[POLB_NAME_TEXT];
	__s64 value;

	memcpy(&value, argument->payload, sizeof(value));
	switch (argument->head.type) {
	case POLB_TYPE_CAPABILITY:
		polb_text_puts(out, polb_name(POLB_NAMES_CAPABILITY, (__u32)value, scratch));
		break;
	case POLB_TYPE_BPF_CMD:
		polb_text_puts(out, polb_name(POLB_NAMES_BPF_COMMAND, (__u32)value, scratch));
		break;
	case POLB_TYPE_UINT64:
	case POLB_TYPE_ULONG:
	case POLB_TYPE_UNSIGNED_LONG:
	case POLB_TYPE_SIZE_T:
		polb_text_printf(out, "%llu", (unsigned long long)value);
		break;
	default:
		polb_text_printf(out, "%lld", (long long)value);
	}
}

static void text_bytes(struct polb_text *out, const struct polb_argument *argument)
{
	struct polb_slice bytes = polb_argument_tail(argument, sizeof(struct polb_payload_bytes));
	bool cut = bytes.size > BYTES_SHOWN;

	polb_text_puts(out, "\"");
	polb_text_printable(out, bytes.data, cut ? BYTES_SHOWN : bytes.size);
	polb_text_puts(out, cut ? "...\"" : "\"");
}

static void text_net(struct polb_text *out, const struct polb_argument *argument)
{
	char source[POLB_ADDR_TEXT], destination[POLB_ADDR_TEXT], scratch[POLB_NAME_TEXT];
	struct polb_payload_net net;

	memcpy(&net, argument->payload, sizeof(net));
	if (!polb_net_addresses(&net, source, destination)) {
		polb_text_puts(out, polb_name(POLB_NAMES_FAMILY, net.family, scratch));
		return;
	}
	if (argument->head.type == POLB_TYPE_SOCKADDR) {
		polb_text_printf(out, "%s:%u", source, net.source_port);
		return;
	}
	if (net.protocol == 6 || net.protocol == 17)
		polb_text_puts(out, net.protocol == 6 ? "tcp" : "udp");
	else
		polb_text_puts(out, polb_name(POLB_NAMES_PROTOCOL, net.protocol, scratch));
	polb_text_printf(
		out, " %s:%u -> %s:%u", source, net.source_port, destination, net.destination_port);
}

static void text_named(struct polb_text *out, enum polb_name_table table, __u32 type,
	const char *name, size_t room)
{
	char scratch[POLB_NAME_TEXT];

	polb_text_printf(out, "%s ", polb_name(table, type, scratch));
	polb_text_printable(out, name, strnlen(name, room));
}

static void text_bpf(struct polb_text *out, const void *payload)
{
	struct polb_payload_bpf_prog program;

	memcpy(&program, payload, sizeof(program));
	text_named(out, POLB_NAMES_BPF_PROGRAM, program.program_type, program.name,
		sizeof(program.name));
	polb_text_printf(out, " instruction count %u", program.instructions);
}

static void text_map(struct polb_text *out, const void *payload)
{
	struct polb_payload_bpf_map map;

	memcpy(&map, payload, sizeof(map));
	text_named(out, POLB_NAMES_BPF_MAP, map.map_type, map.name, sizeof(map.name));
	polb_text_printf(out, " key size %u value size %u max entries %u", map.key_size,
		map.value_size, map.max_entries);
}

static void text_perf_event(struct polb_text *out, const void *payload)
{
	struct polb_payload_perf_event event;

	memcpy(&event, payload, sizeof(event));
	text_named(out, POLB_NAMES_PERF_TYPE, event.type, event.function, sizeof(event.function));
}

static void text_record(struct polb_text *out, const struct polb_argument *argument)
{
	struct polb_payload_user_namespace ns;
	struct polb_payload_module module;
	struct polb_payload_cred cred;

	switch (argument->head.type) {
	case POLB_TYPE_CRED:
		memcpy(&cred, argument->payload, sizeof(cred));
		polb_text_printf(
			out, "uid %u euid %u", cred.credentials.uid, cred.credentials.euid);
		break;
	case POLB_TYPE_USER_NAMESPACE:
		memcpy(&ns, argument->payload, sizeof(ns));
		polb_text_printf(out, "user:[%u]", ns.inum);
		break;
	case POLB_TYPE_BPF_ATTR:
	case POLB_TYPE_BPF_PROG:
		text_bpf(out, argument->payload);
		break;
	case POLB_TYPE_BPF_MAP:
		text_map(out, argument->payload);
		break;
	case POLB_TYPE_PERF_EVENT:
		text_perf_event(out, argument->payload);
		break;
	default: /* module, load_info */
		memcpy(&module, argument->payload, sizeof(module));
		polb_text_printable(out, module.name, strnlen(module.name, sizeof(module.name)));
	}
}

static void text_slice(struct polb_text *out, const struct polb_argument *argument, size_t fixed)
{
	struct polb_slice text = polb_argument_tail(argument, fixed);

	polb_text_printable(out, text.data, text.size);
}

static void text_caps(struct polb_text *out, const struct polb_argument *argument)
{
	__u64 caps;

	memcpy(&caps, argument->payload, sizeof(caps));
	polb_text_printf(out, "%016llx", (unsigned long long)caps);
}

void polb_text_argument(struct polb_text *out, const struct polb_argument *argument)
{
	if (argument->head.error != POLB_ARGUMENT_OK) {
		polb_text_printf(out, "(%s)", polb_argument_error(argument->head.error));
		return;
	}
	switch (polb_trace_class(argument->head.type)) {
	case POLB_CLASS_NOTHING:
		break;
	case POLB_CLASS_INT:
		text_integer(out, argument);
		break;
	case POLB_CLASS_CAPS:
		text_caps(out, argument);
		break;
	case POLB_CLASS_STRING:
		text_slice(out, argument, 0);
		break;
	case POLB_CLASS_BYTES:
		text_bytes(out, argument);
		break;
	case POLB_CLASS_PATH:
		text_slice(out, argument, sizeof(struct polb_payload_path));
		break;
	case POLB_CLASS_NET:
		text_net(out, argument);
		break;
	case POLB_CLASS_UNIX:
		polb_text_puts(out, *(const char *)argument->payload ? "@" : "");
		text_slice(out, argument, 1);
		break;
	case POLB_CLASS_RECORD:
		text_record(out, argument);
		break;
	}
}
