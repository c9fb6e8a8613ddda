/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Targets: a kernel of our own, made of a few types, as a file and as a directory; then what this
 * machine's kernel says, where it can be read.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "target_world.h"

/* --- opening ---------------------------------------------------------------------------------- */

static void names(void **state)
{
	struct world *world = *state;
	struct polc_target *target = world->full;
	char path[256];

	assert_int_equal(polc_target_open(&world->polc, "no-such-target", &target), -ENOENT);
	assert_int_equal(polc_target_open(&world->polc, "/no/such/file", &target), -ENOENT);
	snprintf(path, sizeof(path), "%s/config", world->directory);
	assert_true(polc_target_open(&world->polc, path, &target) < 0); /* no BTF */
	snprintf(path, sizeof(path), "%s/events", world->directory);
	assert_true(polc_target_open(&world->polc, path, &target) < 0); /* no BTF in it */
	assert_ptr_equal(target, world->full);
	assert_string_equal(polc_target_name(world->full), world->directory);
}

static void installed_name(void **state)
{
	struct world *world = *state;
	struct polc_target *target;
	char path[256];

	make_directory(world->directory, "polc");
	make_directory(world->directory, "polc/targets");
	snprintf(path, sizeof(path), "%s/polc/targets/our-kernel", world->directory);
	assert_int_equal(symlink(world->directory, path), 0);
	setenv("XDG_DATA_HOME", world->directory, 1);
	assert_int_equal(polc_target_open(&world->polc, "our-kernel", &target), 0);
	unsetenv("XDG_DATA_HOME");
	assert_string_equal(polc_target_name(target), "our-kernel");
	assert_int_equal(polc_target_has_function(target, "static_one"), POLC_YES);
	polc_target_close(target);
}

/* --- functions -------------------------------------------------------------------------------- */

static void functions(void **state)
{
	struct world *world = *state;

	assert_int_equal(polc_target_has_function(world->full, "open_it"), POLC_YES);
	assert_int_equal(polc_target_has_function(world->full, "static_one"), POLC_YES);
	assert_int_equal(polc_target_has_function(world->full, "weak_one"), POLC_YES);
	assert_int_equal(polc_target_has_function(world->full, "in_module"), POLC_YES);
	assert_int_equal(polc_target_has_function(world->full, "some_data"), POLC_NO);
	/* in BTF, but no symbol; in BTF, but gone after boot */
	assert_int_equal(polc_target_has_function(world->full, "security_task_kill"), POLC_NO);
	assert_int_equal(polc_target_has_function(world->full, "seven"), POLC_NO);
	assert_int_equal(polc_target_has_function(world->file, "seven"), POLC_YES);
	assert_int_equal(polc_target_has_function(world->file, "static_one"), POLC_NO);

	assert_int_equal(polc_target_has_fentry(world->file, "open_it"), POLC_YES);
	assert_int_equal(polc_target_has_fentry(world->file, "by_value"), POLC_NO);
	assert_int_equal(polc_target_has_fentry(world->file, "seven"), POLC_NO);
	assert_int_equal(polc_target_has_fentry(world->file, "print"), POLC_NO);
	assert_int_equal(polc_target_has_fentry(world->full, "static_one"), POLC_NO);
}

static void overridable(void **state)
{
	struct world *world = *state;

	assert_int_equal(polc_target_overridable(world->full, "security_task_look"), POLC_YES);
	assert_int_equal(polc_target_overridable(world->full, "__x64_sys_openat"), POLC_YES);
	assert_int_equal(polc_target_overridable(world->full, "open_it"), POLC_YES);
	assert_int_equal(polc_target_overridable(world->full, "in_module"), POLC_YES);
	assert_int_equal(polc_target_overridable(world->full, "static_one"), POLC_NO);
	assert_int_equal(polc_target_overridable(world->file, "open_it"), POLC_UNKNOWN);
}

