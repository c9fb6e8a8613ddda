/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Arguments of events: the exact JSON of every type, which parsers of Tetragon's events must find.
 */
#include "event_world.h"

/* One entry argument in a process_lsm event. */
static void check_argument(const char *json)
{
	char rest[4096];

	snprintf(rest, sizeof(rest),
		"\"function_name\":\"file_open\",\"args\":[{%s}]," LSM_END("POST"), json);
	check_call("process_lsm", rest);
}

static void check_integer(__u8 type, __s64 value, const char *json)
{
	begin_call(POLB_SECTION_LSM);
	add_integer(POLB_ARGUMENT_ENTRY, 0, type, value);
	check_argument(json);
}

static void check_payload(__u8 type, const void *payload, size_t size, const char *json)
{
	begin_call(POLB_SECTION_LSM);
	add(POLB_ARGUMENT_ENTRY, 0, type, payload, size);
	check_argument(json);
}

/* --- argument types ----------------------------------------------------------------------------
 */

static void integers(void **state)
{
	static const __u8 small[] = {POLB_TYPE_INT, POLB_TYPE_INT8, POLB_TYPE_INT16,
		POLB_TYPE_INT32, POLB_TYPE_SINT8, POLB_TYPE_SINT16, POLB_TYPE_SINT32};
	static const __u8 natural[] = {POLB_TYPE_UINT8, POLB_TYPE_UINT16, POLB_TYPE_UINT32};
	static const __u8 large[] = {POLB_TYPE_INT64, POLB_TYPE_SINT64, POLB_TYPE_LONG};
	static const __u8 sizes[] = {
		POLB_TYPE_UINT64, POLB_TYPE_ULONG, POLB_TYPE_UNSIGNED_LONG, POLB_TYPE_SIZE_T};

	(void)state;
	for (size_t i = 0; i < sizeof(small); i++)
		check_integer(small[i], -5, "\"int_arg\":-5");
	check_integer(POLB_TYPE_INT, 0, "\"int_arg\":0");
	for (size_t i = 0; i < sizeof(natural); i++)
		check_integer(natural[i], 200, "\"uint_arg\":200");
	for (size_t i = 0; i < sizeof(large); i++)
		check_integer(large[i], -5000000000, "\"long_arg\":\"-5000000000\"");
	for (size_t i = 0; i < sizeof(sizes); i++)
		check_integer(sizes[i], -1, "\"size_arg\":\"18446744073709551615\"");
	check_integer(POLB_TYPE_BPF_CMD, 5, "\"bpf_cmd_arg\":\"BPF_PROG_LOAD\"");
	check_integer(POLB_TYPE_BPF_CMD, 999, "\"bpf_cmd_arg\":999");
	check_integer(POLB_TYPE_CAPABILITY, 21,
		"\"capability_arg\":{\"value\":21,\"name\":\"CAP_SYS_ADMIN\"}");
	check_integer(POLB_TYPE_CAPABILITY, 77, "\"capability_arg\":{\"value\":77}");
	check_integer(POLB_TYPE_KERNEL_CAP_T, 0x1ff, "\"kernel_cap_t_arg\":\"00000000000001ff\"");
	check_integer(POLB_TYPE_CAP_INHERITABLE, 1, "\"cap_inheritable_arg\":\"0000000000000001\"");
	check_integer(POLB_TYPE_CAP_PERMITTED, 1, "\"cap_permitted_arg\":\"0000000000000001\"");
	check_integer(POLB_TYPE_CAP_EFFECTIVE, 1, "\"cap_effective_arg\":\"0000000000000001\"");
#ifdef __x86_64__
	check_integer(POLB_TYPE_SYSCALL64, 59, "\"syscall_id\":{\"id\":59,\"abi\":\"x64\"}");
	check_integer(
		POLB_TYPE_SYSCALL64, 0x8000000b, "\"syscall_id\":{\"id\":11,\"abi\":\"i386\"}");
#endif
}

static void strings_and_bytes(void **state)
{
	const struct polb_payload_bytes whole = {.size = 4}, cut = {.size = 9};

	(void)state;
	check_payload(POLB_TYPE_STRING, "a\"b\n", 4, "\"string_arg\":\"a\\\"b\\n\"");
	check_payload(POLB_TYPE_STRING, "", 0, "\"string_arg\":\"\"");
	check_payload(
		POLB_TYPE_STRING, "x\xff\xc3\xa9", 4, "\"string_arg\":\"x\xef\xbf\xbd\xc3\xa9\"");
	check_payload(POLB_TYPE_FILENAME, "/tmp/f", 6, "\"string_arg\":\"/tmp/f\"");
	check_payload(POLB_TYPE_DATA_LOC, "eth", 3, "\"string_arg\":\"eth\"");
	check_payload(POLB_TYPE_NET_DEVICE, "eth0", 4, "\"net_dev_arg\":{\"name\":\"eth0\"}");
	for (__u8 type = POLB_TYPE_CHAR_BUF; type <= POLB_TYPE_IOV_ITER; type++) {
		begin_call(POLB_SECTION_LSM);
		add_tail(0, type, &whole, sizeof(whole), "\0abc", 4);
		check_argument("\"bytes_arg\":\"AGFiYw==\"");
	}
	begin_call(POLB_SECTION_LSM);
	add_tail(0, POLB_TYPE_CHAR_BUF, &cut, sizeof(cut), "abc", 3);
	check_argument("\"truncated_bytes_arg\":{\"bytes_arg\":\"YWJj\",\"orig_size\":\"9\"}");
}

