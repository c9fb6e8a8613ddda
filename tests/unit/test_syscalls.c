/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* System calls: spellings, numbers, symbols, signatures; and that this machine's numbers are ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <cmocka.h>

#include "compiler/ir/target.h"

static void assert_call(const char *text, enum polc_abi abi, const char *name, uint32_t number)
{
	struct polc_syscall call;

	if (!polc_syscall_parse(text, &call))
		fail_msg("%s is no system call", text);
	assert_int_equal(call.abi, abi);
	assert_string_equal(call.name, name);
	assert_int_equal(call.number, number);
}

static void spellings(void **state)
{
	(void)state;
	assert_call("openat", POLC_ABI_X64, "openat", 257);
	assert_call("sys_openat", POLC_ABI_X64, "openat", 257);
	assert_call("__x64_sys_openat", POLC_ABI_X64, "openat", 257);
	assert_call("x64/sys_openat", POLC_ABI_X64, "openat", 257);
	assert_call("x64/openat", POLC_ABI_X64, "openat", 257);
	assert_call("x64/__x64_sys_openat", POLC_ABI_X64, "openat", 257);
	assert_call("__ia32_sys_openat", POLC_ABI_I386, "openat", 295);
	assert_call("__ia32_compat_sys_openat", POLC_ABI_I386, "openat", 295);
	assert_call("i386/sys_openat", POLC_ABI_I386, "openat", 295);
	assert_call("__arm64_sys_openat", POLC_ABI_ARM64, "openat", 56);
	assert_call("arm64/sys_openat", POLC_ABI_ARM64, "openat", 56);
	assert_call("arm32/sys_openat", POLC_ABI_ARM32, "openat", 322);
	assert_call("arm32/__arm64_sys_openat", POLC_ABI_ARM32, "openat", 322);
	/* the kernel's names */
	assert_call("sys_newstat", POLC_ABI_X64, "stat", 4);
	assert_call("sys_umount", POLC_ABI_X64, "umount2", 166);
	assert_call("__ia32_sys_newuname", POLC_ABI_I386, "uname", 122);
	assert_call("__ia32_sys_uname", POLC_ABI_I386, "olduname", 109);
	assert_call("i386/sys_uname", POLC_ABI_I386, "uname", 122);
}

static void no_spellings(void **state)
{
	static const char *const wrong[] = {"", "sys_", "tcp_connect", "sys_open at", "i386/",
		"security_file_open", "i386/__x64_sys_openat", "x32/sys_openat", "Sys_openat",
		"sys_openat,", "__x64_sys_"};
	struct polc_syscall call = {.name = "untouched"};

	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(wrong); i++)
		if (polc_syscall_parse(wrong[i], &call))
			fail_msg("\"%s\" was taken for a system call", wrong[i]);
	assert_string_equal(call.name, "untouched");
	/* well-spelled, but none of ours */
	assert_call("sys_frobnicate", POLC_ABI_X64, "frobnicate", UINT32_MAX);
	assert_call("i386/frobnicate", POLC_ABI_I386, "frobnicate", UINT32_MAX);
}

static void assert_symbol(
	struct polc_arena *arena, const char *text, bool compat, const char *symbol)
{
	struct polc_syscall call;

	assert_true(polc_syscall_parse(text, &call));
	assert_int_equal(polc_syscall_is_compat(&call), compat);
	assert_string_equal(polc_syscall_symbol(arena, &call, compat), symbol);
}

static void symbols(void **state)
{
	struct polc_arena arena = {0};

	(void)state;
	assert_symbol(&arena, "openat", false, "__x64_sys_openat");
	assert_symbol(&arena, "sys_stat", false, "__x64_sys_newstat");
	assert_symbol(&arena, "sys_umount2", false, "__x64_sys_umount");
	assert_symbol(&arena, "i386/sys_openat", true, "__ia32_compat_sys_openat");
	assert_symbol(&arena, "i386/sys_mkdir", false, "__ia32_sys_mkdir");
	assert_symbol(&arena, "i386/sys_chown32", false, "__ia32_sys_chown");
	assert_symbol(&arena, "i386/sys_chown", false, "__ia32_sys_chown16");
	assert_symbol(&arena, "__ia32_compat_sys_execve", true, "__ia32_compat_sys_execve");
	assert_symbol(&arena, "arm64/sys_openat", false, "__arm64_sys_openat");
	assert_symbol(&arena, "sys_frobnicate", false, "__x64_sys_frobnicate");
	polc_arena_free(&arena);
}