static void configuration(void **state)
{
	struct world *world = *state;

	assert_int_equal(polc_target_config(world->full, "CONFIG_BPF_LSM"), POLC_YES);
	assert_int_equal(polc_target_config(world->full, "CONFIG_MODULE"), POLC_YES);
	assert_int_equal(polc_target_config(world->full, "CONFIG_OFF"), POLC_NO);
	assert_int_equal(polc_target_config(world->full, "CONFIG_NUMBER"), POLC_NO);
	assert_int_equal(polc_target_config(world->file, "CONFIG_BPF_LSM"), POLC_UNKNOWN);
}

/* A kernel without error injection: security_* can be overridden, native system calls in some. */
static void no_error_injection(void **state)
{
	struct world *world = *state;
	struct polc_target *target;
	static const char off[] = "# CONFIG_FUNCTION_ERROR_INJECTION is not set\n";

	write_text(world->directory, "config", off, sizeof(off) - 1);
	assert_int_equal(polc_target_open(&world->polc, world->directory, &target), 0);
	write_text(world->directory, "config", config, sizeof(config) - 1);
	assert_int_equal(polc_target_overridable(target, "__x64_sys_openat"), POLC_UNKNOWN);
	assert_int_equal(polc_target_overridable(target, "__ia32_sys_openat"), POLC_NO);
	assert_int_equal(polc_target_overridable(target, "open_it"), POLC_NO);
	assert_int_equal(polc_target_overridable(target, "security_task_look"), POLC_YES);
	polc_target_close(target);
}

static void lsm_hooks(void **state)
{
	struct world *world = *state;

	assert_int_equal(polc_target_has_lsm_hook(world->file, "task_look"), POLC_YES);
	assert_int_equal(polc_target_has_lsm_hook(world->file, "open_it"), POLC_NO);
	assert_int_equal(polc_target_lsm_same_parameters(world->file, "task_look"), POLC_YES);
	assert_int_equal(polc_target_lsm_same_parameters(world->file, "task_kill"), POLC_NO);
	assert_int_equal(polc_target_lsm_same_parameters(world->file, "only"), POLC_UNKNOWN);
}

static void matching(void **state)
{
	struct world *world = *state;
	const char *const *found;
	size_t n;

	assert_int_equal(polc_target_functions_matching(
				 &world->polc, world->file, "^security_task_", &found, &n),
		0);
	assert_int_equal(n, 2);
	assert_string_equal(found[0], "security_task_kill");
	assert_string_equal(found[1], "security_task_look");
	assert_int_equal(
		polc_target_functions_matching(&world->polc, world->full, "^sec|^sev", &found, &n),
		0);
	assert_int_equal(n, 1);
	assert_string_equal(found[0], "security_task_look");
	assert_int_equal(
		polc_target_functions_matching(&world->polc, world->file, "nothing", &found, &n),
		0);
	assert_int_equal(n, 0);
	assert_int_equal(polc_target_functions_matching(&world->polc, world->file, "(", &found, &n),
		-EINVAL);
}

/* --- prototypes ------------------------------------------------------------------------------- */

static void assert_type(const struct polc_value_type *type, enum polc_value_kind kind,
	const char *name, uint32_t size)
{
	assert_int_equal(type->kind, kind);
	assert_string_equal(type->name, name);
	assert_int_equal(type->size, size);
}

static void prototypes(void **state)
{
	struct world *world = *state;
	struct polc_function_type f;

	assert_int_equal(polc_target_function(&world->polc, world->file, "open_it", &f), 0);
	assert_int_equal(f.n_parameters, 6);
	assert_false(f.variadic);
	assert_string_equal(f.parameter_names[1], "name");
	assert_type(&f.parameters[0], POLC_VALUE_POINTER, "task", 8);
	assert_true(f.parameters[0].is_struct);
	assert_type(&f.parameters[1], POLC_VALUE_POINTER, "char", 8);
	assert_true(f.parameters[1].is_char);
	assert_type(&f.parameters[2], POLC_VALUE_INT, "colour", 4);
	assert_true(f.parameters[2].is_signed);
	assert_type(&f.parameters[3], POLC_VALUE_INT, "unsigned long", 8);
	assert_false(f.parameters[3].is_signed);
	assert_type(&f.parameters[4], POLC_VALUE_POINTER, "", 8);
	assert_false(f.parameters[4].is_struct);
	assert_type(&f.parameters[5], POLC_VALUE_POINTER, "file", 8); /* only declared */
	assert_true(f.parameters[5].is_struct);
	assert_type(&f.result, POLC_VALUE_INT, "int", 4);
	assert_int_equal(polc_target_function(&world->polc, world->file, "by_value", &f), 0);
	assert_type(&f.parameters[0], POLC_VALUE_STRUCT, "task", 72);
	assert_int_equal(polc_target_function(&world->polc, world->file, "seven", &f), 0);
	assert_type(&f.result, POLC_VALUE_VOID, "", 0);
	assert_int_equal(polc_target_function(&world->polc, world->file, "print", &f), 0);
	assert_true(f.variadic);
	assert_int_equal(f.n_parameters, 1);
	assert_int_equal(polc_target_function(&world->polc, world->file, "task", &f), -ENOENT);
}

