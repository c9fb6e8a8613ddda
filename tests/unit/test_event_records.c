/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Records of the ring: what is accepted, and that everything else is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "runtime/event_record.h"

#define NONE 0xffffffffu

/* --- records -----------------------------------------------------------------------------------
 */

static struct {
	struct polb_event_call event;
	char room[8192];
} record __attribute__((aligned(8)));
static size_t record_size;

static void begin_call(void)
{
	memset(&record, 0, sizeof(record));
	record.event = (struct polb_event_call){.type = POLB_EVENT_CALL,
		.selector = NONE,
		.return_selector = NONE,
		.time_ns = 5000000007,
		.actions = 1 << POLB_ACTION_POST,
		.exec_id = 1000000000,
		.pid = 42,
		.tid = 43,
		.current_pid = 42,
		.current_tid = 43};
	record_size = sizeof(record.event);
}

static void add(__u8 place, __u8 number, __u8 type, const void *payload, size_t size)
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

/* --- what must be refused ----------------------------------------------------------------------
 */

static void refuses_calls(void **state)
{
	const __s64 one = 1;
	struct polb_call call;
	struct polb_event_argument *head = (void *)record.room;

	(void)state;
	begin_call();
	add(POLB_ARGUMENT_ENTRY, 0, POLB_TYPE_INT, &one, sizeof(one));
	for (size_t size = 0; size < record_size; size++)
		assert_int_equal(polb_event_call_read(&record, size, &call), -EINVAL);
	assert_int_equal(polb_event_call_read(&record, record_size, &call), 0);
	record.event.kernel_stack = 1;
	assert_int_equal(polb_event_call_read(&record, record_size, &call), -EINVAL);
	assert_int_equal(polb_event_call_read(&record, record_size + 8, &call), 0);
	record.event.kernel_stack = 0;
	record.event.arguments_size += 8; /* reaches behind the record, then half a head */
	assert_int_equal(polb_event_call_read(&record, record_size, &call), -EINVAL);
	record.event.arguments_size = 0xfffffff8;
	assert_int_equal(polb_event_call_read(&record, record_size, &call), -EINVAL);
	record.event.arguments_size = 12;
	assert_int_equal(polb_event_call_read(&record, record_size, &call), -EINVAL);
	record.event.arguments_size = 16;
	head->type = POLB_N_TRACE_TYPES;
	assert_int_equal(polb_event_call_read(&record, record_size, &call), -EINVAL);
	head->type = POLB_TYPE_INT;
	head->place = 3;
	assert_int_equal(polb_event_call_read(&record, record_size, &call), -EINVAL);
	head->place = 0;
	head->size = 0xffffffff;
	assert_int_equal(polb_event_call_read(&record, record_size, &call), -EINVAL);
	head->size = 4; /* an int has 8 bytes */
	assert_int_equal(polb_event_call_read(&record, record_size, &call), -EINVAL);
}

static void refuses_payloads(void **state)
{
	struct polb_call call;
	const char zeros[512] = {0};

	(void)state;
	for (__u8 type = 0; type < POLB_N_TRACE_TYPES; type++) {
		enum polb_trace_class class = polb_trace_class(type);
		size_t wrong = class == POLB_CLASS_NOTHING ? 8 : class == POLB_CLASS_UNIX ? 0 : 7;

		if (class == POLB_CLASS_STRING)
			continue; /* any size is right */
		begin_call();
		add(POLB_ARGUMENT_ENTRY, 0, type, zeros, wrong);
		assert_int_equal(polb_event_call_read(&record, record_size, &call), -EINVAL);
	}
}

static void exec_records(void **state)
{
	static struct polb_event_exec event;
	struct polb_process_info info;
	size_t head = offsetof(struct polb_event_exec, exec.text);
	__u64 time_ns;

	(void)state;
	event.type = POLB_EVENT_EXEC;
	event.time_ns = 9;
	event.exec.pid = 4;
	event.exec.binary_size = 2;
	event.exec.arguments_size = 3;
	event.exec.cwd_size = 1;
	event.exec.invoked_size = 4;
	memcpy(event.exec.text, "/aa\0b//bin", 10);
	for (size_t size = 0; size < head + 10; size++)
		assert_int_equal(polb_event_exec_read(&event, size, &time_ns, &info), -EINVAL);
	assert_int_equal(polb_event_exec_read(&event, head + 10, &time_ns, &info), 0);
	assert_int_equal(time_ns, 9);
	assert_int_equal(info.pid, 4);
	assert_memory_equal(info.binary.data, "/a", 2);
	assert_memory_equal(info.arguments.data, "a\0b", 3);
	assert_memory_equal(info.cwd.data, "/", 1);
	assert_memory_equal(info.invoked.data, "/bin", 4);
	event.exec.cwd_size = POLB_EXEC_CWD + 1;
	assert_int_equal(polb_event_exec_read(&event, sizeof(event), &time_ns, &info), -EINVAL);
}

static void small_records(void **state)
{
	const struct polb_event_exit gone = {.type = POLB_EVENT_EXIT};
	struct {
		struct polb_event_data head;
		char bytes[8];
	} data = {{.type = POLB_EVENT_DATA, .size = 8}, "abcdefg"};
	const struct polb_event_exit *exit_out;
	const struct polb_event_data *data_out;
	struct polb_slice bytes;

	(void)state;
	assert_int_equal(polb_event_exit_read(&gone, sizeof(gone) - 1, &exit_out), -EINVAL);
	assert_int_equal(polb_event_exit_read(&gone, sizeof(gone), &exit_out), 0);
	assert_int_equal(polb_event_data_read(&data, sizeof(data) - 1, &data_out, &bytes), -EINVAL);
	assert_int_equal(polb_event_data_read(&data, sizeof(data), &data_out, &bytes), 0);
	assert_int_equal(bytes.size, 8);
	data.head.size = 0xffffffff;
	assert_int_equal(polb_event_data_read(&data, sizeof(data), &data_out, &bytes), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_calls),
		cmocka_unit_test(refuses_payloads),
		cmocka_unit_test(exec_records),
		cmocka_unit_test(small_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
