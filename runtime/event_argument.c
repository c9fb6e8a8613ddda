/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One KprobeArgument: the member that its type has, then the label. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "event_private.h"
#include "names.h"

/* Tetragon's bit for system calls of 32-bit tasks. */
#define SYSCALL_32BIT 0x80000000u

static __s64 integer(const struct polb_argument *argument)
{
	__s64 value;

	memcpy(&value, argument->payload, sizeof(value));
	return value;
}

static void json_name(
	struct polb_text *out, const char *member, enum polb_name_table table, __u32 number)
{
	char scratch[POLB_NAME_TEXT];

	polb_json_cstring(out, member, polb_name(table, number, scratch));
}

/* A fixed array that may be full: no NUL then. */
static void json_fixed(struct polb_text *out, const char *member, const char *text, size_t room)
{
	size_t n = strnlen(text, room);

	if (n)
		polb_json_string(out, member, text, n);
}

static void json_syscall(struct polb_text *out, __u64 value)
{
#if defined(__aarch64__)
	static const char *const abis[] = {"arm64", "arm32"};
#else
	static const char *const abis[] = {"x64", "i386"};
#endif
	bool compat = value & SYSCALL_32BIT;

	polb_json_open(out, "syscall_id", '{');
	polb_json_unless_zero(out, "id", (__u32)(value & ~(__u64)SYSCALL_32BIT));
	polb_json_cstring(out, "abi", abis[compat]);
	polb_json_close(out, '{');
}

static void json_capability(struct polb_text *out, __s64 value)
{
	const char *name = value >= 0 && value < 64
				   ? polb_name_known(POLB_NAMES_CAPABILITY, (__u32)value)
				   : NULL;

	polb_json_open(out, "capability_arg", '{');
	polb_json_signed(out, "value", value);
	if (name)
		polb_json_cstring(out, "name", name);
	polb_json_close(out, '{');
}

static void json_bpf_command(struct polb_text *out, __s64 value)
{
	const char *name =
		value >= 0 ? polb_name_known(POLB_NAMES_BPF_COMMAND, (__u32)value) : NULL;

	if (name)
		polb_json_cstring(out, "bpf_cmd_arg", name);
	else
		polb_json_signed(out, "bpf_cmd_arg", value);
}

static void json_integer(struct polb_text *out, const struct polb_argument *argument)
{
	__s64 value = integer(argument);

	switch (argument->head.type) {
	case POLB_TYPE_BPF_CMD:
		json_bpf_command(out, value);
		break;
	case POLB_TYPE_CAPABILITY:
		json_capability(out, value);
		break;
	case POLB_TYPE_SYSCALL64:
		json_syscall(out, (__u64)value);
		break;
	case POLB_TYPE_INT64:
	case POLB_TYPE_SINT64:
	case POLB_TYPE_LONG:
		polb_json_signed64(out, "long_arg", value);
		break;
	case POLB_TYPE_UINT64:
	case POLB_TYPE_ULONG:
	case POLB_TYPE_UNSIGNED_LONG:
	case POLB_TYPE_SIZE_T:
		polb_json_unsigned64(out, "size_arg", (__u64)value);
		break;
	case POLB_TYPE_UINT8:
	case POLB_TYPE_UINT16:
	case POLB_TYPE_UINT32:
		polb_json_unsigned(out, "uint_arg", (__u32)value);
		break;
	default: /* int and its signed forms of up to 32 bits */
		polb_json_signed(out, "int_arg", (__s32)value);
	}
}

static void json_caps(struct polb_text *out, const struct polb_argument *argument)
{
	const char *member = argument->head.type == POLB_TYPE_CAP_INHERITABLE
				     ? "cap_inheritable_arg"
			     : argument->head.type == POLB_TYPE_CAP_PERMITTED ? "cap_permitted_arg"
			     : argument->head.type == POLB_TYPE_CAP_EFFECTIVE ? "cap_effective_arg"
									      : "kernel_cap_t_arg";
	char text[24];

	snprintf(text, sizeof(text), "%016llx", (unsigned long long)integer(argument));
	polb_json_cstring(out, member, text);
}