static void raw_tracepoints_and_structs(void **state)
{
	struct world *world = *state;
	struct polc_function_type f;
	struct polc_value_type type;

	assert_int_equal(polc_target_raw_tracepoint(&world->polc, world->file, "task_go", &f), 0);
	assert_int_equal(f.n_parameters, 2);
	assert_type(&f.parameters[0], POLC_VALUE_POINTER, "task", 8);
	assert_string_equal(f.parameter_names[1], "code");
	assert_int_equal(
		polc_target_raw_tracepoint(&world->polc, world->file, "none", &f), -ENOENT);
	assert_int_equal(polc_target_struct(&world->polc, world->file, "task", &type), 0);
	assert_type(&type, POLC_VALUE_STRUCT, "task", 72);
	assert_int_equal(polc_target_struct(&world->polc, world->file, "cap_t", &type), 0);
	assert_type(&type, POLC_VALUE_STRUCT, "cap_t", 8);
	assert_true(type.is_typedef);
	assert_int_equal(polc_target_struct(&world->polc, world->file, "file", &type), -ENOENT);
}

static void modules(void **state)
{
	struct world *world = *state;
	const struct polc_resolve_step *steps;
	struct polc_function_type f;
	size_t n;

	assert_int_equal(polc_target_has_fentry(world->full, "in_module"), POLC_YES);
	assert_int_equal(polc_target_function(&world->polc, world->full, "in_module", &f), 0);
	assert_type(&f.parameters[0], POLC_VALUE_POINTER, "module_state", 8);
	assert_int_equal(polc_target_resolve(&world->polc, world->full, &f.parameters[0],
				 "owner.comm", (struct polc_span){0}, &steps, &n),
		0);
	assert_int_equal(n, 2);
	assert_string_equal(steps[1].struct_name, "task");
	assert_int_equal(polc_target_function(&world->polc, world->file, "in_module", &f), -ENOENT);
}

/* --- resolve ---------------------------------------------------------------------------------- */

/* From the first parameter of open_it (a struct task *): the number of steps, or an error. */
static int resolve(struct world *world, const char *path, const struct polc_resolve_step **steps)
{
	struct polc_function_type f;
	uint32_t source = polc_source_add(
		&world->polc.arena, &world->polc.sources, "p.yaml", path, strlen(path));
	struct polc_span span = {source, 0, (uint32_t)strlen(path)};
	size_t n = 0;
	int error;

	assert_int_equal(polc_target_function(&world->polc, world->file, "open_it", &f), 0);
	error = polc_target_resolve(
		&world->polc, world->file, &f.parameters[0], path, span, steps, &n);
	return error ? error : (int)n;
}

