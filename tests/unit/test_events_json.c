/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Events as text: synthetic records of every event type, the exact JSON that parsers of Tetragon's
 * events must find, and compact lines.
 */
#include "event_world.h"

/* --- events ------------------------------------------------------------------------------------
 */

static void sections_agree(void **state)
{
	(void)state;
	assert_int_equal(POLB_SECTION_KPROBE, POLC_SECTION_KPROBE);
	assert_int_equal(POLB_SECTION_FENTRY, POLC_SECTION_FENTRY);
	assert_int_equal(POLB_SECTION_TRACEPOINT, POLC_SECTION_TRACEPOINT);
	assert_int_equal(POLB_SECTION_LSM, POLC_SECTION_LSM);
	assert_int_equal(POLB_SECTION_UPROBE, POLC_SECTION_UPROBE);
	assert_int_equal(POLB_SECTION_USDT, POLC_SECTION_USDT);
}

static void exec_event(void **state)
{
	struct polb_process_info info = shell(), parent_info = shell();
	struct polb_event_process parent;
	struct polb_event_view e = {.type = POLB_EVENT_EXEC, .time_ns = 5000000007};

	(void)state;
	parent_info.pid = 7;
	parent_info.exec_id = 900000000;
	parent_info.parent_pid = 0;
	parent_info.parent_exec_id = 0;
	parent_info.invoked = slice("/bin/init");
	parent_info.cwd = slice("");
	parent_info.arguments = slice("");
	parent_info.flags = POLB_PROCESS_PROCFS | POLB_EXEC_ROOT_CWD;
	parent = process_of(&parent_info);
	parent.tid = 7;
	info.secureexec = POLB_SECURE_SETUID | POLB_SECURE_FILE_CAPS;
	info.flags |= POLB_EXEC_UNLINKED | POLB_EXEC_ARGUMENTS_CUT;
	info.ns_pid = 3;
	e.process = process_of(&info);
	e.process.workload = &workloads[0];
	e.process.container_id = "0123456789abcdef0123456789abcdef";
	e.process.runtime = "containerd";
	e.parent = &parent;
	check_line(&e, true,
		"{\"process_exec\":{\"process\":{\"exec_id\":\"bjE6MTAwMDAwMDAwMDo0Mg==\",\"pid\":"
		"42,"
		"\"uid\":6,\"cwd\":\"/srv/x\",\"binary\":\"/bin/sh\","
		"\"arguments\":\"-c \\\"echo hi\\\"\",\"flags\":\"execve truncArgs clone\","
		"\"start_time\":\"2023-11-14T22:13:21.000000000Z\",\"auid\":1000,"
		"\"pod\":{\"namespace\":\"shop\",\"name\":\"web-1\",\"container\":{"
		"\"id\":\"containerd://0123456789abcdef0123456789abcdef\",\"name\":\"nginx\","
		"\"image\":{\"name\":\"nginx:1.27\"},\"pid\":3},\"pod_labels\":{\"app\":\"web\"}},"
		"\"docker\":\"0123456789abcdef0123456789abcde\","
		"\"parent_exec_id\":\"bjE6OTAwMDAwMDAwOjc=\",\"tid\":43,"
		"\"binary_properties\":{\"setuid\":6,\"privileges_changed\":["
		"\"PRIVILEGES_RAISED_EXEC_FILE_SETUID\",\"PRIVILEGES_RAISED_EXEC_FILE_CAP\"],"
		"\"file\":{\"inode\":{\"links\":0},\"path\":\"/usr/bin/dash\"}}" RESOLVED "},"
		"\"parent\":{\"exec_id\":\"bjE6OTAwMDAwMDAwOjc=\",\"pid\":7,\"uid\":6,\"cwd\":\"/"
		"\","
		"\"binary\":\"/bin/init\",\"flags\":\"procFS rootcwd\","
		"\"start_time\":\"2023-11-14T22:13:20.900000000Z\",\"auid\":1000,"
		"\"parent_exec_id\":\"bjE6MTow\",\"tid\":7" RESOLVED "}" END);
	check_line(&e, false, "🚀 process shop/web-1 /bin/sh -c \"echo hi\"");
}