static void json_text(struct polb_text *out, const struct polb_argument *argument)
{
	struct polb_slice text = polb_argument_tail(argument, 0);

	if (argument->head.type != POLB_TYPE_NET_DEVICE) {
		polb_json_string(out, "string_arg", text.data, text.size);
		return;
	}
	polb_json_open(out, "net_dev_arg", '{');
	polb_json_unless_empty(out, "name", text);
	polb_json_close(out, '{');
}

static struct polb_slice rest_of(const struct polb_event_view *e, __u64 id)
{
	for (size_t i = 0; id && i < e->n_rests; i++)
		if (e->rests[i].id == id)
			return e->rests[i].bytes;
	return (struct polb_slice){"", 0};
}

static void json_bytes(struct polb_text *out, const struct polb_event_view *e,
	const struct polb_argument *argument)
{
	struct polb_slice here = polb_argument_tail(argument, sizeof(struct polb_payload_bytes));
	struct polb_payload_bytes head;
	struct polb_slice rest;
	struct polb_text all = {0};
	bool cut;

	memcpy(&head, argument->payload, sizeof(head));
	rest = rest_of(e, head.id);
	polb_text_add(&all, here.data, here.size);
	polb_text_add(&all, rest.data, rest.size);
	cut = head.size > all.size;
	if (cut)
		polb_json_open(out, "truncated_bytes_arg", '{');
	polb_json_bytes(out, "bytes_arg", all.data, all.size);
	if (cut) {
		polb_json_unsigned64(out, "orig_size", head.size);
		polb_json_close(out, '{');
	}
	polb_text_free(&all);
}

/* "-rwxr-xr-x" */
static void mode_text(__u32 mode, char out[11])
{
	static const char letters[] = "rwxrwxrwx";
	static const __u32 special[] = {S_ISUID, S_ISGID, S_ISVTX};

	out[0] = S_ISBLK(mode)    ? 'b'
		 : S_ISCHR(mode)  ? 'c'
		 : S_ISDIR(mode)  ? 'd'
		 : S_ISFIFO(mode) ? 'p'
		 : S_ISLNK(mode)  ? 'l'
		 : S_ISSOCK(mode) ? 's'
				  : '-';
	for (unsigned int i = 0; i < 9; i++)
		out[1 + i] = mode >> (8 - i) & 1 ? letters[i] : '-';
	for (unsigned int i = 0; i < 3; i++) {
		char *x = &out[3 + 3 * i];

		if (mode & special[i])
			*x = *x == 'x' ? "sst"[i] : "SST"[i];
	}
	out[10] = '\0';
}

static const char *path_member(__u8 type)
{
	if (type == POLB_TYPE_LINUX_BINPRM)
		return "linux_binprm_arg";
	return type == POLB_TYPE_PATH || type == POLB_TYPE_DENTRY ? "path_arg" : "file_arg";
}

static void json_path(struct polb_text *out, const struct polb_argument *argument)
{
	struct polb_payload_path head;
	char mode[11];

	memcpy(&head, argument->payload, sizeof(head));
	polb_json_open(out, path_member(argument->head.type), '{');
	polb_json_unless_empty(out, "path", polb_argument_tail(argument, sizeof(head)));
	if (head.flags & (POLB_PATH_UNRESOLVED_COMPONENTS | POLB_PATH_UNRESOLVED_MOUNTS))
		polb_json_cstring(out, "flags",
			head.flags & POLB_PATH_UNRESOLVED_COMPONENTS ? "unresolvedPathComponents"
								     : "unresolvedMountPoints");
	if (head.mode) {
		mode_text(head.mode, mode);
		polb_json_cstring(out, "permission", mode);
	}
	polb_json_close(out, '{');
}

