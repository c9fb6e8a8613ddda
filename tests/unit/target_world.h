/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A kernel of our own for tests of targets: a few types, functions and records of events as BTF, in
 * a file, and in a directory with everything that a target may have.
 */
#ifndef TARGET_WORLD_H
#define TARGET_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>
#include <bpf/btf.h>

#include "compiler/ir/target.h"

/* --- a kernel --------------------------------------------------------------------------------- */

struct types {
	struct btf *btf;
	int t_int, t_char, t_uchar, t_u16, t_u32, t_ulong, t_long, t_void_ptr;
	int task, task_ptr, file_ptr;
};

static void must(int result)
{
	assert_true(result >= 0);
}

static void add_scalars(struct types *t)
{
	t->t_int = btf__add_int(t->btf, "int", 4, BTF_INT_SIGNED);
	t->t_char = btf__add_int(t->btf, "char", 1, BTF_INT_SIGNED);
	t->t_uchar = btf__add_int(t->btf, "unsigned char", 1, 0);
	t->t_u16 = btf__add_int(t->btf, "short unsigned int", 2, 0);
	t->t_u32 = btf__add_int(t->btf, "unsigned int", 4, 0);
	t->t_ulong = btf__add_int(t->btf, "long unsigned int", 8, 0);
	t->t_long = btf__add_int(t->btf, "long int", 8, BTF_INT_SIGNED);
	t->t_void_ptr = btf__add_ptr(t->btf, 0);
}

/* struct task { char comm[16]; struct { int pid; union { long a; struct task *parent; }; };
 *		 struct task *children[2]; cap_t caps; unsigned flag : 3; struct task **all; } */
static void add_task(struct types *t)
{
	struct btf *btf = t->btf;
	int comm = btf__add_array(btf, t->t_u32, t->t_char, 16);
	int first = comm + 1; /* numbers of types follow one another */
	int u = first, s = first + 1, cap = first + 2, cap_t = first + 3;
	int children = first + 6, all = first + 7;

	t->task = first + 4;
	t->task_ptr = first + 5;
	must(btf__add_union(btf, NULL, 8));
	must(btf__add_field(btf, "a", t->t_long, 0, 0));
	must(btf__add_field(btf, "parent", t->task_ptr, 0, 0));
	must(btf__add_struct(btf, NULL, 16));
	must(btf__add_field(btf, "pid", t->t_int, 0, 0));
	must(btf__add_field(btf, NULL, u, 64, 0));
	assert_int_equal(btf__add_struct(btf, NULL, 8), cap);
	must(btf__add_field(btf, "value", t->t_ulong, 0, 0));
	assert_int_equal(btf__add_typedef(btf, "cap_t", cap), cap_t);
	assert_int_equal(btf__add_struct(btf, "task", 72), t->task);
	must(btf__add_field(btf, "comm", comm, 0, 0));
	must(btf__add_field(btf, NULL, s, 128, 0));
	must(btf__add_field(btf, "children", children, 256, 0));
	must(btf__add_field(btf, "caps", cap_t, 384, 0));
	must(btf__add_field(btf, "flag", t->t_u32, 450, 3));
	must(btf__add_field(btf, "all", all, 512, 0));
	assert_int_equal(btf__add_ptr(btf, t->task), t->task_ptr);
	assert_int_equal(btf__add_array(btf, t->t_u32, t->task_ptr, 2), children);
	assert_int_equal(btf__add_ptr(btf, t->task_ptr), all);
}

struct parameter {
	const char *name;
	int type;
};

static int add_proto(struct btf *btf, int result, const struct parameter *parameters, size_t n)
{
	int proto = btf__add_func_proto(btf, result);

	for (size_t i = 0; i < n; i++)
		must(btf__add_func_param(btf, parameters[i].name, parameters[i].type));
	return proto;
}

static void add_function(
	struct types *t, const char *name, int result, const struct parameter *parameters, size_t n)
{
	int proto = add_proto(t->btf, result, parameters, n);

	must(btf__add_func(t->btf, name, BTF_FUNC_STATIC, proto));
}
#define FUNCTION(t, name, result, ...)                                                             \
	add_function(t, name, result, (const struct parameter[]){__VA_ARGS__},                     \
		POLC_ARRAY_SIZE(((const struct parameter[]){__VA_ARGS__})))