static void exit_event(void **state)
{
	struct polb_process_info info = shell();
	struct polb_event_view e = {.type = POLB_EVENT_EXIT, .time_ns = 5000000007, .exit_code = 9};

	(void)state;
	e.process = process_of(&info);
	check_line(&e, true,
		"{\"process_exit\":{\"process\":{" SHELL RESOLVED "},\"signal\":\"SIGKILL\","
		"\"time\":\"2023-11-14T22:13:25.000000007Z\"" END);
	check_line(&e, false, "💥 exit    n1 /bin/sh -c \"echo hi\" SIGKILL");
	e.exit_code = 3 << 8;
	check_line(&e, true,
		"{\"process_exit\":{\"process\":{" SHELL RESOLVED "},\"status\":3,"
		"\"time\":\"2023-11-14T22:13:25.000000007Z\"" END);
	e.exit_code = 0;
	check_line(&e, false, "💥 exit    n1 /bin/sh -c \"echo hi\" 0");
}

static void kprobe_event(void **state)
{
	const struct polb_payload_path path = {.mode = S_IFREG | 0640};
	const struct polb_payload_bytes bytes = {.size = 2};
	struct polb_event_view e;

	(void)state;
	begin_call(POLB_SECTION_KPROBE);
	record.event.selector = 0;
	record.event.actions |= 1 << POLB_ACTION_SIGKILL | 1 << POLB_ACTION_OVERRIDE;
	record.event.override_error = -1;
	record.event.returned = 1;
	record.event.current_pid = 1;
	add_integer(POLB_ARGUMENT_RETURN, 0, POLB_TYPE_INT64, -1);
	add_integer(POLB_ARGUMENT_ENTRY, 2, POLB_TYPE_SIZE_T, 2);
	add_tail(1, POLB_TYPE_CHAR_BUF, &bytes, sizeof(bytes), "hi", 2);
	add_tail(0, POLB_TYPE_FD, &path, sizeof(path), "/etc/passwd", 11);
	add(POLB_ARGUMENT_ENTRY, 3, POLB_TYPE_NOP, NULL, 0);
	add_integer(POLB_ARGUMENT_DATA, 0, POLB_TYPE_UINT32, 8);
	check_call("process_kprobe",
		"\"function_name\":\"__x64_sys_write\",\"args\":["
		"{\"file_arg\":{\"path\":\"/etc/passwd\",\"permission\":\"-rw-r-----\"}},"
		"{\"bytes_arg\":\"aGk=\",\"label\":\"buffer\"},{\"size_arg\":\"2\"}],"
		"\"return\":{\"long_arg\":\"-1\"},\"action\":\"KPROBE_ACTION_SIGKILL\","
		"\"policy_name\":\"watch\",\"return_action\":\"KPROBE_ACTION_POST\","
		"\"message\":\"written \\\"there\\\"\",\"tags\":[\"observability.filesystem\"],"
		"\"data\":[{\"uint_arg\":8}],\"actions\":[\"Post\",\"Sigkill\",\"Override\"],"
		"\"mode\":\"enforce\",\"override_error\":-1,\"source\":\"policy.yaml:17\","
		"\"selector\":{\"position\":2,\"label\":\"shadow\"},"
		"\"current\":{\"pid\":1,\"tid\":43}");
	e = call_view();
	check_line(
		&e, false, "📝 write   n1 /bin/sh /etc/passwd 2 bytes = -1 [Sigkill, Override -1]");
	record.event.monitored = 1;
	check_line(&e, false,
		"📝 write   n1 /bin/sh /etc/passwd 2 bytes = -1 [monitor: Sigkill, Override -1]");
}

static void fentry_event(void **state)
{
	(void)state;
	begin_call(POLB_SECTION_FENTRY);
	record.event.actions = 0; /* the spec has no selectors */
	record.event.return_actions = 1 << POLB_ACTION_SIGNAL;
	record.event.signal = 10;
	record.event.monitored = 1;
	check_call("process_kprobe",
		"\"function_name\":\"security_file_open\",\"action\":\"KPROBE_ACTION_POST\","
		"\"policy_name\":\"watch\",\"return_action\":\"KPROBE_ACTION_SIGNAL\","
		"\"actions\":[\"Post\",\"Signal\"],\"mode\":\"monitor\",\"signal\":\"SIGUSR1\","
		"\"source\":\"policy.yaml:9\"");
}