bool polb_net_addresses(const struct polb_payload_net *net, char source[POLB_ADDR_TEXT],
	char destination[POLB_ADDR_TEXT])
{
	struct polb_addr addr = {.family = net->family == AF_INET ? 4 : 6};
	size_t size = net->family == AF_INET ? 4 : 16;

	if (net->family != AF_INET && net->family != AF_INET6)
		return false;
	memcpy(addr.bytes, net->source, size);
	polb_addr_format(&addr, source);
	memcpy(addr.bytes, net->destination, size);
	polb_addr_format(&addr, destination);
	return true;
}

static void json_tuple(struct polb_text *out, const struct polb_payload_net *net)
{
	char source[POLB_ADDR_TEXT], destination[POLB_ADDR_TEXT];

	if (polb_net_addresses(net, source, destination)) {
		polb_json_cstring(out, "saddr", source);
		polb_json_cstring(out, "daddr", destination);
	}
	polb_json_unless_zero(out, "sport", net->source_port);
	polb_json_unless_zero(out, "dport", net->destination_port);
}

static void json_sock(struct polb_text *out, const struct polb_payload_net *net)
{
	polb_json_open(out, "sock_arg", '{');
	json_name(out, "family", POLB_NAMES_FAMILY, net->family);
	json_name(out, "type", POLB_NAMES_SOCKET_TYPE, net->type);
	json_name(out, "protocol", POLB_NAMES_PROTOCOL, net->protocol);
	polb_json_unless_zero(out, "mark", net->mark);
	polb_json_unless_zero(out, "priority", net->priority);
	json_tuple(out, net);
	if (net->cookie)
		polb_json_unsigned64(out, "cookie", net->cookie);
	json_name(out, "state", POLB_NAMES_TCP_STATE, net->state);
	polb_json_close(out, '{');
}

static void json_skb(struct polb_text *out, const struct polb_payload_net *net)
{
	polb_json_open(out, "skb_arg", '{');
	polb_json_unless_zero(out, "hash", net->hash);
	polb_json_unless_zero(out, "len", net->length);
	polb_json_unless_zero(out, "priority", net->priority);
	polb_json_unless_zero(out, "mark", net->mark);
	json_tuple(out, net);
	polb_json_unless_zero(out, "proto", net->protocol);
	polb_json_unless_zero(out, "sec_path_len", net->secpath_len);
	polb_json_unless_zero(out, "sec_path_olen", net->secpath_olen);
	json_name(out, "protocol", POLB_NAMES_PROTOCOL, net->protocol);
	json_name(out, "family", POLB_NAMES_FAMILY, net->family);
	polb_json_close(out, '{');
}

static void json_sockaddr(struct polb_text *out, const struct polb_payload_net *net)
{
	char source[POLB_ADDR_TEXT], destination[POLB_ADDR_TEXT];

	polb_json_open(out, "sockaddr_arg", '{');
	json_name(out, "family", POLB_NAMES_FAMILY, net->family);
	if (polb_net_addresses(net, source, destination))
		polb_json_cstring(out, "addr", source);
	polb_json_unless_zero(out, "port", net->source_port);
	polb_json_close(out, '{');
}

static void json_net(struct polb_text *out, const struct polb_argument *argument)
{
	struct polb_payload_net net;

	memcpy(&net, argument->payload, sizeof(net));
	if (argument->head.type == POLB_TYPE_SKB)
		json_skb(out, &net);
	else if (argument->head.type == POLB_TYPE_SOCKADDR)
		json_sockaddr(out, &net);
	else
		json_sock(out, &net);
}