static void resolved(void **state)
{
	struct world *world = *state;
	const struct polc_resolve_step *s;

	assert_int_equal(resolve(world, "comm", &s), 1);
	assert_string_equal(s[0].struct_name, "task");
	assert_string_equal(s[0].member, "comm");
	assert_true(s[0].through_pointer);
	assert_false(s[0].member_anonymous_path);
	assert_type(&s[0].type, POLC_VALUE_ARRAY, "char", 16);
	assert_true(s[0].type.is_char);

	/* through an anonymous struct and an anonymous union, a pointer, and back */
	assert_int_equal(resolve(world, "parent.pid", &s), 2);
	assert_true(s[0].member_anonymous_path);
	assert_int_equal(s[0].offset, 24);
	assert_string_equal(s[0].struct_name, "task");
	assert_true(s[1].through_pointer);
	assert_int_equal(s[1].offset, 16);
	assert_type(&s[1].type, POLC_VALUE_INT, "int", 4);

	assert_int_equal(resolve(world, "caps.value", &s), 2);
	assert_true(s[1].is_typedef);
	assert_string_equal(s[1].struct_name, "cap_t");
	assert_false(s[1].through_pointer);

	assert_int_equal(resolve(world, "flag", &s), 1);
	assert_int_equal(s[0].bitfield_bits, 3);
	assert_int_equal(s[0].offset * 8 + s[0].bitfield_offset, 450);
}

static void resolved_elements(void **state)
{
	struct world *world = *state;
	const struct polc_resolve_step *s;

	assert_int_equal(resolve(world, "children[1].comm[3]", &s), 4);
	assert_null(s[1].struct_name);
	assert_int_equal(s[1].index, 1);
	assert_int_equal(s[1].offset, 8);
	assert_false(s[1].through_pointer);
	assert_type(&s[1].type, POLC_VALUE_POINTER, "task", 8);
	assert_true(s[2].through_pointer);
	assert_int_equal(s[3].offset, 3);
	assert_type(&s[3].type, POLC_VALUE_INT, "char", 1);

	/* an index on the parameter itself: the second struct task */
	assert_int_equal(resolve(world, "[1].pid", &s), 2);
	assert_true(s[0].through_pointer);
	assert_int_equal(s[0].offset, 72);
	assert_false(s[1].through_pointer);

	/* a pointer to a pointer: its first element is taken */
	assert_int_equal(resolve(world, "all.comm", &s), 3);
	assert_null(s[1].struct_name);
	assert_int_equal(s[1].index, 0);
	assert_true(s[1].through_pointer);
	assert_true(s[2].through_pointer);
	assert_int_equal(world->polc.n_errors, 0);
}

static void resolve_from_struct(void **state)
{
	struct world *world = *state;
	const struct polc_resolve_step *steps;
	struct polc_value_type from;
	size_t n;

	assert_int_equal(polc_target_struct(&world->polc, world->file, "task", &from), 0);
	from.kind = POLC_VALUE_POINTER;
	assert_int_equal(polc_target_resolve(&world->polc, world->file, &from, "children[0].comm",
				 (struct polc_span){0}, &steps, &n),
		0);
	assert_int_equal(n, 3);
	assert_true(steps[0].through_pointer);
}

/* The last diagnostic points at `word`, and says `message`. */
static void assert_refused(
	struct world *world, const char *path, const char *word, const char *message)
{
	const struct polc_resolve_step *steps = NULL;
	const struct polc_diagnostic *d;

	assert_int_equal(resolve(world, path, &steps), -EINVAL);
	assert_null(steps);
	d = world->polc.diagnostics.items[world->polc.diagnostics.n - 1];
	assert_int_equal(d->code, POLC_CODE_TRACE_RESOLVE);
	if (!strstr(d->message, message))
		fail_msg("%s: %s", path, d->message);
	assert_int_equal(d->span.begin, strstr(path, word) - path);
	assert_int_equal(d->span.end - d->span.begin, strlen(word));
}

static void refused(void **state)
{
	struct world *world = *state;
	const struct polc_diagnostic *d;

	assert_refused(world, "parent.comn", "comn", "struct task of target");
	d = world->polc.diagnostics.items[world->polc.diagnostics.n - 1];
	assert_string_equal(d->suggestion, "did you mean \"comm\"?");
	assert_refused(world, "pid.comm", "comm", "\"comm\" of int: only a struct has members");
	assert_refused(world, "comm.x", "x", "\"x\" of an array of 16 char");
	assert_refused(world, "comm[16]", "[16]", "[16] is beyond the end of an array of 16 char");
	assert_refused(world, "pid[0]", "[0]", "[0] of int: only an array has elements");
	assert_refused(world, "caps.x", "x", "cap_t of target");
	assert_refused(world, "comm[x]", "[", "a number is missing");
	assert_refused(world, "comm[1", "[1", "\"]\" is missing");
	assert_refused(world, "comm[99999999999]", "[99999999999]", "too large");
	assert_refused(world, "children.", "children.", "the name of a member is missing");
}

