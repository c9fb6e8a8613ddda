/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * polc verify without kernels: verifiers' logs as 5.10, 6.1, 6.18 and 7.3 write them, polload's
 * report, the archive that a machine boots from, the head of a kernel image.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "compiler/backend/verify.h"

static struct polc_arena arena;

static struct polc_verifier_log parse(const char *log)
{
	return polc_verifier_log_parse(&arena, log);
}

/* ---- logs ---- */

static void costs_of_an_accepted_program(void **state)
{
	struct polc_verifier_log log = parse(
		"verification time 54235 usec\nstack depth 176+8+32\n"
		"processed 47676 insns (limit 1000000) max_states_per_insn 22 total_states 3995 "
		"peak_states 1785 mark_read 0\n");

	(void)state;
	assert_true(log.has_costs);
	assert_int_equal(log.instructions, 47676);
	assert_int_equal(log.limit, 1000000);
	assert_int_equal(log.states_per_instruction, 22);
	assert_int_equal(log.total_states, 3995);
	assert_int_equal(log.peak_states, 1785);
	assert_int_equal(log.n_frames, 3);
	assert_int_equal(log.frames[2], 32);
	assert_int_equal(log.most_stack, 0);
}

static void stack_of_7_3(void **state)
{
	struct polc_verifier_log log = parse(
		"verification time 152629 usec\nstack depth max 96\n"
		"subprog 0 (polt_track_exec) main insns_self 2078 insns_total 2234 stack 88\n"
		"processed 15945 insns (limit 1000000) max_states_per_insn 6 total_states 379 "
		"peak_states 279 mark_read 0\n");

	(void)state;
	assert_int_equal(log.n_frames, 0);
	assert_int_equal(log.most_stack, 96);
	assert_int_equal(polc_verifier_stack(&log, NULL, 0), 96);
	assert_string_equal(log.words, "");
}

static void too_large(void **state)
{
	struct polc_verifier_log log =
		parse("BPF program is too large. Processed 1000001 insn\n"
		      "processed 1000001 insns (limit 1000000) max_states_per_insn 40 total_states "
		      "90000 peak_states 20000 mark_read 33\n");

	(void)state;
	assert_int_equal(log.refusal, POLC_REFUSAL_TOO_LARGE);
	assert_int_equal(log.instructions, 1000001);
	assert_string_equal(log.words, "BPF program is too large. Processed 1000001 insn");
}

static void place_of_a_bad_access(void **state)
{
	/* 5.10: no file behind the source line, registers as inv */
	struct polc_verifier_log old =
		parse("func#0 @0\n0: R1=ctx(id=0,off=0,imm=0) R10=fp0\n; int *value = look(ctx);\n"
		      "0: (bf) r6 = r1\n; return *value;\n12: (61) r0 = *(u32 *)(r0 +0)\n"
		      "R0 invalid mem access 'map_value_or_null'\n"
		      "processed 13 insns (limit 1000000) max_states_per_insn 0 total_states 1 "
		      "peak_states 1 mark_read 1\n");
	/* 6.12 */
	struct polc_verifier_log new = parse(
		"; return *value; @ polc_tracing.h:77\n12: (61) r0 = *(u32 *)(r0 +0)\n"
		"R0 invalid mem access 'map_value_or_null'\nprocessed 13 insns (limit 1000000) "
		"max_states_per_insn 0 total_states 1 peak_states 1 mark_read 1\n");

	(void)state;
	assert_int_equal(old.refusal, POLC_REFUSAL_ACCESS);
	assert_int_equal(old.instruction, 12);
	assert_string_equal(old.source, "return *value;");
	assert_string_equal(old.words, "R0 invalid mem access 'map_value_or_null'");
	assert_string_equal(new.source, "return *value;");
}

static void long_explanations_are_left_out(void **state)
{
	struct polc_verifier_log log = parse(
		"R1 type=scalar expected=fp\nVerification failed: bad argument\n"
		"something at length\nprocessed 9 insns (limit 1000000) max_states_per_insn 0 "
		"total_states 0 peak_states 0 mark_read 0\n");

	(void)state;
	assert_int_equal(log.refusal, POLC_REFUSAL_ACCESS);
	assert_string_equal(log.words, "R1 type=scalar expected=fp");
	assert_int_equal(log.instructions, 9);
}