/* The rest of a long argument came in DATA events. */
static void joined_bytes(void **state)
{
	const struct polb_payload_bytes head = {.size = 6, .id = 77};
	const struct polb_event_rest rests[] = {{1, slice("no")}, {77, slice("def")}};
	struct polb_event_view e;

	(void)state;
	begin_call(POLB_SECTION_LSM);
	add_tail(0, POLB_TYPE_CHAR_BUF, &head, sizeof(head), "abc", 3);
	e = call_view();
	e.rests = rests;
	e.n_rests = 2;
	check_line(&e, true,
		"{\"process_lsm\":{\"process\":{" SHELL RESOLVED
		"},\"function_name\":\"file_open\",\"args\":[{\"bytes_arg\":\"YWJjZGVm\"}]"
		"," LSM_END("POST") END);
}

static void paths(void **state)
{
	static const struct {
		__u8 type;
		const char *member;
	} types[] = {{POLB_TYPE_FD, "file_arg"}, {POLB_TYPE_FILE, "file_arg"},
		{POLB_TYPE_KIOCB, "file_arg"}, {POLB_TYPE_PATH, "path_arg"},
		{POLB_TYPE_DENTRY, "path_arg"}, {POLB_TYPE_LINUX_BINPRM, "linux_binprm_arg"}};
	const struct polb_payload_path plain = {.mode = S_IFREG | 04755};
	const struct polb_payload_path odd = {.mode = S_IFDIR | 01776, .flags = 2};
	const struct polb_payload_path none = {0};
	char json[256];

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		begin_call(POLB_SECTION_LSM);
		add_tail(0, types[i].type, &plain, sizeof(plain), "/a", 2);
		snprintf(json, sizeof(json),
			"\"%s\":{\"path\":\"/a\",\"permission\":\"-rwsr-xr-x\"}", types[i].member);
		check_argument(json);
	}
	begin_call(POLB_SECTION_LSM);
	add_tail(0, POLB_TYPE_FILE, &odd, sizeof(odd), "/b", 2);
	check_argument("\"file_arg\":{\"path\":\"/b\",\"flags\":\"unresolvedPathComponents\","
		       "\"permission\":\"drwxrwxrwT\"}");
	begin_call(POLB_SECTION_LSM);
	add_tail(0, POLB_TYPE_FILE, &none, sizeof(none), "", 0);
	check_argument("\"file_arg\":{}");
}

static void network(void **state)
{
	struct polb_payload_net net = connection();
	static const char sock[] =
		"\"sock_arg\":{\"family\":\"AF_INET\",\"type\":\"SOCK_STREAM\","
		"\"protocol\":\"IPPROTO_TCP\",\"mark\":3,\"priority\":4,\"saddr\":\"10.0.0.1\","
		"\"daddr\":\"10.0.0.2\",\"sport\":40000,\"dport\":443,"
		"\"cookie\":\"18446612682070032384\",\"state\":\"TCP_SYN_SENT\"}";

	(void)state;
	check_payload(POLB_TYPE_SOCK, &net, sizeof(net), sock);
	check_payload(POLB_TYPE_SOCKET, &net, sizeof(net), sock);
	net.length = 60;
	net.hash = 9;
	check_payload(POLB_TYPE_SKB, &net, sizeof(net),
		"\"skb_arg\":{\"hash\":9,\"len\":60,\"priority\":4,\"mark\":3,"
		"\"saddr\":\"10.0.0.1\",\"daddr\":\"10.0.0.2\",\"sport\":40000,\"dport\":443,"
		"\"proto\":6,\"protocol\":\"IPPROTO_TCP\",\"family\":\"AF_INET\"}");
	net = (struct polb_payload_net){.family = AF_INET6, .source_port = 53};
	net.source[3] = htobe32(1);
	check_payload(POLB_TYPE_SOCKADDR, &net, sizeof(net),
		"\"sockaddr_arg\":{\"family\":\"AF_INET6\",\"addr\":\"::1\",\"port\":53}");
	net = (struct polb_payload_net){.family = AF_NETLINK, .type = 3};
	check_payload(POLB_TYPE_SOCK, &net, sizeof(net),
		"\"sock_arg\":{\"family\":\"AF_NETLINK\",\"type\":\"SOCK_RAW\","
		"\"protocol\":\"IPPROTO_IP\",\"state\":\"0\"}");
	check_payload(POLB_TYPE_SOCKADDR_UN, "\0/run/s", 7,
		"\"sockaddrun_arg\":{\"family\":\"AF_UNIX\",\"path\":\"/run/s\"}");
	check_payload(POLB_TYPE_SOCKADDR_UN, "\1bus", 4,
		"\"sockaddrun_arg\":{\"family\":\"AF_UNIX\",\"path\":\"@bus\"}");
}