static void other_hooks(void **state)
{
	(void)state;
	begin_call(POLB_SECTION_TRACEPOINT);
	add_integer(POLB_ARGUMENT_ENTRY, 0, POLB_TYPE_INT64, 1);
	check_call("process_tracepoint", "\"subsys\":\"raw_syscalls\",\"event\":\"sys_enter\","
					 "\"args\":[{\"long_arg\":\"1\"}]," LSM_END("POST"));
	begin_call(POLB_SECTION_UPROBE);
	add_integer(POLB_ARGUMENT_ENTRY, 0, POLB_TYPE_INT, 1);
	add_integer(POLB_ARGUMENT_RETURN, 0, POLB_TYPE_INT, 2);
	check_call("process_uprobe", "\"path\":\"/usr/bin/bash\",\"symbol\":\"readline\","
				     "\"args\":[{\"int_arg\":1},{\"int_arg\":2}]," LSM_END("POST"));
	begin_call(POLB_SECTION_UPROBE);
	add_integer(POLB_ARGUMENT_RETURN, 0, POLB_TYPE_INT, 2);
	specs[POLB_SECTION_UPROBE].first_symbol = POLC_N_SECTIONS;
	check_call("process_uprobe",
		"\"path\":\"/usr/bin/"
		"bash\",\"offset\":\"4660\",\"args\":[{\"int_arg\":2}]," LSM_END("POST"));
	specs[POLB_SECTION_UPROBE].first_symbol = POLB_SECTION_UPROBE;
	begin_call(POLB_SECTION_USDT);
	record.event.actions |= 1 << POLB_ACTION_SET;
	check_call("process_usdt",
		"\"path\":\"/usr/bin/bash\",\"provider\":\"tokio\",\"name\":\"start\","
		"\"action\":\"KPROBE_ACTION_SET\",\"policy_name\":\"watch\","
		"\"actions\":[\"Post\",\"Set\"],\"mode\":\"enforce\",\"source\":\"policy.yaml:9\"");
}

static void loader_event(void **state)
{
	const struct polb_payload_path path = {0};
	struct polb_event_view e;

	(void)state;
	begin_call(POLB_NONE);
	record.event.type = POLB_EVENT_LOADER;
	add_tail(0, POLB_TYPE_FILE, &path, sizeof(path), "/lib/x.so", 9);
	e = call_view();
	e.build_id = (struct polb_slice){"\x01\xab", 2};
	check_line(&e, true,
		"{\"process_loader\":{\"process\":{" SHELL RESOLVED "},\"path\":\"/lib/x.so\","
		"\"buildid\":\"Aas=\"" END);
	check_line(&e, false, "🧬 loader  n1 /bin/sh 01ab /lib/x.so");
}

static void stacks(void **state)
{
	const struct polb_frame kernel[] = {{0xffff0010, 16, "do_sys", ""}};
	const struct polb_frame user[] = {{0x7f00, 0x2f00, "main", "/bin/x"}, {1, 0, "", ""}};
	struct polb_event_view e;

	(void)state;
	begin_call(POLB_SECTION_LSM);
	e = call_view();
	e.kernel_stack = kernel;
	e.n_kernel_stack = 1;
	e.user_stack = user;
	e.n_user_stack = 2;
	style.stack_addresses = true;
	check_line(&e, true,
		"{\"process_lsm\":{\"process\":{" SHELL RESOLVED
		"},\"function_name\":\"file_open\","
		"\"action\":\"KPROBE_ACTION_POST\",\"kernel_stack_trace\":[{"
		"\"address\":\"4294901776\",\"offset\":\"16\",\"symbol\":\"do_sys\"}],"
		"\"policy_name\":\"watch\",\"user_stack_trace\":[{\"address\":\"32512\","
		"\"offset\":\"12032\",\"symbol\":\"main\",\"module\":\"/bin/"
		"x\"},{\"address\":\"1\"}],"
		"\"actions\":[\"Post\"],\"source\":\"policy.yaml:9\"" END);
	style.stack_addresses = false;
	check_line(&e, true,
		"{\"process_lsm\":{\"process\":{" SHELL RESOLVED
		"},\"function_name\":\"file_open\","
		"\"action\":\"KPROBE_ACTION_POST\",\"kernel_stack_trace\":[{"
		"\"offset\":\"16\",\"symbol\":\"do_sys\"}],\"policy_name\":\"watch\","
		"\"user_stack_trace\":[{\"offset\":\"12032\",\"symbol\":\"main\","
		"\"module\":\"/bin/x\"}],\"actions\":[\"Post\"],\"source\":\"policy.yaml:9\"" END);
	check_line(&e, false,
		"🔒 LSM     n1 /bin/sh file_open\nKernel:\n   do_sys+0x10\nUser:\n"
		"   main (/bin/x+0x2f00)");
}

