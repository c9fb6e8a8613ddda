/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A target: what is known of a kernel that a bundle is compiled for. Its BTF always; symbols,
 * tracepoint formats and configuration where known. Knows no policy.
 *
 *   running      /sys/kernel/btf/vmlinux, and what /proc/kallsyms, tracefs and debugfs show
 *   FILE         a BTF file (raw, or an ELF object with .BTF)
 *   DIRECTORY    vmlinux.btf or btf; optional: kallsyms, config, error_injection (lines of
 *                /sys/kernel/debug/error_injection/list), events/SUBSYSTEM/EVENT/format,
 *                modules/NAME.btf, vmlinuz (for polc verify)
 *   NAME         $XDG_DATA_HOME/polc/targets/NAME, else /usr/share/polc/targets/NAME: a directory
 */
#ifndef POLC_TARGET_H
#define POLC_TARGET_H

#include "../base/diagnostic.h"

struct polc_target;

/* Opens; 0, or -errno with the environment's error printed. Freed with the arena, but for the BTF
 * handle: polc_target_close(). */
int polc_target_open(struct polc *polc, const char *name, struct polc_target **out);
void polc_target_close(struct polc_target *target);             /* NULL is fine */
const char *polc_target_name(const struct polc_target *target); /* as given on the command line */

/* Where the targets of `polc target add` are, by name; NULL: there is no home. */
const char *polc_target_home(struct polc_arena *arena);
/* The directory that a DIRECTORY or NAME stands for; NULL: there is none. */
const char *polc_target_directory(struct polc_arena *arena, const char *name);

/* A function of this name that a kprobe can sit on (kallsyms, else BTF FUNC). */
enum polc_answer polc_target_has_function(const struct polc_target *target, const char *name);
/* BTF knows it, with at most 6 scalar or pointer parameters: fentry, fexit, fmod_ret can attach. */
enum polc_answer polc_target_has_fentry(const struct polc_target *target, const char *name);
/* Its result may be replaced: security_*, or on the error injection list. System calls count, but
 * all except security_* is NO where CONFIG_FUNCTION_ERROR_INJECTION is known to be off. */
enum polc_answer polc_target_overridable(const struct polc_target *target, const char *name);
/* bpf_lsm_NAME exists, and (when both exist) whether its parameters are those of security_NAME. */
enum polc_answer polc_target_has_lsm_hook(const struct polc_target *target, const char *name);
enum polc_answer polc_target_lsm_same_parameters(
	const struct polc_target *target, const char *name);
/* A configuration symbol such as "CONFIG_BPF_LSM" is y or m. */
enum polc_answer polc_target_config(const struct polc_target *target, const char *symbol);
/* Names of BTF functions that match a POSIX extended regular expression, sorted; -EINVAL when it
 * does not compile. */
int polc_target_functions_matching(struct polc *polc, const struct polc_target *target,
	const char *pattern, const char *const **out, size_t *n);

/* What a value is to C: enough to check a declared argument type and to read it. */
enum polc_value_kind {
	POLC_VALUE_INT,     /* size, is_signed */
	POLC_VALUE_POINTER, /* to `name` (struct or scalar; "" for void), is_struct */
	POLC_VALUE_STRUCT,  /* embedded: name, size */
	POLC_VALUE_ARRAY,   /* of size elements of `name` */
	POLC_VALUE_VOID,
};
struct polc_value_type {
	enum polc_value_kind kind;
	const char *name; /* of the struct, union, typedef-stripped; or of the scalar: "char" */
	uint32_t size;
	bool is_signed, is_struct, is_char;
	bool is_typedef; /* `name` is a typedef's: the struct itself has no name (kernel_cap_t) */
	uint32_t element_size; /* ARRAY */
	uint32_t btf_id;       /* in the target's BTF: where `resolve` goes on */
};
struct polc_function_type {
	struct polc_value_type parameters[12];
	const char *parameter_names[12];
	uint32_t n_parameters;
	bool variadic;
	struct polc_value_type result;
};
/* Prototype of a function; of bpf_lsm_NAME as "bpf_lsm_..."; -ENOENT when BTF has none. */
int polc_target_function(struct polc *polc, const struct polc_target *target, const char *name,
	struct polc_function_type *out);
