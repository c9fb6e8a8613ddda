/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A bundle, a process and records of the ring for tests of events as text. */
#ifndef TEST_EVENT_WORLD_H
#define TEST_EVENT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "frontend/tracing.h"
#include "runtime/event_private.h"
#include "runtime/names.h"

/* --- a bundle ----------------------------------------------------------------------------------
 */

static char strings[4096];
static size_t strings_size = 1;

static inline __u32 text(const char *string)
{
	size_t n = strlen(string) + 1, at = strings_size;

	assert_true(at + n <= sizeof(strings));
	memcpy(strings + at, string, n);
	strings_size += n;
	return (__u32)at;
}

static const char source_strings[] = "\0policy.yaml";
static struct polb_bundle_trace_policy policies[1];
static struct polb_bundle_trace_spec specs[POLC_N_SECTIONS];
static struct polb_bundle_trace_symbol symbols[POLC_N_SECTIONS + 1];
static struct polb_bundle_trace_value values[3];
static struct polb_bundle_trace_selector selectors[1];
static struct polb_event_workload workloads[1];
static struct polb_label labels[1];
static __u32 words[2];
static struct polb_bundle bundle;
static struct polb_event_style style;

static inline int make_bundle(void **state)
{
	static const char *const names[] = {"__x64_sys_write", "security_file_open",
		"raw_syscalls/sys_enter", "file_open", "readline", "usdt"};

	(void)state;
	words[0] = text("observability.filesystem");
	policies[0] = (struct polb_bundle_trace_policy){
		.name = text("watch"), .file = 1, .line = 3, .enforces = 1};
	selectors[0] = (struct polb_bundle_trace_selector){
		.position = 2, .label = text("shadow"), .line = 17};
	for (__u32 i = 0; i < POLC_N_SECTIONS; i++) {
		symbols[i].name = text(names[i]);
		specs[i] = (struct polb_bundle_trace_spec){.section = i,
			.first_symbol = i,
			.n_symbols = 1,
			.line = 9,
			.path = text("/usr/bin/bash"),
			.provider = text("tokio"),
			.name = text("start")};
	}
	symbols[POLC_N_SECTIONS].name = text("0x1234");
	specs[0].message = text("written \"there\"");
	specs[0].n_tags = 1;
	specs[0].n_values = 1;
	values[0] = (struct polb_bundle_trace_value){
		.place = POLB_ARGUMENT_ENTRY, .number = 1, .label = text("buffer")};
	labels[0] = (struct polb_label){"k8s", "app", "web"};
	workloads[0] = (struct polb_event_workload){.namespace = "shop",
		.pod = "web-1",
		.container = "nginx",
		.image = "nginx:1.27",
		.labels = labels,
		.n_labels = 1};
	bundle = (struct polb_bundle){.strings = strings,
		.strings_size = sizeof(strings),
		.source_strings = source_strings,
		.source_strings_size = sizeof(source_strings),
		.values = words,
		.n_values = 1,
		.trace_policies = policies,
		.n_trace_policies = 1,
		.trace_specs = specs,
		.n_trace_specs = POLC_N_SECTIONS,
		.trace_symbols = symbols,
		.n_trace_symbols = POLC_N_SECTIONS + 1,
		.trace_values = values,
		.n_trace_values = 1,
		.trace_selectors = selectors,
		.n_trace_selectors = 1};
	style = (struct polb_event_style){.bundle = &bundle,
		.node = "n1",
		.wall_offset_ns = 1700000000000000000,
		.host_namespaces = {1, 2, 3, 4, 4, 5, 6, 6, 7, 8}};
	return 0;
}

/* --- records -----------------------------------------------------------------------------------
 */

static struct {
	struct polb_event_call event;
	char room[8192];
} record __attribute__((aligned(8)));
static size_t record_size;

static inline void begin_call(__u32 spec)
{
	memset(&record, 0, sizeof(record));
	record.event = (struct polb_event_call){.type = POLB_EVENT_CALL,
		.spec = spec,
		.selector = POLB_NONE,
		.return_selector = POLB_NONE,
		.time_ns = 5000000007,
		.actions = 1 << POLB_ACTION_POST,
		.exec_id = 1000000000,
		.pid = 42,
		.tid = 43,
		.current_pid = 42,
		.current_tid = 43};
	record_size = sizeof(record.event);
}

static inline void add(__u8 place, __u8 number, __u8 type, const void *payload, size_t size)
{
	struct polb_event_argument head = {
		.place = place, .number = number, .type = type, .size = (__u32)size};
	size_t padded = (size + 7) / 8 * 8;

	memcpy((char *)&record + record_size, &head, sizeof(head));
	if (size)
		memcpy((char *)&record + record_size + sizeof(head), payload, size);
	record_size += sizeof(head) + padded;
	record.event.arguments_size += (__u32)(sizeof(head) + padded);
}