static void json_unix(struct polb_text *out, const struct polb_argument *argument)
{
	struct polb_slice path = polb_argument_tail(argument, 1);
	bool abstract = *(const char *)argument->payload != 0;
	struct polb_text text = {0};

	polb_text_puts(&text, abstract ? "@" : "");
	polb_text_add(&text, path.data, path.size);
	polb_json_open(out, "sockaddrun_arg", '{');
	polb_json_cstring(out, "family", "AF_UNIX");
	polb_json_unless_empty(out, "path", (struct polb_slice){text.data, text.size});
	polb_json_close(out, '{');
	polb_text_free(&text);
}

static void json_user_namespace(
	struct polb_text *out, const char *member, const struct polb_payload_user_namespace *ns)
{
	polb_json_open(out, member, '{');
	polb_json_unsigned(out, "level", ns->level);
	polb_json_unsigned(out, "uid", ns->uid);
	polb_json_unsigned(out, "gid", ns->gid);
	polb_json_namespace(out, "ns", ns->inum, ns->level == 0);
	polb_json_close(out, '{');
}

static void json_cred(struct polb_text *out, const void *payload)
{
	struct polb_payload_user_namespace ns;
	struct polb_payload_cred cred;

	memcpy(&cred, payload, sizeof(cred));
	ns = (struct polb_payload_user_namespace){.level = cred.user_ns_level,
		.uid = cred.user_ns_uid,
		.gid = cred.user_ns_gid,
		.inum = cred.user_ns_inum};
	polb_json_open(out, "process_credentials_arg", '{');
	polb_json_credentials(out, &cred.credentials, true);
	json_user_namespace(out, "user_ns", &ns);
	polb_json_close(out, '{');
}

static void json_bpf_program(
	struct polb_text *out, const char *member, const struct polb_payload_bpf_prog *program)
{
	polb_json_open(out, member, '{');
	json_name(out, "ProgType", POLB_NAMES_BPF_PROGRAM, program->program_type);
	polb_json_unless_zero(out, "InsnCnt", program->instructions);
	json_fixed(out, "ProgName", program->name, sizeof(program->name));
	polb_json_close(out, '{');
}

static void json_bpf_map(struct polb_text *out, const void *payload)
{
	struct polb_payload_bpf_map map;

	memcpy(&map, payload, sizeof(map));
	polb_json_open(out, "bpf_map_arg", '{');
	json_name(out, "MapType", POLB_NAMES_BPF_MAP, map.map_type);
	polb_json_unless_zero(out, "KeySize", map.key_size);
	polb_json_unless_zero(out, "ValueSize", map.value_size);
	polb_json_unless_zero(out, "MaxEntries", map.max_entries);
	json_fixed(out, "MapName", map.name, sizeof(map.name));
	polb_json_close(out, '{');
}

static void json_perf_event(struct polb_text *out, const void *payload)
{
	struct polb_payload_perf_event event;

	memcpy(&event, payload, sizeof(event));
	polb_json_open(out, "perf_event_arg", '{');
	json_fixed(out, "KprobeFunc", event.function, sizeof(event.function));
	json_name(out, "Type", POLB_NAMES_PERF_TYPE, event.type);
	if (event.config)
		polb_json_unsigned64(out, "Config", event.config);
	if (event.probe_offset)
		polb_json_unsigned64(out, "ProbeOffset", event.probe_offset);
	polb_json_close(out, '{');
}

static void json_taints(struct polb_text *out, __u64 taints)
{
	static const struct {
		__u64 bit;
		const char *name;
	} names[] = {{1 << 0, "TAINT_PROPRIETARY_MODULE"}, {1 << 1, "TAINT_FORCED_MODULE"},
		{1 << 2, "TAINT_FORCED_UNLOAD_MODULE"}, {1 << 10, "TAINT_STAGED_MODULE"},
		{1 << 12, "TAINT_OUT_OF_TREE_MODULE"}, {1 << 13, "TAINT_UNSIGNED_MODULE"},
		{1 << 15, "TAINT_KERNEL_LIVE_PATCH_MODULE"}, {1 << 18, "TAINT_TEST_MODULE"}};

	if (!taints)
		return;
	polb_json_open(out, "tainted", '[');
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (taints & names[i].bit)
			polb_json_cstring(out, NULL, names[i].name);
	polb_json_close(out, '[');
}