/* As long as its algorithm's; one of an algorithm without a name is left out. */
static void hashes(void **state)
{
	struct polb_payload_hash hash = {
		.algorithm = 2, .digest = {0xab, [19] = 0x01, [20] = 0xff}};
	struct polb_event_view e;

	(void)state;
	begin_call(POLB_SECTION_LSM);
	add(POLB_ARGUMENT_HASH, 0, POLB_TYPE_NOP, &hash, sizeof(hash));
	e = call_view();
	check_line(&e, true,
		"{\"process_lsm\":{\"process\":{" SHELL RESOLVED
		"},\"function_name\":\"file_open\","
		"\"action\":\"KPROBE_ACTION_POST\",\"policy_name\":\"watch\","
		"\"ima_hash\":\"sha1:ab00000000000000000000000000000000000001\","
		"\"actions\":[\"Post\"],\"source\":\"policy.yaml:9\"" END);
	begin_call(POLB_SECTION_LSM);
	hash.algorithm = 99;
	add(POLB_ARGUMENT_HASH, 0, POLB_TYPE_NOP, &hash, sizeof(hash));
	e = call_view();
	check_line(&e, true,
		"{\"process_lsm\":{\"process\":{" SHELL RESOLVED
		"},\"function_name\":\"file_open\","
		"\"action\":\"KPROBE_ACTION_POST\",\"policy_name\":\"watch\","
		"\"actions\":[\"Post\"],\"source\":\"policy.yaml:9\"" END);
}

/* Credentials and namespaces at event time beside those at exec; a process nobody knows. */
static void process_details(void **state)
{
	struct polb_credentials now = {.uid = 0, .euid = 0, .caps = {1, 0, 0}};
	__u32 namespaces[POLB_N_NAMESPACES] = {[POLB_NS_MNT] = 3};
	struct polb_event_view e;

	(void)state;
	begin_call(POLB_SECTION_LSM);
	e = call_view();
	e.process.credentials = &now;
	e.process.namespaces = namespaces;
	style.caps = style.namespaces = true;
	check_line(&e, true,
		"{\"process_lsm\":{\"process\":{\"exec_id\":\"bjE6MTAwMDAwMDAwMDo0Mg==\",\"pid\":"
		"42,"
		"\"uid\":6,\"cwd\":\"/srv/x\",\"binary\":\"/bin/sh\","
		"\"arguments\":\"-c \\\"echo hi\\\"\",\"flags\":\"execve clone\","
		"\"start_time\":\"2023-11-14T22:13:21.000000000Z\",\"auid\":1000,"
		"\"parent_exec_id\":\"bjE6OTAwMDAwMDAwOjc=\",\"cap\":{},\"ns\":{},\"tid\":43,"
		"\"process_credentials\":{\"uid\":0,\"gid\":0,\"euid\":0,\"egid\":0,\"suid\":0,"
		"\"sgid\":0,\"fsuid\":0,\"fsgid\":0,\"caps\":{\"permitted\":[\"CAP_CHOWN\"]}},"
		"\"exec_credentials\":{\"uid\":5,\"gid\":0,\"euid\":6,\"egid\":0,\"suid\":0,"
		"\"sgid\":0,\"fsuid\":0,\"fsgid\":0,\"caps\":{}}" RESOLVED ","
		"\"event_ns\":{\"mnt\":{\"inum\":3,\"is_host\":true}}},"
		"\"function_name\":\"file_open\"," LSM_END("POST") END);
	style.caps = style.namespaces = false;
	e.process.info = NULL;
	check_line(&e, true,
		"{\"process_lsm\":{\"process\":{\"exec_id\":\"bjE6MTAwMDAwMDAwMDo0Mg==\",\"pid\":"
		"42,"
		"\"uid\":0,\"flags\":\"unknown\",\"start_time\":\"2023-11-14T22:13:21.000000000Z\","
		"\"tid\":43,\"process_credentials\":{\"uid\":0,\"gid\":0,\"euid\":0,\"egid\":0,"
		"\"suid\":0,\"sgid\":0,\"fsuid\":0,\"fsgid\":0}},\"function_name\":\"file_"
		"open\"," LSM_END("POST") END);
	check_line(&e, false, "🔒 LSM     n1 pid 42 file_open");
}