static void records(void **state)
{
	const struct polb_payload_user_namespace ns = {.level = 1, .uid = 5, .inum = 99};
	const struct polb_payload_bpf_prog program = {2, 30, "probe"};
	const struct polb_payload_bpf_map map = {1, 4, 8, 100, "sixteen_letters_"};
	const struct polb_payload_perf_event event = {
		.function = "do_exit", .config = 7, .type = 2, .probe_offset = 8};
	const struct polb_payload_module module = {
		.name = "veth", .taints = 0x3000, .signature_ok = 1};
	const struct polb_payload_cred cred = {
		.credentials = {.uid = 1, .euid = 2, .securebits = 5, .caps = {1u << 21, 1, 0}}};

	(void)state;
	check_payload(POLB_TYPE_USER_NAMESPACE, &ns, sizeof(ns),
		"\"user_ns_arg\":{\"level\":1,\"uid\":5,\"gid\":0,\"ns\":{\"inum\":99}}");
	check_payload(POLB_TYPE_BPF_ATTR, &program, sizeof(program),
		"\"bpf_attr_arg\":{\"ProgType\":\"BPF_PROG_TYPE_KPROBE\",\"InsnCnt\":30,"
		"\"ProgName\":\"probe\"}");
	check_payload(POLB_TYPE_BPF_PROG, &program, sizeof(program),
		"\"bpf_prog_arg\":{\"ProgType\":\"BPF_PROG_TYPE_KPROBE\",\"InsnCnt\":30,"
		"\"ProgName\":\"probe\"}");
	check_payload(POLB_TYPE_BPF_MAP, &map, sizeof(map),
		"\"bpf_map_arg\":{\"MapType\":\"BPF_MAP_TYPE_HASH\",\"KeySize\":4,\"ValueSize\":8,"
		"\"MaxEntries\":100,\"MapName\":\"sixteen_letters_\"}");
	check_payload(POLB_TYPE_PERF_EVENT, &event, sizeof(event),
		"\"perf_event_arg\":{\"KprobeFunc\":\"do_exit\",\"Type\":\"PERF_TYPE_TRACEPOINT\","
		"\"Config\":\"7\",\"ProbeOffset\":\"8\"}");
	check_payload(POLB_TYPE_MODULE, &module, sizeof(module),
		"\"module_arg\":{\"name\":\"veth\",\"tainted\":[\"TAINT_OUT_OF_TREE_MODULE\","
		"\"TAINT_UNSIGNED_MODULE\"]}");
	check_payload(POLB_TYPE_LOAD_INFO, &module, sizeof(module),
		"\"module_arg\":{\"name\":\"veth\",\"signature_ok\":true,\"tainted\":["
		"\"TAINT_OUT_OF_TREE_MODULE\",\"TAINT_UNSIGNED_MODULE\"]}");
	check_payload(POLB_TYPE_CRED, &cred, sizeof(cred),
		"\"process_credentials_arg\":{\"uid\":1,\"gid\":0,\"euid\":2,\"egid\":0,\"suid\":0,"
		"\"sgid\":0,\"fsuid\":0,\"fsgid\":0,\"securebits\":[\"SecBitNoRoot\","
		"\"SecBitNoSetUidFixup\"],\"caps\":{\"permitted\":[\"CAP_SYS_ADMIN\"],"
		"\"effective\":[\"CAP_CHOWN\"]},\"user_ns\":{\"level\":0,\"uid\":0,\"gid\":0,"
		"\"ns\":{\"is_host\":true}}}");
}

static void argument_errors(void **state)
{
	(void)state;
	begin_call(POLB_SECTION_LSM);
	add_error(0, POLB_TYPE_STRING, POLB_ARGUMENT_FAULT);
	check_argument("\"error_arg\":{\"Message\":\"Bad address for basic type\"}");
	begin_call(POLB_SECTION_LSM);
	add_error(0, POLB_TYPE_INT, POLB_ARGUMENT_RESOLVE);
	check_argument("\"error_arg\":{\"Message\":\"Bad address for resolve dereference\"}");
	begin_call(POLB_SECTION_LSM);
	add_error(0, POLB_TYPE_FD, POLB_ARGUMENT_ABSENT);
	check_argument("\"error_arg\":{\"Message\":\"No such object\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(strings_and_bytes),
		cmocka_unit_test(joined_bytes),
		cmocka_unit_test(paths),
		cmocka_unit_test(network),
		cmocka_unit_test(records),
		cmocka_unit_test(argument_errors),
	};

	return cmocka_run_group_tests(tests, make_bundle, NULL);
}