/* struct module has no verdict on its signature in Tetragon; load_info has. */
static void json_module(struct polb_text *out, const struct polb_argument *argument)
{
	struct polb_payload_module module;

	_Static_assert(sizeof(struct polb_payload_module) == sizeof(struct polb_payload_load_info),
		"one layout");
	memcpy(&module, argument->payload, sizeof(module));
	polb_json_open(out, "module_arg", '{');
	json_fixed(out, "name", module.name, sizeof(module.name));
	if (argument->head.type == POLB_TYPE_LOAD_INFO && module.signature_ok < 2)
		polb_json_bool(out, "signature_ok", module.signature_ok);
	json_taints(out, module.taints);
	polb_json_close(out, '{');
}

static void json_record(struct polb_text *out, const struct polb_argument *argument)
{
	struct polb_payload_user_namespace ns;
	struct polb_payload_bpf_prog program;

	_Static_assert(sizeof(struct polb_payload_bpf_prog) == sizeof(struct polb_payload_bpf_attr),
		"one layout");
	switch (argument->head.type) {
	case POLB_TYPE_CRED:
		json_cred(out, argument->payload);
		break;
	case POLB_TYPE_USER_NAMESPACE:
		memcpy(&ns, argument->payload, sizeof(ns));
		json_user_namespace(out, "user_ns_arg", &ns);
		break;
	case POLB_TYPE_BPF_ATTR:
	case POLB_TYPE_BPF_PROG:
		memcpy(&program, argument->payload, sizeof(program));
		json_bpf_program(out,
			argument->head.type == POLB_TYPE_BPF_ATTR ? "bpf_attr_arg" : "bpf_prog_arg",
			&program);
		break;
	case POLB_TYPE_BPF_MAP:
		json_bpf_map(out, argument->payload);
		break;
	case POLB_TYPE_PERF_EVENT:
		json_perf_event(out, argument->payload);
		break;
	case POLB_TYPE_MODULE:
	case POLB_TYPE_LOAD_INFO:
		json_module(out, argument);
		break;
	default: /* the record was checked: these are all */
		break;
	}
}

const char *polb_argument_error(__u8 error)
{
	switch (error) {
	case POLB_ARGUMENT_RESOLVE:
		return "Bad address for resolve dereference";
	case POLB_ARGUMENT_ABSENT:
		return "No such object";
	default:
		return "Bad address for basic type";
	}
}

static void json_error(struct polb_text *out, __u8 error)
{
	polb_json_open(out, "error_arg", '{');
	polb_json_cstring(out, "Message", polb_argument_error(error));
	polb_json_close(out, '{');
}

void polb_json_argument(struct polb_text *out, const struct polb_event_view *e,
	const struct polb_argument *argument)
{
	if (argument->head.error != POLB_ARGUMENT_OK) {
		json_error(out, argument->head.error);
		return;
	}
	switch (polb_trace_class(argument->head.type)) {
	case POLB_CLASS_NOTHING:
		break;
	case POLB_CLASS_INT:
		json_integer(out, argument);
		break;
	case POLB_CLASS_CAPS:
		json_caps(out, argument);
		break;
	case POLB_CLASS_STRING:
		json_text(out, argument);
		break;
	case POLB_CLASS_BYTES:
		json_bytes(out, e, argument);
		break;
	case POLB_CLASS_PATH:
		json_path(out, argument);
		break;
	case POLB_CLASS_NET:
		json_net(out, argument);
		break;
	case POLB_CLASS_UNIX:
		json_unix(out, argument);
		break;
	case POLB_CLASS_RECORD:
		json_record(out, argument);
		break;
	}
}