static void add_functions(struct types *t)
{
	int char_const = btf__add_const(t->btf, t->t_char);
	int string = btf__add_ptr(t->btf, char_const);
	int colour = btf__add_enum(t->btf, "colour", 4), inode, proto;

	must(btf__add_enum_value(t->btf, "RED", -1));
	inode = btf__add_fwd(t->btf, "file", BTF_FWD_STRUCT);
	t->file_ptr = btf__add_ptr(t->btf, inode);
	FUNCTION(t, "open_it", t->t_int, {"task", t->task_ptr}, {"name", string},
		{"colour", colour}, {"size", t->t_ulong}, {"data", t->t_void_ptr},
		{"file", t->file_ptr});
	FUNCTION(t, "by_value", t->t_int, {"task", t->task});
	FUNCTION(t, "seven", 0, {"a", t->t_int}, {"b", t->t_int}, {"c", t->t_int}, {"d", t->t_int},
		{"e", t->t_int}, {"f", t->t_int}, {"g", t->t_int});
	FUNCTION(t, "print", t->t_int, {"format", string}, {NULL, 0});
	FUNCTION(t, "security_task_look", t->t_int, {"task", t->task_ptr});
	FUNCTION(t, "bpf_lsm_task_look", t->t_int, {"task", t->task_ptr});
	FUNCTION(t, "security_task_kill", t->t_int, {"task", t->task_ptr}, {"sig", t->t_int});
	FUNCTION(t, "bpf_lsm_task_kill", t->t_int, {"task", t->task_ptr}, {"sig", t->t_u32});
	FUNCTION(t, "bpf_lsm_only", t->t_int, {"task", t->task_ptr});
	FUNCTION(t, "__x64_sys_openat", t->t_long, {"regs", t->t_void_ptr});
	proto = add_proto(t->btf, 0,
		(const struct parameter[]){
			{NULL, t->t_void_ptr}, {"task", t->task_ptr}, {"code", t->t_int}},
		3);
	must(btf__add_typedef(t->btf, "btf_trace_task_go", btf__add_ptr(t->btf, proto)));
}

/* struct trace_event_raw_NAME { struct trace_entry ent; u32 __data_loc_name; char comm[8]; int
 * code; } */
static void add_record(struct types *t, const char *name)
{
	struct btf *btf = t->btf;
	int comm = btf__add_array(btf, t->t_u32, t->t_char, 8);
	int data = btf__add_array(btf, t->t_u32, t->t_char, 0);
	int entry = btf__find_by_name_kind(btf, "trace_entry", BTF_KIND_STRUCT);

	must(btf__add_struct(btf, name, 24));
	must(btf__add_field(btf, "ent", entry, 0, 0));
	must(btf__add_field(btf, "__data_loc_name", t->t_u32, 64, 0));
	must(btf__add_field(btf, "comm", comm, 96, 0));
	must(btf__add_field(btf, "code", t->t_int, 160, 0));
	must(btf__add_field(btf, "__data", data, 192, 0));
}

static void add_records(struct types *t)
{
	must(btf__add_struct(t->btf, "trace_entry", 8));
	must(btf__add_field(t->btf, "type", t->t_u16, 0, 0));
	must(btf__add_field(t->btf, "flags", t->t_uchar, 16, 0));
	must(btf__add_field(t->btf, "preempt_count", t->t_uchar, 24, 0));
	must(btf__add_field(t->btf, "pid", t->t_int, 32, 0));
	add_record(t, "trace_event_raw_task_go");
	/* the same fields: task_stop is of this class, as task_go is an event */
	add_record(t, "trace_event_raw_task_template");
	add_record(t, "trace_event_raw_sched_wakeup_template");
}

/* --- files ------------------------------------------------------------------------------------ */

struct world {
	struct polc polc;
	char directory[64];
	struct polc_target *file, *full; /* BTF alone; a directory with everything */
};

static void write_text(const char *directory, const char *name, const void *text, size_t n)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, n, file), n);
	fclose(file);
}