static void every_kind_of_refusal(void **state)
{
	static const struct {
		const char *line;
		enum polc_refusal refusal;
	} cases[] = {
		{"jump out of range from insn 21 to -25207", POLC_REFUSAL_JUMP},
		{"The sequence of 8193 jumps is too complex.", POLC_REFUSAL_TOO_COMPLEX},
		{"infinite loop detected at insn 7", POLC_REFUSAL_LOOP},
		{"combined stack size of 4 calls is 544. Too large", POLC_REFUSAL_STACK},
		{"invalid access to map value, value_size=8 off=8 size=4", POLC_REFUSAL_ACCESS},
		{"invalid indirect read from stack off -16+0 size 8", POLC_REFUSAL_ACCESS},
		{"unknown func bpf_loop#181", POLC_REFUSAL_HELPER},
		{"program of this type cannot use helper bpf_loop#181", POLC_REFUSAL_HELPER},
		{"invalid func unknown#195896080", POLC_REFUSAL_FIELD},
		{"failed to resolve CO-RE relocation <byte_off> [5] struct file.f_x",
			POLC_REFUSAL_FIELD},
		{"in-kernel BTF is malformed", POLC_REFUSAL_NO_BTF},
		{"The address of function vfs_read cannot be found", POLC_REFUSAL_TARGET},
		{"this kernel has nothing named f to attach to", POLC_REFUSAL_TARGET},
		{"do_exit() is not modifiable", POLC_REFUSAL_TARGET},
		{"At program exit the register R0 has value (0x2; 0x0) should have been in (0x0; "
		 "0x1)",
			POLC_REFUSAL_RETURN},
		{"prog 'x': BPF program load failed: Operation not permitted",
			POLC_REFUSAL_PERMISSION},
		{"prog 'x': BPF program load failed: Invalid argument", POLC_REFUSAL_UNSUPPORTED},
		{"words of a kernel to come", POLC_REFUSAL_OTHER},
	};
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(cases); i++) {
		struct polc_verifier_log log = parse(cases[i].line);

		assert_string_equal(
			polc_refusal_names[log.refusal], polc_refusal_names[cases[i].refusal]);
		assert_string_equal(log.words, cases[i].line);
		assert_false(log.has_costs);
	}
}

static void the_deepest_chain_of_calls(void **state)
{
	struct polc_verifier_log log = {.frames = {176, 8, 33, 0}, .n_frames = 4};
	const struct polc_call calls[] = {{0, 1}, {0, 2}, {2, 3}}, circle[] = {{0, 1}, {1, 0}},
			       nowhere[] = {{0, 4}};

	(void)state;
	assert_int_equal(polc_verifier_stack(&log, NULL, 0), 192);
	assert_int_equal(polc_verifier_stack(&log, calls, 3), 192 + 64 + 32);
	assert_int_equal(polc_verifier_stack(&log, circle, 2), UINT32_MAX);
	assert_int_equal(polc_verifier_stack(&log, nowhere, 1), UINT32_MAX);
}

/* ---- reports ---- */

#define STATISTICS                                                                                 \
	"log\tstack depth 8\nlog\tprocessed 12 insns (limit 1000000) max_states_per_insn 1 "       \
	"total_states 2 peak_states 3 mark_read 0\ncalls\n"

static int read_report(const char *report, struct polc_verified_kernel *out)
{
	static struct polc_verified_program programs[2];
	static struct polc_verified_alternative alternatives[2];
	static struct polc_verified_hook hook;
	static struct polc_verified_bundle bundle;
	struct polc polc = {.arena = arena};
	int err;

	memset(programs, 0, sizeof(programs));
	programs[0].name = "one";
	programs[1].name = "two";
	hook = (struct polc_verified_hook){.alternatives = alternatives, .n_alternatives = 2};
	bundle = (struct polc_verified_bundle){
		.programs = programs, .n_programs = 2, .hooks = &hook, .n_hooks = 1};
	*out = (struct polc_verified_kernel){.bundles = &bundle};
	err = polc_verify_read_report(&polc, report, strlen(report), 1, out);
	arena = polc.arena;
	return err;
}

static void a_report_is_read(void **state)
{
	struct polc_verified_kernel kernel;
	const struct polc_verified_bundle *b;

	(void)state;
	assert_int_equal(
		read_report("polc-report\t1\nkernel\t6.1."
			    "0\nbundle\t0\nprogram\tone\taccepted\n" STATISTICS
			    "program\ttwo\trefused\nlog\tinfinite loop detected at insn 7\n"
			    "alternative\t0\t0\tcannot\tno bpf\nalternative\t0\t1\tcan\t\nend\n",
			&kernel),
		0);
	b = &kernel.bundles[0];
	assert_string_equal(kernel.release, "6.1.0");
	assert_true(b->programs[0].accepted && b->programs[1].told && !b->programs[1].accepted);
	assert_int_equal(b->programs[0].log.instructions, 12);
	assert_int_equal(b->programs[0].stack_bytes, 32);
	assert_int_equal(b->programs[1].log.refusal, POLC_REFUSAL_LOOP);
	assert_false(b->hooks[0].alternatives[0].possible);
	assert_string_equal(b->hooks[0].alternatives[0].why, "no bpf");
	assert_true(b->hooks[0].alternatives[1].possible);
}