/* A payload with a fixed part and text behind it. */
static inline void add_tail(
	__u8 number, __u8 type, const void *fixed, size_t fixed_size, const char *tail, size_t n)
{
	char payload[512];

	memcpy(payload, fixed, fixed_size);
	memcpy(payload + fixed_size, tail, n);
	add(POLB_ARGUMENT_ENTRY, number, type, payload, fixed_size + n);
}

static inline void add_integer(__u8 place, __u8 number, __u8 type, __s64 value)
{
	add(place, number, type, &value, sizeof(value));
}

static inline void add_error(__u8 number, __u8 type, __u8 error)
{
	size_t at = record_size;

	add(POLB_ARGUMENT_ENTRY, number, type, NULL, 0);
	((struct polb_event_argument *)(void *)((char *)&record + at))->error = error;
}

/* --- processes ---------------------------------------------------------------------------------
 */

static inline struct polb_slice slice(const char *string)
{
	return (struct polb_slice){string, strlen(string)};
}

static inline struct polb_process_info shell(void)
{
	return (struct polb_process_info){.exec_id = 1000000000,
		.parent_exec_id = 900000000,
		.pid = 42,
		.tid = 42,
		.parent_pid = 7,
		.auid = 1000,
		.flags = POLB_PROCESS_EXEC | POLB_PROCESS_CLONE,
		.credentials = {.uid = 5, .euid = 6},
		.binary = slice("/usr/bin/dash"),
		.arguments = {"-c\0echo hi\0\0", 12},
		.cwd = slice("/srv/x"),
		.invoked = slice("../../bin/./sh")};
}

static inline struct polb_event_process process_of(const struct polb_process_info *info)
{
	return (struct polb_event_process){.info = info,
		.pid = 42,
		.tid = 43,
		.exec_id = 1000000000,
		.container_id = "",
		.runtime = ""};
}

#define SHELL                                                                                      \
	"\"exec_id\":\"bjE6MTAwMDAwMDAwMDo0Mg==\",\"pid\":42,\"uid\":6,\"cwd\":\"/srv/x\","        \
	"\"binary\":\"/bin/sh\",\"arguments\":\"-c \\\"echo hi\\\"\",\"flags\":\"execve clone\","  \
	"\"start_time\":\"2023-11-14T22:13:21.000000000Z\",\"auid\":1000,"                         \
	"\"parent_exec_id\":\"bjE6OTAwMDAwMDAwOjc=\",\"tid\":43"
#define RESOLVED ",\"binary_resolved\":\"/usr/bin/dash\""
#define END "},\"node_name\":\"n1\",\"time\":\"2023-11-14T22:13:25.000000007Z\"}"

static inline void check_line(const struct polb_event_view *e, bool json, const char *expected)
{
	struct polb_text out = {0};

	(json ? polb_event_json : polb_event_compact)(&out, &style, e);
	assert_string_equal(polb_text_string(&out), expected);
	polb_text_free(&out);
}

static inline struct polb_event_view call_view(void)
{
	static struct polb_process_info info;
	struct polb_event_view e = {.type = record.event.type, .time_ns = record.event.time_ns};

	info = shell();
	assert_int_equal(polb_event_call_read(&record, record_size, &e.call), 0);
	assert_true(polb_event_call_known(&bundle, e.call.event));
	e.process = process_of(&info);
	return e;
}

/* The call in `record`, but for its process: from function_name or what stands for it. */
static inline void check_call(const char *member, const char *rest)
{
	struct polb_event_view e = call_view();
	char expected[8192];

	snprintf(expected, sizeof(expected), "{\"%s\":{\"process\":{" SHELL RESOLVED "},%s" END,
		member, rest);
	check_line(&e, true, expected);
}

#define LSM_END(action)                                                                            \
	"\"action\":\"KPROBE_ACTION_" action                                                       \
	"\",\"policy_name\":\"watch\",\"actions\":[\"Post\"],"                                     \
	"\"source\":\"policy.yaml:9\""

static inline struct polb_payload_net connection(void)
{
	struct polb_payload_net net = {.family = AF_INET,
		.protocol = 6,
		.state = 2,
		.type = 1,
		.source_port = 40000,
		.destination_port = 443,
		.mark = 3,
		.priority = 4,
		.cookie = 0xffff888000000000ull};

	memcpy(net.source, "\x0a\x00\x00\x01", 4);
	memcpy(net.destination, "\x0a\x00\x00\x02", 4);
	return net;
}

#endif