static void make_directory(const char *directory, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static const char kallsyms[] = "0 T open_it\n0 t static_one\n0 d some_data\n0 W weak_one\n"
			       "0 T security_task_look\n0 T __x64_sys_openat\n0 T by_value\n"
			       "0 T _sinittext\n0 t seven\n0 T _einittext\n"
			       "0 t in_module\t[module]\n";
static const char config[] = "# a configuration\nCONFIG_BPF_LSM=y\nCONFIG_MODULE=m\n"
			     "# CONFIG_OFF is not set\nCONFIG_NUMBER=12\n"
			     "CONFIG_FUNCTION_ERROR_INJECTION=y\n";
static const char injection[] = "open_it+0x0/0x10\tERRNO\nin_module+0x0/0x20 [module]\tNULL\n";
#define COMMON                                                                                     \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"             \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
static const char format_stop[] =
	"name: task_stop\nID: 7\nformat:\n" COMMON
	"\tfield:__data_loc char[] name;\toffset:8;\tsize:4;\tsigned:0;\n"
	"\tfield:char comm[LENGTH];\toffset:12;\tsize:8;\tsigned:0;\n"
	"\tfield:int code;\toffset:20;\tsize:4;\tsigned:1;\n\nprint fmt: \"%s\", REC->comm\n";
static const char format_openat[] =
	"name: sys_enter_openat\nID: 8\nformat:\n" COMMON
	"\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;\n"
	"\tfield:int dfd;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\tfield:const char * filename;\toffset:24;\tsize:8;\tsigned:0;\n"
	"\tfield:const struct open_how * how;\toffset:32;\tsize:8;\tsigned:0;\n"
	"\tfield:some_t thing;\toffset:40;\tsize:8;\tsigned:1;\n\nprint fmt: \"\"\n";
static const char format_broken[] = "name: x\n\tfield:int code;\toffset:x;\tsize:4;\tsigned:1;\n";

static void write_directory(const char *directory, const void *btf, size_t n)
{
	write_text(directory, "vmlinux.btf", btf, n);
	write_text(directory, "kallsyms", kallsyms, sizeof(kallsyms) - 1);
	write_text(directory, "config", config, sizeof(config) - 1);
	write_text(directory, "error_injection", injection, sizeof(injection) - 1);
	make_directory(directory, "events");
	make_directory(directory, "events/task");
	make_directory(directory, "events/task/task_go");
	make_directory(directory, "events/task/task_stop");
	make_directory(directory, "events/task/broken");
	make_directory(directory, "events/syscalls");
	make_directory(directory, "events/syscalls/sys_enter_openat");
	write_text(directory, "events/task/task_stop/format", format_stop, sizeof(format_stop) - 1);
	write_text(
		directory, "events/task/broken/format", format_broken, sizeof(format_broken) - 1);
	write_text(directory, "events/syscalls/sys_enter_openat/format", format_openat,
		sizeof(format_openat) - 1);
}

/* A module that has a struct and a function of its own, on the kernel's types. */
static void write_module(const char *directory, struct types *t)
{
	struct types module = {.btf = btf__new_empty_split(t->btf)};
	const void *raw;
	uint32_t n;
	int own;

	own = btf__add_struct(module.btf, "module_state", 8);
	must(btf__add_field(module.btf, "owner", t->task_ptr, 0, 0));
	FUNCTION(&module, "in_module", t->t_int, {"state", btf__add_ptr(module.btf, own)});
	raw = btf__raw_data(module.btf, &n);
	make_directory(directory, "modules");
	write_text(directory, "modules/ours.btf", raw, n);
	write_text(directory, "modules/broken.btf", "no BTF", 6);
	write_text(directory, "modules/README", "no module", 9);
	btf__free(module.btf);
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct types t = {.btf = btf__new_empty()};
	const void *raw;
	uint32_t n;

	polc_init(&world->polc);
	add_scalars(&t);
	add_task(&t);
	add_functions(&t);
	add_records(&t);
	raw = btf__raw_data(t.btf, &n);
	strcpy(world->directory, "/tmp/polc-target-XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	write_directory(world->directory, raw, n);
	write_text(world->directory, "alone", raw, n);
	write_module(world->directory, &t); /* ends the life of raw */
	btf__free(t.btf);
	assert_int_equal(polc_target_open(&world->polc, world->directory, &world->full), 0);
	assert_int_equal(
		polc_target_open(&world->polc,
			polc_arena_printf(&world->polc.arena, "%s/alone", world->directory),
			&world->file),
		0);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", world->directory);
	assert_int_equal(system(command), 0);
	polc_target_close(world->file);
	polc_target_close(world->full);
	polc_target_close(NULL);
	polc_free(&world->polc);
	free(world);
	return 0;
}

#endif