/* Of a raw tracepoint (btf_trace_EVENT, its first void * left out). -ENOENT. */
int polc_target_raw_tracepoint(struct polc *polc, const struct polc_target *target,
	const char *event, struct polc_function_type *out);

/* Fields of a tracepoint's record in format order, common_* first (reference 1.2). */
struct polc_tracepoint_field {
	const char *name;
	uint32_t offset, size;
	bool is_signed, is_array, is_data_loc, is_char; /* is_char: an array of char */
	bool is_rel_loc; /* like is_data_loc, but from the end of the field; kernels since 5.17 */
	/* As declared: "const char *" is a POINTER to char. In system calls' records an int takes 8
	 * bytes of the record (size), and type.size says 4. */
	struct polc_value_type type;
	/* CO-RE: "trace_event_raw_NAME" and the member's name; NULL: only the offset is known */
	const char *record, *member;
};
/*
 * From events/.../format, else from BTF's trace_event_raw_EVENT, else built in: raw_syscalls/
 * sys_enter and sys_exit and syscalls/sys_{enter,exit}_NAME (the same on every x86-64 kernel).
 * target may be NULL: only what is built in. -ENOENT.
 */
int polc_tracepoint_fields(struct polc *polc, const struct polc_target *target,
	const char *subsystem, const char *event, const struct polc_tracepoint_field **out,
	size_t *n);

/* A step of `resolve`. The value before it is a pointer to (or an embedded) struct_name. */
struct polc_resolve_step {
	const char *struct_name; /* NULL: array element */
	bool is_union;
	const char *member;
	bool member_anonymous_path; /* in an anonymous struct or union inside: CO-RE finds it */
	uint32_t index;             /* array element: [index] */
	uint32_t element_size;
	bool through_pointer; /* the value so far is a pointer that must be read first */
	bool is_typedef;      /* struct_name is a typedef's; struct_name "": no name at all */
	uint32_t offset;      /* bytes from the struct or first element, in this target */
	uint32_t bitfield_offset, bitfield_bits; /* bits from `offset`; bits 0: no bitfield */
	struct polc_value_type type;             /* of the value after this step */
};
/*
 * Resolves "mm.owner.comm", "a[2].b", from a parameter's type. -EINVAL (reported at span, pointing
 * at the failing word) when a name is no member, or a step no struct or array. `from` may be what
 * polc_target_struct() gave, with the kind set to POINTER.
 */
int polc_target_resolve(struct polc *polc, const struct polc_target *target,
	const struct polc_value_type *from, const char *path, struct polc_span span,
	const struct polc_resolve_step **steps, size_t *n);
/* A struct by name, for btfType and for current_task ("task_struct"), pt_regs. -ENOENT. */
int polc_target_struct(struct polc *polc, const struct polc_target *target, const char *name,
	struct polc_value_type *out);

/* --- system calls (x86-64), built in: ir/syscalls.c ------------------------------------------- */

enum polc_abi { POLC_ABI_X64, POLC_ABI_I386, POLC_ABI_ARM64, POLC_ABI_ARM32 };
struct polc_syscall {
	enum polc_abi abi;
	const char *name; /* "openat" */
	uint32_t number;  /* UINT32_MAX: not known */
};
/*
 * "sys_openat", "openat", "__x64_sys_openat", "i386/sys_x"; the kernel's own names too ("newstat").
 * False when it is none's spelling: a bare word is one only when known. A well-spelled but unknown
 * call is true with number UINT32_MAX. out->name is static or inside text.
 */
bool polc_syscall_parse(const char *text, struct polc_syscall *out);
/* The kernel's symbol: "__x64_sys_openat"; `compat`: "__ia32_compat_sys_openat". */
const char *polc_syscall_symbol(
	struct polc_arena *arena, const struct polc_syscall *call, bool compat);
/* i386: the kernel's table has the compat symbol; the other one is never called. */
bool polc_syscall_is_compat(const struct polc_syscall *call);
/* All names of an ABI in order of number (generated_syscalls). */
const char *const *polc_syscall_names(enum polc_abi abi, size_t *n);
/* C type of argument n (0..5) of a known call: for checks and `auto`; false when unknown. */
bool polc_syscall_argument(const char *name, unsigned n, struct polc_value_type *out);
const char *polc_syscall_argument_name(const char *name, unsigned n); /* or NULL */
/* Its parameter count, or -1. */
int polc_syscall_arguments(const char *name);

#endif