/* --- tracepoints ------------------------------------------------------------------------------ */

static const struct polc_tracepoint_field *fields(struct world *world,
	const struct polc_target *target, const char *subsystem, const char *event, size_t n)
{
	const struct polc_tracepoint_field *found = NULL;
	size_t n_found = 0;

	assert_int_equal(
		polc_tracepoint_fields(&world->polc, target, subsystem, event, &found, &n_found),
		0);
	assert_int_equal(n_found, n);
	assert_string_equal(found[0].name, "common_type");
	assert_int_equal(found[0].size, 2);
	assert_string_equal(found[3].name, "common_pid");
	assert_int_equal(found[3].offset, 4);
	assert_true(found[3].is_signed);
	return found;
}

static void assert_task_fields(const struct polc_tracepoint_field *f, const char *record)
{
	assert_string_equal(f[4].name, "name");
	assert_true(f[4].is_data_loc && f[4].is_char);
	assert_int_equal(f[4].size, 4);
	assert_string_equal(f[4].member, "__data_loc_name");
	assert_true(f[5].is_array && f[5].is_char);
	assert_int_equal(f[5].offset, 12);
	assert_int_equal(f[5].size, 8);
	assert_int_equal(f[5].type.size, 8);
	assert_true(f[6].is_signed);
	assert_int_equal(f[6].offset, 20);
	assert_string_equal(f[6].record, record);
	assert_null(f[0].record);
}

static void fields_of_btf(void **state)
{
	struct world *world = *state;
	const struct polc_tracepoint_field *f;
	size_t n;

	f = fields(world, world->file, "task", "task_go", 7);
	assert_task_fields(f, "trace_event_raw_task_go");
	/* an event that is known to be of a class */
	f = fields(world, world->file, "sched", "sched_wakeup", 7);
	assert_string_equal(f[6].record, "trace_event_raw_sched_wakeup_template");
	assert_int_equal(
		polc_tracepoint_fields(&world->polc, world->file, "task", "none", &f, &n), -ENOENT);
}

static void fields_of_formats(void **state)
{
	struct world *world = *state;
	const struct polc_tracepoint_field *f;
	size_t n;

	f = fields(world, world->full, "syscalls", "sys_enter_openat", 9);
	assert_int_equal(f[5].size, 8);
	assert_type(&f[5].type, POLC_VALUE_INT, "int", 4);
	assert_true(f[5].is_signed);
	assert_type(&f[6].type, POLC_VALUE_POINTER, "char", 8);
	assert_type(&f[7].type, POLC_VALUE_POINTER, "open_how", 8);
	assert_true(f[7].type.is_struct);
	assert_type(&f[8].type, POLC_VALUE_INT, "some_t", 8);
	assert_true(f[8].is_signed);
	/* where events are known, no others exist */
	assert_int_equal(polc_tracepoint_fields(
				 &world->polc, world->full, "syscalls", "sys_enter_read", &f, &n),
		-ENOENT);
	assert_int_equal(
		polc_tracepoint_fields(&world->polc, world->full, "task", "broken", &f, &n),
		-EINVAL);
	assert_int_equal(
		polc_tracepoint_fields(&world->polc, world->full, "..", "config", &f, &n), -ENOENT);
}

/* Two structs have task_stop's fields; a third is an event of the subsystem itself, and is not it.
 */