static void assert_argument(const char *call, unsigned n, enum polc_value_kind kind,
	const char *type, uint32_t size, bool is_signed)
{
	struct polc_value_type value;

	if (!polc_syscall_argument(call, n, &value))
		fail_msg("argument %u of %s is not known", n, call);
	assert_int_equal(value.kind, kind);
	assert_string_equal(value.name, type);
	assert_int_equal(value.size, size);
	assert_int_equal(value.is_signed, is_signed);
	assert_int_equal(value.is_char, !strcmp(type, "char"));
}

static void signatures(void **state)
{
	struct polc_value_type value;

	(void)state;
	assert_int_equal(polc_syscall_arguments("openat"), 4);
	assert_argument("openat", 0, POLC_VALUE_INT, "int", 4, true);
	assert_argument("openat", 1, POLC_VALUE_POINTER, "char", 8, false);
	assert_argument("openat", 3, POLC_VALUE_INT, "unsigned short", 2, false);
	assert_string_equal(polc_syscall_argument_name("openat", 1), "filename");
	assert_argument("read", 2, POLC_VALUE_INT, "unsigned long", 8, false);
	assert_argument("connect", 1, POLC_VALUE_POINTER, "sockaddr", 8, false);
	assert_argument("kill", 1, POLC_VALUE_INT, "int", 4, true);
	assert_argument("setuid", 0, POLC_VALUE_INT, "unsigned int", 4, false);
	assert_argument("execve", 1, POLC_VALUE_POINTER, "", 8, false);
	assert_argument("newstat", 0, POLC_VALUE_POINTER, "char", 8, false);
	assert_int_equal(polc_syscall_arguments("getpid"), 0);
	assert_int_equal(polc_syscall_arguments("mmap"), 6);
	assert_int_equal(polc_syscall_arguments("query_module"), -1);
	assert_int_equal(polc_syscall_arguments("frobnicate"), -1);
	assert_false(polc_syscall_argument("openat", 4, &value));
	assert_null(polc_syscall_argument_name("getpid", 0));
}

/* Every type of the table is one that polc knows, and every call has at most six arguments. */
static void whole_table(void **state)
{
	size_t n, known = 0;
	const char *const *names = polc_syscall_names(POLC_ABI_X64, &n);

	(void)state;
	assert_true(n > 350);
	for (size_t i = 0; i < n; i++) {
		int count = polc_syscall_arguments(names[i]);
		struct polc_value_type value;

		assert_true(count <= 6);
		known += count >= 0;
		for (int k = 0; k < count; k++)
			if (!polc_syscall_argument(names[i], (unsigned)k, &value))
				fail_msg("%s: argument %d", names[i], k);
	}
	assert_int_equal(known, n);
}

static void order(void **state)
{
	static const enum polc_abi abis[] = {
		POLC_ABI_X64, POLC_ABI_I386, POLC_ABI_ARM64, POLC_ABI_ARM32};
	static const char *const words[] = {"x64", "i386", "arm64", "arm32"};
	struct polc_arena arena = {0};

	(void)state;
	for (size_t a = 0; a < POLC_ARRAY_SIZE(abis); a++) {
		size_t n;
		const char *const *names = polc_syscall_names(abis[a], &n);
		uint32_t last = 0;

		assert_true(n > 300);
		for (size_t i = 0; i < n; i++) {
			struct polc_syscall call;

			assert_true(polc_syscall_parse(
				polc_arena_printf(&arena, "%s/sys_%s", words[a], names[i]), &call));
			assert_string_equal(call.name, names[i]);
			assert_true(!i || call.number > last);
			last = call.number;
		}
	}
	polc_arena_free(&arena);
}

static void numbers_of_this_machine(void **state)
{
	(void)state;
#ifdef __x86_64__
	assert_call("openat", POLC_ABI_X64, "openat", SYS_openat);
	assert_call("execve", POLC_ABI_X64, "execve", SYS_execve);
	assert_call("bpf", POLC_ABI_X64, "bpf", SYS_bpf);
	assert_call("pidfd_open", POLC_ABI_X64, "pidfd_open", SYS_pidfd_open);
	assert_call("io_uring_setup", POLC_ABI_X64, "io_uring_setup", SYS_io_uring_setup);
#else
	skip();
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spellings),
		cmocka_unit_test(no_spellings),
		cmocka_unit_test(symbols),
		cmocka_unit_test(signatures),
		cmocka_unit_test(whole_table),
		cmocka_unit_test(order),
		cmocka_unit_test(numbers_of_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