static void compact_functions(void **state)
{
	static const char *const names[] = {"tcp_connect", "security_file_permission",
		"security_mmap_file", "__x64_sys_setns", "cap_capable"};
	static const char *const lines[] = {
		"🔌 connect n1 /bin/sh tcp 10.0.0.1:40000 -> 10.0.0.2:443",
		"📚 read    n1 /bin/sh /f?x", "📝 mmap-rx n1 /bin/sh /f?x",
		"🔧 setns   n1 /bin/sh net,mnt", "❓ syscall n1 /bin/sh cap_capable CAP_SYS_ADMIN"};
	static const __s64 numbers[] = {0, 4, 5, 0x40020000, 0};
	const struct polb_payload_path path = {0};
	struct polb_payload_net net = connection();
	__u32 saved = symbols[0].name;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct polb_event_view e;

		symbols[0].name = text(names[i]);
		begin_call(POLB_SECTION_KPROBE);
		if (i == 0)
			add(POLB_ARGUMENT_ENTRY, 0, POLB_TYPE_SOCK, &net, sizeof(net));
		else if (i < 3)
			add_tail(0, POLB_TYPE_FILE, &path, sizeof(path), "/f\033x", 4);
		else if (i == 4)
			add_integer(POLB_ARGUMENT_ENTRY, 0, POLB_TYPE_CAPABILITY, 21);
		if (i > 0 && i < 4)
			add_integer(POLB_ARGUMENT_ENTRY, 1, POLB_TYPE_INT, numbers[i]);
		e = call_view();
		check_line(&e, false, lines[i]);
	}
	symbols[0].name = saved;
}

/* --- the rest ----------------------------------------------------------------------------------
 */

static void refuses_unknown_numbers(void **state)
{
	(void)state;
	begin_call(POLC_N_SECTIONS);
	assert_false(polb_event_call_known(&bundle, &record.event));
	begin_call(0);
	record.event.selector = 1;
	assert_false(polb_event_call_known(&bundle, &record.event));
	record.event.selector = POLB_NONE;
	record.event.return_selector = 7;
	assert_false(polb_event_call_known(&bundle, &record.event));
}

/* Random records: whatever is accepted can be printed (run under a sanitizer to be of use). */
static void random_records(void **state)
{
	struct polb_text out = {0};
	unsigned int seed = 1;

	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		struct polb_event_view e = {.type = POLB_EVENT_CALL};
		struct polb_process_info info = shell();

		begin_call(round % POLC_N_SECTIONS);
		add_integer(POLB_ARGUMENT_ENTRY, 0, POLB_TYPE_INT, 1);
		for (unsigned int i = 0; i < 24; i++)
			record.room[i] = (char)(rand_r(&seed) >> 8 & 0x3f);
		record.event.arguments_size = (__u32)rand_r(&seed) % 64 * 8;
		e.process = process_of(&info);
		if (polb_event_call_read(&record, sizeof(record), &e.call))
			continue;
		polb_text_clear(&out);
		polb_event_json(&out, &style, &e);
		polb_event_compact(&out, &style, &e);
	}
	polb_text_free(&out);
}

static void times_and_names(void **state)
{
	char out[POLB_TIME_TEXT], scratch[POLB_NAME_TEXT];

	(void)state;
	polb_time_text(-1, out);
	assert_string_equal(out, "1969-12-31T23:59:59.999999999Z");
	polb_time_text(0, out);
	assert_string_equal(out, "1970-01-01T00:00:00.000000000Z");
	assert_string_equal(polb_name(POLB_NAMES_FAMILY, 44, scratch), "AF_XDP");
	assert_string_equal(polb_name(POLB_NAMES_FAMILY, 22, scratch), "22");
	assert_string_equal(polb_name(POLB_NAMES_BPF_PROGRAM, 29, scratch), "BPF_PROG_TYPE_LSM");
	assert_string_equal(polb_name(POLB_NAMES_BPF_MAP, 27, scratch), "BPF_MAP_TYPE_RINGBUF");
	assert_string_equal(polb_name(POLB_NAMES_BPF_COMMAND, 36, scratch), "BPF_TOKEN_CREATE");
	assert_string_equal(
		polb_name(POLB_NAMES_CAPABILITY, 40, scratch), "CAP_CHECKPOINT_RESTORE");
	assert_string_equal(polb_name(POLB_NAMES_SIGNAL, 31, scratch), "SIGSYS");
	assert_string_equal(polb_name(POLB_NAMES_SIGNAL, 34, scratch), "34");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_agree),
		cmocka_unit_test(exec_event),
		cmocka_unit_test(exit_event),
		cmocka_unit_test(kprobe_event),
		cmocka_unit_test(fentry_event),
		cmocka_unit_test(other_hooks),
		cmocka_unit_test(loader_event),
		cmocka_unit_test(stacks),
		cmocka_unit_test(hashes),
		cmocka_unit_test(process_details),
		cmocka_unit_test(compact_functions),
		cmocka_unit_test(refuses_unknown_numbers),
		cmocka_unit_test(random_records),
		cmocka_unit_test(times_and_names),
	};

	return cmocka_run_group_tests(tests, make_bundle, NULL);
}