static void class_of_format(void **state)
{
	struct world *world = *state;
	const struct polc_tracepoint_field *f;

	f = fields(world, world->full, "task", "task_stop", 7);
	assert_string_equal(f[4].name, "name");
	assert_int_equal(f[5].type.size, 8);
	assert_null(f[6].record); /* task_template or sched_wakeup_template: not known */
	make_directory(world->directory, "events/task/sched_wakeup_template");
	f = fields(world, world->full, "task", "task_stop", 7);
	assert_task_fields(f, "trace_event_raw_task_template");
}

static void fields_built_in(void **state)
{
	struct world *world = *state;
	const struct polc_tracepoint_field *f;
	size_t n;

	f = fields(world, NULL, "raw_syscalls", "sys_enter", 6);
	assert_string_equal(f[4].name, "id");
	assert_true(f[4].offset == 8 && f[4].size == 8 && f[4].is_signed);
	assert_true(f[5].offset == 16 && f[5].size == 48 && f[5].is_array);
	f = fields(world, NULL, "raw_syscalls", "sys_exit", 6);
	assert_string_equal(f[5].name, "ret");
	f = fields(world, NULL, "syscalls", "sys_enter_openat", 9);
	assert_string_equal(f[4].name, "__syscall_nr");
	assert_true(f[4].offset == 8 && f[4].size == 4);
	assert_string_equal(f[6].name, "filename");
	assert_true(f[6].offset == 24 && f[6].size == 8);
	assert_type(&f[6].type, POLC_VALUE_POINTER, "char", 8);
	f = fields(world, world->file, "syscalls", "sys_exit_openat", 6);
	assert_true(f[5].offset == 16 && f[5].is_signed);
	fields(world, NULL, "syscalls", "sys_enter_newstat", 7);
	/* the kernel has no such event: its function is newstat */
	assert_int_equal(
		polc_tracepoint_fields(&world->polc, NULL, "syscalls", "sys_enter_stat", &f, &n),
		-ENOENT);
	assert_int_equal(
		polc_tracepoint_fields(&world->polc, NULL, "sched", "sched_switch", &f, &n),
		-ENOENT);
}

/* --- this machine ----------------------------------------------------------------------------- */

static void running_kernel(void **state)
{
	struct world *world = *state;
	const struct polc_resolve_step *steps;
	struct polc_function_type f;
	struct polc_value_type from;
	struct polc_target *target;
	size_t n;

	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		print_message("no readable /sys/kernel/btf/vmlinux\n");
		skip();
	}
	assert_int_equal(polc_target_open(&world->polc, "running", &target), 0);
	assert_int_equal(polc_target_has_function(target, "vfs_read"), POLC_YES);
	assert_int_equal(polc_target_has_function(target, "no_such_function"), POLC_NO);
	assert_int_equal(polc_target_function(&world->polc, target, "vfs_read", &f), 0);
	assert_int_equal(f.n_parameters, 4);
	assert_type(&f.parameters[0], POLC_VALUE_POINTER, "file", 8);
	assert_type(&f.parameters[2], POLC_VALUE_INT, "unsigned long", 8);
	assert_int_equal(polc_target_struct(&world->polc, target, "task_struct", &from), 0);
	from.kind = POLC_VALUE_POINTER;
	assert_int_equal(
		polc_target_resolve(&world->polc, target, &from,
			"mm.exe_file.f_path.dentry.d_name.name", (struct polc_span){0}, &steps, &n),
		0);
	assert_int_equal(n, 6);
	polc_target_close(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(installed_name),
		cmocka_unit_test(functions),
		cmocka_unit_test(overridable),
		cmocka_unit_test(configuration),
		cmocka_unit_test(no_error_injection),
		cmocka_unit_test(lsm_hooks),
		cmocka_unit_test(matching),
		cmocka_unit_test(prototypes),
		cmocka_unit_test(raw_tracepoints_and_structs),
		cmocka_unit_test(modules),
		cmocka_unit_test(resolved),
		cmocka_unit_test(resolved_elements),
		cmocka_unit_test(resolve_from_struct),
		cmocka_unit_test(refused),
		cmocka_unit_test(fields_of_btf),
		cmocka_unit_test(fields_of_formats),
		cmocka_unit_test(class_of_format),
		cmocka_unit_test(fields_built_in),
		cmocka_unit_test(running_kernel),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