static void broken_reports_are_refused(void **state)
{
	static const char *const reports[] = {"", "polc-report\t2\nend\n",
		"polc-report\t1\nkernel\t6.1\n", "polc-report\t1\nbundle\t1\nend\n",
		"polc-report\t1\nprogram\tone\taccepted\nend\n",
		"polc-report\t1\nbundle\t0\nprogram\tthree\taccepted\nend\n",
		"polc-report\t1\nbundle\t0\nlog\tx\nend\n",
		"polc-report\t1\nbundle\t0\nprogram\tone\taccepted\ncalls\tx\nend\n",
		"polc-report\t1\nbundle\t0\nalternative\t0\t2\tcan\t\nend\n",
		"polc-report\t1\nbundle\t0\nalternative\t1\t0\tcan\t\nend\n",
		"polc-report\t1\nwhat\nend\n"};
	struct polc_verified_kernel kernel;

	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(reports); i++)
		assert_int_not_equal(read_report(reports[i], &kernel), 0);
}

/* ---- archives ---- */

struct memory {
	char bytes[4096];
	size_t n;
};

static int keep(void *context, const void *data, size_t size)
{
	struct memory *m = context;

	assert_true(size <= sizeof(m->bytes) - m->n);
	memcpy(m->bytes + m->n, data, size);
	m->n += size;
	return 0;
}

static struct memory archive(const char *name, const char *content)
{
	struct memory m = {.n = 0};
	struct polb_cpio_writer w = {.write = keep, .context = &m};

	polb_cpio_add(&w, &(struct polb_cpio_entry){"dev", POLB_CPIO_DIRECTORY, NULL, 0});
	polb_cpio_add(&w, &(struct polb_cpio_entry){"dev/console", POLB_CPIO_CONSOLE, NULL, 0});
	polb_cpio_add(
		&w, &(struct polb_cpio_entry){name, POLB_CPIO_FILE, content, strlen(content)});
	assert_int_equal(polb_cpio_end(&w), 0);
	return m;
}

static void an_archive_is_read_back(void **state)
{
	struct memory m = archive("a/b", "hello");
	struct polb_cpio_entry entry;
	size_t offset = 0;

	(void)state;
	assert_int_equal(m.n % 4, 0);
	assert_memory_equal(m.bytes, "070701", 6);
	assert_int_equal(polb_cpio_next(m.bytes, m.n, &offset, &entry), 1);
	assert_string_equal(entry.name, "dev");
	assert_int_equal(entry.mode, POLB_CPIO_DIRECTORY);
	assert_int_equal(polb_cpio_next(m.bytes, m.n, &offset, &entry), 1);
	assert_memory_equal(m.bytes + 116 + 6 + 9 * 8, "0000000500000001", 16); /* 5:1 */
	assert_int_equal(polb_cpio_next(m.bytes, m.n, &offset, &entry), 1);
	assert_string_equal(entry.name, "a/b");
	assert_int_equal(entry.size, 5);
	assert_memory_equal(entry.data, "hello", 5);
	assert_int_equal(polb_cpio_next(m.bytes, m.n, &offset, &entry), 0);
}

static int read_all(const struct memory *m, size_t size)
{
	struct polb_cpio_entry entry;
	size_t offset = 0;
	int more;

	while ((more = polb_cpio_next(m->bytes, size, &offset, &entry)) == 1)
		;
	return more;
}

static void archives_that_are_cut_or_climb(void **state)
{
	static const char *const names[] = {"/etc/passwd", "../x", "a/../../x", "a/..", ".."};
	struct memory m = archive("a..b/..c", "hello");

	(void)state;
	assert_int_equal(read_all(&m, m.n), 0);
	for (size_t size = 0; size + 4 < m.n; size++)
		assert_int_not_equal(read_all(&m, size), 1);
	assert_int_equal(read_all(&m, m.n / 2), -EINVAL);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(names); i++) {
		m = archive(names[i], "hello");
		assert_int_equal(read_all(&m, m.n), -EINVAL);
	}
}

/* ---- images ---- */

static void release_of_an_image(void **state)
{
	char head[1024] = "";

	(void)state;
	assert_null(polc_kernel_image_release(&arena, head, sizeof(head)));
	memcpy(head + 0x202, "HdrS", 4);
	assert_null(polc_kernel_image_release(&arena, head, sizeof(head)));
	head[0x20f] = 1; /* at 0x300 */
	strcpy(head + 0x300, "6.1.0-56-cloud-amd64 (someone) #1 SMP");
	assert_string_equal(
		polc_kernel_image_release(&arena, head, sizeof(head)), "6.1.0-56-cloud-amd64");
	assert_null(polc_kernel_image_release(&arena, head, 0x300));
	assert_null(polc_kernel_image_release(&arena, head, 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(costs_of_an_accepted_program),
		cmocka_unit_test(stack_of_7_3),
		cmocka_unit_test(too_large),
		cmocka_unit_test(place_of_a_bad_access),
		cmocka_unit_test(long_explanations_are_left_out),
		cmocka_unit_test(every_kind_of_refusal),
		cmocka_unit_test(the_deepest_chain_of_calls),
		cmocka_unit_test(a_report_is_read),
		cmocka_unit_test(broken_reports_are_refused),
		cmocka_unit_test(an_archive_is_read_back),
		cmocka_unit_test(archives_that_are_cut_or_climb),
		cmocka_unit_test(release_of_an_image),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	polc_arena_free(&arena);
	return failed;
}
